//! `/api/openapi.json`: the management API as a document, made from the handlers themselves.
//!
//! A route that is in the router is in the document, with the shapes that the code gives out; `web/openapi.json`
//! is the same document as the interface's client is generated from, and a test compares them. What holds for
//! every route is said here once: who may call, and that every refusal is a [`Problem`].
//!
//! **Absent:** ingestion and the public pages, which follow specifications of their own.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::workspace::Workspace;

use super::Problem;

/// The cookie of a session.
const SESSION_COOKIE: &str = "relance_session";
/// What refusals are.
const PROBLEM_KIND: &str = "application/problem+json";
/// The methods of OpenAPI's path items.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Relance management API",
        version = "1",
        description = "Everything that the web interface does. Lists answer `{\"items\": [...], \"next\": cursor}`; \
            moments are RFC 3339; refusals are RFC 9457 problems with a stable `code`. See the guide, `docs/guide/api.md`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "this server")),
    components(schemas(Problem)),
    security(("bearer" = []), ("cookie" = [])),
    tags(
        (name = "session", description = "Who is signed in, and signing in and out"),
        (name = "users", description = "People who log in, their invitations, keys, and what they changed"),
        (name = "overview", description = "What happened, what waits, and whether the workspace works"),
        (name = "contacts", description = "People: found, shown, merged, explained, forgotten"),
        (name = "accounts", description = "Companies and their contacts"),
        (name = "documents", description = "Invoices, offers and other objects"),
        (name = "messages", description = "Messages, and the questions for approval among them"),
        (name = "tasks", description = "What people have to do"),
        (name = "consent", description = "Consents, preferences, suppressions, erasures"),
        (name = "segments", description = "Segments, their members, and recency, frequency, money"),
        (name = "journeys", description = "Journeys, their drafts, versions, previews and numbers"),
        (name = "templates", description = "Templates and content lists"),
        (name = "imports", description = "Files taken in, and lists given out"),
        (name = "recognition", description = "What is found in mails, and corrections of it"),
        (name = "payments", description = "Payments, and statements of banks that tell of them"),
        (name = "mailboxes", description = "Mailboxes: how they fare, and connecting them"),
        (name = "settings", description = "What is in force, and whether channels work"),
        (name = "live", description = "What changes, as it changes"),
    ),
)]
struct Document;

/// A router whose document has what holds for all.
pub(super) fn begin() -> OpenApiRouter<Arc<Workspace>> {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("an API token with the scope `admin`"))
        .build();
    let cookie = ApiKeyValue::with_description(
        SESSION_COOKIE,
        "a session of a user; calls that change something carry `X-Relance-Csrf`",
    );
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    OpenApiRouter::with_openapi(document)
}

/// The document as it is served: every operation says that a refusal is a problem.
pub fn finish(document: &utoipa::openapi::OpenApi) -> Value {
    let mut value = json!(document);
    let shape = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    let content = json!({ PROBLEM_KIND: shape });
    let paths = value["paths"].as_object_mut().into_iter();
    for item in paths.flat_map(|paths| paths.values_mut()) {
        for method in METHODS {
            let Some(operation) = item.get_mut(method) else {
                continue;
            };
            let Some(responses) = operation["responses"].as_object_mut() else {
                continue;
            };
            for (status, response) in responses.iter_mut() {
                if status.starts_with('4') || status.starts_with('5') {
                    response["content"] = content.clone();
                }
            }
            responses.entry("default").or_insert_with(|| {
                json!({ "description": "a refusal; `code` says which, `detail` what to do", "content": content })
            });
        }
    }
    open_objects(&mut value["components"]["schemas"]);
    value
}

/// An object of which no field is told has any fields, and says so: some generators take it for one with none.
fn open_objects(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_object = fields.get("type").is_some_and(|kind| match kind {
                Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
                kind => kind == "object",
            });
            let tells = ["properties", "additionalProperties", "allOf"];
            if is_object && !tells.iter().any(|name| fields.contains_key(*name)) {
                fields.insert("additionalProperties".to_owned(), json!(true));
            }
            fields.values_mut().for_each(open_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(open_objects),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The document without a server.
pub fn document() -> Value {
    finish(&super::api().into_openapi())
}

/// Serves the document.
pub(super) fn route(document: &utoipa::openapi::OpenApi) -> MethodRouter<Arc<Workspace>> {
    let text: Arc<str> = finish(document).to_string().into();
    let tag = format!("\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..32]);
    get(move |headers: HeaderMap| {
        let (text, tag) = (text.clone(), tag.clone());
        async move { answer(&headers, &text, &tag) }
    })
}

fn answer(headers: &HeaderMap, text: &str, tag: &str) -> Response {
    let mut response = match headers.get(header::IF_NONE_MATCH) {
        Some(known) if known.as_bytes() == tag.as_bytes() => {
            StatusCode::NOT_MODIFIED.into_response()
        }
        Some(_) | None => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (kind, text.to_owned()).into_response()
        }
    };
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The document that the interface's client is generated from.
    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json");
    /// The handlers.
    const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");

    fn operations(document: &Value) -> Vec<(String, &'static str, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let mut all = Vec::new();
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    all.push((path.clone(), method, operation.clone()));
                }
            }
        }
        all
    }

    #[test]
    fn openapi_document_is_the_one_that_the_interface_was_made_from() {
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("RELANCE_WRITE_GOLDEN").is_some() {
            std::fs::write(GOLDEN, &text).unwrap();
        }
        let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
        assert!(
            golden == text,
            "web/openapi.json is not current; run this test with RELANCE_WRITE_GOLDEN=1 and generate the client"
        );
    }

    #[test]
    fn openapi_operations_have_names_of_their_own_a_tag_and_problems() {
        let document = document();
        let known: BTreeSet<&str> = document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|tag| tag["name"].as_str())
            .collect();
        let mut names = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let place = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap_or_default();
            assert!(!name.is_empty(), "{place} has no operation id");
            assert!(names.insert(name.to_owned()), "{place}: {name} is taken");
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            assert!(known.contains(tag), "{place}: tag {tag:?} is not known");
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.starts_with('4') || status == "default" {
                    let shape = &response["content"][PROBLEM_KIND]["schema"]["$ref"];
                    assert_eq!(shape, "#/components/schemas/Problem", "{place} {status}");
                }
            }
        }
    }

    #[test]
    fn openapi_references_name_what_is_there() {
        let document = document();
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            if let Some(target) = value.get("$ref").and_then(Value::as_str) {
                let found = document.pointer(target.trim_start_matches('#'));
                assert!(found.is_some(), "{target}");
            }
            match value {
                Value::Object(fields) => open.extend(fields.values()),
                Value::Array(items) => open.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    /// A route added by hand, past `routes!`, would be missing from the document.
    #[test]
    fn openapi_leaves_out_no_route() {
        let document = document();
        let mut folders = vec![Path::new(SOURCES).to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for piece in source.split(".route(").skip(1) {
                    let route = piece.split('"').nth(1).unwrap_or_default();
                    assert!(
                        !route.starts_with("/api/v1/") || document["paths"].get(route).is_some(),
                        "{route} of {} is not documented: use routes!",
                        path.display()
                    );
                }
            }
        }
    }
}
