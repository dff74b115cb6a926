//! What an installation promises, each kept with the real helm and the real images on a real cluster: the sidecars are pods under
//! kubelet, and the API server holds them to the rights that the chart gives them. One promise at a time: a cluster has one
//! `local.csi.longshore.dev`.
//!
//! Run by `hack/test`, with `--test-threads=1`; needs root, `hack/cluster up --bare` and `hack/image load`.
#![allow(clippy::disallowed_methods, reason = "end-to-end tests run real processes on a real clock")]

mod audit;
mod driver;
mod helm;
mod site;
mod tools;
mod work;

mod install;
mod kustomize;
mod node_mode;
mod rights;
mod second;
mod sidecars;
mod upgrade;
