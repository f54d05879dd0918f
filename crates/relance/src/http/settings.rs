//! `/api/v1/settings`: what is in force, without secrets, and whether a channel works.
//!
//! Every field is named here one by one, so that a secret that is added to the configuration later does not come out
//! by itself. What people change in the interface is changed section by section; the rest in the file `relance.toml`.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use relance_core::contact::Channel;
use relance_wire::api::settings::{SectionListed, SectionPut, SectionShown};
use relance_wire::api::template::{ChannelShown, Settings, TestSent};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::config::{Config, Delivery, FILE_NAME, QuietConfig, SmtpConfig, Tls};
use crate::send::post::Letter;
use crate::settings::{self, ChangeProblem, Section, SettingsProblem};
use crate::workspace::Workspace;

use super::templates::{Tests, post, recipient};
use super::{Problem, Shared, drafts};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(section, put_section, reset_section))
        .routes(routes!(test))
}

/// What is in force.
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    operation_id = "settings_show",
    tag = "settings",
    responses((status = 200, description = "what is in force, without secrets", body = Settings))
)]
pub async fn show(State(workspace): Shared) -> Result<Json<Settings>, Problem> {
    let config = &workspace.config();
    let own = workspace.clone();
    let sections = aside(move || {
        let stored = settings::read_stored(&own.reader)?;
        let (file, now) = (&own.settings.file, own.config());
        let all = Section::ALL.into_iter();
        let all = all.map(|one| settings::shown_of(one, file, &stored, &now).into());
        Ok::<Vec<SectionListed>, SettingsProblem>(all.collect())
    });
    let sections = sections.await?;
    Ok(Json(Settings {
        sections,
        workspace: of_workspace(config),
        channels: channels(config),
        configuration: configuration(config),
        file: FILE_NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}

/// Reads beside the threads of the network.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, SettingsProblem> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await;
    let ended = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "try again");
    read.map_err(ended)?.map_err(|problem| failed(&problem))
}

fn failed(problem: &SettingsProblem) -> Problem {
    match problem {
        SettingsProblem::File(_) | SettingsProblem::Changed { .. } => {
            Problem::new(StatusCode::CONFLICT, "bad_setting", problem)
        }
        SettingsProblem::Store(_) | SettingsProblem::Read(_) => {
            tracing::error!(%problem, "the settings could not be read");
            let detail = "the database could not be read; the server's log says why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_failed", detail)
        }
    }
}

impl From<ChangeProblem> for Problem {
    fn from(problem: ChangeProblem) -> Self {
        match problem {
            ChangeProblem::Refused(refusal) => refusal.into(),
            ChangeProblem::Stored(problem) => failed(&problem),
            ChangeProblem::Stale(ref theirs) => {
                let told = Self::new(StatusCode::PRECONDITION_FAILED, "stale", &problem);
                told.with("by", json!(theirs.changed_by))
                    .with("value", theirs.value.clone())
                    .with("revision", json!(theirs.revision))
                    .with("updated_at", json!(theirs.changed_at))
            }
            ChangeProblem::Wrong(ref faults) => {
                let fields = faults
                    .iter()
                    .map(|fault| json!({ "field": fault.field, "message": fault.what }));
                let told = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_setting", &problem);
                told.with("fields", Value::from_iter(fields))
            }
        }
    }
}

fn named(word: &str) -> Result<Section, Problem> {
    Section::from_word(word).ok_or_else(|| {
        let detail = format!(
            "there is no section {word:?} that is changed here; it may be {}",
            Section::words()
        );
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    })
}

/// One section of the settings: what is in force, and what the file says.
#[utoipa::path(
    get,
    path = "/api/v1/settings/{section}",
    operation_id = "settings_section_show",
    tag = "settings",
    params(("section" = String, Path, description = "`workspace`, `quiet_hours`, `caps`, `topics`, `consent`, `smtp`, `oauth_clients` or `costs`")),
    responses(
        (status = 200, description = "the section, without secrets", body = SectionShown),
        (status = 404, description = "there is no such section")
    )
)]
pub async fn section(
    State(workspace): Shared,
    Path(word): Path<String>,
) -> Result<Json<SectionShown>, Problem> {
    let section = named(&word)?;
    let shown = aside(move || settings::shown(&workspace, section)).await?;
    Ok(Json(shown))
}

/// Changes one section; it is in force at once. What is wrong is said for all fields together.
#[utoipa::path(
    put,
    path = "/api/v1/settings/{section}",
    operation_id = "settings_section_put",
    tag = "settings",
    params(
        ("section" = String, Path, description = "`workspace`, `quiet_hours`, `caps`, `topics`, `consent`, `smtp`, `oauth_clients` or `costs`"),
        ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412 and the other's value")
    ),
    request_body = SectionPut,
    responses(
        (status = 200, description = "it is in force", body = SectionShown),
        (status = 404, description = "there is no such section"),
        (status = 412, description = "somebody else changed it meanwhile: `by`, `value`, `revision`, `updated_at` are theirs"),
        (status = 422, description = "it cannot be used: `fields` says what is wrong with each field")
    )
)]
pub async fn put_section(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(word): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<SectionPut>, JsonRejection>,
) -> Result<Json<SectionShown>, Problem> {
    let section = named(&word)?;
    let Json(asked) = asked?;
    let revision = drafts::named(&headers, &header::IF_MATCH);
    let shown = settings::put(&workspace, &caller, section, asked.value, revision).await?;
    Ok(Json(shown))
}

/// Takes back what was changed of one section: the file counts again.
#[utoipa::path(
    delete,
    path = "/api/v1/settings/{section}",
    operation_id = "settings_section_reset",
    tag = "settings",
    params(
        ("section" = String, Path, description = "`workspace`, `quiet_hours`, `caps`, `topics`, `consent`, `smtp`, `oauth_clients` or `costs`"),
        ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412 and the other's value")
    ),
    responses(
        (status = 200, description = "the file counts again", body = SectionShown),
        (status = 404, description = "there is no such section"),
        (status = 412, description = "somebody else changed it meanwhile")
    )
)]
pub async fn reset_section(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(word): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SectionShown>, Problem> {
    let section = named(&word)?;
    let revision = drafts::named(&headers, &header::IF_MATCH);
    let shown = settings::reset(&workspace, &caller, section, revision).await?;
    Ok(Json(shown))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

fn of_workspace(config: &Config) -> Map<String, Value> {
    let own = &config.workspace;
    fields(json!({
        "name": own.name,
        "zone": own.zone,
        "calendar": own.calendar,
        "language": own.language,
        "country": own.country,
        "public_url": own.public_url,
        "address": own.address,
        "from_name": own.from_name,
        "internal_domains": own.internal_domains,
        "opt_in_topics": own.opt_in_topics,
        "approval_expiry": own.approval_expiry,
        "delivery": own.delivery.word(),
        "service_asks": own.service_asks,
        "holdout": own.holdout,
    }))
}

/// Every channel that there is a word for, and by what it goes.
fn channels(config: &Config) -> Vec<ChannelShown> {
    let shown = |channel: Channel| {
        let (ready, by, route) = match (channel, config.workspace.delivery, &config.smtp) {
            (Channel::Email, Delivery::Outbox, _) => (true, "outbox", None),
            (Channel::Email, Delivery::Smtp, Some(smtp)) => (true, "smtp", Some(smtp)),
            (Channel::Email, Delivery::Smtp, None) => {
                (!config.mailbox.is_empty(), "mailboxes", None)
            }
            (_, _, _) => (false, "none", None),
        };
        ChannelShown {
            channel: channel.word().to_owned(),
            ready,
            by: by.to_owned(),
            server: route.map(|smtp| format!("{}:{}", smtp.host, smtp.port)),
            tls: route.map(|smtp| settings::tls_word(smtp.tls).to_owned()),
        }
    };
    Channel::ALL.into_iter().map(shown).collect()
}

fn server(smtp: &SmtpConfig) -> String {
    let tls = match smtp.tls {
        Tls::Implicit => "TLS",
        Tls::Starttls => "STARTTLS",
        Tls::None => "not encrypted",
    };
    format!("{}:{} ({tls})", smtp.host, smtp.port)
}

fn configuration(config: &Config) -> Map<String, Value> {
    let mailboxes = config.mailbox.iter().map(|mailbox| {
        json!({
            "address": mailbox.address,
            "name": mailbox.name,
            "imap": format!("{}:{}", mailbox.imap.host, mailbox.imap.port),
            "smtp": mailbox.smtp.as_ref().or(config.smtp.as_ref()).map(server),
            "look_back_days": mailbox.imap.look_back_days,
        })
    });
    let topics = config.topic.iter().map(
        |topic| json!({ "id": topic.id, "name": topic.name, "description": topic.description }),
    );
    let caps = config.cap.iter().map(|cap| {
        json!({
            "channel": cap.channel,
            "topic": cap.topic,
            "days": cap.days,
            "per": cap.per,
            "most": cap.most,
        })
    });
    let quiet = config.quiet_hours.iter().map(|(channel, quiet)| {
        let periods = match quiet {
            QuietConfig::Daily(hours) => json!([{ "days": null, "hours": hours }]),
            QuietConfig::Periods(periods) => periods
                .iter()
                .map(|period| json!({ "days": period.days, "hours": period.hours }))
                .collect(),
        };
        json!({ "channel": channel, "periods": periods })
    });
    let people = config.user.iter().map(|user| {
        json!({
            "address": user.address,
            "name": user.name,
            "role": user.role,
            "language": user.language,
            "deputy": user.deputy,
        })
    });
    let signatures = config
        .dkim
        .iter()
        .map(|key| json!({ "domain": key.domain, "selector": key.selector }));
    let traits = config.traits.iter();
    let traits =
        traits.map(|(name, kind)| (name.clone(), json!(format!("{kind:?}").to_lowercase())));
    fields(json!({
        "mailboxes": Value::from_iter(mailboxes),
        "topics": Value::from_iter(topics),
        "caps": Value::from_iter(caps),
        "quiet_hours": Value::from_iter(quiet),
        "people": Value::from_iter(people),
        "dkim": Value::from_iter(signatures),
        "traits": Value::Object(traits.collect()),
        "consent": {
            "double_opt_in": config.consent.double_opt_in,
            "confirmations_per_day": config.consent.confirmations_per_day,
            "confirm_within_days": config.consent.confirm_within_days,
        },
        "rfm": config.rfm.value(),
        "store": if config.store.url.is_some() || config.store.url_file.is_some() { "postgresql" } else { "sqlite" },
        "node": config.store.node,
    }))
}

/// Which channel is tried.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SettingsTestAsked)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// `email`.
    channel: String,
    /// An address; the caller's own by default.
    to: Option<String>,
}

/// Sends the caller a message by a channel, to see whether it arrives.
#[utoipa::path(
    post,
    path = "/api/v1/settings/test",
    operation_id = "settings_test",
    tag = "settings",
    request_body = Try,
    responses(
        (status = 200, description = "it went", body = TestSent),
        (status = 409, description = "the channel is not set up, or did not take it")
    )
)]
pub async fn test(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(tests): Extension<Arc<Tests>>,
    asked: Result<Json<Try>, JsonRejection>,
) -> Result<Json<TestSent>, Problem> {
    let Json(asked) = asked?;
    let Some(channel) = Channel::from_word(&asked.channel) else {
        let detail = format!("channel {:?} is not known; use email", asked.channel);
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_channel",
            detail,
        ));
    };
    if channel != Channel::Email {
        let detail = format!("the channel {} is not set up", channel.word());
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "channel_not_configured",
            detail,
        ));
    }
    let to = recipient(&workspace, &caller, asked.to.as_deref()).await?;
    let config = workspace.config();
    let name = &config.workspace.name;
    let letter = Letter {
        to,
        subject: format!("[Test] {name}: this channel works"),
        text: format!(
            "This message was sent from Relance to see whether e-mail of {name} arrives. It did.\n"
        ),
        ..Letter::default()
    };
    post(&workspace, &caller, &tests, letter, "channel email")
        .await
        .map(Json)
}
