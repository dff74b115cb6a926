//! How long a container that has ended waits to be started again: as a kubelet has it, or as the pod says.

use std::time::Duration;

/// On a pod: `first=1s,factor=1.15,longest=300s`, and `reset=600s` if a container that ran so long begins anew. For pods of systems
/// that restart in their own rhythm; a kubelet does not know it.
pub const ANNOTATION: &str = "longshore.io/restart-backoff";

/// The pauses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pauses {
    /// Before the first restart.
    first: Duration,
    /// Each is so many times the one before.
    factor: f64,
    longest: Duration,
    /// Who ran this long is not failing in a loop.
    reset: Option<Duration>,
}

/// Upstream: kubelet, `MaxContainerBackOff` and `backOffPeriod`; its first restart is at once.
const KUBELET: (u64, u64, u64) = (10, 300, 600);

impl Pauses {
    /// As an annotation has them; those of a kubelet without one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(annotation: Option<&str>) -> Result<Option<Self>, String> {
        let Some(text) = annotation else { return Ok(None) };
        let mut read = Self { first: Duration::ZERO, factor: 1.0, longest: Duration::from_secs(KUBELET.1), reset: None };
        let wrong = |part: &str| {
            format!(
                "annotation {ANNOTATION}: {part:?} is not understood; expected first=SECONDSs,factor=NUMBER,longest=SECONDSs,reset=SECONDSs"
            )
        };
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or_else(|| wrong(part))?;
            let seconds = || {
                let number: f64 = value.strip_suffix('s').and_then(|number| number.parse().ok()).ok_or_else(|| wrong(part))?;
                Duration::try_from_secs_f64(number).map_err(|_| wrong(part))
            };
            match name {
                "first" => read.first = seconds()?,
                "longest" => read.longest = seconds()?,
                "reset" => read.reset = Some(seconds()?),
                "factor" => {
                    let factor: Option<f64> = value.parse().ok();
                    read.factor = factor.filter(|factor| factor.is_finite() && *factor >= 1.0).ok_or_else(|| wrong(part))?;
                }
                _ => return Err(wrong(part)),
            }
        }
        Ok(Some(read))
    }

    /// The pause before the next start. `restarts`: how often it was started again before. `ran`: the last time.
    pub(crate) fn pause(pauses: Option<&Self>, restarts: u32, ran: Duration) -> Duration {
        let Some(pauses) = pauses else {
            let (first, longest, stable) = KUBELET;
            return Duration::from_secs(match restarts {
                0 => 0,
                _ if ran >= Duration::from_secs(stable) => 0,
                restarts => first.saturating_mul(1 << (restarts - 1).min(10)).min(longest),
            });
        };
        let restarts = if pauses.reset.is_some_and(|reset| ran >= reset) { 0 } else { restarts };
        let grown = pauses.first.as_secs_f64() * pauses.factor.powf(f64::from(restarts));
        // What has grown past any number is past the longest.
        Duration::try_from_secs_f64(grown).map_or(pauses.longest, |grown| grown.min(pauses.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_as_the_pod_says_and_never_past_the_longest() {
        let pauses = Pauses::parse(Some("first=1s,factor=2,longest=5s,reset=60s")).expect("pauses").expect("there");
        let after = |restarts, ran| Pauses::pause(Some(&pauses), restarts, Duration::from_secs(ran)).as_secs();
        assert_eq!([after(0, 1), after(1, 1), after(2, 1), after(3, 1), after(u32::MAX, 1)], [1, 2, 4, 5, 5]);
        assert_eq!(after(9, 60), 1, "it ran long enough to begin anew");
    }

    #[test]
    fn without_the_annotation_they_are_a_kubelets() {
        assert_eq!(Pauses::parse(None), Ok(None));
        let after = |restarts, ran| Pauses::pause(None, restarts, Duration::from_secs(ran)).as_secs();
        assert_eq!([after(0, 1), after(1, 1), after(2, 1), after(60, 1), after(60, 600)], [0, 10, 20, 300, 0]);
    }

    #[test]
    fn an_annotation_that_is_not_understood_is_named() {
        for text in ["", "first", "first=1", "first=-1s", "first=NaNs", "factor=0.5", "factor=inf", "other=1s", "first=1e400s"] {
            let why = Pauses::parse(Some(text)).expect_err(text);
            assert!(why.contains(ANNOTATION), "{why}");
        }
    }
}
