//! The way of a request from a process to the API, and of the answer back: latency, and what goes wrong.
//!
//! The API's half is a task of the world: a caller who dies or gives up neither stops nor hurries what was sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use kube::client::Body;
use rt::Ctx;
use serde_json::json;
use tokio::sync::oneshot;
use tower::{BoxError, Service};

use crate::fault::{ApiFault, FaultKind, Place};
use crate::laws::Saying;
use crate::process::program;
use crate::trace::What;
use crate::world::World;

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// A client for a process: what it asks goes through the world.
pub(crate) fn client(world: &World, who: &Arc<str>, process: &Ctx) -> kube::Client {
    let agent = program(who).to_owned();
    let (world, who, of) = (world.clone(), who.clone(), process.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (world, who, of) = (world.clone(), who.clone(), of.clone());
        let (answer, answered) = oneshot::channel();
        let ctx = world.ctx().clone();
        ctx.spawn("request", async move {
            if let Some(result) = carry(&world, &who, &of, request).await {
                let _ = answer.send(result);
            } else {
                // Nobody is ever told.
                std::future::pending::<()>().await;
            }
        });
        answered.map(|result| result.unwrap_or_else(|_| Err(broken())))
    });
    cluster::on(process, service, &agent)
}

fn broken() -> BoxError {
    "the connection is broken".into()
}

/// `None`: the answer never comes.
async fn carry(world: &World, who: &Arc<str>, process: &Ctx, request: Request<Body>) -> Option<Result<Answer, BoxError>> {
    let ctx = world.ctx();
    let (request, spelled) = spell(world, who, request).await;
    let Spelled { key, place } = spelled;
    let told = matches!(place, Place::Write);
    ctx.sleep(latency(ctx, &key)).await;
    if world.api_is_down() {
        return Some(Err(broken()));
    }
    if told {
        world.note(who, What::Requested { key: key.clone() });
    }
    let fault = match world.faults().at(&key, place) {
        Some(FaultKind::Api(fault)) => {
            world.note(who, What::Went { key: key.clone(), wrong: format!("{fault:?}") });
            Some(fault)
        }
        _ => world.forbids(&key).then_some(ApiFault::Refused(403)),
    };
    match fault {
        Some(ApiFault::Refused(code)) => return Some(refusal(code)),
        Some(ApiFault::Lost) => return Some(Err(broken())),
        Some(ApiFault::KillBefore) => world.kill(who, "a request arrives"),
        Some(ApiFault::Slow(ms)) => ctx.sleep(Duration::from_millis(u64::from(ms) / 2)).await,
        Some(ApiFault::Compacted) => world.store().compact(),
        _ => {}
    }
    let Ok(answer) = world.api().call(request).await;
    if told {
        world.note(who, What::Answered { key: key.clone(), code: answer.status().as_u16() });
        world.written(who, &key, answer.status().as_u16());
    } else if place == Place::Read {
        world.looked(who, &key);
    }
    match fault {
        Some(ApiFault::FailedAfter) => return Some(refusal(500)),
        Some(ApiFault::Unanswered) => return Some(Err(broken())),
        Some(ApiFault::Silent) => return None,
        Some(ApiFault::KillAfter) => world.kill(who, "an answer leaves"),
        Some(ApiFault::Slow(ms)) => ctx.sleep(Duration::from_millis(u64::from(ms) / 2)).await,
        _ => {}
    }
    ctx.sleep(latency(ctx, &key)).await;
    let answer = answer.map(|body| body.map_err(|never| match never {}).boxed_unsync());
    Some(Ok(match place {
        Place::Watch => told_late(world.clone(), process.clone(), key, fault, answer),
        _ => answer,
    }))
}

/// The events of a watch come one after the other, each with a delay of its own, until the connection breaks.
fn told_late(world: World, process: Ctx, key: Arc<str>, fault: Option<ApiFault>, answer: Answer) -> Answer {
    let (cut, stale) = match fault {
        Some(ApiFault::Cut(after)) => (Some(after), 0),
        Some(ApiFault::Stale(ms)) => (None, ms),
        _ => (None, 0),
    };
    answer.map(|body| {
        let frames = BodyStream::new(body).enumerate().then(move |(nth, frame)| {
            let (world, process, key) = (world.clone(), process.clone(), key.clone());
            async move {
                world.ctx().sleep(latency(world.ctx(), &key) + Duration::from_millis(u64::from(stale))).await;
                let lost = cut.is_some_and(|after| nth as u64 >= u64::from(after)) || world.api_is_down() || process.is_dead();
                if lost { Err(broken()) } else { frame }
            }
        });
        StreamBody::new(frames).boxed_unsync()
    })
}

/// Milliseconds: mostly few.
fn latency(ctx: &Ctx, key: &str) -> Duration {
    let drawn = ctx.draw(key);
    Duration::from_millis(match drawn % 16 {
        0 => 20 + (drawn >> 8) % 180,
        _ => 1 + (drawn >> 8) % 8,
    })
}

struct Spelled {
    key: Arc<str>,
    place: Place,
}

/// Who does what to what, in names that do not depend on the seed.
async fn spell(world: &World, who: &str, request: Request<Body>) -> (Request<Body>, Spelled) {
    let query = request.uri().query().unwrap_or_default();
    let path = request.uri().path().to_owned();
    let named = Named::of(&path);
    let (verb, place) = match *request.method() {
        Method::GET if query.contains("watch=") => ("WATCH", Place::Watch),
        Method::GET if named.name.is_none() => ("LIST", Place::Read),
        Method::GET => ("GET", Place::Read),
        Method::POST => ("CREATE", Place::Write),
        Method::PUT => ("UPDATE", Place::Write),
        Method::PATCH => ("PATCH", Place::Write),
        _ => ("DELETE", Place::Write),
    };
    let mut name = named.name.map(|name| world.plain(name)).unwrap_or_default();
    let (kind, sub) = (named.kind.to_owned(), named.subresource.map(|sub| format!("/{sub}")).unwrap_or_default());
    let request = if matches!(place, Place::Write) {
        // The body is needed twice: to see what it says, and to be sent on.
        let (head, body) = request.into_parts();
        let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        world.says(&Saying { who, verb, kind: &kind, body: &bytes });
        if verb == "CREATE" {
            name = world.name_new(&kind, &bytes);
        }
        Request::from_parts(head, Body::from(bytes))
    } else {
        request
    };
    let key = format!("{who} {verb} {kind}{sub} {name}");
    (request, Spelled { key: key.trim_end().into(), place })
}

/// A path of the API, taken apart.
struct Named<'a> {
    kind: &'a str,
    name: Option<&'a str>,
    subresource: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(path: &'a str) -> Self {
        let mut parts = path.trim_start_matches('/').split('/');
        let grouped = parts.next() == Some("apis");
        let mut parts = parts.skip(if grouped { 2 } else { 1 }).peekable();
        let mut kind = parts.next().unwrap_or_default();
        let mut name = parts.next();
        if kind == "namespaces" && parts.peek().is_some_and(|next| !matches!(*next, "status" | "finalize")) {
            kind = parts.next().unwrap_or_default();
            name = parts.next();
        }
        Self { kind, name, subresource: parts.next() }
    }
}

fn refusal(code: u16) -> Result<Answer, BoxError> {
    let reason = match code {
        403 => "Forbidden",
        409 => "Conflict",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    let message = format!("refused with {code}, says the plan");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {});
    Ok(Response::builder().status(code).header("retry-after", "1").body(body.boxed_unsync())?)
}
