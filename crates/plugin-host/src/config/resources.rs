//! `Resource[]` as limits.

use csi_types::Bytes;

use super::place::{Places, Problem, Warning};
use super::raw::Resource;
use crate::plugin::Limits;

/// Upstream: Mesos gives a container this many shares for each whole processor, and never fewer than two.
const SHARES_PER_CPU: f64 = 1024.0;
const FEWEST_SHARES: f64 = 2.0;
/// Mesos' megabytes are binary.
const MEGABYTE: f64 = 1_048_576.0;
/// More processors, or more megabytes, than any host has: 2^40.
const MOST: f64 = 1_099_511_627_776.0;

pub(super) fn limits(
    resources: Vec<Resource>,
    at: &str,
    places: &Places<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Limits, Problem> {
    let mut limits = Limits::default();
    for (index, resource) in resources.into_iter().enumerate() {
        let whole = format!("{at}[{index}]");
        let field = |name: &str| format!("{whole}.{name}");
        let name = resource.name.unwrap_or_default();
        if name.is_empty() {
            return Err(places.problem(&field("name"), "is missing; expected cpus or mem"));
        }
        match resource.kind.as_deref() {
            Some("SCALAR" | "RANGES" | "SET") => {}
            Some(other) => return Err(places.problem(&field("type"), format!("is {other:?}; expected SCALAR, RANGES or SET"))),
            None => return Err(places.problem(&field("type"), "is missing; expected SCALAR")),
        }
        if resource.role.as_deref().is_some_and(|role| role != "*") {
            warnings.push(places.warning(&field("role"), "does nothing: a host has no roles"));
        }
        if !matches!(name.as_str(), "cpus" | "mem") {
            let reason = format!("is not limited here: of {name}, a plugin may use what the host has");
            warnings.push(places.warning(&whole, reason));
            continue;
        }
        let scalar = resource
            .scalar
            .filter(|_| resource.kind.as_deref() == Some("SCALAR") && resource.ranges.is_none() && resource.set.is_none());
        let value = scalar.and_then(|scalar| scalar.value).map(|value| value.0);
        let Some(value) = value.filter(|value| (0.0..=MOST).contains(value)) else {
            let reason =
                format!("is missing or no amount; expected type SCALAR with {{\"value\": NUMBER}}, the {name} of the plugin");
            return Err(places.problem(&field("scalar.value"), reason));
        };
        // Mesos keeps three decimals.
        let value = (value * 1000.0).round() / 1000.0;
        match name.as_str() {
            "cpus" => limits.cpu_shares = Some(whole_number((value * SHARES_PER_CPU).max(FEWEST_SHARES))),
            _ => limits.memory = Some(Bytes(whole_number(value * MEGABYTE))).filter(|memory| memory.0 > 0),
        }
    }
    Ok(limits)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below 2^61")]
fn whole_number(value: f64) -> u64 {
    value as u64
}
