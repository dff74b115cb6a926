//! The things that can be done to a part. Repeating each is harmless.

use std::time::Duration;

use csi_client::Driver;
use csi_types::{DriverName, Secret};
use rustix::process::Signal;

use super::{Handle, Part, Running};
use crate::plugin::How;
use crate::supervise::error::Error;
use crate::supervise::plan::{Action, End, Health, STABLE, backoff};
use crate::supervise::process;
use crate::supervise::record::Run;
use crate::supervise::state::Facts;
use crate::supervise::{Host, cgroup, output};

/// The deadline of one call. Upstream: Nomad's.
pub(super) const PROBE: Duration = Duration::from_secs(5);
/// Between calls to who is not ready.
const SOON: Duration = Duration::from_millis(200);
/// Between calls to who has not been ready for a while, and belongs to somebody else.
const LATER: Duration = Duration::from_secs(2);
/// Between calls to who is.
const READY: Duration = Duration::from_secs(10);

impl Part {
    pub(super) async fn act(&mut self, action: Action, facts: &Facts) {
        match action {
            Action::Start => self.begin(facts).await,
            Action::Probe => self.probe(facts).await,
            Action::Terminate(end) => self.terminate(end, facts).await,
            Action::Kill => self.kill(facts).await,
            // Its task does that, and ends.
            Action::Forget => {}
        }
    }

    async fn begin(&mut self, facts: &Facts) {
        let Some(how) = facts.how.clone() else { return };
        let start = self.start(&how, facts);
        self.record.run = Run::Begun(start.clone());
        let started = match self.save(facts).await {
            Ok(()) => self.run(&how, &start.fingerprint, facts).await,
            Err(error) => Err(error),
        };
        let (handle, ended) = match started {
            Ok(started) => started,
            Err(error) => return self.failed(error.told()),
        };
        self.record.run = match &handle {
            Handle::Process(life) => Run::Process(start.clone(), life.clone()),
            Handle::Container(name) => Run::Container(start.clone(), name.clone()),
        };
        let ended = self.watch(ended);
        self.running = Some(Running { handle, start, ended, asked: None });
        if let Err(error) = self.save(facts).await {
            // Found by its environment, then.
            tracing::warn!(plugin = %self.id, "{}", error.told());
        }
        let now = self.now();
        self.health = Health { unready_since: Some(now), probe_at: now };
        (self.met, self.ready_since, self.last) = (false, None, "it has not answered yet".to_owned());
        tracing::info!(plugin = %self.id, part = self.index, "started");
    }

    async fn run(&self, how: &How, fingerprint: &str, facts: &Facts) -> Result<(Handle, process::Ended), Error> {
        let Host(inner) = &self.host;
        let short = output::shorten(&self.files.log, &self.files.old_log);
        short.map_err(Error::host(format!("shorten {}", self.files.log.display())))?;
        // Of an earlier life; whoever binds it anew must not be refused.
        let removed = inner.ctx.disk().remove(&self.files.socket).await;
        removed.map_err(Error::host(format!("remove {}", self.files.socket.display())))?;
        match how {
            How::Endpoint(_) => Err(Error::host("start what somebody else runs")(std::io::ErrorKind::Unsupported.into())),
            How::Process(process) => {
                let (life, ended) = process::start(process, &self.files, &inner.config.node, &inner.config.cgroups)?;
                Ok((Handle::Process(life), ended))
            }
            How::Docker(docker) => {
                let (daemon, node) = (self.host.daemon(), &inner.config.node);
                let described = (&self.id, fingerprint);
                let (name, ended) = daemon.start(docker, described, &facts.targets, &self.files, node).await?;
                Ok((Handle::Container(name), ended))
            }
        }
    }

    /// Asks whether it is ready; of who is for the first time since its start, who it is.
    async fn probe(&mut self, facts: &Facts) {
        let client = self.client(facts);
        let answer = match facts.socket.exists() {
            true => ask(&client, self.ready_since.is_none()).await,
            false => Err(format!("there is no socket {}", facts.socket.display())),
        };
        let now = self.now();
        match answer {
            Ok(name) => {
                if let Some(name) = name {
                    self.ready(&name, facts).await;
                }
                self.ready_since.get_or_insert(now);
                self.met = true;
                if self.health.unready_since.is_some() {
                    tracing::info!(plugin = %self.id, part = self.index, "it is ready");
                }
                self.health = Health { unready_since: None, probe_at: now + READY };
                if let Err(error) = output::shorten(&self.files.log, &self.files.old_log) {
                    tracing::warn!(log = %self.files.log.display(), "cannot shorten it: {error}");
                }
            }
            Err(why) => {
                if self.health.unready_since.is_none() {
                    tracing::warn!(plugin = %self.id, part = self.index, "it is no longer ready: {why}");
                    self.steadied(now);
                }
                self.last = why;
                let since = self.health.unready_since.unwrap_or(now);
                let late = now.since(since) >= facts.health_timeout;
                if late && self.running.is_none() {
                    let timeout = facts.health_timeout.as_secs();
                    self.trouble(format!(
                        "nobody has been ready on {} for {timeout} s: {}; start the plugin, or mend the endpoint in its file",
                        facts.socket.display(),
                        self.last
                    ));
                }
                let pause = if late { LATER } else { SOON };
                self.health = Health { unready_since: Some(since), probe_at: now + pause };
            }
        }
    }

    async fn ready(&mut self, name: &DriverName, facts: &Facts) {
        self.host.state().met(&self.id, self.index, name, &facts.socket);
        if self.record.driver.as_ref() != Some(name)
            || self.record.socket != facts.socket
            || self.record.services != facts.services
        {
            self.record.driver = Some(name.clone());
            if let Err(error) = self.save(facts).await {
                tracing::warn!(plugin = %self.id, "{}", error.told());
            }
        }
        self.host.tell();
        if let Some(trouble) = self.host.state().troubles().into_iter().find(|trouble| trouble.id == self.id) {
            tracing::warn!(plugin = %self.id, "{}", trouble.reason);
        }
    }

    async fn terminate(&mut self, end: End, facts: &Facts) {
        match end {
            End::Unwanted => tracing::info!(plugin = %self.id, "nobody asks for it and no volume needs it: it is asked to end"),
            End::Changed => tracing::info!(plugin = %self.id, "its description has changed: it is started again"),
            End::Unready => {
                let told = self.told(facts).await;
                let timeout = facts.health_timeout.as_secs();
                let what = if self.met { "it has not been ready" } else { "it did not become ready" };
                self.trouble(format!("{what} for its health timeout of {timeout} s; the last Probe: {}; {told}", self.last));
            }
        }
        let now = self.now();
        if let Some(running) = &mut self.running {
            running.asked = Some((now, end));
        }
        self.signal(Signal::TERM).await;
    }

    async fn kill(&mut self, facts: &Facts) {
        self.signal(Signal::KILL).await;
        // What cannot be killed is in the kernel's hands; the next look is a while later.
        let until = self.now() + super::PATIENT;
        self.wait(until, facts).await;
    }

    async fn signal(&self, signal: Signal) {
        let sent = match self.running.as_ref().map(|running| &running.handle) {
            Some(Handle::Process(life)) => process::signal(life, signal),
            Some(Handle::Container(name)) => {
                let word = if signal == Signal::KILL { "--signal=KILL" } else { "--signal=TERM" };
                self.host.daemon().signal(name, word).await
            }
            None => Ok(()),
        };
        if let Err(error) = sent {
            tracing::warn!(plugin = %self.id, "{}", error.told());
        }
    }

    /// It has ended, by itself or because it was asked to.
    pub(super) async fn ended(&mut self, how: &str, facts: &Facts) {
        let told = self.told(facts).await;
        let Some(Running { handle, asked, .. }) = self.running.take() else { return };
        match &handle {
            Handle::Process(life) => {
                process::sweep(life);
                if let Err(error) = cgroup::remove(&self.host.0.config.cgroups, &self.files.name) {
                    tracing::debug!(plugin = %self.id, "its control group stays: {error}");
                }
            }
            Handle::Container(name) => self.host.daemon().remove(name).await,
        }
        self.record.run = Run::Nothing;
        if let Err(error) = self.save(facts).await {
            tracing::warn!(plugin = %self.id, "{}", error.told());
        }
        let now = self.now();
        self.steadied(now);
        match asked.map(|(_, end)| end) {
            Some(End::Unwanted | End::Changed) => {
                (self.failures, self.not_before) = (0, now);
                tracing::info!(plugin = %self.id, "{how}");
            }
            // Why is told already.
            Some(End::Unready) => self.count(),
            None => self.failed(format!("{how}; {told}")),
        }
    }

    /// It is ready no longer. Who was for long is not failing in a loop, and has to say again who it is.
    fn steadied(&mut self, now: rt::Instant) {
        if self.ready_since.take().is_some_and(|since| now.since(since) >= STABLE) {
            self.failures = 0;
        }
    }

    fn failed(&mut self, why: String) {
        self.count();
        let wait = (self.not_before - self.now()).as_secs_f64();
        self.trouble(why);
        tracing::info!(plugin = %self.id, failures = self.failures, "it is started again in {wait:.1} s");
    }

    fn count(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let fraction = self.host.0.ctx.fraction("plugin-backoff");
        self.not_before = self.now() + backoff(self.failures, fraction);
    }

    /// Clears away what is left. `false`: somebody asks for it again.
    pub(super) async fn forget(&mut self) -> bool {
        let disk = self.host.0.ctx.disk();
        // Before the state forgets it: who asks for it after that begins anew, in the same places.
        let files = [&self.files.record, &self.files.socket, &self.files.log, &self.files.old_log];
        for file in files {
            if let Err(error) = disk.remove(file).await {
                tracing::warn!(plugin = %self.id, "cannot remove {}: {error}", file.display());
            }
        }
        for folder in [&self.files.folder, &self.files.stage] {
            if let Err(error) = disk.remove_dir(folder).await {
                tracing::info!(plugin = %self.id, "{} stays, because the plugin left something there: {error}", folder.display());
            }
        }
        let forgotten = self.host.state().forget(&self.id, self.index);
        if forgotten {
            self.host.tell();
        }
        forgotten
    }

    async fn save(&mut self, facts: &Facts) -> Result<(), Error> {
        (self.record.socket, self.record.services) = (facts.socket.clone(), facts.services.clone());
        let file = &self.files.record;
        let written = self.record.write(&self.host.0.ctx, file).await;
        written.map_err(Error::host(format!("write {}", file.display())))
    }

    /// The last lines of its output, without its secrets.
    async fn told(&self, facts: &Facts) -> String {
        let tail = match self.running.as_ref().map(|running| &running.handle) {
            Some(Handle::Container(name)) => self.host.daemon().tail(name).await,
            Some(Handle::Process(_)) | None => output::tail(&self.files.log),
        };
        let none = Secret::none();
        let secret = match &facts.how {
            Some(How::Process(process)) => &process.environment.secret,
            Some(How::Docker(docker)) => &docker.environment.secret,
            Some(How::Endpoint(_)) | None => &none,
        };
        output::told(&tail, secret.expose().values())
    }
}

/// `Ok(None)`: it is ready, and was not asked who it is.
async fn ask(client: &csi_client::Client, who: bool) -> Result<Option<DriverName>, String> {
    match client.probe().await {
        Ok(true) => {}
        Ok(false) => return Err("it says that it is not ready".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    if !who {
        return Ok(None);
    }
    csi_client::driver_name(client).await.map(Some).map_err(|error| error.to_string())
}
