//! Acts against a driver on a socket, with mounts in memory and a real folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use csi_types::{NodeInfo, Segments, VolumeMode};
use fake_driver::{FakeDriver, Fault, NodeCap, Rpc as Call, Rule, Script, When};
use serde_json::{Value, json};
use test_api::TestApi;

use super::*;
use crate::journal::{Corrupt, Identity, Record, SetAside, Stage};
use crate::mounter::{FakeMounter, Mounter};
use crate::observe::observe;
use crate::plan::{Why, plan};
use crate::pod::used;
use crate::recover::recover;
use crate::spec::of_volume;
use crate::state::{PodEntry, Registered, Wanted};
use crate::testing;
use cluster::chain;

/// A pod that wants a volume, and a node to bring it to.
struct Bench {
    agent: Agent,
    driver: FakeDriver,
    mounter: Arc<FakeMounter>,
    spec: Arc<Spec>,
    folder: tempfile::TempDir,
}

#[derive(Default)]
struct Setting {
    pv: Value,
    pod: Value,
    csi_driver: Option<Value>,
    objects: BTreeMap<&'static str, Value>,
    caps: Option<Vec<NodeCap>>,
    script: Script,
}

const NAME: &str = "d.example.com";

impl Bench {
    async fn new(setting: Setting) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("csi.sock");
        let builder = FakeDriver::builder(NAME).any_volume(true).script(setting.script);
        let builder = builder.node_caps(setting.caps.unwrap_or_else(|| vec![NodeCap::StageUnstageVolume]));
        let driver = builder.controller_caps([]).start(&socket).await.expect("a driver");
        let mounter = Arc::new(FakeMounter::default());
        let api = TestApi::start(&rt::Ctx::real()).await;
        for (path, object) in setting.objects {
            let (collection, name) = path.rsplit_once('/').expect("a path");
            api.create(collection, name, object).await;
        }
        let agent = testing::agent(folder.path(), mounter.clone(), api.client()).await;
        let rules = setting.csi_driver.unwrap_or_else(|| json!({"attachRequired": false}));
        agent.caches.csi_drivers.replace(vec![testing::csi_driver(rules)]);

        let pv = testing::volume(setting.pv);
        let block = pv.volume_mode == Some(VolumeMode::Block);
        let mut parts = json!({"spec": {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}],
            "containers": [if block {
                json!({"name": "c", "volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]})
            } else {
                json!({"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]})
            }],
        }});
        for (key, value) in setting.pod.as_object().into_iter().flatten() {
            parts["spec"][key] = value.clone();
        }
        let pod = testing::pod(parts);
        let spec = Arc::new(of_volume(&pv, "ns/claim-1", "claim-uid", &used(&pod)[0]).expect("resolved"));
        let info = NodeInfo { node_id: "n".into(), max_volumes_per_node: 0, accessible_topology: Segments::default() };
        let connection = agent.connect.connect(&socket);
        {
            let mut state = agent.state();
            state.drivers.insert(NAME.into(), Registered { driver: connection, socket: PathBuf::new(), info });
            let wants = Some(vec![Wanted { volume: "data".into(), spec: spec.clone() }]);
            let entry = PodEntry { pod: Arc::new(pod), wants, unresolved: BTreeMap::new() };
            state.pods.insert("uid-1".into(), entry);
        }
        Self { agent, driver, mounter, spec, folder }
    }

    fn record(&self) -> Option<Record> {
        self.agent.state().records.get(&self.spec.key).cloned()
    }

    fn next(&self) -> csi_types::Next<Action, Why, crate::plan::Problem> {
        plan(&observe(&self.agent, &self.spec.key, self.agent.ctx.now()))
    }

    /// Does what the plan says until it rests, without waiting out any backoff.
    async fn settle(&self) -> Why {
        for _ in 0..20 {
            match self.next() {
                csi_types::Next::Do(action) => {
                    let _ = act(&self.agent, &self.spec.key, &action).await;
                }
                csi_types::Next::Rest(Why::BackingOff(_)) => {
                    self.agent.state().memory.clear();
                }
                csi_types::Next::Rest(why) => return why,
                csi_types::Next::Refuse(problem) => panic!("refused: {problem}"),
            }
        }
        panic!("it does not come to rest");
    }

    async fn step(&self) -> Result<(), Error> {
        match self.next() {
            csi_types::Next::Do(action) => act(&self.agent, &self.spec.key, &action).await,
            other => panic!("nothing to do: {other:?}"),
        }
    }

    fn pod_goes(&self) {
        self.agent.state().pods.clear();
    }

    fn calls(&self) -> Vec<&'static str> {
        let interesting = |rpc: &Call| rpc.name() != "NodeGetCapabilities";
        self.driver.requests().iter().map(|request| request.rpc()).filter(interesting).map(|rpc| rpc.name()).collect()
    }

    fn sent(&self, rpc: Call) -> Value {
        self.driver.requests_of(rpc).last().expect("a request").json()
    }

    /// Everything below the root but the journal's and the driver's own.
    fn left(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("pods"), self.folder.path().join("plugins/kubernetes.io")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => folders.push(entry.path()),
                    false => found.push(entry.path()),
                }
            }
        }
        found
    }
}

fn fault(rpc: Call, code: fake_driver::Code, times: u64) -> Script {
    let fault = Some(Fault { code, message: "as scripted".into() });
    let rule = Rule {
        rpc,
        matching: None,
        nth: None,
        times: Some(times),
        fault,
        when: When::Before,
        delay: None,
        late: None,
        hang: false,
        die: false,
        duplicate: false,
        answer_capacity: None,
    };
    Script { rules: vec![rule] }
}

#[tokio::test]
async fn a_volume_is_staged_and_published_and_taken_back_without_a_trace() {
    let bench = Bench::new(Setting::default()).await;
    assert!(matches!(bench.settle().await, Why::AlreadyMounted(None)));
    let record = bench.record().expect("a record");
    assert!(record.stage == Stage::Yes && record.publishes[0].done);
    assert_eq!(bench.calls(), ["NodeStageVolume", "NodePublishVolume"]);
    bench.pod_goes();
    assert!(matches!(bench.settle().await, Why::NothingWanted));
    assert_eq!(bench.calls()[2..], ["NodeUnpublishVolume", "NodeUnstageVolume"]);
    assert_eq!(bench.record(), None);
    assert_eq!(bench.left(), Vec::<PathBuf>::new());
    assert!(bench.agent.journal.load().await.expect("a journal").records.is_empty());
}

#[tokio::test]
async fn stage_and_publish_send_what_kubelet_sends() {
    let secret = |value: &str| json!({"metadata": {"name": "s"}, "data": {"key": value}});
    let bench = Bench::new(Setting {
        pv: json!({"spec": {
            "mountOptions": ["noatime"],
            "csi": {
                "fsType": "xfs", "volumeAttributes": {"a": "b"},
                "nodeStageSecretRef": {"name": "stage", "namespace": "ns"},
                "nodePublishSecretRef": {"name": "publish", "namespace": "ns"},
            },
        }}),
        csi_driver: Some(json!({"attachRequired": false, "podInfoOnMount": true})),
        objects: BTreeMap::from([
            ("/api/v1/namespaces/ns/secrets/stage", secret("c3RhZ2U=")),
            ("/api/v1/namespaces/ns/secrets/publish", secret("cHVibGlzaA==")),
        ]),
        ..Setting::default()
    })
    .await;
    bench.settle().await;
    let root = &bench.agent.config.root;
    let staging = root.staging_path(&NAME.into(), &"vol-1".into()).to_string_lossy().into_owned();
    let stage = bench.sent(Call::NodeStageVolume);
    assert_eq!(stage["volume_id"], "vol-1");
    assert_eq!(stage["staging_target_path"], json!(staging));
    assert_eq!(stage["secrets"], json!({"key": "stage"}));
    assert_eq!(stage["volume_context"], json!({"a": "b"}), "nothing of the pod in NodeStageVolume");
    assert_eq!(stage["volume_capability"]["mount"], json!({"fs_type": "xfs", "mount_flags": ["noatime"]}));
    let publish = bench.sent(Call::NodePublishVolume);
    assert_eq!(publish["target_path"], json!(root.publish_path("uid-1", "pv-1")));
    assert_eq!(publish["staging_target_path"], json!(staging));
    assert_eq!(publish["secrets"], json!({"key": "publish"}));
    assert_eq!(publish["volume_context"]["csi.storage.k8s.io/pod.name"], "pod-1");
    assert_eq!(publish["volume_context"]["csi.storage.k8s.io/ephemeral"], "false");
    assert_eq!(publish["volume_context"]["a"], "b");
    assert_eq!(publish.get("readonly"), None);
}

#[tokio::test]
async fn a_volume_whose_record_was_lost_is_free_once_it_was_mounted_and_unmounted_again() {
    for caps in [vec![NodeCap::StageUnstageVolume], vec![]] {
        let bench = Bench::new(Setting { caps: Some(caps), ..Setting::default() }).await;
        let root = &bench.agent.config.root;
        let record = root.journal().join(format!("{}.json", crate::journal::file_name(&bench.spec.key)));
        std::fs::write(record, "rubbish").expect("written");
        let held = recover(&bench.agent.ctx, &bench.agent.journal, root).await.expect("recovered").held;
        assert!(held.iter().any(|lost| lost.is_of(&bench.spec.key)));
        bench.agent.state().held = held;
        bench.settle().await;
        assert_eq!(bench.agent.state().held.len(), 1, "a pod of before may have it too");
        bench.pod_goes();
        bench.settle().await;
        assert!(bench.agent.state().held.is_empty());
        let loaded = bench.agent.journal.load().await.expect("a journal");
        assert!(loaded.set_aside.is_empty(), "at the next start it is not held either");
    }
}

#[tokio::test]
async fn a_stage_that_was_refused_says_nothing_of_a_record_that_was_lost() {
    let script = fault(Call::NodeStageVolume, fake_driver::Code::InvalidArgument, 1);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    let lost = SetAside {
        file: "/lost".into(),
        identity: Some(Identity::Key(bench.spec.key.clone())),
        problem: Corrupt::SetAsideBefore,
    };
    bench.agent.state().held.push(lost);
    bench.step().await.expect_err("refused");
    bench.pod_goes();
    bench.settle().await;
    assert_eq!(bench.agent.state().held.len(), 1);
}

#[tokio::test]
async fn a_driver_without_staging_is_only_published_to() {
    let bench = Bench::new(Setting { caps: Some(vec![]), ..Setting::default() }).await;
    bench.settle().await;
    assert_eq!(bench.calls(), ["NodePublishVolume"]);
    assert_eq!(bench.sent(Call::NodePublishVolume).get("staging_target_path"), None);
    bench.pod_goes();
    bench.settle().await;
    assert_eq!(bench.calls(), ["NodePublishVolume", "NodeUnpublishVolume"]);
    assert_eq!(bench.record(), None);
}

/// Upstream: e2e csimock, "should not call NodeUnstage after NodeStage final error".
#[tokio::test]
async fn a_stage_that_was_refused_for_good_leaves_nothing_to_undo() {
    let script = fault(Call::NodeStageVolume, fake_driver::Code::InvalidArgument, 1);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    let error = bench.step().await.expect_err("refused");
    assert!(chain(&error).contains("as scripted"), "{error}");
    assert_eq!(bench.record(), None);
    bench.pod_goes();
    assert!(matches!(bench.settle().await, Why::NothingWanted));
    assert_eq!(bench.calls(), ["NodeStageVolume"]);
    assert_eq!(bench.left(), Vec::<PathBuf>::new());
}

/// Upstream: e2e csimock, "should call NodeUnstage after NodeStage ephemeral error".
#[tokio::test]
async fn a_stage_of_unknown_outcome_is_undone_when_the_pod_goes() {
    let script = fault(Call::NodeStageVolume, fake_driver::Code::DeadlineExceeded, 1);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    bench.step().await.expect_err("unknown");
    assert_eq!(bench.record().map(|record| record.stage), Some(Stage::Maybe));
    bench.pod_goes();
    assert!(matches!(bench.settle().await, Why::NothingWanted));
    assert_eq!(bench.calls(), ["NodeStageVolume", "NodeUnstageVolume"]);
}

#[tokio::test]
async fn a_refusal_after_an_unknown_outcome_does_not_make_it_known() {
    let mut script = fault(Call::NodeStageVolume, fake_driver::Code::DeadlineExceeded, 1);
    script.rules.extend(fault(Call::NodeStageVolume, fake_driver::Code::Internal, 2).rules);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    bench.step().await.expect_err("unknown");
    bench.agent.state().memory.clear();
    bench.step().await.expect_err("refused");
    bench.pod_goes();
    bench.settle().await;
    assert_eq!(bench.calls().last(), Some(&"NodeUnstageVolume"));
}

#[tokio::test]
async fn a_publish_of_unknown_outcome_is_undone_even_if_the_driver_is_asked_in_vain_meanwhile() {
    let mut script = fault(Call::NodePublishVolume, fake_driver::Code::Unavailable, 1);
    // Two asks before the stage and the publish; the third, before the second publish, fails.
    let mut ask = fault(Call::NodeGetCapabilities, fake_driver::Code::Internal, 1).rules;
    ask[0].times = None;
    ask[0].nth = Some(2);
    script.rules.extend(ask);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    bench.step().await.expect("staged");
    bench.step().await.expect_err("unknown");
    bench.agent.state().memory.clear();
    bench.step().await.expect_err("not asked");
    bench.pod_goes();
    bench.settle().await;
    assert_eq!(bench.calls(), ["NodeStageVolume", "NodePublishVolume", "NodeUnpublishVolume", "NodeUnstageVolume"]);
}

#[tokio::test]
async fn a_failed_unstage_is_staged_again_before_a_new_pod_gets_it() {
    let script = fault(Call::NodeUnstageVolume, fake_driver::Code::Internal, 1);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    bench.settle().await;
    let pods = std::mem::take(&mut bench.agent.state().pods);
    bench.step().await.expect("unpublished");
    bench.step().await.expect_err("not unstaged");
    bench.agent.state().pods = pods;
    bench.settle().await;
    let tail = ["NodeUnstageVolume", "NodeStageVolume", "NodePublishVolume"];
    assert!(bench.calls().ends_with(&tail), "{:?}", bench.calls());
}

#[tokio::test]
async fn a_driver_that_leaves_its_mount_behind_is_asked_again() {
    let bench = Bench::new(Setting::default()).await;
    bench.settle().await;
    let target = bench.agent.config.root.publish_path("uid-1", "pv-1");
    bench.mounter.bind(std::path::Path::new("/x"), &target).expect("mounted");
    bench.pod_goes();
    assert!(matches!(bench.step().await, Err(Error::StillMounted { .. })));
    assert_eq!(bench.record().map(|record| record.publishes.len()), Some(1), "it stays on record");
    bench.mounter.unmount(&target).expect("unmounted");
    bench.settle().await;
    assert_eq!(bench.record(), None);
}

#[tokio::test]
async fn a_device_is_bound_linked_and_taken_back() {
    let bench = Bench::new(Setting { pv: json!({"spec": {"volumeMode": "Block"}}), ..Setting::default() }).await;
    bench.settle().await;
    let root = &bench.agent.config.root;
    let published = root.block_publish_path("pv-1", "uid-1");
    assert_eq!(bench.sent(Call::NodePublishVolume)["target_path"], json!(published));
    assert_eq!(bench.sent(Call::NodePublishVolume)["staging_target_path"], json!(root.block_staging_path("pv-1")));
    assert_eq!(bench.sent(Call::NodeStageVolume)["volume_capability"]["block"], json!({}));
    assert!(bench.mounter.table().expect("a table").is_mount_point(&root.block_device("pv-1", "uid-1")));
    assert_eq!(bench.mounter.links().get(&root.pod_device("uid-1", "pv-1")), Some(&published));
    bench.pod_goes();
    bench.settle().await;
    assert_eq!(bench.mounter.table().expect("a table").0, vec![]);
    assert_eq!((bench.record(), bench.left()), (None, vec![]));
}

#[tokio::test]
async fn the_pods_group_gets_the_volume_unless_the_driver_gives_it() {
    let setting = |caps| Setting {
        pv: json!({"spec": {"csi": {"fsType": "ext4"}}}),
        pod: json!({"securityContext": {"fsGroup": 2000}}),
        caps: Some(caps),
        ..Setting::default()
    };
    let ours = Bench::new(setting(vec![NodeCap::StageUnstageVolume])).await;
    ours.settle().await;
    let target = ours.agent.config.root.publish_path("uid-1", "pv-1");
    assert_eq!(ours.mounter.groups(), BTreeMap::from([(target, 2000)]));
    let drivers = Bench::new(setting(vec![NodeCap::StageUnstageVolume, NodeCap::VolumeMountGroup])).await;
    drivers.settle().await;
    assert!(drivers.mounter.groups().is_empty());
    for rpc in [Call::NodeStageVolume, Call::NodePublishVolume] {
        assert_eq!(drivers.sent(rpc)["volume_capability"]["mount"]["volume_mount_group"], "2000");
    }
}

#[tokio::test]
async fn nothing_is_staged_before_the_api_says_live_that_it_is_attached() {
    let name = crate::paths::attachment_name(&"vol-1".into(), &NAME.into(), &"node-1".into());
    let path: &'static str = format!("/apis/storage.k8s.io/v1/volumeattachments/{name}").leak();
    let key = "kubernetes.io/csi/d.example.com^vol-1";
    let node = |attached: Value| json!({"metadata": {"name": "node-1"}, "status": {"volumesAttached": attached}});
    let attachment = json!({
        "metadata": {"name": name},
        "spec": {"attacher": NAME, "nodeName": "node-1", "source": {"persistentVolumeName": "pv-1"}},
        "status": {"attached": true, "attachmentMetadata": {"device": "/dev/x"}},
    });
    let setting = |attached: Value| Setting {
        csi_driver: Some(json!({})),
        objects: BTreeMap::from([("/api/v1/nodes/node-1", node(attached)), (path, attachment.clone())]),
        ..Setting::default()
    };
    let believe = |bench: &Bench| {
        let mut state = bench.agent.state();
        state.node.reported.insert(bench.spec.key.clone());
        state.node.attached.insert(bench.spec.key.clone());
    };
    let stale = Bench::new(setting(json!([]))).await;
    assert!(matches!(stale.settle().await, Why::NotReportedInUse));
    believe(&stale);
    assert!(matches!(stale.step().await, Err(Error::NotAttached { .. })), "what we have seen is not what is so");
    assert!(stale.calls().is_empty() && stale.record().is_none());

    let attached = Bench::new(setting(json!([{"name": key, "devicePath": ""}]))).await;
    believe(&attached);
    attached.settle().await;
    for rpc in [Call::NodeStageVolume, Call::NodePublishVolume] {
        assert_eq!(attached.sent(rpc)["publish_context"], json!({"device": "/dev/x"}));
    }
}

#[tokio::test]
async fn a_missing_secret_is_named_and_nothing_is_called() {
    let bench = Bench::new(Setting {
        pv: json!({"spec": {"csi": {"nodeStageSecretRef": {"name": "nowhere", "namespace": "ns"}}}}),
        ..Setting::default()
    })
    .await;
    let error = bench.step().await.expect_err("refused");
    assert!(chain(&error).contains("ns/nowhere"), "{}", chain(&error));
    assert_eq!(error.event_reason(), Some("FailedMount"));
    assert!(bench.calls().is_empty() && bench.record().is_none());
}

#[tokio::test]
async fn a_failure_waits_longer_each_time() {
    let script = fault(Call::NodeStageVolume, fake_driver::Code::Internal, 9);
    let bench = Bench::new(Setting { script, ..Setting::default() }).await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        bench.step().await.expect_err("refused");
        let Why::BackingOff(until) = rest(bench.next()) else { panic!("backs off") };
        waits.push(until - bench.agent.ctx.now());
        let mut state = bench.agent.state();
        state.memory.get_mut(&bench.spec.key).expect("remembered").plan.not_before.clear();
    }
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
}

fn rest(next: csi_types::Next<Action, Why, crate::plan::Problem>) -> Why {
    match next {
        csi_types::Next::Rest(why) => why,
        other => panic!("rests: {other:?}"),
    }
}

mod targets;
