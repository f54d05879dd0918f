//! An invariant that cannot break proves nothing: each must notice when a good life is tampered with.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::Effect;
use relance_core::enrollment::{Enrollment, EnrollmentState, ExitReason};
use relance_core::journey::{Approval, Approver};
use relance_core::policy::Cap;
use relance_core::touchpoint::Touchpoint;
use relance_sim::history::{Delivery, History, Reply};
use relance_sim::invariants;

use crate::live;

/// Lives among which one is found that can be tampered with.
const SEEDS: std::ops::Range<u64> = 0..60;

/// Tampers with the first life that `tamper` can change, and expects the invariant to notice.
#[track_caller]
pub fn notices(invariant: &str, tamper: impl Fn(&mut History) -> bool) {
    for seed in SEEDS {
        let mut history = live(seed).history;
        if tamper(&mut history) {
            let broken = invariants::check(&history);
            let noticed = broken.iter().any(|one| one.starts_with(invariant));
            assert!(
                noticed,
                "{invariant} did not notice in seed {seed}: {broken:?}"
            );
            return;
        }
    }
    panic!("no life could be tampered with for {invariant}");
}

fn marketing(history: &History) -> Option<Delivery> {
    let is_marketing = |delivery: &&Delivery| {
        !history
            .templates
            .get(delivery.touchpoint.template.as_str())
            .is_some_and(|one| one.service)
    };
    history.deliveries.iter().find(is_marketing).cloned()
}

pub fn each_run(history: &mut History, mut change: impl FnMut(&mut Enrollment)) {
    for (_, effect) in history
        .commits
        .iter_mut()
        .flat_map(|commit| &mut commit.effects)
    {
        if let Effect::Enrollment(run) = effect {
            change(run);
        }
    }
}

fn keep(history: &mut History, keep: impl Fn(&Effect) -> bool) {
    for commit in &mut history.commits {
        commit.effects.retain(|(_, effect)| keep(effect));
    }
}

fn is_settled(effect: &Effect) -> bool {
    matches!(effect, Effect::Touchpoint(touchpoint) if !touchpoint.is_open())
}

#[test]
fn a_second_delivery_is_noticed() {
    notices("no_message_reaches_the_wire_twice", |history| {
        let delivery = marketing(history);
        history.deliveries.extend(delivery.clone());
        delivery.is_some()
    });
}

#[test]
fn a_reply_before_a_reminder_is_noticed() {
    notices("no_reminder_leaves_after_a_reply", |history| {
        let reminder = history.deliveries.iter().find_map(|delivery| {
            Some((
                delivery.touchpoint.clone(),
                delivery.touchpoint.silence.clone()?,
            ))
        });
        let Some((touchpoint, silence)) = reminder.filter(|_| !history.clock_jumped) else {
            return false;
        };
        let document = touchpoint
            .subject
            .as_ref()
            .map(|subject| subject.id.to_string());
        history.replies.push(Reply {
            at: silence.after - SignedDuration::from_secs(1),
            mail: "forged".to_owned(),
            mailboxes: silence.mailboxes.iter().cloned().collect(),
            answers_for: history
                .addresses
                .get(&touchpoint.id.contact)
                .cloned()
                .into_iter()
                .collect(),
            document,
        });
        true
    });
}

#[test]
fn a_message_to_the_holdout_is_noticed() {
    notices("holdout_receives_nothing", |history| {
        let run = history
            .deliveries
            .first()
            .map(|one| one.touchpoint.enrollment);
        each_run(history, |own| own.held_out |= Some(own.id) == run);
        run.is_some()
    });
}

#[test]
fn a_message_to_the_suppressed_is_noticed() {
    notices("suppressed_contact_is_never_sent", |history| {
        for (_, effect) in history
            .commits
            .iter_mut()
            .flat_map(|commit| &mut commit.effects)
        {
            if let Effect::Contact(contact) = effect {
                contact.erased = true;
            }
        }
        !history.deliveries.is_empty()
    });
}

#[test]
fn a_message_to_the_unsubscribed_is_noticed() {
    notices("unsubscribed_contact_is_never_sent", |history| {
        let email = marketing(history)
            .and_then(|one| history.addresses.get(&one.touchpoint.id.contact).cloned());
        history
            .unsubscribed
            .extend(email.clone().map(|email| (Timestamp::MIN, email)));
        email.is_some()
    });
}

#[test]
fn a_message_without_approval_is_noticed() {
    notices("no_send_without_required_approval", |history| {
        let own = history
            .deliveries
            .iter_mut()
            .find(|one| one.touchpoint.approved_by.is_none());
        own.map(|own| own.touchpoint.approval = Approval::of(Approver::Owner))
            .is_some()
    });
}

#[test]
fn one_message_too_many_is_noticed() {
    notices("caps_hold_over_civil_days", |history| {
        let mut by_contact = BTreeMap::new();
        for delivery in &history.deliveries {
            *by_contact
                .entry(delivery.touchpoint.id.contact)
                .or_insert(0) += 1;
        }
        history.caps = vec![Cap {
            channel: None,
            topic: None,
            days: 60,
            most: 1,
        }];
        by_contact.values().any(|count| *count > 3)
    });
}

#[test]
fn a_claim_of_an_ended_run_is_noticed() {
    notices("ended_run_claims_nothing", |history| {
        each_run(history, |run| {
            run.state = EnrollmentState::Finished { at: Timestamp::MIN }
        });
        !history.deliveries.is_empty()
    });
}

#[test]
fn a_second_settlement_is_noticed() {
    notices("touchpoint_settles_at_most_once", |history| {
        for commit in &mut history.commits {
            let again: Vec<_> = commit
                .effects
                .iter()
                .filter(|(_, one)| is_settled(one))
                .cloned()
                .collect();
            if !again.is_empty() {
                commit.effects.extend(again);
                return true;
            }
        }
        false
    });
}

#[test]
fn an_early_timer_is_noticed() {
    notices("timer_fires_never_early_and_once", |history| {
        let mut changed = false;
        each_run(history, |run| {
            if let EnrollmentState::Waiting { until, .. } = &mut run.state {
                *until += SignedDuration::from_hours(24 * 365);
                changed = true;
            }
        });
        changed
    });
}

#[test]
fn a_message_that_never_ends_is_noticed() {
    notices("every_touchpoint_ends", |history| {
        let any = history.effects().any(|(_, _, effect)| is_settled(effect));
        let opened: Vec<Touchpoint> = history
            .effects()
            .filter_map(|(_, _, effect)| match effect {
                Effect::Touchpoint(touchpoint) if touchpoint.is_open() => {
                    Some((**touchpoint).clone())
                }
                _other => None,
            })
            .collect();
        keep(history, |effect| !is_settled(effect));
        any && !opened.is_empty()
    });
}

#[test]
fn a_silent_end_is_noticed() {
    notices("ledger_explains_every_touchpoint", |history| {
        let any = history.effects().any(|(_, _, effect)| is_settled(effect));
        keep(history, |effect| !matches!(effect, Effect::Ledger(_)));
        any
    });
}

#[test]
fn a_lost_step_is_noticed() {
    notices("no_run_loses_its_step", |history| {
        let mut changed = false;
        each_run(history, |run| {
            if let EnrollmentState::Exited { reason, .. } = &mut run.state {
                *reason = ExitReason::StepGone;
                changed = true;
            }
        });
        changed
    });
}

#[test]
fn a_lost_event_is_noticed() {
    notices("nothing_acknowledged_is_lost", |history| {
        let lost = history
            .acknowledged
            .first()
            .and_then(|(_, event)| event.message_id.clone());
        for events in history.logged.values_mut() {
            events.retain(|event| event.message_id != lost);
        }
        lost.is_some()
    });
}

#[test]
fn an_event_told_twice_is_noticed() {
    notices("same_event_twice_changes_nothing", |history| {
        let twice = history.logged.values_mut().find(|events| {
            events
                .first()
                .is_some_and(|event| event.message_id.is_some())
        });
        twice.map(|events| events.push(events[0].clone())).is_some()
    });
}

#[test]
fn a_row_that_was_not_decided_is_noticed() {
    notices("store_holds_what_was_decided", |history| {
        history.stored.pop_first().is_some()
    });
}
