//! Letters of the program itself to people of ours: invitations, links for a new password, tests of a channel.
//!
//! They concern no contact and no journey: they go at once or not at all, and whoever asked is told. Nothing is noted
//! in the wire log, and nothing is tried again. A copy sends none (R10).

use relance_channels::smtp;
use relance_core::ids::TouchpointId;
use relance_core::touchpoint::Outcome;
use relance_message::outbound::{AutoSubmitted, OutgoingMail, message_id};

use super::compose::{Composed, Composer};
use super::{Inner, Sending};

/// A letter.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The address of the recipient.
    pub to: String,
    /// The name beside it.
    pub to_name: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

/// Why a letter did not go.
#[derive(Debug, thiserror::Error)]
pub enum PostProblem {
    /// The workspace is a copy.
    #[error("this workspace is a copy and sends nothing until it is released")]
    Quiet,
    /// The sender is not set up.
    #[error(
        "no sender: set the sender's address in the settings, or workspace.address in relance.toml"
    )]
    NoSender,
    /// No mail could be made of it.
    #[error("the letter could not be made: {0}")]
    Unmade(String),
    /// The next system did not take it.
    #[error("the letter was not taken: {0}")]
    NotTaken(String),
}

impl Composer {
    fn letter(
        &self,
        letter: Letter,
        id: &str,
        now: jiff::Timestamp,
    ) -> Result<Composed, PostProblem> {
        let sender = self.house().people.workspace.clone();
        let sender = sender.ok_or(PostProblem::NoSender)?;
        let message_id = message_id(id, sender.domain());
        let mail = OutgoingMail {
            from: sender.address.clone(),
            from_name: sender.name.clone(),
            to: letter.to.clone(),
            to_name: letter.to_name,
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
            message_id: message_id.clone(),
            date: now,
            auto_submitted: Some(AutoSubmitted::Generated),
            ..OutgoingMail::default()
        };
        let built = mail.build();
        Ok(Composed {
            from: sender.address.clone(),
            to: vec![letter.to],
            message_id,
            mailbox: None,
            bytes: built.map_err(|problem| PostProblem::Unmade(problem.to_string()))?,
        })
    }
}

impl Sending {
    /// Sends a letter by the workspace's route, or lays it into the outbox. `id` makes its Message-ID.
    pub async fn post(&self, letter: Letter, id: &str) -> Result<(), PostProblem> {
        let inner: &Inner = &self.0;
        let composed = inner.composer.letter(letter, id, inner.clock.now())?;
        let signed = inner.sign(composed).await;
        let composed = signed.map_err(PostProblem::Unmade)?;
        let goes: smtp::BeforeBody<'_> = &|| Box::pin(async { true });
        match inner.over_the_wire_as(id, &composed, goes).await {
            Outcome::Accepted => Ok(()),
            Outcome::RefusedHard { text, .. } | Outcome::RefusedSoft(text) => {
                Err(PostProblem::NotTaken(text))
            }
            other @ (Outcome::Unknown
            | Outcome::Postponed { .. }
            | Outcome::TemplateFailed(_)
            | Outcome::ChannelNotConfigured
            | Outcome::Missed
            | Outcome::Withdrawn(_)
            | Outcome::Dropped(_)) => Err(PostProblem::NotTaken(format!("{other:?}"))),
        }
    }
}

impl Inner {
    /// The same for a touchpoint.
    pub(super) async fn over_the_wire(
        &self,
        id: TouchpointId,
        composed: &Composed,
        note: smtp::BeforeBody<'_>,
    ) -> Outcome {
        self.over_the_wire_as(&id.to_string(), composed, note).await
    }
}
