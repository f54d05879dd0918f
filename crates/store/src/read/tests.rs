//! Pages over a file that a writer has open.

use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::event::Event;
use relance_core::ids::{ContactId, EnrollmentId, SubjectRef, TouchpointId};
use relance_core::journey::{Approval, Moves, Recipient, Sender};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::subject::Object;
use relance_core::touchpoint::{Outcome, Task, Touchpoint, TouchpointState};
use relance_engine::ports::{Change, Store, StoredJourney};

use super::db::Conn;
use super::*;
use crate::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use crate::testing::postgres::Server;
use crate::{AnyStore, DatabaseUrl, Place as At};

pub(super) fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::constant(1_800_000_000 + seconds, 5)
}

/// A workspace in either database.
pub(super) struct World {
    pub(super) store: AnyStore,
    pub(super) reader: Reader,
    /// Of a file.
    dir: Option<tempfile::TempDir>,
}

impl World {
    fn in_a_file() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        let options = SqliteOptions {
            synchronous: Synchronous::Off,
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(&path, options).expect("opens");
        let reader = Reader::open(&path).expect("opens beside it");
        Self {
            store: AnyStore::Sqlite(Box::new(store)),
            reader,
            dir: Some(dir),
        }
    }

    fn on_a_server(server: &Server, schema: &str) -> Self {
        let url = DatabaseUrl::parse(&server.url(schema)).expect("a URL");
        let store = AnyStore::open(&At::Server(url.clone())).expect("opens");
        let reader = Reader::open_url(&url).expect("opens beside it");
        Self {
            store,
            reader,
            dir: None,
        }
    }

    pub(super) fn contact(&mut self, user: &str) -> ContactId {
        self.store
            .resolve(&[Identity::user(user)], at(0))
            .expect("resolves")
    }

    pub(super) fn write(&mut self, contact: ContactId, effects: Vec<Effect>) {
        self.store
            .write(&[Change { contact, effects }])
            .expect("writes");
    }
}

/// Each of these is a test of its own on a file; on a server they run one after another, on one cluster.
macro_rules! on_both {
    ($($of:ident::$name:ident),+ $(,)?) => {
        mod file {
            use super::*;

            $(
                #[test]
                fn $name() {
                    super::super::$of::$name(World::in_a_file());
                }
            )+
        }

        const PAGES: &[(&str, fn(World))] = &[$((stringify!($name), super::$of::$name)),+];
    };
}

on_both! {
    tests::a_reader_is_shared_between_threads,
    tests::contacts_come_newest_first_in_pages,
    audit_tests::who_changed_what_is_told_once_the_newest_first,
    audit_tests::lines_are_cut_and_after_years_forgotten,
    audit_tests::one_text_is_found_by_its_name,
    payment_tests::a_payment_is_put_once_and_then_only_anew,
    payment_tests::payments_are_listed_by_day_and_state_and_found_by_what_they_say,
    payment_tests::invoices_are_found_as_payers_name_them,
    payment_tests::who_is_forgotten_is_in_no_payment,
    payment_tests::who_looked_before_another_changed_payments_is_overtaken,
    payment_tests::statements_are_kept_with_their_payments,
    threads::a_mail_tells_what_it_is_about,
    accounts::accounts_are_found_by_id_and_by_name_each_once,
    tests::the_ledger_is_read_backwards_and_stays_with_its_contact,
    tests::events_are_those_of_the_contact_whatever_their_names,
    tests::messages_are_listed_by_state,
    tests::objects_are_listed_by_their_last_change,
    tests::runs_tasks_journeys_and_counts_are_told,
    history_tests::history_comes_contact_by_contact_in_order_of_time,
    history_tests::a_walk_begins_where_its_day_begins_in_the_log,
    history_tests::a_day_noted_by_a_batch_thrown_away_is_noted_again,
    journey_tests::a_page_can_tell_what_each_journey_does,
    journey_tests::where_runs_stand_follows_them,
    journey_tests::why_is_told_of_one_journey_alone,
    journey_tests::a_page_of_why_looks_at_a_bounded_number_of_lines,
    journey_tests::a_question_comes_with_all_that_an_answer_needs,
    segment_tests::segments_count_and_list_their_members,
    segment_tests::contacts_are_found_by_the_beginning_of_any_name,
    segment_tests::a_contact_of_many_names_is_one_find,
    segment_tests::a_scan_loads_what_conditions_ask,
    list_tests::documents_come_in_every_order_each_once,
    list_tests::documents_are_filtered_searched_and_summed,
    list_tests::contacts_are_listed_by_name_owner_and_words,
    list_tests::tasks_are_listed_by_whose_and_when_and_are_done,
    list_tests::days_are_made_of_quarters_of_an_hour,
    feed_tests::a_document_knows_what_comes_next,
    feed_tests::a_document_knows_when_it_was_paid_and_who_was_left_alone,
    feed_tests::what_happened_is_one_list,
    feed_tests::names_in_use_are_known,
}

/// One cluster serves all of them, each in a schema of its own.
#[test]
fn pages_are_the_same_on_a_server() {
    let Some(server) = Server::start() else {
        return;
    };
    for (name, test) in PAGES {
        eprintln!("{name}");
        test(World::on_a_server(&server, &name[..name.len().min(63)]));
    }
    every_statement_prepares_and_fits(&server);
}

/// Beside [`WHOLE`]: lists of nodes, databases and schemas.
const OF_THE_SERVER: &[&str] = &["nodes_beside", "database_identity"];

/// Statements of both dialects take the same parameters and give columns of the same sorts.
fn every_statement_prepares_and_fits(server: &Server) {
    let file = World::in_a_file();
    let far = World::on_a_server(server, "statements");
    let of_file: Vec<(&str, usize, usize)> = file
        .reader
        .with(|conn| {
            let Conn::Sqlite(conn) = conn else {
                panic!("a file");
            };
            let one = |(name, text): (&'static str, &'static str)| {
                let statement = conn.prepare(text).expect(name);
                (name, statement.parameter_count(), statement.column_count())
            };
            Ok(file.reader.sql.all().into_iter().map(one).collect())
        })
        .expect("prepares");
    far.reader
        .with(|conn| {
            let Conn::Postgres(conn) = conn else {
                panic!("a server");
            };
            for ((name, text), (twin, params, columns)) in
                far.reader.sql.all().into_iter().zip(&of_file)
            {
                assert_eq!(name, *twin);
                let shape = conn
                    .shape(text)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(shape, (*params, *columns), "{name}: parameters and columns");
                let plan = conn.plan(text, *params).expect(name);
                // Where no index fits, a table is read whole also when that is discouraged.
                let is_slow = plan.iter().any(|line| line.contains("Seq Scan"));
                let is_small = WHOLE.contains(&name) || OF_THE_SERVER.contains(&name);
                assert!(!is_slow || is_small, "{name}: {plan:#?}");
            }
            Ok(())
        })
        .expect("prepares");
}

/// Reads a list to its end in small pages, and checks that no page is longer than asked.
pub(super) fn all<T>(
    mut read: impl FnMut(Option<&str>) -> Result<Page<T>, ReadError>,
    most: usize,
) -> Vec<T> {
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = read(next.as_deref()).expect("reads");
        assert!(page.items.len() <= most && (page.next.is_none() || page.items.len() == most));
        items.extend(page.items);
        next = page.next;
        if next.is_none() {
            return items;
        }
    }
}

pub(super) fn a_reader_is_shared_between_threads(mut world: World) {
    fn shared<T: Send + Sync>() {}
    shared::<Reader>();
    world.contact("1");
    std::thread::scope(|scope| {
        for _ in 0..READERS_MAX * 2 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(
                        world.reader.contacts(None, 10).expect("reads").items.len(),
                        1
                    );
                }
            });
        }
    });
}

/// What is read whole: small tables, and the log, sorted by contact for whoever replays it.
const WHOLE: &[&str] = &[
    // Invoices of one number, which are few.
    "invoice_of_number",
    "total_all",
    "journey_all",
    "journey_paused_all",
    "mailbox_all",
    "history_walk",
    "segment_all",
    "member_of_contact",
    "document_sum_all",
    "registry_behind",
    "event_name_all",
];

#[test]
fn every_statement_prepares_and_reads_along_a_key() {
    let world = World::in_a_file();
    world
        .reader
        .with(|conn| {
            let Conn::Sqlite(conn) = conn else {
                panic!("a file");
            };
            for (name, text) in world.reader.sql.all() {
                let plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}"));
                let mut plan = plan.unwrap_or_else(|error| panic!("{name}: {error}"));
                let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
                let steps: Vec<String> = plan
                    .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
                    .expect("explains")
                    .collect::<Result<_, _>>()
                    .expect("reads");
                let slow = steps.iter().any(|step| {
                    // What a recursion, or a walk within, has found is its own queue.
                    let is_queue = matches!(step.as_str(), "SCAN walk" | "SCAN CONSTANT ROW" | "SCAN m" | "SCAN few")
                        // A list that was handed in.
                        || step.contains("VIRTUAL TABLE");
                    step.starts_with("SCAN") && !is_queue
                        || step.contains("MATERIALIZE walk")
                        || step.contains("TEMP B-TREE FOR ORDER BY")
                });
                assert!(!slow || WHOLE.contains(&name), "{name}: {steps:?}");
            }
            Ok(())
        })
        .expect("reads");
}

pub(super) fn contacts_come_newest_first_in_pages(mut world: World) {
    let mut ids: Vec<ContactId> = (0..7).map(|n| world.contact(&n.to_string())).collect();
    ids.reverse();
    let found = all(|after| world.reader.contacts(after, 3), 3);
    assert_eq!(
        found.iter().map(|contact| contact.id).collect::<Vec<_>>(),
        ids
    );
    assert_eq!(
        world.reader.contact(ids[0]).expect("reads"),
        found.into_iter().next()
    );
    assert_eq!(world.reader.contact(ContactId(99)).expect("reads"), None);
    let user = Identity::user("6");
    assert_eq!(
        world.reader.find_contact(&user).expect("reads"),
        Some(ids[0])
    );
    assert_eq!(world.reader.identities(ids[0]).expect("reads"), [user]);
    assert!(matches!(
        world.reader.contacts(Some("x"), 3),
        Err(ReadError::Cursor(_))
    ));
}

pub(super) fn the_ledger_is_read_backwards_and_stays_with_its_contact(mut world: World) {
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let line = |contact: ContactId, n: i64, run: Option<u32>| {
        let mut line = LedgerEntry::new(at(n), contact, What::ALL[n as usize % What::ALL.len()]);
        line.reason = Some(Reason::ALL[n as usize % Reason::ALL.len()]);
        line.enrollment = run.map(|number| EnrollmentId { contact, number });
        line.journey = run.map(|_| "welcome".into());
        line.step = Some("4.then.1".into());
        line.touchpoint = Some(TouchpointId {
            contact,
            hash: u64::MAX - 1,
        });
        line.channel = Some(relance_core::contact::Channel::Sms);
        line.template = Some("hello".into());
        line.until = Some(at(n + 1));
        line.detail = Some("detail".to_owned());
        line.variant = Some("B".into());
        line
    };
    let mut expected = Vec::new();
    for n in 0..30 {
        let run = [None, Some(1), Some(2)][n as usize % 3];
        world.write(bob, vec![Effect::Ledger(line(bob, n, run))]);
        world.write(ana, vec![Effect::Ledger(line(ana, n, run))]);
        expected.push(line(ana, n, run));
    }
    expected.reverse();
    let found = all(|after| world.reader.ledger_of_contact(ana, after, 4), 4);
    assert_eq!(
        found
            .iter()
            .map(|line| line.entry.clone())
            .collect::<Vec<_>>(),
        expected
    );
    let run = EnrollmentId {
        contact: ana,
        number: 2,
    };
    expected.retain(|line| line.enrollment == Some(run));
    let of_run = all(|after| world.reader.ledger_of_enrollment(run, after, 4), 4);
    assert_eq!(
        of_run
            .into_iter()
            .map(|line| line.entry)
            .collect::<Vec<_>>(),
        expected
    );
    // A place in one contact's ledger opens no other.
    let place = found[0].number.to_string();
    let error = world
        .reader
        .ledger_of_contact(bob, Some(&place), 4)
        .expect_err("refused");
    assert!(matches!(error, ReadError::Cursor(_)), "{error}");
    assert_eq!(
        world
            .reader
            .ledger_of_contact(ContactId(99), None, 4)
            .expect("reads")
            .items,
        []
    );
}

pub(super) fn events_are_those_of_the_contact_whatever_their_names(mut world: World) {
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let mut expected = Vec::new();
    for n in 0..20 {
        let event = Event::track(["Viewed", "Bought", "Signed Up"][n as usize % 3], at(n));
        world.write(bob, vec![Effect::Event(event.clone().into())]);
        world.write(ana, vec![Effect::Event(event.clone().into())]);
        expected.push(event);
    }
    expected.reverse();
    let found = all(|after| world.reader.events(ana, after, 3), 3);
    assert_eq!(
        found
            .into_iter()
            .map(|logged| logged.event)
            .collect::<Vec<_>>(),
        expected
    );
}

pub(super) fn touchpoint(contact: ContactId, number: u32, state: TouchpointState) -> Touchpoint {
    let enrollment = EnrollmentId { contact, number };
    Touchpoint {
        id: TouchpointId::derive(enrollment, "1", 1),
        enrollment,
        journey: "welcome".into(),
        step: "1".into(),
        subject: None,
        recipient: Recipient::Contact,
        channel: relance_core::contact::Channel::Email,
        template: "hello".into(),
        item: None,
        text: None,
        from: Sender::Workspace,
        variant: None,
        priority: 0,
        members: Vec::new(),
        approval: Approval::AUTO,
        approved_by: None,
        created_at: at(0),
        silence: None,
        attempts: 0,
        state,
    }
}

pub(super) fn messages_are_listed_by_state(mut world: World) {
    let ana = world.contact("1");
    for n in 0..12 {
        let when = at(100 - i64::from(n));
        let state = match n % 4 {
            0 => TouchpointState::AwaitingApproval {
                deputy_at: None,
                expires_at: when,
            },
            1 => TouchpointState::Held {
                until: when,
                reason: Reason::QuietHours,
            },
            2 => TouchpointState::Settled {
                at: when,
                outcome: Outcome::Accepted,
            },
            _ => TouchpointState::Sending { since: when },
        };
        world.write(
            ana,
            vec![Effect::Touchpoint(touchpoint(ana, n, state).into())],
        );
    }
    let numbers = |list: TouchpointList| -> Vec<u32> {
        let found = all(|after| world.reader.touchpoints(list, after, 2), 2);
        found.iter().map(|one| one.enrollment.number).collect()
    };
    assert_eq!(
        numbers(TouchpointList::AwaitingApproval),
        [8, 4, 0],
        "the soonest first"
    );
    assert_eq!(numbers(TouchpointList::Held), [9, 5, 1]);
    assert_eq!(
        numbers(TouchpointList::Accepted),
        [2, 6, 10],
        "the latest first"
    );
    assert_eq!(numbers(TouchpointList::Dropped), [] as [u32; 0]);
    assert_eq!(
        all(
            |after| world.reader.touchpoints_of_contact(ana, after, 5),
            5
        )
        .len(),
        12
    );
    let id = TouchpointId::derive(
        EnrollmentId {
            contact: ana,
            number: 3,
        },
        "1",
        1,
    );
    assert_eq!(
        world
            .reader
            .touchpoint(id)
            .expect("reads")
            .expect("found")
            .enrollment
            .number,
        3
    );
    let totals = world.reader.totals().expect("reads");
    let sums = (
        totals.awaiting_approval,
        totals.held,
        totals.sending,
        totals.accepted,
    );
    assert_eq!((totals.contacts, sums), (1, (3, 3, 3, 3)));
    // An answer moves one from list to list.
    let state = TouchpointState::Settled {
        at: at(200),
        outcome: Outcome::Dropped(Reason::Approval),
    };
    world.write(
        ana,
        vec![Effect::Touchpoint(touchpoint(ana, 4, state).into())],
    );
    let totals = world.reader.totals().expect("reads");
    assert_eq!((totals.awaiting_approval, totals.not_accepted), (2, 1));
}

pub(super) fn objects_are_listed_by_their_last_change(mut world: World) {
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let object = |kind: &str, id: &str, updated: i64| {
        let subject = SubjectRef {
            kind: kind.into(),
            id: id.into(),
        };
        let mut object = Object::new(subject, at(0));
        object.updated_at = at(updated);
        object
    };
    let put = |world: &mut World, whose: ContactId, one: Object| {
        world.write(whose, vec![Effect::Object(one)]);
    };
    put(&mut world, ana, object("document", "1.a", 1));
    put(&mut world, bob, object("document", "2", 2));
    put(&mut world, ana, object("document", "3", 3));
    put(&mut world, ana, object("deal", "1", 4));
    put(&mut world, ana, object("document", "1.a", 5));
    let found = all(
        |after| world.reader.objects(&"document".into(), after, 1),
        1,
    );
    let ids: Vec<(ContactId, String)> = found
        .iter()
        .map(|of| (of.contact, of.object.subject.id.to_string()))
        .collect();
    assert_eq!(
        ids,
        [
            (ana, "1.a".to_owned()),
            (ana, "3".to_owned()),
            (bob, "2".to_owned())
        ]
    );
    assert_eq!(
        all(|after| world.reader.objects_of_contact(ana, after, 1), 1).len(),
        3
    );
    let one = SubjectRef {
        kind: "deal".into(),
        id: "1".into(),
    };
    assert!(world.reader.object(ana, &one).expect("reads").is_some());
    assert_eq!(world.reader.object(bob, &one).expect("reads"), None);
}

pub(super) fn runs_tasks_journeys_and_counts_are_told(mut world: World) {
    let ana = world.contact("1");
    let journey = StoredJourney {
        id: "welcome".into(),
        version: 1,
        text: "id: welcome".to_owned(),
        current: true,
        moves: Moves::Pin,
    };
    world.store.put_journey(&journey, at(7)).expect("puts");
    let run = |number: u32, state: EnrollmentState| Enrollment {
        id: EnrollmentId {
            contact: ana,
            number,
        },
        journey: "welcome".into(),
        version: 1,
        subject: None,
        entered_at: at(0),
        cause: None,
        held_out: false,
        converted_at: None,
        goal_until: None,
        chain: 0,
        variant: None,
        state,
    };
    let task = |n: u32| Task {
        id: TouchpointId::derive(
            EnrollmentId {
                contact: ana,
                number: n,
            },
            "task",
            1,
        ),
        enrollment: EnrollmentId {
            contact: ana,
            number: n,
        },
        journey: "welcome".into(),
        subject: None,
        title: "Call".into(),
        assignee: None,
        created_at: at(i64::from(n)),
        due_at: None,
    };
    let mut line = LedgerEntry::new(at(0), ana, What::Held);
    line.journey = Some("welcome".into());
    line.step = Some("2".into());
    line.reason = Some(Reason::QuietHours);
    let waiting = EnrollmentState::Waiting {
        step: "1".into(),
        since: at(0),
        until: at(9),
    };
    world.write(
        ana,
        vec![
            Effect::Enrollment(run(1, EnrollmentState::Finished { at: at(1) })),
            Effect::Enrollment(run(2, waiting)),
            Effect::Task(task(1)),
            Effect::Task(task(2)),
            Effect::Task(task(2)),
            Effect::Ledger(line.clone()),
            Effect::Ledger(line),
        ],
    );
    let runs = all(|after| world.reader.enrollments(ana, after, 1), 1);
    assert_eq!(
        runs.iter().map(|run| run.id.number).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(
        world.reader.enrollment(runs[0].id).expect("reads"),
        Some(runs[0].clone())
    );
    let tasks = all(|after| world.reader.tasks(after, 1), 1);
    assert_eq!(tasks, [task(2), task(1)]);
    assert_eq!(
        all(|after| world.reader.tasks_of_contact(ana, after, 1), 1).len(),
        2
    );
    let versions = world.reader.journeys().expect("reads");
    assert_eq!(
        versions,
        [JourneyVersion {
            journey,
            published_at: at(7),
            live_runs: 1
        }]
    );
    let counts = world
        .reader
        .counts(&"welcome".into(), at(0), at(0))
        .expect("reads");
    assert_eq!(counts.len(), 1);
    assert_eq!(
        (counts[0].what, counts[0].reason, counts[0].times),
        (What::Held, Some(Reason::QuietHours), 2)
    );
    assert_eq!(counts[0].step, Some("2".into()));
    assert!(counts[0].day <= at(0));
    assert_eq!(world.reader.totals().expect("reads").tasks, 2);
    assert_eq!(world.reader.mailboxes().expect("reads"), []);
}

#[test]
fn a_backup_is_a_workspace_of_its_own() {
    let mut world = World::in_a_file();
    let ana = world.contact("1");
    world.write(
        ana,
        vec![Effect::Event(Event::track("Viewed", at(1)).into())],
    );
    let to = world
        .dir
        .as_ref()
        .expect("a folder")
        .path()
        .join("copy's.db");
    world.reader.backup(&to).expect("copies");
    assert!(
        matches!(world.reader.backup(&to), Err(ReadError::Exists(_))),
        "never over another"
    );
    world.contact("2");
    let mut copy = SqliteStore::open(&to, SqliteOptions::default()).expect("opens");
    assert_eq!(copy.find(&Identity::user("1")).expect("finds"), Some(ana));
    assert_eq!(copy.find(&Identity::user("2")).expect("finds"), None);
    drop(copy);
    let events = Reader::open(&to)
        .expect("opens")
        .events(ana, None, 9)
        .expect("reads");
    assert_eq!(events.items.len(), 1);
}
