//! A disk that is full: writes say so and what to do, everything else goes on, and space is all that is needed for the end of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams, WatchEvent, WatchParams};

use super::process::{Up, client, folder, kubectl};

/// A filesystem of its own, small enough to be filled.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Self {
        let place = folder();
        rustix::mount::mount("tmpfs", place.path(), "tmpfs", rustix::mount::MountFlags::empty(), c"size=24m").expect("a tmpfs");
        Self(place)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Nothing fits any more.
    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.filler()).expect("a file");
        let mut size = 1 << 20;
        while size > 0 {
            match file.write_all(&vec![0; size]) {
                Ok(()) => {}
                Err(_) => size /= 2,
            }
        }
    }

    fn make_space(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        super::process::unmount_below(self.0.path());
    }
}

fn map(name: &str, bytes: usize) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("bulk".to_owned(), "x".repeat(bytes))])),
        ..ConfigMap::default()
    }
}

async fn maps(kubeconfig: &Path) -> Api<ConfigMap> {
    Api::default_namespaced(client(kubeconfig).await)
}

async fn names(maps: &Api<ConfigMap>) -> Vec<String> {
    let list = maps.list(&ListParams::default()).await.expect("lists go on");
    list.items.into_iter().filter_map(|map| map.metadata.name).collect()
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_full_disk_refuses_writes_with_507_and_heals_by_itself_and_nothing_acknowledged_is_lost() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let small = Small::new();
    let up = Up::start(&small.data(), &[]);
    let mut stored = Vec::new();
    runtime.block_on(async {
        let maps = maps(&up.kubeconfig()).await;
        let first = maps.create(&PostParams::default(), &map("first", 10)).await.expect("there is space");
        stored.push("first".to_owned());
        let watch =
            maps.watch(&WatchParams::default(), &first.metadata.resource_version.expect("a version")).await.expect("opens");
        let mut watch = std::pin::pin!(watch);
        small.fill();
        // The file has room of its own that goes first.
        let refused = loop {
            let name = format!("big-{}", stored.len());
            match maps.create(&PostParams::default(), &map(&name, 500_000)).await {
                Ok(_) => stored.push(name),
                Err(kube::Error::Api(status)) => break status,
                Err(error) => panic!("{error}"),
            }
            assert!(stored.len() < 200, "the disk does not get full");
        };
        assert_eq!((refused.code, &*refused.reason), (507, "InsufficientStorage"), "{refused:?}");
        let file = small.data().join("objects.redb").display().to_string();
        assert!(
            refused.message.contains(&file) && refused.message.contains("free"),
            "names the file and the way out: {}",
            refused.message
        );

        assert_eq!(maps.get("first").await.expect("reads go on").metadata.name.as_deref(), Some("first"));
        assert_eq!(names(&maps).await, sorted(&stored));
        let object = serde_json::to_string(&map("refused", 500_000)).expect("JSON");
        let said = kubectl(&up.kubeconfig()).fails("create -f -", &object);
        assert!(said.contains("InsufficientStorage") && said.contains(&refused.message), "{said}");

        small.make_space();
        let created = maps.create(&PostParams::default(), &map("later", 500_000)).await.expect("there is space again");
        stored.push("later".to_owned());
        let mut told = Vec::new();
        while told.last() != created.metadata.name.as_ref() {
            match watch.try_next().await.expect("the watch goes on").expect("it has not ended") {
                WatchEvent::Added(map) => told.push(map.metadata.name.expect("a name")),
                event => panic!("{event:?}"),
            }
        }
        assert_eq!(told, stored[1..], "what was refused was never seen");
    });
    up.kill();
    let again = Up::start(&small.data(), &[]);
    runtime.block_on(async { assert_eq!(names(&maps(&again.kubeconfig()).await).await, sorted(&stored)) });
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

#[test]
#[ignore = "mounts, which needs root"]
fn killed_and_started_again_on_a_full_disk_it_reads_all_that_was_acknowledged() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let small = Small::new();
    let up = Up::start(&small.data(), &[]);
    let mut stored = Vec::new();
    runtime.block_on(async {
        let maps = maps(&up.kubeconfig()).await;
        for number in 0..10 {
            stored.push(format!("early-{number}"));
            maps.create(&PostParams::default(), &map(&stored[number], 5_000)).await.expect("there is space");
        }
        small.fill();
        // The file may have a little room of its own.
        loop {
            let name = format!("map-{}", stored.len());
            match maps.create(&PostParams::default(), &map(&name, 5_000)).await {
                Ok(_) => stored.push(name),
                Err(_) => break,
            }
            assert!(stored.len() < 1000, "the disk does not get full");
        }
    });
    let kubeconfig = fs::read_to_string(up.kubeconfig()).expect("there");
    let address = kubeconfig.split("https://").nth(1).and_then(|rest| rest.lines().next()).expect("an address");
    up.kill();
    let again = Up::start(&small.data(), &[&format!("--listen={address}")]);
    runtime.block_on(async {
        let maps = maps(&again.kubeconfig()).await;
        assert_eq!(names(&maps).await, sorted(&stored), "while full");
        small.make_space();
        maps.create(&PostParams::default(), &map("later", 500_000)).await.expect("there is space again");
    });
}
