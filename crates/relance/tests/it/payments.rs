//! Bank statements and payments, over real HTTP and by the command line.

use relance_store::testing::postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::journeys::{ask, done, folder, identify, post, through, told};
use crate::server::{Server, path_text, relance, until, workspace_path};

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
    fill(&server);
    server
}

fn fill(server: &Server) {
    let scenario = folder(&[("unpaid.yaml", UNPAID)]);
    done(&through(server, &["apply", path_text(scenario.path())]));
    for (user, name, id, number, amount, currency) in INVOICES {
        identify(
            server,
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
}

/// Sends statements at the same moment, each to its server; the answers in order.
fn at_once(sent: &[(&Server, &str, &[u8])]) -> Vec<Value> {
    std::thread::scope(|scope| {
        let started: Vec<_> = sent
            .iter()
            .map(|(server, name, bytes)| scope.spawn(move || send(server, name, bytes, false)))
            .collect();
        let answers = started.into_iter().map(|one| one.join().expect("answers"));
        answers
            .map(|(status, answer)| {
                assert_eq!(status, 200, "{answer}");
                answer
            })
            .collect()
    })
}

fn sum(answers: &[Value], field: &str) -> u64 {
    let numbers = answers.iter().map(|one| one[field].as_u64());
    numbers.map(|number| number.expect("a number")).sum()
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

#[test]
fn a_statement_that_is_sent_twice_at_once_is_taken_once() {
    let server = server();
    let file = example("camt053.xml");
    let answers = at_once(&[(&server, "a.xml", &file), (&server, "b.xml", &file)]);
    assert_eq!((sum(&answers, "new"), sum(&answers, "known")), (4, 4));
    assert_eq!((sum(&answers, "matched"), sum(&answers, "part")), (2, 1));
    let statements = server.api("statements");
    let all = statements["items"].as_array().expect("statements");
    assert_eq!(
        (all.len(), &all[0]["new"], &all[0]["whole"]),
        (1, &json!(4), &json!(true))
    );
}

/// Each pays the invoice 2026-118 whole.
fn paying(reference: &str) -> Vec<u8> {
    let head = "date;amount;payer;reference;currency";
    format!("{head}\n2026-10-20;2380,00;{reference} GmbH;Rechnung 2026-118 {reference};EUR\n")
        .into_bytes()
}

#[test]
fn two_nodes_put_no_two_payments_to_one_invoice() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url("payments");
    let a = Server::first_node(&url, "a");
    let b = a.another_node(&url, "b");
    until("both hold half", || {
        let held = [&a, &b].map(|node| node.metric("relance_partitions"));
        (held == [128, 128]).then_some(())
    });
    fill(&a);
    until("all invoices are known", || {
        let page = b.api("documents?limit=50");
        (page["items"].as_array().map(Vec::len) == Some(INVOICES.len())).then_some(())
    });
    let (one, other) = (paying("Alpha"), paying("Beta"));
    let answers = at_once(&[(&a, "alpha.csv", &one), (&b, "beta.csv", &other)]);
    assert_eq!(
        (sum(&answers, "matched"), sum(&answers, "unclear")),
        (1, 1),
        "{answers:?}"
    );
    until("it is paid on both", || {
        let of = |node: &Server| state(node, "2026-118")["fields"]["paid_amount"].clone();
        (of(&a) == 2380 && of(&b) == 2380).then_some(())
    });

    // One file on both, many times over: nothing of it twice.
    let file = example("camt053.xml");
    let answers = at_once(&[
        (&a, "x.xml", &file),
        (&b, "x.xml", &file),
        (&a, "x.xml", &file),
        (&b, "x.xml", &file),
    ]);
    assert_eq!(
        (sum(&answers, "new"), sum(&answers, "known")),
        (4, 12),
        "{answers:?}"
    );
    assert_eq!(sum(&answers, "part"), 1, "{answers:?}");
    let part = until("a part is paid", || {
        let part = state(&b, "inv-2026/0042");
        (part["fields"]["open_amount"] == 250).then_some(part)
    });
    assert_eq!(part["fields"]["paid_amount"], 1250);

    // What follows at once elsewhere counts what the document does not say yet.
    let rest = |amount: &str, reference: &str| {
        format!("date;amount;payer;reference;currency\n2026-10-22;{amount};Schmidt;Rechnung 2026-120 {reference};EUR\n").into_bytes()
    };
    let (_, first) = send(&a, "1.csv", &rest("200,00", "one"), false);
    let (_, second) = send(&b, "2.csv", &rest("300,00", "two"), false);
    assert_eq!(
        (&first["part"], &second["matched"]),
        (&json!(1), &json!(1)),
        "{first} {second}"
    );
    until("it is paid whole", || {
        let whole = state(&a, "2026-120");
        (whole["state"] == "paid" && whole["fields"]["paid_amount"] == 500).then_some(())
    });
    assert_eq!(
        a.api("statements")["items"].as_array().map(Vec::len),
        Some(5)
    );
}

#[test]
fn a_wrong_statement_is_listed_and_taken_back_whole() {
    let server = server();
    let (_, taken) = send(&server, "october.xml", &example("camt053.xml"), false);
    let id = taken["id"].as_str().expect("an id").to_owned();
    let listed = server.api("statements")["items"][0].clone();
    for (field, expected) in [
        ("id", json!(id)),
        ("name", json!("october.xml")),
        ("format", json!("camt.053")),
        ("entries", json!(4)),
        ("new", json!(4)),
        ("matched", json!(2)),
        ("whole", json!(true)),
    ] {
        assert_eq!(listed[field], expected, "{field}: {listed}");
    }
    assert!(
        listed["by"].is_string() && listed["at"].is_string(),
        "{listed}"
    );
    let of_it = payments(&server, &format!("statement={id}&state=matched"));
    assert_eq!((of_it.len(), &of_it[0]["file"]), (2, &json!("october.xml")));
    assert!(payments(&server, "statement=st_none").is_empty());

    // One of them was decided about by a person meanwhile.
    let unclear = payments(&server, "state=unclear")[0].clone();
    let ignore = format!("payments/{}/ignore", unclear["id"].as_str().expect("an id"));
    told(&server, &ignore, &json!({}));
    let undo = format!("statements/{id}/undo");
    let undone = told(&server, &undo, &json!({}));
    assert_eq!(undone["payments"], 4, "{undone}");
    assert!(undone["statement"]["undone_at"].is_string(), "{undone}");
    assert_eq!(state(&server, "2026-118")["state"], "open");
    let fields = state(&server, "inv-2026/0042")["fields"].clone();
    assert!(
        fields["paid_amount"].is_null() && fields["open_amount"].is_null(),
        "{fields}"
    );
    let gone = payments(&server, "");
    assert!(
        gone.iter().all(|one| one["note"] == "statement_undone"),
        "{gone:?}"
    );
    assert_eq!(
        refused(&server, &undo, &json!({})),
        (409, "statement_undone".to_owned())
    );
    let assign = format!("payments/{}/undo", gone[0]["id"].as_str().expect("an id"));
    assert_eq!(refused(&server, &assign, &json!({})).0, 409);
    assert_eq!(
        refused(&server, "statements/st_none/undo", &json!({})).0,
        404
    );

    // It was the right one after all.
    let (_, again) = send(&server, "october.xml", &example("camt053.xml"), false);
    assert_eq!(
        (&again["new"], &again["matched"]),
        (&json!(4), &json!(2)),
        "{again}"
    );
    assert_eq!(state(&server, "2026-118")["state"], "paid");
    assert_eq!(
        state(&server, "inv-2026/0042")["fields"]["paid_amount"],
        1250
    );
    let listed = server.api(&format!("statements/{id}"));
    assert!(
        listed["undone_at"].is_null() && listed["new"] == 4,
        "{listed}"
    );

    // A return that came with a wrong statement: what it took back is paid again.
    let (_, first) = send(
        &server,
        "one.csv",
        "date;amount;payer;reference;currency\n2026-10-20;119,00;Schmidt;Rechnung 2026-119;EUR\n"
            .as_bytes(),
        false,
    );
    assert_eq!(first["matched"], 1);
    let told = relance(&[
        "payments",
        "statements",
        "--json",
        "--server",
        &server.url(),
        "--token",
        &server.api_token,
    ]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.status.success() && text.contains("one.csv"),
        "{told:?}"
    );
    let back = relance(&[
        "payments",
        "undo",
        first["id"].as_str().expect("an id"),
        "--server",
        &server.url(),
        "--token",
        &server.api_token,
    ]);
    assert!(back.status.success(), "{back:?}");
    assert_eq!(state(&server, "2026-119")["state"], "open");
}

#[test]
fn a_report_says_what_follow_ups_cost_and_that_it_is_too_early_to_say_what_they_brought() {
    let server = server();
    let (status, _) = put(
        &server,
        &json!({ "currency": "eur", "month": 31, "message": 0.5, "minutes": 2, "hour": 30 }),
    );
    assert_eq!(status, 200);
    let (status, wrong) = put(&server, &json!({ "currency": "euro", "month": -1 }));
    assert_eq!(status, 422, "{wrong}");
    server.told(
        "track",
        &json!({ "userId": "mueller", "event": "Document Paid", "timestamp": "2026-10-11T10:00:00Z",
                 "properties": { "document_id": "d118" } }),
    );
    assert_eq!(state(&server, "2026-118")["state"], "paid");
    let report = server.api("reports/sales?from=2026-10-01&to=2026-10-31&by=month");
    let row = report["items"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["currency"] == "EUR");
    let row = row.expect("a row");
    assert_eq!(
        (&row["paid"], &row["days_to_payment"]),
        (&json!(1), &json!(10.0)),
        "{row}"
    );
    let effect = &report["effects"]
        .as_array()
        .expect("effects")
        .iter()
        .find(|one| one["currency"] == "EUR")
        .expect("one")
        .clone();
    assert_eq!(effect["followed"], 5, "{effect}");
    assert_eq!(
        (&effect["brought"], &effect["missing"]),
        (&Value::Null, &json!("no_control_group")),
        "{effect}"
    );
    // Of the month's price the days that are over; no reminder left yet.
    assert_eq!(
        (&effect["reminders"], &row["effect"]["cost"]),
        (&json!(0), &effect["cost"]),
        "{effect}"
    );
    assert!(
        effect["cost"].is_string() && effect["roi"].is_null(),
        "{effect}"
    );
    assert_eq!(
        report["costs"],
        json!({ "currency": "EUR", "reminder": 1.5, "month": 31.0 })
    );
    let table = ask(
        &server,
        "GET",
        "reports/sales?from=2026-10-01&to=2026-10-31&format=csv",
        b"",
    );
    let text = String::from_utf8_lossy(&table.body).into_owned();
    assert!(
        text.contains("roi") && text.contains("no_control_group"),
        "{text}"
    );
}

fn put(server: &Server, value: &Value) -> (u16, Value) {
    let body = json!({ "value": value }).to_string();
    let answer = ask(server, "PUT", "settings/costs", body.as_bytes());
    (answer.status, answer.json())
}
