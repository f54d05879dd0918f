//! One plain page: what was sent, held and stopped, and why.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use relance_core::contact::Contact;
use relance_core::ledger::{LedgerEntry, What};
use relance_core::time::Zone;
use relance_store::read::{Due, Overdue};

use crate::copy::Quiet;
use crate::keys::Scope;
use crate::workspace::Workspace;

use super::{Problem, Shared, basic};

/// Lines of the ledger that the page shows.
const LINES_MAX: usize = 200;
/// How often the page is read again, in seconds.
const REFRESH_SECONDS: u32 = 3;

/// The page. It names people, so on a server that others reach it is for holders of an API token.
pub async fn overview(State(workspace): Shared, headers: HeaderMap) -> Result<Response, Problem> {
    if !is_private(&workspace.config.workspace.public_url) && !has_token(&workspace, &headers) {
        return Err(Problem::unauthorised(
            "sign in with an API token as the password; any user name will do",
        ));
    }
    let own = workspace.clone();
    let zone = Zone::parse(&own.config.workspace.zone).unwrap_or_else(|_| Zone::utc());
    let shown = zone.clone();
    let quiet = own.copy.quiet();
    let read = tokio::task::spawn_blocking(move || {
        let totals = own.reader.totals()?;
        let lines = own.reader.ledger(None, LINES_MAX)?.items;
        let mut rows = String::new();
        for line in lines.iter().filter(|line| is_telling(line.entry.what)) {
            let contact = own.reader.contact(line.entry.contact)?;
            rows.push_str(&row(&line.entry, contact.as_ref(), &shown));
        }
        let banner = match &quiet {
            Some(quiet) => banner(quiet, &own.reader.overdue(own.clock.now())?, &shown),
            None => String::new(),
        };
        Ok::<_, relance_store::read::ReadError>((totals, rows, banner))
    });
    let (totals, rows, banner) = read.await.map_err(|_| {
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the page could not be made; the server's log says why",
        )
    })??;
    let own = &workspace.config.workspace;
    let name = escape(&own.name);
    let now = moment(workspace.clock.now(), &zone);
    let zone = escape(zone.name());
    let sums = [
        ("contacts", totals.contacts),
        ("events", totals.events),
        ("timers", totals.timers),
        ("for approval", totals.awaiting_approval),
        ("held", totals.held),
        ("sent", totals.accepted),
        ("not sent", totals.not_accepted),
        ("tasks", totals.tasks),
    ]
    .map(|(what, count)| format!("<li><b>{count}</b>{what}</li>"))
    .concat();
    let table = if rows.is_empty() {
        "<p class=\"empty\">Nothing has happened yet. Apply a scenario with <code>relance journey apply</code>, \
         then send an event or connect a mailbox.</p>"
            .to_owned()
    } else {
        format!(
            "<table><thead><tr><th>When<th>What<th>Who<th>Journey<th>Why</thead><tbody>{rows}</tbody></table>"
        )
    };
    Ok(Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name} – Relance</title>\
         <style>{STYLE}</style><header><h1>{name}</h1><span>{now} {zone}</span></header>{banner}\
         <ul class=\"sums\">{sums}</ul>{table}</html>"
    ))
    .into_response())
}

/// Says that nothing is sent, why, what is overdue, and what to do (R10).
fn banner(quiet: &Quiet, overdue: &Overdue, zone: &Zone) -> String {
    let count = |due: &Due| {
        let more = if due.more { "more than " } else { "" };
        format!("{more}{}", due.count)
    };
    let since = match overdue.earliest() {
        Some(at) => format!(", the first since {}", moment(at, zone)),
        None => String::new(),
    };
    format!(
        "<div class=\"quiet\" role=\"alert\"><b>Nothing is sent:</b> {} (noticed {}). Overdue: {} timers and {} messages{since}. \
         To send again, run <code>relance release</code>; <code>--overdue skip</code> leaves out what is overdue.</div>",
        escape(quiet.reason.sentence()),
        moment(quiet.noticed_at, zone),
        count(&overdue.timers),
        count(&overdue.messages),
    )
}

/// Whether recipients cannot reach the server: its address is this machine's own.
fn is_private(public_url: &str) -> bool {
    let rest = public_url
        .split_once("://")
        .map_or(public_url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether a browser signed in: an API token stands in place of the password.
fn has_token(workspace: &Workspace, headers: &HeaderMap) -> bool {
    basic(headers)
        .and_then(|(_, password)| password)
        .is_some_and(|token| workspace.keys.opens(&token, Scope::Admin))
}

const STYLE: &str = ":root{--ink:#1a1f2b;--soft:#667085;--line:#e4e6ec;--paper:#fff;color-scheme:light dark}\
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:72rem;padding:0 1rem;color:var(--ink);background:var(--paper)}\
header{display:flex;justify-content:space-between;align-items:baseline;gap:1rem}h1{font-size:1.4rem;margin:0}header span,th,td:first-child{color:var(--soft)}\
.sums{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr));gap:.6rem;list-style:none;padding:0;margin:1.2rem 0}\
.sums li{border:1px solid var(--line);border-radius:.5rem;padding:.4rem .8rem;color:var(--soft)}.sums b{display:block;font-size:1.4rem;line-height:1.3;color:var(--ink)}\
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:500}td,th{padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\
td{overflow-wrap:anywhere}td:first-child{white-space:nowrap;font-variant-numeric:tabular-nums}td:nth-child(2){white-space:nowrap}\
.quiet{border:2px solid #c2410c;border-radius:.5rem;padding:.6rem .9rem;margin:1rem 0;overflow-wrap:anywhere}\
.w{display:inline-block;border-radius:.3rem;padding:0 .5rem;background:#eef0f5;color:#1a1f2b}.empty{color:var(--soft);padding:2rem 0}\
.sent{background:#d9f2e0}.held,.retried{background:#fdf0d0}.dropped,.failed,.withdrawn,.skipped,.suppressed,.unsubscribed{background:#fbe0e0}.exited,.converted{background:#dde9fb}.task{background:#ece0fb}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#98a1b3;--line:#2a2f3b;--paper:#14171f}}";

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
        | What::Notified
        | What::Moved
        | What::Promo
        | What::Suppressed
        | What::Released
        | What::Consented
        | What::ConsentAsked
        | What::Preferred
        | What::Unsubscribed => true,
        What::NotEnrolled
        | What::Waiting
        | What::Set
        | What::Came
        | What::TimedOut
        | What::Branched
        | What::Assigned
        | What::Paused
        | What::Resumed
        | What::Migrated
        | What::Merged
        | What::Finished => false,
    }
}

/// A moment as people read it, in the workspace's zone.
fn moment(at: Timestamp, zone: &Zone) -> String {
    zone.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn row(entry: &LedgerEntry, contact: Option<&Contact>, zone: &Zone) -> String {
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
    why.extend(
        entry
            .until
            .map(|until| format!("until {}", moment(until, zone))),
    );
    format!(
        "<tr><td>{}<td><span class=\"w {}\">{}</span><td>{}<td>{}<td>{}</tr>",
        moment(entry.at, zone),
        entry.what.word(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_addresses_are_private() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost/",
            "http://[::1]:80/x",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "https://mail.shop.test",
            "http://127.0.0.1.shop.test",
            "http://10.0.0.1",
            "http://[2001:db8::1]",
            "",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }
}
