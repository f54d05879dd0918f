//! An arrival that changes what decisions are made under takes effect in its place among the others.
//!
//! **Absent:** journeys' and segments' own changes (see their modules).

use jiff::Timestamp;

use super::{Engine, Work};
use crate::arrival::Arrival;
use crate::ports::{Dispatcher, MailboxState, Store, StoreError};
use crate::quiet;

impl<S: Store, D: Dispatcher> Engine<S, D> {
    pub(super) fn reconfigure(
        &mut self,
        arrival: &Arrival,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match arrival {
            Arrival::Synced { .. } | Arrival::Watched(_) | Arrival::Forgotten { .. } => {
                work.announced.mailboxes = true;
            }
            _of_the_configuration => {
                work.announced.configuration = true;
                self.refresh_sweeps()?;
            }
        }
        match arrival {
            Arrival::Synced {
                mailbox,
                at,
                cursors,
            } => {
                // What is known of the future was told by a clock that was set back since.
                let known = self
                    .world
                    .synced
                    .get(mailbox)
                    .filter(|known| **known <= now);
                let synced_at = known.map_or(*at, |known| *at.max(known));
                self.store.put_mailbox(&MailboxState {
                    mailbox: mailbox.clone(),
                    synced_at: Some(synced_at),
                    cursors: cursors.clone(),
                })?;
                self.world.synced.insert(mailbox.clone(), synced_at);
            }
            Arrival::Watched(mailbox) => {
                if !self.world.synced.contains_key(mailbox) {
                    let state = MailboxState {
                        mailbox: mailbox.clone(),
                        synced_at: None,
                        cursors: String::new(),
                    };
                    self.store.put_mailbox(&state)?;
                    state.tell(&mut self.world);
                }
            }
            Arrival::Forgotten { mailbox, what } => {
                // One that was never watched holds nothing.
                if self.world.synced.contains_key(mailbox)
                    || self.world.forgotten.contains_key(mailbox)
                {
                    let state = MailboxState::of_forgotten(mailbox.clone(), *what);
                    self.store.put_mailbox(&state)?;
                    state.tell(&mut self.world);
                }
            }
            Arrival::Published {
                text,
                journey,
                moves,
            } => self.publish(text, journey, moves, now)?,
            Arrival::Retired(id) => self.retire(id)?,
            Arrival::Paused(id) => self.pause(id, work, now)?,
            Arrival::Resumed { journey, overdue } => self.resume(journey, *overdue, now)?,
            Arrival::Archived(id) => self.archive(id, now)?,
            Arrival::Segments(changes) => self.define_segments(changes, now)?,
            Arrival::Lists(lists) => self.world.lists = lists.clone(),
            Arrival::Templates(facts) => self.world.templates.extend(facts.iter().cloned()),
            Arrival::Rules(rules) => self.change_rules(rules, now)?,
            Arrival::Released(backlog) => {
                if self.quiet {
                    self.quiet = false;
                    self.skip_until = quiet::release(&mut self.store, *backlog, now)?;
                }
            }
            Arrival::Event { .. }
            | Arrival::Input { .. }
            | Arrival::Mail(_)
            | Arrival::Threaded(_)
            | Arrival::Asset(_)
            | Arrival::Audited { .. }
            | Arrival::Payment(_)
            | Arrival::Judged(_)
            | Arrival::Statement(_)
            | Arrival::Erase { .. }
            | Arrival::Readmit(_)
            | Arrival::Suppressions { .. }
            | Arrival::Merge { .. }
            | Arrival::Unmerge { .. } => {}
        }
        Ok(())
    }
}
