//! The registrar as a process beside a driver, with the test in kubelet's place.
#![allow(clippy::disallowed_methods, reason = "the test starts the program as a process and waits for it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use csi_proto::pluginregistration::registration_client::RegistrationClient;
use csi_proto::pluginregistration::{InfoRequest, RegistrationStatus};
use fake_driver::{FakeDriver, Rpc, Rule};
use rustix::process::{Pid, Signal, kill_process};
use tonic::transport::{Channel, Endpoint};

const DRIVER: &str = "fake.csi.example.com";
const ENDPOINT: &str = "/var/lib/kubelet/plugins/fake/csi.sock";

struct Registrar {
    child: Child,
    directory: tempfile::TempDir,
}

impl Registrar {
    fn start(extra: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_node-driver-registrar"))
            .arg(format!("--csi-address={}", directory.path().join("csi.sock").display()))
            .arg(format!("--kubelet-registration-path={ENDPOINT}"))
            .arg(format!("--plugin-registration-path={}", directory.path().display()))
            .args(extra)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, directory }
    }

    fn csi_socket(&self) -> PathBuf {
        self.directory.path().join("csi.sock")
    }

    fn registration_socket(&self) -> PathBuf {
        self.directory.path().join(format!("{DRIVER}-reg.sock"))
    }

    async fn driver(&self) -> FakeDriver {
        FakeDriver::builder(DRIVER).start(self.csi_socket()).await.unwrap()
    }

    async fn kubelet(&self) -> RegistrationClient<Channel> {
        let path = self.registration_socket();
        eventually(|| path.exists()).await;
        RegistrationClient::new(channel(&path).await)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    async fn exit_code(&mut self) -> Option<i32> {
        let mut code = None;
        let child = &mut self.child;
        eventually(|| {
            code = child.try_wait().unwrap().map(|status| status.code());
            code.is_some()
        })
        .await;
        code.unwrap()
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn channel(path: &Path) -> Channel {
    Endpoint::from_shared(format!("unix://{}", path.display())).unwrap().connect().await.unwrap()
}

async fn eventually(mut done: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came");
}

#[tokio::test]
async fn a_driver_that_comes_late_is_registered_and_forgotten_on_sigterm() {
    let mut registrar = Registrar::start(&[]);
    let driver = registrar.driver().await;
    let mut kubelet = registrar.kubelet().await;
    let info = kubelet.get_info(InfoRequest {}).await.unwrap().into_inner();
    assert_eq!((info.name.as_str(), info.endpoint.as_str()), (DRIVER, ENDPOINT));
    let status = RegistrationStatus { plugin_registered: true, error: String::new() };
    kubelet.notify_registration_status(status).await.unwrap();
    drop(driver);
    kubelet.get_info(InfoRequest {}).await.expect("the driver's restart is kubelet's business, not ours");
    registrar.signal(Signal::TERM);
    assert_eq!(registrar.exit_code().await, Some(0));
    assert!(!registrar.registration_socket().exists());
}

#[tokio::test]
async fn sigterm_ends_the_wait_for_a_driver() {
    let mut registrar = Registrar::start(&["--http-endpoint=127.0.0.1:0"]);
    // The signal handler is there once the runtime is: before that, SIGTERM would kill the process, with no code at all.
    let caught = format!("/proc/{}/status", registrar.child.id());
    eventually(|| {
        let status = std::fs::read_to_string(&caught).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim).unwrap_or("0").to_owned();
        u64::from_str_radix(&mask, 16).unwrap_or(0) & (1 << 14) != 0
    })
    .await;
    registrar.signal(Signal::TERM);
    assert_eq!(registrar.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_refusal_by_kubelet_ends_the_process_with_1() {
    let mut registrar = Registrar::start(&[]);
    let _driver = registrar.driver().await;
    let mut kubelet = registrar.kubelet().await;
    let status = RegistrationStatus { plugin_registered: false, error: "no node id".into() };
    kubelet.notify_registration_status(status).await.expect_err("the connection just ends");
    assert_eq!(registrar.exit_code().await, Some(1));
}

#[tokio::test]
async fn a_driver_that_does_not_say_its_name_in_time_ends_the_process_with_1() {
    let mut registrar = Registrar::start(&["--timeout=100ms"]);
    let _driver = FakeDriver::builder(DRIVER)
        .script(vec![Rule::on(Rpc::GetPluginInfo).hang()])
        .start(registrar.csi_socket())
        .await
        .unwrap();
    assert_eq!(registrar.exit_code().await, Some(1));
}

#[tokio::test]
async fn what_is_no_socket_in_our_place_ends_the_process_with_1_and_stays() {
    let mut registrar = Registrar::start(&[]);
    std::fs::write(registrar.registration_socket(), "precious").unwrap();
    let _driver = registrar.driver().await;
    assert_eq!(registrar.exit_code().await, Some(1));
    assert_eq!(std::fs::read_to_string(registrar.registration_socket()).unwrap(), "precious");
}

#[tokio::test]
async fn exit_codes_are_upstreams() {
    for (extra, code) in [
        (&["--mode=kubelet-registration-probe"][..], 0),
        (&["--version"], 0),
        (&["--help"], 0),
        (&["--nosuch"], 2),
        (&["--timeout=1"], 2),
        (&["--kubelet-registration-path="], 1),
        (&["--health-port=1", "--http-endpoint=:2"], 1),
        (&["--logging-format=xml"], 1),
    ] {
        assert_eq!(Registrar::start(extra).exit_code().await, Some(code), "{extra:?}");
    }
}
