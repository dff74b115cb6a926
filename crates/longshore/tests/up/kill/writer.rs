//! One writer with objects of its own: it knows what was acknowledged, and what may or may not have happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Resource;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Dice;
use super::model::{Found, Kind, PARTS, Server, number};

/// Objects of one writer.
const OBJECTS: u64 = 4;

/// What is known of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    /// The last acknowledged write: its version and number. `None`: it is not there, or its deletion was acknowledged.
    written: Option<(u64, u64)>,
    /// A claim whose deletion was acknowledged stays until its protection ends; it never is undeleted.
    leaving: bool,
    uid: String,
    /// The write that was never answered.
    unanswered: Option<Doing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Create(u64),
    Patch(u64),
    Replace(u64),
    Delete,
}

pub(crate) struct Writer {
    me: u64,
    dice: Dice,
    counter: u64,
    known: BTreeMap<(Kind, String), Known>,
    /// The highest version it was ever told.
    pub(crate) newest: u64,
    pub(crate) acknowledged: u64,
}

/// How a write ended.
enum Answer {
    Written {
        uid: String,
        version: u64,
    },
    Deleted {
        leaving: bool,
    },
    Refused(u16),
    /// The process died, or could not be reached any more.
    None,
}

impl Writer {
    pub(crate) fn new(me: u64, seed: u64) -> Self {
        Self {
            me,
            dice: Dice::new(seed ^ (me + 1).wrapping_mul(0x9e37)),
            counter: 0,
            known: BTreeMap::new(),
            newest: 0,
            acknowledged: 0,
        }
    }

    /// Writes until nobody answers.
    pub(crate) async fn write(mut self, server: Arc<Server>) -> Self {
        loop {
            // Claims are dearer: each has a volume made for it.
            let kind = if self.dice.below(6) == 0 { Kind::Claim } else { Kind::ConfigMap };
            let name = format!("w{}-{}", self.me, self.dice.below(OBJECTS));
            let key = (kind, name);
            let known = self.known.entry(key.clone()).or_default().clone();
            self.counter += 1;
            let doing = match (&known.written, self.dice.below(10)) {
                _ if known.leaving => Doing::Create(self.counter),
                (None, _) => Doing::Create(self.counter),
                (Some(_), 0..=1) => Doing::Delete,
                (Some(_), 2..=3) if kind == Kind::ConfigMap => Doing::Replace(self.counter),
                (Some(_), _) => Doing::Patch(self.counter),
            };
            let answer = match kind {
                Kind::ConfigMap => ask(&server.maps, &key, &known, doing).await,
                Kind::Claim => ask(&server.claims, &key, &known, doing).await,
            };
            if !self.note(&key, doing, answer) {
                return self;
            }
            server.wrote();
        }
    }

    /// Whether there was an answer.
    fn note(&mut self, key: &(Kind, String), doing: Doing, answer: Answer) -> bool {
        let known = self.known.get_mut(key).expect("it was looked up");
        match (answer, doing) {
            (Answer::None, _) => {
                known.unanswered = Some(doing);
                return false;
            }
            (Answer::Written { uid, version }, Doing::Create(number) | Doing::Patch(number) | Doing::Replace(number)) => {
                assert!(version > known.written.map_or(0, |(before, _)| before), "{key:?}: {version} after {known:?}");
                self.newest = self.newest.max(version);
                *known = Known { written: Some((version, number)), leaving: false, uid, unanswered: None };
            }
            (Answer::Deleted { leaving }, Doing::Delete) => {
                known.leaving = leaving;
                if !leaving {
                    known.written = None;
                }
            }
            // A claim that is still leaving; once it has left, its name can be had again.
            (Answer::Refused(409), Doing::Create(_)) if known.leaving => return true,
            (Answer::Refused(code), doing) => panic!("{key:?}: {doing:?} was refused with {code}: {known:?}"),
            (Answer::Written { .. } | Answer::Deleted { .. }, doing) => panic!("{key:?}: a strange answer to {doing:?}"),
        }
        self.acknowledged += 1;
        true
    }

    /// Holds what is there after a restart to what is known, and learns what became of the write that nobody answered.
    pub(crate) fn judge(&mut self, found: &Found, context: &str) {
        for (key, known) in &mut self.known {
            let seen = found.objects.get(key);
            let told = || format!("{context}: {key:?}: found {seen:?}, known {known:?}");
            let now = match seen {
                None => {
                    let gone = known.written.is_none() || known.leaving || known.unanswered == Some(Doing::Delete);
                    assert!(gone, "{}: an acknowledged write is gone", told());
                    Known::default()
                }
                Some(seen) => {
                    let before = known.written.map(|(_, number)| number);
                    let after = match known.unanswered {
                        Some(Doing::Create(number) | Doing::Patch(number) | Doing::Replace(number)) => Some(number),
                        Some(Doing::Delete) | None => None,
                    };
                    assert!(Some(seen.number) == before || Some(seen.number) == after, "{}: neither before nor after", told());
                    if let Some((version, number)) = known.written
                        && number == seen.number
                    {
                        // The binder and the provisioner write to claims, too.
                        let same = seen.version == version || (key.0 == Kind::Claim && seen.version > version);
                        assert!(same && seen.uid == known.uid, "{}: another version, or another object", told());
                    }
                    if known.leaving && Some(seen.number) == before {
                        assert!(seen.deleting, "{}: undeleted", told());
                    }
                    if seen.deleting {
                        assert!(known.leaving || known.unanswered == Some(Doing::Delete), "{}: nobody deleted it", told());
                    }
                    Known {
                        written: Some((seen.version, seen.number)),
                        leaving: seen.deleting,
                        uid: seen.uid.clone(),
                        unanswered: None,
                    }
                }
            };
            *known = now;
        }
        for (key, seen) in &found.objects {
            let mine = key.1.starts_with(&format!("w{}-", self.me));
            assert!(!mine || self.known.contains_key(key), "{context}: {key:?} was never written: {seen:?}");
        }
    }
}

/// Does it, through HTTP as any client.
async fn ask<K>(api: &Api<K>, (kind, name): &(Kind, String), known: &Known, doing: Doing) -> Answer
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
{
    let written = |result: kube::Result<K>| {
        result.map(|object| Answer::Written {
            uid: object.meta().uid.clone().expect("a uid"),
            version: number(object.meta().resource_version.as_deref()),
        })
    };
    let typed = |object: Value| serde_json::from_value::<K>(object).expect("an object of its kind");
    let result = match doing {
        Doing::Create(number) => written(api.create(&PostParams::default(), &typed(whole(*kind, name, number))).await),
        Doing::Patch(number) => {
            let patch = parts(*kind, number);
            written(api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await)
        }
        Doing::Replace(number) => {
            let mut object = whole(*kind, name, number);
            object["metadata"]["resourceVersion"] = known.written.map(|(version, _)| version.to_string()).into();
            written(api.replace(name, &PostParams::default(), &typed(object)).await)
        }
        Doing::Delete => {
            let deleted = api.delete(name, &DeleteParams::default()).await;
            deleted.map(|answer| Answer::Deleted { leaving: answer.is_left() })
        }
    };
    match result {
        Ok(answer) => answer,
        Err(kube::Error::Api(status)) if status.code < 500 => Answer::Refused(status.code),
        Err(_) => Answer::None,
    }
}

/// What a write says in every place that it touches.
fn parts(kind: Kind, number: u64) -> Value {
    let says: BTreeMap<&str, String> = PARTS.iter().map(|part| (*part, number.to_string())).collect();
    let mut object = json!({ "metadata": { "labels": { "number": number.to_string() } } });
    match kind {
        // Of many sizes, so that pages of the file come and go.
        Kind::ConfigMap => {
            object["data"] = json!(says);
            let size = usize::try_from(number * 37 % 5000).expect("small");
            object["data"]["bulk"] = "x".repeat(size).into();
        }
        Kind::Claim => object["metadata"]["annotations"] = json!(says),
    }
    object
}

fn whole(kind: Kind, name: &str, number: u64) -> Value {
    let mut object = parts(kind, number);
    object["metadata"]["name"] = name.into();
    if kind == Kind::Claim {
        object["spec"] = json!({
            "storageClassName": "local-directory",
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Mi" } },
        });
    }
    object
}
