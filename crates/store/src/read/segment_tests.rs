//! Segments, members, searches and scans, over either database.

use std::ops::ControlFlow;

use relance_core::contact::{Identity, IdentityKind};
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EventName, SegmentId, SubjectRef};
use relance_core::segment::Membership;
use relance_core::subject::Object;
use relance_core::world::Needs;
use relance_engine::ports::{Store, StoredSegment};

use super::ReadError;
use super::tests::{World, all, at};

fn standing(segment: &str, before: Membership, after: Membership) -> Effect {
    Effect::Membership {
        segment: segment.into(),
        before,
        after,
    }
}

const NONE: Membership = Membership {
    member: false,
    due: None,
};
const MEMBER: Membership = Membership {
    member: true,
    due: None,
};

fn maybe() -> Membership {
    Membership {
        member: false,
        due: Some(at(50)),
    }
}

pub(super) fn segments_count_and_list_their_members(mut world: World) {
    let ids: Vec<ContactId> = (0..20).map(|n| world.contact(&n.to_string())).collect();
    let vip = StoredSegment {
        id: "vip".into(),
        text: "the text".to_owned(),
    };
    world.store.put_segment(&vip, at(1)).expect("puts");
    // Every third is a member; every other waits for time to pass.
    for (n, id) in ids.iter().enumerate() {
        let after = if n % 3 == 0 { MEMBER } else { maybe() };
        world.write(*id, vec![standing("vip", NONE, after)]);
    }
    world.write(ids[0], vec![standing("listed", NONE, MEMBER)]);
    let rows = world.reader.segments().expect("reads");
    let told: Vec<(&str, Option<&str>, u64)> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.text.as_deref(), row.members))
        .collect();
    assert_eq!(told, [("listed", None, 1), ("vip", Some("the text"), 7)]);
    let one = world.reader.segment(&vip.id).expect("reads");
    assert_eq!(one.as_ref(), rows.get(1));
    assert_eq!(world.reader.segment(&"no".into()).expect("reads"), None);

    let members: Vec<ContactId> = ids.iter().copied().step_by(3).collect();
    let found = all(|after| world.reader.members(&vip.id, after, 3), 3);
    let found: Vec<ContactId> = found.iter().map(|contact| contact.id).collect();
    assert_eq!(found, members);
    // A walk that looks at few records comes to the same end by shorter pages.
    let (mut found, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world
            .reader
            .members_walking(&vip.id, next.as_deref(), 3, 2)
            .expect("reads");
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|contact| contact.id));
        next = page.next;
        pages += 1;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((found, pages >= 10), (members, true));
    let wrong = world.reader.members(&vip.id, Some("x"), 3);
    assert!(matches!(wrong, Err(ReadError::Cursor(_))));
    let nobody = world.reader.members(&"no".into(), None, 3).expect("reads");
    assert_eq!(nobody.items.len(), 0);

    let own = world.reader.segments_of(ids[0]).expect("reads");
    let expected = [("listed", MEMBER), ("vip", MEMBER)];
    assert_eq!(own, expected.map(|(id, of)| (SegmentId::from(id), of)));
    let own = world.reader.segments_of(ids[1]).expect("reads");
    assert_eq!(own, [(SegmentId::from("vip"), maybe())]);

    world.store.remove_segment(&vip.id).expect("removes");
    let row = world
        .reader
        .segment(&vip.id)
        .expect("reads")
        .expect("is left");
    assert_eq!((row.text, row.members), (None, 7));
}

pub(super) fn contacts_are_found_by_the_beginning_of_any_name(mut world: World) {
    let mut contact = |names: &[Identity]| world.store.resolve(names, at(0)).expect("resolves");
    let phone = |value: &str| Identity {
        kind: IdentityKind::Phone,
        value: value.to_owned(),
    };
    let ana = contact(&[
        Identity::user("ana"),
        Identity::email("ana@one.test"),
        phone("+79121234567"),
    ]);
    let anatol = contact(&[Identity::email("anatol@two.test")]);
    let device = contact(&[Identity::anonymous("ana-device")]);
    let odd = contact(&[Identity::user("100%_x"), Identity::user("100%_y")]);
    let search = |text: &str| -> Vec<(ContactId, &'static str)> {
        let found = all(|after| world.reader.search_contacts(text, after, 1), 1);
        let found = found.into_iter();
        found
            .map(|one| (one.contact.id, one.by.kind.word()))
            .collect()
    };
    // Each once, by the most trusted of its names.
    let expected = vec![
        (ana, "user_id"),
        (anatol, "email"),
        (device, "anonymous_id"),
    ];
    assert_eq!(search("ana"), expected);
    assert_eq!(search("ANA@one.test"), [(ana, "email")]);
    assert_eq!(search(" anat "), [(anatol, "email")]);
    assert_eq!(search("+7 (912) 123-45-67"), [(ana, "phone")]);
    assert_eq!(search("+7 912"), [(ana, "phone")]);
    assert_eq!(search("100%_"), [(odd, "user_id")]);
    for nothing in ["nobody", "", "  ", "na@one", "%"] {
        assert_eq!(search(nothing), [], "{nothing:?}");
    }
    assert_eq!(search(&"a".repeat(super::SEARCH_CHARS_MAX + 1)), []);
    for cursor in ["x", "9.ana", "ana"] {
        let wrong = world.reader.search_contacts("ana", Some(cursor), 1);
        assert!(matches!(wrong, Err(ReadError::Cursor(_))), "{cursor}");
    }
}

pub(super) fn a_contact_of_many_names_is_one_find(mut world: World) {
    let names: Vec<Identity> = (0..400)
        .map(|n| Identity::anonymous(&format!("d{n:03}")))
        .collect();
    let many = world.store.resolve(&names, at(0)).expect("resolves");
    let last = world
        .store
        .resolve(&[Identity::anonymous("d999")], at(0))
        .expect("resolves");
    let (mut found, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world
            .reader
            .search_contacts("d", next.as_deref(), 10)
            .expect("reads");
        found.extend(page.items.iter().map(|one| one.contact.id));
        next = page.next;
        pages += 1;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(found, [many, last]);
    assert!(pages > 1, "a page looks at so many names and no more");
}

pub(super) fn a_scan_loads_what_conditions_ask(mut world: World) {
    let ids: Vec<ContactId> = (0..7).map(|n| world.contact(&n.to_string())).collect();
    let ana = ids[2];
    let subject = |kind: &str, id: &str| SubjectRef {
        kind: kind.into(),
        id: id.into(),
    };
    for n in 0..4 {
        let ordered = Event::track("Order Completed", at(n));
        let viewed = Event::track("Product Viewed", at(n));
        let effects = vec![Effect::Event(ordered.into()), Effect::Event(viewed.into())];
        world.write(ana, effects);
    }
    world.write(
        ids[3],
        vec![Effect::Event(Event::track("Product Viewed", at(9)).into())],
    );
    world.write(
        ana,
        vec![
            Effect::Object(Object::new(subject("deal", "1"), at(0))),
            Effect::Object(Object::new(subject("order", "1"), at(0))),
            standing("vip", NONE, MEMBER),
            standing("other", NONE, MEMBER),
        ],
    );
    let orders = EventName::from("Order Completed");
    let needs = Needs {
        history: [orders.clone()].into(),
        kinds: ["deal".into()].into(),
        segments: ["vip".into(), "nobody".into()].into(),
        last_event: true,
        ..Needs::default()
    };
    let scanner = world.reader.scanner(needs).expect("reads");
    let (first, last) = world.reader.contact_bounds().expect("reads").expect("some");
    assert_eq!((first, last), (ids[0], ids[6]));
    let page = scanner.page(first, 3).expect("reads");
    let found: Vec<ContactId> = page.iter().map(|one| one.contact.id).collect();
    assert_eq!(found, ids[..3]);
    let one = scanner.one(ana).expect("reads").expect("is there");
    assert_eq!(Some(&one), page.last());
    let moments: Vec<_> = one.history.of(&orders).map(|event| event.at).collect();
    assert_eq!(moments, [at(0), at(1), at(2), at(3)]);
    assert_eq!(one.history.of(&"Product Viewed".into()).count(), 0);
    assert_eq!(
        one.objects.keys().collect::<Vec<_>>(),
        [&subject("deal", "1")]
    );
    let expected = [(SegmentId::from("vip"), MEMBER)].into();
    assert_eq!(one.memberships, expected);
    assert_eq!(one.last_event_at, Some(at(3)));
    assert_eq!(scanner.page(ContactId(ids[6].0 + 1), 3).expect("reads"), []);
    let mut having = Vec::new();
    scanner
        .each_having(&orders, |snapshot| {
            having.push(snapshot.contact.id);
            ControlFlow::Continue(())
        })
        .expect("reads");
    assert_eq!(having, [ana]);
}
