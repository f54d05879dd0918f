//! `relance journey preview`: journeys on a virtual clock, with no server and no data folder.

mod segments;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;
use relance_core::ids::{SegmentId, StepKey};
use relance_core::journey::Journey;
use relance_core::world::World;
use relance_engine::clock::{Clock as _, SystemClock};
use relance_wire::api::PreviewLine;
use relance_wire::segment::CallType;
use relance_wire::segments::Settings;

use crate::config::Config;
use crate::policy::{calendars, policy};
use crate::preview::{self, PreviewProblem, Real, read_call};

use super::target::{config_of, reader};
use super::{Done, Failure, read_text};

/// Lines of events that are read.
const EVENTS_MAX: usize = 5_000_000;
/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Journeys in YAML.
    #[arg(required = true)]
    journeys: Vec<PathBuf>,
    /// A Segment `identify` call in JSON; may be given again.
    #[arg(long)]
    contact: Vec<PathBuf>,
    /// Segment calls, one a line, each with its timestamp; may be given again.
    #[arg(long)]
    events: Vec<PathBuf>,
    /// Segments that are played as well: files, or folders of them. Default: the folder `segments` beside the
    /// journeys. May be given again.
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    segments: Vec<PathBuf>,
    /// The way that a step goes, whatever is true: STEP=WAY, where WAY is then, else, on2, if1, otherwise or
    /// a variant. May be given again.
    #[arg(long, value_name = "STEP=WAY")]
    choose: Vec<String>,
    /// Begins runs when the journeys go live, of journeys that a person, a program or a segment begins.
    #[arg(long)]
    start: bool,
    /// A contact of a workspace, by id (con_42), user id or e-mail; needs --data.
    #[arg(long, value_name = "CONTACT", requires = "data")]
    of: Option<String>,
    /// The workspace of --of: its rules, content lists and shares count. It is only read.
    #[arg(long, env = "RELANCE_DATA")]
    data: Option<PathBuf>,
    /// When the journeys go live; what is earlier is history. Default: the first event.
    #[arg(long)]
    from: Option<Timestamp>,
    /// When the clock stops. Default: 366 days after the last event.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Done {
    let settings = match (&args.of, &args.data) {
        (Some(_), Some(data)) => config_of(data)?.rfm.settings(),
        (_, _) => Settings::default(),
    };
    let (journeys, texts) = read_journeys(&args.journeys, &settings)?;
    let choices = read_choices(&args.choose, &journeys)?;
    let real = match (&args.of, &args.data) {
        (Some(name), Some(data)) => {
            let reader = reader(data)?;
            let config = config_of(data)?;
            let real = Real::read(name, &reader, &config, SystemClock.now(), None);
            Some(real.map_err(failure)?)
        }
        (_, _) => None,
    };
    let in_force = real.iter().flat_map(|real| real.world.segments());
    let mut known: BTreeSet<SegmentId> = in_force.map(|one| one.id.clone()).collect();
    let played = segments::read(&args.segments, &args.journeys, &known, settings)?;
    known.extend(played.iter().map(|one| one.id.clone()));
    for (path, id) in segments::missing(&texts, &known) {
        let path = path.display();
        eprintln!("note: {path} names the segment {id}, which is not played: nobody belongs to it");
    }
    let world = real.as_ref().map(|real| &real.world);
    for journey in journeys
        .iter()
        .filter(|one| !preview::begins(one, &played, world))
    {
        if !args.start {
            let id = &journey.id;
            eprintln!("note: {id} does not begin by what contacts do; add --start to begin it");
        }
    }
    let (mut contacts, mut calls) = (Vec::new(), Vec::new());
    for path in &args.contact {
        let text = read_text(path)?;
        let place = path.display().to_string();
        let call = read_call(&text, &place, CallType::from_word("identify"), false);
        contacts.push(call.map_err(failure)?);
    }
    for path in &args.events {
        let text = read_text(path)?;
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let place = format!("{}:{}", path.display(), at + 1);
            if calls.len() >= EVENTS_MAX {
                let what = format!("{place}: more than {EVENTS_MAX} events; give fewer at once");
                return Err(Failure::Usage(what));
            }
            calls.push(read_call(line, &place, None, true).map_err(failure)?);
        }
    }
    let now = real.as_ref().map(|real| real.now);
    let (world, real) = match real {
        Some(real) => (real.world, Some((real.name, real.snapshot))),
        None => {
            let policy = policy(&Config::default()).map_err(Failure::cannot)?;
            let mut world = World::new(policy, 0);
            world.calendars = calendars();
            (world, None)
        }
    };
    let asked = preview::Asked {
        journeys,
        world,
        segments: played,
        choices,
        real,
        contacts,
        calls,
        now,
        from: args.from,
        until: args.until,
        start: args.start,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut closed = false;
    preview::play(asked, &mut |line| {
        let written = if args.json {
            serde_json::to_writer(&mut out, &line).is_ok() && writeln!(out).is_ok()
        } else {
            writeln!(out, "{}", sentence(&line)).is_ok()
        };
        closed |= !written;
    })
    .map_err(failure)?;
    out.flush().map_err(|_| Failure::Findings)?;
    if closed {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

/// What the caller can mend is a wrong use.
fn failure(problem: PreviewProblem) -> Failure {
    match problem {
        PreviewProblem::Unknown(_) | PreviewProblem::Call { .. } | PreviewProblem::NoBeginning => {
            Failure::Usage(problem.to_string())
        }
        PreviewProblem::Clock(_) | PreviewProblem::Read(_) | PreviewProblem::World(_) => {
            Failure::cannot(problem)
        }
    }
}

/// The ways that steps are to go. A step or way that no journey has would be left out without a word.
fn read_choices(
    pairs: &[String],
    journeys: &[Journey],
) -> Result<BTreeMap<StepKey, String>, Failure> {
    let mut choices = BTreeMap::new();
    for pair in pairs {
        let wrong = |what: String| Failure::Usage(format!("--choose {pair:?}: {what}"));
        let Some((step, way)) = pair.split_once('=') else {
            return Err(wrong("write STEP=WAY".to_owned()));
        };
        let step = StepKey::from(step);
        let mut ways = BTreeSet::new();
        for journey in journeys {
            if let Some(ix) = journey.find(&step) {
                journey.step(ix).kind.map_ways(|way, _| {
                    ways.insert(way.to_string());
                });
            }
        }
        if ways.is_empty() {
            return Err(wrong(format!(
                "no journey has a step {step} with several ways"
            )));
        }
        if !ways.contains(way) {
            let ways: Vec<String> = ways.into_iter().collect();
            return Err(wrong(format!("the ways of {step} are {}", ways.join(", "))));
        }
        choices.insert(step, way.to_owned());
    }
    Ok(choices)
}

/// Journeys with their texts.
type Read = (Vec<Journey>, Vec<(PathBuf, String)>);

fn read_journeys(paths: &[PathBuf], settings: &Settings) -> Result<Read, Failure> {
    let mut journeys = Vec::new();
    let mut texts = Vec::new();
    let mut found = false;
    for path in paths {
        let text = read_text(path)?;
        texts.push((path.clone(), text.clone()));
        match relance_wire::journey::publish_with(&text, 1, settings) {
            Ok(journey) => journeys.push(journey),
            Err(problems) => {
                found = true;
                for problem in problems {
                    eprintln!("error: {}: {problem}", path.display());
                }
            }
        }
    }
    if found {
        Err(Failure::Findings)
    } else {
        Ok((journeys, texts))
    }
}

/// A line for people.
fn sentence(line: &PreviewLine) -> String {
    let mut text = format!("{}  {:<13} {}", line.at, line.what, line.contact);
    for (word, value) in [
        ("journey", line.journey.as_deref()),
        ("step", line.step.as_deref()),
        ("template", line.template.as_deref()),
        ("reason", line.reason),
        ("until", line.until.as_deref()),
        ("", line.detail.as_deref()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("  {word} {value}"));
        }
    }
    text
}
