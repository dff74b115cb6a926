//! Users: numbers in Kubernetes, names on a host.

use super::{Making, Place};
use crate::yaml::Map;

impl Making<'_> {
    /// `runAsUser` and `runAsGroup`.
    pub(super) fn user(&mut self, field: &str, user: &str) -> Map {
        let (name, group) = match user.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (user, None),
        };
        let known = self.options.users.get(name).copied();
        let number = match (name.parse::<u32>(), known) {
            (Ok(number), _) => Some((number, None)),
            (_, Some((number, group))) => Some((number, Some(group))),
            _ if name == "root" => Some((0, Some(0))),
            _ => None,
        };
        let group = match group.map(|group| (group, group.parse::<u32>())) {
            Some((_, Ok(group))) => Some(group),
            Some((group, Err(_))) => {
                self.problem(field, format!("group {group:?} has to be a number here"));
                None
            }
            None => number.and_then(|(_, group)| group),
        };
        match number {
            Some((number, _)) => Map::new().with("runAsUser", number).maybe("runAsGroup", group),
            None => {
                let why = match self.options.place {
                    Place::Cluster => {
                        "is the name of a user, and Kubernetes knows numbers only: write the number that the image has for it"
                    }
                    Place::Host => "is no user of this host",
                };
                self.problem(field, format!("{name:?} {why}"));
                Map::new()
            }
        }
    }
}
