//! Tests of what stands beside.

use super::*;

#[test]
fn a_whole_file_is_read_and_secrets_stay_hidden() {
    let config = Config::parse(
        r#"
        [workspace]
        name = "Shop"
        zone = "Europe/Moscow"
        [smtp]
        host = "mail.shop.test"
        port = 587
        user = "news"
        password = "hunter2"
        [[mailbox]]
        address = "anna@shop.test"
        imap = { host = "imap.shop.test", port = 993, tls = "implicit", password_env = "X" }
        [quiet_hours]
        email = "21:00-09:00"
        "#,
    )
    .unwrap();
    assert_eq!(config.mailbox[0].imap.look_back_days, 90);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn users_are_told_apart_and_their_deputies_exist() {
    let folder = tempfile::tempdir().unwrap();
    let load = |text: &str| {
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Config::load(folder.path()).map_err(|problem| problem.to_string())
    };
    let anna = "[[user]]\naddress = \"anna@shop.test\"\nname = \"Anna\"\nlanguage = \"ru\"\n";
    let boris =
        "[[user]]\naddress = \"boris@shop.test\"\nrole = \"head\"\ndeputy = \"Anna@shop.test\"\n";
    let config = load(&format!("{anna}{boris}")).unwrap();
    assert_eq!(config.user[0].language.as_deref(), Some("ru"));
    assert_eq!(config.user[1].role.as_deref(), Some("head"));
    assert!(load(boris).unwrap_err().contains("user[0].deputy"));
    let twice = load(&format!("{anna}{}", anna.replace("anna@", "Anna@"))).unwrap_err();
    assert!(twice.contains("user[1].address"), "{twice}");
    let none = load("[[user]]\naddress = \"anna\"\n").unwrap_err();
    assert!(none.contains("is no address"), "{none}");
    let heads: String = (0..=RECIPIENTS_MAX)
        .map(|n| format!("[[user]]\naddress = \"u{n}@shop.test\"\nrole = \"head\"\n"))
        .collect();
    assert!(load(&heads).unwrap_err().contains("user[100].role"));
}

#[test]
fn an_unknown_field_is_named() {
    let error = Config::parse("[workspace]\nnmae = \"x\"\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("nmae"), "{error}");
}
