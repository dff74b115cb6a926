use super::*;
use crate::plugin::Part as Description;
use crate::supervise::record::Run;

fn plugin(id: &str, services: &[Service]) -> Plugin {
    let (kind, name) = id.split_once('/').unwrap_or((id, DEFAULT_NAME));
    let part =
        |service: &Service| Description { services: [*service].into(), how: How::Endpoint(format!("/{id}/{service}").into()) };
    Plugin {
        id: PluginId::new(kind, name).expect("an id"),
        parts: services.iter().map(part).collect(),
        health_timeout: Duration::from_secs(1),
        targets: Targets::default(),
    }
}

fn ready(state: &mut State, id: &str, index: usize, driver: &str) -> Vec<Change> {
    let id = state.plugins.keys().find(|known| known.to_string() == id).expect("it is known").clone();
    let socket = state.facts(&id, index).expect("a part").socket;
    state.met(&id, index, &driver.into(), &socket);
    state.changes()
}

#[test]
fn a_plugin_serves_what_is_ready_and_is_told_once() {
    let mut state = State::default();
    let (new, _) = state.set(&plugin("a", &Service::ALL), |_| PathBuf::new());
    assert_eq!(new, [0, 1]);
    assert_eq!(state.changes(), []);
    let [Change::Serves(first)] = &ready(&mut state, "a", 1, "d")[..] else { panic!("it serves") };
    assert!(first.node.is_some() && first.controller.is_none());
    assert_eq!(ready(&mut state, "a", 1, "d"), []);
    let [Change::Serves(both)] = &ready(&mut state, "a", 0, "d")[..] else { panic!("it serves more") };
    assert!(both.node.is_some() && both.controller.is_some());
    let (new, _) = state.set(&plugin("a", &Service::ALL), |_| PathBuf::new());
    assert_eq!((new, state.changes()), (vec![], vec![]), "asked for again, nothing is new");
}

#[test]
fn a_plugin_that_is_asked_for_again_is_not_forgotten() {
    let mut state = State::default();
    let a = plugin("a", &[Service::Node]);
    state.set(&a, |_| PathBuf::new());
    ready(&mut state, "a", 0, "d");
    state.remove(&a.id);
    assert!(!state.facts(&a.id, 0).expect("a part").wanted);
    state.set(&a, |_| PathBuf::new());
    assert!(!state.forget(&a.id, 0));
    state.remove(&a.id);
    assert!(state.forget(&a.id, 0));
    assert_eq!(state.changes(), [Change::Gone(a.id.clone())]);
    assert!(!state.knows(&a.id) && state.facts(&a.id, 0).is_none());
}

#[test]
fn who_serves_a_driver_keeps_it_against_who_comes_later() {
    let mut state = State::default();
    state.set(&plugin("b", &[Service::Node]), |_| PathBuf::new());
    ready(&mut state, "b", 0, "d");
    state.set(&plugin("a", &[Service::Node]), |_| PathBuf::new());
    assert_eq!(ready(&mut state, "a", 0, "d"), []);
    assert!(state.troubles()[0].reason.contains("as plugin b does"), "{:?}", state.troubles());
    let b = PluginId::only("b").expect("an id");
    state.remove(&b);
    assert!(state.forget(&b, 0));
    let changes = state.changes();
    assert!(changes.contains(&Change::Gone(b)) && changes.len() == 2, "{changes:?}");
}

#[test]
fn what_an_earlier_life_left_is_unwanted_only_when_all_is_known() {
    let mut state = State::default();
    let id = PluginId::only("a").expect("an id");
    let record = Record::new(&id, 0, [Service::Node].into(), "/s".into(), Run::Nothing);
    state.found(&id, &record);
    let facts = state.facts(&id, 0).expect("a part");
    assert!(!facts.wanted && !facts.settled && facts.how.is_none());
    state.settled(true);
    assert!(state.facts(&id, 0).expect("a part").settled);
}
