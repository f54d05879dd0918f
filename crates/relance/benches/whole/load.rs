//! HTTP load over kept connections, on one thread: closed loop for rates, open loop for latencies.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::Failure;

/// Writes the body of the `n`-th request; `at` is when it is due, in nanoseconds since 1970.
pub type Body<'a> = &'a dyn Fn(u64, u64, &mut Vec<u8>);

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// The path.
    pub path: &'static str,
    /// A write key.
    pub key: String,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    /// As much as goes for a time.
    For(Duration),
    /// Some requests as fast as they go.
    Requests(u64),
    /// Some requests, so many a second, whether they are answered or not.
    Paced {
        /// How many.
        requests: u64,
        /// A second.
        rate: f64,
    },
}

/// What was answered.
#[derive(Debug, Default)]
pub struct Answered {
    /// Requests answered with 200.
    pub requests: u64,
    /// From the first to the last.
    pub time: Duration,
    /// Microseconds from when each was due until it was answered, sorted.
    pub micros: Vec<u64>,
}

/// Nanoseconds since 1970.
pub fn nanos() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

struct Course {
    target: Target,
    authorisation: String,
    amount: Amount,
    next: Cell<u64>,
    began: Instant,
    began_nanos: u64,
    micros: RefCell<Vec<u64>>,
}

impl Course {
    /// The next request's number and when it is due.
    async fn next(&self) -> Option<(u64, u64)> {
        let n = self.next.get();
        let now = nanos();
        let due = match self.amount {
            Amount::For(time) if self.began.elapsed() >= time => return None,
            Amount::Requests(requests) | Amount::Paced { requests, .. } if n >= requests => {
                return None;
            }
            Amount::For(_) | Amount::Requests(_) => now,
            Amount::Paced { rate, .. } => self.began_nanos + (n as f64 / rate * 1e9) as u64,
        };
        self.next.set(n + 1);
        if due > now {
            tokio::time::sleep(Duration::from_nanos(due - now)).await;
        }
        Some((n, due))
    }

    async fn drive(&self, body: Body<'_>) -> Result<(), Failure> {
        let mut stream = TcpStream::connect(self.target.address).await?;
        stream.set_nodelay(true)?;
        let (mut request, mut content, mut answer) = (Vec::new(), Vec::new(), Vec::new());
        while let Some((n, due)) = self.next().await {
            content.clear();
            body(n, due, &mut content);
            request.clear();
            request.extend_from_slice(
                format!(
                    "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nContent-Type: \
                     application/json\r\nContent-Length: {}\r\n\r\n",
                    self.target.path,
                    self.target.address,
                    self.authorisation,
                    content.len()
                )
                .as_bytes(),
            );
            request.extend_from_slice(&content);
            stream.write_all(&request).await?;
            read_answer(&mut stream, &mut answer).await?;
            if !answer.starts_with(b"HTTP/1.1 200") {
                let text = String::from_utf8_lossy(&answer);
                return Err(format!("not taken: {text}").into());
            }
            self.micros.borrow_mut().push((nanos() - due) / 1_000);
        }
        Ok(())
    }
}

/// Reads one answer with a `Content-Length`.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<(), Failure> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(end) = memmem(answer, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .ok_or("an answer without its length")?
            .trim()
            .parse()?;
        while answer.len() < end + 4 + length {
            if stream.read_buf(answer).await? == 0 {
                return Err("the answer ended early".into());
            }
        }
        return Ok(());
    }
}

fn memmem(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Sends requests over some connections; an answer other than 200 voids the run.
pub fn drive(
    target: &Target,
    connections: usize,
    amount: Amount,
    body: Body<'_>,
) -> Result<Answered, Failure> {
    use base64::Engine as _;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let course = Rc::new(Course {
        target: target.clone(),
        authorisation: base64::engine::general_purpose::STANDARD.encode(format!("{}:", target.key)),
        amount,
        next: Cell::new(0),
        began: Instant::now(),
        began_nanos: nanos(),
        micros: RefCell::default(),
    });
    let lanes = (0..connections).map(|_| course.drive(body));
    LocalSet::new().block_on(&runtime, futures::future::try_join_all(lanes))?;
    let mut micros = course.micros.take();
    micros.sort_unstable();
    Ok(Answered {
        requests: micros.len() as u64,
        time: course.began.elapsed(),
        micros,
    })
}
