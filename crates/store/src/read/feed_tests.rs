//! What happened as one list, names in use, and what is known of a document beside its fields: the same in both
//! databases.

use std::collections::BTreeSet;

use relance_core::contact::Contact;
use relance_core::decide::Effect;
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, EnrollmentId, SubjectRef};
use relance_core::ledger::{LedgerEntry, What};
use relance_core::subject::{Object, ObjectPatch};
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_engine::ports::Store;
use serde_json::{Value, json};

use super::tests::{World, at, touchpoint};
use super::*;

const DAY: i64 = 86_400;

fn subject(id: &str) -> SubjectRef {
    SubjectRef {
        kind: "document".into(),
        id: id.into(),
    }
}

fn document(id: &str, fields: &Value) -> Effect {
    let mut one = Object::new(subject(id), at(0));
    one.fields = fields.as_object().cloned().expect("fields");
    Effect::Object(one)
}

fn contact(id: ContactId, traits: &Value) -> Effect {
    let mut one = Contact::new(id, at(0));
    one.traits = traits.as_object().cloned().expect("traits");
    Effect::Contact(Box::new(one))
}

fn run(contact: ContactId, number: u32, id: &str, state: EnrollmentState) -> Enrollment {
    Enrollment {
        id: EnrollmentId { contact, number },
        journey: "pay".into(),
        version: 1,
        subject: Some(subject(id)),
        entered_at: at(0),
        cause: None,
        held_out: false,
        converted_at: None,
        goal_until: None,
        variant: None,
        chain: 0,
        state,
    }
}

fn waiting(until: i64) -> EnrollmentState {
    EnrollmentState::Waiting {
        step: "1".into(),
        since: at(0),
        until: at(until),
    }
}

fn finished() -> EnrollmentState {
    EnrollmentState::Finished { at: at(9) }
}

fn soonest(world: &World) -> Vec<(String, Option<i64>)> {
    let page = world
        .reader
        .documents(
            &DocumentFilter::default(),
            DocumentSort::Next,
            true,
            None,
            9,
        )
        .expect("reads");
    let items = page.items.iter();
    items
        .map(|(one, _)| {
            let next = one
                .next_at()
                .map(|next| next.as_second() - at(0).as_second());
            (one.id.clone(), next)
        })
        .collect()
}

pub(super) fn a_document_knows_what_comes_next(mut world: World) {
    let ana = world.contact("1");
    // The run is written before what it is about.
    world.write(
        ana,
        vec![
            Effect::Enrollment(run(ana, 1, "a", waiting(300))),
            document("a", &json!({})),
            document("b", &json!({})),
            Effect::Enrollment(run(ana, 2, "b", waiting(200))),
            document("c", &json!({})),
        ],
    );
    let expect = |world: &World, all: &[(&str, Option<i64>)]| {
        let all: Vec<_> = all.iter().map(|(id, at)| ((*id).to_owned(), *at)).collect();
        assert_eq!(soonest(world), all);
    };
    expect(&world, &[("b", Some(200)), ("a", Some(300)), ("c", None)]);
    // Two runs about one document: the sooner counts, and then what is left.
    world.write(
        ana,
        vec![Effect::Enrollment(run(ana, 3, "a", waiting(100)))],
    );
    expect(&world, &[("a", Some(100)), ("b", Some(200)), ("c", None)]);
    let mut held = touchpoint(ana, 2, TouchpointState::Queued { ready_at: at(50) });
    held.subject = Some(subject("c"));
    world.write(
        ana,
        vec![
            Effect::Enrollment(run(ana, 3, "a", finished())),
            Effect::Touchpoint(held.clone().into()),
        ],
    );
    expect(
        &world,
        &[("c", Some(50)), ("b", Some(200)), ("a", Some(300))],
    );
    held.state = TouchpointState::Settled {
        at: at(60),
        outcome: Outcome::Accepted,
    };
    world.write(ana, vec![Effect::Touchpoint(held.into())]);
    expect(&world, &[("b", Some(200)), ("a", Some(300)), ("c", None)]);
    let listed = world.reader.listed_document(ana, "c").expect("reads");
    let listed = listed.expect("there");
    assert_eq!((listed.reminders, listed.held_out), (1, false));
    let day = jiff::tz::TimeZone::UTC.to_datetime(at(60)).date();
    assert_eq!(listed.reminded_on(), Some(day));
    // What is told again of a document changes none of this.
    world.write(ana, vec![document("c", &json!({"number": "7"}))]);
    let listed = world.reader.listed_document(ana, "c").expect("reads");
    assert_eq!(listed.expect("there").reminders, 1);
}

pub(super) fn a_document_knows_when_it_was_paid_and_who_was_left_alone(mut world: World) {
    let ana = world.contact("1");
    let mut silent = run(ana, 1, "a", waiting(300));
    silent.held_out = true;
    let left = |number, id: &str, at| {
        let outcome = Outcome::Accepted;
        let mut one = touchpoint(ana, number, TouchpointState::Settled { at, outcome });
        one.subject = Some(subject(id));
        Effect::Touchpoint(one.into())
    };
    world.write(
        ana,
        vec![
            document("a", &json!({"status": "sent"})),
            Effect::Enrollment(silent),
            document("b", &json!({"status": "sent"})),
            left(2, "b", at(0)),
            left(3, "b", at(2 * DAY)),
            left(4, "b", at(9 * DAY)),
        ],
    );
    let one = |world: &World, id: &str| {
        let found = world.reader.listed_document(ana, id).expect("reads");
        found.expect("there")
    };
    let a = one(&world, "a");
    assert!(a.held_out && a.next_at().is_none() && a.reminders == 0);
    let on = |n: i64| jiff::tz::TimeZone::UTC.to_datetime(at(n * DAY)).date();
    assert_eq!(
        (one(&world, "b").reminders, one(&world, "b").reminded_on()),
        (3, Some(on(9)))
    );
    // A word of thanks after the payment was no reminder.
    let paid = json!({"status": "paid", "answered_at": "2027-01-15", "paid_at": on(5).to_string()});
    world.write(ana, vec![document("b", &paid)]);
    let b = one(&world, "b");
    assert_eq!((b.paid_on(), b.reminders), (Some(on(5)), 2));
    assert_eq!((b.reminded_on(), b.answered), (Some(on(2)), true));
    let mut seen = Vec::new();
    let whole = world
        .reader
        .each_issued(&DocumentFilter::default(), 1, |row| {
            seen.push(row.id.clone())
        });
    assert_eq!((whole.expect("reads"), seen.len()), (false, 1));
    // Unpaid after all: all of them are reminders again; and paid at a time that nobody knows.
    world.write(ana, vec![document("b", &json!({"status": "sent"}))]);
    assert_eq!(
        (one(&world, "b").reminders, one(&world, "b").paid_on()),
        (3, None)
    );
    world.write(ana, vec![document("b", &json!({"status": "paid"}))]);
    assert_eq!(
        (one(&world, "b").reminders, one(&world, "b").paid_on()),
        (3, None)
    );
}

pub(super) fn what_happened_is_one_list(mut world: World) {
    let [anna, boris, nobody] = ["1", "2", "3"].map(|user| world.contact(user));
    let _known = world.store.remember(&[7], at(100)).expect("remembers");
    world.write(anna, vec![contact(anna, &json!({"owner": "anna@x.test"}))]);
    world.write(
        boris,
        vec![contact(boris, &json!({"owner": "boris@x.test"}))],
    );
    let line = |contact, what, n| Effect::Ledger(LedgerEntry::new(at(n), contact, what));
    let mut sent = Event::track(names::DOCUMENT_SENT, at(4));
    sent.objects = vec![ObjectPatch {
        subject: subject("a"),
        fields: json!({"mailbox": "Anna@x.test"})
            .as_object()
            .cloned()
            .expect("fields"),
    }];
    world.write(
        anna,
        vec![line(anna, What::Sent, 1), line(anna, What::Set, 1)],
    );
    world.write(boris, vec![line(boris, What::Enrolled, 2)]);
    world.write(
        nobody,
        vec![
            line(nobody, What::Sent, 3),
            line(nobody, What::Converted, 3),
            Effect::Event(sent.into()),
            Effect::Event(Event::track("Product Viewed", at(5)).into()),
            Effect::Event(Event::track(names::REPLIED, at(-400 * DAY)).into()),
        ],
    );
    let told = |world: &World, owners: Option<&BTreeSet<String>>| -> Vec<(ContactId, String)> {
        let found = super::tests::all(|after| world.reader.feed(owners, after, 1), 1);
        found
            .into_iter()
            .map(|one| (one.contact, one.what))
            .collect()
    };
    let of = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let expected = |all: &[(ContactId, &str)]| -> Vec<(ContactId, String)> {
        all.iter()
            .map(|(id, what)| (*id, (*what).to_owned()))
            .collect()
    };
    let mut all = told(&world, None);
    all.sort();
    let mut whole = expected(&[
        (anna, "sent"),
        (boris, "enrolled"),
        (nobody, "converted"),
        (nobody, "documents"),
    ]);
    whole.sort();
    assert_eq!(
        all, whole,
        "what comes in masses to nobody's contacts is left out"
    );
    // A document from her mailbox is hers, whoever the contact's owner is.
    assert_eq!(
        told(&world, Some(&of(&["anna@x.test"]))),
        expected(&[(nobody, "documents"), (anna, "sent")])
    );
    assert_eq!(
        told(&world, Some(&of(&["boris@x.test", ""]))),
        expected(&[(boris, "enrolled")])
    );
    assert_eq!(told(&world, Some(&of(&[]))), expected(&[]));
    let page = world.reader.feed(None, None, 9).expect("reads");
    for one in &page.items {
        match &one.told {
            Told::Line(line) => assert_eq!(line.entry.at, one.at),
            Told::Event(event) => assert_eq!(event.name.as_str(), names::DOCUMENT_SENT),
        }
    }
    assert!(matches!(
        world.reader.feed(None, Some("x"), 9),
        Err(ReadError::Cursor(_))
    ));
    let (counts, exact) = world
        .reader
        .feed_counts(&of(&["anna@x.test"]), at(2))
        .expect("counts");
    assert!(exact);
    let counts: Vec<(&str, u64)> = counts.iter().map(|one| (&*one.what, one.times)).collect();
    assert_eq!(
        counts,
        [("documents", 1)],
        "what was before is another day's"
    );
    // Somebody else's by now.
    world.write(anna, vec![contact(anna, &json!({"owner": "boris@x.test"}))]);
    assert_eq!(
        told_of(&world, &of(&["anna@x.test"])),
        expected(&[(nobody, "documents")])
    );
}

fn told_of(world: &World, owners: &BTreeSet<String>) -> Vec<(ContactId, String)> {
    let page = world.reader.feed(Some(owners), None, 9).expect("reads");
    page.items
        .into_iter()
        .map(|one| (one.contact, one.what))
        .collect()
}

pub(super) fn names_in_use_are_known(mut world: World) {
    let ana = world.contact("1");
    let bob = world.contact("2");
    let deal = |id: &str, fields: &Value| {
        let mut one = Object::new(
            SubjectRef {
                kind: "deal".into(),
                id: id.into(),
            },
            at(0),
        );
        one.fields = fields.as_object().cloned().expect("fields");
        Effect::Object(one)
    };
    world.write(
        ana,
        vec![
            contact(ana, &json!({"plan": "pro", "orders": 3, "address": {"city": "Рига", "since": "2026-01-02"}})),
            document("a", &json!({"number": "7", "paid": true})),
            deal("d", &json!({"stage": "won", "tags": ["a"]})),
            Effect::Event(Event::track("Order Completed", at(1)).into()),
            Effect::Event(Event::track("Order Completed", at(2)).into()),
            Effect::Event(Event::track("x".repeat(5_000).as_str(), at(2)).into()),
        ],
    );
    world.write(
        bob,
        vec![
            contact(bob, &json!({"plan": 7, "empty": null})),
            Effect::Event(Event::track("Product Viewed", at(1)).into()),
        ],
    );
    let short = |all: &[NameInUse]| -> Vec<(String, u64, String)> {
        all.iter()
            .map(|one| (one.name.clone(), one.count, one.types.join(" ")))
            .collect()
    };
    let own = |all: &[(&str, u64, &str)]| -> Vec<(String, u64, String)> {
        all.iter()
            .map(|(name, n, types)| ((*name).to_owned(), *n, (*types).to_owned()))
            .collect()
    };
    assert_eq!(
        short(&world.reader.event_names().expect("reads")),
        own(&[("Order Completed", 2, ""), ("Product Viewed", 1, "")])
    );
    let traits = world.reader.trait_names().expect("reads");
    assert_eq!(traits.looked_at, 2);
    let mut traits = traits.names;
    for one in &mut traits {
        one.types.sort_unstable();
    }
    assert_eq!(
        short(&traits),
        own(&[
            ("address.city", 1, "text"),
            ("address.since", 1, "date"),
            ("orders", 1, "number"),
            ("plan", 2, "number text"),
        ])
    );
    let kinds = world.reader.object_kinds().expect("reads");
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, ["deal", "document"]);
    let fields = world.reader.field_names(&"deal".into()).expect("reads");
    assert_eq!(
        short(&fields.names),
        own(&[("stage", 1, "text"), ("tags", 1, "list")])
    );
}
