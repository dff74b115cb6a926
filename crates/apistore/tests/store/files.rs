//! On a real file.

use std::path::Path;

use apistore::{OpenError, Store};
use rt::Ctx;
use serde_json::json;

use crate::support::*;

fn real<F: Future<Output = ()>>(test: impl FnOnce(Ctx) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async { test(Ctx::real()).await });
}

async fn open(ctx: &Ctx, path: &Path) -> Api {
    Api { store: Store::open(ctx, path).await.expect("a store"), ctx: ctx.clone() }
}

async fn with_namespace(api: &Api) {
    api.create("namespaces", "", json!({"metadata": {"name": "n"}})).await.expect("a namespace");
}

#[test]
fn everything_is_there_after_closing_and_versions_go_on() {
    real(async |ctx| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let api = open(&ctx, &path).await;
        with_namespace(&api).await;
        let kept = api.config_map("a", "1").await;
        api.config_map("b", "1").await;
        api.delete("configmaps", "n", "b").await.expect("deleted");
        let version_then = api.store.version();
        api.store.close().await;
        let api = open(&ctx, &path).await;
        assert_eq!(api.store.version(), version_then);
        let listing = api.list(all()).await.expect("a list");
        assert_eq!(listing.items.iter().map(|object| object.value()).collect::<Vec<_>>(), [kept]);
        assert_eq!(version(&api.config_map("c", "1").await), version_then + 1);
        let mut watch = api.watch(Some(version_then - 1));
        let event = watch.next().await.expect("an event");
        assert_eq!(told(&event).0, apistore::EventType::Expired, "how it came to be is forgotten");
    });
}

#[test]
fn what_was_answered_is_there_if_the_process_ends_at_any_moment() {
    real(async |ctx| {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, copy) = (folder.path().join("store"), folder.path().join("copy"));
        let api = open(&ctx, &path).await;
        with_namespace(&api).await;
        for at in 0..20 {
            let made = api.config_map(&format!("a{at}"), "1").await;
            // What a kill leaves behind: the file as it is, never closed.
            std::fs::copy(&path, &copy).expect("copied");
            let after = open(&ctx, &copy).await;
            assert_eq!(after.store.version(), version(&made));
            assert_eq!(after.list(all()).await.expect("a list").items.len(), at + 1);
            after.store.close().await;
        }
    });
}

#[test]
fn watchers_agree_with_the_list_whatever_the_threads_do() {
    real(async |ctx| {
        let folder = tempfile::tempdir().expect("a folder");
        let api = open(&ctx, &folder.path().join("store")).await;
        with_namespace(&api).await;
        let start = api.store.version();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let api = api.clone();
                tokio::spawn(async move {
                    for at in 0..40 {
                        let name = format!("a{}", (writer + at) % 5);
                        let _ = api.create("configmaps", "n", json!({"metadata": {"name": name}})).await;
                        let _ = api.merge("configmaps", "n", &name, json!({"data": {"k": format!("{writer}-{at}")}})).await;
                        if at % 3 == 0 {
                            let _ = api.delete("configmaps", "n", &name).await;
                        }
                    }
                })
            })
            .collect();
        let watchers: Vec<_> = (0..4)
            .map(|_| {
                let mut watch = api.watch(Some(start));
                tokio::spawn(async move {
                    let (mut objects, mut last) = (std::collections::BTreeMap::new(), start);
                    loop {
                        let event = watch.next().await.expect("an event");
                        assert!(event.version > last, "in order, each once");
                        last = event.version;
                        let object = event.object.expect("an object");
                        match event.kind {
                            apistore::EventType::Deleted => drop(objects.remove(object.name())),
                            _ => drop(objects.insert(object.name().to_owned(), object.clone())),
                        }
                        if object.name() == "last" {
                            return objects.into_values().map(|object| object.value()).collect::<Vec<_>>();
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("wrote");
        }
        api.config_map("last", "1").await;
        let listing: Vec<_> = api.list(all()).await.expect("a list").items.iter().map(|object| object.value()).collect();
        for watcher in watchers {
            assert_eq!(watcher.await.expect("watched"), listing);
        }
    });
}

#[test]
fn a_second_opener_is_told_who_has_the_file() {
    real(async |ctx| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let api = open(&ctx, &path).await;
        let Err(error @ OpenError::InUse { .. }) = Store::open(&ctx, &path).await else { panic!("opened twice") };
        assert!(error.to_string().contains("stop it, or choose another data directory"), "{error}");
        api.store.close().await;
        open(&ctx, &path).await;
    });
}

#[test]
#[ignore = "mounts a small filesystem"]
fn a_full_disk_refuses_writes_whole_and_takes_them_again_when_there_is_space() {
    real(async |ctx| {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Mounted::small(folder.path());
        let path = folder.path().join("store");
        let api = open(&ctx, &path).await;
        with_namespace(&api).await;
        api.config_map("kept", "1").await;
        // Somebody else takes what is left.
        std::fs::write(folder.path().join("ballast"), vec![1; 64 << 20]).expect_err("more than there is");
        let mut stored = 0;
        let refused = loop {
            let body = json!({"metadata": {"name": format!("a{stored}")}, "data": {"k": "x".repeat(100_000)}});
            match api.create("configmaps", "n", body).await {
                Ok(_) => stored += 1,
                Err(status) => break status,
            }
            assert!(stored < 1000, "the disk is never full");
        };
        assert_eq!((refused.code, refused.reason), (507, Some("InsufficientStorage")));
        assert!(refused.message.contains(&path.display().to_string()), "{}", refused.message);
        let version_then = api.store.version();
        for at in 0..5 {
            let body = json!({"metadata": {"name": format!("b{at}")}, "data": {"k": "x".repeat(100_000)}});
            assert_eq!(api.create("configmaps", "n", body).await.expect_err("still full").code, 507);
        }
        assert_eq!(api.list(all()).await.expect("reads go on").items.len(), stored + 1);
        std::fs::remove_file(folder.path().join("ballast")).expect("removed");
        assert_eq!(version(&api.config_map("again", "1").await), version_then + 1);
        api.store.close().await;
        let api = open(&ctx, &path).await;
        assert_eq!(api.list(all()).await.expect("a list").items.len(), stored + 2);
        assert!(api.get("configmaps", "n", "b0").is_none(), "what was refused is not there");
        api.store.close().await;
        drop(disk);
    });
}

/// A filesystem of 8 MiB, for as long as this lives.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn small(at: &Path) -> Self {
        rustix::mount::mount("tmpfs", at, "tmpfs", rustix::mount::MountFlags::empty(), Some(c"size=8m")).expect("root may mount");
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

/// Numbers for whoever wants them: `cargo test -p apistore --test store -- --ignored --nocapture how_long`.
#[test]
#[ignore = "measures"]
fn how_long_a_write_takes() {
    real(async |ctx| {
        let folder = tempfile::tempdir_in(".").expect("a folder");
        let api = open(&ctx, &folder.path().join("store")).await;
        with_namespace(&api).await;
        let start = ctx.now();
        let alone = 500;
        for at in 0..alone {
            api.config_map(&format!("a{at}"), "1").await;
        }
        let single = ctx.now().since(start) / alone;
        let start = ctx.now();
        let writers = (0..64).map(|writer| {
            let api = api.clone();
            async move {
                for at in 0..100 {
                    api.config_map(&format!("b{writer}-{at}"), "1").await;
                }
            }
        });
        futures::future::join_all(writers).await;
        let rate = 6400.0 / ctx.now().since(start).as_secs_f64();
        eprintln!("one writer: {single:?} each; 64 writers: {rate:.0} a second");
        api.store.close().await;
    });
}
