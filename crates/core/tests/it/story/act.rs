//! One line of a story: a moment, and what happens then.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use relance_core::consent::{About, Evidence, Source};
use relance_core::contact::{Channel, Consent, Contact, SuppressionReason};
use relance_core::decide::{Answer, Input, Overdue, Starter, TaskAct, TaskOrder};
use relance_core::event::{Event, EventKind};
use relance_core::ids::{
    ContactId, JourneyId, MailboxId, StepKey, SubjectRef, TemplateId, Topic, TouchpointId, UserId,
};
use relance_core::journey::{Moves, StepKind};
use relance_core::play::{Play, Seen};
use relance_core::preferences::{Frequency, Per, Preferences, Wishes};
use relance_core::snapshot::Snapshot;
use relance_core::subject::ObjectPatch;
use relance_core::time::{QuietHours, Window, Zone};
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_core::value::Fields;
use relance_core::world::World;

use super::journey::value;
use super::rig::Rig;
use super::world::StoryWorld;
use super::{Sight, words};

/// Who tells the story.
pub enum Driver {
    Play(Box<Play>),
    ByHand(Box<Rig>),
}

impl Driver {
    pub fn add(&mut self, contact: Contact) {
        match self {
            Self::Play(play) => play.add(contact),
            Self::ByHand(rig) => rig.add(contact),
        }
    }

    fn world(&mut self) -> &mut World {
        match self {
            Self::Play(play) => &mut play.world,
            Self::ByHand(rig) => &mut rig.world,
        }
    }

    fn snapshot(&self, contact: ContactId) -> &Snapshot {
        match self {
            Self::Play(play) => play.contact(contact).expect("contact"),
            Self::ByHand(rig) => rig.contact(contact),
        }
    }

    fn pass(&mut self, until: Timestamp, sights: &mut Vec<Sight>, named: bool) {
        match self {
            Self::Play(play) => play.pass(until, &mut |at, contact, seen| {
                note(sights, at, contact.id, seen, named);
            }),
            Self::ByHand(rig) => {
                rig.pass(until, &mut |at, contact, seen| {
                    note(sights, at, contact, seen, named)
                });
            }
        }
    }

    fn input(&mut self, contact: ContactId, input: &Input, sights: &mut Vec<Sight>, named: bool) {
        match self {
            Self::Play(play) => play.input(contact, input, &mut |at, contact, seen| {
                note(sights, at, contact.id, seen, named);
            }),
            Self::ByHand(rig) => rig.input(contact, input, &mut |at, contact, seen| {
                note(sights, at, contact, seen, named);
            }),
        }
    }
}

fn note(sights: &mut Vec<Sight>, at: Timestamp, contact: ContactId, seen: &Seen, named: bool) {
    if let Some(text) = words(seen, named) {
        sights.push(Sight {
            at,
            contact: contact.0,
            text,
        });
    }
}

/// Lets the time pass to the line's moment, then what it tells happen.
pub fn happen(story: &StoryWorld, driver: &mut Driver, line: &str, sights: &mut Vec<Sight>) {
    let named = story.names_journeys();
    let seconds = line.as_bytes().get(16) == Some(&b':');
    let (moment, rest) = line.split_at(line.len().min(if seconds { 19 } else { 16 }));
    let now = story.zone.at(parse_moment(moment));
    let words = super::journey::split(rest);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        // What is due at this very moment is seen too.
        driver.pass(now + SignedDuration::from_millis(1), sights, named);
        return;
    }
    if let "back" | "asleep" = words[0] {
        // The machine's clock is set back, or the program did not run until now.
        let Driver::ByHand(rig) = driver else {
            panic!("the player knows neither; say `wire by hand`")
        };
        rig.set_clock(now);
        return;
    }
    driver.pass(now, sights, named);
    let named_contact = story.contacts.iter().find(|(name, _)| *name == words[0]);
    let contact = match named_contact {
        Some((_, contact)) => {
            words.remove(0);
            contact.id
        }
        None => story.contacts[0].1.id,
    };
    if rule(story, driver, now, &words) {
        for (_, contact) in &story.contacts {
            for input in everywhere(&words) {
                driver.input(contact.id, &input, sights, named);
            }
        }
        return;
    }
    for input in inputs(story, driver, contact, now, &words) {
        driver.input(contact, &input, sights, named);
    }
}

fn parse_moment(text: &str) -> DateTime {
    text.trim().replace(' ', "T").parse().expect(text)
}

/// What changes the world, not a contact.
fn rule(story: &StoryWorld, driver: &mut Driver, now: Timestamp, words: &[&str]) -> bool {
    match words {
        ["synced", mailbox] => {
            driver.world().synced.insert(MailboxId::from(*mailbox), now);
        }
        ["publish", id, version, how @ ..] => {
            let key = ((*id).to_owned(), version.parse().expect(version));
            let journey = story.later[&key].clone();
            driver.world().add_journey(journey, moves(how), true);
        }
        ["list", id, items @ ..] => {
            let items = items.iter().map(|item| (*item).into()).collect();
            driver.world().lists.insert((*id).into(), items);
        }
        ["pause", id] => driver.world().set_paused(&JourneyId::from(*id), true),
        ["resume", id, ..] => driver.world().set_paused(&JourneyId::from(*id), false),
        ["rules", "quiet", channel, "none"] => {
            let channel = Channel::from_word(channel).expect(channel);
            driver.world().policy.quiet_hours.remove(&channel);
        }
        ["rules", "quiet", channel, hours] => {
            let channel = Channel::from_word(channel).expect(channel);
            let quiet = QuietHours::daily(hours).expect(hours);
            driver.world().policy.quiet_hours.insert(channel, quiet);
        }
        ["rules", "cap", "none"] => driver.world().policy.caps.clear(),
        ["rules", "internal", domain] => {
            let domains = &mut driver.world().policy.internal_domains;
            domains.insert((*domain).to_owned());
        }
        ["rules", "zone", name, "from", _left] => {
            driver.world().policy.zone = Zone::parse(name).expect(name);
        }
        ["archive" | "retire", id] => driver.world().retire(&JourneyId::from(*id)),
        ["forget"] => {
            // The journeys are lost: the runs on them have no step to stand on.
            let world = World::new(driver.world().policy.clone(), driver.world().salt);
            *driver.world() = world;
        }
        _other => return false,
    }
    true
}

/// What every contact is told of a change of the world.
fn everywhere(words: &[&str]) -> Vec<Input> {
    match words {
        ["publish", id, ..] => vec![Input::Arm(JourneyId::from(*id))],
        ["rules", "zone", _name, "from", left] => {
            vec![Input::Reconsider(Zone::parse(left).ok())]
        }
        ["rules", ..] => vec![Input::Reconsider(None)],
        ["archive", id] => vec![Input::End(JourneyId::from(*id))],
        ["resume", id, overdue @ ..] => vec![Input::Resume {
            journey: JourneyId::from(*id),
            overdue: match overdue {
                [] | ["late"] => Overdue::Late,
                ["skip"] => Overdue::Skip,
                ["shift"] => Overdue::Shift,
                other => panic!("what is overdue: {other:?}"),
            },
        }],
        _other => Vec::new(),
    }
}

/// Nothing or `pin`, `follow`, or `map OLD=NEW OLD=end`.
fn moves(words: &[&str]) -> Moves {
    match words {
        [] | ["pin"] => Moves::Pin,
        ["follow"] => Moves::Follow,
        ["map", steps @ ..] => Moves::Map(
            steps
                .iter()
                .map(|pair| {
                    let (old, new) = pair.split_once('=').expect("OLD=NEW");
                    let new = Some(new).filter(|new| *new != "end");
                    (StepKey::from(old), new.map(StepKey::from))
                })
                .collect(),
        ),
        other => panic!("pin, follow or map: {other:?}"),
    }
}

fn inputs(
    story: &StoryWorld,
    driver: &Driver,
    contact: ContactId,
    now: Timestamp,
    words: &[&str],
) -> Vec<Input> {
    let snapshot = driver.snapshot(contact);
    let awaited = |wanted: fn(&TouchpointState) -> bool, template: Option<&&str>| {
        let found: Vec<_> = snapshot
            .touchpoints
            .iter()
            .filter(|one| wanted(&one.state))
            .filter(|one| template.is_none_or(|name| one.template.as_str() == *name))
            .map(|one| (one.id, one.attempts))
            .collect();
        found
    };
    let approve = |answer: Answer, template| {
        awaited(
            |state| matches!(state, TouchpointState::AwaitingApproval { .. }),
            template,
        )
        .into_iter()
        .map(|(touchpoint, _)| Input::Approve {
            touchpoint,
            by: UserId::from("boss"),
            answer: answer.clone(),
        })
        .collect()
    };
    match words {
        ["approve", rest @ ..] => {
            let text = rest.iter().find_map(|word| word.strip_prefix("text="));
            let text = text.map(Into::into);
            let template = rest.iter().find(|word| !word.contains('='));
            approve(Answer::Approve { text }, template)
        }
        ["enters", segment] => vec![Input::Segment {
            segment: (*segment).into(),
            member: true,
        }],
        // Definitions are new: who belongs is told by what is known.
        ["assess"] => {
            let all = story.world.segments().map(|one| one.id.clone());
            vec![Input::Assess(all.collect())]
        }
        ["leaves", segment] => vec![Input::Segment {
            segment: (*segment).into(),
            member: false,
        }],
        [by @ ("starts" | "calls"), journey, rest @ ..] => {
            let cause = event(story, now, rest);
            vec![Input::Enroll {
                journey: JourneyId::from(*journey),
                by: match *by {
                    "starts" => Starter::Person(UserId::from("boss")),
                    _calls => Starter::Program,
                },
                subject: cause.subject.clone(),
                properties: cause.properties,
                once: None,
            }]
        }
        ["skip", rest @ ..] => approve(Answer::Skip, rest.first()),
        ["call", rest @ ..] => approve(Answer::CallInstead, rest.first()),
        ["lift", channel] => vec![Input::Lift(Channel::from_word(channel).expect("channel"))],
        ["confirms"] => vec![Input::Confirm(Evidence::of(Source::DoubleOptIn))],
        ["imported", topic] => vec![Input::Consent {
            channel: Channel::Email,
            topic: Some(Topic::from(*topic)),
            consent: Consent::Granted,
            evidence: Evidence::of(Source::Import),
        }],
        ["wishes", rest @ ..] => vec![Input::Prefer(Box::new(wishes(story, rest)))],
        ["suppress", channel] => vec![Input::Suppress {
            channel: Channel::from_word(channel).expect("channel"),
            reason: SuppressionReason::Manual,
        }],
        ["consent", who, topic @ ..] => vec![Input::Consent {
            channel: Channel::Email,
            topic: topic.first().map(|topic| Topic::from(*topic)),
            consent: if *who == "granted" {
                Consent::Granted
            } else {
                Consent::Denied
            },
            evidence: Evidence::default(),
        }],
        // The task of a step of the newest run, as its assignee sees it.
        ["task", act, step, rest @ ..] => {
            let run = snapshot.enrollments.last().expect("a run");
            let act = match (*act, rest) {
                ("done", []) => TaskAct::Done,
                ("reopened", []) => TaskAct::Reopen,
                ("postponed", [until]) => TaskAct::Postpone(until.parse().expect("a moment")),
                (other, _) => panic!("a task cannot be {other}"),
            };
            vec![Input::Task(Box::new(TaskOrder {
                task: TouchpointId::derive(run.id, step, 1),
                journey: run.journey.clone(),
                subject: run.subject.clone(),
                title: "Call".into(),
                by: UserId::from("boss"),
                act,
            }))]
        }
        ["erase"] => vec![Input::Erase],
        ["settle", outcome, rest @ ..] => settle(driver, contact, outcome, rest),
        [act @ ("opens" | "clicks"), template, rest @ ..] => {
            let name = match *act {
                "opens" => "Email Opened",
                _clicks => "Email Link Clicked",
            };
            let mut told = event(story, now, rest);
            told.name = name.into();
            let id = message(driver, contact, template).to_string();
            told.properties.insert("touchpoint".to_owned(), id.into());
            vec![Input::Event(Arc::new(told))]
        }
        ["identify", traits @ ..] => {
            let mut event = Event::track("", now);
            event.kind = EventKind::Identify;
            event.traits = Some(fields(traits));
            vec![Input::Event(Arc::new(event))]
        }
        ["group", id, traits @ ..] => {
            let mut event = event(story, now, traits);
            event.kind = EventKind::Group;
            let mut account = std::mem::take(&mut event.properties);
            account.insert("id".to_owned(), (*id).into());
            let account = ("account".to_owned(), account.into());
            event.traits = Some(Fields::from_iter([account]));
            vec![Input::Event(Arc::new(event))]
        }
        _event => vec![Input::Event(Arc::new(event(story, now, words)))],
    }
}

/// `most=N/week`, `days=mon-fri`, `hours=09:00-18:00`, `until=TIME`, `language=ru`, `+topic`, `-topic`.
fn wishes(story: &StoryWorld, words: &[&str]) -> Wishes {
    let told = |name: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    let frequency = told("most").map(|text| {
        let (most, per) = text.split_once('/').expect("N/week");
        let per = match per {
            "week" => Per::Week,
            _month => Per::Month,
        };
        Frequency::new(most.parse().expect(most), per).expect(text)
    });
    let (days, hours) = (told("days"), told("hours"));
    let window = (days.is_some() || hours.is_some())
        .then(|| Window::parse(days, hours).expect("days and hours"));
    let answers = words.iter().filter_map(|word| {
        let (answer, topic) = match word.split_at(1) {
            ("+", topic) => (Consent::Granted, topic),
            ("-", topic) => (Consent::Denied, topic),
            _another_wish => return None,
        };
        let about = match Channel::from_word(topic) {
            Some(channel) => About::Channel(channel),
            None => About::Topic(Topic::from(topic)),
        };
        Some((about, answer))
    });
    Wishes {
        preferences: Preferences {
            frequency,
            window,
            paused_until: told("until")
                .map(|text| story.zone.at(parse_moment(&text.replace('_', " ")))),
        },
        answers: answers.collect(),
        language: told("language").map(str::to_owned),
        evidence: Evidence::of(Source::PreferencePage),
    }
}

/// The message with this template: the last that a run came to, and still waits for or has passed.
fn message(driver: &Driver, contact: ContactId, template: &str) -> TouchpointId {
    let sent = match driver {
        Driver::ByHand(rig) => rig
            .dispatched(contact)
            .map(|(name, id, _)| (name.clone(), id))
            .collect(),
        Driver::Play(play) => play_messages(play, contact),
    };
    let mut ids = sent
        .into_iter()
        .filter(|(name, _)| name.as_str() == template);
    ids.next_back().expect(template).1
}

/// The player settles its messages itself; each id derives from run and step.
fn play_messages(play: &Play, contact: ContactId) -> Vec<(TemplateId, TouchpointId)> {
    let runs = &play.contact(contact).expect("contact").enrollments;
    let mut found = Vec::new();
    for run in runs {
        let journey = play
            .world
            .journey(&run.journey, run.version)
            .expect("journey");
        found.extend(journey.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Send { send, .. } => {
                let id = TouchpointId::derive(run.id, step.key.as_str(), 1);
                Some((send.template.clone(), id))
            }
            _other_step => None,
        }));
    }
    found
}

/// `settle OUTCOME [TEMPLATE] [attempt=N]`: of messages in flight, or by hand of any that was.
fn settle(driver: &Driver, contact: ContactId, outcome: &str, rest: &[&str]) -> Vec<Input> {
    let Driver::ByHand(rig) = driver else {
        panic!("the player settles by itself; say `wire by hand`")
    };
    let outcome = match outcome {
        "accepted" => Outcome::Accepted,
        "soft" => Outcome::RefusedSoft("451 later".to_owned()),
        "hard" => Outcome::RefusedHard {
            text: "550 no".to_owned(),
            address_is_bad: false,
        },
        "bad_address" => Outcome::RefusedHard {
            text: "550 who".to_owned(),
            address_is_bad: true,
        },
        "postponed" => Outcome::Postponed { seconds: 60 },
        "template" => Outcome::TemplateFailed("undefined".to_owned()),
        "unconfigured" => Outcome::ChannelNotConfigured,
        "unknown" => Outcome::Unknown,
        "missed" => Outcome::Missed,
        "withdrawn" => Outcome::Withdrawn(relance_core::ledger::Reason::Exited),
        other => panic!("no outcome: {other}"),
    };
    let attempt = rest
        .iter()
        .find_map(|word| word.strip_prefix("attempt=")?.parse().ok());
    let template = rest.iter().find(|word| !word.contains('='));
    rig.dispatched(contact)
        .filter(|(name, ..)| template.is_none_or(|wanted| name.as_str() == *wanted))
        .map(|(_, touchpoint, last)| Input::Settle {
            touchpoint,
            attempt: attempt.unwrap_or(last),
            outcome: outcome.clone(),
        })
        .collect()
}

/// `Event Name key=value ...`; `document=d1` also makes it the subject, `at=TIME` tells when it was, `traits.x=1`
/// tells a trait.
fn event(story: &StoryWorld, now: Timestamp, words: &[&str]) -> Event {
    let names = words.iter().take_while(|word| !word.contains('='));
    let name = names.copied().collect::<Vec<_>>().join(" ");
    let mut event = Event::track(&name, now);
    for word in words.iter().filter(|word| word.contains('=')) {
        let (key, text) = word.split_once('=').expect("key=value");
        match key {
            "at" => event.at = story.zone.at(parse_moment(text)),
            "document" | "order" | "deal" | "cart" => {
                event.subject = Some(SubjectRef {
                    kind: key.into(),
                    id: text.into(),
                });
            }
            _told => match key.strip_prefix("traits.") {
                Some(name) => {
                    let traits = event.traits.get_or_insert_default();
                    traits.insert(name.to_owned(), value(text));
                }
                None => drop(event.properties.insert(key.to_owned(), value(text))),
            },
        }
    }
    if let Some(subject) = &event.subject {
        event.objects = vec![ObjectPatch {
            subject: subject.clone(),
            fields: event.properties.clone(),
        }];
    }
    event
}

fn fields(words: &[&str]) -> Fields {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs
        .map(|(key, text)| (key.to_owned(), value(text)))
        .collect()
}
