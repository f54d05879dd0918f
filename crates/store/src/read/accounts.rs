//! Accounts: by id, by how id or name begins, and with their contacts.
//!
//! **Absent:** how many contacts an account has: a page shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::account::Account;
use relance_core::contact::Contact;
use relance_core::ids::AccountId;
use relance_core::value::Value as Json;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_account;

use super::db::{Conn, Row, Value, values};
use super::{Page, ReadError, Reader, SEARCH_CHARS_MAX, limits, number, page, wrong};
use crate::sqlite::column::moment;
use crate::sqlite::error::Located;

/// Times that one page looks for more names where all that it found were shown by their ids.
const LOOKS_MAX: usize = 10;
/// Between a name and an id; neither holds control characters.
const PARTS: char = '\u{1f}';

fn account(row: Row<'_>) -> Result<Account, StoreError> {
    let id = AccountId::from(row.text(0).at("account", "")?);
    let number = |column: usize| row.int(column).at("account", &id);
    let mut account =
        read_account(id.clone(), row.text(5).at("account", &id)?).at("account", &id)?;
    account.revision = number(1)?.unsigned_abs();
    account.settled = number(2)?.unsigned_abs();
    account.first_seen_at = moment(number(3)?);
    account.last_seen_at = moment(number(4)?);
    Ok(account)
}

impl Reader {
    /// Accounts in order of id.
    pub fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Page<Account>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![after.unwrap_or(""), asked];
        let rows = self.rows(self.sql.account_page, "account", key, |row| {
            let account = account(row)?;
            let place = account.id.to_string();
            Ok((account, place))
        })?;
        Ok(page(rows, shown))
    }

    /// Accounts whose id begins with a text, and after them those whose name does, letter case aside.
    pub fn search_accounts(
        &self,
        text: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Account>, ReadError> {
        let (shown, asked) = limits(limit);
        let text = text.trim();
        if text.is_empty() || text.chars().count() > SEARCH_CHARS_MAX {
            return Ok(page(Vec::new(), shown));
        }
        let name = text.to_lowercase();
        let before = format!("{text}{}", char::MAX);
        let name_before = format!("{name}{}", char::MAX);
        // `i` and an id, or `n` and a name and an id.
        let (by_id, by_name) = match after.map(|cursor| cursor.split_at_checked(1)) {
            None => (Some(""), (name.as_str(), "")),
            Some(Some(("i", id))) => (Some(id), (name.as_str(), "")),
            Some(Some(("n", place))) => {
                let place = place.split_once(PARTS);
                (None, place.ok_or_else(|| wrong(after.unwrap_or("")))?)
            }
            Some(_) => return Err(wrong(after.unwrap_or(""))),
        };
        let mut rows = Vec::new();
        if let Some(id) = by_id {
            let key = values![Value::Key(text), before.as_str(), id, asked];
            rows = self.rows(self.sql.account_by_id, "account", key, |row| {
                let account = account(row)?;
                let place = format!("i{}", account.id);
                Ok((account, place))
            })?;
        }
        let (mut from, mut id) = (by_name.0.to_owned(), by_name.1.to_owned());
        for _ in 0..LOOKS_MAX {
            if rows.len() > shown {
                return Ok(page(rows, shown));
            }
            let key = values![
                Value::Key(&from),
                Value::Key(&id),
                name_before.as_str(),
                asked
            ];
            let named = self.rows(self.sql.account_by_name, "account", key, |row| {
                let name = row.text(6).at("account", "")?.to_owned();
                Ok((account(row)?, name))
            })?;
            let is_last = named.len() <= shown;
            if let Some((account, name)) = named.last() {
                (from, id) = (name.clone(), account.id.to_string());
            }
            // The others were shown by their id.
            let new = named
                .into_iter()
                .filter(|(account, _)| !account.id.as_str().starts_with(text));
            rows.extend(new.map(|(account, name)| {
                let place = format!("n{name}{PARTS}{}", account.id);
                (account, place)
            }));
            if is_last {
                return Ok(page(rows, shown));
            }
        }
        // Enough for one page: the next goes on behind what was looked at.
        let mut page = page(rows, shown);
        page.next.get_or_insert(format!("n{from}{PARTS}{id}"));
        Ok(page)
    }

    /// One account.
    pub fn account(&self, id: &str) -> Result<Option<Account>, ReadError> {
        let key = values![Value::Key(id)];
        self.one(self.sql.account_one, "account", key, account)
    }

    /// Contacts of an account, in order of id.
    pub fn contacts_of_account(
        &self,
        id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Contact>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![Value::Key(id), number(after, i64::MIN)?, asked];
        let rows = self.rows(
            self.sql.account_contact_page,
            "account_contact",
            key,
            |row| {
                let contact = super::contacts::contact(row)?;
                let place = contact.id.0.to_string();
                Ok((contact, place))
            },
        )?;
        let mut page = page(rows, shown);
        self.with(|conn| Ok(self.give_accounts(conn, &mut page.items)?))?;
        Ok(page)
    }

    /// Gives contacts their accounts whole: one statement, and none where nobody has one.
    pub(super) fn give_accounts<'c>(
        &self,
        conn: &mut Conn,
        contacts: impl IntoIterator<Item = &'c mut Contact>,
    ) -> Result<(), StoreError> {
        let has_one = |contact: &&mut Contact| contact.account.is_some();
        let mut of: Vec<&mut Contact> = contacts.into_iter().filter(has_one).collect();
        let ids: BTreeSet<&str> = of
            .iter()
            .filter_map(|one| one.account_id().map(AccountId::as_str))
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let list = Json::from(ids.into_iter().collect::<Vec<_>>()).to_string();
        let key = values![list.as_str()];
        let rows = conn.rows(self.sql.account_list, "account", key, account)?;
        let known: BTreeMap<AccountId, Arc<Account>> = rows
            .into_iter()
            .map(|account| (account.id.clone(), Arc::new(account)))
            .collect();
        for contact in &mut of {
            let own = contact.account_id().and_then(|id| known.get(id)).cloned();
            if own.is_some() {
                contact.account = own;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn accounts_are_found_by_id_and_by_name_each_once(mut world: super::tests::World) {
    use relance_core::decide::Effect;
    use relance_core::value::Fields;

    let names = [
        ("a1", "Beta"),
        ("a2", "Acme"),
        ("b1", "ALPHA"),
        ("b2", "alpha"),
        ("c", "x"),
    ];
    let ana = world.contact("ana");
    for (id, name) in names {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let mut account = Account::new(&id.into(), at).expect("an id");
        account.tell(&Fields::from_iter([("name".to_owned(), name.into())]), at);
        let (account, tell) = (Arc::new(account), false);
        world.write(ana, vec![Effect::Account { account, tell }]);
    }
    let all = |text: Option<&str>, limit: usize| {
        let (mut found, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let page = match text {
                None => world.reader.accounts(after.as_deref(), limit),
                Some(text) => world.reader.search_accounts(text, after.as_deref(), limit),
            };
            let page = page.expect("reads");
            assert!(page.items.len() <= limit);
            found.extend(page.items.iter().map(|one| one.id.to_string()));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 2, 10] {
        assert_eq!(all(None, limit), ["a1", "a2", "b1", "b2", "c"], "{limit}");
        assert_eq!(all(Some("a"), limit), ["a1", "a2", "b1", "b2"], "{limit}");
        assert_eq!(all(Some("AL"), limit), ["b1", "b2"], "{limit}");
        assert_eq!(all(Some("zz"), limit), [""; 0], "{limit}");
    }
    let found = world
        .reader
        .account("a2")
        .expect("reads")
        .expect("is there");
    assert_eq!(found.text("name"), Some("Acme"));
    assert!(world.reader.account("zz").expect("reads").is_none());
    assert!(world.reader.search_accounts("a", Some("?"), 5).is_err());
}
