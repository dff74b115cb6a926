//! A dockerd, a bridge, and the command lines of a user.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

pub(crate) const IMAGE: &str = "longshore/busybox";

/// Long enough for a loaded machine; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    /// Short: the kernel takes 107 bytes for a socket.
    pub(crate) dir: PathBuf,
    /// What Docker calls the plugin.
    pub(crate) plugin: String,
    flags: Vec<String>,
    bridge: Option<Child>,
}

impl Rig {
    /// dockerd and bridge, ready.
    pub(crate) fn start(flags: &[&str]) -> Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "needs root: it mounts and runs containers");
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lsd{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new("/tmp").join(&name);
        std::fs::create_dir(&dir)?;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut rig = Self { dir, plugin: name, flags, bridge: None };
        rig.dockerd("up")?;
        rig.serve()?;
        Ok(rig)
    }

    /// `hack/docker up`, `kill` or `down`.
    pub(crate) fn dockerd(&self, what: &str) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hack/docker");
        let output = Command::new(script).arg(what).arg(self.dir.join("d")).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "hack/docker {what}: {}", text(&output));
        Ok(())
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("csi.sock")
    }

    /// Starts the bridge on the folder that it had, and waits until it listens.
    pub(crate) fn serve(&mut self) -> Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("serve.log"))?;
        let child = Command::new(longshore()?)
            .arg("serve")
            .arg(format!("--endpoint={}", self.socket().display()))
            .arg(format!("--state-dir={}", self.dir.join("state").display()))
            .args(["--plugin-spec-dir=/etc/docker/plugins", "-l", "debug"])
            .arg(format!("--name={}", self.plugin))
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.bridge = Some(child);
        eventually("the bridge listens", || std::os::unix::net::UnixStream::connect(self.socket()).ok())?;
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill_bridge(&mut self) -> Result<()> {
        let mut bridge = self.bridge.take().context("no bridge runs")?;
        bridge.kill()?;
        bridge.wait()?;
        Ok(())
    }

    /// SIGTERM, and a clean end.
    pub(crate) fn stop_bridge(&mut self) -> Result<()> {
        let mut bridge = self.bridge.take().context("no bridge runs")?;
        rustix::process::kill_process(rustix::process::Pid::from_child(&bridge), rustix::process::Signal::TERM)?;
        let status = bridge.wait()?;
        ensure!(status.success() && !self.socket().exists(), "it ended with {status}: {}", self.log());
        Ok(())
    }

    /// `longshore serve --list-mounts`, or another job of an operator's.
    pub(crate) fn operator(&self, flag: &str) -> Result<String> {
        let endpoint = format!("--endpoint={}", self.socket().display());
        let output = Command::new(longshore()?).args(["serve", &endpoint, flag]).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{flag}: {}", text(&output));
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }

    /// A user's command line: what it printed.
    pub(crate) fn docker(&self, args: &[&str]) -> Result<String> {
        let output = self.try_docker(args)?;
        ensure!(output.status.success(), "docker {}: {}\n{}", args.join(" "), text(&output), self.log());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// `docker volume ls` of this plugin: Docker asks all that it finds, other tests' too.
    pub(crate) fn volumes(&self) -> Result<String> {
        self.docker(&["volume", "ls", "-q", "-f", &format!("driver={}", self.plugin)])
    }

    /// One that must fail: what it said.
    pub(crate) fn refused(&self, args: &[&str]) -> Result<String> {
        let output = self.try_docker(args)?;
        if output.status.success() {
            bail!("docker {} succeeded: {}", args.join(" "), text(&output));
        }
        Ok(text(&output))
    }

    fn try_docker(&self, args: &[&str]) -> Result<Output> {
        let docker = std::env::var("LONGSHORE_DOCKER").unwrap_or_else(|_| "/usr/bin/docker".to_owned());
        let host = format!("unix://{}/d/docker.sock", self.dir.display());
        let mut command = Command::new(docker);
        command.args(["-H", &host]).args(args).stdin(Stdio::null());
        Ok(command.output()?)
    }

    /// `docker run --rm` of a shell line with a volume at /data.
    pub(crate) fn run(&self, volume: &str, line: &str) -> Result<String> {
        let bind = format!("{volume}:/data");
        self.docker(&["run", "--rm", "--network", "none", "-v", &bind, "--volume-driver", &self.plugin, IMAGE, "sh", "-c", line])
    }

    /// A container that goes on, and writes a line to /data/NAME ten times a second.
    pub(crate) fn detached(&self, name: &str, volume: &str) -> Result<()> {
        let bind = format!("{volume}:/data");
        let line = format!("while true; do date >> /data/{name}; sleep 0.1; done");
        self.docker(&["run", "-d", "--name", name, "--network", "none", "-v", &bind, IMAGE, "sh", "-c", &line])?;
        self.writes(name, volume)
    }

    /// Waits until a container's next line arrives in the volume itself.
    pub(crate) fn writes(&self, name: &str, volume: &str) -> Result<()> {
        let file = self.target(volume).join(name);
        let before = std::fs::metadata(&file).map_or(0, |meta| meta.len());
        eventually(&format!("{name} writes to {}", file.display()), || {
            std::fs::metadata(&file).ok().filter(|meta| meta.len() > before)
        })?;
        Ok(())
    }

    pub(crate) fn stop(&self, name: &str) -> Result<()> {
        self.docker(&["stop", "-t", "0", name]).map(drop)
    }

    /// Where the bridge mounts a volume.
    pub(crate) fn target(&self, volume: &str) -> PathBuf {
        self.dir.join("state/mounts").join(volume).join("target")
    }

    /// Mounts of the bridge's; those in the driver's own folder are not among them.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let under = self.dir.join("state/mounts");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        points.filter(|point| Path::new(point).starts_with(&under)).map(str::to_owned).collect()
    }

    /// Everything is removed; nothing may be left.
    pub(crate) fn end(mut self) -> Result<()> {
        ensure!(self.mounts().is_empty(), "still mounted: {:?}\n{}", self.mounts(), self.log());
        let listed = self.volumes()?;
        ensure!(listed.is_empty(), "volumes are left: {listed}");
        self.stop_bridge()?;
        ensure!(!Path::new("/etc/docker/plugins").join(format!("{}.spec", self.plugin)).exists(), "its spec file is left");
        for folder in ["state/volumes", "state/mounts", "state/data/volumes"] {
            let left: Vec<_> = std::fs::read_dir(self.dir.join(folder))?.flatten().map(|entry| entry.path()).collect();
            ensure!(left.is_empty(), "{folder} holds {left:?}");
        }
        Ok(())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.dockerd("down");
        if let Some(mut bridge) = self.bridge.take() {
            let _ = bridge.kill();
            let _ = bridge.wait();
        }
        for point in self.mounts().iter().rev() {
            let _ = Command::new("umount").args(["-l", point]).status();
        }
        let _ = std::fs::remove_file(Path::new("/etc/docker/plugins").join(format!("{}.spec", self.plugin)));
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The program beside this one's folder, or another.
fn longshore() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("LONGSHORE_PROGRAM") {
        return Ok(program.into());
    }
    let here = std::env::current_exe()?;
    let program = here.parent().and_then(Path::parent).context("a target folder")?.join("longshore");
    ensure!(program.exists(), "{} is not there: cargo build -p longshore", program.display());
    Ok(program)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

pub(crate) fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("never: {what}")
}
