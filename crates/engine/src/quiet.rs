//! A copy of a workspace is quiet: it takes in whatever comes and sends nothing, until a person releases
//! it (R10).
//!
//! While a workspace is quiet no timer is taken and no message claimed; events, replies and exits are
//! obeyed as ever. Two facts live in the database, as settings: that it is quiet, and, after a release
//! that leaves out what is overdue, up to when. So a crash at any moment changes neither.
//!
//! **Absent:** how a copy is told from the original; that is the business of whoever opens the database.

use jiff::Timestamp;

use crate::ports::{Asset, Store, StoreError};

/// The sort of assets that settings are.
pub const SETTING: &str = "setting";
/// The setting of a quiet workspace; its text is for whoever shows it.
pub const QUIET: &str = "quiet";
/// The setting of a release that leaves out a backlog which is not worked off yet.
const SKIP_UNTIL: &str = "skip_until";

/// What becomes of what came due before a copy was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Each step is done unless it is later than its own allowance, as after any outage (R4).
    Send,
    /// Messages and tasks are passed over; runs go on behind them.
    Skip,
}

/// Whether a workspace is quiet.
pub fn is_quiet(store: &mut impl Store) -> Result<bool, StoreError> {
    Ok(read(store, QUIET)?.is_some())
}

/// Ends the quiet, within the batch at hand. Returns up to when what came due is left out.
pub fn release(
    store: &mut impl Store,
    backlog: Backlog,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    write(store, QUIET, None, now)?;
    let until = match backlog {
        Backlog::Send => None,
        Backlog::Skip => Some(now),
    };
    let text = until.map(|until| until.as_millisecond().to_string());
    write(store, SKIP_UNTIL, text, now)?;
    Ok(until)
}

/// Up to when what came due is left out, while some of it may still be there.
pub(crate) fn skip_until(store: &mut impl Store) -> Result<Option<Timestamp>, StoreError> {
    let Some(text) = read(store, SKIP_UNTIL)? else {
        return Ok(None);
    };
    let at = text
        .parse()
        .ok()
        .and_then(|at| Timestamp::from_millisecond(at).ok());
    match at {
        Some(at) => Ok(Some(at)),
        None => Err(StoreError::Unreadable {
            place: format!("asset {SETTING} {SKIP_UNTIL}"),
            what: format!("{text:?} is no moment"),
        }),
    }
}

/// The backlog is worked off.
pub(crate) fn end_backlog(store: &mut impl Store, now: Timestamp) -> Result<(), StoreError> {
    write(store, SKIP_UNTIL, None, now)
}

fn read(store: &mut impl Store, name: &str) -> Result<Option<String>, StoreError> {
    let settings = store.assets(SETTING)?;
    let found = settings.into_iter().find(|asset| asset.name == name);
    Ok(found.map(|asset| asset.body.unwrap_or_default()))
}

fn write(
    store: &mut impl Store,
    name: &str,
    body: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let asset = Asset {
        kind: SETTING.to_owned(),
        name: name.to_owned(),
        body,
    };
    store.put_asset(&asset, now)
}
