//! The class of service: who is evicted first.

use apimachinery::object::at;
use csi_types::Quantity;
use serde_json::Value;

use super::super::validation::values::{list, quantity};

/// `BestEffort` if nothing is asked for, `Guaranteed` if every container has limits that it asks for, `Burstable` else.
pub(super) fn class(pod: &Value) -> &'static str {
    let of = |field: &str| list(at(pod, &["spec", field])).iter();
    let whole = pod.get("spec").filter(|spec| at(spec, &["resources", "requests"]).is_some());
    let each = of("containers").chain(of("initContainers"));
    let asking: Vec<&Value> = whole.map_or_else(|| each.collect(), |whole| vec![whole]);
    let mut any = false;
    let mut all = true;
    for container in asking {
        let amount = |list: &str, resource: &str| {
            quantity(at(container, &["resources", list, resource])).filter(|amount| *amount > Quantity::default())
        };
        for resource in ["cpu", "memory"] {
            let (limit, request) = (amount("limits", resource), amount("requests", resource));
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
