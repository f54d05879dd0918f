//! Every line that a ledger may hold, and every entry of the catalogues that it may ask for.

use std::fmt::Write as _;

use jiff::Timestamp;
use relance_core::decide::OWN_WISH;
use relance_core::ids::{ContactId, EventName};

use super::tests::golden;
use super::*;

const CONTACT: ContactId = ContactId(7);

/// Reasons that each code comes with. `None` is a line without a reason.
fn pairs() -> Vec<(What, Vec<Option<Reason>>)> {
    use Reason as R;
    let some = |reasons: &[Reason]| reasons.iter().copied().map(Some).collect::<Vec<_>>();
    let gate = [
        R::Erased,
        R::NoAddress,
        R::Suppressed,
        R::Internal,
        R::NoConsent,
        R::Exited,
        R::Holdout,
        R::Duplicate,
    ];
    let ends = [
        R::ExitEvent,
        R::Goal,
        R::Unsubscribed,
        R::Erased,
        R::Merged,
        R::Stopped,
        R::Archived,
        R::StepGone,
        R::Loop,
        R::Approval,
    ];
    What::ALL
        .iter()
        .map(|what| {
            let reasons = match what {
                What::Enrolled | What::Converted => vec![None, Some(R::Holdout)],
                What::NotEnrolled => some(&[
                    R::WhereFalse,
                    R::Settled,
                    R::NoSubject,
                    R::Late,
                    R::NoJourney,
                    R::Loop,
                    R::Erased,
                    R::Internal,
                    R::Paused,
                    R::AlreadyEnrolled,
                    R::Reentry,
                    R::TooMany,
                ]),
                What::Held => some(&[
                    R::FrequencyCap,
                    R::Priority,
                    R::QuietHours,
                    R::Approval,
                    R::Paused,
                    R::PausedByContact,
                    R::Digest,
                    R::MailboxNotSynced,
                ]),
                What::Dropped => some(&gate),
                What::Withdrawn => {
                    let mut all = ends.to_vec();
                    all.extend([R::Complaint, R::HardBounce, R::Suppressed]);
                    some(&all)
                }
                What::Exited => some(&ends),
                What::Retried => some(&[R::SoftBounce, R::ChannelBusy, R::Unknown]),
                What::Failed => some(&[
                    R::SoftBounce,
                    R::HardBounce,
                    R::TemplateFailed,
                    R::ChannelNotConfigured,
                    R::Missed,
                    R::NoRecipient,
                    R::Unknown,
                ]),
                What::Skipped => some(&[
                    R::Late,
                    R::Paused,
                    R::Condition,
                    R::Approval,
                    R::ListExhausted,
                    R::NoDate,
                    R::Holdout,
                ]),
                What::TimedOut => vec![None, Some(R::NotOpened)],
                What::Merged => some(&[R::Digest, R::Merged, R::Unmerged]),
                What::Suppressed => some(&[R::HardBounce, R::Complaint, R::Suppressed]),
                What::Waiting
                | What::Approved
                | What::Sent
                | What::Task
                | What::TaskDone
                | What::TaskReopened
                | What::TaskPostponed
                | What::Set
                | What::Came
                | What::Branched
                | What::Assigned
                | What::Paused
                | What::Resumed
                | What::Migrated
                | What::Moved
                | What::Notified
                | What::Promo
                | What::Finished
                | What::Released
                | What::Consented
                | What::ConsentAsked
                | What::Preferred
                | What::Unsubscribed => vec![None],
            };
            (*what, reasons)
        })
        .collect()
}

/// A line that has everything a line of its code may have.
fn full_line(what: What, reason: Option<Reason>) -> LedgerEntry {
    let at: Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
    let detail = match what {
        What::Branched => "if 2",
        What::Migrated => "1 -> 2",
        What::Came | What::Exited | What::Converted => "Replied",
        What::Failed | What::Retried => "451 4.7.1 «try» later",
        What::Set => "contact.grade = \"A\"",
        What::TaskDone | What::TaskReopened | What::TaskPostponed => "anna@firm.example",
        What::Task => "Call {{ contact.name }} about {{ subject.number }}",
        What::Enrolled
        | What::NotEnrolled
        | What::Waiting
        | What::Approved
        | What::Sent
        | What::Held
        | What::Dropped
        | What::Withdrawn
        | What::Skipped
        | What::TimedOut
        | What::Assigned
        | What::Paused
        | What::Resumed
        | What::Moved
        | What::Notified
        | What::Merged
        | What::Promo
        | What::Finished
        | What::Suppressed
        | What::Released
        | What::Consented
        | What::ConsentAsked
        | What::Preferred
        | What::Unsubscribed => "orlova",
    };
    LedgerEntry {
        reason,
        journey: Some("welcome".into()),
        step: Some("2".into()),
        channel: Some(Channel::Email),
        template: (reason != Some(Reason::NoDate) || what != What::Skipped).then(|| "hello".into()),
        variant: Some("A".into()),
        until: Some("2026-11-24T07:00:00Z".parse().unwrap()),
        detail: Some(detail.to_owned()),
        ..LedgerEntry::new(at, CONTACT, what)
    }
}

#[test]
fn every_line_that_can_be_written_reads_well() {
    let names = Names::default();
    let mut text = String::new();
    for (what, reasons) in pairs() {
        for reason in reasons {
            let line = full_line(what, reason);
            let reason = reason.map_or("", Reason::word);
            writeln!(text, "{what} {reason}").unwrap();
            for language in Language::ALL {
                let said = sentence(&line, &names, &Zone::utc(), language);
                writeln!(text, "  {said}").unwrap();
            }
        }
    }
    golden("every-line", &text);
}

#[test]
fn lines_with_words_of_their_own() {
    let names = Names::default();
    let mut text = String::new();
    let mut tell = |line: &LedgerEntry| {
        for language in Language::ALL {
            let said = sentence(line, &names, &Zone::utc(), language);
            writeln!(text, "{said}").unwrap();
        }
    };
    let with = |what, reason, detail: Option<&str>| LedgerEntry {
        detail: detail.map(str::to_owned),
        ..full_line(what, reason)
    };
    tell(&with(
        What::Enrolled,
        Some(Reason::Holdout),
        Some(ALL_JOURNEYS),
    ));
    tell(&with(What::Approved, None, Some(NOBODY)));
    tell(&with(What::Branched, None, Some("else")));
    tell(&with(What::Notified, None, Some("owner")));
    tell(&with(What::Notified, None, Some("role:head")));
    tell(&with(What::Came, None, None));
    tell(&with(What::Came, None, Some("Own “Event”")));
    tell(&with(What::Exited, Some(Reason::ExitEvent), None));
    tell(&with(What::Failed, Some(Reason::HardBounce), None));
    tell(&with(What::Unsubscribed, None, None));
    tell(&with(What::Consented, None, None));
    tell(&with(What::ConsentAsked, None, None));
    for reason in [Reason::FrequencyCap, Reason::QuietHours] {
        tell(&with(What::Held, Some(reason), Some(OWN_WISH)));
    }
    let of_contact = full_line(What::Merged, Some(Reason::Merged));
    tell(&LedgerEntry {
        journey: None,
        ..of_contact
    });
    for channel in Channel::ALL {
        let line = full_line(What::Sent, None);
        tell(&LedgerEntry {
            channel: Some(channel),
            ..line
        });
    }
    let until = None;
    let bare = |what, reason| LedgerEntry {
        until,
        ..full_line(what, reason)
    };
    tell(&bare(What::NotEnrolled, Some(Reason::Reentry)));
    tell(&bare(What::Task, None));
    golden("own-words", &text);
}

/// Whatever a ledger may hold, in whatever pairing: a sentence that is whole.
#[test]
fn every_pair_of_codes_makes_a_whole_sentence() {
    let names = Names::default();
    let reasons = Reason::ALL.iter().copied().map(Some).chain([None]);
    for reason in reasons {
        for what in What::ALL {
            for language in Language::ALL {
                let full = sentence(&full_line(*what, reason), &names, &Zone::utc(), language);
                let bare = LedgerEntry {
                    reason,
                    ..LedgerEntry::new(Timestamp::UNIX_EPOCH, CONTACT, *what)
                };
                let bare = sentence(&bare, &names, &Zone::utc(), language);
                let code = format!("{what} {reason:?} {full:?} {bare:?}");
                assert!(
                    full.ends_with(['.', '。']) && bare.ends_with(['.', '。']),
                    "{code}"
                );
                for wrong in ["{", "}", "[", "]", "..", "。。", "  ", " .", "ため、ため"] {
                    assert!(
                        !full.contains(wrong) && !bare.contains(wrong),
                        "{wrong} in {code}"
                    );
                }
                // A task's title is shown with what is not known yet left open.
                if *what != What::Task {
                    assert!(!full.contains('…'), "{code}");
                }
            }
        }
    }
}

/// Entries of `whole` that no line can ask for would never be read.
#[test]
fn every_whole_entry_can_be_asked_for() {
    let own = [
        "enrolled.everywhere",
        "approved.nobody",
        "sent.voice",
        "sent.letter",
        "skipped.message",
        "came.condition",
        "branched.else",
        "notified.owner",
        "notified.role",
        "unsubscribed.topic",
        "consented.topic",
        "consent_asked.topic",
        "held.own_limit",
        "held.own_hours",
        "merged.run",
    ];
    for key in words(Language::En).whole.keys() {
        let (what, reason) = match key.strip_prefix("skipped.message.") {
            Some(reason) => ("skipped", reason),
            None => key.split_once('.').unwrap_or((key, "")),
        };
        let known = What::from_word(what).is_some()
            && (Reason::from_word(reason).is_some() || own.contains(&key.as_str()));
        assert!(known, "{key}");
    }
}

/// Entries that the code asks for by name: each must be there.
#[test]
fn every_entry_that_is_asked_for_is_there() {
    let source = include_str!("../explain.rs");
    let words = words(Language::En);
    let mut asked = 0;
    for part in source.split("self.told(\"").skip(1) {
        let key = part.split('"').next().unwrap_or_default();
        assert!(words.summary.contains_key(key), "summary.{key}");
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
    for key in [
        "holdout_entry",
        "against_entry",
        "against_another",
        "began",
        "began_earlier",
    ] {
        assert!(words.summary.contains_key(key), "summary.{key}");
    }
    let triggers = [
        On::Event(EventName::from("x")),
        On::SegmentEntered("x".into()),
        On::SegmentLeft("x".into()),
        On::Manual,
        On::Api,
    ];
    let names = Names::default();
    let speaker = Speaker {
        words,
        names: &names,
        zone: &Zone::utc(),
        now: Timestamp::UNIX_EPOCH,
    };
    for on in triggers {
        let told = speaker.trigger(&on, &Values::default().with(Slot::Journey, "J"));
        assert!(told.starts_with("The journey “J”"), "{told}");
    }
    for key in [
        "changed",
        "inactive",
        "inactive_event",
        "date",
        "schedule",
        "schedule_segment",
    ] {
        assert!(words.trigger.contains_key(key), "trigger.{key}");
    }
}
