//! What is refused, warned of, and decided.

use std::time::Duration;

use super::{job, problems, read, warnings};
use crate::model::{Backoff, Command, FileData, Kind, Restart, Role, Rule, Source, Update};

fn volume(mode: &str, more: &str) -> String {
    format!(
        "volume \"v\" {{\n type = \"csi\"\n source = \"s\"\n access_mode = \"{mode}\"\n attachment_mode = \"file-system\"\n{more}\n}}"
    )
}

const MOUNT: &str = "volume_mount {\n volume = \"v\"\n destination = \"/v\"\n}";

#[track_caller]
fn refused(text: &str, wanted: &str) {
    let told = problems(text).join("\n");
    assert!(told.contains(wanted), "expected {wanted:?} in:\n{told}");
}

#[test]
fn a_reader_mode_needs_read_only() {
    refused(&job(&volume("multi-node-reader-only", ""), MOUNT), "multi-node-reader-only allows no writing");
    read(&job(&volume("multi-node-reader-only", "read_only = true"), MOUNT));
}

#[test]
fn several_instances_cannot_share_what_has_one_writer() {
    for mode in ["single-node-writer", "multi-node-single-writer"] {
        refused(&job(&format!("count = 2\n{}", volume(mode, "")), MOUNT), "2 instances cannot share");
        let each = read(&job(&format!("count = 2\n{}", volume(mode, "per_alloc = true")), MOUNT));
        assert_eq!(each.document.workloads.len(), 2, "{mode}");
    }
    let shared = read(&job(&format!("count = 2\n{}", volume("multi-node-multi-writer", "")), MOUNT));
    assert_eq!(shared.document.workloads[0].kind, Kind::Service { instances: 2 });
}

#[test]
fn two_groups_cannot_write_to_what_has_one_writer() {
    let group = |name: &str, mode: &str, more: &str| {
        let inner = job(&volume(mode, more), MOUNT);
        let (_, group) = inner.split_once("group \"g\"").expect("a group");
        format!("group \"{name}\"{}", group.trim_end().strip_suffix('}').expect("the job's end"))
    };
    let both = |first: (&str, &str), second: (&str, &str)| {
        format!("job \"j\" {{\n{}\n{}\n}}\n", group("a", first.0, first.1), group("b", second.0, second.1))
    };
    let writer = ("single-node-writer", "");
    refused(&both(writer, writer), "\"s\" has 2 writers, and single-node-writer allows one");
    refused(&both(writer, ("single-node-writer", "read_only = true")), "allows the writer alone");
    let one = ("multi-node-single-writer", "");
    refused(&both(one, one), "multi-node-single-writer allows one");
    read(&both(one, ("multi-node-single-writer", "read_only = true")));
    let all = ("multi-node-multi-writer", "");
    refused(&both(all, all).replacen("file-system", "block-device", 1), "cannot change the attachment mode of \"s\"");
    let told = problems(&both(writer, writer));
    assert!(told[0].starts_with("23:1: job \"j\" > group \"b\" > volume \"v\""), "{told:?}");
}

#[test]
fn a_job_and_the_specification_of_its_volume_are_checked_together() {
    let spec = "id = \"s\"\nname = \"s\"\nplugin_id = \"p\"\ncapability {\n access_mode = \"multi-node-reader-only\"\n attachment_mode = \"file-system\"\n}\n";
    let (spec, user) = (read(spec).document, read(&job(&volume("single-node-writer", ""), MOUNT)).document);
    let told = super::super::claims(&[&user, &spec]);
    assert_eq!(told.len(), 1);
    assert!(told[0].1.reason.contains("asks for \"s\" single-node-writer as file-system"), "{told:?}");
    assert!(told[0].1.reason.contains("has only multi-node-reader-only as file-system"), "{told:?}");
    let reader = read(&job(&volume("multi-node-reader-only", "read_only = true"), MOUNT)).document;
    assert_eq!(super::super::claims(&[&reader, &spec]), []);
}

#[test]
fn per_alloc_is_not_for_system_jobs() {
    let text =
        job(&volume("single-node-writer", "per_alloc = true"), MOUNT).replace("job \"j\" {", "job \"j\" {\n type = \"system\"");
    refused(&text, "instances of a system job have no numbers");
}

#[test]
fn a_device_has_no_mount_options() {
    let text = volume("single-node-writer", "mount_options {\n fs_type = \"ext4\"\n}").replace("file-system", "block-device");
    refused(&job(&text, MOUNT), "belongs to a file system");
}

#[test]
fn what_a_volume_must_say() {
    refused(&job("volume \"v\" {\n type = \"csi\"\n source = \"s\"\n}", MOUNT), "access_mode: is required");
    refused(&job("volume \"v\" {\n type = \"host\"\n source = \"s\"\n}", MOUNT), "not CSI volumes");
    refused(&job(&volume("writer", ""), MOUNT), "\"writer\" is none of single-node-reader-only");
    refused(&job(&volume("single-node-writer", "sticky = true"), MOUNT), "sticky: is not honoured");
    refused(&job(&volume("single-node-writer", "").replace("\"s\"", "\"s-${NOMAD_ALLOC_INDEX}\""), MOUNT), "per_alloc = true");
    refused(&job("", MOUNT), "\"v\" is not a volume of the group");
    refused(&job(&volume("single-node-writer", ""), MOUNT).replace("\"exec\"", "\"raw_exec\""), "raw_exec takes no volumes");
    refused(&job(&volume("single-node-writer", ""), &MOUNT.replace("/v", "/../v")), "without ..");
}

#[test]
fn a_field_is_never_passed_over_in_silence() {
    refused(&job("", "drivr = \"exec\""), "task has no such field; did you mean driver?");
    refused(&job("", "artifact {\n source = \"https://x\"\n}"), "artifact: is not honoured: nothing is fetched");
    refused(&job("", "vault {\n}"), "vault: is not honoured");
    let told =
        warnings(&job("network {\n port \"http\" {\n to = 80\n }\n}\nservice {\n name = \"x\"\n}", "kill_signal = \"SIGINT\""));
    for wanted in ["network > port: has no effect: ports are not mapped", "service: has no effect", "kill_signal: has no effect"]
    {
        assert!(told.iter().any(|warning| warning.contains(wanted)), "{wanted}: {told:?}");
    }
    assert!(told[0].starts_with("4:2: job \"j\" > group \"g\" > network > port"), "{told:?}");
}

#[test]
fn drivers_of_other_kinds_are_refused() {
    refused(&job("", "").replace("\"exec\"", "\"qemu\""), "\"qemu\" is not run here; docker, exec and raw_exec are");
}

#[test]
fn plugins_are_checked() {
    let plugin = |inner: &str| job("", &format!("csi_plugin {{\n{inner}\n}}"));
    refused(&plugin("id = \"p\""), "type: is required: node, controller or monolith");
    refused(&plugin("type = \"node\""), "id: is required");
    refused(&plugin("id = \"p\"\ntype = \"both\""), "\"both\" is none of node, controller, monolith");
    refused(&plugin("id = \"a/b\"\ntype = \"node\""), "cannot name a plugin");
    refused(&plugin("id = \"p\"\ntype = \"node\"\nmount_dir = \"csi\""), "is not an absolute path");
    refused(&plugin("id = \"p\"\ntype = \"node\"\nstage_publish_base_dir = \"/csi/mounts\""), "may not lie in mount_dir");
    refused(&plugin("id = \"p\"\ntype = \"node\"\nhealth_timeout = \"soon\""), "expected a duration");
    let twice = plugin("id = \"p\"\ntype = \"node\"").replace("    task", "    task \"u\" {\n driver = \"exec\"\n config {\n command = \"/x\"\n }\n csi_plugin {\n id = \"p\"\n type = \"monolith\"\n }\n }\n    task");
    refused(&twice, "\"p\" offers the same service twice");
}

#[test]
fn a_plugin_and_its_users_in_one_group_are_told_apart() {
    let text = job("", "").replace("    task", "    task \"p\" {\n driver = \"raw_exec\"\n config {\n command = \"/x\"\n args = [\"--endpoint=${CSI_ENDPOINT}\"]\n }\n csi_plugin {\n id = \"p\"\n type = \"monolith\"\n }\n }\n    task");
    let document = read(&text).document;
    assert_eq!((document.plugins.len(), document.workloads.len(), document.workloads[0].tasks.len()), (1, 1, 1));
    let plugin_host::How::Process(process) = &document.plugins[0].parts[0].how else { panic!("a process") };
    let plugin_host::Command::Program { program, args } = &process.command else { panic!("a program") };
    assert_eq!((program.as_str(), args.0[0].as_str()), ("/x", "--endpoint=${CSI_ENDPOINT}"), "where it starts, that is known");
}

#[test]
fn job_types_are_kinds_of_workloads() {
    let kind = |kind: &str| {
        let text = job("", "").replace("job \"j\" {", &format!("job \"j\" {{\n type = \"{kind}\""));
        let workload = read(&text).document.workloads[0].clone();
        (workload.kind, workload.restart)
    };
    assert_eq!(kind("service"), (Kind::Service { instances: 1 }, Restart::Always));
    assert_eq!(kind("system"), (Kind::System, Restart::Always));
    assert_eq!(kind("batch"), (Kind::Batch { instances: 1 }, Restart::OnFailure));
    assert_eq!(kind("sysbatch"), (Kind::Batch { instances: 1 }, Restart::OnFailure));
}

#[test]
fn restarts_and_updates_are_as_written() {
    let text = job(
        "count = 4\nupdate {\n max_parallel = 2\n}\nrestart {\n attempts = 3\n delay = \"30s\"\n mode = \"delay\"\n}",
        "kill_timeout = \"1m\"",
    );
    let workload = read(&text).document.workloads[0].clone();
    let delay = Duration::from_secs(30);
    assert_eq!(workload.backoff, Some(Backoff { first: delay, factor: 1.0, longest: delay, reset: None }));
    assert_eq!(workload.update, Update::Rolling { unavailable: 0.5, surplus: 0.0 });
    assert_eq!(workload.grace, Some(Duration::from_secs(60)));
    let once = read(&job("restart {\n attempts = 0\n}", "").replace("job \"j\" {", "job \"j\" {\n type = \"batch\""));
    assert_eq!(once.document.workloads[0].restart, Restart::Never);
}

#[test]
fn constraints_choose_nodes_by_their_labels() {
    let constraint = |inner: &str| format!("constraint {{\n{inner}\n}}");
    let text = job(
        &constraint("attribute = \"${attr.kernel.name}\"\n value = \"linux\""),
        &constraint("attribute = \"${meta.rack}\"\n operator = \"set_contains_any\"\n value = \"r1,r2\""),
    );
    let placement = read(&text).document.workloads[0].placement.clone();
    assert_eq!(
        (placement.requirements[0].label.as_str(), &placement.requirements[0].rule),
        ("kubernetes.io/os", &Rule::In(vec!["linux".to_owned()]))
    );
    assert_eq!(placement.requirements[1].rule, Rule::In(vec!["r1".to_owned(), "r2".to_owned()]));
    refused(
        &job(&constraint("attribute = \"${attr.kernel.name}\"\n operator = \"regexp\"\n value = \"l.*\""), ""),
        "\"regexp\" is not understood",
    );
    refused(&job(&constraint("attribute = \"${driver.docker}\"\n value = \"1\""), ""), "label the nodes");
}

#[test]
fn a_template_is_a_file_at_its_place() {
    let text = job(
        "",
        "template {\n destination = \"${NOMAD_TASK_DIR}/conf/app.yaml\"\n data = <<EOT\nname: {{ env \"NOMAD_JOB_NAME\" }}\nEOT\n}",
    );
    let workload = read(&text).document.workloads[0].clone();
    let files = workload.volumes.iter().find_map(|volume| match &volume.source {
        Source::Files(files) => Some(files.clone()),
        _ => None,
    });
    assert_eq!(
        files.expect("files").into_iter().collect::<Vec<_>>(),
        [("0-app.yaml".to_owned(), FileData::Text("name: j\n".to_owned()))]
    );
    refused(
        &job("", "template {\n destination = \"local/x\"\n data = \"{{ key \\\"a\\\" }}\"\n}"),
        "calls \"key\", which needs Consul",
    );
    refused(&job("", "template {\n destination = \"/etc/x\"\n data = \"x\"\n}"), "is not below local/");
    refused(&job("", "template {\n destination = \"local/../x\"\n data = \"x\"\n}"), "is not below local/");
    refused(
        &job("", "template {\n destination = \"local/x\"\n env = true\n data = \"no line\"\n}"),
        "a line that is not NAME=value",
    );
    refused(&job("", "template {\n destination = \"local/x\"\n source = \"x.tpl\"\n}"), "files outside of the job");
}

#[test]
fn a_prestart_task_runs_first() {
    let text = job("", "").replace("    task", "    task \"main\" {\n driver = \"docker\"\n config {\n image = \"i\"\n command = \"run\"\n args = [\"x\"]\n }\n }\n    task").replace("      driver = \"exec\"", "      driver = \"exec\"\n lifecycle {\n hook = \"prestart\"\n }");
    let tasks = read(&text).document.workloads[0].tasks.clone();
    assert_eq!(
        tasks.iter().map(|task| (task.name.as_str(), task.role)).collect::<Vec<_>>(),
        [("t", Role::First), ("main", Role::Main)]
    );
    assert_eq!(tasks[1].command, Command::Image(vec!["run".to_owned(), "x".to_owned()]));
    refused(&job("", "lifecycle {\n hook = \"poststop\"\n}"), "poststop is not run");
}

#[test]
fn what_is_no_job_is_told_what_a_job_has() {
    refused("", "job: is required");
    refused("x = 1\n", "file has no such field");
    refused("job \"a\" {\n}\n", "has no group");
    refused("job \"a\" {\n group \"g\" {\n }\n}\n", "has no task");
    refused("job {\n}\n", "has one label");
    refused(&format!("{}{}", job("", ""), job("", "").replace("\"j\"", "\"k\"")), "is there twice: a file has one job");
    refused("{\"job\": 5}", "expected an object");
    refused("{\"Job\": 5}", "Job should be an object");
    refused("{\"Volumes\": {}}", "Volumes should be a list");
    refused("{\"job\": {\"a\": {}}", "1:18: the text ends before the }");
    refused("group \"g\" {\n}\n", "belongs in a job");
}
