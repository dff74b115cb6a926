//! The kubeconfig that reaches this server.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rt::Ctx;

use super::ServeError;
use super::identity::Identity;

/// Writes it, mode 0600, in one step. On a full disk, the one that is there already does if it says the same.
pub(super) async fn write(ctx: &Ctx, path: &Path, address: SocketAddr, identity: &Identity) -> Result<(), ServeError> {
    let failed = |source| ServeError::Write { path: path.to_owned(), source };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        ctx.disk().make_dir(dir).await.map_err(failed)?;
    }
    let text = text(address, identity).into_bytes();
    match ctx.disk().replace(path, text.clone()).await {
        Err(error) if error.kind() == ErrorKind::StorageFull && ctx.disk().read(path).await.is_ok_and(|there| there == text) => {
            Ok(())
        }
        written => written.map_err(failed),
    }
}

fn text(address: SocketAddr, identity: &Identity) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let server = SocketAddr::new(host, address.port());
    let authority = BASE64_STANDARD.encode(identity.ca_certificate());
    let token = identity.token();
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters:\n\
         - name: longshore\n\
         \u{20} cluster:\n\
         \u{20}   server: https://{server}\n\
         \u{20}   certificate-authority-data: {authority}\n\
         users:\n\
         - name: longshore\n\
         \u{20} user:\n\
         \u{20}   token: {token}\n\
         contexts:\n\
         - name: longshore\n\
         \u{20} context:\n\
         \u{20}   cluster: longshore\n\
         \u{20}   user: longshore\n\
         \u{20}   namespace: default\n\
         current-context: longshore\n"
    )
}
