//! The API's spelling of a job to HCL's: `TaskGroups[].Tasks[].CSIPluginConfig.MountDir` is `group > task > csi_plugin > mount_dir`.
//!
//! What `nomad job inspect` prints has everything, most of it nothing: fields that are zero say nothing, and what only a server writes is left out.

use super::hcl::{Body, Content, Entry, Item, Node, Value};

/// What the API calls a field, what HCL calls it, and how it is written there.
type Row = (&'static str, &'static str, As);

#[derive(Clone, Copy)]
enum As {
    /// As it is.
    Plain,
    /// A block, or a list of blocks, with these fields.
    Blocks(&'static [Row]),
    /// A list of blocks whose label is their `Name`.
    Named(&'static [Row]),
    /// A map of blocks by label.
    Labelled(&'static [Row]),
    /// Zero counts: it is not what is there when nothing was said.
    Count,
    /// Written by a server, or said elsewhere already.
    Left,
}

use As::{Blocks, Count, Labelled, Left, Named, Plain};

const JOB: &[Row] = &[
    ("ID", "id", Plain),
    ("TaskGroups", "group", Named(GROUP)),
    ("Constraints", "constraint", Blocks(CONSTRAINT)),
    ("Affinities", "affinity", Plain),
    ("Spreads", "spread", Plain),
    ("Update", "update", Blocks(&[])),
    ("Periodic", "periodic", Plain),
    ("ParameterizedJob", "parameterized", Plain),
    ("ConsulToken", "consul_token", Plain),
    ("VaultToken", "vault_token", Plain),
    ("UI", "ui", Plain),
    ("ParentID", "", Left),
    ("Dispatched", "", Left),
    ("DispatchIdempotencyToken", "", Left),
    ("Payload", "", Left),
    ("ConsulNamespace", "", Left),
    ("VaultNamespace", "", Left),
    ("NomadTokenID", "", Left),
    ("Status", "", Left),
    ("StatusDescription", "", Left),
    ("Stable", "", Left),
    ("Stop", "", Left),
    ("Version", "", Left),
    ("VersionTag", "version_tag", Plain),
    ("SubmitTime", "", Left),
    ("CreateIndex", "", Left),
    ("ModifyIndex", "", Left),
    ("JobModifyIndex", "", Left),
];

const GROUP: &[Row] = &[
    ("Name", "", Left),
    ("Count", "count", Count),
    ("Tasks", "task", Named(TASK)),
    ("Volumes", "volume", Labelled(VOLUME)),
    ("RestartPolicy", "restart", Blocks(RESTART)),
    ("ReschedulePolicy", "reschedule", Plain),
    ("Constraints", "constraint", Blocks(CONSTRAINT)),
    ("Affinities", "affinity", Plain),
    ("Spreads", "spread", Plain),
    ("Networks", "network", Blocks(NETWORK)),
    ("Services", "service", Plain),
    ("EphemeralDisk", "ephemeral_disk", Plain),
    ("Update", "update", Blocks(&[])),
];

const TASK: &[Row] = &[
    ("Name", "", Left),
    ("Config", "config", Plain),
    ("Env", "env", Plain),
    ("Meta", "meta", Plain),
    ("Templates", "template", Blocks(TEMPLATE)),
    ("Resources", "resources", Blocks(RESOURCES)),
    ("VolumeMounts", "volume_mount", Blocks(VOLUME_MOUNT)),
    ("CSIPluginConfig", "csi_plugin", Blocks(&[("ID", "id", Plain)])),
    ("Lifecycle", "lifecycle", Blocks(&[])),
    ("RestartPolicy", "restart", Blocks(RESTART)),
    ("Constraints", "constraint", Blocks(CONSTRAINT)),
    ("Affinities", "affinity", Plain),
    ("Services", "service", Plain),
    ("Artifacts", "artifact", Plain),
    ("LogConfig", "logs", Plain),
    ("ScalingPolicies", "scaling", Plain),
    ("Identities", "identity", Plain),
    ("Identity", "identity", Plain),
    ("Secrets", "secret", Plain),
    ("Actions", "action", Plain),
];

const VOLUME: &[Row] = &[("Name", "", Left), ("MountOptions", "mount_options", Blocks(MOUNT_OPTIONS))];
const MOUNT_OPTIONS: &[Row] = &[("FSType", "fs_type", Plain), ("FsType", "fs_type", Plain)];
const VOLUME_MOUNT: &[Row] = &[("SELinuxLabel", "selinux_label", Plain)];
const RESTART: &[Row] = &[("Attempts", "attempts", Count)];
const RESOURCES: &[Row] = &[
    ("CPU", "cpu", Plain),
    ("MemoryMB", "memory", Plain),
    ("MemoryMaxMB", "memory_max", Plain),
    ("DiskMB", "disk", Plain),
    ("IOPS", "iops", Plain),
    ("Networks", "network", Plain),
    ("Devices", "device", Plain),
    ("NUMA", "numa", Plain),
    ("SecretsMB", "secrets", Plain),
];
const TEMPLATE: &[Row] = &[
    ("EmbeddedTmpl", "data", Plain),
    ("DestPath", "destination", Plain),
    ("Envvars", "env", Plain),
    ("SourcePath", "source", Plain),
    ("LeftDelim", "left_delimiter", Plain),
    ("RightDelim", "right_delimiter", Plain),
    ("ErrMissingKey", "error_on_missing_key", Plain),
];
const CONSTRAINT: &[Row] = &[("LTarget", "attribute", Plain), ("RTarget", "value", Plain), ("Operand", "operator", Plain)];
const NETWORK: &[Row] = &[("MBits", "mbits", Plain), ("DNS", "dns", Plain), ("CIDR", "cidr", Plain), ("IP", "ip", Plain)];

const SPECIFICATION: &[Row] = &[
    ("ID", "id", Plain),
    ("PluginID", "plugin_id", Plain),
    ("ExternalID", "external_id", Plain),
    ("CloneID", "clone_id", Plain),
    ("SnapshotID", "snapshot_id", Plain),
    ("RequestedCapacityMin", "capacity_min", Plain),
    ("RequestedCapacityMax", "capacity_max", Plain),
    ("RequestedCapabilities", "capability", Blocks(&[])),
    ("MountOptions", "mount_options", Blocks(MOUNT_OPTIONS)),
    ("RequestedTopologies", "topology_request", Blocks(TOPOLOGIES)),
    ("Secrets", "secrets", Plain),
    ("Parameters", "parameters", Plain),
    ("Context", "context", Plain),
    ("Topologies", "", Left),
    ("AccessMode", "", Left),
    ("AttachmentMode", "", Left),
    ("ReadAllocs", "", Left),
    ("WriteAllocs", "", Left),
    ("Allocations", "", Left),
    ("Schedulable", "", Left),
    ("Provider", "", Left),
    ("ProviderVersion", "", Left),
    ("Capacity", "", Left),
    ("ControllerRequired", "", Left),
    ("ControllersHealthy", "", Left),
    ("ControllersExpected", "", Left),
    ("NodesHealthy", "", Left),
    ("NodesExpected", "", Left),
    ("ResourceExhausted", "", Left),
    ("CreateIndex", "", Left),
    ("ModifyIndex", "", Left),
    ("CreateTime", "", Left),
    ("ModifyTime", "", Left),
];
const TOPOLOGIES: &[Row] = &[("Required", "required", Blocks(TOPOLOGY)), ("Preferred", "preferred", Blocks(TOPOLOGY))];
const TOPOLOGY: &[Row] = &[("Segments", "segments", Plain)];

/// A job, as if it had been written in HCL.
pub(super) fn job(entries: &[Entry]) -> Body {
    rewrite(entries, JOB)
}

/// A volume of the API's, as if it had been a volume specification.
pub(super) fn specification(entries: &[Entry]) -> Body {
    rewrite(entries, SPECIFICATION)
}

fn rewrite(entries: &[Entry], rows: &[Row]) -> Body {
    let mut body = Body::default();
    for entry in entries {
        let row = rows.iter().find(|row| row.0 == entry.key);
        let how = row.map_or(Plain, |row| row.2);
        let name = row.map_or_else(|| snake(&entry.key), |row| row.1.to_owned());
        let node = &entry.node;
        if node.value == Value::Null || node.value.is_zero() && !matches!(how, Count) {
            continue;
        }
        let attribute = || Item { name: name.clone(), at: entry.at, content: Content::Attribute(node.clone()) };
        let block = |labels: Vec<String>, node: &Node, rows: &[Row]| match &node.value {
            Value::Map(entries) => {
                Some(Item { name: name.clone(), at: node.at, content: Content::Block { labels, body: rewrite(entries, rows) } })
            }
            _ => None,
        };
        match (how, &node.value) {
            (Left, _) => {}
            (Blocks(rows), Value::Map(_)) => body.items.extend(block(Vec::new(), node, rows)),
            (Blocks(rows), Value::List(items)) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                body.items.extend(items.iter().filter_map(|item| block(Vec::new(), item, rows)));
            }
            (Named(rows), Value::List(items)) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                body.items.extend(items.iter().filter_map(|item| block(vec![label(item)], item, rows)));
            }
            (Labelled(rows), Value::Map(entries)) if entries.iter().all(|entry| matches!(entry.node.value, Value::Map(_))) => {
                body.items.extend(entries.iter().filter_map(|inner| block(vec![inner.key.clone()], &inner.node, rows)));
            }
            // Of another shape than it should be: whoever reads the field says so.
            _ => body.items.push(attribute()),
        }
    }
    body
}

fn label(node: &Node) -> String {
    let Value::Map(entries) = &node.value else { return String::new() };
    let name = entries.iter().find(|entry| entry.key == "Name");
    name.and_then(|entry| entry.node.value.to_text()).unwrap_or_default()
}

/// `StagePublishBaseDir` is `stage_publish_base_dir`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn names_are_hcls() {
        for (api, hcl) in
            [("MountDir", "mount_dir"), ("StagePublishBaseDir", "stage_publish_base_dir"), ("Driver", "driver"), ("", "")]
        {
            assert_eq!(snake(api), hcl);
        }
    }
}
