//! A mail server that keeps what it gets, and what tests ask of a kept mail.

#![allow(dead_code, reason = "each test uses its part of the harness")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use relance_message::mail::Mail;

use crate::server::{PUBLIC_URL, until};

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub at: Instant,
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Taken {
    pub fn mail(&self) -> Mail {
        Mail::parse(&self.bytes).expect("a mail")
    }

    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let (head, _) = text.split_once("\r\n\r\n")?;
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines()
            .find_map(|line| {
                line.split_once(':')
                    .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            })
            .map(|(_, value)| value.trim().to_owned())
    }

    /// Targets of links and pictures of the HTML part that begin with `url`.
    pub fn links(&self, url: &str) -> Vec<String> {
        let html = self.mail().html.unwrap_or_default().replace("&amp;", "&");
        html.split('"')
            .filter(|part| part.starts_with(url))
            .map(str::to_owned)
            .collect()
    }

    /// The path of the first link that begins with `place`, such as `/t/c/`.
    pub fn path(&self, place: &str) -> String {
        let links = self.links(&format!("{PUBLIC_URL}{place}"));
        let first = links
            .first()
            .unwrap_or_else(|| panic!("no {place} in {:?}", self.mail().html));
        first
            .strip_prefix(PUBLIC_URL)
            .expect("the prefix")
            .to_owned()
    }
}

/// A mail server that keeps what it gets.
#[derive(Clone)]
pub struct SmtpSink {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl SmtpSink {
    /// Listens until the test's process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let sink = Self {
            port: listener.local_addr().expect("an address").port(),
            taken: Arc::default(),
        };
        let own = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                // A client that breaks off ends its own conversation only.
                std::thread::spawn(move || drop(own.talk(stream)));
            }
        });
        sink
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Mails to an address.
    pub fn to(&self, address: &str) -> Vec<Taken> {
        let mut taken = self.taken();
        taken.retain(|mail| mail.to.iter().any(|to| to == address));
        taken
    }

    /// Waits for the first mail to an address.
    pub fn wait_for(&self, address: &str) -> Taken {
        until(&format!("a mail to {address}"), || {
            self.to(address).into_iter().next()
        })
    }

    fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        let (mut from, mut to) = (String::new(), Vec::new());
        out.write_all(b"220 sink.test ESMTP\r\n")?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let command = line.trim_end();
            let address = || {
                let inner = command
                    .split_once('<')
                    .and_then(|(_, rest)| rest.split_once('>'));
                inner.map_or_else(String::new, |(address, _)| address.to_owned())
            };
            let verb = command.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer: &[u8] = match verb.as_str() {
                "EHLO" => b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                "MAIL" => {
                    from = address();
                    b"250 2.1.0 ok\r\n"
                }
                "RCPT" => {
                    to.push(address());
                    b"250 2.1.5 ok\r\n"
                }
                "DATA" => {
                    out.write_all(b"354 go ahead\r\n")?;
                    let bytes = read_data(&mut lines)?;
                    self.taken
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(Taken {
                            at: Instant::now(),
                            from: std::mem::take(&mut from),
                            to: std::mem::take(&mut to),
                            bytes,
                        });
                    b"250 2.0.0 taken\r\n"
                }
                "RSET" => {
                    to.clear();
                    b"250 2.0.0 ok\r\n"
                }
                "QUIT" => {
                    out.write_all(b"221 2.0.0 bye\r\n")?;
                    return Ok(());
                }
                _other => b"250 2.0.0 ok\r\n",
            };
            out.write_all(answer)?;
        }
    }
}

fn read_data(lines: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::Error::other("ended within a mail"));
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
