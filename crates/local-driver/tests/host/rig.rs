//! A driver process with its own data directory, clients to it, and a look at what it leaves on the host.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use csi::controller_client::ControllerClient;
use csi::node_client::NodeClient;
use csi::volume_capability::access_mode::Mode;
use csi::volume_capability::{AccessMode, AccessType, BlockVolume, MountVolume};
use csi_proto::csi::v1 as csi;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

pub(crate) const MIB: i64 = 1 << 20;

pub(crate) struct Rig {
    pub(crate) dir: PathBuf,
    pub(crate) controller: ControllerClient<Channel>,
    pub(crate) node: NodeClient<Channel>,
    /// A directory that the driver looks for programs in first.
    pub(crate) programs: Option<PathBuf>,
    flags: Vec<String>,
    child: Child,
    _temporary: tempfile::TempDir,
}

impl Rig {
    /// `None` without root: there is nothing to test then.
    pub(crate) async fn start(flags: &[&str]) -> Option<Rig> {
        if !rustix::process::geteuid().is_root() {
            let _ = writeln!(std::io::stderr(), "skipped: mounting needs root");
            return None;
        }
        let temporary = tempfile::Builder::new().prefix("local driver").tempdir().unwrap();
        let dir = fs::canonicalize(temporary.path()).unwrap();
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let child = spawn(&dir, "csi.sock", &flags, None);
        let channel = connect(&dir.join("csi.sock")).await;
        let (controller, node) = (ControllerClient::new(channel.clone()), NodeClient::new(channel));
        Some(Rig { dir, controller, node, programs: None, flags, child, _temporary: temporary })
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A new process on the same data.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.dir, "csi.sock", &self.flags, self.programs.as_deref());
        let channel = connect(&self.dir.join("csi.sock")).await;
        (self.controller, self.node) = (ControllerClient::new(channel.clone()), NodeClient::new(channel));
    }

    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("csi.sock.log")).unwrap_or_default()
    }

    pub(crate) fn data(&self, id: &str) -> PathBuf {
        self.dir.join("data/volumes").join(id)
    }

    pub(crate) async fn create(&mut self, name: &str, bytes: i64, kind: &str, capability: csi::VolumeCapability) -> String {
        self.controller.create_volume(volume(name, bytes, kind, capability)).await.unwrap().into_inner().volume.unwrap().volume_id
    }

    pub(crate) async fn delete(&mut self, id: &str) -> Result<(), Status> {
        self.controller.delete_volume(csi::DeleteVolumeRequest { volume_id: id.to_owned(), ..Default::default() }).await.map(drop)
    }

    pub(crate) async fn stage(&mut self, id: &str, at: &str, capability: csi::VolumeCapability) -> Result<(), Status> {
        let request = csi::NodeStageVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: self.text(at),
            volume_capability: Some(capability),
            ..Default::default()
        };
        self.node.node_stage_volume(request).await.map(drop)
    }

    pub(crate) async fn unstage(&mut self, id: &str, at: &str) -> Result<(), Status> {
        let request = csi::NodeUnstageVolumeRequest { volume_id: id.to_owned(), staging_target_path: self.text(at) };
        self.node.node_unstage_volume(request).await.map(drop)
    }

    pub(crate) fn publication(
        &self,
        id: &str,
        from: &str,
        at: &str,
        capability: csi::VolumeCapability,
    ) -> csi::NodePublishVolumeRequest {
        csi::NodePublishVolumeRequest {
            volume_id: id.to_owned(),
            staging_target_path: self.text(from),
            target_path: self.text(at),
            volume_capability: Some(capability),
            ..Default::default()
        }
    }

    pub(crate) async fn publish(
        &mut self,
        id: &str,
        from: &str,
        at: &str,
        capability: csi::VolumeCapability,
    ) -> Result<(), Status> {
        let request = self.publication(id, from, at, capability);
        self.node.node_publish_volume(request).await.map(drop)
    }

    pub(crate) async fn publish_readonly(
        &mut self,
        id: &str,
        from: &str,
        at: &str,
        capability: csi::VolumeCapability,
    ) -> Result<(), Status> {
        let request = csi::NodePublishVolumeRequest { readonly: true, ..self.publication(id, from, at, capability) };
        self.node.node_publish_volume(request).await.map(drop)
    }

    pub(crate) async fn unpublish(&mut self, id: &str, at: &str) -> Result<(), Status> {
        let request = csi::NodeUnpublishVolumeRequest { volume_id: id.to_owned(), target_path: self.text(at) };
        self.node.node_unpublish_volume(request).await.map(drop)
    }

    /// Created, staged at `<name>-stage` and published at `<name>-target`.
    pub(crate) async fn in_use(&mut self, name: &str, bytes: i64, kind: &str, capability: csi::VolumeCapability) -> String {
        let id = self.create(name, bytes, kind, capability.clone()).await;
        self.stage(&id, &format!("{name}-stage"), capability.clone()).await.unwrap();
        self.publish(&id, &format!("{name}-stage"), &format!("{name}-target"), capability).await.unwrap();
        id
    }

    /// The opposite, to the end.
    pub(crate) async fn end(&mut self, name: &str, id: &str) {
        self.unpublish(id, &format!("{name}-target")).await.unwrap();
        self.unstage(id, &format!("{name}-stage")).await.unwrap();
        self.delete(id).await.unwrap();
    }

    /// Lines of the mount table below this rig.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap().replace("\\040", " ");
        table.lines().filter(|line| line.contains(self.dir.to_str().unwrap())).map(str::to_owned).collect()
    }

    pub(crate) fn loops(&self) -> Vec<String> {
        let devices = fs::read_dir("/sys/block").unwrap().map(|entry| entry.unwrap());
        devices
            .filter(|entry| {
                let backing = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
                backing.starts_with(self.dir.to_str().unwrap())
            })
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    /// After everything was deleted, nothing is left: no mount, no loop device, no file.
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.mounts(), Vec::<String>::new(), "mounts");
        assert_eq!(self.loops(), Vec::<String>::new(), "loop devices");
        for shelf in ["volumes", "snapshots", "locks"] {
            let left: Vec<_> =
                fs::read_dir(self.dir.join("data").join(shelf)).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(left, Vec::<PathBuf>::new(), "{shelf}");
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "{}", self.log());
        }
        // Only after a failed test is there anything to clear away.
        for line in self.mounts().iter().rev() {
            let point = line.find(self.dir.to_str().unwrap()).map(|at| &line[at..]).and_then(|rest| rest.split(" rw").next());
            let _ =
                Command::new("umount").arg("-l").arg(point.unwrap_or_default().split(" ro").next().unwrap_or_default()).status();
        }
        for device in self.loops() {
            let _ = Command::new("losetup").args(["-d", &format!("/dev/{device}")]).status();
        }
    }
}

pub(crate) fn spawn(dir: &Path, socket: &str, flags: &[String], programs: Option<&Path>) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join(format!("{socket}.log"))).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = programs.map_or(path.clone(), |programs| format!("{}:{path}", programs.display()));
    Command::new(env!("CARGO_BIN_EXE_local-driver"))
        .env("PATH", path)
        .arg(format!("--endpoint=unix://{}/{socket}", dir.display()))
        .arg(format!("--data-dir={}/data", dir.display()))
        .args(["--node-id=node-1", "-v=6"])
        .args(flags)
        .stderr(log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the driver to answer: a killed one's socket may still lie there.
pub(crate) async fn connect(socket: &Path) -> Channel {
    let endpoint =
        Endpoint::from_shared(format!("unix://{}", socket.display())).unwrap().origin("http://localhost".parse().unwrap());
    for _ in 0..500 {
        if let Ok(channel) = endpoint.connect().await {
            let mut identity = csi::identity_client::IdentityClient::new(channel.clone());
            if identity.probe(csi::ProbeRequest {}).await.is_ok() {
                return channel;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no driver answers on {}", socket.display());
}

pub(crate) fn volume(name: &str, bytes: i64, kind: &str, capability: csi::VolumeCapability) -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest {
        name: name.to_owned(),
        capacity_range: Some(csi::CapacityRange { required_bytes: bytes, limit_bytes: 0 }),
        volume_capabilities: vec![capability],
        parameters: BTreeMap::from([("type".to_owned(), kind.to_owned())]),
        ..Default::default()
    }
}

pub(crate) fn mount(fs_type: &str, flags: &[&str]) -> csi::VolumeCapability {
    let mount = MountVolume {
        fs_type: fs_type.to_owned(),
        mount_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        ..Default::default()
    };
    capability(AccessType::Mount(mount), Mode::SingleNodeWriter)
}

pub(crate) fn block() -> csi::VolumeCapability {
    capability(AccessType::Block(BlockVolume {}), Mode::SingleNodeWriter)
}

pub(crate) fn capability(access: AccessType, mode: Mode) -> csi::VolumeCapability {
    csi::VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(access) }
}

pub(crate) fn code(result: Result<(), Status>) -> Code {
    result.expect_err("this call must fail").code()
}
