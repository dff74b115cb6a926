//! The servers that the behaviours are run against.

use std::path::PathBuf;

use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::sync::{OnceCell, RwLock, RwLockWriteGuard};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The kube-apiserver that `hack/cluster up` started.
    Real,
    /// `apistore` in this process, in memory.
    Apistore,
}

/// A server, and how to reach it.
pub(crate) struct Site {
    pub(crate) client: kube::Client,
    pub(crate) anonymous: kube::Client,
    /// Held for writing while history is forgotten, for reading by those who go back to some version.
    pub(crate) history: RwLock<()>,
    target: Target,
}

static REAL: OnceCell<Site> = OnceCell::const_new();
static APISTORE: OnceCell<Site> = OnceCell::const_new();

impl Target {
    pub(crate) async fn site(self) -> &'static Site {
        match self {
            Self::Real => {
                let run = PathBuf::from(std::env::var("LONGSHORE_RUN").unwrap_or_else(|_| "/var/lib/longshore-test".to_owned()));
                REAL.get_or_init(async || over_tls(self, run.join("kubeconfigs/admin")).await).await
            }
            Self::Apistore => APISTORE.get_or_init(async || panic!("apistore has no client")).await,
        }
    }
}

async fn over_tls(target: Target, path: PathBuf) -> Site {
    let file = Kubeconfig::read_from(&path).unwrap_or_else(|error| panic!("{}: {error}; is the server up?", path.display()));
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.expect("a kubeconfig");
    // A behaviour wants to see what the server says the first time.
    config.default_retry = false;
    let client = kube::Client::try_from(config.clone()).expect("a client");
    config.auth_info = Default::default();
    let anonymous = kube::Client::try_from(config).expect("a client");
    Site { client, anonymous, history: RwLock::new(()), target }
}

impl Site {
    /// Makes the server forget every version before the newest. Nobody else relies on history while the answer is held.
    pub(crate) async fn forget_history(&self) -> RwLockWriteGuard<'_, ()> {
        let alone = self.history.write().await;
        match self.target {
            Target::Real => compact_etcd().await,
            Target::Apistore => panic!("apistore cannot be made to forget"),
        }
        alone
    }
}

/// `hack/cluster` runs etcd without TLS, on a port of its own (hack/cluster.d/settings.sh).
async fn compact_etcd() {
    let config = kube::Config::new("http://127.0.0.1:12379".parse().expect("a URL"));
    let etcd = kube::Client::try_from(config).expect("a client");
    let ask = async |path: &str, body: serde_json::Value| {
        let request = http::Request::post(path).body(body.to_string().into_bytes()).expect("a request");
        etcd.request::<serde_json::Value>(request).await.unwrap_or_else(|error| panic!("etcd, {path}: {error}"))
    };
    let head = ask("/v3/kv/range", serde_json::json!({"key": "AA==", "limit": 1})).await;
    let newest = head["header"]["revision"].as_str().expect("a revision").to_owned();
    // The server's caches keep versions too, and drop them when they read here that a server has compacted: `compact_rev_key`.
    let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &newest);
    ask("/v3/kv/put", serde_json::json!({"key": "Y29tcGFjdF9yZXZfa2V5", "value": value})).await;
    ask("/v3/kv/compaction", serde_json::json!({"revision": newest, "physical": true})).await;
}
