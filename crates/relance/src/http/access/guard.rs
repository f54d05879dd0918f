//! The guard: who asks, whether the route has a rule, and whether they may.

use std::sync::Arc;

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relance_core::access::Scope;
use relance_core::contact::Contact;
use relance_core::ids::{ContactId, TouchpointId};
use relance_engine::arrival::{Arrival, Envelope};
use relance_engine::ports::Asset;

use crate::access::{Caller, KEY_USE, session, token};
use crate::workspace::Workspace;

use super::super::{Problem, Shared};
use super::origin::{self, CSRF};
use super::rules::{self, Rule};

/// Paths that begin so are about the contact that they name.
const OF_CONTACT: &str = "/api/v1/contacts/{id}";
/// Paths that begin so are about the contact of the message that they name. Questions for approval are not among them:
/// they may be asked of somebody who does not see the contact, and their handlers know of whom.
const OF_MESSAGE: &str = "/api/v1/touchpoints/{id}";

/// A contact that was absorbed by one that was absorbed is followed so far.
const MERGES_FOLLOWED_MAX: usize = 16;

/// Lets through who may, with an [`Extension`](axum::Extension) that says who it is.
pub async fn guard(
    State(workspace): Shared,
    path: Option<MatchedPath>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    let found = rules::rule(request.method(), path);
    if found == Some(Rule::Anyone) {
        return Ok(next.run(request).await);
    }
    let caller = identify(&workspace, request.headers()).await?;
    check_page(request.method(), request.headers(), &caller)?;
    let Some(rule) = found else {
        return refuse_unknown(path);
    };
    if !may(rule, &caller) {
        return Err(forbidden(rule, &caller));
    }
    if caller.sees.is_limited()
        && let Some(contact) = contact_of(path, &params)
    {
        check_sees(&workspace, &caller, contact).await?;
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Whether a caller passes a rule.
pub(super) fn may(rule: Rule, caller: &Caller) -> bool {
    match rule {
        Rule::Anyone => true,
        Rule::Person => caller.address().is_some(),
        Rule::May(permission) => caller.may(permission),
        Rule::Whole(permission) => caller.may(permission) && !caller.sees.is_limited(),
    }
}

/// A path that is known takes other methods; one that is not should not have come here.
fn refuse_unknown(path: &str) -> Result<Response, Problem> {
    let methods = rules::methods(path);
    if methods.is_empty() {
        tracing::error!(path, "a route has no rule, and is refused");
        let detail = "nobody may call this: the route has no rule; report it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "no_rule", detail));
    }
    let detail = "the page does not take this method; see the `Allow` header";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail);
    let mut response = problem.into_response();
    if let Ok(allow) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(response)
}

fn forbidden(rule: Rule, caller: &Caller) -> Problem {
    let detail = match rule {
        Rule::Anyone | Rule::Person => {
            "this is about a person who is signed in; a token has no such thing".to_owned()
        }
        Rule::May(permission) | Rule::Whole(permission) if !caller.may(permission) => format!(
            "the permission `{}` is missing; ask an admin for a role or a token that has it",
            permission.word()
        ),
        Rule::May(_) | Rule::Whole(_) => {
            "this concerns contacts of everyone; ask somebody who sees them all".to_owned()
        }
    };
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

/// Who asks: by a token of a program, else by the cookie of a session.
pub(super) async fn identify(
    workspace: &Arc<Workspace>,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "));
        let Some(token) = token else {
            let detail = "send `Authorization: Bearer` with an API token";
            return Err(Problem::unauthorised(detail));
        };
        return match workspace.keys.find(token) {
            Some((hash, key)) if key.scope != Scope::Write => {
                note_use(workspace, hash);
                Ok(Caller::token(key.name.into(), key.scope))
            }
            Some(_) | None => Err(Problem::unauthorised("the API token is not known")),
        };
    }
    let found = match origin::token(headers) {
        Some(token) => session::find(workspace, token).await?,
        None => None,
    };
    found.ok_or_else(|| {
        let detail = "sign in, or send `Authorization: Bearer` with an API token";
        Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", detail)
    })
}

/// Notes, seldom, that a token was used. Nobody waits for it.
fn note_use(workspace: &Workspace, hash: String) {
    if workspace.access.notes_use(&hash) {
        let noted = Arrival::Asset(Asset {
            kind: KEY_USE.to_owned(),
            name: hash,
            body: Some(workspace.access.now().to_string()),
        });
        let _busy = workspace.engine.submit(Envelope::silent(noted));
    }
}

/// A change by a cookie comes from our own page, which knows what only it was told.
fn check_page(method: &Method, headers: &HeaderMap, caller: &Caller) -> Result<(), Problem> {
    if caller.session().is_none() || method.is_safe() {
        return Ok(());
    }
    let told = headers.get(CSRF).and_then(|value| value.to_str().ok());
    let own = origin::token(headers).map(token::csrf);
    match (told, own) {
        (Some(told), Some(own)) if token::same(told, &own) => Ok(()),
        (_, _) => {
            let detail = "send `X-Relance-Csrf` with the `csrf` of GET /api/v1/session";
            Err(Problem::new(StatusCode::FORBIDDEN, "csrf", detail))
        }
    }
}

/// The contact that a path is about.
fn contact_of(path: &str, params: &RawPathParams) -> Option<ContactId> {
    let of = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let id = params.iter().find(|(name, _)| *name == "id")?.1;
    if of(OF_CONTACT) {
        // What is no id is refused by the handler, which says what is wrong with it.
        return id.parse().ok();
    }
    if of(OF_MESSAGE) {
        let id: TouchpointId = id.parse().ok()?;
        return Some(id.contact);
    }
    None
}

/// A contact that the caller does not see does not exist.
async fn check_sees(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    id: ContactId,
) -> Result<(), Problem> {
    let found = super::super::api::read(workspace, move |reader| {
        let Some(contact) = reader.contact(id)? else {
            return Ok(None);
        };
        let mut contact = contact;
        // Of one that was absorbed, whoever goes on is asked.
        for _ in 0..MERGES_FOLLOWED_MAX {
            let Some(survivor) = contact.merged_into else {
                break;
            };
            match reader.contact(survivor)? {
                Some(found) => contact = found,
                None => return Ok(None),
            }
        }
        Ok(Some(contact))
    });
    let sees = |contact: &Contact| {
        let owner = contact.responsible();
        caller.sees.allows(owner.as_deref())
    };
    match found.await? {
        Some(contact) if sees(&contact) => Ok(()),
        Some(_) | None => Err(Problem::not_found("contact")),
    }
}
