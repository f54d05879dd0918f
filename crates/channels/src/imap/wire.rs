//! One connection: from the TCP handshake to the login, and commands after it.
//!
//! Of `async-imap` only the framing and the parser are used. Its command layer takes an answer that
//! broke off, or ended in `NO`, for a complete one, and logs passwords at trace level; here a command
//! has succeeded when its own tagged `OK` was read, and nothing is logged.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::{Capability, MailboxDatum, Outcome, Response, Status};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::account::{ImapAccount, ImapLimits, Login, Tls};
use super::error::{ImapError, server_text};
use super::guard::Guard;

/// Added to the size of a message for what servers put round it.
const LITERAL_SLACK_BYTES: usize = 2 * 1024 * 1024;
/// The slowest line on which a large message still has enough time.
const BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// How long one command may take altogether, however busily the server talks; large answers get more.
const COMMAND_TOTAL: Duration = Duration::from_secs(600);
/// How long a goodbye may take.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// What a server says in a refused login when the password is not the reason (RFC 5530, and habits).
const BUSY_SIGNS: &[&str] = &[
    "[unavailable]",
    "[serverbug]",
    "[inuse]",
    "[limit]",
    "temporar",
    "too many",
    "try again",
    "[throttled]",
    "throttle",
    "maximum number of connections",
    "rate limit",
    "bandwidth limit",
];

pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Io for T {}

type Stream = Guard<Box<dyn Io>>;

/// A connection that has logged in.
pub(super) struct Wire {
    client: Client<Stream>,
    limits: ImapLimits,
    tags: u64,
    capabilities: BTreeSet<String>,
    /// The server spoke of messages since [`Wire::forget_news`].
    news: bool,
}

/// What [`Wire::read`] makes of a response that belongs to a command.
enum Step {
    Untagged,
    Continue(String),
    Done(Done),
}

struct Done {
    tag: String,
    ok: Option<bool>,
    text: String,
}

impl Wire {
    /// Connects, encrypts, logs in.
    pub(super) async fn open(account: &ImapAccount) -> Result<Self, ImapError> {
        let limits = account.limits;
        let tcp = timeout(
            limits.connect_timeout,
            TcpStream::connect((account.host.as_str(), account.port)),
        )
        .await
        .map_err(|_| ImapError::Silent {
            during: "connecting",
            after: limits.connect_timeout,
        })?
        .map_err(|source| ImapError::Connect {
            host: account.host.clone(),
            port: account.port,
            source,
        })?;
        // Small commands wait for no one; a failure here costs speed only.
        let _ = tcp.set_nodelay(true);

        let mut wire = match account.tls {
            Tls::None => Self::over(Box::new(tcp), limits),
            Tls::Implicit => Self::over(encrypt(account, Box::new(tcp)).await?, limits),
            Tls::StartTls => {
                let mut plain = Self::over(Box::new(tcp), limits);
                plain.greeting().await?;
                plain.load_capabilities().await?;
                if !plain.has("STARTTLS") {
                    return Err(ImapError::NoStartTls);
                }
                plain.run("STARTTLS", "STARTTLS", 0, |_| {}).await?;
                // What came before encryption is thrown away with the parser's buffer: it may have
                // been put there by a third party.
                let tcp = plain.client.into_inner().into_inner();
                Self::over(encrypt(account, tcp).await?, limits)
            }
        };
        if account.tls != Tls::StartTls {
            wire.greeting().await?;
        }
        wire.load_capabilities().await?;
        wire.login(&account.login).await?;
        wire.load_capabilities().await?;
        Ok(wire)
    }

    fn over(io: Box<dyn Io>, limits: ImapLimits) -> Self {
        let literal_bytes_max = limits.message_bytes() + LITERAL_SLACK_BYTES;
        Self {
            client: Client::new(Guard::new(io, literal_bytes_max)),
            limits,
            tags: 0,
            capabilities: BTreeSet::new(),
            news: false,
        }
    }

    pub(super) fn limits(&self) -> ImapLimits {
        self.limits
    }

    /// Whether the server offers this capability; `name` in upper case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.capabilities.contains(name)
    }

    pub(super) fn news(&self) -> bool {
        self.news
    }

    pub(super) fn forget_news(&mut self) {
        self.news = false;
    }

    /// Runs a command to its tagged `OK`; `on` sees every untagged response. An answer of
    /// `bytes_expected` is given the time that needs.
    pub(super) async fn run(
        &mut self,
        name: &'static str,
        command: &str,
        bytes_expected: usize,
        mut on: impl FnMut(&Response<'_>),
    ) -> Result<String, ImapError> {
        let tag = self.send(name, command).await?;
        let patience = self.patience(bytes_expected);
        let until = Instant::now() + COMMAND_TOTAL + patience;
        loop {
            if Instant::now() > until {
                return Err(self.silent(name, COMMAND_TOTAL));
            }
            match self.step(name, patience, &mut on).await? {
                Step::Untagged | Step::Continue(_) => {}
                Step::Done(done) if done.tag == tag => return done.into_result(name),
                Step::Done(_) => {}
            }
        }
    }

    /// Sends a command, without waiting. Returns its tag.
    pub(super) async fn send(
        &mut self,
        name: &'static str,
        command: &str,
    ) -> Result<String, ImapError> {
        // A line break would start a second command.
        if command.contains(['\r', '\n', '\0']) {
            return Err(ImapError::Input { what: name });
        }
        self.tags += 1;
        let tag = format!("R{}", self.tags);
        self.write(name, format!("{tag} {command}\r\n").as_bytes())
            .await?;
        Ok(tag)
    }

    pub(super) async fn write(
        &mut self,
        name: &'static str,
        bytes: &[u8],
    ) -> Result<(), ImapError> {
        let patience = self.patience(bytes.len());
        let stream = self.client.get_mut();
        let written = timeout(patience, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(ImapError::Broken {
                during: name,
                source,
            }),
            Err(_) => Err(self.silent(name, patience)),
        }
    }

    /// Waits for `+`, which asks for the rest of command `tag`. Returns its text.
    pub(super) async fn continuation(
        &mut self,
        name: &'static str,
        tag: &str,
    ) -> Result<String, ImapError> {
        loop {
            match self
                .step(name, self.limits.command_timeout, &mut |_| {})
                .await?
            {
                Step::Continue(text) => return Ok(text),
                Step::Done(done) if done.tag == tag => {
                    done.into_result(name)?;
                    return Err(ImapError::Unreadable {
                        during: name,
                        text: "done before it was complete".into(),
                    });
                }
                Step::Done(_) | Step::Untagged => {}
            }
        }
    }

    /// Waits for the end of command `tag`, whose text was written in parts.
    pub(super) async fn finish(
        &mut self,
        name: &'static str,
        tag: &str,
        patience: Duration,
    ) -> Result<String, ImapError> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.step(name, left, &mut |_| {}).await? {
                Step::Done(done) if done.tag == tag => return done.into_result(name),
                Step::Done(_) | Step::Untagged | Step::Continue(_) => {}
            }
        }
    }

    /// Waits until the server speaks of messages, as long as that takes. Safe to cancel: nothing that
    /// was read is lost.
    pub(super) async fn wait_news(&mut self, name: &'static str) -> Result<(), ImapError> {
        while !self.news {
            match self.step(name, Duration::MAX, &mut |_| {}).await? {
                Step::Untagged | Step::Continue(_) => {}
                Step::Done(done) => {
                    done.into_result(name)?;
                    return Err(ImapError::Closed {
                        text: "the server ended IDLE".into(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Says goodbye, and does not insist on an answer.
    pub(super) async fn logout(mut self) {
        if let Ok(tag) = self.send("LOGOUT", "LOGOUT").await {
            let _ = self.finish("LOGOUT", &tag, LOGOUT_TIMEOUT).await;
        }
    }

    pub(super) fn patience(&self, bytes: usize) -> Duration {
        self.limits.command_timeout + Duration::from_secs(bytes as u64 / BYTES_PER_SECOND_MIN)
    }

    fn silent(&self, during: &'static str, after: Duration) -> ImapError {
        ImapError::Silent { during, after }
    }

    /// Reads one response, however long it is, within `patience`.
    async fn step(
        &mut self,
        name: &'static str,
        patience: Duration,
        on: &mut impl FnMut(&Response<'_>),
    ) -> Result<Step, ImapError> {
        let data = match timeout(patience, self.client.read_response()).await {
            Err(_) => return Err(self.silent(name, patience)),
            Ok(Err(source)) => return Err(ImapError::from_read(name, source)),
            Ok(Ok(None)) => {
                return Err(ImapError::Closed {
                    text: "end of stream".into(),
                });
            }
            Ok(Ok(Some(data))) => data,
        };
        let response = data.parsed();
        match response {
            Response::Done {
                tag,
                status,
                outcome,
            } => {
                return Ok(Step::Done(Done {
                    tag: tag.0.clone(),
                    ok: match status {
                        Status::Ok => Some(true),
                        Status::No => Some(false),
                        Status::Bad | Status::PreAuth | Status::Bye => None,
                    },
                    text: outcome_text(outcome),
                }));
            }
            Response::Continue(outcome) => return Ok(Step::Continue(outcome_text(outcome))),
            Response::Data {
                status: Status::Bye,
                outcome,
            } if name != "LOGOUT" => {
                return Err(ImapError::Closed {
                    text: outcome_text(outcome),
                });
            }
            Response::MailboxData(MailboxDatum::Exists(_) | MailboxDatum::Recent(_)) => {
                self.news = true;
            }
            _ => {}
        }
        on(response);
        Ok(Step::Untagged)
    }

    async fn greeting(&mut self) -> Result<(), ImapError> {
        let mut greeted = None;
        let patience = self.limits.connect_timeout;
        let mut on = |response: &Response<'_>| {
            if let Response::Data { status, .. } = response {
                greeted = Some(matches!(status, Status::Ok));
            }
        };
        self.step("greeting", patience, &mut on).await?;
        match greeted {
            Some(true) => Ok(()),
            // PREAUTH would skip the login, and with it the proof of whose mailbox this is.
            Some(false) | None => Err(ImapError::Unreadable {
                during: "greeting",
                text: "not an IMAP server that asks for a login".into(),
            }),
        }
    }

    async fn load_capabilities(&mut self) -> Result<(), ImapError> {
        let mut found = BTreeSet::new();
        self.run("CAPABILITY", "CAPABILITY", 0, |response| {
            if let Response::Capabilities(capabilities) = response {
                for capability in capabilities {
                    found.insert(match capability {
                        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                        Capability::Auth(name) => format!("AUTH={}", name.to_uppercase()),
                        Capability::Atom(name) => name.to_uppercase(),
                    });
                }
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    async fn login(&mut self, login: &Login) -> Result<(), ImapError> {
        let result = match login {
            Login::Password { user, secret } => {
                let secret = secret.expose();
                if self.has("AUTH=PLAIN") {
                    let answer = format!("\0{user}\0{secret}");
                    self.authenticate("PLAIN", &answer).await
                } else if self.has("LOGINDISABLED") {
                    Err(ImapError::Auth {
                        text: "the server takes no password over this connection; check `tls`"
                            .into(),
                    })
                } else {
                    let command = format!("LOGIN {} {}", quote(user)?, quote(secret)?);
                    self.run("LOGIN", &command, 0, |_| {}).await.map(drop)
                }
            }
            Login::XOAuth2 { user, token } => {
                let token = token.expose();
                if self.has("AUTH=OAUTHBEARER") && !self.has("AUTH=XOAUTH2") {
                    // RFC 7628; a comma or an equals sign in a name is written by its number.
                    let name = user.replace('=', "=3D").replace(',', "=2C");
                    let answer = format!("n,a={name},\x01auth=Bearer {token}\x01\x01");
                    self.authenticate("OAUTHBEARER", &answer).await
                } else {
                    let answer = format!("user={user}\x01auth=Bearer {token}\x01\x01");
                    self.authenticate("XOAUTH2", &answer).await
                }
            }
        };
        result.map_err(|error| match error {
            ImapError::Refused { text, .. } => {
                let lower = text.to_lowercase();
                if BUSY_SIGNS.iter().any(|sign| lower.contains(sign)) {
                    ImapError::Closed { text }
                } else {
                    ImapError::Auth { text }
                }
            }
            other => other,
        })
    }

    async fn authenticate(&mut self, mechanism: &str, answer: &str) -> Result<(), ImapError> {
        const NAME: &str = "AUTHENTICATE";
        let tag = self.send(NAME, &format!("{NAME} {mechanism}")).await?;
        self.continuation(NAME, &tag).await?;
        let line = format!("{}\r\n", STANDARD.encode(answer));
        self.write(NAME, line.as_bytes()).await?;
        loop {
            let patience = self.limits.command_timeout;
            match self.step(NAME, patience, &mut |_| {}).await? {
                // A refusal is explained in a challenge. XOAUTH2 waits for an empty answer to it, RFC 7628 for a
                // byte of 1.
                Step::Continue(_) if mechanism == "OAUTHBEARER" => {
                    self.write(NAME, b"AQ==\r\n").await?;
                }
                Step::Continue(_) => self.write(NAME, b"\r\n").await?,
                Step::Done(done) if done.tag == tag => return done.into_result(NAME).map(drop),
                Step::Done(_) | Step::Untagged => {}
            }
        }
    }
}

impl Done {
    fn into_result(self, command: &'static str) -> Result<String, ImapError> {
        match self.ok {
            Some(true) => Ok(self.text),
            Some(false) => Err(ImapError::Refused {
                command,
                text: self.text,
            }),
            None => Err(ImapError::Unreadable {
                during: command,
                text: self.text,
            }),
        }
    }
}

fn outcome_text(outcome: &Outcome<'_>) -> String {
    let information = outcome.information.as_deref().unwrap_or_default();
    match &outcome.code {
        Some(code) => server_text(&format!("[{code:?}] {information}")),
        None => server_text(information),
    }
}

/// A quoted string (RFC 3501, section 4.3), or a refusal.
pub(super) fn quote(text: &str) -> Result<String, ImapError> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(ImapError::Input { what: "a name" });
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

async fn encrypt(account: &ImapAccount, io: Box<dyn Io>) -> Result<Box<dyn Io>, ImapError> {
    let name = ServerName::try_from(account.host.clone()).map_err(|_| ImapError::HostName {
        host: account.host.clone(),
    })?;
    let connector = TlsConnector::from(account.tls_config()?);
    let after = account.limits.connect_timeout;
    match timeout(after, connector.connect(name, io)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(source)) => Err(ImapError::Handshake {
            host: account.host.clone(),
            source,
        }),
        Err(_) => Err(ImapError::Silent {
            during: "encryption",
            after,
        }),
    }
}
