//! `relance journey pause`, `resume`, `retire` and `archive`.

use relance_core::decide::Overdue;
use relance_core::ids::JourneyId;
use relance_engine::arrival::Arrival;
use serde_json::json;

use super::apply::configure;
use super::target::{Place, Target, hold};
use super::{Done, Failure};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The journey's id.
    id: String,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    common: Args,
    /// What becomes of what came due meanwhile: `late` does each step that is not later than its `late`
    /// allowance, `skip` leaves messages and tasks out, `shift` does them and counts on from now.
    #[arg(long, default_value = "late", value_parser = ["late", "skip", "shift"])]
    overdue: String,
}

pub fn resume(args: ResumeArgs) -> Done {
    let overdue = match args.overdue.as_str() {
        "skip" => Overdue::Skip,
        "shift" => Overdue::Shift,
        _late => Overdue::Late,
    };
    let journey = JourneyId::from(args.common.id.as_str());
    let arrival = Arrival::Resumed { journey, overdue };
    let body = json!({ "overdue": args.overdue });
    change(&args.common, "resume", &body, arrival)
}

/// `pause`, `retire` or `archive`.
pub fn run(args: Args, word: &str) -> Done {
    let id = JourneyId::from(args.id.as_str());
    let arrival = match word {
        "pause" => Arrival::Paused(id),
        "retire" => Arrival::Retired(id),
        _archive => Arrival::Archived(id),
    };
    change(&args, word, &json!({}), arrival)
}

fn change(args: &Args, word: &str, body: &serde_json::Value, arrival: Arrival) -> Done {
    let id = &args.id;
    // It becomes a part of an address.
    if !id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    {
        let what = format!("{id:?} is no id of a journey; use a-z, 0-9, - and _");
        return Err(Failure::Usage(what));
    }
    match args.target.place()? {
        Place::Server(server) => {
            server.post(&format!("/api/v1/journeys/{id}/{word}"), body)?;
        }
        Place::Folder(data) => {
            let mut held = hold(data)?;
            let known = relance_engine::ports::Store::journey_versions(
                &mut held.store,
                &JourneyId::from(id.as_str()),
            );
            if known.map_err(Failure::cannot)?.is_empty() {
                return Err(Failure::Usage(format!("there is no journey {id:?}")));
            }
            configure(held, &[arrival])?;
        }
    }
    eprintln!("{id}: {word} done");
    Ok(())
}
