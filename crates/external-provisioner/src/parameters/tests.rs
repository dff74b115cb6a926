use proptest::prelude::*;

use super::*;

fn class(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn template(name: &str, namespace: &str) -> Option<SecretTemplate> {
    Some(SecretTemplate { name: name.to_owned(), namespace: namespace.to_owned() })
}

#[test]
fn the_driver_gets_every_other_key_exactly_and_no_reserved_one() {
    let given = class(&[
        ("Type", " SSD "),
        ("empty", ""),
        ("csi.storage.k8s.io/fstype", "xfs"),
        ("csi.storage.k8s.io/secret-name", "s"),
        ("csi.storage.k8s.io/secret-namespace", "ns"),
        ("csi.storage.k8s.io.example.com/x", "not reserved"),
    ]);
    let read = Parameters::parse(&given).unwrap();
    let want = class(&[("Type", " SSD "), ("empty", ""), ("csi.storage.k8s.io.example.com/x", "not reserved")]);
    assert_eq!(read.driver, want);
    assert_eq!(read.fs_type, "xfs");
}

#[test]
fn an_unknown_reserved_key_is_refused_by_name() {
    let error = Parameters::parse(&class(&[("csi.storage.k8s.io/fsType", "xfs")])).unwrap_err();
    assert_eq!(error, ParameterError::UnknownReserved { key: "csi.storage.k8s.io/fsType".to_owned() });
}

#[test]
fn old_spellings_are_used_and_still_reach_the_driver() {
    let given = class(&[("fsType", "ext4"), ("csiProvisionerSecretName", "s"), ("csiProvisionerSecretNamespace", "ns")]);
    let read = Parameters::parse(&given).unwrap();
    assert_eq!(read.driver, given);
    assert_eq!(read.fs_type, "ext4");
    assert_eq!(read.secrets.provisioner, template("s", "ns"));
    assert_eq!(read.secrets.node_stage, None);
    assert_eq!(read.deprecated.len(), 3);
}

#[test]
fn a_filesystem_given_twice_is_refused() {
    for keys in [["fstype", "fsType"], ["FSTYPE", "csi.storage.k8s.io/fstype"]] {
        let given = class(&[(keys[0], "xfs"), (keys[1], "xfs")]);
        assert!(matches!(Parameters::parse(&given), Err(ParameterError::FsTypeTwice { .. })), "{keys:?}");
    }
}

#[test]
fn a_specific_secret_wins_over_the_default_one() {
    let read = Parameters::parse(&class(&[
        ("csi.storage.k8s.io/secret-name", "all"),
        ("csi.storage.k8s.io/secret-namespace", "ns"),
        ("csi.storage.k8s.io/node-stage-secret-name", "stage"),
        ("csi.storage.k8s.io/node-stage-secret-namespace", "ns2"),
    ]))
    .unwrap();
    assert_eq!(read.secrets.node_stage, template("stage", "ns2"));
    assert_eq!(read.secrets.provisioner, template("all", "ns"));
    assert_eq!(read.secrets.controller_modify, template("all", "ns"));
}

#[test]
fn half_a_secret_reference_names_the_key_that_is_missing() {
    let error = Parameters::parse(&class(&[("csi.storage.k8s.io/node-publish-secret-name", "s")])).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("node-publish-secret-name") && text.contains("node-publish-secret-namespace"), "{text}");
}

#[test]
fn an_empty_name_and_two_spellings_are_refused() {
    let empty = class(&[("csi.storage.k8s.io/secret-name", ""), ("csi.storage.k8s.io/secret-namespace", "ns")]);
    assert!(matches!(Parameters::parse(&empty), Err(ParameterError::EmptySecret { .. })));
    let both = class(&[
        ("csiNodeStageSecretName", "s"),
        ("csi.storage.k8s.io/node-stage-secret-name", "s"),
        ("csi.storage.k8s.io/node-stage-secret-namespace", "ns"),
    ]);
    assert!(matches!(Parameters::parse(&both), Err(ParameterError::OldAndNew { .. })));
}

proptest! {
    #[test]
    fn no_reserved_key_ever_reaches_the_driver_and_no_other_is_lost(
        keys in proptest::collection::btree_map("(csi\\.storage\\.k8s\\.io/)?(fstype|secret-name|secret-namespace|x|y)", "[a-z$]{0,3}", 0..6),
    ) {
        if let Ok(read) = Parameters::parse(&keys) {
            prop_assert!(read.driver.keys().all(|key| !key.starts_with(RESERVED)));
            prop_assert!(keys.iter().filter(|(key, _)| !key.starts_with(RESERVED)).eq(&read.driver));
        }
    }
}
