use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Status, content type and body of one request.
async fn request(address: SocketAddr, method: &str, target: &str) -> (u16, String, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.36\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.map_or(String::new(), |line| line[name.len()..].trim_start_matches(": ").to_owned())
    };
    (head.split(' ').nth(1).unwrap().parse().unwrap(), header("content-type"), body.to_owned())
}

async fn get(address: SocketAddr, target: &str) -> (u16, String) {
    let (status, _, body) = request(address, "GET", target).await;
    (status, body)
}

async fn serve(http: Http) -> SocketAddr {
    http.serve(&rt::Ctx::real(), "--http-endpoint", "127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn metrics_are_served_for_prometheus_on_their_path_only() {
    let address = serve(Http::new().metrics("/m", &Metrics::new())).await;
    let (status, kind, body) = request(address, "GET", "/m").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    assert!(body.contains("process_start_time_seconds "));
    assert_eq!(get(address, "/metrics").await, (404, "404 page not found\n".to_owned()));
    assert_eq!(get(address, "/m/").await.0, 404);
}

#[tokio::test]
async fn leader_health_answers_as_upstreams_does_and_is_absent_without_election() {
    let renewed = Arc::new(AtomicBool::new(true));
    let seen = renewed.clone();
    let check = move || match seen.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err("failed election to renew leadership on lease ".to_owned()),
    };
    let address = serve(Http::new().leader_health(check)).await;
    assert_eq!(get(address, "/healthz/leader-election").await, (200, "ok".to_owned()));
    renewed.store(false, Ordering::SeqCst);
    let (status, kind, body) = request(address, "POST", "/healthz/leader-election").await;
    assert_eq!((status, kind.as_str()), (500, "text/plain; charset=utf-8"));
    assert_eq!(body, "internal server error: failed election to renew leadership on lease \n");
    assert_eq!(get(serve(Http::new()).await, "/healthz/leader-election").await.0, 404);
}

#[tokio::test]
async fn readyz_names_everything_that_pauses_us() {
    let http =
        Http::new().ready("driver", || Err("socket is gone".into())).ready("lease", || Ok(())).ready("api", || Err("429".into()));
    let (status, body) = get(serve(http).await, "/readyz").await;
    assert_eq!((status, body.as_str()), (503, "paused by driver: socket is gone\npaused by api: 429\n"));
    assert_eq!(get(serve(Http::new().ready("lease", || Ok(()))).await, "/readyz").await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn why_is_asked_about_one_object() {
    let http = Http::new().why(|object| match object {
        Some("ns one/pvc") => Some("waiting\n".into()),
        _ => None,
    });
    let address = serve(http).await;
    assert_eq!(get(address, "/debug/why?object=ns%20one%2fpvc").await, (200, "waiting\n".to_owned()));
    assert_eq!(get(address, "/debug/why?x=1&object=ns+one/pvc").await.0, 200);
    assert_eq!(get(address, "/debug/why?object=other").await.0, 404);
    assert_eq!(get(address, "/debug/why?object=%zz%").await.0, 404);
    assert_eq!(get(address, "/debug/why").await.0, 404);
}
