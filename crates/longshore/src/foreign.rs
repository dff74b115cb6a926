//! Documents of other orchestrators: read from files, with what they do not say from flags, and their secrets from a store.
//!
//! ```text
//!  files ─ source.rs ─> Parsed ─ documents::kubernetes ─> objects
//!                                    ^ secrets.rs, users.rs: looked up on this host
//! ```

mod flags;
mod secrets;
mod source;
mod together;
mod users;

pub(crate) use flags::{Given, What};
pub(crate) use source::{Made, Source};
pub(crate) use together::together;

#[cfg(test)]
mod tests {
    /// Who writes annotations and who reads them do not know each other.
    #[test]
    fn annotations_are_called_the_same_by_who_writes_and_who_reads_them() {
        assert_eq!(documents::kubernetes::RESTART_BACKOFF, pod_runner::RESTART_BACKOFF);
        assert_eq!(documents::kubernetes::EXISTING_PATHS, pod_runner::EXISTING_PATHS);
        assert_eq!(documents::kubernetes::ACCESS_MODE, csi_types::ACCESS_MODE_ANNOTATION);
    }
}
