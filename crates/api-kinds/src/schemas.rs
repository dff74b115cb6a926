//! The schemas of the built-in kinds, from tables of facts under `schemas/` that `hack/schema` writes.
//!
//! A definition is its name, and a line for each field. The notation:
//!
//! | text | meaning |
//! |---|---|
//! | `PodSpec`, `Foo:pkg.Foo`, `Foo atomic` | a definition; Go calls it `v1.PodSpec`, or what is behind the colon; owned as one by apply |
//! | `name string` | a field, left out when empty (`int32`, `int64`, `float64`, `bool`, `bytes`, `Time`, `MicroTime`, `Quantity`, `IntOrString`, `any`, or a definition) |
//! | `VolumeSource.csi …` | a field that an embedded Go struct brings along |
//! | `[string]`, `{string}` | a list, a map |
//! | `string:v1.PodPhase` | what Go calls the type, where it does not follow |
//! | `?`, `!`, `?!` behind the type | stays as sent; always there; always there, as null if not sent |
//! | `set`, `map(name,protocol=TCP)` | how apply tells elements apart; an absent key counts as what stands behind `=`, or as the empty value; `name?` must be there |
//! | `merge`, `merge(name)`, `retainKeys` | how a strategic merge patch treats the list |
//! | `atomic`, `granular` | whether apply owns the map or object as one, where it is not what the definition says |

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use apimachinery::Schema;
use apimachinery::schema::{Fields, GoType, ListKey, ListType, Presence, Shape};
use serde_json::Value;

const TABLES: [&str; 6] = [
    include_str!("schemas/meta.txt"),
    include_str!("schemas/core.txt"),
    include_str!("schemas/storage.txt"),
    include_str!("schemas/coordination.txt"),
    include_str!("schemas/events.txt"),
    include_str!("schemas/apiextensions.txt"),
];

/// The schema of a built-in kind: the served ones, and `Binding`, the body of a pod's `binding`. The other group's shape of an
/// event is `events.Event`.
pub fn schema(kind: &str) -> Option<Arc<Schema>> {
    static KINDS: OnceLock<BTreeMap<&'static str, Arc<Schema>>> = OnceLock::new();
    KINDS.get_or_init(kinds).get(kind).cloned()
}

/// All kinds: definitions with `apiVersion` and `metadata`. What they are made of is shared between them.
fn kinds() -> BTreeMap<&'static str, Arc<Schema>> {
    let mut builder = Builder { definitions: definitions(), made: BTreeMap::new() };
    let is_kind = |definition: &Definition| {
        ["apiVersion ", "metadata "].iter().all(|field| definition.fields.iter().any(|line| line.starts_with(field)))
    };
    let names: Vec<&str> =
        builder.definitions.iter().filter(|(_, definition)| is_kind(definition)).map(|(name, _)| *name).collect();
    names.into_iter().map(|name| (name, builder.field(name, Presence::AsSent, "", Attributes::default()))).collect()
}

/// A definition as it is written.
struct Definition {
    go_name: String,
    atomic: bool,
    fields: Vec<&'static str>,
}

fn definitions() -> BTreeMap<&'static str, Definition> {
    let mut definitions = BTreeMap::new();
    for block in TABLES.iter().flat_map(|table| table.split("\n\n")).filter(|block| !block.starts_with('#')) {
        let mut lines = block.lines();
        let Some(head) = lines.next() else { continue };
        let (full, atomic) = head.split_once(' ').map_or((head, false), |(full, word)| (full, word == "atomic"));
        let (name, go_name) =
            full.split_once(':').map_or_else(|| (full, format!("v1.{full}")), |(name, go)| (name, go.to_owned()));
        definitions.insert(name, Definition { go_name, atomic, fields: lines.map(str::trim).collect() });
    }
    definitions
}

/// What stands behind a field's type.
#[derive(Default)]
struct Attributes {
    list: Option<ListType>,
    atomic: Option<bool>,
    merge_key: Option<Box<str>>,
    retain_keys: bool,
}

struct Builder {
    definitions: BTreeMap<&'static str, Definition>,
    /// What was made already, by all that was said of it.
    made: BTreeMap<String, Arc<Schema>>,
}

impl Builder {
    /// The schema of a field from its line: name, type, attributes.
    fn line(&mut self, line: &'static str) -> (Box<str>, Arc<Schema>) {
        let (name, rest) = line.split_once(' ').unwrap_or_else(|| unreachable!("a field without a type: {line}"));
        let (embedded, name) = name.split_once('.').unwrap_or(("", name));
        let said = format!("{embedded} {rest}");
        if let Some(made) = self.made.get(&said) {
            return (name.into(), made.clone());
        }
        let (text, attributes) = rest.split_once(' ').unwrap_or((rest, ""));
        let (text, presence) = match text.strip_suffix("?!") {
            Some(text) => (text, Presence::Nullable),
            None => match text.strip_suffix('?') {
                Some(text) => (text, Presence::AsSent),
                None => text.strip_suffix('!').map_or((text, Presence::NotEmpty), |text| (text, Presence::Always)),
            },
        };
        let attributes = self.attributes(text, attributes);
        let schema = self.field(text, presence, embedded, attributes);
        self.made.insert(said, schema.clone());
        (name.into(), schema)
    }

    fn attributes(&self, text: &str, words: &str) -> Attributes {
        let mut attributes = Attributes::default();
        for word in words.split_whitespace() {
            let (word, inside) = word.strip_suffix(')').and_then(|word| word.split_once('(')).unwrap_or((word, ""));
            match word {
                "set" => attributes.list = Some(ListType::Set),
                "map" => {
                    attributes.list = Some(ListType::Map { keys: inside.split(',').map(|key| self.key(text, key)).collect() })
                }
                "atomic" => attributes.atomic = Some(true),
                "granular" => attributes.atomic = Some(false),
                "merge" => attributes.merge_key = Some(inside.into()),
                "retainKeys" => attributes.retain_keys = true,
                _ => unreachable!("an unknown word: {word}"),
            }
        }
        attributes
    }

    /// A key of a list of `text`, with its default: what is said, or the empty value of the field in the element.
    fn key(&self, text: &str, key: &str) -> ListKey {
        if let Some(name) = key.strip_suffix('?') {
            return ListKey { name: name.into(), default: None };
        }
        if let Some((name, default)) = key.split_once('=') {
            return ListKey { name: name.into(), default: Some(default.into()) };
        }
        let element = self.definitions.get(text.trim_matches(['[', ']']));
        let number = element.is_some_and(|element| element.fields.iter().any(|line| line.starts_with(&format!("{key} int"))));
        ListKey { name: key.into(), default: Some(if number { 0.into() } else { Value::from("") }) }
    }

    fn field(&mut self, text: &'static str, presence: Presence, embedded: &str, attributes: Attributes) -> Arc<Schema> {
        let (shape, go_name) = self.shape(text, &attributes);
        let mut schema = Schema::of(shape);
        schema.strategy.merge_key = attributes.merge_key;
        schema.strategy.retain_keys = attributes.retain_keys;
        schema.go = Some(GoType { name: go_name.into(), embedded: embedded.into(), presence });
        Arc::new(schema)
    }

    /// What is inside a list or a map: shared between all that say the same.
    fn inside(&mut self, text: &'static str) -> Arc<Schema> {
        if let Some(made) = self.made.get(text) {
            return made.clone();
        }
        let schema = self.field(text, Presence::AsSent, "", Attributes::default());
        self.made.insert(text.to_owned(), schema.clone());
        schema
    }

    fn shape(&mut self, text: &'static str, attributes: &Attributes) -> (Shape, String) {
        for (open, close) in [('[', ']'), ('{', '}')] {
            let Some(inner) = text.strip_prefix(open) else { continue };
            let (inner, after) = inner.rsplit_once(close).unwrap_or_else(|| unreachable!("{text} is not closed"));
            let go_name = after.strip_prefix(':').unwrap_or_default().to_owned();
            let inside = self.inside(inner);
            let shape = match open {
                '[' => Shape::List { items: inside, list: attributes.list.clone().unwrap_or(ListType::Atomic) },
                _ => Shape::Map { values: inside, granular: attributes.atomic != Some(true) },
            };
            return (shape, go_name);
        }
        let (base, go_name) = text.split_once(':').unwrap_or((text, ""));
        let shape = match base {
            "string" => Shape::String,
            "int32" => return (Shape::Integer, "int32".to_owned()),
            "int64" => Shape::Integer,
            "float64" => Shape::Number,
            "bool" => Shape::Boolean,
            "bytes" => Shape::Bytes,
            "Time" => Shape::Time,
            "MicroTime" => Shape::MicroTime,
            "Quantity" => Shape::Quantity,
            "IntOrString" => Shape::IntOrString,
            "any" => Shape::Any,
            _ => return self.object(base, attributes),
        };
        (shape, go_name.to_owned())
    }

    fn object(&mut self, name: &str, attributes: &Attributes) -> (Shape, String) {
        let Some(definition) = self.definitions.get(name) else { unreachable!("no definition of {name}") };
        let (go_name, atomic, lines) = (definition.go_name.clone(), definition.atomic, definition.fields.clone());
        let known = lines.into_iter().map(|line| self.line(line)).collect();
        let fields = Fields { known, atomic: attributes.atomic.unwrap_or(atomic), ..Fields::default() };
        (Shape::Object(fields), go_name)
    }
}

#[cfg(test)]
mod tests;
