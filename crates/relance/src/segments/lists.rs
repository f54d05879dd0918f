//! Lists that people and programs keep: who is put in, who is taken out.
//!
//! **Absent:** writing; what is made here happens to contacts by the engine.

use relance_core::decide::Input;
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::Rule;
use relance_engine::arrival::Arrival;
use relance_engine::turn::{SWEEP, forgotten_by};
use relance_store::read::{ReadError, Reader};

use super::plan::unknown;
use super::{LIST_CHANGES_MAX, Overview, find_all};

/// Why a list was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// There is no such segment.
    #[error("{0}")]
    Unknown(String),
    /// A condition tells who belongs.
    #[error("{0} is told by a condition; nobody is put into it or taken out by hand")]
    NotAList(SegmentId),
    /// An older segment of the name is still on its way out.
    #[error(
        "members of an older segment of this name are still being let go; try again in a moment"
    )]
    NotReady,
    /// Nobody is named, or too many.
    #[error("name 1 to {LIST_CHANGES_MAX} contacts at once")]
    Count,
}

/// What changes a list.
#[derive(Debug)]
pub struct ListChange {
    /// What happens to the contacts.
    pub arrivals: Vec<Arrival>,
    /// Contacts that were found, each once.
    pub found: usize,
    /// Names that nobody has.
    pub nobody: Vec<String>,
}

/// Looks up contacts by their names (`con_42`, an address, an id of the customer's own) and says what puts
/// them into a list, or takes them out.
pub fn change(
    reader: &Reader,
    id: &SegmentId,
    names: &[String],
    member: bool,
) -> Result<Result<ListChange, ListProblem>, ReadError> {
    if names.is_empty() || names.len() > LIST_CHANGES_MAX {
        return Ok(Err(ListProblem::Count));
    }
    let overview = Overview::read(reader)?;
    if let Err(problem) = may_list(&overview, id) {
        return Ok(Err(problem));
    }
    let sweeps = reader.texts(SWEEP)?;
    let mut going = sweeps.iter().filter_map(|one| forgotten_by(&one.name));
    if going.any(|one| one == *id) {
        return Ok(Err(ListProblem::NotReady));
    }
    let (mut found, nobody) = find_all(reader, names)?;
    found.sort_unstable();
    found.dedup();
    let one = |contact: &ContactId| Arrival::Input {
        contact: *contact,
        input: Input::Segment {
            segment: id.clone(),
            member,
        },
    };
    Ok(Ok(ListChange {
        arrivals: found.iter().map(one).collect(),
        found: found.len(),
        nobody,
    }))
}

/// Whether people and programs keep the members of a segment.
fn may_list(overview: &Overview, id: &SegmentId) -> Result<(), ListProblem> {
    if overview.row(id).is_none() {
        return Err(ListProblem::Unknown(unknown(id.as_str(), overview.rows())));
    }
    match overview.segment(id).map(|segment| &segment.rule) {
        Some(Rule::When(_)) => Err(ListProblem::NotAList(id.clone())),
        Some(Rule::Listed) | None => Ok(()),
    }
}
