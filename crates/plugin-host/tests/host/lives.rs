//! How plugins that we start live and die.

use std::sync::atomic::Ordering;
use std::time::Duration;

use plugin_host::{How, Part, Service, Targets};

use crate::rig::{Rig, SECRET, eventually, files, kill, pids, plugin, process};

#[tokio::test]
async fn a_plugin_is_started_asked_and_served() {
    let rig = Rig::new().await;
    rig.host.set(plugin("org.example.a", "a.example", ""));
    assert_eq!(rig.host.driver("org.example.a").await.expect("it serves").as_str(), "a.example");
    let served = rig.served("org.example.a").await;
    assert_eq!(served.driver.as_str(), "a.example");
    assert_eq!((served.node.is_some(), &served.node), (true, &served.controller));
    assert_eq!(rig.host.troubles(), []);
    let log = files(rig.dir.path()).into_iter().find(|file| file.extension().is_some_and(|kind| kind == "log"));
    let log = std::fs::read_to_string(log.expect("a log")).expect("read");
    assert!(log.contains("starts on node-1"), "it knows its node: {log}");
    rig.end().await;
}

#[tokio::test]
async fn a_killed_plugin_is_started_again_on_its_socket_and_is_never_gone() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let before = rig.served("a").await;
    let socket = before.node.clone().expect("a socket");
    let first = pids(&socket)[0];
    kill(first);
    let second = eventually("another process", || pids(&socket).into_iter().find(|pid| *pid != first)).await;
    assert_ne!(first, second);
    eventually("it is ready again", || rig.host.troubles().is_empty().then_some(())).await;
    assert_eq!(rig.served("a").await, before);
    assert!(!rig.was_gone(), "its volumes stay mounted");
    rig.end().await;
    assert_eq!(pids(&socket), Vec::<i32>::new());
}

#[tokio::test]
async fn a_plugin_that_never_becomes_ready_is_one_error_with_all_that_is_known_and_no_secret() {
    for (mode, probe) in [("deaf", "there is no socket"), ("unready", "says that it is not ready")] {
        let rig = Rig::new().await;
        let mut slow = plugin("a", "a.example", mode);
        slow.health_timeout = Duration::from_secs(1);
        rig.host.set(slow);
        let said = rig.trouble("a", "health timeout").await;
        assert!(said.contains("1 s") && said.contains(probe), "{said}");
        assert!(said.contains("the plugin starts on node-1 with token ***") && !said.contains(SECRET), "{said}");
        let refused = rig.host.driver_of("a").expect_err("it is not ready").to_string();
        assert!(refused.contains("plugin a is not ready"), "{refused}");
        rig.end().await;
    }
}

#[tokio::test]
async fn a_plugin_that_ends_at_once_is_told_with_its_last_words_and_started_again_later() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", "exits"));
    let said = rig.trouble("a", "exit status: 3").await;
    assert!(said.contains("with token ***") && !said.contains(SECRET), "{said}");
    // The file is mended: no wait of the broken one is left.
    rig.host.set(plugin("a", "a.example", ""));
    rig.served("a").await;
    rig.end().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let rig = Rig::new().await;
    let mut absent = plugin("a", "a.example", "");
    let How::Process(process) = &mut absent.parts[0].how else { panic!("a process") };
    process.command = plugin_host::Command::Program { program: "/no/such/plugin".to_owned(), args: Default::default() };
    rig.host.set(absent.clone());
    rig.trouble("a", "cannot run /no/such/plugin: No such file").await;
    let How::Process(process) = &mut absent.parts[0].how else { panic!("a process") };
    process.user = Some("no-such-user".to_owned());
    rig.host.set(absent);
    rig.trouble("a", "no-such-user").await;
    rig.end().await;
}

#[tokio::test]
async fn a_plugin_of_an_earlier_life_is_found_and_not_started_twice() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let socket = rig.served("a").await.node.expect("a socket");
    let pid = pids(&socket);
    let rig = rig.again().await;
    rig.host.set(plugin("a", "a.example", ""));
    rig.served("a").await;
    assert_eq!(pids(&socket), pid);
    // What is described otherwise is started again.
    let rig = rig.again().await;
    rig.host.set(plugin("a", "b.example", ""));
    eventually("the other driver", || rig.host.served().into_iter().find(|served| served.driver.as_str() == "b.example")).await;
    assert_ne!(pids(&socket), pid);
    rig.end().await;
}

#[tokio::test]
async fn a_start_that_was_never_written_down_is_found() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let socket = rig.served("a").await.node.expect("a socket");
    let pid = pids(&socket);
    let record = files(rig.dir.path()).into_iter().find(|file| file.extension().is_some_and(|kind| kind == "json"));
    let record = record.expect("a record");
    let text = std::fs::read_to_string(&record).expect("read");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("json");
    let start = value["run"]["process"][0].clone();
    assert!(start["fingerprint"].is_string(), "{text}");
    value["run"] = serde_json::json!({ "begun": start });
    let rig = {
        let rig = rig.again().await;
        // As if the crash had come between the start and its record.
        std::fs::write(&record, value.to_string()).expect("written");
        rig.again().await
    };
    rig.host.set(plugin("a", "a.example", ""));
    rig.served("a").await;
    assert_eq!(pids(&socket), pid);
    rig.end().await;
}

#[tokio::test]
async fn a_plugin_ends_only_after_its_last_volume() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let served = rig.served("a").await;
    let socket = served.node.clone().expect("a socket");
    rig.volumes.0.store(1, Ordering::SeqCst);
    rig.host.remove(&served.id);
    // It is needed, so even a fall does not end it.
    let first = pids(&socket)[0];
    kill(first);
    eventually("another process", || pids(&socket).into_iter().find(|pid| *pid != first)).await;
    assert!(!rig.was_gone());
    rig.volumes.0.store(0, Ordering::SeqCst);
    eventually("it is gone", || rig.was_gone().then_some(())).await;
    assert_eq!(pids(&socket), Vec::<i32>::new());
    assert_eq!(files(&rig.dir.path().join("p")), Vec::<std::path::PathBuf>::new(), "nothing is left");
}

#[tokio::test]
async fn what_nobody_asks_for_any_more_serves_its_volumes_first() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let socket = rig.served("a").await.node.expect("a socket");
    let pid = pids(&socket);
    let rig = rig.again().await;
    rig.volumes.0.store(1, Ordering::SeqCst);
    rig.host.settled(true);
    assert_eq!(rig.served("a").await.driver.as_str(), "a.example", "who else unmounts them");
    assert_eq!(pids(&socket), pid);
    rig.volumes.0.store(0, Ordering::SeqCst);
    eventually("it is gone", || rig.was_gone().then_some(())).await;
    assert_eq!(pids(&socket), Vec::<i32>::new());
}

#[tokio::test]
async fn while_a_file_cannot_be_read_nothing_of_an_earlier_life_is_ended() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    let socket = rig.served("a").await.node.expect("a socket");
    let rig = rig.again().await;
    rig.host.settled(false);
    rig.served("a").await;
    assert_eq!(pids(&socket).len(), 1);
    rig.host.settled(true);
    eventually("it is gone", || rig.was_gone().then_some(())).await;
}

#[tokio::test]
async fn controller_and_node_are_two_processes_of_one_plugin() {
    let rig = Rig::new().await;
    let mut two = plugin("a", "a.example", "");
    let part = |service: Service| Part { services: [service].into(), how: How::Process(process("a.example", "")) };
    two.parts = vec![part(Service::Controller), part(Service::Node)];
    two.targets = Targets { root: Some("/r".into()), exists: true };
    rig.host.set(two.clone());
    let served =
        eventually("both", || rig.host.served().into_iter().find(|served| served.node.is_some() && served.controller.is_some()));
    let served = served.await;
    assert_ne!(served.node, served.controller);
    assert_eq!(served.targets, two.targets);
    // A part that is no longer listed goes; the other one stays as it is.
    let controller = pids(served.controller.as_ref().expect("a socket"));
    two.parts.pop();
    rig.host.set(two);
    let node = served.node.expect("a socket");
    eventually("the node part has ended", || pids(&node).is_empty().then_some(())).await;
    assert_eq!(pids(served.controller.as_ref().expect("a socket")), controller);
    rig.end().await;
}

#[tokio::test]
async fn parts_that_are_different_drivers_are_refused() {
    let rig = Rig::new().await;
    let mut two = plugin("a", "a.example", "");
    two.parts[0].services = [Service::Controller].into();
    two.parts.push(Part { services: [Service::Node].into(), how: How::Process(process("b.example", "")) });
    rig.host.set(two);
    rig.trouble("a", "different drivers, a.example and b.example").await;
    rig.end().await;
}

#[tokio::test]
async fn no_secret_is_in_any_file_but_its_own_log() {
    let rig = Rig::new().await;
    rig.host.set(plugin("a", "a.example", ""));
    rig.served("a").await;
    for file in files(&rig.dir.path().join("p")) {
        let kind = file.extension().unwrap_or_default();
        if kind != "log" && kind != "sock" {
            let bytes = std::fs::read(&file).expect("read");
            let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            assert!(!found, "{} has the secret in it", file.display());
        }
    }
    for pid in pids(&rig.served("a").await.node.expect("a socket")) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains(SECRET), "command lines are for everyone to see");
    }
    rig.end().await;
}
