//! People who are several to the program: visitors who sign in, users with a former id, two who are held for
//! one; and what people wish and sign up for.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use relance_core::consent::{About, Evidence, Source};
use relance_core::contact::{Channel, Consent, Identity};
use relance_core::decide::Input;
use relance_core::event::{Event, EventKind};
use relance_core::ids::{ContactId, EnrollmentId, TouchpointId};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::preferences::{Frequency, Per, Preferences, Wishes};
use relance_core::time::Window;
use relance_core::touchpoint::Touchpoint;
use relance_engine::arrival::Arrival;
use relance_engine::ports::Store;

use super::{Act, Happening, Sim};

/// Names of one contact that are looked at.
const NAMES_MAX: usize = 100;

impl Sim {
    /// What is told under a person's other names, and what it wishes.
    pub(super) fn write_selves(&mut self, person: usize) {
        let own = self.plan.people[person].clone();
        if let Some(device) = own.device {
            for number in 0..self.rng.between(1, 4) {
                let name = self.rng.pick(&["Visited", "Visited", "Left"]);
                let event = Event::track(name, self.moment());
                self.tell_under(
                    vec![Identity::anonymous(&device)],
                    person,
                    event,
                    200 + number,
                );
            }
        }
        if let Some(former) = own.former {
            for number in 0..self.rng.between(1, 4) {
                let name = self
                    .rng
                    .pick(&["Signed Up", "Visited", "Order Completed", "Left"]);
                let event = Event::track(name, self.moment());
                self.tell_under(vec![Identity::user(&former)], person, event, 210 + number);
            }
            let mut alias = Event::track("", self.moment());
            alias.kind = EventKind::Alias;
            let names = vec![
                Identity::user(&own.user),
                Identity::user(&former),
                Identity::anonymous(&former),
            ];
            self.tell_under(names, person, alias, 220);
        }
        let mut acts = Vec::new();
        for _ in 0..self.rng.between(0, 2) {
            if self.rng.chance(400) {
                acts.push(Act::SignUp(self.rng.pick(&[
                    None,
                    Some("lessons"),
                    Some("news"),
                ])));
            }
        }
        if self.rng.chance(250) {
            acts.push(Act::Wish(Box::new(self.wishes())));
        }
        for act in acts {
            let at = self.moment();
            self.at(at, Happening::Act(person, act, 0));
        }
    }

    fn wishes(&mut self) -> Wishes {
        let mut preferences = Preferences::default();
        if self.rng.chance(300) {
            preferences.frequency = Frequency::new(1, self.rng.pick(&[Per::Week, Per::Month]));
        }
        if self.rng.chance(300) {
            let window = Window::parse(Some("mon-fri"), Some("10:00-16:00"));
            preferences.window = Some(window.expect("a window"));
        }
        if self.rng.chance(400) {
            let hours = self.rng.pick(&[20, 60, 200]);
            preferences.paused_until = Some(self.moment() + SignedDuration::from_hours(hours));
        }
        let mut answers = Vec::new();
        if self.rng.chance(300) {
            let answer = self.rng.pick(&[Consent::Denied, Consent::Granted]);
            answers.push((About::Topic("lessons".into()), answer));
        }
        if self.rng.chance(100) {
            answers.push((About::Channel(Channel::Voice), Consent::Denied));
        }
        Wishes {
            preferences,
            answers,
            language: None,
            evidence: Evidence::of(Source::PreferencePage),
        }
    }

    /// Who got the question confirms, perhaps.
    pub(super) fn write_confirmation(&mut self, touchpoint: &Touchpoint) {
        if self.rng.chance(400) {
            return;
        }
        let at = self.now + SignedDuration::from_mins(self.rng.between(1, 4_000));
        let arrival = Arrival::Input {
            contact: touchpoint.id.contact,
            input: Input::Confirm(Evidence::of(Source::DoubleOptIn)),
        };
        self.at(at, Happening::Told(arrival));
    }

    /// Somebody holds two people for one, and perhaps sees that they are not.
    pub(super) fn write_merges(&mut self) {
        for _ in 0..self.plan.faults.merges {
            let people: Vec<usize> = (0..self.plan.people.len()).collect();
            let (one, other) = (self.rng.pick(&people), self.rng.pick(&people));
            if one == other {
                continue;
            }
            let undone = self.rng.chance(600);
            let minutes = self.rng.between(1, 30 * 60);
            let length = undone.then(|| SignedDuration::from_mins(minutes));
            let at = self.moment();
            self.at(at, Happening::Act(one, Act::Merge(other, length), 0));
        }
    }

    pub(super) fn hold_for_one(
        &mut self,
        survivor: ContactId,
        other: usize,
        length: Option<SignedDuration>,
    ) {
        let email = self.plan.people[other].email.clone();
        let Some(absorbed) = self.find(&email).filter(|other| *other != survivor) else {
            return;
        };
        let by: Arc<str> = "boss".into();
        let merge = Arrival::Merge {
            survivor,
            absorbed,
            by: by.clone(),
        };
        self.intake.push((merge, true));
        if let Some(length) = length {
            let undo = Arrival::Unmerge { absorbed, by };
            self.at(self.now + length, Happening::Told(undo));
        }
    }

    /// An erasure has a turn of its own, so that it is known whom it erases.
    pub(super) fn up_to_erasure(&self, take: usize) -> usize {
        let is_erasure = |(arrival, _): &(Arrival, bool)| matches!(arrival, Arrival::Erase { .. });
        match self.intake.iter().take(take).position(is_erasure) {
            Some(place) => place.max(1),
            None => take,
        }
    }

    /// Everyone who is held for the same as one who is erased is forgotten with it.
    pub(super) fn forget_erased(&mut self, batch: &[(Arrival, bool)]) {
        for (arrival, _) in batch {
            let Arrival::Erase { contact, .. } = arrival else {
                continue;
            };
            let Some(engine) = self.engine.as_mut() else {
                return;
            };
            let Some(now) = survivor_of(engine.store(), *contact) else {
                return;
            };
            self.history.erased.insert(now.id);
            self.history.erased.extend(&now.absorbed);
            for person in self.plan.people.clone() {
                let names = [Identity::user(&person.user), Identity::email(&person.email)];
                for name in names {
                    let found = self.find_by(&name);
                    if found == Some(now.id) {
                        let forgotten = &mut self.history.forgotten;
                        forgotten.extend([person.user.clone(), person.email.clone()]);
                    }
                }
            }
        }
    }

    fn find_by(&mut self, name: &Identity) -> Option<ContactId> {
        let engine = self.engine.as_mut()?;
        engine.store().find(name).expect("find")
    }

    /// Under which names runs and messages go on.
    pub(super) fn note_new_names(&mut self, line: &LedgerEntry) {
        if line.reason != Some(Reason::Merged) {
            return;
        }
        let Some(detail) = &line.detail else { return };
        match line.what {
            What::Merged => {
                let old = detail.parse::<EnrollmentId>().ok();
                if let (Some(new), Some(old)) = (line.enrollment, old)
                    && !self.history.runs.contains(&new)
                {
                    self.history.went_over.insert(new, old);
                }
            }
            What::Withdrawn => {
                let new = detail.parse::<TouchpointId>().ok();
                if let (Some(old), Some(new)) = (line.touchpoint, new) {
                    self.history.renamed.insert(old, new);
                }
            }
            _other => {}
        }
    }

    /// The names that contacts have now.
    pub(super) fn names_of(
        &mut self,
        contacts: BTreeSet<ContactId>,
    ) -> Vec<(ContactId, BTreeSet<Identity>)> {
        let Some(engine) = self.engine.as_mut() else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for contact in contacts {
            let names = engine.store().identities_of(contact, NAMES_MAX);
            all.push((contact, names.expect("names").into_iter().collect()));
        }
        all
    }
}

/// Whoever a contact is now, whole.
fn survivor_of(
    store: &mut impl Store,
    contact: ContactId,
) -> Option<relance_core::contact::Contact> {
    let mut contact = contact;
    loop {
        let loaded = store.load(&[contact]).expect("loads");
        let one = loaded.into_iter().next()?.contact;
        match one.merged_into {
            Some(next) => contact = next,
            None => return Some(one),
        }
    }
}
