//! The command: puts the parts together and keeps them until it is asked to stop.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser as _;
use csi_client::{Address, Client, ConnectOptions, Metrics};
use rt::Shutdown;
use sidecar::{Exit, Http, Program as _, Shell, parse};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::bridge::Bridge;
use crate::csi::Gateway;
use crate::environment::Environment;
use crate::flags::{Config, Driver, Endpoint, Flags, Job};
use crate::host::LinuxHost;
use crate::serve::{Listener, Server};
use crate::socket::{Access, Socket};
use crate::spec_file::SpecFile;
use crate::{lock, operator};

/// Of the built-in driver, in the state directory.
const OWN_SOCKET: &str = "driver.sock";
/// Pause between two looks at it.
const LOOK: Duration = Duration::from_millis(2);

/// The command, from `argv` on. A level by name becomes klog's verbosity, unless that is given, too.
pub fn main(mut argv: Vec<OsString>) -> ExitCode {
    // What is wrong with the flags is said below, by the shell that every program has.
    if let Ok(flags) = parse::<Flags>(Flags::DIALECT, argv.clone())
        && let Ok(Some(v)) = Environment::of_process().verbosity(&flags.log_level, &mut Vec::new())
    {
        argv.insert(1.min(argv.len()), format!("--v={v}").into());
    }
    sidecar::run_with::<Flags, _>(argv, run)
}

/// Serves until asked to stop: takes no new work, finishes what is under way, and removes its socket. What is mounted stays.
///
/// # Errors
/// The state directory, the socket or the built-in driver cannot be had.
pub async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    match &config.job {
        Job::Serve => serve(config, shell).await,
        Job::ListMounts => operator::list_mounts(&config.endpoint).await,
        Job::ForgetMount { volume, id } => operator::forget_mount(&config.endpoint, volume, id).await,
    }
}

async fn serve(config: Config, shell: Shell) -> anyhow::Result<()> {
    let Shell { ctx, shutdown, .. } = &shell;
    let state_dir = config.bridge.state_dir.clone();
    let named = || format!("--state-dir {}", state_dir.display());
    ctx.disk().make_dir(&state_dir).await.with_context(named)?;
    let _lock = lock::take(ctx, &state_dir.join("lock")).await.with_context(named)?;

    let mut built_in = BuiltIn::start(&config, &shell)?;
    built_in.listens(&shell).await?;
    let metrics = Metrics::new();
    shell.metrics.register(|registry| metrics.register(registry));
    if let Some(address) = &config.metrics {
        Http::new().metrics("/metrics", &shell.metrics).serve(ctx, "--http-endpoint", address).await?;
    }
    let options = ConnectOptions { address: built_in.address.clone(), timeout: config.timeout, metrics };
    let client = Client::lazy(ctx, options.clone());
    let bridge =
        Bridge::open(ctx, config.bridge, Arc::new(client.clone()), Arc::new(LinuxHost), shutdown).await.with_context(named)?;
    let gateway = Gateway::open(&bridge, client, config.csi).await.with_context(named)?;

    let (listener, socket) = listen(&config.endpoint, config.access, &config.owner).await?;
    let spec = match (&config.endpoint, config.spec.filter(|_| config.docker)) {
        (Endpoint::Unix(path), Some((folder, name, asked))) => write_spec(&folder, &name, path, asked)?,
        _ => None,
    };
    tell(&config.endpoint, config.docker);
    ctx.spawn("driver", introduce(shell.clone(), bridge.clone(), options));
    ctx.spawn("tidy", {
        let bridge = bridge.clone();
        async move { bridge.keep_tidy().await }
    });
    let server = Server { ctx: ctx.clone(), shutdown: shutdown.clone(), bridge, gateway, docker: config.docker };
    let serving = async {
        futures::join!(server.run(listener), async {
            shutdown.requested().await;
            if let Some(socket) = &socket {
                socket.remove();
            }
            if let Some(spec) = &spec {
                spec.remove();
            }
        });
    };
    let mut ended = built_in.ended;
    tokio::select! {
        biased;
        end = &mut ended => {
            if let Some(socket) = &socket {
                socket.remove();
            }
            return Err(ended_early(end));
        }
        () = serving => {}
    }
    built_in.stop.request();
    // It lets its calls end, too.
    let _ = ended.await;
    tracing::info!("stopped; volumes stay mounted, and their records stay in {}", state_dir.display());
    Ok(())
}

/// REX-Ray's words: people look for this line.
fn tell(endpoint: &Endpoint, docker: bool) {
    let (file, what) = match endpoint {
        Endpoint::Unix(path) => {
            (path.display().to_string(), if docker { "multiplexed csi+docker endpoint" } else { "csi endpoint" })
        }
        Endpoint::Tcp(address) => {
            (format!("tcp://{address}"), if docker { "multiplexed csi+docker endpoint" } else { "csi endpoint" })
        }
    };
    tracing::info!(sockFile = file, "{what}");
}

fn write_spec(folder: &Path, name: &str, socket: &Path, asked: bool) -> anyhow::Result<Option<SpecFile>> {
    match SpecFile::write(folder, name, socket) {
        Ok(spec) => {
            tracing::info!(file = %spec.path().display(), plugin = name, "Docker finds this plugin by its spec file");
            Ok(Some(spec))
        }
        Err(error) if asked => {
            Err(Exit::failed(format!("--plugin-spec-dir: cannot write {}/{name}.spec: {error}", folder.display())).into())
        }
        Err(error) => {
            tracing::warn!(folder = %folder.display(), "Docker is not led to this socket: {name}.spec cannot be written: {error}");
            Ok(None)
        }
    }
}

async fn listen(
    endpoint: &Endpoint,
    access: Access,
    owner: &crate::environment::Owner,
) -> anyhow::Result<(Listener, Option<Socket>)> {
    match endpoint {
        Endpoint::Unix(path) => {
            let user = owner.user.as_deref().map(|name| id_of("X_CSI_ENDPOINT_USER", name, "/etc/passwd")).transpose()?;
            let group = owner.group.as_deref().map(|name| id_of("X_CSI_ENDPOINT_GROUP", name, "/etc/group")).transpose()?;
            let (socket, listener) = Socket::bind(path, Access { user, group, ..access })?;
            Ok((Listener::Unix(listener), Some(socket)))
        }
        Endpoint::Tcp(address) => {
            let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on tcp://{address}"))?;
            Ok((Listener::Tcp(listener), None))
        }
    }
}

/// A number, or a name of this host's own file: a static program asks no name service.
fn id_of(variable: &str, name: &str, file: &str) -> Result<u32, Exit> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let table =
        std::fs::read_to_string(file).map_err(|error| Exit::failed(format!("{variable} is {name:?}: {file}: {error}")))?;
    let found = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    found.ok_or_else(|| Exit::failed(format!("{variable} is {name:?}, which {file} does not have; give a number")))
}

/// Says once who the driver is, and says while it is not there.
async fn introduce(shell: Shell, bridge: Bridge, options: ConnectOptions) {
    let known = async {
        let client = Client::connect(&shell.ctx, options).await;
        csi_client::wait_ready(&shell.ctx, &client).await;
        match bridge.facts().await {
            Ok(facts) => tracing::info!(driver = facts.driver.as_str(), "the driver is there"),
            Err(error) => tracing::warn!("{error}"),
        }
    };
    tokio::select! {
        biased;
        () = shell.shutdown.requested() => {}
        () = known => {}
    }
}

/// The driver, in this process or elsewhere.
struct BuiltIn {
    address: Address,
    stop: Shutdown,
    /// In this process.
    here: bool,
    /// Why it ended; never, for one that is elsewhere and not asked to stop.
    ended: oneshot::Receiver<String>,
}

impl BuiltIn {
    fn start(config: &Config, shell: &Shell) -> anyhow::Result<Self> {
        let (tell, ended) = oneshot::channel();
        let stop = Shutdown::new();
        let (address, stopped) = (config.bridge.state_dir.join(OWN_SOCKET), stop.clone());
        let Driver::BuiltIn { data_dir, .. } = &config.driver else {
            let Driver::At(address) = &config.driver else { anyhow::bail!("no driver") };
            shell.ctx.spawn("driver elsewhere", async move {
                stopped.requested().await;
                let _ = tell.send(String::new());
            });
            return Ok(Self { address: address.clone(), stop, here: false, ended });
        };
        let argv = ["local-driver", "--endpoint", &address.to_string_lossy(), "--data-dir", &data_dir.to_string_lossy()];
        let local = local_driver::Flags::try_parse_from(argv).context("the built-in driver's flags")?;
        let local = local.config(None).map_err(Exit::failed)?;
        shell.ctx.spawn("local-driver", async move {
            let end = local_driver::serve(local, async move { stopped.requested().await }).await;
            let _ = tell.send(end.err().map(|error| error.to_string()).unwrap_or_default());
        });
        Ok(Self { address: Address::Unix(address), stop, here: true, ended })
    }

    /// The first request must not find half a process. A driver elsewhere comes when it comes.
    async fn listens(&mut self, shell: &Shell) -> anyhow::Result<()> {
        if !self.here {
            return Ok(());
        }
        let reached = async {
            while Client::reach(&shell.ctx, &self.address).await.is_err() {
                shell.ctx.sleep(LOOK).await;
            }
        };
        tokio::select! {
            biased;
            end = &mut self.ended => Err(ended_early(end)),
            () = reached => Ok(()),
            () = shell.shutdown.requested() => Ok(()),
        }
    }
}

fn ended_early(end: Result<String, oneshot::error::RecvError>) -> anyhow::Error {
    let why = end.unwrap_or_else(|_| "it ended without a word".to_owned());
    Exit::failed(format!("the built-in driver ended: {why}")).into()
}
