//! The result: a table for people, and the same as JSON.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Map, json};

use super::load::Measured;
use super::{Apistore, Claims};

/// What is compared: its words, how it is read off a turn, and whether more is better.
type Row = (&'static str, fn(&Measured) -> f64, bool, usize);

const MIB: f64 = 1024.0 * 1024.0;

const ROWS: [Row; 15] = [
    ("creates/s, one at a time", |m| rate(m, "creates, one at a time"), true, 0),
    ("creates/s, 64 at once", |m| rate(m, "creates, 64 at once"), true, 0),
    ("gets/s, one at a time", |m| rate(m, "gets, one at a time"), true, 0),
    ("gets/s, 64 at once", |m| rate(m, "gets, 64 at once"), true, 0),
    ("merge patches/s, 64 at once", |m| rate(m, "merge patches, 64 at once"), true, 0),
    ("deletes/s, 64 at once", |m| rate(m, "deletes, 64 at once"), true, 0),
    ("lists of all objects/s", |m| rate(m, "lists of all objects"), true, 1),
    ("watch delivery p50 (ms)", |m| m.watch_ms[0], false, 2),
    ("watch delivery p99 (ms)", |m| m.watch_ms[1], false, 2),
    ("start to ready (ms)", |m| m.ready_ms as f64, false, 0),
    ("memory at rest (MiB)", |m| m.memory_at_rest as f64 / MIB, false, 1),
    ("memory after the load (MiB)", |m| m.memory_loaded as f64 / MIB, false, 1),
    ("CPU at rest (% of one processor)", |m| m.idle_cpu * 100.0, false, 2),
    ("CPU seconds of the load", |m| m.cpu_secs, false, 1),
    ("data on disk after the load (MiB)", |m| m.disk as f64 / MIB, false, 1),
];

fn rate(measured: &Measured, what: &str) -> f64 {
    measured.rates.get(what).copied().unwrap_or_default()
}

/// Prints the table, and writes the JSON where it was asked for.
pub(crate) fn tell(flags: &Apistore, upstream: &[Measured], ours: &[Measured], claims: Option<&Claims>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let (mut rows, mut worst) = (Map::new(), f64::INFINITY);
    writeln!(out, "\n{} ConfigMaps of 1 KiB; medians of {} turns of each side\n", flags.objects, flags.rounds)?;
    writeln!(out, "{:36}{:>26}{:>14}{:>9}", "", "kube-apiserver and etcd", "longshore up", "better")?;
    for (words, read, more, digits) in &ROWS {
        let median = |side: &[Measured]| {
            let mut values: Vec<f64> = side.iter().map(read).collect();
            values.sort_by(f64::total_cmp);
            (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
        };
        let (theirs, ours) = (median(upstream), median(ours));
        let better = if *more { ours / theirs } else { theirs / ours.max(0.001) };
        worst = worst.min(better);
        writeln!(out, "{words:36}{theirs:>26.digits$}{ours:>14.digits$}{better:>8.1}x")?;
        rows.insert((*words).to_owned(), json!({ "upstream": theirs, "ours": ours, "better": better }));
    }
    let counted = |side: &[Measured]| side.iter().map(|measured| measured.counted).max().unwrap_or_default();
    writeln!(out, "\n- counted before the deletes: {} objects there, {} here", counted(upstream), counted(ours))?;
    writeln!(out, "- an answered write is on the disk on both sides: etcd with its fsync, redb with its own")?;
    writeln!(out, "- worst of the column: {worst:.2}x")?;
    let mut document = json!({ "objects": flags.objects, "rounds": flags.rounds, "rows": rows, "worst": worst });
    if let Some(claims) = claims {
        let Claims { count, secs, memory_at_rest, memory_bound, ready_ms_after } = claims;
        let (rest, bound) = (*memory_at_rest as f64 / MIB, *memory_bound as f64 / MIB);
        writeln!(out, "\nlongshore up with {count} claims of an instant driver")?;
        writeln!(out, "- created and bound in {secs:.1} s, {:.0} a second", f64::from(*count) / secs)?;
        writeln!(out, "- memory: {rest:.1} MiB at rest, {bound:.1} MiB with all bound")?;
        writeln!(out, "- ready {ready_ms_after} ms after a start with all of them")?;
        document["claims"] = json!({
            "count": count, "secs": secs, "memory_at_rest_mib": rest, "memory_bound_mib": bound, "ready_ms_after": *ready_ms_after as u64,
        });
    }
    let Some(path) = &flags.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(&document)? + "\n";
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
