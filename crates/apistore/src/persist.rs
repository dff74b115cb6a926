//! Where the objects survive: one crash-safe file, or memory for tests.
