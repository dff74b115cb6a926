//! Plugins as containers, with a program in the place of Docker's client that starts them as processes. What a real daemon makes
//! of the same command lines is the business of the tests that have one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use plugin_host::{Bind, Docker, How, Limits, Plugin, Propagation};

use crate::rig::{Rig, SECRET, eventually, kill, pids, plugin, process};

/// Keeps the number of its one container's process and its labels in files beside it.
const CLIENT: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/calls"
case "$1 $2" in
"run --detach")
  for word in "$@"; do
    case "$word" in
    --label=dev.longshore.fingerprint=*) echo "${word#--label=dev.longshore.fingerprint=}" > "$here/label" ;;
    --mount=type=bind,source=*,target=/csi,*) folder=${word#--mount=type=bind,source=}; folder=${folder%%,target=*} ;;
    esac
  done
  CSI_ENDPOINT=unix://$folder/csi.sock setsid PROGRAM --exact the_plugin --nocapture > "$here/out" 2>&1 < /dev/null &
  echo $! > "$here/pid"
  ;;
"container inspect")
  [ -e "$here/pid" ] || { echo "Error: No such container: x" >&2; exit 1; }
  kill -0 "$(cat "$here/pid")" 2> /dev/null && echo "true $(cat "$here/label")" || echo "false x"
  ;;
"container wait") while kill -0 "$(cat "$here/pid")" 2> /dev/null; do sleep 0.02; done; echo 7 ;;
"container kill") kill -9 "$(cat "$here/pid")" ;;
"container rm") [ -e "$here/pid" ] && kill -9 "$(cat "$here/pid")" 2> /dev/null; rm -f "$here/pid" ;;
"container logs") cat "$here/out" ;;
esac
"#;

fn docker_in(dir: &Path) {
    let program = std::env::current_exe().expect("a program").display().to_string();
    // Whole before it has its name: nobody runs half of it.
    std::fs::write(dir.join("docker.new"), CLIENT.replace("PROGRAM", &program)).expect("written");
    std::fs::set_permissions(dir.join("docker.new"), std::fs::Permissions::from_mode(0o755)).expect("executable");
    std::fs::rename(dir.join("docker.new"), dir.join("docker")).expect("renamed");
}

fn container() -> Plugin {
    let mut plugin = plugin("a", "a.example", "");
    plugin.parts[0].how = How::Docker(Docker {
        image: "example/plugin:1".to_owned(),
        entrypoint: vec!["/plugin".to_owned()],
        args: vec!["--endpoint=${CSI_ENDPOINT}".to_owned()].into(),
        environment: process("a.example", "").environment,
        user: None,
        working_dir: None,
        privileged: true,
        network: Some("host".to_owned()),
        hostname: None,
        binds: vec![Bind { source: "/dev".into(), target: "/dev".into(), read_only: false, propagation: Propagation::Private }],
        mount_dir: "/csi".into(),
        stage_dir: Some("/local/csi".into()),
        limits: Limits { cpu_shares: Some(512), memory: None },
        pull: false,
    });
    plugin
}

fn calls(rig: &Rig) -> String {
    std::fs::read_to_string(rig.dir.path().join("calls")).unwrap_or_default()
}

#[tokio::test]
async fn a_container_is_started_with_all_that_it_needs_and_no_secret_on_a_command_line() {
    let rig = Rig::new().await;
    docker_in(rig.dir.path());
    rig.host.set(container());
    rig.served("a").await;
    let calls = calls(&rig);
    let run = calls.lines().find(|line| line.starts_with("run ")).expect("a start").to_owned();
    let mounts = format!("source={0},target={0},bind-propagation=rshared", rig.dir.path().display());
    for part in [
        "--privileged",
        "--network=host",
        "--cpu-shares=512",
        "--env=PLUGIN_TOKEN ",
        "--env=CSI_ENDPOINT ",
        "--entrypoint=/plugin ",
        "target=/csi,",
        "target=/local/csi,bind-propagation=rshared",
        &mounts,
        " -- example/plugin:1 --endpoint=unix:///csi/csi.sock",
    ] {
        assert!(run.contains(part), "{part} in {run}");
    }
    assert!(!calls.contains(SECRET), "{calls}");
    rig.end().await;
}

#[tokio::test]
async fn a_container_outlives_us_and_is_started_again_when_it_ends() {
    let rig = Rig::new().await;
    docker_in(rig.dir.path());
    rig.host.set(container());
    let socket = rig.served("a").await.node.expect("a socket");
    let first = pids(&socket);
    let rig = rig.again().await;
    rig.host.set(container());
    rig.served("a").await;
    assert_eq!(pids(&socket), first);
    kill(first[0]);
    eventually("another process", || pids(&socket).into_iter().find(|pid| !first.contains(pid))).await;
    assert!(!rig.was_gone());
    rig.end().await;
}

#[tokio::test]
async fn without_docker_the_error_says_what_to_do() {
    let rig = Rig::new().await;
    rig.host.set(container());
    let said = rig.trouble("a", "install Docker").await;
    assert!(said.contains("describe the plugin as a process"), "{said}");
    let refusing = "#!/bin/sh\necho 'Cannot connect to the Docker daemon at unix:///x' >&2\nexit 1\n";
    let program = rig.dir.path().join("docker");
    std::fs::write(rig.dir.path().join("new"), refusing).expect("written");
    std::fs::set_permissions(rig.dir.path().join("new"), std::fs::Permissions::from_mode(0o755)).expect("executable");
    std::fs::rename(rig.dir.path().join("new"), program).expect("renamed");
    let said = rig.trouble("a", "Cannot connect to the Docker daemon").await;
    assert!(said.contains("example/plugin:1"), "{said}");
    rig.end().await;
}
