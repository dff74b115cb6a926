//! A server on a store in memory, in a folder of its own.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apistore::server::{Config, ServeError, Server, serve};
use apistore::{Api, Store};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use kube::config::{KubeConfigOptions, Kubeconfig};
use rt::{Ctx, Shutdown};
use tempfile::TempDir;

pub(crate) struct Host {
    pub(crate) dir: TempDir,
    pub(crate) ctx: Ctx,
    pub(crate) api: Api,
    pub(crate) shutdown: Shutdown,
}

pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(Host) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async { test(Host::new()).await });
}

impl Host {
    pub(crate) fn new() -> Self {
        let ctx = Ctx::real();
        let dir = tempfile::tempdir().expect("a folder");
        Self { dir, api: Api::new(Store::in_memory(&ctx)), shutdown: Shutdown::new(), ctx }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            dir: self.path("server"),
            listen: Some(([127, 0, 0, 1], 0).into()),
            socket: Some(self.path("api.sock")),
            kubeconfig: self.path("kubeconfig"),
            shutdown: self.shutdown.clone(),
        }
    }

    pub(crate) async fn serve(&self) -> Server {
        self.try_serve(self.config()).await.expect("it serves")
    }

    pub(crate) async fn try_serve(&self, config: Config) -> Result<Server, ServeError> {
        serve(&self.ctx, &self.api, config).await
    }
}

/// A client by the kubeconfig; `token` in the place of the one that is there.
pub(crate) async fn client(kubeconfig: &Path, token: Option<Option<&str>>) -> kube::Client {
    let mut kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    if let Some(token) = token {
        let auth = kubeconfig.auth_infos[0].auth_info.as_mut().expect("a user");
        auth.token = token.map(|token| token.to_owned().into());
    }
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    kube::Client::try_from(config).expect("a client")
}

/// Status and body of a GET through the socket.
pub(crate) async fn get(socket: &Path, path: &str) -> (u16, String) {
    let stream = tokio::net::UnixStream::connect(socket).await.expect("connected");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    let code = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, String::from_utf8(body.to_vec()).expect("text"))
}

/// Waits until this holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within five seconds");
}
