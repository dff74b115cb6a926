//! Server-side apply.

use crate::*;

behaviours! {}
