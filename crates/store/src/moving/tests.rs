//! Moves: whole, broken off at every table, and refused where they would do harm.

use std::path::{Path, PathBuf};

use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::world::Needs;
use relance_engine::ports::{Asset, Change, Store};

use super::tables::NOT_COPIED;
use super::*;
use crate::read::Reader;
use crate::testing::postgres::Server;
use crate::{AnyStore, Place, PlaceError, Synchronous};

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::constant(1_800_000_000 + seconds, 7)
}

fn file_store(path: &Path) -> SqliteStore {
    let options = SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    SqliteStore::open(path, options).expect("opens")
}

fn url(server: &Server, schema: &str) -> DatabaseUrl {
    DatabaseUrl::parse(&server.url(schema)).expect("a URL")
}

fn on_server(url: &DatabaseUrl) -> AnyStore {
    AnyStore::open(&Place::Server(url.clone())).expect("opens")
}

fn moved(file: &Path, to: &DatabaseUrl) -> Result<Moved, MoveProblem> {
    move_to_server(file, to, &[("setting", "witness")], |_| {})
}

/// What the port tells of everybody, and of the workspace.
fn told(store: &mut impl Store) -> Vec<String> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let page = store.contacts_after(after, 100).expect("lists");
        let Some(last) = page.last().copied() else {
            break;
        };
        after = Some(last);
        for mut snapshot in store.load(&page).expect("loads") {
            look_closer(store, &mut snapshot);
            lines.push(format!("{snapshot:?}"));
        }
    }
    let late = jiff::Timestamp::MAX;
    let timers = store.due_timers(late, 10_000).expect("lists");
    lines.extend(timers.iter().map(|timer| format!("{timer:?}")));
    let ready = store.ready_touchpoints(late, 10_000).expect("lists");
    lines.extend(ready.iter().map(|id| format!("ready {id}")));
    let mut flying = store.in_flight().expect("lists");
    flying.sort_by_key(|one| one.id);
    lines.push(format!("{flying:?}"));
    lines.push(format!("{:?}", store.journeys().expect("lists")));
    lines.push(format!("{:?}", store.paused_journeys().expect("lists")));
    lines.push(format!("{:?}", store.segments().expect("lists")));
    lines.push(format!("{:?}", store.mailboxes().expect("lists")));
    for kind in ["setting", "template", "key"] {
        lines.push(format!("{:?}", store.assets(kind).expect("lists")));
    }
    lines
}

fn look_closer(store: &mut impl Store, snapshot: &mut Snapshot) {
    let needs = Needs {
        history: ["Viewed".into(), "Bought".into(), "Order Completed".into()].into(),
        kinds: ["document".into(), "deal".into()].into(),
        last_event: true,
        ..Needs::default()
    };
    store.load_needs(snapshot, &needs).expect("loads");
}

/// What pages tell.
fn shown(reader: &Reader) -> Vec<String> {
    let mut lines = vec![format!("{:?}", reader.totals().expect("reads"))];
    lines.push(format!("{:?}", reader.journeys().expect("reads")));
    let ids = reader.contacts(None, 500).expect("reads").items;
    for contact in ids {
        let page = reader
            .ledger_of_contact(contact.id, None, 500)
            .expect("reads");
        lines.push(format!("{:?}", page.items));
        let page = reader.events(contact.id, None, 500).expect("reads");
        lines.push(format!("{:?}", page.items));
    }
    lines
}

#[test]
fn what_is_taken_along_is_what_the_schema_has() {
    let Some(server) = Server::start() else {
        return;
    };
    let to = url(&server, "shape");
    drop(on_server(&to));
    let link = connect::open(to.address(), Purpose::Read).expect("opens");
    let rows = link
        .wait(link.client.query(
            "SELECT c.relname::text, a.attname::text
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = 'shape'::regnamespace AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition
             ORDER BY c.relname, a.attnum",
            &[],
        ))
        .expect("reads");
    let mut there: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for row in rows {
        there.entry(row.get(0)).or_default().push(row.get(1));
    }
    for name in NOT_COPIED {
        assert!(there.remove(*name).is_some(), "{name}");
    }
    let mut taken: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for table in TABLES {
        let columns = table.columns.iter().map(|(name, ..)| (*name).to_owned());
        taken.insert(table.name.to_owned(), columns.collect());
    }
    for columns in there.values_mut().chain(taken.values_mut()) {
        columns.sort_unstable();
    }
    assert_eq!(taken, there);
}

#[test]
fn workspaces_of_the_suite_arrive_whole() {
    let Some(server) = Server::start() else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let mut files: Vec<PathBuf> = Vec::new();
    crate::conformance::run(|| {
        files.push(dir.path().join(format!("{}.db", files.len())));
        file_store(files.last().expect("a file"))
    });
    // Each takes a third of a second; the last is the one of generated batches.
    for (number, file) in files.iter().rev().step_by(3).enumerate() {
        let (left, page) = {
            let mut store = file_store(file);
            let left = told(&mut store);
            (left, shown(&Reader::open(file).expect("opens")))
        };
        let to = url(&server, &format!("suite_{number}"));
        let tables = moved(file, &to).expect("moves").tables;
        assert_eq!(tables.len(), TABLES.len());
        assert!(tables.iter().all(|one| !one.was_there));
        let mut store = on_server(&to);
        assert_eq!(told(&mut store), left, "file {number}");
        assert_eq!(
            shown(&Reader::open_url(&to).expect("opens")),
            page,
            "file {number}"
        );
    }
}

/// A workspace with texts that a server does not take as they are.
fn fill(path: &Path) -> (ContactId, String) {
    let mut store = file_store(path);
    let long = "é\0".repeat(3_000);
    store.begin().expect("begins");
    let ana = [Identity::user("ana"), Identity::email("ana@example.org")];
    let ana = store.resolve(&ana, at(0)).expect("resolves");
    let bob = store
        .resolve(&[Identity::user(&long)], at(0))
        .expect("resolves");
    assert_eq!(
        store.remember(&[1, 2, u64::MAX], at(1)).expect("remembers"),
        [true; 3]
    );
    let subject = relance_core::ids::SubjectRef {
        kind: "document".into(),
        id: long.as_str().into(),
    };
    let effects = vec![
        Effect::Event(Event::track("Viewed", at(1)).into()),
        Effect::Event(Event::track(long.as_str(), at(2)).into()),
        Effect::Object(Object::new(subject, at(3))),
    ];
    let change = Change {
        contact: ana,
        effects,
    };
    store.write(&[change]).expect("writes");
    for (kind, name) in [
        ("setting", "witness"),
        ("setting", "quiet"),
        ("template", "hello"),
    ] {
        let asset = Asset {
            kind: kind.to_owned(),
            name: name.to_owned(),
            body: Some("text".to_owned()),
        };
        store.put_asset(&asset, at(0)).expect("puts");
    }
    store.commit().expect("commits");
    assert_ne!(ana, bob);
    (ana, long)
}

#[test]
fn a_moved_workspace_goes_on_there_and_nowhere_else() {
    let Some(server) = Server::start() else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("workspace.db");
    let (ana, long) = fill(&file);
    let to = url(&server, "goes_on");
    let first = moved(&file, &to).expect("moves");
    assert!(!first.was_done);

    // The file says where to look.
    let refused = SqliteStore::open(&file, SqliteOptions::default()).expect_err("refused");
    assert!(refused.to_string().contains("goes_on"), "{refused}");
    let refused = Reader::open(&file).expect_err("refused");
    assert!(
        matches!(refused, crate::OpenError::Moved { .. }),
        "{refused}"
    );
    let again = moved(&file, &to).expect("there already");
    assert!(again.was_done && again.tables.is_empty());
    let other = moved(&file, &url(&server, "elsewhere")).expect_err("refused");
    assert!(matches!(other, MoveProblem::Elsewhere(_)), "{other}");

    let mut store = on_server(&to);
    let texts = store.assets("setting").expect("lists");
    let names: Vec<&str> = texts.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["quiet"], "neither the witness nor the mark");
    assert_eq!(
        store.find(&Identity::user("ana")).expect("finds"),
        Some(ana)
    );
    assert!(store.find(&Identity::user(&long)).expect("finds").is_some());
    store.begin().expect("begins");
    // Arrivals of before are known, numbers go on.
    let fresh = store.remember(&[2, 3, u64::MAX], at(9)).expect("remembers");
    assert_eq!(fresh, [false, true, false]);
    let eve = store
        .resolve(&[Identity::user("eve")], at(9))
        .expect("resolves");
    assert!(eve > ana);
    let effects = vec![Effect::Event(Event::track("Viewed", at(9)).into())];
    let change = Change {
        contact: ana,
        effects,
    };
    store.write(&[change]).expect("writes");
    store.commit().expect("commits");
    let reader = Reader::open_url(&to).expect("opens");
    let events = reader.events(ana, None, 9).expect("reads").items;
    assert_eq!(events.len(), 3);
    assert!(
        events[0].number > events[1].number,
        "the new one is the last"
    );
    assert_eq!(events[0].event.at, at(9));
}

#[test]
fn a_move_that_is_broken_off_goes_on() {
    let Some(server) = Server::start() else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("workspace.db");
    fill(&file);
    let to = url(&server, "broken");
    let mut was_there = 0;
    for stop in TABLES {
        let outcome = move_to_server(&file, &to, &[], |step| {
            if step.table == stop.name {
                cut(&to);
            }
        });
        let error = outcome.expect_err("cut off");
        assert!(matches!(error, MoveProblem::Store(_)), "{error}");
        // The file goes on as if nothing was, the server serves nobody.
        drop(file_store(&file));
        let half = AnyStore::open(&Place::Server(to.clone())).expect_err("refused");
        assert!(matches!(half, PlaceError::HalfMoved), "{half}");
    }
    // What was changed in between is taken along.
    let mut store = file_store(&file);
    store
        .resolve(&[Identity::user("late")], at(50))
        .expect("resolves");
    drop(store);
    for table in moved(&file, &to).expect("moves").tables {
        was_there += u32::from(table.was_there);
        assert!(!table.was_there || table.name != "contact");
    }
    assert!(was_there > 10, "{was_there} tables were kept");
    let mut store = on_server(&to);
    let late = store.find(&Identity::user("late")).expect("finds");
    assert!(late.is_some());
}

/// Ends all connections of ours.
fn cut(to: &DatabaseUrl) {
    let link = connect::open(to.address(), Purpose::Read).expect("opens");
    link.wait(link.client.batch_execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'relance' AND pid <> pg_backend_pid()",
    ))
    .expect("ends them");
}

#[test]
fn a_move_over_another_workspace_or_under_a_running_one_is_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("workspace.db");
    fill(&file);
    let to = url(&server, "taken");
    let mut other = on_server(&to);
    let running = moved(&file, &to).expect_err("refused");
    assert!(matches!(running, MoveProblem::InUse(_)), "{running}");
    other
        .resolve(&[Identity::user("other")], at(0))
        .expect("resolves");
    drop(other);
    let occupied = moved(&file, &to).expect_err("refused");
    assert!(matches!(occupied, MoveProblem::Occupied(_)), "{occupied}");
    drop(file_store(&file));
}
