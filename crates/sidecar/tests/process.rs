//! The shell as a process: this test starts itself again as the program, and looks at exit codes, output and signals.
#![allow(clippy::disallowed_methods, reason = "the test starts the program as a process")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sidecar::flags::VersionFlag;
use sidecar::{Exit, GoDuration, LogFlags, Program, Shell};

const LINE: &str = "SIDECAR_TEST_COMMAND_LINE";

#[derive(clap::Parser)]
struct Flags {
    /// wait: until asked to stop. stubborn: for ever. fail, exit0: at once.
    #[arg(long, default_value = "wait")]
    what: String,
    #[arg(long, default_value = "1s")]
    timeout: GoDuration,
    #[command(flatten)]
    version: VersionFlag,
    #[command(flatten)]
    logs: LogFlags,
}

impl Program for Flags {
    type Config = String;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn version(&self) -> bool {
        self.version.version
    }

    fn config(self, notices: &mut Vec<String>) -> Result<String, Exit> {
        if self.timeout != GoDuration::secs(1) {
            notices.push("--timeout is deprecated".into());
        }
        match self.what.as_str() {
            "exit0" => Err(Exit::done()),
            "conflict" => Err(Exit::failed("one of two, not both")),
            _ => Ok(self.what),
        }
    }
}

async fn program(what: String, shell: Shell) -> anyhow::Result<()> {
    tracing::info!("up");
    match what.as_str() {
        "wait" => shell.shutdown.requested().await,
        "fail" => anyhow::bail!(anyhow::anyhow!("no such file").context("cannot read the journal")),
        _ => std::future::pending().await,
    }
    Ok(())
}

/// Not a test of its own: the program, when one of the tests below starts this binary with a command line for it.
#[test]
fn the_program_itself() {
    let Ok(line) = std::env::var(LINE) else { return };
    let argv = std::iter::once("/opt/prog").chain(line.split_whitespace()).map(Into::into).collect();
    let code = sidecar::run_with::<Flags, _>(argv, program);
    let code = (0..=255).find(|n| format!("{:?}", ExitCode::from(*n)) == format!("{code:?}")).unwrap_or(99);
    std::process::exit(i32::from(code));
}

fn start(line: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_program_itself", "--nocapture"]).env(LINE, line);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(line: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = start(line).wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Starts the program, waits for this word in its log, and then sends each signal after the word before it was seen.
fn signalled(line: &str, steps: &[(&str, Signal)]) -> (Option<i32>, String) {
    let mut child = start(line);
    let pid = Pid::from_child(&child);
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    for (word, signal) in steps {
        while !seen.contains(word) {
            assert!(log.read_line(&mut seen).unwrap() > 0, "ended before {word:?}: {seen}");
        }
        kill_process(pid, *signal).unwrap();
    }
    log.read_to_string(&mut seen).unwrap();
    (child.wait().unwrap().code(), seen)
}

#[test]
fn a_bad_flag_is_one_sentence_and_usage_on_stderr_and_exit_2() {
    let (code, _, stderr) = run("--timeout=15");
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("invalid value \"15\" for --timeout"), "{stderr}");
    assert!(stderr.contains("--logging-format"), "{stderr}");
}

#[test]
fn version_and_help_are_stdout_and_exit_0() {
    let (code, stdout, _) = run("--version");
    assert_eq!(code, Some(0));
    assert!(stdout.contains(&format!("/opt/prog {}\n", sidecar::VERSION)), "{stdout}");
    let (code, stdout, stderr) = run("-h");
    assert_eq!(code, Some(0));
    assert!(stdout.contains("--logging-format"), "{stdout} {stderr}");
}

#[test]
fn bad_logging_comes_before_the_version_and_is_exit_1() {
    let (code, stdout, stderr) = run("--version --logging-format=xml");
    assert_eq!(code, Some(1));
    assert!(!stdout.contains("/opt/prog") && stderr.contains("--logging-format"), "{stderr}");
}

#[test]
fn failures_are_one_sentence_and_exit_1() {
    for (line, sentence) in
        [("--what=conflict", "one of two, not both"), ("--what=fail", "cannot read the journal: no such file")]
    {
        let (code, _, stderr) = run(line);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.lines().any(|line| line.starts_with('E') && line.ends_with(&format!("] \"{sentence}\""))), "{stderr}");
    }
    assert_eq!(run("--what=exit0").0, Some(0));
}

#[test]
fn a_deprecated_flag_warns_once_and_works() {
    let (code, stderr) = signalled("--timeout=2s", &[("\"up\"", Signal::TERM)]);
    assert_eq!(code, Some(0));
    assert_eq!(stderr.matches("--timeout is deprecated").count(), 1, "{stderr}");
}

#[test]
fn the_first_signal_asks_and_the_second_ends_with_1() {
    for signal in [Signal::TERM, Signal::INT] {
        assert_eq!(signalled("--what=wait", &[("\"up\"", signal)]).0, Some(0));
    }
    let steps = [("\"up\"", Signal::TERM), ("asked to stop:", Signal::INT)];
    let (code, stderr) = signalled("--what=stubborn", &steps);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("asked to stop again"), "{stderr}");
}
