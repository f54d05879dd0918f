//! A message as it would be, to look at before it goes.
//!
//! Nothing is recorded, and no link in it acts for the recipient. **Absent:** whether it will go at all,
//! which the gate decides when the time comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use relance_core::contact::Channel;
use relance_core::subject::{relations, with_related};
use relance_core::touchpoint::Touchpoint;
use relance_engine::ports::Dispatch;
use relance_message::outbound::{self, Finding, Kind, Looked, TemplateSet};
use relance_store::read::{ReadError, Reader};
use serde::Serialize;
use serde_json::Value;

use super::compose::{ComposeProblem, Composer};
use super::thread::Thread;
use super::words::{Links, is_in_thread, subjects_of};

/// A message to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The sender's address; none is needed beside e-mail.
    pub from: Option<String>,
    /// The sender's name.
    pub from_name: Option<String>,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML, if it is sent so. Template and data of others: show it in a frame without rights.
    pub html: Option<String>,
    /// The language that it is in.
    pub language: Option<String>,
    /// Why it could not be sent as it is, and what its template lacks.
    pub problems: Vec<String>,
    /// What sort of message its template makes; what is given out says it elsewhere.
    #[serde(skip)]
    pub kind: Kind,
}

impl Preview {
    /// What a person who rewrites it begins with: the subject line, an empty line, the text.
    pub fn editable(&self) -> String {
        format!("{}\n\n{}", self.subject, self.text.trim_end())
    }
}

/// A message with what the database holds of it now. `None`: its contact is gone.
pub fn dispatch_of(reader: &Reader, touchpoint: Touchpoint) -> Result<Option<Dispatch>, ReadError> {
    let id = touchpoint.id.contact;
    let Some(contact) = reader.contact(id)? else {
        return Ok(None);
    };
    let mut subjects = Vec::new();
    for subject in touchpoint.subjects() {
        let Some(object) = reader.object(id, subject)? else {
            continue;
        };
        let mut known = BTreeMap::new();
        for named in relations(&object) {
            let found = reader.object(id, &named)?;
            known.extend(found.map(|found| (named, found)));
        }
        subjects.push(with_related(&object, &known));
    }
    let of_run = |object: &&relance_core::subject::Object| {
        touchpoint.subject.as_ref() == Some(&object.subject)
    };
    let subject = subjects.iter().find(of_run).cloned();
    let run = reader.enrollment(touchpoint.enrollment)?;
    Ok(Some(Dispatch {
        contact: Arc::new(contact),
        subject,
        subjects,
        cause: run.and_then(|run| run.cause),
        touchpoint,
    }))
}

impl Composer {
    /// Renders a message without sending it. Costs a rendering for each variable that its data lacks: for
    /// one message at a time.
    pub fn preview(&self, dispatch: &Dispatch) -> Preview {
        self.preview_of(&self.templates(), dispatch)
    }

    /// [`preview`](Self::preview) of other templates than those in force.
    pub fn preview_of(&self, templates: &TemplateSet, dispatch: &Dispatch) -> Preview {
        let touchpoint = &dispatch.touchpoint;
        let by_mail = touchpoint.channel == Channel::Email;
        let mut preview = Preview::default();
        let mut sender = None;
        if by_mail {
            match self.sender_of(dispatch) {
                Ok(found) => sender = Some(found),
                Err(problem) => preview.problems.push(problem.to_string()),
            }
        } else {
            let channel = touchpoint.channel.word();
            let problem = format!("the channel {channel} is not set up");
            preview.problems.push(problem);
        }
        let sender = sender.as_ref();
        let to = self.recipients(dispatch).unwrap_or_else(|problem| {
            preview.problems.push(problem.to_string());
            Vec::new()
        });
        preview.to = to.iter().map(|person| person.address.clone()).collect();
        preview.from = sender.map(|sender| sender.address.clone());
        preview.from_name = sender.and_then(|sender| sender.name.clone());
        match self.words_of(templates, dispatch, sender, &to, Links::Placeholders) {
            Ok(words) => {
                let rendered = words.rendered;
                let thread = match is_in_thread(touchpoint) {
                    true => Thread::of(&subjects_of(dispatch)),
                    false => Thread::default(),
                };
                preview.subject = thread.subject.unwrap_or(rendered.subject);
                preview.text = rendered.text;
                preview.html = rendered.html;
                preview.from_name = rendered.from_name.or(preview.from_name);
                preview.language = Some(words.language);
                preview.kind = words.meta.kind;
                let missing = words.missing.into_iter();
                let missing = missing.map(|name| format!("{name} is missing; its place is empty"));
                preview.problems.extend(missing);
            }
            Err(problem) => preview.problems.push(problem.to_string()),
        }
        preview
    }

    /// What a template finds in a message, as JSON.
    pub fn preview_context(&self, dispatch: &Dispatch) -> Value {
        let sender = self.sender_of(dispatch).ok();
        let unsubscribe = self.placeholder_unsubscribe(&dispatch.touchpoint);
        self.context(dispatch, sender.as_ref(), &unsubscribe, Links::Placeholders)
    }

    /// What should be looked at in a message before its template is sent.
    pub fn checks(&self, preview: &Preview, dispatch: &Dispatch) -> Vec<Finding> {
        let house = self.house();
        outbound::check(&Looked {
            subject: &preview.subject,
            html: preview.html.as_deref(),
            text: &preview.text,
            kind: preview.kind,
            language: preview.language.as_deref().unwrap_or(&house.language),
            own_links: &house.public_url,
            unsubscribe: &self.placeholder_unsubscribe(&dispatch.touchpoint),
        })
    }

    /// Renders a message of a channel that is not set up: whether its template is sound is known all the
    /// same.
    pub(super) fn rehearse(&self, dispatch: &Dispatch) -> Result<(), ComposeProblem> {
        let to = self.recipients(dispatch).unwrap_or_default();
        self.words(dispatch, None, &to, Links::Placeholders)
            .map(drop)
    }
}
