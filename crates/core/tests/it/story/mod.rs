//! Stories: the product as examples, text in, text out.
//!
//! A file holds stories, each under a line `== what is told`. First come the rules of the world, then what
//! happens, a moment a line; behind `->` stands all that is seen since the moment before, in order:
//!
//! ```text
//! == an offer without an answer is brought to mind
//! journey offer: on "Document Sent" about document
//!   wait 3bd in mon-fri 09:00-18:00
//!   email reminder-1
//!   exit Replied
//! 2026-03-02 10:00  Document Sent document=d1  -> enrolled
//! 2026-03-05 10:00                             -> would_send reminder-1
//! 2026-03-06 12:00  Replied document=d1        -> exited exit_event; ...
//! ```
//!
//! Lines that a wait begins are left out. An expected ` @ TIME` is compared, where it stands, with the
//! moment in the workspace's zone. A story that says `wire by hand` is told by [`rig::Rig`], where messages
//! stay in flight until a line settles them; all others by [`Play`](relance_core::play::Play).

pub mod act;
pub mod entropy;
pub mod journey;
pub mod rig;
pub mod world;

use jiff::Timestamp;
use relance_core::ledger::{LedgerEntry, What};
use relance_core::play::Seen;

use self::world::StoryWorld;

/// Tells every story of a file, and reports all that went otherwise.
#[track_caller]
pub fn check(text: &str) {
    let mut told = 0;
    let mut wrong = Vec::new();
    for story in text.split("\n== ").skip(1) {
        let (title, body) = story.split_once('\n').unwrap_or((story, ""));
        told += 1;
        let differences = tell(body);
        if !differences.is_empty() {
            wrong.push(format!("== {title}\n{}", differences.join("\n")));
        }
    }
    assert!(told > 0, "the file tells no story");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
}

/// One thing that was seen.
#[derive(Debug, Clone)]
pub struct Sight {
    at: Timestamp,
    contact: u64,
    text: String,
}

/// Tells one story; returns what went otherwise.
fn tell(body: &str) -> Vec<String> {
    let lines: Vec<&str> = body
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .collect();
    let first = lines
        .iter()
        .position(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or(lines.len());
    let (rules, happenings) = lines.split_at(first);
    assert!(
        !happenings.is_empty(),
        "nothing happens in the story:\n{body}"
    );
    let world = StoryWorld::read(rules);
    let mut driver = world.driver();
    let mut wrong = Vec::new();
    for line in happenings {
        let (left, expected) = line
            .split_once("->")
            .unwrap_or_else(|| panic!("expected `->` in: {line}"));
        let mut sights = Vec::new();
        act::happen(&world, &mut driver, left.trim(), &mut sights);
        let got: Vec<(String, String)> = sights
            .iter()
            .map(|sight| (world.word(sight), world.zone.local(sight.at).to_string()))
            .collect();
        let expected: Vec<&str> = expected
            .split(';')
            .map(str::trim)
            .filter(|one| !one.is_empty() && *one != "nothing")
            .collect();
        let same = expected.len() == got.len()
            && expected.iter().zip(&got).all(|(expected, (word, at))| {
                match expected.split_once(" @ ") {
                    Some((text, time)) => text == word && at.replace('T', " ").starts_with(time),
                    None => expected == word,
                }
            });
        if !same {
            let got: Vec<String> = got
                .iter()
                .map(|(word, at)| format!("{word} @ {}", at.replace('T', " ")))
                .collect();
            wrong.push(format!(
                "  {}\n    expected {}\n    got      {}",
                left.trim(),
                expected.join("; "),
                got.join("; ")
            ));
        }
    }
    wrong
}

/// What is seen, in the words of the stories; `None` for what they leave out.
fn words(seen: &Seen, name_journey: bool) -> Option<String> {
    let mut parts = Vec::new();
    match seen {
        Seen::WouldSend(touchpoint) => {
            parts.push("would_send".to_owned());
            parts.push(touchpoint.template.to_string());
            parts.extend(touchpoint.item.iter().map(|(_, item)| item.to_string()));
            parts.extend(
                touchpoint
                    .subjects()
                    .skip(1)
                    .map(|subject| format!("+{}", subject.id)),
            );
            if touchpoint.approved_by.is_some() {
                parts.extend(touchpoint.text.iter().map(ToString::to_string));
            }
            if touchpoint.attempts > 1 {
                parts.push(format!("#{}", touchpoint.attempts));
            }
        }
        Seen::Turned { .. } => return None,
        Seen::Ledger(line) => {
            if line.what == What::Waiting {
                return None;
            }
            let is_revoked = line.what == What::Withdrawn && line.reason.is_none();
            parts.push(
                if is_revoked {
                    "revoke"
                } else {
                    line.what.word()
                }
                .to_owned(),
            );
            parts.extend(of_line(line, name_journey));
        }
    }
    Some(parts.join(" "))
}

fn of_line(line: &LedgerEntry, name_journey: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let of_run = matches!(
        line.what,
        What::Enrolled | What::NotEnrolled | What::Exited | What::Finished | What::Converted
    );
    if of_run && name_journey {
        parts.extend(line.journey.as_ref().map(ToString::to_string));
    }
    let of_step = matches!(
        line.what,
        What::Came | What::TimedOut | What::Skipped | What::Paused | What::Resumed
    );
    match &line.template {
        Some(template) => parts.push(template.to_string()),
        None if of_step => parts.extend(line.step.as_ref().map(ToString::to_string)),
        None => {}
    }
    let tells_more = matches!(
        line.what,
        What::Set | What::Task | What::Branched | What::Moved | What::Notified | What::Migrated
    );
    if tells_more {
        parts.extend(line.detail.clone());
    }
    if line.what == What::Assigned {
        parts.extend(line.variant.as_ref().map(ToString::to_string));
    }
    parts.extend(line.reason.map(|reason| reason.word().to_owned()));
    parts
}
