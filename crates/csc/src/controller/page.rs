//! Lists, a page or all of them.

use std::collections::BTreeSet;

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::calls::Call;
use crate::cli::args::Paging;
use crate::failure::Failure;
use crate::session::Session;
use crate::words;

/// Which page is next.
pub(crate) struct Pages {
    all: bool,
    next: Option<String>,
    asked: BTreeSet<String>,
}

impl Pages {
    pub(crate) fn new(paging: &Paging) -> Self {
        Self { all: paging.paging, next: Some(paging.starting_token.clone()), asked: BTreeSet::new() }
    }

    /// From the first to the last.
    pub(crate) fn all() -> Self {
        Self { all: true, next: Some(String::new()), asked: BTreeSet::new() }
    }

    /// The token to ask with; `None` after the last page.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.next.take()
    }

    /// With the token of an answer: what to print after it.
    ///
    /// # Errors
    /// The token is that of this page or of an earlier one: they would be asked for without end.
    pub(crate) fn after<C: Call>(&mut self, session: &Session<'_>, asked: &str, token: &str) -> Result<String, Failure> {
        if !self.all {
            return Ok(words::token(token));
        }
        self.asked.insert(asked.to_owned());
        if !token.is_empty() && self.asked.contains(token) {
            return Err(
                session.incomplete::<C>(&format!("next_token {token:?} is the token of a page that was asked for before"))
            );
        }
        self.next = (!token.is_empty()).then(|| token.to_owned());
        Ok(String::new())
    }
}

/// ListVolumes: the volumes that there are.
#[derive(Debug, Args)]
pub(crate) struct ListVolumes {
    #[command(flatten)]
    paging: Paging,
}

impl ListVolumes {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let mut pages = Pages::new(&self.paging);
        while let Some(token) = pages.next() {
            let request = csi::ListVolumesRequest { max_entries: self.paging.max_entries, starting_token: token.clone() };
            let answer = session.call(request).await?;
            let last = pages.after::<csi::ListVolumesRequest>(session, &token, &answer.next_token)?;
            let volumes = || answer.entries.iter().filter_map(|entry| entry.volume.as_ref());
            if self.paging.paging && output.has_template() {
                for volume in volumes() {
                    output.show(volume, &[], words::volumes([volume]))?;
                }
                continue;
            }
            let mut shown = words::volumes(volumes());
            shown.columns = &["VOLUME", "BYTES", "CONTEXT", "NODES"];
            let with_volume = answer.entries.iter().filter(|entry| entry.volume.is_some());
            for (row, entry) in shown.rows.iter_mut().zip(with_volume) {
                row.push(entry.status.as_ref().map(|status| status.published_node_ids.join(",")).unwrap_or_default());
            }
            shown.last = last;
            output.show(&answer, &[], shown)?;
        }
        Ok(())
    }
}

/// ListSnapshots: the snapshots that there are.
#[derive(Debug, Args)]
pub(crate) struct ListSnapshots {
    #[command(flatten)]
    paging: Paging,
    /// Only those of this volume.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    source_volume_id: String,
    /// Only this one.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    snapshot_id: String,
}

impl ListSnapshots {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let mut pages = Pages::new(&self.paging);
        while let Some(token) = pages.next() {
            let request = csi::ListSnapshotsRequest {
                max_entries: self.paging.max_entries,
                starting_token: token.clone(),
                source_volume_id: self.source_volume_id.clone(),
                snapshot_id: self.snapshot_id.clone(),
                secrets: session.secrets(),
            };
            let answer = session.call(request).await?;
            let last = pages.after::<csi::ListSnapshotsRequest>(session, &token, &answer.next_token)?;
            let snapshots = || answer.entries.iter().filter_map(|entry| entry.snapshot.as_ref());
            if self.paging.paging && output.has_template() {
                for snapshot in snapshots() {
                    output.show(snapshot, &[], words::snapshots([snapshot]))?;
                }
                continue;
            }
            let mut shown = words::snapshots(snapshots());
            shown.last = last;
            output.show(&answer, &[], shown)?;
        }
        Ok(())
    }
}
