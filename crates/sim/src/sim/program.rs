//! The program in the world: how it starts, takes its turns, ends, and finds out what became of what.

use std::rc::Rc;
use std::sync::Arc;

use jiff::SignedDuration;
use relance_core::contact::{Channel, Identity};
use relance_core::decide::{Effect, Input};
use relance_core::ids::EnrollmentId;
use relance_core::ledger::LedgerEntry;
use relance_core::segment::Segment;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_core::world::World;
use relance_engine::arrival::{Arrival, DefinedSegments, SegmentChanges};
use relance_engine::ports::{Dispatch, Store, StoreError};
use relance_engine::turn::Engine;
use relance_store::{AnyStore, Place, Reader, SqliteOptions, SqliteStore, Synchronous};

use crate::history::{Commit, Delivery};
use crate::plan::{SEGMENTS, Version};
use crate::recorder::{CommitFault, Recorder};
use crate::wire::{Clerk, Fate};

use super::{Happening, Sim, TURNS_PER_MOMENT_MAX, Try};

/// Messages under way at once, in a world that should meet the limit.
const ROOM: [usize; 4] = [1, 2, 8, 64];
/// Contacts that a turn takes of a sweep, in a world that should meet the limit.
const SWEEP: [usize; 3] = [1, 2, 500];
/// Tries of a turn whose store is busy.
const BUSY_TRIES_MAX: u32 = 3;

impl Sim {
    /// Starts the program on what is in the file.
    pub(super) fn start(&mut self) {
        self.epoch += 1;
        let store = self.open();
        let mut store = Recorder::new(store, self.tape.clone());
        self.tape.borrow_mut().crashed = false;
        let mut world = World::new(self.plan.policy.clone(), self.plan.salt);
        world.templates = self.plan.templates.clone();
        world.lists = self.plan.lists.clone();
        world.double_opt_in = self.plan.double_opt_in.clone();
        for stored in store.segments().expect("segments") {
            world.add_segment(self.history.segments[&stored.text].clone());
        }
        for stored in store.journeys().expect("journeys") {
            let key = (stored.id.clone(), stored.version);
            let journey = self.history.journeys[&key].clone();
            world.add_journey(journey, stored.moves, stored.current);
        }
        let in_flight = store.in_flight().expect("in flight");
        for state in store.mailboxes().expect("mailboxes") {
            let own = self
                .mailboxes
                .iter_mut()
                .find(|mailbox| mailbox.id == state.mailbox);
            if let Some(mailbox) = own {
                mailbox.cursor = state.cursors.parse().unwrap_or(0);
                mailbox.reading = false;
                mailbox.again = false;
            }
        }
        {
            let mut desk = self.desk.borrow_mut();
            *desk = Default::default();
            desk.room = self.rng.pick(&ROOM);
        }
        let title = Box::new(|text: &str, _: &_, _: &_| text.to_owned());
        let engine = Engine::new(store, Clerk(Rc::clone(&self.desk)), world, title);
        let mut engine = engine.expect("the engine starts");
        engine.limit_sweeps(self.rng.pick(&SWEEP));
        self.engine = Some(engine);
        // A program that starts looks at once.
        self.more = true;
        self.say(format!("the program starts, {} in flight", in_flight.len()));
        for touchpoint in in_flight {
            self.reconcile(&touchpoint);
        }
        for mailbox in 0..self.mailboxes.len() {
            self.after_ms(10, 5_000, Happening::Pass(mailbox, self.epoch));
        }
    }

    /// Finds out what became of a message that was in flight when the program ended: what was not noted
    /// never left; the rest is looked for in the Sent folder.
    fn reconcile(&mut self, touchpoint: &Touchpoint) {
        let id = touchpoint.id;
        self.desk.borrow_mut().under_way.insert(id, false);
        let outcome = if !self.noted.contains(&(id, touchpoint.attempts)) {
            Outcome::Postponed { seconds: 1 }
        } else if self.filed.contains(&id) {
            Outcome::Accepted
        } else {
            Outcome::Unknown
        };
        let settle = self.settle(touchpoint, outcome);
        self.after_ms(1, 20_000, Happening::Reported(self.epoch, settle));
    }

    /// The arrivals that report an outcome.
    pub(super) fn settle(&mut self, touchpoint: &Touchpoint, outcome: Outcome) -> Vec<Arrival> {
        self.history
            .outcomes
            .push((touchpoint.id, touchpoint.attempts, outcome.clone()));
        vec![Arrival::Input {
            contact: touchpoint.id.contact,
            input: Input::Settle {
                touchpoint: touchpoint.id,
                attempt: touchpoint.attempts,
                outcome,
            },
        }]
    }

    /// The first configuration: journeys and mailboxes.
    pub(super) fn configure(&mut self) {
        for mailbox in &self.mailboxes {
            self.intake
                .push((Arrival::Watched(mailbox.id.clone()), true));
        }
        let first: Vec<_> = self.plan.segments.iter().take(SEGMENTS.len()).collect();
        if !first.is_empty() {
            let defined = first.into_iter().map(defined).collect();
            let changes = SegmentChanges {
                defined,
                ..SegmentChanges::default()
            };
            self.intake.push((Arrival::Segments(changes), true));
        }
        let first = self.plan.versions.iter();
        let first = first.filter(|one| one.journey.version == 1);
        self.intake.extend(first.map(|one| (published(one), true)));
    }

    /// Opens the database.
    pub(super) fn open(&self) -> AnyStore {
        let path = match &self.place {
            Place::File(path) => path,
            Place::Server(_) => return AnyStore::open(&self.place).expect("the store opens"),
        };
        let options = SqliteOptions {
            synchronous: Synchronous::Off,
            cache_bytes: 1 << 20,
            mmap_bytes: 0,
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(path, options).expect("the store opens");
        AnyStore::Sqlite(Box::new(store))
    }

    /// Lets the engine turn until nothing is due.
    pub(super) fn turns(&mut self) -> Result<(), String> {
        for _ in 0..TURNS_PER_MOMENT_MAX {
            let now = self.engine_now();
            let Some(engine) = &mut self.engine else {
                // Nobody listens: callers come again, what was found is found again.
                let waiting = std::mem::take(&mut self.intake);
                for (arrival, is_caller) in waiting {
                    if is_caller {
                        self.after_ms(60_000, 3_600_000, Happening::Told(arrival));
                    }
                }
                return Ok(());
            };
            let due = engine.next_due().expect("next due");
            if self.intake.is_empty() && !self.more && due.is_none_or(|due| due > now) {
                if let Some(last) = self.history.commits.last_mut() {
                    last.rested |= !self.quiet;
                }
                return Ok(());
            }
            self.turn();
        }
        Err(format!(
            "engine_comes_to_rest: it turned {TURNS_PER_MOMENT_MAX} times at {}",
            self.now
        ))
    }

    fn turn(&mut self) {
        let now = self.engine_now();
        let take = match self.intake.len() {
            0 => 0,
            all => self.rng.between(1, all as i64) as usize,
        };
        let take = self.up_to_erasure(take);
        let batch: Vec<(Arrival, bool)> = self.intake.drain(..take).collect();
        for (arrival, _) in &batch {
            self.say(format!("  in: {}", brief(arrival)));
        }
        if !self.calm && self.rng.chance(self.plan.faults.commit) {
            let faults = [
                CommitFault::Busy,
                CommitFault::CrashBefore,
                CommitFault::CrashAfter,
            ];
            self.tape.borrow_mut().fault = Some(self.rng.pick(&faults));
        }
        self.forget_strangers(&batch);
        self.forget_erased(&batch);
        let arrivals: Vec<&Arrival> = batch.iter().map(|(arrival, _)| arrival).collect();
        let mut result = Err(StoreError::Busy("not tried".to_owned()));
        for _ in 0..BUSY_TRIES_MAX {
            let Some(engine) = &mut self.engine else {
                return;
            };
            result = engine.turn(&arrivals, now);
            if !matches!(result, Err(StoreError::Busy(_))) {
                break;
            }
        }
        self.record(&batch);
        if self.tape.borrow().crashed {
            self.say("  crash at commit");
            let down = SignedDuration::from_secs(self.rng.between(1, 600));
            for (arrival, is_caller) in batch {
                if is_caller {
                    self.after_ms(1_000, 3_600_000, Happening::Told(arrival));
                }
            }
            self.happen(Happening::Crash(down));
            return;
        }
        let summary = result.unwrap_or_else(|error| panic!("the turn failed: {error}"));
        self.more = summary.more;
        for (arrival, is_caller) in &batch {
            if *is_caller {
                self.acknowledge(arrival);
            }
        }
        debug_assert_eq!(summary.dispatched, self.desk.borrow().taken.len());
        self.look_at_the_desk();
    }

    /// A reply is an answer for those who are known when it is read: of strangers nothing is kept.
    fn forget_strangers(&mut self, batch: &[(Arrival, bool)]) {
        let mut new: Vec<String> = Vec::new();
        for (arrival, _) in batch {
            match arrival {
                Arrival::Event { identities, .. } => {
                    new.extend(identities.iter().map(|one| one.value.clone()));
                }
                Arrival::Mail(mail) => {
                    if mail.document().is_some() {
                        new.extend(mail.to.iter().map(|to| to.email.clone()));
                    }
                    let at = self
                        .history
                        .replies
                        .iter()
                        .position(|one| one.mail == mail.message_id);
                    if let Some(at) = at {
                        let mut answers_for =
                            std::mem::take(&mut self.history.replies[at].answers_for);
                        answers_for
                            .retain(|email| new.contains(email) || self.find(email).is_some());
                        self.history.replies[at].answers_for = answers_for;
                    }
                }
                Arrival::Input { .. }
                | Arrival::Threaded(_)
                | Arrival::Asset(_)
                | Arrival::Audited { .. }
                | Arrival::Payment(_)
                | Arrival::Judged(_)
                | Arrival::Statement(_)
                | Arrival::Erase { .. }
                | Arrival::Readmit(_)
                | Arrival::Suppressions { .. }
                | Arrival::Synced { .. }
                | Arrival::Watched(_)
                | Arrival::Forgotten { .. }
                | Arrival::Published { .. }
                | Arrival::Retired(_)
                | Arrival::Paused(_)
                | Arrival::Resumed { .. }
                | Arrival::Archived(_)
                | Arrival::Segments(_)
                | Arrival::Lists(_)
                | Arrival::Templates(_)
                | Arrival::Rules(_)
                | Arrival::Released(_)
                | Arrival::Merge { .. }
                | Arrival::Unmerge { .. } => {}
            }
        }
    }

    fn acknowledge(&mut self, arrival: &Arrival) {
        match arrival {
            Arrival::Event { identities, event } => {
                self.history.acknowledged.push((self.now, event.clone()));
                let email = identities.iter().find(|one| one.value.contains('@'));
                if let (Some(email), "Unsubscribed") = (email, event.name.as_str()) {
                    self.history
                        .unsubscribed
                        .push((self.now, email.value.clone()));
                }
            }
            Arrival::Input {
                contact,
                input: Input::Event(event),
            } => {
                // What is told of somebody who is forgotten is not kept.
                let address = self.history.addresses.get(contact);
                if !address.is_some_and(|own| self.history.forgotten.contains(own)) {
                    self.history.acknowledged.push((self.now, event.clone()));
                }
            }
            _other => {}
        }
    }

    /// Takes what was committed into the history.
    fn record(&mut self, batch: &[(Arrival, bool)]) {
        let (effects, durable) = {
            let mut tape = self.tape.borrow_mut();
            (std::mem::take(&mut tape.committed), tape.durable)
        };
        let orders = match durable {
            true => self.orders_in(batch),
            false => Vec::new(),
        };
        if effects.is_empty() && orders.is_empty() {
            return;
        }
        let mut concerned = std::collections::BTreeSet::new();
        for (contact, effect) in &effects {
            match effect {
                Effect::Ledger(line) => {
                    self.say(format!("    {}", line_text(line)));
                    self.note_new_names(line);
                }
                Effect::Contact(body) => {
                    if let Some(email) = body.text("email") {
                        self.history.addresses.insert(*contact, email.to_owned());
                    }
                    concerned.insert(*contact);
                }
                Effect::Touchpoint(touchpoint) => {
                    if let TouchpointState::AwaitingApproval { .. } = touchpoint.state {
                        self.put_question(touchpoint);
                    }
                }
                Effect::Enrollment(run) => drop(self.history.runs.insert(run.id)),
                Effect::Task(task) => self.give_task(task),
                Effect::Entry(_)
                | Effect::Watch(_)
                | Effect::Membership { .. }
                | Effect::Unwatch(_)
                | Effect::Consent(_)
                | Effect::Suppression(_)
                | Effect::Object(_)
                | Effect::Event(_)
                | Effect::TaskChanged { .. }
                | Effect::Arm(_)
                | Effect::Disarm(_)
                | Effect::Account { .. }
                | Effect::Belongs { .. }
                | Effect::Revoke(_)
                | Effect::RequestSync(_) => {}
            }
        }
        let names = self.names_of(concerned);
        self.history.commits.push(Commit {
            at: self.now,
            engine_at: self.engine_now(),
            orders,
            rested: false,
            effects,
            names,
        });
    }

    /// What the engine handed to the dispatcher.
    fn look_at_the_desk(&mut self) {
        let (taken, syncs) = {
            let mut desk = self.desk.borrow_mut();
            (
                std::mem::take(&mut desk.taken),
                std::mem::take(&mut desk.syncs),
            )
        };
        for dispatch in taken {
            let fate = self.fate(&dispatch);
            let one = Box::new(Try { dispatch, fate });
            // A message may stand before a limit of its provider for hours.
            let slow = match self.rng.between(0, 99) {
                0..=3 if !self.calm => 3 * 3_600_000,
                0..=9 => 300_000,
                _often => 3_000,
            };
            self.after_ms(5, slow, Happening::Composed(self.epoch, one));
        }
        for mailbox in syncs {
            let at = self.mailboxes.iter().position(|own| own.id == mailbox);
            if let Some(at) = at {
                self.after_ms(5, 3_000, Happening::Pass(at, self.epoch));
            }
        }
    }

    fn fate(&mut self, dispatch: &Dispatch) -> Fate {
        match dispatch.touchpoint.channel {
            Channel::Email | Channel::Whatsapp => {}
            Channel::Voice if self.plan.calls => {
                if self.rng.chance(400) {
                    return Fate::Missed;
                }
            }
            Channel::Voice
            | Channel::Sms
            | Channel::Telegram
            | Channel::Webhook
            | Channel::Letter => return Fate::NotConfigured,
        }
        if self.calm || !self.rng.chance(self.plan.faults.provider) {
            return Fate::Accepts;
        }
        self.rng.pick(&[
            Fate::AcceptsUnheard,
            Fate::LostBefore,
            Fate::Lies,
            Fate::RefusesSoft,
            Fate::RefusesSoft,
            Fate::RefusesHard,
            Fate::Busy,
        ])
    }

    /// The program ends without a word.
    pub(super) fn crash(&mut self) {
        self.engine = None;
        self.intake.clear();
        // Bytes that were on the wire go on without us.
        for (_, one) in std::mem::take(&mut self.on_the_wire) {
            if matches!(one.fate, Fate::Accepts | Fate::AcceptsUnheard) && self.rng.chance(500) {
                self.deliver(&one.dispatch);
            }
        }
    }

    /// A message lies before its recipient.
    pub(super) fn deliver(&mut self, dispatch: &Dispatch) {
        let touchpoint = dispatch.touchpoint.clone();
        self.say(format!(
            "  delivered: {} {}",
            touchpoint.template, touchpoint.id
        ));
        let composed = (touchpoint.id, touchpoint.attempts);
        let composed_at = self.composed.get(&composed).copied();
        self.write_reading(&touchpoint);
        self.history.deliveries.push(Delivery {
            at: self.now,
            composed_at: composed_at.unwrap_or(self.now),
            touchpoint,
        });
    }

    /// Everything came to rest: what the store holds is compared with what was recorded.
    pub(super) fn rest(&mut self) {
        self.history.ended_at = self.engine_now();
        self.engine = None;
        let reader = Reader::open_place(&self.place).expect("the reader opens");
        let contacts: std::collections::BTreeSet<_> = self
            .history
            .effects()
            .map(|(_, contact, _)| contact)
            .collect();
        for contact in contacts {
            let mut events = Vec::new();
            let mut after = None;
            loop {
                let page = reader
                    .events(contact, after.as_deref(), 500)
                    .expect("events");
                events.extend(page.items.into_iter().map(|one| one.event));
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            self.history.logged.insert(contact, events);
        }
        let ids: Vec<_> = self
            .history
            .effects()
            .filter_map(|(_, _, effect)| match effect {
                Effect::Touchpoint(touchpoint) => Some(touchpoint.id),
                _other => None,
            })
            .collect();
        for id in ids {
            if let Some(stored) = reader.touchpoint(id).expect("touchpoint") {
                self.history.stored.insert(id, stored);
            }
        }
        for name in &self.history.forgotten {
            for identity in [Identity::user(name), Identity::email(name)] {
                let found = reader.find_contact(&identity).expect("a look");
                let back = found.map(|contact| (name.clone(), contact));
                self.history.returned.extend(back);
            }
        }
    }

    /// The contact of an address, between turns.
    pub(super) fn find(&mut self, email: &str) -> Option<relance_core::ids::ContactId> {
        let engine = self.engine.as_mut()?;
        engine.store().find(&Identity::email(email)).expect("find")
    }
}

/// A definition as it comes in.
pub(super) fn defined((text, segment): &(String, Arc<Segment>)) -> DefinedSegments {
    DefinedSegments {
        text: text.clone(),
        segments: vec![segment.clone()],
    }
}

/// The arrival that publishes a journey.
pub(super) fn published(version: &Version) -> Arrival {
    let journey = version.journey.clone();
    Arrival::Published {
        text: format!("{} v{}", journey.id, journey.version),
        journey,
        moves: version.moves.clone(),
    }
}

fn line_text(line: &LedgerEntry) -> String {
    let mut parts = vec![line.contact.to_string(), line.what.to_string()];
    parts.extend(line.journey.as_ref().map(ToString::to_string));
    parts.extend(line.enrollment.as_ref().map(EnrollmentId::to_string));
    parts.extend(line.step.as_ref().map(ToString::to_string));
    parts.extend(line.template.as_ref().map(ToString::to_string));
    parts.extend(line.reason.as_ref().map(ToString::to_string));
    parts.extend(line.until.map(|until| format!("until {until}")));
    parts.join(" ")
}

/// An arrival for the trace.
pub(super) fn brief(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Event { event, .. } => format!("event {} of {}", event.name, event.at),
        Arrival::Input { contact, input } => match input {
            Input::Settle {
                touchpoint,
                attempt,
                outcome,
            } => {
                format!("settle {touchpoint} #{attempt} {outcome:?}")
            }
            Input::Approve {
                touchpoint, answer, ..
            } => format!("answer {touchpoint} {answer:?}"),
            Input::Event(_)
            | Input::Echo(_)
            | Input::Timer(_)
            | Input::Claim(_)
            | Input::Suppress { .. }
            | Input::Consent { .. }
            | Input::Confirm(_)
            | Input::Prefer(_)
            | Input::Lift(_)
            | Input::Segment { .. }
            | Input::Assess(_)
            | Input::Enroll { .. }
            | Input::Account
            | Input::Arm(_)
            | Input::Resume { .. }
            | Input::End(_)
            | Input::Reconsider(_)
            | Input::Task(_)
            | Input::Erase => format!("{contact} {input:?}"),
        },
        Arrival::Mail(mail) => {
            let from = mail.from.as_ref().map_or("", |from| &from.email);
            format!(
                "mail {:?} {} from {from} of {}",
                mail.folder, mail.message_id, mail.at
            )
        }
        Arrival::Threaded(entry) => format!("threaded {}", entry.message_id),
        Arrival::Erase { contact, .. } => format!("erase {contact}"),
        Arrival::Readmit(hashes) => format!("readmit {}", hashes.len()),
        Arrival::Suppressions { put, dropped } => {
            format!("suppressions +{} -{}", put.len(), dropped.len())
        }
        Arrival::Asset(asset) => format!("asset {}", asset.name),
        Arrival::Audited { by, action, .. } => format!("audited {by} {action}"),
        Arrival::Payment(record) => format!("payment {} {}", record.id, record.state.word()),
        Arrival::Judged(turn) => format!("judged after {turn}"),
        Arrival::Statement(record) => format!("statement {}", record.id),
        Arrival::Synced { mailbox, at, .. } => format!("synced {mailbox} at {at}"),
        Arrival::Watched(mailbox) => format!("watched {mailbox}"),
        Arrival::Forgotten { mailbox, what } => format!("forgotten {mailbox} {what:?}"),
        Arrival::Published { text, moves, .. } => format!("published {text} {moves:?}"),
        Arrival::Retired(id) => format!("retired {id}"),
        Arrival::Paused(id) => format!("paused {id}"),
        Arrival::Resumed { journey, overdue } => format!("resumed {journey} {overdue:?}"),
        Arrival::Archived(id) => format!("archived {id}"),
        Arrival::Segments(_) => "segments".to_owned(),
        Arrival::Lists(_) => "lists".to_owned(),
        Arrival::Templates(_) => "templates".to_owned(),
        Arrival::Rules(_) => "rules".to_owned(),
        Arrival::Released(backlog) => format!("released {backlog:?}"),
        Arrival::Merge {
            survivor, absorbed, ..
        } => format!("merge {survivor} {absorbed}"),
        Arrival::Unmerge { absorbed, .. } => format!("unmerge {absorbed}"),
    }
}
