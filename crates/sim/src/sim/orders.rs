//! What people of ours order: versions, pauses, ends, a copy of the database, and things about contacts.

use jiff::SignedDuration;
use relance_core::consent::{Evidence, Source};
use relance_core::contact::{Channel, Consent, SuppressionReason};
use relance_core::decide::{Input, Overdue, Starter};
use relance_core::ids::{SubjectRef, Topic, UserId};
use relance_core::value::Fields;
use relance_engine::arrival::{Arrival, SegmentChanges};
use relance_engine::ports::{Asset, Store};
use relance_engine::quiet::{Backlog, QUIET, SETTING};

use crate::history::{Commit, Order};

use crate::plan::SEGMENTS;

use super::program::{defined, published};
use super::{Act, Happening, Sim};

/// What becomes of what came due during a pause.
const OVERDUE: [Overdue; 3] = [Overdue::Late, Overdue::Skip, Overdue::Shift];

impl Sim {
    /// Orders at random moments.
    pub(super) fn write_orders(&mut self) {
        for _ in 0..self.plan.faults.changes {
            let at = self.moment();
            let journey = {
                let journeys = self.plan.journeys();
                self.rng.pick(&journeys)
            };
            match self.rng.between(0, 9) {
                0..=4 => {
                    let version = {
                        let later = self.plan.versions.iter();
                        let later = later.filter(|one| one.journey.version > 1);
                        let later: Vec<_> = later.cloned().collect();
                        self.rng.pick(&later)
                    };
                    self.at(at, Happening::Told(published(&version)));
                }
                5..=7 => {
                    self.at(at, Happening::Told(Arrival::Paused(journey.clone())));
                    let minutes = match self.rng.chance(600) {
                        true => self.rng.between(1, 600),
                        false => self.rng.between(600, 8_000),
                    };
                    let overdue = self.rng.pick(&OVERDUE);
                    let resumed = Arrival::Resumed { journey, overdue };
                    let at = at + SignedDuration::from_mins(minutes);
                    self.at(at, Happening::Told(resumed));
                }
                8 => self.at(at, Happening::Told(Arrival::Retired(journey))),
                _seldom => self.at(at, Happening::Told(Arrival::Archived(journey))),
            }
        }
        self.write_segments();
        self.write_merges();
        if self.plan.faults.copied {
            let at = self.moment();
            self.at(at, Happening::Copy);
            let backlog = self.rng.pick(&[Backlog::Send, Backlog::Skip]);
            let at = at + SignedDuration::from_mins(self.rng.between(5, 5_000));
            self.at(at, Happening::Told(Arrival::Released(backlog)));
        }
    }

    /// Segments are defined anew, some taken away.
    fn write_segments(&mut self) {
        if self.plan.segments.is_empty() {
            return;
        }
        for _ in 0..self.rng.between(0, 3) {
            let mut changes = SegmentChanges::default();
            for _ in 0..self.rng.between(1, 3) {
                if self.rng.chance(250) {
                    let id = self.rng.pick(&SEGMENTS);
                    changes.removed.push(id.into());
                } else {
                    let definition = self.rng.pick(&self.plan.segments);
                    changes.defined.retain(|one| {
                        let own = one.segments.first().map(|one| &one.id);
                        own != Some(&definition.1.id)
                    });
                    changes.defined.push(defined(&definition));
                }
            }
            changes.removed.retain(|id| {
                let mut defined = changes.defined.iter().flat_map(|one| &one.segments);
                !defined.any(|one| one.id == *id)
            });
            let at = self.moment();
            self.at(at, Happening::Told(Arrival::Segments(changes)));
        }
    }

    /// A version that came later than a newer one is not published any more.
    pub(super) fn is_outdated(&self, arrival: &Arrival) -> bool {
        let Arrival::Published { journey, .. } = arrival else {
            return false;
        };
        let newest = self.newest.get(&journey.id);
        newest.is_some_and(|newest| journey.version < *newest)
    }

    /// The orders of a batch that is durable.
    pub(super) fn orders_in(&mut self, batch: &[(Arrival, bool)]) -> Vec<Order> {
        let orders = batch.iter().filter_map(|(arrival, _)| match arrival {
            Arrival::Published { journey, .. } => {
                Some(Order::Published(journey.id.clone(), journey.version))
            }
            Arrival::Retired(id) => Some(Order::Retired(id.clone())),
            Arrival::Paused(id) => Some(Order::Paused(id.clone())),
            Arrival::Resumed { journey, overdue } => {
                Some(Order::Resumed(journey.clone(), *overdue))
            }
            Arrival::Archived(id) => Some(Order::Archived(id.clone())),
            Arrival::Released(backlog) => Some(Order::Released(*backlog)),
            Arrival::Segments(changes) => {
                let defined = changes.defined.iter().flat_map(|one| one.segments.clone());
                Some(Order::Segmented {
                    defined: defined.collect(),
                    removed: changes.removed.clone(),
                })
            }
            Arrival::Input {
                input: Input::Approve {
                    touchpoint, answer, ..
                },
                ..
            } => Some(Order::Answered(*touchpoint, answer.clone())),
            Arrival::Event { .. }
            | Arrival::Input { .. }
            | Arrival::Mail(_)
            | Arrival::Threaded(_)
            | Arrival::Asset(_)
            | Arrival::Audited { .. }
            | Arrival::Payment(_)
            | Arrival::Judged(_)
            | Arrival::Statement(_)
            | Arrival::Synced { .. }
            | Arrival::Watched(_)
            | Arrival::Forgotten { .. }
            | Arrival::Lists(_)
            | Arrival::Templates(_)
            | Arrival::Rules(_)
            | Arrival::Erase { .. }
            | Arrival::Readmit(_)
            | Arrival::Suppressions { .. }
            | Arrival::Merge { .. }
            | Arrival::Unmerge { .. } => None,
        });
        let orders: Vec<Order> = orders.collect();
        for order in &orders {
            match order {
                Order::Published(id, version) => {
                    let newest = self.newest.entry(id.clone()).or_default();
                    *newest = (*newest).max(*version);
                }
                Order::Paused(id) => drop(self.paused.insert(id.clone())),
                Order::Resumed(id, _) => drop(self.paused.remove(id)),
                Order::Quieted => self.quiet = true,
                Order::Released(_) => self.quiet = false,
                Order::Retired(_)
                | Order::Archived(_)
                | Order::Segmented { .. }
                | Order::Answered(..) => {}
            }
        }
        orders
    }

    /// The database is copied; from here on the copy is looked at. Whoever opens it notices, and it is quiet.
    pub(super) fn copy(&mut self) {
        self.say("the database is copied");
        self.crash();
        let mut store = self.open();
        let asset = Asset {
            kind: SETTING.to_owned(),
            name: QUIET.to_owned(),
            body: Some("{}".to_owned()),
        };
        let now = self.engine_now();
        let written = store
            .begin()
            .and_then(|()| store.put_asset(&asset, now))
            .and_then(|()| store.commit());
        written.expect("the setting is written");
        drop(store);
        self.quiet = true;
        self.history.commits.push(Commit {
            at: self.now,
            engine_at: now,
            orders: vec![Order::Quieted],
            rested: false,
            effects: Vec::new(),
            names: Vec::new(),
        });
        self.start();
    }

    /// Whatever stands still goes on.
    pub(super) fn wake(&mut self) {
        for journey in self.paused.clone() {
            let overdue = self.rng.pick(&OVERDUE);
            let resumed = Arrival::Resumed { journey, overdue };
            self.intake.push((resumed, true));
        }
        if self.quiet {
            let backlog = self.rng.pick(&[Backlog::Send, Backlog::Skip]);
            self.intake.push((Arrival::Released(backlog), true));
        }
    }

    /// Nothing new begins any more.
    pub(super) fn sunset(&mut self) {
        for journey in self.plan.journeys() {
            self.intake.push((Arrival::Retired(journey), true));
        }
    }

    pub(super) fn act(&mut self, person: usize, act: Act, key: i64) {
        let email = self.plan.people[person].email.clone();
        let user = self.plan.people[person].user.clone();
        let Some(contact) = self.find(&email) else {
            return;
        };
        let input = match act {
            Act::Suppress => Input::Suppress {
                channel: Channel::Email,
                reason: SuppressionReason::Manual,
            },
            Act::Erase => {
                let by = "boss".to_owned();
                self.intake.push((Arrival::Erase { contact, by }, true));
                return;
            }
            Act::Merge(other, length) => return self.hold_for_one(contact, other, length),
            Act::SignUp(topic) => {
                if topic.is_none() {
                    self.history.granted.insert(contact);
                }
                Input::Consent {
                    channel: Channel::Email,
                    topic: topic.map(Topic::from),
                    consent: Consent::Granted,
                    evidence: Evidence::of(Source::Form),
                }
            }
            Act::Wish(wishes) => Input::Prefer(wishes),
            Act::Grant => {
                self.history.granted.insert(contact);
                Input::Consent {
                    channel: Channel::Email,
                    topic: None,
                    consent: Consent::Granted,
                    evidence: Evidence::of(Source::Person),
                }
            }
            Act::DenyTopic(topic) => Input::Consent {
                channel: Channel::Email,
                topic: Some(Topic::from(topic)),
                consent: Consent::Denied,
                evidence: Evidence::of(Source::Person),
            },
            Act::Segment(member) => Input::Segment {
                segment: crate::plan::SEGMENT.into(),
                member,
            },
            Act::Start(journey, by_person) => Input::Enroll {
                journey,
                by: match by_person {
                    true => Starter::Person(UserId::from("boss")),
                    false => Starter::Program,
                },
                subject: self.rng.chance(700).then(|| SubjectRef {
                    kind: "deal".into(),
                    id: format!("{user}-0").into(),
                }),
                properties: Fields::new(),
                once: Some(format!("start-{key}").into()),
            },
        };
        self.intake.push((Arrival::Input { contact, input }, true));
    }
}
