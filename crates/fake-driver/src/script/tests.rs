use csi_proto::csi::v1 as csi;

use super::*;

fn create(name: &str) -> Request {
    Request::CreateVolume(csi::CreateVolumeRequest { name: name.into(), ..Default::default() })
}

fn hits(script: &str, names: &[&str]) -> Vec<bool> {
    let mut judge = Judge::new(Script::parse(script).expect("script"));
    names.iter().map(|n| judge.judge(&create(n)).is_some()).collect()
}

#[test]
fn nth_is_one_call_and_times_are_the_first_ones() {
    assert_eq!(hits("rules: [{rpc: CreateVolume, nth: 1, hang: true}]", &["a", "b", "c"]), [false, true, false]);
    assert_eq!(hits("rules: [{rpc: CreateVolume, times: 2, hang: true}]", &["a", "b", "c"]), [true, true, false]);
    assert_eq!(hits("rules: [{rpc: CreateVolume, hang: true}]", &["a", "b", "c"]), [true, true, true]);
}

#[test]
fn a_rule_counts_only_the_calls_it_matches() {
    assert_eq!(
        hits("rules: [{rpc: CreateVolume, match: pvc-b, nth: 1, die: true}]", &["pvc-b", "pvc-a", "pvc-b"]),
        [false, false, true]
    );
    assert_eq!(hits("rules: [{rpc: DeleteVolume, die: true}]", &["pvc-b"]), [false]);
}

#[test]
fn the_first_rule_whose_turn_it_is_decides_and_the_others_still_count() {
    let script = Script::from(vec![
        Rule::on(Rpc::CreateVolume).times(1).fail(Code::Unavailable, "one"),
        Rule::on(Rpc::CreateVolume).nth(1).fail(Code::Aborted, "two"),
    ]);
    let mut judge = Judge::new(script);
    let said: Vec<_> = (0..3).map(|_| judge.judge(&create("v")).and_then(|r| r.refusal()).map(|r| r.message)).collect();
    assert_eq!(said, [Some("one".into()), Some("two".into()), None]);
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = "
rules:
- rpc: CreateVolume
  match: pvc-
  times: 1
  fault: {code: DeadlineExceeded, message: too slow}
  when: after
  late: 1m15s
";
    let json = r#"{"rules":[{"rpc":"CreateVolume","match":"pvc-","times":1,"when":"after","late":"75s",
        "fault":{"code":"DeadlineExceeded","message":"too slow"}}]}"#;
    let script = Script::parse(yaml).expect("yaml");
    assert_eq!(script, Script::parse(json).expect("json"));
    let built = Rule::on(Rpc::CreateVolume).matching("pvc-").times(1).fail(Code::DeadlineExceeded, "too slow").after();
    assert_eq!(script.rules, [built.late(Duration::from_secs(75))]);
    assert_eq!(Script::parse(&serde_json::to_string(&script).expect("json")).expect("own writing"), script);
    assert_eq!(Script::parse("").expect("empty"), Script::default());
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_rule() {
    for (text, says) in [
        ("rules: [{rpc: CreateVolume, hang: true, die: true}]", "rule 0 (CreateVolume): only one of fault, hang and die"),
        ("rules: [{rpc: CreateVolume, nth: 0, times: 1}]", "nth and times exclude"),
        ("rules: [{rpc: CreateVolume, hang: true, late: 1s}]", "late waits after the effect"),
        ("rules: [{rpc: DeleteVolume, answer_capacity: 1}]", "answer_capacity is for CreateVolume"),
        ("rules: [{rpc: CreateVolumes}]", "does not parse"),
        ("rules: [{rpc: CreateVolume, delay: 5}]", "does not parse"),
        ("rules: [{rpc: CreateVolume, delay: 5 parsecs}]", "does not parse"),
        ("rules: [{rpc: CreateVolume, sleep: 5s}]", "does not parse"),
        ("rules: [{rpc: CreateVolume, fault: {code: Ok}}]", "does not parse"),
    ] {
        let error = Script::parse(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn the_schema_names_every_call_and_every_code() {
    let schema = Script::schema().to_string();
    for word in ["CreateVolume", "NodeGetInfo", "FailedPrecondition", "answer_capacity", "1m30s"] {
        assert!(schema.contains(word), "{word}: {schema}");
    }
}
