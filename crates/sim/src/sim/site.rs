//! What people do on the site and in the shop, with their mail, and what others do with them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Channel, Identity};
use relance_core::decide::Input;
use relance_core::event::{Event, EventKind, names};
use relance_core::ids::SubjectRef;
use relance_core::journey::Recipient;
use relance_core::touchpoint::Touchpoint;
use relance_core::value::{Fields, Value};
use relance_engine::arrival::Arrival;

use crate::plan::{self, ZONES};

use super::{Act, Happening, Sim};

impl Sim {
    pub(super) fn write_site(&mut self, person: usize) {
        let own = self.plan.people[person].clone();
        let at = plan::birth() + SignedDuration::from_mins(self.rng.between(1, 2_000));
        let mut traits = Fields::new();
        let told = [
            ("email", Some(own.email.clone())),
            ("timezone", Some(own.zone.to_owned())),
            ("phone", own.phone.clone()),
            ("birthday", own.birthday.clone()),
            ("renewal", own.renewal.clone()),
        ];
        for (name, value) in told {
            traits.extend(value.map(|value| (name.to_owned(), Value::from(value))));
        }
        if let Some(account) = own.account {
            traits.insert("account".to_owned(), group(account));
        }
        if self.rng.chance(700) {
            traits.insert("owner".to_owned(), Value::from("sales@us.test"));
        }
        self.tell(person, identify(traits, at), 0);
        for number in 1..=self.rng.between(1, 9) {
            let event = self.deed(person, number);
            self.tell(person, event, number);
        }
        self.write_deals(person);
        self.write_invoices(person);
        self.write_news_of(person);
        self.write_acts(person);
        self.write_selves(person);
    }

    fn deed(&mut self, person: usize, number: i64) -> Event {
        let name = self.rng.pick(&[
            "Signed Up",
            "Signed Up",
            "Visited",
            "Visited",
            "Visited",
            "Order Completed",
            "Payment Failed",
            "Left",
            "Deal Won",
        ]);
        let at = self.moment();
        let mut event = Event::track(name, at);
        if name == "Order Completed" {
            let user = &self.plan.people[person].user;
            event.subject = Some(SubjectRef {
                kind: "order".into(),
                id: format!("{user}-{}", number / 2).into(),
            });
        }
        event
    }

    /// Deals go from stage to stage.
    fn write_deals(&mut self, person: usize) {
        if !self.rng.chance(500) {
            return;
        }
        for number in 0..self.rng.between(1, 5) {
            let mut deal = Fields::new();
            let id = format!("{}-{}", self.plan.people[person].user, number % 2);
            deal.insert("id".to_owned(), Value::from(id));
            let stage = self.rng.pick(&["new", "stuck", "won"]);
            deal.insert("stage".to_owned(), Value::from(stage));
            if self.rng.chance(500) {
                let due = self
                    .rng
                    .pick(&["2026-03-14", "2026-03-20T12:00", "2026-03-30"]);
                deal.insert("due".to_owned(), Value::from(due));
            }
            let mut event = Event::track("Deal Updated", self.moment());
            event
                .properties
                .insert("deal".to_owned(), Value::Object(deal));
            self.tell(person, event, 20 + number);
        }
    }

    /// Invoices come close together; some are paid.
    fn write_invoices(&mut self, person: usize) {
        if !self.rng.chance(500) {
            return;
        }
        let first = self.moment();
        for number in 0..self.rng.between(1, 5) {
            let id = format!("{}-{number}", self.plan.people[person].user);
            let about = |name: &str, at| Event {
                subject: Some(SubjectRef {
                    kind: "invoice".into(),
                    id: id.as_str().into(),
                }),
                ..Event::track(name, at)
            };
            let at = first + SignedDuration::from_mins(self.rng.between(0, 900));
            self.tell(person, about("Invoice Sent", at), 30 + number);
            if self.rng.chance(400) {
                let paid = at + SignedDuration::from_mins(self.rng.between(1, 6_000));
                self.tell(person, about("Invoice Paid", paid), 40 + number);
            }
        }
    }

    /// What is known of a person changes.
    fn write_news_of(&mut self, person: usize) {
        for number in 0..self.rng.between(0, 4) {
            let mut traits = Fields::new();
            let (name, value) = match self.rng.between(0, 5) {
                0 | 1 => ("timezone", Value::from(self.rng.pick(&ZONES))),
                2 => ("plan", Value::from(self.rng.pick(&["pro", "free"]))),
                3 => {
                    let day = self.rng.pick(&["2026-03-12", "2026-03-21", ""]);
                    let day = Some(day).filter(|day| !day.is_empty());
                    ("renewal", day.map_or(Value::Null, Value::from))
                }
                4 => ("birthday", Value::from(self.rng.pick(&["03-14", "02-29"]))),
                _seldom => ("account", group(self.rng.pick(&["acme", "other"]))),
            };
            traits.insert(name.to_owned(), value);
            let at = self.moment();
            self.tell(person, identify(traits, at), 60 + number);
        }
    }

    fn write_acts(&mut self, person: usize) {
        if self.rng.chance(200) {
            let at = self.moment();
            self.tell(person, Event::track(names::UNSUBSCRIBED, at), 100);
        }
        if self.rng.chance(30) {
            let at = self.moment();
            self.tell(person, Event::track(names::EMAIL_MARKED_AS_SPAM, at), 101);
        }
        let mut acts = Vec::new();
        match self.rng.between(0, 29) {
            0 => acts.push(Act::Suppress),
            1 => acts.push(Act::Erase),
            2 | 3 => acts.push(Act::Grant),
            4 | 5 => acts.push(Act::DenyTopic("news")),
            _often => {}
        }
        for _ in 0..self.rng.between(0, 6) {
            acts.push(Act::Segment(self.rng.chance(600)));
        }
        for (journey, by_person) in self.plan.startable() {
            for _ in 0..self.rng.between(0, 3) {
                acts.push(Act::Start(journey.clone(), by_person));
            }
        }
        for (key, act) in acts.into_iter().enumerate() {
            let at = self.moment();
            let key = key as i64 + 100 * person as i64;
            self.at(at, Happening::Act(person, act.clone(), key));
            if self.rng.chance(self.plan.faults.caller) {
                self.at(at, Happening::Act(person, act, key));
            }
        }
    }

    /// A caller tells an event: soon, or late; once, or more often.
    fn tell(&mut self, person: usize, event: Event, number: i64) {
        let own = &self.plan.people[person];
        let mut identities = vec![Identity::user(&own.user), Identity::email(&own.email)];
        if let Some(device) = &own.device {
            let device = Identity::anonymous(device);
            identities.extend(self.rng.chance(300).then_some(device));
        }
        self.tell_under(identities, person, event, number);
    }

    /// A caller tells an event under some of a person's names.
    pub(super) fn tell_under(
        &mut self,
        identities: Vec<Identity>,
        person: usize,
        mut event: Event,
        number: i64,
    ) {
        let own = &self.plan.people[person];
        event.message_id = Some(format!("{}-{number}", own.user).into());
        let at = event.at;
        let arrival = Arrival::Event {
            identities,
            event: Arc::new(event),
        };
        let unruly = self.rng.chance(self.plan.faults.caller);
        let late = if unruly { 36 * 3_600_000 } else { 3_000 };
        let first = at + SignedDuration::from_millis(self.rng.between(1, late));
        self.at(first, Happening::Told(arrival.clone()));
        if unruly {
            let again = first + SignedDuration::from_mins(self.rng.between(0, 5_000));
            self.at(again, Happening::Told(arrival));
        }
    }

    /// A message lies before its recipient: perhaps it is opened, by a person or by a machine.
    pub(super) fn write_reading(&mut self, touchpoint: &Touchpoint) {
        if touchpoint.is_confirmation() {
            return self.write_confirmation(touchpoint);
        }
        let is_ours = touchpoint.recipient != Recipient::Contact;
        if touchpoint.channel != Channel::Email || is_ours || !self.rng.chance(350) {
            return;
        }
        let soon = if self.rng.chance(400) { 30 } else { 172_800 };
        let at = self.now + SignedDuration::from_secs(self.rng.between(1, soon));
        let name = match self.rng.chance(300) {
            true => names::EMAIL_LINK_CLICKED,
            false => names::EMAIL_OPENED,
        };
        let mut event = Event::track(name, at);
        let id = Value::from(touchpoint.id.to_string());
        event.properties.insert(names::TOUCHPOINT.to_owned(), id);
        if self.rng.chance(250) {
            event
                .properties
                .insert(names::MACHINE.to_owned(), Value::from(true));
        }
        event.message_id = Some(format!("read-{}-{}", touchpoint.id, touchpoint.attempts).into());
        let arrival = Arrival::Input {
            contact: touchpoint.id.contact,
            input: Input::Event(Arc::new(event)),
        };
        self.at(at, Happening::Told(arrival));
    }
}

fn identify(traits: Fields, at: Timestamp) -> Event {
    let mut event = Event::track("", at);
    event.kind = EventKind::Identify;
    event.traits = Some(traits);
    event
}

/// What a `group` call leaves of an account.
fn group(id: &str) -> Value {
    let id = ("id".to_owned(), Value::from(id));
    Value::Object(Fields::from_iter([id]))
}
