//! Taking a statement in: what is new in it, piece by piece.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::payment::judge::{Earlier, reversed};
use relance_core::payment::{Note, Payment, PaymentId, PaymentRecord, PaymentState};
use relance_engine::arrival::Arrival;
use relance_store::Reader;
use relance_store::read::ReadError;
use relance_wire::api::payment::StatementTaken;
use relance_wire::statement::Statement;

use super::Plan;

/// Payments of one piece: they are one commit.
pub const PIECE_PAYMENTS_MAX: usize = 100;

/// A statement that is to be taken in.
#[derive(Debug)]
pub struct Taking {
    /// The statement's id: the same for the same bytes.
    pub id: String,
    /// In order of booking; returns behind what came that day.
    payments: Vec<Payment>,
    done: usize,
    /// What became of them.
    pub tally: Tally,
}

/// What became of a statement's payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not known before.
    pub new: usize,
    /// Known before.
    pub known: usize,
    /// Of the new ones, by where they stand.
    pub states: BTreeMap<PaymentState, usize>,
    /// Earlier payments that were taken back.
    pub reversed: usize,
}

/// A piece: what is to be committed together, and the payments in it.
pub struct Piece {
    /// For the engine, in one envelope.
    pub arrivals: Vec<Arrival>,
    /// The payments, as they are then.
    pub records: Vec<PaymentRecord>,
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
    let count = |state| tally.states.get(&state).copied().unwrap_or_default();
    taken.new = tally.new;
    taken.known = tally.known;
    taken.matched = count(PaymentState::Matched);
    taken.part = count(PaymentState::Part);
    taken.over = count(PaymentState::Over);
    taken.joint = count(PaymentState::Joint);
    taken.unclear = count(PaymentState::Unclear);
    taken.reversed = tally.reversed;
    taken
}

impl Taking {
    /// Everything of a statement is to be looked at.
    pub fn new(id: String, statement: Statement) -> Self {
        let mut payments: Vec<Payment> = statement
            .parts
            .into_iter()
            .flat_map(|part| part.payments)
            .collect();
        payments.sort_by_key(|one| (one.booked, one.is_reversal));
        Self {
            id,
            payments,
            done: 0,
            tally: Tally::default(),
        }
    }

    /// The next piece; `None` after the last. Reads what is committed, so the piece before must be.
    pub fn next(
        &mut self,
        reader: &Reader,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Piece>, ReadError> {
        loop {
            let rest = &self.payments[self.done..];
            if rest.is_empty() {
                return Ok(None);
            }
            // A return takes back what an earlier piece brought, so it begins one of its own.
            let length = if rest[0].is_reversal {
                1
            } else {
                let plain = rest.iter().take_while(|one| !one.is_reversal);
                plain.take(PIECE_PAYMENTS_MAX).count()
            };
            let piece = &rest[..length];
            let ids: Vec<PaymentId> = piece.iter().map(Payment::id).collect();
            let known = reader.known_payments(&ids)?;
            let mut plan = Plan::new(reader, by, now);
            let mut records = Vec::new();
            let mut seen = known.clone();
            for (payment, id) in piece.iter().zip(ids) {
                if !seen.insert(id) {
                    self.tally.known += 1;
                    continue;
                }
                let record = PaymentRecord {
                    id,
                    payment: payment.clone(),
                    statement: self.id.clone(),
                    state: PaymentState::Unclear,
                    shares: Vec::new(),
                    ranked: Vec::new(),
                    note: None,
                    other: None,
                    revision: 1,
                    changed_at: now,
                };
                let record = if payment.is_reversal {
                    take_back(&mut plan, record, &mut self.tally)?
                } else {
                    let mut record = record;
                    plan.settle(&mut record)?;
                    record
                };
                self.tally.new += 1;
                *self.tally.states.entry(record.state).or_default() += 1;
                plan.keep(record.clone());
                records.push(record);
            }
            self.done += length;
            let arrivals = plan.arrivals();
            if !arrivals.is_empty() {
                return Ok(Some(Piece { arrivals, records }));
            }
        }
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
    let alike: Vec<PaymentRecord> = alike
        .into_iter()
        .filter(|one| !one.payment.is_reversal && one.note != Some(Note::Reversed))
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
    tally.reversed += 1;
    record.state = PaymentState::Ignored;
    record.note = Some(Note::Reversal);
    record.other = Some(first.id);
    Ok(record)
}
