//! external-provisioner and an instant driver, as processes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use csi_proto::csi::v1::ListVolumesRequest;
use csi_proto::csi::v1::controller_client::ControllerClient;
use harness::eventually;
use tonic::transport::Endpoint;

use crate::site::{DRIVER, Site};

/// A process that ends with its value.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    fn start(name: &'static str, programs: &Path, site: &Site, arguments: &[String]) -> Result<Self> {
        let (program, log) = (programs.join(name), site.folder().join(format!("{name}.log")));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let child = Command::new(&program)
            .args(arguments)
            // By this mark hack/cluster finds what a killed benchmark leaves.
            .env("LONGSHORE_CLUSTER", site.run())
            // Where it may write Leases, as its pod would be told.
            .env("POD_NAMESPACE", "longshore-system")
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Self { name, child, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of its log if it has ended.
    pub(crate) fn must_run(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = std::fs::read_to_string(&self.log)?;
        let end: Vec<&str> = log.lines().rev().take(5).collect();
        anyhow::bail!("{} ended with {status}: {}", self.name, end.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// SIGTERM; it must end with 0.
    pub(crate) async fn terminate(mut self) -> Result<()> {
        self.must_run()?;
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM)?;
        let status = eventually(&format!("{} to end", self.name), async || {
            self.child.try_wait()?.with_context(|| format!("pid {} runs", self.child.id()))
        })
        .await?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends what a killed benchmark left running: it would provision this one's claims. Known by the socket on its command line.
pub(crate) fn end_leftovers(site: &Site) -> Result<()> {
    let socket = socket(site).display().to_string();
    for entry in std::fs::read_dir("/proc")? {
        let process = entry?;
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(rustix::process::Pid::from_raw);
        // One that ends meanwhile has no command line any more.
        let (Some(pid), Ok(command)) = (pid, std::fs::read(process.path().join("cmdline"))) else { continue };
        let ours = |argument: &[u8]| argument.starts_with(b"--") && argument.ends_with(socket.as_bytes());
        if command.split(|byte| *byte == 0).any(ours) {
            crate::say(&format!("ending pid {} of an earlier benchmark", pid.as_raw_nonzero()));
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    Ok(())
}

fn socket(site: &Site) -> PathBuf {
    site.folder().join("csi.sock")
}

/// fake-driver without a script: it answers at once, from memory.
pub(crate) struct Driver {
    pub(crate) program: Program,
    socket: PathBuf,
}

impl Driver {
    pub(crate) async fn start(programs: &Path, site: &Site) -> Result<Self> {
        let socket = socket(site);
        let arguments = [
            format!("--endpoint=unix://{}", socket.display()),
            format!("--driver-name={DRIVER}"),
            "--controller-capabilities=CREATE_DELETE_VOLUME,LIST_VOLUMES".to_owned(),
        ];
        let program = Program::start("fake-driver", programs, site, &arguments)?;
        let mut driver = Self { program, socket };
        eventually("the driver to answer", async || {
            driver.program.must_run()?;
            driver.volumes().await
        })
        .await?;
        Ok(driver)
    }

    /// How many volumes it has.
    pub(crate) async fn volumes(&self) -> Result<usize> {
        let channel = Endpoint::from_shared(format!("unix://{}", self.socket.display()))?.connect().await?;
        let mut controller = ControllerClient::new(channel).max_decoding_message_size(256 << 20);
        let answer = controller.list_volumes(ListVolumesRequest::default()).await.context("ListVolumes")?;
        Ok(answer.into_inner().entries.len())
    }

    /// external-provisioner beside it, with default flags and `more`.
    pub(crate) fn provisioner(&self, programs: &Path, site: &Site, kubeconfig: &Path, more: &[String]) -> Result<Program> {
        let mut arguments =
            vec![format!("--csi-address={}", self.socket.display()), format!("--kubeconfig={}", kubeconfig.display())];
        arguments.extend(more.iter().cloned());
        Program::start("external-provisioner", programs, site, &arguments)
    }
}
