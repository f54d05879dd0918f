//! `/api/v1/documents` and `/api/v1/contacts/{id}/documents/{document}`: the registry, what it amounts to, and one
//! document with all that has to do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::civil::Date;
use relance_core::contact::Contact;
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, ObjectKind, SubjectRef};
use relance_core::subject::{Object, ObjectPatch, subject_of as of_event};
use relance_core::value::{Fields, Value};
use relance_engine::arrival::Arrival;
use relance_store::read::{
    DocumentFilter, DocumentSort, DocumentTotals as Sums, ListedDocument, PAGE_ROWS_MAX, ReadError,
    Reader, SEARCH_CHARS_MAX,
};
use relance_store::registry::{DocumentState, decimal, name_of};
use relance_wire::api as shape;
use relance_wire::api::registry::{
    CurrencyTotal, DocumentDetail, DocumentPage, DocumentRow, DocumentTotals, ReplyShown, SaidPaid,
};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::api::read;
use super::lists::{
    bad_query, contact_id, contact_row, date, is_up, language, moment, owners, rows, said,
    task_row, today, told, world,
};
use super::next::Doings;
use super::{Problem, Shared};

/// Lines of the ledger that are told of a document.
const LINES_MAX: usize = 200;
/// Runs of a document whose lines are told.
const RUNS_MAX: usize = 20;
/// Last events of a contact among which answers are looked for.
const EVENTS_LOOKED_AT: usize = 200;
/// Characters of an answer that are shown.
const REPLY_CHARS_SHOWN: usize = 2_000;
/// What one word about a document weighs in the engine's queue.
const WEIGHT: usize = 512;
/// The state that is no state but a filter: what is expected is late.
const OVERDUE: &str = "overdue";
/// Kinds of documents; another word is a kind of objects.
const KINDS: [&str; 3] = ["invoice", "offer", "other"];

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(totals))
        .routes(routes!(one))
        .routes(routes!(paid))
}

/// Which documents.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// `invoice`, `offer` or `other`; another word lists objects of that kind (`deal`, `order`, ...), the last
    /// changed first.
    kind: Option<String>,
    /// One or several of `open`, `answered`, `paid`, `won`, `lost`, `overdue`, with commas between.
    state: Option<String>,
    /// An address, `me`, or `none`.
    owner: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// The beginning of a number, or of words of the client's name.
    search: Option<String>,
    /// Only those that were due before today, and of which something is still expected.
    overdue: Option<bool>,
    /// Issued on this day or later.
    from: Option<String>,
    /// Issued on this day or before.
    to: Option<String>,
    /// `issued`, `due`, `amount`, `updated` (the default), `number`, `client`, `owner`, or `next`: when something is next
    /// about it.
    sort: Option<String>,
    /// `asc` or `desc` (the default).
    order: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// In which language sentences are told.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InLanguage {
    /// `en`, `ru` or `ja`.
    language: Option<String>,
}

impl Which {
    /// A filter from its texts: kind, state, owner, currency, search, from, to.
    pub(super) fn of(texts: [Option<String>; 7], overdue: Option<bool>) -> Self {
        let [kind, state, owner, currency, search, from, to] = texts;
        Self {
            kind,
            state,
            owner,
            currency,
            search,
            overdue,
            from,
            to,
            ..Self::default()
        }
    }

    /// Whether anything is asked for.
    pub(super) fn is_said(&self) -> bool {
        let texts = [
            &self.kind,
            &self.state,
            &self.owner,
            &self.currency,
            &self.search,
            &self.from,
            &self.to,
        ];
        self.overdue.is_some() || texts.into_iter().any(|text| said(text).is_some())
    }

    /// Whether objects of another kind are asked for.
    fn other_kind(&self) -> Option<ObjectKind> {
        let kind = said(&self.kind)?;
        (kind != "document" && !KINDS.contains(&kind)).then(|| ObjectKind::from(kind))
    }

    pub(super) fn filter(&self, caller: &Caller, today: Date) -> Result<DocumentFilter, Problem> {
        let mut states = BTreeSet::new();
        let mut is_overdue = self.overdue == Some(true);
        for word in said(&self.state)
            .into_iter()
            .flat_map(|text| text.split(','))
        {
            match DocumentState::from_word(word.trim()) {
                Some(state) => {
                    states.insert(state);
                }
                None if word.trim() == OVERDUE => is_overdue = true,
                None => {
                    let known = DocumentState::ALL.map(DocumentState::word).join(", ");
                    let detail =
                        format!("state {word:?} is not known; use one of {known}, {OVERDUE}");
                    return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_state", detail));
                }
            }
        }
        if is_overdue {
            let waits = |state: &DocumentState| DocumentState::WAITING.contains(state);
            states.retain(waits);
            if states.is_empty() {
                states.extend(DocumentState::WAITING);
            }
        }
        let search = said(&self.search).map(str::trim);
        if search.is_some_and(|text| text.is_empty() || text.chars().count() > SEARCH_CHARS_MAX) {
            let detail =
                format!("search: write 1 to {SEARCH_CHARS_MAX} characters, or leave it out");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_search", detail));
        }
        let kind = said(&self.kind).filter(|kind| KINDS.contains(kind));
        Ok(DocumentFilter {
            states,
            owners: owners(caller, said(&self.owner))?,
            kind: kind.map(str::to_owned),
            currency: said(&self.currency).map(|text| text.trim().to_ascii_uppercase()),
            issued_from: date("from", said(&self.from))?,
            issued_until: date("to", said(&self.to))?,
            due_before: is_overdue.then_some(today),
            search: search.map(str::to_owned),
        })
    }

    pub(super) fn sort(&self) -> Result<(DocumentSort, bool), Problem> {
        let sort = match said(&self.sort) {
            None | Some("updated") => DocumentSort::Updated,
            Some("issued") => DocumentSort::Issued,
            Some("due") => DocumentSort::Due,
            Some("amount") => DocumentSort::Amount,
            Some("number") => DocumentSort::Number,
            Some("client") => DocumentSort::Client,
            Some("owner") => DocumentSort::Owner,
            Some("next") => DocumentSort::Next,
            Some(other) => {
                return Err(bad_query(format!(
                    "sort {other:?} is not known; use issued, due, amount, updated, number, client, owner or next"
                )));
            }
        };
        Ok((sort, is_up(said(&self.order), false)?))
    }
}

/// A document as a list shows it.
pub(super) fn row(
    listed: &ListedDocument,
    object: &Object,
    contact: Option<&Contact>,
    today: Date,
) -> DocumentRow {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    DocumentRow {
        object: shape::Object::of(listed.contact, object),
        state: Some(listed.state.word().to_owned()),
        document_kind: some(&listed.kind),
        amount: listed.amount.map(|amount| decimal(i128::from(amount))),
        currency: some(&listed.currency),
        issued: listed.issued().map(|date| date.to_string()),
        due: listed.due().map(|date| date.to_string()),
        overdue: Some(listed.is_overdue(today)),
        owner: some(&listed.owner),
        client: contact.map(name_of).filter(|name| !name.is_empty()),
        next: None,
        next_reminder_at: listed.next_at().map(moment),
        reminders: Some(listed.reminders),
    }
}

/// An object of another kind.
fn plain_row(contact: ContactId, object: &Object) -> DocumentRow {
    DocumentRow {
        object: shape::Object::of(contact, object),
        state: None,
        document_kind: None,
        amount: None,
        currency: None,
        issued: None,
        due: None,
        overdue: None,
        owner: None,
        client: None,
        next: None,
        next_reminder_at: None,
        reminders: None,
    }
}

/// Documents, sorted and filtered; or objects of another `kind`.
#[utoipa::path(get, path = "/api/v1/documents", operation_id = "documents_list", tag = "documents", params(Which),
    responses((status = 200, description = "a page of documents", body = DocumentPage)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<DocumentPage>, Problem> {
    let Query(asked) = asked?;
    if let Some(kind) = asked.other_kind() {
        return objects(&workspace, &caller, kind, &asked).await;
    }
    let today = today(&workspace);
    let filter = asked.filter(&caller, today)?;
    let (sort, is_up) = asked.sort()?;
    let page = read(&workspace, move |reader| {
        let cursor = said(&asked.cursor);
        let page = reader.documents(&filter, sort, is_up, cursor, rows(asked.limit))?;
        let ids = page
            .items
            .iter()
            .map(|(listed, _)| listed.contact)
            .collect();
        let contacts = reader.contacts_of(&ids)?;
        let mut doings: BTreeMap<ContactId, Doings> = BTreeMap::new();
        let mut items = Vec::with_capacity(page.items.len());
        for (listed, object) in &page.items {
            let mut one = row(listed, object, contacts.get(&listed.contact), today);
            if DocumentState::WAITING.contains(&listed.state) {
                let known = match doings.entry(listed.contact) {
                    std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::btree_map::Entry::Vacant(room) => {
                        room.insert(Doings::of(reader, listed.contact)?)
                    }
                };
                one.next = known.next(&object.subject);
            }
            items.push(one);
        }
        Ok(DocumentPage {
            items,
            next: page.next,
            cut: page.is_cut,
        })
    })
    .await?;
    Ok(Json(page))
}

/// Objects of a kind, the last changed first; of whoever does not see everyone's, those of contacts that they see.
async fn objects(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    kind: ObjectKind,
    asked: &Which,
) -> Result<Json<DocumentPage>, Problem> {
    let (cursor, limit) = (asked.cursor.clone(), rows(asked.limit));
    let sees = caller.sees.clone();
    let page = read(workspace, move |reader| {
        let page = reader.objects(&kind, said(&cursor), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for one in &page.items {
            if !sees.is_limited() || sees.allows(reader.owner_of(one.contact)?.as_deref()) {
                items.push(plain_row(one.contact, &one.object));
            }
        }
        Ok(DocumentPage {
            items,
            next: page.next,
            cut: false,
        })
    })
    .await?;
    Ok(Json(page))
}

/// Sums by currency.
pub(super) fn by_currency(sums: &Sums) -> Vec<CurrencyTotal> {
    let mut all: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
    for sum in &sums.sums {
        let of = all.entry(&sum.currency).or_default();
        of.0 += sum.count;
        of.1 += sum.amount;
    }
    let mut items: Vec<CurrencyTotal> = all
        .into_iter()
        .map(|(currency, (count, amount))| CurrencyTotal {
            currency: Some(currency.to_owned()).filter(|currency| !currency.is_empty()),
            count,
            amount: decimal(amount),
        })
        .collect();
    items.sort_by_key(|one| std::cmp::Reverse(one.count));
    items
}

/// What the documents of a list amount to, by currency.
#[utoipa::path(get, path = "/api/v1/documents/totals", operation_id = "documents_totals", tag = "documents", params(Which),
    responses((status = 200, description = "sums under the same filters", body = DocumentTotals)))]
pub async fn totals(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<DocumentTotals>, Problem> {
    let Query(asked) = asked?;
    if asked.other_kind().is_some() {
        let known = KINDS.join(", ");
        return Err(bad_query(format!(
            "kind: sums are kept of documents alone; use one of {known}"
        )));
    }
    let filter = asked.filter(&caller, today(&workspace))?;
    let sums = read(&workspace, move |reader| reader.document_totals(&filter)).await?;
    let mut states = BTreeMap::new();
    for sum in &sums.sums {
        *states.entry(sum.state.word().to_owned()).or_default() += sum.count;
    }
    Ok(Json(DocumentTotals {
        items: by_currency(&sums),
        count: sums.sums.iter().map(|sum| sum.count).sum(),
        states,
        exact: sums.is_exact,
    }))
}

fn subject_of(document: &str) -> SubjectRef {
    SubjectRef {
        kind: ObjectKind::from("document"),
        id: document.into(),
    }
}

/// One document, with messages, ledger, tasks, and what happens next.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/documents/{document}", operation_id = "documents_one", tag = "documents",
    params(("id" = String, Path, description = "the contact"), ("document" = String, Path, description = "the document"), InLanguage),
    responses((status = 200, body = DocumentDetail), (status = 404, description = "there is none, or not of this contact")))]
pub async fn one(
    State(workspace): Shared,
    Path((id, document)): Path<(String, String)>,
    asked: Result<Query<InLanguage>, QueryRejection>,
) -> Result<Json<DocumentDetail>, Problem> {
    let Query(asked) = asked?;
    let language = language(said(&asked.language))?;
    let id = contact_id(&id)?;
    let today = today(&workspace);
    let own = workspace.clone();
    let detail = tokio::task::spawn_blocking(move || {
        let world = world(&own)?;
        let reader = &own.reader;
        let subject = subject_of(&document);
        let listed = reader.listed_document(id, &document)?;
        let object = reader.object(id, &subject)?;
        let whose = reader.list_contacts(vec![id])?.pop();
        let (Some(listed), Some(object), Some(whose)) = (listed, object, whose) else {
            return Ok(None);
        };
        let doings = Doings::of(reader, id)?;
        let next = doings.next(&subject);
        let mut document = row(&listed, &object, Some(&whose.contact), today);
        document.next = next.clone();
        let entries = lines(reader, &doings, &subject)?;
        let ledger = entries.iter();
        let ledger = ledger.map(|entry| told(&world, &whose.contact, language, entry));
        let mut messages: Vec<_> = doings
            .messages
            .iter()
            .filter(|one| one.subjects().any(|own| *own == subject))
            .collect();
        messages.sort_by_key(|one| std::cmp::Reverse(one.created_at));
        let tasks = doings.tasks.iter();
        let mut tasks: Vec<_> = tasks
            .filter(|one| one.task.subject.as_ref() == Some(&subject))
            .collect();
        tasks.sort_by_key(|one| std::cmp::Reverse(one.task.created_at));
        Ok::<_, Problem>(Some(DocumentDetail {
            document,
            contact: contact_row(&whose),
            messages: messages.into_iter().map(shape::Touchpoint::of).collect(),
            replies: replies(reader, id, &subject)?,
            ledger: ledger.collect(),
            tasks: tasks
                .into_iter()
                .map(|one| task_row(one, Some(&whose.contact)))
                .collect(),
            next,
        }))
    });
    let detail = detail.await.map_err(|_| failed())??;
    detail
        .map(Json)
        .ok_or_else(|| Problem::not_found("document"))
}

/// What the client answered about a document, among the last events.
fn replies(
    reader: &Reader,
    contact: ContactId,
    subject: &SubjectRef,
) -> Result<Vec<ReplyShown>, ReadError> {
    let events = reader.events(contact, None, EVENTS_LOOKED_AT)?.items;
    let about = events
        .iter()
        .map(|one| &one.event)
        .filter(|event| of_event(event, &subject.kind).as_ref() == Some(subject));
    let shown = about.filter_map(|event| {
        let automatic = match event.name.as_str() {
            names::REPLIED => false,
            names::AUTO_REPLIED => true,
            _other_event => return None,
        };
        let text = |name: &str| event.properties.get(name).and_then(Value::as_str);
        let date = if automatic { "returns" } else { "intent_date" };
        Some(ReplyShown {
            at: moment(event.at),
            from: text("from").map(str::to_owned),
            automatic,
            text: text("text").map(|text| text.chars().take(REPLY_CHARS_SHOWN).collect()),
            intent: text("intent").map(str::to_owned),
            date: text(date).map(str::to_owned),
        })
    });
    Ok(shown.collect())
}

fn failed() -> Problem {
    let detail = "the page could not be made; the server's log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
}

/// Lines of the runs about a subject, the newest first.
fn lines(
    reader: &Reader,
    doings: &Doings,
    subject: &SubjectRef,
) -> Result<Vec<relance_core::ledger::LedgerEntry>, ReadError> {
    let runs = doings.runs.iter();
    let runs = runs.filter(|run| run.subject.as_ref() == Some(subject));
    let mut lines = Vec::new();
    for run in runs.take(RUNS_MAX) {
        let page = reader.ledger_of_enrollment(run.id, None, LINES_MAX.min(PAGE_ROWS_MAX))?;
        lines.extend(page.items);
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    lines.truncate(LINES_MAX);
    Ok(lines.into_iter().map(|line| line.entry).collect())
}

/// A person says that a document is paid, or that it is not after all. It goes the way of every event: journeys that
/// wait for the payment end. What ended stays ended when it is taken back.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/documents/{document}/paid", operation_id = "documents_paid", tag = "documents",
    params(("id" = String, Path, description = "the contact"), ("document" = String, Path, description = "the document")),
    request_body = SaidPaid,
    responses((status = 200, description = "the document as it is now", body = DocumentRow), (status = 404, description = "there is none, or not of this contact")))]
pub async fn paid(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, document)): Path<(String, String)>,
    asked: Result<Json<SaidPaid>, JsonRejection>,
) -> Result<Json<DocumentRow>, Problem> {
    let Json(asked) = asked?;
    let id = contact_id(&id)?;
    let on = date("at", said(&asked.at))?;
    let subject = subject_of(&document);
    let wanted = subject.clone();
    let known = read(&workspace, move |reader| {
        let known = reader.object(id, &wanted)?;
        Ok(known.zip(Some(reader.identities(id)?)))
    });
    let Some((known, identities)) = known.await? else {
        return Err(Problem::not_found("document"));
    };
    let now = workspace.clock.now();
    let name = if asked.paid {
        names::DOCUMENT_PAID
    } else {
        names::DOCUMENT_UNPAID
    };
    let mut fields = Fields::new();
    if asked.paid {
        let at = on.map_or_else(|| moment(now), |date| date.to_string());
        fields.insert("status".to_owned(), json!("paid"));
        fields.insert("paid_at".to_owned(), json!(at));
        fields.insert("paid_told_by".to_owned(), json!(caller.name()));
    } else {
        fields.insert("status".to_owned(), json!("sent"));
        fields.insert("paid_at".to_owned(), json!(null));
        fields.insert("paid_told_by".to_owned(), json!(null));
    }
    let mut event = Event::track(name, now);
    event
        .properties
        .insert("by".to_owned(), json!(caller.name()));
    for field in ["number", "amount", "currency", "kind"] {
        if let Some(value) = known.fields.get(field) {
            event.properties.insert(field.to_owned(), value.clone());
        }
    }
    event.objects = vec![ObjectPatch {
        subject: subject.clone(),
        fields,
    }];
    event.subject = Some(subject.clone());
    event.message_id = Some(format!("told:{id}:{document}:{name}:{now}").into());
    let event = Arc::new(event);
    // By its names, so that colleagues who have the document hear of it too.
    let arrival = if identities.is_empty() {
        let input = relance_core::decide::Input::Event(event);
        Arrival::Input { contact: id, input }
    } else {
        Arrival::Event { identities, event }
    };
    let action = if asked.paid {
        "document.paid"
    } else {
        "document.unpaid"
    };
    workspace
        .submit_as(&caller, vec![arrival], WEIGHT, action, &document)
        .await?;
    let today = today(&workspace);
    let now = read(&workspace, move |reader| {
        let listed = reader.listed_document(id, &document)?;
        let object = reader.object(id, &subject)?;
        let contact = reader.contact(id)?;
        let both = listed.zip(object);
        Ok(both.map(|(listed, object)| row(&listed, &object, contact.as_ref(), today)))
    });
    now.await?
        .map(Json)
        .ok_or_else(|| Problem::not_found("document"))
}
