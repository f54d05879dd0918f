//! A change of a section: looked at as a whole, then committed with who made it, then in force.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use relance_engine::arrival::{Arrival, Refusal, Rules};
use relance_engine::ports::{AUDIT_DETAIL_BYTES_MAX, Asset};
use relance_store::read::Reader;
use relance_wire::api::settings::SectionShown;
use relance_wire::stored::{SETTING_BYTES_MAX, StoredSetting, setting_text};
use serde_json::{Map, Value, json};

use super::fields::Fault;
use super::{SETTING, Section, SettingsProblem, Stored, lay, read_stored, secret};
use crate::access::Caller;
use crate::config::Config;
use crate::policy::{double_opt_in, policy};
use crate::vault::Vault;
use crate::workspace::Workspace;

/// What a change weighs in the engine's queue beside its text.
const WEIGHT: usize = 4_096;
/// Characters of a revision.
const REVISION_CHARS: usize = 16;

/// What somebody wants of a section.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which.
    pub section: Section,
    /// What it says from now on; `None`: what the file says.
    pub value: Option<Value>,
    /// The state that it was made from, where that matters.
    pub revision: Option<String>,
}

/// A change that can be committed.
#[derive(Debug)]
pub struct Planned {
    /// Of which section.
    pub section: Section,
    /// What is then in force.
    pub config: Config,
    /// What is then stored.
    pub asset: Asset,
    /// What the audit says of it.
    pub detail: Value,
}

impl Planned {
    /// What the engine is told: the text and, where they are others, the rules; in one commit.
    pub fn arrivals(&self) -> Result<Vec<Arrival>, SettingsProblem> {
        let asset = Arrival::Asset(self.asset.clone());
        match self.section {
            Section::Workspace | Section::QuietHours | Section::Caps | Section::Consent => {}
            Section::Topics
            | Section::Delivery
            | Section::Smtp
            | Section::OauthClients
            | Section::Costs => {
                return Ok(vec![asset]);
            }
        }
        let rules = Rules {
            policy: policy(&self.config)?,
            double_opt_in: double_opt_in(&self.config)?,
        };
        Ok(vec![asset, Arrival::Rules(Box::new(rules))])
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeProblem {
    /// Somebody else changed it meanwhile; what it says now.
    #[error("{} changed it meanwhile; take theirs over, or write again with its revision", .0.changed_by.as_deref().unwrap_or("somebody"))]
    Stale(Box<SectionShown>),
    /// It cannot be used.
    #[error("{}", in_words(.0))]
    Wrong(Vec<Fault>),
    /// The engine does not take it now.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is stored cannot be read.
    #[error(transparent)]
    Stored(#[from] SettingsProblem),
}

fn in_words(faults: &[Fault]) -> String {
    let texts: Vec<String> = faults
        .iter()
        .map(|fault| match fault.field.as_str() {
            "" => fault.what.clone(),
            field => format!("{field}: {}", fault.what),
        })
        .collect();
    texts.join("; ")
}

/// A state of a section, as it is named in `If-Match`.
fn revision(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..REVISION_CHARS].to_owned()
}

/// What a section says, and whose word that is.
pub fn shown_of(section: Section, file: &Config, stored: &Stored, now: &Config) -> SectionShown {
    let file_value = section.show(file);
    let origin = match stored.contains_key(&section) {
        true => "here",
        false if file_value == section.show(&Config::default()) => "default",
        false => "file",
    };
    let change = stored.get(&section);
    SectionShown {
        section: section.word().to_owned(),
        value: section.show(now),
        origin: origin.to_owned(),
        revision: match change {
            Some((_, body)) => revision(body),
            None => revision(&file_value.to_string()),
        },
        file_value,
        changed_by: change.map(|(setting, _)| setting.by.clone()),
        changed_at: change.map(|(setting, _)| setting.at.to_string()),
    }
}

/// [`shown_of`] in a running workspace.
pub fn shown(workspace: &Workspace, section: Section) -> Result<SectionShown, SettingsProblem> {
    let stored = read_stored(&workspace.reader)?;
    let file = &workspace.settings.file;
    Ok(shown_of(section, file, &stored, &workspace.config()))
}

/// Looks at a change; nothing is done yet.
pub fn plan(
    (file, data): (&Config, &Path),
    stored: &Stored,
    vault: &Vault,
    change: Change,
    by: &str,
    at: Timestamp,
) -> Result<Planned, ChangeProblem> {
    let section = change.section;
    let values = |stored: &Stored| -> Vec<(Section, Value)> {
        let all = stored.iter();
        all.map(|(section, (setting, _))| (*section, setting.value.clone()))
            .collect()
    };
    let (now, _) = {
        let values = values(stored);
        let values = values.iter().map(|(section, value)| (*section, value));
        lay(file, values, vault, data)
    };
    let before = shown_of(section, file, stored, &now);
    if change
        .revision
        .is_some_and(|read| read != before.revision && read != "*")
    {
        return Err(ChangeProblem::Stale(Box::new(before)));
    }
    let mut faults = Vec::new();
    let mut after = stored.clone();
    let mut is_new_secret = false;
    let body = match change.value {
        None => {
            after.remove(&section);
            None
        }
        Some(value) => {
            let kept = stored.get(&section).map(|(setting, _)| &setting.value);
            let (value, is_new) = secret::seal(section, value, kept, &now, vault, &mut faults);
            is_new_secret = is_new;
            let setting = StoredSetting {
                value,
                by: by.to_owned(),
                at,
            };
            let body = setting_text(&setting).map_err(|problem| {
                ChangeProblem::Wrong(vec![Fault::new("", problem.to_string())])
            })?;
            if body.len() > SETTING_BYTES_MAX {
                let what = format!("it has more than {SETTING_BYTES_MAX} bytes; shorten it");
                return Err(ChangeProblem::Wrong(vec![Fault::new("", what)]));
            }
            after.insert(section, (setting, body.clone()));
            Some(body)
        }
    };
    let values = values(&after);
    let values = values.iter().map(|(section, value)| (*section, value));
    let (config, found) = lay(file, values, vault, data);
    for (of, fault) in found {
        let fault = match of {
            Some(of) if of == section => fault,
            Some(of) => Fault::new(format!("{}.{}", of.word(), fault.field), fault.what),
            None => fault,
        };
        if !faults.iter().any(|known| known.field == fault.field) {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        return Err(ChangeProblem::Wrong(faults));
    }
    let detail = difference(&before.value, &section.show(&config), is_new_secret);
    Ok(Planned {
        section,
        config,
        asset: Asset {
            kind: SETTING.to_owned(),
            name: section.word().to_owned(),
            body,
        },
        detail,
    })
}

/// What the audit says of a change: the fields that are others now, as they were and as they are, without secrets.
fn difference(old: &Value, new: &Value, is_new_secret: bool) -> Value {
    let (was, is) = match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let changed = |one: &Map<String, Value>, other: &Map<String, Value>| -> Value {
                let own = one.iter();
                let own = own.filter(|(name, value)| other.get(*name) != Some(*value));
                Value::Object(
                    own.map(|(name, value)| (name.clone(), value.clone()))
                        .collect(),
                )
            };
            (changed(old, new), changed(new, old))
        }
        (old, new) => (old.clone(), new.clone()),
    };
    let mut detail = json!({ "old": was, "new": is });
    if is_new_secret {
        detail["secret"] = json!("changed");
    }
    if detail.to_string().len() <= AUDIT_DETAIL_BYTES_MAX {
        return detail;
    }
    let names: Vec<&String> = detail["new"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect();
    json!({ "changed": names, "too_long": true })
}

async fn make(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    change: Change,
) -> Result<SectionShown, ChangeProblem> {
    let section = change.section;
    let action = match change.value {
        Some(_) => "setting.change",
        None => "setting.reset",
    };
    // Between the look at the revision and the writing nobody else writes.
    let _turn = workspace.applying.lock().await;
    let settings = &workspace.settings;
    let (own, by, now) = (workspace.clone(), caller.name(), workspace.clock.now());
    let planned = tokio::task::spawn_blocking(move || {
        let stored = read_stored(&own.reader)?;
        let file = (&own.settings.file, own.data.as_path());
        plan(file, &stored, &own.vault, change, &by, now)
    });
    let planned = planned.await.unwrap_or(Err(Refusal::Stopping.into()))?;
    let weight = WEIGHT + planned.asset.body.as_ref().map_or(0, String::len);
    let arrivals = planned.arrivals()?;
    workspace
        .submit_with(
            caller,
            arrivals,
            weight,
            action,
            section.word(),
            &planned.detail,
        )
        .await?;
    // Another node may have changed another section meanwhile: what is committed counts.
    let own = workspace.clone();
    let looked = tokio::task::spawn_blocking(move || own.settings.look_at(&own.reader)).await;
    workspace.go_by(match looked {
        Ok(Ok(config)) => config,
        Ok(Err(_)) | Err(_) => planned.config,
    });
    let stored = read_stored(&workspace.reader)?;
    Ok(shown_of(
        section,
        &settings.file,
        &stored,
        &workspace.config(),
    ))
}

/// Changes a section of a running workspace.
pub async fn put(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    section: Section,
    value: Value,
    revision: Option<String>,
) -> Result<SectionShown, ChangeProblem> {
    let value = Some(value);
    make(
        workspace,
        caller,
        Change {
            section,
            value,
            revision,
        },
    )
    .await
}

/// Goes back to what the file says.
pub async fn reset(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    section: Section,
    revision: Option<String>,
) -> Result<SectionShown, ChangeProblem> {
    let value = None;
    make(
        workspace,
        caller,
        Change {
            section,
            value,
            revision,
        },
    )
    .await
}

/// All sections in a data folder, as they stand in the database; what cannot be used together is shown all the same.
pub fn in_folder(
    (file, data): (&Config, &Path),
    reader: &Reader,
    vault: &Vault,
) -> Result<Vec<SectionShown>, SettingsProblem> {
    let stored = read_stored(reader)?;
    let values = stored.iter();
    let values = values.map(|(section, (setting, _))| (*section, &setting.value));
    let (now, _) = lay(file, values, vault, data);
    let all = Section::ALL.into_iter();
    Ok(all
        .map(|section| shown_of(section, file, &stored, &now))
        .collect())
}
