//! One bridge per state directory: two would undo each other's mounts. The edge.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rt::Ctx;
use rustix::fs::{FlockOperation, flock};

/// Held as long as this lives; the kernel lets go of it whatever way the process ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "only its being open matters")] File);

/// A process that was just killed may take a moment to be gone.
const PATIENCE: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock on this file, in a folder that exists.
pub(crate) async fn take(ctx: &Ctx, path: &Path) -> io::Result<Lock> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    for attempt in 1.. {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < PATIENCE => ctx.sleep(PAUSE).await,
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let what = "another longshore serve works in it; stop that first, or choose another --state-dir";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, what));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Lock(file))
}
