//! Snapshots, alone and in groups. They hold no data; they are ready at once.

use csi_proto::csi::v1 as csi;

use super::{Answer, Group, Snapshot, World, controller::page, required};
use crate::code::{Code, Refusal};

impl Snapshot {
    fn to_csi(&self) -> csi::Snapshot {
        csi::Snapshot {
            size_bytes: self.size_bytes,
            snapshot_id: self.id.clone(),
            source_volume_id: self.source_volume_id.clone(),
            // The world has no clock; a fixed moment is as good as any, and the field must be set.
            creation_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            ready_to_use: true,
            group_snapshot_id: self.group.clone(),
            accessible_topology: Vec::new(),
        }
    }
}

impl World {
    pub(super) fn create_snapshot(&mut self, r: &csi::CreateSnapshotRequest) -> Answer<csi::CreateSnapshotResponse> {
        required("name", &r.name)?;
        required("source_volume_id", &r.source_volume_id)?;
        let id = self.id("snapshot", &r.name);
        if let Some(known) = self.facts.snapshots.get(&id) {
            if known.source_volume_id != r.source_volume_id {
                let what = format!("snapshot {} exists, of volume {}", r.name, known.source_volume_id);
                return Err(Refusal::new(Code::AlreadyExists, what));
            }
            return Ok(csi::CreateSnapshotResponse { snapshot: Some(known.to_csi()) });
        }
        let snapshot = Snapshot {
            id,
            name: r.name.clone(),
            source_volume_id: r.source_volume_id.clone(),
            size_bytes: self.volume(&r.source_volume_id)?.capacity_bytes,
            parameters: r.parameters.clone(),
            group: String::new(),
        };
        let answer = snapshot.to_csi();
        self.facts.snapshots.insert(snapshot.id.clone(), snapshot);
        self.changes += 1;
        Ok(csi::CreateSnapshotResponse { snapshot: Some(answer) })
    }

    pub(super) fn delete_snapshot(&mut self, r: &csi::DeleteSnapshotRequest) -> Answer<csi::DeleteSnapshotResponse> {
        required("snapshot_id", &r.snapshot_id)?;
        match self.facts.snapshots.get(&r.snapshot_id) {
            None => {}
            Some(s) if s.group.is_empty() => {
                self.facts.snapshots.remove(&r.snapshot_id);
                self.changes += 1;
            }
            Some(s) => {
                let what = format!("snapshot {} belongs to group {}: delete that", r.snapshot_id, s.group);
                return Err(Refusal::new(Code::InvalidArgument, what));
            }
        }
        Ok(csi::DeleteSnapshotResponse {})
    }

    pub(super) fn list_snapshots(&self, r: &csi::ListSnapshotsRequest) -> Answer<csi::ListSnapshotsResponse> {
        let wanted = |s: &&Snapshot| {
            (r.snapshot_id.is_empty() || s.id == r.snapshot_id)
                && (r.source_volume_id.is_empty() || s.source_volume_id == r.source_volume_id)
        };
        let all: Vec<&Snapshot> = self.snapshots().filter(wanted).collect();
        let (page, next_token) = page(&all, r.max_entries, &r.starting_token, |s| &s.id)?;
        let entry = |s: &&Snapshot| csi::list_snapshots_response::Entry { snapshot: Some(s.to_csi()) };
        Ok(csi::ListSnapshotsResponse { entries: page.iter().map(entry).collect(), next_token })
    }

    pub(super) fn get_snapshot(&self, r: &csi::GetSnapshotRequest) -> Answer<csi::GetSnapshotResponse> {
        required("snapshot_id", &r.snapshot_id)?;
        let known = self.facts.snapshots.get(&r.snapshot_id);
        let known = known.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no snapshot {:?}", r.snapshot_id)))?;
        Ok(csi::GetSnapshotResponse { snapshot: Some(known.to_csi()) })
    }

    fn group_to_csi(&self, group: &Group) -> csi::VolumeGroupSnapshot {
        let members = group.members.iter().filter_map(|id| self.facts.snapshots.get(id));
        csi::VolumeGroupSnapshot {
            group_snapshot_id: group.id.clone(),
            snapshots: members.map(Snapshot::to_csi).collect(),
            creation_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            ready_to_use: true,
        }
    }

    pub(super) fn create_group(
        &mut self,
        r: &csi::CreateVolumeGroupSnapshotRequest,
    ) -> Answer<csi::CreateVolumeGroupSnapshotResponse> {
        required("name", &r.name)?;
        required("source_volume_ids", r.source_volume_ids.first().map_or("", |id| id))?;
        let id = self.id("group", &r.name);
        let wanted: Vec<String> =
            r.source_volume_ids.iter().map(|volume| self.id("snapshot", &format!("{}/{volume}", r.name))).collect();
        if let Some(known) = self.facts.groups.get(&id) {
            if known.members != wanted {
                return Err(Refusal::new(Code::AlreadyExists, format!("group {} exists, of other volumes", r.name)));
            }
            return Ok(csi::CreateVolumeGroupSnapshotResponse { group_snapshot: Some(self.group_to_csi(known)) });
        }
        // All or nothing: sizes first, which is where a volume can be missing.
        let sizes = r.source_volume_ids.iter().map(|v| Ok(self.volume(v)?.capacity_bytes)).collect::<Answer<Vec<i64>>>()?;
        for ((member, volume), size_bytes) in wanted.iter().zip(&r.source_volume_ids).zip(sizes) {
            let snapshot = Snapshot {
                id: member.clone(),
                name: format!("{}/{volume}", r.name),
                source_volume_id: volume.clone(),
                size_bytes,
                parameters: r.parameters.clone(),
                group: id.clone(),
            };
            self.facts.snapshots.insert(member.clone(), snapshot);
        }
        let group = Group { id: id.clone(), name: r.name.clone(), members: wanted };
        let answer = self.group_to_csi(&group);
        self.facts.groups.insert(id, group);
        self.changes += 1;
        Ok(csi::CreateVolumeGroupSnapshotResponse { group_snapshot: Some(answer) })
    }

    pub(super) fn delete_group(
        &mut self,
        r: &csi::DeleteVolumeGroupSnapshotRequest,
    ) -> Answer<csi::DeleteVolumeGroupSnapshotResponse> {
        required("group_snapshot_id", &r.group_snapshot_id)?;
        if let Some(group) = self.facts.groups.remove(&r.group_snapshot_id) {
            self.facts.snapshots.retain(|id, _| !group.members.contains(id));
            self.changes += 1;
        }
        Ok(csi::DeleteVolumeGroupSnapshotResponse {})
    }

    pub(super) fn get_group(&self, r: &csi::GetVolumeGroupSnapshotRequest) -> Answer<csi::GetVolumeGroupSnapshotResponse> {
        required("group_snapshot_id", &r.group_snapshot_id)?;
        let known = self.facts.groups.get(&r.group_snapshot_id);
        let missing = || Refusal::new(Code::NotFound, format!("there is no group snapshot {:?}", r.group_snapshot_id));
        Ok(csi::GetVolumeGroupSnapshotResponse { group_snapshot: Some(self.group_to_csi(known.ok_or_else(missing)?)) })
    }
}
