//! What lists go by, read from contacts and documents as they are written: owner, name and the words it is found by;
//! of a document number, amount, dates and where it stands. Both stores write these columns in the transaction of
//! what they are read from.
//!
//! Fields come from outside and may hold anything: what is no date, no amount or no currency is none, and the list
//! shows the document all the same.
//!
//! **Absent:** SQL; rules: where a document stands is told by core.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use relance_core::contact::Contact;
use relance_core::decide::TaskState;
pub use relance_core::document::DocumentState;
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{JourneyId, ObjectKind};
use relance_core::journey::Recipient;
use relance_core::subject::Object;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_core::value::Value;

use crate::sqlite::column::{day, nanos};

/// The kind of objects that the registry lists.
pub(crate) const DOCUMENT: &str = "document";
/// Characters of a name or number that lists sort by.
pub const SORTED_CHARS_MAX: usize = 80;
/// Words by whose beginning a contact is found, and their characters.
pub const NAME_WORDS_MAX: usize = 16;
const WORD_CHARS_MAX: usize = 40;
/// Bytes of an owner's address.
const OWNER_BYTES_MAX: usize = 254;
/// The largest amount that is counted: a million million.
pub const AMOUNT_UNITS_MAX: i64 = 1_000_000_000_000;
/// Parts of a unit that amounts are kept in.
pub const AMOUNT_PARTS: i64 = 10_000;
/// No amount.
pub(crate) const AMOUNT_NONE: i64 = i64::MIN;
/// No date by which a document is due: behind all others.
pub(crate) const DUE_NONE: i64 = i32::MAX as i64;
/// Not paid.
pub(crate) const PAID_NOT: i64 = i32::MAX as i64;
/// Paid, and nobody knows when.
pub(crate) const PAID_SOMETIME: i64 = PAID_NOT - 1;
/// Nothing is next about a document: behind all others.
pub(crate) const NEXT_NONE: i64 = i64::MAX - 1;
/// No reminder left.
pub(crate) const REMINDED_NEVER: i64 = i64::MIN;
/// The column `state` of tasks.
pub(crate) const TASK_OPEN: i64 = 1;
pub(crate) const TASK_DONE: i64 = 2;
/// Contacts that one commit brings over from before there was a registry: some 5 ms.
pub(crate) const BROUGHT_PER_COMMIT: i64 = 256;

/// The column of a document's state; never another number.
pub(crate) const fn state_column(state: DocumentState) -> i64 {
    match state {
        DocumentState::Open => 1,
        DocumentState::Answered => 2,
        DocumentState::Paid => 3,
        DocumentState::Won => 4,
        DocumentState::Lost => 5,
        DocumentState::Withdrawn => 6,
    }
}

/// The state that a column holds.
pub(crate) fn state_of_column(column: i64) -> Option<DocumentState> {
    DocumentState::every().find(|state| state_column(*state) == column)
}

/// What lists of contacts go by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Whose contact it is: an address in lower case, or nothing.
    pub(crate) owner: String,
    /// In lower case.
    pub(crate) name: String,
    /// Parted by spaces.
    pub(crate) words: String,
}

impl Profile {
    /// What is known of a contact; nothing of one that was erased or turned out to be another.
    pub(crate) fn of(contact: &Contact) -> Self {
        if contact.erased || contact.merged_into.is_some() {
            return Self::default();
        }
        Self {
            owner: contact
                .responsible()
                .map(|owner| owner_column(&owner))
                .unwrap_or_default(),
            name: sort_column(&name_of(contact)),
            words: words_of(contact),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.owner.is_empty() && self.name.is_empty()
    }
}

/// How a contact is called in lists: its name, else its company's, else an address.
pub fn name_of(contact: &Contact) -> String {
    let text = |name| {
        contact
            .text(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    if let Some(name) = text("name") {
        return name.to_owned();
    }
    let both: Vec<&str> = [
        text("first_name").or_else(|| text("firstName")),
        text("last_name").or_else(|| text("lastName")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !both.is_empty() {
        return both.join(" ");
    }
    ["company", "email", "phone", "telegram", "whatsapp"]
        .into_iter()
        .find_map(text)
        .unwrap_or_default()
        .to_owned()
}

/// Words as they are searched: lower case, and of two spellings of one letter the plain one.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase().replace('ё', "е").replace('\0', "")
}

/// The words that a text is searched by.
pub(crate) fn search_words(text: &str) -> impl Iterator<Item = String> {
    folded(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(WORD_CHARS_MAX).collect::<String>())
        .collect::<Vec<_>>()
        .into_iter()
}

fn words_of(contact: &Contact) -> String {
    let names = [
        "name",
        "first_name",
        "last_name",
        "firstName",
        "lastName",
        "company",
    ];
    let mut words: Vec<String> = names
        .into_iter()
        .filter_map(|name| contact.text(name))
        .flat_map(search_words)
        .collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(NAME_WORDS_MAX);
    words.join(" ")
}

/// A text that lists sort by: lower case, one space between words, of bounded length.
pub(crate) fn sort_column(text: &str) -> String {
    // Most of a long text is not looked at.
    let head: String = text.chars().take(4 * SORTED_CHARS_MAX).collect();
    let words: Vec<&str> = head.split_whitespace().collect();
    let text = folded(&words.join(" "));
    text.chars().take(SORTED_CHARS_MAX).collect()
}

/// An owner's address as it stands in columns; what is too long is none.
pub(crate) fn owner_column(owner: &str) -> String {
    let owner = owner.trim();
    if owner.len() > OWNER_BYTES_MAX {
        return String::new();
    }
    owner.to_lowercase().replace('\0', "")
}

/// A document's columns, but for what follows from its contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    pub(crate) state: DocumentState,
    /// The owner that it names itself.
    pub(crate) own: String,
    /// The mailbox that it was sent from.
    pub(crate) mailbox: String,
    pub(crate) kind: &'static str,
    pub(crate) currency: String,
    pub(crate) issued: i64,
    pub(crate) due: i64,
    pub(crate) amount: i64,
    pub(crate) updated_at: i64,
    pub(crate) number: String,
    /// Whether it was ever answered, as far as its fields say.
    pub(crate) answered: bool,
    /// On which day it was paid.
    pub(crate) paid: i64,
}

impl DocumentRow {
    /// The columns of an object, if it is a document.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        if !is_document(&object.subject.kind) {
            return None;
        }
        let owner = |field| object.text(field).map(owner_column).unwrap_or_default();
        let on = |field| object.text(field).and_then(day_of);
        let sent = || object.created_at.to_zoned(TimeZone::UTC).date();
        let number = match object.fields.get("number") {
            Some(Value::String(text)) => sort_column(text),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
                String::new()
            }
        };
        let state = DocumentState::of(object);
        let paid = match state {
            DocumentState::Paid => on("paid_at").unwrap_or(PAID_SOMETIME),
            DocumentState::Open
            | DocumentState::Answered
            | DocumentState::Won
            | DocumentState::Lost
            | DocumentState::Withdrawn => PAID_NOT,
        };
        let was_answered = object.fields.get("answered_at");
        Some(Self {
            state,
            // What is no document was not answered either, whatever came back.
            answered: state == DocumentState::Answered
                || state != DocumentState::Withdrawn
                    && was_answered.is_some_and(|value| !value.is_null()),
            paid,
            own: owner("owner"),
            mailbox: owner("mailbox"),
            kind: match object.text("kind").map(str::to_lowercase).as_deref() {
                Some("invoice") => "invoice",
                Some("offer") => "offer",
                Some(_) | None => "other",
            },
            currency: currency_of(object),
            issued: on("issued")
                .or_else(|| on("sent_at"))
                .unwrap_or_else(|| days(sent())),
            due: on("due").unwrap_or(DUE_NONE),
            amount: object
                .fields
                .get("amount")
                .and_then(amount_of)
                .unwrap_or(AMOUNT_NONE),
            updated_at: nanos(object.updated_at),
            number,
        })
    }
}

/// What a run or message has to do with a document, as a row of `document_doing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doing<'a> {
    /// The document.
    pub(crate) id: &'a str,
    pub(crate) what: i64,
    pub(crate) source: i64,
    /// `None`: no longer.
    pub(crate) at: Option<i64>,
}

/// The column `what` of doings.
const RUN_WAITS: i64 = 1;
const MESSAGE_WAITS: i64 = 2;
const MESSAGE_LEFT: i64 = 3;
const HELD_OUT: i64 = 4;
const FOLLOWED: i64 = 5;

impl<'a> Doing<'a> {
    /// What a run has to do with the document that it is about, if it is about one.
    pub(crate) fn of_run(run: &'a Enrollment) -> impl Iterator<Item = Self> {
        let until = match &run.state {
            EnrollmentState::Waiting { until, .. } => Some(*until),
            EnrollmentState::Listening { until, .. } => *until,
            EnrollmentState::Standing { due, .. } => Some(*due),
            EnrollmentState::Sending { .. }
            | EnrollmentState::Finished { .. }
            | EnrollmentState::Exited { .. } => None,
        };
        // A run of the control group waits too, and nothing comes of it.
        let until = until.filter(|_| !run.held_out);
        let subject = run.subject.iter();
        let about = subject.filter(|subject| is_document(&subject.kind));
        about.flat_map(move |subject| {
            let doing = |what, at| Self {
                id: &subject.id,
                what,
                source: i64::from(run.id.number),
                at,
            };
            let waits = doing(RUN_WAITS, until.map(nanos));
            let silent = run.held_out.then(|| doing(HELD_OUT, Some(0)));
            let followed = doing(FOLLOWED, Some(journey_mark(&run.journey)));
            [waits, followed].into_iter().chain(silent)
        })
    }

    /// What a message has to do with the documents that it is about.
    pub(crate) fn of_message(one: &'a Touchpoint) -> impl Iterator<Item = Self> {
        let to_contact = one.recipient == Recipient::Contact;
        let (until, left) = match &one.state {
            TouchpointState::Queued { ready_at } => (Some(*ready_at), None),
            TouchpointState::Sending { since } => (Some(*since), None),
            TouchpointState::Held { until, .. } => (Some(*until), None),
            TouchpointState::AwaitingApproval { expires_at, .. } => (Some(*expires_at), None),
            TouchpointState::Settled { at, outcome } => {
                (None, (*outcome == Outcome::Accepted).then_some(*at))
            }
        };
        let about = one
            .subjects()
            .filter(move |subject| to_contact && is_document(&subject.kind));
        about.flat_map(move |subject| {
            let doing = |what, at| Self {
                id: &subject.id,
                what,
                source: one.id.hash.cast_signed(),
                at,
            };
            let waits = doing(MESSAGE_WAITS, until.map(nanos));
            let went = left.map(|at| doing(MESSAGE_LEFT, Some(day(at))));
            std::iter::once(waits).chain(went)
        })
    }
}

/// By what documents of one journey are told from those of another one; never nothing.
fn journey_mark(journey: &JourneyId) -> i64 {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(journey.as_str().as_bytes());
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash[..8]);
    // Positive, so that the largest of a document's marks is one of them.
    i64::from_be_bytes(mark).wrapping_shr(1).max(1) & i64::MAX
}

/// How a task stands, as columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskColumns<'a> {
    pub(crate) state: i64,
    pub(crate) done_at: Option<i64>,
    pub(crate) done_by: Option<&'a str>,
    /// Another moment by which it is due.
    pub(crate) due_at: Option<i64>,
}

impl<'a> TaskColumns<'a> {
    pub(crate) fn of(state: &'a TaskState) -> Self {
        match state {
            TaskState::Open { due_at } => Self {
                state: TASK_OPEN,
                done_at: None,
                done_by: None,
                due_at: due_at.map(nanos),
            },
            TaskState::Done { at, by } => Self {
                state: TASK_DONE,
                done_at: Some(nanos(*at)),
                done_by: Some(by.as_str()),
                due_at: None,
            },
        }
    }
}

/// Whether the registry lists objects of this kind.
pub(crate) fn is_document(kind: &ObjectKind) -> bool {
    kind.as_str() == DOCUMENT
}

/// ISO 4217, or nothing.
fn currency_of(object: &Object) -> String {
    let text = object.text("currency").unwrap_or_default().trim();
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        text.to_ascii_uppercase()
    } else {
        String::new()
    }
}

/// Days since 1970.
pub(crate) fn days(date: Date) -> i64 {
    let from = Date::constant(1970, 1, 1);
    from.until(date)
        .map_or(0, |span| i64::from(span.get_days()))
}

/// The date of a number of days since 1970.
pub(crate) fn date_of(days: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    Date::constant(1970, 1, 1).checked_add(span).ok()
}

/// The day that a date or moment begins with.
fn day_of(text: &str) -> Option<i64> {
    let date: Date = text.trim().get(..10)?.parse().ok()?;
    Some(days(date))
}

/// An amount in ten-thousandths, exactly as it is written; what is finer is rounded, what is too large is none.
pub(crate) fn amount_of(value: &Value) -> Option<i64> {
    let written = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.len() <= 40 => text.trim().to_owned(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return None;
        }
    };
    parts_of(&written)
}

/// Ten-thousandths of a decimal number.
pub(crate) fn parts_of(written: &str) -> Option<i64> {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, written),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let units: i64 = whole.parse().ok()?;
    if units > AMOUNT_UNITS_MAX {
        return None;
    }
    let mut parts = 0;
    for at in 0..4 {
        parts = parts * 10
            + part
                .as_bytes()
                .get(at)
                .map_or(0, |digit| i64::from(digit - b'0'));
    }
    if part.as_bytes().get(4).is_some_and(|digit| *digit >= b'5') {
        parts += 1;
    }
    Some(sign * (units * AMOUNT_PARTS + parts))
}

/// A sum of ten-thousandths as a decimal number without needless zeroes.
pub fn decimal(parts: i128) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let parts = parts.unsigned_abs();
    let (units, rest) = (parts / 10_000, parts % 10_000);
    if rest == 0 {
        return format!("{sign}{units}");
    }
    let rest = format!("{rest:04}");
    let rest = rest.trim_end_matches('0');
    format!("{sign}{units}.{rest}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use relance_core::ids::{ContactId, SubjectRef};
    use serde_json::json;

    use super::*;

    fn document(fields: Value) -> Object {
        let subject = SubjectRef {
            kind: DOCUMENT.into(),
            id: "m1".into(),
        };
        let mut one = Object::new(subject, Timestamp::UNIX_EPOCH);
        one.fields = fields.as_object().cloned().expect("fields");
        one
    }

    #[test]
    fn amounts_are_exact_and_hostile_ones_are_none() {
        for (written, parts) in [
            (json!(118_000.5), Some(1_180_005_000)),
            (json!("0.1"), Some(1_000)),
            (json!("-12.34567"), Some(-123_457)),
            (json!(7), Some(70_000)),
            (json!("1e9"), None),
            (json!("1,5"), None),
            (json!(1e300), None),
            (json!("9999999999999"), None),
            (json!("."), None),
            (json!({}), None),
        ] {
            assert_eq!(amount_of(&written), parts, "{written}");
        }
        assert_eq!(decimal(1_180_005_000), "118000.5");
        assert_eq!(decimal(-123_457), "-12.3457");
        assert_eq!(decimal(70_000), "7");
    }

    #[test]
    fn a_document_stands_where_its_fields_say() {
        let state = |fields| {
            DocumentRow::of(&document(fields))
                .expect("a document")
                .state
        };
        assert_eq!(state(json!({"status": "sent"})), DocumentState::Open);
        assert_eq!(state(json!({"status": "Paid"})), DocumentState::Paid);
        assert_eq!(
            state(json!({"status": "sent", "answered_at": "2026-11-01"})),
            DocumentState::Answered
        );
        assert_eq!(
            state(json!({"status": "won", "answered_at": "x"})),
            DocumentState::Won
        );
        assert_eq!(state(json!({"status": 5})), DocumentState::Open);
        assert_eq!(
            state(json!({"status": "withdrawn", "paid_at": "2026-11-01"})),
            DocumentState::Withdrawn
        );
        assert!(!DocumentState::Withdrawn.is_listed(&BTreeSet::new()));
        for state in DocumentState::every() {
            assert_eq!(state_of_column(state_column(state)), Some(state));
            assert_eq!(DocumentState::from_word(state.word()), Some(state));
        }
    }

    #[test]
    fn dates_and_currencies_are_what_they_are_or_none() {
        let row = DocumentRow::of(&document(json!({
            "kind": "INVOICE", "currency": "eur", "issued": "2026-11-02", "due": "soon", "number": "R-７",
        })))
        .expect("a document");
        assert_eq!((row.kind, row.currency.as_str()), ("invoice", "EUR"));
        assert_eq!(date_of(row.issued), Some(Date::constant(2026, 11, 2)));
        assert_eq!((row.due, row.amount), (DUE_NONE, AMOUNT_NONE));
        let row = DocumentRow::of(&document(json!({
            "currency": "рубль", "sent_at": "2026-11-02T09:00:00Z", "kind": "x",
        })))
        .expect("a document");
        assert_eq!((row.kind, row.currency.as_str()), ("other", ""));
        assert_eq!(date_of(row.issued), Some(Date::constant(2026, 11, 2)));
    }

    #[test]
    fn a_contact_is_found_by_the_words_of_its_names() {
        let mut contact = Contact::new(ContactId(1), Timestamp::UNIX_EPOCH);
        let traits = json!({"first_name": "Семён", "last_name": "Ёлкин", "company": "ООО «Ромашка»",
                            "owner": " Anna@Shop.test "});
        contact.traits = traits.as_object().cloned().expect("traits");
        let profile = Profile::of(&contact);
        assert_eq!(profile.name, "семен елкин");
        assert_eq!(profile.words, "елкин ооо ромашка семен");
        assert_eq!(profile.owner, "anna@shop.test");
        let traits = json!({"name": "山田 太郎", "email": "t@x.jp"});
        contact.traits = traits.as_object().cloned().expect("traits");
        assert_eq!(Profile::of(&contact).words, "太郎 山田");
        contact.erased = true;
        assert!(Profile::of(&contact).is_empty());
    }

    #[test]
    fn a_long_or_strange_name_costs_little() {
        let mut contact = Contact::new(ContactId(1), Timestamp::UNIX_EPOCH);
        let name = "<script> ".repeat(2_000);
        contact.traits.insert("name".to_owned(), json!(name));
        let profile = Profile::of(&contact);
        assert!(profile.name.chars().count() <= SORTED_CHARS_MAX);
        assert_eq!(profile.words, "script");
    }
}
