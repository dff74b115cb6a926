//! Pods on the way to the one node.

use serde_json::{Value, json};

use crate::world::{HOST, of_claim, of_pod, of_volume, run};

const NODE: &str = "/api/v1/nodes/host";

#[test]
fn a_pod_without_volumes_is_put_on_the_node() {
    run(async |world| {
        world.pod("p", &[], json!({})).await;
        world.until_placed("p").await;
        let pod = world.get(&of_pod("p")).await;
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let scheduled = conditions.iter().find(|condition| condition["type"] == "PodScheduled").cloned().unwrap_or_default();
        assert_eq!(scheduled["status"], "True");
    });
}

#[test]
fn a_missing_claim_is_named_in_status_and_event_and_its_coming_is_enough() {
    run(async |world| {
        world.pod("p", &["c"], json!({})).await;
        let why = "0/1 nodes are available: persistentvolumeclaim \"c\" not found. preemption: 0/1 nodes are available: 1 \
                   Preemption is not helpful for scheduling.";
        world.until_unschedulable("p", why).await;
        world.until_said("p", "default-scheduler", "FailedScheduling", why).await;
        world.volume("v", "1Gi", json!({})).await;
        world.claim("c", "1Gi", json!({})).await;
        world.until_placed("p").await;
    });
}

#[test]
fn an_unbound_immediate_claim_keeps_its_pod_waiting() {
    run(async |world| {
        world.claim("c", "1Gi", json!({})).await;
        world.pod("p", &["c"], json!({})).await;
        world.until_unschedulable("p", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.").await;
        world.volume("v", "1Gi", json!({})).await;
        world.until_placed("p").await;
    });
}

#[test]
fn a_cordoned_node_takes_pods_again_when_it_is_uncordoned() {
    run(async |world| {
        world.patch(NODE, json!({"spec": {"unschedulable": true}})).await;
        world.sleep(1).await;
        world.pod("p", &[], json!({})).await;
        world.until_unschedulable("p", "0/1 nodes are available: 1 node(s) were unschedulable.").await;
        world.patch(NODE, json!({"spec": {"unschedulable": null, "taints": null}})).await;
        world.until_placed("p").await;
    });
}

#[test]
fn a_label_that_a_pod_asks_for_can_be_given_to_the_node() {
    run(async |world| {
        world.pod("p", &[], json!({"nodeSelector": {"disk": "fast"}})).await;
        world.until_unschedulable("p", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.").await;
        world.patch(NODE, json!({"metadata": {"labels": {"disk": "fast"}}})).await;
        world.until_placed("p").await;
    });
}

#[test]
fn a_claim_for_one_pod_is_passed_on_when_that_pod_ends() {
    run(async |world| {
        let modes = json!({"accessModes": ["ReadWriteOncePod"]});
        world.volume("v", "1Gi", modes.clone()).await;
        world.claim("c", "1Gi", modes).await;
        world.pod("first", &["c"], json!({})).await;
        world.until_placed("first").await;
        world.pod("second", &["c"], json!({})).await;
        world
            .until_unschedulable("second", "0/1 nodes are available: 1 node(s) unavailable due to PersistentVolumeClaim with")
            .await;
        world.patch(&format!("{}/status", of_pod("first")), json!({"status": {"phase": "Succeeded"}})).await;
        world.until_placed("second").await;
    });
}

#[test]
fn a_volume_that_is_somewhere_else_keeps_its_pod_away() {
    run(async |world| {
        let affinity = json!({"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["far"]}]},
        ]}});
        world.volume("v", "1Gi", json!({"nodeAffinity": affinity})).await;
        world.claim("c", "1Gi", json!({})).await;
        world.until_bound("c").await;
        world.pod("p", &["c"], json!({})).await;
        world.until_unschedulable("p", "0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity.").await;
    });
}

#[test]
fn a_driver_with_a_limit_takes_no_more() {
    run(async |world| {
        let driver = json!({"name": "d", "nodeID": "host", "topologyKeys": [], "allocatable": {"count": 1}});
        let node = json!({"metadata": {"name": HOST}, "spec": {"drivers": [driver]}});
        world.create("/apis/storage.k8s.io/v1/csinodes", node).await;
        for n in ["1", "2"] {
            world.volume(&format!("v{n}"), "1Gi", json!({})).await;
            world.claim(&format!("c{n}"), "1Gi", json!({})).await;
            world.until_bound(&format!("c{n}")).await;
        }
        world.pod("p1", &["c1"], json!({})).await;
        world.until_placed("p1").await;
        world.pod("p2", &["c2"], json!({})).await;
        world.until_unschedulable("p2", "0/1 nodes are available: 1 node(s) exceed max volume count.").await;
    });
}

#[test]
fn pods_of_another_scheduler_and_gated_ones_are_left_alone() {
    run(async |world| {
        world.pod("theirs", &[], json!({"schedulerName": "theirs"})).await;
        world.pod("gated", &[], json!({"schedulingGates": [{"name": "example.com/gate"}]})).await;
        world.sleep(60).await;
        assert_eq!(world.get(&of_pod("theirs")).await["spec"]["nodeName"], Value::Null);
        assert_eq!(world.get(&of_pod("gated")).await["spec"]["nodeName"], Value::Null);
        world.patch(&of_pod("gated"), json!({"spec": {"schedulingGates": null}})).await;
        world.until_placed("gated").await;
    });
}

#[test]
fn at_rest_nothing_is_done_and_nothing_is_written_but_repeated_events() {
    run(async |world| {
        world.volume("v", "1Gi", json!({})).await;
        world.claim("c", "1Gi", json!({})).await;
        world.until_bound("c").await;
        world.pod("p", &["c"], json!({})).await;
        world.until_placed("p").await;
        world.claim("waits", "1Gi", json!({})).await;
        world.sleep(60).await;
        let version = async |path: String| world.get(&path).await["metadata"]["resourceVersion"].clone();
        let paths = [of_claim("c"), of_claim("waits"), of_volume("v"), of_pod("p")];
        let mut before = Vec::new();
        for path in &paths {
            before.push(version(path.clone()).await);
        }
        let polls = world.polls();
        world.sleep(3600).await;
        for (path, before) in paths.iter().zip(before) {
            assert_eq!(version(path.clone()).await, before, "{path}");
        }
        let polls = world.polls() - polls;
        assert!(polls < 4000, "{polls} polls in an hour of rest");
    });
}
