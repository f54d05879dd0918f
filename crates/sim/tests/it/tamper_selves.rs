//! Invariants of contacts that become one, of what they said, and of being forgotten, notice what they should.

use relance_core::contact::{Channel, Consent, Contact};
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EnrollmentId};
use relance_sim::history::History;

use crate::tamper::notices;

/// Whoever was absorbed first, by whom, and in which commit; of those for whom `keep` says so.
fn merged(
    history: &History,
    keep: impl Fn(&History, ContactId) -> bool,
) -> Option<(usize, ContactId, ContactId)> {
    let mut commits = history.commits.iter().enumerate();
    commits.find_map(|(place, commit)| {
        commit.effects.iter().find_map(|(contact, effect)| {
            let Effect::Contact(body) = effect else {
                return None;
            };
            let survivor = body.merged_into.filter(|_| keep(history, *contact))?;
            Some((place, *contact, survivor))
        })
    })
}

fn each_contact(history: &mut History, mut change: impl FnMut(&mut Contact)) {
    for commit in &mut history.commits {
        for (_, effect) in &mut commit.effects {
            if let Effect::Contact(body) = effect {
                change(body);
            }
        }
    }
}

#[test]
fn a_refusal_that_a_merge_forgets_is_noticed() {
    notices("a_merge_keeps_the_stricter_answer", |history| {
        let Some((place, absorbed, _)) = merged(history, |_, _| true) else {
            return false;
        };
        let mut refused = false;
        for commit in &mut history.commits[..place] {
            for (_, effect) in &mut commit.effects {
                if let Effect::Contact(body) = effect
                    && body.id == absorbed
                {
                    let denied = Consent::Denied.into();
                    body.channel_consents.insert(Channel::Letter, denied);
                    refused = true;
                }
            }
        }
        refused
    });
}

#[test]
fn what_happens_to_an_absorbed_contact_is_noticed() {
    notices("nothing_happens_to_an_absorbed_contact", |history| {
        let stays = |history: &History, id: ContactId| {
            let bodies = history
                .effects()
                .filter_map(|(_, contact, effect)| match effect {
                    Effect::Contact(body) if contact == id => Some(body),
                    _other => None,
                });
            bodies.last().is_some_and(|body| body.merged_into.is_some())
        };
        let Some((_, absorbed, _)) = merged(history, stays) else {
            return false;
        };
        let last = history.commits.last_mut().expect("a commit");
        let event = Event::track("Visited", last.engine_at);
        last.effects.push((absorbed, Effect::Event(event.into())));
        true
    });
}

#[test]
fn a_journey_that_two_halves_run_is_noticed() {
    notices("a_merged_contact_runs_no_journey_twice", |history| {
        let went_over = history.went_over.clone();
        let mut runs = history.effects().filter_map(|(_, _, effect)| match effect {
            Effect::Enrollment(run) if went_over.contains_key(&run.id) => Some(run.clone()),
            _other => None,
        });
        let found = runs.find(|run| run.is_running());
        drop(runs);
        let Some(mut run) = found else {
            return false;
        };
        run.id = EnrollmentId {
            number: 99_999,
            ..run.id
        };
        let contact = run.id.contact;
        let first = history.commits.first_mut().expect("a commit");
        first.effects.push((contact, Effect::Enrollment(run)));
        true
    });
}

#[test]
fn names_that_a_merge_loses_are_noticed() {
    notices("names_go_over_and_come_back", |history| {
        let known = |history: &History, id: ContactId| {
            let mut names = history.commits.iter().flat_map(|commit| &commit.names);
            names.any(|(contact, names)| *contact == id && !names.is_empty())
        };
        let Some((place, absorbed, survivor)) = merged(history, known) else {
            return false;
        };
        let mut before = history.commits[..place].iter().flat_map(|one| &one.names);
        let had = before.any(|(contact, names)| *contact == absorbed && !names.is_empty());
        let own = &mut history.commits[place].names;
        own.retain(|(contact, _)| *contact == absorbed);
        for commit in &mut history.commits[..place] {
            commit.names.retain(|(contact, _)| *contact != survivor);
        }
        had && !history.commits[place].names.is_empty()
    });
}

#[test]
fn a_message_before_the_yes_is_noticed() {
    notices("nobody_is_written_to_before_they_confirm", |history| {
        each_contact(history, |body| {
            let pending = Consent::Pending.into();
            body.topic_consents.insert("news".into(), pending);
        });
        let mut news = history.deliveries.iter();
        news.any(|one| one.touchpoint.template.as_str() == "news")
    });
}

#[test]
fn a_message_in_a_pause_is_noticed() {
    notices("a_wish_for_silence_is_heard", |history| {
        each_contact(history, |body| {
            body.preferences.paused_until = Some(jiff::Timestamp::MAX);
        });
        let mut news = history.deliveries.iter();
        news.any(|one| one.touchpoint.template.as_str() == "news")
    });
}

#[test]
fn somebody_who_comes_back_is_noticed() {
    notices("an_erased_person_does_not_come_back", |history| {
        let contact = history.addresses.keys().next().copied();
        let back = contact.map(|contact| ("u0".to_owned(), contact));
        history.returned.extend(back);
        contact.is_some()
    });
}
