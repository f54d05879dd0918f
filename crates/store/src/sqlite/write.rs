//! Effects into rows. Every write is idempotent but for the logs, which the batch's transaction guards.

use std::collections::HashSet;

use relance_core::contact::Channel;
use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::enrollment::{Enrollment, Entry};
use relance_core::ids::{
    ContactId, EnrollmentId, JourneyId, StepKey, TemplateId, TouchpointId, Variant,
};
use relance_core::ledger::{LedgerEntry, Reason};
use relance_core::subject::Object;
use relance_core::touchpoint::{Task, Touchpoint};
use relance_core::watch::Watch;
use relance_engine::ports::{Change, StoreError};
use relance_wire::stored::{
    contact_text, enrollment_text, object_text, task_text, touchpoint_text, watch_text,
};
use rusqlite::{OptionalExtension, Params, Row, params};

use super::SqliteStore;
use super::chains::OF_CONTACT;
use super::column::{contact_key, nanos, subject_columns};
use super::error::Located;
use super::state::{SLOT_FLIGHT, SLOT_OUTBOX, slot_columns, state_columns};
use super::tally::totals;
use crate::registry::{Doing, owner_column};

/// A row that an effect replaces as a whole.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Whole<'a> {
    Contact(ContactId),
    Enrollment(EnrollmentId),
    Touchpoint(TouchpointId),
    Object(ContactId, &'a str, &'a str),
}

fn whole(contact: ContactId, effect: &Effect) -> Option<Whole<'_>> {
    match effect {
        Effect::Contact(body) => Some(Whole::Contact(body.id)),
        Effect::Enrollment(run) => Some(Whole::Enrollment(run.id)),
        Effect::Touchpoint(touchpoint) => Some(Whole::Touchpoint(touchpoint.id)),
        Effect::Object(object) => Some(Whole::Object(
            contact,
            object.subject.kind.as_str(),
            &object.subject.id,
        )),
        Effect::Entry(_)
        | Effect::Watch(_)
        | Effect::Membership { .. }
        | Effect::Unwatch(_)
        | Effect::Consent(_)
        | Effect::Suppression(_)
        | Effect::Event(_)
        | Effect::Task(_)
        | Effect::TaskChanged { .. }
        | Effect::Arm(_)
        | Effect::Disarm(_)
        | Effect::Ledger(_)
        | Effect::Revoke(_)
        | Effect::Account { .. }
        | Effect::Belongs { .. }
        | Effect::RequestSync(_) => None,
    }
}

/// The columns `kind` and `target` of a timer.
pub(super) fn timer_columns(kind: TimerKind) -> (i64, i64) {
    match kind {
        TimerKind::Enrollment(number) => (1, i64::from(number)),
        TimerKind::Touchpoint(hash) => (2, hash.cast_signed()),
        TimerKind::Watch(hash) => (3, hash.cast_signed()),
        TimerKind::Segment(hash) => (4, hash.cast_signed()),
    }
}

impl SqliteStore {
    pub(super) fn write_all(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        // Of several states of one row only the last is written: found from the end.
        let mut later = HashSet::new();
        let mut is_superseded: Vec<bool> = changes
            .iter()
            .rev()
            .flat_map(|change| {
                change
                    .effects
                    .iter()
                    .rev()
                    .map(|effect| (change.contact, effect))
            })
            .map(|(contact, effect)| whole(contact, effect).is_some_and(|row| !later.insert(row)))
            .collect();
        let mut events = 0;
        for change in changes {
            for effect in &change.effects {
                if is_superseded.pop() == Some(true) {
                    continue;
                }
                events += usize::from(matches!(effect, Effect::Event(_)));
                self.write_effect(change.contact, effect)?;
            }
        }
        self.heads.sweep(&self.conn, &self.sql, events)
    }

    fn write_effect(&mut self, contact: ContactId, effect: &Effect) -> Result<(), StoreError> {
        self.fresh.written(contact);
        match effect {
            Effect::Contact(body) => {
                let text = contact_text(body).at("contact", contact)?;
                self.fresh.row_written(body.id);
                self.run(self.sql.contact_put, params![contact_key(body.id), text])
                    .at("contact", contact)?;
                self.write_profile(body)?;
            }
            Effect::Enrollment(run) => self.write_enrollment(run)?,
            Effect::Entry(entry) => self.write_entry(contact, entry)?,
            Effect::Touchpoint(touchpoint) => self.write_touchpoint(touchpoint)?,
            Effect::Watch(watch) => self.write_watch(contact, watch)?,
            Effect::Membership {
                segment,
                before,
                after,
            } => self.write_membership(contact, segment, *before, *after)?,
            Effect::Unwatch(watch) => {
                let key = params![contact_key(contact), watch.hash().cast_signed()];
                self.run(self.sql.watch_drop, key).at("watch of", contact)?;
            }
            Effect::Consent(change) => self.write_consent(contact, change)?,
            Effect::Suppression(one) => {
                self.write_suppression(one)?;
            }
            Effect::Object(object) => self.write_object(contact, object)?,
            Effect::Account { account, tell } => self.write_account(contact, account, *tell)?,
            Effect::Belongs { before, after } => {
                self.write_belonging(contact, before.as_ref(), after.as_ref())?;
            }
            Effect::Event(event) => {
                let is_new = self.fresh.is_new(contact);
                let heads = &mut self.heads;
                let id = heads.append(&self.conn, &self.sql, contact, is_new, event)?;
                self.seals.push(id, contact, event);
                self.tally.total(totals::EVENTS, 1);
                self.tally.event(contact, id, event);
            }
            Effect::Task(task) => self.write_task(task)?,
            Effect::TaskChanged { task, state } => self.change_task(*task, state)?,
            Effect::Arm(timer) => {
                let armed = self.run_timer(self.sql.timer_arm, contact, *timer)?;
                self.tally.total(totals::TIMERS, armed);
            }
            Effect::Disarm(timer) => {
                let disarmed = self.run_timer(self.sql.timer_disarm, contact, *timer)?;
                self.tally.total(totals::TIMERS, -disarmed);
            }
            Effect::Ledger(line) => self.write_line(line)?,
            // Not the store's: the dispatcher acts on them after the commit.
            Effect::Revoke(_) | Effect::RequestSync(_) => {}
        }
        Ok(())
    }

    /// Runs a statement; says how many rows changed.
    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params)
    }

    /// The row of a key, if there is one.
    pub(super) fn row<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.conn
            .prepare_cached(sql)?
            .query_row(params, read)
            .optional()
    }

    pub(super) fn run_timer(
        &self,
        sql: &'static str,
        contact: ContactId,
        timer: Timer,
    ) -> Result<i64, StoreError> {
        let (kind, target) = timer_columns(timer.kind);
        let key = params![nanos(timer.due_at), contact_key(contact), kind, target];
        let changed = self.run(sql, key).at("timer of", contact)?;
        Ok(i64::from(changed > 0))
    }

    fn write_enrollment(&mut self, run: &Enrollment) -> Result<(), StoreError> {
        self.quiet.forget(run.id.contact);
        let (contact, number) = (contact_key(run.id.contact), run.id.number);
        let before = self
            .row(
                self.sql.enrollment_before,
                params![contact, number],
                |row| {
                    let journey: JourneyId = super::column::text(row, 1)?.into();
                    let step: Option<String> = row.get(3)?;
                    let place = (journey, row.get::<_, u32>(2)?, step.map(StepKey::from));
                    Ok((row.get::<_, bool>(0)?, place))
                },
            )
            .at("enrollment", run.id)?;
        let body = enrollment_text(run).at("enrollment", run.id)?;
        for doing in Doing::of_run(run) {
            self.write_doing(run.id.contact, &doing)?;
        }
        let is_live = run.is_live();
        let (version, step) = (run.version, run.step());
        let step_column = step.map(StepKey::as_str);
        let keeps_indexes = before.as_ref().is_some_and(|(was_live, (journey, ..))| {
            *was_live == is_live && *journey == run.journey
        });
        if keeps_indexes {
            self.run(
                self.sql.enrollment_step,
                params![contact, number, version, step_column, body],
            )
        } else {
            let journey = run.journey.as_str();
            self.run(
                self.sql.enrollment_put,
                params![
                    contact,
                    number,
                    version,
                    step_column,
                    body,
                    is_live,
                    journey
                ],
            )
        }
        .at("enrollment", run.id)?;
        if let Some((true, (journey, version, step))) = before {
            if let Some(step) = step {
                self.tally.standing(journey.clone(), version, step, -1);
            }
            self.tally.live_run(journey, version, -1);
        }
        if is_live {
            if let Some(step) = step {
                self.tally
                    .standing(run.journey.clone(), version, step.clone(), 1);
            }
            self.tally.live_run(run.journey.clone(), version, 1);
        }
        Ok(())
    }

    fn write_entry(&self, contact: ContactId, entry: &Entry) -> Result<(), StoreError> {
        let (kind, id) = subject_columns(entry.subject.as_ref());
        let journey = entry.journey.as_str();
        self.run(
            self.sql.entry_put,
            params![contact_key(contact), journey, kind, id, nanos(entry.at)],
        )
        .at("entry of", contact)?;
        Ok(())
    }

    fn write_touchpoint(&mut self, touchpoint: &Touchpoint) -> Result<(), StoreError> {
        let id = touchpoint.id;
        self.quiet.forget(id.contact);
        let (contact, hash) = (contact_key(id.contact), id.hash.cast_signed());
        let before = self
            .row(self.sql.touchpoint_before, params![contact, hash], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            })
            .at("touchpoint", id)?;
        let (slot, slot_at) = slot_columns(touchpoint.slot());
        let (state, state_at) = state_columns(touchpoint);
        let old_slot = before.map(|(slot, slot_at, _)| (slot, slot_at));
        if old_slot != Some((slot, slot_at)) {
            match old_slot {
                Some((SLOT_OUTBOX, ready_at)) => {
                    self.run(self.sql.outbox_drop, params![ready_at, contact, hash])
                        .at("outbox", id)?;
                }
                Some((SLOT_FLIGHT, _)) => {
                    self.run(self.sql.in_flight_drop, params![contact, hash])
                        .at("in_flight", id)?;
                }
                // Timers come and go by effects of their own.
                Some(_) | None => {}
            }
            if slot == SLOT_OUTBOX {
                self.run(self.sql.outbox_put, params![slot_at, contact, hash])
                    .at("outbox", id)?;
            } else if slot == SLOT_FLIGHT {
                self.run(self.sql.in_flight_put, params![contact, hash])
                    .at("in_flight", id)?;
            }
        }
        let body = touchpoint_text(touchpoint).at("touchpoint", id)?;
        self.run(
            self.sql.touchpoint_put,
            params![contact, hash, slot, slot_at, state, state_at, body],
        )
        .at("touchpoint", id)?;
        for doing in Doing::of_message(touchpoint) {
            self.write_doing(id.contact, &doing)?;
        }
        let old_state = before.map(|(_, _, state)| state);
        for (state, by) in old_state
            .map(|state| (state, -1))
            .into_iter()
            .chain([(state, 1)])
        {
            let name = usize::try_from(state)
                .ok()
                .and_then(|at| totals::TOUCHPOINTS.get(at));
            if let Some(name) = name {
                self.tally.total(name, by);
            }
        }
        Ok(())
    }

    fn write_watch(&mut self, contact: ContactId, watch: &Watch) -> Result<(), StoreError> {
        self.quiet.forget(contact);
        let body = watch_text(watch).at("watch of", contact)?;
        let hash = watch.hash().cast_signed();
        self.run(
            self.sql.watch_put,
            params![contact_key(contact), hash, body],
        )
        .at("watch of", contact)?;
        Ok(())
    }

    fn write_object(&self, contact: ContactId, object: &Object) -> Result<(), StoreError> {
        let body = object_text(object).at("object of", contact)?;
        let (kind, id) = (object.subject.kind.as_str(), &*object.subject.id);
        let updated_at = nanos(object.updated_at);
        self.run(
            self.sql.object_put,
            params![contact_key(contact), kind, id, updated_at, body],
        )
        .at("object of", contact)?;
        self.write_document(contact, object)
    }

    fn write_task(&mut self, task: &Task) -> Result<(), StoreError> {
        let body = task_text(task).at("task", task.id)?;
        let (contact, hash) = (contact_key(task.id.contact), task.id.hash.cast_signed());
        let created_at = nanos(task.created_at);
        let assignee = task.assignee.as_deref().map(owner_column);
        let assignee = assignee.unwrap_or_default();
        let due_at = task.due_at.map(nanos);
        let added = self
            .run(
                self.sql.task_put,
                params![contact, hash, created_at, body, assignee, due_at],
            )
            .at("task", task.id)?;
        self.tally.total(totals::TASKS, i64::from(added > 0));
        Ok(())
    }

    fn write_line(&mut self, line: &LedgerEntry) -> Result<(), StoreError> {
        let contact = contact_key(line.contact);
        let is_new = self.fresh.is_new(line.contact);
        let head = |run: u32| {
            if is_new {
                return Ok(self.chains.moved_to(line.contact, run));
            }
            self.chains.newest(&self.conn, &self.sql, line.contact, run)
        };
        let run = line.enrollment.map(|id| id.number);
        let previous = head(OF_CONTACT)?;
        let previous_of_run = match run {
            Some(run) => head(run)?,
            None => None,
        };
        let id = self
            .conn
            .prepare_cached(self.sql.ledger_append)
            .and_then(|mut statement| {
                statement.insert(params![
                    contact,
                    previous,
                    previous_of_run,
                    nanos(line.at),
                    line.what.word(),
                    line.reason.map(Reason::word),
                    line.journey.as_ref().map(JourneyId::as_str),
                    run,
                    line.step.as_ref().map(StepKey::as_str),
                    line.touchpoint.map(|id| id.hash.cast_signed()),
                    line.channel.map(Channel::word),
                    line.template.as_ref().map(TemplateId::as_str),
                    line.until.map(nanos),
                    line.detail,
                    line.variant.as_ref().map(Variant::as_str),
                ])
            })
            .at("ledger of", line.contact)?;
        for run in [Some(OF_CONTACT), run].into_iter().flatten() {
            self.chains.moved(line.contact, run, id);
        }
        self.tally.line(id, line);
        Ok(())
    }
}
