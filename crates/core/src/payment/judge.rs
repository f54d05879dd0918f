//! Which of the documents that may be meant a payment pays.
//!
//! Each candidate is weighed by what speaks for and against it; then the few patterns are looked for that are sure:
//! one document named and paid to the cent, a part, more than was asked, several named, a payer's open invoices whose
//! sum is exact. What speaks against (another currency, another payer, a number that names something else) is never
//! outweighed: such a payment waits for a person.
//!
//! **Absent:** finding candidates; what follows for a document (see [`effect`](super::effect)).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::number::{Mention, Numbers, key, numbers};
use super::payer::{Likeness, likeness, plain_id};
use super::reference::Reference;
use super::{Amount, Payment, RANKED_MAX, SHARES_MAX, Share};
use crate::ids::ContactId;

/// Candidates that are weighed.
pub const CANDIDATES_MAX: usize = 300;
/// Open documents of one payer among which a sum is looked for.
pub const JOINT_CHOICE_MAX: usize = 16;
/// Letters and digits that make a number tell for itself.
const TELLING_CHARS_MIN: usize = 5;
/// Digits among them.
const TELLING_DIGITS_MIN: usize = 3;
/// Weight below which a candidate is not worth a look.
const WEIGHT_MIN: i32 = 20;

/// Why a candidate is one, or is none; told as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its number is in the text.
    Number,
    /// The end of its number is.
    NumberEnd,
    /// A reference that proves itself is its own.
    Reference,
    /// What is open is what came.
    Amount,
    /// Less came than is open.
    AmountLess,
    /// More came than is open.
    AmountMore,
    /// The payer's account is the client's.
    PayerAccount,
    /// The payer's tax id is the client's.
    PayerTaxId,
    /// The payer paid for this client before.
    PayerKnown,
    /// The payer is called as the client.
    PayerName,
    /// Its date is in the text.
    Date,
    /// It is in another currency.
    OtherCurrency,
    /// The payer is somebody else.
    OtherPayer,
    /// It is paid.
    PaidAlready,
    /// The text names another number.
    OtherNumber,
    /// As much speaks for another one.
    Rival,
}

impl Reason {
    const fn weight(self) -> i32 {
        match self {
            Self::Reference => 60,
            Self::Number => 50,
            Self::NumberEnd => 20,
            Self::Amount => 30,
            Self::PayerAccount | Self::PayerTaxId => 30,
            Self::PayerKnown => 25,
            Self::PayerName => 15,
            Self::Date => 8,
            Self::AmountLess | Self::AmountMore | Self::Rival => 0,
            Self::OtherNumber => -15,
            Self::PaidAlready => -15,
            Self::OtherPayer => -30,
            Self::OtherCurrency => -40,
        }
    }

    /// The code in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::NumberEnd => "number_end",
            Self::Reference => "reference",
            Self::Amount => "amount",
            Self::AmountLess => "amount_less",
            Self::AmountMore => "amount_more",
            Self::PayerAccount => "payer_account",
            Self::PayerTaxId => "payer_tax_id",
            Self::PayerKnown => "payer_known",
            Self::PayerName => "payer_name",
            Self::Date => "date",
            Self::OtherCurrency => "other_currency",
            Self::OtherPayer => "other_payer",
            Self::PaidAlready => "paid_already",
            Self::OtherNumber => "other_number",
            Self::Rival => "rival",
        }
    }
}

/// A document that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Whose.
    pub contact: ContactId,
    /// Which.
    pub document: Arc<str>,
    /// Its number; may be nothing.
    pub number: String,
    /// What is still to be paid; `None` where no amount is known.
    pub open: Option<Amount>,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// When it was issued.
    pub issued: Option<Date>,
    /// Until when it is due.
    pub due: Option<Date>,
    /// A reference that payers were asked to repeat.
    pub reference: String,
    /// It is paid already.
    pub is_paid: bool,
    /// The client.
    pub client: Client,
}

/// What is known of a client that a bank may say too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// How it and its company are called.
    pub names: Vec<String>,
    /// Accounts.
    pub accounts: Vec<String>,
    /// Tax ids.
    pub tax_ids: Vec<String>,
    /// This payer paid for it before.
    pub is_known_payer: bool,
}

/// A candidate with what speaks for and against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Whose.
    pub contact: ContactId,
    /// Which.
    pub document: Arc<str>,
    /// Its number.
    pub number: String,
    /// What is open.
    pub open: Option<Amount>,
    /// Why, the strongest first.
    pub reasons: Vec<Reason>,
    /// The sum of their weights.
    pub weight: i32,
}

/// What a payment pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One document, exactly.
    Exact(Share),
    /// A part of one.
    Part {
        /// Which.
        share: Share,
        /// What stays open.
        left: Amount,
    },
    /// One, and more came.
    Over {
        /// Which.
        share: Share,
        /// What is left of the money.
        rest: Amount,
    },
    /// Several, exactly.
    Joint(Vec<Share>),
    /// A person must look.
    Unclear,
    /// Nothing of ours is meant.
    None,
}

/// A verdict with what was looked at, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it pays.
    pub verdict: Verdict,
    /// Candidates worth a look.
    pub ranked: Vec<Ranked>,
}

/// How a payment's text names a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    Not,
    /// The end of its number stands beside a word for an invoice.
    End,
    /// A short number that may be anything.
    Bare,
    /// Its number, beside a word or telling for itself.
    Whole,
    /// By a reference that proves itself.
    Proven,
}

struct Weighed<'a> {
    candidate: &'a Candidate,
    naming: Naming,
    /// Which numbers of the text it explains.
    places: BTreeSet<usize>,
    payer: Likeness,
    /// Account, tax id or an earlier payment say that it is this client.
    is_payer_sure: bool,
    /// An id of the payer is another one than the client's.
    is_payer_other: bool,
    is_currency_other: bool,
    reasons: Vec<Reason>,
    weight: i32,
}

impl Weighed<'_> {
    fn open(&self) -> Amount {
        self.candidate.open.unwrap_or_default()
    }

    /// Nothing speaks against it that a person should see.
    fn is_fair(&self) -> bool {
        !self.is_currency_other && !self.is_payer_other && !self.candidate.is_paid
    }

    fn is_named(&self) -> bool {
        matches!(self.naming, Naming::Whole | Naming::Proven)
    }

    /// The payer is this client, as far as can be told.
    fn is_of_payer(&self) -> bool {
        self.is_payer_sure || self.payer >= Likeness::Alike
    }

    fn share(&self, amount: Amount) -> Share {
        Share {
            contact: self.candidate.contact,
            document: self.candidate.document.clone(),
            number: self.candidate.number.clone(),
            amount,
        }
    }

    fn ranked(&self) -> Ranked {
        let mut reasons = self.reasons.clone();
        reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.weight().abs()), *reason));
        Ranked {
            contact: self.candidate.contact,
            document: self.candidate.document.clone(),
            number: self.candidate.number.clone(),
            open: self.candidate.open,
            reasons,
            weight: self.weight,
        }
    }
}

/// The numbers that a payment names, in its text and its reference fields.
pub fn named(payment: &Payment) -> (Numbers, Option<Reference>) {
    let field = payment.creditor_reference.as_deref();
    let proven = field
        .and_then(Reference::parse)
        .or_else(|| Reference::find(&payment.text));
    let mut found = numbers(&payment.text);
    // What stands in fields of references may be the bank's own: where no document has it, nothing follows from it.
    let fields = [field, payment.end_to_end.as_deref()];
    for field in fields.into_iter().flatten() {
        let place = found.mentions.iter().map(|one| one.place + 1).max();
        let place = place.unwrap_or_default();
        let mut inner = numbers(field).mentions;
        inner.push(Mention {
            key: key(field),
            place: 0,
            is_named: false,
            is_other: false,
        });
        inner.retain(|one| one.key.bytes().any(|byte| byte.is_ascii_digit()));
        found.mentions.extend(inner.into_iter().map(|one| Mention {
            place: place + one.place,
            is_named: false,
            ..one
        }));
    }
    (found, proven)
}

/// The keys by which documents are looked up.
pub fn lookup_keys(payment: &Payment) -> BTreeSet<String> {
    let (found, proven) = named(payment);
    let mut keys = found.keys();
    keys.extend(proven.map(|one| one.body().to_owned()));
    keys
}

fn tells_itself(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    key.chars().count() >= TELLING_CHARS_MIN && digits >= TELLING_DIGITS_MIN
}

/// The last run of digits of a number, without zeroes before it: `42` of `INV-2026/0042`.
fn tail(number: &str) -> Option<&str> {
    let end = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    let start = end.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| {
        at + end[at..].chars().next().map_or(1, char::len_utf8)
    });
    let tail = end.get(start..)?.trim_start_matches('0');
    (!tail.is_empty()).then_some(tail)
}

fn naming(
    candidate: &Candidate,
    found: &Numbers,
    proven: Option<&Reference>,
) -> (Naming, BTreeSet<usize>) {
    let own = key(&candidate.number);
    let short = own.trim_start_matches('0');
    let mut best = Naming::Not;
    let mut places = BTreeSet::new();
    let own_reference = key(&candidate.reference);
    if let Some(proven) = proven {
        let asked = Reference::parse(&candidate.reference);
        if asked.as_ref() == Some(proven) || (!short.is_empty() && key(proven.body()) == short) {
            best = Naming::Proven;
        }
    }
    if !own_reference.is_empty() && tells_itself(&own_reference) {
        for one in &found.mentions {
            if one.key == own_reference {
                best = Naming::Proven;
                places.insert(one.place);
            }
        }
    }
    if short.is_empty() {
        return (best, places);
    }
    let own_tail = tail(&candidate.number);
    for one in &found.mentions {
        let said = one.key.trim_start_matches('0');
        if said == short {
            let is_sure = (one.is_named && !one.is_other) || tells_itself(&own);
            let naming = if is_sure { Naming::Whole } else { Naming::Bare };
            // Of a contract's number that an invoice has as well nothing follows.
            if !one.is_other || tells_itself(&own) {
                best = best.max(naming);
                places.insert(one.place);
            }
        } else if one.is_named && Some(said) == own_tail {
            best = best.max(Naming::End);
            places.insert(one.place);
        }
    }
    (best, places)
}

fn weigh<'a>(
    payment: &Payment,
    candidate: &'a Candidate,
    found: &Numbers,
    proven: Option<&Reference>,
) -> Weighed<'a> {
    let mut reasons = Vec::new();
    let (naming, places) = naming(candidate, found, proven);
    match naming {
        Naming::Proven => reasons.push(Reason::Reference),
        Naming::Whole => reasons.push(Reason::Number),
        Naming::Bare | Naming::End => reasons.push(Reason::NumberEnd),
        Naming::Not => {
            if !found.named().is_empty() && !candidate.number.is_empty() {
                reasons.push(Reason::OtherNumber);
            }
        }
    }
    let is_currency_other = !candidate.currency.is_empty()
        && !payment.currency.is_empty()
        && !candidate.currency.eq_ignore_ascii_case(&payment.currency);
    if is_currency_other {
        reasons.push(Reason::OtherCurrency);
    }
    match candidate.open {
        Some(open) if !is_currency_other => reasons.push(match payment.amount.cmp(&open) {
            std::cmp::Ordering::Equal => Reason::Amount,
            std::cmp::Ordering::Less => Reason::AmountLess,
            std::cmp::Ordering::Greater => Reason::AmountMore,
        }),
        Some(_) | None => {}
    }
    if candidate.is_paid {
        reasons.push(Reason::PaidAlready);
    }
    if candidate
        .issued
        .is_some_and(|date| found.dates.contains(&date))
    {
        reasons.push(Reason::Date);
    }
    let client = &candidate.client;
    let has = |said: &str, known: &[String]| -> Option<bool> {
        let said = plain_id(said);
        let known: Vec<String> = known.iter().map(|one| plain_id(one)).collect();
        let known: Vec<&String> = known.iter().filter(|one| !one.is_empty()).collect();
        (!said.is_empty() && !known.is_empty()).then(|| known.contains(&&said))
    };
    let by_account = has(&payment.payer.account, &client.accounts);
    let by_tax = has(&payment.payer.tax_id, &client.tax_ids);
    let likeness = client
        .names
        .iter()
        .map(|name| likeness(&payment.payer.name, name))
        .max_by_key(|one| match one {
            // Of a person and a company one is enough, and where one cannot be compared nothing is told.
            Likeness::Unlike => 0,
            Likeness::Unknown => 1,
            Likeness::Alike => 2,
            Likeness::Same => 3,
        })
        .unwrap_or(Likeness::Unknown);
    if by_account == Some(true) {
        reasons.push(Reason::PayerAccount);
    }
    if by_tax == Some(true) {
        reasons.push(Reason::PayerTaxId);
    }
    if client.is_known_payer {
        reasons.push(Reason::PayerKnown);
    }
    if likeness >= Likeness::Alike {
        reasons.push(Reason::PayerName);
    }
    let is_payer_sure = by_account == Some(true) || by_tax == Some(true) || client.is_known_payer;
    let is_payer_other = !is_payer_sure && by_tax == Some(false);
    if is_payer_other || (!is_payer_sure && likeness == Likeness::Unlike) {
        reasons.push(Reason::OtherPayer);
    }
    let weight = reasons.iter().map(|reason| reason.weight()).sum();
    Weighed {
        candidate,
        naming,
        places,
        payer: likeness,
        is_payer_sure,
        is_payer_other,
        is_currency_other,
        reasons,
        weight,
    }
}

/// Says what a payment pays. The order of candidates changes nothing.
pub fn judge(payment: &Payment, candidates: &[Candidate]) -> Judgement {
    let (found, proven) = named(payment);
    let mut all: Vec<Weighed<'_>> = candidates
        .iter()
        .take(CANDIDATES_MAX)
        .map(|candidate| weigh(payment, candidate, &found, proven.as_ref()))
        .collect();
    all.sort_by(|a, b| {
        let place = |one: &Weighed<'_>| {
            (
                std::cmp::Reverse(one.weight),
                one.candidate.due,
                one.candidate.contact,
                one.candidate.document.clone(),
            )
        };
        place(a).cmp(&place(b))
    });
    all.dedup_by(|a, b| {
        (a.candidate.contact, &a.candidate.document) == (b.candidate.contact, &b.candidate.document)
    });
    let verdict = if payment.amount.is_positive() {
        decide(payment.amount, &all, &found)
    } else {
        None
    };
    let verdict = verdict.unwrap_or_else(|| {
        if all.iter().any(|one| one.weight >= WEIGHT_MIN) {
            Verdict::Unclear
        } else {
            Verdict::None
        }
    });
    if verdict == Verdict::Unclear {
        mark_rivals(&mut all);
    }
    let ranked = all
        .iter()
        .filter(|one| one.weight >= WEIGHT_MIN)
        .take(RANKED_MAX)
        .map(Weighed::ranked)
        .collect();
    Judgement { verdict, ranked }
}

fn mark_rivals(all: &mut [Weighed<'_>]) {
    let Some(best) = all.first().map(|one| one.weight) else {
        return;
    };
    let rivals = all.iter().take_while(|one| one.weight == best).count();
    if rivals > 1 {
        for one in all.iter_mut().take(rivals) {
            one.reasons.push(Reason::Rival);
        }
    }
}

/// The one of several, if it is one.
fn only<'a, 'b>(mut all: impl Iterator<Item = &'a Weighed<'b>>) -> Option<&'a Weighed<'b>>
where
    'b: 'a,
{
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

fn decide(amount: Amount, all: &[Weighed<'_>], found: &Numbers) -> Option<Verdict> {
    // Where a word says of a number that it is an invoice's, only what has this number is meant.
    let asked = found.named();
    let explains = |chosen: &[&Weighed<'_>]| {
        asked
            .iter()
            .all(|place| chosen.iter().any(|one| one.places.contains(place)))
    };
    let named: Vec<&Weighed<'_>> = all.iter().filter(|one| one.is_named()).collect();
    if !named.is_empty() {
        return of_named(amount, &named, &explains);
    }
    // The end of a number, or one that may be anything: with the amount to the cent.
    let hinted = all.iter().filter(|one| {
        matches!(one.naming, Naming::End | Naming::Bare)
            && one.is_fair()
            && one.candidate.open == Some(amount)
    });
    if let Some(one) = only(hinted)
        && explains(&[one])
        && (one.is_of_payer() || (one.naming == Naming::End && one.payer != Likeness::Unlike))
    {
        return Some(Verdict::Exact(one.share(amount)));
    }
    if !asked.is_empty() {
        return None;
    }
    of_payer(amount, all)
}

/// The text names documents by number.
fn of_named(
    amount: Amount,
    named: &[&Weighed<'_>],
    explains: &dyn Fn(&[&Weighed<'_>]) -> bool,
) -> Option<Verdict> {
    // Numbers begin anew each year and with each client: of several of one number the payer and the amount tell.
    let mut chosen: Vec<&Weighed<'_>> = Vec::new();
    let mut numbers: BTreeSet<String> = BTreeSet::new();
    for one in named {
        if !numbers.insert(key(&one.candidate.number)) {
            continue;
        }
        let own = key(&one.candidate.number);
        let alike: Vec<&Weighed<'_>> = named
            .iter()
            .copied()
            .filter(|other| key(&other.candidate.number) == own)
            .collect();
        let one = if alike.len() == 1 {
            *one
        } else {
            let fair = || alike.iter().copied().filter(|other| other.is_fair());
            let exact = || fair().filter(|other| other.candidate.open == Some(amount));
            let of_payer: Vec<_> = fair().filter(|other| other.is_of_payer()).collect();
            let both: Vec<_> = exact().filter(|other| other.is_of_payer()).collect();
            let exact: Vec<_> = exact().collect();
            match (both.as_slice(), exact.as_slice(), of_payer.as_slice()) {
                ([one], _, _) | ([], [one], []) | ([], [], [one]) => *one,
                _several => return None,
            }
        };
        chosen.push(one);
    }
    if chosen.len() > SHARES_MAX || !chosen.iter().all(|one| one.is_fair()) || !explains(&chosen) {
        return None;
    }
    if chosen.iter().any(|one| one.candidate.open.is_none()) {
        // Of a document without an amount nobody knows whether it is paid whole.
        return None;
    }
    // Somebody else may pay for a client, but then number and amount must tell.
    let is_trusted = |one: &Weighed<'_>| {
        one.is_payer_sure
            || one.payer > Likeness::Unlike
            || one.naming == Naming::Proven
            || tells_itself(&key(&one.candidate.number))
    };
    let open: Amount = chosen.iter().map(|one| one.open()).sum();
    match chosen.as_slice() {
        [] => None,
        [one] if amount == one.open() => Some(Verdict::Exact(one.share(amount))),
        [one] if !is_trusted(one) => None,
        [one] if amount < one.open() => Some(Verdict::Part {
            share: one.share(amount),
            left: one.open() - amount,
        }),
        [one] if one.open().is_positive() => Some(Verdict::Over {
            share: one.share(one.open()),
            rest: amount - one.open(),
        }),
        several if several.len() > 1 && amount == open => Some(Verdict::Joint(
            several.iter().map(|one| one.share(one.open())).collect(),
        )),
        _sums_differ => None,
    }
}

/// The text names nothing: the payer's open documents tell.
fn of_payer(amount: Amount, all: &[Weighed<'_>]) -> Option<Verdict> {
    let fair = |one: &&Weighed<'_>| one.is_fair() && one.open().is_positive();
    let mut own: Vec<&Weighed<'_>> = all
        .iter()
        .filter(fair)
        .filter(|one| one.is_payer_sure || one.payer == Likeness::Same)
        .collect();
    let is_sure = own.iter().any(|one| one.is_payer_sure);
    if is_sure {
        own.retain(|one| one.is_payer_sure);
    }
    let exact: Vec<&&Weighed<'_>> = own
        .iter()
        .filter(|one| one.candidate.open == Some(amount))
        .collect();
    match exact.as_slice() {
        [one] => {
            // A name alone is enough where no other client's document is of this amount.
            let is_only = all
                .iter()
                .filter(fair)
                .filter(|other| other.candidate.open == Some(amount))
                .count()
                == 1;
            return (one.is_payer_sure || is_only).then(|| Verdict::Exact(one.share(amount)));
        }
        [] => {}
        _several => return None,
    }
    if !is_sure || own.len() > JOINT_CHOICE_MAX {
        return None;
    }
    let contacts: BTreeSet<ContactId> = own.iter().map(|one| one.candidate.contact).collect();
    if contacts.len() != 1 {
        return None;
    }
    let chosen = one_sum(amount, &own)?;
    Some(Verdict::Joint(
        chosen.iter().map(|one| one.share(one.open())).collect(),
    ))
}

/// The set of documents whose sum is the amount, if there is one only. At most 2^16 sets.
fn one_sum<'a, 'b>(amount: Amount, own: &[&'a Weighed<'b>]) -> Option<Vec<&'a Weighed<'b>>> {
    debug_assert!(own.len() <= JOINT_CHOICE_MAX);
    let mut found: Option<u32> = None;
    for set in 1_u32..(1 << own.len()) {
        if set.count_ones() < 2 {
            continue;
        }
        let members = own
            .iter()
            .enumerate()
            .filter(|(at, _)| set & (1 << at) != 0);
        let sum: Amount = members.map(|(_, one)| one.open()).sum();
        if sum == amount && found.replace(set).is_some() {
            return None;
        }
    }
    let set = found?;
    let chosen = own
        .iter()
        .enumerate()
        .filter(|(at, _)| set & (1 << at) != 0);
    Some(chosen.map(|(_, one)| *one).collect())
}

/// An earlier payment that a reversal may take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Which.
    pub id: super::PaymentId,
    /// What it was.
    pub payment: Payment,
}

/// Which earlier payment a reversal takes back: of the same sum, not later, by the payer's own id, else by the
/// account, and one only.
pub fn reversed(reversal: &Payment, earlier: &[Earlier]) -> Option<super::PaymentId> {
    let fits = |one: &&Earlier| {
        let payment = &one.payment;
        payment.amount == reversal.amount.abs()
            && payment.booked <= reversal.booked
            && (payment.currency == reversal.currency
                || payment.currency.is_empty()
                || reversal.currency.is_empty())
    };
    let all: Vec<&Earlier> = earlier.iter().filter(fits).collect();
    let by_id = |one: &&&Earlier| {
        reversal.end_to_end.is_some() && one.payment.end_to_end == reversal.end_to_end
    };
    let by_payer = |one: &&&Earlier| {
        let mark = reversal.payer.mark();
        mark.is_some() && one.payment.payer.mark() == mark
    };
    let by_name =
        |one: &&&Earlier| likeness(&one.payment.payer.name, &reversal.payer.name) == Likeness::Same;
    for found in [
        all.iter().filter(by_id).collect::<Vec<_>>(),
        all.iter().filter(by_payer).collect(),
        all.iter().filter(by_name).collect(),
    ] {
        match found.as_slice() {
            [one] => return Some(one.id),
            [] => {}
            _several => return None,
        }
    }
    None
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
