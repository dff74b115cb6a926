use super::*;

fn env(pairs: &[(&str, &str)]) -> Environment {
    Environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn read(pairs: &[(&str, &str)]) -> Result<(Said, Vec<String>), String> {
    let mut notices = Vec::new();
    env(pairs).read(&mut notices).map(|said| (said, notices)).map_err(|exit| exit.to_string())
}

#[test]
fn an_empty_environment_serves_everything_and_checks_nothing() {
    let (said, notices) = read(&[("X_CSI_MODE", "")]).expect("nothing is wrong");
    assert!(notices.is_empty());
    assert_eq!(said.mode, Mode { controller: true, node: true });
    assert!(!said.lines.requests && !said.checks.requests && said.serial.is_none() && said.access.mode.is_none());
}

#[test]
fn debug_is_a_level_and_both_kinds_of_lines() {
    let on = env(&[("X_CSI_DEBUG", "T")]);
    assert_eq!(on.verbosity("", &mut Vec::new()), Ok(Some(5)));
    let (said, _) = read(&[("X_CSI_DEBUG", "T")]).expect("read");
    assert!(said.lines.requests && said.lines.replies && said.request_ids);
}

#[test]
fn the_flag_beats_the_environment_and_an_unknown_level_is_info() {
    let mut notices = Vec::new();
    let both = env(&[("X_CSI_LOG_LEVEL", "ERROR"), ("LOG_LEVEL", "debug")]);
    assert_eq!(both.verbosity("debug", &mut notices), Ok(Some(5)));
    assert!(notices.is_empty());
    assert_eq!(both.verbosity("", &mut notices), Ok(Some(0)));
    assert!(notices[0].contains("X_CSI_LOG_LEVEL"));
    assert_eq!(env(&[("LOG_LEVEL", "loud")]).verbosity("", &mut notices), Ok(Some(0)));
    assert!(notices[1].contains("loud"));
}

#[test]
fn one_word_turns_on_both_validations_and_a_demand_turns_on_its_own() {
    let (said, _) = read(&[("X_CSI_SPEC_VALIDATION", "true"), ("X_CSI_SPEC_DISABLE_LEN_CHECK", "1")]).expect("read");
    assert!(said.checks.requests && said.checks.replies && !said.checks.lengths);
    let (said, _) = read(&[("X_CSI_REQUIRE_CREDS_NODE_PUB_VOL", "true")]).expect("read");
    assert!(said.checks.requests && !said.checks.replies && said.checks.secrets == ["NodePublishVolume"]);
    assert_eq!(read(&[("X_CSI_REQUIRE_CREDS", "true")]).expect("read").0.checks.secrets.len(), 6);
}

#[test]
fn the_socket_and_the_plugin_are_as_gocsi_says_them() {
    let (said, _) = read(&[
        ("X_CSI_ENDPOINT_PERMS", "0660"),
        ("X_CSI_ENDPOINT_GROUP", "docker"),
        ("X_CSI_PLUGIN_INFO", "csi.example.com, v1.2.3, a=b"),
        ("X_CSI_SERIAL_VOL_ACCESS", "true"),
        ("X_CSI_SERIAL_VOL_ACCESS_TIMEOUT", "3s"),
        ("X_CSI_MODE", "Node"),
    ])
    .expect("read");
    assert_eq!((said.access.mode, said.owner.group.as_deref()), (Some(0o660), Some("docker")));
    assert_eq!(said.serial, Some(Duration::from_secs(3)));
    assert_eq!(said.mode, Mode { controller: false, node: true });
    let info = said.plugin_info.expect("given");
    assert_eq!(
        (info.name.as_str(), info.vendor_version.as_str(), info.manifest["a"].as_str()),
        ("csi.example.com", "v1.2.3", "b")
    );
    assert_eq!(read(&[("X_CSI_ENDPOINT_PERMS", "0755")]).expect("read").0.access.mode, None);
}

#[test]
fn what_cannot_be_honoured_is_an_error_with_a_way_out() {
    for (name, value, way) in [
        ("X_CSI_SERIAL_VOL_ACCESS_ETCD_ENDPOINTS", "http://e:2379", "unset it"),
        ("X_CSI_GO_PLUGINS", "a.so", "X_CSI_DRIVER=unix://"),
        ("X_CSI_NFS_VOLUMES", "a=b:/c", "NFS CSI driver"),
        ("X_CSI_ENDPOINT_PERMS", "rw", "octal"),
        ("X_CSI_PLUGIN_INFO", "name", "VERSION"),
        ("X_CSI_NATIVE", "perhaps", "true or false"),
        ("X_CSI_SPEC_VALIDATION", "yes", "true or false"),
    ] {
        let said = read(&[(name, value)]).expect_err(name);
        assert!(said.contains(name) && said.contains(way), "{said}");
    }
    assert!(read(&[("X_CSI_SERIAL_VOL_ACCESS", "1"), ("X_CSI_SERIAL_VOL_ACCESS_TIMEOUT", "3")]).is_err());
}

#[test]
fn what_has_no_effect_is_told_and_never_its_value() {
    let (_, notices) =
        read(&[("X_CSI_SECRETS", "key=hunter2"), ("X_CSI_COLOUR", "blue"), ("DOCKER_LEGACY", "false")]).expect("read");
    assert_eq!(notices.len(), 3);
    assert!(notices.iter().all(|notice| !notice.contains("hunter2")), "{notices:?}");
}
