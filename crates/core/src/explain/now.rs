//! What would speak against a run or a message now.

use jiff::Timestamp;

use crate::decide::probe;
use crate::ids::{JourneyId, SubjectRef};
use crate::journey::{Step, StepKind};
use crate::ledger::What;
use crate::snapshot::Snapshot;
use crate::world::World;

use super::{EntryNow, Obstacle, PROBES_MAX, Standing};

pub(super) fn entry_now(
    world: &World,
    snapshot: &Snapshot,
    id: &JourneyId,
    now: Timestamp,
) -> Option<EntryNow> {
    let journey = world.current(id)?;
    // A run about something new: what an earlier run was about does not stand in its way.
    let another = journey.subject.clone().map(|kind| SubjectRef {
        kind,
        id: "".into(),
    });
    let line = probe::entry(world, snapshot, journey, another.as_ref(), now);
    let watches = snapshot.watches.iter();
    Some(EntryNow {
        trigger: journey.trigger.on.clone(),
        next: watches
            .filter(|watch| watch.journey == *id)
            .map(|watch| watch.due_at)
            .min(),
        against: line.as_ref().and_then(Obstacle::of),
    })
}

/// Why messages of a journey would not go, for the newest run under way or else for one that began now.
pub(super) fn obstacles(
    world: &World,
    snapshot: &Snapshot,
    id: &JourneyId,
    standing: &Standing,
    now: Timestamp,
) -> Vec<Obstacle> {
    let runs = match standing {
        Standing::Began { runs, .. } => runs.as_slice(),
        Standing::NeverCame | Standing::Refused { .. } => &[],
    };
    let live = runs
        .iter()
        .filter_map(|run| snapshot.enrollment(run.id))
        .find(|run| run.is_running());
    let journey = match live {
        Some(run) => world.journey(id, run.version),
        None => world.current(id),
    };
    let Some(journey) = journey else {
        return Vec::new();
    };
    let here = live.and_then(|run| journey.find(run.step()?));
    let ahead = |step: &&Step| match (here, journey.find(&step.key)) {
        (Some(here), Some(there)) => here != there && journey.reaches(Some(here), there, None),
        (None, _) | (_, None) => true,
    };
    let mut found: Vec<Obstacle> = Vec::new();
    // Steps lie last to first.
    let sends = journey
        .steps
        .iter()
        .rev()
        .filter(|step| matches!(step.kind, StepKind::Send { .. }))
        .filter(ahead)
        .take(PROBES_MAX);
    for step in sends {
        let line = probe::message(world, snapshot, journey, live, step, now);
        let Some(line) = line.filter(|line| line.what == What::Dropped) else {
            continue;
        };
        if let Some(obstacle) = Obstacle::of(&line)
            && !found.contains(&obstacle)
        {
            found.push(obstacle);
        }
    }
    found
}
