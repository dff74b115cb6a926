//! What a volume or a pod may have left on the host.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Context;
use node_mounter::mountinfo::MountTable;

use crate::up::flags::Data;

/// Each thing that is there and should not be, in a few words.
pub(super) fn of(data: &Data) -> anyhow::Result<Vec<String>> {
    let mut left = Vec::new();
    let table = fs::read("/proc/self/mountinfo").context("cannot read the mount table")?;
    let root = data.kubelet();
    for mount in MountTable::parse(&table).0 {
        // The root itself may be bound onto itself, to be shared with drivers.
        if mount.target.starts_with(data.path()) && mount.target != root {
            left.push(format!("a mount at {}", mount.target.display()));
        }
    }
    for (folder, what) in [
        (data.volumes().join("volumes"), "a volume"),
        (root.join("pods"), "a folder of a pod"),
        (data.pods(), "a folder of a pod's containers"),
    ] {
        left.extend(entries(&folder)?.into_iter().map(|name| format!("{what} {name} in {}", folder.display())));
    }
    left.extend(loop_devices(data.path())?.into_iter().map(|file| format!("a loop device of {file}")));
    Ok(left)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", folder.display())),
        Ok(entries) => Ok(entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()),
    }
}

/// Backing files of loop devices below this directory.
fn loop_devices(data: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for device in entries(Path::new("/sys/block"))?.iter().filter(|name| name.starts_with("loop")) {
        let Ok(file) = fs::read(format!("/sys/block/{device}/loop/backing_file")) else { continue };
        if file.starts_with(data.as_os_str().as_bytes()) {
            files.push(String::from_utf8_lossy(&file).trim_end().to_owned());
        }
    }
    Ok(files)
}
