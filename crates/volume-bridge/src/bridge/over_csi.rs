//! Volumes that are created and deleted over CSI on our socket: Docker sees them by their names, and a CreateVolume that a driver
//! refuses because it did it already is answered as it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use csi_proto::csi::v1 as csi;
use csi_proto::csi::v1::volume_capability::AccessType;
use csi_proto::csi::v1::volume_capability::access_mode::Mode;
use csi_types::{Bytes, Code, Rpc, Verdict};
use prost::Message as _;

use super::Bridge;
use crate::access::parse_mode;
use crate::error::Error;
use crate::name::Name;
use crate::record::{Asked, Origin, OverCsi, Record, Volume};
use crate::state::{Busy, Turn};

/// A CreateVolume under way.
pub(crate) struct Creating {
    name: Name,
    digest: String,
    /// The same call was begun before, and its answer is not known.
    again: bool,
    _turn: Turn,
    _busy: Busy,
}

/// A DeleteVolume under way.
pub(crate) struct Deleting {
    name: Name,
    _turn: Turn,
    _busy: Busy,
}

impl Bridge {
    /// Waits for the volume's turn, and writes down that it is being created.
    ///
    /// # Errors
    /// The driver cannot be asked for its name, or nothing can be written: nothing was begun.
    pub(crate) async fn begin_create(&self, request: &csi::CreateVolumeRequest, digest: String) -> Result<Creating, Error> {
        let busy = self.begin()?;
        let name = Name::from(request.name.as_str());
        let turn = self.state.turn(&name).await;
        self.not_lost(&name)?;
        let known = self.state.record(&name);
        let over_csi = Some(OverCsi { digest: digest.clone(), answer: String::new() });
        let again = match known {
            None => {
                let facts = self.facts().await?;
                let mut record = Record::new(facts.driver, Origin::Csi, asked(request), self.ctx.timestamp().to_string());
                record.over_csi = over_csi;
                self.save(&name, &record).await?;
                false
            }
            Some(mut record) if record.volume.is_none() && record.origin == Origin::Csi => {
                let again = record.over_csi.as_ref().is_some_and(|before| before.digest == digest);
                if !again {
                    (record.asked, record.over_csi) = (asked(request), over_csi);
                    self.save(&name, &record).await?;
                }
                again
            }
            // It exists: the driver will say whether as it is asked for now.
            Some(_) => false,
        };
        Ok(Creating { name, digest, again, _turn: turn, _busy: busy })
    }

    /// Remembers a success. What to say instead of an error, if anything.
    pub(crate) async fn end_create(&self, creating: Creating, answer: Result<&csi::Volume, Code>) -> Option<csi::Volume> {
        let name = creating.name.clone();
        let mut record = self.state.record(&name)?;
        let outcome = match answer {
            Ok(volume) => self.created_over_csi(&name, &mut record, volume, &creating.digest).await.map(|()| None),
            Err(Code::AlreadyExists) => Ok(self.answered_before(&record, &creating).await),
            Err(_) => Ok(None),
        };
        let instead = outcome.unwrap_or_else(|error| {
            tracing::warn!(volume = %name, "it is created, and cannot be written down as such: {error}");
            None
        });
        let refused = answer.is_err_and(|code| Rpc::CreateVolume.verdict(code) != Verdict::MaybeRunning);
        if refused && instead.is_none() && record.volume.is_none() && record.origin == Origin::Csi {
            if let Err(error) = self.forget(&name).await {
                tracing::warn!(volume = %name, "{error}");
            }
        } else if let Some(volume) = &instead
            && record.volume.is_none()
            && let Err(error) = self.created_over_csi(&name, &mut record, volume, &creating.digest).await
        {
            tracing::warn!(volume = %name, "{error}");
        }
        instead
    }

    async fn created_over_csi(&self, name: &Name, record: &mut Record, volume: &csi::Volume, digest: &str) -> Result<(), Error> {
        let before = record.clone();
        if record.volume.is_none() {
            record.volume = Some(Volume {
                handle: volume.volume_id.as_str().into(),
                capacity: Bytes(u64::try_from(volume.capacity_bytes).unwrap_or(0)),
                context: volume.volume_context.clone(),
            });
        }
        if record.origin == Origin::Csi {
            let answer = STANDARD.encode(volume.encode_to_vec());
            record.over_csi = Some(OverCsi { digest: digest.to_owned(), answer });
        }
        if before == *record { Ok(()) } else { self.save(name, record).await }
    }

    /// The volume of the very same request.
    async fn answered_before(&self, record: &Record, creating: &Creating) -> Option<csi::Volume> {
        let before = record.over_csi.as_ref().filter(|before| before.digest == creating.digest)?;
        if !before.answer.is_empty() {
            return csi::Volume::decode(STANDARD.decode(&before.answer).ok()?.as_slice()).ok();
        }
        if !creating.again {
            return None;
        }
        let found = self.by_name(&creating.name).await?;
        Some(csi::Volume {
            volume_id: found.handle.to_string(),
            capacity_bytes: i64::try_from(found.capacity.0).unwrap_or(i64::MAX),
            volume_context: found.context,
            content_source: None,
            accessible_topology: found.accessible_topology.into_iter().map(|place| csi::Topology { segments: place.0 }).collect(),
        })
    }

    /// Waits for the volume's turn. `None`: nobody here knows it.
    ///
    /// # Errors
    /// Docker's containers have it mounted.
    pub(crate) async fn begin_delete(&self, id: &str) -> Result<Option<Deleting>, Error> {
        let busy = self.begin()?;
        let is_it = |record: &Record| record.volume.as_ref().is_some_and(|volume| volume.handle.as_str() == id);
        let found = self.state.inner().records.iter().find(|(_, record)| is_it(record)).map(|(name, _)| name.clone());
        let Some(name) = found else { return Ok(None) };
        let turn = self.state.turn(&name).await;
        let Some(record) = self.state.record(&name).filter(is_it) else { return Ok(None) };
        if !record.mounts.is_empty() && *record.boot == *self.boot {
            let mounts: Vec<String> = record.mounts.iter().map(|(id, count)| format!("mount id {id} ({count})")).collect();
            return Err(Error::InUse { name, mounts: mounts.join(", ") });
        }
        if record.is_up() {
            self.drive(&name, crate::plan::Goal::Unused).await?;
        }
        Ok(Some(Deleting { name, _turn: turn, _busy: busy }))
    }

    /// The volume is gone, if the driver said so.
    pub(crate) async fn end_delete(&self, deleting: Deleting, gone: bool) {
        if gone && let Err(error) = self.forget(&deleting.name).await {
            tracing::warn!(volume = %deleting.name, "it is deleted, and stays on record: {error}");
        }
    }
}

/// How Docker would use it: as the first capability says that is a mount.
fn asked(request: &csi::CreateVolumeRequest) -> Asked {
    let mut asked = Asked { parameters: request.parameters.clone(), ..Asked::default() };
    if let Some(range) = &request.capacity_range {
        asked.required = Bytes(u64::try_from(range.required_bytes).unwrap_or(0));
    }
    let mount = request.volume_capabilities.iter().find_map(|capability| match &capability.access_type {
        Some(AccessType::Mount(mount)) => Some((mount, capability.access_mode)),
        _ => None,
    });
    if let Some((mount, mode)) = mount {
        asked.fs_type.clone_from(&mount.fs_type);
        asked.mount_flags.clone_from(&mount.mount_flags);
        let mode = mode.map_or(Mode::Unknown, |mode| mode.mode()).as_str_name();
        if parse_mode(mode).is_some() {
            asked.access_mode = mode.to_owned();
        }
    }
    asked
}
