//! One driver, and the calls that a command makes of it: secrets, metadata, checks, and the lines of `--with-request-logging`.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::time::Duration;

use csi_client::{Address, Client, ConnectOptions, Headers, Metrics};
use csi_proto::json::{Secrets, render};
use csi_types::Secret;
use prost::Message;
use prost_reflect::DynamicMessage;

use crate::calls::Call;
use crate::checks::Checks;
use crate::failure::Failure;
use crate::template::Value;

/// How to talk to a driver.
pub(crate) struct Settings {
    pub(crate) endpoint: Address,
    pub(crate) timeout: Duration,
    pub(crate) headers: Headers,
    pub(crate) secrets: Secret,
    pub(crate) checks: Checks,
    pub(crate) log_requests: bool,
    pub(crate) log_answers: bool,
    /// Whether notes are told.
    pub(crate) notes: bool,
}

/// One driver.
pub(crate) struct Session<'a> {
    client: Client,
    settings: Settings,
    err: RefCell<&'a mut dyn Write>,
    count: Cell<u64>,
}

impl<'a> Session<'a> {
    /// Connects with the first call.
    pub(crate) fn new(ctx: &rt::Ctx, settings: Settings, err: &'a mut dyn Write) -> Self {
        let options = ConnectOptions { address: settings.endpoint.clone(), timeout: settings.timeout, metrics: Metrics::new() };
        Self { client: Client::lazy(ctx, options), settings, err: RefCell::new(err), count: Cell::new(0) }
    }

    /// Makes a call.
    pub(crate) async fn call<C: Call>(&self, request: C) -> Result<C::Answer, Failure> {
        let Settings { endpoint, secrets, checks, headers, .. } = &self.settings;
        let spec = |what, answered| Failure::Spec { what, method: C::METHOD, endpoint: endpoint.clone(), answered };
        checks.request(&dynamic(&request)?, C::REQUIRED).map_err(|what| spec(what, false))?;
        let number = self.count.get() + 1;
        self.count.set(number);
        if self.settings.log_requests {
            self.log(&format!("{}: REQ {number:04}: {}", C::METHOD, render(&request, Secrets::Stripped)));
        }
        let answer: C::Answer = match self.client.unary(C::METHOD, request, headers).await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::call(error, endpoint, secrets);
                if self.settings.log_answers {
                    self.log(&format!("{}: REP {number:04}: {failure}", C::METHOD));
                }
                return Err(failure);
            }
        };
        if self.settings.log_answers {
            self.log(&format!("{}: REP {number:04}: {}", C::METHOD, render(&answer, Secrets::Stripped)));
        }
        checks.answer(&dynamic(&answer)?).map_err(|what| spec(what, true))?;
        Ok(answer)
    }

    /// What the calls send as secrets.
    pub(crate) fn secrets(&self) -> std::collections::BTreeMap<String, String> {
        self.settings.secrets.expose().clone()
    }

    /// A driver's answer without what the command is about.
    pub(crate) fn incomplete<C: Call>(&self, what: &str) -> Failure {
        Failure::Answer { what: what.to_owned(), method: C::METHOD, endpoint: self.settings.endpoint.clone() }
    }

    /// What a call showed not to be there, told as if the driver had said it.
    pub(crate) fn missing<C: Call>(&self, words: &str) -> Failure {
        let (words, endpoint) = (words.to_owned(), self.settings.endpoint.clone());
        Failure::Call { words, method: C::METHOD, endpoint, code: csi_types::Code::NotFound, unreachable: false }
    }

    /// Something that a person should know, and a script need not.
    pub(crate) fn note(&self, text: &str) {
        if self.settings.notes {
            self.log(&format!("note: {text}"));
        }
    }

    /// Nobody who reads stderr is no reason to end.
    fn log(&self, line: &str) {
        let _ = writeln!(self.err.borrow_mut(), "{line}");
    }
}

fn dynamic<M: Message + prost::Name>(message: &M) -> Result<DynamicMessage, Failure> {
    match Value::answer(message) {
        Ok(Value::Message(message)) => Ok(message),
        Ok(_) => Err(Failure::Usage(format!("{} is no message", M::full_name()))),
        Err(what) => Err(Failure::Usage(what)),
    }
}
