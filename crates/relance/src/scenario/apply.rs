//! A scenario is compared with what is in force, and what differs is applied: all of it, or nothing.
//!
//! The comparison is the plan that `journey plan` shows; applying the same scenario twice changes nothing
//! the second time. The same code serves a running server and a data folder without one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::ids::{ItemId, JourneyId, ListId, SegmentId, StepKey};
use relance_core::journey::{self, Journey, Landing, Moves};
use relance_engine::arrival::{Arrival, Refusal};
use relance_engine::ports::{Asset, DRAFT, StoreError, StoredJourney};
use relance_engine::turn::{SWEEP, ended_by};
use relance_store::read::{ReadError, Reader, SegmentRow};
use relance_wire::segments::Settings;
use serde::{Deserialize, Serialize};

use super::{Checked, FileProblem, Files, Known, check, compile};
use crate::access::Caller;
use crate::backtest::BacktestProblem;
use crate::config::Config;
use crate::segments::plan::{self as segments, SegmentApplied, Storm, What};
use crate::workspace::Workspace;

/// What applying a scenario weighs in the engine's queue.
const APPLY_WEIGHT: usize = 64 * 1024;
/// The sort of assets that template files are.
pub const TEMPLATE: &str = "template";
/// Words that stand where a journey's id does in the API; no new journey may be called so.
pub const RESERVED: [&str; 3] = ["check", "preview", "backtest"];
/// The sort of assets that content lists are.
pub const LIST: &str = "list";

/// What is in force before a scenario is applied.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    /// Template files, by name.
    pub templates: BTreeMap<String, String>,
    /// Content list files, by name.
    pub lists: BTreeMap<String, String>,
    /// Versions of journeys, oldest first.
    pub journeys: BTreeMap<JourneyId, Vec<StoredJourney>>,
    /// Segments, and lists that nobody defined, with their members.
    pub segments: BTreeMap<SegmentId, SegmentRow>,
    /// Where live runs stand: version, step, how many.
    pub standing: BTreeMap<JourneyId, Vec<(u32, StepKey, u64)>>,
    /// Journeys that stand still.
    pub paused: BTreeSet<JourneyId>,
    /// Journeys that were archived, and whose runs are still being ended.
    pub ending: BTreeSet<JourneyId>,
}

/// What applying changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Applied {
    /// Journeys published, with their new versions.
    pub published: BTreeMap<String, u32>,
    /// Journeys that are in force already.
    pub unchanged: Vec<String>,
    /// Template files that are new or changed.
    pub templates: Vec<String>,
    /// Content lists that are new or changed.
    #[serde(default)]
    pub lists: Vec<String>,
    /// What becomes of segments, by id: those of the scenario, and those that ask about them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, SegmentApplied>,
    /// Contacts that would enter journeys at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    /// What becomes of runs in flight, by published journey.
    #[serde(default)]
    pub runs: BTreeMap<String, Vec<RunsMoved>>,
    /// What does not stop it, but should be looked at.
    #[serde(default)]
    pub warnings: Vec<FileProblem>,
}

impl Applied {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.published.is_empty()
            && self.templates.is_empty()
            && self.lists.is_empty()
            && self
                .segments
                .values()
                .all(|one| one.what == What::Unchanged)
    }
}

/// What is asked beside the files.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// How runs in flight come to newly published versions.
    pub moves: Moves,
    /// Segments in force that are in no file go.
    pub prune: bool,
    /// Contacts that may enter journeys at once: the number that the plan told, or more.
    pub confirm: Option<u64>,
}

/// Runs at one step of one version, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunsMoved {
    /// The version they are on.
    pub version: u32,
    /// The step they stand at.
    pub step: String,
    /// How many.
    pub runs: u64,
    /// `stay`, `move` or `end`.
    pub what: String,
    /// The step of the new version that they come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// How runs in flight come to newly published versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovesAsked {
    /// Each finishes on its own version.
    #[default]
    Pin,
    /// Those whose step still exists go over.
    Follow,
    /// By a table of steps; null ends the run.
    Map(BTreeMap<String, Option<String>>),
}

impl From<&MovesAsked> for Moves {
    fn from(asked: &MovesAsked) -> Self {
        match asked {
            MovesAsked::Pin => Self::Pin,
            MovesAsked::Follow => Self::Follow,
            MovesAsked::Map(steps) => Self::Map(
                steps
                    .iter()
                    .map(|(old, new)| {
                        let key = |text: &String| StepKey::from(text.as_str());
                        (key(old), new.as_ref().map(key))
                    })
                    .collect(),
            ),
        }
    }
}

/// A scenario compared with what is in force.
pub struct Planned {
    /// What would change.
    pub applied: Applied,
    /// What brings it about, in one commit.
    pub arrivals: Vec<Arrival>,
    /// Segments, not yet counted.
    segments: segments::Compared,
    /// Journeys that come into force.
    published: Vec<Arc<Journey>>,
}

impl Planned {
    /// Counts who comes into segments and leaves them. A plan counts everything (`whole`); applying, only what
    /// journeys may hear of.
    pub fn count(
        &mut self,
        reader: &Reader,
        config: &Config,
        whole: bool,
        now: Timestamp,
    ) -> Result<(), ApplyProblem> {
        let storm = self
            .segments
            .count(reader, config, &self.published, whole, now)?;
        self.applied.segments = self.segments.told.clone();
        self.applied.storm = storm;
        Ok(())
    }

    /// Refuses a storm that nobody confirmed.
    pub fn confirmed(&self, confirm: Option<u64>) -> Result<(), ApplyProblem> {
        match &self.applied.storm {
            Some(storm) if storm.needs_more_than(confirm) => {
                Err(ApplyProblem::Storm(Box::new(storm.clone())))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Why a scenario was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyProblem {
    /// The engine did not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is in force cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Files are wrong.
    #[error("{} problems in the scenario", .0.len())]
    Files(Vec<FileProblem>),
    /// So many contacts would enter journeys at once that a person must say so.
    #[error(
        "up to {} contacts would enter journeys at once, more than {}: {}; if that is meant, confirm the number \
         (--yes-storm {}, or the field confirm)",
        .0.contacts, .0.limit, .0.pace, .0.contacts
    )]
    Storm(Box<Storm>),
    /// Members cannot be counted.
    #[error(transparent)]
    Count(#[from] BacktestProblem),
}

impl InForce {
    /// What a database holds.
    pub fn read(reader: &Reader) -> Result<Self, ReadError> {
        let texts = |kind| -> Result<BTreeMap<String, String>, ReadError> {
            let texts = reader.texts(kind)?;
            Ok(texts.into_iter().map(|one| (one.name, one.body)).collect())
        };
        let mut in_force = Self {
            templates: texts(TEMPLATE)?,
            lists: texts(LIST)?,
            segments: reader
                .segments()?
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
            paused: reader.paused_journeys()?.into_iter().collect(),
            ending: {
                let sweeps = reader.texts(SWEEP)?;
                sweeps
                    .iter()
                    .filter_map(|one| ended_by(&one.name))
                    .collect()
            },
            ..Self::default()
        };
        for version in reader.journeys()? {
            let id = version.journey.id.clone();
            let versions = in_force.journeys.entry(id).or_default();
            versions.push(version.journey);
        }
        for id in in_force.journeys.keys() {
            let standing = reader.standing(id)?;
            in_force.standing.insert(id.clone(), standing);
        }
        Ok(in_force)
    }

    /// The files that give it back: what is current, with its text as it was published.
    pub fn files(&self) -> Files {
        let current = self.journeys.values().flatten().filter(|one| one.current);
        Files {
            journeys: current
                .map(|one| (format!("{}.yaml", one.id), one.text.clone()))
                .collect(),
            templates: self.templates.clone(),
            lists: self.lists.clone(),
            segments: self.segment_files(),
        }
    }

    /// Texts of segments, each once: grades have one text between them.
    fn segment_files(&self) -> BTreeMap<String, String> {
        let mut told: BTreeSet<&String> = BTreeSet::new();
        let rows = self.segments.values();
        rows.filter_map(|row| {
            let text = row.text.as_ref()?;
            told.insert(text)
                .then(|| (format!("{}.yaml", row.id), text.clone()))
        })
        .collect()
    }

    /// Compares a scenario with it.
    pub fn plan(
        &self,
        files: &Files,
        asked: &Asked,
        settings: &Settings,
    ) -> Result<Planned, Vec<FileProblem>> {
        let moves = &asked.moves;
        let names = self.templates.keys();
        let templates: BTreeSet<&str> = names.filter_map(|name| name.split('.').next()).collect();
        let known_lists = self.list_ids(files);
        let known = Known {
            template: &|id| templates.contains(id),
            list: &|id| known_lists.contains_key(id),
            segments: self
                .segments
                .iter()
                // Of a removed one the row stays; a list that nobody defined has members.
                .filter(|(_, row)| row.text.is_some() || row.members > 0)
                .map(|(id, row)| (id.clone(), row.text.as_deref()))
                .collect(),
            settings: settings.clone(),
        };
        let Checked {
            journeys,
            lists,
            segments: segment_files,
            warnings,
        } = check(files, &known)?;
        let segments = segments::compare(&segment_files, &self.segments, asked.prune);
        let still = segments.still_named(self.staying(&journeys, &segments));
        if !still.is_empty() {
            return Err(still);
        }
        let problems: Vec<FileProblem> = lists
            .keys()
            .filter_map(|id| {
                let file = known_lists.get(id.as_str())?;
                let text = format!(
                    "the file {file} in force has the content list {id}; use its name, or another id"
                );
                Some(FileProblem::whole(&format!("{id}"), text))
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        // Templates that are not in the files stay as they are, and must still fit those that are.
        let mut templates = self.templates.clone();
        templates.extend(files.templates.clone());
        compile(&templates)?;

        let mut applied = Applied {
            warnings,
            ..Applied::default()
        };
        let mut arrivals = Vec::new();
        let mut published = Vec::new();
        applied.segments = segments.told.clone();
        if !segments.is_nothing() {
            // Before the journeys that listen to them.
            arrivals.push(Arrival::Segments(segments.changes.clone()));
        }
        for (kind, all, known, told) in [
            (
                TEMPLATE,
                &files.templates,
                &self.templates,
                &mut applied.templates,
            ),
            (LIST, &files.lists, &self.lists, &mut applied.lists),
        ] {
            for (name, text) in all {
                if known.get(name) == Some(text) {
                    continue;
                }
                told.push(name.clone());
                arrivals.push(Arrival::Asset(Asset {
                    kind: kind.to_owned(),
                    name: name.clone(),
                    body: Some(text.clone()),
                }));
            }
        }
        if !applied.lists.is_empty() {
            arrivals.push(Arrival::Lists(self.items_with(&lists)));
        }
        let mut table = match moves {
            Moves::Map(table) => table.clone(),
            Moves::Pin | Moves::Follow => BTreeMap::new(),
        };
        // The API has pages of its own under these words; what is in force already stays.
        let hidden: Vec<FileProblem> = journeys
            .iter()
            .filter(|(_, journey)| RESERVED.contains(&journey.id.as_str()))
            .filter(|(_, journey)| !self.journeys.contains_key(&journey.id))
            .map(|(_, journey)| {
                let text = format!("no journey may be called {}; choose another id", journey.id);
                FileProblem::whole(journey.id.as_str(), text)
            })
            .collect();
        if !hidden.is_empty() {
            return Err(hidden);
        }
        let ending: Vec<FileProblem> = journeys
            .iter()
            .filter(|(_, journey)| self.ending.contains(&journey.id))
            .map(|(_, journey)| {
                let text = "it is being archived, and its runs still end; start the server if none runs, \
                            and apply again in a moment";
                FileProblem::whole(journey.id.as_str(), text.to_owned())
            })
            .collect();
        if !ending.is_empty() {
            return Err(ending);
        }
        let mut targets: BTreeSet<StepKey> = table.values().flatten().cloned().collect();
        for (text, journey) in journeys {
            let versions = self
                .journeys
                .get(&journey.id)
                .map_or(&[][..], Vec::as_slice);
            let current = versions.iter().find(|one| one.current);
            if current.is_some_and(|one| one.text == text) {
                applied.unchanged.push(journey.id.to_string());
                continue;
            }
            let version = versions.last().map_or(1, |newest| newest.version + 1);
            let journey = Arc::new(Journey { version, ..journey });
            let id = journey.id.to_string();
            let parsed = parsed(versions);
            table.retain(|step, _| !parsed.values().any(|(old, _)| old.find(step).is_some()));
            targets.retain(|step| journey.find(step).is_none());
            let runs = self.runs_moved(&journey, &parsed, moves);
            if self.paused.contains(&journey.id) {
                let text = format!(
                    "{id} is paused, and so is what is published now: relance journey resume {id}"
                );
                applied.warnings.push(FileProblem::whole(&id, text));
            }
            applied.published.insert(id.clone(), version);
            if !runs.is_empty() {
                applied.runs.insert(id.clone(), runs);
            }
            // The draft that became this version is no draft any more.
            arrivals.push(Arrival::Asset(Asset {
                kind: DRAFT.to_owned(),
                name: id,
                body: None,
            }));
            published.push(journey.clone());
            arrivals.push(Arrival::Published {
                text,
                journey,
                moves: moves.clone(),
            });
        }
        if !applied.published.is_empty() {
            // A name that is mistyped would leave runs where they are, and nobody would know.
            let old = table.keys().map(|step| (step, "no older version has"));
            let new = targets.iter().map(|step| (step, "no new version has"));
            let unknown: Vec<FileProblem> = old
                .chain(new)
                .map(|(step, who)| {
                    let text = format!("{who} a step {step}; journey plan names the steps of runs");
                    FileProblem::whole("map", text)
                })
                .collect();
            if !unknown.is_empty() {
                return Err(unknown);
            }
        }
        Ok(Planned {
            applied,
            arrivals,
            segments,
            published,
        })
    }

    /// Texts in force afterwards that may name segments, by what they are.
    fn staying<'a>(
        &'a self,
        journeys: &'a [(String, Journey)],
        segments: &'a segments::Compared,
    ) -> impl Iterator<Item = (String, &'a str)> {
        let replaced: BTreeSet<&JourneyId> = journeys.iter().map(|(_, one)| &one.id).collect();
        let kept = self.journeys.values().flatten();
        let kept = kept
            .filter(move |one| one.current && !replaced.contains(&one.id))
            .map(|one| (format!("journey {}", one.id), one.text.as_str()));
        let new = journeys
            .iter()
            .map(|(text, one)| (format!("journey {}", one.id), text.as_str()));
        let defined = segments.changes.defined.iter().flat_map(|file| {
            let ids = file.segments.iter();
            ids.map(|one| (format!("segment {}", one.id), file.text.as_str()))
        });
        let own = self.segments.values().filter_map(|row| {
            let told = segments.told.get(row.id.as_str());
            let stays = told.is_none_or(|told| told.what == What::Unchanged);
            let text = row.text.as_deref().filter(|_| stays)?;
            Some((format!("segment {}", row.id), text))
        });
        kept.chain(new).chain(defined).chain(own)
    }

    /// Content lists in force that stay beside the files, by id, with their files.
    fn list_ids(&self, files: &Files) -> BTreeMap<String, &String> {
        let kept = self.lists.iter();
        kept.filter(|(name, _)| !files.lists.contains_key(*name))
            .filter_map(|(name, text)| {
                let list = relance_wire::list::parse(text).ok()?;
                Some((list.id.to_string(), name))
            })
            .collect()
    }

    /// Items of all lists once those of a scenario are in force.
    fn items_with(
        &self,
        new: &BTreeMap<ListId, relance_wire::list::ContentList>,
    ) -> BTreeMap<ListId, Arc<[ItemId]>> {
        let mut items = items_of(&self.lists);
        items.extend(new.iter().map(|(id, list)| (id.clone(), list.ids())));
        items
    }

    fn runs_moved(
        &self,
        to: &Arc<Journey>,
        versions: &BTreeMap<u32, (Arc<Journey>, Moves)>,
        moves: &Moves,
    ) -> Vec<RunsMoved> {
        let Some(standing) = self.standing.get(&to.id) else {
            return Vec::new();
        };
        let plan = journey::plan(versions, to, moves, standing);
        plan.lines
            .into_iter()
            .map(|line| {
                let (what, to) = match line.landing {
                    Landing::Stay => ("stay", None),
                    Landing::Same(step) | Landing::Before(step) => ("move", Some(step)),
                    Landing::End => ("end", None),
                };
                RunsMoved {
                    version: line.version,
                    step: line.step.to_string(),
                    runs: line.runs,
                    what: what.to_owned(),
                    to: to.map(|step| step.to_string()),
                }
            })
            .collect()
    }
}

/// Versions of a journey, with how runs come to each.
fn parsed(versions: &[StoredJourney]) -> BTreeMap<u32, (Arc<Journey>, Moves)> {
    versions
        .iter()
        .filter_map(|one| {
            let journey = relance_wire::journey::publish(&one.text, one.version).ok()?;
            Some((one.version, (Arc::new(journey), one.moves.clone())))
        })
        .collect()
}

/// The items of content lists, in order; a text that cannot be read has none.
pub fn items_of(lists: &BTreeMap<String, String>) -> BTreeMap<ListId, Arc<[ItemId]>> {
    lists
        .values()
        .filter_map(|text| relance_wire::list::parse(text).ok())
        .map(|list| (list.id.clone(), list.ids()))
        .collect()
}

/// Says what applying a scenario to a running workspace would change: with all that can be counted (`whole`), or
/// with what journeys may hear of.
pub async fn plan(
    workspace: &Arc<Workspace>,
    files: Files,
    asked: Asked,
    whole: bool,
) -> Result<Planned, ApplyProblem> {
    let reading = workspace.clone();
    let planned = tokio::task::spawn_blocking(move || {
        let in_force = InForce::read(&reading.reader)?;
        let mut planned = in_force
            .plan(&files, &asked, &reading.config().rfm.settings())
            .map_err(ApplyProblem::Files)?;
        let now = reading.clock.now();
        planned.count(&reading.reader, &reading.config(), whole, now)?;
        Ok(planned)
    });
    planned.await.unwrap_or_else(|_| {
        let lost = StoreError::Failed("the plan was not finished".to_owned());
        Err(ApplyProblem::Read(lost.into()))
    })
}

/// Applies a scenario in somebody's name: the audit says who, in the same commit.
pub async fn apply_as(
    workspace: &Arc<Workspace>,
    files: Files,
    asked: Asked,
    caller: &Caller,
    action: &str,
    object: &str,
) -> Result<Applied, ApplyProblem> {
    let line = Arrival::Audited {
        by: caller.name(),
        action: action.to_owned(),
        object: object.to_owned(),
        detail: String::new(),
    };
    apply_with(workspace, files, asked, Some(line)).await
}

/// Applies a scenario to a running workspace: in one commit, or not at all.
pub async fn apply(
    workspace: &Arc<Workspace>,
    files: Files,
    asked: Asked,
) -> Result<Applied, ApplyProblem> {
    apply_with(workspace, files, asked, None).await
}

async fn apply_with(
    workspace: &Arc<Workspace>,
    files: Files,
    asked: Asked,
    line: Option<Arrival>,
) -> Result<Applied, ApplyProblem> {
    // One at a time: each is compared with what the one before left.
    let turn = workspace.applying.lock().await;
    apply_in_turn(&turn, workspace, files, asked, Vec::new(), line).await
}

/// Applies a scenario, and what comes `beside` it in the same commit, for whoever holds the turn already. The `line` of
/// the audit is written where something changes.
pub(crate) async fn apply_in_turn(
    _turn: &tokio::sync::MutexGuard<'_, ()>,
    workspace: &Arc<Workspace>,
    files: Files,
    asked: Asked,
    beside: Vec<Arrival>,
    line: Option<Arrival>,
) -> Result<Applied, ApplyProblem> {
    let confirm = asked.confirm;
    let planned = plan(workspace, files.clone(), asked, false).await?;
    planned.confirmed(confirm)?;
    let Planned {
        applied,
        mut arrivals,
        ..
    } = planned;
    arrivals.extend(beside);
    if arrivals.is_empty() {
        return Ok(applied);
    }
    arrivals.extend(line);
    if applied.templates.is_empty() && applied.lists.is_empty() {
        workspace.submit(arrivals, APPLY_WEIGHT).await?;
        return Ok(applied);
    }
    // Before they are committed: a message of a new journey must not miss its own.
    let laid = workspace.content.put(&files).map_err(ApplyProblem::Files)?;
    arrivals.insert(0, Arrival::Templates(laid.facts.clone()));
    if let Err(refusal) = workspace.submit(arrivals, APPLY_WEIGHT).await {
        // All of it, or nothing.
        workspace.content.take_back(laid);
        return Err(refusal.into());
    }
    Ok(applied)
}
