//! Two lives that may become one: snapshots in memory, timers and an outbox, and after every step the
//! checks that nothing is armed in vain, nothing is forgotten, and no settled message opens again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Contact;
use relance_core::decide::{
    Effect, Input, MergeProblem, Merged, Timer, TimerKind, decide, merge, needs_of_merge,
};
use relance_core::enrollment::EnrollmentState;
use relance_core::event::{Event, History};
use relance_core::ids::{ContactId, SubjectRef, TouchpointId};
use relance_core::ledger::{LedgerEntry, What};
use relance_core::snapshot::Snapshot;
use relance_core::subject::ObjectPatch;
use relance_core::time::Zone;
use relance_core::touchpoint::{Outcome, Slot, Touchpoint, TouchpointState};
use relance_core::value::Value;
use relance_core::world::{Needs, World};

use crate::story::world::StoryWorld;

/// Moments that one passage of time may have.
const MOMENTS_MAX: u32 = 100_000;

/// A message that went to the wire.
pub struct Sent {
    pub at: Timestamp,
    pub touchpoint: Touchpoint,
}

pub struct Life {
    pub world: World,
    pub zone: Zone,
    pub now: Timestamp,
    pub people: BTreeMap<ContactId, Snapshot>,
    names: Vec<(String, ContactId)>,
    pub timers: BTreeSet<(Timestamp, ContactId, TimerKind)>,
    pub lines: Vec<LedgerEntry>,
    pub sent: Vec<Sent>,
    /// How messages ended.
    pub settled: BTreeMap<TouchpointId, Outcome>,
    /// What was not read by [`Life::seen`] yet.
    fresh: Vec<String>,
    /// Messages stay in flight until they are settled by hand.
    pub by_hand: bool,
}

impl Life {
    /// A world in the stories' words.
    pub fn new(rules: &str) -> Self {
        let lines: Vec<&str> = rules
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let story = StoryWorld::read(&lines);
        let mut life = Self {
            world: story.world,
            zone: story.zone,
            now: Timestamp::UNIX_EPOCH,
            people: BTreeMap::new(),
            names: Vec::new(),
            timers: BTreeSet::new(),
            lines: Vec::new(),
            sent: Vec::new(),
            settled: BTreeMap::new(),
            fresh: Vec::new(),
            by_hand: false,
        };
        for (name, contact) in story.contacts {
            life.names.push((name, contact.id));
            life.people.insert(contact.id, Snapshot::new(contact));
        }
        life
    }

    pub fn id(&self, name: &str) -> ContactId {
        let found = self.names.iter().find(|(own, _)| own == name);
        found.expect(name).1
    }

    pub fn of(&self, name: &str) -> &Snapshot {
        &self.people[&self.id(name)]
    }

    pub fn of_mut(&mut self, name: &str) -> &mut Snapshot {
        let id = self.id(name);
        self.people.get_mut(&id).expect(name)
    }

    pub fn moment(&self, text: &str) -> Timestamp {
        self.zone.at(text.replace(' ', "T").parse().expect(text))
    }

    /// What was seen since this was last asked, in the ledger's words; beginnings of waits are left out.
    pub fn seen(&mut self) -> Vec<String> {
        std::mem::take(&mut self.fresh)
    }

    /// Lets the time pass to a moment, with all that is due until and at it.
    pub fn pass(&mut self, text: &str) {
        self.pass_to(self.moment(text));
    }

    pub fn pass_to(&mut self, until: Timestamp) {
        for _ in 0..MOMENTS_MAX {
            let timer = self.timers.first().copied();
            let outbox = self.outbox();
            let next = timer.map(|(at, ..)| at).into_iter();
            let Some(at) = next.chain(outbox.map(|(at, _)| at)).min() else {
                break;
            };
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            match timer.filter(|(due, ..)| *due <= self.now) {
                Some((due_at, whose, kind)) => {
                    self.input(whose, &Input::Timer(Timer { due_at, kind }));
                }
                None => {
                    if let Some((_, id)) = outbox {
                        self.input(id.contact, &Input::Claim(id));
                    }
                }
            }
        }
        self.now = self.now.max(until);
    }

    fn outbox(&self) -> Option<(Timestamp, TouchpointId)> {
        let open = self.people.values().flat_map(|one| &one.touchpoints);
        open.filter_map(|one| match one.slot() {
            Slot::Outbox(at) => Some((at, one.id)),
            Slot::Timer(_) | Slot::Flight | Slot::Done => None,
        })
        .min()
    }

    /// An event now; `document`, `order`, `deal` and `cart` also make it the subject.
    pub fn tell(&mut self, who: &str, name: &str, properties: &[(&str, &str)]) {
        let mut event = Event::track(name, self.now);
        for (key, text) in properties {
            match *key {
                "document" | "order" | "deal" | "cart" => {
                    event.subject = Some(SubjectRef {
                        kind: (*key).into(),
                        id: (*text).into(),
                    });
                }
                _property => {
                    let value = serde_json::from_str(text)
                        .unwrap_or_else(|_| Value::String((*text).to_owned()));
                    event.properties.insert((*key).to_owned(), value);
                }
            }
        }
        if let Some(subject) = &event.subject {
            event.objects = vec![ObjectPatch {
                subject: subject.clone(),
                fields: event.properties.clone(),
            }];
        }
        self.happen(who, &Input::Event(Arc::new(event)));
    }

    /// Something happens to one by name, with all that follows at once.
    pub fn happen(&mut self, who: &str, input: &Input) {
        self.input(self.id(who), input);
        self.pass_to(self.now);
    }

    pub fn input(&mut self, whose: ContactId, input: &Input) {
        let mut inputs = vec![input.clone()];
        while let Some(input) = inputs.pop() {
            let snapshot = self.people.get_mut(&whose).expect("contact");
            let effects = decide(&self.world, snapshot, &input, self.now);
            self.follow(whose, &effects);
            if !self.by_hand {
                let flying = self.people[&whose].touchpoints.iter();
                inputs.extend(
                    flying
                        .filter(|one| one.slot() == Slot::Flight)
                        .map(|one| accepted(one, Outcome::Accepted)),
                );
            }
        }
        self.check();
    }

    /// Whether a message went, or may have.
    pub fn went(&self, sent: &Sent) -> bool {
        let outcome = self.settled.get(&sent.touchpoint.id);
        matches!(outcome, Some(Outcome::Accepted | Outcome::Unknown))
    }

    /// Settles what is in flight to one.
    pub fn settle(&mut self, who: &str, outcome: Outcome) {
        let flying: Vec<Input> = self
            .of(who)
            .touchpoints
            .iter()
            .filter(|one| one.slot() == Slot::Flight)
            .map(|one| accepted(one, outcome.clone()))
            .collect();
        assert!(!flying.is_empty(), "nothing is in flight to {who}");
        for input in flying {
            self.happen(who, &input);
        }
    }

    /// One more contact, with an address.
    pub fn add(&mut self, name: &str) {
        let id = ContactId(self.people.len() as u64 + 1);
        let mut contact = Contact::new(id, Timestamp::UNIX_EPOCH);
        let address = Value::String(format!("{name}@client.test"));
        contact.traits.insert("email".to_owned(), address);
        self.names.push((name.to_owned(), id));
        self.people.insert(id, Snapshot::new(contact));
    }

    /// The two are one from now on; what is due at once happens.
    pub fn merge(&mut self, survivor: &str, absorbed: &str) -> Result<Merged, MergeProblem> {
        let merged = self.join(survivor, absorbed)?;
        self.pass_to(self.now);
        Ok(merged)
    }

    /// The two are one, and nothing else has happened yet.
    pub fn join(&mut self, survivor: &str, absorbed: &str) -> Result<Merged, MergeProblem> {
        let (ours, theirs) = (self.id(survivor), self.id(absorbed));
        let mut one = self.people[&ours].clone();
        let mut other = self.people[&theirs].clone();
        let before = (one.clone(), other.clone());
        let needs = needs_of_merge(&self.world, &one, &other);
        let merged = merge(&self.world, &mut one, &mut other, self.now);
        let Ok(merged) = merged else {
            assert_eq!((one, other), before, "a refusal changed something");
            return merged;
        };
        // With no more at hand than what is asked for, the same is decided.
        let (mut one_loaded, mut other_loaded) =
            (loaded(&before.0, &needs), loaded(&before.1, &needs));
        let with_less = merge(&self.world, &mut one_loaded, &mut other_loaded, self.now);
        let with_less = with_less.expect("merged");
        let is_asked = |effect: &&Effect| match effect {
            Effect::Object(object) => asks_for(&needs, &object.subject),
            Effect::Entry(entry) => needs.entries.contains(&entry.journey),
            _other => true,
        };
        for (with_all, with_less) in [
            (&merged.survivor, with_less.survivor),
            (&merged.absorbed, with_less.absorbed),
        ] {
            let with_all: Vec<_> = with_all.iter().filter(is_asked).cloned().collect();
            assert_eq!(with_all, with_less);
        }
        for (was, is, effects) in [
            (before.0, &one, &merged.survivor),
            (before.1, &other, &merged.absorbed),
        ] {
            let mut stored = was;
            effects.iter().for_each(|effect| stored.apply(effect));
            same(stored, is.clone());
        }
        inert(&other);
        self.people.insert(ours, one);
        self.people.insert(theirs, other);
        // One transaction: the store may write either first.
        self.follow(theirs, &merged.absorbed);
        self.follow(ours, &merged.survivor);
        self.check();
        Ok(merged)
    }

    fn follow(&mut self, whose: ContactId, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Ledger(line) => {
                    assert_eq!(line.contact, whose);
                    self.note(line);
                    self.lines.push(line.clone());
                }
                Effect::Touchpoint(touchpoint) => {
                    assert_eq!(touchpoint.id.contact, whose);
                    assert!(
                        !self.settled.contains_key(&touchpoint.id),
                        "{} opens again",
                        touchpoint.id
                    );
                    match &touchpoint.state {
                        TouchpointState::Sending { .. } => self.sent.push(Sent {
                            at: self.now,
                            touchpoint: Touchpoint::clone(touchpoint),
                        }),
                        TouchpointState::Settled { outcome, .. } => {
                            self.settled.insert(touchpoint.id, outcome.clone());
                        }
                        TouchpointState::Queued { .. }
                        | TouchpointState::Held { .. }
                        | TouchpointState::AwaitingApproval { .. } => {}
                    }
                }
                Effect::Arm(timer) => {
                    assert!(
                        self.timers.insert((timer.due_at, whose, timer.kind)),
                        "armed twice: {timer:?}"
                    );
                }
                Effect::Disarm(timer) => {
                    assert!(
                        self.timers.remove(&(timer.due_at, whose, timer.kind)),
                        "was not armed: {timer:?}"
                    );
                }
                Effect::Enrollment(run) => assert_eq!(run.id.contact, whose),
                Effect::Task(task) => assert_eq!(task.id.contact, whose),
                Effect::Contact(_)
                | Effect::Entry(_)
                | Effect::Watch(_)
                | Effect::Membership { .. }
                | Effect::Unwatch(_)
                | Effect::Consent(_)
                | Effect::Suppression(_)
                | Effect::Object(_)
                | Effect::Event(_)
                | Effect::TaskChanged { .. }
                | Effect::Revoke(_)
                | Effect::Account { .. }
                | Effect::Belongs { .. }
                | Effect::RequestSync(_) => {}
            }
        }
    }

    fn note(&mut self, line: &LedgerEntry) {
        if line.what == What::Waiting {
            return;
        }
        let found = self.names.iter().find(|(_, id)| *id == line.contact);
        let mut words = vec![found.expect("contact").0.clone(), line.what.to_string()];
        words.extend(line.journey.as_ref().map(ToString::to_string));
        words.extend(line.template.as_ref().map(ToString::to_string));
        words.extend(line.reason.as_ref().map(ToString::to_string));
        if line.what == What::Merged {
            words.extend(line.detail.clone());
        }
        self.fresh.push(words.join(" "));
    }

    /// What is armed is what something waits for, and nothing else.
    fn check(&self) {
        let mut awaited = BTreeSet::new();
        for (id, one) in &self.people {
            for run in &one.enrollments {
                let kind = TimerKind::Enrollment(run.id.number);
                awaited.extend(run.timer_at().map(|at| (at, *id, kind)));
                if let EnrollmentState::Sending { touchpoint, .. } = &run.state {
                    let open = one.touchpoint(*touchpoint).expect("the message of a run");
                    assert!(open.is_of(run.id), "{open:?}");
                }
            }
            for touchpoint in &one.touchpoints {
                if let Slot::Timer(at) = touchpoint.slot() {
                    awaited.insert((at, *id, TimerKind::Touchpoint(touchpoint.id.hash)));
                }
            }
            for watch in &one.watches {
                awaited.insert((watch.due_at, *id, TimerKind::Watch(watch.hash())));
            }
        }
        assert_eq!(self.timers, awaited, "armed, and awaited");
    }
}

fn accepted(touchpoint: &Touchpoint, outcome: Outcome) -> Input {
    Input::Settle {
        touchpoint: touchpoint.id,
        attempt: touchpoint.attempts,
        outcome,
    }
}

fn asks_for(needs: &Needs, subject: &SubjectRef) -> bool {
    needs.objects.contains(subject) || needs.kinds.contains(&subject.kind)
}

/// What a store would have loaded of a contact.
fn loaded(whole: &Snapshot, needs: &Needs) -> Snapshot {
    let mut one = whole.clone();
    one.objects.retain(|subject, _| asks_for(needs, subject));
    one.entries
        .retain(|entry| needs.entries.contains(&entry.journey));
    let asked = needs.history.iter().flat_map(|name| whole.history.of(name));
    one.history = History::new(asked.map(|event| Arc::new(event.clone())).collect());
    one
}

/// Effects tell the whole change, but for the log, which the store unites.
fn same(mut stored: Snapshot, mut is: Snapshot) {
    for one in [&mut stored, &mut is] {
        one.enrollments.sort_by_key(|run| run.id);
        one.touchpoints.sort_by_key(|touchpoint| touchpoint.id);
        one.watches.sort_by_key(relance_core::watch::Watch::hash);
        one.entries
            .sort_by_key(|entry| (entry.journey.clone(), entry.subject.clone()));
        one.history = History::default();
        one.last_event_at = None;
    }
    assert_eq!(stored, is);
}

/// Nothing can happen to the absorbed any more.
fn inert(absorbed: &Snapshot) {
    assert_eq!(absorbed.enrollments, []);
    assert_eq!(absorbed.touchpoints, []);
    assert_eq!(absorbed.watches, []);
    assert!(absorbed.contact.traits.is_empty());
}
