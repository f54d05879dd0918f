//! A scenario: journeys, segments, templates and content lists of one folder, checked and applied as one unit.

pub mod apply;
pub mod remove;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use relance_core::ids::{ListId, SegmentId};
use relance_core::journey::{Journey, StepKind};
use relance_core::segment::{Segment, SegmentsProblem};
use relance_message::outbound::{TemplateProblem, TemplateSet, TemplateSource};
use relance_wire::list::{self, ContentList};
use relance_wire::segments::Settings;
use serde::{Deserialize, Serialize};

use crate::segments;
use crate::segments::names::{Named, named, nearest};

/// Files in one scenario.
pub const FILES_MAX: usize = 500;
/// Bytes of one file.
pub const FILE_BYTES_MAX: u64 = 512 * 1024;
/// Bytes of a file's name: what every file system takes, with room for a folder's.
const NAME_BYTES_MAX: usize = 200;

/// The files of a scenario, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Journeys in YAML.
    #[serde(default)]
    pub journeys: BTreeMap<String, String>,
    /// Templates, by file name.
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
    /// Content lists, by file name.
    #[serde(default)]
    pub lists: BTreeMap<String, String>,
    /// Segments and grades in YAML, by file name.
    #[serde(default)]
    pub segments: BTreeMap<String, String>,
}

/// Something wrong with a file.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, thiserror::Error,
)]
#[error("{file}: {text}")]
pub struct FileProblem {
    /// Which file.
    pub file: String,
    /// Line, from 1; `None` when the whole file is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in the file, in its own words: `steps[2].then[0].wait`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, what and remedy.
    pub text: String,
}

impl FileProblem {
    pub(super) fn whole(file: &str, text: String) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            path: None,
            text,
        }
    }

    fn of_template(problem: &TemplateProblem) -> Self {
        let TemplateProblem {
            file,
            line,
            message,
            remedy,
            ..
        } = problem;
        let line = Some(*line as usize).filter(|line| *line > 0);
        let place = line.map_or(String::new(), |line| format!("line {line}: "));
        Self {
            line,
            ..Self::whole(file, format!("{place}{message}; {remedy}"))
        }
    }

    fn of_journey(file: &str, problem: &relance_wire::journey::Problem) -> Self {
        Self {
            line: Some(problem.line),
            path: Some(problem.path.clone()).filter(|path| !path.is_empty()),
            ..Self::whole(file, problem.to_string())
        }
    }
}

/// A scenario that was checked.
pub struct Checked {
    /// Journeys with their texts, as version 1.
    pub journeys: Vec<(String, Journey)>,
    /// Content lists, by id.
    pub lists: BTreeMap<ListId, ContentList>,
    /// Segments, file by file.
    pub segments: Vec<SegmentFile>,
    /// What does not stop it, but should be looked at.
    pub warnings: Vec<FileProblem>,
}

/// A file of segments that was read: one, or several that belong together, as grades do.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFile {
    /// Its name.
    pub file: String,
    /// As it was written.
    pub text: String,
    /// What it defines.
    pub segments: Vec<Arc<Segment>>,
}

/// What there is beside the files.
pub struct Known<'a> {
    /// Templates.
    pub template: &'a dyn Fn(&str) -> bool,
    /// Content lists.
    pub list: &'a dyn Fn(&str) -> bool,
    /// Segments with the texts of those that have one.
    pub segments: BTreeMap<SegmentId, Option<&'a str>>,
    /// What the workspace says of words whose meaning it may choose.
    pub settings: Settings,
}

impl Known<'_> {
    /// Nothing.
    pub fn nothing() -> Self {
        Self {
            template: &|_| false,
            list: &|_| false,
            segments: BTreeMap::new(),
            settings: Settings::default(),
        }
    }
}

impl Files {
    /// Reads a folder: `*.yaml` in it or in `journeys/`, segments in `segments/`, templates in `templates/`,
    /// content lists in `lists/`; or a single YAML file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let mut files = Self::default();
        if path.is_file() {
            files.add_yaml(path)?;
            return Ok(files);
        }
        for folder in ["", "journeys", "segments"] {
            for file in sorted(&path.join(folder))? {
                if file
                    .extension()
                    .is_some_and(|ending| ending == "yaml" || ending == "yml")
                {
                    files.add_yaml(&file)?;
                }
            }
        }
        for file in sorted(&path.join("templates"))? {
            files.templates.insert(name_of(&file)?, read_text(&file)?);
        }
        for file in sorted(&path.join("lists"))? {
            files.lists.insert(name_of(&file)?, read_text(&file)?);
        }
        Ok(files)
    }

    /// Takes a journey, or what its format calls a segment.
    fn add_yaml(&mut self, path: &Path) -> std::io::Result<()> {
        let name = name_of(path)?;
        let text = read_text(path)?;
        let in_segments = path
            .parent()
            .is_some_and(|folder| folder.ends_with("segments"));
        let (all, folder) = if in_segments || is_segment(&text) {
            (&mut self.segments, "segments")
        } else {
            (&mut self.journeys, "journeys")
        };
        if all.contains_key(&name) {
            // One of them would be left out without a word.
            let what = format!("{name} is there twice, in the folder and in {folder}/; keep one");
            return Err(std::io::Error::other(what));
        }
        all.insert(name, text);
        Ok(())
    }

    /// All texts, by the names of their files.
    fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        let all = self.journeys.iter().chain(&self.templates);
        all.chain(&self.lists).chain(&self.segments)
    }

    /// How many there are.
    fn count(&self) -> usize {
        self.all().count()
    }

    /// What speaks against taking them up at all: they may come from anybody who has a token.
    fn beyond_limits(&self) -> Vec<FileProblem> {
        if self.count() > FILES_MAX {
            let count = self.count();
            let text =
                format!("{count} files; apply at most {FILES_MAX} at once, in several scenarios");
            return vec![FileProblem::whole("scenario", text)];
        }
        let mut problems = Vec::new();
        for (name, text) in self.all() {
            let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
            if !is_file_name(name) {
                let what = format!(
                    "no name of a file; use at most {NAME_BYTES_MAX} bytes without / and \\, and no dot first"
                );
                problems.push(FileProblem::whole(&shown, what));
            }
            if text.len() as u64 > FILE_BYTES_MAX {
                let what = format!("{} bytes; write at most {FILE_BYTES_MAX}", text.len());
                problems.push(FileProblem::whole(&shown, what));
            }
        }
        problems
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

/// Whether a text says by its format that it defines segments.
pub(crate) fn is_segment(text: &str) -> bool {
    let format = text.lines().find_map(|line| line.strip_prefix("format:"));
    let format = format.map(|rest| rest.trim().trim_matches(['"', '\'']));
    format.is_some_and(|name| name.starts_with("segment/") || name.starts_with("grades/"))
}

/// Whether `journey export` can write a file of this name, wherever it came from.
pub fn is_file_name(name: &str) -> bool {
    let bad = |c: char| c == '/' || c == '\\' || c.is_control();
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with('.')
        && !name.contains(bad)
}

fn name_of(path: &Path) -> std::io::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let what = format!("{}: the name is not UTF-8; rename it", path.display());
        std::io::Error::other(what)
    })
}

/// The files of a folder, by name, without hidden ones; a folder that is not there has none.
fn sorted(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        // What desktops and version control leave everywhere is no template.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let path = entry.path();
        if path.is_file() && !is_hidden {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            let what = format!("{} holds more than {FILES_MAX} files", folder.display());
            return Err(std::io::Error::other(what));
        }
    }
    files.sort();
    Ok(files)
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > FILE_BYTES_MAX {
        let what = format!(
            "{} has {bytes} bytes, more than {FILE_BYTES_MAX}",
            path.display()
        );
        return Err(std::io::Error::other(what));
    }
    std::fs::read_to_string(path)
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Compiles template files together; all problems at once.
pub fn compile(files: &BTreeMap<String, String>) -> Result<TemplateSet, Vec<FileProblem>> {
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for (file, text) in files {
        match TemplateSource::parse(file, text) {
            Ok(source) => sources.push(source),
            Err(found) => problems.extend(found.iter().map(FileProblem::of_template)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    TemplateSet::compile(&sources)
        .map_err(|found| found.iter().map(FileProblem::of_template).collect())
}

/// Checks every file; all problems at once.
pub fn check(files: &Files, known: &Known<'_>) -> Result<Checked, Vec<FileProblem>> {
    let mut problems = files.beyond_limits();
    if !problems.is_empty() {
        return Err(problems);
    }
    let templates = compile(&files.templates).unwrap_or_else(|found| {
        problems.extend(found);
        TemplateSet::default()
    });
    let of_journey = |file: &str, found: Vec<relance_wire::journey::Problem>| {
        let problems = found.iter();
        problems
            .map(|problem| FileProblem::of_journey(file, problem))
            .collect::<Vec<_>>()
    };
    let mut lists: BTreeMap<ListId, ContentList> = BTreeMap::new();
    for (file, text) in &files.lists {
        match list::parse(text) {
            Ok(list) => {
                let id = list.id.clone();
                if lists.insert(id.clone(), list).is_some() {
                    let text = format!(
                        "another file has the content list {id}; give each an id of its own"
                    );
                    problems.push(FileProblem::whole(file, text));
                }
            }
            Err(found) => problems.extend(of_journey(file, found)),
        }
    }
    let segments = read_segments(files, &known.settings, &mut problems);
    let mut warnings = check_names(files, known, &segments, &mut problems);
    let mut journeys: Vec<(String, Journey)> = Vec::new();
    let mut ids = BTreeSet::new();
    for (file, text) in &files.journeys {
        let journey = match relance_wire::journey::publish_with(text, 1, &known.settings) {
            Ok(journey) => journey,
            Err(found) => {
                problems.extend(of_journey(file, found));
                continue;
            }
        };
        if !ids.insert(journey.id.clone()) {
            let id = &journey.id;
            let text = format!("another file has the journey {id}; give each an id of its own");
            problems.push(FileProblem::whole(file, text));
        }
        for step in &journey.steps {
            if let StepKind::Send { send, .. } = &step.kind
                && !templates.contains(send.template.as_str())
                && !(known.template)(send.template.as_str())
            {
                let text = format!(
                    "step {}: there is no template {}; add templates/{}.en.mjml",
                    step.key, send.template, send.template
                );
                warnings.push(FileProblem::whole(file, text));
            }
        }
        for missing in journey.lists() {
            if !lists.contains_key(missing) && !(known.list)(missing.as_str()) {
                let text = format!("there is no content list {missing}; add lists/{missing}.yaml");
                warnings.push(FileProblem::whole(file, text));
            }
        }
        journeys.push((text.clone(), journey));
    }
    if problems.is_empty() {
        Ok(Checked {
            journeys,
            lists,
            segments,
            warnings,
        })
    } else {
        Err(problems)
    }
}

/// The segments of the files.
fn read_segments(
    files: &Files,
    settings: &Settings,
    problems: &mut Vec<FileProblem>,
) -> Vec<SegmentFile> {
    let mut read = Vec::new();
    let mut ids = BTreeSet::new();
    for (file, text) in &files.segments {
        let segments = match relance_wire::segments::read_with(text, settings) {
            Ok(segments) => segments,
            Err(found) => {
                let own = found.iter();
                problems.extend(own.map(|problem| FileProblem::of_journey(file, problem)));
                continue;
            }
        };
        for segment in &segments {
            let id = &segment.id;
            if !ids.insert(id.clone()) {
                let text = format!("another file has the segment {id}; give each an id of its own");
                problems.push(FileProblem::whole(file, text));
            }
        }
        read.push(SegmentFile {
            file: file.clone(),
            text: text.clone(),
            segments: segments.into_iter().map(Arc::new).collect(),
        });
    }
    read
}

/// Whether the segments that files name are there. A journey may name one that comes later; a segment must
/// not, and none may ask about itself, however far round.
fn check_names(
    files: &Files,
    known: &Known<'_>,
    read: &[SegmentFile],
    problems: &mut Vec<FileProblem>,
) -> Vec<FileProblem> {
    let own: BTreeSet<&SegmentId> = read
        .iter()
        .flat_map(|file| file.segments.iter().map(|segment| &segment.id))
        .collect();
    let all: BTreeSet<&SegmentId> = own.iter().copied().chain(known.segments.keys()).collect();
    let unknown = |file: &str, one: &Named, remedy: &str| {
        let Named { id, line } = one;
        let remedy = match nearest(id.as_str(), all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => remedy.to_owned(),
        };
        FileProblem {
            line: Some(*line),
            ..FileProblem::whole(
                file,
                format!("line {line}: there is no segment {id}; {remedy}"),
            )
        }
    };
    let missing = |text: &str| -> Vec<Named> {
        let mut names = named(text);
        names.retain(|one| !all.contains(&one.id));
        names
    };
    let mut warnings = Vec::new();
    for (file, text) in &files.journeys {
        let remedy = "add segments/ID.yaml, or put contacts into a list of that name";
        let names = missing(text);
        warnings.extend(names.iter().map(|one| unknown(file, one, remedy)));
    }
    for file in read {
        let names = missing(&file.text);
        let remedy = "define it, or a list of that name, in segments/ID.yaml";
        problems.extend(names.iter().map(|one| unknown(&file.file, one, remedy)));
    }
    let kept = known.segments.iter().filter(|(id, _)| !own.contains(id));
    let kept = segments::parse(kept.filter_map(|(id, text)| Some((id, (*text)?))));
    let new = read.iter().flat_map(|file| &file.segments);
    if let Err(problem) = relance_core::segment::check(new.chain(kept.values()).map(|one| &**one)) {
        let (SegmentsProblem::Circle(way) | SegmentsProblem::Deep(way)) = &problem;
        let file = read
            .iter()
            .find(|file| file.segments.iter().any(|one| way.contains(&one.id)));
        let name = file.map_or("segments", |file| file.file.as_str());
        problems.push(FileProblem::whole(name, problem.to_string()));
    }
    warnings
}
