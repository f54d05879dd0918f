//! `/api/v1/approvals`: messages that wait for a person, as they would be, and the answers; one or many.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use relance_core::decide::{Answer, Input};
use relance_core::ids::{TouchpointId, UserId};
use relance_core::journey::{Approver, Lapse};
use relance_core::touchpoint::TouchpointState;
use relance_engine::arrival::Arrival;
use relance_message::outbound::LETTER_BYTES_MAX;
use relance_store::read::{PAGE_ROWS_MAX, Question, ReadError};
use relance_wire::api as shape;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::send::preview::dispatch_of;

use super::api::{Answered, read};
use super::{Problem, Shared};

/// Answers in one request.
pub const ANSWERS_MAX: usize = 500;
/// What one answer weighs in the engine's queue.
const ANSWER_WEIGHT: usize = 256;
/// Characters of the name of who answers.
const BY_CHARS_MAX: usize = 200;
/// Who answers when the caller does not say.
const BY_DEFAULT: &str = "api";

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Questions, those that lapse soonest first.
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Answered {
    let Query(paging) = asked?;
    let page = read(&workspace, move |reader| {
        let cursor = paging.cursor.as_deref().filter(|text| !text.is_empty());
        reader.approvals(cursor, paging.limit.unwrap_or(50).clamp(1, PAGE_ROWS_MAX))
    })
    .await?;
    let items: Vec<Value> = page.items.iter().map(question).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// One question, with the message as it would be.
pub async fn one(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = touchpoint_id(&id)?;
    let found = read(&workspace, move |reader| {
        let Some(question) = reader.approval(id)? else {
            return Ok(None);
        };
        let dispatch = dispatch_of(reader, question.touchpoint.clone())?;
        Ok(dispatch.map(|dispatch| (question, dispatch)))
    })
    .await?;
    let Some((asked, dispatch)) = found else {
        return Err(Problem::not_found("question; it may have been answered"));
    };
    let composer = workspace.composer.clone();
    // Rendering takes its time, and the network's threads have other work.
    let preview = tokio::task::spawn_blocking(move || composer.preview(&dispatch)).await;
    let preview = preview.map_err(|_| {
        let detail = "the message could not be rendered; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?;
    let mut answer = question(&asked);
    answer["editable"] = json!(preview.editable());
    answer["preview"] = json!(preview);
    Ok(Json(answer))
}

fn question(question: &Question) -> Value {
    let approval = &question.touchpoint.approval;
    let mut value = shape::touchpoint(&question.touchpoint);
    value["asked_at"] = json!(question.asked_at.to_string());
    value["expires_at"] = json!(question.expires_at.to_string());
    value["deputy_at"] = json!(question.deputy_at.map(|at| at.to_string()));
    value["by"] = json!(approver(&approval.by));
    value["deputy"] = json!(approval.deputy.as_ref().map(|deputy| approver(&deputy.who)));
    value["lapse"] = json!(match approval.lapse {
        Lapse::Skip => "skip",
        Lapse::Send => "send",
        Lapse::Stop => "stop",
        Lapse::Call => "call",
    });
    value["to"] = shape::contact(&question.contact);
    value["about"] = json!(question.subject.as_ref().map(|object| &object.fields));
    value
}

fn approver(approver: &Approver) -> String {
    match approver {
        Approver::Auto => "auto".to_owned(),
        Approver::Owner => "owner".to_owned(),
        Approver::Role(role) => format!("role:{role}"),
    }
}

/// Answers to questions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    answers: Vec<Said>,
    /// Who answers.
    by: Option<String>,
}

/// What is said to one question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    id: String,
    /// `approve`, `skip` or `call`.
    answer: String,
    /// What the message should say instead; the first line is the subject line.
    text: Option<String>,
}

/// Answers many questions at once. Each is answered or not by itself: the answer says which were not, and
/// why.
pub async fn answer(
    State(workspace): Shared,
    asked: Result<Json<Answers>, JsonRejection>,
) -> Answered {
    let Json(Answers { answers, by }) = asked?;
    if answers.len() > ANSWERS_MAX {
        let detail = format!(
            "{} answers; send at most {ANSWERS_MAX} at once",
            answers.len()
        );
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many",
            detail,
        ));
    }
    let by = by.filter(|name| !name.trim().is_empty());
    if by
        .as_ref()
        .is_some_and(|name| name.chars().count() > BY_CHARS_MAX)
    {
        let detail = format!("by: more than {BY_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_by", detail));
    }
    let by = UserId::from(by.unwrap_or_else(|| BY_DEFAULT.to_owned()));
    let meant: Vec<(TouchpointId, Answer)> = answers
        .iter()
        .map(|said| Ok((touchpoint_id(&said.id)?, word(said)?)))
        .collect::<Result<_, Problem>>()?;
    // A question of before a merge of contacts is answered under its message's new name.
    let meant = read(&workspace, move |reader| {
        let now = |(id, answer)| Ok((reader.message_now(id)?, answer));
        meant
            .into_iter()
            .map(now)
            .collect::<Result<Vec<_>, ReadError>>()
    })
    .await?;
    let ids: Vec<TouchpointId> = meant.iter().map(|(id, _)| *id).collect();
    let waiting = read(&workspace, move |reader| {
        ids.iter()
            .map(|id| Ok(reader.touchpoint(*id)?.is_some_and(|one| waits(&one.state))))
            .collect::<Result<Vec<bool>, ReadError>>()
    })
    .await?;
    let mut arrivals = Vec::new();
    let mut items = Vec::new();
    let mut answered = BTreeSet::new();
    for ((id, answer), waits) in meant.into_iter().zip(waiting) {
        let is_first = answered.insert(id);
        let detail = match (waits, is_first) {
            (true, true) => None,
            (false, _) => Some("the message no longer waits for approval"),
            (true, false) => Some("answered above; the first answer counts"),
        };
        items.push(json!({ "id": id.to_string(), "done": detail.is_none(), "detail": detail }));
        if detail.is_none() {
            let by = by.clone();
            let input = Input::Approve {
                touchpoint: id,
                by,
                answer,
            };
            arrivals.push(Arrival::Input {
                contact: id.contact,
                input,
            });
        }
    }
    let texts = answers.iter().filter_map(|said| said.text.as_ref());
    let weight = ANSWER_WEIGHT * arrivals.len() + texts.map(String::len).sum::<usize>();
    workspace.submit(arrivals, weight).await?;
    Ok(Json(json!({ "items": items })))
}

fn waits(state: &TouchpointState) -> bool {
    matches!(state, TouchpointState::AwaitingApproval { .. })
}

fn word(said: &Said) -> Result<Answer, Problem> {
    let text = said.text.as_deref().filter(|text| !text.trim().is_empty());
    if text.is_some_and(|text| text.len() > LETTER_BYTES_MAX) {
        let detail = format!("text: more than {LETTER_BYTES_MAX} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    match said.answer.as_str() {
        "approve" => Ok(Answer::Approve {
            text: text.map(Into::into),
        }),
        "skip" => Ok(Answer::Skip),
        "call" => Ok(Answer::CallInstead),
        other => {
            let detail = format!("answer {other:?} is not known; use approve, skip or call");
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_answer", detail))
        }
    }
}

fn touchpoint_id(text: &str) -> Result<TouchpointId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}
