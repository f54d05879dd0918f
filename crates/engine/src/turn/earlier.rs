//! Documents of which a mail may bring a newer version: of its thread, its client and the client's company.
//!
//! **Absent:** which of them it is (see `relance_core::mail`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity};
use relance_core::decide::Input;
use relance_core::ids::{ContactId, ObjectKind};
use relance_core::mail::{Acquaintance, EARLIER_CONTACTS_MAX, Earlier, MailSeen};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;

use super::{Engine, Work};
use crate::ports::{Dispatcher, Store, StoreError};

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// What was sent before to whom a document goes. What came before in this batch is decided and written first, so
    /// that two versions that are seen together are one document.
    pub(super) fn earlier_documents(
        &mut self,
        mail: &MailSeen,
        known: &Acquaintance,
        inputs: &mut Vec<(ContactId, Input)>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Vec<Earlier>, StoreError> {
        let (Some(client), Some(document)) = (
            mail.document_client(&self.world.policy)
                .map(|client| client.email.clone()),
            mail.document(),
        ) else {
            return Ok(Vec::new());
        };
        self.decide_inputs(std::mem::take(inputs), work, now)?;
        self.write(work)?;
        let mut contacts: BTreeSet<ContactId> =
            known.threads.iter().map(|(contact, _)| *contact).collect();
        contacts.extend(self.store.find(&Identity::email(&client))?);
        let domain = client.rsplit_once('@').map(|(_, domain)| domain);
        if let Some(domain) =
            domain.filter(|domain| !self.world.policy.freemail_domains.contains(*domain))
        {
            contacts.extend(self.store.find_by_domain(domain, EARLIER_CONTACTS_MAX)?);
        }
        let needs = Needs {
            kinds: BTreeSet::from([ObjectKind::from(document.kind.as_str())]),
            ..Needs::default()
        };
        let mut earlier = Vec::new();
        for contact in contacts.into_iter().take(EARLIER_CONTACTS_MAX) {
            let mut snapshot = Snapshot::new(Contact::new(contact, now));
            match self.store.load_needs(&mut snapshot, &needs) {
                Ok(()) => {}
                // An operator is told where the contact itself is loaded; a new document is the safe answer here.
                Err(StoreError::Unreadable { .. }) => continue,
                Err(error) => return Err(error),
            }
            let objects = snapshot.objects.into_values();
            earlier.extend(
                objects
                    .filter(|object| object.subject.kind == document.kind)
                    .map(|object| Earlier { contact, object }),
            );
        }
        Ok(earlier)
    }
}
