//! Strings with `${…}` and `%{…}` in them.

use hcl_edit::Span;
use hcl_edit::template::{Directive, Element, Strip};

use super::super::place::{Mistake, Place};
use super::super::value::{Node, Value};
use super::collection::pairs;
use super::{Scope, known};

impl Scope<'_> {
    /// A template of one `${…}` and nothing else is that value, whatever its type; any other is a string.
    pub(crate) fn string_template<'t>(&self, elements: impl Iterator<Item = &'t Element>, at: Place) -> Result<Value, Mistake> {
        let elements: Vec<&Element> = elements.collect();
        match elements.as_slice() {
            [Element::Interpolation(only)] if !self.literal => Ok(self.eval(&only.expr)?.value),
            _ => self.text(self.render(&elements, false, false)?, at),
        }
    }

    /// `start` and `end`: whether a `~` outside takes the white space at that end.
    fn render(&self, elements: &[&Element], start: bool, end: bool) -> Result<String, Mistake> {
        let mut text = String::new();
        for (index, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(literal) => {
                    let mut words = literal.value().as_str();
                    let before = index.checked_sub(1).map_or(start, |before| strips(elements[before]).1);
                    let after = elements.get(index + 1).map_or(end, |after| strips(after).0);
                    if before {
                        words = words.trim_start();
                    }
                    if after {
                        words = words.trim_end();
                    }
                    text.push_str(words);
                }
                // HCL1 keeps them for whoever reads the text next.
                other if self.literal => text.push_str(self.source.slice(other.span())),
                Element::Interpolation(interpolation) => text.push_str(&words(&self.eval(&interpolation.expr)?)?),
                Element::Directive(directive) => text.push_str(&self.directive(directive)?),
            }
        }
        Ok(text)
    }

    fn directive(&self, directive: &Directive) -> Result<String, Mistake> {
        match directive {
            Directive::If(given) => {
                let close = given.endif_expr.strip;
                let otherwise = given.else_expr.as_ref();
                if self.condition(&given.if_expr.cond_expr)? {
                    let elements: Vec<_> = given.if_expr.template.iter().collect();
                    let next = otherwise.map_or(close, |otherwise| otherwise.strip);
                    return self.render(&elements, sides(given.if_expr.strip).1, sides(next).0);
                }
                let Some(otherwise) = otherwise else { return Ok(String::new()) };
                let elements: Vec<_> = otherwise.template.iter().collect();
                self.render(&elements, sides(otherwise.strip).1, sides(close).0)
            }
            Directive::For(each) => {
                let collection = self.eval(&each.for_expr.collection_expr)?;
                known(&collection)?;
                let elements: Vec<_> = each.for_expr.template.iter().collect();
                let (start, end) = (sides(each.for_expr.strip).1, sides(each.endfor_expr.strip).0);
                let mut text = String::new();
                for (key, value) in pairs(&collection)? {
                    let once = |scope: &Scope<'_>| scope.render(&elements, start, end);
                    let part = self.with(each.for_expr.value_var.as_str(), &value, |scope| match &each.for_expr.key_var {
                        Some(name) => scope.with(name.as_str(), &key, once),
                        None => once(scope),
                    })?;
                    self.spend(part.len() + 16, collection.at)?;
                    text.push_str(&part);
                }
                Ok(text)
            }
        }
    }
}

/// Whether an element takes the white space before and behind it.
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(interpolation) => sides(interpolation.strip),
        Element::Directive(directive) => match &**directive {
            Directive::If(given) => (sides(given.if_expr.strip).0, sides(given.endif_expr.strip).1),
            Directive::For(each) => (sides(each.for_expr.strip).0, sides(each.endfor_expr.strip).1),
        },
    }
}

fn sides(strip: Strip) -> (bool, bool) {
    (matches!(strip, Strip::Start | Strip::Both), matches!(strip, Strip::End | Strip::Both))
}

fn words(node: &Node) -> Result<String, Mistake> {
    node.value.to_text().ok_or_else(|| Mistake::new(node.at, format!("{} cannot be part of a string", node.value.kind())))
}
