//! All routes of one process.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::envelope::Envelope;
use super::outcome::{NotTriedReason, SendOutcome};
use super::pool::{Route, RouteStats};
use super::route::{RouteId, RouteProblem, SmtpRoute};
use super::transaction::BeforeBody;

/// When to look again for a route that is not configured.
const ROUTE_UNKNOWN_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Sends messages over configured routes. Cheap to share behind an `Arc`; needs a Tokio runtime.
#[derive(Default)]
pub struct SmtpSender {
    routes: RwLock<BTreeMap<RouteId, Arc<Route>>>,
}

impl SmtpSender {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route, or changes it. With only the secret changed (a renewed OAuth token) the route keeps its
    /// connections, rate and breaker, except that a rest earned by the old secret ends. With anything else
    /// changed it starts afresh; messages under way end on the old one.
    pub fn configure(&self, id: RouteId, route: SmtpRoute) -> Result<(), RouteProblem> {
        route.check()?;
        let current = self.find(&id);
        if let Some(current) = current
            && current.config().same_but_for_secret(&route)
        {
            current.set_auth(route.auth);
            return Ok(());
        }
        let fresh = Arc::new(Route::new(id.clone(), route)?);
        self.routes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, fresh);
        Ok(())
    }

    /// Forgets a route. Messages under way end; idle connections close.
    pub fn remove(&self, id: &RouteId) {
        self.routes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Makes one attempt to submit `message` for every recipient of `envelope`, and says how it ended.
    /// Line ends are normalised and dots doubled on the way; nothing else is changed.
    ///
    /// Waits for the route's rate (briefly) and for a free connection, and is bounded in all by the route's
    /// limits. Dropping the future is safe for the connection, but its outcome is then not known: settle
    /// the attempt as [`SendOutcome::Unknown`].
    pub async fn send(&self, id: &RouteId, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        let at_once = || -> std::pin::Pin<Box<dyn Future<Output = bool> + Send>> {
            Box::pin(std::future::ready(true))
        };
        self.send_unless(id, envelope, message, &at_once).await
    }

    /// [`send`](Self::send) that asks once more when the server waits for the body. A message that is kept
    /// back there is refused for now at [`Stage::Body`](super::Stage::Body), by us.
    pub async fn send_unless(
        &self,
        id: &RouteId,
        envelope: &Envelope,
        message: &[u8],
        before_body: BeforeBody<'_>,
    ) -> SendOutcome {
        match self.find(id) {
            Some(route) => route.send(envelope, message, before_body).await,
            None => SendOutcome::NotTried {
                reason: NotTriedReason::RouteUnknown,
                retry_after: ROUTE_UNKNOWN_RETRY_AFTER,
            },
        }
    }

    pub fn stats(&self, id: &RouteId) -> Option<RouteStats> {
        self.find(id).map(|route| route.stats())
    }

    fn find(&self, id: &RouteId) -> Option<Arc<Route>> {
        self.routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }
}
