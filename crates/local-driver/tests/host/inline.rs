use std::collections::BTreeMap;
use std::fs;

use csi_proto::csi::v1 as csi;

use crate::rig::{MIB, Rig, mount};

fn inline(rig: &Rig, attributes: &[(&str, &str)]) -> csi::NodePublishVolumeRequest {
    let pairs = attributes.iter().chain(&[("csi.storage.k8s.io/ephemeral", "true"), ("csi.storage.k8s.io/pod.name", "p")]);
    let volume_context: BTreeMap<String, String> = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let request = rig.publication("csi-0123/../abc", "unused", "pod", mount("", &[]));
    csi::NodePublishVolumeRequest { staging_target_path: String::new(), volume_context, ..request }
}

#[tokio::test]
async fn an_inline_volume_lives_exactly_as_long_as_its_publication() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for attributes in [&[("size", "64Mi")][..], &[("type", "directory")]] {
        let request = inline(&rig, attributes);
        rig.node.node_publish_volume(request.clone()).await.unwrap();
        rig.node.node_publish_volume(request).await.unwrap();
        assert_eq!(rig.mounts().len(), 1);
        fs::write(rig.path("pod/file"), "data").unwrap();
        // It belongs to its pod, not to whoever lists volumes.
        assert!(rig.controller.list_volumes(csi::ListVolumesRequest::default()).await.unwrap().into_inner().entries.is_empty());
        if attributes[0].0 == "size" {
            let stat = rustix::fs::statvfs(rig.path("pod")).unwrap();
            assert!(stat.f_blocks * stat.f_frsize <= 64 * MIB as u64);
        }
        for _ in 0..2 {
            rig.unpublish("csi-0123/../abc", "pod").await.unwrap();
            assert!(!rig.path("pod").exists());
            rig.assert_nothing_left();
        }
    }
}

#[tokio::test]
async fn an_inline_volume_with_a_wrong_attribute_is_refused_and_leaves_nothing() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    for attributes in [[("size", "much")], [("colour", "blue")]] {
        let request = inline(&rig, &attributes);
        let refused = rig.node.node_publish_volume(request).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        assert!(refused.message().contains(attributes[0].0), "{}", refused.message());
    }
    assert!(!rig.path("pod").exists());
    rig.assert_nothing_left();
}
