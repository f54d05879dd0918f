//! For whom a mail is an answer, in which order; and what it tells beside.

use jiff::Timestamp;
use jiff::civil::date;
use relance_core::event::Event;
use relance_core::ids::{ContactId, MailboxId, ObjectKind, SubjectRef};
use relance_core::mail::{
    Acquaintance, Address, Folder, Intent, MailClass, MailSeen, NamedNumber, Numbered, Said, Whom,
    interpret, is_number_of,
};
use relance_core::policy::Policy;
use relance_core::subject::Object;
use serde_json::json;

use crate::story::world::policy;

const ANA: ContactId = ContactId(1);
const BOB: ContactId = ContactId(2);
const EVE: ContactId = ContactId(3);

fn rules() -> Policy {
    let mut policy = policy();
    policy.freemail_domains.insert("gmail.test".to_owned());
    policy.internal_domains.insert("us.test".to_owned());
    policy
}

fn address(email: &str) -> Address {
    Address {
        email: email.to_owned(),
        name: None,
    }
}

fn mail(folder: Folder, from: &str, to: &str, class: MailClass) -> MailSeen {
    MailSeen {
        mailbox: MailboxId::from("sales@us.test"),
        folder,
        message_id: "m@x".to_owned(),
        references: Vec::new(),
        from: Some(address(from)),
        to: vec![address(to)],
        at: "2026-11-25T10:00:00Z".parse::<Timestamp>().unwrap(),
        subject: "x".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class,
    }
}

fn reply() -> MailClass {
    MailClass::Reply {
        text: "Thank you".to_owned(),
        said: Said::default(),
    }
}

fn document(id: &str) -> SubjectRef {
    SubjectRef {
        kind: ObjectKind::from("document"),
        id: id.into(),
    }
}

fn numbered(contact: ContactId, id: &str, is_distinctive: bool) -> Numbered {
    Numbered {
        contact,
        subject: document(id),
        is_distinctive,
    }
}

/// Ana at client.test with documents, Bob her colleague, Eve with an address of a provider.
fn known() -> Acquaintance {
    Acquaintance {
        addresses: [
            (ANA, vec!["ana@client.test".to_owned()]),
            (BOB, vec!["bob@client.test".to_owned()]),
            (EVE, vec!["eve@gmail.test".to_owned()]),
        ]
        .into(),
        ..Acquaintance::default()
    }
}

/// `con1 d1`, one for each event of a name.
fn told(events: &[(Whom, Event)], name: &str) -> Vec<String> {
    let of_name = events
        .iter()
        .filter(|(_, event)| event.name.as_str() == name);
    of_name
        .map(|(whom, event)| {
            let Whom::Contact(contact) = whom else {
                panic!("a known contact")
            };
            let about = event.subject.as_ref().map_or("", |subject| &subject.id);
            format!("{} {about}", contact.0).trim().to_owned()
        })
        .collect()
}

fn answers(from: &str, known: &Acquaintance) -> Vec<String> {
    let mail = mail(Folder::Inbox, from, "sales@us.test", reply());
    told(&interpret(&mail, known, &rules()).events, "Replied")
}

#[test]
fn threads_and_numbers_come_before_the_person_and_the_person_before_the_company() {
    let thread = vec![(ANA, Some(document("d1")))];
    let all = Acquaintance {
        threads: thread.clone(),
        person: Some(ANA),
        colleagues: vec![ANA, BOB],
        numbered: vec![numbered(ANA, "d2", false)],
        ..known()
    };
    assert_eq!(answers("ana@client.test", &all), ["1 d1", "1 d2"]);
    let no_thread = Acquaintance {
        threads: Vec::new(),
        ..all.clone()
    };
    assert_eq!(answers("ana@client.test", &no_thread), ["1 d2"]);
    let no_number = Acquaintance {
        numbered: Vec::new(),
        ..no_thread.clone()
    };
    assert_eq!(answers("ana@client.test", &no_number), ["1", "2"]);
    // The same document by thread and by number is one.
    let twice = Acquaintance {
        numbered: vec![numbered(ANA, "d1", true)],
        ..all
    };
    assert_eq!(answers("ana@client.test", &twice), ["1 d1"]);
    // Somebody whom nobody knows, at the company: by the number, else for all of it.
    let unknown = Acquaintance {
        person: None,
        ..no_thread
    };
    assert_eq!(answers("boss@client.test", &unknown), ["1 d2"]);
    let nothing = Acquaintance {
        numbered: Vec::new(),
        ..unknown
    };
    assert_eq!(answers("boss@client.test", &nothing), ["1", "2"]);
}

#[test]
fn a_stranger_answers_nothing_by_a_number_and_a_provider_s_address_only_by_a_plain_one() {
    let of = |contact, is_distinctive, person| Acquaintance {
        person,
        numbered: vec![numbered(contact, "d1", is_distinctive)],
        ..known()
    };
    assert_eq!(
        answers("eve@gmail.test", &of(EVE, true, Some(EVE))),
        ["3 d1"]
    );
    assert_eq!(answers("eve@gmail.test", &of(EVE, false, Some(EVE))), ["3"]);
    assert_eq!(
        answers("other@gmail.test", &of(EVE, true, None)),
        Vec::<String>::new()
    );
    assert_eq!(
        answers("x@elsewhere.test", &of(ANA, true, None)),
        Vec::<String>::new()
    );
    // One of ours answers nothing.
    assert_eq!(
        answers("boss@us.test", &of(ANA, true, None)),
        Vec::<String>::new()
    );
}

#[test]
fn a_number_is_the_same_however_it_is_written() {
    let mut object = Object::new(document("d1"), Timestamp::UNIX_EPOCH);
    let fields = json!({"number": "Q‐2026-15", "versions": [{"number": "КП-7"}, {"number": 8}]});
    object.merge(fields.as_object().unwrap(), Timestamp::UNIX_EPOCH);
    let named = |number: &str| {
        let named = NamedNumber {
            number: number.to_owned(),
            is_distinctive: false,
        };
        is_number_of(&named, &object)
    };
    assert!(named("q-2026-15") && named("№ Q-2026-15") && named("кп-7") && named("8"));
    assert!(!named("q-2026-1") && !named("") && !named("2026"));
}

#[test]
fn what_a_mail_by_hand_follows_up() {
    let thread = Acquaintance {
        threads: vec![(ANA, Some(document("d1"))), (BOB, None)],
        numbered: vec![numbered(ANA, "d2", false)],
        ..known()
    };
    let by_hand = |to: &str, known: &Acquaintance| {
        let mail = mail(Folder::Sent, "sales@us.test", to, reply());
        told(&interpret(&mail, known, &rules()).events, "Followed Up")
    };
    assert_eq!(by_hand("ana@client.test", &thread), ["1 d1", "1 d2"]);
    // To a colleague of hers it is one; passed on inside, or to others, it is none.
    assert_eq!(by_hand("boss@client.test", &thread), ["1 d1", "1 d2"]);
    assert_eq!(by_hand("boss@us.test", &thread), Vec::<String>::new());
    assert_eq!(by_hand("lawyer@else.test", &thread), Vec::<String>::new());
    // Our own reminder, filed in Sent, is none; and an answer of ours ends nothing.
    let mut own = mail(Folder::Sent, "sales@us.test", "ana@client.test", reply());
    assert_eq!(
        told(&interpret(&own, &thread, &rules()).events, "Replied"),
        Vec::<String>::new()
    );
    own.touchpoint = Some(relance_core::ids::TouchpointId {
        contact: ANA,
        hash: 1,
    });
    assert!(interpret(&own, &thread, &rules()).events.is_empty());
}

fn absence(returns: Option<jiff::civil::Date>, reason: &str) -> MailClass {
    MailClass::AutoReply {
        until: returns,
        returns,
        reason: reason.to_owned(),
        new_address: Some("new@client.test".to_owned()),
    }
}

#[test]
fn an_absence_is_of_the_person_whose_it_is() {
    let traits = |class: MailClass, known: &Acquaintance| {
        let mail = mail(Folder::Inbox, "ana@client.test", "sales@us.test", class);
        let events = interpret(&mail, known, &rules()).events;
        events
            .into_iter()
            .map(|(whom, event)| (whom, event.traits.map(serde_json::Value::Object)))
            .collect::<Vec<_>>()
    };
    let thread = Acquaintance {
        threads: vec![(BOB, Some(document("d1")))],
        person: Some(ANA),
        ..known()
    };
    // Ana was copied on a mail to Bob: she is away, he is not.
    let away = Some(json!({"away_until": "2026-12-07"}));
    let found = traits(absence(Some(date(2026, 12, 7)), "vacation"), &thread);
    assert_eq!(found, [(Whom::Contact(ANA), away)]);
    // No day, a day that has passed, one too far away: nothing to wait for.
    for returns in [None, Some(date(2026, 11, 24)), Some(date(2027, 3, 1))] {
        let found = traits(absence(returns, "vacation"), &thread);
        assert_eq!(found, [(Whom::Contact(ANA), None)]);
    }
    // Who left does not come back.
    let found = traits(absence(Some(date(2026, 12, 7)), "left_company"), &thread);
    let gone = Some(json!({"email_status": "left_company"}));
    assert_eq!(
        found,
        [(Whom::Contact(ANA), None), (Whom::Contact(ANA), gone)]
    );
    // Who answers in person is back; a colleague's answer says nothing of it.
    let thread = Acquaintance {
        threads: vec![(ANA, Some(document("d1")))],
        ..thread
    };
    let back = Some(json!({"away_until": null}));
    assert_eq!(traits(reply(), &thread), [(Whom::Contact(ANA), back)]);
    let colleague = Acquaintance {
        person: Some(BOB),
        ..thread
    };
    assert_eq!(traits(reply(), &colleague), [(Whom::Contact(ANA), None)]);
}

#[test]
fn a_wish_in_words_is_the_writer_s_and_must_be_plain() {
    let wish = |percent, known: &Acquaintance| {
        let class = MailClass::Reply {
            text: "Please don't write to me".to_owned(),
            said: Said {
                intent: Intent::Unsubscribe,
                percent,
                ..Said::default()
            },
        };
        let mail = mail(Folder::Inbox, "ana@client.test", "sales@us.test", class);
        told(&interpret(&mail, known, &rules()).events, "Unsubscribed")
    };
    let company = Acquaintance {
        person: Some(ANA),
        colleagues: vec![ANA, BOB],
        ..known()
    };
    assert_eq!(wish(92, &company), ["1"]);
    assert_eq!(wish(79, &company), Vec::<String>::new());
    let unknown = Acquaintance {
        person: None,
        ..company.clone()
    };
    assert_eq!(wish(92, &unknown), Vec::<String>::new());
    let thread = Acquaintance {
        threads: vec![(BOB, Some(document("d1"))), (BOB, Some(document("d2")))],
        ..unknown
    };
    assert_eq!(wish(92, &thread), ["2"]);
}

#[test]
fn a_reply_tells_what_it_wants_and_so_does_its_document() {
    let class = MailClass::Reply {
        text: "We pay on Friday".to_owned(),
        said: Said {
            intent: Intent::WillPay,
            date: Some(date(2026, 11, 27)),
            percent: 90,
            quoted: "Invoice".to_owned(),
        },
    };
    let mail = mail(Folder::Inbox, "ana@client.test", "sales@us.test", class);
    let thread = Acquaintance {
        threads: vec![(ANA, Some(document("d1")))],
        ..known()
    };
    let events = interpret(&mail, &thread, &rules()).events;
    let properties = &events[0].1.properties;
    let told = ["intent", "intent_date", "intent_confidence", "quoted"]
        .map(|name| properties[name].clone());
    assert_eq!(
        told,
        [
            json!("will_pay"),
            json!("2026-11-27"),
            json!(0.9),
            json!("Invoice")
        ]
    );
    let fields = &events[0].1.objects[0].fields;
    assert_eq!(
        (&fields["answer"], &fields["answer_date"]),
        (&json!("will_pay"), &json!("2026-11-27"))
    );
}
