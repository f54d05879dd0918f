//! Recognition as people work with it: versions of one offer, a trial of a mailbox, a mail registered by hand, a rule
//! that is made of a mistake; with a real mail server and the real program.

use serde_json::{Value, json};

use crate::daemon::User;
use crate::office::{ANNA, Office, Plan, append, date};

const IVAN: &str = "ivan@client.test";

/// The headers of a mail that is text only.
const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n";

/// A mail of the salesperson in Sent, as another program filed it. `more` are headers with the type of the content.
fn file(office: &Office, id: &str, to: &str, subject: &str, more: &str, text: &str) {
    let message = format!(
        "From: Anna Sergeeva <{ANNA}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\nDate: {}\r\n{more}MIME-Version: 1.0\r\n\r\n{text}\r\n",
        date()
    );
    append(office.dovecot.imap_port(), ANNA, "Sent", message.as_bytes());
}

fn offer(number: &str, total: &str) -> String {
    format!(
        "Dear customer,\r\n\r\nas agreed, here is our commercial offer No. {number} for two pumps with delivery.\r\n\r\n\
         Total: {total} EUR\r\nThe offer is valid until 31 December 2030.\r\n\r\nKind regards,\r\nAnna\r\n"
    )
}

fn by_number(office: &Office, number: &str) -> Option<Value> {
    office
        .items("/api/v1/documents")
        .into_iter()
        .find(|document| document["fields"]["number"] == number)
}

/// The result of a work, once it has ended.
fn result(office: &Office, job: &Value) -> Value {
    let id = job["id"].as_str().expect("an id").to_owned();
    office.wait("the end of the trial", || {
        let job = office.get(&format!("/api/v1/jobs/{id}"));
        match job["state"].as_str() {
            Some("running") => None,
            Some("done") => Some(job["result"].clone()),
            _ => panic!("{job}"),
        }
    })
}

#[test]
fn people_see_what_is_recognised_and_put_it_right() {
    let mut plan = Plan::new(vec![User::new(IVAN)]);
    plan.wait = "1h";
    let Some(office) = Office::start(plan) else {
        return;
    };
    office.wait_watched();

    // Two versions of one offer are one document, and the run goes on.
    let text = offer("KP-15", "120,000.00");
    file(
        &office,
        "kp15@shop.test",
        IVAN,
        "Commercial offer No. KP-15",
        PLAIN,
        &text,
    );
    office.wait("the offer", || by_number(&office, "KP-15"));
    let text = offer("KP-15/2", "110,000.00");
    file(
        &office,
        "kp15-2@shop.test",
        IVAN,
        "Commercial offer No. KP-15/2",
        PLAIN,
        &text,
    );
    let document = office.wait("its second version", || by_number(&office, "KP-15/2"));
    let fields = &document["fields"];
    assert_eq!(
        (&fields["version"], &fields["amount"]),
        (&json!(2), &json!(110_000.0))
    );
    assert_eq!(fields["message_id"], "kp15-2@shop.test");
    assert_eq!(office.items("/api/v1/documents").len(), 1);
    let contact = office.contact(IVAN);
    let enrolled = |what: &str| {
        let ledger = office.ledger(&contact);
        ledger.iter().filter(|line| line["what"] == what).count()
    };
    assert_eq!(enrolled("enrolled"), 1);

    // What is not ours is no document: a newsletter, a supplier's invoice that is passed on, mail among ourselves.
    let text = offer("KP-20", "5,000.00");
    file(
        &office,
        "list@shop.test",
        IVAN,
        "Commercial offer No. KP-20",
        &format!("List-Id: <news.shop.test>\r\n{PLAIN}"),
        &text,
    );
    let text = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                ---------- Forwarded message ---------\r\nFrom: Billing <billing@supplier.test>\r\nSubject: Invoice 77\r\n\r\n\
                Please pay by 30 November 2030.\r\n\
                --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"Invoice-77.pdf\"\r\n\r\n\
                %PDF-1.4 a scan\r\n--b--";
    file(
        &office,
        "fwd@shop.test",
        IVAN,
        "Fwd: Invoice No. 77",
        "Content-Type: multipart/mixed; boundary=\"b\"\r\n",
        text,
    );
    let text = offer("KP-21", "5,000.00");
    file(
        &office,
        "own@shop.test",
        "boris@shop.test",
        "Commercial offer No. KP-21",
        PLAIN,
        &text,
    );
    // And what no rule finds.
    file(
        &office,
        "odd@shop.test",
        IVAN,
        "As discussed",
        PLAIN,
        "Pumps: 7,500.00 EUR, as we said on the phone.",
    );

    let tried = office.post(
        "/api/v1/recognition/try",
        &json!({ "mailbox": ANNA, "days": 30 }),
    );
    let tried = result(&office, &tried);
    let one = |id: &str| {
        let items = tried["items"].as_array().expect("items");
        let found = items.iter().find(|item| item["message_id"] == id);
        found.unwrap_or_else(|| panic!("{id} in {tried}")).clone()
    };
    assert_eq!(one("kp15@shop.test")["known"], true);
    assert_eq!(one("kp15@shop.test")["found"]["number"], "KP-15");
    assert!(
        !one("kp15@shop.test")["why"]
            .as_array()
            .expect("why")
            .is_empty()
    );
    assert_eq!(one("list@shop.test")["left_out"], "list");
    assert_eq!(one("fwd@shop.test")["left_out"], "forwarded");
    assert_eq!(one("own@shop.test")["left_out"], "internal");
    let odd = one("odd@shop.test");
    assert_eq!(odd["found"], Value::Null);
    assert_eq!(odd["lacks"], json!(["words"]), "{odd}");
    // Both versions are one document of the registry.
    for (id, version) in [("kp15@shop.test", 1), ("kp15-2@shop.test", 2)] {
        let registered = &one(id)["registered"];
        assert_eq!(registered["contact"], contact, "{id}");
        assert_eq!(registered["document"], "kp15@shop.test", "{id}");
        assert_eq!(registered["version"], version, "{id}");
    }
    assert_eq!(tried["documents"], 2);
    assert_eq!(
        office.items("/api/v1/documents").len(),
        1,
        "a trial changes nothing"
    );

    // One click: it is an invoice after all.
    let asked = json!({ "mailbox": ANNA, "message_id": "odd@shop.test", "kind": "invoice",
                        "fields": { "number": "77-A", "due": "2030-12-01" } });
    let said = office.post("/api/v1/recognition/register", &asked);
    assert_eq!(said["known"], true);
    assert_eq!(said["found"]["number"], "77-A");
    assert_eq!(said["registered"]["contact"], contact);
    let document = office.wait("what was registered", || by_number(&office, "77-A"));
    assert_eq!(document["fields"]["amount"], 7_500.0);
    assert_eq!(document["fields"]["kind"], "invoice");
    assert_eq!(document["due"], "2030-12-01");

    // It is an offer; then it is none, and its like is never one; then it is one again.
    let id = document["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/contacts/{contact}/documents/{id}/correct");
    let corrected = office.post(
        &path,
        &json!({ "kind": "offer", "fields": { "amount": "7600" } }),
    );
    assert_eq!(corrected["document_kind"], "offer");
    assert_eq!(corrected["amount"], "7600");
    office.wait("the offer's journey", || {
        (enrolled("enrolled") == 2).then_some(())
    });
    let asked = json!({ "kind": "never", "remember": { "subject": "as discussed" } });
    let withdrawn = office.post(&path, &asked);
    assert_eq!(withdrawn["state"], "withdrawn");
    let rule = withdrawn["remembered"].clone();
    assert_eq!(rule["of"]["subject"], "As discussed");
    assert_eq!(rule["of"]["document"], id);
    assert_eq!(enrolled("exited"), 1, "{:?}", office.ledger(&contact));
    assert_eq!(office.items("/api/v1/documents").len(), 1);
    assert_eq!(office.items("/api/v1/documents?state=withdrawn").len(), 1);
    let own = office.get("/api/v1/recognition/rules")["own"].clone();
    assert_eq!(own[0]["when"], json!({ "subject": "as discussed" }));
    assert_eq!(own[0]["then"], "never");
    let restored = office.post(&path, &json!({ "kind": "offer" }));
    assert_eq!(restored["state"], "open");

    // The rule is in force at once.
    let text = offer("KP-30", "5,000.00");
    file(
        &office,
        "never@shop.test",
        IVAN,
        "As discussed: offer No. KP-30",
        PLAIN,
        &text,
    );
    let text = offer("KP-31", "5,000.00");
    file(
        &office,
        "after@shop.test",
        IVAN,
        "Commercial offer No. KP-31",
        PLAIN,
        &text,
    );
    office.wait("what came after", || by_number(&office, "KP-31"));
    assert_eq!(by_number(&office, "KP-30"), None);
    assert!(
        !office.get("/api/v1/recognition/rules")["bundled"]
            .as_array()
            .expect("rules")
            .is_empty()
    );

    // Without a trial the server is asked for the one mail; what is said of it can be taken back, and said again.
    let text = "Two pumps, as we said on the phone: 9,100.00 EUR.";
    file(&office, "cold@shop.test", IVAN, "Two pumps", PLAIN, text);
    let say = |kind: &str| {
        let asked = json!({ "mailbox": ANNA, "message_id": "<cold@shop.test>", "kind": kind });
        office.post("/api/v1/recognition/register", &asked)
    };
    let said = say("invoice");
    let place = json!({ "contact": contact, "document": "cold@shop.test", "kind": "invoice", "withdrawn": false });
    assert_eq!(said["registered"], place);
    let said = say("never");
    assert_eq!(said["registered"]["withdrawn"], true);
    assert_eq!(said["left_out"], "never");
    let said = say("offer");
    assert_eq!(said["registered"]["withdrawn"], false);
    assert_eq!(said["registered"]["kind"], "offer");

    // One mail as a file is judged in the same words.
    let mail = format!(
        "From: {ANNA}\r\nTo: boris@shop.test\r\nSubject: Invoice tomorrow\r\nMessage-ID: <x@shop.test>\r\n\r\nI will write the invoice tomorrow.\r\n"
    );
    let looked = office.post_text("/api/v1/recognition/mail", "message/rfc822", &mail);
    assert_eq!(looked["near"], "invoice");
    assert_eq!(
        looked["lacks"],
        json!(["internal", "file", "number", "amount"]),
        "{looked}"
    );
    // Words alone may have the points: a text without a file also needs a number and a total.
    assert_eq!(looked["points"]["needed"], 6.0);
}
