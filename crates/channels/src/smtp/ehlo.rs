//! What a server says it can do, from its reply to EHLO.
//!
//! Each line is judged alone: a keyword that the parser does not know, or finds malformed, costs that
//! keyword and no other.

use smtp_proto::{
    AUTH_LOGIN, AUTH_OAUTHBEARER, AUTH_PLAIN, AUTH_XOAUTH2, EXT_8BIT_MIME, EXT_PIPELINING,
    EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse,
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) pipelining: bool,
    pub(crate) eight_bit_mime: bool,
    pub(crate) smtp_utf8: bool,
    pub(crate) start_tls: bool,
    /// The largest message, where the server names a limit.
    pub(crate) size_max: Option<usize>,
    /// The server takes a SIZE parameter (RFC 1870), with or without a limit.
    pub(crate) size: bool,
    pub(crate) auth_plain: bool,
    pub(crate) auth_login: bool,
    pub(crate) auth_xoauth2: bool,
    pub(crate) auth_oauthbearer: bool,
}

impl Capabilities {
    /// `text` is the reply's text: the greeting line, then one keyword line each.
    pub(crate) fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.split('\n').skip(1) {
            found.add(line);
        }
        found
    }

    fn add(&mut self, line: &str) {
        // Written before RFC 2554 by servers for old clients; some offer nothing else.
        let line = match line.split_at_checked(5) {
            Some((key, rest)) if key.eq_ignore_ascii_case("AUTH=") => format!("AUTH {rest}"),
            Some(_) | None => line.to_owned(),
        };
        let alone = format!("250-x\r\n250 {line}\r\n");
        let Ok(parsed) = EhloResponse::parse(&mut alone.as_bytes().iter()) else {
            return;
        };
        self.pipelining |= parsed.has_capability(EXT_PIPELINING);
        self.eight_bit_mime |= parsed.has_capability(EXT_8BIT_MIME);
        self.smtp_utf8 |= parsed.has_capability(EXT_SMTP_UTF8);
        self.start_tls |= parsed.has_capability(EXT_START_TLS);
        if parsed.has_capability(EXT_SIZE) {
            self.size = true;
            // Zero is "no fixed limit".
            self.size_max = (parsed.size > 0).then_some(parsed.size);
        }
        self.auth_plain |= parsed.auth_mechanisms & AUTH_PLAIN != 0;
        self.auth_login |= parsed.auth_mechanisms & AUTH_LOGIN != 0;
        self.auth_xoauth2 |= parsed.auth_mechanisms & AUTH_XOAUTH2 != 0;
        self.auth_oauthbearer |= parsed.auth_mechanisms & AUTH_OAUTHBEARER != 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gmail_postfix_and_exchange() {
        let gmail = "smtp.gmail.com at your service, [192.0.2.1]\nSIZE 35882577\n8BITMIME\nAUTH LOGIN PLAIN XOAUTH2 \
                     PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\nENHANCEDSTATUSCODES\nPIPELINING\nCHUNKING\nSMTPUTF8";
        assert_eq!(
            Capabilities::parse(gmail),
            Capabilities {
                pipelining: true,
                eight_bit_mime: true,
                smtp_utf8: true,
                start_tls: false,
                size_max: Some(35_882_577),
                size: true,
                auth_plain: true,
                auth_login: true,
                auth_xoauth2: true,
                auth_oauthbearer: true,
            }
        );
        let postfix = Capabilities::parse(
            "mail.example.com\nPIPELINING\nSIZE\nVRFY\nETRN\nSTARTTLS\nAUTH=PLAIN LOGIN\n8BITMIME\nDSN",
        );
        assert!(
            postfix.pipelining
                && postfix.start_tls
                && postfix.auth_plain
                && postfix.auth_login
                && postfix.size
        );
        assert_eq!(postfix.size_max, None);
        let exchange = Capabilities::parse(
            "x Hello [1.2.3.4]\nsize 157286400\npipelining\nDSN\nX-EXPS GSSAPI NTLM\nAUTH LOGIN XOAUTH2\nXRDST",
        );
        assert!(
            exchange.pipelining
                && exchange.auth_login
                && exchange.auth_xoauth2
                && !exchange.auth_plain
        );
    }

    #[test]
    fn a_bad_line_costs_only_itself() {
        let found = Capabilities::parse(
            "x\nFUTURERELEASE soon tomorrow\nSIZE many\nMT-PRIORITY \u{1}\nAUTH\n\nÜ\nAUTH NONSENSE PLAIN\nPIPELINING",
        );
        assert!(found.pipelining && found.auth_plain && found.size);
        assert_eq!(found.size_max, None);
    }

    #[test]
    fn the_greeting_is_not_a_keyword() {
        assert_eq!(Capabilities::parse("STARTTLS"), Capabilities::default());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", keyword in "(SIZE|AUTH|DELIVERBY|FUTURERELEASE|MT-PRIORITY) [ -~]{0,30}") {
            let _ = Capabilities::parse(&format!("x\n{text}\n{keyword}"));
        }
    }
}
