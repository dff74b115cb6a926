//! Who is let in.

use std::pin::pin;

use apistore::server::ServeError;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::{Host, client, get, run};

fn namespace(name: &str) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a namespace")
}

#[test]
fn the_kubeconfig_opens_the_api_over_tls() {
    run(|host| async move {
        let server = host.serve().await;
        let client = client(server.kubeconfig().expect("a kubeconfig"), None).await;
        assert_eq!(client.default_namespace(), "default");
        Api::all(client.clone()).create(&PostParams::default(), &namespace("n")).await.expect("created");
        let maps = Api::<ConfigMap>::namespaced(client, "n");
        let mut watch = pin!(maps.watch(&WatchParams::default(), "0").await.expect("a watch"));
        assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Bookmark(_)))));
        let map = serde_json::from_value(json!({"metadata": {"name": "a"}})).expect("a config map");
        maps.create(&PostParams::default(), &map).await.expect("created");
        assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(map))) if map.name_any() == "a"));
    });
}

async fn code(client: kube::Client) -> u16 {
    match Api::<Namespace>::all(client).list(&ListParams::default()).await {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn no_token_is_403_a_wrong_one_401_and_the_version_is_for_everyone() {
    run(|host| async move {
        let server = host.serve().await;
        let path = server.kubeconfig().expect("a kubeconfig");
        assert_eq!(code(client(path, None).await).await, 200);
        assert_eq!(code(client(path, Some(Some("wrong"))).await).await, 401);
        let stranger = client(path, Some(None)).await;
        assert_eq!(code(stranger.clone()).await, 403);
        assert_eq!(stranger.apiserver_version().await.expect("a version").minor, "36");
    });
}

#[test]
fn the_socket_needs_no_token() {
    run(|host| async move {
        let _server = host.serve().await;
        let (code, body) = get(&host.path("api.sock"), "/api/v1/namespaces").await;
        assert_eq!((code, body.contains("NamespaceList")), (200, true), "{body}");
    });
}

#[test]
fn an_address_or_a_socket_that_is_taken_is_said_to_be() {
    run(|host| async move {
        let server = host.serve().await;
        let address = server.address().expect("an address");
        let other = Host::new();
        let mut config = other.config();
        config.listen = Some(address);
        let error = other.try_serve(config).await.err().expect("it is taken");
        assert!(matches!(&error, ServeError::Taken { address: taken } if *taken == address), "{error}");
        assert!(error.to_string().contains("is taken by another process"), "{error}");
        assert!(!other.path("api.sock").exists() && !other.path("kubeconfig").exists());
        let mut config = other.config();
        config.socket = Some(host.path("api.sock"));
        let error = other.try_serve(config).await.err().expect("it is taken");
        assert!(matches!(error, ServeError::SocketTaken { .. }), "{error}");
        assert_eq!(get(&host.path("api.sock"), "/healthz").await, (200, "ok".to_owned()));
    });
}
