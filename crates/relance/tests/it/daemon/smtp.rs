//! The least of SMTP and LMTP that puts a message into a server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A conversation that was greeted.
pub struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    /// Connects; `hello` is `EHLO` or `LHLO`.
    pub fn start(port: u16, hello: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        stream
            .set_read_timeout(Some(ANSWER_MAX))
            .map_err(|error| error.to_string())?;
        let mut talk = Self {
            stream: BufReader::new(stream),
        };
        talk.answer()?;
        talk.say(&format!("{hello} test.localhost"))?;
        Ok(talk)
    }

    /// One line, and its answer, which must be 2xx or 3xx.
    pub fn say(&mut self, line: &str) -> Result<String, String> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.answer()
    }

    /// A message in one transaction. With LMTP each recipient has its own answer.
    pub fn send(
        &mut self,
        from: &str,
        to: &[&str],
        message: &[u8],
        lmtp: bool,
    ) -> Result<(), String> {
        self.say(&format!("MAIL FROM:<{from}>"))?;
        for to in to {
            self.say(&format!("RCPT TO:<{to}>"))?;
        }
        self.say("DATA")?;
        let mut body = Vec::with_capacity(message.len() + 10);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                body.push(b'.');
            }
            body.extend_from_slice(line);
        }
        if !body.ends_with(b"\r\n") {
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b".\r\n");
        self.write(&body)?;
        for _ in 0..if lmtp { to.len() } else { 1 } {
            self.answer()?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream
            .get_mut()
            .write_all(bytes)
            .map_err(|error| error.to_string())
    }

    fn answer(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line);
            if read.map_err(|error| error.to_string())? == 0 {
                return Err("connection closed".into());
            }
            text.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        if text.starts_with(['2', '3']) {
            Ok(text)
        } else {
            Err(text)
        }
    }
}
