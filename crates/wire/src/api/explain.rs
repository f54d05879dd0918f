//! Why, and why not, as the API gives it out: data, and the same in sentences.
//!
//! `{contact, journey, now, language, standing, sentences, lines, more}`; of a message `{id, contact, journey,
//! now, language, fate, sentences, lines}`. Codes are those of the guide; sentences are for people and may
//! change.

use jiff::Timestamp;
use relance_core::explain::{
    EntryNow, Explanation, Fate, HeldOut, MessageExplanation, MessageState, Messages, Obstacle,
    OpenMessage, Place, Run, Standing,
};
use relance_core::journey::{Approver, On};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::policy::PAUSED_UNTIL;
use relance_core::time::Zone;
use serde_json::{Value, json};

use super::{ledger_line, text, whole};
use crate::explain::{Language, Names, message_summary, sentence, summary};

/// Where a contact stands with a journey.
pub fn explanation(
    explanation: &Explanation,
    names: &Names<'_>,
    zone: &Zone,
    language: Language,
) -> Value {
    let standing = &explanation.standing;
    let obstacles: Vec<Value> = explanation.obstacles.iter().map(obstacle).collect();
    let state = match standing {
        Standing::NeverCame => "never_came",
        Standing::Refused { .. } => "refused",
        Standing::Began { runs, .. } => runs.first().map_or("over", |run| run.place.word()),
    };
    let (refused, runs) = match standing {
        Standing::NeverCame => (None, Vec::new()),
        Standing::Refused { at, reason, until } => (Some((*at, *reason, *until)), Vec::new()),
        Standing::Began { runs, refused } => {
            let refused = refused.map(|(at, reason)| (at, Some(reason), None));
            (refused, runs.iter().map(run).collect())
        }
    };
    let refused = refused.map(|(at, reason, until)| {
        whole(vec![
            ("at", text(at)),
            ("reason", reason.and_then(text)),
            ("until", until.and_then(moment)),
        ])
    });
    whole(vec![
        ("contact", text(explanation.contact)),
        ("journey", text(&explanation.journey)),
        ("now", text(explanation.now)),
        ("language", text(language.word())),
        (
            "standing",
            Some(whole(vec![
                ("journey", text(explanation.state.word())),
                ("state", text(state)),
                ("refused", refused),
                ("runs", Some(json!(runs)).filter(|_| !runs.is_empty())),
                ("entry", explanation.entry.as_ref().map(entry)),
                (
                    "obstacles",
                    Some(json!(obstacles)).filter(|_| !obstacles.is_empty()),
                ),
            ])),
        ),
        (
            "sentences",
            Some(json!(summary(explanation, names, zone, language))),
        ),
        (
            "lines",
            Some(lines(&explanation.lines, names, zone, language)),
        ),
        ("more", Some(json!(explanation.more))),
    ])
}

/// What became of one message.
pub fn message_explanation(
    explanation: &MessageExplanation,
    names: &Names<'_>,
    zone: &Zone,
    language: Language,
) -> Value {
    let (state, at, reason, until, detail) = match &explanation.fate {
        Fate::Open(state) => {
            let (reason, until) = of_state(state);
            (state.word(), None, reason, until, None)
        }
        Fate::Sent { at } => (What::Sent.word(), Some(*at), None, None, None),
        Fate::NotSent {
            at,
            what,
            reason,
            detail,
        } => (what.word(), Some(*at), *reason, None, detail.as_ref()),
        Fate::Unknown => ("unknown", None, None, None, None),
    };
    whole(vec![
        ("id", text(explanation.id)),
        ("contact", text(explanation.id.contact)),
        ("journey", explanation.journey.as_ref().and_then(text)),
        ("channel", explanation.channel.map(|one| json!(one.word()))),
        ("template", explanation.template.as_ref().and_then(text)),
        ("now", text(explanation.now)),
        ("language", text(language.word())),
        (
            "fate",
            Some(whole(vec![
                ("state", text(state)),
                ("at", at.and_then(text)),
                ("reason", reason.and_then(text)),
                ("until", until.and_then(moment)),
                ("detail", detail.and_then(text)),
                ("against", explanation.against.as_ref().map(obstacle)),
            ])),
        ),
        (
            "sentences",
            Some(json!(message_summary(explanation, names, zone, language))),
        ),
        (
            "lines",
            Some(lines(&explanation.lines, names, zone, language)),
        ),
    ])
}

fn lines(lines: &[LedgerEntry], names: &Names<'_>, zone: &Zone, language: Language) -> Value {
    let spoken = |entry: &LedgerEntry| {
        let mut line = ledger_line(entry);
        if let Value::Object(fields) = &mut line {
            let spoken = sentence(entry, names, zone, language);
            fields.insert("sentence".to_owned(), json!(spoken));
        }
        line
    };
    lines.iter().map(spoken).collect()
}

/// A moment that means one: what a paused journey holds has none.
fn moment(at: Timestamp) -> Option<Value> {
    text(at).filter(|_| at < PAUSED_UNTIL)
}

fn obstacle(obstacle: &Obstacle) -> Value {
    whole(vec![
        ("reason", text(obstacle.reason)),
        ("channel", obstacle.channel.map(|one| json!(one.word()))),
        ("until", obstacle.until.and_then(moment)),
    ])
}

fn entry(entry: &EntryNow) -> Value {
    let (kind, about) = match &entry.trigger {
        On::Event(event) => ("event", Some(event.to_string())),
        On::SegmentEntered(segment) => ("segment_entered", Some(segment.to_string())),
        On::SegmentLeft(segment) => ("segment_left", Some(segment.to_string())),
        On::Changed { path, .. } => ("changed", Some(path.to_string())),
        On::Inactive { event, .. } => ("inactive", event.as_ref().map(ToString::to_string)),
        On::Date { path, .. } => ("date", Some(path.to_string())),
        On::Schedule { segment, .. } => ("schedule", segment.as_ref().map(ToString::to_string)),
        On::Manual => ("manual", None),
        On::Api => ("api", None),
    };
    whole(vec![
        ("trigger", text(kind)),
        ("of", about.and_then(text)),
        ("next", entry.next.and_then(text)),
        ("against", entry.against.as_ref().map(obstacle)),
    ])
}

fn run(run: &Run) -> Value {
    let (mut until, mut at, mut reason, mut detail) = (None, None, None, None);
    let mut events = Vec::new();
    let mut message = None;
    match &run.place {
        Place::Waiting { until: own, .. } => until = Some(*own),
        Place::Listening {
            events: awaited,
            until: own,
            ..
        } => {
            until = *own;
            events = awaited.iter().map(ToString::to_string).collect();
        }
        Place::Unopened { until: own, .. } => until = *own,
        Place::Paused { since, .. } => at = Some(*since),
        Place::Message { message: own, .. } => {
            (reason, until) = of_state(&own.state);
            message = Some(open_message(own));
        }
        Place::Finished { at: own } => at = Some(*own),
        Place::Exited {
            at: own,
            reason: code,
            detail: more,
        } => {
            at = Some(*own);
            reason = *code;
            detail = more.as_ref();
        }
        Place::HeldOut | Place::Over => {}
    }
    let held_out = run.held_out.map(|group| match group {
        HeldOut::Journey => "journey",
        HeldOut::Workspace => "workspace",
    });
    whole(vec![
        ("enrollment", text(run.id)),
        ("subject", run.subject.as_ref().and_then(text)),
        ("version", run.version.map(|version| json!(version))),
        ("began_at", run.began_at.and_then(text)),
        ("held_out", held_out.and_then(text)),
        ("converted_at", run.converted_at.and_then(text)),
        ("state", text(run.place.word())),
        ("step", run.place.step().and_then(text)),
        ("at", at.and_then(text)),
        ("until", until.and_then(moment)),
        ("events", Some(json!(events)).filter(|_| !events.is_empty())),
        ("reason", reason.and_then(text)),
        ("detail", detail.and_then(text)),
        ("message", message),
        ("messages", Some(counts(&run.messages))),
    ])
}

fn open_message(message: &OpenMessage) -> Value {
    let approver = match &message.state {
        MessageState::AwaitingApproval { by, .. } => match by {
            Approver::Auto => None,
            Approver::Owner => Some("owner".to_owned()),
            Approver::Role(role) => Some(format!("role:{role}")),
        },
        MessageState::Queued { .. }
        | MessageState::Held { .. }
        | MessageState::Sending
        | MessageState::Unknown => None,
    };
    whole(vec![
        ("id", text(message.id)),
        ("channel", text(message.channel.word())),
        ("template", text(&message.template)),
        ("approver", approver.and_then(text)),
    ])
}

fn of_state(state: &MessageState) -> (Option<Reason>, Option<Timestamp>) {
    match state {
        MessageState::Queued { ready_at } => (None, Some(*ready_at)),
        MessageState::Held { until, reason } => (Some(*reason), Some(*until)),
        MessageState::AwaitingApproval { until, .. } => (Some(Reason::Approval), Some(*until)),
        MessageState::Sending | MessageState::Unknown => (None, None),
    }
}

fn counts(messages: &Messages) -> Value {
    json!({
        "sent": messages.sent,
        "held": messages.held,
        "not_sent": messages.not_sent,
    })
}
