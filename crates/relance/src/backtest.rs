//! A journey over the stored history of a workspace, beside the version in force: nothing is sent, nothing
//! is written. It reads the database through a read-only connection and decides in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::backtest::{Backtest, Report};
use relance_core::contact::{Channel, Contact};
use relance_core::event::{Event, names};
use relance_core::journey::Journey;
use relance_core::ledger::Reason;
use relance_core::time::date_of;
use relance_core::world::World;
use relance_engine::ports::StoredSegment;
use relance_store::read::{ContactHistory, ReadError, Reader};
use serde_json::{Value, json};

use crate::config::Config;
use crate::content;
use crate::keys;
use crate::policy::{calendars, policy};
use crate::scenario::apply::{LIST, TEMPLATE, items_of};
use crate::segments::rfm::{BOUNDS, RFM};
use crate::workspace::{OpenProblem, salt};

/// Why a backtest could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BacktestProblem {
    /// The database cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the workspace is made of cannot be used.
    #[error(transparent)]
    Open(#[from] OpenProblem),
    /// The caller stopped it.
    #[error("stopped")]
    Stopped,
}

/// A journey, and the one in force beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The journey that was asked about.
    pub candidate: Report,
    /// The version in force, where it is another one.
    pub current: Option<Report>,
}

/// The world that a workspace decides under, read beside it.
pub fn world_of(reader: &Reader, config: &Config) -> Result<World, BacktestProblem> {
    let texts = |kind| -> Result<BTreeMap<String, String>, ReadError> {
        let texts = reader.texts(kind)?;
        Ok(texts.into_iter().map(|one| (one.name, one.body)).collect())
    };
    let secret = keys::stored_secret(&texts(keys::SECRET)?);
    let policy = policy(config).map_err(OpenProblem::from)?;
    let mut world = World::new(policy, secret.as_deref().map_or(0, salt));
    world.calendars = calendars();
    world.lists = items_of(&texts(LIST)?);
    world.templates = content::facts(&texts(TEMPLATE)?)?;
    let defined = reader.segments()?.into_iter().filter_map(|row| {
        let text = row.text?;
        Some(StoredSegment { id: row.id, text })
    });
    let bounds = texts(RFM)?.remove(BOUNDS);
    let settings = config.rfm.settings();
    content::add_segments(defined, bounds.as_deref(), &settings, &mut world)?;
    let versions = reader.journeys()?.into_iter().map(|one| one.journey);
    content::add_journeys(versions, &settings, &mut world)?;
    for id in reader.paused_journeys()? {
        world.set_paused(&id, true);
    }
    Ok(world)
}

/// Plays what happened since a moment through a journey: `text` is a draft, or `None` for the version in
/// force. `progress` is told how many events of how many were played, and says whether to go on.
pub fn run(
    reader: &Reader,
    config: &Config,
    journey: Arc<Journey>,
    since: Timestamp,
    until: Timestamp,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Compared, BacktestProblem> {
    let world = world_of(reader, config)?;
    let current = world
        .current(&journey.id)
        .filter(|current| {
            ***current
                != Journey {
                    version: current.version,
                    ..(*journey).clone()
                }
        })
        .cloned();
    let mut beside = current.map(|current| Backtest::new(world.clone(), current, since, until));
    let mut candidate = Backtest::new(world, journey, since, until);
    let total = reader.history_events(since)?;
    let mut done = 0;
    let mut failed = None;
    let mut stopped = false;
    reader.history(since, |history| {
        done += history.events.len() as u64;
        match reader.contact(history.contact) {
            Ok(Some(contact)) => {
                let contact = as_before(contact, &history, since);
                if let Some(beside) = &mut beside {
                    beside.contact(contact.clone(), &history.events);
                }
                candidate.contact(contact, &history.events);
            }
            // Erased meanwhile.
            Ok(None) => {}
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        let flow = progress(done, total.max(done));
        stopped = flow.is_break();
        flow
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None if stopped => Err(BacktestProblem::Stopped),
        None => Ok(Compared {
            candidate: candidate.report(),
            current: beside.map(Backtest::report),
        }),
    }
}

/// A contact as it may have been: with the traits of today, without what the period itself brought.
fn as_before(mut contact: Contact, history: &ContactHistory, since: Timestamp) -> Contact {
    let told = |name: &str| {
        let mut events = history.events.iter();
        events.any(|event: &Arc<Event>| event.name.as_str() == name)
    };
    contact.sends.retain(|mark| mark.at < since);
    contact.seen.clear();
    contact.enrollments = 0;
    if told(names::UNSUBSCRIBED) {
        contact.channel_consents.clear();
        contact.topic_consents.clear();
    }
    if told(names::EMAIL_BOUNCED) || told(names::EMAIL_MARKED_AS_SPAM) {
        contact.suppressed.remove(&Channel::Email);
    }
    contact
}

/// A comparison as data.
pub fn value(compared: &Compared) -> Value {
    json!({
        "candidate": report_value(&compared.candidate),
        "current": compared.current.as_ref().map(report_value),
    })
}

fn report_value(report: &Report) -> Value {
    let by = |map: &BTreeMap<Reason, u64>| -> Value {
        let pairs = map
            .iter()
            .map(|(reason, count)| (reason.word().to_owned(), json!(count)));
        Value::Object(pairs.collect())
    };
    let days: Vec<Value> = report
        .days
        .iter()
        .map(|(day, count)| json!({ "day": date_of(*day).to_string(), "messages": count }))
        .collect();
    let hit: Vec<Value> = report
        .hit_most
        .iter()
        .map(|(contact, count)| json!({ "contact": contact.to_string(), "messages": count }))
        .collect();
    json!({
        "contacts": report.contacts,
        "events": report.events,
        "enrolled": report.enrolled,
        "held_out": report.held_out,
        "not_enrolled": by(&report.not_enrolled),
        "messages": report.messages,
        "messages_by_template": report.templates,
        "messages_by_day": days,
        "asked_for_approval": report.asked,
        "held": by(&report.held),
        "not_sent": by(&report.dropped),
        "tasks": report.tasks,
        "exited": by(&report.exited),
        "finished": report.finished,
        "converted": report.converted,
        "contacts_hit_most": hit,
    })
}
