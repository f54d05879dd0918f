//! Journeys are published, paused, resumed and archived (R8).
//!
//! What must then happen to each contact (a date to wait for, a run that goes on) is a *sweep*: it takes a
//! page of contacts a turn, beside the ordinary work, and remembers in the database how far it came. So a
//! change of a journey costs the same for ten contacts and ten million, and a crash loses none of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::decide::{Input, Overdue};
use relance_core::ids::{ContactId, JourneyId};
use relance_core::journey::{Journey, Moves, Recipient};

use super::{Engine, Work};
use crate::arrival::Arrival;
use crate::ports::{Asset, Dispatcher, Store, StoreError, StoredJourney};

/// Contacts that one turn takes of a sweep.
pub const SWEEP_CONTACTS_PER_TURN_MAX: usize = 500;

/// The sort of assets that sweeps are.
pub const SWEEP: &str = "sweep";

/// What must happen to each contact after a journey changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sweep {
    journey: JourneyId,
    what: What,
    /// The last contact that it came to.
    after: Option<ContactId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Arm,
    Resume(Overdue),
    End,
}

impl What {
    const ALL: [Self; 5] = [
        Self::Arm,
        Self::Resume(Overdue::Late),
        Self::Resume(Overdue::Skip),
        Self::Resume(Overdue::Shift),
        Self::End,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::Resume(Overdue::Late) => "resume_late",
            Self::Resume(Overdue::Skip) => "resume_skip",
            Self::Resume(Overdue::Shift) => "resume_shift",
            Self::End => "end",
        }
    }
}

impl Sweep {
    fn input(&self) -> Input {
        let journey = self.journey.clone();
        match self.what {
            What::Arm => Input::Arm(journey),
            What::Resume(overdue) => Input::Resume { journey, overdue },
            What::End => Input::End(journey),
        }
    }

    /// Its name and text in the database: one sweep of a sort and journey at a time.
    fn asset(&self) -> Asset {
        let after = self.after.map_or(0, |contact| contact.0);
        Asset {
            kind: SWEEP.to_owned(),
            name: format!("{}:{}", self.what.word(), self.journey),
            body: Some(after.to_string()),
        }
    }

    fn read(asset: &Asset) -> Result<Self, StoreError> {
        let read = || {
            let (word, journey) = asset.name.split_once(':')?;
            let what = What::ALL.into_iter().find(|what| what.word() == word)?;
            let after: u64 = asset.body.as_deref()?.parse().ok()?;
            Some(Self {
                journey: JourneyId::from(journey),
                what,
                after: (after > 0).then_some(ContactId(after)),
            })
        };
        read().ok_or_else(|| StoreError::Unreadable {
            place: format!("asset {SWEEP} {}", asset.name),
            what: "no sweep".to_owned(),
        })
    }
}

/// The journey whose runs a sweep of this name still ends: what is published under its id meanwhile would
/// be ended too.
pub fn ended_by(sweep: &str) -> Option<JourneyId> {
    let (word, journey) = sweep.split_once(':')?;
    (word == What::End.word()).then(|| JourneyId::from(journey))
}

/// The sweeps that a crash or a restart interrupted.
pub(super) fn unfinished(store: &mut impl Store) -> Result<Vec<Sweep>, StoreError> {
    store.assets(SWEEP)?.iter().map(Sweep::read).collect()
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Takes changes of the configuration and texts of the workspace, in one commit, and does nothing else:
    /// no timer comes, no message goes. For a workspace on which no server runs; what must happen to
    /// contacts happens when one does.
    pub fn configure(&mut self, arrivals: &[Arrival], now: Timestamp) -> Result<(), StoreError> {
        self.store.begin()?;
        let mut work = Work::default();
        let done = arrivals.iter().try_for_each(|arrival| match arrival {
            Arrival::Asset(asset) => self.store.put_asset(asset, now),
            other => self.reconfigure(other, &mut work, now),
        });
        match done.and_then(|()| self.store.commit()) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.store.rollback();
                Err(error)
            }
        }
    }

    /// Lets a turn take fewer contacts of a sweep than it may, so that few contacts meet the limit as well.
    pub fn limit_sweeps(&mut self, contacts: usize) {
        self.sweep_page = contacts.clamp(1, SWEEP_CONTACTS_PER_TURN_MAX);
    }

    pub(super) fn publish(
        &mut self,
        text: &str,
        journey: &std::sync::Arc<Journey>,
        moves: &Moves,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stored = StoredJourney {
            id: journey.id.clone(),
            version: journey.version,
            text: text.to_owned(),
            current: true,
            moves: moves.clone(),
        };
        self.store.put_journey(&stored, now)?;
        self.world.add_journey(journey.clone(), moves.clone(), true);
        if journey.trigger.waits_for_contacts() {
            self.begin_sweep(&journey.id, What::Arm, now)?;
        }
        Ok(())
    }

    /// No new run begins; runs under way go on.
    pub(super) fn retire(&mut self, id: &JourneyId) -> Result<(), StoreError> {
        if let Some(journey) = self.world.current(id) {
            let version = journey.version;
            self.store.retire_journey(id, version)?;
        }
        self.world.retire(id);
        Ok(())
    }

    /// Nothing of the journey begins, goes on or leaves; what is on its way is stopped if it can be.
    pub(super) fn pause(
        &mut self,
        id: &JourneyId,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.set_journey_paused(id, true)?;
        self.world.set_paused(id, true);
        let resuming =
            |sweep: &Sweep| sweep.journey == *id && matches!(sweep.what, What::Resume(_));
        self.end_sweeps(resuming, now)?;
        let in_flight = self.store.in_flight()?;
        // A word to one of ours tells of what has happened: it goes.
        let own = in_flight
            .iter()
            .filter(|one| one.journey == *id && one.recipient == Recipient::Contact);
        work.revoked.extend(own.map(|one| one.id));
        Ok(())
    }

    pub(super) fn resume(
        &mut self,
        id: &JourneyId,
        overdue: Overdue,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.world.is_paused(id) {
            return Ok(());
        }
        self.store.set_journey_paused(id, false)?;
        self.world.set_paused(id, false);
        self.begin_sweep(id, What::Resume(overdue), now)
    }

    /// No new run begins, and those under way end.
    pub(super) fn archive(&mut self, id: &JourneyId, now: Timestamp) -> Result<(), StoreError> {
        self.retire(id)?;
        self.begin_sweep(id, What::End, now)
    }

    fn begin_sweep(
        &mut self,
        journey: &JourneyId,
        what: What,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end_sweeps(|old| old.journey == *journey && old.what == what, now)?;
        let sweep = Sweep {
            journey: journey.clone(),
            what,
            after: None,
        };
        self.store.put_asset(&sweep.asset(), now)?;
        self.sweeps.push(sweep);
        Ok(())
    }

    fn end_sweeps(
        &mut self,
        which: impl Fn(&Sweep) -> bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for sweep in self.sweeps.iter().filter(|sweep| which(sweep)) {
            let body = None;
            let asset = Asset {
                body,
                ..sweep.asset()
            };
            self.store.put_asset(&asset, now)?;
        }
        self.sweeps.retain(|sweep| !which(sweep));
        Ok(())
    }

    /// Takes one page of the oldest sweep. Returns the sweeps as they stand once this turn is committed.
    pub(super) fn sweep(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Vec<Sweep>, StoreError> {
        let mut left = self.sweeps.clone();
        let Some(sweep) = left.first_mut() else {
            return Ok(left);
        };
        let limit = self.sweep_page;
        // A page is read from the tables: what this turn decided must be there.
        self.write(work)?;
        let page = match sweep.what {
            What::Arm => self.store.contacts_after(sweep.after, limit)?,
            What::Resume(_) | What::End => {
                let journey = &sweep.journey;
                self.store.contacts_running(journey, sweep.after, limit)?
            }
        };
        self.set_aside(page.iter().copied(), work)?;
        let whole: BTreeSet<ContactId> = page.iter().copied().collect();
        for contact in whole {
            if !self.unreadable.contains(&contact) {
                self.decide_one(contact, &sweep.input(), work, now)?;
            }
        }
        match page.last() {
            Some(last) if page.len() == limit => {
                sweep.after = Some(*last);
                self.store.put_asset(&sweep.asset(), now)?;
            }
            Some(_) | None => {
                let body = None;
                let asset = Asset {
                    body,
                    ..sweep.asset()
                };
                self.store.put_asset(&asset, now)?;
                left.remove(0);
            }
        }
        work.summary.more |= !left.is_empty();
        Ok(left)
    }
}
