//! The library: ready-made journeys, with their letters in three languages, that a workspace begins from.
//!
//! The scenarios of `assets/scenarios` are in the program itself; `library.toml` in each says what there is to choose
//! from. What is taken comes as drafts, for a person to read and publish, and as templates. **Invariant:** nothing that
//! is there is overwritten. **Absent:** publishing; see [`crate::scenario`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use relance_core::journey::StepKind;
use relance_engine::arrival::Arrival;
use relance_engine::ports::DRAFT;
use relance_store::read::{ReadError, Reader};
use relance_wire::api::library::{LibraryAdded, LibraryItem, LibraryState};
use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::access::Caller;
use crate::http::drafts;
use crate::scenario::Files;
use crate::scenario::apply::{self, ApplyProblem, Asked, InForce};
use crate::workspace::Workspace;

/// The scenarios.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../assets/scenarios"]
struct Scenarios;

/// The file that says what a scenario offers.
const INDEX: &str = "library.toml";
/// What it must say of itself.
const FORMAT: &str = "library/1";
/// Languages that everything is written in; English is what stands in the files.
pub const LANGUAGES: [&str; 3] = ["en", "ru", "ja"];
/// Scenarios in the order in which they are offered; others follow by name.
const ORDER: [&str; 3] = ["b2b-reminders", "b2b-follow-up", "welcome"];

/// The library of this program.
static BUNDLED: LazyLock<Result<Library, String>> = LazyLock::new(Library::read);

/// What there is to choose from.
#[derive(Debug)]
pub struct Library {
    items: Vec<Item>,
}

/// A file of the library.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: String,
    item: Vec<Entry>,
}

/// What a file says of one item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    journeys: Vec<String>,
    needs: Vec<String>,
    name: BTreeMap<String, String>,
    description: BTreeMap<String, String>,
    #[serde(default)]
    texts: Vec<BTreeMap<String, String>>,
}

/// Journeys that belong together, with the templates that they send.
#[derive(Debug)]
struct Item {
    entry: Entry,
    /// Texts of journeys in English, by id.
    journeys: BTreeMap<String, String>,
    /// Files of templates, by name.
    templates: BTreeMap<String, String>,
}

/// What is asked of an item.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Languages of the templates; the journeys' own words are in the first.
    pub languages: Vec<String>,
    /// What is there already stays, and the rest is added.
    pub keep: bool,
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum LibraryProblem {
    /// What comes with the program is damaged.
    #[error("the library that comes with the program: {0}")]
    Bundled(String),
    /// There is no such item.
    #[error("the library has no {0}")]
    Unknown(String),
    /// It is not written in that language.
    #[error("languages: {given:?} is not one of {}", LANGUAGES.join(", "))]
    Language {
        /// What was asked for.
        given: String,
    },
    /// Something of the same name is there.
    #[error(
        "{} there already; it stays as it is where `keep` is true",
        named(journeys, templates)
    )]
    Exists {
        /// Journeys, published or drafts.
        journeys: Vec<String>,
        /// Files of templates that say something else.
        templates: Vec<String>,
    },
    /// It could not be added.
    #[error(transparent)]
    Apply(#[from] ApplyProblem),
    /// What is there cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Names in a sentence: `journey a, template b.en.txt are`.
fn named(journeys: &[String], templates: &[String]) -> String {
    let journeys = journeys.iter().map(|id| format!("journey {id}"));
    let templates = templates.iter().map(|name| format!("template {name}"));
    let all: Vec<String> = journeys.chain(templates).collect();
    let verb = if all.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", all.join(", "))
}

/// The library of this program.
pub fn bundled() -> Result<&'static Library, LibraryProblem> {
    BUNDLED
        .as_ref()
        .map_err(|problem| LibraryProblem::Bundled(problem.clone()))
}

/// A file that comes with the program.
fn bundled_text(path: &str) -> Result<String, String> {
    let file = Scenarios::get(path).ok_or_else(|| format!("{path} is missing"))?;
    String::from_utf8(file.data.into_owned()).map_err(|_| format!("{path} is not UTF-8"))
}

impl Library {
    fn read() -> Result<Self, String> {
        let folders: BTreeSet<String> = Scenarios::iter()
            .filter_map(|path| Some(path.strip_suffix(INDEX)?.trim_end_matches('/').to_owned()))
            .collect();
        let place = |folder: &str| ORDER.iter().position(|known| *known == folder);
        let mut folders: Vec<String> = folders.into_iter().collect();
        folders.sort_by_key(|folder| place(folder).unwrap_or(ORDER.len()));
        let mut items = Vec::new();
        for folder in folders {
            let path = format!("{folder}/{INDEX}");
            let index: Index = toml::from_str(&bundled_text(&path)?)
                .map_err(|error| format!("{path}: {error}"))?;
            if index.format != FORMAT {
                return Err(format!("{path}: the format is {FORMAT}"));
            }
            for entry in index.item {
                items.push(Item::read(&folder, entry)?);
            }
        }
        Ok(Self { items })
    }

    fn find(&self, id: &str) -> Result<&Item, LibraryProblem> {
        let found = self.items.iter().find(|item| item.entry.id == id);
        found.ok_or_else(|| LibraryProblem::Unknown(id.to_owned()))
    }

    /// An item as a scenario in these languages; the journeys' own words are in the first.
    pub fn files(&self, id: &str, languages: &[String]) -> Result<Files, LibraryProblem> {
        let item = self.find(id)?;
        let first = languages.first().map_or(LANGUAGES[0], String::as_str);
        let journeys = item.journeys_in(first).into_iter();
        Ok(Files {
            journeys: journeys
                .map(|(id, text)| (format!("{id}.yaml"), text))
                .collect(),
            templates: item.templates_in(languages),
            ..Files::default()
        })
    }

    /// Everything, with what the workspace has of it.
    pub fn items(&self, has: &Has) -> Vec<LibraryItem> {
        self.items.iter().map(|item| item.shown(has)).collect()
    }
}

impl Item {
    fn read(folder: &str, entry: Entry) -> Result<Self, String> {
        let mut journeys = BTreeMap::new();
        let mut sent = BTreeSet::new();
        for id in &entry.journeys {
            let path = format!("{folder}/journeys/{id}.yaml");
            let text = bundled_text(&path)?;
            let journey = relance_wire::journey::publish(&text, 1)
                .map_err(|found| format!("{path}: {}", found[0]))?;
            for step in &journey.steps {
                if let StepKind::Send { send, .. } = &step.kind {
                    sent.insert(send.template.to_string());
                }
            }
            journeys.insert(id.clone(), text);
        }
        let beginning = format!("{folder}/templates/");
        let mut templates = BTreeMap::new();
        for path in Scenarios::iter() {
            let Some(name) = path.strip_prefix(&beginning) else {
                continue;
            };
            if name.split('.').next().is_some_and(|id| sent.contains(id)) {
                templates.insert(name.to_owned(), bundled_text(&path)?);
            }
        }
        Ok(Self {
            entry,
            journeys,
            templates,
        })
    }

    /// The journeys with the words that people of ours read in this language.
    fn journeys_in(&self, language: &str) -> BTreeMap<String, String> {
        let in_language = |text: &String| {
            let mut told = String::with_capacity(text.len());
            for line in text.split_inclusive('\n') {
                if line.trim_start().starts_with('#') {
                    told.push_str(line);
                } else {
                    told.push_str(&self.line_in(line, language));
                }
            }
            told
        };
        let all = self.journeys.iter();
        all.map(|(id, text)| (id.clone(), in_language(text)))
            .collect()
    }

    fn line_in(&self, line: &str, language: &str) -> String {
        let mut line = line.to_owned();
        for words in &self.entry.texts {
            if let (Some(english), Some(own)) = (words.get(LANGUAGES[0]), words.get(language)) {
                line = line.replace(english, own);
            }
        }
        line
    }

    /// The files of templates in these languages.
    fn templates_in(&self, languages: &[String]) -> BTreeMap<String, String> {
        let own = self.templates.iter();
        own.filter(|(name, _)| {
            let language = name.split('.').nth(1);
            language.is_some_and(|language| languages.iter().any(|one| one == language))
        })
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect()
    }

    fn shown(&self, has: &Has) -> LibraryItem {
        let entry = &self.entry;
        let ids: BTreeSet<&str> = self
            .templates
            .keys()
            .filter_map(|name| name.split('.').next())
            .collect();
        LibraryItem {
            id: entry.id.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            languages: LANGUAGES.map(str::to_owned).to_vec(),
            needs: entry.needs.clone(),
            journeys: entry.journeys.clone(),
            templates: ids.into_iter().map(str::to_owned).collect(),
            state: self.state(has),
        }
    }

    fn state(&self, has: &Has) -> LibraryState {
        if !self.journeys.keys().any(|id| has.journeys.contains_key(id)) {
            return LibraryState::NotUsed;
        }
        let as_written = LANGUAGES.iter().any(|language| {
            self.journeys_in(language).iter().all(|(id, text)| {
                let own = has.journeys.get(id);
                own.is_some_and(|texts| texts.iter().all(|one| one == text))
            })
        });
        let untouched = self
            .templates
            .iter()
            .all(|(name, text)| has.templates.get(name).is_none_or(|own| own == text));
        if as_written && untouched {
            LibraryState::Used
        } else {
            LibraryState::Changed
        }
    }
}

/// What a workspace has.
#[derive(Debug, Default)]
pub struct Has {
    /// Texts of each journey: what is in force, and the draft.
    journeys: BTreeMap<String, Vec<String>>,
    /// Files of templates, by name.
    templates: BTreeMap<String, String>,
}

impl Has {
    /// What a database holds.
    pub fn read(reader: &Reader) -> Result<Self, ReadError> {
        let in_force = InForce::read(reader)?;
        let mut journeys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, versions) in in_force.journeys {
            // Of an archived one nothing is in force, and its id is taken all the same.
            let texts = journeys.entry(id.to_string()).or_default();
            let newest = versions.iter().find(|one| one.current).or(versions.last());
            texts.extend(newest.map(|one| one.text.clone()));
        }
        for draft in reader.texts(DRAFT)? {
            journeys.entry(draft.name).or_default().push(draft.body);
        }
        Ok(Self {
            journeys,
            templates: in_force.templates,
        })
    }
}

/// Takes an item of the library: its journeys become drafts, its templates are there, in one commit.
pub async fn add(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    id: &str,
    wanted: Wanted,
) -> Result<LibraryAdded, LibraryProblem> {
    let item = bundled()?.find(id)?;
    let mut languages = wanted.languages;
    if languages.is_empty() {
        languages.push(closest(&workspace.config().workspace.language).to_owned());
    }
    if let Some(other) = languages
        .iter()
        .find(|one| !LANGUAGES.contains(&one.as_str()))
    {
        let given = other.clone();
        return Err(LibraryProblem::Language { given });
    }
    let mut journeys = item.journeys_in(&languages[0]);
    let mut templates = item.templates_in(&languages);
    // Between the look at what is there and the writing nobody else writes.
    let turn = workspace.applying.lock().await;
    let reading = workspace.clone();
    let has = tokio::task::spawn_blocking(move || Has::read(&reading.reader)).await;
    let has = has.map_err(|_| LibraryProblem::Bundled("it was not read".to_owned()))??;
    let taken: Vec<String> = journeys
        .keys()
        .filter(|id| has.journeys.contains_key(*id))
        .cloned()
        .collect();
    let other: Vec<String> = templates
        .iter()
        .filter(|(name, text)| has.templates.get(*name).is_some_and(|own| own != *text))
        .map(|(name, _)| name.clone())
        .collect();
    let is_free = taken.is_empty() && other.is_empty();
    if !wanted.keep && !is_free {
        return Err(LibraryProblem::Exists {
            journeys: taken,
            templates: other,
        });
    }
    journeys.retain(|id, _| !has.journeys.contains_key(id));
    templates.retain(|name, _| !has.templates.contains_key(name));
    let added = LibraryAdded {
        journeys: journeys.keys().cloned().collect(),
        templates: templates.keys().cloned().collect(),
        kept: taken.into_iter().chain(other).collect(),
    };
    let mut beside: Vec<Arrival> = Vec::new();
    for (id, text) in journeys {
        beside.extend(drafts::arrivals(caller, &id, Some(text)));
    }
    let files = Files {
        templates,
        ..Files::default()
    };
    let audited = Arrival::Audited {
        by: caller.name(),
        action: "library.add".to_owned(),
        object: id.to_owned(),
        detail: String::new(),
    };
    apply::apply_in_turn(
        &turn,
        workspace,
        files,
        Asked::default(),
        beside,
        Some(audited),
    )
    .await?;
    Ok(added)
}

/// The language of the library for a workspace that speaks this one.
fn closest(language: &str) -> &'static str {
    let base = language.split('-').next().unwrap_or_default();
    let known = LANGUAGES.iter().find(|one| **one == base);
    known.copied().unwrap_or(LANGUAGES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> &'static Library {
        match bundled() {
            Ok(library) => library,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Words of a journey that people of ours read.
    fn words(text: &str) -> Vec<String> {
        let journey = relance_wire::journey::publish(text, 1).unwrap();
        let mut words = vec![journey.name.to_string()];
        for step in &journey.steps {
            match &step.kind {
                StepKind::Task(task) => words.push(task.title.to_string()),
                StepKind::Notify(notify) => words.extend(notify.text.lines().map(str::to_owned)),
                _other => {}
            }
        }
        words
    }

    #[test]
    fn every_item_speaks_every_language() {
        for item in &library().items {
            let entry = &item.entry;
            for language in LANGUAGES {
                assert!(
                    entry.name.contains_key(language),
                    "{}: {language}",
                    entry.id
                );
                assert!(
                    entry.description.contains_key(language),
                    "{}: {language}",
                    entry.id
                );
                let languages = [language.to_owned()];
                let ids = |files: BTreeMap<String, String>| -> BTreeSet<String> {
                    files
                        .keys()
                        .filter_map(|name| name.split('.').next().map(str::to_owned))
                        .collect()
                };
                assert_eq!(
                    ids(item.templates_in(&languages)),
                    ids(item.templates.clone())
                );
                for (id, text) in item.journeys_in(language) {
                    for (own, english) in words(&text).iter().zip(words(&item.journeys[&id])) {
                        let differs = *own != english;
                        assert_eq!(differs, language != "en", "{id}.{language}: {own}");
                    }
                }
            }
            for words in &entry.texts {
                let all: String = item.journeys.values().cloned().collect();
                assert!(
                    all.contains(&words["en"]),
                    "{}: {:?}",
                    entry.id,
                    words["en"]
                );
            }
        }
    }

    #[test]
    fn every_journey_of_the_scenarios_is_offered_once_and_complete() {
        let offered: Vec<&String> = library()
            .items
            .iter()
            .flat_map(|item| &item.entry.journeys)
            .collect();
        let there: BTreeSet<String> = Scenarios::iter()
            .filter_map(|path| {
                let name = path.split_once("/journeys/")?.1;
                Some(name.strip_suffix(".yaml")?.to_owned())
            })
            .collect();
        assert_eq!(offered.len(), there.len());
        assert!(offered.iter().all(|id| there.contains(*id)));
        for item in &library().items {
            let files = Files {
                journeys: item
                    .journeys
                    .iter()
                    .map(|(id, text)| (format!("{id}.yaml"), text.clone()))
                    .collect(),
                templates: item.templates.clone(),
                ..Files::default()
            };
            let checked = crate::scenario::check(&files, &crate::scenario::Known::nothing());
            let warnings = checked.map(|checked| checked.warnings);
            assert_eq!(warnings, Ok(Vec::new()), "{}", item.entry.id);
        }
    }

    #[test]
    fn a_state_says_whether_somebody_changed_it() {
        let item = library().find("offer-no-reply").unwrap();
        assert_eq!(item.state(&Has::default()), LibraryState::NotUsed);
        let mut has = Has::default();
        for (id, text) in item.journeys_in("ru") {
            has.journeys.insert(id, vec![text]);
        }
        has.templates = item.templates_in(&["ru".to_owned(), "ja".to_owned()]);
        assert_eq!(item.state(&has), LibraryState::Used);
        let mut letter = has.templates.first_entry().unwrap();
        letter.get_mut().push_str("P.S.\n");
        assert_eq!(item.state(&has), LibraryState::Changed);
    }

    #[test]
    fn the_closest_language_is_taken() {
        assert_eq!(
            ["ru", "ja-jp", "pt-br", ""].map(closest),
            ["ru", "ja", "en", "en"]
        );
    }
}

#[cfg(test)]
#[path = "library_tests.rs"]
mod read_and_played;
