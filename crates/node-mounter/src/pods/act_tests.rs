//! Pods' actions against an API that keeps what it is given.

use std::sync::Arc;

use cluster::drive::{Controller, Pass};
use csi_types::Next;
use serde_json::json;
use test_api::TestApi;

use super::*;
use crate::mounter::FakeMounter;
use crate::testing;

const POD: &str = "/api/v1/namespaces/ns/pods/pod-1";

struct Bench {
    api: TestApi,
    uid: String,
    pods: Pods,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = TestApi::start(&rt::Ctx::real()).await;
        let agent = testing::agent(folder.path(), Arc::new(FakeMounter::default()), api.client()).await;
        let spec = json!({
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}],
            "containers": [{"name": "c", "image": "none", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        });
        let made = api.create("/api/v1/namespaces/ns/pods", "pod-1", json!({"spec": spec})).await;
        let uid = made["metadata"]["uid"].as_str().expect("a uid").to_owned();
        let pod = testing::pod(json!({"metadata": {"uid": uid}, "spec": spec}));
        agent.state().note_pod(None, Some(&Arc::new(pod)));
        Self { api, uid, pods: Pods(agent), _folder: folder }
    }

    async fn step(&self) -> Result<Next<PodAction, PodWhy, PodProblem>, PodError> {
        let uid = &self.uid;
        let view = self.pods.observe(uid, Pass { now: self.pods.0.ctx.now(), failures: 0 });
        let next = plan(&view);
        if let Next::Do(action) = &next {
            self.pods.act(uid, &view, action).await?;
        }
        Ok(next)
    }

    fn file(&self) -> serde_json::Value {
        let file = self.pods.0.config.root.pod_volumes_file(&self.uid);
        serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON")
    }
}

#[tokio::test]
async fn a_claim_that_comes_late_is_told_of_and_then_found() {
    let bench = Bench::new().await;
    let error = bench.step().await.expect_err("no claim");
    assert!(error.to_string().contains("ns/claim-1 does not exist"), "{error}");
    assert!(bench.file()["volumes"][0]["waitingFor"].as_str().is_some_and(|why| why.contains("claim-1")));

    let claim = json!({
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "", "volumeName": "pv-1",
        },
        "status": {"phase": "Bound"},
    });
    let claim = bench.api.create("/api/v1/namespaces/ns/persistentvolumeclaims", "claim-1", claim).await;
    let volume = json!({"spec": {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "csi": {"driver": "d", "volumeHandle": "v"},
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "ns", "name": "claim-1", "uid": claim["metadata"]["uid"]},
    }});
    bench.api.create("/api/v1/persistentvolumes", "pv-1", volume).await;
    bench.step().await.expect("found");
    let state = bench.pods.0.state();
    let wants = state.pods[&bench.uid].wants.as_ref().expect("looked up");
    assert_eq!(wants[0].spec.key.as_str(), "kubernetes.io/csi/d^v");
    assert!(state.pods[&bench.uid].unresolved.is_empty());
}

#[tokio::test]
async fn a_deleted_pod_leaves_no_folder_and_then_the_api() {
    let bench = Bench::new().await;
    bench.step().await.expect_err("no claim");
    let gone = testing::pod(json!({"metadata": {"uid": bench.uid, "deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    bench.pods.0.state().note_pod(None, Some(&Arc::new(gone)));
    assert_eq!(bench.step().await.expect("a step"), Next::Do(PodAction::RemoveFolders));
    assert!(!bench.pods.0.config.root.pod(&bench.uid).exists());
    assert_eq!(bench.step().await.expect("a step"), Next::Do(PodAction::DeletePod));
    assert_eq!(bench.api.get(POD), None);
    assert_eq!(bench.step().await.expect("a step"), Next::Rest(PodWhy::Through), "once");
}
