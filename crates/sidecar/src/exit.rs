//! How a process ends: one sentence, one number.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Where kubelet looks for a container's last words.
pub const TERMINATION_LOG: &str = "/dev/termination-log";

/// The end of the process. As an error it travels with `?`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// Nothing to do any more. Exit code 0; a text, if there is one, is what was asked for (help, a version) and goes to stdout.
    #[error("{0}")]
    Done(String),
    /// Something that the program cannot go on without has failed. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The command line is wrong. Exit code 2; the sentence and the usage go to stderr.
    #[error("{sentence}")]
    Usage {
        /// What is wrong, in one sentence.
        sentence: String,
        /// The flags there are.
        usage: String,
    },
}

/// Where a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    /// There is no log yet.
    Stderr,
    /// The log is on stderr.
    Log,
    /// The log is in a file, which the person at the terminal does not see.
    Both,
}

impl Exit {
    /// The end without a word.
    pub fn done() -> Self {
        Self::Done(String::new())
    }

    /// A failure, in one sentence that names the object, what was expected, and who acts next.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// The number the process ends with.
    pub fn code(&self) -> u8 {
        match self {
            Self::Done(_) => 0,
            Self::Failed(_) => 1,
            Self::Usage { .. } => 2,
        }
    }

    /// An error that reached the top: the [`Exit`] in its chain if there is one, else a failure with the chain joined once.
    pub fn from_error(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Exit>() {
            Some(exit) => exit.clone(),
            None => Self::Failed(cluster::chain(error.as_ref())),
        }
    }

    /// Says the sentence where it belongs and returns the code.
    pub(crate) fn report(&self, saying: Saying) -> ExitCode {
        // A closed stdout or stderr is no reason to end differently.
        match self {
            Self::Done(text) if text.is_empty() => {}
            Self::Done(text) => drop(writeln!(std::io::stdout(), "{}", text.trim_end())),
            Self::Failed(sentence) => {
                if saying != Saying::Stderr {
                    tracing::error!("{sentence}");
                }
                if saying != Saying::Log {
                    let _ = writeln!(std::io::stderr(), "{sentence}");
                }
                last_words(Path::new(TERMINATION_LOG), sentence);
            }
            Self::Usage { sentence, usage } => {
                let _ = writeln!(std::io::stderr(), "{sentence}\n{}", usage.trim_end());
                last_words(Path::new(TERMINATION_LOG), sentence);
            }
        }
        ExitCode::from(self.code())
    }
}

/// Upstream creates the file if need be; on a host that would leave a regular file in /dev, so ours has to be there already,
/// as in every container it is.
fn last_words(path: &Path, sentence: &str) {
    let Ok(mut file) = std::fs::OpenOptions::new().write(true).truncate(true).open(path) else { return };
    if let Err(error) = file.write_all(sentence.as_bytes()) {
        tracing::warn!(path = %path.display(), %error, "cannot write the termination log");
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_failure_is_1_bad_usage_is_2_and_done_is_0() {
        assert_eq!(Exit::done().code(), 0);
        assert_eq!(Exit::failed("no").code(), 1);
        assert_eq!(Exit::Usage { sentence: "no".into(), usage: String::new() }.code(), 2);
    }

    #[test]
    fn an_exit_keeps_its_code_on_the_way_up_and_other_errors_join_their_chain() {
        let nested = Err::<(), _>(Exit::done()).context("while doing this").unwrap_err();
        assert_eq!(Exit::from_error(&nested), Exit::done());
        let other = || Err::<(), _>(std::io::Error::other("disk full")).context("cannot write x");
        assert_eq!(Exit::from_error(&other().unwrap_err()), Exit::failed("cannot write x: disk full"));
        let told = other().context("no journal: disk full").unwrap_err();
        assert_eq!(Exit::from_error(&told), Exit::failed("no journal: disk full: cannot write x"));
    }

    #[test]
    fn last_words_are_written_without_a_newline_and_only_to_a_file_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("termination-log");
        last_words(&path, "nobody listens");
        assert!(!path.exists());
        std::fs::write(&path, "something longer from an earlier start").unwrap();
        last_words(&path, "Lost connection");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "Lost connection");
    }
}
