use super::*;
use crate::GoDuration;

#[derive(Debug, clap::Parser, PartialEq)]
struct Flags {
    #[arg(long, default_value = "")]
    name: String,
    #[arg(long)]
    on: bool,
    #[arg(long, default_value = "true")]
    off: bool,
    #[arg(long, default_value = "10s")]
    timeout: GoDuration,
    #[arg(long, default_value = "3")]
    threads: u32,
    #[arg(long, default_value = "-1")]
    length: i32,
    #[arg(long)]
    qps: Option<f64>,
    #[arg(long, default_value = "0")]
    v: i32,
    #[arg(long, value_delimiter = ',')]
    gates: Vec<String>,
}

fn read(dialect: Dialect, line: &str) -> Result<Flags, Exit> {
    parse(dialect, std::iter::once("prog").chain(line.split_whitespace()).map(OsString::from))
}

fn std(line: &str) -> Flags {
    read(Dialect::Std, line).unwrap_or_else(|exit| panic!("{line}: {exit}"))
}

fn refused(dialect: Dialect, line: &str) -> String {
    match read(dialect, line) {
        Err(Exit::Usage { sentence, usage }) => {
            assert!(usage.contains("--timeout"), "usage lists the flags: {usage}");
            assert_eq!(sentence.lines().count(), 1, "one sentence: {sentence}");
            sentence
        }
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn one_dash_and_two_equals_and_space_are_the_same() {
    for line in ["-name=x", "--name=x", "-name x", "--name x"] {
        assert_eq!(std(line).name, "x", "{line}");
    }
}

#[test]
fn booleans_have_gos_spellings_and_take_a_value_only_after_equals() {
    for (line, on) in [("-on", true), ("--on", true), ("--on=T", true), ("-on=1", true), ("--on=FALSE", false), ("-on=f", false)]
    {
        assert_eq!(std(line).on, on, "{line}");
    }
    assert!(!std("--off=False").off);
    assert!(std("").off);
    let line = "--on false --name=x";
    assert_eq!((std(line).on, std(line).name), (true, String::new()), "`false` is a word, and ends the flags");
    assert!(refused(Dialect::Std, "--on=yes").contains("--on"));
}

#[test]
fn numbers_have_gos_prefixes() {
    assert_eq!(std("--threads 0x10").threads, 16);
    assert_eq!(std("--threads=1_000").threads, 1000);
    assert_eq!(std("--threads=010").threads, 8);
    assert_eq!(std("--length -2").length, -2);
    assert_eq!(std("--length=-0b11").length, -3);
    assert_eq!(std("--qps=2.5").qps, Some(2.5));
    assert!(refused(Dialect::Std, "--threads=-1").contains("--threads"));
    assert!(refused(Dialect::Std, "--threads=4294967296").contains("--threads"));
}

#[test]
fn the_last_of_a_repeated_flag_wins_and_lists_add_up() {
    assert_eq!(std("--name a --name b").name, "b");
    assert!(!std("--on --on=false").on);
    assert_eq!(std("--gates A=true,B=false --gates C=true").gates, ["A=true", "B=false", "C=true"]);
}

#[test]
fn flags_end_at_the_first_word_and_at_two_dashes() {
    assert_eq!(std("--name a word --unknown").name, "a");
    assert_eq!(std("--name a -- --unknown").name, "a");
    assert_eq!(std("--name a - --unknown").name, "a");
}

#[test]
fn a_value_may_look_like_a_flag_and_may_be_empty() {
    assert_eq!(std("--name -threads").name, "-threads");
    assert_eq!(std("--name --on").name, "--on");
    assert!(!std("--name --on").on);
    assert_eq!(std("--name a --name=").name, "");
    assert_eq!(std("--name=a=b").name, "a=b");
}

#[test]
fn bad_flags_are_refused_with_one_sentence() {
    assert_eq!(refused(Dialect::Std, "--nosuch=1"), "flag provided but not defined: -nosuch");
    assert_eq!(refused(Dialect::Std, "--name"), "flag needs an argument: --name");
    assert_eq!(refused(Dialect::Std, "---name"), "bad flag syntax: ---name");
    assert_eq!(refused(Dialect::Std, "-=x"), "bad flag syntax: -=x");
    let sentence = refused(Dialect::Std, "--timeout=15");
    assert!(sentence.starts_with("invalid value \"15\" for --timeout: expected a unit"), "{sentence}");
    let sentence = refused(Dialect::Std, "--qps=fast");
    assert!(sentence.starts_with("invalid value \"fast\" for --qps"), "{sentence}");
}

#[test]
fn help_is_no_error() {
    for (dialect, line) in [
        (Dialect::Std, "-h"),
        (Dialect::Std, "--help"),
        (Dialect::Std, "-help"),
        (Dialect::Pflag, "-h"),
        (Dialect::Pflag, "--help"),
    ] {
        match read(dialect, line) {
            Err(Exit::Done(text)) => assert!(text.contains("--timeout") && text.contains("prog [flags]"), "{text}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn pflag_wants_two_dashes_except_for_v() {
    let pflag = |line: &str| read(Dialect::Pflag, line).unwrap_or_else(|exit| panic!("{line}: {exit}"));
    for line in ["-v=5", "-v 5", "-v5", "--v=5", "--v 5"] {
        assert_eq!(pflag(line).v, 5, "{line}");
    }
    assert_eq!(std("-v=5").v, 5);
    assert_eq!(std("-v 5").v, 5);
    assert_eq!(refused(Dialect::Pflag, "-name=x"), "unknown shorthand flag: 'n' in -name=x");
    assert_eq!(refused(Dialect::Pflag, "--nosuch"), "unknown flag: --nosuch");
    assert_eq!(refused(Dialect::Std, "-v5"), "flag provided but not defined: -v5");
}

#[test]
fn pflag_lets_words_stand_between_flags() {
    let flags = read(Dialect::Pflag, "--on word --name x - --timeout=1m -- --unknown").unwrap();
    assert_eq!((flags.on, flags.name.as_str(), flags.timeout), (true, "x", GoDuration::secs(60)));
}

proptest::proptest! {
    #[test]
    fn no_command_line_panics(words in proptest::collection::vec("-{0,3}(name|on|v|threads|timeout|gates|h)?=?\\PC{0,6}", 0..6)) {
        for dialect in [Dialect::Std, Dialect::Pflag] {
            let _ = parse::<Flags>(dialect, std::iter::once("prog".to_owned()).chain(words.clone()).map(OsString::from));
        }
    }
}

#[derive(Debug, clap::Parser, PartialEq)]
struct Reader {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    #[arg(long)]
    on: bool,
}

#[test]
fn words_that_are_no_flags_are_a_programs_operands_where_it_takes_any() {
    let read =
        |line: &str| parse::<Reader>(Dialect::Pflag, std::iter::once("prog").chain(line.split_whitespace()).map(OsString::from));
    for (line, files, on) in [("a --on b", vec!["a", "b"], true), ("- -- --on", vec!["-", "--on"], false)] {
        let flags = read(line).unwrap_or_else(|exit| panic!("{line}: {exit}"));
        assert_eq!((flags.files.iter().map(String::as_str).collect::<Vec<_>>(), flags.on), (files, on), "{line}");
    }
    match read("--on") {
        Err(Exit::Usage { usage, .. }) => assert!(usage.contains("prog [flags] <FILE>..."), "{usage}"),
        other => panic!("{other:?}"),
    }
}
