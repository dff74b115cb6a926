//! VolumeAttributesClasses.

use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{same, same_map, text};
use super::validation::{parameters, provisioner};
use crate::{Operation, Write};

pub(super) const RULES: Rules = Rules { prepare, validate, ..Rules::NONE };

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    if write.operation == Operation::Create {
        super::metadata::add_finalizer(&mut write.new, "kubernetes.io/vac-protection");
    }
    Ok(())
}

type Same = fn(Option<&Value>, Option<&Value>) -> bool;

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let mut errors = Vec::new();
    if let Some(old) = write.old() {
        for (field, same) in [("driverName", same as Same), ("parameters", same_map)] {
            if !same(old.get(field), new.get(field)) {
                errors.push(FieldError::forbidden(field, format!("updates to {field} are forbidden.")));
            }
        }
    }
    errors.extend(provisioner(text(new, "driverName"), "driverName"));
    errors.extend(parameters(new.get("parameters"), true, "parameters"));
    Ok(errors)
}

#[cfg(test)]
mod tests;
