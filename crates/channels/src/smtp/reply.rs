//! Replies, read line by line and bounded in every direction (RFC 5321 section 4.2).
//!
//! The framing is ours rather than the protocol crate's, because a reply must not be able to grow without
//! end (a server that says `250-` for ever), to change its code half-way, or to be lost for being long.
//!
//! **Absent:** what a refusal's text means; that is bounce classification, in `relance-message`.

use super::outcome::{Origin, Permanence, Refusal, Stage};

/// Bytes of one reply line, far above the 512 of RFC 5321 section 4.5.3.1.5, as real servers are.
pub const REPLY_LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of one whole reply.
pub const REPLY_BYTES_MAX: usize = 32 * 1024;
/// Characters of a reply that an outcome keeps.
pub const REPLY_TEXT_CHARS_MAX: usize = 512;
/// Longer than any real queue id.
const QUEUE_ID_BYTES_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) enhanced: Option<(u8, u8, u8)>,
    /// The lines without their codes, joined by line feeds.
    pub(crate) text: String,
}

/// Gathers the lines of one reply.
#[derive(Debug, Default)]
pub(crate) struct ReplyLines {
    code: Option<u16>,
    text: Vec<u8>,
    bytes: usize,
}

impl ReplyLines {
    /// Takes one line, with or without its line end. Returns the reply when this was its last line; the
    /// gatherer is then ready for the next one. The error says what the server did wrong.
    pub(crate) fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, &'static str> {
        self.bytes += line.len();
        if line.len() > REPLY_LINE_BYTES_MAX || self.bytes > REPLY_BYTES_MAX {
            return Err("the reply is too long");
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (digits, rest) = line.split_at_checked(3).ok_or("the reply has no code")?;
        let code = match digits {
            [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9'] => digits
                .iter()
                .fold(0, |code, digit| code * 10 + u16::from(digit - b'0')),
            _ => return Err("the reply has no code"),
        };
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err("the reply's code is not followed by a space or a hyphen"),
        };
        match self.code {
            None => self.code = Some(code),
            Some(first) if first == code => self.text.push(b'\n'),
            Some(_) => return Err("the reply changes its code between lines"),
        }
        self.text.extend_from_slice(text);
        if !last {
            return Ok(None);
        }
        let whole = std::mem::take(self);
        let text = String::from_utf8(whole.text)
            .unwrap_or_else(|invalid| String::from_utf8_lossy(invalid.as_bytes()).into_owned());
        Ok(Some(Reply {
            code,
            enhanced: enhanced_code(&text),
            text,
        }))
    }
}

impl Reply {
    pub(crate) fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(crate) fn is_negative(&self) -> bool {
        (400..600).contains(&self.code)
    }

    pub(crate) fn refusal(self, stage: Stage) -> Refusal {
        Refusal {
            permanence: Permanence::of(self.code),
            code: self.code,
            enhanced: self.enhanced,
            stage,
            origin: Origin::Server,
            text: clean(&self.text),
        }
    }

    /// Code and text for a person to read.
    pub(crate) fn to_line(&self) -> String {
        clean(&format!("{} {}", self.code, self.text))
    }

    /// The server's name for the message it has just accepted, in the forms that real servers use.
    pub(crate) fn queue_id(&self) -> Option<String> {
        let words: Vec<&str> = self.text.split_whitespace().take(64).collect();
        let id = words.iter().enumerate().find_map(|(at, word)| {
            let word = word.trim_matches(|c: char| "[]<>(),;".contains(c));
            // Exim: `OK id=1abCDe-000001-2X`; Exchange: `[InternalId=1234, Hostname=...]`.
            if let Some((key, id)) = word.split_once('=')
                && (key.eq_ignore_ascii_case("id") || key.eq_ignore_ascii_case("internalid"))
            {
                return Some(id);
            }
            let next = |ahead: usize| words.get(at + ahead).copied();
            // Postfix, qmail, Dovecot: `Ok: queued as 4XYZ`.
            if word.eq_ignore_ascii_case("queued")
                && next(1).is_some_and(|w| w.eq_ignore_ascii_case("as"))
            {
                return next(2);
            }
            // Sendmail: `2.0.0 3ALx Message accepted for delivery`.
            if at > 0 && word == "Message" && next(1) == Some("accepted") {
                return words.get(at - 1).copied();
            }
            // Gmail: `2.0.0 OK 1699999999 abc123-45 - gsmtp`.
            if at > 1 && word == "gsmtp" && words[at - 1] == "-" {
                return words.get(at - 2).copied();
            }
            None
        });
        // Amazon SES: `Ok 0102018c...-000000`.
        let id = id.or(match words[..] {
            ["Ok", id] => Some(id),
            _ => None,
        })?;
        let id = id.trim_matches(|c: char| "[]<>(),;.".contains(c));
        (!id.is_empty()
            && id.len() <= QUEUE_ID_BYTES_MAX
            && id.bytes().all(|b| b.is_ascii_graphic()))
        .then(|| id.to_owned())
    }
}

/// Reads `5.1.1` at the start of a text (RFC 2034).
fn enhanced_code(text: &str) -> Option<(u8, u8, u8)> {
    let word = text.split([' ', '\n']).next()?;
    let mut parts = word.split('.');
    let mut number = || {
        let part = parts.next()?;
        (part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u8>().ok())?
    };
    let code = (number()?, number()?, number()?);
    (parts.next().is_none() && matches!(code.0, 2 | 4 | 5)).then_some(code)
}

/// One line of bounded length, without control characters, so that it can be stored and shown.
fn clean(text: &str) -> String {
    text.chars()
        .take(REPLY_TEXT_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(wire: &str) -> Result<Reply, &'static str> {
        let mut lines = ReplyLines::default();
        for line in wire.split_inclusive('\n') {
            if let Some(reply) = lines.push(line.as_bytes())? {
                return Ok(reply);
            }
        }
        Err("incomplete")
    }

    #[test]
    fn replies_as_servers_write_them() {
        let reply =
            read("550-5.1.1 The account\r\n550-5.1.1 does not\r\n550 5.1.1 exist\r\n").unwrap();
        assert_eq!((reply.code, reply.enhanced), (550, Some((5, 1, 1))));
        let refusal = reply.refusal(Stage::Rcpt);
        assert_eq!(refusal.text, "5.1.1 The account 5.1.1 does not 5.1.1 exist");
        assert_eq!(refusal.permanence, Permanence::Hard);

        assert_eq!(read("250\r\n").unwrap().text, "");
        assert_eq!(read("250 ok\n").unwrap().text, "ok");
        assert_eq!(
            read("450 4.7.650 throttled\r\n").unwrap().enhanced,
            None,
            "650 is no u8, so no code"
        );
        assert_eq!(read("250 3.1.1 x\r\n").unwrap().enhanced, None);
        assert_eq!(
            read("250 1.2.3.4 is my address\r\n").unwrap().enhanced,
            None
        );
        assert_eq!(read("421 4.3.2\r\n").unwrap().enhanced, Some((4, 3, 2)));
    }

    #[test]
    fn replies_that_lie() {
        for bad in [
            "",
            "25",
            "abc ok",
            "150 x\r\n",
            "650 x\r\n",
            "250_x\r\n",
            "250-a\r\n550 b\r\n",
            "250-a\r\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn a_reply_is_bounded() {
        let mut lines = ReplyLines::default();
        let endless = std::iter::repeat_n(b"250-\r\n", REPLY_BYTES_MAX);
        let taken = endless.take_while(|line| lines.push(*line).is_ok()).count();
        assert_eq!(taken, REPLY_BYTES_MAX / 6);
        assert!(
            ReplyLines::default()
                .push(&vec![b'2'; REPLY_LINE_BYTES_MAX + 1])
                .is_err()
        );
        let long = read(&format!("550 {}\r\n", "ж".repeat(1500)))
            .unwrap()
            .refusal(Stage::Body);
        assert_eq!(long.text.chars().count(), REPLY_TEXT_CHARS_MAX);
    }

    #[test]
    fn a_refusals_text_carries_no_control_characters() {
        let refusal = read("550 a\x1b[2Jb\tc\x07\r\n")
            .unwrap()
            .refusal(Stage::Mail);
        assert_eq!(refusal.text, "a [2Jb c ");
    }

    #[test]
    fn queue_ids_of_known_servers() {
        for (text, id) in [
            ("250 2.0.0 Ok: queued as 4XKZ1q2mZz9", Some("4XKZ1q2mZz9")),
            ("250 OK id=1abCDe-000001-2X", Some("1abCDe-000001-2X")),
            (
                "250 2.0.0 3ALNx1aB012345 Message accepted for delivery",
                Some("3ALNx1aB012345"),
            ),
            (
                "250 2.0.0 OK  1699999999 a1-b2c3.45 - gsmtp",
                Some("a1-b2c3.45"),
            ),
            (
                "250 Ok 0102018c0000-aaaa-000000",
                Some("0102018c0000-aaaa-000000"),
            ),
            (
                "250 2.6.0 <m@x> [InternalId=12345, Hostname=A.B] 9 bytes Queued mail for delivery",
                Some("12345"),
            ),
            ("250 2.0.0 (dev) queued as.", None),
            ("250 Ok", None),
            ("250 Roger, accepted", None),
        ] {
            assert_eq!(read(text).unwrap().queue_id().as_deref(), id, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut gatherer = ReplyLines::default();
            for line in lines {
                match gatherer.push(&line) {
                    Ok(Some(reply)) => {
                        let _ = reply.queue_id();
                        prop_assert!((200..600).contains(&reply.refusal(Stage::Body).code));
                    }
                    Ok(None) => {}
                    Err(_) => break,
                }
            }
        }
    }
}
