//! 1C's exchange format: `Ключ=Значение`, in sections of accounts and documents.
//!
//! Source: the published description of `1CClientBankExchange`, versions 1.01 to 1.03. Directions follow from the
//! accounts of the file: what goes to one of them came, what goes from one of them to another is neither.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use relance_core::payment::Amount;

use super::remittance::Gathered;
use super::{ACCOUNTS_MAX, ENTRIES_MAX, Format, Part, Statement, StatementProblem, Why, shown};

/// Fields of one section.
const FIELDS_MAX: usize = 200;
/// Currencies by the digits 6 to 8 of an account.
const CURRENCIES: &[(&str, &str)] = &[
    ("810", "RUB"),
    ("643", "RUB"),
    ("840", "USD"),
    ("978", "EUR"),
    ("156", "CNY"),
    ("398", "KZT"),
    ("933", "BYN"),
    ("826", "GBP"),
    ("392", "JPY"),
    ("756", "CHF"),
    ("784", "AED"),
    ("949", "TRY"),
];
const DATES: &str = "write 01.10.2026";

/// A section's fields, with the line that each stands in.
#[derive(Default)]
struct Section {
    line: u64,
    fields: BTreeMap<String, (u64, String)>,
}

impl Section {
    fn get(&self, names: &[&str]) -> Option<(u64, &str)> {
        names.iter().find_map(|name| {
            let (line, value) = self.fields.get(*name)?;
            let value = value.trim();
            (!value.is_empty()).then_some((*line, value))
        })
    }

    fn text(&self, names: &[&str]) -> String {
        self.get(names)
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    }

    fn date(&self, field: &'static str, names: &[&str]) -> Result<Option<Date>, StatementProblem> {
        let Some((line, value)) = self.get(names) else {
            return Ok(None);
        };
        let read = date(value);
        let problem = || {
            let text = shown(value);
            Why::NotADate {
                field,
                text,
                remedy: DATES,
            }
            .at(line)
        };
        read.map(Some).ok_or_else(problem)
    }

    fn amount(&self, field: &'static str, name: &str) -> Result<Option<Amount>, StatementProblem> {
        let Some((line, value)) = self.get(&[name]) else {
            return Ok(None);
        };
        let text = shown(value);
        let read = amount(value);
        read.map(Some)
            .ok_or_else(|| Why::NotAnAmount { field, text }.at(line))
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split_whitespace().next()?.split('.');
    let day = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let year: i16 = parts.next()?.parse().ok()?;
    let year = if year < 100 { 2_000 + year } else { year };
    Date::new(year, month, day).ok()
}

fn amount(text: &str) -> Option<Amount> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .map(|c| if matches!(c, ',' | '=') { '.' } else { c })
        .collect();
    // Some programs write 1000-00.
    let plain = match plain.rsplit_once('-') {
        Some((whole, part)) if !whole.is_empty() && part.len() == 2 => format!("{whole}.{part}"),
        Some(_) | None => plain,
    };
    Amount::parse(&plain)
}

enum Within {
    Header,
    Account(Section),
    Document(Section),
}

pub(super) fn read(text: &str) -> Result<Statement, StatementProblem> {
    let mut header = Section::default();
    let mut accounts: Vec<Section> = Vec::new();
    let mut documents: Vec<Section> = Vec::new();
    let mut own: BTreeSet<String> = BTreeSet::new();
    let mut within = Within::Header;
    let mut last: Option<String> = None;
    let mut ended = false;
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        let line = line.trim_end();
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key.trim(), value),
            None => (line.trim(), ""),
        };
        match key {
            "СекцияРасчСчет" => {
                within = Within::Account(Section {
                    line: number,
                    ..Section::default()
                });
                last = None;
                continue;
            }
            "СекцияДокумент" => {
                within = Within::Document(Section {
                    line: number,
                    ..Section::default()
                });
                last = None;
                continue;
            }
            "КонецРасчСчет" => {
                if let Within::Account(section) = std::mem::replace(&mut within, Within::Header) {
                    if accounts.len() == ACCOUNTS_MAX {
                        return Err(Why::TooManyAccounts.at(number));
                    }
                    accounts.push(section);
                }
                last = None;
                continue;
            }
            "КонецДокумента" => {
                if let Within::Document(section) = std::mem::replace(&mut within, Within::Header) {
                    if documents.len() == ENTRIES_MAX {
                        return Err(Why::TooManyEntries.at(number));
                    }
                    documents.push(section);
                }
                last = None;
                continue;
            }
            "КонецФайла" => {
                ended = true;
                break;
            }
            _field => {}
        }
        let section = match &mut within {
            Within::Header => &mut header,
            Within::Account(section) | Within::Document(section) => section,
        };
        let is_field =
            line.contains('=') && !key.is_empty() && key.chars().all(|c| c.is_alphanumeric());
        if is_field {
            if key == "РасчСчет" && !value.trim().is_empty() {
                own.insert(value.trim().to_owned());
            }
            if section.fields.len() < FIELDS_MAX {
                section
                    .fields
                    .entry(key.to_owned())
                    .or_insert((number, value.to_owned()));
                last = Some(key.to_owned());
            }
        } else if let Some((_, value)) = last.as_ref().and_then(|key| section.fields.get_mut(key))
            && !line.trim().is_empty()
            && value.len() < relance_core::payment::TEXT_CHARS_MAX
        {
            // A purpose of several lines.
            value.push(' ');
            value.push_str(line.trim());
        }
    }
    match within {
        Within::Header if ended => {}
        Within::Header => return Err(Why::Cut("the statement").at(number)),
        Within::Account(_) => return Err(Why::Cut("СекцияРасчСчет").at(number)),
        Within::Document(_) => return Err(Why::Cut("СекцияДокумент").at(number)),
    }
    finish(&header, &accounts, &documents, &own)
}

fn finish(
    header: &Section,
    accounts: &[Section],
    documents: &[Section],
    own: &BTreeSet<String>,
) -> Result<Statement, StatementProblem> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for account in own {
        let part = Part {
            account: account.clone(),
            currency: currency_of(account),
            from: header.date("ДатаНачала", &["ДатаНачала"])?,
            to: header.date("ДатаКонца", &["ДатаКонца"])?,
            ..Part::default()
        };
        parts.insert(account.clone(), part);
    }
    for section in accounts {
        let Some(part) = parts.get_mut(section.text(&["РасчСчет"]).as_str()) else {
            return Err(Why::Missing("РасчСчет").at(section.line));
        };
        // A section for each day: the first one's opening and the last one's closing.
        let from = section.date("ДатаНачала", &["ДатаНачала"])?;
        let to = section.date("ДатаКонца", &["ДатаКонца"])?.or(from);
        let opening = section.amount("НачальныйОстаток", "НачальныйОстаток")?;
        let closing = section.amount("КонечныйОстаток", "КонечныйОстаток")?;
        if part.opening.is_none() || from < part.from {
            part.opening = opening.or(part.opening);
        }
        if part.closing.is_none() || to >= part.to {
            part.closing = closing.or(part.closing);
        }
    }
    for section in documents {
        document(section, &mut parts)?;
    }
    Ok(Statement {
        format: Format::OneC,
        parts: parts.into_values().collect(),
    })
}

fn currency_of(account: &str) -> String {
    let code = account.get(5..8).filter(|_| account.len() == 20);
    let known = CURRENCIES.iter().find(|(digits, _)| code == Some(*digits));
    known
        .map(|(_, currency)| (*currency).to_owned())
        .unwrap_or_default()
}

fn document(section: &Section, parts: &mut BTreeMap<String, Part>) -> Result<(), StatementProblem> {
    let sum = section
        .amount("Сумма", "Сумма")?
        .ok_or_else(|| Why::Missing("Сумма").at(section.line))?;
    let payer = section.text(&["ПлательщикСчет", "ПлательщикРасчСчет"]);
    let payee = section.text(&["ПолучательСчет", "ПолучательРасчСчет"]);
    let came = parts.contains_key(&payee);
    let went = parts.contains_key(&payer);
    if went && let Some(part) = parts.get_mut(&payer) {
        part.outgoing += 1;
        part.sum = part.sum - sum;
    }
    if !came {
        return Ok(());
    }
    let Some(part) = parts.get_mut(&payee) else {
        return Ok(());
    };
    part.sum = part.sum + sum;
    if went {
        return Ok(());
    }
    let booked = section
        .date("Дата", &["ДатаПоступило", "Дата", "ДатаСписано"])?
        .ok_or_else(|| Why::Missing("Дата").at(section.line))?;
    let said = section.text(&["Плательщик1", "Плательщик"]);
    let (tax_id, name) = without_tax_id(&said);
    let mut text = section.text(&["НазначениеПлатежа"]);
    for at in 1..=6 {
        let more = section.text(&[format!("НазначениеПлатежа{at}").as_str()]);
        if !more.is_empty() && !text.contains(&more) {
            text.push(' ');
            text.push_str(&more);
        }
    }
    let number = section.text(&["Номер"]);
    let issued = section.text(&["Дата"]);
    let mut tax = section.text(&["ПлательщикИНН"]);
    if tax.is_empty() {
        tax = tax_id.to_owned();
    }
    // The payer's bank numbers its orders anew each day: with payer and sum they are one.
    let key = format!("{payer}/{number}/{issued}");
    let gathered = Gathered {
        key: if number.is_empty() {
            String::new()
        } else {
            key
        },
        booked: Some(booked),
        amount: sum,
        currency: part.currency.clone(),
        name: name.to_owned(),
        account: payer,
        tax_id: tax,
        bic: section.text(&["ПлательщикБИК"]),
        text,
        creditor_reference: section.text(&["Код"]).trim_start_matches('0').to_owned(),
        ..Gathered::default()
    };
    let payment = gathered.payment(booked, &part.account);
    if sum.is_positive() {
        part.payments.push(payment);
    }
    Ok(())
}

/// `ИНН 7701234567 ООО Ромашка`, as banks write it: the number and the name.
fn without_tax_id(said: &str) -> (&str, &str) {
    let rest = said.trim_start();
    let Some(rest) = rest.strip_prefix("ИНН") else {
        return ("", rest);
    };
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '/')
        .unwrap_or(rest.len());
    let (digits, name) = rest.split_at(end);
    (digits.split('/').next().unwrap_or_default(), name.trim())
}
