//! ListVolumes, ListSnapshots, ControllerGetVolume. Oldest first; a page's token names the last entry of the page, so volumes that
//! come and go in between neither shift nor repeat the rest.

use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::store::key::Key;
use crate::store::record::{Record, Snapshot, Volume};

impl Driver {
    pub(crate) fn list_volumes(&self, request: csi::ListVolumesRequest) -> Result<csi::ListVolumesResponse> {
        let mut volumes = self.store.volumes.list()?;
        // An inline volume belongs to its pod, not to whoever lists.
        volumes.retain(|volume| !volume.ephemeral);
        let (page, next_token) = page(volumes, &request.starting_token, request.max_entries)?;
        let entry = |volume: &Volume| {
            let published_node_ids = volume.attached.keys().cloned().collect();
            let status =
                self.config.controller_publish.then_some(csi::list_volumes_response::VolumeStatus { published_node_ids });
            csi::list_volumes_response::Entry { volume: Some(self.describe(volume)), status }
        };
        Ok(csi::ListVolumesResponse { entries: page.iter().map(entry).collect(), next_token })
    }

    pub(crate) fn list_snapshots(&self, request: csi::ListSnapshotsRequest) -> Result<csi::ListSnapshotsResponse> {
        let mut snapshots = match Key::of_snapshot_id(&request.snapshot_id) {
            Some(key) => self.store.snapshots.load(&key)?.into_iter().collect(),
            None if request.snapshot_id.is_empty() => self.store.snapshots.list()?,
            None => Vec::new(),
        };
        snapshots.retain(|snapshot| request.source_volume_id.is_empty() || snapshot.volume == request.source_volume_id);
        let (page, next_token) = page(snapshots, &request.starting_token, request.max_entries)?;
        let entry =
            |snapshot: &Snapshot| csi::list_snapshots_response::Entry { snapshot: Some(super::snapshot::describe(snapshot)) };
        Ok(csi::ListSnapshotsResponse { entries: page.iter().map(entry).collect(), next_token })
    }

    pub(crate) fn controller_get_volume(
        &self,
        request: csi::ControllerGetVolumeRequest,
    ) -> Result<csi::ControllerGetVolumeResponse> {
        let (_, volume) = self.store.volume(required("volume_id", &request.volume_id)?)?;
        let published_node_ids = volume.attached.keys().cloned().collect();
        Ok(csi::ControllerGetVolumeResponse {
            volume: Some(self.describe(&volume)),
            status: Some(csi::controller_get_volume_response::VolumeStatus { published_node_ids }),
        })
    }
}

/// One page of a sorted list, and the token of the next; an empty token means that there is none.
fn page<R: Record>(mut records: Vec<R>, token: &str, max_entries: i32) -> Result<(Vec<R>, String)> {
    let most = match usize::try_from(max_entries) {
        Ok(0) => usize::MAX,
        Ok(most) => most,
        Err(_) => return Err(Error::Invalid(format!("max_entries is {max_entries}; it must not be negative"))),
    };
    if !token.is_empty() {
        let (created, id) = token
            .split_once('.')
            .and_then(|(created, id)| Some((created.parse::<u64>().ok()?, Key::from_directory(id)?)))
            .ok_or_else(|| Error::Token(token.to_owned()))?;
        records.retain(|record| (record.created(), record.id()) > (created, id.as_str()));
    }
    let more = records.len() > most;
    records.truncate(most);
    let next = records.last().filter(|_| more).map(|last| format!("{}.{}", last.created(), last.id()));
    Ok((records, next.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Format, Kind, LAYOUT};

    fn snapshots(created: &[u64]) -> Vec<Snapshot> {
        let one = |created: &u64| Snapshot {
            layout: LAYOUT,
            id: Key::for_snapshot_name(&created.to_string()).as_str().to_owned(),
            name: String::new(),
            volume: String::new(),
            kind: Kind::Loop,
            capacity: 0,
            filesystem: None,
            format: Format::Blank,
            filesystem_bytes: 0,
            created: *created,
        };
        created.iter().map(one).collect()
    }

    fn times(page: &[Snapshot]) -> Vec<u64> {
        page.iter().map(|snapshot| snapshot.created).collect()
    }

    #[test]
    fn pages_follow_each_other_even_if_the_last_entry_of_one_is_gone() {
        let (first, token) = page(snapshots(&[1, 2, 3, 4, 5]), "", 2).unwrap();
        assert_eq!(times(&first), [1, 2]);
        let (second, token) = page(snapshots(&[1, 3, 4, 5]), &token, 2).unwrap();
        assert_eq!(times(&second), [3, 4]);
        let (last, token) = page(snapshots(&[1, 5, 6]), &token, 2).unwrap();
        assert_eq!((times(&last), token.as_str()), (vec![5, 6], ""));
    }

    #[test]
    fn a_strange_token_is_aborted_and_a_negative_count_invalid() {
        for token in ["invalid-token", "1", "1.x", ".", "1.v-"] {
            assert!(matches!(page(snapshots(&[1]), token, 0), Err(Error::Token(_))), "{token}");
        }
        assert!(matches!(page(snapshots(&[1]), "", -1), Err(Error::Invalid(_))));
    }
}
