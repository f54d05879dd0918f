//! Which runs what happens may concern, told by their journey.
//!
//! A contact may have many runs, and most of what happens says nothing to most of them. One entry for each
//! name that may end or turn a run, all versions together, lets a decision pass over the others by a look at
//! their journey's id. **Invariant:** an entry too many costs time; one too few would lose an answer.
//! **Absent:** whether a run is then ended or turned.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{EventName, JourneyId};
use crate::journey::{AwaitedThing, Changes, Journey, SIGNS_OF_RECEIPT, StepKind, Until, Wait};
use crate::value::Root;

use super::PLACE_TRAITS;

static NONE: BTreeSet<JourneyId> = BTreeSet::new();

/// Journeys by what may happen to their runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Concerns {
    event: BTreeMap<EventName, BTreeSet<JourneyId>>,
    conditions: BTreeSet<JourneyId>,
    recounted: BTreeSet<JourneyId>,
    /// Whether steps set where a contact is.
    relocates: bool,
    /// With the newest version that runs may come to.
    moving: BTreeMap<JourneyId, u32>,
}

impl Concerns {
    /// Adds a version; nothing is ever taken away, as runs may stand on it for years.
    pub(super) fn add(&mut self, journey: &Journey) {
        let id = &journey.id;
        let mut concerns = |name: EventName| {
            self.event.entry(name).or_default().insert(id.clone());
        };
        journey.turning_names().cloned().for_each(&mut concerns);
        for step in &journey.steps {
            let changes = step.kind.changes();
            self.relocates |= changes.iter().any(|change| match change {
                Changes::Contact(name) => PLACE_TRAITS.contains(name),
                Changes::Subject(_) => false,
            });
            match &step.kind {
                StepKind::Send { send, .. } if send.opened_within.is_some() => {
                    let signs = SIGNS_OF_RECEIPT.map(EventName::from);
                    signs.into_iter().for_each(&mut concerns);
                }
                StepKind::WaitFor { awaited, .. } => {
                    let is_condition = |what: &AwaitedThing| match what {
                        AwaitedThing::Condition(_) => true,
                        AwaitedThing::Event { .. } => false,
                    };
                    if awaited.iter().any(|one| is_condition(&one.what)) {
                        self.conditions.insert(id.clone());
                    }
                }
                StepKind::Wait(wait) if counts_from_elsewhere(wait) => {
                    self.recounted.insert(id.clone());
                }
                StepKind::Send { .. }
                | StepKind::Wait(_)
                | StepKind::Branch { .. }
                | StepKind::Split { .. }
                | StepKind::Task(_)
                | StepKind::Notify(_)
                | StepKind::Set(_)
                | StepKind::Move { .. }
                | StepKind::Promo(_)
                | StepKind::Enroll(_)
                | StepKind::Stop => {}
            }
        }
    }

    /// Runs of a journey may come to this version from older ones.
    pub(super) fn moves_to(&mut self, id: &JourneyId, version: u32) {
        let newest = self.moving.entry(id.clone()).or_default();
        *newest = version.max(*newest);
    }

    pub(super) fn by_event(&self, event: &EventName) -> &BTreeSet<JourneyId> {
        self.event.get(event).unwrap_or(&NONE)
    }

    pub(super) fn awaits_condition(&self, id: &JourneyId) -> bool {
        self.conditions.contains(id)
    }

    pub(super) fn recounts(&self, id: &JourneyId) -> bool {
        self.recounted.contains(id)
    }

    pub(super) fn relocates(&self) -> bool {
        self.relocates
    }

    /// Whether a run on a version may come to a newer one.
    pub(super) fn may_move(&self, id: &JourneyId, version: u32) -> bool {
        self.moving.get(id).is_some_and(|newest| version < *newest)
    }
}

/// Whether a wait that is counted anew asks for more than the contact.
fn counts_from_elsewhere(wait: &Wait) -> bool {
    match &wait.until {
        Until::BestHour { .. } => true,
        Until::Date { path, .. } => path.root == Root::Subject,
        Until::Passed(_) | Until::TimeOfDay(_) => false,
    }
}
