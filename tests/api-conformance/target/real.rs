//! The kube-apiserver that `hack/cluster up` started.

use std::path::PathBuf;

use kube::config::{KubeConfigOptions, Kubeconfig};

/// A client with all rights, and one that shows no credentials.
pub(crate) async fn clients() -> (kube::Client, kube::Client) {
    let run = PathBuf::from(std::env::var("LONGSHORE_RUN").unwrap_or_else(|_| "/var/lib/longshore-test".to_owned()));
    let path = run.join("kubeconfigs/admin");
    let file = Kubeconfig::read_from(&path).unwrap_or_else(|error| panic!("{}: {error}; is the cluster up?", path.display()));
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.expect("a kubeconfig");
    // A behaviour wants to see what the server says the first time.
    config.default_retry = false;
    let client = kube::Client::try_from(config.clone()).expect("a client");
    config.auth_info = Default::default();
    (client, kube::Client::try_from(config).expect("a client"))
}

/// `hack/cluster` runs etcd without TLS, on a port of its own (hack/cluster.d/settings.sh).
pub(crate) async fn compact_etcd() {
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
