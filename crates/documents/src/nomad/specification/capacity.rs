//! Sizes as Nomad's command reads them: `10GiB`, `10 gb`, `1.5G`, plain bytes. G is 10^9, Gi is 2^30, in any case.

/// `None` if it is no size, or more than CSI can name.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = number.replace(',', "");
    let unit = unit.trim().to_lowercase();
    let scale = scale(unit.strip_suffix('b').unwrap_or(&unit))?;
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    // Exact as long as it is whole: a float would round petabytes.
    let whole: u128 = if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
    let mut bytes = whole.checked_mul(scale)?;
    if !part.is_empty() {
        let digits: u128 = part.get(..part.len().min(18))?.parse().ok()?;
        bytes += digits.checked_mul(scale)? / 10_u128.pow(u32::try_from(part.len().min(18)).ok()?);
    }
    u64::try_from(bytes).ok().filter(|bytes| i64::try_from(*bytes).is_ok())
}

fn scale(unit: &str) -> Option<u128> {
    const LETTERS: &str = "kmgtpe";
    let mut letters = unit.chars();
    let Some(letter) = letters.next() else { return Some(1) };
    let power = u32::try_from(LETTERS.find(letter)? + 1).ok()?;
    match letters.as_str() {
        "" => Some(1_000_u128.pow(power)),
        "i" => Some(1_024_u128.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn g_is_a_power_of_ten_and_gi_of_two() {
        for (text, wanted) in [
            ("10GiB", 10 << 30),
            ("10gib", 10 << 30),
            ("10 Gi", 10 << 30),
            ("20G", 20_000_000_000),
            ("20gb", 20_000_000_000),
            ("1.5K", 1_500),
            ("1,000", 1_000),
            ("7", 7),
            ("7B", 7),
            (".5Ki", 512),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_has_none() {
        for text in
            ["", "G", "-1", "1X", "1GiG", "ten", "9EiB", "1.2.3G", ".", "1e3", "99999999999999999999999999999999999999999E"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
