//! How it ends when it does not end well.

use csc::Env;
use fake_driver::{Code, Fault, Rpc, Rule, Script};

use crate::rig::{World, ran};

fn refuse(rpc: Rpc, code: Code, message: &str) -> Script {
    let rule = Rule { fault: Some(Fault { code, message: message.into() }), ..Rule::on(rpc) };
    Script { rules: vec![rule] }
}

#[tokio::test]
async fn the_exit_code_is_grpcs_number_and_stderr_has_words_call_endpoint_and_who_acts() {
    let world = World::start().await;
    for (code, number) in [(Code::NotFound, 5), (Code::ResourceExhausted, 8), (Code::Aborted, 10), (Code::Unauthenticated, 16)] {
        world.driver.set_script(refuse(Rpc::DeleteVolume, code, "the words of the driver"));
        let ran = world.run("c rm v").await;
        assert_eq!((ran.code, ran.out.as_str()), (number, ""));
        let said: Vec<&str> = ran.err.lines().collect();
        assert_eq!(said[0], "the words of the driver");
        let place = format!("/csi.v1.Controller/DeleteVolume at {} failed with ", world.driver.endpoint());
        assert!(said[1].starts_with(&place) && said[1].contains(&format!("({number}): ")), "{said:?}");
    }
}

#[tokio::test]
async fn a_driver_that_is_not_there_is_unavailable_and_the_socket_is_named() {
    let env = Env { endpoint: Some("/nonexistent/csi.sock".into()), ..Env::default() };
    let ran = ran("csc", &["i", "probe"], &env, false).await;
    assert_eq!(ran.code, 14);
    assert!(ran.err.contains("/nonexistent/csi.sock") && ran.err.contains("start the driver"), "{}", ran.err);
}

#[tokio::test]
async fn the_first_error_ends_it_and_what_was_done_before_is_told() {
    let world = World::start().await;
    let rule = Rule {
        matching: Some("bad".into()),
        fault: Some(Fault { code: Code::Internal, message: "no".into() }),
        ..Rule::on(Rpc::DeleteVolume)
    };
    world.driver.set_script(Script { rules: vec![rule] });
    for form in ["lines", "json", "table"] {
        let ran = world.run(&format!("c rm good bad never -o {form}")).await;
        assert!(ran.code == 13 && ran.out.contains("good") && !ran.out.contains("never"), "{ran:?}");
    }
    assert_eq!(world.driver.requests_of(Rpc::DeleteVolume).len(), 6);
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let world = World::start().await;
    world.driver.set_script(Script { rules: vec![Rule { hang: true, ..Rule::on(Rpc::Probe) }] });
    let ran = world.run("i probe -t 50ms").await;
    assert!(ran.code == 4 && ran.err.contains("--timeout"), "{ran:?}");
}

#[tokio::test]
async fn a_call_that_the_driver_does_not_have_is_unimplemented() {
    let world = World::with(fake_driver::FakeDriver::builder("fake.example")).await;
    let ran = world.run("c list-volumes").await;
    assert!(ran.code == 12 && ran.err.contains("get-capabilities"), "{ran:?}");
}

#[tokio::test]
async fn a_bad_command_line_is_1_and_nothing_is_called() {
    let world = World::start().await;
    for (line, said) in [
        ("c new a --cap SINGLE_NODE_WRITER", "invalid volume capability: SINGLE_NODE_WRITER: expected ACCESS_MODE,ACCESS_TYPE"),
        ("c new a --cap 42,mount,", "SINGLE_NODE_WRITER (1)"),
        ("c attach v --cap 1,mount, --cap 1,block", "this call takes one"),
        ("c rm", "<ID>"),
        ("c nonsense", "nonsense"),
        ("nonsense", "nonsense"),
        ("n stats v", "expected ID:PATH[:STAGING]"),
        ("n expand v", "<PATH>"),
        ("c new a --params =x", "--params"),
        ("c snap a", "--source-volume"),
        ("gets", "plugin-info"),
    ] {
        let ran = world.run(line).await;
        assert!(ran.code == 1 && ran.err.contains(said) && ran.out.is_empty(), "{line}: {ran:?}");
    }
    assert!(world.driver.requests().is_empty());
}

#[tokio::test]
async fn an_argument_that_is_not_utf_8_is_refused_rather_than_changed() {
    use std::os::unix::ffi::OsStringExt as _;
    let world = World::start().await;
    let argv =
        ["csc", "c", "rm"].iter().map(|word| (*word).into()).chain([std::ffi::OsString::from_vec(vec![b'v', 0xff])]).collect();
    let env = Env { endpoint: Some(world.driver.endpoint()), ..Env::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = csc::Streams { out: &mut out, err: &mut err, people: false };
    assert_eq!(csc::run(&rt::Ctx::real(), argv, &env, streams).await, 1);
    assert!(String::from_utf8_lossy(&err).contains("is not UTF-8") && world.driver.requests().is_empty());
}

#[tokio::test]
async fn help_goes_to_stdout_and_is_no_failure() {
    for line in [&["--help"][..], &["controller", "--help"], &["c", "new", "--help"]] {
        let ran = ran("csc", line, &Env::default(), false).await;
        assert!(ran.code == 0 && ran.out.contains("Usage: csc") && ran.err.is_empty(), "{ran:?}");
    }
}

#[tokio::test]
async fn with_validation_a_request_that_breaks_csi_is_not_sent() {
    let world = World::start().await;
    for (line, what) in [
        ("c new a --with-spec-validation", "required: volume_capabilities"),
        ("c attach v --with-spec-validation", "required: node_id"),
        ("c new a --cap 1,mount, --with-requires-creds", "required: secrets"),
        ("n mnt v --target-path /t --cap 1,mount, --with-requires-vol-context", "required: volume_context"),
    ] {
        let ran = world.run(line).await;
        assert!(ran.code == 3 && ran.err.starts_with(what) && ran.err.contains("not sent"), "{line}: {ran:?}");
    }
    assert!(world.driver.requests().is_empty());
    assert_eq!(world.run("c new a --cap 1,mount, --with-spec-validation").await.code, 0);
    let answer = world.run("c new b --cap 1,mount, --vol-context=").await;
    assert_eq!(answer.code, 1, "create-volume has no --vol-context");
}

#[tokio::test]
async fn secrets_are_sent_and_never_printed() {
    let mut world = World::start().await;
    world.secrets = Some("password=hunter2hunter2".into());
    world.debug = Some("true".into());
    world.driver.set_script(refuse(Rpc::DeleteVolume, Code::Unauthenticated, "hunter2hunter2 is no password of mine"));
    let mut seen = String::new();
    for line in
        ["c new a --cap 1,mount,", "c rm v", "c snap s --source-volume v", "c ls", "n mnt v --cap 1,mount, --target-path /t"]
    {
        for form in ["lines", "json", "table"] {
            let ran = world.run(&format!("{line} -o {form} --with-request-logging --with-response-logging")).await;
            seen += &ran.out;
            seen += &ran.err;
        }
    }
    assert!(seen.contains("/csi.v1.Controller/CreateVolume: REQ 0001: ") && seen.contains("***stripped***"), "{seen}");
    assert!(!seen.contains("hunter2"), "{seen}");
    assert_eq!(world.driver.requests_of(Rpc::CreateVolume)[0].json()["secrets"]["password"], "hunter2hunter2");
}

#[tokio::test]
async fn debug_tells_every_call_and_every_answer() {
    let mut world = World::start().await;
    assert_eq!(world.run("i probe").await.err, "");
    let logged = world.run("i probe --with-request-logging").await.err;
    assert_eq!(logged, "/csi.v1.Identity/Probe: REQ 0001: {}\n");
    world.debug = Some("1".into());
    let logged = world.run("i probe").await.err;
    assert!(logged.contains(": REQ 0001: {}\n") && logged.contains(": REP 0001: {\"ready\":{\"value\":true}}"), "{logged}");
}
