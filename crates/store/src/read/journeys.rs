//! Journeys as a page lists them: what each does now, where its runs stand, and its draft.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::ids::{JourneyId, StepKey};
use relance_engine::ports::{DRAFT, StoredJourney};

use super::db::{Value, values};
use super::{ReadError, Reader};
use crate::sqlite::error::Located;

/// A published version of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyVersion {
    /// Its id, version and text.
    pub journey: StoredJourney,
    /// When it was published.
    pub published_at: Timestamp,
    /// Live runs that stand on it.
    pub live_runs: u64,
}

/// A text of the workspace, and when it last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedText {
    /// Its name inside its sort; a draft's is the journey's id.
    pub name: String,
    /// When it was put last.
    pub updated_at: Timestamp,
    /// The text.
    pub body: String,
}

/// What a journey does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JourneyStatus {
    /// New runs begin.
    Live,
    /// It stands still.
    Paused,
    /// No new run begins; those under way go on.
    Archived,
    /// It was never published.
    Draft,
}

impl JourneyStatus {
    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Archived => "archived",
            Self::Draft => "draft",
        }
    }
}

/// A journey, all its versions and its draft together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneySummary {
    /// Which one.
    pub id: JourneyId,
    /// What it does now.
    pub status: JourneyStatus,
    /// The version that new runs begin on.
    pub current: Option<u32>,
    /// The newest version.
    pub newest: Option<u32>,
    /// When the newest version was published.
    pub published_at: Option<Timestamp>,
    /// Live runs on all its versions.
    pub live_runs: u64,
    /// When its draft last changed, if it has one.
    pub drafted_at: Option<Timestamp>,
}

impl Reader {
    /// Every version of every journey, with its text.
    pub fn journeys(&self) -> Result<Vec<JourneyVersion>, ReadError> {
        self.rows(self.sql.journey_all, "journey", values![], |row| {
            let id = JourneyId::from(row.text(0).at("journey", "")?);
            Ok(JourneyVersion {
                published_at: row.moment(3).at("journey", &id)?,
                live_runs: row.count(5).at("live_run", &id)?,
                journey: StoredJourney {
                    version: row.small(1).at("journey", &id)?,
                    current: row.flag(2).at("journey", &id)?,
                    moves: row.moves(6).at("journey", &id)?,
                    text: row.text(4).at("journey", &id)?.to_owned(),
                    id,
                },
            })
        })
    }

    /// Every version of one journey, oldest first; none when it was never published.
    pub fn versions_of(&self, id: &JourneyId) -> Result<Vec<StoredJourney>, ReadError> {
        self.rows(
            self.sql.journey_versions_of,
            "journey",
            values![Value::Word(id.as_str())],
            |row| {
                Ok(StoredJourney {
                    id: id.clone(),
                    version: row.small(1).at("journey", id)?,
                    current: row.flag(2).at("journey", id)?,
                    moves: row.moves(3).at("journey", id)?,
                    text: row.text(4).at("journey", id)?.to_owned(),
                })
            },
        )
    }

    /// Every journey, by id: published ones and those that are drafts alone.
    pub fn journey_list(&self) -> Result<Vec<JourneySummary>, ReadError> {
        let paused: BTreeSet<JourneyId> = self.paused_journeys()?.into_iter().collect();
        let mut list: BTreeMap<JourneyId, JourneySummary> = BTreeMap::new();
        let entry = |id: &JourneyId| JourneySummary {
            id: id.clone(),
            status: JourneyStatus::Draft,
            current: None,
            newest: None,
            published_at: None,
            live_runs: 0,
            drafted_at: None,
        };
        for one in self.journeys()? {
            let id = &one.journey.id;
            let summary = list.entry(id.clone()).or_insert_with(|| entry(id));
            let version = one.journey.version;
            if one.journey.current {
                summary.current = Some(version);
            }
            // Versions come oldest first.
            summary.newest = Some(version);
            summary.published_at = Some(one.published_at);
            summary.live_runs += one.live_runs;
        }
        for draft in self.texts(DRAFT)? {
            let id = JourneyId::from(draft.name);
            let summary = list.entry(id.clone()).or_insert_with(|| entry(&id));
            summary.drafted_at = Some(draft.updated_at);
        }
        for summary in list.values_mut() {
            summary.status = match (summary.newest, summary.current) {
                (None, _) => JourneyStatus::Draft,
                (Some(_), None) => JourneyStatus::Archived,
                (Some(_), Some(_)) if paused.contains(&summary.id) => JourneyStatus::Paused,
                (Some(_), Some(_)) => JourneyStatus::Live,
            };
        }
        Ok(list.into_values().collect())
    }

    /// Journeys that stand still, by id.
    pub fn paused_journeys(&self) -> Result<Vec<JourneyId>, ReadError> {
        self.rows(
            self.sql.journey_paused_all,
            "journey_paused",
            values![],
            |row| Ok(JourneyId::from(row.text(0).at("journey_paused", "")?)),
        )
    }

    /// Where the live runs of a journey stand: version, step, how many. Runs that wait for nothing but
    /// their goal stand nowhere.
    pub fn standing(&self, journey: &JourneyId) -> Result<Vec<(u32, StepKey, u64)>, ReadError> {
        self.rows(
            self.sql.standing_of,
            "standing",
            values![Value::Word(journey.as_str())],
            |row| {
                Ok((
                    row.small(0).at("standing", journey)?,
                    StepKey::from(row.text(1).at("standing", journey)?),
                    row.count(2).at("standing", journey)?,
                ))
            },
        )
    }

    /// All texts of a sort, by name; drafts are those of the sort [`DRAFT`].
    pub fn texts(&self, kind: &str) -> Result<Vec<DatedText>, ReadError> {
        self.rows(
            self.sql.asset_all,
            "asset",
            values![Value::Word(kind)],
            |row| {
                Ok(DatedText {
                    name: row.text(0).at("asset", kind)?.to_owned(),
                    updated_at: row.moment(1).at("asset", kind)?,
                    body: row.text(2).at("asset", kind)?.to_owned(),
                })
            },
        )
    }
}
