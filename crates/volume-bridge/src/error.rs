//! What can go wrong with one volume, in words for whoever typed the command.

use std::io;
use std::path::PathBuf;

use csi_client::{CallError, IdentityError};

use crate::name::{Name, NameError};
use crate::options::OptionError;
use crate::secrets::SecretsError;

/// An answer that is no success. `Display` is one sentence; causes are joined where it leaves the process.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody knows it.
    #[error("there is no volume {0}: create it with `docker volume create -d DRIVER {0}`, or look at `docker volume ls`")]
    NoVolume(Name),
    /// The name of a new volume.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An option of a new volume.
    #[error("volume {name}: {source}")]
    Option {
        /// Which volume.
        name: Name,
        /// Which option.
        source: OptionError,
    },
    /// Created again as something else.
    #[error("volume {0} exists already with other options; use another name, or remove it first")]
    Differs(Name),
    /// An earlier Create has not been answered yet.
    #[error(
        "volume {0} is being created with other options, and the driver has not answered yet; try again later, or use another name"
    )]
    Unsettled(Name),
    /// It is mounted.
    #[error(
        "volume {name} is in use by {mounts}; stop the containers first. If they are long gone (a kill of dockerd leaves such ids), \
         `longshore serve --forget-mount {name}/ID` takes one back"
    )]
    InUse {
        /// Which volume.
        name: Name,
        /// The mount ids, with how often each.
        mounts: String,
    },
    /// Its end was asked for.
    #[error("volume {0} is being removed; finish that with `docker volume rm {0}`")]
    Deleting(Name),
    /// The journal was written with another driver.
    #[error(
        "volume {name} belongs to driver {theirs}, and {ours} is served here; start longshore serve with that driver, or another --state-dir"
    )]
    OtherDriver {
        /// Which volume.
        name: Name,
        /// Whose.
        theirs: String,
        /// Who is here.
        ours: String,
    },
    /// CREATE_DELETE_VOLUME is missing.
    #[error("driver {driver} cannot create volumes; give volume {name} the id of one that exists, with -o id=ID")]
    CannotCreate {
        /// Which driver.
        driver: String,
        /// Which volume.
        name: Name,
    },
    /// It attaches volumes to nodes and does not name this one.
    #[error("driver {0} attaches volumes, but did not say this node's id (NodeGetInfo); that must be mended in the driver")]
    NoNodeId(String),
    /// Only half of a driver is served.
    #[error("X_CSI_MODE leaves out the {0} service, and this needs it; start longshore serve without X_CSI_MODE")]
    Mode(&'static str),
    /// What the driver is could not be learnt.
    #[error("the driver at {address} does not say what it is: {source}; is it running?")]
    Facts {
        /// Where it should be.
        address: String,
        /// What it said.
        source: IdentityError,
    },
    /// A call failed.
    #[error("volume {name}: {source}")]
    Call {
        /// Which volume.
        name: Name,
        /// Which call, and the driver's own words.
        source: CallError,
    },
    /// It said published, and nothing is there.
    #[error(
        "volume {name}: the driver says that it is published, but nothing is mounted at {target} on this host; if the driver runs in \
         a container or mount namespace of its own, that folder must be shared with it (mount propagation)"
    )]
    NotMounted {
        /// Which volume.
        name: Name,
        /// Where it should be.
        target: PathBuf,
    },
    /// The secrets' file cannot be read.
    #[error("volume {name}: its secrets file {file}: {source}")]
    SecretsFile {
        /// Which volume.
        name: Name,
        /// Which file.
        file: String,
        /// The system's words.
        source: io::Error,
    },
    /// The secrets' file is none.
    #[error("volume {name}: its secrets file {file}: {source}")]
    Secrets {
        /// Which volume.
        name: Name,
        /// Which file.
        file: String,
        /// Where it is wrong.
        source: SecretsError,
    },
    /// Nothing was done, because it could not be written down first.
    #[error("volume {name}: cannot write its record {file}: {source}; nothing was begun")]
    Journal {
        /// Which volume.
        name: Name,
        /// The record.
        file: String,
        /// The system's words.
        source: io::Error,
    },
    /// A folder or the mount table.
    #[error("volume {name}: cannot {what}: {source}")]
    Disk {
        /// Which volume.
        name: Name,
        /// What was tried.
        what: String,
        /// The system's words.
        source: io::Error,
    },
    /// A record that cannot be read any more.
    #[error(
        "the record of volume {name} cannot be read, and was set aside as {file}; what was mounted is not known. Unmount what is left of \
         it, remove that file, restart longshore serve, and create the volume again with the same options: the driver then says its id"
    )]
    Lost {
        /// Which volume.
        name: Name,
        /// Where what is left of it is.
        file: String,
    },
    /// SIGTERM came.
    #[error("longshore serve is stopping; try again in a moment")]
    Stopping,
    /// More steps than any volume needs.
    #[error("volume {0} does not come to rest; this is a fault of longshore serve, please report it")]
    Restless(Name),
}

impl Error {
    /// Whether nobody was there to answer.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Error::Call { source, .. } => source.unreachable,
            Error::Facts { source: IdentityError::Call(source), .. } => source.unreachable,
            _ => false,
        }
    }
}
