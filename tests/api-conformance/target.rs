//! The servers that the behaviours are run against.

mod apistore;
mod real;

use tokio::sync::{OnceCell, RwLock, RwLockWriteGuard};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The kube-apiserver that `hack/cluster up` started.
    Real,
    /// `apistore` in this process, in memory.
    Apistore,
}

/// A server, and how to reach it.
pub(crate) struct Site {
    pub(crate) client: kube::Client,
    pub(crate) anonymous: kube::Client,
    /// Held for writing while history is forgotten, for reading by those who go back to some version.
    pub(crate) history: RwLock<()>,
    kept: Kept,
}

/// Where history is.
enum Kept {
    Etcd,
    Store(::apistore::Store),
}

static REAL: OnceCell<Site> = OnceCell::const_new();
static APISTORE: OnceCell<Site> = OnceCell::const_new();

impl Target {
    pub(crate) async fn site(self) -> &'static Site {
        let real = async || {
            let (client, anonymous) = real::clients().await;
            Site { client, anonymous, history: RwLock::new(()), kept: Kept::Etcd }
        };
        let apistore = async || {
            let (client, anonymous, store) = apistore::clients().await;
            Site { client, anonymous, history: RwLock::new(()), kept: Kept::Store(store) }
        };
        match self {
            Self::Real => REAL.get_or_init(real).await,
            Self::Apistore => APISTORE.get_or_init(apistore).await,
        }
    }
}

impl Site {
    /// Makes the server forget every version before the newest. Nobody else relies on history while the answer is held.
    pub(crate) async fn forget_history(&self) -> RwLockWriteGuard<'_, ()> {
        let alone = self.history.write().await;
        match &self.kept {
            Kept::Etcd => real::compact_etcd().await,
            Kept::Store(store) => store.compact(),
        }
        alone
    }
}
