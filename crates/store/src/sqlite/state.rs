//! A message's state as numbers: for finding it, never for deciding about it.

use jiff::Timestamp;
use relance_core::touchpoint::{Outcome, Slot, Touchpoint, TouchpointState};

use super::column::nanos;

/// Waits for room.
pub(crate) const QUEUED: i64 = 1;
/// Will be looked at again.
pub(crate) const HELD: i64 = 2;
/// Waits for a person.
pub(crate) const AWAITING_APPROVAL: i64 = 3;
/// In flight.
pub(crate) const SENDING: i64 = 4;
/// Taken by the next system; all from here on are settled.
pub(crate) const ACCEPTED: i64 = 9;
/// Refused for good.
pub(crate) const REFUSED_HARD: i64 = 10;
/// Given up after refusals for now.
pub(crate) const REFUSED_SOFT: i64 = 11;
/// Could not be rendered.
pub(crate) const TEMPLATE_FAILED: i64 = 12;
/// The channel was not set up.
pub(crate) const CHANNEL_NOT_CONFIGURED: i64 = 13;
/// Called back.
pub(crate) const WITHDRAWN: i64 = 14;
/// Dropped by the gate.
pub(crate) const DROPPED: i64 = 15;
/// Of unknown fate.
pub(crate) const UNKNOWN: i64 = 16;
/// Not tried; a message never settles so.
pub(crate) const POSTPONED: i64 = 17;
/// A call that nobody took.
pub(crate) const MISSED: i64 = 18;

/// The column `state`, and since when, or until when for what waits.
pub(crate) fn state_columns(touchpoint: &Touchpoint) -> (i64, i64) {
    let (state, at): (i64, Timestamp) = match &touchpoint.state {
        TouchpointState::Queued { ready_at } => (QUEUED, *ready_at),
        TouchpointState::Held { until, .. } => (HELD, *until),
        TouchpointState::AwaitingApproval { expires_at, .. } => (AWAITING_APPROVAL, *expires_at),
        TouchpointState::Sending { since } => (SENDING, *since),
        TouchpointState::Settled { at, outcome } => (outcome_code(outcome), *at),
    };
    (state, nanos(at))
}

fn outcome_code(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Accepted => ACCEPTED,
        Outcome::RefusedHard { .. } => REFUSED_HARD,
        Outcome::RefusedSoft(_) => REFUSED_SOFT,
        Outcome::TemplateFailed(_) => TEMPLATE_FAILED,
        Outcome::ChannelNotConfigured => CHANNEL_NOT_CONFIGURED,
        Outcome::Withdrawn(_) => WITHDRAWN,
        Outcome::Dropped(_) => DROPPED,
        Outcome::Unknown => UNKNOWN,
        Outcome::Postponed { .. } => POSTPONED,
        Outcome::Missed => MISSED,
    }
}

/// Nowhere.
pub(crate) const SLOT_DONE: i64 = 0;
/// In the outbox.
pub(crate) const SLOT_OUTBOX: i64 = 1;
/// Under a timer, which has effects of its own.
pub(crate) const SLOT_TIMER: i64 = 2;
/// In flight.
pub(crate) const SLOT_FLIGHT: i64 = 3;

/// The columns `slot` and `slot_at`.
pub(crate) fn slot_columns(slot: Slot) -> (i64, i64) {
    match slot {
        Slot::Outbox(at) => (SLOT_OUTBOX, nanos(at)),
        Slot::Timer(at) => (SLOT_TIMER, nanos(at)),
        Slot::Flight => (SLOT_FLIGHT, 0),
        Slot::Done => (SLOT_DONE, 0),
    }
}
