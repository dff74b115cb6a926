//! One watch.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _, stream::BoxStream};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::Call;

/// How long an event may take that is on its way. Generous: two cores are shared by many behaviours.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream of events.
pub(crate) struct Watch {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    lines: BoxStream<'static, std::io::Result<String>>,
}

impl Watch {
    pub(crate) async fn open(call: Call<'_>) -> Self {
        let (head, body) = call.open().await.into_parts();
        let bytes = body.into_data_stream().map_err(std::io::Error::other);
        Self { code: head.status.as_u16(), headers: head.headers, lines: bytes.into_async_read().lines().boxed() }
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next()).await.expect("no event came");
        let line = line?.expect("the watch broke off");
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in the event {line}")))
    }

    /// The object of the next event, which is of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let mut event = Value::Null;
        // A plain bookmark may come at any time.
        while event.is_null()
            || (kind != "BOOKMARK" && event["type"] == "BOOKMARK" && event["object"]["metadata"].get("annotations").is_none())
        {
            event = self.next().await.unwrap_or_else(|| panic!("the watch ended before {kind}"));
        }
        assert_eq!(event["type"], kind, "the next event is {event}");
        event["object"].clone()
    }

    /// As [`Watch::expect`], of the object with this name.
    pub(crate) async fn expect_of(&mut self, kind: &str, name: &str) -> Value {
        let object = self.expect(kind).await;
        assert_eq!(object["metadata"]["name"], name, "{kind} of {object}");
        object
    }

    /// The bookmark at the end of what was there.
    pub(crate) async fn expect_end_of_list(&mut self) -> Value {
        let object = self.expect("BOOKMARK").await;
        assert_eq!(object["metadata"]["annotations"]["k8s.io/initial-events-end"], "true", "{object}");
        object
    }

    /// Everything until the server ends the stream.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}
