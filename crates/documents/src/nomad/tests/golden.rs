//! What the documents become, beside them: `NAME.cluster.yaml` and `NAME.host.yaml`. With `WRITE=1` they are written anew.

use std::collections::BTreeMap;

use super::super::{Inputs, parse_located};
use super::file;
use crate::kubernetes::{Objects, Options, Place, objects};

fn options(place: Place) -> Options {
    let drivers = [
        ("csi-hostpath", "hostpath.example.com"),
        ("aws-ebs0", "ebs.csi.aws.com"),
        ("aws-efs0", "efs.csi.aws.com"),
        ("nfs", "nfs.example.com"),
    ];
    Options {
        drivers: drivers.map(|(alias, driver)| (alias.to_owned(), driver.to_owned())).into(),
        image: (place == Place::Cluster).then(|| "busybox".to_owned()),
        ..Options::new(place, "default")
    }
}

fn made(text: &str, place: Place) -> Result<Objects, Vec<String>> {
    let (parsed, lines) = parse_located(text, &Inputs::default(), None).unwrap_or_else(|problems| panic!("{problems}"));
    objects(&parsed.document, &options(place), &lines)
        .map_err(|problems| problems.0.problems.iter().map(ToString::to_string).collect())
}

fn compare(name: &str, place: Place, word: &str) {
    let made = made(&file(name), place).unwrap_or_else(|problems| panic!("{name}: {problems:?}")).to_yaml();
    let beside = format!("{}.{word}.yaml", name.rsplit_once('.').expect("a name").0);
    if std::env::var_os("WRITE").is_some() {
        let path = format!("{}/../../tests/documents/nomad/{beside}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, &made).expect("written");
    }
    assert_eq!(made, file(&beside), "{beside}");
}

#[test]
fn documents_become_the_objects_beside_them() {
    for name in
        ["hostpath-consumer.hcl", "hostpath-volume.hcl", "ebs-volume.hcl", "ebs-register.hcl", "api-job.json", "api-volumes.json"]
    {
        compare(name, Place::Cluster, "cluster");
        compare(name, Place::Host, "host");
    }
}

#[test]
fn plugins_become_the_objects_beside_them() {
    for name in ["plugin-efs.hcl", "hostpath.hcl", "ebs-controller.hcl", "ebs-node.hcl", "nfs.hcl"] {
        compare(name, Place::Cluster, "cluster");
        assert_eq!(
            made(&file(name), Place::Host).expect("made").objects,
            [],
            "{name}: on a host they are run by Longshore itself"
        );
    }
}

#[test]
fn yaml_is_read_back_as_what_was_written() {
    for name in ["hostpath-consumer.hcl", "ebs-volume.hcl", "api-job.json"] {
        let made = made(&file(name), Place::Cluster).expect("made");
        let read: Vec<serde_json::Value> = serde_yaml::Deserializer::from_str(&made.to_yaml())
            .map(|document| serde::Deserialize::deserialize(document).expect("YAML"))
            .collect();
        assert_eq!(read, made.objects.iter().map(|object| object.body.to_json()).collect::<Vec<_>>(), "{name}");
    }
}

const VOLUME: &str = "id = \"a[0]\"\nname = \"n\"\nplugin_id = \"csi-hostpath\"\ncapability {\n access_mode = \"single-node-writer\"\n attachment_mode = \"file-system\"\n}\n";

#[test]
fn ids_that_would_share_a_name_are_refused() {
    let volume = |id: &str| {
        format!(
            "{{\"ID\":\"{id}\",\"Name\":\"n\",\"PluginID\":\"csi-hostpath\",\"RequestedCapabilities\":[{{\"AccessMode\":\"single-node-writer\",\"AttachmentMode\":\"file-system\"}}]}}"
        )
    };
    let text = format!("{{\"Volumes\":[{},\n{}]}}", volume("a[0]"), volume("a-0"));
    let told = made(&text, Place::Host).expect_err("one name");
    assert!(told[0].contains("\"a-0\" and \"a[0]\" would both be called a-0"), "{told:?}");
    assert!(told[0].starts_with("2:1: Volumes[1]: "), "{told:?}");
}

#[test]
fn a_source_is_a_snapshot_that_is_made_known_and_a_clone_is_refused() {
    let made = |more: &str, place| made(&format!("{VOLUME}{more}\n"), place);
    let cluster = made("snapshot_id = \"snap-1\"", Place::Cluster).expect("made");
    let kinds: Vec<_> = cluster.objects.iter().map(|object| object.body.to_json()["kind"].clone()).collect();
    assert_eq!(kinds, ["VolumeSnapshotContent", "VolumeSnapshot", "StorageClass", "PersistentVolumeClaim"]);
    assert_eq!(cluster.objects[3].body.to_json()["spec"]["dataSource"]["name"], "a-0-source");
    assert!(made("snapshot_id = \"snap-1\"", Place::Host).expect_err("no snapshots")[0].contains("keeps no snapshots"));
    assert!(made("clone_id = \"v-1\"", Place::Cluster).expect_err("no clones by id")[0].contains("Kubernetes clones claims"));
}

#[test]
fn a_plugin_that_nobody_knows_is_asked_for_at_its_place() {
    let (parsed, lines) = parse_located(VOLUME, &Inputs::default(), None).expect("good");
    let nobody = Options { drivers: BTreeMap::new(), ..options(Place::Cluster) };
    let told = objects(&parsed.document, &nobody, &lines).expect_err("not known");
    assert!(told.to_string().contains("--driver csi-hostpath=CSI-NAME"), "{told}");
}

#[test]
fn a_nodes_name_is_its_pods_field() {
    let text = super::job("", "env {\n A = \"on-${node.unique.name}\"\n B = \"$(date)\"\n}");
    let made = made(&text, Place::Host).expect("made").objects[0].body.to_json();
    let env = made["spec"]["containers"][0]["env"].as_array().expect("variables").clone();
    let at = |name: &str| env.iter().position(|variable| variable["name"] == name).expect("there");
    assert!(at("NOMAD_NODE_NAME") < at("A"), "a variable is used by those behind it");
    assert_eq!(env[at("A")]["value"], "on-$(NOMAD_NODE_NAME)");
    assert_eq!(env[at("B")]["value"], "$$(date)");
    assert_eq!(env[at("NOMAD_NODE_NAME")]["valueFrom"]["fieldRef"]["fieldPath"], "spec.nodeName");
}
