//! The one task that writes. What queues up while a commit is under way becomes the next commit: under load many writes share
//! the cost of one, and a lone write waits for nobody.

use std::sync::Arc;

use apimachinery::Status;
use tokio::sync::{mpsc, oneshot};

use super::expiry::{Expiry, Sweep};
use super::shared::Shared;
use super::txn::Txn;
use crate::persist::{CommitError, Persist};
use crate::request::{WriteRequest, Written};
use crate::write::Env;

/// How many writes share a commit at most: bounds the wait of the first.
const BATCH: usize = 512;
/// How many writes wait at most before callers wait to be let in.
const QUEUE: usize = 1024;

/// The way to the writer. Clones lead to the same one; it ends when all are gone.
#[derive(Clone)]
pub(super) struct Queue(mpsc::Sender<Message>);

enum Message {
    Write(Box<WriteRequest>, oneshot::Sender<Reply>),
    Close(oneshot::Sender<()>),
}

type Reply = Result<Written, Status>;

impl Queue {
    /// Starts the writer.
    pub(super) fn start(shared: Arc<Shared>, persist: Box<dyn Persist>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let ctx = shared.ctx.clone();
        let _detached = ctx.spawn("store", run(shared, persist, receiver));
        Self(sender)
    }

    /// Cancel safety: once it is queued it is done, whether or not anybody waits.
    pub(super) async fn write(&self, request: WriteRequest) -> Reply {
        let (answer, answered) = oneshot::channel();
        self.0.send(Message::Write(Box::new(request), answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Message::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

fn closed() -> Status {
    Status::plain(503, Some("ServiceUnavailable"), "the store is shutting down")
}

async fn run(shared: Arc<Shared>, mut persist: Box<dyn Persist>, mut queue: mpsc::Receiver<Message>) {
    let mut messages = Vec::with_capacity(BATCH);
    let mut expiry = Expiry::new(&shared.ctx, &shared.read_state());
    loop {
        let received = tokio::select! { biased;
            () = expiry.due(&shared.ctx) => {
                persist = forget(&shared, persist, &mut expiry).await;
                continue;
            }
            received = queue.recv_many(&mut messages, BATCH) => received,
        };
        if received == 0 {
            return;
        }
        let mut requests = Vec::with_capacity(messages.len());
        let mut closing = None;
        for message in messages.drain(..) {
            match message {
                // What is queued behind a close is dropped with the queue, and so refused.
                Message::Write(request, answer) if closing.is_none() => requests.push((*request, answer)),
                Message::Write(..) => {}
                Message::Close(done) => closing = Some(done),
            }
        }
        persist = batch(&shared, persist, requests).await;
        expiry.notice(&shared.ctx, &shared.read_state());
        if let Some(done) = closing {
            drop((persist, queue));
            let _ = done.send(());
            return;
        }
    }
}

/// Deletes the events that are over.
async fn forget(shared: &Arc<Shared>, mut persist: Box<dyn Persist>, expiry: &mut Expiry) -> Box<dyn Persist> {
    let mut sweep = Sweep::of(&shared.read_state(), shared.ctx.timestamp());
    let mut failed = false;
    if !sweep.changes.is_empty() {
        let result;
        (persist, sweep.changes, result) = commit(shared, persist, sweep.changes).await;
        match result {
            Ok(()) => shared.publish(std::mem::take(&mut sweep.changes)),
            Err(error) => {
                tracing::warn!(events = sweep.changes.len(), "events that are over are still there: {error}");
                failed = true;
            }
        }
    }
    expiry.plan(&shared.ctx, &sweep, failed);
    persist
}

/// Plans writes on top of each other, makes them durable together, publishes and answers. All or nothing is stored.
async fn batch(
    shared: &Arc<Shared>,
    persist: Box<dyn Persist>,
    requests: Vec<(WriteRequest, oneshot::Sender<Reply>)>,
) -> Box<dyn Persist> {
    let mut answers = Vec::with_capacity(requests.len());
    let changes = {
        let state = shared.read_state();
        let mut txn = Txn::of(&state);
        for (request, answer) in requests {
            let reply = txn.write(Env::of(&shared.ctx, &request), request);
            answers.push((answer, reply));
        }
        txn.into_changes()
    };
    if changes.is_empty() {
        reply(answers);
        return persist;
    }
    let (persist, changes, result) = commit(shared, persist, changes).await;
    match result {
        Ok(()) => shared.publish(changes),
        Err(error) => {
            tracing::error!(writes = answers.len(), "nothing was stored: {error}");
            // A write that only failed on top of another that is not stored is answered the same way.
            for (_, reply) in &mut answers {
                *reply = Err(error.status());
            }
        }
    }
    reply(answers);
    persist
}

type Committed = (Box<dyn Persist>, Vec<super::Change>, Result<(), CommitError>);

async fn commit(shared: &Arc<Shared>, mut persist: Box<dyn Persist>, changes: Vec<super::Change>) -> Committed {
    if !persist.blocks() {
        let result = persist.commit(&changes);
        return (persist, changes, result);
    }
    let work = move || {
        let result = persist.commit(&changes);
        (persist, changes, result)
    };
    shared.ctx.blocking(work).await
}

fn reply(answers: Vec<(oneshot::Sender<Reply>, Reply)>) {
    for (answer, reply) in answers {
        // Nobody waits for it any more: done all the same.
        let _ = answer.send(reply);
    }
}
