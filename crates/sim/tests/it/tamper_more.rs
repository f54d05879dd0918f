//! The same for what journeys, experiments, digests, caps, questions and copies promise.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::{Effect, Overdue, TimerKind};
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::JourneyId;
use relance_core::journey::{Moves, On, Recipient, StepKind, Unit};
use relance_core::ledger::{Reason, What};
use relance_core::policy::Cap;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_core::watch::Watch;
use relance_engine::quiet::Backlog;
use relance_sim::history::{Commit, History, Order};

use crate::tamper::{each_run, notices};

/// Adds orders to the commit at a place.
fn order(history: &mut History, place: usize, order: Order) {
    history.commits[place].orders.push(order);
}

/// A commit of orders alone, right before another.
fn order_before(history: &mut History, place: usize, orders: Vec<Order>) {
    let next = &history.commits[place];
    let commit = Commit {
        at: next.at - SignedDuration::from_millis(1),
        engine_at: next.engine_at,
        orders,
        rested: false,
        effects: Vec::new(),
        names: Vec::new(),
    };
    history.commits.insert(place, commit);
}

fn places<'a>(
    history: &'a History,
    which: impl Fn(&Effect) -> bool + 'a,
) -> impl Iterator<Item = usize> + 'a {
    let commits = history.commits.iter().enumerate();
    commits
        .filter(move |(_, commit)| commit.effects.iter().any(|(_, effect)| which(effect)))
        .map(|(place, _)| place)
}

fn claim(effect: &Effect) -> Option<&Touchpoint> {
    match effect {
        Effect::Touchpoint(one)
            if matches!(one.state, TouchpointState::Sending { .. })
                && one.recipient == Recipient::Contact =>
        {
            Some(one)
        }
        _other => None,
    }
}

/// The first claim of a message, and the place of its commit.
fn first_claim(history: &History) -> Option<(usize, Touchpoint)> {
    let place = places(history, |effect| claim(effect).is_some()).next()?;
    let mut effects = history.commits[place].effects.iter();
    let found = effects.find_map(|(_, effect)| claim(effect))?;
    Some((place, found.clone()))
}

fn each_message(history: &mut History, mut change: impl FnMut(&mut Touchpoint)) {
    let commits = history.commits.iter_mut();
    for (_, effect) in commits.flat_map(|commit| &mut commit.effects) {
        if let Effect::Touchpoint(touchpoint) = effect {
            change(touchpoint);
        }
    }
}

#[test]
fn a_message_of_a_paused_journey_is_noticed() {
    notices("nothing_leaves_while_its_journey_is_paused", |history| {
        let Some((place, one)) = first_claim(history) else {
            return false;
        };
        order_before(history, place, vec![Order::Paused(one.journey)]);
        true
    });
}

#[test]
fn a_message_that_is_made_in_a_pause_is_noticed() {
    notices("nothing_leaves_while_its_journey_is_paused", |history| {
        let to_contact = |one: &&mut relance_sim::history::Delivery| {
            one.touchpoint.recipient == Recipient::Contact
        };
        let Some(delivery) = history.deliveries.iter_mut().find(to_contact) else {
            return false;
        };
        delivery.composed_at = history.ended_at;
        let journey = delivery.touchpoint.journey.clone();
        let last = history.commits.len() - 1;
        history.commits[last].effects.clear();
        order(history, last, Order::Paused(journey));
        history.commits[last].at < history.ended_at
    });
}

/// Leaves out what happened to the runs and messages of a journey from one place to another.
fn silence(history: &mut History, journey: &JourneyId, from: usize, to: usize) {
    for commit in &mut history.commits[from..=to] {
        commit.effects.retain(|(_, effect)| match effect {
            Effect::Enrollment(run) => run.journey != *journey,
            Effect::Touchpoint(touchpoint) => touchpoint.journey != *journey,
            _other => true,
        });
    }
}

/// The first commit that leaves a run in a state, and the journey of that run.
fn left_in(
    history: &History,
    which: impl Fn(&EnrollmentState) -> bool,
) -> Option<(usize, JourneyId)> {
    history
        .commits
        .iter()
        .enumerate()
        .find_map(|(place, commit)| {
            let runs = commit
                .effects
                .iter()
                .filter_map(|(_, effect)| match effect {
                    Effect::Enrollment(run) => Some((run.id, run)),
                    _other => None,
                });
            let last: BTreeMap<_, &Enrollment> = runs.collect();
            let found = last.into_values().find(|run| which(&run.state))?;
            Some((place, found.journey.clone()))
        })
}

#[test]
fn a_run_that_goes_on_standing_is_noticed() {
    notices("standing_runs_go_on_after_resume", |history| {
        let Some((place, journey)) = left_in(history, |state| {
            matches!(state, EnrollmentState::Standing { .. })
        }) else {
            return false;
        };
        let later = place + 1;
        if later >= history.commits.len() {
            return false;
        }
        silence(history, &journey, later, later);
        order(history, place, Order::Paused(journey.clone()));
        history.commits[later].orders = vec![Order::Resumed(journey, Overdue::Late)];
        history.commits[later].rested = true;
        true
    });
}

#[test]
fn a_message_that_goes_though_it_was_to_be_skipped_is_noticed() {
    notices("standing_runs_go_on_after_resume", |history| {
        let Some((place, one)) = first_claim(history) else {
            return false;
        };
        let state = |state| {
            let one = Touchpoint {
                state,
                ..one.clone()
            };
            (one.id.contact, Effect::Touchpoint(Box::new(one)))
        };
        let ready_at = history.commits[place].engine_at;
        let held = state(TouchpointState::Held {
            until: Timestamp::MAX,
            reason: Reason::Paused,
        });
        let commit = &mut history.commits[place];
        commit.effects = vec![state(TouchpointState::Queued { ready_at })];
        commit.rested = true;
        commit.orders = vec![Order::Resumed(one.journey.clone(), Overdue::Skip)];
        order_before(history, place, vec![Order::Paused(one.journey)]);
        history.commits[place].effects = vec![held];
        true
    });
}

#[test]
fn a_run_that_an_archive_left_is_noticed() {
    notices("every_sweep_comes_to_every_contact", |history| {
        let Some((place, journey)) = left_in(history, |state| {
            matches!(state, EnrollmentState::Waiting { .. })
        }) else {
            return false;
        };
        let later = place + 1;
        if later >= history.commits.len() {
            return false;
        }
        silence(history, &journey, later, later);
        order(history, later, Order::Archived(journey));
        history.commits[later].rested = true;
        true
    });
}

#[test]
fn a_contact_that_nobody_awaits_is_noticed() {
    notices("every_sweep_comes_to_every_contact", |history| {
        let schedule = history
            .journeys
            .values()
            .find(|journey| matches!(journey.trigger.on, On::Schedule { segment: None, .. }));
        let Some(id) = schedule.map(|journey| journey.id.clone()) else {
            return false;
        };
        let mut any = false;
        for commit in &mut history.commits {
            let before = commit.effects.len();
            commit.effects.retain(|(_, effect)| match effect {
                Effect::Watch(watch) => watch.journey != id,
                _other => true,
            });
            any |= before > commit.effects.len();
        }
        any
    });
}

#[test]
fn a_message_of_a_quiet_workspace_is_noticed() {
    notices("a_quiet_workspace_sends_nothing", |history| {
        let Some((place, _)) = first_claim(history) else {
            return false;
        };
        order_before(history, place, vec![Order::Quieted]);
        true
    });
}

#[test]
fn a_backlog_that_goes_all_the_same_is_noticed() {
    notices("what_a_release_leaves_out_is_never_sent", |history| {
        let Some((place, mut one)) = first_claim(history) else {
            return false;
        };
        let ready_at = history.commits[place].engine_at - SignedDuration::from_secs(1);
        one.state = TouchpointState::Queued { ready_at };
        let before = Effect::Touchpoint(Box::new(one.clone()));
        let orders = vec![Order::Quieted, Order::Released(Backlog::Skip)];
        order_before(history, place, orders);
        let queued = history.commits[place].at;
        order_before(history, place, Vec::new());
        history.commits[place].at = queued;
        history.commits[place].effects = vec![(one.id.contact, before)];
        true
    });
}

#[test]
fn a_run_at_a_step_that_is_not_there_is_noticed() {
    notices("no_run_is_lost_when_versions_change", |history| {
        let mut changed = false;
        each_run(history, |run| {
            if let EnrollmentState::Waiting { step, .. } = &mut run.state {
                *step = "nowhere".into();
                changed = true;
            }
        });
        changed
    });
}

#[test]
fn a_pinned_run_that_moves_is_noticed() {
    notices("no_run_is_lost_when_versions_change", |history| {
        let moved =
            |effect: &Effect| matches!(effect, Effect::Ledger(line) if line.what == What::Migrated);
        let any = places(history, moved).next().is_some();
        for moves in history.moves.values_mut() {
            *moves = Moves::Pin;
        }
        any
    });
}

#[test]
fn a_second_broadcast_of_a_day_is_noticed() {
    notices("schedule_fires_once_a_local_day", |history| {
        let scheduled: Vec<JourneyId> = history
            .journeys
            .values()
            .filter(|journey| matches!(journey.trigger.on, On::Schedule { .. }))
            .map(|journey| journey.id.clone())
            .collect();
        let mut again = Vec::new();
        for commit in &history.commits {
            for (contact, effect) in &commit.effects {
                let Effect::Enrollment(run) = effect else {
                    continue;
                };
                let mut own = commit.effects.iter().filter(|(own, _)| own == contact);
                let timer = own.find_map(|(_, effect)| match effect {
                    Effect::Disarm(timer) if matches!(timer.kind, TimerKind::Watch(_)) => {
                        Some(*timer)
                    }
                    _other => None,
                });
                if let Some(timer) = timer.filter(|_| scheduled.contains(&run.journey)) {
                    let mut twin = run.clone();
                    twin.id.number += 10_000;
                    again.push((*contact, timer, twin));
                }
            }
        }
        let count = again.len();
        for (contact, timer, twin) in again {
            // The same moment is awaited, and comes, once more.
            let watch = Watch {
                journey: twin.journey.clone(),
                subject: None,
                due_at: timer.due_at,
                last_day: None,
            };
            let effects = [
                vec![Effect::Watch(watch)],
                vec![Effect::Disarm(timer), Effect::Enrollment(twin)],
            ];
            for effects in effects {
                history.commits.push(Commit {
                    at: history.ended_at,
                    engine_at: history.ended_at,
                    orders: Vec::new(),
                    rested: false,
                    effects: effects.into_iter().map(|one| (contact, one)).collect(),
                    names: Vec::new(),
                });
            }
        }
        count > 5
    });
}

#[test]
fn another_way_at_another_visit_is_noticed() {
    notices("variant_never_changes", |history| {
        let by_account: BTreeSet<JourneyId> = history
            .journeys
            .values()
            .filter(|journey| {
                let steps = journey.steps.iter();
                steps.into_iter().any(|step| match &step.kind {
                    StepKind::Split { by, .. } => *by == Unit::Account,
                    _other => false,
                })
            })
            .map(|journey| journey.id.clone())
            .collect();
        let mut told = BTreeMap::new();
        let commits = history.commits.iter_mut();
        for (contact, effect) in commits.flat_map(|commit| &mut commit.effects) {
            let Effect::Ledger(line) = effect else {
                continue;
            };
            let Some((journey, step)) = line.journey.clone().zip(line.step.clone()) else {
                continue;
            };
            if line.what == What::Assigned && !by_account.contains(&journey) {
                let visits = told.entry((*contact, journey, step)).or_insert(0);
                *visits += 1;
                line.variant = Some(format!("visit {visits}").into());
            }
        }
        told.values().any(|visits| *visits > 1)
    });
}

#[test]
fn a_change_of_the_control_group_is_noticed() {
    notices("variant_never_changes", |history| {
        let mut last = None;
        each_run(history, |run| {
            if run.journey.as_str() == "news" {
                last = Some(run.id);
            }
        });
        let mut begun = BTreeSet::new();
        let mut before = false;
        each_run(history, |run| {
            if Some(run.id) == last {
                before |= begun.len() > 3;
                run.held_out = !run.held_out;
            } else if last.is_some_and(|last| last.contact == run.id.contact)
                && run.journey.as_str() == "news"
            {
                begun.insert(run.id);
            }
        });
        before
    });
}

#[test]
fn an_item_that_comes_again_is_noticed() {
    notices("content_item_is_never_sent_twice", |history| {
        let with_item = |one: &&relance_sim::history::Delivery| one.touchpoint.item.is_some();
        let found = history.deliveries.iter().find(with_item).cloned();
        history.deliveries.extend(found.clone().map(|mut again| {
            again.touchpoint.id.hash ^= 1;
            again
        }));
        found.is_some()
    });
}

#[test]
fn a_reminder_that_comes_by_two_messages_is_noticed() {
    notices("a_digest_carries_each_subject_once", |history| {
        let carries = |one: &&relance_sim::history::Delivery| !one.touchpoint.members.is_empty();
        let found = history.deliveries.iter().find(carries).cloned();
        history.deliveries.extend(found.clone().map(|mut again| {
            again.touchpoint.id.hash ^= 1;
            again
        }));
        found.is_some()
    });
}

#[test]
fn a_subject_that_is_named_twice_is_noticed() {
    notices("a_digest_carries_each_subject_once", |history| {
        let mut deliveries = history.deliveries.iter_mut();
        let found = deliveries.find(|one| !one.touchpoint.members.is_empty());
        let Some(one) = found else { return false };
        one.touchpoint.members[0].subject = one.touchpoint.subject.clone();
        true
    });
}

#[test]
fn a_message_beyond_a_cap_is_noticed() {
    notices("capped_contact_gets_no_more_than_the_cap", |history| {
        history.caps = vec![Cap {
            channel: Some(relance_core::contact::Channel::Email),
            topic: None,
            days: 60,
            most: 1,
        }];
        history.deliveries.len() > 20
    });
}

#[test]
fn a_message_before_one_of_a_higher_priority_is_noticed() {
    notices("capped_contact_gets_no_more_than_the_cap", |history| {
        history.caps = vec![Cap {
            channel: None,
            topic: None,
            days: 1,
            most: 1,
        }];
        let Some((place, one)) = first_claim(history) else {
            return false;
        };
        let mut rival = one.clone();
        rival.id.hash ^= 1;
        rival.priority = one.priority + 1;
        rival.template = "reminder-1".into();
        rival.state = TouchpointState::Queued {
            ready_at: history.commits[place].engine_at - SignedDuration::from_secs(1),
        };
        let effects = &mut history.commits[place].effects;
        effects.insert(0, (one.id.contact, Effect::Touchpoint(Box::new(rival))));
        !history.templates.contains_key(one.template.as_str())
    });
}

#[test]
fn a_word_to_us_that_comes_twice_is_noticed() {
    notices("notification_goes_once", |history| {
        let to_us =
            |one: &&relance_sim::history::Delivery| one.touchpoint.recipient != Recipient::Contact;
        let found = history.deliveries.iter().find(to_us).cloned();
        history.deliveries.extend(found.clone());
        found.is_some()
    });
}

#[test]
fn a_word_to_us_that_is_called_back_is_noticed() {
    notices("notification_goes_once", |history| {
        let mut changed = false;
        each_message(history, |one| {
            if one.recipient != Recipient::Contact
                && let TouchpointState::Settled { outcome, .. } = &mut one.state
            {
                *outcome = Outcome::Withdrawn(Reason::Exited);
                changed = true;
            }
        });
        changed
    });
}

/// Questions that were left to lapse.
fn lapsed(effect: &Effect) -> bool {
    match effect {
        Effect::Touchpoint(one) => matches!(
            one.state,
            TouchpointState::Settled {
                outcome: Outcome::Dropped(Reason::Approval),
                ..
            }
        ),
        _other => false,
    }
}

#[test]
fn a_question_that_lapses_otherwise_is_noticed() {
    notices("approval_lapses_as_chosen", |history| {
        let answered = |commit: &Commit| {
            commit
                .orders
                .iter()
                .any(|order| matches!(order, Order::Answered(..)))
        };
        let found: Vec<_> = history
            .commits
            .iter()
            .filter(|commit| !answered(commit))
            .flat_map(|commit| &commit.effects)
            .filter(|(_, effect)| lapsed(effect))
            .filter_map(|(_, effect)| match effect {
                Effect::Touchpoint(one) => Some(one.id),
                _other => None,
            })
            .collect();
        each_message(history, |one| {
            if found.contains(&one.id) {
                one.approval.lapse = relance_core::journey::Lapse::Send;
            }
        });
        !found.is_empty()
    });
}

#[test]
fn a_question_that_lapses_early_is_noticed() {
    notices("approval_lapses_as_chosen", |history| {
        let any = places(history, lapsed).next().is_some();
        for commit in &mut history.commits {
            commit
                .orders
                .retain(|order| !matches!(order, Order::Answered(..)));
        }
        each_message(history, |one| {
            if let TouchpointState::AwaitingApproval { expires_at, .. } = &mut one.state {
                *expires_at = Timestamp::MAX;
            }
        });
        any
    });
}

#[test]
fn another_way_though_the_first_was_gone_is_noticed() {
    notices("fallback_only_when_not_reached", |history| {
        let mut other = None;
        each_message(history, |one| {
            if one.template.as_str().ends_with("-otherwise") {
                other = Some((one.enrollment, one.template.clone()));
            }
        });
        let Some((run, template)) = other else {
            return false;
        };
        let first = template.as_str().trim_end_matches("-otherwise");
        let mut changed = false;
        each_message(history, |one| {
            if one.enrollment == run
                && one.template.as_str() == first
                && let TouchpointState::Settled { outcome, .. } = &mut one.state
            {
                *outcome = Outcome::Unknown;
                changed = true;
            }
        });
        let commits = history.commits.iter().flat_map(|commit| &commit.effects);
        let migrated = commits.into_iter().any(|(_, effect)| match effect {
            Effect::Ledger(line) => line.what == What::Migrated && line.enrollment == Some(run),
            _other => false,
        });
        changed && !migrated
    });
}

#[test]
fn a_message_to_the_control_group_of_all_is_noticed() {
    notices("global_holdout_receives_nothing", |history| {
        let marketing = history.deliveries.iter().find(|one| {
            let template = one.touchpoint.template.as_str();
            one.touchpoint.recipient == Recipient::Contact
                && !history.templates.contains_key(template)
        });
        let Some(run) = marketing.map(|one| one.touchpoint.enrollment) else {
            return false;
        };
        history.holdout = Default::default();
        let mut changed = false;
        let commits = history.commits.iter_mut();
        for (_, effect) in commits.flat_map(|commit| &mut commit.effects) {
            if let Effect::Ledger(line) = effect
                && line.what == What::Enrolled
                && line.enrollment == Some(run)
            {
                line.reason = Some(Reason::Holdout);
                line.detail = Some("*".to_owned());
                changed = true;
            }
        }
        changed
    });
}

#[test]
fn a_mail_in_the_night_is_noticed() {
    notices("nobody_is_disturbed_in_quiet_hours", |history| {
        history.quiet_hours = Some((0, 24));
        history.service = Default::default();
        let mails = history.deliveries.iter();
        mails
            .filter(|one| one.touchpoint.channel == relance_core::contact::Channel::Email)
            .any(|one| one.touchpoint.recipient == Recipient::Contact)
    });
}

/// Lives in which all that can be met is met.
const LIVES: u64 = 200;

#[test]
fn lives_meet_what_they_should() {
    // A world in which nothing of this happens would prove nothing.
    let mut met = BTreeMap::<&str, u32>::new();
    let mut reasons = BTreeSet::new();
    for seed in 0..LIVES {
        let history = crate::live(seed).history;
        for commit in &history.commits {
            for order in &commit.orders {
                let word = match order {
                    Order::Published(_, 1) => "first version",
                    Order::Published(..) => "later version",
                    Order::Retired(_) => "retired",
                    Order::Paused(_) => "paused",
                    Order::Resumed(..) => "resumed",
                    Order::Archived(_) => "archived",
                    Order::Quieted => "quiet",
                    Order::Segmented { .. } => "segmented",
                    Order::Released(_) => "released",
                    Order::Answered(..) => "answered",
                };
                *met.entry(word).or_default() += 1;
            }
            for (_, effect) in &commit.effects {
                if let Effect::Ledger(line) = effect {
                    *met.entry(line.what.word()).or_default() += 1;
                    reasons.extend(line.reason.map(Reason::word));
                }
            }
        }
    }
    let missing: Vec<_> = What::ALL
        .iter()
        .map(|what| what.word())
        .chain([
            "later version",
            "retired",
            "paused",
            "archived",
            "quiet",
            "released",
            "answered",
        ])
        .filter(|word| !met.contains_key(word))
        .collect();
    assert!(missing.is_empty(), "no life met {missing:?} but {met:?}");
    let missing: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.word())
        .filter(|word| !reasons.contains(word) && !UNMET.contains(word))
        .collect();
    assert!(missing.is_empty(), "no life met the reasons {missing:?}");
}

/// Reasons that no life meets: those that are whoever sends' to give, that two hundred runs of one contact
/// would take, that following a document up by hand would take, and that must never be given.
const UNMET: [&str; 5] = [
    "no_recipient",
    "too_many",
    "settled",
    "duplicate",
    "step_gone",
];
