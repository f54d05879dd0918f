//! A mail in the morning: what waits for somebody's approval, with a link to it.
//!
//! It goes to each user once a working day of theirs, at the hour that they chose, when something is asked of them. That
//! it went is stored before it goes, so a crash loses one mail at most and repeats none; one that the mail server
//! refused is tried again later on the same day.
//!
//! **Absent:** who is asked (see [`crate::approvals`]), and what an answer does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use relance_core::access::{Permission, Role};
use relance_core::time::{Calendar, Zone};
use relance_core::user::{Digest, Purpose, User};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_message::outbound::{render_text, title_and_body};
use relance_store::read::{Question, ReadError, Reader};
use serde_json::{Value, json};

use crate::access::{AccessProblem, Caller, ticket};
use crate::approvals::{is_asked, owner_of};
use crate::policy;
use crate::send::post::{Letter, PostProblem};
use crate::workspace::Workspace;

/// The sort of assets that say on which day somebody was told last.
pub const DIGEST: &str = "digest";
/// How often it is looked whether a mail is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long after its hour a mail may still go: one of the evening is of no use in the morning.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(8);
/// How long a refused mail waits before it is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Questions that one mail lists; of more it says how many.
const LISTED_MAX: usize = 40;
/// Questions that are counted; beyond, the mail says that there are more.
const COUNTED_MAX: usize = 500;
/// How long the link of a mail signs in: until the next working morning is near.
const LINK_HOURS: i64 = 20;

/// The mail's text, by language; the first line is its subject.
const TEXTS: [(&str, &str); 3] = [
    (
        "en",
        include_str!("../../../assets/templates/digest.en.txt"),
    ),
    (
        "ja",
        include_str!("../../../assets/templates/digest.ja.txt"),
    ),
    (
        "ru",
        include_str!("../../../assets/templates/digest.ru.txt"),
    ),
];

/// Tells users for as long as the workspace lives.
pub fn keep(workspace: &Arc<Workspace>) {
    let weak = Arc::downgrade(workspace);
    tokio::spawn(async move {
        let mut refused: BTreeMap<String, Timestamp> = BTreeMap::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(workspace) = weak.upgrade() else {
                return;
            };
            if workspace.is_first() && workspace.copy.quiet().is_none() {
                round(&workspace, &mut refused, workspace.clock.now()).await;
            }
        }
    });
}

/// Tells everyone who is due now. Returns how many mails went.
pub async fn round(
    workspace: &Arc<Workspace>,
    refused: &mut BTreeMap<String, Timestamp>,
    now: Timestamp,
) -> usize {
    // A calendar that is not known was refused when it was told.
    let Ok(calendar) = policy::calendar(&workspace.config()) else {
        return 0;
    };
    let users = workspace.access.users();
    let due = users
        .values()
        .filter(|user| is_due(user, &workspace.access.zone_of(user), &calendar, now));
    let mut went = 0;
    for user in due {
        let address = user.address.to_string();
        let rests = refused
            .get(&address)
            .is_some_and(|at| now.duration_since(*at) < AGAIN_AFTER);
        if rests {
            continue;
        }
        match tell(workspace, user, now).await {
            Ok(false) => {}
            Ok(true) => {
                refused.remove(&address);
                went += 1;
            }
            Err(problem) => {
                tracing::warn!(%problem, "a mail with what waits for approval did not go; it is tried again");
                refused.insert(address, now);
            }
        }
    }
    went
}

/// Whether the hour of somebody's mail has come, on a working day of theirs.
fn is_due(user: &User, zone: &Zone, calendar: &Calendar, now: Timestamp) -> bool {
    let Digest::At(time) = user.digest else {
        return false;
    };
    let local = zone.local(now);
    let today = local.date();
    let since = zone.at(DateTime::from_parts(today, time));
    user.is_active()
        && user.role.may(Permission::Approve)
        && user.stand_in(today).is_none()
        && calendar.is_working(today)
        && since <= now
        && now.duration_since(since) < LATE_MAX
}

/// Why a mail did not go.
#[derive(Debug, thiserror::Error)]
pub enum DigestProblem {
    /// The database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its link, or the note that it went.
    #[error(transparent)]
    Access(#[from] AccessProblem),
    /// The engine did not take the note.
    #[error(transparent)]
    Refused(#[from] relance_engine::arrival::Refusal),
    /// The mail itself.
    #[error(transparent)]
    Post(#[from] PostProblem),
    /// Its text.
    #[error("its text: {0}")]
    Text(String),
    /// The program is ending.
    #[error("the server is stopping")]
    Stopping,
}

/// Tells one user, unless that was done today or nothing waits. `true`: a mail went.
async fn tell(
    workspace: &Arc<Workspace>,
    user: &Arc<User>,
    now: Timestamp,
) -> Result<bool, DigestProblem> {
    let zone = workspace.access.zone_of(user);
    let today = zone.local(now).date();
    let caller = workspace.access.caller(user, None);
    let (reader, name) = (workspace.reader.clone(), user.address.to_string());
    let reading = tokio::task::spawn_blocking(move || {
        let told = reader.text(DIGEST, &name)?;
        if told.is_some_and(|text| text.body == today.to_string()) {
            return Ok(None);
        }
        Waiting::read(&reader, &caller, now).map(Some)
    });
    let Some(waiting) = reading.await.map_err(|_| DigestProblem::Stopping)?? else {
        return Ok(false);
    };
    if waiting.questions.is_empty() {
        // What comes in the course of the day waits for the next morning; the page shows it at once.
        workspace.submit(vec![note(user, Some(today))], 256).await?;
        return Ok(false);
    }
    let public_url = workspace.config().workspace.public_url.clone();
    let base = public_url.trim_end_matches('/').to_owned();
    let mut link = format!("{base}/approvals");
    let mut arrivals = vec![note(user, Some(today))];
    let once = signs_in(user);
    if once {
        let good_for = SignedDuration::from_hours(LINK_HOURS);
        let by = "digest";
        let issued = ticket::issue_for(workspace, Purpose::SignIn, Some(user), by, good_for).await;
        // Without a link that signs in, the mail leads to the page all the same.
        if let Ok((token, more)) = issued {
            let entered = ticket::url(&base, Purpose::SignIn, &token);
            link = entered.replacen("/enter#", "/enter?to=%2Fapprovals#", 1);
            arrivals.extend(more);
        }
    }
    let letter = letter(workspace, user, &waiting, &link, &base, now)?;
    let weight = 512 * arrivals.len();
    workspace.submit(arrivals, weight).await?;
    if let Err(problem) = workspace.post(letter).await {
        workspace.submit(vec![note(user, None)], 256).await?;
        return Err(problem.into());
    }
    tracing::info!(
        questions = waiting.questions.len(),
        "somebody was told what waits for approval"
    );
    Ok(true)
}

/// Whether a mail may sign somebody in: not past a second factor, and not into every right.
fn signs_in(user: &User) -> bool {
    let may = match user.role {
        Role::Head | Role::Salesperson => true,
        Role::Admin | Role::Marketer | Role::Viewer => false,
    };
    may && user.credentials.totp.is_none()
}

/// On which day somebody was told; `None` takes it back.
fn note(user: &User, day: Option<Date>) -> Arrival {
    Arrival::Asset(Asset {
        kind: DIGEST.to_owned(),
        name: user.address.to_string(),
        body: day.map(|day| day.to_string()),
    })
}

/// What waits for somebody.
struct Waiting {
    questions: Vec<Question>,
    more: bool,
    /// Those whom the reader stands in for.
    absent: BTreeSet<String>,
}

impl Waiting {
    fn read(reader: &Reader, caller: &Caller, now: Timestamp) -> Result<Self, ReadError> {
        let absent = caller.absent().keys().map(ToString::to_string).collect();
        let mut questions = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let left = COUNTED_MAX - questions.len();
            let asked = |question: &Question| is_asked(caller, question, now);
            let page = reader.approvals_where(cursor.as_deref(), left, asked)?;
            questions.extend(page.items);
            let more = page.next.is_some();
            if !more || questions.len() >= COUNTED_MAX {
                return Ok(Self {
                    questions,
                    more,
                    absent,
                });
            }
            cursor = page.next;
        }
    }

    /// As the template sees it: by client, those first whose question lapses soonest.
    fn context(&self, user: &User, zone: &Zone, now: Timestamp) -> Value {
        let today = zone.local(now).date();
        let mut clients: Vec<(String, Vec<Value>)> = Vec::new();
        for question in self.questions.iter().take(LISTED_MAX) {
            let name = client_of(question);
            let row = row(question, &self.absent, now);
            match clients.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => clients.push((name, vec![row])),
            }
        }
        let lapses = |question: &&Question| zone.local(question.expires_at).date() == today;
        let clients = clients.into_iter();
        let clients: Vec<Value> = clients
            .map(|(name, rows)| json!({ "name": name, "rows": rows }))
            .collect();
        json!({
            "name": user.name,
            "count": self.questions.len(),
            "more": self.more,
            "today": self.questions.iter().filter(lapses).count(),
            "clients": clients,
            "unlisted": self.questions.len().saturating_sub(LISTED_MAX),
            "expires": self.questions.first().map(|first| first.expires_at.to_string()),
            "hours": LINK_HOURS,
            "contact": { "timezone": zone.name() },
        })
    }
}

/// How a client is called in the mail.
fn client_of(question: &Question) -> String {
    /// Characters of a name.
    const NAME_CHARS_MAX: usize = 120;
    let contact = &question.contact;
    let named = ["company", "name", "email"].into_iter();
    let name = named
        .filter_map(|field| contact.text(field))
        .map(str::trim)
        .find(|text| !text.is_empty());
    name.unwrap_or("?").chars().take(NAME_CHARS_MAX).collect()
}

fn row(question: &Question, absent: &BTreeSet<String>, now: Timestamp) -> Value {
    let field = |name: &str| {
        let subject = question.subject.as_ref()?;
        subject.fields.get(name).cloned()
    };
    let sent = field("sent_at").and_then(|at| at.as_str()?.parse::<Timestamp>().ok());
    let days = sent.map(|at| now.duration_since(at).as_hours() / 24);
    let owner = owner_of(question).filter(|owner| absent.contains(owner));
    json!({
        "kind": field("kind"),
        "number": field("number"),
        "amount": field("amount"),
        "currency": field("currency"),
        "due": field("due"),
        "days": days.filter(|days| *days > 0),
        "about": question.touchpoint.template.as_str(),
        "for": owner,
    })
}

fn letter(
    workspace: &Workspace,
    user: &User,
    waiting: &Waiting,
    link: &str,
    base: &str,
    now: Timestamp,
) -> Result<Letter, DigestProblem> {
    let config = workspace.config();
    let zone = workspace.access.zone_of(user);
    let own = user.language.as_deref();
    let wanted = own.unwrap_or(&config.workspace.language);
    let known = |language: &str| TEXTS.iter().find(|(one, _)| *one == language);
    let Some((language, text)) = known(wanted).or_else(|| known("en")) else {
        return Err(DigestProblem::Text("there is none".to_owned()));
    };
    let mut context = waiting.context(user, &zone, now);
    context["link"] = json!(link);
    context["once"] = json!(link.contains('#'));
    context["account"] = json!(format!("{base}/settings/me"));
    let text = render_text(text, language, &context)
        .map_err(|problem| DigestProblem::Text(problem.to_string()))?;
    let (subject, body) = title_and_body(&text);
    Ok(Letter {
        to: user.address.to_string(),
        to_name: user.name.clone(),
        subject: subject.to_owned(),
        text: body.to_owned(),
        html: None,
    })
}

#[cfg(test)]
mod tests {
    use relance_core::user::Absence;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn anna() -> User {
        let mut anna = User::new(
            "anna@shop.test".into(),
            Role::Salesperson,
            Timestamp::UNIX_EPOCH,
            String::new(),
        );
        anna.credentials.password = Some("hash".to_owned());
        anna
    }

    #[test]
    fn the_hour_is_that_of_the_user_on_working_days() {
        let zone = Zone::parse("Europe/Moscow").unwrap();
        let calendar = Calendar::weekends_only();
        let due = |user: &User, now: &str| is_due(user, &zone, &calendar, at(now));
        let mut anna = anna();
        // Monday, nine in Moscow.
        assert!(!due(&anna, "2026-11-23T05:59:59Z"));
        assert!(due(&anna, "2026-11-23T06:00:00Z"));
        assert!(due(&anna, "2026-11-23T13:59:00Z"));
        assert!(!due(&anna, "2026-11-23T14:00:00Z"), "too late to be of use");
        assert!(!due(&anna, "2026-11-22T06:30:00Z"), "a Sunday");
        let boris = User {
            role: Role::Viewer,
            ..anna.clone()
        };
        assert!(!due(&boris, "2026-11-23T06:30:00Z"), "may not answer");
        anna.digest = Digest::Off;
        assert!(!due(&anna, "2026-11-23T06:30:00Z"));
        anna.digest = Digest::default();
        anna.deputy = Some("boris@shop.test".into());
        let day = Date::constant(2026, 11, 23);
        anna.away = Some(Absence {
            from: day,
            until: day,
        });
        assert!(!due(&anna, "2026-11-23T06:30:00Z"), "another answers");
        assert!(due(&anna, "2026-11-24T06:30:00Z"));
    }

    #[test]
    fn every_language_says_it_whole() {
        let context = json!({
            "name": "Анна", "count": 3, "more": false, "today": 1, "unlisted": 0, "hours": 20,
            "expires": "2026-11-25T10:00:00Z", "once": true,
            "link": "https://r.shop.test/enter?to=%2Fapprovals#T", "account": "https://r.shop.test/settings",
            "clients": [
                { "name": "ООО Ромашка", "rows": [
                    { "kind": "invoice", "number": "15", "amount": 12000.5, "currency": "RUB", "due": "2026-11-20" },
                    { "kind": "offer", "number": "К-7", "days": 5, "for": "boris@shop.test" } ] },
                { "name": "Acme", "rows": [ { "about": "offer-reminder-1" } ] },
            ],
        });
        for (language, text) in TEXTS {
            let text = render_text(text, language, &context).unwrap();
            let (subject, body) = title_and_body(&text);
            insta::assert_snapshot!(format!("digest_{language}"), format!("{subject}\n\n{body}"));
        }
    }

    #[test]
    fn a_mail_signs_nobody_in_past_a_second_factor_or_as_an_admin() {
        let mut anna = anna();
        assert!(signs_in(&anna));
        anna.credentials.totp = Some(relance_core::user::Totp {
            secret: vec![1],
            used: 0,
        });
        assert!(!signs_in(&anna));
        let admin = User {
            role: Role::Admin,
            ..self::anna()
        };
        assert!(!signs_in(&admin));
    }
}
