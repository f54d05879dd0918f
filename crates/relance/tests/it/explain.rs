//! Why, and why not: the same answer over HTTP and on the command line, in three languages.

use serde_json::{Value, json};

use crate::server::{Server, path_text, relance, until, workspace_path};

const JOURNEY: &str = "
format: journey/1
id: tips
name: Tips
trigger: { event: Signed Up, where: { plan: pro } }
steps:
  - wait: 3d
  - send: email
    template: welcome
";

fn served() -> Server {
    let server = Server::start("");
    let done = server.apply(&workspace_path("assets/scenarios/welcome"));
    assert!(done.status.success(), "{done:?}");
    server.apply_files(&[("tips.yaml", JOURNEY)]);
    let traits = json!({ "email": "ana@client.test", "name": "Ana", "timezone": "Europe/Berlin" });
    server.told("identify", &json!({ "userId": "ana", "traits": traits }));
    server
}

fn id_of(server: &Server) -> String {
    let contact = until("the contact", || server.contact("ana"));
    contact["id"].as_str().expect("an id").to_owned()
}

fn sentences(told: &Value) -> Vec<String> {
    let said = told["sentences"].as_array().expect("sentences");
    let texts = said
        .iter()
        .map(|one| one.as_str().expect("a text").to_owned());
    texts.collect()
}

fn sign_up(server: &Server, plan: &str) {
    let properties = json!({ "plan": plan });
    server.told(
        "track",
        &json!({ "userId": "ana", "event": "Signed Up", "properties": properties }),
    );
}

#[test]
fn a_contact_and_a_journey_are_explained() {
    let server = served();
    let id = id_of(&server);
    let of = |journey: &str, lang: &str| {
        server.api(&format!(
            "contacts/{id}/explain?journey={journey}&lang={lang}"
        ))
    };
    let told = of("tips", "en");
    assert_eq!(told["standing"]["state"], "never_came", "{told:#}");
    assert_eq!(told["standing"]["entry"]["of"], "Signed Up");

    sign_up(&server, "free");
    let told = until("the refusal", || {
        Some(of("tips", "ru")).filter(|told| told["standing"]["state"] == "refused")
    });
    assert_eq!(told["standing"]["refused"]["reason"], "where_false");
    assert!(
        sentences(&told)[0].ends_with("но не началась: условие запуска не выполнено."),
        "{told:#}"
    );

    sign_up(&server, "pro");
    let told = until("the run", || {
        Some(of("tips", "ja")).filter(|told| told["standing"]["state"] == "waiting")
    });
    let run = &told["standing"]["runs"][0];
    assert_eq!(run["step"], "1");
    assert!(sentences(&told)[1].starts_with("現在、"), "{told:#}");
    assert_eq!(told["lines"][0]["what"], "waiting");
    assert!(
        told["lines"][0]["sentence"]
            .as_str()
            .is_some_and(|said| said.ends_with("まで待機します。")),
        "{told:#}"
    );

    // The mail of the other journey, which went at once.
    server.sink.wait_for("ana@client.test");
    let told = until("the message", || {
        let sent = server.touchpoints("ana");
        let sent = sent.iter().find(|one| one["state"] == "accepted")?;
        let id = sent["id"].as_str()?;
        Some(server.api(&format!("touchpoints/{id}/explain")))
    });
    assert_eq!(told["fate"]["state"], "sent", "{told:#}");
    assert!(
        sentences(&told)[0].starts_with("The message “welcome” was sent by e-mail ("),
        "{told:#}"
    );

    let known = of("no-such-journey", "en");
    assert_eq!(known["standing"]["journey"], "unknown");
    let refused = |path: &str| {
        let token = format!("Bearer {}", server.api_token);
        let headers = [("Authorization", token.as_str())];
        let answer = server.request("GET", &format!("/api/v1/{path}"), &headers, b"");
        (answer.status, answer.problem())
    };
    let bad = (400, "bad_query".to_owned());
    for asked in ["?journey=tips&lang=fr", "?lang=en", "?journey="] {
        assert_eq!(refused(&format!("contacts/{id}/explain{asked}")), bad);
    }
    let unknown = (404, "not_found".to_owned());
    assert_eq!(refused("contacts/con_999999/explain?journey=tips"), unknown);
    assert_eq!(
        refused("touchpoints/tp_1_0000000000000000/explain"),
        unknown
    );
}

#[test]
fn the_command_line_says_the_same() {
    let server = served();
    sign_up(&server, "pro");
    let id = id_of(&server);
    until("the run", || {
        let told = server.api(&format!("contacts/{id}/explain?journey=tips"));
        Some(told).filter(|told| told["standing"]["state"] == "waiting")
    });
    let (data, url) = (path_text(server.data.path()).to_owned(), server.url());
    let beside = ["--data", &data];
    let through = ["--server", &url, "--token", &server.api_token];
    for place in [&beside[..], &through[..]] {
        for name in [id.as_str(), "ana", "ana@client.test"] {
            let mut arguments = vec!["explain", name, "tips", "--lang", "ru"];
            arguments.extend(place);
            let done = relance(&arguments);
            let said = String::from_utf8_lossy(&done.stdout);
            assert!(
                done.status.success() && said.starts_with("Контакт «Ana» вошёл в цепочку «Tips» "),
                "{done:?}"
            );
            assert!(said.contains("Цепочка «Tips» ждёт до "), "{said}");
        }
    }
    let json = relance(&["explain", "ana", "tips", "--json", "--data", &data]);
    let told: Value = serde_json::from_slice(&json.stdout).expect("one JSON object");
    assert_eq!(told["standing"]["runs"][0]["state"], "waiting", "{told:#}");
    let nobody = relance(&["explain", "nobody", "tips", "--data", &data]);
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
}
