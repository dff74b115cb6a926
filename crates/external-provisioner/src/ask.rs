//! From a claim and its class to what is asked of the driver: complete but for the values of secrets.
//!
//! Every reason not to ask is found here, before anything is sent. Spec: `spec/provisioner.md` 2.5 and 2.6; upstream:
//! external-provisioner@0688604 `prepareProvision`. What upstream calls final or not makes no difference here: refusing to ask
//! never forgets a call that may still run, and every refusal is tried again.

use std::collections::BTreeMap;

use csi_types::{
    AccessMode, AccessType, Bytes, ControllerCapability, CreateVolumeRequest, CsiAccessMode, NodeName, PluginCapability,
    Quantity, Secret, TemplateScope, TopologyRequirement, VolumeCapability, VolumeMode, VolumeName,
};
use rt::rules::{Rule, on};

use crate::parameters::Parameters;
use crate::placement::PlacementError;
use crate::plan::claim::Problem;
use crate::view::{Claim, ClaimView, Class, Reclaim, SecretRefs};

/// The keys that `--extra-create-metadata` adds.
const PVC_NAME: &str = "csi.storage.k8s.io/pvc/name";
const PVC_NAMESPACE: &str = "csi.storage.k8s.io/pvc/namespace";
const PV_NAME: &str = "csi.storage.k8s.io/pv/name";

/// A volume to be made, and the PersistentVolume that will name it. While a call may be under way, it is repeated from this
/// very value, whatever became of claim, class and nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub name: VolumeName,
    pub claim_namespace: String,
    pub claim_name: String,
    pub claim_uid: String,
    /// Zero: not known.
    pub claim_version: u64,
    pub class: String,
    pub class_uid: String,
    /// Where the waiting pod is to run.
    pub selected_node: Option<NodeName>,
    pub required: Bytes,
    pub capabilities: Vec<VolumeCapability>,
    pub parameters: BTreeMap<String, String>,
    pub mutable_parameters: BTreeMap<String, String>,
    pub accessibility: Option<TopologyRequirement>,
    pub secrets: SecretRefs,
    pub access_modes: Vec<AccessMode>,
    pub volume_mode: Option<VolumeMode>,
    /// Empty: the driver chooses, or the volume is a raw device.
    pub fs_type: String,
    pub mount_options: Vec<String>,
    pub reclaim: Option<Reclaim>,
    pub read_only: bool,
    /// Whether the answer's topology binds the volume to nodes.
    pub placed: bool,
    pub attributes_class: Option<String>,
    /// Keys of the class in old spellings.
    pub deprecated: Vec<String>,
}

/// Why there is no [`Ask`] yet.
pub(crate) enum Halt {
    /// Caches do not have what the class wants to know.
    LookUp,
    Refuse(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Refuse(problem)
    }
}

impl Ask {
    /// What to ask for, or why not.
    pub(crate) fn build(v: &ClaimView, claim: &Claim, class: &Class) -> Result<Self, Halt> {
        let placed = v.topology.is_some();
        capable(v, claim)?;
        if claim.selector {
            return Err(Problem::Selector.into());
        }
        let required = required(claim)?;
        let name = match on(Rule::OneNamePerClaim) {
            true => v.settings.volume_name(&claim.uid),
            false => format!("{}-{}", v.settings.volume_name(&claim.uid), claim.version).into(),
        };
        let wrong = |source| Problem::Parameters { class: class.name.clone(), source };
        let parameters = Parameters::parse(&class.parameters).map_err(wrong)?;
        let fs_type = match claim.volume_mode {
            Some(VolumeMode::Block) => String::new(),
            _ if parameters.fs_type.is_empty() => v.settings.default_fs_type.clone(),
            _ => parameters.fs_type,
        };
        let capabilities = capabilities(v, claim, class, &fs_type)?;
        let accessibility = match &v.topology {
            None => None,
            Some(topology) => {
                topology.requirement(class.allowed.as_deref(), &v.settings, &claim.name).map_err(Problem::Placement)?
            }
        };

        let attributes_class = claim.attributes_class.clone().filter(|_| v.settings.attributes_classes);
        let live = match &v.recall.live {
            Some(live) => live.clone(),
            None if attributes_class.is_some() || parameters.secrets.use_annotations() => return Err(Halt::LookUp),
            None => Default::default(),
        };
        let scope = TemplateScope::volume(name.as_str(), &claim.namespace, &claim.name, &live.annotations);
        let unresolved = |source| Problem::SecretTemplate { class: class.name.clone(), source };
        let secrets = parameters.secrets.resolve(&scope).map_err(unresolved)?;
        let mutable_parameters = match (&attributes_class, &live.attributes) {
            (None, _) => BTreeMap::new(),
            (Some(name), None) => return Err(Problem::NoAttributesClass(name.clone()).into()),
            (Some(name), Some(attributes)) if attributes.driver != v.driver.name.as_str() => {
                let (name, of, driver) = (name.clone(), attributes.driver.clone(), v.driver.name.clone());
                return Err(Problem::AttributesClassOfAnother { name, of, driver }.into());
            }
            (Some(_), Some(attributes)) => attributes.parameters.clone(),
        };

        let mut for_driver = parameters.driver;
        if v.settings.extra_create_metadata {
            for_driver.insert(PVC_NAME.to_owned(), claim.name.clone());
            for_driver.insert(PVC_NAMESPACE.to_owned(), claim.namespace.clone());
            for_driver.insert(PV_NAME.to_owned(), name.to_string());
        }
        let reads_only = matches!(&*capabilities, [only] if only.access_mode == CsiAccessMode::MultiNodeReaderOnly);
        Ok(Self {
            name,
            claim_namespace: claim.namespace.clone(),
            claim_name: claim.name.clone(),
            claim_uid: claim.uid.clone(),
            claim_version: claim.version,
            class: class.name.clone(),
            class_uid: class.uid.clone(),
            selected_node: claim.selected_node.clone(),
            required,
            capabilities,
            parameters: for_driver,
            mutable_parameters,
            accessibility,
            secrets,
            access_modes: claim.access_modes.clone(),
            volume_mode: claim.volume_mode,
            fs_type,
            mount_options: class.mount_options.clone(),
            reclaim: class.reclaim,
            read_only: v.settings.publish_readonly && reads_only,
            placed,
            attributes_class,
            deprecated: parameters.deprecated,
        })
    }

    /// The call.
    pub fn request(&self, secrets: Secret) -> CreateVolumeRequest {
        CreateVolumeRequest {
            name: self.name.clone(),
            required: self.required,
            capabilities: self.capabilities.clone(),
            parameters: self.parameters.clone(),
            mutable_parameters: self.mutable_parameters.clone(),
            secrets,
            accessibility: self.accessibility.clone(),
            source: None,
        }
    }
}

/// What the driver has to be able to do.
fn capable(v: &ClaimView, claim: &Claim) -> Result<(), Problem> {
    let lacks = |capability| Problem::DriverLacks { driver: v.driver.name.clone(), capability };
    if !v.driver.has(PluginCapability::ControllerService) {
        return Err(lacks("CONTROLLER_SERVICE"));
    }
    if !v.driver.can(ControllerCapability::CreateDeleteVolume) {
        return Err(lacks("CREATE_DELETE_VOLUME"));
    }
    let modifies = claim.attributes_class.is_some() && v.settings.attributes_classes;
    if modifies && !v.driver.can(ControllerCapability::ModifyVolume) {
        return Err(lacks("MODIFY_VOLUME, which its volumeAttributesClassName needs"));
    }
    Ok(())
}

fn required(claim: &Claim) -> Result<Bytes, Problem> {
    if claim.request.is_empty() {
        return Ok(Bytes(0));
    }
    Quantity::parse(&claim.request).and_then(Quantity::bytes).map_err(Problem::Request)
}

/// One per access mode: upstream merges none, and drivers answer for each.
fn capabilities(v: &ClaimView, claim: &Claim, class: &Class, fs_type: &str) -> Result<Vec<VolumeCapability>, Problem> {
    if let Some(mode) = claim.unknown_access_modes.first() {
        return Err(Problem::UnknownAccessMode(mode.clone()));
    }
    if claim.access_modes.is_empty() {
        return Err(Problem::NoAccessMode);
    }
    let access_type = match claim.volume_mode {
        Some(VolumeMode::Block) => AccessType::Block,
        _ => AccessType::Mount {
            fs_type: fs_type.to_owned(),
            mount_flags: class.mount_options.clone(),
            volume_mount_group: String::new(),
        },
    };
    let multi_writer = v.driver.can(ControllerCapability::SingleNodeMultiWriter);
    let of = |mode: &AccessMode| VolumeCapability { access_type: access_type.clone(), access_mode: mode.to_csi(multi_writer) };
    Ok(claim.access_modes.iter().map(of).collect())
}

impl Problem {
    /// The node, if the reason is that it is gone.
    pub(crate) fn gone_node(&self) -> Option<&NodeName> {
        match self {
            Problem::Placement(PlacementError::NodeGone(node)) => Some(node),
            _ => None,
        }
    }
}
