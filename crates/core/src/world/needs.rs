//! What must be loaded before an input can be decided: what it may set in motion, at any remove.
//!
//! **Invariant:** a decision over what was asked for is the decision over everything; what is asked too much costs
//! time, what is asked too little lets a journey begin or not by what happened to be at hand. **Absent:** what a contact's
//! own runs and messages ask, see [`crate::snapshot::Snapshot::needs`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::Event;
use crate::ids::{AccountId, EventName, JourneyId, ObjectKind, SegmentId, SubjectRef};
use crate::journey::{Journey, Reentry};
use crate::subject::subject_of;

use super::triggers::Outlet;
use super::{Place, Version, World};

/// What must be loaded beside a contact before its input can be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Events whose history conditions look back over.
    pub history: BTreeSet<EventName>,
    /// Whether the time of the contact's last event is asked for.
    pub last_event: bool,
    /// Objects that runs or the event are about.
    pub objects: BTreeSet<SubjectRef>,
    /// Journeys that may begin, whose earlier entries decide about it.
    pub entries: BTreeSet<JourneyId>,
    /// Kinds of objects of which all that the contact has are asked for.
    pub kinds: BTreeSet<ObjectKind>,
    /// Segments of which it is asked how the contact stands to them.
    pub segments: BTreeSet<SegmentId>,
    /// Accounts that are told of, whether the contact belongs to them or not.
    pub accounts: BTreeSet<AccountId>,
    /// Whether the objects at hand are to come with those that they name.
    pub related: bool,
    /// Whether the list of suppressions is asked about the contact's addresses.
    pub listed: bool,
    /// What is asked beside once it is known how the contact stands to `segments`: that tells how much of its
    /// past must be looked at.
    pub then: Option<Box<Needs>>,
}

impl Needs {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everything, where nothing has to be loaded first.
    pub fn whole(mut self) -> Self {
        if let Some(then) = self.then.take() {
            self.extend(then.whole());
        }
        self
    }

    /// Whether what is asked only once it is known how the contact stands to `segments` was asked too.
    pub fn is_final(&self, loaded: &Self) -> bool {
        self.segments.is_subset(&loaded.segments)
    }

    /// What is needed beyond `loaded`, but for what is asked only then.
    pub fn beyond(&self, loaded: &Self) -> Self {
        fn left<T: Ord + Clone>(wanted: &BTreeSet<T>, loaded: &BTreeSet<T>) -> BTreeSet<T> {
            let missing = wanted.iter().filter(|one| !loaded.contains(*one));
            missing.cloned().collect()
        }
        Self {
            history: left(&self.history, &loaded.history),
            last_event: self.last_event && !loaded.last_event,
            objects: left(&self.objects, &loaded.objects),
            entries: left(&self.entries, &loaded.entries),
            kinds: left(&self.kinds, &loaded.kinds),
            segments: left(&self.segments, &loaded.segments),
            related: self.related && (!loaded.related || !self.objects.is_subset(&loaded.objects)),
            listed: self.listed && !loaded.listed,
            accounts: left(&self.accounts, &loaded.accounts),
            then: None,
        }
    }

    /// What is needed beyond `loaded`; what is asked only then, once what it waits for is loaded.
    pub fn without(mut self, loaded: &Self) -> Self {
        if self.segments.is_subset(&loaded.segments) {
            self = self.whole();
        }
        self.then = None;
        self.history.retain(|name| !loaded.history.contains(name));
        self.objects
            .retain(|subject| !loaded.objects.contains(subject));
        self.entries
            .retain(|journey| !loaded.entries.contains(journey));
        self.kinds.retain(|kind| !loaded.kinds.contains(kind));
        self.segments.retain(|id| !loaded.segments.contains(id));
        self.accounts.retain(|id| !loaded.accounts.contains(id));
        self.last_event &= !loaded.last_event;
        self.related &= !loaded.related || !self.objects.is_empty();
        self.listed &= !loaded.listed;
        self
    }

    /// Adds what was loaded, or is asked at once.
    pub fn extend(&mut self, mut more: Self) {
        self.history.append(&mut more.history);
        self.objects.append(&mut more.objects);
        self.entries.append(&mut more.entries);
        self.kinds.append(&mut more.kinds);
        self.segments.append(&mut more.segments);
        self.accounts.append(&mut more.accounts);
        self.related |= more.related;
        self.last_event |= more.last_event;
        self.listed |= more.listed;
    }
}

impl World {
    /// What an event alone asks to be loaded; [`crate::snapshot::Snapshot::needs`] adds what the runs ask.
    pub fn needs_of_event(&self, event: &Event, needs: &mut Needs) {
        for journey in self.triggered_by(&event.name) {
            self.needs_of_entry(journey, needs);
            needs.objects.extend(
                journey
                    .subject
                    .as_ref()
                    .and_then(|kind| subject_of(event, kind)),
            );
        }
        self.needs_of_objects(event, needs);
        if self.triggers.watch_changes() {
            for name in event.traits.iter().flat_map(|traits| traits.keys()) {
                self.needs_of_change(None, name, needs);
            }
            for kind in &self.kinds {
                self.needs_of_patch(event, kind, needs);
            }
        }
    }

    /// The objects, of kinds that journeys are about, which an event names.
    pub fn subjects_of(&self, event: &Event) -> BTreeSet<SubjectRef> {
        let mut subjects = BTreeSet::new();
        if !self.kinds.is_empty() {
            subjects.extend(self.kinds.iter().filter_map(|kind| subject_of(event, kind)));
        }
        subjects
    }

    /// The objects that an event tells of.
    pub fn needs_of_objects(&self, event: &Event, needs: &mut Needs) {
        let told = self.kinds.iter().filter_map(|kind| subject_of(event, kind));
        needs.objects.extend(told);
        let patched = event.objects.iter().map(|patch| patch.subject.clone());
        needs.objects.extend(patched);
        needs.objects.extend(event.subject.clone());
    }

    fn needs_of_patch(&self, event: &Event, kind: &ObjectKind, needs: &mut Needs) {
        let told = crate::subject::patch_of(event, kind);
        let own = event.objects.iter().filter(|one| one.subject.kind == *kind);
        for patch in told.iter().chain(own) {
            for name in patch.fields.keys() {
                self.needs_of_change(Some(kind), name, needs);
            }
        }
    }

    /// What is asked where a trait or field may change.
    pub fn needs_of_change(&self, kind: Option<&ObjectKind>, name: &str, needs: &mut Needs) {
        for journey in self.triggered_by_change(kind, name) {
            self.needs_of_entry(journey, needs);
        }
    }

    /// What is asked where a journey may begin: its own, and that of journeys which it may begin.
    pub fn needs_of_entry(&self, journey: &Journey, needs: &mut Needs) {
        self.needs_of_own_entry(journey, needs);
        self.needs_of_steps(journey, needs);
    }

    /// What is asked by journeys that this one's steps may begin, at any remove: by name, or by what they change.
    pub fn needs_of_steps(&self, journey: &Journey, needs: &mut Needs) {
        let mut known: BTreeSet<&JourneyId> = BTreeSet::new();
        let mut open: Vec<&Outlet> = self.outlets_of(journey).iter().collect();
        while let Some(outlet) = open.pop() {
            let begun: Vec<&Arc<Journey>> = match outlet {
                Outlet::Enroll(id) => self.current(id).into_iter().collect(),
                Outlet::Change((kind, name)) => self.begun_by_change(kind.as_ref(), name, needs),
            };
            for journey in begun {
                if known.insert(&journey.id) {
                    self.needs_of_own_entry(journey, needs);
                    open.extend(self.outlets_of(journey));
                }
            }
        }
    }

    /// What is asked where a trait or field changes that no event told of: how the contact stands to segments that
    /// it may bring it into or out of, and all that may begin by that.
    pub(crate) fn needs_of_own_change(
        &self,
        kind: Option<&ObjectKind>,
        name: &str,
        needs: &mut Needs,
    ) {
        for journey in self.begun_by_change(kind, name, needs) {
            self.needs_of_entry(journey, needs);
        }
    }

    /// Journeys that a change may begin: by itself, by segments that the contact comes into or leaves, and by what
    /// those set. What tells it of these segments is asked for.
    fn begun_by_change(
        &self,
        kind: Option<&ObjectKind>,
        name: &str,
        needs: &mut Needs,
    ) -> Vec<&Arc<Journey>> {
        let mut begun: Vec<_> = self.triggered_by_change(kind, name).iter().collect();
        let concerned = match kind {
            None => self.segments.by_trait(name),
            Some(kind) => self.segments.by_kind(kind),
        };
        if concerned.is_empty() {
            return begun;
        }
        let concerned = self.segments.close(concerned.iter().copied());
        self.needs_of_members(&concerned, needs);
        for kept in concerned
            .iter()
            .filter_map(|place| self.segments.at(*place))
        {
            for member in [true, false] {
                begun.extend(self.triggered_by_segment(&kept.segment.id, member));
            }
            if let Some((name, _)) = &kept.segment.sets {
                begun.extend(self.triggered_by_change(None, name));
            }
        }
        begun
    }

    /// How the contact stands to segments, and to those that they name.
    pub(crate) fn needs_of_members(&self, places: &[Place], needs: &mut Needs) {
        for kept in places.iter().filter_map(|place| self.segments.at(*place)) {
            needs.segments.extend(kept.asks.segments.iter().cloned());
            needs.segments.insert(kept.segment.id.clone());
        }
    }

    /// All that telling segments anew may ask of a contact, from a page of contacts without runs as well:
    /// [`World::has_consequences`] says whether that is enough.
    pub fn needs_of_assess(&self, ids: &[SegmentId]) -> Needs {
        let mut needs = Needs::default();
        for id in self.segments_with(ids) {
            self.needs_of_telling(&id, &mut needs);
            let segment = self.segment(&id);
            if segment.is_some_and(|segment| segment.announce) {
                self.needs_of_turn(&id, None, &mut needs);
            }
        }
        needs
    }

    /// What one segment's condition asks, all of it.
    pub(crate) fn needs_of_telling(&self, id: &SegmentId, needs: &mut Needs) {
        needs.segments.insert(id.clone());
        if let Some(asks) = self.segments.asks(id) {
            needs.history.extend(asks.history.iter().cloned());
            needs.segments.extend(asks.segments.iter().cloned());
            needs.kinds.extend(asks.kinds.iter().cloned());
        }
    }

    /// What is asked where a contact may come into a segment (`Some(true)`), leave it, or either.
    pub(crate) fn needs_of_turn(&self, id: &SegmentId, member: Option<bool>, needs: &mut Needs) {
        for way in [true, false] {
            if member.is_none_or(|member| member == way) {
                for journey in self.triggered_by_segment(id, way) {
                    self.needs_of_entry(journey, needs);
                }
            }
        }
        let sets = self.segment(id).and_then(|segment| segment.sets.as_ref());
        if let Some((name, _)) = sets.filter(|_| member != Some(false)) {
            self.needs_of_change(None, name, needs);
        }
    }

    fn needs_of_own_entry(&self, journey: &Journey, needs: &mut Needs) {
        // Where every entry is welcome, earlier ones are not asked for.
        if journey.reentry != Reentry::Always {
            needs.entries.insert(journey.id.clone());
        }
        self.needs_of_history(journey, needs);
    }

    /// What a run of a journey may look back over: its history, segments and other objects.
    pub fn needs_of_history(&self, journey: &Journey, needs: &mut Needs) {
        let versions = self.versions.get(&journey.id);
        let version = versions.and_then(|versions| versions.get(&journey.version));
        let Some(Version { asks, .. }) = version else {
            return;
        };
        for name in &asks.history {
            if !needs.history.contains(name) {
                needs.history.insert(name.clone());
            }
        }
        for id in &asks.segments {
            if !needs.segments.contains(id) {
                needs.segments.insert(id.clone());
            }
        }
        needs.kinds.extend(asks.kinds.iter().cloned());
    }

    /// What an event that was told late asks beside [`World::needs_of_event`]: what ends or turns the
    /// runs that it begins may have been told before it.
    pub fn needs_of_late_event(&self, event: &Event, needs: &mut Needs) {
        for journey in self.triggered_by(&event.name) {
            needs.history.extend(journey.turning_names().cloned());
        }
    }
}
