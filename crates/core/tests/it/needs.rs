//! What [`Snapshot::needs`] asks for is enough: a decision over it alone is the decision over everything.
//!
//! Whatever a contact's past holds beyond it is taken away before one of two decisions, as the engine does not
//! load it; both must say the same. So no run goes the wrong way because nobody asked for its history.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use relance_core::contact::{Channel, Consent, SuppressionReason};
use relance_core::decide::{Answer, Effect, Input, Overdue, Starter, Timer, decide};
use relance_core::event::{Event, History};
use relance_core::ids::{SubjectRef, UserId};
use relance_core::journey::Moves;
use relance_core::snapshot::Snapshot;
use relance_core::subject::ObjectPatch;
use relance_core::touchpoint::{Outcome, Slot};
use relance_core::value::Value;
use relance_core::world::{Needs, World};

use crate::story::journey;
use crate::story::world::StoryWorld;
use crate::time::cases;

/// Journeys that look back, at every place where a journey can.
const WORLD: &str = r#"
wire by hand
mailbox sales@us.test
template s service
contact ana email=ana@client.test phone=+4912345 mailbox=sales@us.test birthday=1990-03-04
journey ping: on Ping
  reentry always
  exit Stop where did Viewed
  wait 1d
  branch
    if did Viewed
      email a1
    else
      email a2 opened 1d
        otherwise
          branch
            if did Bought
              sms a3
            else
              sms s
  wait_for any 2d
    on Answer
      set contact.vip = true
    when contact.vip = true
      branch
        if did Bought
          task "Thank"
        else
          sms a5
    when did Bought and contact.score = 1
      email a4 if did Viewed
    else
      enroll pong
  wait 1d
journey pong: on Pong
  reentry 1d
  goal Bought 3d
  wait best_hour 10:00
  branch
    if did Viewed
      set contact.timezone = Asia/Tokyo
    else
      set contact.score = 1
  email b1 approval owner
  branch
    if did Answer
      set contact.vip = false
journey offer: on "Document Sent" about document
  exit Replied
  wait until subject.due offset -1d
  branch
    if subject.amount = 10 and did Bought
      email c1 digest 1d
    else
      email c2 digest 2d
  wait_for any 3d
    when subject.paid = true
      branch
        if did Viewed
          email c3
    on Answer
      stop
journey one: on Viewed
  reentry always
  email o1
    otherwise
      branch
        if did Bought
          sms o2
  wait 3d
journey two: on Viewed
  reentry always
  email t1
    otherwise
      branch
        if did Answer
          sms t2
  wait 3d
journey vip: changed contact.vip to true
  reentry always
  email d1 if did Bought
  wait 2d
journey member: entered vips where did Viewed
  reentry always
  sms e1
  wait_for Answer 2d since_enrolled
    then
      sms e2
journey silent: inactive 2d event Ping where did Bought
  email f1
journey silent-offer: inactive 2d event "Document Sent" about document
  email f2 if did Bought
journey birthday: date contact.birthday at 09:00 yearly
  branch
    if did Bought
      email g1
journey due: date subject.due at 09:00 about document
  email g2 if did Viewed
journey weekly: schedule mon at 09:00
  email h1 if did Bought
journey letter: schedule tue at 10:00 for vips
  email h2
journey by-hand: manual where did Viewed
  reentry once
  email i1
segment buyers: did Bought
segment loyal: did Bought times 2 within 10d
segment quiet: did Viewed and not did Viewed within 2d
segment kept: contact.vip = true and did Ping sets tier gold
segment tiered: contact.tier = gold and in_segment loyal
segment score: contact.score = 1 and not in_segment buyers sets vip true
segment dear: has document amount = 10
segment strange: not did Pong
segment few: did Answer most 2
segment young: contact.since after ago 3d
segment liked: in_segment vips and not in_segment quiet
journey loyal: entered loyal where did Viewed
  reentry always
  branch
    if in_segment tiered
      email k1
    if in_segment dear and did Answer
      email k2
  wait_for any 3d
    when in_segment quiet
      email k3
    else
      set contact.score = 1
journey unquiet: left quiet
  reentry 1d
  set contact.vip = true
  branch
    if in_segment kept
      email k4 if did Bought
journey tier: changed contact.tier where did Stop
  reentry always
  email k5
journey dear: entered dear
  reentry always
  branch
    if has document paid = true
      email k6
journey news: schedule daily at 10:00 for tiered
  reentry always
  email k7 if not in_segment strange
journey liked: entered liked
  reentry always
  set contact.tier = silver
"#;

/// Newer versions, in which steps have other places, and whether a map leads runs to their first step.
const NEWER: [(&str, bool); 3] = [
    (
        "journey ping v2: on Ping
  reentry always
  branch
    if did Bought
      sms a9
  wait_for any 2d
    when contact.vip = true
      branch
        if did Viewed
          sms a7",
        true,
    ),
    (
        "journey pong v2: on Pong
  branch
    if did Viewed
      set contact.vip = true
  sms b9",
        true,
    ),
    (
        "journey two v2: on Viewed
  reentry always
  email t1
  branch
    if did Bought
      sms t2",
        false,
    ),
];

const NAMES: [&str; 13] = [
    "Ping",
    "Pong",
    "Viewed",
    "Bought",
    "Answer",
    "Stop",
    "Document Sent",
    "Replied",
    "Unsubscribed",
    "Email Bounced",
    "Email Marked as Spam",
    "Email Opened",
    "Page",
];

/// One turn of the wheel: how long after the last, which kind of thing, and a choice inside it.
type Turn = (u16, u8, u16);

struct Life {
    world: World,
    snapshot: Snapshot,
    timers: BTreeSet<Timer>,
    now: Timestamp,
}

impl Life {
    /// In half of the worlds journeys bring contacts into another zone.
    fn begin(moves: bool) -> Self {
        let world = match moves {
            true => WORLD.to_owned(),
            false => WORLD.replace("contact.timezone = Asia/Tokyo", "contact.score = 1"),
        };
        let rules: Vec<&str> = world.lines().filter(|line| !line.is_empty()).collect();
        let story = StoryWorld::read(&rules);
        let mut life = Self {
            world: story.world,
            snapshot: Snapshot::new(story.contacts[0].1.clone()),
            timers: BTreeSet::new(),
            now: "2026-03-02T08:00:00Z".parse().unwrap(),
        };
        let all = life.assess();
        life.decide(&all);
        life
    }

    fn assess(&self) -> Input {
        let all = self.world.segments().map(|segment| segment.id.clone());
        Input::Assess(all.collect())
    }

    fn turn(&mut self, (minutes, kind, choice): Turn) {
        self.now += SignedDuration::from_mins(i64::from(minutes % 2_000));
        let choice = usize::from(choice);
        let Some(input) = self.input(kind, choice) else {
            return;
        };
        self.decide(&input);
    }

    fn decide(&mut self, input: &Input) {
        let mut narrow = self.narrow(input);
        let told = decide(&self.world, &mut narrow, input, self.now);
        let effects = decide(&self.world, &mut self.snapshot, input, self.now);
        assert_eq!(told, effects, "{input:?}");
        for effect in effects {
            match effect {
                Effect::Arm(timer) => drop(self.timers.insert(timer)),
                Effect::Disarm(timer) => drop(self.timers.remove(&timer)),
                _other => {}
            }
        }
    }

    fn input(&mut self, kind: u8, choice: usize) -> Option<Input> {
        let touchpoint = |slot: fn(Slot) -> bool| {
            let mut fitting = self
                .snapshot
                .touchpoints
                .iter()
                .filter(|one| slot(one.slot()));
            let many = fitting.clone().count().max(1);
            fitting.nth(choice % many)
        };
        match kind % 16 {
            0..=5 if choice.is_multiple_of(17) => Some(Input::Echo(self.event(choice))),
            0..=5 => Some(Input::Event(self.event(choice))),
            6..=8 => {
                // As the engine does: what is due comes when it is due, or later.
                let timer = *self.timers.first()?;
                self.now = self.now.max(timer.due_at);
                Some(Input::Timer(timer))
            }
            9 | 10 => {
                let one = touchpoint(|slot| matches!(slot, Slot::Outbox(_)))?;
                if let Slot::Outbox(at) = one.slot() {
                    self.now = self.now.max(at);
                }
                Some(Input::Claim(one.id))
            }
            11 | 12 => {
                let one = touchpoint(|slot| slot == Slot::Flight)?;
                Some(Input::Settle {
                    touchpoint: one.id,
                    attempt: one.attempts,
                    outcome: match choice % 4 {
                        0 => Outcome::RefusedHard {
                            text: String::new(),
                            address_is_bad: choice.is_multiple_of(8),
                        },
                        1 => Outcome::TemplateFailed(String::new()),
                        _accepted => Outcome::Accepted,
                    },
                })
            }
            13 => {
                let one = touchpoint(|slot| matches!(slot, Slot::Timer(_)))?;
                Some(Input::Approve {
                    touchpoint: one.id,
                    by: UserId::from("boss"),
                    answer: match choice % 2 {
                        0 => Answer::Approve { text: None },
                        _skip => Answer::Skip,
                    },
                })
            }
            14 => Some(self.rarely(choice)),
            _publish => {
                let (text, mapped) = NEWER[choice % NEWER.len()];
                let lines: Vec<&str> = text.lines().collect();
                let first = ("1".into(), Some("1".into()));
                let moves = match mapped {
                    true => Moves::Map([first].into()),
                    false => Moves::Follow,
                };
                self.world.add_journey(journey::read(&lines), moves, true);
                None
            }
        }
    }

    fn rarely(&mut self, choice: usize) -> Input {
        match choice % 12 {
            0 => Input::Suppress {
                channel: Channel::Sms,
                reason: SuppressionReason::Manual,
            },
            1 | 2 => Input::Consent {
                channel: Channel::Email,
                topic: None,
                consent: [Consent::Granted, Consent::Denied][choice % 2],
                evidence: Default::default(),
            },
            3..=5 => Input::Segment {
                segment: "vips".into(),
                member: choice % 24 < 12,
            },
            6 => Input::Enroll {
                journey: "by-hand".into(),
                by: Starter::Person(UserId::from("boss")),
                subject: None,
                properties: relance_core::value::Fields::new(),
                once: None,
            },
            7 => Input::Arm("silent".into()),
            8 => Input::Arm(["due", "letter"][choice / 12 % 2].into()),
            9 => {
                self.world.set_paused(&"ping".into(), choice % 24 < 12);
                Input::Resume {
                    journey: "ping".into(),
                    overdue: Overdue::Late,
                }
            }
            10 if choice % 120 == 10 => Input::End("ping".into()),
            10 if choice % 120 == 70 => self.assess(),
            10 if choice % 1_200 == 130 => Input::Erase,
            _other => Input::Arm("birthday".into()),
        }
    }

    fn event(&self, choice: usize) -> Arc<Event> {
        let name = NAMES[choice % NAMES.len()];
        let late = match choice % 7 {
            0 => SignedDuration::from_hours(30),
            _now => SignedDuration::ZERO,
        };
        let mut event = Event::track(name, self.now - late);
        let tell = |event: &mut Event, name: &str, value: Value| {
            event
                .traits
                .get_or_insert_default()
                .insert(name.to_owned(), value);
        };
        match choice % 31 {
            0..=2 => tell(&mut event, "vip", Value::Bool(choice.is_multiple_of(2))),
            3 => tell(&mut event, "score", Value::from(1)),
            4 | 5 => {
                let zone = ["America/New_York", "Europe/Moscow"][choice % 2];
                tell(&mut event, "timezone", Value::from(zone));
            }
            6 => tell(&mut event, "birthday", Value::from("1990-03-05")),
            7 => tell(&mut event, "since", Value::from(self.now.to_string())),
            8 => tell(&mut event, "tier", Value::from("gold")),
            _no_traits => {}
        }
        if name == "Email Bounced" {
            event
                .properties
                .insert("class".to_owned(), Value::from("hard"));
        }
        if let Some(one) = self.snapshot.touchpoints.first()
            && name == "Email Opened"
        {
            let id = Value::from(one.id.to_string());
            event.properties.insert("touchpoint".to_owned(), id);
        }
        if name == "Document Sent" || choice.is_multiple_of(5) {
            let id = format!("d{}", choice % 3);
            let subject = SubjectRef {
                kind: "document".into(),
                id: id.as_str().into(),
            };
            let fields = serde_json::json!({
                "amount": choice % 2 * 10,
                "due": format!("2026-03-{:02}", 3 + choice % 20),
                "paid": choice.is_multiple_of(4),
            });
            event.objects = vec![ObjectPatch {
                subject: subject.clone(),
                fields: fields.as_object().unwrap().clone(),
            }];
            event.subject = Some(subject);
        }
        Arc::new(event)
    }

    /// The contact as the engine would have loaded it, in as many rounds as it asks for.
    fn narrow(&self, input: &Input) -> Snapshot {
        let mut loaded = Needs::default();
        for _ in 0..3 {
            let narrow = self.loaded(&loaded);
            let mut needs = narrow.needs(&self.world, input);
            if let Input::Event(event) = input
                && event.at < self.now
            {
                self.world.needs_of_late_event(event, &mut needs);
            }
            let needs = needs.without(&loaded);
            if needs.is_empty() {
                return narrow;
            }
            loaded.extend(needs);
        }
        panic!("there is no end of asking for {input:?}");
    }

    fn loaded(&self, needs: &Needs) -> Snapshot {
        let mut narrow = self.snapshot.clone();
        let asked = needs.history.iter();
        let events = asked.flat_map(|name| self.snapshot.history.of(name));
        narrow.history = History::new(events.cloned().map(Arc::new).collect());
        narrow.objects.retain(|subject, _| {
            needs.objects.contains(subject) || needs.kinds.contains(&subject.kind)
        });
        narrow
            .entries
            .retain(|entry| needs.entries.contains(&entry.journey));
        narrow
            .memberships
            .retain(|id, _| needs.segments.contains(id));
        narrow.last_event_at = narrow.last_event_at.filter(|_| needs.last_event);
        narrow
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_decision_over_what_was_asked_for_is_the_decision_over_everything(
        moves in any::<bool>(),
        turns in prop::collection::vec(any::<Turn>(), 1..120),
    ) {
        let mut life = Life::begin(moves);
        for turn in turns {
            life.turn(turn);
        }
    }
}
