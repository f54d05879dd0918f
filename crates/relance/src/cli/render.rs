//! `relance render`: a template with a context, as its author would see it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::scenario;

use super::{Done, Failure, print_line, read_text};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A template's file: NAME.LANGUAGE.mjml, .html or .txt.
    template: PathBuf,
    /// JSON with the roots contact, subject, event, owner, workspace, links.
    #[arg(long)]
    context: Option<PathBuf>,
    /// Prints JSON with subject, html, text and the variables that the context lacks.
    #[arg(long)]
    json: bool,
    /// Prints the HTML instead of the text.
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

pub fn run(args: Args) -> Done {
    let text = read_text(&args.template)?;
    let context: Value = match &args.context {
        Some(path) => serde_json::from_str(&read_text(path)?)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?,
        None => json!({}),
    };
    let name = args
        .template
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let files = BTreeMap::from([(name.to_owned(), text)]);
    let set = scenario::compile(&files).map_err(|problems| {
        for problem in problems {
            eprintln!("error: {problem}");
        }
        Failure::Findings
    })?;
    let Some(template) = set.iter().next() else {
        return Err(Failure::Usage(format!("{name} is not a template")));
    };
    for warning in template.warnings() {
        eprintln!("warning: {warning}");
    }
    let missing = template.missing_variables(&context);
    let rendered = template.render(&context).map_err(Failure::cannot)?;
    if args.json {
        return print_line(
            &json!({
                "subject": rendered.subject,
                "html": rendered.html,
                "text": rendered.text,
                "missing": missing,
            })
            .to_string(),
        );
    }
    for variable in missing {
        eprintln!("warning: the context has no {variable}");
    }
    if args.html {
        return print_line(rendered.html.as_deref().unwrap_or_default());
    }
    print_line(&format!(
        "Subject: {}\n\n{}",
        rendered.subject, rendered.text
    ))
}
