//! Kubelet's part is played here: see registrar.md §4.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use csi_proto::pluginregistration::registration_client::RegistrationClient;
use csi_proto::pluginregistration::{InfoRequest, PluginInfo, RegistrationStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::Channel;

use super::*;

const DRIVER: &str = "fake.csi.example.com";

struct Running {
    shell: Shell,
    path: PathBuf,
    http: SocketAddr,
    end: tokio::task::JoinHandle<anyhow::Result<()>>,
    _directory: tempfile::TempDir,
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

#[expect(clippy::disallowed_methods, reason = "the test wants the task's result")]
async fn start() -> Running {
    let directory = tempfile::tempdir().unwrap();
    let http = free_port();
    let config = Config {
        csi_address: String::new(),
        endpoint: "/var/lib/kubelet/plugins/fake/csi.sock".into(),
        directory: directory.path().to_owned(),
        timeout: Duration::from_secs(1),
        http: Some(("--http-endpoint", http.to_string())),
    };
    let shell = Shell { ctx: rt::Ctx::real(), shutdown: rt::Shutdown::new(), metrics: sidecar::Metrics::new() };
    let end = tokio::spawn(serve(config, DRIVER.into(), shell.clone()));
    let path = directory.path().join(format!("{DRIVER}-reg.sock"));
    let running = Running { shell, path, http, end, _directory: directory };
    eventually(|| running.path.exists()).await;
    running
}

#[expect(clippy::disallowed_methods, reason = "waits for another task's file")]
async fn eventually(mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came");
}

async fn kubelet(path: &Path) -> RegistrationClient<Channel> {
    RegistrationClient::new(health::dial(path).await.unwrap())
}

async fn healthz(address: SocketAddr) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn kubelet_learns_the_four_fields_as_often_as_it_asks() {
    let running = start().await;
    let expected = PluginInfo {
        r#type: "CSIPlugin".into(),
        name: DRIVER.into(),
        endpoint: "/var/lib/kubelet/plugins/fake/csi.sock".into(),
        supported_versions: vec!["1.0.0".into()],
    };
    let ask = || async {
        let mut kubelet = kubelet(&running.path).await;
        let info = kubelet.get_info(InfoRequest {}).await.unwrap().into_inner();
        let status = RegistrationStatus { plugin_registered: true, error: String::new() };
        kubelet.notify_registration_status(status).await.unwrap();
        info
    };
    for info in futures::future::join_all((0..20).map(|_| ask())).await {
        assert_eq!(info, expected);
    }
    assert_eq!(healthz(running.http).await, (200, "ok".into()));
    running.shell.shutdown.request();
    running.end.await.unwrap().unwrap();
    assert!(!running.path.exists(), "kubelet sees the socket go");
}

#[tokio::test]
async fn a_refusal_ends_the_process_with_kubelets_words_and_without_an_answer() {
    let running = start().await;
    let mut kubelet = kubelet(&running.path).await;
    let status = RegistrationStatus { plugin_registered: false, error: "node id is empty".into() };
    let answer = kubelet.notify_registration_status(status);
    let error = tokio::select! {
        biased;
        answer = answer => panic!("{answer:?}"),
        end = running.end => end.unwrap().unwrap_err(),
    };
    let exit = sidecar::Exit::from_error(&error);
    assert_eq!(exit, sidecar::Exit::failed(format!("kubelet did not register the driver {DRIVER}: node id is empty")));
    assert!(running.path.exists(), "the next start makes it anew, which is what makes kubelet try again");
}

#[tokio::test]
async fn a_deleted_socket_is_404_until_it_is_made_again() {
    let running = start().await;
    std::fs::remove_file(&running.path).unwrap();
    assert_eq!(healthz(running.http).await, (404, "registration socket does not exist".into()));
    eventually(|| running.path.exists()).await;
    assert_eq!(healthz(running.http).await, (200, "ok".into()));
    kubelet(&running.path).await.get_info(InfoRequest {}).await.unwrap();
}

#[tokio::test]
async fn the_socket_of_the_next_registrar_is_neither_fought_over_nor_removed() {
    let running = start().await;
    let (next, _listener) = Socket::bind(&running.path).unwrap();
    running.shell.shutdown.request();
    running.end.await.unwrap().unwrap();
    assert!(next.is_ours());
}

#[tokio::test]
async fn what_does_not_answer_as_we_would_is_500() {
    let running = start().await;
    std::fs::remove_file(&running.path).unwrap();
    std::fs::write(&running.path, "").unwrap();
    let (status, body) = healthz(running.http).await;
    assert!(status == 500 && body.contains("is not a socket"), "{body}");

    std::fs::remove_file(&running.path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&running.path).unwrap());
    let (status, body) = healthz(running.http).await;
    assert!(status == 500 && body.starts_with("error connecting to node-registrar socket"), "{body}");

    std::fs::remove_file(&running.path).unwrap();
    let silent = std::os::unix::net::UnixListener::bind(&running.path).unwrap();
    let (status, body) = healthz(running.http).await;
    assert!(status == 500 && body.starts_with("error getting info from node-registrar socket"), "{body}");
    drop(silent);

    std::fs::remove_file(&running.path).unwrap();
    let other = Registrar::new("other.csi.example.com".into(), "/x".into());
    let (_socket, listener) = Socket::bind(&running.path).unwrap();
    let server =
        Server::builder().add_service(RegistrationServer::new(other)).serve_with_incoming(UnixListenerStream::new(listener));
    let (status, body) = tokio::select! {
        biased;
        answer = healthz(running.http) => answer,
        end = server => panic!("{end:?}"),
    };
    assert!(status == 500 && body.starts_with("invalid driver name \"other.csi.example.com\""), "{body}");
}

#[tokio::test]
async fn a_driver_name_stays_in_the_directory() {
    let shell = Shell { ctx: rt::Ctx::real(), shutdown: rt::Shutdown::new(), metrics: sidecar::Metrics::new() };
    let config = Config {
        csi_address: String::new(),
        endpoint: "/x".into(),
        directory: "/nonexistent".into(),
        timeout: Duration::from_secs(1),
        http: None,
    };
    for name in ["../escape", ".hidden", "a/b"] {
        let error = serve(config.clone(), name.into(), shell.clone()).await.unwrap_err();
        assert!(error.to_string().contains("cannot be part of a file name"), "{name}: {error}");
    }
}
