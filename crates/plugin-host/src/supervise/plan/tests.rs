use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Instant {
    Instant(Duration::from_secs(seconds))
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// Wanted, in use by nobody, at second 100.
fn view(life: Life) -> View {
    View { now: at(100), wanted: true, in_use: false, startable: true, life, health_timeout: TIMEOUT, not_before: at(0) }
}

fn ours(unready_since: Option<u64>, probe_at: u64) -> Life {
    let health = Health { unready_since: unready_since.map(at), probe_at: at(probe_at) };
    Life::Ours { health, same: true, asked: None }
}

fn asked(when: u64) -> Life {
    Life::Ours { health: Health { unready_since: None, probe_at: at(0) }, same: true, asked: Some(at(when)) }
}

#[test]
fn what_is_wanted_and_does_not_run_is_started_after_its_backoff() {
    assert_eq!(plan(&view(Life::None)), Next::Do(Action::Start));
    let later = View { not_before: at(101), ..view(Life::None) };
    assert_eq!(plan(&later), Next::Rest(Why::BackingOff(at(101))));
}

#[test]
fn a_plugin_is_not_stopped_while_volumes_of_it_are_on_the_host() {
    let unwanted = View { wanted: false, in_use: true, ..view(ours(None, 200)) };
    assert_eq!(plan(&unwanted), Next::Rest(Why::Ready(at(200))));
    assert_eq!(plan(&View { in_use: false, ..unwanted }), Next::Do(Action::Terminate(End::Unwanted)));
}

#[test]
fn a_plugin_that_falls_while_it_is_drained_is_started_again() {
    let fallen = View { wanted: false, in_use: true, ..view(Life::None) };
    assert_eq!(plan(&fallen), Next::Do(Action::Start));
    let unknown = View { startable: false, ..fallen.clone() };
    assert_eq!(plan(&unknown), Next::Refuse(Problem::Orphaned));
    assert_eq!(plan(&View { in_use: false, ..unknown }), Next::Do(Action::Forget));
}

#[test]
fn what_runs_from_another_description_is_ended() {
    let health = Health { unready_since: None, probe_at: at(200) };
    let changed = view(Life::Ours { health, same: false, asked: None });
    assert_eq!(plan(&changed), Next::Do(Action::Terminate(End::Changed)));
    let leaving = View { wanted: false, in_use: true, ..changed };
    assert_eq!(plan(&leaving), Next::Rest(Why::Ready(at(200))), "who leaves is not changed on the way");
}

#[test]
fn who_is_asked_to_end_has_a_grace_and_no_more() {
    assert_eq!(plan(&view(asked(95))), Next::Rest(Why::Grace(at(105))));
    assert_eq!(plan(&view(asked(90))), Next::Do(Action::Kill));
}

#[test]
fn who_is_not_ready_in_time_is_ended_and_not_a_moment_earlier() {
    assert_eq!(plan(&view(ours(Some(71), 200))), Next::Rest(Why::Awaits(at(101))));
    assert_eq!(plan(&view(ours(Some(70), 200))), Next::Do(Action::Terminate(End::Unready)));
    assert_eq!(plan(&view(ours(Some(99), 100))), Next::Do(Action::Probe));
}

#[test]
fn somebody_elses_plugin_is_asked_and_never_ended() {
    let health = Health { unready_since: Some(at(0)), probe_at: at(100) };
    assert_eq!(plan(&view(Life::Theirs(health))), Next::Do(Action::Probe));
    let waits = view(Life::Theirs(Health { probe_at: at(101), ..health }));
    assert_eq!(plan(&waits), Next::Rest(Why::Awaits(at(101))));
    assert_eq!(plan(&View { wanted: false, ..waits }), Next::Do(Action::Forget));
}

#[test]
fn the_wait_doubles_has_a_limit_and_jitter() {
    assert_eq!(backoff(1, 1.0), FIRST);
    assert_eq!(backoff(1, 0.0), FIRST / 2);
    assert_eq!(backoff(4, 1.0), FIRST * 8);
    for failures in 0..200 {
        assert!(backoff(failures, 0.999) <= LONGEST && backoff(failures, 0.0) >= FIRST / 2);
    }
}

fn instants() -> impl Strategy<Value = Instant> + Clone {
    (0u64..200).prop_map(at)
}

fn lives() -> impl Strategy<Value = Life> {
    let health =
        (proptest::option::of(instants()), instants()).prop_map(|(unready_since, probe_at)| Health { unready_since, probe_at });
    prop_oneof![
        Just(Life::None),
        health.clone().prop_map(Life::Theirs),
        (health, any::<bool>(), proptest::option::of(instants())).prop_map(|(health, same, asked)| Life::Ours {
            health,
            same,
            asked
        }),
    ]
}

prop_compose! {
    fn views()(now in instants(), wanted: bool, in_use: bool, startable: bool, life in lives(), timeout in 1u64..60, not_before in instants()) -> View {
        // What a document asks for can be started.
        let startable = startable || wanted;
        View { now, wanted, in_use, startable, life, health_timeout: Duration::from_secs(timeout), not_before }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_rest_ends_in_the_future(v in views()) {
        if let Next::Rest(why) = plan(&v) {
            prop_assert!(why.due() > v.now);
        }
    }

    #[test]
    fn nothing_that_volumes_need_is_ended_for_good(v in views()) {
        if v.in_use {
            prop_assert!(!matches!(plan(&v), Next::Do(Action::Forget | Action::Terminate(End::Unwanted))));
        }
        if v.in_use && !v.startable && !matches!(v.life, Life::Ours { asked: Some(_), .. }) {
            prop_assert!(!matches!(plan(&v), Next::Do(Action::Terminate(_) | Action::Kill)));
        }
    }

    #[test]
    fn nothing_is_started_twice_and_only_ours_is_ended(v in views()) {
        match plan(&v) {
            Next::Do(Action::Start) => prop_assert_eq!(v.life, Life::None),
            Next::Do(Action::Terminate(_) | Action::Kill) => {
                let ours = matches!(v.life, Life::Ours { .. });
                prop_assert!(ours);
            }
            _ => {}
        }
    }

    /// A world in which everything works: processes start, become ready when asked, and end when they are told to.
    #[test]
    fn it_comes_to_rest_where_it_should(start in views()) {
        let mut v = start;
        for _ in 0..50 {
            match plan(&v) {
                Next::Do(Action::Start) => {
                    let health = Health { unready_since: Some(v.now), probe_at: v.now };
                    v.life = Life::Ours { health, same: true, asked: None };
                }
                Next::Do(Action::Probe) => {
                    let ready = Health { unready_since: None, probe_at: v.now + Duration::from_secs(10) };
                    v.life = match v.life {
                        Life::Theirs(_) => Life::Theirs(ready),
                        Life::Ours { same, asked, .. } => Life::Ours { health: ready, same, asked },
                        Life::None => panic!("nobody is there to be asked"),
                    };
                }
                Next::Do(Action::Terminate(_)) => {
                    let Life::Ours { asked, .. } = &mut v.life else { panic!("not ours") };
                    *asked = Some(v.now);
                }
                Next::Do(Action::Kill) => v.life = Life::None,
                Next::Do(Action::Forget) => {
                    prop_assert!(!v.wanted && !v.in_use);
                    return Ok(());
                }
                Next::Rest(Why::Ready(_)) => {
                    prop_assert!(v.wanted || v.in_use);
                    return Ok(());
                }
                Next::Rest(why) => v.now = why.due(),
                Next::Refuse(Problem::Orphaned) => {
                    prop_assert!(v.in_use && !v.wanted && !v.startable);
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "it never rests: {:?}", v);
    }
}
