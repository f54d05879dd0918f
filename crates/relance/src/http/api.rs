//! `/api/v1`: the management API. Lists answer `{"items": [...], "next": cursor}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use relance_core::contact::{Identity, IdentityKind};
use relance_core::decide::{Answer, Input};
use relance_core::ids::{ContactId, ObjectKind, TouchpointId, UserId};
use relance_engine::arrival::Arrival;
use relance_store::read::{PAGE_ROWS_MAX, Page, SEARCH_CHARS_MAX, TouchpointList};
use relance_wire::api as shape;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::keys::Scope;
use crate::workspace::Workspace;

use super::{Problem, Shared};

pub(super) type Answered = Result<Json<Value>, Problem>;

/// Lets through who has a token.
pub async fn authorise(
    State(workspace): Shared,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "));
    match token {
        Some(token) if workspace.keys.opens(token, Scope::Admin) => Ok(next.run(request).await),
        Some(_) => Err(Problem::unauthorised("the API token is not known")),
        None => Err(Problem::unauthorised(
            "send `Authorization: Bearer` with an API token",
        )),
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize)]
pub struct Paging {
    cursor: Option<String>,
    #[serde(default = "default_limit")]
    limit: usize,
    state: Option<String>,
    kind: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    telegram: Option<String>,
    whatsapp: Option<String>,
    anonymous_id: Option<String>,
    search: Option<String>,
}

/// What the query of a list says, or what is wrong with it.
type Asked = Result<Query<Paging>, QueryRejection>;

fn default_limit() -> usize {
    50
}

impl Paging {
    fn limit(&self) -> usize {
        self.limit.clamp(1, PAGE_ROWS_MAX)
    }

    /// The contact that is asked for by one of its names.
    fn identity(&self) -> Option<Identity> {
        let named = |value: &Option<String>, make: fn(&str) -> Identity| {
            value
                .as_deref()
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .map(make)
        };
        named(&self.user_id, Identity::user)
            .or_else(|| named(&self.email, Identity::email))
            .or_else(|| named(&self.phone, Identity::phone))
            .or_else(|| named(&self.telegram, Identity::telegram))
            .or_else(|| named(&self.whatsapp, Identity::whatsapp))
            .or_else(|| named(&self.anonymous_id, Identity::anonymous))
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|text| !text.is_empty())
    }
}

fn list<T>(page: Page<T>, shape: impl Fn(&T) -> Value) -> Json<Value> {
    let items: Vec<Value> = page.items.iter().map(shape).collect();
    Json(json!({ "items": items, "next": page.next }))
}

/// Reads beside the network threads: a page may have to wait for the disk.
pub(super) async fn read<T: Send + 'static>(
    workspace: &Arc<Workspace>,
    query: impl FnOnce(&relance_store::read::Reader) -> Result<T, relance_store::read::ReadError>
    + Send
    + 'static,
) -> Result<T, Problem> {
    let workspace = workspace.clone();
    match tokio::task::spawn_blocking(move || query(&workspace.reader)).await {
        Ok(result) => result.map_err(Problem::from),
        Err(_) => {
            let detail = "the page could not be made; the server's log says why";
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                detail,
            ))
        }
    }
}

/// Sums and the health of mailboxes.
pub async fn overview(State(workspace): Shared) -> Answered {
    let totals = read(&workspace, |reader| reader.totals()).await?;
    let mailboxes: serde_json::Map<String, Value> = workspace
        .mailboxes
        .health()
        .into_iter()
        .map(|(mailbox, health)| (mailbox.to_string(), json!(health)))
        .collect();
    Ok(Json(json!({
        "now": workspace.clock.now().to_string(),
        "contacts": totals.contacts,
        "events": totals.events,
        "timers": totals.timers,
        "tasks": totals.tasks,
        "queued": totals.queued,
        "held": totals.held,
        "awaiting_approval": totals.awaiting_approval,
        "sending": totals.sending,
        "accepted": totals.accepted,
        "not_accepted": totals.not_accepted,
        "mailboxes": mailboxes,
    })))
}

/// Contacts, newest first; with `user_id`, `email` or `anonymous_id` the one who is called so; with `search` those
/// one of whose identities begins so.
pub async fn contacts(State(workspace): Shared, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    if paging.search.is_some() {
        return search(&workspace, paging).await;
    }
    if let Some(identity) = paging.identity() {
        let found = read(&workspace, move |reader| {
            match reader.find_contact(&identity)? {
                Some(id) => reader.contact(id),
                None => Ok(None),
            }
        });
        let items: Vec<Value> = found.await?.iter().map(shape::contact).collect();
        return Ok(Json(json!({ "items": items, "next": null })));
    }
    let page = read(&workspace, move |reader| {
        reader.contacts(paging.cursor(), paging.limit())
    })
    .await?;
    Ok(list(page, shape::contact))
}

/// Contacts by the beginning of any of their identities, or by id. Traits such as the name have no directory, and
/// the answer says so.
async fn search(workspace: &Arc<Workspace>, paging: Paging) -> Answered {
    let text = paging.search.clone().unwrap_or_default();
    if text.trim().is_empty() || text.chars().count() > SEARCH_CHARS_MAX {
        let detail = format!("search: write 1 to {SEARCH_CHARS_MAX} characters, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_search", detail));
    }
    let page = read(workspace, move |reader| {
        if let Ok(id) = text.trim().parse::<ContactId>() {
            let items: Vec<Value> = reader.contact(id)?.iter().map(shape::contact).collect();
            return Ok((items, None));
        }
        let page = reader.search_contacts(&text, paging.cursor(), paging.limit())?;
        let shown = page.items.iter().map(|found| {
            let mut told = shape::contact(&found.contact);
            told["found_by"] = json!({ (found.by.kind.word()): found.by.value });
            told
        });
        Ok((shown.collect(), page.next))
    });
    let (items, next): (Vec<Value>, _) = page.await?;
    let searched = IdentityKind::BY_TRUST.map(IdentityKind::word);
    Ok(Json(json!({
        "items": items,
        "next": next,
        "searched": searched,
        "not_searched": ["traits, such as the name: ask for them in a segment"],
    })))
}

fn contact_id(text: &str) -> Result<ContactId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}

/// One contact.
pub async fn contact(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = contact_id(&id)?;
    match read(&workspace, move |reader| reader.contact(id)).await? {
        Some(contact) => Ok(Json(shape::contact(&contact))),
        None => Err(Problem::not_found("contact")),
    }
}

/// What happened to a contact, and why; newest first.
pub async fn ledger(State(workspace): Shared, Path(id): Path<String>, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        super::identity::ledger(reader, id, paging.cursor(), paging.limit())
    });
    Ok(list(page.await?, |line| shape::ledger_line(&line.entry)))
}

/// What a contact did and what was learned of it; the last to arrive first.
pub async fn events(State(workspace): Shared, Path(id): Path<String>, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        super::identity::events(reader, id, paging.cursor(), paging.limit())
    });
    Ok(list(page.await?, |logged| shape::event(&logged.event)))
}

/// Messages of a contact, in no order that means anything.
pub async fn touchpoints_of_contact(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Asked,
) -> Answered {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        super::identity::touchpoints(reader, id, paging.cursor(), paging.limit())
    });
    Ok(list(page.await?, shape::touchpoint))
}

/// Documents (or objects of another `kind`), last changed first.
pub async fn documents(State(workspace): Shared, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    let page = read(&workspace, move |reader| {
        let kind = ObjectKind::from(paging.kind.as_deref().unwrap_or("document"));
        reader.objects(&kind, paging.cursor(), paging.limit())
    });
    Ok(list(page.await?, |one| {
        shape::object(one.contact, &one.object)
    }))
}

/// Lists of messages, by the word in the query.
const LISTS: [(&str, TouchpointList); 10] = [
    ("awaiting_approval", TouchpointList::AwaitingApproval),
    ("held", TouchpointList::Held),
    ("accepted", TouchpointList::Accepted),
    ("refused_hard", TouchpointList::RefusedHard),
    ("refused_soft", TouchpointList::RefusedSoft),
    ("template_failed", TouchpointList::TemplateFailed),
    (
        "channel_not_configured",
        TouchpointList::ChannelNotConfigured,
    ),
    ("withdrawn", TouchpointList::Withdrawn),
    ("dropped", TouchpointList::Dropped),
    ("unknown", TouchpointList::Unknown),
];

fn list_of(word: &str) -> Option<TouchpointList> {
    LISTS
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, list)| *list)
}

/// Messages in a state: `awaiting_approval` by default.
pub async fn touchpoints(State(workspace): Shared, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    let wanted = paging.state.as_deref().unwrap_or("awaiting_approval");
    let Some(which) = list_of(wanted) else {
        let known: Vec<&str> = LISTS.iter().map(|(word, _)| *word).collect();
        let detail = format!(
            "state {wanted:?} is not known; use one of {}",
            known.join(", ")
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_state", detail));
    };
    let page = read(&workspace, move |reader| {
        reader.touchpoints(which, paging.cursor(), paging.limit())
    });
    Ok(list(page.await?, shape::touchpoint))
}

/// Answers a question for approval: `approve`, `skip` or `call`.
pub async fn answer(
    State(workspace): Shared,
    Path((id, word)): Path<(String, String)>,
) -> Answered {
    let id: TouchpointId = id
        .parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))?;
    let answer = match word.as_str() {
        "approve" => Answer::Approve { text: None },
        "skip" => Answer::Skip,
        "call" => Answer::CallInstead,
        _other => return Err(Problem::not_found("answer; use approve, skip or call")),
    };
    // A link of before a merge names the message by its old name.
    let id = read(&workspace, move |reader| reader.message_now(id)).await?;
    let known = read(&workspace, move |reader| reader.touchpoint(id)).await?;
    let Some(known) = known else {
        return Err(Problem::not_found("message"));
    };
    if !matches!(
        known.state,
        relance_core::touchpoint::TouchpointState::AwaitingApproval { .. }
    ) {
        let detail = "the message no longer waits for approval";
        return Err(Problem::new(StatusCode::CONFLICT, "not_waiting", detail));
    }
    let input = Input::Approve {
        touchpoint: id,
        by: UserId::from("api"),
        answer,
    };
    workspace
        .submit(
            vec![Arrival::Input {
                contact: id.contact,
                input,
            }],
            256,
        )
        .await?;
    Ok(Json(json!({ "id": id.to_string(), "answer": word })))
}

/// Tasks, newest first.
pub async fn tasks(State(workspace): Shared, asked: Asked) -> Answered {
    let Query(paging) = asked?;
    let page = read(&workspace, move |reader| {
        reader.tasks(paging.cursor(), paging.limit())
    })
    .await?;
    Ok(list(page, shape::task))
}
