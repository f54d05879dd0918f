//! An amount of money as its reader writes it: `125 000 ₽`, `$1,250.50`, `125,000円`.
//!
//! **Absent:** conversion between currencies, and amounts in words.

use rust_decimal::{Decimal, RoundingStrategy};

/// Digits of an amount, both sides of the point. Beyond is no money.
const AMOUNT_BYTES_MAX: usize = 32;
/// No-break space: an amount is never torn from its currency.
const NBSP: char = '\u{a0}';

/// Formats an amount given as text; `None` when it is not a number.
pub(super) fn format(amount: &str, currency: &str, language: &str) -> Option<String> {
    let amount = parse(amount)?;
    let currency = currency.trim().to_ascii_uppercase();
    let digits = fraction_digits(&currency);
    let amount = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    let digits = if amount.fract().is_zero() { 0 } else { digits };
    let style = Style::of(language);
    let number = style.number(amount.abs(), digits);
    let sign = if amount.is_sign_negative() && !amount.is_zero() {
        "-"
    } else {
        ""
    };
    let symbol = symbol(&currency, style);
    Some(match (symbol, style) {
        _ if currency.is_empty() => format!("{sign}{number}"),
        (Some(Symbol::Before(symbol)), Style::English | Style::Japanese) => {
            format!("{sign}{symbol}{number}")
        }
        (Some(Symbol::After(symbol)), Style::Japanese) => format!("{sign}{number}{symbol}"),
        (Some(Symbol::Before(symbol) | Symbol::After(symbol)), _) => {
            format!("{sign}{number}{NBSP}{symbol}")
        }
        (None, _) => format!("{sign}{number}{NBSP}{currency}"),
    })
}

/// An amount given as text; `None` when it is not a number.
pub(super) fn parse(amount: &str) -> Option<Decimal> {
    let amount = amount.trim();
    if amount.len() > AMOUNT_BYTES_MAX {
        return None;
    }
    amount
        .parse()
        .or_else(|_| Decimal::from_scientific(amount))
        .ok()
}

/// ISO 4217 minor units, for the currencies that do not have two.
fn fraction_digits(currency: &str) -> u32 {
    match currency {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "XAF" | "XOF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

#[derive(Clone, Copy)]
enum Symbol {
    Before(&'static str),
    After(&'static str),
}

fn symbol(currency: &str, style: Style) -> Option<Symbol> {
    Some(match currency {
        "USD" => Symbol::Before("$"),
        "EUR" => Symbol::Before("€"),
        "GBP" => Symbol::Before("£"),
        "JPY" => match style {
            Style::Japanese => Symbol::After("円"),
            Style::English | Style::Continental { .. } => Symbol::Before("¥"),
        },
        "RUB" => Symbol::After("₽"),
        "UAH" => Symbol::After("₴"),
        "KZT" => Symbol::After("₸"),
        "INR" => Symbol::Before("₹"),
        "KRW" => Symbol::Before("₩"),
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Style {
    English,
    Japanese,
    /// Comma for the fraction; groups parted by this sign.
    Continental {
        group: char,
    },
}

impl Style {
    fn of(language: &str) -> Self {
        match language.split('-').next().unwrap_or_default() {
            "en" => Self::English,
            "ja" | "zh" | "ko" => Self::Japanese,
            "de" | "es" | "it" | "nl" | "pt" | "tr" | "id" => Self::Continental { group: '.' },
            _ => Self::Continental { group: NBSP },
        }
    }

    fn number(self, amount: Decimal, digits: u32) -> String {
        let (group, point) = match self {
            Self::English | Self::Japanese => (',', '.'),
            Self::Continental { group } => (group, ','),
        };
        let plain = format!("{amount:.*}", digits as usize);
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut out = String::with_capacity(plain.len() * 2);
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push(group);
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push(point);
            out.push_str(fraction);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_sees_his_own_way() {
        for (amount, currency, language, expected) in [
            ("125000", "RUB", "ru", "125\u{a0}000\u{a0}₽"),
            ("1250.5", "RUB", "ru", "1\u{a0}250,50\u{a0}₽"),
            ("1250.5", "USD", "en", "$1,250.50"),
            ("-7", "USD", "en-gb", "-$7"),
            ("125000.4", "JPY", "ja", "125,000円"),
            ("125000", "JPY", "en", "¥125,000"),
            ("1234567.891", "EUR", "de", "1.234.567,89\u{a0}€"),
            ("99.999", "CHF", "fr", "100\u{a0}CHF"),
            ("12", "", "en", "12"),
            ("1e3", "usd", "en", "$1,000"),
            ("-0.001", "USD", "en", "$0"),
        ] {
            assert_eq!(
                format(amount, currency, language).as_deref(),
                Some(expected),
                "{amount} {currency} {language}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_no_money() {
        for amount in ["", "abc", "12 000", "NaN", "inf", "1e400", &"9".repeat(60)] {
            assert_eq!(format(amount, "RUB", "ru"), None, "{amount}");
        }
    }
}
