//! `relance demo`: a small company, some weeks of its mail, and a real workspace on a virtual clock.
//!
//! Only time and the outside world are played: mails are real bytes and are examined, events are parsed,
//! and the engine decides as it does in production. Nothing leaves the data folder. The same seed gives
//! the same account. **Absent:** IMAP and SMTP; see the integration tests for those.

pub mod account;
mod acts;
mod chance;
mod clock;
mod company;
pub mod control;
mod paper;
mod people;
mod post;
mod react;
mod script;
mod stage;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use relance_engine::arrival::Refusal;
use relance_engine::ports::{Asset, Store as _, StoreError};
use relance_message::mail::MailProblem;
use relance_message::outbound::BuildProblem;
use relance_store::read::ReadError;
use relance_store::{OpenError, SqliteOptions, SqliteStore};
use relance_wire::segment::CallProblem;

use crate::config::{self, ConfigProblem};
use crate::scenario::Files;
use crate::workspace::{DATABASE, OpenProblem, encode};

pub use stage::Stage;

use company::Company;

/// Days that a demonstration has at least: a shorter one has no reminder's answer in it.
pub const DAYS_MIN: u16 = 10;
/// Days that it has at most.
pub const DAYS_MAX: u16 = 90;

/// Journeys and templates in force in the demonstration.
const JOURNEYS: [(&str, &str); 3] = [
    (
        "offer-no-reply.yaml",
        include_str!("../../../../assets/scenarios/b2b-reminders/journeys/offer-no-reply.yaml"),
    ),
    (
        "invoice-unpaid.yaml",
        include_str!("../../../../assets/scenarios/b2b-reminders/journeys/invoice-unpaid.yaml"),
    ),
    (
        "welcome.yaml",
        include_str!("../../../../assets/scenarios/welcome/journeys/welcome.yaml"),
    ),
];

/// One template's files, in every language of the demonstration.
macro_rules! in_languages {
    ($folder:literal, $name:literal, $ending:literal) => {
        [
            in_languages!(@one $folder, $name, "en", $ending),
            in_languages!(@one $folder, $name, "ru", $ending),
            in_languages!(@one $folder, $name, "ja", $ending),
        ]
    };
    (@one $folder:literal, $name:literal, $language:literal, $ending:literal) => {
        (
            concat!($name, ".", $language, ".", $ending),
            include_str!(concat!(
                "../../../../assets/scenarios/", $folder, "/templates/", $name, ".", $language, ".", $ending
            )),
        )
    };
}

const TEMPLATES: [[(&str, &str); 3]; 8] = [
    in_languages!("b2b-reminders", "offer-reminder-1", "txt"),
    in_languages!("b2b-reminders", "offer-reminder-2", "txt"),
    in_languages!("b2b-reminders", "offer-reminder-3", "txt"),
    in_languages!("b2b-reminders", "invoice-before-due", "txt"),
    in_languages!("b2b-reminders", "invoice-due-day", "txt"),
    in_languages!("b2b-reminders", "invoice-overdue", "txt"),
    in_languages!("b2b-reminders", "invoice-overdue-2", "txt"),
    in_languages!("welcome", "welcome", "mjml"),
];

/// Why a demonstration cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoProblem {
    /// The folder is in use.
    #[error("{0} holds a workspace; give --data an empty folder, or none")]
    Used(PathBuf),
    /// The folder cannot be written.
    #[error("the data folder: {0}")]
    Folder(std::io::Error),
    /// What comes with the program is damaged.
    #[error("the bundled company: {0}")]
    Bundled(String),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigProblem),
    /// The environment leads to a database that is not of the demonstration.
    #[error(
        "a demonstration plays in a folder of its own; unset {} for it",
        config::STORE_URL
    )]
    Elsewhere,
    /// The workspace.
    #[error(transparent)]
    Open(#[from] OpenProblem),
    /// The database, before the workspace runs.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database, beside the engine.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The engine takes nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A mail of the company cannot be made.
    #[error("a mail of the company: {0}")]
    Build(#[from] BuildProblem),
    /// A mail of the company cannot be read.
    #[error("a mail of the company: {0}")]
    Mail(#[from] MailProblem),
    /// An event of the company's site cannot be read.
    #[error("an event of the site: {0}")]
    Call(#[from] CallProblem),
    /// Nobody can be let in.
    #[error(transparent)]
    Access(#[from] crate::access::AccessProblem),
    /// Something is due for ever.
    #[error("the engine does not get beyond {0}; please report this with the seed")]
    Stuck(jiff::Timestamp),
    /// The terminal went away.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// Makes the workspace of a demonstration in a folder that has none.
pub fn prepare(data: &Path, address: SocketAddr, seed: u64) -> Result<(), DemoProblem> {
    if std::env::var_os(config::STORE_URL).is_some() {
        return Err(DemoProblem::Elsewhere);
    }
    if data.join(DATABASE).exists() || data.join(config::FILE_NAME).exists() {
        return Err(DemoProblem::Used(data.to_owned()));
    }
    std::fs::create_dir_all(data).map_err(DemoProblem::Folder)?;
    let company = Company::bundled()?;
    let text = configuration(&company, address);
    std::fs::write(data.join(config::FILE_NAME), text).map_err(DemoProblem::Folder)?;
    let mut store = SqliteStore::open(&data.join(DATABASE), SqliteOptions::default())?;
    // The workspace's secret decides who is in a control group. Here it comes from the seed, so that a
    // demonstration can be repeated; it signs nothing that leaves this machine.
    let secret = blake3::derive_key("relance demo: the workspace's secret", &seed.to_le_bytes());
    store.begin()?;
    store.put_asset(
        &Asset {
            kind: "secret".to_owned(),
            name: "link-secret".to_owned(),
            body: Some(encode(&secret)),
        },
        stage::first_moment(),
    )?;
    store.commit()?;
    Ok(())
}

/// The configuration: three mailboxes, and an outbox instead of a mail server.
fn configuration(company: &Company, address: SocketAddr) -> String {
    let mut text = format!(
        "# The workspace of a demonstration. Nothing is sent: mails stay in the folder outbox.\n\n\
         [workspace]\nname = {:?}\nzone = \"Europe/London\"\ncalendar = \"gb\"\nlanguage = \"en\"\n\
         public_url = \"http://{address}\"\naddress = \"hello@{domain}\"\nfrom_name = {:?}\n\
         internal_domains = [\"{domain}\"]\ndelivery = \"outbox\"\n\n\
         [quiet_hours]\nemail = \"21:00-09:00\"\n",
        company.name,
        company.name,
        domain = company.domain,
    );
    for desk in &company.desks {
        let person = &desk.salesperson;
        text.push_str(&format!(
            "\n[[mailbox]]\naddress = \"{}\"\nname = \"{}\"\n\
             # The demonstration brings the mails itself; there is no server.\n\
             imap = {{ host = \"127.0.0.1\", port = 1, tls = \"none\", password = \"none\" }}\n",
            person.address, person.name
        ));
    }
    text
}

/// The journeys and templates in force.
fn scenario() -> Files {
    let own = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    };
    Files {
        journeys: own(&JOURNEYS),
        templates: TEMPLATES.iter().flat_map(|files| own(files)).collect(),
        ..Files::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_scenario_has_no_problem() {
        let checked = crate::scenario::check(&scenario(), &crate::scenario::Known::nothing());
        let checked = match checked {
            Ok(checked) => checked,
            Err(problems) => panic!("{problems:?}"),
        };
        assert_eq!(checked.warnings, []);
        assert_eq!(checked.journeys.len(), JOURNEYS.len());
    }

    #[test]
    fn the_configuration_is_read_back() {
        let company = Company::bundled().unwrap();
        let text = configuration(&company, ([127, 0, 0, 1], 8080).into());
        let config = config::Config::parse(&text).unwrap();
        assert_eq!(config.mailbox.len(), company.desks.len());
        assert_eq!(config.workspace.delivery, config::Delivery::Outbox);
    }
}
