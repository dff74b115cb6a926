//! The shapes that several commands print.

use std::collections::BTreeMap;

use csi_proto::csi::v1 as csi;

use crate::output::Shown;
use crate::quote::quote;

/// Of [`volume`].
const VOLUME: &[&str] = &["VOLUME", "BYTES", "CONTEXT"];
const SNAPSHOT: &[&str] = &["SNAPSHOT", "BYTES", "SOURCE", "CREATED", "READY"];

/// `"k"="v"` for each, after tabs.
pub(crate) fn tabbed(map: &BTreeMap<String, String>) -> String {
    map.iter().map(|(key, value)| format!("\t{}={}", quote(key), quote(value))).collect()
}

/// `k=v,k=v` for a cell of a table.
pub(crate) fn cell(map: &BTreeMap<String, String>) -> String {
    map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// `"id"\tbytes[\t"k"="v"…]`
pub(crate) fn volumes<'a>(volumes: impl IntoIterator<Item = &'a csi::Volume>) -> Shown {
    let mut shown = Shown { columns: VOLUME, ..Shown::default() };
    for volume in volumes {
        let csi::Volume { volume_id, capacity_bytes, volume_context, .. } = volume;
        shown.lines += &format!("{}\t{capacity_bytes}{}\n", quote(volume_id), tabbed(volume_context));
        shown.rows.push(vec![volume_id.clone(), capacity_bytes.to_string(), cell(volume_context)]);
    }
    shown
}

/// `"id"\tsize\tsource\tcreated\tready`
pub(crate) fn snapshots<'a>(snapshots: impl IntoIterator<Item = &'a csi::Snapshot>) -> Shown {
    let mut shown = Shown { columns: SNAPSHOT, ..Shown::default() };
    for snapshot in snapshots {
        let csi::Snapshot { snapshot_id, size_bytes, source_volume_id, ready_to_use, .. } = snapshot;
        let created = time(snapshot.creation_time.as_ref());
        shown.lines += &format!("{}\t{size_bytes}\t{source_volume_id}\t{created}\t{ready_to_use}\n", quote(snapshot_id));
        let cells = [snapshot_id.clone(), size_bytes.to_string(), source_volume_id.clone(), created, ready_to_use.to_string()];
        shown.rows.push(cells.into());
    }
    shown
}

/// RFC 3339, or nothing if the driver does not say, or says no time.
pub(crate) fn time(time: Option<&prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// The id of what something was done to, as it was given.
pub(crate) fn done(column: &'static [&'static str], id: &str) -> Shown {
    Shown { lines: format!("{id}\n"), columns: column, rows: vec![vec![id.to_owned()]], ..Shown::default() }
}

/// One value.
pub(crate) fn one(column: &'static [&'static str], value: impl ToString) -> Shown {
    let value = value.to_string();
    Shown { lines: format!("{value}\n"), columns: column, rows: vec![vec![value]], ..Shown::default() }
}

/// One name per line.
pub(crate) fn names(names: impl IntoIterator<Item = String>) -> Shown {
    let mut shown = Shown { columns: &["CAPABILITY"], ..Shown::default() };
    for name in names {
        shown.lines += &format!("{name}\n");
        shown.rows.push(vec![name]);
    }
    shown
}

/// `"id"\tstatus\treason\tmessage` for each that is not well.
pub(crate) fn health<'a>(volumes: impl IntoIterator<Item = &'a csi::VolumeHealth>) -> Shown {
    let mut shown = Shown { columns: &["VOLUME", "STATUS", "REASON", "MESSAGE"], ..Shown::default() };
    for volume in volumes {
        if volume.health_statuses.is_empty() {
            shown.lines += &format!("{}\thealthy\n", quote(&volume.volume_id));
            shown.rows.push(vec![volume.volume_id.clone(), "healthy".to_owned(), String::new(), String::new()]);
        }
        for entry in &volume.health_statuses {
            let status = csi::VolumeHealthErrorType::try_from(entry.status);
            let status = status.map_or_else(|_| entry.status.to_string(), |status| status.as_str_name().to_owned());
            shown.lines +=
                &format!("{}\t{status}\t{}\t{}\n", quote(&volume.volume_id), quote(&entry.reason), quote(&entry.message));
            shown.rows.push(vec![volume.volume_id.clone(), status, entry.reason.clone(), entry.message.clone()]);
        }
    }
    shown
}

/// `token="…"` after a page that is not the last.
pub(crate) fn token(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("token={}\n", quote(token)) }
}
