//! How mailboxes fare, as the API tells it: of the book, of what runs here, and of what the database knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::access::Permission;
use relance_core::ids::MailboxId;
use relance_engine::ports::MailboxState;
use relance_wire::api::mailbox as shape;

use super::Health;
use super::book::{Entry, Origin};
use crate::access::Caller;
use crate::config::{ConfigProblem, field};

/// How long a mailbox may be silent at the least: servers are asked again each five minutes.
const ALERT_AFTER_MIN: SignedDuration = SignedDuration::from_mins(1);

/// How a mailbox fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was not read yet.
    Starting,
    /// It is read for the first time.
    Synchronising,
    /// All is well.
    Live,
    /// It cannot be read now.
    Failing,
    /// The server lets nobody in.
    LoginRefused,
    /// It was not read for long.
    Silent,
    /// Somebody put it to rest.
    Paused,
}

impl State {
    /// Its word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Synchronising => "synchronising",
            Self::Live => "live",
            Self::Failing => "failing",
            Self::LoginRefused => "login_refused",
            Self::Silent => "silent",
            Self::Paused => "paused",
        }
    }
}

/// How long a mailbox may be silent, from the configuration.
pub fn alert_after(text: &str) -> Result<SignedDuration, ConfigProblem> {
    let place = "mailboxes.alert_after";
    let read: Result<SignedDuration, _> = text.parse();
    let read = read.map_err(|_| field(place, format!("{text:?} is no time; write 30m or 2h")))?;
    if read < ALERT_AFTER_MIN {
        return Err(field(place, "it is too short; write 1m or more"));
    }
    Ok(read)
}

/// All that is known of one mailbox.
pub struct Looked<'a> {
    /// As it is in force.
    pub entry: &'a Entry,
    /// As it runs here.
    pub health: Option<&'a Health>,
    /// When it was last read whole, by any node.
    pub synced_at: Option<Timestamp>,
    /// The moment.
    pub now: Timestamp,
    /// How long it may be silent.
    pub alert_after: SignedDuration,
}

/// Codes by which a server lets nobody in.
const REFUSALS: [&str; 11] = [
    "password_refused",
    "app_password_needed",
    "imap_disabled",
    "imap_disabled_or_password",
    "web_login_needed",
    "oauth_only",
    "password_expired",
    "account_disabled",
    "encryption_needed",
    "connect_again",
    "secret_lost",
];

impl Looked<'_> {
    /// How it fares.
    pub fn state(&self) -> State {
        if self.entry.stored.paused {
            return State::Paused;
        }
        let failure = self.failure();
        let code = failure.as_ref().map(|failure| failure.code.as_str());
        if code.is_some_and(|code| REFUSALS.contains(&code)) {
            return State::LoginRefused;
        }
        if self.is_silent() {
            return State::Silent;
        }
        if failure.is_some() {
            return State::Failing;
        }
        match (self.synced_at, self.health) {
            (Some(_), _) => State::Live,
            (None, Some(health)) if health.progress.is_some() => State::Synchronising,
            (None, _) => State::Starting,
        }
    }

    /// Whether it was not read for so long that people must know, counted from when it began to be watched.
    pub fn is_silent(&self) -> bool {
        if self.entry.stored.paused {
            return false;
        }
        let begun = match self.entry.origin {
            Origin::Here => Some(self.entry.stored.changed_at),
            Origin::File => None,
        };
        let watched = self.health.map(|health| health.watched_at);
        // A first reading of a large mailbox takes its time.
        let reads = self.health.is_some_and(|health| health.progress.is_some());
        let last = self.synced_at.max(begun).max(watched);
        !reads && last.is_some_and(|last| self.now.duration_since(last) > self.alert_after)
    }

    /// What is wrong with it.
    pub fn failure(&self) -> Option<shape::MailboxFailure> {
        if let Some(unready) = &self.entry.unready {
            return Some(shape::MailboxFailure {
                code: unready.code.to_owned(),
                text: unready.text.clone(),
                since: None,
            });
        }
        let health = self.health?;
        let (code, since) = health.failing?;
        Some(shape::MailboxFailure {
            code: code.to_owned(),
            text: health.failure.clone().unwrap_or_default(),
            since: Some(since.to_string()),
        })
    }
}

/// When each was last read whole, of what runs here and what the database knows.
pub fn synced(
    health: &BTreeMap<MailboxId, Health>,
    known: &[MailboxState],
) -> BTreeMap<MailboxId, Timestamp> {
    let kept = known
        .iter()
        .filter_map(|state| Some((state.mailbox.clone(), state.synced_at?)))
        .filter(|(_, at)| *at > Timestamp::UNIX_EPOCH);
    let mut all: BTreeMap<MailboxId, Timestamp> = kept.collect();
    for (mailbox, health) in health {
        if let Some(at) = health.synced_at {
            let known = all.entry(mailbox.clone()).or_insert(at);
            *known = at.max(*known);
        }
    }
    all
}

/// Whether a caller may see a mailbox: their own, those they work with; whoever sees everyone's sees all.
pub fn sees(caller: &Caller, entry: &Entry) -> bool {
    use relance_core::access::Sees;
    match &caller.sees {
        Sees::Everything => true,
        Sees::Of(owners) => {
            let named = std::iter::once(&entry.address).chain(&entry.stored.members);
            named
                .into_iter()
                .any(|address| owners.iter().any(|owner| owner.as_str() == address))
        }
    }
}

/// Whether a caller may connect, change and remove the mailbox of an address: an admin any, others their own.
pub fn may_change(caller: &Caller, address: &str) -> bool {
    caller.may(Permission::Settings)
        || (caller.may(Permission::Work)
            && caller
                .address()
                .is_some_and(|own| own.as_str().eq_ignore_ascii_case(address)))
}

/// A mailbox as the API tells it.
pub fn shown(looked: &Looked<'_>, caller: &Caller) -> shape::Mailbox {
    let entry: &Entry = looked.entry;
    let stored = &entry.stored;
    let health = looked.health;
    let is_here = entry.origin == Origin::Here;
    let progress = health.and_then(|health| health.progress);
    shape::Mailbox {
        address: entry.address.clone(),
        name: stored.name.clone(),
        origin: entry.origin.word().to_owned(),
        provider: stored.provider.clone(),
        auth: match entry.oauth() {
            Some(_) => "oauth",
            None => "password",
        }
        .to_owned(),
        state: looked.state().word().to_owned(),
        synced_at: looked.synced_at.map(|at| at.to_string()),
        failure: looked.failure(),
        progress: progress.map(|progress| shape::MailboxProgress {
            done: progress.done,
            total: progress.total,
        }),
        folders: shape::MailboxFolders {
            inbox: health.map(|_| "INBOX".to_owned()),
            sent: health
                .filter(|health| !health.sent.is_empty())
                .map(|health| health.sent.join(", "))
                .or(stored.sent_folder.clone()),
        },
        waiting: 0,
        seen: health.map_or(0, |health| health.seen),
        unreadable: health.map_or(0, |health| health.unreadable),
        unreadable_last: health.and_then(|health| health.unreadable_last.clone()),
        aliases: stored.aliases.clone(),
        members: stored.members.clone(),
        imap: stored.imap.clone(),
        smtp: stored.smtp.clone(),
        user: stored.user.clone(),
        look_back_days: stored.look_back_days,
        sent_folder: stored.sent_folder.clone(),
        revision: stored.revision.to_string(),
        changed_by: is_here.then(|| stored.changed_by.clone()),
        changed_at: is_here.then(|| stored.changed_at.to_string()),
        editable: is_here && may_change(caller, &entry.address),
    }
}

/// Those that a caller sees.
pub fn all(
    entries: &[Arc<Entry>],
    health: &BTreeMap<MailboxId, Health>,
    known: &[MailboxState],
    caller: &Caller,
    now: Timestamp,
    alert_after: SignedDuration,
) -> Vec<shape::Mailbox> {
    let synced = synced(health, known);
    let seen = entries.iter().filter(|entry| sees(caller, entry));
    seen.map(|entry| {
        let looked = Looked {
            entry,
            health: health.get(entry.address.as_str()),
            synced_at: synced.get(entry.address.as_str()).copied(),
            now,
            alert_after,
        };
        shown(&looked, caller)
    })
    .collect()
}
