//! `/v1`: the Segment HTTP specification. Acknowledged means committed.
//!
//! The body is read as it is, whatever its label: browsers post JSON as `text/plain`, and gzip comes
//! labelled as a form. A key in a header is checked before the body is read.
//!
//! **Absent:** what a call means; see `relance_wire::segment`.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use flate2::read::GzDecoder;
use futures::StreamExt as _;
use relance_engine::arrival::{Arrival, Refusal};
use relance_wire::segment::{self, Call, CallProblem, CallType, REQUEST_BYTES_MAX};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::keys::Scope;
use crate::workspace::Workspace;

use super::{Problem, Shared, basic};

/// Bytes of bodies that may be in memory at once, read or being read (R11).
pub const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a client may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// When who was refused for want of room may come again.
const BUSY_RETRY_SECONDS: u32 = 1;

/// Room for bodies. Only bytes that have come take room, so a client that sends slowly holds up nobody.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX)))
    }
}

/// What Segment's browser SDK asks first: where to send.
pub async fn settings(
    State(workspace): Shared,
    Path(write_key): Path<String>,
) -> Result<Json<Value>, Problem> {
    check_key(&workspace, Some(&write_key))?;
    let config = workspace.config();
    let url = config.workspace.public_url.trim_end_matches('/');
    let (protocol, host) = url.split_once("://").unwrap_or(("https", url));
    let target = json!({
        "apiKey": write_key,
        "apiHost": format!("{host}/v1"),
        "protocol": protocol,
    });
    Ok(Json(json!({
        "integrations": { "Segment.io": target },
        "plan": { "track": {} },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "remotePlugins": [],
    })))
}

/// What RudderStack's browser SDK asks first: which source it is. No destinations: all comes here.
pub async fn source_config(
    State(workspace): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let in_query = query.as_deref().and_then(|query| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix("writeKey="))
    });
    let key = basic_user(&headers).or(in_query.map(str::to_owned));
    check_key(&workspace, key.as_deref())?;
    let quiet = json!({ "enabled": false });
    Ok(Json(json!({
        "source": {
            "id": "relance",
            "name": workspace.config().workspace.name,
            "writeKey": key,
            "enabled": true,
            "workspaceId": "relance",
            "config": { "statsCollection": { "errors": quiet, "metrics": quiet } },
            "dataplanes": {},
            "destinations": [],
        },
        "consentManagementMetadata": { "providers": [] },
    })))
}

/// One call, or a batch of them.
pub async fn take(
    State(workspace): Shared,
    Path(word): Path<String>,
    Extension(room): Extension<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let taken = take_counted(&workspace, &word, &room, &headers, body).await;
    // The clients of the specification print `message`.
    taken.map_err(|problem| {
        count(&workspace, problem.code, 1);
        let message = Value::String(problem.detail.clone());
        problem.with("message", message)
    })
}

async fn take_counted(
    workspace: &Workspace,
    word: &str,
    room: &Room,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let call = match word {
        "batch" | "b" | "import" => None,
        word => Some(CallType::from_word(word).ok_or_else(|| Problem::not_found("call"))?),
    };
    let basic = basic_user(headers);
    if basic.is_some() {
        check_key(workspace, basic.as_deref())?;
    }
    let (body, _taken) = room.receive(headers, body).await?;
    let body = unpack(body)?;
    let now = workspace.clock.now();
    let config = workspace.config();
    let country = config.workspace.country.as_deref();
    let read = match call {
        None => {
            segment::parse_batch_in(&body, now, country).map(|batch| (batch.calls, batch.write_key))
        }
        Some(call) => segment::parse_call_in(&body, Some(call), now, country)
            .map(|(call, key)| (vec![Ok(call)], key)),
    };
    let (calls, body_key) = match read {
        Ok(read) => read,
        Err(problem) => {
            // Who has no key learns nothing of the body.
            check_key(workspace, basic.as_deref())?;
            return Err(refusal(&problem));
        }
    };
    if basic.is_none() {
        check_key(workspace, body_key.as_deref())?;
    }
    commit(workspace, calls, body.len()).await
}

/// Gives the good calls to the engine and waits until they are durable.
async fn commit(
    workspace: &Workspace,
    calls: Vec<Result<Call, CallProblem>>,
    weight: usize,
) -> Result<Json<Value>, Problem> {
    let mut arrivals = Vec::with_capacity(calls.len());
    let mut rejected = Vec::new();
    let mut of_erased = 0;
    for (index, call) in calls.into_iter().enumerate() {
        match call {
            // Taken, so that the client does not send it again, and counted, without the person.
            Ok(Call { identities, .. }) if workspace.erased.knows(&identities) => of_erased += 1,
            Ok(Call { identities, event }) => {
                arrivals.push(Arrival::Event {
                    identities,
                    event: Arc::new(event),
                });
            }
            Err(problem) => {
                count(workspace, problem.code(), 1);
                let detail = problem.to_string();
                rejected.push(json!({ "index": index, "code": problem.code(), "detail": detail }));
            }
        }
    }
    if arrivals.is_empty() && !rejected.is_empty() {
        let detail = "no call of the batch can be used; `rejected` says why of each";
        return Err(
            Problem::new(StatusCode::BAD_REQUEST, "all_rejected", detail)
                .with("rejected", Value::Array(rejected)),
        );
    }
    let taken = arrivals.len() as u64;
    if !arrivals.is_empty() {
        workspace.submit(arrivals, weight).await?;
    }
    count(workspace, "ok", taken);
    if of_erased > 0 {
        count(workspace, "erased", of_erased);
    }
    if rejected.is_empty() {
        return Ok(Json(json!({ "success": true })));
    }
    Ok(Json(json!({ "success": true, "rejected": rejected })))
}

fn count(workspace: &Workspace, result: &'static str, calls: u64) {
    workspace
        .metrics
        .calls
        .get_or_create(&vec![("result", result)])
        .inc_by(calls);
    if result == "busy" {
        workspace.metrics.busy.inc();
    }
}

fn refusal(problem: &CallProblem) -> Problem {
    let status = match problem {
        CallProblem::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        CallProblem::Malformed(_)
        | CallProblem::NoIdentity
        | CallProblem::UnknownType(_)
        | CallProblem::Missing { .. }
        | CallProblem::TooLong { .. } => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, problem.code(), problem)
}

fn too_large(bytes: usize) -> Problem {
    refusal(&CallProblem::TooLarge {
        what: "the request",
        bytes,
        most: REQUEST_BYTES_MAX,
    })
}

/// The user of Basic authentication, which is the write key.
fn basic_user(headers: &HeaderMap) -> Option<String> {
    basic(headers).map(|(user, _)| user)
}

fn check_key(workspace: &Workspace, key: Option<&str>) -> Result<(), Problem> {
    match key {
        Some(key) if workspace.keys.opens(key, Scope::Write) => Ok(()),
        Some(_) => Err(Problem::unauthorised(
            "the write key is not known; `relance init` prints a new one",
        )),
        None => Err(Problem::unauthorised(
            "the write key is missing; send it as the user of Basic authentication",
        )),
    }
}

impl Room {
    /// Reads a body within its limits of size, time and room.
    async fn receive(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
        let told = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        // A packed body may be no larger than an unpacked one may.
        if let Some(told) = told.filter(|told| *told > REQUEST_BYTES_MAX) {
            return Err(too_large(told));
        }
        match tokio::time::timeout(BODY_TIME_MAX, self.read(body)).await {
            Ok(read) => read,
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                format!(
                    "the body did not come within {} s; send it again",
                    BODY_TIME_MAX.as_secs()
                ),
            )),
        }
    }

    async fn read(&self, body: Body) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
        let mut bytes = Vec::new();
        let mut taken = self.take(0)?;
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| {
                let detail = "the body ended early; send it again";
                Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
            })?;
            if bytes.len() + chunk.len() > REQUEST_BYTES_MAX {
                return Err(too_large(bytes.len() + chunk.len()));
            }
            taken.merge(self.take(chunk.len())?);
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes, taken))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        u32::try_from(bytes)
            .ok()
            .and_then(|bytes| self.0.clone().try_acquire_many_owned(bytes).ok())
            .ok_or_else(|| {
                Problem::from(Refusal::Busy {
                    retry_after_seconds: BUSY_RETRY_SECONDS,
                })
            })
    }
}

/// Unpacks gzip, whatever the headers say of it: some clients label it wrongly.
fn unpack(body: Vec<u8>) -> Result<Vec<u8>, Problem> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if !body.starts_with(&GZIP) {
        return Ok(body);
    }
    let mut unpacked = Vec::with_capacity(body.len() * 4);
    let most = REQUEST_BYTES_MAX as u64 + 1;
    GzDecoder::new(&*body)
        .take(most)
        .read_to_end(&mut unpacked)
        .map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                "the body is not whole gzip; send it again",
            )
        })?;
    if unpacked.len() > REQUEST_BYTES_MAX {
        return Err(too_large(unpacked.len()));
    }
    Ok(unpacked)
}
