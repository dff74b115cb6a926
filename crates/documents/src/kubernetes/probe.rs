//! Probes.

use std::time::Duration;

use crate::model::{Ask, Probe};
use crate::yaml::{Map, Node};

/// Whole seconds, 1 at least.
fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).unwrap_or(i64::MAX).max(1)
}

fn asked(probe: &Probe) -> Map {
    match &probe.ask {
        Ask::Command(command) => Map::new()
            .with("exec", Map::new().with("command", command.iter().map(|word| Node::from(word.as_str())).collect::<Vec<_>>())),
        Ask::Http { port, path, tls } => {
            let get = Map::new().with("path", path).with("port", *port).maybe("scheme", tls.then_some("HTTPS"));
            Map::new().with("httpGet", get)
        }
        Ask::Tcp { port } => Map::new().with("tcpSocket", Map::new().with("port", *port)),
    }
}

/// The probe itself.
pub(super) fn steady(probe: &Probe) -> Map {
    asked(probe)
        .maybe("initialDelaySeconds", (!probe.delay.is_zero()).then(|| seconds(probe.delay)))
        .with("periodSeconds", seconds(probe.interval))
        .with("timeoutSeconds", seconds(probe.timeout))
        .with("failureThreshold", probe.failures.max(1))
}

/// The time in which failures do not count, as a startup probe; `None` if there is none.
pub(super) fn startup(probe: &Probe) -> Option<Map> {
    let (grace, interval) = (probe.grace.as_secs(), seconds(probe.interval).unsigned_abs());
    let tries = grace.div_ceil(interval);
    (tries > 1).then(|| {
        asked(probe)
            .with("periodSeconds", seconds(probe.interval))
            .with("timeoutSeconds", seconds(probe.timeout))
            .with("failureThreshold", i64::try_from(tries).unwrap_or(i64::MAX))
    })
}
