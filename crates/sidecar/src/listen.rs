//! Listen addresses as Go writes them: `:8080`, `0.0.0.0:http`, `[::1]:9808`, `localhost:80`.

use std::io;

use tokio::net::TcpListener;

use crate::Exit;

/// Binds. A host that is left out means all addresses, IPv6 and IPv4 alike. `flag` names where the address came from.
///
/// # Errors
/// The address cannot be read, or is taken, or is not ours: the program ends with 1.
pub(crate) async fn bind(flag: &str, address: &str) -> Result<TcpListener, Exit> {
    let failed = |reason: &dyn std::fmt::Display| Exit::failed(format!("{flag}: cannot listen on {address:?}: {reason}"));
    let (host, port) = split(address).map_err(|reason| failed(&reason))?;
    let port =
        port_number(port, || std::fs::read_to_string("/etc/services").unwrap_or_default()).map_err(|reason| failed(&reason))?;
    let listener = match host {
        "" => match TcpListener::bind(("::", port)).await {
            Ok(listener) => Ok(listener),
            // A kernel without IPv6; where the port is taken, say so.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
            Err(_) => TcpListener::bind(("0.0.0.0", port)).await,
        },
        host => TcpListener::bind((host, port)).await,
    };
    listener.map_err(|error| failed(&error))
}

/// Upstream: Go `net.SplitHostPort`.
fn split(address: &str) -> Result<(&str, &str), String> {
    let expected = || "expected host:port, :port or [ipv6]:port".to_owned();
    if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(expected)?;
        return Ok((host, rest.strip_prefix(':').ok_or_else(expected)?));
    }
    match address.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, port)),
        _ => Err(expected()),
    }
}

/// A number, or a name from services(5). No port at all is 0, any free one, as in Go.
fn port_number(port: &str, services: impl FnOnce() -> String) -> Result<u16, String> {
    if port.is_empty() {
        return Ok(0);
    }
    if port.bytes().all(|b| b.is_ascii_digit()) {
        return port.parse().map_err(|_| format!("port {port} is above 65535"));
    }
    let listed = services().lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, number) = (words.next()?, words.next()?.strip_suffix("/tcp")?);
        (name == port || words.any(|alias| alias == port)).then(|| number.parse().ok()).flatten()
    });
    // Images without /etc/services: the names that Go has built in and people use.
    listed
        .or(match port {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        })
        .ok_or_else(|| format!("unknown port {port:?}, expected a number or a name from /etc/services"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_split_as_go_splits_them() {
        assert_eq!(split(":8080"), Ok(("", "8080")));
        assert_eq!(split("0.0.0.0:http"), Ok(("0.0.0.0", "http")));
        assert_eq!(split("[::]:9808"), Ok(("::", "9808")));
        for bad in ["8080", "::1:80", "[::1]", "[::1]80", "[::1"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_have_names() {
        let services = || "# comment\nhttp-alt 8080/tcp webcache http_alt\nsyslog 514/udp\n".to_owned();
        assert_eq!(port_number("9808", services), Ok(9808));
        assert_eq!(port_number("webcache", services), Ok(8080));
        assert_eq!(port_number("http", services), Ok(80));
        assert_eq!(port_number("", services), Ok(0));
        for bad in ["65536", "syslog", "nosuch", "-1"] {
            assert!(port_number(bad, services).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_a_failure_that_names_flag_and_address() {
        let taken = bind("--http-endpoint", "127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let exit = bind("--http-endpoint", &address).await.unwrap_err();
        assert_eq!(exit.code(), 1);
        assert!(exit.to_string().contains("--http-endpoint") && exit.to_string().contains(&address), "{exit}");
    }

    #[tokio::test]
    async fn without_a_host_ipv4_is_served_too() {
        let listener = bind("--http-endpoint", ":0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    }
}
