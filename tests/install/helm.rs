//! helm 3 and helm 4, and one release of a chart.

use anyhow::{Context as _, Result};
use harness::eventually;
use serde_json::Value;

use crate::rights;
use crate::site::Site;
use crate::tools::{self, Said};

/// A helm of one major version, as `hack/cluster env` puts it on the PATH.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Helm {
    Three,
    Four,
}

/// A release to be, or that is.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    helm: Helm,
    name: String,
    namespace: String,
    chart: String,
}

impl Helm {
    fn program(self) -> &'static str {
        match self {
            Self::Three => "helm3",
            Self::Four => "helm4",
        }
    }
}

impl Release {
    /// Of charts/longshore.
    pub(crate) fn of(helm: Helm, name: &str, namespace: &str) -> Result<Self> {
        Ok(Self { helm, name: name.to_owned(), namespace: namespace.to_owned(), chart: tools::path("charts/longshore")? })
    }

    /// Of charts/example-driver: a copy, because Helm packs what a chart depends on into its folder.
    pub(crate) fn of_example(site: &Site, helm: Helm, name: &str, namespace: &str) -> Result<Self> {
        let copy = site.cluster.run().join("install/charts");
        let _ = std::fs::remove_dir_all(&copy);
        std::fs::create_dir_all(&copy)?;
        let (longshore, example) = (tools::path("charts/longshore")?, tools::path("charts/example-driver")?);
        tools::must(&site.cluster, "cp", &["-r", &longshore, &example, &copy.display().to_string()], "")?;
        let chart = copy.join("example-driver").display().to_string();
        tools::must(&site.cluster, helm.program(), &["dependency", "update", &chart], "")?;
        Ok(Self { helm, name: name.to_owned(), namespace: namespace.to_owned(), chart })
    }

    /// Its objects are there when this returns; its pods may not be.
    pub(crate) fn install(&self, site: &Site, values: &Value) -> Result<()> {
        let said = self.try_install(site, values)?;
        anyhow::ensure!(said.ok, "{} install {}: {}{}", self.helm.program(), self.name, said.out, said.err);
        Ok(())
    }

    /// As [`Release::install`], where the refusal is what is asked for.
    pub(crate) fn try_install(&self, site: &Site, values: &Value) -> Result<Said> {
        self.say(site, &["install", &self.name, &self.chart, "--values", "-"], &values.to_string())
    }

    /// Returns when what was changed has been rolled out.
    pub(crate) fn upgrade(&self, site: &Site, values: &Value) -> Result<()> {
        self.must(
            site,
            &["upgrade", &self.name, &self.chart, "--wait", "--timeout", "120s", "--values", "-"],
            &values.to_string(),
        )
    }

    /// To what it was before the last upgrade.
    pub(crate) fn rollback(&self, site: &Site) -> Result<()> {
        self.must(site, &["rollback", &self.name, "--wait", "--timeout", "120s"], "")
    }

    pub(crate) fn test(&self, site: &Site) -> Result<()> {
        self.must(site, &["test", &self.name, "--timeout", "120s"], "")
    }

    pub(crate) fn uninstall(&self, site: &Site) -> Result<()> {
        self.must(site, &["uninstall", &self.name, "--wait", "--timeout", "120s"], "")
    }

    fn must(&self, site: &Site, arguments: &[&str], input: &str) -> Result<()> {
        let said = self.say(site, arguments, input)?;
        anyhow::ensure!(
            said.ok,
            "{} {}: {}{}\n{}",
            self.helm.program(),
            arguments.join(" "),
            said.out,
            said.err,
            self.pods(site).unwrap_or_default()
        );
        Ok(())
    }

    fn say(&self, site: &Site, arguments: &[&str], input: &str) -> Result<Said> {
        let mut all = arguments.to_vec();
        all.extend(["--namespace", &self.namespace]);
        tools::run(&site.cluster, self.helm.program(), &all, input)
    }

    /// Waits until every pod of its namespace is ready, and there is one.
    pub(crate) async fn ready(&self, site: &Site) -> Result<()> {
        let what = format!("the pods of {} to be ready", self.name);
        let waited = eventually(&what, async || {
            let pods = tools::list(&site.cluster, "pods", &["-n", &self.namespace])?;
            anyhow::ensure!(!pods.is_empty(), "no pods");
            for pod in &pods {
                let conditions = pod["status"]["conditions"].as_array().context("a pod without conditions")?;
                let ready = conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
                let over = pod["status"]["phase"] == "Succeeded";
                anyhow::ensure!(ready || over, "{} is not ready", pod["metadata"]["name"]);
            }
            Ok(())
        });
        waited.await.with_context(|| self.pods(site).unwrap_or_default())?;
        rights::record(&site.cluster)
    }

    /// For whoever looks into a failure.
    fn pods(&self, site: &Site) -> Result<String> {
        let namespace = self.namespace.as_str();
        let mut text = site.kubectl(&["get", "pods", "-n", namespace, "-o", "wide"])?;
        text += &site.kubectl(&["get", "events", "-n", namespace, "--sort-by=.lastTimestamp"])?;
        for pod in tools::list(&site.cluster, "pods", &["-n", namespace])? {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let logs = site.kubectl(&["logs", "-n", namespace, name, "--all-containers", "--prefix", "--tail=15"]);
            text += &logs.unwrap_or_else(|error| format!("{error:#}\n"));
        }
        Ok(text)
    }
}
