//! The host: its mounts, loop devices, filesystems and programs. Nothing here knows CSI.

pub(crate) mod content;
pub(crate) mod copy;
pub(crate) mod filesystem;
pub(crate) mod loop_device;
pub(crate) mod mount;
pub(crate) mod mountinfo;
pub(crate) mod options;
pub(crate) mod program;
