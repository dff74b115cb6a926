//! Which built-in resources there are, and what discovery says of them.

use crate::Resource;

/// Every built-in resource.
pub(crate) fn resources() -> Vec<Resource> {
    Vec::new()
}
