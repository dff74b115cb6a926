//! What there is of one round: in the API, in the driver, in the mount table. And what is amiss with it.

use anyhow::Result;
use fake_driver::Volume;
use harness::{Kind, Mount, mounts, objects};
use serde_json::Value;

use crate::plan::Part;
use crate::stage::{CLAIM, POD, Stage};

/// One look at everything.
#[derive(Debug)]
pub(crate) struct Facts {
    part: Part,
    node: String,
    /// What the Node says is in use.
    reported: Vec<Value>,
    pub(crate) claim: Option<Value>,
    pub(crate) pod: Option<Value>,
    pub(crate) pvs: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) volumes: Vec<Volume>,
    /// Beneath the folders of pods.
    pub(crate) mounts: Vec<Mount>,
}

/// A state of rest that the user waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// One claim, one PV, one volume.
    Bound,
    /// And attached to the one node.
    Attached,
    /// And mounted for the one pod.
    Mounted,
    /// As [`Goal::Bound`], and nothing of the attachment or the mount is left.
    Detached,
    /// Nothing at all.
    Nothing,
}

/// How a round can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// Two where there may be one, or taken away from under who uses it.
    Double,
    /// The backend has something that no object names.
    Leaked,
    /// It never comes to rest.
    Stuck,
}

impl Goal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bound => "one claim, one PV, one volume",
            Self::Attached => "attached to one node",
            Self::Mounted => "mounted once",
            Self::Detached => "detached, nothing mounted",
            Self::Nothing => "nothing left",
        }
    }
}

impl Facts {
    pub(crate) async fn gather(stage: &Stage<'_>) -> Result<Self> {
        let (api, part) = (stage.api(), stage.plan.part());
        let staged_before = in_use(&stage.driver.volumes());
        let claim = api.find(Kind::PersistentVolumeClaim, &stage.name, CLAIM).await?;
        let all = api.list(Kind::PersistentVolume, "").await?;
        let pvs: Vec<Value> = all.into_iter().filter(|pv| pv["spec"]["csi"]["driver"] == stage.driver_name()).collect();
        let (mut attachments, mut pod, mut node) = (Vec::new(), None, None);
        if part != Part::Provisioner {
            attachments = api.list(Kind::VolumeAttachment, "").await?;
            attachments.retain(|attachment| attachment["spec"]["attacher"] == stage.driver_name());
        }
        if part == Part::Mounter {
            pod = api.find(Kind::Pod, &stage.name, POD).await?;
            node = api.find(Kind::Node, "", &stage.name).await?;
        }
        let volumes = stage.driver.volumes();
        let mut reported = Vec::new();
        if let Some(node) = node {
            reported.extend(node["status"]["volumesInUse"].as_array().cloned().unwrap_or_default());
            // In use before we asked and after, so in use when the Node was read.
            let still = in_use(&volumes);
            for id in staged_before.iter().filter(|id| still.contains(id)) {
                let key = format!("kubernetes.io/csi/{}^{id}", stage.driver_name());
                if !reported.contains(&Value::from(key)) {
                    stage.witness.complain(Wrong::Double, "the volume was on the node and not in its volumesInUse".to_owned());
                }
            }
        }
        let mounts = mounts(&stage.node_root().join("pods"))?;
        Ok(Self { part, node: stage.name.clone(), reported, claim, pod, pvs, attachments, volumes, mounts })
    }

    /// What is not yet as it must be; empty: the goal is reached.
    pub(crate) fn missing(&self, goal: Goal) -> Vec<String> {
        let mut missing = Vec::new();
        let mut must = |yes: bool, what: &str| {
            if !yes {
                missing.push(what.to_owned());
            }
        };
        if goal == Goal::Nothing {
            must(self.claim.is_none(), "the claim gone");
            must(self.pod.is_none(), "the pod gone");
            must(self.pvs.is_empty(), "no PersistentVolume");
            must(self.attachments.is_empty(), "no VolumeAttachment");
            must(self.volumes.is_empty(), "no volume in the driver");
            must(self.mounts.is_empty(), "no mount");
            return missing;
        }
        let claim = self.claim.as_ref().map_or("gone", |claim| claim["status"]["phase"].as_str().unwrap_or("without a phase"));
        must(claim == "Bound", "the claim Bound");
        must(self.pvs.len() == 1 && self.volumes.len() == 1, "one PersistentVolume and one volume");
        must(
            self.pvs.iter().all(|pv| self.volumes.iter().any(|v| pv["spec"]["csi"]["volumeHandle"] == v.id)),
            "a PV that names it",
        );
        let on = |volume: &Volume| volume.published.len() == 1 && volume.published.contains_key(&self.node);
        let attached = |attachment: &Value| attachment["status"]["attached"] == true;
        match goal {
            Goal::Bound | Goal::Nothing => {}
            Goal::Attached | Goal::Mounted => {
                must(self.attachments.len() == 1 && self.attachments.iter().all(attached), "one VolumeAttachment, attached");
                must(self.volumes.iter().all(on), "the volume attached to the node in the driver");
            }
            Goal::Detached => {
                must(self.attachments.is_empty(), "no VolumeAttachment");
                must(self.volumes.iter().all(|v| v.published.is_empty()), "the volume attached nowhere in the driver");
                must(self.pod.is_none(), "the pod gone");
            }
        }
        if self.part == Part::Mounter && goal != Goal::Bound {
            let count = usize::from(goal == Goal::Mounted);
            must(self.volumes.iter().all(|v| v.staged.len() == count), "the volume staged as often as it is needed");
            must(self.volumes.iter().all(|v| v.targets.len() == count), "the volume published as often as it is needed");
            must(self.mounts.len() == count, "as many mounts as pods");
        }
        missing
    }

    /// What it means that it stays like this.
    pub(crate) fn verdict(&self) -> Wrong {
        let named = |v: &Volume| self.pvs.iter().filter(|pv| pv["spec"]["csi"]["volumeHandle"] == v.id).count();
        let attachment = |node: &String| self.attachments.iter().any(|attachment| attachment["spec"]["nodeName"] == *node);
        let double =
            self.volumes.len() > 1 || self.volumes.iter().any(|v| v.published.len() > 1 || named(v) > 1) || self.mounts.len() > 1;
        // While its claim is there, somebody still tries.
        let unnamed = self.claim.is_none() && self.volumes.iter().any(|v| named(v) == 0);
        let unattached = self.part != Part::Provisioner && self.volumes.iter().any(|v| !v.published.keys().all(attachment));
        let on_node = !self.mounts.is_empty() || !in_use(&self.volumes).is_empty();
        match () {
            () if double => Wrong::Double,
            () if unnamed || unattached || on_node && self.pod.is_none() => Wrong::Leaked,
            () => Wrong::Stuck,
        }
    }

    /// Whether the API has nothing of it any more, so that nobody who reads only the API can still mend anything.
    pub(crate) fn forgotten(&self) -> bool {
        self.claim.is_none() && self.pod.is_none() && self.pvs.is_empty() && self.attachments.is_empty()
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let state = |object: &Value| {
            let going = if object["metadata"]["deletionTimestamp"].is_null() { "" } else { ", being deleted" };
            format!(
                "{}{going}, finalizers {}, status {}",
                objects::name(object),
                object["metadata"]["finalizers"],
                object["status"]
            )
        };
        let mut lines = Vec::new();
        lines.extend(self.claim.iter().map(|claim| format!("claim {}", state(claim))));
        lines.extend(self.pod.iter().map(|pod| format!("pod {}", objects::name(pod))));
        lines.extend(
            self.pvs.iter().map(|pv| format!("PersistentVolume {}, handle {}", state(pv), pv["spec"]["csi"]["volumeHandle"])),
        );
        lines.extend(self.attachments.iter().map(|attachment| format!("VolumeAttachment {}", state(attachment))));
        lines.extend(self.volumes.iter().map(|v| {
            let nodes: Vec<_> = v.published.keys().collect();
            format!(
                "in the driver: volume {} ({}), attached to {nodes:?}, staged {:?}, published {:?}",
                v.id, v.name, v.staged, v.targets
            )
        }));
        lines.extend(self.mounts.iter().map(|mount| format!("mount {}", mount.point.display())));
        lines.extend(self.reported.iter().map(|name| format!("in use, as the Node says: {name}")));
        if lines.is_empty() {
            lines.push("nothing".to_owned());
        }
        lines
    }
}

/// The volumes that are staged or published, by id.
fn in_use(volumes: &[Volume]) -> Vec<String> {
    volumes.iter().filter(|v| !v.staged.is_empty() || !v.targets.is_empty()).map(|v| v.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(part: Part) -> Facts {
        let pv = json!({"metadata": {"name": "pv"}, "spec": {"csi": {"volumeHandle": "v"}}});
        Facts {
            part,
            node: "n".to_owned(),
            reported: Vec::new(),
            claim: Some(json!({"status": {"phase": "Bound"}})),
            pod: None,
            pvs: vec![pv],
            attachments: Vec::new(),
            volumes: vec![Volume { id: "v".to_owned(), ..Volume::default() }],
            mounts: Vec::new(),
        }
    }

    fn attached(volume: &mut Volume, node: &str) {
        let usage =
            serde_json::from_value(json!({"mode": "", "block": false, "fs_type": "", "mount_flags": [], "mount_group": ""}));
        let published = fake_driver::world::Published { readonly: false, usage: usage.expect("usage") };
        volume.published.insert(node.to_owned(), published);
    }

    #[test]
    fn one_claim_one_pv_one_volume_is_what_bound_means_and_not_nothing() {
        let facts = facts(Part::Provisioner);
        assert!(facts.missing(Goal::Bound).is_empty() && facts.missing(Goal::Detached).is_empty());
        assert!(!facts.missing(Goal::Nothing).is_empty());
        let nothing = Facts { claim: None, pvs: Vec::new(), volumes: Vec::new(), ..facts };
        assert!(nothing.missing(Goal::Nothing).is_empty() && !nothing.missing(Goal::Bound).is_empty());
    }

    #[test]
    fn a_volume_that_nothing_names_is_leaked_once_its_claim_is_gone() {
        let pending = Facts { pvs: Vec::new(), ..facts(Part::Provisioner) };
        assert_eq!(pending.verdict(), Wrong::Stuck, "somebody still tries");
        assert_eq!(Facts { claim: None, ..pending }.verdict(), Wrong::Leaked);
        let released = Facts { claim: None, ..facts(Part::Provisioner) };
        assert_eq!(released.verdict(), Wrong::Stuck, "its PV is there");
    }

    #[test]
    fn what_is_attached_without_an_attachment_is_leaked_and_on_two_nodes_double() {
        let mut facts = facts(Part::Attacher);
        attached(&mut facts.volumes[0], "n");
        assert_eq!(facts.verdict(), Wrong::Leaked);
        facts.attachments = vec![json!({"spec": {"nodeName": "n"}, "status": {"attached": true}})];
        assert!(facts.missing(Goal::Attached).is_empty());
        assert_eq!(facts.verdict(), Wrong::Stuck);
        attached(&mut facts.volumes[0], "other");
        assert_eq!(facts.verdict(), Wrong::Double);
    }

    #[test]
    fn two_volumes_and_two_pvs_of_one_are_double() {
        let mut volumes = facts(Part::Provisioner);
        volumes.volumes.push(Volume { id: "w".to_owned(), ..Volume::default() });
        let mut pvs = facts(Part::Provisioner);
        pvs.pvs.push(pvs.pvs[0].clone());
        assert_eq!([volumes.verdict(), pvs.verdict()], [Wrong::Double; 2]);
    }
}
