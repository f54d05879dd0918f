//! `relance doctor`: can this workspace do its work?

use std::path::{Path, PathBuf};
use std::time::Duration;

use relance_channels::imap::MailSession;
use relance_engine::clock::{Clock, SystemClock};
use relance_store::read::{Due, Reader};
use relance_store::{Place, PlaceError};
use serde_json::json;

use crate::config::{Config, SmtpConfig};
use crate::content::check_content;
use crate::copy;
use crate::keys::SECRET;
use crate::settings::{self, check::check};
use crate::vault::{self, Vault};
use crate::workspace::{accounts, signers};

use super::{Done, Failure, print_line};

/// How long a server may take to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data folder.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What was found out.
struct Findings {
    json: bool,
    failed: bool,
}

impl Findings {
    fn note<E: ToString>(&mut self, what: &str, result: Result<String, E>) -> Done {
        let (good, text) = match result {
            Ok(text) => (true, text),
            Err(error) => (false, error.to_string()),
        };
        self.failed |= !good;
        if self.json {
            return print_line(&json!({ "check": what, "ok": good, "text": text }).to_string());
        }
        print_line(&format!(
            "{} {what}: {text}",
            if good { "ok  " } else { "FAIL" }
        ))
    }
}

pub fn run(args: Args) -> Done {
    let mut findings = Findings {
        json: args.json,
        failed: false,
    };
    let file = match Config::load(&args.data) {
        Ok(config) => config,
        Err(problem) => {
            findings.note::<_>("configuration", Err::<String, _>(problem))?;
            return Err(Failure::Findings);
        }
    };
    // What cannot be used together is said, and the rest is looked at by the file.
    let config = match settings::in_folder(file.clone(), &args.data) {
        Ok(config) => config,
        Err(problem) => {
            findings.note("settings", Err::<String, _>(problem))?;
            file
        }
    };
    findings.note(
        "configuration",
        check(&config, &args.data).map(|()| format!("{} mailboxes", config.mailbox.len())),
    )?;
    let url = &config.workspace.public_url;
    findings.note::<String>(
        "public url",
        Ok(match url.starts_with("https://") {
            true => url.clone(),
            false => format!("{url} is not https: mails carry no one-click unsubscribe"),
        }),
    )?;
    findings.note(
        "dkim",
        signers(&config, &args.data).map(|signers| format!("{} domains are signed", signers.len())),
    )?;
    match config.place(&args.data) {
        Err(problem) => findings.note("database", Err::<String, _>(problem))?,
        Ok(Place::File(path)) if !path.exists() => {
            let what = format!(
                "{} holds no workspace; run relance init",
                args.data.display()
            );
            findings.note("database", Err::<String, _>(what))?;
        }
        // Only read: whoever works on it goes on, and what an older version left is not changed.
        Ok(place) => match Reader::open_place(&place) {
            Ok(reader) => {
                let content = content(&reader, &config);
                findings.note("database", content.map(|text| format!("{place}: {text}")))?;
                findings.note("copy", quiet(&reader, &args.data))?;
                findings.note("secret key", sealed(&reader, &args.data))?;
            }
            Err(problem) if problem.is_older() => {
                let text = format!("{place}: {problem}; make a backup before");
                findings.note::<String>("database", Ok(text))?;
            }
            Err(problem) => findings.note("database", Err::<String, _>(problem))?,
        },
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(check_servers(&config, &args.data, &mut findings))?;
    if findings.failed {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

/// Whether what the database holds can be used.
fn content(reader: &Reader, config: &Config) -> Result<String, String> {
    if reader.is_half_moved().map_err(|error| error.to_string())? {
        return Err(PlaceError::HalfMoved.to_string());
    }
    check_content(reader, config).map_err(|error| error.to_string())
}

/// Whether sealed secrets open, and what must be kept beside backups of the database.
fn sealed(reader: &Reader, data: &Path) -> Result<String, String> {
    let texts = reader.texts(SECRET).map_err(|error| error.to_string())?;
    let named = texts.iter().map(|text| (&*text.name, &*text.body));
    let Some(known) = vault::known(named) else {
        return Ok("none yet; the first start makes it".to_owned());
    };
    let vault = Vault::look(data, Some(&known));
    match vault.problem() {
        Some(problem) => Err(problem.to_string()),
        None => Ok(format!(
            "key {known} opens; back it up apart from the database ({} of the data folder, or {}): without it passwords of mailboxes must be entered again, and other nodes need the same",
            vault::KEY_FILE,
            vault::SECRET_KEY
        )),
    }
}

/// Whether the workspace may send, or is a copy that waits for a person (R10).
fn quiet(reader: &Reader, data: &Path) -> Result<String, String> {
    let now = SystemClock.now();
    let quiet = copy::look(reader, data, None, now).map_err(|error| error.to_string())?;
    let Some(quiet) = quiet else {
        return Ok("this is the workspace that ran here last".to_owned());
    };
    let overdue = reader.overdue(now).map_err(|error| error.to_string())?;
    let more = |due: &Due| if due.more { "more than " } else { "" };
    let span = match (overdue.earliest(), overdue.latest()) {
        (Some(earliest), Some(latest)) => format!(", due from {earliest} to {latest}"),
        (None, _) | (_, None) => String::new(),
    };
    let journeys: String = overdue
        .journeys
        .iter()
        .map(|(id, of)| format!("; {id}: {} timers, {} messages", of.timers, of.messages))
        .collect();
    Err(format!(
        "{}; nothing is sent. Overdue: {}{} timers, {}{} messages{span}{journeys}. To send again: {}",
        quiet.reason.sentence(),
        more(&overdue.timers),
        overdue.timers.count,
        more(&overdue.messages),
        overdue.messages.count,
        copy::REMEDY,
    ))
}

async fn check_servers(config: &Config, data: &Path, findings: &mut Findings) -> Done {
    let accounts = match accounts(config, data) {
        Ok(accounts) => accounts,
        Err(problem) => return findings.note("mailboxes", Err::<String, _>(problem)),
    };
    for (address, account) in accounts {
        let what = format!("mailbox {address}");
        let session = tokio::time::timeout(CONNECT_TIMEOUT, MailSession::connect(&account)).await;
        match session {
            Ok(Ok(mut session)) => {
                let sent = session.find_sent().await;
                session.logout().await;
                findings.note(
                    &what,
                    sent.map_err(|error| error.explain())
                        .and_then(|sent| match sent {
                            Some(folder) => {
                                Ok(format!("logged in; sent mail is in {}", folder.text()))
                            }
                            None => {
                                Err("logged in, but no folder of sent mail was found".to_owned())
                            }
                        }),
                )?;
            }
            Ok(Err(error)) => findings.note(&what, Err::<String, _>(error.explain()))?,
            Err(_) => findings.note(&what, Err::<String, _>("the server does not answer"))?,
        }
    }
    let routes = config
        .smtp
        .iter()
        .map(|own| ("smtp".to_owned(), own))
        .chain(config.mailbox.iter().filter_map(|mailbox| {
            Some((
                format!("smtp of {}", mailbox.address),
                mailbox.smtp.as_ref()?,
            ))
        }));
    for (what, own) in routes {
        let reached = reach(own).await;
        findings.note(&what, reached)?;
    }
    Ok(())
}

/// Whether a mail server greets. Logging in is left to the first message: some servers count it.
async fn reach(own: &SmtpConfig) -> Result<String, String> {
    let address = (own.host.as_str(), own.port);
    match tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(format!("{}:{} answers", own.host, own.port)),
        Ok(Err(error)) => Err(format!("{}:{}: {error}", own.host, own.port)),
        Err(_) => Err(format!("{}:{} does not answer", own.host, own.port)),
    }
}
