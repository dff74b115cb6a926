use proptest::prelude::*;

use super::*;

fn scope() -> TemplateScope {
    TemplateScope::volume("pvc-1", "team-a", "data", &BTreeMap::from([("example.com/key".to_owned(), "gold".to_owned())]))
}

fn template(name: &str, namespace: &str) -> SecretTemplate {
    SecretTemplate { name: name.to_owned(), namespace: namespace.to_owned() }
}

#[test]
fn a_secret_is_never_shown() {
    let secret: Secret = [("password", "hunter2")].into_iter().collect();
    assert_eq!(format!("{secret:?}"), "***");
    assert_eq!(secret.expose()["password"], "hunter2");
}

#[test]
fn a_value_that_is_not_text_is_refused_by_its_key() {
    assert_eq!(Secret::from_data([("key".to_owned(), vec![0xff])]).unwrap_err(), "key");
    assert!(Secret::from_data([("key".to_owned(), b"ok".to_vec())]).is_ok());
}

#[test]
fn templates_resolve_to_the_object_that_is_meant() {
    let table = [
        ("plain", "ns", "ns/plain"),
        ("${pvc.name}-key", "${pvc.namespace}", "team-a/data-key"),
        ("${pv.name}.x", "${pv.name}", "pvc-1/pvc-1.x"),
        ("${pvc.annotations['example.com/key']}", "ns", "ns/gold"),
        ("a${}b", "ns", "ns/ab"),
        ("${pvc.namespace}", "ns", "ns/team-a"),
    ];
    for (name, namespace, want) in table {
        assert_eq!(template(name, namespace).resolve(&scope()).unwrap().to_string(), want);
    }
}

#[test]
fn unknown_tokens_are_listed_sorted_and_once() {
    let error = template("${z}${a}-$b-${z}", "ns").resolve(&scope()).unwrap_err();
    let TemplateError::UnknownTokens { tokens, .. } = error else { panic!("{error}") };
    assert_eq!(tokens, ["a", "b", "z"]);
}

#[test]
fn the_claims_name_and_annotations_do_not_choose_a_namespace() {
    for namespace in ["${pvc.name}", "${pvc.annotations['example.com/key']}"] {
        assert!(matches!(template("x", namespace).resolve(&scope()), Err(TemplateError::UnknownTokens { .. })), "{namespace}");
    }
}

#[test]
fn a_result_that_cannot_name_an_object_is_refused() {
    assert!(matches!(template("Upper", "ns").resolve(&scope()), Err(TemplateError::Name { .. })));
    assert!(matches!(template("a..b", "ns").resolve(&scope()), Err(TemplateError::Name { .. })));
    assert!(matches!(template("", "ns").resolve(&scope()), Err(TemplateError::Name { .. })));
    assert!(matches!(template("x", "a.b").resolve(&scope()), Err(TemplateError::Namespace { .. })));
    assert!(matches!(template("x", &"n".repeat(64)).resolve(&scope()), Err(TemplateError::Namespace { .. })));
}

#[test]
fn a_dollar_means_what_go_means_by_it() {
    let table = [
        ("a$", "a$"),
        ("a$.b", "a$.b"),
        ("a$b.c", "a<b>.c"),
        ("$1x", "<1>x"),
        ("$$x", "<$>x"),
        ("${*}", "<*>"),
        ("${}x", "x"),
        ("${open", "open"),
        ("${a b}", "<a b>"),
    ];
    for (text, want) in table {
        assert_eq!(expand(text, |word| Some(format!("<{word}>"))), want, "{text}");
    }
}

#[test]
fn only_templates_with_annotations_need_the_whole_claim() {
    assert!(template("${pvc.annotations['a']}", "ns").uses_annotations());
    assert!(!template("${pvc.name}", "ns").uses_annotations());
}

proptest! {
    #[test]
    fn no_template_panics(text in "[$a-c{}'.\\[\\]\u{e9}*1 ]{0,20}") {
        let _ = template(&text, &text).resolve(&scope());
    }
}
