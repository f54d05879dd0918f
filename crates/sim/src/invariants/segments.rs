//! Who belongs to a segment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::condition::Scene;
use relance_core::contact::Contact;
use relance_core::decide::Effect;
use relance_core::event::{Event, History as Past};
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::{Membership, Memberships, Segment};
use relance_core::time::{Calendar, Zone};

use super::stage::{HOME, Stage};
use crate::history::{Commit, History, Order};

/// What is known of everyone, told from the beginning.
#[derive(Default)]
struct Record<'a> {
    stage: Stage<'a>,
    everyone: BTreeSet<ContactId>,
    past: BTreeMap<ContactId, Vec<Arc<Event>>>,
    memberships: BTreeMap<ContactId, Memberships>,
    segments: BTreeMap<SegmentId, Arc<Segment>>,
}

impl<'a> Record<'a> {
    fn take(&mut self, commit: &'a Commit) {
        for order in &commit.orders {
            if let Order::Segmented { defined, removed } = order {
                let gone = |id: &SegmentId| removed.contains(id);
                self.segments.retain(|id, _| !gone(id));
                // Who belonged to it is dropped by the store, without an effect of anybody's.
                for own in self.memberships.values_mut() {
                    own.retain(|id, _| !gone(id));
                }
                let defined = defined.iter().map(|one| (one.id.clone(), one.clone()));
                self.segments.extend(defined);
            }
        }
        for (contact, effect) in &commit.effects {
            self.everyone.insert(*contact);
            match effect {
                Effect::Event(event) => self.past.entry(*contact).or_default().push(event.clone()),
                Effect::Membership { segment, after, .. } => {
                    let own = self.memberships.entry(*contact).or_default();
                    own.insert(segment.clone(), *after);
                }
                _other => {}
            }
            self.stage.apply(effect);
        }
    }

    /// Segments to which a contact does not stand as their definitions say.
    fn wrong(&self, id: ContactId, commit: &Commit, calendar: &Calendar) -> Vec<String> {
        let stranger = Contact::new(id, commit.engine_at);
        let contact = self.stage.contacts.get(&id).copied().unwrap_or(&stranger);
        // What two contacts that are one were both told happened once.
        let selves = std::iter::once(&id).chain(&contact.absorbed);
        let mut told_of = BTreeSet::new();
        let events = selves.flat_map(|one| self.past.get(one).into_iter().flatten());
        let events = events.filter(|event| {
            let id = event.message_id.clone();
            id.is_none_or(|id| told_of.insert((id, event.subject.clone())))
        });
        let past = Past::new(events.cloned().collect());
        let none = Memberships::new();
        let memberships = self.memberships.get(&id).unwrap_or(&none);
        let told = |name: Option<&str>| Zone::parse(name?).ok();
        let account = contact.account.as_deref();
        let zone = told(contact.text("timezone"))
            .or_else(|| told(account?.text("timezone")))
            .or_else(|| told(Some(HOME)));
        let scene = Scene {
            contact,
            subject: None,
            event: None,
            history: &past,
            memberships,
            objects: &BTreeMap::new(),
            rfm: None,
            zone: &zone.expect("a zone"),
            calendar,
            now: commit.engine_at,
        };
        let mut wrong = Vec::new();
        for (segment, definition) in &self.segments {
            let Some(condition) = definition.condition() else {
                continue;
            };
            let is_there = !contact.erased && contact.merged_into.is_none();
            let should = is_there && condition.holds(&scene);
            let stands = memberships.get(segment).copied().unwrap_or_default();
            if stands.member != should {
                wrong.push(format!(
                    "{id} is {}a member of {segment} at {}, against its definition {condition:?}",
                    if should { "not " } else { "" },
                    commit.engine_at,
                ));
            } else if stands.due.is_some_and(|due| due <= commit.engine_at) {
                let Membership { due, .. } = stands;
                wrong.push(format!(
                    "{id} should be looked at for {segment} since {due:?}"
                ));
            }
        }
        let gone = memberships.iter().filter(|(segment, stands)| {
            **stands != Membership::default()
                && segment.as_str() != crate::plan::SEGMENT
                && !self.segments.contains_key(*segment)
        });
        wrong.extend(gone.map(|(segment, _)| format!("{id} belongs to {segment}, which is gone")));
        wrong
    }
}

/// Whoever belongs to a segment, and nobody else, is who its definition holds for: at once when something
/// happens, and when time alone changes it.
pub fn membership_is_what_the_definition_says(history: &History) -> Vec<String> {
    // A clock that was set back undoes what time had decided.
    if history.clock_jumped {
        return Vec::new();
    }
    let calendar = Calendar::weekends_only();
    let mut record = Record::default();
    let mut broken = Vec::new();
    let mut turn = 0;
    for (place, commit) in history.commits.iter().enumerate() {
        record.take(commit);
        if !commit.rested {
            continue;
        }
        // Those whom it concerns, one more in turn, and everyone at the end.
        let mut asked: BTreeSet<ContactId> = commit.effects.iter().map(|(id, _)| *id).collect();
        turn += 1;
        asked.extend(record.everyone.iter().cycle().nth(turn % 97).copied());
        if place + 1 == history.commits.len() {
            asked = record.everyone.clone();
        }
        for id in asked {
            broken.extend(record.wrong(id, commit, &calendar));
        }
        if broken.len() > 3 {
            break;
        }
    }
    broken
}
