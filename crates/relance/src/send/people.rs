//! People of ours: from whom messages come, and who is told.
//!
//! **Absent:** roles and rights of those who log in; what is written to them.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::contact::Contact;
use relance_core::journey::Recipient;
use relance_core::subject::Object;
use relance_message::outbound::is_address;

use crate::config::Config;

/// Someone with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The name beside it.
    pub name: Option<String>,
    /// The address.
    pub address: String,
    /// The language that they read.
    pub language: Option<String>,
}

impl Person {
    /// The domain of the address.
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain)
    }
}

/// All of us that the configuration names.
#[derive(Debug)]
pub(super) struct People {
    /// The workspace's own sender.
    pub workspace: Option<Person>,
    /// By address in lower case.
    users: BTreeMap<String, Person>,
    roles: BTreeMap<String, Vec<Person>>,
    mailboxes: BTreeMap<String, Person>,
    internal_domains: BTreeSet<String>,
}

impl People {
    /// From the configuration.
    pub fn new(config: &Config) -> Self {
        let own = &config.workspace;
        let mut users = BTreeMap::new();
        let mut roles: BTreeMap<String, Vec<Person>> = BTreeMap::new();
        for user in &config.user {
            let person = Person {
                name: user.name.clone(),
                address: user.address.clone(),
                language: user.language.clone(),
            };
            if let Some(role) = &user.role {
                roles.entry(role.clone()).or_default().push(person.clone());
            }
            users.insert(user.address.to_lowercase(), person);
        }
        let mailboxes = config.mailbox.iter().map(|mailbox| {
            let address = mailbox.address.to_lowercase();
            let user: Option<&Person> = users.get(&address);
            let person = Person {
                name: mailbox
                    .name
                    .clone()
                    .or(user.and_then(|user| user.name.clone())),
                address: address.clone(),
                language: user.and_then(|user| user.language.clone()),
            };
            (address, person)
        });
        Self {
            workspace: own.address.clone().map(|address| Person {
                name: own.from_name.clone(),
                address,
                language: None,
            }),
            mailboxes: mailboxes.collect(),
            users,
            roles,
            internal_domains: own
                .internal_domains
                .iter()
                .map(|domain| domain.to_lowercase())
                .collect(),
        }
    }

    /// The salesperson of a watched mailbox.
    pub fn mailbox(&self, address: &str) -> Option<&Person> {
        self.mailboxes.get(&address.to_lowercase())
    }

    /// Who is responsible: whom the subject or the contact names, else the mailbox that the subject came
    /// from, else one that corresponded with the contact. What is named comes from outside, so only an
    /// address of ours counts.
    pub fn owner(&self, contact: &Contact, subject: Option<&Object>) -> Option<Person> {
        let named = |field| subject.and_then(|object| object.text(field));
        named("owner")
            .into_iter()
            .chain(contact.owner())
            .chain(named("mailbox"))
            .find_map(|address| self.ours(address))
            .or_else(|| {
                let mailboxes = contact.mailboxes.iter();
                mailboxes
                    .filter_map(|mailbox| self.ours(mailbox.as_str()))
                    .next()
            })
    }

    /// One of ours by address.
    fn ours(&self, address: &str) -> Option<Person> {
        let address = address.trim().to_lowercase();
        let known = self
            .users
            .get(&address)
            .or_else(|| self.mailboxes.get(&address));
        if known.is_some() {
            return known.cloned();
        }
        let (_, domain) = address.rsplit_once('@')?;
        let internal = self.internal_domains.contains(domain) && is_address(&address);
        internal.then_some(Person {
            name: None,
            address,
            language: None,
        })
    }

    /// Whom a notification goes to; nobody when nobody is known.
    pub fn told(
        &self,
        recipient: &Recipient,
        contact: &Contact,
        subject: Option<&Object>,
    ) -> Vec<Person> {
        match recipient {
            Recipient::Contact => Vec::new(),
            Recipient::Owner => self.owner(contact, subject).into_iter().collect(),
            Recipient::Role(role) => self.roles.get(&**role).cloned().unwrap_or_default(),
            // The journey's author names whom he likes.
            Recipient::User(address) => {
                let known = self.ours(address);
                let stranger = || {
                    is_address(address).then(|| Person {
                        name: None,
                        address: address.to_string(),
                        language: None,
                    })
                };
                known.or_else(stranger).into_iter().collect()
            }
        }
    }
}

/// The language that all of them read; `None` when they read several, or none is known.
pub(super) fn common_language(people: &[Person]) -> Option<&str> {
    let mut languages = people.iter().map(|person| person.language.as_deref());
    let first = languages.next()??;
    languages
        .all(|language| language == Some(first))
        .then_some(first)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use relance_core::ids::{ContactId, MailboxId, ObjectKind, SubjectRef};
    use relance_core::value::Value;

    use super::*;

    const CONFIG: &str = r#"
        [workspace]
        address = "news@shop.test"
        internal_domains = ["Shop.test"]
        [[mailbox]]
        address = "Anna@shop.test"
        imap = { host = "imap.shop.test", port = 993, password = "x" }
        [[user]]
        address = "anna@shop.test"
        name = "Anna"
        language = "ru"
        [[user]]
        address = "boris@elsewhere.test"
        role = "head"
        language = "ja"
        [[user]]
        address = "clara@elsewhere.test"
        role = "head"
    "#;

    fn people() -> People {
        People::new(&Config::parse(CONFIG).unwrap())
    }

    fn contact(owner: Option<&str>) -> Contact {
        let mut contact = Contact::new(ContactId(1), Timestamp::UNIX_EPOCH);
        if let Some(owner) = owner {
            let owner = Value::String(owner.to_owned());
            contact.traits.insert("owner".to_owned(), owner);
        }
        contact
    }

    fn document(field: &str, value: &str) -> Object {
        let subject = SubjectRef {
            kind: ObjectKind::from("document"),
            id: "1".into(),
        };
        let mut object = Object::new(subject, Timestamp::UNIX_EPOCH);
        let value = Value::String(value.to_owned());
        object.fields.insert(field.to_owned(), value);
        object
    }

    #[test]
    fn the_owner_is_the_first_known_who_is_one_of_ours() {
        let people = people();
        let owner = |contact: &Contact, subject: Option<&Object>| {
            people.owner(contact, subject).map(|person| person.address)
        };
        let anna = Some("anna@shop.test".to_owned());
        let named = document("owner", "Boris@elsewhere.test");
        let boris = Some("boris@elsewhere.test".to_owned());
        assert_eq!(owner(&contact(Some("anna@shop.test")), Some(&named)), boris);
        assert_eq!(owner(&contact(Some(" ANNA@shop.test")), None), anna);
        // Of ours by the domain, though no user.
        let dmitry = Some("dmitry@shop.test".to_owned());
        assert_eq!(owner(&contact(Some("dmitry@shop.test")), None), dmitry);
        // A stranger names themselves, and an id is no address.
        let sent = document("mailbox", "anna@shop.test");
        for stranger in [
            "me@evil.test",
            "12",
            "x\r\nBcc: y@shop.test",
            "a b@shop.test",
        ] {
            assert_eq!(owner(&contact(Some(stranger)), Some(&sent)), anna);
            assert_eq!(owner(&contact(Some(stranger)), None), None, "{stranger}");
        }
        let mut writes = contact(None);
        writes.mailboxes.insert(MailboxId::from("anna@shop.test"));
        assert_eq!(owner(&writes, None), anna);
        assert_eq!(
            people.mailbox("ANNA@shop.test").unwrap().name.as_deref(),
            Some("Anna")
        );
    }

    #[test]
    fn a_role_is_everyone_who_has_it_and_a_user_is_one() {
        let people = people();
        let told = |recipient: Recipient| people.told(&recipient, &contact(None), None);
        let heads = told(Recipient::Role("head".into()));
        let addresses: Vec<&str> = heads.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["boris@elsewhere.test", "clara@elsewhere.test"]);
        // One reads Japanese, of the other nothing is known.
        assert_eq!(common_language(&heads), None);
        assert_eq!(common_language(&heads[..1]), Some("ja"));
        assert_eq!(common_language(&[]), None);
        assert!(told(Recipient::Role("intern".into())).is_empty());
        assert!(told(Recipient::Owner).is_empty());
        assert_eq!(
            told(Recipient::User("Anna@shop.test".into()))[0]
                .language
                .as_deref(),
            Some("ru")
        );
        assert_eq!(told(Recipient::User("bookkeeper@tax.test".into())).len(), 1);
        assert!(told(Recipient::User("nobody".into())).is_empty());
    }
}
