//! Where the benchmark happens: a namespace, a class and an account per side, all by fixed names, so that what a killed run left
//! is found and removed by the next one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use harness::{Cluster, eventually, eventually_within};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Event, Namespace, PersistentVolume, PersistentVolumeClaim, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;

use crate::round::Side;

pub(crate) const DRIVER: &str = "bench.longshore.example";
const NAMESPACE: &str = "longshore-bench";
const CLASS: &str = "longshore-bench";
/// Set by the controller manager when it has seen that a claim is somebody else's to provision.
const SEEN: &str = "volume.kubernetes.io/storage-provisioner";
/// How the accounts' requests come into the audit log: hack/cluster records this namespace's.
const ACCOUNTS: &str = "longshore-system";

/// The cluster, and what was made there.
pub(crate) struct Site {
    client: Client,
    cluster: Cluster,
    folder: PathBuf,
}

impl Site {
    /// Removes what an earlier run left, then makes everything but claims.
    pub(crate) async fn set_up() -> Result<Self> {
        let cluster = Cluster::connect().await?;
        let client = client(&cluster.kubeconfig("admin"), "bench").await?;
        let folder = cluster.run().join("bench");
        let site = Self { client, cluster, folder };
        crate::sidecar::end_leftovers(&site)?;
        site.clear_away().await?;
        std::fs::create_dir_all(&site.folder)?;
        let namespace = Namespace { metadata: named(NAMESPACE), ..Namespace::default() };
        Api::all(site.client.clone()).create(&PostParams::default(), &namespace).await.context("create namespace")?;
        let class = StorageClass {
            metadata: named(CLASS),
            provisioner: DRIVER.to_owned(),
            reclaim_policy: Some("Delete".to_owned()),
            volume_binding_mode: Some("Immediate".to_owned()),
            ..StorageClass::default()
        };
        Api::all(site.client.clone()).create(&PostParams::default(), &class).await.context("create class")?;
        for side in Side::ALL {
            site.account(side).await.with_context(|| format!("an account for {}", side.name()))?;
        }
        Ok(site)
    }

    /// A service account with external-provisioner's rights, and a kubeconfig with a token of its own.
    async fn account(&self, side: Side) -> Result<()> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), ACCOUNTS);
        let account = ServiceAccount { metadata: named(side.account()), ..ServiceAccount::default() };
        accounts.create(&PostParams::default(), &account).await?;
        let binding: ClusterRoleBinding = serde_json::from_value(json!({
            "metadata": {"name": side.account()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "external-provisioner-runner"},
            "subjects": [{"kind": "ServiceAccount", "name": side.account(), "namespace": ACCOUNTS}],
        }))?;
        Api::all(self.client.clone()).create(&PostParams::default(), &binding).await?;
        // Where it writes its intents.
        let binding: RoleBinding = serde_json::from_value(json!({
            "metadata": {"name": side.account()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "external-provisioner-cfg"},
            "subjects": [{"kind": "ServiceAccount", "name": side.account(), "namespace": ACCOUNTS}],
        }))?;
        Api::namespaced(self.client.clone(), ACCOUNTS).create(&PostParams::default(), &binding).await?;
        let spec = TokenRequestSpec { expiration_seconds: Some(6 * 3600), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let answer = accounts.create_token_request(side.account(), &PostParams::default(), &request).await?;
        let token = answer.status.context("a token without status")?.token;

        let admin = std::fs::read_to_string(self.cluster.kubeconfig("admin"))?;
        let mut kubeconfig: serde_json::Value = serde_json::to_value(Kubeconfig::from_yaml(&admin)?)?;
        kubeconfig["users"][0]["user"] = json!({"token": token});
        let path = self.kubeconfig(side);
        std::fs::write(&path, kubeconfig.to_string())?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(())
    }

    pub(crate) fn kubeconfig(&self, side: Side) -> PathBuf {
        self.folder.join(side.account())
    }

    /// As the audit log has it.
    pub(crate) fn user(&self, side: Side) -> String {
        format!("system:serviceaccount:{ACCOUNTS}:{}", side.account())
    }

    /// Where the cluster keeps what it has.
    pub(crate) fn run(&self) -> &Path {
        self.cluster.run()
    }

    /// For sockets and logs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) async fn server_version(&self) -> Result<String> {
        Ok(self.client.apiserver_version().await?.git_version)
    }

    /// Makes the claims, while nobody provisions them, and waits until the controller manager has seen each and is quiet.
    pub(crate) async fn make_claims(&self, round: u32, count: u32) -> Result<()> {
        let claims = claims(&self.client);
        let make = |number: u32| {
            let claims = claims.clone();
            async move {
                let claim: PersistentVolumeClaim = serde_json::from_value(json!({
                    "metadata": {"name": format!("claim-{round}-{number:05}")},
                    "spec": {
                        "storageClassName": CLASS, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }))?;
                claims.create(&PostParams::default(), &claim).await.context("create claim")?;
                anyhow::Ok(())
            }
        };
        stream::iter((0..count).map(make)).buffer_unordered(50).try_collect::<()>().await?;
        eventually("the controller manager to have seen every claim", async || {
            let list = claims.list_metadata(&ListParams::default()).await?;
            let seen = |meta: &ObjectMeta| meta.annotations.as_ref().is_some_and(|all| all.contains_key(SEEN));
            let seen = list.items.iter().filter(|claim| seen(&claim.metadata)).count();
            ensure!(seen == count as usize, "{seen} of {count} seen");
            Ok(())
        })
        .await?;
        self.await_lull().await
    }

    /// Every 15 seconds the controller manager looks at all pending claims and counts up an event about each. A turn that this
    /// falls into is slower, so every turn begins right after it.
    async fn await_lull(&self) -> Result<()> {
        let told = async || {
            let params = ListParams::default().fields("reason=ExternalProvisioning");
            let events = events(&self.client).list(&params).await?;
            anyhow::Ok(events.items.iter().map(|event| event.count.unwrap_or(1)).sum::<i32>())
        };
        let pause = async || tokio::time::sleep(Duration::from_millis(500)).await;
        let (mut last, mut quiet, mut bursts) = (told().await?, 0, 0);
        // At most 30 seconds: a controller manager that never does this is as quiet as can be.
        for _ in 0..60 {
            pause().await;
            let now = told().await?;
            match now == last {
                true => quiet += 1,
                false => (quiet, bursts) = (0, bursts + i32::from(quiet > 1)),
            }
            last = now;
            if bursts > 0 && quiet > 1 {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the controller manager has bound every claim.
    pub(crate) async fn await_bound(&self, count: u32) -> Result<()> {
        let limit = Duration::from_secs(300);
        eventually_within(limit, "every claim to be bound", async || {
            let list = claims(&self.client).list(&ListParams::default()).await?;
            let bound =
                |claim: &&PersistentVolumeClaim| claim.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Bound"));
            let bound = list.items.iter().filter(bound).count();
            ensure!(bound == count as usize, "{bound} of {count} are");
            Ok(())
        })
        .await
    }

    /// The PVs of this benchmark's driver.
    pub(crate) async fn volumes(&self) -> Result<Vec<PersistentVolume>> {
        let all = Api::<PersistentVolume>::all(self.client.clone()).list(&ListParams::default()).await.context("list PVs")?;
        let driver = |pv: &PersistentVolume| Some(pv.spec.as_ref()?.csi.as_ref()?.driver == DRIVER);
        Ok(all.items.into_iter().filter(|pv| driver(pv) == Some(true)).collect())
    }

    /// How often claims were told of success, and by how many event objects.
    pub(crate) async fn successes(&self) -> Result<(usize, i32)> {
        let list = events(&self.client).list(&ListParams::default().fields("reason=ProvisioningSucceeded")).await?;
        Ok((list.items.len(), list.items.iter().map(|event| event.count.unwrap_or(1)).sum()))
    }

    /// Events about claims that are not `ProvisioningSucceeded` or the controller manager's own, as lines: failures, most likely.
    pub(crate) async fn complaints(&self) -> Result<Vec<String>> {
        let list = events(&self.client).list(&ListParams::default().fields("type=Warning")).await?;
        Ok(list.items.into_iter().filter_map(|event| event.message).collect())
    }

    /// Deletes claims and events. Volumes go too if somebody deletes them; else with [`Site::drop_volumes`].
    pub(crate) async fn delete_claims(&self) -> Result<()> {
        let (now, all) = (DeleteParams::default(), ListParams::default());
        claims(&self.client).delete_collection(&now, &all).await.context("delete claims")?;
        eventually("claims to be gone", async || {
            let left = claims(&self.client).list_metadata(&all).await?.items.len();
            ensure!(left == 0, "{left} are there");
            Ok(())
        })
        .await?;
        events(&self.client).delete_collection(&now, &all).await.context("delete events")?;
        Ok(())
    }

    /// Waits until somebody has deleted the volumes.
    pub(crate) async fn await_no_volumes(&self) -> Result<()> {
        eventually_within(Duration::from_secs(300), "volumes to be gone", async || {
            let left = self.volumes().await?.len();
            ensure!(left == 0, "{left} are there");
            Ok(())
        })
        .await
    }

    /// Deletes PVs that have no provisioner to do it.
    pub(crate) async fn drop_volumes(&self) -> Result<()> {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let drop = |pv: PersistentVolume| {
            let (api, name) = (api.clone(), pv.metadata.name.unwrap_or_default());
            async move {
                gone_is_fine(api.delete(&name, &DeleteParams::default()).await)?;
                let patch = json!({"metadata": {"finalizers": null}});
                gone_is_fine(api.patch_metadata(&name, &PatchParams::default(), &Patch::Merge(patch)).await)
            }
        };
        stream::iter(self.volumes().await?.into_iter().map(drop)).buffer_unordered(50).try_collect::<()>().await?;
        self.await_no_volumes().await
    }

    /// Removes everything there is of a benchmark, this one's or one that was killed.
    pub(crate) async fn clear_away(&self) -> Result<()> {
        let now = DeleteParams::default();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if namespaces.get_opt(NAMESPACE).await?.is_some() {
            self.delete_claims().await?;
        }
        self.drop_volumes().await?;
        gone_is_fine(Api::<StorageClass>::all(self.client.clone()).delete(CLASS, &now).await)?;
        for side in Side::ALL {
            let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), ACCOUNTS);
            gone_is_fine(accounts.delete(side.account(), &now).await)?;
            gone_is_fine(Api::<ClusterRoleBinding>::all(self.client.clone()).delete(side.account(), &now).await)?;
            let leases: Api<RoleBinding> = Api::namespaced(self.client.clone(), ACCOUNTS);
            gone_is_fine(leases.delete(side.account(), &now).await)?;
            let _ = std::fs::remove_file(self.kubeconfig(side));
        }
        gone_is_fine(namespaces.delete(NAMESPACE, &now).await)?;
        eventually("the namespace to be gone", async || {
            ensure!(namespaces.get_opt(NAMESPACE).await?.is_none(), "it is there");
            Ok(())
        })
        .await
    }
}

/// A client with this kubeconfig's rights, set up as `cluster::connect` does it: no retries of its own.
pub(crate) async fn client(kubeconfig: &Path, agent: &'static str) -> Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig).with_context(|| kubeconfig.display().to_string())?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    config.headers.push((http::header::USER_AGENT, http::HeaderValue::from_static(agent)));
    Ok(Client::try_from(config)?)
}

pub(crate) fn claims(client: &Client) -> Api<PersistentVolumeClaim> {
    Api::namespaced(client.clone(), NAMESPACE)
}

pub(crate) fn events(client: &Client) -> Api<Event> {
    Api::namespaced(client.clone(), NAMESPACE)
}

fn named(name: &str) -> ObjectMeta {
    let labels = BTreeMap::from([("app.kubernetes.io/part-of".to_owned(), "longshore-bench".to_owned())]);
    ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() }
}

fn gone_is_fine<T>(answer: Result<T, kube::Error>) -> Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}
