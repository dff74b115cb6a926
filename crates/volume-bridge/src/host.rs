//! What this host knows of mounts and boots. The edge, as a trait.

use std::io;

use mountinfo::MountTable;

/// The kernel. Calls block shortly.
pub trait Host: Send + Sync + 'static {
    /// All mounts of this namespace.
    ///
    /// # Errors
    /// The kernel's.
    fn mounts(&self) -> io::Result<MountTable>;

    /// Differs from boot to boot, and is the same in between.
    ///
    /// # Errors
    /// The kernel's.
    fn boot(&self) -> io::Result<String>;
}

/// The host we run on.
#[derive(Debug, Clone, Copy)]
pub struct LinuxHost;

impl Host for LinuxHost {
    fn mounts(&self) -> io::Result<MountTable> {
        Ok(MountTable::parse(&std::fs::read("/proc/self/mountinfo")?))
    }

    fn boot(&self) -> io::Result<String> {
        Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
    }
}
