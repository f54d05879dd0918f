//! E-mail addresses as people type them: right or wrong, and of what sort.
//!
//! The syntax is that of RFC 5321 section 4.1.2 with its limits (4.5.3.1), the domain a name of the public
//! internet, in any script (IDNA). An address that is returned can be written on an envelope as it is.
//!
//! **Absent:** address literals and one-word domains, to which nobody sends a follow-up; local parts beyond
//! ASCII, which need SMTPUTF8 all along the way; whether the mailbox exists.

use std::sync::LazyLock;

/// Bytes of an address (RFC 5321: a path of 256 with its angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;
/// Bytes before the `@`.
pub const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of a domain.
const DOMAIN_BYTES_MAX: usize = 253;
/// Bytes of one label of a domain.
const LABEL_BYTES_MAX: usize = 63;

const DISPOSABLE: &str = include_str!("../../../assets/import/disposable.txt");
const FREE_MAIL: &str = include_str!("../../../assets/import/free-mail.txt");

static DISPOSABLE_DOMAINS: LazyLock<Vec<&'static str>> = LazyLock::new(|| lines(DISPOSABLE));
static FREE_MAIL_DOMAINS: LazyLock<Vec<&'static str>> = LazyLock::new(|| lines(FREE_MAIL));

/// Local parts that are offices rather than persons (RFC 2142 and common use), in order.
const ROLES: [&str; 45] = [
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "buh",
    "contact",
    "contacts",
    "customerservice",
    "enquiries",
    "feedback",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "inquiry",
    "invoices",
    "it",
    "jobs",
    "legal",
    "mail",
    "mailer-daemon",
    "marketing",
    "news",
    "newsletter",
    "no-reply",
    "noc",
    "noreply",
    "office",
    "orders",
    "postmaster",
    "press",
    "privacy",
    "root",
    "sales",
    "security",
    "service",
    "shop",
    "support",
    "team",
    "webmaster",
    "zakaz",
];

/// A right address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As it goes on an envelope: the domain in lower case and ASCII (`xn--...`).
    pub text: String,
    /// As people read it: the domain in its own script.
    pub shown: String,
    /// An office (`info@`, `support@`), not a person.
    pub role: bool,
    /// A mailbox that is thrown away.
    pub disposable: bool,
    /// At a provider where anybody opens a mailbox.
    pub free_mail: bool,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// Nothing there.
    #[error("the address is empty; leave the field out")]
    Empty,
    /// Longer than an envelope takes.
    #[error("the address has more than {ADDRESS_BYTES_MAX} bytes; shorten it")]
    TooLong,
    /// No `@`, or nothing on one side of it.
    #[error("an address has a name, one @ and a domain; write name@example.com")]
    NoAt,
    /// Two addresses, or blanks inside.
    #[error("the text holds more than one address, or a blank; write one address")]
    Several,
    /// Longer than a mail server takes.
    #[error("the part before @ has more than {LOCAL_BYTES_MAX} bytes; shorten it")]
    LocalTooLong,
    /// Letters beyond ASCII before the `@`.
    #[error("the part before @ holds letters that mail servers do not take; use a-z and 0-9")]
    LocalNotAscii,
    /// A dot at an end, two dots, a character that is not allowed.
    #[error("the part before @ is not allowed as it is; check dots and special characters")]
    LocalSyntax,
    /// No dot in the domain, or an address of a machine.
    #[error("the domain is not one of the public internet; write one such as example.com")]
    DomainNotPublic,
    /// A label or the whole is too long or empty, or holds what domains do not.
    #[error("the domain is not a name that can exist; check its spelling")]
    DomainSyntax,
}

impl AddressProblem {
    /// A short stable code for counting.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "email_empty",
            Self::TooLong => "email_too_long",
            Self::NoAt => "email_no_at",
            Self::Several => "email_several",
            Self::LocalTooLong => "email_local_too_long",
            Self::LocalNotAscii => "email_local_not_ascii",
            Self::LocalSyntax => "email_local_syntax",
            Self::DomainNotPublic => "email_domain_not_public",
            Self::DomainSyntax => "email_domain_syntax",
        }
    }
}

/// Checks an address and says of what sort it is. Blanks around it, angle brackets and `mailto:` are left out.
///
/// # Errors
/// What is wrong with it; see [`AddressProblem`].
pub fn check(address: &str) -> Result<Address, AddressProblem> {
    let text = bare(address);
    if text.is_empty() {
        return Err(AddressProblem::Empty);
    }
    // A domain in another script may be longer than it is in ASCII, but not by much.
    if text.len() > 4 * ADDRESS_BYTES_MAX {
        return Err(AddressProblem::TooLong);
    }
    let (local, domain) = match text.strip_prefix('"') {
        Some(_) => text.rsplit_once('@').ok_or(AddressProblem::NoAt)?,
        None => {
            // "Full-width" signs come from Japanese keyboards.
            let (local, domain) = text.split_once(['@', '＠']).ok_or(AddressProblem::NoAt)?;
            if domain.contains(['@', '＠', ',', ';', ' ']) {
                return Err(AddressProblem::Several);
            }
            (local, domain)
        }
    };
    if local.is_empty() || domain.is_empty() {
        return Err(AddressProblem::NoAt);
    }
    check_local(local)?;
    let ascii = ascii_domain(domain)?;
    let mut whole = String::with_capacity(local.len() + 1 + ascii.len());
    whole.push_str(local);
    whole.push('@');
    whole.push_str(&ascii);
    if whole.len() > ADDRESS_BYTES_MAX {
        return Err(AddressProblem::TooLong);
    }
    let shown = if ascii.contains("xn--") {
        format!("{local}@{}", idna::domain_to_unicode(&ascii).0)
    } else {
        whole.clone()
    };
    Ok(Address {
        role: is_role(local),
        disposable: is_listed(&DISPOSABLE_DOMAINS, &ascii),
        free_mail: is_listed(&FREE_MAIL_DOMAINS, &ascii),
        text: whole,
        shown,
    })
}

/// Whether a text is meant as an address, right or wrong.
pub fn looks_like(text: &str) -> bool {
    let text = text.trim();
    text.len() <= ADDRESS_BYTES_MAX
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.contains('.')
                && !text.contains(char::is_whitespace)
        })
}

fn bare(text: &str) -> &str {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &text[7..],
        Some(_) | None => text,
    };
    text.strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(text)
}

/// RFC 5321: `Dot-string` or `Quoted-string`.
fn check_local(local: &str) -> Result<(), AddressProblem> {
    if local.len() > LOCAL_BYTES_MAX {
        return Err(AddressProblem::LocalTooLong);
    }
    if !local.is_ascii() {
        return Err(AddressProblem::LocalNotAscii);
    }
    let is_right = match local.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').is_some_and(is_quoted_content),
        None if local.contains([' ', ',', ';', '<']) => return Err(AddressProblem::Several),
        None => local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext)),
    };
    if is_right {
        Ok(())
    } else {
        Err(AddressProblem::LocalSyntax)
    }
}

/// `qtextSMTP` and `quoted-pairSMTP`.
fn is_quoted_content(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b' '..=b'~') => {}
                Some(_) | None => return false,
            },
            b'"' => return false,
            b' '..=b'~' => {}
            _control => return false,
        }
    }
    true
}

const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

fn ascii_domain(domain: &str) -> Result<String, AddressProblem> {
    if domain.starts_with('[') || domain.eq_ignore_ascii_case("localhost") {
        return Err(AddressProblem::DomainNotPublic);
    }
    let is_plain = domain.is_ascii()
        && !domain.split('.').any(|label| {
            label
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
        });
    let ascii = if is_plain {
        domain.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_strict(domain).map_err(|_| AddressProblem::DomainSyntax)?
    };
    if ascii.len() > DOMAIN_BYTES_MAX || !ascii.split('.').all(is_label) {
        return Err(AddressProblem::DomainSyntax);
    }
    match ascii.rsplit_once('.') {
        None => Err(AddressProblem::DomainNotPublic),
        // No top-level domain is a number: that is the address of a machine.
        Some((_, top)) if top.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(AddressProblem::DomainNotPublic)
        }
        Some((_, top)) if top.len() < 2 => Err(AddressProblem::DomainSyntax),
        Some(_) => Ok(ascii),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_role(local: &str) -> bool {
    let name = local.split('+').next().unwrap_or(local);
    let name = name.to_ascii_lowercase();
    ROLES.binary_search(&name.as_str()).is_ok()
}

/// The domain, or one that it lies below, down to two labels.
fn is_listed(list: &[&str], domain: &str) -> bool {
    let mut rest = domain;
    loop {
        if list.binary_search(&rest).is_ok() {
            return true;
        }
        match rest.split_once('.') {
            Some((_, parent)) if parent.contains('.') => rest = parent,
            Some(_) | None => return false,
        }
    }
}

fn lines(text: &'static str) -> Vec<&'static str> {
    let kept = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text.lines().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [&*DISPOSABLE_DOMAINS, &*FREE_MAIL_DOMAINS, &ROLES.to_vec()] {
            assert!(
                list.is_sorted(),
                "{:?}",
                list.iter().take(3).collect::<Vec<_>>()
            );
        }
        assert!(DISPOSABLE.len() + FREE_MAIL.len() < 300 * 1024);
    }

    #[test]
    fn right_addresses_take_their_normal_form() {
        for (text, expected) in [
            ("ana@shop.test", "ana@shop.test"),
            (
                "  Ana.Petrova+News@Shop.TEST ",
                "Ana.Petrova+News@shop.test",
            ),
            ("<ana@shop.test>", "ana@shop.test"),
            ("mailto:ana@shop.test", "ana@shop.test"),
            ("анна@shop.test", ""),
            ("anna@почта.рф", "anna@xn--80a1acny.xn--p1ai"),
            ("anna@XN--80A1ACNY.xn--p1ai", "anna@xn--80a1acny.xn--p1ai"),
            ("taro＠ｓｈｏｐ．ｔｅｓｔ", "taro@shop.test"),
            ("\"a b\\\"c\"@shop.test", "\"a b\\\"c\"@shop.test"),
            (
                "o'hara!#$%&*/=?^_`{|}~-@shop.test",
                "o'hara!#$%&*/=?^_`{|}~-@shop.test",
            ),
        ] {
            match check(text) {
                Ok(address) => assert_eq!(address.text, expected),
                Err(problem) => assert!(expected.is_empty(), "{text}: {problem}"),
            }
        }
        assert_eq!(
            check("anna@xn--80a1acny.xn--p1ai").unwrap().shown,
            "anna@почта.рф"
        );
    }

    #[test]
    fn wrong_addresses_say_what_is_wrong() {
        let long_label = format!("a@{}.test", "x".repeat(64));
        let long_local = format!("{}@shop.test", "x".repeat(65));
        let long_domain = format!("a@{}test", "xxxxxxxxx.".repeat(25));
        for (text, expected) in [
            ("", AddressProblem::Empty),
            ("ana", AddressProblem::NoAt),
            ("@shop.test", AddressProblem::NoAt),
            ("ana@", AddressProblem::NoAt),
            ("ana@shop.test, bob@shop.test", AddressProblem::Several),
            ("ana petrova@shop.test", AddressProblem::Several),
            ("a@b@shop.test", AddressProblem::Several),
            (".ana@shop.test", AddressProblem::LocalSyntax),
            ("ana.@shop.test", AddressProblem::LocalSyntax),
            ("a..b@shop.test", AddressProblem::LocalSyntax),
            ("a(b)@shop.test", AddressProblem::LocalSyntax),
            ("\"a\"b\"@shop.test", AddressProblem::LocalSyntax),
            ("анна@shop.test", AddressProblem::LocalNotAscii),
            ("ana@localhost", AddressProblem::DomainNotPublic),
            ("ana@shop", AddressProblem::DomainNotPublic),
            ("ana@[192.0.2.1]", AddressProblem::DomainNotPublic),
            ("ana@192.0.2.1", AddressProblem::DomainNotPublic),
            ("ana@shop..test", AddressProblem::DomainSyntax),
            ("ana@-shop.test", AddressProblem::DomainSyntax),
            ("ana@shop_1.test", AddressProblem::DomainSyntax),
            ("ana@shop.test.", AddressProblem::DomainSyntax),
            (&long_label, AddressProblem::DomainSyntax),
            (&long_local, AddressProblem::LocalTooLong),
            (&long_domain, AddressProblem::DomainSyntax),
        ] {
            assert_eq!(check(text).map(|a| a.text), Err(expected), "{text}");
        }
    }

    #[test]
    fn sorts_are_told() {
        let sorts = |text: &str| {
            let address = check(text).unwrap();
            (address.role, address.disposable, address.free_mail)
        };
        assert_eq!(sorts("info@shop.test"), (true, false, false));
        assert_eq!(sorts("Support+ru@gmail.com"), (true, false, true));
        assert_eq!(sorts("x@mailinator.com"), (false, true, false));
        assert_eq!(sorts("x@deep.mailinator.com"), (false, true, false));
        assert_eq!(sorts("x@yandex.ru"), (false, false, true));
        assert_eq!(sorts("anna@shop.test"), (false, false, false));
    }
}
