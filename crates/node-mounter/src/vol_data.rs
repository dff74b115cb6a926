//! `vol_data.json`: what kubelet leaves beside a volume. We write it so that a kubelet can take this node over, and read it
//! when our own journal has lost a record, or when we take the node over from a kubelet.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use csi_types::{DriverName, NodeName, VolumeHandle, VolumeMode};
use rt::Ctx;

use crate::paths::attachment_name;
use crate::spec::Spec;

const FILE: &str = "vol_data.json";
/// Ours alone: no kubelet publishes elsewhere.
const TARGET_ROOT: &str = "longshoreTargetPathRoot";

/// What is read back: the rest is for kubelet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VolData {
    /// `driverName`.
    pub driver: DriverName,
    /// `volumeHandle`.
    pub handle: VolumeHandle,
    /// `volumeLifecycleMode` is `Ephemeral`.
    pub inline: bool,
    /// Below which it is published, if not in the pod's folder.
    pub target_root: Option<PathBuf>,
}

/// The file in this folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Beside a staged filesystem volume.
pub(crate) fn of_stage(spec: &Spec) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("driverName", spec.driver.to_string()), ("volumeHandle", spec.handle.to_string())])
}

/// Beside a published volume. A block volume has no lifecycle. `target_root`: of a target outside of the pod's folder.
pub(crate) fn of_publish(spec: &Spec, node: &NodeName, target_root: Option<&Path>) -> BTreeMap<&'static str, String> {
    let mut data = of_stage(spec);
    data.extend(target_root.map(|root| (TARGET_ROOT, root.to_string_lossy().into_owned())));
    data.insert("specVolID", spec.name.clone());
    data.insert("nodeName", node.to_string());
    data.insert("attachmentID", attachment_name(&spec.handle, &spec.driver, node));
    if spec.mode == VolumeMode::Filesystem {
        data.insert("volumeLifecycleMode", if spec.inline { "Ephemeral" } else { "Persistent" }.to_owned());
    }
    data
}

/// Writes the file; its folder must be there.
pub(crate) async fn write(ctx: &Ctx, folder: &Path, data: &BTreeMap<&'static str, String>) -> io::Result<()> {
    let mut text = serde_json::to_vec(data)?;
    text.push(b'\n');
    ctx.disk().replace(&file(folder), text).await
}

/// Reads the file. `Ok(None)`: there is none.
pub(crate) async fn read(ctx: &Ctx, folder: &Path) -> io::Result<Option<VolData>> {
    let bytes = match ctx.disk().read(&file(folder)).await {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    parse(&bytes).map(Some)
}

fn parse(bytes: &[u8]) -> io::Result<VolData> {
    let mut data: BTreeMap<String, String> = serde_json::from_slice(bytes)?;
    let mut take = |key: &str| match data.remove(key) {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has no {key}"))),
    };
    Ok(VolData {
        driver: take("driverName")?.into(),
        handle: take("volumeHandle")?.into(),
        inline: data.get("volumeLifecycleMode").is_some_and(|mode| mode == "Ephemeral"),
        target_root: data.get(TARGET_ROOT).map(PathBuf::from).filter(|root| root.is_absolute()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::used;
    use crate::testing::{pod, volume};
    use serde_json::json;

    fn spec() -> Spec {
        let pod = pod(json!({"spec": {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1"}}],
            "containers": [{"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        }}));
        crate::spec::of_volume(&volume(json!({})), "ns/claim-1", "claim-uid", &used(&pod)[0]).expect("resolved")
    }

    #[test]
    fn the_files_hold_what_kubelet_looks_for() {
        assert_eq!(
            serde_json::to_value(of_stage(&spec())).expect("json"),
            json!({"driverName": "d.example.com", "volumeHandle": "vol-1"})
        );
        assert_eq!(
            serde_json::to_value(of_publish(&spec(), &"node-1".into(), None)).expect("json"),
            json!({
                "driverName": "d.example.com", "volumeHandle": "vol-1", "specVolID": "pv-1", "nodeName": "node-1",
                "attachmentID": attachment_name(&"vol-1".into(), &"d.example.com".into(), &"node-1".into()),
                "volumeLifecycleMode": "Persistent",
            })
        );
        let block = Spec { mode: VolumeMode::Block, ..spec() };
        assert!(!of_publish(&block, &"node-1".into(), None).contains_key("volumeLifecycleMode"));
    }

    #[test]
    fn a_torn_file_is_an_error_and_not_a_volume() {
        for bad in [&b""[..], b"{", b"[]", b"{\"driverName\":\"d\"}", b"{\"driverName\":\"d\",\"volumeHandle\":\"\"}", b"\xff"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        let read =
            parse(br#"{"driverName":"d","volumeHandle":"v","volumeLifecycleMode":"Ephemeral","other":"x"}"#).expect("read");
        assert_eq!(read, VolData { driver: "d".into(), handle: "v".into(), inline: true, target_root: None });
    }
}
