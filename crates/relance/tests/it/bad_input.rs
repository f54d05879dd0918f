//! Bad input meets the running program: a clear error, a counted reason, nothing lost, nothing else delayed.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{
    Server, basic, path_text, read_answer, relance, scenario, until, workspace_path,
};

/// How long a hostile file may take on a busy machine; its own limit is 10 s of processor time.
const HOSTILE_FILE_TIME_MAX: Duration = Duration::from_secs(40);

/// Bodies of the largest size, about as many as there is room for.
const BODIES_SENT: usize = 128;

fn lines_of(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn a_journeys_problems_are_told_all_at_once_with_lines() {
    let text = "format: journey/1\nid: bad\nname: Bad\ncolour: red\ntrigger:\n  evnt: Signed Up\nreentry: sometimes\n\
        steps:\n  - wait: 3 fortnights\n  - send: pigeon\n  - dance: true\n  - send: email\n    template: t\n    tempo: fast\n";
    let folder = scenario(&[
        ("bad.yaml", text),
        ("t.en.mjml", "---\nsubject: {{ x\n---\n<mjml><mj-body>\n"),
    ]);
    let done = relance(&["journey", "check", path_text(folder.path()), "--json"]);
    assert_eq!(done.status.code(), Some(1), "findings: {done:?}");
    let problems = lines_of(&done.stdout);
    let has = |file: &str, words: &[&str]| {
        let found = problems.iter().any(|problem| {
            let text = problem["text"].as_str().expect("a text");
            problem["file"] == file && words.iter().all(|word| text.contains(word))
        });
        assert!(found, "{file} {words:?}: {problems:#?}");
    };
    has("bad.yaml", &["line 4", "colour"]);
    has("bad.yaml", &["line 6", "evnt", "event"]);
    has("bad.yaml", &["line 7", "re-entry", "always"]);
    has("bad.yaml", &["line 9", "fortnights"]);
    has("bad.yaml", &["line 10", "pigeon"]);
    has("bad.yaml", &["line 11", "dance"]);
    has("bad.yaml", &["line 14", "tempo"]);
    has("t.en.mjml", &["line 2", "never closed"]);
    assert!(
        problems
            .iter()
            .all(|problem| problem["severity"] == "error")
    );

    // A server takes none of it, and says the same.
    let server = Server::start("");
    let done = server.apply(folder.path());
    assert_eq!(done.status.code(), Some(1));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(
        told.contains("line 4") && told.contains("fortnights"),
        "{told}"
    );
    assert_eq!(server.api("journeys")["items"], json!([]));
    // Usage is another matter than findings.
    assert_eq!(
        relance(&["journey", "check", "/nowhere"]).status.code(),
        Some(2)
    );
    assert_eq!(relance(&["journey", "chekc"]).status.code(), Some(2));
}

#[test]
fn hostile_journey_files_are_refused_soon() {
    let deep = format!("format: journey/1\nsteps: {}", "[".repeat(20_000));
    let bomb: String = (0..30)
        .map(|n| match n {
            0 => "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(),
            n => format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{}", n - 1); 9].join(",")
            ),
        })
        .collect();
    let wide = format!(
        "format: journey/1\nid: w\nname: W\ntrigger: {{ event: E }}\nsteps:\n{}",
        "  - wait: 1d\n".repeat(20_000)
    );
    for (name, text) in [
        ("deep", deep),
        ("bomb", bomb),
        ("wide", wide),
        ("binary", "\0\u{1}\u{fffd}".to_owned()),
    ] {
        let folder = scenario(&[("j.yaml", &text)]);
        let begun = Instant::now();
        let done = relance(&["journey", "check", path_text(folder.path()), "--json"]);
        assert_eq!(done.status.code(), Some(1), "{name}: {done:?}");
        assert!(!lines_of(&done.stdout).is_empty(), "{name}");
        assert!(begun.elapsed() < HOSTILE_FILE_TIME_MAX, "{name}");
    }
}

const NEWS: &str = "format: journey/1\nid: news\nname: News\ntrigger: { event: News }\nreentry: always\n\
    steps:\n  - { send: email, template: news }\n  - { send: email, template: after }\n";

#[test]
fn a_template_that_fails_settles_its_own_message_only() {
    let server = Server::start("");
    server.apply_files(&[
        ("news.yaml", NEWS),
        ("news.en.txt", "---\nsubject: News {{ 100 // event.share }}\n---\n\
            {% for i in range(event.rounds) %}{% for j in range(event.rounds) %}x{% endfor %}{% endfor %}\n"),
        ("after.en.txt", "---\nsubject: After\n---\nAfter it.\n"),
    ]);
    let people = [
        ("good-1", json!({ "share": 4, "rounds": 1 })),
        ("zero", json!({ "share": 0, "rounds": 1 })),
        ("text", json!({ "share": "many", "rounds": 1 })),
        ("endless", json!({ "share": 5, "rounds": 10_000 })),
        ("good-2", json!({ "share": 5, "rounds": 2 })),
    ];
    for (user, properties) in &people {
        server.told("batch", &json!({ "batch": [
            { "type": "identify", "userId": user, "traits": { "email": format!("{user}@client.test") } },
            { "type": "track", "userId": user, "event": "News", "properties": properties },
        ] }));
    }
    for user in ["good-1", "good-2"] {
        let mails = until("both mails", || {
            let mails = server.sink.to(&format!("{user}@client.test"));
            (mails.len() == 2).then_some(mails)
        });
        assert_eq!(mails[1].mail().subject, "After");
    }
    for user in ["zero", "text", "endless"] {
        let line = server.ledger_line(user, "failed");
        assert_eq!(line["reason"], "template_failed", "{user}: {line}");
        let touchpoint = until("its end", || {
            let all = server.touchpoints(user);
            all.into_iter()
                .find(|one| one["template"] == "news" && one["state"] == "template_failed")
        });
        assert!(
            touchpoint["detail"]
                .as_str()
                .is_some_and(|text| text.contains("body") || text.contains("subject")),
            "{touchpoint}"
        );
        // The run goes on behind it.
        let mail = server.sink.wait_for(&format!("{user}@client.test"));
        assert_eq!(mail.mail().subject, "After", "{user}");
    }
    let listed = server.api("touchpoints?state=template_failed");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(server.metric("relance_ledger_total{what=\"failed\"}"), 3);
    // A mail is at its recipient's a moment before its outcome is written down.
    until("all outcomes", || {
        (server.metric("relance_ledger_total{what=\"sent\"}") == 7).then_some(())
    });
}

#[test]
fn who_comes_while_there_is_no_room_is_told_when_to_come_again() {
    let server = Server::start("");
    let key = basic(&server.write_key);
    let headers = [("Authorization", &*key)];
    let call = json!({ "type": "track", "userId": "u1", "event": "E", "properties": { "x": "y".repeat(30_000) } });
    let large = json!({ "batch": vec![call; 16] }).to_string();
    let ask = || server.request("POST", "/v1/batch", &headers, large.as_bytes());
    let bytes = 500 * 1024;
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Length: {bytes}\r\n\r\n"
    );
    let body = vec![b' '; bytes - 1];
    // Bodies that lack their last byte fill the room. Some may be refused while they are sent and make room
    // again, so more are sent until nothing fits.
    let fill = || {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
        stream.write_all(head.as_bytes()).expect("a head");
        let _refused = stream.write_all(&body);
        stream
    };
    let mut waiting: Vec<TcpStream> = (0..BODIES_SENT).map(|_| fill()).collect();
    let busy = until("a refusal", || {
        waiting.push(fill());
        let answer = ask();
        (answer.status != 200).then_some(answer)
    });
    assert_eq!((busy.status, &*busy.problem()), (429, "busy"));
    let wait: u32 = busy
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("Retry-After");
    assert!((1..=60).contains(&wait));
    // Pages and the health check are not concerned.
    assert_eq!(server.get("/healthz").status, 200);
    assert!(server.metric("relance_busy_total") >= 1);
    assert!(server.metric("relance_calls_total{result=\"busy\"}") >= 1);
    // One of those who wait ends as it should; the others go away; then there is room.
    let mut first = waiting.remove(0);
    first.write_all(b" ").expect("the last byte");
    let answer = read_answer(first).expect("an answer");
    assert_eq!((answer.status, &*answer.problem()), (400, "malformed"));
    drop(waiting);
    until("room", || (ask().status == 200).then_some(()));
}

fn classify(files: &[(&str, Vec<u8>)]) -> (Option<i32>, Vec<Value>) {
    let folder = TempDir::new().expect("a folder");
    let paths: Vec<_> = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            path
        })
        .collect();
    let mut arguments = vec!["mail", "classify", "--json"];
    arguments.extend(paths.iter().map(|path| path_text(path)));
    let begun = Instant::now();
    let done = relance(&arguments);
    let took = begun.elapsed();
    assert!(took < HOSTILE_FILE_TIME_MAX, "{took:?}");
    (done.status.code(), lines_of(&done.stdout))
}

fn mail(head: &str, body: &str) -> Vec<u8> {
    format!("From: Ana <ana@client.test>\r\nTo: anna@shop.test\r\nSubject: Re: Offer\r\n{head}\r\n{body}").into_bytes()
}

#[test]
fn poisoned_mails_are_named_and_the_next_file_is_read() {
    let nested: String = (0..3_000)
        .map(|n| {
            format!(
                "--b{n}\r\nContent-Type: multipart/mixed; boundary=\"b{}\"\r\n\r\n",
                n + 1
            )
        })
        .collect();
    let references = "<a@b.test> ".repeat(20_000);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("nested.eml", mail("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b0\"\r\n", &nested)),
        ("references.eml", mail(&format!("References: {references}\r\n"), "Thanks!\r\n")),
        ("headers.eml", mail(&"X-A: b\r\n".repeat(50_000), "Thanks!\r\n")),
        ("binary.eml", (0..=255u8).cycle().take(200_000).collect()),
        ("empty.eml", Vec::new()),
        ("charset.eml", mail("Content-Type: text/plain; charset=\"no-such\"\r\nContent-Transfer-Encoding: base64\r\n", "%%%%\r\n")),
        ("quoted.eml", mail("", &format!("Thanks!\r\n{}", "> ".repeat(200_000)))),
        ("entities.xml", b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><Invoice>&b;</Invoice>".to_vec()),
        ("good.eml", mail("In-Reply-To: <offer@shop.test>\r\nMessage-ID: <r@client.test>\r\n", "Yes, please send it.\r\n")),
    ];
    let (_, answers) = classify(&files);
    assert_eq!(answers.len(), files.len(), "one line each");
    for (answer, (name, _)) in answers.iter().zip(&files) {
        assert!(
            answer["file"]
                .as_str()
                .is_some_and(|file| file.ends_with(name)),
            "{answer}"
        );
        let kind = answer["kind"].as_str().expect("a kind");
        assert!(
            [
                "reply",
                "auto_reply",
                "bounce",
                "complaint",
                "document",
                "other"
            ]
            .contains(&kind)
        );
    }
    let good = answers.last().expect("the good one");
    assert_eq!(
        (&good["kind"], &good["text"]),
        (&json!("reply"), &json!("Yes, please send it."))
    );
}

/// A deflated stream that unpacks to some gigabytes: one block of zeros, many times.
fn zeros(blocks: usize) -> Vec<u8> {
    let block_of_zeros = vec![0; 1 << 20];
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Flushed, a block ends at a whole byte and can be repeated.
    encoder
        .write_all(&block_of_zeros)
        .and_then(|()| encoder.flush())
        .expect("memory");
    let first = encoder.get_ref().len();
    encoder
        .write_all(&block_of_zeros)
        .and_then(|()| encoder.flush())
        .expect("memory");
    let (head, block) = encoder.get_ref().split_at(first);
    [head, &block.repeat(blocks)].concat()
}

fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", n + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    out
}

fn stream(filter: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {filter} >>\nstream\n", bytes.len());
    [head.as_bytes(), bytes, b"\nendstream"].concat()
}

fn page_with(content: Vec<u8>) -> Vec<u8> {
    pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_vec(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ])
}

#[test]
fn a_pdf_bomb_hurts_itself_only() {
    let gigabytes = page_with(stream("/Filter /FlateDecode", &zeros(6_000)));
    let cycle = pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 2 0 R 2 0 R] /Count 99999999 >>".to_vec(),
    ]);
    let brackets = page_with(stream("", &b"[".repeat(300_000)));
    let good = page_with(stream(
        "",
        b"BT /F1 12 Tf 50 700 Td (Invoice No. 4711) Tj 0 -20 Td (Total: 1,250.00 EUR) Tj ET",
    ));
    let attached = |pdf: &[u8]| {
        let packed = STANDARD.encode(pdf);
        let lines: Vec<&str> = packed
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).expect("ASCII"))
            .collect();
        mail(
            "Message-ID: <x@client.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n",
            &format!(
                "--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\nContent-Type: application/pdf; name=\"Invoice 4711.pdf\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
                lines.join("\r\n")
            ),
        )
    };
    let (_, answers) = classify(&[
        ("gigabytes.pdf", gigabytes.clone()),
        ("gigabytes.eml", attached(&gigabytes)),
        ("cycle.pdf", cycle),
        ("brackets.pdf", brackets),
        ("good.pdf", good.clone()),
        ("good.eml", attached(&good)),
    ]);
    assert_eq!(answers.len(), 6);
    for answer in &answers[4..] {
        assert_eq!(answer["kind"], "document", "{answer}");
        assert_eq!(answer["document"]["number"], "4711", "{answer}");
    }
}

#[test]
fn hostile_requests_leave_the_server_well() {
    let server = Server::start("");
    let done = server.apply(&workspace_path("assets/scenarios/welcome"));
    assert!(done.status.success(), "{done:?}");
    let token = format!("Bearer {}", server.api_token);
    let admin = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    for (method, path, body, status) in [
        ("GET", "/api/v1/contacts?limit=many", "", 400),
        ("GET", "/api/v1/contacts?cursor=%27%3B--", "", 400),
        ("GET", "/api/v1/contacts/nobody", "", 400),
        ("GET", "/api/v1/contacts/con_999999", "", 404),
        ("GET", "/api/v1/touchpoints?state=lost", "", 400),
        (
            "POST",
            "/api/v1/touchpoints/tp_1_0000000000000001/approve",
            "",
            404,
        ),
        ("POST", "/api/v1/scenario", "{", 400),
        ("POST", "/api/v1/scenario", r#"{"journies":{}}"#, 422),
        ("GET", "/api/v1/nothing", "", 404),
        ("DELETE", "/api/v1/contacts", "", 405),
    ] {
        let answer = server.request(method, path, &admin, body.as_bytes());
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.problem();
    }
    // Texts that would be markup or commands elsewhere.
    let name = "<script>alert(1)</script>\"'; DROP TABLE contact; --\u{202e}";
    server.told("identify", &json!({ "userId": name, "traits": { "email": "x@client.test", "firstName": name, "name": name } }));
    server.told(
        "track",
        &json!({ "userId": name, "event": "Signed Up", "properties": { "plan": name } }),
    );
    let taken = server.sink.wait_for("x@client.test");
    assert!(!taken.mail().html.expect("HTML").contains("<script>alert"));
    // What names people is data, which a browser takes for nothing else.
    let token = format!("Bearer {}", server.api_token);
    let path = "/api/v1/contacts?limit=200";
    let answer = server.request("GET", path, &[("Authorization", &token)], b"");
    assert!(answer.text().contains("<script>alert"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    // The interface itself names nobody, and runs no script but its own.
    let page = server.request("GET", "/", &[("Accept", "text/html")], b"");
    assert!(!page.text().contains("alert(1)"));
    let policy = page.header("content-security-policy").expect("a policy");
    let runs_own_only =
        policy.contains("script-src 'self';") || policy.contains("default-src 'none'");
    assert!(runs_own_only, "{policy}");
    // An address that would add a header or a recipient.
    for (n, email) in [
        "a@b.test\r\nBcc: all@b.test",
        "a@b.test, c@d.test",
        "@",
        "a b@c.test",
        "a@b.test>",
    ]
    .iter()
    .enumerate()
    {
        let user = format!("odd-{n}");
        server.told(
            "identify",
            &json!({ "userId": user, "traits": { "email": email } }),
        );
        server.told("track", &json!({ "userId": user, "event": "Signed Up" }));
        until("an end", || {
            let lines = server.ledger(&user);
            lines.into_iter().find(|line| {
                ["failed", "dropped", "suppressed", "sent"]
                    .contains(&line["what"].as_str().unwrap_or_default())
            })
        });
    }
    for taken in server.sink.taken() {
        assert_eq!(taken.to, ["x@client.test"], "{taken:?}");
    }
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn what_names_people_is_closed_and_the_interface_names_nobody() {
    let server = Server::start("");
    server.told(
        "identify",
        &json!({ "userId": "ana", "traits": { "email": "ana@client.test", "name": "Ana Client" } }),
    );
    let page = server.request("GET", "/", &[("Accept", "text/html")], b"");
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("Ana"), "{}", page.text());
    for path in [
        "/api/v1/contacts",
        "/api/v1/overview",
        "/api/v1/live",
        "/api/v1/settings",
    ] {
        for password in [None, Some("wrong"), Some(&*server.write_key)] {
            let header = format!("Bearer {}", password.unwrap_or_default());
            let headers = [("Authorization", &*header)];
            let headers = if password.is_some() {
                &headers[..]
            } else {
                &[]
            };
            let answer = server.request("GET", path, headers, b"");
            assert_eq!(answer.status, 401, "{path} {password:?}");
            assert!(!answer.text().contains("Ana"));
        }
    }
    assert_eq!(server.get("/healthz").status, 200);
}
