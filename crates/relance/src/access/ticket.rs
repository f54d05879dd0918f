//! Links that let somebody in once: set-up, invitation, new password, signing in.
//!
//! The token is the fragment of the address, which browsers send to nobody; the database has its hash. One made on the
//! command line beside a running server lies in the data folder instead, where whoever may write may do everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::user::{Purpose, TICKETS_MAX, Ticket, User};
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Asset, StoreError};
use relance_wire::stored::{read_ticket, ticket_text};

use super::problem::Full;
use super::session::read;
use super::{AccessProblem, TICKET, token};
use crate::workspace::Workspace;

/// The folder of links that were made beside a running server.
const FOLDER: &str = "links";

/// How long a link is good.
pub const fn good_for(purpose: Purpose) -> SignedDuration {
    match purpose {
        Purpose::Setup | Purpose::Invitation => SignedDuration::from_hours(7 * 24),
        Purpose::SignIn | Purpose::Reset => SignedDuration::from_hours(1),
    }
}

/// The page that a link opens.
const fn page(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Setup => "setup",
        Purpose::SignIn => "enter",
        Purpose::Reset => "reset",
        Purpose::Invitation => "invitation",
    }
}

/// The address of a link.
pub fn url(public_url: &str, purpose: Purpose, token: &str) -> String {
    let base = public_url.trim_end_matches('/');
    format!("{base}/{}#{token}", page(purpose))
}

/// A new link: its token, and what to store.
pub fn make(
    purpose: Purpose,
    user: Option<&User>,
    made_by: &str,
    now: Timestamp,
    good_for: SignedDuration,
) -> Result<(String, Asset), AccessProblem> {
    let token = token::new()?;
    let ticket = Ticket {
        purpose,
        user: user.map(|user| user.address.clone()),
        epoch: user.map_or(0, |user| user.credentials.epoch),
        expires_at: now.checked_add(good_for).unwrap_or(Timestamp::MAX),
        made_by: made_by.to_owned(),
    };
    let asset = Asset {
        kind: TICKET.to_owned(),
        name: token::hash(&token),
        body: Some(ticket_text(&ticket)?),
    };
    Ok((token, asset))
}

/// A new link of a running workspace: its token, and what makes it durable; what has expired is cleared away.
pub async fn issue(
    workspace: &Arc<Workspace>,
    purpose: Purpose,
    user: Option<&User>,
    made_by: &str,
) -> Result<(String, Vec<Arrival>), AccessProblem> {
    issue_for(workspace, purpose, user, made_by, good_for(purpose)).await
}

/// [`issue`], good for another time than is usual.
pub async fn issue_for(
    workspace: &Arc<Workspace>,
    purpose: Purpose,
    user: Option<&User>,
    made_by: &str,
    good_for: SignedDuration,
) -> Result<(String, Vec<Arrival>), AccessProblem> {
    let now = workspace.access.now();
    let (token, asset) = make(purpose, user, made_by, now, good_for)?;
    let mut arrivals = vec![Arrival::Asset(asset)];
    let kept = read(workspace, |reader| reader.texts(TICKET)).await?;
    let mut waiting = 0;
    for text in kept {
        let is_good = read_ticket(&text.body).is_ok_and(|ticket| now < ticket.expires_at);
        if is_good {
            waiting += 1;
        } else {
            arrivals.push(Arrival::Asset(spent(&text.name)));
        }
    }
    if waiting >= TICKETS_MAX {
        return Err(AccessProblem::Full(Full::Tickets));
    }
    Ok((token, arrivals))
}

fn spent(hash: &str) -> Asset {
    Asset {
        kind: TICKET.to_owned(),
        name: hash.to_owned(),
        body: None,
    }
}

/// A link that was found good, and what spends it.
pub struct Redeemed {
    /// Whose it is.
    pub user: Option<Arc<User>>,
    /// Who made it.
    pub made_by: String,
    /// To be committed with what it is good for.
    pub spends: Arrival,
    file: Option<PathBuf>,
}

impl Redeemed {
    /// Once it is committed.
    pub fn clear(&self) {
        if let Some(file) = &self.file
            && let Err(error) = std::fs::remove_file(file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::error!(%error, "a link that was used could not be removed from the data folder");
        }
    }
}

/// Looks at a link. It is spent only by committing what is told; whoever does both holds `changing`.
pub async fn redeem(
    workspace: &Arc<Workspace>,
    purpose: Purpose,
    token: &str,
) -> Result<Redeemed, AccessProblem> {
    if token.len() != token::TOKEN_TEXT_BYTES {
        return Err(AccessProblem::LinkUnknown);
    }
    let name = token::hash(token);
    let (hash, data) = (name.clone(), workspace.data.clone());
    let found = read(workspace, move |reader| {
        let kept = reader.text(TICKET, &hash)?;
        Ok(match kept {
            Some(text) => Some((text.body, None)),
            None => {
                let path = file(&data, &hash);
                let text = std::fs::read_to_string(&path).ok();
                text.map(|text| (text, Some(path)))
            }
        })
    });
    let Some((text, file)) = found.await? else {
        return Err(AccessProblem::LinkUnknown);
    };
    let access = &workspace.access;
    let ticket = read_ticket(&text)?;
    let user = ticket
        .user
        .as_ref()
        .and_then(|address| access.user(address.as_str()));
    if !ticket.is_good(purpose, user.as_deref(), access.now()) {
        return Err(AccessProblem::LinkUnknown);
    }
    Ok(Redeemed {
        user,
        made_by: ticket.made_by,
        spends: Arrival::Asset(spent(&name)),
        file,
    })
}

fn file(data: &Path, hash: &str) -> PathBuf {
    data.join(FOLDER).join(hash)
}

/// Makes a link beside a running server: into the data folder, for its owner alone.
pub fn make_in_folder(
    data: &Path,
    purpose: Purpose,
    user: &User,
    now: Timestamp,
) -> Result<String, AccessProblem> {
    let (token, asset) = make(purpose, Some(user), "command line", now, good_for(purpose))?;
    let failed = |error: std::io::Error| {
        AccessProblem::Store(StoreError::Failed(format!("the folder {FOLDER}: {error}")))
    };
    write_private(
        &file(data, &asset.name),
        asset.body.as_deref().unwrap_or(""),
    )
    .map_err(failed)?;
    Ok(token)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
