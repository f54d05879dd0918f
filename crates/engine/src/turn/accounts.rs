//! Contacts hear what others told of their account.
//!
//! Everyone sees an account as it is at once. That its contacts hear of a change (segments, journeys that begin by
//! it) is told to a bounded number of them a turn, beside the ordinary work; how far that came lies in the
//! database, so a change costs its turn the same for ten contacts and ten thousand, and a crash loses none of it.
//!
//! **Absent:** what a contact makes of it (see core).

use jiff::Timestamp;
use relance_core::decide::Input;
use relance_core::ids::ContactId;

use super::{Engine, Work};
use crate::ports::{Dispatcher, Store, StoreError, Telling};
use crate::sharing::Handed;

/// Accounts of which one turn tells contacts.
pub const TELLINGS_PER_TURN_MAX: usize = 100;

/// Whoever has no number: a word for the node that does what is nobody's own.
pub(super) const NOBODY: ContactId = ContactId(0);

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Tells a page of contacts what became of their accounts. Returns whether contacts are left to be told.
    pub(super) fn tell_of_accounts(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.is_first() {
            if work.tells_accounts
                && let Some(store) = self.store.sharing()
            {
                // The node that tells may sleep.
                store.hand_over(&[Handed::Input(NOBODY, Input::Account)])?;
                work.tells_accounts = false;
            }
            return Ok(false);
        }
        if !work.tells_accounts && !self.tells_accounts {
            return Ok(false);
        }
        // Whom to tell is read from the tables: what this turn decided must be there.
        self.write(work)?;
        work.tells_accounts = false;
        let tellings = self.store.tellings(TELLINGS_PER_TURN_MAX)?;
        let mut left = tellings.len() == TELLINGS_PER_TURN_MAX;
        let mut room = self.sweep_page;
        let mut inputs = Vec::new();
        let mut ended = Vec::new();
        for mut telling in tellings {
            if room == 0 {
                left = true;
                break;
            }
            let (account, after) = (&telling.account, telling.after);
            let mut page = self.store.contacts_of_account(account, after, room)?;
            let count = page.len();
            let is_last = count < room;
            room -= count;
            page.retain(|contact| telling.until.is_none_or(|until| *contact <= until));
            let is_past = page.len() < count;
            match page.last() {
                Some(last) if !is_last && !is_past => {
                    telling.after = Some(*last);
                    self.store.put_telling(&telling)?;
                    left = true;
                }
                Some(_) | None => ended.push(telling),
            }
            self.set_aside(page.iter().copied(), work)?;
            let readable = page
                .into_iter()
                .filter(|contact| !self.unreadable.contains(contact));
            inputs.extend(readable.map(|contact| (contact, Input::Account)));
        }
        self.decide_inputs(inputs, work, now)?;
        // Only now: what has settled, nobody hears of any more.
        for telling in ended {
            left |= self.end_pass(telling)?;
        }
        work.summary.more |= left;
        Ok(left)
    }

    /// All contacts up to the end were told; says whether some must hear once more of what changed meanwhile.
    fn end_pass(&mut self, telling: Telling) -> Result<bool, StoreError> {
        let Some(again) = telling.again else {
            // What was handed over to other nodes has yet to be heard.
            let settles = self.standing.is_none();
            self.store.end_telling(&telling, settles)?;
            return Ok(false);
        };
        self.store.put_telling(&Telling {
            after: None,
            until: Some(again),
            again: None,
            ..telling
        })?;
        Ok(true)
    }
}
