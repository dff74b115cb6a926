//! The listeners that `kubectl` reaches.
