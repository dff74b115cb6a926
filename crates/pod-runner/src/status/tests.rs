use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn ended(code: i32) -> State {
    let exit = Exit { code, signal: None, at: at(9), error: String::new() };
    State::Ended { exit, restarts: 0, ran: jiff::SignedDuration::from_secs(1) }
}

fn shown(init: bool, state: State) -> Shown {
    Shown { name: "c".into(), image: "busybox".into(), init, state, since: Some(at(1)), before: None, restarts: 0 }
}

const RUNS: State = State::Running { asked: false };

#[test]
fn phases_are_kubelets() {
    use Restart::{Always, Never, OnFailure};
    for (restart, init, states, expected) in [
        (Always, None, vec![State::New], "Pending"),
        (Always, Some(RUNS), vec![State::New], "Pending"),
        (Never, Some(ended(1)), vec![State::New], "Failed"),
        (Always, Some(ended(1)), vec![State::New], "Pending"),
        (Always, Some(ended(0)), vec![RUNS], "Running"),
        (Never, None, vec![RUNS, ended(1)], "Running"),
        (Never, None, vec![ended(0), ended(1)], "Failed"),
        (Never, None, vec![ended(0)], "Succeeded"),
        (OnFailure, None, vec![ended(0)], "Succeeded"),
        (OnFailure, None, vec![ended(1)], "Running"),
        (Always, None, vec![ended(0)], "Running"),
    ] {
        let mut all: Vec<Shown> = init.iter().map(|state| shown(true, state.clone())).collect();
        all.extend(states.iter().map(|state| shown(false, state.clone())));
        assert_eq!(phase(&all, restart), expected, "{restart:?} {init:?} {states:?}");
    }
}

#[test]
fn what_was_posted_counts_as_told_and_what_changed_does_not() {
    let now = status(&[shown(false, RUNS)], Restart::Always, ("ContainerCreating", ""), Some(at(0)));
    let mut pod = Pod { status: serde_json::from_value(now.clone()).expect("a status"), ..Pod::default() };
    assert!(told(&pod, &now));
    let later = Shown { since: Some(at(3)), ..shown(false, RUNS) };
    assert!(told(&pod, &status(&[later], Restart::Always, ("ContainerCreating", ""), None)), "a start may be told early");
    assert!(!told(&pod, &status(&[shown(false, ended(1))], Restart::Always, ("", ""), None)));
    pod.status = None;
    assert!(!told(&pod, &now));
}

#[test]
fn a_container_that_waits_says_why() {
    let status = status(&[shown(false, State::New)], Restart::Always, ("ContainerCreating", "volume data"), None);
    assert_eq!(status["containerStatuses"][0]["state"]["waiting"]["message"], "volume data");
    assert_eq!(status["conditions"][1]["reason"], "ContainersNotReady");
}

#[test]
fn an_end_is_told_with_its_code_and_signal() {
    let exit = Exit { code: 137, signal: Some(9), at: at(9), error: String::new() };
    let killed = State::Ended { exit: exit.clone(), restarts: 1, ran: jiff::SignedDuration::from_secs(8) };
    let one = Shown { before: Some((at(0), exit)), restarts: 1, ..shown(false, killed) };
    let status = status(&[one], Restart::Never, ("", ""), None);
    let container = &status["containerStatuses"][0];
    assert_eq!((container["state"]["terminated"]["exitCode"].as_i64(), container["restartCount"].as_u64()), (Some(137), Some(1)));
    assert_eq!(container["lastState"]["terminated"]["signal"], 9);
    assert_eq!(status["phase"], "Failed");
}
