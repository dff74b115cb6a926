//! What a Node says about the machine: read once, at the edge.

use std::fs;

/// This machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are those of nodeInfo and capacity")]
pub struct Host {
    pub hostname: String,
    pub cpus: usize,
    pub memory_kib: u64,
    pub kernel: String,
    pub os_image: String,
    pub machine_id: String,
    pub boot_id: String,
    pub addresses: Vec<(String, String)>,
}

impl Host {
    /// Whatever cannot be read stays empty: none of it decides anything here.
    pub fn read() -> Self {
        let uname = rustix::system::uname();
        let hostname = uname.nodename().to_string_lossy().into_owned();
        Self {
            cpus: std::thread::available_parallelism().map(usize::from).unwrap_or(1),
            memory_kib: memory_kib(&text("/proc/meminfo")),
            kernel: uname.release().to_string_lossy().into_owned(),
            os_image: pretty_name(&text("/etc/os-release")),
            machine_id: text("/etc/machine-id").trim().to_owned(),
            boot_id: text("/proc/sys/kernel/random/boot_id").trim().to_owned(),
            addresses: vec![("Hostname".to_owned(), hostname.clone())],
            hostname,
        }
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// `MemTotal:       16303916 kB`
fn memory_kib(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`
fn pretty_name(os_release: &str) -> String {
    let line = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    line.unwrap_or("Linux").trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_debian_machine_are_understood() {
        assert_eq!(memory_kib("MemFree: 1 kB\nMemTotal:       16303916 kB\n"), 16_303_916);
        assert_eq!(memory_kib(""), 0);
        assert_eq!(pretty_name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"), "Debian GNU/Linux 12 (bookworm)");
    }
}
