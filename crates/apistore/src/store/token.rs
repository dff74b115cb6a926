//! `continue`: where the next page of a list begins, and as of which version.

use apimachinery::{Status, json};
use base64::DecodeError;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{Engine, GeneralPurpose};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "meta.k8s.io/v1";
/// What is left over of the last character is not looked at, as in Go.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

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
        let bytes = LENIENT.decode(text).map_err(|error| {
            let at = match error {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                // One character more than there should be.
                DecodeError::InvalidLength(_) => text.len() / 4 * 4,
                DecodeError::InvalidPadding => text.find('=').unwrap_or(text.len()),
            };
            invalid(format!("illegal base64 data at input byte {at}"))
        })?;
        let wire: Wire = serde_json::from_slice(&bytes).map_err(|_| invalid(complaint(&bytes)))?;
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

/// What Go's decoder says of a text that is no token.
fn complaint(bytes: &[u8]) -> String {
    json::complaint(bytes)
        .unwrap_or_else(|| "json: cannot unmarshal what is there into Go value of type storage.continueToken".to_owned())
}

fn invalid(why: String) -> Status {
    Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_token_is_told_as_go_tells_it() {
        let cases = [
            ("x", "illegal base64 data at input byte 0"),
            ("aaaaa", "illegal base64 data at input byte 4"),
            ("a!b", "illegal base64 data at input byte 1"),
            ("aa=", "illegal base64 data at input byte 2"),
            ("xx", "invalid character 'Ç' looking for beginning of value"),
            ("xyz", "invalid character 'Ç' looking for beginning of value"),
        ];
        for (text, why) in cases {
            let status = Token::decode(text).expect_err(text);
            assert_eq!(status.message, format!("invalid continue token: continue key is not valid: {why}"), "{text}");
        }
    }
}
