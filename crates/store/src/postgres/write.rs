//! Effects into rows: gathered by table for all contacts, written by one statement a table, all on their way
//! together. Rows go in the order of their keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use relance_core::account::Account;
use relance_core::consent::ConsentChange;
use relance_core::decide::Effect;
use relance_core::enrollment::Enrollment;
use relance_core::event::Event;
use relance_core::ids::{AccountId, ContactId, JourneyId, SegmentId, StepKey};
use relance_core::ledger::LedgerEntry;
use relance_core::segment::{Membership, timer_hash};
use relance_core::suppression::Suppression;
use relance_core::touchpoint::{Task, Touchpoint};
use relance_engine::ports::{Change, StoreError};
use relance_wire::stored::{contact_text, object_text, watch_text};

use super::PostgresStore;
use super::columns::{Columns, FeedColumns, LineColumns};
use super::contacts::limit_column;
use super::due::timer_columns;
use super::error::PgLocated;
use super::ids::part_of;
use super::session::{Answer, Ask, Param};
use super::text::{key, word};
use super::workspace::{contact_id, version_column};
use crate::registry::{DocumentRow, Profile, TaskColumns};
use crate::sqlite::column::{contact_key, day, moment, nanos, subject_columns};
use crate::sqlite::state::{SLOT_OUTBOX, slot_columns, state_columns};
use crate::sqlite::tally::{daily, totals};

/// Days of which it is remembered that their first event is noted: more than come up in ordinary life.
const DAYS_HELD_MAX: usize = 4_096;

/// A timer: when, whose, kind and target.
type TimerKey = (i64, i64, i16, i64);

/// An entry: whose, into what, about what.
type EntryKey<'a> = (i64, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);
/// An object: whose, of what kind, which.
type ObjectKey<'a> = (i64, Cow<'a, str>, Cow<'a, str>);

/// What is to be written, the last state of each row.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) contacts: BTreeMap<i64, String>,
    pub(super) profiles: BTreeMap<i64, Profile>,
    pub(super) documents: BTreeMap<(i64, Cow<'a, str>), DocumentRow>,
    pub(super) enrollments: BTreeMap<(i64, u32), &'a Enrollment>,
    pub(super) entries: BTreeMap<EntryKey<'a>, i64>,
    pub(super) touchpoints: BTreeMap<(i64, i64), &'a Touchpoint>,
    pub(super) watches: BTreeMap<(i64, i64), Option<String>>,
    pub(super) objects: BTreeMap<ObjectKey<'a>, (i64, String)>,
    pub(super) members: BTreeMap<(i64, &'a SegmentId), Membership>,
    pub(super) timers: BTreeMap<TimerKey, bool>,
    pub(super) tasks: Vec<&'a Task>,
    pub(super) task_changes: BTreeMap<(i64, i64), TaskColumns<'a>>,
    pub(super) events: Vec<(ContactId, &'a Event)>,
    pub(super) lines: Vec<&'a LedgerEntry>,
    pub(super) consents: Vec<(ContactId, &'a ConsentChange)>,
    pub(super) suppressions: Vec<Suppression>,
    /// As they are now, and a contact that told what others must hear of.
    pub(super) accounts: BTreeMap<&'a str, (&'a Account, Option<i64>)>,
    pub(super) belongs: BTreeMap<i64, Option<&'a str>>,
    /// Members that came or left.
    pub(super) joined: BTreeMap<&'a SegmentId, i64>,
}

impl<'a> Gathered<'a> {
    fn add(&mut self, contact: ContactId, effect: &'a Effect) -> Result<(), StoreError> {
        let owner = contact_key(contact);
        match effect {
            Effect::Contact(body) => {
                let text = contact_text(body).at("contact", contact)?;
                self.contacts.insert(contact_key(body.id), text);
                self.profiles
                    .insert(contact_key(body.id), Profile::of(body));
            }
            Effect::Enrollment(run) => {
                let row = (contact_key(run.id.contact), run.id.number);
                self.enrollments.insert(row, run);
            }
            Effect::Entry(entry) => {
                let (kind, id) = subject_columns(entry.subject.as_ref());
                let row = (owner, word(entry.journey.as_str()), word(kind), key(id));
                self.entries.insert(row, nanos(entry.at));
            }
            Effect::Touchpoint(one) => {
                let row = (contact_key(one.id.contact), one.id.hash.cast_signed());
                self.touchpoints.insert(row, one);
            }
            Effect::Watch(watch) => {
                let body = watch_text(watch).at("watch of", contact)?;
                self.watches
                    .insert((owner, watch.hash().cast_signed()), Some(body));
            }
            Effect::Unwatch(watch) => {
                self.watches
                    .insert((owner, watch.hash().cast_signed()), None);
            }
            Effect::Object(object) => {
                let body = object_text(object).at("object of", contact)?;
                let (kind, id) = (word(object.subject.kind.as_str()), key(&object.subject.id));
                if let Some(row) = DocumentRow::of(object) {
                    self.documents.insert((owner, id.clone()), row);
                }
                let row = (nanos(object.updated_at), body);
                self.objects.insert((owner, kind, id), row);
            }
            Effect::Membership {
                segment,
                before,
                after,
            } => {
                self.members.insert((owner, segment), *after);
                let by = i64::from(after.member) - i64::from(before.member);
                *self.joined.entry(segment).or_default() += by;
            }
            Effect::Event(event) => self.events.push((contact, event)),
            Effect::Task(task) => self.tasks.push(task),
            Effect::TaskChanged { task, state } => {
                let row = (contact_key(task.contact), task.hash.cast_signed());
                self.task_changes.insert(row, TaskColumns::of(state));
            }
            Effect::Arm(timer) => {
                let (kind, target) = timer_columns(timer.kind);
                self.timers
                    .insert((nanos(timer.due_at), owner, kind, target), true);
            }
            Effect::Disarm(timer) => {
                let (kind, target) = timer_columns(timer.kind);
                self.timers
                    .insert((nanos(timer.due_at), owner, kind, target), false);
            }
            Effect::Ledger(line) => self.lines.push(line),
            Effect::Consent(change) => self.consents.push((contact, change)),
            Effect::Suppression(one) => self.suppressions.push(one.clone()),
            Effect::Account { account, tell } => {
                let own = self.accounts.entry(account.id.as_str());
                let own = own.or_insert((account, None));
                own.0 = account;
                own.1 = own.1.or(tell.then_some(owner));
            }
            Effect::Belongs { before: _, after } => {
                let account = after.as_ref().map(AccountId::as_str);
                self.belongs.insert(owner, account);
            }
            // Not the store's: the dispatcher acts on them after the commit.
            Effect::Revoke(_) | Effect::RequestSync(_) => {}
        }
        Ok(())
    }
}

/// Statements of a write, and what their answers are counted as.
enum Told {
    Enrollments,
    Touchpoints,
    Armed,
    Disarmed,
    Tasks,
    Nothing,
}

impl PostgresStore {
    /// Whoever holds the partition of a contact writes to it, and nobody else.
    pub(super) fn check_held(&self, contact: ContactId) -> Result<(), StoreError> {
        if self.held[part_of(contact)] {
            return Ok(());
        }
        let what = format!("the partition of contact {contact} is not held");
        Err(StoreError::Fenced(what))
    }

    pub(super) fn write_all(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut gathered = Gathered::default();
        for change in changes {
            self.check_held(change.contact)?;
            for effect in &change.effects {
                gathered.add(change.contact, effect)?;
            }
        }
        self.write_gathered(gathered)
    }

    fn write_gathered(&mut self, gathered: Gathered<'_>) -> Result<(), StoreError> {
        let segments = gathered.joined.keys().copied();
        self.number_segments(segments)?;
        if !gathered.suppressions.is_empty() {
            self.write_suppressions(&gathered.suppressions)?;
        }
        self.write_accounts(&gathered)?;
        let event_ids = self.reserve_events(gathered.events.len())?;
        let line_ids = self.reserve_lines(gathered.lines.len())?;
        let sql = self.sql.clone();
        let columns = Columns::of(&gathered, &self.segment_numbers, &event_ids)?;
        let lines = LineColumns::of(&gathered.lines);
        let feed = FeedColumns::of(&gathered, &event_ids, &line_ids, |at| {
            self.tally.is_kept(at)
        });
        let new_days = self.new_days(&gathered.events, &event_ids);
        let (day_numbers, day_events): (Vec<i64>, Vec<i64>) = new_days.into_iter().unzip();

        let mut asks: Vec<Ask<'_>> = Vec::new();
        let mut told: Vec<Told> = Vec::new();
        let c = &columns;
        let sender = self.standing.sender();
        let all = [
            add(
                sql.contact_put,
                c.contacts.0.is_empty(),
                Told::Nothing,
                vec![&c.contacts.0, &c.contacts.1],
            ),
            add(
                sql.profile_put,
                c.profiles.0.is_empty(),
                Told::Nothing,
                vec![&c.profiles.0, &c.profiles.1, &c.profiles.2, &c.profiles.3],
            ),
            add(
                sql.enrollment_put,
                c.runs.contacts.is_empty(),
                Told::Enrollments,
                vec![
                    &c.runs.contacts,
                    &c.runs.numbers,
                    &c.runs.versions,
                    &c.runs.steps,
                    &c.runs.bodies,
                    &c.runs.live,
                    &c.runs.journeys,
                ],
            ),
            add(
                sql.entry_put,
                c.entries.0.is_empty(),
                Told::Nothing,
                vec![
                    &c.entries.0,
                    &c.entries.1,
                    &c.entries.2,
                    &c.entries.3,
                    &c.entries.4,
                ],
            ),
            add(
                sql.touchpoint_put,
                c.messages.contacts.is_empty(),
                Told::Touchpoints,
                vec![
                    &c.messages.contacts,
                    &c.messages.hashes,
                    &c.messages.slots,
                    &c.messages.slot_at,
                    &c.messages.states,
                    &c.messages.state_at,
                    &c.messages.bodies,
                    &sender,
                ],
            ),
            add(
                sql.watch_put,
                c.watches.0.is_empty(),
                Told::Nothing,
                vec![&c.watches.0, &c.watches.1, &c.watches.2],
            ),
            add(
                sql.watch_drop,
                c.unwatched.0.is_empty(),
                Told::Nothing,
                vec![&c.unwatched.0, &c.unwatched.1],
            ),
            add(
                sql.object_put,
                c.objects.0.is_empty(),
                Told::Nothing,
                vec![
                    &c.objects.0,
                    &c.objects.1,
                    &c.objects.2,
                    &c.objects.3,
                    &c.objects.4,
                ],
            ),
            add(
                sql.document_put,
                c.documents.contacts.is_empty(),
                Told::Nothing,
                c.documents.params(),
            ),
            add(
                sql.member_put,
                c.members.0.is_empty(),
                Told::Nothing,
                vec![&c.members.0, &c.members.1, &c.members.2, &c.members.3],
            ),
            add(
                sql.member_drop,
                c.gone.0.is_empty(),
                Told::Nothing,
                vec![&c.gone.0, &c.gone.1],
            ),
            add(
                sql.timer_arm,
                c.armed.0.is_empty(),
                Told::Armed,
                vec![&c.armed.0, &c.armed.1, &c.armed.2, &c.armed.3],
            ),
            add(
                sql.timer_disarm,
                c.disarmed.0.is_empty(),
                Told::Disarmed,
                vec![&c.disarmed.0, &c.disarmed.1, &c.disarmed.2, &c.disarmed.3],
            ),
            add(
                sql.task_put,
                c.tasks.0.is_empty(),
                Told::Tasks,
                vec![
                    &c.tasks.0,
                    &c.tasks.1,
                    &c.tasks.2,
                    &c.tasks.3,
                    &c.task_faces.0,
                    &c.task_faces.1,
                ],
            ),
            add(
                sql.task_change,
                c.task_changes.0.is_empty(),
                Told::Nothing,
                vec![
                    &c.task_changes.0,
                    &c.task_changes.1,
                    &c.task_changes.2,
                    &c.task_changes.3,
                    &c.task_changes.4,
                    &c.task_changes.5,
                ],
            ),
            add(
                sql.consent_add,
                c.consents.0.is_empty(),
                Told::Nothing,
                vec![
                    &c.consents.0,
                    &c.consents.1,
                    &c.consents.2,
                    &c.consents.3,
                    &c.consents.4,
                ],
            ),
            add(
                sql.event_append,
                event_ids.is_empty(),
                Told::Nothing,
                vec![
                    &event_ids,
                    &c.events.contacts,
                    &c.events.names,
                    &c.events.previous,
                    &c.events.bodies,
                ],
            ),
            add(
                sql.event_head_put,
                event_ids.is_empty(),
                Told::Nothing,
                vec![&c.heads.0, &c.heads.1, &c.heads.2, &c.heads.3],
            ),
            add(
                sql.event_day_put,
                day_numbers.is_empty(),
                Told::Nothing,
                vec![&day_numbers, &day_events],
            ),
            add(
                sql.ledger_append,
                line_ids.is_empty(),
                Told::Nothing,
                lines.params(&line_ids),
            ),
            add(
                sql.doing_put,
                c.doings.0.is_empty(),
                Told::Nothing,
                vec![
                    &c.doings.0,
                    &c.doings.1,
                    &c.doings.2,
                    &c.doings.3,
                    &c.doings.4,
                ],
            ),
            add(
                sql.doing_drop,
                c.undone.0.is_empty(),
                Told::Nothing,
                vec![&c.undone.0, &c.undone.1, &c.undone.2, &c.undone.3],
            ),
            add(
                sql.doing_follow,
                c.followed.0.is_empty(),
                Told::Nothing,
                vec![&c.followed.0, &c.followed.1],
            ),
            add(
                sql.feed_add,
                feed.at.is_empty(),
                Told::Nothing,
                feed.params(),
            ),
        ];
        for (sql, counts, params) in all.into_iter().flatten() {
            asks.push(Ask::new(sql, params));
            told.push(counts);
        }
        if asks.is_empty() {
            return Ok(());
        }
        let answers = self.ask(asks)?;
        for (counts, answer) in told.into_iter().zip(answers) {
            match counts {
                Told::Enrollments => self.count_old_runs(&answer)?,
                Told::Touchpoints => self.count_old_messages(&answer)?,
                Told::Armed => self.tally.total(totals::TIMERS, answer.changed()),
                Told::Disarmed => self.tally.total(totals::TIMERS, -answer.changed()),
                Told::Tasks => self.tally.total(totals::TASKS, answer.changed()),
                Told::Nothing => {}
            }
        }
        self.count_new(&gathered)?;
        self.note_days(day_numbers);
        Ok(())
    }

    fn reserve_events(&mut self, count: usize) -> Result<Vec<i64>, StoreError> {
        let blocks = self.event_ids.missing(count);
        if blocks > 0 {
            for row in &self.one(self.sql.event_block, vec![&blocks])?.rows {
                self.event_ids.add(row.try_get(0).at("event_block", "")?);
            }
        }
        Ok((0..count).map_while(|_| self.event_ids.take()).collect())
    }

    fn reserve_lines(&mut self, count: usize) -> Result<Vec<i64>, StoreError> {
        let blocks = self.line_ids.missing(count);
        if blocks > 0 {
            for row in &self.one(self.sql.ledger_block, vec![&blocks])?.rows {
                self.line_ids.add(row.try_get(0).at("ledger_block", "")?);
            }
        }
        Ok((0..count).map_while(|_| self.line_ids.take()).collect())
    }

    /// The first events of days that are not noted yet.
    fn new_days(&self, events: &[(ContactId, &Event)], ids: &[i64]) -> BTreeMap<i64, i64> {
        let mut new = BTreeMap::new();
        for ((_, event), id) in events.iter().zip(ids) {
            let day = day(event.at);
            if !self.days.contains(&day) {
                new.entry(day).or_insert(*id);
            }
        }
        new
    }

    fn note_days(&mut self, days: Vec<i64>) {
        if self.days.len() + days.len() > DAYS_HELD_MAX {
            self.days.clear();
        }
        self.days.extend(days);
    }

    fn count_old_runs(&mut self, answer: &Answer) -> Result<(), StoreError> {
        for row in &answer.rows {
            if !row.try_get::<_, bool>(0).at("enrollment", "before")? {
                continue;
            }
            let journey: JourneyId = row.try_get::<_, &str>(1).at("enrollment", "before")?.into();
            let version: i32 = row.try_get(2).at("enrollment", "before")?;
            let step: Option<&str> = row.try_get(3).at("enrollment", "before")?;
            if let Some(step) = step {
                let step = StepKey::from(step.to_owned());
                self.tally.standing(journey.clone(), version, step, -1);
            }
            self.tally.live_run(journey, version, -1);
        }
        Ok(())
    }

    fn count_old_messages(&mut self, answer: &Answer) -> Result<(), StoreError> {
        for row in &answer.rows {
            let contact = contact_id(row, 0).at("touchpoint", "before")?;
            let slot: i16 = row.try_get(1).at("touchpoint of", contact)?;
            let slot_at: i64 = row.try_get(2).at("touchpoint of", contact)?;
            let state: i16 = row.try_get(3).at("touchpoint of", contact)?;
            if i64::from(slot) == SLOT_OUTBOX {
                self.outbox.drop(part_of(contact), slot_at);
            }
            if let Some(name) = state_total(i64::from(state)) {
                self.tally.total(name, -1);
            }
        }
        Ok(())
    }

    fn count_new(&mut self, gathered: &Gathered<'_>) -> Result<(), StoreError> {
        for run in gathered.enrollments.values() {
            self.quiet.forget(run.id.contact);
            if run.is_live() {
                let version = version_column(run.version);
                if let Some(step) = run.step() {
                    self.tally
                        .standing(run.journey.clone(), version, step.clone(), 1);
                }
                self.tally.live_run(run.journey.clone(), version, 1);
            }
        }
        for one in gathered.touchpoints.values() {
            self.quiet.forget(one.id.contact);
            let (slot, slot_at) = slot_columns(one.slot());
            if slot == SLOT_OUTBOX {
                self.outbox.put(part_of(one.id.contact), slot_at);
            }
            if let Some(name) = state_total(state_columns(one).0) {
                self.tally.total(name, 1);
            }
        }
        for (contact, _) in gathered.watches.keys() {
            self.quiet.forget(ContactId(contact.cast_unsigned()));
        }
        for ((at, contact, ..), is_armed) in &gathered.timers {
            let part = part_of(ContactId(contact.cast_unsigned()));
            if *is_armed {
                self.timers.put(part, *at);
            } else {
                self.timers.drop(part, *at);
            }
        }
        for (segment, by) in &gathered.joined {
            let number = self.segment_number(segment)?;
            self.tally.member(number, *by);
        }
        let events = limit_column(gathered.events.len());
        self.tally.total(totals::EVENTS, events);
        for (_, event) in &gathered.events {
            self.tally.named(&event.name);
            if let Some(what) = daily::of_event(event) {
                self.tally.happened(what, event.at);
            }
        }
        for line in &gathered.lines {
            self.tally.line(line);
        }
        Ok(())
    }

    /// Records of a segment, forgotten with their timers.
    pub(super) fn forget_members(
        &mut self,
        id: &SegmentId,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let records = self.records_after(id, None, limit)?;
        let mut gathered = Gathered::default();
        let (kind, target) =
            timer_columns(relance_core::decide::TimerKind::Segment(timer_hash(id)));
        for (contact, membership) in &records {
            let owner = contact_key(*contact);
            gathered.members.insert((owner, id), Membership::default());
            *gathered.joined.entry(id).or_default() -= i64::from(membership.member);
            if let Some(due) = membership.due {
                gathered
                    .timers
                    .insert((nanos(due), owner, kind, target), false);
            }
        }
        self.write_gathered(gathered)?;
        Ok(records.len())
    }

    /// Records of a segment, in order of contact.
    pub(super) fn records_after(
        &mut self,
        id: &SegmentId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, Membership)>, StoreError> {
        self.learn_segments(std::iter::once(id))?;
        let Some(number) = self.segment_numbers.get(id).copied() else {
            return Ok(Vec::new());
        };
        let (after, limit) = (super::contacts::after_column(after), limit_column(limit));
        let answer = self.one(self.sql.member_next, vec![&number, &after, &limit])?;
        let record = |row: &tokio_postgres::Row| {
            let due: Option<i64> = row.try_get(2)?;
            let membership = Membership {
                member: row.try_get(1)?,
                due: due.map(moment),
            };
            Ok((contact_id(row, 0)?, membership))
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(record).collect();
        all.at("member of", id)
    }
}

/// A statement, if there is anything to write.
fn add<'a>(
    sql: &'static str,
    is_empty: bool,
    counts: Told,
    params: Vec<Param<'a>>,
) -> Option<(&'static str, Told, Vec<Param<'a>>)> {
    (!is_empty).then_some((sql, counts, params))
}

/// The total that counts messages in a state.
pub(super) fn state_total(state: i64) -> Option<&'static str> {
    let at = usize::try_from(state).ok()?;
    totals::TOUCHPOINTS.get(at).copied()
}
