//! Nomad's jobs: a plugin, a volume that is created, and a task that claims it.

use super::place::Place;

#[test]
#[ignore = "mounts, which needs root"]
fn a_volume_that_was_created_by_a_plugin_job_keeps_what_each_run_of_a_job_writes() {
    let place = Place::new();
    let data = place.path("volumes").display().to_string();
    let program = place.path("local-driver").display().to_string();
    let plugin = place.document("nomad/host/plugin.hcl", &[("LOCAL-DRIVER", &program), ("DATA-DIR", &data)]);
    let volume = place.document("nomad/host/volume.hcl", &[]);
    let job = place.document("nomad/host/job.hcl", &[]);
    for line in ["keeper | 1\n", "keeper | 2\n"] {
        let ended = place.run("nomad", &[&volume, &plugin, &job], &[]).ended();
        assert!(ended.status.success(), "{}", ended.complained);
        assert!(ended.said.contains(line), "{}\n{}", ended.said, ended.complained);
        assert_eq!(place.mounts(), Vec::<String>::new());
    }
}

#[test]
#[ignore = "starts processes as root"]
fn a_plugin_that_never_becomes_ready_is_told_with_its_timeout_and_its_last_lines() {
    let place = Place::new();
    let plugin = place.document("nomad/host/silent-plugin.hcl", &[]);
    let volume = place.document("nomad/host/volume.hcl", &[]);
    let ended = place.run("nomad", &[&volume, &plugin], &[]).ended();
    assert_eq!(ended.status.code(), Some(1));
    for part in ["local0", "2 s", "waiting for the storage network"] {
        assert!(ended.complained.contains(part), "no {part:?} in: {}", ended.complained);
    }
}
