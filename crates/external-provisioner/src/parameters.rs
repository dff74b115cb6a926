//! What a class's parameters mean to us, and which of them go to the driver.
//!
//! Keys under `csi.storage.k8s.io/` are instructions to us: each is known and taken out, or the class is wrong. Everything else
//! goes to the driver exactly as it is, old spellings of our own keys included. Spec: `spec/provisioner.md` chapter 3;
//! upstream: external-provisioner@0688604 `pkg/controller/controller.go`, `removePrefixedParameters` and the secret keys.

use std::collections::BTreeMap;

use csi_types::{SecretTemplate, TemplateError, TemplateScope};

use crate::view::SecretRefs;

const RESERVED: &str = "csi.storage.k8s.io/";
const FS_TYPE: &str = "csi.storage.k8s.io/fstype";

/// The keys of one kind of secret: name and namespace, now and in the old spelling (which drivers still receive).
struct Pair {
    name: &'static str,
    namespace: &'static str,
    old: Option<(&'static str, &'static str)>,
}

const fn pair(name: &'static str, namespace: &'static str) -> Pair {
    Pair { name, namespace, old: None }
}

const DEFAULT: Pair = pair("csi.storage.k8s.io/secret-name", "csi.storage.k8s.io/secret-namespace");
const PROVISIONER: Pair = Pair {
    name: "csi.storage.k8s.io/provisioner-secret-name",
    namespace: "csi.storage.k8s.io/provisioner-secret-namespace",
    old: Some(("csiProvisionerSecretName", "csiProvisionerSecretNamespace")),
};
const CONTROLLER_PUBLISH: Pair = Pair {
    name: "csi.storage.k8s.io/controller-publish-secret-name",
    namespace: "csi.storage.k8s.io/controller-publish-secret-namespace",
    old: Some(("csiControllerPublishSecretName", "csiControllerPublishSecretNamespace")),
};
const NODE_STAGE: Pair = Pair {
    name: "csi.storage.k8s.io/node-stage-secret-name",
    namespace: "csi.storage.k8s.io/node-stage-secret-namespace",
    old: Some(("csiNodeStageSecretName", "csiNodeStageSecretNamespace")),
};
const NODE_PUBLISH: Pair = Pair {
    name: "csi.storage.k8s.io/node-publish-secret-name",
    namespace: "csi.storage.k8s.io/node-publish-secret-namespace",
    old: Some(("csiNodePublishSecretName", "csiNodePublishSecretNamespace")),
};
const CONTROLLER_EXPAND: Pair =
    pair("csi.storage.k8s.io/controller-expand-secret-name", "csi.storage.k8s.io/controller-expand-secret-namespace");
const NODE_EXPAND: Pair = pair("csi.storage.k8s.io/node-expand-secret-name", "csi.storage.k8s.io/node-expand-secret-namespace");
const CONTROLLER_MODIFY: Pair =
    pair("csi.storage.k8s.io/controller-modify-secret-name", "csi.storage.k8s.io/controller-modify-secret-namespace");

const PAIRS: [&Pair; 8] = [
    &DEFAULT,
    &PROVISIONER,
    &CONTROLLER_PUBLISH,
    &NODE_STAGE,
    &NODE_PUBLISH,
    &CONTROLLER_EXPAND,
    &NODE_EXPAND,
    &CONTROLLER_MODIFY,
];

/// A class's parameters, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// For CreateVolume, exactly.
    pub driver: BTreeMap<String, String>,
    /// Empty: not given.
    pub fs_type: String,
    /// Which secrets, by template.
    pub secrets: SecretTemplates,
    /// Old spellings in use; worth a warning.
    pub deprecated: Vec<String>,
}

/// One template per kind of secret that the class names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretTemplates {
    pub provisioner: Option<SecretTemplate>,
    pub controller_publish: Option<SecretTemplate>,
    pub node_stage: Option<SecretTemplate>,
    pub node_publish: Option<SecretTemplate>,
    pub controller_expand: Option<SecretTemplate>,
    pub node_expand: Option<SecretTemplate>,
    pub controller_modify: Option<SecretTemplate>,
}

/// What is wrong with a class's parameters. The class has to be replaced; its parameters cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("parameter {key:?} is not known, and the prefix {RESERVED} is reserved")]
    UnknownReserved { key: String },
    #[error("the filesystem type is given more than once, by {keys:?}")]
    FsTypeTwice { keys: Vec<String> },
    #[error("parameter {given:?} needs {missing:?} beside it: a secret has a name and a namespace")]
    HalfSecret { given: String, missing: String },
    #[error("parameter {key:?} is empty: leave the pair out, or name a secret")]
    EmptySecret { key: String },
    #[error("parameters {old:?} and {new:?} are two spellings of the same thing: keep {new:?}")]
    OldAndNew { old: String, new: String },
}

impl Parameters {
    /// Reads them, or says what is wrong first.
    pub fn parse(class: &BTreeMap<String, String>) -> Result<Self, ParameterError> {
        let known = |key: &str| key == FS_TYPE || PAIRS.iter().any(|pair| pair.name == key || pair.namespace == key);
        if let Some(key) = class.keys().find(|key| key.starts_with(RESERVED) && !known(key)) {
            return Err(ParameterError::UnknownReserved { key: key.clone() });
        }
        let (fs_type, old_fs_type) = fs_type(class)?;
        let driver = class.iter().filter(|(key, _)| !key.starts_with(RESERVED));
        let old_secret =
            |key: &&String| PAIRS.iter().filter_map(|pair| pair.old).any(|(name, space)| *key == name || *key == space);
        Ok(Self {
            driver: driver.map(|(key, value)| (key.clone(), value.clone())).collect(),
            fs_type,
            secrets: SecretTemplates::parse(class)?,
            deprecated: old_fs_type.into_iter().chain(class.keys().filter(old_secret).cloned()).collect(),
        })
    }
}

/// The filesystem, and the key it stands under if that is an old spelling.
fn fs_type(class: &BTreeMap<String, String>) -> Result<(String, Option<String>), ParameterError> {
    let mut given = class.iter().filter(|(key, _)| *key == FS_TYPE || key.eq_ignore_ascii_case("fstype"));
    match (given.next(), given.next()) {
        (None, _) => Ok((String::new(), None)),
        (Some((key, value)), None) => Ok((value.clone(), (key != FS_TYPE).then(|| key.clone()))),
        (Some((first, _)), Some((second, _))) => {
            let keys = [first, second].into_iter().chain(given.map(|(key, _)| key)).cloned().collect();
            Err(ParameterError::FsTypeTwice { keys })
        }
    }
}

// === impl SecretTemplates ===

impl SecretTemplates {
    fn parse(class: &BTreeMap<String, String>) -> Result<Self, ParameterError> {
        // The default pair is judged only where something falls back to it, as upstream does.
        let of = |pair: &Pair| match pair.template(class)? {
            None => DEFAULT.template(class),
            given => Ok(given),
        };
        Ok(Self {
            provisioner: of(&PROVISIONER)?,
            controller_publish: of(&CONTROLLER_PUBLISH)?,
            node_stage: of(&NODE_STAGE)?,
            node_publish: of(&NODE_PUBLISH)?,
            controller_expand: of(&CONTROLLER_EXPAND)?,
            node_expand: of(&NODE_EXPAND)?,
            controller_modify: of(&CONTROLLER_MODIFY)?,
        })
    }

    fn all(&self) -> [&Option<SecretTemplate>; 7] {
        [
            &self.provisioner,
            &self.controller_publish,
            &self.node_stage,
            &self.node_publish,
            &self.controller_expand,
            &self.node_expand,
            &self.controller_modify,
        ]
    }

    /// Whether one of them is named by the claim's annotations, which caches do not keep.
    pub fn use_annotations(&self) -> bool {
        self.all().into_iter().flatten().any(SecretTemplate::uses_annotations)
    }

    /// The objects that are meant.
    pub fn resolve(&self, scope: &TemplateScope) -> Result<SecretRefs, TemplateError> {
        let one = |template: &Option<SecretTemplate>| template.as_ref().map(|template| template.resolve(scope)).transpose();
        Ok(SecretRefs {
            provisioner: one(&self.provisioner)?,
            controller_publish: one(&self.controller_publish)?,
            node_stage: one(&self.node_stage)?,
            node_publish: one(&self.node_publish)?,
            controller_expand: one(&self.controller_expand)?,
            node_expand: one(&self.node_expand)?,
            controller_modify: one(&self.controller_modify)?,
        })
    }
}

// === impl Pair ===

impl Pair {
    fn template(&self, class: &BTreeMap<String, String>) -> Result<Option<SecretTemplate>, ParameterError> {
        let (old_name, old_namespace) = self.old.unzip();
        let name = one_of(class, self.name, old_name)?;
        let namespace = one_of(class, self.namespace, old_namespace)?;
        let half =
            |given: &str, missing: &str| ParameterError::HalfSecret { given: given.to_owned(), missing: missing.to_owned() };
        match (name, namespace) {
            (None, None) => Ok(None),
            (Some((key, _)), None) => Err(half(key, self.namespace)),
            (None, Some((key, _))) => Err(half(key, self.name)),
            (Some((key, "")), _) | (_, Some((key, ""))) => Err(ParameterError::EmptySecret { key: key.to_owned() }),
            (Some((_, name)), Some((_, namespace))) => {
                Ok(Some(SecretTemplate { name: name.to_owned(), namespace: namespace.to_owned() }))
            }
        }
    }
}

/// The key in use and its value.
fn one_of<'a>(
    class: &'a BTreeMap<String, String>,
    new: &'a str,
    old: Option<&'a str>,
) -> Result<Option<(&'a str, &'a str)>, ParameterError> {
    let get = |key: &'a str| class.get(key).map(|value| (key, value.as_str()));
    match (get(new), old.and_then(get)) {
        (Some(_), Some((old, _))) => Err(ParameterError::OldAndNew { old: old.to_owned(), new: new.to_owned() }),
        (new, old) => Ok(new.or(old)),
    }
}

#[cfg(test)]
mod tests;
