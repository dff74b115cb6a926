//! What is linked or built against keeps to the policy in `deny.toml`: its licences are allowed, nothing banned is there, and everything
//! comes from the registry.
#![allow(clippy::disallowed_methods, reason = "asks cargo what the dependencies are")]

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The quoted texts of `deny.toml` between `from` and the next `]`.
fn listed(policy: &str, from: &str) -> Vec<String> {
    let list = policy.split_once(from).and_then(|(_, rest)| rest.split_once(']')).map(|(list, _)| list).unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be satisfied: of each `AND`'s parts, one of the `OR`'s.
fn satisfied(licence: &str, allowed: &[String]) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|one| allowed.iter().any(|allowed| allowed == one.trim())))
}

#[test]
fn every_dependency_keeps_to_the_policy() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let policy = std::fs::read_to_string(root.join("deny.toml"))?;
    let (allowed, banned) = (listed(&policy, "\nallow = ["), listed(&policy, "\ndeny = ["));
    ensure!(!allowed.is_empty() && !banned.is_empty(), "deny.toml lists what is allowed and what is banned");

    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--locked"]).current_dir(root).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let theirs: Vec<&Value> = packages.iter().filter(|package| !package["source"].is_null()).collect();
    ensure!(theirs.len() > 100, "only {} packages were looked at", theirs.len());

    let text = |package: &Value, field: &str| package[field].as_str().unwrap_or_default().to_owned();
    let mut wrong = Vec::new();
    for package in theirs {
        let name = format!("{} {}", text(package, "name"), text(package, "version"));
        if !satisfied(&text(package, "license"), &allowed) {
            wrong.push(format!("{name}: licence {} is not allowed", package["license"]));
        }
        if banned.contains(&text(package, "name")) {
            wrong.push(format!("{name}: is banned"));
        }
        if !text(package, "source").starts_with("registry+") {
            wrong.push(format!("{name}: comes from {}", package["source"]));
        }
    }
    ensure!(wrong.is_empty(), "against deny.toml:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn nothing_that_is_shipped_can_have_its_rules_switched_off() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--no-deps"])
        .current_dir(root)
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let switches = |package: &&Value| {
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        dependencies
            .iter()
            .any(|dependency| dependency["features"].as_array().is_some_and(|features| features.contains(&"mutants".into())))
    };
    let switching: Vec<&str> = packages.iter().filter(switches).filter_map(|package| package["name"].as_str()).collect();
    ensure!(switching == ["simulation"], "only the simulator may have rt's feature `mutants`; it is asked for by {switching:?}");
    let defaults = metadata["workspace_default_members"].as_array().context("default members")?;
    let simulated = defaults.iter().any(|member| member.as_str().is_some_and(|member| member.contains("/simulation#")));
    ensure!(
        !simulated,
        "the simulator is a default member: a plain `cargo build` would build programs with rt's feature `mutants`"
    );
    Ok(())
}
