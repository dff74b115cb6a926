//! What is wrong with volumes, as the controller sees it.

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::Paging;
use crate::controller::page::Pages;
use crate::failure::Failure;
use crate::words;

/// ControllerListVolumeHealth: the volumes that are not well.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    paging: Paging,
}

impl List {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let mut pages = Pages::new(&self.paging);
        while let Some(token) = pages.next() {
            let request = csi::ControllerListVolumeHealthRequest {
                max_entries: self.paging.max_entries,
                starting_token: token.clone(),
                secrets: session.secrets(),
            };
            let answer = session.call(request).await?;
            let mut shown = words::health(&answer.entries);
            shown.last = pages.after::<csi::ControllerListVolumeHealthRequest>(session, &token, &answer.next_token)?;
            output.show(&answer, &[], shown)?;
        }
        Ok(())
    }
}

/// ControllerGetVolumeHealth: what is wrong with a volume.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        for volume_id in self.ids {
            let request = csi::ControllerGetVolumeHealthRequest { volume_id: volume_id.clone(), secrets: session.secrets() };
            let answer = session.call(request).await?;
            let health = answer.volume_health.clone().unwrap_or_else(|| csi::VolumeHealth { volume_id, ..Default::default() });
            output.show(&answer, &[("volume_id", &health.volume_id)], words::health([&health]))?;
        }
        Ok(())
    }
}
