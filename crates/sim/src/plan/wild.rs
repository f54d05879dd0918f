//! Journeys that nobody would write: any trigger, any steps in any order, and versions that are near
//! misses of one another.

use relance_core::condition::Condition;
use relance_core::contact::Channel;
use relance_core::ids::ObjectKind;
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Arm, Awaited, AwaitedThing, Goal, Holdout, NotifyStep, On, Promo, Recipient, Reentry, StepKind,
    Unit, Until, Wait,
};
use relance_core::time::{DateRule, Recurrence, parse_time_of_day};
use relance_core::value::{Fields, Value};

use super::words::{
    Steps, anything, begins, blank, delay, did, event, exit, field, is, message, send, set, step,
    task, wait_for_time, working_hours,
};
use super::{SEGMENT, VERSIONS, asked};
use crate::rng::Rng;

/// Steps of one version, about.
const STEPS_MAX: u32 = 9;
/// Ways inside one another.
const DEPTH_MAX: u32 = 2;
/// Events that may be awaited, end a run, or begin one.
const EVENTS: [&str; 6] = [
    "Visited",
    "Order Completed",
    "Signed Up",
    "Deal Updated",
    "Replied",
    "Left",
];
/// Channels, by how often they are used.
const CHANNELS: [Channel; 6] = [
    Channel::Email,
    Channel::Email,
    Channel::Email,
    Channel::Voice,
    Channel::Sms,
    Channel::Whatsapp,
];

/// The versions of some journeys.
pub fn drafts(rng: &mut Rng, holdout: Holdout) -> Vec<Vec<JourneyDraft>> {
    let count = rng.between(1, 4);
    (1..=count)
        .map(|number| {
            let mut author = Author {
                rng,
                journey: format!("wild{number}"),
                about: None,
                steps: 0,
                left: 0,
            };
            author.versions(holdout)
        })
        .collect()
}

/// Writes one journey.
struct Author<'a> {
    rng: &'a mut Rng,
    journey: String,
    about: Option<&'static str>,
    /// Steps written so far, in all versions: for names.
    steps: u32,
    /// Steps that may still be written in this version.
    left: u32,
}

impl Author<'_> {
    fn versions(&mut self, holdout: Holdout) -> Vec<JourneyDraft> {
        let (on, about) = self.trigger();
        self.about = about;
        let mut draft = blank(&self.journey, begins(on));
        draft.subject = about.map(ObjectKind::from);
        draft.trigger.filter = match self.rng.between(0, 5) {
            0 => self.condition(),
            _often => anything(),
        };
        let mut reentry = vec![None, Some(Reentry::Always), Some(Reentry::Once)];
        reentry.push(Some(Reentry::After(delay("3d"))));
        draft.reentry = self.rng.pick(&reentry);
        for _ in 0..self.rng.between(0, 2) {
            draft.exits.push(exit(self.rng.pick(&EVENTS)));
        }
        if self.rng.chance(200) {
            draft.goal = Some(Goal {
                event: self.rng.pick(&EVENTS).into(),
                filter: anything(),
                within: delay("5d"),
            });
        }
        if self.rng.chance(300) {
            draft.holdout = holdout;
        }
        if self.rng.chance(200) {
            draft.approval = asked(self.rng);
        }
        draft.topic = self
            .rng
            .pick(&[None, Some("news".into()), Some("lessons".into())]);
        draft.priority = self.rng.pick(&[-1, 0, 0, 1, 9]);
        self.left = STEPS_MAX;
        let count = self.rng.between(1, 5);
        draft.steps = self.several(count, 0);
        let mut versions = vec![draft];
        for _ in 1..VERSIONS {
            let mut next = versions.last().expect("a version").clone();
            for _ in 0..self.rng.between(0, 3) {
                self.change(&mut next.steps);
            }
            versions.push(next);
        }
        versions
    }

    fn trigger(&mut self) -> (On, Option<&'static str>) {
        let yearly = DateRule {
            offset: self
                .rng
                .pick(&[None, Some("-2d"), Some("+1bd")])
                .map(offset),
            at: Some(time("08:15")),
            yearly: true,
        };
        let dated = DateRule {
            offset: self
                .rng
                .pick(&[None, Some("-1d"), Some("+12h")])
                .map(offset),
            ..DateRule::default()
        };
        match self.rng.between(0, 14) {
            0 | 1 => (On::Event(self.rng.pick(&["Visited", "Left"]).into()), None),
            2 => (On::Event("Deal Updated".into()), Some("deal")),
            3 => (On::SegmentEntered(SEGMENT.into()), None),
            4 => (On::SegmentLeft(SEGMENT.into()), None),
            5 => (self.changed("contact.plan", &["pro", "free"]), None),
            6 => (self.changed("subject.stage", &["new", "won"]), Some("deal")),
            7 => (dated_by("contact.birthday", yearly), None),
            8 => (dated_by("contact.renewal", dated), None),
            9 => (dated_by("subject.due", dated), Some("deal")),
            10 => {
                let days = self.rng.pick(&[None, Some("mon,thu"), Some("last")]);
                let at = self.rng.pick(&["09:30", "02:30", "00:00"]);
                let rule = Recurrence::parse(days, at, None, None).expect("schedule");
                let segment = self.rng.chance(500).then(|| SEGMENT.into());
                (On::Schedule { rule, segment }, None)
            }
            11 => (On::Manual, None),
            12 => (On::Api, self.rng.pick(&[None, Some("deal")])),
            13 => {
                let event = self.rng.pick(&[None, Some("Visited".into())]);
                let after = delay(self.rng.pick(&["1d", "36h"]));
                (On::Inactive { event, after }, None)
            }
            _last => {
                let event = Some("Deal Updated".into());
                let after = delay("2d");
                (On::Inactive { event, after }, Some("deal"))
            }
        }
    }

    fn changed(&mut self, path: &str, values: &[&str]) -> On {
        let mut value = || match self.rng.chance(400) {
            true => Some(Value::from(self.rng.pick(values))),
            false => None,
        };
        On::Changed {
            from: value(),
            to: value(),
            path: field(path),
        }
    }

    fn condition(&mut self) -> Condition {
        match self.rng.between(0, 6) {
            0 => is("contact.plan", self.rng.pick(&["pro", "free"])),
            1 => Condition::InSegment(SEGMENT.into()),
            2 => did("Visited", 2, Some("3d")),
            3 => did("Order Completed", 1, None),
            4 => Condition::Not(Box::new(self.condition())),
            5 if self.about.is_some() => is("subject.stage", "new"),
            _else => Condition::Any(vec![
                is("contact.grade", "B"),
                did("Visited", 1, Some("1d")),
            ]),
        }
    }

    fn several(&mut self, count: i64, depth: u32) -> Steps {
        let mut steps = Vec::new();
        for _ in 0..count {
            if self.left > 0 {
                steps.push(self.any_step(depth));
            }
        }
        if steps.is_empty() && depth == 0 {
            steps.push(step(StepKind::Stop));
        }
        steps
    }

    fn way(&mut self, depth: u32) -> Steps {
        let count = self.rng.between(0, 2);
        self.several(count, depth + 1)
    }

    /// Another version is the same with a step more, a step less, or another in its place.
    fn change(&mut self, steps: &mut Steps) {
        self.left = 3;
        let at = self.rng.between(0, steps.len() as i64) as usize;
        match self.rng.between(0, 3) {
            0 => steps.insert(at, self.any_step(0)),
            1 if at < steps.len() && steps.len() > 1 => drop(steps.remove(at)),
            2 if at < steps.len() => steps[at] = self.any_step(0),
            3 if at + 1 < steps.len() => steps.swap(at, at + 1),
            _none => steps.push(self.any_step(0)),
        }
    }

    fn any_step(&mut self, depth: u32) -> StepDraft {
        self.left = self.left.saturating_sub(1);
        self.steps += 1;
        let number = self.steps;
        let is_named = self.rng.chance(700);
        let kind = self.kind(number, depth);
        StepDraft {
            id: is_named.then(|| format!("s{number}").as_str().into()),
            late: self.rng.chance(100).then(|| delay("6h")),
            ..step(kind)
        }
    }

    fn kind(&mut self, number: u32, depth: u32) -> StepKind<Steps> {
        let may_divide = depth < DEPTH_MAX;
        match self.rng.between(0, 17) {
            0..=4 => self.message(number),
            5..=7 => self.wait(),
            8 if may_divide => self.wait_for(depth),
            9 if may_divide => StepKind::Branch {
                arms: vec![(self.condition(), self.way(depth))],
                otherwise: self.way(depth),
            },
            10 if may_divide => self.split(number, depth),
            11 => task("Call"),
            12 => StepKind::Notify(notify(self.rng)),
            13 => self.set(),
            14 if self.about == Some("deal") => StepKind::Move {
                stage: "won".into(),
            },
            15 => StepKind::Promo(Promo {
                prefix: "GIFT".into(),
                save_as: "code".into(),
                valid: Some(delay("3d")),
                fields: Fields::new(),
            }),
            16 => {
                // Journeys that begin one another at the speed of their outcomes would fill the whole life.
                let later = ["wild1", "wild2", "wild3"]
                    .into_iter()
                    .filter(|one| **one > *self.journey);
                let mut other: Vec<&str> = later.collect();
                other.extend(["news", "trial", "nobody", "tips"]);
                StepKind::Enroll(self.rng.pick(&other).into())
            }
            17 if depth > 0 => StepKind::Stop,
            _else => self.wait(),
        }
    }

    fn message(&mut self, number: u32) -> StepKind<Steps> {
        let template = format!("{}-{number}", self.journey);
        let channel = self.rng.pick(&CHANNELS);
        let mut own = message(channel, &template);
        if self.rng.chance(150) {
            own.approval = Some(asked(self.rng));
        }
        if self.rng.chance(200) {
            own.when = Some(self.condition());
        }
        if self.rng.chance(150) {
            own.content = Some("tips".into());
        }
        if channel == Channel::Email {
            match self.rng.between(0, 5) {
                0 => own.opened_within = Some(delay(self.rng.pick(&["2h", "1d"]))),
                1 if self.about.is_some() => own.digest = Some(delay("12h")),
                _often => {}
            }
        }
        let otherwise = match self.rng.chance(400) {
            true => {
                let other = self.rng.pick(&CHANNELS);
                vec![step(send(
                    message(other, &format!("{template}-otherwise")),
                    vec![],
                ))]
            }
            false => vec![],
        };
        send(own, otherwise)
    }

    fn wait(&mut self) -> StepKind<Steps> {
        let until = match self.rng.between(0, 8) {
            0 => Until::TimeOfDay(time(self.rng.pick(&["09:00", "02:30", "18:00"]))),
            1 => Until::Date {
                path: field("contact.renewal"),
                rule: DateRule {
                    offset: self.rng.pick(&[None, Some("-1d")]).map(offset),
                    ..DateRule::default()
                },
            },
            2 => Until::Date {
                path: field("contact.birthday"),
                rule: DateRule {
                    yearly: true,
                    ..DateRule::default()
                },
            },
            3 => Until::BestHour {
                fallback: time("11:00"),
            },
            _often => {
                let text = self.rng.pick(&["5m", "2h", "1d", "2d", "2bd", "1w"]);
                return wait_for_time(text, self.rng.chance(200));
            }
        };
        StepKind::Wait(Wait {
            until,
            window: self.rng.chance(200).then(working_hours),
        })
    }

    fn wait_for(&mut self, depth: u32) -> StepKind<Steps> {
        let mut awaited = Vec::new();
        for _ in 0..self.rng.between(1, 3) {
            let then = self.way(depth);
            awaited.push(match self.rng.chance(300) {
                true => Awaited {
                    what: AwaitedThing::Condition(self.condition()),
                    then,
                },
                false => event(self.rng.pick(&EVENTS), self.rng.chance(300), then),
            });
        }
        let timeout = self
            .rng
            .chance(900)
            .then(|| delay(self.rng.pick(&["3h", "1d", "2d"])));
        let otherwise = match timeout {
            Some(_) => self.way(depth),
            None => vec![],
        };
        StepKind::WaitFor {
            awaited,
            timeout,
            otherwise,
        }
    }

    fn split(&mut self, number: u32, depth: u32) -> StepKind<Steps> {
        let arms = ["A", "B", "C"]
            .into_iter()
            .take(self.rng.between(2, 3) as usize);
        let arms: Vec<&str> = arms.collect();
        StepKind::Split {
            arms: arms
                .into_iter()
                .enumerate()
                .map(|(at, variant)| Arm {
                    variant: variant.into(),
                    weight: if at == 0 {
                        1
                    } else {
                        self.rng.between(0, 3) as u32
                    },
                    then: self.way(depth),
                })
                .collect(),
            by: self.rng.pick(&[Unit::Contact, Unit::Account]),
            experiment: self
                .rng
                .chance(300)
                .then(|| format!("{}-{number}", self.journey).as_str().into()),
        }
    }

    fn set(&mut self) -> StepKind<Steps> {
        match (self.rng.between(0, 4), self.about) {
            (0, _) => set("contact.plan", "pro"),
            (1, _) => set("contact.timezone", self.rng.pick(&super::ZONES)),
            (2, Some("deal")) => set("subject.stage", "won"),
            (3, _) => set(
                "contact.renewal",
                self.rng.pick(&["2026-03-18", "2026-03-11"]),
            ),
            _else => set("contact.grade", "A"),
        }
    }
}

/// A word to one of ours.
pub fn notify(rng: &mut Rng) -> NotifyStep {
    NotifyStep {
        to: rng.pick(&[
            Recipient::Owner,
            Recipient::Role("sales".into()),
            Recipient::User("boss@us.test".into()),
        ]),
        text: "Look at {{ contact.name }}".into(),
        template: None,
    }
}

fn dated_by(path: &str, rule: DateRule) -> On {
    On::Date {
        path: field(path),
        rule,
    }
}

fn offset(text: &str) -> relance_core::time::Offset {
    text.parse().expect("offset")
}

fn time(text: &str) -> jiff::civil::Time {
    parse_time_of_day(text).expect("time of day")
}
