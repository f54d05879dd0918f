//! From a claimed touchpoint to the bytes of a mail: template, links, thread, signature.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use relance_channels::dkim::DkimSigner;
use relance_core::contact::Contact;
use relance_core::ids::{TemplateId, Topic};
use relance_core::journey::Sender;
use relance_core::policy::TemplateFacts;
use relance_core::subject::Object;
use relance_engine::ports::Dispatch;
use relance_message::outbound::{
    Delivery, Kind, ListUnsubscribe, OutgoingMail, TemplateSet, message_id, reply_subject,
};
use serde_json::{Value, json};

use crate::config::Config;
use crate::link::{Link, LinkKey};

/// A mail, ready for a mail server.
pub struct Composed {
    /// The sender's address.
    pub from: String,
    /// The recipient's address.
    pub to: String,
    /// The Message-ID, derived from the touchpoint.
    pub message_id: String,
    /// The watched mailbox it comes from, if from one.
    pub mailbox: Option<String>,
    /// The mail, unsigned.
    pub bytes: Vec<u8>,
}

/// Why no mail could be made. Nothing of it left.
#[derive(Debug, thiserror::Error)]
pub enum ComposeProblem {
    /// The template is missing or fails.
    #[error("{0}")]
    Template(String),
    /// The sender is not set up.
    #[error("no sender: {0}")]
    NoSender(String),
}

/// A sender's name and address.
#[derive(Debug, Clone)]
struct Person {
    name: Option<String>,
    address: String,
}

/// Makes mails.
pub struct Composer {
    templates: RwLock<Arc<TemplateSet>>,
    /// Signs the links of mails.
    pub links: LinkKey,
    /// Signs mails, by the sender's domain.
    pub signers: BTreeMap<String, Arc<DkimSigner>>,
    public_url: String,
    language: String,
    workspace: Value,
    sender: Option<Person>,
    mailboxes: BTreeMap<String, Person>,
}

impl Composer {
    /// From the configuration; templates come later.
    pub fn new(
        config: &Config,
        links: LinkKey,
        signers: BTreeMap<String, Arc<DkimSigner>>,
    ) -> Self {
        let own = &config.workspace;
        let sender = own.address.clone().map(|address| Person {
            name: own.from_name.clone(),
            address,
        });
        let mailboxes = config.mailbox.iter().map(|mailbox| {
            let address = mailbox.address.to_lowercase();
            (
                address.clone(),
                Person {
                    name: mailbox.name.clone(),
                    address,
                },
            )
        });
        Self {
            templates: RwLock::default(),
            links,
            signers,
            public_url: own.public_url.trim_end_matches('/').to_owned(),
            language: own.language.clone(),
            workspace: json!({ "name": own.name, "address": own.address, "url": own.public_url }),
            sender,
            mailboxes: mailboxes.collect(),
        }
    }

    /// Takes new templates; returns what the gate must know of them.
    pub fn set_templates(&self, templates: TemplateSet) -> Vec<(TemplateId, TemplateFacts)> {
        let mut facts: BTreeMap<TemplateId, TemplateFacts> = BTreeMap::new();
        for template in templates.iter() {
            let meta = template.meta();
            facts.insert(
                TemplateId::from(template.id()),
                TemplateFacts {
                    topic: meta.topic.as_deref().map(Topic::from),
                    service: meta.kind == Kind::Service,
                    at_least_once: meta.delivery == Delivery::AtLeastOnce,
                },
            );
        }
        *self
            .templates
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(templates);
        facts.into_iter().collect()
    }

    /// The templates in force.
    pub fn templates(&self) -> Arc<TemplateSet> {
        self.templates
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes the mail of a touchpoint.
    pub fn compose(&self, dispatch: &Dispatch, now: Timestamp) -> Result<Composed, ComposeProblem> {
        let touchpoint = &dispatch.touchpoint;
        let contact = &dispatch.contact;
        let subject = dispatch.subject.as_ref();
        let in_thread = touchpoint.from == Sender::OwnerMailbox;
        let sender = self.sender_of(contact, subject, touchpoint.from)?;
        let templates = self.templates();
        // What the contact chose, else what the device is set to, else what we write to them in.
        let language = contact
            .text("language")
            .or(contact.text("locale"))
            .or(contact.text("mail_language"))
            .unwrap_or(&self.language);
        let template = templates
            .choose(touchpoint.template.as_str(), Some(language))
            .ok_or_else(|| {
                ComposeProblem::Template(format!(
                    "there is no template {}; add it and apply the scenario again",
                    touchpoint.template
                ))
            })?;
        let link = |link: Link, place: &str| {
            format!("{}/{place}/{}", self.public_url, self.links.sign(&link))
        };
        let unsubscribe = link(Link::Unsubscribe(touchpoint.id), "u");
        let context = json!({
            "contact": contact_value(contact),
            "subject": subject.map(|object| &object.fields),
            "event": dispatch.cause.as_ref().map(|event| &event.properties),
            "owner": { "name": sender.name, "email": sender.address },
            "workspace": self.workspace,
            "links": {
                "unsubscribe": unsubscribe,
                "preferences": link(Link::Preferences(touchpoint.id), "p"),
            },
        });
        let rendered = template
            .render(&context)
            .map_err(|problem| ComposeProblem::Template(problem.to_string()))?;
        let meta = template.meta();
        let html = if meta.tracking.clicks || meta.tracking.opens {
            let mut track = |found: relance_message::outbound::LinkRef<'_>| {
                if meta.tracking.clicks {
                    link(Link::Click(touchpoint.id, found.url.to_owned()), "t/c")
                } else {
                    found.url.to_owned()
                }
            };
            let pixel = meta
                .tracking
                .opens
                .then(|| link(Link::Open(touchpoint.id), "t/o"));
            rendered.tracked_html(&mut track, pixel.as_deref())
        } else {
            rendered.html
        };
        let domain = sender
            .address
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain);
        let message_id = message_id(&touchpoint.id.to_string(), domain);
        let thread = subject.filter(|_| in_thread).and_then(Thread::of);
        let to = contact.text("email").unwrap_or_default().to_owned();
        let list_unsubscribe =
            (!in_thread && meta.kind == Kind::Marketing).then_some(ListUnsubscribe {
                url: Some(unsubscribe),
                mailto: None,
            });
        let mail = OutgoingMail {
            from: sender.address.clone(),
            from_name: rendered.from_name.or_else(|| sender.name.clone()),
            to: to.clone(),
            to_name: contact.text("name").map(str::to_owned),
            subject: match &thread {
                Some(thread) => reply_subject(&thread.subject),
                None => rendered.subject,
            },
            html,
            text: rendered.text,
            message_id: message_id.clone(),
            in_reply_to: thread.as_ref().map(|thread| thread.message_id.clone()),
            references: thread.map(|thread| thread.references).unwrap_or_default(),
            date: now,
            list_unsubscribe,
            ..OutgoingMail::default()
        };
        let bytes = mail
            .build()
            .map_err(|problem| ComposeProblem::Template(problem.to_string()))?;
        let mailbox = in_thread.then(|| sender.address.clone());
        Ok(Composed {
            from: sender.address.clone(),
            to,
            message_id,
            mailbox,
            bytes,
        })
    }

    /// The Message-ID that a touchpoint's mail has, or would have.
    pub fn message_id_of(&self, dispatch: &Dispatch) -> Option<(String, Option<String>)> {
        let touchpoint = &dispatch.touchpoint;
        let sender = self
            .sender_of(
                &dispatch.contact,
                dispatch.subject.as_ref(),
                touchpoint.from,
            )
            .ok()?;
        let domain = sender
            .address
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain);
        let mailbox = (touchpoint.from == Sender::OwnerMailbox).then(|| sender.address.clone());
        Some((message_id(&touchpoint.id.to_string(), domain), mailbox))
    }

    fn sender_of(
        &self,
        contact: &Contact,
        subject: Option<&Object>,
        from: Sender,
    ) -> Result<&Person, ComposeProblem> {
        match from {
            Sender::Workspace => self.sender.as_ref().ok_or_else(|| {
                ComposeProblem::NoSender("set workspace.address in relance.toml".to_owned())
            }),
            Sender::OwnerMailbox => {
                let address = subject
                    .and_then(|object| object.text("mailbox"))
                    .or(contact.text("owner"));
                address
                    .and_then(|address| self.mailboxes.get(&address.to_lowercase()))
                    .ok_or_else(|| {
                        let what = "the owner's mailbox is not set up; add it to relance.toml";
                        ComposeProblem::NoSender(what.to_owned())
                    })
            }
        }
    }
}

/// The thread that a reminder goes into.
struct Thread {
    message_id: String,
    references: Vec<String>,
    subject: String,
}

impl Thread {
    fn of(object: &Object) -> Option<Self> {
        let message_id = object.text("message_id")?.to_owned();
        let earlier: Vec<&str> = match object.fields.get("references") {
            Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => Vec::new(),
        };
        let references =
            relance_message::outbound::references_for_reply(&message_id, &earlier, None);
        let subject = object.text("mail_subject").unwrap_or_default().to_owned();
        Some(Self {
            message_id,
            references,
            subject,
        })
    }
}

/// A contact as templates see it.
pub fn contact_value(contact: &Contact) -> Value {
    let mut fields = contact.traits.clone();
    fields.insert("id".to_owned(), Value::String(contact.id.to_string()));
    Value::Object(fields)
}
