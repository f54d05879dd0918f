//! Structured references of creditors, which carry their own proof: ISO 11649 (`RF18 5390 ...`) and the Swiss
//! QR reference of 27 digits.
//!
//! **Absent:** national forms without a check digit: they are texts as any other.

/// Characters of an ISO 11649 reference.
const RF_CHARS_MAX: usize = 25;
/// Digits of a Swiss QR reference.
const QRR_DIGITS: usize = 27;
/// Steps of the recursive check of a QR reference: modulo 10, as its specification lists them.
const CARRY: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];

/// A reference that its check digits prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// ISO 11649: what follows the check digits, in lower case, without zeroes before it.
    Creditor(String),
    /// Swiss: its digits but for the last, without zeroes before them.
    Swiss(String),
}

impl Reference {
    /// Reads a reference, however it is grouped; none where its check digits do not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '/'))
            .take(QRR_DIGITS + 1)
            .collect::<String>()
            .to_ascii_uppercase();
        if !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let trimmed = |body: &str| {
            let body = body.trim_start_matches('0').to_ascii_lowercase();
            (!body.is_empty()).then_some(body)
        };
        if let Some(rest) = plain.strip_prefix("RF") {
            let (check, body) = rest.split_at_checked(2)?;
            let is_whole = !body.is_empty() && plain.len() <= RF_CHARS_MAX;
            let digits = check.bytes().all(|byte| byte.is_ascii_digit());
            return (is_whole && digits && modulo_97(&format!("{body}RF{check}")) == Some(1))
                .then(|| trimmed(body).map(Self::Creditor))
                .flatten();
        }
        if plain.len() == QRR_DIGITS && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            let (body, check) = plain.split_at(QRR_DIGITS - 1);
            let carry = body.bytes().fold(0_u8, |carry, byte| {
                let at = usize::from((carry + (byte - b'0')) % 10);
                CARRY[at]
            });
            let expected = (10 - carry) % 10;
            return (check.as_bytes() == [b'0' + expected])
                .then(|| trimmed(body).map(Self::Swiss))
                .flatten();
        }
        None
    }

    /// What the creditor put into it.
    pub fn body(&self) -> &str {
        match self {
            Self::Creditor(body) | Self::Swiss(body) => body,
        }
    }

    /// The first reference of a text that proves itself: `RF18 5390 0754 7034` inside of a sentence.
    pub fn find(text: &str) -> Option<Self> {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '+'))
            .filter(|word| !word.is_empty())
            .take(WORDS_MAX)
            .collect();
        for (at, word) in words.iter().enumerate() {
            let starts = word
                .get(..2)
                .is_some_and(|head| head.eq_ignore_ascii_case("rf"))
                || word.bytes().all(|byte| byte.is_ascii_digit());
            if !starts {
                continue;
            }
            let mut joined = String::new();
            let mut found = None;
            for word in words.iter().skip(at).take(GROUPS_MAX) {
                joined.push_str(word);
                if joined.len() > QRR_DIGITS + 4 {
                    break;
                }
                // The longest that proves itself.
                found = Self::parse(&joined).or(found);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// Words of a text that are looked at.
const WORDS_MAX: usize = 300;
/// Groups that a reference is written in.
const GROUPS_MAX: usize = 10;

/// ISO 7064 modulo 97-10 of letters and digits.
fn modulo_97(text: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |rest, c| {
        let value = c.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % 97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_prove_themselves() {
        let creditor = |body: &str| Some(Reference::Creditor(body.to_owned()));
        assert_eq!(
            Reference::parse("RF18 5390 0754 7034"),
            creditor("539007547034")
        );
        assert_eq!(
            Reference::parse("rf18539007547034"),
            creditor("539007547034")
        );
        assert_eq!(Reference::parse("RF19 5390 0754 7034"), None);
        assert_eq!(
            Reference::parse("21 00000 00003 13947 14300 09017"),
            Some(Reference::Swiss("21000000000313947143000901".to_owned()))
        );
        assert_eq!(Reference::parse("21 00000 00003 13947 14300 09018"), None);
        assert_eq!(Reference::parse(""), None);
        assert_eq!(Reference::parse("RF"), None);
        assert_eq!(Reference::parse("RFé1"), None);
        assert_eq!(
            Reference::find("Zahlung RF18 5390 0754 7034, danke"),
            creditor("539007547034")
        );
        assert_eq!(Reference::find("RFQ 12 for 5390"), None);
    }
}
