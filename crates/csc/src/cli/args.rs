//! Groups of flags that several commands have.

use std::collections::BTreeMap;

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::capability::Capability;
use crate::failure::Failure;
use crate::pairs::pairs;

/// A flag that is true or false, as Go reads it: `--x`, `--x=false`.
macro_rules! switch {
    () => {
        clap::builder::ValueParser::new(sidecar::go_bool)
    };
}
pub(crate) use switch;

/// `--cap`, repeatable.
#[derive(Debug, Clone, Args)]
pub(crate) struct Caps {
    /// How the volume is accessed: SINGLE_NODE_WRITER,mount,ext4,noatime or 5,block. Names or numbers of CSI. Repeatable where the call takes several.
    #[arg(long = "cap", value_name = "MODE,TYPE[,FSTYPE[,FLAG...]]")]
    caps: Vec<String>,
    /// The group that the files of mounted volumes belong to, for drivers with VOLUME_MOUNT_GROUP.
    #[arg(long, value_name = "GID")]
    volume_mount_group: Option<String>,
}

impl Caps {
    pub(crate) fn all(&self) -> Result<Vec<csi::VolumeCapability>, Failure> {
        let group = self.volume_mount_group.as_deref();
        let read = |text: &String| text.parse::<Capability>().map(|capability| capability.with_mount_group(group).0);
        self.caps.iter().map(read).collect::<Result<_, _>>().map_err(Failure::Usage)
    }

    /// For calls that take one. Upstream takes the first and forgets the others.
    pub(crate) fn one(&self) -> Result<Option<csi::VolumeCapability>, Failure> {
        match self.all()?.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            more => Err(Failure::Usage(format!("--cap is given {} times, and this call takes one", more.len()))),
        }
    }
}

/// `--vol-context`
#[derive(Debug, Clone, Args)]
pub(crate) struct VolumeContext {
    /// What create-volume printed after the size. Repeatable.
    #[arg(long = "vol-context", value_name = "KEY=VALUE[,KEY=VALUE]")]
    vol_context: Vec<String>,
}

impl VolumeContext {
    pub(crate) fn map(&self) -> Result<BTreeMap<String, String>, Failure> {
        map("--vol-context", &self.vol_context)
    }
}

/// `--pub-context`
#[derive(Debug, Clone, Args)]
pub(crate) struct PublishContext {
    /// What controller publish printed after the id. Repeatable.
    #[arg(long = "pub-context", value_name = "KEY=VALUE[,KEY=VALUE]")]
    pub_context: Vec<String>,
}

impl PublishContext {
    pub(crate) fn map(&self) -> Result<BTreeMap<String, String>, Failure> {
        map("--pub-context", &self.pub_context)
    }
}

/// `--params`
#[derive(Debug, Clone, Args)]
pub(crate) struct Params {
    /// Parameters of the driver, as those of a class. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    params: Vec<String>,
}

impl Params {
    pub(crate) fn map(&self) -> Result<BTreeMap<String, String>, Failure> {
        map("--params", &self.params)
    }
}

/// `--req-bytes`, `--lim-bytes`
#[derive(Debug, Clone, Args)]
pub(crate) struct Range {
    /// The least size, in bytes. 0: the driver chooses.
    #[arg(long, value_name = "BYTES", default_value_t = 0, allow_negative_numbers = true)]
    req_bytes: i64,
    /// The largest size, in bytes. 0: any.
    #[arg(long, value_name = "BYTES", default_value_t = 0, allow_negative_numbers = true)]
    lim_bytes: i64,
}

impl Range {
    /// Nothing if neither is given, which is not the same as zero to every driver.
    pub(crate) fn range(&self) -> Option<csi::CapacityRange> {
        let Self { req_bytes, lim_bytes } = *self;
        (req_bytes != 0 || lim_bytes != 0).then_some(csi::CapacityRange { required_bytes: req_bytes, limit_bytes: lim_bytes })
    }
}

/// `--max-entries`, `--starting-token`, `--paging`
#[derive(Debug, Clone, Args)]
pub(crate) struct Paging {
    /// The most entries of one answer. 0: as many as the driver likes.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) max_entries: i32,
    /// Where to go on: the token of an earlier answer.
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    pub(crate) starting_token: String,
    /// Ask for all pages, one after the other. --format is then applied to each volume or snapshot.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = clap::ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    pub(crate) paging: bool,
}

pub(crate) fn map(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    pairs(flag, texts).map_err(Failure::Usage)
}

/// One topology per use of a flag.
pub(crate) fn topologies(flag: &str, texts: &[String]) -> Result<Vec<csi::Topology>, Failure> {
    let one = |text: &String| Ok(csi::Topology { segments: map(flag, std::slice::from_ref(text))? });
    texts.iter().map(one).collect()
}
