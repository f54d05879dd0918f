//! What messages are made of: templates and content lists, from the database to the composer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use relance_core::ids::TemplateId;
use relance_core::policy::TemplateFacts;
use relance_core::segment::Segment;
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::touchpoint::Task;
use relance_core::world::World;
use relance_engine::ports::{Store, StoreError, StoredJourney, StoredSegment};
use relance_engine::turn::TitleWriter;
use relance_message::outbound::{TemplateSet, TemplateSource};
use relance_store::read::{ReadError, Reader};
use relance_wire::list::{self, ContentList};
use relance_wire::segments::Settings;

use crate::backtest::{BacktestProblem, world_of};
use crate::config::Config;
use crate::scenario::apply::{LIST, TEMPLATE, items_of};
use crate::scenario::{FileProblem, Files, compile};
use crate::segments::rfm::{BOUNDS, RFM};
use crate::send::compose::{Composer, contact_value, facts_of};
use crate::workspace::OpenProblem;

/// Templates and content lists in force.
pub struct Content {
    composer: Arc<Composer>,
    /// By file name.
    files: Mutex<Texts>,
}

#[derive(Clone, Default)]
struct Texts {
    templates: BTreeMap<String, String>,
    lists: BTreeMap<String, String>,
}

/// What was laid over what was in force.
pub struct Laid {
    /// What the gate must know of templates.
    pub facts: Vec<(TemplateId, TemplateFacts)>,
    before: Texts,
}

impl Content {
    /// Gives what the database holds to the composer and to the rules.
    pub fn load(
        store: &mut impl Store,
        composer: Arc<Composer>,
        world: &mut World,
    ) -> Result<Self, OpenProblem> {
        let content = Self {
            composer,
            files: Mutex::default(),
        };
        content.reload(store, world)?;
        Ok(content)
    }

    /// [`load`](Self::load) anew: another program may have changed some.
    pub fn reload(&self, store: &mut impl Store, world: &mut World) -> Result<(), OpenProblem> {
        let texts = Texts {
            templates: texts(store, TEMPLATE)?,
            lists: texts(store, LIST)?,
        };
        let set = compile_templates(&texts.templates)?;
        let lists = parse_lists(&texts.lists)?;
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        world.templates = self.composer.set_templates(set).into_iter().collect();
        world.lists = items_of(&texts.lists);
        self.composer.set_lists(lists);
        *held = texts;
        Ok(())
    }

    /// Lays the files of a scenario over those in force.
    pub fn put(&self, files: &Files) -> Result<Laid, Vec<FileProblem>> {
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = held.clone();
        all.templates.extend(files.templates.clone());
        all.lists.extend(files.lists.clone());
        let facts = self.use_texts(&all)?;
        let before = std::mem::replace(&mut *held, all);
        Ok(Laid { facts, before })
    }

    /// Takes files out of those in force; what is left must fit together.
    pub fn take_out(&self, kind: &str, names: &[String]) -> Result<Laid, Vec<FileProblem>> {
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = held.clone();
        for name in names {
            if kind == LIST {
                all.lists.remove(name);
            } else {
                all.templates.remove(name);
            }
        }
        let facts = self.use_texts(&all)?;
        let before = std::mem::replace(&mut *held, all);
        Ok(Laid { facts, before })
    }

    /// Content lists in force, by file.
    pub fn lists(&self) -> BTreeMap<String, String> {
        let held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        held.lists.clone()
    }

    /// Gives back what was in force: what was laid over it was refused.
    pub fn take_back(&self, laid: Laid) {
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // It was in force, so it compiles.
        if self.use_texts(&laid.before).is_ok() {
            *held = laid.before;
        }
    }

    fn use_texts(
        &self,
        texts: &Texts,
    ) -> Result<Vec<(TemplateId, TemplateFacts)>, Vec<FileProblem>> {
        let set = compile(&texts.templates)?;
        let lists = texts.lists.values();
        let lists = lists.filter_map(|text| list::parse(text).ok());
        self.composer.set_lists(lists.collect());
        Ok(self.composer.set_templates(set))
    }
}

fn texts(store: &mut impl Store, kind: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let assets = store.assets(kind)?;
    Ok(assets
        .into_iter()
        .map(|asset| (asset.name, asset.body.unwrap_or_default()))
        .collect())
}

fn compile_templates(files: &BTreeMap<String, String>) -> Result<TemplateSet, OpenProblem> {
    let sources: Vec<TemplateSource> = files
        .iter()
        .map(|(name, text)| {
            TemplateSource::parse(name, text)
                .map_err(|problems| damaged("template", name, &problems))
        })
        .collect::<Result<_, _>>()?;
    TemplateSet::compile(&sources).map_err(|problems| damaged("template", "files", &problems))
}

fn parse_lists(files: &BTreeMap<String, String>) -> Result<Vec<ContentList>, OpenProblem> {
    files
        .iter()
        .map(|(name, text)| {
            list::parse(text).map_err(|problems| damaged("content list", name, &problems))
        })
        .collect()
}

fn damaged(what: &'static str, name: &str, problems: &[impl ToString]) -> OpenProblem {
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    OpenProblem::Content {
        what,
        name: name.to_owned(),
        text: text.join("; "),
    }
}

/// Puts all segments of the database into the world, before the journeys that ask about them, with the bounds of
/// recency, frequency and money; returns how many.
pub fn load_segments(
    store: &mut impl Store,
    settings: &Settings,
    world: &mut World,
) -> Result<usize, OpenProblem> {
    let bounds = texts(store, RFM)?.remove(BOUNDS);
    add_segments(store.segments()?, bounds.as_deref(), settings, world)
}

/// Puts segments into the world; returns how many. Grades have one text between them.
pub fn add_segments(
    stored: impl IntoIterator<Item = StoredSegment>,
    bounds: Option<&str>,
    settings: &Settings,
    world: &mut World,
) -> Result<usize, OpenProblem> {
    let mut read: BTreeMap<String, Vec<Arc<Segment>>> = BTreeMap::new();
    let mut count = 0;
    for one in stored {
        if !read.contains_key(&one.text) {
            let segments = relance_wire::segments::read_with(&one.text, settings)
                .map_err(|problems| damaged("segment", one.id.as_str(), &problems))?;
            let segments = segments.into_iter().map(Arc::new).collect();
            read.insert(one.text.clone(), segments);
        }
        let defined = read.get(&one.text).into_iter().flatten();
        let mut own = defined.filter(|segment| segment.id == one.id);
        let Some(segment) = own.next() else {
            let what = format!("its text defines no segment {}", one.id);
            return Err(damaged("segment", one.id.as_str(), &[what]));
        };
        world.add_segment(segment.clone());
        count += 1;
    }
    if let Some(text) = bounds {
        let read = relance_wire::segments::read_bounds(text);
        world.rfm = Some(read.map_err(|problem| damaged(RFM, BOUNDS, &[problem]))?);
    }
    Ok(count)
}

/// Puts all journeys of the database into the world; returns how many.
pub fn load_journeys(
    store: &mut impl Store,
    settings: &Settings,
    world: &mut World,
) -> Result<usize, OpenProblem> {
    add_journeys(store.journeys()?, settings, world)
}

/// Puts journeys into the world; returns how many.
pub fn add_journeys(
    journeys: impl IntoIterator<Item = StoredJourney>,
    settings: &Settings,
    world: &mut World,
) -> Result<usize, OpenProblem> {
    let mut count = 0;
    for stored in journeys {
        count += 1;
        let journey = relance_wire::journey::publish_with(&stored.text, stored.version, settings)
            .map_err(|problems| damaged("journey", stored.id.as_str(), &problems))?;
        world.add_journey(Arc::new(journey), stored.moves, stored.current);
    }
    Ok(count)
}

/// What the gate must know of templates, from their files.
pub fn facts(
    files: &BTreeMap<String, String>,
) -> Result<BTreeMap<TemplateId, TemplateFacts>, OpenProblem> {
    Ok(facts_of(&compile_templates(files)?))
}

/// Whether what the database holds can be used by this version; says how much it is. Only reads, beside whoever
/// works on it.
pub fn check_content(reader: &Reader, config: &Config) -> Result<String, BacktestProblem> {
    let texts = |kind| -> Result<BTreeMap<String, String>, ReadError> {
        let texts = reader.texts(kind)?;
        Ok(texts.into_iter().map(|one| (one.name, one.body)).collect())
    };
    let set = compile_templates(&texts(TEMPLATE)?)?;
    let lists = parse_lists(&texts(LIST)?)?;
    let world = world_of(reader, config)?;
    let (segments, journeys) = (world.segments().count(), world.all_current().count());
    Ok(format!(
        "{journeys} journeys, {segments} segments, {} templates, {} content lists",
        set.iter().count(),
        lists.len()
    ))
}

/// Titles of tasks are Jinja texts; one that fails stays as it was written.
pub fn title_writer() -> TitleWriter {
    Box::new(|title: &str, snapshot: &Snapshot, task: &Task| {
        let context = serde_json::json!({
            "contact": contact_value(&snapshot.contact),
            "subject": subject_of(snapshot, task).map(|object| &object.fields),
        });
        relance_message::outbound::render_line(title, &context).unwrap_or_else(|_| title.to_owned())
    })
}

/// The same, where it is known who has the task: what no journey words is said in their language.
pub fn title_writer_for(composer: Arc<Composer>) -> TitleWriter {
    let write = title_writer();
    Box::new(move |title: &str, snapshot: &Snapshot, task: &Task| {
        let (assignee, subject) = (task.assignee.as_deref(), subject_of(snapshot, task));
        let language = composer.language_of_task(assignee, &snapshot.contact, subject);
        let worded = crate::task_words::worded(title, &language);
        write(worded.as_deref().unwrap_or(title), snapshot, task)
    })
}

fn subject_of<'s>(snapshot: &'s Snapshot, task: &Task) -> Option<&'s Object> {
    snapshot.objects.get(task.subject.as_ref()?)
}
