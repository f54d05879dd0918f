//! Secrets within settings: written and never read.
//!
//! In what a person sends, a text is a new secret, `null` takes it away, and nothing (or `{"set": ...}`, as it was
//! shown) keeps it. In what is stored, `{"sealed": ...}` stands for one, `null` for none, and nothing for that of the
//! file. A mail server's password is kept for that server alone: whoever may name another server could send it there.

use serde_json::{Map, Value, json};

use super::fields::{Fault, kind};
use super::section::Section;
use crate::config::Config;
use crate::vault::{Vault, VaultProblem};

/// Opens a sealed text that stands in a place, which the first argument names.
pub type Opener<'a> = &'a dyn Fn(&str, &str) -> Result<String, VaultProblem>;

/// The field of a mail server's password.
pub const PASSWORD: &str = "password";
/// The field of a client's secret.
pub const CLIENT_SECRET: &str = "client_secret";
/// What the password of the mail server is sealed for.
pub const SMTP: &str = "setting/smtp/password";
/// What the secret at Google is sealed for.
pub const GOOGLE: &str = "setting/oauth_clients/google/client_secret";
/// What the secret at Microsoft is sealed for.
pub const MICROSOFT: &str = "setting/oauth_clients/microsoft/client_secret";

/// Bytes of a secret.
const SECRET_BYTES_MAX: usize = 4_096;
const SEALED: &str = "sealed";

/// Whether two names are one server's.
pub fn is_same_host(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.trim().trim_end_matches('.').to_lowercase();
    plain(one) == plain(other)
}

/// A secret that is stored.
pub(super) enum Kept {
    /// It says that there is none.
    None,
    /// Here it is.
    Open(String),
    /// It does not open: what needs it waits for the key, and everything else goes on (decision 0025).
    Shut(String),
}

/// The secret of a stored value.
pub(super) fn open(context: &str, stored: &Value, open: Opener<'_>) -> Result<Kept, String> {
    match stored {
        Value::Null => Ok(Kept::None),
        Value::Object(fields) => match fields.get(SEALED) {
            Some(Value::String(sealed)) => Ok(match open(context, sealed) {
                Ok(secret) => Kept::Open(secret),
                Err(problem) => Kept::Shut(problem.to_string()),
            }),
            Some(_) | None => Err("it is not sealed; enter it again".to_owned()),
        },
        other => Err(format!("{} stands here; enter it again", kind(other))),
    }
}

/// What becomes of the secret that a person sent, or did not.
enum Sent<'a> {
    Keep,
    Gone,
    New(&'a str),
}

fn sent<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Sent<'a>, String> {
    match fields.get(name) {
        None => Ok(Sent::Keep),
        Some(Value::Null) => Ok(Sent::Gone),
        Some(Value::String(text)) if text.is_empty() => {
            Err("it is empty; write it, or null for none".to_owned())
        }
        Some(Value::String(text)) if text.len() > SECRET_BYTES_MAX => {
            Err(format!("it has more than {SECRET_BYTES_MAX} bytes"))
        }
        Some(Value::String(text)) => Ok(Sent::New(text)),
        Some(Value::Object(shown)) if shown.keys().all(|key| key == "set") => Ok(Sent::Keep),
        Some(other) => Err(format!(
            "{} stands here; write the secret, null for none, or leave it out to keep it",
            kind(other)
        )),
    }
}

/// A section's value as it is stored: its secrets sealed. `before` is what is stored now, `now` what is in force.
/// Says whether a secret is another than before.
pub fn seal(
    section: Section,
    value: Value,
    before: Option<&Value>,
    now: &Config,
    vault: &Vault,
    faults: &mut Vec<Fault>,
) -> (Value, bool) {
    match (section, value) {
        (Section::Smtp, Value::Object(mut fields)) => {
            let host = fields
                .get("host")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let known = now.smtp.as_ref();
            let is_same = known.is_some_and(|known| is_same_host(&known.host, host));
            let has_secret = known.is_some_and(|known| known.secret.is_set());
            let has_user = fields.get("user").is_some_and(|user| !user.is_null());
            let kept = before.and_then(|before| before.get(PASSWORD)).cloned();
            let keep = match (is_same, has_secret && has_user) {
                (true, _) => Ok(kept),
                (false, true) => Err("the server is another; enter the password for it"),
                // What the file has for its own server does not come along.
                (false, false) => Ok(Some(Value::Null)),
            };
            let changed = put(&mut fields, PASSWORD, SMTP, keep, vault).unwrap_or_else(|what| {
                faults.push(Fault::new(PASSWORD, what));
                false
            });
            (Value::Object(fields), changed)
        }
        (Section::OauthClients, Value::Object(mut providers)) => {
            let mut changed = false;
            for (name, context) in [("google", GOOGLE), ("microsoft", MICROSOFT)] {
                let Some(Value::Object(fields)) = providers.get_mut(name) else {
                    continue;
                };
                let before = before.and_then(|before| before.get(name));
                let kept = before.and_then(|before| before.get(CLIENT_SECRET)).cloned();
                match put(fields, CLIENT_SECRET, context, Ok(kept), vault) {
                    Ok(is_new) => changed |= is_new,
                    Err(what) => faults.push(Fault::new(format!("{name}.{CLIENT_SECRET}"), what)),
                }
            }
            (Value::Object(providers), changed)
        }
        (_, value) => (value, false),
    }
}

/// Puts the sealed secret in the place of what was sent; says whether it is another.
fn put(
    fields: &mut Map<String, Value>,
    name: &str,
    context: &str,
    keep: Result<Option<Value>, &str>,
    vault: &Vault,
) -> Result<bool, String> {
    let (stored, changed) = match sent(fields, name)? {
        Sent::Keep => (keep.map_err(str::to_owned)?, false),
        Sent::Gone => (Some(Value::Null), true),
        Sent::New(secret) => {
            let sealed = vault.seal(context, secret.as_bytes());
            let sealed = sealed.map_err(|problem| problem.to_string())?;
            (Some(json!({ SEALED: sealed })), true)
        }
    };
    match stored {
        Some(stored) => drop(fields.insert(name.to_owned(), stored)),
        None => drop(fields.remove(name)),
    }
    Ok(changed)
}
