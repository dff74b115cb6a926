use csi_types::Next::{Do, Refuse, Rest};
use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

fn ended(code: i32, restarts: u32, seconds_ago: i64) -> State {
    let exit = Exit { code, signal: None, at: now() - SignedDuration::from_secs(seconds_ago), error: String::new() };
    State::Ended { exit, restarts, ran: SignedDuration::from_secs(1) }
}

const RUNS: State = State::Running { asked: false };
const ASKED: State = State::Running { asked: true };

fn pod(restart: Restart) -> PodFacts {
    PodFacts { restart, pauses: None, deadline: None, ended: false, awaits: None, unfit: None }
}

fn view(pod: Option<PodFacts>, inits: &[State], states: &[State]) -> View {
    let container = |init: bool| move |state: &State| Container { name: "c".into(), init, state: state.clone() };
    let containers = inits.iter().map(container(true)).chain(states.iter().map(container(false))).collect();
    View { pod, containers, told: true, folder: true, now: now() }
}

fn next(restart: Restart, inits: &[State], states: &[State]) -> Next {
    plan(&view(Some(pod(restart)), inits, states))
}

#[test]
fn init_containers_run_one_after_the_other_and_before_the_rest() {
    assert_eq!(next(Restart::Never, &[State::New, State::New], &[State::New]), Do(Action::Start(0)));
    assert_eq!(next(Restart::Never, &[RUNS, State::New], &[State::New]), Rest(Why::Initializes));
    assert_eq!(next(Restart::Never, &[ended(0, 0, 5), State::New], &[State::New]), Do(Action::Start(1)));
    assert_eq!(next(Restart::Never, &[ended(0, 0, 5), ended(0, 0, 5)], &[State::New]), Do(Action::Start(2)));
}

#[test]
fn a_failed_init_container_is_tried_again_unless_the_policy_says_never() {
    assert_eq!(next(Restart::Never, &[ended(1, 0, 5)], &[State::New]), Rest(Why::Ended));
    assert_eq!(next(Restart::OnFailure, &[ended(1, 0, 5)], &[State::New]), Do(Action::Start(0)));
    assert_eq!(next(Restart::Always, &[ended(1, 1, 5)], &[State::New]), Rest(Why::BackOff(Duration::from_secs(5))));
}

#[test]
fn restart_policies_mean_what_they_say() {
    for (restart, code, expected) in [
        (Restart::Always, 0, Do(Action::Start(0))),
        (Restart::Always, 1, Do(Action::Start(0))),
        (Restart::OnFailure, 0, Rest(Why::Runs)),
        (Restart::OnFailure, 1, Do(Action::Start(0))),
        (Restart::Never, 1, Rest(Why::Runs)),
    ] {
        assert_eq!(next(restart, &[], &[ended(code, 0, 0)]), expected, "{restart:?} {code}");
    }
}

#[test]
fn a_container_that_fails_in_a_loop_waits_longer_each_time_and_five_minutes_at_most() {
    for (restarts, seconds) in [(1, 10), (2, 20), (3, 40), (6, 300), (60, 300)] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(next(Restart::Always, &[], &[ended(1, restarts, 0)]), Rest(Why::BackOff(wait)), "{restarts}");
        let over = i64::try_from(seconds).expect("small");
        assert_eq!(next(Restart::Always, &[], &[ended(1, restarts, over)]), Do(Action::Start(0)), "{restarts}");
    }
}

#[test]
fn a_pod_may_say_how_long_restarts_wait() {
    let mut facts = pod(Restart::Always);
    facts.pauses = Pauses::parse(Some("first=1s,factor=1.5,longest=300s")).expect("pauses");
    let after = |restarts, ago| plan(&view(Some(facts.clone()), &[], &[ended(0, restarts, ago)]));
    assert_eq!(after(0, 0), Rest(Why::BackOff(Duration::from_secs(1))), "the first restart waits, too");
    assert_eq!(after(1, 0), Rest(Why::BackOff(Duration::from_millis(1500))));
    assert_eq!(after(1, 2), Do(Action::Start(0)));
}

#[test]
fn one_failing_container_does_not_keep_others_from_starting() {
    assert_eq!(next(Restart::Always, &[], &[ended(1, 3, 0), State::New]), Do(Action::Start(1)));
}

#[test]
fn nothing_starts_before_its_volumes_are_there() {
    let mut waits = pod(Restart::Always);
    waits.awaits = Some("volume data".into());
    assert_eq!(plan(&view(Some(waits.clone()), &[], &[State::New])), Rest(Why::AwaitsVolumes));
    waits.unfit = Some("no command".into());
    assert_eq!(plan(&view(Some(waits), &[], &[State::New])), Refuse(Problem::Unfit("no command".into())));
}

#[test]
fn a_deleted_pods_containers_are_asked_then_given_their_grace_then_killed() {
    let mut going = pod(Restart::Always);
    going.deadline = Some(now() + SignedDuration::from_secs(30));
    let deleted = |states: &[State]| plan(&view(Some(going.clone()), &[], states));
    assert_eq!(deleted(&[ASKED, RUNS]), Do(Action::Terminate(1)), "all are asked at once");
    assert_eq!(deleted(&[ASKED, ended(0, 0, 0)]), Rest(Why::Grace(Duration::from_secs(30))));
    assert_eq!(deleted(&[ended(0, 0, 0)]), Rest(Why::Leaves), "and none is started again");
    assert_eq!(deleted(&[State::New]), Rest(Why::Leaves));
    let mut over = going.clone();
    over.deadline = Some(now());
    assert_eq!(plan(&view(Some(over), &[], &[ASKED])), Do(Action::Kill(0)));
}

#[test]
fn a_deleted_pod_says_that_nothing_runs_before_it_leaves() {
    let mut going = pod(Restart::Always);
    going.deadline = Some(now());
    let untold = View { told: false, ..view(Some(going), &[], &[ended(0, 0, 0)]) };
    assert_eq!(plan(&untold), Do(Action::PostStatus));
}

#[test]
fn what_the_api_does_not_know_is_ended_and_removed() {
    assert_eq!(plan(&view(None, &[], &[ended(0, 0, 0), RUNS])), Do(Action::Kill(1)));
    assert_eq!(plan(&view(None, &[], &[ended(0, 0, 0)])), Do(Action::RemoveFolder));
    assert_eq!(plan(&View { folder: false, ..view(None, &[], &[]) }), Rest(Why::Gone));
}

fn any_state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::New),
        Just(RUNS),
        Just(ASKED),
        (0..3i32, 0..8u32, 0..700i64).prop_map(|(code, restarts, ago)| ended(code, restarts, ago)),
    ]
}

proptest! {
    #[test]
    fn a_running_container_is_never_started_and_one_that_does_not_run_is_never_signalled(
        inits in prop::collection::vec(any_state(), 0..3),
        states in prop::collection::vec(any_state(), 0..4),
        known in any::<bool>(), told in any::<bool>(), going in any::<bool>(), ended in any::<bool>(), left in -50..50i64,
    ) {
        let mut facts = pod(Restart::OnFailure);
        facts.ended = ended;
        facts.deadline = going.then(|| now() + SignedDuration::from_secs(left));
        let view = View { told, ..view(known.then_some(facts), &inits, &states) };
        let runs = |index: usize| matches!(view.containers[index].state, State::Running { .. });
        match plan(&view) {
            Do(Action::Start(index)) => prop_assert!(!runs(index) && known && !going && !ended),
            Do(Action::Terminate(index) | Action::Kill(index)) => prop_assert!(runs(index) && (going || !known)),
            Do(Action::RemoveFolder) => prop_assert!(!known && !(0..view.containers.len()).any(runs)),
            Do(Action::PostStatus) => prop_assert!(known && !told),
            Rest(_) | Refuse(_) => {}
        }
    }
}
