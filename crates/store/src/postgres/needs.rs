//! What inputs need beside their contacts: objects, entries, history, memberships; of many contacts at once,
//! with one statement for each sort, all on their way together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::contact::{Contact, SuppressionReason};
use relance_core::enrollment;
use relance_core::event::{Event, HISTORY_EVENTS_MAX, History};
use relance_core::ids::{ContactId, EventName, JourneyId, ObjectKind, SegmentId, SubjectRef};
use relance_core::segment::Membership;
use relance_core::snapshot::Snapshot;
use relance_core::subject::relations;
use relance_core::suppression::{Listed, SuppressionKey, keys_of};
use relance_core::world::Needs;
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_event, read_object, read_reason};

use super::PostgresStore;
use super::contacts::limit_column;
use super::error::{PgLocated, unreadable};
use super::session::Ask;
use super::text::{key, word};
use super::workspace::{place, subject};
use crate::sqlite::column::{contact_key, moment};
use crate::sqlite::{ENTRIES_MAX, OBJECTS_OF_KIND_MAX};

/// The moment of a name under which the contact did nothing itself.
pub(super) const NO_ACTIVITY: i64 = i64::MIN;

/// The objects that those at hand name, where they are asked for.
fn related(snapshot: &Snapshot, needs: &Needs) -> Needs {
    let objects = snapshot.objects.values().filter(|_| needs.related);
    let named = objects.flat_map(relations);
    let missing = named.filter(|subject| !snapshot.objects.contains_key(subject));
    Needs {
        objects: missing.collect(),
        ..Needs::default()
    }
}

/// What is asked, of which of the contacts.
struct Wanted<T>(Vec<(usize, T)>);

impl<T> Wanted<T> {
    /// The contacts as a column.
    fn contacts(&self, of: &[(&mut Snapshot, &Needs)]) -> Vec<i64> {
        let key = |(at, _): &(usize, T)| contact_key(of[*at].0.contact.id);
        self.0.iter().map(key).collect()
    }

    /// What the row is about.
    fn of(&self, row: &tokio_postgres::Row, table: &str) -> Result<(usize, &T), StoreError> {
        let n = place(row).at(table, "")?;
        let wanted = self.0.get(n).map(|(at, what)| (*at, what));
        wanted.ok_or_else(|| unreadable(table, n, "nobody asked for it"))
    }
}

/// What each contact needs, in a list.
fn wanted<'a, T: 'a, I: IntoIterator<Item = T>>(
    of: &[(&mut Snapshot, &'a Needs)],
    needs: impl Fn(&Snapshot, &'a Needs) -> I,
) -> Wanted<T> {
    let each = |(at, (snapshot, asked)): (usize, &(&mut Snapshot, &'a Needs))| {
        let list: Vec<(usize, T)> = needs(snapshot, asked)
            .into_iter()
            .map(|one| (at, one))
            .collect();
        list
    };
    Wanted(of.iter().enumerate().flat_map(each).collect())
}

impl PostgresStore {
    pub(super) fn load_more(
        &mut self,
        mut of: Vec<(&mut Snapshot, &Needs)>,
    ) -> Result<(), StoreError> {
        let each = of
            .iter_mut()
            .map(|(snapshot, needs)| (&mut **snapshot, *needs));
        self.load_step(each.collect())?;
        let named: Vec<Needs> = of
            .iter()
            .map(|(snapshot, needs)| related(snapshot, needs))
            .collect();
        let again = of.iter_mut().zip(&named);
        let again = again.filter(|(_, named)| !named.is_empty());
        let again: Vec<_> = again.map(|((one, _), named)| (&mut **one, named)).collect();
        match again.is_empty() {
            true => Ok(()),
            false => self.load_step(again),
        }
    }

    fn load_step(&mut self, mut of: Vec<(&mut Snapshot, &Needs)>) -> Result<(), StoreError> {
        self.learn_segments(of.iter().flat_map(|(_, needs)| &needs.segments))?;
        self.load_accounts(&mut of)?;
        let objects: Wanted<&SubjectRef> = wanted(&of, |snapshot, needs| {
            let is_there = |one: &&SubjectRef| !snapshot.objects.contains_key(*one);
            needs.objects.iter().filter(is_there).collect::<Vec<_>>()
        });
        let kinds: Wanted<&ObjectKind> = wanted(&of, |_, needs| &needs.kinds);
        let entries: Wanted<&JourneyId> = wanted(&of, |_, needs| &needs.entries);
        let histories: Wanted<(&EventName, ContactId)> = wanted(&of, |snapshot, needs| {
            let past = pasts(&snapshot.contact);
            let of_all = |name| past.clone().into_iter().map(move |past| (name, past));
            needs.history.iter().flat_map(of_all).collect::<Vec<_>>()
        });
        let active: Wanted<ContactId> = wanted(&of, |snapshot, needs| {
            let past = needs.last_event.then(|| pasts(&snapshot.contact));
            past.into_iter().flatten()
        });
        let listed: Wanted<SuppressionKey> = wanted(&of, |snapshot, needs| {
            let keys = needs.listed.then(|| keys_of(&snapshot.contact));
            keys.into_iter().flatten()
        });
        let numbers = &self.segment_numbers;
        let members: Wanted<(&SegmentId, i32)> = wanted(&of, |snapshot, needs| {
            let is_there = |id: &&SegmentId| !snapshot.memberships.contains_key(*id);
            let number = |id| Some((id, *numbers.get(id)?));
            needs
                .segments
                .iter()
                .filter(is_there)
                .filter_map(number)
                .collect::<Vec<_>>()
        });

        let object_contacts = objects.contacts(&of);
        let object_kinds: Vec<_> = objects
            .0
            .iter()
            .map(|(_, one)| word(one.kind.as_str()))
            .collect();
        let object_ids: Vec<_> = objects.0.iter().map(|(_, one)| key(&one.id)).collect();
        let kind_contacts = kinds.contacts(&of);
        let kind_names: Vec<_> = kinds
            .0
            .iter()
            .map(|(_, kind)| word(kind.as_str()))
            .collect();
        let kind_limit = limit_column(OBJECTS_OF_KIND_MAX);
        let entry_contacts = entries.contacts(&of);
        let entry_journeys: Vec<_> = entries.0.iter().map(|(_, id)| word(id.as_str())).collect();
        let entry_limit = limit_column(ENTRIES_MAX);
        let history_contacts: Vec<i64> = histories
            .0
            .iter()
            .map(|(_, (_, past))| contact_key(*past))
            .collect();
        let history_names: Vec<_> = histories
            .0
            .iter()
            .map(|(_, (name, _))| key(name.as_str()))
            .collect();
        let history_limit = i32::try_from(HISTORY_EVENTS_MAX).unwrap_or(i32::MAX);
        let active_contacts: Vec<i64> = active
            .0
            .iter()
            .map(|(_, past)| contact_key(*past))
            .collect();
        let listed_kinds: Vec<&str> = listed.0.iter().map(|(_, one)| one.kind.word()).collect();
        let listed_values: Vec<_> = listed.0.iter().map(|(_, one)| key(&one.value)).collect();
        let member_contacts = members.contacts(&of);
        let member_numbers: Vec<i32> = members.0.iter().map(|(_, (_, number))| *number).collect();

        let sql = &self.sql;
        let all = [
            Ask::new(
                sql.object_get,
                vec![&object_contacts, &object_kinds, &object_ids],
            ),
            Ask::new(
                sql.object_list,
                vec![&kind_contacts, &kind_names, &kind_limit],
            ),
            Ask::new(
                sql.entry_list,
                vec![&entry_contacts, &entry_journeys, &entry_limit],
            ),
            Ask::new(
                sql.event_history,
                vec![&history_contacts, &history_names, &history_limit],
            ),
            Ask::new(sql.event_last_at, vec![&active_contacts]),
            Ask::new(sql.member_get, vec![&member_contacts, &member_numbers]),
            Ask::new(sql.suppression_get, vec![&listed_kinds, &listed_values]),
        ];
        let is_asked = [
            !objects.0.is_empty(),
            !kinds.0.is_empty(),
            !entries.0.is_empty(),
            !histories.0.is_empty(),
            !active.0.is_empty(),
            !members.0.is_empty(),
            !listed.0.is_empty(),
        ];
        let asks: Vec<Ask<'_>> = all
            .into_iter()
            .zip(is_asked)
            .filter_map(|(ask, is_asked)| is_asked.then_some(ask))
            .collect();
        let answers = if asks.is_empty() {
            Vec::new()
        } else {
            self.ask(asks)?
        };
        let mut answers = answers.into_iter();
        let mut rows = is_asked.map(|is_asked| {
            let answer = if is_asked { answers.next() } else { None };
            answer.unwrap_or_default().rows
        });
        let [
            object_rows,
            kind_rows,
            entry_rows,
            history_rows,
            active_rows,
            member_rows,
            listed_rows,
        ] = &mut rows;

        for row in object_rows {
            let (at, subject) = objects.of(row, "object")?;
            let snapshot = &mut *of[at].0;
            let id = snapshot.contact.id;
            let body: &str = row.try_get(1).at("object of", id)?;
            let object = read_object((*subject).clone(), body).at("object of", id)?;
            snapshot.objects.insert((*subject).clone(), object);
        }
        for row in kind_rows {
            let (at, kind) = kinds.of(row, "object")?;
            let snapshot = &mut *of[at].0;
            let id = snapshot.contact.id;
            let subject = SubjectRef {
                kind: (*kind).clone(),
                id: row.try_get::<_, &str>(1).at("object of", id)?.into(),
            };
            // Those that the snapshot has are newer than the stored ones, or the same.
            if let Entry::Vacant(place) = snapshot.objects.entry(subject) {
                let body: &str = row.try_get(2).at("object of", id)?;
                let object = read_object(place.key().clone(), body).at("object of", id)?;
                place.insert(object);
            }
        }
        for row in entry_rows {
            let (at, journey) = entries.of(row, "entry")?;
            let snapshot = &mut *of[at].0;
            let id = snapshot.contact.id;
            let subject = subject(row, 1).at("entry of", id)?;
            let entered: i64 = row.try_get(3).at("entry of", id)?;
            let is_same =
                |one: &enrollment::Entry| one.journey == **journey && one.subject == subject;
            // Here too.
            if !snapshot.entries.iter().any(is_same) {
                snapshot.entries.push(enrollment::Entry {
                    journey: (*journey).clone(),
                    subject,
                    at: moment(entered),
                });
            }
        }
        let mut told: Vec<Vec<Event>> = histories.0.iter().map(|_| Vec::new()).collect();
        for row in history_rows {
            let (_, (_, past)) = histories.of(row, "event")?;
            let body: &str = row.try_get(1).at("event of", past)?;
            let event = read_event(body).at("event of", past)?;
            told[place(row).at("event of", past)?].push(event);
        }
        let mut told = told.into_iter();
        for chunk in histories.0.chunk_by(|a, b| a.0 == b.0) {
            let Some((at, _)) = chunk.first() else {
                continue;
            };
            let snapshot = &mut *of[*at].0;
            let mut of_names: Vec<(&EventName, Vec<Event>)> = Vec::new();
            for pasts in chunk.chunk_by(|a, b| a.1.0 == b.1.0) {
                let mut events: Vec<Event> = told.by_ref().take(pasts.len()).flatten().collect();
                if !snapshot.contact.absorbed.is_empty() {
                    without_echoes(&mut events);
                }
                of_names.extend(pasts.first().map(|(_, (name, _))| (*name, events)));
            }
            merge_history(snapshot, of_names);
        }
        for row in active_rows {
            let (at, past) = active.of(row, "event_head")?;
            let last: i64 = row.try_get(1).at("event_head", past)?;
            if last != NO_ACTIVITY {
                let snapshot = &mut *of[at].0;
                snapshot.last_event_at = snapshot.last_event_at.max(Some(moment(last)));
            }
        }
        for row in member_rows {
            let (at, (segment, _)) = members.of(row, "member")?;
            let due: Option<i64> = row.try_get(2).at("member of", segment)?;
            let membership = Membership {
                member: row.try_get(1).at("member of", segment)?,
                due: due.map(moment),
            };
            of[at].0.memberships.insert((*segment).clone(), membership);
        }
        let mut reasons: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for row in listed_rows {
            let (at, key) = listed.of(row, "suppression")?;
            let reason: &str = row.try_get(1).at("suppression", key.kind.word())?;
            // A reason of a later version is a reason all the same.
            let reason = read_reason(reason).unwrap_or(SuppressionReason::Manual);
            reasons.entry(at).or_default().push((key.kind, reason));
        }
        for (at, (snapshot, needs)) in of.iter_mut().enumerate() {
            if needs.listed {
                let found = reasons.remove(&at).unwrap_or_default();
                snapshot.listed = Some(Listed::new(&snapshot.contact, &found));
            }
        }
        Ok(())
    }
}

/// The contacts whose past is a contact's own: itself, and whom it absorbed.
fn pasts(contact: &Contact) -> Vec<ContactId> {
    std::iter::once(contact.id)
        .chain(contact.absorbed.iter().copied())
        .collect()
}

/// What was told to two contacts that are one now happened once. Leaves the rest newest first.
fn without_echoes(events: &mut Vec<Event>) {
    let mut known = BTreeSet::new();
    events.retain(|event| match &event.message_id {
        Some(id) => known.insert(id.clone()),
        None => true,
    });
    // Stable: of one moment, what arrived last stays first.
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
}

/// The newest events of the names asked, together with those that the snapshot has already: written or
/// not, each once. Of each name they come newest first.
fn merge_history(snapshot: &mut Snapshot, of_names: Vec<(&EventName, Vec<Event>)>) {
    let mut stored: Vec<Event> = Vec::new();
    for (name, mut events) in of_names {
        let mut own: Vec<&Event> = snapshot.history.of(name).collect();
        events.retain(|event| match own.iter().position(|other| *other == event) {
            Some(place) => {
                own.swap_remove(place);
                false
            }
            None => true,
        });
        // Oldest first, so that events of one moment stay in order of arrival.
        stored.extend(events.into_iter().rev());
    }
    stored.sort_by_key(|event| event.at);
    let surplus = stored.len().saturating_sub(HISTORY_EVENTS_MAX);
    let stored = stored.into_iter().skip(surplus).map(Arc::new);
    if snapshot.history == History::default() {
        snapshot.history = History::new(stored.collect());
    } else {
        stored.for_each(|event| snapshot.history.push(event));
    }
}
