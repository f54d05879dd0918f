//! What tokens open, and what a salesperson finds.

use super::*;

#[test]
fn tokens_open_what_their_scope_says_until_they_are_removed() {
    let (house, admin) = House::with_admin();
    let make = |scope: &str| {
        let body = json!({ "name": format!("for {scope}"), "scope": scope });
        let made = house.post("/api/v1/keys", Some(&admin), &body);
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    };
    let call = |secret: &str, method: &str, path: &str| {
        let bearer = format!("Bearer {secret}");
        let headers = [
            ("Authorization", &*bearer),
            ("Content-Type", "application/json"),
        ];
        request(house.port, method, path, &headers, b"").status
    };
    let (read, write, journeys) = (make("read"), make("write"), make("journeys"));
    let secret = |made: &Value| made["secret"].as_str().unwrap().to_owned();
    assert_eq!(call(&secret(&read), "GET", "/api/v1/overview"), 200);
    assert_eq!(call(&secret(&read), "GET", "/api/v1/users"), 200);
    assert_eq!(call(&secret(&read), "POST", "/api/v1/scenario/plan"), 403);
    assert_eq!(call(&secret(&read), "GET", "/api/v1/keys"), 403);
    assert_eq!(call(&secret(&read), "GET", "/api/v1/me/sessions"), 403);
    assert_ne!(
        call(&secret(&journeys), "POST", "/api/v1/scenario/plan"),
        403
    );
    assert_eq!(call(&secret(&journeys), "POST", "/api/v1/rfm"), 200);
    assert_eq!(call(&secret(&journeys), "POST", "/api/v1/imports"), 403);
    assert_eq!(call(&secret(&write), "GET", "/api/v1/overview"), 401);
    // Kept as a hash, noted as used, seen without itself.
    let listed = until("the use to be noted", || {
        let page = house.get("/api/v1/keys", &admin).json();
        let all = page["items"].as_array().unwrap().clone();
        let used = all
            .iter()
            .any(|key| key["name"] == "for read" && key["used_at"].is_string());
        used.then_some(page)
    });
    assert!(!listed.to_string().contains(&secret(&read)));
    let id = read["key"]["id"].as_str().unwrap();
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(house.ask("DELETE", &path, Some(&admin), None).status, 204);
    assert_eq!(call(&secret(&read), "GET", "/api/v1/overview"), 401);
    assert_eq!(
        house
            .post(
                "/api/v1/keys",
                Some(&admin),
                &json!({ "name": "", "scope": "read" })
            )
            .status,
        400
    );
    assert_eq!(
        house
            .post(
                "/api/v1/keys",
                Some(&admin),
                &json!({ "name": "x", "scope": "root" })
            )
            .status,
        400
    );
}

/// Tells of a contact with an owner, and gives its id.
fn contact(house: &House, key: &str, user: &str, owner: &str) -> String {
    let body = json!({ "userId": user, "traits": { "owner": owner, "email": format!("{user}@client.test") } });
    let headers = [
        ("Authorization", &*crate::server::basic(key)),
        ("Content-Type", "application/json"),
    ];
    let told = request(
        house.port,
        "POST",
        "/v1/identify",
        &headers,
        body.to_string().as_bytes(),
    );
    assert_eq!(told.status, 200, "{}", told.text());
    user.to_owned()
}

#[test]
fn a_salesperson_finds_nothing_under_the_name_of_anothers_contact() {
    let (house, admin) = House::with_admin();
    let made = house.post(
        "/api/v1/keys",
        Some(&admin),
        &json!({ "name": "site", "scope": "write" }),
    );
    let key = made.json()["secret"].as_str().unwrap().to_owned();
    let anna = house.user(&admin, "anna@shop.test", "salesperson", Some("north"));
    let boris = house.user(&admin, "boris@shop.test", "salesperson", Some("south"));
    let head = house.user(&admin, "hugo@shop.test", "head", Some("north"));
    contact(&house, &key, "1", "Anna@shop.test");
    contact(&house, &key, "2", "boris@shop.test");
    let id = |user: &str| {
        until("the contact", || {
            let page = house
                .get(&format!("/api/v1/contacts?user_id={user}"), &admin)
                .json();
            page["items"][0]["id"].as_str().map(str::to_owned)
        })
    };
    let (hers, his) = (id("1"), id("2"));
    for page in [
        "",
        "/ledger",
        "/events",
        "/touchpoints",
        "/tasks",
        "/consents",
        "/preferences",
    ] {
        let status = |who: &Browser, id: &str| {
            house
                .get(&format!("/api/v1/contacts/{id}{page}"), who)
                .status
        };
        assert_eq!(
            (status(&anna, &hers), status(&anna, &his)),
            (200, 404),
            "{page}"
        );
        assert_eq!(
            (status(&boris, &hers), status(&boris, &his)),
            (404, 200),
            "{page}"
        );
        assert_eq!(
            (status(&head, &hers), status(&head, &his)),
            (200, 404),
            "{page}"
        );
        assert_eq!(
            (status(&admin, &hers), status(&admin, &his)),
            (200, 200),
            "{page}"
        );
    }
    // Nor is there a change, or a list of everyone.
    let consent = json!({ "channel": "email", "answer": "denied" });
    let path = format!("/api/v1/contacts/{his}/consents");
    assert_eq!(house.post(&path, Some(&anna), &consent).status, 404);
    for whole in [
        "/api/v1/export/contacts",
        "/api/v1/suppressions",
        "/api/v1/accounts",
        "/api/v1/audit",
    ] {
        assert_eq!(house.get(whole, &anna).status, 403, "{whole}");
    }
    let strange = house.get("/api/v1/touchpoints/tp_2_0000000000000000/explain", &anna);
    assert_eq!(strange.status, 404);
    // What happened today is what happened to one's own.
    for user in ["1", "2"] {
        let event = json!({ "userId": user, "event": "Document Paid" });
        let headers = [
            ("Authorization", &*crate::server::basic(&key)),
            ("Content-Type", "application/json"),
        ];
        let body = event.to_string();
        let told = request(house.port, "POST", "/v1/track", &headers, body.as_bytes());
        assert_eq!(told.status, 200, "{}", told.text());
    }
    let paid = |who: &Browser| {
        let overview = house.get("/api/v1/overview", who).json();
        let feed = house.get("/api/v1/feed", who).json();
        let told = feed["items"].as_array().unwrap().iter();
        let told: Vec<String> = told
            .filter(|one| one["what"] == "paid")
            .map(|one| one["contact"].as_str().unwrap().to_owned())
            .collect();
        (overview["today"]["paid"].as_u64(), told)
    };
    until("both to be told", || {
        (paid(&admin).0 == Some(2)).then_some(())
    });
    assert_eq!(paid(&anna), (Some(1), vec![hers.clone()]));
    assert_eq!(paid(&head), (Some(1), vec![hers]));
    assert_eq!(paid(&boris), (Some(1), vec![his]));
}
