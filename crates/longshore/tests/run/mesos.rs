//! The Mesos page's task, and its managed plugin.

use super::place::Place;

const TASK: &str = "mesos/nfs-task.json";

/// The page's managed plugin, under the name that the task has for it.
fn managed() -> Place {
    let place = Place::new();
    place.plugin_file(
        "mesos-managed.json",
        &[("org.apache.mesos.csi.managed-plugin", "nfs.csi.k8s.io"), ("<path-to-managed-plugin>", &place.plugin())],
    );
    place
}

#[test]
#[ignore = "mounts, which needs root"]
fn the_documents_task_writes_through_a_plugin_that_was_started_for_it() {
    let place = managed();
    place.driver().volume("foo", "directory", "");
    let task = place.document(TASK, &[]);
    let ended = place.run("mesos", &[&task], &[]).ended();
    assert!(ended.status.success(), "{}", ended.complained);
    assert_eq!(place.mounts(), Vec::<String>::new());
    assert_eq!(place.volume_file("foo", "file"), "test\n");
}

#[test]
#[ignore = "mounts, which needs root"]
fn an_absolute_path_that_the_host_does_not_have_fails_the_task_with_that_reason() {
    let place = managed();
    place.driver().volume("foo", "directory", "");
    let task = place.document(TASK, &[("\"container_path\" : \"volume\"", "\"container_path\" : \"/no/such/place\"")]);
    let ended = place.run("mesos", &[&task], &[]).ended();
    assert!(!ended.status.success());
    assert!(ended.complained.contains("Absolute container path '/no/such/place' does not exist"), "{}", ended.complained);
    assert_eq!(place.mounts(), Vec::<String>::new());
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_task_that_fails_is_how_the_command_ends() {
    let place = managed();
    place.driver().volume("foo", "directory", "");
    let task = place.document(TASK, &[("echo test > volume/file", "echo no such luck; exit 7")]);
    let ended = place.run("mesos", &[&task], &[]).ended();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.complained);
    assert!(ended.said.contains("nfs-task-1 | no such luck"), "{}", ended.said);
    assert!(ended.complained.contains("nfs-task-1 ended with 7"), "{}", ended.complained);
}

#[test]
fn the_page_as_it_is_printed_is_refused_with_its_place() {
    let place = Place::new();
    let task = place.document("mesos/nfs-task.damaged.json", &[]);
    let ended = place.run("mesos", &[&task], &[]).ended();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.complained.contains("nfs-task.damaged.json:1:"), "{}", ended.complained);
    assert!(!place.path("data").join("objects.redb").exists(), "something was started");
}
