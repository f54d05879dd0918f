//! Complaints: abuse reports in the Abuse Reporting Format (RFC 5965).

use serde::Serialize;

use super::delivery_status::{groups, is_address, typed_address};
use super::{RECIPIENTS_MAX, bounce};
use crate::mail::{Mail, ReportKind};

/// Someone declared a message of ours to be spam, or asked to be left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// `abuse`, `opt-out`, `fraud`, `virus`, `not-spam`, ... as the report says, lower-cased.
    pub feedback_type: String,
    /// Who complained; empty when the reporter hides it.
    pub recipients: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_message_id: Option<String>,
    /// `Original-Mail-From`: the envelope sender, which may carry our own mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_mail_from: Option<String>,
}

pub(super) fn find(mail: &Mail) -> Option<Complaint> {
    let Some(report) = mail
        .reports
        .iter()
        .find(|report| report.kind == ReportKind::Feedback)
    else {
        return enclosed(mail);
    };
    let groups = groups(&report.text);
    let first = |name: &str| groups.iter().find_map(|group| group.get(name));
    let feedback_type = first("feedback-type")
        .unwrap_or("abuse")
        .to_ascii_lowercase();
    // Authentication-failure reports (RFC 6591) are for the postmaster, not about a recipient.
    if feedback_type == "auth-failure" || feedback_type == "dmarc" {
        return None;
    }
    let mut recipients: Vec<String> = Vec::new();
    let mut add = |value: &str| {
        let address = typed_address(value);
        let known = recipients.iter().any(|known| known == address);
        if is_address(address) && !known && recipients.len() < RECIPIENTS_MAX {
            recipients.push(address.to_owned());
        }
    };
    for name in [
        "original-rcpt-to",
        "removal-recipient",
        "original-recipient",
    ] {
        for group in &groups {
            group.all(name).for_each(&mut add);
        }
    }
    let original = bounce::original(mail);
    if recipients.is_empty()
        && let Some(nested) = &original
    {
        for address in nested.to.iter().take(RECIPIENTS_MAX) {
            if is_address(&address.email) {
                recipients.push(address.email.clone());
            }
        }
    }
    Some(Complaint {
        feedback_type,
        recipients,
        original_message_id: original.and_then(|nested| nested.message_id.clone()),
        original_mail_from: first("original-mail-from")
            .map(|value| typed_address(value).to_owned())
            .filter(|value| is_address(value)),
    })
}

/// Microsoft's junk mail reports: no report part, the message enclosed with a mark of its own.
fn enclosed(mail: &Mail) -> Option<Complaint> {
    let nested = bounce::original(mail)?;
    let recipient = nested.header("x-hmxmroriginalrecipient")?;
    let recipient = typed_address(recipient);
    Some(Complaint {
        feedback_type: "abuse".to_owned(),
        recipients: is_address(recipient)
            .then(|| recipient.to_owned())
            .into_iter()
            .collect(),
        original_message_id: nested.message_id.clone(),
        original_mail_from: None,
    })
}
