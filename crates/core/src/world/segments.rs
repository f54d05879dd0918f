//! Which segments what happens may concern.
//!
//! A segment is found by the names of events that its condition looks back over, the first names of the traits
//! that it compares, the kinds of objects that it looks through, and the segments that it names. So what
//! happens costs nothing for segments that it does not concern. **Invariants:** an entry too many costs time,
//! one too few would leave a contact in a segment where it does not belong; a segment comes after those that it
//! names, so that in the order of telling each is told once.
//!
//! **Absent:** whether anyone then comes in or leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::condition::{Asks, Condition, Knows, Scene};
use crate::contact::Contact;
use crate::event::History;
use crate::ids::{ContactId, EventName, ObjectKind, SegmentId};
use crate::segment::{SEGMENT_DEPTH_MAX, Segment, timer_hash};
use crate::time::{Calendar, Zone};
use crate::value::Root;

use super::PLACE_TRAITS;

/// A segment's place in the order of telling: below those that name it.
pub type Place = u32;

/// Segments in force, by what may concern them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    all: BTreeMap<SegmentId, Arc<Segment>>,
    /// How many have a condition.
    computed: usize,
    /// Made at the first question after a change: many segments change at once.
    index: OnceLock<Arc<Index>>,
}

/// What is found out of definitions.
#[derive(Debug, Default)]
struct Index {
    /// In the order of telling.
    kept: Vec<Kept>,
    places: BTreeMap<SegmentId, Place>,
    by_event: BTreeMap<EventName, Vec<Place>>,
    by_trait: BTreeMap<Box<str>, Vec<Place>>,
    by_kind: BTreeMap<ObjectKind, Vec<Place>>,
    by_segment: BTreeMap<SegmentId, Vec<Place>>,
    by_timer: BTreeMap<u64, Place>,
    by_scores: Vec<Place>,
    /// Of which a contact that nothing is known of is a member.
    at_birth: Vec<Place>,
}

/// A segment in force.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) segment: Arc<Segment>,
    /// What its condition asks to be loaded.
    pub(crate) asks: Asks,
    /// Whether any segment names it.
    pub(crate) is_named: bool,
    /// Whether others may be told anew when it is: they name it, or ask for a trait that it sets.
    has_followers: bool,
}

/// What happened, as far as segments ask.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// An event by a person.
    pub event: Option<EventName>,
    /// Traits that are not what they were.
    pub traits: BTreeSet<Box<str>>,
    /// Kinds of objects of which one is not what it was.
    pub kinds: BTreeSet<ObjectKind>,
    /// Segments that the contact came into or left.
    pub segments: BTreeSet<SegmentId>,
    /// The contact is new.
    pub born: bool,
}

impl Touched {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.event.is_none()
            && self.traits.is_empty()
            && self.kinds.is_empty()
            && self.segments.is_empty()
            && !self.born
    }
}

/// Segments to be told, each once, in the order of telling, and whether nothing but the event concerns them.
#[derive(Debug, Default)]
pub struct Queue {
    /// The next at the end.
    list: Vec<(Place, bool)>,
}

impl Queue {
    /// Adds one; by the event alone only where it stands so or is not here yet.
    pub fn put(&mut self, place: Place, by_event: bool) {
        match self.list.binary_search_by(|(known, _)| place.cmp(known)) {
            Ok(at) => self.list[at].1 &= by_event,
            Err(at) => self.list.insert(at, (place, by_event)),
        }
    }

    /// Adds places in their order where there are none yet.
    fn fill(&mut self, places: &[Place]) {
        let by_event = places.iter().rev().map(|place| (*place, true));
        self.list.extend(by_event);
    }

    /// Takes the next.
    pub fn pop(&mut self) -> Option<(Place, bool)> {
        self.list.pop()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those that are left.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.list.iter().rev().map(|(place, _)| *place)
    }
}

/// Gives each a rank above those that it names. A circle, which publication refuses, ends somewhere.
fn ranks<'s>(asks: &BTreeMap<&'s SegmentId, Asks>) -> BTreeMap<&'s SegmentId, u32> {
    let mut ranks: BTreeMap<&SegmentId, u32> = BTreeMap::new();
    if asks.values().all(|asks| asks.segments.is_empty()) {
        return ranks;
    }
    for _ in 0..SEGMENT_DEPTH_MAX {
        let mut moved = false;
        for (id, asks) in asks {
            let named = asks.segments.iter();
            let below = named.map(|other| ranks.get(other).copied().unwrap_or(0) + 1);
            let rank = below.max().unwrap_or(0);
            moved |= ranks.insert(id, rank).unwrap_or(0) != rank;
        }
        if !moved {
            break;
        }
    }
    ranks
}

impl Index {
    fn new(all: &BTreeMap<SegmentId, Arc<Segment>>) -> Self {
        let asks = |segment: &Segment| {
            let mut asks = Asks::default();
            if let Some(condition) = segment.condition() {
                condition.asks(&mut asks);
            }
            asks
        };
        let mut asks: BTreeMap<&SegmentId, Asks> =
            all.iter().map(|(id, one)| (id, asks(one))).collect();
        let ranks = ranks(&asks);
        let rank = |id: &SegmentId| ranks.get(id).copied().unwrap_or(0);
        let mut order: Vec<(u32, &SegmentId)> = all.keys().map(|id| (rank(id), id)).collect();
        order.sort_unstable();
        let mut index = Self::default();
        for (_, id) in order {
            if let (Some(segment), Some(asks)) = (all.get(id), asks.remove(id)) {
                index.add(segment, asks);
            }
        }
        for kept in &mut index.kept {
            kept.is_named = index.by_segment.contains_key(&kept.segment.id);
            let sets = kept.segment.sets.as_ref();
            let is_asked = sets.is_some_and(|(name, _)| index.by_trait.contains_key(name));
            kept.has_followers = kept.is_named || is_asked;
        }
        index
    }

    /// Adds the next in the order of telling.
    fn add(&mut self, segment: &Arc<Segment>, asks: Asks) {
        fn put<K: Ord>(map: &mut BTreeMap<K, Vec<Place>>, key: K, place: Place) {
            let places = map.entry(key).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        let place = Place::try_from(self.kept.len()).unwrap_or(Place::MAX);
        self.places.insert(segment.id.clone(), place);
        self.by_timer.insert(timer_hash(&segment.id), place);
        for name in &asks.history {
            put(&mut self.by_event, name.clone(), place);
        }
        for kind in &asks.kinds {
            put(&mut self.by_kind, kind.clone(), place);
        }
        for other in &asks.segments {
            put(&mut self.by_segment, other.clone(), place);
        }
        if let Some(condition) = segment.condition() {
            condition.visit(&mut |one| match one {
                Condition::Field { path, .. } if path.root == Root::Contact => {
                    if let Some(name) = path.names.first() {
                        put(&mut self.by_trait, name.clone(), place);
                    }
                }
                Condition::Rfm(_) => {
                    if self.by_scores.last() != Some(&place) {
                        self.by_scores.push(place);
                    }
                }
                Condition::Field { .. }
                | Condition::All(_)
                | Condition::Any(_)
                | Condition::Not(_)
                | Condition::Did(_)
                | Condition::InSegment(_)
                | Condition::Has { .. } => {}
            });
            if condition.reads_clock() {
                for name in PLACE_TRAITS {
                    put(&mut self.by_trait, name.into(), place);
                }
            }
            if holds_at_birth(condition) {
                self.at_birth.push(place);
            }
        }
        let segment = segment.clone();
        self.kept.push(Kept {
            segment,
            asks,
            is_named: false,
            has_followers: false,
        });
    }

    fn get(&self, place: Place) -> Option<&Kept> {
        self.kept.get(usize::try_from(place).ok()?)
    }
}

impl Segments {
    pub(crate) fn add(&mut self, segment: Arc<Segment>) {
        self.remove(&segment.id);
        self.computed += usize::from(segment.condition().is_some());
        self.all.insert(segment.id.clone(), segment);
    }

    pub(crate) fn remove(&mut self, id: &SegmentId) {
        self.index = OnceLock::new();
        if let Some(gone) = self.all.remove(id) {
            self.computed -= usize::from(gone.condition().is_some());
        }
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Arc::new(Index::new(&self.all)))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.all.values()
    }

    pub(crate) fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.all.get(id)
    }

    /// The segment at a place.
    pub(crate) fn at(&self, place: Place) -> Option<&Kept> {
        self.index().get(place)
    }

    /// What a segment's condition asks to be loaded.
    pub(crate) fn asks(&self, id: &SegmentId) -> Option<&Asks> {
        Some(&self.at(self.place(id)?)?.asks)
    }

    pub(crate) fn of_timer(&self, hash: u64) -> Option<&SegmentId> {
        let place = self.index().by_timer.get(&hash)?;
        Some(&self.at(*place)?.segment.id)
    }

    /// Whether any membership is computed.
    pub(crate) fn compute(&self) -> bool {
        self.computed > 0
    }

    pub(crate) fn by_scores(&self) -> impl Iterator<Item = &SegmentId> {
        let index = self.index();
        let kept = index.by_scores.iter().filter_map(|place| index.get(*place));
        kept.map(|kept| &kept.segment.id)
    }

    pub(crate) fn by_trait(&self, name: &str) -> &[Place] {
        self.index().by_trait.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn by_kind(&self, kind: &ObjectKind) -> &[Place] {
        self.index().by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn by_segment(&self, id: &SegmentId) -> &[Place] {
        self.index().by_segment.get(id).map_or(&[], Vec::as_slice)
    }

    /// Kinds of objects that any segment looks through.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &ObjectKind> {
        self.index().by_kind.keys()
    }

    /// A segment's place in the order of telling, if it is in force.
    pub(crate) fn place(&self, id: &SegmentId) -> Option<Place> {
        self.index().places.get(id).copied()
    }

    /// Adds what is concerned by what happened.
    pub(crate) fn queue(&self, touched: &Touched, queue: &mut Queue) {
        if touched.is_empty() {
            return;
        }
        let index = self.index();
        let event = touched.event.as_ref();
        let by_event = event.and_then(|name| index.by_event.get(name));
        match by_event {
            Some(places) if queue.is_empty() => queue.fill(places),
            Some(places) => places.iter().for_each(|place| queue.put(*place, true)),
            None => {}
        }
        let by_trait = touched.traits.iter().map(|name| self.by_trait(name));
        let by_kind = touched.kinds.iter().map(|kind| self.by_kind(kind));
        let by_segment = touched.segments.iter().map(|id| self.by_segment(id));
        let at_birth = touched.born.then_some(index.at_birth.as_slice());
        let others = by_trait.chain(by_kind).chain(by_segment).chain(at_birth);
        for place in others.flatten() {
            queue.put(*place, false);
        }
    }

    /// The segments that may be told anew when these are, with them: those that name them, those that ask for a
    /// trait that they set, and so on. In the order of telling.
    pub(crate) fn close(&self, places: impl Iterator<Item = Place>) -> Vec<Place> {
        let mut closed: Vec<Place> = places.collect();
        closed.sort_unstable();
        closed.dedup();
        let has_followers = |place: &Place| self.at(*place).is_some_and(|kept| kept.has_followers);
        let mut open: Vec<Place> = closed.iter().copied().filter(has_followers).collect();
        while let Some(place) = open.pop() {
            let Some(kept) = self.at(place).filter(|kept| kept.has_followers) else {
                continue;
            };
            let sets = kept.segment.sets.as_ref();
            let by_sets = sets.map_or(&[][..], |(name, _)| self.by_trait(name));
            for other in self.by_segment(&kept.segment.id).iter().chain(by_sets) {
                if let Err(at) = closed.binary_search(other) {
                    closed.insert(at, *other);
                    open.push(*other);
                }
            }
        }
        closed
    }
}

/// Whether a contact that nothing is known of belongs to it.
fn holds_at_birth(condition: &Condition) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    let scene = Scene {
        contact: &Contact::new(ContactId(0), now),
        subject: None,
        event: None,
        history: &History::default(),
        memberships: &BTreeMap::new(),
        objects: &BTreeMap::new(),
        rfm: None,
        zone: &Zone::utc(),
        calendar: &Calendar::weekends_only(),
        now,
    };
    condition.verdict(&scene, Knows::All).holds != Some(false)
}
