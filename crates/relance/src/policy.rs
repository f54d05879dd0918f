//! The workspace's rules, out of its configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use relance_core::consent::{CONFIRMATIONS_MAX, DoubleOptIn};
use relance_core::contact::{Channel, SENDS_MAX};
use relance_core::ids::Topic;
use relance_core::journey::{Holdout, Unit};
use relance_core::policy::{Cap, Policy, ServiceExemption};
use relance_core::time::{Calendar, QuietHours, Window, Zone};

use crate::config::{CapConfig, Config, ConfigProblem, QuietConfig, QuietPeriod, field};

/// Domains of mail providers, one a line.
const FREEMAIL: &str = include_str!("../../../assets/rules/freemail.txt");

/// The calendars that come with the program, by id and by country.
pub fn calendars() -> BTreeMap<String, Arc<Calendar>> {
    relance_wire::calendar::built_in_ids()
        .filter_map(|id| {
            Some((
                id.to_owned(),
                Arc::new(relance_wire::calendar::built_in(id)?),
            ))
        })
        .collect()
}

/// The working days of contacts and users who tell none.
pub fn calendar(config: &Config) -> Result<Arc<Calendar>, ConfigProblem> {
    match config.workspace.calendar.as_str() {
        "none" => Ok(Arc::new(Calendar::weekends_only())),
        id => calendars().get(&id.to_lowercase()).cloned().ok_or_else(|| {
            let known: Vec<String> = calendars().into_keys().collect();
            let what = format!(
                "{id:?} is not known; use none or one of {}",
                known.join(", ")
            );
            field("workspace.calendar", what)
        }),
    }
}

/// The workspace's rules.
pub fn policy(config: &Config) -> Result<Policy, ConfigProblem> {
    let mut found = Vec::new();
    match policy_or(config, &mut found) {
        Some(policy) if found.is_empty() => Ok(policy),
        Some(_) | None => Err(found
            .into_iter()
            .next()
            .unwrap_or_else(|| field("workspace", "it cannot be used"))),
    }
}

/// The workspace's rules; all that is wrong with them goes to `found`.
pub fn policy_or(config: &Config, found: &mut Vec<ConfigProblem>) -> Option<Policy> {
    let own = &config.workspace;
    let mut note = |problem: ConfigProblem| found.push(problem);
    let zone = Zone::parse(&own.zone)
        .map_err(|problem| note(field("workspace.zone", problem)))
        .ok();
    let calendar = calendar(config).map_err(&mut note).ok();
    if let Some(country) = &own.country
        && !relance_wire::phone::is_country(country)
    {
        let what = format!("{country:?} is not known; write two letters such as RU, JP or US");
        note(field("workspace.country", what));
    }
    let mut quiet_hours = BTreeMap::new();
    for (word, hours) in &config.quiet_hours {
        let read = channel(&format!("quiet_hours.{word}"), word)
            .and_then(|channel| Ok((channel, quiet(word, hours)?)));
        match read {
            Ok((channel, hours)) => drop(quiet_hours.insert(channel, hours)),
            Err(problem) => note(problem),
        }
    }
    let caps = config.cap.iter().enumerate();
    let caps = caps
        .filter_map(|(place, one)| cap(place, one).map_err(&mut note).ok())
        .collect();
    let approval_expiry = own
        .approval_expiry
        .parse()
        .map_err(|problem| note(field("workspace.approval_expiry", problem)))
        .ok();
    let service = service(&own.service_asks).map_err(&mut note).ok();
    let holdout = holdout(&own.holdout).map_err(&mut note).ok();
    Some(Policy {
        zone: zone?,
        calendar: calendar?,
        quiet_hours,
        caps,
        opt_in_topics: own
            .opt_in_topics
            .iter()
            .map(|topic| Topic::from(topic.as_str()))
            .collect(),
        internal_domains: own
            .internal_domains
            .iter()
            .map(|name| name.to_lowercase())
            .collect(),
        freemail_domains: FREEMAIL
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect(),
        trait_types: config
            .traits
            .iter()
            .map(|(name, kind)| (name.as_str().into(), *kind))
            .collect(),
        approval_expiry: approval_expiry?,
        service: service?,
        holdout: holdout?,
    })
}

fn channel(place: &str, word: &str) -> Result<Channel, ConfigProblem> {
    Channel::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Channel::ALL.iter().map(|channel| channel.word()).collect();
        let what = format!("{word:?} is not a channel; use {}", words.join(", "));
        field(place, what)
    })
}

/// The same hours every day, or periods with their weekdays.
fn quiet(channel: &str, hours: &QuietConfig) -> Result<QuietHours, ConfigProblem> {
    let wrong = |problem| field(&format!("quiet_hours.{channel}"), problem);
    match hours {
        QuietConfig::Daily(hours) => QuietHours::daily(hours).map_err(wrong),
        QuietConfig::Periods(periods) => {
            let window = |(place, period): (usize, &QuietPeriod)| {
                Window::parse(period.days.as_deref(), Some(&period.hours))
                    .map_err(|problem| field(&format!("quiet_hours.{channel}[{place}]"), problem))
            };
            let windows = periods.iter().enumerate().map(window);
            QuietHours::new(windows.collect::<Result<_, _>>()?).map_err(wrong)
        }
    }
}

fn cap(place: usize, cap: &CapConfig) -> Result<Cap, ConfigProblem> {
    let wrong = |name: &str, what: String| field(&format!("cap[{place}].{name}"), what);
    let days = match (cap.days, cap.per.as_deref()) {
        (Some(0), _) => return Err(wrong("days", "zero; count at least today".to_owned())),
        (Some(days), None) => days,
        (None, Some("day")) => 1,
        (None, Some("week")) => 7,
        (None, Some("month")) => 30,
        (None, Some(other)) => {
            let what = format!("{other:?} is no period; write day, week or month");
            return Err(wrong("per", what));
        }
        (Some(_), Some(_)) | (None, None) => {
            let what = "write either days = 7 or per = \"week\"";
            return Err(wrong("days", what.to_owned()));
        }
    };
    if usize::try_from(cap.most).map_or(true, |most| most > SENDS_MAX) {
        let what = format!("more than {SENDS_MAX} messages are not counted; write a lower cap");
        return Err(wrong("most", what));
    }
    let channel = cap
        .channel
        .as_deref()
        .map(|word| channel(&format!("cap[{place}].channel"), word))
        .transpose()?;
    Ok(Cap {
        channel,
        topic: cap.topic.as_deref().map(Topic::from),
        days,
        most: cap.most,
    })
}

/// What service messages must ask all the same, where the law or the workspace wants it.
fn service(asks: &[String]) -> Result<ServiceExemption, ConfigProblem> {
    let mut service = ServiceExemption::ALL;
    for word in asks {
        match word.as_str() {
            "consent" => service.consent = false,
            "holdout" => service.holdout = false,
            "caps" => service.caps = false,
            "quiet_hours" => service.quiet_hours = false,
            other => {
                let what = format!(
                    "{other:?} is nothing that a service message could ask; use consent, holdout, caps or quiet_hours"
                );
                return Err(field("workspace.service_asks", what));
            }
        }
    }
    Ok(service)
}

/// Where sign-ups must be confirmed.
pub fn double_opt_in(config: &Config) -> Result<DoubleOptIn, ConfigProblem> {
    let mut found = Vec::new();
    let double_opt_in = double_opt_in_or(config, &mut found);
    match found.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(double_opt_in),
    }
}

/// The same; all that is wrong with it goes to `found`.
pub fn double_opt_in_or(config: &Config, found: &mut Vec<ConfigProblem>) -> DoubleOptIn {
    /// A year: a question that stands longer is forgotten.
    const DAYS_MAX: u16 = 365;
    let own = &config.consent;
    if own.confirmations_per_day > CONFIRMATIONS_MAX || own.confirmations_per_day == 0 {
        let what = format!("write a number from 1 to {CONFIRMATIONS_MAX}");
        found.push(field("consent.confirmations_per_day", what));
    }
    if !(1..=DAYS_MAX).contains(&own.confirm_within_days) {
        let what = format!("write a number from 1 to {DAYS_MAX}");
        found.push(field("consent.confirm_within_days", what));
    }
    let email = Channel::Email.word();
    let topics = own.double_opt_in.iter().filter(|word| *word != email);
    DoubleOptIn {
        topics: topics.map(|topic| Topic::from(topic.as_str())).collect(),
        email: own.double_opt_in.iter().any(|word| word == email),
        per_day_max: own.confirmations_per_day,
        expiry: SignedDuration::from_hours(24 * i64::from(own.confirm_within_days)),
    }
}

/// `10%` of contacts, or of accounts, that no journey writes to.
fn holdout(share: &str) -> Result<Holdout, ConfigProblem> {
    /// The largest share, in percent.
    const PERCENT_MAX: f64 = 90.0;
    let percent = share
        .trim()
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok())
        .filter(|percent| (0.0..=PERCENT_MAX).contains(percent));
    match percent {
        Some(percent) => Ok(Holdout {
            permille: (percent * 10.0).round() as u16,
            by: Unit::Contact,
        }),
        None => {
            let what = format!("{share:?} is not a share; write 0% to 90%");
            Err(field("workspace.holdout", what))
        }
    }
}
