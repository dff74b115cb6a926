//! `--csi-plugin-config-dir`: files as Mesos agents have them, and volumes of their plugins.

use std::fs;
use std::path::Path;

use super::kubectl::{Host, claim, pod};
use super::process::eventually;

const RAN: &str = "wait --for=jsonpath={.status.phase}=Succeeded --timeout=60s";

/// What the tests start as a plugin: this very program, as the built-in driver under another name. Flags in `PLUGIN_FLAGS`.
#[test]
fn the_plugin() {
    let Ok(flags) = std::env::var("PLUGIN_FLAGS") else { return };
    let flags = std::iter::once("local-driver".to_owned()).chain(flags.split_whitespace().map(str::to_owned));
    let flags = <local_driver::Flags as clap::Parser>::parse_from(flags);
    let config = flags.config(std::env::var("CSI_ENDPOINT").ok()).expect("flags");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(local_driver::run(config)).expect("it serves");
}

/// A folder of plugin files, and what plugins keep.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(super::process::folder());
        fs::create_dir(files.path().join("conf")).expect("made");
        files
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn flag(&self) -> String {
        format!("--csi-plugin-config-dir={}", self.path().join("conf").display())
    }

    /// Whole before it has its name.
    fn write(&self, name: &str, text: &str) {
        let new = self.path().join("new");
        fs::write(&new, text).expect("written");
        fs::rename(new, self.path().join("conf").join(name)).expect("renamed");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join("conf").join(name)).expect("removed");
    }

    /// A container of a managed plugin.
    fn container(&self, driver: &str, services: &[&str]) -> String {
        let flags: String =
            services.iter().map(|service| service.to_lowercase().replace("_service", "")).collect::<Vec<_>>().join(",");
        let program = std::env::current_exe().expect("a program");
        let services: Vec<String> = services.iter().map(|service| format!("{service:?}")).collect();
        format!(
            r#"{{"services": [{}], "command": {{
                "value": "exec {} --exact plugins::the_plugin --nocapture --test-threads=1",
                "environment": {{"variables": [{{"name": "PLUGIN_FLAGS",
                    "value": "--driver-name={driver} --data-dir={}/{driver} --services={flags} --topology=false --node-id=n"}}]}}
            }}}}"#,
            services.join(", "),
            program.display(),
            self.path().display(),
        )
    }

    fn managed(&self, kind: &str, driver: &str, services: &[&str]) -> String {
        format!(r#"{{"type": "{kind}", "containers": [{}]}}"#, self.container(driver, services))
    }
}

const BOTH: [&str; 2] = ["CONTROLLER_SERVICE", "NODE_SERVICE"];

fn class(driver: &str) -> String {
    format!(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: {driver}}}\nprovisioner: {driver}\n\
         parameters: {{type: directory}}\n"
    )
}

/// Processes of plugins on sockets below this folder.
fn plugins(dir: &Path) -> Vec<i32> {
    let below = format!("CSI_ENDPOINT=unix://{}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("it is there").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(below.as_bytes())) {
            found.push(pid);
        }
    }
    found
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
}

fn plugins_end(dir: &Path) {
    eventually("the plugins to end", || match plugins(dir).as_slice() {
        [] => Ok(()),
        left => Err(format!("{left:?}")),
    });
}

fn driver_registered(host: &Host, driver: &str) {
    host.shows("get csinodes -o jsonpath={.items[*].spec.drivers[*].name}", driver);
}

/// A PersistentVolume and its claim for a volume that is there already.
fn registered(name: &str, driver: &str, handle: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec:\n  capacity: {{storage: 32Mi}}\n  \
         accessModes: [ReadWriteOnce]\n  persistentVolumeReclaimPolicy: Retain\n  storageClassName: none\n  \
         csi: {{driver: {driver}, volumeHandle: {handle}}}\n---\n{}",
        claim(name, "none").replace("  storageClassName: none\n", &format!("  storageClassName: none\n  volumeName: {name}\n"))
    )
}

/// A volume of a driver that was made with a claim, kept as a file of its own.
fn made_volume(host: &Host, driver: &str) -> String {
    host.apply(&format!("{}---\n{}", class(driver), claim("made", driver)));
    host.ok("wait --for=jsonpath={.status.phase}=Bound pvc/made --timeout=60s");
    host.ok("get pv -o jsonpath={.items[0].spec.csi.volumeHandle}")
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_managed_plugin_provisions_and_mounts_and_survives_its_own_death_and_ours() {
    let files = Files::new();
    files.write("a.json", &files.managed("org.example.managed", "managed.example", &BOTH));
    let host = Host::new(&["--run-pods", &files.flag()]);
    host.apply(&format!("{}---\n{}", class("managed.example"), claim("data", "managed.example")));
    host.apply(&pod("write", "data", "echo kept > /data/file && sync && sleep 1000"));
    host.becomes("get pod write -o jsonpath={.status.phase}", "Running");
    let file = eventually("the file", || {
        let volumes = files.path().join("managed.example/volumes");
        let found = fs::read_dir(&volumes).map_err(|error| error.to_string())?.flatten();
        let file = found
            .map(|entry| entry.path())
            .flat_map(|path| [path.join("file"), path.join("data/file")])
            .find(|path| path.exists());
        file.ok_or_else(|| format!("not below {}", volumes.display()))
    });
    let before = plugins(host.place.path());
    assert_eq!(before.len(), 1);
    kill(before[0]);
    eventually("another plugin", || match plugins(host.place.path()).as_slice() {
        [other] if *other != before[0] => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(fs::read_to_string(&file).expect("still there"), "kept\n");
    host.becomes("get pod write -o jsonpath={.status.phase}", "Running");
    let second = plugins(host.place.path());
    let host = host.killed_and_again(&["--run-pods", &files.flag()]);
    driver_registered(&host, "managed.example");
    assert_eq!(plugins(host.place.path()), second, "it was not started twice");
    host.becomes("get pod write -o jsonpath={.status.phase}", "Running");
    // The plugin is needed until the last volume is unmounted, and goes then.
    files.remove("a.json");
    host.ok("delete pod write --grace-period=1");
    host.shows("get pods -o name", "");
    plugins_end(host.place.path());
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_node_only_plugin_has_no_controllers_and_publishes_below_its_own_folder() {
    let files = Files::new();
    let (root, both) = (files.path().join("targets"), files.managed("maker", "maker.example", &BOTH));
    files.write("maker.json", &both);
    let host = Host::new(&["--run-pods", &files.flag()]);
    let handle = made_volume(&host, "maker.example");
    // From now on somebody else's volumes: a plugin that only mounts.
    let node = files.managed("maker", "maker.example", &["NODE_SERVICE"]);
    let node = node.replacen('{', &format!("{{\"target_path_root\": {root:?}, \"target_path_exists\": true, "), 1);
    files.write(
        "node.json",
        &node.replace("maker.example --data-dir", "node.example --data-dir").replace("\"maker\"", "\"node-only\""),
    );
    driver_registered(&host, "node.example");
    host.becomes("get csidriver node.example -o jsonpath={.spec.attachRequired}", "false");
    host.apply(&registered("theirs", "node.example", &handle));
    host.apply(&pod("user", "theirs", "echo x > /data/x && sync && sleep 1000"));
    host.becomes("get pod user -o jsonpath={.status.phase}", "Running");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    assert!(mounts.contains(&format!("{}/theirs/", root.display())), "{mounts}");
    // Its file says otherwise now; what is mounted is found where it is.
    files.write(
        "node.json",
        &node
            .replace("maker.example --data-dir", "node.example --data-dir")
            .replace("\"maker\"", "\"node-only\"")
            .replace("targets", "others"),
    );
    host.ok("delete pod user --grace-period=1");
    eventually("the target to be unmounted", || {
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
        let left = mounts.contains(&root.display().to_string()) || root.join("theirs").exists();
        if left { Err("it is still there".to_owned()) } else { Ok(()) }
    });
    fs::remove_dir_all(files.path().join("conf")).expect("removed");
    fs::create_dir(files.path().join("conf")).expect("made");
    plugins_end(host.place.path());
}

#[test]
#[ignore = "mounts, which needs root"]
fn controller_and_node_on_two_sockets_and_two_plugins_of_one_type() {
    let files = Files::new();
    let two = |name: &str, driver: &str| {
        let containers = BOTH.map(|service| files.container(driver, &[service])).join(", ");
        format!(r#"{{"type": "split", "name": "{name}", "containers": [{containers}]}}"#)
    };
    files.write("1.json", &two("one", "one.example"));
    files.write("2.json", &two("two", "two.example"));
    let host = Host::new(&["--run-pods", &files.flag()]);
    for driver in ["one.example", "two.example"] {
        let name = driver.replace(".example", "");
        host.apply(&format!("{}---\n{}", class(driver), claim(&name, driver)));
        host.apply(&pod(&name, &name, "echo x > /data/x"));
        host.ok(&format!("{RAN} pod/{name}"));
    }
    assert_eq!(plugins(host.place.path()).len(), 4);
    host.ok("delete pods --all");
    files.remove("1.json");
    files.remove("2.json");
    plugins_end(host.place.path());
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_bad_file_is_told_with_its_place_and_the_others_are_served() {
    let files = Files::new();
    files.write("bad.json", "{\n  \"type\": \"bad\",\n  \"endpoints\": [{\"csi_service\": \"NODE\", \"endpoint\": \"/s\"}]\n}");
    files.write("good.json", &files.managed("good", "good.example", &BOTH));
    files.write("taken.json", &files.managed("taken", local_driver::DRIVER_NAME, &BOTH));
    let host = Host::new(&[&files.flag()]);
    driver_registered(&host, "good.example");
    let told = |word: &str| {
        eventually(word, || {
            let said = host.up.complaints();
            let log = fs::read_to_string(host.place.path().join("longshore.log")).unwrap_or_default();
            if said.contains(word) || log.contains(word) { Ok(()) } else { Err(format!("{said}\n{log}")) }
        });
    };
    told("bad.json:3: endpoints[0].csi_service: is \"NODE\"; expected CONTROLLER_SERVICE or NODE_SERVICE");
    told("as another driver of this host does");
    files.write("bad.json", &files.managed("mended", "mended.example", &BOTH));
    driver_registered(&host, "mended.example");
    for name in ["bad.json", "good.json", "taken.json"] {
        files.remove(name);
    }
    plugins_end(host.place.path());
}
