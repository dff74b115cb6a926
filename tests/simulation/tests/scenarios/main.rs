//! Upstream's hard cases, one by one: what is done to the engine, and what it does instead. Every scenario also keeps all laws.
//!
//! A fault is addressed by what it is about, as in a printed trace: `mounter NodePublishVolume pv:c0`, `binder PATCH pods/status p0`.

mod api;
mod attaching;
mod binding;
mod intents;
mod leading;
mod node;
mod node_attach;
mod node_plugins;
mod provisioning;
mod same;
mod scenario;
