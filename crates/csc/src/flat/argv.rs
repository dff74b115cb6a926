//! Old command lines as today's. Pure.

use crate::capability::USUAL;

/// Commands by all their names, and where they are today.
const COMMANDS: &[(&[&str], [&str; 2])] = &[
    (&["createvolume", "new", "create"], ["controller", "create-volume"]),
    (&["deletevolume", "d", "rm", "del", "delete"], ["controller", "delete-volume"]),
    (&["controllerpublishvolume", "att", "attach"], ["controller", "publish"]),
    (&["controllerunpublishvolume", "det", "detach"], ["controller", "unpublish"]),
    (&["validatevolumecapabilities", "v", "validate"], ["controller", "validate-volume-capabilities"]),
    (&["listvolumes", "l", "ls", "list"], ["controller", "list-volumes"]),
    (&["getcapacity", "getc", "capacity"], ["controller", "get-capacity"]),
    (&["controllergetcapabilities", "cget"], ["controller", "get-capabilities"]),
    (&["getplugininfo", "getp"], ["identity", "plugin-info"]),
    (&["nodepublishvolume", "mnt", "mount"], ["node", "publish"]),
    (&["nodeunpublishvolume", "umount", "unmount", "umt"], ["node", "unpublish"]),
    (&["getnodeid", "id", "getn", "nodeid"], ["node", "get-info"]),
    (&["probenode", "p", "probe"], ["identity", "probe"]),
    (&["nodegetcapabilities", "nget"], ["node", "get-capabilities"]),
];

/// Commands that asked for a capability without being told of one.
const WITH_CAP: &[&str] = &["create-volume", "publish", "validate-volume-capabilities"];

/// Flags with a value.
const VALUES: &[(&str, &str)] = &[
    ("requiredBytes", "--req-bytes"),
    ("limitBytes", "--lim-bytes"),
    ("params", "--params"),
    ("nodeID", "--node-id"),
    ("targetPath", "--target-path"),
    ("publishVolumeInfo", "--pub-context"),
    ("metadata", "--vol-context"),
    ("maxEntries", "--max-entries"),
    ("startingToken", "--starting-token"),
    ("md", "--metadata"),
    ("endpoint", "--endpoint"),
    ("format", "--format"),
];

/// Flags that are true or false.
const SWITCHES: &[(&str, &str)] = &[("ro", "--read-only"), ("paging", "--paging"), ("insecure", "--insecure")];

/// Today's global flags whose value is the next word.
const GLOBAL_VALUES: &[&str] =
    &["-e", "--endpoint", "-t", "--timeout", "-l", "--log-level", "-m", "--metadata", "-o", "--output", "--format"];

/// A command line of today.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Rewritten {
    /// Without the program's name.
    pub(crate) words: Vec<String>,
    /// It was an old one.
    pub(crate) flat: bool,
    /// What a person should know of it.
    pub(crate) notes: Vec<String>,
}

/// Reads a command line. One of today comes back as it is, but for `--metadata`, which goes to its end, since clap forgets those that
/// stand before a command when others stand after it.
///
/// # Errors
/// An old command or flag that has no form today.
pub(crate) fn rewrite(words: Vec<String>) -> Result<Rewritten, String> {
    let at = command(&words);
    let Some(verb) = at.map(|at| words[at].to_ascii_lowercase()) else { return Ok(today(words)) };
    if ["getsupportedversions", "gets"].contains(&verb.as_str()) {
        return Err(format!("{verb}: CSI 1.0 has no GetSupportedVersions; ask for `identity plugin-info`"));
    }
    let (Some(at), Some((_, [service, name]))) = (at, COMMANDS.iter().find(|(names, _)| names.contains(&verb.as_str()))) else {
        return Ok(today(words));
    };
    let mut old = Old::default();
    let mut out: Vec<String> = words[..at].to_vec();
    out.extend([(*service).to_owned(), (*name).to_owned()]);
    let mut rest = words.into_iter().skip(at + 1);
    while let Some(word) = rest.next() {
        if word == "--" {
            out.push(word);
            out.extend(rest.by_ref());
            break;
        }
        old.word(word, &mut rest, &mut out)?;
    }
    let mut notes = std::mem::take(&mut old.notes);
    let end = out.iter().position(|word| word == "--").unwrap_or(out.len());
    let has_cap = out[..end].iter().any(|word| word == "--cap" || word.starts_with("--cap="));
    if let Some(cap) = old.cap() {
        out.insert(end, format!("--cap={cap}"));
    } else if !has_cap && WITH_CAP.contains(name) {
        notes.push(format!("no --cap: asking for {USUAL}"));
        out.insert(end, format!("--cap={USUAL}"));
    }
    Ok(Rewritten { words: today(out).words, flat: true, notes })
}

/// Where the command stands.
fn command(words: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" || !word.starts_with('-') {
            return (word != "--").then_some(at);
        }
        at += if GLOBAL_VALUES.contains(&word.as_str()) { 2 } else { 1 };
    }
    None
}

fn today(words: Vec<String>) -> Rewritten {
    let (mut before, mut metadata, mut after) = (Vec::new(), Vec::new(), Vec::new());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            after.push(word);
            after.extend(words.by_ref());
        } else if word == "-m" || word == "--metadata" {
            metadata.push(word);
            metadata.extend(words.next());
        } else if word.starts_with("--metadata=") || (word.starts_with("-m") && !word.starts_with("--")) {
            metadata.push(word);
        } else {
            before.push(word);
        }
    }
    before.append(&mut metadata);
    before.append(&mut after);
    Rewritten { words: before, ..Rewritten::default() }
}

/// Old flags whose meaning depends on others.
#[derive(Default)]
struct Old {
    block: bool,
    mode: Option<String>,
    fs_type: Option<String>,
    mount_flags: Option<String>,
    notes: Vec<String>,
}

impl Old {
    fn word(&mut self, word: String, rest: &mut impl Iterator<Item = String>, out: &mut Vec<String>) -> Result<(), String> {
        let Some(dashed) = word.strip_prefix('-') else {
            out.push(word);
            return Ok(());
        };
        let name = dashed.strip_prefix('-').unwrap_or(dashed);
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let two = dashed.starts_with('-');
        // With two dashes it is the gRPC metadata of today.
        let known = |table: &[(&str, &'static str)]| {
            table.iter().find(|(old, _)| *old == name && !(two && name == "metadata")).map(|(_, new)| *new)
        };
        let mut needed = |value: Option<String>| value.or_else(|| rest.next()).ok_or_else(|| format!("{word}: expected a value"));
        if let Some(new) = known(VALUES) {
            out.push(format!("{new}={}", needed(value)?));
        } else if let Some(new) = known(SWITCHES) {
            out.push(value.map_or_else(|| new.to_owned(), |value| format!("{new}={value}")));
        } else {
            match name {
                "block" => {
                    self.block =
                        value.map_or(Ok(true), |value| sidecar::go_bool(&value).map_err(|error| format!("{word}: {error}")))?
                }
                "mode" => self.mode = Some(needed(value)?),
                "t" if !two => self.fs_type = Some(needed(value)?),
                "o" if !two => {
                    let value = needed(value)?;
                    if ["lines", "table", "json"].contains(&value.as_str()) {
                        out.push(format!("--output={value}"));
                    } else {
                        self.mount_flags = Some(value);
                    }
                }
                "version" if !two || value.is_some() => {
                    let value = needed(value)?;
                    self.notes.push(format!("-version {value} is left out: CSI's version is in the calls themselves since 1.0"));
                }
                _ if GLOBAL_VALUES.contains(&word.as_str()) => {
                    out.push(word.clone());
                    out.push(needed(None)?);
                }
                _ => out.push(word),
            }
        }
        Ok(())
    }

    /// The capability that the flags together mean.
    fn cap(&self) -> Option<String> {
        let Self { block, mode, fs_type, mount_flags, .. } = self;
        if !block && mode.is_none() && fs_type.is_none() && mount_flags.is_none() {
            return None;
        }
        let mode = mode.as_deref().unwrap_or("SINGLE_NODE_WRITER");
        if *block {
            // Upstream: both are ignored with -block.
            return Some(format!("{mode},block"));
        }
        let flags = mount_flags.as_ref().map(|flags| format!(",{flags}")).unwrap_or_default();
        Some(format!("{mode},mount,{}{flags}", fs_type.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn flat(line: &str) -> String {
        let rewritten = rewrite(words(line)).unwrap();
        assert!(rewritten.flat, "{line}");
        rewritten.words.join(" ")
    }

    #[test]
    fn rex_rays_command_lines_are_todays() {
        assert_eq!(flat("new MyNewVolume"), "controller create-volume MyNewVolume --cap=SINGLE_NODE_WRITER,mount,");
        assert_eq!(flat("ls"), "controller list-volumes");
        assert_eq!(
            flat("att path=/x/vol/MyNewVolume"),
            "controller publish path=/x/vol/MyNewVolume --cap=SINGLE_NODE_WRITER,mount,"
        );
        assert_eq!(flat("det v"), "controller unpublish v");
        assert_eq!(flat("mnt -targetPath /t v"), "node publish --target-path=/t v --cap=SINGLE_NODE_WRITER,mount,");
        assert_eq!(flat("umount --target-path /t v"), "node unpublish --target-path /t v");
        assert_eq!(flat("RM v w"), "controller delete-volume v w");
    }

    #[test]
    fn old_flags_are_todays() {
        assert_eq!(
            flat("-e csi.sock new -requiredBytes=1 --limitBytes 2 -mode 5 -t xfs -o uid=5,gid=5 -params a=1 a"),
            "-e csi.sock controller create-volume --req-bytes=1 --lim-bytes=2 --params=a=1 a --cap=5,mount,xfs,uid=5,gid=5"
        );
        assert_eq!(flat("new -block a"), "controller create-volume a --cap=SINGLE_NODE_WRITER,block");
        assert_eq!(
            flat("att -metadata k=v -ro a --cap 1,block"),
            "controller publish --vol-context=k=v --read-only a --cap 1,block"
        );
        assert_eq!(flat("ls --paging -o json -md a=b"), "controller list-volumes --paging --output=json --metadata=a=b");
        assert_eq!(flat("ls -- -t"), "controller list-volumes -- -t");
        assert!(rewrite(words("new a")).unwrap().notes[0].contains("--cap"));
        assert!(rewrite(words("gets")).unwrap_err().contains("plugin-info"));
        assert!(rewrite(words("new -mode")).unwrap_err().contains("expected a value"));
    }

    #[test]
    fn todays_command_lines_stay_as_they_are_but_for_metadata() {
        for line in ["controller new a --cap 1,block", "-e new c ls", "c new -t 5s a", "", "--help", "-- new"] {
            assert_eq!(rewrite(words(line)), Ok(Rewritten { words: words(line), ..Rewritten::default() }), "{line}");
        }
        let moved = rewrite(words("-m a=1 c ls -mb=2 --metadata=c=3 -- -m")).unwrap();
        assert_eq!(moved.words.join(" "), "c ls -m a=1 -mb=2 --metadata=c=3 -- -m");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_command_line_is_rewritten_or_an_error(line in proptest::collection::vec(proptest::string::string_regex("(new|ls|att|-t|-o|-m|-metadata|--|-block|-e|=|-version|\\PC{0,5})").expect("a pattern"), 0..6)) {
            let _ = rewrite(line);
        }
    }
}
