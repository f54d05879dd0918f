//! What waits for mailboxes that are not read, and for those that will never be read again.
//!
//! A reminder that depends on a mailbox is held until it was read (R1). That of a removed mailbox would be held for
//! good: a person says what becomes of it, and [`forget`] does it.
//!
//! **Absent:** the rule itself (see `relance-core`).

use std::collections::BTreeMap;
use std::sync::Arc;

use relance_core::ids::MailboxId;
use relance_core::ledger::Reason;
use relance_core::policy::GivenUp;
use relance_core::touchpoint::TouchpointState;
use relance_engine::arrival::Arrival;
use relance_engine::ports::MailboxState;
use relance_store::read::{PAGE_ROWS_MAX, ReadError, Reader, TouchpointList};
use relance_wire::api::mailbox as shape;
use serde_json::json;

use super::book::Book;
use super::change::{ChangeProblem, address_of};
use super::shown::may_change;
use crate::access::Caller;
use crate::workspace::Workspace;

/// Pages of held messages that are looked through.
const PAGES_MAX: usize = 20;
/// What the order weighs in the engine's queue.
const WEIGHT: usize = 512;

/// How many reminders wait for which mailboxes.
#[derive(Debug, Default)]
pub struct Waiting {
    counts: BTreeMap<MailboxId, u64>,
    /// Whether all were counted.
    pub exact: bool,
}

impl Waiting {
    /// Looks through the messages that are held.
    pub fn read(reader: &Reader, known: &[MailboxState]) -> Result<Self, ReadError> {
        let states: BTreeMap<&MailboxId, &MailboxState> =
            known.iter().map(|state| (&state.mailbox, state)).collect();
        let mut waiting = Self::default();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let page = reader.touchpoints(TouchpointList::Held, after.as_deref(), PAGE_ROWS_MAX)?;
            for touchpoint in page.items {
                let TouchpointState::Held {
                    reason: Reason::MailboxNotSynced,
                    ..
                } = touchpoint.state
                else {
                    continue;
                };
                let Some(silence) = touchpoint.silence else {
                    continue;
                };
                let not_read = silence.mailboxes.into_iter().filter(|mailbox| {
                    states.get(mailbox).is_some_and(|state| {
                        let is_read = state.synced_at.is_some_and(|at| at >= silence.after);
                        state.forgotten().is_none() && !is_read
                    })
                });
                for mailbox in not_read {
                    *waiting.counts.entry(mailbox).or_default() += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                waiting.exact = true;
                break;
            }
        }
        Ok(waiting)
    }

    /// How many wait for a mailbox.
    pub fn of(&self, address: &str) -> u64 {
        self.counts.get(address).copied().unwrap_or(0)
    }
}

/// Mailboxes that were removed while reminders depend on them, for a caller who may say what becomes of those.
pub fn gone(
    book: &Book,
    known: &[MailboxState],
    waiting: &Waiting,
    caller: &Caller,
) -> Vec<shape::MailboxGone> {
    let gone = known.iter().filter(|state| {
        state.forgotten().is_none()
            && book.find(state.mailbox.as_str()).is_none()
            && may_change(caller, state.mailbox.as_str())
    });
    gone.map(|state| shape::MailboxGone {
        address: state.mailbox.to_string(),
        synced_at: state.synced_at.map(|at| at.to_string()),
        waiting: waiting.of(state.mailbox.as_str()),
        exact: waiting.exact,
    })
    .collect()
}

/// A removed mailbox will not be read again: what waits for it goes on without it, or is left out.
pub async fn forget(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    what: GivenUp,
    known: &[MailboxState],
) -> Result<(), ChangeProblem> {
    let address = address_of(address)?;
    if !may_change(caller, &address) {
        return Err(ChangeProblem::NotYours);
    }
    let _turn = workspace.changing_mailboxes.lock().await;
    if workspace.watching.book.find(&address).is_some() {
        return Err(ChangeProblem::Connected(address));
    }
    let is_known = known.iter().any(|state| state.mailbox.as_str() == address);
    if !is_known {
        return Err(ChangeProblem::NotFound);
    }
    let word = match what {
        GivenUp::GoOn => "go_on",
        GivenUp::LeaveOut => "leave_out",
    };
    let arrival = Arrival::Forgotten {
        mailbox: MailboxId::from(address.as_str()),
        what,
    };
    let more = json!({ "waiting": word });
    workspace
        .submit_with(
            caller,
            vec![arrival],
            WEIGHT,
            "mailbox.forget",
            &address,
            &more,
        )
        .await?;
    Ok(())
}
