//! Every program has a page and completion, and every flag is told.
#![allow(clippy::disallowed_methods, reason = "runs groff and bash on what was written")]

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use manuals::programs::{Program, programs};

fn written() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    manuals::write(folder.path())?;
    Ok(folder)
}

fn commands(program: &Program) -> Vec<(String, &clap::Command)> {
    let subs = program.command.get_subcommands().map(|sub| (format!("{}-{}", program.name, sub.get_name()), sub));
    std::iter::once((program.name.to_owned(), &program.command)).chain(subs).collect()
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

#[test]
fn every_program_of_the_workspace_has_a_page_and_completion() -> Result<()> {
    let folder = written()?;
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    for name in names(&crates)? {
        // The driver of the tests is not shipped.
        if name == "fake-driver" || !crates.join(&name).join("src/main.rs").exists() {
            continue;
        }
        for file in [format!("man/{name}.1"), format!("completion/bash/{name}"), format!("completion/zsh/_{name}")] {
            ensure!(
                folder.path().join(&file).exists(),
                "crates/{name} is a program, and there is no {file}: add it to hack/manuals/src/programs.rs"
            );
        }
    }
    Ok(())
}

#[test]
fn every_flag_has_help_and_is_on_its_page() -> Result<()> {
    let folder = written()?;
    for program in programs() {
        for (name, command) in commands(&program) {
            let page = std::fs::read_to_string(folder.path().join(format!("man/{name}.1")))?.replace("\\-", "-");
            for arg in command.get_arguments() {
                // What is no flag, such as a file, stands in the synopsis.
                let Some(flag) = arg.get_long() else {
                    ensure!(arg.is_positional(), "{name}: a flag has a long name");
                    continue;
                };
                let help = arg.get_help().map(|help| help.to_string()).unwrap_or_default();
                ensure!(
                    help.split_whitespace().count() > 1,
                    "{name} --{flag} has no help: {help:?}; write a doc comment at the field"
                );
                ensure!(
                    page.contains(&format!("--{flag}\\f")) || page.contains(&format!("--{flag}\n")),
                    "{name} --{flag} is not on its page"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn no_page_names_a_value_after_rusts_own_types() -> Result<()> {
    for program in programs() {
        for (name, command) in commands(&program) {
            for arg in command.get_arguments() {
                let values: Vec<&str> = arg.get_value_names().unwrap_or_default().iter().map(|value| value.as_str()).collect();
                let long = arg.get_long().unwrap_or_default().to_uppercase().replace('-', "_");
                ensure!(
                    !values.contains(&long.as_str()),
                    "{name} --{}: its value is called after itself",
                    arg.get_long().unwrap_or_default()
                );
            }
        }
    }
    Ok(())
}

#[test]
fn pages_render_without_warnings() -> Result<()> {
    let folder = written()?;
    let man = folder.path().join("man");
    for name in names(&man)? {
        let text = std::fs::read_to_string(man.join(&name))?;
        if let Some(target) = text.strip_prefix(".so man1/") {
            ensure!(man.join(target.trim()).exists(), "{name} shows {target}, which is not there");
            continue;
        }
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH \"EXIT STATUS\""] {
            let program = !["longshore-up.1", "longshore-status.1", "longshore-version.1"].contains(&name.as_str());
            ensure!(text.contains(section) || (!program && section.contains("EXIT")), "{name} has no {section}");
        }
        // Where there is no groff, the structure above is all that is checked.
        let Ok(groff) = Command::new("groff").args(["-man", "-ww", "-z", "-Tutf8"]).arg(man.join(&name)).output() else {
            continue;
        };
        let said = String::from_utf8_lossy(&groff.stderr);
        ensure!(groff.status.success() && said.is_empty(), "groff on {name}: {said}");
    }
    Ok(())
}

#[test]
fn bash_loads_completion_and_completes_a_flag() -> Result<()> {
    let folder = written()?;
    for (name, typed, expected) in [
        ("external-provisioner", "--leader-election-n", "--leader-election-namespace"),
        ("csi-attacher", "--reconcile", "--reconcile-sync"),
        ("csi-node-driver-registrar", "--kubelet", "--kubelet-registration-path"),
        ("livenessprobe", "--probe", "--probe-timeout"),
        ("node-mounter", "--api-s", "--api-socket"),
        ("local-driver", "--data", "--data-dir"),
        ("longshore", "st", "status"),
    ] {
        let file = folder.path().join("completion/bash").join(name);
        let script = format!(
            "set -eu; source '{}'; COMP_WORDS=({name} {typed}) COMP_CWORD=1; function=$(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
             \"$function\" {name} {typed} {name}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let bash = Command::new("bash").args(["-c", &script]).output()?;
        let said = String::from_utf8_lossy(&bash.stdout);
        ensure!(bash.status.success(), "{name}: {}", String::from_utf8_lossy(&bash.stderr));
        ensure!(said.lines().any(|line| line == expected), "{name} {typed} is completed to {said:?}, expected {expected}");
    }
    Ok(())
}
