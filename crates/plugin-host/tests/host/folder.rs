//! A folder of files, and what changes of them do.

use std::fs;

use fake_driver::FakeDriver;
use plugin_host::{Change, Folder, PluginId};
use rt::{Ctx, Shutdown};

use crate::rig::{Rig, eventually};

fn file(rig: &Rig, name: &str, kind: &str, socket: &str) {
    let socket = rig.dir.path().join(socket);
    let text = format!(r#"{{"type": "{kind}", "endpoints": [{{"csi_service": "NODE_SERVICE", "endpoint": {socket:?}}}]}}"#);
    fs::write(rig.dir.path().join("conf").join(name), text).expect("written");
}

async fn folder() -> (Rig, Folder) {
    let rig = Rig::new().await;
    let conf = rig.dir.path().join("conf");
    assert!(Folder::open(&Ctx::real(), rig.host.clone(), &conf).is_err(), "a folder that is not there is no empty one");
    fs::create_dir(&conf).expect("made");
    let folder = Folder::open(&Ctx::real(), rig.host.clone(), &conf).expect("a folder");
    (rig, folder)
}

fn gone(rig: &Rig, kind: &str) -> bool {
    let id = PluginId::only(kind).expect("an id");
    rig.changes.lock().expect("a lock").contains(&Change::Gone(id))
}

#[tokio::test]
async fn a_file_that_becomes_bad_leaves_its_plugin_as_it_was() {
    let (rig, mut folder) = folder().await;
    let _driver = FakeDriver::builder("a.example").start(rig.dir.path().join("s")).await.expect("a driver");
    file(&rig, "a.json", "a", "s");
    assert_eq!(folder.look().problems, []);
    let before = rig.served("a").await;
    fs::write(rig.dir.path().join("conf/a.json"), "{\n  \"type\": \"a\"\n").expect("written");
    let said = folder.look();
    assert!(said.problems[0].to_string().contains("a.json:"), "{said:?}");
    assert_eq!(folder.look().problems, [], "told once");
    assert_eq!(rig.host.served(), [before]);
    // Taken away, it is another matter.
    fs::remove_file(rig.dir.path().join("conf/a.json")).expect("removed");
    folder.look();
    eventually("it is gone", || gone(&rig, "a").then_some(())).await;
}

#[tokio::test]
async fn a_plugin_whose_file_has_another_name_now_goes_on() {
    let (rig, mut folder) = folder().await;
    let _driver = FakeDriver::builder("a.example").start(rig.dir.path().join("s")).await.expect("a driver");
    file(&rig, "a.json", "a", "s");
    folder.look();
    rig.served("a").await;
    fs::rename(rig.dir.path().join("conf/a.json"), rig.dir.path().join("conf/b.json")).expect("renamed");
    folder.look();
    // A second plugin in its place is another one.
    file(&rig, "b.json", "b", "t");
    let _other = FakeDriver::builder("b.example").start(rig.dir.path().join("t")).await.expect("a driver");
    assert!(!gone(&rig, "a"));
    folder.look();
    eventually("it is gone", || gone(&rig, "a").then_some(())).await;
    rig.served("b").await;
    rig.end().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_ends_nothing() {
    let (rig, mut folder) = folder().await;
    let _driver = FakeDriver::builder("a.example").start(rig.dir.path().join("s")).await.expect("a driver");
    file(&rig, "a.json", "a", "s");
    folder.look();
    rig.served("a").await;
    fs::rename(rig.dir.path().join("conf"), rig.dir.path().join("away")).expect("renamed");
    let said = folder.look();
    assert!(said.problems[0].to_string().contains("stay as they are"), "{said:?}");
    assert!(!gone(&rig, "a") && rig.host.served().len() == 1);
    rig.end().await;
}

#[tokio::test]
async fn a_change_is_picked_up() {
    let (rig, folder) = folder().await;
    let shutdown = Shutdown::new();
    let watching = tokio::spawn(folder.run(shutdown.clone(), |_| ()));
    let _driver = FakeDriver::builder("a.example").start(rig.dir.path().join("s")).await.expect("a driver");
    file(&rig, "a.json", "a", "s");
    rig.served("a").await;
    shutdown.request();
    watching.await.expect("it ends");
    rig.end().await;
}
