//! Tests of what stands beside.

use super::tries::TESTS_MAX;
use super::*;

#[test]
fn a_files_name_tells_template_language_and_form() {
    assert_eq!(parts("welcome.en.mjml"), ("welcome", "en", "mjml"));
    assert_eq!(parts("welcome.txt"), ("welcome", "", "txt"));
    assert_eq!(parts("welcome"), ("welcome", "", ""));
    assert_eq!(parts("welcome.pt-br.html"), ("welcome", "pt-br", "html"));
}

#[test]
fn variables_are_the_leaves_with_values() {
    let context = json!({
        "contact": { "name": "Ana", "account": { "id": 7 } }, "subject": null, "links": { "x": "y".repeat(500) },
    });
    let found = variables(&context);
    let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["contact.account.id", "contact.name", "links.x"]);
    assert_eq!(found[2].value.as_str().map(str::len), Some(VALUE_CHARS_MAX));
}

#[test]
fn files_of_others_are_refused() {
    let files = |name: &str| BTreeMap::from([(name.to_owned(), String::new())]);
    assert!(check_files("welcome", &files("welcome.en.txt")).is_ok());
    assert_eq!(
        check_files("welcome", &files("other.en.txt"))
            .unwrap_err()
            .code,
        "bad_files"
    );
    for id in ["", "render", "../x", "a b"] {
        assert_eq!(
            check_files(id, &files("x.txt")).unwrap_err().code,
            "bad_id",
            "{id}"
        );
    }
}

#[test]
fn so_many_tests_a_minute_and_no_more() {
    let tests = Tests::default();
    for _ in 0..TESTS_MAX {
        assert!(tests.take().is_ok());
    }
    assert_eq!(tests.take().unwrap_err().code, "too_many_tests");
}
