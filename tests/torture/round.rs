//! One round: a user's story, from a claim to nothing, while a nurse heals whoever is hit meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness::{Kind, objects};
use serde_json::json;

use crate::facts::{Facts, Goal, Wrong};
use crate::nurse;
use crate::plan::{Part, Plan};
use crate::site::{Site, Whose, round_name};
use crate::stage::{CLAIM, POD, Stage};

/// What a round came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) took: Duration,
    pub(crate) struck: u32,
    pub(crate) trouble: Option<Trouble>,
}

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: Wrong,
    pub(crate) expected: String,
    pub(crate) found: Vec<String>,
}

/// Long enough for whoever could still do harm: a process that was thawed, a request that the server has yet to serve.
const AFTERMATH: Duration = Duration::from_millis(700);
/// The API has nothing of the round, and nobody has called the driver for so long: nobody will.
const NOBODY_CARES: Duration = Duration::from_secs(20);

/// Runs it and takes away what is left of it.
pub(crate) async fn run(site: &Site, plan: &Plan) -> Outcome {
    let began = Instant::now();
    let (struck, trouble) = match play(site, plan).await {
        Ok(played) => played,
        // Not a round that went wrong, but one that could not be run; it must not pass for one that went well.
        Err(error) => {
            let found = vec![format!("{error:#}")];
            (0, Some(Trouble { kind: Wrong::Stuck, expected: "a round that can be run".to_owned(), found }))
        }
    };
    let name = round_name(plan.number);
    if trouble.is_some() || site.keep_logs {
        crate::report::keep_logs(site, &name);
    }
    if let Err(error) = site.clear(Whose::Round(&name)).await {
        crate::report::say(&format!("round {}: not all of it could be taken away: {error:#}", plan.number));
    }
    Outcome { plan: plan.clone(), took: began.elapsed(), struck, trouble }
}

async fn play(site: &Site, plan: &Plan) -> Result<(u32, Option<Trouble>)> {
    let (stage, strikes) = Stage::set_up(site, plan).await?;
    let given_up = AtomicBool::new(false);
    let trouble = tokio::select! {
        biased;
        error = nurse::work(&stage, strikes, &given_up) => return Err(error),
        trouble = story(&stage, &given_up) => trouble?,
    };
    Ok((stage.witness.struck(), trouble))
}

async fn story(stage: &Stage<'_>, given_up: &AtomicBool) -> Result<Option<Trouble>> {
    let goals: &[Goal] = match stage.plan.part() {
        Part::Provisioner => &[Goal::Bound],
        Part::Attacher => &[Goal::Bound, Goal::Attached, Goal::Detached],
        Part::Mounter => &[Goal::Bound, Goal::Mounted, Goal::Detached],
    };
    for &goal in goals {
        if given_up.load(Ordering::Relaxed) {
            break;
        }
        act(stage, goal).await?;
        if let Some(trouble) = reach(stage, goal, given_up).await? {
            return Ok(Some(trouble));
        }
    }
    act(stage, Goal::Nothing).await?;
    if let Some(trouble) = reach(stage, Goal::Nothing, &AtomicBool::new(false)).await? {
        return Ok(Some(trouble));
    }
    if stage.witness.struck() == 0 {
        let expected = format!("a {} to strike at", stage.plan.rpc.name());
        return Ok(Some(Trouble { kind: Wrong::Stuck, expected, found: vec!["none came".to_owned()] }));
    }
    stage.witness.disarm();
    tokio::time::sleep(AFTERMATH).await;
    reach(stage, Goal::Nothing, &AtomicBool::new(false)).await
}

/// What the user does so that the goal comes about.
async fn act(stage: &Stage<'_>, goal: Goal) -> Result<()> {
    let (api, name) = (stage.api(), stage.name.as_str());
    match goal {
        Goal::Bound => drop(api.create(name, &objects::claim(CLAIM, name, "1Gi")).await?),
        Goal::Attached => {
            let claim = api.get(Kind::PersistentVolumeClaim, name, CLAIM).await?;
            let attachment = json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name},
                "spec": {
                    "attacher": stage.driver_name(), "nodeName": name,
                    "source": {"persistentVolumeName": claim["spec"]["volumeName"]},
                },
            });
            api.create("", &attachment).await?;
        }
        Goal::Mounted => drop(api.create(name, &pod(name)).await?),
        Goal::Detached => leave(stage).await?,
        Goal::Nothing => {
            stage.witness.unwanted();
            leave(stage).await?;
            api.delete(Kind::PersistentVolumeClaim, name, CLAIM, None).await?;
        }
    }
    Ok(())
}

/// The pod goes; where nobody makes VolumeAttachments but this round, so does that.
async fn leave(stage: &Stage<'_>) -> Result<()> {
    match stage.plan.part() {
        Part::Provisioner => Ok(()),
        Part::Attacher => stage.api().delete(Kind::VolumeAttachment, "", &stage.name, None).await,
        Part::Mounter => stage.api().delete(Kind::Pod, &stage.name, POD, stage.plan.forced.then_some(0)).await,
    }
}

/// The user deletes everything there is, whatever state it is in.
pub(crate) async fn give_up(stage: &Stage<'_>) -> Result<()> {
    let (api, name) = (stage.api(), stage.name.as_str());
    stage.witness.unwanted();
    leave(stage).await?;
    if api.find(Kind::PersistentVolumeClaim, name, CLAIM).await?.is_some() {
        return api.delete(Kind::PersistentVolumeClaim, name, CLAIM, None).await;
    }
    for pv in Facts::gather(stage).await?.pvs {
        api.delete(Kind::PersistentVolume, "", objects::name(&pv), None).await?;
    }
    Ok(())
}

fn pod(node: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD},
        "spec": {
            "nodeName": node, "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": "none", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    })
}

/// Waits for the goal, or until the user has given up; with nobody dead and no call under way.
async fn reach(stage: &Stage<'_>, goal: Goal, given_up: &AtomicBool) -> Result<Option<Trouble>> {
    // Counted from the last time that somebody was down or a call was under way: they are excused.
    let mut since = Instant::now();
    loop {
        let idle = stage.witness.idle();
        if !idle {
            since = Instant::now();
        }
        if idle && given_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // A server that is stopped is asked nothing: an answer that takes seconds says nothing about now.
        if idle && let Ok(facts) = Facts::gather(stage).await {
            let broken = stage.witness.broken();
            if let Some(&(kind, _)) = broken.first() {
                let found = broken.into_iter().map(|(_, what)| what).collect();
                return Ok(Some(Trouble { kind, expected: "no rule broken".to_owned(), found }));
            }
            let missing = facts.missing(goal);
            if missing.is_empty() && stage.witness.idle() {
                return Ok(None);
            }
            let nobody_cares = facts.forgotten() && stage.witness.quiet_for().min(since.elapsed()) > NOBODY_CARES;
            if since.elapsed() > stage.site.patience || nobody_cares {
                let expected = format!("{}: {}", goal.name(), missing.join(", "));
                return Ok(Some(Trouble { kind: facts.verdict(), expected, found: facts.lines() }));
            }
        } else if since.elapsed() > stage.site.patience * 2 {
            anyhow::bail!("the API could not be asked for {} s", since.elapsed().as_secs());
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// How long a lease may take to change hands: three times its duration.
const HANDOVER: Duration = Duration::from_secs(10);

/// Waits until another holds a lease of this round's driver than at first; whether that came about.
pub(crate) async fn await_handover(stage: &Stage<'_>, before: &[String]) -> Result<bool> {
    let began = Instant::now();
    while began.elapsed() < HANDOVER {
        let now = holders(stage).await?;
        if now.iter().any(|holder| !before.contains(holder)) {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(false)
}

/// Lease and holder, for every lease of this driver that has one.
pub(crate) async fn holders(stage: &Stage<'_>) -> Result<Vec<String>> {
    let leases = stage.api().list(Kind::Lease, crate::site::SYSTEM_NAMESPACE).await.context("list leases")?;
    let of = leases.iter().filter(|lease| Site::is_lease_of(&stage.name, lease));
    let holder = |lease: &serde_json::Value| {
        lease["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty()).map(str::to_owned)
    };
    Ok(of.filter_map(|lease| Some(format!("{} {}", objects::name(lease), holder(lease)?))).collect())
}
