//! The seeded context keeps its promises: same seed, same run; a kill takes every task at one instant.
#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rt::disk::MemoryDisk;
use rt::{Ctx, Disk};

fn run<T>(scenario: impl AsyncFnOnce(Ctx) -> T, seed: u64) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async { scenario(Ctx::seeded(seed, Arc::new(MemoryDisk::new()))).await })
}

async fn workers(ctx: Ctx) -> Vec<String> {
    let trace = Arc::new(Mutex::new(Vec::new()));
    for worker in 0..5 {
        let (ctx2, trace) = (ctx.clone(), trace.clone());
        ctx.spawn("worker", async move {
            for step in 0..20 {
                ctx2.sleep(Duration::from_millis(ctx2.draw(&format!("w{worker}")) % 50)).await;
                trace.lock().expect("trace").push(format!("{worker}.{step} at {:?}", ctx2.now()));
            }
        });
    }
    ctx.sleep(Duration::from_secs(60)).await;
    let trace = trace.lock().expect("trace");
    trace.clone()
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(workers, 7), run(workers, 7));
    assert_ne!(run(workers, 7), run(workers, 8));
}

#[test]
fn a_draw_does_not_depend_on_other_keys() {
    let alone = run(async |ctx| ctx.draw("a"), 1);
    let beside = run(
        async |ctx| {
            ctx.draw("b");
            ctx.draw("a")
        },
        1,
    );
    assert_eq!(alone, beside);
}

#[test]
fn a_kill_at_any_poll_ends_every_task_at_that_instant() {
    let total = run(
        async |ctx| {
            workers(ctx.clone()).await;
            ctx.polls()
        },
        3,
    );
    for nth in 1..=total {
        let (steps, dead) = run(
            async |ctx| {
                ctx.kill_at_poll(nth);
                (workers(ctx.clone()).await.len(), ctx.is_dead())
            },
            3,
        );
        assert!(dead && steps < 100, "kill at poll {nth} left {steps} steps");
    }
}

#[test]
fn a_panicking_task_ends_its_process_and_is_remembered() {
    let text = run(
        async |ctx| {
            ctx.spawn("bad", async { panic!("boom") });
            ctx.sleep(Duration::from_secs(1)).await;
            ctx.panicked()
        },
        1,
    );
    assert_eq!(text.as_deref(), Some("task bad: boom"));
}

#[test]
fn disks_agree_on_what_a_small_file_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
    let root = std::env::temp_dir().join(format!("rt-disk-{}", std::process::id()));
    let memory = MemoryDisk::new();
    let host = rt::disk::HostDisk;
    for disk in [&memory as &dyn Disk, &host] {
        runtime.block_on(agree(disk, &root));
    }
}

async fn agree(disk: &dyn Disk, root: &Path) {
    let kind = |result: std::io::Result<()>| result.map_err(|error| error.kind());
    let (dir, file) = (root.join("a/b"), root.join("a/b/f"));
    assert_eq!(kind(disk.replace(&file, vec![1]).await), Err(std::io::ErrorKind::NotFound));
    disk.make_dir(&dir).await.expect("make_dir");
    disk.make_dir(&dir).await.expect("again");
    disk.replace(&file, vec![1]).await.expect("replace");
    disk.replace(&file, vec![2]).await.expect("replace");
    assert_eq!(disk.read(&file).await.expect("read"), vec![2]);
    disk.rename(&file, &dir.join("g")).await.expect("rename");
    assert_eq!(disk.list(&dir).await.expect("list"), vec![Path::new("g")]);
    assert_eq!(kind(disk.remove_dir(&dir).await), Err(std::io::ErrorKind::DirectoryNotEmpty));
    disk.remove(&dir.join("g")).await.expect("remove");
    disk.remove(&dir.join("g")).await.expect("a file that is gone is no error");
    for dir in [dir.as_path(), &root.join("a"), root] {
        disk.remove_dir(dir).await.expect("remove_dir");
        disk.remove_dir(dir).await.expect("a folder that is gone is no error");
    }
}

#[test]
fn a_file_that_is_removed_takes_what_a_killed_replace_left_so_that_its_folder_can_go() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
    let folder = std::env::temp_dir().join(format!("rt-disk-killed-{}", std::process::id()));
    let host = rt::disk::HostDisk;
    runtime.block_on(async {
        host.make_dir(&folder).await.expect("make_dir");
        std::fs::write(folder.join(".file.new"), "half").expect("what a kill leaves");
        host.remove(&folder.join("file")).await.expect("remove");
        host.remove_dir(&folder).await.expect("the folder is empty");
    });
}

#[test]
fn a_frozen_process_stands_still_while_others_and_the_clock_go_on() {
    run(
        async |ctx| {
            let (other, disk) = (ctx.clone(), Arc::new(MemoryDisk::new()));
            let frozen = ctx.another("frozen", disk);
            let steps = Arc::new(Mutex::new(0));
            for process in [&frozen, &other] {
                let (process, steps) = (process.clone(), steps.clone());
                process.clone().spawn("steps", async move {
                    for _ in 0..10 {
                        process.sleep(Duration::from_secs(1)).await;
                        *steps.lock().expect("steps") += 1;
                    }
                });
            }
            frozen.freeze();
            ctx.sleep(Duration::from_secs(20)).await;
            assert_eq!(*steps.lock().expect("steps"), 10);
            frozen.thaw();
            ctx.sleep(Duration::from_secs(20)).await;
            assert_eq!(*steps.lock().expect("steps"), 20);
            assert_eq!(frozen.now(), ctx.now());
        },
        5,
    );
}

#[test]
fn tasks_of_another_process_take_turns_in_an_order_of_the_seed() {
    let order = |seed| {
        run(
            async |ctx| {
                let process = ctx.another("shuffled", Arc::new(MemoryDisk::new()));
                let order = Arc::new(Mutex::new(Vec::new()));
                for task in 0..20 {
                    let order = order.clone();
                    process.spawn("task", async move { order.lock().expect("order").push(task) });
                }
                ctx.sleep(Duration::from_secs(1)).await;
                let order = order.lock().expect("order");
                order.clone()
            },
            seed,
        )
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn a_full_disk_takes_nothing_and_loses_nothing() {
    let disk = Arc::new(MemoryDisk::new());
    disk.put("/a/file", "old");
    run(
        async |_| {
            disk.set_full(true);
            let error = disk.replace(Path::new("/a/file"), b"new".to_vec()).await.expect_err("full");
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
            assert_eq!(disk.read(Path::new("/a/file")).await.expect("read"), b"old");
            disk.remove(Path::new("/a/file")).await.expect("removed");
        },
        1,
    );
}
