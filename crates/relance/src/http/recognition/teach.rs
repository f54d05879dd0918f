//! What people put right: a mail that was not found is registered, a document is corrected or withdrawn, and each may
//! become a rule.
//!
//! **Absent:** what a correction does to runs (see core).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, ObjectKind, SubjectRef};
use relance_core::mail::{MailClass, WITHDRAWN};
use relance_core::subject::{Object, ObjectPatch};
use relance_core::value::{Fields, Value};
use relance_engine::arrival::Arrival;
use relance_message::document::DocumentKind;
use relance_wire::api::recognition::{ReadDocument, RegisteredDocument, SeenMail};
use relance_wire::api::registry::DocumentRow;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::recognition::judge::place_of;
use crate::recognition::own::{OwnRule, RuleMail, Then, When};
use crate::recognition::{self, DAYS_MAX, Places, registered};
use crate::workspace::Workspace;

use super::super::api::read;
use super::super::documents::row;
use super::super::lists::{contact_id, moment, today};
use super::trial::Seat;
use super::{Problem, Shared, WEIGHT, aside, bad, new_rule, wrong_field};

/// Characters of a number that a person writes.
const NUMBER_CHARS_MAX: usize = 60;
/// How often the registry is looked at for what was registered, and the pause between: a second at most.
const SETTLE_TURNS_MAX: u32 = 20;
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(correct))
}

/// Fields that a person puts right. One that is left out stays; an empty text takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = CorrectedFields)]
#[serde(deny_unknown_fields)]
pub struct FieldsAsked {
    /// Its number.
    number: Option<String>,
    /// Its total as a decimal number.
    amount: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// The date of issue.
    issued: Option<String>,
    /// By when it is to be paid or answered.
    due: Option<String>,
}

impl FieldsAsked {
    /// As fields of the document; a null removes.
    pub(super) fn checked(&self) -> Result<Fields, Problem> {
        let wrong = |field: &str, why: &'static str, remedy: &str| {
            let field = format!("fields.{field}");
            wrong_field("bad_field", &field, why, format!("{field}: {remedy}"))
        };
        let mut fields = Fields::new();
        for (name, text) in [
            ("number", &self.number),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("issued", &self.issued),
            ("due", &self.due),
        ] {
            let Some(text) = text.as_deref().map(str::trim) else {
                continue;
            };
            let value = match (name, text) {
                (_, "") => Value::Null,
                ("number", text) if text.chars().count() > NUMBER_CHARS_MAX => {
                    let remedy = format!("more than {NUMBER_CHARS_MAX} characters; shorten it");
                    return Err(wrong(name, "too_long", &remedy));
                }
                ("number", text) => json!(text),
                ("amount", text) => decimal(text).map(|amount| json!(amount)).ok_or_else(|| {
                    wrong(name, "no_amount", "write a decimal number such as 1200.50")
                })?,
                ("currency", text)
                    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
                {
                    json!(text.to_ascii_uppercase())
                }
                ("currency", _) => {
                    return Err(wrong(
                        name,
                        "no_currency",
                        "write three letters such as EUR",
                    ));
                }
                (name, text) => text
                    .parse::<jiff::civil::Date>()
                    .map(|date| json!(date.to_string()))
                    .map_err(|_| wrong(name, "no_date", "write a date such as 2026-11-30"))?,
            };
            fields.insert(name.to_owned(), value);
        }
        Ok(fields)
    }
}

/// An amount as people write it in forms: digits, and a point before its parts.
fn decimal(text: &str) -> Option<f64> {
    /// Digits before the point, and behind it.
    const DIGITS_MAX: (usize, usize) = (13, 4);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (is_digits(whole, DIGITS_MAX.0) && is_digits(part, DIGITS_MAX.1))
        .then(|| text.parse().ok())
        .flatten()
}

/// A sent mail that carries a document which was not found.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RegisterAsked)]
#[serde(deny_unknown_fields)]
pub struct RegisterAsked {
    /// The mailbox that it was sent from.
    mailbox: String,
    /// Its Message-ID.
    message_id: String,
    /// What it is. `never` makes the rule; what the registry has of the mail is withdrawn.
    kind: Then,
    /// What is to stand in the place of what is read.
    #[serde(default)]
    fields: FieldsAsked,
    /// A rule that is made of it.
    remember: Option<When>,
}

/// What a mail is now that a person said what it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RegisteredMail)]
pub struct Registered {
    #[serde(flatten)]
    mail: SeenMail,
    /// The rule that was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<OwnRule>,
}

/// Registers a mail as a document, as if it had been found; or says that its like is none. What the registry has already
/// is put right as by `correct`.
#[utoipa::path(post, path = "/api/v1/recognition/register", operation_id = "recognition_register", tag = "recognition",
    request_body = RegisterAsked,
    responses((status = 200, description = "what it is now, and where the registry has it", body = Registered), (status = 404, description = "no such mailbox or mail"),
        (status = 409, description = "the registry has it for a contact that the caller does not see"),
        (status = 422, description = "`fields` says what is wrong")))]
pub async fn register(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(places): Extension<Arc<Places>>,
    asked: Result<Json<RegisterAsked>, JsonRejection>,
) -> Result<Json<Registered>, Problem> {
    let Json(asked) = asked?;
    let fields = asked.fields.checked()?;
    let seat = Seat::find(&workspace, &caller, &asked.mailbox)?;
    let mut rule = match asked.remember {
        Some(when) => Some(new_rule(&workspace, &caller, when, asked.kind, None)?),
        None => None,
    };
    let message_id = asked.message_id.trim().trim_matches(['<', '>']).to_owned();
    let kind = asked.kind;
    let mailbox = seat.mailbox.clone();
    let told = match find(&workspace, &message_id).await? {
        Some((contact, object)) => {
            put_right(
                &workspace,
                &caller,
                contact,
                &object,
                &message_id,
                kind,
                fields,
            )
            .await?
        }
        None if kind == Then::Never && rule.is_none() => {
            let detail = "remember: say of which mails this is never true";
            return Err(wrong_field("rule_needed", "remember", "empty", detail));
        }
        None => read_anew(&workspace, &caller, seat, places, &message_id, kind, fields).await?,
    };
    let Told {
        mut mail,
        arrivals: told,
    } = told;
    if let Some(rule) = &mut rule {
        let at = mail.registered.as_ref();
        let of = RuleMail {
            message_id: Some(message_id.clone()),
            mailbox: Some(mailbox.to_string()),
            subject: Some(mail.subject.clone()),
            contact: at.map(|at| at.contact.clone()),
            document: at.map(|at| at.document.clone()),
        };
        rule.of = of.cut();
        if kind == Then::Never {
            mail.rule = Some(rule.id.clone());
        }
    }
    let mut arrivals: Vec<Arrival> = rule
        .iter()
        .map(|rule| Arrival::Asset(rule.asset()))
        .collect();
    arrivals.extend(told);
    let more = json!({ "mailbox": mailbox.as_str(), "kind": kind, "rule": rule.as_ref().map(|rule| &rule.id) });
    workspace
        .submit_with(
            &caller,
            arrivals,
            WEIGHT,
            "recognition.register",
            &message_id,
            &more,
        )
        .await?;
    if let Some(rule) = &rule {
        workspace.watching.rules.own.put(rule.clone());
    }
    mail.registered = settled(&workspace, &caller, &message_id, kind).await?;
    Ok(Json(Registered {
        mail,
        remembered: rule,
    }))
}

/// What a word about a mail means, before it is durable.
struct Told {
    mail: SeenMail,
    arrivals: Vec<Arrival>,
}

/// What the registry has of a mail.
async fn find(
    workspace: &Arc<Workspace>,
    message_id: &str,
) -> Result<Option<(ContactId, Object)>, Problem> {
    let wanted = message_id.to_owned();
    read(workspace, move |reader| registered(reader, &wanted)).await
}

/// Where the registry has a mail, once it shows what was taken: another node may be writing it. Of a mail that is
/// never a document what it has at once.
async fn settled(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    message_id: &str,
    kind: Then,
) -> Result<Option<RegisteredDocument>, Problem> {
    let is_never = kind == Then::Never;
    for turn in 1..=SETTLE_TURNS_MAX {
        let (id, sees) = (message_id.to_owned(), caller.sees.clone());
        let found = read(workspace, move |reader| {
            let found = registered(reader, &id)?;
            let found =
                found.map(|(contact, object)| place_of(reader, &sees, contact, &object, &id));
            found.transpose()
        });
        match found.await? {
            Some(Some(place)) if place.withdrawn != is_never && turn < SETTLE_TURNS_MAX => {}
            None if !is_never && turn < SETTLE_TURNS_MAX => {}
            found => return Ok(found.flatten()),
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    Ok(None)
}

/// The registry has the mail's document: it is put right.
async fn put_right(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    contact: ContactId,
    object: &Object,
    message_id: &str,
    kind: Then,
    fields: Fields,
) -> Result<Told, Problem> {
    let (sees, own) = (caller.sees.clone(), object.clone());
    let id = message_id.to_owned();
    let place = read(workspace, move |reader| {
        place_of(reader, &sees, contact, &own, &id)
    });
    let Some(place) = place.await? else {
        let detail = "the registry has this mail for a contact that you do not see";
        return Err(Problem::new(StatusCode::CONFLICT, "not_yours", detail));
    };
    let mut now: Fields = object.fields.clone();
    now.extend(fields.clone());
    let events = correction(workspace, caller, contact, object, kind, fields);
    let text = |name: &str| match now.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let found = kind.document().map(|kind| ReadDocument {
        kind: word_of(kind).to_owned(),
        number: text("number"),
        amount: text("amount"),
        currency: text("currency"),
        vat: text("vat"),
        net: text("net"),
        issued: text("issued"),
        due: text("due"),
        payer: text("payer"),
        payer_tax_id: text("payer_tax_id"),
        seller_tax_id: text("seller_tax_id"),
        bank_reference: text("bank_reference"),
        vat_rates: Vec::new(),
        confidence: 1.0,
    });
    let left_out = found.is_none().then(|| "never".to_owned());
    Ok(Told {
        mail: SeenMail {
            message_id: message_id.to_owned(),
            at: text("sent_at").unwrap_or_default(),
            to: text("to").into_iter().collect(),
            subject: text("mail_subject").unwrap_or_default(),
            attachments: Vec::new(),
            found,
            left_out,
            why: Vec::new(),
            lacks: Vec::new(),
            near: None,
            points: None,
            rule: None,
            known: true,
            registered: Some(place),
        },
        arrivals: arrivals_of(contact, events),
    })
}

/// The registry does not have the mail: it is fetched, and read as what the person says.
async fn read_anew(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    seat: Seat,
    places: Arc<Places>,
    message_id: &str,
    kind: Then,
    fields: Fields,
) -> Result<Told, Problem> {
    let (own, by) = (workspace.clone(), caller.name());
    let wanted = message_id.to_owned();
    aside(move || {
        let runtime = tokio::runtime::Handle::current();
        let trial = seat.trial(&own, &places, DAYS_MAX);
        let (examined, at) = runtime.block_on(trial.find(&wanted))?;
        let at = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let judge = seat.judge(&own);
        let Some(kind) = kind.document() else {
            let mut mail = judge.judge(examined, None, at, wanted)?;
            mail.found = None;
            mail.left_out = Some("never".to_owned());
            mail.lacks = Vec::new();
            return Ok(Told {
                mail,
                arrivals: Vec::new(),
            });
        };
        let examined = examined.read_as(kind, &format!("told:{by}"), &own.watching.rules);
        let mut found = examined.document.as_ref().map(recognition::shown);
        let attachments = examined.mail.attachments.iter();
        let attachments = attachments.filter_map(|one| one.name.clone()).collect();
        let mut mail = judge.see(examined, at, wanted);
        if let MailClass::Document(facts) = &mut mail.class {
            lay(facts, &fields);
            if let Some(found) = &mut found {
                found.number = facts.number.clone();
                found.amount = facts.amount.clone();
                found.currency = facts.currency.clone();
                found.issued = facts.issued.map(|date| date.to_string());
                found.due = facts.due.map(|date| date.to_string());
            }
        }
        if mail.touchpoint.is_some() {
            let detail = "relance sent this mail; it is a reminder, not a document";
            return Err(bad("own_message", detail));
        }
        if mail.document_client(&seat.policy).is_none() {
            let detail = "the mail went to nobody outside; a document needs a client";
            return Err(bad("internal_mail", detail));
        }
        let seen = SeenMail {
            message_id: mail.message_id.clone(),
            at: moment(at),
            to: mail.to.iter().map(|to| to.email.clone()).collect(),
            subject: mail.subject.clone(),
            attachments,
            found,
            left_out: None,
            why: Vec::new(),
            lacks: Vec::new(),
            near: None,
            points: None,
            rule: None,
            known: true,
            registered: None,
        };
        Ok(Told {
            mail: seen,
            arrivals: vec![Arrival::Mail(Box::new(mail))],
        })
    })
    .await
}

fn arrivals_of(contact: ContactId, events: Vec<Event>) -> Vec<Arrival> {
    let inputs = events.into_iter().map(|event| Arrival::Input {
        contact,
        input: relance_core::decide::Input::Event(Arc::new(event)),
    });
    inputs.collect()
}

const fn word_of(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::Offer => "offer",
    }
}

/// Lays what a person says over what was read.
fn lay(facts: &mut relance_core::mail::DocumentFacts, fields: &Fields) {
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let date = || text.as_deref().and_then(|text| text.parse().ok());
        match name.as_str() {
            "number" => facts.number = text,
            "amount" => facts.amount = text,
            "currency" => facts.currency = text,
            "issued" => facts.issued = date(),
            "due" => facts.due = date(),
            _no_other => {}
        }
    }
}

/// What a document really is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CorrectAsked)]
#[serde(deny_unknown_fields)]
pub struct CorrectAsked {
    /// What it is; `never`: it is no document.
    kind: Then,
    /// What is to stand in the place of what was read.
    #[serde(default)]
    fields: FieldsAsked,
    /// A rule that is made of it.
    remember: Option<When>,
}

/// A document that was put right.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CorrectedDocument)]
pub struct Corrected {
    #[serde(flatten)]
    document: DocumentRow,
    /// The rule that was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<OwnRule>,
}

/// Puts right what was read of a document, or says that it is none: then its runs end and it leaves the totals. A
/// document that was none is one again when its kind is said. What ended stays ended.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/documents/{document}/correct", operation_id = "documents_correct", tag = "recognition",
    params(("id" = String, Path, description = "the contact"), ("document" = String, Path, description = "the document")),
    request_body = CorrectAsked,
    responses((status = 200, description = "the document as it is now", body = Corrected), (status = 404, description = "there is none, or not of this contact"),
        (status = 422, description = "`fields` says what is wrong")))]
pub async fn correct(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, document)): Path<(String, String)>,
    asked: Result<Json<CorrectAsked>, JsonRejection>,
) -> Result<Json<Corrected>, Problem> {
    let Json(asked) = asked?;
    let id = contact_id(&id)?;
    let fields = asked.fields.checked()?;
    let subject = SubjectRef {
        kind: ObjectKind::from("document"),
        id: document.as_str().into(),
    };
    let wanted = subject.clone();
    let known = read(&workspace, move |reader| reader.object(id, &wanted)).await?;
    let known = known.ok_or_else(|| Problem::not_found("document"))?;
    let of = RuleMail {
        message_id: known.text("message_id").map(str::to_owned),
        mailbox: known.text("mailbox").map(str::to_owned),
        subject: known.text("mail_subject").map(str::to_owned),
        contact: Some(id.to_string()),
        document: Some(document.clone()),
    };
    let rule = asked
        .remember
        .map(|when| new_rule(&workspace, &caller, when, asked.kind, Some(of)))
        .transpose()?;
    let events = correction(&workspace, &caller, id, &known, asked.kind, fields);
    let mut arrivals: Vec<Arrival> = rule
        .iter()
        .map(|rule| Arrival::Asset(rule.asset()))
        .collect();
    arrivals.extend(arrivals_of(id, events));
    let action = match asked.kind {
        Then::Never => "document.withdrawn",
        Then::Invoice | Then::Offer => "document.corrected",
    };
    let more = json!({ "kind": asked.kind, "rule": rule.as_ref().map(|rule| &rule.id) });
    workspace
        .submit_with(&caller, arrivals, WEIGHT, action, &document, &more)
        .await?;
    if let Some(rule) = &rule {
        workspace.watching.rules.own.put(rule.clone());
    }
    let today = today(&workspace);
    let now = read(&workspace, move |reader| {
        let listed = reader.listed_document(id, &document)?;
        let object = reader.object(id, &subject)?;
        let contact = reader.contact(id)?;
        let both = listed.zip(object);
        Ok(both.map(|(listed, object)| row(&listed, &object, contact.as_ref(), today)))
    });
    let document = now.await?.ok_or_else(|| Problem::not_found("document"))?;
    Ok(Json(Corrected {
        document,
        remembered: rule,
    }))
}

/// What a correction means, as events.
fn correction(
    workspace: &Workspace,
    caller: &Caller,
    contact: ContactId,
    known: &Object,
    kind: Then,
    mut fields: Fields,
) -> Vec<Event> {
    let now = workspace.clock.now();
    let is_withdrawn = known.text("status") == Some(WITHDRAWN);
    let event = |name: &str, fields: &Fields| {
        let mut event = Event::track(name, now);
        event
            .properties
            .insert("by".to_owned(), json!(caller.name()));
        let all: BTreeMap<&String, &Value> = known.fields.iter().chain(fields).collect();
        for field in [
            "number",
            "amount",
            "currency",
            "kind",
            "due",
            "mailbox",
            "message_id",
        ] {
            if let Some(value) = all.get(&field.to_owned()).filter(|value| !value.is_null()) {
                event.properties.insert(field.to_owned(), (*value).clone());
            }
        }
        event.objects = vec![ObjectPatch {
            subject: known.subject.clone(),
            fields: fields.clone(),
        }];
        event.subject = Some(known.subject.clone());
        let id = format!("told:{contact}:{}:{name}:{now}", known.subject.id);
        event.message_id = Some(id.into());
        event
    };
    let word = match kind.document() {
        None => {
            if is_withdrawn {
                return Vec::new();
            }
            let before = known.fields.get("status").cloned().unwrap_or(json!("sent"));
            fields.insert("status".to_owned(), json!(WITHDRAWN));
            fields.insert("status_before".to_owned(), before);
            fields.insert("withdrawn_at".to_owned(), json!(moment(now)));
            fields.insert("withdrawn_by".to_owned(), json!(caller.name()));
            return vec![event(names::DOCUMENT_WITHDRAWN, &fields)];
        }
        Some(kind) => word_of(kind),
    };
    let kind_changes = known.text("kind") != Some(word);
    fields.insert("kind".to_owned(), json!(word));
    if is_withdrawn {
        let before = known
            .fields
            .get("status_before")
            .filter(|before| !before.is_null());
        fields.insert(
            "status".to_owned(),
            before.cloned().unwrap_or(json!("sent")),
        );
        for field in ["status_before", "withdrawn_at", "withdrawn_by"] {
            fields.insert(field.to_owned(), Value::Null);
        }
        return vec![event(names::DOCUMENT_RESTORED, &fields)];
    }
    let mut events = vec![event(names::DOCUMENT_CORRECTED, &fields)];
    if kind_changes {
        // Journeys for what it really is begin now; those that began already do not begin again.
        let mut sent = event(names::DOCUMENT_SENT, &fields);
        sent.objects.clear();
        events.push(sent);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_checked_and_an_empty_one_is_taken_away() {
        let asked = FieldsAsked {
            number: Some(" 15/2 ".to_owned()),
            amount: Some("1200.50".to_owned()),
            currency: Some("eur".to_owned()),
            issued: None,
            due: Some(String::new()),
        };
        let fields = asked.checked().expect("fields");
        assert_eq!(
            serde_json::to_value(fields).expect("json"),
            json!({"number": "15/2", "amount": 1200.5, "currency": "EUR", "due": null})
        );
        let wrong = |asked: FieldsAsked| asked.checked().expect_err("wrong").detail;
        let of = |amount: &str| FieldsAsked {
            amount: Some(amount.to_owned()),
            ..FieldsAsked::default()
        };
        assert!(wrong(of("1 200,50")).starts_with("fields.amount:"));
        assert!(wrong(of("-5")).starts_with("fields.amount:"));
        let due = FieldsAsked {
            due: Some("soon".to_owned()),
            ..FieldsAsked::default()
        };
        assert!(wrong(due).starts_with("fields.due:"));
    }
}
