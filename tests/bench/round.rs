//! One side's turn: claims made while nobody provisions, the clock, what it cost, and proof that it was done.
//!
//! Both clocks start when the claims are known and stop when the API server answers the last PersistentVolume. The bare client's
//! starts when it has decoded its list. Ours starts when the API server has answered the last list that fills the caches: to
//! decode it, to be in step and to plan are on our time.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use harness::eventually_within;
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::audit::{Audit, Request};
use crate::sidecar::Driver;
use crate::site::{Site, client};
use crate::usage::{self, Host};
use crate::{Provision, bare};

/// Generous: a thousand claims take seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Bare,
    Longshore,
    /// Ours without write-ahead intents.
    Unguarded,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Longshore, Self::Unguarded];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare client",
            Self::Longshore => "external-provisioner",
            Self::Unguarded => "without intents",
        }
    }

    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::Bare => "bench-bare",
            Self::Longshore => "bench-provisioner",
            Self::Unguarded => "bench-without-intents",
        }
    }
}

/// What one turn came to.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) side: Side,
    pub(crate) claims: u32,
    /// From the clock's start to each PersistentVolume, in order.
    pub(crate) volumes: Vec<f64>,
    /// To the last event, which bare posts after each volume and we in a lane beside them.
    pub(crate) to_last_event: f64,
    /// By verb and resource, from the account's first request to its last event.
    pub(crate) requests: BTreeMap<String, usize>,
    /// Requests that the API server did not answer with 2xx.
    pub(crate) refused: usize,
    /// Of the bare client, or of external-provisioner from its start.
    pub(crate) cpu_secs: f64,
    /// Only of external-provisioner; the bare client is a part of the benchmark.
    pub(crate) peak_memory: Option<u64>,
    /// CPU seconds of others meanwhile, by name; `host` is everybody, `elsewhere` who is not part of this.
    pub(crate) others: BTreeMap<&'static str, f64>,
    pub(crate) verified: Verified,
    /// One of the PersistentVolumes, as the API server has it.
    pub(crate) sample: PersistentVolume,
}

/// Counted after the turn, by asking the API server and the driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verified {
    pub(crate) volumes: usize,
    pub(crate) bound: usize,
    pub(crate) events: usize,
    /// `None`: the bare client has no driver.
    pub(crate) in_driver: Option<usize>,
}

impl Round {
    pub(crate) fn secs(&self) -> f64 {
        self.volumes.last().copied().unwrap_or_default()
    }

    /// Volumes a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.claims) / self.secs()
    }

    /// Volumes a second, if a volume counts once its event is written too.
    pub(crate) fn rate_with_events(&self) -> f64 {
        f64::from(self.claims) / self.secs().max(self.to_last_event)
    }

    /// The share of the CPU time used that others had.
    pub(crate) fn disturbed(&self) -> f64 {
        let used = |who| self.others.get(who).copied().unwrap_or_default();
        used("elsewhere") / used("host").max(0.01)
    }

    /// The time to which `share` of the claims had their PersistentVolume.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = (share * self.volumes.len() as f64).ceil() as usize;
        self.volumes.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// Runs one turn and cleans up after it.
pub(crate) async fn run(flags: &Provision, site: &Site, number: u32, side: Side) -> Result<Round> {
    site.make_claims(number, flags.claims).await?;
    let mut audit = Audit::from_now(site.run().join("logs/audit.log"), &site.user(side))?;
    let before = Costs::now(site)?;
    let own_before = usage::cpu_secs(std::process::id())?;
    match side {
        Side::Bare => {
            let client = client(&site.kubeconfig(side), "bench-bare").await?;
            let began = bare::provision(&client).await?;
            let cpu_secs = usage::cpu_secs(std::process::id())? - own_before;
            let others = before.until_now(site, &[("itself", cpu_secs)])?;
            let round = finish(flags, site, side, &mut audit, began.0, None).await?;
            site.delete_claims().await?;
            site.drop_volumes().await?;
            Ok(Round { cpu_secs, others, ..round })
        }
        Side::Longshore | Side::Unguarded => {
            let mut more = flags.provisioner_flags.clone();
            if side == Side::Unguarded {
                more.push("--feature-gates=WriteAheadIntents=false".to_owned());
            }
            let mut driver = Driver::start(&flags.programs, site).await?;
            let driver_before = usage::cpu_secs(driver.program.pid())?;
            let mut provisioner = driver.provisioner(&flags.programs, site, &site.kubeconfig(side), &more)?;
            await_written(flags, site, &mut audit, || provisioner.must_run().and_then(|()| driver.program.must_run())).await?;
            let cpu_secs = usage::cpu_secs(provisioner.pid())?;
            let driver_secs = usage::cpu_secs(driver.program.pid())? - driver_before;
            let peak_memory = Some(usage::peak_memory(provisioner.pid())?);
            let watching = usage::cpu_secs(std::process::id())? - own_before;
            let others = before.until_now(site, &[("itself", cpu_secs), ("driver", driver_secs), ("benchmark", watching)])?;
            let began = last_list(audit.requests()?)?;
            let round = finish(flags, site, side, &mut audit, began, Some(&driver)).await?;
            site.delete_claims().await?;
            site.await_no_volumes().await?;
            let left = driver.volumes().await?;
            ensure!(left == 0, "{left} volumes are left in the driver after their claims were deleted");
            provisioner.terminate().await?;
            driver.program.terminate().await?;
            Ok(Round { cpu_secs, peak_memory, others, ..round })
        }
    }
}

/// Waits until the API server has answered every PersistentVolume and every event.
async fn await_written(flags: &Provision, site: &Site, audit: &mut Audit, mut alive: impl FnMut() -> Result<()>) -> Result<()> {
    let wanted = flags.claims as usize;
    let written = eventually_within(PATIENCE, "a volume and an event for every claim", async || {
        alive()?;
        let requests = audit.requests()?;
        let volumes = requests.iter().filter(|request| request.made("persistentvolumes")).count();
        let events = requests.iter().filter(|request| request.made("events")).count();
        ensure!(volumes >= wanted && events >= wanted, "{volumes} PersistentVolumes and {events} events for {wanted} claims");
        Ok(())
    });
    let Err(error) = written.await else { return Ok(()) };
    let mut complaints = site.complaints().await?;
    complaints.truncate(3);
    Err(error.context(complaints.join("; ")))
}

/// The last list before the first PersistentVolume: from then on the API server has told everything.
fn last_list(requests: &[Request]) -> Result<Timestamp> {
    let before = requests.iter().take_while(|request| !request.made("persistentvolumes"));
    before.filter(|request| request.verb == "list").map(|request| request.answered).max().context("no list in the audit log")
}

/// Counts what was done, by the audit log, by the API and by the driver, and fails if it is not what was to be done.
async fn finish(
    flags: &Provision,
    site: &Site,
    side: Side,
    audit: &mut Audit,
    began: Timestamp,
    driver: Option<&Driver>,
) -> Result<Round> {
    site.await_bound(flags.claims).await?;
    let wanted = flags.claims as usize;
    let requests = audit.requests()?;
    let after = |request: &Request| request.answered.duration_since(began).as_secs_f64();
    let mut volumes: Vec<f64> = requests.iter().filter(|request| request.made("persistentvolumes")).map(after).collect();
    volumes.sort_by(f64::total_cmp);
    let last_event = requests.iter().filter(|request| request.made("events")).map(after).fold(0.0, f64::max);
    let mut counts = BTreeMap::new();
    for request in requests {
        *counts.entry(format!("{} {}", request.verb, request.resource)).or_insert(0) += 1;
    }
    let refused = requests.iter().filter(|request| !(200..300).contains(&request.code)).count();
    for made in ["create persistentvolumes", "create events"] {
        let count = counts.get(made).copied().unwrap_or_default();
        ensure!(count == wanted, "the {} asked {count} times to {made} for {wanted} claims", side.name());
    }

    let saved = site.volumes().await?;
    let sample = saved.first().context("no PersistentVolume")?.clone();
    let (objects, told) = site.successes().await?;
    let in_driver = match driver {
        Some(driver) => Some(driver.volumes().await?),
        None => None,
    };
    ensure!(saved.len() == wanted, "{} PersistentVolumes for {wanted} claims", saved.len());
    ensure!((objects, told) == (wanted, wanted as i32), "{objects} events, counting {told}, for {wanted} claims");
    ensure!(in_driver.is_none_or(|count| count == wanted), "{in_driver:?} volumes in the driver for {wanted} claims");
    let verified = Verified { volumes: saved.len(), bound: wanted, events: objects, in_driver };
    Ok(Round {
        side,
        claims: flags.claims,
        volumes,
        to_last_event: last_event,
        requests: counts,
        refused,
        cpu_secs: 0.0,
        peak_memory: None,
        others: BTreeMap::new(),
        verified,
        sample,
    })
}

/// Who uses the two sides' host beside them.
struct Costs {
    host: Host,
    control_plane: BTreeMap<&'static str, f64>,
}

impl Costs {
    fn now(site: &Site) -> Result<Self> {
        let mut control_plane = BTreeMap::new();
        for name in ["kube-apiserver", "etcd", "kube-controller-manager"] {
            control_plane.insert(name, usage::cpu_secs(usage::cluster_pid(site.run(), name)?)?);
        }
        Ok(Self { host: Host::now()?, control_plane })
    }

    fn until_now(&self, site: &Site, own: &[(&'static str, f64)]) -> Result<BTreeMap<&'static str, f64>> {
        let now = Self::now(site)?;
        let mut used: BTreeMap<&'static str, f64> = own.iter().copied().collect();
        for (name, secs) in &now.control_plane {
            used.insert(name, secs - self.control_plane.get(name).copied().unwrap_or_default());
        }
        let known: f64 = used.values().sum();
        let busy = now.host.busy - self.host.busy;
        used.insert("elsewhere", (busy - known).max(0.0));
        used.insert("host", busy);
        used.insert("idle", now.host.all - self.host.all - busy);
        Ok(used)
    }
}

/// Where the two sides' PersistentVolumes differ in more than the names of things: there should be nowhere.
pub(crate) fn differences(bare: &PersistentVolume, ours: &PersistentVolume) -> Result<Vec<String>> {
    let fields = |pv: &PersistentVolume| -> Result<BTreeMap<String, String>> {
        let mut all = BTreeMap::new();
        flatten("", &serde_json::to_value(pv)?, &mut all);
        // What the server adds, and what names this very volume.
        let own = ["/metadata/managedFields", "/metadata/creationTimestamp", "/metadata/resourceVersion", "/metadata/uid"];
        all.retain(|path, _| !own.iter().any(|own| path.starts_with(own)) && !path.starts_with("/status"));
        for name in ["/metadata/name", "/spec/claimRef/", "/spec/csi/volumeHandle", "/spec/csi/volumeAttributes/"] {
            all.iter_mut().filter(|(path, _)| path.starts_with(name)).for_each(|(_, value)| *value = "…".to_owned());
        }
        Ok(all)
    };
    let (bare, ours) = (fields(bare)?, fields(ours)?);
    let paths = bare.keys().chain(ours.keys().filter(|path| !bare.contains_key(*path)));
    Ok(paths
        .filter(|path| bare.get(*path) != ours.get(*path))
        .map(|path| format!("{path}: bare {:?}, ours {:?}", bare.get(path), ours.get(path)))
        .collect())
}

fn flatten(path: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&format!("{path}/{name}"), value, all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| flatten(&format!("{path}/{at}"), value, all)),
        leaf => drop(all.insert(path.to_owned(), leaf.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn volumes_that_differ_in_names_alone_are_the_same() {
        let volume = |name: &str, size: &str| -> PersistentVolume {
            serde_json::from_value(json!({
                "metadata": {"name": name, "uid": name, "finalizers": ["a"]},
                "spec": {"capacity": {"storage": size}, "claimRef": {"name": name}, "csi": {"driver": "d", "volumeHandle": name}},
            }))
            .unwrap()
        };
        assert!(differences(&volume("a", "1Gi"), &volume("b", "1Gi")).unwrap().is_empty());
        let different = differences(&volume("a", "1Gi"), &volume("b", "2Gi")).unwrap();
        assert!(different.len() == 1 && different[0].starts_with("/spec/capacity/storage: "), "{different:?}");
        let mut more = volume("b", "1Gi");
        more.spec.as_mut().unwrap().volume_mode = Some("Block".to_owned());
        assert_eq!(differences(&volume("a", "1Gi"), &more).unwrap().len(), 1);
    }

    #[test]
    fn the_clock_starts_with_the_last_list_before_the_first_volume() {
        let request = |verb: &str, resource: &str, secs| Request {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            code: if verb == "create" { 201 } else { 200 },
            answered: Timestamp::from_second(secs).unwrap(),
        };
        let mut requests = vec![
            request("list", "storageclasses", 1),
            request("list", "persistentvolumeclaims", 3),
            request("list", "persistentvolumes", 2),
        ];
        assert!(last_list(&[]).is_err());
        requests.push(request("create", "persistentvolumes", 4));
        requests.push(request("list", "persistentvolumes", 9));
        assert_eq!(last_list(&requests).unwrap(), Timestamp::from_second(3).unwrap());
    }
}
