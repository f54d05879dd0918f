//! Stands between socket and parser: what no honest server sends never reaches the parser.
//!
//! The parser keeps a whole response in memory, tries an unfinished line again at each read, and
//! recurses into parentheses. So lines, literals, whole responses and nesting are limited here, before
//! memory is taken for them.
//!
//! **Invariant:** framing only; knows no command and no response.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of one line, literals not counted. A search over ten thousand messages fills 110 KB.
const LINE_BYTES_MAX: usize = 512 * 1024;
/// Literals in one response; a fetched message has one or two.
const LITERALS_MAX: u32 = 32;
/// Parentheses open at once outside literals.
const DEPTH_MAX: u32 = 50;

/// A `{123}` seen at what may be the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Announcement {
    None,
    Open { bytes: usize, digits: bool },
    Closed { bytes: usize },
}

/// Follows the line and literal structure of what a server sends.
#[derive(Debug)]
struct Framing {
    literal_bytes_max: usize,
    literal_left: usize,
    literals: u32,
    line_bytes: usize,
    response_bytes: usize,
    depth: u32,
    announcement: Announcement,
}

impl Framing {
    fn new(literal_bytes_max: usize) -> Self {
        Self {
            literal_bytes_max,
            literal_left: 0,
            literals: 0,
            line_bytes: 0,
            response_bytes: 0,
            depth: 0,
            announcement: Announcement::None,
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.literal_left > 0 {
                let skipped = self.literal_left.min(bytes.len());
                self.literal_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let (byte, rest) = (bytes[0], &bytes[1..]);
            bytes = rest;
            self.line_bytes += 1;
            if self.line_bytes > LINE_BYTES_MAX {
                return Err(refuse("line too long"));
            }
            self.announcement = match (self.announcement, byte) {
                (_, b'{') => Announcement::Open {
                    bytes: 0,
                    digits: false,
                },
                (Announcement::Open { bytes, .. }, b'0'..=b'9') => Announcement::Open {
                    bytes: bytes
                        .saturating_mul(10)
                        .saturating_add(usize::from(byte - b'0')),
                    digits: true,
                },
                (
                    Announcement::Open {
                        bytes,
                        digits: true,
                    },
                    b'+',
                ) => Announcement::Open {
                    bytes,
                    digits: true,
                },
                (
                    Announcement::Open {
                        bytes,
                        digits: true,
                    },
                    b'}',
                ) => Announcement::Closed { bytes },
                (Announcement::Closed { bytes }, b'\r') => Announcement::Closed { bytes },
                (Announcement::Closed { bytes }, b'\n') => {
                    self.literal(bytes)?;
                    continue;
                }
                _ => Announcement::None,
            };
            match byte {
                b'(' => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return Err(refuse("answer nested too deep"));
                    }
                }
                b')' => self.depth = self.depth.saturating_sub(1),
                b'\n' => *self = Self::new(self.literal_bytes_max),
                _ => {}
            }
        }
        Ok(())
    }

    fn literal(&mut self, bytes: usize) -> io::Result<()> {
        self.announcement = Announcement::None;
        self.literals += 1;
        self.response_bytes = self.response_bytes.saturating_add(bytes);
        if self.literals > LITERALS_MAX || self.response_bytes > self.literal_bytes_max {
            return Err(refuse("answer too large"));
        }
        self.literal_left = bytes;
        Ok(())
    }
}

fn refuse(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// A stream that fails instead of passing on more than its limits.
#[derive(Debug)]
pub(super) struct Guard<S> {
    inner: S,
    framing: Framing,
}

impl<S> Guard<S> {
    /// `literal_bytes_max` limits all literals of one response together.
    pub(super) fn new(inner: S, literal_bytes_max: usize) -> Self {
        Self {
            inner,
            framing: Framing::new(literal_bytes_max),
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        Poll::Ready(this.framing.feed(&buf.filled()[before..]))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(input: &[u8], pieces: usize) -> io::Result<()> {
        let mut framing = Framing::new(100);
        for piece in input.chunks(pieces) {
            framing.feed(piece)?;
        }
        Ok(())
    }

    #[test]
    fn honest_answers_pass_however_they_are_cut() {
        let input =
            b"* 1 FETCH (UID 3 BODY[] {10}\r\n((((((((( FLAGS (\\Seen))\r\nA1 OK {x} done\r\n";
        for pieces in [1, 2, 3, 7, 1000] {
            feed(input, pieces).expect("an honest answer");
        }
    }

    #[test]
    fn announced_literals_over_the_limit_are_refused_before_they_come() {
        for input in [
            &b"* 1 FETCH (BODY[] {101}\r\n"[..],
            b"* 1 FETCH (BODY[] {99999999999999999999999999}\r\n",
            b"* 1 FETCH (BODY[] {101+}\r\n",
            b"* 1 FETCH (A {60}\r\n012345678901234567890123456789012345678901234567890123456789 B {60}\r\n",
        ] {
            let error = feed(input, 5).expect_err("too large");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn many_small_literals_are_refused() {
        let input = [&b"* 1 FETCH (A"[..], &b" {0}\r\n".repeat(40)].concat();
        assert!(feed(&input, 9).is_err());
    }

    #[test]
    fn deep_nesting_and_endless_lines_are_refused() {
        assert!(feed(&b"(".repeat(51), 8).is_err());
        assert!(feed(&b"x".repeat(LINE_BYTES_MAX + 1), 4096).is_err());
        // A new line starts to count again.
        feed(
            &[b"(".repeat(50), b"\r\n".to_vec(), b"(".repeat(50)].concat(),
            8,
        )
        .expect("two lines");
    }
}
