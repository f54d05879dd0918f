//! Payments: statements are taken in, each payment is put to the documents that it surely pays, and the rest waits for
//! a person.
//!
//! What is decided goes to the engine in pieces: a piece's payments and the events that say what became of documents
//! are one commit, so a crash between two pieces loses nothing and repeats nothing. A payment that is known already
//! changes nothing.
//!
//! Nothing is used twice: a [`Plan`] says at which number of changes of payments it looked, and the commit refuses it
//! when somebody, on whichever node, changed one since ([`Refusal::Overtaken`](relance_engine::arrival::Refusal)): then
//! it is made anew. What payments were put to counts as well where the document does not say so yet, since the event
//! may be on its way to the node that works for its contact. On one node one waits for the other (see [`Desk`]).
//!
//! **Absent:** which document a payment pays (see `relance_core::payment`), formats (see `relance_wire::statement`).

pub mod find;
pub mod take;
pub mod undo;

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::payment::effect::{self, open_of, subject_of, with_shares};
use relance_core::payment::{
    Amount, Judgement, Note, PaymentId, PaymentRecord, PaymentState, SHARES_MAX, Share,
    StatementRecord, Verdict, judge,
};
use relance_core::subject::Object;
use relance_engine::arrival::Arrival;
use relance_store::Reader;
use relance_store::read::ReadError;
use relance_store::registry::DocumentState;

/// What one payment and what follows from it weigh in the engine's queue.
pub const PAYMENT_WEIGHT: usize = 2_048;

/// Tries of a piece that others overtake; each piece is half as long as the one before.
pub const OVERTAKEN_TRIES_MAX: u32 = 40;

/// One after another: statements and what people decide about payments.
#[derive(Debug, Default)]
pub struct Desk(pub tokio::sync::Mutex<()>);

/// Why something about a payment cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum PaymentProblem {
    /// There is none.
    #[error("no such payment; it may have been removed")]
    Unknown,
    /// It is put to documents already.
    #[error("the payment is put to documents already; undo that first")]
    Put,
    /// There is nothing to undo.
    #[error("nothing was done about the payment that could be undone")]
    NothingToUndo,
    /// Its statement was taken back.
    #[error("the statement of the payment was taken back; import it again to use its payments")]
    StatementUndone,
    /// There is no such statement.
    #[error("no such statement; it may have been imported into another workspace")]
    UnknownStatement,
    /// It is taken back already.
    #[error("the statement is taken back already; import it again to use its payments")]
    UndoneAlready,
    /// The bank took it back.
    #[error("the payment was taken back by the bank; nothing can be done about it")]
    TakenBack,
    /// It was money that went.
    #[error("the payment takes another one back; it cannot be put to documents")]
    NotIncoming,
    /// It pays documents of others too.
    #[error("the payment pays documents of others too; ask somebody who sees all of them")]
    Others,
    /// None, or too many documents.
    #[error("documents: name 1 to {SHARES_MAX}, each once")]
    Documents,
    /// A document that there is not.
    #[error(
        "documents[{0}]: no such document of this contact; open the list of documents and choose again"
    )]
    NoDocument(usize),
    /// An amount that is none.
    #[error("documents[{0}].amount: write more than nothing, such as 1234.56")]
    Amount(usize),
    /// More than came.
    #[error("documents: their amounts are {sum}, and {amount} came; lower one of them")]
    TooMuch {
        /// What was asked.
        sum: Amount,
        /// What came.
        amount: Amount,
    },
    /// The store failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What a document is now, with what is decided but not yet committed.
#[derive(Debug, Default)]
pub struct Books {
    changed: BTreeMap<(ContactId, String), Object>,
    /// What payments were put to documents, as far as it was asked.
    shares: BTreeMap<String, Amount>,
}

impl Books {
    /// A document and whether it is paid; `None` where there is none.
    pub fn document(
        &mut self,
        reader: &Reader,
        contact: ContactId,
        document: &str,
    ) -> Result<Option<(Object, DocumentState)>, ReadError> {
        let object = match self.changed.get(&(contact, document.to_owned())) {
            Some(changed) => Some(changed.clone()),
            None => {
                self.look_at(reader, &[document])?;
                let shares = self.shares.get(document).copied().unwrap_or_default();
                let object = reader.object(contact, &subject_of(document))?;
                object.map(|object| with_shares(object, shares))
            }
        };
        Ok(object.map(|object| {
            let state = DocumentState::of(&object);
            (object, state)
        }))
    }

    /// Asks at once what payments were put to some documents.
    fn look_at(&mut self, reader: &Reader, documents: &[&str]) -> Result<(), ReadError> {
        let known = &self.shares;
        let unknown = documents.iter().copied();
        let unknown: Vec<&str> = unknown.filter(|one| !known.contains_key(*one)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut found = reader.payment_shares(&unknown)?;
        for one in unknown {
            let shares = found.remove(one).unwrap_or_default();
            self.shares.insert(one.to_owned(), shares);
        }
        Ok(())
    }

    /// Notes what an event makes of a document.
    fn note(&mut self, share: &Share, mut object: Object, event: &Event) {
        for patch in &event.objects {
            object.merge(&patch.fields, event.at);
        }
        let key = (share.contact, share.document.to_string());
        self.changed.insert(key, object);
    }
}

/// What is to be told to the engine.
pub struct Plan<'a> {
    reader: &'a Reader,
    /// How often payments were changed when it began.
    seen: u64,
    books: Books,
    by: &'a str,
    now: Timestamp,
    arrivals: Vec<Arrival>,
}

impl<'a> Plan<'a> {
    /// Nothing yet. Whatever the plan goes by is to be read after this.
    pub fn begin(reader: &'a Reader, by: &'a str, now: Timestamp) -> Result<Self, ReadError> {
        Ok(Self {
            reader,
            seen: reader.payment_changes()?,
            books: Books::default(),
            by,
            now,
            arrivals: Vec::new(),
        })
    }

    /// All of it, in order: for one envelope.
    pub fn arrivals(mut self) -> Vec<Arrival> {
        if !self.arrivals.is_empty() {
            self.arrivals.insert(0, Arrival::Judged(self.seen));
        }
        self.arrivals
    }

    /// Says what a payment pays, as far as documents are known.
    fn judge(&mut self, record: &PaymentRecord, shares: &[Share]) -> Result<Judgement, ReadError> {
        let candidates = find::candidates(self.reader, &mut self.books, &record.payment, shares)?;
        Ok(judge(&record.payment, &candidates))
    }

    /// Puts a payment where it surely belongs; else says what may be meant.
    fn settle(&mut self, record: &mut PaymentRecord) -> Result<(), ReadError> {
        let judgement = self.judge(record, &[])?;
        let (state, shares) = match judgement.verdict {
            Verdict::Exact(share) => (PaymentState::Matched, vec![share]),
            Verdict::Part { share, left: _ } => (PaymentState::Part, vec![share]),
            Verdict::Over { share, rest: _ } => (PaymentState::Over, vec![share]),
            Verdict::Joint(shares) => (PaymentState::Joint, shares),
            Verdict::Unclear | Verdict::None => (PaymentState::Unclear, Vec::new()),
        };
        record.state = state;
        record.shares = shares;
        record.ranked = match state {
            PaymentState::Unclear => judgement.ranked,
            PaymentState::Matched
            | PaymentState::Part
            | PaymentState::Over
            | PaymentState::Joint
            | PaymentState::Ignored => Vec::new(),
        };
        self.pay(record)
    }

    /// Tells the documents of a payment that they are paid.
    fn pay(&mut self, record: &PaymentRecord) -> Result<(), ReadError> {
        for share in &record.shares {
            let known = self
                .books
                .document(self.reader, share.contact, &share.document)?;
            let Some((object, _)) = known else { continue };
            let event = effect::paid(record, share, &object, self.by, self.now);
            self.tell(share, object, event)?;
        }
        Ok(())
    }

    /// Tells the documents of a payment that it was taken back.
    fn withdraw(&mut self, record: &PaymentRecord, shares: &[Share]) -> Result<(), ReadError> {
        for share in shares {
            let known = self
                .books
                .document(self.reader, share.contact, &share.document)?;
            let Some((object, _)) = known else { continue };
            let event = effect::withdrawn(record, share, &object, self.by, self.now);
            self.tell(share, object, event)?;
        }
        Ok(())
    }

    fn tell(&mut self, share: &Share, object: Object, event: Event) -> Result<(), ReadError> {
        self.books.note(share, object, &event);
        let identities = self.reader.identities(share.contact)?;
        let event = std::sync::Arc::new(event);
        // By its names, so that colleagues who have the document hear of it too.
        self.arrivals.push(if identities.is_empty() {
            let input = Input::Event(event);
            Arrival::Input {
                contact: share.contact,
                input,
            }
        } else {
            Arrival::Event { identities, event }
        });
        Ok(())
    }

    fn keep(&mut self, record: PaymentRecord) {
        self.arrivals.push(Arrival::Payment(Box::new(record)));
    }

    fn keep_statement(&mut self, record: StatementRecord) {
        self.arrivals.push(Arrival::Statement(Box::new(record)));
    }

    /// The next revision of a payment.
    fn changed(&self, record: &PaymentRecord) -> PaymentRecord {
        PaymentRecord {
            revision: record.revision.saturating_add(1),
            changed_at: self.now,
            ..record.clone()
        }
    }
}

/// What a person puts a payment to.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose document.
    pub contact: ContactId,
    /// Which.
    pub document: String,
    /// How much; without it, what is open, as far as the money goes.
    pub amount: Option<Amount>,
}

/// A person says what a payment pays.
pub fn assign(
    plan: &mut Plan<'_>,
    record: &PaymentRecord,
    wanted: &[Wanted],
) -> Result<PaymentRecord, PaymentProblem> {
    may_change(record)?;
    if !record.shares.is_empty() {
        return Err(PaymentProblem::Put);
    }
    if !record.payment.amount.is_positive() {
        return Err(PaymentProblem::NotIncoming);
    }
    if wanted.is_empty() || wanted.len() > SHARES_MAX {
        return Err(PaymentProblem::Documents);
    }
    let mut left = record.payment.amount;
    let mut shares: Vec<Share> = Vec::with_capacity(wanted.len());
    let mut all_paid = true;
    for (at, one) in wanted.iter().enumerate() {
        let is_twice = shares
            .iter()
            .any(|share| *share.document == *one.document && share.contact == one.contact);
        if is_twice {
            return Err(PaymentProblem::Documents);
        }
        let known = plan
            .books
            .document(plan.reader, one.contact, &one.document)?;
        let (object, state) = known.ok_or(PaymentProblem::NoDocument(at))?;
        let open = open_of(&object, state == DocumentState::Paid);
        let amount = match one.amount {
            Some(amount) => amount,
            None => open.unwrap_or(left).min(left),
        };
        if !amount.is_positive() {
            return Err(PaymentProblem::Amount(at));
        }
        all_paid &= open.is_none_or(|open| amount >= open);
        left = left - amount;
        shares.push(Share {
            contact: one.contact,
            document: one.document.as_str().into(),
            number: find::number_of(&object),
            amount,
        });
    }
    if left.is_negative() {
        return Err(PaymentProblem::TooMuch {
            sum: record.payment.amount - left,
            amount: record.payment.amount,
        });
    }
    let mut changed = plan.changed(record);
    changed.state = match (shares.len(), all_paid, left.is_positive()) {
        (2.., _, _) => PaymentState::Joint,
        (_, false, _) => PaymentState::Part,
        (_, true, true) => PaymentState::Over,
        (_, true, false) => PaymentState::Matched,
    };
    changed.shares = shares;
    changed.ranked = Vec::new();
    changed.note = Some(Note::ByHand);
    plan.pay(&changed)?;
    plan.keep(changed.clone());
    Ok(changed)
}

fn may_change(record: &PaymentRecord) -> Result<(), PaymentProblem> {
    match record.note {
        Some(Note::Reversed | Note::Reversal) => Err(PaymentProblem::TakenBack),
        Some(Note::StatementUndone) => Err(PaymentProblem::StatementUndone),
        Some(
            Note::ByHand | Note::Dismissed | Note::Undone | Note::UnknownReversal | Note::Forgotten,
        )
        | None => Ok(()),
    }
}

/// A person says that nothing is to be done about a payment.
pub fn ignore(
    plan: &mut Plan<'_>,
    record: &PaymentRecord,
) -> Result<PaymentRecord, PaymentProblem> {
    may_change(record)?;
    if !record.shares.is_empty() {
        return Err(PaymentProblem::Put);
    }
    let mut changed = plan.changed(record);
    changed.state = PaymentState::Ignored;
    changed.note = Some(Note::Dismissed);
    changed.ranked = Vec::new();
    plan.keep(changed.clone());
    Ok(changed)
}

/// A person takes back what was done about a payment: it waits for a person again.
pub fn undo(plan: &mut Plan<'_>, record: &PaymentRecord) -> Result<PaymentRecord, PaymentProblem> {
    may_change(record)?;
    if record.state == PaymentState::Unclear {
        return Err(PaymentProblem::NothingToUndo);
    }
    let mut changed = plan.changed(record);
    changed.state = PaymentState::Unclear;
    changed.note = Some(Note::Undone);
    changed.shares = Vec::new();
    plan.withdraw(&changed, &record.shares)?;
    changed.ranked = plan.judge(&changed, &record.shares)?.ranked;
    plan.keep(changed.clone());
    Ok(changed)
}

/// One payment.
pub fn known(reader: &Reader, id: PaymentId) -> Result<PaymentRecord, PaymentProblem> {
    reader.payment(id)?.ok_or(PaymentProblem::Unknown)
}
