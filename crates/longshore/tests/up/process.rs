//! A running `longshore up`, and what asks it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub(crate) fn longshore() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.env_remove("KUBECONFIG").env_remove("LONGSHORE_ROOTLESS").stdin(Stdio::null());
    command
}

/// A short path: the kernel takes 107 bytes for a socket.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("ls").tempdir_in("/tmp").expect("a folder")
}

/// A process that serves; killed and cleaned up after when dropped.
pub(crate) struct Up {
    child: Child,
    pub(crate) dir: PathBuf,
    /// Not for one that was killed: what it left is what the next one finds.
    tidy: bool,
}

impl Up {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(dir: &Path, flags: &[&str]) -> Self {
        Self::try_start(dir, flags).unwrap_or_else(|said| panic!("it did not start: {said}"))
    }

    /// The same, or what it said instead.
    #[allow(clippy::zombie_processes, reason = "awaited when dropped")]
    pub(crate) fn try_start(dir: &Path, flags: &[&str]) -> Result<Self, String> {
        let mut command = longshore();
        command.arg("up").arg(format!("--data-dir={}", dir.display())).args(flags);
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            command.arg("--listen=127.0.0.1:0");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        loop {
            let mut line = String::new();
            if out.read_line(&mut line).expect("its stdout can be read") == 0 {
                let mut wrong = String::new();
                child.stderr.take().expect("piped").read_to_string(&mut wrong).expect("text");
                child.wait().expect("it ended");
                return Err(wrong);
            }
            said.push_str(&line);
            if line.starts_with("longshore is ready") {
                // What else it says is kept from filling the pipe.
                let mut wrong = BufReader::new(child.stderr.take().expect("piped"));
                let problems = fs::File::create(dir.join("stderr")).expect("a file");
                std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
                std::thread::spawn(move || std::io::copy(&mut wrong, &mut { problems }));
                return Ok(Self { child, dir: dir.to_owned(), tidy: true });
            }
        }
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// What it complained of so far.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(self.dir.join("stderr")).unwrap_or_default()
    }

    /// `longshore status`, or another command, against it.
    pub(crate) fn ask(&self, words: &[&str]) -> Output {
        longshore().args(words).env("KUBECONFIG", self.kubeconfig()).output().expect("the program starts")
    }

    /// SIGKILL, as a machine that loses its power.
    pub(crate) fn kill(mut self) {
        self.tidy = false;
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// SIGTERM, as an operator; how it ended.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it ended")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.tidy {
            end_containers(&self.dir);
            unmount_below(&self.dir);
        }
    }
}

/// Containers and plugins outlive the process that started them, and the test.
pub(crate) fn end_containers(dir: &Path) {
    let dir = dir.display().to_string();
    for entry in fs::read_dir("/proc").expect("it is there").flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(rustix::process::Pid::from_raw);
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let shim = words.get(1) == Some(&b"container-shim".as_slice());
        let ours = shim && words.get(2).is_some_and(|folder| folder.starts_with(dir.as_bytes()));
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let plugin = format!("CSI_ENDPOINT=unix://{dir}/");
        let ours = ours || environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(plugin.as_bytes()));
        if let Some(pid) = pid.filter(|_| ours) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// What a killed process left mounted.
pub(crate) fn unmount_below(dir: &Path) {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut points: Vec<&str> =
        table.lines().filter_map(|line| line.split(' ').nth(4)).filter(|point| Path::new(point).starts_with(dir)).collect();
    points.sort_by_key(|point| std::cmp::Reverse(point.len()));
    for point in points {
        let _ = rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH);
    }
}

/// Tries until it holds.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(why) if began.elapsed() > PATIENCE => panic!("waited in vain for {what}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Any client, by the kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> kube::Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a configuration");
    kube::Client::try_from(config).expect("a client")
}

/// The real kubectl, against it.
pub(crate) struct Kubectl {
    kubeconfig: PathBuf,
    home: TempDir,
}

/// The one of the Kubernetes that the tests are about: `hack/test` names it; a running `hack/cluster` has it. Whatever is on the
/// PATH may be older and speak otherwise.
fn program() -> PathBuf {
    let named = std::env::var_os("KUBECTL").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from("/var/lib/longshore-test/bin/kubectl"))
}

pub(crate) fn kubectl(kubeconfig: &Path) -> Kubectl {
    let program = program();
    assert!(program.is_file(), "{} is missing: set KUBECTL, or run hack/cluster up first", program.display());
    Kubectl { kubeconfig: kubeconfig.to_owned(), home: folder() }
}

impl Kubectl {
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(program());
        command.args(words.split_ascii_whitespace()).env("KUBECONFIG", &self.kubeconfig).env("HOME", self.home.path());
        command.stdin(Stdio::null());
        command
    }

    /// Words without blanks in them; what it printed, and whether it was content.
    pub(crate) fn run(&self, words: &str, input: &str) -> (bool, String) {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("kubectl ends");
        (output.status.success(), text(&[output.stdout, output.stderr].concat()))
    }

    pub(crate) fn ok(&self, words: &str) -> String {
        self.given(words, "")
    }

    /// The same, with something on stdin.
    pub(crate) fn given(&self, words: &str, input: &str) -> String {
        let (ok, said) = self.run(words, input);
        assert!(ok, "kubectl {words}: {said}\n{input}");
        said
    }

    pub(crate) fn apply(&self, manifests: &str) -> String {
        self.given("apply -f -", manifests)
    }

    /// What it said when it failed.
    pub(crate) fn fails(&self, words: &str, input: &str) -> String {
        let (ok, said) = self.run(words, input);
        assert!(!ok, "kubectl {words} should have failed: {said}");
        said
    }
}
