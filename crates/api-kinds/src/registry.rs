//! Everything that is served, by group, version and plural.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Resource;

/// Everything that is served. Cheap to share; replaced as a whole when a CustomResourceDefinition changes.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    by_path: BTreeMap<(String, String, String), Arc<Resource>>,
}

impl Registry {
    /// The built-in kinds.
    pub fn builtin() -> Self {
        Self::of(crate::kinds::resources())
    }

    /// These and nothing else.
    pub fn of(resources: impl IntoIterator<Item = Resource>) -> Self {
        let mut registry = Self::default();
        resources.into_iter().for_each(|resource| registry.insert(resource));
        registry
    }

    /// Serves one more, or another in its place.
    pub fn insert(&mut self, resource: Resource) {
        let path = (resource.group.clone(), resource.version.clone(), resource.plural.clone());
        self.by_path.insert(path, Arc::new(resource));
    }

    /// The resource at this path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.by_path.get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
    }

    /// The resource whose objects say this apiVersion and kind.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.all().find(|resource| resource.group == group && resource.version == version && resource.kind == kind).cloned()
    }

    /// Some version of the resource that is stored under this key.
    pub fn stored(&self, storage_key: &str) -> Option<Arc<Resource>> {
        self.all().find(|resource| resource.storage_key() == storage_key).cloned()
    }

    /// All, ordered by group, version and plural.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.by_path.values()
    }

    /// The groups that are served, in order; the core group first, as "".
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.all().map(|resource| resource.group.as_str()).collect();
        groups.dedup();
        groups
    }

    /// The versions of a group, the preferred one first.
    pub fn versions(&self, group: &str) -> Vec<&str> {
        let mut versions: Vec<&str> =
            self.all().filter(|resource| resource.group == group).map(|resource| resource.version.as_str()).collect();
        versions.dedup();
        versions.sort_by(|a, b| crate::custom::version_priority(a, b));
        versions
    }
}
