use serde_json::{Value, json};

use super::*;

fn pod(spec: Value) -> Pod {
    let meta = json!({ "name": "web", "namespace": "a", "uid": "u", "labels": { "app": "x" } });
    serde_json::from_value(json!({ "metadata": meta, "spec": spec })).expect("a pod")
}

fn launched(pod: &Pod, looked: &Looked, mounted: &Mounted) -> Result<Launch, String> {
    let container = &pod.spec.as_ref().expect("a spec").containers[0];
    launch(pod, container, &Around { mounted, looked, empty_dirs: Path::new("/e"), dir: Path::new("/d") })
}

fn mounted() -> Mounted {
    serde_json::from_value(json!({
        "podUid": "u", "ready": true, "fsGroup": 2000,
        "volumes": [{ "name": "data", "mode": "Filesystem", "path": "/k/mount", "readOnly": true }],
    }))
    .expect("what node-mounter writes")
}

#[test]
fn a_container_gets_its_command_environment_mounts_and_groups() {
    let pod = pod(json!({
        "securityContext": { "runAsUser": 1000, "supplementalGroups": [7] },
        "containers": [{
            "name": "c", "command": ["/bin/echo", "$(NAME)", "$$(NAME)", "$(NONE)"], "args": ["$(BOTH)"],
            "env": [
                { "name": "NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
                { "name": "APP", "valueFrom": { "fieldRef": { "fieldPath": "metadata.labels['app']" } } },
                { "name": "BOTH", "value": "$(NAME)-$(APP)" },
            ],
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }, { "name": "tmp", "mountPath": "/t", "subPath": "in/side" }],
        }],
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }, { "name": "tmp", "emptyDir": {} }],
    }));
    let launch = launched(&pod, &Looked::default(), &mounted()).expect("everything is there");
    assert_eq!(launch.command, ["/bin/echo", "web", "$(NAME)", "$(NONE)", "web-x"]);
    assert_eq!((launch.user, launch.groups), (Some(1000), vec![7, 2000]));
    assert!(launch.env.contains(&("BOTH".into(), "web-x".into())));
    let [data, tmp] = launch.mounts.as_slice() else { panic!("two mounts") };
    assert!(matches!(&data.source, Source::Path(path) if path == Path::new("/k/mount")) && data.read_only);
    assert!(matches!(&tmp.source, Source::SubPath(dir, sub) if dir == Path::new("/e/tmp") && sub == Path::new("in/side")));
}

#[test]
fn config_maps_and_secrets_become_variables_and_files() {
    let pod = pod(json!({
        "containers": [{
            "name": "c", "command": ["x"],
            "envFrom": [{ "prefix": "P_", "configMapRef": { "name": "settings" } }],
            "env": [{ "name": "KEY", "valueFrom": { "secretKeyRef": { "name": "keys", "key": "k" } } }],
            "volumeMounts": [{ "name": "keys", "mountPath": "/keys" }, { "name": "one", "mountPath": "/one", "subPath": "renamed" }],
        }],
        "volumes": [
            { "name": "keys", "secret": { "secretName": "keys", "defaultMode": 256 } },
            { "name": "one", "configMap": { "name": "settings", "items": [{ "key": "a", "path": "renamed" }] } },
        ],
    }));
    let needed = needs(&pod, &pod.spec.as_ref().expect("a spec").containers[0]);
    assert_eq!((needed.config_maps.len(), needed.secrets.len()), (1, 1));
    let mut looked = Looked::default();
    let why = launched(&pod, &looked, &Mounted::default()).err().expect("refused");
    assert!(why.contains("ConfigMap settings"), "{why}");
    looked.config_maps.insert("settings".into(), BTreeMap::from([("a".into(), b"1".to_vec())]));
    looked.secrets.insert("keys".into(), BTreeMap::from([("k".into(), b"s3cret".to_vec())]));
    let launch = launched(&pod, &looked, &Mounted::default()).expect("everything is there");
    assert!(launch.env.contains(&("P_a".into(), "1".into())) && launch.env.contains(&("KEY".into(), "s3cret".into())));
    assert!(matches!(&launch.mounts[0].source, Source::Files(files) if files["k"] == (b"s3cret".to_vec(), 0o400)));
    assert!(matches!(&launch.mounts[1].source, Source::File(bytes, _) if bytes == b"1"));
}

#[test]
fn what_cannot_run_here_is_one_sentence() {
    for (spec, word) in [
        (json!({ "containers": [{ "name": "c", "image": "nginx" }] }), "no command"),
        (
            json!({ "containers": [{ "name": "c", "command": ["x"] }], "volumes": [{ "name": "v", "nfs": { "server": "s", "path": "/" } }] }),
            "volume v",
        ),
        (
            json!({
                "containers": [{ "name": "c", "command": ["x"] }],
                "initContainers": [{ "name": "i", "command": ["x"], "restartPolicy": "Always" }],
            }),
            "sidecar",
        ),
    ] {
        let why = unfit(pod(spec.clone()).spec.as_ref().expect("a spec")).expect("unfit");
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn a_path_of_a_file_cannot_leave_its_volume() {
    let pod = pod(json!({
        "containers": [{ "name": "c", "command": ["x"], "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
        "volumes": [{ "name": "v", "configMap": { "name": "s", "items": [{ "key": "a", "path": "../../etc/passwd" }] } }],
    }));
    let mut looked = Looked::default();
    looked.config_maps.insert("s".into(), BTreeMap::from([("a".into(), vec![])]));
    assert!(launched(&pod, &looked, &Mounted::default()).is_err());
}

#[test]
fn dollars_that_are_no_variables_stay() {
    let known = BTreeMap::from([("A", "1")]);
    for (text, expected) in [("$", "$"), ("$(A", "$(A"), ("$A", "$A"), ("$$$(A)", "$1"), ("a$(A)b$(A)", "a1b1"), ("", "")] {
        assert_eq!(env::expand(text, &known), expected, "{text}");
    }
}
