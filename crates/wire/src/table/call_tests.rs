//! Rows and what they mean.

use relance_core::ids::Topic;

use super::*;
use crate::table::guess::rows;
use crate::table::mapping;
use crate::table::record::{Records, Row};

fn plan(mapping: &str, heads: &str) -> Result<Plan, PlanProblem> {
    let mapping = mapping::parse(&format!("format: import/1\n{mapping}")).unwrap();
    let heads = rows(heads, b',').pop().unwrap_or_default();
    Plan::new(&mapping, &heads)
}

fn row(text: &str) -> Row {
    let mut row = Row::default();
    let mut records = Records::new(b',');
    let (used, _) = records.step(text.as_bytes(), &mut row);
    assert_eq!(used, text.len());
    records.step(b"", &mut row);
    row
}

fn told(mapping: &str, heads: &str, text: &str) -> Result<RowCall, Vec<(String, &'static str)>> {
    let plan = plan(mapping, heads).unwrap();
    plan.call(&row(text)).map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| (problem.column, problem.why.code()))
            .collect()
    })
}

#[test]
fn a_row_becomes_identities_and_typed_traits() {
    let mapping = "key: email\ncountry: RU\nzone: Europe/Moscow\ncolumns:\n  Код: user_id\n  Почта: email\n  Телефон: phone\n  \
                   Имя: first_name\n  ДР: birthday\n  Создан: created_at\n  Теги: tags\n  Сумма: { trait: amount, type: number }\n  \
                   VIP: { trait: vip, type: yes_no }\n  Рассылка: { topic: news }\n  Лишнее: skip\n";
    let heads = "Код,Почта,Телефон,Имя,ДР,Создан,Теги,Сумма,VIP,Рассылка,Лишнее";
    let text = "77,Anna@Почта.РФ,8 912 345-67-89, Анна ,02.03.1990,22.11.2026 10:30,a;b,\"1 200,50\",да,нет,=1\n";
    let call = told(mapping, heads, text).unwrap();
    let names: Vec<(&str, &str)> = call
        .identities
        .iter()
        .map(|one| (one.kind.word(), one.value.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("email", "anna@xn--80a1acny.xn--p1ai"),
            ("user_id", "77"),
            ("phone", "+79123456789")
        ]
    );
    assert_eq!(
        Value::Object(call.traits.clone()),
        serde_json::json!({
            "email": "anna@xn--80a1acny.xn--p1ai", "phone": "+79123456789", "first_name": "Анна", "birthday": "1990-03-02",
            "created_at": "2026-11-22T07:30:00Z", "tags": ["a", "b"], "amount": 1200.5, "vip": true
        })
    );
    assert_eq!(call.consents, [(About::Topic(Topic::from("news")), false)]);
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let (_, events) = events(call.clone(), "i1", 2, now);
    assert_eq!(events[0].message_id.as_deref(), Some("import:i1:2"));
    assert_eq!(
        (events.len(), events[1].name.as_str()),
        (2, names::UNSUBSCRIBED)
    );
    assert_eq!(events[1].properties["topic"], "news");
    assert_eq!(events[1].properties["source"], "import");
}

#[test]
fn all_that_is_wrong_with_a_row_is_told() {
    let mapping = "columns:\n  E: email\n  P: phone\n  D: birthday\n  N: { trait: n, type: number }\n  Z: timezone\n";
    let problems = told(mapping, "E,P,D,N,Z", "a@b,12,03/04/2026,\"1,234\",Mars\n").unwrap_err();
    let expected = [
        ("E", "email_domain_not_public"),
        ("P", "phone_no_country"),
        ("D", "date_order"),
        ("N", "decimal"),
        ("Z", "not_a_zone"),
    ];
    let expected: Vec<(String, &str)> = expected
        .iter()
        .map(|(column, code)| ((*column).to_owned(), *code))
        .collect();
    assert_eq!(problems, expected);
}

#[test]
fn bad_cells_may_be_left_out_but_not_the_key() {
    let mapping = "key: email\nbad_cells: leave_out\ncolumns:\n  E: email\n  P: phone\n";
    let call = told(mapping, "E,P", "a@b.test,12\n").unwrap();
    assert_eq!((call.identities.len(), call.left_out.len()), (1, 1));
    let problems = told(mapping, "E,P", "a@b,+79123456789\n").unwrap_err();
    assert_eq!(problems.last().unwrap().1, "no_key");
    assert_eq!(
        told("columns:\n  E: email\n  N: name\n", "E,N", ",Ana\n").unwrap_err()[0].1,
        "no_identity"
    );
}

#[test]
fn formulas_are_text_and_errors_of_formulas_are_told() {
    let mapping = "columns:\n  E: email\n  N: { trait: n }\n  M: { trait: m, type: number }\n";
    let call = told(mapping, "E,N,M", "a@b.test,=HYPERLINK(1),-5\n").unwrap();
    assert_eq!(call.traits["n"], "=HYPERLINK(1)");
    assert_eq!(call.traits["m"], -5);
    let call = told(mapping, "E,N,M", "a@b.test,'=HYPERLINK(1),\n").unwrap();
    assert_eq!(call.traits["n"], "=HYPERLINK(1)");
    let plan = plan(mapping, "E,N,M").unwrap();
    let mut failed = Row::default();
    failed.begin(2, 2);
    failed.put(0, Cell::Text("a@b.test")).unwrap();
    failed.put(2, Cell::Failed("#N/A")).unwrap();
    assert_eq!(
        plan.call(&failed).unwrap_err()[0].why.code(),
        "formula_failed"
    );
}

#[test]
fn cells_of_workbooks_keep_their_types() {
    let mapping = "columns:\n  I: user_id\n  D: birthday\n  N: { trait: n, type: number }\n  B: { trait: b, type: yes_no }\n  T: { trait: t }\n  P: phone\n";
    let plan = plan(mapping, "I,D,N,B,T,P").unwrap();
    let mut row = Row::default();
    row.begin(2, 2);
    let cells = [
        Cell::Number(77.0),
        Cell::Serial(32_934.0),
        Cell::Number(12.5),
        Cell::Bool(true),
        Cell::Serial(46_348.5),
        Cell::Number(79_123_456_789.0),
    ];
    for (at, cell) in cells.into_iter().enumerate() {
        row.put(at, cell).unwrap();
    }
    let problems = plan.call(&row).unwrap_err();
    assert_eq!(problems[0].why.code(), "phone_no_country");
    row.begin(2, 2);
    for (at, cell) in cells.into_iter().take(5).enumerate() {
        row.put(at, cell).unwrap();
    }
    let call = plan.call(&row).unwrap();
    assert_eq!(call.identities[0].value, "77");
    assert_eq!(
        Value::Object(call.traits),
        serde_json::json!({ "birthday": "1990-03-02", "n": 12.5, "b": true, "t": "2026-11-22 12:00:00" })
    );
}

#[test]
fn unwanted_addresses_are_refused_when_asked() {
    let told = |refuse: &str, email: &str| {
        let mapping = format!("{refuse}columns:\n  E: email\n");
        told(&mapping, "E,N", &format!("{email},\n")).map(|call| (call.role, call.disposable))
    };
    assert_eq!(told("", "info@shop.test"), Ok((true, false)));
    assert_eq!(told("", "x@mailinator.com"), Ok((false, true)));
    assert_eq!(
        told("refuse: [role]\n", "info@shop.test").unwrap_err()[0].1,
        "role_address"
    );
    assert_eq!(
        told("refuse: [disposable]\n", "x@mailinator.com").unwrap_err()[0].1,
        "disposable_address"
    );
}

#[test]
fn a_mapping_must_fit_the_table() {
    let refused = |mapping: &str, heads: &str| plan(mapping, heads).unwrap_err().to_string();
    assert!(refused("columns:\n  X: email\n", "A,B").contains("no column \"X\""));
    assert!(refused("columns:\n  A: email\n", "A,A").contains("several columns"));
    assert!(refused("columns:\n  A: name\n", "A,B").contains("no column names the contact"));
    assert!(refused("key: phone\ncolumns:\n  A: email\n", "A,B").contains("the key is phone"));
    assert!(plan("columns:\n  \"#2\": email\n", "A,A").is_ok());
    assert!(refused("columns:\n  \"#3\": email\n", "A,A").contains("no column \"#3\""));
}

#[test]
fn a_row_larger_than_a_call_is_refused() {
    let mapping = "columns:\n  E: email\n  N: { trait: n }\n";
    let text = format!("a@b.test,{}\n", "x".repeat(CALL_BYTES_MAX));
    assert_eq!(told(mapping, "E,N", &text).unwrap_err()[0].1, "too_large");
}

#[test]
fn what_could_not_be_decoded_is_told() {
    let mapping = "columns:\n  E: email\n  N: name\n";
    assert_eq!(
        told(mapping, "E,N", "a@b.test,A\u{FFFD}na\n").unwrap_err()[0].1,
        "garbled"
    );
}

#[test]
fn an_address_is_the_same_name_whoever_tells_of_it() {
    let expected = Identity::email("anna@xn--80a1acny.xn--p1ai");
    assert_eq!(expected.value, "anna@xn--80a1acny.xn--p1ai");
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    for written in [
        "anna@почта.рф",
        "Anna@Почта.РФ",
        "anna@ПОЧТА.рф",
        "ANNA@XN--80A1ACNY.xn--p1ai",
        "anna＠почта.рф",
    ] {
        let row = told("columns: { E: email }\n", "E", &format!("{written}\n")).unwrap();
        assert_eq!(
            row.identities,
            std::slice::from_ref(&expected),
            "an import: {written}"
        );
        let body = serde_json::json!({ "userId": "7", "traits": { "email": written } }).to_string();
        let identify = crate::segment::CallType::from_word("identify");
        let (call, _) = crate::segment::parse_call(body.as_bytes(), identify, now).unwrap();
        assert!(call.identities.contains(&expected), "a call: {written}");
        // As mailboxes, the API, the command line and lists of suppressions name it.
        assert_eq!(Identity::email(written), expected, "a mailbox: {written}");
        let listed = relance_core::suppression::SuppressionKey::guess(written);
        if !written.contains('＠') {
            assert_eq!(listed.unwrap().value, expected.value, "a list: {written}");
        }
    }
}
