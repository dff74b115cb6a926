//! docs/from-other-systems.md says of every field what becomes of it: what the readers go by, word for word.
//!
//! `WRITE=1 cargo test -p documents` writes the tables anew.

use std::path::PathBuf;

use documents::fields::{Field, markdown};
use documents::{marathon, mesos, nomad};

const TABLES: &[(&str, &[Field])] = &[
    ("marathon app", marathon::APP),
    ("marathon group", marathon::GROUP),
    ("mesos task", mesos::TASK),
    ("mesos group", mesos::GROUP),
    ("nomad", nomad::FIELDS),
];

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/from-other-systems.md")
}

/// The page with this table in its place.
fn with(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- fields: {name} -->\n"), "<!-- end of fields -->");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("the page has no place for {name}: {begin}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("the table of {name} has no end: {end}"));
    format!("{before}{begin}{table}{end}{after}")
}

#[test]
fn the_page_says_of_every_field_what_becomes_of_it() {
    let text = std::fs::read_to_string(page()).expect("the page");
    let mut wanted = text.clone();
    for (name, fields) in TABLES {
        wanted = with(&wanted, name, &markdown(fields));
    }
    if std::env::var_os("WRITE").is_some() {
        std::fs::write(page(), &wanted).expect("written");
        return;
    }
    assert!(wanted == text, "docs/from-other-systems.md differs from the readers' fields: WRITE=1 cargo test -p documents");
}

#[test]
fn a_field_is_listed_once_and_below_one_that_is_honoured() {
    for (name, fields) in TABLES {
        for (index, field) in fields.iter().enumerate() {
            assert!(fields[..index].iter().all(|other| other.path != field.path), "{name}: {} is there twice", field.path);
            // Nomad's are named by their block alone.
            let Some((parent, _)) = field.path.rsplit_once('.').filter(|_| *name != "nomad") else { continue };
            let parent = parent.trim_end_matches("[]");
            let above = fields.iter().find(|other| other.path.trim_end_matches("[]") == parent);
            let above = above.unwrap_or_else(|| panic!("{name}: {} has no {parent}", field.path));
            assert_eq!(above.fate, documents::fields::Fate::Honoured, "{name}: {} is below what is left out", field.path);
        }
    }
}
