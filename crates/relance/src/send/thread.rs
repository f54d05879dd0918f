//! A message's place in a conversation.

use relance_core::subject::Object;
use relance_message::outbound::{references_for_reply, reply_subject};
use serde_json::Value;

/// The conversation that a message goes into.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Thread {
    /// The mail that it answers.
    pub in_reply_to: Option<String>,
    /// The mails before it.
    pub references: Vec<String>,
    /// The subject line; `None` leaves the message its own.
    pub subject: Option<String>,
}

impl Thread {
    /// Of what a message is about. One document's mail is answered. Several are one conversation of none of
    /// them: their mails are referred to, so that an answer refers to them all.
    pub fn of(subjects: &[&Object]) -> Self {
        match subjects {
            [] => Self::default(),
            [one] => Self::of_one(one).unwrap_or_default(),
            several => Self {
                references: several
                    .iter()
                    .filter_map(|object| object.text("message_id"))
                    .map(str::to_owned)
                    .collect(),
                ..Self::default()
            },
        }
    }

    fn of_one(object: &Object) -> Option<Self> {
        let message_id = object.text("message_id")?.to_owned();
        let earlier: Vec<&str> = match object.fields.get("references") {
            Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => Vec::new(),
        };
        let subject = object.text("mail_subject").unwrap_or_default();
        Some(Self {
            references: references_for_reply(&message_id, &earlier, None),
            in_reply_to: Some(message_id),
            subject: Some(reply_subject(subject)),
        })
    }
}
