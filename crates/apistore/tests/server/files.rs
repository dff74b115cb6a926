//! What is kept, and who may read it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use apistore::server::ServeError;

use crate::support::{Host, client, get, run};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

#[test]
fn secrets_and_the_socket_are_for_the_owner_alone() {
    run(|host| async move {
        let _server = host.serve().await;
        for name in ["kubeconfig", "server/identity.json", "api.sock"] {
            assert_eq!(mode(&host.path(name)), 0o600, "{name}");
        }
        for entry in std::fs::read_dir(host.dir.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()) {
            assert!(!entry.to_string_lossy().ends_with(".new"), "{entry:?} is left over");
        }
    });
}

#[test]
fn a_server_that_starts_again_is_the_same_to_its_clients() {
    run(|host| async move {
        let server = host.serve().await;
        let address = server.address().expect("an address");
        let before = std::fs::read_to_string(host.path("kubeconfig")).expect("a kubeconfig");
        assert!(before.contains(&format!("server: https://{address}\n")), "{before}");
        std::fs::write(host.path("old"), &before).expect("kept");
        host.shutdown.request();
        server.finished().await;
        let host = Host { shutdown: rt::Shutdown::new(), ..host };
        let mut config = host.config();
        config.listen = Some(address);
        let _server = host.try_serve(config).await.expect("it serves again");
        assert_eq!(std::fs::read_to_string(host.path("kubeconfig")).expect("a kubeconfig"), before);
        client(&host.path("old"), None).await.apiserver_version().await.expect("the old kubeconfig still opens");
    });
}

#[test]
fn an_identity_that_is_damaged_is_refused_and_left_alone() {
    run(|host| async move {
        std::fs::create_dir(host.path("server")).expect("a folder");
        for text in ["", "{}", r#"{"caCertificate":"","caKey":"","token":"","tokenKey":""}"#] {
            std::fs::write(host.path("server/identity.json"), text).expect("written");
            let error = host.try_serve(host.config()).await.err().expect("it is damaged");
            assert!(matches!(error, ServeError::Identity { .. }), "{error}");
            assert!(error.to_string().contains("identity.json"), "{error}");
            assert_eq!(std::fs::read_to_string(host.path("server/identity.json")).expect("there"), text);
        }
    });
}

#[test]
fn a_socket_that_was_left_behind_is_replaced_and_another_file_is_not() {
    run(|host| async move {
        let path = host.path("api.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        let server = host.serve().await;
        assert_eq!(get(&path, "/healthz").await.0, 200);
        host.shutdown.request();
        server.finished().await;
        assert!(!path.exists(), "the socket goes with its server");
        std::fs::write(&path, "precious").expect("written");
        let host = Host { shutdown: rt::Shutdown::new(), ..host };
        let error = host.try_serve(host.config()).await.err().expect("it is no socket");
        assert!(matches!(error, ServeError::NoSocket { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "precious");
    });
}
