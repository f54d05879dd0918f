//! Two installations that answer one another, and a mailbox that is flooded: the real engine and store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance_core::condition::Condition;
use relance_core::contact::{Channel, Identity};
use relance_core::decide::{Input, MAILS_ANSWERED_MAX};
use relance_core::event::{Event, names};
use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Holdout, Journey, Moves, On, Reentry, Send, Sender, StepKind, Trigger, publish,
};
use relance_core::ledger::What;
use relance_core::mail::{Address, Folder, MailClass, MailSeen, Said};
use relance_core::touchpoint::Outcome;
use relance_core::value::{Fields, Value};
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::{Engine, Summary};
use relance_store::SqliteStore;

use crate::found::policy;
use crate::orphans::at;

/// What leaves, kept until it is looked at.
#[derive(Default)]
struct Post {
    taken: Vec<Dispatch>,
}

impl Dispatcher for Post {
    fn capacity(&self) -> usize {
        100
    }
    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        self.taken.extend(messages);
    }
    fn revoke(&mut self, _id: TouchpointId) {}
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

/// Thanks for every mail that a person seems to have written.
fn thanks() -> Journey {
    let draft = JourneyDraft {
        id: "thanks".into(),
        name: "Thanks".to_owned(),
        subject: None,
        trigger: Trigger {
            on: On::Event(names::REPLIED.into()),
            filter: Condition::All(Vec::new()),
        },
        reentry: Some(Reentry::Always),
        goal: None,
        exits: Vec::new(),
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
        steps: vec![StepDraft {
            path: "steps[0]".to_owned(),
            id: None,
            late: None,
            kind: StepKind::Send {
                send: Send {
                    channel: Channel::Email,
                    template: "thanks".into(),
                    from: Sender::Workspace,
                    approval: None,
                    when: None,
                    content: None,
                    digest: None,
                    opened_within: None,
                },
                otherwise: Vec::new(),
            },
        }],
    };
    publish(draft, 1).expect("a journey")
}

/// A company with a mailbox, which knows one contact.
struct House {
    engine: Engine<SqliteStore, Post>,
    own: &'static str,
    contact: &'static str,
    mails: u32,
    lines: std::collections::BTreeMap<What, u64>,
}

impl House {
    fn new(own: &'static str, contact: &'static str, now: Timestamp) -> Self {
        let store = SqliteStore::open_in_memory().expect("a store");
        let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
        let world = World::new(policy(), 1);
        let engine = Engine::new(store, Post::default(), world, title).expect("an engine");
        let mut house = Self {
            engine,
            own,
            contact,
            mails: 0,
            lines: Default::default(),
        };
        let published = Arrival::Published {
            text: "thanks".to_owned(),
            journey: Arc::new(thanks()),
            moves: Moves::Pin,
        };
        let traits = Fields::from_iter([("email".to_owned(), Value::from(contact))]);
        let known = Arrival::Event {
            identities: vec![Identity::email(contact)],
            event: Arc::new(Event::identify(traits, now)),
        };
        house.turn(&[published, known], now);
        house
    }

    fn turn(&mut self, arrivals: &[Arrival], now: Timestamp) -> Summary {
        let arrivals: Vec<&Arrival> = arrivals.iter().collect();
        let summary = self.engine.turn(&arrivals, now).expect("a turn");
        for (what, count) in &summary.ledger {
            *self.lines.entry(*what).or_default() += *count;
        }
        summary
    }

    /// A mail of the contact's, as the mailbox shows it.
    fn mail(&mut self, now: Timestamp) -> Arrival {
        self.mails += 1;
        let address = |email: &str| Address {
            email: email.to_owned(),
            name: None,
        };
        Arrival::Mail(Box::new(MailSeen {
            mailbox: MailboxId::from(self.own),
            folder: Folder::Inbox,
            message_id: format!("{}-{}", self.contact, self.mails),
            references: Vec::new(),
            from: Some(address(self.contact)),
            to: vec![address(self.own)],
            at: now,
            subject: "Thank you".to_owned(),
            touchpoint: None,
            numbers: Vec::new(),
            class: MailClass::Reply {
                text: "Thank you for your message".to_owned(),
                said: Said::default(),
            },
        }))
    }

    /// Sends what is to be sent; returns how many mails that are.
    fn send(&mut self, now: Timestamp) -> usize {
        let sent = std::mem::take(&mut self.engine.dispatcher().taken);
        let settled: Vec<Arrival> = sent
            .iter()
            .map(|message| Arrival::Input {
                contact: message.touchpoint.id.contact,
                input: Input::Settle {
                    touchpoint: message.touchpoint.id,
                    attempt: message.touchpoint.attempts,
                    outcome: Outcome::Accepted,
                },
            })
            .collect();
        self.turn(&settled, now);
        sent.len()
    }

    fn count(&self, what: What) -> u64 {
        self.lines.get(&what).copied().unwrap_or_default()
    }
}

#[test]
fn two_installations_that_thank_one_another_stop_by_themselves() {
    let mut now = at("08:00:00");
    let mut houses = [
        House::new("sales@a.test", "sales@b.test", now),
        House::new("sales@b.test", "sales@a.test", now),
    ];
    // The first word is a person's.
    let mut on_the_way = 1;
    let mut rounds = 0;
    while on_the_way > 0 {
        assert!(rounds < 1_000, "they would go on for ever");
        now += SignedDuration::from_secs(5);
        let house = &mut houses[rounds % 2];
        let mails: Vec<Arrival> = (0..on_the_way).map(|_| house.mail(now)).collect();
        house.turn(&mails, now);
        on_the_way = house.send(now);
        rounds += 1;
    }
    assert_eq!(rounds, 2 * MAILS_ANSWERED_MAX + 1);
    // Whoever was written to last was told, once.
    let told: u64 = houses.iter().map(|house| house.count(What::Task)).sum();
    assert_eq!(told, 1);
}

#[test]
fn a_thousand_mails_in_a_minute_begin_ten_runs_and_are_one_task() {
    let begun = at("08:00:00");
    let mut house = House::new("sales@a.test", "robot@b.test", begun);
    let mut spent: Vec<Duration> = Vec::new();
    for batch in 0..20 {
        let now = begun + SignedDuration::from_secs(3 * (batch + 1));
        let mails: Vec<Arrival> = (0..50).map(|_| house.mail(now)).collect();
        let clock = Instant::now();
        house.turn(&mails, now);
        spent.push(clock.elapsed());
        house.send(now);
    }
    assert_eq!(house.count(What::Enrolled), MAILS_ANSWERED_MAX as u64);
    assert_eq!(house.count(What::Sent), MAILS_ANSWERED_MAX as u64);
    assert_eq!(house.count(What::Task), 1);
    assert_eq!(
        house.count(What::NotEnrolled),
        1_000 - MAILS_ANSWERED_MAX as u64
    );
    // A batch late in the flood is as little work as an early one; wide, as machines are busy.
    let early: Duration = spent[1..5].iter().sum();
    let late: Duration = spent[16..].iter().sum();
    assert!(late < early * 5, "{early:?}, then {late:?}");
}
