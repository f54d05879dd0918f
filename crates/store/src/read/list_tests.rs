//! Lists: every order and filter shows each row once, in order, whatever the page; owners see their own; what follows a
//! contact follows it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use relance_core::contact::Contact;
use relance_core::decide::{Effect, TaskState};
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, EnrollmentId, SubjectRef, TouchpointId};
use relance_core::ledger::{LedgerEntry, What};
use relance_core::subject::Object;
use relance_core::touchpoint::Task;
use relance_engine::ports::Store;
use serde_json::{Value, json};

use super::tests::{World, at};
use super::*;
use crate::registry::{DocumentState, decimal};

fn document(id: &str, fields: &Value, updated: i64) -> Effect {
    let subject = SubjectRef {
        kind: "document".into(),
        id: id.into(),
    };
    let mut one = Object::new(subject, at(0));
    one.fields = fields.as_object().cloned().expect("fields");
    one.updated_at = at(updated);
    Effect::Object(one)
}

fn contact(id: ContactId, traits: &Value) -> Effect {
    let mut one = Contact::new(id, at(0));
    one.traits = traits.as_object().cloned().expect("traits");
    Effect::Contact(Box::new(one))
}

const SORTS: [DocumentSort; 8] = [
    DocumentSort::Issued,
    DocumentSort::Due,
    DocumentSort::Amount,
    DocumentSort::Updated,
    DocumentSort::Number,
    DocumentSort::Client,
    DocumentSort::Owner,
    DocumentSort::Next,
];

fn owners(names: &[&str]) -> Option<BTreeSet<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Two contacts of two owners with ten documents each, of every state, some without anything.
fn filled(world: &mut World) -> [ContactId; 2] {
    let ids = ["anna", "boris"].map(|name| world.contact(name));
    for (ix, (id, owner)) in ids.iter().zip(["anna@x.test", "boris@x.test"]).enumerate() {
        let name = format!("Client {}", 9 - ix);
        let mut effects = vec![contact(*id, &json!({"name": name, "owner": owner}))];
        for n in 0..10 {
            let status = ["sent", "paid", "won", "lost", "sent"][n % 5];
            let mut fields = json!({
                "kind": if n % 2 == 0 { "invoice" } else { "offer" },
                "status": status, "number": format!("{owner}-{n}"), "currency": "EUR",
                "amount": 100.1 * (n % 4) as f64, "issued": format!("2026-11-{:02}", 20 - n),
            });
            if n % 3 == 0 {
                fields["due"] = json!(format!("2026-12-{:02}", 1 + n));
            }
            if n == 9 {
                fields = json!({"answered_at": "2026-11-01T00:00:00Z"});
            }
            let id = format!("{owner}.{n}");
            effects.push(document(&id, &fields, i64::try_from(n).expect("small")));
        }
        world.write(*id, effects);
    }
    ids
}

fn pages(
    world: &World,
    filter: &DocumentFilter,
    sort: DocumentSort,
    is_up: bool,
    limit: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = world
            .reader
            .documents(filter, sort, is_up, next.as_deref(), limit)
            .expect("reads");
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(|(listed, _)| listed.id.clone()));
        next = page.next;
        if next.is_none() {
            return found;
        }
    }
}

pub(super) fn documents_come_in_every_order_each_once(mut world: World) {
    filled(&mut world);
    let all = DocumentFilter::default();
    for sort in SORTS {
        for is_up in [true, false] {
            let whole = pages(&world, &all, sort, is_up, 500);
            assert_eq!(whole.len(), 20, "{sort:?}");
            assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 20);
            for limit in [1, 3] {
                assert_eq!(pages(&world, &all, sort, is_up, limit), whole, "{sort:?}");
            }
            let mut back = pages(&world, &all, sort, !is_up, 3);
            back.reverse();
            assert_eq!(back, whole, "{sort:?} the other way round");
            let own = DocumentFilter {
                owners: owners(&["anna@x.test"]),
                ..DocumentFilter::default()
            };
            let own = pages(&world, &own, sort, is_up, 2);
            let expected: Vec<&String> = whole.iter().filter(|id| id.starts_with("anna")).collect();
            assert_eq!(own.iter().collect::<Vec<_>>(), expected, "{sort:?} of one");
        }
    }
    let first = |sort, is_up| pages(&world, &all, sort, is_up, 1)[0].clone();
    assert_eq!(first(DocumentSort::Issued, true), "anna@x.test.8");
    assert_eq!(first(DocumentSort::Due, true), "anna@x.test.0");
    assert!(first(DocumentSort::Client, true).starts_with("boris"));
    // A cursor of another list is refused or shows a page, and never more than that.
    for odd in ["", "x", "1", "1.", "9.9.9", "-1.zzz"] {
        let page = world
            .reader
            .documents(&all, DocumentSort::Due, true, Some(odd), 3);
        if let Err(problem) = page {
            assert!(matches!(problem, ReadError::Cursor(_)), "{odd}: {problem}");
        }
    }
}

pub(super) fn documents_are_filtered_searched_and_summed(mut world: World) {
    let [anna, boris] = filled(&mut world);
    let ids = |filter: &DocumentFilter| -> BTreeSet<String> {
        let found = pages(&world, filter, DocumentSort::Due, true, 3);
        found.into_iter().collect()
    };
    let late = DocumentFilter {
        states: DocumentState::WAITING.into(),
        due_before: Some(Date::constant(2026, 12, 5)),
        ..DocumentFilter::default()
    };
    let both = |n: usize| [format!("anna@x.test.{n}"), format!("boris@x.test.{n}")];
    assert_eq!(
        ids(&late),
        both(0).into(),
        "3 is lost, 6 is paid, 9 has none"
    );
    let totals = world.reader.document_totals(&late).expect("sums");
    assert!(totals.is_exact);
    assert_eq!(totals.sums.iter().map(|sum| sum.count).sum::<u64>(), 2);
    let offers = DocumentFilter {
        kind: Some("offer".to_owned()),
        issued_from: Some(Date::constant(2026, 11, 15)),
        issued_until: Some(Date::constant(2026, 11, 17)),
        ..DocumentFilter::default()
    };
    for sort in [DocumentSort::Issued, DocumentSort::Number] {
        for is_up in [true, false] {
            let found: BTreeSet<String> =
                pages(&world, &offers, sort, is_up, 1).into_iter().collect();
            let expected: BTreeSet<String> = both(3).into_iter().chain(both(5)).collect();
            assert_eq!(found, expected, "{sort:?}");
        }
    }
    let search = |text: &str| {
        ids(&DocumentFilter {
            search: Some(text.to_owned()),
            ..DocumentFilter::default()
        })
    };
    assert_eq!(search("ANNA@x.test-3"), [both(3)[0].clone()].into());
    assert_eq!(search("client 9").len(), 10, "by the client's name");
    assert_eq!(search("client").len(), 20);
    assert!(search("nobody").is_empty() && search("%").is_empty() && search("\0").is_empty());
    // Sums follow every change, and are exact.
    let sum = |world: &World, owner: Option<&str>| {
        let filter = DocumentFilter {
            owners: owner.and_then(|owner| owners(&[owner])),
            ..DocumentFilter::default()
        };
        let totals = world.reader.document_totals(&filter).expect("sums");
        let count: u64 = totals.sums.iter().map(|sum| sum.count).sum();
        let amount: i128 = totals.sums.iter().map(|sum| sum.amount).sum();
        (count, decimal(amount))
    };
    assert_eq!(sum(&world, Some("anna@x.test")), (10, "1201.2".to_owned()));
    let paid = json!({"status": "paid", "amount": "0.0001", "currency": "JPY"});
    world.write(anna, vec![document("anna@x.test.1", &paid, 50)]);
    assert_eq!(sum(&world, None), (20, "2302.3001".to_owned()));
    let totals = world
        .reader
        .document_totals(&DocumentFilter {
            currency: Some("JPY".to_owned()),
            ..DocumentFilter::default()
        })
        .expect("sums");
    assert_eq!(totals.sums.len(), 1);
    assert_eq!(totals.sums[0].amount, 1);
    // Another owner: the contact's documents are theirs, but for those that name one.
    let own = json!({"owner": "Clara@x.test", "amount": 1});
    world.write(boris, vec![document("own", &own, 51)]);
    world.write(
        boris,
        vec![contact(
            boris,
            &json!({"name": "Ёж", "owner": "dora@x.test"}),
        )],
    );
    assert_eq!(sum(&world, Some("boris@x.test")).0, 0);
    assert_eq!(sum(&world, Some("dora@x.test")).0, 10);
    assert_eq!(sum(&world, Some("clara@x.test")), (1, "1".to_owned()));
    let one = world
        .reader
        .listed_document(boris, "own")
        .expect("reads")
        .expect("listed");
    assert_eq!(
        (one.client.as_str(), one.owner.as_str()),
        ("еж", "clara@x.test")
    );
    // What is no document costs nothing and is in no list.
    let subject = SubjectRef {
        kind: "deal".into(),
        id: "d".into(),
    };
    world.write(anna, vec![Effect::Object(Object::new(subject, at(1)))]);
    assert_eq!(sum(&world, None).0, 21);
}

pub(super) fn contacts_are_listed_by_name_owner_and_words(mut world: World) {
    let all: Vec<ContactId> = (0..7).map(|n| world.contact(&format!("u{n}"))).collect();
    let traits = [
        json!({"name": "Семён Петров", "owner": "anna@x.test", "email": "s@x.test"}),
        json!({"first_name": "Ana", "last_name": "Souza", "owner": "anna@x.test"}),
        json!({"name": "山田 太郎", "owner": "boris@x.test"}),
        json!({"company": "Anabasis GmbH", "owner": "boris@x.test"}),
        json!({"email": "zoe@x.test"}),
        json!({}),
        json!({"name": "<script>alert(1)</script> \u{202e}Ana", "owner": "boris@x.test"}),
    ];
    for (id, traits) in all.iter().zip(&traits) {
        world.write(*id, vec![contact(*id, traits)]);
    }
    let list = |filter: &ContactFilter, sort, is_up, limit: usize| {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = world
                .reader
                .listed_contacts(filter, sort, is_up, next.as_deref(), limit)
                .expect("reads");
            found.extend(page.items.iter().map(|one| one.contact.id));
            next = page.next;
            if next.is_none() {
                return found;
            }
        }
    };
    let any = ContactFilter::default();
    let ids = |wanted: &[usize]| -> Vec<ContactId> { wanted.iter().map(|n| all[*n]).collect() };
    let newest = ids(&[6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(list(&any, ContactSort::Newest, false, 2), newest);
    assert_eq!(list(&any, ContactSort::Newest, true, 500).len(), 7);
    let by_name = ids(&[6, 1, 3, 4, 0, 2]);
    assert_eq!(list(&any, ContactSort::Name, true, 2), by_name);
    let mut back = list(&any, ContactSort::Name, false, 1);
    back.reverse();
    assert_eq!(back, by_name);
    let of = |names: &[&str]| ContactFilter {
        owners: owners(names),
        segment: None,
    };
    for limit in [1, 2, 500] {
        let found = list(&of(&["boris@x.test"]), ContactSort::Newest, false, limit);
        assert_eq!(found, ids(&[6, 3, 2]));
        let two = of(&["anna@x.test", "boris@x.test"]);
        assert_eq!(
            list(&two, ContactSort::Name, true, limit),
            ids(&[6, 1, 3, 0, 2])
        );
    }
    assert!(list(&of(&[]), ContactSort::Newest, false, 5).is_empty());
    let named = |filter: &ContactFilter, text: &str| {
        let page = world
            .reader
            .named_contacts(filter, text, None, 50)
            .expect("finds");
        let found: BTreeSet<ContactId> = page.items.iter().map(|one| one.contact.id).collect();
        assert_eq!(found.len(), page.items.len(), "each once");
        found
    };
    let set = |wanted: &[usize]| -> BTreeSet<ContactId> { ids(wanted).into_iter().collect() };
    assert_eq!(named(&any, "ana"), set(&[1, 3, 6]));
    assert_eq!(named(&any, "СЕМЕН п"), set(&[0]));
    assert_eq!(named(&any, "山"), set(&[2]));
    assert_eq!(named(&of(&["anna@x.test"]), "ana"), set(&[1]));
    assert!(named(&any, "").is_empty() && named(&any, "% _").is_empty());
    let owner = |n: usize| world.reader.owner_of(all[n]).expect("reads");
    assert_eq!(owner(1).as_deref(), Some("anna@x.test"));
    assert_eq!((owner(4), owner(5)), (None, None));
    // A name that is taken away is found no longer.
    world.write(all[1], vec![contact(all[1], &json!({"name": "Bea"}))]);
    let page = world
        .reader
        .named_contacts(&any, "ana", None, 50)
        .expect("finds");
    assert_eq!(page.items.len(), 2);
    assert_eq!(world.reader.owner_of(all[1]).expect("reads"), None);
}

fn task(contact: ContactId, n: u32, due: Option<i64>, assignee: Option<&str>) -> Task {
    let run = EnrollmentId { contact, number: n };
    Task {
        id: TouchpointId::derive(run, "task", 1),
        enrollment: run,
        journey: "welcome".into(),
        subject: None,
        title: "Call".into(),
        assignee: assignee.map(Into::into),
        created_at: at(i64::from(n)),
        due_at: due.map(at),
    }
}

pub(super) fn tasks_are_listed_by_whose_and_when_and_are_done(mut world: World) {
    let ana = world.contact("1");
    let tasks = [
        task(ana, 1, Some(300), None),
        task(ana, 2, Some(100), Some("Boris@x.test")),
        task(ana, 3, None, None),
        task(ana, 4, Some(200), None),
    ];
    let mut effects = vec![contact(ana, &json!({"owner": "anna@x.test"}))];
    effects.extend(tasks.iter().cloned().map(Effect::Task));
    world.write(ana, effects);
    let list = |world: &World, filter: &TaskFilter, sort| -> Vec<u32> {
        let found = super::tests::all(|after| world.reader.listed_tasks(filter, sort, after, 1), 1);
        found.iter().map(|one| one.task.enrollment.number).collect()
    };
    let open = TaskFilter {
        done: Some(false),
        ..TaskFilter::default()
    };
    assert_eq!(list(&world, &open, TaskSort::Due), [2, 4, 1, 3]);
    assert_eq!(list(&world, &open, TaskSort::Newest), [4, 3, 2, 1]);
    let of = |name: &str| TaskFilter {
        assignees: owners(&[name]),
        ..open.clone()
    };
    assert_eq!(list(&world, &of("boris@x.test"), TaskSort::Due), [2]);
    assert_eq!(list(&world, &of("anna@x.test"), TaskSort::Due), [4, 1, 3]);
    let soon = TaskFilter {
        due_before: Some(at(300)),
        ..open.clone()
    };
    assert_eq!(list(&world, &soon, TaskSort::Due), [2, 4]);
    let due = world
        .reader
        .tasks_due(owners(&["anna@x.test"]).as_ref(), at(301));
    assert_eq!(due.expect("counts"), (2, true));
    // Done, put off, and another owner.
    let changed = |n: usize, state: TaskState| Effect::TaskChanged {
        task: tasks[n].id,
        state,
    };
    let done = TaskState::Done {
        at: at(400),
        by: "boss".into(),
    };
    let later = TaskState::Open {
        due_at: Some(at(900)),
    };
    world.write(ana, vec![changed(1, done), changed(3, later)]);
    assert_eq!(list(&world, &open, TaskSort::Due), [1, 4, 3]);
    let over = TaskFilter {
        done: Some(true),
        ..TaskFilter::default()
    };
    assert_eq!(list(&world, &over, TaskSort::Due), [2]);
    let one = world.reader.listed_task(tasks[1].id).expect("reads");
    let one = one.expect("there");
    assert_eq!(one.done, Some((at(400), "boss".to_owned())));
    assert_eq!(one.assignee.as_deref(), Some("boris@x.test"));
    let put_off = world.reader.listed_task(tasks[3].id).expect("reads");
    assert_eq!(put_off.expect("there").task.due_at, Some(at(900)));
    world.write(ana, vec![changed(1, TaskState::Open { due_at: None })]);
    assert_eq!(list(&world, &open, TaskSort::Due), [2, 1, 4, 3]);
    world.write(ana, vec![contact(ana, &json!({"owner": "dora@x.test"}))]);
    assert_eq!(list(&world, &of("dora@x.test"), TaskSort::Due), [1, 4, 3]);
    assert_eq!(list(&world, &of("boris@x.test"), TaskSort::Due), [2]);
}

pub(super) fn days_are_made_of_quarters_of_an_hour(mut world: World) {
    let ana = world.contact("1");
    let mut sent = LedgerEntry::new(at(0), ana, What::Sent);
    sent.journey = Some("welcome".into());
    let later = LedgerEntry::new(at(900), ana, What::Sent);
    let paid = Event::track(names::DOCUMENT_PAID, at(0));
    let ancient = Event::track(names::REPLIED, at(-400 * 86_400));
    world.write(
        ana,
        vec![
            Effect::Ledger(sent.clone()),
            Effect::Ledger(sent),
            Effect::Ledger(later),
            Effect::Ledger(LedgerEntry::new(at(0), ana, What::Set)),
            Effect::Event(paid.into()),
            Effect::Event(ancient.into()),
        ],
    );
    let told = world.reader.quarters(at(0), at(901)).expect("reads");
    let mut told: Vec<(i64, String, u64)> = told
        .into_iter()
        .map(|one| (one.from.as_second() % 86_400, one.what, one.times))
        .collect();
    told.sort();
    let begin = at(0).as_second() % 86_400 / 900 * 900;
    assert_eq!(
        told,
        [
            (begin, "paid".to_owned(), 1),
            (begin, "sent".to_owned(), 2),
            (begin + 900, "sent".to_owned(), 1)
        ]
    );
    let _known = world.store.remember(&[7], at(86_400)).expect("remembers");
    let all = world
        .reader
        .quarters(at(-500 * 86_400), at(901))
        .expect("reads");
    assert!(
        all.iter().all(|one| one.what != "replied"),
        "another age is not counted"
    );
}
