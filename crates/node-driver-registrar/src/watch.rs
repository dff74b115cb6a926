//! Notices when names go from a directory.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// A watch on a directory.
pub(crate) struct Watch {
    events: Receiver,
}

impl Watch {
    /// Watches for names that go, the directory's own included.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let what = WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        inotify::add_watch(&fd, directory, what)?;
        // Not a pipe, but read like one: when events are there.
        Ok(Self { events: Receiver::from_file_unchecked(File::from(fd))? })
    }

    /// Waits until any name has gone; the caller looks whether it is its own. Cancel safe.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        // Which name it was does not matter, so events are only taken away. One with the longest name fits.
        let mut events = [0; 4096];
        match self.events.read(&mut events).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
