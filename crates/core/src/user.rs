//! What is known of whoever logs in: users, their sessions, links that let somebody in once, keys of programs.
//!
//! Secrets are here as hashes only; whoever makes and checks them has the means. **Absent:** hashing, chance, mail.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::access::{Role, Scope};
use crate::ids::UserId;

/// Users of one workspace.
pub const USERS_MAX: usize = 1_000;
/// Sessions of one user at once; the oldest gives way.
pub const SESSIONS_PER_USER_MAX: usize = 20;
/// Links that wait to be followed, in one workspace.
pub const TICKETS_MAX: usize = 2_000;
/// Keys of one workspace.
pub const KEYS_MAX: usize = 200;
/// Characters of a name, of a team, of a key's name.
pub const NAME_CHARS_MAX: usize = 200;
/// Bytes of an address (RFC 5321).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// Someone who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// By which they log in, in lower case.
    pub address: UserId,
    /// For people.
    pub name: Option<String>,
    /// What they are for.
    pub role: Role,
    /// Salespeople of a team are seen by its heads.
    pub team: Option<String>,
    /// The language of what they read.
    pub language: Option<String>,
    /// Where they are.
    pub zone: Option<String>,
    /// Who answers in their place while they are away.
    pub deputy: Option<UserId>,
    /// When they are away.
    pub away: Option<Absence>,
    /// When they are told what waits for them.
    pub digest: Digest,
    /// What proves them.
    pub credentials: Credentials,
    /// Since when they are known.
    pub made_at: Timestamp,
    /// Who made them.
    pub made_by: String,
}

/// What proves a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The hash of their password, in the format of its own that names how it was made; `None` before the first.
    pub password: Option<String>,
    /// The second factor, when it is on.
    pub totp: Option<Totp>,
    /// One that was shown and not yet confirmed.
    pub totp_asked: Option<Vec<u8>>,
    /// A provider of sign-ins vouched for them: they need no password.
    pub vouched: bool,
    /// Hashes of recovery codes that are left.
    pub recovery: Vec<String>,
    /// Counts changes of the password and of what else ends sessions: sessions and links of an earlier one are void.
    pub epoch: u32,
}

/// A second factor by time (RFC 6238).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    /// What the codes are made of.
    pub secret: Vec<u8>,
    /// The last step of time whose code was taken: neither it nor an earlier one is taken again.
    pub used: u64,
}

impl User {
    /// A user without a password.
    pub fn new(address: UserId, role: Role, made_at: Timestamp, made_by: String) -> Self {
        Self {
            address,
            name: None,
            role,
            team: None,
            language: None,
            zone: None,
            deputy: None,
            away: None,
            digest: Digest::default(),
            credentials: Credentials::default(),
            made_at,
            made_by,
        }
    }

    /// Whether they can log in: until an invitation is followed they cannot.
    pub const fn is_active(&self) -> bool {
        self.credentials.password.is_some() || self.credentials.vouched
    }

    /// Whether somebody stands in for them on a day of theirs.
    pub fn stand_in(&self, on: Date) -> Option<&UserId> {
        let away = self.away.as_ref()?;
        (away.from <= on && on <= away.until).then_some(self.deputy.as_ref())?
    }
}

/// Days on which somebody is not at work, in their zone; both are days of absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// The first.
    pub from: Date,
    /// The last.
    pub until: Date,
}

/// When somebody is told by mail what waits for their approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Never.
    Off,
    /// On working days at this time of theirs, when something waits.
    At(Time),
}

impl Default for Digest {
    fn default() -> Self {
        Self::At(Time::constant(9, 0, 0, 0))
    }
}

/// Somebody who is signed in on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// The user's epoch when it began.
    pub epoch: u32,
    /// When it began.
    pub made_at: Timestamp,
    /// When it was last used, roughly: it is noted seldom.
    pub used_at: Timestamp,
    /// What the browser says that it is.
    pub agent: String,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Making the first admin.
    Setup,
    /// Signing in without a password.
    SignIn,
    /// Choosing a new password.
    Reset,
    /// Choosing the first password.
    Invitation,
}

impl Purpose {
    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::SignIn => "sign_in",
            Self::Reset => "reset",
            Self::Invitation => "invitation",
        }
    }

    /// The purpose of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Setup, Self::SignIn, Self::Reset, Self::Invitation]
            .into_iter()
            .find(|purpose| purpose.word() == word)
    }
}

/// A link that is good once, until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// For what.
    pub purpose: Purpose,
    /// Whose; nobody's where nobody is known yet.
    pub user: Option<UserId>,
    /// The user's epoch when it was made.
    pub epoch: u32,
    /// Until when.
    pub expires_at: Timestamp,
    /// Who made it.
    pub made_by: String,
}

impl Ticket {
    /// Whether it is good for a purpose, and for the user as they are now.
    pub fn is_good(&self, purpose: Purpose, user: Option<&User>, now: Timestamp) -> bool {
        let fits = match (&self.user, user) {
            (None, None) => true,
            (Some(address), Some(user)) => {
                *address == user.address && self.epoch == user.credentials.epoch
            }
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.purpose == purpose && now < self.expires_at && fits
    }
}

/// A key of a program: a write key or an API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What it opens.
    pub scope: Scope,
    /// For people; empty for the keys that came with the workspace.
    pub name: String,
    /// When it was made; keys of the first release do not tell.
    pub made_at: Option<Timestamp>,
    /// Who made it.
    pub made_by: String,
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_ticket_is_good_for_its_purpose_its_user_and_its_time() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + SignedDuration::from_secs(60);
        let mut user = User::new("anna@shop.test".into(), Role::Viewer, now, String::new());
        let ticket = Ticket {
            purpose: Purpose::Reset,
            user: Some(user.address.clone()),
            epoch: 0,
            expires_at: later,
            made_by: String::new(),
        };
        assert!(ticket.is_good(Purpose::Reset, Some(&user), now));
        assert!(!ticket.is_good(Purpose::SignIn, Some(&user), now));
        assert!(!ticket.is_good(Purpose::Reset, Some(&user), later));
        assert!(!ticket.is_good(Purpose::Reset, None, now));
        user.credentials.epoch = 1;
        assert!(!ticket.is_good(Purpose::Reset, Some(&user), now));
    }
}
