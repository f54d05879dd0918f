//! Answers for proof, the list of suppressions, and whom erasures removed.

use relance_core::consent::ConsentChange;
use relance_core::contact::SuppressionReason;
use relance_core::ids::ContactId;
use relance_core::suppression::{Suppression, SuppressionKey, SuppressionKind};
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_consent, read_reason};

use super::db::{Row, Value, values};
use super::{Page, ReadError, Reader, limits, page, wrong};
use crate::sqlite::column::nanos;
use crate::sqlite::error::{Located, unreadable};

/// Hashes that are read at once.
const HASHES_MAX: i64 = 10_000;

fn suppression(row: Row<'_>) -> Result<Suppression, StoreError> {
    let word = row.text(0).at("suppression", "")?;
    let kind = SuppressionKind::from_word(word)
        .ok_or_else(|| unreadable("suppression", word, "a kind that is not known"))?;
    let reason = row.text(2).at("suppression", word)?;
    Ok(Suppression {
        key: SuppressionKey {
            kind,
            value: row.text(1).at("suppression", word)?.to_owned(),
        },
        reason: read_reason(reason).unwrap_or(SuppressionReason::Manual),
        at: row.moment(3).at("suppression", word)?,
        source: row.text(4).at("suppression", word)?.to_owned(),
    })
}

impl Reader {
    /// Every answer that a contact gave of a channel or topic, the first first.
    pub fn consents(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ConsentChange>, ReadError> {
        let (shown, asked) = limits(limit);
        let (at, about, answer) = match after {
            None => (i64::MIN, "", ""),
            Some(cursor) => {
                let mut parts = cursor.splitn(3, '.');
                match (parts.next().map(str::parse), parts.next(), parts.next()) {
                    (Some(Ok(at)), Some(answer), Some(about)) => (at, about, answer),
                    _incomplete => return Err(wrong(cursor)),
                }
            }
        };
        let key = values![contact, at, Value::Key(about), answer, asked];
        let rows = self.rows(self.sql.consent_page, "consent_log", key, |row| {
            let at = row.moment(0).at("consent of", contact)?;
            let about = row.text(1).at("consent of", contact)?;
            let body = row.text(2).at("consent of", contact)?;
            let answer = row.text(3).at("consent of", contact)?;
            let change = read_consent(at, about, body).at("consent of", contact)?;
            Ok((change, format!("{}.{answer}.{about}", nanos(at))))
        })?;
        Ok(page(rows, shown))
    }

    /// The list of suppressions, in order of kind and value.
    pub fn suppressions(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Suppression>, ReadError> {
        let (shown, asked) = limits(limit);
        let (kind, value) = match after {
            None => ("", ""),
            Some(cursor) => cursor.split_once(':').ok_or_else(|| wrong(cursor))?,
        };
        let key = values![kind, value, asked];
        let rows = self.rows(self.sql.suppression_page, "suppression", key, |row| {
            let one = suppression(row)?;
            let place = format!("{}:{}", one.key.kind.word(), one.key.value);
            Ok((one, place))
        })?;
        Ok(page(rows, shown))
    }

    /// An entry of the list of suppressions.
    pub fn suppression(&self, key: &SuppressionKey) -> Result<Option<Suppression>, ReadError> {
        let row = values![key.kind.word(), key.value.as_str()];
        self.one(self.sql.suppression_one, "suppression", row, suppression)
    }

    /// What is kept of the names of everyone who was erased.
    pub fn erased_hashes(&self) -> Result<Vec<String>, ReadError> {
        let mut all: Vec<String> = Vec::new();
        loop {
            let after = all.last().map_or("", String::as_str);
            let key = values![after, HASHES_MAX];
            let some = self.rows(self.sql.erased_page, "erased", key, |row| {
                Ok(row.text(0).at("erased", "")?.to_owned())
            })?;
            let count = some.len();
            all.extend(some);
            if i64::try_from(count).unwrap_or(0) < HASHES_MAX {
                return Ok(all);
            }
        }
    }
}
