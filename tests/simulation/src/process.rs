//! The programs, each as a process of its own in the run: its own tasks, its own client, its own memory.

mod attacher;
mod binder;
mod mounter;
mod provisioner;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Backoff, Elector, Events, Leadership, LeaseConfig, Ledger, Metrics};
use csi_types::DriverInfo;
use kube::Client;
use rt::{Ctx, Shutdown};
use sidecar::{Program, Surroundings, parse};

use crate::driver::SimDriver;
use crate::laws::Violation;
use crate::trace::What;
use crate::wire;
use crate::world::{DRIVER, SYSTEM, World};

/// Where a program runs, or ran.
pub(crate) struct Slot {
    pub(crate) ctx: Ctx,
    /// How often it was started.
    started: u64,
    /// Seen dead; it starts again then.
    again: Option<rt::Instant>,
}

/// The deadline of calls to the driver.
const CALL: Duration = Duration::from_secs(10);

/// What the programs would be told on their command lines, parsed once.
static PROVISIONER: LazyLock<external_provisioner::flags::ControllerConfig> = LazyLock::new(|| {
    type Flags = external_provisioner::flags::Flags;
    let argv = ["external-provisioner", "--retry-interval-max=30s", "--worker-threads=10", "--extra-create-metadata"];
    let flags = parse::<Flags>(Flags::DIALECT, argv.map(Into::into).to_vec()).expect("flags");
    flags.config(&mut Vec::new()).expect("flags that mean something").controller
});
static ATTACHER: LazyLock<external_attacher::Settings> = LazyLock::new(|| {
    type Flags = external_attacher::Flags;
    let argv = ["external-attacher", "--retry-interval-max=30s"];
    let flags = parse::<Flags>(Flags::DIALECT, argv.map(Into::into).to_vec()).expect("flags");
    flags.config(&mut Vec::new()).expect("flags that mean something").settings
});

/// Starts everything there is.
pub(crate) fn start_all(world: &World) {
    let shape = world.plan().shape;
    for replica in ["a", "b"].iter().take(usize::from(shape.replicas.max(1))) {
        start(world, &format!("provisioner-{replica}"));
        start(world, &format!("attacher-{replica}"));
    }
    start(world, "binder");
    start(world, "mounter");
}

/// Starts a program, which remembers nothing.
pub(crate) fn start(world: &World, name: &str) {
    let who: Arc<str> = name.into();
    let started = world.slots().get(&who).map_or(0, |slot| slot.started) + 1;
    let ctx = world.ctx().another(&format!("{name}#{started}"), world.machine().disk);
    world.slots().insert(who.clone(), Slot { ctx: ctx.clone(), started, again: None });
    // One that goes round without ever waiting would never let the clock go on.
    ctx.kill_at_poll(TURNS);
    world.note(&who, What::Started);
    let place = Start { world: world.clone(), who: who.clone(), ctx: ctx.clone() };
    ctx.spawn(name, async move {
        match program(&place.who) {
            "provisioner" => provisioner::run(&place).await,
            "attacher" => attacher::run(&place).await,
            "binder" => binder::run(&place).await,
            _ => mounter::run(&place).await,
        }
        // A program that gives up is started again, like one that was killed.
        place.world.tell(&place.who, What::Killed("it ends by itself"));
        place.ctx.kill();
    });
}

/// Replicas are one program.
pub(crate) fn program(who: &str) -> &str {
    who.split('-').next().unwrap_or(who)
}

/// More turns of its tasks than any process takes in a run.
const TURNS: u64 = 2_000_000;

/// Starts dead programs again, each after a while of its own, for as long as the run lasts.
pub(crate) async fn supervise(world: World) {
    loop {
        world.ctx().sleep(Duration::from_millis(250)).await;
        let now = world.ctx().now();
        let (mut due, mut seen_dead, mut endless) = (Vec::new(), Vec::new(), None);
        for (who, slot) in world.slots().iter_mut().filter(|(_, slot)| slot.ctx.is_dead()) {
            let pause = world.ctx().draw(&format!("restart {who}")) % 6_000;
            if slot.again.is_none() {
                seen_dead.push(who.clone());
                endless = endless.or((slot.ctx.polls() >= TURNS).then(|| who.clone()));
            }
            let again = *slot.again.get_or_insert(now + Duration::from_millis(pause));
            if again <= now {
                due.push(who.clone());
            }
        }
        if let Some(who) = endless {
            world.broke(Violation { law: "finite", what: format!("{who} has taken {TURNS} turns") });
        }
        seen_dead.iter().for_each(|who| world.note(who, What::Dead));
        due.iter().for_each(|who| start(&world, who));
    }
}

/// The first panic of any process.
pub(crate) fn panicked(world: &World) -> Option<String> {
    world.slots().iter().find_map(|(who, slot)| Some(format!("{who}: {}", slot.ctx.panicked()?)))
}

/// What a program finds when it starts.
pub(crate) struct Start {
    world: World,
    who: Arc<str>,
    ctx: Ctx,
}

impl Start {
    fn client(&self) -> Client {
        wire::client(&self.world, &self.who, &self.ctx)
    }

    fn driver(&self, on_node: bool) -> Arc<SimDriver> {
        Arc::new(self.world.plugin(on_node).connect(&self.who, &self.ctx, CALL))
    }

    fn engine(&self, leadership: Leadership, metrics: &Metrics, shutdown: &Shutdown, backoff: Backoff, workers: usize) -> Engine {
        Engine {
            ctx: self.ctx.clone(),
            leadership,
            ledger: Ledger::new(),
            metrics: metrics.clone(),
            workers,
            backoff,
            shutdown: shutdown.clone(),
            queue: String::new(),
        }
    }

    /// With two replicas they compete; alone there is nobody to ask.
    fn elect(&self, lease: String, events: &Events, metrics: &Metrics, shutdown: &Shutdown) -> Leadership {
        if self.world.plan().shape.replicas < 2 {
            return Leadership::always(&self.ctx);
        }
        let config = LeaseConfig {
            namespace: SYSTEM.to_owned(),
            name: lease,
            identity: self.who.to_string(),
            labels: Default::default(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(5),
        };
        let elector = Elector::new(&self.ctx, self.client(), config, events.clone(), metrics);
        let leadership = elector.leadership();
        self.ctx.spawn("elector", elector.run(shutdown.clone()));
        leadership
    }

    /// What a sidecar's process does before its controller runs.
    async fn sidecar(&self, lease: String, backoff: Backoff, workers: usize) -> (Surroundings, Metrics) {
        let (client, metrics, shutdown) = (self.client(), Metrics::new(), Shutdown::new());
        let driver = self.driver(false);
        let info: DriverInfo = loop {
            match csi_client::driver_info(&*driver).await {
                Ok(info) => break info,
                Err(_) => self.ctx.sleep(Duration::from_secs(1)).await,
            }
        };
        let events = Events::new(&self.ctx, client.clone(), DRIVER, &*self.who, &metrics);
        let leadership = self.elect(lease, &events, &metrics, &shutdown);
        let engine = self.engine(leadership, &metrics, &shutdown, backoff, workers);
        (Surroundings { client, events, driver, info, engine, namespace: SYSTEM.to_owned() }, metrics)
    }
}
