//! Accounts of the program: who logs in, with what, and what they may.
//!
//! Users, sessions and links are texts of the workspace's database, known everywhere as keys are. Sessions are looked
//! up there by the hash of their token and remembered for a few seconds, so that signing in disturbs nobody else; that
//! a password changed is known with the user, at once on this node and with the next turn on others.
//!
//! Moments of accounts are real ones, also where the workspace lives on a virtual clock.
//!
//! **Absent:** the matrix role x permission (see `relance_core::access`), routes (see [`crate::http`]).

pub mod account;
pub mod caller;
pub mod enter;
pub mod factor;
mod mail;
pub mod oidc;
pub mod password;
pub mod problem;
pub mod session;
pub mod throttle;
pub mod ticket;
pub mod token;
pub mod totp;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use relance_core::access::{Role, Sees};
use relance_core::ids::UserId;
use relance_core::time::Zone;
use relance_core::user::User;
use relance_engine::clock::{SharedClock, SystemClock};
use relance_engine::ports::{Store, StoreError};
use relance_wire::stored::read_user;

use crate::send::compose::Composer;

pub use caller::{Caller, Who};
pub use password::Cost;
pub use problem::AccessProblem;

/// The sort of assets that users are.
pub const USER: &str = "user";
/// The sort of assets that sessions are.
pub const SESSION: &str = "session";
/// The sort of assets that links are.
pub const TICKET: &str = "ticket";
/// The sort of assets that say when a key was last used.
pub const KEY_USE: &str = "key-use";

/// The sort of assets that say which code of a second factor was taken last: beside the user, since who signs in
/// changes nothing that other nodes must read anew.
pub const FACTOR_USE: &str = "factor-use";

/// How often the last use of a session or a key is noted.
pub const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What may differ where a workspace is opened: a test cannot wait for hashes, or for days.
#[derive(Clone)]
pub struct Options {
    /// What a password's hash costs.
    pub cost: Cost,
    /// The moment.
    pub clock: SharedClock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cost: Cost::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Users by address.
pub type Users = BTreeMap<UserId, Arc<User>>;

/// The accounts of one workspace.
pub struct Access {
    users: RwLock<Arc<Users>>,
    /// Where users are who do not say.
    zone: RwLock<Zone>,
    composer: Arc<Composer>,
    pub(crate) sessions: session::Sessions,
    pub(crate) passwords: password::Passwords,
    pub(crate) throttle: throttle::Throttle,
    pub(crate) oidc: oidc::Provider,
    /// Users are changed one after another, so that of two at once one sees what the other did.
    pub(crate) changing: tokio::sync::Mutex<()>,
    key_uses: Mutex<BTreeMap<String, Timestamp>>,
    clock: SharedClock,
}

impl Access {
    /// Reads the users of a database; the composer learns of them as people of ours.
    pub fn load(
        store: &mut impl Store,
        composer: Arc<Composer>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let access = Self {
            users: RwLock::default(),
            zone: RwLock::new(Zone::utc()),
            composer,
            sessions: session::Sessions::default(),
            passwords: password::Passwords::new(options.cost),
            throttle: throttle::Throttle::default(),
            oidc: oidc::Provider::default(),
            changing: tokio::sync::Mutex::default(),
            key_uses: Mutex::default(),
            clock: options.clock,
        };
        access.reload(store)?;
        Ok(access)
    }

    /// Reads them anew: another program may have changed some.
    pub fn reload(&self, store: &mut impl Store) -> Result<(), StoreError> {
        self.set(users_of(store)?);
        Ok(())
    }

    fn set(&self, users: Users) {
        self.composer.set_users(&users);
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
    }

    /// A user was changed here, or removed.
    pub(crate) fn put(&self, address: &UserId, user: Option<User>) {
        let mut users = (*self.users()).clone();
        match user {
            Some(user) => users.insert(address.clone(), Arc::new(user)),
            None => users.remove(address),
        };
        self.set(users);
    }

    /// All users.
    pub fn users(&self) -> Arc<Users> {
        self.users
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A user, by an address in any spelling.
    pub fn user(&self, address: &str) -> Option<Arc<User>> {
        self.users().get(plain(address).as_str()).cloned()
    }

    /// Whether there is nobody yet: the first admin is to be made.
    pub fn is_empty(&self) -> bool {
        self.users().is_empty()
    }

    /// Whose contacts a user sees.
    pub fn sees(&self, user: &User) -> Sees {
        let absent = self.absent(&user.address).into_keys().collect();
        let mut team = BTreeSet::new();
        if user.role == Role::Head && user.team.is_some() {
            let users = self.users();
            let of_team = users.values().filter(|other| other.team == user.team);
            team.extend(of_team.map(|other| other.address.clone()));
        }
        user.role.sees(&user.address, &team, &absent)
    }

    /// Where users are who do not say.
    pub fn set_zone(&self, zone: Zone) {
        *self.zone.write().unwrap_or_else(PoisonError::into_inner) = zone;
    }

    /// The zone of a user.
    pub fn zone_of(&self, user: &User) -> Zone {
        let own = user.zone.as_deref().and_then(|name| Zone::parse(name).ok());
        own.unwrap_or_else(|| {
            let zone = self.zone.read().unwrap_or_else(PoisonError::into_inner);
            zone.clone()
        })
    }

    /// The day that it is where a user is.
    pub fn today(&self, user: &User) -> Date {
        self.zone_of(user).local(self.now()).date()
    }

    /// Those whom a user stands in for now.
    fn absent(&self, deputy: &UserId) -> BTreeMap<UserId, Role> {
        let users = self.users();
        // Most are not away, and cost nothing.
        let away = users.values().filter(|user| user.away.is_some());
        away.filter(|user| user.stand_in(self.today(user)) == Some(deputy))
            .map(|user| (user.address.clone(), user.role))
            .collect()
    }

    /// Who a user is for handlers.
    pub fn caller(&self, user: &User, session: Option<Arc<str>>) -> Caller {
        let absent = self.absent(&user.address);
        Caller::user(user.address.clone(), user.role, self.sees(user), session).standing_in(absent)
    }

    /// The moment: a real one.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the use of a key is to be noted now.
    pub(crate) fn notes_use(&self, key: &str) -> bool {
        let now = self.now();
        let mut uses = self.key_uses.lock().unwrap_or_else(PoisonError::into_inner);
        // Only keys that exist are noted, and those are few.
        let due = uses
            .get(key)
            .is_none_or(|noted| now.duration_since(*noted) >= USE_NOTED_EVERY);
        if due {
            uses.insert(key.to_owned(), now);
        }
        due
    }
}

/// The users of a database.
pub fn users_of(store: &mut impl Store) -> Result<Users, StoreError> {
    let mut users = Users::new();
    for asset in store.assets(USER)? {
        let address = UserId::from(asset.name.as_str());
        match read_user(address.clone(), asset.body.as_deref().unwrap_or("")) {
            Ok(user) => {
                users.insert(address, Arc::new(user));
            }
            // They cannot log in; the others can.
            Err(problem) => tracing::error!(%problem, "a user cannot be read"),
        }
    }
    Ok(users)
}

/// An address as users are named by it.
pub fn plain(address: &str) -> String {
    address.trim().to_lowercase()
}
