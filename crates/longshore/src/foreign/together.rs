//! Several documents at once: plugins whose parts are in several files, and volumes that several use.

use documents::{Note, nomad};

use super::source::{Source, line};

/// Puts the parts of one plugin together, in the first document that has one of them, and checks who uses a volume with whom.
///
/// A plugin's controller and its node, a volume and the job that mounts it: with Nomad each is a file.
///
/// # Errors
/// Lines that say what does not go together, each with its file.
pub(crate) fn together(sources: &mut [Source]) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    for index in 1..sources.len() {
        let (before, rest) = sources.split_at_mut(index);
        let Some(source) = rest.first_mut() else { continue };
        let mut own = Vec::new();
        for plugin in std::mem::take(&mut source.parsed.document.plugins) {
            let mut known = before.iter_mut().flat_map(|source| &mut source.parsed.document.plugins);
            let Some(other) = known.find(|other| other.id == plugin.id) else {
                own.push(plugin);
                continue;
            };
            let (mut merged, twice) = nomad::merge(vec![other.clone(), plugin]);
            match merged.pop() {
                Some(both) if twice.is_empty() => *other = both,
                _ => {
                    let reason =
                        format!("plugin {:?} offers a service that it offers in an earlier file, too: remove one", other.id);
                    wrong.push(line(&source.file, "", &Note::whole(reason)));
                }
            }
        }
        source.parsed.document.plugins = own;
    }
    let documents: Vec<_> = sources.iter().map(|source| &source.parsed.document).collect();
    for (index, note) in nomad::claims(&documents) {
        let source = &sources[index];
        wrong.push(line(&source.file, "", &Note { place: source.lines.place(&note.field), ..note }));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
