//! A host for documents: folders, a plugin, secrets, and `longshore run`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(90);

/// Everything of one test; what is mounted below it is unmounted when it is dropped.
pub(crate) struct Place {
    dir: TempDir,
}

/// A driver process, ended when dropped.
pub(crate) struct Driver {
    child: Child,
    pub(crate) socket: PathBuf,
}

/// A running `longshore run`.
pub(crate) struct Run {
    child: Child,
    said: Arc<Mutex<String>>,
    complained: Arc<Mutex<String>>,
}

/// What `longshore run` came to.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Place {
    /// A short path: the kernel takes 107 bytes for a socket.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("lsr").tempdir_in("/tmp").expect("a folder");
        for folder in ["plugins", "secrets", "data"] {
            fs::create_dir(dir.path().join(folder)).expect("made");
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longshore"), dir.path().join("local-driver")).expect("linked");
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command line of a plugin, but for its endpoint.
    pub(crate) fn plugin(&self) -> String {
        let (program, data) = (self.path("local-driver"), self.path("volumes"));
        let shown = format!("{} --data-dir={}", program.display(), data.display());
        format!("{shown} --driver-name=third.example.org --node-id=here --topology=false --multi-node")
    }

    /// The same, as somebody else's process.
    pub(crate) fn driver(&self) -> Driver {
        let socket = self.path("csi.sock");
        let line = format!("exec {} --endpoint=unix://{}", self.plugin(), socket.display());
        let child = Command::new("/bin/sh").args(["-c", &line]).stderr(Stdio::null()).spawn().expect("it starts");
        let driver = Driver { child, socket };
        eventually("the driver to serve", || {
            let probed = driver.csi(&["identity", "probe"]);
            if probed.status.success() { Ok(()) } else { Err(text(&probed.stderr)) }
        });
        driver
    }

    /// A document of tests/documents with names of hosts and drivers replaced; where it is now.
    pub(crate) fn document(&self, name: &str, names: &[(&str, &str)]) -> PathBuf {
        let printed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents").join(name);
        let mut document = fs::read_to_string(&printed).unwrap_or_else(|error| panic!("{}: {error}", printed.display()));
        for (old, new) in names {
            assert!(document.contains(old), "{name} has no {old}");
            document = document.replace(old, new);
        }
        let file = self.path(printed.file_name().and_then(|name| name.to_str()).expect("a name"));
        fs::write(&file, document).expect("written");
        file
    }

    /// A plugin file, as an operator puts it into the folder.
    pub(crate) fn plugin_file(&self, name: &str, names: &[(&str, &str)]) {
        let file = self.document(&format!("plugins/{name}"), names);
        fs::rename(&file, self.path("plugins").join(name)).expect("moved");
    }

    pub(crate) fn secret(&self, name: &str, value: &str) {
        fs::write(self.path("secrets").join(name), value).expect("written");
    }

    /// `longshore run`, with this host's folders.
    pub(crate) fn run(&self, from: &str, files: &[&Path], flags: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.arg("run").args(["--from", from]).args(flags).args(files);
        command.arg(format!("--data-dir={}", self.path("data").display()));
        command.arg(format!("--csi-plugin-config-dir={}", self.path("plugins").display()));
        command.arg(format!("--secrets-dir={}", self.path("secrets").display())).arg("--v=10");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (said, complained) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Run { child, said, complained }
    }

    /// Mounts below the data directory but the one that its root may be.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let table = fs::read_to_string("/proc/self/mountinfo").expect("readable");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        let root = self.path("data").join("kubelet");
        points
            .filter(|point| Path::new(point).starts_with(self.dir.path()) && Path::new(point) != root)
            .map(str::to_owned)
            .collect()
    }

    /// A file of a volume, by way of a driver that publishes it for us.
    pub(crate) fn volume_file(&self, volume: &str, file: &str) -> String {
        let driver = self.driver();
        let (staging, target) = (self.path("staging"), self.path("target"));
        fs::create_dir_all(&staging).expect("made");
        let (staging, shown) = (staging.display().to_string(), target.display().to_string());
        let cap = ["--cap", "SINGLE_NODE_WRITER,mount,"];
        driver.ok(&[&["node", "stage", "--staging-target-path", &staging], &cap[..], &[volume]].concat());
        let publish = ["node", "publish", "--staging-target-path", &staging, "--target-path", &shown];
        driver.ok(&[&publish[..], &cap[..], &[volume]].concat());
        let read = fs::read_to_string(target.join(file)).unwrap_or_else(|error| panic!("{file} of {volume}: {error}"));
        driver.ok(&["node", "unpublish", "--target-path", &shown, volume]);
        driver.ok(&["node", "unstage", "--staging-target-path", &staging, volume]);
        read
    }

    /// No file below the data directory has this in it.
    pub(crate) fn nowhere(&self, secret: &str) {
        let mut folders = vec![self.path("data")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    // The API's own store holds Secrets, as etcd does: removed ones are overwritten in time.
                    Ok(kind) if kind.is_file() && !path.ends_with("objects.redb") => {
                        let bytes = fs::read(&path).unwrap_or_default();
                        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                        assert!(!found, "{} has a secret in it", path.display());
                    }
                    _ => {}
                }
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut points = self.mounts();
        points.push(self.path("data").join("kubelet").display().to_string());
        points.sort_by_key(|point| std::cmp::Reverse(point.len()));
        for point in points {
            let _ = rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH);
        }
    }
}

impl Driver {
    /// `longshore csi` against it.
    pub(crate) fn csi(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.arg("csi").args(words).env("CSI_ENDPOINT", &self.socket).output().expect("it starts")
    }

    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.csi(words);
        assert!(output.status.success(), "longshore csi {words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Somebody makes a volume for the documents.
    pub(crate) fn volume(&self, name: &str, kind: &str, filesystem: &str) {
        let (kind, cap) = (format!("type={kind}"), format!("SINGLE_NODE_WRITER,mount,{filesystem}"));
        self.ok(&["controller", "create-volume", "--params", &kind, "--cap", &cap, "--req-bytes", "33554432", name]);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

impl Run {
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    pub(crate) fn complained(&self) -> String {
        self.complained.lock().expect("no panic").clone()
    }

    /// Waits until it has said this often enough.
    pub(crate) fn says(&self, what: &str, times: usize) {
        eventually(&format!("{what:?} {times} times"), || {
            let (said, complained) = (self.said(), self.complained());
            if said.matches(what).count() >= times {
                Ok(())
            } else {
                Err(format!("it said\n{said}\nand complained\n{complained}"))
            }
        });
    }

    pub(crate) fn complains(&self, what: &str) {
        eventually(&format!("a complaint about {what:?}"), || {
            let complained = self.complained();
            if complained.contains(what) {
                Ok(())
            } else {
                Err(format!("it said\n{}\nand complained\n{complained}", self.said()))
            }
        });
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(self) -> Ended {
        self.signal(rustix::process::Signal::INT);
        self.ended()
    }

    /// As a machine that loses its power.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Waits for its own end.
    pub(crate) fn ended(mut self) -> Ended {
        let status = eventually("the end of longshore run", || match self.child.try_wait().expect("it can be awaited") {
            Some(status) => Ok(status),
            None => Err(format!("it said\n{}\nand complained\n{}", self.said(), self.complained())),
        });
        Ended { status, said: self.said(), complained: self.complained() }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries until it holds.
fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(why) if began.elapsed() > PATIENCE => panic!("waited in vain for {what}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn collect(stream: Option<impl std::io::Read + Send + 'static>) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let (kept, mut stream) = (text.clone(), BufReader::new(stream.expect("piped")));
    std::thread::spawn(move || {
        let mut line = Vec::new();
        while stream.by_ref().read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            kept.lock().expect("no panic").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    text
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
