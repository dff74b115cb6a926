//! Without root: the same program again, in a user and mount namespace of its own, where it may mount directories.
#![expect(clippy::disallowed_methods, reason = "it becomes another process before anything of the engine runs")]

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set in the namespace, so that the program does not go in twice.
const INSIDE: &str = "LONGSHORE_ROOTLESS";

/// Whether this process may mount.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process is in a namespace that [`enter`] made.
pub(crate) fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Becomes `argv` (without its program) in a new user and mount namespace. Returns only if that cannot be done.
pub(crate) fn enter(argv: &[OsString]) -> String {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return format!("cannot find this program's own file: {error}"),
    };
    // util-linux is essential on every distribution; its unshare writes the maps of user and group, too.
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--"]).arg(program).args(argv).env(INSIDE, "1");
    let error = command.exec();
    format!("cannot start unshare, which makes the user and mount namespace: {error}")
}
