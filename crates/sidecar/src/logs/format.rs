//! How one event looks: klog's text line, or one line of Kubernetes' JSON.

use std::error::Error;
use std::fmt::{self, Write as _};

use jiff::{Timestamp, tz::TimeZone};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// `I0102 15:04:05.000000    1234 plan.rs:17] "message" key="value"`, in UTC. Fields of enclosing spans come first.
pub(super) struct Klog;

/// `{"ts":1672671845000.123,"caller":"external-attacher/plan.rs:17","msg":"message","v":0,"key":"value"}`.
/// Errors and warnings have `"level"` in place of `"v"`.
pub(super) struct Json;

#[expect(clippy::disallowed_methods, reason = "a log line tells when it was really written; nothing decides by it")]
fn now() -> Timestamp {
    Timestamp::now()
}

impl<S, N> FormatEvent<S, N> for Klog
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        let letter = match *meta.level() {
            Level::ERROR => 'E',
            Level::WARN => 'W',
            _ => 'I',
        };
        let time = now().to_zoned(TimeZone::UTC);
        write!(
            writer,
            "{letter}{:02}{:02} {:02}:{:02}:{:02}.{:06} {:>7} {}:{}]",
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.subsec_nanosecond() / 1_000,
            std::process::id(),
            meta.file().map_or("", |file| file.rsplit('/').next().unwrap_or(file)),
            meta.line().unwrap_or(0),
        )?;
        let mut message = Message(String::new());
        event.record(&mut message);
        write!(writer, " {:?}", message.0)?;
        spans(ctx, &mut writer)?;
        event.record(&mut TextFields::new(&mut writer));
        writeln!(writer)
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        let micros = now().as_microsecond();
        let mut message = Message(String::new());
        event.record(&mut message);
        write!(writer, "{{\"ts\":{}.{:03},\"caller\":", micros / 1_000, micros % 1_000)?;
        json_text(&mut writer, &caller(meta))?;
        writer.write_str(",\"msg\":")?;
        json_text(&mut writer, &message.0)?;
        match *meta.level() {
            Level::ERROR => writer.write_str(",\"level\":\"error\"")?,
            Level::WARN => writer.write_str(",\"level\":\"warn\"")?,
            level => write!(writer, ",\"v\":{}", super::verbosity_of(meta.target(), level))?,
        }
        spans(ctx, &mut writer)?;
        event.record(&mut JsonFields::new(&mut writer));
        writeln!(writer, "}}")
    }
}

/// The fields of enclosing spans, outermost first, as they were written when the spans were made.
fn spans<S, N>(ctx: &FmtContext<'_, S, N>, writer: &mut Writer<'_>) -> fmt::Result
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
            writer.write_str(&fields.fields)?;
        }
    }
    Ok(())
}

/// The crate and the file: `external-attacher/plan.rs:17`, `csi-client/call.rs:3`.
fn caller(meta: &Metadata<'_>) -> String {
    let parts: Vec<_> = meta.file().unwrap_or_default().split('/').filter(|part| !matches!(*part, "src" | "crates")).collect();
    let tail = parts.len().saturating_sub(2);
    format!("{}:{}", parts[tail..].join("/"), meta.line().unwrap_or(0))
}

impl<'writer> FormatFields<'writer> for Klog {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = TextFields::new(&mut writer);
        fields.record(&mut visitor);
        visitor.result
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &tracing::span::Record<'_>) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

impl<'writer> FormatFields<'writer> for Json {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = JsonFields::new(&mut writer);
        fields.record(&mut visitor);
        visitor.result
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &tracing::span::Record<'_>) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Takes the message out of an event.
struct Message(String);

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// ` key=value` per field. Numbers and booleans stand bare, all else in quotes, so that a line stays one line.
struct TextFields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl<'a, 'w> TextFields<'a, 'w> {
    fn new(writer: &'a mut Writer<'w>) -> Self {
        Self { writer, result: Ok(()) }
    }

    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() != "message" && self.result.is_ok() {
            self.result = write!(self.writer, " {}={value}", field.name());
        }
    }
}

impl Visit for TextFields<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, format_args!("{:?}", cluster::chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            return;
        }
        let text = format!("{value:?}");
        if is_bare(&text) { self.put(field, format_args!("{text}")) } else { self.put(field, format_args!("{text:?}")) }
    }
}

/// Numbers and booleans, and the Debug form of a string, which is quoted already.
fn is_bare(text: &str) -> bool {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"') && !text.contains('\n');
    quoted || matches!(text, "true" | "false") || text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `,"key":value` per field.
struct JsonFields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    result: fmt::Result,
}

impl<'a, 'w> JsonFields<'a, 'w> {
    fn new(writer: &'a mut Writer<'w>) -> Self {
        Self { writer, result: Ok(()) }
    }

    fn put(&mut self, field: &Field, value: Result<fmt::Arguments<'_>, &str>) {
        if field.name() == "message" || self.result.is_err() {
            return;
        }
        self.result = self.writer.write_char(',').and_then(|()| json_text(self.writer, field.name())).and_then(|()| {
            self.writer.write_char(':')?;
            match value {
                Ok(bare) => self.writer.write_fmt(bare),
                Err(text) => json_text(self.writer, text),
            }
        });
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for infinity.
        if value.is_finite() { self.put(field, Ok(format_args!("{value}"))) } else { self.put(field, Err(&value.to_string())) }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Ok(format_args!("{value}")));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Ok(format_args!("{value}")));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Ok(format_args!("{value}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Err(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, Err(&cluster::chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.put(field, Err(&format!("{value:?}")));
        }
    }
}

fn json_text(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    writer.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
