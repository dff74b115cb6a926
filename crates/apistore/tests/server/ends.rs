//! How connections end.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::WatchParams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Host, client, eventually, run};

#[test]
fn a_watch_ends_cleanly_when_the_server_does() {
    run(|host| async move {
        let server = host.serve().await;
        let client = client(server.kubeconfig().expect("a kubeconfig"), None).await;
        let mut watch = pin!(Api::<Namespace>::all(client).watch(&WatchParams::default(), "0").await.expect("a watch"));
        assert!(matches!(watch.next().await, Some(Ok(_))));
        host.shutdown.request();
        assert!(watch.next().await.is_none());
        tokio::time::timeout(Duration::from_secs(10), server.finished()).await.expect("the end");
        assert_eq!(server.connections(), 0);
        assert!(std::net::TcpStream::connect(server.address().expect("an address")).is_err());
    });
}

#[test]
fn nothing_is_left_of_a_client_that_went_while_it_watched() {
    run(|host| async move {
        let server = host.serve().await;
        {
            let client = client(server.kubeconfig().expect("a kubeconfig"), None).await;
            let mut watch = pin!(Api::<Namespace>::all(client).watch(&WatchParams::default(), "0").await.expect("a watch"));
            assert!(matches!(watch.next().await, Some(Ok(_))));
            assert_eq!(server.connections(), 1);
        }
        eventually("its connection is closed", || server.connections() == 0).await;
    });
}

#[test]
fn a_client_that_never_finishes_its_request_is_cut_off() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let host = Host::new();
        let _server = host.serve().await;
        let mut stream = tokio::net::UnixStream::connect(host.path("api.sock")).await.expect("connected");
        stream.write_all(b"GET /version HTTP/1.1\r\nhost: x\r\nslow: ").await.expect("sent");
        let mut rest = Vec::new();
        // Time runs ahead while nothing happens.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
        let address = _server.address().expect("an address");
        let mut silent = tokio::net::TcpStream::connect(address).await.expect("connected");
        let _ = silent.read_to_end(&mut rest).await;
    });
}
