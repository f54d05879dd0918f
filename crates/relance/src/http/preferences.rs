//! The contact's own pages: what it wants to read, how often, when and how; and the confirmation of a sign-up.
//!
//! GET shows, POST acts (R7). What lets a request in is the signed link itself, never a cookie, so a page
//! elsewhere cannot act in the contact's name. The pages need no script, and neither address nor name stands
//! in them or in their address.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use relance_core::consent::{About, Consent, Evidence, Proof, Source};
use relance_core::contact::{Channel, Contact};
use relance_core::decide::Input;
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, TouchpointId};
use relance_core::preferences::{Frequency, PAUSE_MAX, Per, Preferences, Wishes};
use relance_core::time::{Days, Window, Zone};
use relance_core::value::Value;
use relance_engine::arrival::Arrival;
use serde::Deserialize;

use crate::link::Link;
use crate::send::compose::language_of;
use crate::workspace::Workspace;

use super::html::escape;
use super::{Problem, Shared, api};

/// Bytes of a form.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Limits that the page offers: how many, in which time.
const FREQUENCIES: [(u8, Per); 6] = [
    (1, Per::Week),
    (2, Per::Week),
    (3, Per::Week),
    (1, Per::Month),
    (2, Per::Month),
    (4, Per::Month),
];
/// Pauses that the page offers, in days.
const PAUSES: [i64; 4] = [7, 14, 30, 90];
/// Channels that reach a person.
const CHANNELS: [Channel; 6] = [
    Channel::Email,
    Channel::Sms,
    Channel::Voice,
    Channel::Whatsapp,
    Channel::Telegram,
    Channel::Letter,
];
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
/// Languages that the pages speak.
pub(super) const LANGUAGES: [&str; 3] = ["en", "ru", "ja"];
const MIDNIGHT: &str = "00:00";

/// The words of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    intro: String,
    topics: String,
    pending: String,
    frequency: String,
    frequency_any: String,
    per_week: String,
    per_month: String,
    when: String,
    days: String,
    day_names: [String; 7],
    from: String,
    to: String,
    zone: String,
    language: String,
    channels: String,
    channel_email: String,
    channel_sms: String,
    channel_voice: String,
    channel_whatsapp: String,
    channel_telegram: String,
    channel_letter: String,
    pause: String,
    pause_none: String,
    pause_days: String,
    paused_until: String,
    save: String,
    saved: String,
    service_note: String,
    leave_title: String,
    leave: String,
    left: String,
    unknown: String,
    wrong: String,
    confirm_question: String,
    confirm_button: String,
    confirmed: String,
    confirm_lapsed: String,
    language_names: BTreeMap<String, String>,
}

static WORDS: LazyLock<Vec<Option<Words>>> = LazyLock::new(|| {
    [
        include_str!("../../../../assets/words/pages.en.toml"),
        include_str!("../../../../assets/words/pages.ru.toml"),
        include_str!("../../../../assets/words/pages.ja.toml"),
    ]
    .map(|text| toml::from_str(text).ok())
    .into()
});

/// A language, and its words: a test reads every catalogue, so there are some.
fn words_of(language: &str) -> Option<(&'static str, &'static Words)> {
    let base = language.get(..2).unwrap_or_default().to_lowercase();
    let place = LANGUAGES.iter().position(|one| *one == base).unwrap_or(0);
    Some((LANGUAGES[place], WORDS.get(place)?.as_ref()?))
}

/// What a page is written in: the contact's language, else the browser's, else the workspace's.
fn language_for(workspace: &Workspace, contact: Option<&Contact>, headers: &HeaderMap) -> String {
    let config = workspace.config();
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    contact
        .and_then(language_of)
        .or(accepted)
        .unwrap_or(&config.workspace.language)
        .to_owned()
}

/// What became of the form, to be said on top of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Saved,
    Left,
    Wrong,
}

type Fields = Vec<(String, String)>;

/// The contact of a link, as it stands now; none for whoever was erased or never was.
async fn contact_of(workspace: &Arc<Workspace>, id: ContactId) -> Result<Option<Contact>, Problem> {
    let found = api::read(workspace, move |reader| {
        let contact = reader.contact(id)?;
        match contact.as_ref().and_then(|contact| contact.merged_into) {
            Some(survivor) => reader.contact(survivor),
            None => Ok(contact),
        }
    });
    Ok(found.await?.filter(|contact| !contact.erased))
}

/// Shows the preferences.
pub async fn show(
    State(workspace): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some((id, contact)) = owner(&workspace, &token).await? else {
        return Ok(unknown(&workspace, &headers));
    };
    Ok(page_of(&workspace, id, &contact, &headers, Said::Nothing))
}

async fn owner(
    workspace: &Arc<Workspace>,
    token: &str,
) -> Result<Option<(TouchpointId, Contact)>, Problem> {
    let id = match workspace.composer.links.verify(token) {
        Some(Link::Preferences(id) | Link::Unsubscribe(id)) => id,
        Some(Link::Open(_) | Link::Click(..) | Link::Confirm(..)) | None => return Ok(None),
    };
    let contact = contact_of(workspace, id.contact).await?;
    Ok(contact.map(|contact| (id, contact)))
}

/// Keeps what the contact chose.
pub async fn save(
    State(workspace): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Response, Problem> {
    let Some((id, contact)) = owner(&workspace, &token).await? else {
        return Ok(unknown(&workspace, &headers));
    };
    let Ok(Form(fields)) = form else {
        return Ok(page_of(&workspace, id, &contact, &headers, Said::Wrong));
    };
    let now = workspace.clock.now();
    let evidence = Evidence::of(Source::PreferencePage).with(proof(&workspace, id, &headers));
    let leaves = fields.iter().any(|(name, _)| name == "leave");
    let wishes = if leaves {
        Some(leave_all(&contact, evidence))
    } else {
        chosen(&workspace, &contact, &fields, now, evidence)
    };
    let Some(wishes) = wishes else {
        return Ok(page_of(&workspace, id, &contact, &headers, Said::Wrong));
    };
    let told = updated(id, now, leaves);
    let inputs = [
        Input::Prefer(Box::new(wishes)),
        Input::Event(Arc::new(told)),
    ];
    let arrivals = inputs.map(|input| Arrival::Input {
        contact: contact.id,
        input,
    });
    workspace.submit(arrivals.into(), 2_048).await?;
    let Some(contact) = contact_of(&workspace, contact.id).await? else {
        return Ok(unknown(&workspace, &headers));
    };
    let said = if leaves { Said::Left } else { Said::Saved };
    Ok(page_of(&workspace, id, &contact, &headers, said))
}

/// That the contact said something: journeys may listen for it.
pub(super) fn updated(id: TouchpointId, now: Timestamp, leaves: bool) -> Event {
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let mut event = Event::track(names::PREFERENCES_UPDATED, at);
    let mut put = |name: &str, value| drop(event.properties.insert(name.to_owned(), value));
    if id.hash != 0 {
        put(names::TOUCHPOINT, Value::String(id.to_string()));
    }
    put("left", Value::Bool(leaves));
    event
}

/// What shows that the owner of the link did it: the message that brought it, and a hash of the program.
fn proof(workspace: &Workspace, id: TouchpointId, headers: &HeaderMap) -> Proof {
    let agent = headers
        .get(header::USER_AGENT)
        .map(|agent| blake3::hash(agent.as_bytes()).to_hex()[..16].into());
    Proof {
        message: (id.hash != 0).then(|| id.to_string().into()),
        url: Some(
            format!(
                "{}/p",
                workspace
                    .config()
                    .workspace
                    .public_url
                    .trim_end_matches('/')
            )
            .into(),
        ),
        agent,
        ..Proof::default()
    }
}

/// Nothing any more, by no channel.
fn leave_all(contact: &Contact, evidence: Evidence) -> Wishes {
    let channels = Channel::ALL.into_iter().map(About::Channel);
    let topics = contact.topic_consents.keys().cloned().map(About::Topic);
    let answers = channels.chain(topics).map(|about| (about, Consent::Denied));
    Wishes {
        preferences: contact.preferences.clone(),
        answers: answers.collect(),
        language: None,
        evidence,
    }
}

/// Whether messages about something go to the contact as things stand.
pub(super) fn is_wanted(workspace: &Workspace, contact: &Contact, about: &About) -> bool {
    match contact.consent(about).map(|record| record.answer) {
        Some(Consent::Granted) => true,
        Some(Consent::Denied | Consent::Pending) => false,
        None => match about {
            About::Channel(_) => true,
            About::Topic(topic) => {
                let config = workspace.config();
                let asks = &config.workspace.opt_in_topics;
                !asks.iter().any(|one| one == topic.as_str())
            }
        },
    }
}

/// What the contact chooses among: topics, and channels by which it can be reached.
pub(super) fn choices(workspace: &Workspace, contact: &Contact) -> Vec<About> {
    let topics = workspace.composer.topics().of(contact);
    let channels = CHANNELS
        .into_iter()
        .filter(|channel| contact.address(*channel).is_some());
    topics
        .into_iter()
        .map(About::Topic)
        .chain(channels.map(About::Channel))
        .collect()
}

/// What the form says; `None` when it cannot be right.
fn chosen(
    workspace: &Workspace,
    contact: &Contact,
    fields: &Fields,
    now: Timestamp,
    evidence: Evidence,
) -> Option<Wishes> {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let ticked = |name: &str, value: &str| {
        let same = |(key, told): &(String, String)| key == name && told == value;
        fields.iter().any(same)
    };
    // Only what the page showed, and the contact changed: a page that lay open for a day changes nothing else.
    let answers = choices(workspace, contact)
        .into_iter()
        .filter(|about| ticked("shown", &about.word()))
        .filter_map(|about| {
            let wants = ticked("want", &about.word());
            if wants == is_wanted(workspace, contact, &about) {
                return None;
            }
            let answer = match wants {
                true => Consent::Granted,
                false => Consent::Denied,
            };
            Some((about, answer))
        });
    let answers = answers.collect();
    let frequency = match field("frequency").unwrap_or_default() {
        "" => None,
        text => {
            let (most, per) = text.split_once('/')?;
            let per = match per {
                "week" => Per::Week,
                "month" => Per::Month,
                _other => return None,
            };
            Some(Frequency::new(most.parse().ok()?, per)?)
        }
    };
    let language = field("language")
        .filter(|language| LANGUAGES.contains(language))
        .filter(|language| language_of(contact).and_then(|own| own.get(..2)) != Some(*language));
    let paused_until = match field("pause").unwrap_or_default() {
        "" => None,
        "keep" => contact
            .preferences
            .paused_until
            .filter(|until| *until > now),
        days => {
            let days: i64 = days.parse().ok().filter(|days| (1..=366).contains(days))?;
            let pause = SignedDuration::from_hours(24 * days).min(PAUSE_MAX);
            Some(now + pause)
        }
    };
    Some(Wishes {
        preferences: Preferences {
            frequency,
            window: window(&ticked, &field)?,
            paused_until,
        },
        answers,
        language: language.map(str::to_owned),
        evidence,
    })
}

/// Days and hours at which messages are welcome: none inside means always.
#[expect(
    clippy::option_option,
    reason = "no window is an answer, a wrong one is none"
)]
fn window<'f>(
    ticked: &dyn Fn(&str, &str) -> bool,
    field: &dyn Fn(&str) -> Option<&'f str>,
) -> Option<Option<Window>> {
    let days: Vec<&str> = DAYS
        .iter()
        .map(|(day, _)| *day)
        .filter(|day| ticked("day", day))
        .collect();
    let from = field("from").filter(|text| !text.is_empty());
    let to = field("to").filter(|text| !text.is_empty());
    let (from, to) = (from.unwrap_or(MIDNIGHT), to.unwrap_or(MIDNIGHT));
    let whole_day = from == to;
    if days.is_empty() {
        return None;
    }
    if days.len() == DAYS.len() && whole_day {
        return Some(None);
    }
    let hours = format!("{from}-{to}");
    let hours = (!whole_day).then_some(hours.as_str());
    Window::parse(Some(&days.join(",")), hours).ok().map(Some)
}

/// Asks the owner of the address whether it was them.
pub async fn ask(
    State(workspace): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some((contact, _)) = asked(&workspace, &token).await? else {
        return Ok(unknown(&workspace, &headers));
    };
    let language = language_for(&workspace, Some(&contact), &headers);
    let Some((language, words)) = words_of(&language) else {
        return Err(Problem::not_found("page"));
    };
    let config = workspace.config();
    let name = &config.workspace.name;
    let question = words.confirm_question.replace("{name}", name);
    let body = format!(
        "<p class=\"big\">{}</p><form method=\"post\" action=\"/p/confirm/{}\"><button>{}</button></form>",
        escape(&question),
        escape(&token),
        escape(&words.confirm_button)
    );
    Ok(page(language, name, &body, StatusCode::OK))
}

/// The owner of the address says yes.
pub async fn confirm(
    State(workspace): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some((contact, id)) = asked(&workspace, &token).await? else {
        return Ok(unknown(&workspace, &headers));
    };
    let evidence = Evidence::of(Source::DoubleOptIn).with(proof(&workspace, id, &headers));
    let input = Input::Confirm(evidence);
    let arrival = Arrival::Input {
        contact: contact.id,
        input,
    };
    workspace.submit(vec![arrival], 1_024).await?;
    let after = contact_of(&workspace, contact.id).await?;
    let after = after.as_ref().unwrap_or(&contact);
    let language = language_for(&workspace, Some(after), &headers);
    let Some((language, words)) = words_of(&language) else {
        return Err(Problem::not_found("page"));
    };
    let pending = after
        .topic_consents
        .values()
        .chain(after.channel_consents.values())
        .any(|record| *record == Consent::Pending);
    let said = match pending {
        true => &words.confirm_lapsed,
        false => &words.confirmed,
    };
    let body = format!("<p class=\"big\" role=\"status\">{}</p>", escape(said));
    let config = workspace.config();
    let name = &config.workspace.name;
    Ok(page(language, name, &body, StatusCode::OK))
}

/// Who was asked by a link, while the address is still the one that was asked.
async fn asked(
    workspace: &Arc<Workspace>,
    token: &str,
) -> Result<Option<(Contact, TouchpointId)>, Problem> {
    let links = &workspace.composer.links;
    let Some(Link::Confirm(id, fingerprint)) = links.verify(token) else {
        return Ok(None);
    };
    let contact = contact_of(workspace, id.contact).await?;
    Ok(contact
        .filter(|contact| {
            let address = contact.address(Channel::Email);
            address.is_some_and(|address| links.fingerprint(address) == fingerprint)
        })
        .map(|contact| (contact, id)))
}

fn unknown(workspace: &Workspace, headers: &HeaderMap) -> Response {
    let language = language_for(workspace, None, headers);
    let Some((language, words)) = words_of(&language) else {
        return Problem::not_found("page").into_response();
    };
    let body = format!("<p class=\"big\">{}</p>", escape(&words.unknown));
    let config = workspace.config();
    let name = &config.workspace.name;
    page(language, name, &body, StatusCode::NOT_FOUND)
}

fn page_of(
    workspace: &Workspace,
    id: TouchpointId,
    contact: &Contact,
    headers: &HeaderMap,
    said: Said,
) -> Response {
    let language = language_for(workspace, Some(contact), headers);
    let Some((language, words)) = words_of(&language) else {
        return Problem::not_found("page").into_response();
    };
    let token = workspace.composer.links.sign(&Link::Preferences(id));
    let config = workspace.config();
    let name = &config.workspace.name;
    let form = Sheet {
        workspace,
        contact,
        words,
        language,
        now: workspace.clock.now(),
    };
    let (status, banner) = match said {
        Said::Nothing => (StatusCode::OK, String::new()),
        Said::Saved => (StatusCode::OK, status_line(&words.saved, "status")),
        Said::Left => (StatusCode::OK, status_line(&words.left, "status")),
        Said::Wrong => (
            StatusCode::UNPROCESSABLE_ENTITY,
            status_line(&words.wrong, "alert"),
        ),
    };
    let body = format!(
        "<h2>{}</h2><p>{}</p>{banner}<form method=\"post\" action=\"/p/{token}\">{}\
         <p class=\"soft\">{}</p><button>{}</button></form>\
         <form method=\"post\" action=\"/p/{token}\" class=\"leave\"><h3>{}</h3>\
         <button name=\"leave\" value=\"all\" class=\"quiet\">{}</button></form>",
        escape(&words.title),
        escape(&words.intro.replace("{name}", name)),
        form.fields(),
        escape(&words.service_note),
        escape(&words.save),
        escape(&words.leave_title),
        escape(&words.leave),
    );
    page(language, name, &body, status)
}

fn status_line(text: &str, role: &str) -> String {
    format!("<p class=\"said\" role=\"{role}\">{}</p>", escape(text))
}

/// The form as it stands.
struct Sheet<'a> {
    workspace: &'a Workspace,
    contact: &'a Contact,
    words: &'a Words,
    language: &'static str,
    now: Timestamp,
}

impl Sheet<'_> {
    fn fields(&self) -> String {
        let (mut topics, mut channels) = (String::new(), String::new());
        for about in choices(self.workspace, self.contact) {
            match &about {
                About::Topic(_) => self.choice(&mut topics, &about),
                About::Channel(_) => self.choice(&mut channels, &about),
            }
        }
        let words = self.words;
        let group = |title: &str, inner: &str| match inner {
            "" => String::new(),
            inner => format!(
                "<fieldset><legend>{}</legend>{inner}</fieldset>",
                escape(title)
            ),
        };
        [
            group(&words.topics, &topics),
            group(&words.frequency, &self.frequency()),
            group(&words.when, &self.when()),
            group(&words.channels, &channels),
            group(&words.language, &self.languages()),
            group(&words.pause, &self.pauses()),
        ]
        .concat()
    }

    fn choice(&self, to: &mut String, about: &About) {
        let topics = self.workspace.composer.topics();
        let (name, more) = match about {
            About::Topic(topic) => (
                topics.name(topic.as_str(), self.language),
                topics.description(topic.as_str(), self.language),
            ),
            About::Channel(channel) => (self.channel(*channel), None),
        };
        let word = escape(&about.word());
        let is_wanted = is_wanted(self.workspace, self.contact, about);
        let checked = if is_wanted { " checked" } else { "" };
        let record = self.contact.consent(about);
        let pending = record.is_some_and(|record| *record == Consent::Pending);
        let note = if pending {
            Some(self.words.pending.as_str())
        } else {
            more
        };
        let note = note.map_or_else(String::new, |note| {
            format!("<small>{}</small>", escape(note))
        });
        let written = write!(
            to,
            "<input type=\"hidden\" name=\"shown\" value=\"{word}\">\
             <label class=\"row\"><input type=\"checkbox\" name=\"want\" value=\"{word}\"{checked}>\
             <span>{}{note}</span></label>",
            escape(name)
        );
        debug_assert!(written.is_ok(), "a String takes everything");
    }

    fn channel(&self, channel: Channel) -> &str {
        let words = self.words;
        match channel {
            Channel::Email => &words.channel_email,
            Channel::Sms => &words.channel_sms,
            Channel::Voice => &words.channel_voice,
            Channel::Whatsapp => &words.channel_whatsapp,
            Channel::Telegram => &words.channel_telegram,
            Channel::Letter => &words.channel_letter,
            Channel::Webhook => channel.word(),
        }
    }

    fn frequency(&self) -> String {
        let own = self.contact.preferences.frequency;
        let mut offered: Vec<(u8, Per)> = FREQUENCIES.to_vec();
        let told = own.map(|own| (own.most(), own.per()));
        offered.extend(told.filter(|told| !FREQUENCIES.contains(told)));
        let mut options = vec![(String::new(), self.words.frequency_any.clone())];
        options.extend(offered.into_iter().map(|(most, per)| {
            let phrase = match per {
                Per::Week => &self.words.per_week,
                Per::Month => &self.words.per_month,
            };
            let text = phrase.replace("{n}", &most.to_string());
            (format!("{most}/{}", per.word()), text)
        }));
        let chosen = told.map_or_else(String::new, |(most, per)| format!("{most}/{}", per.word()));
        select("frequency", &self.words.frequency, &options, &chosen)
    }

    fn when(&self) -> String {
        let window = self.contact.preferences.window.as_ref();
        let days = window.map_or(Days::EVERY_DAY, Window::days);
        let is_on = |day: Weekday| match days {
            Days::Weekdays(set) => set.contains(day),
            Days::Working => !matches!(day, Weekday::Saturday | Weekday::Sunday),
        };
        let mut boxes = String::new();
        for ((word, day), name) in DAYS.iter().zip(&self.words.day_names) {
            let checked = if is_on(*day) { " checked" } else { "" };
            boxes.push_str(&format!(
                "<label class=\"day\"><input type=\"checkbox\" name=\"day\" value=\"{word}\"{checked}><span>{}</span></label>",
                escape(name)
            ));
        }
        // One span of hours has one beginning and one end; what was told otherwise shows its outer bounds.
        let hours = window.map_or_else(String::new, |window| window.hours().to_string());
        let (from, to) = match (hours.split('-').next(), hours.rsplit('-').next()) {
            (Some(from), Some(to)) if !hours.is_empty() => (from, to),
            _always => (MIDNIGHT, MIDNIGHT),
        };
        let to = if to == "24:00" { MIDNIGHT } else { to };
        let words = self.words;
        let zone = words.zone.replace("{zone}", self.zone().name());
        format!(
            "<div class=\"days\" role=\"group\" aria-label=\"{}\">{boxes}</div>\
             <div class=\"hours\"><label>{}<input type=\"time\" name=\"from\" value=\"{}\"></label>\
             <label>{}<input type=\"time\" name=\"to\" value=\"{}\"></label></div><small>{}</small>",
            escape(&words.days),
            escape(&words.from),
            escape(from),
            escape(&words.to),
            escape(to),
            escape(&zone)
        )
    }

    fn zone(&self) -> Zone {
        let config = self.workspace.config();
        let own = &config.workspace.zone;
        let told = self.contact.text("timezone");
        told.and_then(|name| Zone::parse(name).ok())
            .or_else(|| Zone::parse(own).ok())
            .unwrap_or_else(Zone::utc)
    }

    fn languages(&self) -> String {
        let names = &self.words.language_names;
        let options: Vec<(String, String)> = LANGUAGES
            .into_iter()
            .map(|code| {
                let name = names.get(code).map_or(code, String::as_str);
                (code.to_owned(), name.to_owned())
            })
            .collect();
        select("language", &self.words.language, &options, self.language)
    }

    fn pauses(&self) -> String {
        let words = self.words;
        let mut options = vec![(String::new(), words.pause_none.clone())];
        let until = self.contact.preferences.paused_until;
        let until = until.filter(|until| *until > self.now);
        if let Some(until) = until {
            let date = self.zone().local(until).strftime("%Y-%m-%d").to_string();
            options.push((
                "keep".to_owned(),
                words.paused_until.replace("{date}", &date),
            ));
        }
        options.extend(PAUSES.map(|days| {
            let text = words.pause_days.replace("{n}", &days.to_string());
            (days.to_string(), text)
        }));
        let chosen = if until.is_some() { "keep" } else { "" };
        select("pause", &words.pause, &options, chosen)
    }
}

fn select(name: &str, label: &str, options: &[(String, String)], chosen: &str) -> String {
    let options: String = options
        .iter()
        .map(|(value, text)| {
            let selected = if value == chosen { " selected" } else { "" };
            format!(
                "<option value=\"{}\"{selected}>{}</option>",
                escape(value),
                escape(text)
            )
        })
        .collect();
    format!(
        "<select name=\"{name}\" aria-label=\"{}\">{options}</select>",
        escape(label)
    )
}

fn page(language: &str, name: &str, body: &str, status: StatusCode) -> Response {
    let name = escape(name);
    let html = Html(format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{name}</title><style>{STYLE}</style></head><body><main><h1>{name}</h1>{body}</main></body></html>"
    ));
    let headers: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, html).into_response()
}

const STYLE: &str = ":root{--ink:#1a1f2b;--soft:#5b6577;--line:#dfe2ea;--paper:#f3f4f7;--card:#fff;--strong:#1f2a44;--on:#fff;--said:#e2f3e7;--on-said:#123a20;color-scheme:light dark}\
*{box-sizing:border-box}body{font:16px/1.55 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--paper);padding:1rem}\
main{width:min(36rem,100%);margin:1rem auto;padding:1.8rem 1.5rem;border-radius:.9rem;background:var(--card)}\
h1{font-size:.95rem;font-weight:600;color:var(--soft);margin:0}h2{font-size:1.5rem;line-height:1.25;margin:.4rem 0 .2rem}h3{font-size:1rem;margin:0 0 .6rem}\
p{margin:.4rem 0 1rem}.big{font-size:1.15rem;margin:1rem 0 0}.soft,small{color:var(--soft);font-size:.88rem}small{display:block}\
form{margin:1.2rem 0 0}fieldset{border:0;border-top:1px solid var(--line);margin:0;padding:1rem 0 1.1rem;min-width:0}legend{font-weight:600;padding:0;float:left;width:100%;margin-bottom:.5rem}legend+*{clear:both}\
.row{display:flex;gap:.7rem;align-items:flex-start;padding:.35rem 0;cursor:pointer;clear:both}input[type=checkbox]{width:1.15rem;height:1.15rem;margin:.2rem 0 0;flex:none;accent-color:var(--strong)}\
.days{display:flex;flex-wrap:wrap;gap:.4rem}.day{display:inline-flex;gap:.4rem;align-items:center;padding:.35rem .65rem;border:1px solid var(--line);border-radius:.5rem;cursor:pointer}.day input{margin:0}\
.hours{display:flex;flex-wrap:wrap;gap:1rem;margin:.7rem 0 .5rem}.hours label{display:inline-flex;gap:.5rem;align-items:center}\
select,input[type=time]{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.45rem .6rem;max-width:100%}\
button{font:inherit;font-weight:600;color:var(--on);background:var(--strong);border:1px solid var(--strong);border-radius:.5rem;padding:.7rem 1.5rem;cursor:pointer}\
.quiet{color:var(--ink);background:transparent;border-color:var(--line)}.leave{border-top:1px solid var(--line);padding-top:1.2rem;margin-top:1.6rem}\
.said{background:var(--said);color:var(--on-said);border-radius:.5rem;padding:.6rem .9rem}:focus-visible{outline:3px solid #7d95d6;outline-offset:2px}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#a3acbd;--line:#333a48;--paper:#0f1218;--card:#1a1f2b;--strong:#c9d4f0;--on:#14171f;--said:#1d3a28;--on-said:#d6f3df}}";

#[cfg(test)]
mod tests;
