//! The units say to the programs what they understand, and leave mounts where everybody sees them.
#![allow(clippy::disallowed_methods, reason = "reads the units, and asks systemd-analyze where there is one")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use manuals::programs::programs;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd")
}

/// Name and text.
fn units() -> Result<Vec<(String, String)>> {
    let mut units = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "service") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            units.push((name, std::fs::read_to_string(&path)?));
        }
    }
    ensure!(units.len() == 5, "five units are expected in packaging/systemd, {} are there", units.len());
    Ok(units)
}

fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// The variables of an example file, as systemd reads it.
fn environment(unit: &str) -> Result<BTreeMap<String, String>> {
    let file = values(unit, "EnvironmentFile").first().copied().context("an EnvironmentFile")?.trim_start_matches('-');
    let name = file.strip_prefix("/etc/longshore/").with_context(|| format!("{file} is not below /etc/longshore"))?;
    let text =
        std::fs::read_to_string(folder().join(format!("{name}.example"))).with_context(|| format!("no example of {file}"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).with_context(|| line.to_owned())).collect()
}

/// The words of a command: `${NAME}` is part of one, a bare `$NAME` becomes as many as it has.
fn words(command: &str, environment: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for word in command.split_whitespace() {
        if let Some(name) = word.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            let value = environment.get(name).with_context(|| format!("${name} is not in the example file"))?;
            words.extend(value.split_whitespace().map(str::to_owned));
            continue;
        }
        let mut word = word.to_owned();
        while let Some((before, rest)) = word.split_once("${") {
            let (name, after) = rest.split_once('}').with_context(|| word.clone())?;
            let value = environment.get(name).with_context(|| format!("${{{name}}} is not in the example file"))?;
            word = format!("{before}{value}{after}");
        }
        words.push(word);
    }
    Ok(words)
}

#[test]
fn every_program_understands_what_its_unit_says() -> Result<()> {
    for (name, unit) in units()? {
        let command = values(&unit, "ExecStart").first().copied().with_context(|| format!("{name} starts nothing"))?;
        let words = words(command, &environment(&unit)?).with_context(|| name.clone())?;
        let program = words[0].strip_prefix("/usr/local/bin/").with_context(|| format!("{name} starts {}", words[0]))?;
        let known = programs().into_iter().find(|known| known.name == program);
        let known = known.with_context(|| format!("{name} starts {program}, which is no program of ours"))?;
        for word in words[1..].iter().filter(|word| word.starts_with('-')) {
            ensure!(word.contains('='), "{name}: {word} is not written --flag=value, which every program reads alike")
        }
        let read = known.command.try_get_matches_from(&words);
        ensure!(read.is_ok(), "{name}: {}", read.err().map(|error| error.to_string()).unwrap_or_default());
    }
    Ok(())
}

/// systemd.exec(5), PrivateMounts=: each of them gives the unit a mount namespace whose mounts nobody else sees.
const OWN_NAMESPACE: [&str; 24] = [
    "ProtectSystem",
    "ProtectHome",
    "ProtectProc",
    "ProcSubset",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "ProtectClock",
    "ProtectHostname",
    "PrivateTmp",
    "PrivateDevices",
    "PrivateUsers",
    "ReadWritePaths",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "ExecPaths",
    "NoExecPaths",
    "BindPaths",
    "BindReadOnlyPaths",
    "TemporaryFileSystem",
    "RootDirectory",
    "MountFlags",
    "DynamicUser",
];

#[test]
fn who_mounts_for_others_has_no_mount_namespace_of_its_own() -> Result<()> {
    for (name, unit) in units()?.iter().filter(|(name, _)| !name.contains("registrar") && !name.contains("provisioner")) {
        ensure!(values(unit, "PrivateMounts") == ["no"], "{name} mounts, and does not say PrivateMounts=no");
        for setting in OWN_NAMESPACE {
            ensure!(values(unit, setting).is_empty(), "{name} has {setting}=, and what it mounts would be seen by itself alone");
        }
        let capabilities = values(unit, "CapabilityBoundingSet");
        ensure!(
            capabilities.iter().all(|set| set.split(' ').any(|one| one == "CAP_SYS_ADMIN")),
            "{name} mounts, and {capabilities:?} does not let it"
        );
        // The group of a volume is kept by the set-group-ID bit of its folders.
        ensure!(values(unit, "RestrictSUIDSGID").is_empty(), "{name}: RestrictSUIDSGID= forbids fsGroup");
    }
    Ok(())
}

#[test]
fn systemd_has_nothing_to_say_about_the_units() -> Result<()> {
    let copies = tempfile::tempdir()?;
    for (name, unit) in units()? {
        // The programs are installed later.
        let unit: Vec<String> = unit
            .lines()
            .map(|line| match line.strip_prefix("ExecStart=/usr/local/bin/").and_then(|rest| rest.split_once(' ')) {
                Some((_, flags)) => format!("ExecStart=/bin/true {flags}"),
                None => line.to_owned(),
            })
            .collect();
        let path = copies.path().join(&name);
        std::fs::write(&path, unit.join("\n"))?;
        // Where there is no systemd, the tests above are what there is.
        let Ok(verify) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output() else { continue };
        let said = String::from_utf8_lossy(&verify.stderr);
        let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("longshore")).collect();
        ensure!(of_ours.is_empty(), "systemd-analyze verify {name}: {}", of_ours.join("\n"));
    }
    Ok(())
}
