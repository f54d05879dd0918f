//! What becomes of people in flight when another version is published (R8).
//!
//! Nobody is moved when a version is published: each version says how runs on older ones come to it, and a
//! run goes over when it is next looked at. So publishing costs the same for ten runs and ten million, and
//! a run never stands between two versions. **Invariant:** a run that has nowhere to go stays on its
//! version and is finished by it; only a map that says so ends a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::StepKey;

use super::{Journey, Next, StepIx, StepKind};

/// How runs on older versions come to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Moves {
    /// They do not: each finishes on its own.
    #[default]
    Pin,
    /// Those whose step still exists do; the others finish on their own.
    Follow,
    /// By a table of steps, old to new; `None` ends the run. Steps that it does not name follow.
    Map(BTreeMap<StepKey, Option<StepKey>>),
}

impl Moves {
    /// The word in the command line and the API.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Follow => "follow",
            Self::Map(_) => "map",
        }
    }
}

/// Where a run comes to in a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// It stays on its version.
    Stay,
    /// At this step, as it stood at the old one.
    Same(StepKey),
    /// Before this step, which is another than the old one.
    Before(StepKey),
    /// It ends.
    End,
}

/// Where a run that stands at `step` of `from` comes to in `to`.
pub fn land(moves: &Moves, from: &Journey, to: &Journey, step: &StepKey) -> Landing {
    let follow = || match still_exists(from, to, step) {
        true => Landing::Same(step.clone()),
        false => Landing::Stay,
    };
    let landing = match moves {
        Moves::Pin => Landing::Stay,
        Moves::Follow => follow(),
        Moves::Map(table) => match table.get(step) {
            None => follow(),
            Some(None) => Landing::End,
            Some(Some(target)) => match to.find(target) {
                None => Landing::Stay,
                Some(_) if alike(from, to, step, target) => Landing::Same(target.clone()),
                Some(_) => Landing::Before(target.clone()),
            },
        },
    };
    unless_told_twice(landing, to, step, &told_by(from, step))
}

/// Where a run that stands at `step` of `from` goes over to, through versions above it: oldest first, each
/// with how runs come to it. `older` are the versions below one.
pub fn route<'a>(
    from: &'a Arc<Journey>,
    step: &StepKey,
    above: impl Iterator<Item = (&'a Arc<Journey>, &'a Moves)>,
    older: impl Fn(u32) -> Vec<&'a Arc<Journey>>,
) -> Option<(&'a Arc<Journey>, Landing)> {
    let (mut from, mut step) = (from, step.clone());
    let mut found: Option<(&Arc<Journey>, Landing)> = None;
    for (to, moves) in above {
        let mut landing = land(moves, from, to, &step);
        if landing == Landing::Stay {
            continue;
        }
        // The run may have come from a version in which more lay behind it.
        let ahead = ahead_of(from, &step);
        for journey in older(from.version) {
            let told = journey.steps.iter().filter(|one| tells(&one.kind));
            let told = told.map(|one| &one.key).filter(|key| !ahead.contains(key));
            landing = unless_told_twice(landing, to, &step, &told.collect());
        }
        match landing {
            Landing::Stay => continue,
            Landing::End => return Some((to, Landing::End)),
            Landing::Same(key) => {
                let was_moved = matches!(found, Some((_, Landing::Before(_))));
                step = key.clone();
                found = Some(match was_moved {
                    true => (to, Landing::Before(key)),
                    false => (to, Landing::Same(key)),
                });
            }
            Landing::Before(key) => {
                step = key.clone();
                found = Some((to, Landing::Before(key)));
            }
        }
        from = to;
    }
    found
}

/// A landing from which the run would come to what it has told already is none: a second message with the
/// id of the first cannot exist (R6).
fn unless_told_twice(
    landing: Landing,
    to: &Journey,
    step: &StepKey,
    told: &BTreeSet<&StepKey>,
) -> Landing {
    let again = match &landing {
        Landing::Stay | Landing::End => false,
        Landing::Same(target) => {
            // A step that takes the name of one that told already would be taken for it.
            let is_taken = target != step && told.contains(target);
            is_taken || !ahead_of(to, target).is_disjoint(told)
        }
        Landing::Before(target) => told.contains(target) || !ahead_of(to, target).is_disjoint(told),
    };
    if again { Landing::Stay } else { landing }
}

/// Steps that may have told somebody something before a run comes past `step`.
fn told_by<'a>(journey: &'a Journey, step: &StepKey) -> BTreeSet<&'a StepKey> {
    let Some(at) = journey.find(step) else {
        return BTreeSet::new();
    };
    let before = before(journey, at);
    let steps = journey.steps.iter().zip(before);
    let told = steps.filter(|(one, before)| *before && tells(&one.kind));
    let told = told.map(|(one, _)| &one.key);
    let own = Some(journey.step(at)).filter(|own| tells(&own.kind));
    told.chain(own.map(|own| &own.key)).collect()
}

/// Whether a step leaves something in the world whose id derives from the step.
fn tells(kind: &StepKind) -> bool {
    match kind {
        StepKind::Send { .. } | StepKind::Task(_) | StepKind::Notify(_) | StepKind::Promo(_) => {
            true
        }
        StepKind::Wait(_)
        | StepKind::WaitFor { .. }
        | StepKind::Branch { .. }
        | StepKind::Split { .. }
        | StepKind::Set(_)
        | StepKind::Move { .. }
        | StepKind::Enroll(_)
        | StepKind::Stop => false,
    }
}

/// Which steps may lie behind a run that stands at a step. What follows a step has its place before it in
/// the list (see `publish`), so one pass finds all.
fn before(journey: &Journey, at: StepIx) -> Vec<bool> {
    let mut found = vec![false; journey.steps.len()];
    for ix in usize::from(at.0) + 1..journey.steps.len() {
        let comes_to =
            |next: Next| next.is_some_and(|next| next == at || found[usize::from(next.0)]);
        let step = &journey.steps[ix];
        let mut is_before = comes_to(step.next);
        step.kind.map_ways(|_, way| is_before |= comes_to(*way));
        found[ix] = is_before;
    }
    found
}

/// Which steps a run that stands at a step may still come to.
fn ahead_of<'a>(journey: &'a Journey, step: &StepKey) -> BTreeSet<&'a StepKey> {
    let Some(at) = journey.find(step) else {
        return BTreeSet::new();
    };
    let mut found = vec![false; journey.steps.len()];
    let mut keys = BTreeSet::new();
    for ix in (0..=usize::from(at.0)).rev() {
        if ix != usize::from(at.0) {
            if !found[ix] {
                continue;
            }
            keys.insert(&journey.steps[ix].key);
        }
        let mut mark = |next: Next| {
            if let Some(next) = next {
                found[usize::from(next.0)] = true;
            }
        };
        mark(journey.steps[ix].next);
        journey.steps[ix].kind.map_ways(|_, way| mark(*way));
    }
    keys
}

/// Whether a step is still there: by the name its author gave, or at its place when it does the same.
fn still_exists(from: &Journey, to: &Journey, step: &StepKey) -> bool {
    let (Some(old_ix), Some(new_ix)) = (from.find(step), to.find(step)) else {
        return false;
    };
    let (old, new) = (from.step(old_ix), to.step(new_ix));
    if old.named && new.named {
        return alike(from, to, step, step);
    }
    // A step without a name is known by its place. After an insertion another one stands there, which may
    // do the same: so all that lies before it must be the same too.
    old.named == new.named
        && essence(&old.kind) == essence(&new.kind)
        && path_to(from, old_ix) == path_to(to, new_ix)
}

/// All that lies before a step.
fn path_to(journey: &Journey, at: StepIx) -> BTreeMap<&StepKey, StepKind<()>> {
    let steps = journey.steps.iter().zip(before(journey, at));
    let before = steps.filter(|(_, before)| *before);
    before
        .map(|(step, _)| (&step.key, essence(&step.kind)))
        .collect()
}

/// Whether a run can stand at `target` as it stood at `step`.
fn alike(from: &Journey, to: &Journey, step: &StepKey, target: &StepKey) -> bool {
    let kind = |journey: &Journey, key| journey.find(key).map(|ix| journey.step(ix).kind.word());
    kind(from, step) == kind(to, target)
}

/// A step without the places of its ways.
fn essence(kind: &StepKind) -> StepKind<()> {
    kind.map_ways(|_, _| ())
}

/// What publishing would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// By version and step of the runs in flight.
    pub lines: Vec<PlanLine>,
}

/// Runs at one step of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLine {
    /// The version they are on.
    pub version: u32,
    /// The step they stand at.
    pub step: StepKey,
    /// How many.
    pub runs: u64,
    /// Where they come to.
    pub landing: Landing,
}

impl Plan {
    /// Runs for which `which` holds.
    pub fn count(&self, which: impl Fn(&Landing) -> bool) -> u64 {
        let lines = self.lines.iter().filter(|line| which(&line.landing));
        lines.map(|line| line.runs).sum()
    }
}

/// Counts where the runs in flight would come to, with all published versions at hand: runs go over when
/// they are next looked at, so some have still to pass through a version between. `standing` are the runs
/// by version and step.
pub fn plan(
    versions: &BTreeMap<u32, (Arc<Journey>, Moves)>,
    to: &Arc<Journey>,
    moves: &Moves,
    standing: &[(u32, StepKey, u64)],
) -> Plan {
    let older = |version| {
        let below = versions.range(..version);
        below.map(|(_, (journey, _))| journey).collect()
    };
    let landing = |version: u32, step: &StepKey| {
        let (from, _) = versions.get(&version)?;
        let above = versions.range(version.saturating_add(1)..);
        let above = above.map(|(_, (journey, moves))| (journey, moves));
        let above = above.filter(|(journey, _)| journey.version < to.version);
        let (_, landing) = route(from, step, above.chain([(to, moves)]), older)?;
        Some(landing)
    };
    let lines = standing
        .iter()
        .map(|(version, step, runs)| PlanLine {
            version: *version,
            step: step.clone(),
            runs: *runs,
            landing: landing(*version, step).unwrap_or(Landing::Stay),
        })
        .collect();
    Plan { lines }
}
