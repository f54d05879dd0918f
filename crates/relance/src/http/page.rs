//! One plain page: what was sent, held and stopped, and why.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use relance_core::contact::Contact;
use relance_core::ledger::{LedgerEntry, What};

use super::{Problem, Shared};

/// Lines of the ledger that the page shows.
const LINES_MAX: usize = 200;
/// How often the page is read again, in seconds.
const REFRESH_SECONDS: u32 = 3;

/// The page.
pub async fn overview(State(workspace): Shared) -> Result<Response, Problem> {
    let own = workspace.clone();
    let read = tokio::task::spawn_blocking(move || {
        let totals = own.reader.totals()?;
        let lines = own.reader.ledger(None, LINES_MAX)?.items;
        let mut rows = String::new();
        for line in lines.iter().filter(|line| is_telling(line.entry.what)) {
            let contact = own.reader.contact(line.entry.contact)?;
            rows.push_str(&row(&line.entry, contact.as_ref()));
        }
        Ok::<_, relance_store::read::ReadError>((totals, rows))
    });
    let (totals, rows) = read.await.map_err(|_| {
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the page could not be made; the server's log says why",
        )
    })??;
    let own = &workspace.config.workspace;
    let name = escape(&own.name);
    let now = workspace.clock.now();
    let zone = relance_core::time::Zone::parse(&own.zone).ok();
    let now = zone.map_or_else(|| now.to_string(), |zone| zone.rfc3339(now).to_string());
    let sums = [
        ("contacts", totals.contacts),
        ("events", totals.events),
        ("waiting", totals.timers),
        ("for approval", totals.awaiting_approval),
        ("held", totals.held),
        ("sent", totals.accepted),
        ("tasks", totals.tasks),
    ]
    .map(|(what, count)| format!("<li><b>{count}</b> {what}</li>"))
    .concat();
    let empty = if rows.is_empty() {
        "<p>Nothing has happened yet. Apply a scenario, then send an event or connect a mailbox.</p>"
    } else {
        ""
    };
    Ok(Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name} – Relance</title>\
         <style>{STYLE}</style><header><h1>{name}</h1><time>{now}</time></header>\
         <ul class=\"sums\">{sums}</ul>{empty}<table><thead><tr><th>When<th>What<th>Who<th>Journey\
         <th>Why</tr></thead><tbody>{rows}</tbody></table></html>"
    ))
    .into_response())
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:70rem;padding:0 1rem;color:#1a1f2b}\
header{display:flex;justify-content:space-between;align-items:baseline}h1{font-size:1.4rem;margin:0}time{color:#667}\
.sums{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;list-style:none;padding:0}.sums b{font-size:1.3rem}\
table{border-collapse:collapse;width:100%}th{text-align:left;color:#667;font-weight:500}td,th{padding:.35rem .6rem;border-bottom:1px solid #e4e6ec;vertical-align:top}\
td:first-child{white-space:nowrap;color:#667}.w{display:inline-block;border-radius:.3rem;padding:0 .5rem;background:#eef0f5}\
.sent{background:#d9f2e0}.held,.retried{background:#fdf0d0}.dropped,.failed,.withdrawn,.skipped{background:#fbe0e0}.exited,.converted{background:#dde9fb}.task{background:#ece0fb}\
@media(prefers-color-scheme:dark){body{background:#14171f;color:#e6e8ee}td,th{border-color:#2a2f3b}.w{color:#14171f}}";

/// Steps that only lead to the next line are left out.
fn is_telling(what: What) -> bool {
    match what {
        What::Enrolled
        | What::Sent
        | What::Held
        | What::Approved
        | What::Dropped
        | What::Withdrawn
        | What::Retried
        | What::Failed
        | What::Skipped
        | What::Task
        | What::Exited
        | What::Converted
        | What::Suppressed
        | What::Unsubscribed => true,
        What::NotEnrolled
        | What::Waiting
        | What::Set
        | What::Came
        | What::TimedOut
        | What::Branched
        | What::Finished => false,
    }
}

fn row(entry: &LedgerEntry, contact: Option<&Contact>) -> String {
    let who = contact
        .and_then(|contact| contact.text("name").or(contact.text("email")))
        .map_or_else(|| entry.contact.to_string(), str::to_owned);
    let mut why: Vec<String> = Vec::new();
    why.extend(entry.reason.map(|reason| reason.word().replace('_', " ")));
    why.extend(entry.detail.clone());
    why.extend(
        entry
            .template
            .as_ref()
            .map(|template| format!("template {template}")),
    );
    why.extend(entry.until.map(|until| format!("until {until}")));
    format!(
        "<tr><td>{}<td><span class=\"w {}\">{}</span><td>{}<td>{}<td>{}</tr>",
        entry.at,
        entry.what,
        entry.what.word().replace('_', " "),
        escape(&who),
        escape(
            entry
                .journey
                .as_ref()
                .map_or("", |journey| journey.as_str())
        ),
        escape(&why.join(", ")),
    )
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
