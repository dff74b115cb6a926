//! A world of a few objects in which writes have preconditions, as the API server has them, and looks may be old.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cluster::Key;
use cluster::kinds::{Claim, Class, Phase, Pod, ReclaimPolicy, Volume};
use csi_types::Next;

use crate::claims::plan as claims;
use crate::fixtures::{class, node, pod, reference, volume};
use crate::matching::{ClassFact, default_class};
use crate::scheduling::plan as scheduling;
use crate::volumes::plan as volumes;
use crate::words::{self, Say};

const HOST: &str = "host";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Actor {
    Claim(String),
    Volume(String),
    Pod(String),
    /// Makes a volume for each claim that asks for one.
    Provisioner,
}

/// What anybody can look at.
#[derive(Debug, Clone, Default)]
struct Objects {
    claims: BTreeMap<String, Arc<Claim>>,
    volumes: BTreeMap<String, Arc<Volume>>,
    pods: BTreeMap<String, Arc<Pod>>,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) claims: BTreeMap<String, Arc<Claim>>,
    pub(super) volumes: BTreeMap<String, Arc<Volume>>,
    pub(super) pods: BTreeMap<String, Arc<Pod>>,
    classes: Vec<Arc<Class>>,
    version: u64,
    /// How it was, the newest last.
    history: Vec<Objects>,
    told: BTreeMap<String, Say>,
    waits: BTreeMap<String, scheduling::Wait>,
    bound_pods: Vec<String>,
    /// A user took a claim from under its pods, of which a late look knows nothing.
    replaced: bool,
}

impl World {
    pub(super) fn new(default: bool) -> Self {
        let make = |name: &str, provisioner: &str, waits: bool, default: bool| {
            class(name, |class| {
                (class.provisioner, class.waits_for_consumer, class.is_default) = (provisioner.into(), waits, default);
            })
        };
        let classes = vec![
            make("fast", "d", false, default),
            make("waits", "d", true, false),
            make("static", "kubernetes.io/no-provisioner", true, false),
        ];
        Self {
            claims: BTreeMap::new(),
            volumes: BTreeMap::new(),
            pods: BTreeMap::new(),
            classes,
            version: 1,
            history: Vec::new(),
            told: BTreeMap::new(),
            waits: BTreeMap::new(),
            bound_pods: Vec::new(),
            replaced: false,
        }
    }

    pub(super) fn add_claim(&mut self, claim: Arc<Claim>) {
        self.claims.insert(claim.meta.key.name().to_owned(), claim);
    }

    pub(super) fn add_volume(&mut self, volume: Arc<Volume>) {
        self.volumes.insert(volume.meta.key.name().to_owned(), volume);
    }

    pub(super) fn add_pod(&mut self, n: usize, claims: &[usize], placed: bool) {
        let names: Vec<String> = claims.iter().map(|claim| format!("c{claim}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let pod = pod(&format!("p{n}"), &names, |pod| {
            if placed {
                (pod.node, pod.scheduling) = (HOST.into(), None);
            }
        });
        self.pods.insert(pod.meta.key.name().to_owned(), pod);
    }

    pub(super) fn actors(&self) -> Vec<Actor> {
        let claims = self.claims.keys().cloned().map(Actor::Claim);
        let volumes = self.volumes.keys().cloned().map(Actor::Volume);
        let pods = self.pods.keys().cloned().map(Actor::Pod);
        claims.chain(volumes).chain(pods).chain([Actor::Provisioner]).collect()
    }

    /// Whether the scheduler put it there, rather than its user, and for the claims that there are.
    pub(super) fn was_bound(&self, pod: &Pod) -> bool {
        !self.replaced && self.bound_pods.contains(&pod.meta.key.name().to_owned())
    }

    /// What is remembered is lost with the process; what is written is not.
    pub(super) fn forget_everything(&mut self) {
        self.told.clear();
        self.waits.clear();
    }

    /// A user deletes a claim and makes another of the same name.
    pub(super) fn replace_claim(&mut self, name: &str) {
        self.history.push(self.now());
        self.version += 1;
        let version = self.version;
        if let Some(claim) = self.claims.get_mut(name) {
            let (class, request) = (claim.class.clone(), claim.request.clone());
            *claim = crate::fixtures::claim(name, |claim| {
                (claim.class, claim.request) = (class, request);
                (claim.meta.uid, claim.meta.version) = (format!("uid-{version}").into(), version);
            });
            self.replaced = true;
        }
    }

    fn now(&self) -> Objects {
        Objects { claims: self.claims.clone(), volumes: self.volumes.clone(), pods: self.pods.clone() }
    }

    /// The world as it was so many changes ago.
    fn seen(&self, age: usize) -> Objects {
        if age == 0 {
            return self.now();
        }
        self.history.get(self.history.len().saturating_sub(age)).cloned().unwrap_or_else(|| self.now())
    }

    /// What an actor would do about the truth, without its details.
    pub(super) fn would(&self, actor: &Actor) -> Next<String, String, String> {
        fn plain<A: std::fmt::Debug, W: std::fmt::Debug, P: std::fmt::Debug>(
            next: Next<A, W, P>,
        ) -> Next<String, String, String> {
            match next {
                Next::Do(action) => Next::Do(format!("{action:?}")),
                Next::Rest(why) => Next::Rest(format!("{why:?}")),
                Next::Refuse(problem) => Next::Refuse(format!("{problem:?}")),
            }
        }
        let seen = self.now();
        match actor {
            Actor::Claim(name) => plain(claims::plan(&self.claim_view(&seen, name))),
            Actor::Volume(name) => plain(volumes::plan(&self.volume_view(&seen, name))),
            Actor::Pod(name) => plain(scheduling::plan(&self.pod_view(&seen, name))),
            Actor::Provisioner if self.wanted().is_some() => Next::Do("provision".into()),
            Actor::Provisioner => Next::Rest("nothing wanted".into()),
        }
    }

    /// One look, `age` changes old, and one action. Whether there was something to do.
    pub(super) fn step(&mut self, actor: &Actor, age: usize) -> bool {
        let before = self.now();
        let seen = self.seen(age);
        let acts = match actor {
            Actor::Claim(name) => self.step_claim(&seen, name),
            Actor::Volume(name) => self.step_volume(&seen, name),
            Actor::Pod(name) => self.step_pod(&seen, name),
            Actor::Provisioner => self.provision(),
        };
        if acts {
            self.history.push(before);
        }
        acts
    }

    fn claim_view(&self, seen: &Objects, name: &str) -> claims::View {
        let Some(claim) = seen.claims.get(name).cloned() else { return claims::View::default() };
        let class = self.class_of(&claim);
        let mut view = claims::View { told: self.told.get(&format!("claim {name}")).cloned(), ..claims::View::default() };
        match &claim.volume {
            Some(name) => view.named = seen.volumes.get(&**name).cloned(),
            None => {
                let might = |volume: &&Arc<Volume>| volume.claim.as_ref().is_none_or(|of| *of.name == *name);
                view.candidates = seen.volumes.values().filter(might).cloned().collect();
                view.default_class = default_class(&self.classes).map(|class| class.meta.key.name().into());
            }
        }
        view.class = class;
        view.claim = Some(claim);
        view
    }

    fn step_claim(&mut self, seen: &Objects, name: &str) -> bool {
        let Next::Do(action) = claims::plan(&self.claim_view(seen, name)) else { return false };
        let version = seen.claims.get(name).map_or(0, |claim| claim.meta.version);
        let class_of = |claim: &mut Claim, phase: &str| {
            (claim.phase, claim.capacity, claim.bound_access_modes) = (phase.into(), None, [].into());
        };
        match action {
            claims::Action::HoldVolume(volume) => self.hold(&volume, &seen.claims[name]),
            claims::Action::MarkVolumeBound(volume) => self.volume(&volume, |volume| volume.phase = Phase::Bound),
            claims::Action::NameVolume(volume) => self.claim(name, version, |claim| {
                if claim.volume.is_none() {
                    (claim.volume, claim.bound_by_controller) = (Some(volume.meta.key.name().into()), true);
                }
                claim.bind_completed = true;
            }),
            claims::Action::MarkBound(volume) => self.claim(name, version, |claim| {
                (claim.phase, claim.bound_access_modes) = ("Bound".into(), volume.access_modes.clone());
            }),
            claims::Action::MarkPending => self.claim(name, version, |claim| class_of(claim, "Pending")),
            claims::Action::MarkLost(_) => {
                // The look at the truth that comes first.
                let truth = claims::plan(&self.claim_view(&self.now(), name));
                if matches!(truth, Next::Do(claims::Action::MarkLost(_))) {
                    self.claim(name, version, |claim| class_of(claim, "Lost"));
                }
            }
            claims::Action::SetDefaultClass(class) => self.claim(name, version, |claim| claim.class = Some(class)),
            claims::Action::AskProvisioner(provisioner) => {
                self.claim(name, version, |claim| claim.provisioner = Some(provisioner));
            }
            claims::Action::Tell(say) => drop(self.told.insert(format!("claim {name}"), say)),
        }
        true
    }

    fn volume_view(&self, seen: &Objects, name: &str) -> volumes::View {
        let volume = seen.volumes.get(name).cloned();
        let of = volume.as_ref().and_then(|volume| volume.claim.as_ref());
        volumes::View {
            claim: of.and_then(|of| seen.claims.get(&*of.name)).cloned(),
            told: self.told.get(&format!("volume {name}")).cloned(),
            volume,
        }
    }

    fn step_volume(&mut self, seen: &Objects, name: &str) -> bool {
        let view = self.volume_view(seen, name);
        let Next::Do(action) = volumes::plan(&view) else { return false };
        let Some(volume) = &view.volume else { return false };
        match action {
            volumes::Action::MarkAvailable => self.volume(volume, |volume| volume.phase = Phase::Available),
            volumes::Action::MarkBound => self.volume(volume, |volume| volume.phase = Phase::Bound),
            volumes::Action::Release => {
                // The look at the truth that comes first.
                let of = volume.claim.as_ref().expect("it had a claim");
                let truth = self.claims.get(&*of.name).filter(|claim| claim.meta.uid == of.uid);
                let unheard = truth.is_some_and(|claim| view.claim.is_none() || claim.volume.as_deref() == Some(name));
                if !unheard {
                    self.volume(volume, |volume| volume.phase = Phase::Released);
                }
            }
            volumes::Action::Unbind => self.volume(volume, |volume| {
                if volume.bound_by_controller {
                    (volume.claim, volume.bound_by_controller) = (None, false);
                } else if let Some(of) = &mut volume.claim {
                    of.uid = "".into();
                }
            }),
            volumes::Action::MarkFailed(_) => self.volume(volume, |volume| volume.phase = Phase::Failed),
            volumes::Action::TellMode => {
                let claim = view.claim.as_ref().expect("a claim of another mode");
                self.told.insert(format!("volume {name}"), volumes::mode_words(volume, claim).0);
            }
        }
        true
    }

    fn pod_view(&self, seen: &Objects, name: &str) -> scheduling::View {
        let Some(pod) = seen.pods.get(name).cloned() else { return scheduling::View::default() };
        let want = |key: &Key| {
            let claim = seen.claims.get(key.name()).cloned();
            let volume = claim.as_ref().and_then(|claim| seen.volumes.get(&**claim.volume.as_ref()?)).cloned();
            let class = claim.as_ref().map_or(ClassFact::Unset, |claim| self.class_of(claim));
            scheduling::Want {
                name: key.name().to_owned(),
                ephemeral: false,
                claim,
                owned: true,
                class,
                volume,
                exclusive_elsewhere: false,
                room: None,
            }
        };
        let mut keys = crate::index::claims_of_pod(&pod);
        keys.sort();
        keys.dedup();
        let mine = |volume: &&Arc<Volume>| volume.claim.as_ref().is_none_or(|of| keys.iter().any(|key| key.name() == &*of.name));
        let left = Duration::from_secs(60);
        scheduling::View {
            ours: HOST.into(),
            node: Some(node(HOST, |_| ())),
            wants: keys.iter().map(want).collect(),
            volumes: seen.volumes.values().filter(mine).cloned().collect(),
            memory: scheduling::Memory { waiting: self.waits.get(name).map(|wait| (wait.clone(), left)), back_off: None },
            told: self.told.get(&format!("pod {name}")).cloned(),
            pod: Some(pod),
            loads: Vec::new(),
        }
    }

    fn step_pod(&mut self, seen: &Objects, name: &str) -> bool {
        let Next::Do(action) = scheduling::plan(&self.pod_view(seen, name)) else { return false };
        match action {
            scheduling::Action::HoldVolume(claim, volume) => self.hold(&volume, &claim),
            scheduling::Action::SelectNode(claim) => {
                self.claim(claim.meta.key.name(), claim.meta.version, |claim| claim.selected_node = Some(HOST.into()));
            }
            scheduling::Action::Wait(wait) => drop(self.waits.insert(name.to_owned(), wait)),
            scheduling::Action::Abort(_) => drop(self.waits.remove(name)),
            scheduling::Action::MarkUnschedulable(unfit) => {
                self.waits.remove(name);
                self.told.insert(format!("pod {name}"), words::failed_scheduling(&unfit.message()));
                self.pod(name, |pod| {
                    pod.scheduled = Some(Box::new(cluster::kinds::Condition {
                        status: "False".into(),
                        reason: unfit.reason().into(),
                        message: unfit.message().into(),
                    }));
                });
            }
            scheduling::Action::BindPod => {
                // The API server binds a pod once.
                if self.pods.get(name).is_some_and(|pod| pod.node.is_empty()) {
                    self.bound_pods.push(name.to_owned());
                    self.pod(name, |pod| (pod.node, pod.scheduling, pod.scheduled) = (HOST.into(), None, None));
                }
            }
        }
        true
    }

    /// A claim whose provisioner has not answered.
    fn wanted(&self) -> Option<Arc<Claim>> {
        let made = |claim: &Claim| self.volumes.contains_key(&format!("pvc-{}", claim.meta.uid));
        let asks = |claim: &&Arc<Claim>| {
            let ready = claim.selected_node.is_some() || !self.class_of(claim).waits_for_consumer();
            claim.provisioner.is_some() && claim.volume.is_none() && ready && !made(claim)
        };
        self.claims.values().find(asks).cloned()
    }

    fn provision(&mut self) -> bool {
        let Some(claim) = self.wanted() else { return false };
        let made = volume(&format!("pvc-{}", claim.meta.uid), |volume| {
            (volume.class, volume.volume_mode) = (claim.class.clone(), claim.volume_mode);
            volume.capacity = claim.request.clone().unwrap_or_default();
            volume.claim = Some(reference(claim.meta.key.name(), &claim.meta.uid));
            (volume.phase, volume.reclaim_policy) = (Phase::Pending, ReclaimPolicy::Delete);
            volume.provisioned_by = Some("d".into());
        });
        self.add_volume(made);
        true
    }

    fn class_of(&self, claim: &Claim) -> ClassFact {
        ClassFact::of(claim, |name| self.classes.iter().find(|class| class.meta.key.name() == name).cloned())
    }

    fn hold(&mut self, seen: &Volume, claim: &Claim) {
        let reserved = crate::matching::is_bound_to(seen, claim);
        self.volume(seen, |volume| {
            volume.bound_by_controller |= !reserved;
            volume.claim = Some(reference(claim.meta.key.name(), &claim.meta.uid));
        });
    }

    /// Changes a volume, unless it is not what was seen any more.
    fn volume(&mut self, seen: &Volume, change: impl FnOnce(&mut Volume)) {
        self.version += 1;
        let Some(volume) = self.volumes.get_mut(seen.meta.key.name()) else { return };
        if volume.meta.version == seen.meta.version {
            let volume = Arc::make_mut(volume);
            change(volume);
            volume.meta.version = self.version;
        }
    }

    fn claim(&mut self, name: &str, seen: u64, change: impl FnOnce(&mut Claim)) {
        self.version += 1;
        let Some(claim) = self.claims.get_mut(name) else { return };
        if claim.meta.version == seen {
            let claim = Arc::make_mut(claim);
            change(claim);
            claim.meta.version = self.version;
        }
    }

    fn pod(&mut self, name: &str, change: impl FnOnce(&mut Pod)) {
        self.version += 1;
        if let Some(pod) = self.pods.get_mut(name) {
            let pod = Arc::make_mut(pod);
            change(pod);
            pod.meta.version = self.version;
        }
    }
}
