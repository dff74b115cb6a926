//! What is served: the built-in kinds, and those of the CustomResourceDefinitions that are stored.

use api_kinds::Registry;

use super::state::State;

/// Where CustomResourceDefinitions are stored.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Everything that is to be served in this state. Called when it is loaded, and after each change of a definition.
pub(crate) fn rebuild(state: &State) -> Registry {
    let mut registry = Registry::builtin();
    let definitions = state.find(DEFINITIONS).into_iter().flat_map(|collection| collection.range("", ""));
    for resource in definitions.flat_map(|definition| api_kinds::custom::resources(&definition.value())) {
        registry.insert(resource);
    }
    registry
}
