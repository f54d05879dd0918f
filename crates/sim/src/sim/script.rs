//! What people will do, written down before the life begins.

use jiff::{SignedDuration, Timestamp};
use relance_core::mail::{DocumentFacts, Folder, MailClass, MailSeen, NamedNumber, Said};

use crate::history::{Absence, FollowUp, Reply};
use crate::plan::{self, MAILBOXES};

use super::happen::{address, inbound};
use super::{Happening, SUNSET_DAYS, Sim, WAKE_HOURS};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl Sim {
    pub(super) fn write_script(&mut self) {
        let birth = plan::birth();
        let span = self.plan.days * 24;
        for person in 0..self.plan.people.len() {
            if self.plan.people[person].on_site {
                self.write_site(person);
            }
            let most = if self.plan.people[person].is_ours() {
                0
            } else {
                2
            };
            for _ in 0..self.rng.between(0, most) {
                self.write_document(person);
            }
        }
        for _ in 0..self.plan.faults.crashes {
            let at = self.moment();
            let down = if self.rng.chance(200) {
                SignedDuration::from_hours(self.rng.between(1, 80))
            } else {
                SignedDuration::from_secs(self.rng.between(1, 3_600))
            };
            self.at(at, Happening::Crash(down));
        }
        for _ in 0..self.plan.faults.outages {
            let at = self.moment();
            let mailbox = self.mailbox();
            let length = SignedDuration::from_mins(self.rng.between(5, 5_000));
            self.at(at, Happening::Outage(mailbox, length));
            let at = self.moment();
            let alive = self.rng.chance(300);
            self.at(at, Happening::Idle(mailbox, alive));
        }
        for _ in 0..self.plan.faults.clock_jumps {
            let at = self.moment();
            let by = SignedDuration::from_secs(self.rng.between(-7_200, 7_200));
            self.at(at, Happening::SetClock(by));
        }
        self.write_orders();
        let calm = birth + HOUR * span as i32;
        self.at(calm, Happening::Calm);
        self.at(calm + HOUR * WAKE_HOURS as i32, Happening::Wake);
        self.at(calm + HOUR * 24 * SUNSET_DAYS as i32, Happening::Sunset);
    }

    /// A moment of the life before the calm.
    pub(super) fn moment(&mut self) -> Timestamp {
        let minutes = self.plan.days * 24 * 60;
        plan::birth() + SignedDuration::from_mins(self.rng.between(1, minutes))
    }

    fn mailbox(&mut self) -> usize {
        self.rng.between(0, MAILBOXES.len() as i64 - 1) as usize
    }

    /// A document leaves a mailbox; perhaps somebody answers, or something.
    fn write_document(&mut self, person: usize) {
        self.documents += 1;
        let number = self.documents;
        let own = self.plan.people[person].clone();
        let mailbox = self.mailbox();
        let box_id = self.mailboxes[mailbox].id.clone();
        let at = self.moment();
        let message_id = format!("document-{number}@us.test");
        let document = MailSeen {
            mailbox: box_id.clone(),
            folder: Folder::Sent,
            message_id: message_id.clone(),
            references: Vec::new(),
            from: Some(address(box_id.as_str())),
            to: vec![address(&own.email)],
            at,
            subject: format!("Offer {number}"),
            touchpoint: None,
            numbers: Vec::new(),
            class: MailClass::Document(Box::new(DocumentFacts {
                kind: "offer".to_owned(),
                number: Some(number.to_string()),
                amount: Some("1000".to_owned()),
                currency: Some("EUR".to_owned()),
                issued: None,
                due: None,
                ..DocumentFacts::default()
            })),
        };
        self.history
            .documents
            .insert(message_id.clone(), box_id.clone());
        let recipients = &mut self.history.recipients;
        recipients.insert(message_id.clone(), own.email.clone());
        self.at(at, Happening::Mail(mailbox, Box::new(document)));

        let later =
            |sim: &mut Self| at + SignedDuration::from_mins(sim.rng.between(2, 6 * 24 * 60));
        if self.rng.chance(200) {
            // What follows from the number alone leaves lives without it as they were.
            let returns = number.is_multiple_of(3).then(|| {
                let days = SignedDuration::from_hours(24 * (4 + i64::from(number % 6)));
                (at + days).to_zoned(jiff::tz::TimeZone::UTC).date()
            });
            let has_left = number % 7 == 2;
            let class = MailClass::AutoReply {
                until: returns.filter(|_| !has_left),
                returns: returns.filter(|_| !has_left),
                reason: if has_left {
                    "left_company"
                } else {
                    "out_of_office"
                }
                .to_owned(),
                new_address: has_left.then(|| format!("next-{}", own.email)),
            };
            let returns = returns.filter(|_| !has_left);
            let mail = inbound(
                &box_id,
                format!("auto-{number}"),
                &own.email,
                vec![message_id.clone()],
                class,
            );
            let when = later(self);
            self.put_mail(mailbox, mail, when);
            let sent_on = when.to_zoned(jiff::tz::TimeZone::UTC).date();
            if let Some(returns) = returns.filter(|returns| *returns > sent_on) {
                self.history.absences.push(Absence {
                    at: when,
                    mailbox: box_id.clone(),
                    email: own.email.clone(),
                    returns,
                });
            }
        }
        if number % 4 == 1 {
            let when = at + HOUR * (20 + 9 * (number % 9) as i32);
            self.write_by_hand(mailbox, number, &own.email, &message_id, when);
        }
        if self.rng.chance(60) {
            let class = MailClass::Bounce {
                recipient: Some(own.email.clone()),
                status: Some("5.1.1".to_owned()),
                class: "hard".to_owned(),
                original: Some(message_id.clone()),
            };
            let mail = inbound(
                &box_id,
                format!("bounce-{number}"),
                "mailer-daemon@x.test",
                vec![],
                class,
            );
            let when = later(self);
            self.put_mail(mailbox, mail, when);
        }
        if self.rng.chance(500) {
            let when = later(self);
            self.write_reply(person, mailbox, number, message_id, when);
        }
    }

    /// A person answers: in the thread or outside it, themselves or a colleague, perhaps to two of us.
    fn write_reply(
        &mut self,
        person: usize,
        mailbox: usize,
        number: u32,
        document: String,
        at: Timestamp,
    ) {
        let own = self.plan.people[person].clone();
        let colleagues: Vec<_> = self
            .plan
            .people
            .iter()
            .filter(|other| other.is_colleague_of(&own) && other.email != own.email)
            .cloned()
            .collect();
        let writer = if !colleagues.is_empty() && self.rng.chance(300) {
            self.rng.pick(&colleagues)
        } else {
            own.clone()
        };
        let in_thread = self.rng.chance(600);
        let answers_for = if in_thread {
            vec![own.email.clone()]
        } else {
            let of_company = |other: &&plan::Person| other.is_colleague_of(&writer);
            let mut all: Vec<_> = self
                .plan
                .people
                .iter()
                .filter(of_company)
                .map(|one| one.email.clone())
                .collect();
            if all.is_empty() {
                all.push(writer.email.clone());
            }
            all
        };
        // Some name the document instead of answering in its thread.
        let by_number = !in_thread
            && number.is_multiple_of(2)
            && writer.email == own.email
            && own.is_colleague_of(&own);
        let answers_for = match by_number {
            true => vec![own.email.clone()],
            false => answers_for,
        };
        let message_id = format!("reply-{number}@client.test");
        let class = MailClass::Reply {
            text: "Thank you".to_owned(),
            said: Said::default(),
        };
        let references = if in_thread {
            vec![document.clone()]
        } else {
            vec![]
        };
        let mut places = vec![mailbox];
        if self.rng.chance(200) {
            places.push((mailbox + 1) % MAILBOXES.len());
        }
        let mailboxes = places
            .iter()
            .map(|place| self.mailboxes[*place].id.clone())
            .collect();
        for place in places {
            let box_id = self.mailboxes[place].id.clone();
            let mut mail = inbound(
                &box_id,
                message_id.clone(),
                &writer.email,
                references.clone(),
                class.clone(),
            );
            mail.numbers.extend(by_number.then(|| NamedNumber {
                number: number.to_string(),
                is_distinctive: false,
            }));
            self.put_mail(place, mail, at);
        }
        self.history.replies.push(Reply {
            at,
            mail: message_id,
            mailboxes,
            answers_for,
            document: (in_thread || by_number).then_some(document),
        });
    }

    /// One of ours writes to the client again, by hand: in the thread, or by the number alone.
    fn write_by_hand(
        &mut self,
        mailbox: usize,
        number: u32,
        client: &str,
        document: &str,
        at: Timestamp,
    ) {
        let box_id = self.mailboxes[mailbox].id.clone();
        let mail = MailSeen {
            mailbox: box_id.clone(),
            folder: Folder::Sent,
            message_id: format!("by-hand-{number}@us.test"),
            references: vec![document.to_owned()],
            from: Some(address(box_id.as_str())),
            to: vec![address(client)],
            at,
            subject: format!("Re: Offer {number}"),
            touchpoint: None,
            numbers: Vec::new(),
            class: MailClass::Reply {
                text: "Have you had time to look at it?".to_owned(),
                said: Said::default(),
            },
        };
        self.put_mail(mailbox, mail, at);
        self.history.follow_ups.push(FollowUp {
            at,
            document: document.to_owned(),
        });
    }

    fn put_mail(&mut self, mailbox: usize, mut mail: MailSeen, at: Timestamp) {
        // Servers tell whole seconds.
        mail.at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        self.at(at, Happening::Mail(mailbox, Box::new(mail)));
    }
}
