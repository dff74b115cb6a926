use serde_json::{Value, json};

use super::*;
use crate::{marathon, mesos};

fn app(change: impl FnOnce(&mut Value)) -> Value {
    let mut app = json!({
        "id": "/web",
        "cmd": "echo $(date) $$ $HOME",
        "container": { "type": "MESOS", "volumes": [{
            "containerPath": "data", "mode": "RW",
            "external": { "provider": "csi", "name": "v-1", "options": {
                "pluginName": "p", "capability": { "accessType": "mount", "accessMode": "SINGLE_NODE_WRITER" },
            } },
        }] },
    });
    change(&mut app);
    app
}

fn options(place: Place) -> Options {
    let drivers = BTreeMap::from([("p".to_owned(), "driver.example.com".to_owned())]);
    let image = (place == Place::Cluster).then(|| "busybox".to_owned());
    Options { drivers, image, ..Options::new(place, "default") }
}

fn made(app: &Value, options: &Options) -> Result<Objects, Problems> {
    let parsed = marathon::parse(&app.to_string()).unwrap_or_else(|problems| panic!("{problems}"));
    objects(&parsed.document, options, &Lines::default())
}

fn of_kind(objects: &Objects, kind: &str) -> Vec<Value> {
    objects.objects.iter().map(|object| object.body.to_json()).filter(|object| object["kind"] == kind).collect()
}

fn access(mode: &str, access: &str) -> Value {
    app(|app| {
        let volume = &mut app["container"]["volumes"][0];
        volume["mode"] = json!(mode);
        volume["external"]["options"]["capability"]["accessMode"] = json!(access);
    })
}

#[test]
fn an_access_mode_that_kubernetes_cannot_say_is_annotated_and_for_a_cluster_warned_of() {
    for (mode, csi, said, exact) in [
        ("rw", "SINGLE_NODE_WRITER", "ReadWriteOnce", true),
        ("ro", "SINGLE_NODE_READER_ONLY", "ReadWriteOnce", false),
        ("ro", "MULTI_NODE_READER_ONLY", "ReadOnlyMany", true),
        ("rw", "MULTI_NODE_SINGLE_WRITER", "ReadWriteOnce", false),
        ("ro", "MULTI_NODE_SINGLE_WRITER", "ReadOnlyMany", false),
        ("rw", "MULTI_NODE_MULTI_WRITER", "ReadWriteMany", true),
    ] {
        for place in [Place::Cluster, Place::Host] {
            let made = made(&access(mode, csi), &options(place)).expect("made");
            let pv = &of_kind(&made, "PersistentVolume")[0];
            assert_eq!(pv["spec"]["accessModes"], json!([said]), "{csi}");
            let annotation = &pv["metadata"]["annotations"][ACCESS_MODE];
            assert_eq!(annotation, &if exact { Value::Null } else { json!(csi) }, "{csi}");
            assert_eq!(made.warnings.len(), usize::from(!exact && place == Place::Cluster), "{csi}: {:?}", made.warnings);
            assert_eq!(&of_kind(&made, "PersistentVolumeClaim")[0]["spec"]["accessModes"], &pv["spec"]["accessModes"]);
        }
    }
}

#[test]
fn a_claim_and_its_volume_name_each_other() {
    let made = made(&app(|_| {}), &options(Place::Host)).expect("made");
    let (pv, claim) = (&of_kind(&made, "PersistentVolume")[0], &of_kind(&made, "PersistentVolumeClaim")[0]);
    assert_eq!(claim["spec"]["volumeName"], pv["metadata"]["name"]);
    assert_eq!(pv["spec"]["claimRef"]["name"], claim["metadata"]["name"]);
    assert_eq!(pv["spec"]["csi"]["volumeHandle"], "v-1");
    assert_eq!(pv["spec"]["csi"]["driver"], "driver.example.com");
    assert_eq!(pv["spec"]["persistentVolumeReclaimPolicy"], "Retain", "it was there before");
}

#[test]
fn a_shells_dollars_are_the_shells() {
    for (text, expected) in
        [("$(date)", "$$(date)"), ("$$", "$$$"), ("$HOME", "$HOME"), ("a$", "a$"), ("$$(x)", "$$$$(x)"), ("${A}", "${A}")]
    {
        assert_eq!(dollars(text), expected);
    }
    let pod = of_kind(&made(&app(|_| {}), &options(Place::Host)).expect("made"), "Pod").remove(0);
    assert_eq!(pod["spec"]["containers"][0]["command"], json!(["/bin/sh", "-c", "echo $$(date) $$$ $HOME"]));
}

#[test]
fn a_host_runs_commands_and_a_cluster_images() {
    let image = app(|app| app["container"]["docker"] = json!({ "image": "nginx" }));
    let said = made(&image, &options(Place::Host)).expect_err("no images here").to_string();
    assert!(said.contains("\"nginx\"") && said.contains("without images"), "{said}");
    let without = Options { image: None, ..options(Place::Cluster) };
    let said = made(&app(|_| {}), &without).expect_err("no image").to_string();
    assert!(said.contains("--image"), "{said}");
    let deployment = of_kind(&made(&image, &options(Place::Cluster)).expect("made"), "Deployment").remove(0);
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "nginx");
    assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate", "its volume is for one pod");
}

#[test]
fn instances_on_a_host_are_pods_that_share_their_volume() {
    let mut document = access("rw", "MULTI_NODE_MULTI_WRITER");
    document["instances"] = json!(3);
    let made = made(&document, &options(Place::Host)).expect("made");
    let names: Vec<Value> = of_kind(&made, "Pod").iter().map(|pod| pod["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["web-0", "web-1", "web-2"]);
    assert_eq!(of_kind(&made, "PersistentVolume").len(), 1);
    document["instances"] = json!(0);
    assert!(of_kind(&super::tests::made(&document, &options(Place::Host)).expect("made"), "Pod").is_empty());
}

#[test]
fn a_path_that_has_to_be_on_the_host_is_told_to_who_runs_the_pod() {
    let document = app(|app| app["container"]["volumes"][0]["containerPath"] = json!("/srv/data"));
    let pod = of_kind(&made(&document, &options(Place::Host)).expect("made"), "Pod").remove(0);
    assert_eq!(pod["metadata"]["annotations"][EXISTING_PATHS], json!("{\"web\":[\"/srv/data\"]}"));
    let pod = of_kind(&made(&app(|_| {}), &options(Place::Host)).expect("made"), "Pod").remove(0);
    assert!(pod["metadata"]["annotations"].get(EXISTING_PATHS).is_none());
    assert_eq!(pod["metadata"]["annotations"][RESTART_BACKOFF], "first=1s,factor=1.15,longest=300s");
}

#[test]
fn a_plugin_without_a_name_in_csi_is_refused_with_what_to_give() {
    let unknown = Options { drivers: BTreeMap::new(), ..options(Place::Cluster) };
    let said = made(&app(|_| {}), &unknown).expect_err("refused").to_string();
    assert!(said.contains("pluginName") && said.contains("--driver p=CSI-NAME"), "{said}");
}

#[test]
fn a_user_is_a_number_or_known_here() {
    let with = |user: &str| app(|app| app["user"] = json!(user));
    let said = made(&with("nobody"), &options(Place::Cluster)).expect_err("a name").to_string();
    assert!(said.contains("user:") && said.contains("numbers only"), "{said}");
    let here = Options { users: BTreeMap::from([("nobody".to_owned(), (65534, 65533))]), ..options(Place::Host) };
    let pod = of_kind(&made(&with("nobody"), &here).expect("made"), "Pod").remove(0);
    assert_eq!(pod["spec"]["containers"][0]["securityContext"], json!({ "runAsUser": 65534, "runAsGroup": 65533 }));
    let pod = of_kind(&made(&with("1000:100"), &options(Place::Host)).expect("made"), "Pod").remove(0);
    assert_eq!(pod["spec"]["containers"][0]["securityContext"], json!({ "runAsUser": 1000, "runAsGroup": 100 }));
}

#[test]
fn a_block_volume_is_a_device() {
    let text = json!({
        "command": { "value": "cat disk" },
        "container": { "type": "MESOS", "volumes": [{ "container_path": "disk", "mode": "RW", "source": {
            "type": "CSI_VOLUME", "csi_volume": { "plugin_name": "p", "static_provisioning": {
                "volume_id": "d", "volume_capability": { "block": {}, "access_mode": { "mode": "SINGLE_NODE_WRITER" } },
            } },
        } }] },
    });
    let parsed = mesos::parse(&text.to_string(), &mesos::Given::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let made = objects(&parsed.document, &options(Place::Host), &Lines::default()).expect("made");
    let pod = of_kind(&made, "Pod").remove(0);
    assert_eq!(
        pod["spec"]["containers"][0]["volumeDevices"],
        json!([{ "name": "volume-0", "devicePath": "/mnt/mesos/sandbox/disk" }])
    );
    assert_eq!(of_kind(&made, "PersistentVolume")[0]["spec"]["volumeMode"], "Block");
}

#[test]
fn an_annotation_of_ours_is_not_a_documents_to_set() {
    let document = app(|app| {
        app["labels"] = json!({ "team": "a", "longshore.io/id": "x", "csi.longshore.io/access-mode": "y", "bad name": "z" })
    });
    let made = made(&document, &options(Place::Host)).expect("made");
    let pod = of_kind(&made, "Pod").remove(0);
    assert_eq!(pod["metadata"]["annotations"]["team"], "a");
    assert_eq!(pod["metadata"]["annotations"][ID], "/web");
    assert_eq!(made.warnings.len(), 3, "{:?}", made.warnings);
}
