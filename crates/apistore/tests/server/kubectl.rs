//! The real kubectl, where there is one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::run;

/// `KUBECTL`, or the one of the test cluster. Whatever is on the path may be older and speak otherwise.
fn kubectl() -> Option<PathBuf> {
    let named = std::env::var_os("KUBECTL").map(PathBuf::from);
    named.into_iter().chain([PathBuf::from("/var/lib/longshore-test/bin/kubectl")]).find(|path| path.is_file())
}

struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    /// What it printed, and whether it was content.
    fn run(&self, arguments: &str, input: &str) -> (bool, String) {
        let mut child = Command::new(&self.program)
            .args(arguments.split(' '))
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("kubectl ends");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("text"))
    }

    fn ok(&self, arguments: &str, input: &str) -> String {
        let (ok, text) = self.run(arguments, input);
        assert!(ok, "kubectl {arguments}: {text}");
        text
    }
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {k: v}\n";

fn tour(kubectl: &Kubectl) {
    assert!(kubectl.ok("version", "").contains("Server Version: v1.36.1"));
    assert!(kubectl.ok("api-resources", "").contains("persistentvolumeclaims"));
    kubectl.ok("apply -f -", "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
    assert_eq!(kubectl.ok("apply -f -", CONFIG_MAP), "configmap/x created\n");
    assert_eq!(kubectl.ok("apply -f -", CONFIG_MAP), "configmap/x unchanged\n");
    assert_eq!(kubectl.ok("apply -f -", &CONFIG_MAP.replace("k: v", "k: w")), "configmap/x configured\n");
    assert_eq!(kubectl.ok("apply --server-side --force-conflicts -f -", CONFIG_MAP), "configmap/x serverside-applied\n");
    assert!(kubectl.ok("get configmaps", "").starts_with("NAME"));
    assert_eq!(kubectl.ok("get cm x -o jsonpath={.data.k}", ""), "v");
    assert!(kubectl.ok("get cm,pods,nodes,sc,pv,pvc -A", "").contains("configmap/x"));
    assert_eq!(kubectl.ok("label cm x a=b", ""), "configmap/x labeled\n");
    assert_eq!(kubectl.ok("get cm -l a=b -o name", ""), "configmap/x\n");
    assert!(kubectl.ok("describe cm x", "").contains("k:\n----\nv"));
    assert_eq!(kubectl.ok("delete cm x", ""), "configmap \"x\" deleted from default namespace\n");
    let (ok, text) = kubectl.run("get cm x", "");
    assert!(!ok && text.contains("Error from server (NotFound): configmaps \"x\" not found"), "{text}");
    let (ok, text) = kubectl.run("apply -f -", &CONFIG_MAP.replace("\ndata:", "\nfoo: bar\ndata:"));
    assert!(!ok && text.contains("strict decoding error: unknown field \"foo\""), "{text}");
}

#[test]
fn kubectl_applies_shows_changes_and_deletes() {
    let Some(program) = kubectl() else {
        eprintln!("skipped: there is no kubectl; hack/cluster build makes one");
        return;
    };
    run(|host| async move {
        let server = host.serve().await;
        let kubeconfig = server.kubeconfig().map(Path::to_owned).expect("a kubeconfig");
        let kubectl = Kubectl { program, kubeconfig, home: host.dir.path().to_owned() };
        tokio::task::spawn_blocking(move || tour(&kubectl)).await.expect("the tour ends well");
    });
}
