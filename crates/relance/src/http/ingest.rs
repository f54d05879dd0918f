//! `/v1`: the Segment HTTP specification. Acknowledged means committed.

use std::io::Read;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use relance_engine::arrival::Arrival;
use relance_wire::segment::{self, Call, CallProblem, CallType, REQUEST_BYTES_MAX};
use serde_json::{Value, json};

use crate::keys::Scope;
use crate::workspace::Workspace;

use super::{Problem, Shared};

/// What the browser SDK asks first: where to send.
pub async fn settings(
    State(workspace): Shared,
    Path(write_key): Path<String>,
) -> Result<Json<Value>, Problem> {
    check_key(&workspace, Some(&write_key))?;
    let host = workspace.config.workspace.public_url.trim_end_matches('/');
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    Ok(Json(json!({
        "integrations": { "Segment.io": { "apiKey": write_key, "apiHost": format!("{host}/v1") } },
        "plan": { "track": {} },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "remotePlugins": [],
    })))
}

/// One call, or a batch of them.
pub async fn take(
    State(workspace): Shared,
    Path(word): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let basic = basic_user(&headers);
    let body = unpack(body)?;
    let weight = body.len();
    let now = workspace.clock.now();
    let read = match word.as_str() {
        "batch" | "b" | "import" => read_batch(&body, now),
        word => match CallType::from_word(word) {
            Some(call) => {
                segment::parse_call(&body, Some(call), now).map(|(call, key)| (vec![Ok(call)], key))
            }
            None => return Err(Problem::not_found("call")),
        },
    };
    let (calls, body_key) = match read {
        Ok(read) => read,
        Err(problem) => {
            // Who has no key learns nothing of the body.
            check_key(&workspace, basic.as_deref())?;
            count(&workspace, problem.code(), 1);
            return Err(refusal(&problem));
        }
    };
    check_key(&workspace, basic.as_deref().or(body_key.as_deref()))?;
    let mut arrivals = Vec::with_capacity(calls.len());
    let mut rejected = Vec::new();
    for (index, call) in calls.into_iter().enumerate() {
        match call {
            Ok(Call { identities, event }) => {
                arrivals.push(Arrival::Event {
                    identities,
                    event: Arc::new(event),
                });
            }
            Err(problem) => {
                count(&workspace, problem.code(), 1);
                let detail = problem.to_string();
                rejected.push(json!({ "index": index, "code": problem.code(), "detail": detail }));
            }
        }
    }
    let taken = arrivals.len() as u64;
    if let Err(refusal) = workspace.submit(arrivals, weight).await {
        workspace.metrics.busy.inc();
        return Err(refusal.into());
    }
    count(&workspace, "ok", taken);
    if rejected.is_empty() {
        return Ok(Json(json!({ "success": true })));
    }
    Ok(Json(json!({ "success": true, "rejected": rejected })))
}

type Calls = (Vec<Result<Call, CallProblem>>, Option<String>);

fn read_batch(body: &[u8], now: Timestamp) -> Result<Calls, CallProblem> {
    segment::parse_batch(body, now).map(|batch| (batch.calls, batch.write_key))
}

fn count(workspace: &Workspace, result: &'static str, calls: u64) {
    workspace
        .metrics
        .calls
        .get_or_create(&vec![("result", result)])
        .inc_by(calls);
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

/// The user of Basic authentication, which is the write key.
fn basic_user(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    Some(
        decoded
            .split_once(':')
            .map_or(decoded.as_str(), |(user, _)| user)
            .to_owned(),
    )
}

fn check_key(workspace: &Workspace, key: Option<&str>) -> Result<(), Problem> {
    match key {
        Some(key) if workspace.keys.opens(key, Scope::Write) => Ok(()),
        Some(_) => Err(Problem::unauthorised(
            "the write key is not known; copy it from the settings",
        )),
        None => Err(Problem::unauthorised(
            "the write key is missing; send it as the user of Basic authentication",
        )),
    }
}

/// Unpacks gzip, whatever the headers say of it: some clients label it wrongly.
fn unpack(body: Bytes) -> Result<Bytes, Problem> {
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
        let bytes = unpacked.len();
        let problem = CallProblem::TooLarge {
            what: "the request",
            bytes,
            most: REQUEST_BYTES_MAX,
        };
        return Err(refusal(&problem));
    }
    Ok(unpacked.into())
}
