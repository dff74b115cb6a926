//! What holds for all sets, objects and lists of managers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{manager, time};
use crate::managed::compare::compare;
use crate::managed::set::Set;
use crate::managed::{Manager, apply, build, samples, track};

fn sets() -> impl Strategy<Value = Set> {
    let step = prop_oneof![
        Just("f:a".to_owned()),
        Just("f:b".to_owned()),
        Just("f:spec".to_owned()),
        Just("k:{\"k\":\"x\"}".to_owned()),
        Just("k:{\"k\":\"x\",\"n\":80}".to_owned()),
        Just("v:\"x\"".to_owned()),
        Just("v:5".to_owned()),
        Just("i:0".to_owned()),
    ];
    let leaf = prop::collection::vec(step.clone(), 0..4).prop_map(|steps| {
        let mut set = Set::default();
        steps.iter().for_each(|step| set.add(step, true, Set::default()));
        set
    });
    leaf.prop_recursive(3, 30, 4, move |inner| {
        prop::collection::vec((step.clone(), any::<bool>(), inner), 0..4).prop_map(|steps| {
            let mut set = Set::default();
            for (step, member, below) in steps {
                set.add(&step, member, below);
            }
            set
        })
    })
}

fn texts() -> impl Strategy<Value = Value> {
    prop_oneof!["[abc]".prop_map(Value::from), Just(Value::Null), Just(json!("")), (0..3i64).prop_map(Value::from)]
}

fn free(depth: u32) -> impl Strategy<Value = Value> {
    texts().prop_recursive(depth, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn widgets() -> impl Strategy<Value = Value> {
    let items = prop::collection::btree_map("[abc]", prop::option::of("[xy]"), 0..4).prop_map(|items| {
        let item = |(k, v): (String, Option<String>)| if let Some(v) = v { json!({"k": k, "v": v}) } else { json!({"k": k}) };
        Value::Array(items.into_iter().map(item).collect())
    });
    let tags = prop::collection::btree_set("[abc]", 0..4).prop_map(|tags| json!(tags));
    let list = prop::collection::vec("[ab]", 0..3).prop_map(|list| json!(list));
    let size = (0..3i64).prop_map(Value::from);
    let open = prop::collection::btree_map("[ab]", free(2), 0..3).prop_map(|map| json!(map));
    let labels = prop::collection::btree_map("[ab]", "[xy]", 0..3).prop_map(|map| json!(map));
    let finalizers = prop::collection::btree_set("x.io/[abc]", 0..3).prop_map(|set| json!(set));
    let parts = (
        prop::option::of(items.prop_shuffle_list()),
        prop::option::of(tags.prop_shuffle_list()),
        prop::option::of(list),
        prop::option::of(size),
        prop::option::of(open),
        prop::option::of(labels),
        prop::option::of(finalizers.prop_shuffle_list()),
    );
    parts.prop_map(|(items, tags, list, size, open, labels, finalizers)| {
        let mut object = json!({"apiVersion": "v1", "kind": "Widget", "metadata": {"name": "x"}, "spec": {}});
        for (path, value) in [
            (["spec", "items"], items),
            (["spec", "tags"], tags),
            (["spec", "list"], list),
            (["spec", "size"], size),
            (["spec", "open"], open),
            (["metadata", "labels"], labels),
            (["metadata", "finalizers"], finalizers),
        ] {
            if let Some(value) = value {
                object[path[0]][path[1]] = value;
            }
        }
        object
    })
}

/// Lists in any order.
trait Shuffle: Strategy<Value = Value> + Sized {
    fn prop_shuffle_list(self) -> impl Strategy<Value = Value> {
        self.prop_map(|list| list.as_array().cloned().unwrap_or_default()).prop_shuffle().prop_map(Value::Array)
    }
}

impl<S: Strategy<Value = Value>> Shuffle for S {}

fn entries() -> impl Strategy<Value = Value> {
    let fields = prop_oneof![sets().prop_map(|set| set.encode()), free(3)];
    let text = |texts: Vec<&'static str>| prop::sample::select(texts);
    let entry = (
        text(vec!["m", "n", ""]),
        text(vec!["Apply", "Update", "Nope", ""]),
        text(vec!["v1", ""]),
        text(vec!["FieldsV1", ""]),
        text(vec!["2026-01-01T00:00:00Z", "yesterday"]),
        fields,
    );
    let entry = entry.prop_map(|(manager, operation, version, kind, time, fields)| {
        json!({
            "manager": manager, "operation": operation, "apiVersion": version, "fieldsType": kind, "time": time, "fieldsV1": fields,
        })
    });
    prop_oneof![prop::collection::vec(prop_oneof![3 => entry, 1 => free(2)], 0..4).prop_map(Value::from), free(2)]
}

fn decoded(set: &Set) -> Set {
    Set::decode(&set.encode()).expect("what was encoded decodes")
}

proptest! {
    #[test]
    fn a_set_survives_its_encoding(set in sets()) {
        prop_assert_eq!(decoded(&set), set);
    }

    #[test]
    fn sets_obey_the_laws_of_sets(a in sets(), b in sets(), c in sets()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
        prop_assert!(a.difference(&b).intersection(&b).is_empty());
        prop_assert_eq!(a.difference(&b.union(&c)), a.difference(&b).difference(&c));
        prop_assert!(a.difference(&a).is_empty());
        prop_assert!(a.without(&b).difference(&a.difference(&b)).is_empty());
    }

    #[test]
    fn a_comparison_and_its_mirror_agree(a in widgets(), b in widgets()) {
        let schema = samples::widget();
        let (there, back) = (compare(&a, &b, &schema), compare(&b, &a, &schema));
        prop_assert_eq!(&there.added, &back.removed);
        prop_assert_eq!(&there.modified, &back.modified);
        prop_assert!(there.added.intersection(&there.modified).is_empty());
        prop_assert!(there.added.intersection(&there.removed).is_empty());
        prop_assert!(compare(&a, &a, &schema).is_empty());
    }

    #[test]
    fn a_configuration_owns_what_a_creation_with_it_adds(a in widgets()) {
        let schema = samples::widget();
        let added = compare(&json!({}), &a, &schema).added;
        let owned = build::fields(&a, Some(&schema));
        // A creation adds what maps and lists are in, too.
        prop_assert!(owned.difference(&added).difference(&super::super::track::NEVER_OWNED).is_empty(), "{owned:?} {added:?}");
    }

    #[test]
    fn applying_twice_is_applying_once(before in prop::option::of(widgets()), other in widgets(), config in widgets()) {
        let schema = samples::widget();
        let live = before.map(|mut new| {
            track(None, &mut new, &schema, manager("u"), &[]);
            new
        });
        let by = |name: &'static str, secs: i64| Manager { time: time(secs), ..manager(name) };
        let live = apply(live.as_ref(), &other, &schema, by("o", 1), true, &[]).expect("forced");
        let once = apply(Some(&live), &config, &schema, by("m", 2), true, &[]).expect("forced");
        let twice = apply(Some(&once), &config, &schema, by("m", 3), false, &[]).expect("nothing is taken from anybody");
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn what_is_applied_is_there(live in widgets(), config in widgets()) {
        let schema = samples::widget();
        let new = apply(Some(&live), &config, &schema, manager("m"), true, &[]).expect("forced");
        prop_assert_eq!(&new["spec"]["size"], if config["spec"]["size"].is_null() { &live["spec"]["size"] } else { &config["spec"]["size"] });
        let changes = compare(&new, &build::merged(&new, &config, &schema), &schema);
        prop_assert!(changes.is_empty(), "{changes:?}");
    }

    #[test]
    fn any_list_of_managers_gets_an_answer(
        stored in entries(), sent in prop::option::of(entries()), old in widgets(), new in widgets(), config in free(4),
    ) {
        let schema = samples::widget();
        let mut old = old;
        old["metadata"]["managedFields"] = stored;
        let mut updated = new;
        if let Some(sent) = sent {
            updated["metadata"]["managedFields"] = sent;
        }
        let config_like = updated.clone();
        track(Some(&old), &mut updated, &schema, manager("m"), &[]);
        // What was written can be written again, and its list is one.
        let mut again = updated.clone();
        track(Some(&updated), &mut again, &schema, manager("m"), &[]);
        prop_assert_eq!(again, updated);
        let _ = apply(Some(&old), &config_like, &schema, manager("m"), true, &[]);
        let _ = apply(Some(&old), &config, &schema, manager("m"), true, &[]);
        let _ = apply(Some(&config), &old, &schema, manager("m"), false, &[]);
        let mut anything = config.clone();
        track(Some(&config), &mut anything, &schema, manager("m"), &[]);
        track(None, &mut anything, &schema, manager("m"), &[]);
    }
}
