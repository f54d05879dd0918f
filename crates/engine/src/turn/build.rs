//! Segments are defined, changed and taken out of force.
//!
//! Who belongs to a new or changed segment is told of each contact in one pass: a sweep that reads pages of
//! contacts with what the definitions ask, and decides [`Input::Assess`]. What happens meanwhile is decided
//! by the new definition at once, whether the pass has come to the contact or not, so the segment is exact
//! when the pass ends. Segments that depend on a changed one pass with it, in order of dependency.
//!
//! **Absent:** what a verdict is (see core), how a page is read fast (see the store).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::condition::{Condition, Did};
use relance_core::contact::Contact;
use relance_core::decide::{Effect, Input, TimerKind, decide};
use relance_core::ids::{ContactId, EventName, SegmentId};
use relance_core::segment::{Rule, Segment};
use relance_core::snapshot::Snapshot;
use relance_core::time::Delay;
use relance_core::value::Root;
use relance_core::world::World;

use super::lifecycle::{Sweep, Task};
use super::{Engine, Work};
use crate::arrival::SegmentChanges;
use crate::ports::{Asset, Change, Counts, Dispatcher, Store, StoreError, StoredSegment};

/// Contacts that one turn takes of a build: some 20 ms of work.
pub const BUILD_CONTACTS_PER_TURN_MAX: usize = 2_000;
/// Of these, contacts for which a verdict has consequences (a run that begins or goes on, a trait, a date to
/// wait for): a segment that matches everyone while a journey listens begins at most so many runs a turn.
pub const BUILD_CONSEQUENCES_PER_TURN_MAX: usize = 400;
/// Members of a segment that is gone, that one turn lets go.
pub const FORGOTTEN_MEMBERS_PER_TURN_MAX: usize = 2_000;

/// A pass over all contacts that tells anew who belongs to some segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// Which, each after those that it depends on.
    pub segments: Vec<SegmentId>,
    /// Since when.
    pub since: Timestamp,
    /// Contacts looked at so far, of all that there are.
    pub looked: u64,
}

/// The pass that an asset of the sort [`SWEEP`](super::SWEEP) tells of, if it is one. A segment that no asset names as
/// being built is ready.
pub fn building_of(asset: &Asset) -> Option<Building> {
    asset.name.strip_prefix(PREFIX)?;
    let (_, building) = read_body(asset.body.as_deref()?)?;
    Some(building)
}

/// How far a turn brought a pass.
pub(super) enum Page {
    /// The store gets ready.
    Prepared,
    /// To this contact.
    Until(ContactId),
    /// To its end.
    Last,
}

impl Page {
    fn until(last: Option<ContactId>) -> Self {
        last.map_or(Self::Last, Self::Until)
    }
}

/// How the names of such assets begin; the first segment follows.
pub(super) const PREFIX: &str = "build:";

/// The text of a pass: a line of numbers, and a line for each segment.
pub(super) fn body(after: Option<ContactId>, building: &Building) -> String {
    let mut text = format!(
        "{} {} {}",
        after.map_or(0, |contact| contact.0),
        building.looked,
        building.since.as_millisecond()
    );
    for id in &building.segments {
        text.push('\n');
        text.push_str(id.as_str());
    }
    text
}

pub(super) fn read_body(text: &str) -> Option<(Option<ContactId>, Building)> {
    let mut lines = text.lines();
    let mut numbers = lines.next()?.split(' ');
    let after: u64 = numbers.next()?.parse().ok()?;
    let looked = numbers.next()?.parse().ok()?;
    let since = Timestamp::from_millisecond(numbers.next()?.parse().ok()?).ok()?;
    let building = Building {
        segments: lines.map(SegmentId::from).collect(),
        since,
        looked,
    };
    Some(((after > 0).then_some(ContactId(after)), building))
}

/// What a definition looks at.
#[derive(Debug, Default)]
struct Looks {
    /// Other segments.
    segments: BTreeSet<SegmentId>,
    /// Events of which all may count.
    whole: BTreeSet<EventName>,
    /// Events of which these properties count.
    properties: BTreeMap<EventName, BTreeSet<Box<str>>>,
    /// How long ago an event may be to count; `None` where nothing is too long ago.
    within: BTreeMap<EventName, Vec<Option<Delay>>>,
}

impl Looks {
    fn of(segment: &Segment) -> Self {
        let mut looks = Self::default();
        let Some(condition) = segment.condition() else {
            return looks;
        };
        condition.visit(&mut |one| {
            if let Condition::InSegment(id) = one {
                looks.segments.insert(id.clone());
            }
            if let Condition::Rfm(rfm) = one {
                looks.whole.insert(rfm.event.clone());
                looks.reach(&rfm.event, None);
            }
            if let Condition::Did(did) = one {
                looks.did(did);
            }
        });
        looks
    }

    /// An event and what must have followed it; conditions inside are visited by themselves.
    fn did(&mut self, did: &Did) {
        let mut next = Some(did);
        while let Some(did) = next {
            let properties = self.properties.entry(did.event.clone()).or_default();
            if let Some(filter) = &did.filter {
                filter.visit(&mut |one| {
                    if let Condition::Field { path, .. } = one
                        && path.root == Root::Event
                    {
                        properties.extend(path.names.first().cloned());
                    }
                });
            }
            self.reach(&did.event, did.within);
            next = did.then.as_deref();
        }
    }

    fn reach(&mut self, name: &EventName, within: Option<Delay>) {
        self.within.entry(name.clone()).or_default().push(within);
    }
}

/// These segments and all that depend on them, each after those that it depends on.
fn with_dependents(world: &World, changed: BTreeSet<SegmentId>) -> Vec<SegmentId> {
    let looks: BTreeMap<&SegmentId, Looks> = world
        .segments()
        .map(|segment| (&segment.id, Looks::of(segment)))
        .collect();
    let mut wanted = changed;
    loop {
        let more: Vec<SegmentId> = looks
            .iter()
            .filter(|(id, looks)| !wanted.contains(**id) && !looks.segments.is_disjoint(&wanted))
            .map(|(id, _)| (*id).clone())
            .collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    let mut ordered = Vec::new();
    let mut left: BTreeSet<&SegmentId> =
        wanted.iter().filter(|id| looks.contains_key(id)).collect();
    while !left.is_empty() {
        let waits = |id: &SegmentId| {
            let asked = looks.get(id).into_iter().flat_map(|looks| &looks.segments);
            let mut asked = asked.filter(|other| *other != id);
            asked.any(|other| left.contains(other))
        };
        let mut ready: Vec<&SegmentId> = left.iter().copied().filter(|id| !waits(id)).collect();
        if ready.is_empty() {
            // Segments that ask about one another in a circle are refused where they are read.
            ready = left.iter().copied().collect();
        }
        for id in ready {
            left.remove(id);
            ordered.push(id.clone());
        }
    }
    ordered
}

/// Whether it can be told who belongs without looking at each contact: as it was told before.
fn keeps_members(before: Option<&Arc<Segment>>, after: &Segment) -> bool {
    match before {
        None => after.rule == Rule::Listed,
        Some(before) => before.rule == after.rule && before.sets == after.sets,
    }
}

/// Whether who belongs depends on the bounds of recency, frequency and money.
fn asks_for_scores(segment: &Segment) -> bool {
    let mut asks = false;
    if let Some(condition) = segment.condition() {
        condition.visit(&mut |one| asks |= matches!(one, Condition::Rfm(_)));
    }
    asks
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Lets definitions take the place of others, and begins what follows of it.
    pub(super) fn define_segments(
        &mut self,
        changes: &SegmentChanges,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut changed = BTreeSet::new();
        for id in &changes.removed {
            self.store.remove_segment(id)?;
            self.world.remove_segment(id);
            changed.insert(id.clone());
        }
        for text in &changes.defined {
            for segment in &text.segments {
                let stored = StoredSegment {
                    id: segment.id.clone(),
                    text: text.text.clone(),
                };
                self.store.put_segment(&stored, now)?;
                let unchanged = keeps_members(self.world.segment(&segment.id), segment);
                self.world.add_segment(segment.clone());
                if changed.remove(&segment.id) || !unchanged {
                    changed.insert(segment.id.clone());
                }
            }
        }
        if let Some(bounds) = changes.rfm {
            self.world.rfm = Some(bounds);
            let asking = self
                .world
                .segments()
                .filter(|segment| asks_for_scores(segment));
            changed.extend(asking.map(|segment| segment.id.clone()));
        }
        let defined = |id: &SegmentId| self.world.segment(id).is_some();
        let gone: Vec<SegmentId> = changed.iter().filter(|id| !defined(id)).cloned().collect();
        let defined = changes.defined.iter().flat_map(|text| &text.segments);
        let again: BTreeSet<&SegmentId> = defined.map(|segment| &segment.id).collect();
        let forgets = |sweep: &Sweep| match &sweep.task {
            Task::Forget(id) => changed.contains(id) || again.contains(id),
            Task::Journey(..) | Task::Build(_) | Task::Reconsider(_) => false,
        };
        self.end_sweeps(forgets, now)?;
        for id in gone {
            self.put_sweep(Sweep::new(Task::Forget(id)), now)?;
        }
        self.begin_build(changed, now)
    }

    /// Begins a pass for segments and those that depend on them, or lets one that has not begun take them
    /// along. Passes under way leave them to it.
    fn begin_build(
        &mut self,
        changed: BTreeSet<SegmentId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut wanted: BTreeSet<SegmentId> = with_dependents(&self.world, changed.clone())
            .into_iter()
            .collect();
        let mut others = Vec::new();
        for sweep in &self.sweeps {
            let Task::Build(building) = &sweep.task else {
                continue;
            };
            let mut left = building.clone();
            left.segments
                .retain(|id| !wanted.contains(id) && !changed.contains(id));
            if sweep.after.is_none() {
                wanted.extend(std::mem::take(&mut left.segments));
            }
            let after = sweep.after;
            others.extend((!left.segments.is_empty()).then_some((after, left)));
        }
        self.end_sweeps(|sweep| matches!(sweep.task, Task::Build(_)), now)?;
        for (after, building) in others {
            let task = Task::Build(building);
            self.put_sweep(Sweep { task, after }, now)?;
        }
        if !wanted.is_empty() {
            let building = Building {
                segments: with_dependents(&self.world, wanted),
                since: now,
                looked: 0,
            };
            self.put_sweep(Sweep::new(Task::Build(building)), now)?;
        }
        Ok(())
    }

    /// Lets some members of a segment go that is not in force; says whether any may be left.
    pub(super) fn forget_page(&mut self, id: &SegmentId) -> Result<bool, StoreError> {
        let limit = FORGOTTEN_MEMBERS_PER_TURN_MAX.min(self.build_page);
        Ok(self.store.drop_members(id, limit)? == limit)
    }

    /// Takes one page of a pass.
    pub(super) fn build_page(
        &mut self,
        building: &mut Building,
        after: Option<ContactId>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        let input = Input::Assess(building.segments.as_slice().into());
        let nobody = Snapshot::new(Contact::new(ContactId(0), now));
        let needs = nobody.needs(&self.world, &input).whole();
        let counts = self.counts(building, &needs.history);
        if !self.store.prepare_scan(after, &needs, &counts)? {
            return Ok(Page::Prepared);
        }
        let page = match self.store.scan(after, self.build_limit, &needs) {
            Ok(page) => page,
            Err(StoreError::Unreadable { .. }) => {
                let limit = self.build_limit.min(BUILD_CONSEQUENCES_PER_TURN_MAX);
                let page = self.store.contacts_after(after, limit)?;
                building.looked += page.len() as u64;
                self.assess_whole(&page, &input, work, now)?;
                return Ok(Page::until(page.last().copied()));
            }
            Err(error) => return Err(error),
        };
        let mut whole = Vec::new();
        let mut last = None;
        let asked = page.len();
        let mut seen = 0;
        let most = BUILD_CONSEQUENCES_PER_TURN_MAX.min(self.build_page);
        for mut snapshot in page {
            if whole.len() >= most {
                break;
            }
            let contact = snapshot.contact.id;
            last = Some(contact);
            seen += 1;
            // What the turn holds of a contact is newer, and goes along with what is decided.
            let is_held = work.contacts.contains_key(&contact);
            let has_runs = snapshot.contact.enrollments > 0;
            // Who never ran a journey asks what everyone asks. Earlier entries matter where one begins: then
            // all is loaded.
            let asks_more = || {
                let mut more = snapshot.needs(&self.world, &input).without(&needs);
                more.entries.clear();
                !more.is_empty()
            };
            if is_held || (has_runs && asks_more()) {
                whole.push(contact);
                continue;
            }
            let effects = decide(&self.world, &mut snapshot, &input, now);
            let is_all = effects.iter().all(|effect| self.is_all(effect, has_runs));
            if !is_all || (!effects.is_empty() && !self.holds(contact)) {
                whole.push(contact);
                continue;
            }
            work.summary.decided += 1;
            if !effects.is_empty() {
                work.changes.push(Change { contact, effects });
            }
        }
        // A page that is read again is not read for nothing twice.
        self.build_limit = if seen < asked {
            seen.max(most)
        } else {
            (self.build_limit * 2).min(self.build_page)
        };
        building.looked += seen as u64;
        self.assess_whole(&whole, &input, work, now)?;
        Ok(Page::until(last))
    }

    /// Whether an effect of an assessment is all that follows of it: nothing of what was not read, such as
    /// runs and dates that are awaited, can be concerned.
    fn is_all(&self, effect: &Effect, has_runs: bool) -> bool {
        match effect {
            Effect::Membership {
                segment,
                before,
                after,
            } => {
                let awaited = || has_runs || !self.world.scheduled(Some(segment)).is_empty();
                before.member == after.member || !awaited()
            }
            Effect::Arm(timer) | Effect::Disarm(timer) => {
                matches!(timer.kind, TimerKind::Segment(_))
            }
            Effect::Contact(_)
            | Effect::Enrollment(_)
            | Effect::Entry(_)
            | Effect::Touchpoint(_)
            | Effect::Watch(_)
            | Effect::Unwatch(_)
            | Effect::Object(_)
            | Effect::Event(_)
            | Effect::Task(_)
            | Effect::TaskChanged { .. }
            | Effect::Ledger(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Revoke(_)
            | Effect::Account { .. }
            | Effect::Belongs { .. }
            | Effect::RequestSync(_) => false,
        }
    }

    /// Decides contacts with all that belongs to them.
    fn assess_whole(
        &mut self,
        contacts: &[ContactId],
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.set_aside(contacts.iter().copied(), work)?;
        let readable: Vec<ContactId> = contacts
            .iter()
            .copied()
            .filter(|contact| !self.unreadable.contains(contact))
            .collect();
        self.foresee(readable.iter().map(|contact| (*contact, input)), now, work)?;
        for contact in readable {
            self.decide_or_leave(contact, input, work, now)?;
        }
        Ok(())
    }

    /// What of these names counts for the segments of a pass. The same all through the pass.
    fn counts(&self, building: &Building, names: &BTreeSet<EventName>) -> Counts {
        let mut counts = Counts::default();
        let asked = self.world.segments_with(&building.segments);
        let defined = asked.iter().filter_map(|id| self.world.segment(id));
        let looks: Vec<Looks> = defined.map(|segment| Looks::of(segment)).collect();
        for name in names {
            if !looks.iter().any(|looks| looks.whole.contains(name)) {
                let properties = looks.iter().filter_map(|looks| looks.properties.get(name));
                let properties = properties.flatten().cloned().collect();
                counts.properties.insert(name.clone(), properties);
            }
            let within = looks.iter().filter_map(|looks| looks.within.get(name));
            let since = within.flatten().map(|within| {
                let within = within.as_ref()?;
                within.sub_at_least(building.since)
            });
            // None of them asks for all that ever was.
            let since = since.collect::<Option<Vec<_>>>();
            let since = since.and_then(|since| since.into_iter().min());
            counts
                .since
                .extend(since.map(|since| (name.clone(), since)));
        }
        counts
    }
}
