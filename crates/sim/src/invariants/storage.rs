//! What was told is kept, once.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::{ContactId, TouchpointId};
use relance_core::touchpoint::Touchpoint;

use crate::history::History;

fn count(history: &History, id: &str) -> usize {
    let events = history.logged.values().flatten();
    events
        .filter(|event| event.message_id.as_deref() == Some(id))
        .count()
}

/// What a caller was told to be safe, and every document and answer in a mailbox, is in the log.
pub fn nothing_acknowledged_is_lost(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let gone = history.gone_with_erased();
    let forgotten: BTreeSet<&String> = {
        let own = |email: &String| {
            let mut owners = history.addresses.iter();
            owners.any(|(contact, address)| address == email && gone.contains(contact))
        };
        let people = history.people.iter();
        people
            .filter(|(user, email)| history.forgotten.contains(user) || own(email))
            .flat_map(|(user, email)| [user, email])
            .collect()
    };
    // An object that two contacts know after they were one is told of to both.
    let may_double = history.has_merges();
    for (at, event) in &history.acknowledged {
        let Some(id) = &event.message_id else {
            continue;
        };
        let found = count(history, id);
        let of_forgotten = forgotten.iter().any(|who| {
            let rest = id.strip_prefix(who.as_str());
            rest.is_some_and(|rest| rest.starts_with('-'))
        });
        let read = id.strip_prefix("read-").and_then(|id| id.rsplit_once('-'));
        let read: Option<TouchpointId> = read.and_then(|(id, _)| id.parse().ok());
        let of_forgotten = of_forgotten || read.is_some_and(|id| gone.contains(&id.contact));
        if found != 1 && !(of_forgotten && found == 0) && !(may_double && found > 1) {
            broken.push(format!(
                "{id} ({}), acknowledged at {at}, is in the log {found} times",
                event.name
            ));
        }
    }
    let is_forgotten = |email: &String| forgotten.contains(email);
    for document in history.documents.keys() {
        let found = count(history, &format!("mail:{document}:Document Sent"));
        let of_forgotten = history.recipients.get(document).is_some_and(is_forgotten);
        if found != 1 && !(of_forgotten && found == 0) {
            broken.push(format!("{document} is in the log {found} times"));
        }
    }
    for reply in history
        .replies
        .iter()
        .filter(|reply| !reply.answers_for.iter().all(is_forgotten))
    {
        if count(history, &format!("mail:{}:Replied", reply.mail)) == 0 {
            broken.push(format!("{} is not in the log", reply.mail));
        }
    }
    broken
}

/// No contact's log holds the same event about the same thing twice.
pub fn same_event_twice_changes_nothing(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    for (contact, events) in &history.logged {
        let mut seen = BTreeSet::new();
        for event in events {
            let Some(id) = &event.message_id else {
                continue;
            };
            if !seen.insert((id.clone(), event.subject.clone())) {
                broken.push(format!("{id} of {contact}"));
            }
        }
    }
    broken
}

/// The store holds the last state of every message, and the events of every commit.
pub fn store_holds_what_was_decided(history: &History) -> Vec<String> {
    let mut last: BTreeMap<TouchpointId, &Touchpoint> = BTreeMap::new();
    let mut events: BTreeMap<ContactId, Vec<&Event>> = BTreeMap::new();
    for (_, contact, effect) in history.effects() {
        match effect {
            Effect::Touchpoint(touchpoint) => drop(last.insert(touchpoint.id, touchpoint)),
            Effect::Event(event) => events.entry(contact).or_default().push(event),
            _other => {}
        }
    }
    let mut broken = Vec::new();
    let is_gone = |contact: &ContactId| history.erased.contains(contact);
    for (id, decided) in last.into_iter().filter(|(id, _)| !is_gone(&id.contact)) {
        if history.stored.get(&id) != Some(decided) {
            broken.push(format!(
                "{id}: decided {decided:?}, stored {:?}",
                history.stored.get(&id)
            ));
        }
    }
    for (contact, decided) in events.into_iter().filter(|(contact, _)| !is_gone(contact)) {
        let logged = history.logged.get(&contact).map_or(0, Vec::len);
        if logged != decided.len() {
            broken.push(format!(
                "{contact}: {} events decided, {logged} stored",
                decided.len()
            ));
        }
    }
    broken
}
