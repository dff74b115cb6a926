//! The documents of the seed, damaged as they came and mended, and plugin jobs as they are met.

use std::path::Path;
use std::time::Duration;

use csi_types::CsiAccessMode;
use plugin_host::{How, Service};

use super::{file, problems, read};
use crate::model::{Command, EnvValue, Kind, Restart, Source, SpecKind, Spread, Target};

#[test]
fn line_breaks_that_were_lost_are_named_with_their_place() {
    let told = problems(&file("csi-plugin.damaged.hcl"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("1:34: "), "{told:?}");
    assert!(told[0].contains("HCL wants each on its own; line breaks were probably lost"), "{told:?}");
    let told = problems(&file("plugin-efs.damaged.hcl"));
    assert!(told[0].starts_with("1:42: "), "{told:?}");
    assert!(told[0].contains("a comment that hides the rest of it"), "{told:?}");
    assert!(told[0].contains("line breaks were probably lost"), "{told:?}");
}

#[test]
fn a_plugin_without_a_task_is_told_where_it_belongs() {
    let told = problems(&file("csi-plugin.hcl"));
    assert_eq!(
        told,
        ["1:1: csi_plugin: this block belongs in a task (job > group > task > csi_plugin); by itself it runs nothing"]
    );
}

#[test]
fn the_mended_plugin_job_is_a_plugin() {
    let parsed = read(&file("plugin-efs.hcl"));
    assert!(parsed.document.workloads.is_empty(), "a plugin is no pod");
    assert_eq!(parsed.warnings, [], "nothing is left out");
    let [plugin] = parsed.document.plugins.as_slice() else { panic!("one plugin") };
    assert_eq!(plugin.id.to_string(), "aws-efs0");
    assert_eq!(plugin.services().into_iter().collect::<Vec<_>>(), [Service::Node]);
    assert_eq!(plugin.health_timeout, Duration::from_secs(30));
    let How::Docker(docker) = &plugin.parts[0].how else { panic!("a container") };
    assert_eq!(docker.image, "amazon/aws-efs-csi-driver:v.1.3.2");
    assert_eq!(docker.args.0, ["--endpoint=unix://csi/csi.sock", "--logtostderr", "--v=5"]);
    assert!(docker.privileged);
    assert!(docker.binds.iter().any(|bind| bind.source == Path::new("/dev") && bind.target == Path::new("/dev")));
    assert_eq!((docker.mount_dir.as_path(), docker.stage_dir.as_deref()), (Path::new("/csi"), Some(Path::new("/local/csi"))));
}

#[test]
fn a_monolith_serves_both_and_knows_its_socket() {
    for (name, timeout) in [("hostpath.hcl", 30), ("hcl-job.json", 45)] {
        let parsed = read(&file(name));
        let [plugin] = parsed.document.plugins.as_slice() else { panic!("{name}: one plugin") };
        assert_eq!(plugin.services().len(), 2, "{name}");
        assert_eq!(plugin.health_timeout, Duration::from_secs(timeout), "{name}");
        let How::Docker(docker) = &plugin.parts[0].how else { panic!("{name}: a container") };
        assert!(docker.args.0.contains(&"--endpoint=unix:///csi/csi.sock".to_owned()), "{name}: {:?}", docker.args.0);
        assert_eq!(docker.image, "registry.example/hostpathplugin:v1.9", "{name}");
    }
}

#[test]
fn each_instance_of_a_group_with_per_alloc_has_its_own_volume() {
    let parsed = read(&file("hostpath-consumer.hcl"));
    let workloads = &parsed.document.workloads;
    assert_eq!(workloads.iter().map(|workload| workload.name.as_str()).collect::<Vec<_>>(), ["log-keeper-0", "log-keeper-1"]);
    for (index, workload) in workloads.iter().enumerate() {
        assert_eq!((workload.kind, workload.restart), (Kind::Service { instances: 1 }, Restart::Always));
        let Source::Registered(volume) = &workload.volumes[0].source else { panic!("a registered volume") };
        assert_eq!((volume.id.as_str(), volume.access_mode), (&*format!("shared[{index}]"), CsiAccessMode::SingleNodeWriter));
        let task = &workload.tasks[0];
        assert_eq!(task.env["NOMAD_ALLOC_INDEX"], EnvValue::Text(index.to_string()));
        assert_eq!(task.mounts[0].target, Target::Made("/srv/logs".to_owned()));
        let Command::Argv(words) = &task.command else { panic!("a process") };
        assert!(words[2].contains("$NOMAD_ALLOC_INDEX"), "the shell's own: {words:?}");
    }
}

#[test]
fn a_controller_and_a_node_of_one_id_are_one_plugin() {
    let mut plugins = read(&file("ebs-controller.hcl")).document.plugins;
    let How::Docker(docker) = &plugins[0].parts[0].how else { panic!("a container") };
    assert_eq!(docker.image, "registry.example/ebs-csi-driver:v1.39");
    plugins.extend(read(&file("ebs-node.hcl")).document.plugins);
    let How::Docker(docker) = &plugins[1].parts[0].how else { panic!("a container") };
    assert_eq!(docker.args.0, ["node", "--endpoint=unix:///csi/csi.sock", "--logtostderr", "--v=5"]);
    assert_eq!(docker.binds[0].target, Path::new("/lib/modules"));
    let (merged, twice) = super::super::merge(plugins.clone());
    assert_eq!((merged.len(), twice.len()), (1, 0));
    assert_eq!((merged[0].parts.len(), merged[0].health_timeout), (2, Duration::from_secs(90)));
    plugins.push(plugins[0].clone());
    assert_eq!(super::super::merge(plugins).1, ["aws-ebs0"], "two controllers");
    // One job may have both.
    let both = read(&file("nfs.hcl")).document.plugins;
    assert_eq!((both.len(), both[0].parts.len()), (1, 2));
}

#[test]
fn a_template_of_variables_is_the_plugins_environment() {
    let parsed = super::super::parse(&file("nfs.hcl"), &super::Inputs::default(), Some("node-7")).expect("good");
    let parts = &parsed.document.plugins[0].parts;
    let How::Docker(controller) = &parts[0].how else { panic!("a container") };
    assert_eq!(controller.environment.plain["NFS_ADDRESS"], "nfs.example");
    assert_eq!(controller.environment.plain["NFS_SHARE"], "/srv/export");
    assert_eq!(controller.args.0[1], "--node-id=node-7");
    assert_eq!(controller.network.as_deref(), Some("host"));
    // Where the node is not known yet, its name is put in there.
    let later = read(&file("nfs.hcl")).document.plugins;
    let How::Docker(node) = &later[0].parts[1].how else { panic!("a container") };
    assert!(node.environment.node_name.contains("NODE_ID"), "{:?}", node.environment);
}

#[test]
fn the_apis_own_form_means_the_same() {
    let parsed = read(&file("api-job.json"));
    let [workload] = parsed.document.workloads.as_slice() else { panic!("one workload") };
    assert_eq!((workload.name.as_str(), workload.kind), ("reader", Kind::Batch { instances: 1 }));
    assert_eq!((workload.restart, workload.grace), (Restart::Never, Some(Duration::from_secs(20))));
    let task = &workload.tasks[0];
    assert_eq!(task.command, Command::Argv(vec!["/bin/cat".to_owned(), "/local/../data/rows".to_owned()]));
    assert!(task.mounts[0].read_only);
    assert_eq!(task.resources.memory, Some(64 << 20));
}

#[test]
fn a_volume_that_is_created_and_one_that_is_there() {
    let parsed = read(&file("ebs-volume.hcl"));
    let [volume] = parsed.document.volumes.as_slice() else { panic!("one volume") };
    assert_eq!((volume.id.as_str(), volume.name.as_str(), volume.plugin.as_str()), ("ebs-vol[0]", "ebs-vol0", "aws-ebs0"));
    let SpecKind::Create { capacity, parameters, snapshot: None, clone: None } = &volume.kind else {
        panic!("{:?}", volume.kind)
    };
    assert_eq!((capacity.min, capacity.max), (Some(10 << 30), Some(20 << 30)));
    assert_eq!(parameters["csi.storage.k8s.io/fstype"], "ext4");
    assert_eq!(volume.required[1].0["topology.ebs.csi.aws.com/zone"], "us-east-1b");
    let there = read(&file("ebs-register.hcl")).document.volumes;
    let SpecKind::Register { volume_id, context } = &there[0].kind else { panic!("{:?}", there[0].kind) };
    assert_eq!((volume_id.as_str(), context["partition"].as_str()), ("vol-0123456789abcdef0", "1"));
}

#[test]
fn the_apis_volumes_are_specifications_too() {
    let parsed = read(&file("api-volumes.json"));
    let volume = &parsed.document.volumes[0];
    let SpecKind::Create { capacity, .. } = &volume.kind else { panic!("{:?}", volume.kind) };
    assert_eq!(capacity.min, Some(10 << 20));
    assert_eq!((volume.required.len(), volume.preferred.len()), (1, 1));
    assert_eq!(volume.capabilities[0].access_type, csi_types::AccessType::Block);
}

#[test]
fn no_secret_is_ever_shown() {
    for name in ["hostpath-volume.hcl", "api-volumes.json"] {
        let parsed = read(&file(name));
        assert!(!parsed.document.volumes[0].secrets.is_empty(), "{name}");
        let shown = format!("{parsed:?}");
        assert!(!shown.contains("not-a-real"), "{shown}");
    }
    let told = problems("id = \"a\"\nplugin_id = \"p\"\nsecrets {\n  key = \"hunter2\"\n  key = \"hunter2\"\n}\n");
    assert!(!told.join("\n").contains("hunter2"), "{told:?}");
}

#[test]
fn distinct_hosts_is_one_for_each_node() {
    let parsed = read(&super::job("constraint {\n distinct_hosts = true\n }", ""));
    assert_eq!(parsed.document.workloads[0].placement.spread, [Spread::Unique("kubernetes.io/hostname".to_owned())]);
}
