//! `/api/v1/statements` and `/api/v1/payments`: statements are taken in, and people decide about what is not clear.
//!
//! Whoever does not see everyone's sees payments of documents that are theirs, and those that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::access::Sees;
use relance_core::ids::ContactId;
use relance_core::payment::statement::FILE_NAME_CHARS_MAX;
use relance_core::payment::{Amount, PaymentId, PaymentRecord, PaymentState};
use relance_engine::arrival::{Arrival, Refusal};
use relance_store::Reader;
use relance_store::read::{PAYMENTS_COUNTED_MAX, PAYMENTS_WALKED_MAX, ReadError, SEARCH_CHARS_MAX};
use relance_store::registry::name_of;
use relance_wire::api::Page;
use relance_wire::api::payment::{
    CandidateShown, PaidDocument, PaymentCounts, PaymentRow, SaidAssigned, StatementRow,
    StatementTaken, StatementUndone,
};
use relance_wire::statement::{STATEMENT_BYTES_MAX, parse};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::payments::take::{PIECE_PAYMENTS_MAX, Taking, statement_id, told};
use crate::payments::undo::Undoing;
use crate::payments::{
    self, Desk, OVERTAKEN_TRIES_MAX, PAYMENT_WEIGHT, PaymentProblem, Plan, Wanted,
};
use crate::workspace::Workspace;

use super::api::read;
use super::lists::{bad_query, rows, said};
use super::{Problem, Shared};

/// Payments that a dry run tells.
const DRY_ITEMS_MAX: usize = 200;

/// The routes of this file; they want the [`Desk`].
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(statement, statements))
        .routes(routes!(statement_one))
        .routes(routes!(statement_undo))
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(one))
        .routes(routes!(assign))
        .routes(routes!(ignore))
        .routes(routes!(undo))
}

type Desks = Extension<Arc<Desk>>;

/// What is told of a statement that is sent.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The file's name.
    name: Option<String>,
    /// Reads everything and says what would become of it; changes nothing.
    dry_run: Option<bool>,
}

/// Which payments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// `matched`, `part`, `over`, `joint`, `unclear` or `ignored`; all without it.
    state: Option<String>,
    /// Those that came with this statement.
    statement: Option<String>,
    /// A part of the payer's name, account or text, of a number or an amount.
    search: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

impl From<PaymentProblem> for Problem {
    fn from(problem: PaymentProblem) -> Self {
        let (status, code) = match &problem {
            PaymentProblem::Unknown => return Self::not_found("payment"),
            PaymentProblem::UnknownStatement => return Self::not_found("statement"),
            PaymentProblem::UndoneAlready | PaymentProblem::StatementUndone => {
                (StatusCode::CONFLICT, "statement_undone")
            }
            PaymentProblem::Put => (StatusCode::CONFLICT, "payment_put"),
            PaymentProblem::NothingToUndo => (StatusCode::CONFLICT, "nothing_to_undo"),
            PaymentProblem::TakenBack => (StatusCode::CONFLICT, "payment_taken_back"),
            PaymentProblem::NotIncoming => (StatusCode::CONFLICT, "payment_not_incoming"),
            PaymentProblem::Others => (StatusCode::FORBIDDEN, "payment_of_others"),
            PaymentProblem::Documents => (StatusCode::UNPROCESSABLE_ENTITY, "bad_documents"),
            PaymentProblem::NoDocument(_) => (StatusCode::UNPROCESSABLE_ENTITY, "no_document"),
            PaymentProblem::Amount(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_amount"),
            PaymentProblem::TooMuch { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "too_much"),
            PaymentProblem::Read(_) => return failed(),
        };
        Self::new(status, code, problem)
    }
}

fn failed() -> Problem {
    let detail = "payments could not be read or written; the server's log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
}

/// Work on a thread that may wait for the database.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| failed())?
}

/// Takes a bank statement in: CAMT.053, .052, .054, MT940, 1C's format or CSV. What is known already changes nothing,
/// so statements may overlap and be sent again.
#[utoipa::path(post, path = "/api/v1/statements", operation_id = "statements_take", tag = "payments", params(Sent),
    request_body(content = String, content_type = "application/octet-stream", description = "the file, as it is"),
    responses((status = 200, description = "what became of it", body = StatementTaken), (status = 422, description = "it cannot be read; `line` says where")))]
pub async fn statement(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(desk): Desks,
    asked: Result<Query<Sent>, QueryRejection>,
    body: Body,
) -> Result<Json<StatementTaken>, Problem> {
    let Query(asked) = asked?;
    let bytes = axum::body::to_bytes(body, STATEMENT_BYTES_MAX)
        .await
        .map_err(|_| {
            let detail = format!(
                "the statement has more than {STATEMENT_BYTES_MAX} bytes, or ended early; export a shorter period"
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        })?;
    let name: String = said(&asked.name)
        .unwrap_or_default()
        .chars()
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    let is_dry = asked.dry_run == Some(true);
    let (id, own) = (statement_id(&bytes), name.clone());
    let parsed = aside(move || {
        parse(&bytes, &own).map_err(|problem| {
            let code = problem.why.code();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, &problem)
                .with("line", json!(problem.line))
        })
    });
    let parsed = parsed.await?;
    let by = caller.name();
    let mut taken = StatementTaken::of(&id, &parsed);
    let now = workspace.clock.now();
    let taking = Taking::new(id.clone(), &name, &by, now, parsed);
    let mut taking = Arc::new(taking);
    let mut items = Vec::new();
    let _one_after_another = desk.0.lock().await;
    let mut most = PIECE_PAYMENTS_MAX;
    let mut tries = 0;
    loop {
        let (own, by, this) = (workspace.clone(), by.clone(), taking.clone());
        let planned = aside(move || {
            let now = own.clock.now();
            this.plan(&own.reader, &by, now, most)
                .map_err(|problem| PaymentProblem::from(problem).into())
        });
        let Some(mut piece) = planned.await? else {
            break;
        };
        let arrivals = std::mem::take(&mut piece.arrivals);
        if is_dry {
            let room = DRY_ITEMS_MAX.saturating_sub(items.len());
            items.extend(piece.records.iter().take(room).cloned());
        } else if !arrivals.is_empty() {
            let weight = arrivals.len() * PAYMENT_WEIGHT;
            match workspace.submit(arrivals, weight).await {
                Err(Refusal::Overtaken) if tries < OVERTAKEN_TRIES_MAX => {
                    tries += 1;
                    most = (most / 2).max(1);
                    continue;
                }
                settled => settled?,
            }
        }
        (tries, most) = (0, PIECE_PAYMENTS_MAX);
        Arc::make_mut(&mut taking).done(&piece);
    }
    taken = told(taken, &taking.tally);
    if is_dry {
        let own = workspace.clone();
        let shown = aside(move || {
            shown(&own.reader, items).map_err(|problem| PaymentProblem::from(problem).into())
        });
        taken.items = Some(shown.await?);
        return Ok(Json(taken));
    }
    let more = json!({ "name": name, "format": taken.format, "entries": taken.entries, "new": taken.new,
                       "matched": taken.matched, "unclear": taken.unclear });
    let action = "statement.take";
    again(|| {
        let (own, by, this) = (workspace.clone(), by.clone(), taking.clone());
        let (caller, workspace, id, more) = (&caller, &workspace, &id, &more);
        async move {
            let closing = aside(move || {
                this.close(&own.reader, &by, own.clock.now())
                    .map_err(|problem| PaymentProblem::from(problem).into())
            });
            let closing = closing.await?;
            let weight = PAYMENT_WEIGHT * (closing.len() + 1);
            let told = workspace.submit_with(caller, closing, weight, action, id, more);
            Ok(told.await)
        }
    })
    .await?;
    Ok(Json(taken))
}

/// Does something anew as long as others overtake it.
async fn again<F: Future<Output = Result<Result<(), Refusal>, Problem>>>(
    mut work: impl FnMut() -> F,
) -> Result<(), Problem> {
    let mut tries = 0;
    loop {
        match work().await? {
            Err(Refusal::Overtaken) if tries < OVERTAKEN_TRIES_MAX => tries += 1,
            settled => return Ok(settled?),
        }
    }
}

/// Which statements.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhichStatements {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// Statements that were taken in, the last first: who, when, and what became of their payments.
#[utoipa::path(get, path = "/api/v1/statements", operation_id = "statements_list", tag = "payments", params(WhichStatements),
    responses((status = 200, description = "a page of statements", body = Page<StatementRow>)))]
pub async fn statements(
    State(workspace): Shared,
    asked: Result<Query<WhichStatements>, QueryRejection>,
) -> Result<Json<Page<StatementRow>>, Problem> {
    let Query(asked) = asked?;
    let page = read(&workspace, move |reader| {
        let page = reader.statements(said(&asked.cursor), rows(asked.limit))?;
        Ok(Page {
            items: page.items.into_iter().map(StatementRow::of).collect(),
            next: page.next,
        })
    });
    Ok(Json(page.await?))
}

/// One statement; its payments are `GET /api/v1/payments?statement=`.
#[utoipa::path(get, path = "/api/v1/statements/{id}", operation_id = "statements_one", tag = "payments",
    params(("id" = String, Path, description = "the statement")),
    responses((status = 200, body = StatementRow), (status = 404, description = "there is none")))]
pub async fn statement_one(
    State(workspace): Shared,
    Path(id): Path<String>,
) -> Result<Json<StatementRow>, Problem> {
    let found = read(&workspace, move |reader| reader.statement(&id)).await?;
    let found = found.ok_or(PaymentProblem::UnknownStatement)?;
    Ok(Json(StatementRow::of(found)))
}

/// Takes a statement back, with all that followed from it: documents that its payments were put to are open again,
/// also where a person put them there. Journeys that ended stay ended. The same file may be taken in again.
#[utoipa::path(post, path = "/api/v1/statements/{id}/undo", operation_id = "statements_undo", tag = "payments",
    params(("id" = String, Path, description = "the statement")),
    responses((status = 200, description = "the statement as it is now", body = StatementUndone), (status = 404, description = "there is none"), (status = 409, description = "it is taken back already")))]
pub async fn statement_undo(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(desk): Desks,
    Path(id): Path<String>,
) -> Result<Json<StatementUndone>, Problem> {
    let _one_after_another = desk.0.lock().await;
    let by = caller.name();
    let (own, which) = (workspace.clone(), id.clone());
    let begun = aside(move || Ok(Undoing::new(&own.reader, &which)?));
    let mut undoing = Arc::new(begun.await?);
    let mut most = PIECE_PAYMENTS_MAX;
    let mut tries = 0;
    loop {
        let (own, by, this) = (workspace.clone(), by.clone(), undoing.clone());
        let planned = aside(move || {
            let now = own.clock.now();
            this.plan(&own.reader, &by, now, most)
                .map_err(|problem| PaymentProblem::from(problem).into())
        });
        let Some(mut piece) = planned.await? else {
            break;
        };
        let arrivals = std::mem::take(&mut piece.arrivals);
        if !arrivals.is_empty() {
            let weight = arrivals.len() * PAYMENT_WEIGHT;
            match workspace.submit(arrivals, weight).await {
                Err(Refusal::Overtaken) if tries < OVERTAKEN_TRIES_MAX => {
                    tries += 1;
                    most = (most / 2).max(1);
                    continue;
                }
                settled => settled?,
            }
        }
        (tries, most) = (0, PIECE_PAYMENTS_MAX);
        Arc::make_mut(&mut undoing).done(piece);
    }
    let payments = undoing.payments;
    let more = json!({ "payments": payments });
    let action = "statement.undo";
    workspace
        .submit_with(&caller, Vec::new(), PAYMENT_WEIGHT, action, &id, &more)
        .await?;
    let found = read(&workspace, move |reader| reader.statement(&id)).await?;
    let found = found.ok_or(PaymentProblem::UnknownStatement)?;
    Ok(Json(StatementUndone {
        statement: StatementRow::of(found),
        payments,
    }))
}

/// The contacts that a payment has to do with.
fn contacts_of(record: &PaymentRecord) -> impl Iterator<Item = ContactId> {
    let shares = record.shares.iter().map(|share| share.contact);
    shares.chain(record.ranked.iter().map(|one| one.contact))
}

/// Payments as a page shows them.
fn shown(reader: &Reader, records: Vec<PaymentRecord>) -> Result<Vec<PaymentRow>, ReadError> {
    let ids: BTreeSet<ContactId> = records.iter().flat_map(contacts_of).collect();
    let names: BTreeMap<ContactId, String> = reader
        .contacts_of(&ids)?
        .into_iter()
        .filter(|(_, contact)| !contact.erased)
        .map(|(id, contact)| (id, name_of(&contact)))
        .collect();
    let statements: BTreeSet<&str> = records.iter().map(|one| one.statement.as_str()).collect();
    let files = reader.statements_of(&statements)?;
    let row = |record: &PaymentRecord| {
        let shares = record.shares.iter();
        let documents =
            shares.map(|share| PaidDocument::of(share, names.get(&share.contact).cloned()));
        // Whoever was forgotten meanwhile is nobody's candidate.
        let ranked = record
            .ranked
            .iter()
            .filter(|one| names.contains_key(&one.contact));
        let candidates =
            ranked.map(|one| CandidateShown::of(one, names.get(&one.contact).cloned()));
        let file = files.get(&record.statement).map(|one| one.name.clone());
        PaymentRow::of(record, documents.collect(), candidates.collect(), file)
    };
    Ok(records.iter().map(row).collect())
}

/// Whether somebody sees a payment: a document of theirs is paid by it, or may be.
fn is_seen(
    reader: &Reader,
    sees: &Sees,
    owners: &mut BTreeMap<ContactId, Option<String>>,
    record: &PaymentRecord,
) -> Result<bool, ReadError> {
    if !sees.is_limited() {
        return Ok(true);
    }
    for contact in contacts_of(record) {
        let owner = match owners.get(&contact) {
            Some(known) => known.clone(),
            None => {
                let owner = reader.owner_of(contact)?;
                owners.insert(contact, owner.clone());
                owner
            }
        };
        if sees.allows(owner.as_deref()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A row without what its reader does not see.
fn narrowed(
    reader: &Reader,
    sees: &Sees,
    owners: &mut BTreeMap<ContactId, Option<String>>,
    mut record: PaymentRecord,
) -> Result<Option<PaymentRecord>, ReadError> {
    if !is_seen(reader, sees, owners, &record)? {
        return Ok(None);
    }
    if sees.is_limited() {
        let own =
            |contact: &ContactId| sees.allows(owners.get(contact).cloned().flatten().as_deref());
        // Those that were not looked at are asked now.
        let missing: Vec<ContactId> = contacts_of(&record)
            .filter(|contact| !owners.contains_key(contact))
            .collect();
        let mut all = BTreeMap::new();
        for contact in missing {
            all.insert(contact, reader.owner_of(contact)?);
        }
        let own = |contact: &ContactId| match all.get(contact) {
            Some(owner) => sees.allows(owner.as_deref()),
            None => own(contact),
        };
        record.ranked.retain(|one| own(&one.contact));
        record.shares.retain(|one| own(&one.contact));
    }
    Ok(Some(record))
}

fn state_of(text: Option<&str>) -> Result<Option<PaymentState>, Problem> {
    text.map(|word| {
        let known = PaymentState::ALL.map(PaymentState::word).join(", ");
        PaymentState::from_word(word)
            .ok_or_else(|| bad_query(format!("state {word:?} is not known; use one of {known}")))
    })
    .transpose()
}

/// Payments, the last booked first.
#[utoipa::path(get, path = "/api/v1/payments", operation_id = "payments_list", tag = "payments", params(Which),
    responses((status = 200, description = "a page of payments", body = Page<PaymentRow>)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Page<PaymentRow>>, Problem> {
    let Query(asked) = asked?;
    let state = state_of(said(&asked.state))?;
    if said(&asked.search).is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        let detail = format!("search: write at most {SEARCH_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_search", detail));
    }
    let sees = caller.sees.clone();
    let page = read(&workspace, move |reader| {
        let search = said(&asked.search).filter(|text| !text.trim().is_empty());
        let (of, cursor) = (said(&asked.statement), said(&asked.cursor));
        let page = reader.payments(state, of, search, cursor, rows(asked.limit))?;
        let mut owners = BTreeMap::new();
        let mut records = Vec::with_capacity(page.items.len());
        for record in page.items {
            records.extend(narrowed(reader, &sees, &mut owners, record)?);
        }
        Ok(Page {
            items: shown(reader, records)?,
            next: page.next,
        })
    });
    Ok(Json(page.await?))
}

/// How many payments stand where.
#[utoipa::path(get, path = "/api/v1/payments/counts", operation_id = "payments_counts", tag = "payments",
    responses((status = 200, body = PaymentCounts)))]
pub async fn counts(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<PaymentCounts>, Problem> {
    let sees = caller.sees.clone();
    let counts = read(&workspace, move |reader| {
        if !sees.is_limited() {
            let counts = reader.payment_counts()?;
            let is_exact = counts.values().all(|count| *count < PAYMENTS_COUNTED_MAX);
            return Ok((counts, is_exact));
        }
        // Of some owners no sum is kept: the newest are looked at.
        let mut counts: BTreeMap<PaymentState, u64> = BTreeMap::new();
        let mut owners = BTreeMap::new();
        let mut cursor = None;
        let mut walked = 0;
        loop {
            let page = reader.payments(None, None, None, cursor.as_deref(), 500)?;
            walked += page.items.len();
            for record in &page.items {
                if is_seen(reader, &sees, &mut owners, record)? {
                    *counts.entry(record.state).or_default() += 1;
                }
            }
            cursor = page.next;
            if cursor.is_none() || walked >= PAYMENTS_WALKED_MAX {
                return Ok((counts, cursor.is_none()));
            }
        }
    });
    let (counts, is_exact) = counts.await?;
    let of = |state| counts.get(&state).copied().unwrap_or_default();
    Ok(Json(PaymentCounts {
        matched: of(PaymentState::Matched),
        part: of(PaymentState::Part),
        over: of(PaymentState::Over),
        joint: of(PaymentState::Joint),
        unclear: of(PaymentState::Unclear),
        ignored: of(PaymentState::Ignored),
        exact: is_exact,
    }))
}

fn payment_id(text: &str) -> Result<PaymentId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}

/// The payment of a path, if the caller sees it.
fn seen(reader: &Reader, sees: &Sees, id: PaymentId) -> Result<PaymentRecord, PaymentProblem> {
    let record = payments::known(reader, id)?;
    if is_seen(reader, sees, &mut BTreeMap::new(), &record)? {
        Ok(record)
    } else {
        Err(PaymentProblem::Unknown)
    }
}

fn row_of(
    reader: &Reader,
    sees: &Sees,
    record: PaymentRecord,
) -> Result<Json<PaymentRow>, PaymentProblem> {
    let record = narrowed(reader, sees, &mut BTreeMap::new(), record)?;
    let rows = shown(reader, record.into_iter().collect())?;
    rows.into_iter()
        .next()
        .map(Json)
        .ok_or(PaymentProblem::Unknown)
}

/// One payment.
#[utoipa::path(get, path = "/api/v1/payments/{id}", operation_id = "payments_one", tag = "payments",
    params(("id" = String, Path, description = "the payment")),
    responses((status = 200, body = PaymentRow), (status = 404, description = "there is none, or none of yours")))]
pub async fn one(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<PaymentRow>, Problem> {
    let id = payment_id(&id)?;
    aside(move || {
        let record = seen(&workspace.reader, &caller.sees, id)?;
        Ok(row_of(&workspace.reader, &caller.sees, record)?)
    })
    .await
}

/// What a person decides about a payment.
#[derive(Clone)]
enum Said {
    Assign(Vec<Wanted>),
    Ignore,
    Undo,
}

/// What becomes of a payment as a person decides, and what to tell the engine.
fn decided(
    reader: &Reader,
    sees: &Sees,
    id: PaymentId,
    said: &Said,
    by: &str,
    now: jiff::Timestamp,
) -> Result<(PaymentRecord, Vec<Arrival>), Problem> {
    let mut plan = Plan::begin(reader, by, now).map_err(PaymentProblem::from)?;
    let record = seen(reader, sees, id)?;
    for share in record.shares.iter().filter(|_| sees.is_limited()) {
        let owner = reader
            .owner_of(share.contact)
            .map_err(PaymentProblem::from)?;
        if !sees.allows(owner.as_deref()) {
            return Err(PaymentProblem::Others.into());
        }
    }
    let changed = match said {
        Said::Assign(wanted) => {
            for (at, one) in wanted.iter().enumerate() {
                let owner = reader.owner_of(one.contact).map_err(PaymentProblem::from)?;
                if sees.is_limited() && !sees.allows(owner.as_deref()) {
                    return Err(PaymentProblem::NoDocument(at).into());
                }
            }
            payments::assign(&mut plan, &record, wanted)?
        }
        Said::Ignore => payments::ignore(&mut plan, &record)?,
        Said::Undo => payments::undo(&mut plan, &record)?,
    };
    Ok((changed, plan.arrivals()))
}

async fn decide(
    workspace: Arc<Workspace>,
    caller: Caller,
    desk: Arc<Desk>,
    id: PaymentId,
    said: Said,
) -> Result<Json<PaymentRow>, Problem> {
    let _one_after_another = desk.0.lock().await;
    let action = match &said {
        Said::Assign(_) => "payment.assign",
        Said::Ignore => "payment.ignore",
        Said::Undo => "payment.undo",
    };
    let object = id.to_string();
    let mut tries = 0;
    let changed = loop {
        let (own, by, sees) = (workspace.clone(), caller.name(), caller.sees.clone());
        let (now, said) = (workspace.clock.now(), said.clone());
        let (changed, arrivals) =
            aside(move || decided(&own.reader, &sees, id, &said, &by, now)).await?;
        let weight = arrivals.len() * PAYMENT_WEIGHT;
        let told = workspace.submit_as(&caller, arrivals, weight, action, &object);
        match told.await {
            Err(Refusal::Overtaken) if tries < OVERTAKEN_TRIES_MAX => tries += 1,
            settled => {
                settled?;
                break changed;
            }
        }
    };
    aside(move || Ok(row_of(&workspace.reader, &caller.sees, changed)?)).await
}

/// A person says what a payment pays.
#[utoipa::path(post, path = "/api/v1/payments/{id}/assign", operation_id = "payments_assign", tag = "payments",
    params(("id" = String, Path, description = "the payment")), request_body = SaidAssigned,
    responses((status = 200, description = "the payment as it is now", body = PaymentRow), (status = 409, description = "it is put to documents already"), (status = 422, description = "the documents do not fit")))]
pub async fn assign(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(desk): Desks,
    Path(id): Path<String>,
    asked: Result<Json<SaidAssigned>, JsonRejection>,
) -> Result<Json<PaymentRow>, Problem> {
    let Json(asked) = asked?;
    let id = payment_id(&id)?;
    let mut wanted = Vec::with_capacity(asked.documents.len().min(64));
    for (at, one) in asked.documents.into_iter().enumerate() {
        let amount = one.amount.as_deref().map(|text| {
            Amount::parse(text).ok_or_else(|| Problem::from(PaymentProblem::Amount(at)))
        });
        wanted.push(Wanted {
            contact: super::lists::contact_id(&one.contact)?,
            document: one.document,
            amount: amount.transpose()?,
        });
    }
    decide(workspace, caller, desk, id, Said::Assign(wanted)).await
}

/// A person says that nothing is to be done about a payment.
#[utoipa::path(post, path = "/api/v1/payments/{id}/ignore", operation_id = "payments_ignore", tag = "payments",
    params(("id" = String, Path, description = "the payment")),
    responses((status = 200, description = "the payment as it is now", body = PaymentRow), (status = 409, description = "it is put to documents")))]
pub async fn ignore(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(desk): Desks,
    Path(id): Path<String>,
) -> Result<Json<PaymentRow>, Problem> {
    let id = payment_id(&id)?;
    decide(workspace, caller, desk, id, Said::Ignore).await
}

/// A person takes back what was done about a payment; its documents are open again. Journeys that ended stay ended.
#[utoipa::path(post, path = "/api/v1/payments/{id}/undo", operation_id = "payments_undo", tag = "payments",
    params(("id" = String, Path, description = "the payment")),
    responses((status = 200, description = "the payment as it is now", body = PaymentRow), (status = 409, description = "there is nothing to undo")))]
pub async fn undo(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(desk): Desks,
    Path(id): Path<String>,
) -> Result<Json<PaymentRow>, Problem> {
    let id = payment_id(&id)?;
    decide(workspace, caller, desk, id, Said::Undo).await
}
