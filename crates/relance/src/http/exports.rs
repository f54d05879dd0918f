//! `/api/v1/contacts/export` and `/api/v1/export/{list}`: lists as files, streamed as they are read.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use relance_core::ids::{ContactId, SegmentId};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::listing::{
    Format, LISTS, SHEET_ROWS_MAX, chosen_documents, documents_of, page_of, write_text,
    write_workbook,
};
use crate::workspace::Workspace;

use super::imports::{attachment, download};
use super::lists::{owners, today};
use super::{Problem, Shared, documents};

/// Pieces of an answer that wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;
/// Documents that are named one by one.
const IDS_MAX: usize = 500;

/// The routes of exports.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(contacts))
        .routes(routes!(list))
}

/// What is asked of an export.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// `csv` (the default), `xlsx` or `jsonl`.
    #[serde(default = "csv")]
    #[param(value_type = Option<String>)]
    format: Format,
    /// Contacts of this segment alone.
    segment: Option<String>,
    /// Columns by name, with commas between; all if it is left out.
    columns: Option<String>,
    /// Of documents: `invoice`, `offer` or `other`.
    kind: Option<String>,
    /// Of documents: states, as the list has them.
    state: Option<String>,
    /// Of documents: an address, `me`, or `none`.
    owner: Option<String>,
    /// Of documents: ISO 4217.
    currency: Option<String>,
    /// Of documents: the beginning of a number or of words of the client's name.
    search: Option<String>,
    /// Of documents: only what is late.
    overdue: Option<bool>,
    /// Of documents: issued on this day or later.
    from: Option<String>,
    /// Of documents: issued on this day or before.
    to: Option<String>,
    /// Of documents: these alone, in lines of their own (`%0A` between): the contact, a slash, the document's id.
    ids: Option<String>,
}

impl Asked {
    /// The filter of documents, if one is asked for.
    fn documents(&self) -> Option<documents::Which> {
        let of = documents::Which::of(
            [
                &self.kind,
                &self.state,
                &self.owner,
                &self.currency,
                &self.search,
                &self.from,
                &self.to,
            ]
            .map(Clone::clone),
            self.overdue,
        );
        of.is_said().then_some(of)
    }
}

impl Asked {
    /// The documents that are named, if any are.
    fn chosen(&self) -> Result<Option<Vec<(ContactId, String)>>, Problem> {
        let Some(text) = self.ids.as_deref() else {
            return Ok(None);
        };
        let named = |line: &str| {
            let (contact, document) = line.trim().split_once('/')?;
            Some((contact.parse().ok()?, document.to_owned()))
        };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let ids: Option<Vec<(ContactId, String)>> = lines.map(named).collect();
        match ids {
            Some(ids) if (1..=IDS_MAX).contains(&ids.len()) => Ok(Some(ids)),
            Some(_) | None => {
                let detail = format!(
                    "ids: name 1 to {IDS_MAX} documents as CONTACT/DOCUMENT, each in a line of its own"
                );
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail))
            }
        }
    }
}

fn csv() -> Format {
    Format::Csv
}

/// Contacts, all or those of a segment, as a file.
#[utoipa::path(get, path = "/api/v1/contacts/export", operation_id = "contacts_export", tag = "imports", params(Asked),
    responses((status = 200, description = "the file", content_type = "text/csv")))]
pub async fn contacts(
    shared: Shared,
    caller: Extension<Caller>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    list(shared, caller, Path("contacts".to_owned()), asked).await
}

/// A list as a file: `contacts`, `documents` (under the filters of the list), `ledger`, `accounts`, `tasks` or
/// `suppressions`.
#[utoipa::path(get, path = "/api/v1/export/{list}", operation_id = "exports_list", tag = "imports",
    params(("list" = String, Path, description = "which"), Asked),
    responses((status = 200, description = "the file", content_type = "text/csv")))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(list): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked?;
    if !LISTS.contains(&list.as_str()) {
        return Err(Problem::not_found(&format!(
            "list; use one of {}",
            LISTS.join(", ")
        )));
    }
    if asked.segment.is_some() && list != "contacts" {
        let detail = "`segment` is for contacts only";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    let documents = asked.documents();
    if documents.is_some() && list != "documents" {
        let detail =
            "kind, state, owner, currency, search, overdue, from and to are for documents only";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    let chosen = asked.chosen()?;
    if chosen.is_some() && (list != "documents" || documents.is_some()) {
        let detail = "ids are for documents, and without filters";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    let chosen = match chosen {
        Some(ids) => Some((ids, owners(&caller, None)?)),
        None => None,
    };
    let filter = match documents {
        Some(which) => Some(which.filter(&caller, today(&workspace))?),
        None => None,
    };
    let segment = asked.segment.as_deref().map(SegmentId::from);
    let columns: Option<Vec<String>> = asked
        .columns
        .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect());
    let reader = workspace.reader.clone();
    let format = asked.format;
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", format!("{list}.csv")),
        Format::Jsonl => ("application/x-ndjson", format!("{list}.jsonl")),
        Format::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            format!("{list}.xlsx"),
        ),
    };
    if format == Format::Xlsx {
        // A workbook ends with its directory, so it lies on disk before it goes.
        let made = tokio::task::spawn_blocking(move || {
            let path = workspace
                .data
                .join(format!("export-{:016x}.xlsx", unique()?));
            let mut page = |after: Option<&str>| match (&chosen, &filter) {
                (Some((ids, owners)), _) => chosen_documents(&reader, ids, owners.as_ref()),
                (None, Some(filter)) => documents_of(&reader, filter, after),
                (None, None) => page_of(&reader, &list, segment.as_ref(), after),
            };
            let written = write_workbook(
                columns.as_deref(),
                &mut page,
                &path,
                SHEET_ROWS_MAX,
                &mut |_| {},
            );
            let file = std::fs::File::open(&path);
            // It stays readable while it is open.
            let _removed = std::fs::remove_file(&path);
            written.map_err(|problem| problem.to_string())?;
            file.map_err(|error| error.to_string())
        });
        let file = match made.await {
            Ok(Ok(file)) => tokio::fs::File::from_std(file),
            Ok(Err(problem)) => return Err(failed(problem)),
            Err(_) => {
                return Err(failed(
                    "the export could not be made; the server's log says why",
                ));
            }
        };
        return Ok(download(file, kind, &name));
    }
    let (pieces, mut waiting) = mpsc::channel::<Result<Bytes, std::io::Error>>(PIECES_WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        let mut page = |after: Option<&str>| match (&chosen, &filter) {
            (Some((ids, owners)), _) => chosen_documents(&reader, ids, owners.as_ref()),
            (None, Some(filter)) => documents_of(&reader, filter, after),
            (None, None) => page_of(&reader, &list, segment.as_ref(), after),
        };
        let mut out = Pieces(pieces.clone());
        let written = write_text(format, columns.as_deref(), &mut page, &mut out, &mut |_| {});
        if let Err(problem) = written {
            // The answer has begun: it ends broken, so that nobody takes it for whole.
            let _gone = pieces.blocking_send(Err(std::io::Error::other(problem.to_string())));
        }
    });
    let stream = futures::stream::poll_fn(move |context| waiting.poll_recv(context));
    Ok(attachment(Body::from_stream(stream), kind, &name))
}

fn failed(what: impl ToString) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "export_failed", what)
}

fn unique() -> Result<u64, String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    Ok(u64::from_le_bytes(random))
}

/// What is written goes to the network; a slow reader slows the writer down (R11).
struct Pieces(mpsc::Sender<Result<Bytes, std::io::Error>>);

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
