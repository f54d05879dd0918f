//! Random lives over random journeys, told by hand: messages stay in flight, fail, come back; journeys are
//! paused; people unsubscribe. After every decision what must always hold is looked at.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;

use jiff::Timestamp;
use proptest::prelude::*;
use relance_core::condition::Scene;
use relance_core::contact::Consent;
use relance_core::decide::{Effect, TimerKind, decide};
use relance_core::enrollment::EnrollmentState;
use relance_core::ids::{ContactId, EnrollmentId, StepKey, TouchpointId};
use relance_core::journey::Recipient;
use relance_core::ledger::{Reason, What};
use relance_core::segment::timer_hash;
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::{Slot, TouchpointState};
use relance_core::world::World;

use crate::story::act::{self, Driver};
use crate::story::entropy::Entropy;
use crate::story::rig::Rig;
use crate::story::world::StoryWorld;

const DEPTH_MAX: usize = 2;

/// Segments by what was done, by time alone, by traits, objects and other segments.
const SEGMENTS: [&str; 8] = [
    "segment fresh: did Ping within 2d",
    "segment gone: did Ping and not did Ping within 3d",
    "segment many: did Ping times 3 within 1mo",
    "segment pro: contact.plan = pro sets tier gold",
    "segment due: contact.day after ago 5d",
    "segment good: in_segment vip and in_segment fresh",
    "segment strange: not did Paid sets tier none",
    "segment old: has document stage = old and not contact.tier = gold",
];

/// A world with two or three journeys that have something of everything.
fn world(entropy: &mut Entropy<'_>) -> String {
    let mut text = String::from(
        "wire by hand\nquiet email 21:00-09:00\nmailbox sales@us.test\nlist lessons one two three\n\
         template receipt service\ncontact ana email=ana@client.test phone=+1 mailbox=sales@us.test\n\
         contact bob email=bob@client.test account=acme\n",
    );
    if entropy.below(2) == 1 {
        text.push_str("cap 1 in 1\n");
    }
    if entropy.below(4) == 1 {
        text.push_str("holdout 40%\n");
    }
    for segment in SEGMENTS {
        if entropy.below(3) > 0 {
            writeln!(text, "{segment}").unwrap();
        }
    }
    for at in 0..entropy.below(3) + 1 {
        let trigger = entropy.one(&[
            "on Ping",
            "on Sent about document",
            "entered vip",
            "left vip",
            "changed contact.plan",
            "entered fresh",
            "left fresh",
            "entered gone",
            "left good",
            "changed contact.tier",
            "schedule daily at 11:00 for fresh",
            "date contact.day at 10:00",
            "schedule daily at 10:00 for vip",
            "inactive 2d",
            "inactive 1d about document event Sent",
            "manual",
            "changed subject.stage about document",
        ]);
        let has_subject = trigger.contains("about document");
        writeln!(text, "journey j{at}: {trigger}").unwrap();
        let heads = [
            "reentry always",
            "exit Replied",
            "goal Paid 5d",
            "holdout 50%",
            "approval owner expires 1d lapse send",
            "approval role:head expires 1d lapse call",
            "approval owner expires 12h lapse stop",
            "priority 5",
            "topic news",
        ];
        for head in heads {
            let is_approval_twice = head.starts_with("approval") && text.ends_with("lapse send\n");
            if entropy.below(3) == 1 && !is_approval_twice {
                writeln!(text, "  {head}").unwrap();
            }
        }
        steps(entropy, &mut text, 0, has_subject);
    }
    text
}

fn steps(entropy: &mut Entropy<'_>, text: &mut String, depth: usize, has_subject: bool) {
    let indent = " ".repeat(2 + 4 * depth);
    for _ in 0..entropy.below(4) + 1 {
        let kind = entropy.below(20);
        let mut ways = |head: &str, ways: &[&str], text: &mut String| {
            writeln!(text, "{indent}{head}").unwrap();
            for way in ways {
                writeln!(text, "{indent}  {way}").unwrap();
                steps(entropy, text, depth + 1, has_subject);
            }
        };
        let deep = depth < DEPTH_MAX;
        let line = match kind {
            0 | 1 => "wait 1d",
            2 => "wait 3h in mon-fri 09:00-18:00",
            3 => "wait until 12:00",
            4 => "wait until contact.day at 15:00",
            5 => "wait best_hour 11:00",
            6 | 7 => "email plain",
            8 => "email receipt",
            9 => "email lesson content lessons",
            10 if has_subject => "email due digest 3h",
            11 if deep => {
                ways("email look opened 1d", &["otherwise"], text);
                continue;
            }
            12 if deep => {
                ways("sms text", &["otherwise"], text);
                continue;
            }
            13 if deep => {
                ways(
                    "wait_for any 1d",
                    &["on Paid", "when contact.plan = pro", "else"],
                    text,
                );
                continue;
            }
            14 if deep => {
                ways("wait_for Replied 1d", &["then", "else"], text);
                continue;
            }
            15 if deep => {
                ways("split", &["arm A 1", "arm B 2"], text);
                continue;
            }
            16 => "notify owner Look",
            17 => "set contact.plan = pro",
            18 => "enroll j1",
            19 => "promo BACK 1d",
            _deeper => "task Call",
        };
        writeln!(text, "{indent}{line}").unwrap();
    }
}

/// What happens all the time.
const OFTEN: &[&str] = &[
    "Ping",
    "Ping",
    "Ping",
    "Sent document=d1 mailbox=sales@us.test",
    "Sent document=d2",
    "Sent document=d3 stage=new",
    "Sent document=d1 stage=old",
    "settle accepted",
    "settle accepted",
    "settle accepted",
    "settle soft",
    "settle postponed",
    "approve",
    "approve",
    "enters vip",
    "leaves vip",
    "identify plan=pro",
    "identify plan=free",
    "identify day=2026-03-09",
    "identify day=1990-03-04",
    "synced sales@us.test",
    "synced sales@us.test",
    "starts j0",
    "starts j1",
    "pause j0",
    "resume j0 late",
    "resume j0 shift",
    "resume j0 skip",
    "resume j1",
];

/// What happens now and then.
const SELDOM: &[&str] = &[
    "Replied",
    "Replied document=d1",
    "Paid document=d1",
    "Paid",
    "settle hard",
    "settle unknown",
    "settle withdrawn",
    "settle template",
    "skip",
    "call",
    "identify timezone=Asia/Tokyo",
    "identify timezone=America/New_York",
    "identify timezone=null",
    "pause j1",
    "consent granted",
    "consent denied news",
    "Email Opened machine=true",
    "Email Bounced class=soft",
];

/// What mostly happens once.
const RARELY: &[&str] = &[
    "consent denied",
    "suppress email",
    "settle bad_address",
    "Email Bounced class=hard",
    "Unsubscribed topic=news",
    "erase",
    "archive j1",
];

fn acts(entropy: &mut Entropy<'_>) -> String {
    let who = entropy.one(&["ana", "bob"]);
    let acts = match entropy.below(40) {
        0..30 => OFTEN,
        30..39 => SELDOM,
        _last => RARELY,
    };
    format!("{who} {}", entropy.one(acts))
}

/// What must hold over all decisions.
#[derive(Default)]
struct Audit {
    ids: BTreeMap<(EnrollmentId, StepKey), TouchpointId>,
    settled: BTreeSet<TouchpointId>,
    was_in_flight: BTreeSet<TouchpointId>,
    held_out: BTreeSet<EnrollmentId>,
    finished: BTreeSet<EnrollmentId>,
    wrong: Vec<String>,
}

impl Audit {
    fn says(&mut self, now: Timestamp, what: &str, more: &dyn std::fmt::Debug) {
        self.wrong.push(format!("{now}: {what}: {more:?}"));
    }

    fn look(&mut self, world: &World, after: &Snapshot, effects: &[Effect], now: Timestamp) {
        for effect in effects {
            match effect {
                Effect::Touchpoint(message) => {
                    let of_run =
                        message.recipient == Recipient::Contact && message.members.is_empty();
                    let key = (message.enrollment, message.step.clone());
                    if of_run && *self.ids.entry(key).or_insert(message.id) != message.id {
                        // A digest that was inherited keeps the id of the one that began it.
                        let is_digest = message.template.as_str() == "due";
                        if !is_digest {
                            self.says(now, "two messages of one step", message);
                        }
                    }
                    if self.settled.contains(&message.id) {
                        self.says(now, "settled messages stay settled", message);
                    }
                    if let TouchpointState::Settled { .. } = message.state {
                        self.settled.insert(message.id);
                    }
                    if let TouchpointState::Sending { .. } = message.state {
                        self.was_in_flight.insert(message.id);
                        self.leaves(world, after, message, now);
                    }
                }
                Effect::Ledger(line) => {
                    let Some(run) = line.enrollment else { continue };
                    let of_all = line.detail.as_deref() == Some("*");
                    if line.what == What::Enrolled
                        && line.reason == Some(Reason::Holdout)
                        && !of_all
                    {
                        self.held_out.insert(run);
                    }
                    let ends = matches!(line.what, What::Finished | What::Exited);
                    if ends && !self.finished.insert(run) {
                        self.says(now, "a run ends once", line);
                    }
                    if line.reason == Some(Reason::StepGone) {
                        self.says(now, "no step is gone", line);
                    }
                }
                _other_effect => {}
            }
        }
        self.stands(after, now);
    }

    /// A message passed the last gate.
    fn leaves(
        &mut self,
        world: &World,
        after: &Snapshot,
        message: &relance_core::touchpoint::Touchpoint,
        now: Timestamp,
    ) {
        if after.contact.erased {
            self.says(now, "nothing leaves about the erased", message);
        }
        if message.recipient != Recipient::Contact {
            return;
        }
        if world.is_paused(&message.journey) {
            self.says(now, "nothing leaves in a pause", message);
        }
        if self.held_out.contains(&message.enrollment) {
            self.says(now, "holdout receives nothing", message);
        }
        let service = world
            .templates
            .get(&message.template)
            .is_some_and(|facts| facts.service);
        let share = world.policy.holdout;
        if !service && world.in_share(&after.contact, "*", share.by, share.permille) {
            self.says(now, "the control group of all receives nothing", message);
        }
        if after.contact.suppressed.contains_key(&message.channel) {
            self.says(now, "suppressed contact is never sent", message);
        }
        let consent = after.contact.channel_consents.get(&message.channel);
        if !service && consent.is_some_and(|record| *record == Consent::Denied) {
            self.says(now, "no message without consent", message);
        }
        if !message.approval.is_auto() && message.approved_by.is_none() {
            self.says(now, "no message without required approval", message);
        }
        let run = after.enrollment(message.enrollment);
        if !run.is_some_and(|run| run.is_running()) {
            self.says(now, "no message of an ended run", message);
        }
        let silence = message.silence.as_ref();
        if silence.is_some_and(|silence| !silence.is_known(&world.synced, &world.forgotten, now)) {
            self.says(now, "no reminder without known silence", message);
        }
    }

    /// Runs and messages fit together.
    fn stands(&mut self, after: &Snapshot, now: Timestamp) {
        for run in &after.enrollments {
            if let EnrollmentState::Sending { touchpoint, .. } = &run.state {
                let open = after.touchpoint(*touchpoint);
                if !open.is_some_and(|message| message.is_of(run.id)) {
                    self.says(now, "a run that sends has an open message", run);
                }
            }
        }
        for message in &after.touchpoints {
            if message.recipient != Recipient::Contact {
                continue;
            }
            let runs = std::iter::once(message.enrollment)
                .chain(message.members.iter().map(|member| member.enrollment));
            for id in runs {
                let sends = after.enrollment(id).is_some_and(|run| {
                    matches!(&run.state, EnrollmentState::Sending { touchpoint, .. }
                        if *touchpoint == message.id)
                });
                // What was in flight when its run ended is settled, or tried and dropped.
                if !sends && !self.was_in_flight.contains(&message.id) {
                    self.says(now, "an open message belongs to a run that sends", message);
                }
            }
        }
    }
}

/// One timer for each that waits, and none else.
fn timers_fit(rig: &Rig, contacts: &[ContactId]) -> Option<String> {
    let mut wanted = BTreeSet::new();
    for id in contacts {
        let snapshot = rig.contact(*id);
        for run in &snapshot.enrollments {
            let timer = TimerKind::Enrollment(run.id.number);
            wanted.extend(run.timer_at().map(|at| (at, *id, timer)));
        }
        for message in &snapshot.touchpoints {
            if let Slot::Timer(at) = message.slot() {
                wanted.insert((at, *id, TimerKind::Touchpoint(message.id.hash)));
            }
        }
        for watch in &snapshot.watches {
            wanted.insert((watch.due_at, *id, TimerKind::Watch(watch.hash())));
        }
        for (segment, standing) in &snapshot.memberships {
            let timer = TimerKind::Segment(timer_hash(segment));
            wanted.extend(standing.due.map(|due| (due, *id, timer)));
        }
    }
    (wanted != *rig.timers()).then(|| format!("timers {:?}\nwanted {wanted:?}", rig.timers()))
}

/// Everybody belongs where they belong, at every moment.
fn members_fit(rig: &Rig, contacts: &[ContactId]) -> Option<String> {
    for id in contacts {
        let snapshot = rig.contact(*id);
        let world = &rig.world;
        let scene = Scene {
            contact: &snapshot.contact,
            subject: None,
            event: None,
            history: &snapshot.history,
            memberships: &snapshot.memberships,
            objects: &snapshot.objects,
            rfm: None,
            zone: &world.zone_of(&snapshot.contact),
            calendar: &world.calendar_of(&snapshot.contact),
            now: rig.now(),
        };
        for segment in world.segments() {
            let belongs = !snapshot.contact.erased
                && segment.condition().is_some_and(|one| one.holds(&scene));
            if scene.is_member(&segment.id) != belongs {
                return Some(format!("{id} in {}: {belongs}", segment.id));
            }
        }
    }
    None
}

fn live(bytes: &[u8]) -> Result<(), String> {
    let mut entropy = Entropy::new(bytes);
    let mut told = world(&mut entropy);
    let story = StoryWorld::read(&told.lines().collect::<Vec<_>>());
    let contacts: Vec<ContactId> = story.contacts.iter().map(|(_, one)| one.id).collect();
    let mut driver = story.driver();
    let audit = Rc::new(RefCell::new(Audit::default()));
    if let Driver::ByHand(rig) = &mut driver {
        let audit = audit.clone();
        rig.auditor = Some(Box::new(move |world, _before, after, effects, now| {
            audit.borrow_mut().look(world, after, effects, now);
        }));
    }
    for who in ["ana", "bob"] {
        let line = format!("2026-03-02 09:00 {who} assess");
        act::happen(&story, &mut driver, &line, &mut Vec::new());
    }
    let mut minutes: u64 = 9 * 60;
    while !entropy.is_empty() && minutes < 60 * 24 * 25 {
        minutes += entropy.one(&[0, 1, 5, 60, 240, 600, 1_440, 2_900]);
        let (day, rest) = (2 + minutes / 1_440, minutes % 1_440);
        let mut line = format!("2026-03-{day:02} {:02}:{:02}", rest / 60, rest % 60);
        line = format!("{line} {}", acts(&mut entropy));
        writeln!(told, "{line}").unwrap();
        act::happen(&story, &mut driver, &line, &mut Vec::new());
        let Driver::ByHand(rig) = &driver else {
            unreachable!("by hand")
        };
        let mut wrong = std::mem::take(&mut audit.borrow_mut().wrong);
        wrong.extend(timers_fit(rig, &contacts));
        wrong.extend(members_fit(rig, &contacts));
        if !wrong.is_empty() {
            return Err(format!("{}\n{told}", wrong.join("\n")));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_must_always_hold_holds(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Err(wrong) = live(&bytes) {
            return Err(TestCaseError::fail(wrong));
        }
    }
}

#[test]
fn a_replay_decides_the_same() {
    // The same snapshot, input and moment give the same effects: decided twice, compared whole.
    let story = StoryWorld::read(&[
        "journey hello: on Ping",
        "  promo BACK 7d",
        "  split",
        "    arm A 1",
        "      email a",
        "    arm B 1",
        "      email b",
    ]);
    let snapshot = Snapshot::new(story.contacts[0].1.clone());
    let now = story.zone.at("2026-03-02T10:00:00".parse().unwrap());
    let event = relance_core::event::Event::track("Ping", now);
    let input = relance_core::decide::Input::Event(event.into());
    let once = decide(&story.world, &mut snapshot.clone(), &input, now);
    let again = decide(&story.world, &mut snapshot.clone(), &input, now);
    assert_eq!(once, again);
    assert!(once.len() > 5);
}
