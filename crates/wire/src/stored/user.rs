//! Users, their sessions, links that let in once, keys of programs.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use relance_core::access::{Role, Scope};
use relance_core::ids::UserId;
use relance_core::user::{Absence, Credentials, Digest, Key, Purpose, Session, Ticket, Totp, User};
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, is_false, is_zero, read, text};

/// Bytes of a text of these sorts; a longer one was not written by this program.
const TEXT_BYTES_MAX: usize = 16 * 1024;

fn bounded<'a, T: Deserialize<'a>>(shape: &'static str, body: &'a str) -> Result<T, StoredProblem> {
    if body.len() > TEXT_BYTES_MAX {
        return Err(problem(shape, "it is too long"));
    }
    read(shape, body)
}

fn problem(shape: &'static str, why: &str) -> StoredProblem {
    StoredProblem {
        shape,
        why: why.to_owned(),
    }
}

#[derive(Serialize, Deserialize)]
struct UserV1 {
    v: Version<1>,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deputy: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    away: Option<AbsenceV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<DigestV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp: Option<TotpV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp_asked: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "is_false")]
    vouched: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recovery: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    epoch: u32,
    made_at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    made_by: String,
}

#[derive(Serialize, Deserialize)]
struct AbsenceV1 {
    from: Date,
    until: Date,
}

/// What differs from the digest that users have unless they say otherwise.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DigestV1 {
    Off,
    At(Time),
}

#[derive(Serialize, Deserialize)]
struct TotpV1 {
    secret: Vec<u8>,
    used: u64,
}

/// A user as text; the address is the key of its row.
pub fn user_text(user: &User) -> Result<String, StoredProblem> {
    let User {
        address: _,
        name,
        role,
        team,
        language,
        zone,
        deputy,
        away,
        digest,
        credentials,
        made_at,
        made_by,
    } = user.clone();
    let Credentials {
        password,
        totp,
        totp_asked,
        vouched,
        recovery,
        epoch,
    } = credentials;
    let stored = UserV1 {
        v: Version,
        role: role.word().to_owned(),
        name,
        team,
        language,
        zone,
        deputy,
        away: away.map(|Absence { from, until }| AbsenceV1 { from, until }),
        digest: (digest != Digest::default()).then_some(match digest {
            Digest::Off => DigestV1::Off,
            Digest::At(time) => DigestV1::At(time),
        }),
        password,
        totp: totp.map(|Totp { secret, used }| TotpV1 { secret, used }),
        totp_asked,
        vouched,
        recovery,
        epoch,
        made_at,
        made_by,
    };
    text("user", &stored)
}

/// A user from text.
pub fn read_user(address: UserId, body: &str) -> Result<User, StoredProblem> {
    let stored: UserV1 = bounded("user", body)?;
    let role =
        Role::from_word(&stored.role).ok_or_else(|| problem("user", "its role is not known"))?;
    Ok(User {
        address,
        name: stored.name,
        role,
        team: stored.team,
        language: stored.language,
        zone: stored.zone,
        deputy: stored.deputy,
        away: stored
            .away
            .map(|AbsenceV1 { from, until }| Absence { from, until }),
        digest: match stored.digest {
            None => Digest::default(),
            Some(DigestV1::Off) => Digest::Off,
            Some(DigestV1::At(time)) => Digest::At(time),
        },
        credentials: Credentials {
            password: stored.password,
            totp: stored
                .totp
                .map(|TotpV1 { secret, used }| Totp { secret, used }),
            totp_asked: stored.totp_asked,
            vouched: stored.vouched,
            recovery: stored.recovery,
            epoch: stored.epoch,
        },
        made_at: stored.made_at,
        made_by: stored.made_by,
    })
}

#[derive(Serialize, Deserialize)]
struct SessionV1 {
    v: Version<1>,
    user: UserId,
    #[serde(default, skip_serializing_if = "is_zero")]
    epoch: u32,
    made_at: Timestamp,
    used_at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    agent: String,
}

/// A session as text; the hash of its token is the key of its row.
pub fn session_text(session: &Session) -> Result<String, StoredProblem> {
    let Session {
        user,
        epoch,
        made_at,
        used_at,
        agent,
    } = session.clone();
    let stored = SessionV1 {
        v: Version,
        user,
        epoch,
        made_at,
        used_at,
        agent,
    };
    text("session", &stored)
}

/// A session from text.
pub fn read_session(body: &str) -> Result<Session, StoredProblem> {
    let SessionV1 {
        v: _,
        user,
        epoch,
        made_at,
        used_at,
        agent,
    } = bounded("session", body)?;
    Ok(Session {
        user,
        epoch,
        made_at,
        used_at,
        agent,
    })
}

#[derive(Serialize, Deserialize)]
struct TicketV1 {
    v: Version<1>,
    purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(default, skip_serializing_if = "is_zero")]
    epoch: u32,
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    made_by: String,
}

/// A ticket as text; the hash of its token is the key of its row.
pub fn ticket_text(ticket: &Ticket) -> Result<String, StoredProblem> {
    let Ticket {
        purpose,
        user,
        epoch,
        expires_at,
        made_by,
    } = ticket.clone();
    let stored = TicketV1 {
        v: Version,
        purpose: purpose.word().to_owned(),
        user,
        epoch,
        expires_at,
        made_by,
    };
    text("ticket", &stored)
}

/// A ticket from text.
pub fn read_ticket(body: &str) -> Result<Ticket, StoredProblem> {
    let stored: TicketV1 = bounded("ticket", body)?;
    let purpose = Purpose::from_word(&stored.purpose)
        .ok_or_else(|| problem("ticket", "its purpose is not known"))?;
    Ok(Ticket {
        purpose,
        user: stored.user,
        epoch: stored.epoch,
        expires_at: stored.expires_at,
        made_by: stored.made_by,
    })
}

#[derive(Serialize, Deserialize)]
struct KeyV1 {
    v: Version<1>,
    scope: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    made_by: String,
}

/// A key as text; its hash is the key of its row. One of which nothing but the scope is known is that word alone,
/// as the first release wrote it.
pub fn key_text(key: &Key) -> Result<String, StoredProblem> {
    let Key {
        scope,
        name,
        made_at,
        made_by,
    } = key.clone();
    if name.is_empty() && made_at.is_none() && made_by.is_empty() {
        return Ok(scope.word().to_owned());
    }
    let stored = KeyV1 {
        v: Version,
        scope: scope.word().to_owned(),
        name,
        made_at,
        made_by,
    };
    text("key", &stored)
}

/// A key from text.
pub fn read_key(body: &str) -> Result<Key, StoredProblem> {
    let stored = match Scope::from_word(body) {
        Some(scope) => {
            return Ok(Key {
                scope,
                name: String::new(),
                made_at: None,
                made_by: String::new(),
            });
        }
        None => bounded::<KeyV1>("key", body)?,
    };
    let scope =
        Scope::from_word(&stored.scope).ok_or_else(|| problem("key", "its scope is not known"))?;
    Ok(Key {
        scope,
        name: stored.name,
        made_at: stored.made_at,
        made_by: stored.made_by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &str = include_str!("../../tests/golden/stored-user-1.jsonl");

    fn all() -> (User, Session, Ticket, [Key; 2]) {
        let at = Timestamp::UNIX_EPOCH;
        let mut user = User::new("anna@shop.test".into(), Role::Head, at, "setup".to_owned());
        user.name = Some("Анна".to_owned());
        user.team = Some("north".to_owned());
        user.language = Some("ru".to_owned());
        user.zone = Some("Europe/Moscow".to_owned());
        user.credentials = Credentials {
            password: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned()),
            totp: Some(Totp {
                secret: vec![1, 2, 3],
                used: 7,
            }),
            totp_asked: Some(vec![4]),
            vouched: true,
            recovery: vec!["ab".to_owned()],
            epoch: 2,
        };
        let session = Session {
            user: user.address.clone(),
            epoch: 2,
            made_at: at,
            used_at: at,
            agent: "Firefox".to_owned(),
        };
        let ticket = Ticket {
            purpose: Purpose::Invitation,
            user: Some(user.address.clone()),
            epoch: 2,
            expires_at: at,
            made_by: "anna@shop.test".to_owned(),
        };
        let key = Key {
            scope: Scope::Read,
            name: "reports".to_owned(),
            made_at: Some(at),
            made_by: "anna@shop.test".to_owned(),
        };
        let old = Key {
            scope: Scope::Admin,
            name: String::new(),
            made_at: None,
            made_by: String::new(),
        };
        (user, session, ticket, [key, old])
    }

    #[test]
    fn they_are_as_version_1_wrote_them() {
        let (user, session, ticket, [key, old]) = all();
        let written = [
            user_text(&user),
            session_text(&session),
            ticket_text(&ticket),
            key_text(&key),
            key_text(&old),
        ]
        .map(|text| text.expect("writes"));
        let golden: Vec<&str> = TEXTS.lines().collect();
        assert_eq!(written.each_ref().map(String::as_str).as_slice(), golden);
        assert_eq!(read_user(user.address.clone(), golden[0]), Ok(user));
        assert_eq!(read_session(golden[1]), Ok(session));
        assert_eq!(read_ticket(golden[2]), Ok(ticket));
        assert_eq!(read_key(golden[3]), Ok(key));
        assert_eq!(read_key(golden[4]), Ok(old));
    }

    #[test]
    fn what_is_too_long_or_of_another_version_is_refused() {
        let long = format!(r#"{{"v":1,"scope":"{}"}}"#, "x".repeat(TEXT_BYTES_MAX));
        assert!(read_key(&long).is_err());
        let newer = read_session(r#"{"v":2}"#).unwrap_err().to_string();
        assert!(newer.contains("version 2"), "{newer}");
        assert!(read_key("root").is_err());
    }
}
