//! The cluster that `hack/cluster up` started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::api::Api;

/// Where `hack/cluster` keeps what it has.
pub(crate) fn run_folder() -> PathBuf {
    PathBuf::from(std::env::var("LONGSHORE_RUN").unwrap_or_else(|_| "/var/lib/longshore-test".to_owned()))
}

/// Where it is, and a connection to it.
pub struct Cluster {
    /// With all rights.
    pub api: Api,
    run: PathBuf,
}

impl Cluster {
    /// Connects; a cluster must be up.
    pub async fn connect() -> Result<Self> {
        let run = run_folder();
        let path = run.join("kubeconfigs/admin");
        let kubeconfig =
            Kubeconfig::read_from(&path).with_context(|| format!("{}: is the cluster up? (hack/cluster up)", path.display()))?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Self { api: Api::new(kube::Client::try_from(config)?), run })
    }

    /// Where the cluster keeps what it has; `hack/cluster down` removes it.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// One user's kubeconfig.
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.run.join("kubeconfigs").join(user)
    }

    /// kubectl, for what is not a plain request: exec and logs.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let program = self.run.join("bin/kubectl");
        Command::new(&program)
            .arg(format!("--kubeconfig={}", self.kubeconfig("admin").display()))
            .args(arguments)
            .output()
            .with_context(|| format!("{}", program.display()))
    }

    /// One of our own programs, built beside this test.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let here = std::env::current_exe()?;
        let folder = here.parent().and_then(Path::parent).context("the test runs outside of a target folder")?;
        let program = folder.join(name);
        ensure!(program.exists(), "{} is not built: cargo build --workspace", program.display());
        Ok(program)
    }
}
