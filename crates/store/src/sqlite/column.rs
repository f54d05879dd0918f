//! Moments, ids and texts as columns.

use jiff::Timestamp;
use relance_core::ids::{ContactId, ObjectKind, SubjectRef};
use relance_core::journey::Moves;
use relance_wire::stored::read_moves;
use rusqlite::Row;
use rusqlite::types::Type;

/// A moment as nanoseconds since 1970. Moments outside 1677 to 2262 become the nearest that fits: a
/// timer beyond them is never due in the life of the program.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let exact = at.as_nanosecond();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// The moment of a column.
pub(crate) fn moment(nanos: i64) -> Timestamp {
    // Every 64-bit number of nanoseconds lies between the years 1677 and 2262.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The UTC day of a moment, counted from 1970-01-01.
pub(crate) fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// The quarter of an hour of a moment, counted from 1970.
pub(crate) fn quarter(at: Timestamp) -> i64 {
    at.as_second().div_euclid(900)
}

/// A contact's id as a column. The store gives small numbers; one that does not fit names nobody.
pub(crate) fn contact_key(id: ContactId) -> i64 {
    i64::try_from(id.0).unwrap_or(-1)
}

/// A contact's id from a column.
pub(crate) fn contact_id(row: &Row<'_>, ix: usize) -> rusqlite::Result<ContactId> {
    let key: i64 = row.get(ix)?;
    let id = u64::try_from(key).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(ix, key))?;
    Ok(ContactId(id))
}

/// A hash from a column.
pub(crate) fn hash(row: &Row<'_>, ix: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(ix)?.cast_unsigned())
}

/// A text column, without copying it.
pub(crate) fn text<'row>(row: &'row Row<'_>, ix: usize) -> rusqlite::Result<&'row str> {
    row.get_ref(ix)?
        .as_str()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(ix, Type::Text, error.into()))
}

/// A subject as two columns, both empty for none.
pub(crate) fn subject_columns(subject: Option<&SubjectRef>) -> (&str, &str) {
    subject.map_or(("", ""), |subject| (subject.kind.as_str(), &subject.id))
}

/// A subject from two columns.
pub(crate) fn subject(row: &Row<'_>, ix: usize) -> rusqlite::Result<Option<SubjectRef>> {
    let (kind, id) = (text(row, ix)?, text(row, ix + 1)?);
    Ok((!kind.is_empty() || !id.is_empty()).then(|| SubjectRef {
        kind: ObjectKind::from(kind),
        id: id.into(),
    }))
}

/// How runs on older versions come to a version; null for those that do not.
pub(crate) fn moves(row: &Row<'_>, ix: usize) -> rusqlite::Result<Moves> {
    let read = |stored: String| {
        read_moves(&stored).map_err(|problem| {
            rusqlite::Error::FromSqlConversionFailure(ix, Type::Text, problem.into())
        })
    };
    row.get::<_, Option<String>>(ix)?
        .map_or(Ok(Moves::Pin), read)
}
