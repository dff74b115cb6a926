//! The rules: a view in, the next step out. Read [`claim`] first, then [`volume`].
//!
//! ```text
//!  claim:   look_up? ── create_volume ── save_pv          or  discard_volume (too small), reschedule (no room, no node)
//!  volume:  hold_pv ── … in use … ── delete_volume ── release_pv                or  let_go_pv (kept after all)
//! ```
//!
//! Pure: what is remembered, and how long a wait still lasts, are facts in the view.

pub mod claim;
pub mod volume;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod transcripts;
