//! `relance mail classify`: what mails are.

use std::path::{Path, PathBuf};

use relance_message::inbound::Classified;
use relance_message::mail::MESSAGE_BYTES_MAX;
use serde_json::{Value, json};

use crate::examine::{Rules, examine, examine_attachment};

use super::{Done, Failure, print_line};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mails (RFC 5322); a PDF or XML file is taken as an attachment without a mail.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Done {
    let rules = Rules::bundled().map_err(Failure::Cannot)?;
    let mut failed = false;
    for path in &args.files {
        let answer = classify(path, &rules);
        failed |= answer.get("error").is_some();
        if args.json {
            print_line(&answer.to_string())?;
        } else {
            print_line(&sentence(&answer))?;
        }
    }
    if failed {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

fn classify(path: &Path, rules: &Rules) -> Value {
    let file = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return json!({ "file": file, "kind": "other", "error": error }),
    };
    if let Some(document) = examine_attachment(path, &bytes, rules) {
        return match document {
            Some(document) => json!({ "file": file, "kind": "document", "document": document }),
            None => json!({ "file": file, "kind": "other" }),
        };
    }
    let examined = match examine(&bytes, rules) {
        Ok(examined) => examined,
        Err(problem) => {
            return json!({ "file": file, "kind": "other", "error": problem.to_string() });
        }
    };
    let mut answer = examined.class.to_json();
    if let Some(document) = &examined.document {
        // A reply that brings a document is told as one, with the text of the reply beside it.
        answer["kind"] = Value::String("document".to_owned());
        answer["document"] = json!(document);
    }
    if let (Classified::Reply(_) | Classified::Other, None) = (&examined.class, &examined.document)
    {
        answer["subject"] = Value::String(examined.mail.subject.clone());
    }
    answer["file"] = Value::String(file);
    answer
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if bytes > MESSAGE_BYTES_MAX as u64 {
        return Err(format!(
            "the file has {bytes} bytes, more than {MESSAGE_BYTES_MAX}"
        ));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// A line for people.
fn sentence(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let mut line = format!(
        "{}: {}",
        text("file").unwrap_or_default(),
        text("kind").unwrap_or_default()
    );
    for name in ["class", "reason", "recipient", "status", "until", "error"] {
        if let Some(value) = text(name) {
            line.push_str(&format!("  {name} {value}"));
        }
    }
    for name in ["new_address", "intent", "intent_date"] {
        if let Some(value) = text(name).filter(|value| value != "other") {
            line.push_str(&format!("  {name} {value}"));
        }
    }
    if let Some(document) = answer["document"].as_object() {
        for name in ["kind", "number", "amount", "currency", "due"] {
            match document.get(name) {
                Some(Value::String(value)) => line.push_str(&format!("  {name} {value}")),
                Some(Value::Number(value)) => line.push_str(&format!("  {name} {value}")),
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {}
            }
        }
    }
    line
}
