//! Telephone numbers as people write them, to E.164.
//!
//! A number that is returned is one that its country's numbering plan has: length and leading digits were
//! checked. The plans come with the program (libphonenumber's).
//!
//! **Absent:** whether somebody answers there; extensions, which E.164 cannot say and which are left out.

use std::str::FromStr as _;

use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, Region};

/// Characters that are looked at; libphonenumber looks at as many.
pub const PHONE_CHARS_MAX: usize = 250;

/// Why a text is no telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneProblem {
    /// Nothing there.
    #[error("the number is empty; leave the field out")]
    Empty,
    /// Longer than any number.
    #[error("the text has more than {PHONE_CHARS_MAX} characters; write one number")]
    TooLong,
    /// Letters, two numbers, nothing like a number.
    #[error("that is no telephone number; write one such as +7 912 345-67-89")]
    NotANumber,
    /// A spreadsheet rounded it.
    #[error("a spreadsheet rounded the number; format the column as text and export it again")]
    Rounded,
    /// A national number, and nobody said of which country.
    #[error("the number has no country code; write it with +, or name the default country")]
    NoCountry,
    /// The code after `+` is nobody's.
    #[error("no country has this code; check the digits after +")]
    UnknownCode,
    /// The default country is none.
    #[error("the default country is not known; write two letters such as RU, JP or US")]
    UnknownCountry,
    /// Too few digits.
    #[error("the number is too short for its country; check the digits")]
    TooFewDigits,
    /// Too many digits.
    #[error("the number is too long for its country; check the digits")]
    TooManyDigits,
    /// Right length, and no such number.
    #[error("its country has no such numbers; check the first digits")]
    NotInPlan,
}

impl PhoneProblem {
    /// A short stable code for counting.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "phone_empty",
            Self::TooLong => "phone_too_long",
            Self::NotANumber => "phone_not_a_number",
            Self::Rounded => "phone_rounded",
            Self::NoCountry => "phone_no_country",
            Self::UnknownCode => "phone_unknown_code",
            Self::UnknownCountry => "phone_unknown_country",
            Self::TooFewDigits => "phone_too_few_digits",
            Self::TooManyDigits => "phone_too_many_digits",
            Self::NotInPlan => "phone_not_in_plan",
        }
    }
}

/// Whether two letters name a country with telephones (ISO 3166-1).
pub fn is_country(code: &str) -> bool {
    region(code).is_some()
}

fn region(code: &str) -> Option<Region> {
    if code.len() != 2 {
        return None;
    }
    let region = Region::from_str(&code.to_ascii_uppercase()).ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|_| region)
}

/// The number in E.164: `+` and digits. A text without `+` is read as of the default country.
///
/// # Errors
/// What is wrong with it; see [`PhoneProblem`].
pub fn e164(text: &str, default_country: Option<&str>) -> Result<String, PhoneProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(PhoneProblem::Empty);
    }
    if text.len() > PHONE_CHARS_MAX {
        return Err(PhoneProblem::TooLong);
    }
    if is_rounded(text) {
        return Err(PhoneProblem::Rounded);
    }
    if !text.chars().any(char::is_numeric) || is_many(text) {
        return Err(PhoneProblem::NotANumber);
    }
    let default = match default_country {
        Some(code) => Some(region(code).ok_or(PhoneProblem::UnknownCountry)?),
        None => None,
    };
    let is_international = text.starts_with(['+', '＋']);
    let number = PHONE_NUMBER_UTIL
        .parse(text, default)
        .map_err(|error| problem_of(&error, is_international || default.is_some()))?;
    let is_valid = |number: &PhoneNumber| PHONE_NUMBER_UTIL.is_valid_number(number);
    if is_valid(&number) {
        return Ok(written(&number));
    }
    // "8 10 49 30 ..." and "49 30 ..." without their sign: the digits may still be a whole number, when they
    // are none of the default country.
    if !is_international
        && let Ok(whole) = PHONE_NUMBER_UTIL.parse(format!("+{text}"), None)
        && is_valid(&whole)
    {
        return Ok(written(&whole));
    }
    use rlibphonenumber::ValidationError as Why;
    Err(
        match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
            Ok(_) => PhoneProblem::NotInPlan,
            Err(Why::InvalidCountryCode) => PhoneProblem::UnknownCode,
            Err(Why::TooShort) => PhoneProblem::TooFewDigits,
            Err(Why::TooLong | Why::InvalidLength) => PhoneProblem::TooManyDigits,
        },
    )
}

fn written(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL
        .format(number, PhoneNumberFormat::E164)
        .into_owned()
}

fn problem_of(error: &ParseError, has_country: bool) -> PhoneProblem {
    match error {
        ParseError::InvalidCountryCode if has_country => PhoneProblem::UnknownCode,
        ParseError::InvalidCountryCode => PhoneProblem::NoCountry,
        ParseError::NotANumber(_) => PhoneProblem::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneProblem::TooFewDigits,
        ParseError::TooLongNsn => PhoneProblem::TooManyDigits,
    }
}

/// `7.9123E+10`: what a spreadsheet makes of a long number; the digits are gone.
fn is_rounded(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let is_number = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    };
    is_number(digits) && is_number(power.trim_start_matches('+'))
}

/// Two numbers in one cell: which one is meant is not ours to choose.
fn is_many(text: &str) -> bool {
    let digits = |part: &str| part.chars().filter(|c| c.is_numeric()).count();
    text.split([',', ';', '/', '|', '\n'])
        .filter(|part| digits(part) >= 5)
        .count()
        > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn national_numbers_are_read_by_country() {
        for (text, country, expected) in [
            ("8 (912) 345-67-89", Some("RU"), "+79123456789"),
            ("+7 912 345 67 89", None, "+79123456789"),
            ("79123456789", Some("RU"), "+79123456789"),
            ("9123456789", Some("ru"), "+79123456789"),
            ("090-1234-5678", Some("JP"), "+819012345678"),
            ("０９０－１２３４－５６７８", Some("JP"), "+819012345678"),
            ("(415) 555-2671", Some("US"), "+14155552671"),
            ("020 7946 0018", Some("GB"), "+442079460018"),
            ("00 49 30 901820", Some("DE"), "+4930901820"),
            ("+49 30 901820", Some("RU"), "+4930901820"),
            ("8 495 123-45-67 доб. 12", Some("RU"), "+74951234567"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, country, expected) in [
            ("", None, PhoneProblem::Empty),
            ("no", Some("RU"), PhoneProblem::NotANumber),
            ("7.91234E+10", Some("RU"), PhoneProblem::Rounded),
            ("7,91E10", Some("RU"), PhoneProblem::Rounded),
            ("8 912 345-67-89", None, PhoneProblem::NoCountry),
            ("+999 12345678", None, PhoneProblem::UnknownCode),
            ("12345", Some("RU"), PhoneProblem::TooFewDigits),
            ("+1 415 555 2671 00 11", None, PhoneProblem::TooManyDigits),
            ("+7 012 345 67 89", None, PhoneProblem::NotInPlan),
            ("912 345 67 89", Some("XX"), PhoneProblem::UnknownCountry),
            (
                "8 912 345-67-89, 8 495 123-45-67",
                Some("RU"),
                PhoneProblem::NotANumber,
            ),
        ] {
            assert_eq!(e164(text, country), Err(expected), "{text}");
        }
        assert_eq!(
            e164(&"1".repeat(251), Some("RU")),
            Err(PhoneProblem::TooLong)
        );
    }
}
