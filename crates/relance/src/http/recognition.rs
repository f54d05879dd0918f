//! `/api/v1/recognition/...` and `/api/v1/contacts/{id}/documents/{document}/correct`: by which rules documents are
//! recognised, what would have been found in a mailbox, and what people put right.
//!
//! Whoever sees only some owners tries and teaches only mailboxes of these. **Absent:** rules of recognition (see
//! `relance-message` and [`crate::recognition`]); what a correction does to runs (see core).

mod teach;
mod trial;

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_wire::api::recognition::BundledRule;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Caller, Who};
use crate::recognition::TryProblem;
use crate::recognition::own::{
    KIND, OwnRule, RULES_MAX, RuleMail, RuleProblem, TEXT_CHARS_MAX, Then, When,
};
use crate::workspace::Workspace;

use super::{Problem, Shared};

/// What one word about a document weighs in the engine's queue.
const WEIGHT: usize = 4_096;
/// Bytes of chance in the id of a rule.
const ID_BYTES: usize = 8;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(rules, add_rule))
        .routes(routes!(remove_rule))
        .merge(trial::routes())
        .merge(teach::routes())
}

fn bad(code: &'static str, detail: impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

/// What is wrong with a field, with a code that pages have words for.
fn wrong_field(
    code: &'static str,
    field: &str,
    why: &'static str,
    message: impl ToString,
) -> Problem {
    let message = message.to_string();
    let fields =
        json!([{ "field": field, "code": why, "message": message, "most": TEXT_CHARS_MAX }]);
    bad(code, message).with("fields", fields)
}

impl From<RuleProblem> for Problem {
    fn from(problem: RuleProblem) -> Self {
        let field = match problem.field() {
            "when" => "when".to_owned(),
            field => format!("when.{field}"),
        };
        wrong_field("bad_rule", &field, problem.code(), &problem)
    }
}

impl From<TryProblem> for Problem {
    fn from(problem: TryProblem) -> Self {
        match problem {
            TryProblem::Read(error) => error.into(),
            TryProblem::Imap(ref error) => {
                let cause = json!(error.code());
                Self::new(StatusCode::BAD_GATEWAY, "mailbox_unreadable", problem)
                    .with("cause", cause)
            }
            TryProblem::NoMail => Self::new(StatusCode::NOT_FOUND, "no_mail", problem),
            TryProblem::NoSent => bad("no_sent_folder", problem),
            TryProblem::Unreadable(_) | TryProblem::Stopped => bad("mail_unreadable", problem),
        }
    }
}

/// The rules by which documents are recognised.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RecognitionRules)]
pub struct AllRules {
    /// Those that come with the program.
    bundled: Vec<BundledRule>,
    /// Those of the workspace, the newest first.
    own: Vec<OwnRule>,
}

/// The rules, to be read.
#[utoipa::path(get, path = "/api/v1/recognition/rules", operation_id = "recognition_rules", tag = "recognition",
    responses((status = 200, description = "all rules", body = AllRules)))]
pub async fn rules(State(workspace): Shared) -> Json<AllRules> {
    let rules = &workspace.watching.rules;
    let bundled = rules
        .documents
        .listed()
        .into_iter()
        .map(|rule| BundledRule {
            languages: languages(&rule.phrases),
            id: rule.id,
            kind: rule.kind.to_owned(),
            place: rule.place.to_owned(),
            phrases: rule.phrases,
            weight: rule.weight,
        });
    Json(AllRules {
        bundled: bundled.collect(),
        own: rules
            .own
            .all()
            .iter()
            .map(|rule| (**rule).clone())
            .collect(),
    })
}

/// Languages by script.
fn languages(phrases: &[String]) -> Vec<String> {
    let has = |range: fn(char) -> bool| phrases.iter().any(|phrase| phrase.chars().any(range));
    let mut all = Vec::new();
    if has(|c| c.is_ascii_alphabetic()) {
        all.push("en".to_owned());
    }
    if has(|c| matches!(c, '\u{400}'..='\u{4ff}')) {
        all.push("ru".to_owned());
    }
    if has(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')) {
        all.push("ja".to_owned());
    }
    all
}

/// A new rule.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionRuleAsked)]
#[serde(deny_unknown_fields)]
pub struct RuleAsked {
    /// What a mail must be like; all that is said must be true.
    when: When,
    /// What it then is.
    then: Then,
    /// The mail that it is made of, for whoever reads the rules.
    of: Option<RuleMail>,
}

/// Makes a rule; it is in force at once.
#[utoipa::path(post, path = "/api/v1/recognition/rules", operation_id = "recognition_rules_add", tag = "recognition",
    request_body = RuleAsked,
    responses((status = 201, description = "the rule", body = OwnRule), (status = 422, description = "`fields` says what is wrong")))]
pub async fn add_rule(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<RuleAsked>, JsonRejection>,
) -> Result<(StatusCode, Json<OwnRule>), Problem> {
    let Json(asked) = asked?;
    let rule = new_rule(&workspace, &caller, asked.when, asked.then, asked.of)?;
    let arrivals = vec![Arrival::Asset(rule.asset())];
    let more = json!({ "then": rule.then });
    workspace
        .submit_with(
            &caller,
            arrivals,
            WEIGHT,
            "recognition.rule",
            &rule.id,
            &more,
        )
        .await?;
    workspace.watching.rules.own.put(rule.clone());
    Ok((StatusCode::CREATED, Json(rule)))
}

/// A rule that the caller may make.
fn new_rule(
    workspace: &Workspace,
    caller: &Caller,
    when: When,
    then: Then,
    of: Option<RuleMail>,
) -> Result<OwnRule, Problem> {
    let mut when = when.checked()?;
    if workspace.watching.rules.own.all().len() >= RULES_MAX {
        return Err(RuleProblem::TooMany.into());
    }
    if caller.sees.is_limited() {
        // Whoever sees some mailboxes teaches about these; their own is meant where none is named.
        if when.from.is_none()
            && let Who::User(own) = &caller.who
        {
            when.from = Some(own.to_string());
        }
        if !caller.sees.allows(when.from.as_deref()) {
            return Err(RuleProblem::NotYours.into());
        }
    }
    let mut chance = [0; ID_BYTES];
    getrandom::fill(&mut chance).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "no randomness")
    })?;
    let id: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(OwnRule {
        id: format!("own-{id}"),
        when,
        then,
        by: caller.name(),
        at: workspace.clock.now(),
        of: of.and_then(RuleMail::cut),
    })
}

/// Takes a rule out of force.
#[utoipa::path(delete, path = "/api/v1/recognition/rules/{id}", operation_id = "recognition_rules_remove", tag = "recognition",
    params(("id" = String, Path, description = "the id of the rule")),
    responses((status = 200, description = "the rule that was", body = OwnRule), (status = 404, description = "there is none")))]
pub async fn remove_rule(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<OwnRule>, Problem> {
    let all = workspace.watching.rules.own.all();
    let rule = all.iter().find(|rule| rule.id == id);
    let rule = rule
        .filter(|rule| !caller.sees.is_limited() || caller.sees.allows(rule.when.from.as_deref()))
        .ok_or_else(|| Problem::not_found("rule"))?;
    let gone = Asset {
        kind: KIND.to_owned(),
        name: id.clone(),
        body: None,
    };
    workspace
        .submit_as(
            &caller,
            vec![Arrival::Asset(gone)],
            WEIGHT,
            "recognition.rule_remove",
            &id,
        )
        .await?;
    workspace.watching.rules.own.remove(&id);
    Ok(Json((**rule).clone()))
}

/// Works beside the network threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a mail could not be looked at");
        let detail = "the answer could not be made; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?
}
