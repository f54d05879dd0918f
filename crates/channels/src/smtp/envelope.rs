//! Who the message is from and to, on the wire. Checked once, here, so that no address can carry a command.
//!
//! **Absent:** whether an address exists or is well-formed in every detail of RFC 5321; the server says that.

use std::fmt;

/// Recipients of one message (RFC 5321 section 4.5.3.1.8 obliges servers to take a hundred).
pub const RECIPIENTS_MAX: usize = 100;
/// Bytes of one address (RFC 5321 section 4.5.3.1.3, without the angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// A checked envelope. Every address has a local part and a domain and holds no control character, white
/// space or angle bracket.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    from: String,
    to: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    #[error(
        "envelope.from: not an address that SMTP can carry; give local-part@domain, or nothing for a bounce"
    )]
    FromInvalid,
    #[error("envelope.to[{index}]: not an address that SMTP can carry; give local-part@domain")]
    ToInvalid { index: usize },
    #[error("envelope.to: no recipient; give at least one")]
    ToEmpty,
    #[error("envelope.to: {count} recipients, at most {RECIPIENTS_MAX}; split the message")]
    ToTooMany { count: usize },
}

impl Envelope {
    /// An empty `from` is the null sender `<>`.
    pub fn new(from: impl Into<String>, to: Vec<String>) -> Result<Self, EnvelopeProblem> {
        let from = from.into();
        if !from.is_empty() && !is_address(&from) {
            return Err(EnvelopeProblem::FromInvalid);
        }
        if to.is_empty() {
            return Err(EnvelopeProblem::ToEmpty);
        }
        if to.len() > RECIPIENTS_MAX {
            return Err(EnvelopeProblem::ToTooMany { count: to.len() });
        }
        if let Some(index) = to.iter().position(|address| !is_address(address)) {
            return Err(EnvelopeProblem::ToInvalid { index });
        }
        Ok(Self { from, to })
    }

    pub fn from(&self) -> &str {
        &self.from
    }

    pub fn to(&self) -> &[String] {
        &self.to
    }

    /// True when an address is not ASCII, so that the server must offer SMTPUTF8 (RFC 6531).
    pub fn needs_utf8(&self) -> bool {
        !self.from.is_ascii() || self.to.iter().any(|address| !address.is_ascii())
    }
}

/// Addresses are personal data and stay out of logs.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("recipients", &self.to.len())
            .finish_non_exhaustive()
    }
}

fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    address.len() <= ADDRESS_BYTES_MAX
        && !local.is_empty()
        && !domain.is_empty()
        && !address
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '<' || c == '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_carry_a_command() {
        for bad in [
            "a@b\r\nRCPT TO:<c@d>",
            "a@b>\u{85}RSET",
            "a@b> SIZE=1",
            "<a@b>",
            "a b@c",
            "a\u{2028}@b",
            "a\0@b",
            "a",
            "@b",
            "a@",
            "",
        ] {
            assert!(
                Envelope::new("ok@example.com", vec![bad.into()]).is_err(),
                "{bad:?} passed as recipient"
            );
            if !bad.is_empty() {
                assert!(
                    Envelope::new(bad, vec!["ok@example.com".into()]).is_err(),
                    "{bad:?} passed as sender"
                );
            }
        }
    }

    #[test]
    fn ordinary_odd_addresses_pass() {
        for good in [
            "a@b",
            "a+b.c@example.com",
            "o'brien@example.ie",
            "\"a@b\"@c.example",
            "почта@пример.рф",
        ] {
            let envelope = Envelope::new("", vec![good.into()]).expect(good);
            assert_eq!(envelope.needs_utf8(), !good.is_ascii());
        }
    }

    #[test]
    fn limits_hold() {
        let one = "a@example.com".to_owned();
        assert_eq!(Envelope::new("", vec![]), Err(EnvelopeProblem::ToEmpty));
        assert_eq!(
            Envelope::new("", vec![one.clone(); RECIPIENTS_MAX + 1]),
            Err(EnvelopeProblem::ToTooMany { count: 101 })
        );
        assert!(Envelope::new("", vec![one; RECIPIENTS_MAX]).is_ok());
        let long = format!("{}@b", "a".repeat(ADDRESS_BYTES_MAX));
        assert_eq!(
            Envelope::new("", vec![long]),
            Err(EnvelopeProblem::ToInvalid { index: 0 })
        );
    }

    #[test]
    fn debug_shows_no_address() {
        let envelope = Envelope::new("sender@example.com", vec!["ana@example.com".into()]).unwrap();
        assert!(!format!("{envelope:?}").contains('@'));
    }
}
