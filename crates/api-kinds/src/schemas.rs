//! The schemas of the built-in kinds, from a table of facts.
