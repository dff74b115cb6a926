//! Where secrets may be.

use super::{Moment, Saying};
use crate::world::{SECRET, World};

/// No process ever writes a secret into an object.
pub(super) fn stay(_: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Said(Saying { who, kind, body, .. }) = moment else { return None };
    let told = body.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    told.then(|| format!("{who} writes a secret into {kind}"))
}
