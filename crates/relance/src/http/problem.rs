//! Errors of the API: RFC 9457 problem details, each naming the field and the remedy.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relance_engine::arrival::Refusal;
use relance_store::read::ReadError;
use serde_json::{Value, json};

/// The code of a key that is missing or opens nothing.
const UNAUTHORISED: &str = "unauthorised";

/// A refusal of a request.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    /// A short stable code.
    pub(super) code: &'static str,
    /// What is wrong and what to do, for people.
    pub(super) detail: String,
    retry_after_seconds: Option<u32>,
    more: Vec<(&'static str, Value)>,
}

impl Problem {
    /// A problem that the caller can mend.
    pub fn new(status: StatusCode, code: &'static str, detail: impl ToString) -> Self {
        Self {
            status,
            code,
            detail: detail.to_string(),
            retry_after_seconds: None,
            more: Vec::new(),
        }
    }

    /// With the time after which it may go better.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// With a further member of the answer.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.push((name, value));
        self
    }

    /// The key is missing or opens nothing.
    pub fn unauthorised(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, UNAUTHORISED, detail)
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code, wait) = match refusal {
            Refusal::Busy {
                retry_after_seconds,
            } => (StatusCode::TOO_MANY_REQUESTS, "busy", retry_after_seconds),
            Refusal::Overtaken => (StatusCode::SERVICE_UNAVAILABLE, "overtaken", 1),
            Refusal::StoreFailed => (StatusCode::SERVICE_UNAVAILABLE, "store_failed", 5),
            Refusal::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping", 5),
        };
        Self {
            retry_after_seconds: Some(wait),
            ..Self::new(status, code, refusal)
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Cursor(_) => Self::new(StatusCode::BAD_REQUEST, "bad_cursor", error),
            ReadError::Exists(_) => Self::new(StatusCode::CONFLICT, "exists", error),
            ReadError::ServerBackup => Self::new(StatusCode::CONFLICT, "server_backup", error),
            ReadError::Store(_) => {
                tracing::error!(%error, "a page could not be read");
                let detail = "the database could not be read; the server's log says why";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_failed", detail)
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "malformed", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "bad_query", rejection.body_text())
    }
}

/// A refusal as it is given out (RFC 9457).
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the shape of the document; `into_response` writes it"
)]
struct Shape {
    /// `about:blank#` and the code.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// A short stable code, to act upon and to translate by.
    code: String,
    /// What is wrong and what to do, in English.
    detail: String,
    /// Each mistake of a text, with its place.
    problems: Option<Vec<serde_json::Map<String, Value>>>,
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Shape::schema()
    }
}

impl utoipa::ToSchema for Problem {
    fn name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("about:blank#{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("problem"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        for (name, value) in self.more {
            body[name] = value;
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // A browser would ask for a password of its own where a page asks already.
        if self.status == StatusCode::UNAUTHORIZED && self.code == UNAUTHORISED {
            let how = HeaderValue::from_static("Basic realm=\"relance\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
