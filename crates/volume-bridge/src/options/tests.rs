use proptest::prelude::*;

use super::*;

fn asked(pairs: &[(&str, &str)]) -> Result<Asked, OptionError> {
    let options = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    read(&options, Path::new("/etc/longshore/secrets"))
}

#[test]
fn no_options_are_a_writable_volume_of_the_drivers_own_size() {
    let asked = asked(&[]).expect("nothing is wrong with nothing");
    assert_eq!((asked.required, asked.access_mode.as_str(), asked.readonly()), (Bytes(0), "SINGLE_NODE_WRITER", false));
}

#[test]
fn what_is_not_ours_is_the_drivers_as_it_was_written() {
    let asked = asked(&[("type", "gp3"), ("IOPS", " 100 "), ("size", "1")]).expect("options");
    let expected = [("IOPS", " 100 "), ("type", "gp3")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(asked.parameters, BTreeMap::from(expected));
}

#[test]
fn a_bare_size_is_in_gib_and_units_are_what_people_write() {
    let size = |text| asked(&[("size", text)]).map(|asked| asked.required.0);
    for (text, bytes) in [
        ("10", 10 << 30),
        ("512Mi", 512 << 20),
        ("512MiB", 512 << 20),
        ("1G", 1_000_000_000),
        ("1GB", 1_000_000_000),
        ("4K", 4_000),
        ("4Ki", 4_096),
        ("1.5Gi", 3 << 29),
        ("1073741824B", 1 << 30),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    for bad in ["", "ten", "10 GiB", "-1Gi", "0", "1073741824", "10X", "B"] {
        if bad == "0" {
            assert_eq!(size(bad), Ok(0), "no size");
            continue;
        }
        let said = size(bad).expect_err(bad).to_string();
        assert!(said.contains("option size") && said.contains("512Mi"), "{said}");
    }
}

#[test]
fn names_of_options_are_read_in_any_case_and_once() {
    let asked = asked(&[("FSTYPE", "xfs"), ("accessmode", "single-node-reader-only"), ("mountflags", "noatime, ro,")]);
    let asked = asked.expect("options");
    assert_eq!((asked.fs_type.as_str(), asked.readonly()), ("xfs", true));
    assert_eq!(asked.mount_flags, ["noatime", "ro"]);
    let twice = super::read(
        &BTreeMap::from([("fsType".to_owned(), "xfs".to_owned()), ("fstype".to_owned(), "ext4".to_owned())]),
        Path::new("/s"),
    );
    assert!(matches!(twice, Err(OptionError::Twice { .. })));
}

#[test]
fn a_secrets_file_is_a_path_and_never_climbs() {
    let file = |text| asked(&[("secretsFile", text)]).map(|asked| asked.secrets_file);
    assert_eq!(file("ceph"), Ok(Some("/etc/longshore/secrets/ceph".into())));
    assert_eq!(file("/root/ceph"), Ok(Some("/root/ceph".into())));
    assert!(file("../shadow").is_err() && file("").is_err());
}

#[test]
fn what_cannot_be_honoured_is_named_with_what_was_expected() {
    let said = |pairs: &[(&str, &str)]| asked(pairs).expect_err("refused").to_string();
    assert!(said(&[("accessMode", "rw")]).contains("MULTI_NODE_MULTI_WRITER"));
    assert!(said(&[("accessType", "block")]).contains("accessType"));
    assert!(said(&[("id", "")]).contains("option id"));
    assert!(said(&[("id", "v1"), ("size", "1")]).contains("exists already"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_options_are_answered_and_none_is_lost(
        options in proptest::collection::btree_map("[a-zA-Z]{0,12}|size|fsType|mountFlags|id|secretsFile", "[ -~äß€]{0,12}|[0-9]{0,22}[a-zA-Z]{0,3}", 0..5)
    ) {
        if let Ok(asked) = read(&options, Path::new("/s")) {
            let ours = |key: &String| OURS.iter().any(|ours| ours.eq_ignore_ascii_case(key));
            for (key, value) in options.iter().filter(|(key, _)| !ours(key)) {
                prop_assert_eq!(asked.parameters.get(key), Some(value));
            }
            prop_assert_eq!(asked.parameters.len(), options.keys().filter(|key| !ours(key)).count());
        }
    }
}
