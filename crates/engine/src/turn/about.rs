//! Documents that a mail may be about by their numbers, and addresses of those whose they are.
//!
//! Looked for among the documents of whom the mail is from or to, and of their colleagues: as many contacts as
//! [`NAMED_CONTACTS_MAX`], each by its own index. A mail that names no number costs nothing. **Absent:** whether it
//! counts (see core).

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::contact::{Channel, Contact, Identity, IdentityKind};
use relance_core::ids::{ContactId, ObjectKind};
use relance_core::mail::{
    Acquaintance, Folder, MailClass, MailSeen, Numbered, RECIPIENTS_MAX, is_number_of,
};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;

use super::Engine;
use crate::ports::{Dispatcher, Store, StoreError};

/// Contacts whose documents are looked through for a number.
const NAMED_CONTACTS_MAX: usize = 20;
/// Contacts of threads whose addresses are looked up.
const THREAD_CONTACTS_MAX: usize = 20;
/// Names of one contact that are looked at.
const NAMES_MAX: usize = 50;
/// Companies of recipients that are looked at.
const DOMAINS_MAX: usize = 3;
/// The kind of objects that documents are.
const DOCUMENT: &str = "document";

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Fills in what the mail's numbers name, and the addresses by which it is told whether it counts.
    pub(super) fn learn_about(
        &mut self,
        mail: &MailSeen,
        known: &mut Acquaintance,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let by_hand = matches!(
            (mail.folder, &mail.class),
            (Folder::Sent, MailClass::Reply { .. })
        );
        let by_them = mail.folder == Folder::Inbox
            && matches!(mail.class, MailClass::Reply { .. } | MailClass::Document(_));
        if !by_hand && !by_them {
            return Ok(());
        }
        let mut whose = BTreeSet::new();
        if !mail.numbers.is_empty() {
            let contacts = self.concerned(mail, known, by_hand)?;
            self.documents_named(mail, contacts, known, now)?;
            whose.extend(known.numbered.iter().map(|one| one.contact));
        }
        if by_hand {
            let threads = known.threads.iter().map(|(contact, _)| *contact);
            whose.extend(threads.take(THREAD_CONTACTS_MAX));
        }
        for contact in whose {
            let names = self.store.identities_of(contact, NAMES_MAX)?;
            let emails = names
                .into_iter()
                .filter(|name| name.kind == IdentityKind::Email)
                .map(|name| name.value);
            known.addresses.insert(contact, emails.collect());
        }
        Ok(())
    }

    /// Whose documents the mail may name: its people outside, and their colleagues.
    fn concerned(
        &mut self,
        mail: &MailSeen,
        known: &Acquaintance,
        by_hand: bool,
    ) -> Result<Vec<ContactId>, StoreError> {
        let mut contacts: Vec<ContactId> = Vec::new();
        let mut domains: Vec<String> = Vec::new();
        let outside: Vec<String> = if by_hand {
            let to = mail.to.iter().take(RECIPIENTS_MAX);
            to.map(|to| to.email.clone()).collect()
        } else {
            mail.from.iter().map(|from| from.email.clone()).collect()
        };
        contacts.extend(known.threads.iter().map(|(contact, _)| *contact));
        for email in &outside {
            if self.world.policy.is_internal(Channel::Email, email) {
                continue;
            }
            contacts.extend(self.store.find(&Identity::email(email))?);
            let Some((_, domain)) = email.rsplit_once('@') else {
                continue;
            };
            let is_company = !self.world.policy.freemail_domains.contains(domain);
            if is_company && !domains.iter().any(|one| one == domain) {
                domains.push(domain.to_owned());
            }
        }
        for domain in domains.iter().take(DOMAINS_MAX) {
            contacts.extend(self.store.find_by_domain(domain, NAMED_CONTACTS_MAX)?);
        }
        let mut seen = BTreeSet::new();
        contacts.retain(|contact| seen.insert(*contact));
        contacts.truncate(NAMED_CONTACTS_MAX);
        Ok(contacts)
    }

    fn documents_named(
        &mut self,
        mail: &MailSeen,
        contacts: Vec<ContactId>,
        known: &mut Acquaintance,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let needs = Needs {
            kinds: BTreeSet::from([ObjectKind::from(DOCUMENT)]),
            ..Needs::default()
        };
        for contact in contacts {
            let mut snapshot = Snapshot::new(Contact::new(contact, now));
            match self.store.load_needs(&mut snapshot, &needs) {
                Ok(()) => {}
                // An operator is told where the contact itself is loaded; without it the mail answers for everything.
                Err(StoreError::Unreadable { .. }) => continue,
                Err(error) => return Err(error),
            }
            for (subject, object) in snapshot.objects {
                let named = mail
                    .numbers
                    .iter()
                    .find(|named| is_number_of(named, &object));
                if let Some(named) = named.filter(|_| subject.kind.as_str() == DOCUMENT) {
                    known.numbered.push(Numbered {
                        contact,
                        subject,
                        is_distinctive: named.is_distinctive,
                    });
                }
            }
        }
        Ok(())
    }
}
