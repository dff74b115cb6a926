//! Whatever is in a file: a plugin that can be run, or one problem. Never a panic, never half of a plugin.

use proptest::prelude::*;

use super::documents;
use crate::How;
use crate::config::parse;

/// JSON that looks like the real thing here and there.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        Just("type".to_owned()),
        Just("name".to_owned()),
        Just("containers".to_owned()),
        Just("endpoints".to_owned()),
        Just("services".to_owned()),
        Just("command".to_owned()),
        Just("value".to_owned()),
        Just("resources".to_owned()),
        Just("container".to_owned()),
        Just("scalar".to_owned()),
        Just("environment".to_owned()),
        Just("variables".to_owned()),
        Just("secret".to_owned()),
        Just("volumes".to_owned()),
        Just("csi_service".to_owned()),
        Just("endpoint".to_owned()),
        Just("docker".to_owned()),
        Just("image".to_owned()),
        Just("target_path_root".to_owned()),
        Just("arguments".to_owned()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        prop_oneof![
            Just("NODE_SERVICE".to_owned()),
            Just("/s".to_owned()),
            Just("DOCKER".to_owned()),
            Just("SCALAR".to_owned()),
            ".{0,12}"
        ]
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Whatever comes out is a plugin that can be run, or one problem that names the file.
fn sound(text: &[u8]) {
    match parse("p.json", text) {
        Err(problem) => assert!(problem.to_string().starts_with("p.json:")),
        Ok(info) => {
            assert!(!info.plugin.parts.is_empty());
            let mut seen = std::collections::BTreeSet::new();
            for part in &info.plugin.parts {
                assert!(!part.services.is_empty());
                assert!(part.services.iter().all(|service| seen.insert(*service)), "each service is served once");
                if let How::Endpoint(socket) = &part.how {
                    assert!(socket.is_absolute());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        sound(text.as_bytes());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        sound(&bytes);
    }

    #[test]
    fn no_json_makes_it_panic(value in json()) {
        sound(value.to_string().as_bytes());
    }

    #[test]
    fn a_cut_or_changed_document_is_a_plugin_or_a_problem(cut in 0usize..1500, byte in any::<u8>(), at in 0usize..1500) {
        let mut text = std::fs::read(documents().join("everything.json")).expect("a document");
        let length = text.len();
        text[at % length] = byte;
        text.truncate(cut);
        sound(&text);
    }
}
