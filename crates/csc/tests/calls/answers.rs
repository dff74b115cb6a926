//! What is printed: csc's lines, tables, JSON, templates.

use csc::Env;

use crate::rig::{World, able, ran};

#[tokio::test]
async fn lines_are_cscs() {
    let world = World::start().await;
    let id = world.driver.volume_id("a");
    world.prints("i probe", "true\n").await;
    world.prints("i caps", "CONTROLLER_SERVICE\nGROUP_CONTROLLER_SERVICE\n").await;
    let info = world.run("i info").await;
    assert!(info.out.starts_with("\"fake.example\"\t\""), "{info:?}");
    world.prints("c new a --cap 1,mount, --req-bytes 4096", &format!("\"{id}\"\t4096\t\"fake-driver/name\"=\"a\"\n")).await;
    world.prints("c ls", &format!("\"{id}\"\t4096\t\"fake-driver/name\"=\"a\"\n")).await;
    world.prints(&format!("c validate {id} --cap 1,mount,"), &format!("\"{id}\"\ttrue\n")).await;
    world.prints(&format!("c exp {id} --req-bytes 8192"), "8192\n").await;
    world.prints("c capacity", &format!("{}\n", (1i64 << 40) - 8192)).await;
    world.prints("n info", "node-1\t0\t\"zone\"=\"a\"\n").await;
    let snapshot = world.run(&format!("c snap s --source-volume {id}")).await;
    let fields: Vec<&str> = snapshot.out.trim_end().split('\t').collect();
    assert!(matches!(fields[..], [_, _, source, _, "true"] if source == id), "{snapshot:?}");
    let published = world.run(&format!("c attach {id} --node-id node-1 --cap 1,mount,")).await;
    assert!(published.code == 0 && published.out.starts_with(&format!("\"{id}\"")), "{published:?}");
    world.prints(&format!("c detach {id} --node-id node-1"), &format!("{id}\n")).await;
    world.prints(&format!("c rm {id}"), &format!("{id}\n")).await;
    let caps = world.run("n caps").await;
    assert!(caps.out.lines().any(|line| line == "STAGE_UNSTAGE_VOLUME"), "{caps:?}");
}

#[tokio::test]
async fn a_page_ends_with_its_token_and_paging_asks_for_all_of_them() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.run(&format!("c new {name} --cap 1,mount,")).await;
    }
    let page = world.run("c ls --max-entries 2").await;
    let lines: Vec<&str> = page.out.lines().collect();
    assert!(lines.len() == 3 && lines[2].starts_with("token=\""), "{page:?}");
    let token = lines[2].trim_start_matches("token=\"").trim_end_matches('"');
    let rest = world.run(&format!("c ls --max-entries 2 --starting-token {token}")).await;
    assert_eq!(rest.out.lines().count(), 1, "{rest:?}");
    let all = world.run("c ls --max-entries 1 --paging").await;
    assert!(all.out.lines().count() == 3 && !all.out.contains("token"), "{all:?}");
    let ids = world.run_words(&["c", "ls", "--max-entries=1", "--paging", "--format", "{{.VolumeId}},"]).await;
    assert_eq!(ids.out.matches(',').count(), 3, "{ids:?}");
}

#[tokio::test]
async fn a_template_is_gos_over_the_answer() {
    let world = World::start().await;
    let id = world.driver.volume_id("a");
    world.run("c new a --cap 1,mount, --req-bytes 4096").await;
    let format = r#"{{range .Entries}}{{with .Volume}}{{printf "%s has %d" .VolumeId .CapacityBytes}}{{end}}{{"\n"}}{{end}}"#;
    let ran = world.run_words(&["c", "ls", "--format", format]).await;
    assert_eq!((ran.code, ran.out), (0, format!("{id} has 4096\n")));
    let wrong = world.run_words(&["c", "ls", "--format", "{{range .Entris}}{{end}}"]).await;
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert!(wrong.err.contains("--format:1:9") && wrong.err.contains("it has Entries, NextToken"), "{}", wrong.err);
}

#[tokio::test]
async fn json_is_an_object_per_answer_with_what_was_asked_for() {
    let world = World::start().await;
    let id = world.driver.volume_id("a");
    let made = world.run("c new a --cap 1,mount, --req-bytes 4096 -o json").await;
    let json: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(
        (&json["volume"]["volume_id"], &json["volume"]["capacity_bytes"], &json["name"]),
        (&id.into(), &4096.into(), &"a".into())
    );
    let gone = world.run("c rm -o json x y").await;
    assert_eq!(gone.out, "{\"volume_id\":\"x\"}\n{\"volume_id\":\"y\"}\n", "{}", gone.err);
}

#[tokio::test]
async fn a_terminal_gets_a_table() {
    let world = World::with(able().volume("v-1", 4096)).await;
    let env = Env { endpoint: Some(world.driver.endpoint()), ..Env::default() };
    let ran = ran("longshore csi", &["controller", "ls"], &env, true).await;
    assert_eq!(ran.out, "VOLUME   BYTES   CONTEXT   NODES\nv-1      4096    -         -\n", "{}", ran.err);
}

#[tokio::test]
async fn a_driver_that_does_not_say_is_ready_and_one_that_says_no_is_not() {
    let world = World::start().await;
    world.driver.set_ready(false);
    world.prints("i probe", "false\n").await;
}
