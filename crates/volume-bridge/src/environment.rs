//! The environment of gocsi's servers and of REX-Ray, as it is read by `longshore serve`. A variable that is not honoured is an
//! error or a warning that names it.
//!
//! Spec: other formats, 4.1 and 4.4.

use std::collections::BTreeMap;
use std::time::Duration;

use csi_proto::csi::v1::GetPluginInfoResponse;
use sidecar::{Exit, GoDuration, go_bool};

use crate::csi::Mode;
use crate::csi::log::Lines;
use crate::csi::validate::Checks;
use crate::socket::Access;

/// Variables by name. Tests make their own.
#[derive(Debug, Clone, Default)]
pub struct Environment(pub BTreeMap<String, String>);

/// Who owns the socket: a name or a number, still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// X_CSI_ENDPOINT_USER.
    pub user: Option<String>,
    /// X_CSI_ENDPOINT_GROUP.
    pub group: Option<String>,
}

/// What the environment says besides what flags say, too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) access: Access,
    pub(crate) owner: Owner,
    pub(crate) mode: Mode,
    pub(crate) lines: Lines,
    pub(crate) request_ids: bool,
    pub(crate) checks: Checks,
    pub(crate) plugin_info: Option<GetPluginInfoResponse>,
    pub(crate) serial: Option<Duration>,
    pub(crate) no_docker: bool,
    pub(crate) native: Option<bool>,
}

/// Read by somebody.
const KNOWN: [&str; 18] = [
    "X_CSI_DRIVER",
    "X_CSI_NATIVE",
    "X_CSI_NO_DOCKER",
    "X_CSI_ENDPOINT_PERMS",
    "X_CSI_ENDPOINT_USER",
    "X_CSI_ENDPOINT_GROUP",
    "X_CSI_MODE",
    "X_CSI_DEBUG",
    "X_CSI_LOG_LEVEL",
    "X_CSI_PLUGIN_INFO",
    "X_CSI_REQ_LOGGING",
    "X_CSI_REP_LOGGING",
    "X_CSI_REQ_ID_INJECTION",
    "X_CSI_LOG_DISABLE_VOL_CTX",
    "X_CSI_SPEC_VALIDATION",
    "X_CSI_SPEC_REQ_VALIDATION",
    "X_CSI_SPEC_REP_VALIDATION",
    "X_CSI_SPEC_DISABLE_LEN_CHECK",
];
const DEMANDS: [&str; 5] = [
    "X_CSI_REQUIRE_STAGING_TARGET_PATH",
    "X_CSI_REQUIRE_VOL_CONTEXT",
    "X_CSI_REQUIRE_PUB_CONTEXT",
    "X_CSI_SERIAL_VOL_ACCESS",
    "X_CSI_SERIAL_VOL_ACCESS_TIMEOUT",
];
/// Variable, call.
const SECRETS: [(&str, &str); 6] = [
    ("X_CSI_REQUIRE_CREDS_CREATE_VOL", "CreateVolume"),
    ("X_CSI_REQUIRE_CREDS_DELETE_VOL", "DeleteVolume"),
    ("X_CSI_REQUIRE_CREDS_CTRLR_PUB_VOL", "ControllerPublishVolume"),
    ("X_CSI_REQUIRE_CREDS_CTRLR_UNPUB_VOL", "ControllerUnpublishVolume"),
    ("X_CSI_REQUIRE_CREDS_NODE_STG_VOL", "NodeStageVolume"),
    ("X_CSI_REQUIRE_CREDS_NODE_PUB_VOL", "NodePublishVolume"),
];
const ALL_SECRETS: &str = "X_CSI_REQUIRE_CREDS";
const ETCD: &str = "X_CSI_SERIAL_VOL_ACCESS_ETCD_";

impl Environment {
    /// Of this process.
    pub fn of_process() -> Self {
        let ours = |name: &str| name.starts_with("X_CSI_") || matches!(name, "CSI_ENDPOINT" | "LOG_LEVEL" | "DOCKER_LEGACY");
        let text =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self(std::env::vars_os().filter_map(text).filter(|(name, _)| ours(name)).collect())
    }

    /// A value that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn switch(&self, name: &str) -> Result<Option<bool>, Exit> {
        let Some(text) = self.text(name) else { return Ok(None) };
        go_bool(text).map(Some).map_err(|_| Exit::failed(format!("{name} is {text:?}, expected true or false")))
    }

    fn is_on(&self, name: &str) -> Result<bool, Exit> {
        Ok(self.switch(name)?.unwrap_or(false))
    }

    /// klog's verbosity for a level's name; `None`: nothing is said. The notice says what is lost.
    pub(crate) fn verbosity(&self, flag: &str, notices: &mut Vec<String>) -> Result<Option<u8>, Exit> {
        let debug = self.is_on("X_CSI_DEBUG")?.then_some(("X_CSI_DEBUG", "debug"));
        let flag = Some(flag).filter(|level| !level.is_empty()).map(|level| ("--log-level", level));
        let env = |name| self.text(name).map(|level| (name, level));
        let Some((name, level)) = flag.or(debug).or_else(|| env("X_CSI_LOG_LEVEL")).or_else(|| env("LOG_LEVEL")) else {
            return Ok(None);
        };
        Ok(Some(match level.to_ascii_lowercase().as_str() {
            "trace" => 6,
            "debug" => 5,
            "info" => 0,
            "panic" | "fatal" | "error" | "warn" | "warning" => {
                notices.push(format!("{name} is {level}: the log has what is above it, too; it is short"));
                0
            }
            _ => {
                notices.push(format!("{name} is {level:?}, expected error, warn, info or debug; taken for info"));
                0
            }
        }))
    }

    /// Reads everything but endpoint, driver and level.
    ///
    /// # Errors
    /// A variable that cannot be read, or cannot be honoured.
    pub(crate) fn read(&self, notices: &mut Vec<String>) -> Result<Said, Exit> {
        self.tell_of_others(notices)?;
        let debug = self.is_on("X_CSI_DEBUG")?;
        let both = self.is_on("X_CSI_SPEC_VALIDATION")?;
        let demands = |name: &str| self.is_on(name);
        let all_secrets = self.is_on(ALL_SECRETS)?;
        let mut secrets = Vec::new();
        for (name, call) in SECRETS {
            if all_secrets || self.is_on(name)? {
                secrets.push(call);
            }
        }
        let checks = Checks {
            requests: both || self.is_on("X_CSI_SPEC_REQ_VALIDATION")?,
            replies: both || self.is_on("X_CSI_SPEC_REP_VALIDATION")?,
            lengths: !self.is_on("X_CSI_SPEC_DISABLE_LEN_CHECK")?,
            staging_target_path: demands("X_CSI_REQUIRE_STAGING_TARGET_PATH")?,
            volume_context: demands("X_CSI_REQUIRE_VOL_CONTEXT")?,
            publish_context: demands("X_CSI_REQUIRE_PUB_CONTEXT")?,
            secrets,
        };
        // What is demanded is looked at, whatever else is.
        let demanded =
            checks.staging_target_path || checks.volume_context || checks.publish_context || !checks.secrets.is_empty();
        let lines = Lines {
            requests: debug || self.is_on("X_CSI_REQ_LOGGING")?,
            replies: debug || self.is_on("X_CSI_REP_LOGGING")?,
            contexts: !self.is_on("X_CSI_LOG_DISABLE_VOL_CTX")?,
        };
        let request_ids = lines.requests || lines.replies || self.is_on("X_CSI_REQ_ID_INJECTION")?;
        let serial =
            if self.is_on("X_CSI_SERIAL_VOL_ACCESS")? { Some(self.duration("X_CSI_SERIAL_VOL_ACCESS_TIMEOUT")?) } else { None };
        Ok(Said {
            access: Access { mode: self.permissions()?, ..Access::default() },
            owner: Owner {
                user: self.text("X_CSI_ENDPOINT_USER").map(str::to_owned),
                group: self.text("X_CSI_ENDPOINT_GROUP").map(str::to_owned),
            },
            mode: self.mode(notices),
            lines,
            request_ids,
            checks: Checks { requests: checks.requests || demanded, ..checks },
            plugin_info: self.plugin_info()?,
            serial,
            no_docker: self.is_on("X_CSI_NO_DOCKER")?,
            native: self.switch("X_CSI_NATIVE")?,
        })
    }

    fn duration(&self, name: &str) -> Result<Duration, Exit> {
        let Some(text) = self.text(name) else { return Ok(Duration::ZERO) };
        let read = text.parse::<GoDuration>();
        read.map(GoDuration::to_std).map_err(|error| Exit::failed(format!("{name} is {text:?}: {error}")))
    }

    /// 0755 is gocsi's way to say: as it is.
    fn permissions(&self) -> Result<Option<u32>, Exit> {
        let Some(text) = self.text("X_CSI_ENDPOINT_PERMS") else { return Ok(None) };
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
        let mode =
            mode.ok_or_else(|| Exit::failed(format!("X_CSI_ENDPOINT_PERMS is {text:?}, expected an octal mode such as 0660")))?;
        Ok((mode != 0o755).then_some(mode))
    }

    fn mode(&self, notices: &mut Vec<String>) -> Mode {
        let both = Mode { controller: true, node: true };
        match self.text("X_CSI_MODE").map(str::to_ascii_lowercase).as_deref() {
            Some("controller") => Mode { node: false, ..both },
            Some("node") => Mode { controller: false, ..both },
            Some(other) => {
                notices.push(format!("X_CSI_MODE is {other:?}, expected controller or node; both are served"));
                both
            }
            None => both,
        }
    }

    /// `NAME, VERSION[, key=value…]`
    fn plugin_info(&self) -> Result<Option<GetPluginInfoResponse>, Exit> {
        let Some(text) = self.text("X_CSI_PLUGIN_INFO") else { return Ok(None) };
        let refused = || Exit::failed(format!("X_CSI_PLUGIN_INFO is {text:?}, expected NAME, VERSION[, key=value…]"));
        let mut words = text.split(',').map(str::trim);
        let (name, version) = words.next().zip(words.next()).filter(|(name, _)| !name.is_empty()).ok_or_else(refused)?;
        let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        let manifest = words.map(pair).collect::<Option<_>>().ok_or_else(refused)?;
        Ok(Some(GetPluginInfoResponse { name: name.to_owned(), vendor_version: version.to_owned(), manifest }))
    }

    /// Nothing is left out in silence.
    fn tell_of_others(&self, notices: &mut Vec<String>) -> Result<(), Exit> {
        for name in self.0.keys().filter(|name| self.text(name).is_some()) {
            let known = KNOWN.contains(&name.as_str())
                || DEMANDS.contains(&name.as_str())
                || name == ALL_SECRETS
                || SECRETS.iter().any(|(known, _)| known == name);
            match name.as_str() {
                _ if known => {}
                "CSI_ENDPOINT" | "LOG_LEVEL" => {}
                etcd if etcd.starts_with(ETCD) => {
                    return Err(Exit::failed(format!(
                        "{name}: there is no lock in etcd here; X_CSI_SERIAL_VOL_ACCESS without it serialises the calls of this host, and a \
                         driver that must be called by one host at a time needs an orchestrator; unset it"
                    )));
                }
                "X_CSI_GO_PLUGINS" => {
                    return Err(Exit::failed(
                        "X_CSI_GO_PLUGINS: Go plugins cannot be loaded here; start the driver as a process and give its socket as \
                         X_CSI_DRIVER=unix:///path/of/csi.sock",
                    ));
                }
                "X_CSI_NFS_VOLUMES" => {
                    return Err(Exit::failed(
                        "X_CSI_NFS_VOLUMES: csi-nfs is not built in; start an NFS CSI driver, give its socket as X_CSI_DRIVER, and its \
                         server and share as options of docker volume create",
                    ));
                }
                "DOCKER_LEGACY" => notices.push("DOCKER_LEGACY has no meaning here: Docker is always served by CSI".to_owned()),
                "X_CSI_SECRETS" => {
                    notices.push("X_CSI_SECRETS is for clients (csc); volumes of Docker take -o secretsFile=FILE".to_owned())
                }
                _ => notices.push(format!("{name} is not known here and has no effect")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
