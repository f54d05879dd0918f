//! A merge was a mistake: within a day the two are two again.
//!
//! Names and addresses go back, and facts are as they were, but for what was told since. What was allowed
//! stays as strict as it became on either side (R7): nobody knows any more who said no. Runs and messages
//! that went over stay with the survivor, and so does what it knows of objects: reminders that are under way
//! must still hear of a payment (R1). Whatever awaits a moment of the absorbed contact begins anew; moments of
//! the survivor are counted by the zone and the dates that are left to it.
//!
//! **Absent:** names, objects and lists themselves, which the store gives back; and computed segments, which
//! are asked anew for both.

use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::{Consent, Contact, SuppressionReason};
use crate::decide::{Effect, Turn};
use crate::identity::{MergeRecord, UNDO_WITHIN, Undo};
use crate::ids::ContactId;
use crate::journey::On;
use crate::ledger::{LedgerEntry, Reason, What};
use crate::snapshot::Snapshot;
use crate::value::{Fields, Root};
use crate::world::{Needs, World};

use super::person::strictness;

/// Why a merge cannot be undone. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UndoProblem {
    /// It was not merged.
    #[error("contact {0} is not merged into another one: there is nothing to undo")]
    NotMerged(ContactId),
    /// It was merged too long ago.
    #[error(
        "contact {absorbed} was merged at {at}, more than 24 hours ago: what it was is not kept any longer"
    )]
    TooLate {
        /// Who was absorbed.
        absorbed: ContactId,
        /// When.
        at: Timestamp,
    },
    /// The survivor was itself absorbed since.
    #[error("contact {0}, which it was merged into, was merged on: undo that merge first")]
    SurvivorGone(ContactId),
    /// One of the two was erased since.
    #[error("contact {0} was erased: what it was is not kept")]
    Erased(ContactId),
}

/// Makes two contacts of one again, and returns the effects of survivor and absorbed. Both must be loaded;
/// advances both. A refusal changes neither.
pub fn unmerge(
    world: &World,
    survivor: &mut Snapshot,
    absorbed: &mut Snapshot,
    record: &MergeRecord,
    now: Timestamp,
) -> Result<(Vec<Effect>, Vec<Effect>), UndoProblem> {
    let id = absorbed.contact.id;
    if absorbed.contact.merged_into != Some(survivor.contact.id) {
        return Err(UndoProblem::NotMerged(id));
    }
    if survivor.contact.merged_into.is_some() {
        return Err(UndoProblem::SurvivorGone(survivor.contact.id));
    }
    for one in [&survivor.contact, &absorbed.contact] {
        if one.erased {
            return Err(UndoProblem::Erased(one.id));
        }
    }
    let too_late = UndoProblem::TooLate {
        absorbed: id,
        at: record.at,
    };
    let undo = match &record.undo {
        Some(undo) if now.duration_since(record.at) <= UNDO_WITHIN => undo,
        Some(_) | None => return Err(too_late),
    };

    let mut turn = Turn::new(world, absorbed, now);
    let again = again(undo, &survivor.contact, &turn.snapshot.contact);
    turn.put_contact(|contact| *contact = again);
    turn.is_itself(survivor.contact.id);
    let of_absorbed = turn.effects;

    let mut turn = Turn::new(world, survivor, now);
    let before = turn.snapshot.contact.traits.clone();
    turn.put_contact(|contact| take_back(contact, undo));
    turn.is_itself(id);
    turn.count_anew(&before);
    Ok((turn.effects, of_absorbed))
}

/// What must be loaded of the survivor, beside runs, messages and watches, before a merge can be undone.
pub fn needs_of_unmerge(world: &World, survivor: &Snapshot) -> Needs {
    let mut needs = Needs::default();
    survivor.needs_of_all_runs(world, &mut needs);
    needs
}

/// The absorbed contact, as it was and as strict as the two have become.
fn again(undo: &Undo, survivor: &Contact, left: &Contact) -> Contact {
    let mut one = undo.absorbed.clone();
    for of in [survivor, left] {
        for (channel, said) in &of.channel_consents {
            if *said == Consent::Denied {
                one.channel_consents.insert(*channel, said.clone());
            }
        }
        for (topic, said) in &of.topic_consents {
            if *said == Consent::Denied {
                one.topic_consents.insert(topic.clone(), said.clone());
            }
        }
        for (channel, reason) in &of.suppressed {
            // That an address does not work says nothing of another one.
            let another = *reason == SuppressionReason::HardBounce
                && of.address(*channel) != one.address(*channel);
            let own = one.suppressed.get(channel);
            if !another && own.is_none_or(|own| strictness(*own) < strictness(*reason)) {
                one.suppressed.insert(*channel, *reason);
            }
        }
    }
    // Its runs have been counted; no number is given twice.
    one.enrollments = one.enrollments.max(left.enrollments);
    one.merged_into = None;
    one
}

/// Takes from the survivor the facts that it had from the other, unless they were told again since.
fn take_back(contact: &mut Contact, undo: &Undo) {
    let borrowed = |name: &String, value: &crate::value::Value| {
        !undo.survivor.traits.contains_key(name) && undo.absorbed.traits.get(name) == Some(value)
    };
    contact.traits.retain(|name, value| !borrowed(name, value));
    if undo.survivor.account.is_none() && contact.account_id() == undo.absorbed.account_id() {
        contact.account = None;
    }
    contact.absorbed.remove(&undo.absorbed.id);
    for earlier in &undo.absorbed.absorbed {
        contact.absorbed.remove(earlier);
    }
    if undo.survivor.created_at > contact.created_at {
        contact.created_at = undo.survivor.created_at;
    }
}

impl Turn<'_> {
    /// Counts moments by the facts that are left: the zone and the dates were the other one's, perhaps.
    fn count_anew(&mut self, before: &Fields) {
        let world = self.world;
        let now = &self.snapshot.contact.traits;
        let changed = before.iter().filter(|(name, _)| !now.contains_key(*name));
        let changed: Fields = changed
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let zone = world.zone_of(&self.snapshot.contact);
        let calendar = world.calendar_of(&self.snapshot.contact);
        let moved = zone != self.zone || !Arc::ptr_eq(&calendar, &self.calendar);
        let left = std::mem::replace(&mut self.zone, zone);
        self.calendar = calendar;
        if moved {
            self.rearm_in_zone(&left);
        }
        for watch in self.snapshot.watches.clone() {
            let Some(journey) = world.current(&watch.journey) else {
                continue;
            };
            if let On::Date { path, .. } = &journey.trigger.on
                && path.root == Root::Contact
                && path
                    .names
                    .first()
                    .is_some_and(|name| changed.contains_key(&**name))
            {
                self.arm_date(journey, watch.subject);
            }
        }
        self.recount_waits(moved, None, &changed);
    }

    /// Says that the contact and another are two.
    fn is_itself(&mut self, other: ContactId) {
        let line = LedgerEntry {
            reason: Some(Reason::Unmerged),
            detail: Some(other.to_string()),
            ..self.line(What::Merged)
        };
        self.ledger(line);
    }
}
