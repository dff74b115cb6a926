//! One run: the world, its processes, the user and fate, until everything rests.

use std::time::Duration;

use crate::fault::Fault;
use crate::laws::{self, Moment, Violation};
use crate::plan::Plan;
use crate::process;
use crate::trace::Trace;
use crate::user;
use crate::world::World;

/// What came of a plan.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The laws that were broken; the run ends with the first.
    pub violations: Vec<Violation>,
    /// Everything that happened.
    pub trace: Trace,
    /// What went wrong: listed in a plan without rates, the same goes wrong again.
    pub faults: Vec<Fault>,
    /// Writes to the API.
    pub writes: u64,
    /// Virtual time.
    pub time: Duration,
}

/// How long everything may take to come to rest once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Runs a plan. The same plan gives the same outcome, whatever ran before on this thread.
pub fn run(plan: &Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(lived(plan))));
    lived.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().map(ToString::to_string).or_else(|| cause.downcast_ref::<String>().cloned());
        let what = format!("outside of every process: {}", text.unwrap_or_default());
        let violations = vec![Violation { law: "no panic", what }];
        Outcome { violations, trace: Trace::default(), faults: Vec::new(), writes: 0, time: Duration::ZERO }
    })
}

async fn lived(plan: &Plan) -> Outcome {
    let world = World::new(plan).await;
    user::prepare(&world).await;
    process::start_all(&world);
    world.ctx().spawn("supervisor", process::supervise(world.clone()));
    user::steps(&world).await;
    if !world.is_broken() {
        user::calm(&world).await;
        rest(&world).await;
    }
    if let Some(panic) = process::panicked(&world).or_else(|| world.ctx().panicked()) {
        world.broke(Violation { law: "no panic", what: panic });
    }
    let outcome = Outcome {
        violations: world.broken(),
        faults: world.faults().happened(),
        writes: world.writes(),
        time: world.ctx().now().0,
        trace: world.trace(),
    };
    // Tasks hold the world, and the world holds the processes: nothing else would end this circle.
    let slots = std::mem::take(&mut *world.slots());
    slots.values().for_each(|slot| slot.ctx.kill());
    world.ctx().kill();
    outcome
}

/// Waits until nothing is left to be done, and looks whether that is how it should be.
async fn rest(world: &World) {
    let deadline = world.ctx().now() + PATIENCE;
    let mut quiet = 0;
    loop {
        world.ctx().sleep(Duration::from_secs(1)).await;
        if world.is_broken() {
            return;
        }
        let left = laws::unrest(world);
        quiet = if left.is_empty() { quiet + 1 } else { 0 };
        if quiet == 5 {
            break;
        }
        if world.ctx().now() >= deadline {
            world.broke(Violation { law: "comes to rest", what: left.join("; ") });
            return;
        }
    }
    if let Some(violation) = laws::look(world, &Moment::Rest) {
        world.broke(violation);
    }
}
