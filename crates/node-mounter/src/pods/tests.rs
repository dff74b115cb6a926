use serde_json::json;

use super::*;
use crate::testing::pod;

fn view(pod: Option<Pod>) -> PodView {
    PodView { pod: pod.map(Arc::new), resolved: true, holds: false, file_current: true, folders_gone: true, ours_to_delete: true }
}

fn deleting() -> Pod {
    pod(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}))
}

#[test]
fn a_pods_volumes_are_looked_up_then_written_down() {
    let alive = || view(Some(pod(json!({}))));
    assert_eq!(plan(&PodView { resolved: false, file_current: false, ..alive() }), Next::Do(PodAction::ResolveVolumes));
    assert_eq!(plan(&PodView { file_current: false, ..alive() }), Next::Do(PodAction::WriteVolumesFile));
    assert_eq!(plan(&alive()), Next::Rest(PodWhy::Served));
}

#[test]
fn a_deleted_pod_goes_only_when_none_of_its_volumes_is_here() {
    let going = || view(Some(deleting()));
    let waiting = PodView { holds: true, folders_gone: false, ..going() };
    assert_eq!(plan(&waiting), Next::Rest(PodWhy::WaitsForUnpublish));
    assert_eq!(plan(&PodView { holds: false, ..waiting }), Next::Do(PodAction::RemoveFolders));
    assert_eq!(plan(&going()), Next::Do(PodAction::DeletePod));
}

#[test]
fn the_file_of_a_leaving_pod_stays_as_it_is() {
    let running = json!([{"name": "c", "state": {"running": {}}}]);
    let leaving =
        pod(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"containerStatuses": running}}));
    let view = PodView { resolved: false, holds: true, file_current: false, ..view(Some(leaving)) };
    assert_eq!(plan(&view), Next::Rest(PodWhy::Served));
}

#[test]
fn a_pod_is_somebody_elses_to_delete_on_a_node_that_is() {
    let view = PodView { ours_to_delete: false, ..view(Some(deleting())) };
    assert_eq!(plan(&view), Next::Rest(PodWhy::Through));
}

#[test]
fn a_finished_pod_is_kept_by_the_api_and_loses_its_volumes() {
    let finished = view(Some(pod(json!({"status": {"phase": "Succeeded"}}))));
    assert_eq!(plan(&PodView { holds: true, ..finished.clone() }), Next::Rest(PodWhy::WaitsForUnpublish));
    assert_eq!(plan(&finished), Next::Rest(PodWhy::Through));
}

#[test]
fn folders_of_a_pod_that_is_gone_are_cleared_away() {
    assert_eq!(plan(&PodView { folders_gone: false, ..view(None) }), Next::Do(PodAction::RemoveFolders));
    assert_eq!(plan(&view(None)), Next::Rest(PodWhy::Gone));
}
