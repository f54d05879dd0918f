//! Coming in: by password, by link, as the first admin, by invitation; and a new password for whoever forgot it.
//!
//! Whoever is unknown gets the same answer after the same time as whoever is known.

use std::net::IpAddr;
use std::sync::Arc;

use relance_core::access::Role;
use relance_core::user::{Purpose, Totp, User};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use serde_json::{Value, json};

use super::account::{self, Words};
use super::{AccessProblem, Caller, FACTOR_USE, mail, password, plain, session, ticket, totp};
use crate::workspace::Workspace;

/// From where somebody calls.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The network address.
    pub address: IpAddr,
    /// What the browser says that it is.
    pub agent: String,
}

/// Somebody who came in.
pub struct Entered {
    /// For the cookie.
    pub token: String,
    /// Who.
    pub caller: Caller,
}

/// The first admin, as they name themselves.
#[derive(Debug, Clone)]
pub struct First<'a> {
    /// The token of the link.
    pub link: &'a str,
    /// The address to log in with.
    pub address: &'a str,
    /// The password.
    pub password: &'a str,
    /// The rest.
    pub words: Words<'a>,
}

/// By address and password, and the second factor where it is on.
pub async fn by_password(
    workspace: &Arc<Workspace>,
    address: &str,
    given: &str,
    code: Option<&str>,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let access = &workspace.access;
    access
        .throttle
        .sign_in(address, origin.address, access.now())
        .map_err(AccessProblem::TooMany)?;
    let known = access.user(address);
    let hash = known
        .as_ref()
        .and_then(|user| user.credentials.password.as_deref());
    if !access.passwords.fits(given, hash).await? {
        return Err(AccessProblem::WrongCredentials);
    }
    let Some(known) = known else {
        return Err(AccessProblem::WrongCredentials);
    };
    let _turn = access.changing.lock().await;
    let mut user = account::fresh(workspace, &known.address).await?;
    // Changed while the hash was made: what was right may be so no more.
    if user.credentials.password != known.credentials.password {
        return Err(AccessProblem::WrongCredentials);
    }
    let mut taken = Taken::default();
    if user.credentials.totp.is_some() {
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        let code = code.ok_or(AccessProblem::CodeNeeded)?;
        taken = take_code(workspace, &mut user, code).await?;
    }
    access.throttle.forgive(address);
    let how = json!({ "by": "password" });
    begin(
        workspace,
        user,
        taken.changes_user,
        taken.arrivals,
        origin,
        &how,
    )
    .await
}

/// What must be committed so that a code is taken once.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) arrivals: Vec<Arrival>,
    changes_user: bool,
}

/// Takes a code of the second factor, or a recovery code: neither is taken twice. Whoever calls holds `changing`.
pub(super) async fn take_code(
    workspace: &Arc<Workspace>,
    user: &mut User,
    code: &str,
) -> Result<Taken, AccessProblem> {
    let Some(factor) = user.credentials.totp.clone() else {
        return Ok(Taken::default());
    };
    let name = user.address.to_string();
    let last = {
        let name = name.clone();
        session::read(workspace, move |reader| reader.text(FACTOR_USE, &name)).await?
    };
    let last = last.and_then(|text| text.body.parse().ok()).unwrap_or(0);
    let opened = totp::open(&workspace.vault, &name, &factor.secret);
    if let Err(problem) = &opened {
        tracing::error!(%problem, "a second factor cannot be checked");
    }
    let now = u64::try_from(workspace.access.now().as_second()).unwrap_or(0);
    let taken = opened.as_ref().ok().and_then(|secret| {
        let factor = Totp {
            secret: secret.clone(),
            used: factor.used.max(last),
        };
        totp::take(&factor, code, now)
    });
    if let Some(taken) = taken {
        let mut changes_user = false;
        // What an earlier version kept plain is sealed now that it is at hand.
        if !totp::is_sealed(&factor.secret)
            && let Ok(secret) = totp::seal(&workspace.vault, &name, &factor.secret)
        {
            let used = factor.used;
            user.credentials.totp = Some(Totp { secret, used });
            changes_user = true;
        }
        let used = Arrival::Asset(Asset {
            kind: FACTOR_USE.to_owned(),
            name,
            body: Some(taken.used.to_string()),
        });
        return Ok(Taken {
            arrivals: vec![used],
            changes_user,
        });
    }
    let hash = totp::hash(code);
    let left = &mut user.credentials.recovery;
    let at = left.iter().position(|kept| *kept == hash);
    let at = match (at, opened) {
        (Some(at), _) => at,
        (None, Err(problem)) => return Err(problem.into()),
        (None, Ok(_)) => return Err(AccessProblem::WrongCode),
    };
    left.remove(at);
    Ok(Taken {
        arrivals: Vec::new(),
        changes_user: true,
    })
}

/// By a link that an operator made.
pub async fn by_link(
    workspace: &Arc<Workspace>,
    token: &str,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let _turn = workspace.access.changing.lock().await;
    let redeemed = ticket::redeem(workspace, Purpose::SignIn, token).await?;
    let Some(user) = redeemed.user.as_deref().cloned() else {
        return Err(AccessProblem::LinkUnknown);
    };
    let how = json!({ "by": "link", "made_by": redeemed.made_by });
    let spends = vec![redeemed.spends.clone()];
    let entered = begin(workspace, user, false, spends, origin, &how).await?;
    redeemed.clear();
    Ok(entered)
}

/// Makes the first admin, and lets them in.
pub async fn setup(
    workspace: &Arc<Workspace>,
    first: &First<'_>,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let access = &workspace.access;
    if !access.is_empty() {
        return Err(AccessProblem::SetupDone);
    }
    // Looked at before the password is hashed: without a link that costs nobody anything.
    ticket::redeem(workspace, Purpose::Setup, first.link).await?;
    let address = account::check_address(first.address)?;
    password::check(first.password, address.as_str())?;
    let mut user = User::new(address, Role::Admin, access.now(), "setup".to_owned());
    let today = access.today(&user);
    first.words.write(&mut user, today)?;
    user.credentials.password = Some(access.passwords.hash(first.password).await?);
    let _turn = access.changing.lock().await;
    if !access.is_empty() || account::anyone(workspace).await? {
        return Err(AccessProblem::SetupDone);
    }
    let redeemed = ticket::redeem(workspace, Purpose::Setup, first.link).await?;
    let how = json!({ "by": "setup" });
    let spends = vec![redeemed.spends.clone()];
    let entered = begin(workspace, user, true, spends, origin, &how).await?;
    redeemed.clear();
    Ok(entered)
}

/// Whose an invitation is, and who invites.
pub async fn invitation(
    workspace: &Arc<Workspace>,
    token: &str,
) -> Result<(Arc<User>, String), AccessProblem> {
    let redeemed = ticket::redeem(workspace, Purpose::Invitation, token).await?;
    let user = redeemed.user.ok_or(AccessProblem::LinkUnknown)?;
    Ok((user, redeemed.made_by))
}

/// Follows an invitation: the first password, and in.
pub async fn by_invitation(
    workspace: &Arc<Workspace>,
    token: &str,
    given: &str,
    words: &Words<'_>,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let access = &workspace.access;
    let (invited, _) = invitation(workspace, token).await?;
    password::check(given, invited.address.as_str())?;
    let hash = access.passwords.hash(given).await?;
    let _turn = access.changing.lock().await;
    let redeemed = ticket::redeem(workspace, Purpose::Invitation, token).await?;
    let mut user = account::fresh(workspace, &invited.address).await?;
    let today = access.today(&user);
    words.write(&mut user, today)?;
    account::set_hash(&mut user, hash);
    let how = json!({ "by": "invitation" });
    let spends = vec![redeemed.spends.clone()];
    let entered = begin(workspace, user, true, spends, origin, &how).await?;
    redeemed.clear();
    Ok(entered)
}

/// A new password by a link from a mail. Nobody is let in by it: the second factor is asked as ever.
pub async fn reset(
    workspace: &Arc<Workspace>,
    token: &str,
    given: &str,
) -> Result<String, AccessProblem> {
    let access = &workspace.access;
    let redeemed = ticket::redeem(workspace, Purpose::Reset, token).await?;
    let known = redeemed.user.ok_or(AccessProblem::LinkUnknown)?;
    password::check(given, known.address.as_str())?;
    let hash = access.passwords.hash(given).await?;
    let _turn = access.changing.lock().await;
    let redeemed = ticket::redeem(workspace, Purpose::Reset, token).await?;
    let mut user = account::fresh(workspace, &known.address).await?;
    account::set_hash(&mut user, hash);
    let caller = access.caller(&user, None);
    let spends = vec![redeemed.spends.clone()];
    account::commit(
        workspace,
        &caller,
        user,
        spends,
        "user.password",
        &Value::Null,
    )
    .await?;
    redeemed.clear();
    access.throttle.forgive(known.address.as_str());
    Ok(known.address.to_string())
}

/// Writes to whoever forgot their password. Nothing is told of whether there is such a user: it is found out, and done,
/// after the answer.
pub fn forgotten(
    workspace: &Arc<Workspace>,
    address: &str,
    origin: &Origin,
) -> Result<(), AccessProblem> {
    let access = &workspace.access;
    access
        .throttle
        .mail(address, origin.address, access.now())
        .map_err(AccessProblem::TooMany)?;
    let (workspace, address) = (workspace.clone(), plain(address));
    tokio::spawn(async move {
        let access = &workspace.access;
        let Some(user) = access.user(&address).filter(|user| user.is_active()) else {
            return;
        };
        if let Err(problem) = mail_reset(&workspace, &user).await {
            tracing::warn!(%problem, "a link for a new password could not be sent");
        }
    });
    Ok(())
}

async fn mail_reset(workspace: &Arc<Workspace>, user: &User) -> Result<(), AccessProblem> {
    let own = user.address.to_string();
    let (token, arrivals) = ticket::issue(workspace, Purpose::Reset, Some(user), &own).await?;
    let weight = 512 * arrivals.len();
    workspace.submit(arrivals, weight).await?;
    let config = workspace.config();
    let public_url = &config.workspace.public_url;
    let link = ticket::url(public_url, Purpose::Reset, &token);
    if let Err(problem) = mail::reset(workspace, user, &link).await {
        tracing::warn!(%problem, "a link for a new password could not be sent");
    }
    Ok(())
}

/// Begins the session of a user who proved themselves; `changed` says whether they are to be stored as well.
pub(super) async fn begin(
    workspace: &Arc<Workspace>,
    user: User,
    changed: bool,
    mut arrivals: Vec<Arrival>,
    origin: &Origin,
    how: &Value,
) -> Result<Entered, AccessProblem> {
    let begun = session::begin(workspace, &user, &origin.agent).await?;
    let caller = workspace.access.caller(&user, None);
    arrivals.extend(begun.arrivals.iter().cloned());
    if changed {
        account::commit(workspace, &caller, user, arrivals, "session.begin", how).await?;
    } else {
        let weight = 512 * arrivals.len();
        let own = user.address.as_str();
        workspace
            .submit_with(&caller, arrivals, weight, "session.begin", own, how)
            .await?;
    }
    begun.remember(workspace);
    Ok(Entered {
        token: begun.token,
        caller,
    })
}
