//! Idempotency around drivers that lack it: what was asked of a volume and worked is remembered, so that the same call again is
//! answered as it was although the driver says ALREADY_EXISTS.
//!
//! Only an error is ever replaced, and only by what the specification demands of the driver: an answer of the driver's own always
//! passes as it is. A call is written down before it is made, so a crash in between does not make its repetition a stranger.
//! CreateVolume and DeleteVolume are remembered by the volume's own record (`bridge/over_csi.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use journal::Journal;
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use rt::Ctx;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tonic::{Code, Status};

use super::method::{Method, text};

/// A volume's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(Box<str>);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl journal::Key for Id {
    fn parse(text: &str) -> Self {
        Self(text.into())
    }
    fn as_str(&self) -> &str {
        &self.0
    }
}

/// One call: the request without its secrets, as a hash; and the answer, base64, once there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    digest: String,
    answer: Option<String>,
}

/// By call and place: `NodePublishVolume /target`.
type Calls = BTreeMap<String, Remembered>;

/// What was asked of all volumes.
pub(super) struct Memory {
    journal: Journal<Id, Calls>,
    calls: Mutex<BTreeMap<Id, Calls>>,
}

/// A call that is being made.
pub(super) struct Turn {
    id: Id,
    key: String,
    digest: String,
    /// What was there before.
    before: Option<Remembered>,
}

impl Memory {
    /// # Errors
    /// The folder cannot be made or read.
    pub(super) async fn open(ctx: &Ctx, folder: PathBuf) -> io::Result<Self> {
        let journal = Journal::open(ctx.clone(), folder).await?;
        let loaded = journal.load().await?;
        for aside in &loaded.set_aside {
            let file = aside.file.display();
            tracing::warn!(%file, "what was asked of a volume cannot be read: {}. It is set aside; the driver's own answers stand", aside.problem);
        }
        Ok(Self { journal, calls: Mutex::new(loaded.records) })
    }

    /// Writes a publish or a stage down. `None`: nothing is remembered of this call.
    ///
    /// # Errors
    /// It cannot be written: UNAVAILABLE, and nothing was begun.
    pub(super) async fn begin(&self, method: &Method, request: &DynamicMessage) -> Result<Option<Turn>, Status> {
        let Some(key) = place(method, request).filter(|_| !takes_back(method)) else { return Ok(None) };
        let (id, digest) = (Id(text(request, "volume_id").into()), digest(request));
        let mut calls = self.calls.lock().await;
        let of_volume = calls.entry(id.clone()).or_default();
        let before = of_volume.get(&key).cloned();
        if before.as_ref().is_none_or(|known| known.digest != digest) {
            of_volume.insert(key.clone(), Remembered { digest: digest.clone(), answer: None });
            self.save(&id, of_volume).await?;
        }
        Ok(Some(Turn { id, key, digest, before }))
    }

    /// What to say instead of the driver's answer, if anything; and remembers it.
    pub(super) async fn end(&self, turn: Turn, method: &Method, answer: Result<&Option<Bytes>, &Status>) -> Option<Bytes> {
        let known = turn.before.as_ref().filter(|before| before.digest == turn.digest);
        let mut calls = self.calls.lock().await;
        let of_volume = calls.entry(turn.id.clone()).or_default();
        let instead = match answer {
            Ok(message) => {
                let answer = message.as_ref().map(|message| STANDARD.encode(message));
                of_volume.insert(turn.key, Remembered { digest: turn.digest, answer });
                None
            }
            Err(status) if status.code() == Code::AlreadyExists => match known {
                // An answer that was lost with a crash is empty, unless it had a context.
                Some(Remembered { answer: None, .. }) if method.name == "ControllerPublishVolume" => return None,
                Some(Remembered { answer, .. }) => {
                    return Some(answer.as_ref().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default().into());
                }
                None => {
                    restore(of_volume, turn.key, turn.before);
                    None
                }
            },
            // Nobody knows: what was written down stays.
            Err(status) if is_open(status.code()) => return None,
            Err(_) => {
                restore(of_volume, turn.key, turn.before);
                None
            }
        };
        self.save_or_warn(&turn.id, of_volume).await;
        instead
    }

    /// Whether a failure to take something back is none: it is not there, and never was or is not any more.
    pub(super) async fn taken_back(
        &self,
        method: &Method,
        request: &DynamicMessage,
        answer: Result<(), &Status>,
        mounted: bool,
    ) -> bool {
        let Some(key) = place(method, request).filter(|_| takes_back(method)) else { return false };
        let gone = answer.is_ok() || answer.is_err_and(|status| status.code() == Code::NotFound && !mounted);
        if gone {
            let id = Id(text(request, "volume_id").into());
            let mut calls = self.calls.lock().await;
            if let Some(of_volume) = calls.get_mut(&id)
                && of_volume.remove(&key).is_some()
            {
                self.save_or_warn(&id, of_volume).await;
                if of_volume.is_empty() {
                    calls.remove(&id);
                }
            }
        }
        gone
    }

    /// A volume that is gone has no calls.
    pub(super) async fn forget(&self, id: &str) {
        let id = Id(id.into());
        if self.calls.lock().await.remove(&id).is_some() {
            self.save_or_warn(&id, &Calls::new()).await;
        }
    }

    async fn save(&self, id: &Id, calls: &Calls) -> Result<(), Status> {
        let saved = if calls.is_empty() { self.journal.remove(id).await } else { self.journal.save(id, calls).await };
        saved.map_err(|error| {
            let file = self.journal.file(id);
            Status::unavailable(format!("longshore serve cannot write {}: {error}; nothing was begun", file.display()))
        })
    }

    async fn save_or_warn(&self, id: &Id, calls: &Calls) {
        if let Err(status) = self.save(id, calls).await {
            tracing::warn!(volume = %id, "{}", status.message());
        }
    }
}

fn restore(calls: &mut Calls, key: String, before: Option<Remembered>) {
    match before {
        Some(before) => calls.insert(key, before),
        None => calls.remove(&key),
    };
}

/// What a call and its opposite are about.
fn place(method: &Method, request: &DynamicMessage) -> Option<String> {
    let (name, field) = match &*method.name {
        "ControllerPublishVolume" | "ControllerUnpublishVolume" => ("ControllerPublishVolume", "node_id"),
        "NodeStageVolume" | "NodeUnstageVolume" => ("NodeStageVolume", "staging_target_path"),
        "NodePublishVolume" | "NodeUnpublishVolume" => ("NodePublishVolume", "target_path"),
        _ => return None,
    };
    Some(format!("{name} {}", text(request, field)))
}

/// The path that would be mounted, for calls that mount.
pub(super) fn mount_point(method: &Method, request: &DynamicMessage) -> Option<PathBuf> {
    let field = match &*method.name {
        "NodeUnstageVolume" => "staging_target_path",
        "NodeUnpublishVolume" => "target_path",
        _ => return None,
    };
    Some(Path::new(&text(request, field)).to_owned())
}

fn takes_back(method: &Method) -> bool {
    matches!(&*method.name, "ControllerUnpublishVolume" | "NodeUnstageVolume" | "NodeUnpublishVolume")
}

fn is_open(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::DeadlineExceeded | Code::Unavailable | Code::Aborted | Code::Unknown)
}

/// Of the request without its secrets: a hash of a password is a password to somebody with patience. Maps are in order.
pub(crate) fn digest(request: &DynamicMessage) -> String {
    let mut plain = request.clone();
    plain.clear_field_by_name("secrets");
    let name = plain.descriptor().full_name().to_owned();
    let json = csi_proto::json::render_bytes(&name, &prost::Message::encode_to_vec(&plain), csi_proto::json::Secrets::Stripped);
    let text = json.map(|json| json.to_string()).unwrap_or_default();
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use csi_proto::csi::v1 as csi;
    use prost::Message;
    use rt::disk::MemoryDisk;

    use super::*;
    use crate::testing::paused;

    const STAGE: &str = "/csi.v1.Node/NodeStageVolume";
    const ATTACH: &str = "/csi.v1.Controller/ControllerPublishVolume";

    fn call(path: &str, message: &impl Message) -> (Method, DynamicMessage) {
        let method = Method::of(path).expect("a call");
        let fields = method.request(&message.encode_to_vec()).expect("its request");
        (method, fields)
    }

    fn stage(context: &str) -> csi::NodeStageVolumeRequest {
        csi::NodeStageVolumeRequest {
            volume_id: "v".into(),
            staging_target_path: "/s".into(),
            volume_context: [("a".to_owned(), context.to_owned())].into(),
            ..Default::default()
        }
    }

    async fn memory(disk: &Arc<MemoryDisk>) -> Memory {
        Memory::open(&Ctx::seeded(1, disk.clone()), "/calls".into()).await.expect("a folder")
    }

    /// What the driver's refusal becomes after a life in which the same call was begun, and never answered.
    async fn after_a_kill(first: (Method, DynamicMessage), again: (Method, DynamicMessage)) -> Option<Bytes> {
        let disk = Arc::new(MemoryDisk::new());
        drop(memory(&disk).await.begin(&first.0, &first.1).await.expect("written"));
        let next = memory(&disk).await;
        let turn = next.begin(&again.0, &again.1).await.expect("written").expect("remembered");
        next.end(turn, &again.0, Err(&Status::already_exists("done already"))).await
    }

    #[test]
    fn a_call_that_a_kill_cut_off_is_known_again_by_what_it_asked() {
        paused(async {
            assert_eq!(after_a_kill(call(STAGE, &stage("x")), call(STAGE, &stage("x"))).await, Some(Bytes::new()));
            assert_eq!(after_a_kill(call(STAGE, &stage("x")), call(STAGE, &stage("y"))).await, None, "another request");
            // Its answer had a context that nobody else knows: the driver's error stands.
            let attach = csi::ControllerPublishVolumeRequest { volume_id: "v".into(), node_id: "n".into(), ..Default::default() };
            assert_eq!(after_a_kill(call(ATTACH, &attach), call(ATTACH, &attach)).await, None);
        });
    }

    #[test]
    fn what_was_taken_back_or_deleted_is_forgotten() {
        paused(async {
            let disk = Arc::new(MemoryDisk::new());
            let memory = memory(&disk).await;
            let (method, fields) = call(STAGE, &stage("x"));
            let turn = memory.begin(&method, &fields).await.expect("written").expect("remembered");
            assert_eq!(memory.end(turn, &method, Ok(&None)).await, None);
            assert_eq!(disk.files().len(), 1);
            let unstage = csi::NodeUnstageVolumeRequest { volume_id: "v".into(), staging_target_path: "/s".into() };
            let (back, fields) = call("/csi.v1.Node/NodeUnstageVolume", &unstage);
            let gone = Status::not_found("not staged");
            assert!(!memory.taken_back(&back, &fields, Err(&gone), true).await, "it is mounted: the error stands");
            assert!(memory.taken_back(&back, &fields, Err(&gone), false).await);
            assert!(disk.files().is_empty());
            let (method, fields) = call(STAGE, &stage("x"));
            drop(memory.begin(&method, &fields).await.expect("written"));
            memory.forget("v").await;
            assert!(disk.files().is_empty());
        });
    }

    #[test]
    fn secrets_are_no_part_of_what_is_remembered() {
        let with = csi::NodeStageVolumeRequest { secrets: [("k".to_owned(), "hunter2".to_owned())].into(), ..stage("x") };
        assert_eq!(digest(&call(STAGE, &with).1), digest(&call(STAGE, &stage("x")).1));
        assert_ne!(digest(&call(STAGE, &stage("y")).1), digest(&call(STAGE, &stage("x")).1));
    }
}
