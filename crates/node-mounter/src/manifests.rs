//! Pods from a folder of manifests, as a kubelet's static pods: what a host wants mounted whatever the API says. Claims and
//! volumes are still read from the API; what has to be attached is attached only for pods that the API has too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cluster::Kind;
use cluster::kinds::Pod;
use csi_types::NodeName;
use rt::Shutdown;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{error, info};

use crate::agent::Agent;
use crate::paths::sha256_hex;

/// How soon a change of the folder is seen. Kubelet takes 20 s.
const RESCAN: Duration = Duration::from_secs(2);

/// The folder.
pub(crate) struct Manifests {
    agent: Agent,
    folder: PathBuf,
    /// What is in it, by uid.
    pods: BTreeMap<String, Arc<Pod>>,
    /// What was last wrong with it; said once.
    problems: Vec<String>,
}

impl Manifests {
    /// Nothing is read yet.
    pub(crate) fn new(agent: Agent, folder: PathBuf) -> Self {
        Self { agent, folder, pods: BTreeMap::new(), problems: Vec::new() }
    }

    /// Looks again and again, until the shutdown.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                () = self.agent.ctx.sleep(RESCAN) => {}
            }
            self.look().await;
        }
    }

    /// One look. While a manifest cannot be read nobody knows whose volumes are still wanted, so nothing is torn down: an
    /// editor's slip must not unmount anything.
    pub(crate) async fn look(&mut self) {
        let mut found = BTreeMap::new();
        let mut problems = Vec::new();
        match self.agent.ctx.disk().list(&self.folder).await {
            Ok(names) => {
                for name in names.iter().filter(|name| !name.as_os_str().as_encoded_bytes().starts_with(b".")) {
                    let file = self.folder.join(name);
                    match self.read(&file).await {
                        Ok(pods) => found.extend(pods.into_iter().map(|pod| (pod.meta.uid.to_string(), Arc::new(pod)))),
                        Err(problem) => problems.push(format!("{}: {problem}", file.display())),
                    }
                }
            }
            Err(problem) => problems.push(format!("{}: {problem}", self.folder.display())),
        }
        if problems != self.problems {
            for problem in &problems {
                error!("a manifest cannot be read, so nothing is unmounted until it is mended or removed: {problem}");
            }
        }
        let complete = problems.is_empty();
        self.problems = problems;
        self.take_in(found, complete);
    }

    async fn read(&self, file: &Path) -> Result<Vec<Pod>, String> {
        let bytes = self.agent.ctx.disk().read(file).await.map_err(|error| error.to_string())?;
        parse(&bytes, &self.agent.config.node)
    }

    fn take_in(&mut self, found: BTreeMap<String, Arc<Pod>>, complete: bool) {
        let mut touched = Vec::new();
        let mut volumes = std::collections::BTreeSet::new();
        {
            let mut state = self.agent.state();
            let completed = state.manifests_unread && complete;
            state.manifests_unread = !complete;
            let gone: Vec<Arc<Pod>> =
                self.pods.iter().filter(|(uid, _)| complete && !found.contains_key(*uid)).map(|(_, pod)| pod.clone()).collect();
            for pod in gone {
                info!(pod = %pod.meta.key, "its manifest is gone");
                volumes.extend(state.volumes_of(&pod.meta.uid));
                self.pods.remove(&*pod.meta.uid);
                touched.extend(state.note_pod(Some(&pod), None));
            }
            for (uid, pod) in found {
                if let Entry::Vacant(new) = self.pods.entry(uid) {
                    info!(pod = %pod.meta.key, "a manifest");
                    touched.extend(state.note_pod(None, Some(&pod)));
                    new.insert(pod);
                }
            }
            if completed {
                volumes.extend(state.records.keys().cloned());
            }
        }
        self.agent.wake_pods(touched);
        self.agent.wake_volumes(volumes);
    }
}

/// The pods in one file; YAML, of which JSON is a part. Their uid is made of the node and the whole manifest: a changed pod is
/// another one, as with a kubelet.
fn parse(bytes: &[u8], node: &NodeName) -> Result<Vec<Pod>, String> {
    let mut pods = Vec::new();
    for document in serde_yaml::Deserializer::from_slice(bytes) {
        let mut object = Value::deserialize(document).map_err(|error| error.to_string())?;
        if object.is_null() {
            continue;
        }
        match object["kind"].as_str() {
            Some("Pod") => {}
            kind => return Err(format!("it holds a {}, expected a Pod", kind.unwrap_or("document without a kind"))),
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err("the Pod has no metadata.name".to_owned());
        }
        let uid = sha256_hex([node.as_str(), "/", object.to_string().as_str()]);
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!(uid.get(..32).unwrap_or(&uid));
        metadata["name"] = json!(format!("{name}-{node}"));
        if metadata["namespace"].as_str().unwrap_or_default().is_empty() {
            metadata["namespace"] = json!("default");
        }
        object["spec"]["nodeName"] = json!(node);
        let wire = serde_json::from_value(object).map_err(|error| error.to_string())?;
        pods.extend(Pod::compact(wire));
    }
    Ok(pods)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounter::FakeMounter;
    use crate::testing;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c}]\n";

    fn read(text: &str) -> Result<Vec<Pod>, String> {
        parse(text.as_bytes(), &"node-1".into())
    }

    #[test]
    fn a_manifest_is_a_pod_of_this_node() {
        let pods = read(POD).expect("read");
        assert_eq!(pods[0].meta.key.as_str(), "default/p-node-1");
        assert_eq!(&*pods[0].node, "node-1");
        assert_eq!(pods[0].meta.uid, read(POD).expect("read")[0].meta.uid, "the same file is the same pod");
        assert_ne!(pods[0].meta.uid, read(&POD.replace("name: c", "name: d")).expect("read")[0].meta.uid);
    }

    #[test]
    fn two_documents_are_two_pods_and_json_is_read_too() {
        assert_eq!(read(&format!("{POD}---\n{}---\n", POD.replace("name: p", "name: q"))).expect("read").len(), 2);
        assert_eq!(read(r#"{"kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[]}}"#).expect("read").len(), 1);
    }

    #[test]
    fn what_is_no_pod_is_named() {
        for bad in ["kind: Service\nmetadata: {name: s}\n", "a: [", "kind: Pod\n", "text", "kind: Pod\nmetadata: 3\n"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_broken_manifest_evicts_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pod.yaml");
        std::fs::write(&file, POD).expect("written");
        let mounter = Arc::new(FakeMounter::default());
        let client = test_api::TestApi::start(&rt::Ctx::real()).await.client();
        let agent = testing::agent(&folder.path().join("root"), mounter, client).await;
        let mut manifests = Manifests::new(agent.clone(), folder.path().to_owned());
        std::fs::rename(folder.path().join("root"), folder.path().join(".root")).expect("out of the way");
        manifests.look().await;
        assert_eq!(agent.state().pods.len(), 1);
        std::fs::write(&file, "a: [").expect("written");
        manifests.look().await;
        assert_eq!(agent.state().pods.len(), 1);
        assert!(agent.state().manifests_unread);
        std::fs::remove_file(&file).expect("removed");
        manifests.look().await;
        assert!(agent.state().pods.is_empty() && !agent.state().manifests_unread);
    }
}
