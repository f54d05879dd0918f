//! What applying changes of segments: which, for how many contacts, and which journeys would begin at once.
//!
//! Who comes into a segment or leaves it because its definition changed is silent for journeys, unless the
//! segment says `announce: true`. Then, and where a broadcast goes to a segment, many runs may begin together: a
//! storm. One larger than [`STORM_CONTACTS_MAX`] is applied only with its number confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::World;
use relance_core::ids::SegmentId;
use relance_core::journey::{Journey, On};
use relance_core::segment::Segment;
use relance_engine::arrival::{DefinedSegments, SegmentChanges};
use relance_engine::turn::BUILD_CONSEQUENCES_PER_TURN_MAX;
use relance_store::read::{Reader, SegmentRow};
use serde::{Deserialize, Serialize};

use super::count::{Estimate, count};
use super::names::{in_order, named, nearest};
use crate::backtest::{BacktestProblem, world_of};
use crate::config::Config;
use crate::scenario::{FileProblem, SegmentFile};

/// Contacts that may enter journeys at once without a person having confirmed the number.
pub const STORM_CONTACTS_MAX: u64 = 10_000;

/// What becomes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SegmentChange)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was not there.
    New,
    /// Its text is another.
    Changed,
    /// Nothing.
    Unchanged,
    /// It goes.
    Removed,
}

/// What becomes of a segment, and for how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SegmentApplied {
    /// What.
    pub what: What,
    /// Members now.
    pub members: u64,
    /// Members afterwards; left out where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Estimate>,
    /// Of these, contacts that are none now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entering: Option<Estimate>,
    /// Members now that are none afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Estimate>,
}

/// Contacts that would enter a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stirred {
    /// Which journey.
    pub journey: String,
    /// By which segment.
    pub segment: String,
    /// `entered` or `left`: as soon as the segment is built; `schedule`: at its next moment.
    pub by: String,
    /// How many, before the journey's own conditions.
    pub contacts: Estimate,
}

/// Contacts that would enter journeys at once because of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Storm {
    /// How many at most.
    pub contacts: u64,
    /// More than this needs a person's word.
    pub limit: u64,
    /// At what pace they enter.
    pub pace: String,
    /// By journey.
    pub journeys: Vec<Stirred>,
}

impl Storm {
    /// Whether it needs a person's word, and the number given is none.
    pub fn needs_more_than(&self, confirmed: Option<u64>) -> bool {
        self.contacts > self.limit.max(confirmed.unwrap_or(0))
    }
}

/// Segments compared with what is in force.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// What brings the change about.
    pub changes: SegmentChanges,
    /// What becomes of each segment.
    pub told: BTreeMap<String, SegmentApplied>,
}

/// Compares segments of files with those in force. `prune`: what is in no file goes.
pub fn compare(
    files: &[SegmentFile],
    in_force: &BTreeMap<SegmentId, SegmentRow>,
    prune: bool,
) -> Compared {
    let mut compared = Compared::default();
    let mut kept: BTreeSet<&SegmentId> = BTreeSet::new();
    for file in files {
        let is_new = |id: &SegmentId| {
            let row = in_force.get(id);
            row.and_then(|row| row.text.as_ref()) != Some(&file.text)
        };
        let is_changed = file.segments.iter().any(|one| is_new(&one.id));
        for segment in &file.segments {
            kept.insert(&segment.id);
            let row = in_force.get(&segment.id);
            let what = match row.and_then(|row| row.text.as_ref()) {
                Some(text) if *text == file.text => What::Unchanged,
                Some(_) => What::Changed,
                None => What::New,
            };
            let told = SegmentApplied::new(what, row);
            compared.told.insert(segment.id.to_string(), told);
        }
        if is_changed {
            compared.changes.defined.push(DefinedSegments {
                text: file.text.clone(),
                segments: file.segments.clone(),
            });
        }
    }
    // A text that defines fewer segments than before leaves the others behind without one.
    let replaced: BTreeSet<&String> = compared
        .changes
        .defined
        .iter()
        .flat_map(|file| &file.segments)
        .filter_map(|one| in_force.get(&one.id)?.text.as_ref())
        .collect();
    for (id, row) in in_force {
        let Some(text) = &row.text else { continue };
        if kept.contains(id) || !(prune || replaced.contains(text)) {
            continue;
        }
        let told = SegmentApplied::new(What::Removed, Some(row));
        compared.told.insert(id.to_string(), told);
        compared.changes.removed.push(id.clone());
    }
    compared
}

impl SegmentApplied {
    fn new(what: What, row: Option<&SegmentRow>) -> Self {
        Self {
            what,
            members: row.map_or(0, |row| row.members),
            after: None,
            entering: None,
            leaving: None,
        }
    }
}

impl Compared {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.changes == SegmentChanges::default()
    }

    /// Whether journeys, or segments that stay, ask about segments that go. `texts`: what is in force
    /// afterwards, by what it is.
    pub fn still_named<'a>(
        &self,
        texts: impl Iterator<Item = (String, &'a str)>,
    ) -> Vec<FileProblem> {
        if self.changes.removed.is_empty() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (who, text) in texts {
            for one in named(text) {
                if self.changes.removed.contains(&one.id) {
                    let id = &one.id;
                    let text =
                        format!("{who} names it; change or archive that first, or keep {id}");
                    problems.push(FileProblem::whole(id.as_str(), text));
                }
            }
        }
        problems
    }

    /// Segments whose members must be told anew, each after those that it asks about; with those that ask
    /// about changed ones.
    fn changed(&self, world: &World, texts: &BTreeMap<SegmentId, String>) -> Vec<SegmentId> {
        let asks: BTreeMap<SegmentId, BTreeSet<SegmentId>> = texts
            .iter()
            .map(|(id, text)| {
                let names = named(text).into_iter().map(|one| one.id);
                (id.clone(), names.collect())
            })
            .collect();
        let defined = self.changes.defined.iter().flat_map(|one| &one.segments);
        let mut wanted: BTreeSet<SegmentId> = defined
            .filter(|segment| segment.condition().is_some())
            .map(|segment| segment.id.clone())
            .collect();
        loop {
            let more: Vec<SegmentId> = asks
                .iter()
                .filter(|(id, asked)| !wanted.contains(*id) && !asked.is_disjoint(&wanted))
                .map(|(id, _)| id.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            wanted.extend(more);
        }
        wanted.retain(|id| world.segment(id).is_some());
        in_order(&wanted, &asks)
    }

    /// Counts members before and after, and what journeys would hear of it. `published`: journeys that come into
    /// force with the change. A plan counts everything; applying, only what journeys may hear of.
    pub fn count(
        &mut self,
        reader: &Reader,
        config: &Config,
        published: &[Arc<Journey>],
        whole: bool,
        now: Timestamp,
    ) -> Result<Option<Storm>, BacktestProblem> {
        let broadcasts = published.iter().any(|one| broadcast_to(one).is_some());
        if self.is_nothing() && !broadcasts {
            return Ok(None);
        }
        let mut world = world_of(reader, config)?;
        let mut texts = BTreeMap::new();
        let mut members = BTreeMap::new();
        for row in reader.segments()? {
            members.insert(row.id.clone(), row.members);
            if let Some(text) = row.text {
                texts.insert(row.id, text);
            }
        }
        for id in &self.changes.removed {
            world.remove_segment(id);
            texts.remove(id);
        }
        for one in &self.changes.defined {
            for segment in &one.segments {
                world.add_segment(segment.clone());
                texts.insert(segment.id.clone(), one.text.clone());
            }
        }
        for journey in published {
            world.add_journey(journey.clone(), relance_core::journey::Moves::Pin, true);
        }
        let changed = self.changed(&world, &texts);
        let announced = |id: &SegmentId| world.segment(id).is_some_and(|one| one.announce);
        let heard = |id: &SegmentId| {
            listeners(&world, id).any(|(_, by)| by == By::Schedule || announced(id))
        };
        let shares = if changed.is_empty() || !(whole || changed.iter().any(heard)) {
            BTreeMap::new()
        } else {
            count(reader, &world, &changed, 0, now)?.shares
        };
        for (id, share) in &shares {
            let told = self.told.entry(id.to_string()).or_insert(SegmentApplied {
                what: What::Unchanged,
                members: members.get(id).copied().unwrap_or(0),
                after: None,
                entering: None,
                leaving: None,
            });
            told.after = Some(share.after);
            told.entering = Some(share.entering);
            told.leaving = Some(share.leaving);
        }
        let mut journeys = Vec::new();
        for id in &changed {
            let Some(share) = shares.get(id) else {
                continue;
            };
            for (journey, by) in listeners(&world, id) {
                let contacts = match by {
                    By::Entered if announced(id) => share.entering,
                    By::Left if announced(id) => share.leaving,
                    By::Schedule => share.after,
                    By::Entered | By::Left => continue,
                };
                journeys.push(Stirred::new(journey, id, by, contacts));
            }
        }
        // A broadcast that is new reaches whoever is a member already.
        for journey in published {
            if let Some(id) = broadcast_to(journey)
                && !changed.contains(id)
            {
                let known = members.get(id).copied().unwrap_or(0);
                let contacts = Estimate::exactly(known);
                journeys.push(Stirred::new(journey, id, By::Schedule, contacts));
            }
        }
        journeys.retain(|one| one.contacts.high > 0);
        let contacts = journeys.iter().map(|one| one.contacts.high).sum();
        Ok((contacts > 0).then(|| Storm {
            contacts,
            limit: STORM_CONTACTS_MAX,
            pace: pace(config),
            journeys,
        }))
    }
}

/// How fast many contacts enter journeys, and how fast their messages go.
fn pace(config: &Config) -> String {
    let runs = BUILD_CONSEQUENCES_PER_TURN_MAX;
    let routes = config.smtp.iter();
    let limit = routes.filter_map(|smtp| smtp.per_hour_max).max();
    let messages = match limit {
        Some(most) => format!("e-mail leaves at {most} an hour at most"),
        None => "e-mail leaves as fast as the mail server takes it (smtp.per_hour_max limits it)"
            .to_owned(),
    };
    format!(
        "at most {runs} runs begin in one turn of the engine, beside what else happens; {messages}"
    )
}

/// The segment that a journey goes to as a broadcast.
fn broadcast_to(journey: &Journey) -> Option<&SegmentId> {
    match &journey.trigger.on {
        On::Schedule { segment, .. } => segment.as_ref(),
        On::Event(_)
        | On::SegmentEntered(_)
        | On::SegmentLeft(_)
        | On::Changed { .. }
        | On::Inactive { .. }
        | On::Date { .. }
        | On::Manual
        | On::Api => None,
    }
}

/// How a journey hears of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Entered,
    Left,
    Schedule,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
            Self::Schedule => "schedule",
        }
    }
}

impl Stirred {
    fn new(journey: &Journey, segment: &SegmentId, by: By, contacts: Estimate) -> Self {
        Self {
            journey: journey.id.to_string(),
            segment: segment.to_string(),
            by: by.word().to_owned(),
            contacts,
        }
    }
}

/// Journeys in force that begin by a segment.
fn listeners<'a>(
    world: &'a World,
    segment: &'a SegmentId,
) -> impl Iterator<Item = (&'a Arc<Journey>, By)> {
    world.all_current().filter_map(move |journey| {
        let (id, by) = match &journey.trigger.on {
            On::SegmentEntered(id) => (id, By::Entered),
            On::SegmentLeft(id) => (id, By::Left),
            On::Schedule {
                segment: Some(id), ..
            } => (id, By::Schedule),
            On::Event(_)
            | On::Changed { .. }
            | On::Inactive { .. }
            | On::Date { .. }
            | On::Schedule { segment: None, .. }
            | On::Manual
            | On::Api => return None,
        };
        (id == segment).then_some((journey, by))
    })
}

/// The world in which a definition is tried: what is in force, and the definition.
pub fn tried(
    reader: &Reader,
    config: &Config,
    segments: &[Arc<Segment>],
) -> Result<World, BacktestProblem> {
    let mut world = world_of(reader, config)?;
    for segment in segments {
        world.add_segment(segment.clone());
    }
    Ok(world)
}

/// A name that is not known, with the one that it is most like.
pub fn unknown(id: &str, known: &[SegmentRow]) -> String {
    match nearest(id, known.iter().map(|row| &row.id)) {
        Some(near) => format!("there is no segment {id}; did you mean {near}?"),
        None => format!("there is no segment {id}; relance segment list tells which there are"),
    }
}
