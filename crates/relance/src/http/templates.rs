//! `/api/v1/templates`: templates by their files, as they would look, what should be looked at, and a message sent to
//! try one.
//!
//! Files come into force by the same checks as a scenario. A message that is sent to try one is marked as such, has
//! links that do nothing, is counted nowhere, and asks only whether the address may be written to at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_core::contact::{Channel, Contact};
use relance_core::ids::{ContactId, EnrollmentId, StepKey, TouchpointId};
use relance_core::journey::{Approval, Approver, Lapse, Recipient, Sender};
use relance_core::subject::Object;
use relance_core::suppression::SuppressionKey;
use relance_core::touchpoint::{Touchpoint, TouchpointState};
use relance_engine::ports::Dispatch;
use relance_message::outbound::is_address;
use relance_store::read::{DatedText, PAGE_ROWS_MAX, ReadError, Reader};
use relance_wire::api::Page;
use relance_wire::api::template::{
    FileProblemShown, FilesRemoved, TemplateCheck, TemplateRendered, TemplateShown,
    TemplateSummary, TestSent, Variable,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::scenario::apply::{self, Asked, TEMPLATE};
use crate::scenario::remove::{RemoveProblem, Removed, remove};
use crate::scenario::{self, FileProblem, Files};
use crate::send::post::{Letter, PostProblem};
use crate::send::preview::Preview;
use crate::workspace::Workspace;

use super::api::read;
use super::lists::Paging;
use super::workshop::contact_named;
use super::{Problem, Shared, drafts};

mod tries;

pub use tries::Tests;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, put, delete))
        .routes(routes!(render))
        .routes(routes!(test))
}

/// Characters of a template's id.
const ID_CHARS_MAX: usize = 100;
/// Files of one template: languages times forms.
const FILES_MAX: usize = 60;
/// Variables that are given out for completion.
const VARIABLES_MAX: usize = 300;
/// How deep variables are looked for.
const VARIABLES_DEPTH_MAX: usize = 4;
/// Characters of a variable's value.
const VALUE_CHARS_MAX: usize = 120;
/// What the subject line of a message that is only tried begins with.
const TEST_MARK: &str = "[Test]";
/// The word that stands where a template's id does.
const RESERVED: &str = "render";

/// The id, language and form of a file's name: `welcome.en.mjml`.
fn parts(name: &str) -> (&str, &str, &str) {
    let (id, rest) = name.split_once('.').unwrap_or((name, ""));
    let (language, form) = rest.rsplit_once('.').unwrap_or(("", rest));
    (id, language, form)
}

/// Templates by id, with their files.
fn grouped(files: Vec<DatedText>) -> BTreeMap<String, Vec<DatedText>> {
    let mut grouped: BTreeMap<String, Vec<DatedText>> = BTreeMap::new();
    for file in files {
        let id = parts(&file.name).0.to_owned();
        grouped.entry(id).or_default().push(file);
    }
    grouped
}

/// Journeys in force by the templates that they name.
fn users(reader: &Reader) -> Result<BTreeMap<String, BTreeSet<String>>, ReadError> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in reader.journeys()? {
        if !one.journey.current {
            continue;
        }
        let id = one.journey.id.to_string();
        for template in named_templates(&one.journey.text) {
            users.entry(template).or_default().insert(id.clone());
        }
    }
    Ok(users)
}

/// What a journey's text sends.
fn named_templates(text: &str) -> Vec<String> {
    let Ok(journey) = relance_wire::journey::publish(text, 1) else {
        return Vec::new();
    };
    let steps = journey.steps.iter();
    let templates = steps.filter_map(|step| match &step.kind {
        relance_core::journey::StepKind::Send { send, .. } => Some(send.template.to_string()),
        relance_core::journey::StepKind::Notify(notify) => {
            notify.template.as_ref().map(ToString::to_string)
        }
        relance_core::journey::StepKind::Wait(_)
        | relance_core::journey::StepKind::WaitFor { .. }
        | relance_core::journey::StepKind::Branch { .. }
        | relance_core::journey::StepKind::Split { .. }
        | relance_core::journey::StepKind::Task(_)
        | relance_core::journey::StepKind::Set(_)
        | relance_core::journey::StepKind::Move { .. }
        | relance_core::journey::StepKind::Promo(_)
        | relance_core::journey::StepKind::Enroll(_)
        | relance_core::journey::StepKind::Stop => None,
    });
    templates.collect()
}

fn summary(id: &str, files: &[DatedText], used_by: &BTreeSet<String>) -> TemplateSummary {
    let all = |part: fn(&str) -> &str| -> Vec<String> {
        let parts: BTreeSet<&str> = files.iter().map(|file| part(&file.name)).collect();
        parts.into_iter().map(str::to_owned).collect()
    };
    let updated_at = files.iter().map(|file| file.updated_at).max();
    TemplateSummary {
        id: id.to_owned(),
        languages: all(|name| parts(name).1),
        forms: all(|name| parts(name).2),
        updated_at: updated_at.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
        used_by: used_by.iter().cloned().collect(),
    }
}

/// Which state of files this is.
fn revision<'a>(files: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let all: BTreeMap<&String, &String> = files.collect();
    drafts::revision(&json!(all).to_string())
}

/// Templates by id.
#[utoipa::path(
    get,
    path = "/api/v1/templates",
    operation_id = "templates_list",
    tag = "templates",
    params(Paging),
    responses((status = 200, description = "a page of templates, by id", body = Page<TemplateSummary>))
)]
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Page<TemplateSummary>>, Problem> {
    let Query(paging) = asked?;
    let found = read(&workspace, |reader| {
        Ok((reader.texts(TEMPLATE)?, users(reader)?))
    });
    let (files, users) = found.await?;
    let nobody = BTreeSet::new();
    let grouped = grouped(files);
    let page = paging.page(grouped.iter(), |(id, _)| id);
    let items = page.0.into_iter();
    Ok(Json(Page {
        items: items
            .map(|(id, files)| summary(id, files, users.get(id).unwrap_or(&nobody)))
            .collect(),
        next: page.1,
    }))
}

/// One template with its files.
#[utoipa::path(
    get,
    path = "/api/v1/templates/{id}",
    operation_id = "templates_show",
    tag = "templates",
    params(("id" = String, Path, description = "the id of the template")),
    responses((status = 200, description = "the template", body = TemplateShown))
)]
pub async fn one(
    State(workspace): Shared,
    Path(id): Path<String>,
) -> Result<Json<TemplateShown>, Problem> {
    shown(&workspace, id).await.map(Json)
}

async fn shown(workspace: &Arc<Workspace>, id: String) -> Result<TemplateShown, Problem> {
    let found = read(workspace, |reader| {
        Ok((reader.texts(TEMPLATE)?, users(reader)?))
    });
    let (files, users) = found.await?;
    let Some(files) = grouped(files).remove(&id) else {
        return Err(Problem::not_found(
            "template; GET /api/v1/templates lists those that are",
        ));
    };
    let nobody = BTreeSet::new();
    let summary = summary(&id, &files, users.get(&id).unwrap_or(&nobody));
    let files: BTreeMap<String, String> = files
        .into_iter()
        .map(|file| (file.name, file.body))
        .collect();
    Ok(TemplateShown {
        summary,
        revision: revision(files.iter()),
        files,
    })
}

/// Files of a template.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = TemplateFiles)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// By name: `welcome.en.mjml`, `welcome.en.txt`. Files that are not named stay.
    files: BTreeMap<String, String>,
}

/// Puts files of a template in force. They are checked with all others, as a scenario is.
#[utoipa::path(
    put,
    path = "/api/v1/templates/{id}",
    operation_id = "templates_put",
    tag = "templates",
    params(
        ("id" = String, Path, description = "the id of the template"),
        ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412")
    ),
    request_body = Put,
    responses(
        (status = 200, description = "the template as it is now", body = TemplateShown),
        (status = 412, description = "somebody else changed it meanwhile; `files` and `revision` are theirs"),
        (status = 422, description = "the files are wrong; `problems` says where")
    )
)]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Put>, JsonRejection>,
) -> Result<Json<TemplateShown>, Problem> {
    let Json(Put { files }) = asked?;
    check_files(&id, &files)?;
    if let Some(wanted) = drafts::named(&headers, &header::IF_MATCH) {
        let before = shown(&workspace, id.clone()).await.ok();
        let own = before.as_ref().map(|before| before.revision.clone());
        if own.as_ref() != Some(&wanted) {
            let detail = "the template was changed meanwhile; take it over, or write again with its revision";
            let stale = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail);
            let files = before.map(|before| before.files);
            return Err(stale
                .with("files", json!(files))
                .with("revision", json!(own)));
        }
    }
    let files = Files {
        templates: files,
        ..Files::default()
    };
    apply::apply_as(
        &workspace,
        files,
        Asked::default(),
        &caller,
        "template.put",
        &id,
    )
    .await?;
    shown(&workspace, id).await.map(Json)
}

/// Which of its files go.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Files of this language alone; the empty word: those without a language.
    language: Option<String>,
    /// This file alone, such as `welcome.en.txt`.
    file: Option<String>,
}

impl From<RemoveProblem> for Problem {
    fn from(problem: RemoveProblem) -> Self {
        let detail = problem.to_string();
        match problem {
            RemoveProblem::InUse(journeys) => {
                Self::new(StatusCode::CONFLICT, "in_use", detail).with("journeys", json!(journeys))
            }
            RemoveProblem::Left(problems) => apply::ApplyProblem::Files(problems).into(),
            RemoveProblem::Refused(refusal) => refusal.into(),
            RemoveProblem::Read(error) => error.into(),
            RemoveProblem::Failed => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail),
        }
    }
}

/// Takes a template out of force, or a language or file of it. What a journey needs stays: a template that one in force
/// sends, or an older version with runs on it.
#[utoipa::path(
    delete,
    path = "/api/v1/templates/{id}",
    operation_id = "templates_delete",
    tag = "templates",
    params(("id" = String, Path, description = "the id of the template"), Part),
    responses(
        (status = 200, description = "the files that went", body = FilesRemoved),
        (status = 409, description = "`in_use`: `journeys` need it"),
        (status = 422, description = "what would be left is wrong; `problems` says where")
    )
)]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Query<Part>, QueryRejection>,
) -> Result<Json<FilesRemoved>, Problem> {
    let Query(part) = asked?;
    let _turn = workspace.applying.lock().await;
    let files = read(&workspace, |reader| reader.texts(TEMPLATE)).await?;
    let own = grouped(files).remove(&id).unwrap_or_default();
    let goes = |file: &&DatedText| {
        let language = part.language.as_deref();
        language.is_none_or(|language| parts(&file.name).1 == language)
            && part.file.as_deref().is_none_or(|name| file.name == name)
    };
    let names: Vec<String> = own
        .iter()
        .filter(goes)
        .map(|file| file.name.clone())
        .collect();
    if names.is_empty() {
        return Err(Problem::not_found(
            "template or file of it; GET /api/v1/templates lists those that are",
        ));
    }
    let removed = Removed::Template {
        is_whole: names.len() == own.len(),
        files: names,
        id,
    };
    let removed = remove(&workspace, &caller, removed).await?;
    Ok(Json(FilesRemoved { removed }))
}

/// The files of a request belong to the template, and are not too many.
fn check_files(id: &str, files: &BTreeMap<String, String>) -> Result<(), Problem> {
    let bad =
        |code, detail: String| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail));
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(good) || id == RESERVED {
        let detail = format!(
            "{id:?} is no id of a template; use at most {ID_CHARS_MAX} of a-z, 0-9, - and _, and not {RESERVED:?}"
        );
        return bad("bad_id", detail);
    }
    if files.is_empty() || files.len() > FILES_MAX {
        let detail = format!("files: send 1 to {FILES_MAX} of them");
        return bad("bad_files", detail);
    }
    if let Some(other) = files.keys().find(|name| parts(name).0 != id) {
        let detail = format!("files: {other:?} is not of {id}; call it {id}.LANGUAGE.FORM");
        return bad("bad_files", detail);
    }
    Ok(())
}

/// A template to look at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = TemplateRenderAsked)]
#[serde(deny_unknown_fields)]
pub struct Render {
    /// Which template; without it that of the first file.
    id: Option<String>,
    /// Files that need not be in force: they are laid over those that are.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// In which language; the contact's by default.
    language: Option<String>,
    /// For which contact: id, address, or its id in the customer's system. Left out: somebody invented.
    contact: Option<String>,
}

/// Renders a template for a contact, and says what should be looked at.
#[utoipa::path(
    post,
    path = "/api/v1/templates/render",
    operation_id = "templates_render",
    tag = "templates",
    request_body = Render,
    responses((status = 200, description = "the message; with mistakes in the files `mistakes` says where", body = TemplateRendered))
)]
pub async fn render(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<Render>, JsonRejection>,
) -> Result<Json<TemplateRendered>, Problem> {
    let Json(asked) = asked?;
    let (rendered, _) = aside(move || rendered(&workspace, &caller, &asked)).await?;
    Ok(Json(rendered))
}

/// Works beside the network threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let detail = "the template could not be rendered; the server's log says why";
        Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            detail,
        ))
    })
}

fn rendered(
    workspace: &Workspace,
    caller: &Caller,
    asked: &Render,
) -> Result<(TemplateRendered, Preview), Problem> {
    let first = || {
        asked
            .files
            .keys()
            .next()
            .map(|name| parts(name).0.to_owned())
    };
    let Some(id) = asked.id.clone().or_else(first) else {
        let detail = "give the id of a template, or files";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_template",
            detail,
        ));
    };
    if !asked.files.is_empty() {
        check_files(&id, &asked.files)?;
    }
    let reader = &workspace.reader;
    let mut files: BTreeMap<String, String> = reader
        .texts(TEMPLATE)?
        .into_iter()
        .map(|one| (one.name, one.body))
        .collect();
    if asked.files.is_empty() && !files.keys().any(|name| parts(name).0 == id) {
        return Err(Problem::not_found(
            "template; GET /api/v1/templates lists those that are",
        ));
    }
    files.extend(asked.files.clone());
    // Others of the workspace are in force already: theirs are no mistakes of these files.
    files.retain(|name, _| parts(name).0 == id);
    let (contact, objects) = contact_for(workspace, caller, asked)?;
    let dispatch = dispatch(workspace, &id, contact, objects);
    let context = workspace.composer.preview_context(&dispatch);
    let variables = variables(&context);
    let set = match scenario::compile(&files) {
        Ok(set) => set,
        Err(mistakes) => {
            let told = TemplateRendered {
                mistakes: mistakes.iter().map(mistake).collect(),
                variables,
                ..TemplateRendered::default()
            };
            return Ok((told, Preview::default()));
        }
    };
    let preview = workspace.composer.preview_of(&set, &dispatch);
    let checks = workspace.composer.checks(&preview, &dispatch);
    let shown = preview.html.as_ref().unwrap_or(&preview.text);
    let told = TemplateRendered {
        subject: preview.subject.clone(),
        html: preview.html.clone(),
        text: preview.text.clone(),
        language: preview.language.clone(),
        bytes: shown.len(),
        mistakes: Vec::new(),
        problems: preview.problems.clone(),
        checks: checks
            .into_iter()
            .map(|one| TemplateCheck {
                code: one.code.to_owned(),
                detail: one.detail,
                about: one.about,
            })
            .collect(),
        variables,
    };
    Ok((told, preview))
}

fn mistake(problem: &FileProblem) -> FileProblemShown {
    FileProblemShown {
        file: problem.file.clone(),
        line: problem.line,
        path: problem.path.clone(),
        text: problem.text.clone(),
    }
}

/// The contact that a template is rendered for, with what it has.
fn contact_for(
    workspace: &Workspace,
    caller: &Caller,
    asked: &Render,
) -> Result<(Contact, Vec<Object>), Problem> {
    let reader = &workspace.reader;
    let (mut contact, objects) = match &asked.contact {
        Some(name) => {
            let id = contact_named(workspace, caller, name)?;
            let contact = reader.contact(id)?;
            let contact = contact.ok_or_else(|| Problem::not_found("contact"))?;
            let objects = reader.objects_of_contact(id, None, PAGE_ROWS_MAX)?;
            (contact, objects.items)
        }
        None => {
            let mut contact = Contact::new(ContactId(0), workspace.clock.now());
            for (field, value) in [
                ("name", "Ana Example"),
                ("first_name", "Ana"),
                ("last_name", "Example"),
                ("email", "ana@example.com"),
            ] {
                contact.traits.insert(field.to_owned(), json!(value));
            }
            (contact, Vec::new())
        }
    };
    if let Some(language) = &asked.language {
        let language = json!(language);
        contact.traits.insert("language".to_owned(), language);
    }
    Ok((contact, objects))
}

/// A message as a journey would mean it.
fn dispatch(workspace: &Workspace, id: &str, contact: Contact, objects: Vec<Object>) -> Dispatch {
    let now = workspace.clock.now();
    // What was told of last is what a message is most likely about.
    let subject = objects.into_iter().max_by_key(|object| object.updated_at);
    let contact_id = contact.id;
    let touchpoint = Touchpoint {
        id: TouchpointId {
            contact: contact_id,
            hash: 0,
        },
        enrollment: EnrollmentId {
            contact: contact_id,
            number: 0,
        },
        journey: "preview".into(),
        step: StepKey::from("preview"),
        subject: subject.as_ref().map(|object| object.subject.clone()),
        recipient: Recipient::Contact,
        channel: Channel::Email,
        template: id.into(),
        item: None,
        text: None,
        from: Sender::Workspace,
        variant: None,
        priority: 0,
        members: Vec::new(),
        approval: Approval {
            by: Approver::Auto,
            deputy: None,
            expires: None,
            lapse: Lapse::Skip,
        },
        approved_by: None,
        created_at: now,
        silence: None,
        attempts: 0,
        state: TouchpointState::Queued { ready_at: now },
    };
    Dispatch {
        contact: Arc::new(contact),
        subjects: subject.iter().cloned().collect(),
        subject,
        cause: None,
        touchpoint,
    }
}

/// The leaves of what a template finds, by their names.
fn variables(context: &Value) -> Vec<Variable> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), context, 0)];
    while let Some((name, value, depth)) = open.pop() {
        if found.len() >= VARIABLES_MAX {
            break;
        }
        match value {
            Value::Object(fields) if depth < VARIABLES_DEPTH_MAX => {
                for (field, value) in fields.iter().rev() {
                    let name = match name.as_str() {
                        "" => field.clone(),
                        parent => format!("{parent}.{field}"),
                    };
                    open.push((name, value, depth + 1));
                }
            }
            Value::Null => {}
            Value::String(text) => found.push(Variable {
                name,
                value: json!(text.chars().take(VALUE_CHARS_MAX).collect::<String>()),
            }),
            Value::Bool(_) | Value::Number(_) => found.push(Variable {
                name,
                value: value.clone(),
            }),
            Value::Array(_) | Value::Object(_) => {
                let text: String = value.to_string().chars().take(VALUE_CHARS_MAX).collect();
                found.push(Variable {
                    name,
                    value: json!(text),
                });
            }
        }
    }
    found
}

/// To whom a template is sent to try it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = TemplateTestAsked)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// An address; the caller's own by default.
    to: Option<String>,
    /// Whose data it shows; somebody invented by default.
    contact: Option<String>,
    /// In which language.
    language: Option<String>,
    /// Files that need not be in force.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// Sends a message to try a template: marked, counted nowhere, with links that do nothing.
#[utoipa::path(
    post,
    path = "/api/v1/templates/{id}/test",
    operation_id = "templates_test",
    tag = "templates",
    params(("id" = String, Path, description = "the id of the template")),
    request_body = Try,
    responses(
        (status = 200, description = "it went", body = TestSent),
        (status = 409, description = "the address must not be written to, or nothing can be sent"),
        (status = 422, description = "the template is wrong")
    )
)]
pub async fn test(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(tests): Extension<Arc<Tests>>,
    Path(id): Path<String>,
    asked: Result<Json<Try>, JsonRejection>,
) -> Result<Json<TestSent>, Problem> {
    let Json(asked) = asked?;
    let to = recipient(&workspace, &caller, asked.to.as_deref()).await?;
    let render = Render {
        id: Some(id.clone()),
        files: asked.files,
        language: asked.language,
        contact: asked.contact,
    };
    let (own, by) = (workspace.clone(), caller.clone());
    let (told, preview) = aside(move || rendered(&own, &by, &render)).await?;
    if !told.mistakes.is_empty() || preview.subject.is_empty() {
        let detail = "the template cannot be rendered; `render` says why";
        let wrong = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "template_failed", detail);
        return Err(wrong
            .with("problems", json!(told.problems))
            .with("mistakes", json!(told.mistakes)));
    }
    let letter = Letter {
        to: to.clone(),
        subject: format!("{TEST_MARK} {}", preview.subject),
        text: preview.text,
        html: preview.html,
        ..Letter::default()
    };
    post(&workspace, &caller, &tests, letter, &id)
        .await
        .map(Json)
}

/// The address that a test goes to, unless it must not be written to.
pub(super) async fn recipient(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    asked: Option<&str>,
) -> Result<String, Problem> {
    let own = caller.address().map(ToString::to_string);
    let Some(to) = asked.map(str::trim).map(str::to_owned).or(own) else {
        let detail = "to: give an address; a token has none of its own";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_recipient",
            detail,
        ));
    };
    if !is_address(&to) {
        let detail = format!("to: {to:?} is no address");
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_address",
            detail,
        ));
    }
    let domain = to.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let keys: Vec<SuppressionKey> = [Some(to.clone()), domain]
        .into_iter()
        .flatten()
        .filter_map(|text| SuppressionKey::guess(&text).ok())
        .collect();
    let found = read(workspace, move |reader| {
        for key in &keys {
            if let Some(found) = reader.suppression(key)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    });
    if found.await?.is_some() {
        let detail =
            format!("to: {to} is on the list of suppressions; take it off, or use another");
        return Err(Problem::new(StatusCode::CONFLICT, "suppressed", detail));
    }
    Ok(to)
}

/// Sends it, and says what became of it.
pub(super) async fn post(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    tests: &Tests,
    letter: Letter,
    about: &str,
) -> Result<TestSent, Problem> {
    tests.take()?;
    let to = letter.to.clone();
    workspace.post(letter).await.map_err(|problem| {
        let code = match &problem {
            PostProblem::Quiet => "quiet",
            PostProblem::NoSender => "no_sender",
            PostProblem::Unmade(_) => "unmade",
            PostProblem::NotTaken(_) => "not_taken",
        };
        Problem::new(StatusCode::CONFLICT, code, problem)
    })?;
    // The audit says who tried what; the address stays out of it.
    workspace
        .submit_as(caller, Vec::new(), 0, "message.test", about)
        .await?;
    Ok(TestSent {
        to,
        channel: Channel::Email.word().to_owned(),
        outcome: "accepted".to_owned(),
        detail: None,
    })
}

#[cfg(test)]
mod tests;
