//! How fast pages are at a million contacts, beside a bare read of one row by its key in the same run.
//!
//! `cargo run --release -p relance-store --example read_speed -- FOLDER [CONTACTS] [SEGMENTS] [READS]`
//!
//! A file is filled with contacts that have a user id, an address, a number and a device each, and with segments from
//! everybody down to few. Then pages are read at random places: the list of contacts (its beginning, and deep
//! within), searches by each kind of name (whole, and by its beginning), members of segments (their beginning, and
//! deep within), where a contact belongs. Each contact has a document: the registry is read in every order, its
//! beginning and deep within, all of it and of one of fifty owners, what is late, searches, and what they amount to;
//! and the list of contacts by name. Each prints the median, the 99th of 100 and the longest, and the median as a
//! multiple of the bare read's.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::decide::Effect;
use relance_core::ids::{ContactId, SegmentId, SubjectRef};
use relance_core::segment::Membership;
use relance_core::subject::Object;
use relance_engine::ports::{Change, Store, StoredSegment};
use relance_store::read::{ContactFilter, ContactSort, DocumentFilter, DocumentSort};
use relance_store::registry::DocumentState;
use relance_store::{Reader, SqliteOptions, SqliteStore, Synchronous};
use rusqlite::Connection;
use serde_json::json;

const BATCH: u64 = 1_000;
const PAGE: usize = 50;
const NAMES: [&str; 8] = [
    "anna", "boris", "chiyo", "dmitri", "elena", "fumiko", "greta", "hans",
];

type Failed = Box<dyn Error>;

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit.max(1)
    }
}

fn start() -> Timestamp {
    Timestamp::constant(1_800_000_000, 0)
}

fn name(n: u64) -> &'static str {
    NAMES[usize::try_from(n % 8).unwrap_or(0)]
}

/// The names of the n-th contact, spread over their ranges as names are.
fn identities(n: u64) -> [Identity; 4] {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    [
        Identity::user(&format!("user-{mixed:012}")),
        Identity::email(&format!("{}.{n}@mail{}.test", name(n), n % 100)),
        Identity {
            kind: IdentityKind::Phone,
            value: format!("+79{:09}", mixed % 1_000_000_000),
        },
        Identity::anonymous(&format!("{mixed:011x}-{n:08x}")),
    ]
}

/// One of fifty.
fn owner(n: u64) -> String {
    format!("owner{}@firm.test", n % 50)
}

/// The day on which the n-th document was issued, in a year of days.
fn day(n: u64) -> String {
    let day = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    format!("2026-{:02}-{:02}", 1 + day % 12, 1 + day / 12 % 28)
}

/// The document of the n-th contact; one in ten is open.
fn document(n: u64) -> Effect {
    let subject = SubjectRef {
        kind: "document".into(),
        id: format!("<{n:08x}.mail@firm.test>").into(),
    };
    let mut one = Object::new(subject, start());
    let fields = json!({
        "kind": (["invoice", "offer"][usize::try_from(n % 2).unwrap_or(0)]),
        "status": (if n.is_multiple_of(10) { "sent" } else { "paid" }),
        "number": format!("INV-{n:08}"), "currency": (["EUR", "JPY", "RUB"][usize::try_from(n % 3).unwrap_or(0)]),
        "amount": n % 100_000, "issued": day(n), "due": day(n + 7), "mailbox": owner(n),
    });
    if let Some(fields) = fields.as_object() {
        one.fields = fields.clone();
    }
    Effect::Object(one)
}

fn segment(ix: u64) -> SegmentId {
    SegmentId::from(format!("segment-{ix:03}"))
}

/// Whether a contact belongs to a segment: the first has everybody, each further one fewer.
fn belongs(n: u64, ix: u64) -> bool {
    n.is_multiple_of(ix + 1)
}

fn fill(path: &Path, contacts: u64, segments: u64) -> Result<(), Failed> {
    let options = SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(path, options)?;
    store.begin()?;
    for ix in 0..segments {
        let text = format!("format: segment/1\nid: segment-{ix:03}\nlisted: true\n");
        let id = segment(ix);
        store.put_segment(&StoredSegment { id, text }, start())?;
    }
    store.commit()?;
    let member = Membership {
        member: true,
        due: None,
    };
    for first in (0..contacts).step_by(usize::try_from(BATCH)?) {
        store.begin()?;
        let mut changes = Vec::new();
        for n in first..(first + BATCH).min(contacts) {
            let id = store.resolve(&identities(n), start())?;
            let mut contact = Contact::new(id, start());
            let traits = json!({
                "name": format!("{} {n}", name(n)), "email": format!("{}.{n}@mail{}.test", name(n), n % 100),
                "plan": (["free", "pro"][usize::try_from(n % 2)?]), "city": "Kazan", "revenue": n % 10_000, "owner": owner(n),
            });
            if let Some(fields) = traits.as_object() {
                contact.traits = fields.clone();
            }
            let mut effects = vec![Effect::Contact(Box::new(contact)), document(n)];
            effects.extend((0..segments).filter(|ix| belongs(n, *ix)).map(|ix| {
                Effect::Membership {
                    segment: segment(ix),
                    before: Membership::default(),
                    after: member,
                }
            }));
            changes.push(Change {
                contact: id,
                effects,
            });
        }
        store.write(&changes)?;
        store.commit()?;
    }
    Ok(())
}

struct Figures {
    bare: Duration,
}

impl Figures {
    fn of(times: &mut [Duration]) -> (Duration, Duration, Duration) {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        (at(50), at(99), times[times.len() - 1])
    }

    fn print(&self, what: &str, times: &mut [Duration]) {
        let (median, p99, longest) = Self::of(times);
        let ratio = median.as_secs_f64() / self.bare.as_secs_f64().max(1e-9);
        println!("{what:<44} {median:>10.1?} {p99:>10.1?} {longest:>10.1?}   x {ratio:.0}");
    }
}

fn measure(
    reads: u64,
    chance: &mut Chance,
    mut read: impl FnMut(u64) -> Result<usize, Failed>,
    limit: u64,
) -> Result<Vec<Duration>, Failed> {
    let mut times = Vec::new();
    for _ in 0..reads {
        let n = chance.below(limit);
        let begun = Instant::now();
        let found = read(n)?;
        times.push(begun.elapsed());
        if found == 0 {
            return Err(format!("nothing was found at {n}").into());
        }
    }
    Ok(times)
}

fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder")?;
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let (contacts, segments, reads) = (number(1_000_000)?, number(100)?, number(2_000)?);
    let path = Path::new(&folder).join("workspace.db");
    if !path.exists() {
        std::fs::create_dir_all(&folder)?;
        let begun = Instant::now();
        fill(&path, contacts, segments)?;
        println!("filled in {:.0?}", begun.elapsed());
    }
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{contacts} contacts, {segments} segments, {} MB",
        bytes >> 20
    );
    let reader = Reader::open(&path)?;
    let bare = Connection::open(&path)?;
    let mut chance = Chance(7);

    let mut statement = bare.prepare("SELECT body FROM contact WHERE contact_id = ?1")?;
    let point = |n: u64, statement: &mut rusqlite::Statement<'_>| -> Result<usize, Failed> {
        let id = i64::try_from(n + 1)?;
        let body: String = statement.query_row([id], |row| row.get(0))?;
        Ok(body.len())
    };
    let mut times = measure(reads, &mut chance, |n| point(n, &mut statement), contacts)?;
    let figures = Figures {
        bare: Figures::of(&mut times).0,
    };
    println!("{:<44} {:>10} {:>10} {:>10}", "", "p50", "p99", "longest");
    figures.print("bare: one row by its key", &mut times);

    let mut times = measure(
        reads,
        &mut chance,
        |_| Ok(reader.contacts(None, PAGE)?.items.len()),
        contacts,
    )?;
    figures.print("contacts, the first page of 50", &mut times);
    let mut times = measure(
        reads,
        &mut chance,
        |n| {
            Ok(reader
                .contacts(Some(&(n + 2).to_string()), PAGE)?
                .items
                .len())
        },
        contacts,
    )?;
    figures.print("contacts, a deep page of 50", &mut times);
    for kind in 0..4_usize {
        let of = |n: u64| identities(n)[kind].clone();
        let word = of(0).kind.word();
        let mut times = measure(
            reads,
            &mut chance,
            |n| Ok(usize::from(reader.find_contact(&of(n))?.is_some())),
            contacts,
        )?;
        figures.print(&format!("exactly one {word}"), &mut times);
        let mut times = measure(
            reads,
            &mut chance,
            |n| {
                Ok(reader
                    .search_contacts(&of(n).value, None, PAGE)?
                    .items
                    .len())
            },
            contacts,
        )?;
        figures.print(&format!("search, a whole {word}"), &mut times);
        let mut times = measure(
            reads,
            &mut chance,
            |n| {
                let beginning: String = of(n).value.chars().take(5).collect();
                Ok(reader.search_contacts(&beginning, None, PAGE)?.items.len())
            },
            contacts,
        )?;
        figures.print(&format!("search, 5 letters of a {word}"), &mut times);
    }
    let mut times = measure(
        reads,
        &mut chance,
        |n| Ok(reader.members(&segment(n), None, PAGE)?.items.len()),
        segments,
    )?;
    figures.print("members of a segment, the first page of 50", &mut times);
    let mut times = measure(
        reads,
        &mut chance,
        |n| {
            let after = n.saturating_sub(contacts / 10).to_string();
            let id = segment(n % segments);
            Ok(reader.members(&id, Some(&after), PAGE)?.items.len())
        },
        contacts,
    )?;
    figures.print("members of a segment, a deep page of 50", &mut times);
    let mut times = measure(
        reads,
        &mut chance,
        |n| Ok(reader.segments_of(ContactId(n + 1))?.len()),
        contacts,
    )?;
    figures.print("where a contact belongs", &mut times);
    let mut times = measure(
        reads,
        &mut chance,
        |_| Ok(reader.segments()?.len()),
        contacts,
    )?;
    figures.print("all segments with their counts", &mut times);
    documents(&reader, &figures, &mut chance, reads, contacts)?;
    people(&reader, &figures, &mut chance, reads, contacts)
}

/// The registry.
fn documents(
    reader: &Reader,
    figures: &Figures,
    chance: &mut Chance,
    reads: u64,
    count: u64,
) -> Result<(), Failed> {
    let all = DocumentFilter::default();
    // Searches and sums that count are far slower than pages.
    let few = (reads / 20).max(1);
    let sorts = [
        ("issued", DocumentSort::Issued, "20500"),
        ("due", DocumentSort::Due, "20500"),
        ("amount", DocumentSort::Amount, "500000000"),
        ("number", DocumentSort::Number, "inv-00500000"),
        ("client", DocumentSort::Client, "elena 5"),
        ("owner", DocumentSort::Owner, "owner30@firm.test"),
    ];
    for (name, sort, deep) in sorts {
        for (depth, cursor) in [("first", None), ("deep", Some(deep))] {
            let read = |n: u64| {
                let cursor = cursor.map(|key| format!("{}.{key}", n + 1));
                let page =
                    reader.documents(&all, sort, n.is_multiple_of(2), cursor.as_deref(), PAGE)?;
                Ok(page.items.len())
            };
            let mut times = measure(reads, chance, read, count)?;
            figures.print(&format!("documents by {name}, a {depth} page"), &mut times);
        }
    }
    let of = |n: u64| DocumentFilter {
        owners: Some([owner(n)].into()),
        ..DocumentFilter::default()
    };
    let late = |n: u64| DocumentFilter {
        states: DocumentState::WAITING.into(),
        due_before: Some(jiff::civil::Date::constant(2026, 6, 1)),
        owners: Some([owner(n)].into()),
        ..DocumentFilter::default()
    };
    let list = |filter: DocumentFilter, sort| {
        Ok(reader
            .documents(&filter, sort, true, None, PAGE)?
            .items
            .len())
    };
    let mut times = measure(reads, chance, |n| list(of(n), DocumentSort::Amount), count)?;
    figures.print("documents of an owner by amount", &mut times);
    let mut times = measure(
        reads,
        chance,
        |n| list(late(n / 10 * 10), DocumentSort::Due),
        count,
    )?;
    figures.print("documents of an owner that are late", &mut times);
    let search = |n: u64| DocumentFilter {
        search: Some(format!("inv-{n:08}").chars().take(9).collect()),
        ..DocumentFilter::default()
    };
    let mut times = measure(few, chance, |n| list(search(n), DocumentSort::Due), count)?;
    figures.print("documents by 5 digits of a number", &mut times);
    let sums = |filter: DocumentFilter| Ok(reader.document_totals(&filter)?.sums.len());
    let mut times = measure(reads, chance, |_| sums(all.clone()), count)?;
    figures.print("totals of all documents", &mut times);
    let mut times = measure(reads, chance, |n| sums(of(n)), count)?;
    figures.print("totals of an owner's documents", &mut times);
    let mut times = measure(few, chance, |n| sums(late(n / 10 * 10)), count)?;
    figures.print("totals of an owner's late documents", &mut times);
    Ok(())
}

/// The list of contacts by name and owner.
fn people(
    reader: &Reader,
    figures: &Figures,
    chance: &mut Chance,
    reads: u64,
    count: u64,
) -> Result<(), Failed> {
    let all = ContactFilter::default();
    let mut times = measure(
        reads,
        chance,
        |n| {
            let cursor = format!("{}.{} {}", n + 1, name(n), n / 10);
            let sort = ContactSort::Name;
            let page = reader.listed_contacts(&all, sort, true, Some(&cursor), PAGE)?;
            Ok(page.items.len())
        },
        count,
    )?;
    figures.print("contacts by name, a deep page of 50", &mut times);
    let mut times = measure(
        reads,
        chance,
        |n| {
            let filter = ContactFilter {
                owners: Some([owner(n)].into()),
                segment: None,
            };
            let page = reader.listed_contacts(&filter, ContactSort::Newest, false, None, PAGE)?;
            Ok(page.items.len())
        },
        count,
    )?;
    figures.print("contacts of an owner, the first page of 50", &mut times);
    let mut times = measure(
        reads,
        chance,
        |n| {
            let page = reader.named_contacts(&all, name(n), None, PAGE)?;
            Ok(page.items.len())
        },
        count,
    )?;
    figures.print("contacts by a word of a name", &mut times);
    Ok(())
}
