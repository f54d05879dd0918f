//! Bounces and delay warnings: RFC 3464 reports first, then the free forms of [`super::notice`].

use serde::Serialize;

use super::delivery_status::{Group, groups, is_address, typed_address};
use super::notice::{self, Notice};
use super::phrases::Phrases;
use super::smtp_reply::{self, BounceClass, BounceReason, Status};
use super::{InboundRules, RECIPIENTS_MAX};
use crate::mail::{Mail, ReportKind};

/// What the reporting system did (RFC 3464 `Action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Failed,
    Delayed,
}

/// One recipient a bounce speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BouncedRecipient {
    /// The address that failed, as the report names it.
    pub recipient: String,
    /// The address written to, when the report names another one (forwarding, alias).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_recipient: Option<String>,
    pub action: Action,
    pub status: Status,
    pub class: BounceClass,
    pub reason: BounceReason,
    /// The words of the refusing side, on one line, cut to `DIAGNOSTIC_BYTES_MAX`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub diagnostic: String,
}

/// A report that messages could not be delivered, or not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// The gravest recipient's address, status, class and reason, for callers that want one.
    #[serde(flatten)]
    pub first: BouncedRecipient,
    /// All of them, at least one, in the order of the report.
    pub recipients: Vec<BouncedRecipient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_message_id: Option<String>,
}

impl Bounce {
    /// `None` without recipients.
    pub(super) fn new(
        mut recipients: Vec<BouncedRecipient>,
        original_message_id: Option<String>,
    ) -> Option<Bounce> {
        recipients.truncate(RECIPIENTS_MAX);
        // `Hard` sorts first; of equals the first reported wins.
        let first = recipients
            .iter()
            .min_by_key(|recipient| recipient.class)?
            .clone();
        Some(Bounce {
            first,
            recipients,
            original_message_id,
        })
    }
}

/// Longest diagnostic kept, in bytes.
pub const DIAGNOSTIC_BYTES_MAX: usize = 1_000;

pub(super) enum Found {
    Bounce(Bounce),
    /// A report that nothing failed: delivered, relayed, read.
    Harmless,
    No,
}

pub(super) fn find(mail: &Mail, rules: &InboundRules) -> Found {
    if let Some(receipt) = mail
        .reports
        .iter()
        .find(|report| report.kind == ReportKind::Disposition)
    {
        return disposition(mail, &receipt.text, rules);
    }
    match report(mail, rules) {
        Found::No => {}
        found => return found,
    }
    // Some gateways wrap a whole report in a report of their own.
    if notice::is_machine(mail, rules)
        && let Some(inner) = original(mail)
        && let Found::Bounce(bounce) = report(inner, rules)
    {
        return Found::Bounce(bounce);
    }
    match notice::find(mail, rules) {
        Some(bounce) => Found::Bounce(bounce),
        None => Found::No,
    }
}

/// The recipients of `message/delivery-status` parts.
fn report(mail: &Mail, rules: &InboundRules) -> Found {
    let flat = mail.reports.is_empty() && notice::is_machine(mail, rules);
    if mail.reports.is_empty() && !flat {
        return Found::No;
    }
    let notice = Notice::read(mail, rules);
    let mut harmless = false;
    let mut recipients = Vec::new();
    for report in &mail.reports {
        if report.kind != ReportKind::DeliveryStatus {
            continue;
        }
        for group in groups(&report.text) {
            match recipient(&notice, &group, rules) {
                Told::Failed(recipient) => add(&mut recipients, *recipient),
                Told::Harmless => harmless = true,
                Told::Nothing => {}
            }
        }
    }
    if flat && let Some(flat) = notice.flat_report() {
        for group in groups(flat) {
            if let Told::Failed(recipient) = recipient(&notice, &group, rules) {
                add(&mut recipients, *recipient);
            }
        }
    }
    match Bounce::new(recipients, original_id(mail)) {
        Some(bounce) => Found::Bounce(bounce),
        None if harmless => Found::Harmless,
        None => Found::No,
    }
}

/// A receipt (RFC 8098) says that someone saw the message, but mail filters also use it to say
/// that they threw it away.
fn disposition(mail: &Mail, text: &str, rules: &InboundRules) -> Found {
    let groups = groups(text);
    let first = |name: &str| groups.iter().find_map(|group| group.get(name));
    let refused = first("disposition").is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("automatic-action")
            && ["deleted", "denied", "failed"]
                .iter()
                .any(|word| value.contains(word))
    });
    if !refused || !notice::speaks_of_failure(mail, rules) {
        return Found::Harmless;
    }
    let address = first("final-recipient")
        .or_else(|| first("original-recipient"))
        .map(typed_address)
        .filter(|address| is_address(address));
    let Some(address) = address else {
        return Found::Harmless;
    };
    let notice = Notice::read(mail, rules);
    let verdict = judge(rules, Action::Failed, None, notice.passage(address), "");
    let id = first("original-message-id")
        .map(|id| id.trim_matches(['<', '>', ' ']).to_owned())
        .or_else(|| original_id(mail));
    let recipient = BouncedRecipient {
        recipient: address.to_owned(),
        ..verdict
    };
    match Bounce::new(vec![recipient], id) {
        Some(bounce) => Found::Bounce(bounce),
        None => Found::Harmless,
    }
}

/// Same address and status twice is one recipient.
pub(super) fn add(recipients: &mut Vec<BouncedRecipient>, new: BouncedRecipient) {
    let known = recipients
        .iter()
        .any(|known| known.recipient.eq_ignore_ascii_case(&new.recipient));
    if !known && recipients.len() < RECIPIENTS_MAX {
        recipients.push(new);
    }
}

/// What a group of fields tells.
enum Told {
    Failed(Box<BouncedRecipient>),
    Harmless,
    /// It is not about a recipient.
    Nothing,
}

fn recipient(notice: &Notice<'_>, group: &Group, rules: &InboundRules) -> Told {
    let named = |name: &'static str| {
        group
            .all(name)
            .map(typed_address)
            .find(|value| is_address(value))
    };
    let about = ["final-recipient", "original-recipient", "action"]
        .iter()
        .any(|name| group.get(name).is_some());
    if !about {
        return Told::Nothing;
    }
    let word = group
        .get("action")
        .unwrap_or("failed")
        .split(|ch: char| !ch.is_ascii_alphabetic())
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let action = match word.as_str() {
        "delayed" => Action::Delayed,
        "delivered" | "relayed" | "expanded" => return Told::Harmless,
        _ => Action::Failed,
    };
    // Gateways name recipients that mean nothing outside: `user@daemon`, source routes.
    let last = named("final-recipient").filter(|address| {
        !address.starts_with('@')
            && address
                .rsplit_once('@')
                .is_some_and(|(_, domain)| domain.contains('.'))
    });
    let original = named("original-recipient");
    let address = last
        .or(original)
        .or_else(|| named("x-actual-recipient"))
        .or_else(|| named("final-recipient"))
        .map(str::to_owned)
        .or_else(|| notice.lone_recipient())
        // A local name without a domain still tells more than nothing.
        .or_else(|| {
            let name = group.get("final-recipient").map(typed_address)?;
            (!name.is_empty() && !name.contains([' ', '|', '/'])).then(|| name.to_owned())
        });
    let Some(address) = address else {
        return Told::Nothing;
    };
    let diagnostic = group
        .get("diagnostic-code")
        .map(|value| match value.split_once(';') {
            Some((kind, rest)) if !kind.contains(' ') => rest,
            _ => value,
        })
        .unwrap_or_default();
    let declared = group.get("status").and_then(Status::find);
    let said = notice.passage(&address);
    let verdict = judge(rules, action, declared, diagnostic, said);
    let original = original
        .filter(|original| !original.eq_ignore_ascii_case(&address))
        .map(str::to_owned);
    Told::Failed(Box::new(BouncedRecipient {
        recipient: address,
        original_recipient: original,
        ..verdict
    }))
}

/// Puts what is declared and what is said together. The diagnostic is the refusing server's own
/// word; the notice is the reporting system's retelling, asked only when the former says nothing.
pub(super) fn judge(
    rules: &InboundRules,
    action: Action,
    declared: Option<Status>,
    diagnostic: &str,
    notice: &str,
) -> BouncedRecipient {
    let said = smtp_reply::best_status(diagnostic);
    // The refusing server's code is nearer to the cause than the reporter's, unless it only says
    // that time ran out.
    let said = said.filter(|said| said.is_specific() && (said.subject, said.detail) != (4, 7));
    let status = match (declared, said) {
        (Some(declared), None) if declared.is_specific() => Some(declared),
        (_, Some(said)) => Some(said),
        (Some(declared), None) => smtp_reply::best_status(notice)
            .filter(|found| found.is_specific() && found.class == declared.class)
            .or(Some(declared)),
        (None, None) => smtp_reply::best_status(notice),
    };
    let code = smtp_reply::reply_code(diagnostic);
    let spoken = |text: &str, status: Option<Status>, code: Option<u16>| {
        let reason = smtp_reply::reason(rules, code, status, text);
        (reason != BounceReason::Unknown).then_some(reason)
    };
    let reason = spoken(diagnostic, None, None)
        .or_else(|| spoken(notice, None, None))
        .or_else(|| spoken("", said.or(status), code))
        .or_else(|| spoken("", None, smtp_reply::reply_code(notice)))
        .unwrap_or(match action {
            Action::Delayed => BounceReason::Expired,
            Action::Failed => BounceReason::Unknown,
        });
    let reason = staged(rules, reason, diagnostic, notice);
    let reason = match (reason, status) {
        // X.2.1: the mailbox exists and takes no mail (RFC 3463), whatever the words beside it say;
        // but where the recipient itself was refused, the words are about him.
        (BounceReason::UserUnknown, Some(status))
            if (status.subject, status.detail) == (2, 1)
                && !says(&rules.bounce.stage_recipient, diagnostic, notice) =>
        {
            BounceReason::MailboxDisabled
        }
        // A host that does not exist is not tried for hours: its DNS did not answer.
        (BounceReason::HostUnknown, _) if says(&rules.bounce.gave_up, diagnostic, notice) => {
            BounceReason::Expired
        }
        (reason, _) => reason,
    };
    let temporary = action == Action::Delayed || code.is_some_and(|code| code / 100 == 4);
    // What the reporter declares transient (RFC 3463, class 4) may heal: a host that has no DNS
    // today. An unknown user who stayed unknown until the reporter gave up will not.
    let transient = declared.is_some_and(|declared| declared.class == 4);
    let diagnostic = if diagnostic.trim().is_empty() {
        notice
    } else {
        diagnostic
    };
    BouncedRecipient {
        recipient: String::new(),
        original_recipient: None,
        action,
        status: status.unwrap_or_else(|| smtp_reply::derive(reason, temporary)),
        class: match action {
            Action::Delayed => BounceClass::Delay,
            Action::Failed => match (
                reason.class(),
                transient && reason != BounceReason::UserUnknown,
            ) {
                (BounceClass::Hard, true) => BounceClass::Soft,
                (class, _) => class,
            },
        },
        reason,
        diagnostic: one_line(diagnostic),
    }
}

/// Corrects the reason by the moment of the refusal: before a recipient was named it cannot be
/// about the recipient; after one was taken, the mailbox exists and a filter speaks.
fn staged(
    rules: &InboundRules,
    reason: BounceReason,
    diagnostic: &str,
    notice: &str,
) -> BounceReason {
    let about_recipient = matches!(
        reason,
        BounceReason::UserUnknown
            | BounceReason::HostUnknown
            | BounceReason::InvalidAddress
            | BounceReason::Moved
    );
    if !about_recipient {
        return reason;
    }
    let rules = &rules.bounce;
    let (diagnostic, notice) = (diagnostic.to_lowercase(), notice.to_lowercase());
    let at = |set: &Phrases| set.is_match(&diagnostic) || set.is_match(&notice);
    if at(&rules.stage_mail) {
        BounceReason::SenderRejected
    } else if reason == BounceReason::UserUnknown
        && at(&rules.stage_data)
        && !at(&rules.stage_recipient)
    {
        BounceReason::Filtered
    } else {
        reason
    }
}

fn says(set: &Phrases, diagnostic: &str, notice: &str) -> bool {
    [diagnostic, notice]
        .iter()
        .any(|text| set.is_match(&text.to_lowercase()))
}

/// White space made single spaces, cut to the limit.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in super::head_of(text, 4 * DIAGNOSTIC_BYTES_MAX).split_whitespace() {
        if line.len() + word.len() >= DIAGNOSTIC_BYTES_MAX {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The message that bounced or was complained about, when it is enclosed.
pub(super) fn original(mail: &Mail) -> Option<&Mail> {
    mail.nested.first().map(|nested| nested.mail.as_ref())
}

/// Its Message-ID: of the enclosed message, else of the one quoted in the text, else the thread's.
pub(super) fn original_id(mail: &Mail) -> Option<String> {
    original(mail)
        .and_then(|nested| nested.message_id.clone())
        .or_else(|| notice::quoted_message_id(mail))
        .or_else(|| mail.in_reply_to.first().cloned())
        .or_else(|| mail.references.last().cloned())
}
