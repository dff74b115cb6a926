//! The first command that anybody types.

use std::fs;
use std::os::unix::process::CommandExt;

use super::process::{folder, longshore, text};

/// A user that has nothing. Debian's `nobody`.
const NOBODY: u32 = 65534;

#[test]
#[ignore = "mounts and makes loop devices, which needs root"]
fn a_demo_shows_the_bytes_removes_everything_and_exits_0() {
    let output = longshore().args(["up", "--demo"]).output().expect("the program starts");
    let (said, wrong) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    for words in ["these bytes came through a claim", "claim data  Bound", "pod writer  Running", "Nothing is left"] {
        assert!(said.contains(words), "{words:?} is missing in\n{said}");
    }
    assert_eq!(wrong, "", "nothing is complained of");
    let dir = said.split("everything is below ").nth(1).and_then(|rest| rest.split(".\n").next()).expect("it says where");
    assert!(!fs::exists(dir).expect("/tmp can be read"), "{dir} is left");
    assert!(!fs::read_to_string("/proc/self/mountinfo").expect("the mount table").contains(dir), "a mount is left");
}

#[test]
#[ignore = "becomes another user, which needs root"]
fn without_root_a_demo_serves_directories_in_a_namespace_of_its_own() {
    // The build's own folder may be closed to others.
    let place = folder();
    let program = place.path().join("longshore");
    fs::copy(env!("CARGO_BIN_EXE_longshore"), &program).expect("a copy");
    fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("opened");
    let mut command = std::process::Command::new(&program);
    command.args(["up", "--demo"]).env_clear().env("PATH", "/usr/bin:/bin").uid(NOBODY).gid(NOBODY).current_dir("/");
    let output = command.output().expect("the program starts");
    let (said, wrong) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    assert!(said.contains("directories in a user namespace") && said.contains("Nothing is left"), "{said}");
}

#[test]
#[ignore = "becomes another user, which needs root"]
fn without_root_and_without_a_word_of_it_one_sentence_says_what_to_type() {
    let place = folder();
    let program = place.path().join("longshore");
    fs::copy(env!("CARGO_BIN_EXE_longshore"), &program).expect("a copy");
    fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("opened");
    let mut command = std::process::Command::new(&program);
    let output = command.arg("up").uid(NOBODY).gid(NOBODY).current_dir("/").output().expect("the program starts");
    let wrong = text(&output.stderr);
    assert_eq!((output.status.code(), wrong.lines().count()), (Some(1), 1), "{wrong}");
    assert!(wrong.contains("sudo") && wrong.contains("--rootless"), "{wrong}");
}
