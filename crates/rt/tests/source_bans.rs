//! What clippy cannot tell: a biased `select!` from a random one.
#![allow(clippy::disallowed_methods, reason = "reads the source")]

use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("readable folder").map(|entry| entry.expect("entry").path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn every_select_is_biased() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/");
    let mut files = Vec::new();
    sources(crates, &mut files);
    assert!(files.len() > 10, "the scan found the source");
    for file in files.iter().filter(|file| !file.ends_with("source_bans.rs")) {
        let text = std::fs::read_to_string(file).expect("readable file");
        for (at, _) in text.match_indices("select! {") {
            let body = text[at + "select! {".len()..].trim_start();
            let line = text[..at].lines().count();
            assert!(body.starts_with("biased;"), "{}:{line}: select! must start with `biased;`", file.display());
        }
        assert!(!text.contains("select!{"), "{}: write `select! {{`", file.display());
    }
}
