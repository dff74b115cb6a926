//! The probe as a process beside a driver, with the test in kubelet's place. Spec: livenessprobe.md §9.
#![allow(clippy::disallowed_methods, reason = "the test starts the program as a process and waits for it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use csi_proto::csi::v1 as csi;
use csi_proto::csi::v1::identity_server::{Identity, IdentityServer};
use fake_driver::{Code, FakeDriver, Rpc, Rule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DRIVER: &str = "fake.csi.example.com";

struct Probe {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Probe {
    fn start(extra: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_livenessprobe"))
            .arg(format!("--csi-address={}", directory.path().join("csi.sock").display()))
            .arg(format!("--http-endpoint={address}"))
            .args(["--probe-timeout=500ms", "--v=5"])
            .args(extra)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, directory }
    }

    /// Beside a driver that is there, and up.
    async fn beside(driver: fake_driver::Builder) -> (Self, FakeDriver) {
        let probe = Self::start(&[]);
        let driver = driver.start(probe.socket()).await.unwrap();
        probe.up().await;
        (probe, driver)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("csi.sock")
    }

    async fn up(&self) {
        for _ in 0..3000 {
            if TcpStream::connect(self.address).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the port never opened");
    }

    async fn healthz(&self) -> (u16, String) {
        get(self.address, "/healthz").await
    }

    async fn exit_code(&mut self) -> Option<i32> {
        for _ in 0..3000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never ended");
    }

    fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port below those that the kernel gives out by itself: dialing one of those before anybody listens may connect to itself.
fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 97) as u16 * 150;
    let ports = (0..150).map(|_| 15_000 + first + NEXT.fetch_add(1, Ordering::Relaxed) % 150);
    ports
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| std::net::TcpListener::bind(address).is_ok())
        .unwrap()
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn driver() -> fake_driver::Builder {
    FakeDriver::builder(DRIVER)
}

fn ok() -> (u16, String) {
    (200, "ok".to_owned())
}

#[tokio::test]
async fn the_port_opens_when_the_driver_comes_and_not_before() {
    let mut probe = Probe::start(&[]);
    // Whatever it does at start, it does before it waits: the log on stderr is there for people, not for this test.
    assert!(TcpStream::connect(probe.address).await.is_err());
    assert!(probe.child.try_wait().unwrap().is_none());
    let _driver = driver().start(probe.socket()).await.unwrap();
    probe.up().await;
    assert_eq!(probe.healthz().await, ok());
    assert_eq!(get(probe.address, "/healthz/leader-election").await.0, 404);
}

#[tokio::test]
async fn a_driver_that_is_not_ready_is_500_until_it_is() {
    let (probe, driver) = Probe::beside(driver()).await;
    driver.set_ready(false);
    assert_eq!(probe.healthz().await, (500, "driver responded but is not ready".to_owned()));
    driver.set_ready(true);
    assert_eq!(probe.healthz().await, ok());
}

#[tokio::test]
async fn any_error_of_probe_is_500_and_its_text() {
    let refuse = |code, text: &str| vec![Rule::on(Rpc::Probe).fail(code, text)];
    let (probe, driver) = Probe::beside(driver()).await;
    for code in [Code::Unimplemented, Code::FailedPrecondition, Code::Internal] {
        driver.set_script(refuse(code, "disk on fire"));
        let (status, body) = probe.healthz().await;
        assert!(status == 500 && body.contains("disk on fire"), "{body}");
    }
}

#[tokio::test]
async fn a_driver_that_hangs_is_500_when_the_time_is_over() {
    let (probe, driver) = Probe::beside(driver()).await;
    driver.set_script(vec![Rule::on(Rpc::Probe).hang()]);
    let (status, body) = probe.healthz().await;
    assert!(status == 500 && !body.is_empty(), "{body}");
    driver.set_script(vec![]);
    assert_eq!(probe.healthz().await, ok());
}

#[tokio::test]
async fn a_deleted_socket_is_500_although_the_driver_lives_and_a_restarted_driver_is_found_again() {
    let (probe, first) = Probe::beside(driver()).await;
    std::fs::remove_file(probe.socket()).unwrap();
    let (status, body) = probe.healthz().await;
    assert!(status == 500 && !body.is_empty(), "{body}");
    let _second = driver().start(probe.socket()).await.unwrap();
    assert_eq!(probe.healthz().await, ok());
    first.stop().await;
}

#[tokio::test]
async fn no_name_at_start_is_exit_1_even_once() {
    let mut probe = Probe::start(&[]);
    let rules = vec![Rule::on(Rpc::GetPluginInfo).nth(0).fail(Code::Unavailable, "starting")];
    let _driver = driver().script(rules).start(probe.socket()).await.unwrap();
    assert_eq!(probe.exit_code().await, Some(1));
}

#[tokio::test]
async fn calls_are_counted_under_the_drivers_name_once_it_is_known() {
    let (probe, driver) = Probe::beside(driver()).await;
    probe.healthz().await;
    driver.set_script(vec![Rule::on(Rpc::Probe).fail(Code::Internal, "no")]);
    probe.healthz().await;
    let (status, text) = get(probe.address, "/metrics").await;
    assert_eq!(status, 200);
    for (driver, method, code) in
        [("unknown-driver", "GetPluginInfo", "OK"), (DRIVER, "Probe", "OK"), (DRIVER, "Probe", "Internal")]
    {
        let labels = [
            format!("driver_name=\"{driver}\""),
            format!("method_name=\"/csi.v1.Identity/{method}\""),
            format!("grpc_status_code=\"{code}\""),
        ];
        let line = text.lines().find(|line| {
            line.starts_with("csi_sidecar_operations_seconds_count{") && labels.iter().all(|label| line.contains(label))
        });
        assert!(line.is_some_and(|line| line.ends_with(" 1")), "{labels:?} in\n{text}");
    }
    assert!(text.contains("le=\"600\"") && text.contains("process_start_time_seconds "), "{text}");
}

#[tokio::test]
async fn metrics_can_have_an_address_of_their_own() {
    let metrics = free_port();
    let directory = tempfile::tempdir().unwrap();
    let address = free_port();
    let child = Command::new(env!("CARGO_BIN_EXE_livenessprobe"))
        .arg(format!("--csi-address=unix://{}", directory.path().join("csi.sock").display()))
        .args([format!("--health-port={}", address.port()), format!("--metrics-address={metrics}")])
        .spawn()
        .unwrap();
    let probe = Probe { child, address, directory };
    let _driver = driver().start(probe.socket()).await.unwrap();
    probe.up().await;
    assert_eq!(probe.healthz().await, ok());
    assert_eq!(get(metrics, "/metrics").await.0, 200);
    assert_eq!((get(metrics, "/healthz").await.0, get(address, "/metrics").await.0), (404, 404));
}

#[tokio::test]
async fn a_taken_port_is_exit_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut probe = Probe::start(&[&format!("--http-endpoint={}", taken.local_addr().unwrap())]);
    let _driver = driver().start(probe.socket()).await.unwrap();
    assert_eq!(probe.exit_code().await, Some(1));
}

#[tokio::test]
async fn clients_that_leave_and_many_probes_leave_no_file_open() {
    let (probe, driver) = Probe::beside(driver()).await;
    probe.healthz().await;
    let before = probe.open_files();
    driver.set_script(vec![Rule::on(Rpc::Probe).hang()]);
    for _ in 0..50 {
        let mut stream = TcpStream::connect(probe.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    }
    driver.set_script(vec![]);
    for _ in 0..100 {
        assert_eq!(probe.healthz().await, ok());
    }
    for _ in 0..1000 {
        if probe.open_files() <= before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{before} files were open, now {}", probe.open_files());
}

#[tokio::test]
async fn exit_codes_are_upstreams() {
    for (extra, code) in [
        (&["--help"][..], 0),
        (&["--version"], 2),
        (&["--probe-timeout=3"], 2),
        (&["--metrics-address=:1"], 1),
        (&["--health-port=1"], 1),
        (&["--logging-format=xml"], 1),
    ] {
        assert_eq!(Probe::start(extra).exit_code().await, Some(code), "{extra:?}");
    }
}

/// A driver that leaves `ready` out: the specification takes that for ready.
struct Silent;

#[tonic::async_trait]
impl Identity for Silent {
    async fn get_plugin_info(
        &self,
        _: tonic::Request<csi::GetPluginInfoRequest>,
    ) -> Result<tonic::Response<csi::GetPluginInfoResponse>, tonic::Status> {
        Ok(tonic::Response::new(csi::GetPluginInfoResponse { name: DRIVER.to_owned(), ..Default::default() }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: tonic::Request<csi::GetPluginCapabilitiesRequest>,
    ) -> Result<tonic::Response<csi::GetPluginCapabilitiesResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented("not asked"))
    }

    async fn probe(&self, _: tonic::Request<csi::ProbeRequest>) -> Result<tonic::Response<csi::ProbeResponse>, tonic::Status> {
        Ok(tonic::Response::new(csi::ProbeResponse { ready: None }))
    }
}

async fn serve_silent(socket: &Path) {
    let listener = tokio::net::UnixListener::bind(socket).unwrap();
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    tonic::transport::Server::builder().add_service(IdentityServer::new(Silent)).serve_with_incoming(incoming).await.unwrap();
}

#[tokio::test]
async fn a_driver_that_leaves_ready_out_is_ready() {
    let probe = Probe::start(&[]);
    let socket = probe.socket();
    tokio::select! {
        biased;
        () = async { probe.up().await; assert_eq!(probe.healthz().await, ok()) } => {}
        () = serve_silent(&socket) => unreachable!(),
    }
}
