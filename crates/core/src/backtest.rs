//! What a journey would have done over what really happened: time travel, on a virtual clock.
//!
//! Contacts are played one after another, each from the first of its events on, so that memory does not
//! grow with their number. Every message that passes the gate counts as delivered; nothing is ever sent.
//! A person who would have been asked agrees at once, and is counted.
//!
//! **Absent:** what people would have done differently, had the messages really come; what happened to other
//! contacts that share an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::Contact;
use crate::decide::Input;
use crate::event::Event;
use crate::ids::{ContactId, JourneyId};
use crate::journey::{Journey, Moves};
use crate::ledger::{Reason, What};
use crate::play::{Play, Seen};
use crate::time::{Zone, civil_day};
use crate::world::World;

/// Contacts that are named as hit most.
pub const HIT_MOST_MAX: usize = 20;
/// Days whose messages are told one by one.
pub const DAYS_MAX: usize = 3_700;

/// What a journey did over a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Contacts that were played.
    pub contacts: u64,
    /// Events that were played.
    pub events: u64,
    /// Runs that began.
    pub enrolled: u64,
    /// Of these, in a control group.
    pub held_out: u64,
    /// Beginnings that something spoke against.
    pub not_enrolled: BTreeMap<Reason, u64>,
    /// Messages that would have gone.
    pub messages: u64,
    /// Of these, by template.
    pub templates: BTreeMap<String, u64>,
    /// Messages by day of the workspace's zone, as days since 1970-01-01.
    pub days: BTreeMap<i32, u64>,
    /// Messages that a person would have been asked about.
    pub asked: u64,
    /// Messages put off.
    pub held: BTreeMap<Reason, u64>,
    /// Messages that would not have gone.
    pub dropped: BTreeMap<Reason, u64>,
    /// Tasks for people.
    pub tasks: u64,
    /// Runs that ended before their last step.
    pub exited: BTreeMap<Reason, u64>,
    /// Runs that came to their last step.
    pub finished: u64,
    /// Goals reached.
    pub converted: u64,
    /// Contacts with the most messages, most first.
    pub hit_most: Vec<(ContactId, u64)>,
}

/// One version of a journey over history, among the workspace's other journeys.
#[derive(Debug)]
pub struct Backtest {
    play: Play,
    journey: JourneyId,
    zone: Zone,
    since: Timestamp,
    until: Timestamp,
    report: Report,
}

impl Backtest {
    /// `world` holds what is in force; `journey` takes the place of its own version there, or joins it.
    pub fn new(
        mut world: World,
        journey: Arc<Journey>,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        let id = journey.id.clone();
        let zone = world.policy.zone.clone();
        world.set_paused(&id, false);
        world.add_journey(journey, Moves::Pin, true);
        // Mailboxes of the past are read: what was not answered then was silence.
        world.synced.clear();
        Self {
            play: Play::new(world),
            journey: id,
            zone,
            since,
            until,
            report: Report::default(),
        }
    }

    /// Plays one contact: `contact` as it was known, and what happened to it, in order of time.
    pub fn contact(&mut self, contact: Contact, events: &[Arc<Event>]) {
        let Self {
            play,
            journey,
            zone,
            since,
            until,
            report,
        } = self;
        report.contacts += 1;
        let id = contact.id;
        let mut messages = 0;
        let mut watch = |at: Timestamp, _: &Contact, seen: &Seen| {
            if seen.journey() != Some(journey) {
                return;
            }
            match seen {
                Seen::WouldSend(touchpoint) => {
                    messages += 1;
                    let template = touchpoint.template.to_string();
                    *report.templates.entry(template).or_default() += 1;
                    let day = civil_day(at, zone);
                    if report.days.len() < DAYS_MAX || report.days.contains_key(&day) {
                        *report.days.entry(day).or_default() += 1;
                    }
                }
                Seen::Ledger(line) => report.count(line.what, line.reason),
                // Of no journey: left out above.
                Seen::Turned { .. } => {}
            }
        };
        play.begin_again(*since);
        play.add(contact);
        play.arm(id, &mut watch);
        for event in events {
            if event.at >= *until {
                break;
            }
            play.pass(event.at, &mut watch);
            play.input(id, &Input::Event(event.clone()), &mut watch);
        }
        play.pass(*until, &mut watch);
        report.events += events.len() as u64;
        report.messages += messages;
        report.note_hit(id, messages);
    }

    /// What was counted.
    pub fn report(self) -> Report {
        self.report
    }
}

impl Report {
    fn count(&mut self, what: What, reason: Option<Reason>) {
        let by = |map: &mut BTreeMap<Reason, u64>| {
            if let Some(reason) = reason {
                *map.entry(reason).or_default() += 1;
            }
        };
        match what {
            What::Enrolled => {
                self.enrolled += 1;
                self.held_out += u64::from(reason == Some(Reason::Holdout));
            }
            What::NotEnrolled => by(&mut self.not_enrolled),
            What::Approved => self.asked += 1,
            What::Held => by(&mut self.held),
            What::Dropped | What::Skipped | What::Withdrawn | What::Failed => by(&mut self.dropped),
            What::Task => self.tasks += 1,
            What::Exited => by(&mut self.exited),
            What::Finished => self.finished += 1,
            What::Converted => self.converted += 1,
            What::Waiting
            | What::TaskDone
            | What::TaskReopened
            | What::TaskPostponed
            | What::Sent
            | What::Retried
            | What::Set
            | What::Came
            | What::TimedOut
            | What::Branched
            | What::Assigned
            | What::Paused
            | What::Resumed
            | What::Migrated
            | What::Moved
            | What::Notified
            | What::Merged
            | What::Promo
            | What::Suppressed
            | What::Released
            | What::Consented
            | What::ConsentAsked
            | What::Preferred
            | What::Unsubscribed => {}
        }
    }

    fn note_hit(&mut self, contact: ContactId, messages: u64) {
        let least = self.hit_most.last().map_or(0, |(_, least)| *least);
        if messages == 0 || (self.hit_most.len() >= HIT_MOST_MAX && messages <= least) {
            return;
        }
        let place = self.hit_most.partition_point(|(_, more)| *more >= messages);
        self.hit_most.insert(place, (contact, messages));
        self.hit_most.truncate(HIT_MOST_MAX);
    }
}
