//! What messages say: digests, notifications, what a person wrote instead, content lists.

use std::sync::Arc;

use relance::config::Config;
use relance::send::preview::dispatch_of;
use relance::workspace::{DATABASE, Workspace};
use relance_core::contact::Identity;
use relance_core::decide::{Answer, Input};
use relance_core::event::Event;
use relance_core::ids::UserId;
use relance_core::touchpoint::Touchpoint;
use relance_core::value::Fields;
use relance_engine::arrival::Arrival;
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::{Store as _, ThreadEntry};
use relance_store::read::{Reader, TouchpointList};
use relance_store::{SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{PUBLIC_URL, Server, path_text, relance, scenario, until};
use crate::sink::{SmtpSink, Taken};

/// Invoices of one digest.
const INVOICES: usize = 3;

const OVERDUE: &str = "format: journey/1
id: overdue
subject: invoice
trigger: { event: Invoice Overdue }
steps:
  - send: email
    template: overdue
    digest: 3s
";
const OVERDUE_TEXT: &str = "---
subject: {{ subjects | length }} invoices, {{ subjects | total('amount') }}
kind: service
---
{% for one in subjects %}
- {{ one.number }}: {{ one.amount | money(one.currency) }}
{% endfor %}
";

fn identify(server: &Server, user: &str, more: Value) {
    let mut traits = json!({ "email": format!("{user}@client.test"), "name": user });
    for (name, value) in more.as_object().into_iter().flatten() {
        traits[name] = value.clone();
    }
    server.told("identify", &json!({ "userId": user, "traits": traits }));
}

fn track(server: &Server, user: &str, event: &str, properties: Value) {
    let call = json!({ "userId": user, "event": event, "properties": properties });
    server.told("track", &call);
}

fn lines(server: &Server, user: &str, what: &str) -> Vec<Value> {
    let mut lines = server.ledger(user);
    lines.retain(|line| line["what"] == what);
    lines
}

#[test]
fn a_digest_of_three_invoices_is_one_mail_that_names_the_three() {
    let mut server = Server::start("");
    server.apply_files(&[("overdue.yaml", OVERDUE), ("overdue.en.txt", OVERDUE_TEXT)]);
    identify(&server, "ivan", json!({}));
    for n in 1..=INVOICES {
        let invoice = json!({ "id": format!("i{n}"), "number": format!("A-{n}"), "amount": 100 * n, "currency": "EUR" });
        track(
            &server,
            "ivan",
            "Invoice Overdue",
            json!({ "invoice": invoice }),
        );
    }
    let taken = server.sink.wait_for("ivan@client.test");
    let mail = taken.mail();
    assert_eq!(mail.subject, "3 invoices, €600");
    for line in ["- A-1: €100", "- A-2: €200", "- A-3: €300"] {
        assert!(mail.text.contains(line), "{}", mail.text);
    }
    // Every run is done by it.
    let finished = || lines(&server, "ivan", "finished").len();
    until("all runs to finish", || {
        (finished() == INVOICES).then_some(())
    });
    assert_eq!(lines(&server, "ivan", "merged").len(), INVOICES - 1);
    assert_eq!(server.sink.to("ivan@client.test").len(), 1);
    // An answer to it is one about each of them.
    let subjects = threads(&mut server, &taken);
    assert_eq!(subjects, ["invoice:i1", "invoice:i2", "invoice:i3"]);
}

/// What an answer to a mail would be about. Stops the server.
fn threads(server: &mut Server, taken: &Taken) -> Vec<String> {
    assert!(server.stop());
    let database = server.data.path().join(DATABASE);
    let mut store = SqliteStore::open(&database, SqliteOptions::default()).expect("a database");
    let id = taken.header("Message-ID").expect("an id");
    let found = store.find_threads(&[id.trim_matches(['<', '>'])]);
    let subject = |entry: ThreadEntry| entry.subject.expect("a subject").to_string();
    found.expect("read").into_iter().map(subject).collect()
}

const CLICKED: &str = "format: journey/1
id: clicked
trigger: { event: Price Viewed }
reentry: always
steps:
  - notify: owner
    text: |
      {{ contact.name }} looks at prices
      Plan: {{ event.plan }}
  - notify: role:head
    text: \"{{ contact.name }}, of {{ owner.name }}\"
  - notify: role:nobody
    text: \"never read\"
";
const USERS: &str = "
[[user]]
address = \"anna@lumen.test\"
name = \"Anna\"
language = \"ru\"
[[user]]
address = \"boris@lumen.test\"
role = \"head\"
[[user]]
address = \"clara@lumen.test\"
role = \"head\"
";

#[test]
fn a_notification_reaches_the_owner_and_a_role_and_says_when_nobody_is_known() {
    let mut server = Server::start(USERS);
    server.apply_files(&[("clicked.yaml", CLICKED)]);
    identify(&server, "ivan", json!({ "owner": "Anna@lumen.test" }));
    track(&server, "ivan", "Price Viewed", json!({ "plan": "pro" }));
    let to_owner = server.sink.wait_for("anna@lumen.test");
    let mail = to_owner.mail();
    assert_eq!(mail.subject, "ivan looks at prices");
    assert!(mail.text.contains("Plan: pro"), "{}", mail.text);
    assert!(
        mail.text
            .contains(&format!("Контакт ivan: {PUBLIC_URL}/contacts/con_")),
        "{}",
        mail.text
    );
    assert_eq!(
        to_owner.header("Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert_eq!(to_owner.header("List-Unsubscribe"), None);
    assert_eq!(to_owner.from, "news@lumen.test");

    let to_heads = server.sink.wait_for("boris@lumen.test");
    assert_eq!(to_heads.to, ["boris@lumen.test", "clara@lumen.test"]);
    assert_eq!(to_heads.mail().subject, "ivan, of Anna");
    let dropped = server.ledger_line("ivan", "dropped");
    assert_eq!(dropped["reason"], "no_recipient");

    // The contact has nothing of it, and whoever names themselves as owner neither.
    identify(&server, "eve", json!({ "owner": "eve@client.test" }));
    track(&server, "eve", "Price Viewed", json!({}));
    until("what eve is owed", || {
        (lines(&server, "eve", "dropped").len() == 2).then_some(())
    });
    assert!(server.sink.to("eve@client.test").is_empty());
    assert!(server.sink.to("ivan@client.test").is_empty());
    // What the owner answers to it is no word of the contact's.
    assert!(threads(&mut server, &to_owner).is_empty());
}

const LESSONS: &str = "format: journey/1
id: lessons
trigger: { event: Signed Up }
steps:
  - { send: email, template: lesson, content: lessons }
  - { send: email, template: lesson, content: lessons }
  - { send: email, template: lesson, content: lessons }
  - set: { through: true }
";
const LESSON: &str = "---\nsubject: {{ item.title }}\nkind: service\n---\n<a href=\"{{ item.url }}\">{{ item.title }}</a>";

#[test]
fn a_content_list_sends_no_item_twice_and_ends_with_list_exhausted() {
    let server = Server::start("");
    let folder = TempDir::new().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let list = |titles: &[&str]| {
        let items: String = titles
            .iter()
            .map(|title| format!("  - {{ id: {title}, title: Lesson {title}, url: 'https://lumen.test/{title}' }}\n"))
            .collect();
        format!("format: list/1\nid: lessons\nitems:\n{items}")
    };
    put("journeys/lessons.yaml", LESSONS);
    put("templates/lesson.en.html", LESSON);
    put("lists/lessons.yaml", &list(&["one", "two"]));
    let done = server.apply(folder.path());
    assert!(done.status.success(), "{done:?}");
    identify(&server, "ivan", json!({}));
    track(&server, "ivan", "Signed Up", json!({}));
    let exhausted = until("the end of the list", || {
        let skipped = lines(&server, "ivan", "skipped");
        skipped
            .into_iter()
            .find(|line| line["reason"] == "list_exhausted")
    });
    assert_eq!(exhausted["journey"], "lessons");
    server.ledger_line("ivan", "finished");
    let subjects = |user: &str| {
        let mails = server.sink.to(&format!("{user}@client.test"));
        let mut subjects: Vec<String> = mails.iter().map(|taken| taken.mail().subject).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(subjects("ivan"), ["Lesson one", "Lesson two"]);

    // What is added is sent; the order is the list's.
    put(
        "lists/lessons.yaml",
        &list(&["zero", "one", "two", "three"]),
    );
    let done = server.apply(folder.path());
    assert!(done.status.success(), "{done:?}");
    identify(&server, "olga", json!({}));
    track(&server, "olga", "Signed Up", json!({}));
    server.ledger_line("olga", "finished");
    assert_eq!(
        subjects("olga"),
        ["Lesson one", "Lesson two", "Lesson zero"]
    );
}

const ASKED: &str = "format: journey/1
id: asked
trigger: { event: Signed Up }
approval: owner
steps:
  - send: email
    template: hello
";
const HELLO: &str = "---\nsubject: Hello {{ contact.name }}\n---\n<p>Hi, <a href=\"https://lumen.test/\">read</a>, or <a href=\"{{ links.unsubscribe }}\">leave</a>.</p>";

/// A workspace in this process, for what the API does not offer.
fn workspace(folder: &TempDir, sink: &SmtpSink) -> Arc<Workspace> {
    let text = format!(
        "[workspace]\npublic_url = \"{PUBLIC_URL}\"\naddress = \"news@lumen.test\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
        sink.port
    );
    let config = Config::parse(&text).expect("a configuration");
    Workspace::open(folder.path(), config, Arc::new(SystemClock)).expect("a workspace")
}

fn waiting(reader: &Reader) -> Touchpoint {
    until("a question", || {
        let page = reader.touchpoints(TouchpointList::AwaitingApproval, None, 10);
        page.expect("a page").items.pop()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_approval_sends_what_was_written_and_nothing_of_it_acts() {
    let folder = TempDir::new().expect("a folder");
    let sink = SmtpSink::start();
    let made = relance(&["init", "--data", path_text(folder.path())]);
    assert!(made.status.success(), "{made:?}");
    let files = scenario(&[("asked.yaml", ASKED), ("hello.en.html", HELLO)]);
    let arguments = ["journey", "apply", path_text(files.path()), "--data"];
    let done = relance(&[&arguments[..], &[path_text(folder.path())]].concat());
    assert!(done.status.success(), "{done:?}");
    let workspace = workspace(&folder, &sink);
    let now = SystemClock.now();
    let traits: Fields =
        serde_json::from_value(json!({ "email": "ivan@client.test", "name": "Ivan" }))
            .expect("fields");
    let mut signed_up = Event::track("Signed Up", now);
    signed_up.traits = Some(traits);
    let arrival = Arrival::Event {
        identities: vec![Identity::email("ivan@client.test")],
        event: Arc::new(signed_up),
    };
    workspace.submit(vec![arrival], 512).await.expect("taken");
    let question = waiting(&workspace.reader);

    let dispatch = dispatch_of(&workspace.reader, question.clone())
        .expect("read")
        .expect("there");
    let shown = workspace.composer.preview(&dispatch);
    assert_eq!(
        (shown.subject.as_str(), shown.problems.len()),
        ("Hello Ivan", 0),
        "{shown:?}"
    );
    assert!(sink.taken().is_empty(), "looking at it sends nothing");

    let text = format!(
        "{}\nP.S. {{{{ 1 }}}} <b>no</b> https://lumen.test/x",
        shown.editable()
    );
    let input = Input::Approve {
        touchpoint: question.id,
        by: UserId::from("anna@lumen.test"),
        answer: Answer::Approve {
            text: Some(text.into()),
        },
    };
    let arrival = Arrival::Input {
        contact: question.id.contact,
        input,
    };
    workspace.submit(vec![arrival], 512).await.expect("taken");
    let sent = tokio::task::spawn_blocking({
        let sink = sink.clone();
        move || sink.wait_for("ivan@client.test")
    });
    let sent = sent.await.expect("a mail");
    let mail = sent.mail();
    assert_eq!(mail.subject, "Hello Ivan");
    let html = mail.html.clone().expect("HTML");
    assert!(
        html.contains("P.S. {{ 1 }} &lt;b&gt;no&lt;/b&gt; <a href=\""),
        "{html}"
    );
    assert!(
        mail.text
            .contains("P.S. {{ 1 }} <b>no</b> https://lumen.test/x"),
        "{}",
        mail.text
    );
    assert!(
        !mail.text.contains("/u/preview") && !html.contains("/u/preview"),
        "{}",
        mail.text
    );
    assert!(sent.header("List-Unsubscribe").is_some());
    assert_eq!(sent.links(&format!("{PUBLIC_URL}/t/o/")).len(), 1);
    tokio::task::spawn_blocking(move || workspace.stop())
        .await
        .expect("stopped");
}
