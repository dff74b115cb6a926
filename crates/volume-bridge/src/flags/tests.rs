use sidecar::parse;

use super::*;

fn config(args: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let argv = std::iter::once("longshore serve").chain(args.split_whitespace()).map(Into::into);
    let env = Environment(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    let flags = parse::<Flags>(Flags::DIALECT, argv).map_err(|exit| exit.to_string())?;
    flags.meaning(&env, false, &mut Vec::new()).map_err(|exit| exit.to_string())
}

fn unix(path: &str) -> Endpoint {
    Endpoint::Unix(std::path::absolute(path).expect("a working directory"))
}

#[test]
fn everything_has_a_default() {
    let config = config("", &[]).expect("no flags are needed");
    assert_eq!(config.endpoint, unix("/run/docker/plugins/longshore.sock"));
    assert!(matches!(config.driver, Driver::BuiltIn { kind: "directory", .. }));
    assert!(config.docker && config.csi.memory.is_none() && config.spec.is_none());
}

/// The lines of REX-Ray's document.
#[test]
fn rex_rays_own_environment_is_read_as_it_stands() {
    let native = [("X_CSI_DRIVER", "csi-vfs"), ("X_CSI_NATIVE", "true"), ("CSI_ENDPOINT", "csi.sock")];
    let read = config("", &native).expect("the document's example");
    assert_eq!(read.endpoint, unix("csi.sock"));
    assert!(matches!(read.driver, Driver::BuiltIn { kind: "directory", .. }));
    assert!(config("-l debug", &[("X_CSI_NATIVE", "true")]).is_ok());
    let block = config("--csiDriver csi-blockdevices", &[]).expect("a flag of REX-Ray's");
    assert!(matches!(block.driver, Driver::BuiltIn { kind: "loop", .. }));
}

#[test]
fn libstorage_is_refused_with_what_to_use_instead() {
    for env in [[("X_CSI_DRIVER", "libstorage")], [("X_CSI_NATIVE", "false")]] {
        let said = config("", &env).expect_err("refused");
        assert!(said.contains("libstorage") && said.contains("csi-vfs") && said.contains("unix:///"), "{said}");
    }
}

#[test]
fn an_endpoint_is_a_path_with_or_without_a_scheme() {
    for (text, path) in
        [("unix:///a/b.sock", "/a/b.sock"), ("/a/b.sock", "/a/b.sock"), ("unix://c.sock", "c.sock"), ("c.sock", "c.sock")]
    {
        assert_eq!(config("", &[("CSI_ENDPOINT", text)]).expect(text).endpoint, unix(path));
    }
    let tcp = [("CSI_ENDPOINT", "tcp://127.0.0.1:9000")];
    assert!(config("", &tcp).expect_err("refused").contains("--allow-tcp"));
    assert_eq!(config("--allow-tcp", &tcp).expect("asked for").endpoint, Endpoint::Tcp("127.0.0.1:9000".into()));
    assert!(config("--allow-tcp --endpoint tcp://host", &[]).is_err() && config("--endpoint http://a", &[]).is_err());
}

#[test]
fn a_driver_is_known_by_name_or_given_by_its_socket() {
    let at = |path: &str| Driver::At(Address::Unix(std::path::absolute(path).expect("a working directory")));
    for (text, path) in [("unix:///d.sock", "/d.sock"), ("/d.sock", "/d.sock"), ("run/d", "run/d"), ("d.sock", "d.sock")] {
        assert_eq!(config(&format!("--driver {text}"), &[]).expect(text).driver, at(path));
    }
    assert!(config("--driver /d.sock", &[]).expect("flags").csi.memory.is_some());
    assert!(config("--driver /d.sock --idempotency=false", &[]).expect("flags").csi.memory.is_none());
    for unknown in ["csi-nfs", "ebs", "tcp://h:1"] {
        assert!(config(&format!("--driver {unknown}"), &[]).expect_err(unknown).contains("csi-blockdevices"));
    }
}

#[test]
fn docker_is_led_to_a_socket_that_it_would_not_find() {
    let spec = |args: &str| config(args, &[("CSI_ENDPOINT", "/tmp/csi.sock")]).expect("flags").spec;
    assert_eq!(
        spec("--plugin-spec-dir /etc/docker/plugins --name mine"),
        Some(("/etc/docker/plugins".into(), "mine".into(), true))
    );
    assert_eq!((spec(""), spec("--plugin-spec-dir=")), (None, None));
}

#[test]
fn what_makes_no_sense_is_one_sentence_that_names_the_flag() {
    for (args, flag) in [
        ("--state-dir /var/lib/docker/x", "--state-dir"),
        ("--scope world", "--scope"),
        ("--timeout 0s", "--timeout"),
        ("--forget-mount volume", "--forget-mount"),
        ("--list-mounts --forget-mount a/b", "--list-mounts"),
        ("--plugin-spec-dir /p --name a/b", "--name"),
    ] {
        let said = config(args, &[]).expect_err(args);
        assert!(said.contains(flag), "{said}");
    }
}
