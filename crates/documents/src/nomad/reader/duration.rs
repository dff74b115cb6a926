//! Durations as Go writes them.

use std::time::Duration;

/// A duration as Go writes it: `1h30m`, `500ms`, `1.5s`. `None` if it is none, or negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !(character.is_ascii_digit() || character == '.'))?;
        let (number, unit) = rest.split_at(digits);
        let length = unit.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(unit.len());
        let (unit, after) = unit.split_at(length);
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    // What Go can hold: about 292 years.
    (total < 9.2e9).then(|| Duration::from_secs_f64(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (text, milliseconds) in
            [("30s", 30_000), ("1h30m", 5_400_000), ("1.5s", 1_500), ("500ms", 500), ("0", 0), ("+5s", 5_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "30", "s", "-5s", "1y", "1.2.3s", "99999999999h", "1e9s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
