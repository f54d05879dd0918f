//! `relance demo`: a company in fast motion, nothing sent.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::demo::account::Account;
use crate::demo::{self, DAYS_MAX, DAYS_MIN, Stage};
use crate::http;
use crate::lock::Lock;
use crate::workspace::OUTBOX;

use super::{Done, Failure, init};

/// Where the page is, unless another address is asked for or the port is taken.
const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An empty folder to work in; without it a fresh temporary one.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to listen; without it 127.0.0.1:8080, or any free port when that is taken.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Virtual seconds in a real one; 0 goes as fast as it can. 34560 plays 30 days in 75 seconds.
    #[arg(long, default_value_t = 34_560.0, value_parser = speed)]
    speed: f64,
    /// How many days are played.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(i64::from(DAYS_MIN)..=i64::from(DAYS_MAX)))]
    days: u16,
    /// The same seed gives the same story.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends after the last day instead of serving the page until Ctrl-C.
    #[arg(long)]
    exit: bool,
    /// Prints the account as JSON, one line for each thing that happens.
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed >= 0.0 => Ok(speed),
        Ok(_) | Err(_) => Err("give a number of seconds, 0 or more".to_owned()),
    }
}

pub fn run(args: Args) -> Done {
    // The account is the point here; logs only for who asks for them.
    if std::env::var_os("RELANCE_LOG").is_some() {
        super::serve::begin_logs(false);
    }
    let data = match &args.data {
        Some(data) => data.clone(),
        None => fresh_folder()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(show(&args, &data))
}

/// A new folder among the temporary ones.
fn fresh_folder() -> Result<PathBuf, Failure> {
    let base = std::env::temp_dir();
    for number in 0..u32::MAX {
        let path = base.join(format!("relance-demo-{}-{number}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let what = format!("cannot make a folder in {}: {error}", base.display());
                return Err(Failure::Cannot(what));
            }
        }
    }
    Err(Failure::Cannot(
        "no free name for a folder; give --data".to_owned(),
    ))
}

async fn show(args: &Args, data: &Path) -> Done {
    let listener = listen(args.listen).await?;
    let address = listener.local_addr().map_err(Failure::cannot)?;
    demo::prepare(data, address, args.seed).map_err(Failure::cannot)?;
    let made = init::make(data)?;
    let _lock = Lock::take(data, address).map_err(Failure::cannot)?;
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let account = Account::new(Box::new(std::io::stdout()), args.json, colour && !args.json);
    let mut stage = Stage::open(data, args.days, args.seed, args.speed, account)
        .await
        .map_err(Failure::cannot)?;
    eprintln!(
        "A company in fast motion: {} days, nothing is sent.",
        args.days
    );
    eprintln!("  page    {}", stage.link);
    eprintln!("  mails   {}", data.join(OUTBOX).display());
    eprintln!(
        "  API     curl -H 'Authorization: Bearer {}' http://{address}/api/v1/documents",
        made.api_token
    );
    let workspace = stage.workspace.clone();
    let app = http::router(workspace.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(
        axum::serve(listener, app)
            .with_graceful_shutdown(async move {
                // The sender gone means the same as its word.
                let _asked = stopped.await;
            })
            .into_future(),
    );
    let done = tokio::select! {
        played = stage.play() => Some(played.map_err(Failure::cannot)),
        _ = stop_asked() => None,
    };
    let finished = matches!(done, Some(Ok(())));
    if finished && !args.exit {
        eprintln!(
            "\nThe page stays at http://{address}/ for whoever followed the link above, and the mails in {}. Ctrl-C ends.",
            data.join(OUTBOX).display()
        );
        stop_asked().await;
    }
    drop(stop);
    let last = tokio::task::spawn_blocking(move || workspace.stop()).await;
    // Whoever still reads the page is cut off: a demonstration has nothing to lose.
    server.abort();
    if done.is_none() {
        eprintln!("\nStopped. What was played is in {}.", data.display());
    }
    last.map_err(Failure::cannot)?;
    done.unwrap_or(Ok(()))
}

/// Ctrl-C or a polite kill.
async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without the signal only Ctrl-C stops the demonstration.
        let _asked = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn listen(asked: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    let cannot = |address: SocketAddr, error: std::io::Error| {
        Failure::cannot(format!("cannot listen on {address}: {error}"))
    };
    if let Some(address) = asked {
        let bound = TcpListener::bind(address).await;
        return bound.map_err(|error| cannot(address, error));
    }
    match TcpListener::bind(LISTEN).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            let any = SocketAddr::new(LISTEN.ip(), 0);
            TcpListener::bind(any)
                .await
                .map_err(|error| cannot(any, error))
        }
    }
}
