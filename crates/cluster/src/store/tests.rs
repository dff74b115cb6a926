use std::sync::Mutex;

use super::*;
use crate::kinds::{Attachment, AttachmentSource};

fn attachment(name: &str, version: u64, attached: bool) -> Attachment {
    Attachment {
        meta: Meta { key: Key::cluster(name), uid: "u".into(), version, deleting: false, finalizers: Box::default() },
        attacher: "d".into(),
        node: "n".into(),
        source: AttachmentSource::Volume(format!("pv-{name}").into()),
        attached,
        node_id_annotation: None,
    }
}

fn changes(store: &Store<Attachment>) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    store.subscribe(move |change| {
        let word = match (&change.old, &change.new) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        log.lock().expect("log").push(format!("{word} {}", change.key().expect("key")));
    });
    seen
}

#[test]
fn an_object_that_differs_only_in_its_version_is_no_change() {
    let store = Store::default();
    let seen = changes(&store);
    store.apply(attachment("a", 1, false));
    store.apply(attachment("a", 2, false));
    store.apply(attachment("a", 3, true));
    assert_eq!(*seen.lock().expect("log"), ["new a", "changed a"]);
    assert_eq!(store.get("a").map(|a| a.meta.version), Some(3));
}

#[test]
fn an_answer_is_not_undone_by_an_older_watch_event() {
    let store = Store::default();
    store.apply(attachment("a", 5, false));
    store.put_answer(attachment("a", 8, true));
    store.apply(attachment("a", 6, false));
    assert_eq!(store.get("a").map(|a| a.attached), Some(true));
}

#[test]
fn a_late_answer_does_not_bring_a_deleted_object_back() {
    let store = Store::default();
    store.apply(attachment("a", 5, false));
    store.delete(&attachment("a", 9, false).meta);
    store.put_answer(attachment("a", 7, true));
    assert!(store.get("a").is_none());
    assert!(store.indexed("pv-a").is_empty());
}

#[test]
fn an_object_whose_last_finalizer_we_took_is_gone_with_the_answer() {
    let store = Store::default();
    let held = |finalizers: &[&str]| {
        let mut object = attachment("a", 5, true);
        object.meta.deleting = true;
        object.meta.finalizers = finalizers.iter().map(|&text| text.into()).collect();
        object
    };
    store.apply(held(&["f"]));
    let seen = changes(&store);
    // A real API server answers with the old version, and only its watch has a new one.
    store.put_answer(held(&[]));
    assert_eq!(*seen.lock().expect("log"), ["new a", "gone a"]);
    store.apply(held(&["f"]));
    assert!(store.get("a").is_none(), "a watch that lags does not bring it back");
    store.apply(attachment("a", 7, false));
    store.put_answer(held(&[]));
    assert_eq!(store.get("a").map(|a| a.meta.version), Some(7), "its successor stays");
}

#[test]
fn the_end_of_an_object_does_not_take_its_successor_along() {
    let store = Store::default();
    store.apply(attachment("a", 5, false));
    store.put_answer(attachment("a", 9, false));
    store.delete(&attachment("a", 8, false).meta);
    assert_eq!(store.get("a").map(|a| a.meta.version), Some(9));
}

#[test]
fn a_relist_removes_what_is_gone_and_wakes_nobody_for_what_stayed() {
    let store = Store::default();
    store.replace(vec![attachment("a", 1, false), attachment("b", 2, false)]);
    let seen = changes(&store);
    seen.lock().expect("log").clear();
    store.replace(vec![attachment("b", 2, false), attachment("c", 3, false)]);
    assert_eq!(*seen.lock().expect("log"), ["gone a", "new c"]);
    assert!(store.is_synced());
}

#[test]
fn a_late_subscriber_hears_of_everything_that_is_there() {
    let store = Store::default();
    store.apply(attachment("a", 1, false));
    assert_eq!(*changes(&store).lock().expect("log"), ["new a"]);
    assert_eq!(store.indexed("pv-a").len(), 1);
}
