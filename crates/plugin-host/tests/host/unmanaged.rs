//! Plugins that somebody else runs.

use std::time::Duration;

use fake_driver::FakeDriver;
use plugin_host::{How, Part, Plugin, Service};

use crate::rig::{Rig, eventually, plugin};

fn unmanaged(rig: &Rig, sockets: &[(Service, &str)]) -> Plugin {
    let part =
        |(service, name): &(Service, &str)| Part { services: [*service].into(), how: How::Endpoint(rig.dir.path().join(name)) };
    let parts = sockets.iter().map(part).collect();
    Plugin { parts, health_timeout: Duration::from_millis(300), ..plugin("a", "", "") }
}

async fn driver(rig: &Rig, name: &str, socket: &str) -> FakeDriver {
    FakeDriver::builder(name).start(rig.dir.path().join(socket)).await.expect("the driver starts")
}

#[tokio::test]
async fn an_endpoint_is_served_when_somebody_listens_and_told_of_while_nobody_does() {
    let rig = Rig::new().await;
    rig.host.set(unmanaged(&rig, &[(Service::Node, "s")]));
    let said = rig.trouble("a", "nobody has been ready").await;
    assert!(said.contains("there is no socket") && said.contains("start the plugin"), "{said}");
    let first = driver(&rig, "a.example", "s").await;
    let served = rig.served("a").await;
    assert_eq!((served.driver.as_str(), served.node, served.controller), ("a.example", Some(rig.dir.path().join("s")), None));
    // It comes and goes as it likes: its volumes stay.
    first.stop().await;
    let _second = driver(&rig, "a.example", "s").await;
    assert!(!rig.was_gone());
    rig.end().await;
}

#[tokio::test]
async fn controller_and_node_may_have_a_socket_each() {
    let rig = Rig::new().await;
    let _controller = driver(&rig, "a.example", "c").await;
    let _node = driver(&rig, "a.example", "n").await;
    rig.host.set(unmanaged(&rig, &[(Service::Node, "n"), (Service::Controller, "c")]));
    let both = || rig.host.served().into_iter().find(|served| served.node.is_some() && served.controller.is_some());
    let served = eventually("both", both).await;
    assert_eq!((served.node, served.controller), (Some(rig.dir.path().join("n")), Some(rig.dir.path().join("c"))));
    rig.end().await;
}

#[tokio::test]
async fn a_plugin_whose_endpoint_moves_is_served_at_the_old_one_until_the_new_one_answers() {
    let rig = Rig::new().await;
    let _old = driver(&rig, "a.example", "old").await;
    rig.host.set(unmanaged(&rig, &[(Service::Node, "old")]));
    rig.served("a").await;
    rig.host.set(unmanaged(&rig, &[(Service::Node, "new")]));
    rig.trouble("a", "nobody has been ready").await;
    assert_eq!(rig.served("a").await.node, Some(rig.dir.path().join("old")));
    let _new = driver(&rig, "a.example", "new").await;
    eventually("the new one", || rig.host.served()[0].node.as_ref().is_some_and(|node| node.ends_with("new")).then_some(()))
        .await;
    assert!(!rig.was_gone());
    rig.end().await;
}

#[tokio::test]
async fn an_endpoint_whose_file_went_while_we_were_away_serves_its_volumes_first() {
    let rig = Rig::new().await;
    let _driver = driver(&rig, "a.example", "s").await;
    rig.host.set(unmanaged(&rig, &[(Service::Node, "s")]));
    rig.served("a").await;
    let rig = rig.again().await;
    rig.volumes.0.store(1, std::sync::atomic::Ordering::SeqCst);
    rig.host.settled(true);
    rig.served("a").await;
    rig.volumes.0.store(0, std::sync::atomic::Ordering::SeqCst);
    eventually("it is gone", || rig.was_gone().then_some(())).await;
}
