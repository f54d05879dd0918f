//! The rules of a story's world.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::account::Account;
use relance_core::contact::{Channel, Contact};
use relance_core::ids::{ContactId, MailboxId, TemplateId, Topic};
use relance_core::journey::{Holdout, Journey, Moves, Unit};
use relance_core::play::Play;
use relance_core::policy::{Cap, Policy, ServiceExemption, TemplateFacts};
use relance_core::time::{Calendar, CalendarParts, Holiday, QuietHours, Weekdays, Window, Zone};
use relance_core::value::Value;
use relance_core::world::World;

use super::act::Driver;
use super::rig::Rig;
use super::{Sight, journey};

/// The days of the stories' own calendar that are off.
const DAYS_OFF: [(i8, i8); 3] = [(2, 23), (3, 9), (5, 1)];

/// What a story says before anything happens.
pub struct StoryWorld {
    pub zone: Zone,
    pub world: World,
    /// By name, in order of appearance.
    pub contacts: Vec<(String, Contact)>,
    /// Versions that are not in force at first.
    pub later: BTreeMap<(String, u32), Arc<Journey>>,
    journeys: usize,
    by_hand: bool,
}

impl StoryWorld {
    pub fn read(lines: &[&str]) -> Self {
        let mut story = Self {
            zone: Zone::parse("Europe/Moscow").expect("zone"),
            world: World::new(policy(), 1),
            contacts: Vec::new(),
            later: BTreeMap::new(),
            journeys: 0,
            by_hand: false,
        };
        story.world.policy.zone = story.zone.clone();
        let mut at = 0;
        while at < lines.len() {
            let end = at
                + 1
                + lines[at + 1..]
                    .iter()
                    .take_while(|line| line.starts_with(' '))
                    .count();
            if lines[at].starts_with("journey ") {
                story.add_journey(&lines[at..end]);
            } else if lines[at].starts_with("segment ") {
                story
                    .world
                    .add_segment(Arc::new(journey::segment(lines[at])));
            } else {
                assert_eq!(
                    end,
                    at + 1,
                    "indented lines belong to journeys: {}",
                    lines[at]
                );
                story.rule(lines[at]);
            }
            at = end;
        }
        if story.contacts.is_empty() {
            story.rule("contact ana email=ana@client.test");
        }
        story
    }

    fn add_journey(&mut self, lines: &[&str]) {
        let journey = journey::read(lines);
        if journey.version == 1 {
            self.journeys += 1;
            self.world.add_journey(journey, Moves::Pin, true);
        } else {
            self.later
                .insert((journey.id.to_string(), journey.version), journey);
        }
    }

    fn rule(&mut self, line: &str) {
        let policy = &mut self.world.policy;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["zone", name] => {
                self.zone = Zone::parse(name).expect(name);
                policy.zone = self.zone.clone();
            }
            ["calendar", "story"] => policy.calendar = Arc::new(story_calendar()),
            ["calendar", "weekends"] => policy.calendar = Arc::new(Calendar::weekends_only()),
            ["wire", "by", "hand"] => self.by_hand = true,
            ["quiet", channel, hours] => {
                let channel = Channel::from_word(channel).expect(channel);
                let quiet = QuietHours::daily(hours).expect(hours);
                policy.quiet_hours.insert(channel, quiet);
            }
            ["holdout", share] => {
                policy.holdout = Holdout {
                    permille: journey::permille(share),
                    by: Unit::Contact,
                };
            }
            ["service", "asks", ref what @ ..] => {
                for one in what {
                    match *one {
                        "consent" => policy.service.consent = false,
                        "holdout" => policy.service.holdout = false,
                        "caps" => policy.service.caps = false,
                        "quiet_hours" => policy.service.quiet_hours = false,
                        other => panic!("a service message asks no {other}"),
                    }
                }
            }
            ["list", id, ref items @ ..] => {
                let items = items.iter().map(|item| (*item).into()).collect();
                self.world.lists.insert(id.into(), items);
            }
            ["quiet", channel, days, hours] => {
                let channel = Channel::from_word(channel).expect(channel);
                let window = Window::parse(Some(days), Some(hours)).expect("hours");
                let mut periods: Vec<Window> = match policy.quiet_hours.get(&channel) {
                    Some(quiet) => quiet.periods().to_vec(),
                    None => vec![],
                };
                periods.push(window);
                let quiet = QuietHours::new(periods).expect("quiet hours");
                policy.quiet_hours.insert(channel, quiet);
            }
            ["cap", most, "in", days, ref rest @ ..] => policy.caps.push(Cap {
                channel: rest.first().and_then(|word| Channel::from_word(word)),
                topic: rest
                    .iter()
                    .find_map(|word| Some(word.strip_prefix("topic=")?.into())),
                days: days.parse().expect(days),
                most: most.parse().expect(most),
            }),
            ["internal", domain] => drop(policy.internal_domains.insert(domain.to_owned())),
            ["opt_in", topic] => drop(policy.opt_in_topics.insert(Topic::from(topic))),
            ["double", "opt_in", ref what @ ..] => {
                for one in what {
                    match *one {
                        "email" => self.world.double_opt_in.email = true,
                        topic => drop(self.world.double_opt_in.topics.insert(topic.into())),
                    }
                }
            }
            ["trait", name, kind] => {
                let kind = serde_json::from_value(kind.into()).expect(kind);
                policy.trait_types.insert(name.into(), kind);
            }
            ["approval_expiry", delay] => policy.approval_expiry = delay.parse().expect(delay),
            ["mailbox", address] => {
                self.world
                    .synced
                    .insert(MailboxId::from(address), Timestamp::MIN);
            }
            ["template", id, ref facts @ ..] => {
                let mut own = TemplateFacts::default();
                for fact in facts {
                    match fact.split_once('=') {
                        Some(("topic", topic)) => own.topic = Some(topic.into()),
                        None if *fact == "service" => own.service = true,
                        None if *fact == "at_least_once" => own.at_least_once = true,
                        Some(_) | None => panic!("no fact of a template: {fact}"),
                    }
                }
                self.world.templates.insert(TemplateId::from(id), own);
            }
            ["contact", name, ref traits @ ..] => {
                let id = ContactId(self.contacts.len() as u64 + 1);
                let mut contact = Contact::new(id, Timestamp::UNIX_EPOCH);
                for one in traits {
                    match one.split_once('=').expect(one) {
                        ("mailbox", address) => {
                            contact.mailboxes.insert(MailboxId::from(address));
                        }
                        ("account", id) => {
                            let account = Account::unknown(id.into());
                            contact.account = Some(Arc::new(account));
                        }
                        (name, value) => {
                            let value = Value::String(value.to_owned());
                            contact.traits.insert(name.to_owned(), value);
                        }
                    }
                }
                self.contacts.push((name.to_owned(), contact));
            }
            ref other => panic!("no rule of a world: {other:?}"),
        }
    }

    pub fn driver(&self) -> Driver {
        let mut driver = if self.by_hand {
            Driver::ByHand(Box::new(Rig::new(self.world.clone())))
        } else {
            Driver::Play(Box::new(Play::new(self.world.clone())))
        };
        for (_, contact) in &self.contacts {
            driver.add(contact.clone());
        }
        driver
    }

    /// Whether lines name their journey.
    pub fn names_journeys(&self) -> bool {
        self.journeys > 1
    }

    /// A sight; with its contact where there are several.
    pub fn word(&self, sight: &Sight) -> String {
        if self.contacts.len() == 1 {
            return sight.text.clone();
        }
        let (name, _) = &self.contacts[sight.contact as usize - 1];
        format!("{name} {}", sight.text)
    }
}

pub fn policy() -> Policy {
    Policy {
        zone: Zone::utc(),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: BTreeMap::new(),
        caps: Vec::new(),
        opt_in_topics: std::iter::once(Topic::from("opt-in")).collect(),
        internal_domains: std::iter::once("us.test".to_owned()).collect(),
        freemail_domains: std::iter::once("gmail.com".to_owned()).collect(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "3d".parse().expect("delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    }
}

fn story_calendar() -> Calendar {
    Calendar::new(CalendarParts {
        id: "story".to_owned(),
        name: "Story".to_owned(),
        weekend: Weekdays::SAT_SUN,
        years: (2026, 2026),
        provisional: vec![],
        holidays: DAYS_OFF
            .iter()
            .map(|(month, day)| Holiday {
                date: jiff::civil::date(2026, *month, *day),
                name: "day off".to_owned(),
            })
            .collect(),
        working_days: vec![],
        recurring: vec![],
    })
    .expect("calendar")
}
