//! What every program is called, understands and needs, for whoever writes about it: man pages, completion, tests of units and documents.
//!
//! ```text
//!  each program's flags ─ programs.rs ─> Program ─┬─ page.rs ───────> man/*.1
//!                                                 └─ completion.rs ─> completion/{bash,zsh,fish}/*
//! ```
//!
//! A package of its own, so that nothing that is shipped carries it.

pub mod completion;
pub mod metrics;
pub mod page;
pub mod programs;

use std::path::Path;

use anyhow::Context as _;

/// Writes everything below `folder`; answers how many files.
///
/// # Errors
/// A file that cannot be written.
pub fn write(folder: &Path) -> anyhow::Result<usize> {
    let mut files = Vec::new();
    for program in programs::programs() {
        files.extend(page::pages(&program)?);
        files.extend(completion::scripts(&program));
    }
    for (path, text) in &files {
        let path = folder.join(path);
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .with_context(|| format!("cannot make the folder of {}", path.display()))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files.len())
}
