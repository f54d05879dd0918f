//! Accounts that contacts share, and how far telling them came.

use std::sync::Arc;

use relance_core::account::Account;
use relance_core::decide::Effect;
use relance_core::ids::{AccountId, ContactId};
use relance_core::value::Fields;
use relance_core::world::Needs;
use relance_engine::ports::{Store, Telling};

use super::{at, batch, commit, contact, load};

fn account(seats: u64) -> Account {
    let mut account = Account::new(&"acme".into(), at(0)).expect("an id");
    for seats in 1..=seats {
        let traits = [
            ("seats".to_owned(), seats.into()),
            ("name".to_owned(), "Acme \u{1f}".into()),
        ];
        account.tell(&Fields::from_iter(traits), at(1));
    }
    account
}

/// The account as it becomes, and the contact's place in it.
fn tells<S: Store>(store: &mut S, of: ContactId, seats: u64, tell: bool) {
    let account = Arc::new(account(seats));
    let snapshot = load(store, of);
    let before = snapshot.contact.account_id().cloned();
    let mut body = snapshot.contact;
    body.account_heard = account.revision;
    body.account = Some(account.clone());
    let after = Some(account.id.clone());
    let mut effects = vec![Effect::Account { account, tell }];
    if before != after {
        effects.push(Effect::Belongs { before, after });
    }
    effects.push(Effect::Contact(Box::new(body)));
    commit(store, of, effects);
}

fn people<S: Store>(store: &mut S, count: usize) -> Vec<ContactId> {
    let all = (0..count).map(|n| contact(store, &format!("c{n}@acme.example")));
    all.collect()
}

pub(super) fn an_account_is_one_for_all_its_contacts<S: Store>(store: &mut S) {
    let [ana, bob, eve] = people(store, 3)[..] else {
        unreachable!("three were made")
    };
    tells(store, ana, 1, false);
    tells(store, bob, 2, false);
    let whole = account(2);
    for who in [ana, bob] {
        let snapshot = load(store, who);
        assert_eq!(snapshot.contact.account.as_deref(), Some(&whole));
    }
    let all = store.load(&[eve, bob, ana]).expect("loads");
    let seats = all
        .iter()
        .map(|one| one.contact.account.as_ref()?.traits().get("seats"));
    assert_eq!(
        seats.collect::<Vec<_>>(),
        [None, Some(&2.into()), Some(&2.into())]
    );
    assert_eq!(load(store, ana).contact.account_heard, 1);

    // Whoever does not belong to it finds it by its id.
    let needs = Needs {
        accounts: ["acme".into(), "nobody".into()].into(),
        ..Needs::default()
    };
    let mut snapshot = load(store, eve);
    batch(store, |store| {
        store.load_needs(&mut snapshot, &needs).expect("loads");
    });
    let found: Vec<&Account> = snapshot.accounts.values().map(|one| &**one).collect();
    assert_eq!(found, [&whole]);
    // A scan sees it as well.
    let page = store.scan(None, 10, &Needs::default()).expect("scans");
    let seen = page
        .iter()
        .filter(|one| one.contact.account.as_deref() == Some(&whole));
    assert_eq!(seen.count(), 2);
    // What a batch that is thrown away told is not there.
    store.begin().expect("begins");
    let change = relance_engine::ports::Change {
        contact: ana,
        effects: vec![Effect::Account {
            account: Arc::new(account(9)),
            tell: true,
        }],
    };
    store.write(&[change]).expect("writes");
    store.rollback();
    assert_eq!(load(store, ana).contact.account.as_deref(), Some(&whole));
    assert_eq!(store.tellings(10).expect("lists"), []);
}

pub(super) fn contacts_come_and_go_and_are_listed_in_order<S: Store>(store: &mut S) {
    let all = people(store, 4);
    for who in &all {
        tells(store, *who, 1, false);
    }
    let acme = AccountId::from("acme");
    let list = |store: &mut S, after, limit| {
        store
            .contacts_of_account(&acme, after, limit)
            .expect("lists")
    };
    assert_eq!(list(store, None, 10), all);
    assert_eq!(list(store, None, 2), all[..2]);
    assert_eq!(list(store, Some(all[1]), 10), all[2..]);
    let leaves = Effect::Belongs {
        before: Some(acme.clone()),
        after: None,
    };
    let moves = Effect::Belongs {
        before: Some(acme.clone()),
        after: Some("other".into()),
    };
    commit(store, all[0], vec![leaves]);
    commit(store, all[2], vec![moves]);
    assert_eq!(list(store, None, 10), [all[1], all[3]]);
    let other = store.contacts_of_account(&"other".into(), None, 10);
    assert_eq!(other.expect("lists"), [all[2]]);
}

pub(super) fn telling_goes_on_where_it_was_and_round_once_more<S: Store>(store: &mut S) {
    let all = people(store, 3);
    let none: [Telling; 0] = [];
    tells(store, all[0], 1, true);
    assert_eq!(
        store.tellings(10).expect("lists"),
        none,
        "nobody else is there"
    );
    tells(store, all[1], 1, false);
    tells(store, all[2], 2, true);
    let begun = Telling {
        account: "acme".into(),
        revision: 2,
        after: None,
        until: None,
        again: None,
    };
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&begun)
    );
    let half = Telling {
        after: Some(all[1]),
        ..begun.clone()
    };
    batch(store, |store| store.put_telling(&half).expect("puts"));
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&half)
    );

    // It changes meanwhile: who was told hears once more, after the others.
    tells(store, all[0], 3, true);
    let again = Telling {
        revision: 3,
        again: Some(all[1]),
        ..half.clone()
    };
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&again)
    );
    // Whoever told the older one notes and ends nothing.
    batch(store, |store| {
        store.put_telling(&begun).expect("puts");
        store.end_telling(&half, true).expect("ends");
    });
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&again)
    );
    let second = Telling {
        after: None,
        until: Some(all[1]),
        again: None,
        ..again
    };
    batch(store, |store| store.put_telling(&second).expect("puts"));
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&second)
    );
    batch(store, |store| {
        store.end_telling(&second, true).expect("ends");
    });
    assert_eq!(store.tellings(10).expect("lists"), none);
    let settled = |store: &mut S| {
        let account = load(store, all[0]).contact.account.expect("an account");
        (account.revision, account.settled)
    };
    assert_eq!(settled(store), (3, 3));

    // Where some have yet to hear of it, it ends and does not settle.
    tells(store, all[1], 4, true);
    let last = Telling {
        revision: 4,
        ..begun
    };
    assert_eq!(
        store.tellings(10).expect("lists"),
        std::slice::from_ref(&last)
    );
    batch(store, |store| {
        store.end_telling(&last, false).expect("ends");
    });
    assert_eq!(store.tellings(10).expect("lists"), none);
    assert_eq!(settled(store), (4, 3));
}
