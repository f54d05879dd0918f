//! A mailbox that is silent is told: once when it falls silent, and once when it is well again.
//!
//! The letters go by the workspace's route to the mailbox's owner, to those who work with it and to the admins; never by
//! the mailbox itself. That it was told is kept in the database, so a restart, or another node, tells it no second time.
//!
//! **Absent:** when a mailbox counts as silent (see [`super::shown`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use relance_core::access::Role;
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use serde::{Deserialize, Serialize};

use super::book::Entry;
use super::shown::{Looked, alert_after, synced};
use crate::send::post::Letter;
use crate::workspace::Workspace;

/// The sort of assets that say what was told; the name is the address of the mailbox.
const KIND: &str = "mailbox_alert";
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Admins who are written to.
const ADMINS_MAX: usize = 10;

const TEXTS: [(&str, &str); 3] = [
    (
        "en",
        include_str!("../../../../assets/words/mailboxes.en.toml"),
    ),
    (
        "ja",
        include_str!("../../../../assets/words/mailboxes.ja.toml"),
    ),
    (
        "ru",
        include_str!("../../../../assets/words/mailboxes.ru.toml"),
    ),
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    silent: Text,
    well: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    subject: String,
    text: String,
}

fn texts() -> &'static BTreeMap<&'static str, Texts> {
    static ALL: OnceLock<BTreeMap<&'static str, Texts>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |(language, text): (&'static str, &str)| {
            let texts: Option<Texts> = toml::from_str(text).ok();
            Some((language, texts?))
        };
        TEXTS.into_iter().filter_map(read).collect()
    })
}

/// What was told of a mailbox.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    v: u8,
    at: Timestamp,
}

/// Looks again and again, for as long as the workspace lives.
pub fn keep(workspace: &Arc<Workspace>) {
    let workspace = Arc::downgrade(workspace);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let Some(workspace) = workspace.upgrade() else {
                return;
            };
            look(&workspace, workspace.clock.now()).await;
        }
    });
}

/// Mailboxes that are silent now, of those that this program knows enough of.
pub async fn silent(
    workspace: &Arc<Workspace>,
    now: Timestamp,
) -> Vec<(Arc<Entry>, Option<Timestamp>)> {
    let config = workspace.config();
    let Ok(alert_after) = alert_after(&config.mailboxes.alert_after) else {
        return Vec::new();
    };
    let of = workspace.clone();
    let known = tokio::task::spawn_blocking(move || of.reader.mailboxes()).await;
    let known = known.ok().and_then(Result::ok).unwrap_or_default();
    let health = workspace.mailboxes.health();
    let synced = synced(&health, &known);
    let all = workspace.watching.book.all().into_iter();
    all.filter_map(|entry| {
        let synced_at = synced.get(entry.address.as_str()).copied();
        let looked = Looked {
            entry: &entry,
            health: health.get(entry.address.as_str()),
            synced_at,
            now,
            alert_after,
        };
        looked.is_silent().then(|| (entry.clone(), synced_at))
    })
    .collect()
}

/// Tells what is new, once.
pub async fn look(workspace: &Arc<Workspace>, now: Timestamp) {
    let silent = silent(workspace, now).await;
    workspace.metrics.silent_mailboxes.set(silent.len() as u64);
    // A copy tells nobody, of several nodes one speaks, and in a demonstration time runs too fast for letters.
    let is_played = workspace.demo.get().is_some();
    if workspace.copy.quiet().is_some() || !workspace.is_first() || is_played {
        return;
    }
    let of = workspace.clone();
    let told = tokio::task::spawn_blocking(move || of.reader.texts(KIND)).await;
    let Ok(Ok(told)) = told else {
        return;
    };
    let told: BTreeSet<String> = told.into_iter().map(|text| text.name).collect();
    for (entry, since) in &silent {
        if !told.contains(&entry.address) && note(workspace, &entry.address, Some(now)).await {
            tracing::error!("a mailbox is silent: reminders that depend on it are held");
            tell(workspace, entry, *since, |texts| &texts.silent).await;
        }
    }
    for address in told {
        if silent.iter().any(|(entry, _)| entry.address == address) {
            continue;
        }
        let entry = workspace.watching.book.find(&address);
        if note(workspace, &address, None).await
            && let Some(entry) = entry.filter(|entry| !entry.stored.paused)
        {
            tell(workspace, &entry, Some(now), |texts| &texts.well).await;
        }
    }
}

/// Keeps that it was told, before it is: told twice is worse than told by the page alone.
async fn note(workspace: &Arc<Workspace>, address: &str, at: Option<Timestamp>) -> bool {
    let asset = Asset {
        kind: KIND.to_owned(),
        name: address.to_owned(),
        body: at.and_then(|at| serde_json::to_string(&Told { v: 1, at }).ok()),
    };
    workspace
        .submit(vec![Arrival::Asset(asset)], 512)
        .await
        .is_ok()
}

async fn tell(
    workspace: &Arc<Workspace>,
    entry: &Entry,
    since: Option<Timestamp>,
    of: fn(&Texts) -> &Text,
) {
    let config = workspace.config();
    let users = workspace.access.users();
    let owner = std::iter::once(&entry.address).chain(&entry.stored.members);
    let owners = owner.filter_map(|address| users.get(address.as_str()));
    let admins = users.values().filter(|user| user.role == Role::Admin);
    let mut written = BTreeSet::new();
    for user in owners.chain(admins.take(ADMINS_MAX)) {
        if !written.insert(user.address.clone()) {
            continue;
        }
        // A letter to the silent mailbox itself would lie there unread by us, but not by its owner.
        let wanted = user
            .language
            .as_deref()
            .unwrap_or(&config.workspace.language);
        let Some(texts) = texts().get(wanted).or_else(|| texts().get("en")) else {
            continue;
        };
        let since = since.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let url = config.workspace.public_url.trim_end_matches('/');
        let fill = |text: &str| {
            text.replace("{mailbox}", &entry.address)
                .replace("{since}", &since)
                .replace("{link}", &format!("{url}/mailboxes"))
        };
        let text = of(texts);
        let letter = Letter {
            to: user.address.to_string(),
            to_name: user.name.clone(),
            subject: fill(&text.subject),
            text: fill(&text.text),
            html: None,
        };
        if let Err(problem) = workspace.post(letter).await {
            tracing::warn!(%problem, "nobody could be told of a silent mailbox");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_are_there_in_each_language() {
        for (language, _) in TEXTS {
            let of = texts().get(language).expect(language);
            for text in [&of.silent, &of.well] {
                assert!(text.subject.contains("{mailbox}"), "{language}");
                assert!(text.text.contains("{link}"), "{language}");
            }
        }
    }
}
