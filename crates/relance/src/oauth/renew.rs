//! Renewing tokens: before they end, and after a server refused one.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use relance_engine::arrival::Arrival;

use super::provider::{Asked, OauthProblem, Provider};
use super::{KIND, Known};
use crate::workspace::Workspace;

/// How often it is looked whether a token ends soon.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Providers asked at once.
const ASKED_AT_ONCE_MAX: usize = 8;
/// The first pause after a failure; each next one is twice as long.
const PAUSE_MIN: SignedDuration = SignedDuration::from_secs(30);
/// The longest pause.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// A server that refuses a token which is this young refuses the next one too.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// What a stored token weighs in the engine's queue.
const TOKEN_WEIGHT: usize = 8 * 1024;

/// Keeps the tokens of all mailboxes fresh, for as long as the workspace lives.
pub fn keep(workspace: &Arc<Workspace>) {
    let Some(mut asks) = workspace.watching.tokens.listen() else {
        return;
    };
    let workspace = Arc::downgrade(workspace);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let refused = tokio::select! {
                _ = tick.tick() => None,
                asked = asks.recv() => match asked {
                    Some(address) => Some(address),
                    None => return,
                },
            };
            let Some(workspace) = workspace.upgrade() else {
                return;
            };
            let now = workspace.access.now();
            let entries = workspace.watching.book.all();
            let due = entries.iter().filter_map(|entry| {
                let provider = Provider::from_word(entry.oauth()?)?;
                let known = workspace
                    .watching
                    .tokens
                    .known(&entry.address)
                    .unwrap_or_default();
                let is_young = known
                    .renewed_at
                    .is_some_and(|at| now.duration_since(at) < YOUNG);
                let was_refused = refused.as_ref() == Some(&entry.address) && !is_young;
                let due = !entry.stored.paused
                    && known.refused.is_none()
                    && known.shut.is_none()
                    && known.refresh.is_some()
                    && known
                        .failing
                        .as_ref()
                        .is_none_or(|(_, _, until)| *until <= now)
                    && (was_refused || !known.lasts(now));
                due.then(|| (entry.address.clone(), provider, known))
            });
            let due: Vec<_> = due.collect();
            let mut running = tokio::task::JoinSet::new();
            for (address, provider, known) in due {
                if running.len() >= ASKED_AT_ONCE_MAX {
                    running.join_next().await;
                }
                let workspace = workspace.clone();
                running.spawn(async move {
                    let done = renew(&workspace, &address, provider, &known).await;
                    if let Err(problem) = done {
                        tracing::warn!(
                            code = problem.code(),
                            "a token of a mailbox was not renewed"
                        );
                    }
                });
            }
            while running.join_next().await.is_some() {}
        }
    });
}

/// Renews the token of a mailbox, unless that was done since `seen` was.
pub async fn renew(
    workspace: &Arc<Workspace>,
    address: &str,
    provider: Provider,
    seen: &Known,
) -> Result<(), OauthProblem> {
    let tokens = &workspace.watching.tokens;
    let turn = tokens.turn(address);
    let _turn = turn.lock().await;
    let now = workspace.access.now();
    let known = tokens.known(address).unwrap_or_default();
    if known.access != seen.access && known.lasts(now) {
        return Ok(());
    }
    // Another node may have done it.
    if let Some(kept) = kept(workspace, address).await
        && kept.access != seen.access
        && kept.lasts(now)
    {
        let renewed_at = Some(now);
        lay_down(workspace, address, Known { renewed_at, ..kept });
        return Ok(());
    }
    let Some(refresh) = known.refresh.clone() else {
        return Err(OauthProblem::NoRefresh(provider.word()));
    };
    let config = workspace.config();
    let asked = match Asked::new(&config, &workspace.data, provider) {
        Ok(asked) => asked.refresh(&refresh, now).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(fresh) => {
            keep_known(workspace, address, &fresh).await;
            let renewed_at = Some(now);
            lay_down(
                workspace,
                address,
                Known {
                    renewed_at,
                    ..fresh
                },
            );
            Ok(())
        }
        Err(problem @ OauthProblem::Gone { .. }) => {
            let refused = Known {
                access: None,
                expires_at: None,
                refused: Some("invalid_grant".to_owned()),
                failing: None,
                ..known
            };
            keep_known(workspace, address, &refused).await;
            lay_down(workspace, address, refused);
            Err(problem)
        }
        Err(problem) => {
            let times = known.failing.as_ref().map_or(0, |(_, times, _)| *times);
            let pause = PAUSE_MIN * 2_i32.pow(times.min(10));
            let until = now + pause.min(PAUSE_MAX);
            let failing = Known {
                failing: Some((problem.to_string(), times + 1, until)),
                // One that has ended is no use.
                access: known
                    .access
                    .clone()
                    .filter(|_| known.expires_at.is_none_or(|at| at > now)),
                ..known
            };
            lay_down(workspace, address, failing);
            Err(problem)
        }
    }
}

/// What the database knows of a token.
async fn kept(workspace: &Arc<Workspace>, address: &str) -> Option<Known> {
    let of = workspace.clone();
    let name = address.to_owned();
    let read = tokio::task::spawn_blocking(move || of.reader.text(KIND, &name)).await;
    let body = read.ok()?.ok()??.body;
    Known::open(address, &body, &workspace.vault).ok()
}

/// Keeps a token for the next start and for other nodes. One that cannot be kept is used all the same.
async fn keep_known(workspace: &Arc<Workspace>, address: &str, known: &Known) {
    match known.asset(address, &workspace.vault) {
        Ok(asset) => {
            let kept = workspace.submit(vec![Arrival::Asset(asset)], TOKEN_WEIGHT);
            if let Err(refusal) = kept.await {
                tracing::error!(%refusal, "a renewed token could not be kept");
            }
        }
        Err(problem) => tracing::error!(%problem, "a renewed token could not be sealed"),
    }
}

/// A token is in force from now on: for reading and for sending.
pub fn lay_down(workspace: &Arc<Workspace>, address: &str, known: Known) {
    let watching = workspace.watching.clone();
    watching.tokens.put(address, Some(known));
    watching
        .book
        .renew(address, &workspace.vault, &watching.tokens);
    workspace.apply_mailboxes();
}
