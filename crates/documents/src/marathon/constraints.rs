//! `constraints`, as affinities. Source: Marathon, "constraints": `[field, operator, value]`.

use crate::model::{Placement, Requirement, Rule, Spread};
use crate::read::At;

#[derive(Clone, Copy)]
enum Operator {
    Unique,
    Cluster,
    GroupBy,
    MaxPer,
    Like,
    Unlike,
    Is,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("UNIQUE", Operator::Unique),
    ("CLUSTER", Operator::Cluster),
    ("GROUP_BY", Operator::GroupBy),
    ("MAX_PER", Operator::MaxPer),
    ("LIKE", Operator::Like),
    ("UNLIKE", Operator::Unlike),
    ("IS", Operator::Is),
];

pub(super) fn read(app: &At<'_>) -> Placement {
    let mut placement = Placement::default();
    for constraint in app.list_of("constraints") {
        let parts = constraint.list();
        if !(2..=3).contains(&parts.len()) {
            constraint.wrong("has to be [field, operator] or [field, operator, value]");
            continue;
        }
        let field = parts[0].text();
        let operator = parts[1].one_of(&OPERATORS, true);
        let value = parts.get(2).map(|value| (value, value.text()));
        let (Some(field), Some(operator)) = (field, operator) else { continue };
        let value = match value {
            Some((_, None)) => continue,
            Some((at, Some(text))) => Some((at, text)),
            None => None,
        };
        one(&mut placement, &constraint, label(&field), operator, value);
    }
    placement
}

/// The label of a node that is the field of an agent.
fn label(field: &str) -> String {
    match field {
        "hostname" | "@hostname" => "kubernetes.io/hostname",
        "@zone" => "topology.kubernetes.io/zone",
        "@region" => "topology.kubernetes.io/region",
        other => other,
    }
    .to_owned()
}

fn one(placement: &mut Placement, at: &At<'_>, label: String, operator: Operator, value: Option<(&At<'_>, String)>) {
    if value.is_none() && matches!(operator, Operator::MaxPer | Operator::Like | Operator::Unlike | Operator::Is) {
        at.wrong("needs a value as its third part");
    }
    let mut rule = |rule: Rule| placement.requirements.push(Requirement { label: label.clone(), rule, weight: None });
    match operator {
        Operator::Unique => {
            if let Some((value, _)) = value {
                value.wrong("is one too many: UNIQUE has no value");
            }
            placement.spread.push(Spread::Unique(label));
        }
        Operator::Cluster => match value.filter(|(_, text)| !text.is_empty()) {
            Some((_, text)) => rule(Rule::In(vec![text])),
            None => placement.spread.push(Spread::Together(label)),
        },
        Operator::GroupBy => placement.spread.push(Spread::Even(label)),
        Operator::MaxPer => {
            let Some((value, text)) = value else { return };
            match text.parse::<u32>() {
                Ok(1) => placement.spread.push(Spread::Unique(label)),
                Ok(2..) => {
                    value.warn("is taken as GROUP_BY: Kubernetes spreads evenly, and can only forbid more than one");
                    placement.spread.push(Spread::Even(label));
                }
                _ => value.wrong("has to be a whole number, 1 or more"),
            }
        }
        Operator::Like | Operator::Unlike => {
            let Some((value, text)) = value else { return };
            match words(&text) {
                Some(words) if matches!(operator, Operator::Like) => rule(Rule::In(words)),
                Some(words) => rule(Rule::NotIn(words)),
                None => value
                    .wrong("cannot be honoured: only a regular expression that lists words, as a|b, can be said in Kubernetes"),
            }
        }
        Operator::Is => {
            let Some((_, text)) = value else { return };
            rule(Rule::In(vec![text]));
        }
    }
}

/// The words of a regular expression that is nothing but alternatives.
fn words(pattern: &str) -> Option<Vec<String>> {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let plain = |word: &str| {
        let unescaped = word.replace("\\.", ".").replace("\\-", "-");
        let known = unescaped.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        // A bare dot is any character; people mean a dot in a name, but the words would not say the same.
        let dots = word.replace("\\.", "").contains('.');
        (known && !dots && !unescaped.is_empty()).then_some(unescaped)
    };
    inner.split('|').map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_words_is_all_that_is_taken_of_a_regular_expression() {
        assert_eq!(words("a|b-1"), Some(vec!["a".to_owned(), "b-1".to_owned()]));
        assert_eq!(words("^(node\\.one|two)$"), Some(vec!["node.one".to_owned(), "two".to_owned()]));
        for pattern in ["rack-[1-3]", ".*", "a.b", "", "a|", "a+"] {
            assert_eq!(words(pattern), None, "{pattern}");
        }
    }
}
