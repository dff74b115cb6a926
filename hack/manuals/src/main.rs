//! `cargo run -p manuals -- DIR`: man pages into `DIR/man`, completion into `DIR/completion`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Parser as _;

/// Writes the man pages and the shell completion of every program.
#[derive(clap::Parser)]
#[command(name = "manuals")]
struct Flags {
    /// Where to: man/*.1 and completion/{bash,zsh,fish}/* are made below it.
    dir: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let files = manuals::write(&flags.dir)?;
    writeln!(std::io::stdout(), "{files} files in {}", flags.dir.display())?;
    Ok(())
}
