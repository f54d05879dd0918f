//! Amazon SES notifications sent by mail: bounce, complaint and delivery as JSON in the body.

use serde::Deserialize;

use super::bounce::{self, Action, Bounce, BouncedRecipient};
use super::smtp_reply::{BounceReason, Status};
use super::{Classified, Complaint, InboundRules, RECIPIENTS_MAX};
use crate::mail::Mail;

/// Most bytes of JSON read.
const JSON_BYTES_MAX: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(alias = "eventType")]
    notification_type: String,
    bounce: Option<SesBounce>,
    complaint: Option<SesComplaint>,
    mail: Option<SesMail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesBounce {
    bounce_type: String,
    bounced_recipients: Vec<SesRecipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesRecipient {
    email_address: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    diagnostic_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesComplaint {
    complained_recipients: Vec<SesRecipient>,
    complaint_feedback_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesMail {
    message_id: Option<String>,
    #[serde(default)]
    headers: Vec<SesHeader>,
}

#[derive(Deserialize)]
struct SesHeader {
    name: String,
    value: String,
}

impl SesMail {
    /// The message's own id when the headers are enclosed, else the service's.
    fn id(&self) -> Option<String> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("message-id"))
            .map(|header| header.value.trim_matches(['<', '>', ' ']).to_owned())
            .or_else(|| self.message_id.clone())
    }
}

pub(super) fn find(mail: &Mail, rules: &InboundRules) -> Option<Classified> {
    let text = mail.text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let text = super::head_of(text, JSON_BYTES_MAX);
    if !text.contains("notificationType") && !text.contains("eventType") {
        return None;
    }
    // Long lines are cut with `!` and a line break on the way.
    let joined = text.replace("!\n ", "").replace("!\n", "");
    let notification = serde_json::Deserializer::from_str(&joined)
        .into_iter::<Notification>()
        .next()?
        .ok()?;
    let id = notification.mail.as_ref().and_then(SesMail::id);
    match notification.notification_type.as_str() {
        "Bounce" => {
            let bounce = notification.bounce?;
            let recipients = bounce
                .bounced_recipients
                .into_iter()
                .take(RECIPIENTS_MAX)
                .map(|recipient| recipient_of(recipient, &bounce.bounce_type, rules))
                .collect();
            Bounce::new(recipients, id).map(Classified::Bounce)
        }
        "Complaint" => {
            let complaint = notification.complaint?;
            Some(Classified::Complaint(Complaint {
                feedback_type: complaint
                    .complaint_feedback_type
                    .unwrap_or_else(|| "abuse".to_owned())
                    .to_ascii_lowercase(),
                recipients: complaint
                    .complained_recipients
                    .into_iter()
                    .take(RECIPIENTS_MAX)
                    .map(|recipient| recipient.email_address)
                    .collect(),
                original_message_id: id,
                original_mail_from: None,
            }))
        }
        _ => Some(Classified::Other),
    }
}

fn recipient_of(recipient: SesRecipient, kind: &str, rules: &InboundRules) -> BouncedRecipient {
    let declared = Status::find(&recipient.status);
    let mut verdict = bounce::judge(
        rules,
        Action::Failed,
        declared,
        &recipient.diagnostic_code,
        "",
    );
    if verdict.reason == BounceReason::Unknown && kind == "Permanent" {
        verdict.reason = BounceReason::UserUnknown;
        verdict.class = verdict.reason.class();
    }
    BouncedRecipient {
        recipient: recipient.email_address,
        ..verdict
    }
}
