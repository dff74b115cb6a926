//! The documents of tests/documents/, and what they become: each has its objects beside it, for a cluster and for this host.
//!
//! `WRITE=1 cargo test -p documents` writes what is new; look at the difference before it is committed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use documents::kubernetes::{Options, Place, objects};
use documents::model::Hidden;
use documents::{Note, Parsed, Problems, marathon, mesos, plugin};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(name: &str) -> Result<Parsed, Problems> {
    let given = mesos::Given { command: Some("cat volume/file".to_owned()), name: None };
    match name.split('/').next() {
        Some("marathon") => marathon::parse(&text(name)),
        Some("plugins") => plugin::parse(text(name).as_bytes()),
        _ => mesos::parse(&text(name), &given),
    }
}

fn options(place: Place) -> Options {
    let secret = |name: &str, key: Option<&str>, value: &str| ((name.to_owned(), key.map(str::to_owned)), Hidden::new(value));
    Options {
        drivers: [
            "csi-plugin-name",
            "nfs.csi.k8s.io",
            "disks",
            "test.pluginname.com",
            "org.apache.mesos.csi.managed-plugin",
            "org.example.csi.everything",
        ]
        .map(|plugin| (plugin.to_owned(), "local.csi.longshore.dev".to_owned()))
        .into(),
        secrets: BTreeMap::from([
            secret("username_secret_001", None, "alice"),
            secret("password_secret_001", None, "hunter2"),
            secret("team/nfs", Some("user"), "bob"),
        ]),
        image: (place == Place::Cluster).then(|| "docker.io/library/busybox:1.37".to_owned()),
        ..Options::new(place, "default")
    }
}

fn shown(name: &str, place: Place) -> String {
    let parsed = read(name).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    let lines = located::json(&text(name)).expect("JSON").lines;
    let made = objects(&parsed.document, &options(place), &lines).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    let warnings =
        parsed.warnings.iter().chain(&made.warnings).map(|warning: &Note| format!("# {warning}\n")).collect::<String>();
    warnings + &made.to_yaml()
}

fn golden(name: &str) {
    let both = [(Place::Cluster, "cluster"), (Place::Host, "host")];
    // On a host, a plugin is no pod.
    let places = if name.starts_with("plugins/") { &both[..1] } else { &both[..] };
    for (place, kind) in places.iter().copied() {
        let beside = name.replace(".json", &format!(".{kind}.yaml"));
        let became = shown(name, place);
        if std::env::var_os("WRITE").is_some() {
            std::fs::write(path(&beside), &became).expect("written");
        }
        assert_eq!(became, text(&beside), "{beside}");
        for document in became.split("---\n").skip(1) {
            let read: serde_yaml::Value = serde_yaml::from_str(document).expect("YAML");
            assert!(read.get("kind").is_some(), "{document}");
        }
    }
}

#[test]
fn the_app_of_dcos_documentation_becomes_a_deployment_or_a_pod() {
    golden("marathon/csi-volume-test-app.json");
}

#[test]
fn fs_type_and_flags_are_read_where_dcos_documentation_has_them() {
    golden("marathon/nfs-two-places.json");
}

#[test]
fn the_task_of_mesos_documentation_becomes_a_pod() {
    golden("mesos/nfs-task.json");
}

#[test]
fn a_list_of_volumes_with_a_command_is_a_task() {
    golden("mesos/volumes.json");
}

#[test]
fn a_group_of_tasks_is_one_pod() {
    golden("mesos/task-group.json");
}

#[test]
fn the_missing_comma_of_dcos_documentation_is_named_with_its_line() {
    let said = read("marathon/csi-volume-test-app.damaged.json").expect_err("damaged").to_string();
    assert_eq!(said, "23:13: a comma is missing after line 22, before \"nodeStageSecret\"");
}

#[test]
fn the_pseudo_json_of_mesos_documentation_is_named() {
    let said = read("mesos/nfs-task.damaged.json").expect_err("damaged").to_string();
    assert!(said.starts_with("1:1: TaskInfo is no JSON"), "{said}");
    assert!(said.contains("remove TaskInfo"), "{said}");
}

#[test]
fn a_plugin_of_dcos_documentation_is_registered_where_it_listens() {
    golden("plugins/dcos.json");
}

#[test]
fn a_managed_plugin_is_a_daemon_set_with_our_sidecars() {
    golden("plugins/mesos-managed.json");
}

#[test]
fn a_plugin_with_both_services_has_a_controller_with_an_account_of_its_own() {
    let parsed = read("plugins/everything.json").expect("read");
    let users = BTreeMap::from([("nobody".to_owned(), (65534, 65534))]);
    let options = Options { users, ..options(Place::Cluster) };
    let made = objects(&parsed.document, &options, &located::Lines::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let kinds: Vec<_> =
        made.objects.iter().filter_map(|object| object.body.get("kind")?.to_json().as_str().map(str::to_owned)).collect();
    for kind in [
        "CSIDriver",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "Secret",
        "Deployment",
        "DaemonSet",
    ] {
        assert!(kinds.iter().any(|made| made == kind), "{kind} of {kinds:?}");
    }
    for object in made.objects.iter().filter(|object| object.body.get("kind").map(|kind| kind.to_json()) != Some("Secret".into()))
    {
        assert!(!object.body.to_yaml().contains("hunter2") && !object.body.to_yaml().contains("aHVudGVyMg=="));
    }
}

#[test]
fn a_secret_is_in_the_secrets_only() {
    for place in [Place::Cluster, Place::Host] {
        let parsed = read("marathon/csi-volume-test-app.json").expect("read");
        let lines = located::Lines::default();
        let made = objects(&parsed.document, &options(place), &lines).expect("made");
        for object in &made.objects {
            let kind = object.body.get("kind").map(|kind| kind.to_json());
            let yaml = object.body.to_yaml();
            assert!(!yaml.contains("hunter2"), "{yaml}");
            assert_eq!(yaml.contains("aHVudGVyMg=="), kind == Some("Secret".into()), "{yaml}");
        }
        assert!(!format!("{:?}", options(place)).contains("hunter2"));
        let missing = Options { secrets: BTreeMap::new(), ..options(place) };
        let said = objects(&parsed.document, &missing, &lines).expect_err("unresolved").to_string();
        assert!(said.contains("nodeStageSecret.password: is secret \"password_secret_001\""), "{said}");
    }
    assert!(!format!("{:?}", read("mesos/volumes.json").expect("read")).contains("hunter2"));
}
