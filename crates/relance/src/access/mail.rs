//! What is written to users: invitations, and links for a new password.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use relance_core::user::User;
use serde::Deserialize;

use super::Caller;
use crate::send::post::{Letter, PostProblem};
use crate::workspace::Workspace;

/// The texts, by language; each language has all of them.
const TEXTS: [(&str, &str); 3] = [
    (
        "en",
        include_str!("../../../../assets/words/accounts.en.toml"),
    ),
    (
        "ja",
        include_str!("../../../../assets/words/accounts.ja.toml"),
    ),
    (
        "ru",
        include_str!("../../../../assets/words/accounts.ru.toml"),
    ),
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    invitation: Text,
    reset: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    subject: String,
    text: String,
}

fn texts() -> &'static BTreeMap<&'static str, Texts> {
    static ALL: OnceLock<BTreeMap<&'static str, Texts>> = OnceLock::new();
    ALL.get_or_init(|| {
        // A test reads them; without them a mail would be empty, and is not sent.
        let read = |(language, text): (&'static str, &str)| {
            let texts: Option<Texts> = toml::from_str(text).ok();
            Some((language, texts?))
        };
        TEXTS.into_iter().filter_map(read).collect()
    })
}

/// The words in a user's language, else in the workspace's, else in English.
fn words(workspace: &Workspace, user: &User, of: fn(&Texts) -> &Text) -> (String, String) {
    let all = texts();
    let config = workspace.config();
    let own = user.language.as_deref();
    let wanted = own.unwrap_or(&config.workspace.language);
    let found = all.get(wanted).or_else(|| all.get("en"));
    found.map_or_else(Default::default, |texts| {
        let text = of(texts);
        (text.subject.clone(), text.text.clone())
    })
}

async fn post(
    workspace: &Arc<Workspace>,
    user: &User,
    of: fn(&Texts) -> &Text,
    by: &str,
    link: &str,
) -> Result<(), PostProblem> {
    let (subject, text) = words(workspace, user, of);
    let name = user.name.as_deref().unwrap_or(user.address.as_str());
    let config = workspace.config();
    // One pass: what is put in is not looked at again.
    let fill = |template: &str| {
        let marks = [
            ("{workspace}", config.workspace.name.as_str()),
            ("{name}", name),
            ("{by}", by),
            ("{link}", link),
        ];
        fill(template, &marks)
    };
    workspace
        .post(Letter {
            to: user.address.to_string(),
            to_name: user.name.clone(),
            subject: fill(&subject),
            text: fill(&text),
            html: None,
        })
        .await
}

/// Puts words in the place of their marks, in one pass.
fn fill(template: &str, marks: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match marks.iter().find(|(mark, _)| rest.starts_with(mark)) {
            Some((mark, word)) => {
                filled.push_str(word);
                rest = &rest[mark.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Invites somebody.
pub(super) async fn invitation(
    workspace: &Arc<Workspace>,
    user: &User,
    by: &Caller,
    link: &str,
) -> Result<(), PostProblem> {
    post(workspace, user, |texts| &texts.invitation, &by.name(), link).await
}

/// Tells somebody where to choose a new password.
pub(super) async fn reset(
    workspace: &Arc<Workspace>,
    user: &User,
    link: &str,
) -> Result<(), PostProblem> {
    post(workspace, user, |texts| &texts.reset, "", link).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text_with_its_link() {
        let all = texts();
        assert_eq!(all.len(), TEXTS.len());
        for texts in all.values() {
            for text in [&texts.invitation, &texts.reset] {
                assert!(!text.subject.trim().is_empty());
                assert!(text.subject.contains("{workspace}") && text.text.contains("{link}"));
            }
        }
    }

    #[test]
    fn marks_are_filled_once() {
        let marks = [("{name}", "{link}"), ("{link}", "x")];
        assert_eq!(
            fill("{name} {link} {other} {", &marks),
            "{link} x {other} {"
        );
    }
}
