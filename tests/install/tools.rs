//! The programs that a user installs with, and what they say.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use harness::Cluster;
use serde_json::Value;

/// What a program said, and whether it was content.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a program with `input`, the cluster's administrator as its user.
pub(crate) fn run(cluster: &Cluster, program: &str, arguments: &[&str], input: &str) -> Result<Said> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("KUBECONFIG", cluster.kubeconfig("admin"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program}: is it on PATH? (eval \"$(hack/cluster env)\")"))?;
    let mut stdin = child.stdin.take().context("a child without stdin")?;
    let input = input.to_owned();
    // Beside reading what it says: a full pipe on one side must not stop the other.
    #[expect(clippy::disallowed_methods, reason = "end-to-end tests run real processes on a real clock")]
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    // A program that does not read its input has its reasons.
    let _ = writer.join();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) })
}

/// As [`run`], for a call that must succeed; returns what it printed.
pub(crate) fn must(cluster: &Cluster, program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let said = run(cluster, program, arguments, input)?;
    ensure!(said.ok, "{program} {}: {}{}", arguments.join(" "), said.out, said.err);
    Ok(said.out)
}

/// kubectl, as the cluster's administrator.
pub(crate) fn kubectl(cluster: &Cluster, arguments: &[&str]) -> Result<String> {
    let mut arguments = arguments.to_vec();
    // What never goes is said, and not waited for.
    if arguments.contains(&"--wait") {
        arguments.push("--timeout=90s");
    }
    must(cluster, &cluster.run().join("bin/kubectl").display().to_string(), &arguments, "")
}

/// Applies objects as a user would.
pub(crate) fn apply(cluster: &Cluster, objects: &[Value]) -> Result<()> {
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let program = cluster.run().join("bin/kubectl").display().to_string();
    must(cluster, &program, &["apply", "-f", "-"], &list.to_string())?;
    Ok(())
}

/// All of these kinds, everywhere; kinds with their plural.
pub(crate) fn list(cluster: &Cluster, kinds: &str, more: &[&str]) -> Result<Vec<Value>> {
    let mut arguments = vec!["get", kinds, "-o", "json", "--ignore-not-found"];
    arguments.extend(more);
    if !more.contains(&"-n") {
        arguments.push("--all-namespaces");
    }
    let text = kubectl(cluster, &arguments)?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    match serde_json::from_str::<Value>(&text)?["items"].take() {
        Value::Array(items) => Ok(items),
        other => bail!("kubectl get {kinds}: no items but {other}"),
    }
}

/// The checkout that this test was built from.
pub(crate) fn checkout() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("tests/ is in no checkout")?.to_owned())
}

/// A path in the checkout, as an argument.
pub(crate) fn path(of: &str) -> Result<String> {
    Ok(checkout()?.join(of).display().to_string())
}
