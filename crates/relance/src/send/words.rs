//! What a message says: its template in the right language, what that sees, what it makes of it.
//!
//! **Absent:** addresses and headers (see `compose`), and whether it may go.

use relance_core::contact::{Consent, Contact};
use relance_core::journey::{Recipient, Sender};
use relance_core::subject::Object;
use relance_core::touchpoint::Touchpoint;
use relance_engine::ports::Dispatch;
use relance_message::outbound::{
    Footer, Kind, Rendered, Template, TemplateMeta, TemplateSet, TemplateSource, render_text,
    title_and_body,
};
use serde_json::{Value, json};

use super::compose::{ComposeProblem, Composer};
use super::people::{Person, common_language};
use crate::link::Link;

/// The templates that come with the program; a workspace's own of the same name takes their place.
const BUILT_IN: [(&str, &str); 6] = [
    (
        "confirm-subscription.en.txt",
        include_str!("../../../../assets/templates/confirm-subscription.en.txt"),
    ),
    (
        "confirm-subscription.ja.txt",
        include_str!("../../../../assets/templates/confirm-subscription.ja.txt"),
    ),
    (
        "confirm-subscription.ru.txt",
        include_str!("../../../../assets/templates/confirm-subscription.ru.txt"),
    ),
    (
        "notify.en.txt",
        include_str!("../../../../assets/templates/notify.en.txt"),
    ),
    (
        "notify.ja.txt",
        include_str!("../../../../assets/templates/notify.ja.txt"),
    ),
    (
        "notify.ru.txt",
        include_str!("../../../../assets/templates/notify.ru.txt"),
    ),
];
/// What stands in the place of a token in a message that is only looked at. It verifies as nothing.
pub const PREVIEW_TOKEN: &str = "preview";

/// Whether the links of a message lead anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// They act for the recipient.
    Live,
    /// They look like links, and whoever follows them changes nothing.
    Placeholders,
}

/// What a message says.
pub(super) struct Words {
    pub rendered: Rendered,
    pub meta: TemplateMeta,
    /// The language that it is in, or was asked for.
    pub language: String,
    /// Where the recipient leaves.
    pub unsubscribe: String,
    /// What the template shows and the context lacks; found for placeholders only.
    pub missing: Vec<String>,
}

/// The built-in templates, compiled.
pub(super) fn built_in() -> TemplateSet {
    let sources = BUILT_IN.map(|(name, text)| TemplateSource::parse(name, text));
    let sources: Vec<TemplateSource> = sources.into_iter().flatten().collect();
    // A test compiles them; without them a notification says that its template is missing.
    TemplateSet::compile(&sources).unwrap_or_default()
}

/// Whether a message goes into the conversation of what it is about.
pub(super) fn is_in_thread(touchpoint: &Touchpoint) -> bool {
    touchpoint.from == Sender::OwnerMailbox
}

/// All that a message is about.
pub(super) fn subjects_of(dispatch: &Dispatch) -> Vec<&Object> {
    if dispatch.subjects.is_empty() {
        dispatch.subject.iter().collect()
    } else {
        dispatch.subjects.iter().collect()
    }
}

impl Composer {
    /// Renders a message; `told` are those of ours whom a notification goes to.
    pub(super) fn words(
        &self,
        dispatch: &Dispatch,
        sender: Option<&Person>,
        told: &[Person],
        links: Links,
    ) -> Result<Words, ComposeProblem> {
        self.words_of(&self.templates(), dispatch, sender, told, links)
    }

    /// [`words`](Self::words) of other templates than those in force.
    pub(super) fn words_of(
        &self,
        templates: &TemplateSet,
        dispatch: &Dispatch,
        sender: Option<&Person>,
        told: &[Person],
        links: Links,
    ) -> Result<Words, ComposeProblem> {
        let touchpoint = &dispatch.touchpoint;
        let wanted = match touchpoint.recipient {
            Recipient::Contact => language_of(&dispatch.contact),
            Recipient::Owner | Recipient::Role(_) | Recipient::User(_) => common_language(told),
        };
        let house = self.house();
        let wanted = wanted.unwrap_or(&house.language);
        let id = touchpoint.template.as_str();
        let template = templates
            .choose(id, Some(wanted))
            .or_else(|| self.built_in.choose(id, Some(wanted)))
            .ok_or_else(|| ComposeProblem::NoTemplate(id.to_owned()))?;
        let unsubscribe = self.link(touchpoint, Place::Unsubscribe, links);
        let mut context = self.context(dispatch, sender, &unsubscribe, links);
        let failed =
            |problem: &dyn std::fmt::Display| ComposeProblem::Template(problem.to_string());
        // Nothing written is nothing in place of the template's words.
        let text = touchpoint.text.as_deref();
        let text = text.filter(|text| !text.trim().is_empty());
        let is_edited = touchpoint.recipient == Recipient::Contact && text.is_some();
        let rendered = match (&touchpoint.recipient, text) {
            (Recipient::Contact, Some(text)) => {
                self.edited(touchpoint, template, text, &unsubscribe, &context, links)
            }
            (Recipient::Contact, None) => {
                context["item"] = self.item(touchpoint)?;
                template.render(&context)
            }
            (Recipient::Owner | Recipient::Role(_) | Recipient::User(_), text) => {
                let text = text.unwrap_or_default();
                let text = render_text(text, &wanted.replace('_', "-"), &context)
                    .map_err(|problem| failed(&format!("the notification's text: {problem}")))?;
                let (title, body) = title_and_body(&text);
                context["notice"] = json!({ "title": title, "text": body });
                template.render(&context)
            }
        };
        let rendered = rendered.map_err(|problem| failed(&problem))?;
        let missing = match links {
            Links::Placeholders if !is_edited => template.missing_variables(&context),
            Links::Placeholders | Links::Live => Vec::new(),
        };
        Ok(Words {
            rendered,
            meta: template.meta().clone(),
            language: template.language().unwrap_or(wanted).to_owned(),
            unsubscribe,
            missing,
        })
    }

    /// What a person wrote in place of the template's words.
    fn edited(
        &self,
        touchpoint: &Touchpoint,
        template: &Template,
        text: &str,
        unsubscribe: &str,
        context: &Value,
        links: Links,
    ) -> Result<Rendered, relance_message::outbound::RenderProblem> {
        // Whoever edited a preview has its placeholders in the text.
        let mut text = text.to_owned();
        for place in [Place::Unsubscribe, Place::Preferences] {
            let shown = self.link(touchpoint, place, Links::Placeholders);
            if links == Links::Live && text.contains(&shown) {
                text = text.replace(&shown, &self.link(touchpoint, place, Links::Live));
            }
        }
        let house = self.house();
        let language = template.language().unwrap_or(&house.language);
        let leaves = template.meta().kind == Kind::Marketing && !is_in_thread(touchpoint);
        let footer = leaves.then_some(Footer {
            words: unsubscribe_words(language),
            url: unsubscribe,
        });
        template.wrap(&text, footer, context)
    }

    /// The content item that a message carries, as templates see it.
    fn item(&self, touchpoint: &Touchpoint) -> Result<Value, ComposeProblem> {
        let Some((list, item)) = &touchpoint.item else {
            return Ok(Value::Null);
        };
        let lists = self.lists();
        let fields = lists.get(list).and_then(|list| list.fields(item));
        fields.cloned().map(Value::Object).ok_or_else(|| {
            ComposeProblem::Template(format!(
                "the content list {list} has no item {item} any more; it was taken out while a message carried it"
            ))
        })
    }

    /// What templates see.
    pub(super) fn context(
        &self,
        dispatch: &Dispatch,
        sender: Option<&Person>,
        unsubscribe: &str,
        links: Links,
    ) -> Value {
        let Dispatch {
            touchpoint,
            contact,
            subject,
            cause,
            ..
        } = dispatch;
        let house = self.house();
        let owner = match sender {
            Some(sender) if is_in_thread(touchpoint) => Some(sender.clone()),
            Some(_) | None => house
                .people
                .owner(contact, subject.as_ref())
                .or(sender.cloned()),
        };
        let links = match touchpoint.recipient {
            Recipient::Contact => json!({
                "unsubscribe": unsubscribe,
                "preferences": self.link(touchpoint, Place::Preferences, links),
                "confirm": self.confirm_link(dispatch, links),
            }),
            // The contact's own links are not for us: whoever follows one acts as the contact.
            Recipient::Owner | Recipient::Role(_) | Recipient::User(_) => json!({
                "contact": format!("{}/contacts/{}", house.public_url, contact.id),
            }),
        };
        json!({
            "contact": contact_value(contact),
            "subject": subject.as_ref().map(object_value),
            "subjects": subjects_of(dispatch).into_iter().map(object_value).collect::<Vec<_>>(),
            "item": Value::Null,
            "event": cause.as_ref().map(|event| &event.properties),
            "owner": owner.map(|owner| json!({ "name": owner.name, "email": owner.address })),
            "workspace": house.workspace,
            "links": links,
            "variant": touchpoint.variant,
            "notice": self.question(dispatch),
        })
    }

    /// What the contact is asked to confirm, by the names that it reads.
    fn question(&self, dispatch: &Dispatch) -> Value {
        if !dispatch.touchpoint.is_confirmation() {
            return Value::Null;
        }
        let contact = &dispatch.contact;
        let house = self.house();
        let language = language_of(contact).unwrap_or(&house.language);
        let pending = contact.topic_consents.iter();
        let pending = pending.filter(|(_, record)| **record == Consent::Pending);
        let names = pending.map(|(topic, _)| house.topics.name(topic.as_str(), language));
        json!({ "topics": names.collect::<Vec<_>>() })
    }

    /// By which the owner of the address says that it was them who signed up: only in the question.
    fn confirm_link(&self, dispatch: &Dispatch, links: Links) -> Option<String> {
        let touchpoint = &dispatch.touchpoint;
        let address = dispatch.contact.address(touchpoint.channel)?;
        let token = match links {
            Links::Placeholders => PREVIEW_TOKEN.to_owned(),
            Links::Live => {
                let fingerprint = self.links.fingerprint(address);
                self.links.sign(&Link::Confirm(touchpoint.id, fingerprint))
            }
        };
        let link = format!("{}/p/confirm/{token}", self.house().public_url);
        touchpoint.is_confirmation().then_some(link)
    }

    /// What the address of a link of the recipient's own is in a message that is only looked at.
    pub(super) fn placeholder_unsubscribe(&self, touchpoint: &Touchpoint) -> String {
        self.link(touchpoint, Place::Unsubscribe, Links::Placeholders)
    }

    fn link(&self, touchpoint: &Touchpoint, place: Place, links: Links) -> String {
        let id = touchpoint.id;
        let token = match (links, place) {
            (Links::Placeholders, _) => PREVIEW_TOKEN.to_owned(),
            (Links::Live, Place::Unsubscribe) => self.links.sign(&Link::Unsubscribe(id)),
            (Links::Live, Place::Preferences) => self.links.sign(&Link::Preferences(id)),
        };
        let place = match place {
            Place::Unsubscribe => "u",
            Place::Preferences => "p",
        };
        format!("{}/{place}/{token}", self.house().public_url)
    }
}

/// Where a link of the recipient's own leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Unsubscribe,
    Preferences,
}

/// What stands on the link by which the recipient leaves.
fn unsubscribe_words(language: &str) -> &'static str {
    match language.get(..2) {
        Some("ru") => "Отписаться",
        Some("ja") => "配信停止",
        Some(_) | None => "Unsubscribe",
    }
}

/// A contact as templates see it.
pub fn contact_value(contact: &Contact) -> Value {
    let mut fields = contact.face();
    fields.insert("id".to_owned(), Value::String(contact.id.to_string()));
    Value::Object(fields)
}

/// An object as templates see it.
fn object_value(object: &Object) -> Value {
    let mut fields = object.fields.clone();
    fields
        .entry("id")
        .or_insert_with(|| object.id_value.clone());
    Value::Object(fields)
}

/// The language of a contact: what it chose, else what the device is set to, else what we write to it in.
pub fn language_of(contact: &Contact) -> Option<&str> {
    contact
        .text("language")
        .or(contact.text("locale"))
        .or(contact.text("mail_language"))
}
