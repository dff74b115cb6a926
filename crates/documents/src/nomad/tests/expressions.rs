//! What HCL's expressions come to.

use std::collections::BTreeMap;

use super::super::{Given, Inputs, parse};
use super::{problems, read};
use crate::model::{Command, EnvValue};

/// The value of an expression as a variable of a task.
fn value(expression: &str) -> String {
    in_job("", expression)
}

fn in_job(top: &str, expression: &str) -> String {
    let text = format!("{top}\n{}", super::job("", &format!("env = {{\n X = {expression}\n}}")));
    match &read(&text).document.workloads[0].tasks[0].env["X"] {
        EnvValue::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn wrong(expression: &str) -> String {
    problems(&super::job("", &format!("env = {{\n X = {expression}\n}}"))).join("\n")
}

#[test]
fn expressions_come_to_what_hcl_says() {
    for (expression, wanted) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 / 4", "2.5"),
        ("7 % 3", "1"),
        ("-3", "-3"),
        ("1 == 1.0 && !false", "true"),
        ("2 > 10 ? \"a\" : \"b\"", "b"),
        ("\"a${1 + 1}b\"", "a2b"),
        ("\"${true}\"", "true"),
        ("\"$${x} %%{y}\"", "${x} %{y}"),
        ("join(\",\", [for n in [1, 2, 3] : n * 2 if n != 2])", "2,6"),
        ("join(\",\", keys({for k, v in {b = 1, a = 2} : k => v}))", "a,b"),
        ("\"%{ if true }yes%{ else }no%{ endif }\"", "yes"),
        ("\"%{ for x in [\"a\", \"b\"] }${x};%{ endfor }\"", "a;b;"),
        ("[10, 20][1]", "20"),
        ("{a = {b = \"c\"}}.a.b", "c"),
        ("join(\",\", [{id = 1}, {id = 2}][*].id)", "1,2"),
        ("upper(\"abc\")", "ABC"),
        ("format(\"%03d-%-4s|%.1f%%\", 7, \"x\", 2.25)", "007-x   |2.2%"),
        ("replace(\"a-b-c\", \"-\", \"+\")", "a+b+c"),
        ("replace(\"a1b2\", \"/[0-9]/\", \"\")", "ab"),
        ("join(\",\", split(\"/\", \"a/b\"))", "a,b"),
        ("length([1, 2, 3])", "3"),
        ("lookup({a = \"x\"}, \"b\", \"y\")", "y"),
        ("merge({a = 1}, {a = 2}).a", "2"),
        ("try({}.a, \"fallback\")", "fallback"),
        ("can({}.a)", "false"),
        ("jsonencode({a = [1, true, null]})", "{\"a\":[1,true,null]}"),
        ("jsondecode(\"{\\\"a\\\": 5}\").a", "5"),
        ("base64encode(\"hi\")", "aGk="),
        ("base64decode(\"aGk=\")", "hi"),
        ("substr(\"hello\", 1, 3)", "ell"),
        ("join(\",\", sort([\"b\", \"a\"]))", "a,b"),
        ("join(\",\", flatten([[1], [2, [3]]]))", "1,2,3"),
        ("join(\"\", range(3))", "012"),
        ("max(1, 5, 3)", "5"),
        ("max([1, 5, 3]...)", "5"),
        ("trimspace(\"  x \")", "x"),
        ("title(\"a b\")", "A B"),
        ("regex(\"[0-9]+\", \"ab12\")", "12"),
        ("element([\"a\", \"b\"], 3)", "b"),
        ("parseint(\"ff\", 16)", "255"),
        ("basename(\"/a/b\")", "b"),
        ("coalesce(\"\", \"x\")", "x"),
        ("contains([1, 2], 2)", "true"),
        ("9007199254740993", "9007199254740993"),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
}

#[test]
fn a_heredoc_loses_its_indent_and_keeps_its_line_ends() {
    assert_eq!(value("<<-EOT\n    a\n      b\n    EOT\n"), "a\n  b\n");
    assert_eq!(value("<<EOT\n  a\nEOT\n"), "  a\n");
    assert_eq!(value("<<-EOT\n    x: ${1 + 1}\n    EOT\n"), "x: 2\n");
}

#[test]
fn variables_take_the_last_value_that_is_there() {
    let text = format!(
        "variable \"a\" {{\n type = string\n default = \"default\"\n}}\nvariable \"l\" {{\n type = list(number)\n default = []\n}}\n{}",
        super::job("", "env {\n A = var.a\n L = jsonencode(var.l)\n}")
    );
    let env = |inputs: &Inputs| {
        let parsed = parse(&text, inputs, None).expect("good");
        let env = parsed.document.workloads[0].tasks[0].env.clone();
        (env["A"].clone(), env["L"].clone())
    };
    let is = |a: &str, l: &str| (EnvValue::Text(a.to_owned()), EnvValue::Text(l.to_owned()));
    let mut inputs = Inputs::default();
    assert_eq!(env(&inputs), is("default", "[]"));
    inputs.environment = BTreeMap::from([("a".to_owned(), "environment".to_owned()), ("other".to_owned(), "x".to_owned())]);
    assert_eq!(env(&inputs), is("environment", "[]"));
    inputs.given.push(Given::File { name: "vars.hcl".to_owned(), text: "a = \"file\"\nl = [1, 2]\n".to_owned() });
    assert_eq!(env(&inputs), is("file", "[1,2]"));
    inputs.given.push(Given::Value { name: "a".to_owned(), value: "flag".to_owned() });
    inputs.given.push(Given::Value { name: "l".to_owned(), value: "[3]".to_owned() });
    assert_eq!(env(&inputs), is("flag", "[3]"));
    inputs.given.push(Given::File { name: "vars.json".to_owned(), text: "{\"a\": \"json\"}".to_owned() });
    assert_eq!(env(&inputs).0, EnvValue::Text("json".to_owned()));
}

#[test]
fn a_variable_without_a_value_says_how_to_give_it_one() {
    let told = problems(&format!("variable \"image\" {{\n type = string\n}}\n{}", super::job("", "")));
    assert!(
        told[0].starts_with("1:1: ") && told[0].contains("NOMAD_VAR_image") && told[0].contains("-var image=VALUE"),
        "{told:?}"
    );
}

#[test]
fn a_validation_that_does_not_hold_says_its_own_words() {
    let top = "variable \"n\" {\n type = number\n default = 7\n validation {\n condition = var.n < 5\n error_message = \"Fewer than five.\"\n }\n}\n";
    let told = problems(&format!("{top}{}", super::job("", "")));
    assert!(told[0].contains("\"n\"") && told[0].contains("Fewer than five."), "{told:?}");
}

#[test]
fn locals_may_use_each_other_in_any_order() {
    assert_eq!(in_job("locals {\n b = \"${local.a}!\"\n a = \"x\"\n}", "local.b"), "x!");
    let told = problems(&format!("locals {{\n a = local.b\n b = local.a\n}}\n{}", super::job("", "")));
    assert!(told[0].contains("local.a"), "{told:?}");
}

#[test]
fn what_only_the_task_knows_stays_and_is_no_number() {
    let text = super::job("", "env {\n A = \"${attr.unique.hostname}-x\"\n B = \"$${HOME}\"\n}");
    let task = &read(&text).document.workloads[0].tasks[0];
    assert_eq!(task.env["A"], EnvValue::Text("$(NOMAD_NODE_NAME)-x".to_owned()));
    assert_eq!(task.env["NOMAD_NODE_NAME"], EnvValue::PodField("spec.nodeName"));
    assert_eq!(task.env["B"], EnvValue::Text("${HOME}".to_owned()));
    assert!(wrong("upper(attr.cpu.arch)").contains("${attr.cpu.arch} is only known where the task runs"));
    assert!(wrong("\"${meta.rack}\"").contains("meta.rack"));
}

#[test]
fn mistakes_say_where_and_what() {
    for (expression, wanted) in [
        ("var.nope", "var.nope is not declared"),
        ("1 / 0", "division by zero"),
        ("[1][4]", "list of 1"),
        ("nope(1)", "no function \"nope\""),
        ("file(\"/etc/passwd\")", "reads files"),
        ("timestamp()", "clock"),
        ("upper()", "wants 1 arguments"),
        ("{a = 1}.b", "there is no \"b\", only a"),
        ("\"a${[1]}\"", "a list cannot be part of a string"),
        ("!\"x\"", "expected true or false"),
        ("join(\",\", 5)", "argument 2 of join() should be a list"),
        ("range(1, 0, 1)", "step"),
        ("[1, 2", "not HCL"),
    ] {
        let told = wrong(expression);
        assert!(told.contains(wanted), "{expression}: {told}");
    }
    assert!(wrong("var.nope").starts_with("10:6: env: "), "{}", wrong("var.nope"));
}

#[test]
fn a_dynamic_block_is_written_out() {
    let text = super::job(
        "dynamic \"volume\" {\n for_each = [\"a\", \"b\"]\n iterator = it\n labels = [it.value]\n content {\n type = \"csi\"\n source = \"vol-${it.key}\"\n access_mode = \"multi-node-multi-writer\"\n attachment_mode = \"file-system\"\n }\n}",
        "dynamic \"volume_mount\" {\n for_each = toset([\"a\", \"b\"])\n content {\n volume = volume_mount.value\n destination = \"/srv/${volume_mount.value}\"\n }\n}",
    );
    let workload = &read(&text).document.workloads[0];
    assert_eq!(workload.volumes[1].alias, "b");
    assert_eq!(workload.tasks[0].mounts.len(), 4, "two of its own, and the folders of every task");
}

#[test]
fn maps_may_be_attributes_or_blocks() {
    for map in ["env = {\n A = \"1\"\n}", "env {\n A = \"1\"\n}", "env = {\n \"A\" : 1,\n}"] {
        let task = read(&super::job("", map)).document.workloads[0].tasks[0].clone();
        assert_eq!(task.env["A"], EnvValue::Text("1".to_owned()), "{map}");
    }
    let text = "job \"j\" {\n group \"g\" {\n task \"t\" {\n driver = \"exec\"\n config = {\n command = \"/bin/true\"\n args = [\"a\"]\n }\n }\n }\n}";
    let task = &read(text).document.workloads[0].tasks[0];
    assert_eq!(task.command, Command::Argv(vec!["/bin/true".to_owned(), "a".to_owned()]));
}

#[test]
fn a_page_of_loops_does_not_fill_the_memory() {
    let bomb = "locals {\n a = join(\"\", [for i in range(1000) : \"xxxxxxxxxxxxxxxxxxxx\"])\n b = join(\"\", [for i in range(1000) : local.a])\n c = join(\"\", [for i in range(1000) : local.b])\n}\n";
    let told = problems(&format!("{bomb}{}", super::job("", "")));
    assert!(told[0].contains("grows beyond"), "{told:?}");
}
