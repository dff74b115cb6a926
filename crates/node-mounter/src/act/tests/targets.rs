//! Plugins with a folder of their own for targets, and plugins that want to find the target made.

use csi_types::VolumeMode;
use plugin_host::Targets;

use super::*;
use crate::paths::publish_path_below;

async fn bench(mode: VolumeMode, exists: bool) -> (Bench, std::path::PathBuf) {
    let pv = if mode == VolumeMode::Block { json!({"spec": {"volumeMode": "Block"}}) } else { json!({}) };
    let bench = Bench::new(Setting { pv, ..Setting::default() }).await;
    let root = bench.agent.config.root.path().join("of-the-plugin");
    bench.agent.state().targets.insert(NAME.into(), Targets { root: Some(root.clone()), exists });
    (bench, root)
}

#[tokio::test]
async fn a_volume_is_published_below_its_plugins_own_folder_and_found_there_when_that_has_changed() {
    for mode in [VolumeMode::Filesystem, VolumeMode::Block] {
        let (bench, root) = bench(mode, false).await;
        bench.settle().await;
        let target = publish_path_below(&root, "uid-1", "pv-1");
        assert_eq!(bench.sent(Call::NodePublishVolume)["target_path"], json!(target));
        assert!(target.parent().expect("a folder").is_dir() && !target.exists(), "the target is the plugin's to make");
        // The plugin's file says something else, and a new life has only the journal.
        bench.agent.state().targets.clear();
        let recovered = recover(&bench.agent.ctx, &bench.agent.journal, &bench.agent.config.root).await.expect("recovered");
        bench.agent.state().records = recovered.records;
        bench.settle().await;
        assert_eq!(bench.sent(Call::NodePublishVolume)["target_path"], json!(target), "it stays where it is");
        bench.pod_goes();
        bench.settle().await;
        assert_eq!(bench.sent(Call::NodeUnpublishVolume)["target_path"], json!(target));
        assert_eq!((bench.record(), bench.left()), (None, vec![]));
        assert!(!root.join("pv-1").exists(), "what was made above the target is gone");
    }
}

#[tokio::test]
async fn a_journal_that_is_lost_does_not_hide_a_target_in_a_plugins_own_folder() {
    for mode in [VolumeMode::Filesystem, VolumeMode::Block] {
        let (bench, root) = bench(mode, false).await;
        bench.settle().await;
        bench.agent.journal.remove(&bench.spec.key).await.expect("removed");
        let recovered = recover(&bench.agent.ctx, &bench.agent.journal, &bench.agent.config.root).await.expect("recovered");
        let record = recovered.records.get(&bench.spec.key).expect("found by its folders");
        assert_eq!(record.publishes[0].target, publish_path_below(&root, "uid-1", "pv-1"), "{mode:?}");
    }
}

#[tokio::test]
async fn a_target_that_has_to_exist_is_there_before_the_call_and_gone_after_the_last() {
    for mode in [VolumeMode::Filesystem, VolumeMode::Block] {
        let (bench, root) = bench(mode, true).await;
        bench.settle().await;
        let target = publish_path_below(&root, "uid-1", "pv-1");
        assert_eq!((target.is_dir(), target.exists()), (mode == VolumeMode::Filesystem, true));
        bench.pod_goes();
        bench.settle().await;
        assert_eq!((bench.record(), root.join("pv-1").exists()), (None, false));
    }
}
