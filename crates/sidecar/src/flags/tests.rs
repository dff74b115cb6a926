use std::ffi::OsString;

use super::*;
use crate::{Dialect, parse};

#[derive(Debug, clap::Parser)]
struct All {
    #[command(flatten)]
    csi: CsiFlags,
    #[command(flatten)]
    kube: KubeFlags,
    #[command(flatten)]
    election: LeaderElectionFlags,
    #[command(flatten)]
    http: HttpFlags,
    #[command(flatten)]
    version: VersionFlag,
    #[command(flatten)]
    procs: AutomaxprocsFlag,
    #[command(flatten)]
    gates: GateFlags,
    #[command(flatten)]
    logs: crate::LogFlags,
}

fn read(line: &str) -> All {
    parse(Dialect::Std, std::iter::once("prog").chain(line.split_whitespace()).map(OsString::from))
        .unwrap_or_else(|exit: Exit| panic!("{line}: {exit}"))
}

#[test]
fn defaults_are_upstreams_except_for_the_throttle() {
    let flags = read("");
    assert_eq!(flags.csi.csi_address, "/run/csi/socket");
    assert_eq!(flags.kube.config(), KubeConfig { kubeconfig: None, rate: None });
    assert_eq!(flags.election.config().unwrap(), None);
    let http = flags.http.config(&mut Vec::new()).unwrap();
    assert_eq!(http, HttpConfig { listen: None, leader_health: false, metrics_path: "/metrics".into() });
    assert!(!flags.version.version && !flags.procs.automaxprocs && flags.gates.feature_gates.is_empty());
    assert!(flags.logs.config().is_ok());
    let election = read("--leader-election").election.config().unwrap().unwrap();
    assert_eq!(
        (election.namespace, election.lease_duration, election.renew_deadline, election.retry_period),
        (None, Duration::from_secs(15), Duration::from_secs(10), Duration::from_secs(5))
    );
}

#[test]
fn a_given_throttle_is_obeyed() {
    assert_eq!(read("--kube-api-qps=5").kube.config().rate, Some(Rate { qps: 5.0, burst: 10 }));
    assert_eq!(read("--kube-api-qps=0.5 --kube-api-burst=0").kube.config().rate, Some(Rate { qps: 0.5, burst: 1 }));
    assert_eq!(read("--kube-api-qps=-1").kube.config().rate, None);
    assert_eq!(read("--kube-api-qps=nan").kube.config().rate, None);
    assert_eq!(read("--kube-api-burst=500").kube.config().rate, None, "a burst alone limits nothing");
}

#[test]
fn labels_of_a_repeated_flag_add_up() {
    let flags = read("--leader-election --leader-election-labels=a:1,b:2 --leader-election-labels c:3");
    let labels = flags.election.config().unwrap().unwrap().labels;
    assert_eq!(labels.into_iter().map(|(k, v)| k + &v).collect::<Vec<_>>(), ["a1", "b2", "c3"]);
}

#[test]
fn lease_times_must_leave_room_to_renew() {
    for (line, flag) in [
        ("--leader-election-retry-period=0", "retry-period"),
        ("--leader-election-retry-period=9s", "renew-deadline"),
        ("--leader-election-renew-deadline=6s", "renew-deadline"),
        ("--leader-election-renew-deadline=15s", "lease-duration"),
        ("--leader-election-lease-duration=10s", "lease-duration"),
    ] {
        let exit = read(&format!("--leader-election {line}")).election.config().unwrap_err();
        assert_eq!(exit.code(), 1);
        assert!(exit.to_string().starts_with(&format!("--leader-election-{flag}")), "{line}: {exit}");
        assert_eq!(read(line).election.config(), Ok(None), "nobody asks without election");
    }
    assert!(read("--leader-election --leader-election-renew-deadline=6001ms").election.config().is_ok());
}

#[test]
fn the_metrics_address_is_an_alias_without_leader_health_and_never_a_second_address() {
    let mut notices = Vec::new();
    let http = read("--metrics-address=:8080 --metrics-path=/m").http.config(&mut notices).unwrap();
    assert_eq!(http, HttpConfig { listen: Some(":8080".into()), leader_health: false, metrics_path: "/m".into() });
    assert_eq!(notices.len(), 1);
    let http = read("--http-endpoint=:8080").http.config(&mut notices).unwrap();
    assert!(http.leader_health);
    assert_eq!(notices.len(), 1);
    let exit = read("--http-endpoint=:8080 --metrics-address=:8081").http.config(&mut notices).unwrap_err();
    assert_eq!(exit.code(), 1);
    assert_eq!(read("--metrics-path=metrics").http.config(&mut notices).unwrap_err().code(), 1);
}

#[test]
fn automaxprocs_is_accepted_bare_and_with_a_value() {
    assert!(read("--automaxprocs").procs.automaxprocs);
    assert!(!read("--automaxprocs=false").procs.automaxprocs);
}
