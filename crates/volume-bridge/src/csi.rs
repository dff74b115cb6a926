//! CSI calls on their way to the driver. Bytes go through as they are; calls that this version knows are looked at on the way.
//!
//! ```text
//!  request ─ id ─ log ─ checks ─ plugin info ─ one at a time ─ memory ─> driver ─> memory ─ checks ─ log ─ answer
//! ```
//!
//! Spec: other formats, 4.2 (the order is gocsi's). What this version does not know, and every stream, is passed on without a look.

mod frame;
pub mod log;
pub(crate) mod memory;
mod method;
mod serial;
pub mod validate;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use csi_client::Client;
use csi_proto::csi::v1 as csi;
use csi_types::Code;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use tokio::sync::oneshot;
use tonic::Status;
use tonic::body::Body;

use crate::bridge::Bridge;
use crate::bridge::over_csi::{Creating, Deleting};
use crate::error::Error;
use frame::Answer;
use log::Lines;
use memory::Memory;
use method::{Method, text};
use serial::Serial;
use validate::Checks;

/// gRPC servers take 4 MiB; nobody sends more.
const LARGEST: usize = 16 << 20;
const REQUEST_ID: &str = "csi.requestid";

/// Which services are there. Identity always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Controller, and its group service.
    pub controller: bool,
    /// Node.
    pub node: bool,
}

/// What the gRPC half is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// X_CSI_MODE.
    pub mode: Mode,
    /// X_CSI_REQ_LOGGING and so on.
    pub lines: Lines,
    /// X_CSI_REQ_ID_INJECTION.
    pub request_ids: bool,
    /// X_CSI_SPEC_VALIDATION and so on.
    pub checks: Checks,
    /// X_CSI_PLUGIN_INFO: what GetPluginInfo answers.
    pub plugin_info: Option<csi::GetPluginInfoResponse>,
    /// X_CSI_SERIAL_VOL_ACCESS, and how long to wait for a volume.
    pub serial: Option<Duration>,
    /// Where to remember what was asked; `None`: nothing is.
    pub memory: Option<PathBuf>,
    /// Of a built-in driver: what CreateVolume gets where it says nothing itself.
    pub built_in: Option<Vec<(String, String)>>,
}

/// The gRPC half of the socket. Clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    bridge: Bridge,
    client: Client,
    settings: Settings,
    memory: Option<Memory>,
    serial: Serial,
    requests: AtomicU64,
}

/// What is remembered of a call while it is made.
enum Begun {
    Nothing,
    Create(Creating),
    Delete(Option<Deleting>),
    Remembered(memory::Turn),
}

impl Gateway {
    /// # Errors
    /// The memory cannot be read.
    pub async fn open(bridge: &Bridge, client: Client, settings: Settings) -> std::io::Result<Self> {
        let memory = match &settings.memory {
            Some(folder) => Some(Memory::open(&bridge.ctx, folder.clone()).await?),
            None => None,
        };
        let (serial, requests) = (Serial::default(), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { bridge: bridge.clone(), client, settings, memory, serial, requests })))
    }

    /// Answers one request.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let inner = &self.0;
        let path = request.uri().path();
        if let Err(status) = inner.settings.mode.allows(path) {
            return status.into_http();
        }
        let Some(method) = Method::of(path) else {
            let request = request.map(Body::new);
            return inner.client.forward(request).await.unwrap_or_else(Status::into_http);
        };
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Status::resource_exhausted(format!("the request cannot be read: {error}")).into_http(),
        };
        let Some((message, fields)) = frame::message(&body).and_then(|message| {
            let fields = method.request(&message)?;
            Some((message, fields))
        }) else {
            let request = Request::from_parts(parts, Body::new(Full::new(body)));
            return inner.client.forward(request).await.unwrap_or_else(Status::into_http);
        };
        let call = Call { method, headers: parts.headers, message, fields };
        if !call.method.changes() {
            return inner.call(call).await;
        }
        let busy = match inner.bridge.begin() {
            Ok(busy) => busy,
            Err(error) => return status(error).into_http(),
        };
        // What the driver did is written down, whether or not somebody still waits.
        let (told, answer) = oneshot::channel();
        let own = self.0.clone();
        inner.bridge.ctx.spawn("csi call", async move {
            let _busy = busy;
            let _ = told.send(own.call(call).await);
        });
        answer.await.unwrap_or_else(|_| Status::unavailable("longshore serve is stopping").into_http())
    }
}

impl Mode {
    fn allows(self, path: &str) -> Result<(), Status> {
        let service = path.split('/').nth(1).and_then(|service| service.rsplit('.').next()).unwrap_or_default();
        let allowed = match service {
            "Controller" | "GroupController" => self.controller,
            "Node" => self.node,
            _ => true,
        };
        if allowed { Ok(()) } else { Err(Status::unimplemented(format!("X_CSI_MODE leaves out the {service} service"))) }
    }
}

/// A call that is looked at.
struct Call {
    method: Method,
    headers: HeaderMap,
    message: Bytes,
    fields: DynamicMessage,
}

impl Inner {
    async fn call(&self, mut call: Call) -> Response<Body> {
        let id = self.number(&mut call.headers);
        self.settings.lines.request(&call.method, id, &call.message);
        let method = call.method.clone();
        match self.checked(call).await {
            Ok(answer) => {
                match answer.status() {
                    Ok(()) => self.settings.lines.reply(&method, id, Ok(answer.message().as_deref())),
                    Err(status) => self.settings.lines.reply(&method, id, Err(&status)),
                }
                answer.into_http()
            }
            Err(status) => {
                self.settings.lines.reply(&method, id, Err(&status));
                status.into_http()
            }
        }
    }

    /// The request's own number, or the next.
    fn number(&self, headers: &mut HeaderMap) -> u64 {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()?.parse().ok());
        let id = given.unwrap_or_else(|| self.requests.fetch_add(1, Ordering::Relaxed) + 1);
        if self.settings.request_ids && given.is_none() {
            headers.insert(REQUEST_ID, HeaderValue::from(id));
        }
        id
    }

    async fn checked(&self, mut call: Call) -> Result<Answer, Status> {
        if let Some(parameters) = self.settings.built_in.as_ref().filter(|_| call.method.name == "CreateVolume") {
            call.amend(parameters);
        }
        self.settings.checks.request(&call.method, &call.fields)?;
        if let Some(info) = self.settings.plugin_info.as_ref().filter(|_| call.method.name == "GetPluginInfo") {
            return Ok(Answer::ok(&info.encode_to_vec()));
        }
        let _turn = match self.settings.serial {
            Some(patience) => self.serial.turn(&self.bridge.ctx, &call.method, &call.fields, patience).await?,
            None => None,
        };
        let begun = self.begin(&call).await?;
        let request = call.request()?;
        let answer = match self.client.forward(request).await {
            Ok(response) => Answer::collect(response).await,
            Err(status) => Err(status),
        };
        let answer = self.end(begun, &call, answer).await?;
        if answer.status().is_ok()
            && let Some(fields) = answer.message().and_then(|message| call.method.answer(&message))
        {
            self.settings.checks.reply(&call.method, &fields)?;
        }
        Ok(answer)
    }

    async fn begin(&self, call: &Call) -> Result<Begun, Status> {
        match &*call.method.name {
            "CreateVolume" => {
                let Ok(request) = csi::CreateVolumeRequest::decode(call.message.clone()) else { return Ok(Begun::Nothing) };
                if request.name.is_empty() {
                    return Ok(Begun::Nothing);
                }
                let digest = memory::digest(&call.fields);
                Ok(Begun::Create(self.bridge.begin_create(&request, digest).await.map_err(status)?))
            }
            "DeleteVolume" => {
                let id = text(&call.fields, "volume_id");
                Ok(Begun::Delete(self.bridge.begin_delete(&id).await.map_err(status)?))
            }
            _ => match &self.memory {
                Some(memory) => Ok(memory.begin(&call.method, &call.fields).await?.map_or(Begun::Nothing, Begun::Remembered)),
                None => Ok(Begun::Nothing),
            },
        }
    }

    async fn end(&self, begun: Begun, call: &Call, answer: Result<Answer, Status>) -> Result<Answer, Status> {
        let said = answer.as_ref().map_err(Clone::clone).and_then(|answer| answer.status().map(|()| answer.message()));
        match begun {
            Begun::Create(creating) => {
                let volume = match &said {
                    Ok(message) => {
                        let decoded = message.clone().and_then(|message| csi::CreateVolumeResponse::decode(message).ok());
                        decoded.and_then(|answer| answer.volume).ok_or(Code::Unknown)
                    }
                    Err(status) => Err(code(status)),
                };
                let instead = self.bridge.end_create(creating, volume.as_ref().map_err(|code| *code)).await;
                match instead.filter(|_| self.settings.memory.is_some()) {
                    Some(volume) => Ok(Answer::ok(&csi::CreateVolumeResponse { volume: Some(volume) }.encode_to_vec())),
                    None => answer,
                }
            }
            Begun::Delete(deleting) => {
                let gone = said.is_ok() || said.as_ref().is_err_and(|status| status.code() == tonic::Code::NotFound);
                if let Some(deleting) = deleting {
                    self.bridge.end_delete(deleting, gone).await;
                }
                if let Some(memory) = self.memory.as_ref().filter(|_| gone) {
                    memory.forget(&text(&call.fields, "volume_id")).await;
                }
                let instead = gone && said.is_err() && self.settings.memory.is_some();
                if instead { Ok(Answer::ok(&[])) } else { answer }
            }
            Begun::Remembered(turn) => match &self.memory {
                Some(memory) => match memory.end(turn, &call.method, said.as_ref()).await {
                    Some(instead) => Ok(Answer::ok(&instead)),
                    None => answer,
                },
                None => answer,
            },
            Begun::Nothing => {
                let Some(memory) = &self.memory else { return answer };
                let point = memory::mount_point(&call.method, &call.fields);
                let mounted = match point {
                    Some(point) => {
                        let host = self.bridge.host.clone();
                        let table = self.bridge.ctx.blocking(move || host.mounts()).await;
                        // Not known is taken for mounted: the driver's error stands then.
                        table.map_or(true, |table| table.is_mount_point(&point))
                    }
                    None => false,
                };
                let gone = memory.taken_back(&call.method, &call.fields, said.as_ref().map(drop), mounted).await;
                if gone && said.is_err() { Ok(Answer::ok(&[])) } else { answer }
            }
        }
    }
}

impl Call {
    /// As it came, or as it was amended.
    fn request(&self) -> Result<Request<Body>, Status> {
        let body = Body::new(Full::new(frame::framed(&self.message)));
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        let uri = self.method.path.parse();
        *request.uri_mut() = uri.map_err(|_| Status::internal("a call's path is no path"))?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().remove(http::header::CONTENT_LENGTH);
        Ok(request)
    }

    /// What old clients leave out, since REX-Ray's drivers needed none of it.
    fn amend(&mut self, parameters: &[(String, String)]) {
        use csi::volume_capability::access_mode::Mode;
        use csi::volume_capability::{AccessMode, AccessType, MountVolume};
        let Ok(mut request) = csi::CreateVolumeRequest::decode(self.message.clone()) else { return };
        // A copy is of its source's kind.
        for (key, value) in parameters.iter().filter(|_| request.volume_content_source.is_none()) {
            request.parameters.entry(key.clone()).or_insert_with(|| value.clone());
        }
        if request.volume_capabilities.is_empty() {
            request.volume_capabilities.push(csi::VolumeCapability {
                access_mode: Some(AccessMode { mode: Mode::SingleNodeWriter.into() }),
                access_type: Some(AccessType::Mount(MountVolume::default())),
            });
        }
        self.message = request.encode_to_vec().into();
        if let Some(fields) = self.method.request(&self.message) {
            self.fields = fields;
        }
    }
}

/// Our own refusals, as gRPC says them.
fn status(error: Error) -> Status {
    let said = error.to_string();
    match error {
        Error::InUse { .. } | Error::Lost { .. } => Status::failed_precondition(said),
        _ => Status::unavailable(said),
    }
}

fn code(status: &Status) -> Code {
    Code::ALL.get(status.code() as usize).copied().unwrap_or(Code::Unknown)
}
