//! The driver's own container, and where its socket is.

use std::collections::BTreeMap;
use std::path::Path;

use plugin_host::{Command, Environment, How, Limits, Part, Plugin, Propagation};

use super::super::Making;
use super::super::container::{bytes, dollars};
use super::{HEALTH_PORT, KUBELET, host_path};
use crate::model::{Hidden, SecretValue};
use crate::yaml::Map;

/// Where a plugin's socket is: on the host, and in the pod.
pub(super) struct Socket {
    host: String,
    pod: String,
    file: String,
    /// The plugin makes it when it is started.
    ours: bool,
}

impl Socket {
    pub(super) fn of(part: &Part, driver: &str) -> Self {
        let managed = |mount_dir: Option<&Path>| Self {
            host: format!("{KUBELET}/plugins/{driver}"),
            pod: mount_dir.map_or_else(|| "/csi".to_owned(), |dir| dir.display().to_string()),
            file: "csi.sock".to_owned(),
            ours: true,
        };
        match &part.how {
            How::Endpoint(path) => Self {
                host: path.parent().unwrap_or(Path::new("/")).display().to_string(),
                pod: "/csi".to_owned(),
                file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                ours: false,
            },
            How::Process(process) => managed(process.mount_dir.as_deref()),
            How::Docker(docker) => managed(Some(&docker.mount_dir)),
        }
    }

    pub(super) fn inside(&self) -> String {
        format!("{}/{}", self.pod, self.file)
    }

    pub(super) fn on_host(&self) -> String {
        format!("{}/{}", self.host, self.file)
    }

    pub(super) fn mount(&self) -> Map {
        Map::new().with("name", "socket-dir").with("mountPath", &self.pod)
    }

    /// A controller's own socket concerns its pod only; one that others made is where they made it.
    pub(super) fn volume(&self, node: bool) -> Map {
        match node || !self.ours {
            true => host_path("socket-dir", &self.host, "DirectoryOrCreate"),
            false => Map::new().with("name", "socket-dir").with("emptyDir", Map::new()),
        }
    }
}

/// 1024 is a core.
fn resources(limits: Limits) -> Map {
    let cpu = limits.cpu_shares.map(|shares| format!("{}m", shares.saturating_mul(1000).div_ceil(1024)));
    let memory = limits.memory.map(|memory| bytes(memory.0));
    let requests = Map::new().maybe("cpu", cpu).maybe("memory", memory.clone());
    Map::new().maybe("requests", Some(requests)).maybe("limits", Some(Map::new().maybe("memory", memory)))
}

/// A text that Kubernetes does not change, but for `$(NAME)` of a variable that is the node's name.
fn written(environment: &Environment, text: &str) -> String {
    let name = |text: String, name: &String| text.replace(&format!("$$({name})"), &format!("$({name})"));
    environment.node_name.iter().fold(dollars(text), name)
}

impl Making<'_> {
    /// The container of the driver, and the volumes that it has besides its socket.
    pub(super) fn driver_container(
        &mut self,
        plugin: &Plugin,
        part: &Part,
        socket: &Socket,
        name: &str,
        node: bool,
    ) -> (Map, Vec<Map>) {
        let mut container = Map::new().with("name", "driver");
        let mut mounts = vec![socket.mount()];
        let mut volumes = Vec::new();
        let endpoint = format!("unix://{}", socket.inside());
        let (environment, limits, privileged, user) = match &part.how {
            How::Endpoint(_) => return (container, volumes),
            How::Process(process) => {
                match self.options.image.clone() {
                    Some(image) => container.set("image", image),
                    None => self.problem(
                        "",
                        format!(
                            "plugin {} is a command of its hosts, and in a cluster it runs in an image: give --image IMAGE",
                            plugin.id
                        ),
                    ),
                }
                // kubelet expands $(NAME); a shell does it itself.
                let known = |text: &str| {
                    written(&process.environment, text)
                        .replace("${CSI_ENDPOINT}", "$(CSI_ENDPOINT)")
                        .replace("$CSI_ENDPOINT", "$(CSI_ENDPOINT)")
                };
                match &process.command {
                    Command::Shell(text) => container.set("command", vec!["/bin/sh".to_owned(), "-c".to_owned(), dollars(text)]),
                    Command::Program { program, args } => {
                        container
                            .set("command", std::iter::once(program).chain(&args.0).map(|word| known(word)).collect::<Vec<_>>());
                    }
                }
                container = container.maybe("workingDir", process.working_dir.as_ref().map(|dir| dir.display().to_string()));
                (&process.environment, process.limits, node, process.user.clone())
            }
            How::Docker(docker) => {
                container.set("image", &docker.image);
                if docker.pull {
                    container.set("imagePullPolicy", "Always");
                }
                container = container
                    .maybe(
                        "command",
                        Some(docker.entrypoint.iter().map(|word| written(&docker.environment, word)).collect::<Vec<_>>()),
                    )
                    .maybe("args", Some(docker.args.0.iter().map(|word| written(&docker.environment, word)).collect::<Vec<_>>()))
                    .maybe("workingDir", docker.working_dir.as_ref().map(|dir| dir.display().to_string()));
                for (index, bind) in docker.binds.iter().enumerate() {
                    let volume = format!("bind-{index}");
                    let propagation = match bind.propagation {
                        Propagation::Private => None,
                        Propagation::HostToContainer => Some("HostToContainer"),
                        Propagation::Bidirectional => Some("Bidirectional"),
                    };
                    mounts.push(
                        Map::new()
                            .with("name", &volume)
                            .with("mountPath", bind.target.display().to_string())
                            .maybe("readOnly", bind.read_only.then_some(true))
                            .maybe("mountPropagation", propagation),
                    );
                    volumes.push(host_path(&volume, &bind.source.display().to_string(), ""));
                }
                if let Some(stage) = &docker.stage_dir {
                    mounts.push(Map::new().with("name", "stage-dir").with("mountPath", stage.display().to_string()));
                    volumes.push(Map::new().with("name", "stage-dir").with("emptyDir", Map::new()));
                }
                for (there, field) in [(docker.network.is_some(), "network"), (docker.hostname.is_some(), "hostname")] {
                    if there {
                        self.warn(
                            "",
                            format!("{field} of plugin {} is left out: a pod has the network of its cluster", plugin.id),
                        );
                    }
                }
                (&docker.environment, docker.limits, docker.privileged || node, docker.user.clone())
            }
        };
        if node {
            let both = |name: &str, path: &str| Map::new().with("name", name).with("mountPath", path);
            mounts.push(both("kubelet-dir", KUBELET).with("mountPropagation", "Bidirectional"));
            volumes.push(host_path("kubelet-dir", KUBELET, "Directory"));
            let has_dev =
                matches!(&part.how, How::Docker(docker) if docker.binds.iter().any(|bind| bind.target == Path::new("/dev")));
            if !has_dev {
                mounts.push(both("dev", "/dev"));
                volumes.push(host_path("dev", "/dev", "Directory"));
            }
        }
        let env = self.driver_environment(environment, &endpoint, name, &plugin.id.to_string());
        let mut context = match &user {
            Some(user) => self.user("", user),
            None => Map::new(),
        };
        if privileged {
            context.set("privileged", true);
        }
        let asked = || Map::new().with("httpGet", Map::new().with("path", "/healthz").with("port", HEALTH_PORT));
        let tries = i64::try_from(plugin.health_timeout.as_secs().div_ceil(5).max(1)).unwrap_or(i64::MAX);
        let container = container
            .with("env", env)
            .maybe("resources", Some(resources(limits)))
            .with("startupProbe", asked().with("periodSeconds", 5).with("timeoutSeconds", 5).with("failureThreshold", tries))
            .with("livenessProbe", asked().with("periodSeconds", 10).with("timeoutSeconds", 5).with("failureThreshold", 5))
            .maybe("securityContext", Some(context))
            .with("volumeMounts", mounts);
        (container, volumes)
    }

    fn driver_environment(&mut self, environment: &Environment, endpoint: &str, name: &str, origin: &str) -> Vec<Map> {
        let variable = |name: &str| Map::new().with("name", name);
        let mut env = Vec::new();
        if !environment.has("CSI_ENDPOINT") {
            env.push(variable("CSI_ENDPOINT").with("value", endpoint));
        }
        let secret = format!("{name}-env");
        let keys: BTreeMap<String, SecretValue> = environment
            .secret
            .expose()
            .iter()
            .map(|(key, value)| (key.clone(), SecretValue::Value(Hidden::new(value.as_bytes()))))
            .collect();
        // Before those that may name them.
        for key in environment.node_name.iter().filter(|key| !keys.contains_key(*key)) {
            let field = Map::new().with("fieldRef", Map::new().with("fieldPath", "spec.nodeName"));
            env.push(variable(key).with("valueFrom", field));
        }
        for (key, value) in
            environment.plain.iter().filter(|(key, _)| !keys.contains_key(*key) && !environment.node_name.contains(*key))
        {
            env.push(variable(key).with("value", written(environment, value)));
        }
        for key in keys.keys() {
            let reference = Map::new().with("secretKeyRef", Map::new().with("name", &secret).with("key", key));
            env.push(variable(key).with("valueFrom", reference));
        }
        self.secret(&secret, None, origin, &keys);
        env
    }
}
