//! The plugins of documents: asked for, awaited, and in the end let go.

use std::collections::{BTreeMap, BTreeSet};

use plugin_host::{AliasError, PluginId};
use sidecar::Exit;

use crate::foreign::{Source, What};
use crate::up::Host;
use crate::up::words::complain;

/// A plugin as documents call it, and the name that its driver gives itself.
pub(crate) type Known = BTreeMap<String, String>;

/// Has the plugins started that documents bring along.
pub(crate) fn ask_for(host: &Host, sources: &[Source]) -> BTreeSet<PluginId> {
    let plugins = sources.iter().flat_map(|source| &source.parsed.document.plugins);
    plugins
        .map(|plugin| {
            host.plugins.set(plugin.clone());
            plugin.id.clone()
        })
        .collect()
}

/// Waits until every plugin that is used serves. Cancel safe.
///
/// # Errors
/// One did not: what it waits for, and the last lines of what it said, are told.
pub(crate) async fn of(host: &Host, what: &What, sources: &[Source]) -> Result<Known, anyhow::Error> {
    let used: BTreeSet<String> = sources.iter().flat_map(|source| source.parsed.document.plugins()).collect();
    let (mut known, mut wrong) = (Known::new(), Vec::new());
    for alias in used.into_iter().filter(|alias| !what.drivers.contains_key(alias)) {
        match host.plugins.driver(&alias).await {
            Ok(driver) => drop(known.insert(alias, driver.to_string())),
            // What is no plugin of ours may be a driver that this host has anyway.
            Err(AliasError::Unknown { .. }) if host.has_driver(&alias) => drop(known.insert(alias.clone(), alias)),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() {
        return Ok(known);
    }
    wrong.iter().for_each(|error| complain(&format!("{error}\n")));
    Err(Exit::failed("a plugin that the documents use does not serve, as told above; no task was started").into())
}

/// Stops these plugins and those of files, and waits until they have ended: that is, until no volume of theirs is on this host any more.
pub(crate) async fn stop(host: &Host, mut plugins: BTreeSet<PluginId>) {
    plugins.extend(host.plugins.served().into_iter().map(|served| served.id));
    plugins.extend(host.plugins.troubles().into_iter().map(|trouble| trouble.id));
    plugins.iter().for_each(|plugin| host.plugins.remove(plugin));
    tokio::select! {
        biased;
        // A part of the engine has failed: nobody would unpublish what they are kept for.
        () = host.parts.shutdown.requested() => {}
        () = host.plugins.gone(&plugins) => {}
    }
}
