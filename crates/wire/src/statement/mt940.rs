//! MT940 of SWIFT, and what banks make of its field 86.
//!
//! Field 86 comes in four dialects: the German one (`166?00...?20SVWZ+...?32NAME`, also with another sign than `?`),
//! words between strokes as Dutch and other banks write them (`/NAME/.../REMI/...`), SEPA words in plain text
//! (`EREF+...SVWZ+...`), and plain text. Source: SWIFT's MT940 and the German DFÜ agreement, annex 3.

use jiff::civil::Date;
use relance_core::payment::Amount;

use super::remittance::Gathered;
use super::text;
use super::{ACCOUNTS_MAX, ENTRIES_MAX, Format, Part, Statement, StatementProblem, Why, shown};

/// Characters of a part of the German dialect; a shorter one ends with a break.
const CHUNK_CHARS: usize = 27;
/// Bytes of one field that are read.
const FIELD_BYTES_MAX: usize = 16 * 1024;
/// Words of the SEPA form in field 86.
const SEPA_WORDS: &[&str] = &[
    "EREF", "KREF", "MREF", "CRED", "DEBT", "COAM", "OAMT", "SVWZ", "ABWA", "ABWE", "IBAN", "BIC",
    "PURP", "RREF",
];
/// Words between strokes.
const STROKE_WORDS: &[&str] = &[
    "TRTP", "IBAN", "BIC", "NAME", "REMI", "EREF", "CNTP", "MARF", "CSID", "KREF", "PURP", "ORDP",
    "BENM", "SVCL", "RTRN", "TRCD", "PREF", "NRTX", "SWEF", "ULTD", "ULTC", "ISDT", "OCMT", "CHGS",
    "EXCH", "ID", "ADDR", "USTD",
];

struct Field<'a> {
    line: u64,
    tag: &'a str,
    value: String,
}

/// Cuts the text into fields; lines of a field are joined by a line end.
fn fields(text: &str) -> Vec<Field<'_>> {
    let mut all: Vec<Field<'_>> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut line = line.trim_end_matches('\r');
        // `{1:F01...}{2:...}{4:` before the first field.
        if let Some(at) = line.rfind("{4:") {
            line = &line[at + 3..];
        } else if line.starts_with("{1:") {
            continue;
        }
        let bare = line.trim();
        if bare == "-" || bare == "-}" || bare.starts_with("-}") {
            continue;
        }
        let number = at as u64 + 1;
        if let Some((tag, value)) = tag(line) {
            all.push(Field {
                line: number,
                tag,
                value: value.to_owned(),
            });
        } else if let Some(last) = all.last_mut()
            && last.value.len() + line.len() < FIELD_BYTES_MAX
        {
            last.value.push('\n');
            last.value.push_str(line);
        }
    }
    all
}

/// `:61:` at the beginning of a line.
fn tag(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(':')?;
    let (tag, value) = rest.split_once(':')?;
    let digits = tag.bytes().take_while(u8::is_ascii_digit).count();
    let letters = tag.bytes().skip(2).all(|byte| byte.is_ascii_uppercase());
    ((2..=3).contains(&tag.len()) && digits == 2 && letters).then_some((tag, value))
}

pub(super) fn read(text: &str) -> Result<Statement, StatementProblem> {
    let mut parts: Vec<Part> = Vec::new();
    let mut open: Option<(Gathered, u64)> = None;
    let mut count = 0;
    for field in fields(text) {
        if field.tag != "86" {
            close(&mut parts, &mut open);
        }
        if field.tag == "20" || parts.is_empty() {
            if parts.len() == ACCOUNTS_MAX {
                return Err(Why::TooManyAccounts.at(field.line));
            }
            parts.push(Part::default());
        }
        let Some(part) = parts.last_mut() else {
            continue;
        };
        match field.tag {
            "25" | "25P" => {
                let account = field.value.lines().next().unwrap_or_default();
                part.account = own_account(account);
            }
            "60F" | "60M" => {
                let balance = balance(&field, "field 60")?;
                if part.opening.is_none() {
                    part.opening = Some(balance.amount);
                    part.from = Some(balance.date);
                }
                part.currency = balance.currency;
            }
            "62F" | "62M" => {
                let balance = balance(&field, "field 62")?;
                part.closing = Some(balance.amount);
                part.to = Some(balance.date);
            }
            "61" => {
                count += 1;
                if count > ENTRIES_MAX {
                    return Err(Why::TooManyEntries.at(field.line));
                }
                let mut entry = entry(&field)?;
                entry.currency = part.currency.clone();
                part.sum = part.sum + entry.amount;
                open = Some((entry, field.line));
            }
            "86" => {
                if let Some((entry, _)) = &mut open {
                    describe(entry, &field.value);
                }
                close(&mut parts, &mut open);
            }
            _other => {}
        }
    }
    close(&mut parts, &mut open);
    join_pages(&mut parts);
    Ok(Statement {
        format: Format::Mt940,
        parts,
    })
}

fn close(parts: &mut [Part], open: &mut Option<(Gathered, u64)>) {
    let (Some((entry, _)), Some(part)) = (open.take(), parts.last_mut()) else {
        return;
    };
    match entry.booked {
        Some(booked) if entry.is_kept() => part.payments.push(entry.payment(booked, &part.account)),
        Some(_) | None => part.outgoing += 1,
    }
}

/// Pages of one statement follow each other: a page's opening is the closing of the one before.
fn join_pages(parts: &mut Vec<Part>) {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts.drain(..) {
        match joined.last_mut() {
            Some(last)
                if last.account == part.account
                    && last.currency == part.currency
                    && last.closing.is_some()
                    && last.closing == part.opening =>
            {
                last.closing = part.closing;
                last.to = part.to;
                last.sum = last.sum + part.sum;
                last.outgoing += part.outgoing;
                last.payments.extend(part.payments);
            }
            Some(_) | None => joined.push(part),
        }
    }
    *parts = joined;
}

/// `BLZ/account`, an IBAN, either with the currency behind.
fn own_account(text: &str) -> String {
    let account = text::account(text);
    let is_iban = |text: &str| {
        text.len() >= 15
            && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
            && text
                .bytes()
                .skip(2)
                .take(2)
                .all(|byte| byte.is_ascii_digit())
    };
    if is_iban(&account) {
        // `DE89370400440532013000EUR`.
        let digits = account.trim_end_matches(|c: char| c.is_ascii_uppercase());
        if digits.len() + 3 == account.len() && account.starts_with("DE") {
            return digits.to_owned();
        }
    }
    account
}

struct Balance {
    date: Date,
    currency: String,
    amount: Amount,
}

fn balance(field: &Field<'_>, name: &'static str) -> Result<Balance, StatementProblem> {
    let bad = || {
        let text = shown(&field.value);
        Why::BadLine { field: name, text }.at(field.line)
    };
    let line = field.value.lines().next().unwrap_or_default().trim();
    let (sign, rest) = line.split_at_checked(1).ok_or_else(bad)?;
    let (date, rest) = rest.split_at_checked(6).ok_or_else(bad)?;
    let (currency, amount) = rest.split_at_checked(3).ok_or_else(bad)?;
    let date = short_date(date).ok_or_else(bad)?;
    let amount = comma_amount(amount).ok_or_else(bad)?;
    let amount = match sign {
        "C" => amount,
        "D" => -amount,
        _other => return Err(bad()),
    };
    Ok(Balance {
        date,
        currency: text::currency(currency),
        amount,
    })
}

/// `YYMMDD`.
fn short_date(text: &str) -> Option<Date> {
    if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let year = i16::from(part(0..2)?);
    let year = if year >= 80 {
        1_900 + year
    } else {
        2_000 + year
    };
    Date::new(year, part(2..4)?, part(4..6)?).ok()
}

/// `1234,5`, always with a comma.
fn comma_amount(text: &str) -> Option<Amount> {
    let plain = text.trim().replace(',', ".");
    let starts = plain
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    starts.then(|| Amount::parse(&plain)).flatten()
}

/// Field 61: `YYMMDD[MMDD](C|D|RC|RD)[letter]amount(N|F|S)xxx reference[//bank's reference]`.
fn entry(field: &Field<'_>) -> Result<Gathered, StatementProblem> {
    let bad = || {
        let text = shown(&field.value);
        Why::BadLine {
            field: "field 61",
            text,
        }
        .at(field.line)
    };
    let mut lines = field.value.lines();
    let line = lines.next().unwrap_or_default().trim_end();
    let value = line.get(..6).and_then(short_date).ok_or_else(bad)?;
    let mut rest = line.get(6..).ok_or_else(bad)?;
    let mut booked = value;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 4 {
        let part = |range: std::ops::Range<usize>| rest.get(range)?.parse::<i8>().ok();
        let (month, day) = (part(0..2).ok_or_else(bad)?, part(2..4).ok_or_else(bad)?);
        // Booked in January for December, or the other way round.
        let year = match (value.month(), month) {
            (12, 1) => value.year() + 1,
            (1, 12) => value.year() - 1,
            (_, _) => value.year(),
        };
        booked = Date::new(year, month, day).map_err(|_| bad())?;
        rest = rest.get(4..).ok_or_else(bad)?;
    }
    let (is_credit, is_reversal, after) = if let Some(after) = rest.strip_prefix("RC") {
        (false, true, after)
    } else if let Some(after) = rest.strip_prefix("RD") {
        (true, true, after)
    } else if let Some(after) = rest.strip_prefix('C') {
        (true, false, after)
    } else if let Some(after) = rest.strip_prefix('D') {
        (false, false, after)
    } else {
        return Err(bad());
    };
    // The third letter of the currency may stand here.
    let after = after
        .strip_prefix(|c: char| c.is_ascii_uppercase())
        .unwrap_or(after);
    let end = after
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '.'))
        .unwrap_or(after.len());
    let amount = comma_amount(&after[..end]).ok_or_else(bad)?;
    let rest = &after[end..];
    // A letter and three signs of the sort of business.
    let rest = rest.get(4..).unwrap_or_default();
    let (own, bank) = rest.split_once("//").unwrap_or((rest, ""));
    let bank = bank.trim();
    let own = own.trim();
    Ok(Gathered {
        // Numbers of the day are no references: `0`, `1`.
        key: if bank.len() >= 6 {
            bank.to_owned()
        } else {
            String::new()
        },
        booked: Some(booked),
        amount: if is_credit { amount } else { -amount },
        end_to_end: own.to_owned(),
        text: lines.collect::<Vec<_>>().join(" "),
        is_reversal,
        ..Gathered::default()
    })
}

/// What field 86 says.
fn describe(entry: &mut Gathered, value: &str) {
    let flat: String = value.lines().collect();
    if let Some(sign) = german_sign(&flat) {
        german(entry, &flat, sign);
    } else if let Some(strokes) = strokes(&flat) {
        of_strokes(entry, &strokes);
    } else {
        let spaced: Vec<&str> = value.lines().map(str::trim).collect();
        let spaced = spaced.join(" ");
        if !of_sepa_words(entry, &spaced) {
            entry.text = spaced;
        }
    }
}

/// `166?00`: three digits, a sign, two digits.
fn german_sign(flat: &str) -> Option<char> {
    let (code, rest) = flat.split_at_checked(3)?;
    let mut chars = rest.chars();
    let sign = chars.next()?;
    let digits = chars.as_str().get(..2)?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (are_digits(code) && are_digits(digits) && !sign.is_alphanumeric() && sign != ' ')
        .then_some(sign)
}

fn german(entry: &mut Gathered, flat: &str, sign: char) {
    let code = &flat[..3];
    let mut purpose = String::new();
    let mut name = String::new();
    let mut previous_full = true;
    for piece in flat[3..].split(sign) {
        let Some((number, value)) = piece.split_at_checked(2) else {
            continue;
        };
        match number.parse::<u8>() {
            Ok(20..=29 | 60..=63) => {
                let starts_word = SEPA_WORDS.iter().any(|word| {
                    value
                        .strip_prefix(word)
                        .is_some_and(|rest| rest.starts_with('+'))
                });
                if !purpose.is_empty() && (!previous_full || starts_word) {
                    purpose.push(' ');
                }
                purpose.push_str(value);
                previous_full = value.chars().count() >= CHUNK_CHARS;
            }
            Ok(30) => entry.bic = value.to_owned(),
            Ok(31) => entry.account = value.to_owned(),
            Ok(32 | 33) => name.push_str(value),
            Ok(_) | Err(_) => {}
        }
    }
    entry.name = name;
    // Business code 109 and its like say that a direct debit came back.
    if matches!(code, "108" | "109" | "159" | "181" | "182" | "183" | "184")
        && entry.amount.is_negative()
    {
        entry.is_reversal = true;
    }
    if !of_sepa_words(entry, &purpose) {
        entry.text = purpose;
    }
}

/// `EREF+one SVWZ+two`; says whether there was any.
fn of_sepa_words(entry: &mut Gathered, text: &str) -> bool {
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for word in SEPA_WORDS {
        let mark = format!("{word}+");
        for (at, _) in text.match_indices(&mark) {
            // `SVWZ+RECHNUNG` may stand right behind a value that filled its line; words within words do not count.
            found.push((at, at + mark.len(), word));
        }
    }
    found.sort_unstable();
    if !found
        .iter()
        .any(|(_, _, word)| matches!(*word, "SVWZ" | "EREF" | "KREF"))
    {
        return false;
    }
    let before = found.first().map_or("", |(at, _, _)| &text[..*at]);
    let mut purpose = before.trim().to_owned();
    for (at, (_, start, word)) in found.iter().enumerate() {
        let end = found
            .get(at + 1)
            .map_or(text.len(), |next| next.0.max(*start));
        let value = text[*start..end].trim();
        match *word {
            "SVWZ" => {
                if !purpose.is_empty() {
                    purpose.push(' ');
                }
                purpose.push_str(value);
            }
            "EREF" => entry.end_to_end = value.to_owned(),
            "IBAN" if entry.account.is_empty() => entry.account = value.to_owned(),
            "BIC" if entry.bic.is_empty() => entry.bic = value.to_owned(),
            "ABWA" if entry.name.is_empty() => entry.name = value.to_owned(),
            _other => {}
        }
    }
    entry.text = purpose;
    true
}

/// `/NAME/value/REMI/value`: words and what stands behind each.
fn strokes(flat: &str) -> Option<Vec<(&str, String)>> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for piece in flat.split('/') {
        if STROKE_WORDS.contains(&piece.trim()) {
            found.push((piece.trim(), String::new()));
        } else if let Some((_, value)) = found.last_mut() {
            if !value.is_empty() {
                value.push('/');
            }
            value.push_str(piece);
        }
    }
    let has = |word: &str| found.iter().any(|(known, _)| *known == word);
    (flat.trim_start().starts_with('/') && (has("REMI") || has("NAME") || has("CNTP")))
        .then_some(found)
}

fn of_strokes(entry: &mut Gathered, strokes: &[(&str, String)]) {
    let mut purpose: Vec<String> = Vec::new();
    for (word, value) in strokes {
        let value = value.trim_matches('/').trim();
        match *word {
            "NAME" => entry.name = value.to_owned(),
            "IBAN" => entry.account = value.to_owned(),
            "BIC" => entry.bic = value.to_owned(),
            "EREF" => entry.end_to_end = value.to_owned(),
            "REMI" => {
                if let Some(reference) = value.strip_prefix("STRD/CUR/") {
                    entry.creditor_reference = reference.trim_matches('/').to_owned();
                }
                if !value.is_empty() {
                    purpose.push(value.to_owned());
                }
            }
            "USTD" => purpose.push(value.to_owned()),
            "CNTP" => {
                let mut parts = value.split('/');
                entry.account = parts.next().unwrap_or_default().to_owned();
                entry.bic = parts.next().unwrap_or_default().to_owned();
                entry.name = parts.next().unwrap_or_default().to_owned();
            }
            "RTRN" if entry.amount.is_negative() => entry.is_reversal = true,
            _other => {}
        }
    }
    entry.text = purpose.join(" ");
}
