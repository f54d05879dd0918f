//! What a document that left a mailbox means: new, a newer version, a copy, or none of ours.

use jiff::Timestamp;
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, MailboxId, ObjectKind, SubjectRef};
use relance_core::mail::{
    Acquaintance, Address, DocumentFacts, Earlier, Folder, Forwarded, MailClass, MailSeen,
    WITHDRAWN, Whom, version_of,
};
use relance_core::subject::Object;
use serde_json::json;

use crate::story::world::policy;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + day * DAY).unwrap()
}

fn mail(id: &str, day: i64, facts: DocumentFacts) -> MailSeen {
    let address = |email: &str| Address {
        email: email.to_owned(),
        name: None,
    };
    MailSeen {
        mailbox: MailboxId::from("anna@us.test"),
        folder: Folder::Sent,
        message_id: id.to_owned(),
        references: Vec::new(),
        from: Some(address("anna@us.test")),
        to: vec![address("ivan@client.test")],
        at: at(day),
        subject: "КП".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class: MailClass::Document(Box::new(facts)),
    }
}

fn facts(kind: &str, number: Option<&str>) -> DocumentFacts {
    DocumentFacts {
        kind: kind.to_owned(),
        number: number.map(str::to_owned),
        amount: Some("1200.50".to_owned()),
        ..DocumentFacts::default()
    }
}

fn known(kind: &str, number: Option<&str>) -> Earlier {
    let subject = SubjectRef {
        kind: ObjectKind::from("document"),
        id: "m1".into(),
    };
    let mut object = Object::new(subject, at(0));
    let fields = json!({"kind": kind, "number": number, "mailbox": "anna@us.test", "status": "sent",
        "message_id": "m1", "to": "ivan@client.test", "sent_at": at(0).to_string(), "amount": 1000.0,
        "answered_at": "2026-11-01"});
    object.merge(fields.as_object().unwrap(), at(0));
    Earlier {
        contact: ContactId(7),
        object,
    }
}

fn interpreted(mail: &MailSeen, known: &Acquaintance) -> Vec<(Whom, Event)> {
    relance_core::mail::interpret(mail, known, &policy()).events
}

#[test]
fn a_newer_version_is_the_same_document() {
    let earlier = known("offer", Some("КП-15"));
    for (number, in_thread) in [
        (Some("КП-15"), false),
        (Some("КП-15 v2"), false),
        (Some("КП-15/2"), false),
        (None, true),
    ] {
        let threads = if in_thread {
            vec![(ContactId(7), Some(earlier.object.subject.clone()))]
        } else {
            Vec::new()
        };
        let known = Acquaintance {
            threads,
            earlier: vec![earlier.clone()],
            ..Acquaintance::default()
        };
        let events = interpreted(&mail("m2", 3, facts("offer", number)), &known);
        let [(whom, event)] = &events[..] else {
            panic!("{number:?}: {events:?}");
        };
        assert_eq!(*whom, Whom::Contact(ContactId(7)), "{number:?}");
        assert_eq!(event.name.as_str(), names::DOCUMENT_SENT);
        assert_eq!(event.subject, Some(earlier.object.subject.clone()));
        let mut object = earlier.object.clone();
        object.merge(&event.objects[0].fields, at(3));
        assert_eq!(version_of(&object), 2);
        assert_eq!(object.fields["amount"], json!(1200.5));
        assert_eq!(object.text("message_id"), Some("m2"));
        assert!(!object.fields.contains_key("answered_at"));
        assert_eq!(object.fields["versions"].as_array().unwrap().len(), 2);
        // Seen once more in another mailbox, it is the same sending.
        let again = Acquaintance {
            earlier: vec![Earlier {
                contact: ContactId(7),
                object,
            }],
            ..Acquaintance::default()
        };
        let mut other = mail("m2", 3, facts("offer", number));
        other.mailbox = MailboxId::from("shared@us.test");
        let told = interpreted(&other, &again);
        assert_eq!(told[0].1.message_id, event.message_id);
        assert_eq!(told[0].1.subject, event.subject);
        assert!(told[0].1.objects.is_empty());
    }
}

#[test]
fn what_is_another_document_stays_apart() {
    let offer = known("offer", Some("КП-15"));
    let invoice = known("invoice", Some("15"));
    let mut withdrawn = offer.clone();
    withdrawn
        .object
        .fields
        .insert("status".to_owned(), json!(WITHDRAWN));
    for (earlier, mail) in [
        (&offer, mail("m2", 3, facts("offer", Some("КП-16")))),
        (&offer, mail("m2", 3, facts("invoice", Some("КП-15")))),
        (&offer, mail("m2", 3, facts("offer", None))),
        (&offer, mail("m2", 200, facts("offer", Some("КП-15")))),
        (&invoice, mail("m2", 3, facts("invoice", Some("15/2")))),
        (&withdrawn, mail("m2", 3, facts("offer", Some("КП-15")))),
    ] {
        let known = Acquaintance {
            earlier: vec![earlier.clone()],
            ..Acquaintance::default()
        };
        let events = interpreted(&mail, &known);
        assert_eq!(events[0].1.subject.as_ref().unwrap().id.as_ref(), "m2");
    }
    let mut elsewhere = mail("m2", 3, facts("offer", Some("КП-15")));
    elsewhere.mailbox = MailboxId::from("boris@us.test");
    let known = Acquaintance {
        earlier: vec![offer],
        ..Acquaintance::default()
    };
    let events = interpreted(&elsewhere, &known);
    assert_eq!(events[0].1.subject.as_ref().unwrap().id.as_ref(), "m2");
}

#[test]
fn a_copy_of_what_is_paid_and_an_older_version_begin_nothing() {
    let mut paid = known("invoice", Some("15"));
    paid.object
        .fields
        .insert("status".to_owned(), json!("paid"));
    let acquaintance = Acquaintance {
        earlier: vec![paid],
        ..Acquaintance::default()
    };
    let events = interpreted(&mail("m2", 3, facts("invoice", Some("15"))), &acquaintance);
    assert_eq!(events[0].1.name.as_str(), names::DOCUMENT_RESENT);
    assert!(!events[0].1.objects[0].fields.contains_key("status"));

    let acquaintance = Acquaintance {
        earlier: vec![known("invoice", Some("15"))],
        ..Acquaintance::default()
    };
    let events = interpreted(&mail("m0", -3, facts("invoice", Some("15"))), &acquaintance);
    assert_eq!(events[0].1.name.as_str(), names::DOCUMENT_RESENT);
    assert!(!events[0].1.objects[0].fields.contains_key("amount"));
}

#[test]
fn what_is_not_ours_is_no_document() {
    let nobody = Acquaintance::default();
    let mut internal = mail("m2", 0, facts("invoice", Some("15")));
    internal.to[0].email = "boris@us.test".to_owned();
    assert!(interpreted(&internal, &nobody).is_empty());

    let passed_on = |from: Option<&str>| {
        let mut facts = facts("invoice", Some("15"));
        facts.forwarded = Some(Forwarded {
            from: from.map(str::to_owned),
        });
        mail("m2", 0, facts)
    };
    assert!(interpreted(&passed_on(Some("billing@supplier.test")), &nobody).is_empty());
    assert!(interpreted(&passed_on(None), &nobody).is_empty());
    // The bookkeeper's invoice that a salesperson passes on to the client is ours.
    assert_eq!(
        interpreted(&passed_on(Some("books@us.test")), &nobody).len(),
        1
    );

    let mut own = mail("m2", 0, facts("invoice", Some("15")));
    own.touchpoint = Some(relance_core::ids::TouchpointId {
        contact: ContactId(1),
        hash: 1,
    });
    assert!(interpreted(&own, &nobody).is_empty());
}
