use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn fields_keep_their_order_and_their_reasons() {
    let map = Map::new()
        .with("kind", "Pod")
        .with("apiVersion", "v1")
        .with("spec", Map::new().with("list", vec![Map::new().with("b", 1).with("a", true)]).with("empty", Map::new()))
        .because("kind", "it runs\nonce");
    assert_eq!(map.to_yaml(), "kind: Pod # it runs once\napiVersion: v1\nspec:\n  list:\n  - b: 1\n    a: true\n  empty: {}\n");
    assert_eq!(
        map.to_json(),
        json!({ "kind": "Pod", "apiVersion": "v1", "spec": { "list": [{ "b": 1, "a": true }], "empty": {} } })
    );
}

/// What YAML 1.1 takes for something else than a text, and what looks like syntax.
const ODD: [&str; 40] = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "N",
    "true",
    "False",
    "null",
    "Null",
    "~",
    "",
    "0644",
    "0o17",
    "0x1f",
    "1e3",
    "1_000",
    "12:30:45",
    "2024-01-01",
    ".5",
    ".inf",
    ".NaN",
    "-1",
    "+1",
    "- a",
    "a: b",
    "a #b",
    "#",
    "&a",
    "*a",
    "!t",
    "%d",
    "@x",
    "`",
    "<<",
    "=",
    "a\nb\n",
    "a\n\n b\n\n",
    "  a",
    "a\t",
];

fn back(map: &Map) -> Value {
    let text = map.to_yaml();
    let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    serde_json::to_value(value).expect("JSON")
}

#[test]
fn a_text_that_looks_like_something_else_stays_a_text() {
    for text in ODD {
        let map = Map::new().with("value", text).with(text, vec![text, "z"]);
        assert_eq!(back(&map), map.to_json(), "{}", map.to_yaml());
        let yaml = Map::new().with("value", text).to_yaml();
        assert!(
            !yaml.contains(&format!("value: {text}\n")) || text.contains('\n'),
            "{yaml} would be read by YAML 1.1 as no text"
        );
    }
}

#[test]
fn lines_of_a_script_stay_lines() {
    let map = Map::new().with("script", "set -e\n\nif a; then\n  b\nfi\n");
    assert_eq!(map.to_yaml(), "script: |\n  set -e\n\n  if a; then\n    b\n  fi\n");
}

fn node() -> impl Strategy<Value = Node> {
    let odd = proptest::sample::select(&ODD[..]).prop_map(Node::from);
    let leaf = prop_oneof![
        odd,
        ".{0,12}".prop_map(Node::from),
        "[ a\n:#-]{0,8}".prop_map(Node::from),
        any::<i64>().prop_map(Node::from),
        any::<bool>().prop_map(Node::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Node::List),
            proptest::collection::vec((".{0,6}", inner), 0..4).prop_map(|fields| {
                let mut map = Map::new();
                for (name, value) in fields {
                    map.set(&name, value);
                }
                Node::Map(map)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_is_written_is_read_back(node in node()) {
        let map = Map::new().with("value", node);
        let text = map.to_yaml();
        let read = serde_yaml::from_str::<serde_yaml::Value>(&text);
        prop_assert!(read.is_ok(), "{:?}: {}", read, text);
        prop_assert_eq!(serde_json::to_value(read.expect("checked")).expect("JSON"), map.to_json(), "{}", text);
    }
}
