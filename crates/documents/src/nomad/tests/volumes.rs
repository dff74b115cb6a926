//! Volume specifications.

use super::{problems, read};
use crate::model::SpecKind;

const GOOD: &str = "id = \"v\"\nname = \"v\"\ntype = \"csi\"\nplugin_id = \"p\"\ncapability {\n  access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}\n";

#[track_caller]
fn refused(more: &str, wanted: &str) {
    let told = problems(&format!("{GOOD}{more}")).join("\n");
    assert!(told.contains(wanted), "expected {wanted:?} in:\n{told}");
}

#[test]
fn what_cannot_be_together_is_refused() {
    read(GOOD);
    refused("snapshot_id = \"a\"\nclone_id = \"b\"\n", "clone_id: and snapshot_id are there");
    refused("external_id = \"x\"\nclone_id = \"b\"\n", "there is nothing to create");
    refused("context {\n a = \"b\"\n}\n", "context: is what the plugin answers");
    refused("capacity_min = \"10GiB\"\ncapacity_max = \"10G\"\n", "less than capacity_min");
    refused("capacity_min = \"ten\"\n", "\"ten\" is no size");
    refused(
        "external_id = \"x\"\ntopology_request {\n preferred {\n topology {\n segments {\n a = \"b\"\n }\n }\n }\n}\n",
        "is no wish",
    );
    refused(
        "topology_request {\n required {\n topology {\n segments {\n \"a b\" = \"c\"\n }\n }\n }\n}\n",
        "is not the name of a label",
    );
    refused("topology_request {\n required {\n topology {\n }\n }\n}\n", "has no key");
    refused("capability {\n access_mode = \"single-node-writer\"\n}\n", "attachment_mode: is required");
    let told = problems(&GOOD.replace("type = \"csi\"", "type = \"host\"")).join("\n");
    assert!(told.contains("folders of the host are not CSI volumes"), "{told}");
    let told = problems(&GOOD.replace("name = \"v\"\n", "")).join("\n");
    assert!(told.contains("name: is required to create"), "{told}");
}

#[test]
fn an_unknown_field_is_left_out_with_a_warning() {
    let told: Vec<String> =
        read(&format!("{GOOD}capacity = \"1G\"\naccess_mode = \"x\"\n")).warnings.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("9:1: capacity: has no effect: specification has no such field"), "{told:?}");
    assert!(told[1].contains("an old form"), "{told:?}");
}

#[test]
fn the_json_form_means_the_same() {
    let json = "{\"id\": \"v\", \"name\": \"v\", \"type\": \"csi\", \"plugin_id\": \"p\", \"capacity_min\": \"1GiB\", \"capability\": [{\"access_mode\": \"single-node-writer\", \"attachment_mode\": \"file-system\"}]}";
    let mut hcl = read(&format!("{GOOD}capacity_min = \"1GiB\"\n")).document;
    let json = read(json).document;
    hcl.volumes[0].field.clone_from(&json.volumes[0].field);
    assert_eq!(json, hcl);
}

#[test]
fn a_dollar_brace_in_a_specification_is_text() {
    let SpecKind::Create { parameters, .. } =
        read(&format!("{GOOD}parameters {{\n  path = \"/${{pvc.name}}\"\n}}\n")).document.volumes[0].kind.clone()
    else {
        panic!("created")
    };
    assert_eq!(parameters["path"], "/${pvc.name}");
}
