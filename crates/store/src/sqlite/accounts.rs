//! Accounts: rows that contacts share, read once a batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use relance_core::account::Account;
use relance_core::contact::Contact;
use relance_core::ids::{AccountId, ContactId};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::{StoreError, Telling};
use relance_wire::stored::{account_text, read_account};
use rusqlite::params;

use super::column::{contact_id, contact_key, moment, nanos, text};
use super::contacts::after_column;
use super::error::Located;
use super::{SqliteStore, limit_column};

/// Accounts that are kept at hand.
const HELD_MAX: usize = 10_000;
/// Characters of a name that a search looks at.
const NAME_CHARS_MAX: usize = 200;
/// Behind all contacts.
pub(crate) const EVERYONE: i64 = i64::MAX;

/// Accounts as they stand in this batch, by id; `None` for one that is not there.
pub(super) type Accounts = BTreeMap<AccountId, Option<Arc<Account>>>;

/// What an account is searched by beside its id.
pub(crate) fn name_column(account: &Account) -> String {
    let name = account.text("name").unwrap_or_default().trim();
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(NAME_CHARS_MAX)
        .collect::<String>()
        .to_lowercase()
}

/// A revision as a number of a row.
pub(crate) fn revision_column(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// A place in the order of contacts; before all of them it is 0.
pub(crate) fn place_column(contact: Option<ContactId>) -> i64 {
    contact.map_or(0, contact_key)
}

/// How far telling came, from the columns of its row.
pub(crate) fn telling(account: &str, revision: i64, places: [i64; 3]) -> Telling {
    let [after, until, again] = places;
    let place = |key: i64| (key > 0).then_some(ContactId(key.unsigned_abs()));
    Telling {
        account: account.into(),
        revision: revision.unsigned_abs(),
        after: place(after),
        until: place(until).filter(|_| until != EVERYONE),
        again: place(again),
    }
}

/// The columns `after`, `until` and `again`.
pub(crate) fn places(telling: &Telling) -> [i64; 3] {
    [
        place_column(telling.after),
        telling.until.map_or(EVERYONE, contact_key),
        place_column(telling.again),
    ]
}

impl SqliteStore {
    /// An account as it stands.
    pub(super) fn account(&mut self, id: &AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        if let Some(known) = self.accounts.get(id) {
            return Ok(known.clone());
        }
        let found = self
            .row(self.sql.account_get, [id.as_str()], |row| {
                let read = read_account(id.clone(), text(row, 4)?);
                let columns: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                Ok((read, columns))
            })
            .at("account", id)?;
        let found = match found {
            None => None,
            Some((read, [revision, settled, first, last])) => {
                let mut account = read.at("account", id)?;
                account.revision = revision.unsigned_abs();
                account.settled = settled.unsigned_abs();
                account.first_seen_at = moment(first);
                account.last_seen_at = moment(last);
                Some(Arc::new(account))
            }
        };
        self.hold(id, found.clone());
        Ok(found)
    }

    fn hold(&mut self, id: &AccountId, account: Option<Arc<Account>>) {
        if self.accounts.len() >= HELD_MAX {
            self.accounts.clear();
        }
        self.accounts.insert(id.clone(), account);
    }

    /// Gives a contact its account whole.
    pub(super) fn with_account(&mut self, contact: &mut Contact) -> Result<(), StoreError> {
        if let Some(id) = contact.account_id().cloned()
            && let Some(account) = self.account(&id)?
        {
            contact.account = Some(account);
        }
        Ok(())
    }

    pub(super) fn load_accounts(
        &mut self,
        snapshot: &mut Snapshot,
        needs: &Needs,
    ) -> Result<(), StoreError> {
        for id in &needs.accounts {
            if let Some(account) = self.account(id)? {
                snapshot.accounts.insert(id.clone(), account);
            }
        }
        Ok(())
    }

    pub(super) fn write_account(
        &mut self,
        contact: ContactId,
        account: &Arc<Account>,
        tell: bool,
    ) -> Result<(), StoreError> {
        let id = &account.id;
        let revision = revision_column(account.revision);
        let body = account_text(account).at("account", id)?;
        self.run(
            self.sql.account_put,
            params![
                id.as_str(),
                name_column(account),
                revision,
                revision_column(account.settled),
                nanos(account.first_seen_at),
                nanos(account.last_seen_at),
                body
            ],
        )
        .at("account", id)?;
        if tell {
            let key = contact_key(contact);
            self.run(
                self.sql.telling_begin,
                params![id.as_str(), key, revision, EVERYONE],
            )
            .at("account_telling", id)?;
        }
        self.hold(id, Some(account.clone()));
        Ok(())
    }

    pub(super) fn write_belonging(
        &self,
        contact: ContactId,
        before: Option<&AccountId>,
        after: Option<&AccountId>,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        for (sql, account) in [
            (self.sql.account_leave, before),
            (self.sql.account_join, after),
        ] {
            if let Some(account) = account {
                self.run(sql, params![account.as_str(), key])
                    .at("account_contact of", contact)?;
            }
        }
        Ok(())
    }

    pub(super) fn contacts_in_account(
        &self,
        account: &AccountId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![account.as_str(), after_column(after), limit_column(limit)];
        self.conn
            .prepare_cached(self.sql.account_contacts)
            .and_then(|mut statement| {
                statement
                    .query_map(key, |row| contact_id(row, 0))?
                    .collect()
            })
            .at("account_contact of", account)
    }

    pub(super) fn list_tellings(&self, limit: usize) -> Result<Vec<Telling>, StoreError> {
        self.conn
            .prepare_cached(self.sql.telling_list)
            .and_then(|mut statement| {
                statement
                    .query_map([limit_column(limit)], |row| {
                        let places = [row.get(2)?, row.get(3)?, row.get(4)?];
                        Ok(telling(text(row, 0)?, row.get(1)?, places))
                    })?
                    .collect()
            })
            .at("account_telling", "")
    }

    pub(super) fn move_telling(&self, one: &Telling) -> Result<(), StoreError> {
        let [after, until, again] = places(one);
        let revision = revision_column(one.revision);
        let key = params![one.account.as_str(), revision, after, until, again];
        self.run(self.sql.telling_put, key)
            .at("account_telling", &one.account)
            .map(drop)
    }

    pub(super) fn finish_telling(
        &mut self,
        one: &Telling,
        settles: bool,
    ) -> Result<(), StoreError> {
        let revision = revision_column(one.revision);
        let settle = settles.then_some(self.sql.telling_settle);
        for sql in settle.into_iter().chain([self.sql.telling_end]) {
            self.run(sql, params![one.account.as_str(), revision])
                .at("account_telling", &one.account)?;
        }
        self.accounts.remove(&one.account);
        Ok(())
    }
}
