//! The examples do what their comments promise: each is played on a virtual clock.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Contact;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::journey::Moves;
use relance_core::play::{Play, Seen};
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::time::{Calendar, Delay, Zone};
use relance_core::world::World;
use relance_wire::{journey, segment};
use serde_json::{Value, json};

use crate::examples;

const CONTACT: ContactId = ContactId(1);

/// One contact in a world of some examples; everything that is seen is a line.
pub struct Stage {
    play: Play,
    zone: Zone,
    pub lines: Vec<String>,
}

impl Stage {
    /// In Berlin, from Tuesday 1 December 2026 at nine.
    fn new(names: &[&str], traits: &Value) -> Self {
        Self::in_zone(names, traits, "Europe/Berlin", "2026-12-01T09:00")
    }

    /// From this moment by the clock of this zone, in which the contact lives.
    pub fn in_zone(names: &[&str], traits: &Value, zone: &str, start: &str) -> Self {
        let zone = Zone::parse(zone).unwrap();
        let policy = Policy {
            zone: zone.clone(),
            calendar: Arc::new(Calendar::weekends_only()),
            quiet_hours: Default::default(),
            caps: Vec::new(),
            opt_in_topics: Default::default(),
            internal_domains: Default::default(),
            freemail_domains: Default::default(),
            trait_types: relance_core::typed::TraitTypes::new(),
            approval_expiry: Delay::days(3),
            service: ServiceExemption::ALL,
            holdout: Default::default(),
        };
        let mut world = World::new(policy, 1);
        world.calendars = relance_wire::calendar::built_in_ids()
            .map(|id| {
                let calendar = relance_wire::calendar::built_in(id).unwrap();
                (id.to_owned(), Arc::new(calendar))
            })
            .collect();
        for list in ["lessons", "reanimation", "news"] {
            let items = ["one", "two", "three"].map(|item| format!("{list}-{item}").into());
            world.lists.insert(list.into(), Arc::new(items));
        }
        for (file, text) in examples::all() {
            let wanted = |name: &&str| file.ends_with(&format!("/{name}.yaml"));
            if names.iter().any(wanted) {
                // Nobody is left out for comparison here.
                let mut published = journey::publish(&text, 1).unwrap();
                published.holdout.permille = 0;
                world.add_journey(Arc::new(published), Moves::Pin, true);
            }
        }
        let mut play = Play::new(world);
        let start = zone.at(start.parse().unwrap());
        play.pass(start, &mut |_, _, _| {});
        play.add(Contact::new(CONTACT, start));
        let mut stage = Self {
            play,
            zone,
            lines: Vec::new(),
        };
        stage.call(&json!({ "type": "identify", "traits": traits }));
        stage
    }

    fn call(&mut self, call: &Value) {
        let mut call = call.clone();
        call["userId"] = json!("u1");
        call["timestamp"] = json!(self.play.now().to_string());
        let read = segment::parse_call(call.to_string().as_bytes(), None, self.play.now());
        let event: Event = read.unwrap().0.event;
        self.step(|play, watch| play.input(CONTACT, &Input::Event(Arc::new(event)), watch));
    }

    pub fn track(&mut self, event: &str, properties: Value) {
        self.call(&json!({ "type": "track", "event": event, "properties": properties }));
    }

    /// Lets time pass until this moment by the contact's clock.
    pub fn until(&mut self, local: &str) {
        let at: jiff::civil::DateTime = local.parse().unwrap();
        let at = self.zone.at(at);
        self.step(|play, watch| play.pass(at, watch));
    }

    fn step(&mut self, act: impl FnOnce(&mut Play, &mut dyn FnMut(Timestamp, &Contact, &Seen))) {
        let lines = &mut self.lines;
        let zone = self.zone.clone();
        act(&mut self.play, &mut |at, _, seen| {
            let local = zone.local(at);
            let told = match seen {
                Seen::WouldSend(message) => {
                    let item = message.item.as_ref().map(|(_, item)| format!(" {item}"));
                    format!(
                        "{} {}{}",
                        message.channel.word(),
                        message.template,
                        item.unwrap_or_default()
                    )
                }
                Seen::Turned { .. } => return,
                Seen::Ledger(line) => match line.what.word() {
                    // What a reader of the example wants to know.
                    "task" | "notified" | "set" | "moved" | "exited" | "finished" | "skipped"
                    | "not_enrolled" | "converted" => {
                        let reason = line.reason.map(|reason| format!(" ({reason})"));
                        format!("{}{}", line.what, reason.unwrap_or_default())
                    }
                    _other => return,
                },
            };
            let time = local.strftime("%m-%d %H:%M");
            lines.push(format!("{time} {told}"));
        });
    }

    #[track_caller]
    fn saw(&self, expected: &[&str]) {
        assert_eq!(self.lines, expected, "{:#?}", self.lines);
    }
}

fn client() -> Value {
    json!({ "email": "ana@client.example", "phone": "+491701234567", "name": "Ana", "owner": "emma@shop.example" })
}

fn invoice(due: Value) -> Value {
    json!({ "document": { "id": "d1", "kind": "invoice", "number": "17", "due": due } })
}

#[test]
fn an_unpaid_invoice_is_reminded_of_by_its_due_date() {
    let mut stage = Stage::new(&["invoice-unpaid"], &client());
    // Due on Tuesday, two weeks later.
    stage.track("Document Sent", invoice(json!("2026-12-15")));
    stage.until("2027-02-01T00:00");
    stage.saw(&[
        "12-10 10:00 email invoice-before-due",
        "12-15 10:00 email invoice-due-day",
        "12-17 10:00 email invoice-overdue",
        "12-23 10:00 email invoice-overdue-2",
        "12-28 10:00 task",
        "12-31 10:00 notified",
        "12-31 10:00 finished",
    ]);
}

#[test]
fn a_due_date_that_moves_takes_the_reminders_with_it() {
    let mut stage = Stage::new(&["invoice-unpaid"], &client());
    stage.track("Document Sent", invoice(json!("2026-12-15")));
    stage.until("2026-12-12T12:00");
    stage.track("Document Updated", invoice(json!("2026-12-22")));
    stage.until("2026-12-30T00:00");
    stage.saw(&[
        "12-10 10:00 email invoice-before-due",
        "12-22 10:00 email invoice-due-day",
        "12-24 10:00 email invoice-overdue",
    ]);
}

#[test]
fn an_invoice_without_a_date_is_reminded_of_after_ten_days() {
    let mut stage = Stage::new(&["invoice-unpaid"], &client());
    stage.track("Document Sent", invoice(Value::Null));
    stage.until("2027-02-01T00:00");
    stage.saw(&[
        "12-18 09:00 email invoice-overdue",
        "12-24 09:00 email invoice-overdue-2",
        "12-29 09:00 task",
        "01-01 09:00 notified",
        "01-01 09:00 finished",
    ]);
}

#[test]
fn whoever_answers_or_pays_is_not_reminded() {
    for (event, seen) in [
        ("Replied", "12-08 09:00 exited (exit_event)"),
        ("Document Paid", "12-08 09:00 exited (goal)"),
    ] {
        let mut stage = Stage::new(&["invoice-unpaid"], &client());
        stage.track("Document Sent", invoice(json!("2026-12-15")));
        stage.until("2026-12-08T09:00");
        stage.track(event, invoice(json!("2026-12-15")));
        stage.until("2027-02-01T00:00");
        assert!(stage.lines.contains(&seen.to_owned()), "{:?}", stage.lines);
        assert!(!stage.lines.iter().any(|line| line.contains("email")));
    }
}

#[test]
fn a_lead_is_greeted_called_and_graded() {
    let mut stage = Stage::new(&["lead-qualification", "lessons"], &client());
    stage.track(
        "Form Submitted",
        json!({ "form": "trial", "phone": "+491701234567" }),
    );
    stage.until("2026-12-01T10:00");
    stage.track("Quiz Completed", json!({ "score": 85 }));
    stage.saw(&[
        "12-01 09:00 email lead-welcome",
        "12-01 09:00 sms lead-sms",
        "12-01 09:00 voice lead-call",
        "12-01 10:00 set",
        "12-01 10:00 task",
        "12-01 10:00 notified",
        "12-01 10:00 finished",
    ]);
    // Another form begins nothing.
    stage.track("Form Submitted", json!({ "form": "callback" }));
    assert_eq!(
        stage.lines.last().unwrap(),
        "12-01 10:00 not_enrolled (where_false)"
    );
}

#[test]
fn a_silent_lead_learns_by_itself() {
    let mut stage = Stage::new(&["lead-qualification", "lessons"], &client());
    stage.track(
        "Form Submitted",
        json!({ "form": "trial", "phone": "+491701234567" }),
    );
    stage.until("2026-12-31T00:00");
    let lessons: Vec<&String> = stage
        .lines
        .iter()
        .filter(|line| line.contains("email lesson") || line.contains("sms"))
        .collect();
    assert_eq!(
        lessons,
        [
            "12-01 09:00 sms lead-sms",
            "12-03 09:00 email lesson lessons-one",
            "12-05 09:00 sms lesson-nudge",
            "12-07 19:00 email lesson lessons-two",
            "12-11 10:00 email lesson lessons-three",
        ]
    );
}

#[test]
fn a_cart_is_brought_to_mind_unless_it_is_bought() {
    let cart = json!({ "cart": { "id": "c1", "total": 2500 } });
    let mut stage = Stage::new(&["cart-abandoned"], &client());
    stage.track("Product Added", cart.clone());
    stage.until("2026-12-01T09:30");
    stage.track("Product Added", cart.clone());
    stage.until("2026-12-01T10:20");
    stage.saw(&["12-01 10:15 email cart-left"]);
    stage.until("2026-12-02T08:00");
    stage.track("Order Completed", json!({ "revenue": 2500 }));
    stage.until("2026-12-31T00:00");
    assert!(!stage.lines.iter().any(|line| line.contains("cart-code")));

    let mut stage = Stage::new(&["cart-abandoned"], &client());
    stage.track("Product Added", cart);
    stage.until("2026-12-01T09:30");
    stage.track("Order Completed", json!({ "revenue": 2500 }));
    stage.until("2026-12-31T00:00");
    stage.saw(&["12-01 09:45 not_enrolled (where_false)"]);
}

#[test]
fn a_stuck_deal_is_warmed_and_comes_back_to_work() {
    let deal = |stage: &str| json!({ "deal": { "id": "x", "name": "Roof", "stage": stage } });
    let mut stage = Stage::new(&["reanimation"], &client());
    stage.track("Deal Updated", deal("in_work"));
    stage.track("Deal Updated", deal("stuck"));
    stage.until("2026-12-03T09:00");
    stage.track("Email Link Clicked", deal("warming"));
    stage.until("2027-02-01T00:00");
    stage.saw(&[
        "12-01 09:00 moved",
        "12-02 10:00 email reanimation reanimation-one",
        "12-03 09:00 moved",
        "12-03 09:00 notified",
        "12-03 09:00 task",
        "12-03 09:00 finished",
    ]);
}

#[test]
fn a_birthday_comes_each_year() {
    let mut traits = client();
    traits["birthday"] = json!("1990-12-20");
    traits["loyalty"] = json!({ "level": "gold" });
    let mut stage = Stage::new(&["birthday"], &traits);
    stage.until("2028-01-01T00:00");
    let sent: Vec<&String> = stage
        .lines
        .iter()
        .filter(|line| line.contains("birthday"))
        .collect();
    assert_eq!(
        sent,
        [
            "12-17 10:00 email birthday-soon",
            "12-20 09:30 whatsapp birthday-today",
            "12-17 10:00 email birthday-soon",
            "12-20 09:30 whatsapp birthday-today",
        ]
    );
}

#[test]
fn an_invoice_that_is_long_overdue_is_still_reminded_of() {
    let mut stage = Stage::new(&["invoice-unpaid"], &client());
    stage.track("Document Sent", invoice(json!("2026-10-01")));
    stage.until("2027-02-01T00:00");
    stage.saw(&[
        "12-04 09:00 email invoice-overdue",
        "12-10 09:00 email invoice-overdue-2",
        "12-15 09:00 task",
        "12-18 09:00 notified",
        "12-18 09:00 finished",
    ]);
}
