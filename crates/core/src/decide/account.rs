//! Accounts: what a contact tells of its own, and what it hears of what others told.
//!
//! Whoever tells hears at once. The others see the account as it is, and hear of it by an input of their own,
//! each once, whenever it comes: what the account was to them follows from the revision that they heard of
//! last. **Absent:** who the others are.

use std::sync::Arc;

use jiff::Timestamp;

use crate::account::{ACCOUNT, Account, AccountTold};
use crate::value::{Fields, Value};

use super::{Change, Effect, Turn};

impl Turn<'_> {
    /// The contact's account, as an event tells of it.
    pub(super) fn tell_account(&mut self, told: AccountTold<'_>, at: Timestamp) {
        let contact = &self.snapshot.contact;
        let (own, heard) = (contact.account.clone(), contact.account_heard);
        let (id, traits) = match told {
            AccountTold::Of(id, traits) => (id, traits),
            AccountTold::Nobody => return self.belong(None),
        };
        let Some(new) = Account::new(id, at) else {
            return;
        };
        let stays = own.as_ref().is_some_and(|own| own.id == new.id);
        let known = self.snapshot.accounts.get(&new.id).cloned();
        let known = known.or_else(|| own.clone().filter(|_| stays));
        let is_new = known.is_none();
        let mut account = match &known {
            Some(known) => Account::clone(known),
            None => new,
        };
        let before = known.as_ref().map(|known| known.face().clone());
        let changed = account.tell(traits, at);
        let tell = match before {
            Some(before) if changed => self.world.hears_of_account(&account, &before),
            Some(_) | None => false,
        };
        let is_settled = known
            .as_ref()
            .is_none_or(|known| known.settled == known.revision);
        if changed && !tell && is_settled {
            account.settle();
        }
        // Both: not to note it would be another decision next time.
        let seen = account.see(at);
        let account = Arc::new(account);
        if changed || seen || is_new {
            let account = account.clone();
            self.emit(Effect::Account { account, tell });
        }
        if !stays {
            return self.belong(Some(account));
        }
        if let Some(known) = known.filter(|_| changed) {
            let was = known.before(heard).unwrap_or_else(|| known.face().clone());
            self.take_account(account, Some(was));
        } else if changed || seen {
            self.snapshot.contact.account = Some(account);
        }
    }

    /// What others told of the contact's account, if it has not heard of it.
    pub(super) fn hear_of_account(&mut self) {
        let contact = &self.snapshot.contact;
        if contact.erased {
            return;
        }
        if let Some(account) = contact.account.clone()
            && let Some(was) = account.before(contact.account_heard)
        {
            self.take_account(account, Some(was));
        }
    }

    /// The contact belongs to this account from now on.
    fn belong(&mut self, account: Option<Arc<Account>>) {
        let contact = &self.snapshot.contact;
        let was = contact.account.as_ref().map(|own| {
            let before = own.before(contact.account_heard);
            before.unwrap_or_else(|| own.face().clone())
        });
        if was.is_none() && account.is_none() {
            return;
        }
        let heard = account.as_ref().map_or(0, |account| account.revision);
        self.put_contact(|contact| {
            contact.account = account;
            contact.account_heard = heard;
        });
        self.account_changed(was);
    }

    fn take_account(&mut self, account: Arc<Account>, was: Option<Value>) {
        self.put_contact(|contact| {
            contact.account_heard = account.revision;
            contact.account = Some(account);
        });
        self.account_changed(was);
    }

    /// What follows from it that the contact's account is not what it was to it.
    fn account_changed(&mut self, before: Option<Value>) {
        // What the contact awaits was counted where the account was when the contact heard of it last.
        let contact = &self.snapshot.contact;
        self.zone = self.world.zone_by(contact, before.as_ref());
        self.calendar = self.world.calendar_by(contact, before.as_ref());
        self.touch(|touched| touched.traits.extend([ACCOUNT.into()]));
        self.note(vec![Change {
            subject: None,
            name: ACCOUNT.to_owned(),
            before,
            after: None,
        }]);
        self.follow_place(&Fields::from_iter([(ACCOUNT.to_owned(), Value::Null)]));
    }
}
