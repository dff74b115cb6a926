//! Nomad's job and volume specifications, converted and run on this host with local-driver as the plugin.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::kubectl::Host;
use super::process::eventually;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents/nomad").join(name);
    fs::read_to_string(path).expect("the document")
}

#[test]
#[ignore = "mounts and makes loop devices, which needs root"]
fn each_instance_of_a_nomad_job_writes_to_its_own_created_volume() {
    let host = Host::new(&["--run-pods"]);
    let volume = document("hostpath-volume.hcl").replace("\"1MB\"", "\"32MiB\"");
    let second = volume.replace("shared[0]", "shared[1]").replace("shared-0", "shared-1");
    let files = [("first.hcl", volume), ("second.hcl", second), ("job.hcl", document("hostpath-consumer.hcl"))];
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(["convert", "--from", "nomad", "--for", "host", "--driver", "csi-hostpath=local.csi.longshore.dev"]);
    for (name, text) in files {
        let file = host.place.path().join(name);
        fs::write(&file, text).expect("written");
        command.arg(file);
    }
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    host.apply(&String::from_utf8(output.stdout).expect("text"));
    for index in 0..2 {
        host.becomes(&format!("get pod log-keeper-{index} -o jsonpath={{.status.phase}}"), "Running");
        let uid = host.ok(&format!("get pod log-keeper-{index} -o jsonpath={{.metadata.uid}}"));
        let volumes = host.place.path().join(format!("kubelet/pods/{uid}/volumes/kubernetes.io~csi"));
        eventually("a line of date in the instance's own file", || {
            let said = |error: std::io::Error| format!("{}: {error}", volumes.display());
            let mounted = fs::read_dir(&volumes).map_err(said)?.next().ok_or("no volume")?.map_err(said)?.path().join("mount");
            let names: Vec<String> = fs::read_dir(&mounted)
                .map_err(said)?
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter(|name| name != "lost+found")
                .collect();
            let line = fs::read_to_string(mounted.join(index.to_string())).map_err(said)?;
            if names == [index.to_string()] && line.contains(':') { Ok(()) } else { Err(format!("{names:?}: {line}")) }
        });
    }
    assert_eq!(host.ok("get pvc -o jsonpath={.items[*].spec.accessModes[*]}"), "ReadWriteOnce ReadWriteOnce");
    host.ok("delete pods --all");
}
