//! The second factor of a user: shown, confirmed, turned off.

use std::sync::Arc;

use relance_core::user::Totp;
use serde_json::Value;

use super::account::{check_own, commit, fresh};
use super::enter::{Origin, take_code};
use super::{AccessProblem, Caller, totp};
use crate::workspace::Workspace;

/// Shows a new secret: as text, and as an address for a camera. It is in force once it is confirmed.
pub async fn ask(
    workspace: &Arc<Workspace>,
    caller: &Caller,
) -> Result<(String, String), AccessProblem> {
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    let _turn = workspace.access.changing.lock().await;
    let mut user = fresh(workspace, own).await?;
    if user.credentials.totp.is_some() {
        return Err(AccessProblem::Totp("on; turn it off first"));
    }
    let secret = totp::secret()?;
    let issuer = format!("Relance {}", workspace.config().workspace.name);
    let shown = totp::shown(&secret, own.as_str(), &issuer);
    let shown = shown.ok_or(AccessProblem::Totp("not possible for this address"))?;
    user.credentials.totp_asked = Some(totp::seal(&workspace.vault, own.as_str(), &secret)?);
    commit(
        workspace,
        caller,
        user,
        Vec::new(),
        "user.second_factor_asked",
        &Value::Null,
    )
    .await?;
    Ok(shown)
}

/// Confirms it by a code of it, and tells the recovery codes.
pub async fn confirm(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    code: &str,
    origin: &Origin,
) -> Result<Vec<String>, AccessProblem> {
    let access = &workspace.access;
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    let now = access.now();
    access
        .throttle
        .sign_in(own.as_str(), origin.address, now)
        .map_err(AccessProblem::TooMany)?;
    let _turn = access.changing.lock().await;
    let mut user = fresh(workspace, own).await?;
    let Some(kept) = user.credentials.totp_asked.take() else {
        return Err(AccessProblem::Totp("not asked for; ask for it first"));
    };
    let secret = totp::open(&workspace.vault, own.as_str(), &kept)?;
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let used = totp::step(&secret, code, seconds).ok_or(AccessProblem::WrongCode)?;
    let (shown, kept) = totp::recovery_codes()?;
    let secret = totp::seal(&workspace.vault, own.as_str(), &secret)?;
    user.credentials.totp = Some(Totp { secret, used });
    user.credentials.recovery = kept;
    commit(
        workspace,
        caller,
        user,
        Vec::new(),
        "user.second_factor_on",
        &Value::Null,
    )
    .await?;
    access.throttle.forgive(own.as_str());
    Ok(shown)
}

/// Makes new recovery codes, by the password or a code once more; those of before are good for nothing then.
pub async fn recover(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    password: Option<&str>,
    code: Option<&str>,
    origin: &Origin,
) -> Result<Vec<String>, AccessProblem> {
    let access = &workspace.access;
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    let known = access.user(own.as_str());
    let known = known.ok_or(AccessProblem::NotFound("user"))?;
    if known.credentials.totp.is_none() {
        return Err(AccessProblem::Totp("off; turn it on first"));
    }
    let code = code.filter(|code| !code.trim().is_empty());
    if code.is_none() {
        // Whoever has no password has a code all the same.
        if known.credentials.password.is_none() {
            return Err(AccessProblem::WrongCode);
        }
        check_own(workspace, &known, password, origin).await?;
    }
    let _turn = access.changing.lock().await;
    let mut user = fresh(workspace, own).await?;
    let mut arrivals = Vec::new();
    if let Some(code) = code {
        access
            .throttle
            .sign_in(own.as_str(), origin.address, access.now())
            .map_err(AccessProblem::TooMany)?;
        arrivals = take_code(workspace, &mut user, code).await?.arrivals;
        access.throttle.forgive(own.as_str());
    }
    let (shown, kept) = totp::recovery_codes()?;
    user.credentials.recovery = kept;
    commit(
        workspace,
        caller,
        user,
        arrivals,
        "user.recovery_codes",
        &Value::Null,
    )
    .await?;
    Ok(shown)
}

/// Turns it off, by the password once more.
pub async fn drop(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    password: Option<&str>,
    origin: &Origin,
) -> Result<(), AccessProblem> {
    let access = &workspace.access;
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    let known = access.user(own.as_str());
    let known = known.ok_or(AccessProblem::NotFound("user"))?;
    check_own(workspace, &known, password, origin).await?;
    let _turn = access.changing.lock().await;
    let mut user = fresh(workspace, own).await?;
    if user.credentials.totp.take().is_none() {
        return Err(AccessProblem::Totp("off"));
    }
    user.credentials.recovery = Vec::new();
    commit(
        workspace,
        caller,
        user,
        Vec::new(),
        "user.second_factor_off",
        &Value::Null,
    )
    .await
}
