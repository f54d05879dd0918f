//! What belongs to the workspace: journeys, watched mailboxes, threads of mail.

use jiff::Timestamp;
use relance_core::ids::{JourneyId, MailboxId};
use relance_core::journey::Moves;
use relance_engine::ports::{
    Asset, AuditLine, MailboxState, StoreError, StoredJourney, ThreadEntry,
};
use relance_wire::stored::moves_text;
use rusqlite::{Params, params};

use super::SqliteStore;
use super::column::{
    contact_id, contact_key, moment, moves, nanos, subject, subject_columns, text,
};
use super::error::Located;

/// Threads that one message is said to belong to: a message to more contacts than this is no
/// conversation.
pub const THREADS_PER_MESSAGE_MAX: usize = 100;

impl SqliteStore {
    pub(super) fn write_threads(&self, entries: &[ThreadEntry]) -> Result<(), StoreError> {
        for entry in entries {
            let (kind, id) = subject_columns(entry.subject.as_ref());
            let contact = contact_key(entry.contact);
            self.run(
                self.sql.thread_put,
                params![entry.message_id, contact, kind, id],
            )
            .at("thread of", entry.contact)?;
        }
        Ok(())
    }

    pub(super) fn threads_of(&self, message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError> {
        let limit = i64::try_from(THREADS_PER_MESSAGE_MAX).unwrap_or(i64::MAX);
        let mut threads: Vec<ThreadEntry> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        let mut statement = self
            .conn
            .prepare_cached(self.sql.thread_find)
            .at("thread", "")?;
        for message_id in message_ids {
            let mut rows = statement
                .query(params![message_id, limit])
                .at("thread", "")?;
            while let Some(row) = rows.next().at("thread", "")? {
                let contact = contact_id(row, 0).at("thread", "")?;
                let subject = subject(row, 1).at("thread of", contact)?;
                if known.insert((contact, subject.clone())) {
                    let message_id = (*message_id).to_owned();
                    threads.push(ThreadEntry {
                        message_id,
                        contact,
                        subject,
                    });
                }
            }
        }
        Ok(threads)
    }

    pub(super) fn wanted_journeys(&self) -> Result<Vec<StoredJourney>, StoreError> {
        self.journeys_by(self.sql.journey_wanted, [])
    }

    pub(super) fn versions_of(&self, id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError> {
        self.journeys_by(self.sql.journey_versions, [id.as_str()])
    }

    fn journeys_by(
        &self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<Vec<StoredJourney>, StoreError> {
        let mut found = Vec::new();
        let mut statement = self.conn.prepare_cached(sql).at("journey", "")?;
        let mut rows = statement.query(params).at("journey", "")?;
        while let Some(row) = rows.next().at("journey", "")? {
            let id = JourneyId::from(text(row, 0).at("journey", "")?);
            found.push(StoredJourney {
                version: row.get(1).at("journey", &id)?,
                current: row.get(2).at("journey", &id)?,
                moves: moves(row, 3).at("journey", &id)?,
                text: row.get(4).at("journey", &id)?,
                id,
            });
        }
        Ok(found)
    }

    pub(super) fn standing_still(&self) -> Result<Vec<JourneyId>, StoreError> {
        self.conn
            .prepare_cached(self.sql.journey_paused_list)
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok(JourneyId::from(text(row, 0)?)))?
                    .collect()
            })
            .at("journey_paused", "")
    }

    /// A published version is immutable: another text under its number is refused.
    pub(super) fn write_journey(
        &self,
        journey: &StoredJourney,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, version) = (journey.id.as_str(), journey.version);
        let place = format_args!("{id} version {version}").to_string();
        let published = self
            .row(self.sql.journey_get, params![id, version], |row| {
                Ok(text(row, 0)? == journey.text)
            })
            .at("journey", &place)?;
        if published == Some(false) {
            return Err(StoreError::Failed(format!(
                "journey {place} is published with another text; publish a new version"
            )));
        }
        let moves = match &journey.moves {
            Moves::Pin => None,
            moves @ (Moves::Follow | Moves::Map(_)) => {
                Some(moves_text(moves).at("journey", &place)?)
            }
        };
        if journey.current {
            self.run(self.sql.journey_retire_others, params![id, version])
                .at("journey", &place)?;
        }
        self.run(
            self.sql.journey_put,
            params![
                id,
                version,
                journey.current,
                nanos(now),
                journey.text,
                moves
            ],
        )
        .at("journey", &place)?;
        Ok(())
    }

    pub(super) fn assets_of(&self, kind: &str) -> Result<Vec<Asset>, StoreError> {
        self.conn
            .prepare_cached(self.sql.asset_list)
            .and_then(|mut statement| {
                statement
                    .query_map([kind], |row| {
                        Ok(Asset {
                            kind: kind.to_owned(),
                            name: row.get(0)?,
                            body: row.get(1)?,
                        })
                    })?
                    .collect()
            })
            .at("asset", kind)
    }

    pub(super) fn write_asset(&self, asset: &Asset, now: Timestamp) -> Result<(), StoreError> {
        match &asset.body {
            Some(body) => {
                let row = params![asset.kind, asset.name, nanos(now), body];
                self.run(self.sql.asset_put, row)
            }
            None => self.run(self.sql.asset_drop, params![asset.kind, asset.name]),
        }
        .at("asset", &asset.name)?;
        Ok(())
    }

    pub(super) fn write_audit(&self, line: &AuditLine) -> Result<(), StoreError> {
        let row = params![
            nanos(line.at),
            line.hash().cast_signed(),
            line.by,
            line.action,
            line.object,
            line.detail
        ];
        self.run(self.sql.audit_put, row)
            .at("audit", &line.object)?;
        let kept = params![nanos(line.kept_since())];
        self.run(self.sql.audit_forget, kept).at("audit", "")?;
        Ok(())
    }

    pub(super) fn mailbox_states(&self) -> Result<Vec<MailboxState>, StoreError> {
        self.conn
            .prepare_cached(self.sql.mailbox_list)
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(MailboxState {
                            mailbox: MailboxId::from(text(row, 0)?),
                            synced_at: row.get::<_, Option<i64>>(1)?.map(moment),
                            cursors: row.get(2)?,
                        })
                    })?
                    .collect()
            })
            .at("mailbox", "")
    }

    pub(super) fn write_mailbox(&self, state: &MailboxState) -> Result<(), StoreError> {
        let synced_at = state.synced_at.map(nanos);
        self.run(
            self.sql.mailbox_put,
            params![state.mailbox.as_str(), synced_at, state.cursors],
        )
        .at("mailbox", &state.mailbox)?;
        Ok(())
    }
}
