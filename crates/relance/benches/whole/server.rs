//! The program under test, in a process of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// The release binary.
const PROGRAM: &str = env!("CARGO_BIN_EXE_relance");
/// Names another binary, to compare two versions of the program.
const PROGRAM_VARIABLE: &str = "RELANCE_BENCH_PROGRAM";
/// How long the program may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to end.
const PATIENCE_TO_END: Duration = Duration::from_secs(30);
/// How often readiness is asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Ticks a second of the kernel's account of processor time.
const TICKS_PER_SECOND: f64 = 100.0;

fn program() -> String {
    std::env::var(PROGRAM_VARIABLE).unwrap_or_else(|_| PROGRAM.to_owned())
}

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to the first answer of `/readyz`.
    pub ready_after: Duration,
}

impl Server {
    /// Starts the program on a data folder and waits until it is ready.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        let address = free_address()?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.join("bench.log"))?;
        let began = Instant::now();
        let child = Command::new(program())
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .env("RELANCE_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            child,
            address,
            ready_after: Duration::ZERO,
        };
        while !server.is_ready() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended early: {status}; see bench.log").into());
            }
            if began.elapsed() > PATIENCE {
                return Err("the server is not ready".into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        server.ready_after = began.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        get(self.address, "/readyz").is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
    }

    /// A counter of `/metrics`, all labels together.
    pub fn counter(&self, name: &str) -> Result<u64, Failure> {
        let text = get(self.address, "/metrics")?;
        let of = |line: &str| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{'])
                .then(|| rest.rsplit(' ').next()?.trim().parse::<f64>().ok())?
        };
        Ok(text.lines().filter_map(of).sum::<f64>() as u64)
    }

    /// Bytes resident: all, and those that are not pages of files.
    pub fn memory(&self) -> Result<(u64, u64), Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| -> Result<u64, Failure> {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .ok_or("no such field in /proc")?;
            let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kib * 1_024)
        };
        Ok((field("VmRSS:")?, field("RssAnon:")?))
    }

    /// Processor time spent so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE_TO_END {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("the server ended with {status}").into())
                };
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        self.child.kill()?;
        eprintln!("the server did not end within {PATIENCE_TO_END:?} and was killed");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a void run it may still be there; after `stop` it is not.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An address of this machine that nobody listens on.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn get(address: SocketAddr, path: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Runs a command of the program to its end; returns what it printed.
pub fn command(words: &[&str]) -> Result<String, Failure> {
    let done = Command::new(program())
        .args(words)
        .env("RELANCE_LOG", "error")
        .output()?;
    if !done.status.success() {
        let text = String::from_utf8_lossy(&done.stderr);
        return Err(format!("relance {}: {text}", words.join(" ")).into());
    }
    Ok(String::from_utf8(done.stdout)?)
}
