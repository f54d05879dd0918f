//! Journeys played on a virtual clock, and what is said of them in three languages. Read each golden text
//! as a salesperson would before it is accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Channel, Contact, SuppressionReason};
use relance_core::decide::{Answer, Input, Overdue, Starter};
use relance_core::event::Event;
use relance_core::explain::{explain, explain_message};
use relance_core::ids::{ContactId, JourneyId, MailboxId, TouchpointId, UserId};
use relance_core::journey::{Holdout, Moves, Unit};
use relance_core::play::{Play, Seen};
use relance_core::policy::{Cap, Policy, ServiceExemption};
use relance_core::time::{Calendar, QuietHours};
use relance_core::value::Fields;
use serde_json::{Value, json};

use super::*;

const CONTACT: ContactId = ContactId(7);

/// One contact, and journeys that happen to it.
struct Stage {
    play: Play,
    lines: Vec<LedgerEntry>,
}

impl Stage {
    fn new(journeys: &[&str]) -> Self {
        Self::with(journeys, json!({}))
    }

    /// Begins on 2026-11-02 at noon UTC, which is 15:00 in Moscow.
    fn with(journeys: &[&str], traits: Value) -> Self {
        let policy = Policy {
            zone: Zone::parse("Europe/Moscow").unwrap(),
            calendar: Arc::new(Calendar::weekends_only()),
            quiet_hours: BTreeMap::new(),
            caps: Vec::new(),
            opt_in_topics: ["news".into()].into(),
            internal_domains: ["us.test".to_owned()].into(),
            freemail_domains: std::collections::BTreeSet::new(),
            trait_types: relance_core::typed::TraitTypes::new(),
            approval_expiry: "3d".parse().unwrap(),
            service: ServiceExemption::default(),
            holdout: Holdout::default(),
        };
        let mut stage = Self {
            play: Play::new(World::new(policy, 1)),
            lines: Vec::new(),
        };
        stage.play.approve = false;
        stage.pass("2026-11-02T12:00:00Z");
        let mut contact = Contact::new(CONTACT, stage.play.now());
        contact.traits = fields(json!({ "name": "Ирина Петрова", "email": "irina@wind.test" }));
        contact.traits.extend(fields(traits));
        stage.play.add(contact);
        for journey in journeys {
            stage.publish(journey, 1, Moves::Pin);
        }
        stage
    }

    fn publish(&mut self, text: &str, version: u32, moves: Moves) {
        let journey = crate::journey::publish(text, version)
            .unwrap_or_else(|problems| panic!("{problems:#?}"));
        let lines = &mut self.lines;
        let mut watch = |at: Timestamp, _: &Contact, seen: &Seen| lines.push(line_of(at, seen));
        self.play.publish(Arc::new(journey), moves, &mut watch);
    }

    fn pass(&mut self, until: &str) {
        let lines = &mut self.lines;
        let mut watch = |at: Timestamp, _: &Contact, seen: &Seen| lines.push(line_of(at, seen));
        self.play.pass(until.parse().unwrap(), &mut watch);
    }

    fn input(&mut self, input: &Input) {
        let lines = &mut self.lines;
        let mut watch = |at: Timestamp, _: &Contact, seen: &Seen| lines.push(line_of(at, seen));
        self.play.input(CONTACT, input, &mut watch);
    }

    fn event(&mut self, at: &str, name: &str, properties: Value) {
        self.pass(at);
        let mut event = Event::track(name, self.play.now());
        event.properties = fields(properties);
        self.input(&Input::Event(Arc::new(event)));
    }

    fn enroll(&mut self, journey: &str) {
        self.input(&Input::Enroll {
            journey: JourneyId::from(journey),
            by: Starter::Program,
            subject: None,
            properties: Fields::new(),
            once: None,
        });
    }

    /// The lines as a store gives them.
    fn newest_first(&self) -> Vec<LedgerEntry> {
        self.lines.iter().rev().cloned().collect()
    }

    fn explain(&self, journey: &str) -> Explanation {
        let snapshot = self.play.contact(CONTACT).unwrap();
        let (lines, journey) = (self.newest_first(), JourneyId::from(journey));
        explain(
            &self.play.world,
            snapshot,
            &journey,
            &lines,
            self.play.now(),
        )
    }

    fn message(&self, id: TouchpointId) -> MessageExplanation {
        let snapshot = self.play.contact(CONTACT).unwrap();
        let lines = self.newest_first();
        explain_message(&self.play.world, snapshot, id, &lines, self.play.now())
    }

    fn names(&self) -> Names<'_> {
        let snapshot = self.play.contact(CONTACT).unwrap();
        Names {
            world: Some(&self.play.world),
            contact: Some(&snapshot.contact),
        }
    }

    fn zone(&self) -> Zone {
        let snapshot = self.play.contact(CONTACT).unwrap();
        self.play.zone_of(&snapshot.contact)
    }

    /// Summary and lines in every language.
    fn told(&self, journey: &str) -> String {
        let explanation = self.explain(journey);
        let (names, zone) = (self.names(), self.zone());
        let mut text = String::new();
        for language in Language::ALL {
            writeln!(text, "== {}", language.word()).unwrap();
            for said in summary(&explanation, &names, &zone, language) {
                writeln!(text, "{said}").unwrap();
            }
            for line in &explanation.lines {
                let said = sentence(line, &names, &zone, language);
                writeln!(text, "  {}  {said}", zone.rfc3339(line.at)).unwrap();
            }
        }
        text
    }

    fn told_message(&self, id: TouchpointId) -> String {
        let explanation = self.message(id);
        let (names, zone) = (self.names(), self.zone());
        let mut text = String::new();
        for language in Language::ALL {
            writeln!(text, "== {}", language.word()).unwrap();
            for said in message_summary(&explanation, &names, &zone, language) {
                writeln!(text, "{said}").unwrap();
            }
        }
        text
    }

    fn touchpoint(&self, template: &str) -> TouchpointId {
        let mut lines = self.lines.iter();
        lines
            .find(|line| {
                line.template
                    .as_ref()
                    .is_some_and(|one| one.as_str() == template)
            })
            .and_then(|line| line.touchpoint)
            .unwrap()
    }
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}

/// What the player saw, as the ledger would have it: a message that passes the gate was sent.
fn line_of(at: Timestamp, seen: &Seen) -> LedgerEntry {
    match seen {
        Seen::Ledger(line) => line.clone(),
        Seen::Turned { segment, .. } => panic!("a turn of {segment}, where no segment is"),
        Seen::WouldSend(touchpoint) => LedgerEntry {
            journey: Some(touchpoint.journey.clone()),
            enrollment: Some(touchpoint.enrollment),
            step: Some(touchpoint.step.clone()),
            touchpoint: Some(touchpoint.id),
            channel: Some(touchpoint.channel),
            template: Some(touchpoint.template.clone()),
            variant: touchpoint.variant.clone(),
            ..LedgerEntry::new(at, touchpoint.id.contact, What::Sent)
        },
    }
}

/// Compares with `tests/golden/explain-NAME.snap`.
pub(super) fn golden(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../../tests/golden",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(format!("explain-{name}"), text);
    });
}

const OFFER: &str = "
format: journey/1
id: offer-no-reply
name: КП «без ответа»
subject: document
trigger: { event: Document Sent }
exit: [{ event: Replied }]
goal: { event: Deal Won, within: 30d }
steps:
  - wait: 3d
  - send: email
    template: offer-reminder-1
  - wait: 4d
  - send: email
    template: offer-reminder-2
    approval: owner
";

const CART: &str = "
format: journey/1
id: cart
name: Cart
trigger: { event: Product Added, where: { price: { gt: 10 } } }
reentry: { after: 30d }
topic: news
steps:
  - wait: 1h
  - send: email
    template: cart-1
  - send: sms
    template: cart-2
";

#[test]
fn a_reply_ends_the_reminders() {
    let mut stage = Stage::new(&[OFFER]);
    stage.event(
        "2026-11-02T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.event(
        "2026-11-06T07:10:00Z",
        "Replied",
        json!({ "document_id": "КП-17" }),
    );
    stage.pass("2026-11-20T12:00:00Z");
    golden("reply", &stage.told("offer-no-reply"));
}

#[test]
fn a_run_waits_and_another_waits_for_approval() {
    let mut stage = Stage::new(&[OFFER]);
    stage.event(
        "2026-12-22T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.event(
        "2026-12-28T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-18" }),
    );
    stage.pass("2026-12-29T13:00:00Z");
    golden("approval", &stage.told("offer-no-reply"));
    let reminder = stage.touchpoint("offer-reminder-2");
    golden("approval-message", &stage.told_message(reminder));
    stage.input(&Input::Approve {
        touchpoint: reminder,
        by: UserId::from("orlova"),
        answer: Answer::Skip,
    });
    golden("approval-refused", &stage.told_message(reminder));
}

#[test]
fn a_message_is_held_for_the_hour_and_the_cap() {
    let mut stage = Stage::with(&[CART], json!({ "phone": "+70000000000" }));
    let quiet = QuietHours::daily("21:00-09:00").unwrap();
    stage
        .play
        .world
        .policy
        .quiet_hours
        .insert(Channel::Email, quiet);
    stage.play.world.policy.caps.push(Cap {
        channel: None,
        topic: None,
        days: 7,
        most: 1,
    });
    stage.input(&Input::Consent {
        channel: Channel::Email,
        topic: Some("news".into()),
        consent: relance_core::contact::Consent::Granted,
        evidence: relance_core::consent::Evidence::default(),
    });
    stage.event(
        "2026-11-03T17:30:00Z",
        "Product Added",
        json!({ "price": 20 }),
    );
    stage.pass("2026-11-04T12:00:00Z");
    golden("held", &stage.told("cart"));
    let second = stage.touchpoint("cart-2");
    golden("held-message", &stage.told_message(second));
    let first = stage.touchpoint("cart-1");
    golden("sent-message", &stage.told_message(first));
}

#[test]
fn nothing_happened_and_nothing_could_be_sent() {
    let stage = Stage::new(&[CART]);
    golden("never-came", &stage.told("cart"));
    golden("unknown-journey", &stage.told("no-such-journey"));
}

#[test]
fn a_journey_did_not_begin() {
    let mut stage = Stage::new(&[CART]);
    stage.event(
        "2026-11-03T12:00:00Z",
        "Product Added",
        json!({ "price": 5 }),
    );
    golden("refused", &stage.told("cart"));
    stage.event(
        "2026-11-04T12:00:00Z",
        "Product Added",
        json!({ "price": 50 }),
    );
    stage.event(
        "2026-11-10T12:00:00Z",
        "Product Added",
        json!({ "price": 50 }),
    );
    golden("refused-again", &stage.told("cart"));
    let colleague = Stage::with(&[CART], json!({ "email": "anna@us.test" }));
    golden("internal", &colleague.told("cart"));
}

#[test]
fn control_groups_are_told_of() {
    let all = |by| Holdout {
        permille: 1_000,
        by,
    };
    let mut stage = Stage::new(&[]);
    stage.publish(&CART.replace("topic: news", "holdout: 90%"), 1, Moves::Pin);
    // Shares are drawn by the seed: one under which the contact is set aside.
    for salt in 0..100 {
        stage.play.world.salt = salt;
        let snapshot = stage.play.contact(CONTACT).unwrap();
        if stage
            .play
            .world
            .in_share(&snapshot.contact, "cart", Unit::Contact, 900)
        {
            break;
        }
    }
    golden("holdout-before", &stage.told("cart"));
    stage.event(
        "2026-11-03T12:00:00Z",
        "Product Added",
        json!({ "price": 50 }),
    );
    golden("holdout", &stage.told("cart"));

    let mut stage = Stage::new(&[&CART.replace("topic: news\n", "")]);
    stage.play.world.policy.holdout = all(Unit::Contact);
    stage.event(
        "2026-11-03T12:00:00Z",
        "Product Added",
        json!({ "price": 50 }),
    );
    stage.pass("2026-11-03T14:00:00Z");
    golden("holdout-of-all", &stage.told("cart"));
}

#[test]
fn a_mailbox_that_was_not_read_holds_the_reminder() {
    let mut stage = Stage::new(&[OFFER]);
    let mailbox = MailboxId::from("sales@us.test");
    stage.play.world.synced.insert(mailbox, stage.play.now());
    let sent = json!({ "document_id": "КП-17", "mailbox": "sales@us.test" });
    stage.event("2026-11-02T12:00:00Z", "Document Sent", sent);
    stage.pass("2026-11-05T13:00:00Z");
    golden("mailbox", &stage.told("offer-no-reply"));
}

const EVERYTHING: &str = "
format: journey/1
id: everything
name: Onboarding
subject: deal
trigger: { event: Signed Up }
goal: { event: Order Completed, within: 30d }
steps:
  - split:
      - variant: short
        then:
          - set: { contact.grade: B }
      - variant: long
        then:
          - set: { contact.grade: B }
  - branch:
      - if: { contact.grade: A }
        then: [stop]
      - if: { contact.grade: B }
        then:
          - task: { title: \"Call {{ contact.name }} about {{ subject.number }}\", due: 1d }
      - else:
          - stop
  - notify: owner
    text: Hello
  - notify: role:head
    text: Hello
  - move: warming
  - promo: BACK
  - wait_for:
      - event: Order Completed
      - event: Checkout Started
    timeout: 2d
  - id: by-phone
    send: sms
    template: still-interested
    otherwise:
      - send: email
        template: last-word
        opened_within: 2d
        otherwise:
          - send: letter
            template: on-paper
";

#[test]
fn every_kind_of_step_has_its_sentence() {
    let mut stage = Stage::new(&[EVERYTHING]);
    stage.event(
        "2026-11-02T12:00:00Z",
        "Signed Up",
        json!({ "deal_id": "D-1" }),
    );
    stage.pass("2026-11-03T12:00:00Z");
    golden("steps-listening", &stage.told("everything"));
    stage.pass("2026-11-05T12:00:00Z");
    golden("steps-unopened", &stage.told("everything"));
    stage.pass("2026-11-20T12:00:00Z");
    golden("steps", &stage.told("everything"));
    stage.event(
        "2026-11-21T12:00:00Z",
        "Order Completed",
        json!({ "deal_id": "D-1" }),
    );
    golden("steps-converted", &stage.told("everything"));
}

#[test]
fn a_pause_and_a_new_version_are_told_of() {
    let mut stage = Stage::new(&[OFFER]);
    let id = JourneyId::from("offer-no-reply");
    stage.event(
        "2026-11-02T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.publish(&OFFER.replace("4d", "5d"), 2, Moves::Follow);
    stage.play.world.set_paused(&id, true);
    stage.pass("2026-11-05T12:30:00Z");
    golden("paused", &stage.told("offer-no-reply"));
    stage.play.world.set_paused(&id, false);
    stage.input(&Input::Resume {
        journey: id.clone(),
        overdue: Overdue::Late,
    });
    stage.play.world.retire(&id);
    stage.input(&Input::End(id));
    golden("archived", &stage.told("offer-no-reply"));
}

#[test]
fn reminders_that_share_a_message_say_so() {
    let digest = OFFER.replace(
        "template: offer-reminder-1",
        "template: offer-reminder-1\n    digest: 4h",
    );
    let mut stage = Stage::new(&[&digest]);
    stage.event(
        "2026-11-02T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.event(
        "2026-11-02T13:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-18" }),
    );
    stage.pass("2026-11-05T14:00:00Z");
    golden("digest-open", &stage.told("offer-no-reply"));
    stage.pass("2026-11-05T18:00:00Z");
    golden("digest", &stage.told("offer-no-reply"));
}

#[test]
fn wishes_and_bad_addresses_are_told_of() {
    let reminders = OFFER.replace("exit:", "topic: reminders\nexit:");
    let mut stage = Stage::new(&[&reminders]);
    stage.event(
        "2026-11-02T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.event(
        "2026-11-03T12:00:00Z",
        "Unsubscribed",
        json!({ "topic": "reminders" }),
    );
    stage.pass("2026-11-05T13:00:00Z");
    golden("unsubscribed", &stage.told("offer-no-reply"));
    stage.input(&Input::Suppress {
        channel: Channel::Email,
        reason: SuppressionReason::HardBounce,
    });
    stage.event(
        "2026-11-06T12:00:00Z",
        "Deal Won",
        json!({ "document_id": "КП-17" }),
    );
    golden("suppressed", &stage.told("offer-no-reply"));
    stage.input(&Input::Erase);
    golden("erased", &stage.told("offer-no-reply"));
}

#[test]
fn moments_that_are_awaited_are_told_of() {
    let birthday = "
format: journey/1
id: birthday
name: Birthday
trigger: { date: contact.birthday, offset: -3d, at: \"10:00\", yearly: true }
steps:
  - send: email
    template: wishes
";
    let mut stage = Stage::new(&[birthday]);
    let traits = fields(json!({ "birthday": "1980-02-01" }));
    let event = Event::identify(traits, stage.play.now());
    stage.input(&Input::Event(Arc::new(event)));
    golden("awaited", &stage.told("birthday"));
    stage.enroll("birthday");
    golden("wrong-way", &stage.told("birthday"));
}

#[test]
fn a_japanese_contact_reads_japanese_clocks() {
    let traits = json!({ "name": "田中 裕子", "timezone": "Asia/Tokyo" });
    let mut stage = Stage::with(&[OFFER], traits);
    stage.event(
        "2026-12-29T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "Q-1" }),
    );
    stage.pass("2026-12-30T12:00:00Z");
    golden("tokyo", &stage.told("offer-no-reply"));
}

/// The whole answer of the API, once.
#[test]
fn the_shape_of_an_explanation() {
    let mut stage = Stage::new(&[OFFER]);
    stage.event(
        "2026-12-22T12:00:00Z",
        "Document Sent",
        json!({ "document_id": "КП-17" }),
    );
    stage.pass("2026-12-29T13:00:00Z");
    let (names, zone) = (stage.names(), stage.zone());
    let explanation = stage.explain("offer-no-reply");
    let whole = crate::api::explain::explanation(&explanation, &names, &zone, Language::Ru);
    let message = stage.message(stage.touchpoint("offer-reminder-2"));
    let one = crate::api::explain::message_explanation(&message, &names, &zone, Language::Ja);
    let text = format!("{whole:#}\n{one:#}\n");
    golden("api", &text);
}
