//! Dashboard, alerts and documents speak of metrics, and labels, that some process has.
#![allow(clippy::disallowed_methods, reason = "reads documents")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use manuals::metrics::{Kind, metric_of, registered};
use serde_json::Value;

fn read(path: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The table of docs/operations.md: name, labels.
fn documented() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let text = read("docs/operations.md")?;
    let (_, table) = text.split_once("| metric | labels |").context("docs/operations.md has the table of metrics")?;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut found = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        for name in quoted(cells[1]) {
            found.insert(name, quoted(cells[2]).into_iter().collect());
        }
    }
    Ok(found)
}

#[test]
fn the_table_of_metrics_is_what_processes_register() -> Result<()> {
    let (registered, documented) = (registered()?, documented()?);
    ensure!(registered.len() > 25, "only {} metrics are registered", registered.len());
    for name in registered.keys() {
        ensure!(documented.contains_key(name), "{name} is registered and not in the table of docs/operations.md");
    }
    for name in documented.keys() {
        ensure!(registered.contains_key(name), "{name} is in the table of docs/operations.md and nobody registers it");
    }
    Ok(())
}

/// What Prometheus adds, and what makes a histogram.
const OF_TARGETS: [&str; 8] = ["namespace", "job", "instance", "pod", "container", "endpoint", "service", "le"];
const OPERATORS: [&str; 9] = ["and", "or", "unless", "by", "without", "on", "ignoring", "offset", "bool"];

/// The series of an expression, each with the labels that it is asked by.
fn series(expression: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut rest = expression;
    let mut grouping = false;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            rest = rest[1..].split_once('"').map_or("", |(_, rest)| rest);
        } else if first == '[' {
            rest = rest.split_once(']').map_or("", |(_, rest)| rest);
        } else if first.is_ascii_digit() {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
        } else if first == '{' {
            let labels = selector(&mut rest);
            if let Some((_, of)) = found.last_mut() {
                of.extend(labels);
            }
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            if OPERATORS.contains(&word) {
                grouping = ["by", "without", "on", "ignoring"].contains(&word);
            } else if !grouping && !after.trim_start().starts_with('(') && !aggregates(after) {
                found.push((word.to_owned(), Vec::new()));
            }
        } else {
            grouping = grouping && first != ')';
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// `sum by (…) (…)`: the word is no series.
fn aggregates(after: &str) -> bool {
    ["by", "without"].iter().any(|word| after.trim_start().starts_with(&format!("{word} (")))
}

/// The names in `{name=~"value",…}`; moves behind it.
fn selector(rest: &mut &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut text = &rest[1..];
    while !text.starts_with('}') {
        let Some((name, after)) = text.split_once('=') else { break };
        names.push(name.trim_matches([' ', ',', '!']).to_owned());
        text = after.split_once('"').and_then(|(_, value)| value.split_once('"')).map_or("}", |(_, after)| after);
    }
    *rest = text.get(1..).unwrap_or_default();
    names
}

fn check(whose: &str, expression: &str, registered: &BTreeMap<String, Kind>) -> Result<()> {
    let (documented, asked) = (documented()?, series(expression));
    ensure!(!asked.is_empty(), "{whose} asks for nothing: {expression}");
    for (name, labels) in asked {
        let metric = metric_of(&name, registered).with_context(|| format!("{whose} asks for {name}, which no process has"))?;
        let known = documented.get(metric).with_context(|| format!("{metric} is not documented"))?;
        for label in labels {
            ensure!(known.contains(&label) || OF_TARGETS.contains(&label.as_str()), "{whose}: {metric} has no label {label}");
        }
    }
    Ok(())
}

#[test]
fn an_expression_is_taken_apart() {
    let of = |text: &str| series(text).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        of(r#"sum by (a, b) (rate(x_total{c!="OK",d=~"e"}[5m])) / 2 > 0.5 and on (f) (time() - y > 60)"#),
        ["x_total", "y"]
    );
    assert_eq!(series(r#"x{a="1", b!="2"}"#), [("x".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist() -> Result<()> {
    let board: Value = serde_json::from_str(&read("charts/longshore/files/dashboard.json")?)?;
    let (registered, mut panels, mut ids) = (registered()?, 0, BTreeSet::new());
    for panel in board["panels"].as_array().context("panels")? {
        ensure!(ids.insert(panel["id"].to_string()), "two panels have the id {}", panel["id"]);
        for target in panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
            check(&panel["title"].to_string(), target["expr"].as_str().context("expr")?, &registered)?;
            panels += 1;
        }
    }
    ensure!(panels > 15, "only {panels} queries were looked at");
    Ok(())
}

#[test]
fn alerts_ask_for_metrics_that_exist_and_are_explained() -> Result<()> {
    let rules: Value = serde_yaml::from_str(&read("charts/longshore/files/alerts.yaml")?)?;
    let (registered, operations) = (registered()?, read("docs/operations.md")?);
    let rules = rules["groups"][0]["rules"].as_array().context("rules")?.clone();
    ensure!(rules.len() > 8, "only {} rules", rules.len());
    for rule in rules {
        let name = rule["alert"].as_str().context("a name")?;
        check(name, rule["expr"].as_str().context("expr")?, &registered)?;
        let runbook = rule["annotations"]["runbook"].as_str().context("runbook")?;
        ensure!(runbook == format!("docs/operations.md#{}", name.to_lowercase()), "{name}: its runbook is {runbook}");
        ensure!(operations.contains(&format!("\n### {name}\n")), "docs/operations.md does not explain {name}");
    }
    Ok(())
}

#[test]
fn documents_name_metrics_that_exist() -> Result<()> {
    let registered = registered()?;
    let families =
        ["longshore_", "csi_", "workqueue_", "leader_election_", "controller_persistent", "storage_operation_", "process_"];
    for document in ["install", "operations", "node-mounter", "reliability", "architecture"] {
        for word in read(&format!("docs/{document}.md"))?.split('`').skip(1).step_by(2) {
            let name = word.split('{').next().unwrap_or_default();
            let metric = families.iter().any(|family| name.starts_with(family))
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && !name.ends_with('_');
            ensure!(
                !metric || registered.contains_key(name) || metric_of(name, &registered).is_some(),
                "docs/{document}.md names {name}, which no process has"
            );
        }
    }
    Ok(())
}
