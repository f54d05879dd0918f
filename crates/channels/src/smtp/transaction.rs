//! One message over one connection: MAIL, RCPT, DATA, the body, the final dot.
//!
//! With PIPELINING (RFC 2920) the commands go out in one write and the body in another, so a message costs
//! two round trips. Whatever happens, the connection knows afterwards whether it may be used again and
//! whether RSET must come first.

use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};

use super::body::{BodyEncoder, normalised_len};
use super::connection::{Connection, accepted, closed, timed_out};
use super::envelope::Envelope;
use super::outcome::{
    Failure, LinkCause, LinkFailure, Permanence, RecipientRefusal, Refusal, SendOutcome, Stage,
};
use super::reply::Reply;
use super::route::RouteLimits;

/// Asked when the server waits for the body: the last moment at which a message can be kept back, and at
/// which it can be noted that it may have left. `false` keeps it back. Asked again when a connection that
/// had died is replaced.
pub type BeforeBody<'a> =
    &'a (dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> + Send + Sync);

/// Bytes of one message. Larger ones are refused here, whatever the server says.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the message that are encoded and written at once; a smaller message is one write.
const BODY_PIECE_BYTES: usize = 64 * 1024;
/// A server that refuses in the middle of the body and hangs up has usually said why.
const LATE_REPLY_WAIT: Duration = Duration::from_secs(2);
/// "Start mail input".
const START_INPUT: u16 = 354;
/// "Closing the channel", at any time (RFC 5321 section 3.8).
pub(crate) const CLOSING: u16 = 421;

impl Connection {
    /// Hands one message over. The result of `Ok` is always [`SendOutcome::Accepted`].
    pub(crate) async fn transact(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
        limits: &RouteLimits,
        before_body: BeforeBody<'_>,
    ) -> Result<SendOutcome, Failure> {
        let mail = self.mail_command(envelope, message)?;
        let result = self
            .converse(&mail, envelope, message, limits, before_body)
            .await;
        match &result {
            Ok(_) => {}
            Err(Failure::Refused(refusal)) => self.usable &= refusal.code != CLOSING,
            Err(Failure::Unreached(_) | Failure::Lost(_)) => self.usable = false,
        }
        result
    }

    async fn converse(
        &mut self,
        mail: &str,
        envelope: &Envelope,
        message: &[u8],
        limits: &RouteLimits,
        before_body: BeforeBody<'_>,
    ) -> Result<SendOutcome, Failure> {
        let wait = limits.command_timeout;
        let refused = if self.capabilities.pipelining {
            self.begin_pipelined(mail, envelope, wait).await?
        } else {
            self.begin_stepwise(mail, envelope, wait).await?
        };
        self.messages += 1;
        if !before_body().await {
            // Only the end of the connection takes a transaction back once the server waits for the body.
            self.usable = false;
            let text = "kept back before the body";
            return Err(Refusal::local(451, (4, 3, 0), Stage::Body, text).into());
        }
        let reply = self.hand_over(message, limits.data_timeout).await?;
        Ok(SendOutcome::Accepted {
            response: reply.to_line(),
            queue_id: reply.queue_id(),
            refused,
        })
    }

    /// The MAIL command, or the refusal that the server's own words make certain.
    fn mail_command(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Refusal> {
        let can = &self.capabilities;
        let mut line = format!("MAIL FROM:<{}>", envelope.from());
        if envelope.needs_utf8() {
            if !can.smtp_utf8 {
                let text = "an address is not ASCII and the server does not offer SMTPUTF8";
                return Err(Refusal::local(553, (5, 6, 7), Stage::Mail, text));
            }
            line.push_str(" SMTPUTF8");
        }
        if can.eight_bit_mime {
            if envelope.needs_utf8() || !message.is_ascii() {
                line.push_str(" BODY=8BITMIME");
            }
        } else if !message.is_ascii() {
            let text = "the message has 8-bit bytes and the server does not offer 8BITMIME";
            return Err(Refusal::local(554, (5, 6, 3), Stage::Mail, text));
        }
        if can.size {
            let size = normalised_len(message);
            if let Some(max) = can.size_max
                && size > max
            {
                let text =
                    format!("the message has {size} bytes and the server takes at most {max}");
                return Err(Refusal::local(552, (5, 3, 4), Stage::Mail, text));
            }
            line.push_str(&format!(" SIZE={size}"));
        }
        Ok(line)
    }

    /// MAIL, every RCPT and DATA in one write. Ends after 354 with at least one recipient accepted.
    async fn begin_pipelined(
        &mut self,
        mail: &str,
        envelope: &Envelope,
        wait: Duration,
    ) -> Result<Vec<RecipientRefusal>, Failure> {
        let reset = std::mem::take(&mut self.reset_due);
        self.outbox.clear();
        if reset {
            self.outbox.extend_from_slice(b"RSET\r\n");
        }
        self.outbox.extend_from_slice(mail.as_bytes());
        self.outbox.extend_from_slice(b"\r\n");
        for to in envelope.to() {
            self.outbox.extend_from_slice(b"RCPT TO:<");
            self.outbox.extend_from_slice(to.as_bytes());
            self.outbox.extend_from_slice(b">\r\n");
        }
        self.outbox.extend_from_slice(b"DATA\r\n");
        self.send_outbox(Stage::Mail, wait).await?;

        if reset {
            accepted(self.reply(Stage::Mail, wait).await?, Stage::Mail)?;
        }
        let mut verdict = refusal_of(self.reply(Stage::Mail, wait).await?, Stage::Mail)?;
        let mut refused = Vec::new();
        for recipient in 0..envelope.to().len() {
            let reply = match self.reply(Stage::Rcpt, wait).await {
                Ok(reply) => reply,
                // Some servers hang up after a refused MAIL. The refusal is the news.
                Err(link) => return Err(self.hung_up(verdict, link)),
            };
            if let Some(refusal) = refusal_of(reply, Stage::Rcpt)? {
                refused.push(RecipientRefusal { recipient, refusal });
            }
        }
        if verdict.is_none() && refused.len() == envelope.to().len() {
            verdict = worst(&refused);
        }
        let data = match self.reply(Stage::Data, wait).await {
            Ok(reply) => reply,
            Err(link) => return Err(self.hung_up(verdict, link)),
        };
        if data.code == START_INPUT {
            match verdict {
                None => Ok(refused),
                Some(refusal) => {
                    self.leave_data(wait).await;
                    Err(refusal.into())
                }
            }
        } else {
            self.reset_due = true;
            match verdict {
                Some(refusal) => Err(refusal.into()),
                None => Err(not_started(data)),
            }
        }
    }

    /// One command at a time.
    async fn begin_stepwise(
        &mut self,
        mail: &str,
        envelope: &Envelope,
        wait: Duration,
    ) -> Result<Vec<RecipientRefusal>, Failure> {
        if std::mem::take(&mut self.reset_due) {
            accepted(
                self.command(&["RSET"], Stage::Mail, wait).await?,
                Stage::Mail,
            )?;
        }
        // Cleared when DATA has run its course.
        self.reset_due = true;
        accepted(self.command(&[mail], Stage::Mail, wait).await?, Stage::Mail)?;
        let mut refused = Vec::new();
        for (recipient, to) in envelope.to().iter().enumerate() {
            let reply = self
                .command(&["RCPT TO:<", to, ">"], Stage::Rcpt, wait)
                .await?;
            if let Some(refusal) = refusal_of(reply, Stage::Rcpt)? {
                refused.push(RecipientRefusal { recipient, refusal });
            }
        }
        if refused.len() == envelope.to().len()
            && let Some(refusal) = worst(&refused)
        {
            return Err(refusal.into());
        }
        let data = self.command(&["DATA"], Stage::Data, wait).await?;
        if data.code != START_INPUT {
            return Err(not_started(data));
        }
        self.reset_due = false;
        Ok(refused)
    }

    /// The server said 354 although nobody is to receive anything: end the input at once. With no
    /// recipient there is no delivery, whatever the reply (RFC 2920 section 3.1).
    async fn leave_data(&mut self, wait: Duration) {
        self.reset_due = true;
        self.outbox.clear();
        self.outbox.extend_from_slice(b".\r\n");
        let left = match self.send_outbox(Stage::Data, wait).await {
            Ok(()) => self.reply(Stage::Data, wait).await.is_ok(),
            Err(_) => false,
        };
        self.usable &= left;
    }

    fn hung_up(&mut self, verdict: Option<Refusal>, link: LinkFailure) -> Failure {
        self.usable = false;
        match verdict {
            Some(refusal) => refusal.into(),
            None => link.into(),
        }
    }

    /// The body, the final dot and its reply, all within one time limit.
    async fn hand_over(&mut self, message: &[u8], limit: Duration) -> Result<Reply, Failure> {
        self.nothing_unasked(Stage::Data)?;
        let deadline = Instant::now() + limit;
        let mut dot = Dot::NotSent;
        let link = match timeout_at(deadline, self.write_body(message, &mut dot)).await {
            Ok(Ok(())) => {
                let left = deadline.saturating_duration_since(Instant::now());
                match self.reply(Stage::Body, left).await {
                    Ok(reply) => return final_word(reply),
                    Err(link) => return Err(Failure::Lost(link)),
                }
            }
            Ok(Err(error)) => closed(Stage::Body, &error),
            Err(_) => timed_out(Stage::Body),
        };
        self.usable = false;
        let late = self.reply(Stage::Body, LATE_REPLY_WAIT).await;
        match (late, dot) {
            (Ok(reply), _) if reply.is_negative() => Err(reply.refusal(Stage::Body).into()),
            (Ok(reply), Dot::MaybeSent) => final_word(reply),
            (Err(_), Dot::MaybeSent) => Err(Failure::Lost(link)),
            (Ok(_) | Err(_), Dot::NotSent) => Err(Failure::Unreached(link)),
        }
    }

    async fn write_body(&mut self, message: &[u8], dot: &mut Dot) -> std::io::Result<()> {
        let mut encoder = BodyEncoder::new();
        let mut pieces = message.chunks(BODY_PIECE_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            encoder.encode(piece, &mut self.outbox);
            if pieces.peek().is_some() {
                self.stream.write_all(&self.outbox).await?;
                self.outbox.clear();
            }
        }
        encoder.finish(&mut self.outbox);
        if !self.stream.counts_exactly() {
            *dot = Dot::MaybeSent;
        }
        self.stream.write_all(&self.outbox).await?;
        *dot = Dot::MaybeSent;
        self.outbox.clear();
        self.stream.flush().await
    }
}

/// Whether the server may have read the end of the message.
#[derive(Debug, Clone, Copy)]
enum Dot {
    NotSent,
    MaybeSent,
}

/// The reply to the final dot. Anything but a plain yes or no leaves the message in doubt.
fn final_word(reply: Reply) -> Result<Reply, Failure> {
    if reply.is_positive() {
        Ok(reply)
    } else if reply.is_negative() {
        Err(reply.refusal(Stage::Body).into())
    } else {
        let detail = format!(
            "a reply to the final dot that says neither yes nor no: {}",
            reply.to_line()
        );
        Err(Failure::Lost(LinkFailure::new(
            LinkCause::Protocol,
            Stage::Body,
            detail,
        )))
    }
}

/// A refusal that lets the dialogue go on; 421 and nonsense end it.
fn refusal_of(reply: Reply, stage: Stage) -> Result<Option<Refusal>, Failure> {
    match accepted(reply, stage) {
        Ok(_) => Ok(None),
        Err(Failure::Refused(refusal)) if refusal.code != CLOSING => Ok(Some(refusal)),
        Err(failure) => Err(failure),
    }
}

/// DATA was not answered by 354.
fn not_started(reply: Reply) -> Failure {
    match accepted(reply, Stage::Data) {
        Ok(reply) => {
            let detail = format!("a reply to DATA that does not fit: {}", reply.to_line());
            LinkFailure::new(LinkCause::Protocol, Stage::Data, detail).into()
        }
        Err(failure) => failure,
    }
}

/// The refusal that stands for all: a soft one, if any, since another attempt may then reach somebody.
fn worst(refused: &[RecipientRefusal]) -> Option<Refusal> {
    refused
        .iter()
        .find(|refused| refused.refusal.permanence == Permanence::Soft)
        .or(refused.first())
        .map(|refused| refused.refusal.clone())
}
