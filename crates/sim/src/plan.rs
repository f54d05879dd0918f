//! What a seed makes of a world: rules, journeys, people, and how often what fails.

mod library;
mod segments;
mod wild;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::consent::DoubleOptIn;
use relance_core::contact::Channel;
use relance_core::ids::{ItemId, JourneyId, ListId, TemplateId, Topic};
use relance_core::journey::{
    Approval, Approver, Deputy, Holdout, Journey, Lapse, Moves, On, Unit, publish,
};
use relance_core::policy::{Cap, Policy, ServiceExemption, TemplateFacts};
use relance_core::segment::Segment;
use relance_core::time::{Calendar, Delay, QuietHours, Zone};

use crate::rng::Rng;

pub use segments::SEGMENTS;

/// When every life begins: a Monday, three weeks before the clocks of Europe go forward and two days
/// before those of America do.
pub const BIRTH: &str = "2026-03-06T06:00:00Z";
/// The watched mailboxes.
pub const MAILBOXES: [&str; 2] = ["sales@us.test", "boss@us.test"];
/// The segment that people enter and leave.
pub const SEGMENT: &str = "vip";
/// Hours in which nobody is written to, in worlds that have such.
pub const QUIET_HOURS: (i8, i8) = (21, 9);
/// Versions of each journey.
pub const VERSIONS: u32 = 3;
/// Zones that people live in, and move to.
pub const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Europe/Moscow",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
];
/// Our own domain: nobody there is written to.
const OURS: &str = "us.test";
/// A domain whose people are not colleagues.
const FREEMAIL: &str = "gmail.test";

/// One person outside.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id in the customer's system.
    pub user: String,
    /// Address, lower case.
    pub email: String,
    /// The zone that is told of them.
    pub zone: &'static str,
    /// Signs up on the site; others are known by mail only.
    pub on_site: bool,
    /// A telephone number, if it is told.
    pub phone: Option<String>,
    /// The company that they are told to belong to.
    pub account: Option<&'static str>,
    /// A date of each year, if it is told.
    pub birthday: Option<String>,
    /// A date, if it is told.
    pub renewal: Option<String>,
    /// The browser that they visit with before they sign in, if they do.
    pub device: Option<String>,
    /// The id that they had in the customer's system before, if they had one.
    pub former: Option<String>,
}

impl Person {
    /// The part behind the @.
    pub fn domain(&self) -> &str {
        self.email.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether the person is one of ours.
    pub fn is_ours(&self) -> bool {
        self.domain() == OURS
    }

    /// Whether another person of the same company answers for this one.
    pub fn is_colleague_of(&self, other: &Self) -> bool {
        self.domain() == other.domain() && self.domain() != FREEMAIL
    }
}

/// How often things fail, in thousandths.
#[derive(Debug, Clone)]
pub struct Faults {
    /// A commit fails.
    pub commit: u64,
    /// A reading pass breaks off.
    pub pass: u64,
    /// The provider does not simply accept.
    pub provider: u64,
    /// An outcome is told twice.
    pub echo: u64,
    /// A caller tells an event again, or late.
    pub caller: u64,
    /// Crashes in a life.
    pub crashes: i64,
    /// Failures of mailboxes in a life.
    pub outages: i64,
    /// Times that the clock is set.
    pub clock_jumps: i64,
    /// Times that a journey is published, paused, retired or archived.
    pub changes: i64,
    /// Whether the database is copied, and the copy goes on.
    pub copied: bool,
    /// Times that somebody holds two people for one.
    pub merges: i64,
}

/// A version of a journey, and how runs on older ones come to it.
#[derive(Debug, Clone)]
pub struct Version {
    /// The version.
    pub journey: Arc<Journey>,
    /// How older runs come to it.
    pub moves: Moves,
}

/// A world before it lives.
#[derive(Debug)]
pub struct Plan {
    /// The workspace's rules.
    pub policy: Policy,
    /// What is known of templates.
    pub templates: BTreeMap<TemplateId, TemplateFacts>,
    /// Content lists.
    pub lists: BTreeMap<ListId, Arc<[ItemId]>>,
    /// All versions of all journeys, the first of each first.
    pub versions: Vec<Version>,
    /// Definitions of segments, by their texts, the first of each first.
    pub segments: Vec<(String, Arc<Segment>)>,
    /// Who lives.
    pub people: Vec<Person>,
    /// What fails.
    pub faults: Faults,
    /// Whether somebody takes calls.
    pub calls: bool,
    /// What must be confirmed.
    pub double_opt_in: DoubleOptIn,
    /// Seed of shares.
    pub salt: u64,
    /// Days until all faults end.
    pub days: i64,
}

/// Definitions of each segment, in an order in which they may come into force; in some lives there are none.
fn segments(rng: &mut Rng) -> Vec<(String, Arc<Segment>)> {
    if rng.chance(250) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for version in 1..=VERSIONS {
        for id in SEGMENTS {
            all.push((format!("{id} v{version}"), segments::segment(rng, id)));
        }
    }
    all
}

impl Plan {
    /// What a seed makes of a world.
    pub fn new(rng: &mut Rng) -> Self {
        let holdout = Holdout {
            permille: rng.pick(&[0, 0, 200, 500]),
            by: unit(rng),
        };
        let approval = match rng.between(0, 1) {
            0 => asked(rng),
            _often => Approval::AUTO,
        };
        let mut drafts = library::drafts(rng, holdout, &approval);
        drafts.extend(wild::drafts(rng, holdout));
        let mut versions = Vec::new();
        for version in 1..=VERSIONS {
            for drafts in &drafts {
                let draft = drafts[version as usize - 1].clone();
                let journey = publish(draft, version).expect("the plan publishes");
                let moves = moves(rng, &versions, &journey);
                let journey = Arc::new(journey);
                versions.push(Version { journey, moves });
            }
        }
        let items = |list: &str| {
            (1..=3)
                .map(|n| ItemId::from(format!("{list}-{n}")))
                .collect()
        };
        Self {
            policy: policy(rng),
            templates: templates(),
            lists: [(ListId::from("tips"), items("tips"))].into(),
            versions,
            segments: segments(rng),
            people: people(rng),
            faults: faults(rng),
            calls: rng.chance(600),
            double_opt_in: double_opt_in(rng),
            salt: rng.next(),
            days: 16,
        }
    }

    /// All journeys, each once.
    pub fn journeys(&self) -> Vec<JourneyId> {
        let first = self.versions.iter().filter(|one| one.journey.version == 1);
        first.map(|one| one.journey.id.clone()).collect()
    }

    /// Journeys that people of ours, or programs, begin.
    pub fn startable(&self) -> Vec<(JourneyId, bool)> {
        let first = self.versions.iter().filter(|one| one.journey.version == 1);
        first
            .filter_map(|one| match one.journey.trigger.on {
                On::Manual => Some((one.journey.id.clone(), true)),
                On::Api => Some((one.journey.id.clone(), false)),
                On::Event(_)
                | On::SegmentEntered(_)
                | On::SegmentLeft(_)
                | On::Changed { .. }
                | On::Inactive { .. }
                | On::Date { .. }
                | On::Schedule { .. } => None,
            })
            .collect()
    }
}

/// How runs on older versions come to a new one.
fn moves(rng: &mut Rng, before: &[Version], journey: &Journey) -> Moves {
    let older: Vec<_> = before
        .iter()
        .filter(|one| one.journey.id == journey.id)
        .flat_map(|one| one.journey.steps.iter().map(|step| step.key.clone()))
        .collect();
    if older.is_empty() {
        return Moves::Pin;
    }
    match rng.between(0, 3) {
        0 => Moves::Pin,
        1 | 2 => Moves::Follow,
        _seldom => {
            let mut table = BTreeMap::new();
            for _ in 0..rng.between(1, 3) {
                let to = rng
                    .chance(600)
                    .then(|| rng.pick(&journey.steps).key.clone());
                table.insert(rng.pick(&older), to);
            }
            Moves::Map(table)
        }
    }
}

fn unit(rng: &mut Rng) -> Unit {
    match rng.chance(300) {
        true => Unit::Account,
        false => Unit::Contact,
    }
}

/// A question to somebody, with all that may become of it.
fn asked(rng: &mut Rng) -> Approval {
    let role = Approver::Role("head".to_owned());
    Approval {
        by: rng.pick(&[Approver::Owner, role.clone()]),
        deputy: rng.chance(300).then(|| Deputy {
            who: role,
            after: words::delay("6h"),
        }),
        expires: rng.chance(600).then(|| words::delay("1d")),
        lapse: rng.pick(&[Lapse::Skip, Lapse::Send, Lapse::Stop, Lapse::Call]),
    }
}

fn policy(rng: &mut Rng) -> Policy {
    let mut quiet_hours = BTreeMap::new();
    if rng.chance(500) {
        let (from, to) = QUIET_HOURS;
        let hours = QuietHours::daily(&format!("{from:02}:00-{to:02}:00")).expect("quiet hours");
        quiet_hours.insert(Channel::Email, hours);
    }
    let mut caps = Vec::new();
    if rng.chance(500) {
        caps.push(Cap {
            channel: None,
            topic: None,
            days: rng.pick(&[1, 2]),
            most: rng.pick(&[1, 2]),
        });
    }
    if rng.chance(250) {
        caps.push(Cap {
            channel: Some(Channel::Email),
            topic: rng.pick(&[None, Some(Topic::from("news"))]),
            days: rng.pick(&[1, 3, 7]),
            most: rng.pick(&[1, 3]),
        });
    }
    let service = ServiceExemption {
        quiet_hours: false,
        holdout: false,
        ..ServiceExemption::ALL
    };
    Policy {
        zone: Zone::parse("Europe/Berlin").expect("zone"),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours,
        caps,
        opt_in_topics: match rng.chance(200) {
            true => BTreeSet::from([Topic::from("lessons")]),
            false => BTreeSet::new(),
        },
        internal_domains: std::iter::once(OURS.to_owned()).collect(),
        freemail_domains: std::iter::once(FREEMAIL.to_owned()).collect(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: Delay::days(3),
        service: rng.pick(&[
            ServiceExemption::ALL,
            ServiceExemption::ALL,
            service,
            ServiceExemption::default(),
        ]),
        holdout: Holdout {
            permille: rng.pick(&[0, 0, 0, 150, 300]),
            by: unit(rng),
        },
    }
}

fn double_opt_in(rng: &mut Rng) -> DoubleOptIn {
    let topics = match rng.chance(400) {
        true => BTreeSet::from([Topic::from("lessons")]),
        false => BTreeSet::new(),
    };
    DoubleOptIn {
        topics,
        email: rng.chance(200),
        ..DoubleOptIn::default()
    }
}

fn templates() -> BTreeMap<TemplateId, TemplateFacts> {
    let receipt = TemplateFacts {
        topic: None,
        service: true,
        at_least_once: true,
    };
    let news = TemplateFacts {
        topic: Some(Topic::from("news")),
        ..TemplateFacts::default()
    };
    let alert = TemplateFacts {
        service: true,
        ..TemplateFacts::default()
    };
    [
        (TemplateId::from("receipt"), receipt),
        (TemplateId::from("news"), news.clone()),
        (TemplateId::from("daily"), news),
        (TemplateId::from("alert"), alert),
    ]
    .into()
}

fn people(rng: &mut Rng) -> Vec<Person> {
    (0..rng.between(3, 6))
        .map(|number| {
            let domain = match number > 2 && rng.chance(100) {
                true => OURS,
                false => rng.pick(&["acme.test", "acme.test", "other.test", FREEMAIL]),
            };
            Person {
                user: format!("u{number}"),
                email: format!("p{number}@{domain}"),
                zone: rng.pick(&ZONES),
                on_site: rng.chance(700),
                phone: rng.chance(600).then(|| format!("+49151000{number}")),
                account: rng.pick(&[None, Some("acme"), Some("acme"), Some("other")]),
                birthday: rng.chance(600).then(|| {
                    let day = ["1988-03-12", "03-20", "2000-02-29", "1990-04-02", "--03-29"];
                    rng.pick(&day).to_owned()
                }),
                renewal: rng.chance(500).then(|| {
                    let day = ["2026-03-15", "2026-03-29T02:30", "2026-03-09", "2026-04-10"];
                    rng.pick(&day).to_owned()
                }),
                device: rng.chance(400).then(|| format!("d{number}")),
                former: rng.chance(200).then(|| format!("old{number}")),
            }
        })
        .collect()
}

/// Most lives know a few faults well, so that each is also met alone.
fn faults(rng: &mut Rng) -> Faults {
    let mut often = |on: u64, permille: u64| if rng.chance(on) { permille } else { 0 };
    let (commit, pass, provider) = (often(600, 30), often(500, 200), often(700, 350));
    let (echo, caller) = (often(500, 200), often(600, 300));
    let mut times = |on: u64, most: i64| {
        if rng.chance(on) {
            rng.between(1, most)
        } else {
            0
        }
    };
    Faults {
        commit,
        pass,
        provider,
        echo,
        caller,
        crashes: times(600, 6),
        outages: times(600, 4),
        clock_jumps: times(150, 3),
        changes: times(800, 16),
        copied: times(150, 1) > 0,
        merges: times(400, 4),
    }
}

/// When every life begins.
pub fn birth() -> Timestamp {
    BIRTH.parse().expect("moment")
}
