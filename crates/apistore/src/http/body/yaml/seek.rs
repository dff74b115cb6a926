//! Where in a YAML text a key stands that was there before. Nothing but an error of the deserializer says so: the key that is
//! sought is made one.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many are looked for: each costs a reading of the whole text.
const MOST: usize = 32;

/// The line and the text of the duplicate key with this index; `None` if it is one of too many.
pub(super) fn duplicate(text: &str, index: usize) -> Option<(usize, String)> {
    if index >= MOST {
        return None;
    }
    let mut sought = Sought { before: index, found: None };
    let first = serde_yaml::Deserializer::from_str(text).next()?;
    let error = Inside(&mut sought).deserialize(first).err()?;
    Some((error.location()?.line(), sought.found?))
}

struct Sought {
    /// How many come before it.
    before: usize,
    found: Option<String>,
}

/// A value, which may have maps in it.
struct Inside<'s>(&'s mut Sought);

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut known = BTreeSet::new();
        while map.next_key_seed(Key { sought: &mut *self.0, known: &mut known })?.is_some() {
            map.next_value_seed(Inside(&mut *self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Inside(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        tagged.variant::<IgnoredAny>().map(|_| ())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// A key of a map, as a text.
struct Key<'s> {
    sought: &'s mut Sought,
    known: &'s mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        if self.known.insert(key.to_owned()) {
            return Ok(());
        }
        match self.sought.before.checked_sub(1) {
            Some(before) => {
                self.sought.before = before;
                Ok(())
            }
            None => {
                self.sought.found = Some(key.to_owned());
                Err(E::custom("it is this one"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::duplicate;

    #[test]
    fn a_key_that_was_there_before_is_found_by_its_line() {
        let text = "a: 1\nb:\n  c: 1\n  d: [{e: 1, e: 2}]\n  c.x: 2\n  c.x: 3\na: 2\n";
        assert_eq!(duplicate(text, 0), Some((4, "e".to_owned())));
        assert_eq!(duplicate(text, 1), Some((6, "c.x".to_owned())));
        assert_eq!(duplicate(text, 2), Some((7, "a".to_owned())));
        assert_eq!(duplicate(text, 3), None);
        assert_eq!(duplicate("{\"k\":1,\"k\":2}", 0), Some((1, "k".to_owned())));
    }
}
