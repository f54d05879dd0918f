//! Who may call what: the guard before every route of the management API, and the routes of accounts.
//!
//! The guard looks a request up by its matched path and method in [`rules`], and refuses what has no rule. Where a
//! path names a contact or a message, somebody who does not see everyone's finds nothing under the name of one that
//! is not theirs: handlers below need not ask again.

mod audit;
mod guard;
mod keys;
mod me;
mod oidc;
pub(super) mod origin;
pub mod rules;
mod session;
#[cfg(test)]
mod tests;
mod users;

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

use super::Problem;
use crate::access::AccessProblem;
use crate::access::password::HashProblem;
use crate::workspace::Workspace;

pub(super) use guard::guard;

/// The routes of accounts.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(me::routes())
        .merge(users::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(oidc::routes())
}

impl From<AccessProblem> for Problem {
    fn from(problem: AccessProblem) -> Self {
        let code = problem.code();
        let status = match &problem {
            AccessProblem::WrongCredentials | AccessProblem::CodeNeeded => StatusCode::UNAUTHORIZED,
            AccessProblem::WrongCode => StatusCode::UNAUTHORIZED,
            AccessProblem::WrongPassword => StatusCode::FORBIDDEN,
            AccessProblem::TooMany(wait) => {
                let seconds = wait.retry_after_seconds;
                return Self::new(StatusCode::TOO_MANY_REQUESTS, code, problem)
                    .retry_after(seconds);
            }
            AccessProblem::LinkUnknown | AccessProblem::NotFound(_) => StatusCode::NOT_FOUND,
            AccessProblem::Weak(weak) => {
                let why = json!(weak.word());
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, problem).with("why", why);
            }
            AccessProblem::BadAddress(_)
            | AccessProblem::BadName(_)
            | AccessProblem::BadWord { .. } => StatusCode::BAD_REQUEST,
            AccessProblem::SetupDone
            | AccessProblem::AddressTaken
            | AccessProblem::LastAdmin
            | AccessProblem::Active
            | AccessProblem::Totp(_)
            | AccessProblem::Full(_) => StatusCode::CONFLICT,
            AccessProblem::Hash(HashProblem::Busy) => {
                return Self::new(StatusCode::TOO_MANY_REQUESTS, code, problem).retry_after(2);
            }
            AccessProblem::Sealed(_) => StatusCode::SERVICE_UNAVAILABLE,
            AccessProblem::Provider(problem) => problem.status(),
            AccessProblem::Refused(refusal) => return Self::from(*refusal),
            AccessProblem::Read(_)
            | AccessProblem::Hash(HashProblem::Failed)
            | AccessProblem::Store(_)
            | AccessProblem::Stored(_) => {
                tracing::error!(%problem, "an account could not be looked at");
                let detail = "it could not be done; the server's log says why";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
            }
        };
        Self::new(status, code, problem)
    }
}
