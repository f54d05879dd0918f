//! Rows as columns: what `unnest` takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::contact::Channel;
use relance_core::ids::{JourneyId, SegmentId, StepKey, TemplateId, TouchpointId, Variant};
use relance_core::ledger::{LedgerEntry, Reason};
use relance_core::segment::Membership;
use relance_engine::ports::StoreError;
use relance_wire::stored::{consent_text, enrollment_text, event_text, task_text, touchpoint_text};

use super::error::PgLocated;
use super::needs::NO_ACTIVITY;
use super::session::Param;
use super::text::{key, plain, word};
use super::workspace::version_column;
use super::write::Gathered;
use crate::registry::{DocumentRow, Doing, owner_column, state_column};
use crate::sqlite::column::{contact_key, nanos};
use crate::sqlite::state::{slot_columns, state_columns};
use crate::sqlite::tally::daily::Happened;

/// Whose, into which journey, about which kind and id, when.
type Entries<'a> = (Vec<i64>, Vec<&'a str>, Vec<&'a str>, Vec<&'a str>, Vec<i64>);
/// Whose, of which kind and id, when it changed, its body.
type Objects<'a> = (Vec<i64>, Vec<&'a str>, Vec<&'a str>, Vec<i64>, Vec<&'a str>);
/// Whose, when, about what, the answer, its body.
type Consents = (
    Vec<i64>,
    Vec<i64>,
    Vec<String>,
    Vec<&'static str>,
    Vec<String>,
);

/// Whose and which, how it stands, when and by whom it was done, and by when it is due from now on.
type TaskChanges<'a> = (
    Vec<i64>,
    Vec<i64>,
    Vec<i16>,
    Vec<Option<i64>>,
    Vec<Option<&'a str>>,
    Vec<Option<i64>>,
);

fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

#[derive(Default)]
pub(super) struct Runs<'a> {
    pub(super) contacts: Vec<i64>,
    pub(super) numbers: Vec<i32>,
    pub(super) versions: Vec<i32>,
    pub(super) steps: Vec<Option<Cow<'a, str>>>,
    pub(super) bodies: Vec<String>,
    pub(super) live: Vec<bool>,
    pub(super) journeys: Vec<Cow<'a, str>>,
}

#[derive(Default)]
pub(super) struct Messages {
    pub(super) contacts: Vec<i64>,
    pub(super) hashes: Vec<i64>,
    pub(super) slots: Vec<i16>,
    pub(super) slot_at: Vec<i64>,
    pub(super) states: Vec<i16>,
    pub(super) state_at: Vec<i64>,
    pub(super) bodies: Vec<String>,
}

#[derive(Default)]
pub(super) struct Events<'a> {
    pub(super) contacts: Vec<i64>,
    pub(super) names: Vec<Cow<'a, str>>,
    pub(super) previous: Vec<Option<i64>>,
    pub(super) bodies: Vec<String>,
}

/// Documents as lists go by them.
#[derive(Default)]
pub(super) struct Documents<'a> {
    pub(super) contacts: Vec<i64>,
    ids: Vec<&'a str>,
    states: Vec<i16>,
    own: Vec<&'a str>,
    mailboxes: Vec<&'a str>,
    kinds: Vec<&'a str>,
    currencies: Vec<&'a str>,
    issued: Vec<i64>,
    due: Vec<i64>,
    amounts: Vec<i64>,
    updated_at: Vec<i64>,
    numbers: Vec<&'a str>,
    answered: Vec<bool>,
    paid: Vec<i64>,
}

impl<'a> Documents<'a> {
    pub(super) fn push(&mut self, contact: i64, id: &'a str, row: &'a DocumentRow) {
        self.contacts.push(contact);
        self.ids.push(id);
        self.states.push(small(state_column(row.state)));
        self.own.push(&row.own);
        self.mailboxes.push(&row.mailbox);
        self.kinds.push(row.kind);
        self.currencies.push(&row.currency);
        self.issued.push(row.issued);
        self.due.push(row.due);
        self.amounts.push(row.amount);
        self.updated_at.push(row.updated_at);
        self.numbers.push(&row.number);
        self.answered.push(row.answered);
        self.paid.push(row.paid);
    }

    pub(super) fn params(&self) -> Vec<Param<'_>> {
        vec![
            &self.contacts,
            &self.ids,
            &self.states,
            &self.own,
            &self.mailboxes,
            &self.kinds,
            &self.currencies,
            &self.issued,
            &self.due,
            &self.amounts,
            &self.updated_at,
            &self.numbers,
            &self.answered,
            &self.paid,
        ]
    }

    /// Which they are: contacts and ids.
    pub(super) fn keys(&self) -> (&Vec<i64>, &Vec<&'a str>) {
        (&self.contacts, &self.ids)
    }
}

/// Whose, about which document, what, of which run or message, at.
type Doings<'a> = (Vec<i64>, Vec<Cow<'a, str>>, Vec<i16>, Vec<i64>, Vec<i64>);

/// Everything as columns.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) contacts: (Vec<i64>, Vec<&'a str>),
    pub(super) runs: Runs<'a>,
    pub(super) entries: Entries<'a>,
    pub(super) messages: Messages,
    pub(super) watches: (Vec<i64>, Vec<i64>, Vec<&'a str>),
    pub(super) unwatched: (Vec<i64>, Vec<i64>),
    pub(super) objects: Objects<'a>,
    pub(super) members: (Vec<i64>, Vec<i32>, Vec<bool>, Vec<Option<i64>>),
    pub(super) gone: (Vec<i64>, Vec<i32>),
    pub(super) armed: (Vec<i64>, Vec<i64>, Vec<i16>, Vec<i64>),
    pub(super) disarmed: (Vec<i64>, Vec<i64>, Vec<i16>, Vec<i64>),
    pub(super) tasks: (Vec<i64>, Vec<i64>, Vec<i64>, Vec<String>),
    /// Whose they are, and until when.
    pub(super) task_faces: (Vec<String>, Vec<Option<i64>>),
    pub(super) task_changes: TaskChanges<'a>,
    pub(super) profiles: (Vec<i64>, Vec<&'a str>, Vec<&'a str>, Vec<&'a str>),
    pub(super) documents: Documents<'a>,
    pub(super) doings: Doings<'a>,
    pub(super) undone: (Vec<i64>, Vec<Cow<'a, str>>, Vec<i16>, Vec<i64>),
    /// Documents whose columns follow from doings.
    pub(super) followed: (Vec<i64>, Vec<Cow<'a, str>>),
    pub(super) consents: Consents,
    pub(super) events: Events<'a>,
    pub(super) heads: (Vec<i64>, Vec<Cow<'a, str>>, Vec<i64>, Vec<i64>),
}

impl<'a> Columns<'a> {
    pub(super) fn of(
        gathered: &'a Gathered<'_>,
        numbers: &BTreeMap<SegmentId, i32>,
        event_ids: &[i64],
    ) -> Result<Self, StoreError> {
        let mut c = Self {
            contacts: gathered
                .contacts
                .iter()
                .map(|(id, body)| (*id, body.as_str()))
                .unzip(),
            ..Self::default()
        };
        for ((contact, number), run) in &gathered.enrollments {
            c.runs.contacts.push(*contact);
            c.runs.numbers.push(number.cast_signed());
            c.runs.versions.push(version_column(run.version));
            c.runs
                .steps
                .push(run.step().map(|step| word(step.as_str())));
            c.runs
                .bodies
                .push(enrollment_text(run).at("enrollment", run.id)?);
            c.runs.live.push(run.is_live());
            c.runs.journeys.push(word(run.journey.as_str()));
        }
        for ((contact, journey, kind, id), at) in &gathered.entries {
            c.entries.0.push(*contact);
            c.entries.1.push(journey);
            c.entries.2.push(kind);
            c.entries.3.push(id);
            c.entries.4.push(*at);
        }
        for ((contact, hash), one) in &gathered.touchpoints {
            let (slot, slot_at) = slot_columns(one.slot());
            let (state, state_at) = state_columns(one);
            c.messages.contacts.push(*contact);
            c.messages.hashes.push(*hash);
            c.messages.slots.push(small(slot));
            c.messages.slot_at.push(slot_at);
            c.messages.states.push(small(state));
            c.messages.state_at.push(state_at);
            c.messages
                .bodies
                .push(touchpoint_text(one).at("touchpoint", one.id)?);
        }
        for ((contact, hash), body) in &gathered.watches {
            match body {
                Some(body) => {
                    c.watches.0.push(*contact);
                    c.watches.1.push(*hash);
                    c.watches.2.push(body);
                }
                None => {
                    c.unwatched.0.push(*contact);
                    c.unwatched.1.push(*hash);
                }
            }
        }
        for ((contact, kind, id), (updated_at, body)) in &gathered.objects {
            c.objects.0.push(*contact);
            c.objects.1.push(kind);
            c.objects.2.push(id);
            c.objects.3.push(*updated_at);
            c.objects.4.push(body);
        }
        for ((contact, segment), membership) in &gathered.members {
            let number = numbers.get(*segment).copied().unwrap_or_default();
            if *membership == Membership::default() {
                c.gone.0.push(*contact);
                c.gone.1.push(number);
            } else {
                c.members.0.push(*contact);
                c.members.1.push(number);
                c.members.2.push(membership.member);
                c.members.3.push(membership.due.map(nanos));
            }
        }
        for ((at, contact, kind, target), is_armed) in &gathered.timers {
            let timers = if *is_armed {
                &mut c.armed
            } else {
                &mut c.disarmed
            };
            timers.0.push(*at);
            timers.1.push(*contact);
            timers.2.push(*kind);
            timers.3.push(*target);
        }
        for task in &gathered.tasks {
            c.tasks.0.push(contact_key(task.id.contact));
            c.tasks.1.push(task.id.hash.cast_signed());
            c.tasks.2.push(nanos(task.created_at));
            c.tasks.3.push(task_text(task).at("task", task.id)?);
            let assignee = task.assignee.as_deref().map(owner_column);
            c.task_faces.0.push(assignee.unwrap_or_default());
            c.task_faces.1.push(task.due_at.map(nanos));
        }
        for (contact, change) in &gathered.consents {
            c.consents.0.push(contact_key(*contact));
            c.consents.1.push(nanos(change.at));
            c.consents.2.push(word(&change.about.word()).into_owned());
            c.consents.3.push(change.answer.word());
            c.consents
                .4
                .push(consent_text(change).at("consent of", contact)?);
        }
        for ((contact, hash), row) in &gathered.task_changes {
            c.task_changes.0.push(*contact);
            c.task_changes.1.push(*hash);
            c.task_changes.2.push(small(row.state));
            c.task_changes.3.push(row.done_at);
            c.task_changes.4.push(row.done_by);
            c.task_changes.5.push(row.due_at);
        }
        for (contact, profile) in &gathered.profiles {
            c.profiles.0.push(*contact);
            c.profiles.1.push(&profile.owner);
            c.profiles.2.push(&profile.name);
            c.profiles.3.push(&profile.words);
        }
        for ((contact, id), row) in &gathered.documents {
            c.documents.push(*contact, id, row);
            c.followed.0.push(*contact);
            c.followed.1.push(Cow::Borrowed(&**id));
        }
        for ((contact, _), run) in &gathered.enrollments {
            for doing in Doing::of_run(run) {
                c.add_doing(*contact, &doing);
            }
        }
        for ((contact, _), one) in &gathered.touchpoints {
            for doing in Doing::of_message(one) {
                c.add_doing(*contact, &doing);
            }
        }
        c.add_events(gathered, event_ids)?;
        Ok(c)
    }

    pub(super) fn add_doing(&mut self, contact: i64, doing: &Doing<'a>) {
        let id = key(doing.id);
        self.followed.0.push(contact);
        self.followed.1.push(id.clone());
        match doing.at {
            Some(at) => {
                // One statement may write a row once.
                let what = small(doing.what);
                let is_there = self.doings.0.iter().zip(&self.doings.1).zip(&self.doings.2);
                let mut is_there = is_there.zip(&self.doings.3).rev().take(4);
                if is_there.any(|(((of, known), as_what), source)| {
                    (*of, known, *as_what, *source) == (contact, &id, what, doing.source)
                }) {
                    return;
                }
                self.doings.0.push(contact);
                self.doings.1.push(id);
                self.doings.2.push(what);
                self.doings.3.push(doing.source);
                self.doings.4.push(at);
            }
            None => {
                self.undone.0.push(contact);
                self.undone.1.push(id);
                self.undone.2.push(small(doing.what));
                self.undone.3.push(doing.source);
            }
        }
    }

    /// Events with the one before each in the batch, and where their chains begin after it.
    fn add_events(&mut self, gathered: &'a Gathered<'_>, ids: &[i64]) -> Result<(), StoreError> {
        let mut heads: BTreeMap<(i64, Cow<'a, str>), (i64, i64)> = BTreeMap::new();
        for ((contact, event), id) in gathered.events.iter().zip(ids) {
            let (owner, name) = (contact_key(*contact), key(event.name.as_str()));
            let active_at = if event.is_activity() {
                nanos(event.at)
            } else {
                NO_ACTIVITY
            };
            let before = heads.get(&(owner, name.clone())).copied();
            let last_at = before.map_or(active_at, |(_, at)| at.max(active_at));
            self.events.contacts.push(owner);
            self.events.names.push(name.clone());
            self.events.previous.push(before.map(|(id, _)| id));
            self.events
                .bodies
                .push(event_text(event).at("event of", contact)?);
            heads.insert((owner, name), (*id, last_at));
        }
        for ((contact, name), (last_id, last_at)) in heads {
            self.heads.0.push(contact);
            self.heads.1.push(name);
            self.heads.2.push(last_id);
            self.heads.3.push(last_at);
        }
        Ok(())
    }
}

/// Lines of the ledger as columns.
#[derive(Default)]
pub(super) struct LineColumns<'a> {
    pub(super) contacts: Vec<i64>,
    pub(super) at: Vec<i64>,
    pub(super) what: Vec<&'static str>,
    pub(super) reasons: Vec<Option<&'static str>>,
    pub(super) journeys: Vec<Option<Cow<'a, str>>>,
    pub(super) runs: Vec<Option<i32>>,
    pub(super) steps: Vec<Option<Cow<'a, str>>>,
    pub(super) touchpoints: Vec<Option<i64>>,
    pub(super) channels: Vec<Option<&'static str>>,
    pub(super) templates: Vec<Option<Cow<'a, str>>>,
    pub(super) until: Vec<Option<i64>>,
    pub(super) details: Vec<Option<Cow<'a, str>>>,
    pub(super) variants: Vec<Option<Cow<'a, str>>>,
}

impl<'a> LineColumns<'a> {
    pub(super) fn of(lines: &[&'a LedgerEntry]) -> Self {
        let mut c = Self::default();
        for line in lines {
            c.contacts.push(contact_key(line.contact));
            c.at.push(nanos(line.at));
            c.what.push(line.what.word());
            c.reasons.push(line.reason.map(Reason::word));
            c.journeys
                .push(line.journey.as_ref().map(|id| word(JourneyId::as_str(id))));
            c.runs
                .push(line.enrollment.map(|id| id.number.cast_signed()));
            c.steps
                .push(line.step.as_ref().map(|step| word(StepKey::as_str(step))));
            c.touchpoints.push(
                line.touchpoint
                    .map(|id: TouchpointId| id.hash.cast_signed()),
            );
            c.channels.push(line.channel.map(Channel::word));
            c.templates
                .push(line.template.as_ref().map(|id| key(TemplateId::as_str(id))));
            c.until.push(line.until.map(nanos));
            c.details.push(line.detail.as_deref().map(plain));
            c.variants
                .push(line.variant.as_ref().map(|id| word(Variant::as_str(id))));
        }
        c
    }

    pub(super) fn params<'b>(&'b self, ids: &'b Vec<i64>) -> Vec<Param<'b>> {
        vec![
            ids,
            &self.contacts,
            &self.at,
            &self.what,
            &self.reasons,
            &self.journeys,
            &self.runs,
            &self.steps,
            &self.touchpoints,
            &self.channels,
            &self.templates,
            &self.until,
            &self.details,
            &self.variants,
        ]
    }
}

/// What happened, as columns.
#[derive(Default)]
pub(super) struct FeedColumns {
    pub(super) at: Vec<i64>,
    contacts: Vec<i64>,
    what: Vec<&'static str>,
    lines: Vec<bool>,
    places: Vec<i64>,
    owners: Vec<String>,
    always: Vec<bool>,
}

impl FeedColumns {
    pub(super) fn of(
        gathered: &Gathered<'_>,
        events: &[i64],
        lines: &[i64],
        is_kept: impl Fn(Timestamp) -> bool,
    ) -> Self {
        let mut c = Self::default();
        let mut add = |one: Option<Happened>| {
            if let Some(one) = one {
                c.at.push(one.at);
                c.contacts.push(one.contact);
                c.what.push(one.what);
                c.lines.push(one.is_line);
                c.places.push(one.place);
                c.owners.push(one.owner);
                c.always.push(one.always);
            }
        };
        for ((contact, event), id) in gathered.events.iter().zip(events) {
            if is_kept(event.at) {
                add(Happened::of_event(*id, *contact, event));
            }
        }
        for (line, id) in gathered.lines.iter().zip(lines) {
            if is_kept(line.at) {
                add(Happened::of_line(*id, line));
            }
        }
        c
    }

    pub(super) fn params(&self) -> Vec<Param<'_>> {
        vec![
            &self.at,
            &self.contacts,
            &self.what,
            &self.lines,
            &self.places,
            &self.owners,
            &self.always,
        ]
    }
}
