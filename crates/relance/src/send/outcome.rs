//! What a mail server's answer means for a touchpoint.

use relance_channels::smtp::{Permanence, Refusal, SendOutcome, Stage};
use relance_core::touchpoint::Outcome;
use relance_message::inbound::{BounceClass, InboundRules, smtp_reply};

/// How long a message waits when the route, not the message, was refused.
const ROUTE_REFUSED_SECONDS: u32 = 300;

/// Reads the end of a try.
pub(super) fn read(outcome: SendOutcome, rules: &InboundRules) -> Outcome {
    match outcome {
        SendOutcome::Accepted { refused, .. } => {
            if !refused.is_empty() {
                // A notification to several of us: those who were accepted have it, and none has it twice.
                tracing::warn!(
                    refused = refused.len(),
                    "a mail server refused some recipients of a message"
                );
            }
            Outcome::Accepted
        }
        SendOutcome::Refused(refusal) => refused(&refusal, rules),
        SendOutcome::Unreachable(failure) => {
            Outcome::RefusedSoft(format!("{:?} at {:?}", failure.cause, failure.stage))
        }
        SendOutcome::Unknown(failure) => {
            tracing::warn!(cause = ?failure.cause, "a message may or may not have been delivered");
            Outcome::Unknown
        }
        SendOutcome::NotTried {
            reason,
            retry_after,
        } => {
            tracing::debug!(?reason, "a message was not tried");
            Outcome::Postponed {
                seconds: u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX),
            }
        }
    }
}

fn refused(refusal: &Refusal, rules: &InboundRules) -> Outcome {
    if refusal.stage.concerns_route() {
        // Wrong password, expired certificate: an operator must act; the recipient is not to blame.
        tracing::error!(stage = ?refusal.stage, code = refusal.code, "the mail server refused us");
        return Outcome::Postponed {
            seconds: ROUTE_REFUSED_SECONDS,
        };
    }
    let enhanced = refusal
        .enhanced
        .map_or(String::new(), |(class, subject, detail)| {
            format!("{class}.{subject}.{detail} ")
        });
    let text = format!("{} {enhanced}{}", refusal.code, refusal.text);
    match refusal.permanence {
        Permanence::Soft => Outcome::RefusedSoft(text),
        Permanence::Hard => {
            let words = format!("{enhanced}{}", refusal.text);
            let verdict = smtp_reply::classify(rules, Some(refusal.code), &words);
            let address_is_bad = refusal.stage == Stage::Rcpt && verdict.class == BounceClass::Hard;
            Outcome::RefusedHard {
                text,
                address_is_bad,
            }
        }
    }
}
