//! A mail server that takes everything, and notes when.
//!
//! A subject with `RLT<nanoseconds>.` tells when the event happened: the latency ends with the last byte of
//! DATA. Recipients are not looked at; a Message-ID that comes twice is.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::load::nanos;

/// What came.
#[derive(Debug, Default)]
pub struct Taken {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Microseconds from stamp to the end of DATA.
    pub micros: Vec<u64>,
    /// When the last one came.
    pub last: Option<Instant>,
    ids: HashSet<Vec<u8>>,
    doubles: u64,
}

/// A running sink.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Sink {
    /// Starts it on a thread of its own, which ends with the process.
    pub fn start() -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let taken = Arc::new(Mutex::new(Taken::default()));
        let shared = taken.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("sink".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = TcpListener::from_std(listener) else {
                        return;
                    };
                    while let Ok((stream, _)) = listener.accept().await {
                        let taken = shared.clone();
                        tokio::spawn(async move {
                            // A connection that breaks shows as a message that is missing.
                            let _ended = serve(stream, &taken).await;
                        });
                    }
                });
            })?;
        Ok(Self { address, taken })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what came.
    pub fn reset(&self) {
        *self.lock() = Taken::default();
    }

    /// Waits for exactly so many messages, and a little longer for one too many.
    pub fn wait(&self, messages: u64, patience: Duration) -> Result<Taken, Failure> {
        /// After the last expected message.
        const ONE_TOO_MANY: Duration = Duration::from_millis(300);
        let began = Instant::now();
        while self.lock().messages < messages {
            if began.elapsed() > patience {
                let came = self.lock().messages;
                return Err(format!("{came} of {messages} messages came").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(ONE_TOO_MANY);
        let mut taken = std::mem::take(&mut *self.lock());
        if taken.messages != messages || taken.doubles > 0 {
            let (came, doubles) = (taken.messages, taken.doubles);
            return Err(format!("{came} of {messages} messages came, {doubles} twice").into());
        }
        taken.micros.sort_unstable();
        Ok(taken)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

impl Taken {
    fn take(&mut self, message: &[u8]) {
        self.messages += 1;
        self.bytes += message.len() as u64;
        self.last = Some(Instant::now());
        let head = &message[..find(message, b"\r\n\r\n").unwrap_or(message.len())];
        if let Some(at) = find(head, b"Message-ID: ") {
            let id = head[at..].split(|byte| *byte == b'\r').next();
            self.doubles += u64::from(!self.ids.insert(id.unwrap_or_default().to_vec()));
        }
        if let Some(at) = find(head, b"RLT") {
            let stamp = head[at + 3..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .fold(0_u64, |sum, digit| {
                    sum.saturating_mul(10) + u64::from(digit - b'0')
                });
            self.micros.push(nanos().saturating_sub(stamp) / 1_000);
        }
    }
}

async fn serve(mut stream: TcpStream, taken: &Mutex<Taken>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut input, mut output) = (Vec::with_capacity(64 * 1_024), Vec::new());
    let mut in_data = false;
    while stream.read_buf(&mut input).await? > 0 {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            if in_data {
                let Some(end) = find(rest, b"\r\n.\r\n") else {
                    break;
                };
                taken
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(&rest[..end]);
                in_data = false;
                at += end + 5;
                output.extend_from_slice(b"250 2.0.0 taken\r\n");
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', rest) else {
                break;
            };
            let verb = rest[..end]
                .get(..4)
                .unwrap_or_default()
                .to_ascii_uppercase();
            output.extend_from_slice(match verb.as_slice() {
                b"EHLO" => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
                b"MAIL" | b"RCPT" => b"250 2.1.0 good\r\n".as_slice(),
                b"RSET" | b"NOOP" => b"250 2.0.0 good\r\n",
                b"DATA" => {
                    in_data = true;
                    b"354 go on\r\n"
                }
                b"QUIT" => b"221 2.0.0 bye\r\n",
                _other => b"500 5.5.2 unknown\r\n",
            });
            at += end + 1;
        }
        input.drain(..at);
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
    }
    Ok(())
}
