use csi_types::{AccessMode, NodeName, Segments, TopologyRequirement};
use proptest::prelude::*;

use super::*;
use crate::fixtures::{DRIVER, UID, ask, class, place, placed_view, view};
use crate::view::{AttributesClass, ClaimView, Live};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn written(ask: &Ask) -> String {
    write(ask, &DRIVER.into(), "run", NOW).unwrap()
}

fn reread(text: &str) -> Result<Ask, String> {
    read(UID, text, &DRIVER.into()).map(|intent| Arc::unwrap_or_clone(intent.ask))
}

/// A claim that uses everything there is.
fn full_view() -> ClaimView {
    let mut v = placed_view();
    let claim = v.claim.as_mut().unwrap();
    claim.access_modes = vec![AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany, AccessMode::ReadWriteMany];
    claim.attributes_class = Some("gold".to_owned());
    let attributes = AttributesClass { driver: DRIVER.to_owned(), parameters: BTreeMap::from([("iops".into(), "9".into())]) };
    v.recall.live = Some(Arc::new(Live { annotations: BTreeMap::new(), attributes: Some(attributes) }));
    let parameters = [
        ("type", "ssd"),
        ("csi.storage.k8s.io/fstype", "xfs"),
        ("csi.storage.k8s.io/provisioner-secret-name", "${pvc.name}"),
        ("csi.storage.k8s.io/provisioner-secret-namespace", "${pvc.namespace}"),
        ("csiNodeStageSecretName", "old"),
        ("csiNodeStageSecretNamespace", "old"),
    ];
    let class = class(&parameters);
    let old = v.class.replace(class).unwrap();
    let class = v.class.as_mut().unwrap();
    (class.waits_for_consumer, class.mount_options) = (old.waits_for_consumer, vec!["noatime".to_owned(), "ro".to_owned()]);
    let mut driver = (*v.driver).clone();
    driver.controller.insert(csi_types::ControllerCapability::ModifyVolume);
    v.driver = Arc::new(driver);
    v
}

#[test]
fn an_ask_is_read_as_it_was_written() {
    let mut block = view();
    block.claim.as_mut().unwrap().volume_mode = Some(VolumeMode::Block);
    let mut strict = placed_view();
    Arc::make_mut(&mut strict.settings).strict_topology = true;
    for v in [view(), block, strict, placed_view(), full_view()] {
        let ask = ask(&v);
        assert_eq!(reread(&written(&ask)).as_ref(), Ok(&*ask));
    }
}

#[test]
fn an_ordinary_record_is_some_hundred_bytes_and_one_of_five_hundred_nodes_some_kilobytes() {
    let mut ask = (*ask(&view())).clone();
    let length = written(&ask).len();
    assert!(length < 420, "{length}");
    let zones = (0..500).map(|n| place(&[("topology.csi.example.com/node", &format!("node-{n}"))])).collect();
    ask.accessibility = TopologyRequirement::spread(zones, "data");
    let length = written(&ask).len();
    assert!(length < 500 + 500 * 15, "{length}");
    assert_eq!(reread(&written(&ask)), Ok(ask));
}

#[test]
fn two_records_are_never_the_same() {
    let (ask, driver) = (ask(&view()), DRIVER.into());
    let later = Timestamp::from_nanosecond(1).unwrap();
    assert_ne!(write(&ask, &driver, "run", NOW).unwrap(), write(&ask, &driver, "run", later).unwrap());
    assert_ne!(write(&ask, &driver, "run", NOW).unwrap(), write(&ask, &driver, "other", NOW).unwrap());
}

#[test]
fn what_is_not_understood_word_for_word_is_not_acted_on_and_the_reason_is_said() {
    let text = written(&ask(&full_view()));
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        reread(&text.replacen(from, to, 1)).unwrap_err()
    };
    assert!(with("\"v\":1", "\"v\":2").contains("version 2"));
    assert!(with("\"v\":1", "\"v\":1,\"more\":0").contains("more"));
    assert!(with(DRIVER, "other").contains("driver other"));
    assert!(with("CreateVolume", "CreateSnapshot").contains("CreateSnapshot"));
    assert!(with("SINGLE_NODE_WRITER", "ANY").contains("ANY"));
    assert!(with("\"from\":1", "\"from\":9").contains("preferred"));
    with("\"name\":\"data\"", "\"value\":\"data\"");
    assert_eq!(read("another", &text, &DRIVER.into()).unwrap().ask.claim_uid, "another");
    for bad in ["", "{}", "null", "[1]", "{\"v\":1}", "\u{0}"] {
        assert!(reread(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn secrets_are_references() {
    let text = written(&ask(&full_view()));
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let reference = serde_json::json!({"namespace": "team-a", "name": "data"});
    assert_eq!(record["secrets"]["provisioner"], reference);
    assert!(!text.contains("csi.storage.k8s.io/"), "reserved keys have become what they mean: {text}");
}

fn places() -> impl Strategy<Value = Vec<Segments>> {
    let place = proptest::collection::btree_map("[ab]", "[xyz]", 0..3).prop_map(Segments);
    proptest::collection::vec(place, 0..6)
}

proptest! {
    #[test]
    fn any_requirement_is_unpacked_as_it_was_packed(requisite in places(), preferred in places(), start in 0..6usize, kind in 0..3) {
        let preferred = match kind {
            0 => preferred,
            1 => { let start = start.min(requisite.len()); [&requisite[start..], &requisite[..start]].concat() }
            _ => requisite.iter().rev().cloned().collect(),
        };
        let requirement = TopologyRequirement { requisite, preferred };
        let text = serde_json::to_string(&Places::pack(&requirement)).unwrap();
        prop_assert_eq!(serde_json::from_str::<Places>(&text).unwrap().unpack(), Ok(requirement));
    }

    #[test]
    fn no_text_makes_reading_panic(text in ".*", at in 0..300usize, by in any::<char>(), node in "[a-z]{1,9}") {
        let _ = reread(&text);
        let mut ask = (*ask(&placed_view())).clone();
        ask.selected_node = Some(NodeName::from(node.as_str()));
        let changed: String = written(&ask).chars().enumerate().map(|(n, c)| if n == at { by } else { c }).collect();
        let _ = reread(&changed);
    }
}
