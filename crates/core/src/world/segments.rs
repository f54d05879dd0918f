//! Which segments what happens may concern.
//!
//! A segment is found by the names of events that its condition looks back over, the first names of the traits
//! that it compares, the kinds of objects that it looks through, and the segments that it names. So what
//! happens costs nothing for segments that it does not concern. **Invariants:** an entry too many costs time,
//! one too few would leave a contact in a segment where it does not belong; a segment has a higher rank than
//! those that it names, so that in order of rank each is told once.
//!
//! **Absent:** whether anyone then comes in or leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::condition::{Asks, Condition, Knows, Scene};
use crate::contact::Contact;
use crate::event::History;
use crate::ids::{ContactId, EventName, ObjectKind, SegmentId};
use crate::segment::{SEGMENT_DEPTH_MAX, Segment, timer_hash};
use crate::time::{Calendar, Zone};
use crate::value::Root;

use super::PLACE_TRAITS;

type Ids = BTreeSet<SegmentId>;

static NONE: Ids = Ids::new();

/// Segments in force, by what may concern them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    all: BTreeMap<SegmentId, Kept>,
    by_event: BTreeMap<EventName, Ids>,
    by_trait: BTreeMap<Box<str>, Ids>,
    by_kind: BTreeMap<ObjectKind, Ids>,
    by_segment: BTreeMap<SegmentId, Ids>,
    by_timer: BTreeMap<u64, SegmentId>,
    by_scores: Ids,
    /// Of which a contact that nothing is known of is a member.
    at_birth: Ids,
    /// How many have a condition.
    computed: usize,
}

#[derive(Debug, Clone)]
struct Kept {
    segment: Arc<Segment>,
    asks: Asks,
    rank: u32,
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

/// Segments to be told, in order of rank, and whether nothing but the event concerns them.
pub type Queue = BTreeMap<(u32, SegmentId), bool>;

impl Segments {
    pub(crate) fn add(&mut self, segment: Arc<Segment>) {
        self.remove(&segment.id);
        let id = segment.id.clone();
        let mut asks = Asks::default();
        if let Some(condition) = segment.condition() {
            self.computed += 1;
            condition.asks(&mut asks);
            self.index(&id, condition, &asks);
        }
        self.by_timer.insert(timer_hash(&id), id.clone());
        let rank = 0;
        let kept = Kept {
            segment,
            asks,
            rank,
        };
        self.all.insert(id, kept);
        self.rank();
    }

    fn index(&mut self, id: &SegmentId, condition: &Condition, asks: &Asks) {
        fn put<K: Ord>(map: &mut BTreeMap<K, Ids>, key: K, id: &SegmentId) {
            map.entry(key).or_default().insert(id.clone());
        }
        for name in &asks.history {
            put(&mut self.by_event, name.clone(), id);
        }
        for kind in &asks.kinds {
            put(&mut self.by_kind, kind.clone(), id);
        }
        for other in &asks.segments {
            put(&mut self.by_segment, other.clone(), id);
        }
        condition.visit(&mut |one| match one {
            Condition::Field { path, .. } if path.root == Root::Contact => {
                if let Some(name) = path.names.first() {
                    put(&mut self.by_trait, name.clone(), id);
                }
            }
            Condition::Rfm(_) => drop(self.by_scores.insert(id.clone())),
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
                put(&mut self.by_trait, name.into(), id);
            }
        }
        if holds_at_birth(condition) {
            self.at_birth.insert(id.clone());
        }
    }

    pub(crate) fn remove(&mut self, id: &SegmentId) {
        fn without<K: Ord>(map: &mut BTreeMap<K, Ids>, id: &SegmentId) {
            map.retain(|_, ids| {
                ids.remove(id);
                !ids.is_empty()
            });
        }
        let Some(kept) = self.all.remove(id) else {
            return;
        };
        self.computed -= usize::from(kept.segment.condition().is_some());
        without(&mut self.by_event, id);
        without(&mut self.by_trait, id);
        without(&mut self.by_kind, id);
        without(&mut self.by_segment, id);
        self.by_timer.remove(&timer_hash(id));
        self.by_scores.remove(id);
        self.at_birth.remove(id);
        self.rank();
    }

    /// Gives each a higher rank than those that it names. A circle, which publication refuses, ends somewhere.
    fn rank(&mut self) {
        if self.by_segment.is_empty() {
            self.all.values_mut().for_each(|kept| kept.rank = 0);
            return;
        }
        let mut ranks: BTreeMap<SegmentId, u32> = BTreeMap::new();
        for _ in 0..SEGMENT_DEPTH_MAX {
            let mut moved = false;
            for (id, kept) in &self.all {
                let named = kept.asks.segments.iter();
                let below = named.map(|other| ranks.get(other).copied().unwrap_or(0) + 1);
                let rank = below.max().unwrap_or(0);
                moved |= ranks.insert(id.clone(), rank).unwrap_or(0) != rank;
            }
            if !moved {
                break;
            }
        }
        for (id, kept) in &mut self.all {
            kept.rank = ranks.get(id).copied().unwrap_or(0);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.all.values().map(|kept| &kept.segment)
    }

    pub(crate) fn get(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        Some(&self.all.get(id)?.segment)
    }

    /// What a segment's condition asks to be loaded.
    pub(crate) fn asks(&self, id: &SegmentId) -> Option<&Asks> {
        Some(&self.all.get(id)?.asks)
    }

    pub(crate) fn of_timer(&self, hash: u64) -> Option<&SegmentId> {
        self.by_timer.get(&hash)
    }

    /// Whether any membership is computed.
    pub(crate) fn compute(&self) -> bool {
        self.computed > 0
    }

    pub(crate) fn by_scores(&self) -> &Ids {
        &self.by_scores
    }

    pub(crate) fn by_trait(&self, name: &str) -> &Ids {
        self.by_trait.get(name).unwrap_or(&NONE)
    }

    pub(crate) fn by_kind(&self, kind: &ObjectKind) -> &Ids {
        self.by_kind.get(kind).unwrap_or(&NONE)
    }

    pub(crate) fn by_segment(&self, id: &SegmentId) -> &Ids {
        self.by_segment.get(id).unwrap_or(&NONE)
    }

    /// Kinds of objects that any segment looks through.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &ObjectKind> {
        self.by_kind.keys()
    }

    /// A segment's place in the order of telling.
    pub(crate) fn place(&self, id: &SegmentId) -> (u32, SegmentId) {
        (self.all.get(id).map_or(0, |kept| kept.rank), id.clone())
    }

    /// Adds what is concerned by what happened.
    pub(crate) fn queue(&self, touched: &Touched, queue: &mut Queue) {
        let event = touched.event.as_ref();
        let by_event = event.and_then(|name| self.by_event.get(name));
        for id in by_event.into_iter().flatten() {
            queue.entry(self.place(id)).or_insert(true);
        }
        let by_trait = touched.traits.iter().map(|name| self.by_trait(name));
        let by_kind = touched.kinds.iter().map(|kind| self.by_kind(kind));
        let by_segment = touched.segments.iter().map(|id| self.by_segment(id));
        let at_birth = touched.born.then_some(&self.at_birth);
        let others = by_trait.chain(by_kind).chain(by_segment).chain(at_birth);
        for id in others.flatten() {
            queue.insert(self.place(id), false);
        }
    }

    /// Adds the segments that may be told anew when these are: those that name them, those that ask for a
    /// trait that they set, and so on.
    pub(crate) fn close(&self, ids: &mut Ids) {
        let mut open: Vec<SegmentId> = ids.iter().cloned().collect();
        while let Some(id) = open.pop() {
            let sets = self.get(&id).and_then(|segment| segment.sets.as_ref());
            let by_sets = sets.map_or(&NONE, |(name, _)| self.by_trait(name));
            for other in self.by_segment(&id).iter().chain(by_sets) {
                if ids.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
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
