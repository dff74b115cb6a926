//! What is said of documents on a command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use csi_types::Quantity;
use documents::nomad;

/// Whose format the files have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Apps and groups of Marathon, as in DC/OS.
    Marathon,
    /// Tasks, task groups, containers and volumes of Mesos.
    Mesos,
    /// Jobs and volume specifications of Nomad, in HCL or JSON.
    Nomad,
    /// Files of CSI plugins, of Mesos or DC/OS.
    DcosPlugin,
}

/// As typed.
#[derive(Debug, Clone, Args)]
pub(crate) struct Given {
    /// Whose format the files have.
    #[arg(long, value_enum)]
    from: Format,
    /// The namespace of the objects. Default: the document's own, or "default".
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
    /// What a plugin of the documents is called as a CSI driver. Repeatable.
    #[arg(long, value_name = "PLUGIN=CSI-NAME", value_parser = driver)]
    driver: Vec<(String, String)>,
    /// Where secrets are: a file for each, by its name in the secret store. One line end at its end is not part of it.
    #[arg(long, value_name = "DIR")]
    secrets_dir: Option<PathBuf>,
    /// Secrets are in variables: this, and the name in the secret store in capitals, with _ for all but letters and digits.
    #[arg(long, value_name = "PREFIX")]
    secrets_env: Option<String>,
    /// The size of volumes, where a document does not know it.
    #[arg(long, value_name = "SIZE", default_value = "1Gi", value_parser = size)]
    capacity: String,
    /// The image of tasks that name none, in a cluster.
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// What is run by a Mesos document that only says what is mounted, as mesos-execute takes it.
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// A variable of a Nomad job. Repeatable; NOMAD_VAR_NAME of the environment counts, too.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Variables of a Nomad job, in HCL or JSON. Repeatable; those of --var win.
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub(crate) struct What {
    pub(crate) format: Format,
    pub(crate) namespace: Option<String>,
    pub(crate) drivers: BTreeMap<String, String>,
    pub(crate) secrets_dir: Option<PathBuf>,
    pub(crate) secrets_env: Option<String>,
    pub(crate) capacity: String,
    pub(crate) image: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) variables: nomad::Inputs,
}

impl Given {
    /// What they mean.
    ///
    /// # Errors
    /// A sentence about flags that contradict each other.
    pub(crate) fn what(self) -> Result<What, String> {
        let mut drivers = BTreeMap::new();
        for (plugin, name) in self.driver {
            if let Some(other) = drivers.insert(plugin.clone(), name.clone())
                && other != name
            {
                return Err(format!("--driver names plugin {plugin} twice, as {other} and as {name}"));
            }
        }
        if let Some(namespace) = self.namespace.as_ref().filter(|namespace| !is_label(namespace)) {
            return Err(format!("--namespace {namespace:?} cannot be the name of a namespace"));
        }
        Ok(What {
            format: self.from,
            namespace: self.namespace,
            drivers,
            secrets_dir: self.secrets_dir,
            secrets_env: self.secrets_env,
            capacity: self.capacity,
            image: self.image.filter(|image| !image.is_empty()),
            command: self.command,
            variables: variables(self.var, &self.var_file)?,
        })
    }
}

/// Of the environment, of files, and of the command line, which wins.
fn variables(var: Vec<(String, String)>, files: &[PathBuf]) -> Result<nomad::Inputs, String> {
    let text = |text: std::ffi::OsString| text.into_string().ok();
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((text(name)?.strip_prefix("NOMAD_VAR_")?.to_owned(), text(value)?)));
    let mut given = Vec::new();
    for file in files {
        let text =
            std::fs::read_to_string(file).map_err(|error| format!("--var-file {}: cannot be read: {error}", file.display()))?;
        given.push(nomad::Given::File { name: file.display().to_string(), text });
    }
    given.extend(var.into_iter().map(|(name, value)| nomad::Given::Value { name, value }));
    Ok(nomad::Inputs { environment: environment.collect(), given })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn is_label(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    inner && text.len() <= 63 && ends(text.chars().next()) && ends(text.chars().last())
}

fn driver(text: &str) -> Result<(String, String), String> {
    let (plugin, name) = text.split_once('=').ok_or("expected PLUGIN=CSI-NAME")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    // Spec: CSI GetPluginInfo, `name`.
    let valid = !name.is_empty() && name.len() <= 63 && name.chars().all(plain);
    match (plugin.is_empty(), valid) {
        (true, _) => Err("expected the plugin's name in the document before =".to_owned()),
        (_, false) => Err(format!(
            "{name:?} is no name of a CSI driver: expected at most 63 letters, digits, -, . and _, as nfs.csi.k8s.io"
        )),
        _ => Ok((plugin.to_owned(), name.to_owned())),
    }
}

fn size(text: &str) -> Result<String, String> {
    match Quantity::parse(text) {
        Ok(quantity) if quantity > Quantity::parse("0").map_err(|error| error.to_string())? => Ok(text.to_owned()),
        Ok(_) => Err("expected more than nothing".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_has_a_plugin_and_a_name() {
        assert_eq!(driver("a.b=nfs.csi.k8s.io"), Ok(("a.b".to_owned(), "nfs.csi.k8s.io".to_owned())));
        for text in ["", "a", "=b", "a=", "a=com.example/csi"] {
            assert!(driver(text).is_err(), "{text}");
        }
        assert!(size("1Gi").is_ok() && size("0").is_err() && size("big").is_err());
        assert!(is_label("team-1") && !is_label("Team") && !is_label("-a") && !is_label(""));
    }
}
