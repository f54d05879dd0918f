//! One connection to a route's server: opened, greeted, encrypted, authenticated; then commands and replies.
//!
//! Every wait is bounded by the route's limits, and every reply is read whole under one time limit, so a
//! server that sends a byte a second is a server that timed out.
//!
//! **Absent:** reuse; see [`pool`](super::pool).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use memchr::memchr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use super::ehlo::Capabilities;
use super::outcome::{Failure, LinkCause, LinkFailure, Stage};
use super::reply::{REPLY_LINE_BYTES_MAX, Reply, ReplyLines};
use super::route::{Auth, SmtpRoute, Tls};
use super::stream::Stream;
use super::tls::TlsClient;

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;
/// Bytes read at once.
const READ_BYTES: usize = 4 * 1024;

/// Has no `Debug`: its buffers hold credentials and messages.
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) capabilities: Capabilities,
    /// Commands or DATA bytes on their way out. Kept to be reused.
    pub(crate) outbox: Vec<u8>,
    /// Received bytes, of which the first `taken` are dealt with.
    inbox: Vec<u8>,
    taken: usize,
    /// A transaction was begun and not finished: RSET comes first.
    pub(crate) reset_due: bool,
    /// Messages handed over.
    pub(crate) messages: u32,
    /// False once anything went wrong that leaves the dialogue in doubt.
    pub(crate) usable: bool,
}

impl Connection {
    /// Connects and gets as far as the first MAIL command.
    pub(crate) async fn open(
        route: &SmtpRoute,
        tls: Option<&TlsClient>,
        auth: &Auth,
    ) -> Result<Self, Failure> {
        let deadline = Instant::now() + route.limits.connect_timeout;
        let wait = route.limits.command_timeout;
        let socket = connect(route, deadline).await?;
        let mut connection = Self {
            stream: Stream::Plain(socket),
            capabilities: Capabilities::default(),
            outbox: Vec::new(),
            inbox: Vec::new(),
            taken: 0,
            reset_due: false,
            messages: 0,
            usable: true,
        };
        if let (Tls::Implicit, Some(tls)) = (route.tls, tls) {
            connection = connection.encrypt(tls, deadline).await?;
        }
        let greeting = connection.reply(Stage::Connect, wait).await?;
        accepted(greeting, Stage::Connect)?;
        connection.hello(&route.helo, wait).await?;
        if let (Tls::StartTls, Some(tls)) = (route.tls, tls) {
            connection = connection
                .start_tls(tls, route.limits.connect_timeout, wait)
                .await?;
            // What was said in the clear does not count (RFC 3207 section 4.2).
            connection.hello(&route.helo, wait).await?;
        }
        connection.authenticate(auth, wait).await?;
        Ok(connection)
    }

    async fn hello(&mut self, helo: &str, wait: Duration) -> Result<(), Failure> {
        let reply = self.command(&["EHLO ", helo], Stage::Helo, wait).await?;
        if reply.is_positive() {
            self.capabilities = Capabilities::parse(&reply.text);
            return Ok(());
        }
        if !(500..600).contains(&reply.code) {
            return accepted(reply, Stage::Helo).map(drop);
        }
        self.capabilities = Capabilities::default();
        let reply = self.command(&["HELO ", helo], Stage::Helo, wait).await?;
        accepted(reply, Stage::Helo).map(drop)
    }

    async fn start_tls(
        mut self,
        tls: &TlsClient,
        handshake: Duration,
        wait: Duration,
    ) -> Result<Self, Failure> {
        let not_offered = |detail: String| {
            Failure::from(LinkFailure::new(
                LinkCause::StartTlsNotOffered,
                Stage::Helo,
                detail,
            ))
        };
        if !self.capabilities.start_tls {
            return Err(not_offered(
                "the server does not offer STARTTLS, which this route requires".into(),
            ));
        }
        let reply = self.command(&["STARTTLS"], Stage::Helo, wait).await?;
        if !reply.is_positive() {
            return Err(not_offered(reply.to_line()));
        }
        // Bytes that came before the handshake were not protected by it: somebody else may have written
        // them to be taken for the server's first encrypted words.
        if self.taken < self.inbox.len() {
            let detail = "bytes in the clear after the reply to STARTTLS";
            return Err(LinkFailure::new(LinkCause::Protocol, Stage::Helo, detail).into());
        }
        Ok(self.encrypt(tls, Instant::now() + handshake).await?)
    }

    async fn encrypt(mut self, tls: &TlsClient, deadline: Instant) -> Result<Self, LinkFailure> {
        let failed = |cause, detail: String| LinkFailure::new(cause, Stage::Connect, detail);
        let Stream::Plain(socket) = self.stream else {
            return Err(failed(
                LinkCause::Protocol,
                "the connection is encrypted already".into(),
            ));
        };
        let handshake = tls.connector.connect(tls.name.clone(), socket);
        let stream = timeout_at(deadline, handshake)
            .await
            .map_err(|_| failed(LinkCause::Timeout, "the TLS handshake took too long".into()))?
            .map_err(|error| failed(LinkCause::Tls, error.to_string()))?;
        self.stream = Stream::Tls(Box::new(stream));
        self.inbox.clear();
        self.taken = 0;
        Ok(self)
    }

    /// Sends one command line and reads its reply.
    pub(crate) async fn command(
        &mut self,
        parts: &[&str],
        stage: Stage,
        wait: Duration,
    ) -> Result<Reply, LinkFailure> {
        self.outbox.clear();
        for part in parts {
            self.outbox.extend_from_slice(part.as_bytes());
        }
        self.outbox.extend_from_slice(b"\r\n");
        self.send_outbox(stage, wait).await?;
        self.reply(stage, wait).await
    }

    /// Sends what the outbox holds and empties it.
    pub(crate) async fn send_outbox(
        &mut self,
        stage: Stage,
        wait: Duration,
    ) -> Result<(), LinkFailure> {
        self.nothing_unasked(stage)?;
        let sending = async {
            self.stream.write_all(&self.outbox).await?;
            self.stream.flush().await
        };
        let sent = timeout(wait, sending).await.map_err(|_| timed_out(stage));
        self.outbox.clear();
        sent?.map_err(|error| closed(stage, &error))
    }

    /// Every reply received must have been asked for. One that comes early would be taken for the answer to
    /// the next command; after the final dot that would be a message believed accepted.
    pub(crate) fn nothing_unasked(&self, stage: Stage) -> Result<(), LinkFailure> {
        if self.taken < self.inbox.len() {
            let detail = "the server answers what was not asked";
            return Err(LinkFailure::new(LinkCause::Protocol, stage, detail));
        }
        Ok(())
    }

    /// Reads one whole reply.
    pub(crate) async fn reply(
        &mut self,
        stage: Stage,
        wait: Duration,
    ) -> Result<Reply, LinkFailure> {
        timeout(wait, self.read_reply(stage))
            .await
            .unwrap_or_else(|_| Err(timed_out(stage)))
    }

    async fn read_reply(&mut self, stage: Stage) -> Result<Reply, LinkFailure> {
        let protocol = |detail: &str| LinkFailure::new(LinkCause::Protocol, stage, detail);
        let mut lines = ReplyLines::default();
        // Bytes after `taken` already known to hold no line end.
        let mut searched = 0;
        loop {
            if let Some(found) = memchr(b'\n', &self.inbox[self.taken + searched..]) {
                let end = self.taken + searched + found + 1;
                let line = &self.inbox[self.taken..end];
                let reply = lines.push(line).map_err(protocol)?;
                self.taken = end;
                searched = 0;
                if let Some(reply) = reply {
                    if self.taken == self.inbox.len() {
                        self.inbox.clear();
                        self.taken = 0;
                    }
                    return Ok(reply);
                }
                continue;
            }
            self.inbox.drain(..self.taken);
            self.taken = 0;
            searched = self.inbox.len();
            if searched > REPLY_LINE_BYTES_MAX {
                return Err(protocol("the reply is too long"));
            }
            self.inbox.reserve(READ_BYTES);
            let count = self
                .stream
                .read_buf(&mut self.inbox)
                .await
                .map_err(|error| closed(stage, &error))?;
            if count == 0 {
                return Err(LinkFailure::new(
                    LinkCause::Closed,
                    stage,
                    "the server closed the connection",
                ));
            }
        }
    }

    /// True if this connection, idle until now, can no longer be used.
    pub(crate) fn is_stale(&mut self) -> bool {
        self.taken < self.inbox.len() || self.stream.has_news()
    }

    /// Says goodbye if that takes no waiting, and closes.
    pub(crate) fn quit(mut self) {
        let farewell = async {
            let _ = self.stream.write_all(b"QUIT\r\n").await;
            let _ = self.stream.flush().await;
        };
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = std::pin::pin!(farewell).poll(&mut context);
    }
}

/// A 2xx reply, else the refusal or the fault that it is instead.
pub(crate) fn accepted(reply: Reply, stage: Stage) -> Result<Reply, Failure> {
    if reply.is_positive() {
        Ok(reply)
    } else if reply.is_negative() {
        Err(reply.refusal(stage).into())
    } else {
        let detail = format!("a reply that does not fit here: {}", reply.to_line());
        Err(LinkFailure::new(LinkCause::Protocol, stage, detail).into())
    }
}

pub(crate) fn timed_out(stage: Stage) -> LinkFailure {
    LinkFailure::new(LinkCause::Timeout, stage, "the server took too long")
}

pub(crate) fn closed(stage: Stage, error: &io::Error) -> LinkFailure {
    LinkFailure::new(LinkCause::Closed, stage, error.to_string())
}

/// Tries the host's addresses in the resolver's order. Each gets an even share of the time left, so that a
/// first address that swallows packets leaves time for the second.
async fn connect(route: &SmtpRoute, deadline: Instant) -> Result<TcpStream, LinkFailure> {
    let failed = |cause, detail: String| LinkFailure::new(cause, Stage::Connect, detail);
    let addresses: Vec<SocketAddr> =
        timeout_at(deadline, lookup_host((route.host.as_str(), route.port)))
            .await
            .map_err(|_| failed(LinkCause::Timeout, "the name look-up took too long".into()))?
            .map_err(|error| failed(LinkCause::Dns, error.to_string()))?
            .take(ADDRESSES_MAX)
            .collect();
    let mut last = failed(LinkCause::Dns, "the host has no address".into());
    for (tried, address) in addresses.iter().enumerate() {
        let left = (addresses.len() - tried) as u32;
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // Commands are single writes that wait for a reply; Nagle's delay would only add to it.
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return Ok(socket);
            }
            Ok(Err(error)) => last = failed(LinkCause::Connect, error.to_string()),
            Err(_) => last = failed(LinkCause::Timeout, "the connection took too long".into()),
        }
    }
    Err(last)
}
