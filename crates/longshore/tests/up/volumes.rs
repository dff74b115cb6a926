//! Volumes of every sort, from the manifest to the bytes and back.

use std::fs;
use std::path::PathBuf;

use super::kubectl::{Host, claim, pod};
use super::process::{eventually, folder};

const RAN: &str = "wait --for=jsonpath={.status.phase}=Succeeded --timeout=60s";

fn bound(host: &Host, claim: &str) -> String {
    host.ok(&format!("wait --for=jsonpath={{.status.phase}}=Bound pvc/{claim} --timeout=60s"));
    host.ok(&format!("get pvc {claim} -o jsonpath={{.spec.volumeName}}"))
}

/// A class of the built-in driver.
fn class(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: {name}}}\nprovisioner: local.csi.longshore.dev\n\
         parameters: {{type: directory}}\n{rest}"
    )
}

/// Nothing of volumes is left, in the API and on the disk.
fn nothing_is_left(host: &Host) {
    host.becomes("get pv,pvc,volumeattachments -A -o name", "");
    let volumes = host.place.path().join("volumes/volumes");
    eventually("the volumes' folder to be empty", || {
        let left: Vec<_> = fs::read_dir(&volumes).map_err(|error| format!("{}: {error}", volumes.display()))?.collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    let below = host.place.path().join("kubelet/pods");
    assert!(!mounts.contains(&below.display().to_string()), "{mounts}");
}

#[test]
#[ignore = "mounts and makes loop devices, which needs root"]
fn a_claim_of_each_built_in_class_keeps_bytes_between_pods_and_goes_when_deleted() {
    let host = Host::new(&["--run-pods"]);
    for class in ["local", "local-directory"] {
        let name = format!("data-{class}");
        let write = pod(&format!("write-{class}"), &name, "echo kept > /data/file && sync");
        host.apply(&format!("{}---\n{write}", claim(&name, class)));
        host.ok(&format!("{RAN} pod/write-{class}"));
        host.apply(&pod(&format!("read-{class}"), &name, "grep kept /data/file && df /data | grep -q /data"));
        host.ok(&format!("{RAN} pod/read-{class}"));
    }
    // The default class is that of claims that name none.
    host.apply(&claim("plain", "x").replace("  storageClassName: x\n", ""));
    bound(&host, "plain");
    assert_eq!(host.ok("get pvc plain -o jsonpath={.spec.storageClassName}"), "local");
    host.ok("delete pods --all");
    host.ok("delete pvc --all --timeout=60s");
    nothing_is_left(&host);
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_class_that_waits_for_a_consumer_provisions_for_the_first_pod() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&format!("{}---\n{}", class("late", "volumeBindingMode: WaitForFirstConsumer\n"), claim("data", "late")));
    host.shows("describe pvc data", "waiting for first consumer to be created before binding");
    assert_eq!(host.ok("get pvc data -o jsonpath={.status.phase}"), "Pending");
    host.apply(&pod("first", "data", "touch /data/x"));
    host.ok(&format!("{RAN} pod/first"));
    let node = host.ok("get pvc data -o jsonpath={.metadata.annotations.volume\\.kubernetes\\.io/selected-node}");
    assert_eq!(format!("node/{node}"), host.ok("get nodes -o name").trim());
    host.ok("delete pod first");
    host.ok("delete pvc data --timeout=60s");
    nothing_is_left(&host);
}

#[test]
#[ignore = "mounts and makes loop devices, which needs root"]
fn a_block_volume_is_a_device_in_the_container() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&claim("raw", "local").replace("  accessModes", "  volumeMode: Block\n  accessModes"));
    let user = pod(
        "user",
        "raw",
        "test -b /dev/xraw && echo raw-bytes | dd of=/dev/xraw conv=fsync && dd if=/dev/xraw count=1 | grep raw-bytes",
    );
    host.apply(
        &user.replace("volumeMounts: [{name: data, mountPath: /data}]", "volumeDevices: [{name: data, devicePath: /dev/xraw}]"),
    );
    host.ok(&format!("{RAN} pod/user"));
    assert_eq!(host.ok("get pv -o jsonpath={.items[*].spec.volumeMode}"), "Block");
    host.ok("delete pod user");
    host.ok("delete pvc raw --timeout=60s");
    nothing_is_left(&host);
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_generic_ephemeral_volume_lives_as_long_as_its_pod() {
    let host = Host::new(&["--run-pods"]);
    let ephemeral = "ephemeral: {volumeClaimTemplate: {spec: {storageClassName: local-directory, accessModes: [ReadWriteOnce], \
                     resources: {requests: {storage: 8Mi}}}}}";
    host.apply(&pod("scratch", "none", "echo x > /data/x").replace("persistentVolumeClaim: {claimName: none}", ephemeral));
    host.ok(&format!("{RAN} pod/scratch"));
    assert_eq!(host.ok("get pvc scratch-data -o jsonpath={.metadata.ownerReferences[0].name}"), "scratch");
    host.ok("delete pod scratch");
    nothing_is_left(&host);
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_retained_volume_is_released_with_its_bytes_and_can_be_given_again() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&format!("{}---\n{}", class("kept", "reclaimPolicy: Retain\n"), claim("data", "kept")));
    host.apply(&pod("write", "data", "echo kept > /data/file"));
    host.ok(&format!("{RAN} pod/write"));
    let volume = bound(&host, "data");
    host.ok("delete pod write");
    host.ok("delete pvc data --timeout=60s");
    host.ok(&format!("wait --for=jsonpath={{.status.phase}}=Released pv/{volume} --timeout=60s"));

    // The handle, given by hand to a volume of a person's own making, which a claim names.
    let handle = host.ok(&format!("get pv {volume} -o jsonpath={{.spec.csi.volumeHandle}}"));
    host.ok(&format!("delete pv {volume} --timeout=60s"));
    host.apply(&format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: by-hand}}\nspec:\n  storageClassName: ''\n  capacity: {{storage: 32Mi}}\n  \
         accessModes: [ReadWriteOnce]\n  persistentVolumeReclaimPolicy: Retain\n  \
         csi: {{driver: local.csi.longshore.dev, volumeHandle: {handle}}}\n"
    ));
    host.ok("wait --for=jsonpath={.status.phase}=Available pv/by-hand --timeout=60s");
    host.apply(&claim("again", "''").replace("  accessModes", "  volumeName: by-hand\n  accessModes"));
    assert_eq!(bound(&host, "again"), "by-hand");
    host.apply(&pod("read", "again", "grep kept /data/file"));
    host.ok(&format!("{RAN} pod/read"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_larger_size_is_refused_as_long_as_nobody_grows_volumes_here() {
    let host = Host::new(&[]);
    for name in ["local", "local-directory"] {
        host.apply(&claim(name, name));
        bound(&host, name);
        let larger = r#"{"spec":{"resources":{"requests":{"storage":"64Mi"}}}}"#;
        let refused = host.fails(&format!("patch pvc {name} -p {larger}"), "");
        assert!(refused.contains("only dynamically provisioned pvc can be resized"), "{refused}");
    }
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_second_driver_that_attaches_gets_attachments_which_go_with_the_pod() {
    let theirs = folder();
    let socket = theirs.path().join("csi.sock");
    let driver = Second::start(socket.clone(), theirs.path().join("volumes"));
    let flag = format!("--driver=second.example.org=unix://{}", socket.display());
    let host = Host::new(&["--run-pods", &flag]);
    host.apply(
        "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: second.example.org}\nspec: {attachRequired: true}\n---\n\
         apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: second}\nprovisioner: second.example.org\n\
         parameters: {type: directory}\n",
    );
    host.apply(&format!("{}---\n{}", claim("data", "second"), pod("user", "data", "echo x > /data/x && exec sleep 3600")));
    host.ok("wait --for=condition=Ready pod/user --timeout=60s");
    let volume = bound(&host, "data");
    let columns = "get volumeattachments -o jsonpath={range.items[*]}{.spec.attacher},{.spec.source.persistentVolumeName},{.status.attached}{end}";
    assert_eq!(host.ok(columns), format!("second.example.org,{volume},true"));
    assert_eq!(
        host.ok("get nodes -o jsonpath={.items[*].status.volumesAttached[*].name}"),
        format!("kubernetes.io/csi/second.example.org^{}", handle(&host))
    );
    host.ok("delete pod user");
    host.becomes("get volumeattachments -o name", "");
    host.ok("delete pvc data --timeout=60s");
    nothing_is_left(&host);
    drop(driver);
}

fn handle(host: &Host) -> String {
    host.ok("get pv -o jsonpath={.items[*].spec.csi.volumeHandle}")
}

/// The built-in driver once more, under another name, with a process's life of its own.
struct Second {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Second {
    fn start(socket: PathBuf, data_dir: PathBuf) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let config = local_driver::Config {
            socket,
            driver_name: "second.example.org".to_owned(),
            node_id: "here".to_owned(),
            data_dir,
            controller: true,
            node: true,
            topology_key: None,
            max_volumes_per_node: 0,
            overcommit: false,
            controller_publish: true,
            multi_node: false,
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime
                .block_on(local_driver::serve(config, async move {
                    let _ = stopped.await;
                }))
                .expect("the driver serves");
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}
