//! What happens in the demonstration's days, drawn once from the seed: who sends what to whom, and what
//! becomes of it. Answers to reminders depend on the engine and are drawn when they come.

use jiff::civil::{Date, Time, time};
use jiff::{Timestamp, ToSpan};

use super::chance::Chance;
use super::company::{Company, Desk};

/// The first day: a Monday.
pub const FIRST_DAY: Date = jiff::civil::date(2026, 11, 2);
/// Working days on which a salesperson sends a document, in percent, once the first days are over.
const DAYS_WITH_DOCUMENT_PERCENT: i64 = 55;
/// Days from an invoice to its due date, and of an offer's validity.
const TERM_DAYS: i64 = 10;
/// Whose mailbox cannot be read for two days: the second's.
pub const OUTAGE_DESK: usize = 1;

/// Offer or invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An offer.
    Offer,
    /// An invoice.
    Invoice,
}

impl Kind {
    /// As in the registry.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Invoice => "invoice",
        }
    }
}

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The client accepts in the thread.
    Accepts,
    /// The client asks something in the thread.
    Asks,
    /// A colleague of the client answers in the thread.
    ColleagueAnswers,
    /// The client writes, but outside the thread.
    WritesOutside,
    /// The client's machine answers; the client does not.
    Away,
    /// Nothing comes.
    Silent,
    /// The client answers the first reminder, and buys.
    AnswersReminder,
    /// The client answers while the mailbox cannot be read.
    AnswersInOutage,
    /// The address does not exist.
    Bounces,
    /// The invoice is paid before anybody asks.
    PaysInTime,
    /// The invoice is paid after a reminder.
    PaysAfterReminder,
    /// The client promises to pay.
    PromisesPayment,
}

/// What becomes of offers, in turn; salespeople begin at different places.
const OFFER_FATES: [Fate; 8] = [
    Fate::AnswersReminder,
    Fate::Silent,
    Fate::Away,
    Fate::ColleagueAnswers,
    Fate::AnswersReminder,
    Fate::Silent,
    Fate::WritesOutside,
    Fate::Accepts,
];
/// What becomes of invoices, in turn.
const INVOICE_FATES: [Fate; 5] = [
    Fate::PaysAfterReminder,
    Fate::PaysInTime,
    Fate::Silent,
    Fate::PromisesPayment,
    Fate::PaysAfterReminder,
];

/// A document that is sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// Whose, by place in the company.
    pub desk: usize,
    /// To whom, by place at the desk.
    pub client: usize,
    /// Offer or invoice.
    pub kind: Kind,
    /// Its number.
    pub number: String,
    /// Its total.
    pub amount: u64,
    /// What for.
    pub item: String,
    /// Date of issue.
    pub issued: Date,
    /// Date by which it should be paid or answered.
    pub due: Date,
    /// When it is sent.
    pub sent_at: Timestamp,
    /// What becomes of it.
    pub fate: Fate,
    /// The Message-ID of its mail.
    pub message_id: String,
}

/// The part of the time, its end, whose questions are left to the visitor: one in so many.
const LEFT_SHARE: i32 = 5;
/// Working days before the end on which every desk sends some offers more.
const LAST_OFFERS_DAYS: usize = 5;
/// When in the hour it sends them.
const LAST_OFFERS_MINUTES: [i8; 3] = [5, 25, 45];

/// The whole plan.
#[derive(Debug)]
pub struct Script {
    /// When it begins.
    pub begins_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Documents, in order of time.
    pub documents: Vec<Document>,
    /// From when until when one mailbox cannot be read.
    pub outage: (Timestamp, Timestamp),
}

impl Script {
    /// From when on nobody answers questions for approval: they are left to whoever looks at the demonstration.
    pub fn asks_visitor_from(&self) -> Timestamp {
        self.ends_at - self.ends_at.duration_since(self.begins_at) / LEFT_SHARE
    }
}

/// Draws the plan.
pub fn draw(company: &Company, days: u16, seed: u64) -> Script {
    let begins_at = relance_core::time::Zone::utc().at(FIRST_DAY.to_datetime(Time::midnight()));
    let ends_on = day(i64::from(days));
    let outage_desk = &company.desks[OUTAGE_DESK];
    let outage_day = outage_day(outage_desk, days);
    let outage = (
        outage_desk
            .clock
            .at(outage_day.to_datetime(time(9, 30, 0, 0))),
        outage_desk
            .clock
            .at((outage_day + 2.days()).to_datetime(time(9, 0, 0, 0))),
    );
    let mut documents = Vec::new();
    for (place, desk) in company.desks.iter().enumerate() {
        let mut author = Author::new(desk, place, seed, &company.domain);
        let prelude = (place == OUTAGE_DESK).then(|| working_days_before(desk, outage_day, 3));
        let last_offers = working_days_before(desk, ends_on, LAST_OFFERS_DAYS);
        for number in 0..i64::from(days) {
            let date = day(number);
            if !desk.calendar.is_working(date) {
                continue;
            }
            if prelude == Some(date) {
                // Their reminders fall due while the mailbox cannot be read.
                author.offer(date, time(10, 5, 0, 0), Fate::Silent);
                author.offer(date, time(10, 40, 0, 0), Fate::AnswersInOutage);
                continue;
            }
            for hours in author.sends(number) {
                author.document(date, *hours);
            }
            if date == last_offers {
                // Their reminders are asked about in the last days, which are left to the visitor.
                for minute in LAST_OFFERS_MINUTES {
                    author.offer(date, time(15, minute, 0, 0), Fate::Silent);
                }
            }
        }
        documents.append(&mut author.documents);
    }
    documents.sort_by(|a, b| (a.sent_at, &a.number).cmp(&(b.sent_at, &b.number)));
    Script {
        begins_at,
        ends_at: relance_core::time::Zone::utc().at(ends_on.to_datetime(Time::midnight())),
        documents,
        outage,
    }
}

fn day(number: i64) -> Date {
    FIRST_DAY.saturating_add(number.days())
}

/// A day in the middle from which three working days follow in a row.
fn outage_day(desk: &Desk, days: u16) -> Date {
    let mut date = day(i64::from(days / 2));
    for _ in 0..14 {
        if (0..3).all(|more: i64| desk.calendar.is_working(date + more.days())) {
            break;
        }
        date += 1.day();
    }
    date
}

fn working_days_before(desk: &Desk, date: Date, count: usize) -> Date {
    (0..count).fold(date, |date, _| desk.calendar.previous_working(date))
}

/// Draws the documents of one salesperson.
struct Author<'a> {
    desk: &'a Desk,
    place: usize,
    domain: &'a str,
    chance: Chance,
    /// Clients in the order in which they get documents.
    order: Vec<usize>,
    served: usize,
    offers: usize,
    invoices: usize,
    documents: Vec<Document>,
}

impl<'a> Author<'a> {
    fn new(desk: &'a Desk, place: usize, seed: u64, domain: &'a str) -> Self {
        let mut chance = Chance::new(seed, &format!("desk {place}"));
        let mut order: Vec<usize> = (0..desk.clients.len()).collect();
        chance.shuffle(&mut order);
        Self {
            desk,
            place,
            domain,
            chance,
            order,
            served: 0,
            offers: 0,
            invoices: 0,
            documents: Vec::new(),
        }
    }

    /// The hours of a day in which documents are sent. The first two days bring much from everybody, so
    /// that a short demonstration has a story too.
    fn sends(&mut self, day: i64) -> &'static [(i64, i64)] {
        let drawn = self.chance.between(1, 100);
        if day < 2 {
            &[(9, 11), (13, 16)]
        } else if drawn <= DAYS_WITH_DOCUMENT_PERCENT {
            &[(9, 16)]
        } else {
            &[]
        }
    }

    fn document(&mut self, date: Date, hours: (i64, i64)) {
        let hour = i8::try_from(self.chance.between(hours.0, hours.1)).unwrap_or(9);
        let minute = i8::try_from(self.chance.between(5, 55)).unwrap_or(30);
        let at = time(hour, minute, 0, 0);
        // Five documents: three offers, two invoices.
        if ((self.offers + self.invoices) % 5).is_multiple_of(2) {
            let place = (self.offers + 3 * self.place) % OFFER_FATES.len();
            let mut fate = OFFER_FATES[place];
            if self.place == 2 && self.offers == 1 {
                fate = Fate::Bounces;
            }
            if fate == Fate::Accepts && self.chance.between(0, 1) == 1 {
                fate = Fate::Asks;
            }
            self.offer(date, at, fate);
        } else {
            let fate = INVOICE_FATES[(self.invoices + self.place) % INVOICE_FATES.len()];
            let amount = self.amount();
            let number = format!("{}{}", self.desk.invoice_prefix, 2001 + self.invoices);
            self.invoices += 1;
            self.put(Kind::Invoice, number, amount, date, at, fate);
        }
    }

    fn offer(&mut self, date: Date, at: Time, fate: Fate) {
        self.offers += 1;
        // Every fifth is a large one, which the journey gives to a person after one reminder.
        let amount = if self.offers.is_multiple_of(5) {
            self.desk.large
        } else {
            self.amount()
        };
        let number = format!("{}{}", self.desk.offer_prefix, 1000 + self.offers);
        self.put(Kind::Offer, number, amount, date, at, fate);
    }

    fn amount(&mut self) -> u64 {
        self.chance.pick(&self.desk.amounts).copied().unwrap_or(1)
    }

    fn put(&mut self, kind: Kind, number: String, amount: u64, issued: Date, at: Time, fate: Fate) {
        let client = self.order[self.served % self.order.len()];
        self.served += 1;
        if fate == Fate::Bounces {
            // An address that does not exist gets no second document.
            self.order.retain(|other| *other != client);
        }
        let item = self.chance.pick(&self.desk.items).cloned();
        self.documents.push(Document {
            desk: self.place,
            client,
            kind,
            message_id: format!(
                "doc.{}.{}@{}",
                self.place,
                self.documents.len() + 1,
                self.domain
            ),
            number,
            amount,
            item: item.unwrap_or_default(),
            issued,
            due: issued.saturating_add(TERM_DAYS.days()),
            sent_at: self.desk.clock.at(issued.to_datetime(at)),
            fate,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_repeats_itself_and_has_every_kind_of_story() {
        let company = Company::bundled().unwrap();
        let plan = draw(&company, 30, 1);
        let again = draw(&company, 30, 1);
        let numbers = |plan: &Script| {
            let list = plan.documents.iter();
            list.map(|one| (one.number.clone(), one.sent_at, one.client))
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(&plan), numbers(&again));
        assert_ne!(numbers(&plan), numbers(&draw(&company, 30, 2)));
        for fate in [
            Fate::AnswersReminder,
            Fate::AnswersInOutage,
            Fate::Bounces,
            Fate::Away,
            Fate::PaysAfterReminder,
        ] {
            assert!(
                plan.documents.iter().any(|one| one.fate == fate),
                "{fate:?}"
            );
        }
        let (from, until) = plan.outage;
        assert!(plan.begins_at < from && from < until && until < plan.ends_at);
    }

    #[test]
    fn every_length_has_its_outage_inside() {
        let company = Company::bundled().unwrap();
        for days in 10..40 {
            let plan = draw(&company, days, 3);
            assert!(plan.outage.1 < plan.ends_at, "{days} days");
        }
    }
}
