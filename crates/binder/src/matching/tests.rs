use cluster::kinds::selector::{LabelSelector, NodeSelector};
use csi_types::{AccessMode, VolumeMode};

use super::*;
use crate::fixtures::{claim, class, reference, volume};

fn names(found: Option<Arc<Volume>>) -> Option<String> {
    found.map(|volume| volume.meta.key.to_string())
}

fn in_zone(zone: &str) -> Option<Box<NodeSelector>> {
    let json =
        format!(r#"{{"nodeSelectorTerms":[{{"matchExpressions":[{{"key":"zone","operator":"In","values":["{zone}"]}}]}}]}}"#);
    Some(Box::new(serde_json::from_str(&json).expect("a selector")))
}

#[test]
fn each_rule_alone_keeps_a_volume_from_a_claim() {
    let selects = |json: &str| Some(Box::new(serde_json::from_str::<LabelSelector>(json).expect("a selector")));
    type Change = (&'static str, fn(&mut Claim), fn(&mut Volume));
    let rules: [Change; 10] = [
        ("somebody else's", |_| (), |v| v.claim = Some(reference("other", "uid-other"))),
        ("the same name, another uid", |_| (), |v| v.claim = Some(reference("c", "uid-before"))),
        ("too small", |c| c.request = Some("2Gi".into()), |_| ()),
        ("block", |c| c.volume_mode = Some(VolumeMode::Block), |_| ()),
        ("attributes class", |c| c.attributes_class = Some("gold".into()), |_| ()),
        ("being deleted", |_| (), |v| v.meta.deleting = true),
        ("not seen by its controller yet", |_| (), |v| v.phase = Phase::Pending),
        ("released", |_| (), |v| v.phase = Phase::Released),
        ("class", |c| c.class = Some("fast".into()), |_| ()),
        ("access mode", |c| c.access_modes = [AccessMode::ReadWriteMany].into(), |_| ()),
    ];
    assert!(find(&claim("c", |_| ()), &[volume("v", |_| ())], false).is_some(), "without any of them it fits");
    for (name, of_claim, of_volume) in rules {
        let claim = claim("c", of_claim);
        let volumes = [volume("v", of_volume)];
        assert_eq!(find(&claim, &volumes, false), None, "{name}");
        assert_eq!(find_on(&claim, &volumes, &Labels::new(), &BTreeSet::new()), None, "{name}");
    }
    let wants = claim("c", |c| c.selector = selects(r#"{"matchLabels":{"a":"1"}}"#));
    assert_eq!(find(&wants, &[volume("v", |_| ())], false), None, "selector");
    let labelled = volume("v", |v| v.labels = [("a".into(), "1".into())].into());
    assert!(find(&wants, &[labelled], false).is_some());
}

#[test]
fn no_access_mode_implies_another() {
    let asks = claim("c", |_| ());
    let many = volume("v", |v| v.access_modes = [AccessMode::ReadWriteMany].into());
    assert_eq!(find(&asks, &[many], false), None);
    let pod = claim("c", |c| c.access_modes = [AccessMode::ReadWriteOncePod].into());
    assert_eq!(find(&pod, &[volume("v", |_| ())], false), None);
}

#[test]
fn a_volume_without_class_is_for_claims_that_want_none() {
    let none = claim("c", |c| c.class = Some("".into()));
    assert!(find(&none, &[volume("v", |_| ())], false).is_some());
    let empty = volume("v", |v| v.class = Some("".into()));
    assert!(find(&claim("c", |_| ()), &[empty], false).is_some());
}

#[test]
fn the_fewest_access_modes_win_then_the_smallest_size_then_the_name() {
    let asks = claim("c", |_| ());
    let two = [AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany];
    let wide = volume("a-wide", |v| v.access_modes = two.into());
    let large = volume("b-large", |v| v.capacity = "5Gi".into());
    let small = volume("z-small", |v| v.capacity = "2Gi".into());
    let same = volume("y-small", |v| v.capacity = "2048Mi".into());
    let all = [wide.clone(), large, small, same];
    assert_eq!(names(find(&asks, &all, false)).as_deref(), Some("y-small"));
    assert_eq!(names(find(&asks, &[wide], false)).as_deref(), Some("a-wide"));
}

#[test]
fn a_volume_that_was_given_to_the_claim_wins_whatever_its_class_selector_and_phase() {
    let asks = claim("c", |c| c.class = Some("fast".into()));
    let given = volume("z", |v| {
        v.claim = Some(reference("c", ""));
        v.phase = Phase::Pending;
        v.capacity = "9Gi".into();
        v.access_modes = [AccessMode::ReadWriteOnce, AccessMode::ReadWriteMany].into();
    });
    let plain = volume("a", |v| v.class = Some("fast".into()));
    assert_eq!(names(find(&asks, &[plain.clone(), given.clone()], false)).as_deref(), Some("z"));
    for broken in [
        volume("z", |v| (v.claim, v.capacity) = (Some(reference("c", "")), "1Mi".into())),
        volume("z", |v| (v.claim, v.volume_mode) = (Some(reference("c", "")), Some(VolumeMode::Block))),
        volume("z", |v| (v.claim, v.access_modes) = (Some(reference("c", "")), [AccessMode::ReadOnlyMany].into())),
        volume("z", |v| (v.claim, v.meta.deleting) = (Some(reference("c", "")), true)),
    ] {
        assert_eq!(names(find(&asks, &[plain.clone(), broken], false)).as_deref(), Some("a"), "it must serve all the same");
    }
}

#[test]
fn a_claim_that_waits_for_its_consumer_gets_only_what_was_given_to_it() {
    let asks = claim("c", |_| ());
    assert_eq!(find(&asks, &[volume("a", |_| ())], true), None);
    let given = volume("b", |v| v.claim = Some(reference("c", "uid-c")));
    assert_eq!(names(find(&asks, &[volume("a", |_| ()), given], true)).as_deref(), Some("b"));
}

#[test]
fn on_a_node_the_smallest_reachable_volume_wins() {
    let asks = claim("c", |_| ());
    let here: Labels = [("zone".into(), "a".into())].into();
    let far = volume("far", |v| v.affinity = in_zone("b"));
    let near = volume("near", |v| (v.affinity, v.capacity) = (in_zone("a"), "2Gi".into()));
    let any = volume("any", |v| v.capacity = "3Gi".into());
    let all = [far.clone(), near.clone(), any];
    assert_eq!(names(find_on(&asks, &all, &here, &BTreeSet::new())).as_deref(), Some("near"));
    let taken = BTreeSet::from([near.meta.key.clone()]);
    assert_eq!(names(find_on(&asks, &all, &here, &taken)).as_deref(), Some("any"));
    assert_eq!(find_on(&asks, &[far], &here, &BTreeSet::new()), None);
}

#[test]
fn a_volume_that_was_given_to_the_claim_and_cannot_be_reached_ends_the_search() {
    let asks = claim("c", |_| ());
    let given = volume("given", |v| (v.claim, v.affinity) = (Some(reference("c", "")), in_zone("b")));
    let here: Labels = [("zone".into(), "a".into())].into();
    assert_eq!(find_on(&asks, &[volume("any", |_| ()), given], &here, &BTreeSet::new()), None);
}

#[test]
fn sizes_are_compared_exactly_when_searching_and_in_whole_bytes_when_asked_for_by_name() {
    let asks = claim("c", |c| c.request = Some("1000500m".into()));
    let less = volume("v", |v| v.capacity = "1000400m".into());
    assert!(!is_large_enough(&less, &asks));
    assert!(is_large_enough_in_bytes(&less, &asks), "both are 1001 bytes");
}

#[test]
fn of_several_default_classes_the_newest_wins_then_the_first_by_name() {
    let default = |name: &str, created| class(name, |class| (class.is_default, class.created) = (true, created));
    let all = [default("old", 1), default("b", 5), default("a", 5), class("newest", |class| class.created = 9)];
    assert_eq!(default_class(&all).map(|class| class.meta.key.to_string()).as_deref(), Some("a"));
    assert_eq!(default_class(&[class("plain", |_| ())]), None);
}

#[test]
fn a_class_that_is_not_there_does_not_wait_for_a_consumer() {
    let wants = claim("c", |c| c.class = Some("x".into()));
    assert!(!ClassFact::of(&wants, |_| None).waits_for_consumer());
    let waits = class("x", |class| class.waits_for_consumer = true);
    assert!(ClassFact::of(&wants, |_| Some(waits.clone())).waits_for_consumer());
    assert_eq!(ClassFact::of(&claim("c", |_| ()), |_| None), ClassFact::Unset);
    assert_eq!(ClassFact::of(&claim("c", |c| c.class = Some("".into())), |_| None), ClassFact::Nothing);
}
