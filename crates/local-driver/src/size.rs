//! How large a volume becomes.

use csi_proto::csi::v1::CapacityRange;

use crate::error::{Error, Result};

/// Images are whole pages, so that every filesystem's block size divides them.
pub(crate) const UNIT: u64 = 4096;

/// What a request without a size gets.
pub(crate) const DEFAULT: u64 = 1 << 30;

/// A capacity range that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// 0: no least size was asked for.
    pub(crate) required: u64,
    /// `None`: no limit.
    pub(crate) limit: Option<u64>,
}

impl Range {
    /// Reads a request's range; an absent one asks for nothing in particular.
    pub(crate) fn of(range: Option<&CapacityRange>) -> Result<Range> {
        let (required, limit) = range.map_or((0, 0), |range| (range.required_bytes, range.limit_bytes));
        let read = |field: &str, value: i64| {
            u64::try_from(value)
                .map_err(|_| Error::Invalid(format!("capacity_range.{field} is {value}; it must not be negative")))
        };
        let (required, limit) = (read("required_bytes", required)?, read("limit_bytes", limit)?);
        if limit != 0 && limit < required {
            return Err(Error::Invalid(format!(
                "capacity_range.limit_bytes {limit} is below required_bytes {required}; no size satisfies both"
            )));
        }
        Ok(Range { required, limit: (limit != 0).then_some(limit) })
    }

    /// Whether an existing size is one this range allows.
    pub(crate) fn allows(&self, size: u64) -> bool {
        size >= self.required && self.limit.is_none_or(|limit| size <= limit)
    }

    /// The size to make: what was asked for, at least `minimum` (which `needs` asks for), in whole units.
    pub(crate) fn choose(&self, minimum: u64, needs: &str) -> Result<u64> {
        let wanted = if self.required == 0 { DEFAULT.min(self.limit.unwrap_or(DEFAULT) / UNIT * UNIT) } else { self.required };
        let size = round_up(wanted.max(minimum))?;
        match self.limit {
            Some(limit) if size > limit && minimum > limit => Err(Error::OutOfRange(format!(
                "{needs} needs at least {minimum} bytes, but limit_bytes is {limit}; raise the limit"
            ))),
            Some(limit) if size > limit => Err(Error::OutOfRange(format!(
                "sizes are multiples of {UNIT} bytes, and none lies between required_bytes {} and limit_bytes {limit}; raise the limit",
                self.required
            ))),
            _ => Ok(size),
        }
    }
}

fn round_up(bytes: u64) -> Result<u64> {
    // The kernel's file offsets are signed.
    bytes
        .checked_next_multiple_of(UNIT)
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| Error::OutOfRange(format!("{bytes} bytes is more than any file can hold")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(required: i64, limit: i64) -> Result<Range> {
        Range::of(Some(&CapacityRange { required_bytes: required, limit_bytes: limit }))
    }

    #[test]
    fn a_size_is_rounded_up_to_whole_pages() {
        assert_eq!(range(4097, 0).unwrap().choose(0, "").unwrap(), 8192);
        assert_eq!(range(8192, 8192).unwrap().choose(0, "").unwrap(), 8192);
    }

    #[test]
    fn no_range_gives_the_default_and_a_bare_limit_is_kept() {
        assert_eq!(Range::of(None).unwrap().choose(0, "").unwrap(), DEFAULT);
        assert_eq!(range(0, 10_000).unwrap().choose(0, "").unwrap(), 8192);
    }

    #[test]
    fn a_small_request_grows_to_the_filesystems_minimum_if_the_limit_allows() {
        assert_eq!(range(1, 0).unwrap().choose(300 << 20, "xfs").unwrap(), 300 << 20);
        let error = range(1, 1 << 20).unwrap().choose(300 << 20, "xfs").unwrap_err();
        assert!(matches!(&error, Error::OutOfRange(said) if said.contains("xfs needs at least 314572800")), "{error}");
    }

    #[test]
    fn a_limit_between_two_pages_is_out_of_range() {
        assert!(matches!(range(4097, 5000).unwrap().choose(0, ""), Err(Error::OutOfRange(_))));
    }

    #[test]
    fn nonsense_ranges_are_invalid_and_absurd_sizes_out_of_range() {
        assert!(matches!(range(-1, 0), Err(Error::Invalid(_))));
        assert!(matches!(range(0, -1), Err(Error::Invalid(_))));
        assert!(matches!(range(2, 1), Err(Error::Invalid(_))));
        assert!(matches!(range(i64::MAX, 0).unwrap().choose(0, ""), Err(Error::OutOfRange(_))));
    }

    #[test]
    fn an_existing_size_is_judged_by_both_ends() {
        let both = range(10, 20).unwrap();
        assert!(both.allows(10) && both.allows(20) && !both.allows(9) && !both.allows(21));
    }
}
