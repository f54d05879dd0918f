//! What is in force: `relance.toml`, and over it what was changed in the interface.
//!
//! A change is a text of the sort [`SETTING`], one for each [`Section`]; it lies over the file, and without it the file
//! counts again. Whoever reads [`Settings::config`] sees one state of the whole. Decision 0026.
//!
//! **Absent:** what a change means for what waits already (see the engine).

mod change;
pub mod check;
mod fields;
mod secret;
mod section;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use relance_engine::ports::{Store, StoreError};
use relance_store::read::{ReadError, Reader};
use relance_wire::stored::{StoredSetting, read_setting};
use serde_json::Value;

pub use self::change::{
    Change, ChangeProblem, Planned, in_folder as all_in_folder, plan, put, reset, shown, shown_of,
};
pub use self::fields::Fault;
pub use self::section::{Section, tls_word};

use crate::access::Access;
use crate::config::{Config, ConfigProblem};
use crate::keys::SECRET;
use crate::policy::policy;
use crate::send::Sending;
use crate::send::compose::Composer;
use crate::vault::{self, Vault};

/// The sort of texts that changes are kept as.
pub const SETTING: &str = "setting";

/// Why what is in force cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SettingsProblem {
    /// The file alone is wrong.
    #[error(transparent)]
    File(#[from] ConfigProblem),
    /// What was changed in the interface is, or does not go with the file any more.
    #[error(
        "the setting {section}, changed in the interface by {by}: {text}; mend it, or go back to relance.toml with: relance settings reset {section} --data FOLDER"
    )]
    Changed {
        /// Which section.
        section: &'static str,
        /// Who changed it.
        by: String,
        /// What is wrong with it.
        text: String,
    },
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same, beside whoever works on it.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Changes by section, as they are stored.
pub type Stored = BTreeMap<Section, (StoredSetting, String)>;

/// The configuration in force, and the file below it.
pub struct Settings {
    /// As `relance.toml` says.
    pub file: Config,
    /// Where files that it names are.
    pub data: PathBuf,
    vault: Arc<Vault>,
    now: RwLock<Arc<Config>>,
}

impl Settings {
    /// A file with what the database lays over it. Fails where the two do not go together: the message names the
    /// section and the way back.
    pub fn load(
        file: Config,
        store: &mut impl Store,
        vault: Arc<Vault>,
        data: &Path,
    ) -> Result<Self, SettingsProblem> {
        let now = laid(&file, &stored(store)?, &vault, data)?;
        Ok(Self {
            file,
            data: data.to_owned(),
            vault,
            now: RwLock::new(Arc::new(now)),
        })
    }

    /// What is in force.
    pub fn config(&self) -> Arc<Config> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.clone()
    }

    /// What is in force by the database: another program may have changed it.
    pub fn look(&self, store: &mut impl Store) -> Result<Config, SettingsProblem> {
        laid(&self.file, &stored(store)?, &self.vault, &self.data)
    }

    /// The same, by a reader.
    pub fn look_at(&self, reader: &Reader) -> Result<Config, SettingsProblem> {
        laid(&self.file, &read_stored(reader)?, &self.vault, &self.data)
    }

    /// Lays down what is in force from now on, and lets everything go by it that is not the engine's.
    pub fn go_by(&self, config: Config, users: &Users<'_>) {
        let config = Arc::new(config);
        let before = {
            let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *now, config.clone())
        };
        users.composer.configure(&config);
        if let Ok(policy) = policy(&config) {
            users.access.set_zone(policy.zone);
        }
        let differs =
            before.smtp != config.smtp || before.workspace.delivery != config.workspace.delivery;
        if differs && let Err(problem) = users.sending.set_routes(&config, &self.data) {
            // It was looked at before it was committed; a file that it names may have gone since.
            tracing::error!(%problem, "the mail server of the settings cannot be used");
        }
    }
}

/// Who goes by the settings, beside the engine.
pub struct Users<'a> {
    /// Makes mails.
    pub composer: &'a Composer,
    /// Users, whose days are counted in a zone.
    pub access: &'a Access,
    /// Hands mails to servers.
    pub sending: &'a Sending,
}

/// What is changed, out of the texts of a database.
fn read(texts: impl Iterator<Item = (String, String)>) -> Result<Stored, SettingsProblem> {
    let mut all = Stored::new();
    for (name, body) in texts {
        // What a newer version knows beside lies there for it.
        let Some(section) = Section::from_word(&name) else {
            continue;
        };
        let setting = read_setting(&body).map_err(|problem| SettingsProblem::Changed {
            section: section.word(),
            by: "somebody".to_owned(),
            text: problem.to_string(),
        })?;
        all.insert(section, (setting, body));
    }
    Ok(all)
}

/// What is changed, by a store.
pub fn stored(store: &mut impl Store) -> Result<Stored, SettingsProblem> {
    let assets = store.assets(SETTING)?.into_iter();
    read(assets.map(|asset| (asset.name, asset.body.unwrap_or_default())))
}

/// What is changed, by a reader.
pub fn read_stored(reader: &Reader) -> Result<Stored, SettingsProblem> {
    let texts = reader.texts(SETTING)?.into_iter();
    read(texts.map(|text| (text.name, text.body)))
}

/// What is in force in a data folder, beside whoever works on it. A folder without a database has its file.
pub fn in_folder(file: Config, data: &Path) -> Result<Config, SettingsProblem> {
    let place = file.place(data)?;
    match Reader::open_place(&place) {
        Ok(reader) => of_reader(file, &reader, data),
        // There is nothing yet, or what is there is told by whoever opens it for work.
        Err(_) => Ok(file),
    }
}

/// What is in force by a database that is open already.
pub fn of_reader(file: Config, reader: &Reader, data: &Path) -> Result<Config, SettingsProblem> {
    let stored = read_stored(reader)?;
    if stored.is_empty() {
        return Ok(file);
    }
    let secrets = reader.texts(SECRET)?;
    let known = vault::known(secrets.iter().map(|text| (&*text.name, &*text.body)));
    laid(&file, &stored, &Vault::look(data, known.as_deref()), data)
}

/// The file with the changes over it, when they can be used together.
fn laid(
    file: &Config,
    stored: &Stored,
    vault: &Vault,
    data: &Path,
) -> Result<Config, SettingsProblem> {
    let values = stored
        .iter()
        .map(|(section, (setting, _))| (*section, &setting.value));
    let (config, faults) = lay(file, values, vault, data);
    let Some((section, _)) = faults.first() else {
        return Ok(config);
    };
    let section = *section;
    let Some((section, (setting, _))) = section.and_then(|one| stored.get_key_value(&one)) else {
        // The file's own doing, in words that name it.
        check::check(file, data)?;
        let (_, fault) = faults
            .into_iter()
            .next()
            .unwrap_or((None, Fault::new("", "")));
        return Err(crate::config::field(&fault.field, fault.what).into());
    };
    let own = faults.iter().filter(|(of, _)| *of == Some(*section));
    let texts: Vec<String> = own
        .map(|(_, fault)| match fault.field.as_str() {
            "" => fault.what.clone(),
            field => format!("{field}: {}", fault.what),
        })
        .collect();
    Err(SettingsProblem::Changed {
        section: section.word(),
        by: setting.by.clone(),
        text: texts.join("; "),
    })
}

/// Lays values over the file, and says what is wrong with the result: each with its section, and its place there.
/// What is of no section that people change has its whole name.
fn lay<'a>(
    file: &Config,
    values: impl Iterator<Item = (Section, &'a Value)>,
    vault: &Vault,
    data: &Path,
) -> (Config, Vec<(Option<Section>, Fault)>) {
    let mut config = file.clone();
    let mut faults = Vec::new();
    for (section, value) in values {
        let mut own = Vec::new();
        let open = |context: &str, sealed: &str| vault.open_text(context, sealed);
        section.lay(value, &mut config, &open, &mut own);
        faults.extend(own.into_iter().map(|fault| (Some(section), fault)));
    }
    for problem in check::problems(&config, data) {
        let (name, what) = match problem {
            ConfigProblem::Field { field, what } => (field, what),
            other @ (ConfigProblem::Unreadable { .. } | ConfigProblem::Malformed { .. }) => {
                (String::new(), other.to_string())
            }
        };
        let found = Section::ALL
            .into_iter()
            .find_map(|section| Some((section, section.place(&name)?)));
        let fault = match found {
            Some((section, place)) => {
                // A field whose shape was wrong already stands as the file has it.
                let known = |(of, fault): &(Option<Section>, Fault)| {
                    *of == Some(section) && fault.field == place
                };
                if faults.iter().any(known) {
                    continue;
                }
                (Some(section), Fault::new(place, what))
            }
            None => (None, Fault::new(name, what)),
        };
        faults.push(fault);
    }
    (config, faults)
}
