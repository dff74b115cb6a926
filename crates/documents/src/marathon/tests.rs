use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{Command, EnvValue, Kind, Source, Target, Workload};

fn app(change: impl FnOnce(&mut Value)) -> Value {
    let mut app = json!({
        "id": "web",
        "cmd": "sleep 1",
        "container": { "type": "MESOS", "volumes": [{
            "containerPath": "data",
            "mode": "RW",
            "external": { "provider": "csi", "name": "v-1", "options": {
                "pluginName": "p",
                "capability": { "accessType": "mount", "accessMode": "SINGLE_NODE_WRITER", "fsType": "ext4" },
            } },
        }] },
    });
    change(&mut app);
    app
}

const OPTIONS: &str = "/container/volumes/0/external/options";

fn at<'a>(app: &'a mut Value, pointer: &str) -> &'a mut Value {
    app.pointer_mut(pointer).expect("a field of the app")
}

fn read(value: &Value) -> Result<Parsed, Problems> {
    parse(&value.to_string())
}

fn one(value: &Value) -> Workload {
    let mut parsed = read(value).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(parsed.document.workloads.len(), 1);
    parsed.document.workloads.remove(0)
}

/// What is said of a document that is refused.
fn refused(value: &Value) -> String {
    read(value).expect_err("refused").to_string()
}

#[test]
fn an_app_is_a_service_that_always_starts_again() {
    let app = one(&app(|_| {}));
    assert_eq!((app.id.as_str(), app.name.as_str()), ("/web", "web"));
    assert_eq!((app.kind, app.restart), (Kind::Service { instances: 1 }, crate::model::Restart::Always));
    assert_eq!(app.tasks[0].command, Command::Shell("sleep 1".to_owned()));
    let backoff = app.backoff.expect("Marathon's");
    assert_eq!((backoff.first.as_secs(), backoff.factor, backoff.longest.as_secs()), (1, 1.15, 300));
}

#[test]
fn words_of_enumerations_are_read_in_any_case_but_csis_are_not() {
    assert!(read(&app(|app| *at(app, "/container/volumes/0/mode") = json!("rW"))).is_ok());
    assert!(read(&app(|app| app["container"]["type"] = json!("mesos"))).is_ok());
    let said = refused(&app(|app| *at(app, &format!("{OPTIONS}/capability/accessMode")) = json!("single_node_writer")));
    assert!(said.contains("accessMode") && said.contains("it is written SINGLE_NODE_WRITER here"), "{said}");
}

#[test]
fn a_mode_that_contradicts_the_access_mode_is_refused() {
    for mode in ["SINGLE_NODE_READER_ONLY", "MULTI_NODE_READER_ONLY"] {
        let mut document = app(|app| *at(app, &format!("{OPTIONS}/capability/accessMode")) = json!(mode));
        let said = refused(&document);
        assert!(said.contains("volumes[0].mode: is rw, but accessMode") && said.contains(mode), "{said}");
        *at(&mut document, "/container/volumes/0/mode") = json!("ro");
        assert!(read(&document).is_ok());
    }
}

#[test]
fn several_instances_need_volumes_for_several() {
    let with = |mode: &str, access: &str| {
        app(|app| {
            app["instances"] = json!(2);
            *at(app, "/container/volumes/0/mode") = json!(mode);
            *at(app, &format!("{OPTIONS}/capability/accessMode")) = json!(access);
        })
    };
    for (mode, access) in [("rw", "SINGLE_NODE_WRITER"), ("ro", "SINGLE_NODE_READER_ONLY"), ("rw", "MULTI_NODE_SINGLE_WRITER")] {
        let said = refused(&with(mode, access));
        assert!(said.contains("instances: is 2") && said.contains(access), "{said}");
    }
    for (mode, access) in
        [("rw", "MULTI_NODE_MULTI_WRITER"), ("ro", "MULTI_NODE_READER_ONLY"), ("ro", "MULTI_NODE_SINGLE_WRITER")]
    {
        assert!(read(&with(mode, access)).is_ok(), "{mode} {access}");
    }
}

#[test]
fn one_volume_for_one_writer_among_others_is_enough_to_refuse_instances() {
    // Marathon asks whether all volumes are like this.
    let said = refused(&app(|app| {
        app["instances"] = json!(2);
        *at(app, &format!("{OPTIONS}/capability/accessMode")) = json!("MULTI_NODE_MULTI_WRITER");
        let mut second = app["container"]["volumes"][0].clone();
        second["containerPath"] = json!("more");
        second["external"]["name"] = json!("v-2");
        second["external"]["options"]["capability"]["accessMode"] = json!("MULTI_NODE_SINGLE_WRITER");
        app["container"]["volumes"].as_array_mut().expect("a list").push(second);
    }));
    assert!(said.contains("\"v-2\""), "{said}");
}

#[test]
fn a_volume_for_one_app_is_not_used_by_two() {
    let second = app(|app| app["id"] = json!("other"));
    let said = refused(&json!([app(|_| {}), second]));
    assert!(said.contains("is used by app /web as well"), "{said}");
    let single = |mode: &str, id: &str| {
        app(|app| {
            app["id"] = json!(id);
            *at(app, "/container/volumes/0/mode") = json!(mode);
            *at(app, &format!("{OPTIONS}/capability/accessMode")) = json!("MULTI_NODE_SINGLE_WRITER");
        })
    };
    assert!(read(&json!([single("rw", "a"), single("ro", "b"), single("ro", "c")])).is_ok(), "one writer, many readers");
    assert!(read(&json!([single("rw", "a"), single("rw", "b")])).is_err(), "two writers");
}

#[test]
fn fs_type_and_flags_are_read_in_both_places_and_must_agree() {
    let document = app(|app| {
        at(app, &format!("{OPTIONS}/capability")).as_object_mut().expect("an object").remove("fsType");
        at(app, OPTIONS)["accessType"] = json!({ "fsType": "xfs", "mountFlags": ["noexec", "sync"] });
    });
    let app_read = one(&document);
    let Source::Csi(csi) = &app_read.volumes[0].source else { panic!("a CSI volume") };
    let expected = csi_types::AccessType::Mount {
        fs_type: "xfs".to_owned(),
        mount_flags: vec!["noexec".to_owned(), "sync".to_owned()],
        volume_mount_group: String::new(),
    };
    assert_eq!(csi.capability.access_type, expected);
    let said = refused(&app(|app| at(app, OPTIONS)["accessType"] = json!({ "fsType": "xfs" })));
    assert!(said.contains("accessType.fsType") && said.contains("capability.fsType"), "{said}");
}

#[test]
fn a_path_is_in_the_sandbox_or_on_the_host_or_in_the_image() {
    let target = |path: &str, image: bool| {
        let app = one(&app(|app| {
            *at(app, "/container/volumes/0/containerPath") = json!(path);
            if image {
                app["container"]["docker"] = json!({ "image": "busybox" });
            }
        }));
        app.tasks[0].mounts[0].target.clone()
    };
    assert_eq!(target("a/b", false), Target::Sandbox("a/b".to_owned()));
    assert_eq!(target("a/b", true), Target::Sandbox("a/b".to_owned()));
    assert_eq!(target("/a", false), Target::Existing("/a".to_owned()));
    assert_eq!(target("/a", true), Target::Made("/a".to_owned()));
    for path in ["../a", "a/../b", "", "/", "."] {
        assert!(read(&app(|app| *at(app, "/container/volumes/0/containerPath") = json!(path))).is_err(), "{path}");
    }
}

#[test]
fn dockers_runtime_has_no_csi_volumes() {
    let said = refused(&app(|app| {
        app["container"] = json!({ "docker": { "image": "busybox" }, "volumes": app["container"]["volumes"] })
    }));
    assert!(said.contains("type MESOS"), "{said}");
}

#[test]
fn what_cannot_be_honoured_is_refused_and_what_is_left_out_is_warned_of() {
    for (field, value) in [
        ("fetch", json!([{ "uri": "http://x" }])),
        ("executor", json!("/bin/executor")),
        ("ipAddress", json!({ "networkName": "x" })),
        ("args", json!(["a"])),
        ("cpus", json!(-1)),
        ("instances", json!(1.5)),
        ("backoffFactor", json!(0.5)),
        ("upgradeStrategy", json!({ "minimumHealthCapacity": 2 })),
        ("constraints", json!([["hostname", "LIKE", "node-[1-3]"]])),
        ("env", json!({ "A": { "secret": "nowhere" } })),
        ("id", json!("Web")),
        ("cmd", json!(7)),
    ] {
        let said = refused(&app(|app| app[field] = value.clone()));
        assert!(said.contains(field), "{field}: {said}");
    }
    for (field, value) in
        [("tty", json!(true)), ("killSelection", json!("OLDEST_FIRST")), ("instanced", json!(3)), ("role", json!("x"))]
    {
        let parsed = read(&app(|app| app[field] = value.clone())).expect("read");
        assert_eq!(parsed.warnings.len(), 1, "{field}");
        assert_eq!(parsed.warnings[0].field, field);
    }
    let hint = read(&app(|app| app["instance"] = json!(3))).expect("read").warnings[0].to_string();
    assert!(hint.contains("did you mean instances?"), "{hint}");
    for empty in [json!([]), json!(""), json!(null), json!({})] {
        assert!(read(&app(|app| app["fetch"] = empty.clone())).is_ok(), "{empty}: nothing is asked for");
    }
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let text = "{\n  \"id\": \"web\",\n  \"cmd\": 1,\n  \"cpus\": \"many\",\n  \"executor\": \"x\"\n}\n";
    let Problems(notes) = parse(text).expect_err("refused");
    let lines: Vec<usize> = notes.problems.iter().filter_map(|note| Some(note.place?.line)).collect();
    assert_eq!(lines, [3, 4, 5], "{:?}", notes.problems);
}

#[test]
fn a_group_gives_its_name_to_its_apps() {
    let group = json!({ "id": "/team", "groups": [{ "id": "db", "apps": [app(|_| {})] }], "apps": [app(|app| {
        app["id"] = json!("../front");
        app["container"]["volumes"][0]["external"]["name"] = json!("v-2");
    })] });
    let parsed = read(&group).unwrap_or_else(|problems| panic!("{problems}"));
    let ids: Vec<&str> = parsed.document.workloads.iter().map(|app| app.id.as_str()).collect();
    assert_eq!(ids, ["/front", "/team/db/web"]);
    let said = refused(&json!({ "id": "/", "apps": [{ "id": "a.b", "cmd": "x y" }, { "id": "a/b", "cmd": "x y" }] }));
    assert!(said.contains("would both be called a-b"), "{said}");
}

#[test]
fn a_pod_is_refused_with_the_reason() {
    let said = refused(&json!({ "id": "/pod", "containers": [{ "name": "a" }] }));
    assert!(said.contains("pods have no CSI volumes"), "{said}");
}

#[test]
fn secrets_are_looked_up_by_the_names_that_marathon_means() {
    let document = app(|app| {
        app["secrets"] = json!({ "alias": { "source": "store/path" } });
        app["env"] = json!({ "PASSWORD": { "secret": "alias" } });
        at(app, OPTIONS)["nodeStageSecret"] = json!({ "user": "store/user" });
    });
    let parsed = read(&document).expect("read");
    let asked: Vec<String> = parsed.document.secret_references().into_iter().map(|(name, _)| name).collect();
    assert_eq!(asked, ["store/path", "store/user"], "of a variable the source, of a volume the name itself");
    assert!(matches!(&parsed.document.workloads[0].tasks[0].env["PASSWORD"], EnvValue::Secret(_)));
}

/// Documents near to a real one: fields of the table with values of any kind.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z/.:]{0,6}".prop_map(Value::from),
        proptest::sample::select(
            &["MESOS", "rw", "csi", "mount", "MULTI_NODE_MULTI_WRITER", "disabled", "unlimited", "UNIQUE"][..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = proptest::sample::select(APP)
            .prop_map(|field| field.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").to_owned());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Whatever is in a field: an answer, whole or refused with a reason and a place.
    #[test]
    fn any_value_of_any_field_has_an_answer(field in proptest::sample::select(APP), value in odd(), within in any::<bool>()) {
        let mut document = app(|_| {});
        let top = field.path.split(['.', '[']).next().unwrap_or_default();
        match within {
            true => at(&mut document, OPTIONS)[top] = value,
            false => document[top] = value,
        }
        if let Err(Problems(notes)) = read(&document) {
            prop_assert!(!notes.problems.is_empty());
            prop_assert!(notes.problems.iter().all(|note| note.place.is_some() && !note.reason.is_empty()));
        }
    }

    #[test]
    fn any_document_has_an_answer(value in odd()) {
        let _ = read(&value);
    }

    #[test]
    fn a_text_that_was_cut_is_refused(cut in 1usize..300) {
        let text = app(|_| {}).to_string();
        let short: String = text.chars().take(cut.min(text.len() - 1)).collect();
        prop_assert!(parse(&short).is_err());
    }
}
