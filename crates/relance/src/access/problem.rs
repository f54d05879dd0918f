//! Why something about accounts was refused; each with a stable code for pages.

use relance_core::user::{KEYS_MAX, NAME_CHARS_MAX, TICKETS_MAX, USERS_MAX};
use relance_engine::arrival::Refusal;
use relance_engine::ports::StoreError;
use relance_store::read::ReadError;
use relance_wire::stored::StoredProblem;

use super::password::{HashProblem, Weak};
use super::throttle::TooMany;

/// Why it was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessProblem {
    /// Address or password.
    #[error("address or password are not right; look at them, or ask for a new password")]
    WrongCredentials,
    /// The password was right, the second factor is missing.
    #[error("code: write the code of the second factor, or a recovery code")]
    CodeNeeded,
    /// The second factor.
    #[error("code: it is not right, or was used before; wait for the next one")]
    WrongCode,
    /// The password in force, asked once more.
    #[error("the password in force is not right")]
    WrongPassword,
    /// Too many tries.
    #[error("too many tries; come again in {} s", .0.retry_after_seconds)]
    TooMany(TooMany),
    /// A link that is used, expired or none.
    #[error("the link is not valid, was used, or has expired; ask for a new one")]
    LinkUnknown,
    /// Somebody set the workspace up already.
    #[error("the workspace has users; sign in, or ask an admin for an invitation")]
    SetupDone,
    /// The password is not good enough.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The address is none.
    #[error("address: {0:?} is no address; write anna@example.com")]
    BadAddress(String),
    /// A text is too long or holds what no name holds.
    #[error("{0}: at most {NAME_CHARS_MAX} characters, and no control characters")]
    BadName(&'static str),
    /// A word of a closed set.
    #[error("{field}: {found:?} is not known; use one of {known}")]
    BadWord {
        /// Which field.
        field: &'static str,
        /// What was written.
        found: String,
        /// What may be.
        known: String,
    },
    /// Somebody has this address.
    #[error("address: there is a user with it already")]
    AddressTaken,
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Nobody could let the others in any more.
    #[error("the last admin must stay; make another user admin first")]
    LastAdmin,
    /// They have a password: an invitation is for those who have none.
    #[error("the user is active; they can ask for a new password themselves")]
    Active,
    /// There is one already, or none.
    #[error("the second factor is {0}")]
    Totp(&'static str),
    /// A limit of the workspace.
    #[error("{0}")]
    Full(Full),
    /// Hashing.
    #[error(transparent)]
    Hash(#[from] HashProblem),
    /// Signing in by a provider.
    #[error(transparent)]
    Provider(#[from] super::oidc::OidcProblem),
    /// The engine.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Reading.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Chance, or a database without a server.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret of the second factor is sealed by a key that is not here.
    #[error(
        "the second factor cannot be checked: the server lacks the key of its secrets; use a recovery code, or ask whoever runs the server"
    )]
    Sealed(#[from] crate::vault::VaultProblem),
    /// What is stored.
    #[error(transparent)]
    Stored(#[from] StoredProblem),
}

/// A limit of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Users.
    #[error("there are {USERS_MAX} users; remove one first")]
    Users,
    /// Links.
    #[error("{TICKETS_MAX} links wait to be followed; try again later")]
    Tickets,
    /// Keys.
    #[error("there are {KEYS_MAX} keys; remove one first")]
    Keys,
}

impl AccessProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongCredentials => "wrong_credentials",
            Self::CodeNeeded => "code_needed",
            Self::WrongCode => "wrong_code",
            Self::WrongPassword => "wrong_password",
            Self::TooMany(_) => "too_many_attempts",
            Self::LinkUnknown => "link_unknown",
            Self::SetupDone => "setup_done",
            Self::Weak(_) => "weak_password",
            Self::BadAddress(_) => "bad_address",
            Self::BadName(_) => "bad_name",
            Self::BadWord { .. } => "bad_word",
            Self::AddressTaken => "address_taken",
            Self::NotFound(_) => "not_found",
            Self::LastAdmin => "last_admin",
            Self::Active => "user_active",
            Self::Totp(_) => "second_factor",
            Self::Full(_) => "too_many",
            Self::Hash(HashProblem::Busy) => "busy",
            Self::Provider(problem) => problem.code(),
            Self::Hash(HashProblem::Failed)
            | Self::Refused(_)
            | Self::Read(_)
            | Self::Store(_)
            | Self::Stored(_) => "failed",
            Self::Sealed(_) => "secret_key_missing",
        }
    }
}
