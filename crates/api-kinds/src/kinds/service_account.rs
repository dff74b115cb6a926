//! ServiceAccounts: metadata, and nothing else that is checked.

use super::rules::Rules;

pub(super) const RULES: Rules = Rules::NONE;
