//! What documents say to type is there: values of the chart, files, headings.
#![allow(clippy::disallowed_methods, reason = "reads documents")]

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

fn repo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// README, CHANGELOG and docs/.
fn documents() -> Result<Vec<PathBuf>> {
    let mut documents = vec![repo().join("README.md"), repo().join("CHANGELOG.md"), repo().join("charts/longshore/README.md")];
    for entry in std::fs::read_dir(repo().join("docs"))? {
        documents.push(entry?.path());
    }
    Ok(documents)
}

/// Whether the chart has a value of this dotted name.
fn has(values: &Value, name: &str) -> bool {
    name.split('.').try_fold(values, |at, key| at.get(key)).is_some()
}

#[test]
fn every_value_that_a_document_sets_is_one_of_the_chart() -> Result<()> {
    let values: Value = serde_yaml::from_str(&read(&repo().join("charts/longshore/values.yaml"))?)?;
    let mut seen = 0;
    for document in documents()? {
        for rest in read(&document)?.split("--set").skip(1) {
            let after = rest.trim_start_matches("-json").trim_start_matches("-string").trim_start_matches(['=', ' ', '\'', '"']);
            let end = after.find(['\n', ' ', '\'', '`', ')']).unwrap_or(after.len());
            // What is inside of brackets is the value's own.
            let plain = after[..end].split(['[', '{']).next().unwrap_or_default();
            for name in plain.split(',').filter_map(|pair| pair.split_once('=').map(|(name, _)| name)) {
                ensure!(
                    has(&values, name),
                    "{} sets {name}, which charts/longshore/values.yaml does not have",
                    document.display()
                );
                seen += 1;
            }
        }
    }
    ensure!(seen > 10, "only {seen} values were looked at");
    Ok(())
}

#[test]
fn every_value_that_a_document_names_is_one_of_the_chart() -> Result<()> {
    let values: Value = serde_yaml::from_str(&read(&repo().join("charts/longshore/values.yaml"))?)?;
    let groups: Vec<&String> = values.as_object().context("values")?.keys().collect();
    for document in ["docs/install.md", "docs/operations.md"] {
        for word in read(&repo().join(document))?.split('`').skip(1).step_by(2) {
            let named = word.split_once('.').is_some_and(|(group, rest)| {
                groups.iter().any(|known| *known == group) && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
            });
            ensure!(!named || has(&values, word), "{document} names {word}, which charts/longshore/values.yaml does not have");
        }
    }
    Ok(())
}

/// A heading as GitHub links to it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn every_link_of_a_document_leads_somewhere() -> Result<()> {
    let mut seen = 0;
    for document in documents()? {
        let text = read(&document)?;
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { document.clone() } else { document.parent().context("a folder")?.join(file) };
            ensure!(target.exists(), "{} links to {link}, which is not there", document.display());
            if let Some(heading) = heading {
                let headings = read(&target)?;
                let found = headings
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#').trim()) == heading);
                ensure!(found, "{} links to {link}, and there is no such heading", document.display());
            }
            seen += 1;
        }
    }
    ensure!(seen > 30, "only {seen} links were looked at");
    Ok(())
}
