//! Payments as they are kept, found and forgotten; invoices as a payer names them.

use jiff::civil::date;
use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::ids::ContactId;
use relance_core::payment::{
    Amount, Note, Payer, Payment, PaymentId, PaymentRecord, PaymentState, Share, StatementRecord,
    StatementTally, Undone,
};
use relance_core::subject::Object;
use relance_engine::ports::{Store as _, StoreError};
use serde_json::json;

use super::KnownPayment;
use super::tests::{World, all, at};

fn units(units: i64) -> Amount {
    Amount::of_units(units).expect("fits")
}

fn record(key: &str, day: i8, amount: i64, payer: &str) -> PaymentRecord {
    PaymentRecord {
        id: PaymentId::derive(key),
        payment: Payment {
            key: String::new(),
            booked: date(2026, 10, day),
            amount: units(amount),
            currency: "EUR".to_owned(),
            payer: Payer {
                name: payer.to_owned(),
                account: format!("DE0012345{payer}"),
                ..Payer::default()
            },
            text: format!("invoice of {payer}"),
            creditor_reference: None,
            end_to_end: None,
            is_reversal: false,
            account: String::new(),
        },
        statement: "st_1".to_owned(),
        state: PaymentState::Unclear,
        shares: Vec::new(),
        ranked: Vec::new(),
        note: None,
        other: None,
        revision: 1,
        changed_at: at(1),
    }
}

fn paid(mut record: PaymentRecord, contact: ContactId, document: &str) -> PaymentRecord {
    record.state = PaymentState::Matched;
    record.shares = vec![Share {
        contact,
        document: document.into(),
        number: "R-7".to_owned(),
        amount: record.payment.amount,
    }];
    record
}

fn put(world: &mut World, record: &PaymentRecord) -> bool {
    world.store.begin().expect("begins");
    let is_new = world.store.put_payment(record).expect("puts");
    world.store.commit().expect("commits");
    is_new
}

pub(super) fn a_payment_is_put_once_and_then_only_anew(mut world: World) {
    let first = record("a", 5, 100, "Ana");
    assert!(put(&mut world, &first));
    assert!(!put(&mut world, &first), "known");
    let mut other = first.clone();
    other.payment.text = "another".to_owned();
    assert!(!put(&mut world, &other), "of the same revision");
    assert_eq!(
        world.reader.payment(first.id).expect("reads"),
        Some(first.clone())
    );
    world.store.begin().expect("begins");
    let ana = world.contact("ana");
    world.store.commit().expect("commits");
    let mut second = paid(first.clone(), ana, "m1");
    second.revision = 2;
    assert!(put(&mut world, &second));
    assert!(!put(&mut world, &first), "older");
    assert_eq!(
        world.reader.payment(first.id).expect("reads"),
        Some(second.clone())
    );
    let known = world
        .reader
        .known_payments(&[first.id, PaymentId::derive("b")])
        .expect("reads");
    let known: Vec<_> = known.into_iter().collect();
    let as_second = KnownPayment {
        revision: second.revision,
        is_undone: false,
    };
    assert_eq!(known, [(first.id, as_second)]);
    // The payer is known by what was paid before, and no more when that is taken back.
    let mark = first.payment.payer.mark().expect("a mark");
    let payers = |world: &World| world.reader.contacts_of_payer(&mark).expect("reads");
    assert_eq!(payers(&world).into_iter().collect::<Vec<_>>(), [ana]);
    let mut third = first;
    third.revision = 3;
    assert!(put(&mut world, &third));
    assert!(payers(&world).is_empty());
}

pub(super) fn payments_are_listed_by_day_and_state_and_found_by_what_they_say(mut world: World) {
    for (key, day, amount, payer) in [
        ("a", 5, 100, "Ana"),
        ("b", 7, 200, "Семён"),
        ("c", 6, 100, "Ana"),
        ("d", 7, 300, "Boris"),
    ] {
        let mut one = record(key, day, amount, payer);
        if key == "d" {
            one.state = PaymentState::Ignored;
            one.note = Some(Note::Dismissed);
        }
        put(&mut world, &one);
    }
    let days = |state, search: Option<&str>| -> Vec<i8> {
        let page = |after: Option<&str>| world.reader.payments(state, None, search, after, 1);
        let items = all(page, 1);
        items.iter().map(|one| one.payment.booked.day()).collect()
    };
    assert_eq!(days(None, None), [7, 7, 6, 5]);
    assert_eq!(days(Some(PaymentState::Unclear), None), [7, 6, 5]);
    assert_eq!(days(None, Some("СЕМЕН")), [7]);
    assert_eq!(days(None, Some("ana")), [6, 5]);
    assert_eq!(days(None, Some("nobody")), [0_i8; 0]);
    assert!(
        world
            .reader
            .payments(None, None, None, Some("x"), 1)
            .is_err()
    );
    let counts = world.reader.payment_counts().expect("counts");
    assert_eq!(
        (
            counts[&PaymentState::Unclear],
            counts[&PaymentState::Ignored]
        ),
        (3, 1)
    );
    let alike = world
        .reader
        .payments_of_amount(units(100), date(2026, 10, 5));
    assert_eq!(alike.expect("reads").len(), 1, "not after the day");
}

pub(super) fn invoices_are_found_as_payers_name_them(mut world: World) {
    world.store.begin().expect("begins");
    let ana = world.contact("ana");
    let documents = [
        ("m1", "invoice", "СЧ-2026/77", 100, "sent"),
        ("m2", "invoice", "000123", 200, "paid"),
        ("m3", "offer", "INV 4", 100, "sent"),
        ("m4", "invoice", "inv_2026.4 #", 200, "sent"),
    ];
    let effects = documents.map(|(id, kind, number, amount, status)| {
        let subject = relance_core::payment::effect::subject_of(id);
        let mut one = Object::new(subject, at(1));
        let fields = json!({ "kind": kind, "number": number, "amount": amount, "status": status });
        one.fields = fields.as_object().cloned().expect("fields");
        Effect::Object(one)
    });
    world.write(ana, effects.into());
    world.store.commit().expect("commits");
    let by_number = |keys: &[&str]| -> Vec<String> {
        let keys = keys
            .iter()
            .map(|key| relance_core::payment::number::key(key));
        let found = world
            .reader
            .invoices_of_numbers(&keys.collect())
            .expect("reads");
        let mut ids: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(by_number(&["cч 2026 77"]), ["m1"], "in Latin letters");
    assert_eq!(by_number(&["сч202677", "123"]), ["m1", "m2"]);
    assert_eq!(by_number(&["INV-2026-4", "inv4"]), ["m4"], "no offers");
    assert_eq!(by_number(&["9\"]", ""]), [""; 0]);
    let of_amount = |amount| {
        world
            .reader
            .invoices_of_amount(units(amount))
            .expect("reads")
    };
    assert_eq!(of_amount(100), [(ana, "m1".to_owned())]);
    assert_eq!(of_amount(200), [(ana, "m4".to_owned())], "not the paid one");
}

pub(super) fn who_is_forgotten_is_in_no_payment(mut world: World) {
    world.store.begin().expect("begins");
    let ana = world.contact("ana");
    let bob = world.contact("bob");
    world.store.commit().expect("commits");
    let of_ana = paid(record("a", 5, 100, "Ana"), ana, "m1");
    let of_bob = paid(record("b", 6, 100, "Bob"), bob, "m2");
    put(&mut world, &of_ana);
    put(&mut world, &of_bob);
    let hash = |identity: &Identity| identity.value.clone();
    for step in 0.. {
        assert!(step < 50, "it ends");
        world.store.begin().expect("begins");
        let gone = world.store.forget(ana, &hash, 1, at(9)).expect("forgets");
        world.store.commit().expect("commits");
        if gone.done {
            break;
        }
    }
    let left = world
        .reader
        .payment(of_ana.id)
        .expect("reads")
        .expect("stays");
    assert_eq!(left.payment.payer, Payer::default());
    assert_eq!(left.payment.text, "");
    assert_eq!(left.note, Some(Note::Forgotten));
    assert_eq!((left.shares.len(), left.payment.amount), (0, units(100)));
    let mark = of_ana.payment.payer.mark().expect("a mark");
    assert!(
        world
            .reader
            .contacts_of_payer(&mark)
            .expect("reads")
            .is_empty()
    );
    assert_eq!(
        world.reader.payment(of_bob.id).expect("reads"),
        Some(of_bob)
    );
}

pub(super) fn who_looked_before_another_changed_payments_is_overtaken(mut world: World) {
    assert_eq!(world.reader.payment_changes().expect("reads"), 0);
    let mut turn = |seen: u64| {
        world.store.begin().expect("begins");
        let turned = world.store.turn_payments(seen);
        match turned {
            Ok(()) => world.store.commit().expect("commits"),
            Err(StoreError::Overtaken) => world.store.rollback(),
            Err(other) => panic!("{other}"),
        }
        turned.is_ok()
    };
    assert!(turn(0));
    assert!(!turn(0), "somebody else was first");
    assert!(turn(1));
    assert!(!turn(1) && !turn(7));
    assert_eq!(world.reader.payment_changes().expect("reads"), 2);
}

pub(super) fn statements_are_kept_with_their_payments(mut world: World) {
    let statement = |id: &str, n: i64| StatementRecord {
        id: id.to_owned(),
        name: format!("{id}.xml"),
        format: "camt.053".to_owned(),
        by: "anna@firm.test".to_owned(),
        at: at(n),
        account: String::new(),
        currency: "EUR".to_owned(),
        accounts: 1,
        from: None,
        to: Some(date(2026, 10, 5)),
        entries: 2,
        outgoing: 0,
        tally: StatementTally::default(),
        whole: true,
        undone: None,
    };
    let (first, second) = (statement("st_1", 1), statement("st_2", 2));
    let (a, b) = (record("a", 5, 100, "Ana"), record("b", 6, 7, "Bo"));
    world.store.begin().expect("begins");
    let ana = world.contact("ana");
    let a = paid(a, ana, "m1");
    for one in [&first, &second] {
        world.store.put_statement(one).expect("puts");
    }
    for one in [&a, &b] {
        assert!(world.store.put_payment(one).expect("puts"));
    }
    world.store.commit().expect("commits");
    let page = |after: Option<&str>| world.reader.statements(after, 1).expect("reads");
    let newest = page(None);
    assert_eq!(newest.items, [second]);
    let last = page(newest.next.as_deref());
    assert_eq!((last.items, last.next), (vec![first.clone()], None));
    assert!(world.reader.statements(Some("x"), 1).is_err());
    let of = |after: Option<&str>| {
        let page = world.reader.payments_of_statement("st_1", after, 1);
        page.expect("reads")
    };
    let page = of(None);
    assert_eq!(page.items, std::slice::from_ref(&b));
    assert_eq!(of(page.next.as_deref()).items, std::slice::from_ref(&a));
    let matched = Some(PaymentState::Matched);
    let sifted = world.reader.payments(matched, Some("st_1"), None, None, 10);
    assert_eq!(sifted.expect("reads").items, [a]);
    let shares = world.reader.payment_shares(&["m1", "m2"]).expect("reads");
    assert_eq!(
        shares.into_iter().collect::<Vec<_>>(),
        [("m1".to_owned(), units(100))]
    );

    let undone = StatementRecord {
        undone: Some(Undone {
            at: at(3),
            by: "boris@firm.test".to_owned(),
        }),
        ..first
    };
    world.store.begin().expect("begins");
    world.store.put_statement(&undone).expect("puts");
    let mut gone = b;
    gone.state = PaymentState::Ignored;
    gone.note = Some(Note::StatementUndone);
    gone.revision = 2;
    assert!(world.store.put_payment(&gone).expect("puts"));
    world.store.commit().expect("commits");
    assert_eq!(world.reader.statement("st_1").expect("reads"), Some(undone));
    assert_eq!(world.reader.statement("st_9").expect("reads"), None);
    let known = world.reader.known_payments(&[gone.id]).expect("reads");
    assert!(known[&gone.id].is_undone && known[&gone.id].revision == 2);
}
