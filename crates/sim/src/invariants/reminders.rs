//! Who must not be written to, and when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Channel, Consent, Contact};
use relance_core::decide::Effect;
use relance_core::enrollment::Enrollment;
use relance_core::ids::{ContactId, EnrollmentId, TouchpointId};
use relance_core::journey::{Lapse, On};
use relance_core::policy::{Cap, SILENCE_AGE_MAX};
use relance_core::time::{Zone, civil_day};
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};

use super::stage::{is_claim, is_to_contact};
use crate::history::{History, Reply};

/// How far the engine's clock may be wrong in lives where it is set.
const SKEW_MAX: SignedDuration = SignedDuration::from_hours(7);

/// A message that went into flight, and what stood then.
struct Claim<'a> {
    at: Timestamp,
    /// Addresses of the contact and of those that it had absorbed.
    emails: BTreeSet<String>,
    touchpoint: &'a Touchpoint,
    contact: Option<&'a Contact>,
    run: Option<&'a Enrollment>,
}

/// Every claim of a message to a contact, with contact and run as they were committed before it.
fn claims(history: &History) -> Vec<Claim<'_>> {
    let mut contacts: BTreeMap<ContactId, &Contact> = BTreeMap::new();
    let mut runs: BTreeMap<EnrollmentId, &Enrollment> = BTreeMap::new();
    let mut claims = Vec::new();
    let mut emails: BTreeMap<ContactId, BTreeSet<String>> = BTreeMap::new();
    for (commit, _, effect) in history.effects() {
        match effect {
            Effect::Contact(contact) => {
                let before = contacts.insert(contact.id, contact);
                let mut own = emails.remove(&contact.id).unwrap_or_default();
                own.extend(contact.text("email").map(str::to_owned));
                // What was told meanwhile of one that it is not any more is that one's.
                let was = before.into_iter().flat_map(|before| &before.absorbed);
                for other in was.filter(|other| !contact.absorbed.contains(other)) {
                    own.retain(|email| !emails.get(other).is_some_and(|of| of.contains(email)));
                }
                emails.insert(contact.id, own);
            }
            Effect::Enrollment(run) => drop(runs.insert(run.id, run)),
            Effect::Touchpoint(touchpoint) if is_claim(touchpoint) && is_to_contact(touchpoint) => {
                let id = touchpoint.id.contact;
                let contact = contacts.get(&id).copied();
                let absorbed = contact.into_iter().flat_map(|contact| &contact.absorbed);
                let selves = absorbed.chain([&id]);
                let emails = selves.filter_map(|one| emails.get(one)).flatten().cloned();
                claims.push(Claim {
                    at: commit.at,
                    emails: emails.collect(),
                    touchpoint,
                    contact,
                    run: runs.get(&touchpoint.enrollment).copied(),
                });
            }
            _other => {}
        }
    }
    claims
}

/// A reply that lay in a mailbox that corresponds with the contact before the silence was asked for, or long enough before the
/// claim, keeps the reminder back. What is in flight cannot be called back from the wire.
pub fn no_reminder_leaves_after_a_reply(history: &History) -> Vec<String> {
    let claims = claims(history);
    let mut broken = Vec::new();
    for delivery in &history.deliveries {
        let touchpoint = &delivery.touchpoint;
        let claim = claims.iter().rev().find(|claim| {
            claim.touchpoint.id == touchpoint.id
                && claim.touchpoint.attempts == touchpoint.attempts
                && claim.at <= delivery.at
        });
        let Some((claim, run)) = claim.and_then(|claim| Some((claim, claim.run?))) else {
            continue;
        };
        let journey = &history.journeys[&(run.journey.clone(), run.version)];
        let ends_run = journey
            .exits
            .iter()
            .any(|exit| exit.event.as_str() == "Replied");
        // A message behind any `wait_for` may be one that does not depend on its answer.
        if !ends_run && journey.id.as_str() != "chase" {
            continue;
        }
        let known = claim.contact.map(|contact| &contact.mailboxes);
        let document = touchpoint.subject.as_ref().map(|subject| &*subject.id);
        let own = document.and_then(|document| history.documents.get(document));
        let Some(silence) = &touchpoint.silence else {
            if own.is_some() || known.is_some_and(|known| !known.is_empty()) {
                broken.push(format!("{} asked no mailbox", touchpoint.id));
            }
            continue;
        };
        let skew = if history.clock_jumped {
            SKEW_MAX
        } else {
            SignedDuration::ZERO
        };
        let fresh = claim.at - SILENCE_AGE_MAX - SignedDuration::from_mins(1);
        let latest = if ends_run {
            fresh.max(silence.after)
        } else {
            silence.after
        } - skew;
        let emails = &claim.emails;
        let about_document = touchpoint
            .subject
            .as_ref()
            .is_some_and(|subject| subject.kind.as_str() == "document");
        let concerned = |reply: &Reply| {
            reply.mailboxes.iter().any(|mailbox| {
                Some(mailbox) == own || known.is_some_and(|known| known.contains(mailbox))
            })
        };
        // A run that a step of another begins has that one's cause for its templates alone.
        let began_at = match &journey.trigger.on {
            On::Event(name) if run.cause.as_ref().is_some_and(|cause| cause.name == *name) => {
                run.began_at()
            }
            _other => run.entered_at,
        };
        for reply in &history.replies {
            let concerns = reply.answers_for.iter().any(|one| emails.contains(one))
                && concerned(reply)
                && (!about_document
                    || reply.document.is_none()
                    || reply.document.as_deref() == document);
            if concerns && reply.at > began_at && reply.at < latest {
                broken.push(format!(
                    "{} ({}) left at {} though {} came at {}",
                    touchpoint.id, touchpoint.template, delivery.at, reply.mail, reply.at
                ));
            }
        }
    }
    broken
}

/// Whether a service message need not ask for the control group.
fn is_exempt(history: &History, touchpoint: &Touchpoint) -> bool {
    let facts = history.templates.get(touchpoint.template.as_str());
    history.service.holdout && facts.is_some_and(|facts| facts.service)
}

pub fn holdout_receives_nothing(history: &History) -> Vec<String> {
    let held_out: BTreeSet<EnrollmentId> = history
        .effects()
        .filter_map(|(_, _, effect)| match effect {
            Effect::Enrollment(run) if run.held_out => Some(run.id),
            _other => None,
        })
        .collect();
    history
        .deliveries
        .iter()
        .map(|delivery| &delivery.touchpoint)
        .chain(claims(history).into_iter().map(|claim| claim.touchpoint))
        .filter(|touchpoint| held_out.contains(&touchpoint.enrollment))
        .filter(|touchpoint| !is_exempt(history, touchpoint))
        .map(|touchpoint| format!("{} of {}", touchpoint.id, touchpoint.enrollment))
        .collect()
}

pub fn suppressed_contact_is_never_sent(history: &History) -> Vec<String> {
    claims(history)
        .into_iter()
        .filter(|claim| {
            claim.contact.is_some_and(|contact| {
                contact.erased || contact.suppressed.contains_key(&claim.touchpoint.channel)
            })
        })
        .map(|claim| format!("{} at {}", claim.touchpoint.id, claim.at))
        .collect()
}

/// From the moment on that the caller was told, whatever the contact's row says.
pub fn unsubscribed_contact_is_never_sent(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    for claim in claims(history) {
        let facts = history.templates.get(claim.touchpoint.template.as_str());
        let exempt = history.service.consent && facts.is_some_and(|facts| facts.service);
        let asks = claim.touchpoint.is_confirmation();
        if exempt || asks || claim.touchpoint.channel != Channel::Email {
            continue;
        }
        let denied = claim.contact.is_some_and(|contact| {
            let said = contact.channel_consents.get(&Channel::Email);
            said.is_some_and(|said| said.answer != Consent::Granted)
        });
        let Some(contact) = claim.contact else {
            continue;
        };
        let emails = &claim.emails;
        let mut selves = contact.absorbed.iter().chain([&contact.id]);
        let granted = selves.any(|one| history.granted.contains(one));
        let told = !granted
            && history
                .unsubscribed
                .iter()
                .any(|(at, who)| emails.contains(who) && *at < claim.at);
        if denied || told {
            broken.push(format!("{} at {}", claim.touchpoint.id, claim.at));
        }
    }
    broken
}

pub fn no_send_without_required_approval(history: &History) -> Vec<String> {
    let deliveries = history
        .deliveries
        .iter()
        .map(|delivery| &delivery.touchpoint);
    deliveries
        .filter(|touchpoint| !touchpoint.approval.is_auto())
        .filter(|touchpoint| match &touchpoint.approved_by {
            None => true,
            Some(by) if by.as_str() == "nobody" => touchpoint.approval.lapse != Lapse::Send,
            Some(_) => {
                let mut approved = history.approved.iter();
                !approved.any(|id| history.name_now(*id) == history.name_now(touchpoint.id))
            }
        })
        .map(|touchpoint| touchpoint.id.to_string())
        .collect()
}

/// What had gone, and what was in flight, when a message was claimed left room for one more.
pub fn caps_hold_over_civil_days(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut zones: BTreeMap<ContactId, Zone> = BTreeMap::new();
    let mut gone: BTreeMap<ContactId, Vec<Timestamp>> = BTreeMap::new();
    let mut flying: BTreeMap<TouchpointId, Timestamp> = BTreeMap::new();
    let home = Zone::parse("Europe/Berlin").expect("zone");
    for (commit, contact, effect) in history.effects() {
        match effect {
            Effect::Contact(body) => {
                let zone = body
                    .text("timezone")
                    .and_then(|name| Zone::parse(name).ok());
                zones.insert(contact, zone.unwrap_or_else(|| home.clone()));
            }
            Effect::Touchpoint(touchpoint) => {
                let id = touchpoint.id;
                let facts = history.templates.get(touchpoint.template.as_str());
                let is_service = history.service.caps && facts.is_some_and(|facts| facts.service);
                let is_service = is_service || touchpoint.is_confirmation();
                if is_service || !is_to_contact(touchpoint) {
                    continue;
                }
                match &touchpoint.state {
                    TouchpointState::Sending { since } => {
                        let zone = zones.get(&contact).unwrap_or(&home);
                        let today = civil_day(commit.engine_at, zone);
                        let of_all = |cap: &&Cap| cap.channel.is_none() && cap.topic.is_none();
                        for cap in history.caps.iter().filter(of_all) {
                            let oldest = today - i32::from(cap.days) + 1;
                            let own = flying.iter().filter(|(other, _)| other.contact == contact);
                            let count = gone
                                .get(&contact)
                                .into_iter()
                                .flatten()
                                .chain(own.map(|(_, since)| since))
                                .filter(|at| civil_day(**at, zone) >= oldest)
                                .count();
                            if count >= cap.most as usize {
                                broken.push(format!(
                                    "{id} is number {} at {}",
                                    count + 1,
                                    commit.at
                                ));
                            }
                        }
                        flying.insert(id, *since);
                    }
                    TouchpointState::Settled { at, outcome } => {
                        let flew = flying.remove(&id).is_some();
                        if flew && matches!(outcome, Outcome::Accepted | Outcome::Unknown) {
                            gone.entry(contact).or_default().push(*at);
                        }
                    }
                    TouchpointState::Queued { .. }
                    | TouchpointState::Held { .. }
                    | TouchpointState::AwaitingApproval { .. } => {
                        flying.remove(&id);
                    }
                }
            }
            _other => {}
        }
    }
    broken
}

pub fn ended_run_claims_nothing(history: &History) -> Vec<String> {
    claims(history)
        .into_iter()
        .filter(|claim| !claim.touchpoint.is_confirmation())
        .filter(|claim| claim.run.is_none_or(|run| !run.is_running()))
        .map(|claim| format!("{} at {}", claim.touchpoint.id, claim.at))
        .collect()
}
