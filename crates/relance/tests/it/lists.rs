//! The lists that pages read, over real HTTP: the registry and its sums, contacts, tasks, the life of a contact, views.

use serde_json::{Value, json};

use crate::journeys::{ask, done, folder, identify, post, problem, through, told};
use crate::server::{Server, path_text};

const PAY: &str = "format: journey/1
id: pay
subject: document
trigger: { event: Document Sent }
exit:
  - { event: Document Paid }
steps:
  - task: { title: \"Call about {{ subject.number }}\", due: 1d }
  - wait_for: { event: Task Completed }
    timeout: 30d
    then:
      - wait: 20d
    else:
      - stop
";

fn server() -> Server {
    let server = Server::start("");
    let scenario = folder(&[("pay.yaml", PAY)]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    for (n, owner) in ["anna@firm.test", "anna@firm.test", "boris@firm.test"]
        .into_iter()
        .enumerate()
    {
        let user = format!("u{n}");
        let name = ["Семён Ли", "Ana Souza", "山田 太郎"][n];
        identify(&server, &user, &json!({ "owner": owner, "name": name }));
        let document = json!({ "id": format!("d{n}"), "kind": "invoice", "status": "sent", "number": format!("R-{n}"),
            "amount": 100.25, "currency": (["EUR", "EUR", "JPY"][n]), "issued": "2025-01-02", "due": "2025-02-01" });
        server.told(
            "track",
            &json!({ "userId": user, "event": "Document Sent", "properties": { "document": document } }),
        );
    }
    server
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().filter_map(|one| one["id"].as_str()).collect()
}

#[test]
fn the_registry_is_sorted_filtered_and_summed_and_a_payment_is_told_by_hand() {
    let server = server();
    let page = server.api("documents?sort=number&order=asc");
    assert_eq!(ids(&page), ["d0", "d1", "d2"]);
    let first = &page["items"][0];
    assert_eq!(
        [
            &first["state"],
            &first["owner"],
            &first["client"],
            &first["amount"],
            &first["overdue"]
        ],
        [
            &json!("open"),
            &json!("anna@firm.test"),
            &json!("Семён Ли"),
            &json!("100.25"),
            &json!(true)
        ]
    );
    assert_eq!(first["next"]["what"], "task", "{first}");
    assert_eq!(first["fields"]["number"], "R-0");
    assert_eq!(ids(&server.api("documents?search=r-2")), ["d2"]);
    assert_eq!(ids(&server.api("documents?search=souza")), ["d1"]);
    assert_eq!(
        ids(&server.api("documents?owner=boris@firm.test&state=overdue")),
        ["d2"]
    );
    let totals = server.api("documents/totals?owner=anna@firm.test");
    assert_eq!(
        (&totals["items"], &totals["exact"]),
        (
            &json!([{ "currency": "EUR", "count": 2, "amount": "200.5" }]),
            &json!(true)
        )
    );
    let contact = first["contact"].as_str().expect("a contact");
    let path = format!("contacts/{contact}/documents/d0");
    let detail = server.api(&format!("{path}?language=ru"));
    assert_eq!(detail["tasks"][0]["title"], "Call about R-0");
    assert!(!detail["ledger"].as_array().expect("lines").is_empty());
    let sentence = detail["ledger"][0]["sentence"].as_str().expect("words");
    assert!(
        sentence.chars().any(|c| ('а'..='я').contains(&c)),
        "{sentence}"
    );
    // Paid, by hand: the run ends; taken back, the document is open again.
    let paid = told(&server, &format!("{path}/paid"), &json!({}));
    assert_eq!(paid["state"], "paid");
    assert_eq!(server.api(&path)["next"]["what"], "task", "the task stands");
    let runs = server.api(&format!("contacts/{contact}/enrollments"));
    assert_eq!(runs["items"][0]["running"], false);
    assert_eq!(server.api("documents/totals?state=paid")["count"], 1);
    let open = told(&server, &format!("{path}/paid"), &json!({ "paid": false }));
    assert_eq!(open["state"], "open");
    assert_eq!(server.api("documents/totals?state=paid")["count"], 0);
    for bad in [
        "documents?sort=colour",
        "documents?state=odd",
        "documents?from=yesterday",
        "documents?order=up",
        "documents?cursor=zz",
        "documents/totals?kind=deal",
        "documents?nonsense=1",
    ] {
        assert_eq!(problem(&ask(&server, "GET", bad, b"")).0, 400, "{bad}");
    }
    let nobody = format!("contacts/{contact}/documents/%3Cscript%3E");
    assert_eq!(ask(&server, "GET", &nobody, b"").status, 404);
}

#[test]
fn tasks_are_done_put_off_and_open_again_and_a_journey_hears_of_it() {
    let server = server();
    let page = server.api("tasks?state=open&sort=due&assignee=anna@firm.test");
    assert_eq!(page["items"].as_array().expect("items").len(), 2);
    let task = &page["items"][0];
    let (id, contact) = (
        task["id"].as_str().expect("id"),
        task["contact"].as_str().expect("contact"),
    );
    assert_eq!(
        (&task["assignee"], &task["state"]),
        (&json!("anna@firm.test"), &json!("open"))
    );
    let put_off = told(
        &server,
        &format!("tasks/{id}/postpone"),
        &json!({ "until": "2099-01-05" }),
    );
    assert!(
        put_off["due_at"]
            .as_str()
            .expect("due")
            .starts_with("2099-01-05")
    );
    let finished = told(&server, &format!("tasks/{id}/done"), &json!({}));
    assert_eq!(
        (&finished["state"], &finished["done_by"]),
        (&json!("done"), &json!("api"))
    );
    let again = told(&server, &format!("tasks/{id}/done"), &json!({}));
    assert_eq!(again["done_at"], finished["done_at"], "done once");
    let runs = server.api(&format!("contacts/{contact}/enrollments"));
    assert_eq!(runs["items"][0]["step"], "2.then.1", "{runs}");
    assert_eq!(ids(&server.api("tasks?state=done&sort=due")), [id]);
    let open = told(&server, &format!("tasks/{id}/reopen"), &json!({}));
    assert_eq!(open["state"], "open");
    assert_eq!(server.api("overview")["today"]["tasks_done"], 1);
    for (path, body) in [
        (format!("tasks/{id}/postpone"), json!({ "until": "soon" })),
        (
            format!("tasks/{id}/postpone"),
            json!({ "until": "2020-01-01" }),
        ),
        ("tasks/nonsense/done".to_owned(), json!({})),
    ] {
        assert_eq!(
            problem(&post(&server, &path, &body)).0,
            400,
            "{path} {body}"
        );
    }
    assert_eq!(ask(&server, "GET", "tasks?due=never", b"").status, 400);
}

#[test]
fn a_contacts_life_is_one_list_whatever_the_page() {
    let server = server();
    let found = server.api("contacts?search=семен");
    let contact = found["items"][0]["id"]
        .as_str()
        .expect("found by a word")
        .to_owned();
    assert_eq!(found["items"][0]["owner"], "anna@firm.test");
    told(
        &server,
        &format!("contacts/{contact}/consents"),
        &json!({ "channel": "email", "consent": "granted", "source": "api" }),
    );
    let life = |query: &str, limit: usize| -> Vec<Value> {
        let mut items: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.api(&format!(
                "contacts/{contact}/timeline?limit={limit}{query}{cursor}"
            ));
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
            assert!(items.len() < 200, "a page must lead on");
        }
    };
    let whole = life("", 500);
    let kinds: std::collections::BTreeSet<&str> = whole
        .iter()
        .filter_map(|one| one["kind"].as_str())
        .collect();
    assert!(
        kinds.contains("event") && kinds.contains("ledger") && kinds.contains("task"),
        "{kinds:?}"
    );
    for limit in [1, 2, 3] {
        assert_eq!(life("", limit).len(), whole.len(), "in pages of {limit}");
    }
    let tasks = life("&kinds=task", 1);
    assert_eq!(
        (tasks.len(), &tasks[0]["task"]["title"]),
        (1, &json!("Call about R-0"))
    );
    let lines = life("&kinds=ledger&language=ja", 2);
    assert!(lines.iter().all(|one| {
        one["ledger"]["sentence"]
            .as_str()
            .is_some_and(|text| text.ends_with('。'))
    }));
    let objects = server.api(&format!("contacts/{contact}/objects"));
    assert_eq!(ids(&objects), ["d0"]);
    let odd = format!("contacts/{contact}/timeline?kinds=weather");
    assert_eq!(problem(&ask(&server, "GET", &odd, b"")).0, 400);
    let odd = format!("contacts/{contact}/timeline?cursor=event");
    assert_eq!(problem(&ask(&server, "GET", &odd, b"")).1, "bad_cursor");
    assert_eq!(
        ids(&server.api("contacts?sort=name&owner=anna@firm.test")).len(),
        2
    );
}

#[test]
fn views_are_kept_by_page_and_name() {
    let server = server();
    let put = |path: &str, body: &Value| ask(&server, "PUT", path, body.to_string().as_bytes());
    let late = json!({ "view": { "overdue": true, "sort": "due" } });
    assert_eq!(put("views/documents/Late%20ones", &late).status, 200);
    assert_eq!(
        put("views/documents/Late%20ones", &late).status,
        200,
        "replaced"
    );
    let kept = server.api("views/documents");
    assert_eq!(
        kept["items"],
        json!([{ "name": "Late ones", "view": late["view"] }])
    );
    assert_eq!(server.api("views/contacts")["items"], json!([]));
    assert_eq!(put("views/nowhere/x", &late).status, 404);
    let long = "x".repeat(61);
    assert_eq!(put(&format!("views/documents/{long}"), &late).status, 400);
    let large = json!({ "view": { "x": "y".repeat(5_000) } });
    assert_eq!(put("views/documents/large", &large).status, 413);
    assert_eq!(
        ask(&server, "DELETE", "views/documents/Late%20ones", b"").status,
        204
    );
    assert_eq!(
        ask(&server, "DELETE", "views/documents/Late%20ones", b"").status,
        404
    );
}
