//! The metadata of any object: what the server owns of it, and what a name, label or finalizer may be.

use apimachinery::{FieldError, Status};

use crate::Write;

pub(crate) fn prepare(_write: &mut Write<'_>) -> Result<(), Status> {
    Ok(())
}

pub(crate) fn validate(_write: &Write<'_>) -> Vec<FieldError> {
    Vec::new()
}
