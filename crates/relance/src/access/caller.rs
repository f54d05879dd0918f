//! Who calls: what handlers know of whoever asked, as `Extension<Caller>`.
//!
//! **Absent:** how it was proved (see [`crate::http`]'s guard), what a role may do (see `relance_core::access`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::access::{Permission, Role, Scope, Sees};
use relance_core::ids::UserId;

/// Somebody, or something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A person, by the address that they log in with.
    User(UserId),
    /// A program with an API token, by the token's name.
    Token(Arc<str>),
}

/// Whoever asked, and what they may.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// As what; of a token the nearest role.
    pub role: Role,
    /// Whose contacts they see.
    pub sees: Sees,
    /// Those whom they stand in for, with their roles.
    absent: BTreeMap<UserId, Role>,
    permissions: BTreeSet<Permission>,
    /// The hash of the session, for calls by cookie.
    session: Option<Arc<str>>,
}

impl Caller {
    /// A person who is signed in.
    pub fn user(address: UserId, role: Role, sees: Sees, session: Option<Arc<str>>) -> Self {
        Self {
            who: Who::User(address),
            role,
            sees,
            absent: BTreeMap::new(),
            permissions: role.permissions(),
            session,
        }
    }

    /// A program with a token.
    pub fn token(name: Arc<str>, scope: Scope) -> Self {
        Self {
            who: Who::Token(name),
            role: scope.role(),
            sees: Sees::Everything,
            absent: BTreeMap::new(),
            permissions: scope.permissions(),
            session: None,
        }
    }

    /// The same person, who answers for others while those are away.
    pub fn standing_in(mut self, absent: BTreeMap<UserId, Role>) -> Self {
        self.absent = absent;
        self
    }

    /// Those whom they stand in for, with their roles.
    pub const fn absent(&self) -> &BTreeMap<UserId, Role> {
        &self.absent
    }

    /// The program itself, from the command line.
    pub fn operator() -> Self {
        Self::token("command line".into(), Scope::Admin)
    }

    /// The name in answers and in the audit: an address, or `token NAME`.
    pub fn name(&self) -> String {
        match &self.who {
            Who::User(address) => address.to_string(),
            Who::Token(name) if name.is_empty() => "api".to_owned(),
            Who::Token(name) => format!("token {name}"),
        }
    }

    /// The address of a person.
    pub const fn address(&self) -> Option<&UserId> {
        match &self.who {
            Who::User(address) => Some(address),
            Who::Token(_) => None,
        }
    }

    /// Whether they may do that.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// All that they may do.
    pub const fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }

    /// The hash of the session, for calls by cookie.
    pub const fn session(&self) -> Option<&Arc<str>> {
        self.session.as_ref()
    }
}
