//! node-mounter, on the node's kernel and disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cluster::{Backoff, Caches, Ledger, Metrics, Watch};
use csi_client::Driver;
use futures::FutureExt;
use futures::future::BoxFuture;
use node_mounter::agent::{Config, Connect};
use node_mounter::node::Host;
use node_mounter::paths::Root;
use node_mounter::plugins::{Announced, Refusal, Registration, SocketId, Sockets};
use node_mounter::{Edges, Surroundings, Work, mount};
use rt::Shutdown;

use super::Start;
use crate::trace::What;
use crate::world::{DRIVER, NODE, World};

const REGISTRY: &str = "/var/lib/kubelet/plugins_registry";

/// The driver on this node, announced by every registration socket there is.
struct Plugin {
    world: World,
    driver: Arc<dyn Driver>,
}

impl Connect for Plugin {
    fn connect(&self, _: &Path) -> Arc<dyn Driver> {
        self.driver.clone()
    }
}

impl Sockets for Plugin {
    fn scan(&self) -> BoxFuture<'_, BTreeMap<PathBuf, SocketId>> {
        let id = |made: u64| SocketId { inode: made, made: made.into() };
        let seen = self.world.sockets().iter().map(|(name, made)| (Path::new(REGISTRY).join(name), id(*made))).collect();
        async move { seen }.boxed()
    }

    /// Nobody is ever told: every event is lost.
    fn changed(&self) -> BoxFuture<'_, ()> {
        futures::future::pending().boxed()
    }
}

impl Registration for Plugin {
    fn info<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, Result<Announced, String>> {
        let announced = Announced {
            kind: "CSIPlugin".to_owned(),
            name: DRIVER.to_owned(),
            endpoint: "/csi/csi.sock".to_owned(),
            versions: vec!["1.0.0".to_owned()],
        };
        async move { Ok(announced) }.boxed()
    }

    fn notify<'a>(&'a self, socket: &'a Path, result: Result<(), &'a Refusal>) -> BoxFuture<'a, Result<(), String>> {
        let name = socket.file_name().unwrap_or_default().to_string_lossy();
        let word = if result.is_ok() { "registered" } else { "not registered" };
        self.world.tell("mounter", What::Did(format!("tells {name}: {word}")));
        async { Ok(()) }.boxed()
    }
}

pub(super) async fn run(start: &Start) {
    let (client, metrics) = (start.client(), Metrics::new());
    let machine = start.world.machine();
    let plugin = Arc::new(Plugin { world: start.world.clone(), driver: start.driver(true) });
    let edges = Edges {
        mounter: machine.kernel.clone(),
        files: machine.kernel,
        connect: plugin.clone(),
        sockets: plugin.clone(),
        registration: plugin,
        host: Host { hostname: NODE.to_owned(), ..Host::default() },
    };
    let config = Config {
        node: NODE.into(),
        root: Root::new(Path::new("/var/lib/kubelet")),
        register_node: true,
        node_labels: Vec::new(),
        node_status_update_frequency: Duration::from_secs(10),
        backoff: Backoff { start: Duration::from_millis(500), max: Duration::from_secs(30) },
        republish_every: Duration::from_secs(60),
    };
    let caches = Caches::start(&start.ctx, &client, [Watch::PodsOnNode(NODE.to_owned()), Watch::CsiDrivers], &metrics);
    let around = Surroundings {
        ctx: start.ctx.clone(),
        shutdown: Shutdown::new(),
        client,
        caches,
        metrics,
        operations: node_mounter::Metrics::default(),
        ledger: Ledger::new(),
    };
    // What it cannot start without is said by its error; it is started again.
    let _ = mount(config, Work { workers: 10, manifests: None }, around, edges, |_| ()).await;
}
