//! Pods: what is filled in, what is checked, and how one gets its node.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    d23_a_pod_is_pending_with_the_usual_policies,
    d23b_a_container_gets_its_usual_fields,
    d23c_the_image_decides_when_it_is_pulled,
    d23d_a_pod_tolerates_a_lost_node_for_a_while,
    d23e_limits_are_requests_and_decide_the_class,
    d23f_probes_and_ports_get_their_usual_numbers,
    d24_volumes_get_their_usual_modes,
    d24b_a_volume_without_a_source_is_an_empty_folder,
    d24c_a_token_needs_an_account,
    d25_a_pod_needs_containers_with_names_and_images,
    d25b_a_mount_names_a_volume,
    d25c_a_priority_class_must_exist,
    d25d_a_gated_pod_says_so,
    g21_most_of_a_pods_spec_cannot_change,
    g21b_containers_cannot_be_added,
    g21c_an_image_can_change_and_counts_as_a_generation,
    g22_a_binding_gives_a_pod_its_node,
    g22b_a_pod_is_bound_once,
}

async fn make(w: &World, body: &Value) -> Value {
    w.post(&w.core("pods").await, body).await.made()
}

async fn d23_a_pod_is_pending_with_the_usual_policies(w: &World) {
    let mut body = pod("x");
    body["spec"].as_object_mut().expect("a map").remove("schedulerName");
    body["spec"]["schedulingGates"] = json!([{"name": "x.io/g"}]);
    let made = make(w, &body).await;
    let expected = json!({
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
        "schedulerName": "default-scheduler", "priority": 0, "preemptionPolicy": "PreemptLowerPriority", "enableServiceLinks": true,
    });
    includes(&made["spec"], &expected);
    assert_eq!(made["metadata"]["generation"], 1);
    includes(&made["status"], &json!({"phase": "Pending", "qosClass": "BestEffort"}));
}

async fn d23b_a_container_gets_its_usual_fields(w: &World) {
    let made = make(w, &pod("x")).await;
    let expected = json!({
        "name": "c", "image": "conf.example/none:1", "resources": {}, "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
    });
    assert_eq!(made["spec"]["containers"], json!([expected]));
}

async fn d23c_the_image_decides_when_it_is_pulled(w: &World) {
    for (index, (image, policy)) in [("x", "Always"), ("x:latest", "Always"), ("x:1", "IfNotPresent")].into_iter().enumerate() {
        let mut body = pod(&format!("x{index}"));
        body["spec"]["containers"][0]["image"] = image.into();
        assert_eq!(make(w, &body).await["spec"]["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
}

async fn d23d_a_pod_tolerates_a_lost_node_for_a_while(w: &World) {
    let toleration = |key: &str| json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let made = make(w, &pod("x")).await;
    assert_eq!(made["spec"]["tolerations"], json!([toleration("not-ready"), toleration("unreachable")]));
}

async fn d23e_limits_are_requests_and_decide_the_class(w: &World) {
    let mut body = pod("x");
    body["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1000m", "memory": "1Gi"}});
    let made = make(w, &body).await;
    let amounts = json!({"cpu": "1", "memory": "1Gi"});
    assert_eq!(made["spec"]["containers"][0]["resources"], json!({"limits": amounts, "requests": amounts}));
    assert_eq!(made["status"]["qosClass"], "Guaranteed");
    let mut body = pod("y");
    body["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}});
    assert_eq!(make(w, &body).await["status"]["qosClass"], "Burstable");
}

async fn d23f_probes_and_ports_get_their_usual_numbers(w: &World) {
    let mut body = pod("x");
    let container = &mut body["spec"]["containers"][0];
    container["ports"] = json!([{"containerPort": 80}]);
    container["livenessProbe"] = json!({"httpGet": {"port": 80}});
    container["env"] = json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]);
    let made = make(w, &body).await;
    let container = &made["spec"]["containers"][0];
    assert_eq!(container["ports"], json!([{"containerPort": 80, "protocol": "TCP"}]));
    let probe = json!({
        "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1,
        "failureThreshold": 3,
    });
    assert_eq!(container["livenessProbe"], probe);
    assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
}

async fn d24_volumes_get_their_usual_modes(w: &World) {
    let mut body = pod("x");
    body["spec"]["volumes"] = json!([
        {"name": "a", "secret": {"secretName": "s"}},
        {"name": "b", "configMap": {"name": "c"}},
        {"name": "c", "hostPath": {"path": "/x"}},
        {"name": "d", "projected": {"sources": [{"configMap": {"name": "c"}}]}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }}}},
    ]);
    let made = make(w, &body).await;
    let volumes = &made["spec"]["volumes"];
    assert_eq!(volumes[0]["secret"]["defaultMode"], 420);
    assert_eq!(volumes[1]["configMap"]["defaultMode"], 420);
    assert_eq!(volumes[2]["hostPath"]["type"], "");
    assert_eq!(volumes[3]["projected"]["defaultMode"], 420);
    let template = &volumes[4]["ephemeral"]["volumeClaimTemplate"];
    assert_eq!(template["spec"]["volumeMode"], "Filesystem");
}

async fn d24b_a_volume_without_a_source_is_an_empty_folder(w: &World) {
    let mut body = pod("x");
    body["spec"]["volumes"] = json!([{"name": "a"}]);
    assert_eq!(make(w, &body).await["spec"]["volumes"], json!([{"name": "a", "emptyDir": {}}]));
}

async fn d24c_a_token_needs_an_account(w: &World) {
    let mut body = pod("x");
    body["spec"]["volumes"] = json!([{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]);
    let reply = w.post(&w.core("pods").await, &body).await;
    let part = "serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set";
    reply.refused_with(422, "Invalid", &[part]);
}

async fn d25_a_pod_needs_containers_with_names_and_images(w: &World) {
    let collection = w.core("pods").await;
    let reply = w.post(&collection, &json!({"metadata": {"name": "x"}, "spec": {}})).await;
    reply.invalid_with("spec.containers", "Required", "Required value");
    let reply = w.post(&collection, &json!({"metadata": {"name": "x"}, "spec": {"containers": [{}]}})).await;
    reply.invalid_with("spec.containers[0].name", "Required", "Required value");
    reply.invalid_with("spec.containers[0].image", "Required", "Required value");
}

async fn d25b_a_mount_names_a_volume(w: &World) {
    let mut body = pod("x");
    body["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "nope", "mountPath": "/x"}]);
    let reply = w.post(&w.core("pods").await, &body).await;
    reply.invalid("Pod", "x", &[("spec.containers[0].volumeMounts[0].name", "NotFound", "Not found: \"nope\"")]);
}

async fn d25c_a_priority_class_must_exist(w: &World) {
    let mut body = pod("x");
    body["spec"]["priorityClassName"] = "nope".into();
    let reply = w.post(&w.core("pods").await, &body).await;
    let message = "pods \"x\" is forbidden: no PriorityClass with name nope was found";
    assert_eq!(reply.refused(403, "Forbidden", message), json!({"name": "x", "kind": "pods"}));
}

async fn d25d_a_gated_pod_says_so(w: &World) {
    let mut body = pod("x");
    body["spec"]["schedulingGates"] = json!([{"name": "x.io/g"}]);
    let made = make(w, &body).await;
    let condition = &made["status"]["conditions"][0];
    includes(condition, &json!({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}));
}

async fn g21_most_of_a_pods_spec_cannot_change(w: &World) {
    make(w, &pod("x")).await;
    let path = format!("{}/x", w.core("pods").await);
    let reply = w.merge(&path, &json!({"spec": {"hostname": "other"}})).await;
    let message = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    if w.is_exception() {
        return reply.invalid_with("spec", "Forbidden", message.trim_start_matches("spec: "));
    }
    reply.refused_with(422, "Invalid", &[&format!("Pod \"x\" is invalid: {message}\n@@ ")]);
}

async fn g21b_containers_cannot_be_added(w: &World) {
    let mut made = make(w, &pod("x")).await;
    let mut second = made["spec"]["containers"][0].clone();
    second["name"] = "d".into();
    made["spec"]["containers"].as_array_mut().expect("a list").push(second);
    let reply = w.put(&format!("{}/x", w.core("pods").await), &made).await;
    let error = ("spec.containers", "Forbidden", "Forbidden: pod updates may not add or remove containers");
    reply.invalid("Pod", "x", &[error]);
}

async fn g21c_an_image_can_change_and_counts_as_a_generation(w: &World) {
    make(w, &pod("x")).await;
    let path = format!("{}/x", w.core("pods").await);
    let changed =
        w.strategic(&path, &json!({"spec": {"containers": [{"name": "c", "image": "conf.example/none:2"}]}})).await.ok();
    assert_eq!(changed["metadata"]["generation"], 2);
    let labelled = w.merge(&path, &json!({"metadata": {"labels": {"a": "1"}}})).await.ok();
    assert_eq!(labelled["metadata"]["generation"], 2);
    let reported = w.merge(&format!("{path}/status"), &json!({"status": {"message": "m"}})).await.ok();
    assert_eq!(reported["metadata"]["generation"], 2);
}

async fn g22_a_binding_gives_a_pod_its_node(w: &World) {
    make(w, &pod("x")).await;
    let path = format!("{}/x", w.core("pods").await);
    let binding = json!({"metadata": {"name": "x"}, "target": {"kind": "Node", "name": "conf-nowhere"}});
    let answer = w.post(&format!("{path}/binding"), &binding).await.made();
    includes(&answer, &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
    let found = w.get(&path).await.ok();
    assert_eq!(found["spec"]["nodeName"], "conf-nowhere");
    includes(&found["status"]["conditions"][0], &json!({"type": "PodScheduled", "status": "True"}));
}

async fn g22b_a_pod_is_bound_once(w: &World) {
    make(w, &pod_on_node("x")).await;
    let binding = json!({"metadata": {"name": "x"}, "target": {"kind": "Node", "name": "conf-other"}});
    let reply = w.post(&format!("{}/x/binding", w.core("pods").await), &binding).await;
    let message = "Operation cannot be fulfilled on pods/binding \"x\": pod x is already assigned to node \"conf-nowhere\"";
    reply.refused(409, "Conflict", message);
}
