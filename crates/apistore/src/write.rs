//! From a write request to the changes of the stored objects: pure.
