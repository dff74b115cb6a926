//! JSON patches, merge patches and strategic ones.

use crate::*;

behaviours! {}
