//! Who holds the lock of a file, as far as the kernel tells.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{major, minor};

/// `process 123 (longshore)`, or `another process`.
pub(super) fn of(file: &fs::File) -> String {
    match find(file) {
        Some(pid) => match fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => format!("process {pid} ({})", name.trim_end()),
            Err(_) => format!("process {pid}"),
        },
        None => "another process".to_owned(),
    }
}

/// A line of `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 1234 fe:01:262146 0 EOF`.
fn find(file: &fs::File) -> Option<u32> {
    let metadata = file.metadata().ok()?;
    let device = metadata.dev();
    let wanted = format!("{:02x}:{:02x}:{}", major(device), minor(device), metadata.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(4);
        let (pid, place) = (words.next()?, words.next()?);
        // A holder in another pid namespace is shown as 0.
        (place == wanted).then(|| pid.parse().ok()).flatten().filter(|pid| *pid != 0)
    })
}
