//! Who is signed in on which device.
//!
//! A session is a token that nobody guesses, in a cookie; the database has its hash. It ends when nobody used it for
//! [`IDLE_MAX`], after [`AGE_MAX`], when its user changes their password or goes, and when somebody ends it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use relance_core::ids::UserId;
use relance_core::user::{SESSIONS_PER_USER_MAX, Session, User};
use relance_engine::arrival::{Arrival, Envelope};
use relance_engine::ports::Asset;
use relance_store::read::{ReadError, Reader};
use relance_wire::stored::{read_session, session_text};

use super::{AccessProblem, Caller, SESSION, USE_NOTED_EVERY, token};
use crate::workspace::Workspace;

/// A session that nobody used for so long has ended.
pub const IDLE_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);
/// However much it is used, a session ends after this.
pub const AGE_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it may take until a session that another node ended is known to have ended.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(5);
/// Sessions that are remembered; the rest is looked up each time.
const REMEMBERED_MAX: usize = 20_000;
/// Characters of what a browser says that it is.
const AGENT_CHARS_MAX: usize = 200;

/// Sessions that were looked up lately, by the hash of their token.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<String, (Timestamp, Session)>>);

impl Sessions {
    fn recall(&self, hash: &str, now: Timestamp) -> Option<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, session) = all.get(hash)?;
        let age = now.duration_since(*at);
        (!age.is_negative() && age < REMEMBERED).then(|| session.clone())
    }

    fn remember(&self, hash: &str, session: &Session, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(hash.to_owned(), (now, session.clone()));
    }

    fn forget(&self, hash: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(hash);
    }
}

/// Whether a session stands, for its user as they are now.
fn stands(session: &Session, user: &User, now: Timestamp) -> bool {
    let young = now.duration_since(session.made_at) < AGE_MAX;
    let used = now.duration_since(session.used_at) < IDLE_MAX;
    young && used && session.epoch == user.credentials.epoch
}

/// Whether a session that is known by nothing else could still stand.
fn is_over(session: &Session, now: Timestamp) -> bool {
    now.duration_since(session.made_at) >= AGE_MAX
        || now.duration_since(session.used_at) >= IDLE_MAX
}

/// The asset of a session.
fn asset(hash: &str, session: Option<&Session>) -> Result<Asset, AccessProblem> {
    Ok(Asset {
        kind: SESSION.to_owned(),
        name: hash.to_owned(),
        body: session.map(session_text).transpose()?,
    })
}

/// Who is signed in by a token.
pub async fn find(
    workspace: &Arc<Workspace>,
    token: &str,
) -> Result<Option<Caller>, AccessProblem> {
    if token.len() != token::TOKEN_TEXT_BYTES {
        return Ok(None);
    }
    let access = &workspace.access;
    let (hash, now) = (token::hash(token), access.now());
    let session = match access.sessions.recall(&hash, now) {
        Some(session) => session,
        None => {
            let name = hash.clone();
            let found = read(workspace, move |reader| reader.text(SESSION, &name)).await?;
            let Some(session) = found.and_then(|text| read_session(&text.body).ok()) else {
                return Ok(None);
            };
            access.sessions.remember(&hash, &session, now);
            session
        }
    };
    let Some(user) = access.user(session.user.as_str()) else {
        return Ok(None);
    };
    if !stands(&session, &user, now) {
        return Ok(None);
    }
    if now.duration_since(session.used_at) >= USE_NOTED_EVERY {
        let used = Session {
            used_at: now,
            ..session
        };
        access.sessions.remember(&hash, &used, now);
        // Nobody waits for it, and nothing is lost if the engine is busy.
        let noted = Envelope::silent(Arrival::Asset(asset(&hash, Some(&used))?));
        let _busy = workspace.engine.submit(noted);
    }
    Ok(Some(access.caller(&user, Some(hash.into()))))
}

/// A session that begins: its token for the cookie, and what makes it durable.
pub struct Begun {
    /// For the cookie.
    pub token: String,
    /// To be committed.
    pub arrivals: Vec<Arrival>,
    hash: String,
    session: Session,
}

impl Begun {
    /// Once it is committed.
    pub fn remember(&self, workspace: &Workspace) {
        let access = &workspace.access;
        access
            .sessions
            .remember(&self.hash, &self.session, access.now());
    }
}

/// Begins a session of a user. What is over of theirs is cleared away, and beyond the limit the oldest gives way.
pub async fn begin(
    workspace: &Arc<Workspace>,
    user: &User,
    agent: &str,
) -> Result<Begun, AccessProblem> {
    let now = workspace.access.now();
    let token = token::new()?;
    let hash = token::hash(&token);
    let printable = agent.chars().filter(|letter| !letter.is_control());
    let session = Session {
        user: user.address.clone(),
        epoch: user.credentials.epoch,
        made_at: now,
        used_at: now,
        agent: printable.take(AGENT_CHARS_MAX).collect(),
    };
    let mut arrivals = vec![Arrival::Asset(asset(&hash, Some(&session))?)];
    let all = all(workspace).await?;
    let (mut own, mut gone) = (Vec::new(), Vec::new());
    for (hash, one) in all {
        if is_over(&one, now) {
            gone.push(hash);
        } else if one.user == user.address {
            if one.epoch == user.credentials.epoch {
                own.push((one.used_at, hash));
            } else {
                gone.push(hash);
            }
        }
    }
    own.sort();
    let too_many = (own.len() + 1).saturating_sub(SESSIONS_PER_USER_MAX);
    gone.extend(own.into_iter().take(too_many).map(|(_, hash)| hash));
    for hash in gone {
        workspace.access.sessions.forget(&hash);
        arrivals.push(Arrival::Asset(asset(&hash, None)?));
    }
    Ok(Begun {
        token,
        arrivals,
        hash,
        session,
    })
}

/// Ends sessions, and says so.
pub async fn end(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    hashes: &[String],
) -> Result<(), AccessProblem> {
    let drops = hashes
        .iter()
        .map(|hash| Ok(Arrival::Asset(asset(hash, None)?)));
    let drops: Result<Vec<Arrival>, AccessProblem> = drops.collect();
    let object = caller.name();
    workspace
        .submit_as(caller, drops?, 256 * hashes.len(), "session.end", &object)
        .await?;
    for hash in hashes {
        workspace.access.sessions.forget(hash);
    }
    Ok(())
}

/// What ends all sessions of somebody who goes.
pub async fn drops(
    workspace: &Arc<Workspace>,
    user: &UserId,
) -> Result<Vec<Arrival>, AccessProblem> {
    let mut arrivals = Vec::new();
    for (hash, _) in of(workspace, user).await? {
        arrivals.push(Arrival::Asset(asset(&hash, None)?));
        workspace.access.sessions.forget(&hash);
    }
    Ok(arrivals)
}

/// The sessions of a user that stand, by the hash of their token, the last used first.
pub async fn of(
    workspace: &Arc<Workspace>,
    user: &UserId,
) -> Result<Vec<(String, Session)>, AccessProblem> {
    let Some(known) = workspace.access.user(user.as_str()) else {
        return Ok(Vec::new());
    };
    let now = workspace.access.now();
    let mut own = all(workspace).await?;
    own.retain(|(_, session)| session.user == *user && stands(session, &known, now));
    own.sort_by_key(|(_, other)| std::cmp::Reverse(other.used_at));
    Ok(own)
}

/// All sessions that can be read.
async fn all(workspace: &Arc<Workspace>) -> Result<Vec<(String, Session)>, AccessProblem> {
    let texts = read(workspace, |reader| reader.texts(SESSION)).await?;
    let sessions = texts.into_iter().filter_map(|text| {
        let session = read_session(&text.body).ok()?;
        Some((text.name, session))
    });
    Ok(sessions.collect())
}

/// Reads beside the network threads.
pub(super) async fn read<T: Send + 'static>(
    workspace: &Arc<Workspace>,
    query: impl FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, AccessProblem> {
    let workspace = workspace.clone();
    match tokio::task::spawn_blocking(move || query(&workspace.reader)).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(AccessProblem::Store(
            relance_engine::ports::StoreError::Failed("reading ended early".to_owned()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use relance_core::access::Role;

    use super::*;

    #[test]
    fn a_session_ends_by_age_by_idleness_and_with_the_password() {
        let begun = Timestamp::from_second(1_800_000_000).unwrap();
        let mut user = User::new("a@shop.test".into(), Role::Viewer, begun, String::new());
        let mut session = Session {
            user: user.address.clone(),
            epoch: 0,
            made_at: begun,
            used_at: begun,
            agent: String::new(),
        };
        assert!(stands(&session, &user, begun));
        let idle = begun + IDLE_MAX;
        assert!(!stands(&session, &user, idle) && is_over(&session, idle));
        session.used_at = begun + AGE_MAX - SignedDuration::from_hours(1);
        assert!(stands(&session, &user, session.used_at));
        assert!(!stands(&session, &user, begun + AGE_MAX));
        user.credentials.epoch = 1;
        assert!(!stands(&session, &user, begun) && !is_over(&session, begun));
    }
}
