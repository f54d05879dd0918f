//! Triggers that wait for a moment of each contact: `inactive`, `date`, `schedule`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::event::Event;
use crate::ids::{JourneyId, SubjectRef};
use crate::journey::{Journey, On};
use crate::ledger::Reason;
use crate::subject::{concerns, subject_of};
use crate::time::{LATE_DEFAULT, Zone, civil_day, is_late};
use crate::value::Root;
use crate::watch::Watch;

use super::{Effect, TimerKind, Turn};

impl Turn<'_> {
    /// Arms the timers of `inactive` journeys, each only once: further activity rewrites nothing.
    pub(super) fn watch(&mut self, event: &Event) {
        let world = self.world;
        for journey in world.inactive_by(&event.name) {
            let On::Inactive { after, .. } = &journey.trigger.on else {
                continue;
            };
            let subject = match &journey.subject {
                None => None,
                Some(kind) => match subject_of(event, kind) {
                    Some(subject) => Some(subject),
                    None => continue,
                },
            };
            let due_at = after.add(event.at.min(self.now), &self.zone, &self.calendar);
            self.arm_new(journey, subject, due_at);
        }
        if self.snapshot.contact.created_at >= self.now {
            // Seen for the first time: schedules for everyone begin to count.
            for journey in world.scheduled(None) {
                self.arm_journey(journey);
            }
        }
    }

    fn arm_new(&mut self, journey: &Journey, subject: Option<SubjectRef>, due_at: Timestamp) {
        let watch = Watch {
            journey: journey.id.clone(),
            subject,
            due_at,
            last_day: None,
        };
        if !self.is_watched(&watch) {
            self.put_watch(watch);
        }
    }

    fn is_watched(&self, watch: &Watch) -> bool {
        let hash = watch.hash();
        self.snapshot.watches.iter().any(|old| old.hash() == hash)
    }

    /// Stores a watch, and moves its timer along.
    fn put_watch(&mut self, watch: Watch) {
        let hash = watch.hash();
        let before = self.snapshot.watches.iter().find(|old| old.hash() == hash);
        let before = before.map(|old| old.due_at);
        self.move_timer(before, Some(watch.due_at), TimerKind::Watch(hash));
        self.emit(Effect::Watch(watch));
    }

    fn drop_watch(&mut self, watch: &Watch) {
        self.move_timer(Some(watch.due_at), None, TimerKind::Watch(watch.hash()));
        self.emit(Effect::Unwatch(watch.clone()));
    }

    /// A journey was published: what it waits for is awaited of this contact as well.
    pub(super) fn arm(&mut self, id: &JourneyId) {
        let world = self.world;
        if let Some(journey) = world.current(id)
            && !self.snapshot.contact.erased
        {
            self.arm_journey(journey);
        }
    }

    pub(super) fn arm_journey(&mut self, journey: &Arc<Journey>) {
        match &journey.trigger.on {
            On::Inactive { event, after } => self.arm_inactive(journey, event.as_ref(), after),
            On::Date { path, .. } => match path.root {
                Root::Subject => {
                    let kind = journey.subject.as_ref();
                    let subjects = self.snapshot.objects.keys();
                    let own: Vec<SubjectRef> = subjects
                        .filter(|subject| Some(&subject.kind) == kind)
                        .cloned()
                        .collect();
                    for subject in own {
                        self.arm_date(journey, Some(subject));
                    }
                }
                Root::Contact | Root::Event => self.arm_date(journey, None),
            },
            On::Schedule { segment, .. } => {
                let member = segment
                    .as_ref()
                    .is_none_or(|segment| self.is_member(segment));
                if member {
                    self.arm_schedule(journey);
                }
            }
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Manual
            | On::Api => {}
        }
    }

    fn arm_inactive(
        &mut self,
        journey: &Arc<Journey>,
        event: Option<&crate::ids::EventName>,
        after: &crate::time::Delay,
    ) {
        let last: Vec<(Option<SubjectRef>, Timestamp)> = match (event, &journey.subject) {
            (None, _) => self
                .snapshot
                .last_event_at
                .map(|at| (None, at))
                .into_iter()
                .collect(),
            (Some(name), None) => self
                .snapshot
                .history
                .of(name)
                .filter(|event| !event.by_machine())
                .map(|event| (None, event.at))
                .next_back()
                .into_iter()
                .collect(),
            (Some(name), Some(kind)) => self
                .snapshot
                .history
                .of(name)
                .filter(|event| !event.by_machine())
                .filter_map(|event| Some((Some(subject_of(event, kind)?), event.at)))
                .collect(),
        };
        // The newest of each subject comes first, and further ones find it watched.
        for (subject, at) in last.into_iter().rev() {
            let due_at = after.add(at.min(self.now), &self.zone, &self.calendar);
            // Silence that began long before the journey did begins nothing.
            if due_at >= self.now {
                // Another version may want less silence than the one that armed the watch.
                let sooner = |watch: &&Watch| {
                    let own = watch.journey == journey.id && watch.subject == subject;
                    own && watch.due_at > due_at
                };
                match self.snapshot.watches.iter().find(sooner).cloned() {
                    Some(watch) => self.put_watch(Watch { due_at, ..watch }),
                    None => self.arm_new(journey, subject, due_at),
                }
            }
        }
    }

    /// The next moment that a date trigger waits for, from a date that is new or has changed.
    pub(super) fn arm_date(&mut self, journey: &Arc<Journey>, subject: Option<SubjectRef>) {
        let On::Date { path, rule } = &journey.trigger.on else {
            return;
        };
        // A trait of the contact concerns no object, and a journey about objects begins with one.
        let about = match path.root {
            Root::Subject => subject,
            Root::Contact | Root::Event => None,
        };
        let mut watch = Watch {
            journey: journey.id.clone(),
            subject: about,
            due_at: self.now,
            last_day: None,
        };
        let hash = watch.hash();
        let old = self.snapshot.watches.iter().find(|old| old.hash() == hash);
        let old = old.cloned();
        watch.last_day = old.as_ref().and_then(|old| old.last_day);
        let next = self
            .value_at(path, watch.subject.as_ref())
            .and_then(|value| {
                let after = |at| rule.next(value, at, &self.zone, &self.calendar);
                let next = after(self.now)?;
                if Some(civil_day(next, &self.zone)) == watch.last_day {
                    after(next)
                } else {
                    Some(next)
                }
            });
        match (next, old) {
            (Some(due_at), _) => self.put_watch(Watch { due_at, ..watch }),
            (None, Some(old)) => self.drop_watch(&old),
            (None, None) => {}
        }
    }

    pub(super) fn arm_schedule(&mut self, journey: &Arc<Journey>) {
        let On::Schedule { rule, .. } = &journey.trigger.on else {
            return;
        };
        let mut watch = Watch {
            journey: journey.id.clone(),
            subject: None,
            due_at: self.now,
            last_day: None,
        };
        let hash = watch.hash();
        let old = self.snapshot.watches.iter().find(|old| old.hash() == hash);
        watch.last_day = old.and_then(|old| old.last_day);
        let mut next = rule.next(self.now, &self.zone);
        if let Some(at) = next
            && Some(civil_day(at, &self.zone)) == watch.last_day
        {
            next = rule.next(at, &self.zone);
        }
        match (next, old.cloned()) {
            (Some(due_at), _) => self.put_watch(Watch { due_at, ..watch }),
            (None, Some(old)) => self.drop_watch(&old),
            (None, None) => {}
        }
    }

    /// The contact lives in another zone now: its dates and broadcasts come at other moments.
    pub(super) fn rearm_in_zone(&mut self, left: &Zone) {
        let world = self.world;
        for watch in self.snapshot.watches.clone() {
            let Some(journey) = world.current(&watch.journey) else {
                continue;
            };
            match &journey.trigger.on {
                On::Date { .. } | On::Schedule { .. } if watch.due_at <= self.now => {
                    // It comes by the clock that it was due by, and so does its day.
                    let last_day = Some(civil_day(watch.due_at, left));
                    self.emit(Effect::Watch(Watch { last_day, ..watch }));
                }
                On::Date { .. } => self.arm_date(journey, watch.subject),
                On::Schedule { .. } => self.arm_schedule(journey),
                // Counted from the last activity when its moment comes.
                On::Inactive { .. } => {}
                On::Event(_)
                | On::SegmentEntered(_)
                | On::SegmentLeft(_)
                | On::Changed { .. }
                | On::Manual
                | On::Api => {}
            }
        }
    }

    /// The moment of a watch came.
    pub(super) fn watch_timer(&mut self, watch: Watch) {
        let world = self.world;
        let Some(journey) = world.current(&watch.journey) else {
            self.drop_watch(&watch);
            return;
        };
        match &journey.trigger.on {
            On::Inactive { event, after } => {
                let last = match event {
                    None => self.snapshot.last_event_at,
                    Some(name) => self
                        .snapshot
                        .history
                        .of(name)
                        .filter(|event| !event.by_machine())
                        .filter(|event| concerns(event, watch.subject.as_ref()))
                        .map(|event| event.at)
                        .next_back(),
                };
                if let Some(last) = last {
                    let due_at = after.add(last.min(self.now), &self.zone, &self.calendar);
                    if due_at > self.now {
                        self.put_watch(Watch { due_at, ..watch });
                        return;
                    }
                }
                self.drop_watch(&watch);
                self.fire(journey, &watch);
            }
            On::Date { .. } => {
                let watch = self.fired(watch);
                self.fire(journey, &watch);
                self.arm_date(journey, watch.subject);
            }
            On::Schedule { segment, .. } => {
                if segment
                    .as_ref()
                    .is_some_and(|segment| !self.is_member(segment))
                {
                    // It counts again when the contact comes back into the segment.
                    self.drop_watch(&watch);
                    return;
                }
                let watch = self.fired(watch);
                self.fire(journey, &watch);
                self.arm_schedule(journey);
            }
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Manual
            | On::Api => self.drop_watch(&watch),
        }
    }

    /// Remembers the day on which a watch fired.
    fn fired(&mut self, watch: Watch) -> Watch {
        let watch = Watch {
            // A contact that has moved since it was due had another day then.
            last_day: watch
                .last_day
                .max(Some(civil_day(watch.due_at, &self.zone))),
            ..watch
        };
        self.emit(Effect::Watch(watch.clone()));
        watch
    }

    fn fire(&mut self, journey: &Arc<Journey>, watch: &Watch) {
        if is_late(
            watch.due_at,
            self.now,
            &LATE_DEFAULT,
            &self.zone,
            &self.calendar,
        ) {
            // A moment that is found in imported history, or that nobody was there to see, begins nothing.
            self.not_enrolled(journey, Reason::Late, None);
        } else if journey.subject.is_some() && watch.subject.is_none() {
            self.not_enrolled(journey, Reason::NoSubject, None);
        } else {
            self.enroll_if_admitted(journey, watch.subject.clone());
        }
    }
}
