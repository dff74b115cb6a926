//! `CommandInfo` and its environment.

use std::collections::BTreeSet;

use base64::Engine;
use csi_types::Secret;

use super::place::{Places, Problem, Warning};
use super::raw;
use crate::plugin::{Command, Environment, How};

/// What of `CommandInfo` is neither the command nor the environment.
pub(super) struct Words {
    /// `None`: the image's own.
    pub(super) command: Option<Command>,
    pub(super) environment: Environment,
    pub(super) user: Option<String>,
}

/// The variable by which Mesos tells a node plugin where it is.
const AGENT_ID: &str = "MESOS_AGENT_ID";

pub(super) fn with_node_name(mut how: How) -> How {
    match &mut how {
        How::Process(process) => drop(process.environment.node_name.insert(AGENT_ID.to_owned())),
        How::Docker(docker) => drop(docker.environment.node_name.insert(AGENT_ID.to_owned())),
        How::Endpoint(_) => {}
    }
    how
}

/// `image`: whether there is an image that has a command of its own.
pub(super) fn read(
    raw: Option<raw::Command>,
    at: &str,
    image: bool,
    places: &Places<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Words, Problem> {
    let Some(raw) = raw else {
        return match image {
            true => Ok(Words { command: None, environment: Environment::default(), user: None }),
            false => Err(places.problem(at, "is missing; expected an object with `value`, what is to be started")),
        };
    };
    if !raw.uris.0.is_empty() {
        let reason = "asks for files to be fetched, which is not done here; put the program on this host and take this field out";
        return Err(places.problem(&format!("{at}.uris"), reason));
    }
    let value = raw.value.filter(|value| !value.is_empty());
    let arguments = raw.arguments.0;
    for (index, text) in value.iter().chain(&arguments).enumerate() {
        if text.contains('\0') {
            let field = if index == 0 && value.is_some() { format!("{at}.value") } else { format!("{at}.arguments") };
            return Err(places.problem(&field, "has a NUL in it, which no command can have"));
        }
    }
    let command = match (raw.shell.unwrap_or(true), value) {
        (true, Some(value)) => {
            if !arguments.is_empty() {
                let reason = "does nothing: `shell` is true, so `value` is the whole command line; put them there, or set `shell` to false";
                warnings.push(places.warning(&format!("{at}.arguments"), reason));
            }
            Some(Command::Shell(value))
        }
        (false, Some(program)) => {
            // As for execv: the first is what the program is told to be called.
            let mut arguments = arguments.into_iter();
            let own_name = arguments.next();
            if own_name.as_ref().is_some_and(|name| *name != program && !program.ends_with(&format!("/{name}"))) {
                let reason = "is the name that the program would see as its own, which is not honoured: it sees `value`. If it was meant as the first argument, put the program's name before it";
                warnings.push(places.warning(&format!("{at}.arguments[0]"), reason));
            }
            Some(Command::Program { program, args: arguments.collect::<Vec<_>>().into() })
        }
        (false, None) if image && arguments.is_empty() => None,
        (false, None) if image => {
            return Err(places.problem(&format!("{at}.arguments"), "are there without `value`; expected the program in `value`"));
        }
        (true, None) if image && arguments.is_empty() && raw.shell.is_none() => None,
        (_, None) => return Err(places.problem(&format!("{at}.value"), "is missing; expected what is to be started")),
    };
    let environment = environment(raw.environment, at, places, warnings)?;
    let user = raw.user.filter(|user| !user.is_empty());
    if let Some(user) = &user
        && !user.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    {
        return Err(places.problem(&format!("{at}.user"), format!("is {user:?}; expected the name or number of a user")));
    }
    Ok(Words { command, environment, user })
}

fn environment(
    raw: Option<raw::Environment>,
    at: &str,
    places: &Places<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Environment, Problem> {
    let (mut environment, mut secret, mut known) = (Environment::default(), Vec::new(), BTreeSet::new());
    for (index, variable) in raw.unwrap_or_default().variables.0.into_iter().enumerate() {
        let field = |name: &str| format!("{at}.environment.variables[{index}].{name}");
        let name = variable.name.unwrap_or_default();
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(places.problem(&field("name"), "is missing or no name of a variable; expected letters, digits and _"));
        }
        if matches!(name.as_str(), "CSI_ENDPOINT" | AGENT_ID) {
            warnings
                .push(places.warning(&field("name"), format!("does nothing: {name} is set to what this host gives the plugin")));
            continue;
        }
        if !known.insert(name.clone()) {
            let reason = format!("sets {name} a second time; expected each variable once");
            return Err(places.problem(&field("name"), reason));
        }
        let kind = variable.kind.as_deref().unwrap_or("VALUE");
        match (kind, variable.value, variable.secret) {
            ("VALUE", Some(value), None) if !value.contains('\0') => drop(environment.plain.insert(name, value)),
            ("VALUE", Some(_), None) => {
                return Err(places.problem(&field("value"), "has a NUL in it, which no variable can have"));
            }
            ("SECRET", None, Some(value)) => secret.push((name, secret_value(value, &field("secret"), places)?)),
            ("VALUE", ..) => {
                return Err(
                    places.problem(&field("value"), "is missing, or there is `secret` beside it; type VALUE has `value` alone")
                );
            }
            ("SECRET", ..) => {
                return Err(
                    places.problem(&field("secret"), "is missing, or there is `value` beside it; type SECRET has `secret` alone")
                );
            }
            (other, ..) => return Err(places.problem(&field("type"), format!("is {other:?}; expected VALUE or SECRET"))),
        }
    }
    environment.secret = Secret::from_iter(secret);
    Ok(environment)
}

fn secret_value(raw: raw::Secret, field: &str, places: &Places<'_>) -> Result<String, Problem> {
    match (raw.kind.as_deref(), raw.value, raw.reference) {
        (Some("VALUE"), Some(value), None) => {
            let at = format!("{field}.value.data");
            let data = value.data.ok_or_else(|| places.problem(&at, "is missing; expected base64"))?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(data.trim());
            let bytes = bytes.map_err(|_| places.problem(&at, "is not base64 text; expected the secret in base64"))?;
            let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            text.ok_or_else(|| places.problem(&at, "holds bytes that no variable can have: a NUL, or no UTF-8"))
        }
        (Some("REFERENCE"), None, Some(reference)) => {
            let key = reference.key.map(|key| format!(", key {key:?}")).unwrap_or_default();
            let name = reference.name.unwrap_or_default();
            let reason = format!(
                "names {name:?}{key} in a secret store, and a plugin's file has none here; give it as type VALUE, and let only root read the file"
            );
            Err(places.problem(&format!("{field}.reference"), reason))
        }
        (Some("VALUE" | "REFERENCE"), ..) => Err(places.problem(
            field,
            "has another member than its type says; expected `value` for VALUE, `reference` for REFERENCE, and not both",
        )),
        (Some(other), ..) => Err(places.problem(&format!("{field}.type"), format!("is {other:?}; expected VALUE or REFERENCE"))),
        (None, ..) => Err(places.problem(&format!("{field}.type"), "is missing; expected VALUE or REFERENCE")),
    }
}
