//! Running the host's programs: mkfs and its kin.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result, io_error};

/// A program and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

/// How much of a program's complaint goes into an error.
const SAID: usize = 400;

impl Program {
    /// Runs to the end. `target` is what the error names.
    pub(crate) fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>, target: &Path) -> Result<()> {
        self.run_to([0], arguments, target)
    }

    /// The same, for a program to which several ends are good.
    pub(crate) fn run_to<A: AsRef<OsStr>, const N: usize>(
        self,
        good: [i32; N],
        arguments: impl IntoIterator<Item = A>,
        target: &Path,
    ) -> Result<()> {
        // Services are often started without the directories in which such programs live.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
        let output =
            Command::new(self.name).args(arguments).env("PATH", path).env("LC_ALL", "C").stdin(Stdio::null()).output().map_err(
                |error| match error.kind() {
                    io::ErrorKind::NotFound => Error::MissingProgram { program: self.name, package: self.package },
                    _ => io_error("run", self.name)(error),
                },
            )?;
        if output.status.code().is_some_and(|code| good.contains(&code)) {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let words = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let said: String = words.chars().take(SAID).collect();
        let said = if said.is_empty() { output.status.to_string() } else { format!("{said} ({})", output.status) };
        Err(Error::Program { program: self.name, target: target.display().to_string(), said })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_its_package() {
        let missing = Program { name: "mkfs.no-such-thing", package: "e2fsprogs" };
        let error = missing.run([] as [&str; 0], Path::new("/x")).unwrap_err();
        assert!(error.to_string().contains("install the Debian package e2fsprogs"), "{error}");
    }

    #[test]
    fn a_failing_program_is_quoted() {
        let shell = Program { name: "sh", package: "dash" };
        let error = shell.run(["-c", "echo too small >&2; exit 3"], Path::new("/x")).unwrap_err();
        assert!(error.to_string().contains("/x: too small"), "{error}");
    }
}
