//! Health and readiness checks, as probes.

use std::time::Duration;

use super::app::seconds_of;
use crate::model::{Ask, Port, Probe};
use crate::read::At;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Https,
    Tcp,
    Command,
}

const PROTOCOLS: [(&str, Protocol); 7] = [
    ("HTTP", Protocol::Http),
    ("HTTPS", Protocol::Https),
    ("TCP", Protocol::Tcp),
    ("COMMAND", Protocol::Command),
    ("MESOS_HTTP", Protocol::Http),
    ("MESOS_HTTPS", Protocol::Https),
    ("MESOS_TCP", Protocol::Tcp),
];

/// The first health check of an app.
pub(super) fn health(app: &At<'_>, ports: &[Port]) -> Option<Probe> {
    let checks = app.list_of("healthChecks");
    let (check, more) = checks.split_first()?;
    for other in more {
        other.warn("is left out: a container has one livenessProbe, and the first check is it");
    }
    let protocol = match check.get("protocol") {
        Some(protocol) => protocol.one_of(&PROTOCOLS, true)?,
        None => Protocol::Http,
    };
    let ask = match protocol {
        Protocol::Command => {
            let command = check.required("command")?.required("value")?.text()?;
            Ask::Command(vec!["/bin/sh".to_owned(), "-c".to_owned(), command])
        }
        Protocol::Tcp => Ask::Tcp { port: port(check, ports)? },
        Protocol::Http | Protocol::Https => {
            let path = check.text_of("path").unwrap_or_else(|| "/".to_owned());
            Ask::Http { port: port(check, ports)?, path, tls: protocol == Protocol::Https }
        }
    };
    let failures = check.get("maxConsecutiveFailures").and_then(|at| at.count()).unwrap_or(3);
    Some(Probe {
        ask,
        delay: seconds_of(check, "delaySeconds", 15),
        interval: seconds_of(check, "intervalSeconds", 60),
        timeout: seconds_of(check, "timeoutSeconds", 20),
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        grace: seconds_of(check, "gracePeriodSeconds", 300),
    })
}

fn port(check: &At<'_>, ports: &[Port]) -> Option<u16> {
    if let Some(at) = check.get("port") {
        let port = at.count().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        if port.is_none() {
            at.wrong("is no port: it has to be from 1 to 65535");
        }
        return port;
    }
    let index = check.count_of("portIndex").unwrap_or(0);
    let found = usize::try_from(index).ok().and_then(|index| ports.get(index));
    if found.is_none() {
        check.wrong(format!(
            "asks port {index} of the app, which has no such port with a number: write port, or a number into the ports"
        ));
    }
    found.map(|port| port.number)
}

/// The first readiness check of an app.
pub(super) fn ready(app: &At<'_>, ports: &[Port]) -> Option<Probe> {
    let checks = app.list_of("readinessChecks");
    let (check, more) = checks.split_first()?;
    for other in more {
        other.wrong("is one too many: an app has one readiness check");
    }
    let tls = match check.get("protocol") {
        Some(protocol) => protocol.one_of(&[("HTTP", false), ("HTTPS", true)], true)?,
        None => false,
    };
    for code in check.list_of("httpStatusCodesForReady") {
        if code.count().is_some_and(|code| !(200..400).contains(&code)) {
            code.wrong("cannot be honoured: for a readinessProbe 200 to 399 are good");
        }
    }
    let name = check.text_of("portName").unwrap_or_else(|| "http-api".to_owned());
    let Some(port) = ports.iter().find(|port| port.name.as_deref() == Some(&name)) else {
        check.wrong(format!("asks the port {name:?}, which the app does not have"));
        return None;
    };
    let path = check.text_of("path").unwrap_or_else(|| "/".to_owned());
    Some(Probe {
        ask: Ask::Http { port: port.number, path, tls },
        delay: Duration::ZERO,
        interval: seconds_of(check, "intervalSeconds", 30),
        timeout: seconds_of(check, "timeoutSeconds", 10),
        failures: 1,
        grace: Duration::ZERO,
    })
}
