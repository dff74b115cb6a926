//! From the bytes of a file to its text.

use crate::{Damage, Place, Places};

/// The text of a file: UTF-8, with or without a byte order mark.
///
/// # Errors
/// Another encoding, named if it can be told; otherwise the place of the first byte that is no UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Damage> {
    let start = Place { line: 1, column: 1 };
    let wide = match bytes {
        [0xff, 0xfe, ..] | [_, 0, _, 0, ..] => Some("UTF-16, low byte first"),
        [0xfe, 0xff, ..] | [0, _, 0, _, ..] => Some("UTF-16, high byte first"),
        _ => None,
    };
    if let Some(wide) = wide {
        return Err(Damage { place: start, reason: format!("the file is {wide}; it has to be UTF-8: save it as that") });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let place = Places::of(good).at(good.len());
            let byte = bytes[error.valid_up_to()];
            Err(Damage { place, reason: format!("byte {byte:#04x} is no UTF-8: the file has another encoding, or is no text") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_encoding_is_named() {
        assert_eq!(text(b"\xef\xbb\xbf{}"), Ok("{}"));
        assert!(text(b"\xff\xfe{\0}\0").expect_err("UTF-16").reason.contains("UTF-16"));
        assert!(text(b"\0{\0}").expect_err("UTF-16").reason.contains("high byte first"));
        let latin = text(b"{\n \"a\": \"\xe4\"").expect_err("Latin-1");
        assert_eq!((latin.place.line, latin.place.column), (2, 8));
        assert!(latin.reason.contains("0xe4"), "{latin}");
    }
}
