//! An account's body; its id, its revisions and its moments are columns of its row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use relance_core::account::{Account, ToldTrait};
use relance_core::ids::AccountId;
use relance_core::value::{Fields, Value};
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, bounded, read, text};

const SHAPE: &str = "account";

#[derive(Debug, Serialize, Deserialize)]
struct AccountV1<'a> {
    v: Version<1>,
    traits: Cow<'a, Fields>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<Box<str>, ToldV1>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ToldV1 {
    at: jiff::Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    was: Vec<(u64, Option<Value>)>,
}

/// The text of an account.
pub fn account_text(account: &Account) -> Result<String, StoredProblem> {
    let told = account.told().iter().map(|(name, told)| {
        let told = ToldV1 {
            at: told.at,
            was: told.changes.clone(),
        };
        (name.clone(), told)
    });
    let body = AccountV1 {
        v: Version,
        traits: bounded(account.traits()),
        told: told.collect(),
    };
    text(SHAPE, &body)
}

/// The account of a row, without what are columns of it.
pub fn read_account(id: AccountId, stored: &str) -> Result<Account, StoredProblem> {
    let body: AccountV1<'_> = read(SHAPE, stored)?;
    let told = body.told.into_iter().map(|(name, told)| {
        let told = ToldTrait {
            at: told.at,
            changes: told.was,
        };
        (name, told)
    });
    Ok(Account::of_parts(
        id,
        body.traits.into_owned(),
        told.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use relance_core::contact::Contact;
    use relance_core::ids::ContactId;
    use serde_json::json;

    use super::*;
    use crate::stored::{contact_text, read_contact};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::constant(1_795_000_000 + seconds, 0)
    }

    fn fields(value: Value) -> Fields {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn accounts_are_as_version_1_wrote_them() {
        let mut acme = Account::new(&json!("acme"), at(0)).expect("an id");
        acme.tell(&fields(json!({"plan": "free", "seats": 5})), at(1));
        acme.settle();
        acme.tell(&fields(json!({"plan": "pro", "seats": null})), at(2));
        let numbered = Account::new(&json!(42), at(0)).expect("an id");
        let file = include_str!("../../tests/golden/stored-account-1.jsonl");
        for (line, account) in file.lines().zip([acme, numbered]) {
            assert_eq!(account_text(&account).expect("writes"), line);
            let read = read_account(account.id.clone(), line).expect("reads");
            assert_eq!((read.face(), read.told()), (account.face(), account.told()));
        }
    }

    #[test]
    fn a_contact_keeps_the_id_of_its_account_alone() {
        let mut ana = Contact::new(ContactId(42), at(0));
        let mut acme = Account::new(&json!("acme"), at(0)).expect("an id");
        acme.tell(&fields(json!({"plan": "free"})), at(1));
        ana.account = Some(Arc::new(acme));
        ana.account_heard = 2;
        let file = include_str!("../../tests/golden/stored-contact-1c.jsonl");
        assert_eq!(contact_text(&ana).expect("writes"), file.trim_end());
        let read = read_contact(ana.id, file).expect("reads");
        assert_eq!(
            (read.account_id(), read.account_heard),
            (ana.account_id(), 2)
        );
    }
}
