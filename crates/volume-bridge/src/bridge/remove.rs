//! Remove.

use super::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::Goal;

impl Bridge {
    /// Deletes a volume. One that nobody knows is gone already.
    ///
    /// # Errors
    /// It is mounted; the driver, which is asked again by the next Remove; the journal.
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        let _busy = self.begin()?;
        let name = Name::from(name);
        let _turn = self.state.turn(&name).await;
        if self.state.record(&name).is_none() {
            match self.known(&name).await {
                Ok(()) => {}
                Err(Error::NoVolume(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.drive(&name, Goal::Gone).await?;
        tracing::info!(volume = %name, "removed");
        Ok(())
    }
}
