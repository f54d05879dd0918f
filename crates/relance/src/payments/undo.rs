//! Taking a whole statement back: it was another company's, or of another time, or in another format than the one that
//! is used. Documents that its payments were put to are open again, and its payments may come again.
//!
//! What was decided about its payments by hand is taken back too. Where it brought the return of an earlier payment,
//! that payment is judged anew; a payment of it that the bank took back by another statement stays as it is. Journeys
//! that ended stay ended.

use jiff::Timestamp;
use relance_core::payment::{
    Note, PaymentId, PaymentRecord, PaymentState, StatementRecord, Undone,
};
use relance_engine::arrival::Arrival;
use relance_store::Reader;
use relance_store::read::ReadError;

use super::{PaymentProblem, Plan};

/// A statement that is to be taken back.
#[derive(Debug, Clone)]
pub struct Undoing {
    id: String,
    after: Option<String>,
    is_over: bool,
    /// Payments that were taken back.
    pub payments: usize,
}

/// What is to be committed together.
pub struct UndonePiece {
    /// For the engine, in one envelope; nothing when all of it was taken back before.
    pub arrivals: Vec<Arrival>,
    next: Option<String>,
    payments: usize,
}

impl Undoing {
    /// Of a statement that is known, and is not taken back yet.
    pub fn new(reader: &Reader, id: &str) -> Result<Self, PaymentProblem> {
        let known = reader.statement(id)?;
        match known.ok_or(PaymentProblem::UnknownStatement)?.undone {
            Some(_) => Err(PaymentProblem::UndoneAlready),
            None => Ok(Self {
                id: id.to_owned(),
                after: None,
                is_over: false,
                payments: 0,
            }),
        }
    }

    /// The next piece, of `most` payments at most; `None` after the last. Nothing is done by it before it is
    /// [`done`](Self::done).
    pub fn plan(
        &self,
        reader: &Reader,
        by: &str,
        now: Timestamp,
        most: usize,
    ) -> Result<Option<UndonePiece>, ReadError> {
        if self.is_over {
            return Ok(None);
        }
        let mut plan = Plan::begin(reader, by, now)?;
        let page = reader.payments_of_statement(&self.id, self.after.as_deref(), most.max(1))?;
        let mut payments = 0;
        for one in &page.items {
            payments += usize::from(self.take_back(&mut plan, one)?);
        }
        if page.next.is_none()
            && let Some(statement) = reader.statement(&self.id)?
        {
            let by = by.to_owned();
            plan.keep_statement(StatementRecord {
                undone: Some(Undone { at: now, by }),
                ..statement
            });
        }
        Ok(Some(UndonePiece {
            arrivals: plan.arrivals(),
            next: page.next,
            payments,
        }))
    }

    /// A piece is committed.
    pub fn done(&mut self, piece: UndonePiece) {
        self.is_over = piece.next.is_none();
        self.after = piece.next;
        self.payments += piece.payments;
    }

    /// Takes one payment back; says whether there was something to take back.
    fn take_back(&self, plan: &mut Plan<'_>, one: &PaymentRecord) -> Result<bool, ReadError> {
        match one.note {
            Some(Note::StatementUndone) => return Ok(false),
            // The bank did, by a statement that stands.
            Some(Note::Reversed) if !self.is_own(plan, one.other)? => return Ok(false),
            Some(Note::Reversal) => {
                let first = match one.other {
                    Some(first) => plan.reader.payment(first)?,
                    None => None,
                };
                // One of the same statement goes with it.
                if let Some(first) = first.filter(|first| first.statement != self.id) {
                    let mut anew = plan.changed(&first);
                    anew.note = None;
                    anew.other = None;
                    plan.settle(&mut anew)?;
                    plan.keep(anew);
                }
            }
            Some(
                Note::Reversed
                | Note::ByHand
                | Note::Dismissed
                | Note::Undone
                | Note::UnknownReversal
                | Note::Forgotten,
            )
            | None => {}
        }
        let mut changed = plan.changed(one);
        changed.state = PaymentState::Ignored;
        changed.note = Some(Note::StatementUndone);
        changed.other = None;
        changed.shares = Vec::new();
        changed.ranked = Vec::new();
        plan.withdraw(&changed, &one.shares)?;
        plan.keep(changed);
        Ok(true)
    }

    fn is_own(&self, plan: &Plan<'_>, other: Option<PaymentId>) -> Result<bool, ReadError> {
        let Some(other) = other else {
            return Ok(false);
        };
        let other = plan.reader.payment(other)?;
        Ok(other.is_some_and(|other| other.statement == self.id))
    }
}
