//! The life of one part, as a task: look, plan, act, until it is forgotten or we are.

mod act;

use std::time::Duration;

use csi_client::{Address, Client, ConnectOptions};
use csi_types::Next;
use host::process::Life as Process;
use rt::Instant;
use tokio::sync::oneshot;

use super::files::Files;
use super::plan::{Action, Health, Life, View, Why, plan};
use super::process::{self, Ended};
use super::record::{Record, Run, Start};
use super::state::Facts;
use super::{Host, fingerprint, nothing};
use crate::plugin::{How, PluginId};

/// One part.
struct Part {
    host: Host,
    id: PluginId,
    index: usize,
    files: Files,
    record: Record,
    running: Option<Running>,
    health: Health,
    /// Since when it is ready.
    ready_since: Option<Instant>,
    /// It has been ready since it was started.
    met: bool,
    /// What the last failing Probe said.
    last: String,
    failures: u32,
    not_before: Instant,
    client: Option<(std::path::PathBuf, Client)>,
}

/// What we started.
struct Running {
    handle: Handle,
    start: Start,
    /// In words, once it has ended.
    ended: oneshot::Receiver<String>,
    asked: Option<(Instant, super::plan::End)>,
}

enum Handle {
    Process(Process),
    Container(String),
}

/// Who drains is looked at this often: nobody tells us that the last volume has gone.
const DRAIN: Duration = Duration::from_secs(1);
/// Between looks at what cannot be mended here.
const PATIENT: Duration = Duration::from_secs(10);

/// Until it is forgotten, or the shutdown. What runs goes on after that.
pub(super) async fn live(host: Host, id: PluginId, index: usize, record: Option<Record>) {
    let now = host.0.ctx.now();
    let files = Files::of(&host.0.config.dir, &id, index);
    let Some(facts) = host.state().facts(&id, index) else { return };
    let record = record.unwrap_or_else(|| {
        let run = facts.how.as_ref().map_or(Run::Nothing, nothing);
        Record::new(&id, index, facts.services.clone(), facts.socket.clone(), run)
    });
    let mut part = Part {
        files,
        record,
        running: None,
        health: Health { unready_since: Some(now), probe_at: now },
        ready_since: None,
        met: false,
        last: "it was not asked yet".to_owned(),
        failures: 0,
        not_before: now,
        client: None,
        host,
        id,
        index,
    };
    part.find().await;
    loop {
        if part.host.0.shutdown.is_requested() {
            return;
        }
        let Some(facts) = part.facts() else { return };
        match plan(&part.view(&facts)) {
            Next::Do(Action::Forget) => {
                if part.forget().await {
                    return;
                }
            }
            Next::Do(action) => part.act(action, &facts).await,
            Next::Rest(why) => part.rest(why, &facts).await,
            Next::Refuse(problem) => {
                part.trouble(problem.to_string());
                part.wait(part.now() + PATIENT, &facts).await;
            }
        }
    }
}

impl Part {
    fn now(&self) -> Instant {
        self.host.0.ctx.now()
    }

    fn facts(&self) -> Option<Facts> {
        self.host.state().facts(&self.id, self.index)
    }

    fn view(&self, facts: &Facts) -> View {
        let life = match (&self.running, &facts.how, &self.record.run) {
            (Some(running), how, _) => Life::Ours {
                health: self.health,
                same: how.as_ref().is_none_or(|how| self.start(how, facts) == running.start),
                asked: running.asked.map(|(at, _)| at),
            },
            (None, Some(How::Endpoint(_)), _) | (None, None, Run::Theirs) => Life::Theirs(self.health),
            (None, ..) => Life::None,
        };
        View {
            now: self.now(),
            wanted: facts.wanted,
            in_use: !facts.settled || self.host.in_use(facts.driver.as_ref()),
            startable: facts.how.is_some(),
            life,
            health_timeout: facts.health_timeout,
            not_before: self.not_before,
        }
    }

    fn start(&self, how: &How, facts: &Facts) -> Start {
        let Host(inner) = &self.host;
        let fingerprint = fingerprint::fingerprint(how, &facts.targets, &self.files, &inner.config.node, &self.host.daemon());
        Start { fingerprint, container: matches!(how, How::Docker(_)) }
    }

    /// What an earlier life of ours started.
    async fn find(&mut self) {
        let found = match self.record.run.clone() {
            Run::Theirs | Run::Nothing => None,
            Run::Process(start, life) => match life.is_alive() {
                Ok(true) => Some(Running {
                    ended: self.watch(process::ended(life.clone())),
                    handle: Handle::Process(life),
                    start,
                    asked: None,
                }),
                Ok(false) => None,
                Err(error) => return self.trouble(format!("cannot look for its process: {error}")),
            },
            Run::Begun(start) if !start.container => match process::find(&self.files) {
                Ok(life) => life.map(|life| Running {
                    ended: self.watch(process::ended(life.clone())),
                    handle: Handle::Process(life),
                    start,
                    asked: None,
                }),
                Err(error) => return self.trouble(format!("cannot look for its process: {error}")),
            },
            Run::Begun(_) | Run::Container(..) => self.find_container().await,
        };
        if let Some(found) = found {
            tracing::info!(plugin = %self.id, "it still runs from an earlier start");
            self.running = Some(found);
        }
    }

    /// Awaits an end beside the task's own waiting.
    fn watch(&self, ended: Ended) -> oneshot::Receiver<String> {
        let (tell, told) = oneshot::channel();
        self.host.0.ctx.spawn("plugin-end", async move {
            let _ = tell.send(ended.await);
        });
        told
    }

    async fn find_container(&mut self) -> Option<Running> {
        let daemon = self.host.daemon();
        match daemon.find(&self.files).await {
            Ok(found) => found.map(|(name, fingerprint)| Running {
                ended: self.watch(daemon.ended(name.clone())),
                handle: Handle::Container(name),
                start: Start { fingerprint, container: true },
                asked: None,
            }),
            Err(error) => {
                self.trouble(error.told());
                None
            }
        }
    }

    async fn rest(&mut self, why: Why, facts: &Facts) {
        if let Why::Awaits(_) = why {
            self.awaits(facts);
        }
        let due = why.due();
        let due = if facts.wanted { due } else { due.min(self.now() + DRAIN) };
        self.wait(due, facts).await;
    }

    /// Until then, or until something happens.
    async fn wait(&mut self, until: Instant, facts: &Facts) {
        let Host(inner) = &self.host;
        let (ctx, shutdown) = (inner.ctx.clone(), inner.shutdown.clone());
        let ended = async {
            match &mut self.running {
                Some(running) => (&mut running.ended).await.unwrap_or_else(|_| "it ended".to_owned()),
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            () = shutdown.requested() => return,
            how = ended => how,
            () = facts.wake.notified() => return,
            () = ctx.sleep_until(until) => return,
        };
        self.ended(&ended, facts).await;
    }

    /// A client for where it listens now.
    fn client(&mut self, facts: &Facts) -> Client {
        match &self.client {
            Some((socket, client)) if *socket == facts.socket => client.clone(),
            _ => {
                if self.client.is_some() {
                    // Somebody else, who has to say who it is.
                    self.health.unready_since = Some(self.now());
                    self.ready_since = None;
                }
                let Host(inner) = &self.host;
                let address = Address::Unix(facts.socket.clone());
                let options = ConnectOptions { address, timeout: act::PROBE, metrics: inner.calls.clone() };
                let client = Client::lazy(&inner.ctx, options);
                self.client = Some((facts.socket.clone(), client.clone()));
                client
            }
        }
    }

    /// Notes what is wrong; says it when it is news.
    fn trouble(&self, trouble: String) {
        if self.host.state().trouble(&self.id, self.index, &trouble) {
            tracing::warn!(plugin = %self.id, part = self.index, "{trouble}");
        }
        self.host.0.changed.notify_waiters();
    }

    /// What it waits for is not wrong yet; what was wrong is told until it is ready.
    fn awaits(&self, facts: &Facts) {
        let late = self.health.unready_since.is_some_and(|since| self.now().since(since) >= facts.health_timeout);
        if self.failures == 0 && !late {
            let waits = format!("it is not ready yet: {}", self.last);
            self.host.state().trouble(&self.id, self.index, &waits);
        }
    }
}
