//! Money as banks write it: exact, to the ten-thousandth, with a sign.
//!
//! **Absent:** currencies, rounding: what does not fit is refused.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// Parts of a unit that amounts are kept in.
pub const PARTS: i64 = 10_000;
/// The largest amount: a million million.
pub const UNITS_MAX: i64 = 1_000_000_000_000;
/// Parts that a floating number keeps exactly when it is written and read: fifteen digits.
const FLOAT_PARTS_MAX: i64 = 1_000_000_000_000_000;
/// Digits after the decimal sign that are kept.
const FRACTION_DIGITS: usize = 4;

/// An amount in ten-thousandths of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From ten-thousandths; none where it is too large.
    pub const fn of_parts(parts: i64) -> Option<Self> {
        if parts.unsigned_abs() <= (UNITS_MAX * PARTS).unsigned_abs() {
            Some(Self(parts))
        } else {
            None
        }
    }

    /// Whole units.
    pub const fn of_units(units: i64) -> Option<Self> {
        match units.checked_mul(PARTS) {
            Some(parts) => Self::of_parts(parts),
            None => None,
        }
    }

    /// Reads a plain decimal number: `-1234.5`. Digits beyond the ten-thousandth must be zeroes.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = whole.trim_start_matches('0');
        let is_empty = digits.trim_start_matches('.').is_empty();
        if is_empty || whole.len() > 13 || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        if fraction
            .bytes()
            .skip(FRACTION_DIGITS)
            .any(|byte| byte != b'0')
        {
            return None;
        }
        let units: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let mut parts = 0;
        for at in 0..FRACTION_DIGITS {
            let digit = fraction.as_bytes().get(at).map_or(0, |byte| byte - b'0');
            parts = parts * 10 + i64::from(digit);
        }
        let all = units.checked_mul(PARTS)?.checked_add(parts)?;
        Self::of_parts(if is_negative { -all } else { all })
    }

    /// In ten-thousandths.
    pub const fn parts(self) -> i64 {
        self.0
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// As a JSON number: whole ones without a fraction; as a text where a number would not keep all digits.
    pub fn number(self) -> serde_json::Value {
        if self.0 % PARTS == 0 {
            return serde_json::Value::from(self.0 / PARTS);
        }
        if self.0.abs() >= FLOAT_PARTS_MAX {
            return serde_json::Value::from(self.to_string());
        }
        let number: f64 = self.to_string().parse().unwrap_or_default();
        serde_json::Value::from(number)
    }

    /// From a field of a document: a number or a text of one.
    pub fn of_value(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(number) => Self::parse(&number.to_string()),
            serde_json::Value::String(text) => Self::parse(text),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => None,
        }
    }
}

// Sums of what is read from bodies of any age stay within the type whatever they hold.
impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let parts = self.0.unsigned_abs();
        let (units, rest) = (parts / 10_000, parts % 10_000);
        if rest == 0 {
            return write!(f, "{sign}{units}");
        }
        let rest = format!("{rest:04}");
        write!(f, "{sign}{units}.{}", rest.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, shown) in [
            ("0", Some("0")),
            ("1000.00", Some("1000")),
            ("-12.345", Some("-12.345")),
            (".5", Some("0.5")),
            ("7.", Some("7")),
            ("1.00010", Some("1.0001")),
            ("1.00001", None),
            ("1,5", None),
            ("", None),
            (".", None),
            ("-", None),
            ("1000000000000", Some("1000000000000")),
            ("1000000000000.01", None),
            ("99999999999999999999", None),
        ] {
            let read = Amount::parse(text).map(|amount| amount.to_string());
            assert_eq!(read.as_deref(), shown, "{text:?}");
        }
        assert_eq!(
            Amount::parse("118000.5").map(Amount::number),
            Some(118_000.5.into())
        );
        assert_eq!(Amount::parse("7.0").map(Amount::number), Some(7.into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(parts in -UNITS_MAX * PARTS..=UNITS_MAX * PARTS) {
            let amount = Amount::of_parts(parts).expect("in range");
            prop_assert_eq!(Amount::parse(&amount.to_string()), Some(amount));
            prop_assert_eq!(Amount::of_value(&amount.number()), Some(amount));
        }
    }
}
