//! `--vmodule`: verbosity for some source files.

use std::str::FromStr;

/// The value of `--vmodule`, `pattern=N,…`. The first pattern that fits decides.
///
/// A pattern is matched against the file's name without `.rs`, and against the last part of the module path; with a slash in
/// it, against the whole path without `.rs`. `*` stands for any text, `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vmodule(Vec<(String, i32)>);

impl FromStr for Vmodule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |item: &str| {
            let expected = || format!("expected pattern=N, found {item:?}");
            let (pattern, level) = item.split_once('=').ok_or_else(expected)?;
            let level = level.trim().parse::<i32>().ok().filter(|level| *level >= 0).ok_or_else(expected)?;
            if pattern.trim().is_empty() {
                return Err(expected());
            }
            Ok((pattern.trim().to_owned(), level))
        };
        text.split(',').filter(|item| !item.trim().is_empty()).map(one).collect::<Result<_, _>>().map(Self)
    }
}

impl Vmodule {
    /// Whether it says nothing about any file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest verbosity it gives to any file.
    pub fn highest(&self) -> i32 {
        self.0.iter().map(|(_, level)| *level).max().unwrap_or(i32::MIN)
    }

    /// The verbosity for this file, if a pattern fits.
    pub(crate) fn verbosity(&self, file: &str, module: &str) -> Option<i32> {
        let path = file.strip_suffix(".rs").unwrap_or(file);
        let name = path.rsplit('/').next().unwrap_or(path);
        let module = module.rsplit("::").next().unwrap_or(module);
        let fits = |pattern: &str| {
            if pattern.contains('/') { fits(pattern, path) } else { fits(pattern, name) || fits(pattern, module) }
        };
        self.0.iter().find(|(pattern, _)| fits(pattern)).map(|(_, level)| *level)
    }
}

/// Glob match by the last star seen: linear in practice, no recursion.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_a_file_a_module_or_with_a_slash_a_path() {
        let vmodule: Vmodule = "plan=4,act/*=6,*/cluster/src/q?eue=7,lease*=8".parse().unwrap();
        let of = |file: &str, module: &str| vmodule.verbosity(file, module);
        assert_eq!(of("crates/external-attacher/src/plan.rs", "external_attacher::plan"), Some(4));
        assert_eq!(of("crates/cluster/src/queue.rs", "cluster::queue"), Some(7));
        assert_eq!(of("crates/cluster/src/lease/holder.rs", "cluster::lease"), Some(8));
        assert_eq!(of("crates/cluster/src/patch.rs", "cluster::patch"), None);
        assert_eq!(vmodule.highest(), 8);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, yes) in [
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("**x", "yyx", true),
            ("a?", "a", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, text), yes, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!("".parse::<Vmodule>().unwrap().is_empty());
        for text in ["plan", "plan=", "plan=x", "=3", "plan=-1"] {
            assert!(text.parse::<Vmodule>().is_err(), "{text}");
        }
    }
}
