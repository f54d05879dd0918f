//! What pages need beside the lists: who a contact is, what happened, names in use, what goes and what may not, two
//! people at one segment, exports of what was chosen, and sales by person.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::journeys::{ask, done, folder, identify, post, problem, through, told};
use crate::server::{Answer, Server, path_text};

const PAY: &str = "format: journey/1
id: pay
name: Payment
subject: document
trigger: { event: Document Sent }
exit:
  - { event: Document Paid }
steps:
  - wait: 5d
  - send: email
    template: reminder
    content: tips
";
const REMINDER: &str =
    "---\nsubject: Your invoice\nkind: service\n---\nPlease pay. {{ item.title }}\n";
const TIPS: &str = "format: list/1\nid: tips\nitems:\n  - { id: one, title: First }\n";

fn server() -> Server {
    let server = Server::start("");
    let scenario = folder(&[
        ("journeys/pay.yaml", PAY),
        ("templates/reminder.en.txt", REMINDER),
        ("templates/reminder.ru.txt", REMINDER),
        ("templates/unused.en.txt", REMINDER),
        ("lists/tips.yaml", TIPS),
    ]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    for (n, owner) in ["anna@firm.test", "anna@firm.test", "boris@firm.test"]
        .into_iter()
        .enumerate()
    {
        let user = format!("u{n}");
        let email = format!("client{n}@client.test");
        identify(
            &server,
            &user,
            &json!({ "owner": owner, "email": email, "plan": "pro" }),
        );
        let document = json!({ "id": format!("d{n}"), "kind": "invoice", "status": "sent",
            "number": format!("R-{n}"), "amount": 100, "currency": "EUR", "issued": format!("2025-01-0{}", n + 2) });
        server.told(
            "track",
            &json!({ "userId": user, "event": "Document Sent", "properties": { "document": document } }),
        );
    }
    server
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("items")
}

fn named<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    items(page)
        .iter()
        .filter_map(|one| one[field].as_str())
        .collect()
}

fn put_if(server: &Server, path: &str, revision: Option<&str>, body: &str) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let mut headers = vec![("Authorization", &*token)];
    headers.extend(revision.map(|revision| ("If-Match", revision)));
    server.request("PUT", &format!("/api/v1/{path}"), &headers, body.as_bytes())
}

#[test]
fn a_contact_is_shown_with_the_names_it_is_recognised_by() {
    let server = server();
    let contact = server.contact("u0").expect("known");
    let id = contact["id"].as_str().expect("an id");
    let shown = server.api(&format!("contacts/{id}"));
    let names: BTreeSet<(&str, &str)> = items_of(&shown["identities"]);
    assert!(names.contains(&("user_id", "u0")), "{shown}");
    assert!(names.contains(&("email", "client0@client.test")), "{shown}");
    // Of another who turned out to be the same, too; and its documents and runs are shown with the rest.
    let other = server.contact("u1").expect("known");
    let other = other["id"].as_str().expect("an id");
    told(
        &server,
        &format!("contacts/{id}/merge"),
        &json!({ "absorb": other }),
    );
    let shown = server.api(&format!("contacts/{id}"));
    let names = items_of(&shown["identities"]);
    assert!(
        names.contains(&("user_id", "u0")) && names.contains(&("user_id", "u1")),
        "{shown}"
    );
    assert_eq!(
        named(&server.api(&format!("contacts/{id}/objects")), "id"),
        ["d0", "d1"]
    );
    let runs = server.api(&format!("contacts/{id}/enrollments"));
    let about: BTreeSet<&str> = items(&runs)
        .iter()
        .filter_map(|run| run["subject"]["id"].as_str())
        .collect();
    assert_eq!(about, BTreeSet::from(["d0", "d1"]), "{runs}");
    let document = server.api(&format!("contacts/{id}/documents/d1"));
    assert!(
        !document["ledger"].as_array().expect("lines").is_empty(),
        "{document}"
    );
}

fn items_of(identities: &Value) -> BTreeSet<(&str, &str)> {
    let all = identities.as_array().expect("identities").iter();
    all.filter_map(|one| Some((one["kind"].as_str()?, one["value"].as_str()?)))
        .collect()
}

#[test]
fn what_happened_is_told_newest_first_and_documents_by_what_comes_next() {
    let server = server();
    let feed = server.api("feed?language=ru");
    let what = named(&feed, "what");
    assert_eq!(
        what.iter().filter(|what| **what == "documents").count(),
        3,
        "{feed}"
    );
    assert_eq!(
        what.iter().filter(|what| **what == "enrolled").count(),
        3,
        "{feed}"
    );
    let line = items(&feed)
        .iter()
        .find(|one| one["what"] == "enrolled")
        .expect("a line");
    let sentence = line["ledger"]["sentence"].as_str().expect("words");
    assert!(
        sentence.chars().any(|c| ('а'..='я').contains(&c)),
        "{sentence}"
    );
    assert_eq!(line["contact_name"], "u2", "{line}");
    let mut all: Vec<Value> = Vec::new();
    let mut next = String::new();
    loop {
        let page = server.api(&format!("feed?limit=2{next}"));
        all.extend(items(&page).clone());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
        assert!(all.len() < 100, "a page must lead on");
    }
    assert_eq!(all.len(), items(&feed).len(), "whatever the page");
    let own = server.api("feed?owner=boris@firm.test");
    let contacts: BTreeSet<&str> = named(&own, "contact").into_iter().collect();
    assert_eq!(contacts.len(), 1, "{own}");
    for bad in ["feed?cursor=x", "feed?language=xx", "feed?nonsense=1"] {
        assert_eq!(problem(&ask(&server, "GET", bad, b"")).0, 400, "{bad}");
    }
    // The run of each waits five days: what began first is next first.
    let page = server.api("documents?sort=next&order=asc");
    assert_eq!(named(&page, "id"), ["d0", "d1", "d2"]);
    assert!(page["items"][0]["next_reminder_at"].is_string(), "{page}");
    let contact = page["items"][0]["contact"].as_str().expect("whose");
    told(
        &server,
        &format!("contacts/{contact}/documents/d0/paid"),
        &json!({}),
    );
    let page = server.api("documents?sort=next&order=asc");
    assert_eq!(
        named(&page, "id"),
        ["d1", "d2", "d0"],
        "nothing is next about what is paid"
    );
    let whole = server.api("overview");
    assert_eq!(
        (&whole["own"], &whole["today"]["paid"]),
        (&json!(false), &json!(1))
    );
}

#[test]
fn names_in_use_are_offered() {
    let server = server();
    let names = |query: &str| server.api(&format!("names?kind={query}"));
    let events = names("events");
    let sent = items(&events)
        .iter()
        .find(|one| one["name"] == "Document Sent");
    assert_eq!(sent.expect("seen")["count"], 3, "{events}");
    let traits = names("traits");
    let plan = items(&traits)
        .iter()
        .find(|one| one["name"] == "plan")
        .expect("a trait");
    assert_eq!(
        (&plan["count"], &plan["types"]),
        (&json!(3), &json!(["text"]))
    );
    assert_eq!(traits["looked_at"], 3);
    assert!(named(&names("objects"), "name").contains(&"document"));
    let fields = names("fields&of=document");
    let amount = items(&fields)
        .iter()
        .find(|one| one["name"] == "amount")
        .expect("a field");
    assert_eq!(
        (&amount["of"], &amount["types"]),
        (&json!("document"), &json!(["number"]))
    );
    for bad in ["names?kind=colours", "names?kind=events&of=deal", "names"] {
        assert_eq!(problem(&ask(&server, "GET", bad, b"")).0, 400, "{bad}");
    }
}

#[test]
fn what_a_journey_needs_stays_and_the_rest_goes() {
    let server = server();
    let delete = |path: &str| ask(&server, "DELETE", path, b"");
    for path in ["templates/reminder", "lists/tips"] {
        let refused = delete(path);
        assert_eq!(
            (refused.status, &*refused.problem()),
            (409, "in_use"),
            "{path}"
        );
        assert_eq!(refused.json()["journeys"], json!(["pay"]), "{path}");
    }
    // A language may go while another is left.
    let gone = delete("templates/reminder?language=ru");
    assert_eq!(gone.json()["removed"], json!(["reminder.ru.txt"]));
    assert_eq!(server.api("templates/reminder")["languages"], json!(["en"]));
    assert_eq!(
        delete("templates/reminder?file=reminder.en.txt").problem(),
        "in_use"
    );
    assert_eq!(delete("templates/reminder?language=ja").status, 404);
    assert_eq!(
        delete("templates/unused").json()["removed"],
        json!(["unused.en.txt"])
    );
    assert_eq!(delete("templates/unused").status, 404);
    assert_eq!(ask(&server, "GET", "templates/unused", b"").status, 404);
    // A cursor a page.
    let first = server.api("templates?limit=1");
    assert_eq!(
        (named(&first, "id"), &first["next"]),
        (vec!["reminder"], &Value::Null)
    );
    assert_eq!(named(&server.api("lists?cursor=a"), "id"), ["tips"]);
    assert_eq!(
        named(&server.api("lists?cursor=tips"), "id"),
        Vec::<&str>::new()
    );
    // Archived with its runs, the journey needs nothing any more.
    let archived = post(&server, "journeys/pay/archive", &json!({}));
    assert_eq!(archived.status, 200, "{}", archived.text());
    crate::server::until("its runs to end", || {
        (delete("lists/tips").status == 200).then_some(())
    });
    assert_eq!(delete("templates/reminder").status, 200);
    let audit = server.api("audit");
    let actions = named(&audit, "action");
    for action in ["template.delete", "template.file_delete", "list.delete"] {
        assert!(actions.contains(&action), "{action}: {audit}");
    }
}

#[test]
fn two_people_at_one_segment_do_not_overwrite_each_other() {
    let server = server();
    let text = |name: &str| {
        format!("format: segment/1\nid: pro\nname: {name}\nwhen: {{ plan: {{ eq: pro }} }}\n")
    };
    assert_eq!(
        put_if(&server, "segments/pro", None, &text("Pro")).status,
        200
    );
    let read = server.api("segments/pro");
    let revision = read["revision"].as_str().expect("a revision").to_owned();
    let first = put_if(&server, "segments/pro", Some(&revision), &text("First"));
    assert_eq!(first.status, 200, "{}", first.text());
    let second = put_if(&server, "segments/pro", Some(&revision), &text("Second"));
    assert_eq!((second.status, &*second.problem()), (412, "stale"));
    let theirs = second.json();
    assert_eq!(theirs["text"], text("First"));
    let again = theirs["revision"].as_str().expect("a revision");
    assert_eq!(
        put_if(&server, "segments/pro", Some(again), &text("Second")).status,
        200
    );
    assert_eq!(ask(&server, "DELETE", "segments/pro", b"").status, 200);
    let gone = put_if(&server, "segments/pro", Some(again), &text("Third"));
    assert_eq!((gone.status, &gone.json()["text"]), (412, &Value::Null));
}

#[test]
fn what_was_chosen_is_exported_and_sales_are_counted_by_person() {
    let server = server();
    let page = server.api("documents?sort=number&order=asc");
    let key = |n: usize| {
        format!(
            "{}/d{n}",
            page["items"][n]["contact"].as_str().expect("whose")
        )
    };
    let path = format!("export/documents?format=jsonl&ids={}%0A{}", key(0), key(2));
    let text = ask(&server, "GET", &path, b"").text();
    // It comes in pieces, whose lengths stand between.
    let numbers: Vec<Value> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("a line")["fields"]["number"].clone()
        })
        .collect();
    assert_eq!(numbers, [json!("R-0"), json!("R-2")]);
    for bad in ["ids=nonsense", "ids=", "ids=con_1/x&kind=invoice"] {
        let answer = ask(&server, "GET", &format!("export/documents?{bad}"), b"");
        assert_eq!(problem(&answer).0, 400, "{bad}");
    }
    let contact = page["items"][0]["contact"].as_str().expect("whose");
    let paid = json!({ "at": "2025-01-12" });
    told(
        &server,
        &format!("contacts/{contact}/documents/d0/paid"),
        &paid,
    );
    let report = server.api("reports/sales?from=2025-01-01&to=2025-01-31");
    assert_eq!(
        (&report["by"], &report["exact"]),
        (&json!("owner"), &json!(true))
    );
    let anna = &report["items"][0];
    assert_eq!(
        (&anna["key"], &anna["documents"]),
        (&json!("anna@firm.test"), &json!(2)),
        "{report}"
    );
    assert_eq!(
        (&anna["paid"], &anna["paid_share"]),
        (&json!(1), &json!(0.5))
    );
    assert_eq!(
        (&anna["days_to_payment"], &anna["amount"]),
        (&json!(10.0), &json!("200"))
    );
    assert_eq!(
        report["totals"],
        json!([{ "currency": "EUR", "count": 3, "amount": "300" }])
    );
    let months = server.api("reports/sales?from=2025-01-01&to=2025-02-28&by=month");
    assert_eq!(named(&months, "key"), ["2025-01"]);
    assert!(
        months["items"][0]["per_working_day"]
            .as_f64()
            .expect("a number")
            > 0.0
    );
    let table = ask(
        &server,
        "GET",
        "reports/sales?from=2025-01-01&to=2025-01-31&format=csv",
        b"",
    );
    assert!(
        table.text().contains("anna@firm.test,,EUR,2,2,0,"),
        "{}",
        table.text()
    );
    for bad in [
        "by=moon",
        "from=2025-02-01&to=2025-01-01",
        "format=pdf",
        "within=1000",
        "from=soon",
    ] {
        let answer = ask(&server, "GET", &format!("reports/sales?{bad}"), b"");
        assert_eq!(problem(&answer).0, 400, "{bad}");
    }
}
