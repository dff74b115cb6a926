//! The fields of a format, and what becomes of each: the one list that the readers and docs/from-other-systems.md share.

/// What becomes of a field that a document sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does here what it does there, or the nearest there is, as `becomes` says.
    Honoured,
    /// It is left out, with a warning that names it.
    Warned,
    /// The document is refused.
    Refused,
}

impl Fate {
    /// As the table of fields shows it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::Warned => "warned",
            Self::Refused => "refused",
        }
    }
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// From the top of the format's object. `[]` stands for any element, `*` for any name.
    pub path: &'static str,
    /// What becomes of it.
    pub fate: Fate,
    /// What it becomes, or why it does not. One sentence's worth, which is the warning and the refusal as well.
    pub becomes: &'static str,
}

/// A field that is honoured.
pub const fn honoured(path: &'static str, becomes: &'static str) -> Field {
    Field { path, fate: Fate::Honoured, becomes }
}

/// A field that is left out with a warning.
pub const fn warned(path: &'static str, becomes: &'static str) -> Field {
    Field { path, fate: Fate::Warned, becomes }
}

/// A field with which the document is refused.
pub const fn refused(path: &'static str, becomes: &'static str) -> Field {
    Field { path, fate: Fate::Refused, becomes }
}

/// The fields as rows of a Markdown table, as docs/from-other-systems.md has them.
pub fn markdown(fields: &[Field]) -> String {
    let mut text = String::from("| field | here | what becomes of it |\n|---|---|---|\n");
    for field in fields {
        text += &format!("| `{}` | {} | {} |\n", field.path, field.fate.word(), field.becomes.replace('|', "\\|"));
    }
    text
}

/// The entry of a field: `parent` is the entry's path of what it is in, empty at the top.
pub(crate) fn find(fields: &'static [Field], parent: &str, name: &str) -> Option<&'static Field> {
    let below = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
    let exact = below(name);
    fields.iter().find(|field| field.path == exact).or_else(|| {
        let any = below("*");
        fields.iter().find(|field| field.path == any)
    })
}

/// The known name that was probably meant by an unknown one: the same but for case and marks, or one letter off.
pub(crate) fn meant(fields: &'static [Field], parent: &str, name: &str) -> Option<&'static str> {
    let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
    let known = fields.iter().filter_map(|field| field.path.strip_prefix(&prefix)).filter(|rest| !rest.contains(['.', '*']));
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<String>();
    let wanted = plain(name);
    let near = |known: &str| {
        let known = plain(known.trim_end_matches("[]"));
        known == wanted || (known.len() > 3 && distance(&known, &wanted) <= 1)
    };
    let mut known = known;
    known.find(|known| near(known)).map(|known| known.trim_end_matches("[]"))
}

/// Edits between two short words; more than one is all the same.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (a.len() - end.min(a.len())).max(b.len() - end.min(b.len()))
}
