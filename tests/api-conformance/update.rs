//! Whole objects put back: what may change, and whose version counts.

use crate::*;

behaviours! {}
