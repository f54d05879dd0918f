//! What a seed makes of a world: rules, journeys, people, and how often what fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::condition::Condition;
use relance_core::contact::Channel;
use relance_core::ids::{TemplateId, Topic};
use relance_core::journey::draft::{JourneyDraft, StepDraft, StepDraftKind};
use relance_core::journey::{
    Approval, Exit, Goal, Journey, Reentry, Send, Sender, TaskStep, Trigger, publish,
};
use relance_core::policy::{Cap, Policy, TemplateFacts};
use relance_core::time::{Calendar, Delay, QuietHours, Window, Zone};
use relance_core::value::{FieldPath, Root, Value};

use crate::rng::Rng;

/// When every life begins: a Monday, three weeks before the clocks of Europe go forward and two days
/// before those of America do.
pub const BIRTH: &str = "2026-03-06T06:00:00Z";
/// The watched mailboxes.
pub const MAILBOXES: [&str; 2] = ["sales@us.test", "boss@us.test"];
/// A domain whose people are not colleagues.
const FREEMAIL: &str = "gmail.test";
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Europe/Moscow",
    "Pacific/Auckland",
    "America/Sao_Paulo",
];

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
}

impl Person {
    /// The part behind the @.
    pub fn domain(&self) -> &str {
        self.email.rsplit_once('@').map_or("", |(_, domain)| domain)
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
}

/// A world before it lives.
#[derive(Debug)]
pub struct Plan {
    /// The workspace's rules.
    pub policy: Policy,
    /// What is known of templates.
    pub templates: BTreeMap<TemplateId, TemplateFacts>,
    /// All versions, the first of each first.
    pub journeys: Vec<Arc<Journey>>,
    /// Who lives.
    pub people: Vec<Person>,
    /// What fails.
    pub faults: Faults,
    /// Seed of shares.
    pub salt: u64,
    /// Days until all faults end.
    pub days: i64,
}

impl Plan {
    /// What a seed makes of a world.
    pub fn new(rng: &mut Rng) -> Self {
        let holdout = rng.pick(&[0, 0, 200, 500]);
        let approval = match rng.between(0, 2) {
            0 => Approval::Owner,
            _often => Approval::Auto,
        };
        let mut journeys = Vec::new();
        for version in 1..=3 {
            journeys.extend(library(rng, version, holdout, &approval));
        }
        Self {
            policy: policy(rng),
            templates: templates(),
            journeys: journeys.into_iter().map(Arc::new).collect(),
            people: people(rng),
            faults: faults(rng),
            salt: rng.next(),
            days: 16,
        }
    }
}

fn policy(rng: &mut Rng) -> Policy {
    let mut quiet_hours = BTreeMap::new();
    if rng.chance(500) {
        let hours = QuietHours::daily("21:00-09:00").expect("quiet hours");
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
    Policy {
        zone: Zone::parse("Europe/Berlin").expect("zone"),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours,
        caps,
        opt_in_topics: BTreeSet::new(),
        internal_domains: std::iter::once("us.test".to_owned()).collect(),
        freemail_domains: std::iter::once(FREEMAIL.to_owned()).collect(),
        approval_expiry: Delay::days(3),
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
    [
        (TemplateId::from("receipt"), receipt),
        (TemplateId::from("news"), news),
    ]
    .into()
}

fn people(rng: &mut Rng) -> Vec<Person> {
    (0..rng.between(3, 6))
        .map(|number| {
            let domain = rng.pick(&["acme.test", "acme.test", "other.test", FREEMAIL]);
            Person {
                user: format!("u{number}"),
                email: format!("p{number}@{domain}"),
                zone: rng.pick(&ZONES),
                on_site: rng.chance(600),
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
    }
}

fn delay(text: &str) -> Delay {
    text.parse().expect("delay")
}

fn step(kind: StepDraftKind) -> StepDraft {
    StepDraft {
        path: "steps".to_owned(),
        id: None,
        late: None,
        kind,
    }
}

fn email(template: &str, from: Sender) -> StepDraft {
    step(StepDraftKind::Send(Send {
        channel: Channel::Email,
        template: template.into(),
        from,
        approval: None,
    }))
}

fn wait(rng: &mut Rng) -> StepDraft {
    let text = rng.pick(&["10m", "3h", "1d", "36h", "2d", "1bd", "3bd"]);
    let window = rng
        .chance(300)
        .then(|| Window::parse(Some("mon-fri"), Some("09:00-18:00")).expect("window"));
    step(StepDraftKind::Wait {
        delay: delay(text),
        window,
    })
}

fn anything() -> Condition {
    Condition::All(vec![])
}

fn exit(event: &str) -> Exit {
    Exit {
        event: event.into(),
        filter: anything(),
        any: false,
    }
}

fn on(event: &str) -> Trigger {
    Trigger::Event {
        event: event.into(),
        filter: anything(),
    }
}

/// The journeys of one version. Later versions wait otherwise and say more or less.
fn library(rng: &mut Rng, version: u32, holdout: u16, approval: &Approval) -> Vec<Journey> {
    let blank = |id: &str, trigger| JourneyDraft {
        id: id.into(),
        name: id.to_owned(),
        subject: None,
        trigger,
        reentry: None,
        goal: None,
        exits: Vec::new(),
        holdout_permille: 0,
        approval: Approval::Auto,
        topic: None,
        steps: Vec::new(),
    };

    let mut offer = blank("offer", on("Document Sent"));
    offer.subject = Some("document".into());
    offer.exits = vec![exit("Replied")];
    offer.goal = Some(Goal {
        event: "Deal Won".into(),
        filter: anything(),
        within: delay("10d"),
    });
    offer.holdout_permille = holdout;
    offer.approval = approval.clone();
    for number in 1..=rng.between(1, 2) {
        offer.steps.push(wait(rng));
        offer
            .steps
            .push(email(&format!("reminder-{number}"), Sender::OwnerMailbox));
    }

    let mut chase = blank("chase", on("Document Sent"));
    chase.subject = Some("document".into());
    chase.steps = vec![step(StepDraftKind::WaitFor {
        event: "Replied".into(),
        filter: anything(),
        since_enrolled: false,
        timeout: Some(delay(rng.pick(&["6h", "1d", "3d"]))),
        then: vec![step(StepDraftKind::Stop)],
        otherwise: vec![email("chase-1", Sender::OwnerMailbox)],
    })];

    let mut welcome = blank("welcome", on("Signed Up"));
    welcome.reentry = Some(rng.pick(&[Reentry::Always, Reentry::After(delay("3d"))]));
    welcome.exits = vec![exit("Left")];
    welcome.holdout_permille = holdout;
    let grade = FieldPath::parse("contact.grade", Some(Root::Contact)).expect("path");
    welcome.steps = vec![
        email("welcome-1", Sender::Workspace),
        wait(rng),
        step(StepDraftKind::Set(vec![(grade, Value::from("B"))])),
        email("welcome-2", Sender::Workspace),
        step(StepDraftKind::WaitFor {
            event: "Order Completed".into(),
            filter: anything(),
            since_enrolled: rng.chance(500),
            timeout: Some(delay("1d")),
            then: vec![],
            otherwise: vec![email("broken", Sender::Workspace)],
        }),
        step(StepDraftKind::Task(TaskStep {
            title: "Call".into(),
            due: Some(delay("1bd")),
            assignee: None,
        })),
    ];

    let mut receipt = blank("receipt", on("Order Completed"));
    receipt.subject = Some("order".into());
    receipt.steps = vec![email("receipt", Sender::Workspace)];

    let mut news = blank("news", on("Visited"));
    news.reentry = Some(Reentry::Always);
    news.steps = vec![email("news", Sender::Workspace)];

    let mut miss = blank(
        "miss",
        Trigger::Inactive {
            event: Some("Visited".into()),
            after: delay("2d"),
            filter: anything(),
        },
    );
    miss.reentry = Some(Reentry::Always);
    miss.steps = vec![email("miss", Sender::Workspace)];

    [offer, chase, welcome, receipt, news, miss]
        .into_iter()
        .map(|draft| publish(draft, version).expect("the library publishes"))
        .collect()
}

/// When every life begins.
pub fn birth() -> Timestamp {
    BIRTH.parse().expect("moment")
}
