//! How the process reaches the API server.

use std::path::PathBuf;
use std::time::Duration;

use http::{Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rt::Ctx;
use tower::{BoxError, Layer, Service, ServiceExt};

use crate::limits::{Limits, Rate};

/// What the flags say about the API server.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// `--kubeconfig`. `None`: the pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// `--master`: overrides the server of the kubeconfig.
    pub server: Option<String>,
    /// `--kube-api-qps` and `--kube-api-burst`. `None`: no limit of ours; the server's priority and fairness does its work.
    pub rate: Option<Rate>,
    /// `User-Agent`, so that audit logs name us.
    pub user_agent: String,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file is not there, or is not a kubeconfig.
    #[error("cannot read the kubeconfig {path}: {cause}")]
    Kubeconfig {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// No kubeconfig was given, and this is no pod with a service account.
    #[error("no --kubeconfig is given and the service account of the pod cannot be used: {0}")]
    InCluster(String),
    /// The server's address is none.
    #[error("--master={address} is no address: {cause}")]
    Server {
        /// What was given.
        address: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Certificates or keys cannot be used.
    #[error("cannot set up the connection to the API server: {0}")]
    Setup(String),
}

/// Time to the head of an answer. A list of 500 objects comes in well under a second; a server that takes longer is lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A client with limits. Does not connect yet.
///
/// # Errors
/// See [`ClientError`]; nothing was sent.
pub async fn connect(ctx: &Ctx, options: &ClientOptions) -> Result<Client, ClientError> {
    let mut config = match &options.kubeconfig {
        Some(path) => {
            let refused = |cause: String| ClientError::Kubeconfig { path: path.clone(), cause };
            let file = Kubeconfig::read_from(path).map_err(|error| refused(chain(&error)))?;
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            config.map_err(|error| refused(chain(&error)))?
        }
        None => Config::incluster().map_err(|error| ClientError::InCluster(chain(&error)))?,
    };
    if let Some(address) = &options.server {
        config.cluster_url = address
            .parse()
            .map_err(|error: http::uri::InvalidUri| ClientError::Server { address: address.clone(), cause: error.to_string() })?;
    }
    // Retries are ours: kube's would run for minutes inside one call.
    config.default_retry = false;
    if let Ok(agent) = http::HeaderValue::from_str(&options.user_agent) {
        config.headers.push((http::header::USER_AGENT, agent));
    }
    let builder = ClientBuilder::try_from(config).map_err(|error| ClientError::Setup(chain(&error)))?;
    let limits = Limits::new(ctx.clone(), ANSWER_WITHIN, options.rate);
    Ok(builder.with_layer(&limits).build())
}

/// A client on an API in this process, with the same limits as one on a network.
pub fn on<S, B>(ctx: &Ctx, api: S, user_agent: &str) -> Client
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let agent = http::HeaderValue::from_str(user_agent).ok();
    let named = api.map_request(move |mut request: Request<Body>| {
        if let Some(agent) = &agent {
            request.headers_mut().insert(http::header::USER_AGENT, agent.clone());
        }
        request
    });
    Client::new(Limits::new(ctx.clone(), ANSWER_WITHIN, None).layer(named), "default")
}

/// An error and its causes, in one line, each said once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
