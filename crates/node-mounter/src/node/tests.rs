//! The Node's passes against an API that keeps what it is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csi_types::{NodeInfo, Segments};
use serde_json::{Value, json};
use test_api::TestApi;

use super::*;
use crate::journal::{Corrupt, Identity, Record, SetAside, Stage};
use crate::mounter::FakeMounter;
use crate::state::Registered;
use crate::testing;

const NODE: &str = "/api/v1/nodes/node-1";
const CSI_NODE: &str = "/apis/storage.k8s.io/v1/csinodes/node-1";

struct Bench {
    api: TestApi,
    agent: Agent,
    keeper: Keeper,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = TestApi::start(&rt::Ctx::real()).await;
        let agent = testing::agent(folder.path(), Arc::new(FakeMounter::default()), api.client()).await;
        let host = Host { hostname: "h".into(), cpus: 2, memory_kib: 1024, ..Host::default() };
        Self { keeper: Keeper::new(agent.clone(), host), api, agent, _folder: folder }
    }

    fn node(&self) -> Value {
        self.api.get(NODE).expect("a Node")
    }

    fn register(&self, id: &str) {
        let info = NodeInfo {
            node_id: id.into(),
            max_volumes_per_node: 0,
            accessible_topology: Segments(BTreeMap::from([("zone".to_owned(), "a".to_owned())])),
        };
        let driver = self.agent.connect.connect(Path::new("/nowhere"));
        self.agent.state().drivers.insert("d".into(), Registered { driver, socket: PathBuf::new(), info });
    }

    fn hold(&self, handle: &str) -> VolumeKey {
        let key = VolumeKey::of(&"d".into(), &handle.into());
        let record = Record {
            driver: "d".into(),
            handle: handle.into(),
            mode: csi_types::VolumeMode::Filesystem,
            inline: false,
            attachable: true,
            spec_name: "pv-1".into(),
            stage: Stage::Yes,
            staging_path: "/s".into(),
            publishes: Vec::new(),
        };
        self.agent.state().records.insert(key.clone(), record);
        key
    }
}

#[tokio::test]
async fn a_node_is_made_ready_and_its_driver_is_written_down() {
    let bench = Bench::new().await;
    bench.register("id-1");
    bench.keeper.sync().await.expect("a pass");
    let node = bench.node();
    assert_eq!(node["metadata"]["annotations"]["volumes.kubernetes.io/controller-managed-attach-detach"], "true");
    assert_eq!(node["metadata"]["annotations"]["csi.volume.kubernetes.io/nodeid"], r#"{"d":"id-1"}"#);
    assert_eq!(node["metadata"]["labels"]["zone"], "a");
    assert_eq!(node["metadata"]["labels"]["kubernetes.io/hostname"], "node-1");
    assert_eq!(node["status"]["allocatable"]["pods"], "110");
    let conditions = node["status"]["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True"));
    let csi_node = bench.api.get(CSI_NODE).expect("a CSINode");
    assert_eq!(csi_node["spec"]["drivers"], json!([{"name": "d", "nodeID": "id-1", "topologyKeys": ["zone"]}]));
    assert_eq!(csi_node["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"]);
}

#[tokio::test]
async fn a_node_that_was_made_again_gets_everything_again() {
    let bench = Bench::new().await;
    bench.register("id-1");
    bench.keeper.sync().await.expect("a pass");
    let before = bench.node()["metadata"]["uid"].clone();
    bench.api.remove(NODE).await;
    bench.keeper.sync().await.expect("a pass");
    let node = bench.node();
    assert_ne!(node["metadata"]["uid"], before);
    assert_eq!(node["metadata"]["labels"]["zone"], "a");
    let csi_node = bench.api.get(CSI_NODE).expect("a CSINode");
    assert_eq!(csi_node["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"]);
    assert_eq!(csi_node["spec"]["drivers"][0]["name"], "d");
}

#[tokio::test]
async fn a_driver_that_went_leaves_no_entry() {
    let bench = Bench::new().await;
    bench.register("id-1");
    bench.keeper.sync().await.expect("a pass");
    bench.agent.state().drivers.clear();
    bench.agent.state().dropped.insert("d".into());
    bench.keeper.sync().await.expect("a pass");
    assert!(bench.api.get(CSI_NODE).expect("a CSINode")["spec"]["drivers"].is_null(), "as the API shows an empty list");
    assert_eq!(bench.node()["metadata"]["annotations"].get("csi.volume.kubernetes.io/nodeid"), None);
    assert!(bench.agent.state().dropped.is_empty(), "said once");
}

#[tokio::test]
async fn what_is_held_is_in_use_until_it_is_crossed_out() {
    let bench = Bench::new().await;
    let key = bench.hold("v");
    bench.keeper.sync().await.expect("a pass");
    assert_eq!(bench.node()["status"]["volumesInUse"], json!([key.as_str()]));
    assert!(bench.agent.state().node.reported.contains(&key));
    bench.agent.cross_out(&key).await.expect("crossed out");
    bench.keeper.sync().await.expect("a pass");
    assert!(bench.node()["status"]["volumesInUse"].as_array().is_none_or(Vec::is_empty));
    assert!(bench.agent.state().node.reported.is_empty());
}

#[tokio::test]
async fn a_volume_whose_record_is_lost_stays_in_use() {
    let bench = Bench::new().await;
    let lost = bench.hold("v");
    bench.keeper.sync().await.expect("a pass");
    let hash = crate::paths::sha256_hex([lost.as_str()]);
    {
        let mut state = bench.agent.state();
        state.records.clear();
        state.held.push(lost_record(Identity::Hash(hash)));
    }
    bench.keeper.sync().await.expect("a pass");
    assert_eq!(bench.node()["status"]["volumesInUse"], json!([lost.as_str()]));
}

fn lost_record(identity: Identity) -> SetAside {
    SetAside { file: "/lost".into(), identity: Some(identity), problem: Corrupt::SetAsideBefore }
}

#[tokio::test]
async fn what_the_controllers_wrote_is_read_after_our_own_report() {
    let bench = Bench::new().await;
    let key = bench.hold("v");
    bench.keeper.sync().await.expect("a pass");
    assert!(!bench.agent.state().node.attached.contains(&key));
    let wrote = bench.api.edit(NODE, |node| {
        node["status"]["volumesAttached"] = json!([{"name": key.as_str(), "devicePath": ""}]);
        node["spec"]["taints"] = json!([{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]);
    });
    wrote.await;
    bench.keeper.sync().await.expect("a pass");
    let state = bench.agent.state();
    assert!(state.node.attached.contains(&key) && state.node.out_of_service);
}
