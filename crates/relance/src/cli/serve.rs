//! `relance serve`: the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relance_engine::clock::{SharedClock, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::access::account;
use crate::config::{Config, WorkspaceConfig};
use crate::http;
use crate::lock::Lock;
use crate::workspace::Workspace;

use super::{Done, Failure, init};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data folder.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Where to listen.
    #[arg(long, env = "RELANCE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Writes logs as JSON.
    #[arg(long)]
    log_json: bool,
}

pub fn run(args: Args) -> Done {
    begin_logs(args.log_json);
    if init::is_new(&args.data)? {
        let made = init::make(&args.data)?;
        eprintln!(
            "A new workspace in {}. Keys are shown once; keep them:",
            args.data.display()
        );
        eprintln!("  write key  {}", made.write_key);
        eprintln!("  API token  {}", made.api_token);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(serve(&args.data, args.listen, Arc::new(SystemClock)))
}

/// Logs go to standard error: ids, never addresses or bodies.
pub fn begin_logs(json: bool) {
    let filter = EnvFilter::try_from_env("RELANCE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A test may have begun logs already.
    let _begun = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

async fn serve(data: &Path, listen: SocketAddr, clock: SharedClock) -> Done {
    let asked = stop_asked().map_err(Failure::cannot)?;
    let config = Config::load(data).map_err(Failure::cannot)?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .map_err(|error| Failure::cannot(format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr().map_err(Failure::cannot)?;
    let _lock = Lock::take(data, address).map_err(Failure::cannot)?;
    // A server may let it wait: the tasks of others go on meanwhile.
    let opened = tokio::task::block_in_place(|| Workspace::open(data, config, clock));
    let workspace = opened.map_err(Failure::cannot)?;
    tracing::info!(%address, "listening");
    if workspace.access.is_empty() {
        tell_setup(&workspace, address).await;
    }
    let app = http::router(workspace.clone());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let live = workspace.live.clone();
    let served = axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            asked.await;
            // Pages that watch would keep it waiting for ever.
            live.close();
        })
        .await;
    tracing::info!("stopping: what was acknowledged is finished");
    let last = workspace.clone();
    let stopped = tokio::task::spawn_blocking(move || last.stop()).await;
    served.map_err(Failure::cannot)?;
    stopped.map_err(Failure::cannot)
}

/// Nobody can log in yet: says where the first user is made. Whoever reads the standard error started the program; the
/// log goes further, so it has no link.
async fn tell_setup(workspace: &Arc<Workspace>, address: SocketAddr) {
    let config = workspace.config();
    let own = &config.workspace.public_url;
    // Where nothing is said of how others reach it, whoever started it sits here.
    let public_url = if *own == WorkspaceConfig::default().public_url {
        format!("http://{address}")
    } else {
        own.clone()
    };
    match account::setup_link(workspace, &public_url).await {
        Ok(link) => {
            eprintln!("Nobody can sign in yet. The first user is made here, once:\n  {link}");
            tracing::info!("there is no user yet; a set-up link was written to standard error");
        }
        Err(problem) => tracing::warn!(%problem, "a set-up link could not be made"),
    }
}

/// Ctrl-C or a polite kill: heard from the moment of the call on, though it is awaited later.
fn stop_asked() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
