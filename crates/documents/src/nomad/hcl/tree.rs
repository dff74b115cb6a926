//! Syntax to values: every expression evaluated, every `dynamic` block written out.

use std::collections::BTreeMap;

use hcl_edit::Span;
use hcl_edit::structure::{Attribute, Block, Body as Syntax, Structure};

use super::eval::{Budget, Scope, known};
use super::place::{Mistake, Place, Source};
use super::value::{Body, Content, Item, Node, Value};
use super::variables::{self, Inputs};
use super::{parse, quoted};

/// A job file: variables, locals, and what remains of it once they are known.
///
/// # Errors
/// Everything that is wrong with it as HCL.
pub(crate) fn document(text: &str, inputs: &Inputs) -> Result<Body, Vec<Mistake>> {
    let syntax = parse::syntax(text).map_err(|mistake| vec![mistake])?;
    let source = Source::new(text);
    let budget = Budget::default();
    let roots = variables::roots(&syntax, &source, &budget, inputs)?;
    let mut tree = Tree::default();
    let scope = Scope::new(&source, &roots, &budget);
    let rest = syntax.iter().filter(|item| !item.as_block().is_some_and(|block| variables::is_declaration(block.ident.as_str())));
    let body = tree.items(&scope, rest);
    if tree.mistakes.is_empty() { Ok(body) } else { Err(tree.mistakes) }
}

/// A volume specification: HCL1, which has no expressions and quotes any key it likes.
///
/// # Errors
/// Everything that is wrong with it as HCL.
pub(crate) fn specification(text: &str) -> Result<Body, Vec<Mistake>> {
    let (plain, keys) = quoted::keys(text);
    let syntax = parse::syntax(&plain).map_err(|mistake| vec![mistake])?;
    let source = Source::new(&plain);
    let (roots, budget) = (BTreeMap::new(), Budget::default());
    let mut tree = Tree { keys, mistakes: Vec::new() };
    let scope = Scope::new(&source, &roots, &budget).literal();
    let body = tree.items(&scope, syntax.iter());
    if tree.mistakes.is_empty() { Ok(body) } else { Err(tree.mistakes) }
}

/// The names at the top of a text, as far as it can be read.
pub(crate) fn top(text: &str) -> Vec<String> {
    let (plain, keys) = quoted::keys(text);
    match parse::syntax(&plain) {
        Ok(syntax) => {
            let name = |structure: &Structure| match structure {
                Structure::Attribute(attribute) => attribute.key.as_str().to_owned(),
                Structure::Block(block) => block.ident.as_str().to_owned(),
            };
            syntax.iter().map(name).chain(keys.into_values()).collect()
        }
        // Damaged: whatever looks like a name.
        Err(_) => {
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
    }
}

#[derive(Default)]
struct Tree {
    /// What a key is really called, by where it stands (`quoted.rs`).
    keys: BTreeMap<usize, String>,
    mistakes: Vec<Mistake>,
}

impl Tree {
    fn items<'s>(&mut self, scope: &Scope<'_>, structures: impl Iterator<Item = &'s Structure>) -> Body {
        let mut body = Body::default();
        for structure in structures {
            match structure {
                Structure::Attribute(attribute) => body.items.extend(self.attribute(scope, attribute)),
                Structure::Block(block) if block.ident.as_str() == "dynamic" => match self.dynamic(scope, block) {
                    Ok(items) => body.items.extend(items),
                    Err(mistake) => self.mistakes.push(mistake),
                },
                Structure::Block(block) => {
                    let labels = block.labels.iter().map(|label| label.as_str().to_owned()).collect();
                    body.items.push(Item {
                        name: self.name(block.ident.as_str(), block.ident.span()),
                        at: scope.source.start(block.ident.span()),
                        content: Content::Block { labels, body: self.items(scope, block.body.iter()) },
                    });
                }
            }
        }
        body
    }

    fn attribute(&mut self, scope: &Scope<'_>, attribute: &Attribute) -> Option<Item> {
        let at = scope.source.start(attribute.key.span());
        let name = self.name(attribute.key.as_str(), attribute.key.span());
        match scope.eval(&attribute.value) {
            Ok(node) => Some(Item { name, at, content: Content::Attribute(node) }),
            Err(mistake) => {
                self.mistakes.push(Mistake::new(mistake.at, format!("{name}: {}", mistake.message)));
                None
            }
        }
    }

    fn name(&self, typed: &str, span: Option<std::ops::Range<usize>>) -> String {
        let known = span.and_then(|span| self.keys.get(&span.start));
        known.cloned().unwrap_or_else(|| typed.to_owned())
    }

    /// `dynamic "NAME" { for_each = …, iterator = …, labels = […], content { … } }`: one block for each element.
    fn dynamic(&mut self, scope: &Scope<'_>, block: &Block) -> Result<Vec<Item>, Mistake> {
        let at = scope.source.start(block.ident.span());
        let [label] = block.labels.as_slice() else {
            return Err(Mistake::new(at, "a dynamic block has one label, the name of the blocks it makes"));
        };
        let mut name = label.as_str().to_owned();
        let made = name.clone();
        let (mut collection, mut labels, mut content) = (None, None, None);
        for structure in block.body.iter() {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "for_each" => collection = Some(scope.eval(&attribute.value)?),
                    "iterator" => match attribute.value.as_variable() {
                        Some(iterator) => name = iterator.as_str().to_owned(),
                        None => return Err(Mistake::new(at, "an iterator is a name without quotes")),
                    },
                    "labels" => labels = attribute.value.as_array().cloned(),
                    other => return Err(Mistake::new(at, format!("a dynamic block has no {other:?}"))),
                },
                Structure::Block(inner) if inner.ident.as_str() == "content" => content = Some(&inner.body),
                Structure::Block(inner) => {
                    return Err(Mistake::new(at, format!("a dynamic block has no {:?}", inner.ident.as_str())));
                }
            }
        }
        let (Some(collection), Some(content)) = (collection, content) else {
            return Err(Mistake::new(at, "a dynamic block wants `for_each` and a `content` block"));
        };
        known(&collection)?;
        let labels: Vec<_> = labels.iter().flatten().collect();
        let mut items = Vec::new();
        for (key, value) in super::eval::pairs(&collection)? {
            scope.spend(64, at)?;
            let element = Value::map([("key".to_owned(), key.at(at)), ("value".to_owned(), value.at(at))]);
            items.push(scope.with(&name, &element, |scope| self.one(scope, &made, &labels, content, at))?);
        }
        Ok(items)
    }

    fn one(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        labels: &[&hcl_edit::expr::Expression],
        content: &Syntax,
        at: Place,
    ) -> Result<Item, Mistake> {
        let text = |node: Node| node.value.to_text().ok_or_else(|| Mistake::new(node.at, "a label is a string"));
        let labels = labels.iter().map(|label| scope.eval(label).and_then(text)).collect::<Result<_, _>>()?;
        Ok(Item { name: name.to_owned(), at, content: Content::Block { labels, body: self.items(scope, content.iter()) } })
    }
}
