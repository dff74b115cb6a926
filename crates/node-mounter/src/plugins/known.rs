//! Drivers whose sockets are known without a registrar: they are registered as if one had announced them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use csi_types::DriverName;
use futures::FutureExt;
use futures::future::BoxFuture;

use tokio::sync::Notify;

use super::{Announced, Refusal, Registration, SocketId, Sockets};

/// The given drivers, and whatever registrars put into the folder besides.
pub struct KnownDrivers<S, R> {
    ready: Arc<Ready>,
    sockets: S,
    registration: R,
}

/// Which given drivers have answered. A driver is announced when it can be called, not before.
#[derive(Default)]
pub struct Ready {
    drivers: Mutex<BTreeMap<PathBuf, DriverName>>,
    changed: Notify,
}

impl Ready {
    /// The driver on this socket has answered.
    pub fn announce(&self, socket: PathBuf, name: DriverName) {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner).insert(socket, name);
        self.changed.notify_one();
    }

    /// Nobody is to be called on this socket any more.
    pub fn withdraw(&self, socket: &Path) {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner).remove(socket);
        self.changed.notify_one();
    }

    fn named(&self, socket: &Path) -> Option<DriverName> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner).get(socket).cloned()
    }
}

impl<S: Sockets, R: Registration> KnownDrivers<S, R> {
    /// `sockets` and `registration`: of whoever announces itself.
    pub fn new(ready: Arc<Ready>, sockets: S, registration: R) -> Arc<Self> {
        Arc::new(Self { ready, sockets, registration })
    }
}

/// A driver that restarts on its socket stays registered: it is the socket's path that names it.
const GIVEN: SocketId = SocketId { inode: 0, made: 0 };

impl<S: Sockets, R: Registration> Sockets for KnownDrivers<S, R> {
    fn scan(&self) -> BoxFuture<'_, BTreeMap<PathBuf, SocketId>> {
        async move {
            let mut sockets = self.sockets.scan().await;
            let drivers = self.ready.drivers.lock().unwrap_or_else(PoisonError::into_inner);
            sockets.extend(drivers.keys().map(|socket| (socket.clone(), GIVEN)));
            sockets
        }
        .boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        async move {
            tokio::select! {
                biased;
                () = self.ready.changed.notified() => {}
                () = self.sockets.changed() => {}
            }
        }
        .boxed()
    }
}

impl<S: Sockets, R: Registration> Registration for KnownDrivers<S, R> {
    fn info<'a>(&'a self, socket: &'a Path) -> BoxFuture<'a, Result<Announced, String>> {
        match self.ready.named(socket) {
            Some(name) => futures::future::ready(Ok(Announced {
                kind: "CSIPlugin".to_owned(),
                name: name.to_string(),
                endpoint: String::new(),
                versions: vec!["1.0.0".to_owned()],
            }))
            .boxed(),
            None => self.registration.info(socket),
        }
    }

    fn notify<'a>(&'a self, socket: &'a Path, status: Result<(), &'a Refusal>) -> BoxFuture<'a, Result<(), String>> {
        match self.ready.named(socket) {
            Some(_) => futures::future::ready(Ok(())).boxed(),
            None => self.registration.notify(socket, status),
        }
    }
}
