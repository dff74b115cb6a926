//! A part as a container of this host's Docker daemon, by its command-line client. The daemon keeps it: it outlives us.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures::FutureExt;
use tokio::process::Command;

use super::endpoint::{VARIABLE, expand};
use super::error::Error;
use super::files::{Files, hash};
use super::process::Ended;
use crate::plugin::{Docker, PluginId, Propagation, Targets};

/// The client, and what of the host a container is given.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    /// `docker`, or another program that takes its commands.
    pub(crate) program: PathBuf,
    /// The folder in which volumes are mounted; it has the same path inside.
    pub(crate) mounts: PathBuf,
}

const FINGERPRINT: &str = "dev.longshore.fingerprint";
const PLUGIN: &str = "dev.longshore.plugin";

/// The container of a part. Of this folder: two Longshores of one host have different ones.
pub(crate) fn name(files: &Files) -> String {
    format!("longshore-plugin-{}", &hash([&*files.folder.to_string_lossy()])[..16])
}

impl Daemon {
    /// Starts it. What was left under its name is removed first.
    pub(crate) async fn start(
        &self,
        docker: &Docker,
        (id, fingerprint): (&PluginId, &str),
        targets: &Targets,
        files: &Files,
        node: &str,
    ) -> Result<(String, Ended), Error> {
        for folder in [Some(&files.folder), docker.stage_dir.as_ref().map(|_| &files.stage)].into_iter().flatten() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(Error::host(format!("make {}", folder.display())))?;
        }
        let name = name(files);
        self.remove(&name).await;
        let (arguments, environment) = self.arguments(docker, targets, files, node);
        let mut words = vec!["run".to_owned(), "--detach".to_owned(), format!("--name={name}")];
        words.extend([format!("--label={PLUGIN}={id}"), format!("--label={FINGERPRINT}={fingerprint}")]);
        words.extend(arguments);
        let attempt = format!("cannot start a container of image {}", docker.image);
        self.run(&attempt, words, &environment).await?;
        Ok((name.clone(), self.ended(name)))
    }

    /// Whether it runs, and from which description.
    pub(crate) async fn find(&self, files: &Files) -> Result<Option<(String, String)>, Error> {
        let name = name(files);
        let format = format!("--format={{{{.State.Running}}}} {{{{index .Config.Labels \"{FINGERPRINT}\"}}}}");
        let words = vec!["container".to_owned(), "inspect".to_owned(), format, name.clone()];
        match self.run("cannot look for its container", words, &BTreeMap::new()).await {
            Ok(said) => Ok(said.trim().strip_prefix("true ").map(|fingerprint| (name, fingerprint.to_owned()))),
            Err(Error::Docker { said, .. }) if said.contains("No such container") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Its end, in words.
    pub(crate) fn ended(&self, name: String) -> Ended {
        let daemon = self.clone();
        async move {
            let words = vec!["container".to_owned(), "wait".to_owned(), name];
            match daemon.run("cannot wait for its container", words, &BTreeMap::new()).await {
                Ok(code) => format!("its container ended with exit status {}", code.trim()),
                // The daemon may have gone with it.
                Err(error) => format!("its container is gone: {}", error.told()),
            }
        }
        .boxed()
    }

    /// SIGTERM, or SIGKILL.
    pub(crate) async fn signal(&self, name: &str, signal: &str) -> Result<(), Error> {
        let words = ["container", "kill", signal, name].map(str::to_owned).to_vec();
        match self.run("cannot end its container", words, &BTreeMap::new()).await {
            Err(Error::Docker { said, .. }) if said.contains("is not running") || said.contains("No such container") => Ok(()),
            sent => sent.map(drop),
        }
    }

    /// What of it is left. That there is nothing is no error, and nothing depends on it but the next start, which says what is wrong.
    pub(crate) async fn remove(&self, name: &str) {
        let words = ["container", "rm", "--force", name].map(str::to_owned).to_vec();
        if let Err(error) = self.run("cannot remove its container", words, &BTreeMap::new()).await {
            tracing::debug!(container = name, "{}", error.told());
        }
    }

    /// The last lines of its output.
    pub(crate) async fn tail(&self, name: &str) -> String {
        let words = ["container", "logs", "--tail=20", name].map(str::to_owned).to_vec();
        match self.output(words, &BTreeMap::new()).await {
            Ok(output) => format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
            Err(_) => String::new(),
        }
    }

    /// What follows the name; and what the client's own environment has to hold, so that no secret is on its command line.
    fn arguments(
        &self,
        docker: &Docker,
        targets: &Targets,
        files: &Files,
        node: &str,
    ) -> (Vec<String>, BTreeMap<String, String>) {
        let socket = docker.mount_dir.join("csi.sock");
        let url = format!("unix://{}", socket.display());
        let mut words = Vec::new();
        if docker.privileged {
            words.push("--privileged".to_owned());
        }
        if docker.pull {
            words.push("--pull=always".to_owned());
        }
        for (flag, value) in [("user", &docker.user), ("network", &docker.network), ("hostname", &docker.hostname)] {
            words.extend(value.as_ref().map(|value| format!("--{flag}={value}")));
        }
        words.extend(docker.working_dir.as_ref().map(|dir| format!("--workdir={}", dir.display())));
        words.extend(docker.limits.cpu_shares.map(|shares| format!("--cpu-shares={shares}")));
        words.extend(docker.limits.memory.map(|memory| format!("--memory={}b", memory.0)));
        let shared = |source: &Path, target: &Path| mount(source, target, false, Propagation::Bidirectional);
        words.push(mount(&files.folder, &docker.mount_dir, false, Propagation::Private));
        words.push(shared(&self.mounts, &self.mounts));
        words.extend(targets.root.as_ref().map(|root| shared(root, root)));
        words.extend(docker.stage_dir.as_ref().map(|dir| shared(&files.stage, dir)));
        // Upstream: Nomad, whose plugins these are, gives every one the host's devices, those that come later included.
        let devices = Path::new("/dev");
        if docker.stage_dir.is_some() && docker.binds.iter().all(|bind| bind.target != devices) {
            words.push(mount(devices, devices, false, Propagation::HostToContainer));
        }
        for bind in &docker.binds {
            words.push(mount(&bind.source, &bind.target, bind.read_only, bind.propagation));
        }
        let mut environment = docker.environment.expose(node);
        if !docker.environment.has(VARIABLE) {
            environment.insert(VARIABLE.to_owned(), url.clone());
        }
        for value in environment.values_mut() {
            *value = expand(value, &url);
        }
        words.extend(environment.keys().map(|name| format!("--env={name}")));
        if let Some(program) = docker.entrypoint.first() {
            words.push(format!("--entrypoint={}", expand(program, &url)));
        }
        words.push("--".to_owned());
        words.push(docker.image.clone());
        words.extend(docker.entrypoint.iter().skip(1).chain(&docker.args.0).map(|text| expand(text, &url)));
        (words, environment)
    }

    async fn run(&self, attempt: &str, words: Vec<String>, environment: &BTreeMap<String, String>) -> Result<String, Error> {
        let output = self.output(words, environment).await.map_err(|source| {
            let program = self.program.display();
            Error::host(format!(
                "run {program}, which starts the plugin's container; install Docker, or describe the plugin as a process"
            ))(source)
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = if said.is_empty() { output.status.to_string() } else { said };
        Err(Error::Docker { attempt: attempt.to_owned(), said })
    }

    async fn output(&self, words: Vec<String>, environment: &BTreeMap<String, String>) -> std::io::Result<std::process::Output> {
        let mut command = Command::new(&self.program);
        // A plugin's PATH or DOCKER_HOST is not the client's: those two kinds are never secret, and are written out.
        let ours = |name: &str| matches!(name, "PATH" | "HOME") || name.starts_with("DOCKER");
        for word in words {
            let own = word.strip_prefix("--env=").filter(|name| ours(name)).and_then(|name| environment.get_key_value(name));
            match own {
                Some((name, value)) => command.arg(format!("--env={name}={value}")),
                None => command.arg(word),
            };
        }
        command.envs(environment.iter().filter(|(name, _)| !ours(name)));
        // The client is ours, and ends with us; what it started is the daemon's.
        command.stdin(Stdio::null()).kill_on_drop(true).process_group(0).output().await
    }
}

fn mount(source: &Path, target: &Path, read_only: bool, propagation: Propagation) -> String {
    let propagation = match propagation {
        Propagation::Private => "rprivate",
        Propagation::HostToContainer => "rslave",
        Propagation::Bidirectional => "rshared",
    };
    let read_only = if read_only { ",readonly" } else { "" };
    format!("--mount=type=bind,source={},target={},bind-propagation={propagation}{read_only}", source.display(), target.display())
}
