use proptest::prelude::*;

use super::*;

fn place(pairs: &[(&str, &str)]) -> Segments {
    pairs.iter().copied().collect()
}

fn zones(names: &[&str]) -> Vec<Segments> {
    names.iter().map(|name| place(&[("zone", name)])).collect()
}

#[test]
fn places_are_sorted_by_length_and_then_by_pairs_and_named_once() {
    let (short, long) = (place(&[("zone", "z")]), place(&[("rack", "1"), ("zone", "a")]));
    let all = normalized(vec![long.clone(), short.clone(), long.clone()]);
    assert_eq!(all, [short, long]);
}

#[test]
fn the_hash_is_fnv_1_and_not_1a() {
    // Published test vectors of the FNV authors.
    assert_eq!(fnv1(""), 0x811c_9dc5);
    assert_eq!(fnv1("a"), 0x050c_5d7e);
    assert_eq!(fnv1("foobar"), 0x31f0_b262);
}

#[test]
fn members_of_a_stateful_set_take_turns() {
    let first = |claim: &str| TopologyRequirement::spread(zones(&["a", "b", "c"]), claim).unwrap().preferred[0].clone();
    let members = ["data-web-0", "data-web-1", "data-web-2"].map(first);
    assert_eq!(normalized(members.to_vec()).len(), 3);
    assert_eq!(first("data-web-3"), first("data-web-0"));
}

#[test]
fn claims_of_one_member_start_in_one_place() {
    assert_eq!(spread_offset("data-web-7"), spread_offset("logs-web-7"));
    assert_ne!(spread_offset("data-web"), spread_offset("logs-web"));
}

#[test]
fn an_index_beyond_32_bits_is_part_of_the_name() {
    assert_eq!(spread_offset("web-4294967295"), fnv1("web").wrapping_add(u32::MAX));
    assert_eq!(spread_offset("web-4294967296"), fnv1("web-4294967296"));
    assert_eq!(spread_offset("web-"), fnv1("web-"));
}

#[test]
fn the_consumers_place_comes_first_and_the_order_goes_on_from_there() {
    let consumer = place(&[("zone", "b"), ("host", "n1")]);
    let need = TopologyRequirement::around(zones(&["c", "a", "b"]), &consumer).unwrap();
    assert_eq!(need.requisite, zones(&["a", "b", "c"]));
    assert_eq!(need.preferred, zones(&["b", "c", "a"]));
    assert_eq!(TopologyRequirement::around(zones(&["a"]), &consumer), None);
}

#[test]
fn no_places_ask_for_nothing() {
    assert_eq!(TopologyRequirement::spread(Vec::new(), "data"), None);
}

proptest! {
    #[test]
    fn preferred_is_a_rotation_of_requisite(names in proptest::collection::vec("[a-d]", 1..8), claim in "[a-z0-9-]{0,12}") {
        let places: Vec<_> = names.iter().map(|name| place(&[("zone", name)])).collect();
        let need = TopologyRequirement::spread(places, &claim).unwrap();
        prop_assert_eq!(normalized(need.preferred.clone()), need.requisite.clone());
        let twice = [need.requisite.clone(), need.requisite].concat();
        prop_assert!(twice.windows(need.preferred.len()).any(|part| part == need.preferred));
    }
}
