//! The list of suppressions; and an erased contact, which leaves every table, a bounded part at a time.
//!
//! Names first, so that whoever comes by one of them meets a stranger; the past last. What stays: a row that
//! says that a contact of this number was erased, and sums, which name nobody. Space is overwritten when the
//! server reuses it (`VACUUM`); its archives and backups keep what they hold until they are thrown away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::decide::{Timer, TimerKind};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, SegmentId, StepKey};
use relance_core::segment::timer_hash;
use relance_core::suppression::{Suppression, SuppressionKey, SuppressionKind};
use relance_engine::ports::{Forgotten, StoreError};
use relance_wire::stored::{contact_text, read_enrollment, read_watch, reason_word};

use super::PostgresStore;
use super::contacts::{domain_of, limit_column};
use super::due::timer_columns;
use super::error::PgLocated;
use super::ids::part_of;
use super::text::{key, plain};
use super::write::state_total;
use crate::registry::Profile;
use crate::sqlite::column::{contact_key, moment, nanos};
use crate::sqlite::state::{SLOT_DONE, SLOT_OUTBOX, SLOT_TIMER};
use crate::sqlite::tally::totals;

fn rows(changed: u64) -> usize {
    usize::try_from(changed).unwrap_or(usize::MAX)
}

/// How much may still go.
fn room(limit: usize, gone: &Forgotten) -> usize {
    limit.saturating_sub(rows(gone.rows()))
}

impl PostgresStore {
    pub(super) fn write_suppressions(
        &mut self,
        entries: &[Suppression],
    ) -> Result<usize, StoreError> {
        let mut sorted: BTreeMap<&SuppressionKey, &Suppression> = BTreeMap::new();
        for one in entries {
            sorted.entry(&one.key).or_insert(one);
        }
        let all = || sorted.values();
        let kinds: Vec<&str> = all().map(|one| one.key.kind.word()).collect();
        let values: Vec<_> = all().map(|one| key(&one.key.value)).collect();
        let reasons: Vec<&str> = all().map(|one| reason_word(one.reason)).collect();
        let at: Vec<i64> = all().map(|one| nanos(one.at)).collect();
        let sources: Vec<_> = all().map(|one| plain(&one.source)).collect();
        let params = vec![&kinds as super::Param<'_>, &values, &reasons, &at, &sources];
        Ok(rows(self.one(self.sql.suppression_put, params)?.changed))
    }

    pub(super) fn remove_suppressions(
        &mut self,
        keys: &[SuppressionKey],
    ) -> Result<usize, StoreError> {
        let kinds: Vec<&str> = keys.iter().map(|one| one.kind.word()).collect();
        let values: Vec<_> = keys.iter().map(|one| key(&one.value)).collect();
        let answer = self.one(self.sql.suppression_drop, vec![&kinds, &values])?;
        Ok(rows(answer.changed))
    }

    pub(super) fn are_erased(
        &mut self,
        names: &[&Identity],
        hash: &dyn Fn(&Identity) -> String,
    ) -> Result<Vec<bool>, StoreError> {
        if self.one(self.sql.erased_any, vec![])?.rows.is_empty() {
            return Ok(vec![false; names.len()]);
        }
        let hashes: Vec<String> = names.iter().map(|name| hash(name)).collect();
        let answer = self.one(self.sql.erased_get, vec![&hashes])?;
        let known = answer.rows.iter().map(|row| row.try_get::<_, &str>(0));
        let known: Result<BTreeSet<&str>, _> = known.collect();
        let known = known.at("erased", "")?;
        Ok(hashes
            .iter()
            .map(|hash| known.contains(hash.as_str()))
            .collect())
    }

    pub(super) fn forget_some(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        self.check_held(contact)?;
        let limit = limit.max(1);
        let mut gone = Forgotten::default();
        self.forget_names(contact, hash, limit, now, &mut gone)?;
        type Step =
            fn(&mut PostgresStore, ContactId, usize, &mut Forgotten) -> Result<(), StoreError>;
        let steps: [Step; 7] = [
            Self::forget_messages,
            Self::forget_runs,
            Self::forget_memberships,
            Self::forget_payments,
            Self::forget_rows,
            Self::forget_events,
            Self::forget_ledger,
        ];
        for step in steps {
            let left = room(limit, &gone);
            if left == 0 {
                return Ok(gone);
            }
            step(self, contact, left, &mut gone)?;
        }
        if room(limit, &gone) == 0 {
            return Ok(gone);
        }
        let mut stub = Contact::new(contact, Timestamp::UNIX_EPOCH);
        stub.erased = true;
        let body = contact_text(&stub).at("contact", contact)?;
        let owner = contact_key(contact);
        let changed = self
            .one(self.sql.forget_contact, vec![&owner, &body])?
            .changed;
        gone.add("contact", rows(changed));
        gone.done = true;
        Ok(gone)
    }

    fn forget_names(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, limit, now) = (contact_key(contact), limit_column(limit), nanos(now));
        let answer = self.one(self.sql.forget_identities, vec![&owner, &limit])?;
        let mut kinds: Vec<String> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        for row in &answer.rows {
            kinds.push(row.try_get(0).at("identity of", contact)?);
            values.push(row.try_get(1).at("identity of", contact)?);
        }
        if kinds.is_empty() {
            return Ok(());
        }
        let known: Vec<Identity> = kinds
            .iter()
            .zip(&values)
            .filter_map(|(kind, value)| {
                Some(Identity {
                    kind: IdentityKind::from_word(kind)?,
                    value: value.clone(),
                })
            })
            .collect();
        let hashes: Vec<String> = known.iter().map(hash).collect();
        self.one(self.sql.erased_add, vec![&hashes, &now])?;
        let listed: Vec<SuppressionKey> = known.iter().flat_map(list_keys).collect();
        let removed = self.remove_suppressions(&listed)?;
        gone.add("suppression", removed);
        let domains: Vec<_> = known.iter().filter_map(domain_of).collect();
        let removed = self
            .one(self.sql.domain_drop, vec![&domains, &owner])?
            .changed;
        gone.add("email_domain", rows(removed));
        let removed = self
            .one(self.sql.forget_identity, vec![&kinds, &values, &owner])?
            .changed;
        gone.add("identity", rows(removed));
        Ok(())
    }

    fn forget_messages(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, room) = (contact_key(contact), limit_column(room));
        let answer = self.one(self.sql.forget_touchpoints, vec![&owner, &room])?;
        self.quiet.forget(contact);
        let mut timers = Vec::new();
        for row in &answer.rows {
            let hash: i64 = row.try_get(0).at("touchpoint of", contact)?;
            let slot: i16 = row.try_get(1).at("touchpoint of", contact)?;
            let slot_at: i64 = row.try_get(2).at("touchpoint of", contact)?;
            let state: i16 = row.try_get(3).at("touchpoint of", contact)?;
            let slot = i64::from(slot);
            if slot == SLOT_OUTBOX {
                self.outbox.drop(part_of(contact), slot_at);
            } else if slot == SLOT_TIMER {
                timers.push(Timer {
                    due_at: moment(slot_at),
                    kind: TimerKind::Touchpoint(hash.cast_unsigned()),
                });
            }
            // What was sent stays counted; what waits waits no longer.
            if let Some(name) = state_total(i64::from(state)).filter(|_| slot != SLOT_DONE) {
                self.tally.total(name, -1);
            }
        }
        gone.add("touchpoint", answer.rows.len());
        self.forget_timers(contact, &timers, gone)
    }

    fn forget_timers(
        &mut self,
        contact: ContactId,
        timers: &[Timer],
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        if timers.is_empty() {
            return Ok(());
        }
        let owners = vec![contact_key(contact); timers.len()];
        let due: Vec<i64> = timers.iter().map(|timer| nanos(timer.due_at)).collect();
        let columns = timers.iter().map(|timer| timer_columns(timer.kind));
        let (kinds, targets): (Vec<i16>, Vec<i64>) = columns.unzip();
        let answer = self.one(self.sql.timer_disarm, vec![&due, &owners, &kinds, &targets])?;
        for at in due {
            self.timers.drop(part_of(contact), at);
        }
        self.tally.total(totals::TIMERS, -answer.changed());
        gone.add("timer", rows(answer.changed));
        Ok(())
    }

    fn forget_runs(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, room) = (contact_key(contact), limit_column(room));
        let answer = self.one(self.sql.forget_enrollments, vec![&owner, &room])?;
        let mut timers = Vec::new();
        for row in &answer.rows {
            let number: i32 = row.try_get(0).at("enrollment of", contact)?;
            let number = number.cast_unsigned();
            let is_live: bool = row.try_get(1).at("enrollment of", contact)?;
            let journey: &str = row.try_get(2).at("enrollment of", contact)?;
            let version: i32 = row.try_get(3).at("enrollment of", contact)?;
            let step: Option<String> = row.try_get(4).at("enrollment of", contact)?;
            let body: &str = row.try_get(5).at("enrollment of", contact)?;
            // A body that cannot be read has no timer that anybody knows; it is removed all the same.
            let run = read_enrollment(EnrollmentId { contact, number }, body).ok();
            let due = run.and_then(|run| run.timer_at());
            timers.extend(due.map(|due_at| Timer {
                due_at,
                kind: TimerKind::Enrollment(number),
            }));
            if is_live {
                let journey = JourneyId::from(journey);
                if let Some(step) = step {
                    let step = StepKey::from(step);
                    self.tally.standing(journey.clone(), version, step, -1);
                }
                self.tally.live_run(journey, version, -1);
            }
        }
        gone.add("enrollment", answer.rows.len());
        self.forget_timers(contact, &timers, gone)
    }

    /// No more than there are segments.
    fn forget_memberships(
        &mut self,
        contact: ContactId,
        _room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let owner = contact_key(contact);
        let answer = self.one(self.sql.forget_members, vec![&owner])?;
        let mut timers = Vec::new();
        for row in &answer.rows {
            let id: SegmentId = row.try_get::<_, &str>(0).at("member of", contact)?.into();
            let number: i32 = row.try_get(1).at("member of", contact)?;
            let was: bool = row.try_get(2).at("member of", contact)?;
            let due: Option<i64> = row.try_get(3).at("member of", contact)?;
            self.tally.member(number, -i64::from(was));
            timers.extend(due.map(|due| Timer {
                due_at: moment(due),
                kind: TimerKind::Segment(timer_hash(&id)),
            }));
        }
        gone.add("member", answer.rows.len());
        self.forget_timers(contact, &timers, gone)
    }

    /// Tables from which rows simply go.
    fn forget_rows(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let owner = contact_key(contact);
        let answer = self.one(self.sql.forget_watches, vec![&owner])?;
        let mut timers = Vec::new();
        for row in &answer.rows {
            let body: &str = row.try_get(0).at("watch of", contact)?;
            timers.extend(read_watch(body).ok().map(|watch| Timer {
                due_at: watch.due_at,
                kind: TimerKind::Watch(watch.hash()),
            }));
        }
        gone.add("watch", answer.rows.len());
        self.forget_timers(contact, &timers, gone)?;
        self.put_profiles(&[(owner, Profile::default())])?;
        for (table, sql) in [
            ("merged", self.sql.forget_merges),
            ("doubt", self.sql.doubt_drop),
            ("document_doing", self.sql.doing_forget),
        ] {
            let removed = self.one(sql, vec![&owner])?.changed;
            gone.add(table, rows(removed));
        }
        let mut room = room;
        for (table, sql) in [
            ("entry", self.sql.forget_entries),
            ("object", self.sql.forget_objects),
            ("task", self.sql.forget_tasks),
            ("consent_log", self.sql.forget_consents),
            ("thread", self.sql.forget_threads),
        ] {
            let limit = limit_column(room);
            let answer = self.one(sql, vec![&owner, &limit])?;
            if table == "task" {
                self.tally.total(totals::TASKS, -answer.changed());
            }
            gone.add(table, rows(answer.changed));
            room = room.saturating_sub(rows(answer.changed));
        }
        Ok(())
    }

    fn forget_events(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, limit) = (contact_key(contact), limit_column(room));
        let answer = self.one(self.sql.forget_events, vec![&owner, &limit])?;
        // Of each name the oldest that went, and the one before it.
        let mut left: BTreeMap<String, (i64, Option<i64>)> = BTreeMap::new();
        for row in &answer.rows {
            let name: String = row.try_get(0).at("event of", contact)?;
            let id: i64 = row.try_get(1).at("event of", contact)?;
            let previous: Option<i64> = row.try_get(2).at("event of", contact)?;
            let oldest = left.entry(name).or_insert((id, previous));
            if id < oldest.0 {
                *oldest = (id, previous);
            }
        }
        gone.add("event", answer.rows.len());
        if answer.rows.len() < room {
            let all: Option<Vec<String>> = None;
            self.one(self.sql.forget_heads_dropped, vec![&owner, &all])?;
            return Ok(());
        }
        let (mut moved, mut begin, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for (name, (_, previous)) in left {
            match previous {
                Some(previous) => {
                    moved.push(name);
                    begin.push(previous);
                }
                None => over.push(name),
            }
        }
        let over = Some(over);
        self.one(self.sql.forget_heads, vec![&owner, &moved, &begin])?;
        self.one(self.sql.forget_heads_dropped, vec![&owner, &over])?;
        Ok(())
    }

    fn forget_ledger(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, limit) = (contact_key(contact), limit_column(room));
        let removed = self
            .one(self.sql.forget_lines, vec![&owner, &limit])?
            .changed;
        gone.add("ledger", rows(removed));
        Ok(())
    }
}

/// What a name may stand under on the list of suppressions: who is erased cannot come back unasked.
fn list_keys(identity: &Identity) -> Vec<SuppressionKey> {
    let kind = match identity.kind {
        IdentityKind::Email => SuppressionKind::Email,
        IdentityKind::Phone | IdentityKind::Whatsapp => SuppressionKind::Phone,
        IdentityKind::UserId | IdentityKind::Telegram | IdentityKind::AnonymousId => {
            return Vec::new();
        }
    };
    match SuppressionKey::new(kind, &identity.value) {
        Ok(key) => vec![key.hashed(), key],
        Err(_) => Vec::new(),
    }
}
