//! The result: a table for people, and the same as JSON.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::bare::AT_ONCE;
use crate::round::{Round, Side, differences};
use crate::site::Site;
use crate::{Provision, TOLERABLE};

/// A line of the table: what, how it is read off a round, and how it is written.
type Row = (&'static str, &'static str, fn(&Round) -> Option<f64>, usize);

const ROWS: [Row; 13] = [
    ("volumes per second", "rate", |r| Some(r.rate()), 0),
    ("  counted when the event is written too", "rate_with_events", |r| Some(r.rate_with_events()), 0),
    ("seconds to the last volume", "secs", |r| Some(r.secs()), 2),
    ("p50, claim to volume (s)", "p50_secs", |r| Some(r.percentile(0.50)), 2),
    ("p99, claim to volume (s)", "p99_secs", |r| Some(r.percentile(0.99)), 2),
    ("API requests per volume", "requests_per_volume", |r| per_volume(r, r.requests.values().sum()), 2),
    ("  creating PersistentVolumes", "volume_creates_per_volume", |r| per_volume(r, asked(r, "create persistentvolumes")), 2),
    ("  creating events", "event_creates_per_volume", |r| per_volume(r, asked(r, "create events")), 2),
    ("CPU seconds", "cpu_secs", |r| Some(r.cpu_secs), 2),
    ("peak memory (MiB)", "peak_memory_mib", |r| r.peak_memory.map(|bytes| bytes as f64 / f64::from(1 << 20)), 1),
    ("CPU seconds, fake-driver", "driver_cpu_secs", |r| r.others.get("driver").copied(), 2),
    ("CPU seconds, kube-apiserver", "apiserver_cpu_secs", |r| r.others.get("kube-apiserver").copied(), 2),
    ("CPU seconds, everything else on this host", "elsewhere_cpu_secs", |r| r.others.get("elsewhere").copied(), 2),
];

/// Prints the table, and writes the JSON where it was asked for.
pub(crate) fn tell(flags: &Provision, site: &Site, rounds: &[Round], repeated: u32, version: &str) -> Result<()> {
    let of = |side| rounds.iter().filter(|round| round.side == side).collect::<Vec<_>>();
    let (bare, ours, unguarded) = (of(Side::Bare), of(Side::Longshore), of(Side::Unguarded));
    let value = |rounds: &[&Round], row: &Row| median(rounds.iter().filter_map(|round| (row.2)(round)).collect());
    let ratio = |row: &Row| Some(value(&ours, row)? / value(&bare, row)?);
    let (ratio, with_events) = (ratio(&ROWS[0]).context("no rounds")?, ratio(&ROWS[1]).context("no rounds")?);
    let different = match (bare.first(), ours.first()) {
        (Some(bare), Some(ours)) => differences(&bare.sample, &ours.sample)?,
        _ => Vec::new(),
    };

    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{} claims at once; medians of {} turns of each side; Kubernetes {version}\n", flags.claims, flags.rounds)?;
    let heads: String = flags.sides().iter().map(|side| format!("{:>22}", side.name())).collect();
    writeln!(out, "{:42}{heads}", "")?;
    for row in &ROWS {
        let text = |side: &Side| value(&of(*side), row).map_or("-".to_owned(), |value| format!("{value:.*}", row.3));
        let values: String = flags.sides().iter().map(|side| format!("{:>22}", text(side))).collect();
        writeln!(out, "{:42}{values}", row.0)?;
    }
    writeln!(out, "\nratio {ratio:.2} ({with_events:.2} when a volume counts once its event is written too)")?;
    let kept = value(&unguarded, &ROWS[0]).zip(value(&ours, &ROWS[0])).map(|(without, with)| with / without);
    if let Some(kept) = kept {
        writeln!(out, "with write-ahead intents {kept:.2} of the rate without")?;
    }
    writeln!(out)?;
    for line in notes(flags, rounds, repeated, &different) {
        writeln!(out, "- {line}")?;
    }
    let Some(path) = &flags.json else { return Ok(()) };
    let side = |rounds: &[&Round]| -> Value {
        ROWS.iter().map(|row| (row.1.to_owned(), value(rounds, row).into())).collect::<serde_json::Map<_, _>>().into()
    };
    let document = json!({
        "ratio": ratio,
        "ratio_with_events": with_events,
        "claims": flags.claims,
        "rounds_of_each_side": flags.rounds,
        "repeated_turns": repeated,
        "concurrency": AT_ONCE,
        "provisioner_flags": flags.provisioner_flags,
        "kubernetes": version,
        "bare": side(&bare),
        "longshore": side(&ours),
        "without_intents": kept.map(|_| side(&unguarded)),
        "ratio_to_without_intents": kept,
        "rounds": rounds.iter().map(detail).collect::<Vec<_>>(),
        "different_volume_fields": different,
        "accounts": flags.sides().iter().map(|side| site.user(*side)).collect::<Vec<_>>(),
    });
    std::fs::write(path, format!("{document:#}\n")).with_context(|| path.display().to_string())
}

fn detail(round: &Round) -> Value {
    let rows: serde_json::Map<String, Value> = ROWS.iter().map(|row| (row.1.to_owned(), (row.2)(round).into())).collect();
    let verified = round.verified;
    json!({
        "side": round.side.name(),
        "measured": rows,
        "requests": round.requests,
        "refused_requests": round.refused,
        "cpu_secs": round.others,
        "verified": {
            "volumes": verified.volumes, "bound": verified.bound, "events": verified.events, "in_driver": verified.in_driver,
        },
    })
}

fn notes(flags: &Provision, rounds: &[Round], repeated: u32, different: &[String]) -> Vec<String> {
    let count = flags.claims;
    let rates = |side: &Side| {
        let of = rounds.iter().filter(|round| round.side == *side).map(|round| format!("{:.0}", round.rate()));
        format!("{} {}", side.name(), of.collect::<Vec<_>>().join(", "))
    };
    let verified = rounds.iter().filter_map(|round| round.verified.in_driver).all(|volumes| volumes == count as usize);
    let noise = rounds.iter().map(Round::disturbed).fold(0.0, f64::max);
    let mut notes = vec![
        format!(
            "verified after every turn: {count} PersistentVolumes, {count} claims bound, {count} ProvisioningSucceeded events{}",
            if verified { format!(", and {count} volumes in the driver, 0 after the claims were deleted") } else { String::new() },
        ),
        format!("every turn, volumes a second: {}", flags.sides().iter().map(rates).collect::<Vec<_>>().join("; ")),
        "clocks, by the API server's audit log: bare from the decoded list of claims, ours from the answer to the last list that \
         fills the caches, both to the answer to the last PersistentVolume"
            .to_owned(),
        format!("the bare client posts {AT_ONCE} at once, a PersistentVolume and then its event, on as many threads as ours"),
        "kube-controller-manager binds meanwhile, at --kube-api-qps 2000 --kube-api-burst 4000 (its default of 20 is slower than \
         either side); etcd runs without fsync"
            .to_owned(),
        format!("of all CPU time used in a turn, at most {:.0}% was of processes that have no part in this", noise * 100.0),
    ];
    if repeated > 0 {
        let limit = TOLERABLE * 100.0;
        notes.push(format!("{repeated} turns were thrown away and repeated, because such processes used more than {limit:.0}%"));
    }
    if noise > TOLERABLE {
        notes.push("NOISY: some turn was disturbed too much to mean anything; run it again when the host is quiet".to_owned());
    }
    if flags.provisioner_flags.is_empty() {
        notes.push("external-provisioner has default flags".to_owned());
    } else {
        notes.push(format!("external-provisioner has {}", flags.provisioner_flags.join(" ")));
    }
    let refused: BTreeMap<_, _> = rounds.iter().filter(|r| r.refused > 0).map(|r| (r.side.name(), r.refused)).collect();
    notes.extend(refused.iter().map(|(side, count)| format!("the API server refused {count} requests of the {side}")));
    match different.is_empty() {
        true => notes.push("both sides' PersistentVolumes have the same fields and values, names and handles aside".to_owned()),
        false => notes.push(format!("the two sides' PersistentVolumes differ: {}", different.join("; "))),
    }
    notes
}

fn per_volume(round: &Round, requests: usize) -> Option<f64> {
    Some(requests as f64 / f64::from(round.claims))
}

fn asked(round: &Round, what: &str) -> usize {
    round.requests.get(what).copied().unwrap_or_default()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}
