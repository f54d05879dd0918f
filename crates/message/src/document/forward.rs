//! A mail that passes on another: whose the other is decides whether its document is ours.
//!
//! **Absent:** who is one of us; words of any language, which are data.

use super::rules::{DocumentRules, folded};

/// Prefixes of a subject that are looked through: "Re: Fwd: ...".
const PREFIXES_MAX: usize = 10;
/// Lines in which the author of the inner mail is looked for.
const LINES_MAX: usize = 400;
/// Bytes of such a line.
const LINE_BYTES_MAX: usize = 400;

/// What is known of the mail inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Who wrote it, in lower case, where that is told.
    pub from: Option<String>,
}

/// Whether a mail passes on another. `text` is the whole body, quotation included.
pub fn forwarded(subject: &str, text: &str, rules: &DocumentRules) -> Option<Forwarded> {
    let low = folded(subject);
    let mut rest = low.trim_start();
    let mut is_forward = false;
    for _ in 0..PREFIXES_MAX {
        let starts = |prefixes: &[String]| {
            prefixes
                .iter()
                .find_map(|prefix| rest.strip_prefix(prefix.as_str()))
        };
        if let Some(after) = starts(&rules.forward_prefixes) {
            is_forward = true;
            rest = after.trim_start();
        } else if let Some(after) = starts(&rules.reply_prefixes) {
            rest = after.trim_start();
        } else {
            break;
        }
    }
    is_forward.then(|| Forwarded {
        from: text
            .lines()
            .take(LINES_MAX)
            .find_map(|line| author(line, rules)),
    })
}

/// The address in a line that names who wrote the inner mail.
fn author(line: &str, rules: &DocumentRules) -> Option<String> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let low = folded(line);
    let low = low.trim_start_matches(['>', ' ', '*', '\t', '\u{feff}']);
    let named = rules.forward_authors.iter().any(|word| {
        low.strip_prefix(word.as_str())
            .is_some_and(|rest| rest.trim_start_matches(['*', ' ']).starts_with([':', '：']))
    });
    if !named {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'' | '&');
    let at = low.find('@')?;
    let start = low[..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map(|(place, _)| place)?;
    let domain: &str = &low[at + 1..];
    let end = domain
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(domain.len());
    let domain = domain[..end].trim_end_matches('.');
    domain
        .contains('.')
        .then(|| format!("{}@{domain}", &low[start..at]))
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::SHIPPED;
    use super::*;

    #[test]
    fn the_author_of_what_is_passed_on() {
        let rules = DocumentRules::from_toml(SHIPPED).unwrap();
        let from = |subject: &str, text: &str| {
            forwarded(subject, text, &rules).map(|inner| inner.from.unwrap_or_default())
        };
        assert_eq!(
            from(
                "Fwd: Invoice 7",
                "FYI\n---------- Forwarded message ---------\nFrom: Acme <Billing@Acme.test>\nTo: x"
            ),
            Some("billing@acme.test".to_owned())
        );
        assert_eq!(
            from(
                "RE: FW: Счет",
                "-----Исходное сообщение-----\n> От: Бухгалтерия [mailto:books@shop.test]\n"
            ),
            Some("books@shop.test".to_owned())
        );
        assert_eq!(from("Пересл: счет", "см. вложение"), Some(String::new()));
        assert_eq!(
            from("転送: 請求書", "差出人：山田 <y@client.test>"),
            Some("y@client.test".to_owned())
        );
        assert_eq!(
            from("Re: Invoice 7", "From: Acme <billing@acme.test>"),
            None
        );
        assert_eq!(from("Forward pricing", "From: a@b.test"), None);
    }
}
