//! Where a driver listens, as `--csi-address` says it.

use std::path::{Path, PathBuf};

/// A unix socket, or a TCP address for the few programs that accept one. There is no TLS in CSI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket's path.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

/// The address is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of a CSI driver: expected /path, unix:///path, host:port or dns:///host:port")]
pub struct AddressError(String);

impl Address {
    /// Reads `/path`, `unix:///path`, `unix:/path`, `host:port`, `dns:///host:port`, `passthrough:///host:port`.
    ///
    /// # Errors
    /// Anything else. Upstream: csi-lib-utils `connection`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError(text.to_owned());
        let path = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:")).or(text.starts_with('/').then_some(text));
        if let Some(path) = path {
            return if path.is_empty() { Err(refused()) } else { Ok(Self::Unix(path.into())) };
        }
        let host = ["dns:///", "passthrough:///", "tcp://"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok() => {
                Ok(Self::Tcp(host.to_owned()))
            }
            _ => Err(refused()),
        }
    }

    /// Reads an endpoint as `CSI_ENDPOINT` has it: what [`Address::parse`] reads, and any other text without a scheme as the path of a
    /// socket, relative to the working directory: `csi.sock`. A relative path that ends in `:port` begins with `./`.
    ///
    /// # Errors
    /// Nothing at all, and addresses of other kinds. Upstream: gocsi, `CSI_ENDPOINT`.
    pub fn endpoint(text: &str) -> Result<Self, AddressError> {
        match Self::parse(text) {
            Err(_) if !text.is_empty() && !text.contains("://") && !text.starts_with("unix:") && !text.contains('\0') => {
                Ok(Self::Unix(text.into()))
            }
            read => read,
        }
    }

    /// The socket's path, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp(_) => None,
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => f.write_str(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_upstream_accepts_is_read() {
        let unix = |path: &str| Ok(Address::Unix(path.into()));
        let tcp = |host: &str| Ok(Address::Tcp(host.into()));
        assert_eq!(Address::parse("/run/csi/socket"), unix("/run/csi/socket"));
        assert_eq!(Address::parse("unix:///run/csi/socket"), unix("/run/csi/socket"));
        assert_eq!(Address::parse("unix://relative.sock"), unix("relative.sock"));
        assert_eq!(Address::parse("unix:/x"), unix("/x"));
        assert_eq!(Address::parse("localhost:80"), tcp("localhost:80"));
        assert_eq!(Address::parse("dns:///h:1"), tcp("h:1"));
        for bad in ["", "unix://", "host", "host:port", "http://h:1/x"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_is_also_a_bare_relative_path() {
        let unix = |path: &str| Ok(Address::Unix(path.into()));
        for (text, path) in
            [("csi.sock", "csi.sock"), ("./a:1", "./a:1"), ("run/csi.sock", "run/csi.sock"), ("unix://x", "x"), ("/x", "/x")]
        {
            assert_eq!(Address::endpoint(text), unix(path), "{text}");
        }
        assert_eq!(Address::endpoint("tcp://h:1"), Ok(Address::Tcp("h:1".into())));
        for bad in ["", "unix:", "unix://", "http://h:1/x", "tcp://h"] {
            assert!(Address::endpoint(bad).is_err(), "{bad}");
        }
    }
}
