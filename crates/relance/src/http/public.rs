//! Pages for recipients: opens, clicks, unsubscribing.
//!
//! GET never changes what a contact gets (R7): an unsubscribe link shows a question, and the POST, by its
//! button or by the mail program's one-click (RFC 8058), acts.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use relance_core::decide::Input;
use relance_core::event::{Event, names};
use relance_core::ids::TouchpointId;
use relance_core::value::Value;
use relance_engine::arrival::{Arrival, Refusal};

use crate::link::Link;
use crate::workspace::Workspace;

use super::Shared;
use super::html::escape;

/// What a mail program sends in its user's name (RFC 8058).
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";

/// A transparent picture of one pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

/// Words in the names of programs that open and click without a person.
const MACHINES: [&str; 14] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "scan",
    "fetch",
    "monitor",
    "curl",
    "wget",
    "python",
    "headless",
    "proofpoint",
    "barracuda",
    "mimecast",
];

/// The pixel of a message was shown.
pub async fn open(
    State(workspace): Shared,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(Link::Open(id)) = workspace.composer.links.verify(&token) else {
        return not_found(&headers);
    };
    let mut event = event_of(&workspace, names::EMAIL_OPENED, id, &method, &headers);
    // A mail program shows a picture many times; once a minute is enough to know.
    let minute = event.at.as_second() / 60;
    event.message_id = Some(format!("open:{id}:{}:{minute}", by_whom(&event)).into());
    // The picture is shown all the same: the recipient has no part in our troubles.
    let _refused = record(&workspace, id, event).await;
    let headers = [
        (header::CONTENT_TYPE, "image/gif"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, PIXEL).into_response()
}

/// A link of a message was followed.
pub async fn click(
    State(workspace): Shared,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(Link::Click(id, url)) = workspace.composer.links.verify(&token) else {
        return not_found(&headers);
    };
    let Ok(location) = HeaderValue::from_str(&url) else {
        return not_found(&headers);
    };
    let mut event = event_of(&workspace, names::EMAIL_LINK_CLICKED, id, &method, &headers);
    let second = event.at.as_second();
    let place = blake3::hash(url.as_bytes()).to_hex();
    event.message_id =
        Some(format!("click:{id}:{}:{}:{second}", by_whom(&event), &place[..16]).into());
    event
        .properties
        .insert("url".to_owned(), Value::String(url));
    // The reader gets where the link leads all the same.
    let _refused = record(&workspace, id, event).await;
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

/// Asks whether the recipient really wants to leave.
pub async fn unsubscribe_page(
    State(workspace): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match workspace.composer.links.verify(&token) {
        Some(Link::Unsubscribe(id) | Link::Preferences(id)) => {
            let words = Words::of(&headers);
            let action = workspace.composer.links.sign(&Link::Unsubscribe(id));
            let form = format!(
                "<p>{}</p><form method=\"post\" action=\"/u/{action}\"><button>{}</button></form>",
                escape(words.question),
                escape(words.button)
            );
            page(&words, &workspace.config().workspace.name, &form)
        }
        Some(Link::Open(_) | Link::Click(..) | Link::Confirm(..)) | None => not_found(&headers),
    }
}

/// The recipient leaves.
pub async fn unsubscribe(
    State(workspace): Shared,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(Link::Unsubscribe(id)) = workspace.composer.links.verify(&token) else {
        return not_found(&headers);
    };
    let words = Words::of(&headers);
    let mut event = event_of(&workspace, names::UNSUBSCRIBED, id, &method, &headers);
    // Mail providers act for their users here: what looks like a machine is the person's wish.
    event.properties.remove(names::MACHINE);
    let one_click = body.as_ref() == ONE_CLICK;
    let source = if one_click { "one_click" } else { "link" };
    event
        .properties
        .insert("source".to_owned(), Value::String(source.to_owned()));
    match record(&workspace, id, event).await {
        Ok(()) => {
            let config = workspace.config();
            let name = &config.workspace.name;
            page(&words, name, &format!("<p>{}</p>", escape(words.done)))
        }
        Err(refusal) => super::Problem::from(refusal).into_response(),
    }
}

fn event_of(
    workspace: &Workspace,
    name: &str,
    id: TouchpointId,
    method: &Method,
    headers: &HeaderMap,
) -> Event {
    let now = workspace.clock.now();
    let at = jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let mut event = Event::track(name, at);
    event
        .properties
        .insert("touchpoint".to_owned(), Value::String(id.to_string()));
    if *method == Method::HEAD || is_machine(headers) {
        event
            .properties
            .insert(names::MACHINE.to_owned(), Value::Bool(true));
    }
    event
}

/// Tells a person's open or click from a machine's: the one must not be taken for a repetition of the other.
fn by_whom(event: &Event) -> &'static str {
    if event.by_machine() {
        "machine"
    } else {
        "person"
    }
}

/// Whether a program without a person asks.
fn is_machine(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let prefetched = text(header::HeaderName::from_static("sec-purpose"))
        .or(text(header::HeaderName::from_static("purpose")))
        .is_some_and(|purpose| purpose.contains("prefetch"));
    match text(header::USER_AGENT) {
        None => true,
        Some(agent) => {
            let agent = agent.to_lowercase();
            prefetched || MACHINES.iter().any(|word| agent.contains(word))
        }
    }
}

async fn record(workspace: &Workspace, id: TouchpointId, event: Event) -> Result<(), Refusal> {
    let input = Input::Event(Arc::new(event));
    workspace
        .submit(
            vec![Arrival::Input {
                contact: id.contact,
                input,
            }],
            512,
        )
        .await
}

fn not_found(headers: &HeaderMap) -> Response {
    let words = Words::of(headers);
    let mut response = page(&words, "", &format!("<p>{}</p>", escape(words.unknown)));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn page(words: &Words, name: &str, body: &str) -> Response {
    let name = escape(name);
    let title = if name.is_empty() { "404" } else { &name };
    let html = Html(format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>{STYLE}</style><main><h1>{name}</h1>{body}</main></html>",
        words.language,
    ));
    ([(header::CACHE_CONTROL, "no-store")], html).into_response()
}

const STYLE: &str = ":root{--ink:#1a1f2b;--soft:#667085;--paper:#f3f4f7;--card:#fff;color-scheme:light dark}\
body{font:17px/1.6 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;color:var(--ink);background:var(--paper)}\
main{box-sizing:border-box;width:min(30rem,100vw - 2rem);padding:2.5rem 2rem;border-radius:.9rem;background:var(--card);text-align:center}\
h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0}p{font-size:1.15rem;margin:1rem 0 0;text-wrap:balance}form{margin:1.8rem 0 0}\
button{font:inherit;font-weight:600;color:#fff;background:#1f2a44;border:0;border-radius:.5rem;padding:.7rem 1.5rem;cursor:pointer}\
button:hover{background:#33426b}button:focus-visible{outline:3px solid #7d95d6;outline-offset:2px}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#98a1b3;--paper:#0f1218;--card:#1a1f2b}button{color:#14171f;background:#c9d4f0}button:hover{background:#e1e8fa}}";

/// The few words that recipients read.
struct Words {
    language: &'static str,
    question: &'static str,
    button: &'static str,
    done: &'static str,
    unknown: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    question: "Do you want to stop receiving these messages?",
    button: "Yes, unsubscribe me",
    done: "You will not receive these messages any more.",
    unknown: "This link is not valid. It may have been copied in part; open it from the message again.",
};
const RUSSIAN: Words = Words {
    language: "ru",
    question: "Вы больше не хотите получать эти сообщения?",
    button: "Да, отписаться",
    done: "Вы больше не будете получать эти сообщения.",
    unknown: "Ссылка недействительна. Возможно, она скопирована не полностью; откройте её из письма ещё раз.",
};
const JAPANESE: Words = Words {
    language: "ja",
    question: "今後、このメールの受信を停止しますか？",
    button: "はい、配信を停止します",
    done: "今後、このメールは届きません。",
    unknown: "このリンクは無効です。一部しかコピーされていない可能性があります。メールからもう一度開いてください。",
};

impl Words {
    /// By what the browser prefers.
    fn of(headers: &HeaderMap) -> Words {
        let wanted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let first = wanted.get(..2).unwrap_or_default().to_lowercase();
        match first.as_str() {
            "ru" => RUSSIAN,
            "ja" => JAPANESE,
            _other => ENGLISH,
        }
    }
}
