//! Whether a configuration can be used, wherever it was written: all that is wrong with it, at once.
//!
//! The file at the start and a change in the interface are judged by this one look.

use std::collections::BTreeSet;
use std::path::Path;

use relance_channels::smtp::RouteProblem;
use relance_message::outbound::is_address;

use crate::config::{Config, ConfigProblem, CostsConfig, OauthClientConfig, SmtpConfig, field};
use crate::policy::{double_opt_in_or, policy_or};
use crate::workspace::route;

/// Characters of a name that people read.
const NAME_CHARS_MAX: usize = 200;
/// Characters of a word that programs use: an id, a language.
const WORD_CHARS_MAX: usize = 64;
/// Characters of an address of this server.
const URL_CHARS_MAX: usize = 2_048;
/// Characters of a domain.
const DOMAIN_CHARS_MAX: usize = 253;
/// Characters of a text about a topic.
const TEXT_CHARS_MAX: usize = 1_000;
/// What anything may cost.
const COST_MAX: f64 = 1_000_000_000.0;
/// Minutes that a reminder may take.
const MINUTES_MAX: f64 = 480.0;
/// Topics, caps, domains of one configuration.
const ENTRIES_MAX: usize = 1_000;

/// All that is wrong; files that it names are looked for in `data`.
pub fn problems(config: &Config, data: &Path) -> Vec<ConfigProblem> {
    let mut found = Vec::new();
    let _read = policy_or(config, &mut found);
    let _read = double_opt_in_or(config, &mut found);
    workspace(config, &mut found);
    topics(config, &mut found);
    costs(&config.costs, &mut found);
    if config.cap.len() > ENTRIES_MAX {
        found.push(field(
            "cap",
            format!("more than {ENTRIES_MAX}; leave some out"),
        ));
    }
    if let Some(own) = &config.smtp {
        smtp(own, data, &mut found);
    }
    let clients = &config.oauth_clients;
    let clients = [
        ("google", &clients.google),
        ("microsoft", &clients.microsoft),
    ];
    for (name, own) in clients {
        if let Some(own) = own {
            client(name, own, data, &mut found);
        }
    }
    found
}

/// The first problem, where one is enough.
pub fn check(config: &Config, data: &Path) -> Result<(), ConfigProblem> {
    match problems(config, data).into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Whether a text can be shown in one line.
fn line(text: &str, chars_max: usize) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("it has a line break or another control character; leave it out".to_owned());
    }
    if text.chars().count() > chars_max {
        return Err(format!(
            "it has more than {chars_max} characters; shorten it"
        ));
    }
    Ok(())
}

fn word(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    line(text, WORD_CHARS_MAX)
}

fn language(text: &str) -> Result<(), String> {
    let good = |part: &str| part.len() <= 8 && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut parts = text.split(['-', '_']);
    let first = parts.next().unwrap_or_default();
    let is_one = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    match is_one && parts.all(good) && text.len() <= WORD_CHARS_MAX {
        true => Ok(()),
        false => Err(format!(
            "{text:?} is no language; write en, ru, ja or another code"
        )),
    }
}

fn public_url(text: &str) -> Result<(), String> {
    let remedy =
        "write the address by which recipients reach this server, such as https://mail.example.com";
    if text.len() > URL_CHARS_MAX || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("it is too long or has spaces; {remedy}"));
    }
    let url = reqwest::Url::parse(text).map_err(|error| format!("{error}; {remedy}"))?;
    let is_ours = ["http", "https"].contains(&url.scheme())
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    match is_ours {
        true => Ok(()),
        false => Err(format!("{text:?} is no such address; {remedy}")),
    }
}

/// A domain, in any script; whatever is written after the @ of an address.
fn domain(text: &str) -> Result<(), String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "@/:,;<>\"\\".contains(c);
    let is_empty = text.split('.').any(str::is_empty);
    match is_empty || text.len() > DOMAIN_CHARS_MAX || text.chars().any(bad) {
        true => Err(format!("{text:?} is no domain; write example.com")),
        false => Ok(()),
    }
}

fn workspace(config: &Config, found: &mut Vec<ConfigProblem>) {
    let own = &config.workspace;
    let mut note = |name: &str, looked: Result<(), String>| {
        if let Err(what) = looked {
            found.push(field(&format!("workspace.{name}"), what));
        }
    };
    note(
        "name",
        match own.name.trim().is_empty() {
            true => Err("it is empty; write what people call you".to_owned()),
            false => line(&own.name, NAME_CHARS_MAX),
        },
    );
    note("language", language(&own.language));
    note("public_url", public_url(&own.public_url));
    if let Some(address) = &own.address
        && !is_address(address)
    {
        let what = format!("{address:?} is no address; write news@example.com");
        note("address", Err(what));
    }
    if let Some(name) = &own.from_name {
        note("from_name", line(name, NAME_CHARS_MAX));
    }
    let lists = [
        (
            "internal_domains",
            &own.internal_domains,
            domain as fn(&str) -> Result<(), String>,
        ),
        ("opt_in_topics", &own.opt_in_topics, word),
    ];
    for (name, list, look) in lists {
        if list.len() > ENTRIES_MAX {
            note(
                name,
                Err(format!("more than {ENTRIES_MAX}; leave some out")),
            );
            continue;
        }
        for (place, one) in list.iter().enumerate() {
            note(&format!("{name}[{place}]"), look(one));
        }
    }
    for (place, one) in config.consent.double_opt_in.iter().enumerate() {
        if let Err(what) = word(one) {
            found.push(field(&format!("consent.double_opt_in[{place}]"), what));
        }
    }
}

fn costs(own: &CostsConfig, found: &mut Vec<ConfigProblem>) {
    let mut note = |name: &str, what: String| found.push(field(&format!("costs.{name}"), what));
    let is_currency = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if !own.currency.is_empty() && !is_currency(&own.currency) {
        note(
            "currency",
            format!(
                "{:?} is no currency; write EUR, RUB, JPY or another code of three letters",
                own.currency
            ),
        );
    }
    let numbers = [
        ("month", own.month, COST_MAX),
        ("message", own.message, COST_MAX),
        ("minutes", own.minutes, MINUTES_MAX),
        ("hour", own.hour, COST_MAX),
    ];
    for (name, number, most) in numbers {
        if !(0.0..=most).contains(&number) {
            note(name, format!("{number} cannot be; write 0 to {most}"));
        }
    }
    let is_told = numbers.iter().any(|(_, number, _)| *number > 0.0);
    if own.currency.is_empty() && is_told {
        note(
            "currency",
            "it is empty; write in which currency the costs are".to_owned(),
        );
    }
}

fn topics(config: &Config, found: &mut Vec<ConfigProblem>) {
    if config.topic.len() > ENTRIES_MAX {
        found.push(field(
            "topic",
            format!("more than {ENTRIES_MAX}; leave some out"),
        ));
        return;
    }
    let mut known = BTreeSet::new();
    for (place, topic) in config.topic.iter().enumerate() {
        let mut note = |name: &str, what: String| {
            found.push(field(&format!("topic[{place}].{name}"), what));
        };
        if let Err(what) = word(&topic.id) {
            note(
                "id",
                format!("{what}; write how journeys and templates name it, such as news"),
            );
        } else if !known.insert(&topic.id) {
            note(
                "id",
                format!("{:?} stands twice; keep one of them", topic.id),
            );
        }
        let texts = [("name", &topic.name), ("description", &topic.description)];
        for (name, texts) in texts {
            for (of, text) in texts {
                let looked = language(of).and_then(|()| line(text, TEXT_CHARS_MAX));
                if let Err(what) = looked {
                    let of: String = of.chars().take(WORD_CHARS_MAX).collect();
                    note(&format!("{name}.{of}"), what);
                }
            }
        }
    }
}

fn smtp(own: &SmtpConfig, data: &Path, found: &mut Vec<ConfigProblem>) {
    let before = found.len();
    let mut note = |name: &str, what: &str| found.push(field(&format!("smtp.{name}"), what));
    if own.host.trim().is_empty() {
        note("host", "it is empty; write the mail server's name");
    }
    if own.port == 0 {
        note("port", "zero is no port; 587 and 465 are usual");
    }
    if own.user.is_some() && !own.secret.is_set() {
        note(
            "password",
            "there is a user and no password; enter it, or leave the user out",
        );
    }
    let limits = [
        ("connections_max", own.connections_max.map(u32::from)),
        ("per_second_max", own.per_second_max),
        ("per_hour_max", own.per_hour_max),
    ];
    for (name, limit) in limits {
        if limit == Some(0) {
            note(
                name,
                "zero would send nothing; write at least 1, or leave it out",
            );
        }
    }
    // What does not open waits for its key; nothing is wrong with what was said.
    if found.len() > before || own.secret.why_shut().is_some() {
        return;
    }
    match route(own, data, "smtp") {
        Err(problem) => found.push(problem),
        Ok(route) => {
            if let Err(problem) = route.check() {
                let name = match &problem {
                    RouteProblem::HostInvalid => "host",
                    RouteProblem::HeloInvalid => "helo",
                    RouteProblem::CredentialInvalid { field: "user" } => "user",
                    RouteProblem::CredentialInvalid { .. } => "password",
                    RouteProblem::CredentialsInClear => "tls",
                    RouteProblem::TrustUnreadable { .. } => "ca_file",
                    RouteProblem::LimitZero { .. } => "connections_max",
                };
                let text = problem.to_string();
                // It names the field of the channel's own configuration, which is called otherwise here.
                let what = text.split_once(": ").map_or(&*text, |(_, what)| what);
                found.push(field(&format!("smtp.{name}"), what));
            }
        }
    }
}

fn client(name: &str, own: &OauthClientConfig, data: &Path, found: &mut Vec<ConfigProblem>) {
    let place = |of: &str| format!("oauth_clients.{name}.{of}");
    if own.client_id.trim().is_empty() {
        let what = "it is empty; write what the provider calls this server";
        found.push(field(&place("client_id"), what));
    } else if let Err(what) = line(&own.client_id, NAME_CHARS_MAX) {
        found.push(field(&place("client_id"), what));
    }
    let secret = match own.why_shut() {
        Some(_) => Ok(Some(String::new())),
        None => own.secret(&place("client_secret"), data),
    };
    match secret {
        Ok(Some(_)) => {}
        Ok(None) => {
            let what = "it is missing; enter the secret that the provider gave for this client";
            found.push(field(&place("client_secret"), what));
        }
        Err(problem) => found.push(problem),
    }
    let good = |directory: &String| {
        let chars = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        !directory.is_empty() && directory.len() <= DOMAIN_CHARS_MAX && directory.chars().all(chars)
    };
    if let Some(directory) = own.directory.as_ref().filter(|directory| !good(directory)) {
        let what = format!("{directory:?} is no directory; write its id or its domain");
        found.push(field(&place("tenant"), what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let config = Config::parse(text).unwrap();
        let found = problems(&config, Path::new("."));
        let name = |problem: &ConfigProblem| match problem {
            ConfigProblem::Field { field, .. } => field.clone(),
            other => other.to_string(),
        };
        found.iter().map(name).collect()
    }

    #[test]
    fn everything_is_said_at_once_and_by_its_field() {
        let text = r#"
            [workspace]
            name = " "
            zone = "Mars"
            calendar = "mars"
            language = "english please"
            country = "XX1"
            public_url = "ftp://x"
            address = "news"
            internal_domains = ["shop.test", "a@b"]
            approval_expiry = "soon"
            holdout = "100%"
            [quiet_hours]
            email = "25:00-09:00"
            pigeon = "21:00-09:00"
            [[cap]]
            days = 7
            per = "week"
            most = 3
            [[topic]]
            id = "news"
            [[topic]]
            id = "news"
            [consent]
            confirmations_per_day = 0
            confirm_within_days = 0
            [smtp]
            host = "mail.shop.test"
            port = 0
            user = "x"
        "#;
        let mut all = found(text);
        all.sort_unstable();
        assert_eq!(
            all,
            [
                "cap[0].days",
                "consent.confirm_within_days",
                "consent.confirmations_per_day",
                "quiet_hours.email",
                "quiet_hours.pigeon",
                "smtp.password",
                "smtp.port",
                "topic[1].id",
                "workspace.address",
                "workspace.approval_expiry",
                "workspace.calendar",
                "workspace.country",
                "workspace.holdout",
                "workspace.internal_domains[1]",
                "workspace.language",
                "workspace.name",
                "workspace.public_url",
                "workspace.zone",
            ]
        );
    }

    #[test]
    fn what_is_usual_is_in_order() {
        assert_eq!(found(""), [""; 0]);
        let text = "[workspace]\npublic_url = \"http://127.0.0.1:8080/\"\nlanguage = \"pt-BR\"\n\
            internal_domains = [\"пример.рф\", \"shop.test\"]\n\
            [smtp]\nhost = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n\
            [quiet_hours]\nemail = [{ days = \"sat,sun\", hours = \"00:00-24:00\" }]\n";
        assert_eq!(found(text), [""; 0]);
        let clear = "[smtp]\nhost = \"mail.shop.test\"\nport = 25\ntls = \"none\"\nuser = \"x\"\npassword = \"y\"\n";
        assert_eq!(found(clear), ["smtp.tls"]);
        let client = "[oauth_clients.google]\nclient_id = \"x\"\n";
        assert_eq!(found(client), ["oauth_clients.google.client_secret"]);
    }
}
