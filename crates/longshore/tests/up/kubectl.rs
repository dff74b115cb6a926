//! The real kubectl drives the real thing: what people type, and what they see.

mod apply;
mod change;
mod create;
mod custom;
mod delete;
mod show;

use std::ops::Deref;

use tempfile::TempDir;

use super::process::{Kubectl, Up, eventually, folder, kubectl};

/// A host and the kubectl for it.
pub(crate) struct Host {
    pub(crate) up: Up,
    kubectl: Kubectl,
    pub(crate) place: TempDir,
}

impl Host {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let place = folder();
        let up = Up::start(place.path(), flags);
        Self { kubectl: kubectl(&up.kubeconfig()), up, place }
    }

    /// SIGKILL, and another one on its directory.
    pub(crate) fn killed_and_again(self, flags: &[&str]) -> Self {
        self.up.kill();
        let up = Up::start(self.place.path(), flags);
        Self { kubectl: kubectl(&up.kubeconfig()), up, place: self.place }
    }

    /// Tries until what kubectl prints is this.
    pub(crate) fn becomes(&self, words: &str, wanted: &str) {
        eventually(&format!("{words} to be {wanted}"), || {
            let (_, said) = self.run(words, "");
            if said.trim() == wanted { Ok(()) } else { Err(said) }
        });
    }

    /// Tries until kubectl prints this among other things.
    pub(crate) fn shows(&self, words: &str, wanted: &str) -> String {
        eventually(&format!("{words} to show {wanted}"), || {
            let (_, said) = self.run(words, "");
            if said.contains(wanted) { Ok(said) } else { Err(said) }
        })
    }
}

impl Deref for Host {
    type Target = Kubectl;

    fn deref(&self) -> &Kubectl {
        &self.kubectl
    }
}

/// A claim of a class.
pub(crate) fn claim(name: &str, class: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec:\n  storageClassName: {class}\n  \
         accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 32Mi}}}}\n"
    )
}

/// A pod that runs this in a shell, with a claim at /data.
pub(crate) fn pod(name: &str, claim: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 1\n  restartPolicy: Never\n  \
         containers:\n  - name: sh\n    image: none\n    command: [/bin/sh, -c, '{script}']\n    \
         volumeMounts: [{{name: data, mountPath: /data}}]\n  \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]\n"
    )
}
