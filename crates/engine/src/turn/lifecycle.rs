//! Journeys are published, paused, resumed and archived (R8); and sweeps, which segments have as well.
//!
//! What must then happen to each contact (a date to wait for, a run that goes on) is a *sweep*: it takes a
//! page of contacts a turn, beside the ordinary work, and remembers in the database how far it came. So a
//! change costs the same for ten contacts and ten million, and a crash loses none of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::decide::{Input, Overdue};
use relance_core::ids::{ContactId, JourneyId, SegmentId, TouchpointId};
use relance_core::journey::{Journey, Moves, Recipient};
use relance_core::time::Zone;

use super::build::{self, BUILD_CONTACTS_PER_TURN_MAX, Building, Page};
use super::{Engine, Work};
use crate::arrival::{Arrival, Rules};
use crate::ports::{Asset, AuditLine, Dispatcher, Store, StoreError, StoredJourney};

/// Contacts that one turn takes of a sweep.
pub const SWEEP_CONTACTS_PER_TURN_MAX: usize = 500;

/// The sort of assets that sweeps are.
pub const SWEEP: &str = "sweep";

/// What must happen to each contact after the configuration changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sweep {
    pub(super) task: Task,
    /// The last contact that it came to.
    pub(super) after: Option<ContactId>,
}

/// What a sweep does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// Tells contacts of a journey that it changed.
    Journey(JourneyId, What),
    /// Tells anew who belongs to segments.
    Build(Building),
    /// Lets the members of a segment go that is not in force.
    Forget(SegmentId),
    /// Asks anew what waits by rules that are no longer the workspace's: of contacts with open messages, or of all
    /// where its zone or calendar changed, with the zone of before.
    Reconsider(Option<Zone>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
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

    fn input(self, journey: JourneyId) -> Input {
        match self {
            Self::Arm => Input::Arm(journey),
            Self::Resume(overdue) => Input::Resume { journey, overdue },
            Self::End => Input::End(journey),
        }
    }
}

/// How the names of sweeps begin that let members of a segment go; its id follows.
const FORGET_PREFIX: &str = "forget:";
/// The name of the sweep that asks anew what waits by the rules of before, and how that name goes on where the zone
/// was another.
const RECONSIDER: &str = "reconsider";

impl Sweep {
    pub(super) fn new(task: Task) -> Self {
        Self { task, after: None }
    }

    fn is_of(&self, journey: &JourneyId, which: impl Fn(What) -> bool) -> bool {
        matches!(&self.task, Task::Journey(own, what) if own == journey && which(*what))
    }

    /// Its name and text in the database: one sweep of a sort and journey or segment at a time.
    fn asset(&self) -> Asset {
        let after = self.after.map_or(0, |contact| contact.0);
        let (name, body) = match &self.task {
            Task::Journey(journey, what) => {
                (format!("{}:{journey}", what.word()), after.to_string())
            }
            Task::Build(building) => {
                let first = building.segments.first().map_or("", SegmentId::as_str);
                let name = format!("{}{first}", build::PREFIX);
                (name, build::body(self.after, building))
            }
            Task::Forget(segment) => (format!("{FORGET_PREFIX}{segment}"), after.to_string()),
            Task::Reconsider(None) => (RECONSIDER.to_owned(), after.to_string()),
            Task::Reconsider(Some(left)) => (format!("{RECONSIDER}:{left}"), after.to_string()),
        };
        Asset {
            kind: SWEEP.to_owned(),
            name,
            body: Some(body),
        }
    }

    /// The asset that it leaves when it ends.
    fn end(&self) -> Asset {
        Asset {
            body: None,
            ..self.asset()
        }
    }

    fn read(asset: &Asset) -> Result<Self, StoreError> {
        let read = || {
            let body = asset.body.as_deref()?;
            if asset.name.starts_with(build::PREFIX) {
                let (after, building) = build::read_body(body)?;
                let task = Task::Build(building);
                return Some(Self { task, after });
            }
            let after: u64 = body.parse().ok()?;
            if let Some(left) = asset.name.strip_prefix(RECONSIDER) {
                let left = match left.strip_prefix(':') {
                    Some(left) => Some(Zone::parse(left).ok()?),
                    None => None,
                };
                return Some(Self {
                    task: Task::Reconsider(left),
                    after: (after > 0).then_some(ContactId(after)),
                });
            }
            let task = match asset.name.strip_prefix(FORGET_PREFIX) {
                Some(segment) => Task::Forget(SegmentId::from(segment)),
                None => {
                    let (word, journey) = asset.name.split_once(':')?;
                    let what = What::ALL.into_iter().find(|what| what.word() == word)?;
                    Task::Journey(JourneyId::from(journey), what)
                }
            };
            Some(Self {
                task,
                after: (after > 0).then_some(ContactId(after)),
            })
        };
        read().ok_or_else(|| StoreError::Unreadable {
            place: format!("asset {SWEEP} {}", asset.name),
            what: "no sweep".to_owned(),
        })
    }

    /// Which of several comes first after a restart. Who belonged to a segment that is gone must be gone
    /// before others are told by it; passes come in the order in which they began.
    fn rank(&self) -> (u8, Option<Timestamp>) {
        match &self.task {
            Task::Forget(_) => (0, None),
            Task::Journey(..) | Task::Reconsider(_) => (1, None),
            Task::Build(building) => (2, Some(building.since)),
        }
    }
}

/// The journey whose runs a sweep of this name still ends: what is published under its id meanwhile would
/// be ended too.
pub fn ended_by(sweep: &str) -> Option<JourneyId> {
    let (word, journey) = sweep.split_once(':')?;
    (word == What::End.word()).then(|| JourneyId::from(journey))
}

/// The segment whose members a sweep of this name still lets go: who comes into a list of its id meanwhile
/// would go as well.
pub fn forgotten_by(sweep: &str) -> Option<SegmentId> {
    sweep.strip_prefix(FORGET_PREFIX).map(SegmentId::from)
}

/// The sweeps that a crash or a restart interrupted.
pub(super) fn unfinished(store: &mut impl Store) -> Result<Vec<Sweep>, StoreError> {
    let assets = store.assets(SWEEP)?;
    let mut sweeps: Vec<Sweep> = assets.iter().map(Sweep::read).collect::<Result<_, _>>()?;
    sweeps.sort_by_key(Sweep::rank);
    Ok(sweeps)
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Takes orders, changes of the configuration and texts of the workspace, in one commit, and does nothing
    /// else: no timer comes, no message goes. For a workspace on which no server runs; what must happen to
    /// contacts happens when one does.
    pub fn configure(&mut self, arrivals: &[Arrival], now: Timestamp) -> Result<(), StoreError> {
        self.store.begin()?;
        let mut work = Work::default();
        // What happens to contacts in a row is decided together: one look at them all.
        let mut inputs = Vec::new();
        let done = arrivals.iter().try_for_each(|arrival| {
            if let Arrival::Input { contact, input } = arrival {
                inputs.push((*contact, input.clone()));
                return Ok(());
            }
            self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
            match arrival {
                Arrival::Asset(asset) => self.store.put_asset(asset, now),
                Arrival::Audited {
                    by,
                    action,
                    object,
                    detail,
                } => {
                    let line = AuditLine::new(now, by, action, object, detail);
                    self.store.put_audit(&line)
                }
                Arrival::Merge {
                    survivor,
                    absorbed,
                    by,
                } => self.merge_contacts(*survivor, *absorbed, by, &mut work, now),
                Arrival::Unmerge { absorbed, by } => {
                    self.unmerge_contacts(*absorbed, by, &mut work, now)
                }
                other => match self.obey_order(other, &mut work, now)? {
                    true => Ok(()),
                    false => self.reconfigure(other, &mut work, now),
                },
            }
        });
        let done = done
            .and_then(|()| self.decide_inputs(inputs, &mut work, now))
            .and_then(|()| self.write(&mut work))
            .and_then(|()| self.erase_some(&mut work, now));
        match done.and_then(|()| self.store.commit()) {
            Ok(()) => {
                if let Some(erasures) = work.erasures.take() {
                    self.erasures = erasures;
                }
                Ok(())
            }
            Err(error) => {
                self.store.rollback();
                Err(error)
            }
        }
    }

    /// Lets a turn take fewer contacts of a sweep than it may, so that few contacts meet the limit as well.
    pub fn limit_sweeps(&mut self, contacts: usize) {
        self.sweep_page = contacts.clamp(1, SWEEP_CONTACTS_PER_TURN_MAX);
        self.build_page = contacts.clamp(1, BUILD_CONTACTS_PER_TURN_MAX);
        self.build_limit = self.build_page;
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
        let resuming = |sweep: &Sweep| sweep.is_of(id, |what| matches!(what, What::Resume(_)));
        self.end_sweeps(resuming, now)?;
        let in_flight = self.in_flight_of(id)?;
        work.revoked.extend(in_flight);
        Ok(())
    }

    /// Messages of a journey to contacts that are on their way.
    pub(super) fn in_flight_of(&mut self, id: &JourneyId) -> Result<Vec<TouchpointId>, StoreError> {
        let in_flight = self.store.in_flight()?;
        // A word to one of ours tells of what has happened: it goes.
        let own = in_flight
            .iter()
            .filter(|one| one.journey == *id && one.recipient == Recipient::Contact);
        Ok(own.map(|one| one.id).collect())
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

    /// The workspace's rules are others: what comes after this goes by them, and what waits is asked anew.
    pub(super) fn change_rules(&mut self, rules: &Rules, now: Timestamp) -> Result<(), StoreError> {
        let before = std::mem::replace(&mut self.world.policy, rules.policy.clone());
        self.world.double_opt_in = rules.double_opt_in.clone();
        let policy = &self.world.policy;
        let moved = before.zone != policy.zone || before.calendar != policy.calendar;
        let task = Task::Reconsider(moved.then_some(before.zone));
        // What an unfinished one of before has still to do, this one does as well; but it knows another zone.
        self.end_sweeps(|old| old.task == task, now)?;
        self.put_sweep(Sweep::new(task), now)
    }

    fn begin_sweep(
        &mut self,
        journey: &JourneyId,
        what: What,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end_sweeps(|old| old.is_of(journey, |other| other == what), now)?;
        self.put_sweep(Sweep::new(Task::Journey(journey.clone(), what)), now)
    }

    pub(super) fn put_sweep(&mut self, sweep: Sweep, now: Timestamp) -> Result<(), StoreError> {
        self.store.put_asset(&sweep.asset(), now)?;
        let place = self
            .sweeps
            .partition_point(|old| old.rank() <= sweep.rank());
        self.sweeps.insert(place, sweep);
        Ok(())
    }

    pub(super) fn end_sweeps(
        &mut self,
        which: impl Fn(&Sweep) -> bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for sweep in self.sweeps.iter().filter(|sweep| which(sweep)) {
            self.store.put_asset(&sweep.end(), now)?;
        }
        self.sweeps.retain(|sweep| !which(sweep));
        Ok(())
    }

    /// Takes one page of the first sweep. Returns the sweeps as they stand once this turn is committed.
    pub(super) fn sweep(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Vec<Sweep>, StoreError> {
        let mut left = self.sweeps.clone();
        let is_mine = !left.is_empty() && self.is_first() && self.all_are_configured();
        let Some(sweep) = left.first_mut().filter(|_| is_mine) else {
            return Ok(left);
        };
        // A page is read from the tables: what this turn decided must be there.
        self.write(work)?;
        let begun = sweep.asset();
        let goes_on = match &mut sweep.task {
            Task::Journey(journey, what) => {
                let (journey, what) = (journey.clone(), *what);
                sweep.after = self.sweep_journey(&journey, what, sweep.after, work, now)?;
                sweep.after.is_some()
            }
            Task::Build(building) => match self.build_page(building, sweep.after, work, now)? {
                Page::Prepared => true,
                Page::Until(contact) => {
                    sweep.after = Some(contact);
                    true
                }
                Page::Last => false,
            },
            Task::Forget(segment) => {
                let segment = segment.clone();
                self.forget_page(&segment)?
            }
            Task::Reconsider(left) => {
                let left = left.clone();
                sweep.after = self.sweep_waiting(left, sweep.after, work, now)?;
                sweep.after.is_some()
            }
        };
        if goes_on {
            // Preparing a page does not move it.
            let asset = sweep.asset();
            if asset != begun {
                self.store.put_asset(&asset, now)?;
            }
        } else {
            self.store.put_asset(&sweep.end(), now)?;
            left.remove(0);
        }
        work.summary.more |= !left.is_empty();
        Ok(left)
    }

    /// Takes one page of a journey's contacts. Returns the last; `None` at the end.
    fn sweep_journey(
        &mut self,
        journey: &JourneyId,
        what: What,
        after: Option<ContactId>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Option<ContactId>, StoreError> {
        let limit = self.sweep_page;
        let page = match what {
            What::Arm => self.store.contacts_after(after, limit)?,
            What::Resume(_) | What::End => self.store.contacts_running(journey, after, limit)?,
        };
        self.tell_page(&page, &what.input(journey.clone()), work, now)?;
        Ok(page.last().copied().filter(|_| page.len() == limit))
    }

    /// The same for what waits by rules that are no longer the workspace's.
    fn sweep_waiting(
        &mut self,
        left: Option<Zone>,
        after: Option<ContactId>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Option<ContactId>, StoreError> {
        let limit = self.sweep_page;
        let page = match left {
            Some(_) => self.store.contacts_after(after, limit)?,
            None => self.store.contacts_awaiting(after, limit)?,
        };
        self.tell_page(&page, &Input::Reconsider(left), work, now)?;
        Ok(page.last().copied().filter(|_| page.len() == limit))
    }

    fn tell_page(
        &mut self,
        page: &[ContactId],
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.set_aside(page.iter().copied(), work)?;
        let whole: BTreeSet<ContactId> = page.iter().copied().collect();
        for contact in whole {
            if !self.unreadable.contains(&contact) {
                self.decide_or_leave(contact, input, work, now)?;
            }
        }
        Ok(())
    }
}
