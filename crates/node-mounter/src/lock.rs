//! One agent per root directory: two would undo each other's mounts. The edge.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rt::Ctx;
use rustix::fs::{FlockOperation, flock};

/// Held as long as this lives; the kernel lets go of it whatever way the process ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "only its being open matters")] File);

/// A process that was just killed may take a moment to be gone.
const PATIENCE: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock on this file.
pub(crate) async fn take(ctx: &Ctx, path: &Path) -> io::Result<Lock> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    for attempt in 1.. {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < PATIENCE => ctx.sleep(PAUSE).await,
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another node-mounter works on this root directory; stop it first",
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Lock(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_is_free_again_when_its_holder_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent/lock");
        let ctx = Ctx::real();
        let held = take(&ctx, &path).await.expect("taken");
        let soon = ctx.timeout(Duration::from_millis(150), take(&ctx, &path)).await;
        assert!(soon.is_err(), "still waiting");
        drop(held);
        take(&ctx, &path).await.expect("taken");
    }
}
