//! What a Kubernetes API promises, as named behaviours: one table, run against a real kube-apiserver and against `apistore` in
//! this process. tests/README.md says how; EXCEPTIONS.md lists where apistore differs on purpose.
//!
//! ```text
//! run ── World   one behaviour's own namespace and names, and what it has to remove
//!          ├── Call ── Reply    one request, raw, and what came back: code, headers, bytes
//!          └── Watch            one stream of events
//! ```
#![allow(clippy::disallowed_methods, reason = "these tests run against real servers on a real clock")]

mod call;
mod custom_kind;
mod exceptions;
mod objects;
mod reply;
mod stream;
mod target;
mod world;

mod apply;
mod bodies;
mod create;
mod custom;
mod delete;
mod discovery;
mod garbage;
mod get_list;
mod kinds;
mod namespaces;
mod patch;
mod pods;
mod reviews;
mod table;
mod update;
mod watch;

pub(crate) use call::{Call, with};
pub(crate) use custom_kind::{CustomKind, DEFINITIONS};
pub(crate) use objects::*;
pub(crate) use reply::{Reply, includes};
pub(crate) use stream::Watch;
pub(crate) use target::Target;
pub(crate) use world::{World, eventually, run};

/// A behaviour: `c12a_an_existing_name_is_refused` has the id C12a, and its name is the promise.
pub(crate) struct Behaviour {
    pub(crate) function: &'static str,
}

impl Behaviour {
    pub(crate) fn id(&self) -> String {
        let id = self.function.split('_').next().unwrap_or_default();
        id[..1].to_uppercase() + &id[1..]
    }
}

/// The behaviours of a chapter: a line of the table each, and a test per target. `controllers` marks those that a controller
/// fulfils, not the API server.
macro_rules! behaviours {
    ($($name:ident,)*) => {
        pub(crate) const TABLE: &[crate::Behaviour] = &[$(crate::Behaviour { function: stringify!($name) },)*];
        mod real { $(#[test] fn $name() { crate::run(crate::Target::Real, stringify!($name), super::$name); })* }
        mod apistore { $(#[test] fn $name() { crate::run(crate::Target::Apistore, stringify!($name), super::$name); })* }
    };
}
pub(crate) use behaviours;

/// Every behaviour there is.
pub(crate) fn table() -> impl Iterator<Item = &'static Behaviour> {
    [
        discovery::TABLE,
        bodies::TABLE,
        create::TABLE,
        kinds::TABLE,
        pods::TABLE,
        get_list::TABLE,
        table::TABLE,
        watch::TABLE,
        garbage::TABLE,
        namespaces::TABLE,
        reviews::TABLE,
        custom::TABLE,
        update::TABLE,
        patch::TABLE,
        apply::TABLE,
        delete::TABLE,
    ]
    .into_iter()
    .flatten()
}

mod whole {
    use std::collections::BTreeSet;

    #[test]
    fn no_id_is_used_twice() {
        let mut ids = BTreeSet::new();
        for behaviour in crate::table() {
            assert!(ids.insert(behaviour.id()), "{} stands twice in the table", behaviour.id());
        }
        assert!(ids.len() >= 150, "{} behaviours", ids.len());
    }
}
