//! The workspace as a whole: sums, mailboxes.

use jiff::{SignedDuration, Timestamp};
use relance_core::ids::{JourneyId, MailboxId, StepKey};
use relance_core::ledger::{Reason, What};
use relance_engine::ports::MailboxState;

use super::db::{Value, values};
use super::{ReadError, Reader};
use crate::sqlite::column::{day, moment};
use crate::sqlite::error::{Located, unreadable};
use crate::sqlite::state;
use crate::sqlite::tally::totals;

/// How often something happened in a journey on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// When the day began, in UTC.
    pub day: Timestamp,
    /// At which step.
    pub step: Option<StepKey>,
    /// What.
    pub what: What,
    /// Why.
    pub reason: Option<Reason>,
    /// How often.
    pub times: u64,
}

/// Sums over the workspace, kept as things happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Contacts.
    pub contacts: u64,
    /// Events in the log.
    pub events: u64,
    /// Timers set.
    pub timers: u64,
    /// Tasks ever created.
    pub tasks: u64,
    /// Messages in the outbox that are not held.
    pub queued: u64,
    /// Messages held.
    pub held: u64,
    /// Messages that wait for a person.
    pub awaiting_approval: u64,
    /// Messages in flight.
    pub sending: u64,
    /// Messages that the next system took.
    pub accepted: u64,
    /// Messages settled in any other way.
    pub not_accepted: u64,
}

impl Reader {
    /// What was counted of a journey on the UTC days from that of `from` to that of `until`.
    pub fn counts(
        &self,
        journey: &JourneyId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Count>, ReadError> {
        let key = values![Value::Word(journey.as_str()), day(from), day(until)];
        self.rows(self.sql.counter_days, "counter", key, |row| {
            let unknown =
                |word: &str| unreadable("counter", journey, format_args!("{word:?} is not known"));
            let words = [1, 2, 3].map(|ix| row.text(ix));
            let [step, what, reason] = words;
            let (step, what) = (step.at("counter", journey)?, what.at("counter", journey)?);
            let reason = reason.at("counter", journey)?;
            let day = row.int(0).at("counter", journey)?;
            let times = row.count(4).at("counter", journey)?;
            let day = Timestamp::UNIX_EPOCH
                .checked_add(SignedDuration::from_secs(day.saturating_mul(86_400)))
                .map_err(|error| unreadable("counter", journey, error))?;
            Ok(Count {
                day,
                step: Some(step)
                    .filter(|step| !step.is_empty())
                    .map(StepKey::from),
                what: What::from_word(what).ok_or_else(|| unknown(what))?,
                reason: match reason {
                    "" => None,
                    word => Some(Reason::from_word(word).ok_or_else(|| unknown(word))?),
                },
                times,
            })
        })
    }

    /// All sums.
    pub fn totals(&self) -> Result<Totals, ReadError> {
        let rows = self.rows(self.sql.total_all, "total", values![], |row| {
            let name = row.text(0).at("total", "")?;
            let n = row.count(1).at("total", name)?;
            Ok((name.to_owned(), n))
        })?;
        let mut sums = Totals::default();
        let state_of = |state: i64| {
            usize::try_from(state)
                .ok()
                .and_then(|at| totals::TOUCHPOINTS.get(at))
                .copied()
        };
        for (name, n) in rows {
            let name = name.as_str();
            let sum = if name == totals::CONTACTS {
                &mut sums.contacts
            } else if name == totals::EVENTS {
                &mut sums.events
            } else if name == totals::TIMERS {
                &mut sums.timers
            } else if name == totals::TASKS {
                &mut sums.tasks
            } else if Some(name) == state_of(state::QUEUED) {
                &mut sums.queued
            } else if Some(name) == state_of(state::HELD) {
                &mut sums.held
            } else if Some(name) == state_of(state::AWAITING_APPROVAL) {
                &mut sums.awaiting_approval
            } else if Some(name) == state_of(state::SENDING) {
                &mut sums.sending
            } else if Some(name) == state_of(state::ACCEPTED) {
                &mut sums.accepted
            } else {
                &mut sums.not_accepted
            };
            *sum += n;
        }
        Ok(sums)
    }

    /// The watched mailboxes.
    pub fn mailboxes(&self) -> Result<Vec<MailboxState>, ReadError> {
        self.rows(self.sql.mailbox_all, "mailbox", values![], |row| {
            let mailbox = MailboxId::from(row.text(0).at("mailbox", "")?);
            let synced_at = row.int_or_null(1).at("mailbox", &mailbox)?;
            let cursors = row.text(2).at("mailbox", &mailbox)?.to_owned();
            Ok(MailboxState {
                synced_at: synced_at.map(moment),
                cursors,
                mailbox,
            })
        })
    }
}
