//! The two sides, as processes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use harness::eventually_within;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::usage;

/// A side that serves.
pub(crate) trait Server {
    /// With all rights.
    fn client(&self) -> Result<Client>;
    /// Resident, of all its processes, now.
    fn memory(&self) -> Result<u64>;
    /// Of all its processes, since they started.
    fn cpu_secs(&self) -> Result<f64>;
    /// From the first process's start to the answer that it is ready.
    fn ready_ms(&self) -> u128;
    /// Bytes of its data.
    fn disk(&self) -> Result<u64>;
    /// Ends it in order.
    async fn stop(self) -> Result<()>;
}

/// A process that ends with us.
struct Process(Child);

impl Process {
    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = fs::File::create(log)?;
        command.stdin(Stdio::null()).stderr(log.try_clone()?);
        Ok(Self(command.stdout(log).spawn().with_context(|| format!("{command:?}"))?))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn terminate(&mut self) -> Result<()> {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `longshore up`.
pub(crate) struct Ours {
    process: Process,
    folder: PathBuf,
    client: Client,
    ready_ms: u128,
}

impl Ours {
    pub(crate) async fn start(programs: &Path, folder: &Path, flags: &[&str]) -> Result<Self> {
        let began = Instant::now();
        let mut command = Command::new(programs.join("longshore"));
        command.args(["up", "--listen=127.0.0.1:0"]).arg(format!("--data-dir={}", folder.display())).args(flags);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("longshore")?;
        let mut out = BufReader::new(child.stdout.take().context("piped")?);
        let process = Process(child);
        let mut line = String::new();
        while !line.starts_with("longshore is ready") {
            line.clear();
            ensure!(out.read_line(&mut line)? > 0, "longshore up ended before it was ready");
        }
        let ready_ms = began.elapsed().as_millis();
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let kubeconfig = Kubeconfig::read_from(folder.join("kubeconfig"))?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Self { process, folder: folder.to_owned(), client: Client::try_from(config)?, ready_ms })
    }
}

impl Server for Ours {
    fn client(&self) -> Result<Client> {
        Ok(self.client.clone())
    }

    fn memory(&self) -> Result<u64> {
        usage::memory(self.process.pid())
    }

    fn cpu_secs(&self) -> Result<f64> {
        usage::cpu_secs(self.process.pid())
    }

    fn ready_ms(&self) -> u128 {
        self.ready_ms
    }

    fn disk(&self) -> Result<u64> {
        Ok(fs::metadata(self.folder.join("objects.redb"))?.len())
    }

    async fn stop(mut self) -> Result<()> {
        self.process.terminate()?;
        let _ = rustix::mount::unmount(self.folder.join("kubelet"), rustix::mount::UnmountFlags::empty());
        Ok(())
    }
}

/// A real kube-apiserver on a real etcd, which fsyncs each write.
pub(crate) struct Upstream {
    etcd: Process,
    apiserver: Process,
    folder: PathBuf,
    client: Client,
    ready_ms: u128,
}

const TOKEN: &str = "bench-token";

impl Upstream {
    pub(crate) async fn start(programs: &Path, folder: &Path) -> Result<Self> {
        let [clients, peers, api] = free_ports()?;
        let keys = folder.join("service-accounts");
        let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&keys).arg("2048").stderr(Stdio::null()).status()?;
        ensure!(made.success(), "openssl made no key");
        fs::write(folder.join("tokens"), format!("{TOKEN},bench,1,system:masters\n"))?;
        let began = Instant::now();
        let (client_url, peer_url) = (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
        let mut etcd = Command::new(programs.join("etcd"));
        etcd.arg("--data-dir").arg(folder.join("etcd")).args(["--log-level", "warn", "--listen-client-urls", &client_url]);
        etcd.args(["--advertise-client-urls", &client_url, "--listen-peer-urls", &peer_url]);
        etcd.args(["--initial-advertise-peer-urls", &peer_url, "--initial-cluster", &format!("default={peer_url}")]);
        let etcd = Process::start(&mut etcd, &folder.join("etcd.log"))?;
        let mut apiserver = Command::new(programs.join("kube-apiserver"));
        apiserver.args(["--etcd-servers", &client_url, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"]);
        apiserver
            .args(["--secure-port", &api.to_string(), "--endpoint-reconciler-type", "none", "--cert-dir"])
            .arg(folder.join("certs"));
        apiserver.arg("--token-auth-file").arg(folder.join("tokens")).args(["--authorization-mode", "AlwaysAllow"]);
        apiserver.args(["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file"]).arg(&keys);
        apiserver.arg("--service-account-signing-key-file").arg(&keys).args(["--disable-admission-plugins", "ServiceAccount"]);
        apiserver.args(["--service-cluster-ip-range", "10.210.0.0/24"]);
        // Its defaults would throttle this one client.
        apiserver.args(["--max-requests-inflight", "2000", "--max-mutating-requests-inflight", "1000"]);
        let apiserver = Process::start(&mut apiserver, &folder.join("apiserver.log"))?;

        let mut config = Config::new(format!("https://127.0.0.1:{api}").parse()?);
        config.accept_invalid_certs = true;
        config.auth_info.token = Some(TOKEN.to_owned().into());
        config.default_namespace = "default".to_owned();
        let client = Client::try_from(config)?;
        eventually_within(Duration::from_secs(120), "kube-apiserver to be ready", async || {
            let ready = client.request_text(http::Request::get("/readyz").body(Vec::new())?).await?;
            ensure!(ready == "ok", "{ready}");
            Ok(())
        })
        .await?;
        let ready_ms = began.elapsed().as_millis();
        Ok(Self { etcd, apiserver, folder: folder.to_owned(), client, ready_ms })
    }
}

impl Server for Upstream {
    fn client(&self) -> Result<Client> {
        Ok(self.client.clone())
    }

    fn memory(&self) -> Result<u64> {
        Ok(usage::memory(self.etcd.pid())? + usage::memory(self.apiserver.pid())?)
    }

    fn cpu_secs(&self) -> Result<f64> {
        Ok(usage::cpu_secs(self.etcd.pid())? + usage::cpu_secs(self.apiserver.pid())?)
    }

    fn ready_ms(&self) -> u128 {
        self.ready_ms
    }

    fn disk(&self) -> Result<u64> {
        Ok(fs::metadata(self.folder.join("etcd/member/snap/db"))?.len())
    }

    async fn stop(mut self) -> Result<()> {
        self.apiserver.terminate()?;
        self.etcd.terminate()
    }
}

/// A driver on a socket.
pub(crate) struct Driver {
    _process: Process,
    pub(crate) socket: PathBuf,
}

pub(crate) fn fake_driver(programs: &Path, folder: &Path, name: &str) -> Result<Driver> {
    let socket = folder.join("fake.sock");
    let mut command = Command::new(programs.join("fake-driver"));
    command.arg(format!("--endpoint=unix://{}", socket.display())).arg(format!("--driver-name={name}"));
    command.arg("--controller-capabilities=CREATE_DELETE_VOLUME");
    Ok(Driver { _process: Process::start(&mut command, &folder.join("fake-driver.log"))?, socket })
}

/// Free when we looked; nobody else asks for ports meanwhile.
fn free_ports() -> Result<[u16; 3]> {
    let listeners: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<std::io::Result<_>>()?;
    let ports: Vec<u16> = listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<Result<_>>()?;
    ports.try_into().map_err(|_| anyhow::anyhow!("three ports"))
}
