//! What a caller may rely on, and what it may not.

mod same_as_grpc;

use std::collections::VecDeque;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use csi_client::{CallError, Driver};
use csi_types::{
    AccessType, Bytes, Code, ControllerPublishVolumeRequest, CreateVolumeRequest, CsiAccessMode, DeleteVolumeRequest,
    NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, Secret,
    VolumeCapability,
};
use fake_driver::{Code as DriverCode, ControllerCap, Place, Request, Rpc, Settings, World};
use node_mounter::mounter::{FakeMounter, Mounter};
use rt::disk::MemoryDisk;
use rt::{Ctx, Disk};

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

/// Gives out faults in the order of calls, and writes down what happened.
#[derive(Default)]
struct Told {
    faults: Mutex<VecDeque<Option<CallFault>>>,
    asked: Mutex<Vec<String>>,
    events: Mutex<Vec<DriverEvent>>,
}

impl DriverHooks for Told {
    fn fault(&self, who: &str, rpc: Rpc, subject: &str) -> Option<CallFault> {
        self.asked.lock().expect("sound").push(format!("{who} {} {subject}", rpc.name()));
        self.faults.lock().expect("sound").pop_front().flatten()
    }

    fn event(&self, event: DriverEvent) {
        self.events.lock().expect("sound").push(event);
    }
}

impl Told {
    fn next(&self, fault: CallFault) {
        self.faults.lock().expect("sound").push_back(Some(fault));
    }

    /// Calls and stages, one word each.
    fn stages(&self) -> Vec<String> {
        let word = |event: &DriverEvent| match &event.stage {
            Stage::Sent => "sent".to_owned(),
            Stage::Applied(Ok(_)) => "done".to_owned(),
            Stage::Applied(Err(refusal)) => format!("refused {:?}", refusal.code),
            Stage::Expired => "expired".to_owned(),
            Stage::Answered(Ok(())) => "answered".to_owned(),
            Stage::Answered(Err(code)) => format!("answered {code:?}"),
        };
        self.events.lock().expect("sound").iter().map(|event| format!("{} {}", event.call.id, word(event))).collect()
    }

    fn requests(&self) -> Vec<Request> {
        let events = self.events.lock().expect("sound");
        events.iter().filter(|event| event.stage == Stage::Sent).map(|event| event.call.request.clone()).collect()
    }
}

/// One driver on one node, and one process that calls it.
struct Run {
    world: Ctx,
    process: Ctx,
    told: Arc<Told>,
    backend: Arc<Backend>,
    plugin: Plugin,
    host: Host,
    driver: SimDriver,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = Ctx::seeded(seed, Arc::new(MemoryDisk::new()));
        let host = Host { mounter: Arc::new(FakeMounter::default()), disk: Arc::new(MemoryDisk::new()) };
        let process = world.another("provisioner", host.disk.clone());
        let told = Arc::new(Told::default());
        let backend = Backend::new(&world, World::new(settings()), told.clone());
        let plugin = Plugin::new(&backend, "node-1", Place::default(), Some(host.clone()));
        let driver = plugin.connect("provisioner", &process, LIMIT);
        Self { world, process, told, backend, plugin, host, driver }
    }

    fn volumes(&self) -> usize {
        self.backend.world().volumes().count()
    }

    fn mounts(&self) -> Vec<String> {
        let table = self.host.mounter.table().expect("a table");
        table.0.into_iter().map(|mount| format!("{} {}", mount.target.display(), mount.options)).collect()
    }

    fn id(&self) -> csi_types::VolumeHandle {
        self.backend.world().volume_id("pvc-1").into()
    }

    async fn staged(&self, access_type: AccessType) {
        self.driver.create_volume(create()).await.expect("created");
        let capability = VolumeCapability { access_type, access_mode: CsiAccessMode::SingleNodeWriter };
        let attach = ControllerPublishVolumeRequest {
            handle: self.id(),
            node_id: "node-1".into(),
            capability: capability.clone(),
            readonly: false,
            context: Default::default(),
            secrets: Secret::none(),
        };
        self.driver.controller_publish_volume(attach).await.expect("attached");
        let stage = NodeStageVolumeRequest {
            handle: self.id(),
            publish_context: Default::default(),
            staging_target_path: "/kubelet/stage".into(),
            capability,
            secrets: Secret::none(),
            volume_context: Default::default(),
        };
        self.driver.node_stage_volume(stage).await.expect("staged");
    }

    fn publish(&self, access_type: AccessType, readonly: bool) -> Call<()> {
        self.driver.node_publish_volume(NodePublishVolumeRequest {
            handle: self.id(),
            publish_context: Default::default(),
            staging_target_path: "/kubelet/stage".into(),
            target_path: "/kubelet/pod/mount".into(),
            capability: VolumeCapability { access_type, access_mode: CsiAccessMode::SingleNodeWriter },
            readonly,
            secrets: Secret::none(),
            volume_context: Default::default(),
        })
    }

    fn unpublish(&self) -> Call<()> {
        let request = NodeUnpublishVolumeRequest { handle: self.id(), target_path: "/kubelet/pod/mount".into() };
        self.driver.node_unpublish_volume(request)
    }

    fn unstage(&self) -> Call<()> {
        let request = NodeUnstageVolumeRequest { handle: self.id(), staging_target_path: "/kubelet/stage".into() };
        self.driver.node_unstage_volume(request)
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new("sim.example");
    settings.controller.extend([
        ControllerCap::ListVolumes,
        ControllerCap::ListVolumesPublishedNodes,
        ControllerCap::GetCapacity,
    ]);
    settings
}

fn filesystem() -> AccessType {
    AccessType::Mount { fs_type: "ext4".into(), mount_flags: vec!["noatime".into()], volume_mount_group: String::new() }
}

fn create() -> CreateVolumeRequest {
    CreateVolumeRequest {
        name: "pvc-1".into(),
        required: Bytes(4096),
        capabilities: vec![VolumeCapability { access_type: filesystem(), access_mode: CsiAccessMode::SingleNodeWriter }],
        parameters: [("type".to_owned(), "fast".to_owned())].into(),
        mutable_parameters: Default::default(),
        secrets: Secret::from_iter([("password", "hunter2hunter2")]),
        accessibility: None,
        source: None,
    }
}

/// On a paused clock, in one thread.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime").block_on(work)
}

fn outcome<T>(result: Result<T, CallError>) -> Option<(Code, bool)> {
    result.err().map(|error| (error.code, error.unreachable))
}

#[test]
fn an_answer_after_the_deadline_is_nobodys_and_the_effect_stays() {
    run(async {
        let run = Run::new(1);
        run.told.next(CallFault::Late { effect_ms: 30_000, answer_ms: 30_000 });
        let error = run.driver.create_volume(create()).await.expect_err("too late");
        assert_eq!((error.code, error.unreachable), (Code::DeadlineExceeded, false));
        assert_eq!(error, CallError::expired(csi_types::Rpc::CreateVolume, rt::Elapsed(LIMIT)));
        assert_eq!(run.volumes(), 0, "not yet");
        run.world.sleep(Duration::from_secs(25)).await;
        assert_eq!(run.volumes(), 1);
        run.world.sleep(Duration::from_secs(60)).await;
        assert_eq!(run.told.stages(), ["1 sent", "1 expired", "1 done", "1 answered"]);
    });
}

#[test]
fn a_caller_that_is_gone_has_still_sent_its_request() {
    run(async {
        let run = Run::new(1);
        let create = run.driver.create_volume(create());
        // Nobody waits any more a moment after it was sent.
        run.world.timeout(Duration::ZERO, create).await.expect_err("dropped");
        run.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(run.volumes(), 1);

        let (driver, handle) = (run.driver.clone(), run.id());
        run.process.spawn("delete", async move {
            let _ = driver.delete_volume(DeleteVolumeRequest { handle, secrets: Secret::none() }).await;
        });
        while run.told.requests().len() < 2 {
            tokio::task::yield_now().await;
        }
        run.process.kill();
        assert_eq!(run.volumes(), 1, "killed before the effect");
        run.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(run.volumes(), 0);
    });
}

#[test]
fn a_call_that_is_never_made_sends_nothing() {
    run(async {
        let run = Run::new(1);
        drop(run.driver.create_volume(create()));
        run.world.sleep(Duration::from_secs(1)).await;
        assert_eq!((run.volumes(), run.told.requests().len()), (0, 0));
    });
}

#[test]
fn every_fault_is_what_the_caller_and_the_backend_are_told() {
    let cases = [
        (CallFault::Unreachable, Some((Code::Unavailable, true)), 0),
        (CallFault::Refused(DriverCode::ResourceExhausted), Some((Code::ResourceExhausted, false)), 0),
        (CallFault::AnswerLost, Some((Code::Unavailable, true)), 1),
        (CallFault::RefusedAfter(DriverCode::Aborted), Some((Code::Aborted, false)), 1),
        (CallFault::RefusedAfter(DriverCode::Cancelled), Some((Code::Canceled, false)), 1),
        (CallFault::Late { effect_ms: 100, answer_ms: 0 }, None, 1),
        (CallFault::Twice, None, 1),
    ];
    for (fault, answer, volumes) in cases {
        run(async {
            let run = Run::new(1);
            run.told.next(fault);
            assert_eq!(outcome(run.driver.create_volume(create()).await), answer, "{fault:?}");
            assert_eq!(run.volumes(), volumes, "{fault:?}");
            let applied = run.told.stages().iter().filter(|stage| stage.ends_with("done")).count();
            assert_eq!(applied, if fault == CallFault::Twice { 2 } else { volumes }, "{fault:?}");
            run.driver.create_volume(create()).await.expect("the next one works");
            assert_eq!(run.volumes(), 1);
        });
    }
}

#[test]
fn codes_that_leave_it_open_do_so_for_every_call_of_a_volume() {
    use csi_types::{Rpc, Verdict};
    for rpc in &Rpc::ALL[4..8] {
        for code in CallFault::MAY_HAVE_HAPPENED {
            assert_eq!(rpc.verdict(Code::ALL[code.number()]), Verdict::MaybeRunning, "{rpc:?} {code:?}");
        }
    }
    for rpc in &Rpc::ALL[12..] {
        for code in CallFault::MAY_HAVE_HAPPENED {
            assert_eq!(rpc.verdict(Code::ALL[code.number()]), Verdict::MaybeRunning, "{rpc:?} {code:?}");
        }
    }
}

#[test]
fn a_volume_with_a_call_under_way_is_busy_and_others_are_not() {
    run(async {
        let run = Run::new(1);
        run.told.next(CallFault::Late { effect_ms: 20_000, answer_ms: 5_000 });
        assert_eq!(outcome(run.driver.create_volume(create()).await), Some((Code::DeadlineExceeded, false)));
        let delete = DeleteVolumeRequest { handle: run.id(), secrets: Secret::none() };
        let answer = run.driver.delete_volume(delete.clone()).await;
        assert_eq!(outcome(answer), Some((Code::Aborted, false)), "a later call does not overtake it");
        run.driver.create_volume(CreateVolumeRequest { name: "pvc-2".into(), ..create() }).await.expect("another volume");
        run.world.sleep(Duration::from_secs(20)).await;
        run.driver.delete_volume(delete).await.expect("free again");
        assert_eq!(run.volumes(), 1);
        let asked = run.told.asked.lock().expect("sound").clone();
        assert_eq!(
            asked,
            ["provisioner CreateVolume pvc-1", "provisioner CreateVolume pvc-2", "provisioner DeleteVolume pvc-1"],
            "a busy volume's call has no fault, and a volume has one name whatever the call"
        );
    });
}

#[test]
fn a_plugin_that_dies_takes_with_it_what_it_had_not_done() {
    run(async {
        let run = Run::new(1);
        run.told.next(CallFault::Late { effect_ms: 5_000, answer_ms: 0 });
        let (plugin, world) = (run.plugin.clone(), run.world.clone());
        run.world.spawn("stop", async move {
            world.sleep(Duration::from_secs(1)).await;
            plugin.stop();
        });
        let began = run.world.now();
        assert_eq!(outcome(run.driver.create_volume(create()).await), Some((Code::Unavailable, true)));
        assert!(run.world.now() - began < Duration::from_secs(2), "the connection broke");
        assert_eq!(outcome(run.driver.probe().await), Some((Code::Unavailable, true)), "nobody is there");
        run.world.sleep(Duration::from_secs(10)).await;
        assert_eq!(run.volumes(), 0);
        run.plugin.start();
        run.driver.create_volume(create()).await.expect("a new life, and the volume is not busy");
    });
}

#[test]
fn what_is_staged_and_published_is_mounted_until_it_is_not() {
    run(async {
        let run = Run::new(1);
        run.staged(filesystem()).await;
        assert_eq!(run.mounts(), ["/kubelet/stage rw"]);
        for _ in 0..2 {
            run.publish(filesystem(), true).await.expect("published");
            assert_eq!(run.mounts(), ["/kubelet/stage rw", "/kubelet/pod/mount ro"]);
        }
        assert!(run.host.disk.list(Path::new("/kubelet/pod/mount")).await.is_ok(), "the target is the driver's to make");
        let table = run.host.mounter.table().expect("a table");
        let others: Vec<&Path> = table.references(Path::new("/kubelet/stage")).collect();
        assert_eq!(others, [Path::new("/kubelet/pod/mount")], "one filesystem");
        assert_eq!(outcome(run.unstage().await), Some((Code::FailedPrecondition, false)));
        assert_eq!(run.mounts().len(), 2, "a refused call unmounts nothing");
        for _ in 0..2 {
            run.unpublish().await.expect("unpublished");
            assert_eq!(run.mounts(), ["/kubelet/stage rw"]);
        }
        assert!(run.host.disk.list(Path::new("/kubelet/pod/mount")).await.is_err(), "and to remove");
        run.unstage().await.expect("unstaged");
        assert_eq!(run.mounts(), [""; 0]);
    });
}

#[test]
fn a_published_device_is_a_file_with_a_device_on_it() {
    run(async {
        let run = Run::new(1);
        run.staged(AccessType::Block).await;
        assert_eq!(run.mounts(), [""; 0], "a staged device is not mounted");
        run.publish(AccessType::Block, false).await.expect("published");
        assert_eq!(run.mounts(), ["/kubelet/pod/mount rw"]);
        assert!(run.host.disk.read(Path::new("/kubelet/pod/mount")).await.is_ok());
        run.unpublish().await.expect("unpublished");
        assert_eq!(run.mounts(), [""; 0]);
        assert_eq!(run.host.disk.files(), []);
    });
}

#[test]
fn a_publish_that_is_refused_leaves_no_folder() {
    run(async {
        let run = Run::new(1);
        assert_eq!(outcome(run.publish(filesystem(), false).await), Some((Code::NotFound, false)));
        assert!(run.host.disk.list(Path::new("/kubelet/pod/mount")).await.is_err());
    });
}

#[test]
fn a_node_that_was_switched_off_has_folders_and_no_mounts() {
    run(async {
        let run = Run::new(1);
        run.staged(filesystem()).await;
        run.publish(filesystem(), false).await.expect("published");
        run.plugin.power_off();
        assert_eq!(outcome(run.unpublish().await), Some((Code::Unavailable, true)));
        let fresh = Arc::new(FakeMounter::default());
        run.plugin.power_on(fresh.clone());
        assert!(run.host.disk.list(Path::new("/kubelet/pod/mount")).await.is_ok());
        run.unpublish().await.expect("nothing to do");
        run.unstage().await.expect("nothing to do");
        run.staged(filesystem()).await;
        assert_eq!(fresh.table().expect("a table").0.len(), 1, "the new table is used");
    });
}

#[test]
fn the_same_seed_gives_the_same_latencies_and_another_gives_others() {
    let times = |seed| {
        run(async {
            let run = Run::new(seed);
            let mut times = Vec::new();
            for _ in 0..8 {
                run.driver.create_volume(create()).await.expect("created");
                times.push(run.world.now());
            }
            times
        })
    };
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
}
