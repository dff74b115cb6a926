//! The DC/OS page's app.

use super::place::{Driver, Place};

const APP: &str = "marathon/csi-volume-test-app.json";

/// The agent of the page: a plugin file, the secret store, and a volume that somebody provisioned.
fn agent() -> (Place, Driver) {
    let place = Place::new();
    let driver = place.driver();
    let endpoint = format!("unix://{}", driver.socket.display());
    let targets = place.path("targets").display().to_string();
    place.plugin_file(
        "dcos.json",
        &[
            ("test.pluginname.com", "csi-plugin-name"),
            ("unix:///var/lib/pluginname/csi.sock", &endpoint),
            ("/var/lib/pluginname/target_root", &targets),
        ],
    );
    place.secret("username_secret_001", "alice\n");
    place.secret("password_secret_001", "correct-horse\n");
    (place, driver)
}

#[test]
#[ignore = "mounts, which needs root"]
fn each_run_of_the_documents_app_shows_one_more_line_of_date() {
    let (place, driver) = agent();
    driver.volume("pre-provisioned-volume-id-001", "loop", "ext4");
    let app = place.document(APP, &[]);
    let run = place.run("marathon", &[&app], &[]);
    // The first run shows one line, the second two, the third three.
    run.says("csi-volume-test-app | ", 6);
    let ended = run.interrupt();
    assert!(ended.status.success(), "{}", ended.complained);
    let lines: Vec<&str> = ended.said.lines().filter_map(|line| line.strip_prefix("csi-volume-test-app | ")).collect();
    assert_eq!((lines[0], lines[1]), (lines[1], lines[3]), "each run begins with the first line of date: {lines:?}");
    assert_eq!(place.mounts(), Vec::<String>::new());
    // It is the driver's own process, and the page's volume: both are there when the app is not.
    assert!(driver.ok(&["controller", "list-volumes"]).lines().count() >= 1);
    drop(driver);
    assert!(place.volume_file("pre-provisioned-volume-id-001", "test.txt").lines().count() >= 3);
    for secret in ["correct-horse", "alice"] {
        assert!(!ended.complained.contains(secret) && !ended.said.contains(secret));
        place.nowhere(secret);
    }
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_volume_that_the_plugin_does_not_have_keeps_the_task_from_starting_and_says_whose_words_these_are() {
    let (place, _driver) = agent();
    let app = place.document(APP, &[]);
    let run = place.run("marathon", &[&app], &[]);
    run.complains("pre-provisioned-volume-id-001 does not exist");
    let ended = run.interrupt();
    assert!(ended.complained.contains("csi-volume-test-app"), "{}", ended.complained);
    assert!(!ended.said.contains("csi-volume-test-app | "), "the task ran: {}", ended.said);
    assert_eq!(place.mounts(), Vec::<String>::new());
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_run_that_was_killed_is_taken_up_by_the_next_one() {
    let (place, driver) = agent();
    driver.volume("pre-provisioned-volume-id-001", "loop", "ext4");
    let app = place.document(APP, &[]);
    let first = place.run("marathon", &[&app], &[]);
    first.says("csi-volume-test-app | ", 1);
    first.kill();
    let second = place.run("marathon", &[&app], &[]);
    second.says("csi-volume-test-app | ", 3);
    let ended = second.interrupt();
    assert!(ended.status.success(), "{}", ended.complained);
    assert_eq!(place.mounts(), Vec::<String>::new());
}

#[test]
fn a_secret_that_nobody_has_is_refused_by_its_name_before_anything_is_started() {
    let place = Place::new();
    let app = place.document(APP, &[]);
    let ended = place.run("marathon", &[&app], &["--driver=csi-plugin-name=third.example.org"]).ended();
    assert!(!ended.status.success());
    assert!(ended.complained.contains("username_secret_001"), "{}", ended.complained);
}
