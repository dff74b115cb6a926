//! What is written is what kubectl reads. Without a kubectl on this host there is nothing to ask.
#![allow(clippy::disallowed_methods, reason = "kubectl is a process")]

use std::io::Write;
use std::process::{Command, Stdio};

use documents::yaml::Map;
use serde_json::{Value, json};

/// Texts that a reader of YAML 1.1 takes for something else if they are not quoted.
const ODD: [&str; 22] = [
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "True",
    "null",
    "~",
    "",
    "0644",
    "0o17",
    "0x1f",
    "1e3",
    "1_000",
    "12:30:45",
    "2024-01-01",
    ".inf",
    "-c",
    "1Gi",
    "a: b",
    "<<",
];

/// Reads and writes without a server.
fn through_kubectl(yaml: &str) -> Option<Value> {
    let arguments = ["annotate", "--local", "--filename=-", "--output=json", "longshore.io/read=back"];
    let spawned = Command::new("kubectl").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "no kubectl here: {error}");
            return None;
        }
    };
    child.stdin.take().expect("a pipe").write_all(yaml.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "kubectl refuses {yaml}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn a_text_is_a_text_to_kubectl_whatever_it_looks_like() {
    let data: Map = ODD.iter().enumerate().map(|(index, text)| (format!("k{index}"), *text)).collect();
    let named: Map = ["yes", "on", "n", "1e3", "0644"].into_iter().map(|name| (name, "x")).collect();
    let script = "#!/bin/sh\nset -e\n\n  indented: \"$1\"\n";
    let map = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "ConfigMap")
        .with("metadata", Map::new().with("name", "odd").with("labels", named.clone()))
        .with("data", data.clone().with("script", script));
    let Some(read) = through_kubectl(&map.to_yaml()) else { return };
    assert_eq!(read["data"], data.with("script", script).to_json());
    assert_eq!(read["metadata"]["labels"], named.to_json());
    assert_eq!(read["metadata"]["annotations"], json!({ "longshore.io/read": "back" }));
}

#[test]
fn every_converted_document_is_read_as_it_was_meant() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents");
    let mut read = 0;
    for system in std::fs::read_dir(folder).expect("the documents").map(|entry| entry.expect("an entry").path()) {
        for file in std::fs::read_dir(system).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let name = file.to_string_lossy();
            if !name.ends_with(".cluster.yaml") && !name.ends_with(".host.yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("readable");
            for document in text.split("---\n").skip(1) {
                let Some(mut seen) = through_kubectl(document) else { return };
                let meant: serde_yaml::Value = serde_yaml::from_str(document).expect("YAML");
                let mut meant = serde_json::to_value(meant).expect("JSON");
                for value in [&mut seen, &mut meant] {
                    value["metadata"]["annotations"]["longshore.io/read"] = Value::Null;
                }
                assert_eq!(seen, meant, "{}", file.display());
                read += 1;
            }
        }
    }
    assert!(read > 10, "only {read} objects");
}
