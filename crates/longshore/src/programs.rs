//! The programs that are inside this one and run by their own names: several images hold this one file, and a node keeps it once.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// A program, given its command line with its name first.
pub(crate) type Main = fn(Vec<OsString>) -> ExitCode;

/// What `argv[0]` calls, ours or upstream's name, wherever the file is; `None`: this is `longshore`.
pub(crate) fn by_name(argv0: &OsStr) -> Option<Main> {
    match Path::new(argv0).file_name()?.to_str()? {
        "external-provisioner" | "csi-provisioner" => Some(external_provisioner::main),
        "external-attacher" | "csi-attacher" => Some(external_attacher::main),
        "node-mounter" => Some(node_mounter::main),
        "local-driver" => Some(local_driver::main),
        csc::NAME => Some(csc::main),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_answers_to_its_own_name_and_to_upstreams() {
        for name in [
            "/csi-provisioner",
            "external-provisioner",
            "./csi-attacher",
            "/external-attacher",
            "node-mounter",
            "/local-driver",
            "csc",
        ] {
            assert!(by_name(OsStr::new(name)).is_some(), "{name}");
        }
        for name in ["longshore", "/usr/bin/longshore", "/proc/self/exe", "", "/", "csi-provisioner/x"] {
            assert!(by_name(OsStr::new(name)).is_none(), "{name}");
        }
    }
}
