//! Plugins that a document wants run, in a cluster: a DaemonSet for the node service, a Deployment for the controller service, with
//! Longshore's sidecars. On a host they are run by plugin-host, not by pods.

mod driver;
mod rights;

use plugin_host::{How, Part, Plugin, Service};

use super::Making;
use crate::model::Document;
use crate::names::label;
use crate::yaml::Map;
use driver::Socket;

/// kubelet's `--root-dir`, where it is not told otherwise.
pub(super) const KUBELET: &str = "/var/lib/kubelet";
const HEALTH_PORT: u16 = 9808;

pub(super) fn make(making: &mut Making<'_>, document: &Document) {
    for plugin in &document.plugins {
        let id = plugin.id.to_string();
        let names = [id.as_str(), plugin.id.kind()];
        let Some(driver) = names.iter().find_map(|name| making.options.drivers.get(*name)).cloned() else {
            making.problem(
                "",
                format!("plugin {id:?} is a name of this document's system; say the name that the CSI driver has: --driver {id}=CSI-NAME"),
            );
            continue;
        };
        if plugin.targets.root.is_some() || plugin.targets.exists {
            making.warn(
                "target_path_root",
                "and target_path_exists are left out: kubelet has paths of its own for what it publishes",
            );
        }
        let secrets = document.volumes.iter().any(|volume| !volume.secrets.is_empty());
        one(making, plugin, &driver, secrets);
    }
}

fn one(making: &mut Making<'_>, plugin: &Plugin, driver: &str, secrets: bool) {
    let controller = plugin.part(Service::Controller);
    let object = Map::new()
        .with("apiVersion", "storage.k8s.io/v1")
        .with("kind", "CSIDriver")
        .with("metadata", Map::new().with("name", driver))
        .with("spec", Map::new().with("attachRequired", controller.is_some()).with("podInfoOnMount", false));
    let object = match controller {
        Some(_) => object,
        None => object.because("spec", "it has no controller service that could attach"),
    };
    making.add(plugin.id.to_string(), object);
    let node = plugin.part(Service::Node);
    let parts: Vec<(&Part, bool, bool)> = plugin
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| (part, node == Some(index), controller == Some(index)))
        .filter(|(_, node, controller)| *node || *controller)
        .collect();
    let base = match label(driver) {
        base if base.is_empty() => "csi-plugin".to_owned(),
        base => base,
    };
    if controller.is_some() {
        rights::make(making, &format!("{base}-controller"), &plugin.id.to_string(), secrets);
    }
    for (part, node, controller) in parts {
        let name = if node { format!("{base}-node") } else { format!("{base}-controller") };
        workload(making, plugin, part, driver, &name, (node, controller), &format!("{base}-controller"));
    }
}

fn workload(
    making: &mut Making<'_>,
    plugin: &Plugin,
    part: &Part,
    driver: &str,
    name: &str,
    (node, controller): (bool, bool),
    account: &str,
) {
    let origin = plugin.id.to_string();
    let socket = Socket::of(part, driver);
    let mut containers = Vec::new();
    let mut volumes = vec![socket.volume(node)];
    if !matches!(part.how, How::Endpoint(_)) {
        let (container, further) = making.driver_container(plugin, part, &socket, name, node);
        containers.push(container);
        volumes.extend(further);
    }
    if node {
        containers.push(making.sidecar(
            "node-driver-registrar",
            vec![format!("--csi-address={}", socket.inside()), format!("--kubelet-registration-path={}", socket.on_host())],
            vec![socket.mount(), Map::new().with("name", "registration-dir").with("mountPath", "/registration")],
        ));
        volumes.push(host_path("registration-dir", &format!("{KUBELET}/plugins_registry"), "DirectoryOrCreate"));
    }
    if controller {
        for program in ["external-provisioner", "external-attacher"] {
            let mut args = vec![format!("--csi-address={}", socket.inside())];
            // One of each DaemonSet's pods leads.
            args.extend(node.then(|| "--leader-election".to_owned()));
            containers.push(making.sidecar(program, args, vec![socket.mount()]));
        }
    }
    if !matches!(part.how, How::Endpoint(_)) {
        let args = vec![format!("--csi-address={}", socket.inside()), format!("--health-port={HEALTH_PORT}")];
        containers.push(making.sidecar("livenessprobe", args, vec![socket.mount()]));
    }
    let labels = || Map::new().with("app", name);
    let mut spec = Map::new();
    match controller {
        true => spec.set("serviceAccountName", account),
        false => spec.set("automountServiceAccountToken", false),
    }
    let critical = if node { "system-node-critical" } else { "system-cluster-critical" };
    let spec = spec.with("priorityClassName", critical).with("containers", containers).with("volumes", volumes);
    let template = Map::new().with("metadata", Map::new().with("labels", labels())).with("spec", spec);
    let selector = Map::new().with("matchLabels", labels());
    let (kind, spec) = match node {
        true => ("DaemonSet", Map::new().with("selector", selector).with("template", template)),
        false => {
            let spec = Map::new().with("replicas", 1).with("selector", selector);
            ("Deployment", spec.with("strategy", Map::new().with("type", "Recreate")).with("template", template))
        }
    };
    if !node && matches!(part.how, How::Endpoint(_)) {
        making.warn(
            "endpoints",
            format!(
                "the controller's sidecars have to run where {} is: give the Deployment {name} a nodeSelector",
                socket.on_host()
            ),
        );
    }
    let object =
        Map::new().with("apiVersion", "apps/v1").with("kind", kind).with("metadata", making.metadata(name)).with("spec", spec);
    making.add(origin, object);
}

/// A volume that is a path of the host.
pub(super) fn host_path(name: &str, path: &str, kind: &str) -> Map {
    Map::new().with("name", name).with("hostPath", Map::new().with("path", path).with("type", kind))
}

impl Making<'_> {
    fn sidecar(&self, program: &str, args: Vec<String>, mounts: Vec<Map>) -> Map {
        let image = format!("{}/{program}:{}", self.options.sidecars, env!("CARGO_PKG_VERSION"));
        let mut container = Map::new().with("name", program).with("image", image).with("args", args);
        if matches!(program, "external-provisioner" | "external-attacher") {
            let field = Map::new().with("fieldRef", Map::new().with("fieldPath", "metadata.namespace"));
            container.set("env", vec![Map::new().with("name", "POD_NAMESPACE").with("valueFrom", field)]);
        }
        container.with("volumeMounts", mounts)
    }
}
