//! How a command ends when it does not end well: the words for stderr, and the exit code.

use std::io;

use csi_client::{Address, RawError};
use csi_types::{Code, Secret};

use crate::template::TemplateError;

/// Secrets that are shorter are found in every sentence.
const SHORTEST: usize = 4;

/// What went wrong. `Display` is what is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line or the environment.
    #[error("{0}")]
    Usage(String),
    /// Help, or clap's own words about the command line, which name the flag.
    #[error("{text}")]
    Clap { text: String, asked: bool },
    /// A driver's refusal, or the way to it.
    #[error("{}\n{method} at {endpoint} failed with {} ({}): {}", words, code.name(), code.number(), next(*code, *unreachable))]
    Call { words: String, method: &'static str, endpoint: Address, code: Code, unreachable: bool },
    /// `--with-spec-validation` found something, before the call or in its answer.
    #[error("{what}\n{method} at {endpoint}: {}", if *answered { "the driver's answer breaks the CSI specification; whoever makes the driver acts next" } else { "not sent, because --with-spec-validation or --with-requires-… is on: change the request" })]
    Spec { what: String, method: &'static str, endpoint: Address, answered: bool },
    /// An answer that leaves out what the command is about.
    #[error(
        "{what}\n{method} at {endpoint}: the driver's answer breaks the CSI specification; whoever makes the driver acts next"
    )]
    Answer { what: String, method: &'static str, endpoint: Address },
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Output that cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A driver's error, without our secrets if it repeats them.
    pub(crate) fn call(error: RawError, endpoint: &Address, secrets: &Secret) -> Self {
        let RawError { method, code, message, unreachable } = error;
        let words = if message.is_empty() { "the driver gave no reason".to_owned() } else { without(message, secrets) };
        Self::Call { words, method, endpoint: endpoint.clone(), code, unreachable }
    }

    /// gRPC's number where there is one, else 1. Upstream: gocsi `csc`.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Clap { asked: true, .. } => 0,
            Self::Call { code, .. } => u8::try_from(code.number()).unwrap_or(1),
            Self::Spec { answered: false, .. } => Code::InvalidArgument as u8,
            Self::Spec { answered: true, .. } | Self::Answer { .. } => Code::Internal as u8,
            Self::Usage(_) | Self::Clap { .. } | Self::Template(_) | Self::Output(_) => 1,
        }
    }

    /// Whoever read the output has read enough.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn without(mut message: String, secrets: &Secret) -> String {
    for value in secrets.expose().values().filter(|value| value.len() >= SHORTEST) {
        message = message.replace(value.as_str(), csi_proto::json::STRIPPED);
    }
    message
}

/// Who acts next. Spec: CSI "Error Scheme".
fn next(code: Code, unreachable: bool) -> &'static str {
    match code {
        Code::Unavailable if unreachable => {
            "nothing answers there; start the driver, or name its socket with --endpoint or CSI_ENDPOINT"
        }
        Code::Unavailable => "the driver cannot do it now; the same call may succeed later",
        Code::Unimplemented => {
            "the driver does not have this call; get-capabilities tells those it has. Endpoints from before CSI 1.0 answer every call so"
        }
        Code::InvalidArgument => "change the request; --with-spec-validation tells what CSI requires of it",
        Code::NotFound => "what the request names is not there; list-volumes and list-snapshots tell the ids that are",
        Code::AlreadyExists => {
            "something of that name is there and differs from the request; choose another name, or ask for the same"
        }
        Code::DeadlineExceeded => "the driver may be at it still; repeat the same call, or give it longer with --timeout",
        Code::Aborted => "another call for the same object is under way; repeat this one when it is done",
        Code::Canceled => "the call was given up; repeat it",
        Code::ResourceExhausted => "there is no room for it; ask for less, elsewhere, or make room",
        Code::FailedPrecondition => "the object is not in the state for it; the driver's words say what has to happen first",
        Code::OutOfRange => "the size or the token is out of the driver's range; ask for another",
        Code::PermissionDenied | Code::Unauthenticated => "the driver wants other credentials; they go into X_CSI_SECRETS",
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => "the reason is with the driver; its log tells more",
    }
}
