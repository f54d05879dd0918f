//! Who is away is not reminded, and what one of ours did by hand is not done again.
//!
//! Judged by the mails that lay in mailboxes. Lives in which people were held for one, or the clock was set, are left to
//! the other invariants: who is meant, and when, is not plain there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use relance_core::decide::Effect;
use relance_core::enrollment::Enrollment;
use relance_core::ids::{ContactId, EnrollmentId, StepKey};
use relance_core::journey::StepKind;
use relance_core::ledger::{Reason, What};
use relance_core::touchpoint::Touchpoint;

use super::stage::is_to_contact;
use crate::history::{Delivery, History};

/// The farthest that a zone is ahead of Greenwich.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(14);
/// A mail so long after anything else of its run is one of its own.
const APART: SignedDuration = SignedDuration::from_hours(24);
/// A pass over mailboxes finds what lay there before it began.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// What was committed of a delivery's run, and its contact's addresses.
struct Life<'h> {
    runs: BTreeMap<EnrollmentId, Vec<&'h Enrollment>>,
    messages: BTreeMap<EnrollmentId, Vec<(Timestamp, &'h Touchpoint)>>,
    emails: BTreeMap<ContactId, BTreeSet<String>>,
    /// Reminders that a mail by hand stood for.
    passed: BTreeMap<EnrollmentId, BTreeSet<&'h StepKey>>,
}

fn life(history: &History) -> Life<'_> {
    let mut life = Life {
        runs: BTreeMap::new(),
        messages: BTreeMap::new(),
        emails: BTreeMap::new(),
        passed: BTreeMap::new(),
    };
    for (commit, contact, effect) in history.effects() {
        match effect {
            Effect::Enrollment(run) => life.runs.entry(run.id).or_default().push(run),
            Effect::Touchpoint(message) => life
                .messages
                .entry(message.enrollment)
                .or_default()
                .push((commit.at, message)),
            Effect::Contact(body) => {
                let own = life.emails.entry(contact).or_default();
                own.extend(body.text("email").map(str::to_owned));
            }
            Effect::Ledger(line)
                if line.what == What::Skipped && line.reason == Some(Reason::FollowedUp) =>
            {
                if let Some(run) = line.enrollment {
                    life.passed.entry(run).or_default().extend(&line.step);
                }
            }
            _other => {}
        }
    }
    life
}

fn is_plain(history: &History) -> bool {
    !history.clock_jumped && !history.has_merges()
}

/// Deliveries of reminders about a document whose mailbox was asked for silence, with that moment.
fn reminders(history: &History) -> impl Iterator<Item = (&Delivery, &str, Timestamp)> {
    history.deliveries.iter().filter_map(|delivery| {
        let message = &delivery.touchpoint;
        let silence = message.silence.as_ref()?;
        let document = message.subject.as_ref()?;
        let own = history.documents.get(&*document.id)?;
        (is_to_contact(message) && silence.mailboxes.contains(own)).then_some((
            delivery,
            &*document.id,
            silence.after,
        ))
    })
}

/// Whoever's automatic answer named a day of return is not reminded before it, unless they answered meanwhile.
pub fn no_reminder_leaves_before_the_return_date(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    if !is_plain(history) {
        return broken;
    }
    let life = life(history);
    for (delivery, document, after) in reminders(history) {
        let message = &delivery.touchpoint;
        let Some(run) = life
            .runs
            .get(&message.enrollment)
            .and_then(|all| all.last())
        else {
            continue;
        };
        let journey = &history.journeys[&(run.journey.clone(), run.version)];
        if !journey.waits_for_absent || !journey.depends_on_silence() {
            continue;
        }
        let Some(emails) = life.emails.get(&message.id.contact) else {
            continue;
        };
        let mailbox = &history.documents[document];
        let of_person: Vec<_> = history
            .absences
            .iter()
            .filter(|absence| emails.contains(&absence.email))
            .collect();
        let back_at = |date: jiff::civil::Date| {
            date.to_datetime(Time::midnight())
                .to_zoned(TimeZone::UTC)
                .map_or(Timestamp::MIN, |zoned| zoned.timestamp() - AHEAD_MAX)
        };
        let early = of_person
            .iter()
            .filter(|absence| absence.at <= delivery.at)
            .all(|absence| delivery.at < back_at(absence.returns));
        let known = of_person
            .iter()
            .find(|absence| absence.mailbox == *mailbox && absence.at + MARGIN < after);
        let Some(known) = known.filter(|_| early) else {
            continue;
        };
        let answered = history.replies.iter().any(|reply| {
            reply.at <= delivery.at && reply.answers_for.iter().any(|one| emails.contains(one))
        });
        if !answered {
            broken.push(format!(
                "{} left at {} though {} is away until {}",
                message.id, delivery.at, known.email, known.returns
            ));
        }
    }
    broken
}

/// The reminder before which one of ours wrote by hand is not sent, where that mail stands apart from what went before.
pub fn no_reminder_leaves_after_a_manual_follow_up_of_the_same_step(
    history: &History,
) -> Vec<String> {
    let mut broken = Vec::new();
    if !is_plain(history) {
        return broken;
    }
    let life = life(history);
    for (delivery, document, after) in reminders(history) {
        let message = &delivery.touchpoint;
        let (Some(runs), Some(messages)) = (
            life.runs.get(&message.enrollment),
            life.messages.get(&message.enrollment),
        ) else {
            continue;
        };
        let Some(run) = runs.last() else { continue };
        // One version throughout, of waits and reminders alone.
        let journey = &history.journeys[&(run.journey.clone(), run.version)];
        let plain = journey.depends_on_silence()
            && runs.iter().all(|one| one.version == run.version)
            && journey
                .steps
                .iter()
                .all(|step| matches!(step.kind, StepKind::Wait(_) | StepKind::Send { .. }));
        let mut of_document = history
            .follow_ups
            .iter()
            .filter(|one| one.document == document);
        let (Some(mail), None) = (of_document.next(), of_document.next()) else {
            continue;
        };
        let began = run.began_at();
        // Others of the run that were settled long enough before, and none that stood open then.
        let others = messages
            .iter()
            .filter(|(_, one)| one.id != message.id && one.created_at < message.created_at);
        let apart =
            mail.at >= began + APART && others.into_iter().all(|(at, _)| *at + APART <= mail.at);
        let counts = mail.at + APART > message.created_at && mail.at + MARGIN < after;
        // It stood for another reminder; this one follows, after a wait of its own.
        let spent = life.passed.get(&message.enrollment);
        let spent = spent.is_some_and(|steps| !steps.contains(&message.step));
        if plain && apart && counts && !spent {
            broken.push(format!(
                "{} ({}) left at {} though one of ours wrote at {}",
                message.id, message.template, delivery.at, mail.at
            ));
        }
    }
    broken
}
