//! Taking a statement in: what is new in it, piece by piece.

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::payment::judge::{Earlier, reversed};
use relance_core::payment::statement::FILE_NAME_CHARS_MAX;
use relance_core::payment::{
    Note, Payment, PaymentId, PaymentRecord, PaymentState, StatementRecord, StatementTally,
};
use relance_engine::arrival::Arrival;
use relance_store::Reader;
use relance_store::read::ReadError;
use relance_wire::api::payment::StatementTaken;
use relance_wire::statement::Statement;

use super::Plan;

/// Payments of one piece: they are one commit.
pub const PIECE_PAYMENTS_MAX: usize = 100;

/// A statement that is to be taken in.
#[derive(Debug, Clone)]
pub struct Taking {
    /// It, as it is kept.
    statement: StatementRecord,
    /// In order of booking; returns behind what came that day.
    payments: Vec<Payment>,
    done: usize,
    /// What became of them.
    pub tally: Tally,
}

/// What became of a statement's payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Known before.
    pub known: usize,
    /// The others, by where they stand.
    pub new: StatementTally,
}

/// A piece: what is to be committed together, and the payments in it.
pub struct Piece {
    /// For the engine, in one envelope; nothing when all of it is known.
    pub arrivals: Vec<Arrival>,
    /// The payments, as they are then.
    pub records: Vec<PaymentRecord>,
    length: usize,
    tally: Tally,
}

/// The id of a file's bytes.
pub fn statement_id(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(bytes);
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("st_{hex}")
}

/// What is answered of a statement, with what became of it.
pub fn told(mut taken: StatementTaken, tally: &Tally) -> StatementTaken {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    taken.new = count(tally.new.new);
    taken.known = tally.known;
    taken.matched = count(tally.new.matched);
    taken.part = count(tally.new.part);
    taken.over = count(tally.new.over);
    taken.joint = count(tally.new.joint);
    taken.unclear = count(tally.new.unclear);
    taken.reversed = count(tally.new.reversed);
    taken
}

impl Taking {
    /// Everything of a statement is to be looked at. `name` is the file's.
    pub fn new(id: String, name: &str, by: &str, now: Timestamp, statement: Statement) -> Self {
        let first = statement.parts.first();
        let of_first = |of: fn(&relance_wire::statement::Part) -> &String| {
            first.map(of).cloned().unwrap_or_default()
        };
        let plain = |c: &char| !c.is_control();
        let record = StatementRecord {
            id,
            name: name
                .chars()
                .filter(plain)
                .take(FILE_NAME_CHARS_MAX)
                .collect(),
            format: statement.format.word().to_owned(),
            by: by.to_owned(),
            at: now,
            account: of_first(|part| &part.account),
            currency: of_first(|part| &part.currency),
            accounts: statement.parts.len() as u64,
            from: statement.parts.iter().filter_map(|part| part.from).min(),
            to: statement.parts.iter().filter_map(|part| part.to).max(),
            entries: statement.payments().count() as u64,
            outgoing: statement.outgoing() as u64,
            tally: StatementTally::default(),
            whole: false,
            undone: None,
        };
        let mut payments: Vec<Payment> = statement
            .parts
            .into_iter()
            .flat_map(|part| part.payments)
            .collect();
        payments.sort_by_key(|one| (one.booked, one.is_reversal));
        Self {
            statement: record,
            payments,
            done: 0,
            tally: Tally::default(),
        }
    }

    /// The next piece, of `most` payments at most; `None` after the last. It is judged by what is committed, so the
    /// piece before must be. Nothing is done by it before it is [`done`](Self::done).
    pub fn plan(
        &self,
        reader: &Reader,
        by: &str,
        now: Timestamp,
        most: usize,
    ) -> Result<Option<Piece>, ReadError> {
        let rest = &self.payments[self.done..];
        if rest.is_empty() {
            return Ok(None);
        }
        // A return takes back what an earlier piece brought, so it begins one of its own.
        let length = if rest[0].is_reversal {
            1
        } else {
            let plain = rest.iter().take_while(|one| !one.is_reversal);
            plain.take(most.clamp(1, PIECE_PAYMENTS_MAX)).count()
        };
        let piece = &rest[..length];
        let mut plan = Plan::begin(reader, by, now)?;
        let ids: Vec<PaymentId> = piece.iter().map(Payment::id).collect();
        let known = reader.known_payments(&ids)?;
        let mut records = Vec::new();
        let mut tally = Tally::default();
        let mut seen = BTreeSet::new();
        for (payment, id) in piece.iter().zip(ids) {
            let known = known.get(&id);
            if known.is_some_and(|known| !known.is_undone) || !seen.insert(id) {
                tally.known += 1;
                continue;
            }
            let record = PaymentRecord {
                id,
                payment: payment.clone(),
                statement: self.statement.id.clone(),
                state: PaymentState::Unclear,
                shares: Vec::new(),
                ranked: Vec::new(),
                note: None,
                other: None,
                revision: known.map_or(1, |known| known.revision.saturating_add(1)),
                changed_at: now,
            };
            let record = if payment.is_reversal {
                take_back(&mut plan, record, &mut tally)?
            } else {
                let mut record = record;
                plan.settle(&mut record)?;
                record
            };
            tally.new.add(record.state);
            plan.keep(record.clone());
            records.push(record);
        }
        if !records.is_empty() {
            let mut statement = self.onto_known(reader)?;
            statement.tally = statement.tally.plus(tally.new);
            plan.keep_statement(statement);
        }
        Ok(Some(Piece {
            arrivals: plan.arrivals(),
            records,
            length,
            tally,
        }))
    }

    /// A piece is committed, or was only to be looked at.
    pub fn done(&mut self, piece: &Piece) {
        self.done += piece.length;
        self.tally.known += piece.tally.known;
        self.tally.new = self.tally.new.plus(piece.tally.new);
    }

    /// What is to be committed after the last piece: all of the statement was taken in. Nothing where that is known.
    pub fn close(
        &self,
        reader: &Reader,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<Arrival>, ReadError> {
        let mut plan = Plan::begin(reader, by, now)?;
        let statement = self.onto_known(reader)?;
        if !statement.whole {
            plan.keep_statement(StatementRecord {
                whole: true,
                ..statement
            });
        }
        Ok(plan.arrivals())
    }

    fn onto_known(&self, reader: &Reader) -> Result<StatementRecord, ReadError> {
        let known = reader.statement(&self.statement.id)?;
        Ok(self.statement.clone().onto(known))
    }
}

/// The bank took a payment back: so does everything that followed from it.
fn take_back(
    plan: &mut Plan<'_>,
    mut record: PaymentRecord,
    tally: &mut Tally,
) -> Result<PaymentRecord, ReadError> {
    let payment = &record.payment;
    let alike = plan
        .reader
        .payments_of_amount(payment.amount.abs(), payment.booked)?;
    let is_gone = |note| matches!(note, Some(Note::Reversed | Note::StatementUndone));
    let alike: Vec<PaymentRecord> = alike
        .into_iter()
        .filter(|one| !one.payment.is_reversal && !is_gone(one.note))
        .collect();
    let earlier: Vec<Earlier> = alike
        .iter()
        .map(|one| Earlier {
            id: one.id,
            payment: one.payment.clone(),
        })
        .collect();
    let found = reversed(payment, &earlier);
    let Some(first) = alike.iter().find(|one| Some(one.id) == found) else {
        record.note = Some(Note::UnknownReversal);
        return Ok(record);
    };
    let mut changed = plan.changed(first);
    changed.state = PaymentState::Ignored;
    changed.note = Some(Note::Reversed);
    changed.other = Some(record.id);
    changed.shares = Vec::new();
    changed.ranked = Vec::new();
    plan.withdraw(&changed, &first.shares)?;
    plan.keep(changed);
    tally.new.reversed += 1;
    record.state = PaymentState::Ignored;
    record.note = Some(Note::Reversal);
    record.other = Some(first.id);
    Ok(record)
}
