//! For whom a mail is an answer: the order of precedence, in one place.
//!
//! 1. *Threads*: documents and contacts whose mails it refers to by Message-ID.
//! 2. *Numbers*: documents that it names in its subject or text, if it comes from their contact or somebody of the
//!    same company; from a provider's address only the contact itself, and only by a number that is nothing else.
//! 3. *The person* who wrote it, for everything of theirs.
//! 4. *The company*: everyone at the sender's domain, unless it is a mail provider's.
//!
//! A mail of the first two answers what it names and nothing else; both count together, so that "invoices 12 and 13 are
//! paid" in the thread of 12 answers both. **Absent:** what follows from an answer.

use std::collections::BTreeMap;

use crate::address;
use crate::ids::{ContactId, SubjectRef};
use crate::policy::Policy;
use crate::subject::Object;
use crate::value::Value;

use super::{Acquaintance, MailSeen, NamedNumber};

/// Recipients of one mail that are looked at.
pub const RECIPIENTS_MAX: usize = 10;

/// A document whose number a mail names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Whose.
    pub contact: ContactId,
    /// Which.
    pub subject: SubjectRef,
    /// Whether its number is nothing else.
    pub is_distinctive: bool,
}

/// Addresses of contacts that a mail may concern.
pub type Addresses = BTreeMap<ContactId, Vec<String>>;

/// How an address stands to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is the contact's own.
    Own {
        /// At a mail provider.
        freemail: bool,
    },
    /// Somebody of the same company.
    Colleague,
    Stranger,
}

fn standing(email: &str, contact: ContactId, known: &Acquaintance, policy: &Policy) -> Standing {
    let email = address::normal(email);
    let own = known.addresses.get(&contact).map_or(&[][..], Vec::as_slice);
    let Some((_, domain)) = email.rsplit_once('@') else {
        return Standing::Stranger;
    };
    let freemail = policy.freemail_domains.contains(domain);
    if own.iter().any(|one| address::normal(one) == email) {
        return Standing::Own { freemail };
    }
    let same_domain = |one: &String| {
        address::normal(one)
            .rsplit_once('@')
            .is_some_and(|(_, other)| other == domain)
    };
    if !freemail && own.iter().any(same_domain) {
        Standing::Colleague
    } else {
        Standing::Stranger
    }
}

/// Whether a number that a mail names is a document's, or was an earlier version's.
pub fn is_number_of(named: &NamedNumber, document: &Object) -> bool {
    let named = super::document::normal(&named.number);
    let earlier = match document.fields.get("versions") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(_) | None => &[],
    };
    let earlier = earlier.iter().filter_map(|one| one.get("number"));
    let mut numbers = document.fields.get("number").into_iter().chain(earlier);
    !named.is_empty()
        && numbers.any(|number| match number {
            Value::String(text) => super::document::normal(text) == named,
            Value::Number(number) => number.to_string() == named,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        })
}

/// What a mail that came in names: its threads, and documents by their numbers.
pub(super) fn named(
    mail: &MailSeen,
    known: &Acquaintance,
    policy: &Policy,
) -> Vec<(ContactId, Option<SubjectRef>)> {
    let mut named = known.threads.clone();
    let Some(from) = &mail.from else {
        return named;
    };
    for one in &known.numbered {
        let counts = match standing(&from.email, one.contact, known, policy) {
            Standing::Own { freemail } => !freemail || one.is_distinctive,
            Standing::Colleague => true,
            Standing::Stranger => false,
        };
        let about = (one.contact, Some(one.subject.clone()));
        if counts && !named.contains(&about) {
            named.push(about);
        }
    }
    named
}

/// Documents that one of us wrote about to their own people: in their thread, or by their number.
pub(super) fn followed_up(
    mail: &MailSeen,
    known: &Acquaintance,
    policy: &Policy,
) -> Vec<(ContactId, SubjectRef)> {
    let to_them = |contact: ContactId| {
        let outside = mail.to.iter().take(RECIPIENTS_MAX);
        outside.into_iter().any(|to| {
            !policy.is_internal(crate::contact::Channel::Email, &to.email)
                && standing(&to.email, contact, known, policy) != Standing::Stranger
        })
    };
    let threads = known.threads.iter().cloned();
    let threads = threads.filter_map(|(contact, subject)| Some((contact, subject?)));
    let numbered = known.numbered.iter();
    let numbered = numbered.map(|one| (one.contact, one.subject.clone()));
    let mut all: Vec<(ContactId, SubjectRef)> = Vec::new();
    for about in threads.chain(numbered) {
        if about.1.kind.as_str() == super::DOCUMENT && to_them(about.0) && !all.contains(&about) {
            all.push(about);
        }
    }
    all
}
