//! Accounts: companies that contacts belong to, one thing for all of them.
//!
//! What is told of an account by way of one contact is known of it to all at once. That others *hear* of it
//! (segments are told anew, journeys begin by the change) comes after, contact by contact: a contact notes the
//! revision that it heard of last, and the account keeps what each of its traits was before. Of a trait that is
//! told twice, what happened later counts. **Absent:** which contacts belong to an account (a store knows),
//! and columns of its own: a zone or a country is a trait.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};

use crate::condition::Condition;
use crate::event::{Event, EventKind};
use crate::ids::AccountId;
use crate::journey::{AwaitedThing, Journey, On, StepKind, Until};
use crate::subject::FIELDS_BYTES_MAX;
use crate::value::{FieldPath, Fields, Root, Value, weight, weight_of};

/// The name under which conditions, templates and calls find a contact's account.
pub const ACCOUNT: &str = "account";
/// The trait of an account that names it.
const ID: &str = "id";
/// Traits that one account may have; further ones are left out.
pub const ACCOUNT_TRAITS_MAX: usize = 500;
/// Bytes of an account's id; a longer text, or one with control characters, names none.
pub const ACCOUNT_ID_BYTES_MAX: usize = 1_024;
/// Changes of one trait that are kept apart until every contact has heard of them.
pub const CHANGES_MAX: usize = 4;
/// How much later than noted an account must be seen for that to be noted.
const SEEN_GRAIN: SignedDuration = SignedDuration::from_hours(1);
/// The traits by which an account says where its contacts are (rule R4).
const PLACE_TRAITS: [&str; 3] = ["timezone", "calendar", "country"];

/// One account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Which one.
    pub id: AccountId,
    /// Its traits and its id, as one value: what conditions see.
    face: Value,
    told: BTreeMap<Box<str>, ToldTrait>,
    /// How often it changed.
    pub revision: u64,
    /// The revision that every contact has heard of, or need not hear of.
    pub settled: u64,
    /// When it was first told of.
    pub first_seen_at: Timestamp,
    /// When it was last told of, to the hour.
    pub last_seen_at: Timestamp,
}

/// What is known of one trait beside its value. A trait that was taken away has this alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldTrait {
    /// When what it says happened.
    pub at: Timestamp,
    /// Revisions that changed it and what it was before, oldest first; none that all have heard of.
    pub changes: Vec<(u64, Option<Value>)>,
}

/// What an event says of its contact's account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AccountTold<'e> {
    /// The contact belongs to this one, which has these traits.
    Of(&'e Value, &'e Fields),
    /// It belongs to none.
    Nobody,
}

impl Account {
    /// An account that nothing is known of. `id` is what its source called it: a text or a number.
    pub fn new(id: &Value, now: Timestamp) -> Option<Self> {
        let face = Value::Object(Fields::from_iter([(ID.to_owned(), id.clone())]));
        Some(Self {
            id: account_id(id)?,
            face,
            told: BTreeMap::new(),
            revision: 0,
            settled: 0,
            first_seen_at: now,
            last_seen_at: now,
        })
    }

    /// An account of which only the id is at hand.
    pub fn unknown(id: AccountId) -> Self {
        let name = Value::String(id.to_string());
        Self {
            face: Value::Object(Fields::from_iter([(ID.to_owned(), name)])),
            id,
            told: BTreeMap::new(),
            revision: 0,
            settled: 0,
            first_seen_at: Timestamp::UNIX_EPOCH,
            last_seen_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// An account from its parts, as a store keeps them; the traits have its `id` among them.
    pub fn of_parts(id: AccountId, traits: Fields, told: BTreeMap<Box<str>, ToldTrait>) -> Self {
        let mut account = Self::unknown(id);
        account.told = told;
        if let Value::Object(own) = &mut account.face {
            own.extend(traits);
        }
        account
    }

    /// Its traits, `id` among them.
    pub fn traits(&self) -> &Fields {
        static NONE: LazyLock<Fields> = LazyLock::new(Fields::new);
        self.face.as_object().unwrap_or(&NONE)
    }

    /// Its traits, `id` among them, as the value of the contact's field `account`.
    pub fn face(&self) -> &Value {
        &self.face
    }

    /// What is known of its traits beside their values.
    pub fn told(&self) -> &BTreeMap<Box<str>, ToldTrait> {
        &self.told
    }

    /// A trait that is a text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.traits().get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// Lays traits over its own, a null takes one away; says whether anything changed. What is older than
    /// what is known, and what lies beyond the limits, is left out.
    pub fn tell(&mut self, traits: &Fields, at: Timestamp) -> bool {
        let Value::Object(own) = &mut self.face else {
            return false;
        };
        let revision = self.revision + 1;
        let settled = self.settled;
        let mut bytes = weight_of(own);
        let mut changed = false;
        for (name, value) in traits.iter().filter(|(name, _)| *name != ID) {
            let told = self.told.get(name.as_str());
            let before = own.get(name);
            let is_old = told.is_some_and(|told| told.at > at);
            let is_same = before == Some(value) || (value.is_null() && before.is_none());
            if is_old || is_same || (before.is_none() && own.len() > ACCOUNT_TRAITS_MAX) {
                continue;
            }
            let less = before.map_or(0, |old| name.len() + weight(old));
            let more = if value.is_null() {
                0
            } else {
                name.len() + weight(value)
            };
            let after = bytes.saturating_sub(less) + more;
            if after > FIELDS_BYTES_MAX && after > bytes {
                continue;
            }
            bytes = after;
            let before = match value.is_null() {
                true => own.remove(name),
                false => own.insert(name.clone(), value.clone()),
            };
            let told = self.told.entry(name.as_str().into());
            let told = told.or_insert_with(|| ToldTrait {
                at,
                changes: Vec::new(),
            });
            told.at = at;
            told.changes.retain(|(revision, _)| *revision > settled);
            if told.changes.len() >= CHANGES_MAX {
                // What it was at first stays: most have heard of nothing since.
                told.changes.remove(1);
            }
            told.changes.push((revision, before));
            changed = true;
        }
        if changed {
            self.revision = revision;
            self.forget_gone();
        }
        changed
    }

    /// Traits that are gone are remembered only as long as there is room.
    fn forget_gone(&mut self) {
        if self.told.len() <= 2 * ACCOUNT_TRAITS_MAX {
            return;
        }
        let own = self.face.as_object();
        let settled = self.settled;
        self.told.retain(|name, told| {
            own.is_some_and(|own| own.contains_key(&**name))
                || told.changes.iter().any(|(revision, _)| *revision > settled)
        });
    }

    /// Nobody need hear of what it is now.
    pub fn settle(&mut self) {
        self.settled = self.revision;
        for told in self.told.values_mut() {
            told.changes.clear();
        }
    }

    /// It was told of; says whether that is worth noting.
    pub fn see(&mut self, at: Timestamp) -> bool {
        let later = at.duration_since(self.last_seen_at) >= SEEN_GRAIN;
        if later {
            self.last_seen_at = at;
        }
        later
    }

    /// What it was to a contact that heard of a revision last; `None` when it is the same.
    pub fn before(&self, heard: u64) -> Option<Value> {
        let heard = heard.max(self.settled);
        if self.revision <= heard {
            return None;
        }
        let mut face = self.face.clone();
        if let Value::Object(own) = &mut face {
            for (name, told) in &self.told {
                let first = told.changes.iter().find(|(revision, _)| *revision > heard);
                match first {
                    Some((_, Some(before))) => drop(own.insert(name.to_string(), before.clone())),
                    Some((_, None)) => drop(own.remove(&**name)),
                    None => {}
                }
            }
        }
        Some(face)
    }

    /// Whether a contact of this account learns nothing by what it is told.
    pub fn knows(&self, told: &Value) -> bool {
        let Value::Object(told) = told else {
            return false;
        };
        told.get(ID).and_then(account_id).as_ref() == Some(&self.id)
            && told.iter().all(|(name, value)| {
                name == ID
                    || self
                        .traits()
                        .get(name)
                        .map_or(value.is_null(), |own| own == value)
            })
    }

    /// Whether the contacts may be somewhere else than they were when it was another.
    pub fn moved_from(&self, before: &Value) -> bool {
        PLACE_TRAITS
            .iter()
            .any(|name| before.get(name) != self.traits().get(*name))
    }
}

/// An id as a source writes it: a text or a number.
fn account_id(value: &Value) -> Option<AccountId> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let fits = !text.is_empty()
                && text.len() <= ACCOUNT_ID_BYTES_MAX
                && !text.contains(char::is_control);
            fits.then(|| AccountId::from(text))
        }
        Value::Number(number) => Some(AccountId::from(number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Event {
    /// What it says of the contact's account: a `group` call, or a trait `account` that is a map with an `id`.
    pub fn account(&self) -> Option<AccountTold<'_>> {
        match self.traits.as_ref()?.get(ACCOUNT)? {
            Value::Object(traits) => {
                let id = traits.get(ID).filter(|id| account_id(id).is_some())?;
                Some(AccountTold::Of(id, traits))
            }
            Value::Null if self.kind != EventKind::Group => Some(AccountTold::Nobody),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        }
    }

    /// The account that it names.
    pub fn account_id(&self) -> Option<AccountId> {
        match self.account()? {
            AccountTold::Of(id, _) => account_id(id),
            AccountTold::Nobody => None,
        }
    }
}

/// Whether a change of an account may move something for contacts with runs of a journey, or begin one: by
/// its trigger, a wait that counts from a trait of the account, a condition that is awaited.
pub(crate) fn hears_of_accounts(journey: &Journey) -> bool {
    let is_of_account = |path: &FieldPath| {
        path.root == Root::Contact && path.names.first().is_some_and(|name| &**name == ACCOUNT)
    };
    let by_trigger = match &journey.trigger.on {
        On::Changed { path, .. } | On::Date { path, .. } => is_of_account(path),
        On::Event(_)
        | On::SegmentEntered(_)
        | On::SegmentLeft(_)
        | On::Inactive { .. }
        | On::Schedule { .. }
        | On::Manual
        | On::Api => false,
    };
    let asks = |condition: &Condition| {
        let mut asks = false;
        condition.visit(&mut |one| {
            asks |= matches!(one, Condition::Field { path, .. } if is_of_account(path));
        });
        asks
    };
    by_trigger
        || journey.steps.iter().any(|step| match &step.kind {
            StepKind::Wait(wait) => match &wait.until {
                Until::Date { path, .. } => is_of_account(path),
                Until::BestHour { .. } | Until::Passed(_) | Until::TimeOfDay(_) => false,
            },
            StepKind::WaitFor { awaited, .. } => awaited.iter().any(|one| match &one.what {
                AwaitedThing::Condition(condition) => asks(condition),
                AwaitedThing::Event { .. } => false,
            }),
            StepKind::Send { .. }
            | StepKind::Branch { .. }
            | StepKind::Split { .. }
            | StepKind::Task(_)
            | StepKind::Notify(_)
            | StepKind::Set(_)
            | StepKind::Move { .. }
            | StepKind::Promo(_)
            | StepKind::Enroll(_)
            | StepKind::Stop => false,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn fields(value: Value) -> Fields {
        value.as_object().cloned().expect("a map")
    }

    fn acme() -> Account {
        Account::new(&json!("acme"), at(0)).expect("an id")
    }

    #[test]
    fn what_happened_later_counts() {
        let mut one = acme();
        assert!(one.tell(&fields(json!({"plan": "pro", "seats": 5})), at(10)));
        assert!(
            !one.tell(&fields(json!({"plan": "free"})), at(9)),
            "older news"
        );
        assert!(one.tell(&fields(json!({"seats": 6, "id": "other"})), at(11)));
        assert_eq!(
            *one.face(),
            json!({"id": "acme", "plan": "pro", "seats": 6})
        );
        // What was taken away is not brought back by what came before.
        assert!(one.tell(&fields(json!({"plan": null})), at(12)));
        assert!(!one.tell(&fields(json!({"plan": "free"})), at(11)));
        assert_eq!(*one.face(), json!({"id": "acme", "seats": 6}));
    }

    #[test]
    fn each_hears_what_became_of_what_it_knew() {
        let mut one = acme();
        one.tell(&fields(json!({"plan": "free"})), at(1));
        one.settle();
        assert_eq!(one.before(0), None, "nobody need hear of it");
        one.tell(&fields(json!({"plan": "pro"})), at(2));
        let pro = one.revision;
        one.tell(&fields(json!({"plan": "free", "seats": 5})), at(3));
        let was = |plan: &str| json!({"id": "acme", "plan": plan});
        assert_eq!(
            one.before(0),
            Some(was("free")),
            "free, pro, and free again"
        );
        assert_eq!(one.before(pro), Some(was("pro")));
        assert_eq!(one.before(one.revision), None);
        for second in 4..20 {
            let plan = format!("plan {second}");
            one.tell(&fields(json!({ "plan": plan })), at(second));
        }
        assert_eq!(one.before(0), Some(was("free")), "many changes later");
        assert!(one.told()["plan"].changes.len() <= CHANGES_MAX);
    }

    #[test]
    fn traits_stop_at_their_limits() {
        let mut one = acme();
        let many = (0..2_000).map(|n| (format!("trait-{n}"), json!(n)));
        assert!(one.tell(&many.collect(), at(1)));
        assert_eq!(one.traits().len(), ACCOUNT_TRAITS_MAX + 1, "and the id");
        let large = fields(json!({ "text": "x".repeat(FIELDS_BYTES_MAX) }));
        assert!(!acme().tell(&large, at(1)));
        for second in 2..2_000 {
            let name = format!("trait-{}", second % 400);
            one.tell(&fields(json!({ name: null })), at(second));
            one.settle();
            one.tell(&fields(json!({ format!("new-{second}"): 1 })), at(second));
        }
        assert!(one.told().len() <= 2 * ACCOUNT_TRAITS_MAX + 1);
    }

    #[test]
    fn only_a_text_or_a_number_names_an_account() {
        assert_eq!(
            Account::new(&json!(42), at(0)).expect("one").id.as_str(),
            "42"
        );
        for id in [
            json!(""),
            json!(null),
            json!(true),
            json!({}),
            json!("x".repeat(2_000)),
        ] {
            assert!(Account::new(&id, at(0)).is_none(), "{id}");
        }
    }
}
