//! Plugins of a [`plugin_host::Host`]: their node services are registered here, and their volumes keep them alive.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use csi_types::DriverName;
use plugin_host::{Change, Host, PluginId, Served, Users};

use super::Ready;
use crate::agent::Agent;

/// The volumes of this node, as a plugin's users.
pub struct NodeVolumes(pub Agent);

impl Users for NodeVolumes {
    fn volumes_of(&self, driver: &DriverName) -> usize {
        let state = self.0.state();
        let recorded = state.records.values().filter(|record| record.driver == *driver).count();
        // What an unreadable record was about may be anybody's.
        recorded + state.held.len()
    }
}

/// Registers what serves, now and from now on. A plugin that is started again on its socket stays registered.
pub fn serve(host: &Host, agent: &Agent, ready: &Arc<Ready>) {
    let (agent, ready) = (agent.clone(), ready.clone());
    let known: Mutex<BTreeMap<PluginId, PathBuf>> = Mutex::default();
    host.subscribe(move |change| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Serves(Served { id, driver, node: Some(socket), targets, .. }) => {
                // Before its first volume is published.
                agent.state().targets.insert(driver.clone(), targets.clone());
                ready.announce(socket.clone(), driver.clone());
                let before = known.insert(id.clone(), socket.clone());
                if let Some(before) = before.filter(|before| before != socket) {
                    ready.withdraw(&before);
                }
            }
            Change::Serves(Served { node: None, id, .. }) | Change::Gone(id) => {
                if let Some(socket) = known.remove(id) {
                    ready.withdraw(&socket);
                }
            }
        }
    });
}
