//! The gate (R3): may this message go to this contact now?
//!
//! The reasons stand in one order, from what can never change to what changes by itself, so that the
//! ledger names the strongest. **Invariant:** knows nothing of steps; a touchpoint, a contact and a
//! moment decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::contact::{Channel, Consent, Contact, SendMark};
use crate::ids::{MailboxId, TemplateId, Topic};
use crate::journey::Holdout;
use crate::ledger::Reason;
use crate::preferences::PUT_OFF_MAX;
use crate::suppression::Listed;
use crate::time::{Calendar, Delay, QuietHours, Zone, civil_day, day_bounds};
use crate::touchpoint::{Silence, Touchpoint};
use crate::typed::TraitTypes;

/// A mailbox that could not be read is asked again after this at the soonest.
const SYNC_RETRY_MIN: SignedDuration = SignedDuration::from_secs(2);
/// And after this at the latest.
const SYNC_RETRY_MAX: SignedDuration = SignedDuration::from_secs(300);

/// How long silence that was heard stays a fact. Longer than `SYNC_RETRY_MAX`, so that a message that
/// waits for a mailbox finds it read when it comes again.
pub const SILENCE_AGE_MAX: SignedDuration = SignedDuration::from_secs(600);

/// How long a message to who has left the company waits for another address.
pub const GONE_HOLD_MAX: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How often it is looked at meanwhile.
const GONE_PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// An absence longer than this is not waited for: whoever is away so long has a deputy.
pub const AWAY_DAYS_MAX: i64 = 60;

/// A message of a paused journey is looked at again when the journey goes on, not by itself: in the year
/// 9999.
pub const PAUSED_UNTIL: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// What becomes of reminders that depend on a mailbox which nobody will read again: a person said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// They go on as if it had never been watched.
    GoOn,
    /// Those about what was sent from it are left out; others go on.
    LeaveOut,
}

/// What the workspace allows.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The zone of contacts that tell none.
    pub zone: Zone,
    /// The calendar of contacts that tell none.
    pub calendar: Arc<Calendar>,
    /// When a channel may not be used; a channel without an entry always may.
    pub quiet_hours: BTreeMap<Channel, QuietHours>,
    /// How many messages are enough.
    pub caps: Vec<Cap>,
    /// Topics that need a granted consent; others go unless denied.
    pub opt_in_topics: BTreeSet<Topic>,
    /// Domains of the own company: never contacted.
    pub internal_domains: BTreeSet<String>,
    /// Domains of mail providers: their users are not colleagues.
    pub freemail_domains: BTreeSet<String>,
    /// Traits that have a declared type.
    pub trait_types: TraitTypes,
    /// How long a question for approval stands, unless the journey says.
    pub approval_expiry: Delay,
    /// What service messages are exempt from.
    pub service: ServiceExemption,
    /// Share of contacts that receive nothing from any journey, in thousandths; service messages aside.
    pub holdout: Holdout,
}

/// What a service message (order, payment) need not ask, where law and the workspace allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceExemption {
    /// Consent to channel and topic.
    pub consent: bool,
    /// The control groups.
    pub holdout: bool,
    /// Frequency caps; an exempt message does not count for them either.
    pub caps: bool,
    /// Quiet hours.
    pub quiet_hours: bool,
}

impl ServiceExemption {
    /// Exempt from everything that it can be.
    pub const ALL: Self = Self {
        consent: true,
        holdout: true,
        caps: true,
        quiet_hours: true,
    };
}

/// A frequency cap, counted over civil days in the contact's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// One channel, or all together.
    pub channel: Option<Channel>,
    /// One topic, or all together.
    pub topic: Option<Topic>,
    /// How many civil days back, today included: 1 is a day, 7 a week, 30 a month.
    pub days: u16,
    /// How many messages in them.
    pub most: u32,
}

/// What the gate must know of a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateFacts {
    /// Its own topic, else the journey's.
    pub topic: Option<Topic>,
    /// A service message (order, payment): exempt from caps and quiet hours.
    pub service: bool,
    /// When it is not known whether it went: send it again (service messages) or not (the default).
    pub at_least_once: bool,
}

/// The gate's answer. A refusal is a value with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may go.
    Send,
    /// Not now.
    Hold {
        /// When to ask again.
        until: Timestamp,
        /// Why.
        reason: Reason,
        /// The contact wishes it; the workspace alone would let it go, or sooner.
        wish: bool,
    },
    /// Never.
    Drop {
        /// Why.
        reason: Reason,
    },
}

/// What the gate decides over.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// To whom.
    pub contact: &'a Contact,
    /// What.
    pub touchpoint: &'a Touchpoint,
    /// The run still goes on.
    pub running: bool,
    /// The run, or the contact as a whole, is in a control group.
    pub held_out: bool,
    /// The journey stands still.
    pub paused: bool,
    /// Until when the contact is away, for a journey that waits for that.
    pub away_until: Option<Timestamp>,
    /// Nobody reads what goes to the contact's address of mail any more.
    pub gone: bool,
    /// It reminds: its journey ends or turns when somebody answers.
    pub reminds: bool,
    /// What the list of suppressions says of the contact's addresses, where it was asked.
    pub listed: Option<&'a Listed>,
    /// What its template is.
    pub facts: &'a BTreeMap<TemplateId, TemplateFacts>,
    /// The journey's topic.
    pub topic: Option<&'a Topic>,
    /// The contact's zone.
    pub zone: &'a Zone,
    /// The contact's calendar.
    pub calendar: &'a Calendar,
    /// When each mailbox was last read whole.
    pub synced: &'a BTreeMap<MailboxId, Timestamp>,
    /// Mailboxes that nobody will read again.
    pub forgotten: &'a BTreeMap<MailboxId, GivenUp>,
    /// It depends on the silence of such a mailbox, and is to be left out.
    pub left_out: bool,
    /// Other messages to the contact that are in flight: they count for caps as if they had gone.
    pub in_flight: &'a [SendMark],
    /// Messages of a higher priority that are due as well: they take the room that caps leave.
    pub rivals: &'a [SendMark],
}

/// May this message go now? Asked when the step is reached and again before the wire.
pub fn gate(policy: &Policy, question: &Question<'_>, now: Timestamp) -> Verdict {
    let Question {
        contact,
        touchpoint,
        ..
    } = *question;
    let facts = question.facts.get(&touchpoint.template);
    let topic = facts
        .and_then(|facts| facts.topic.as_ref())
        .or(question.topic);
    let exempt = match facts.is_some_and(|facts| facts.service) {
        // Whoever signed up a moment ago waits for the question.
        _ if touchpoint.is_confirmation() => ServiceExemption::ALL,
        true => policy.service,
        false => ServiceExemption::default(),
    };
    let drop = |reason| Verdict::Drop { reason };
    let hold = |until, reason| Verdict::Hold {
        until,
        reason,
        wish: false,
    };

    if contact.erased {
        return drop(Reason::Erased);
    }
    let Some(address) = contact.address(touchpoint.channel) else {
        return drop(Reason::NoAddress);
    };
    let listed = question.listed;
    if contact.suppressed.contains_key(&touchpoint.channel)
        || listed.is_some_and(|listed| listed.reason(touchpoint.channel).is_some())
    {
        return drop(Reason::Suppressed);
    }
    if policy.is_internal(touchpoint.channel, address) {
        return drop(Reason::Internal);
    }
    if !exempt.consent && !policy.consents(contact, touchpoint.channel, topic) {
        return drop(Reason::NoConsent);
    }
    // Whoever asked for it in words is reminded of nothing, whatever service messages are exempt from.
    if question.reminds
        && touchpoint.channel == Channel::Email
        && !touchpoint.is_confirmation()
        && contact.refused_in_words()
    {
        return drop(Reason::NoConsent);
    }
    if !question.running {
        return drop(Reason::Exited);
    }
    if question.paused {
        return hold(PAUSED_UNTIL, Reason::Paused);
    }
    if question.held_out && !exempt.holdout {
        return drop(Reason::Holdout);
    }
    if question.gone && touchpoint.channel == Channel::Email && !touchpoint.is_confirmation() {
        // A person looks for another address; until then it is looked at each day.
        return match now.duration_since(touchpoint.created_at) < GONE_HOLD_MAX {
            true => hold(now + GONE_PAUSE, Reason::LeftCompany),
            false => drop(Reason::LeftCompany),
        };
    }
    if let Some(until) = question.away_until.filter(|until| *until > now) {
        return hold(until, Reason::Away);
    }
    if !exempt.quiet_hours
        && let Some(until) = contact.preferences.paused_until
        && until > now
    {
        if now.duration_until(until) > PUT_OFF_MAX {
            return drop(Reason::PausedByContact);
        }
        return Verdict::Hold {
            until,
            reason: Reason::PausedByContact,
            wish: true,
        };
    }
    if !exempt.caps {
        let gone = |with: &[SendMark]| policy.capped_until(question, with, topic, now);
        if let Some((until, wish)) = gone(&[]) {
            return Verdict::Hold {
                until,
                reason: Reason::FrequencyCap,
                wish,
            };
        }
        if let Some((until, wish)) = gone(question.rivals) {
            return Verdict::Hold {
                until,
                reason: Reason::Priority,
                wish,
            };
        }
    }
    if !exempt.quiet_hours
        && let Some((until, wish)) = policy.quiet_until(question, now)
    {
        return Verdict::Hold {
            until,
            reason: Reason::QuietHours,
            wish,
        };
    }
    if !touchpoint.approval.is_auto() && touchpoint.approved_by.is_none() {
        let expires = touchpoint
            .approval
            .expires
            .unwrap_or(policy.approval_expiry);
        let until = expires.add(now, question.zone, question.calendar);
        return hold(until, Reason::Approval);
    }
    if question.left_out {
        return drop(Reason::MailboxNotSynced);
    }
    if let Some(silence) = &touchpoint.silence
        && !silence.is_known(question.synced, question.forgotten, now)
    {
        // Asked soon after the deadline, then ever more seldom, while the mailbox stays unreadable.
        let waited = now.duration_since(silence.after).as_secs();
        let pause = SignedDuration::from_secs(waited / 4).clamp(SYNC_RETRY_MIN, SYNC_RETRY_MAX);
        return hold(now + pause, Reason::MailboxNotSynced);
    }
    Verdict::Send
}

impl Silence {
    /// Whether every mailbox was read after the deadline and not long ago, so that silence is a fact now:
    /// a message may have stood in the outbox while the program, or its provider, did not run. A reading
    /// in the future is no proof: the clock was set back since. Mailboxes that were forgotten are not asked.
    pub fn is_known(
        &self,
        synced: &BTreeMap<MailboxId, Timestamp>,
        forgotten: &BTreeMap<MailboxId, GivenUp>,
        now: Timestamp,
    ) -> bool {
        let oldest = self.after.max(now - SILENCE_AGE_MAX);
        self.mailboxes
            .iter()
            .filter(|mailbox| !forgotten.contains_key(*mailbox))
            .all(|mailbox| matches!(synced.get(mailbox), Some(at) if (oldest..=now).contains(at)))
    }
}

impl Policy {
    /// Whether an address is the own company's.
    pub fn is_internal(&self, channel: Channel, address: &str) -> bool {
        channel == Channel::Email
            && address
                .rsplit_once('@')
                .is_some_and(|(_, domain)| self.internal_domains.contains(&domain.to_lowercase()))
    }

    /// Whether a contact allows a channel and topic. Asked and not confirmed is no yes.
    fn consents(&self, contact: &Contact, channel: Channel, topic: Option<&Topic>) -> bool {
        let of_channel = contact.channel_consents.get(&channel);
        match of_channel.map(|record| record.answer) {
            Some(Consent::Denied | Consent::Pending) => return false,
            Some(Consent::Granted) | None => {}
        }
        topic.is_none_or(|topic| {
            let of_topic = contact.topic_consents.get(topic);
            match of_topic.map(|record| record.answer) {
                Some(Consent::Granted) => true,
                Some(Consent::Denied | Consent::Pending) => false,
                None => !self.opt_in_topics.contains(topic),
            }
        })
    }

    /// When both the workspace and the contact let a message of the channel go, if not now; and whether it
    /// is the contact's hours that it waits for.
    fn quiet_until(&self, question: &Question<'_>, now: Timestamp) -> Option<(Timestamp, bool)> {
        /// Each step goes to the end of quiet hours or the beginning of the contact's: a week has few.
        const STEPS_MAX: usize = 32;
        let quiet = self.quiet_hours.get(&question.touchpoint.channel);
        let window = question.contact.preferences.window.as_ref();
        let (zone, calendar) = (question.zone, question.calendar);
        let (mut open, mut wish) = (now, false);
        for _ in 0..STEPS_MAX {
            let before = open;
            open = quiet.map_or(open, |quiet| quiet.next_allowed(open, zone, calendar));
            let welcome = window.map_or(open, |window| window.next_open(open, zone, calendar));
            wish |= welcome > open;
            open = welcome;
            if open == before {
                break;
            }
        }
        (open > now).then_some((open, wish))
    }

    /// When the strictest exhausted cap leaves room again, and whether it is the contact's own.
    fn capped_until(
        &self,
        question: &Question<'_>,
        rivals: &[SendMark],
        topic: Option<&Topic>,
        now: Timestamp,
    ) -> Option<(Timestamp, bool)> {
        let today = civil_day(now, question.zone);
        let channel = question.touchpoint.channel;
        let sends = &question.contact.sends;
        let own = question.contact.preferences.frequency.map(|most| Cap {
            channel: None,
            topic: None,
            days: most.per().days(),
            most: u32::from(most.most()),
        });
        let of_workspace = self.caps.iter().map(|cap| (cap, false));
        of_workspace
            .chain(own.iter().map(|cap| (cap, true)))
            .filter(|(cap, _)| cap.concerns(channel, topic))
            .filter_map(|(cap, wish)| {
                let oldest = today - i32::from(cap.days) + 1;
                if cap.most == 0 {
                    return Some((day_bounds(today + 1, question.zone).start, wish));
                }
                let mut days: Vec<i32> = sends
                    .iter()
                    .chain(question.in_flight)
                    .chain(rivals)
                    .filter(|mark| cap.counts(mark))
                    .map(|mark| civil_day(mark.at, question.zone))
                    .filter(|day| *day >= oldest)
                    .collect();
                days.sort_unstable();
                let over = days.len().checked_sub(usize::try_from(cap.most).ok()?)?;
                // The send that must leave the period before there is room again.
                let day = days.get(over)?;
                let until = day_bounds(day + i32::from(cap.days), question.zone).start;
                Some((until, wish))
            })
            // Where both say the same the workspace's stands.
            .max_by_key(|(until, wish)| (*until, !*wish))
    }
}

impl Cap {
    fn concerns(&self, channel: Channel, topic: Option<&Topic>) -> bool {
        self.channel.is_none_or(|own| own == channel)
            && self.topic.as_ref().is_none_or(|own| Some(own) == topic)
    }

    fn counts(&self, mark: &SendMark) -> bool {
        self.concerns(mark.channel, mark.topic.as_ref())
    }
}
