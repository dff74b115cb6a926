//! Volumes that several apps, or several instances of one, use.

use crate::csi::{mode_name, shareable};
use crate::model::{CsiVolume, Kind, Source, Volume, Workload};
use crate::read::{Reader, join};
use csi_types::CsiAccessMode;

/// Nobody else may use the volume at the same time. Upstream: Marathon's rule for several instances asks whether *all* volumes are
/// like this; one is enough, so here one is.
fn alone(volume: &Volume, csi: &CsiVolume) -> bool {
    let mode = csi.capability.access_mode;
    !shareable(mode) || (mode == CsiAccessMode::MultiNodeSingleWriter && !volume.read_only)
}

fn csi(workload: &Workload) -> impl Iterator<Item = (&Volume, &CsiVolume)> {
    workload.volumes.iter().filter_map(|volume| match &volume.source {
        Source::Csi(csi) => Some((volume, &**csi)),
        _ => None,
    })
}

pub(super) fn check(reader: &Reader<'_>, apps: &[Workload]) {
    for (index, app) in apps.iter().enumerate() {
        let Kind::Service { instances } = app.kind else { continue };
        for (volume, what) in csi(app) {
            let mode = mode_name(what.capability.access_mode);
            if instances > 1 && alone(volume, what) {
                reader.problem(
                    &join(&app.field, "instances"),
                    format!("is {instances}, but volume {:?} is {mode}{}, which one instance at a time can use: set instances to 1, or use a mode \
                             that several may write (MULTI_NODE_MULTI_WRITER) if the plugin has it", what.volume_id, written(volume)),
                );
            }
            let reader_of_one_writer = what.capability.access_mode == CsiAccessMode::MultiNodeSingleWriter && volume.read_only;
            if reader_of_one_writer {
                continue;
            }
            for other in &apps[..index] {
                let taken = csi(other).find(|(held, that)| {
                    that.plugin == what.plugin
                        && that.volume_id == what.volume_id
                        && (alone(held, that) || alone(volume, what))
                        && !(that.capability.access_mode == CsiAccessMode::MultiNodeSingleWriter && held.read_only)
                });
                if taken.is_some() {
                    reader.problem(
                        &join(&volume.field, "external.name"),
                        format!(
                            "volume {:?} is used by app {} as well, and {mode}{} lets one app use it",
                            what.volume_id,
                            other.id,
                            written(volume)
                        ),
                    );
                }
            }
        }
    }
}

fn written(volume: &Volume) -> &'static str {
    if volume.read_only { "" } else { " in mode RW" }
}
