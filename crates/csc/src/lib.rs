//! A client for any CSI endpoint: `longshore csi`, and, called by the name `csc`, csc's command lines.
//!
//! ```text
//!  argv ─ flat/ ─> today's argv ─ cli.rs ─> command ─ identity, controller/, node/, group ─> request
//!                                                                                              │ session.rs: secrets, checks, log
//!  stdout <─ output.rs: lines, table, JSON, template.rs <─ answer <─ csi-client <───────────────┘
//!  stderr, exit code <─ failure.rs
//! ```
//!
//! Spec: CSI 1.12, every unary call of Identity, Controller, GroupController and Node. Upstream: gocsi `csc` (commands, aliases, flags,
//! lines, environment, exit codes). It keeps nothing and decides nothing: a request is what the command line says.
#![forbid(unsafe_code)]

mod calls;
mod capability;
mod checks;
mod cli;
mod controller;
mod failure;
mod flat;
mod group;
mod identity;
mod node;
mod output;
mod pairs;
mod quote;
mod session;
mod template;
mod words;

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

pub use cli::Env;

use cli::{Cli, Service};
use failure::Failure;
use flat::Rewritten;
use output::Output;
use session::Session;

/// The name that makes the program csc.
pub const NAME: &str = "csc";

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) session: Session<'a>,
    pub(crate) output: Output<'a>,
    /// The command line is an old one.
    pub(crate) flat: bool,
}

/// Where a run of the program reads and writes.
pub struct Streams<'a> {
    /// Answers.
    pub out: &'a mut dyn Write,
    /// Errors, notes, calls.
    pub err: &'a mut dyn Write,
    /// People look at `out`, and did not call the program csc: answers are tables.
    pub people: bool,
}

/// The flags, for whoever writes about them.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The program, with the process's command line: `argv[0]` is what usage texts call it.
pub fn main(argv: Vec<OsString>) -> ExitCode {
    let refuse = |sentence: String| {
        let _ = writeln!(std::io::stderr(), "{sentence}");
        ExitCode::FAILURE
    };
    let env = match Env::of_process() {
        Ok(env) => env,
        Err(sentence) => return refuse(sentence),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(format!("cannot start the runtime: {error}")),
    };
    let is_csc = argv.first().is_some_and(|name| Path::new(name).file_name() == Some(OsStr::new(NAME)));
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let people = out.is_terminal() && !is_csc;
    let streams = Streams { out: &mut out, err: &mut err, people };
    ExitCode::from(runtime.block_on(async { run(&rt::Ctx::real(), argv, &env, streams).await }))
}

/// One run: the exit code is gRPC's number of the first call that fails, 1 for what is wrong before, 0 for success.
///
/// Cancel safety: a dropped run ends the waiting, not what the driver is doing.
pub async fn run(ctx: &rt::Ctx, argv: Vec<OsString>, env: &Env, streams: Streams<'_>) -> u8 {
    let Streams { out, err, people } = streams;
    let mut argv = argv.into_iter();
    // Usage texts show no folder.
    let program = argv.next().map_or_else(|| NAME.to_owned(), |name| name.to_string_lossy().into_owned());
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = argv.map(|word| word.into_string().map_err(|word| Failure::Usage(format!("argument {word:?} is not UTF-8"))));
    let ended = match words.collect() {
        Ok(words) => execute(ctx, &program, words, env, Streams { out: &mut *out, err: &mut *err, people }).await,
        Err(failure) => Err(failure),
    };
    let Err(failure) = ended else { return 0 };
    if failure.is_closed_pipe() {
        return 0;
    }
    // Help is what was asked for.
    let to: &mut dyn Write = if failure.exit() == 0 { out } else { err };
    let hint = match &failure {
        Failure::Usage(_) => format!("\n{program} --help tells the commands and their flags."),
        _ => String::new(),
    };
    let _ = writeln!(to, "{failure}{hint}");
    failure.exit()
}

async fn execute(ctx: &rt::Ctx, program: &str, words: Vec<String>, env: &Env, streams: Streams<'_>) -> Result<(), Failure> {
    let Rewritten { words, flat, notes } = flat::rewrite(words).map_err(Failure::Usage)?;
    let Cli { global, service } = Cli::read(program, words)?;
    let (settings, form) = (global.settings(env)?, global.form(streams.people)?);
    let mut context = Context { session: Session::new(ctx, settings, streams.err), output: Output::new(form, streams.out), flat };
    notes.iter().for_each(|note| context.session.note(note));
    let ended = match service {
        Service::Identity(command) => command.run(&mut context).await,
        Service::Controller(command) => command.run(&mut context).await,
        Service::Node(command) => command.run(&mut context).await,
        Service::Group(command) => command.run(&mut context).await,
    };
    let shown = context.output.finish();
    ended.and(shown)
}
