//! A record as bytes: one line of JSON, one line with its hash. Whatever is torn, flipped or cut is noticed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Key;

/// The version of this form. A reader refuses others, and so sets them aside rather than misreads them.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Line<'a, R> {
    format: u32,
    key: std::borrow::Cow<'a, str>,
    record: R,
}

/// Why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// Cut short, or not ours.
    #[error("it does not end with a line `sha256:<hash>`")]
    NoHash,
    /// A bit is different from what was written.
    #[error("its content does not have the hash it was written with")]
    WrongHash,
    /// Written by something that hashes well and writes another form.
    #[error("it is not a record of format {FORMAT}: {0}")]
    Form(String),
    /// At an earlier start.
    #[error("it was set aside at an earlier start")]
    SetAsideBefore,
    /// A copy under another name.
    #[error("it is about {key}, which its file name is not")]
    Misplaced {
        /// What it is about.
        key: String,
    },
}

/// The bytes of a record.
pub fn encode<K: Key, R: Serialize>(key: &K, record: &R) -> Vec<u8> {
    let line = Line { format: FORMAT, key: key.as_str().into(), record };
    // A record is strings, booleans, lists and maps with names: it has a JSON form.
    let json = serde_json::to_string(&line).unwrap_or_default();
    let hash = sha256_hex(&json);
    format!("{json}\nsha256:{hash}\n").into_bytes()
}

/// The record in these bytes.
///
/// # Errors
/// They are not what [`encode`] wrote.
pub fn decode<K: Key, R: DeserializeOwned>(bytes: &[u8]) -> Result<(K, R), Corrupt> {
    let text = std::str::from_utf8(bytes).map_err(|_| Corrupt::WrongHash)?;
    let (json, hash) = text.strip_suffix('\n').and_then(|text| text.rsplit_once("\nsha256:")).ok_or(Corrupt::NoHash)?;
    if sha256_hex(json) != hash {
        return Err(Corrupt::WrongHash);
    }
    let line: Line<'_, R> = serde_json::from_str(json).map_err(|e| Corrupt::Form(e.to_string()))?;
    if line.format != FORMAT {
        return Err(Corrupt::Form(format!("format {}", line.format)));
    }
    Ok((K::parse(&line.key), line.record))
}

/// Lowercase hex of the SHA-256.
pub(crate) fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
