use super::*;

fn config(args: &[&str]) -> Result<(Config, Vec<String>), Exit> {
    let argv = std::iter::once("external-provisioner").chain(args.iter().copied()).map(Into::into);
    let flags: Flags = sidecar::parse(Flags::DIALECT, argv)?;
    let mut notices = Vec::new();
    Ok((flags.config(&mut notices)?, notices))
}

#[test]
fn without_flags_the_defaults_are_upstreams_but_for_the_client_limit() {
    let (config, notices) = config(&[]).unwrap();
    assert_eq!(notices, Vec::<String>::new());
    let setup = config.setup;
    assert_eq!(setup.csi_address.to_string(), "unix:///run/csi/socket");
    assert_eq!((setup.kube, setup.election), (sidecar::flags::KubeConfig::default(), None));
    assert_eq!(setup.timeout, Duration::from_secs(10));
    assert_eq!((setup.lease_name)("hostpath.csi.k8s.io"), "hostpath-csi-k8s-io");
    let controller = config.controller;
    assert_eq!(controller.workers, 100);
    assert_eq!(controller.backoff, Backoff { start: Duration::from_secs(1), max: Duration::from_secs(300) });
    let settings = controller.settings;
    assert_eq!((settings.name_prefix.as_str(), settings.uuid_length), ("pvc", None));
    assert!(settings.topology && settings.immediate_topology && settings.attributes_classes);
    assert!(!settings.strict_topology && !settings.extra_create_metadata && !settings.publish_readonly);
}

#[test]
fn every_flag_of_the_original_parses() {
    let all = [
        "--master=https://x",
        "--volume-name-prefix=vol",
        "--volume-name-uuid-length=10",
        "--retry-interval-start=2s",
        "--retry-interval-max=10m",
        "--worker-threads=7",
        "--cloning-protection-threads=2",
        "--snapshot-orphan-sweep-interval=0",
        "--capacity-threads=2",
        "--timeout=1m30s",
        "--strict-topology",
        "--immediate-topology=false",
        "--extra-create-metadata=true",
        "--enable-pprof",
        "--default-fstype",
        "xfs",
        "--kube-api-capacity-qps=2.5",
        "--kube-api-capacity-burst=9",
        "--enable-capacity=false",
        "--capacity-for-immediate-binding",
        "--capacity-poll-interval=5m",
        "--capacity-ownerref-level=-1",
        "--node-deployment=false",
        "--node-deployment-immediate-binding=false",
        "--node-deployment-base-delay=1s",
        "--node-deployment-max-delay=2s",
        "--controller-publish-readonly",
        "--prevent-volume-mode-conversion=false",
        "--feature-gates=Topology=true,CrossNamespaceVolumeDataSource=false",
        "--kubeconfig=/k",
        "--csi-address=unix:///s",
        "--leader-election",
        "--leader-election-namespace=ns",
        "--leader-election-lease-duration=20s",
        "--leader-election-renew-deadline=15s",
        "--leader-election-retry-period=4s",
        "--leader-election-labels=a:b",
        "--kube-api-qps=20",
        "--kube-api-burst=30",
        "--http-endpoint=:8080",
        "--metrics-path=/m",
        "--automaxprocs",
        "--logging-format=json",
        "--log-flush-frequency=1s",
        "-v",
        "5",
    ];
    let (config, notices) = config(&all).unwrap();
    assert_eq!(notices.len(), 2, "pprof and the gate that is generally available: {notices:?}");
    assert_eq!(config.setup.kube.rate, Some(cluster::limits::Rate { qps: 20.0, burst: 30 }));
    assert_eq!(config.setup.server.as_deref(), Some("https://x"));
    assert_eq!(config.controller.settings.uuid_length, Some(10));
    assert!(config.setup.election.is_some() && config.setup.http.leader_health);
}

#[test]
fn what_this_version_does_not_have_is_said_in_one_sentence() {
    for flag in ["--enable-capacity", "--node-deployment"] {
        let exit = config(&[flag]).unwrap_err();
        assert_eq!(exit.code(), 1);
        assert!(exit.to_string().contains(flag), "{exit}");
    }
}

#[test]
fn names_that_could_not_tell_volumes_apart_are_refused() {
    for flag in
        ["--volume-name-prefix=", "--volume-name-uuid-length=0", "--volume-name-uuid-length=33", "--volume-name-uuid-length=-2"]
    {
        assert_eq!(config(&[flag]).unwrap_err().code(), 1, "{flag}");
    }
}

#[test]
fn an_unknown_flag_or_a_bad_value_is_a_usage_error() {
    assert_eq!(config(&["--provisioner=x"]).unwrap_err().code(), 2);
    assert_eq!(config(&["--timeout=15"]).unwrap_err().code(), 2);
    assert_eq!(config(&["--timeout=0"]).unwrap_err().code(), 1);
}
