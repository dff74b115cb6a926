//! Completion for bash, zsh and fish, under the program's own name and upstream's.

use std::path::PathBuf;

use clap_complete::{Shell, generate};

use crate::programs::Program;

/// File names, each where its shell looks for it, and texts.
pub fn scripts(program: &Program) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for name in [Some(program.name), program.upstream].into_iter().flatten() {
        for (shell, file) in [
            (Shell::Bash, format!("completion/bash/{name}")),
            (Shell::Zsh, format!("completion/zsh/_{name}")),
            (Shell::Fish, format!("completion/fish/{name}.fish")),
        ] {
            let mut bytes = Vec::new();
            generate(shell, &mut program.command.clone(), name, &mut bytes);
            files.push((file.into(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    files
}
