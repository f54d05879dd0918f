//! Statements as tables, as banks give them out: columns told by their heads in nine languages, rows before the heads
//! and sums behind the rows left out.
//!
//! Encoding, delimiter, rows, dates and numbers are read as tables of contacts are. **Absent:** balances: of a table
//! nobody knows whether it is whole.

use jiff::civil::Date;
use relance_core::payment::{Amount, NAME_CHARS_MAX};

use super::heads::{Column, NOT_BOOKED, column_of, may_be_text};
use super::remittance::Gathered;
use super::text;
use super::{ENTRIES_MAX, Format, Part, Statement, StatementProblem, Why, shown};
use crate::table::guess;
use crate::table::record::{Records, Row, Step};
use crate::table::value::{self, DateOrder, Decimal};

/// Rows before the one that names the columns.
const PREAMBLE_ROWS_MAX: usize = 40;
/// Cells by which the form of numbers and dates is told.
const SAMPLE_CELLS_MAX: usize = 5_000;
const DATES: &str = "write 2026-10-01";

/// `Betrag (EUR)`: the currency that a head names.
fn currency_in(text: &str) -> String {
    let plain = text::tidy(text, 100);
    let plain = value::narrow(&plain);
    let inner = plain.split(['(', '[']).nth(1).unwrap_or_default();
    text::currency(inner.trim_end_matches([')', ']']))
}

struct Table {
    columns: Vec<(usize, Column)>,
    currency: String,
    order: DateOrder,
    decimal: Decimal,
}

impl Table {
    fn at(&self, column: Column) -> Option<usize> {
        self.columns
            .iter()
            .find(|(_, known)| *known == column)
            .map(|(at, _)| *at)
    }

    fn text(&self, row: &Line, column: Column) -> String {
        self.at(column)
            .and_then(|at| row.cells.get(at))
            .cloned()
            .unwrap_or_default()
    }
}

struct Line {
    line: u64,
    cells: Vec<String>,
}

fn rows(text: &str) -> Result<Vec<Line>, StatementProblem> {
    let body = match guess::directive(text) {
        Some((_, used)) => &text[used..],
        None => text,
    };
    let head_end = text.floor_char_boundary(crate::table::charset::HEAD_BYTES_MAX);
    let mut records = Records::new(guess::delimiter(&text[..head_end]));
    let mut row = Row::default();
    let mut found = Vec::new();
    let mut rest = body.as_bytes();
    loop {
        let (used, step) = records.step(rest, &mut row);
        let at_end = rest.is_empty();
        rest = &rest[used..];
        match step {
            Step::Row => {
                if found.len() == ENTRIES_MAX + PREAMBLE_ROWS_MAX {
                    return Err(Why::TooManyEntries.at(row.line));
                }
                found.push(Line {
                    line: row.line,
                    cells: (0..row.len())
                        .map(|at| text::tidy(&row.shown(at), 2_000))
                        .collect(),
                });
            }
            Step::Skipped(_) => {}
            Step::End => break,
            Step::More if at_end => break,
            Step::More => {}
        }
    }
    Ok(found)
}

pub(super) fn read(text: &str) -> Result<Statement, StatementProblem> {
    let lines = rows(text)?;
    let Some((at, columns)) = lines
        .iter()
        .take(PREAMBLE_ROWS_MAX)
        .enumerate()
        .find_map(|(at, line)| Some((at, columns(&line.cells)?)))
    else {
        return Err(Why::NoHeader.at(1));
    };
    let heads = &lines[at].cells;
    let body = &lines[at + 1..];
    let mut currency = heads
        .iter()
        .map(|head| currency_in(head))
        .find(|code| !code.is_empty())
        .unwrap_or_default();
    let is_japanese = heads
        .iter()
        .any(|head| head.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}')));
    if currency.is_empty() && is_japanese {
        currency = "JPY".to_owned();
    }
    let of = |wanted: &[Column]| -> Vec<&str> {
        let at: Vec<usize> = columns
            .iter()
            .filter(|(_, column)| wanted.contains(column))
            .map(|(at, _)| *at)
            .collect();
        let cells = body
            .iter()
            .flat_map(|line| at.iter().filter_map(|at| line.cells.get(*at)));
        cells.map(String::as_str).take(SAMPLE_CELLS_MAX).collect()
    };
    let decimal = decimal(&of(&[Column::Amount, Column::Credit, Column::Debit]));
    let stated = of(&[Column::Currency])
        .first()
        .map(|text| text::currency(text));
    let usual = stated.filter(|code| !code.is_empty());
    let usual = usual.as_deref().unwrap_or(&currency);
    let table = Table {
        order: order(&of(&[Column::Booked, Column::Valued]), decimal, usual),
        decimal,
        columns,
        currency,
    };
    let mut part = Part::default();
    for line in body {
        let Some((entry, booked, own)) = entry(&table, line)? else {
            continue;
        };
        part.sum = part.sum + entry.amount;
        if part.account.is_empty() {
            part.account.clone_from(&own);
        }
        if entry.is_kept() {
            part.payments.push(entry.payment(booked, &own));
        } else {
            part.outgoing += 1;
        }
    }
    Ok(Statement {
        format: Format::Csv,
        parts: vec![part],
    })
}

/// The columns of a row that names them.
fn columns(cells: &[String]) -> Option<Vec<(usize, Column)>> {
    let mut found: Vec<(usize, Column)> = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        if let Some(column) = column_of(cell)
            && (column == Column::Text || found.iter().all(|(_, known)| *known != column))
        {
            found.push((at, column));
        }
    }
    if found.iter().all(|(_, known)| *known != Column::Text) {
        let text = cells.iter().position(|cell| may_be_text(cell));
        found.extend(text.map(|at| (at, Column::Text)));
    }
    let has = |column: Column| found.iter().any(|(_, known)| *known == column);
    ((has(Column::Booked) || has(Column::Valued)) && (has(Column::Amount) || has(Column::Credit)))
        .then_some(found)
}

/// Which sign is before the decimals, by all cells: one digit or two behind it, where a group has three.
fn decimal(cells: &[&str]) -> Decimal {
    let ends = |sign: char| {
        cells.iter().any(|cell| {
            let digits = cell.trim_end_matches(|c: char| !c.is_ascii_digit());
            digits.rsplit_once(sign).is_some_and(|(_, part)| {
                matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit())
            })
        })
    };
    match (ends(','), ends('.')) {
        (true, false) => Decimal::Comma,
        (false, true) => Decimal::Point,
        // No decimals anywhere: what is there are groups.
        (false, false) if cells.iter().any(|cell| cell.contains(',')) => Decimal::Point,
        (false, false) if cells.iter().any(|cell| cell.contains('.')) => Decimal::Comma,
        (true, true) | (false, false) => Decimal::Certain,
    }
}

/// Which of day and month comes first, by all cells; where none tells, by what else the table says: whoever writes
/// decimals behind a comma begins with the day, and American accounts with the month.
fn order(cells: &[&str], decimal: Decimal, currency: &str) -> DateOrder {
    let mut month_first = false;
    for cell in cells {
        let mut numbers = cell.split(['/', '-']);
        let mut next = || -> Option<u8> { numbers.next()?.trim().parse().ok() };
        if let (Some(first), Some(second)) = (next(), next()) {
            if first > 12 {
                return DateOrder::DayFirst;
            }
            month_first |= second > 12;
        }
    }
    match (month_first, decimal, currency) {
        (true, _, _) => DateOrder::MonthFirst,
        (false, Decimal::Comma, _) => DateOrder::DayFirst,
        (false, Decimal::Point | Decimal::Certain, "USD") => DateOrder::MonthFirst,
        (false, Decimal::Point | Decimal::Certain, "EUR" | "GBP" | "CHF" | "PLN" | "RUB") => {
            DateOrder::DayFirst
        }
        (false, Decimal::Point | Decimal::Certain, _) => DateOrder::Certain,
    }
}

/// `01.10.26` with all four digits.
fn whole_year(text: &str) -> String {
    let day = text.split_whitespace().next().unwrap_or_default();
    for sign in ['.', '/'] {
        let parts: Vec<&str> = day.split(sign).collect();
        if let [a, b, year] = parts.as_slice()
            && year.len() == 2
            && a.len() <= 2
            && [a, b, year]
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return format!("{a}{sign}{b}{sign}20{year}");
        }
    }
    // `20261001`, as Japanese banks write it.
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]);
    }
    text.to_owned()
}

fn date(table: &Table, text: &str) -> Option<Date> {
    let read = value::date(&whole_year(text), table.order).ok()?;
    read.as_str()?.parse().ok()
}

fn amount(table: &Table, text: &str) -> Option<Amount> {
    // `1.234,56-` and `(1,234.56)` are less than nothing.
    let text = text.trim();
    let (text, is_negative) = match text.strip_suffix('-').or_else(|| {
        text.strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
    }) {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let text = text.trim_start_matches(['\\', '¥', '￥']);
    let read = value::number(text, table.decimal).ok()?;
    let amount = Amount::of_value(&read)?;
    Some(if is_negative { -amount } else { amount })
}

/// What a row says; nothing of rows that are no entries.
fn entry(table: &Table, row: &Line) -> Result<Option<(Gathered, Date, String)>, StatementProblem> {
    let day = [Column::Booked, Column::Valued]
        .into_iter()
        .map(|column| table.text(row, column))
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    // Sums and notes behind the rows.
    if !day.chars().any(|c| c.is_ascii_digit()) {
        return Ok(None);
    }
    let state = table.text(row, Column::State).to_lowercase();
    if NOT_BOOKED.contains(&state.as_str()) {
        return Ok(None);
    }
    let Some(amount) = signed(table, row)? else {
        return Ok(None);
    };
    let booked = date(table, &day).ok_or_else(|| {
        let text = shown(&day);
        Why::NotADate {
            field: "date",
            text,
            remedy: DATES,
        }
        .at(row.line)
    })?;
    let own = text::account(&table.text(row, Column::OwnAccount));
    let said: Vec<&str> = table
        .columns
        .iter()
        .filter(|(_, column)| *column == Column::Text)
        .filter_map(|(at, _)| row.cells.get(*at))
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let said = said.join(" ");
    let mut name = table.text(row, Column::Payer);
    if table.at(Column::Payer).is_none() {
        name = payer_in(&said);
    }
    let stated = text::currency(&table.text(row, Column::Currency));
    let entry = Gathered {
        key: table.text(row, Column::Key),
        booked: Some(booked),
        amount,
        currency: if stated.is_empty() {
            table.currency.clone()
        } else {
            stated
        },
        name,
        account: table.text(row, Column::Account),
        tax_id: table.text(row, Column::TaxId),
        bic: table.text(row, Column::Bic),
        is_reversal: amount.is_negative() && is_return(&said),
        text: said,
        creditor_reference: table.text(row, Column::Reference),
        ..Gathered::default()
    };
    Ok(Some((entry, booked, own)))
}

/// Words by which banks say that a payment came back.
fn is_return(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "rücklastschrift",
        "ruecklastschrift",
        "retoure",
        "returned",
        "chargeback",
        "reversal",
        "возврат платежа",
        "組戻",
        "振込返却",
    ];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Japanese banks write the payer into the text: `振込 ヤマダシヨウジ(カ`.
fn payer_in(text: &str) -> String {
    let marks = ["振込入金", "お振込", "振込", "フリコミ"];
    let found = marks.iter().find_map(|mark| text.split_once(mark));
    let rest = found.map(|(_, rest)| rest).unwrap_or_default();
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '*' || c == ':');
    rest.chars().take(NAME_CHARS_MAX).collect()
}

/// The amount with its sign, from one column or two.
fn signed(table: &Table, row: &Line) -> Result<Option<Amount>, StatementProblem> {
    let read = |column: Column, field: &'static str| -> Result<Option<Amount>, StatementProblem> {
        let text = table.text(row, column);
        if text.is_empty() || text == "-" {
            return Ok(None);
        }
        let problem = || {
            let text = shown(&text);
            Why::NotAnAmount { field, text }.at(row.line)
        };
        amount(table, &text).map(Some).ok_or_else(problem)
    };
    let nothing = |amount: &Amount| *amount != Amount::ZERO;
    if let Some(credit) = read(Column::Credit, "credit")?.filter(nothing) {
        return Ok(Some(credit));
    }
    if let Some(debit) = read(Column::Debit, "debit")?.filter(nothing) {
        return Ok(Some(-debit.abs()));
    }
    let Some(amount) = read(Column::Amount, "amount")? else {
        return Ok(None);
    };
    let side = table.text(row, Column::Side).to_lowercase();
    let is_debit = matches!(
        side.as_str(),
        "s" | "d"
            | "dr"
            | "debit"
            | "soll"
            | "дебет"
            | "списание"
            | "расход"
            | "出金"
            | "支払"
            | "払"
            | "2"
            | "af"
            | "debet"
            | "débit"
            | "cargo"
            | "out"
    );
    Ok(Some(if is_debit { -amount.abs() } else { amount }))
}
