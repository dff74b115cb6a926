//! Keyed randomness: a draw depends on (seed, key, how often that key was drawn before), so that taking one object out of a
//! run leaves the draws of all others alone.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Mutex;

pub(crate) struct Draws {
    seed: u64,
    counts: Option<Mutex<BTreeMap<String, u64>>>,
    plain: std::sync::atomic::AtomicU64,
}

impl Draws {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { seed, counts: Some(Mutex::new(BTreeMap::new())), plain: 0.into() }
    }

    /// The draws of another process of the same run: its own, and none of this one's are moved by them.
    pub(crate) fn of(&self, process: &str) -> Self {
        Self::seeded(mix(self.seed ^ fnv1a(process)))
    }

    /// Seeded by the operating system; keys are not counted, since nobody will replay it.
    pub(crate) fn random() -> Self {
        let seed = std::collections::hash_map::RandomState::new().build_hasher().finish();
        Self { seed, counts: None, plain: 0.into() }
    }

    pub(crate) fn draw(&self, key: &str) -> u64 {
        let nth = match &self.counts {
            Some(counts) => {
                let mut counts = counts.lock().unwrap_or_else(|e| e.into_inner());
                let count = counts.entry(key.to_owned()).or_default();
                *count += 1;
                *count
            }
            None => self.plain.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
        };
        mix(self.seed ^ fnv1a(key).rotate_left(17) ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64's finalizer: every input bit reaches every output bit.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
