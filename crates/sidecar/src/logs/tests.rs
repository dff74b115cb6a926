use std::io;
use std::sync::{Arc, Mutex};

use super::*;

/// Counts writes: one event must be one write, or lines of several threads mix.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(config: LogConfig, log: impl FnOnce()) -> Vec<String> {
    let sink = Sink::default();
    let writer = sink.clone();
    tracing::subscriber::with_default(subscriber(&config, move || writer.clone()), log);
    std::mem::take(&mut *sink.0.lock().unwrap())
}

fn text(v: i32) -> LogConfig {
    LogConfig { json: false, v, vmodule: Vmodule::default() }
}

fn json() -> LogConfig {
    LogConfig { json: true, ..text(10) }
}

#[test]
fn a_text_line_has_klogs_header_and_fields_of_spans_first() {
    let lines = lines(text(0), || {
        let span = tracing::info_span!("reconcile", controller = "attacher", object = %"ns/pvc-1", late = tracing::field::Empty);
        let _in = span.enter();
        span.record("late", 7);
        tracing::info!(count = 3, ok = true, why = ?Some("x y"), text = "a \"b\"\nc", quoted = ?"q", "volume {} created", 1);
    });
    assert_eq!(lines.len(), 1);
    let (header, rest) = lines[0].split_once("] ").unwrap();
    let words: Vec<_> = header.split_whitespace().collect();
    assert_eq!(words.len(), 4, "{header}");
    assert!(words[0].starts_with('I') && words[0].len() == 5 && words[0][1..].bytes().all(|b| b.is_ascii_digit()), "{header}");
    assert_eq!((words[1].len(), &words[1][2..3], &words[1][8..9]), (15, ":", "."), "{header}");
    assert_eq!(words[2], std::process::id().to_string());
    assert!(words[3].starts_with("tests.rs:"), "{header}");
    assert_eq!(
        rest,
        "\"volume 1 created\" controller=\"attacher\" object=\"ns/pvc-1\" late=7 count=3 ok=true why=\"Some(\\\"x y\\\")\" \
         text=\"a \\\"b\\\"\\nc\" quoted=\"q\"\n"
    );
}

#[test]
fn levels_have_klogs_letters() {
    let lines = lines(text(10), || {
        tracing::error!("e");
        tracing::warn!("w");
        tracing::info!("i");
        tracing::debug!("d");
        tracing::trace!("t");
    });
    assert_eq!(lines.iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["E", "W", "I", "I", "I"]);
}

#[test]
fn a_json_line_is_one_object_with_kubernetes_keys() {
    let lines = lines(json(), || {
        let span = tracing::info_span!("rpc", method = "CreateVolume");
        let _in = span.enter();
        tracing::debug!(code = %"OK", elapsed_ms = 12u64, ratio = f64::INFINITY, "done\n\"now\"");
        tracing::error!(error = &io::Error::other("disk full") as &(dyn std::error::Error + 'static), "no");
    });
    assert_eq!(lines.len(), 2);
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert!(first["ts"].as_f64().unwrap() > 1.6e12);
    assert!(first["caller"].as_str().unwrap().starts_with("logs/tests.rs:"), "{first}");
    assert_eq!(first["msg"], "done\n\"now\"");
    assert_eq!((&first["v"], &first["method"], &first["code"]), (&2.into(), &"CreateVolume".into(), &"OK".into()));
    assert_eq!((&first["elapsed_ms"], &first["ratio"]), (&12.into(), &"inf".into()));
    let second: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!((&second["level"], &second["error"]), (&"error".into(), &"disk full".into()));
    assert!(second.get("v").is_none());
}

#[test]
fn each_verbosity_shows_its_share() {
    let shown = |v| {
        let lines = lines(text(v), || {
            tracing::warn!("warn");
            tracing::info!("info");
            tracing::debug!("debug");
            tracing::trace!(target: GRPC, "grpc");
            tracing::trace!(target: "csi_client::call", "call");
            tracing::trace!("trace");
            tracing::info!(target: "kube_client::client", "library info");
            tracing::debug!(target: "h2", "library debug");
            tracing::trace!(target: "h2::codec", "library trace");
        });
        lines.iter().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(shown(-1), "warn");
    assert_eq!(shown(0), "warn,info");
    assert_eq!(shown(1), "warn,info");
    assert_eq!(shown(2), "warn,info,debug");
    assert_eq!(shown(4), "warn,info,debug");
    assert_eq!(shown(5), "warn,info,debug,grpc,call");
    assert_eq!(shown(6), "warn,info,debug,grpc,call,trace,library info");
    assert_eq!(shown(8), "warn,info,debug,grpc,call,trace,library info,library debug");
    assert_eq!(shown(10), "warn,info,debug,grpc,call,trace,library info,library debug,library trace");
}

#[test]
fn vmodule_raises_and_lowers_single_files() {
    let shown = |v, vmodule: &str| {
        let config = LogConfig { vmodule: vmodule.parse().unwrap(), ..text(v) };
        lines(config, || {
            tracing::info!("info");
            tracing::debug!("debug");
        })
        .len()
    };
    assert_eq!(shown(0, "tests=2"), 2);
    assert_eq!(shown(0, "other=9"), 1);
    assert_eq!(shown(5, "tests=0"), 1);
}

#[test]
fn what_upstream_would_refuse_is_refused() {
    use clap::Parser;
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        logs: LogFlags,
    }
    let config = |line: &str| {
        let argv = std::iter::once("prog").chain(line.split_whitespace()).map(std::ffi::OsString::from);
        crate::parse::<Flags>(crate::Dialect::Std, argv).unwrap().logs.config()
    };
    assert_eq!(config("-v=5 --vmodule=plan=6 --log-flush-frequency=1m").unwrap().v, 5);
    assert!(config("--logging-format=json").unwrap().json);
    for line in [
        "--logging-format=xml",
        "--logging-format=json --vmodule=plan=6",
        "--log-text-split-stream",
        "--log-json-split-stream",
        "--log-text-info-buffer-size=1Ki",
        "--log-json-info-buffer-size=5",
    ] {
        assert_eq!(config(line).unwrap_err().code(), 1, "{line}");
    }
}
