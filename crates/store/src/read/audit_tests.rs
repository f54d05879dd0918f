//! Who changed what, as it is read back.

use relance_engine::ports::{
    AUDIT_DETAIL_BYTES_MAX, AUDIT_KEPT, AUDIT_WORD_BYTES_MAX, Asset, AuditLine, Store as _,
};

use super::AuditAsked;
use super::tests::{World, all, at};

fn put(world: &mut World, lines: &[AuditLine]) {
    world.store.begin().expect("begins");
    for line in lines {
        world.store.put_audit(line).expect("puts");
    }
    world.store.commit().expect("commits");
}

fn line(seconds: i64, by: &str, action: &str, object: &str) -> AuditLine {
    AuditLine::new(at(seconds), by, action, object, "")
}

pub(super) fn who_changed_what_is_told_once_the_newest_first(mut world: World) {
    let lines = [
        line(1, "anna", "journey.publish", "welcome"),
        line(2, "boris", "user.add", "clara"),
        line(2, "anna", "user.change", "clara"),
        line(3, "anna", "journey.pause", "welcome"),
    ];
    put(&mut world, &lines);
    // The same line once more is the same line.
    put(&mut world, &lines[..1]);
    let asked = |asked: AuditAsked| all(|after| world.reader.audit(&asked, after, 1), 1);
    let newest = asked(AuditAsked::default());
    assert_eq!(newest.len(), 4);
    assert_eq!((&newest[0], &newest[3]), (&lines[3], &lines[0]));
    let of = |by: &str| AuditAsked {
        by: Some(by.to_owned()),
        ..AuditAsked::default()
    };
    assert_eq!(asked(of("boris")), [lines[1].clone()]);
    assert_eq!(asked(of("anna")).len(), 3);
    assert_eq!(asked(of("nobody")), []);
    let mut clara = AuditAsked {
        object: Some("clara".to_owned()),
        ..of("anna")
    };
    assert_eq!(asked(clara.clone()), [lines[2].clone()]);
    clara.by = None;
    clara.action = Some("user.a".to_owned());
    assert_eq!(asked(clara), [lines[1].clone()]);
    let between = AuditAsked {
        from: Some(at(2)),
        until: Some(at(3)),
        ..AuditAsked::default()
    };
    assert_eq!(asked(between).len(), 2);
    assert!(world.reader.audit(&of("anna"), Some("x"), 1).is_err());
}

pub(super) fn lines_are_cut_and_after_years_forgotten(mut world: World) {
    let long = "я".repeat(AUDIT_WORD_BYTES_MAX);
    let detail = "x".repeat(AUDIT_DETAIL_BYTES_MAX + 1);
    let cut = AuditLine::new(at(0), &long, "a", &long, &detail);
    assert!(cut.by.len() <= AUDIT_WORD_BYTES_MAX && cut.detail.is_empty());
    put(&mut world, std::slice::from_ref(&cut));
    let asked = AuditAsked::default();
    let found = |world: &World| world.reader.audit(&asked, None, 9).expect("a page").items;
    assert_eq!(found(&world), [cut]);
    let mut late = line(0, "anna", "a", "b");
    late.at = at(1).checked_add(AUDIT_KEPT).expect("a moment");
    put(&mut world, std::slice::from_ref(&late));
    assert_eq!(found(&world), [late]);
}

pub(super) fn one_text_is_found_by_its_name(mut world: World) {
    let asset = Asset {
        kind: "user".to_owned(),
        name: "anna@shop.test".to_owned(),
        body: Some("{}".to_owned()),
    };
    world.store.begin().expect("begins");
    world.store.put_asset(&asset, at(4)).expect("puts");
    world.store.commit().expect("commits");
    let found = world.reader.text("user", "anna@shop.test").expect("reads");
    let found = found.expect("a text");
    assert_eq!((&*found.body, found.updated_at), ("{}", at(4)));
    let none = world.reader.text("key", "anna@shop.test").expect("reads");
    assert_eq!(none, None);
}
