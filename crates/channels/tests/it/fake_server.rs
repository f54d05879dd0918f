//! A tiny SMTP server whose script can delay, lie and hang up at any moment.
//!
//! It is good by nature: a test scripts only what goes wrong. It remembers what it was told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relance_channels::smtp::{
    Envelope, RouteId, RouteLimits, SendOutcome, SmtpRoute, SmtpSender, Tls, Trust,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub const USER: &str = "ana";
pub const SECRET: &str = "correct horse";

/// Something is about to be answered.
#[derive(Debug, Clone)]
pub struct Moment {
    /// CONNECT, the command's verb, BODY (354 was said, nothing read yet) or DOT (the message is complete).
    pub verb: String,
    /// How often this verb has come to this server, from 1.
    pub nth: usize,
}

#[derive(Debug, Clone)]
pub enum Act {
    /// What a good server does.
    Good,
    Say(&'static str),
    SayAndClose(&'static str),
    Close,
    /// Waits, then is good.
    Slow(Duration),
    /// A byte at a time.
    Drip(&'static str, Duration),
    /// Reply lines without end.
    Flood,
    /// One line without end.
    FloodLine,
    /// Reads so many bytes of the body, answers, and hangs up.
    ReadThenSayAndClose(usize, &'static str),
}

type Script = Arc<dyn Fn(&Moment) -> Act + Send + Sync>;

#[derive(Default)]
struct Record {
    connections: usize,
    counts: BTreeMap<String, usize>,
    lines: Vec<String>,
    messages: Vec<Vec<u8>>,
    /// For each MAIL: whether DATA had arrived with it.
    pipelined: Vec<bool>,
}

#[derive(Clone)]
struct Shared {
    script: Script,
    extensions: Arc<Vec<&'static str>>,
    tls: Option<TlsAcceptor>,
    implicit_tls: bool,
    record: Arc<Mutex<Record>>,
}

pub struct FakeServer {
    pub address: SocketAddr,
    /// The certificate that it shows, in PEM.
    pub certificate_pem: String,
    record: Arc<Mutex<Record>>,
}

pub struct Options {
    pub extensions: Vec<&'static str>,
    pub tls: bool,
    pub implicit_tls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            extensions: vec![
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                "SIZE 20000000",
                "AUTH PLAIN LOGIN XOAUTH2",
                "ENHANCEDSTATUSCODES",
            ],
            tls: false,
            implicit_tls: false,
        }
    }
}

impl Options {
    pub fn extensions(extensions: &[&'static str]) -> Self {
        Self {
            extensions: extensions.to_vec(),
            ..Self::default()
        }
    }
}

pub fn good(_: &Moment) -> Act {
    Act::Good
}

/// A script with one bad moment: the `nth` time of `verb`.
pub fn at(
    verb: &'static str,
    nth: usize,
    act: Act,
) -> impl Fn(&Moment) -> Act + Send + Sync + 'static {
    move |moment| {
        if moment.verb == verb && moment.nth == nth {
            act.clone()
        } else {
            Act::Good
        }
    }
}

/// A script with one bad verb, every time.
pub fn always(verb: &'static str, act: Act) -> impl Fn(&Moment) -> Act + Send + Sync + 'static {
    move |moment| {
        if moment.verb == verb {
            act.clone()
        } else {
            Act::Good
        }
    }
}

pub fn self_signed(name: &str) -> (String, rustls::ServerConfig) {
    let mut names = vec![name.to_owned()];
    if name == "localhost" {
        names.push("127.0.0.1".to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key.into())
    .unwrap();
    (made.cert.pem(), config)
}

impl FakeServer {
    pub async fn start(script: impl Fn(&Moment) -> Act + Send + Sync + 'static) -> Self {
        Self::start_with(Options::default(), script).await
    }

    pub async fn start_with(
        options: Options,
        script: impl Fn(&Moment) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::start_named(options, "localhost", script).await
    }

    /// Shows a certificate for `name`.
    pub async fn start_named(
        options: Options,
        name: &str,
        script: impl Fn(&Moment) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (certificate_pem, config) = self_signed(name);
        let record = Arc::new(Mutex::new(Record::default()));
        let shared = Shared {
            script: Arc::new(script),
            extensions: Arc::new(options.extensions),
            tls: (options.tls || options.implicit_tls).then(|| TlsAcceptor::from(Arc::new(config))),
            implicit_tls: options.implicit_tls,
            record: Arc::clone(&record),
        };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                shared.record.lock().unwrap().connections += 1;
                tokio::spawn(Session::run(socket, shared.clone()));
            }
        });
        Self {
            address,
            certificate_pem,
            record,
        }
    }

    pub fn connections(&self) -> usize {
        self.record.lock().unwrap().connections
    }

    /// Command lines in the order received, over all connections.
    pub fn lines(&self) -> Vec<String> {
        self.record.lock().unwrap().lines.clone()
    }

    pub fn count(&self, verb: &str) -> usize {
        self.record
            .lock()
            .unwrap()
            .counts
            .get(verb)
            .copied()
            .unwrap_or(0)
    }

    /// Messages accepted, as a mailbox would hold them.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        self.record.lock().unwrap().messages.clone()
    }

    pub fn pipelined(&self) -> Vec<bool> {
        self.record.lock().unwrap().pipelined.clone()
    }

    /// A route to this server with limits that suit a test.
    pub fn route(&self) -> SmtpRoute {
        SmtpRoute {
            limits: RouteLimits {
                connect_timeout: Duration::from_secs(5),
                command_timeout: Duration::from_secs(5),
                data_timeout: Duration::from_secs(5),
                ..RouteLimits::default()
            },
            ..SmtpRoute::new(
                "127.0.0.1",
                self.address.port(),
                Tls::None,
                "client.example",
            )
        }
    }

    pub fn tls_route(&self, tls: Tls) -> SmtpRoute {
        SmtpRoute {
            tls,
            trust: Trust::Only {
                authorities_pem: self.certificate_pem.clone(),
            },
            ..self.route()
        }
    }
}

pub fn envelope(to: &[&str]) -> Envelope {
    Envelope::new(
        "ana@example.com",
        to.iter().map(|&to| to.to_owned()).collect(),
    )
    .unwrap()
}

/// A sender with one route, and the short way to use it.
pub struct Client {
    pub sender: Arc<SmtpSender>,
    pub id: RouteId,
}

impl Client {
    pub fn new(route: SmtpRoute) -> Self {
        let sender = Arc::new(SmtpSender::new());
        let id = RouteId::new("test");
        sender.configure(id.clone(), route).unwrap();
        Self { sender, id }
    }

    pub async fn send(&self, message: &[u8]) -> SendOutcome {
        self.send_to(&["bob@example.net"], message).await
    }

    pub async fn send_to(&self, to: &[&str], message: &[u8]) -> SendOutcome {
        let envelope = envelope(to);
        self.sender.send(&self.id, &envelope, message).await
    }

    pub fn stats(&self) -> relance_channels::smtp::RouteStats {
        self.sender.stats(&self.id).unwrap()
    }
}

pub const MESSAGE: &[u8] =
    b"From: ana@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nHello.\r\n";

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

struct Session {
    wire: Box<dyn Wire>,
    inbox: Vec<u8>,
    shared: Shared,
}

/// The session is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Over
    }
}

impl Session {
    async fn run(socket: TcpStream, shared: Shared) {
        socket.set_nodelay(true).unwrap();
        let _ = Self::serve(socket, shared).await;
    }

    async fn serve(socket: TcpStream, shared: Shared) -> Result<(), Over> {
        let wire: Box<dyn Wire> = match (&shared.tls, shared.implicit_tls) {
            (Some(tls), true) => Box::new(tls.accept(socket).await?),
            (Some(tls), false) => {
                // STARTTLS needs the bare socket back, so the clear part is served apart.
                let mut clear = Self {
                    wire: Box::new(socket),
                    inbox: Vec::new(),
                    shared: shared.clone(),
                };
                clear.answer("CONNECT", "220 fake ESMTP").await?;
                let clear = clear.until_start_tls().await?;
                Box::new(tls.clone().accept(clear).await?)
            }
            (None, _) => Box::new(socket),
        };
        let encrypted_later = shared.tls.is_some() && !shared.implicit_tls;
        let mut session = Self {
            wire,
            inbox: Vec::new(),
            shared,
        };
        if !encrypted_later {
            session.answer("CONNECT", "220 fake ESMTP").await?;
        }
        loop {
            let line = session.line().await?;
            session.command(&line).await?;
        }
    }

    /// Serves in the clear until the client asks for TLS, and gives the socket back.
    async fn until_start_tls(mut self) -> Result<Box<dyn Wire>, Over> {
        loop {
            let line = self.line().await?;
            if line.eq_ignore_ascii_case("STARTTLS") {
                self.answer("STARTTLS", "220 2.0.0 go ahead").await?;
                return Ok(self.wire);
            }
            self.command(&line).await?;
        }
    }

    async fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(end) = self.inbox.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                return Ok(String::from_utf8(line)
                    .unwrap()
                    .trim_end_matches(['\r', '\n'])
                    .to_owned());
            }
            self.inbox.reserve(64 * 1024);
            if self.wire.read_buf(&mut self.inbox).await? == 0 {
                return Err(Over);
            }
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Over> {
        self.wire
            .write_all(format!("{text}\r\n").as_bytes())
            .await?;
        self.wire.flush().await?;
        Ok(())
    }

    fn moment(&self, verb: &str) -> Moment {
        let mut record = self.shared.record.lock().unwrap();
        let nth = record.counts.entry(verb.to_owned()).or_default();
        *nth += 1;
        Moment {
            verb: verb.to_owned(),
            nth: *nth,
        }
    }

    /// Does what the script says; true if it was good.
    async fn answer(&mut self, verb: &str, usual: &str) -> Result<bool, Over> {
        let moment = self.moment(verb);
        match (self.shared.script)(&moment) {
            Act::Good => {
                if !usual.is_empty() {
                    self.say(usual).await?;
                }
                Ok(true)
            }
            Act::Say(text) => {
                self.say(text).await?;
                Ok(false)
            }
            Act::SayAndClose(text) => {
                self.say(text).await?;
                self.wire.shutdown().await?;
                Err(Over)
            }
            Act::Close => Err(Over),
            Act::Slow(wait) => {
                tokio::time::sleep(wait).await;
                if !usual.is_empty() {
                    self.say(usual).await?;
                }
                Ok(true)
            }
            Act::Drip(text, pause) => {
                for byte in text.bytes() {
                    self.wire.write_all(&[byte]).await?;
                    self.wire.flush().await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(false)
            }
            Act::Flood => loop {
                self.say("250-more and more and more and more").await?;
            },
            Act::FloodLine => loop {
                self.wire.write_all(&[b'2'; 4096]).await?;
            },
            Act::ReadThenSayAndClose(bytes, text) => {
                let mut read = 0;
                let mut buffer = [0; 4096];
                while read < bytes {
                    match self.wire.read(&mut buffer).await? {
                        0 => return Err(Over),
                        n => read += n,
                    }
                }
                self.say(text).await?;
                Err(Over)
            }
        }
    }

    async fn command(&mut self, line: &str) -> Result<(), Over> {
        self.shared
            .record
            .lock()
            .unwrap()
            .lines
            .push(line.to_owned());
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                let mut lines = vec!["fake greets you".to_owned()];
                lines.extend(
                    self.shared
                        .extensions
                        .iter()
                        .map(|&extension| extension.to_owned()),
                );
                let last = lines.len() - 1;
                let reply: Vec<String> = lines
                    .iter()
                    .enumerate()
                    .map(|(at, text)| format!("250{}{text}", if at == last { ' ' } else { '-' }))
                    .collect();
                self.answer("EHLO", &reply.join("\r\n")).await?;
            }
            "HELO" | "RSET" | "RCPT" => {
                self.answer(&verb, "250 2.1.5 ok").await?;
            }
            "MAIL" => {
                let with_data = self.inbox.windows(6).any(|window| window == b"DATA\r\n");
                self.shared.record.lock().unwrap().pipelined.push(with_data);
                self.answer("MAIL", "250 2.1.0 ok").await?;
            }
            "STARTTLS" => {
                self.answer("STARTTLS", "502 5.5.1 no").await?;
            }
            "AUTH" => self.auth(line).await?,
            "DATA" => {
                if self.answer("DATA", "354 go ahead").await? && self.answer("BODY", "").await? {
                    self.body().await?;
                }
            }
            "QUIT" => {
                self.answer("QUIT", "221 2.0.0 bye").await?;
                return Err(Over);
            }
            _ => {
                self.answer(&verb, "500 5.5.2 what?").await?;
            }
        }
        Ok(())
    }

    async fn auth(&mut self, line: &str) -> Result<(), Over> {
        let said = self.moment("AUTH");
        match (self.shared.script)(&said) {
            Act::Good => {}
            Act::Say(text) => return self.say(text).await,
            other => panic!("AUTH cannot be scripted as {other:?}"),
        }
        let decode = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let right = match words[..] {
            ["AUTH", "PLAIN", response] => decode(response) == format!("\0{USER}\0{SECRET}"),
            ["AUTH", "LOGIN"] => {
                self.say("334 VXNlcm5hbWU6").await?;
                let user = decode(&self.line().await?);
                self.say("334 UGFzc3dvcmQ6").await?;
                let secret = decode(&self.line().await?);
                user == USER && secret == SECRET
            }
            ["AUTH", "XOAUTH2", response] => {
                let right =
                    decode(response) == format!("user={USER}\x01auth=Bearer {SECRET}\x01\x01");
                if !right {
                    self.say(&format!("334 {}", STANDARD.encode(r#"{"status":"401"}"#)))
                        .await?;
                    assert_eq!(
                        self.line().await?,
                        "",
                        "the client answers the explanation with nothing"
                    );
                }
                right
            }
            _ => panic!("odd AUTH line {line:?}"),
        };
        self.say(if right {
            "235 2.7.0 welcome"
        } else {
            "535 5.7.8 bad credentials"
        })
        .await
    }

    async fn body(&mut self) -> Result<(), Over> {
        let end = loop {
            if self.inbox.starts_with(b".\r\n") {
                break 0;
            }
            if let Some(at) = self
                .inbox
                .windows(5)
                .rposition(|window| window == b"\r\n.\r\n")
            {
                break at + 2;
            }
            self.inbox.reserve(64 * 1024);
            if self.wire.read_buf(&mut self.inbox).await? == 0 {
                return Err(Over);
            }
        };
        let wire: Vec<u8> = self.inbox.drain(..end).collect();
        self.inbox.drain(..3);
        let mut message = Vec::with_capacity(wire.len());
        for line in wire.split_inclusive(|&byte| byte == b'\n') {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        let moment = format!(
            "250 2.0.0 Ok: queued as FAKE{}",
            self.shared.record.lock().unwrap().messages.len() + 1
        );
        if self.answer("DOT", &moment).await? {
            self.shared.record.lock().unwrap().messages.push(message);
        }
        Ok(())
    }
}
