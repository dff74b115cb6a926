use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{Command, EnvValue, FileData, Hidden, SecretValue, Target};

fn volume() -> Value {
    json!({
        "container_path": "volume", "mode": "RW",
        "source": { "type": "CSI_VOLUME", "csi_volume": { "plugin_name": "p", "static_provisioning": {
            "volume_id": "v-1",
            "volume_capability": { "mount": {}, "access_mode": { "mode": "SINGLE_NODE_WRITER" } },
        } } },
    })
}

fn task(change: impl FnOnce(&mut Value)) -> Value {
    let mut task = json!({
        "name": "t", "task_id": { "value": "t.1" }, "agent_id": { "value": "" },
        "command": { "value": "echo x > volume/file" },
        "container": { "type": "MESOS", "volumes": [volume()] },
    });
    change(&mut task);
    task
}

fn read(value: &Value) -> Result<Parsed, Problems> {
    parse(&value.to_string(), &Given::default())
}

fn one(value: &Value) -> Workload {
    read(value).unwrap_or_else(|problems| panic!("{problems}")).document.workloads.remove(0)
}

fn refused(value: &Value) -> String {
    read(value).expect_err("refused").to_string()
}

const KNOWN: &str = "/container/volumes/0/source/csi_volume/static_provisioning";

fn at<'a>(task: &'a mut Value, pointer: &str) -> &'a mut Value {
    task.pointer_mut(pointer).expect("a field of the task")
}

#[test]
fn a_task_is_run_once() {
    let task = one(&task(|_| {}));
    assert_eq!((task.id.as_str(), task.name.as_str()), ("t.1", "t-1"));
    assert_eq!((task.kind, task.restart), (Kind::Once, Restart::Never));
    assert_eq!(task.tasks[0].mounts[0].target, Target::Sandbox("volume".to_owned()));
    assert_eq!(task.placement.node, None, "an empty agent is any");
}

#[test]
fn json_is_read_as_mesos_reads_it() {
    let read = one(&task(|task| {
        task["resources"] = json!({ "name": "mem", "type": "SCALAR", "scalar": { "value": "32" } });
        task["command"]["environment"] = json!({ "variables": { "name": "A", "value": 7 } });
        task["container"]["volumes"] = volume();
        task["executor"] = json!(null);
    }));
    assert_eq!(read.tasks[0].resources.memory, Some(32 << 20), "a number as a text, and one value for a list");
    assert_eq!(read.tasks[0].env["A"], EnvValue::Text("7".to_owned()));
    assert_eq!(read.volumes.len(), 1);
}

#[test]
fn a_field_that_mesos_would_ignore_is_named() {
    let parsed = read(&task(|task| at(task, KNOWN)["volumeid"] = json!("x"))).expect("read");
    let said = parsed.warnings[0].to_string();
    assert!(said.contains("static_provisioning.volumeid") && said.contains("did you mean volume_id?"), "{said}");
}

#[test]
fn a_volume_has_exactly_one_kind_and_a_capability_one_access_type() {
    for (change, word) in [
        (json!({ "host_path": "/x" }), "host_path and source"),
        (json!({ "source": null }), "no kind"),
        (json!({ "mode": null }), "mode: is required"),
        (json!({ "mode": "rw" }), "it is written RW here"),
    ] {
        let said = refused(&task(|task| {
            let volume = at(task, "/container/volumes/0").as_object_mut().expect("an object");
            volume.extend(change.as_object().expect("an object").clone());
        }));
        assert!(said.contains(word), "{said}");
    }
    let said = refused(&task(|task| at(task, &format!("{KNOWN}/volume_capability"))["block"] = json!({})));
    assert!(said.contains("block: and mount are both given"), "{said}");
    let said =
        refused(&task(|task| at(task, KNOWN)["volume_capability"] = json!({ "access_mode": { "mode": "SINGLE_NODE_WRITER" } })));
    assert!(said.contains("neither mount nor block"), "{said}");
}

#[test]
fn reading_only_is_said_by_the_mode() {
    let said = refused(&task(|task| {
        *at(task, &format!("{KNOWN}/volume_capability/access_mode/mode")) = json!("MULTI_NODE_READER_ONLY")
    }));
    assert!(said.contains("mode: is RW, but access_mode MULTI_NODE_READER_ONLY"), "{said}");
    let said = refused(&task(|task| at(task, KNOWN)["readonly"] = json!(true)));
    assert!(said.contains("readonly: is true"), "{said}");
    let both = task(|task| {
        at(task, KNOWN)["readonly"] = json!(true);
        *at(task, "/container/volumes/0/mode") = json!("RO");
    });
    assert!(one(&both).tasks[0].mounts[0].read_only);
}

#[test]
fn secrets_come_by_name_or_by_value_and_are_never_shown() {
    let read = one(&task(|task| {
        at(task, KNOWN)["node_stage_secrets"] = json!({
            "user": { "type": "REFERENCE", "reference": { "name": "store", "key": "user" } },
            "password": { "type": "VALUE", "value": { "data": "aHVudGVyMg==" } },
        });
    }));
    let Source::Csi(csi) = &read.volumes[0].source else { panic!("a CSI volume") };
    assert_eq!(csi.stage_secrets["password"], SecretValue::Value(Hidden::new("hunter2")));
    assert!(!format!("{read:?}").contains("hunter2"));
    for bad in [
        json!({ "type": "VALUE", "value": { "data": "hunter2!" } }),
        json!({ "type": "VALUE", "reference": { "name": "hunter2" }, "value": { "data": "aHVudGVyMg==" } }),
        json!({ "type": "UNKNOWN" }),
        json!({ "value": { "data": "aHVudGVyMg==" } }),
    ] {
        let said = refused(&task(|task| at(task, KNOWN)["node_publish_secrets"] = json!({ "k": bad })));
        assert!(said.contains("node_publish_secrets.k") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_table_of_container_path_is_mesos_own() {
    let target = |path: &str, image: bool| {
        let read = one(&task(|task| {
            *at(task, "/container/volumes/0/container_path") = json!(path);
            if image {
                task["container"]["mesos"] = json!({ "image": { "type": "DOCKER", "docker": { "name": "busybox" } } });
            }
        }));
        read.tasks[0].mounts[0].target.clone()
    };
    assert_eq!(target("/data", true), Target::Made("/data".to_owned()));
    assert_eq!(target("/data", false), Target::Existing("/data".to_owned()));
    assert_eq!(target("data", true), Target::Sandbox("data".to_owned()));
    assert_eq!(target("data", false), Target::Sandbox("data".to_owned()));
}

#[test]
fn a_command_is_a_shells_or_an_argv() {
    let command = |command: Value| one(&task(|task| task["command"] = command)).tasks[0].command.clone();
    assert_eq!(command(json!({ "value": "a b" })), Command::Shell("a b".to_owned()));
    let argv = json!({ "shell": false, "value": "/bin/cat", "arguments": ["cat", "file"] });
    assert_eq!(command(argv), Command::Argv(vec!["/bin/cat".to_owned(), "file".to_owned()]));
    for bad in [json!({}), json!({ "shell": false }), json!({ "value": "" })] {
        assert!(read(&task(|task| task["command"] = bad.clone())).is_err(), "{bad}");
    }
}

#[test]
fn a_volume_is_in_a_container_once() {
    let said = refused(&task(|task| {
        let mut second = volume();
        second["container_path"] = json!("other");
        task["container"]["volumes"].as_array_mut().expect("a list").push(second);
    }));
    assert!(said.contains("\"v-1\" of this plugin is in this container already"), "{said}");
}

#[test]
fn dockers_containers_have_no_csi_volumes() {
    let said = refused(&task(|task| {
        task["container"]["type"] = json!("DOCKER");
        task["container"]["docker"] = json!({ "image": "busybox" });
    }));
    assert!(said.contains("type MESOS"), "{said}");
}

#[test]
fn tasks_of_a_group_share_what_their_parent_has() {
    let parent = json!({ "container_path": "shared", "mode": "RW", "source": { "type": "SANDBOX_PATH", "sandbox_path": { "type": "PARENT", "path": "s" } } });
    let with = |name: &str| {
        task(|task| {
            task["name"] = json!(name);
            task["container"]["volumes"] = json!([parent]);
        })
    };
    let group = one(&json!({ "tasks": [with("a"), with("b")] }));
    assert_eq!((group.tasks.len(), group.volumes.len()), (2, 1));
    assert_eq!(group.tasks[0].mounts[0].volume, group.tasks[1].mounts[0].volume);
    let said = refused(&json!({ "tasks": [with("a"), with("a")] }));
    assert!(said.contains("tasks[1]") && said.contains("twice"), "{said}");
}

#[test]
fn a_list_of_volumes_and_a_container_need_a_command() {
    for value in [json!([volume()]), json!({ "type": "MESOS", "volumes": [volume()] })] {
        assert!(refused(&value).contains("--command"));
        let given = Given { command: Some("cat volume/x".to_owned()), name: Some("reader".to_owned()) };
        let parsed = parse(&value.to_string(), &given).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(parsed.document.workloads[0].name, "reader");
    }
    let given = Given { command: Some("x".to_owned()), name: None };
    let text = "[\n  {\n    \"container_path\": \"v\",\n    \"mode\": \"RX\"\n  }\n]";
    let said = parse(text, &given).expect_err("refused").to_string();
    assert!(said.starts_with("2:3: [0]: is of no kind") || said.starts_with("4:5: [0].mode:"), "{said}");
}

#[test]
fn a_secret_can_be_a_file() {
    let read = one(&task(|task| {
        let secret = json!({ "type": "SECRET", "secret": { "type": "REFERENCE", "reference": { "name": "cert" } } });
        task["container"]["volumes"] = json!([{ "container_path": "etc/cert", "mode": "RO", "source": secret }]);
    }));
    let Source::Files(files) = &read.volumes[0].source else { panic!("files") };
    assert_eq!(files["value"], FileData::Secret(SecretValue::named("cert")));
}

fn odd() -> impl Strategy<Value = Value> {
    let words = ["MESOS", "RW", "CSI_VOLUME", "SECRET", "REFERENCE", "VALUE", "SCALAR", "mem", "/a", "a", "HTTP", "UNKNOWN"];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z/.=]{0,6}".prop_map(Value::from),
        (0..words.len()).prop_map(move |index| Value::from(words[index])),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        let name = proptest::sample::select(TASK)
            .prop_map(|field| field.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").to_owned());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_value_of_any_field_has_an_answer(field in proptest::sample::select(TASK), value in odd(), within in 0..3) {
        let mut document = task(|_| {});
        let name = field.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
        match within {
            0 => document[name] = value,
            1 => at(&mut document, KNOWN)[name] = value,
            _ => at(&mut document, "/container/volumes/0")[name] = value,
        }
        if let Err(Problems(notes)) = read(&document) {
            prop_assert!(!notes.problems.is_empty());
            prop_assert!(notes.problems.iter().all(|note| note.place.is_some() && !note.reason.is_empty()), "{:?}", notes);
        }
    }

    #[test]
    fn any_document_has_an_answer(value in odd(), listed in any::<bool>()) {
        let value = if listed { json!([value]) } else { value };
        let _ = parse(&value.to_string(), &Given { command: Some("x".to_owned()), name: None });
    }
}
