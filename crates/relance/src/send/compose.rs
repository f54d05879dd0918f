//! From a claimed touchpoint to the bytes of a mail: sender, recipients, words, links, thread.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use relance_channels::dkim::DkimSigner;
use relance_core::contact::Contact;
use relance_core::ids::{ListId, TemplateId, Topic};
use relance_core::journey::{Recipient, Sender};
use relance_core::ledger::Reason;
use relance_core::policy::TemplateFacts;
use relance_core::subject::Object;
use relance_engine::ports::Dispatch;
use relance_message::outbound::{
    AutoSubmitted, Delivery, Kind, LinkRef, ListUnsubscribe, OutgoingMail, TemplateSet, message_id,
};
use relance_wire::list::ContentList;
use serde_json::{Value, json};

use super::people::{People, Person};
use super::thread::Thread;
use super::words::{self, Links, is_in_thread, subjects_of};
use crate::access::Users;
use crate::config::Config;
use crate::consent::Topics;
use crate::link::{Link, LinkKey};
use crate::mailbox::book::{Entry, Origin};

pub use super::words::{contact_value, language_of};

/// A mail, ready for a mail server.
pub struct Composed {
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses: several only for people of ours.
    pub to: Vec<String>,
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
    /// The template does not exist.
    #[error("there is no template {0}; add it and apply the scenario again")]
    NoTemplate(String),
    /// The template fails.
    #[error("{0}")]
    Template(String),
    /// The sender is not set up.
    #[error("no sender: {0}")]
    NoSender(String),
    /// Nobody is known whom it could go to.
    #[error("no recipient: {}", .0.word())]
    NoRecipient(Reason),
}

/// What the gate must know of templates.
pub fn facts_of(templates: &TemplateSet) -> BTreeMap<TemplateId, TemplateFacts> {
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
    facts
}

/// Makes mails.
pub struct Composer {
    templates: RwLock<Arc<TemplateSet>>,
    lists: RwLock<Arc<BTreeMap<ListId, ContentList>>>,
    /// Signs the links of mails.
    pub links: LinkKey,
    /// Signs mails, by the sender's domain.
    pub signers: BTreeMap<String, Arc<DkimSigner>>,
    pub(super) built_in: TemplateSet,
    house: RwLock<Arc<House>>,
}

/// Who we are, as mails say it.
pub(super) struct House {
    pub(super) public_url: String,
    pub(super) language: String,
    /// As templates see it.
    pub(super) workspace: Value,
    pub(super) people: People,
    pub(super) topics: Arc<Topics>,
}

impl House {
    fn new(config: &Config, people: People) -> Self {
        let own = &config.workspace;
        Self {
            public_url: own.public_url.trim_end_matches('/').to_owned(),
            language: own.language.clone(),
            workspace: json!({ "name": own.name, "address": own.address, "url": own.public_url }),
            people,
            topics: Arc::new(Topics::new(&config.topic)),
        }
    }
}

impl Composer {
    /// From the configuration; templates come later.
    pub fn new(
        config: &Config,
        links: LinkKey,
        signers: BTreeMap<String, Arc<DkimSigner>>,
    ) -> Self {
        Self {
            templates: RwLock::default(),
            lists: RwLock::default(),
            links,
            signers,
            built_in: words::built_in(),
            house: RwLock::new(Arc::new(House::new(config, People::new(config)))),
        }
    }

    /// Goes by another configuration from now on; who logs in stays known.
    pub fn configure(&self, config: &Config) {
        let mut house = self.house.write().unwrap_or_else(PoisonError::into_inner);
        let people = house.people.again(config);
        *house = Arc::new(House::new(config, people));
    }

    /// The language of whoever has a task: its assignee's, else the owner's, else the workspace's.
    pub fn language_of_task(
        &self,
        assignee: Option<&str>,
        contact: &Contact,
        subject: Option<&Object>,
    ) -> String {
        let house = self.house();
        let person = match assignee {
            Some(address) => house.people.ours(address),
            None => house.people.owner(contact, subject),
        };
        let own = person.and_then(|person| person.language);
        own.unwrap_or_else(|| house.language.clone())
    }

    pub(super) fn house(&self) -> Arc<House> {
        let house = self.house.read().unwrap_or_else(PoisonError::into_inner);
        house.clone()
    }

    /// Topics by the names that contacts read.
    pub fn topics(&self) -> Arc<Topics> {
        self.house().topics.clone()
    }

    /// Takes new templates; returns what the gate must know of them.
    pub fn set_templates(&self, templates: TemplateSet) -> Vec<(TemplateId, TemplateFacts)> {
        let facts = facts_of(&templates);
        *self
            .templates
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(templates);
        facts.into_iter().collect()
    }

    /// Learns who logs in: people of ours beside those of the configuration.
    pub fn set_users(&self, users: &Users) {
        // Not between the old people and the new.
        let house = self.house.read().unwrap_or_else(PoisonError::into_inner);
        house.people.join(users);
    }

    /// Learns which mailboxes were connected.
    pub fn set_mailboxes(&self, entries: &[Arc<Entry>]) {
        let here = entries.iter().filter(|entry| entry.origin == Origin::Here);
        let named = here.map(|entry| (entry.address.clone(), entry.stored.name.clone()));
        let house = self.house.read().unwrap_or_else(PoisonError::into_inner);
        house.people.connect(named);
    }

    /// Takes new content lists.
    pub fn set_lists(&self, lists: Vec<ContentList>) {
        let lists = lists.into_iter().map(|list| (list.id.clone(), list));
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists.collect());
    }

    /// The content lists in force.
    pub fn lists(&self) -> Arc<BTreeMap<ListId, ContentList>> {
        self.lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
        let sender = self.sender_of(dispatch)?;
        let mut to = self.recipients(dispatch)?;
        let words = self.words(dispatch, Some(&sender), &to, Links::Live)?;
        let house = self.house();
        let to_contact = touchpoint.recipient == Recipient::Contact;
        let in_thread = is_in_thread(touchpoint);
        let tracking = words.meta.tracking;
        let link = |link: Link, place: &str| {
            format!("{}/{place}/{}", house.public_url, self.links.sign(&link))
        };
        let rendered = words.rendered;
        let html = if to_contact && (tracking.clicks || tracking.opens) {
            let mut track = |found: LinkRef<'_>| {
                if tracking.clicks {
                    link(Link::Click(touchpoint.id, found.url.to_owned()), "t/c")
                } else {
                    found.url.to_owned()
                }
            };
            let pixel = tracking
                .opens
                .then(|| link(Link::Open(touchpoint.id), "t/o"));
            rendered.tracked_html(&mut track, pixel.as_deref())
        } else {
            rendered.html
        };
        let thread = match in_thread {
            true => Thread::of(&subjects_of(dispatch)),
            false => Thread::default(),
        };
        let leaves = to_contact && !in_thread && words.meta.kind == Kind::Marketing;
        let message_id = message_id(&touchpoint.id.to_string(), sender.domain());
        let addresses = to.iter().map(|person| person.address.clone()).collect();
        let first = to.remove(0);
        let mail = OutgoingMail {
            from: sender.address.clone(),
            from_name: rendered.from_name.or_else(|| sender.name.clone()),
            to: first.address,
            to_name: first.name,
            more_to: to
                .into_iter()
                .map(|person| (person.address, person.name))
                .collect(),
            subject: thread.subject.unwrap_or(rendered.subject),
            html,
            text: rendered.text,
            message_id: message_id.clone(),
            in_reply_to: thread.in_reply_to,
            references: thread.references,
            date: now,
            list_unsubscribe: leaves.then_some(ListUnsubscribe {
                url: Some(words.unsubscribe),
                mailto: None,
            }),
            auto_submitted: (!to_contact).then_some(AutoSubmitted::Generated),
            ..OutgoingMail::default()
        };
        let bytes = mail
            .build()
            .map_err(|problem| ComposeProblem::Template(problem.to_string()))?;
        Ok(Composed {
            from: sender.address.clone(),
            to: addresses,
            message_id,
            mailbox: in_thread.then(|| sender.address.clone()),
            bytes,
        })
    }

    /// The Message-ID that a touchpoint's mail has, or would have.
    pub fn message_id_of(&self, dispatch: &Dispatch) -> Option<(String, Option<String>)> {
        let touchpoint = &dispatch.touchpoint;
        let sender = self.sender_of(dispatch).ok()?;
        let mailbox = is_in_thread(touchpoint).then(|| sender.address.clone());
        Some((
            message_id(&touchpoint.id.to_string(), sender.domain()),
            mailbox,
        ))
    }

    /// From whom a message comes.
    pub(super) fn sender_of(&self, dispatch: &Dispatch) -> Result<Person, ComposeProblem> {
        let house = self.house();
        match dispatch.touchpoint.from {
            Sender::Workspace => house.people.workspace.clone().ok_or_else(|| {
                ComposeProblem::NoSender("set the sender's address in the settings, or workspace.address in relance.toml".to_owned())
            }),
            Sender::OwnerMailbox => {
                let subject = dispatch.subject.as_ref();
                let named = subject.and_then(|object| object.text("mailbox"));
                // Where nobody is named: the only mailbox of ours that ever corresponded with the contact.
                let address = named
                    .map(str::to_owned)
                    .or_else(|| dispatch.contact.responsible());
                address
                    .and_then(|address| house.people.mailbox(&address))
                    .ok_or_else(|| {
                        let what = "the owner's mailbox is not set up; connect it";
                        ComposeProblem::NoSender(what.to_owned())
                    })
            }
        }
    }

    /// To whom a message goes: at least one.
    pub(super) fn recipients(&self, dispatch: &Dispatch) -> Result<Vec<Person>, ComposeProblem> {
        let contact = &dispatch.contact;
        let recipient = &dispatch.touchpoint.recipient;
        let (people, reason) = match recipient {
            Recipient::Contact => {
                let address = contact.address(dispatch.touchpoint.channel);
                let person = address.map(|address| Person {
                    name: contact.text("name").map(str::to_owned),
                    address: address.to_owned(),
                    language: None,
                });
                (person.into_iter().collect(), Reason::NoAddress)
            }
            Recipient::Owner | Recipient::Role(_) | Recipient::User(_) => {
                let subject = dispatch.subject.as_ref();
                let told = self.house().people.told(recipient, contact, subject);
                (told, Reason::NoRecipient)
            }
        };
        if people.is_empty() {
            return Err(ComposeProblem::NoRecipient(reason));
        }
        Ok(people)
    }
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
