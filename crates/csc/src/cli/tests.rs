use super::*;

fn read(line: &str) -> Result<Cli, Failure> {
    Cli::read("csc", line.split(' ').map(str::to_owned).collect())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// The row of a command, in the part of its service.
fn row<'a>(page: &'a str, service: &str, command: &str) -> &'a str {
    let part = page.split(&format!("| **{service}** (")).nth(1).unwrap_or_else(|| panic!("no {service} on the page"));
    let rows = part.lines().take_while(|line| !line.is_empty()).skip(1).take_while(|line| !line.starts_with("| **"));
    rows.into_iter()
        .find(|line| line.starts_with(&format!("| `{command}`")))
        .unwrap_or_else(|| panic!("no row for {service} {command}"))
}

#[test]
fn the_page_has_every_command_with_its_aliases_and_flags() {
    let page = include_str!("../../../../docs/csi-client.md");
    let cli = Cli::command();
    for flag in cli.get_arguments().filter_map(|arg| arg.get_long()) {
        assert!(page.contains(&format!("`--{flag}`")), "--{flag}");
    }
    for service in cli.get_subcommands() {
        for command in service.get_subcommands() {
            let row = row(page, service.get_name(), command.get_name());
            for alias in command.get_visible_aliases() {
                assert!(row.contains(&format!("`{alias}`")), "{alias} of {row}");
            }
            let flags = command.get_arguments().filter_map(|arg| arg.get_long()).filter(|flag| *flag != "volume-mount-group");
            for flag in flags {
                assert!(row.contains(&format!("`--{flag}`")), "--{flag} of {row}");
            }
        }
    }
}

#[test]
fn every_alias_of_csc_is_a_command() {
    for line in [
        "i info",
        "ident plugin-info",
        "identity caps",
        "identity plugin-capabilities",
        "i probe",
        "c n a",
        "c c a",
        "c new a",
        "controller create a",
        "c create-volume a",
        "c d a",
        "c rm a",
        "c del a",
        "c delete a",
        "c delete-volume a",
        "c publish a",
        "c attach a",
        "c unpublish a",
        "c detach a",
        "c ls",
        "c list",
        "c volumes",
        "c list-volumes",
        "c validate a",
        "c validate-volume-capabilities a",
        "c capacity",
        "c get-capacity",
        "c get-capabilities",
        "c capabilities",
        "c s a --source-volume v",
        "c snap a --source-volume v",
        "c create-snapshot a --source-volume v",
        "c ds a",
        "c delsnap a",
        "c delete-snapshot a",
        "c sl",
        "c snap-list",
        "c snapshots",
        "c list-snapshots",
        "c exp a",
        "c expand a",
        "c expand-volume a",
        "n info",
        "n get-info",
        "n capabilities",
        "n get-capabilities",
        "n stage a",
        "n unstage a",
        "n publish a",
        "n mnt a",
        "n mount a",
        "n unpublish a",
        "n umount a",
        "n unmount a",
        "n stats a:/b",
        "n exp a /b",
        "n expand a /b",
        "node expand-volume a /b",
        "g caps",
        "g new a --source-volume v",
        "g rm a",
        "g get a",
    ] {
        assert!(read(line).is_ok(), "{line}: {:?}", read(line).err().map(|failure| failure.to_string()));
    }
}

#[test]
fn global_flags_stand_anywhere() {
    for line in ["-e x c ls", "c -e x ls", "c ls -e x", "c ls --endpoint=x"] {
        assert_eq!(read(line).unwrap().global.endpoint.as_deref(), Some("x"), "{line}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_was_expected() {
    let said = |line: &str, env: &Env| {
        let cli = read(line).unwrap();
        cli.global.settings(env).map(drop).and_then(|()| cli.global.form(false).map(drop)).unwrap_err().to_string()
    };
    let none = Env::default();
    assert!(said("c ls", &none).contains("CSI_ENDPOINT"));
    assert!(said("-e http://x/ c ls", &none).starts_with("--endpoint: "));
    assert!(said("-e x -t 0 c ls", &none).contains("above 0"));
    assert!(said("-e x -t 5 c ls", &none).contains("unit"));
    assert!(said("-e x -l loud c ls", &none).contains("expected panic"));
    assert!(said("-e x -i=false c ls", &none).contains("no TLS"));
    assert!(said("-e x -o json --format x c ls", &none).contains("give one"));
    assert!(said("-e x -m k-bin=hunter2 c ls", &none).contains("k-bin"));
    assert!(!said("-e x -m k-bin=hunter2 c ls", &none).contains("hunter2"));
    let debug = Env { endpoint: Some("x".into()), debug: Some("perhaps".into()), ..Env::default() };
    assert!(said("c ls", &debug).contains("X_CSI_DEBUG"));
    let secrets = Env { endpoint: Some("x".into()), secrets: Some("\"hunter2".into()), ..Env::default() };
    assert!(said("c ls", &secrets).contains("X_CSI_SECRETS") && !said("c ls", &secrets).contains("hunter2"));
}
