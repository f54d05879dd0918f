//! Effects of a decision that are not only the store's are noted for later in the turn.
//!
//! **Absent:** handing them on, which comes after the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::account::Account;
use relance_core::decide::Effect;
use relance_core::ids::{AccountId, ContactId, MailboxId, TouchpointId};
use relance_core::ledger::What;
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::TouchpointState;

use super::{Summary, TitleWriter};
use crate::topics::Topics;

/// What the effects of a decision mean to the turn beside what is written.
pub(super) struct Gains<'w> {
    pub(super) claimable: &'w mut Vec<TouchpointId>,
    pub(super) dispatches: &'w mut Vec<(TouchpointId, ContactId)>,
    pub(super) revoked: &'w mut Vec<TouchpointId>,
    pub(super) syncs: &'w mut BTreeSet<MailboxId>,
    pub(super) accounts: &'w mut BTreeMap<AccountId, Arc<Account>>,
    pub(super) tells_accounts: &'w mut bool,
    pub(super) summary: &'w mut Summary,
}

impl Gains<'_> {
    /// Takes from the effects of one decision what is not the store's.
    pub(super) fn gather(
        self,
        mut effects: Vec<Effect>,
        snapshot: &Snapshot,
        write_title: &TitleWriter,
        now: Timestamp,
    ) -> Vec<Effect> {
        let contact = snapshot.contact.id;
        // A task comes before the line that tells of it.
        let mut title = None;
        for effect in &mut effects {
            self.summary.topics.add(Topics::of_effect(effect));
            match effect {
                Effect::Touchpoint(touchpoint) => match &touchpoint.state {
                    TouchpointState::Sending { .. } => {
                        self.dispatches.push((touchpoint.id, contact));
                    }
                    TouchpointState::Queued { ready_at } if *ready_at <= now => {
                        self.claimable.push(touchpoint.id);
                    }
                    TouchpointState::Queued { .. }
                    | TouchpointState::Held { .. }
                    | TouchpointState::AwaitingApproval { .. }
                    | TouchpointState::Settled { .. } => {}
                },
                Effect::Task(task) => {
                    let written = write_title(&task.title, snapshot, task);
                    task.title = written.as_str().into();
                    title = Some(written);
                }
                Effect::Ledger(line) => {
                    if line.what == What::Task {
                        line.detail = title.take();
                    }
                    *self.summary.ledger.entry(line.what).or_default() += 1;
                }
                Effect::Revoke(id) => self.revoked.push(*id),
                Effect::RequestSync(mailbox) => {
                    self.syncs.insert(mailbox.clone());
                }
                Effect::Account { account, tell } => {
                    self.accounts.insert(account.id.clone(), account.clone());
                    *self.tells_accounts |= *tell;
                }
                Effect::Contact(_)
                | Effect::Enrollment(_)
                | Effect::Entry(_)
                | Effect::Watch(_)
                | Effect::Membership { .. }
                | Effect::Unwatch(_)
                | Effect::Consent(_)
                | Effect::Suppression(_)
                | Effect::Object(_)
                | Effect::Event(_)
                | Effect::Belongs { .. }
                | Effect::TaskChanged { .. }
                | Effect::Arm(_)
                | Effect::Disarm(_) => {}
            }
        }
        effects.retain(|effect| !matches!(effect, Effect::Revoke(_) | Effect::RequestSync(_)));
        effects
    }
}
