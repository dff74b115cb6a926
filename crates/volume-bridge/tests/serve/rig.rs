//! A bridge in this process, on a socket in a folder of its own; and its two kinds of clients.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use csi_proto::csi::v1 as csi;
use csi_proto::csi::v1::volume_capability::access_mode::Mode;
use csi_proto::csi::v1::volume_capability::{AccessMode, AccessType, MountVolume};
use fake_driver::{Builder, ControllerCap, FakeDriver};
use rt::{Ctx, Shutdown};
use serde_json::Value;
use sidecar::{Program, Shell};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use volume_bridge::Flags;
use volume_bridge::environment::Environment;

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) dir: PathBuf,
    shutdown: Shutdown,
    task: Option<JoinHandle<anyhow::Result<()>>>,
    _temporary: tempfile::TempDir,
}

/// `None` without root: there is nothing to mount then.
pub(crate) fn root() -> Option<()> {
    rustix::process::geteuid().is_root().then_some(())
}

/// Everything that is logged by any test of this process, at the highest verbosity.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("sound")).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("sound").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) static LOG: LazyLock<Log> = LazyLock::new(|| {
    use tracing_subscriber::layer::SubscriberExt;
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
    let ours = tracing_subscriber::filter::Targets::new()
        .with_target("volume_bridge", tracing::Level::TRACE)
        .with_target("csi_client", tracing::Level::TRACE)
        .with_target("csi", tracing::Level::TRACE);
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines).with(ours));
    log
});

impl Rig {
    /// In a folder of its own, which `{dir}` stands for.
    pub(crate) async fn start(args: &[&str], env: &[(&str, &str)]) -> Self {
        let temporary = tempfile::Builder::new().prefix("vb").tempdir_in("/tmp").expect("a folder");
        let dir = std::fs::canonicalize(temporary.path()).expect("a folder");
        let mut rig = Self { dir, shutdown: Shutdown::new(), task: None, _temporary: temporary };
        rig.restart(args, env).await;
        rig
    }

    /// Another life on the same folder.
    pub(crate) async fn restart(&mut self, args: &[&str], env: &[(&str, &str)]) {
        LazyLock::force(&LOG);
        let dir = self.dir.to_str().expect("text");
        let own = [format!("--state-dir={dir}/state"), format!("--endpoint={dir}/csi.sock")];
        let args = own.into_iter().chain(args.iter().map(|arg| arg.replace("{dir}", dir)));
        let argv = std::iter::once("longshore serve".to_owned()).chain(args).map(Into::into);
        let env = Environment(env.iter().map(|(name, value)| ((*name).to_owned(), value.replace("{dir}", dir))).collect());
        let flags = sidecar::parse::<Flags>(Flags::DIALECT, argv).expect("flags");
        let config = flags.meaning(&env, false, &mut Vec::new()).expect("a configuration");
        self.shutdown = Shutdown::new();
        let shell = Shell { ctx: Ctx::real(), shutdown: self.shutdown.clone(), metrics: sidecar::Metrics::new() };
        self.task = Some(tokio::spawn(volume_bridge::run(config, shell)));
        eventually("it listens", async || UnixStream::connect(self.socket()).await.ok()).await;
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("csi.sock")
    }

    /// Asks it to stop, as SIGTERM does.
    pub(crate) fn ask_to_stop(&self) {
        self.shutdown.request();
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.request();
        let task = self.task.take().expect("it runs");
        tokio::time::timeout(PATIENCE, task).await.expect("it ends").expect("no panic").expect("a clean end");
    }

    /// One request of Docker's, as dockerd sends it: no content type.
    pub(crate) async fn docker(&self, path: &str, body: &str) -> (u16, Value) {
        post(&self.socket(), path, body).await
    }

    /// The same, which must succeed.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.docker(path, &body.to_string()).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// The same, which must fail: what it says.
    pub(crate) async fn refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.docker(path, &body.to_string()).await;
        assert_ne!(status, 200, "{path} {body}: {answer}");
        answer["Err"].as_str().expect("words").to_owned()
    }

    pub(crate) async fn channel(&self) -> Channel {
        channel(&self.socket()).await
    }

    /// Lines of the mount table below this rig.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let table = std::fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
        table.lines().filter(|line| line.contains(self.dir.to_str().expect("text"))).map(str::to_owned).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // Only after a failed test is there anything to clear away.
        for line in self.mounts().iter().rev() {
            let _ = std::process::Command::new("umount").args(["-l", line.split(' ').nth(4).unwrap_or_default()]).status();
        }
    }
}

/// Looks until there is something to see.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    seen.await.unwrap_or_else(|_| panic!("never: {what}"))
}

pub(crate) async fn channel(socket: &Path) -> Channel {
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).expect("an address");
    endpoint.origin("http://localhost".parse().expect("an origin")).connect().await.expect("connected")
}

/// What came back of one request: status line, body.
pub(crate) async fn raw(socket: &Path, path: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.expect("connected");
    stream.write_all(request(path, body).as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    answer
}

pub(crate) fn request(path: &str, body: &str) -> String {
    let head = "Host: plugin.moby.localhost\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close";
    format!("POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) async fn post(socket: &Path, path: &str, body: &str) -> (u16, Value) {
    let answer = raw(socket, path, body).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A fake driver that creates, lists, stages and really mounts, beside the bridge's socket.
pub(crate) async fn fake(dir: &Path, with: impl FnOnce(Builder) -> Builder) -> FakeDriver {
    let caps = [ControllerCap::CreateDeleteVolume, ControllerCap::PublishUnpublishVolume, ControllerCap::ListVolumes];
    let builder = FakeDriver::builder("fake.example.com").controller_caps(caps).mount(dir.join("data"));
    with(builder).start(dir.join("fake.sock")).await.expect("the driver starts")
}

pub(crate) fn capability() -> csi::VolumeCapability {
    csi::VolumeCapability {
        access_mode: Some(AccessMode { mode: Mode::SingleNodeWriter.into() }),
        access_type: Some(AccessType::Mount(MountVolume::default())),
    }
}

pub(crate) fn create(name: &str) -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest { name: name.to_owned(), volume_capabilities: vec![capability()], ..Default::default() }
}
