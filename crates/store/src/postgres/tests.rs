//! What is PostgreSQL alone: schemas, connections, leases.

use super::*;
use crate::conformance;
use crate::testing::postgres::Server;

/// Quick, and sure that nobody else has the workspace.
fn options() -> PostgresOptions {
    PostgresOptions {
        waits_for_disk: false,
        take_wait: Duration::from_secs(5),
        ..PostgresOptions::default()
    }
}

#[test]
fn conforms() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut number = 0;
    conformance::run(|| {
        number += 1;
        PostgresStore::open(&server.url(&format!("w{number}")), options()).expect("opens")
    });
    let url = server.url("survives");
    let store = PostgresStore::open(&url, options()).expect("opens");
    conformance::survives(store, |store| {
        drop(store);
        PostgresStore::open(&url, options()).expect("opens again")
    });
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000 + seconds, 5)
}

fn arm(contact: ContactId, seconds: i64) -> Change {
    let kind = relance_core::decide::TimerKind::Enrollment(1);
    let due_at = at(seconds);
    let effects = vec![relance_core::decide::Effect::Arm(Timer { due_at, kind })];
    Change { contact, effects }
}

#[test]
fn every_statement_prepares_and_its_table_is_there() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut store = PostgresStore::open(&server.url("prepares"), options()).expect("opens");
    for (name, sql) in store.statements() {
        if let Err(error) = store.session.prepare(sql) {
            panic!("{name}: {error:?}");
        }
    }
    schemas_that_are_not_ours_or_newer_are_refused(&server);
    one_program_works_alone(&server);
    what_came_from_outside_fits(&server);
    keys_are_forgotten_by_generations(&server);
    a_lost_connection_is_renewed_with_the_next_batch(&server);
    an_erased_contact_leaves_every_table(&server);
}

fn admin(server: &Server, text: &str) {
    let address = connect::parse(&server.url("public")).expect("a URL");
    let link = connect::open(&address, Purpose::Migrate).expect("opens");
    link.wait(link.client.batch_execute(text)).expect("runs");
}

fn schemas_that_are_not_ours_or_newer_are_refused(server: &Server) {
    admin(
        server,
        "CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.a (b integer);",
    );
    let error = PostgresStore::open(&server.url("foreign_one"), options()).expect_err("refused");
    assert!(matches!(error, OpenError::Foreign), "{error}");
    admin(server, "CREATE SCHEMA empty_one");
    drop(PostgresStore::open(&server.url("empty_one"), options()).expect("fills what is empty"));
    drop(PostgresStore::open(&server.url("empty_one"), options()).expect("opens again"));

    let newer = POSTGRES_SCHEMA_VERSION + 1;
    admin(
        server,
        &format!("UPDATE empty_one.relance_schema SET version = {newer}"),
    );
    let error = PostgresStore::open(&server.url("empty_one"), options()).expect_err("refused");
    let told = error.to_string();
    assert!(
        matches!(error, OpenError::Newer { .. }) && told.contains("newer program"),
        "{told}"
    );
    let address = connect::parse(&server.url("empty_one")).expect("a URL");
    let link = connect::open(&address, Purpose::Read).expect("opens");
    assert!(matches!(
        check_current(&link, "empty_one"),
        Err(OpenError::Newer { .. })
    ));
    admin(server, "UPDATE empty_one.relance_schema SET version = 0");
    assert!(matches!(
        check_current(&link, "empty_one"),
        Err(OpenError::Older { .. })
    ));
    let absent = check_current(&link, "absent_one");
    assert!(matches!(absent, Err(OpenError::Older { found: 0, .. })));
}

fn one_program_works_alone(server: &Server) {
    let url = server.url("alone");
    let impatient = || PostgresOptions {
        take_wait: Duration::ZERO,
        ..options()
    };
    let first = PostgresStore::open(&url, impatient()).expect("opens");
    let second = PostgresStore::open(&url, impatient()).expect_err("refused");
    assert!(matches!(second, OpenError::InUse), "{second}");
    let node = impatient().with_lease("b", Duration::from_secs(5));
    let sharing = PostgresStore::open(&url, node.clone()).expect_err("refused");
    assert!(matches!(sharing, OpenError::InUse), "{sharing}");
    drop(first);
    let waits = PostgresOptions {
        take_wait: Duration::from_secs(5),
        ..node
    };
    let sharing = PostgresStore::open(&url, waits).expect("shares");
    let alone = PostgresStore::open(&url, impatient()).expect_err("refused");
    assert!(matches!(alone, OpenError::InUse), "{alone}");
    drop(sharing);
}

/// A text that PostgreSQL would refuse must not stop a batch.
fn what_came_from_outside_fits(server: &Server) {
    let mut store = PostgresStore::open(&server.url("outside"), options()).expect("opens");
    let long = "x".repeat(100_000);
    let nul = Identity::email("a\0b@example.org\0");
    store.begin().expect("begins");
    let ids: Vec<ContactId> = [nul.clone(), Identity::user(&long), Identity::user("x")]
        .iter()
        .map(|one| {
            store
                .resolve(std::slice::from_ref(one), at(0))
                .expect("resolves")
        })
        .collect();
    let event = |name: &str| {
        let mut event = relance_core::event::Event::track(name, at(1));
        event
            .properties
            .insert("a\0".to_owned(), "b\0\u{FFFF}".into());
        relance_core::decide::Effect::Event(event.into())
    };
    let object = |id: &str| {
        let subject = SubjectRef {
            kind: long.as_str().into(),
            id: id.into(),
        };
        let object = relance_core::subject::Object::new(subject, at(1));
        relance_core::decide::Effect::Object(object)
    };
    let effects = vec![event("View\0"), event(&long), object(&long), object("\0")];
    let contact = ids[0];
    store.write(&[Change { contact, effects }]).expect("writes");
    let thread = ThreadEntry {
        message_id: format!("{long}\0@x"),
        contact,
        subject: None,
    };
    store
        .put_threads(std::slice::from_ref(&thread))
        .expect("puts");
    store.commit().expect("commits");
    assert_eq!(store.find(&nul).expect("finds"), Some(ids[0]));
    assert_eq!(
        store.find(&Identity::user(&long)).expect("finds"),
        Some(ids[1])
    );
    assert_eq!(
        store.find(&Identity::user("x")).expect("finds"),
        Some(ids[2])
    );
    let found = store.find_threads(&[&thread.message_id]).expect("finds");
    assert_eq!(found, std::slice::from_ref(&thread));
    let mut snapshot = store.load(&[contact]).expect("loads").remove(0);
    let needs = Needs {
        history: ["View\0".into(), long.as_str().into()].into(),
        last_event: true,
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    for name in &needs.history {
        let event = snapshot.history.of(name).next().expect("was told");
        assert_eq!(event.properties["a\0"].as_str(), Some("b\0\u{FFFF}"));
    }
}

fn keys_are_forgotten_by_generations(server: &Server) {
    let url = server.url("seen_keys");
    let mut store = PostgresStore::open(&url, options()).expect("opens");
    store.seen.bytes_max = 8_192;
    store.seen.keys_per_look = 1;
    let known = |store: &mut PostgresStore, key: u64, now: i64| {
        store.begin().expect("begins");
        let fresh = store.remember(&[key], at(now)).expect("remembers")[0];
        store.rollback();
        !fresh
    };
    // A page holds some 185 keys.
    for key in 0..30 {
        let keys: Vec<u64> = (key * 10..key * 10 + 10).collect();
        store.remember(&keys, at(0)).expect("remembers");
    }
    assert!(store.seen.generation.0 >= 1, "{:?}", store.seen);
    assert!(known(&mut store, 299, 0), "the newest");
    for key in 30..300 {
        store.remember(&[key * 10], at(0)).expect("remembers");
        assert!(known(&mut store, key * 10, 0));
    }
    assert!(!known(&mut store, 0, 0), "the oldest is forgotten");
    let generation = store.seen.generation.0;
    drop(store);
    let mut store = PostgresStore::open(&url, options()).expect("opens again");
    assert!(known(&mut store, 2_990, 0));
    let week = crate::sqlite::SEEN_AGE.as_secs();
    for (key, weeks) in [
        (10_000, 1),
        (10_001, 1),
        (10_002, 2),
        (10_003, 2),
        (10_004, 3),
    ] {
        store.remember(&[key], at(week * weeks)).expect("remembers");
    }
    store.remember(&[10_005], at(week * 3)).expect("remembers");
    assert!(
        store.seen.generation.0 >= generation + 2,
        "{:?}",
        store.seen
    );
    assert!(!known(&mut store, 2_990, week * 3), "by age as well");
    assert!(known(&mut store, 10_004, week * 3));
}

fn a_lost_connection_is_renewed_with_the_next_batch(server: &Server) {
    let url = server.url("lost_one");
    let mut store = PostgresStore::open(&url, options()).expect("opens");
    let ana = store
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    store.begin().expect("begins");
    store.write(&[arm(ana, 5)]).expect("writes");
    admin(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    let error = store.commit().expect_err("the connection is gone");
    assert_eq!(
        error.remedy(),
        relance_engine::ports::Remedy::RetryLater,
        "{error}"
    );
    store.rollback();
    store.begin().expect("begins on a new connection");
    assert_eq!(store.due_timers(at(9), 9).expect("lists"), []);
    store.write(&[arm(ana, 6)]).expect("writes");
    store.commit().expect("commits");
    assert_eq!(store.due_timers(at(9), 9).expect("lists").len(), 1);
    // A batch of which a statement failed is not committed by half.
    store.begin().expect("begins");
    store.write(&[arm(ana, 7)]).expect("writes");
    store.session.run("SELECT 1 / 0").expect_err("fails");
    store.write(&[arm(ana, 8)]).expect_err("fails as well");
    store.commit().expect_err("refused");
    store.rollback();
    assert_eq!(store.due_timers(at(9), 9).expect("lists").len(), 1);
}

/// A node with a heartbeat that the test gives.
fn node(server: &Server, schema: &str, name: &str, ttl: Duration) -> PostgresStore {
    let options = options().with_lease(name, ttl);
    PostgresStore::open(&server.url(schema), options).expect("opens")
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn nodes_share_the_work() {
    let Some(server) = Server::start() else {
        return;
    };
    a_fair_share_comes_and_goes(&server);
    whoever_took_over_fences_the_other(&server);
    a_batch_under_way_is_not_taken_over(&server);
    a_node_that_begins_anew_goes_on_with_what_it_held(&server);
    nodes_see_their_own_partitions(&server);
    two_nodes_that_meet_a_stranger_agree_who_it_is(&server);
}

fn a_fair_share_comes_and_goes(server: &Server) {
    let mut a = node(server, "fair", "a", LONG);
    assert_eq!(a.held_parts().len(), PARTITIONS);
    let mut b = node(server, "fair", "b", LONG);
    assert_eq!(b.held_parts().len(), 0, "nothing is free yet");
    let given = a.heartbeat().expect("beats");
    assert_eq!(
        (given.parts.len(), given.lost.len(), given.gained.len()),
        (128, 128, 0)
    );
    let taken = b.heartbeat().expect("beats");
    assert_eq!((taken.parts.len(), taken.gained), (128, given.lost));
    let mut c = node(server, "fair", "c", LONG);
    let counts = |store: &mut PostgresStore| store.heartbeat().expect("beats").parts.len();
    let shares = [counts(&mut a), counts(&mut b), counts(&mut c)];
    assert_eq!(shares, [86, 86, 84]);
    assert_eq!(
        [counts(&mut a), counts(&mut b), counts(&mut c)],
        shares,
        "and stays"
    );
    let mut all: Vec<u8> = [&mut a, &mut b, &mut c]
        .into_iter()
        .flat_map(|store| store.heartbeat().expect("beats").parts)
        .collect();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..=255), "each has one holder");
    b.leave().expect("leaves");
    assert_eq!((counts(&mut a), counts(&mut c)), (128, 128));
    let error = b
        .write(&[arm(ContactId(1), 1)])
        .expect_err("it holds nothing");
    assert_eq!(error.remedy(), relance_engine::ports::Remedy::StandDown);
}

fn whoever_took_over_fences_the_other(server: &Server) {
    let mut a = node(server, "fence", "a", SHORT);
    let ana = a
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    let mut b = node(server, "fence", "b", LONG);
    std::thread::sleep(SHORT * 2);
    // Late, but nobody took over yet: the work goes on.
    a.write(&[arm(ana, 10)]).expect("writes");
    let taken = b.heartbeat().expect("beats");
    assert_eq!(taken.parts.len(), PARTITIONS);
    let error = a.write(&[arm(ana, 20)]).expect_err("fenced");
    assert_eq!(
        error.remedy(),
        relance_engine::ports::Remedy::StandDown,
        "{error}"
    );
    a.begin().expect("begins");
    a.write(&[arm(ana, 30)]).expect_err("fenced");
    a.rollback();
    let due = b.due_timers(at(100), 9).expect("lists");
    assert_eq!(due.len(), 1, "what was fenced wrote nothing");
    let back = a.heartbeat().expect("joins again");
    assert_eq!((back.parts.len(), back.lost.len()), (0, PARTITIONS));
    b.heartbeat().expect("gives the surplus back");
    assert_eq!(a.heartbeat().expect("beats").parts.len(), 128);
}

fn a_batch_under_way_is_not_taken_over(server: &Server) {
    let mut a = node(server, "under_way", "a", SHORT);
    let ana = a
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    let mut b = node(server, "under_way", "b", LONG);
    std::thread::sleep(SHORT / 2);
    a.begin().expect("begins");
    a.write(&[arm(ana, 10)]).expect("writes");
    std::thread::sleep(SHORT * 3 / 4);
    assert_eq!(
        b.heartbeat().expect("beats").parts.len(),
        0,
        "it waits for the batch"
    );
    a.commit().expect("commits");
    assert_eq!(b.heartbeat().expect("beats").parts.len(), PARTITIONS);
    // One that stands still in the middle is ended by the server.
    let mut c = node(server, "under_way", "c", SHORT);
    b.heartbeat().expect("gives the surplus back");
    c.heartbeat().expect("takes it");
    c.begin().expect("begins");
    let part = c.held_parts()[0];
    let contact = ContactId(256 + part as u64);
    c.write(&[arm(contact, 20)]).expect("writes");
    std::thread::sleep(SHORT * 3);
    assert_eq!(b.heartbeat().expect("beats").parts.len(), PARTITIONS);
    c.commit().expect_err("it is too late");
    c.rollback();
    assert_eq!(b.due_timers(at(100), 9).expect("lists").len(), 1);
}

fn a_node_that_begins_anew_goes_on_with_what_it_held(server: &Server) {
    let mut a = node(server, "anew", "a", LONG);
    let ana = a
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    let mut again = node(server, "anew", "a", LONG);
    assert_eq!(again.held_parts().len(), PARTITIONS, "without waiting");
    again.write(&[arm(ana, 1)]).expect("writes");
    let error = a
        .write(&[arm(ana, 2)])
        .expect_err("of two with one name the older ends");
    assert_eq!(error.remedy(), relance_engine::ports::Remedy::StandDown);
}

fn nodes_see_their_own_partitions(server: &Server) {
    let mut a = node(server, "own_parts", "a", LONG);
    let people: Vec<ContactId> = (0..300)
        .map(|n| {
            a.resolve(&[Identity::user(&n.to_string())], at(0))
                .expect("resolves")
        })
        .collect();
    let changes: Vec<Change> = people.iter().zip(0..).map(|(id, n)| arm(*id, n)).collect();
    a.write(&changes).expect("writes");
    let mut b = node(server, "own_parts", "b", LONG);
    a.heartbeat().expect("gives");
    b.heartbeat().expect("takes");
    let mut seen = Vec::new();
    for store in [&mut a, &mut b] {
        let due = store.due_timers(at(1_000), usize::MAX).expect("lists");
        assert!(due.is_sorted_by_key(|(_, timer)| timer.due_at));
        let some = store.due_timers(at(1_000), 40).expect("lists");
        assert_eq!(some, due[..40]);
        assert_eq!(store.next_due().expect("asks").timer, Some(due[0].1.due_at));
        // What is done to everyone is done by one node, whoever holds them.
        let swept = store.contacts_after(None, people.len()).expect("lists");
        assert_eq!(swept, people);
        let owners: Vec<ContactId> = due.into_iter().map(|(id, _)| id).collect();
        seen.extend(owners);
        // Who is new belongs to whoever met them.
        for n in 0..300 {
            let name = format!("new-{}-{n}", store.standing.shard);
            let id = store
                .resolve(&[Identity::user(&name)], at(0))
                .expect("resolves");
            assert!(store.held[ids::part_of(id)], "{id}");
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, people);
}

fn two_nodes_that_meet_a_stranger_agree_who_it_is(server: &Server) {
    let mut a = node(server, "stranger", "a", LONG);
    let mut b = node(server, "stranger", "b", LONG);
    a.heartbeat().expect("gives");
    b.heartbeat().expect("takes");
    let who = [Identity::email("ana@example.org")];
    a.begin().expect("begins");
    let ana = a.resolve(&who, at(0)).expect("resolves");
    let other = std::thread::spawn(move || {
        b.begin().expect("begins");
        let outcome = b.resolve(&[Identity::email("ana@example.org")], at(0));
        b.rollback();
        (b, outcome)
    });
    std::thread::sleep(Duration::from_millis(100));
    a.commit().expect("commits");
    let (mut b, outcome) = other.join().expect("ends");
    let error = outcome.expect_err("it came second");
    assert_eq!(
        error.remedy(),
        relance_engine::ports::Remedy::RetryLater,
        "{error}"
    );
    assert_eq!(b.resolve(&who, at(1)).expect("resolves"), ana);
}

/// Rows of a contact, by table: every table that has the column is looked at.
fn rows_of(store: &mut PostgresStore, contact: ContactId) -> Vec<(String, i64)> {
    let found = store.session.one(
        "SELECT table_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND column_name = 'contact_id' ORDER BY 1",
        Vec::new(),
    );
    let tables: Vec<String> = found
        .expect("lists")
        .rows
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(tables.len() > 15, "{tables:?}");
    let count = |table: String| {
        let sql = format!("SELECT count(*) FROM {table} WHERE contact_id = $1");
        let answer = store.session.one(
            sql.leak(),
            vec![&crate::sqlite::column::contact_key(contact)],
        );
        let rows: i64 = answer.expect("counts").rows[0].get(0);
        (table, rows)
    };
    tables
        .into_iter()
        .map(count)
        .filter(|(_, rows)| *rows > 0)
        .collect()
}

fn an_erased_contact_leaves_every_table(server: &Server) {
    use relance_core::decide::Effect;
    use relance_core::segment::Membership;
    let mut store = PostgresStore::open(&server.url("erased_one"), options()).expect("opens");
    let names = [
        Identity::email("ana@example.org"),
        Identity::phone("+4930123456"),
    ];
    let ana = store.resolve(&names, at(0)).expect("resolves");
    let bob = store
        .resolve(&[Identity::user("bob")], at(0))
        .expect("resolves");
    let subject = SubjectRef {
        kind: "deal".into(),
        id: "1".into(),
    };
    for contact in [ana, bob] {
        let event =
            |name: &str, n| Effect::Event(relance_core::event::Event::track(name, at(n)).into());
        let mut effects: Vec<Effect> = (0..30).map(|n| event("Viewed", n)).collect();
        effects.extend((0..5).map(|n| event("Bought", n)));
        let object = relance_core::subject::Object::new(subject.clone(), at(1));
        let member = Membership {
            member: true,
            due: Some(at(9)),
        };
        let segment: SegmentId = "vip".into();
        let hash = relance_core::segment::timer_hash(&segment);
        let mut line = relance_core::ledger::LedgerEntry::new(
            at(1),
            contact,
            relance_core::ledger::What::Held,
        );
        line.journey = Some("welcome".into());
        effects.extend([
            Effect::Object(object),
            Effect::Membership {
                segment,
                before: Membership::default(),
                after: member,
            },
            Effect::Arm(Timer {
                due_at: at(9),
                kind: relance_core::decide::TimerKind::Segment(hash),
            }),
        ]);
        effects.extend((0..12).map(|_| Effect::Ledger(line.clone())));
        store.write(&[Change { contact, effects }]).expect("writes");
        let thread = ThreadEntry {
            message_id: format!("{contact}@x"),
            contact,
            subject: Some(subject.clone()),
        };
        store.put_threads(&[thread]).expect("puts");
    }
    let before = rows_of(&mut store, bob);
    let hash = |identity: &Identity| format!("#{}", identity.value.len());
    let mut rounds = 0;
    loop {
        let step = store.forget(ana, &hash, 7, at(50)).expect("forgets");
        rounds += 1;
        // A page of names at a time takes its domain and its place on the list along.
        assert!(step.rows() <= 12, "{step:?}");
        if step.done {
            break;
        }
        assert!(rounds < 50);
    }
    assert!(rounds > 5, "{rounds}");
    assert_eq!(rows_of(&mut store, ana), [("contact".to_owned(), 1)]);
    assert_eq!(rows_of(&mut store, bob), before, "nobody else is touched");
    assert!(store.load(&[ana]).expect("loads")[0].contact.erased);
    assert_eq!(store.find(&names[0]).expect("finds"), None);
    assert!(store.readmit("#11").expect("readmits") && !store.readmit("#11").expect("is gone"));
    assert_eq!(store.due_timers(at(100), 9).expect("lists").len(), 1);
    let mut snapshot = store.load(&[bob]).expect("loads").remove(0);
    let needs = Needs {
        history: ["Viewed".into()].into(),
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    assert_eq!(snapshot.history.of(&"Viewed".into()).count(), 30);
}

/// `require` and `verify-full` both ask who the server is.
#[test]
fn a_connection_is_encrypted_to_whom_the_url_trusts() {
    let Some(server) = Server::start_encrypted() else {
        return;
    };
    let (authority, stranger) = server.authorities();
    let url = |host: &str, mode: &str, authority: Option<&std::path::Path>| {
        let url = server.network_url(host, "secret_one");
        let root = authority.map(|path| format!("&sslrootcert={}", path.display()));
        format!("{url}&sslmode={mode}{}", root.unwrap_or_default())
    };
    for mode in ["require", "verify-full"] {
        let text = url("localhost", mode, Some(authority));
        let mut store = PostgresStore::open(&text, options()).expect("opens");
        store.begin().expect("begins");
        let ana = [Identity::user(mode)];
        store.resolve(&ana, at(0)).expect("creates");
        store.commit().expect("commits");
        let address = connect::parse(&text).expect("a URL");
        let link = connect::open(&address, Purpose::Read).expect("opens");
        let asked = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let row = link.wait(link.client.query_one(asked, &[])).expect("reads");
        assert!(row.get::<_, bool>(0));
        assert!(row.get::<_, String>(1).starts_with("TLSv1."));
        drop(store);
        let reader = crate::Reader::open_url(&crate::DatabaseUrl::parse(&text).expect("a URL"));
        let found = reader.expect("opens").find_contact(&ana[0]).expect("reads");
        assert!(found.is_some());
    }
    let refused = |text: &str| {
        let error = PostgresStore::open(text, options()).expect_err("refused");
        let remedy = match &error {
            OpenError::Store(error) => Some(error.remedy()),
            _other => None,
        };
        assert_eq!(remedy, Some(relance_engine::ports::Remedy::PageOperator));
        error.to_string()
    };
    for untrusted in [Some(stranger), None] {
        for mode in ["require", "verify-full"] {
            let told = refused(&url("localhost", mode, untrusted));
            assert!(
                told.contains("UnknownIssuer") && told.contains("sslrootcert"),
                "{told}"
            );
        }
    }
    let told = refused(&url("127.0.0.1", "verify-full", Some(authority)));
    assert!(told.contains("the host's name"), "{told}");
    let Some(plain) = Server::start() else {
        return;
    };
    let authority = authority.display();
    let told = refused(&format!(
        "{}&sslmode=require&sslrootcert={authority}",
        plain.url("plain")
    ));
    assert!(told.contains("set ssl=on at the server"), "{told}");
}
