//! Answers of contacts, for proof; and the list of addresses that must not be written to.

use relance_core::consent::ConsentChange;
use relance_core::contact::SuppressionReason;
use relance_core::ids::ContactId;
use relance_core::snapshot::Snapshot;
use relance_core::suppression::{Listed, Suppression, SuppressionKey, keys_of};
use relance_engine::ports::StoreError;
use relance_wire::stored::{consent_text, read_reason, reason_word};
use rusqlite::params;

use super::SqliteStore;
use super::column::{contact_key, nanos, text};
use super::error::Located;

impl SqliteStore {
    pub(super) fn write_consent(
        &self,
        contact: ContactId,
        change: &ConsentChange,
    ) -> Result<(), StoreError> {
        let body = consent_text(change).at("consent of", contact)?;
        let about = change.about.word();
        let row = params![
            contact_key(contact),
            nanos(change.at),
            about,
            change.answer.word(),
            body
        ];
        self.run(self.sql.consent_add, row)
            .at("consent of", contact)?;
        Ok(())
    }

    pub(super) fn write_suppression(&self, one: &Suppression) -> Result<usize, StoreError> {
        let row = params![
            one.key.kind.word(),
            one.key.value,
            reason_word(one.reason),
            nanos(one.at),
            one.source
        ];
        self.run(self.sql.suppression_put, row)
            .at("suppression", one.key.kind.word())
    }

    pub(super) fn remove_suppression(&self, key: &SuppressionKey) -> Result<bool, StoreError> {
        let row = params![key.kind.word(), key.value];
        let gone = self
            .run(self.sql.suppression_drop, row)
            .at("suppression", key.kind.word())?;
        Ok(gone > 0)
    }

    /// Asks the list about the addresses that a contact has now.
    pub(super) fn load_listed(&self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let mut found = Vec::new();
        for key in keys_of(&snapshot.contact) {
            let row = params![key.kind.word(), key.value];
            let reason = self
                .row(self.sql.suppression_get, row, |row| {
                    // A reason of a later version is a reason all the same.
                    Ok(read_reason(text(row, 0)?).unwrap_or(SuppressionReason::Manual))
                })
                .at("suppression", key.kind.word())?;
            found.extend(reason.map(|reason| (key.kind, reason)));
        }
        snapshot.listed = Some(Listed::new(&snapshot.contact, &found));
        Ok(())
    }
}
