//! Constraints to rules for nodes.

use crate::model::{Placement, Requirement, Rule, Spread};
use crate::nomad::job::{Constraint, Group};
use crate::nomad::reader::Report;

const HOST: &str = "kubernetes.io/hostname";

pub(super) fn placement(group: &Group, report: &Report) -> Placement {
    let mut placement = Placement::default();
    for constraint in &group.constraints {
        if constraint.operator == "distinct_hosts" {
            let spread = Spread::Unique(HOST.to_owned());
            if constraint.value != "false" && !placement.spread.contains(&spread) {
                placement.spread.push(spread);
            }
            continue;
        }
        match requirement(constraint) {
            Ok(requirement) if placement.requirements.contains(&requirement) => {}
            Ok(requirement) => placement.requirements.push(requirement),
            Err(message) => report.problem(constraint.at, constraint.path.clone(), message),
        }
    }
    placement
}

fn requirement(constraint: &Constraint) -> Result<Requirement, String> {
    let attribute = constraint.attribute.trim();
    let name = attribute.strip_prefix("${").and_then(|name| name.strip_suffix('}')).unwrap_or(attribute);
    let label = match name {
        "attr.unique.hostname" | "node.unique.name" | "node.unique.id" => HOST.to_owned(),
        "attr.kernel.name" | "attr.os.type" => "kubernetes.io/os".to_owned(),
        "attr.cpu.arch" => "kubernetes.io/arch".to_owned(),
        "node.class" => "node.kubernetes.io/instance-type".to_owned(),
        "node.datacenter" => "topology.kubernetes.io/zone".to_owned(),
        "node.region" => "topology.kubernetes.io/region".to_owned(),
        other => match other.strip_prefix("meta.") {
            Some(label) if !label.is_empty() => label.to_owned(),
            _ => {
                return Err(format!(
                    "{attribute:?} is not known of nodes here; label the nodes, and name the label as ${{meta.LABEL}}"
                ));
            }
        },
    };
    let value = constraint.value.clone();
    let values = || value.split(',').map(|value| value.trim().to_owned()).collect();
    let number =
        || value.trim().parse::<i64>().map_err(|_| format!("{value:?} is no whole number, which {} wants", constraint.operator));
    let rule = match constraint.operator.as_str() {
        "=" | "==" | "is" => Rule::In(vec![value.clone()]),
        "!=" | "not" => Rule::NotIn(vec![value.clone()]),
        "is_set" => Rule::Exists,
        "is_not_set" => Rule::Absent,
        "set_contains_any" => Rule::In(values()),
        ">" => Rule::Above(number()?),
        "<" => Rule::Below(number()?),
        other => {
            let why =
                "=, !=, <, >, is_set, is_not_set, set_contains_any and distinct_hosts are; list the values, or label the nodes";
            return Err(format!("the operator {other:?} is not understood: {why}"));
        }
    };
    Ok(Requirement { label, rule, weight: None })
}
