//! One writing for an e-mail address, whoever told of it: an import, a call, a mailbox, a list, a person.
//!
//! Letters in lower case; the domain in ASCII (IDNA), as it stands on an envelope. People are shown the domain in its own
//! script. **Absent:** whether it is an address at all (`relance_wire::address`): whatever comes has a normal form.

use std::borrow::Cow;

/// Bytes of a domain that is looked at; a longer one exists nowhere and is left as it is.
const DOMAIN_BYTES_MAX: usize = 1_020;

/// The normal form of an address.
///
/// ```
/// use relance_core::address::normal;
/// assert_eq!(normal(" Anna@Почта.РФ"), "anna@xn--80a1acny.xn--p1ai");
/// assert_eq!(normal("anna@XN--80A1ACNY.xn--p1ai"), "anna@xn--80a1acny.xn--p1ai");
/// ```
pub fn normal(address: &str) -> String {
    let address = address.trim();
    if address.is_ascii() {
        return address.to_ascii_lowercase();
    }
    // Japanese keyboards have an @ of their own.
    let parts = address.rsplit_once(['@', '＠']);
    match parts {
        Some((local, domain)) => format!("{}@{}", local.to_lowercase(), normal_domain(domain)),
        None => address.to_lowercase(),
    }
}

/// The normal form of a domain.
pub fn normal_domain(domain: &str) -> String {
    let domain = domain.trim();
    if domain.is_ascii() || domain.len() > DOMAIN_BYTES_MAX {
        return domain.to_lowercase();
    }
    match idna::domain_to_ascii(domain) {
        Ok(ascii) if !ascii.is_empty() => ascii,
        Ok(_) | Err(_) => domain.to_lowercase(),
    }
}

/// An address as people read it: the domain in its own script.
pub fn shown(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((local, domain)) if domain.contains("xn--") && domain.len() <= DOMAIN_BYTES_MAX => {
            let (domain, read) = idna::domain_to_unicode(domain);
            match read {
                Ok(()) => format!("{local}@{domain}").into(),
                Err(_) => address.into(),
            }
        }
        Some(_) | None => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_normal_form_however_it_is_written() {
        for (written, expected) in [
            ("Ana.Petrova@Shop.TEST ", "ana.petrova@shop.test"),
            ("anna@почта.рф", "anna@xn--80a1acny.xn--p1ai"),
            ("Anna@ПОЧТА.РФ", "anna@xn--80a1acny.xn--p1ai"),
            ("anna@xn--80a1acny.xn--p1ai", "anna@xn--80a1acny.xn--p1ai"),
            ("anna@XN--80A1ACNY.XN--P1AI", "anna@xn--80a1acny.xn--p1ai"),
            ("taro＠ｓｈｏｐ．ｔｅｓｔ", "taro@shop.test"),
            ("ana@bücher.example", "ana@xn--bcher-kva.example"),
            // The same letters in another composition.
            ("ana@bu\u{308}cher.example", "ana@xn--bcher-kva.example"),
            ("Анна@shop.test", "анна@shop.test"),
            ("ана", "ана"),
            ("", ""),
            ("@", "@"),
            ("ана@", "ана@"),
        ] {
            assert_eq!(normal(written), expected, "{written}");
            assert_eq!(normal(&normal(written)), expected, "{written}, again");
        }
    }

    #[test]
    fn what_is_no_domain_stays_as_it_is() {
        for written in ["ana@\u{202e}é", "ana@-é-.--", "ana@é..é", "ana@é é"] {
            let once = normal(written);
            assert_eq!(normal(&once), once, "{written}");
        }
        let long = format!("ana@{}", "é.".repeat(10_000));
        assert_eq!(normal(&long), long);
    }

    #[test]
    fn people_read_their_own_script() {
        assert_eq!(shown("anna@xn--80a1acny.xn--p1ai"), "anna@почта.рф");
        assert_eq!(shown("ana@shop.test"), "ana@shop.test");
        assert_eq!(shown("ana@xn--\u{1}.test"), "ana@xn--\u{1}.test");
        assert_eq!(shown("xn--80a1acny"), "xn--80a1acny");
    }
}
