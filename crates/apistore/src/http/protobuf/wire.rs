//! Protobuf's wire format: a row of numbered values.

/// One value, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a size that no field here has; 1 or 5.
    Fixed(u8),
}

impl Wire<'_> {
    /// Its type's number.
    pub(super) fn type_(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Bytes(_) => 2,
            Self::Fixed(type_) => *type_,
        }
    }
}

/// The values of a message with their fields' numbers, in order; the first mistake ends them.
pub(super) fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<(u64, Wire<'_>), String>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let found = field(&mut rest);
        if found.is_err() {
            rest = &[];
        }
        Some(found)
    })
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Wire<'a>), String> {
    let key = varint(rest)?;
    let (number, type_) = (key >> 3, u8::try_from(key & 7).unwrap_or_default());
    if number == 0 {
        return Err(format!("proto: illegal tag 0 (wire type {key})"));
    }
    let wire = match type_ {
        0 => Wire::Number(varint(rest)?),
        2 => {
            let length = varint(rest)?;
            let length = usize::try_from(length).map_err(|_| "proto: negative length found during unmarshaling".to_owned())?;
            Wire::Bytes(take(rest, length)?)
        }
        1 => take(rest, 8).map(|_| Wire::Fixed(1))?,
        5 => take(rest, 4).map(|_| Wire::Fixed(5))?,
        _ => return Err(format!("proto: illegal wireType {type_}")),
    };
    Ok((number, wire))
}

fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?.first().copied().unwrap_or_default();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("proto: integer overflow".to_owned())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, after) = rest.split_at_checked(length).ok_or_else(|| "unexpected EOF".to_owned())?;
    *rest = after;
    Ok(taken)
}
