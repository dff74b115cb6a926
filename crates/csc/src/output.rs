//! Answers on stdout: csc's lines, a table, JSON, or a template's text.

mod json;

use std::io::Write;

use prost::{Message, Name};

use crate::failure::Failure;
use crate::template::{Template, Value};

/// How answers are shown.
#[derive(Debug)]
pub(crate) enum Form {
    /// What csc prints, as soon as there is an answer.
    Lines,
    /// Columns, when all answers are there.
    Table,
    /// An object per answer and line.
    Json,
    Template(Template),
}

/// Where answers go.
pub(crate) struct Output<'a> {
    form: Form,
    out: &'a mut dyn Write,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    last: String,
}

/// An answer for people.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// As csc prints it, line ends included.
    pub(crate) lines: String,
    pub(crate) columns: &'static [&'static str],
    /// As many cells as columns.
    pub(crate) rows: Vec<Vec<String>>,
    /// After everything else, in lines and tables: a page's token.
    pub(crate) last: String,
}

impl<'a> Output<'a> {
    pub(crate) fn new(form: Form, out: &'a mut dyn Write) -> Self {
        Self { form, out, columns: &[], rows: Vec::new(), last: String::new() }
    }

    /// Shows an answer. `about`: what was asked for, where the answer does not say it; in JSON it stands beside the answer.
    pub(crate) fn show<A: Message + Name>(&mut self, answer: &A, about: &[(&str, &str)], shown: Shown) -> Result<(), Failure> {
        let value = Value::answer(answer).map_err(Failure::Usage)?;
        match &self.form {
            Form::Lines => {
                self.out.write_all(shown.lines.as_bytes())?;
                self.out.write_all(shown.last.as_bytes())?;
            }
            Form::Table => {
                self.columns = shown.columns;
                self.rows.extend(shown.rows);
                self.last = shown.last;
            }
            Form::Json => {
                let object = json::object(&value, about);
                writeln!(self.out, "{object}")?;
            }
            Form::Template(template) => self.out.write_all(template.render(&value)?.as_bytes())?,
        }
        // Who reads along sees each answer before the next call.
        Ok(self.out.flush()?)
    }

    /// Whether there is a template, which some commands apply to the parts of an answer.
    pub(crate) fn has_template(&self) -> bool {
        matches!(self.form, Form::Template(_))
    }

    /// Shows what was kept back until all answers are there, which is also done after a failure: it tells what was done before.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let text = table(self.columns, &self.rows) + &self.last;
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count().max(1));
        cells.chain([columns[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        // Not by a width of format!, which panics above 65535.
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let cell = if cell.is_empty() { "-" } else { cell };
            cell.to_owned() + &" ".repeat(width.saturating_sub(cell.chars().count()))
        });
        padded.collect::<Vec<_>>().join("   ").trim_end().to_owned() + "\n"
    };
    let head = line(columns.to_vec());
    rows.iter().fold(head, |text, row| text + &line(row.iter().map(String::as_str).collect()))
}

#[cfg(test)]
mod tests {
    use csi_proto::csi::v1 as csi;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["v-1".to_owned(), String::new()], vec!["ü".to_owned(), "4096".to_owned()]];
        assert_eq!(table(&["ID", "BYTES"], &rows), "ID    BYTES\nv-1   -\nü     4096\n");
    }

    #[test]
    fn a_cell_may_be_very_long() {
        let rows = vec![vec!["x".repeat(100_000)]];
        assert_eq!(table(&["ID"], &rows).len(), 100_000 + "ID\n\n".len());
    }

    #[test]
    fn json_has_every_field_that_has_a_value_zero_included() {
        let show = |answer: &csi::GetCapacityResponse| {
            let mut out = Vec::new();
            Output::new(Form::Json, &mut out).show(answer, &[("asked", "x")], Shown::default()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(show(&csi::GetCapacityResponse::default()), "{\"asked\":\"x\",\"available_capacity\":0}\n");
        let some = csi::GetCapacityResponse { maximum_volume_size: Some(0), ..Default::default() };
        assert_eq!(show(&some), "{\"asked\":\"x\",\"available_capacity\":0,\"maximum_volume_size\":{\"value\":0}}\n");
    }
}
