//! The output of what we start: kept short, and its last lines told without secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// So much of a log is kept twice: as it is written, and as it was before.
const LONGEST: u64 = 1 << 20;
/// What is told of it.
const LINES: usize = 10;
const TAIL: u64 = 8 << 10;
/// A shorter text is found everywhere, and is no secret worth hiding.
const SHORTEST_SECRET: usize = 4;

/// For writing at its end.
pub(crate) fn open(log: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(log)
}

/// Begins the log anew when it has become long. Who writes to it writes on at its new end.
///
/// Lines that are written while it is copied may be lost; none is torn.
pub(crate) fn shorten(log: &Path, old: &Path) -> io::Result<()> {
    match fs::metadata(log) {
        Ok(meta) if meta.len() > LONGEST => {
            fs::copy(log, old)?;
            OpenOptions::new().write(true).open(log)?.set_len(0)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The end of the log as text; empty if there is none.
pub(crate) fn tail(log: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// The last lines, each secret in them replaced. One sentence when there are none.
pub(crate) fn told<'a>(tail: &str, secrets: impl Iterator<Item = &'a String> + Clone) -> String {
    let lines: Vec<&str> = tail.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    if last.is_empty() {
        return "it wrote nothing".to_owned();
    }
    let mut text = String::from("the last lines that it wrote:");
    for line in last {
        let mut line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        for secret in secrets.clone().filter(|secret| secret.len() >= SHORTEST_SECRET) {
            line = line.replace(secret.as_str(), "***");
        }
        text.push_str("\n  ");
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told_without_secrets() {
        let tail: String = (0..30).map(|n| format!("line {n} hunter2\n\n")).collect();
        let said = told(&tail, ["hunter2".to_owned(), "9".to_owned()].iter());
        assert!(said.contains("line 29 ***") && said.contains("line 20 ") && !said.contains("line 19 "), "{said}");
        assert!(!said.contains("hunter2"));
        assert_eq!(told("\n \n", [].iter()), "it wrote nothing");
    }

    #[test]
    fn a_long_log_begins_anew_and_its_writer_goes_on() {
        use std::io::Write;
        let folder = tempfile::tempdir().expect("a folder");
        let (log, old) = (folder.path().join("log"), folder.path().join("old"));
        shorten(&log, &old).expect("nothing is there");
        let mut file = open(&log).expect("opened");
        file.write_all("before\n".repeat(200_000).as_bytes()).expect("written");
        shorten(&log, &old).expect("shortened");
        file.write_all(b"after\n").expect("written");
        assert_eq!(fs::read_to_string(&log).expect("read"), "after\n");
        assert!(fs::metadata(&old).expect("kept").len() > LONGEST);
        assert_eq!(tail(&log), "after\n");
        assert_eq!(tail(&folder.path().join("none")), "");
    }
}
