//! One page per program and per command of a program, and one under upstream's name that shows the same.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::programs::{CSI, Program};

/// File names and texts.
///
/// # Errors
/// A page that cannot be rendered.
pub fn pages(program: &Program) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let file = |name: &str| PathBuf::from(format!("man/{name}.1"));
    files.push((file(program.name), page(program, &program.command, program.name)?));
    for command in program.command.get_subcommands() {
        let name = format!("{}-{}", program.name, command.get_name());
        files.push((file(&name), page(program, command, &name)?));
    }
    if let Some(upstream) = program.upstream {
        files.push((file(upstream), format!(".so man1/{}.1\n", program.name)));
    }
    Ok(files)
}

fn page(program: &Program, command: &Command, name: &str) -> anyhow::Result<String> {
    let typed = name.replacen("longshore-", "longshore ", 1);
    let has_commands = command.has_subcommands();
    // clap takes names for ever; there are a dozen, and then the process ends.
    let name: &'static str = name.to_owned().leak();
    let command = command.clone().name(name).bin_name(typed.clone()).mut_args(|arg| {
        let is_bool = is_bool(&arg);
        arg.hide_possible_values(is_bool)
    });
    let flagless = command.get_arguments().next().is_none();
    let man = Man::new(command).section("1").source(format!("longshore {}", sidecar::VERSION)).manual("Longshore");

    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    // The library leaves an empty date out, and everything behind it moves.
    let title = String::from_utf8(std::mem::take(&mut bytes))?.replace(" 1  \"", " 1 \"\" \"");
    bytes.extend(title.into_bytes());
    man.render_name_section(&mut bytes)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let what = if has_commands { " COMMAND [FLAGS]" } else { " [FLAGS]" };
    roff.text([bold(typed.as_str()), roman(if flagless && !has_commands { "" } else { what })]);
    if let Some(upstream) = program.upstream {
        roff.control("PP", []);
        roff.text([
            roman("In images it is also called "),
            bold(format!("/{upstream}")),
            roman(", and takes the place of that program."),
        ]);
    }
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(program.spelling)]);
    roff.to_writer(&mut bytes)?;
    if has_commands {
        man.render_subcommands_section(&mut bytes)?;
    }
    man.render_options_section(&mut bytes)?;
    let mut roff = Roff::new();
    // What `up` keeps is no business of the other commands.
    let own = if typed == "longshore csi" { CSI } else { &program.sections };
    let sections = own.iter().filter(|(title, _)| !typed_is_small(&typed) || *title == EXIT_TITLE);
    for (title, paragraphs) in sections {
        roff.control("SH", [*title]);
        for (i, paragraph) in paragraphs.iter().enumerate() {
            if i > 0 {
                roff.control("PP", []);
            }
            roff.text([roman(*paragraph)]);
        }
    }
    roff.to_writer(&mut bytes)?;
    String::from_utf8(bytes).with_context(|| format!("the page of {name}"))
}

const EXIT_TITLE: &str = "EXIT STATUS";

fn typed_is_small(typed: &str) -> bool {
    matches!(typed, "longshore status" | "longshore version")
}

fn is_bool(arg: &clap::Arg) -> bool {
    arg.get_value_parser().type_id() == clap::builder::ValueParser::bool().type_id()
}
