//! Who belongs to which segment: what changes it, and what follows.
//!
//! What happens to a contact is told to the segments that it concerns at once, so that a branch of the same
//! turn sees who came in. What cannot be told without the past, and was not asked for up front, is looked at by
//! a timer that is due at once, which asks for everything. A timer that is armed is not armed anew by further
//! activity: when it comes, the past tells whether it was too early.
//!
//! A list is kept by people and programs alone: to put someone into a segment that has a condition changes
//! nothing, and writes no line. **Absent:** lines of the ledger about memberships; there would be too many.

use jiff::{SignedDuration, Timestamp};

use crate::condition::{Condition, Knows, Part, Verdict};
use crate::ids::SegmentId;
use crate::ledger::{LedgerEntry, Reason, What};
use crate::segment::{Membership, Rule, Segment, timer_hash};
use crate::snapshot::stays;
use crate::value::Fields;
use crate::world::{Place, Queue, Touched};

use super::{Effect, Pending, Timer, TimerKind, Turn};

/// How often one input may tell one segment before those that name or set one another are declared a loop.
pub const TELLINGS_PER_TURN_MAX: u32 = 8;

impl Turn<'_> {
    /// A person or a program put the contact into a list, or took it out.
    pub(super) fn segment(&mut self, segment: &SegmentId, member: bool) {
        let world = self.world;
        let is_computed = world
            .segment(segment)
            .is_some_and(|one| one.condition().is_some());
        let standing = self.membership(segment);
        if self.snapshot.contact.erased || standing.member == member || is_computed {
            return;
        }
        self.put_membership(segment, Membership { member, due: None });
        self.turned(segment, member);
        self.tell_segments();
    }

    /// Definitions are new or changed: who belongs is told anew.
    pub(super) fn assess_all(&mut self, segments: &[SegmentId]) {
        self.knows_all = true;
        self.quiet_segments = true;
        let world = self.world;
        let mut queue = Queue::default();
        for id in segments {
            match world.segment_index().place(id) {
                Some(place) => queue.put(place, false),
                None => self.put_membership(id, Membership::default()),
            }
        }
        self.tell_queue(queue);
        self.knows_all = false;
        if !self.pending.is_empty() {
            self.asked = world.needs_of_assess(segments);
        }
    }

    /// Time alone may have changed a verdict.
    pub(super) fn segment_timer(&mut self, timer: Timer, hash: u64) {
        let world = self.world;
        let known = world.segment_index().of_timer(hash).cloned();
        let of_hash = |id: &&SegmentId| timer_hash(id) == hash;
        let gone = || self.snapshot.memberships.keys().find(of_hash).cloned();
        let Some(id) = known.or_else(gone) else {
            return self.emit(Effect::Disarm(timer));
        };
        if self.membership(&id).due != Some(timer.due_at) {
            self.emit(Effect::Disarm(timer));
        }
        self.knows_all = true;
        self.knows_history = true;
        let mut queue = Queue::default();
        match world.segment_index().place(&id) {
            Some(place) => queue.put(place, false),
            None => self.put_membership(&id, Membership::default()),
        }
        self.came = Some(id);
        self.tell_queue(queue);
        self.came = None;
        self.knows_all = false;
    }

    /// Whoever is erased belongs nowhere, and no journey hears of it.
    pub(super) fn leave_segments(&mut self) {
        let world = self.world;
        for segment in world.segments() {
            self.put_membership(&segment.id, Membership::default());
        }
    }

    /// Tells the segments that are concerned by what changed since the last time.
    pub(super) fn tell_segments(&mut self) {
        if self.touched.is_empty() {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        let mut queue = Queue::default();
        self.world.segment_index().queue(&touched, &mut queue);
        self.tell_queue(queue);
    }

    fn tell_queue(&mut self, mut queue: Queue) {
        let world = self.world;
        // In order of place: nearly always each comes after those before it.
        let mut told: Vec<(Place, u32)> = Vec::new();
        while let Some((place, by_event)) = queue.pop() {
            let Some(kept) = world.segment_index().at(place) else {
                continue;
            };
            let at = told.partition_point(|(known, _)| *known < place);
            if told.get(at).is_none_or(|(known, _)| *known != place) {
                told.insert(at, (place, 0));
            }
            told[at].1 += 1;
            if told[at].1 > TELLINGS_PER_TURN_MAX {
                self.endless(&kept.segment.id);
                continue;
            }
            self.tell(&kept.segment, by_event);
            let touched = std::mem::take(&mut self.touched);
            world.segment_index().queue(&touched, &mut queue);
        }
    }

    /// Segments turn one another again and again.
    fn endless(&mut self, id: &SegmentId) {
        let line = LedgerEntry {
            reason: Some(Reason::Loop),
            detail: Some(format!("segment {id}")),
            ..self.line(What::Skipped)
        };
        self.ledger(line);
    }

    fn tell(&mut self, segment: &Segment, by_event: bool) {
        let id = &segment.id;
        let standing = self.membership(id);
        if self.snapshot.contact.erased {
            return self.put_membership(id, Membership::default());
        }
        let Rule::When(condition) = &segment.rule else {
            let due = None;
            return self.put_membership(id, Membership { due, ..standing });
        };
        if !self.knows_all && !self.asked.segments.contains(id) {
            // Whoever stands how is not known: the timer asks for it.
            self.emit(Effect::Arm(Timer {
                due_at: self.now,
                kind: TimerKind::Segment(timer_hash(id)),
            }));
            return;
        }
        let (verdict, stays) = self.look(condition, standing, by_event);
        let Some(member) = verdict.holds else {
            let soon = standing.due.is_some_and(|due| due <= self.now);
            if !soon && !stays {
                let due = Some(self.now);
                self.put_membership(id, Membership { due, ..standing });
            }
            return;
        };
        // A moment that has come would come again for ever.
        let least = self.now.checked_add(SignedDuration::from_millis(1));
        let least = least.unwrap_or(Timestamp::MAX);
        let until = verdict.until.map(|until| until.max(least));
        // Too early is well: what is armed is not armed anew, before it came.
        let armed = standing.due.filter(|due| {
            let is_early = until.is_none_or(|until| *due <= until);
            is_early && member == standing.member && self.came.as_ref() != Some(id)
        });
        let due = armed.or(until);
        self.put_membership(id, Membership { member, due });
        if member != standing.member {
            self.turned(&segment.id, member);
            self.set_by(segment, member);
        }
    }

    /// What a segment says of the contact; and where it does not say, whether the event at hand, when nothing
    /// else concerns it, leaves the contact as it stands.
    fn look(&self, condition: &Condition, standing: Membership, by_event: bool) -> (Verdict, bool) {
        let scene = self.scene(None, None);
        let event = self.at_hand.as_deref().filter(|event| !event.by_machine());
        let knows = match self.knows_all {
            true => Knows::All,
            false => Knows::Part(Part {
                history: &self.asked.history,
                kinds: &self.asked.kinds,
                segments: &self.asked.segments,
                event,
                changing: None,
            }),
        };
        let verdict = condition.verdict(&scene, knows);
        let event = event.filter(|_| by_event && verdict.holds.is_none());
        let stays = event.is_some_and(|event| stays(condition, standing, event, &scene));
        (verdict, stays)
    }

    /// A member's trait becomes what the segment says.
    fn set_by(&mut self, segment: &Segment, member: bool) {
        if let Some((name, value)) = segment.sets.as_ref().filter(|_| member) {
            self.quiet_changes = self.quiet_segments && !segment.announce;
            self.tell_traits(&Fields::from_iter([(name.to_string(), value.clone())]));
            self.quiet_changes = false;
        }
    }

    /// The contact came into a segment or left it: what follows, follows later.
    fn turned(&mut self, id: &SegmentId, member: bool) {
        let world = self.world;
        if !world.segment_index().by_segment(id).is_empty() {
            self.touched.segments.insert(id.clone());
        }
        let hears = world.triggered_by_segment(id, member);
        let quiet = self.quiet_segments && !world.segment(id).is_some_and(|one| one.announce);
        if (hears.is_empty() || quiet) && world.scheduled(Some(id)).is_empty() {
            return;
        }
        let turned = Pending::Turned {
            segment: id.clone(),
            member,
            quiet,
        };
        self.pending.push_back((self.link, turned));
    }

    /// Journeys that a turn of membership begins, and broadcasts that count from it.
    pub(super) fn follow_turn(&mut self, id: &SegmentId, member: bool, quiet: bool) {
        let world = self.world;
        if member {
            for journey in world.scheduled(Some(id)) {
                self.arm_journey(journey);
            }
        }
        if !quiet {
            for journey in world.triggered_by_segment(id, member) {
                self.begin_for_contact(journey);
            }
        }
    }

    pub(super) fn is_member(&self, segment: &SegmentId) -> bool {
        self.membership(segment).member
    }

    fn membership(&self, segment: &SegmentId) -> Membership {
        let known = self.snapshot.memberships.get(segment);
        known.copied().unwrap_or_default()
    }

    /// Stores how the contact stands, and moves its timer along.
    fn put_membership(&mut self, segment: &SegmentId, after: Membership) {
        let before = self.membership(segment);
        if before == after {
            return;
        }
        let kind = TimerKind::Segment(timer_hash(segment));
        self.move_timer(before.due, after.due, kind);
        self.emit(Effect::Membership {
            segment: segment.clone(),
            before,
            after,
        });
    }
}

/// What changed, as far as segments ask, noted where it changes.
impl Turn<'_> {
    /// An event: it is told to segments once what it tells of the contact is known.
    pub(super) fn touch_event(&mut self) {
        let Some(event) = self.at_hand.clone() else {
            return;
        };
        if !self.world.segment_index().compute() || self.snapshot.contact.erased {
            return;
        }
        if !event.by_machine() {
            self.touched.event = Some(event.name.clone());
        }
        self.touched.born = self.snapshot.contact.created_at >= self.now;
        self.tell_segments();
    }

    pub(super) fn touch(&mut self, change: impl FnOnce(&mut Touched)) {
        if self.world.segment_index().compute() {
            change(&mut self.touched);
        }
    }
}
