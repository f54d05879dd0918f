//! Rule R8 as a property: whatever is published over whatever is under way, nobody is lost, nobody gets the
//! same message twice, and the plan says what then happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use relance_core::contact::Contact;
use relance_core::decide::Input;
use relance_core::enrollment::Enrollment;
use relance_core::event::Event;
use relance_core::ids::{EnrollmentId, StepKey, SubjectRef};
use relance_core::journey::{Journey, Landing, Moves, plan};
use relance_core::ledger::What;
use relance_core::play::{Play, Seen};
use relance_core::snapshot::Snapshot;

use crate::story::entropy::Entropy;
use crate::story::journey;
use crate::story::world::StoryWorld;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const DEPTH_MAX: usize = 2;
const HOURS_TO_THE_END: i64 = 24 * 400;

/// A random journey about documents, as a story writes it.
fn draft(entropy: &mut Entropy<'_>, version: u32) -> String {
    let mut text = format!("journey j v{version}: on Sent about document\n");
    if entropy.below(2) == 0 {
        text.push_str("  exit Replied\n");
    }
    let mut names = NAMES.to_vec();
    steps(entropy, &mut text, &mut names, 0, version);
    text
}

fn steps(
    entropy: &mut Entropy<'_>,
    text: &mut String,
    names: &mut Vec<&'static str>,
    depth: usize,
    version: u32,
) {
    let indent = " ".repeat(2 + 4 * depth);
    for _ in 0..entropy.below(4) + 1 {
        let id = match entropy.below(2) {
            0 => String::new(),
            _named if names.is_empty() => String::new(),
            _named => {
                let at = entropy.below(names.len() as u64) as usize;
                format!(" id {}", names.remove(at))
            }
        };
        let kind = entropy.below(9);
        let mut ways = |head: &str, ways: [&str; 2], text: &mut String| {
            text.push_str(&format!("{indent}{head}{id}\n"));
            for way in ways {
                text.push_str(&format!("{indent}  {way}\n"));
                steps(entropy, text, names, depth + 1, version);
            }
        };
        match kind {
            7 if depth < DEPTH_MAX => ways("wait_for Paid 1d", ["then", "else"], text),
            8 if depth < DEPTH_MAX => {
                ways("branch", ["if subject.amount >= 5", "else"], text);
            }
            kind => {
                let line = match kind {
                    0 | 1 => format!("wait {}d", entropy.below(3) + 1),
                    2 => format!("email t{}", entropy.below(3)),
                    3 => format!("email v{version}"),
                    4 => "email held approval owner".to_owned(),
                    5 => "task \"Call\"".to_owned(),
                    6 => "set contact.seen = yes".to_owned(),
                    _deep => "wait 30h".to_owned(),
                };
                text.push_str(&format!("{indent}{line}{id}\n"));
            }
        }
    }
}

fn moves(entropy: &mut Entropy<'_>, from: &[Arc<Journey>], to: &Journey) -> Moves {
    match entropy.below(4) {
        0 => Moves::Pin,
        1 => Moves::Follow,
        _map => {
            let mut table = BTreeMap::new();
            let old: Vec<&StepKey> = from
                .iter()
                .flat_map(|one| &one.steps)
                .map(|s| &s.key)
                .collect();
            for _ in 0..entropy.below(6) {
                let key = old[entropy.below(old.len() as u64) as usize].clone();
                let target = match entropy.below(5) {
                    0 => None,
                    1 => Some(StepKey::from("nowhere")),
                    _step => {
                        let at = entropy.below(to.steps.len() as u64) as usize;
                        Some(to.steps[at].key.clone())
                    }
                };
                table.insert(key, target);
            }
            Moves::Map(table)
        }
    }
}

/// What was seen of all runs.
#[derive(Default)]
struct Lives {
    begun: BTreeSet<EnrollmentId>,
    ended: BTreeMap<EnrollmentId, Option<&'static str>>,
    sent: BTreeSet<(EnrollmentId, StepKey)>,
    tasks: BTreeSet<(EnrollmentId, StepKey)>,
    migrated: BTreeMap<EnrollmentId, Vec<StepKey>>,
    wrong: Vec<String>,
}

impl Lives {
    fn see(&mut self, at: Timestamp, seen: &Seen) {
        match seen {
            Seen::WouldSend(message) => {
                let key = (message.enrollment, message.step.clone());
                if !self.sent.insert(key) {
                    self.wrong.push(format!("{at}: sent twice: {message:?}"));
                }
            }
            Seen::Turned { .. } => {}
            Seen::Ledger(line) => {
                let Some(run) = line.enrollment else { return };
                match line.what {
                    What::Enrolled => drop(self.begun.insert(run)),
                    What::Finished | What::Exited => {
                        let reason = line.reason.map(|reason| reason.word());
                        if self.ended.insert(run, reason).is_some() {
                            self.wrong.push(format!("{at}: ended twice: {run}"));
                        }
                    }
                    What::Migrated => {
                        let step = line.step.clone().expect("step");
                        self.migrated.entry(run).or_default().push(step);
                    }
                    What::Task => {
                        let key = (run, line.step.clone().expect("step"));
                        if !self.tasks.insert(key) {
                            self.wrong.push(format!("{at}: task twice: {line:?}"));
                        }
                    }
                    _other_line => {}
                }
            }
        }
    }
}

fn running(snapshot: &Snapshot) -> impl Iterator<Item = &Enrollment> {
    snapshot.enrollments.iter().filter(|run| run.is_running())
}

/// One life of a journey under publications. Fails with a text that tells it.
fn live(bytes: &[u8], lazy: bool) -> Result<(), String> {
    let mut entropy = Entropy::new(bytes);
    let first = draft(&mut entropy, 1);
    let mut told = first.clone();
    let mut versions = vec![journey::read(&first.lines().collect::<Vec<_>>())];
    let mut known = BTreeMap::from([(1, (versions[0].clone(), Moves::Pin))]);
    let story = StoryWorld::read(&["quiet email 21:00-09:00"]);
    let who: Contact = story.contacts[0].1.clone();
    let id = who.id;
    let mut play = Play::new(story.world.clone());
    play.world
        .add_journey(versions[0].clone(), Moves::Pin, true);
    play.add(who);
    let mut lives = Lives::default();
    let mut now = story.zone.at("2026-03-02T10:17:00".parse().unwrap());
    let mut documents = 0u64;
    for _ in 0..entropy.below(24) + 4 {
        now += SignedDuration::from_secs(3_600 * (entropy.below(30) as i64 + 1) + 61);
        play.pass(now, &mut |at, _, seen| lives.see(at, seen));
        let act = entropy.below(5);
        let mut event = Event::track("Sent", now);
        match act {
            0 | 1 => documents += 1,
            2 => event.name = "Paid".into(),
            3 => event.name = "Replied".into(),
            _publish => {
                let version = versions.len() as u32 + 1;
                let text = draft(&mut entropy, version);
                let to = journey::read(&text.lines().collect::<Vec<_>>());
                let moves = moves(&mut entropy, &versions, &to);
                told.push_str(&format!("{now}: {moves:?}\n{text}"));
                let before = play.contact(id).unwrap().clone();
                publish(&mut play, &before, (&to, &moves), &known, lazy, &mut lives)
                    .map_err(|wrong| format!("{wrong}\n{told}"))?;
                known.insert(version, (to.clone(), moves));
                versions.push(to);
                continue;
            }
        }
        let document = match act {
            0 | 1 => documents,
            _other_event => entropy.below(documents.max(1)) + 1,
        };
        event.subject = Some(SubjectRef {
            kind: "document".into(),
            id: document.to_string().into(),
        });
        event
            .properties
            .insert("amount".to_owned(), (document % 10).into());
        told.push_str(&format!("{now}: {} {document}\n", event.name));
        play.input(id, &Input::Event(Arc::new(event)), &mut |at, _, seen| {
            lives.see(at, seen)
        });
    }
    now += SignedDuration::from_hours(HOURS_TO_THE_END);
    play.pass(now, &mut |at, _, seen| lives.see(at, seen));
    let lost: Vec<_> = lives
        .begun
        .iter()
        .filter(|run| !lives.ended.contains_key(run))
        .collect();
    let gone = |reason: &Option<&str>| matches!(reason, Some("step_gone" | "loop" | "archived"));
    if !lost.is_empty() || lives.ended.values().any(gone) || !lives.wrong.is_empty() {
        return Err(format!(
            "lost {lost:?}, ended {:?}, {:?}\n{told}",
            lives.ended, lives.wrong
        ));
    }
    Ok(())
}

/// Publishes a version and compares what happens with the plan.
fn publish(
    play: &mut Play,
    before: &Snapshot,
    (to, moves): (&Arc<Journey>, &Moves),
    known: &BTreeMap<u32, (Arc<Journey>, Moves)>,
    lazy: bool,
    lives: &mut Lives,
) -> Result<(), String> {
    let place = |run: &Enrollment| (run.version, run.step().expect("step").clone());
    let mut standing: BTreeMap<(u32, StepKey), u64> = BTreeMap::new();
    running(before).for_each(|run| *standing.entry(place(run)).or_default() += 1);
    let rows: Vec<_> = standing
        .into_iter()
        .map(|((v, step), n)| (v, step, n))
        .collect();
    let plan = plan(known, to, moves, &rows);
    let landings: BTreeMap<_, _> = plan
        .lines
        .iter()
        .map(|line| ((line.version, line.step.clone()), line.landing.clone()))
        .collect();
    lives.migrated.clear();
    play.world.add_journey(to.clone(), moves.clone(), true);
    if lazy {
        // Nobody is looked at; the next publication finds them where they are.
        return Ok(());
    }
    let id = before.contact.id;
    let arm = Input::Arm(to.id.clone());
    play.input(id, &arm, &mut |at, _, seen| lives.see(at, seen));
    let after = play.contact(id).unwrap();
    let mut moved = 0;
    for run in running(before) {
        let landing = &landings[&place(run)];
        let now = after.enrollment(run.id);
        let steps = lives.migrated.get(&run.id).map_or(&[][..], Vec::as_slice);
        let as_planned = match landing {
            Landing::Stay => now.is_some_and(|now| place(now) == place(run)) && steps.is_empty(),
            Landing::Same(step) => {
                moved += 1;
                now.is_some_and(|now| now.step() == Some(step) && now.timer_at() == run.timer_at())
            }
            Landing::Before(step) => {
                moved += 1;
                steps.first() == Some(step)
            }
            Landing::End => {
                moved += 1;
                lives.ended.get(&run.id) == Some(&Some("stopped"))
            }
        };
        if !as_planned {
            return Err(format!(
                "planned {landing:?}\nwas {run:?}\nis {now:?}\n{steps:?}"
            ));
        }
    }
    let planned = plan.count(|landing| *landing != Landing::Stay);
    if planned != moved {
        return Err(format!("{planned} planned to move, {moved} did"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobody_is_lost_and_the_plan_says_what_happens(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Err(wrong) = live(&bytes, false) {
            return Err(TestCaseError::fail(wrong));
        }
    }

    #[test]
    fn nobody_is_lost_who_passes_through_versions_unseen(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Err(wrong) = live(&bytes, true) {
            return Err(TestCaseError::fail(wrong));
        }
    }
}
