mod deletion;
mod update;

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOW, accepted, any_json, damaged, invalid};

/// A pod with this in its spec besides a container.
fn pod(spec: Value) -> Value {
    let mut pod = json!({"spec": {"containers": [{"name": "a", "image": "b"}]}});
    for (field, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][field] = value.clone();
    }
    pod
}

fn container(container: Value) -> Value {
    let mut one = json!({"name": "a", "image": "b"});
    for (field, value) in container.as_object().into_iter().flatten() {
        one[field] = value.clone();
    }
    pod(json!({"containers": [one]}))
}

fn decoded(kind: &Kind, mut pod: Value) -> Value {
    kind.resource.schema.decode(&mut pod, "Pod").expect("a pod");
    pod
}

/// Each line: a spec, and what the real API server (v1.36.1) said about it.
#[test]
fn what_the_real_api_server_refuses_is_refused_in_its_words() {
    let kind = Kind::of("pods");
    for line in include_str!("tests/refused.jsonl").lines() {
        let case: Value = serde_json::from_str(line).expect(line);
        let sent = decoded(&kind, json!({"metadata": {"name": "a"}, "spec": case["spec"]}));
        invalid(line, kind.create(sent), case["refused"].as_str().expect(line));
    }
}

#[test]
fn a_pod_that_says_nothing_gets_what_everybody_gets() {
    let kind = Kind::of("pods");
    let mut sent = decoded(&kind, pod(json!({})));
    sent["status"] = json!({"phase": "Running"});
    let new = accepted("a pod", kind.create(sent));
    assert_eq!(new["metadata"]["generation"], 1);
    assert_eq!(new["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    let toleration = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    assert_eq!(
        new["spec"],
        json!({
            "containers": [{
                "name": "a", "image": "b", "resources": {}, "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File", "imagePullPolicy": "Always",
            }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
            "schedulerName": "default-scheduler", "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
            "enableServiceLinks": true,
            "tolerations": [toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")],
        })
    );
}

#[test]
fn containers_get_their_defaults() {
    let kind = Kind::of("pods");
    let sent = container(json!({
        "image": "a:1", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "env": [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "livenessProbe": {"httpGet": {"port": 80}}, "startupProbe": {"grpc": {"port": 80}, "periodSeconds": 5},
        "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    }));
    let new = accepted("a pod", kind.create(decoded(&kind, sent)));
    let one = &new["spec"]["containers"][0];
    assert_eq!(one["imagePullPolicy"], "IfNotPresent");
    assert_eq!(one["ports"], json!([{"containerPort": 80, "protocol": "TCP"}]));
    assert_eq!(one["resources"]["requests"], json!({"cpu": "1", "memory": "1Gi"}));
    assert_eq!(one["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
    let get = json!({"path": "/", "port": 80, "scheme": "HTTP"});
    let probe = json!({"httpGet": get, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
    assert_eq!(one["livenessProbe"], probe);
    assert_eq!((&one["startupProbe"]["periodSeconds"], &one["startupProbe"]["grpc"]["service"]), (&json!(5), &json!("")));
    assert_eq!(one["lifecycle"]["preStop"]["httpGet"], get);
    assert_eq!(new["status"]["qosClass"], "Guaranteed");
}

#[test]
fn on_the_hosts_network_a_port_is_the_hosts() {
    let kind = Kind::of("pods");
    let mut sent = container(json!({"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 82}]}));
    sent["spec"]["hostNetwork"] = true.into();
    let new = accepted("a pod", kind.create(decoded(&kind, sent)));
    let ports: Vec<&Value> = (0..2).map(|index| &new["spec"]["containers"][0]["ports"][index]["hostPort"]).collect();
    assert_eq!(ports, [80, 82]);
}

#[test]
fn volumes_get_their_defaults() {
    let kind = Kind::of("pods");
    let table = [
        (json!({}), json!({"emptyDir": {}})),
        (json!({"secret": {"secretName": "s"}}), json!({"secret": {"secretName": "s", "defaultMode": 420}})),
        (json!({"configMap": {"name": "s"}}), json!({"configMap": {"name": "s", "defaultMode": 420}})),
        (json!({"hostPath": {"path": "/a"}}), json!({"hostPath": {"path": "/a", "type": ""}})),
        (
            json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}),
            json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}], "defaultMode": 420}}),
        ),
        (
            json!({"ephemeral": {"volumeClaimTemplate": {"spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}}}}),
            json!({"ephemeral": {"volumeClaimTemplate": {"metadata": {}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}}}}),
        ),
    ];
    for (sent, mut expected) in table {
        let mut volume = sent.clone();
        volume["name"] = "v".into();
        expected["name"] = "v".into();
        let sent = pod(json!({"volumes": [volume], "serviceAccountName": "s"}));
        let new = accepted("a pod", kind.create(decoded(&kind, sent)));
        assert_eq!(new["spec"]["volumes"], json!([expected]));
    }
}

#[test]
fn latest_is_pulled_anew_and_what_is_pinned_is_not() {
    let kind = Kind::of("pods");
    let table = [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("reg:5000/a", "Always"),
        ("a:1", "IfNotPresent"),
        ("a@sha256:1", "IfNotPresent"),
        ("reg:5000/a:1", "IfNotPresent"),
    ];
    for (image, policy) in table {
        let new = accepted(image, kind.create(container(json!({"image": image}))));
        assert_eq!(new["spec"]["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
}

#[test]
fn the_class_of_service_follows_from_what_is_asked_for() {
    let kind = Kind::of("pods");
    let table = [
        (json!({}), "BestEffort"),
        (json!({"limits": {"cpu": "0", "memory": "0"}}), "BestEffort"),
        (json!({"limits": {"ephemeral-storage": "1Gi"}}), "BestEffort"),
        (json!({"requests": {"memory": "1"}}), "Burstable"),
        (json!({"limits": {"cpu": "1"}}), "Burstable"),
        (json!({"limits": {"cpu": "1", "memory": "1Gi"}}), "Guaranteed"),
        (json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}), "Guaranteed"),
        (json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}), "Burstable"),
    ];
    for (resources, class) in table {
        let new = accepted("a pod", kind.create(decoded(&kind, container(json!({"resources": resources})))));
        assert_eq!(new["status"]["qosClass"], class, "{resources}");
    }
    let mut beside = container(json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}));
    beside["spec"]["initContainers"] = json!([{"name": "i", "image": "b"}]);
    assert_eq!(accepted("a pod", kind.create(beside))["status"]["qosClass"], "Burstable");
}

#[test]
fn a_gated_pod_says_why_it_waits() {
    let kind = Kind::of("pods");
    let new = accepted("a pod", kind.create(pod(json!({"schedulingGates": [{"name": "x"}]}))));
    let condition = json!({
        "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": NOW, "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    });
    assert_eq!(new["status"]["conditions"], json!([condition]));
}

#[test]
fn tolerations_of_everything_are_enough() {
    let kind = Kind::of("pods");
    let all = json!([{"operator": "Exists"}]);
    let new = accepted("a pod", kind.create(pod(json!({"tolerations": all}))));
    assert_eq!(new["spec"]["tolerations"], all);
    let one =
        json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}]);
    let new = accepted("a pod", kind.create(pod(json!({"tolerations": one}))));
    assert_eq!(new["spec"]["tolerations"].as_array().map(Vec::len), Some(2));
    assert_eq!(new["spec"]["tolerations"][0], one[0]);
}

#[test]
fn what_admission_refuses_is_forbidden() {
    let kind = Kind::of("pods");
    let by = "must not be provided in pod spec; priority admission controller computed";
    let table = [
        (json!({"priorityClassName": "nope"}), "no PriorityClass with name nope was found".to_owned()),
        (json!({"priority": 5}), format!("the integer value of priority (5) {by} 0 from the given PriorityClass name")),
        (
            json!({"preemptionPolicy": "X"}),
            format!("the string value of PreemptionPolicy (X) {by} PreemptLowerPriority from the given PriorityClass name"),
        ),
        (json!({"runtimeClassName": "x"}), "pod rejected: RuntimeClass \"x\" not found".to_owned()),
        (
            json!({"overhead": {"cpu": "1"}}),
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead".to_owned(),
        ),
    ];
    for (spec, why) in table {
        let status = kind.create(pod(spec)).unwrap_err();
        assert_eq!((status.code, status.message), (403, format!("pods \"x\" is forbidden: {why}")));
    }
    let new = accepted("a pod", kind.create(pod(json!({"priorityClassName": "system-node-critical"}))));
    assert_eq!(new["spec"]["priority"], 2_000_001_000);
}

/// A pod with a little of everything, to be damaged.
fn full() -> Value {
    let probe = json!({"httpGet": {"port": "web"}, "periodSeconds": 5});
    json!({
        "metadata": {"name": "x", "finalizers": ["a.b/c"]},
        "spec": {
            "nodeName": "n", "nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}],
            "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}], "activeDeadlineSeconds": 5, "hostNetwork": true,
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": {
                "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}]}},
            "containers": [{
                "name": "a", "image": "b", "livenessProbe": probe, "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "ports": [{"containerPort": 80, "name": "web"}], "resources": {"limits": {"cpu": "1", "hugepages-2Mi": "2Mi"}},
                "env": [{"name": "a", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}],
                "envFrom": [{"secretRef": {"name": "a"}}], "volumeMounts": [{"name": "v", "mountPath": "/a"}],
                "volumeDevices": [{"name": "d", "devicePath": "/dev/a"}],
            }],
            "initContainers": [{"name": "i", "image": "b:1"}],
            "volumes": [
                {"name": "v", "projected": {"sources": [{"configMap": {"name": "a", "items": [{"key": "a", "path": "b"}]}},
                    {"downwardAPI": {"items": [{"path": "c", "fieldRef": {"fieldPath": "metadata.labels['a']"}}]}}]}},
                {"name": "d", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}}}}}},
            ],
        },
    })
}

proptest::proptest! {
    #[test]
    fn no_pod_makes_a_rule_panic(damage in any_json(), path in proptest::collection::vec(0..8_usize, 1..8)) {
        let kind = Kind::of("pods");
        let stored = kind.stored(full());
        let hurt = damaged(&stored, &path, &damage);
        let _ = kind.create(hurt.clone());
        let _ = kind.update(&stored, hurt.clone());
        let _ = kind.update(&hurt, stored.clone());
        let _ = kind.change_status(&stored, hurt.clone());
        let _ = crate::write::delete(&kind.resource, &hurt, None, NOW.parse().unwrap());
        let mut decoded = hurt;
        let _ = kind.resource.schema.decode(&mut decoded, "Pod");
        let _ = kind.resource.schema.check_typed(&decoded);
    }
}

#[test]
fn a_pod_that_is_put_back_does_not_change() {
    let kind = Kind::of("pods");
    let stored = kind.stored(decoded(&kind, full()));
    assert_eq!(accepted("the same", kind.update(&stored, decoded(&kind, stored.clone()))), stored);
}
