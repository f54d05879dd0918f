//! An erased contact leaves every table, a bounded part at a time.
//!
//! Names first, so that whoever comes by one of them meets a stranger; the past last. Freed bytes are
//! overwritten with zeroes, and the last step moves the write-ahead log into the file and empties it.
//!
//! What stays: a row that says that a contact of this number was erased; empty rows in the log of events,
//! whose numbers must not be given again; sums, which name nobody.

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::decide::{Timer, TimerKind};
use relance_core::event::Event;
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, SegmentId, StepKey};
use relance_core::segment::{Membership, timer_hash};
use relance_core::suppression::{SuppressionKey, SuppressionKind};
use relance_engine::ports::{Forgotten, StoreError};
use relance_wire::stored::{contact_text, event_text, read_enrollment, read_watch};
use rusqlite::params;

use super::column::{contact_key, moment, nanos, text};
use super::error::Located;
use super::state::{SLOT_DONE, SLOT_FLIGHT, SLOT_OUTBOX, SLOT_TIMER};
use super::tally::totals;
use super::{SqliteStore, limit_column};
use crate::registry::Profile;

impl SqliteStore {
    pub(super) fn forget_some(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        // What is freed is overwritten; ordinary work need not pay for it.
        self.conn
            .execute_batch("PRAGMA secure_delete = ON")
            .at("pragma", "secure_delete")?;
        let forgotten = self.forget_within(contact, hash, limit.max(1), now);
        self.conn
            .execute_batch("PRAGMA secure_delete = FAST")
            .at("pragma", "secure_delete")?;
        let forgotten = forgotten?;
        self.empty_log_after_commit |= forgotten.done;
        Ok(forgotten)
    }

    fn forget_within(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        // Sums and chains of this batch may name what is about to go.
        self.chains.flush(&self.conn, &self.sql)?;
        let mut gone = Forgotten::default();
        let left = |gone: &Forgotten| {
            let rows = usize::try_from(gone.rows()).unwrap_or(usize::MAX);
            limit.saturating_sub(rows)
        };
        self.forget_names(contact, hash, limit, now, &mut gone)?;
        type Step =
            fn(&mut SqliteStore, ContactId, usize, &mut Forgotten) -> Result<(), StoreError>;
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
            if left(&gone) == 0 {
                return Ok(gone);
            }
            let room = left(&gone);
            step(self, contact, room, &mut gone)?;
        }
        if left(&gone) == 0 {
            return Ok(gone);
        }
        let mut stub = Contact::new(contact, Timestamp::UNIX_EPOCH);
        stub.erased = true;
        let body = contact_text(&stub).at("contact", contact)?;
        let changed = self
            .run(self.sql.forget_contact, params![contact_key(contact), body])
            .at("contact", contact)?;
        gone.add("contact", changed);
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
        let key = contact_key(contact);
        let names: Vec<(String, String)> = self
            .conn
            .prepare_cached(self.sql.forget_identities)
            .and_then(|mut statement| {
                statement
                    .query_map(params![key, limit_column(limit)], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect()
            })
            .at("identity of", contact)?;
        for (word, value) in names {
            if let Some(kind) = IdentityKind::from_word(&word) {
                let identity = Identity { kind, value };
                self.run(self.sql.erased_add, params![hash(&identity), nanos(now)])
                    .at("erased", contact)?;
                self.forget_suppression(&identity, gone)?;
                self.run(self.sql.forget_identity, params![word, identity.value])
                    .at("identity of", contact)?;
            } else {
                self.run(self.sql.forget_identity, params![word, value])
                    .at("identity of", contact)?;
            }
            gone.add("identity", 1);
        }
        let domains = self
            .run(self.sql.forget_domains, [key])
            .at("email_domain of", contact)?;
        gone.add("email_domain", domains);
        Ok(())
    }

    pub(super) fn are_erased(
        &self,
        names: &[&Identity],
        hash: &dyn Fn(&Identity) -> String,
    ) -> Result<Vec<bool>, StoreError> {
        let any = self.row(self.sql.erased_any, [], |_| Ok(()));
        if any.at("erased", "")?.is_none() {
            return Ok(vec![false; names.len()]);
        }
        let is_erased = |name: &&Identity| {
            let found = self.row(self.sql.erased_get, [hash(name)], |_| Ok(()));
            Ok(found.at("erased", "")?.is_some())
        };
        names.iter().map(is_erased).collect()
    }

    /// The list must not keep the address either: who is erased cannot come back unasked.
    fn forget_suppression(
        &self,
        identity: &Identity,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let kind = match identity.kind {
            IdentityKind::Email => SuppressionKind::Email,
            IdentityKind::Phone | IdentityKind::Whatsapp => SuppressionKind::Phone,
            IdentityKind::UserId | IdentityKind::Telegram | IdentityKind::AnonymousId => {
                return Ok(());
            }
        };
        if let Ok(key) = SuppressionKey::new(kind, &identity.value) {
            for key in [key.hashed(), key] {
                let removed = self.remove_suppression(&key)?;
                gone.add("suppression", usize::from(removed));
            }
        }
        Ok(())
    }

    fn forget_messages(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let rows: Vec<(i64, i64, i64, i64)> = self
            .conn
            .prepare_cached(self.sql.forget_touchpoints)
            .and_then(|mut statement| {
                statement
                    .query_map(params![key, limit_column(room)], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                    })?
                    .collect()
            })
            .at("touchpoint of", contact)?;
        self.quiet.forget(contact);
        for (hash, slot, slot_at, state) in rows {
            match slot {
                SLOT_OUTBOX => {
                    self.run(self.sql.outbox_drop, params![slot_at, key, hash])
                        .at("outbox", contact)?;
                }
                SLOT_FLIGHT => {
                    self.run(self.sql.in_flight_drop, params![key, hash])
                        .at("in_flight", contact)?;
                }
                SLOT_TIMER => {
                    let kind = TimerKind::Touchpoint(hash.cast_unsigned());
                    let due_at = moment(slot_at);
                    self.forget_timer(contact, Timer { due_at, kind }, gone)?;
                }
                _settled => {}
            }
            // What was sent stays counted; what waits waits no longer.
            let name = usize::try_from(state)
                .ok()
                .and_then(|at| totals::TOUCHPOINTS.get(at));
            if let Some(name) = name.filter(|_| slot != SLOT_DONE) {
                self.tally.total(name, -1);
            }
            self.run(self.sql.forget_touchpoint, params![key, hash])
                .at("touchpoint of", contact)?;
            gone.add("touchpoint", 1);
        }
        Ok(())
    }

    fn forget_timer(
        &mut self,
        contact: ContactId,
        timer: Timer,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let disarmed = self.run_timer(self.sql.timer_disarm, contact, timer)?;
        self.tally.total(totals::TIMERS, -disarmed);
        gone.add("timer", usize::from(disarmed > 0));
        Ok(())
    }

    fn forget_runs(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        type Run = (u32, bool, String, u32, Option<String>, String);
        let key = contact_key(contact);
        let rows: Vec<Run> = self
            .conn
            .prepare_cached(self.sql.forget_enrollments)
            .and_then(|mut statement| {
                statement
                    .query_map(params![key, limit_column(room)], |row| {
                        Ok((
                            row.get(0)?,
                            row.get(1)?,
                            row.get(2)?,
                            row.get(3)?,
                            row.get(4)?,
                            row.get(5)?,
                        ))
                    })?
                    .collect()
            })
            .at("enrollment of", contact)?;
        for (number, is_live, journey, version, step, body) in rows {
            let id = EnrollmentId { contact, number };
            // A body that cannot be read has no timer that anybody knows; it is removed all the same.
            let due = read_enrollment(id, &body)
                .ok()
                .and_then(|run| run.timer_at());
            if let Some(due_at) = due {
                let kind = TimerKind::Enrollment(number);
                self.forget_timer(contact, Timer { due_at, kind }, gone)?;
            }
            if is_live {
                let journey = JourneyId::from(journey);
                if let Some(step) = step {
                    self.tally
                        .standing(journey.clone(), version, StepKey::from(step), -1);
                }
                self.tally.live_run(journey, version, -1);
            }
            self.run(self.sql.forget_enrollment, params![key, number])
                .at("enrollment", id)?;
            gone.add("enrollment", 1);
        }
        Ok(())
    }

    /// No more than there are segments.
    fn forget_memberships(
        &mut self,
        contact: ContactId,
        _room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let rows: Vec<(SegmentId, Membership)> = self
            .conn
            .prepare_cached(self.sql.forget_members)
            .and_then(|mut statement| {
                statement
                    .query_map([contact_key(contact)], |row| {
                        let due: Option<i64> = row.get(2)?;
                        let membership = Membership {
                            member: row.get(1)?,
                            due: due.map(moment),
                        };
                        Ok((text(row, 0)?.into(), membership))
                    })?
                    .collect()
            })
            .at("member of", contact)?;
        for (id, membership) in rows {
            self.write_membership(contact, &id, membership, Membership::default())?;
            if let Some(due_at) = membership.due {
                let kind = TimerKind::Segment(timer_hash(&id));
                self.forget_timer(contact, Timer { due_at, kind }, gone)?;
            }
            gone.add("member", 1);
        }
        Ok(())
    }

    /// Tables from which rows simply go.
    fn forget_rows(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        self.forget_watches(contact, gone)?;
        self.put_profile(contact, &Profile::default())?;
        let tables = [
            ("entry", self.sql.forget_entries),
            ("object", self.sql.forget_objects),
            ("task", self.sql.forget_tasks),
            ("consent_log", self.sql.forget_consents),
            ("thread", self.sql.forget_threads),
        ];
        for (table, sql) in [
            ("merged", self.sql.forget_merges),
            ("doubt", self.sql.forget_doubts),
            ("document_doing", self.sql.doing_forget),
        ] {
            let rows = self.run(sql, [key]).at(table, contact)?;
            gone.add(table, rows);
        }
        let mut room = room;
        for (table, sql) in tables {
            let rows = self
                .run(sql, params![key, limit_column(room)])
                .at(table, contact)?;
            gone.add(table, rows);
            if table == "task" {
                self.tally
                    .total(totals::TASKS, -i64::try_from(rows).unwrap_or(0));
            }
            room = room.saturating_sub(rows);
        }
        Ok(())
    }

    /// As few as a contact has journeys that wait for it.
    fn forget_watches(
        &mut self,
        contact: ContactId,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let bodies: Vec<String> = self
            .conn
            .prepare_cached(self.sql.watch_list)
            .and_then(|mut statement| statement.query_map([key], |row| row.get(1))?.collect())
            .at("watch of", contact)?;
        for watch in bodies.iter().filter_map(|body| read_watch(body).ok()) {
            let kind = TimerKind::Watch(watch.hash());
            let due_at = watch.due_at;
            self.forget_timer(contact, Timer { due_at, kind }, gone)?;
        }
        let rows = self
            .run(self.sql.forget_watches, [key])
            .at("watch of", contact)?;
        gone.add("watch", rows);
        Ok(())
    }

    fn forget_events(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let nothing =
            event_text(&Event::track("", Timestamp::UNIX_EPOCH)).at("event of", contact)?;
        let emptied = self
            .heads
            .forget(&self.conn, &self.sql, contact, &nothing, room)?;
        self.seals.erase(&self.conn, &self.sql, contact, &emptied)?;
        self.scan = None;
        gone.add("event", emptied.len());
        Ok(())
    }

    fn forget_ledger(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let lines: Vec<(i64, Option<i64>)> = self
            .conn
            .prepare_cached(self.sql.forget_lines)
            .and_then(|mut statement| {
                statement
                    .query_map(params![key, limit_column(room)], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect()
            })
            .at("ledger of", contact)?;
        let mut rest = None;
        for (line, previous) in &lines {
            self.run(self.sql.forget_line, [line]).at("ledger", line)?;
            rest = *previous;
        }
        gone.add("ledger", lines.len());
        // Chains of single runs lead to lines that are gone.
        self.run(self.sql.forget_ledger_heads, [key])
            .at("ledger_head", contact)?;
        if let Some(line) = rest.filter(|_| lines.len() == room) {
            let run = super::chains::OF_CONTACT;
            self.run(self.sql.ledger_head_put, params![key, run, line])
                .at("ledger_head", contact)?;
        }
        Ok(())
    }

    /// The pages of an erasure must not live on in the write-ahead log.
    pub(super) fn empty_log(&mut self) {
        if !std::mem::take(&mut self.empty_log_after_commit) {
            return;
        }
        let emptied = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, i64>(0)
            });
        // A reader that is under way keeps it; the next erasure, or the next start, tries again.
        if !matches!(emptied, Ok(0)) {
            tracing::info!("the write-ahead log is in use; it is emptied later");
        }
    }
}
