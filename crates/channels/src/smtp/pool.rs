//! A route at work: its connections, its rate and its breaker.
//!
//! Everything here belongs to one route, so a slow or dead provider holds up its own messages only. Locks
//! are held for a few instructions and never across a wait.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::breaker::{Breaker, BreakerCause, BreakerLimits};
use super::connection::Connection;
use super::envelope::Envelope;
use super::outcome::{Failure, NotTriedReason, Permanence, Refusal, SendOutcome, Stage};
use super::rate::Rate;
use super::route::{Auth, RouteId, RouteProblem, SmtpRoute};
use super::tls::TlsClient;
use super::transaction::{BeforeBody, CLOSING, MESSAGE_BYTES_MAX};

/// Attempts that may wait for one route's connections.
pub(crate) const WAITING_MAX: usize = 4096;
/// How long an attempt waits for a connection to be free.
pub(crate) const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long an attempt waits for its slot in the rate. A later slot is left to the caller's schedule.
pub(crate) const RATE_WAIT_MAX: Duration = Duration::from_secs(2);
/// When to come back if the route is busy.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(5);

/// What a route has done since it was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteStats {
    pub connections_opened: u64,
    /// Connections open and unused now.
    pub connections_idle: usize,
    /// Transactions begun on a connection that had served before.
    pub connections_reused: u64,
    /// Transactions begun again on a fresh connection, because the idle one turned out to be dead.
    pub transactions_restarted: u64,
    pub messages_accepted: u64,
    /// Set while the breaker keeps the route at rest.
    pub resting: Option<BreakerCause>,
}

pub(crate) struct Route {
    id: RouteId,
    config: SmtpRoute,
    tls: Option<TlsClient>,
    auth: Mutex<Auth>,
    permits: Semaphore,
    waiting: AtomicUsize,
    gate: Mutex<Gate>,
    idle: Mutex<Idle>,
    opened: AtomicU64,
    reused: AtomicU64,
    restarted: AtomicU64,
    accepted: AtomicU64,
}

/// What decides whether an attempt may go out now.
struct Gate {
    breaker: Breaker,
    rates: Vec<Rate>,
}

#[derive(Default)]
struct Idle {
    /// The most recently used last; it is taken first, so that the others can age and close.
    connections: Vec<(Connection, Instant)>,
    sweeping: bool,
}

/// Leave to go out, after a wait.
struct Admission {
    wait: Duration,
    /// This attempt finds out for the others whether the route works again.
    probe: bool,
}

type NotNow = (NotTriedReason, Duration);

impl Route {
    pub(crate) fn new(id: RouteId, config: SmtpRoute) -> Result<Self, RouteProblem> {
        config.check()?;
        let tls = TlsClient::new(&config)?;
        let limits = &config.limits;
        let rates = limits
            .messages_per_second_max
            .map(Rate::per_second)
            .into_iter()
            .chain(limits.messages_per_hour_max.map(Rate::per_hour))
            .collect();
        let breaker = Breaker::new(BreakerLimits {
            failures_max: limits.breaker_failures_max,
            pause_min: limits.breaker_pause_min,
            pause_max: limits.breaker_pause_max,
        });
        Ok(Self {
            id,
            tls,
            auth: Mutex::new(config.auth.clone()),
            permits: Semaphore::new(usize::from(limits.connections_max)),
            waiting: AtomicUsize::new(0),
            gate: Mutex::new(Gate { breaker, rates }),
            idle: Mutex::default(),
            opened: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            restarted: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            config,
        })
    }

    pub(crate) fn config(&self) -> &SmtpRoute {
        &self.config
    }

    /// New secret, same identity. Open connections stay: they have proved themselves already.
    pub(crate) fn set_auth(&self, auth: Auth) {
        let mut current = lock(&self.auth);
        if *current != auth {
            *current = auth;
            drop(current);
            lock(&self.gate).breaker.credentials_changed();
        }
    }

    pub(crate) fn stats(&self) -> RouteStats {
        RouteStats {
            connections_opened: self.opened.load(Ordering::Relaxed),
            connections_idle: lock(&self.idle).connections.len(),
            connections_reused: self.reused.load(Ordering::Relaxed),
            transactions_restarted: self.restarted.load(Ordering::Relaxed),
            messages_accepted: self.accepted.load(Ordering::Relaxed),
            resting: lock(&self.gate)
                .breaker
                .resting(Instant::now())
                .map(|(cause, _)| cause),
        }
    }

    pub(crate) async fn send(
        self: &Arc<Self>,
        envelope: &Envelope,
        message: &[u8],
        before_body: BeforeBody<'_>,
    ) -> SendOutcome {
        if message.len() > MESSAGE_BYTES_MAX {
            let text = format!(
                "the message has {} bytes, at most {MESSAGE_BYTES_MAX} are sent",
                message.len()
            );
            return SendOutcome::Refused(Refusal::local(552, (5, 3, 4), Stage::Mail, text));
        }
        let admission = match self.admit(Instant::now()) {
            Ok(admission) => admission,
            Err(not_now) => return not_tried(not_now),
        };
        if !admission.wait.is_zero() {
            tokio::time::sleep(admission.wait).await;
        }
        let _permit = match self.permit(admission.probe).await {
            Ok(permit) => permit,
            Err(not_now) => return not_tried(not_now),
        };
        let result = self.deliver(envelope, message, before_body).await;
        self.report(&result);
        result.unwrap_or_else(SendOutcome::from)
    }

    /// One lock decides on breaker and rate together, so that neither is charged for the other's no.
    fn admit(&self, now: Instant) -> Result<Admission, NotNow> {
        let mut gate = lock(&self.gate);
        if let Some((cause, rest)) = gate.breaker.resting(now) {
            return Err((NotTriedReason::BreakerOpen(cause), rest));
        }
        let wait = gate
            .rates
            .iter()
            .map(|rate| rate.wait(now))
            .max()
            .unwrap_or_default();
        if wait > RATE_WAIT_MAX {
            return Err((NotTriedReason::RateLimited, wait));
        }
        for rate in &mut gate.rates {
            rate.reserve(now);
        }
        gate.breaker.enter(now);
        let probe = gate.breaker.resting(now).is_some();
        Ok(Admission { wait, probe })
    }

    /// A place among the route's connections.
    async fn permit(&self, probe: bool) -> Result<SemaphorePermit<'_>, NotNow> {
        let busy = (NotTriedReason::Busy, BUSY_RETRY_AFTER);
        let permit = match self.permits.try_acquire() {
            Ok(permit) => Ok(permit),
            Err(_) => {
                let waiter = Waiter::join(&self.waiting);
                if waiter.position > WAITING_MAX {
                    Err(busy)
                } else {
                    match tokio::time::timeout(CONNECTION_WAIT_MAX, self.permits.acquire()).await {
                        Ok(Ok(permit)) => Ok(permit),
                        // The semaphore is never closed; a route that is gone is as good as busy.
                        Ok(Err(_)) | Err(_) => Err(busy),
                    }
                }
            }
        };
        let now = Instant::now();
        let mut gate = lock(&self.gate);
        match permit {
            Err(not_now) => {
                if probe {
                    gate.breaker.abandon(now);
                }
                Err(not_now)
            }
            // The breaker opened while this attempt waited its turn: do not try a dead route once more.
            Ok(permit) => match gate.breaker.resting(now) {
                Some((cause, rest)) if !probe => Err((NotTriedReason::BreakerOpen(cause), rest)),
                Some(_) | None => Ok(permit),
            },
        }
    }

    async fn deliver(
        self: &Arc<Self>,
        envelope: &Envelope,
        message: &[u8],
        before_body: BeforeBody<'_>,
    ) -> Result<SendOutcome, Failure> {
        if let Some(mut connection) = self.take_idle() {
            self.reused.fetch_add(1, Ordering::Relaxed);
            let result = connection
                .transact(envelope, message, &self.config.limits, before_body)
                .await;
            self.put_back(connection);
            if !idle_was_dead(&result) {
                return result;
            }
            self.restarted.fetch_add(1, Ordering::Relaxed);
        }
        let auth = lock(&self.auth).clone();
        let mut connection = Connection::open(&self.config, self.tls.as_ref(), &auth).await?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        let result = connection
            .transact(envelope, message, &self.config.limits, before_body)
            .await;
        self.put_back(connection);
        result
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        while let Some((mut connection, since)) = idle.connections.pop() {
            if since.elapsed() < self.config.limits.idle_timeout && !connection.is_stale() {
                return Some(connection);
            }
        }
        None
    }

    fn put_back(self: &Arc<Self>, connection: Connection) {
        if !connection.usable {
            return;
        }
        if connection.messages >= self.config.limits.messages_per_connection_max {
            connection.quit();
            return;
        }
        let mut idle = lock(&self.idle);
        idle.connections.push((connection, Instant::now()));
        if !idle.sweeping {
            idle.sweeping = true;
            tokio::spawn(sweep(Arc::downgrade(self), self.config.limits.idle_timeout));
        }
    }

    /// Teaches the breaker. Only what says something about the route counts against it.
    fn report(&self, result: &Result<SendOutcome, Failure>) {
        let cause = match result {
            Ok(_) => {
                self.accepted.fetch_add(1, Ordering::Relaxed);
                None
            }
            Err(Failure::Refused(refusal)) if !refusal.stage.concerns_route() => None,
            Err(Failure::Refused(Refusal {
                stage: Stage::Auth,
                permanence: Permanence::Hard,
                ..
            })) => Some(BreakerCause::Auth),
            Err(Failure::Refused(_) | Failure::Unreached(_) | Failure::Lost(_)) => {
                Some(BreakerCause::Link)
            }
        };
        let mut gate = lock(&self.gate);
        match cause {
            None => gate.breaker.succeeded(),
            Some(cause) => {
                if gate.breaker.failed(cause, Instant::now()) {
                    drop(gate);
                    tracing::warn!(route = %self.id, ?cause, "the SMTP route failed repeatedly and rests");
                }
            }
        }
    }
}

/// True if a reused connection turned out to be dead before the body: the message may start again.
fn idle_was_dead(result: &Result<SendOutcome, Failure>) -> bool {
    match result {
        Ok(_) | Err(Failure::Lost(_)) => false,
        Err(Failure::Unreached(link)) => link.stage != Stage::Body,
        Err(Failure::Refused(refusal)) => refusal.code == CLOSING && refusal.stage != Stage::Body,
    }
}

fn not_tried((reason, retry_after): NotNow) -> SendOutcome {
    SendOutcome::NotTried {
        reason,
        retry_after,
    }
}

/// Closes connections that nobody used for a while. Ends when none is left, or the route is gone.
async fn sweep(route: Weak<Route>, idle_timeout: Duration) {
    let mut next = idle_timeout;
    loop {
        tokio::time::sleep(next).await;
        let Some(route) = route.upgrade() else {
            return;
        };
        let (old, done) = {
            let mut idle = lock(&route.idle);
            // Oldest first, because the newest is taken and put back at the end.
            let old = idle
                .connections
                .partition_point(|(_, since)| since.elapsed() >= idle_timeout);
            let old: Vec<_> = idle.connections.drain(..old).collect();
            match idle.connections.first() {
                None => idle.sweeping = false,
                Some((_, since)) => next = idle_timeout.saturating_sub(since.elapsed()),
            }
            (old, !idle.sweeping)
        };
        for (connection, _) in old {
            connection.quit();
        }
        if done {
            return;
        }
    }
}

/// Counts an attempt as waiting for as long as it lives, also when its caller gives up.
struct Waiter<'a> {
    count: &'a AtomicUsize,
    position: usize,
}

impl<'a> Waiter<'a> {
    fn join(count: &'a AtomicUsize) -> Self {
        let position = count.fetch_add(1, Ordering::Relaxed) + 1;
        Self { count, position }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Nothing here panics while it holds a lock in a way that leaves the data wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
