//! A task as a container.

use std::collections::BTreeMap;

use super::{Making, Place, probe};
use crate::model::{AccessKind, Command, EnvValue, Propagation, SANDBOX, SecretValue, Target, Task, Workload};
use crate::yaml::{Map, Node};

/// The volume that is a task's sandbox.
pub(super) fn sandbox_volume(workload: &Workload, task: &Task) -> String {
    match workload.tasks.len() {
        1 => SANDBOX.to_owned(),
        _ => format!("{SANDBOX}-{}", task.name),
    }
}

/// A text that Kubernetes does not change: `$(NAME)` and `$$` mean something to it.
pub fn dollars(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '(')) {
            out.push('$');
        }
    }
    out
}

/// Bytes as a quantity: in Mi or Ki where they are whole.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        bytes if bytes % (1 << 30) == 0 => format!("{}Gi", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}Mi", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}Ki", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

/// Cores as a quantity, rounded up to a thousandth.
fn cores(cpus: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "readers hold it between 0 and 1e9")]
    let milli = (cpus * 1000.0 - 1e-6).ceil().max(0.0) as u64;
    if milli.is_multiple_of(1000) { (milli / 1000).to_string() } else { format!("{milli}m") }
}

fn words(task: &Task, words: &[String]) -> Vec<Node> {
    words.iter().map(|word| Node::from(written(task, word))).collect()
}

/// A text of a task, in Kubernetes' syntax.
fn written(task: &Task, text: &str) -> String {
    if task.expand { text.to_owned() } else { dollars(text) }
}

impl Making<'_> {
    /// The container, and the paths that have to be on the host before it starts.
    pub(super) fn container(&mut self, workload: &Workload, task: &Task) -> (Map, Vec<String>) {
        let image = self.image(task);
        let mut container = Map::new().with("name", &task.name).maybe("image", image);
        if self.options.place == Place::Host {
            container = container.because("image", "commands are run as they are on the host; a pod has to have one");
        }
        if task.image.as_ref().is_some_and(|image| image.pull_always) {
            container.set("imagePullPolicy", "Always");
        }
        match &task.command {
            Command::Shell(text) => {
                container.set("command", vec![Node::from("/bin/sh"), Node::from("-c"), Node::from(written(task, text))]);
            }
            // An image has an entrypoint of its own, which args leave alone.
            Command::Argv(argv) => container.set("command", words(task, argv)),
            Command::Image(args) if args.is_empty() => {}
            Command::Image(args) => container.set("args", words(task, args)),
        }
        if let Some(sandbox) = task.sandbox.as_ref().filter(|sandbox| sandbox.working_dir) {
            container.set("workingDir", &sandbox.path);
        }
        let env = self.environment(workload, task);
        let mut container = container.maybe("env", Some(env));
        let ports: Vec<Map> = task
            .ports
            .iter()
            .map(|port| {
                let name = port.name.as_ref().filter(|name| name.len() <= 15 && crate::names::label(name) == **name);
                Map::new()
                    .maybe("name", name)
                    .with("containerPort", port.number)
                    .maybe("hostPort", port.host)
                    .maybe("protocol", port.udp.then_some("UDP"))
            })
            .collect();
        container = container.maybe("ports", Some(ports)).maybe("resources", Some(resources(task)));
        let (mounts, devices, existing) = self.mounts(workload, task);
        container = container.maybe("volumeMounts", Some(mounts)).maybe("volumeDevices", Some(devices));
        for (name, one) in [("livenessProbe", &task.health), ("readinessProbe", &task.ready)] {
            let Some(one) = one.as_ref().filter(|one| one.failures > 0) else { continue };
            if self.options.place == Place::Host {
                self.warn(&task.field, format!("its {name} is left out: this host asks tasks nothing"));
                continue;
            }
            if name == "livenessProbe" {
                container = container.maybe("startupProbe", probe::startup(one));
            }
            container.set(name, probe::steady(one));
        }
        let mut context = match &task.user {
            Some(user) => self.user(&crate::read::join(&task.field, "user"), user),
            None => Map::new(),
        };
        if task.privileged {
            context.set("privileged", true);
        }
        (container.maybe("securityContext", Some(context)), existing)
    }

    fn image(&mut self, task: &Task) -> Option<String> {
        match (self.options.place, &task.image) {
            (Place::Cluster, Some(image)) => Some(image.name.clone()),
            (Place::Cluster, None) => {
                let image = self.options.image.clone();
                if image.is_none() {
                    self.problem(&task.field, "names no image, and in a cluster a task runs in one: give --image IMAGE (with /bin/sh in it, for a shell command)");
                }
                image
            }
            (Place::Host, None) => Some("none".to_owned()),
            (Place::Host, Some(image)) => {
                self.problem(
                    &task.field,
                    format!("runs in image {:?}, and this host runs commands without images: remove the image, or convert the document for a cluster", image.name),
                );
                None
            }
        }
    }

    fn environment(&mut self, workload: &Workload, task: &Task) -> Vec<Map> {
        let mut keys: BTreeMap<String, SecretValue> = BTreeMap::new();
        let secret = format!("{}-{}-env", workload.name, task.name);
        let mut env = Vec::new();
        let sandbox = task.sandbox.as_ref().and_then(|sandbox| Some((sandbox.variable.clone()?, sandbox.path.clone())));
        if let Some((name, path)) = sandbox.filter(|(name, _)| !task.env.contains_key(name)) {
            env.push(Map::new().with("name", name).with("value", path));
        }
        // `$(NAME)` is the value of a variable that is there before.
        let is_field = |value: &EnvValue| matches!(value, EnvValue::PodField(_));
        let (fields, others): (Vec<_>, Vec<_>) = task.env.iter().partition(|(_, value)| task.expand && is_field(value));
        for (name, value) in fields.into_iter().chain(others) {
            let variable = Map::new().with("name", name);
            env.push(match value {
                EnvValue::Text(text) => variable.with("value", written(task, text)),
                EnvValue::PodField(field) => {
                    variable.with("valueFrom", Map::new().with("fieldRef", Map::new().with("fieldPath", *field)))
                }
                EnvValue::Secret(value) => {
                    keys.insert(name.clone(), value.clone());
                    let reference = Map::new().with("name", &secret).with("key", name);
                    variable.with("valueFrom", Map::new().with("secretKeyRef", reference))
                }
            });
        }
        self.secret(&secret, None, &task.field, &keys);
        env
    }

    /// `volumeMounts`, `volumeDevices`, and the paths that have to be there.
    fn mounts(&mut self, workload: &Workload, task: &Task) -> (Vec<Map>, Vec<Map>, Vec<String>) {
        let (mut mounts, mut devices, mut existing) = (Vec::new(), Vec::new(), Vec::new());
        let sandbox = sandbox_volume(workload, task);
        let place = task.sandbox.as_ref().map(|sandbox| sandbox.path.as_str());
        mounts.extend(place.map(|place| Map::new().with("name", &sandbox).with("mountPath", place)));
        for mount in &task.mounts {
            let path = match &mount.target {
                Target::Sandbox(path) => format!("{}/{path}", place.unwrap_or_default()),
                Target::Made(path) => path.clone(),
                Target::Existing(path) => {
                    existing.push(path.clone());
                    path.clone()
                }
            };
            let own = mount.volume == SANDBOX;
            let volume = workload.volumes.iter().find(|volume| volume.alias == mount.volume);
            if volume.is_none() && !own {
                self.problem(&mount.field, format!("there is no volume {:?}", mount.volume));
                continue;
            }
            let name = if own { &sandbox } else { &mount.volume };
            if volume.is_some_and(|volume| volume.source.kind() == AccessKind::Device) {
                devices.push(Map::new().with("name", name).with("devicePath", path));
                continue;
            }
            let propagation = match mount.propagation {
                Propagation::Private => None,
                Propagation::HostToTask => Some("HostToContainer"),
                Propagation::Bidirectional => Some("Bidirectional"),
            };
            if propagation == Some("Bidirectional") && !task.privileged && self.options.place == Place::Cluster {
                self.warn(&mount.field, "Bidirectional is allowed to privileged containers only");
            }
            mounts.push(
                Map::new()
                    .with("name", name)
                    .with("mountPath", path)
                    .maybe("subPath", mount.sub_path.as_deref())
                    .maybe("readOnly", mount.read_only.then_some(true))
                    .maybe("mountPropagation", propagation),
            );
        }
        (mounts, devices, existing)
    }
}

fn resources(task: &Task) -> Map {
    let of = &task.resources;
    let gpus = of.gpus.map(|count| count.to_string());
    let requests = Map::new()
        .maybe("cpu", of.cpus.map(cores))
        .maybe("memory", of.memory.map(bytes))
        .maybe("ephemeral-storage", of.disk.map(bytes));
    let limits = Map::new()
        .maybe("cpu", of.cpus_limit.map(cores))
        .maybe("memory", of.memory_limit.map(bytes))
        .maybe("nvidia.com/gpu", gpus);
    Map::new().maybe("requests", Some(requests)).maybe("limits", Some(limits))
}
