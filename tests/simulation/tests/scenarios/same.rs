//! The same plan is the same run, and dying anywhere in it does no harm.

use simulation::{Plan, deaths, run};

/// Whatever ran before on this thread, and however often.
#[test]
fn the_same_plan_gives_the_same_run_whatever_ran_before() {
    let seeds = [3, 17, 40, 101];
    let hash = |seed: &u64| run(&Plan::of_seed(*seed)).trace.hash();
    let forth: Vec<u64> = seeds.iter().map(hash).collect();
    let back: Vec<u64> = seeds.iter().rev().map(hash).collect();
    assert_eq!(forth, back.into_iter().rev().collect::<Vec<_>>());
    let elsewhere = std::thread::scope(|scope| {
        let runs: Vec<_> = seeds.iter().map(|seed| scope.spawn(move || hash(seed))).collect();
        runs.into_iter().map(|run| run.join().expect("a hash")).collect::<Vec<_>>()
    });
    assert_eq!(forth, elsewhere);
    assert!(forth.windows(2).all(|two| two[0] != two[1]));
}

/// Each process, at some of the turns of its tasks; `simulation --deaths` kills it at every one.
fn dies_anywhere(process: &str, stride: u64) {
    let deaths = deaths(&Plan::life(), process, stride);
    assert!(deaths.runs >= 10, "only {} deaths", deaths.runs);
    if let Some((plan, violation)) = deaths.broken.first() {
        panic!("broken law: {}: {}, by {:?}\n{}", violation.law, violation.what, plan.steps[0], run(plan).trace);
    }
}

#[test]
fn a_provisioner_may_die_anywhere() {
    dies_anywhere("provisioner-a", 5);
}

#[test]
fn an_attacher_may_die_anywhere() {
    dies_anywhere("attacher-a", 5);
}

#[test]
fn a_binder_may_die_anywhere() {
    dies_anywhere("binder", 19);
}

#[test]
fn a_mounter_may_die_anywhere() {
    dies_anywhere("mounter", 9);
}
