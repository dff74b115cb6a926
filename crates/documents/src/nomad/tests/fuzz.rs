//! Nothing that can be typed is too odd: whatever comes in, a whole document or problems go out.

use proptest::prelude::*;

use super::super::{Inputs, form, parse};
use super::file;

const FILES: [&str; 12] = [
    "csi-plugin.damaged.hcl",
    "plugin-efs.damaged.hcl",
    "plugin-efs.hcl",
    "hostpath.hcl",
    "hostpath-volume.hcl",
    "hostpath-consumer.hcl",
    "ebs-controller.hcl",
    "ebs-volume.hcl",
    "nfs.hcl",
    "api-job.json",
    "hcl-job.json",
    "api-volumes.json",
];

fn whole_or_nothing(text: &str) {
    form(text);
    if let Err(problems) = parse(text, &Inputs::default(), None) {
        assert!(!problems.0.problems.is_empty(), "refused without a reason: {text:?}");
        assert!(problems.0.problems.iter().all(|problem| !problem.reason.is_empty()), "{text:?}");
    }
}

/// Words of the language, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "job",
        "group",
        "task",
        "\"a\"",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\n",
        " ",
        "=",
        ",",
        ":",
        "for",
        "in",
        "if",
        "var.x",
        "local.y",
        "${",
        "}",
        "%{",
        "~",
        "<<EOT\n",
        "EOT\n",
        "\"",
        "\\",
        "1",
        "-",
        "!",
        "?",
        "...",
        "[*]",
        ".*",
        "volume",
        "csi_plugin",
        "config",
        "env",
        "variable",
        "locals",
        "dynamic",
        "content",
        "for_each",
        "range(9999999)",
        "format(\"%9999s\", 1)",
        "substr(\"ä\", -9, 3)",
        "null",
        "true",
        "id",
        "plugin_id",
        "capability",
        "ä",
        "\u{0}",
        "/*",
        "*/",
        "#",
        "//",
        "=>",
        "0x1",
        "1e999",
        "merge(",
        "element([], 0)",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

/// A document with a piece cut out, doubled, or overwritten.
fn damaged() -> impl Strategy<Value = String> {
    let file = (0..FILES.len()).prop_map(|index| file(FILES[index]));
    (file, any::<prop::sample::Index>(), 0_usize..40, ".{0,6}", any::<bool>()).prop_map(|(text, at, length, typed, doubled)| {
        let chars: Vec<char> = text.chars().collect();
        let start = at.index(chars.len());
        let end = (start + length).min(chars.len());
        let cut: String = if doubled { chars[start..end].iter().collect() } else { String::new() };
        chars[..end]
            .iter()
            .take(if doubled { end } else { start })
            .chain(cut.chars().collect::<Vec<_>>().iter())
            .collect::<String>()
            + &typed
            + &chars[end..].iter().collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_words_of_hcl_are_read_or_refused(text in words()) {
        whole_or_nothing(&text);
    }

    #[test]
    fn any_damage_to_a_document_is_read_or_refused(text in damaged()) {
        whole_or_nothing(&text);
    }

    #[test]
    fn any_expression_has_a_value_or_none(text in words()) {
        whole_or_nothing(&super::job("", &format!("env = {{\n X = {text}\n}}")));
    }
}

#[test]
fn no_depth_is_too_deep() {
    for part in ["(", "[", "{", "!", "-", "\"${", "a{\n", "{\"a\":", "[{", "f(", "a ? b : ", "[for x in ", "%{if x}", "1 + ("] {
        let deep = part.repeat(20_000);
        whole_or_nothing(&deep);
        whole_or_nothing(&format!("x = {deep}"));
        whole_or_nothing(&format!("id = {deep}\nplugin_id = 1\ncapability {{}}\n"));
        whole_or_nothing(&format!("x = \"{deep}\""));
    }
    let text = format!("x = {}1", "1 + ".repeat(100_000));
    whole_or_nothing(&text);
    whole_or_nothing(&"a".repeat(2 << 20));
    whole_or_nothing(&format!("{{\"job\": {}1{}}}", "[".repeat(120), "]".repeat(120)));
}
