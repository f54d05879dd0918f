//! Bank statements and payments, over real HTTP and by the command line.

use serde_json::{Value, json};

use crate::journeys::{done, folder, identify, post, through, told};
use crate::server::{Server, path_text, relance, workspace_path};

const UNPAID: &str = "format: journey/1
id: unpaid
subject: document
trigger: { event: Document Sent, where: { subject.kind: invoice } }
goal: { event: Document Paid, within: 90d }
exit:
  - { event: Document Paid }
steps:
  - wait: 30d
  - task: { title: \"Call about {{ subject.number }}\", due: 1d }
";

/// Invoices that the example statements pay.
const INVOICES: &[(&str, &str, &str, &str, f64, &str)] = &[
    (
        "mueller",
        "Müller Maschinenbau GmbH",
        "d118",
        "2026-118",
        2380.0,
        "EUR",
    ),
    (
        "northwind",
        "Northwind Traders Ltd",
        "d42",
        "INV-2026/0042",
        1500.0,
        "EUR",
    ),
    (
        "contoso",
        "Contoso GmbH",
        "d43",
        "INV-2026/0043",
        980.4,
        "EUR",
    ),
    (
        "schmidt",
        "Schmidt Elektro GmbH",
        "d119",
        "2026-119",
        119.0,
        "EUR",
    ),
    (
        "schmidt",
        "Schmidt Elektro GmbH",
        "d120",
        "2026-120",
        500.0,
        "EUR",
    ),
    ("romashka", "ООО Ромашка", "d123", "123", 12000.0, "RUB"),
    (
        "vasilek",
        "АО Василёк",
        "d77",
        "СЧ-2026/77",
        340_500.5,
        "RUB",
    ),
];

fn server() -> Server {
    let server = Server::start("");
    let scenario = folder(&[("unpaid.yaml", UNPAID)]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    for (user, name, id, number, amount, currency) in INVOICES {
        identify(
            &server,
            user,
            &json!({ "name": name, "owner": "anna@firm.test" }),
        );
        let mut document = json!({ "id": id, "kind": "invoice", "status": "sent", "number": number,
            "amount": amount, "currency": currency, "issued": "2026-10-01", "due": "2026-10-15" });
        if *id == "d42" {
            document["bank_reference"] = json!("RF18 5390 0754 7034");
        }
        server.told(
            "track",
            &json!({ "userId": user, "event": "Document Sent", "properties": { "document": document } }),
        );
    }
    server
}

fn example(name: &str) -> Vec<u8> {
    std::fs::read(workspace_path(&format!(
        "crates/wire/tests/statements/{name}"
    )))
    .expect("an example")
}

/// Sends a statement, and gives the status and the answer.
fn send(server: &Server, name: &str, bytes: &[u8], dry: bool) -> (u16, Value) {
    let path = format!("/api/v1/statements?name={name}&dry_run={dry}");
    let token = format!("Bearer {}", server.api_token);
    let heads = [
        ("Authorization", &*token),
        ("Content-Type", "application/octet-stream"),
    ];
    let answer = server.request("POST", &path, &heads, bytes);
    (answer.status, answer.json())
}

/// Asks for something that is refused: the status and the code.
fn refused(server: &Server, path: &str, body: &Value) -> (u16, String) {
    let answer = post(server, path, body);
    let code = answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (answer.status, code)
}

fn state(server: &Server, number: &str) -> Value {
    let page = server.api(&format!("documents?search={number}"));
    page["items"][0].clone()
}

fn payments(server: &Server, query: &str) -> Vec<Value> {
    let page = server.api(&format!("payments?{query}"));
    page["items"].as_array().cloned().expect("items")
}

#[test]
fn a_statement_pays_invoices_once_and_the_rest_waits_for_a_person() {
    let server = server();
    let (_, dry) = send(&server, "a.xml", &example("camt053.xml"), true);
    assert_eq!(
        (&dry["new"], &dry["matched"]),
        (&json!(4), &json!(2)),
        "{dry}"
    );
    assert_eq!(dry["items"].as_array().map(Vec::len), Some(4));
    assert!(
        payments(&server, "").is_empty(),
        "a dry run changes nothing"
    );

    let (status, taken) = send(&server, "a.xml", &example("camt053.xml"), false);
    assert_eq!(status, 200, "{taken}");
    assert_eq!(taken["format"], "camt.053");
    assert_eq!(taken["accounts"][0]["balanced"], true);
    // Matched: two; a part of d42 by its reference; the return of what is not known waits.
    for (field, expected) in [
        ("entries", 4),
        ("new", 4),
        ("known", 0),
        ("matched", 2),
        ("part", 1),
        ("unclear", 1),
        ("outgoing", 1),
    ] {
        assert_eq!(taken[field], expected, "{field}: {taken}");
    }
    assert_eq!(state(&server, "2026-118")["state"], "paid");
    let part = state(&server, "inv-2026/0042");
    assert_eq!(
        (&part["state"], &part["fields"]["open_amount"]),
        (&json!("open"), &json!(250))
    );
    // The journey ends by the payment.
    let contact = state(&server, "2026-118")["contact"]
        .as_str()
        .expect("whose")
        .to_owned();
    let runs = server.api(&format!("contacts/{contact}/enrollments"));
    assert_eq!(runs["items"][0]["running"], false, "{runs}");
    let events = server.api(&format!("contacts/{contact}/events"));
    let names: Vec<&str> = events["items"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|one| one["event"].as_str().or(one["name"].as_str()))
        .collect();
    assert!(names.contains(&"Document Paid"), "{events}");

    // The same file again, and one that overlaps: nothing twice.
    let (_, again) = send(&server, "a.xml", &example("camt053.xml"), false);
    assert_eq!((&again["new"], &again["known"]), (&json!(0), &json!(4)));
    let (_, early) = send(&server, "b.xml", &example("camt052.xml"), false);
    assert_eq!(early["known"], 4, "{early}");
    assert_eq!(
        state(&server, "inv-2026/0042")["fields"]["paid_amount"],
        1250
    );
    let counts = server.api("payments/counts");
    assert_eq!(
        (&counts["matched"], &counts["part"], &counts["unclear"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(payments(&server, "state=matched&search=contoso").len(), 1);
    let audit = server.api("audit?limit=50");
    assert!(audit.to_string().contains("statement.take"), "{audit}");
}

#[test]
fn a_return_takes_back_what_it_paid() {
    let server = server();
    let (_, taken) = send(&server, "a.sta", &example("mt940-german.sta"), false);
    assert_eq!(
        (&taken["matched"], &taken["reversed"]),
        (&json!(2), &json!(1)),
        "{taken}"
    );
    let open = state(&server, "2026-119");
    assert_eq!(open["state"], "open", "{open}");
    assert_eq!(state(&server, "2026-118")["state"], "paid");
    let back = payments(&server, "state=ignored");
    let notes: Vec<&str> = back.iter().filter_map(|one| one["note"].as_str()).collect();
    assert_eq!(notes.len(), 2, "{back:?}");
    assert!(notes.contains(&"reversed") && notes.contains(&"reversal"));
    let id = back[0]["id"].as_str().expect("an id");
    assert_eq!(
        refused(&server, &format!("payments/{id}/undo"), &json!({})),
        (409, "payment_taken_back".to_owned())
    );
}

#[test]
fn a_person_assigns_ignores_and_undoes() {
    let server = server();
    let table = "date;amount;payer;reference;currency\n2026-10-20;600,00;Somebody;thanks;EUR\n2026-10-20;7,00;Nobody;coffee;EUR\n2026-10-20;119,00;;thanks;EUR\n";
    let (_, taken) = send(&server, "a.csv", table.as_bytes(), false);
    assert_eq!(taken["unclear"], 3, "{taken}");
    let unclear = payments(&server, "state=unclear");
    let of = |amount: &str| {
        let found = unclear.iter().find(|one| one["amount"] == amount);
        found.expect("a payment")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let (big, small) = (of("600"), of("7"));
    let schmidt = state(&server, "2026-119")["contact"]
        .as_str()
        .expect("whose")
        .to_owned();
    // What was taken back may be meant again, though the store had it as paid a moment ago.
    let alone = of("119");
    let meant = |payment: &Value| -> Vec<String> {
        let all = payment["candidates"].as_array().expect("candidates").iter();
        all.map(|one| one["document"].as_str().expect("an id").to_owned())
            .collect()
    };
    let before = unclear.iter().find(|one| one["amount"] == "119");
    let before = meant(before.expect("a payment"));
    assert!(before.iter().any(|one| one == "d119"), "{before:?}");
    let one = json!({ "documents": [{ "contact": schmidt, "document": "d119" }] });
    told(&server, &format!("payments/{alone}/assign"), &one);
    let undone = told(&server, &format!("payments/{alone}/undo"), &json!({}));
    assert_eq!(meant(&undone), before, "{undone}");

    let assign = format!("payments/{big}/assign");
    let documents = json!({ "documents": [
        { "contact": schmidt, "document": "d119" },
        { "contact": schmidt, "document": "d120", "amount": "481" } ] });
    let paid = told(&server, &assign, &documents);
    assert_eq!(
        (&paid["state"], &paid["note"]),
        (&json!("joint"), &json!("by_hand")),
        "{paid}"
    );
    assert_eq!(state(&server, "2026-119")["state"], "paid");
    assert_eq!(state(&server, "2026-120")["fields"]["open_amount"], 19);
    assert_eq!(
        refused(&server, &assign, &documents),
        (409, "payment_put".to_owned())
    );

    let undone = told(&server, &format!("payments/{big}/undo"), &json!({}));
    assert_eq!(
        (&undone["state"], &undone["note"]),
        (&json!("unclear"), &json!("undone"))
    );
    assert_eq!(state(&server, "2026-119")["state"], "open");
    assert_eq!(
        state(&server, "2026-120")["fields"]
            .get("open_amount")
            .filter(|one| !one.is_null()),
        None
    );
    // And once more: the events of the second time are others.
    let paid = told(&server, &assign, &documents);
    assert_eq!(paid["state"], "joint");
    assert_eq!(state(&server, "2026-119")["state"], "paid");

    let too_much =
        json!({ "documents": [{ "contact": schmidt, "document": "d120", "amount": "8" }] });
    assert_eq!(
        refused(&server, &format!("payments/{small}/assign"), &too_much),
        (422, "too_much".to_owned())
    );
    let nowhere = json!({ "documents": [{ "contact": schmidt, "document": "none" }] });
    assert_eq!(
        refused(&server, &format!("payments/{small}/assign"), &nowhere),
        (422, "no_document".to_owned())
    );
    let ignored = told(&server, &format!("payments/{small}/ignore"), &json!({}));
    assert_eq!(ignored["state"], "ignored");
    let back = told(&server, &format!("payments/{small}/undo"), &json!({}));
    assert_eq!(back["state"], "unclear");
    let undo = format!("payments/{small}/undo");
    assert_eq!(
        refused(&server, &undo, &json!({})),
        (409, "nothing_to_undo".to_owned())
    );

    // The payer is known from now on.
    let next = "date;amount;payer;account;reference;currency\n2026-10-21;19,00;Schmidt;DE00001111222233;INV 2026-120;EUR\n";
    let (_, taken) = send(&server, "b.csv", next.as_bytes(), false);
    assert_eq!(taken["matched"], 1, "{taken}");
    assert_eq!(state(&server, "2026-120")["state"], "paid");
}

#[test]
fn a_broken_statement_is_refused_with_its_line() {
    let server = server();
    let (status, problem) = send(
        &server,
        "a.csv",
        "дата;сумма\nвчера2;5,00\n".as_bytes(),
        false,
    );
    assert_eq!(
        (status, &problem["code"], &problem["line"]),
        (422, &json!("not_a_date"), &json!(2))
    );
    let (status, problem) = send(&server, "a.pdf", &[1, 2, 3], false);
    assert_eq!((status, &problem["code"]), (422, &json!("unknown_format")));
}

#[test]
fn the_command_line_takes_statements_through_a_server_and_in_a_folder() {
    let mut server = server();
    let file = workspace_path("crates/wire/tests/statements/1c-windows.txt");
    let url = server.url();
    let token = server.api_token.clone();
    let place = ["--server", &url, "--token", &token];
    let command = ["payments", "import", "--json", path_text(&file)];
    let run = |more: &[&str]| relance(&[&command[..], more, &place[..]].concat());
    let dry = run(&["--dry-run"]);
    assert!(dry.status.success(), "{dry:?}");
    let answer: Value = serde_json::from_slice(&dry.stdout).expect("JSON");
    assert_eq!(answer["new"], 2);
    assert!(payments(&server, "").is_empty());
    let real = run(&[]);
    let answer: Value = serde_json::from_slice(&real.stdout).expect("JSON");
    assert_eq!(
        (&answer["matched"], &answer["format"]),
        (&json!(2), &json!("1c")),
        "{answer}"
    );
    assert_eq!(state(&server, "123")["state"], "paid");

    // In the folder, when the server is gone.
    assert!(server.stop());
    let folder = ["--data", path_text(server.data.path())];
    let again = relance(&[&command[..], &folder[..]].concat());
    assert!(again.status.success(), "{again:?}");
    let answer: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!((&answer["new"], &answer["known"]), (&json!(0), &json!(2)));
    let mt940 = workspace_path("crates/wire/tests/statements/mt940-german.sta");
    let other = relance(
        &[
            &["payments", "import", "--json", path_text(&mt940)],
            &folder[..],
        ]
        .concat(),
    );
    let answer: Value = serde_json::from_slice(&other.stdout).expect("JSON");
    assert_eq!(
        (&answer["matched"], &answer["reversed"]),
        (&json!(2), &json!(1)),
        "{answer}"
    );
}
