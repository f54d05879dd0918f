//! Users: made, changed, removed, invited; what they change of themselves.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use relance_core::access::{Permission, Role};
use relance_core::ids::UserId;
use relance_core::user::{
    ADDRESS_BYTES_MAX, Absence, Digest, NAME_CHARS_MAX, Purpose, USERS_MAX, User,
};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_message::outbound::is_address;
use relance_wire::stored::{read_user, user_text};
use serde_json::{Value, json};

use super::enter::{Entered, Origin};
use super::problem::Full;
use super::session::{self, read};
use super::{AccessProblem, Caller, FACTOR_USE, USER, Users, enter, mail, password, plain, ticket};
use crate::workspace::Workspace;

/// Languages that the interface and its mails speak.
pub const LANGUAGES: [&str; 3] = ["en", "ru", "ja"];

/// What is written of a user; `None` stays as it is, an empty text takes away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// For people.
    pub name: Option<&'a str>,
    /// The team.
    pub team: Option<&'a str>,
    /// The language of what they read.
    pub language: Option<&'a str>,
    /// Where they are.
    pub zone: Option<&'a str>,
    /// Who answers in their place while they are away.
    pub deputy: Option<&'a str>,
    /// The first day of absence.
    pub away_from: Option<&'a str>,
    /// The last day of absence.
    pub away_until: Option<&'a str>,
    /// `off`, or a time such as `09:00`.
    pub digest: Option<&'a str>,
}

impl Words<'_> {
    /// Writes them. `today` is the day of the user, from which an absence without a beginning counts.
    pub fn write(&self, user: &mut User, today: Date) -> Result<(), AccessProblem> {
        if let Some(name) = self.name {
            user.name = name_of("name", name)?;
        }
        if let Some(team) = self.team {
            user.team = name_of("team", team)?;
        }
        if let Some(language) = self.language {
            user.language = match language.trim() {
                "" => None,
                known if LANGUAGES.contains(&known) => Some(known.to_owned()),
                other => return Err(bad_word("language", other, &LANGUAGES)),
            };
        }
        if let Some(zone) = self.zone {
            user.zone = match zone.trim() {
                "" => None,
                zone if TimeZone::get(zone).is_ok() => Some(zone.to_owned()),
                other => {
                    let known = ["names such as Europe/Moscow, Asia/Tokyo, UTC"];
                    return Err(bad_word("zone", other, &known));
                }
            };
        }
        if let Some(deputy) = self.deputy {
            user.deputy = match deputy.trim() {
                "" => None,
                deputy => Some(check_address(deputy)?),
            };
        }
        if let Some(digest) = self.digest {
            user.digest = digest_of(digest)?;
        }
        self.write_absence(user, today)
    }

    fn write_absence(&self, user: &mut User, today: Date) -> Result<(), AccessProblem> {
        let date = |field, text: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse::<Date>()
                .map(Some)
                .map_err(|_| bad_word(field, text, &["dates such as 2026-12-31"])),
        };
        if self.away_from.is_none() && self.away_until.is_none() {
            return Ok(());
        }
        let from = self.away_from.map(|text| date("away_from", text));
        let until = self.away_until.map(|text| date("away_until", text));
        let kept = user.away;
        let from = from
            .unwrap_or(Ok(kept.map(|own| own.from)))?
            .unwrap_or(today);
        let until = until.unwrap_or(Ok(kept.map(|own| own.until)))?;
        user.away = match until {
            None => None,
            Some(until) if until < from => {
                let from = [format!("{from} or a later day")];
                let known: Vec<&str> = from.iter().map(String::as_str).collect();
                return Err(bad_word("away_until", &until.to_string(), &known));
            }
            Some(until) => Some(Absence { from, until }),
        };
        Ok(())
    }
}

/// A digest as the API writes it.
pub fn digest_word(digest: Digest) -> String {
    match digest {
        Digest::Off => "off".to_owned(),
        Digest::At(time) => time.strftime("%H:%M").to_string(),
    }
}

fn digest_of(text: &str) -> Result<Digest, AccessProblem> {
    match text.trim() {
        "off" => Ok(Digest::Off),
        "" => Ok(Digest::default()),
        text => Time::strptime("%H:%M", text)
            .map(Digest::At)
            .map_err(|_| bad_word("digest", text, &["off", "a time such as 09:00"])),
    }
}

fn bad_word(field: &'static str, found: &str, known: &[&str]) -> AccessProblem {
    AccessProblem::BadWord {
        field,
        found: found.chars().take(80).collect(),
        known: known.join(", "),
    }
}

/// A name as it is kept.
pub fn name_of(field: &'static str, text: &str) -> Result<Option<String>, AccessProblem> {
    let text = text.trim();
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(AccessProblem::BadName(field));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// The role of a word.
pub fn role_of(word: &str) -> Result<Role, AccessProblem> {
    Role::from_word(word).ok_or_else(|| bad_word("role", word, &Role::ALL.map(Role::word)))
}

/// An address as users are named by it.
pub fn check_address(text: &str) -> Result<UserId, AccessProblem> {
    let address = plain(text);
    if address.len() > ADDRESS_BYTES_MAX || !is_address(&address) {
        let shown = text.chars().take(80).collect();
        return Err(AccessProblem::BadAddress(shown));
    }
    Ok(UserId::from(address))
}

/// The asset of a user.
pub fn asset(user: &User) -> Result<Asset, AccessProblem> {
    Ok(Asset {
        kind: USER.to_owned(),
        name: user.address.to_string(),
        body: Some(user_text(user)?),
    })
}

/// The first password, or another one: whatever was begun with the one before has ended.
pub fn set_hash(user: &mut User, hash: String) {
    user.credentials.password = Some(hash);
    user.credentials.epoch = user.credentials.epoch.wrapping_add(1);
}

/// A user as they are in the database, where another node may have changed them.
pub(super) async fn fresh(
    workspace: &Arc<Workspace>,
    address: &UserId,
) -> Result<User, AccessProblem> {
    let name = address.to_string();
    let found = read(workspace, move |reader| reader.text(USER, &name)).await?;
    let text = found.ok_or(AccessProblem::NotFound("user"))?;
    Ok(read_user(address.clone(), &text.body)?)
}

/// Whether the database has a user.
pub(super) async fn anyone(workspace: &Arc<Workspace>) -> Result<bool, AccessProblem> {
    let texts = read(workspace, |reader| reader.texts(USER)).await?;
    Ok(!texts.is_empty())
}

/// Stores a user with what belongs to the same commit; they are known at once.
pub(super) async fn commit(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    user: User,
    mut arrivals: Vec<Arrival>,
    action: &str,
    more: &Value,
) -> Result<(), AccessProblem> {
    arrivals.push(Arrival::Asset(asset(&user)?));
    let weight = 1_024 * arrivals.len();
    let object = user.address.to_string();
    workspace
        .submit_with(caller, arrivals, weight, action, &object, more)
        .await?;
    let address = user.address.clone();
    workspace.access.put(&address, Some(user));
    Ok(())
}

/// A user who was made or invited anew.
pub struct Invited {
    /// Who.
    pub user: User,
    /// Where they choose a password.
    pub link: String,
    /// Whether the link went to them by e-mail.
    pub mailed: bool,
}

/// Makes a user, who chooses a password by the link.
pub async fn make(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    role: Role,
    words: &Words<'_>,
    mails: bool,
) -> Result<Invited, AccessProblem> {
    let access = &workspace.access;
    let address = check_address(address)?;
    let mut user = User::new(address, role, access.now(), caller.name());
    let today = access.today(&user);
    words.write(&mut user, today)?;
    check_deputy(&access.users(), &user)?;
    let _turn = access.changing.lock().await;
    if access.user(user.address.as_str()).is_some() || fresh(workspace, &user.address).await.is_ok()
    {
        return Err(AccessProblem::AddressTaken);
    }
    if access.users().len() >= USERS_MAX {
        return Err(AccessProblem::Full(Full::Users));
    }
    let more = json!({ "role": role.word() });
    invite_with(workspace, caller, user, "user.add", &more, mails).await
}

/// Makes a new invitation for a user who did not follow theirs.
pub async fn invite(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
) -> Result<Invited, AccessProblem> {
    let _turn = workspace.access.changing.lock().await;
    let user = fresh(workspace, &UserId::from(plain(address))).await?;
    if user.is_active() {
        return Err(AccessProblem::Active);
    }
    invite_with(workspace, caller, user, "user.invite", &Value::Null, true).await
}

async fn invite_with(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    mut user: User,
    action: &str,
    more: &Value,
    mails: bool,
) -> Result<Invited, AccessProblem> {
    // An earlier link is good no more.
    user.credentials.epoch = user.credentials.epoch.wrapping_add(1);
    let by = caller.name();
    let (token, arrivals) = ticket::issue(workspace, Purpose::Invitation, Some(&user), &by).await?;
    commit(workspace, caller, user.clone(), arrivals, action, more).await?;
    let config = workspace.config();
    let public_url = &config.workspace.public_url;
    let link = ticket::url(public_url, Purpose::Invitation, &token);
    let mailed = mails
        && match mail::invitation(workspace, &user, caller, &link).await {
            Ok(()) => true,
            Err(problem) => {
                tracing::warn!(%problem, "an invitation could not be sent; its link is with who asked");
                false
            }
        };
    Ok(Invited { user, link, mailed })
}

/// Whether a deputy is another of ours who may answer.
fn check_deputy(users: &Users, user: &User) -> Result<(), AccessProblem> {
    let Some(deputy) = &user.deputy else {
        return Ok(());
    };
    let may = |one: &&Arc<User>| one.role.may(Permission::Approve) && one.address != user.address;
    if users.get(deputy).filter(may).is_some() {
        return Ok(());
    }
    /// Names that an answer shows.
    const SHOWN_MAX: usize = 20;
    let known: Vec<&str> = users
        .values()
        .filter(may)
        .map(|one| one.address.as_str())
        .take(SHOWN_MAX)
        .collect();
    Err(bad_word("deputy", deputy.as_str(), &known))
}

/// Whether nobody but this user could let the others in.
pub fn is_last_admin(users: &Users, user: &User) -> bool {
    let mut others = users.values();
    let is_admin = |one: &User| one.role == Role::Admin && one.is_active();
    is_admin(user) && !others.any(|other| other.address != user.address && is_admin(other))
}

/// Changes a user.
pub async fn change(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    role: Option<Role>,
    words: &Words<'_>,
    drops_factor: bool,
) -> Result<User, AccessProblem> {
    let access = &workspace.access;
    let _turn = access.changing.lock().await;
    let mut user = fresh(workspace, &UserId::from(plain(address))).await?;
    let before = user.clone();
    let today = access.today(&user);
    words.write(&mut user, today)?;
    if user.deputy != before.deputy {
        check_deputy(&access.users(), &user)?;
    }
    let mut more = serde_json::Map::new();
    if let Some(role) = role.filter(|role| *role != before.role) {
        if is_last_admin(&access.users(), &before) {
            return Err(AccessProblem::LastAdmin);
        }
        user.role = role;
        more.insert("role".to_owned(), json!(role.word()));
        more.insert("was".to_owned(), json!(before.role.word()));
    }
    if drops_factor && user.credentials.totp.is_some() {
        user.credentials.totp = None;
        user.credentials.recovery = Vec::new();
        more.insert("second_factor".to_owned(), json!(false));
    }
    if user == before {
        return Ok(user);
    }
    if user.team != before.team {
        more.insert("team".to_owned(), json!(user.team));
    }
    if user.deputy != before.deputy || user.away != before.away {
        let deputy = user.deputy.as_ref().map(ToString::to_string);
        more.insert("deputy".to_owned(), json!(deputy));
        let away = user.away.map(|own| format!("{}/{}", own.from, own.until));
        more.insert("away".to_owned(), json!(away));
    }
    let more = Value::Object(more);
    commit(
        workspace,
        caller,
        user.clone(),
        Vec::new(),
        "user.change",
        &more,
    )
    .await?;
    Ok(user)
}

/// Removes a user with their sessions. What they changed stays, in their name.
pub async fn remove(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
) -> Result<(), AccessProblem> {
    let access = &workspace.access;
    let _turn = access.changing.lock().await;
    let user = fresh(workspace, &UserId::from(plain(address))).await?;
    if is_last_admin(&access.users(), &user) {
        return Err(AccessProblem::LastAdmin);
    }
    let mut arrivals = session::drops(workspace, &user.address).await?;
    arrivals.push(Arrival::Asset(Asset {
        body: None,
        ..asset(&user)?
    }));
    arrivals.push(Arrival::Asset(Asset {
        kind: FACTOR_USE.to_owned(),
        name: user.address.to_string(),
        body: None,
    }));
    let weight = 256 * arrivals.len();
    let object = user.address.to_string();
    workspace
        .submit_as(caller, arrivals, weight, "user.remove", &object)
        .await?;
    access.put(&user.address, None);
    Ok(())
}

/// What somebody changes of themselves.
pub async fn change_own(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    words: &Words<'_>,
) -> Result<User, AccessProblem> {
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    change(workspace, caller, own.as_str(), None, words, false).await
}

/// Whether a password is that of a user; tries are counted like those of signing in.
pub(super) async fn check_own(
    workspace: &Arc<Workspace>,
    user: &User,
    given: Option<&str>,
    origin: &Origin,
) -> Result<(), AccessProblem> {
    let Some(hash) = user.credentials.password.as_deref() else {
        // A provider vouches for them; there is nothing to ask.
        return Ok(());
    };
    let access = &workspace.access;
    access
        .throttle
        .sign_in(user.address.as_str(), origin.address, access.now())
        .map_err(AccessProblem::TooMany)?;
    if !access
        .passwords
        .fits(given.unwrap_or(""), Some(hash))
        .await?
    {
        return Err(AccessProblem::WrongPassword);
    }
    access.throttle.forgive(user.address.as_str());
    Ok(())
}

/// A new password by the one in force: every session ends, and a new one begins where it was changed.
pub async fn change_password(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    current: Option<&str>,
    given: &str,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let access = &workspace.access;
    let own = caller.address().ok_or(AccessProblem::NotFound("user"))?;
    let known = access.user(own.as_str());
    let known = known.ok_or(AccessProblem::NotFound("user"))?;
    check_own(workspace, &known, current, origin).await?;
    password::check(given, own.as_str())?;
    let hash = access.passwords.hash(given).await?;
    let _turn = access.changing.lock().await;
    let mut user = fresh(workspace, own).await?;
    if user.credentials.password != known.credentials.password {
        return Err(AccessProblem::WrongPassword);
    }
    set_hash(&mut user, hash);
    let how = json!({ "by": "new password" });
    enter::begin(workspace, user, true, Vec::new(), origin, &how).await
}

/// A link by which a user signs in without a password: for the demonstration, and for whoever runs the program.
pub async fn sign_in_link(
    workspace: &Arc<Workspace>,
    address: &str,
    public_url: &str,
) -> Result<String, AccessProblem> {
    let user = workspace.access.user(address);
    let user = user.ok_or(AccessProblem::NotFound("user"))?;
    let by = "command line";
    let (token, arrivals) = ticket::issue(workspace, Purpose::SignIn, Some(&user), by).await?;
    let weight = 512 * arrivals.len();
    workspace.submit(arrivals, weight).await?;
    Ok(ticket::url(public_url, Purpose::SignIn, &token))
}

/// A link by which the first admin is made.
pub async fn setup_link(
    workspace: &Arc<Workspace>,
    public_url: &str,
) -> Result<String, AccessProblem> {
    let (token, arrivals) = ticket::issue(workspace, Purpose::Setup, None, "serve").await?;
    let weight = 512 * arrivals.len();
    workspace.submit(arrivals, weight).await?;
    Ok(ticket::url(public_url, Purpose::Setup, &token))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    const TODAY: Date = Date::constant(2026, 12, 1);

    #[test]
    fn absence_and_digest_are_written_and_taken_away() {
        let mut user = User::new(
            "a@shop.test".into(),
            Role::Head,
            Timestamp::UNIX_EPOCH,
            String::new(),
        );
        let away = Words {
            deputy: Some("Boris@shop.test"),
            away_until: Some("2026-12-09"),
            digest: Some("08:30"),
            ..Words::default()
        };
        away.write(&mut user, TODAY).unwrap();
        let own = user.away.unwrap();
        assert_eq!((own.from, own.until), (TODAY, Date::constant(2026, 12, 9)));
        assert_eq!(digest_word(user.digest), "08:30");
        let boris = UserId::from("boris@shop.test");
        assert_eq!(user.stand_in(own.until), Some(&boris));
        assert_eq!(user.stand_in(Date::constant(2026, 12, 10)), None);
        let bad = |words: Words<'_>| {
            words
                .write(&mut user.clone(), TODAY)
                .unwrap_err()
                .to_string()
        };
        let until = |text| {
            bad(Words {
                away_until: Some(text),
                ..Words::default()
            })
        };
        assert!(until("2026-11-30").starts_with("away_until: "));
        assert!(until("tomorrow").contains("2026-12-31"));
        assert!(
            bad(Words {
                digest: Some("25:00"),
                ..Words::default()
            })
            .contains("09:00")
        );
        let back = Words {
            away_until: Some(""),
            digest: Some("off"),
            ..Words::default()
        };
        back.write(&mut user, TODAY).unwrap();
        assert_eq!(
            (user.away, digest_word(user.digest)),
            (None, "off".to_owned())
        );
        assert!(user.deputy.is_some(), "for the next time");
    }

    #[test]
    fn words_are_looked_at_and_empty_ones_take_away() {
        let now = Timestamp::UNIX_EPOCH;
        let mut user = User::new("a@shop.test".into(), Role::Viewer, now, String::new());
        let words = Words {
            name: Some(" Анна "),
            team: Some("north"),
            language: Some("ru"),
            zone: Some("Asia/Tokyo"),
            ..Words::default()
        };
        words.write(&mut user, TODAY).unwrap();
        assert_eq!(user.name.as_deref(), Some("Анна"));
        let none = Words {
            name: Some(""),
            ..Words::default()
        };
        none.write(&mut user, TODAY).unwrap();
        assert_eq!(
            (user.name.as_deref(), user.team.as_deref()),
            (None, Some("north"))
        );
        let bad = |words: Words<'_>| {
            words
                .write(&mut user.clone(), TODAY)
                .unwrap_err()
                .to_string()
        };
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for name in [long.as_str(), "a\nb"] {
            assert!(
                bad(Words {
                    name: Some(name),
                    ..Words::default()
                })
                .contains("name")
            );
        }
        assert!(
            bad(Words {
                language: Some("fr"),
                ..Words::default()
            })
            .contains("en, ru, ja")
        );
        assert!(
            bad(Words {
                zone: Some("Mars"),
                ..Words::default()
            })
            .contains("zone")
        );
    }

    #[test]
    fn addresses_are_of_one_spelling_and_of_one_line() {
        assert_eq!(
            check_address(" Anna@Shop.test").unwrap().as_str(),
            "anna@shop.test"
        );
        for bad in ["", "anna", "a b@shop.test", "a@shop.test\r\nBcc: x@y.test"] {
            assert!(check_address(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_admin_is_the_last_where_no_other_can_log_in() {
        let user = |address: &str, role, password: bool| {
            let mut user = User::new(address.into(), role, Timestamp::UNIX_EPOCH, String::new());
            user.credentials.password = password.then(|| "hash".to_owned());
            user
        };
        let anna = user("anna@shop.test", Role::Admin, true);
        let all = |others: Vec<User>| -> Users {
            let all = others.into_iter().chain([anna.clone()]);
            all.map(|one| (one.address.clone(), Arc::new(one)))
                .collect::<BTreeMap<_, _>>()
        };
        assert!(is_last_admin(&all(vec![]), &anna));
        let head = user("boris@shop.test", Role::Head, true);
        let invited = user("clara@shop.test", Role::Admin, false);
        assert!(is_last_admin(
            &all(vec![head.clone(), invited.clone()]),
            &anna
        ));
        assert!(!is_last_admin(&all(vec![head.clone()]), &head));
        assert!(!is_last_admin(&all(vec![invited.clone()]), &invited));
        let other = user("dora@shop.test", Role::Admin, true);
        assert!(!is_last_admin(&all(vec![other]), &anna));
    }
}
