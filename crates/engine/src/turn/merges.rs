//! Contacts that turn out to be one, and two again.
//!
//! What comes for a contact that was absorbed is told to the one that it is, with names of runs and messages
//! translated: links, answers and outcomes under old names lead where they should. Nothing is looked up for
//! that until such a contact is loaded.
//!
//! A merge that something stands against for a while is kept, and tried again when something happens to
//! either contact. Who belongs to computed segments is told anew in the same turn, for the survivor, and for
//! both after an undoing. **Absent:** what a merge does ([`merge()`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::{
    Effect, Input, MergeProblem, UndoProblem, merge, needs_of_merge, needs_of_unmerge, unmerge,
};
use relance_core::event::{Event, names};
use relance_core::identity::{MergeRecord, Undo};
use relance_core::ids::{ContactId, SegmentId, TouchpointId};
use relance_core::segment::{Membership, Rule};
use relance_core::snapshot::Snapshot;
use relance_core::value::Value;
use relance_core::world::Needs;

use super::{Engine, Work};
use crate::ports::{Asset, Change, Dispatcher, Store, StoreError};

/// The sort of assets that merges are which wait for something; the name is the absorbed contact's id.
pub const PENDING_MERGE: &str = "merge";
/// Merges that may wait.
pub const PENDING_MERGES_MAX: usize = 1_000;
/// How long a merge may wait.
const PENDING_MERGE_AGE_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Merges that one turn tries again.
const MERGES_RETRIED_PER_TURN_MAX: usize = 20;

/// A merge that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PendingMerge {
    survivor: ContactId,
    absorbed: ContactId,
    since: Timestamp,
    by: Arc<str>,
}

impl PendingMerge {
    fn asset(&self) -> Asset {
        let (survivor, since, by) = (self.survivor, self.since, &self.by);
        Asset {
            kind: PENDING_MERGE.to_owned(),
            name: self.absorbed.to_string(),
            body: Some(format!("{survivor} {since} {by}")),
        }
    }

    fn read(asset: &Asset) -> Option<Self> {
        let mut words = asset.body.as_deref()?.splitn(3, ' ');
        Some(Self {
            absorbed: asset.name.parse().ok()?,
            survivor: words.next()?.parse().ok()?,
            since: words.next()?.parse().ok()?,
            by: words.next()?.into(),
        })
    }
}

/// Merges that waited when the program ended.
pub(super) fn pending(store: &mut impl Store) -> Result<Vec<PendingMerge>, StoreError> {
    let unreadable = |asset: &Asset| StoreError::Unreadable {
        place: format!("asset {PENDING_MERGE} {}", asset.name),
        what: "no merge".to_owned(),
    };
    let assets = store.assets(PENDING_MERGE)?;
    assets
        .iter()
        .map(|asset| PendingMerge::read(asset).ok_or_else(|| unreadable(asset)))
        .collect()
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Whoever a contact is now.
    pub(super) fn whole(
        &mut self,
        contact: ContactId,
        work: &mut Work,
    ) -> Result<ContactId, StoreError> {
        let mut contact = contact;
        // A chain of merges has no loop: who goes on is never gone at that time.
        loop {
            self.load(std::iter::once(contact), work)?;
            let loaded = work.contacts.get(&contact);
            match loaded.and_then(|one| one.snapshot.contact.merged_into) {
                Some(next) => contact = next,
                None => return Ok(contact),
            }
        }
    }

    /// Tells inputs of contacts that were absorbed to those that they are now. The contacts named are loaded.
    pub(super) fn follow_merges(
        &mut self,
        inputs: Vec<(ContactId, Input)>,
        work: &mut Work,
    ) -> Result<Vec<(ContactId, Input)>, StoreError> {
        let is_gone = |contact: &ContactId, work: &Work| {
            let loaded = work.contacts.get(contact);
            loaded.is_some_and(|one| one.snapshot.contact.merged_into.is_some())
        };
        if !work.knows_gone || !inputs.iter().any(|(contact, _)| is_gone(contact, work)) {
            return Ok(inputs);
        }
        let mut told = Vec::with_capacity(inputs.len());
        for (mut contact, input) in inputs {
            let mut input = Some(input);
            while is_gone(&contact, work) {
                let Some(record) = self.store.merge_record(contact)? else {
                    break;
                };
                input = input.and_then(|input| translated(input, &record));
                contact = record.survivor;
                self.load(std::iter::once(contact), work)?;
            }
            told.extend(input.map(|input| (contact, input)));
        }
        Ok(told)
    }

    /// Makes one contact of two, or puts it off. What was decided before must be in `work`.
    pub(super) fn merge_contacts(
        &mut self,
        survivor: ContactId,
        absorbed: ContactId,
        by: &Arc<str>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let whole = [self.whole(survivor, work)?, self.whole(absorbed, work)?];
        if !self.holds(whole[0]) || !self.gathers(&whole) {
            // Whoever holds the survivor makes them one, once it holds the other as well.
            let waiting = PendingMerge {
                survivor,
                absorbed,
                since: now,
                by: by.clone(),
            };
            return self.put_off(waiting, work, now);
        }
        match self.try_merge(survivor, absorbed, by, work, now)? {
            Ok(()) => self.forget_pending(absorbed, work, now),
            Err(problem) if may_pass(problem) => {
                tracing::info!(%survivor, %absorbed, %problem, "a merge is put off");
                let waiting = PendingMerge {
                    survivor,
                    absorbed,
                    since: now,
                    by: by.clone(),
                };
                self.put_off(waiting, work, now)
            }
            Err(problem) => {
                tracing::warn!(%survivor, %absorbed, %problem, "contacts are not merged");
                self.forget_pending(absorbed, work, now)
            }
        }
    }

    fn try_merge(
        &mut self,
        survivor: ContactId,
        absorbed: ContactId,
        by: &Arc<str>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Result<(), MergeProblem>, StoreError> {
        let survivor = self.whole(survivor, work)?;
        let absorbed = self.whole(absorbed, work)?;
        if survivor == absorbed {
            return Ok(Err(MergeProblem::Same(survivor)));
        }
        // What is loaded must include what this turn decided before.
        self.write(work)?;
        let (Some(ours), Some(theirs)) =
            (work.contacts.get(&survivor), work.contacts.get(&absorbed))
        else {
            return Ok(Err(MergeProblem::Gone(absorbed)));
        };
        let needs = needs_of_merge(&self.world, &ours.snapshot, &theirs.snapshot);
        let (Some(mut ours), Some(mut theirs)) = (
            work.contacts.remove(&survivor),
            work.contacts.remove(&absorbed),
        ) else {
            return Ok(Err(MergeProblem::Gone(absorbed)));
        };
        for one in [&mut ours, &mut theirs] {
            let missing = needs.clone().without(&one.needs);
            self.store.load_needs(&mut one.snapshot, &missing)?;
            one.needs.extend(missing);
        }
        let undo = self.undo_of(&ours.snapshot, &theirs.snapshot);
        let merged = merge(&self.world, &mut ours.snapshot, &mut theirs.snapshot, now);
        let merged = match merged {
            Ok(merged) => merged,
            Err(problem) => {
                work.contacts.insert(survivor, ours);
                work.contacts.insert(absorbed, theirs);
                return Ok(Err(problem));
            }
        };
        let record = MergeRecord {
            survivor,
            absorbed,
            at: now,
            by: by.clone(),
            runs: merged
                .runs
                .iter()
                .map(|(old, new)| (old.number, new.number))
                .collect(),
            messages: merged
                .messages
                .iter()
                .map(|(old, new)| (old.hash, new.hash))
                .collect(),
            undo: Some(Box::new(undo)),
        };
        self.hand_over(absorbed, &theirs.snapshot, merged.absorbed, work, now);
        self.hand_over(survivor, &ours.snapshot, merged.survivor, work, now);
        self.write(work)?;
        self.store.merge(&record)?;
        tracing::info!(%survivor, %absorbed, by = &*record.by, "two contacts are one");
        // Whatever is asked next is read anew: the survivor's past has grown.
        self.assess(survivor, work, now)?;
        Ok(Ok(()))
    }

    fn undo_of(&self, ours: &Snapshot, theirs: &Snapshot) -> Undo {
        let lists = |of: &Snapshot| -> BTreeSet<SegmentId> {
            let members = of.memberships.iter().filter(|(id, one)| {
                let list = self.world.segment(id).map(|segment| &segment.rule);
                one.member && list == Some(&Rule::Listed)
            });
            members.map(|(id, _)| id.clone()).collect()
        };
        let (own, lists) = (lists(ours), lists(theirs));
        Undo {
            survivor: ours.contact.clone(),
            absorbed: theirs.contact.clone(),
            shared_lists: lists.intersection(&own).cloned().collect(),
            lists,
        }
    }

    /// Asks anew who belongs to computed segments.
    fn assess(
        &mut self,
        contact: ContactId,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let computed = self
            .world
            .segments()
            .filter(|one| one.condition().is_some());
        let computed: Vec<SegmentId> = computed.map(|one| one.id.clone()).collect();
        if computed.is_empty() {
            return Ok(());
        }
        self.load(std::iter::once(contact), work)?;
        self.decide_one(contact, &Input::Assess(computed.into()), work, now)
    }

    /// Undoes a merge, if it can be.
    pub(super) fn unmerge_contacts(
        &mut self,
        absorbed: ContactId,
        by: &Arc<str>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.forget_pending(absorbed, work, now)?;
        match self.try_unmerge(absorbed, work, now)? {
            Ok(survivor) => {
                tracing::info!(%survivor, %absorbed, by = &**by, "a merge was undone");
            }
            Err(problem) => tracing::warn!(%absorbed, %problem, "a merge is not undone"),
        }
        Ok(())
    }

    fn try_unmerge(
        &mut self,
        absorbed: ContactId,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Result<ContactId, UndoProblem>, StoreError> {
        self.write(work)?;
        let Some(record) = self.store.merge_record(absorbed)? else {
            return Ok(Err(UndoProblem::NotMerged(absorbed)));
        };
        let survivor = record.survivor;
        self.load([survivor, absorbed].into_iter(), work)?;
        let (Some(mut ours), Some(mut theirs)) = (
            work.contacts.remove(&survivor),
            work.contacts.remove(&absorbed),
        ) else {
            return Ok(Err(UndoProblem::NotMerged(absorbed)));
        };
        let needs = needs_of_unmerge(&self.world, &ours.snapshot).without(&ours.needs);
        self.store.load_needs(&mut ours.snapshot, &needs)?;
        ours.needs.extend(needs);
        let undone = unmerge(
            &self.world,
            &mut ours.snapshot,
            &mut theirs.snapshot,
            &record,
            now,
        );
        let (mut of_survivor, mut of_absorbed) = match undone {
            Ok(effects) => effects,
            Err(problem) => {
                work.contacts.insert(survivor, ours);
                work.contacts.insert(absorbed, theirs);
                return Ok(Err(problem));
            }
        };
        if let Some(undo) = &record.undo {
            let needs = Needs {
                segments: undo.lists.clone(),
                ..Needs::default()
            };
            self.store.load_needs(&mut ours.snapshot, &needs)?;
            let list = |id: &SegmentId, member: bool| Effect::Membership {
                segment: id.clone(),
                before: Membership {
                    member: !member,
                    due: None,
                },
                after: Membership { member, due: None },
            };
            of_absorbed.extend(undo.lists.iter().map(|id| list(id, true)));
            let lent = undo.lists.difference(&undo.shared_lists);
            let still = lent.filter(|id| {
                let own = ours.snapshot.memberships.get(*id);
                own.is_some_and(|one| one.member)
            });
            of_survivor.extend(still.map(|id| list(id, false)));
        }
        self.hand_over(absorbed, &theirs.snapshot, of_absorbed, work, now);
        self.hand_over(survivor, &ours.snapshot, of_survivor, work, now);
        self.write(work)?;
        self.store.unmerge(absorbed)?;
        self.pairs.clear();
        for one in [survivor, absorbed] {
            self.assess(one, work, now)?;
        }
        // What it awaited began nothing while it was gone.
        self.load(std::iter::once(absorbed), work)?;
        let waiting = self
            .world
            .all_current()
            .filter(|one| one.trigger.waits_for_contacts());
        let waiting: Vec<_> = waiting.map(|one| one.id.clone()).collect();
        for journey in waiting {
            self.decide_one(absorbed, &Input::Arm(journey), work, now)?;
        }
        Ok(Ok(survivor))
    }

    /// Puts effects of a contact that is not held by the turn among its changes.
    fn hand_over(
        &mut self,
        contact: ContactId,
        snapshot: &Snapshot,
        effects: Vec<Effect>,
        work: &mut Work,
        now: Timestamp,
    ) {
        let (_, changes, gains) = work.parts();
        let effects = gains.gather(effects, snapshot, &self.write_title, now);
        if !effects.is_empty() {
            changes.push(Change { contact, effects });
        }
    }

    /// Keeps a merge for later.
    fn put_off(
        &mut self,
        waiting: PendingMerge,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut all = self.pending_of(work);
        if all.iter().any(|one| one.absorbed == waiting.absorbed) {
            return Ok(());
        }
        if all.len() >= PENDING_MERGES_MAX {
            tracing::warn!(absorbed = %waiting.absorbed, "too many merges wait; this one is left out");
            return Ok(());
        }
        self.store.put_asset(&waiting.asset(), now)?;
        all.push(waiting);
        work.pending_merges = Some(all);
        work.announced.configuration = true;
        Ok(())
    }

    fn pending_of(&self, work: &Work) -> Vec<PendingMerge> {
        work.pending_merges
            .clone()
            .unwrap_or_else(|| self.pending_merges.clone())
    }

    fn forget_pending(
        &mut self,
        absorbed: ContactId,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let waits = |one: &PendingMerge| one.absorbed == absorbed;
        let known = work.pending_merges.as_ref().unwrap_or(&self.pending_merges);
        if !known.iter().any(waits) {
            return Ok(());
        }
        let mut all = self.pending_of(work);
        for one in all.extract_if(.., |one| waits(one)) {
            let body = None;
            let asset = Asset {
                body,
                ..one.asset()
            };
            self.store.put_asset(&asset, now)?;
        }
        work.pending_merges = Some(all);
        work.announced.configuration = true;
        Ok(())
    }

    /// Tries merges again that waited, where something happened to one of the two in this turn.
    pub(super) fn retry_merges(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let all = std::mem::take(&mut self.retries_merges);
        if self.pending_merges.is_empty() && work.pending_merges.is_none() {
            return Ok(());
        }
        let touched = |one: &PendingMerge| {
            let held = |contact| work.contacts.contains_key(contact);
            held(&one.survivor) || held(&one.absorbed)
        };
        let mut due = self.pending_of(work);
        due.retain(|one| one.since < now && (all || touched(one)));
        for one in due.into_iter().take(MERGES_RETRIED_PER_TURN_MAX) {
            let whole = [
                self.whole(one.survivor, work)?,
                self.whole(one.absorbed, work)?,
            ];
            if !self.holds(whole[0]) || !self.gathers(&whole) {
                continue;
            }
            let outcome = self.try_merge(one.survivor, one.absorbed, &one.by, work, now)?;
            let is_old = now.duration_since(one.since) > PENDING_MERGE_AGE_MAX;
            if outcome.is_ok() || is_old || outcome.is_err_and(|problem| !may_pass(problem)) {
                self.forget_pending(one.absorbed, work, now)?;
            }
        }
        Ok(())
    }
}

/// Whether what stands against a merge goes by itself.
fn may_pass(problem: MergeProblem) -> bool {
    match problem {
        MergeProblem::InFlight(_) | MergeProblem::TooManyRuns { .. } => true,
        MergeProblem::Same(_)
        | MergeProblem::Erased(_)
        | MergeProblem::Gone(_)
        | MergeProblem::TooMany { .. } => false,
    }
}

/// An input of an absorbed contact, for the one that it is now. What concerns a message or a run that did not
/// go over concerns nobody any more.
fn translated(input: Input, record: &MergeRecord) -> Option<Input> {
    Some(match input {
        Input::Event(event) => Input::Event(renamed(event, record)),
        Input::Echo(event) => Input::Echo(renamed(event, record)),
        Input::Claim(id) => Input::Claim(record.message(id)?),
        Input::Settle {
            touchpoint,
            attempt,
            outcome,
        } => Input::Settle {
            touchpoint: record.message(touchpoint)?,
            attempt,
            outcome,
        },
        Input::Approve {
            touchpoint,
            by,
            answer,
        } => Input::Approve {
            touchpoint: record.message(touchpoint)?,
            by,
            answer,
        },
        // The survivor's own are told to it.
        Input::Timer(_)
        | Input::Assess(_)
        | Input::Account
        | Input::Arm(_)
        | Input::Reconsider(_)
        | Input::Resume { .. }
        | Input::End(_) => return None,
        same @ (Input::Suppress { .. }
        | Input::Consent { .. }
        | Input::Confirm(_)
        | Input::Prefer(_)
        | Input::Lift(_)
        | Input::Segment { .. }
        | Input::Enroll { .. }
        | Input::Task(_)
        | Input::Erase) => same,
    })
}

/// An event that names a message by its name now.
fn renamed(event: Arc<Event>, record: &MergeRecord) -> Arc<Event> {
    let told = event.properties.get(names::TOUCHPOINT);
    let old: Option<TouchpointId> = told.and_then(Value::as_str).and_then(|id| id.parse().ok());
    let Some(new) = old.and_then(|old| record.message(old)) else {
        return event;
    };
    let mut event = Arc::unwrap_or_clone(event);
    let new = Value::String(new.to_string());
    event.properties.insert(names::TOUCHPOINT.to_owned(), new);
    Arc::new(event)
}
