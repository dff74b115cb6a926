//! A file that is damaged, from the future, or not ours: one sentence names it and says what to do, and not a byte of it is touched.
//! What can be shown to be whole is served whole.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use redb::{Database, TableDefinition};

use super::process::{Up, folder, kubectl, text};

/// Debian's `nobody`.
const NOBODY: u32 = 65534;
const MAPS: usize = 40;

/// The file of a host that served and was stopped.
fn good_file() -> Vec<u8> {
    let place = folder();
    let up = Up::start(place.path(), &[]);
    let manifests: String = (0..MAPS).map(map).collect();
    kubectl(&up.kubeconfig()).apply(&manifests);
    assert_eq!(up.stop().code(), Some(0));
    let bytes = fs::read(place.path().join("objects.redb")).expect("it is there");
    // Of a file that was not closed, the last commit may be taken for one that a crash tore, and the one before for the newest.
    assert_eq!(bytes[9] & 2, 0, "it was not closed");
    bytes
}

fn map(number: usize) -> String {
    let bulk = format!("{number} ").repeat(300);
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number:02}}}\ndata: {{bulk: '{bulk}'}}\n")
}

struct Case {
    place: tempfile::TempDir,
    file: PathBuf,
}

impl Case {
    fn new(bytes: &[u8]) -> Self {
        let place = folder();
        let file = place.path().join("objects.redb");
        fs::write(&file, bytes).expect("written");
        Self { place, file }
    }

    /// Refused by name, with a way out, untouched; or served with everything that was in it.
    fn judge(&self, what: &str) -> Verdict {
        let before = fs::read(&self.file).expect("it is there");
        match Up::try_start(self.place.path(), &[]) {
            Err(said) => {
                self.refused(what, &said);
                assert!(fs::read(&self.file).expect("it is there") == before, "{what}: refused, but touched");
                Verdict::Refused
            }
            Ok(up) => {
                let listed =
                    kubectl(&up.kubeconfig()).ok("get configmaps -o jsonpath={range.items[*]}{.metadata.name}{.data.bulk}{end}");
                let wanted: String =
                    (0..MAPS).map(|number| format!("map-{number:02}{}", format!("{number} ").repeat(300))).collect();
                let names = kubectl(&up.kubeconfig()).ok("get configmaps -o name");
                assert!(listed == wanted, "{what}: served, but not whole: {names}");
                Verdict::Served
            }
        }
    }

    fn refused(&self, what: &str, said: &str) {
        let file = self.file.display().to_string();
        assert!(said.contains(&file), "{what}: which file? {said}");
        let way_out = ["move it away", "choose another", "use a program of the version", "put a copy in its place", "run it as"];
        assert!(way_out.iter().any(|words| said.contains(words)), "{what}: and now? {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{what}: one sentence: {said}");
        assert!(!said.contains("panicked"), "{what}: {said}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Refused,
    Served,
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_truncated_file_is_refused_and_left_alone() {
    let good = good_file();
    for len in [1, 9, 100, 320, 4096, good.len() / 3, good.len() / 2, good.len() - 4096, good.len() - 1] {
        assert_eq!(Case::new(&good[..len]).judge(&format!("{len} of {} bytes", good.len())), Verdict::Refused);
    }
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_flipped_bit_is_refused_or_does_not_matter() {
    let good = good_file();
    let header = [0, 8, 9, 10, 12, 40, 64, 65, 80, 128, 150, 192, 220, 300];
    let middle = (1..12).map(|part| good.len() * part / 12 + 17);
    let end = [good.len() - 1, good.len() - 100, good.len() - 4000];
    let places = header.into_iter().chain(middle).chain(end);
    let mut refused = 0;
    for (index, at) in places.enumerate() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (index % 8);
        if Case::new(&bytes).judge(&format!("bit {} of byte {at} of {}", index % 8, good.len())) == Verdict::Refused {
            refused += 1;
        }
    }
    assert!(refused > 3, "damage to the header at least is seen: {refused}");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_file_of_a_later_format_is_refused_by_its_number() {
    let case = Case::new(&good_file());
    change(&case.file, |db| {
        let txn = db.begin_write().expect("a transaction");
        let meta: TableDefinition<'_, &str, u128> = TableDefinition::new("meta");
        txn.open_table(meta).expect("there").insert("format", 7).expect("written");
        txn.commit().expect("committed");
    });
    assert_eq!(case.judge("format 7"), Verdict::Refused);
    let said = Up::try_start(case.place.path(), &[]).err().expect("refused");
    assert!(said.contains("format 7") && said.contains("use a program of the version"), "{said}");
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_database_of_another_program_is_refused() {
    let case = Case::new(&[]);
    change(&case.file, |db| {
        let txn = db.begin_write().expect("a transaction");
        let theirs: TableDefinition<'_, &str, &str> = TableDefinition::new("recipes");
        txn.open_table(theirs).expect("made").insert("bread", "flour").expect("written");
        txn.commit().expect("committed");
    });
    assert_eq!(case.judge("recipes"), Verdict::Refused);
}

fn change(file: &Path, work: impl FnOnce(&Database)) {
    let db = Database::create(file).expect("a database");
    work(&db);
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_folder_in_its_place_is_refused() {
    let case = Case::new(&[]);
    fs::remove_file(&case.file).expect("removed");
    fs::create_dir(&case.file).expect("made");
    fs::write(case.file.join("precious"), "x").expect("written");
    let said = Up::try_start(case.place.path(), &[]).err().expect("refused");
    case.refused("a folder", &said);
    assert_eq!(fs::read_to_string(case.file.join("precious")).expect("it is there"), "x");
}

#[test]
#[ignore = "becomes another user, which needs root"]
fn a_file_that_may_not_be_read_is_refused() {
    let case = Case::new(b"root's own");
    fs::set_permissions(&case.file, fs::Permissions::from_mode(0o600)).expect("closed");
    fs::set_permissions(case.place.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    let program = case.place.path().join("longshore");
    fs::copy(env!("CARGO_BIN_EXE_longshore"), &program).expect("a copy");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("opened");
    let arguments = ["up".to_owned(), "--rootless".to_owned(), format!("--data-dir={}", case.place.path().display())];
    let mut command = std::process::Command::new(&program);
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").uid(NOBODY).gid(NOBODY).current_dir("/");
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&case.file.display().to_string()) && said.contains("Permission denied"), "{said}");
    assert_eq!(fs::read(&case.file).expect("root can"), b"root's own");
}
