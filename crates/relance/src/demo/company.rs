//! The fictional company: its salespeople, their clients, and what they write, read from `assets/demo`.

use jiff::civil::Date;
use relance_core::time::{Calendar, Zone};
use serde::Deserialize;
use std::sync::Arc;

use crate::policy::calendars;

use super::DemoProblem;

/// The company's own file, and one of each salesperson's market.
const COMPANY: &str = include_str!("../../../../assets/demo/company.toml");
const DESKS: [&str; 3] = [
    include_str!("../../../../assets/demo/en.toml"),
    include_str!("../../../../assets/demo/ru.toml"),
    include_str!("../../../../assets/demo/ja.toml"),
];

/// The company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// For people.
    pub name: String,
    /// Of its mail addresses.
    pub domain: String,
    /// People who sign up on its site.
    #[serde(rename = "visitor")]
    pub visitors: Vec<Visitor>,
    /// Its salespeople, each with a market.
    #[serde(skip)]
    pub desks: Vec<Desk>,
}

/// Somebody who signs up on the site.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visitor {
    /// Whole.
    pub name: String,
    /// First name.
    pub first: String,
    /// Address.
    pub email: String,
    /// Language tag.
    pub language: String,
    /// IANA zone.
    pub zone: String,
    /// Whether an order follows.
    pub orders: bool,
}

/// A salesperson with a market.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Language tag of the market.
    pub language: String,
    /// IANA zone of the salesperson and the clients.
    pub zone: String,
    /// ISO 3166 code, which is also the calendar's.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// What numbers of offers begin with.
    pub offer_prefix: String,
    /// What numbers of invoices begin with.
    pub invoice_prefix: String,
    /// Ordinary totals.
    pub amounts: Vec<u64>,
    /// The total of a large offer.
    pub large: u64,
    /// What is sold.
    pub items: Vec<String>,
    /// Who sells.
    pub salesperson: Person,
    /// To whom.
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
    /// How offers are written.
    pub offer: Letter,
    /// How invoices are written.
    pub invoice: Letter,
    /// What clients write.
    pub replies: Replies,
    /// The zone, read.
    #[serde(skip, default = "Zone::utc")]
    pub clock: Zone,
    /// Working days of the market.
    #[serde(skip, default = "weekends")]
    pub calendar: Arc<Calendar>,
}

fn weekends() -> Arc<Calendar> {
    Arc::new(Calendar::weekends_only())
}

/// A person with an address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Whole.
    pub name: String,
    /// Address.
    pub address: String,
}

/// A client: a company, the person who buys, and a colleague.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The company.
    pub company: String,
    /// Of its addresses.
    pub domain: String,
    /// Who buys.
    pub name: String,
    /// Their first name.
    pub first: String,
    /// Their address before the `@`.
    pub user: String,
    /// Somebody else there.
    pub colleague: String,
    /// Their address before the `@`.
    pub colleague_user: String,
}

impl Client {
    /// Who buys.
    pub fn buyer(&self) -> Person {
        self.person(&self.name, &self.user)
    }

    /// Somebody else there.
    pub fn colleague(&self) -> Person {
        self.person(&self.colleague, &self.colleague_user)
    }

    fn person(&self, name: &str, user: &str) -> Person {
        Person {
            name: name.to_owned(),
            address: format!("{user}@{}", self.domain),
        }
    }
}

/// A mail that carries a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// The attachment's name.
    pub file: String,
    /// Its text.
    pub body: String,
}

/// What clients write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    /// Yes.
    pub accept: String,
    /// A question.
    pub question: String,
    /// A colleague takes over.
    pub colleague: String,
    /// Subject of a mail outside the thread.
    pub outside_subject: String,
    /// Its text.
    pub outside: String,
    /// An invoice will be paid.
    pub pay: String,
    /// Subject of an out-of-office answer.
    pub away_subject: String,
    /// Its text.
    pub away: String,
    /// What a mail server says of an address that does not exist.
    pub bounce: String,
}

impl Visitor {
    /// The visitor's zone.
    pub fn clock(&self) -> Zone {
        Zone::parse(&self.zone).unwrap_or_else(|_| Zone::utc())
    }
}

impl Company {
    /// The company that comes with the program.
    pub fn bundled() -> Result<Self, DemoProblem> {
        let damaged = |what: &dyn std::fmt::Display| DemoProblem::Bundled(what.to_string());
        let mut company: Self = toml::from_str(COMPANY).map_err(|error| damaged(&error))?;
        let calendars = calendars();
        for visitor in &company.visitors {
            Zone::parse(&visitor.zone).map_err(|problem| damaged(&problem))?;
        }
        for text in DESKS {
            let mut desk: Desk = toml::from_str(text).map_err(|error| damaged(&error))?;
            desk.clock = Zone::parse(&desk.zone).map_err(|problem| damaged(&problem))?;
            if let Some(calendar) = calendars.get(&desk.country.to_lowercase()) {
                desk.calendar = calendar.clone();
            }
            company.desks.push(desk);
        }
        Ok(company)
    }
}

impl Desk {
    /// A sum as this market writes it in a mail.
    pub fn written_amount(&self, amount: u64) -> String {
        match self.language.as_str() {
            "ru" => format!("{},00 руб.", grouped(amount, " ")),
            "ja" => format!("{}円（税込）", grouped(amount, ",")),
            _english => format!("{} {}.00", self.currency, grouped(amount, ",")),
        }
    }

    /// A date as this market writes it in a mail.
    pub fn written_date(&self, date: Date) -> String {
        match self.language.as_str() {
            "ru" => date.strftime("%d.%m.%Y").to_string(),
            "ja" => date.strftime("%Y年%-m月%-d日").to_string(),
            _english => date.strftime("%-d %B %Y").to_string(),
        }
    }
}

/// A number with its thousands apart.
pub fn grouped(amount: u64, between: &str) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(between);
        }
        text.push(digit);
    }
    text
}

/// Fills `{names}` in.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_is_whole_and_reaches_nobody_real() {
        let company = Company::bundled().unwrap();
        assert_eq!(company.desks.len(), 3);
        let clients: usize = company.desks.iter().map(|desk| desk.clients.len()).sum();
        assert_eq!(clients, 25);
        for desk in &company.desks {
            assert!(desk.salesperson.address.ends_with(&company.domain));
            assert!(!desk.items.is_empty() && !desk.amounts.is_empty());
            for client in &desk.clients {
                assert!(client.domain.ends_with(".example"), "{}", client.domain);
            }
        }
    }

    #[test]
    fn sums_and_dates_are_written_as_the_market_does() {
        let company = Company::bundled().unwrap();
        let written: Vec<String> = company
            .desks
            .iter()
            .map(|desk| {
                let date = jiff::civil::date(2026, 11, 5);
                format!(
                    "{} {}",
                    desk.written_amount(1_240_000),
                    desk.written_date(date)
                )
            })
            .collect();
        assert_eq!(
            written,
            [
                "EUR 1,240,000.00 5 November 2026",
                "1 240 000,00 руб. 05.11.2026",
                "1,240,000円（税込） 2026年11月5日",
            ]
        );
    }
}
