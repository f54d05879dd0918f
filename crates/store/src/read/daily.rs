//! What happened on the days of a zone, from sums that were kept as it happened.
//!
//! **Absent:** days further back than some weeks (see the counters of journeys).

use jiff::Timestamp;

use super::db::values;
use super::{ReadError, Reader};
use crate::sqlite::column::quarter;
use crate::sqlite::error::Located;

/// What happened in a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarterCount {
    /// When the quarter began.
    pub from: Timestamp,
    /// `sent`, `held`, `enrolled`, `converted`, `replied`, `documents`, `paid` or `tasks_done`.
    pub what: String,
    /// How often.
    pub times: u64,
}

impl Reader {
    /// What happened in the quarters of an hour from that of `from` to that of `until`, in no order.
    pub fn quarters(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<QuarterCount>, ReadError> {
        let key = values![quarter(from), quarter(until)];
        self.rows(self.sql.quarter_all, "quarter_count", key, |row| {
            let number = row.int(0).at("quarter_count", "")?;
            let began = Timestamp::from_second(number.saturating_mul(900));
            Ok(QuarterCount {
                from: began.unwrap_or(Timestamp::UNIX_EPOCH),
                what: row.text(1).at("quarter_count", number)?.to_owned(),
                times: row.count(2).at("quarter_count", number)?,
            })
        })
    }
}
