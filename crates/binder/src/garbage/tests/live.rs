//! Against the API store.
