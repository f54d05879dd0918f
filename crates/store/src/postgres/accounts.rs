//! Accounts: rows that contacts of all partitions share.
//!
//! Whoever tells of an account holds a lock on it until the batch ends: of two nodes the second sees what the
//! first wrote. Contacts read accounts without one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::account::Account;
use relance_core::contact::Contact;
use relance_core::ids::{AccountId, ContactId};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::{StoreError, Telling};
use relance_wire::stored::{account_text, read_account};
use tokio_postgres::Row;

use super::PostgresStore;
use super::contacts::{after_column, limit_column};
use super::error::PgLocated;
use super::session::Ask;
use super::text::key;
use super::write::Gathered;
use crate::sqlite::column::{moment, nanos};
use crate::sqlite::{EVERYONE, name_column, places, revision_column, telling};

type Known = BTreeMap<AccountId, Arc<Account>>;

impl PostgresStore {
    /// Gives contacts their accounts whole, in one round trip; none where nobody has one.
    pub(super) fn with_accounts<'c>(
        &mut self,
        contacts: impl Iterator<Item = &'c mut Contact>,
    ) -> Result<(), StoreError> {
        let mut of: Vec<&mut Contact> = contacts.filter(|one| one.account.is_some()).collect();
        let ids: BTreeSet<AccountId> = of
            .iter()
            .filter_map(|one| one.account_id().cloned())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let known = self.accounts(&ids, false)?;
        for contact in &mut of {
            let own = contact.account_id().and_then(|id| known.get(id)).cloned();
            if own.is_some() {
                contact.account = own;
            }
        }
        Ok(())
    }

    fn accounts(&mut self, ids: &BTreeSet<AccountId>, locks: bool) -> Result<Known, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| key(id.as_str())).collect();
        let mut asks = Vec::new();
        if locks {
            asks.push(Ask::new(self.sql.account_lock, vec![&keys]));
        }
        asks.push(Ask::new(self.sql.account_get, vec![&keys]));
        let answer = self.ask(asks)?.pop().unwrap_or_default();
        // A text that the server cannot hold is another there.
        let names: BTreeMap<&str, &AccountId> =
            keys.iter().map(|key| &**key).zip(ids.iter()).collect();
        let mut known = Known::new();
        for row in &answer.rows {
            let id: &str = row.try_get(0).at("account", "")?;
            if let Some(id) = names.get(id) {
                known.insert((*id).clone(), Arc::new(account(row, id)?));
            }
        }
        Ok(known)
    }

    /// Accounts that inputs tell of: nobody else changes them until the batch ends.
    pub(super) fn load_accounts(
        &mut self,
        of: &mut [(&mut Snapshot, &Needs)],
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<AccountId> = of
            .iter()
            .flat_map(|(_, needs)| needs.accounts.iter().cloned())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.open_batch()?;
        let known = self.accounts(&ids, true)?;
        for (snapshot, needs) in of {
            for id in &needs.accounts {
                if let Some(account) = known.get(id) {
                    snapshot.accounts.insert(id.clone(), account.clone());
                }
            }
        }
        Ok(())
    }

    /// Writes accounts and who belongs to them.
    pub(super) fn write_accounts(&mut self, gathered: &Gathered<'_>) -> Result<(), StoreError> {
        if gathered.accounts.is_empty() && gathered.belongs.is_empty() {
            return Ok(());
        }
        let (mut ids, mut names, mut revisions, mut settled) = (vec![], vec![], vec![], vec![]);
        let (mut first, mut last, mut bodies) = (vec![], vec![], vec![]);
        let (mut told, mut tellers, mut told_revisions) = (vec![], vec![], vec![]);
        for (id, (account, teller)) in &gathered.accounts {
            let revision = revision_column(account.revision);
            ids.push(key(id));
            names.push(key(&name_column(account)).into_owned());
            revisions.push(revision);
            settled.push(revision_column(account.settled));
            first.push(nanos(account.first_seen_at));
            last.push(nanos(account.last_seen_at));
            bodies.push(account_text(account).at("account", id)?);
            if let Some(teller) = teller {
                told.push(key(id));
                tellers.push(*teller);
                told_revisions.push(revision);
            }
        }
        let (mut joined, mut joined_to, mut left) = (vec![], vec![], vec![]);
        for (contact, account) in &gathered.belongs {
            match account {
                Some(account) => {
                    joined.push(*contact);
                    joined_to.push(key(account));
                }
                None => left.push(*contact),
            }
        }
        let mut asks = Vec::new();
        if !ids.is_empty() {
            asks.push(Ask::new(
                self.sql.account_put,
                vec![&ids, &names, &revisions, &settled, &first, &last, &bodies],
            ));
        }
        if !joined.is_empty() {
            asks.push(Ask::new(self.sql.account_join, vec![&joined, &joined_to]));
        }
        if !left.is_empty() {
            asks.push(Ask::new(self.sql.account_leave, vec![&left]));
        }
        if !told.is_empty() {
            let params = vec![
                &told as super::Param<'_>,
                &tellers,
                &told_revisions,
                &EVERYONE,
            ];
            asks.push(Ask::new(self.sql.telling_begin, params));
        }
        self.ask(asks).map(drop)
    }

    pub(super) fn contacts_in_account(
        &mut self,
        account: &AccountId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let (account, after, limit) = (
            key(account.as_str()),
            after_column(after),
            limit_column(limit),
        );
        self.ids(
            self.sql.account_contacts,
            vec![&account, &after, &limit],
            "account_contact",
        )
    }

    pub(super) fn list_tellings(&mut self, limit: usize) -> Result<Vec<Telling>, StoreError> {
        let limit = limit_column(limit);
        let answer = self.one(self.sql.telling_list, vec![&limit])?;
        let read = |row: &Row| {
            let places = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
            Ok(telling(row.try_get(0)?, row.try_get(1)?, places))
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(read).collect();
        all.at("account_telling", "")
    }

    pub(super) fn move_telling(&mut self, one: &Telling) -> Result<(), StoreError> {
        let [after, until, again] = places(one);
        let (account, revision) = (key(one.account.as_str()), revision_column(one.revision));
        let params = vec![
            &account as super::Param<'_>,
            &revision,
            &after,
            &until,
            &again,
        ];
        self.one(self.sql.telling_put, params).map(drop)
    }

    pub(super) fn finish_telling(
        &mut self,
        one: &Telling,
        settles: bool,
    ) -> Result<(), StoreError> {
        let (account, revision) = (key(one.account.as_str()), revision_column(one.revision));
        let settle = settles.then_some(self.sql.telling_settle);
        let both = settle.into_iter().chain([self.sql.telling_end]);
        let asks = both.map(|sql| Ask::new(sql, vec![&account, &revision]));
        self.ask(asks.collect()).map(drop)
    }
}

/// An account from the columns of its row.
fn account(row: &Row, id: &AccountId) -> Result<Account, StoreError> {
    let number = |column: usize| row.try_get::<_, i64>(column).at("account", id);
    let body: &str = row.try_get(5).at("account", id)?;
    let mut account = read_account(id.clone(), body).at("account", id)?;
    account.revision = number(1)?.unsigned_abs();
    account.settled = number(2)?.unsigned_abs();
    account.first_seen_at = moment(number(3)?);
    account.last_seen_at = moment(number(4)?);
    Ok(account)
}
