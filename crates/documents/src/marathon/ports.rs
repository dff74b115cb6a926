//! Where an app listens: `portDefinitions`, and `portMappings` of its container.

use crate::model::Port;
use crate::read::At;

/// All that have a number.
pub(super) fn ports(app: &At<'_>, container: Option<&At<'_>>) -> Vec<Port> {
    let mut ports = Vec::new();
    let mappings = container.map(|container| container.list_of("portMappings")).unwrap_or_default();
    for (at, number, host) in app
        .list_of("portDefinitions")
        .into_iter()
        .map(|at| (at, "port", None))
        .chain(mappings.into_iter().map(|at| (at, "containerPort", Some("hostPort"))))
    {
        let port = |name: &str| -> Option<u16> {
            let field = at.get(name)?;
            match field.count().map(u16::try_from)? {
                Ok(0) => {
                    field.warn("is 0, any free port, and nobody here chooses one: write a number if the task listens there");
                    None
                }
                Ok(port) => Some(port),
                Err(_) => {
                    field.wrong("is no port: it has to be 65535 or less");
                    None
                }
            }
        };
        let number = port(number);
        let host = host.and_then(port);
        let protocols = at.text_of("protocol").unwrap_or_else(|| "tcp".to_owned()).to_ascii_lowercase();
        for protocol in protocols.split(',') {
            let udp = match protocol.trim() {
                "tcp" => false,
                "udp" => true,
                _ => {
                    at.reader.problem(&at.path_of("protocol"), "has to be tcp, udp or udp,tcp".to_owned());
                    continue;
                }
            };
            ports.extend(number.map(|number| Port { name: at.text_of("name"), number, host, udp }));
        }
    }
    ports
}
