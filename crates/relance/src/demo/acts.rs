//! What happens outside the engine: documents are sent, clients write and pay, visitors come, a mailbox
//! cannot be read. Each act is told, and comes to the engine as in production: mails as examined bytes,
//! events as parsed calls.

use std::sync::Arc;

use jiff::ToSpan;
use relance_core::decide::{Answer, Input};
use relance_core::ids::{TouchpointId, UserId};
use relance_core::mail::{Folder, MailClass, MailSeen};
use relance_core::touchpoint::TouchpointState;
use relance_engine::arrival::Arrival;
use relance_engine::clock::Clock as _;
use relance_wire::segment;
use serde_json::{Value, json};

use super::DemoProblem;
use super::account::Tone;
use super::company::{fill, grouped};
use super::post::{self, FromClient};
use super::script::{self, Fate, OUTAGE_DESK};
use super::stage::{READING_EVERY, Stage, WEIGHT};

/// How a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Accept,
    Ask,
    Colleague,
    Outside,
    Promise,
}

/// What a visitor of the site does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    SignUp,
    Opens,
    Clicks,
    Orders,
    Leaves,
}

/// Something that happens at its moment.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// A document is sent.
    Send(usize),
    /// A client writes.
    Write(usize, Way),
    /// A client's machine answers.
    Away(usize),
    /// The mail cannot be delivered.
    Bounce(usize),
    /// An invoice is paid.
    Pay(usize),
    /// An offer is accepted for good.
    Win(usize),
    /// Something happens on the site.
    Site(usize, Visit),
    /// A salesperson answers a question for approval.
    Answer(usize, TouchpointId, Answer),
    /// Mailboxes are read whole.
    Read,
    /// A mailbox cannot be read any more.
    Fail,
    /// It can again.
    Return,
}

impl Stage {
    pub(super) fn plan_acts(&mut self) {
        self.plan(self.script.begins_at + READING_EVERY, Act::Read);
        self.plan(self.script.outage.0, Act::Fail);
        self.plan(self.script.outage.1, Act::Return);
        for place in 0..self.script.documents.len() {
            let one = &self.script.documents[place];
            let (fate, sent_at, number) = (one.fate, one.sent_at, one.number.clone());
            let mut chance = self.chance(&format!("fate of {number}"));
            self.plan(sent_at, Act::Send(place));
            let mut later = |from: i64, to: i64| {
                self.in_office(
                    place,
                    sent_at + chance.between(from * 60, to * 60).minutes(),
                )
            };
            match fate {
                Fate::Accepts => {
                    let at = later(18, 40);
                    self.plan(at, Act::Write(place, Way::Accept));
                    self.plan(self.in_office(place, at + 26.hours()), Act::Win(place));
                }
                Fate::Asks => {
                    let at = later(4, 30);
                    self.plan(at, Act::Write(place, Way::Ask));
                }
                Fate::ColleagueAnswers => {
                    let at = later(20, 44);
                    self.plan(at, Act::Write(place, Way::Colleague));
                }
                Fate::WritesOutside => {
                    let at = later(20, 44);
                    self.plan(at, Act::Write(place, Way::Outside));
                    self.plan(self.in_office(place, at + 49.hours()), Act::Win(place));
                }
                Fate::Away => self.plan(sent_at + 1.minute(), Act::Away(place)),
                Fate::Bounces => self.plan(sent_at + 1.minute(), Act::Bounce(place)),
                Fate::PaysInTime => {
                    let at = later(44, 100);
                    self.plan(at, Act::Pay(place));
                }
                Fate::PromisesPayment => {
                    let at = later(20, 60);
                    self.plan(at, Act::Write(place, Way::Promise));
                    self.plan(self.in_office(place, at + 73.hours()), Act::Pay(place));
                }
                Fate::AnswersInOutage => {
                    let at = self.script.outage.0 + 26.hours();
                    self.plan(at, Act::Write(place, Way::Accept));
                    self.plan(self.in_office(place, at + 50.hours()), Act::Win(place));
                }
                // What these do depends on reminders.
                Fate::Silent | Fate::AnswersReminder | Fate::PaysAfterReminder => {}
            }
        }
        let visits = [
            (0, 1, 14, 20, Visit::SignUp),
            (0, 1, 15, 5, Visit::Clicks),
            (0, 4, 11, 10, Visit::Orders),
            (1, 2, 22, 40, Visit::SignUp),
            (1, 3, 10, 30, Visit::Opens),
            (2, 3, 10, 15, Visit::SignUp),
            (2, 3, 12, 40, Visit::Clicks),
            (2, 8, 15, 0, Visit::Orders),
            (3, 4, 9, 45, Visit::SignUp),
            (3, 4, 10, 20, Visit::Leaves),
        ];
        for (visitor, day, hour, minute, visit) in visits {
            let date = script::FIRST_DAY.saturating_add(i64::from(day).days());
            let zone = self.company.visitors[visitor].clock();
            let at = zone.at(date.to_datetime(jiff::civil::time(hour, minute, 0, 0)));
            self.plan(at, Act::Site(visitor, visit));
        }
    }

    /// What a company's own system of records tells: names, languages, zones.
    pub(super) async fn import_clients(&mut self) -> Result<(), DemoProblem> {
        let mut arrivals = Vec::new();
        for (place, desk) in self.company.desks.iter().enumerate() {
            for (number, client) in desk.clients.iter().enumerate() {
                let call = json!({
                    "type": "identify",
                    "userId": client_id(place, number),
                    "traits": {
                        "email": client.buyer().address,
                        "name": client.name,
                        "firstName": client.first,
                        "company": client.company,
                        "language": desk.language,
                        "timezone": desk.zone,
                        "country": desk.country,
                        "owner": desk.salesperson.address,
                    },
                });
                arrivals.push(self.call(&call)?);
            }
        }
        self.workspace.submit(arrivals, WEIGHT).await?;
        Ok(())
    }

    /// A call of the Segment specification, as a site or a shop sends it.
    fn call(&self, call: &Value) -> Result<Arrival, DemoProblem> {
        let body = call.to_string();
        let kind = call["type"].as_str().and_then(segment::CallType::from_word);
        let (call, _) = segment::parse_call(body.as_bytes(), kind, self.clock.now())?;
        Ok(Arrival::Event {
            identities: call.identities,
            event: Arc::new(call.event),
        })
    }

    pub(super) async fn perform(&mut self, act: Act) -> Result<(), DemoProblem> {
        let now = self.clock.now();
        match act {
            Act::Send(place) => {
                let one = self.script.documents[place].clone();
                let bytes = post::document(&self.company.desks[one.desk], &one, now)?;
                let seen = self.see(&bytes, one.desk, Folder::Sent)?;
                self.tell_document(place, &seen)?;
                self.deliver(one.desk, seen).await
            }
            Act::Write(place, way) => self.client_writes(place, way).await,
            Act::Away(place) => {
                let one = self.script.documents[place].clone();
                let back = one.issued.saturating_add(9.days());
                let bytes = post::away(&self.company.desks[one.desk], &one, back, now)?;
                let seen = self.see(&bytes, one.desk, Folder::Inbox)?;
                let name = &self.company.desks[one.desk].clients[one.client].name;
                let text = format!(
                    "{name} is away until {}: {} is still without an answer",
                    back.strftime("%-d %b"),
                    one.number
                );
                let why = match &seen.class {
                    MailClass::AutoReply { .. } => "an automatic reply stops nothing",
                    MailClass::Document(_)
                    | MailClass::Reply { .. }
                    | MailClass::Bounce { .. }
                    | MailClass::Complaint { .. }
                    | MailClass::Other => "not recognised as an automatic reply",
                };
                self.say(place, "away", Tone::Reaction, text, Some(why.to_owned()))?;
                self.deliver(one.desk, seen).await
            }
            Act::Bounce(place) => {
                let one = self.script.documents[place].clone();
                let bytes = post::bounce(&self.company.desks[one.desk], &one, now);
                let seen = self.see(&bytes, one.desk, Folder::Inbox)?;
                let address = self.company.desks[one.desk].clients[one.client].buyer();
                let text = format!("{}: {} does not exist", one.number, address.address);
                self.say(place, "bounce", Tone::Ends, text, None)?;
                self.deliver(one.desk, seen).await
            }
            Act::Pay(place) => {
                self.tell_money(place, "paid")?;
                self.document_event(place, "Document Paid", json!({ "status": "paid" }))
                    .await
            }
            Act::Win(place) => {
                self.tell_money(place, "won")?;
                self.document_event(place, "Deal Won", json!({ "status": "won" }))
                    .await
            }
            Act::Site(visitor, visit) => self.visit(visitor, visit).await,
            Act::Answer(desk, touchpoint, answer) => self.answer(desk, touchpoint, answer).await,
            Act::Read => {
                self.plan(now + READING_EVERY, Act::Read);
                let open = (0..self.mailboxes.len()).filter(|desk| !self.is_down(*desk));
                let synced: Vec<Arrival> = open.map(|desk| self.synced(desk)).collect();
                Ok(self.workspace.submit(synced, WEIGHT).await?)
            }
            Act::Fail => {
                self.mailboxes[OUTAGE_DESK].down = true;
                let desk = &self.company.desks[OUTAGE_DESK];
                let text = format!("the mailbox {} cannot be read", desk.salesperson.address);
                let why = Some("reminders that depend on silence wait".to_owned());
                self.say_at(OUTAGE_DESK, "mailbox", Tone::Ends, text, why, Value::Null)
            }
            Act::Return => {
                let mailbox = &mut self.mailboxes[OUTAGE_DESK];
                mailbox.down = false;
                let waiting = std::mem::take(&mut mailbox.waiting);
                let desk = &self.company.desks[OUTAGE_DESK];
                let text = format!("the mailbox {} is read again", desk.salesperson.address);
                let why = Some(format!("{} mails came meanwhile", waiting.len()));
                self.say_at(
                    OUTAGE_DESK,
                    "mailbox",
                    Tone::Success,
                    text,
                    why,
                    Value::Null,
                )?;
                // In this order: a mailbox is read whole only after everything in it was told.
                let mails = waiting
                    .into_iter()
                    .map(|seen| Arrival::Mail(Box::new(seen)));
                let mut arrivals: Vec<Arrival> = mails.collect();
                arrivals.push(self.synced(OUTAGE_DESK));
                Ok(self.workspace.submit(arrivals, WEIGHT).await?)
            }
        }
    }

    fn see(&self, bytes: &[u8], desk: usize, folder: Folder) -> Result<MailSeen, DemoProblem> {
        let mailbox = &self.mailboxes[desk].id;
        post::see(bytes, mailbox, folder, self.clock.now(), &self.rules)
    }

    /// A mail lies in a mailbox; who can read it tells the engine at once, as IDLE does.
    async fn deliver(&mut self, desk: usize, seen: MailSeen) -> Result<(), DemoProblem> {
        if self.is_down(desk) {
            self.mailboxes[desk].waiting.push(seen);
            return Ok(());
        }
        let arrivals = vec![Arrival::Mail(Box::new(seen)), self.synced(desk)];
        Ok(self.workspace.submit(arrivals, WEIGHT).await?)
    }

    async fn client_writes(&mut self, place: usize, way: Way) -> Result<(), DemoProblem> {
        let one = self.script.documents[place].clone();
        let desk = &self.company.desks[one.desk];
        let client = &desk.clients[one.client];
        let (buyer, replies) = (client.buyer(), &desk.replies);
        let (from, text, words) = match way {
            Way::Accept => (buyer, &replies.accept, format!("answers {}", one.number)),
            Way::Ask => (
                buyer,
                &replies.question,
                format!("asks about {}", one.number),
            ),
            Way::Promise => (buyer, &replies.pay, format!("will pay {}", one.number)),
            Way::Outside => (
                buyer,
                &replies.outside,
                format!("writes outside the thread of {}", one.number),
            ),
            Way::Colleague => (
                client.colleague(),
                &replies.colleague,
                format!("answers {} for {}", one.number, client.name),
            ),
        };
        let text = fill(text, &[("first", &client.first), ("name", &client.name)]);
        let subject = post::document_subject(desk, &one);
        let outside = way == Way::Outside;
        let mail = FromClient {
            from: &from,
            text: &text,
            subject: if outside {
                &replies.outside_subject
            } else {
                &subject
            },
            thread: if outside { &[] } else { &self.threads[place] },
            message_id: format!("answer.{}.{}@{}", one.desk, one.number_id(), client.domain),
        };
        let bytes = post::from_client(desk, mail, self.clock.now())?;
        let said = format!("{}, {}, {words}", from.name, client.company);
        let seen = self.see(&bytes, one.desk, Folder::Inbox)?;
        let why = self
            .is_down(one.desk)
            .then(|| "nobody sees it yet: the mailbox cannot be read".to_owned());
        self.say(place, "reply", Tone::Reaction, said, why)?;
        self.deliver(one.desk, seen).await
    }

    async fn document_event(
        &mut self,
        place: usize,
        name: &str,
        fields: Value,
    ) -> Result<(), DemoProblem> {
        let one = &self.script.documents[place];
        let mut properties = json!({
            "document_id": one.message_id,
            "revenue": one.amount,
            "currency": self.company.desks[one.desk].currency,
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut properties, fields) {
            all.extend(more);
        }
        let call = json!({
            "type": "track",
            "userId": client_id(one.desk, one.client),
            "event": name,
            "messageId": format!("{name}:{}", one.message_id),
            "properties": properties,
        });
        let arrival = self.call(&call)?;
        Ok(self.workspace.submit(vec![arrival], WEIGHT).await?)
    }

    async fn visit(&mut self, visitor: usize, visit: Visit) -> Result<(), DemoProblem> {
        let person = &self.company.visitors[visitor];
        let id = format!("site-{visitor}");
        let track = |event: &str, properties: Value| json!({ "type": "track", "userId": id, "event": event, "properties": properties });
        let name = &person.name;
        let (calls, text) = match visit {
            Visit::SignUp => {
                let traits = json!({
                    "email": person.email, "name": person.name, "firstName": person.first,
                    "language": person.language, "timezone": person.zone,
                });
                let identify = json!({ "type": "identify", "userId": id, "traits": traits });
                let text = format!("{name} signs up");
                (vec![identify, track("Signed Up", json!({}))], text)
            }
            Visit::Opens => (
                vec![track("Email Opened", json!({}))],
                format!("{name} opens the welcome mail"),
            ),
            Visit::Clicks => (
                vec![track("Email Link Clicked", json!({}))],
                format!("{name} follows a link of the welcome mail"),
            ),
            Visit::Orders => {
                if !person.orders {
                    return Ok(());
                }
                let order = json!({ "order_id": format!("O-{visitor}"), "revenue": 240 });
                (
                    vec![track("Order Completed", order)],
                    format!("{name} orders"),
                )
            }
            Visit::Leaves => (
                vec![track("Unsubscribed", json!({}))],
                format!("{name} unsubscribes"),
            ),
        };
        let arrivals: Vec<Arrival> = calls
            .iter()
            .map(|call| self.call(call))
            .collect::<Result<_, _>>()?;
        self.say_site(visitor, "site", Tone::Plain, text, None, Value::Null)?;
        Ok(self.workspace.submit(arrivals, WEIGHT).await?)
    }

    async fn answer(
        &mut self,
        desk: usize,
        id: TouchpointId,
        answer: Answer,
    ) -> Result<(), DemoProblem> {
        // The client may have answered first; then there is nothing left to decide.
        let asked = self.workspace.reader.touchpoint(id)?;
        if !asked.is_some_and(|one| matches!(one.state, TouchpointState::AwaitingApproval { .. })) {
            return Ok(());
        }
        let by = UserId::from(self.company.desks[desk].salesperson.name.as_str());
        let input = Input::Approve {
            touchpoint: id,
            by,
            answer,
        };
        let arrival = Arrival::Input {
            contact: id.contact,
            input,
        };
        Ok(self.workspace.submit(vec![arrival], WEIGHT).await?)
    }

    fn tell_document(&mut self, place: usize, seen: &MailSeen) -> Result<(), DemoProblem> {
        let one = self.script.documents[place].clone();
        let desk = &self.company.desks[one.desk];
        let client = &desk.clients[one.client];
        let (found, recognised) = match &seen.class {
            MailClass::Document(facts) => (
                json!({ "kind": facts.kind, "number": facts.number, "amount": facts.amount,
                    "currency": facts.currency, "due": facts.due.map(|due| due.to_string()) }),
                facts.kind == one.kind.word(),
            ),
            MailClass::Reply { .. }
            | MailClass::AutoReply { .. }
            | MailClass::Bounce { .. }
            | MailClass::Complaint { .. }
            | MailClass::Other => (Value::Null, false),
        };
        let text = format!(
            "{} for {} {} to {}, {}",
            one.number,
            grouped(one.amount, ","),
            desk.currency,
            client.name,
            client.company
        );
        let why = (!recognised).then(|| "not recognised".to_owned());
        *self
            .account
            .sums
            .documents
            .entry(one.kind.word())
            .or_default() += 1;
        self.account.sums.recognised += u32::from(recognised);
        let facts = json!({ "document": one.number, "recognised": found });
        self.say_at(one.desk, one.kind.word(), Tone::Plain, text, why, facts)
    }

    fn tell_money(&mut self, place: usize, what: &'static str) -> Result<(), DemoProblem> {
        let one = &self.script.documents[place];
        let currency = &self.company.desks[one.desk].currency;
        let text = format!("{}: {} {currency}", one.number, grouped(one.amount, ","));
        self.say(place, what, Tone::Success, text, None)
    }
}

/// The id of a client in the company's own records.
fn client_id(desk: usize, client: usize) -> String {
    format!("crm-{}", 100 * (desk + 1) + client)
}

impl script::Document {
    /// The number, as a Message-ID can hold it.
    fn number_id(&self) -> String {
        let place = self.message_id.split('@').next().unwrap_or_default();
        place.to_owned()
    }
}
