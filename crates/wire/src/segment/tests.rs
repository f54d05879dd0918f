//! Calls as real clients send them.

use relance_core::contact::IdentityKind;

use super::*;

fn now() -> Timestamp {
    "2026-03-10T09:00:00Z".parse().unwrap()
}

#[test]
fn a_batch_keeps_good_calls_beside_bad_ones() {
    let body = br#"{"sentAt":"2026-03-10T08:59:50Z","writeKey":"k","batch":[
        {"type":"identify","userId":7,"anonymousId":null,"messageId":"m1","traits":{"email":" Ana@Shop.TEST "}},
        {"type":"track","event":"Order Completed","userId":"7","timestamp":"2026-03-10T08:59:40Z",
         "properties":{"order_id":"o1","total":12.5}},
        {"type":"track","userId":"7"},
        {"type":"dance","userId":"7"},
        {"type":"track","event":"X"}]}"#;
    let batch = parse_batch(body, now()).unwrap();
    assert_eq!(batch.write_key.as_deref(), Some("k"));
    let codes: Vec<_> = batch
        .calls
        .iter()
        .map(|call| call.as_ref().map_or_else(CallProblem::code, |_| "ok"))
        .collect();
    assert_eq!(
        codes,
        ["ok", "ok", "missing_field", "unknown_type", "no_identity"]
    );
    let first = batch.calls[0].as_ref().unwrap();
    assert_eq!(first.identities[0], Identity::user("7"));
    assert_eq!(first.identities[1].value, "ana@shop.test");
    let order = batch.calls[1].as_ref().unwrap();
    // The client's clock is 10 s behind, so the order was 10 s before now.
    assert_eq!(order.event.at.to_string(), "2026-03-10T08:59:50Z");
    assert_eq!(order.event.objects[0].subject.to_string(), "order:o1");
}

#[test]
fn alias_names_both_ids() {
    let body = br#"{"previousId":"anon-1","userId":"7"}"#;
    let (call, _) = parse_call(body, CallType::from_word("alias"), now()).unwrap();
    let kinds: Vec<_> = call
        .identities
        .iter()
        .map(|identity| identity.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            IdentityKind::UserId,
            IdentityKind::UserId,
            IdentityKind::AnonymousId
        ]
    );
}

#[test]
fn traits_in_the_context_count_and_the_device_overrules_nothing() {
    let read = |body: &str| {
        let (call, _) =
            parse_call(body.as_bytes(), CallType::from_word("identify"), now()).unwrap();
        (call.identities.len(), call.event.traits.unwrap())
    };
    let (names, traits) = read(
        r#"{"userId":"7","messageId":12,"context":{"locale":"en-US","timezone":"GMT+0000",
            "traits":{"email":"ana@shop.test","plan":"old"}},"traits":{"plan":"new"}}"#,
    );
    assert_eq!(names, 2);
    assert_eq!(
        Value::Object(traits),
        serde_json::json!({ "email": "ana@shop.test", "plan": "new", "locale": "en-US" })
    );
    let (_, traits) = read(
        r#"{"userId":"7","context":{"locale":"en-US","timezone":"Asia/Tokyo"},"traits":{"language":"ja"}}"#,
    );
    assert_eq!(traits["language"], "ja");
    assert_eq!(traits["timezone"], "Asia/Tokyo");
}

#[test]
fn sizes_and_clocks_are_bounded() {
    let large = format!(
        r#"{{"userId":"7","event":"X","properties":{{"x":"{}"}}}}"#,
        "y".repeat(CALL_BYTES_MAX)
    );
    let problem = parse_call(large.as_bytes(), CallType::from_word("t"), now()).unwrap_err();
    assert_eq!(problem.code(), "too_large");
    let ahead = br#"{"userId":"7","event":"X","timestamp":"2099-01-01T00:00:00Z"}"#;
    let (call, _) = parse_call(ahead, CallType::from_word("track"), now()).unwrap();
    assert_eq!(call.event.at, now());
    let deep = format!(
        r#"{{"userId":"7","event":"X","properties":{{"x":{}1{}}}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    assert_eq!(
        parse_call(deep.as_bytes(), CallType::from_word("track"), now())
            .unwrap_err()
            .code(),
        "malformed"
    );
}

#[test]
fn clocks_that_are_wrong_are_corrected_or_noted() {
    let read = |times: &str| {
        let body = format!(r#"{{"userId":"7","event":"X"{times}}}"#);
        let (call, _) = parse_call(body.as_bytes(), CallType::from_word("t"), now()).unwrap();
        let told = call.event.properties.get(TOLD_AT).cloned();
        (
            call.event.at,
            told.and_then(|told| told.as_str().map(str::to_owned)),
        )
    };
    // Without `sentAt` a clock that runs a little ahead is not told from one that is right.
    let soon = now() + SignedDuration::from_mins(2);
    assert_eq!(read(&format!(r#","timestamp":"{soon}""#)), (now(), None));
    // Far ahead it is ours that counts, and what it said is kept.
    let far = "2099-01-01T00:00:00Z";
    assert_eq!(
        read(&format!(r#","timestamp":"{far}""#)),
        (now(), Some(far.to_owned()))
    );
    // By `sentAt` the same clock is corrected: it happened a minute before it was sent.
    let sent = r#","timestamp":"2099-01-01T00:00:00Z","sentAt":"2099-01-01T00:01:00Z""#;
    assert_eq!(read(sent), (now() - SignedDuration::from_mins(1), None));
    // And so is one that stands at its first day.
    let sent = r#","timestamp":"1970-01-01T00:00:00Z","sentAt":"1970-01-01T00:00:05Z""#;
    assert_eq!(read(sent), (now() - SignedDuration::from_secs(5), None));
    // A `sentAt` that no clock shows takes nothing beyond the ends of time.
    for odd in [
        "-009999-01-02T01:59:59Z",
        "9999-12-30T22:00:00Z",
        "soon",
        "",
    ] {
        for told in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"] {
            let (at, _) = read(&format!(r#","timestamp":"{told}","sentAt":"{odd}""#));
            assert!(at <= now(), "{told} {odd}");
        }
    }
    // The far past is what the source says it is: history.
    let past = "2001-02-03T04:05:06Z";
    assert_eq!(
        read(&format!(r#","timestamp":"{past}""#)),
        (past.parse().unwrap(), None)
    );
}

#[test]
fn two_million_traits_are_refused_at_the_door() {
    let traits: Vec<String> = (0..2_000_000).map(|n| format!(r#""t{n}":{n}"#)).collect();
    let body = format!(r#"{{"userId":"7","traits":{{{}}}}}"#, traits.join(","));
    let problem = parse_call(body.as_bytes(), CallType::from_word("identify"), now()).unwrap_err();
    assert_eq!(problem.code(), "too_large");
    let batch = format!(r#"{{"batch":[{body}]}}"#);
    assert_eq!(
        parse_batch(batch.as_bytes(), now()).unwrap_err().code(),
        "too_large"
    );
    let deep = format!(
        r#"{{"userId":"7","traits":{{"x":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let problem = parse_call(deep.as_bytes(), CallType::from_word("identify"), now()).unwrap_err();
    assert_eq!(problem.code(), "malformed");
}

#[test]
fn national_numbers_are_of_the_workspaces_country() {
    let body = br#"{"userId":"7","traits":{"phone":"030 123456"}}"#;
    let names = |country| {
        let call = CallType::from_word("identify");
        let (call, _) = parse_call_in(body, call, now(), country).unwrap();
        let phone = call.event.traits.unwrap()["phone"].clone();
        (call.identities.len(), phone)
    };
    assert_eq!(names(Some("DE")), (2, serde_json::json!("+4930123456")));
    assert_eq!(
        names(None),
        (1, serde_json::json!("030 123456")),
        "of no country"
    );
}
