//! `/api/v1/approvals`: messages that wait for a person, as they would be, and the answers; one or many.
//!
//! A question is shown to whoever may answer it: the owner, those of the role that is asked, the deputy once the
//! question has stood for a time, and whoever sees everyone's as their head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_core::access::Permission;
use relance_core::decide::{Answer, Input};
use relance_core::ids::{JourneyId, TouchpointId, UserId};
use relance_core::journey::{Approver, Lapse};
use relance_core::touchpoint::TouchpointState;
use relance_engine::arrival::Arrival;
use relance_message::outbound::LETTER_BYTES_MAX;
use relance_store::read::{Question, ReadError, Reader};
use relance_wire::api::registry::{
    Answered, AnsweredAll, AnsweredOne, Answers, MessagePreview, Question as Shown, QuestionDetail,
    QuestionPage, Said,
};
use relance_wire::api::{self as shape};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Caller, Who};
use crate::approvals::{may_answer, owner_of};
use crate::send::preview::dispatch_of;
use crate::workspace::Workspace;

use super::api::read;
use super::lists::{rows, said};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list, answer))
        .routes(routes!(one))
        .routes(routes!(answer_one))
}

/// Answers in one request.
pub const ANSWERS_MAX: usize = 500;
/// What one answer weighs in the engine's queue.
const ANSWER_WEIGHT: usize = 256;
/// Characters of the name of who answers.
const BY_CHARS_MAX: usize = 200;

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// Whether somebody may look at a question: who may answer it, and who sees everything without working.
fn may_see(caller: &Caller, question: &Question, now: Timestamp) -> bool {
    may_answer(caller, question, now)
        || (!caller.sees.is_limited() && !caller.may(Permission::Approve))
}

/// Questions that the caller may answer, those that lapse soonest first. A page may hold fewer than asked and yet have
/// a next one.
#[utoipa::path(get, path = "/api/v1/approvals", operation_id = "approvals_list", tag = "messages", params(Paging),
    responses((status = 200, description = "a page of questions", body = QuestionPage)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<QuestionPage>, Problem> {
    let Query(paging) = asked?;
    let now = workspace.clock.now();
    let page = read(&workspace, move |reader| {
        let fits = |question: &Question| may_see(&caller, question, now);
        let page = reader.approvals_where(said(&paging.cursor), rows(paging.limit), fits)?;
        let names = journey_names(reader, page.items.iter())?;
        Ok(QuestionPage {
            items: page.items.iter().map(|one| question(one, &names)).collect(),
            next: page.next,
        })
    })
    .await?;
    Ok(Json(page))
}

/// One question, with the message as it would be.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", operation_id = "approvals_one", tag = "messages",
    params(("id" = String, Path, description = "the message")),
    responses((status = 200, body = QuestionDetail), (status = 404, description = "it is answered, or there is none")))]
pub async fn one(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<QuestionDetail>, Problem> {
    let id = touchpoint_id(&id)?;
    let now = workspace.clock.now();
    let found = read(&workspace, move |reader| {
        let Some(question) = reader.approval(id)? else {
            return Ok(None);
        };
        if !may_see(&caller, &question, now) {
            return Ok(None);
        }
        let dispatch = dispatch_of(reader, question.touchpoint.clone())?;
        let names = journey_names(reader, std::iter::once(&question))?;
        Ok(dispatch.map(|dispatch| (question, dispatch, names)))
    })
    .await?;
    let Some((asked, dispatch, names)) = found else {
        return Err(Problem::not_found("question; it may have been answered"));
    };
    let composer = workspace.composer.clone();
    // Rendering takes its time, and the network's threads have other work.
    let preview = tokio::task::spawn_blocking(move || composer.preview(&dispatch)).await;
    let preview = preview.map_err(|_| {
        let detail = "the message could not be rendered; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?;
    Ok(Json(QuestionDetail {
        question: question(&asked, &names),
        editable: preview.editable(),
        preview: MessagePreview {
            from: preview.from,
            from_name: preview.from_name,
            to: preview.to,
            subject: preview.subject,
            text: preview.text,
            html: preview.html,
            language: preview.language,
            problems: preview.problems,
        },
    }))
}

/// How the journeys of some questions are called, by id.
fn journey_names<'a>(
    reader: &Reader,
    questions: impl Iterator<Item = &'a Question>,
) -> Result<BTreeMap<JourneyId, String>, ReadError> {
    let ids: BTreeSet<&JourneyId> = questions.map(|one| &one.touchpoint.journey).collect();
    let mut names = BTreeMap::new();
    for id in ids {
        let versions = reader.versions_of(id)?;
        let current = versions.iter().find(|one| one.current);
        let Some(one) = current.or(versions.last()) else {
            continue;
        };
        if let Ok(journey) = relance_wire::journey::publish(&one.text, one.version) {
            names.insert(id.clone(), journey.name);
        }
    }
    Ok(names)
}

fn question(question: &Question, names: &BTreeMap<JourneyId, String>) -> Shown {
    let approval = &question.touchpoint.approval;
    Shown {
        message: shape::Touchpoint::of(&question.touchpoint),
        asked_at: question.asked_at.to_string(),
        expires_at: question.expires_at.to_string(),
        deputy_at: question.deputy_at.map(|at| at.to_string()),
        by: approver(&approval.by),
        deputy: approval.deputy.as_ref().map(|deputy| approver(&deputy.who)),
        lapse: match approval.lapse {
            Lapse::Skip => "skip",
            Lapse::Send => "send",
            Lapse::Stop => "stop",
            Lapse::Call => "call",
        }
        .to_owned(),
        to: shape::Contact::of(&question.contact),
        about: question
            .subject
            .as_ref()
            .map(|object| object.fields.clone()),
        owner: owner_of(question),
        journey_name: names.get(&question.touchpoint.journey).cloned(),
    }
}

fn approver(approver: &Approver) -> String {
    match approver {
        Approver::Auto => "auto".to_owned(),
        Approver::Owner => "owner".to_owned(),
        Approver::Role(role) => format!("role:{role}"),
    }
}

/// In whose name an answer is: a person's own; a program may name somebody.
fn said_by(caller: &Caller, by: Option<String>) -> Result<UserId, Problem> {
    let by = by.filter(|name| !name.trim().is_empty());
    if by
        .as_ref()
        .is_some_and(|name| name.chars().count() > BY_CHARS_MAX)
    {
        let detail = format!("by: more than {BY_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_by", detail));
    }
    Ok(match (&caller.who, by) {
        (Who::Token(_), Some(name)) => UserId::from(name),
        (Who::Token(_), None) => UserId::from("api"),
        (Who::User(address), _) => address.clone(),
    })
}

/// Answers many questions at once. Each is answered or not by itself: the answer says which were not, and
/// why.
#[utoipa::path(post, path = "/api/v1/approvals", operation_id = "approvals_answer", tag = "messages",
    request_body = Answers,
    responses((status = 200, description = "what became of each", body = AnsweredAll)))]
pub async fn answer(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<Answers>, JsonRejection>,
) -> Result<Json<AnsweredAll>, Problem> {
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
    let by = said_by(&caller, by)?;
    let meant: Vec<(TouchpointId, Answer)> = answers
        .iter()
        .map(|said| Ok((touchpoint_id(&said.id)?, word(said)?)))
        .collect::<Result<_, Problem>>()?;
    let (now, asked_by) = (workspace.clock.now(), caller.clone());
    // A question of before a merge of contacts is answered under its message's new name.
    let meant = read(&workspace, move |reader| {
        let known = |(id, answer)| {
            let id = reader.message_now(id)?;
            let found = reader.touchpoint(id)?;
            let waits = found.is_some_and(|one| waits(&one.state));
            let may = match reader.approval(id)? {
                Some(question) => may_answer(&asked_by, &question, now),
                None => false,
            };
            Ok((id, answer, waits && may))
        };
        meant
            .into_iter()
            .map(known)
            .collect::<Result<Vec<_>, ReadError>>()
    })
    .await?;
    let mut arrivals = Vec::new();
    let mut items = Vec::new();
    let mut answered = BTreeSet::new();
    for (id, answer, waits) in meant {
        let is_first = answered.insert(id);
        let detail = match (waits, is_first) {
            (true, true) => None,
            (false, _) => Some("the message no longer waits for approval"),
            (true, false) => Some("answered above; the first answer counts"),
        };
        items.push(Answered {
            id: id.to_string(),
            done: detail.is_none(),
            detail: detail.map(str::to_owned),
        });
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
    if !arrivals.is_empty() {
        let object = format!("{} messages", arrivals.len());
        workspace
            .submit_as(&caller, arrivals, weight, "approval.answer", &object)
            .await?;
    }
    Ok(Json(AnsweredAll { items }))
}

/// Answers a question for approval: `approve`, `skip` or `call`.
#[utoipa::path(post, path = "/api/v1/touchpoints/{id}/{answer}", operation_id = "approvals_answer_one", tag = "messages",
    params(("id" = String, Path, description = "the message"), ("answer" = String, Path, description = "`approve`, `skip` or `call`")),
    responses((status = 200, description = "answered", body = AnsweredOne), (status = 404, description = "there is no such message"), (status = 409, description = "it waits no longer")))]
pub async fn answer_one(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, word)): Path<(String, String)>,
) -> Result<Json<AnsweredOne>, Problem> {
    let id = touchpoint_id(&id)?;
    let answer = match word.as_str() {
        "approve" => Answer::Approve { text: None },
        "skip" => Answer::Skip,
        "call" => Answer::CallInstead,
        _other => return Err(Problem::not_found("answer; use approve, skip or call")),
    };
    let (now, asked_by) = (workspace.clock.now(), caller.clone());
    // A link of before a merge names the message by its old name.
    let (id, known, may) = read(&workspace, move |reader| {
        let id = reader.message_now(id)?;
        let known = reader.touchpoint(id)?;
        let question = reader.approval(id)?;
        let may = question.is_none_or(|question| may_answer(&asked_by, &question, now));
        Ok((id, known, may))
    })
    .await?;
    let Some(known) = known.filter(|_| may) else {
        return Err(Problem::not_found("message"));
    };
    if !waits(&known.state) {
        let detail = "the message no longer waits for approval";
        return Err(Problem::new(StatusCode::CONFLICT, "not_waiting", detail));
    }
    let by = said_by(&caller, None)?;
    let input = Input::Approve {
        touchpoint: id,
        by,
        answer,
    };
    let arrival = Arrival::Input {
        contact: id.contact,
        input,
    };
    let object = id.to_string();
    workspace
        .submit_as(
            &caller,
            vec![arrival],
            ANSWER_WEIGHT,
            "approval.answer",
            &object,
        )
        .await?;
    Ok(Json(AnsweredOne {
        id: object,
        answer: word,
    }))
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
