//! The program by both of its names, against a real driver: `longshore csi`, and a link called csc.
#![allow(clippy::disallowed_methods, reason = "runs the program")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

struct Driver {
    dir: tempfile::TempDir,
    child: std::process::Child,
}

impl Driver {
    /// The driver that is in the same file, by its own name.
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["local-driver", "csc"] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longshore"), dir.path().join(name)).unwrap();
        }
        let mut child = Command::new(dir.path().join("local-driver"));
        child.arg(format!("--data-dir={}", dir.path().join("data").display())).arg("--node-id=here");
        child.env("CSI_ENDPOINT", format!("unix://{}", dir.path().join("csi.sock").display())).stderr(Stdio::null());
        let driver = Self { child: child.spawn().unwrap(), dir };
        while driver.csc(&["i", "probe"]).status.code() == Some(14) {
            std::thread::yield_now();
        }
        driver
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// In the driver's folder, so that the endpoint can be REX-Ray's `csi.sock`.
    fn csc(&self, words: &[&str]) -> Output {
        let mut csc = Command::new(self.path().join("csc"));
        csc.args(words).env("CSI_ENDPOINT", "csi.sock").current_dir(self.path()).output().unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn rex_rays_lines_work_by_the_name_csc() {
    let driver = Driver::start();
    let made = driver.csc(&["new", "MyNewVolume"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let id = text(&made.stdout).split('"').nth(1).expect("an id in quotes").to_owned();
    let listed = driver.csc(&["ls"]);
    assert_eq!((listed.status.code(), text(&listed.stdout)), (Some(0), text(&made.stdout)));
    let attached = driver.csc(&["att", &id]);
    assert_eq!((attached.status.code(), text(&attached.stdout)), (Some(0), format!("\"{id}\"\n").as_str()));
    let gone = driver.csc(&["rm", &id]);
    assert_eq!((gone.status.code(), text(&gone.stdout)), (Some(0), format!("{id}\n").as_str()));
}

#[test]
fn longshore_csi_is_the_same_client() {
    let driver = Driver::start();
    let endpoint = driver.path().join("csi.sock");
    let run = |words: &[&str]| {
        let mut longshore = Command::new(env!("CARGO_BIN_EXE_longshore"));
        longshore.arg("csi").args(words).arg("--endpoint").arg(&endpoint).env_remove("CSI_ENDPOINT").output().unwrap()
    };
    let info = run(&["identity", "plugin-info", "-o", "json"]);
    assert!(info.status.success() && text(&info.stdout).contains("\"name\":\"local.csi.longshore.dev\""), "{info:?}");
    let missing = run(&["controller", "get-volume", "nowhere"]);
    assert_eq!(missing.status.code(), Some(5), "{missing:?}");
    let help = Command::new(env!("CARGO_BIN_EXE_longshore")).args(["csi", "--help"]).output().unwrap();
    assert!(help.status.success() && text(&help.stdout).contains("Usage: longshore csi"), "{help:?}");
}
