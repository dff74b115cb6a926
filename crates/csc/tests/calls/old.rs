//! REX-Ray's own command lines, from before CSI 0.1.

use fake_driver::{ControllerCap, FakeDriver, Rpc};

use crate::rig::World;

#[tokio::test]
async fn rex_rays_document_works_as_it_is_written() {
    let world = World::start().await;
    let id = world.driver.volume_id("MyNewVolume");
    let made = world.run("new MyNewVolume").await;
    assert!(made.code == 0 && made.out.starts_with(&format!("\"{id}\"\t")), "{made:?}");
    assert_eq!(made.err, "note: no --cap: asking for SINGLE_NODE_WRITER,mount,\n");
    let listed = world.run("ls").await;
    assert_eq!((listed.code, &listed.out, listed.err.as_str()), (0, &made.out, ""));
    let attached = world.run(&format!("att {id}")).await;
    assert!(attached.code == 0 && attached.out.starts_with(&format!("\"{id}\"")), "{attached:?}");
    assert!(attached.err.contains("no --node-id: taking \"node-1\""), "{attached:?}");
    let sent = &world.driver.requests_of(Rpc::ControllerPublishVolume)[0].json();
    assert_eq!(sent["node_id"], "node-1");
    assert_eq!(sent["volume_capability"]["access_mode"]["mode"], "SINGLE_NODE_WRITER");
    world.prints(&format!("det {id} -nodeID node-1"), &format!("{id}\n")).await;
    world.prints(&format!("rm {id}"), &format!("{id}\n")).await;
}

#[tokio::test]
async fn an_id_that_is_a_map_is_the_volume_that_is_called_so() {
    let world = World::with(crate::rig::able().volume("path=/x/whole", 1).volume("/x/vol/MyNewVolume", 1)).await;
    let by_value = world.run("att path=/x/vol/MyNewVolume").await;
    assert!(by_value.err.contains("this driver calls that volume \"/x/vol/MyNewVolume\""), "{by_value:?}");
    world.run("att path=/x/whole").await;
    world.run("att path=/nowhere").await;
    // Today's commands take an id as it is.
    world.run("controller publish path=/x/vol/MyNewVolume --node-id node-1 --cap 1,mount,").await;
    let sent: Vec<String> = world
        .driver
        .requests_of(Rpc::ControllerPublishVolume)
        .iter()
        .map(|request| request.json()["volume_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(sent, ["/x/vol/MyNewVolume", "path=/x/whole", "path=/nowhere", "path=/x/vol/MyNewVolume"]);
}

#[tokio::test]
async fn a_driver_that_does_not_attach_has_nothing_to_do_for_att_and_det() {
    let caps = [ControllerCap::CreateDeleteVolume, ControllerCap::ListVolumes];
    let world = World::with(FakeDriver::builder("fake.example").controller_caps(caps).volume("v", 1)).await;
    for (line, out) in [("att v", "\"v\"\n"), ("det v", "v\n")] {
        let ran = world.run(line).await;
        assert!(ran.code == 0 && ran.out == out && ran.err.contains("nothing to do"), "{ran:?}");
    }
    // Nothing to do is no reason to believe in a volume that is not there.
    let missing = world.run("att path=/nowhere").await;
    assert!(
        missing.code == 5 && missing.out.is_empty() && missing.err.contains("there is no volume \"path=/nowhere\""),
        "{missing:?}"
    );
    // Today's command says what the driver says.
    assert_eq!(world.run("controller unpublish v").await.code, 12);
    assert!(world.driver.requests_of(Rpc::ControllerPublishVolume).is_empty());
}

#[tokio::test]
async fn what_cannot_be_known_of_a_volume_is_told() {
    let world = World::with(FakeDriver::builder("fake.example").controller_caps([ControllerCap::CreateDeleteVolume])).await;
    let ran = world.run("att v").await;
    assert!(ran.code == 0 && ran.err.contains("is not known"), "{ran:?}");
}

#[tokio::test]
async fn notes_are_for_people_who_want_them() {
    let world = World::start().await;
    assert_eq!(world.run("-l error new a").await.err, "");
}
