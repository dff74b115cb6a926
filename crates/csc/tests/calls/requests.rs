//! What is sent is what the command line says.

use fake_driver::Rpc;
use serde_json::{Value, json};

use crate::rig::World;

impl World {
    fn last(&self, rpc: Rpc) -> Value {
        self.driver.requests_of(rpc).last().expect("the call was made").json().clone()
    }
}

#[tokio::test]
async fn every_call_of_csi_is_made_by_a_command() {
    let world = World::start().await;
    let volume = world.driver.volume_id("a");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().display();
    let lines = [
        "identity plugin-info".to_owned(),
        "identity plugin-capabilities".to_owned(),
        "identity probe".to_owned(),
        "controller create-volume a --cap 1,mount,".to_owned(),
        format!("controller publish {volume} --node-id node-1 --cap 1,mount,"),
        "controller list-volumes".to_owned(),
        format!("controller get-volume {volume}"),
        format!("controller validate-volume-capabilities {volume} --cap 1,mount,"),
        format!("controller expand-volume {volume} --req-bytes 8192"),
        format!("controller modify-volume {volume} --mutable-params iops=5"),
        "controller get-capacity".to_owned(),
        "controller get-capabilities".to_owned(),
        format!("controller create-snapshot s --source-volume {volume}"),
        "controller list-snapshots".to_owned(),
        "controller get-snapshot s".to_owned(),
        "controller delete-snapshot s".to_owned(),
        "controller list-volume-health".to_owned(),
        format!("controller get-volume-health {volume}"),
        format!("node stage {volume} --staging-target-path {path} --cap 1,mount,"),
        format!("node publish {volume} --staging-target-path {path} --target-path {path}/t --cap 1,mount,"),
        format!("node stats {volume}:{path}/t"),
        format!("node get-volume-health {volume}:{path}/t"),
        "node get-storage-health".to_owned(),
        format!("node expand-volume {volume} {path}/t"),
        format!("node unpublish {volume} --target-path {path}/t"),
        format!("node unstage {volume} --staging-target-path {path}"),
        "node get-info".to_owned(),
        "node get-capabilities".to_owned(),
        "group get-capabilities".to_owned(),
        format!("group create-snapshot g --source-volume {volume}"),
        "group get-snapshot g".to_owned(),
        "group delete-snapshot g".to_owned(),
        format!("controller unpublish {volume} --node-id node-1"),
        format!("controller delete-volume {volume}"),
    ];
    for line in &lines {
        let before = world.driver.requests().len();
        let ran = world.run(line).await;
        assert_eq!(world.driver.requests().len(), before + 1, "{line}: {ran:?}");
    }
    let called: std::collections::BTreeSet<Rpc> = world.driver.requests().iter().map(|request| request.rpc()).collect();
    assert_eq!(called.len(), lines.len(), "each line makes a call of its own kind");
    // fake-driver serves every unary call of csi.proto, which csc's own table is held to.
    assert_eq!(called.len(), 34);
}

#[tokio::test]
async fn create_volume_sends_everything_it_was_given() {
    let mut world = World::start().await;
    world.secrets = Some("user=u, \"password=a,b \"\"c\"\"\"".into());
    let line = "c new a --cap SINGLE_NODE_WRITER,mount,ext4,noatime,ro --cap 5,1 --volume-mount-group 100 --req-bytes 4096 --lim-bytes 8192 \
                --params type=fast,x --params tier=1 --mutable-params iops=5 --topology-requisite zone=a --topology-requisite zone=b \
                --topology-preferred zone=b";
    let ran = world.run(line).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        world.last(Rpc::CreateVolume),
        json!({
            "name": "a",
            "capacity_range": {"required_bytes": 4096, "limit_bytes": 8192},
            "volume_capabilities": [
                {"access_mode": {"mode": "SINGLE_NODE_WRITER"},
                 "mount": {"fs_type": "ext4", "mount_flags": ["noatime", "ro"], "volume_mount_group": "100"}},
                {"access_mode": {"mode": "MULTI_NODE_MULTI_WRITER"}, "block": {}},
            ],
            "parameters": {"type": "fast", "x": "", "tier": "1"},
            "mutable_parameters": {"iops": "5"},
            "secrets": {"user": "u", "password": "a,b \"c\""},
            "accessibility_requirements": {
                "requisite": [{"segments": {"zone": "a"}}, {"segments": {"zone": "b"}}],
                "preferred": [{"segments": {"zone": "b"}}],
            },
        })
    );
}

#[tokio::test]
async fn nothing_is_sent_that_was_not_given() {
    let world = World::start().await;
    world.run("controller create-volume a").await;
    assert_eq!(world.last(Rpc::CreateVolume), json!({"name": "a"}));
    world.run("node publish v").await;
    assert_eq!(world.last(Rpc::NodePublishVolume), json!({"volume_id": "v"}));
    world.run("controller unpublish v").await;
    assert_eq!(world.last(Rpc::ControllerUnpublishVolume), json!({"volume_id": "v"}));
    world.run("controller get-capacity").await;
    assert_eq!(world.last(Rpc::GetCapacity), json!({}));
}

#[tokio::test]
async fn contexts_paths_and_booleans_arrive() {
    let world = World::start().await;
    world.run("n mnt v --target-path /t --staging-target-path /s --cap 3,mount,xfs --read-only --vol-context a=1,b=2 --pub-context p=q").await;
    assert_eq!(
        world.last(Rpc::NodePublishVolume),
        json!({
            "volume_id": "v", "target_path": "/t", "staging_target_path": "/s", "readonly": true,
            "volume_capability": {"access_mode": {"mode": "MULTI_NODE_READER_ONLY"}, "mount": {"fs_type": "xfs"}},
            "volume_context": {"a": "1", "b": "2"}, "publish_context": {"p": "q"},
        })
    );
    world.run("c attach v --node-id n --cap 1,block --read-only=false --vol-context a=b=c").await;
    assert_eq!(
        world.last(Rpc::ControllerPublishVolume),
        json!({
            "volume_id": "v", "node_id": "n", "volume_context": {"a": "b=c"},
            "volume_capability": {"access_mode": {"mode": "SINGLE_NODE_WRITER"}, "block": {}},
        })
    );
}

#[tokio::test]
async fn sources_of_volumes_are_volumes_or_snapshots_and_not_both() {
    let world = World::start().await;
    world.run("c new b --cap 1,mount, --source-volume v").await;
    assert_eq!(world.last(Rpc::CreateVolume)["volume_content_source"], json!({"volume": {"volume_id": "v"}}));
    world.run("c new b --cap 1,mount, --source-snapshot s").await;
    assert_eq!(world.last(Rpc::CreateVolume)["volume_content_source"], json!({"snapshot": {"snapshot_id": "s"}}));
    let both = world.run("c new b --source-volume v --source-snapshot s").await;
    assert!(both.code == 1 && both.err.contains("--source-snapshot"), "{both:?}");
}

#[tokio::test]
async fn an_endpoint_is_a_path_or_a_url() {
    let world = World::start().await;
    let path = world.driver.socket().display().to_string();
    for endpoint in [path.clone(), format!("unix://{path}"), format!("unix:{path}")] {
        let ran = world.run_words(&["-e", &endpoint, "i", "probe"]).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, "true\n"), "{endpoint}: {}", ran.err);
    }
    // A relative one is relative to the working directory, which a test shares with others: so it climbs to the root first.
    let up = "../".repeat(std::env::current_dir().unwrap().components().count());
    let relative = format!("{up}{}", path.trim_start_matches('/'));
    assert_eq!(world.run_words(&["-e", &relative, "i", "probe"]).await.code, 0);
}
