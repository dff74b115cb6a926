//! Base64 as Go reads it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Go reads base64 whose last bits are not zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Base64 as Go would write it back, or the offset of what is wrong with it. Upstream: Go's `encoding/base64`, which reads over
/// line ends.
pub(super) fn canonical(text: &str) -> Result<String, usize> {
    let offsets: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| !b"\r\n".contains(byte)).map(|(at, _)| at).collect();
    let input: Vec<u8> = offsets.iter().map(|at| text.as_bytes()[*at]).collect();
    let data = input.iter().take_while(|byte| STANDARD.as_str().as_bytes().contains(byte)).count();
    let group = data / 4 * 4;
    let at = |index: usize| offsets.get(index).copied().unwrap_or(text.len());
    let padding = match data % 4 {
        0 => 0,
        2 => 2,
        3 => 1,
        // One digit alone says nothing: Go stops at its start when the text ends, and at what follows it otherwise.
        _ => return Err(at(if data == input.len() { group } else { data })),
    };
    for index in data..data + padding {
        match input.get(index) {
            Some(b'=') => {}
            None if index == data => return Err(at(group)),
            None => return Err(text.len()),
            Some(_) => return Err(at(if index == data { data } else { index - 1 })),
        }
    }
    if data + padding < input.len() {
        return Err(at(data + padding));
    }
    let decoded = BASE64.decode(&input).map_err(|_| at(group))?;
    Ok(BASE64.encode(decoded))
}
