//! `continue`: where the next page of a list begins, and as of which version.

use apimachinery::Status;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const FORMAT: &str = "meta.k8s.io/v1";

/// A continue token.
///
/// Upstream: apiserver pkg/storage/continue.go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// `None`: of whatever is there now, since the version of the first page is forgotten.
    pub(crate) version: Option<u64>,
    /// The first key that may be on the page, relative to what is listed: `name\0`, `namespace/name\0`.
    pub(crate) start: String,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: String,
    #[serde(default)]
    rv: i64,
    #[serde(default)]
    start: String,
}

impl Token {
    /// The page after the one that ended with this key.
    pub(crate) fn after(version: Option<u64>, last: &str) -> Self {
        Self { version, start: format!("{last}\0") }
    }

    pub(crate) fn encode(&self) -> String {
        let rv = self.version.and_then(|version| i64::try_from(version).ok()).unwrap_or(-1);
        let wire = Wire { v: FORMAT.to_owned(), rv, start: format!("/{}", self.start) };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).unwrap_or_default())
    }

    /// # Errors
    /// 400 for a text that is no token.
    pub(crate) fn decode(text: &str) -> Result<Self, Status> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => {
                invalid(format!("illegal base64 data at input byte {at}"))
            }
            _ => invalid(format!("illegal base64 data at input byte {}", text.len())),
        })?;
        let wire: Wire = serde_json::from_slice(&bytes).map_err(|_| invalid(syntax(&bytes)))?;
        if wire.v != FORMAT {
            return Err(invalid(format!("server does not recognize this encoded version {}", wire.v)));
        }
        let start = wire.start.strip_prefix('/').unwrap_or(&wire.start);
        if start.is_empty() {
            return Err(invalid("encoded start key empty".to_owned()));
        }
        if wire.rv == 0 {
            return Err(invalid("incorrect encoded start resourceVersion".to_owned()));
        }
        Ok(Self { version: u64::try_from(wire.rv).ok(), start: start.to_owned() })
    }
}

/// What Go's decoder says of a text that is not JSON.
fn syntax(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).chars().next() {
        Some(first) if first != '{' => format!("invalid character '{first}' looking for beginning of value"),
        _ => "unexpected end of JSON input".to_owned(),
    }
}

fn invalid(why: String) -> Status {
    Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
}
