//! The segments that a preview plays: those that are named, and those that lie beside its journeys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relance_core::ids::SegmentId;
use relance_core::segment::Segment;
use relance_wire::segments::Settings;

use crate::cli::Failure;
use crate::cli::apply::report;
use crate::scenario::{self, Files, Known};
use crate::segments::names::named;

/// The folder of a scenario's segments.
const FOLDER: &str = "segments";

/// The segments of files and folders. Where none are named: of the folder `segments` of the scenarios that the
/// journeys lie in. `known` are there already.
pub fn read(
    paths: &[PathBuf],
    journeys: &[PathBuf],
    known: &BTreeSet<SegmentId>,
    settings: Settings,
) -> Result<Vec<Arc<Segment>>, Failure> {
    let mut files = Files::default();
    if paths.is_empty() {
        for folder in beside(journeys) {
            // What else lies in a folder of that name is somebody else's.
            add(&mut files, &folder, scenario::is_segment)?;
        }
    } else {
        for path in paths {
            if !path.exists() {
                return Err(Failure::Usage(format!(
                    "{} is not there; name a file or folder of segments",
                    path.display()
                )));
            }
            add(&mut files, path, |_| true)?;
        }
        if files.segments.is_empty() {
            let what = "no segments there: write `format: segment/1` or `format: grades/1` in a .yaml file";
            return Err(Failure::Usage(what.to_owned()));
        }
    }
    let known = Known {
        segments: known.iter().map(|id| (id.clone(), None)).collect(),
        settings,
        ..Known::nothing()
    };
    match scenario::check(&files, &known) {
        Ok(checked) => {
            let files = checked.segments.into_iter();
            Ok(files.flat_map(|file| file.segments).collect())
        }
        Err(problems) => {
            report(&problems, "error", false)?;
            Err(Failure::Findings)
        }
    }
}

/// Folders of segments of the scenarios that journeys lie in, each once.
fn beside(journeys: &[PathBuf]) -> BTreeSet<PathBuf> {
    let folders = journeys.iter().filter_map(|journey| {
        let own = journey.parent()?;
        let scenario = match own.file_name() {
            Some(name) if name == "journeys" => own.parent()?,
            Some(_) | None => own,
        };
        Some(scenario.join(FOLDER))
    });
    folders.filter(|folder| folder.is_dir()).collect()
}

fn add(files: &mut Files, path: &Path, takes: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let unreadable = |error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    let found = Files::read(path).map_err(unreadable)?;
    if path.is_file() && found.segments.is_empty() {
        let what = "is no segment; write `format: segment/1` or `format: grades/1`";
        return Err(Failure::Usage(format!("{} {what}", path.display())));
    }
    let all = found.segments.into_iter();
    for (name, text) in all.filter(|(_, text)| takes(text)) {
        let name = match files.segments.contains_key(&name) {
            true => format!("{} {name}", path.display()),
            false => name,
        };
        files.segments.insert(name, text);
    }
    Ok(())
}

/// Segments that journeys name and that are nowhere, with the name of the journey's file.
pub fn missing<'a>(
    texts: &'a [(PathBuf, String)],
    known: &'a BTreeSet<SegmentId>,
) -> impl Iterator<Item = (&'a Path, SegmentId)> {
    texts.iter().flat_map(|(path, text)| {
        let names: BTreeSet<SegmentId> = named(text).into_iter().map(|one| one.id).collect();
        let unknown = names.into_iter().filter(|id| !known.contains(id));
        unknown.map(|id| (path.as_path(), id))
    })
}
