//! What each route asks of its caller. A route without a line is refused.
//!
//! Whoever adds a route adds its line; a test compares this table with the routes, and another one writes it as
//! roles x routes.

use axum::http::Method;
use relance_core::access::Permission;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: what is sent proves itself, as a password or a link does.
    Anyone,
    /// A person who is signed in; it is about themselves.
    Person,
    /// This permission. The handler leaves out what the caller does not see.
    May(Permission),
    /// This permission, and seeing everyone's: what is told or done is not limited to some owners.
    Whole(Permission),
}

/// A line of the table.
pub type Line = (Method, &'static str, Rule);

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

use Permission as P;
use Rule::{Anyone, May, Person, Whole};

/// The table.
pub const RULES: &[Line] = &[
    // Coming in and going.
    (GET, "/api/v1/session", Anyone),
    (GET, "/api/v1/session/ways", Anyone),
    (POST, "/api/v1/session", Anyone),
    (DELETE, "/api/v1/session", Person),
    (POST, "/api/v1/setup", Anyone),
    (POST, "/api/v1/password/forgotten", Anyone),
    (POST, "/api/v1/password/reset", Anyone),
    (GET, "/api/v1/invitations/{token}", Anyone),
    (POST, "/api/v1/invitations/{token}", Anyone),
    (GET, "/auth/oidc", Anyone),
    (GET, "/auth/oidc/callback", Anyone),
    // Oneself.
    (PUT, "/api/v1/me", Person),
    (PUT, "/api/v1/me/password", Person),
    (POST, "/api/v1/me/totp", Person),
    (DELETE, "/api/v1/me/totp", Person),
    (POST, "/api/v1/me/totp/confirm", Person),
    (POST, "/api/v1/me/totp/recovery", Person),
    (GET, "/api/v1/me/sessions", Person),
    (DELETE, "/api/v1/me/sessions", Person),
    (DELETE, "/api/v1/me/sessions/{id}", Person),
    // Users, keys, who changed what.
    (GET, "/api/v1/users", May(P::See)),
    (POST, "/api/v1/users", Whole(P::Users)),
    (PUT, "/api/v1/users/{address}", Whole(P::Users)),
    (DELETE, "/api/v1/users/{address}", Whole(P::Users)),
    (POST, "/api/v1/users/{address}/invitation", Whole(P::Users)),
    (GET, "/api/v1/keys", Whole(P::Keys)),
    (POST, "/api/v1/keys", Whole(P::Keys)),
    (DELETE, "/api/v1/keys/{id}", Whole(P::Keys)),
    (GET, "/api/v1/audit", Whole(P::Audit)),
    // The workspace.
    (GET, "/api/v1/overview", May(P::See)),
    (GET, "/api/v1/feed", May(P::See)),
    (GET, "/api/v1/reports/sales", May(P::See)),
    (GET, "/api/v1/status", May(P::See)),
    (GET, "/api/v1/live", May(P::See)),
    (POST, "/api/v1/release", Whole(P::Release)),
    (GET, "/api/v1/demo", May(P::See)),
    (PUT, "/api/v1/demo", May(P::See)),
    // Contacts.
    (GET, "/api/v1/contacts", May(P::See)),
    (GET, "/api/v1/contacts/duplicates", Whole(P::Merge)),
    (POST, "/api/v1/contacts/{id}/merge", Whole(P::Merge)),
    (POST, "/api/v1/contacts/{id}/unmerge", Whole(P::Merge)),
    (GET, "/api/v1/contacts/{id}", May(P::See)),
    (DELETE, "/api/v1/contacts/{id}", Whole(P::Erase)),
    (GET, "/api/v1/contacts/{id}/ledger", May(P::See)),
    (GET, "/api/v1/contacts/{id}/events", May(P::See)),
    (GET, "/api/v1/contacts/{id}/touchpoints", May(P::See)),
    (GET, "/api/v1/contacts/{id}/tasks", May(P::See)),
    (GET, "/api/v1/contacts/{id}/enrollments", May(P::See)),
    (GET, "/api/v1/contacts/{id}/explain", May(P::See)),
    (GET, "/api/v1/contacts/{id}/consents", May(P::See)),
    (POST, "/api/v1/contacts/{id}/consents", May(P::Contacts)),
    (GET, "/api/v1/contacts/{id}/preferences", May(P::See)),
    (PUT, "/api/v1/contacts/{id}/preferences", May(P::Contacts)),
    (GET, "/api/v1/contacts/{id}/export", May(P::Export)),
    (GET, "/api/v1/contacts/{id}/segments", May(P::See)),
    (GET, "/api/v1/erasures/{id}", Whole(P::Erase)),
    (POST, "/api/v1/readmit", Whole(P::Erase)),
    (GET, "/api/v1/suppressions", Whole(P::See)),
    (POST, "/api/v1/suppressions", Whole(P::Suppress)),
    (DELETE, "/api/v1/suppressions", Whole(P::Suppress)),
    (POST, "/api/v1/suppressions/import", Whole(P::Suppress)),
    (GET, "/api/v1/accounts", Whole(P::See)),
    (GET, "/api/v1/accounts/{id}", Whole(P::See)),
    // Documents, messages, tasks.
    (GET, "/api/v1/documents", May(P::See)),
    (GET, "/api/v1/documents/totals", May(P::See)),
    (GET, "/api/v1/documents/follow-up", May(P::See)),
    (POST, "/api/v1/documents/follow-up", May(P::Work)),
    (
        GET,
        "/api/v1/contacts/{id}/documents/{document}",
        May(P::See),
    ),
    (
        POST,
        "/api/v1/contacts/{id}/documents/{document}/paid",
        May(P::Work),
    ),
    (
        POST,
        "/api/v1/contacts/{id}/documents/{document}/correct",
        May(P::Work),
    ),
    // How documents are recognised: whoever sees some owners works on their mailboxes.
    (GET, "/api/v1/recognition/rules", May(P::See)),
    (POST, "/api/v1/recognition/rules", May(P::Work)),
    (DELETE, "/api/v1/recognition/rules/{id}", May(P::Work)),
    (POST, "/api/v1/recognition/try", May(P::Work)),
    (POST, "/api/v1/recognition/mail", May(P::See)),
    (POST, "/api/v1/recognition/register", May(P::Work)),
    (POST, "/api/v1/statements", Whole(P::Import)),
    (GET, "/api/v1/statements", Whole(P::Import)),
    (GET, "/api/v1/statements/{id}", Whole(P::Import)),
    (POST, "/api/v1/statements/{id}/undo", Whole(P::Import)),
    (GET, "/api/v1/payments", May(P::See)),
    (GET, "/api/v1/payments/counts", May(P::See)),
    (GET, "/api/v1/payments/{id}", May(P::See)),
    (POST, "/api/v1/payments/{id}/assign", May(P::Work)),
    (POST, "/api/v1/payments/{id}/ignore", May(P::Work)),
    (POST, "/api/v1/payments/{id}/undo", May(P::Work)),
    (GET, "/api/v1/contacts/{id}/objects", May(P::See)),
    (GET, "/api/v1/contacts/{id}/timeline", May(P::See)),
    (GET, "/api/v1/touchpoints", May(P::See)),
    (GET, "/api/v1/touchpoints/{id}/explain", May(P::See)),
    (GET, "/api/v1/touchpoints/{id}/message", May(P::See)),
    (POST, "/api/v1/touchpoints/{id}/{answer}", May(P::Approve)),
    (GET, "/api/v1/approvals", May(P::See)),
    (POST, "/api/v1/approvals", May(P::Approve)),
    (GET, "/api/v1/approvals/{id}", May(P::See)),
    (GET, "/api/v1/tasks", May(P::See)),
    (POST, "/api/v1/tasks/{id}/done", May(P::Work)),
    (POST, "/api/v1/tasks/{id}/reopen", May(P::Work)),
    (POST, "/api/v1/tasks/{id}/postpone", May(P::Work)),
    (GET, "/api/v1/views/{page}", May(P::See)),
    (PUT, "/api/v1/views/{page}/{name}", May(P::See)),
    (DELETE, "/api/v1/views/{page}/{name}", May(P::See)),
    // Segments.
    (GET, "/api/v1/names", May(P::See)),
    (GET, "/api/v1/segments", May(P::See)),
    (GET, "/api/v1/rfm", May(P::See)),
    (POST, "/api/v1/rfm", Whole(P::Segments)),
    (GET, "/api/v1/segments/{id}", May(P::See)),
    (PUT, "/api/v1/segments/{id}", Whole(P::Segments)),
    (DELETE, "/api/v1/segments/{id}", Whole(P::Segments)),
    (POST, "/api/v1/segments/{id}", Whole(P::See)),
    (GET, "/api/v1/segments/{id}/members", Whole(P::See)),
    (POST, "/api/v1/segments/{id}/members", Whole(P::Segments)),
    (DELETE, "/api/v1/segments/{id}/members", Whole(P::Segments)),
    (GET, "/api/v1/segments/{id}/why", Whole(P::See)),
    // Journeys.
    (GET, "/api/v1/library", May(P::See)),
    (POST, "/api/v1/library/{id}", Whole(P::Journeys)),
    (GET, "/api/v1/journeys", May(P::See)),
    (GET, "/api/v1/journeys/{id}", May(P::See)),
    (GET, "/api/v1/journeys/{id}/numbers", May(P::See)),
    (POST, "/api/v1/journeys/check", May(P::See)),
    (POST, "/api/v1/journeys/preview", May(P::See)),
    (POST, "/api/v1/journeys/backtest", Whole(P::Journeys)),
    (GET, "/api/v1/jobs/{id}", Whole(P::Journeys)),
    (DELETE, "/api/v1/jobs/{id}", Whole(P::Journeys)),
    (POST, "/api/v1/journeys/{id}/start", Whole(P::Journeys)),
    (PUT, "/api/v1/journeys/{id}/draft", Whole(P::Journeys)),
    (DELETE, "/api/v1/journeys/{id}/draft", Whole(P::Journeys)),
    (POST, "/api/v1/journeys/{id}/{change}", Whole(P::Journeys)),
    (GET, "/api/v1/scenario", May(P::See)),
    (POST, "/api/v1/scenario", Whole(P::Journeys)),
    (POST, "/api/v1/scenario/plan", Whole(P::Journeys)),
    // Templates, content lists, settings.
    (GET, "/api/v1/templates", May(P::See)),
    (GET, "/api/v1/templates/{id}", May(P::See)),
    (PUT, "/api/v1/templates/{id}", Whole(P::Templates)),
    (DELETE, "/api/v1/templates/{id}", Whole(P::Templates)),
    (POST, "/api/v1/templates/render", May(P::See)),
    (POST, "/api/v1/templates/{id}/test", May(P::Templates)),
    (GET, "/api/v1/lists", May(P::See)),
    (GET, "/api/v1/lists/{id}", May(P::See)),
    (PUT, "/api/v1/lists/{id}", Whole(P::Templates)),
    (DELETE, "/api/v1/lists/{id}", Whole(P::Templates)),
    (GET, "/api/v1/settings", May(P::Settings)),
    (GET, "/api/v1/settings/{section}", May(P::Settings)),
    (PUT, "/api/v1/settings/{section}", Whole(P::Settings)),
    (DELETE, "/api/v1/settings/{section}", Whole(P::Settings)),
    (POST, "/api/v1/settings/test", May(P::Settings)),
    // Mailboxes: whose they are is looked at by the handlers.
    (GET, "/api/v1/mailboxes", May(P::See)),
    (POST, "/api/v1/mailboxes/discover", May(P::Work)),
    (POST, "/api/v1/mailboxes/check", May(P::Work)),
    (GET, "/api/v1/mailboxes/{address}", May(P::See)),
    (PUT, "/api/v1/mailboxes/{address}", May(P::Work)),
    (DELETE, "/api/v1/mailboxes/{address}", May(P::Work)),
    (POST, "/api/v1/mailboxes/{address}/sync", May(P::Work)),
    (POST, "/api/v1/mailboxes/{address}/pause", May(P::Work)),
    (POST, "/api/v1/mailboxes/{address}/forget", May(P::Work)),
    (POST, "/api/v1/mailboxes/{address}/resume", May(P::Work)),
    (POST, "/api/v1/mailboxes/oauth/{provider}", Person),
    (GET, "/auth/mailbox", Person),
    // Files.
    (GET, "/api/v1/imports", Whole(P::Import)),
    (POST, "/api/v1/imports", Whole(P::Import)),
    (GET, "/api/v1/imports/{id}", Whole(P::Import)),
    (DELETE, "/api/v1/imports/{id}", Whole(P::Import)),
    (GET, "/api/v1/imports/{id}/suggestion", Whole(P::Import)),
    (POST, "/api/v1/imports/{id}/dry-run", Whole(P::Import)),
    (POST, "/api/v1/imports/{id}/start", Whole(P::Import)),
    (POST, "/api/v1/imports/{id}/cancel", Whole(P::Import)),
    (GET, "/api/v1/imports/{id}/errors.csv", Whole(P::Import)),
    (GET, "/api/v1/contacts/export", Whole(P::Export)),
    (GET, "/api/v1/export/{list}", Whole(P::Export)),
];

/// What a route asks, by its path as it was declared.
pub fn rule(method: &Method, path: &str) -> Option<Rule> {
    // Whoever may get a page may ask for its headers.
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    RULES
        .iter()
        .find(|(of, known, _)| of == method && *known == path)
        .map(|(_, _, rule)| *rule)
}

/// The methods that a path takes, for a refusal of another one.
pub fn methods(path: &str) -> Vec<&'static str> {
    let of_path = RULES.iter().filter(|(_, known, _)| *known == path);
    of_path.map(|(method, _, _)| method.as_str()).collect()
}
