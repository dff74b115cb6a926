//! CommandInfo: what is run, by whom, with which variables.

use std::collections::BTreeMap;

use super::secret;
use crate::model::{Command, EnvValue};
use crate::read::At;

/// What is run; noted if that is nothing. `image`: the image may know.
pub(super) fn read(command: &At<'_>, image: bool) -> Option<Command> {
    let shell = command.flag_of("shell").unwrap_or(true);
    let value = command.get("value").and_then(|value| Some((value.text()?, value)));
    let arguments = command.words_of("arguments");
    match (shell, value) {
        (true, Some((text, at))) => {
            if text.trim().is_empty() {
                at.wrong("is empty");
            }
            if !arguments.is_empty() {
                let path = command.path_of("arguments");
                command.reader.warning(&path, "is left out: with shell, the value is all that is run".to_owned());
            }
            Some(Command::Shell(text))
        }
        (true, None) => {
            command.required("value");
            None
        }
        // The first argument is what the program is told it is called; a pod has no way to say another name than its own.
        (false, Some((text, _))) => {
            let mut argv = vec![text.clone()];
            if let Some((name, rest)) = arguments.split_first() {
                let same = name == &text || text.rsplit('/').next() == Some(name);
                if !same {
                    let path = command.path_of("arguments");
                    command.reader.warning(&path, format!("the program is called {text:?}, not {name:?}, the first of them"));
                }
                argv.extend_from_slice(rest);
            }
            Some(Command::Argv(argv))
        }
        (false, None) if image => Some(Command::Image(arguments.into_iter().skip(1).collect())),
        (false, None) => {
            command.wrong("has nothing to run: with shell false and no image, value is the program");
            None
        }
    }
}

/// The variables of a command.
pub(super) fn environment(command: &At<'_>) -> BTreeMap<String, EnvValue> {
    let mut env = BTreeMap::new();
    let variables = command.get("environment").map(|environment| environment.list_of("variables")).unwrap_or_default();
    for variable in variables {
        let Some(name) = variable.required("name").and_then(|name| name.text()) else { continue };
        if name.is_empty() || name.contains(['=', '\0']) {
            variable.reader.problem(&variable.path_of("name"), "is no name of a variable".to_owned());
            continue;
        }
        let kind = variable.get("type").map(|kind| kind.one_of(&[("VALUE", false), ("SECRET", true)], false));
        let value = match kind {
            Some(None) => None,
            Some(Some(true)) => variable.required("secret").and_then(|at| secret::read(&at)).map(EnvValue::Secret),
            Some(Some(false)) | None => variable.required("value").and_then(|value| value.text()).map(EnvValue::Text),
        };
        env.extend(value.map(|value| (name, value)));
    }
    env
}
