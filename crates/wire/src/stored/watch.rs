//! Awaited activity; contact and hash are the key of its row.

use jiff::Timestamp;
use relance_core::ids::JourneyId;
use relance_core::watch::Watch;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, SubjectV1, Version, read, text};

const SHAPE: &str = "watch";

#[derive(Debug, Serialize, Deserialize)]
struct WatchV1 {
    v: Version<1>,
    journey: JourneyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
    due: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_day: Option<i32>,
}

/// The text of a watch.
pub fn watch_text(watch: &Watch) -> Result<String, StoredProblem> {
    let body = WatchV1 {
        v: Version,
        journey: watch.journey.clone(),
        subject: watch.subject.as_ref().map(SubjectV1::from),
        due: watch.due_at,
        last_day: watch.last_day,
    };
    text(SHAPE, &body)
}

/// The watch of a text.
pub fn read_watch(stored: &str) -> Result<Watch, StoredProblem> {
    let body: WatchV1 = read(SHAPE, stored)?;
    Ok(Watch {
        journey: body.journey,
        subject: body.subject.map(Into::into),
        due_at: body.due,
        last_day: body.last_day,
    })
}
