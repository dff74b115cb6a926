//! Deletion: options, finalizers, grace and collections.

use crate::*;

behaviours! {}
