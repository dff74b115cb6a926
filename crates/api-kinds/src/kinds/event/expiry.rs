//! Events are forgotten an hour after they were last written.
//!
//! Upstream gives each write a lease of `--event-ttl`. Here a write's age is read from the times that the event carries: when it
//! was made, when a manager last came to own a field of it, and when it was last seen. A write that changes none of these (a
//! second change of one label) does not prolong an event's life.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Where events are stored, see [`crate::Resource::storage_key`].
pub const RESOURCE: &str = "events";

/// How long an event is kept after its last write.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    event_time: Option<&'a str>,
    last_timestamp: Option<&'a str>,
    #[serde(borrow)]
    series: Option<Series<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    creation_timestamp: Option<&'a str>,
    #[serde(borrow, default)]
    managed_fields: Vec<Manager<'a>>,
}

#[derive(Deserialize)]
struct Manager<'a> {
    time: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series<'a> {
    last_observed_time: Option<&'a str>,
}

/// When a stored event is to be forgotten. What it says of a time that is still to come is not believed: who reported it may
/// have another idea of the time. If it speaks of nothing else, the clock was put back, and its life begins anew.
pub fn ends(event: &[u8], now: Timestamp) -> Timestamp {
    // What cannot be read has no reason to stay.
    let Ok(Times { metadata, event_time, last_timestamp, series }) = serde_json::from_slice(event) else { return now };
    let seen = series.and_then(|series| series.last_observed_time);
    let managers = metadata.managed_fields.iter().filter_map(|manager| manager.time);
    let times = [metadata.creation_timestamp, event_time, last_timestamp, seen].into_iter().flatten().chain(managers);
    let last = times.filter_map(|text| text.parse::<Timestamp>().ok()).filter(|&time| time <= now).max();
    last.unwrap_or(now).checked_add(LIFETIME).unwrap_or(now)
}
