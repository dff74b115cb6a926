//! What a write needs of the world beside the stored objects: the time, and chance.

use apimachinery::object;
use jiff::Timestamp;
use rt::Ctx;
use uuid::Builder;

use crate::object::key;
use crate::request::{WriteRequest, WriteVerb};

/// The letters of a generated name: no vowels, so that no words come out, and none that look alike.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many of them are appended.
const SUFFIX: usize = 5;
/// How long a prefix may be, so that the name is a label.
const PREFIX_MAX: usize = 63 - SUFFIX;

/// The time and chance of one write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env {
    pub(crate) now: Timestamp,
    /// Makes the uid.
    pub(crate) uid: u128,
    /// Makes the generated name.
    pub(crate) suffix: u64,
}

impl Env {
    /// Draws for this request. In simulation an object's uid depends on what it is called, not on what was written before.
    pub(crate) fn of(ctx: &Ctx, request: &WriteRequest) -> Self {
        let now = ctx.timestamp();
        let (name, prefix) = match &request.verb {
            WriteVerb::Create(body) => (object::name(body), object::meta(body, "generateName")),
            WriteVerb::Update(_) | WriteVerb::Patch(..) => (request.name.as_str(), ""),
            WriteVerb::Delete(_) | WriteVerb::DeleteCollection(..) => return Self { now, uid: 0, suffix: 0 },
        };
        let what = format!("{} {}", request.resource.storage_key(), key(&request.namespace, name));
        let suffix = if name.is_empty() { ctx.draw(&format!("name {what} {prefix}")) } else { 0 };
        let uid = format!("uid {what} {prefix}");
        Self { now, uid: u128::from(ctx.draw(&uid)) << 64 | u128::from(ctx.draw(&uid)), suffix }
    }

    /// A uid of version 4.
    pub(crate) fn uid(&self) -> String {
        Builder::from_random_bytes(self.uid.to_be_bytes()).into_uuid().to_string()
    }

    /// A name with this prefix. Each `attempt` makes another.
    pub(crate) fn name(&self, prefix: &str, attempt: u64) -> String {
        let mut cut = prefix.len().min(PREFIX_MAX);
        while !prefix.is_char_boundary(cut) {
            cut -= 1;
        }
        let mut name = prefix[..cut].to_owned();
        let mut rest = self.suffix.wrapping_add(attempt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for _ in 0..SUFFIX {
            name.push(char::from(ALPHABET[(rest % ALPHABET.len() as u64) as usize]));
            rest /= ALPHABET.len() as u64;
        }
        name
    }
}
