//! `/api/v1/imports`: a file is sent, looked at, shown what it would change, and taken in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::StreamExt as _;
use relance_wire::api::{Page, import};
use relance_wire::table::charset::Charset;
use relance_wire::table::guess::delimiter_of;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::import::job::{Folder, JobProblem};
use crate::import::jobs::{Jobs, OrderProblem, shown_job};
use crate::import::run::{ImportProblem, Outlet};
use crate::import::source::Told;
use crate::workspace::Workspace;

use super::Problem;

/// Bytes of one uploaded file.
pub const UPLOAD_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

type Answered = Result<Json<Value>, Problem>;
/// The imports of the workspace.
pub type Imports = Extension<Arc<Jobs>>;

/// The imports of a workspace. Opening them lets imports that were interrupted go on.
pub fn open(workspace: &Arc<Workspace>) -> Arc<Jobs> {
    let own = workspace.clone();
    Jobs::open(
        &workspace.data,
        Outlet {
            engine: workspace.engine.clone(),
            reader: workspace.reader.clone(),
            clock: workspace.clock.clone(),
            erased: Arc::new(move |identities| own.erased.knows(identities)),
        },
        workspace.config().import.kept(),
    )
}

/// The routes of this file; they want the [`Imports`].
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(upload, list))
        .routes(routes!(one, remove))
        .routes(routes!(suggestion))
        .routes(routes!(dry_run))
        .routes(routes!(start))
        .routes(routes!(cancel))
        .routes(routes!(errors))
}

/// What is told of a file that is sent.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    name: Option<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    header: Option<bool>,
    sheet: Option<String>,
}

impl Upload {
    fn told(&self) -> Result<Told, Problem> {
        let wrong = |what: &str, known: &str| {
            let detail = format!("{what} is not known; use one of {known}");
            Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail)
        };
        let encoding = self.encoding.as_deref().map(|word| {
            let known = Charset::ALL.map(Charset::word).join(", ");
            Charset::from_word(word).ok_or_else(|| wrong("encoding", &known))
        });
        let delimiter = self.delimiter.as_deref().map(|word| {
            delimiter_of(word).ok_or_else(|| wrong("delimiter", "comma, semicolon, tab, pipe"))
        });
        Ok(Told {
            encoding: encoding.transpose()?,
            delimiter: delimiter.transpose()?,
            header: self.header,
            sheet: self.sheet.clone(),
        })
    }
}

/// Which mapping is used, where the body holds none.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Order {
    mapping_of: Option<String>,
}

impl From<OrderProblem> for Problem {
    fn from(problem: OrderProblem) -> Self {
        let (status, code) = match &problem {
            OrderProblem::Job(JobProblem::Unknown(_)) => (StatusCode::NOT_FOUND, "not_found"),
            OrderProblem::Job(
                JobProblem::Io { .. } | JobProblem::Unreadable { .. } | JobProblem::Random(_),
            ) => (StatusCode::INTERNAL_SERVER_ERROR, "import_folder"),
            OrderProblem::Runs => (StatusCode::CONFLICT, "runs"),
            OrderProblem::Busy => (StatusCode::CONFLICT, "busy_importing"),
            OrderProblem::Full => (StatusCode::CONFLICT, "too_many_imports"),
            OrderProblem::NoMapping => (StatusCode::BAD_REQUEST, "no_mapping"),
            OrderProblem::Import(ImportProblem::Source(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "not_a_table")
            }
            OrderProblem::Import(ImportProblem::Mapping(_) | ImportProblem::Plan(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "bad_mapping")
            }
            OrderProblem::Import(ImportProblem::Ended | ImportProblem::Changed) => {
                (StatusCode::CONFLICT, "ended")
            }
            OrderProblem::Import(
                ImportProblem::Read(_)
                | ImportProblem::Job(_)
                | ImportProblem::Errors(_)
                | ImportProblem::Refused(_),
            ) => (StatusCode::SERVICE_UNAVAILABLE, "import_failed"),
        };
        let told = Self::new(status, code, &problem);
        match problem {
            OrderProblem::Import(ImportProblem::Mapping(problems)) => {
                told.with("problems", json!(problems))
            }
            OrderProblem::Job(_)
            | OrderProblem::Import(_)
            | OrderProblem::Runs
            | OrderProblem::Busy
            | OrderProblem::Full
            | OrderProblem::NoMapping => told,
        }
    }
}

fn failed(what: impl ToString) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "import_folder", what)
}

/// Works beside the network threads.
async fn aside<T: Send + 'static>(
    jobs: &Arc<Jobs>,
    work: impl FnOnce(&Arc<Jobs>) -> Result<T, OrderProblem> + Send + 'static,
) -> Result<T, Problem> {
    let jobs = jobs.clone();
    match tokio::task::spawn_blocking(move || work(&jobs)).await {
        Ok(done) => done.map_err(Problem::from),
        Err(_) => Err(failed(
            "the work could not be done; the server's log says why",
        )),
    }
}

/// Takes a file: it goes to disk as it comes.
#[utoipa::path(post, path = "/api/v1/imports", operation_id = "imports_upload", tag = "imports", params(Upload), request_body(content = String, content_type = "application/octet-stream", description = "the file, as it is"), responses((status = 201, description = "the file was taken and looked at", body = import::ImportJob)))]
pub async fn upload(
    Extension(jobs): Imports,
    asked: Result<Query<Upload>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Query(asked) = asked?;
    let told = asked.told()?;
    let (id, folder) = aside(&jobs, |jobs| jobs.make()).await?;
    let kept = keep(&folder, body).await;
    let job = match kept {
        Ok(()) => {
            let (own, own_id) = (folder.clone(), id.clone());
            let name = asked.name.unwrap_or_else(|| id.clone());
            aside(&jobs, move |jobs| {
                jobs.uploaded(&own_id, &own, &name, &told)
            })
            .await
        }
        Err(problem) => Err(problem),
    };
    match job {
        Ok(job) => Ok((StatusCode::CREATED, Json(shown_job(&job, None))).into_response()),
        Err(problem) => {
            // What cannot be used is not kept: it names people.
            if let Err(left) = folder.remove() {
                tracing::warn!(import = id, %left, "a refused file stays");
            }
            Err(problem)
        }
    }
}

async fn keep(folder: &Folder, body: Body) -> Result<(), Problem> {
    let mut file = tokio::fs::File::create(folder.source())
        .await
        .map_err(failed)?;
    let mut stream = body.into_data_stream();
    let mut bytes: u64 = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            let detail = "the file ended early; send it again";
            Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
        })?;
        bytes += chunk.len() as u64;
        if bytes > UPLOAD_BYTES_MAX {
            let detail = format!("the file has more than {UPLOAD_BYTES_MAX} bytes; split it");
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                detail,
            ));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.sync_data().await.map_err(failed)
}

/// All imports, the newest first.
#[utoipa::path(get, path = "/api/v1/imports", operation_id = "imports_list", tag = "imports", responses((status = 200, description = "all imports, the newest first", body = Page<import::ImportJob>)))]
pub async fn list(Extension(jobs): Imports) -> Answered {
    let all = aside(&jobs, |jobs| Ok(jobs.list())).await?;
    let items: Vec<Value> = all.iter().map(|job| shown_job(job, None)).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// One import, with how far it is.
#[utoipa::path(get, path = "/api/v1/imports/{id}", operation_id = "imports_show", tag = "imports", params(("id" = String, Path, description = "the id of the import")), responses((status = 200, description = "the import, with how far it is", body = import::ImportJob)))]
pub async fn one(Extension(jobs): Imports, Path(id): Path<String>) -> Answered {
    let (job, position) = aside(&jobs, move |jobs| jobs.job(&id)).await?;
    Ok(Json(shown_job(&job, position)))
}

/// What the columns probably are, and the mapping that says so.
#[utoipa::path(get, path = "/api/v1/imports/{id}/suggestion", operation_id = "imports_suggestion", tag = "imports", params(("id" = String, Path, description = "the id of the import")), responses((status = 200, description = "what the columns probably are", body = import::ImportSuggestion)))]
pub async fn suggestion(Extension(jobs): Imports, Path(id): Path<String>) -> Answered {
    Ok(Json(aside(&jobs, move |jobs| jobs.suggestion(&id)).await?))
}

/// The mapping of an order: in the body, or that of another import.
fn given(jobs: &Jobs, order: &Order, body: &str) -> Result<Option<String>, OrderProblem> {
    match &order.mapping_of {
        Some(other) => Ok(Some(jobs.mapping(other)?)),
        None => Ok(Some(body.to_owned()).filter(|text| !text.trim().is_empty())),
    }
}

/// What the import would change; nothing is.
#[utoipa::path(post, path = "/api/v1/imports/{id}/dry-run", operation_id = "imports_dry_run", tag = "imports", params(("id" = String, Path, description = "the id of the import"), Order), request_body(content = String, content_type = "text/plain", description = "the mapping, in YAML; empty for the one that is kept"), responses((status = 200, description = "what it would change; nothing is", body = import::ImportForecast)))]
pub async fn dry_run(
    Extension(jobs): Imports,
    Path(id): Path<String>,
    asked: Result<Query<Order>, QueryRejection>,
    body: String,
) -> Answered {
    let Query(order) = asked?;
    let forecast = aside(&jobs, move |jobs| {
        let mapping = given(jobs, &order, &body)?;
        jobs.forecast(&id, mapping.as_deref())
    });
    Ok(Json(forecast.await?.shown()))
}

/// Begins the import, or goes on with one that was stopped.
#[utoipa::path(post, path = "/api/v1/imports/{id}/start", operation_id = "imports_start", tag = "imports", params(("id" = String, Path, description = "the id of the import"), Order), request_body(content = String, content_type = "text/plain", description = "the mapping, in YAML; empty for the one that is kept"), responses((status = 202, description = "it has begun", body = import::ImportJob)))]
pub async fn start(
    Extension(jobs): Imports,
    Path(id): Path<String>,
    asked: Result<Query<Order>, QueryRejection>,
    body: String,
) -> Result<Response, Problem> {
    let Query(order) = asked?;
    let job = aside(&jobs, move |jobs| {
        let mapping = given(jobs, &order, &body)?;
        jobs.start(&id, mapping.as_deref())
    });
    Ok((StatusCode::ACCEPTED, Json(shown_job(&job.await?, None))).into_response())
}

/// Stops the import; it can be started again.
#[utoipa::path(post, path = "/api/v1/imports/{id}/cancel", operation_id = "imports_cancel", tag = "imports", params(("id" = String, Path, description = "the id of the import")), responses((status = 200, description = "it stops soon; it can be started again", body = import::ImportJob)))]
pub async fn cancel(Extension(jobs): Imports, Path(id): Path<String>) -> Answered {
    let job = aside(&jobs, move |jobs| jobs.cancel(&id)).await?;
    Ok(Json(shown_job(&job, None)))
}

/// Takes an import away, with its files.
#[utoipa::path(delete, path = "/api/v1/imports/{id}", operation_id = "imports_remove", tag = "imports", params(("id" = String, Path, description = "the id of the import")), responses((status = 204, description = "it is gone, with its files")))]
pub async fn remove(
    Extension(jobs): Imports,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    aside(&jobs, move |jobs| jobs.remove(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rows that could not be used, with their reasons.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors.csv", operation_id = "imports_errors", tag = "imports", params(("id" = String, Path, description = "the id of the import")), responses((status = 200, description = "rows that could not be used, with their reasons", body = String, content_type = "text/csv")))]
pub async fn errors(Extension(jobs): Imports, Path(id): Path<String>) -> Result<Response, Problem> {
    let folder = aside(&jobs, move |jobs| jobs.folder(&id)).await?;
    let file = match tokio::fs::File::open(folder.errors()).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Problem::not_found(
                "file of errors; the import has not begun",
            ));
        }
        Err(error) => return Err(failed(error)),
    };
    Ok(download(file, "text/csv; charset=utf-8", "errors.csv"))
}

/// A file as an answer, streamed.
pub(super) fn download(file: tokio::fs::File, kind: &'static str, name: &str) -> Response {
    /// Bytes of one piece.
    const PIECE_BYTES: usize = 64 * 1024;
    let stream = futures::stream::unfold(file, |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut piece = vec![0; PIECE_BYTES];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some((Ok(piece), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    attachment(Body::from_stream(stream), kind, name)
}

/// A body that browsers save under a name.
pub(super) fn attachment(body: Body, kind: &'static str, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, body).into_response()
}
