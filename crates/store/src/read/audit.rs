//! Who changed what, and single texts of the workspace.

use jiff::Timestamp;
use relance_engine::ports::{AuditLine, StoreError};

use super::db::{Row, Value, values};
use super::{DatedText, Page, ReadError, Reader, limits, page, wrong};
use crate::sqlite::column::nanos;
use crate::sqlite::error::Located;

/// Which lines of the audit are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditAsked {
    /// Of whom.
    pub by: Option<String>,
    /// About what.
    pub object: Option<String>,
    /// How the action begins: `user.` is everything that became of users.
    pub action: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

fn line(row: Row<'_>) -> Result<(AuditLine, String), StoreError> {
    let at = row.moment(0).at("audit", "")?;
    let hash = row.int(1).at("audit", at)?;
    let text = |ix| row.text(ix).at("audit", at).map(str::to_owned);
    let line = AuditLine {
        at,
        by: text(2)?,
        action: text(3)?,
        object: text(4)?,
        detail: text(5)?,
    };
    Ok((line, format!("{}.{hash}", nanos(at))))
}

impl Reader {
    /// Who changed what, the newest first.
    pub fn audit(
        &self,
        asked: &AuditAsked,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<AuditLine>, ReadError> {
        let (shown, rows_asked) = limits(limit);
        let (at, hash) = match after {
            None => (asked.until.map_or(i64::MAX, nanos), i64::MIN),
            Some(cursor) => {
                let (at, hash) = cursor.split_once('.').ok_or_else(|| wrong(cursor))?;
                let number = |text: &str| text.parse::<i64>().map_err(|_| wrong(cursor));
                (number(at)?, number(hash)?)
            }
        };
        let from = asked.from.map_or(i64::MIN, nanos);
        let action = asked.action.as_deref().unwrap_or("");
        let rows = match (&asked.object, &asked.by) {
            (Some(object), by) => {
                let by = by.as_deref().unwrap_or("");
                let object = Value::Key(object);
                let by = Value::Key(by);
                let key = values![object, at, hash, from, action, rows_asked, by];
                self.rows(self.sql.audit_of_object, "audit", key, line)
            }
            (None, Some(by)) => {
                let key = values![Value::Key(by), at, hash, from, action, rows_asked];
                self.rows(self.sql.audit_of_who, "audit", key, line)
            }
            (None, None) => {
                let key = values![at, hash, from, action, rows_asked];
                self.rows(self.sql.audit_newest, "audit", key, line)
            }
        }?;
        Ok(page(rows, shown))
    }

    /// One text of a sort.
    pub fn text(&self, kind: &str, name: &str) -> Result<Option<DatedText>, ReadError> {
        let key = values![Value::Word(kind), Value::Key(name)];
        self.one(self.sql.asset_one, "asset", key, |row| {
            Ok(DatedText {
                name: row.text(0).at("asset", kind)?.to_owned(),
                updated_at: row.moment(1).at("asset", kind)?,
                body: row.text(2).at("asset", kind)?.to_owned(),
            })
        })
    }
}
