//! `/api/v1/contacts`: the list, one contact, its objects, and its life as one list.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::ids::{ContactId, ObjectKind, SegmentId};
use relance_core::touchpoint::Touchpoint;
use relance_store::read::{
    ContactFilter, ContactSort, ListedTask, Page, ReadError, Reader, SEARCH_CHARS_MAX,
};
use relance_wire::api::registry::{
    ContactPage, ContactRow, ContactShown, IdentityShown, TimelineItem,
};
use relance_wire::api::{self as shape, ConsentLine};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::api::read;
use super::lists::{
    bad_query, contact_id, contact_row, is_up, language, moment, owners, rows, said, task_row,
    told, world,
};
use super::{Problem, Shared, identity};

/// Messages and tasks of a contact that its life is told with; of more the first that lie together.
const TOLD_MAX: usize = 2_000;
/// What a life consists of.
const KINDS: [&str; 5] = ["event", "message", "ledger", "task", "consent"];
/// A source of which everything was told.
const OVER: &str = "-";

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(ledger))
        .routes(routes!(events))
        .routes(routes!(touchpoints))
        .routes(routes!(objects))
        .routes(routes!(timeline))
}

/// Which contacts.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The beginning of any identity, or of words of the name or company; or an id.
    search: Option<String>,
    /// An address, `me`, or `none`.
    owner: Option<String>,
    /// Members of this segment.
    segment: Option<String>,
    /// `newest` (the default) or `name`; by name only those are listed that have a name, a company or an address.
    sort: Option<String>,
    /// `asc` or `desc`: by name `asc` unless said, else the newest first.
    order: Option<String>,
    /// The one with this id in the customer's own system.
    user_id: Option<String>,
    /// The one with this address.
    email: Option<String>,
    /// The one with this number.
    phone: Option<String>,
    /// The one with this Telegram name.
    telegram: Option<String>,
    /// The one with this WhatsApp number.
    whatsapp: Option<String>,
    /// The one of this browser or device.
    anonymous_id: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

impl Which {
    /// The contact that is asked for by one of its names.
    fn identity(&self) -> Option<Identity> {
        let named = |value: &Option<String>, make: fn(&str) -> Identity| {
            let value = value.as_deref().map(str::trim);
            value.filter(|value| !value.is_empty()).map(make)
        };
        named(&self.user_id, Identity::user)
            .or_else(|| named(&self.email, Identity::email))
            .or_else(|| named(&self.phone, Identity::phone))
            .or_else(|| named(&self.telegram, Identity::telegram))
            .or_else(|| named(&self.whatsapp, Identity::whatsapp))
            .or_else(|| named(&self.anonymous_id, Identity::anonymous))
    }

    fn filter(&self, caller: &Caller) -> Result<ContactFilter, Problem> {
        Ok(ContactFilter {
            owners: owners(caller, said(&self.owner))?,
            segment: said(&self.segment).map(SegmentId::from),
        })
    }
}

/// Where a page of a contact's things begins.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

impl Paging {
    fn cursor(&self) -> Option<&str> {
        said(&self.cursor)
    }
}

/// Contacts: the newest first or by name, of an owner, of a segment, searched; or the one who is called so.
#[utoipa::path(get, path = "/api/v1/contacts", operation_id = "contacts_list", tag = "contacts", params(Which),
    responses((status = 200, description = "a page of contacts", body = ContactPage)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<ContactPage>, Problem> {
    let Query(asked) = asked?;
    let filter = asked.filter(&caller)?;
    if asked.search.is_some() {
        return search(&workspace, filter, asked).await;
    }
    if let Some(identity) = asked.identity() {
        let found = read(&workspace, move |reader| {
            let id = reader.find_contact(&identity)?;
            reader.list_contacts(id.into_iter().collect())
        });
        let items = found.await?;
        let items = items
            .iter()
            .filter(|one| is_among(&filter, one.owner.as_deref()))
            .map(contact_row);
        return Ok(Json(plain(items.collect(), None)));
    }
    let (sort, first) = match said(&asked.sort) {
        None | Some("newest") => (ContactSort::Newest, false),
        Some("name") => (ContactSort::Name, true),
        Some(other) => {
            return Err(bad_query(format!(
                "sort {other:?} is not known; use newest or name"
            )));
        }
    };
    let is_up = is_up(said(&asked.order), first)?;
    let page = read(&workspace, move |reader| {
        reader.listed_contacts(&filter, sort, is_up, said(&asked.cursor), rows(asked.limit))
    })
    .await?;
    let items = page.items.iter().map(contact_row).collect();
    Ok(Json(plain(items, page.next)))
}

fn plain(items: Vec<ContactRow>, next: Option<String>) -> ContactPage {
    ContactPage {
        items,
        next,
        searched: Vec::new(),
        not_searched: Vec::new(),
    }
}

fn is_among(filter: &ContactFilter, owner: Option<&str>) -> bool {
    let owners = filter.owners.as_ref();
    owners.is_none_or(|owners| owners.contains(owner.unwrap_or_default()))
}

/// Contacts by the beginning of any of their identities, then by the beginning of words of their names; or by id. A
/// page of the second part begins with `n:`.
async fn search(
    workspace: &Arc<Workspace>,
    filter: ContactFilter,
    asked: Which,
) -> Result<Json<ContactPage>, Problem> {
    /// Cursors of the part that is found by names.
    const BY_NAME: &str = "n:";
    let text = asked.search.clone().unwrap_or_default();
    if text.trim().is_empty() || text.chars().count() > SEARCH_CHARS_MAX {
        let detail = format!("search: write 1 to {SEARCH_CHARS_MAX} characters, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_search", detail));
    }
    let page = read(workspace, move |reader| {
        let limit = rows(asked.limit);
        if let Ok(id) = text.trim().parse::<ContactId>() {
            let found = reader.list_contacts(vec![id])?;
            let found = found.iter();
            let seen = found.filter(|one| is_among(&filter, one.owner.as_deref()));
            return Ok((seen.map(contact_row).collect(), None));
        }
        let mut items: Vec<ContactRow> = Vec::new();
        let cursor = said(&asked.cursor);
        let mut place = cursor.and_then(|cursor| cursor.strip_prefix(BY_NAME));
        if place.is_none() {
            let page = reader.search_contacts(&text, cursor, limit)?;
            let ids = page.items.iter().map(|found| found.contact.id).collect();
            for (listed, found) in reader.list_contacts(ids)?.iter().zip(&page.items) {
                let is_member = match &filter.segment {
                    None => true,
                    Some(segment) => {
                        let all = reader.segments_of(listed.contact.id)?;
                        all.iter().any(|(id, how)| id == segment && how.member)
                    }
                };
                if is_member && is_among(&filter, listed.owner.as_deref()) {
                    let mut row = contact_row(listed);
                    let by = (found.by.kind.word().to_owned(), found.by.value.clone());
                    row.found_by = BTreeMap::from([by]);
                    items.push(row);
                }
            }
            if page.next.is_some() {
                return Ok((items, page.next));
            }
            place = Some("");
        }
        let room = limit.saturating_sub(items.len());
        if room == 0 {
            return Ok((items, Some(BY_NAME.to_owned())));
        }
        let place = place.filter(|place| !place.is_empty());
        let page = reader.named_contacts(&filter, &text, place, room)?;
        // Whoever was found by an identity is not shown again.
        for one in &page.items {
            if !is_called(reader, one.contact.id, &text)? {
                items.push(contact_row(one));
            }
        }
        let next = page.next.map(|next| format!("{BY_NAME}{next}"));
        Ok((items, next))
    });
    let (items, next) = page.await?;
    let identities = IdentityKind::BY_TRUST.map(IdentityKind::word);
    let names = ["name", "first_name", "last_name", "company"];
    let searched = identities.into_iter().chain(names).map(str::to_owned);
    Ok(Json(ContactPage {
        items,
        next,
        searched: searched.collect(),
        not_searched: vec![
            "other traits, and the middle of a name: ask for them in a segment".to_owned(),
        ],
    }))
}

/// Whether an identity of a contact begins so.
fn is_called(reader: &Reader, contact: ContactId, text: &str) -> Result<bool, ReadError> {
    let text = text.trim().to_lowercase();
    let names = reader.identities(contact)?;
    Ok(names
        .iter()
        .any(|name| name.value.to_lowercase().starts_with(&text)))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", operation_id = "contacts_one", tag = "contacts",
    params(("id" = String, Path, description = "the contact, `con_42`")),
    responses((status = 200, body = ContactShown), (status = 404, description = "there is none")))]
pub async fn one(
    State(workspace): Shared,
    Path(id): Path<String>,
) -> Result<Json<ContactShown>, Problem> {
    let id = contact_id(&id)?;
    let found = read(&workspace, move |reader| {
        Ok((reader.list_contacts(vec![id])?, reader.identities(id)?))
    });
    let (found, identities) = found.await?;
    let Some(contact) = found.first() else {
        return Err(Problem::not_found("contact"));
    };
    let identities = identities.into_iter().map(|name| IdentityShown {
        kind: name.kind.word().to_owned(),
        value: name.value,
    });
    Ok(Json(ContactShown {
        row: contact_row(contact),
        identities: identities.collect(),
    }))
}

/// A page in the shape of the API.
fn page_of<T, S: utoipa::ToSchema>(page: Page<T>, shape: impl Fn(&T) -> S) -> Json<shape::Page<S>> {
    Json(shape::Page {
        items: page.items.iter().map(shape).collect(),
        next: page.next,
    })
}

/// What happened to a contact, and why; newest first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/ledger", operation_id = "contacts_ledger", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Paging),
    responses((status = 200, description = "a page of lines", body = shape::Page<shape::LedgerLine>)))]
pub async fn ledger(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<shape::Page<shape::LedgerLine>>, Problem> {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        identity::ledger(reader, id, paging.cursor(), rows(paging.limit))
    });
    Ok(page_of(page.await?, |line| {
        shape::LedgerLine::of(&line.entry)
    }))
}

/// What a contact did and what was learned of it; the last to arrive first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/events", operation_id = "contacts_events", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Paging),
    responses((status = 200, description = "a page of events", body = shape::Page<shape::Event>)))]
pub async fn events(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<shape::Page<shape::Event>>, Problem> {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        identity::events(reader, id, paging.cursor(), rows(paging.limit))
    });
    Ok(page_of(page.await?, |logged| {
        shape::Event::of(&logged.event)
    }))
}

/// Messages of a contact, in no order that means anything.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/touchpoints", operation_id = "contacts_touchpoints", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Paging),
    responses((status = 200, description = "a page of messages", body = shape::Page<shape::Touchpoint>)))]
pub async fn touchpoints(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<shape::Page<shape::Touchpoint>>, Problem> {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        identity::touchpoints(reader, id, paging.cursor(), rows(paging.limit))
    });
    Ok(page_of(page.await?, shape::Touchpoint::of))
}

/// Which objects.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfKind {
    /// `document`, `deal`, `order`, `cart`, ...; all if it is left out.
    kind: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// Documents, deals, orders and other objects of a contact, by kind and id.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/objects", operation_id = "contacts_objects", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), OfKind),
    responses((status = 200, description = "a page of objects", body = shape::Page<shape::Object>)))]
pub async fn objects(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<OfKind>, QueryRejection>,
) -> Result<Json<shape::Page<shape::Object>>, Problem> {
    let Query(asked) = asked?;
    let id = contact_id(&id)?;
    let kind = said(&asked.kind).map(ObjectKind::from);
    let page = read(&workspace, move |reader| {
        let mut page = reader.objects_of_contact(id, said(&asked.cursor), rows(asked.limit))?;
        if let Some(kind) = &kind {
            page.items.retain(|one| one.subject.kind == *kind);
        }
        Ok(page)
    });
    Ok(page_of(page.await?, |one| shape::Object::of(id, one)))
}

/// Which part of a life.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Life {
    /// Some of `event`, `message`, `ledger`, `task`, `consent`, with commas between; all if it is left out.
    kinds: Option<String>,
    /// In which language lines of the ledger are told: `en`, `ru` or `ja`.
    language: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// Something that happened, before it is shown.
enum Told {
    Event(shape::Event),
    Message(Box<shape::Touchpoint>),
    Line(Box<relance_core::ledger::LedgerEntry>),
    Task(Box<ListedTask>),
    Consent(ConsentLine),
}

/// One of the lists that a life is made of: where each is, in the order of [`KINDS`].
struct Source<'a> {
    reader: &'a Reader,
    contact: ContactId,
    selves: Vec<ContactId>,
}

type Dated = (Timestamp, Told);

impl Source<'_> {
    /// A page of one kind, the newest first.
    fn page(
        &self,
        kind: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Dated>, ReadError> {
        fn dated<T>(page: Page<T>, of: impl Fn(T) -> Dated) -> Page<Dated> {
            Page {
                items: page.items.into_iter().map(of).collect(),
                next: page.next,
            }
        }
        match kind {
            "event" => {
                let page = identity::events(self.reader, self.contact, cursor, limit)?;
                Ok(dated(page, |one| {
                    (one.event.at, Told::Event(shape::Event::of(&one.event)))
                }))
            }
            "ledger" => {
                let page = identity::ledger(self.reader, self.contact, cursor, limit)?;
                Ok(dated(page, |one| {
                    (one.entry.at, Told::Line(Box::new(one.entry)))
                }))
            }
            "message" => self.whole(cursor, limit, |reader, one| {
                let mut all: Vec<Touchpoint> = Vec::new();
                let mut place = None;
                while all.len() < TOLD_MAX {
                    let page = reader.touchpoints_of_contact(one, place.as_deref(), 500)?;
                    all.extend(page.items);
                    place = page.next;
                    if place.is_none() {
                        break;
                    }
                }
                let shown = |one: &Touchpoint| Told::Message(Box::new(shape::Touchpoint::of(one)));
                Ok(all
                    .iter()
                    .filter(|message| !identity::went_over(message) || one == self.contact)
                    .map(|one| (one.created_at, shown(one)))
                    .collect())
            }),
            "task" => self.whole(cursor, limit, |reader, one| {
                let page = reader.listed_tasks_of_contact(one, None, 500)?;
                let items = page.items.into_iter();
                Ok(items
                    .map(|one| (one.task.created_at, Told::Task(Box::new(one))))
                    .collect())
            }),
            _consent => self.whole(cursor, limit, |reader, one| {
                let page = reader.consents(one, None, 500)?;
                let items = page.items.iter();
                Ok(items
                    .map(|one| (one.at, Told::Consent(ConsentLine::of(one))))
                    .collect())
            }),
        }
    }

    /// A list that is read whole for each of the contacts that were one, and sorted. The place is how many were told.
    fn whole(
        &self,
        cursor: Option<&str>,
        limit: usize,
        read: impl Fn(&Reader, ContactId) -> Result<Vec<Dated>, ReadError>,
    ) -> Result<Page<Dated>, ReadError> {
        let from = match cursor {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| ReadError::Cursor(text.chars().take(80).collect()))?,
        };
        let mut all = Vec::new();
        for one in &self.selves {
            all.extend(read(self.reader, *one)?);
        }
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let more = all.len() > from + limit;
        let items = all.into_iter().skip(from).take(limit).collect();
        let next = more.then(|| (from + limit).to_string());
        Ok(Page { items, next })
    }
}

/// The places of all sources, as one cursor: `event=70;ledger=-`.
fn places(cursor: Option<&str>, kinds: &[&'static str]) -> Result<Vec<Option<String>>, ReadError> {
    let wrong = |text: &str| ReadError::Cursor(text.chars().take(80).collect());
    let Some(cursor) = cursor else {
        return Ok(vec![None; kinds.len()]);
    };
    let mut places = vec![None; kinds.len()];
    for part in cursor.split(';') {
        let (kind, place) = part.split_once('=').ok_or_else(|| wrong(cursor))?;
        let ix = kinds.iter().position(|own| *own == kind);
        places[ix.ok_or_else(|| wrong(cursor))?] = Some(place.to_owned());
    }
    Ok(places)
}

/// The life of a contact: what it did, what we did, and why, the newest first.
fn life(
    source: &Source<'_>,
    kinds: &[&'static str],
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Dated>, ReadError> {
    let places = places(cursor, kinds)?;
    let mut pages = Vec::with_capacity(kinds.len());
    for (kind, place) in kinds.iter().zip(&places) {
        let page = match place.as_deref() {
            Some(OVER) => Page {
                items: Vec::new(),
                next: None,
            },
            place => source.page(kind, place, limit)?,
        };
        let next = page.next.clone();
        let total = page.items.len();
        pages.push((page.items.into_iter().peekable(), next, total, 0_usize));
    }
    let mut items: Vec<Dated> = Vec::with_capacity(limit);
    while items.len() < limit {
        let heads = pages
            .iter_mut()
            .enumerate()
            .filter_map(|(ix, (rest, ..))| Some((rest.peek()?.0, std::cmp::Reverse(ix))));
        let Some((_, std::cmp::Reverse(ix))) = heads.max() else {
            break;
        };
        let (rest, _, _, taken) = &mut pages[ix];
        if let Some(item) = rest.next() {
            *taken += 1;
            items.push(item);
        }
    }
    let mut next = Vec::with_capacity(kinds.len());
    let mut more = false;
    for ((kind, place), (_, page_next, total, taken)) in kinds.iter().zip(&places).zip(&pages) {
        let behind = if taken == total {
            page_next.clone().unwrap_or_else(|| OVER.to_owned())
        } else if *taken == 0 {
            match place {
                Some(place) => place.clone(),
                None => {
                    more = true;
                    continue;
                }
            }
        } else {
            let page = source.page(kind, place.as_deref(), *taken)?;
            page.next.unwrap_or_else(|| OVER.to_owned())
        };
        more |= behind != OVER;
        next.push(format!("{kind}={behind}"));
    }
    // A source of which nothing was told yet has no place; what has none begins at its beginning.
    let next = (more && !next.is_empty()).then(|| next.join(";"));
    Ok(Page { items, next })
}

/// The life of a contact as one list: events, messages, lines of the ledger, tasks and consents, the newest first; of
/// those that it absorbed as well.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/timeline", operation_id = "contacts_timeline", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Life),
    responses((status = 200, description = "a page of its life", body = shape::Page<TimelineItem>)))]
pub async fn timeline(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Life>, QueryRejection>,
) -> Result<Json<shape::Page<TimelineItem>>, Problem> {
    let Query(asked) = asked?;
    let id = contact_id(&id)?;
    let language = language(said(&asked.language))?;
    let mut kinds: Vec<&'static str> = Vec::new();
    match said(&asked.kinds) {
        None => kinds.extend(KINDS),
        Some(text) => {
            for word in text.split(',') {
                let known = KINDS.into_iter().find(|kind| *kind == word.trim());
                let Some(kind) = known else {
                    let known = KINDS.join(", ");
                    return Err(bad_query(format!(
                        "kinds: {word:?} is not known; use some of {known}"
                    )));
                };
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    let own = workspace.clone();
    let page = tokio::task::spawn_blocking(move || {
        let reader = &own.reader;
        let Some(contact) = reader.contact(id)? else {
            return Err(Problem::not_found("contact"));
        };
        let source = Source {
            reader,
            contact: id,
            selves: contact.selves().collect(),
        };
        let page = life(&source, &kinds, said(&asked.cursor), rows(asked.limit))?;
        let told_lines = kinds.contains(&"ledger");
        let world = told_lines.then(|| world(&own)).transpose()?;
        let items = page.items.into_iter();
        let items = items.map(|(at, one)| shown(at, one, &contact, world.as_deref(), language));
        Ok(shape::Page {
            items: items.collect(),
            next: page.next,
        })
    });
    let page = page.await.map_err(|_| {
        let detail = "the page could not be made; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?;
    page.map(Json)
}

fn shown(
    at: Timestamp,
    one: Told,
    contact: &Contact,
    world: Option<&relance_core::World>,
    language: relance_wire::explain::Language,
) -> TimelineItem {
    let mut item = TimelineItem {
        at: moment(at),
        kind: String::new(),
        event: None,
        message: None,
        ledger: None,
        task: None,
        consent: None,
    };
    let kind = match one {
        Told::Event(event) => {
            item.event = Some(event);
            "event"
        }
        Told::Message(message) => {
            item.message = Some(*message);
            "message"
        }
        Told::Line(entry) => {
            item.ledger = world.map(|world| told(world, contact, language, &entry));
            "ledger"
        }
        Told::Task(task) => {
            item.task = Some(task_row(&task, Some(contact)));
            "task"
        }
        Told::Consent(line) => {
            item.consent = Some(line);
            "consent"
        }
    };
    item.kind = kind.to_owned();
    item
}
