//! A scenario: journeys and templates of one folder, applied as one unit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use relance_core::journey::{Journey, StepKind};
use relance_engine::arrival::{Arrival, Refusal};
use relance_engine::ports::Asset;
use relance_message::outbound::{TemplateProblem, TemplateSet, TemplateSource};
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

/// Files in one scenario.
pub const FILES_MAX: usize = 500;
/// Bytes of one file.
pub const FILE_BYTES_MAX: u64 = 512 * 1024;

/// What applying a scenario weighs in the engine's queue.
const APPLY_WEIGHT: usize = 64 * 1024;

/// The files of a scenario, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Journeys in YAML.
    #[serde(default)]
    pub journeys: BTreeMap<String, String>,
    /// Templates, by file name.
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
}

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}: {text}")]
pub struct FileProblem {
    /// Which file.
    pub file: String,
    /// Line, from 1; `None` when the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in the file, in its own words: `steps[2].then[0].wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, what and remedy.
    pub text: String,
}

impl FileProblem {
    fn whole(file: &str, text: String) -> Self {
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
    /// What does not stop it, but should be looked at.
    pub warnings: Vec<FileProblem>,
}

/// What applying changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Journeys published, with their new versions.
    pub published: BTreeMap<String, u32>,
    /// Journeys that are in force already.
    pub unchanged: Vec<String>,
    /// Template files put into the workspace.
    pub templates: Vec<String>,
}

impl Files {
    /// Reads a folder: `*.yaml` in it or in `journeys/`, templates in `templates/`; or a single YAML file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let mut files = Self::default();
        if path.is_file() {
            files.add_journey(path)?;
            return Ok(files);
        }
        for folder in [path.to_owned(), path.join("journeys")] {
            for file in sorted(&folder)? {
                if file
                    .extension()
                    .is_some_and(|ending| ending == "yaml" || ending == "yml")
                {
                    files.add_journey(&file)?;
                }
            }
        }
        for file in sorted(&path.join("templates"))? {
            if let Some(name) = file.file_name().and_then(|name| name.to_str()) {
                files.templates.insert(name.to_owned(), read_text(&file)?);
            }
        }
        Ok(files)
    }

    fn add_journey(&mut self, path: &Path) -> std::io::Result<()> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("journey.yaml");
        self.journeys.insert(name.to_owned(), read_text(path)?);
        Ok(())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.journeys.is_empty() && self.templates.is_empty()
    }
}

/// The files of a folder, by name; a folder that is not there has none.
fn sorted(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
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

/// Checks every file; all problems at once. `known` says which templates exist beside the files.
pub fn check(files: &Files, known: &dyn Fn(&str) -> bool) -> Result<Checked, Vec<FileProblem>> {
    let mut problems = Vec::new();
    let mut journeys: Vec<(String, Journey)> = Vec::new();
    let templates = compile(&files.templates).unwrap_or_else(|found| {
        problems.extend(found);
        TemplateSet::default()
    });
    let mut warnings = Vec::new();
    for (file, text) in &files.journeys {
        let name = |text: String| FileProblem::whole(file, text);
        match relance_wire::journey::publish(text, 1) {
            Ok(journey) => {
                if journeys.iter().any(|(_, other)| other.id == journey.id) {
                    problems.push(name(format!(
                        "another file has the journey {}; give each an id of its own",
                        journey.id
                    )));
                }
                for step in &journey.steps {
                    if let StepKind::Send(send) = &step.kind
                        && !templates.contains(send.template.as_str())
                        && !known(send.template.as_str())
                    {
                        warnings.push(name(format!(
                            "step {}: there is no template {}; add templates/{}.en.mjml",
                            step.key, send.template, send.template
                        )));
                    }
                }
                journeys.push((text.clone(), journey));
            }
            Err(found) => problems.extend(
                found
                    .iter()
                    .map(|problem| FileProblem::of_journey(file, problem)),
            ),
        }
    }
    if problems.is_empty() {
        Ok(Checked { journeys, warnings })
    } else {
        Err(problems)
    }
}

/// Applies a scenario to a running workspace: in one commit, or not at all.
pub async fn apply(
    workspace: &Workspace,
    files: Files,
) -> Result<Result<Applied, Vec<FileProblem>>, Refusal> {
    let existing = workspace.composer.templates();
    let checked = match check(&files, &|id| existing.contains(id)) {
        Ok(checked) => checked,
        Err(problems) => return Ok(Err(problems)),
    };
    // Templates that are not in the files stay as they are.
    let all = workspace.templates_with(&files.templates);
    let set = match compile(&all) {
        Ok(set) => set,
        Err(problems) => return Ok(Err(problems)),
    };
    let mut applied = Applied::default();
    let mut arrivals = Vec::new();
    for (name, text) in &files.templates {
        arrivals.push(Arrival::Asset(Asset {
            kind: "template".to_owned(),
            name: name.clone(),
            body: Some(text.clone()),
        }));
        applied.templates.push(name.clone());
    }
    let mut published = Vec::new();
    for (text, journey) in checked.journeys {
        match workspace.next_version(&journey.id, &text) {
            None => applied.unchanged.push(journey.id.to_string()),
            Some(version) => {
                applied.published.insert(journey.id.to_string(), version);
                published.push((journey.id.clone(), version, text.clone()));
                let journey = Arc::new(Journey { version, ..journey });
                arrivals.push(Arrival::Published { text, journey });
            }
        }
    }
    // Templates first: a message of a new journey must not miss its own.
    let facts = workspace.composer.set_templates(set);
    arrivals.insert(0, Arrival::Templates(facts));
    workspace.submit(arrivals, APPLY_WEIGHT).await?;
    workspace.set_template_files(all);
    for (id, version, text) in published {
        workspace.published(id, version, text);
    }
    Ok(Ok(applied))
}
