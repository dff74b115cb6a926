//! The real cluster, as tests see it.
