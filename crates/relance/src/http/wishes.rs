//! What a contact wishes of our messages, for programs: all that its own page shows and takes, by the same rules.
//!
//! **Absent:** the page itself, see [`super::preferences`].

use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_core::consent::{About, Consent, Evidence, Proof, Source};
use relance_core::contact::{Channel, Contact};
use relance_core::decide::Input;
use relance_core::ids::{Topic, TouchpointId};
use relance_core::preferences::{Frequency, PAUSE_MAX, Per, Preferences, Wishes};
use relance_core::time::Window;
use relance_engine::arrival::Arrival;
use relance_wire::api::{self as shape, status};
use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::link::Link;
use crate::send::compose::language_of;
use crate::workspace::Workspace;

use super::api::Answered;
use super::consent::known;
use super::preferences::{LANGUAGES, choices, is_wanted, updated};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(show, put))
}

/// What may be told.
const FIELDS: [&str; 8] = [
    "topics",
    "channels",
    "frequency",
    "window",
    "language",
    "paused_until",
    "source",
    "proof",
];

/// A contact's wishes, and the link of its own page.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/preferences", operation_id = "contacts_preferences", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), responses((status = 200, description = "the wishes, and the link of the contact's own page", body = status::PreferencesShown)))]
pub async fn show(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let contact = known(&workspace, &id).await?;
    Ok(Json(told(&workspace, &contact)))
}

/// Takes wishes over: what is left out stays as it is, and `null` takes away.
#[utoipa::path(put, path = "/api/v1/contacts/{id}/preferences", operation_id = "contacts_prefer", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), request_body = Object, responses((status = 200, description = "the wishes as they are now", body = status::PreferencesShown)))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Answered {
    let Json(asked) = body?;
    let contact = known(&workspace, &id).await?;
    let now = workspace.clock.now();
    let wishes = read(&workspace, &contact, &asked, now)?;
    let whole = TouchpointId {
        contact: contact.id,
        hash: 0,
    };
    let inputs = [
        Input::Prefer(Box::new(wishes)),
        Input::Event(Arc::new(updated(whole, now, false))),
    ];
    let arrivals = inputs.map(|input| Arrival::Input {
        contact: contact.id,
        input,
    });
    let object = contact.id.to_string();
    workspace
        .submit_as(&caller, arrivals.into(), 2_048, "contact.prefer", &object)
        .await?;
    let contact = known(&workspace, &id).await?;
    Ok(Json(told(&workspace, &contact)))
}

fn told(workspace: &Workspace, contact: &Contact) -> Value {
    let whole = TouchpointId {
        contact: contact.id,
        hash: 0,
    };
    let token = workspace.composer.links.sign(&Link::Preferences(whole));
    let config = workspace.config();
    let url = config.workspace.public_url.trim_end_matches('/');
    let now = workspace.clock.now();
    let (mut topics, mut channels) = (Map::new(), Map::new());
    for about in choices(workspace, contact) {
        let wanted = Value::Bool(is_wanted(workspace, contact, &about));
        match &about {
            About::Topic(topic) => topics.insert(topic.to_string(), wanted),
            About::Channel(channel) => channels.insert(channel.word().to_owned(), wanted),
        };
    }
    let own = Preferences {
        paused_until: contact
            .preferences
            .paused_until
            .filter(|until| *until > now),
        ..contact.preferences.clone()
    };
    let mut preferences = shape::preferences(&own);
    preferences["topics"] = Value::Object(topics);
    preferences["channels"] = Value::Object(channels);
    if let Some(language) = language_of(contact) {
        preferences["language"] = json!(language);
    }
    json!({
        "preferences": preferences,
        "consents": shape::consents(contact),
        "link": format!("{url}/p/{token}"),
    })
}

fn wrong(field: &str, what: &str) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "bad_preferences", format!("{field}: {what}"))
}

fn read(
    workspace: &Workspace,
    contact: &Contact,
    asked: &Map<String, Value>,
    now: Timestamp,
) -> Result<Wishes, Problem> {
    if let Some(other) = asked.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let known = FIELDS.join(", ");
        return Err(wrong(other, &format!("is not known; write any of {known}")));
    }
    let known = choices(workspace, contact);
    let mut answers = Vec::new();
    for (field, read) in [
        (
            "topics",
            (|word| Some(About::Topic(Topic::from(word)))) as fn(&str) -> _,
        ),
        ("channels", |word| {
            Channel::from_word(word).map(About::Channel)
        }),
    ] {
        let Some(value) = asked.get(field) else {
            continue;
        };
        let Some(wanted) = value.as_object() else {
            let what = "write an object such as { \"news\": true }, or leave it out";
            return Err(wrong(field, what));
        };
        for (word, wants) in wanted {
            let place = format!("{field}.{word}");
            let about = read(word).filter(|about| known.contains(about));
            let Some(about) = about else {
                let same = known.iter().filter(|one| is_of(one, field));
                let words: Vec<String> = same.map(bare_word).collect();
                let what = format!("is nothing that the contact can choose; there is {words:?}");
                return Err(wrong(&place, &what));
            };
            let Some(wants) = wants.as_bool() else {
                return Err(wrong(&place, "write true or false"));
            };
            if wants != is_wanted(workspace, contact, &about) {
                let answer = if wants {
                    Consent::Granted
                } else {
                    Consent::Denied
                };
                answers.push((about, answer));
            }
        }
    }
    let own = &contact.preferences;
    let preferences = Preferences {
        frequency: match asked.get("frequency") {
            None => own.frequency,
            Some(Value::Null) => None,
            Some(told) => Some(frequency(told)?),
        },
        window: match asked.get("window") {
            None => own.window.clone(),
            Some(Value::Null) => None,
            Some(told) => window(told)?,
        },
        paused_until: match asked.get("paused_until") {
            None => own.paused_until.filter(|until| *until > now),
            Some(Value::Null) => None,
            Some(told) => Some(pause(told, now)?),
        },
    };
    let language = asked.get("language");
    let language = language
        .map(|told| language_told(told, contact))
        .transpose()?;
    Ok(Wishes {
        preferences,
        answers,
        language: language.flatten(),
        evidence: evidence(asked)?,
    })
}

fn is_of(about: &About, field: &str) -> bool {
    match about {
        About::Topic(_) => field == "topics",
        About::Channel(_) => field == "channels",
    }
}

fn bare_word(about: &About) -> String {
    match about {
        About::Topic(topic) => topic.to_string(),
        About::Channel(channel) => channel.word().to_owned(),
    }
}

fn frequency(told: &Value) -> Result<Frequency, Problem> {
    let what = "write how many in which time, such as { \"most\": 2, \"per\": \"week\" } (or month), or null";
    let most = told["most"]
        .as_u64()
        .and_then(|most| u8::try_from(most).ok());
    let per = match told["per"].as_str() {
        Some("week") => Some(Per::Week),
        Some("month") => Some(Per::Month),
        Some(_) | None => None,
    };
    let frequency = most
        .zip(per)
        .and_then(|(most, per)| Frequency::new(most, per));
    frequency.ok_or_else(|| wrong("frequency", what))
}

/// Days and hours; the whole week is no window.
fn window(told: &Value) -> Result<Option<Window>, Problem> {
    let what =
        "write { \"days\": \"mon-fri\", \"hours\": \"09:00-18:00\" }, one of them or both, or null";
    let Some(told) = told.as_object() else {
        return Err(wrong("window", what));
    };
    let is_known = |name: &String| name == "days" || name == "hours";
    let is_text = told.values().all(Value::is_string);
    if told.is_empty() || !is_text || !told.keys().all(is_known) {
        return Err(wrong("window", what));
    }
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let window = Window::parse(text("days"), text("hours"));
    let window = window.map_err(|problem| wrong("window", &problem.to_string()))?;
    let always = Window::parse(None, None).ok();
    Ok(Some(window).filter(|window| Some(window) != always.as_ref()))
}

fn pause(told: &Value, now: Timestamp) -> Result<Timestamp, Problem> {
    let until: Option<Timestamp> = told.as_str().and_then(|text| text.parse().ok());
    let Some(until) = until else {
        let what = "write a moment such as 2027-01-31T00:00:00Z, or null";
        return Err(wrong("paused_until", what));
    };
    if until <= now || until.duration_since(now) > PAUSE_MAX {
        let what =
            "lies in the past, or more than 366 days ahead; a longer pause is an unsubscription";
        return Err(wrong("paused_until", what));
    }
    // Moments of the workspace are whole milliseconds.
    Ok(Timestamp::from_millisecond(until.as_millisecond()).unwrap_or(until))
}

/// Another language than the contact has.
fn language_told(told: &Value, contact: &Contact) -> Result<Option<String>, Problem> {
    let own = language_of(contact);
    match told.as_str() {
        Some(language) if Some(language) == own => Ok(None),
        Some(language) if LANGUAGES.contains(&language) => Ok(Some(language.to_owned())),
        Some(_) | None => {
            let what = format!("write one of {}", LANGUAGES.join(", "));
            Err(wrong("language", &what))
        }
    }
}

fn evidence(asked: &Map<String, Value>) -> Result<Evidence, Problem> {
    let source = asked.get("source").cloned().unwrap_or(json!(Source::Api));
    let source: Source =
        serde_json::from_value(source).map_err(|error| wrong("source", &error.to_string()))?;
    let proof = asked.get("proof").cloned().unwrap_or_else(|| json!({}));
    let proof: Proof =
        serde_json::from_value(proof).map_err(|error| wrong("proof", &error.to_string()))?;
    Ok(Evidence::of(source).with(proof))
}
