//! A topology requirement in few bytes. It may name every node of a cluster: keys are said once, each place is a row of values,
//! and the places to prefer are usually the same ones from another start.

use csi_types::{Segments, TopologyRequirement};
use serde::{Deserialize, Serialize};

/// One value per key; a place need not have them all.
type Row = Vec<Option<String>>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Places {
    keys: Vec<String>,
    rows: Vec<Row>,
    preferred: Preferred,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Preferred {
    /// The same places, from this row on and around.
    From(usize),
    /// These rows.
    Rows(Vec<usize>),
    /// Others.
    Others(Vec<Row>),
}

impl Places {
    pub(super) fn pack(places: &TopologyRequirement) -> Self {
        let TopologyRequirement { requisite, preferred } = places;
        let mut keys: Vec<String> = requisite.iter().chain(preferred).flat_map(|place| place.0.keys().cloned()).collect();
        keys.sort();
        keys.dedup();
        let row = |place: &Segments| -> Row { keys.iter().map(|key| place.0.get(key).cloned()).collect() };
        let at = |place: &Segments| requisite.iter().position(|other| other == place);
        let start = preferred.first().and_then(at).unwrap_or(0);
        let around = requisite.iter().cycle().skip(start).take(requisite.len());
        let preferred = match preferred.iter().map(at).collect::<Option<Vec<_>>>() {
            _ if preferred.iter().eq(around) => Preferred::From(start),
            Some(rows) => Preferred::Rows(rows),
            None => Preferred::Others(preferred.iter().map(row).collect()),
        };
        Self { rows: requisite.iter().map(row).collect(), preferred, keys }
    }

    pub(super) fn unpack(self) -> Result<TopologyRequirement, String> {
        let Self { keys, rows, preferred } = self;
        let place = |row: Row| {
            if row.len() != keys.len() {
                return Err(format!("a place has {} values, expected {}", row.len(), keys.len()));
            }
            Ok(keys.iter().zip(row).filter_map(|(key, value)| Some((key.clone(), value?))).collect::<Segments>())
        };
        let requisite = rows.into_iter().map(&place).collect::<Result<Vec<_>, _>>()?;
        let missing = || format!("a preferred place is not among the {} that are given", requisite.len());
        let preferred = match preferred {
            Preferred::From(start) if start > 0 && start >= requisite.len() => return Err(missing()),
            Preferred::From(start) => requisite.iter().cycle().skip(start).take(requisite.len()).cloned().collect(),
            Preferred::Rows(rows) => {
                rows.into_iter().map(|row| requisite.get(row).cloned().ok_or_else(missing)).collect::<Result<_, _>>()?
            }
            Preferred::Others(rows) => rows.into_iter().map(place).collect::<Result<_, _>>()?,
        };
        Ok(TopologyRequirement { requisite, preferred })
    }
}
