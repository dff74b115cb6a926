//! Where the new volume has to be: from nodes and a class to the requirement that CreateVolume carries.
//!
//! The order and the rotation are in `csi-types`; here is which places count. Spec: `spec/provisioner.md` chapter 4; upstream:
//! external-provisioner@0688604 `GenerateAccessibilityRequirements`.

use csi_types::{NodeName, Segments, TopologyRequirement};

use crate::view::Settings;

/// What is known of nodes, for a driver that has places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The node that a waiting pod was given to.
    pub selected: Option<(NodeName, NodePlace)>,
    /// Where volumes could be at all.
    pub nodes: Places,
}

/// Where one node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodePlace {
    /// It has no CSINode: the node is gone, or never came.
    NoCsiNode,
    /// Its CSINode does not name the driver, or the driver gave it no keys.
    NoKeys,
    /// It has a CSINode but no Node.
    NoNode,
    /// The Node lacks this label, which the driver promised.
    NoLabel(String),
    /// Here.
    At(Segments),
}

/// Where all nodes are, by the keys of the selected node, or else of the first node that has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// The driver has given no node any keys.
    NoKeys,
    /// There are keys, but no node with a label for each. What the keys are.
    NoNodes(Vec<String>),
    /// One per node; the same place may come more than once.
    At(Vec<Segments>),
}

/// Why there is no requirement to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    #[error("selected node {0} has no CSINode")]
    NodeGone(NodeName),
    #[error("the driver gave no topology keys to the selected node {0}; its node plugin has to register there first")]
    NodeNotRegistered(NodeName),
    #[error("the selected node {0} does not exist")]
    NoNode(NodeName),
    #[error("the selected node {node} has no label {label:?}, which the driver's topology needs")]
    NoLabel { node: NodeName, label: String },
    #[error("the selected node {0} is in none of the class's allowedTopologies")]
    NotAllowed(NodeName),
    #[error("the selected node {0} is in none of the places where a volume may be")]
    Nowhere(NodeName),
    #[error("no node has topology keys of the driver; its node plugin has to register on one first")]
    NoKeys,
    #[error("no node has a label for each of the driver's topology keys {0:?}")]
    NoPlaces(Vec<String>),
}

impl Topology {
    /// What to ask of the driver; `None`: nothing. `allowed` is the class's `allowedTopologies`, flattened, if it has any.
    pub fn requirement(
        &self,
        allowed: Option<&[Segments]>,
        settings: &Settings,
        claim_name: &str,
    ) -> Result<Option<TopologyRequirement>, PlacementError> {
        let Some((node, place)) = &self.selected else {
            return match (allowed, settings.immediate_topology) {
                (Some(allowed), _) => Ok(TopologyRequirement::spread(allowed.to_vec(), claim_name)),
                (None, false) => Ok(None),
                (None, true) => Ok(TopologyRequirement::spread(self.nodes.all()?, claim_name)),
            };
        };
        let here = place.segments(node)?;
        if settings.strict_topology {
            if allowed.is_some_and(|allowed| !allowed.iter().any(|place| place.is_subset_of(here))) {
                return Err(PlacementError::NotAllowed(node.clone()));
            }
            return Ok(Some(TopologyRequirement::only(here.clone())));
        }
        let places = match allowed {
            Some(allowed) => allowed.to_vec(),
            None => self.nodes.all()?,
        };
        if places.is_empty() {
            return Ok(None);
        }
        TopologyRequirement::around(places, here).map(Some).ok_or_else(|| PlacementError::Nowhere(node.clone()))
    }

    /// Whether [`Topology::nodes`] will be looked at: gathering it walks every node.
    pub fn needs_all_nodes(selected: bool, allowed: Option<&[Segments]>, settings: &Settings) -> bool {
        allowed.is_none() && if selected { !settings.strict_topology } else { settings.immediate_topology }
    }
}

impl NodePlace {
    fn segments(&self, node: &NodeName) -> Result<&Segments, PlacementError> {
        match self {
            NodePlace::NoCsiNode => Err(PlacementError::NodeGone(node.clone())),
            NodePlace::NoKeys => Err(PlacementError::NodeNotRegistered(node.clone())),
            NodePlace::NoNode => Err(PlacementError::NoNode(node.clone())),
            NodePlace::NoLabel(label) => Err(PlacementError::NoLabel { node: node.clone(), label: label.clone() }),
            NodePlace::At(here) => Ok(here),
        }
    }
}

impl Places {
    fn all(&self) -> Result<Vec<Segments>, PlacementError> {
        match self {
            Places::NoKeys => Err(PlacementError::NoKeys),
            Places::NoNodes(keys) => Err(PlacementError::NoPlaces(keys.clone())),
            Places::At(places) => Ok(places.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
