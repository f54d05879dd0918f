//! What the contact allows: suppression, consent, wishes, erasure. What is forbidden from now on is called
//! back at once (R2).

use crate::consent::{About, Consent, ConsentChange, ConsentRecord, Evidence, Source, TOPICS_MAX};
use crate::contact::{Channel, SuppressionReason};
use crate::enrollment::ExitReason;
use crate::event::Event;
use crate::ids::{EnrollmentId, Topic, TouchpointId};
use crate::journey::{Approval, Recipient, Sender};
use crate::ledger::{Reason, What};
use crate::preferences::Wishes;
use crate::suppression::{Suppression, SuppressionKey, SuppressionKind};
use crate::touchpoint::{CONFIRM_JOURNEY, CONFIRM_STEP, Touchpoint, TouchpointState};
use crate::value::{Fields, Value};

use super::gate::After;
use super::{Effect, Turn};

/// Questions to confirm a sign-up are counted over this time.
const ASKED_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl Turn<'_> {
    /// A channel must not be used any more: its messages are called back, runs go on without them.
    pub(super) fn suppress(&mut self, channel: Channel, reason: SuppressionReason) {
        if self.snapshot.contact.suppressed.contains_key(&channel) {
            return;
        }
        let code = match reason {
            SuppressionReason::HardBounce => Reason::HardBounce,
            SuppressionReason::Complaint => Reason::Complaint,
            SuppressionReason::Manual => Reason::Suppressed,
        };
        self.put_on_list(channel, reason);
        self.put_contact(|contact| {
            contact.suppressed.insert(channel, reason);
        });
        let mut line = self.line(What::Suppressed);
        line.channel = Some(channel);
        line.reason = Some(code);
        self.ledger(line);
        let after = self.after_drop(channel, Reason::Suppressed);
        let concerned =
            |one: &Touchpoint| one.channel == channel && one.recipient == Recipient::Contact;
        self.call_back(concerned, code, after);
    }

    /// What the address brought upon itself stays with it, whoever has it next. What a person of ours
    /// suppresses came from the list.
    fn put_on_list(&mut self, channel: Channel, reason: SuppressionReason) {
        let source = match reason {
            SuppressionReason::HardBounce => "bounce",
            SuppressionReason::Complaint => "complaint",
            SuppressionReason::Manual => return,
        };
        let kind = match channel {
            Channel::Email => SuppressionKind::Email,
            Channel::Sms | Channel::Voice => SuppressionKind::Phone,
            Channel::Whatsapp | Channel::Telegram | Channel::Webhook | Channel::Letter => return,
        };
        let address = self.snapshot.contact.address(channel);
        let key = address.and_then(|address| SuppressionKey::new(kind, address).ok());
        if let Some(key) = key {
            self.emit(Effect::Suppression(Suppression {
                key,
                reason,
                at: self.now,
                source: source.to_owned(),
            }));
        }
    }

    /// A channel may be used again.
    pub(super) fn lift(&mut self, channel: Channel) {
        if !self.snapshot.contact.suppressed.contains_key(&channel) {
            return;
        }
        self.put_contact(|contact| {
            contact.suppressed.remove(&channel);
        });
        let mut line = self.line(What::Released);
        line.channel = Some(channel);
        self.ledger(line);
    }

    /// A new address is free of what the old one brought upon itself.
    pub(super) fn address_changed(&mut self, before: &Fields) {
        let changed = |name: &str| {
            let is = self.snapshot.contact.traits.get(name);
            before.get(name) != is
        };
        let (email, phone) = (changed("email"), changed("phone"));
        for channel in Channel::ALL {
            let moved = match channel {
                Channel::Email => email,
                Channel::Sms | Channel::Voice | Channel::Whatsapp => phone,
                Channel::Telegram | Channel::Webhook | Channel::Letter => false,
            };
            // A complaint is the person's own word, not the address's.
            let of_address = match self.snapshot.contact.suppressed.get(&channel) {
                Some(SuppressionReason::HardBounce | SuppressionReason::Manual) => true,
                Some(SuppressionReason::Complaint) | None => false,
            };
            if moved && of_address {
                self.lift(channel);
            }
        }
    }

    /// The contact said what it wants.
    pub(super) fn consent(&mut self, about: &About, consent: Consent, evidence: &Evidence) {
        let known = self.snapshot.contact.consent(about).cloned();
        let asks = consent == Consent::Granted
            && self.world.double_opt_in.concerns(about)
            && evidence.source.is_none_or(Source::needs_confirmation)
            && known
                .as_ref()
                .is_none_or(|known| *known != Consent::Granted);
        let consent = if asks { Consent::Pending } else { consent };
        if known.as_ref().is_some_and(|known| *known == consent) {
            if asks {
                // Whoever signs up again lost the first question, perhaps.
                self.ask_to_confirm();
            }
            return;
        }
        // A list of ours does not outweigh what the contact said itself.
        let imported = evidence.source == Some(Source::Import);
        if imported
            && known
                .as_ref()
                .is_some_and(|known| *known == Consent::Denied)
        {
            return;
        }
        let is_new = known.is_none();
        if is_new
            && matches!(about, About::Topic(_))
            && self.snapshot.contact.topic_consents.len() >= TOPICS_MAX
        {
            return;
        }
        let record = ConsentRecord {
            answer: consent,
            at: Some(self.now),
            evidence: evidence.clone(),
        };
        self.put_contact(|contact| {
            match about {
                About::Topic(topic) => contact.topic_consents.insert(topic.clone(), record),
                About::Channel(channel) => contact.channel_consents.insert(*channel, record),
            };
        });
        self.emit(Effect::Consent(ConsentChange {
            at: self.now,
            about: about.clone(),
            answer: consent,
            evidence: evidence.clone(),
        }));
        let what = match consent {
            Consent::Denied => What::Unsubscribed,
            Consent::Granted => What::Consented,
            Consent::Pending => What::ConsentAsked,
        };
        // A yes that nothing is known of is what earlier versions passed over in silence.
        if consent != Consent::Granted || evidence.source.is_some() {
            let mut line = self.line(what);
            match about {
                About::Channel(channel) => line.channel = Some(*channel),
                About::Topic(topic) => {
                    line.channel = Some(Channel::Email);
                    line.detail = Some(topic.to_string());
                }
            }
            self.ledger(line);
        }
        match consent {
            Consent::Granted => {}
            Consent::Pending => self.ask_to_confirm(),
            Consent::Denied => self.call_back_unwanted(about),
        }
    }

    fn call_back_unwanted(&mut self, about: &About) {
        let world = self.world;
        let journeys: Vec<_> = self.snapshot.enrollments.clone();
        let exempt = self.world.policy.service.consent;
        let concerned = |touchpoint: &Touchpoint| {
            if touchpoint.recipient != Recipient::Contact {
                return false;
            }
            if touchpoint.is_confirmation() {
                return *about == About::Channel(touchpoint.channel);
            }
            let facts = world.templates.get(&touchpoint.template);
            if exempt && facts.is_some_and(|facts| facts.service) {
                return false;
            }
            let of_journey = || {
                let run = journeys
                    .iter()
                    .find(|run| run.id == touchpoint.enrollment)?;
                world.journey(&run.journey, run.version)?.topic.as_ref()
            };
            match about {
                About::Topic(topic) => {
                    facts
                        .and_then(|facts| facts.topic.as_ref())
                        .or_else(of_journey)
                        == Some(topic)
                }
                About::Channel(channel) => touchpoint.channel == *channel,
            }
        };
        self.call_back(concerned, Reason::Unsubscribed, After::GoOn);
    }

    /// Puts the question into the outbox, unless one waits there or too many went lately.
    fn ask_to_confirm(&mut self) {
        let contact = &self.snapshot.contact;
        if contact.erased || contact.address(Channel::Email).is_none() {
            return;
        }
        let open = |one: &Touchpoint| one.is_confirmation();
        if self.snapshot.touchpoints.iter().any(open) {
            return;
        }
        let now = self.now;
        let lately = |at: &jiff::Timestamp| now.duration_since(*at) < ASKED_WITHIN;
        let asked = contact.asked_at.iter().filter(|at| lately(at)).count();
        if asked >= usize::from(self.world.double_opt_in.per_day_max) {
            return;
        }
        self.put_contact(|contact| {
            contact.asked_at.retain(lately);
            contact.asked_at.push(now);
        });
        let none = EnrollmentId {
            contact: self.snapshot.contact.id,
            number: 0,
        };
        // By its moment: a question of another day is another message.
        let moment = format!("{CONFIRM_STEP}:{}", now.as_millisecond());
        let touchpoint = Touchpoint {
            id: TouchpointId::derive(none, &moment, 1),
            enrollment: none,
            journey: CONFIRM_JOURNEY.into(),
            step: CONFIRM_STEP.into(),
            subject: None,
            recipient: Recipient::Contact,
            channel: Channel::Email,
            template: CONFIRM_JOURNEY.into(),
            item: None,
            text: None,
            from: Sender::Workspace,
            variant: None,
            priority: i16::MAX,
            members: Vec::new(),
            approval: Approval::of(crate::journey::Approver::Auto),
            approved_by: None,
            created_at: now,
            silence: None,
            attempts: 0,
            state: TouchpointState::Queued { ready_at: now },
        };
        self.put_touchpoint(touchpoint);
    }

    /// The owner of the address said yes to what was asked.
    pub(super) fn confirm(&mut self, evidence: &Evidence) {
        let oldest = self.now - self.world.double_opt_in.expiry;
        let stands = |record: &ConsentRecord| {
            *record == Consent::Pending && record.at.is_none_or(|at| at >= oldest)
        };
        let contact = &self.snapshot.contact;
        let channels = contact.channel_consents.iter();
        let topics = contact.topic_consents.iter();
        let pending: Vec<About> = channels
            .filter(|(_, record)| stands(record))
            .map(|(channel, _)| About::Channel(*channel))
            .chain(
                topics
                    .filter(|(_, record)| stands(record))
                    .map(|(topic, _)| About::Topic(topic.clone())),
            )
            .collect();
        for about in pending {
            self.consent(&about, Consent::Granted, evidence);
        }
    }

    /// The contact said what it wishes of our messages.
    pub(super) fn prefer(&mut self, wishes: &Wishes) {
        if self.snapshot.contact.erased {
            return;
        }
        for (about, answer) in &wishes.answers {
            // What was not said before and is not forbidden now needs no record.
            let known = self.snapshot.contact.consent(about);
            let silent = known.is_none() && *answer == Consent::Granted;
            let needed = match about {
                About::Channel(_) => false,
                About::Topic(topic) => self.world.policy.opt_in_topics.contains(topic),
            };
            if !silent || needed {
                self.consent(about, *answer, &wishes.evidence);
            }
        }
        if let Some(language) = &wishes.language {
            let mut traits = Fields::new();
            traits.insert("language".to_owned(), Value::String(language.clone()));
            self.tell_traits(&traits);
        }
        if self.snapshot.contact.preferences != wishes.preferences {
            let preferences = wishes.preferences.clone();
            self.put_contact(|contact| contact.preferences = preferences);
            let line = self.line(What::Preferred);
            self.ledger(line);
        }
    }

    /// Withdraws messages and lets their runs go on.
    pub(super) fn call_back(
        &mut self,
        which: impl Fn(&Touchpoint) -> bool,
        reason: Reason,
        after: After,
    ) {
        for id in self.withdraw(which, reason) {
            self.past_send(id, after);
        }
    }

    /// The contact must be forgotten: every run ends, every message is called back. What is stored of it
    /// goes in steps afterwards.
    pub(super) fn erase(&mut self) {
        self.put_contact(|contact| {
            contact.erased = true;
            contact.traits.clear();
            contact.account = None;
            contact.sends.clear();
            contact.mails_answered.clear();
            contact.channel_consents.clear();
            contact.topic_consents.clear();
            contact.asked_at.clear();
            contact.preferences = crate::preferences::Preferences::default();
            contact.seen.clear();
        });
        for run in self.snapshot.enrollments.clone() {
            if run.is_running() {
                self.exit(run, ExitReason::Erased, Reason::Erased);
            }
        }
        self.withdraw(Touchpoint::is_confirmation, Reason::Erased);
        self.leave_segments();
        for watch in self.snapshot.watches.clone() {
            let kind = super::TimerKind::Watch(watch.hash());
            self.emit(Effect::Disarm(super::Timer {
                due_at: watch.due_at,
                kind,
            }));
            self.emit(Effect::Unwatch(watch));
        }
    }

    /// Events that tell what the contact allows.
    pub(super) fn obey_consent(&mut self, event: &Event, consent: Consent) {
        let evidence = evidence_of(event, consent);
        for about in abouts_of(event) {
            self.consent(&about, consent, &evidence);
        }
    }
}

/// What an event about consent is about: its topics, else its channel.
fn abouts_of(event: &Event) -> Vec<About> {
    /// Topics that one event may name.
    const TOPICS_OF_EVENT_MAX: usize = 50;
    let text = |name| event.properties.get(name).and_then(Value::as_str);
    let listed = event.properties.get("topics").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let topics: Vec<About> = text("topic")
        .into_iter()
        .chain(listed)
        .filter(|topic| !topic.is_empty())
        .take(TOPICS_OF_EVENT_MAX)
        .map(|topic| About::Topic(Topic::from(topic)))
        .collect();
    if !topics.is_empty() {
        return topics;
    }
    let channel = text("channel").and_then(Channel::from_word);
    vec![About::Channel(channel.unwrap_or(Channel::Email))]
}

/// What an event tells of the way by which an answer came.
fn evidence_of(event: &Event, consent: Consent) -> Evidence {
    let text = |name: &str| event.properties.get(name).and_then(Value::as_str);
    let told = match text("source") {
        Some("one_click") => Some(Source::OneClick),
        Some("link") => Some(Source::Link),
        Some("preference_page") => Some(Source::PreferencePage),
        Some("reply") => Some(Source::Reply),
        Some("import") => Some(Source::Import),
        Some("api") => Some(Source::Api),
        Some("form") => Some(Source::Form),
        Some(_) | None => None,
    };
    // Whoever may send events may claim anything: a yes by an event is a form's, at best.
    let source = match consent {
        Consent::Granted | Consent::Pending => told
            .filter(|source| source.needs_confirmation())
            .or(Some(Source::Form)),
        Consent::Denied => told,
    };
    let part = |name: &str| text(name).map(Into::into);
    let proof = crate::consent::Proof {
        text: part("text"),
        wording: part("wording"),
        language: part("language"),
        url: part("url"),
        message: part("touchpoint"),
        agent: part("agent"),
    };
    Evidence {
        source,
        proof: proof.bounded(),
    }
}
