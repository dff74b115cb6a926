//! Whether a pod fits the node, and what would be bound for it. Upstream's plugins in upstream's order: what is wrong with the
//! pod wherever it would be, then what is wrong with the node.

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::kinds::{Claim, Class, Node, Scheduling, StorageCapacity, Taint, Volume};
use csi_types::{Bytes, Quantity};

use super::plan::{View, Want};
use crate::matching::{self, ClassFact};
use crate::words::{Conflict, Unfit};

/// What is to be written before the pod can be placed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Picks {
    /// Volumes found for claims that wait for a consumer.
    pub(super) hold: Vec<(Arc<Claim>, Arc<Volume>)>,
    /// Claims to be provisioned for, on this node.
    pub(super) select: Vec<Arc<Claim>>,
}

/// All checks of a pod that is to be put on the node.
pub(super) fn fit(v: &View, asks: &Scheduling) -> Result<Picks, Unfit> {
    let Some(node) = &v.node else { return Err(Unfit::NoNode) };
    claims_are_ready(v)?;
    takes(node, asks)?;
    if v.wants.iter().any(|want| want.exclusive_elsewhere) {
        return Err(Unfit::AccessModeInUse);
    }
    if v.loads.iter().any(|load| load.new > 0 && load.used + load.new > usize::try_from(load.limit).unwrap_or(0)) {
        return Err(Unfit::TooManyVolumes);
    }
    let picks = volumes(v, node)?;
    zones(v, node)?;
    Ok(picks)
}

/// The checks of a pod that somebody has put on the node already: only its volumes are still open.
pub(super) fn fit_volumes(v: &View) -> Result<Picks, Unfit> {
    let Some(node) = &v.node else { return Err(Unfit::NoNode) };
    claims_are_ready(v)?;
    volumes(v, node)
}

fn claims_are_ready(v: &View) -> Result<(), Unfit> {
    if let Some(missing) = v.wants.iter().find(|want| !want.ephemeral && want.claim.is_none()) {
        return Err(Unfit::ClaimMissing(missing.name.clone()));
    }
    for want in &v.wants {
        let name = want.name.clone();
        let Some(claim) = &want.claim else { return Err(Unfit::EphemeralClaimMissing(name)) };
        if &*claim.phase == "Lost" {
            return Err(Unfit::ClaimLost { claim: name, volume: claim.volume.as_deref().unwrap_or_default().to_owned() });
        }
        if claim.meta.deleting {
            return Err(Unfit::ClaimDeleting(name));
        }
        if !want.owned {
            let pod = v.pod.as_ref().map(|pod| pod.meta.key.to_string()).unwrap_or_default();
            return Err(Unfit::ClaimNotOwned { claim: claim.meta.key.to_string(), pod });
        }
    }
    if v.wants.iter().any(|want| !want.is_bound() && !want.is_delayed()) {
        return Err(Unfit::UnboundImmediate);
    }
    Ok(())
}

fn takes(node: &Node, asks: &Scheduling) -> Result<(), Unfit> {
    let tolerates = |taint: &Taint| asks.tolerations.iter().any(|toleration| toleration.tolerates(taint));
    let taint = |key: &str| Taint { key: key.into(), value: "".into(), effect: "NoSchedule".into() };
    if node.unschedulable && !tolerates(&taint("node.kubernetes.io/unschedulable")) {
        return Err(Unfit::Unschedulable);
    }
    let repels = |taint: &&Taint| matches!(&*taint.effect, "NoSchedule" | "NoExecute") && !tolerates(taint);
    if node.taints.iter().any(|taint| repels(&taint)) {
        return Err(Unfit::Taint);
    }
    let selected = asks.node_selector.iter().all(|(key, value)| node.labels.get(key) == Some(value));
    let near = asks.affinity.as_ref().is_none_or(|affinity| affinity.matches(node.meta.key.name(), &node.labels));
    if selected && near { Ok(()) } else { Err(Unfit::NodeAffinity) }
}

/// Upstream: plugins/volumebinding `FindPodVolumes`.
fn volumes(v: &View, node: &Node) -> Result<Picks, Unfit> {
    let bound = bound_conflict(v, node);
    match (bound, unbound(v, node)?) {
        (None, Ok(picks)) => Ok(picks),
        (bound, unbound) => Err(Unfit::Volumes(bound.into_iter().chain(unbound.err()).collect())),
    }
}

/// Of the first that is wrong.
fn bound_conflict(v: &View, node: &Node) -> Option<Conflict> {
    v.wants.iter().filter(|want| want.is_bound()).find_map(|want| match &want.volume {
        None => Some(Conflict::VolumeMissing),
        Some(volume) => (!matching::is_reachable(volume, &node.labels)).then_some(Conflict::VolumeAffinity),
    })
}

/// The outer error is a check that could not be made.
fn unbound(v: &View, node: &Node) -> Result<Result<Picks, Conflict>, Unfit> {
    let mut picks = Picks::default();
    let (mut search, mut provision) = (Vec::new(), Vec::new());
    for want in v.wants.iter().filter(|want| want.is_delayed()) {
        let Some(claim) = &want.claim else { continue };
        match claim.selected_node.as_deref() {
            Some(selected) if selected != node.meta.key.name() => return Ok(Err(Conflict::NothingToBind)),
            Some(_) => provision.push((want, claim)),
            None => search.push((want, claim)),
        }
    }
    // The smallest first, so that it does not take what only the larger could use.
    search.sort_by_key(|(_, claim)| (matching::request(claim), claim.meta.key.clone()));
    let mut taken = BTreeSet::new();
    for (want, claim) in search {
        match matching::find_on(claim, &v.volumes, &node.labels, &taken) {
            Some(volume) => {
                taken.insert(volume.meta.key.clone());
                picks.hold.push((claim.clone(), volume));
            }
            None => provision.push((want, claim)),
        }
    }
    for (want, claim) in provision {
        let class = match &want.class {
            ClassFact::Found(class) => class,
            ClassFact::Missing(name) => return Err(Unfit::ClassMissing(name.to_string())),
            ClassFact::Unset | ClassFact::Nothing => return Ok(Err(Conflict::NothingToBind)),
        };
        if matches!(&*class.provisioner, "" | "kubernetes.io/no-provisioner") || !allows(class, node) {
            return Ok(Err(Conflict::NothingToBind));
        }
        if !has_room(want, claim, node) {
            return Ok(Err(Conflict::NoSpace));
        }
        picks.select.push(claim.clone());
    }
    Ok(Ok(picks))
}

/// No terms are every node; a term without expressions is none.
fn allows(class: &Class, node: &Node) -> bool {
    class.allowed_topologies.is_empty()
        || class.allowed_topologies.iter().any(|term| {
            let holds = |one: &cluster::kinds::TopologyExpression| {
                node.labels.get(&one.key).is_some_and(|value| one.values.contains(value))
            };
            !term.match_label_expressions.is_empty() && term.match_label_expressions.iter().all(holds)
        })
}

/// Each claim is asked for alone, as upstream does: two may both find room for one.
fn has_room(want: &Want, claim: &Claim, node: &Node) -> bool {
    let (Some(rooms), Some(_)) = (&want.room, &claim.request) else { return true };
    let bytes = |quantity: Quantity| quantity.bytes().unwrap_or(Bytes::MAX);
    let wanted = bytes(matching::request(claim));
    let enough = |room: &StorageCapacity| {
        let limit = room.maximum_volume_size.as_deref().or(room.capacity.as_deref());
        limit.and_then(|text| Quantity::parse(text).ok()).is_some_and(|limit| bytes(limit) >= wanted)
    };
    let reachable = |room: &StorageCapacity| room.nodes.as_ref().is_some_and(|nodes| nodes.matches(&node.labels));
    rooms.iter().any(|room| enough(room) && reachable(room))
}

/// Labels that tell where a volume is, from before node affinity could. Upstream: plugins/volumezone.
fn zones(v: &View, node: &Node) -> Result<(), Unfit> {
    const KEYS: [&str; 4] = [
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    ];
    if !KEYS.iter().any(|key| node.labels.contains_key(*key)) {
        return Ok(());
    }
    let bound = v.wants.iter().filter(|want| !want.ephemeral).filter_map(|want| want.volume.as_ref());
    for volume in bound {
        for (key, value) in volume.labels.iter().filter(|(key, _)| KEYS.contains(&&***key)) {
            let other = match &**key {
                "failure-domain.beta.kubernetes.io/zone" => Some(KEYS[0]),
                "failure-domain.beta.kubernetes.io/region" => Some(KEYS[1]),
                _ => None,
            };
            let has = node.labels.get(key).or_else(|| node.labels.get(other?));
            // A volume in several zones names them all.
            if !has.is_some_and(|has| value.split("__").any(|zone| *zone == **has)) {
                return Err(Unfit::Zone);
            }
        }
    }
    Ok(())
}
