//! `volume_context` of NodePublishVolume: the volume's attributes, and what the driver asked to be told of the pod.

use std::collections::BTreeMap;

use cluster::kinds::{CsiDriver, Pod};
use csi_types::VolumeMode;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::agent::Agent;
use crate::error::Error;
use crate::spec::Spec;

/// A driver without a CSIDriver has persistent volumes only.
pub(super) fn lifecycle_allowed(rules: Option<&CsiDriver>, spec: &Spec) -> Result<(), Error> {
    let refuse = |mode| Err(Error::LifecycleMode { driver: spec.driver.clone(), mode });
    match (rules, spec.inline) {
        (None, true) => refuse("Ephemeral"),
        (Some(rules), true) if !rules.ephemeral => refuse("Ephemeral"),
        (Some(rules), false) if !rules.persistent && spec.mode == VolumeMode::Filesystem => refuse("Persistent"),
        _ => Ok(()),
    }
}

/// A copy: what is said of this pod must not reach another one's call.
pub(super) async fn volume_context(
    agent: &Agent,
    rules: Option<&CsiDriver>,
    pod: &Pod,
    spec: &Spec,
) -> Result<BTreeMap<String, String>, Error> {
    let mut context = spec.attributes.clone();
    let Some(rules) = rules.filter(|_| spec.mode == VolumeMode::Filesystem) else { return Ok(context) };
    if rules.pod_info_on_mount {
        context.extend(pod_info(pod, spec.inline));
    }
    if !rules.token_requests.is_empty() {
        context.insert("csi.storage.k8s.io/serviceAccount.tokens".to_owned(), tokens(agent, rules, pod).await?);
    }
    Ok(context)
}

fn pod_info(pod: &Pod, inline: bool) -> [(String, String); 5] {
    [
        ("pod.name", pod.meta.key.name().to_owned()),
        ("pod.namespace", pod.meta.key.namespace().unwrap_or_default().to_owned()),
        ("pod.uid", pod.meta.uid.to_string()),
        ("serviceAccount.name", pod.service_account.to_string()),
        ("ephemeral", inline.to_string()),
    ]
    .map(|(key, value)| (format!("csi.storage.k8s.io/{key}"), value))
}

/// `{audience: {token, expirationTimestamp}}`, bound to the pod, so that they end with it.
async fn tokens(agent: &Agent, rules: &CsiDriver, pod: &Pod) -> Result<String, Error> {
    let namespace = pod.meta.key.namespace().unwrap_or_default();
    let accounts: Api<ServiceAccount> = Api::namespaced(agent.client.clone(), namespace);
    let account = &*pod.service_account;
    let mut tokens = serde_json::Map::new();
    for request in &rules.token_requests {
        let audiences: Vec<&str> = [&*request.audience].into_iter().filter(|audience| !audience.is_empty()).collect();
        let bound_to = json!({"apiVersion": "v1", "kind": "Pod", "name": pod.meta.key.name(), "uid": pod.meta.uid});
        let spec = json!({"audiences": audiences, "expirationSeconds": request.expiration_seconds, "boundObjectRef": bound_to});
        let doing = || format!("request a token for ServiceAccount {namespace}/{account}");
        let asked: TokenRequest = serde_json::from_value(json!({"metadata": {}, "spec": spec}))
            .map_err(|error| Error::api(doing())(kube::Error::SerdeError(error)))?;
        let answer = accounts.create_token_request(account, &PostParams::default(), &asked).await.map_err(Error::api(doing()))?;
        let status = answer.status.unwrap_or_default();
        let token = json!({"token": status.token, "expirationTimestamp": status.expiration_timestamp});
        tokens.insert(request.audience.to_string(), token);
    }
    Ok(serde_json::Value::Object(tokens).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::used;
    use crate::testing::{csi_driver, pod};

    fn inline() -> (Pod, Spec) {
        let pod = pod(json!({"spec": {
            "volumes": [{"name": "tmp", "csi": {"driver": "d.example.com"}}],
            "containers": [{"name": "c", "volumeMounts": [{"name": "tmp", "mountPath": "/t"}]}],
        }}));
        let spec = crate::spec::of_inline(&pod, &used(&pod)[0]).expect("inline").expect("resolved");
        (pod, spec)
    }

    #[test]
    fn an_inline_volume_needs_a_csi_driver_that_lists_ephemeral() {
        let (_, spec) = inline();
        assert!(lifecycle_allowed(None, &spec).is_err());
        assert!(lifecycle_allowed(Some(&csi_driver(json!({}))), &spec).is_err());
        assert!(lifecycle_allowed(Some(&csi_driver(json!({"volumeLifecycleModes": ["Ephemeral"]}))), &spec).is_ok());
        let persistent = Spec { inline: false, ..spec };
        assert!(lifecycle_allowed(None, &persistent).is_ok());
        assert!(lifecycle_allowed(Some(&csi_driver(json!({"volumeLifecycleModes": ["Ephemeral"]}))), &persistent).is_err());
    }

    #[test]
    fn a_driver_is_told_all_five_things_about_the_pod() {
        let (pod, _) = inline();
        let info = BTreeMap::from(pod_info(&pod, true));
        let expected = [
            ("csi.storage.k8s.io/ephemeral", "true"),
            ("csi.storage.k8s.io/pod.name", "pod-1"),
            ("csi.storage.k8s.io/pod.namespace", "ns"),
            ("csi.storage.k8s.io/pod.uid", "uid-1"),
            ("csi.storage.k8s.io/serviceAccount.name", "default"),
        ];
        assert_eq!(info, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }
}
