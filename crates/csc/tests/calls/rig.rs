//! A driver in memory, and the program in this process.

use std::ffi::OsString;

use csc::{Env, Streams};
use fake_driver::{Builder, ControllerCap, FakeDriver, GroupCap, NodeCap, PluginCap};

/// What a run left behind.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) struct World {
    pub(crate) driver: FakeDriver,
    pub(crate) secrets: Option<String>,
    pub(crate) debug: Option<String>,
    _dir: tempfile::TempDir,
}

/// One that can do everything.
pub(crate) fn able() -> Builder {
    FakeDriver::builder("fake.example")
        .plugin_caps([PluginCap::ControllerService, PluginCap::GroupControllerService])
        .controller_caps([
            ControllerCap::CreateDeleteVolume,
            ControllerCap::PublishUnpublishVolume,
            ControllerCap::ListVolumes,
            ControllerCap::ListVolumesPublishedNodes,
            ControllerCap::GetCapacity,
            ControllerCap::CreateDeleteSnapshot,
            ControllerCap::ListSnapshots,
            ControllerCap::GetSnapshot,
            ControllerCap::CloneVolume,
            ControllerCap::ExpandVolume,
            ControllerCap::GetVolume,
            ControllerCap::ModifyVolume,
            ControllerCap::GetVolumeHealth,
            ControllerCap::ListVolumeHealth,
        ])
        .group_caps([GroupCap::CreateDeleteGetVolumeGroupSnapshot])
        .node_caps([
            NodeCap::StageUnstageVolume,
            NodeCap::GetVolumeStats,
            NodeCap::ExpandVolume,
            NodeCap::GetVolumeHealth,
            NodeCap::GetStorageHealth,
        ])
        .node_id("node-1")
        .topology([("zone", "a")])
        .capacity(1 << 40)
}

impl World {
    pub(crate) async fn with(driver: Builder) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the socket");
        let driver = driver.start(dir.path().join("csi.sock")).await.expect("the driver starts");
        Self { driver, secrets: None, debug: None, _dir: dir }
    }

    pub(crate) async fn start() -> Self {
        Self::with(able()).await
    }

    /// Runs a command line, words separated by spaces.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        self.run_words(&line.split(' ').collect::<Vec<_>>()).await
    }

    pub(crate) async fn run_words(&self, words: &[&str]) -> Ran {
        let env = Env { endpoint: Some(self.driver.endpoint()), secrets: self.secrets.clone(), debug: self.debug.clone() };
        ran("csc", words, &env, false).await
    }

    /// The same, of which nothing but a success with this output is expected.
    pub(crate) async fn prints(&self, line: &str, expected: &str) {
        let ran = self.run(line).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{line}: {}", ran.err);
    }
}

pub(crate) async fn ran(program: &str, words: &[&str], env: &Env, people: bool) -> Ran {
    let argv = std::iter::once(program).chain(words.iter().copied()).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = csc::run(&rt::Ctx::real(), argv, env, Streams { out: &mut out, err: &mut err, people }).await;
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ran { code, out: text(out), err: text(err) }
}
