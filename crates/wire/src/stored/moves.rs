//! How runs on older versions come to a version; journey and version are the key of its row.

use std::collections::BTreeMap;

use relance_core::ids::StepKey;
use relance_core::journey::Moves;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, read, text};

const SHAPE: &str = "moves";

#[derive(Debug, Serialize, Deserialize)]
struct BodyV1 {
    v: Version<1>,
    moves: MovesV1,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MovesV1 {
    Pin,
    Follow,
    /// A step that leads to null ends the run.
    Map(BTreeMap<StepKey, Option<StepKey>>),
}

/// The text of moves.
pub fn moves_text(moves: &Moves) -> Result<String, StoredProblem> {
    let moves = match moves {
        Moves::Pin => MovesV1::Pin,
        Moves::Follow => MovesV1::Follow,
        Moves::Map(table) => MovesV1::Map(table.clone()),
    };
    text(SHAPE, &BodyV1 { v: Version, moves })
}

/// The moves of a text.
pub fn read_moves(stored: &str) -> Result<Moves, StoredProblem> {
    let body: BodyV1 = read(SHAPE, stored)?;
    Ok(match body.moves {
        MovesV1::Pin => Moves::Pin,
        MovesV1::Follow => Moves::Follow,
        MovesV1::Map(table) => Moves::Map(table),
    })
}
