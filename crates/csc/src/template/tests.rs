use csi_proto::csi::v1 as csi;
use proptest::prelude::*;

use super::*;

/// Made once: ten thousand cases look at it.
fn answer() -> Value {
    static ANSWER: std::sync::LazyLock<Value> = std::sync::LazyLock::new(made);
    ANSWER.clone()
}

fn made() -> Value {
    let volume = |id: &str, bytes: i64, context: &[(&str, &str)]| csi::Volume {
        volume_id: id.into(),
        capacity_bytes: bytes,
        volume_context: context.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Default::default()
    };
    let entry = |volume, nodes: &[&str]| csi::list_volumes_response::Entry {
        volume: Some(volume),
        status: (!nodes.is_empty()).then(|| csi::list_volumes_response::VolumeStatus {
            published_node_ids: nodes.iter().map(|node| (*node).to_owned()).collect(),
        }),
    };
    let reply = csi::ListVolumesResponse {
        entries: vec![
            entry(volume("v-1", 4096, &[("a", "1"), ("b", "x y")]), &["n1", "n2"]),
            entry(volume("v \"2\"", 0, &[]), &[]),
        ],
        next_token: "t".into(),
    };
    Value::answer(&reply).unwrap()
}

fn render(format: &str) -> String {
    Template::parse(format).and_then(|template| template.render(&answer())).unwrap_or_else(|error| panic!("{error}"))
}

fn fails(format: &str) -> String {
    Template::parse(format).and_then(|template| template.render(&answer())).unwrap_err().to_string()
}

#[test]
fn cscs_own_formats_work_word_for_word() {
    let volume = "{{printf \"%q\\t%d\" .VolumeId .CapacityBytes}}{{if .VolumeContext}}{{\"\\t\"}}\
                  {{range $k, $v := .VolumeContext}}{{printf \"%q=%q\\t\" $k $v}}{{end}}{{end}}{{\"\\n\"}}";
    let list = format!(
        "{{{{range $k, $v := .Entries}}}}{{{{with $v.Volume}}}}{volume}{{{{end}}}}{{{{end}}}}\
         {{{{if .NextToken}}}}{{{{printf \"token=%q\\n\" .NextToken}}}}{{{{end}}}}"
    );
    assert_eq!(render(&list), "\"v-1\"\t4096\t\"a\"=\"1\"\t\"b\"=\"x y\"\t\n\"v \\\"2\\\"\"\t0\ntoken=\"t\"\n");
}

#[test]
fn fields_have_gos_names_or_those_of_the_specification() {
    for format in
        ["{{.NextToken}}", "{{.next_token}}", "{{.GetNextToken}}", "{{$.NextToken}}", "{{with .Entries}}{{$.NextToken}}{{end}}"]
    {
        assert_eq!(render(format), "t", "{format}");
    }
    assert_eq!(render("{{(index .Entries 0).Volume.VolumeContext.a}}"), "1");
}

#[test]
fn what_a_driver_left_out_is_nothing_and_has_nothing() {
    assert_eq!(render("{{with (index .Entries 1).Status}}no{{else}}none{{end}}"), "none");
    assert_eq!(render("{{(index .Entries 1).Status.PublishedNodeIds}}"), "<no value>");
    assert_eq!(render("{{(index .Entries 1).Volume.VolumeContext.a}}"), "<no value>");
}

#[test]
fn control_flow_is_gos() {
    assert_eq!(render("{{range .Entries}}{{.Volume.VolumeId}};{{end}}"), "v-1;v \"2\";");
    assert_eq!(render("{{range $i, $e := .Entries}}{{if $i}}, {{end}}{{$e.Volume.CapacityBytes}}{{end}}"), "4096, 0");
    assert_eq!(render("{{range .Entries}}{{break}}x{{else}}none{{end}}"), "");
    assert_eq!(render("{{range .Entries}}{{if eq .Volume.VolumeId \"v-1\"}}{{continue}}{{end}}x{{end}}"), "x");
    assert_eq!(render("{{range (index .Entries 1).Volume.VolumeContext}}x{{else}}none{{end}}"), "none");
    assert_eq!(render("{{if false}}a{{else if eq 1 2 1}}b{{else}}c{{end}}"), "b");
    assert_eq!(render("{{$n := 0}}{{range .Entries}}{{$n = .Volume.CapacityBytes}}{{end}}{{$n}}"), "0");
    assert_eq!(render("a  {{- /* not shown */ -}}  b {{- \"c\" -}} d"), "abcd");
}

#[test]
fn functions_and_verbs_are_gos() {
    for (format, expected) in [
        ("{{len .Entries}} {{len .NextToken}}", "2 1"),
        (
            "{{printf \"%-5s|%5s|%05d|%+d|%x|%t|%v|%%\" \"ab\" \"cd\" -42 7 255 true .NextToken}}",
            "ab   |   cd|-0042|+7|ff|true|t|%",
        ),
        ("{{\"x\" | printf \"%s-%s\" \"y\"}}", "y-x"),
        ("{{and 1 0 2}} {{or 0 \"\" 3}} {{not 0}}", "0 3 true"),
        ("{{if and (gt 2 1) (le 1 1) (ne \"a\" \"b\")}}yes{{end}}", "yes"),
        ("{{print 1 2 \"a\" 3}}|{{println \"a\" 1}}", "1 2a3|a 1\n"),
        ("{{join (index .Entries 0).Status.PublishedNodeIds \",\"}}", "n1,n2"),
        ("{{(index .Entries 0).Status.PublishedNodeIds}} {{(index .Entries 0).Volume.VolumeContext}}", "[n1 n2] map[a:1 b:x y]"),
        ("{{json (index .Entries 0).Status}}", "{\"published_node_ids\":[\"n1\",\"n2\"]}"),
        ("{{`raw \\n`}}{{upper \"a\"}}{{0x1F}}", "raw \\nA31"),
        ("{{or (index .Entries 1).Status \"none\"}}", "none"),
    ] {
        assert_eq!(render(format), expected, "{format}");
    }
}

#[test]
fn an_enumeration_is_its_name_and_its_number() {
    use csi::controller_service_capability::{Rpc, Type, rpc};
    let rpc = Rpc { r#type: rpc::Type::ListVolumes.into() };
    let reply = csi::ControllerGetCapabilitiesResponse {
        capabilities: vec![csi::ControllerServiceCapability { r#type: Some(Type::Rpc(rpc)) }],
    };
    let format =
        "{{range .Capabilities}}{{.Type.Rpc.Type}} {{printf \"%d\" .GetRpc.Type}} {{eq .Rpc.Type \"LIST_VOLUMES\"}}{{end}}";
    let text = Template::parse(format).unwrap().render(&Value::answer(&reply).unwrap()).unwrap();
    assert_eq!(text, "LIST_VOLUMES 3 true");
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (format, place, what) in [
        ("a\n{{.NextTokn}}", ":2:3:", "ListVolumesResponse has no field NextTokn; it has Entries, NextToken"),
        ("{{range .Entries}}", ":1:3:", "has no {{end}}"),
        ("{{end}}", ":1:3:", "nothing is open here"),
        ("{{if 1}}{{else}}{{else}}{{end}}", ":1:19:", "a second else"),
        ("{{.NextToken", ":1:1:", "not closed"),
        ("{{\"abc}}", ":1:3:", "not closed"),
        ("{{$x}}", ":1:3:", "$x is not declared"),
        ("{{$x = 1}}", ":1:6:", "write :="),
        ("{{foo 1}}", ":1:3:", "there is no function foo"),
        ("{{template \"x\"}}", ":1:3:", "not supported"),
        ("{{break}}", ":1:3:", "outside of range"),
        ("{{printf \"%d\" .NextToken}}", ":1:3:", "%d does not show a text"),
        ("{{printf \"%d\"}}", ":1:3:", "no value left"),
        ("{{printf \"x\" 1}}", ":1:3:", "no verb"),
        ("{{printf \"%z\" 1}}", ":1:3:", "%z is not among"),
        ("{{index .Entries 7}}", ":1:3:", "index 7 of a list of 2"),
        ("{{lt .Entries 7}}", ":1:3:", "cannot be compared"),
        ("{{range .NextToken}}{{end}}", ":1:9:", "this is a text"),
        ("{{1.5}}", ":1:3:", "whole number"),
        ("{{.NextToken 1}}", ":1:14:", "takes no arguments"),
        ("{{}}", ":1:3:", "expected a value"),
        ("ü{{.X}}", ":1:4:", "no field X"),
    ] {
        let said = fails(format);
        assert!(said.starts_with(&format!("--format{place}")) && said.contains(what), "{format}: {said}");
    }
}

#[test]
fn deep_nesting_is_refused_and_no_stack_overflows() {
    let many = |word: &str| word.repeat(100_000);
    for format in ["{{".to_owned() + &many("(") + "}}", many("{{if 1}}"), "{{if 1}}".to_owned() + &many("{{else if 1}}")] {
        let said = fails(&format);
        assert!(said.contains("in each other") && said.len() < 500, "{said}");
    }
}

/// A word of a template, or anything.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "{{",
        "}}",
        "{{",
        "}}",
        "{{- ",
        " -}}",
        "if ",
        "range ",
        "with ",
        "end",
        "else ",
        "break",
        "$x",
        ":=",
        "=",
        ".Entries",
        ".Volume",
        ".",
        "printf ",
        "index ",
        "len ",
        "|",
        "(",
        ")",
        "\"%5d\"",
        "\"%-99.2s\"",
        "\"%q%v\"",
        "`",
        " ",
        "7",
        "-1",
        "/*",
        "*/",
        "true",
        "nil",
        ",",
    ];
    prop_oneof![9 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_text_is_a_template_or_an_error(words in proptest::collection::vec(word(), 0..24)) {
        if let Ok(template) = Template::parse(&words.concat()) {
            let _ = template.render(&answer());
        }
    }

    #[test]
    fn a_text_without_actions_is_itself(text in proptest::string::string_regex("[^{]{0,32}").expect("a pattern")) {
        prop_assert_eq!(render(&text), text);
    }
}
