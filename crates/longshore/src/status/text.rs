//! The tree, for people.

use std::fmt::Write;

use super::report::{Attachment, Claim, Mount, Report, Volume};

/// One line of the tree, and what hangs on it.
struct Branch {
    words: String,
    why: Option<String>,
    below: Vec<Branch>,
}

/// Ends in a line break.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    let mut namespace = None;
    let mut group: Vec<Branch> = Vec::new();
    for claim in &report.claims {
        if namespace != Some(&claim.namespace) {
            flush(&mut text, namespace.map(String::as_str), &mut group);
            namespace = Some(&claim.namespace);
        }
        group.push(of_claim(claim));
    }
    flush(&mut text, namespace.map(String::as_str), &mut group);
    if !report.volumes.is_empty() {
        group.extend(report.volumes.iter().map(of_volume));
        text.push_str("volumes without a claim\n");
        draw(&mut text, &group, "");
    }
    if text.is_empty() {
        text.push_str("no claims and no volumes\n");
    }
    text
}

fn flush(text: &mut String, namespace: Option<&str>, group: &mut Vec<Branch>) {
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "namespace {namespace}");
        draw(text, group, "");
        group.clear();
    }
}

fn of_claim(claim: &Claim) -> Branch {
    let class = claim.storage_class.as_deref().filter(|class| !class.is_empty()).unwrap_or("no class");
    let modes: Vec<&str> = claim.access_modes.iter().map(|mode| short(mode)).collect();
    let Claim { name, state, requested, .. } = claim;
    let words = format!("claim {name}  {state}  {requested} {} {class}  {}", modes.join(","), age(claim.age_seconds));
    let below = claim.volume.iter().map(of_volume).chain(claim.mounts.iter().map(of_mount)).collect();
    Branch { words, why: claim.why.clone(), below }
}

fn of_volume(volume: &Volume) -> Branch {
    let Volume { name, state, capacity, .. } = volume;
    let backend = match (&volume.driver, &volume.handle) {
        (Some(driver), Some(handle)) => format!("{driver} {handle}"),
        _ => "not of a CSI driver".to_owned(),
    };
    let words = format!("volume {name}  {state}  {capacity}  {backend}  {}", age(volume.age_seconds));
    Branch { words, why: volume.why.clone(), below: volume.attachments.iter().map(of_attachment).collect() }
}

fn of_attachment(attachment: &Attachment) -> Branch {
    let Attachment { node, state, .. } = attachment;
    let words = format!("attachment to {node}  {state}  {}", age(attachment.age_seconds));
    Branch { words, why: attachment.why.clone(), below: Vec::new() }
}

fn of_mount(mount: &Mount) -> Branch {
    let place = mount.node.as_deref().map_or("on no node yet".to_owned(), |node| format!("on {node}"));
    let places = if mount.places.is_empty() { "in no container".to_owned() } else { mount.places.join(" ") };
    let words = format!("pod {}  {}  {place}  {places}  {}", mount.pod, mount.state, age(mount.age_seconds));
    Branch { words, why: mount.why.clone(), below: Vec::new() }
}

fn draw(text: &mut String, branches: &[Branch], indent: &str) {
    for (index, branch) in branches.iter().enumerate() {
        let last = index + 1 == branches.len();
        let (fork, inner) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(text, "{indent}{fork}{}", branch.words);
        let deeper = format!("{indent}{inner}");
        if let Some(why) = &branch.why {
            let bar = if branch.below.is_empty() { "   " } else { "│  " };
            let _ = writeln!(text, "{deeper}{bar}why: {why}");
        }
        draw(text, &branch.below, &deeper);
    }
}

/// As kubectl shortens them.
fn short(mode: &str) -> &str {
    match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    }
}

/// Whole units of the largest that fits.
fn age(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
