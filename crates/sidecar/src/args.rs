//! The command line as Go programs read it, on top of clap.
//!
//! Go's rules are applied here, flag by flag, and clap is given nothing but `--name=value`: so a value that looks like a flag
//! stays a value, and words after the first one that is no flag are left alone. A crate's `Flags` use plain Rust types
//! (`bool`, `u32`, `i32`, `f64`, [`crate::GoDuration`]); [`parse`] gives them Go's spellings.

use std::ffi::OsString;

use clap::builder::{Resettable, ValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use crate::Exit;
use crate::values::{go_bool, go_int};

/// Which of Go's two parsers upstream's program uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `flag`: one dash or two, stops at the first word that is no flag.
    Std,
    /// `pflag`: long flags need two dashes, `-v` alone is short, other words may stand anywhere.
    Pflag,
}

/// Reads a command line, `argv[0]` included. Pure: prints nothing.
///
/// # Errors
/// [`Exit::Done`] with the help if it was asked for, [`Exit::Usage`] if a flag is unknown or a value cannot be read.
pub fn parse<F: clap::Parser>(dialect: Dialect, argv: impl IntoIterator<Item = OsString>) -> Result<F, Exit> {
    let mut argv = argv.into_iter();
    let program = argv.next().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut command = F::command()
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .mut_args(with_go_spelling)
        // A flattened group would put its own description here.
        .about(Resettable::Reset)
        .long_about(Resettable::Reset)
        .override_usage(synopsis(&program, &F::command()));
    let words = argv
        .map(|word| word.into_string().map_err(|word| format!("argument {word:?} is not UTF-8")))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|words| match dialect {
            Dialect::Std => std_words(&command, words),
            Dialect::Pflag => pflag_words(&command, words),
        });
    let words = match words {
        Ok(Words::Flags(words)) => words,
        Ok(Words::Help) => return Err(Exit::Done(usage(&mut command))),
        Err(sentence) => return Err(Exit::Usage { sentence, usage: usage(&mut command) }),
    };
    let words = std::iter::once(program).chain(words);
    let flags = command.clone().try_get_matches_from(words).and_then(|mut matches| F::from_arg_matches_mut(&mut matches));
    flags.map_err(|error| Exit::Usage { sentence: sentence(&error), usage: usage(&mut command) })
}

fn synopsis(program: &str, command: &Command) -> String {
    let operands = command.get_positionals().map(|operand| format!(" {operand}"));
    format!("{program} [flags]{}", operands.collect::<String>())
}

enum Words {
    Flags(Vec<String>),
    Help,
}

/// Upstream: Go `flag.FlagSet.parseOne`.
fn std_words(command: &Command, words: Vec<String>) -> Result<Words, String> {
    let mut out = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix('-').filter(|name| !name.is_empty()) else { break };
        if word == "--" {
            break;
        }
        let name = name.strip_prefix('-').unwrap_or(name);
        if name.starts_with(['-', '=']) {
            return Err(format!("bad flag syntax: {word}"));
        }
        let (name, value) = split(name);
        let Some(arg) = find(command, name) else {
            if matches!(name, "h" | "help") {
                return Ok(Words::Help);
            }
            return Err(format!("flag provided but not defined: -{name}"));
        };
        out.push(spelled(name, value, is_bool(arg), &mut words)?);
    }
    Ok(Words::Flags(out))
}

/// Upstream: spf13/pflag `FlagSet.parseArgs`, with words between flags allowed.
fn pflag_words(command: &Command, words: Vec<String>) -> Result<Words, String> {
    let (mut out, mut operands) = (Vec::new(), Vec::new());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words);
            break;
        }
        let Some(short) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            operands.push(word);
            continue;
        };
        let Some(long) = short.strip_prefix('-') else {
            shorts(command, &word, short, &mut words, &mut out)?;
            if out.last().is_some_and(|word| word == HELP) {
                return Ok(Words::Help);
            }
            continue;
        };
        if long.starts_with(['-', '=']) {
            return Err(format!("bad flag syntax: {word}"));
        }
        let (name, value) = split(long);
        let Some(arg) = find(command, name) else {
            if name == "help" {
                return Ok(Words::Help);
            }
            return Err(format!("unknown flag: --{name}"));
        };
        out.push(spelled(name, value, is_bool(arg), &mut words)?);
    }
    // A program that takes none leaves them alone.
    if command.get_positionals().next().is_some() {
        out.push("--".to_owned());
        out.extend(operands);
    }
    Ok(Words::Flags(out))
}

const HELP: &str = "--help";

/// `-v=5`, `-v5`, `-v 5`, `-w`, and several booleans after one dash.
fn shorts(
    command: &Command,
    word: &str,
    letters: &str,
    rest: &mut impl Iterator<Item = String>,
    out: &mut Vec<String>,
) -> Result<(), String> {
    let mut letters = letters.chars();
    while let Some(letter) = letters.next() {
        // Upstream's -v is --v.
        let named = |arg: &&Arg| arg.get_short() == Some(letter) || (letter == 'v' && arg.get_long() == Some("v"));
        let Some(arg) = command.get_arguments().find(named) else {
            if letter == 'h' {
                out.push(HELP.to_owned());
                return Ok(());
            }
            return Err(format!("unknown shorthand flag: {letter:?} in {word}"));
        };
        let name = arg.get_long().unwrap_or_default();
        let after = letters.as_str();
        let value = (!after.is_empty()).then(|| after.strip_prefix('=').unwrap_or(after));
        if is_bool(arg) && !after.starts_with('=') {
            out.push(format!("--{name}=true"));
            continue;
        }
        out.push(spelled(name, value, is_bool(arg), rest)?);
        return Ok(());
    }
    Ok(())
}

fn split(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    }
}

fn spelled(name: &str, value: Option<&str>, bool: bool, rest: &mut impl Iterator<Item = String>) -> Result<String, String> {
    match value {
        Some(value) => Ok(format!("--{name}={value}")),
        None if bool => Ok(format!("--{name}=true")),
        None => match rest.next() {
            Some(value) => Ok(format!("--{name}={value}")),
            None => Err(format!("flag needs an argument: --{name}")),
        },
    }
}

fn find<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(name))
}

fn is_bool(arg: &Arg) -> bool {
    same_type(arg, &ValueParser::new(go_bool))
}

fn same_type(arg: &Arg, parser: &ValueParser) -> bool {
    arg.get_value_parser().type_id() == parser.type_id()
}

/// Swaps clap's readers of booleans and integers for ones that know Go's spellings. Empty values are values.
fn with_go_spelling(arg: Arg) -> Arg {
    macro_rules! integers {
        ($arg:ident, $($int:ty),*) => {
            $(if same_type(&$arg, &ValueParser::from(clap::value_parser!($int))) {
                return $arg.allow_hyphen_values(true).value_parser(go_int::<$int>);
            })*
        };
    }
    if matches!(arg.get_action(), ArgAction::SetTrue) || is_bool(&arg) {
        // A plain `bool` field is false by its action, which goes here.
        let arg = if arg.get_default_values().is_empty() { arg.default_value("false") } else { arg };
        return arg.action(ArgAction::Set).num_args(1).value_parser(go_bool);
    }
    integers!(arg, i32, i64, u16, u32, u64);
    if arg.get_action().takes_values() { arg.allow_hyphen_values(true) } else { arg }
}

fn usage(command: &mut Command) -> String {
    command.render_help().to_string()
}

/// clap's error as one sentence: the flag, the value, what was expected.
fn sentence(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg).map(|flag| flag.split([' ', '=']).next().unwrap_or_default().to_owned());
    let reason = std::error::Error::source(error).map(|source| source.to_string());
    match (flag, text(ContextKind::InvalidValue), reason) {
        (Some(flag), Some(value), Some(reason)) => format!("invalid value {value:?} for {flag}: {reason}"),
        (Some(flag), Some(value), None) => format!("invalid value {value:?} for {flag}{}", possible(error)),
        _ => error.to_string().lines().next().unwrap_or("bad command line").trim_start_matches("error: ").to_owned(),
    }
}

fn possible(error: &clap::Error) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => format!(": expected one of {}", values.join(", ")),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
