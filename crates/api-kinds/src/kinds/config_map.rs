//! ConfigMaps.

use super::rules::Rules;

pub(super) const RULES: Rules = Rules::NONE;
