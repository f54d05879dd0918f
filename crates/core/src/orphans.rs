//! Answers to what has not been seen yet. The mailbox that was answered may be read before the one
//! that asked.
//!
//! They are kept for a while, and read again when a document arrives that they may answer, so that no
//! reminder leaves after a reply (R1). **Absent:** durability; a restart forgets them.

use std::collections::VecDeque;

use crate::mail::{Acquaintance, Folder, MailClass, MailSeen, QUOTED_CHARS_MAX, REPLY_CHARS_MAX};
use crate::policy::Policy;
use jiff::{SignedDuration, Timestamp};

/// Mails that are kept; the oldest make room.
pub const ORPHANS_MAX: usize = 2_000;
/// How long a mail is kept.
pub const ORPHAN_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Mails that answer nothing known.
#[derive(Debug, Default)]
pub struct Orphans {
    kept: VecDeque<(Timestamp, MailSeen)>,
}

impl Orphans {
    /// Keeps a mail that came in and belongs to no known thread.
    pub fn keep(&mut self, mail: &MailSeen, known: &Acquaintance, policy: &Policy, now: Timestamp) {
        let in_thread = !known.threads.is_empty();
        if mail.folder != Folder::Inbox || in_thread || mail.class == MailClass::Other {
            return;
        }
        let answers = matches!(
            mail.class,
            MailClass::Bounce { .. } | MailClass::Complaint { .. }
        );
        if !answers && mail.is_ours(policy) {
            return;
        }
        // A batch that is tried again brings the same mail.
        if self
            .kept
            .iter()
            .any(|(_, kept)| kept.message_id == mail.message_id)
        {
            return;
        }
        if self.kept.len() >= ORPHANS_MAX {
            self.kept.pop_front();
        }
        let mut mail = mail.clone();
        if let MailClass::Reply { text, said } = &mut mail.class {
            *text = text.chars().take(REPLY_CHARS_MAX).collect();
            said.quoted = said.quoted.chars().take(QUOTED_CHARS_MAX).collect();
        }
        self.kept.push_back((now, mail));
    }

    /// Kept mails that may answer a document: by its thread, its recipients or their company. They stay
    /// kept until they are old: the batch may fail, and reading them twice changes nothing.
    pub fn answering(
        &mut self,
        document: &MailSeen,
        policy: &Policy,
        now: Timestamp,
    ) -> Vec<MailSeen> {
        while self
            .kept
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) > ORPHAN_AGE_MAX)
        {
            self.kept.pop_front();
        }
        let domain = |email: &str| {
            let (_, domain) = email.rsplit_once('@')?;
            (!policy.freemail_domains.contains(domain)).then(|| domain.to_owned())
        };
        let to_person = |email: &str| document.to.iter().any(|to| to.email == email);
        let to_company = |email: &str| {
            domain(email).is_some_and(|own| {
                document
                    .to
                    .iter()
                    .any(|to| domain(&to.email).as_ref() == Some(&own))
            })
        };
        let answers = |mail: &MailSeen| match &mail.class {
            MailClass::Bounce {
                original,
                recipient,
                ..
            }
            | MailClass::Complaint {
                original,
                recipient,
            } => {
                original.as_ref() == Some(&document.message_id)
                    || recipient.as_deref().is_some_and(to_person)
            }
            MailClass::Document(_)
            | MailClass::Reply { .. }
            | MailClass::AutoReply { .. }
            | MailClass::Other => {
                mail.references.contains(&document.message_id)
                    || mail
                        .from
                        .as_ref()
                        .is_some_and(|from| to_person(&from.email) || to_company(&from.email))
            }
        };
        self.kept
            .iter()
            .map(|(_, mail)| mail)
            .filter(|mail| answers(mail))
            .cloned()
            .collect()
    }
}
