//! A watch: one JSON object per line, until its time is over, the client is gone, or it must start anew.

use std::sync::Arc;

use api_kinds::Resource;
use apimachinery::Status;
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use rt::Ctx;

use super::accept::View;
use super::encode;
use super::views::{Include, Shower};
use crate::{Event, EventType, WatchStream};

/// So many events are sent at once when they are all there already.
const BATCH: usize = 256;

/// What a watch needs to write its lines.
pub(super) struct Lines {
    pub(super) ctx: Ctx,
    pub(super) resource: Arc<Resource>,
    pub(super) view: View,
    pub(super) include: Include,
    /// The version that was asked for.
    pub(super) since: u64,
    pub(super) sent: bool,
}

impl Lines {
    fn line(&mut self, event: &Event) -> Bytes {
        let first = !std::mem::replace(&mut self.sent, true);
        let shower =
            Shower { resource: &self.resource, view: self.view.clone(), include: self.include, now: self.ctx.timestamp() };
        let object = || event.object.as_ref().map(|object| shower.event(object, first)).unwrap_or_default();
        let (kind, object) = match event.kind {
            EventType::Added => ("ADDED", object()),
            EventType::Modified => ("MODIFIED", object()),
            EventType::Deleted => ("DELETED", object()),
            EventType::Bookmark { initial_end } => ("BOOKMARK", shower.bookmark(event.version, initial_end, first)),
            EventType::Expired => {
                let message = format!("too old resource version: {} ({})", self.since, event.version);
                ("ERROR", encode::status(&Status::expired(message)))
            }
        };
        let mut line = BytesMut::with_capacity(object.len() + 32);
        line.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
        line.extend_from_slice(&object);
        line.put_slice(b"}\n");
        line.freeze()
    }
}

/// The lines of a watch. Nothing is read ahead of the client, but what is there already is sent together.
pub(super) fn lines(watch: WatchStream, lines: Lines) -> impl Stream<Item = Bytes> + Send {
    let each = futures::stream::unfold((watch, lines), |(mut watch, mut lines)| async move {
        let event = watch.next().await?;
        let line = lines.line(&event);
        Some((line, (watch, lines)))
    });
    // A list in the plural is no shape of an event: upstream sends nothing and ends.
    each.ready_chunks(BATCH).map(|mut batch| {
        if batch.len() == 1 {
            return batch.pop().unwrap_or_default();
        }
        let mut joined = BytesMut::with_capacity(batch.iter().map(Bytes::len).sum());
        batch.iter().for_each(|line| joined.extend_from_slice(line));
        joined.freeze()
    })
}
