//! One behaviour's surroundings: names of its own, a namespace of its own, and what is to be removed afterwards.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures::{FutureExt as _, StreamExt as _};
use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::exceptions::EXCEPTIONS;
use crate::target::{Site, Target};
use crate::{Behaviour, Call, Reply, Watch};

/// How long a behaviour may take. Most take milliseconds; some wait for a controller.
const LIMIT: Duration = Duration::from_secs(90);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"));

/// In every name, so that a second run is not in the way of what the first one's server still removes.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    format!("{:x}", now.as_millis() & 0xff_ffff_ffff)
});

/// How many behaviours run now.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Namespaces that are needed no more. To end one is so much work for its controller that the behaviours which wait for that
/// would wait behind all others; so they are kept until no behaviour runs.
static SPENT: Mutex<Vec<(&Site, String)>> = Mutex::new(Vec::new());

async fn end_namespaces() {
    let spent = std::mem::take(&mut *SPENT.lock().expect("no panic holds it"));
    let ends = spent.into_iter().map(|(site, path)| async move {
        let request = http::Request::delete(path).body(kube::client::Body::empty()).expect("a request");
        let _ = site.client.send(request).await;
    });
    futures::stream::iter(ends).buffer_unordered(16).collect::<()>().await;
}

/// What a behaviour acts in.
pub(crate) struct World {
    /// As in the table.
    pub(crate) id: String,
    pub(crate) site: &'static Site,
    target: Target,
    namespace: OnceCell<String>,
    left: Mutex<Left>,
}

/// What has to be removed.
#[derive(Default)]
struct Left {
    objects: Vec<String>,
    finalizers: bool,
    asked_for_exception: bool,
}

/// Runs a behaviour against a target, and removes what it left, even if it failed.
pub(crate) fn run(target: Target, function: &'static str, behaviour: impl AsyncFnOnce(&World)) {
    RUNNING.fetch_add(1, Ordering::SeqCst);
    RUNTIME.block_on(async {
        let site = target.site().await;
        let world = World { id: Behaviour { function }.id(), site, target, namespace: OnceCell::new(), left: Mutex::default() };
        let limited = async { tokio::time::timeout(LIMIT, behaviour(&world)).await.expect("it did not end in time") };
        let outcome = AssertUnwindSafe(limited).catch_unwind().await;
        world.clean_up().await;
        if RUNNING.fetch_sub(1, Ordering::SeqCst) == 1 {
            end_namespaces().await;
        }
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
        let excepted = target != Target::Real && EXCEPTIONS.contains(&world.id.as_str());
        let asked = world.left.lock().expect("no panic holds it").asked_for_exception;
        assert!(!excepted || asked, "{} is an exception, but expects of apistore what the real server does", world.id);
    });
}

impl World {
    /// Whether this target differs here on purpose (EXCEPTIONS.md); then the behaviour asserts what it does instead.
    pub(crate) fn is_exception(&self) -> bool {
        self.left.lock().expect("no panic holds it").asked_for_exception = true;
        self.target != Target::Real && EXCEPTIONS.contains(&self.id.as_str())
    }

    /// A name that nobody else uses.
    pub(crate) fn name(&self, suffix: &str) -> String {
        let id = self.id.to_lowercase();
        if suffix.is_empty() { format!("conf-{id}-{}", *RUN) } else { format!("conf-{id}-{}-{suffix}", *RUN) }
    }

    /// The namespace of this behaviour, made when it is first asked for.
    pub(crate) async fn namespace(&self) -> &str {
        let make = async || {
            let name = self.name("");
            self.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).await.made();
            name
        };
        self.namespace.get_or_init(make).await
    }

    /// The path of a core collection in this behaviour's namespace.
    pub(crate) async fn core(&self, plural: &str) -> String {
        format!("/api/v1/namespaces/{}/{plural}", self.namespace().await)
    }

    /// The path of a collection of a group, `G/V`, in this behaviour's namespace.
    pub(crate) async fn group(&self, group: &str, plural: &str) -> String {
        format!("/apis/{group}/namespaces/{}/{plural}", self.namespace().await)
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Call::new(self, self.site.client.clone(), method, path)
    }

    /// A request without credentials.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> Call<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Call::new(self, self.site.anonymous.clone(), method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call<'_> {
        self.call("POST", path).content_type("application/json").body(body.to_string())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Call<'_> {
        self.call("PUT", path).content_type("application/json").body(body.to_string())
    }

    pub(crate) fn merge(&self, path: &str, patch: &Value) -> Call<'_> {
        self.call("PATCH", path).content_type("application/merge-patch+json").body(patch.to_string())
    }

    pub(crate) fn json_patch(&self, path: &str, patch: &Value) -> Call<'_> {
        self.call("PATCH", path).content_type("application/json-patch+json").body(patch.to_string())
    }

    pub(crate) fn strategic(&self, path: &str, patch: &Value) -> Call<'_> {
        self.call("PATCH", path).content_type("application/strategic-merge-patch+json").body(patch.to_string())
    }

    /// Server-side apply. The query is the path's own.
    pub(crate) fn apply(&self, path: &str, body: &Value) -> Call<'_> {
        self.call("PATCH", path).content_type("application/apply-patch+yaml").body(body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    pub(crate) fn delete_with(&self, path: &str, options: &Value) -> Call<'_> {
        self.delete(path).content_type("application/json").body(options.to_string())
    }

    pub(crate) async fn watch(&self, path: &str) -> Watch {
        Watch::open(self.get(path)).await
    }

    /// A ConfigMap in this behaviour's namespace, and its path.
    pub(crate) async fn config_map(&self, name: &str) -> (String, Value) {
        let collection = self.core("configmaps").await;
        let made = self.post(&collection, &crate::config_map(name)).await.made();
        (format!("{collection}/{name}"), made)
    }

    /// Takes note of what was made, so that it is removed when the behaviour is over.
    pub(crate) fn remember(&self, target: &str, sent: &[u8], reply: &Reply) {
        let mut left = self.left.lock().expect("no panic holds it");
        left.finalizers |= String::from_utf8_lossy(sent).contains("finalizers");
        if reply.code != 201 || target.contains("dryRun") {
            return;
        }
        let path = target.split('?').next().unwrap_or_default().trim_end_matches('/');
        let Ok(made) = serde_json::from_slice::<Value>(&reply.body) else { return };
        let object = if made["kind"] == "Table" { &made["rows"][0]["object"] } else { &made };
        let Some(name) = object["metadata"]["name"].as_str() else { return };
        let path = if path.ends_with(&format!("/{name}")) { path.to_owned() } else { format!("{path}/{name}") };
        left.objects.push(path);
    }

    async fn clean_up(&self) {
        let (objects, finalizers) = {
            let mut left = self.left.lock().expect("no panic holds it");
            (std::mem::take(&mut left.objects), left.finalizers)
        };
        // Newest first: what was made in a namespace goes before the namespace.
        for path in objects.iter().rev() {
            let in_namespace = path.matches('/').count() > 5;
            let namespace = path.starts_with("/api/v1/namespaces/") && !in_namespace && path.matches('/').count() == 4;
            if namespace {
                SPENT.lock().expect("no panic holds it").push((self.site, path.clone()));
                continue;
            }
            if finalizers {
                let _ = self.merge(path, &json!({"metadata": {"finalizers": null}})).await;
            }
            // A namespace takes the rest with it, except pods that nobody ends.
            if !in_namespace || path.contains("/pods/") {
                let _ = self.delete_with(path, &json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"})).await;
            }
        }
    }
}

/// Asks again and again until the answer is `Some`; for what a controller or a cache does in its own time.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "waited 40 s for {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}
