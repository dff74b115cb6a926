#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use rt::disk::MemoryDisk;

use super::*;

/// A controller over a number that wants to be 3; the driver behind it fails as told.
struct Count {
    /// Woken by each step that works, as by the store that takes in what was written.
    echo: Mutex<Option<Arc<Keys<&'static str>>>>,
    value: Mutex<u32>,
    /// Nothing is to be done for these.
    gone: Mutex<Vec<&'static str>>,
    /// The one step from this value fails so, once.
    fail_at: Mutex<Option<(u32, Oops)>>,
    fail: Mutex<Vec<Oops>>,
    passes: Mutex<Vec<String>>,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("oops")]
struct Oops {
    requeue: Requeue,
    unreachable: bool,
}

impl ActError for Oops {
    fn word(&self) -> &'static str {
        "Oops"
    }
    fn requeue(&self) -> Requeue {
        self.requeue
    }
    fn level(&self) -> Level {
        Level::Warn
    }
    fn driver_unreachable(&self) -> bool {
        self.unreachable
    }
    fn driver_answered(&self) -> bool {
        !self.unreachable
    }
}

#[derive(Debug)]
struct Word(&'static str);

impl Reason for Word {
    fn name(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Controller for Count {
    const NAME: &'static str = "count";
    type Key = &'static str;
    type View = (u32, Pass);
    type Action = Word;
    type Why = Word;
    type Problem = Word;
    type Error = Oops;

    fn observe(&self, key: &&'static str, pass: Pass) -> (u32, Pass) {
        (if lock(&self.gone).contains(key) { u32::MAX } else { *lock(&self.value) }, pass)
    }
    fn plan(&self, view: &(u32, Pass)) -> Next<Word, Word, Word> {
        if view.0 == u32::MAX {
            return Next::Rest(Word("Gone"));
        }
        if view.0 >= 3 { Next::Rest(Word("Enough")) } else { Next::Do(Word("add_one")) }
    }
    async fn act(&self, key: &&'static str, view: &(u32, Pass), _: &Word) -> Result<(), Oops> {
        lock(&self.passes).push(format!("{key}@{}s/{}", view.1.now.0.as_secs(), view.1.failures));
        tokio::task::yield_now().await;
        if let Some(oops) = lock(&self.fail).pop() {
            return Err(oops);
        }
        if let Some((_, oops)) = lock(&self.fail_at).take_if(|(at, _)| *at == view.0) {
            return Err(oops);
        }
        *lock(&self.value) += 1;
        if let Some(keys) = &*lock(&self.echo) {
            keys.add(key);
        }
        Ok(())
    }
    async fn refused(&self, _: &&'static str, _: &(u32, Pass), _: &Word) {}
    async fn failed(&self, _: &&'static str, _: &(u32, Pass), _: &Oops) {}
    fn calls_driver(&self, _: &Word) -> bool {
        true
    }
}

struct World {
    ctx: Ctx,
    count: Arc<Count>,
    keys: Arc<Keys<&'static str>>,
    engine: Engine,
}

fn run<T>(leadership: impl FnOnce(&Ctx) -> Leadership, scenario: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        let engine = Engine {
            ctx: ctx.clone(),
            leadership: leadership(&ctx),
            ledger: Ledger::new(),
            metrics: Metrics::new(),
            workers: 2,
            backoff: Backoff { start: Duration::from_secs(10), max: Duration::from_secs(300) },
            shutdown: Shutdown::new(),
            queue: "count".into(),
        };
        let count = Arc::new(Count {
            echo: Mutex::default(),
            fail_at: Mutex::default(),
            gone: Mutex::default(),
            value: Mutex::default(),
            fail: Mutex::default(),
            passes: Mutex::default(),
        });
        let keys = Arc::new(Keys::new(ctx.clone()));
        ctx.spawn("drive", drive(count.clone(), keys.clone(), engine.clone()));
        scenario(World { ctx, count, keys, engine }).await
    })
}

#[test]
fn a_pass_goes_on_until_the_plan_rests() {
    run(Leadership::always, async |world| {
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(1)).await;
        assert_eq!(*lock(&world.count.value), 3);
        let why = world.engine.ledger.why("a");
        assert_eq!((why[0].next, why[0].word), ("Rest", "Enough"));
        assert!(world.keys.is_idle());
    });
}

#[test]
fn a_failure_waits_longer_each_time_until_the_key_rests() {
    run(Leadership::always, async |world| {
        let oops = Oops { requeue: Requeue::Backoff, unreachable: false };
        lock(&world.count.fail).extend([oops.clone(), oops]);
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(100)).await;
        let passes = lock(&world.count.passes).clone();
        let at: Vec<u64> = passes.iter().filter_map(|p| p.split(['@', 's']).nth(1)?.parse().ok()).collect();
        assert_eq!(passes[0], "a@0s/0");
        assert!((8..=10).contains(&at[1]) && passes[1].ends_with("/1"), "{passes:?}");
        assert!((16..=20).contains(&(at[2] - at[1])) && passes[2].ends_with("/2"), "{passes:?}");
        assert!(passes[3].ends_with("/2"), "one step that works is no rest: {passes:?}");
        *lock(&world.count.value) = 0;
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(1)).await;
        assert!(lock(&world.count.passes)[passes.len()].ends_with("/0"));
    });
}

#[test]
fn what_a_pass_wrote_itself_does_not_end_the_backoff_of_the_step_that_failed_after_it() {
    run(Leadership::always, async |world| {
        *lock(&world.count.echo) = Some(world.keys.clone());
        *lock(&world.count.fail_at) = Some((1, Oops { requeue: Requeue::Backoff, unreachable: false }));
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(60)).await;
        let passes = lock(&world.count.passes).clone();
        assert_eq!((passes.len(), &*passes[1]), (4, "a@0s/0"));
        assert!(passes[2] == "a@8s/1" || passes[2] == "a@9s/1" || passes[2] == "a@10s/1", "{passes:?}");
    });
}

#[test]
fn while_the_driver_cannot_be_reached_one_key_tries_again_soon_however_often_it_failed() {
    run(Leadership::always, async |world| {
        lock(&world.count.fail).extend(vec![Oops { requeue: Requeue::Backoff, unreachable: true }; 12]);
        world.keys.add("a");
        world.keys.add("b");
        world.ctx.sleep(Duration::from_secs(200)).await;
        assert!(*lock(&world.count.value) >= 3, "{:?}", lock(&world.count.passes));
        assert!(world.keys.is_idle(), "and wakes the other");
    });
}

#[test]
fn the_first_call_that_gets_through_wakes_what_failed_because_none_did() {
    run(Leadership::always, async |world| {
        lock(&world.count.fail).push(Oops { requeue: Requeue::After(Duration::from_secs(3600)), unreachable: true });
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(5)).await;
        world.keys.add("b");
        world.ctx.sleep(Duration::from_secs(5)).await;
        assert!(world.keys.is_idle(), "a did not wait out its hour");
        assert_eq!(world.engine.ledger.why("a")[0].next, "Rest");
    });
}

#[test]
fn a_key_that_no_longer_needs_the_driver_leaves_the_trying_to_another() {
    run(Leadership::always, async |world| {
        lock(&world.count.fail).extend(vec![Oops { requeue: Requeue::Backoff, unreachable: true }; 14]);
        world.keys.add("a");
        world.keys.add("b");
        world.ctx.sleep(Duration::from_secs(20)).await;
        lock(&world.count.gone).push("a");
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(180)).await;
        assert!(*lock(&world.count.value) >= 3, "{:?}", lock(&world.count.passes));
    });
}

#[test]
fn a_refusal_by_the_driver_is_an_answer_too_and_wakes_what_could_not_reach_it() {
    run(Leadership::always, async |world| {
        let hour = Requeue::After(Duration::from_secs(3600));
        lock(&world.count.fail).push(Oops { requeue: hour, unreachable: true });
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(5)).await;
        lock(&world.count.fail).push(Oops { requeue: hour, unreachable: false });
        world.keys.add("b");
        world.ctx.sleep(Duration::from_secs(5)).await;
        assert_eq!(world.engine.ledger.why("a")[0].next, "Rest");
    });
}

#[test]
fn nobody_acts_before_leading_and_everything_set_aside_is_done_after() {
    let standby = |ctx: &Ctx| {
        let leadership = Leadership::standby_for_tests(ctx);
        let (later, ctx2) = (leadership.clone(), ctx.clone());
        ctx.spawn("lead", async move {
            ctx2.sleep(Duration::from_secs(30)).await;
            later.lead_for_tests(Duration::from_secs(3600));
        });
        leadership
    };
    run(standby, async |world| {
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(20)).await;
        assert_eq!((*lock(&world.count.value), world.engine.ledger.why("a")[0].next), (0, "Standby"));
        world.ctx.sleep(Duration::from_secs(20)).await;
        assert_eq!(*lock(&world.count.value), 3);
    });
}

#[test]
fn after_a_shutdown_no_new_work_is_taken() {
    run(Leadership::always, async |world| {
        world.engine.shutdown.request();
        world.keys.add("a");
        world.ctx.sleep(Duration::from_secs(5)).await;
        assert_eq!(*lock(&world.count.value), 0);
    });
}

#[test]
fn a_pass_under_way_at_a_shutdown_is_finished() {
    run(Leadership::always, async |world| {
        world.keys.add("a");
        while *lock(&world.count.value) == 0 {
            tokio::task::yield_now().await;
        }
        world.engine.shutdown.request();
        world.ctx.sleep(Duration::from_secs(5)).await;
        assert_eq!(*lock(&world.count.value), 3);
    });
}
