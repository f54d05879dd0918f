//! The message as DATA carries it: lines end in CRLF, leading dots are doubled, a dot alone ends it
//! (RFC 5321 sections 2.3.8 and 4.5.2).
//!
//! One pass, no look-back: the encoder may be fed in pieces of any size, and its memory is the piece's.
//! A bare CR or a bare LF is taken as a line end, which is also what closes the door on smuggling a second
//! message behind an odd line end.
//!
//! **Absent:** line length. Lines over 998 bytes are the message builder's matter.

use std::borrow::Cow;

use memchr::memchr2;

/// Turns message bytes into DATA bytes, piece by piece.
#[derive(Debug)]
pub(crate) struct BodyEncoder {
    at_line_start: bool,
    /// The last piece ended in CR, whose line end is already written; a LF that follows belongs to it.
    after_cr: bool,
    stuff_dots: bool,
}

impl BodyEncoder {
    pub(crate) fn new() -> Self {
        Self {
            at_line_start: true,
            after_cr: false,
            stuff_dots: true,
        }
    }

    pub(crate) fn encode(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(&first) = rest.first() {
            if self.stuff_dots && self.at_line_start && first == b'.' {
                out.push(b'.');
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                out.extend_from_slice(rest);
                self.at_line_start = false;
                return;
            };
            out.extend_from_slice(&rest[..end]);
            out.extend_from_slice(b"\r\n");
            self.at_line_start = true;
            let was_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if was_cr {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
    }

    /// Ends the last line, if it has no end of its own.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
            self.at_line_start = true;
        }
    }

    /// Ends the last line and the message.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        self.end_line(out);
        out.extend_from_slice(b".\r\n");
    }
}

/// The message with every line ended in CRLF, the last one too: what the server will store, and so what
/// must be signed. Borrowed when nothing had to change.
pub fn normalise(message: &[u8]) -> Cow<'_, [u8]> {
    if normalised_len(message) == message.len() {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len() + message.len() / 32 + 2);
    let mut encoder = BodyEncoder {
        stuff_dots: false,
        ..BodyEncoder::new()
    };
    encoder.encode(message, &mut out);
    encoder.end_line(&mut out);
    Cow::Owned(out)
}

/// Length of [`normalise`]'s result: what the SIZE extension counts (RFC 1870 section 5). Equal to the
/// length given only if nothing has to change, since every change adds a byte.
pub(crate) fn normalised_len(message: &[u8]) -> usize {
    let mut len = message.len();
    let mut rest = message;
    while let Some(end) = memchr2(b'\r', b'\n', rest) {
        let pair = rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n');
        if pair {
            rest = &rest[end + 2..];
        } else {
            len += 1;
            rest = &rest[end + 1..];
        }
    }
    if !rest.is_empty() {
        len += 2;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = BodyEncoder::new();
        encoder.encode(message, &mut out);
        encoder.finish(&mut out);
        out
    }

    /// What a server does: split at CRLF, stop at the lone dot, take off one leading dot.
    fn decoded(wire: &[u8]) -> Vec<u8> {
        let text = wire
            .strip_suffix(b".\r\n")
            .expect("ends with the final dot");
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest
                .windows(2)
                .position(|pair| pair == b"\r\n")
                .expect("every line ends in CRLF");
            let line = &rest[..end];
            assert_ne!(line, b".", "a lone dot inside the message");
            assert!(
                !line.contains(&b'\r') && !line.contains(&b'\n'),
                "a bare line end on the wire"
            );
            out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            out.extend_from_slice(b"\r\n");
            rest = &rest[end + 2..];
        }
        out
    }

    #[test]
    fn examples() {
        for (message, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a\nb\rc\r\nd", b"a\r\nb\r\nc\r\nd\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n.\r\n", b"..\r\n..\r\n.\r\n"),
            (b"a\r\n..b", b"a\r\n...b\r\n.\r\n"),
            (b"a.b\n.c", b"a.b\r\n..c\r\n.\r\n"),
            // Ways to end the message early that real servers fell for.
            (
                b"x\n.\nMAIL FROM:<e@vil>\n",
                b"x\r\n..\r\nMAIL FROM:<e@vil>\r\n.\r\n",
            ),
            (b"x\r.\rQ", b"x\r\n..\r\nQ\r\n.\r\n"),
            (b"x\r\n.\rQ", b"x\r\n..\r\nQ\r\n.\r\n"),
            (b"\r\r\n", b"\r\n\r\n.\r\n"),
        ] {
            assert_eq!(
                encoded(message),
                wire,
                "{:?}",
                String::from_utf8_lossy(message)
            );
        }
    }

    proptest! {
        #[test]
        fn what_the_server_stores_is_the_normalised_message(
            message in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
        ) {
            let stored = decoded(&encoded(&message));
            prop_assert_eq!(&stored, &normalise(&message).into_owned());
            prop_assert_eq!(stored.len(), normalised_len(&message));
            prop_assert_eq!(&normalise(&stored).into_owned(), &stored);
        }

        #[test]
        fn pieces_make_the_same_bytes_as_the_whole(
            message in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'x')], 0..60),
            piece in 1usize..7,
        ) {
            let mut out = Vec::new();
            let mut encoder = BodyEncoder::new();
            for part in message.chunks(piece) {
                encoder.encode(part, &mut out);
            }
            encoder.finish(&mut out);
            prop_assert_eq!(out, encoded(&message));
        }
    }
}
