//! A record as bytes: one line of JSON, one line with its hash. Whatever is torn, flipped or cut is noticed.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::paths::{VolumeKey, sha256_hex};

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
pub fn encode(key: &VolumeKey, record: &Record) -> Vec<u8> {
    let line = Line { format: FORMAT, key: key.as_str().into(), record };
    // A record is strings, booleans and lists: it has a JSON form.
    let json = serde_json::to_string(&line).unwrap_or_default();
    let hash = sha256_hex([json.as_str()]);
    format!("{json}\nsha256:{hash}\n").into_bytes()
}

/// The record in these bytes.
pub fn decode(bytes: &[u8]) -> Result<(VolumeKey, Record), Corrupt> {
    let text = std::str::from_utf8(bytes).map_err(|_| Corrupt::WrongHash)?;
    let (json, hash) = text.strip_suffix('\n').and_then(|text| text.rsplit_once("\nsha256:")).ok_or(Corrupt::NoHash)?;
    if sha256_hex([json]) != hash {
        return Err(Corrupt::WrongHash);
    }
    let line: Line<'_, Record> = serde_json::from_str(json).map_err(|e| Corrupt::Form(e.to_string()))?;
    if line.format != FORMAT {
        return Err(Corrupt::Form(format!("format {}", line.format)));
    }
    Ok((VolumeKey::parse(&line.key), line.record))
}
