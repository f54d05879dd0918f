//! People of ours: from whom messages come, and who is told.
//!
//! They are named by the configuration, and by the accounts of those who log in; where both name somebody, the account
//! wins. The sender of a watched mailbox is named by the configuration alone.
//!
//! **Absent:** what those who log in may do; what is written to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use relance_core::contact::Contact;
use relance_core::journey::Recipient;
use relance_core::subject::Object;
use relance_message::outbound::{RECIPIENTS_MAX, is_address};

use crate::access::Users;
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

/// All of us that are named.
#[derive(Debug)]
pub(super) struct People {
    /// The workspace's own sender.
    pub workspace: Option<Person>,
    /// By address in lower case.
    users: BTreeMap<String, Person>,
    roles: BTreeMap<String, Vec<Person>>,
    mailboxes: BTreeMap<String, Person>,
    internal_domains: BTreeSet<String>,
    /// Mailboxes that were connected in the interface, by address.
    connected: RwLock<BTreeMap<String, Person>>,
    /// Those who log in, with the word of their role; by address in lower case.
    accounts: RwLock<BTreeMap<String, (Person, &'static str)>>,
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
            connected: RwLock::default(),
            accounts: RwLock::default(),
        }
    }

    /// From another configuration; those who log in are the same.
    pub fn again(&self, config: &Config) -> Self {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        Self {
            connected: RwLock::new(self.connected().clone()),
            accounts: RwLock::new(accounts.clone()),
            ..Self::new(config)
        }
    }

    /// The mailboxes that were connected in the interface, as they are now: address, and the name beside it.
    pub fn connect(&self, mailboxes: impl Iterator<Item = (String, Option<String>)>) {
        let people = mailboxes.map(|(address, name)| {
            let language = None;
            let person = Person {
                name,
                address: address.clone(),
                language,
            };
            (address, person)
        });
        let people = people.collect();
        *self
            .connected
            .write()
            .unwrap_or_else(PoisonError::into_inner) = people;
    }

    fn connected(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Person>> {
        self.connected
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who log in, as they are now.
    pub fn join(&self, users: &Users) {
        let person = |user: &relance_core::user::User| Person {
            name: user.name.clone(),
            address: user.address.to_string(),
            language: user.language.clone(),
        };
        let accounts = users
            .values()
            .map(|user| (user.address.to_string(), (person(user), user.role.word())));
        *self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner) = accounts.collect();
    }

    /// The account of an address in lower case.
    fn account(&self, address: &str) -> Option<Person> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(address).map(|(person, _)| person.clone())
    }

    /// Everyone of a role: as many as one message can be written to.
    fn of_role(&self, role: &str) -> Vec<Person> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let configured = self.roles.get(role).into_iter().flatten();
        // Whoever has an account has the role of the account.
        let configured =
            configured.filter(|person| !accounts.contains_key(&person.address.to_lowercase()));
        let own = accounts.values().filter(|(_, own)| *own == role);
        let all = configured.chain(own.map(|(person, _)| person));
        all.take(RECIPIENTS_MAX).cloned().collect()
    }

    /// The salesperson of a watched mailbox.
    pub fn mailbox(&self, address: &str) -> Option<Person> {
        let address = address.to_lowercase();
        if let Some(person) = self.mailboxes.get(&address) {
            return Some(person.clone());
        }
        let mut person = self.connected().get(&address).cloned()?;
        let account = self.account(&address);
        let account = account.as_ref().or(self.users.get(&address));
        person.name = person
            .name
            .or_else(|| account.and_then(|own| own.name.clone()));
        person.language = account.and_then(|own| own.language.clone());
        Some(person)
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
    pub fn ours(&self, address: &str) -> Option<Person> {
        let address = address.trim().to_lowercase();
        if let Some(account) = self.account(&address) {
            return Some(account);
        }
        let known = self
            .users
            .get(&address)
            .or_else(|| self.mailboxes.get(&address));
        if known.is_some() {
            return known.cloned();
        }
        if let Some(person) = self.mailbox(&address) {
            return Some(person);
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
            Recipient::Role(role) => self.of_role(role),
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
    use std::sync::Arc;

    use relance_core::access::Role;
    use relance_core::ids::{ContactId, MailboxId, ObjectKind, SubjectRef};
    use relance_core::user::User;
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
    fn whoever_has_an_account_is_as_the_account_says() {
        let people = people();
        let user = |address: &str, role| {
            let mut user = User::new(address.into(), role, Timestamp::UNIX_EPOCH, String::new());
            user.name = Some("of the account".to_owned());
            (user.address.clone(), Arc::new(user))
        };
        // Boris leads no more; dora has no entry in the configuration, and is of no domain of ours.
        let users: Users = [
            user("boris@elsewhere.test", Role::Salesperson),
            user("dora@far.test", Role::Head),
        ]
        .into();
        people.join(&users);
        let told = people.told(&Recipient::Role("head".into()), &contact(None), None);
        let addresses: Vec<&str> = told.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["clara@elsewhere.test", "dora@far.test"]);
        let owner = people.owner(&contact(Some("Dora@far.test")), None).unwrap();
        assert_eq!(owner.name.as_deref(), Some("of the account"));
        people.join(&Users::new());
        assert_eq!(people.owner(&contact(Some("dora@far.test")), None), None);
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
