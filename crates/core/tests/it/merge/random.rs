//! Random lives of two, merged at a random moment and played on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use relance_core::contact::{Channel, Consent, SuppressionReason};
use relance_core::decide::{Answer, Effect, Input, MergeProblem, Merged, Overdue};
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{EnrollmentId, ItemId, JourneyId, UserId};
use relance_core::journey::Recipient;
use relance_core::ledger::What;
use relance_core::time::civil_day;
use relance_core::touchpoint::{Outcome, Slot, TouchpointState};

use super::life::{Life, Sent};
use crate::time::cases;

/// A day of two messages at most, a night of none.
const CAP: usize = 2;

const RULES: &str = "
contact ana email=ana@client.test phone=+1
contact bob email=bob@client.test
contact eve timezone=Asia/Tokyo
cap 2 in 1
quiet email 21:00-08:00
list lessons one two three four
template order service at_least_once
journey welcome: on \"Signed Up\"
  holdout 20%
  goal \"Order Completed\" 10d
  email hello opened 1d
    otherwise
      sms hello-sms
  split
    arm A 1
      wait 3d
    arm B 1
      wait 5d
  email more content lessons
journey offer: on \"Document Sent\" about document
  wait 2d
  email reminder digest 4h
  wait_for Replied 3d
    then
      stop
    else
      notify owner \"call them\"
      email reminder-2
  exit Replied
journey ask: on \"Document Sent\" about document
  approval owner expires 1d lapse send
  email question
journey cart: on \"Cart Left\"
  reentry 3d
  wait_for any 1d
    on \"Order Completed\"
      email order
    when contact.phone = 1
      sms call
    else
      email come-back content lessons
journey back: inactive 4d event \"Cart Left\"
  reentry always
  email miss-you
journey news: schedule mon-fri at 09:00
  email news
";

/// Journeys of which one contact has one run ever, of a subject or at all.
const ONCE: [&str; 3] = ["welcome", "offer", "ask"];

#[derive(Debug, Clone)]
enum Act {
    Tell(usize, usize, usize),
    Pass(i64),
    Answer(usize, usize),
    Consent(usize, bool),
    Suppress(usize, bool),
    Settle(usize, usize),
    Pause(bool),
}

const NAMES: [&str; 5] = [
    "Signed Up",
    "Document Sent",
    "Cart Left",
    "Order Completed",
    "Replied",
];
const DOCUMENTS: [&str; 3] = ["d1", "d2", "d3"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..3_usize, 0..NAMES.len(), 0..DOCUMENTS.len())
            .prop_map(|(who, name, about)| Act::Tell(who, name, about)),
        6 => (1..4_000_i64).prop_map(Act::Pass),
        2 => (0..3_usize, 0..3_usize).prop_map(|(who, how)| Act::Answer(who, how)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(who, yes)| Act::Consent(who, yes)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(who, hard)| Act::Suppress(who, hard)),
        2 => (0..3_usize, 0..4_usize).prop_map(|(who, how)| Act::Settle(who, how)),
        1 => any::<bool>().prop_map(Act::Pause),
    ]
}

fn play(life: &mut Life, people: &[&str], acts: &[Act]) {
    for act in acts {
        match act {
            Act::Tell(who, name, about) => {
                let document = [("document", DOCUMENTS[*about])];
                let about: &[_] = match NAMES[*name] {
                    "Document Sent" | "Replied" => &document,
                    _other => &[],
                };
                life.tell(people[who % people.len()], NAMES[*name], about);
            }
            Act::Pass(minutes) => {
                life.pass_to(life.now + SignedDuration::from_mins(*minutes));
            }
            Act::Answer(who, how) => {
                let who = people[who % people.len()];
                let asked = life
                    .of(who)
                    .touchpoints
                    .iter()
                    .find(|one| matches!(one.state, TouchpointState::AwaitingApproval { .. }));
                let Some(touchpoint) = asked.map(|one| one.id) else {
                    continue;
                };
                let answer = match how {
                    0 => Answer::Approve { text: None },
                    1 => Answer::Skip,
                    _call => Answer::CallInstead,
                };
                let by = UserId::from("boss");
                life.happen(
                    who,
                    &Input::Approve {
                        touchpoint,
                        by,
                        answer,
                    },
                );
            }
            Act::Consent(who, yes) => {
                let consent = match yes {
                    true => Consent::Granted,
                    false => Consent::Denied,
                };
                let input = Input::Consent {
                    channel: Channel::Email,
                    topic: None,
                    consent,
                    evidence: Default::default(),
                };
                life.happen(people[who % people.len()], &input);
            }
            Act::Suppress(who, hard) => {
                let reason = match hard {
                    true => SuppressionReason::HardBounce,
                    false => SuppressionReason::Complaint,
                };
                let channel = Channel::Sms;
                life.happen(
                    people[who % people.len()],
                    &Input::Suppress { channel, reason },
                );
            }
            Act::Settle(who, how) => settle(life, people[who % people.len()], *how),
            Act::Pause(paused) => life.world.set_paused(&"welcome".into(), *paused),
        }
    }
}

fn settle(life: &mut Life, who: &str, how: usize) {
    let flying = |one: &relance_core::touchpoint::Touchpoint| one.slot() == Slot::Flight;
    if life.of(who).touchpoints.iter().any(flying) {
        life.settle(
            who,
            match how {
                0 => Outcome::Accepted,
                1 => Outcome::Unknown,
                2 => Outcome::Missed,
                _soft => Outcome::RefusedSoft("451".to_owned()),
            },
        );
    }
}

/// What stood before a merge.
struct Before {
    running: usize,
    numbers: u32,
    runs: BTreeMap<EnrollmentId, Enrollment>,
    items: BTreeSet<ItemId>,
    sent: usize,
}

/// Merges, as a caller does: what is in flight is settled first, what may have arrived is tried again.
fn join(life: &mut Life, survivor: &str, absorbed: &str) -> (Before, Merged) {
    for _ in 0..100 {
        let (one, other) = (life.of(survivor), life.of(absorbed));
        let items = [one, other]
            .into_iter()
            .flat_map(|one| one.contact.seen.values());
        let before = Before {
            running: running(&one.enrollments) + running(&other.enrollments),
            numbers: one.contact.enrollments,
            runs: other
                .enrollments
                .iter()
                .map(|run| (run.id, run.clone()))
                .collect(),
            items: items.flatten().cloned().collect(),
            sent: life.sent.len(),
        };
        match life.join(survivor, absorbed) {
            Ok(merged) => return (before, merged),
            Err(MergeProblem::InFlight(_)) => {
                settle(life, survivor, 0);
                settle(life, absorbed, 0);
                life.pass_to(life.now + SignedDuration::from_mins(5));
            }
            Err(problem) => panic!("{problem}"),
        }
    }
    panic!("something is in flight for ever");
}

fn count(effects: &[Effect], what: What) -> usize {
    let lines = effects.iter().filter_map(|effect| match effect {
        Effect::Ledger(line) => Some(line),
        _other => None,
    });
    lines.filter(|line| line.what == what).count()
}

fn running(runs: &[Enrollment]) -> usize {
    runs.iter().filter(|run| run.is_running()).count()
}

/// What a message is about, whoever it goes to.
fn matter(sent: &Sent) -> Vec<(String, String, String)> {
    let one = &sent.touchpoint;
    let about = one.subjects().map(|subject| subject.id.to_string());
    let mut about: Vec<_> = about.collect();
    about.resize(about.len().max(1), String::new());
    let of = |about| (one.journey.to_string(), one.template.to_string(), about);
    about.into_iter().map(of).collect()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn two_lives_become_one_and_nobody_is_told_twice(
        before in prop::collection::vec(act(), 1..40),
        after in prop::collection::vec(act(), 1..25),
        pair in 0..PAIRS.len(),
        by_hand in any::<bool>(),
    ) {
        one_life(PAIRS[pair], by_hand, &before, &after)?;
    }
}

const PAIRS: [(&str, &str); 6] = [
    ("ana", "bob"),
    ("bob", "ana"),
    ("ana", "eve"),
    ("eve", "ana"),
    ("bob", "eve"),
    ("eve", "bob"),
];

fn one_life(
    (survivor, absorbed): (&str, &str),
    by_hand: bool,
    before: &[Act],
    after: &[Act],
) -> Result<(), TestCaseError> {
    let mut life = Life::new(RULES);
    life.by_hand = by_hand;
    life.pass("2026-03-02 10:00");
    for who in [survivor, absorbed] {
        life.happen(who, &Input::Arm("news".into()));
    }
    play(&mut life, &[survivor, absorbed], before);
    let (before, merged) = join(&mut life, survivor, absorbed);
    nothing_is_lost(&life, survivor, &before, &merged)?;

    life.pass_to(life.now);
    play(&mut life, &[survivor], after);
    life.by_hand = false;
    let journey = JourneyId::from("welcome");
    life.world.set_paused(&journey, false);
    let overdue = Overdue::Late;
    life.happen(survivor, &Input::Resume { journey, overdue });
    settle(&mut life, survivor, 0);
    life.pass_to(life.now + SignedDuration::from_hours(24 * 40));
    every_run_came_to_an_end(&life, survivor)?;
    nothing_goes_twice(&life, survivor, before)
}

/// Every run goes on as it stood, but for those that ended and say so.
fn nothing_is_lost(
    life: &Life,
    survivor: &str,
    before: &Before,
    merged: &Merged,
) -> Result<(), TestCaseError> {
    let effects = [&merged.survivor, &merged.absorbed];
    let ended: usize = effects
        .iter()
        .map(|effects| count(effects, What::Exited) + count(effects, What::Finished))
        .sum();
    let is = running(&life.of(survivor).enrollments);
    prop_assert_eq!(is + ended, before.running);
    let mut numbers = BTreeSet::new();
    for (old, new) in &merged.runs {
        prop_assert!(numbers.insert(new.number) && new.number > before.numbers);
        prop_assert!(new.number <= life.of(survivor).contact.enrollments);
        let stood = &before.runs[old];
        let mut expected = Enrollment {
            id: *new,
            ..stood.clone()
        };
        let first = merged.survivor.iter().find_map(|effect| match effect {
            Effect::Enrollment(run) if run.id == *new => Some(run),
            _other => None,
        });
        let first = first.expect("a run that went over");
        if let (
            EnrollmentState::Sending { touchpoint, .. },
            EnrollmentState::Sending {
                touchpoint: new, ..
            },
        ) = (&mut expected.state, &first.state)
        {
            *touchpoint = *new;
        }
        prop_assert_eq!(first, &expected);
    }
    let moved = merged
        .runs
        .iter()
        .filter(|(old, _)| before.runs[old].is_running());
    let left = before.runs.values().filter(|run| run.is_running()).count() - moved.count();
    prop_assert_eq!(count(&merged.absorbed, What::Exited), left);
    Ok(())
}

fn every_run_came_to_an_end(life: &Life, survivor: &str) -> Result<(), TestCaseError> {
    // Those that begin again and again may stand anywhere.
    let recurs = |run: &&Enrollment| ["news", "back"].contains(&run.journey.as_str());
    let runs = life.of(survivor).enrollments.iter();
    let left: Vec<_> = runs
        .filter(|run| run.is_running() && !recurs(run))
        .collect();
    prop_assert!(left.is_empty(), "{:?}", left);
    Ok(())
}

fn nothing_goes_twice(life: &Life, survivor: &str, before: Before) -> Result<(), TestCaseError> {
    let mut matters = BTreeSet::new();
    let mut items = before.items;
    let zone = life.world.zone_of(&life.of(survivor).contact);
    let mut days: BTreeMap<i32, usize> = BTreeMap::new();
    let mut broadcasts = BTreeSet::new();
    for (n, sent) in life.sent.iter().enumerate() {
        let touchpoint = &sent.touchpoint;
        let is_new = n >= before.sent;
        if is_new {
            let whose = touchpoint.id.contact;
            prop_assert_eq!(whose, life.id(survivor), "to one who is no more");
        }
        if touchpoint.recipient != Recipient::Contact || !life.went(sent) {
            continue;
        }
        if !last_try(life, n) {
            continue;
        }
        if touchpoint.template.as_str() == "news" {
            let day = civil_day(touchpoint.created_at, &zone);
            let is_first = broadcasts.insert(day);
            prop_assert!(is_first || !is_new, "the broadcast of one day twice");
        }
        if is_new && ONCE.contains(&touchpoint.journey.as_str()) {
            for one in matter(sent) {
                prop_assert!(matters.insert(one.clone()), "twice: {:?}", one);
            }
        }
        if let Some((_, item)) = touchpoint.item.as_ref().filter(|_| is_new) {
            prop_assert!(items.insert(item.clone()), "twice: {}", item);
        }
        if touchpoint.template.as_str() != "order" {
            let day = days.entry(civil_day(sent.at, &zone)).or_default();
            prop_assert!(!is_new || *day < CAP, "over the cap at {}", sent.at);
            *day += 1;
        }
    }
    Ok(())
}

/// Whether it is the try that a message ended with.
fn last_try(life: &Life, n: usize) -> bool {
    let id = life.sent[n].touchpoint.id;
    life.sent[n + 1..]
        .iter()
        .all(|later| later.touchpoint.id != id)
}
