//! How a command is told where to listen.

use std::path::Path;

/// The variable that says it.
pub(crate) const VARIABLE: &str = "CSI_ENDPOINT";

/// What the variable says.
pub(crate) fn url(socket: &Path) -> String {
    format!("unix://{}", socket.display())
}

/// An argument with `${CSI_ENDPOINT}` and `$CSI_ENDPOINT` replaced, as a shell would.
pub(crate) fn expand(text: &str, url: &str) -> String {
    let text = text.replace(&format!("${{{VARIABLE}}}"), url);
    let (name, mut out, mut rest) = (format!("${VARIABLE}"), String::new(), text.as_str());
    while let Some(at) = rest.find(&name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(before);
        out.push_str(if ends { url } else { &name });
        rest = after;
    }
    out + rest
}

/// Replaces a folder that only a container would have, wherever a text names it or something in it, by the host's.
pub(crate) fn moved(text: &str, from: &Path, to: &Path) -> String {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    let from = from.trim_end_matches('/');
    if from.is_empty() {
        return text.to_owned();
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        out.push_str(before);
        // Not the middle or the beginning of another path.
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let whole = !out.ends_with(inner) && !after.starts_with(inner);
        out.push_str(if whole { &to } else { from });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_put_in_where_it_is_named() {
        let url = "unix:///s";
        assert_eq!(expand("--endpoint=$CSI_ENDPOINT", url), "--endpoint=unix:///s");
        assert_eq!(expand("${CSI_ENDPOINT},$CSI_ENDPOINTS,$CSI_ENDPOINT", url), "unix:///s,$CSI_ENDPOINTS,unix:///s");
        assert_eq!(expand("$HOME", url), "$HOME");
    }

    #[test]
    fn a_folder_of_a_container_becomes_the_hosts() {
        let moved = |text: &str| moved(text, Path::new("/csi/"), Path::new("/run/p"));
        assert_eq!(moved("--endpoint=unix:///csi/csi.sock"), "--endpoint=unix:///run/p/csi.sock");
        assert_eq!(moved("/csi"), "/run/p");
        for other in ["/var/lib/csi/x", "/csi-data/x", "/csi.d"] {
            assert_eq!(moved(other), other);
        }
    }
}
