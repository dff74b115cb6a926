//! Who may use a volume with whom, over all documents that are read together.
//!
//! Upstream: Nomad `structs.CSIVolume.Claim`: the first claim fixes how a volume is used until the last one is gone. Here every claim of every
//! document counts, since all of them run at once.

use std::collections::BTreeMap;

use csi_types::{AccessType, CsiAccessMode};

use super::job::mode_name;
use crate::csi::reader_only;
use crate::model::{Document, RegisteredVolume, Source, VolumeSpec};
use crate::notes::Note;

/// One group's use of a volume.
struct Claim<'a> {
    /// Whose it is, by its place among the documents.
    document: usize,
    field: &'a str,
    volume: &'a RegisteredVolume,
    writes: bool,
    instances: u32,
}

/// What is wrong with how these documents use volumes together: modes that a volume's specification does not have, a second writer, two ways of
/// attachment. Volumes that none of the documents specifies are checked among their users. Each with the document that it is said of, by its place.
pub fn claims(documents: &[&Document]) -> Vec<(usize, Note)> {
    let mut volumes: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    let workloads =
        documents.iter().enumerate().flat_map(|(index, document)| document.workloads.iter().map(move |one| (index, one)));
    for (document, workload) in workloads {
        for volume in &workload.volumes {
            if let Source::Registered(registered) = &volume.source {
                let writes = !volume.read_only && !reader_only(registered.access_mode);
                let instances = workload.kind.instances().unwrap_or(1);
                let claim = Claim { document, field: &volume.field, volume: registered, writes, instances };
                volumes.entry(&registered.id).or_default().push(claim);
            }
        }
    }
    let mut notes = Vec::new();
    for (id, claims) in &volumes {
        let spec = documents.iter().flat_map(|document| &document.volumes).find(|spec| spec.id == *id);
        for claim in claims {
            notes.extend(spec.and_then(|spec| unlike(claim, spec)).map(|reason| note(claim, reason)));
        }
        notes.extend(together(id, claims));
    }
    notes
}

fn note(claim: &Claim<'_>, reason: String) -> (usize, Note) {
    (claim.document, Note { place: None, field: claim.field.to_owned(), reason })
}

fn attachment(access: &AccessType) -> &'static str {
    match access {
        AccessType::Block => "block-device",
        AccessType::Mount { .. } => "file-system",
    }
}

/// Why the volume cannot be used as this claim wants.
fn unlike(claim: &Claim<'_>, spec: &VolumeSpec) -> Option<String> {
    let asked = (claim.volume.access_mode, attachment(&claim.volume.access_type));
    let has = |capability: &csi_types::VolumeCapability| (capability.access_mode, attachment(&capability.access_type));
    if spec.capabilities.iter().any(|capability| has(capability) == asked) {
        return None;
    }
    let words = |(mode, attachment): (CsiAccessMode, &str)| format!("{} as {attachment}", mode_name(mode));
    let offered: Vec<String> = spec.capabilities.iter().map(|capability| words(has(capability))).collect();
    let id = &spec.id;
    Some(format!(
        "asks for {id:?} {}, and its specification has only {}: add a capability there",
        words(asked),
        offered.join(", ")
    ))
}

fn together(id: &str, claims: &[Claim<'_>]) -> Option<(usize, Note)> {
    let (first, rest) = claims.split_first()?;
    let different = rest.iter().find(|other| attachment(&other.volume.access_type) != attachment(&first.volume.access_type));
    if let Some(other) = different {
        let way = attachment(&first.volume.access_type);
        return Some(note(other, format!("cannot change the attachment mode of {id:?}, which is {way} for {}", first.field)));
    }
    let writers: u32 = claims.iter().filter(|claim| claim.writes).map(|claim| claim.instances).sum();
    let users: u32 = claims.iter().map(|claim| claim.instances).sum();
    let last = claims.iter().rev().find(|claim| claim.writes).unwrap_or(first);
    let mode = last.volume.access_mode;
    let reason = match mode {
        CsiAccessMode::SingleNodeWriter if writers > 1 => {
            format!("{id:?} has {writers} writers, and single-node-writer allows one")
        }
        CsiAccessMode::SingleNodeWriter if writers == 1 && users > 1 => {
            format!("{id:?} has a writer and others beside it, and single-node-writer allows the writer alone")
        }
        CsiAccessMode::SingleNodeReaderOnly if users > 1 => {
            format!("{id:?} has {users} readers, and single-node-reader-only allows one")
        }
        CsiAccessMode::MultiNodeSingleWriter if writers > 1 => {
            format!("{id:?} has {writers} writers, and multi-node-single-writer allows one")
        }
        _ => return None,
    };
    Some(note(last, reason))
}
