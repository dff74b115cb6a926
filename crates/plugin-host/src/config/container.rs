//! `CSIPluginContainerInfo`: a process of this host, or a container of its Docker daemon if there is an image.

use std::path::PathBuf;

use super::place::{Places, Problem, Warning};
use super::{command, meaning, raw, resources};
use crate::plugin::{Arguments, Bind, Command, Docker, How, Process, Propagation};

/// Where the socket's folder is mounted in a container. Mesos uses the host's path, which a container may not have.
const MOUNT_DIR: &str = "/csi";

/// What a `ContainerInfo` asks for besides the command.
#[derive(Default)]
struct Image {
    name: String,
    privileged: bool,
    network: Option<String>,
    pull: bool,
}

pub(super) fn how(raw: raw::Container, at: &str, places: &Places<'_>, warnings: &mut Vec<Warning>) -> Result<How, Problem> {
    let inside = format!("{at}.container");
    let (mut image, mut binds, mut hostname) = (None, Vec::new(), None);
    if let Some(container) = raw.container {
        notice(&container, &inside, places, warnings);
        hostname = container.hostname.filter(|hostname| !hostname.is_empty());
        image = self::image(container.kind.as_deref(), container.docker, container.mesos, &inside, places, warnings)?;
        for (index, volume) in container.volumes.0.into_iter().enumerate() {
            binds.push(bind(volume, &format!("{inside}.volumes[{index}]"), places)?);
        }
    }
    let words = command::read(raw.command, &format!("{at}.command"), image.is_some(), places, warnings)?;
    let limits = resources::limits(raw.resources.0, &format!("{at}.resources"), places, warnings)?;
    let Some(image) = image else {
        if let Some(index) = binds.iter().position(|bind| bind.source != bind.target || bind.read_only) {
            let reason = "asks for a path or a mode of its own, and without an image the plugin sees the host's files as they are; expected mode RW and the same path on both sides, or an image";
            return Err(places.problem(&format!("{inside}.volumes[{index}]"), reason));
        }
        if hostname.is_some() {
            warnings.push(
                places.warning(&format!("{inside}.hostname"), "does nothing: without an image the plugin has the host's name"),
            );
        }
        let Some(command) = words.command else {
            return Err(places.problem(&format!("{at}.command.value"), "is missing; expected what is to be started"));
        };
        return Ok(How::Process(Process {
            command,
            environment: words.environment,
            user: words.user,
            limits,
            working_dir: None,
            mount_dir: None,
        }));
    };
    let (entrypoint, args) = match words.command {
        None => (Vec::new(), Arguments::default()),
        Some(Command::Shell(text)) => (vec!["/bin/sh".to_owned()], Arguments(vec!["-c".to_owned(), text])),
        Some(Command::Program { program, args }) => (vec![program], args),
    };
    Ok(How::Docker(Docker {
        image: image.name,
        entrypoint,
        args,
        environment: words.environment,
        user: words.user,
        working_dir: None,
        privileged: image.privileged,
        network: image.network,
        hostname,
        binds,
        mount_dir: PathBuf::from(MOUNT_DIR),
        stage_dir: None,
        limits,
        pull: image.pull,
    }))
}

fn notice(container: &raw::ContainerInfo, at: &str, places: &Places<'_>, warnings: &mut Vec<Warning>) {
    for (name, there) in [
        ("network_infos", container.network_infos.is_some()),
        ("linux_info", container.linux_info.is_some()),
        ("rlimit_info", container.rlimit_info.is_some()),
        ("tty_info", container.tty_info.is_some()),
    ] {
        if there {
            warnings.push(places.warning(&format!("{at}.{name}"), "does nothing here"));
        }
    }
}

fn image(
    kind: Option<&str>,
    docker: Option<raw::DockerInfo>,
    mesos: Option<raw::MesosInfo>,
    at: &str,
    places: &Places<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Image>, Problem> {
    match kind {
        Some("DOCKER") => {
            let docker = docker.unwrap_or_default();
            let Some(name) = docker.image.filter(|name| !name.is_empty()) else {
                return Err(
                    places.problem(&format!("{at}.docker.image"), "is missing; expected the image of a container of type DOCKER")
                );
            };
            if docker.port_mappings.is_some() {
                warnings.push(
                    places.warning(&format!("{at}.docker.port_mappings"), "does nothing: a plugin is called on its socket"),
                );
            }
            if !docker.parameters.0.is_empty() {
                let reason = "are further flags of `docker run`, which are not passed on; take them out";
                return Err(places.problem(&format!("{at}.docker.parameters"), reason));
            }
            let network = network(docker.network.as_deref(), &format!("{at}.docker.network"), places)?;
            let pull = docker.force_pull_image.unwrap_or(false);
            Ok(Some(Image { name, privileged: docker.privileged.unwrap_or(false), network: Some(network), pull }))
        }
        Some("MESOS") => {
            let Some(image) = mesos.and_then(|mesos| mesos.image) else { return Ok(None) };
            let at = format!("{at}.mesos.image");
            match image.kind.as_deref() {
                Some("DOCKER") => {}
                Some(other) => {
                    return Err(
                        places.problem(&format!("{at}.type"), format!("is {other:?}; only DOCKER images can be run here"))
                    );
                }
                None => return Err(places.problem(&format!("{at}.type"), "is missing; expected DOCKER")),
            }
            let docker = image.docker.unwrap_or_default();
            let Some(name) = docker.name.filter(|name| !name.is_empty()) else {
                return Err(places.problem(&format!("{at}.docker.name"), "is missing; expected the name of the image"));
            };
            if docker.config.is_some() || docker.credential.is_some() {
                let reason = "does nothing: `docker login` on this host says how its registry is entered";
                warnings.push(places.warning(&format!("{at}.docker"), reason));
            }
            // A Mesos container mounts what its user may; Docker's may only if it is privileged.
            let (privileged, network) = (true, Some("host".to_owned()));
            Ok(Some(Image { name, privileged, network, pull: image.cached == Some(false) }))
        }
        Some(other) => Err(places.problem(&format!("{at}.type"), format!("is {other:?}; expected MESOS or DOCKER"))),
        None => Err(places.problem(&format!("{at}.type"), "is missing; expected MESOS or DOCKER")),
    }
}

/// Upstream: HOST is the default.
fn network(text: Option<&str>, field: &str, places: &Places<'_>) -> Result<String, Problem> {
    match text.unwrap_or("HOST") {
        known @ ("HOST" | "BRIDGE" | "NONE") => Ok(known.to_lowercase()),
        other => Err(places.problem(field, format!("is {other:?}; expected HOST, BRIDGE or NONE"))),
    }
}

fn bind(raw: raw::Volume, at: &str, places: &Places<'_>) -> Result<Bind, Problem> {
    let read_only = match raw.mode.as_deref() {
        Some("RW") => false,
        Some("RO") => true,
        Some(other) => return Err(places.problem(&format!("{at}.mode"), format!("is {other:?}; expected RW or RO"))),
        None => return Err(places.problem(&format!("{at}.mode"), "is missing; expected RW or RO")),
    };
    if raw.image.is_some() {
        return Err(places.problem(&format!("{at}.image"), "cannot be a plugin's volume here; expected host_path"));
    }
    let (host, propagation, field) = match raw.source {
        None => (raw.host_path, Propagation::Private, "host_path"),
        Some(source) if source.kind.as_deref() == Some("HOST_PATH") && raw.host_path.is_none() => {
            let path = source.host_path.unwrap_or_default();
            let mode = path.mount_propagation.and_then(|propagation| propagation.mode);
            let propagation = match mode.as_deref() {
                None => Propagation::Private,
                Some("HOST_TO_CONTAINER") => Propagation::HostToContainer,
                Some("BIDIRECTIONAL") => Propagation::Bidirectional,
                Some(other) => {
                    let field = format!("{at}.source.host_path.mount_propagation.mode");
                    return Err(places.problem(&field, format!("is {other:?}; expected HOST_TO_CONTAINER or BIDIRECTIONAL")));
                }
            };
            (path.path, propagation, "source.host_path.path")
        }
        Some(_) => {
            let reason = "cannot be a plugin's volume here; expected host_path, or a source of type HOST_PATH";
            return Err(places.problem(&format!("{at}.source"), reason));
        }
    };
    let path = |text: Option<String>, field: &str| {
        let text = text.unwrap_or_default();
        let path = meaning::absolute(&text).filter(|_| !text.contains([',', ':']));
        path.ok_or_else(|| {
            places.problem(
                &format!("{at}.{field}"),
                format!("is {text:?}; expected an absolute path without `..`, commas and colons"),
            )
        })
    };
    Ok(Bind { source: path(host, field)?, target: path(raw.container_path, "container_path")?, read_only, propagation })
}
