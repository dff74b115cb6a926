//! What stands behind the question mark.

/// The parameters, in order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query. A parameter that is escaped wrongly, or has a semicolon, is left out.
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|part| !part.is_empty() && !part.contains(';')).filter_map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((unescape(name, true)?, unescape(value, true)?))
        });
        Self(pairs.collect())
    }

    /// The first of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first of this name; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All of this name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A truth value: there, and neither `false` nor `0`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| !(value.eq_ignore_ascii_case("false") || value == "0"))
    }
}

/// `%41` is `A`; `plus`: and `+` is a space. `None` for what is escaped wrongly or is no UTF-8 then.
pub(super) fn unescape(text: &str, plus: bool) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_unescaped_and_broken_ones_dropped() {
        let query = Query::parse("a=b%20c+d&a=2&bad=%zz&flag&x=1;y=2&off=False&zero=0&on=bogus");
        assert_eq!(query.all("a"), ["b c d", "2"]);
        assert_eq!(query.get("bad"), None);
        assert_eq!(query.get("x"), None);
        assert_eq!(
            [query.flag("flag"), query.flag("off"), query.flag("zero"), query.flag("on"), query.flag("no")],
            [Some(true), Some(false), Some(false), Some(true), None]
        );
    }
}
