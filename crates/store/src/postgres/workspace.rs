//! What belongs to the workspace: journeys, segments, watched mailboxes, threads of mail, texts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::ids::{ContactId, JourneyId, MailboxId, ObjectKind, SegmentId, SubjectRef};
use relance_core::journey::Moves;
use relance_engine::ports::{
    Asset, AuditLine, MailboxState, StoreError, StoredJourney, StoredSegment, ThreadEntry,
};
use relance_wire::stored::{moves_text, read_moves};
use tokio_postgres::Row;

use super::PostgresStore;
use super::error::{PgLocated, unreadable};
use super::session::{Ask, Param};
use super::text::{key, plain, word};
use crate::sqlite::THREADS_PER_MESSAGE_MAX;
use crate::sqlite::column::{contact_key, moment, nanos, subject_columns};

/// Numbers of segments that are known.
pub(super) type SegmentNumbers = BTreeMap<SegmentId, i32>;

/// A subject from two columns, both empty for none.
pub(super) fn subject(row: &Row, ix: usize) -> Result<Option<SubjectRef>, tokio_postgres::Error> {
    let (kind, id): (&str, &str) = (row.try_get(ix)?, row.try_get(ix + 1)?);
    Ok((!kind.is_empty() || !id.is_empty()).then(|| SubjectRef {
        kind: ObjectKind::from(kind),
        id: id.into(),
    }))
}

/// A contact's id from a column.
pub(super) fn contact_id(row: &Row, ix: usize) -> Result<ContactId, tokio_postgres::Error> {
    Ok(ContactId(row.try_get::<_, i64>(ix)?.cast_unsigned()))
}

/// A version as a column.
pub(super) fn version_column(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// Which of what was asked a row answers: `WITH ORDINALITY` counts from 1.
pub(super) fn place(row: &Row) -> Result<usize, tokio_postgres::Error> {
    let n: i64 = row.try_get(0)?;
    Ok(usize::try_from(n - 1).unwrap_or(usize::MAX))
}

impl PostgresStore {
    pub(super) fn write_threads(&mut self, entries: &[ThreadEntry]) -> Result<(), StoreError> {
        let rows: BTreeSet<_> = entries
            .iter()
            .map(|entry| {
                let (kind, id) = subject_columns(entry.subject.as_ref());
                let contact = contact_key(entry.contact);
                (key(&entry.message_id), contact, word(kind), key(id))
            })
            .collect();
        let (mut messages, mut contacts, mut kinds, mut ids) = (vec![], vec![], vec![], vec![]);
        for (message, contact, kind, id) in rows {
            messages.push(message);
            contacts.push(contact);
            kinds.push(kind);
            ids.push(id);
        }
        let params: Vec<Param<'_>> = vec![&messages, &contacts, &kinds, &ids];
        self.one(self.sql.thread_put, params).map(drop)
    }

    pub(super) fn threads_of(
        &mut self,
        message_ids: &[&str],
    ) -> Result<Vec<ThreadEntry>, StoreError> {
        if message_ids.is_empty() {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(THREADS_PER_MESSAGE_MAX).unwrap_or(i64::MAX);
        let keys: Vec<_> = message_ids.iter().map(|id| key(id)).collect();
        let answer = self.one(self.sql.thread_find, vec![&keys, &limit])?;
        let mut threads = Vec::new();
        let mut known = BTreeSet::new();
        for row in &answer.rows {
            let contact = contact_id(row, 1).at("thread", "")?;
            let subject = subject(row, 2).at("thread of", contact)?;
            let asked = message_ids.get(place(row).at("thread of", contact)?);
            if let Some(message_id) = asked
                && known.insert((contact, subject.clone()))
            {
                threads.push(ThreadEntry {
                    message_id: (*message_id).to_owned(),
                    contact,
                    subject,
                });
            }
        }
        Ok(threads)
    }

    pub(super) fn journeys_by(
        &mut self,
        sql: &'static str,
        params: Vec<Param<'_>>,
    ) -> Result<Vec<StoredJourney>, StoreError> {
        let answer = self.one(sql, params)?;
        let mut found = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let id = JourneyId::from(row.try_get::<_, &str>(0).at("journey", "")?);
            let version: i32 = row.try_get(1).at("journey", &id)?;
            let moves: Option<&str> = row.try_get(3).at("journey", &id)?;
            found.push(StoredJourney {
                version: u32::try_from(version).unwrap_or(0),
                current: row.try_get(2).at("journey", &id)?,
                moves: match moves {
                    Some(stored) => read_moves(stored).at("journey", &id)?,
                    None => Moves::Pin,
                },
                text: row.try_get(4).at("journey", &id)?,
                id,
            });
        }
        Ok(found)
    }

    pub(super) fn standing_still(&mut self) -> Result<Vec<JourneyId>, StoreError> {
        let answer = self.one(self.sql.journey_paused_list, Vec::new())?;
        let id = |row: &Row| Ok(JourneyId::from(row.try_get::<_, &str>(0)?));
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(id).collect();
        all.at("journey_paused", "")
    }

    /// A published version is immutable: another text under its number is refused.
    pub(super) fn write_journey(
        &mut self,
        journey: &StoredJourney,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, version) = (word(journey.id.as_str()), version_column(journey.version));
        let text = plain(&journey.text);
        let place = format!("{} version {}", journey.id, journey.version);
        let answer = self.one(self.sql.journey_get, vec![&id, &version])?;
        if let Some(row) = answer.rows.first() {
            let published: &str = row.try_get(0).at("journey", &place)?;
            if published != text {
                return Err(StoreError::Failed(format!(
                    "journey {place} is published with another text; publish a new version"
                )));
            }
        }
        let moves = match &journey.moves {
            Moves::Pin => None,
            moves @ (Moves::Follow | Moves::Map(_)) => {
                Some(moves_text(moves).at("journey", &place)?)
            }
        };
        let at = nanos(now);
        let mut asks = Vec::new();
        if journey.current {
            asks.push(Ask::new(
                self.sql.journey_retire_others,
                vec![&id, &version],
            ));
        }
        asks.push(Ask::new(
            self.sql.journey_put,
            vec![&id, &version, &journey.current, &at, &text, &moves],
        ));
        self.ask(asks).map(drop)
    }

    pub(super) fn assets_of(&mut self, kind: &str) -> Result<Vec<Asset>, StoreError> {
        let answer = self.one(self.sql.asset_list, vec![&word(kind)])?;
        let asset = |row: &Row| {
            Ok(Asset {
                kind: kind.to_owned(),
                name: row.try_get(0)?,
                body: row.try_get(1)?,
            })
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(asset).collect();
        all.at("asset", kind)
    }

    pub(super) fn write_asset(&mut self, asset: &Asset, now: Timestamp) -> Result<(), StoreError> {
        let (kind, name, at) = (word(&asset.kind), key(&asset.name), nanos(now));
        let body = asset.body.as_deref().map(plain);
        if body.is_some() {
            self.one(self.sql.asset_put, vec![&kind, &name, &at, &body])
        } else {
            self.one(self.sql.asset_drop, vec![&kind, &name])
        }
        .map(drop)
    }

    pub(super) fn write_audit(&mut self, line: &AuditLine) -> Result<(), StoreError> {
        let (at, hash) = (nanos(line.at), line.hash().cast_signed());
        let (who, action) = (key(&line.by), word(&line.action));
        let (object, detail) = (key(&line.object), plain(&line.detail));
        let kept = nanos(line.kept_since());
        self.ask(vec![
            Ask::new(
                self.sql.audit_put,
                vec![&at, &hash, &who, &action, &object, &detail],
            ),
            Ask::new(self.sql.audit_forget, vec![&kept]),
        ])
        .map(drop)
    }

    pub(super) fn mailbox_states(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        let answer = self.one(self.sql.mailbox_list, Vec::new())?;
        let state = |row: &Row| {
            Ok(MailboxState {
                mailbox: MailboxId::from(row.try_get::<_, &str>(0)?),
                synced_at: row.try_get::<_, Option<i64>>(1)?.map(moment),
                cursors: row.try_get(2)?,
            })
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(state).collect();
        all.at("mailbox", "")
    }

    pub(super) fn write_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError> {
        let (mailbox, cursors) = (key(state.mailbox.as_str()), plain(&state.cursors));
        let synced_at = state.synced_at.map(nanos);
        self.one(self.sql.mailbox_put, vec![&mailbox, &synced_at, &cursors])
            .map(drop)
    }

    pub(super) fn defined_segments(&mut self) -> Result<Vec<StoredSegment>, StoreError> {
        let answer = self.one(self.sql.segment_list, Vec::new())?;
        let segment = |row: &Row| {
            Ok(StoredSegment {
                id: row.try_get::<_, &str>(0)?.into(),
                text: row.try_get(1)?,
            })
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(segment).collect();
        all.at("segment", "")
    }

    pub(super) fn define_segment(
        &mut self,
        id: &SegmentId,
        text: Option<&str>,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.number_segments(std::iter::once(id))?;
        let number = self.segment_number(id)?;
        let (at, text) = (now.map_or(0, nanos), text.map(plain));
        self.one(self.sql.segment_define, vec![&number, &at, &text])
            .map(drop)
    }

    /// The number of a segment that [`number_segments`](Self::number_segments) was asked for.
    pub(super) fn segment_number(&self, id: &SegmentId) -> Result<i32, StoreError> {
        let number = self.segment_numbers.get(id).copied();
        number.ok_or_else(|| unreadable("segment", id, "it got no number"))
    }

    /// Learns the numbers of segments that have one.
    pub(super) fn learn_segments<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a SegmentId>,
    ) -> Result<(), StoreError> {
        let unknown: BTreeMap<_, &SegmentId> = ids
            .filter(|id| !self.segment_numbers.contains_key(*id))
            .map(|id| (word(id.as_str()), id))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = unknown.keys().collect();
        let answer = self.one(self.sql.segment_number, vec![&keys])?;
        for row in &answer.rows {
            let stored: &str = row.try_get(0).at("segment", "")?;
            let number: i32 = row.try_get(1).at("segment", stored)?;
            if let Some(id) = unknown.get(stored) {
                self.segment_numbers.insert((*id).clone(), number);
            }
        }
        Ok(())
    }

    /// Gives numbers to segments that have none, and learns them.
    pub(super) fn number_segments<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a SegmentId> + Clone,
    ) -> Result<(), StoreError> {
        self.learn_segments(ids.clone())?;
        let new: BTreeSet<_> = ids
            .clone()
            .filter(|id| !self.segment_numbers.contains_key(*id))
            .map(|id| word(id.as_str()))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let new: Vec<_> = new.into_iter().collect();
        self.one(self.sql.segment_add, vec![&new])?;
        self.learn_segments(ids)
    }
}
