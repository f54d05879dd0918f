//! `/api/v1/mailboxes`: how mailboxes fare, and connecting them, by a password or by a provider's leave.
//!
//! A salesperson connects the own mailbox, an admin any. No answer holds a secret.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use relance_core::access::Permission;
use relance_core::ids::MailboxId;
use relance_core::policy::GivenUp;
use relance_wire::api::mailbox as shape;
use relance_wire::stored::{MailLogin, MailServer, Mailbox};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::origin;
use super::api::read;
use super::{Problem, Shared, drafts};
use crate::access::Caller;
use crate::autoconfig::net::{Internet, Real, points_home};
use crate::autoconfig::{discover as look_for, presets};
use crate::mailbox::book::{connections, password_context};
use crate::mailbox::change::{self, ChangeProblem, address_of, check_server};
use crate::mailbox::check;
use crate::mailbox::shown::{alert_after, all, may_change, sees};
use crate::mailbox::waiting::{self, Waiting};
use crate::oauth::flow::{self, Flow};
use crate::oauth::provider::{Asked, CALLBACK, OauthProblem, Provider};
use crate::workspace::Workspace;

/// The cookie of a flow under way.
const COOKIE: &str = "relance_mailbox";
/// How long somebody may take at the provider.
const FLOW_SECONDS_MAX: u32 = 600;
/// The page of mailboxes.
const PAGE: &str = "/mailboxes";

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(discover))
        .routes(routes!(try_out))
        .routes(routes!(one, put, delete))
        .routes(routes!(sync))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(forget))
        .routes(routes!(begin))
        .routes(routes!(finish))
}

impl From<ChangeProblem> for Problem {
    fn from(problem: ChangeProblem) -> Self {
        let of = |status, code| Self::new(status, code, &problem);
        match &problem {
            ChangeProblem::Field { field, what } => {
                let fields = serde_json::json!([{ "field": field, "message": what }]);
                of(StatusCode::UNPROCESSABLE_ENTITY, "bad_mailbox").with("fields", fields)
            }
            ChangeProblem::InFile(_) => of(StatusCode::CONFLICT, "mailbox_in_file"),
            ChangeProblem::Connected(_) => of(StatusCode::CONFLICT, "mailbox_connected"),
            ChangeProblem::NotFound => of(StatusCode::NOT_FOUND, "not_found"),
            ChangeProblem::NotYours => of(StatusCode::FORBIDDEN, "not_your_mailbox"),
            ChangeProblem::Stale => of(StatusCode::PRECONDITION_FAILED, "stale"),
            ChangeProblem::Full => of(StatusCode::CONFLICT, "mailboxes_full"),
            ChangeProblem::Vault(_) => of(StatusCode::SERVICE_UNAVAILABLE, "no_secret_key"),
            ChangeProblem::Stored(_) => of(StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
            ChangeProblem::Refused(refusal) => (*refusal).into(),
            ChangeProblem::Oauth(oauth) => of(StatusCode::CONFLICT, oauth.code()),
        }
    }
}

/// Mailboxes that a caller sees, and those that were removed.
async fn seen(
    workspace: &Arc<Workspace>,
    caller: &Caller,
) -> Result<(Vec<shape::Mailbox>, Vec<shape::MailboxGone>), Problem> {
    let (known, waiting) = read(workspace, |reader| {
        let known = reader.mailboxes()?;
        let waiting = Waiting::read(reader, &known)?;
        Ok((known, waiting))
    })
    .await?;
    let config = workspace.config();
    let alert_after = alert_after(&config.mailboxes.alert_after)
        .map_err(|problem| Problem::new(StatusCode::CONFLICT, "bad_setting", problem))?;
    let entries = workspace.watching.book.all();
    let health = workspace.mailboxes.health();
    let now = workspace.clock.now();
    let mut items = all(&entries, &health, &known, caller, now, alert_after);
    for item in &mut items {
        item.waiting = waiting.of(&item.address);
    }
    let gone = waiting::gone(&workspace.watching.book, &known, &waiting, caller);
    Ok((items, gone))
}

/// All mailboxes that the caller sees, and how they fare.
#[utoipa::path(get, path = "/api/v1/mailboxes", operation_id = "mailboxes_list", tag = "mailboxes", responses((status = 200, description = "all mailboxes, by address", body = shape::MailboxPage)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<shape::MailboxPage>, Problem> {
    let config = workspace.config();
    let oauth = Provider::ALL.into_iter();
    let oauth = oauth.filter(|provider| Asked::is_set_up(&config, *provider));
    let (items, gone) = seen(&workspace, &caller).await?;
    Ok(Json(shape::MailboxPage {
        items,
        gone,
        next: None,
        oauth: oauth.map(|provider| provider.word().to_owned()).collect(),
    }))
}

async fn shown(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
) -> Result<Json<shape::Mailbox>, Problem> {
    let mut all = seen(workspace, caller).await?.0.into_iter();
    let found = all.find(|mailbox| mailbox.address.eq_ignore_ascii_case(address.trim()));
    found.map(Json).ok_or(Problem::not_found("mailbox"))
}

/// One mailbox.
#[utoipa::path(get, path = "/api/v1/mailboxes/{address}", operation_id = "mailboxes_show", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), responses((status = 200, description = "the mailbox", body = shape::Mailbox), (status = 404, description = "there is none")))]
pub async fn one(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<Json<shape::Mailbox>, Problem> {
    shown(&workspace, &caller, &address).await
}

fn is_private_fine(workspace: &Workspace, caller: &Caller) -> bool {
    workspace.config().mailboxes.private_hosts || caller.may(Permission::Settings)
}

/// Looks for the servers of an address.
#[utoipa::path(post, path = "/api/v1/mailboxes/discover", operation_id = "mailboxes_discover", tag = "mailboxes", request_body = shape::DiscoverPost, responses((status = 200, description = "what was found; `source` `none` for nothing", body = shape::Discovered)))]
pub async fn discover(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<shape::DiscoverPost>, JsonRejection>,
) -> Result<Json<shape::Discovered>, Problem> {
    let Json(asked) = asked?;
    let address = address_of(&asked.address)?;
    let config = workspace.config();
    let users = workspace.access.users();
    let language = caller
        .address()
        .and_then(|own| users.get(own)?.language.clone())
        .unwrap_or_else(|| config.workspace.language.clone());
    // Files are fetched from the own network only where that is configured, whoever asks.
    let private = config.mailboxes.private_hosts;
    let _turn = turn(&workspace).await?;
    let real = config
        .mailboxes
        .discovery
        .then(|| Real::new(private))
        .flatten();
    let internet = real.as_ref().map(|real| real as &dyn Internet);
    let mut found = look_for(&address, &language, private, internet).await;
    let provider = found.oauth.as_deref().and_then(Provider::from_word);
    found.oauth_ready = provider.is_some_and(|provider| Asked::is_set_up(&config, provider));
    Ok(Json(found))
}

/// Those who look for servers and try mailboxes at once are few: each holds connections to others' servers.
async fn turn(workspace: &Workspace) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
    let turn = workspace.watching.checks.try_acquire();
    turn.map_err(|_| {
        let detail = "too many mailboxes are tried at once; try again in a moment";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail).retry_after(5)
    })
}

/// Tries a mailbox, step by step; nothing is saved.
#[utoipa::path(post, path = "/api/v1/mailboxes/check", operation_id = "mailboxes_check", tag = "mailboxes", request_body = shape::CheckPost, responses((status = 200, description = "what was tried, and how it went", body = shape::Checked)))]
pub async fn try_out(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<shape::CheckPost>, JsonRejection>,
) -> Result<Json<shape::Checked>, Problem> {
    let Json(asked) = asked?;
    let address = address_of(&asked.address)?;
    if !may_change(&caller, &address) {
        return Err(ChangeProblem::NotYours.into());
    }
    check_server(&workspace, &caller, "imap", &asked.imap)?;
    if let Some(smtp) = &asked.smtp {
        check_server(&workspace, &caller, "smtp", smtp)?;
    }
    let _turn = turn(&workspace).await?;
    check_names(
        &workspace,
        &caller,
        [Some(&asked.imap), asked.smtp.as_ref()],
    )
    .await?;
    let book = &workspace.watching.book;
    let known = book.find(&address);
    let stored = known.as_ref().map(|known| &known.stored);
    let secret = match (&asked.password, stored.map(|stored| &stored.login)) {
        (Some(password), _) => Ok(password.clone()),
        (None, Some(login)) => {
            // A saved secret goes to the server that it was entered for, and to no other.
            let same = stored.is_some_and(|stored| {
                stored.imap.host == asked.imap.host
                    && asked.smtp.as_ref().is_none_or(|asked| {
                        let smtp = stored.smtp.as_ref();
                        smtp.is_some_and(|smtp| smtp.host == asked.host)
                    })
            });
            if !same {
                let what = "the server is another one; enter the password".to_owned();
                let field = "password";
                return Err(ChangeProblem::Field { field, what }.into());
            }
            match login {
                MailLogin::Password(sealed) => Ok(workspace
                    .vault
                    .open_text(&password_context(&address), sealed)
                    .map_err(ChangeProblem::Vault)?),
                MailLogin::Oauth(_) => {
                    let token = workspace.watching.tokens.now(&address);
                    Err(token.map_err(|unready| {
                        Problem::new(StatusCode::CONFLICT, unready.code, unready.text)
                    })?)
                }
            }
        }
        (None, None) => {
            let (field, what) = ("password", "enter the password".to_owned());
            return Err(ChangeProblem::Field { field, what }.into());
        }
    };
    let preset = presets::all()
        .iter()
        .find(|preset| preset.imap.host == asked.imap.host);
    let hint = preset.map_or("none", |preset| preset.hint.as_str());
    let user = asked.user.as_deref().filter(|user| !user.is_empty());
    let user = user.unwrap_or(&address);
    let tried = Mailbox {
        name: None,
        provider: None,
        imap: asked.imap.clone(),
        smtp: asked.smtp.clone(),
        user: None,
        login: MailLogin::Password(String::new()),
        look_back_days: 1,
        sent_folder: None,
        aliases: Vec::new(),
        members: Vec::new(),
        paused: false,
        revision: 0,
        changed_by: String::new(),
        changed_at: workspace.clock.now(),
    };
    let (account, route) = connections(&tried, user, &secret, &book.trust);
    Ok(Json(check::check(&account, route.as_ref(), hint).await))
}

/// Names that lead into the own network are for admins.
async fn check_names<const N: usize>(
    workspace: &Workspace,
    caller: &Caller,
    servers: [Option<&MailServer>; N],
) -> Result<(), Problem> {
    if is_private_fine(workspace, caller) {
        return Ok(());
    }
    for server in servers.into_iter().flatten() {
        if points_home(&server.host).await {
            let what = "servers of the own network are connected by an admin".to_owned();
            let field = "imap";
            return Err(ChangeProblem::Field { field, what }.into());
        }
    }
    Ok(())
}

/// Connects a mailbox by a password, or changes one.
#[utoipa::path(put, path = "/api/v1/mailboxes/{address}", operation_id = "mailboxes_put", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox"), ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412")), request_body = shape::MailboxPut, responses((status = 200, description = "as it is now", body = shape::Mailbox), (status = 409, description = "`mailbox_in_file`"), (status = 412, description = "`stale`"), (status = 422, description = "`bad_mailbox`, with `fields`")))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
    headers: HeaderMap,
    wanted: Result<Json<shape::MailboxPut>, JsonRejection>,
) -> Result<Json<shape::Mailbox>, Problem> {
    let Json(wanted) = wanted?;
    let revision = drafts::named(&headers, &header::IF_MATCH);
    check_names(
        &workspace,
        &caller,
        [wanted.imap.as_ref(), wanted.smtp.as_ref()],
    )
    .await?;
    change::put(&workspace, &caller, &address, wanted, revision.as_deref()).await?;
    shown(&workspace, &caller, &address).await
}

/// Disconnects a mailbox, and takes the provider's leave back.
#[utoipa::path(delete, path = "/api/v1/mailboxes/{address}", operation_id = "mailboxes_remove", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), responses((status = 200, description = "removed", body = shape::MailboxRemoved), (status = 404, description = "there is none"), (status = 409, description = "`mailbox_in_file`")))]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<Json<shape::MailboxRemoved>, Problem> {
    Ok(Json(change::remove(&workspace, &caller, &address).await?))
}

/// Asks for a mailbox to be read now.
#[utoipa::path(post, path = "/api/v1/mailboxes/{address}/sync", operation_id = "mailboxes_sync", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), responses((status = 202, description = "it is read, where it is read here"), (status = 404, description = "there is none")))]
pub async fn sync(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<StatusCode, Problem> {
    let entry = workspace.watching.book.find(address.trim());
    let entry = entry.filter(|entry| sees(&caller, entry));
    let entry = entry.ok_or(Problem::not_found("mailbox"))?;
    let mailbox = MailboxId::from(entry.address.as_str());
    workspace.mailboxes.sync_now(&mailbox);
    Ok(StatusCode::ACCEPTED)
}

/// Puts a mailbox to rest: it is not read, and nothing is sent from it. Reminders that depend on it are held.
#[utoipa::path(post, path = "/api/v1/mailboxes/{address}/pause", operation_id = "mailboxes_pause", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), responses((status = 200, description = "as it is now", body = shape::Mailbox), (status = 404, description = "there is none"), (status = 409, description = "`mailbox_in_file`")))]
pub async fn pause(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<Json<shape::Mailbox>, Problem> {
    change::pause(&workspace, &caller, &address, true).await?;
    shown(&workspace, &caller, &address).await
}

/// Wakes a mailbox: it is read from where reading ended.
#[utoipa::path(post, path = "/api/v1/mailboxes/{address}/resume", operation_id = "mailboxes_resume", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), responses((status = 200, description = "as it is now", body = shape::Mailbox), (status = 404, description = "there is none"), (status = 409, description = "`mailbox_in_file`")))]
pub async fn resume(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<Json<shape::Mailbox>, Problem> {
    change::pause(&workspace, &caller, &address, false).await?;
    shown(&workspace, &caller, &address).await
}

/// Says that a removed mailbox will not be read again. Reminders that depend on it go on without it, or are left out.
#[utoipa::path(post, path = "/api/v1/mailboxes/{address}/forget", operation_id = "mailboxes_forget", tag = "mailboxes", params(("address" = String, Path, description = "the address of the mailbox")), request_body = shape::ForgetPost, responses((status = 204, description = "what waits goes on within some minutes"), (status = 404, description = "none of this address was watched"), (status = 409, description = "`mailbox_connected`"), (status = 422, description = "`bad_mailbox`, with `fields`")))]
pub async fn forget(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
    asked: Result<Json<shape::ForgetPost>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(asked) = asked?;
    let what = match asked.waiting.as_str() {
        "go_on" => GivenUp::GoOn,
        "leave_out" => GivenUp::LeaveOut,
        _other => {
            let (field, what) = ("waiting", "write go_on or leave_out".to_owned());
            return Err(ChangeProblem::Field { field, what }.into());
        }
    };
    let known = read(&workspace, relance_store::read::Reader::mailboxes).await?;
    waiting::forget(&workspace, &caller, &address, what, &known).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn flow_cookie(workspace: &Workspace, value: &str) -> Option<HeaderValue> {
    let secure = if workspace
        .config()
        .workspace
        .public_url
        .starts_with("https:")
    {
        "; Secure"
    } else {
        ""
    };
    let age = if value.is_empty() {
        0
    } else {
        FLOW_SECONDS_MAX
    };
    let text =
        format!("{COOKIE}={value}; Path={CALLBACK}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

/// Begins the way to a provider of tokens; the browser goes to `url`.
#[utoipa::path(post, path = "/api/v1/mailboxes/oauth/{provider}", operation_id = "mailboxes_oauth", tag = "mailboxes", params(("provider" = String, Path, description = "`google` or `microsoft`")), request_body = shape::OauthPost, responses((status = 200, description = "where the browser goes", body = shape::OauthBegun), (status = 409, description = "`oauth_not_set_up`")))]
pub async fn begin(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(provider): Path<String>,
    asked: Result<Json<shape::OauthPost>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = asked?;
    let provider = Provider::from_word(&provider).ok_or(Problem::not_found("provider"))?;
    let address = asked.address.filter(|address| !address.trim().is_empty());
    let address = address.as_deref().map(address_of).transpose()?;
    if let Some(address) = &address
        && !may_change(&caller, address)
    {
        return Err(ChangeProblem::NotYours.into());
    }
    let begun = flow::begin(&workspace, &caller, provider, address.as_deref());
    let (url, flow) = begun.map_err(ChangeProblem::Oauth)?;
    let mut response = Json(shape::OauthBegun { url }).into_response();
    if let Some(cookie) = flow_cookie(&workspace, &flow.text()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What the provider brings back.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Back {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// Comes back from the provider, with the mailbox connected.
#[utoipa::path(get, path = "/auth/mailbox", operation_id = "mailboxes_oauth_finish", tag = "mailboxes", params(Back), responses((status = 303, description = "to the page of mailboxes, with `connected` or `refused`")))]
pub async fn finish(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let flow = origin::cookie_named(&headers, COOKIE).and_then(Flow::parse);
    let place = match connected(&workspace, &caller, flow, back).await {
        Ok(address) => format!("{PAGE}?connected={}", percent(&address)),
        Err(problem) => {
            let code = match &problem {
                ChangeProblem::Oauth(problem) => problem.code(),
                ChangeProblem::NotYours => "wrong_address",
                ChangeProblem::InFile(_) => "mailbox_in_file",
                ChangeProblem::Field { .. }
                | ChangeProblem::Connected(_)
                | ChangeProblem::NotFound
                | ChangeProblem::Stale
                | ChangeProblem::Full
                | ChangeProblem::Vault(_)
                | ChangeProblem::Stored(_)
                | ChangeProblem::Refused(_) => "other",
            };
            tracing::warn!(code, "a mailbox was not connected");
            format!("{PAGE}?refused={code}")
        }
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let own = response.headers_mut();
    if let Ok(place) = HeaderValue::from_str(&place) {
        own.insert(header::LOCATION, place);
    }
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = flow_cookie(&workspace, "") {
        own.append(header::SET_COOKIE, cookie);
    }
    response
}

async fn connected(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    flow: Option<Flow>,
    back: Back,
) -> Result<String, ChangeProblem> {
    let code = match (back.code, back.error) {
        (Some(code), None) => code,
        (_, Some(error)) => {
            let said = error.chars().take(80).collect();
            return Err(OauthProblem::Refused(said).into());
        }
        (None, None) => return Err(OauthProblem::NotBegun.into()),
    };
    let (flow, granted) = flow::finish(workspace, caller, flow, &back.state, &code).await?;
    let told = granted.address;
    let asked = flow.address.clone();
    let address = if asked.is_empty() || asked == told {
        told.clone()
    } else {
        // At Microsoft a person who may opens a shared mailbox by their own leave; that is said by an admin.
        let shared = flow.provider() == Provider::Microsoft && caller.may(Permission::Settings);
        if !shared {
            return Err(OauthProblem::WrongAddress { told, asked }.into());
        }
        asked
    };
    if !may_change(caller, &address) {
        return Err(ChangeProblem::NotYours);
    }
    let is_shared = address != told;
    // XOAUTH2 names the mailbox, and the token the person.
    let user = address.clone();
    let known = granted.known;
    change::connect(workspace, caller, flow.provider(), &address, &user, known).await?;
    if is_shared {
        tracing::info!("a shared mailbox was connected by the leave of a person");
    }
    Ok(address)
}

fn percent(text: &str) -> String {
    let letters = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        _other => format!("%{byte:02X}"),
    });
    letters.collect()
}
