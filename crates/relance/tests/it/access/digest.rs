//! The mail in the morning, and whoever answers for somebody who is away.

use std::collections::BTreeMap;

use relance_core::contact::Identity;
use relance_core::event::Event;
use relance_core::value::Fields;
use relance_engine::arrival::Arrival;

use super::*;

const ASKED: &str = "format: journey/1
id: asked
trigger: { event: Catalogue Asked }
approval: owner
steps:
  - send: email
    template: hello
";
const HELLO: &str = "---\nsubject: Hello\nkind: service\n---\nHello";

fn question(house: &House, admin: &Browser) {
    let body =
        json!({ "journeys": { "asked.yaml": ASKED }, "templates": { "hello.en.txt": HELLO } });
    let done = house.post("/api/v1/scenario", Some(admin), &body);
    assert_eq!(done.status, 200, "{}", done.text());
    let traits: Fields = serde_json::from_value(json!({
        "email": "ivan@client.test", "company": "ООО Ромашка", "owner": "anna@shop.test"
    }))
    .expect("fields");
    let mut event = Event::track("Catalogue Asked", SystemClock.now());
    event.traits = Some(traits);
    let arrival = Arrival::Event {
        identities: vec![Identity::email("ivan@client.test")],
        event: Arc::new(event),
    };
    let submitted = house.workspace.submit(vec![arrival], 512);
    house.runtime.block_on(submitted).expect("taken");
    until("a question", || {
        let page = house.get("/api/v1/approvals", admin).json();
        page["items"].as_array().filter(|items| !items.is_empty())?;
        Some(())
    });
}

/// How many mails go at a moment.
fn round(house: &House, at: &str) -> usize {
    let at = at.parse().expect("a moment");
    let mut refused = BTreeMap::new();
    let round = relance::digest::round(&house.workspace, &mut refused, at);
    house.runtime.block_on(round)
}

#[test]
fn a_salesperson_is_told_in_the_morning_and_a_deputy_while_they_are_away() {
    let (house, admin) = House::with_admin();
    let anna = house.user(&admin, "anna@shop.test", "salesperson", None);
    let boris = house.user(&admin, "boris@shop.test", "salesperson", None);
    // Nothing waits: nobody is told, and what comes later waits for the next morning.
    assert_eq!(round(&house, "2027-01-15T09:10:00Z"), 0);
    question(&house, &admin);
    assert_eq!(round(&house, "2027-01-15T09:11:00Z"), 0);
    assert_eq!(round(&house, "2027-01-16T09:10:00Z"), 0, "a Saturday");
    assert_eq!(round(&house, "2027-01-18T08:59:00Z"), 0, "too early");
    assert_eq!(round(&house, "2027-01-18T09:00:00Z"), 1);
    assert_eq!(round(&house, "2027-01-18T09:01:00Z"), 0, "once");
    let letters = house.letters();
    let [letter] = &letters[..] else {
        panic!("{letters:#?}");
    };
    assert!(letter.contains("Waiting for your approval: 1") && letter.contains("ООО Ромашка"));
    let (_, token) = letter
        .split_once("http://shop.test/enter?to=%2Fapprovals#")
        .expect("a link");
    let token: String = token.chars().take(43).collect();
    let link = json!({ "link": token });
    let entered = house.post("/api/v1/session", None, &link);
    assert_eq!(entered.status, 200, "{}", entered.text());
    assert_eq!(
        house.post("/api/v1/session", None, &link).status,
        404,
        "once"
    );

    let waiting = |who: &Browser| {
        let page = house.get("/api/v1/approvals", who).json();
        page["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((waiting(&anna), waiting(&boris)), (1, 0));
    let put = |body: Value| house.ask("PUT", "/api/v1/me", Some(&anna), Some(&body));
    let stranger = put(json!({ "deputy": "eve@elsewhere.test" }));
    assert_eq!(stranger.status, 400, "{}", stranger.text());
    assert!(stranger.text().contains("boris@shop.test"), "the remedy");
    let away = json!({ "deputy": "boris@shop.test", "away_until": "2027-01-31" });
    let away = put(away);
    assert_eq!(away.status, 200, "{}", away.text());
    assert_eq!(away.json()["away_from"], "2027-01-15");
    assert_eq!((waiting(&anna), waiting(&boris)), (1, 1));
    assert_eq!(round(&house, "2027-01-19T09:00:00Z"), 1);
    let letters = house.letters();
    let to_boris = letters.iter().find(|one| one.contains("boris@shop.test"));
    assert!(
        to_boris
            .expect("a letter")
            .contains("for anna@shop.test, who is away")
    );
    // Back again: Boris sees nothing of hers.
    assert_eq!(put(json!({ "away_until": "" })).status, 200);
    assert_eq!((waiting(&anna), waiting(&boris)), (1, 0));
    assert_eq!(put(json!({ "digest": "off" })).json()["digest"], "off");
    assert_eq!(round(&house, "2027-01-20T09:00:00Z"), 0);
}
