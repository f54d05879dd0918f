//! Contacts that become one, and two again; what they said, wished, and are forgotten by.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::contact::{Consent, Contact, Identity};
use relance_core::decide::Effect;
use relance_core::enrollment::Enrollment;
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, SubjectRef, TouchpointId};
use relance_core::touchpoint::{Touchpoint, TouchpointState};

use super::stage::{Stage, is_claim, is_to_contact, tell};
use crate::history::{Commit, History};

/// A contact that an effect makes another one, or itself again.
enum Turn {
    /// It is that one now.
    Absorbed(ContactId),
    /// It was that one.
    Itself,
}

fn turn_of(stage: &Stage<'_>, contact: ContactId, effect: &Effect) -> Option<Turn> {
    let Effect::Contact(body) = effect else {
        return None;
    };
    let before = stage.contacts.get(&contact);
    match (before.and_then(|body| body.merged_into), body.merged_into) {
        (None, Some(survivor)) => Some(Turn::Absorbed(survivor)),
        (Some(_), None) => Some(Turn::Itself),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

/// How strict an answer is.
fn weight(answer: Option<Consent>) -> u8 {
    match answer {
        Some(Consent::Denied) => 2,
        Some(Consent::Pending) => 1,
        Some(Consent::Granted) | None => 0,
    }
}

/// What is laxer in a contact than it was in one of those that it is made of.
fn laxer(after: &Contact, before: &Contact) -> Vec<String> {
    let mut found = Vec::new();
    for (channel, said) in &before.channel_consents {
        let now = after.channel_consents.get(channel).map(|said| said.answer);
        if weight(now) < weight(Some(said.answer)) {
            found.push(format!("{channel:?} was {:?} and is {now:?}", said.answer));
        }
    }
    for (topic, said) in &before.topic_consents {
        let now = after.topic_consents.get(topic).map(|said| said.answer);
        if weight(now) < weight(Some(said.answer)) {
            found.push(format!("{topic} was {:?} and is {now:?}", said.answer));
        }
    }
    for channel in before.suppressed.keys() {
        if !after.suppressed.contains_key(channel) {
            found.push(format!("{channel:?} was suppressed and is not"));
        }
    }
    if after.preferences.paused_until < before.preferences.paused_until {
        found.push(format!(
            "a pause until {:?}",
            before.preferences.paused_until
        ));
    }
    if before.preferences.frequency.is_some() && after.preferences.frequency.is_none() {
        found.push("a wish for fewer messages".to_owned());
    }
    found
}

/// Whoever two contacts become has refused what either refused, and is asked what either was asked (R7).
pub fn a_merge_keeps_the_stricter_answer(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    // Survivors of whom the next state is the merged one, with the two before.
    let mut open: BTreeMap<ContactId, Vec<Contact>> = BTreeMap::new();
    tell(history, |stage, commit, contact, effect| {
        if let Effect::Contact(body) = effect
            && let Some(before) = open.remove(&contact)
        {
            let laxer = before.iter().flat_map(|one| laxer(body, one));
            broken.extend(laxer.map(|what| format!("{contact} at {}: {what}", commit.at)));
        }
        if let Some(Turn::Absorbed(survivor)) = turn_of(stage, contact, effect) {
            let both = [contact, survivor];
            let both = both.iter().filter_map(|id| stage.contacts.get(id));
            open.insert(survivor, both.map(|body| (*body).clone()).collect());
        }
    });
    broken
}

/// It has no run, no message and nothing to wait for; what comes for it happens to the one that it is.
pub fn nothing_happens_to_an_absorbed_contact(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut absorbed: BTreeMap<ContactId, Timestamp> = BTreeMap::new();
    let mut spans: Vec<(ContactId, Timestamp, Timestamp)> = Vec::new();
    tell(history, |stage, commit, contact, effect| {
        match turn_of(stage, contact, effect) {
            Some(Turn::Absorbed(_)) => {
                absorbed.insert(contact, commit.at);
                return;
            }
            Some(Turn::Itself) => {
                let since = absorbed.remove(&contact);
                spans.extend(since.map(|since| (contact, since, commit.at)));
                return;
            }
            None => {}
        }
        if !absorbed.contains_key(&contact) {
            return;
        }
        let happens = match effect {
            Effect::Event(event) => Some(format!("{} happens", event.name)),
            Effect::Enrollment(run) => Some(format!("{} is {:?}", run.id, run.state)),
            Effect::Touchpoint(one) => Some(format!("{} is {:?}", one.id, one.state)),
            Effect::Membership { segment, after, .. } => {
                after.member.then(|| format!("a member of {segment}"))
            }
            Effect::Arm(timer) => Some(format!("{timer:?}")),
            Effect::Watch(watch) => Some(format!("awaited by {}", watch.journey)),
            Effect::Task(task) => Some(format!("{} is to be done", task.title)),
            _other => None,
        };
        broken.extend(happens.map(|what| format!("{contact} at {}: {what}", commit.at)));
    });
    spans.extend(
        absorbed
            .iter()
            .map(|(id, since)| (*id, *since, Timestamp::MAX)),
    );
    for delivery in &history.deliveries {
        let id = delivery.touchpoint.id;
        let made = delivery.composed_at;
        let during =
            |(own, from, to): &(ContactId, _, _)| *own == id.contact && *from < made && made < *to;
        if spans.iter().any(during) {
            broken.push(format!("{id} was made at {made}, of an absorbed contact"));
        }
    }
    broken
}

/// Of two runs that one person would not have had, one goes on.
pub fn a_merged_contact_runs_no_journey_twice(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut stage = Stage::default();
    for commit in &history.commits {
        let before: BTreeSet<EnrollmentId> = stage.runs.keys().copied().collect();
        for (_, effect) in &commit.effects {
            stage.apply(effect);
        }
        let came = runs_of(commit)
            .filter(|run| history.went_over.contains_key(&run.id) && !before.contains(&run.id));
        let came: BTreeSet<EnrollmentId> = came.map(|run| run.id).collect();
        for id in &came {
            let Some(run) = stage.runs.get(id).filter(|run| run.is_running()) else {
                continue;
            };
            let rivals = stage.runs.values().filter(|other| {
                other.id.contact == id.contact
                    && before.contains(&other.id)
                    && other.is_running()
                    && key(other) == key(run)
            });
            broken.extend(rivals.map(|other| {
                format!(
                    "{} and {} of {} at {}",
                    run.id, other.id, run.journey, commit.at
                )
            }));
        }
    }
    broken
}

fn runs_of(commit: &Commit) -> impl Iterator<Item = &Enrollment> {
    commit
        .effects
        .iter()
        .filter_map(|(_, effect)| match effect {
            Effect::Enrollment(run) => Some(run),
            _other => None,
        })
}

fn key(run: &Enrollment) -> (&JourneyId, Option<&SubjectRef>) {
    (&run.journey, run.subject.as_ref())
}

/// Names of whoever is absorbed lead to the survivor, and back to their owner when that is undone.
pub fn names_go_over_and_come_back(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut stage = Stage::default();
    let mut names: BTreeMap<ContactId, &BTreeSet<Identity>> = BTreeMap::new();
    let mut lent: BTreeMap<ContactId, BTreeSet<Identity>> = BTreeMap::new();
    for commit in &history.commits {
        let mut turned = Vec::new();
        for (contact, effect) in &commit.effects {
            turned.extend(turn_of(&stage, *contact, effect).map(|turn| (*contact, turn)));
            stage.apply(effect);
        }
        let had = names.clone();
        names.extend(
            commit
                .names
                .iter()
                .map(|(contact, names)| (*contact, names)),
        );
        let is_gone = |contact: ContactId| {
            let body = stage.contacts.get(&contact);
            body.is_none_or(|body| body.erased)
        };
        // A program that ended right after the commit was not asked for names.
        if commit.names.is_empty() {
            turned.retain(|(_, turn)| matches!(turn, Turn::Itself));
        }
        for (contact, turn) in turned {
            match turn {
                Turn::Absorbed(survivor) => {
                    let own = had.get(&contact).copied().cloned().unwrap_or_default();
                    let whole = whole(&stage, survivor);
                    let now = names.get(&whole).copied();
                    let missing = own
                        .iter()
                        .find(|name| !now.is_some_and(|now| now.contains(name)));
                    let is_itself = whole_is(&stage, contact, contact);
                    if let Some(name) = missing.filter(|_| !is_itself && !is_gone(whole)) {
                        broken.push(format!(
                            "{whole} has no {name:?} of {contact} at {}",
                            commit.at
                        ));
                    }
                    lent.insert(contact, own);
                }
                Turn::Itself => {
                    let own = lent.remove(&contact).unwrap_or_default();
                    let now = names.get(&contact).copied();
                    let is_itself = whole_is(&stage, contact, contact);
                    let missing = own
                        .iter()
                        .find(|name| !now.is_some_and(|now| now.contains(name)));
                    let is_told = commit.names.iter().any(|(one, _)| *one == contact);
                    if let Some(name) =
                        missing.filter(|_| is_itself && is_told && !is_gone(contact))
                    {
                        broken.push(format!("{contact} has no {name:?} again at {}", commit.at));
                    }
                }
            }
        }
    }
    broken
}

fn whole(stage: &Stage<'_>, contact: ContactId) -> ContactId {
    let mut contact = contact;
    for _ in 0..=stage.contacts.len() {
        let body = stage.contacts.get(&contact);
        match body.and_then(|body| body.merged_into) {
            Some(next) => contact = next,
            None => break,
        }
    }
    contact
}

fn whole_is(stage: &Stage<'_>, contact: ContactId, other: ContactId) -> bool {
    whole(stage, contact) == other
}

/// Claims of messages to contacts, with the contact as it stood.
fn claims<'a>(history: &'a History, mut seen: impl FnMut(&Stage<'a>, &'a Commit, &'a Touchpoint)) {
    tell(history, |stage, commit, _, effect| {
        if let Effect::Touchpoint(touchpoint) = effect
            && is_claim(touchpoint)
            && is_to_contact(touchpoint)
            && !touchpoint.is_confirmation()
        {
            seen(stage, commit, touchpoint);
        }
    });
}

/// A topic that was refused, that was asked for and not confirmed, or that needs a yes that was not said,
/// brings no message.
pub fn nobody_is_written_to_before_they_confirm(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    claims(history, |stage, commit, touchpoint| {
        let facts = history.templates.get(touchpoint.template.as_str());
        if history.service.consent && facts.is_some_and(|facts| facts.service) {
            return;
        }
        let run = stage.runs.get(&touchpoint.enrollment);
        let journey = run.and_then(|run| history.journeys.get(&(run.journey.clone(), run.version)));
        let topic = facts
            .and_then(|facts| facts.topic.as_ref())
            .or_else(|| journey?.topic.as_ref());
        let (Some(topic), Some(body)) = (topic, stage.contacts.get(&touchpoint.id.contact)) else {
            return;
        };
        let said = body.topic_consents.get(topic).map(|said| said.answer);
        let may = match said {
            Some(answer) => answer == Consent::Granted,
            None => !history.opt_in_topics.contains(topic),
        };
        if !may {
            let id = touchpoint.id;
            broken.push(format!("{id} about {topic} at {}, {said:?}", commit.at));
        }
    });
    broken
}

/// Whoever wants no messages for a time gets none in it.
pub fn a_wish_for_silence_is_heard(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    claims(history, |stage, commit, touchpoint| {
        let facts = history.templates.get(touchpoint.template.as_str());
        let exempt = history.service.quiet_hours && facts.is_some_and(|facts| facts.service);
        let body = stage.contacts.get(&touchpoint.id.contact);
        let until = body.and_then(|body| body.preferences.paused_until);
        if !exempt && until.is_some_and(|until| until > commit.engine_at) {
            broken.push(format!(
                "{} at {}, before {until:?}",
                touchpoint.id, commit.engine_at
            ));
        }
    });
    broken
}

/// Whoever was erased is known by no name, whatever comes under it; and nothing of theirs is kept.
pub fn an_erased_person_does_not_come_back(history: &History) -> Vec<String> {
    let back = history.returned.iter();
    let back = back.map(|(name, contact)| format!("{name} is {contact}"));
    let logged = history.logged.iter();
    let logged =
        logged.filter(|(contact, events)| history.erased.contains(contact) && !events.is_empty());
    let logged = logged.map(|(contact, events)| format!("{contact} has {} events", events.len()));
    let is_of_erased = |id: &&TouchpointId| history.erased.contains(&id.contact);
    let kept = history.stored.iter().filter(|(id, _)| is_of_erased(id));
    let kept = kept.map(|(id, one)| {
        let open = !matches!(one.state, TouchpointState::Settled { .. });
        format!("{id} is kept, open: {open}")
    });
    back.chain(logged).chain(kept).collect()
}
