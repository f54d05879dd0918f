//! What messages carry, to whom, and how often.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::contact::{Channel, SuppressionReason};
use relance_core::decide::{Answer, Effect};
use relance_core::enrollment::EnrollmentState;
use relance_core::event::names;
use relance_core::ids::{ContactId, EnrollmentId, Topic, TouchpointId, Variant};
use relance_core::journey::{Lapse, Recipient, StepKind, Unit};
use relance_core::ledger::{Reason, What};
use relance_core::policy::Cap;
use relance_core::suppression::keys_of;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};

use super::stage::{Stage, day, is_claim, is_to_contact, tell};
use crate::history::{Commit, History, Order};

/// A contact, or an account, goes one way of an experiment for ever; and is in a control group or is not.
pub fn variant_never_changes(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut ways: BTreeMap<String, Variant> = BTreeMap::new();
    let mut held: BTreeMap<String, bool> = BTreeMap::new();
    let mut runs = BTreeSet::new();
    tell(history, |stage, commit, contact, effect| {
        // Where the account itself changes in a commit, which one counted is not told.
        let moves = commit.effects.iter().any(|(own, effect)| match effect {
            Effect::Contact(body) if *own == contact => {
                let before = stage.contacts.get(&contact);
                before.is_none_or(|before| before.account_id() != body.account_id())
            }
            _other => false,
        });
        let unit = |by| {
            let body = stage.contacts.get(&contact);
            match body
                .and_then(|body| body.account_id())
                .filter(|_| by == Unit::Account)
            {
                Some(account) => format!("account {account}"),
                None => contact.to_string(),
            }
        };
        match effect {
            Effect::Ledger(line) if line.what == What::Assigned => {
                let Some((run, step)) = line.enrollment.zip(line.step.as_ref()) else {
                    broken.push(format!("nobody knows of what a line is: {line:?}"));
                    return;
                };
                let version = version_at(stage, commit, run);
                let found = line.journey.clone().zip(version);
                let journey = found.and_then(|key| history.journeys.get(&key));
                let own = journey.and_then(|one| one.steps.iter().find(|one| one.key == *step));
                let Some(StepKind::Split {
                    arms,
                    by,
                    experiment,
                }) = own.map(|step| &step.kind)
                else {
                    return;
                };
                if moves && *by == Unit::Account {
                    return;
                }
                let arms: Vec<_> = arms.iter().map(|arm| (&arm.variant, arm.weight)).collect();
                let place = match experiment {
                    Some(name) => name.to_string(),
                    None => format!("{:?} {step}", line.journey),
                };
                let key = format!("{place} {arms:?} {}", unit(*by));
                let Some(variant) = &line.variant else {
                    broken.push(format!("{run} went no way at {step}"));
                    return;
                };
                let first = ways.entry(key.clone()).or_insert_with(|| variant.clone());
                if first != variant {
                    broken.push(format!("{key}: {first}, then {variant}"));
                }
            }
            // What went over from another contact was drawn for that one.
            Effect::Enrollment(run)
                if runs.insert(run.id) && !history.went_over.contains_key(&run.id) =>
            {
                let journey = &history.journeys[&(run.journey.clone(), run.version)];
                let share = journey.holdout;
                if moves && share.by == Unit::Account {
                    return;
                }
                let key = format!("{} {share:?} {}", run.journey, unit(share.by));
                let first = *held.entry(key.clone()).or_insert(run.held_out);
                if first != run.held_out {
                    broken.push(format!("{key}: {first}, then {}", run.held_out));
                }
            }
            _other => {}
        }
    });
    broken
}

/// The version that a run is on by the end of a commit, if it is on one only.
fn version_at(stage: &Stage<'_>, commit: &Commit, run: EnrollmentId) -> Option<u32> {
    let here = commit
        .effects
        .iter()
        .filter_map(|(_, effect)| match effect {
            Effect::Enrollment(own) if own.id == run => Some(own.version),
            _other => None,
        });
    let before = stage.runs.get(&run).map(|run| run.version);
    let versions: BTreeSet<u32> = here.chain(before).collect();
    versions.first().filter(|_| versions.len() == 1).copied()
}

/// No two messages bring a contact the same item of a list.
pub fn content_item_is_never_sent_twice(history: &History) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut broken = Vec::new();
    for delivery in &history.deliveries {
        let id = delivery.touchpoint.id;
        let Some(item) = &delivery.touchpoint.item else {
            continue;
        };
        let first = *seen.entry((id.contact, item.clone())).or_insert(id);
        if first != id {
            broken.push(format!("{} came by {first} and by {id}", item.1));
        }
    }
    broken
}

/// A message of several reminders names each subject once, and no reminder comes by two messages.
pub fn a_digest_carries_each_subject_once(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut carried: BTreeMap<(EnrollmentId, String), TouchpointId> = BTreeMap::new();
    let migrated = history.effects().filter_map(|(_, _, effect)| match effect {
        Effect::Ledger(line) if line.what == What::Migrated => line.enrollment,
        _other => None,
    });
    // In another version another step may say the same.
    let migrated: BTreeSet<EnrollmentId> = migrated.collect();
    for delivery in &history.deliveries {
        let touchpoint = &delivery.touchpoint;
        // A question to confirm is of no run.
        if !is_to_contact(touchpoint) || touchpoint.is_confirmation() {
            continue;
        }
        let own = (touchpoint.enrollment, touchpoint.subject.as_ref());
        let others = touchpoint.members.iter();
        let others = others.map(|member| (member.enrollment, member.subject.as_ref()));
        let mut subjects = BTreeSet::new();
        for (run, subject) in std::iter::once(own).chain(others) {
            if subject.is_some_and(|subject| !subjects.insert(subject)) {
                broken.push(format!("{} names {subject:?} twice", touchpoint.id));
            }
            let key = (run, touchpoint.template.to_string());
            let first = *carried.entry(key).or_insert(touchpoint.id);
            if first != touchpoint.id && !migrated.contains(&run) {
                broken.push(format!("{run} came by {first} and by {}", touchpoint.id));
            }
        }
    }
    broken
}

/// What a cap counts, and when it is counted.
struct Mark {
    contact: ContactId,
    channel: Channel,
    topic: Option<Topic>,
    at: jiff::Timestamp,
}

/// What was claimed and not refused since is no more than a cap allows over the contact's own days; and a
/// message of a lower priority takes no room that one of a higher, due as well, would need.
pub fn capped_contact_gets_no_more_than_the_cap(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut gone: BTreeMap<TouchpointId, Mark> = BTreeMap::new();
    let exempt = |touchpoint: &Touchpoint| {
        let facts = history.templates.get(touchpoint.template.as_str());
        history.service.caps && facts.is_some_and(|facts| facts.service)
            || touchpoint.is_confirmation()
    };
    tell(history, |stage, commit, contact, effect| {
        let Effect::Touchpoint(touchpoint) = effect else {
            return;
        };
        if !is_to_contact(touchpoint) || exempt(touchpoint) {
            return;
        }
        match &touchpoint.state {
            TouchpointState::Sending { since } => {
                let own = Mark {
                    contact,
                    channel: touchpoint.channel,
                    topic: topic_of(history, stage, touchpoint),
                    at: *since,
                };
                let rivals = stage.touchpoints.values().filter(|other| {
                    let due = match &other.state {
                        TouchpointState::Queued { ready_at: at }
                        | TouchpointState::Held { until: at, .. } => *at <= *since,
                        _other => false,
                    };
                    due && other.id != touchpoint.id
                        && other.id.contact == contact
                        && other.priority > touchpoint.priority
                        && is_to_contact(other)
                        && !exempt(other)
                });
                let rivals: Vec<Mark> = rivals
                    .map(|other| Mark {
                        contact,
                        channel: other.channel,
                        topic: topic_of(history, stage, other),
                        at: *since,
                    })
                    .collect();
                let body = stage.contacts.get(&contact);
                let is_own = |other: ContactId| {
                    other == contact || body.is_some_and(|body| body.absorbed.contains(&other))
                };
                let zone = stage.zone(contact);
                let today = day(*since, &zone);
                for cap in history.caps.iter().filter(|cap| concerns(cap, &own)) {
                    let counts = |mark: &&Mark| {
                        let age = today - day(mark.at, &zone);
                        is_own(mark.contact)
                            && concerns(cap, mark)
                            && age.get_days() < i32::from(cap.days)
                    };
                    let before = gone.values().filter(counts).count();
                    let first = rivals.iter().filter(counts).count();
                    if before + first >= cap.most as usize {
                        broken.push(format!(
                            "{} at {} after {before}, before {first} of a higher priority: {cap:?}",
                            touchpoint.id, commit.at
                        ));
                    }
                }
                gone.insert(touchpoint.id, own);
            }
            TouchpointState::Settled {
                at,
                outcome: Outcome::Accepted | Outcome::Unknown,
            } => {
                if let Some(mark) = gone.get_mut(&touchpoint.id) {
                    mark.at = *at;
                }
            }
            _waits_or_did_not_go => drop(gone.remove(&touchpoint.id)),
        }
    });
    broken
}

fn concerns(cap: &Cap, mark: &Mark) -> bool {
    let channel = cap.channel.is_none_or(|own| own == mark.channel);
    channel && (cap.topic.is_none() || cap.topic == mark.topic)
}

fn topic_of(history: &History, stage: &Stage<'_>, touchpoint: &Touchpoint) -> Option<Topic> {
    let facts = history.templates.get(touchpoint.template.as_str());
    let own = facts.and_then(|facts| facts.topic.clone());
    let run = stage.runs.get(&touchpoint.enrollment);
    let key = run.map(|run| (run.journey.clone(), run.version));
    own.or_else(|| history.journeys.get(&key?)?.topic.clone())
}

/// A word to one of ours is announced once, goes once, and is not called back for the contact's sake.
pub fn notification_goes_once(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut announced = BTreeSet::new();
    let mut delivered = BTreeSet::new();
    for (commit, _, effect) in history.effects() {
        match effect {
            Effect::Ledger(line)
                if line.what == What::Notified
                    && line.touchpoint.is_none_or(|id| !announced.insert(id)) =>
            {
                broken.push(format!("{:?} again at {}", line.touchpoint, commit.at));
            }
            Effect::Touchpoint(touchpoint) if !is_to_contact(touchpoint) => {
                // It goes on under another name.
                let goes_on = history.renamed.contains_key(&touchpoint.id);
                let called_back = match &touchpoint.state {
                    TouchpointState::Settled { outcome, .. } => match outcome {
                        Outcome::Withdrawn(reason) => !(goes_on && *reason == Reason::Merged),
                        Outcome::Dropped(reason) => *reason != Reason::Erased,
                        _other => false,
                    },
                    _open => false,
                };
                if let Some(new) = history.renamed.get(&touchpoint.id)
                    && announced.contains(&touchpoint.id)
                {
                    announced.insert(*new);
                }
                if called_back || !announced.contains(&touchpoint.id) {
                    broken.push(format!("{} is {:?}", touchpoint.id, touchpoint.state));
                }
            }
            _other => {}
        }
    }
    for delivery in &history.deliveries {
        let touchpoint = &delivery.touchpoint;
        let name = history.name_now(touchpoint.id);
        if touchpoint.recipient != Recipient::Contact && !delivered.insert(name) {
            broken.push(format!("{} came again at {}", touchpoint.id, delivery.at));
        }
    }
    broken
}

/// What becomes of a question that nobody answered in time is what the journey chose.
pub fn approval_lapses_as_chosen(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    tell(history, |stage, commit, _, effect| {
        let Effect::Touchpoint(touchpoint) = effect else {
            return;
        };
        let Some(before) = stage.touchpoints.get(&touchpoint.id) else {
            return;
        };
        let TouchpointState::AwaitingApproval { expires_at, .. } = before.state else {
            return;
        };
        let answers = commit.orders.iter().filter_map(|order| match order {
            Order::Answered(id, answer)
                if history.name_now(*id) == history.name_now(touchpoint.id) =>
            {
                Some(answer)
            }
            _other => None,
        });
        let answers: Vec<&Answer> = answers.collect();
        let lapse = before.approval.lapse;
        let has_task = || {
            commit.effects.iter().any(|(_, effect)| match effect {
                Effect::Task(task) => task.enrollment == before.enrollment,
                _other => false,
            })
        };
        let stopped = || {
            commit.effects.iter().any(|(_, effect)| match effect {
                Effect::Enrollment(run) => {
                    before.is_of(run.id) && matches!(run.state, EnrollmentState::Exited { .. })
                }
                _other => false,
            })
        };
        let in_time = commit.engine_at < expires_at;
        let good = match &touchpoint.state {
            TouchpointState::Queued { .. } => match touchpoint.approved_by.as_ref() {
                Some(by) if by.as_str() == "nobody" => lapse == Lapse::Send && !in_time,
                Some(_) => answers
                    .iter()
                    .any(|one| matches!(one, Answer::Approve { .. })),
                None => false,
            },
            TouchpointState::Settled { outcome, .. } => match outcome {
                Outcome::Dropped(Reason::Approval) if answers.is_empty() => {
                    let called = lapse == Lapse::Call && has_task();
                    !in_time && (lapse == Lapse::Skip || called)
                }
                Outcome::Withdrawn(Reason::Approval) => {
                    !in_time && lapse == Lapse::Stop && stopped()
                }
                _other => true,
            },
            TouchpointState::AwaitingApproval { .. } => true,
            TouchpointState::Held { .. } | TouchpointState::Sending { .. } => false,
        };
        if !good {
            broken.push(format!(
                "{} is {:?} at {}, {lapse:?}",
                touchpoint.id, touchpoint.state, commit.engine_at
            ));
        }
    });
    broken
}

/// The other way is gone only when the message before it did not come to the contact, or was not opened.
pub fn fallback_only_when_not_reached(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut read: BTreeSet<String> = BTreeSet::new();
    let mut migrated: BTreeSet<EnrollmentId> = BTreeSet::new();
    let mut bounced: BTreeSet<String> = BTreeSet::new();
    tell(history, |stage, commit, contact, effect| match effect {
        Effect::Suppression(listed) if listed.reason == SuppressionReason::HardBounce => {
            bounced.insert(listed.key.value.clone());
        }
        Effect::Ledger(line) if line.what == What::Migrated => {
            // A map may lead into the other way.
            migrated.extend(line.enrollment);
        }
        Effect::Event(event)
            if !event.by_machine()
                && [names::EMAIL_OPENED, names::EMAIL_LINK_CLICKED]
                    .contains(&event.name.as_str()) =>
        {
            let message = event.properties.get(names::TOUCHPOINT);
            let message = message.and_then(|message| message.as_str());
            read.extend(message.map(str::to_owned));
        }
        Effect::Touchpoint(touchpoint) => {
            let is_new = !stage.touchpoints.contains_key(&touchpoint.id);
            let Some(template) = touchpoint.template.as_str().strip_suffix("-otherwise") else {
                return;
            };
            if !is_new || migrated.contains(&touchpoint.enrollment) {
                return;
            }
            let first = stage
                .touchpoints
                .values()
                .find(|one| one.is_of(touchpoint.enrollment) && one.template.as_str() == template);
            let Some(first) = first else {
                // There was none to send: the list is used up.
                return;
            };
            let key = (
                touchpoint.journey.clone(),
                version_of(stage, commit, touchpoint),
            );
            let step = history
                .journeys
                .get(&key)
                .and_then(|journey| journey.steps.iter().find(|step| step.key == first.step));
            let until_opened = step.is_some_and(|step| match &step.kind {
                StepKind::Send { send, .. } => send.opened_within.is_some(),
                _other => false,
            });
            let outcomes = history.outcomes.iter();
            let told =
                outcomes.filter(|(id, attempt, _)| *id == first.id && *attempt == first.attempts);
            let told: Vec<&Outcome> = told.map(|(_, _, outcome)| outcome).collect();
            let mut here = commit
                .effects
                .iter()
                .filter_map(|(_, effect)| match effect {
                    Effect::Contact(body) if body.id == contact => Some(&**body),
                    _other => None,
                });
            let body = here.next_back().or(stage.contacts.get(&contact).copied());
            let good = match &first.state {
                TouchpointState::Settled { outcome, .. } => match outcome {
                    Outcome::Accepted => {
                        let came_back = body
                            .and_then(|body| body.suppressed.get(&first.channel))
                            .is_some_and(|why| *why == SuppressionReason::HardBounce);
                        // By a clock that was set forward, what is read now was read before the run began.
                        let opened = read.contains(&first.id.to_string()) && !history.clock_jumped;
                        came_back || until_opened && !opened
                    }
                    Outcome::Dropped(Reason::NoAddress | Reason::Missed) => true,
                    // The list knows the number, by whichever channel it was found wrong.
                    Outcome::Dropped(Reason::Suppressed) | Outcome::Withdrawn(_) => body
                        .is_some_and(|body| {
                            let mut why = body.suppressed.iter();
                            let own = why.any(|(channel, why)| {
                                *why == SuppressionReason::HardBounce
                                    && (*channel == Channel::Email)
                                        == (first.channel == Channel::Email)
                            });
                            // An address that comes back after another one is on the list still.
                            let listed = || {
                                let mut keys = keys_of(body).into_iter();
                                keys.any(|key| bounced.contains(&key.value))
                            };
                            own || listed()
                        }),
                    Outcome::RefusedHard { .. }
                    | Outcome::RefusedSoft(_)
                    | Outcome::TemplateFailed(_)
                    | Outcome::ChannelNotConfigured
                    | Outcome::Missed => told.contains(&outcome),
                    Outcome::Postponed { .. } | Outcome::Dropped(_) | Outcome::Unknown => false,
                },
                _open => false,
            };
            if !good {
                broken.push(format!(
                    "{} ({}) at {} though {} is {:?}",
                    touchpoint.id, touchpoint.template, commit.at, first.id, first.state
                ));
            }
        }
        _other => {}
    });
    broken
}

fn version_of(stage: &Stage<'_>, commit: &Commit, touchpoint: &Touchpoint) -> u32 {
    version_at(stage, commit, touchpoint.enrollment).unwrap_or_default()
}

/// The workspace's control group receives nothing but service messages, where those are exempt.
pub fn global_holdout_receives_nothing(history: &History) -> Vec<String> {
    let mut held_out = BTreeSet::new();
    for (_, _, effect) in history.effects() {
        if let Effect::Ledger(line) = effect
            && line.what == What::Enrolled
            && line.reason == Some(Reason::Holdout)
            && line.detail.as_deref() == Some("*")
        {
            held_out.extend(line.enrollment);
        }
    }
    let spared = |touchpoint: &&Touchpoint| {
        let facts = history.templates.get(touchpoint.template.as_str());
        let service = history.service.holdout && facts.is_some_and(|facts| facts.service);
        !service && history.holdout.by == Unit::Contact && held_out.contains(&touchpoint.enrollment)
    };
    let deliveries = history.deliveries.iter().map(|one| &one.touchpoint);
    let to_any = deliveries.filter(spared);
    to_any.map(|touchpoint| touchpoint.id.to_string()).collect()
}

/// No mail is claimed in the hours in which the contact must not be disturbed.
pub fn nobody_is_disturbed_in_quiet_hours(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let Some((from, to)) = history.quiet_hours else {
        return broken;
    };
    tell(history, |stage, commit, contact, effect| {
        let Effect::Touchpoint(touchpoint) = effect else {
            return;
        };
        let facts = history.templates.get(touchpoint.template.as_str());
        let exempt = history.service.quiet_hours && facts.is_some_and(|facts| facts.service);
        let mail = touchpoint.channel == Channel::Email && is_to_contact(touchpoint);
        let exempt = exempt || touchpoint.is_confirmation();
        if !is_claim(touchpoint) || exempt || !mail {
            return;
        }
        let hour = commit.engine_at.to_zoned(stage.zone(contact)).hour();
        if hour >= from || hour < to {
            broken.push(format!(
                "{} at {}, their hour {hour}",
                touchpoint.id, commit.at
            ));
        }
    });
    broken
}
