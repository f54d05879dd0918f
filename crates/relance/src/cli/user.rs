//! `relance user`: who logs in. On a stopped workspace, or through a running server; `link` beside either.

use std::io::BufRead as _;
use std::path::PathBuf;

use jiff::Timestamp;
use relance_core::ids::UserId;
use relance_core::user::{Purpose, USERS_MAX, User};
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::{Asset, AuditLine, Store};
use relance_wire::stored::read_user;
use serde_json::{Value, json};

use crate::access::account::{self, Words, role_of};
use crate::access::password::{self, Passwords};
use crate::access::{AccessProblem, Cost, USER, Users, plain, ticket, users_of};

use super::target::{Held, Place, Server, Target, config_of, hold, reader};
use super::{Done, Failure, print_line};

/// Arguments of `add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The address to log in with.
    address: String,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    #[arg(long, default_value = "viewer")]
    role: String,
    /// For people.
    #[arg(long)]
    name: Option<String>,
    /// Salespeople of a team are seen by its heads.
    #[arg(long)]
    team: Option<String>,
    /// The language of what they read: en, ru, ja.
    #[arg(long)]
    language: Option<String>,
    /// Where they are, such as Europe/Moscow.
    #[arg(long)]
    zone: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `role`.
#[derive(Debug, clap::Args)]
pub struct RoleArgs {
    /// The address of the user.
    address: String,
    /// `admin`, `head`, `marketer`, `salesperson` or `viewer`.
    role: String,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// The address of the user.
    address: String,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `link` and `password`.
#[derive(Debug, clap::Args)]
pub struct FolderArgs {
    /// The address of the user.
    address: String,
    /// The data folder.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What all have.
#[derive(Debug, clap::Args)]
pub struct Common {
    #[command(flatten)]
    target: Target,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Who did it, for the audit.
pub(super) const BY: &str = "command line";

impl From<AccessProblem> for Failure {
    fn from(problem: AccessProblem) -> Self {
        match problem {
            AccessProblem::BadAddress(_)
            | AccessProblem::BadName(_)
            | AccessProblem::BadWord { .. }
            | AccessProblem::Weak(_) => Self::Usage(problem.to_string()),
            other => Self::cannot(other),
        }
    }
}

/// Commits texts of a stopped workspace, with a line of who did it.
pub(super) fn put(
    held: &mut Held,
    assets: &[Asset],
    action: &str,
    object: &str,
    more: &str,
) -> Done {
    let line = AuditLine::new(held.now, BY, action, object, more);
    let now = held.now;
    let mut write = || {
        held.store.begin()?;
        for asset in assets {
            held.store.put_asset(asset, now)?;
        }
        held.store.put_audit(&line)?;
        held.store.commit()
    };
    write().map_err(Failure::cannot)
}

/// A part of a path of the API: what it must not hold is written as `%XX`.
fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte);
    text.bytes().fold(String::new(), |mut path, byte| {
        if plain(byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}

fn known(users: &Users, address: &str) -> Result<User, Failure> {
    let found = users.get(plain(address).as_str());
    let found = found.ok_or_else(|| Failure::Usage(format!("there is no user {address}")))?;
    Ok(User::clone(found))
}

pub fn add(args: AddArgs) -> Done {
    let words = Words {
        name: args.name.as_deref(),
        team: args.team.as_deref(),
        language: args.language.as_deref(),
        zone: args.zone.as_deref(),
        ..Words::default()
    };
    let link = match args.common.target.place()? {
        Place::Server(server) => {
            let answer = server.post(
                "/api/v1/users",
                &json!({
                    "address": args.address,
                    "role": args.role,
                    "name": args.name,
                    "team": args.team,
                    "language": args.language,
                    "zone": args.zone,
                }),
            )?;
            answer["link"].as_str().unwrap_or_default().to_owned()
        }
        Place::Folder(data) => {
            let role = role_of(&args.role)?;
            let address = account::check_address(&args.address)?;
            let mut held = hold(data)?;
            let users = users_of(&mut held.store).map_err(Failure::cannot)?;
            if users.contains_key(&address) {
                return Err(AccessProblem::AddressTaken.into());
            }
            if users.len() >= USERS_MAX {
                return Err(AccessProblem::Full(crate::access::problem::Full::Users).into());
            }
            let mut user = User::new(address, role, held.now, BY.to_owned());
            // What is said of an absence counts from a day; nothing is said of it here.
            words.write(&mut user, held.now.to_zoned(jiff::tz::TimeZone::UTC).date())?;
            let (token, link) = ticket::make(
                Purpose::Invitation,
                Some(&user),
                BY,
                held.now,
                ticket::good_for(Purpose::Invitation),
            )?;
            let more = json!({ "role": role.word() }).to_string();
            let assets = [account::asset(&user)?, link];
            put(&mut held, &assets, "user.add", user.address.as_str(), &more)?;
            let config = config_of(data)?;
            ticket::url(&config.workspace.public_url, Purpose::Invitation, &token)
        }
    };
    tell_link(args.common.json, &args.address, &link, "chooses a password")
}

fn tell_link(as_json: bool, address: &str, link: &str, what: &str) -> Done {
    if as_json {
        return print_line(&json!({ "address": plain(address), "link": link }).to_string());
    }
    eprintln!("{address} {what} here, once:");
    print_line(link)
}

pub fn list(args: Common) -> Done {
    let items = match args.target.place()? {
        Place::Server(server) => server.get("/api/v1/users")?["items"].clone(),
        Place::Folder(data) => {
            // Reading is in nobody's way.
            let texts = reader(data)?.texts(USER).map_err(Failure::cannot)?;
            let users: Result<Vec<Value>, Failure> = texts
                .into_iter()
                .map(|text| {
                    let address = UserId::from(text.name);
                    let user = read_user(address, &text.body).map_err(Failure::cannot)?;
                    Ok(json!({
                        "address": user.address.as_str(),
                        "name": user.name,
                        "role": user.role.word(),
                        "team": user.team,
                        "active": user.is_active(),
                        "totp": user.credentials.totp.is_some(),
                    }))
                })
                .collect();
            json!(users?)
        }
    };
    if args.json {
        return print_line(&json!({ "items": items, "next": null }).to_string());
    }
    for user in items.as_array().into_iter().flatten() {
        let text = |name: &str| user[name].as_str().unwrap_or("-").to_owned();
        let state = match user["active"].as_bool() {
            Some(true) => "",
            Some(false) | None => "  (invited)",
        };
        print_line(&format!(
            "{}  {}  {}{state}",
            text("address"),
            text("role"),
            text("team")
        ))?;
    }
    Ok(())
}

pub fn role(args: RoleArgs) -> Done {
    match args.common.target.place()? {
        Place::Server(server) => {
            let path = format!("/api/v1/users/{}", part(&args.address));
            put_through(&server, &path, &json!({ "role": args.role }))?;
        }
        Place::Folder(data) => {
            let role = role_of(&args.role)?;
            let mut held = hold(data)?;
            let users = users_of(&mut held.store).map_err(Failure::cannot)?;
            let mut user = known(&users, &args.address)?;
            if role != user.role && account::is_last_admin(&users, &user) {
                return Err(AccessProblem::LastAdmin.into());
            }
            user.role = role;
            let more = json!({ "role": role.word() }).to_string();
            let asset = account::asset(&user)?;
            put(
                &mut held,
                &[asset],
                "user.change",
                user.address.as_str(),
                &more,
            )?;
        }
    }
    eprintln!("{}: {}", args.address, args.role);
    Ok(())
}

fn put_through(server: &Server<'_>, path: &str, body: &Value) -> Done {
    server.put(path, body).map(drop)
}

pub fn remove(args: OneArgs) -> Done {
    match args.common.target.place()? {
        Place::Server(server) => {
            let path = format!("/api/v1/users/{}", part(&args.address));
            server.delete_quietly(&path)?;
        }
        Place::Folder(data) => {
            let mut held = hold(data)?;
            let users = users_of(&mut held.store).map_err(Failure::cannot)?;
            let user = known(&users, &args.address)?;
            if account::is_last_admin(&users, &user) {
                return Err(AccessProblem::LastAdmin.into());
            }
            let gone = Asset {
                body: None,
                ..account::asset(&user)?
            };
            // Their sessions stand for nobody, and are cleared away by the server.
            put(&mut held, &[gone], "user.remove", user.address.as_str(), "")?;
        }
    }
    eprintln!("{} is removed", args.address);
    Ok(())
}

/// A link by which a user signs in without a password. It lies in the data folder until it is used: a running server
/// finds it there.
pub fn link(args: FolderArgs) -> Done {
    let found = reader(&args.data)?
        .text(USER, &plain(&args.address))
        .map_err(Failure::cannot)?;
    let Some(found) = found else {
        return Err(Failure::Usage(format!("there is no user {}", args.address)));
    };
    let user = read_user(UserId::from(found.name), &found.body).map_err(Failure::cannot)?;
    let token = ticket::make_in_folder(&args.data, Purpose::SignIn, &user, SystemClock.now())?;
    let config = config_of(&args.data)?;
    let link = ticket::url(&config.workspace.public_url, Purpose::SignIn, &token);
    tell_link(args.json, &args.address, &link, "signs in")
}

/// Sets the password of a user of a stopped workspace; it is read from standard input.
pub fn password(args: FolderArgs) -> Done {
    let mut held = hold(&args.data)?;
    let users = users_of(&mut held.store).map_err(Failure::cannot)?;
    let mut user = known(&users, &args.address)?;
    eprintln!("Write the new password, and press Enter:");
    let mut given = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut given)
        .map_err(Failure::cannot)?;
    let given = given.trim_end_matches(['\r', '\n']);
    password::check(given, user.address.as_str()).map_err(AccessProblem::Weak)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(Failure::cannot)?;
    let hash = runtime.block_on(Passwords::new(Cost::default()).hash(given));
    account::set_hash(&mut user, hash.map_err(AccessProblem::Hash)?);
    let asset = account::asset(&user)?;
    put(
        &mut held,
        &[asset],
        "user.password",
        user.address.as_str(),
        "",
    )?;
    if args.json {
        return print_line(&json!({ "address": user.address.as_str() }).to_string());
    }
    eprintln!(
        "{}: the password is set, and every session has ended",
        args.address
    );
    Ok(())
}

/// The set-up link of a workspace without users: its text, and what to store.
pub(super) fn setup_link(
    users: &Users,
    public_url: &str,
    now: Timestamp,
) -> Result<Option<(String, Asset)>, Failure> {
    if !users.is_empty() {
        return Ok(None);
    }
    let (token, asset) = ticket::make(
        Purpose::Setup,
        None,
        BY,
        now,
        ticket::good_for(Purpose::Setup),
    )?;
    Ok(Some((
        ticket::url(public_url, Purpose::Setup, &token),
        asset,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_holds_nothing_that_leads_elsewhere() {
        assert_eq!(part("anna@shop.test"), "anna@shop.test");
        assert_eq!(part("a/../b?c"), "a%2F..%2Fb%3Fc");
    }

    #[test]
    fn a_workspace_with_users_has_no_setup_link() {
        let mut users = Users::new();
        let now = Timestamp::UNIX_EPOCH;
        let (link, asset) = setup_link(&users, "http://x/", now).ok().flatten().unwrap();
        assert!(link.starts_with("http://x/setup#"), "{link}");
        assert!(
            !asset
                .body
                .unwrap()
                .contains(&link["http://x/setup#".len()..])
        );
        let role = relance_core::access::Role::Admin;
        let user = User::new("a@shop.test".into(), role, now, String::new());
        users.insert(user.address.clone(), user.into());
        assert!(
            setup_link(&users, "http://x/", now)
                .ok()
                .flatten()
                .is_none()
        );
    }
}
