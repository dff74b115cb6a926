//! Pods' actions against an API that keeps what it is given.

use std::sync::Arc;

use cluster::drive::{Controller, Pass};
use csi_types::Next;
use serde_json::json;

use super::*;
use crate::mounter::FakeMounter;
use crate::testing::{self, Api};

const CLAIM: &str = "/api/v1/namespaces/ns/persistentvolumeclaims/claim-1";
const PV: &str = "/api/v1/persistentvolumes/pv-1";
const POD: &str = "/api/v1/namespaces/ns/pods/pod-1";

struct Bench {
    api: Api,
    pods: Pods,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = Api::default();
        let agent = testing::agent(folder.path(), Arc::new(FakeMounter::default()), api.client()).await;
        let pod = testing::pod(json!({"spec": {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}],
            "containers": [{"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        }}));
        agent.state().note_pod(None, Some(&Arc::new(pod)));
        Self { api, pods: Pods(agent), _folder: folder }
    }

    async fn step(&self) -> Result<Next<PodAction, PodWhy, PodProblem>, PodError> {
        let uid = "uid-1".to_owned();
        let view = self.pods.observe(&uid, Pass { now: self.pods.0.ctx.now(), failures: 0 });
        let next = plan(&view);
        if let Next::Do(action) = &next {
            self.pods.act(&uid, &view, action).await?;
        }
        Ok(next)
    }

    fn file(&self) -> serde_json::Value {
        let file = self.pods.0.config.root.pod_volumes_file("uid-1");
        serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON")
    }
}

#[tokio::test]
async fn a_claim_that_comes_late_is_told_of_and_then_found() {
    let bench = Bench::new().await;
    let error = bench.step().await.expect_err("no claim");
    assert!(error.to_string().contains("ns/claim-1 does not exist"), "{error}");
    assert!(bench.file()["volumes"][0]["waitingFor"].as_str().is_some_and(|why| why.contains("claim-1")));

    bench.api.put(
        CLAIM,
        json!({
            "metadata": {"name": "claim-1", "namespace": "ns", "uid": "claim-uid"},
            "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"},
        }),
    );
    bench.api.put(
        PV,
        json!({
            "metadata": {"name": "pv-1"},
            "spec": {
                "volumeMode": "Filesystem", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "claimRef": {"namespace": "ns", "name": "claim-1", "uid": "claim-uid"},
                "csi": {"driver": "d", "volumeHandle": "v"},
            },
        }),
    );
    bench.step().await.expect("found");
    let state = bench.pods.0.state();
    let wants = state.pods["uid-1"].wants.as_ref().expect("looked up");
    assert_eq!(wants[0].spec.key.as_str(), "kubernetes.io/csi/d^v");
    assert!(state.pods["uid-1"].unresolved.is_empty());
}

#[tokio::test]
async fn a_deleted_pod_leaves_no_folder_and_then_the_api() {
    let bench = Bench::new().await;
    bench.step().await.expect_err("no claim");
    bench.api.put(POD, json!({"metadata": {"name": "pod-1", "uid": "uid-1"}}));
    let gone = testing::pod(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    bench.pods.0.state().note_pod(None, Some(&Arc::new(gone)));
    assert_eq!(bench.step().await.expect("a step"), Next::Do(PodAction::RemoveFolders));
    assert!(!bench.pods.0.config.root.pod("uid-1").exists());
    assert_eq!(bench.step().await.expect("a step"), Next::Do(PodAction::DeletePod));
    assert_eq!(bench.api.get(POD), None);
    assert_eq!(bench.step().await.expect("a step"), Next::Rest(PodWhy::Through), "once");
}
