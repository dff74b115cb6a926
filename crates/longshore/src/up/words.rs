//! What `longshore up` says on the terminal. The log is elsewhere.

use std::io::Write;
use std::time::Duration;

use super::flags::Config;
use super::host::Host;
use super::medium::Medium;

pub(crate) const NEEDS_ROOT: &str = "longshore up mounts volumes and makes loop devices, which needs root: run it with sudo, or with \
    --rootless to serve directories in a user and mount namespace of its own";

/// A closed pipe is no reason to stop serving.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// The same, for what is wrong.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What to type next.
pub(crate) fn ready(config: &Config, host: &Host, after: Duration) {
    let kubeconfig = config.data.kubeconfig();
    if let Medium::Directory(why) = config.medium {
        say(&format!("Volumes of the default class are directories {why}.\n"));
    }
    say(&format!(
        "longshore is ready after {} ms: https://{}\n\n  export KUBECONFIG={}\n  kubectl get storageclasses\n\n\
         The log is {}; stop with Ctrl-C, and volumes stay as they are.\n",
        after.as_millis(),
        host.address,
        kubeconfig.display(),
        config.data.log().display(),
    ));
}

/// What is about to be shown, and by what.
pub(crate) fn demo_begins(config: &Config, after: Duration) {
    let how = match config.medium {
        Medium::Directory(why) => format!("directories {why}"),
        Medium::Loop => "files as loop devices with ext4".to_owned(),
    };
    say(&format!(
        "A Kubernetes API, binder, provisioner, attacher, mounter and CSI driver are ready after {} ms, in one process.\n\
         Volumes are {how}; everything is below {}.\n",
        after.as_millis(),
        config.data.path().display()
    ));
}
