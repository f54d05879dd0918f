//! Verdicts, against what conditions simply say when everything is known and every moment is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use relance_core::condition::{Changing, Condition, Did, Knows, Operand, Part, Scene, Test};
use relance_core::contact::Contact;
use relance_core::event::{Event, History};
use relance_core::ids::{ContactId, EventName, ObjectKind, SegmentId, SubjectRef};
use relance_core::rfm::{Rfm, RfmBounds, Scores};
use relance_core::segment::{Membership, Memberships};
use relance_core::subject::Object;
use relance_core::time::{Calendar, Delay, Zone};
use relance_core::value::{FieldPath, Root, Value};

use crate::time::{cases, story_calendar};

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Cairo",
];
/// Round ends of months, changes of the clocks, a day that was skipped, days off.
const MOMENTS: [&str; 8] = [
    "2026-03-29T00:30:00Z",
    "2026-03-31T12:00:00Z",
    "2026-10-25T00:30:00Z",
    "2026-02-28T23:30:00Z",
    "2024-02-29T10:00:00Z",
    "2011-12-30T12:00:00Z",
    "2026-01-09T08:00:00Z",
    "2026-11-01T05:30:00Z",
];
const DELAYS: [&str; 12] = [
    "90m", "36h", "1d", "3d", "1w", "1mo", "1y", "1mo 2d", "1d 12h", "1bd", "3bd", "0bd",
];

fn delay(text: &str) -> Delay {
    text.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Moments in between that may tell a difference: every so often, and close to both ends.
fn between(
    now: Timestamp,
    until: Option<Timestamp>,
    most: SignedDuration,
    step: i64,
) -> Vec<Timestamp> {
    let end = until.unwrap_or(now + most).min(now + most);
    let mut moments = Vec::new();
    let mut at = now;
    while at < end {
        moments.push(at);
        at += minutes(step);
    }
    let least = SignedDuration::from_millis(1);
    for near in [
        end - least,
        end - minutes(1),
        end - minutes(30),
        now + least,
    ] {
        if near > now && near < end {
            moments.push(near);
        }
    }
    moments
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn nothing_passes_before_its_time(
        zone in prop::sample::select(&ZONES[..]),
        moment in prop::sample::select(&MOMENTS[..]),
        length in prop::sample::select(&DELAYS[..]),
        off in -4_000i64..4_000,
        apart in -6_000i64..6_000,
        millis in 0i64..3,
        ahead in any::<bool>(),
    ) {
        let zone = Zone::parse(zone).unwrap();
        let calendar = story_calendar();
        let delay = delay(length);
        let now = moment.parse::<Timestamp>().unwrap() + minutes(off);
        let moved = |at| match ahead {
            true => delay.add(at, &zone, &calendar),
            false => delay.sub(at, &zone, &calendar),
        };
        let at = moved(now) + minutes(apart) + SignedDuration::from_millis(millis);
        let until = match ahead {
            true => delay.reached_at(at, now, &zone, &calendar),
            false => delay.left_at(at, now, &zone, &calendar),
        };
        prop_assert!(until.is_none_or(|until| until > now));
        let most = SignedDuration::from_hours(24 * 12);
        for here in between(now, until, most, 11) {
            prop_assert_eq!(moved(here) > at, moved(now) > at, "at {}, until {:?}", here, until);
        }
    }

    #[test]
    fn a_window_is_left_after_few_looks(
        zone in prop::sample::select(&ZONES[..]),
        moment in prop::sample::select(&MOMENTS[..]),
        length in prop::sample::select(&DELAYS[..]),
        off in -100_000i64..100_000,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let calendar = story_calendar();
        // None at all leaves and comes back on each day off.
        prop_assume!(length != "0bd");
        let delay = delay(length);
        let at = moment.parse::<Timestamp>().unwrap() + minutes(off);
        let mut now = at;
        let mut looks = 0;
        while let Some(until) = delay.left_at(at, now, &zone, &calendar) {
            now = until;
            looks += 1;
            prop_assert!(looks < 40, "{at} {now}");
        }
        prop_assert!(delay.sub(now, &zone, &calendar) > at);
    }
}

/// A contact, its past, and a moment.
#[derive(Debug, Clone)]
struct Life {
    contact: Contact,
    history: History,
    memberships: Memberships,
    objects: BTreeMap<SubjectRef, Object>,
    zone: Zone,
    calendar: Calendar,
    rfm: Option<RfmBounds>,
    now: Timestamp,
}

impl Life {
    fn scene(&self, now: Timestamp) -> Scene<'_> {
        Scene {
            contact: &self.contact,
            subject: None,
            event: None,
            history: &self.history,
            memberships: &self.memberships,
            objects: &self.objects,
            rfm: self.rfm.as_ref(),
            zone: &self.zone,
            calendar: &self.calendar,
            now,
        }
    }
}

const NAMES: [&str; 3] = ["A", "B", "Order Completed"];
const SEGMENTS: [&str; 2] = ["s", "t"];

fn an_event(now: Timestamp, (name, ago, number, odd): (usize, i64, i64, u8)) -> Event {
    let mut event = Event::track(NAMES[name % NAMES.len()], now - minutes(ago));
    event.properties.insert("n".to_owned(), number.into());
    event
        .properties
        .insert("total".to_owned(), (number * 10).into());
    if odd == 0 {
        event
            .properties
            .insert("machine".to_owned(), Value::Bool(true));
    }
    event
}

fn events() -> impl Strategy<Value = Vec<(usize, i64, i64, u8)>> {
    // A little of it in the future: clocks run ahead.
    let one = (0usize..3, -3_000i64..60_000, 0i64..4, 0u8..8);
    prop::collection::vec(one, 0..10)
}

prop_compose! {
    fn lives()(
        zone in prop::sample::select(&ZONES[..]),
        moment in prop::sample::select(&MOMENTS[..]),
        off in -4_000i64..4_000,
        past in events(),
        x in prop::option::of(0i64..4),
        when in prop::option::of(-60_000i64..6_000),
        civil in any::<bool>(),
        member in prop::collection::vec(any::<bool>(), 2),
        deals in prop::collection::vec(0i64..4, 0..3),
        scored in any::<bool>(),
    ) -> Life {
        let now = moment.parse::<Timestamp>().unwrap() + minutes(off);
        let mut contact = Contact::new(ContactId(1), now);
        if let Some(x) = x {
            contact.traits.insert("x".to_owned(), x.into());
        }
        if let Some(ago) = when {
            let at = now - minutes(ago);
            let text = match civil {
                true => Zone::utc().local(at).date().to_string(),
                false => at.to_string(),
            };
            contact.traits.insert("when".to_owned(), text.into());
        }
        let history = past.into_iter().map(|one| Arc::new(an_event(now, one))).collect();
        let memberships = SEGMENTS.iter().zip(member).map(|(id, member)| {
            (SegmentId::from(*id), Membership { member, due: None })
        });
        let objects = deals.into_iter().enumerate().map(|(at, n)| {
            let id = format!("d{at}");
            let subject = SubjectRef { kind: "deal".into(), id: id.as_str().into() };
            let mut object = Object::new(subject.clone(), now);
            object.fields.insert("n".to_owned(), n.into());
            (subject, object)
        });
        Life {
            contact,
            history: History::new(history),
            memberships: memberships.collect(),
            objects: objects.collect(),
            zone: Zone::parse(zone).unwrap(),
            calendar: story_calendar(),
            rfm: scored.then_some(RfmBounds {
                recency_days: [1.0, 3.0, 10.0, 30.0],
                orders: [1.0, 2.0, 3.0, 4.0],
                money: [10.0, 20.0, 30.0, 40.0],
            }),
            now,
        }
    }
}

fn path(root: Root, name: &str) -> FieldPath {
    FieldPath {
        root,
        names: [name.into()].into(),
    }
}

fn number(root: Root, name: &'static str) -> impl Strategy<Value = Condition> {
    (0i64..4, 0u8..4).prop_map(move |(n, kind)| {
        let operand = Operand::Value(n.into());
        let test = match kind {
            0 => Test::Eq(n.into()),
            1 => Test::Gt(operand),
            2 => Test::Lte(operand),
            _exists => Test::Exists(n > 0),
        };
        let path = path(root, name);
        Condition::Field { path, test }
    })
}

fn dated() -> impl Strategy<Value = Condition> {
    let length = prop::sample::select(&DELAYS[..]);
    (length, 0u8..6, any::<bool>()).prop_map(|(length, kind, ago)| {
        let operand = match ago {
            true => Operand::Ago(delay(length)),
            false => Operand::In(delay(length)),
        };
        let test = match kind {
            0 => Test::Before(operand),
            1 => Test::After(operand),
            2 => Test::Gt(operand),
            3 => Test::Gte(operand),
            4 => Test::Lt(operand),
            _lte => Test::Lte(operand),
        };
        Condition::Field {
            path: path(Root::Contact, "when"),
            test,
        }
    })
}

fn did() -> impl Strategy<Value = Did> {
    let within = prop::option::of(prop::sample::select(&DELAYS[..]));
    let filter = prop::option::of(prop_oneof![
        number(Root::Event, "n"),
        number(Root::Contact, "x"),
    ]);
    let one = (
        0usize..3,
        0u32..4,
        prop::option::of(0u32..3),
        within,
        filter,
    );
    let one = one.prop_map(|(name, times_min, times_max, within, filter)| Did {
        event: NAMES[name].into(),
        times_min,
        times_max,
        within: within.map(delay),
        filter: filter.map(Box::new),
        then: None,
    });
    prop::collection::vec(one, 1..4).prop_map(|links| {
        let mut then = None;
        for mut link in links.into_iter().rev() {
            link.then = then.map(Box::new);
            then = Some(link);
        }
        then.unwrap()
    })
}

fn scored() -> impl Strategy<Value = Condition> {
    (1u8..=5, 1u8..=5, 0u8..3).prop_map(|(one, other, which)| {
        let scores = Some(Scores {
            least: one.min(other),
            most: one.max(other),
        });
        Condition::Rfm(Rfm {
            event: "Order Completed".into(),
            sum: ["total".into()].into(),
            recency: scores.filter(|_| which == 0),
            frequency: scores.filter(|_| which == 1),
            monetary: scores.filter(|_| which == 2),
            group: None,
        })
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        2 => number(Root::Contact, "x"),
        3 => dated(),
        5 => did().prop_map(Condition::Did),
        1 => prop::sample::select(&SEGMENTS[..]).prop_map(|id| Condition::InSegment(id.into())),
        1 => prop::option::of(number(Root::Subject, "n")).prop_map(|filter| Condition::Has {
            kind: "deal".into(),
            filter: filter.map(Box::new),
        }),
        1 => scored(),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|one| Condition::Not(Box::new(one))),
        ]
    })
}

fn chosen<T: Ord + Clone>(all: &[T], which: u8) -> BTreeSet<T> {
    let picked = all
        .iter()
        .enumerate()
        .filter(|(at, _)| which >> at & 1 == 1);
    picked.map(|(_, one)| one.clone()).collect()
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn a_verdict_is_what_holds_and_keeps_until_it_says(life in lives(), condition in conditions()) {
        let scene = life.scene(life.now);
        let holds = condition.holds(&scene);
        let verdict = condition.verdict(&scene, Knows::All);
        prop_assert_eq!(verdict.holds, Some(holds));
        prop_assert!(verdict.until.is_none_or(|until| until > life.now));
        let most = SignedDuration::from_hours(24 * 40);
        for here in between(life.now, verdict.until, most, 173) {
            let then = life.scene(here);
            prop_assert_eq!(condition.holds(&then), holds, "at {}, until {:?}", here, verdict.until);
        }
    }

    #[test]
    fn looking_when_told_to_sees_every_change(life in lives(), condition in conditions()) {
        let end = life.now + SignedDuration::from_hours(24 * 45);
        let mut due = Some(life.now);
        let mut looks = 0;
        let mut member = false;
        for here in between(life.now, None, end.duration_since(life.now), 97).into_iter().collect::<BTreeSet<_>>() {
            while let Some(at) = due.filter(|due| *due <= here) {
                looks += 1;
                prop_assert!(looks < 400, "time does not pass: {at}");
                let verdict = condition.verdict(&life.scene(at), Knows::All);
                member = verdict.holds.unwrap();
                due = verdict.until;
            }
            prop_assert_eq!(member, condition.holds(&life.scene(here)), "{}", here);
        }
    }

    #[test]
    fn what_is_told_from_a_part_is_told_from_all(
        life in lives(),
        condition in conditions(),
        names in 0u8..8,
        kinds in 0u8..2,
        known in 0u8..4,
        changing in 0u8..4,
        newest in (0usize..3, 0i64..4_000, 0i64..4, 0u8..8),
    ) {
        let mut life = life;
        let event = Arc::new(an_event(life.now, newest));
        life.history.push(event.clone());
        let scene = life.scene(life.now);
        let names = chosen(&NAMES.map(EventName::from), names);
        let kinds = chosen(&[ObjectKind::from("deal")], kinds);
        let known = chosen(&SEGMENTS.map(SegmentId::from), known);
        let changing = Changing {
            traits: chosen(&["x".into(), "when".into()], changing),
            segments: BTreeSet::new(),
        };
        // What is not known must not be looked at.
        let mut part = life.clone();
        let seen = NAMES.map(EventName::from).into_iter().filter(|name| names.contains(name));
        let seen: Vec<EventName> = seen.collect();
        let events = seen.iter().flat_map(|name| life.history.of(name));
        part.history = History::new(events.cloned().map(Arc::new).collect());
        part.memberships.retain(|id, _| known.contains(id));
        part.objects.retain(|subject, _| kinds.contains(&subject.kind));
        for name in &changing.traits {
            part.contact.traits.insert(name.to_string(), 2.into());
        }
        let knows = Knows::Part(Part {
            history: &names,
            kinds: &kinds,
            segments: &known,
            event: Some(&event).filter(|event| !event.by_machine()).map(|event| &**event),
            changing: Some(&changing),
        });
        let verdict = condition.verdict(&part.scene(life.now), knows);
        if let Some(told) = verdict.holds {
            prop_assert_eq!(told, condition.holds(&scene));
            let most = SignedDuration::from_hours(24 * 40);
            for here in between(life.now, verdict.until, most, 373) {
                prop_assert_eq!(condition.holds(&life.scene(here)), told, "at {}", here);
            }
        }
    }

    #[test]
    fn an_event_that_is_passed_over_moves_nobody(
        life in lives(),
        condition in conditions(),
        newest in (0usize..3, -2_000i64..60_000, 0i64..4, 1u8..8),
    ) {
        let before = condition.verdict(&life.scene(life.now), Knows::All);
        let holds = before.holds.unwrap();
        let event = an_event(life.now, newest);
        let stays = condition.rises_with(&event.name, holds)
            || condition.passes_over(&event, &life.scene(life.now));
        let mut after = life.clone();
        after.history.push(Arc::new(event));
        if stays {
            let most = SignedDuration::from_hours(24 * 40);
            for here in between(life.now, before.until, most, 373) {
                prop_assert_eq!(condition.holds(&after.scene(here)), holds, "at {}", here);
            }
        }
    }
}

#[test]
fn a_sequence_of_great_depth_over_a_long_past_is_told_in_no_time() {
    let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    let mut link = None;
    for _ in 0..16 {
        link = Some(Box::new(Did {
            event: "A".into(),
            times_min: 900,
            times_max: None,
            within: Some(delay("1y")),
            filter: None,
            then: link,
        }));
    }
    let condition = Condition::Did(*link.unwrap());
    let event = |at: i64| Arc::new(an_event(now, (0, at, 1, 1)));
    let life = Life {
        contact: Contact::new(ContactId(1), now),
        history: History::new((0..1_000).map(event).collect()),
        memberships: Memberships::new(),
        objects: BTreeMap::new(),
        zone: Zone::parse("Europe/Berlin").unwrap(),
        calendar: Calendar::weekends_only(),
        rfm: None,
        now,
    };
    // Were it tried event by event, this would not end.
    let verdict = condition.verdict(&life.scene(now), Knows::All);
    assert_eq!(verdict.holds, Some(false));
    assert!(!condition.holds(&life.scene(now)));
}
