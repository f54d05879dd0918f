//! Takes templates, their files and content lists out of force: what a journey still needs stays.
//!
//! **Absent:** changing texts (see [`apply`](super::apply)).

use std::collections::BTreeSet;
use std::sync::Arc;

use relance_core::journey::{Journey, StepKind};
use relance_engine::arrival::{Arrival, Refusal};
use relance_engine::ports::Asset;
use relance_store::read::{ReadError, Reader};

use super::FileProblem;
use super::apply::{LIST, TEMPLATE, items_of};
use crate::access::Caller;
use crate::workspace::Workspace;

/// What the removal of some files weighs in the engine's queue.
const WEIGHT: usize = 4_096;

/// Why something stays.
#[derive(Debug, thiserror::Error)]
pub enum RemoveProblem {
    /// Journeys need it: those in force, and older versions with runs on them.
    #[error("journeys need it: {}; change or archive them first", .0.join(", "))]
    InUse(Vec<String>),
    /// What is left does not fit together.
    #[error("what is left cannot be used")]
    Left(Vec<FileProblem>),
    /// The engine did not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The reading broke off.
    #[error("it could not be looked at; the server's log says why")]
    Failed,
}

/// Journeys that need something: versions in force, and older ones with live runs.
pub fn users(
    reader: &Reader,
    needs: impl Fn(&Journey) -> bool,
) -> Result<BTreeSet<String>, ReadError> {
    let mut users = BTreeSet::new();
    for one in reader.journeys()? {
        if !one.journey.current && one.live_runs == 0 {
            continue;
        }
        // A text in force is right.
        if let Ok(journey) = relance_wire::journey::publish(&one.journey.text, 1)
            && needs(&journey)
        {
            users.insert(one.journey.id.to_string());
        }
    }
    Ok(users)
}

/// Whether a journey sends a template.
pub fn sends(journey: &Journey, template: &str) -> bool {
    journey.steps.iter().any(|step| match &step.kind {
        StepKind::Send { send, .. } => send.template.as_str() == template,
        StepKind::Notify(notify) => notify
            .template
            .as_ref()
            .is_some_and(|own| own.as_str() == template),
        StepKind::Wait(_)
        | StepKind::WaitFor { .. }
        | StepKind::Branch { .. }
        | StepKind::Split { .. }
        | StepKind::Task(_)
        | StepKind::Set(_)
        | StepKind::Move { .. }
        | StepKind::Promo(_)
        | StepKind::Enroll(_)
        | StepKind::Stop => false,
    })
}

/// Whether a journey sends items of a list.
pub fn sends_of(journey: &Journey, list: &str) -> bool {
    journey.steps.iter().any(|step| match &step.kind {
        StepKind::Send { send, .. } => {
            let content = send.content.as_ref();
            content.is_some_and(|own| own.as_str() == list)
        }
        StepKind::Wait(_)
        | StepKind::WaitFor { .. }
        | StepKind::Branch { .. }
        | StepKind::Split { .. }
        | StepKind::Task(_)
        | StepKind::Notify(_)
        | StepKind::Set(_)
        | StepKind::Move { .. }
        | StepKind::Promo(_)
        | StepKind::Enroll(_)
        | StepKind::Stop => false,
    })
}

/// What is taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A template, or a language or file of it: files of the template for which `wanted` says so.
    Template {
        /// Its id.
        id: String,
        /// The files that go.
        files: Vec<String>,
        /// Whether nothing of it is left.
        is_whole: bool,
    },
    /// A content list.
    List {
        /// Its id.
        id: String,
        /// Its file.
        file: String,
    },
}

/// Takes something out of force, in one commit with the line of the audit. Whoever calls holds the turn of
/// applying scenarios.
pub async fn remove(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    removed: Removed,
) -> Result<Vec<String>, RemoveProblem> {
    let wanted = removed.clone();
    let own = workspace.clone();
    let used_by = tokio::task::spawn_blocking(move || match &wanted {
        // Whoever misses a language gets another one.
        Removed::Template { is_whole, .. } if !is_whole => Ok(BTreeSet::new()),
        Removed::Template { id, .. } => users(&own.reader, |journey| sends(journey, id)),
        Removed::List { id, .. } => users(&own.reader, |journey| sends_of(journey, id)),
    });
    let used_by = used_by.await.map_err(|_| RemoveProblem::Failed)??;
    if !used_by.is_empty() {
        return Err(RemoveProblem::InUse(used_by.into_iter().collect()));
    }
    let (kind, files, action, object) = match removed {
        Removed::Template {
            id,
            files,
            is_whole,
        } => {
            let action = if is_whole {
                "template.delete"
            } else {
                "template.file_delete"
            };
            let object = if is_whole { id } else { files.join(", ") };
            (TEMPLATE, files, action, object)
        }
        Removed::List { id, file } => (LIST, vec![file], "list.delete", id),
    };
    let laid = workspace
        .content
        .take_out(kind, &files)
        .map_err(RemoveProblem::Left)?;
    let mut arrivals = vec![Arrival::Templates(laid.facts.clone())];
    if kind == LIST {
        arrivals.push(Arrival::Lists(items_of(&workspace.content.lists())));
    }
    for name in &files {
        arrivals.push(Arrival::Asset(Asset {
            kind: kind.to_owned(),
            name: name.clone(),
            body: None,
        }));
    }
    if let Err(refusal) = workspace
        .submit_as(caller, arrivals, WEIGHT, action, &object)
        .await
    {
        // All of it, or nothing.
        workspace.content.take_back(laid);
        return Err(refusal.into());
    }
    Ok(files)
}
