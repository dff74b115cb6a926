//! Reads live what caches do not keep: the claim's annotations, and its VolumeAttributesClass.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::VolumeAttributesClass;
use kube::Api;

use super::Act;
use crate::error::Error;
use crate::observe::ClaimKey;
use crate::view::{AttributesClass, ClaimView, Live};

impl Act {
    pub(super) async fn look_up(&self, key: &ClaimKey, view: &ClaimView) -> Result<(), Error> {
        let namespace = key.object.namespace().unwrap_or_default();
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), namespace);
        let failed = |attempt, object: &str| {
            let object = object.to_owned();
            move |source| Error::Api { attempt, object, source }
        };
        let claim = api.get_metadata_opt(key.object.name()).await.map_err(failed("read claim", key.object.as_str()))?;
        // Gone, or replaced: what is left in the cache will follow, and until then it has no annotations.
        let claim = claim.filter(|claim| claim.metadata.uid.as_deref() == Some(&*key.uid));
        let mut live = Live::default();
        live.annotations.extend(claim.and_then(|claim| claim.metadata.annotations).unwrap_or_default());
        if let Some(name) = view.claim.as_ref().and_then(|claim| claim.attributes_class.as_deref()) {
            let api: Api<VolumeAttributesClass> = Api::all(self.client.clone());
            let class = api.get_opt(name).await.map_err(failed("read VolumeAttributesClass", name))?;
            live.attributes = class
                .map(|class| AttributesClass { driver: class.driver_name, parameters: class.parameters.unwrap_or_default() });
        }
        self.memory.looked_up(&key.uid, live);
        Ok(())
    }
}
