use std::path::{Path, PathBuf};

use super::*;
use crate::{Bind, Command, How, Propagation, Service};

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents/plugins")
}

fn document(name: &str) -> PluginInfo {
    let path = documents().join(name);
    parse(name, &std::fs::read(&path).expect("a document")).unwrap_or_else(|problem| panic!("{problem}"))
}

fn refused(text: &str) -> String {
    parse("p.json", text.as_bytes()).expect_err(text).to_string()
}

fn warned(text: &str) -> Vec<String> {
    let info = parse("p.json", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    info.warnings.iter().map(ToString::to_string).collect()
}

/// A managed plugin whose only container has these members besides its service.
fn container(members: &str) -> String {
    format!("{{\"type\": \"a\", \"containers\": [{{\"services\": [\"NODE_SERVICE\"],\n{members}\n}}]}}")
}

/// The same with these members of its command.
fn command(members: &str) -> String {
    container(&format!("\"command\": {{\n{members}\n}}"))
}

#[test]
fn every_example_of_the_documents_loads_as_written() {
    for name in ["mesos-managed.json", "mesos-unmanaged.json", "dcos.json"] {
        assert_eq!(document(name).warnings, [], "{name}");
    }
    let managed = document("mesos-managed.json").plugin;
    assert_eq!(managed.id.to_string(), "org.apache.mesos.csi.managed-plugin");
    assert_eq!(managed.health_timeout.as_secs(), 60);
    let How::Process(process) = &managed.parts[0].how else { panic!("{managed:?}") };
    assert!(process.command == Command::Shell("<path-to-managed-plugin> --endpoint=$CSI_ENDPOINT".to_owned()));
    assert_eq!((process.limits.cpu_shares, process.limits.memory.map(|bytes| bytes.0)), (Some(102), Some(1 << 30)));
    assert_eq!(
        process.environment.expose("node-1").into_iter().collect::<Vec<_>>(),
        [("MESOS_AGENT_ID".into(), "node-1".into())]
    );
}

#[test]
fn an_endpoint_is_taken_with_and_without_unix() {
    let of = |name: &str| {
        let plugin = document(name).plugin;
        (plugin.parts[0].how.clone(), plugin.targets.root)
    };
    let bare = "/var/lib/unmanaged-plugin/csi.sock";
    assert_eq!(of("mesos-unmanaged.json"), (How::Endpoint(bare.into()), Some("/mnt/unmanaged-plugin".into())));
    let url = "/var/lib/pluginname/csi.sock";
    assert_eq!(of("dcos.json"), (How::Endpoint(url.into()), Some("/var/lib/pluginname/target_root".into())));
}

#[test]
fn every_field_reaches_the_plugin() {
    let PluginInfo { plugin, warnings } = document("everything.json");
    assert_eq!(warnings, []);
    assert_eq!(plugin.id.to_string(), "org.example.csi.everything/second");
    assert!(plugin.targets.exists && plugin.targets.root.as_deref() == Some(Path::new("/mnt/everything")));
    assert_eq!((plugin.part(Service::Controller), plugin.part(Service::Node)), (Some(0), Some(1)));
    let How::Process(process) = &plugin.parts[0].how else { panic!("{plugin:?}") };
    let args = vec!["--controller".to_owned(), "--endpoint=$CSI_ENDPOINT".to_owned()];
    assert!(process.command == Command::Program { program: "/usr/local/bin/everything".to_owned(), args: args.into() });
    assert_eq!(process.user.as_deref(), Some("nobody"));
    let variables: Vec<_> = process.environment.expose("n").into_iter().collect();
    assert_eq!(
        variables,
        [("REGION".into(), "eu-1".into()), ("TOKEN".into(), "hunter2".into())],
        "no MESOS_AGENT_ID for a controller"
    );
    let How::Docker(docker) = &plugin.parts[1].how else { panic!("{plugin:?}") };
    assert!(docker.privileged && docker.entrypoint.is_empty() && docker.network.as_deref() == Some("host"));
    assert_eq!(docker.image, "example/everything:1");
    let keys = Bind {
        source: "/srv/keys".into(),
        target: "/etc/keys".into(),
        read_only: true,
        propagation: Propagation::HostToContainer,
    };
    assert_eq!(docker.binds[1], keys);
    assert_eq!(docker.limits.cpu_shares, Some(2048));
}

#[test]
fn one_socket_that_serves_both_is_one_part() {
    let both = r#"{"type": "a", "endpoints": [
        {"csi_service": "NODE_SERVICE", "endpoint": "unix:///s"}, {"csi_service": "CONTROLLER_SERVICE", "endpoint": "/s"}]}"#;
    let plugin = parse("f", both.as_bytes()).expect("a plugin").plugin;
    assert_eq!((plugin.parts.len(), plugin.services().len()), (1, 2));
    let two = both.replace("\"/s\"", "\"/t\"");
    let plugin = parse("f", two.as_bytes()).expect("a plugin").plugin;
    assert_eq!((plugin.part(Service::Node), plugin.part(Service::Controller)), (Some(0), Some(1)));
}

#[test]
fn the_reader_is_as_lenient_as_mesos() {
    let text = r#"{"type": "a", "name": null, "containers": null, "target_path_exists": null,
        "endpoints": {"csi_service": "NODE_SERVICE", "endpoint": "/s"}}"#;
    assert_eq!(warned(text), Vec::<String>::new());
    let text =
        container(r#""command": {"value": "x"}, "resources": {"name": "cpus", "type": "SCALAR", "scalar": {"value": "0.5"}}"#);
    let plugin = parse("f", text.as_bytes()).expect("a plugin").plugin;
    let How::Process(process) = &plugin.parts[0].how else { panic!("{plugin:?}") };
    assert_eq!(process.limits.cpu_shares, Some(512));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_expected() {
    let endpoint = |text: &str| format!("{{\"type\": \"a\",\n\"endpoints\": [\n{text}\n]}}");
    for (text, start, word) in [
        (String::new(), "p.json: is empty", "endpoints"),
        ("[]".to_owned(), "p.json:1:", "CSIPluginInfo"),
        ("{}".to_owned(), "p.json:1: type: is missing", "tasks mean"),
        (r#"{"type": 3}"#.to_owned(), "p.json:1: type: is a number; expected a string", ""),
        (r#"{"type": "a"}"#.to_owned(), "p.json:1: has neither", "containers"),
        ("{\"type\": \"a/b\"}".to_owned(), "p.json:1: type: \"a/b\" cannot name", ""),
        ("{\"type\": \"a\",\n\"name\": \"\"}".to_owned(), "p.json:2: name: \"\" cannot name", ""),
        (
            endpoint("{\"csi_service\": \"node_service\", \"endpoint\": \"/s\"}"),
            "p.json:3: endpoints[0].csi_service: is",
            "NODE_SERVICE",
        ),
        (endpoint("{\"endpoint\": \"/s\"}"), "p.json:3: endpoints[0].csi_service: is missing", "CONTROLLER_SERVICE"),
        (endpoint("{\"csi_service\": \"NODE_SERVICE\"}"), "p.json:3: endpoints[0].endpoint: is missing", "unix:///"),
        (
            endpoint("{\"csi_service\": \"NODE_SERVICE\", \"endpoint\": \"csi.sock\"}"),
            "p.json:3: endpoints[0].endpoint",
            "absolute",
        ),
        (
            endpoint("{\"csi_service\": \"NODE_SERVICE\", \"endpoint\": \"tcp://h:1\"}"),
            "p.json:3: endpoints[0].endpoint",
            "network",
        ),
        (
            endpoint("{\"csi_service\": \"NODE_SERVICE\", \"endpoint\": \"/s\"}],\n\"containers\": [{}"),
            "p.json:2: endpoints",
            "containers",
        ),
        (
            endpoint("{\"csi_service\": \"NODE_SERVICE\", \"endpoint\": \"/s\"}],\n\"target_path_root\": \"a\", \"x\": ["),
            "p.json:4: target_path_root",
            "absolute",
        ),
        (container("\"command\": [\"x\"]"), "p.json:2: containers[0].command: is a list", "object"),
        (container("\"command\": \"x\""), "p.json:2: containers[0].command: is a text; expected an object", ""),
        (container("\"command\": null"), "p.json:2: containers[0].command: is missing", "started"),
        (command("\"shell\": true"), "p.json:2: containers[0].command.value: is missing", ""),
        (command("\"value\": \"x\", \"uris\": [{\"value\": \"http://h\"}]"), "p.json:3: containers[0].command.uris", "fetched"),
        (command("\"value\": \"x\", \"user\": \"a b\""), "p.json:3: containers[0].command.user", "name or number"),
        (
            container("\"command\": {\"value\": \"x\"}, \"resources\": [{\"name\": \"cpus\", \"scalar\": {\"value\": 1}}]"),
            "p.json:2: containers[0].resources[0].type",
            "SCALAR",
        ),
        (
            container(
                "\"command\": {\"value\": \"x\"}, \"resources\": [{\"name\": \"mem\", \"type\": \"SCALAR\", \"scalar\": {\"value\": -1}}]",
            ),
            "p.json:2: containers[0].resources[0].scalar.value",
            "NUMBER",
        ),
        (
            container("\"command\": {\"value\": \"x\"}, \"container\": {\"type\": \"docker\"}"),
            "p.json:2: containers[0].container.type",
            "DOCKER",
        ),
        (
            container("\"container\": {\"type\": \"MESOS\", \"mesos\": {\"image\": {\"type\": \"APPC\"}}}"),
            "p.json:2: containers[0].container.mesos.image.type",
            "DOCKER",
        ),
        (
            container(
                "\"command\": {\"value\": \"x\"}, \"container\": {\"type\": \"MESOS\", \"volumes\": [{\"mode\": \"RW\", \"container_path\": \"/a\", \"host_path\": \"/b\"}]}",
            ),
            "p.json:2: containers[0].container.volumes[0]",
            "same path",
        ),
    ] {
        let said = refused(&text);
        assert!(said.starts_with(start) && said.contains(word), "{said}\n  expected {start} … {word}");
    }
}

#[test]
fn a_missing_comma_is_told_with_its_line() {
    let said = refused("{\n  \"type\": \"a\"\n  \"name\": \"b\"\n}");
    assert!(said.contains("comma") && said.starts_with("p.json:"), "{said}");
    let said = refused("type: a\nendpoints: []\n");
    assert!(said.starts_with("p.json:1: is not JSON"), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_line() {
    let said = parse("p.json", b"{\n\"type\": \"\xff\"}").expect_err("refused").to_string();
    assert!(said.starts_with("p.json:2: byte 0xff"), "{said}");
    let utf16: Vec<u8> = "{\"type\": \"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse("p.json", &utf16).is_err());
    assert!(
        parse(
            "p.json",
            "\u{feff}{\"type\":\"a\",\"endpoints\":[{\"csi_service\":\"NODE_SERVICE\",\"endpoint\":\"/s\"}]}".as_bytes()
        )
        .is_ok()
    );
}

#[test]
fn what_does_not_count_is_a_warning_that_names_it() {
    let said = warned(&container(
        "\"command\": {\"value\": \"x\", \"arguments\": [\"y\"],\n\"enviroment\": {}},\n\"resources\": [{\"name\": \"disk\", \"type\": \"SCALAR\", \"scalar\": {\"value\": 1}}]",
    ));
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said[0].starts_with("p.json:3: containers[0].command.enviroment: "), "{said:#?}");
    assert!(said[1].starts_with("p.json:2: containers[0].command.arguments: "), "{said:#?}");
    assert!(said[2].starts_with("p.json:4: containers[0].resources[0]: "), "{said:#?}");
    let twice = r#"{"type": "a", "endpoints": [
        {"csi_service": "NODE_SERVICE", "endpoint": "/s"},
        {"csi_service": "NODE_SERVICE", "endpoint": "/t"}]}"#;
    assert!(warned(twice)[0].starts_with("p.json:3: endpoints[1]: "));
    let controller =
        r#"{"type": "a", "target_path_root": "/r", "endpoints": [{"csi_service": "CONTROLLER_SERVICE", "endpoint": "/s"}]}"#;
    assert!(warned(controller)[0].contains("target_path_root"));
}

#[test]
fn a_secret_is_in_no_message_and_in_no_debug_text() {
    let secrets = [
        r#""value": "x", "environment": {"variables": [{"name": "T", "type": "SECRET", "secret": "hunter2"}]}"#,
        r#""value": "x", "environment": {"variables": [{"name": "T", "type": "SECRET", "secret": {"type": "VALUE", "value": {"data": "hunter2!"}}}]}"#,
        r#""value": "x", "environment": {"variables": [{"name": "T", "type": "SECRET", "secret": {"type": "VALUE", "value": "hunter2"}}]}"#,
        r#""value": "x", "environment": {"variables": [{"name": "T", "type": "SECRET", "value": "hunter2"}]}"#,
        r#""value": "x", "environment": {"variables": [{"name": "T", "value": {"hunter2": 1}}]}"#,
    ];
    for secret in secrets {
        let said = refused(&command(secret));
        assert!(!said.contains("hunter2") && said.contains("containers[0].command.environment"), "{said}");
    }
    let info = document("everything.json");
    assert!(!format!("{info:?}").contains("hunter2"));
}

#[test]
fn files_of_a_folder_do_not_know_of_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = r#"{"type": "a", "endpoints": [{"csi_service": "NODE_SERVICE", "endpoint": "/s"}]}"#;
    for (name, text) in [
        ("1.json", good),
        ("2.json", "{"),
        ("3.json", &good.replace("\"a\"", "\"b\"")),
        ("4.json", good),
        (".hidden", "x"),
        ("5.json~", "x"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    std::fs::create_dir(folder.path().join("sub")).expect("a folder");
    let files = read(folder.path()).expect("read");
    let good: Vec<bool> = files.iter().map(|file| file.plugin.is_ok()).collect();
    assert_eq!(good, [true, false, true, false]);
    let twice = files[3].plugin.as_ref().expect_err("refused").to_string();
    assert!(twice.contains("4.json: type: ") && twice.contains("1.json"), "{twice}");
    assert!(read(&folder.path().join("none")).is_err());
}

/// The fields of a source text of messages, as their documents spell them.
fn fields(source: &str) -> Vec<String> {
    let mut renamed = None;
    let mut fields = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("#[serde(rename = \"").and_then(|rest| rest.strip_suffix("\")]")) {
            renamed = Some(name.to_owned());
        } else if let Some((name, _)) =
            line.strip_prefix("pub(super) ").and_then(|rest| rest.split_once(": ")).filter(|(name, _)| !name.contains(' '))
        {
            fields.push(renamed.take().unwrap_or_else(|| name.to_owned()));
        }
    }
    fields
}

#[test]
fn the_documentation_says_of_every_field_what_becomes_of_it() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugins.md")).expect("the page");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let fields = fields(include_str!("raw.rs"));
    assert!(fields.len() > 30, "{fields:?}");
    let mut missing: Vec<&String> = fields.iter().filter(|field| !rows.iter().any(|row| row.contains(field.as_str()))).collect();
    missing.dedup();
    assert_eq!(missing, Vec::<&String>::new());
}

mod laws;
