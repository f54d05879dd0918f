//! Providers that are known by name, as data (`assets/mail/providers.toml`).

use std::sync::OnceLock;

use relance_wire::stored::MailServer;
use serde::Deserialize;

const TEXT: &str = include_str!("../../../../assets/mail/providers.toml");

/// A provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Domains of its addresses.
    pub domains: Vec<String>,
    /// How the names of its mail exchangers end.
    pub mx: Vec<String>,
    /// Where mail is read.
    pub imap: MailServer,
    /// How it is sent.
    pub smtp: MailServer,
    /// Ways to log in, the best first.
    pub auth: Vec<String>,
    /// The provider of tokens.
    #[serde(default)]
    pub oauth: Option<String>,
    /// Who logs in.
    #[serde(default)]
    pub user: UserForm,
    /// What a person must do first.
    pub hint: String,
    /// Where it is done, by language.
    pub help: Vec<(String, String)>,
    /// Whether it files what it sends by itself.
    #[serde(default)]
    pub keeps_sent: bool,
}

/// What somebody logs in as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserForm {
    /// The whole address.
    #[default]
    Address,
    /// What stands before the @.
    Local,
}

impl Preset {
    /// Where a person does what must be done, in their language where there is a page in it.
    pub fn help_url(&self, language: &str) -> Option<&str> {
        let of = self.help.iter().find(|(own, _)| own == language);
        of.or(self.help.first()).map(|(_, url)| url.as_str())
    }

    /// Who logs in, where it is not the address.
    pub fn user_of(&self, address: &str) -> Option<String> {
        match self.user {
            UserForm::Address => None,
            UserForm::Local => {
                let (local, _) = address.rsplit_once('@')?;
                Some(local.to_owned())
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Vec<Preset>,
}

/// All of them.
pub fn all() -> &'static [Preset] {
    static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
    ALL.get_or_init(|| {
        // A test reads the file; without it addresses are looked for on the internet.
        toml::from_str::<File>(TEXT).map_or_else(|_| Vec::new(), |file| file.provider)
    })
}

/// One by its id.
pub fn by_id(id: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.id == id)
}

/// The provider of an address's domain, lower case.
pub fn by_domain(domain: &str) -> Option<&'static Preset> {
    let is_own = |preset: &&Preset| preset.domains.iter().any(|own| own == domain);
    all().iter().find(is_own)
}

/// The provider that takes the mail of a domain, by the names of its exchangers.
pub fn by_mx<'a>(exchangers: impl Iterator<Item = &'a str>) -> Option<&'static Preset> {
    let mut found = exchangers.filter_map(|name| {
        let name = name.trim_end_matches('.').to_lowercase();
        all().iter().find(|preset| {
            preset.mx.iter().any(|end| {
                name.strip_suffix(end.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            })
        })
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::oauth::provider::Provider;

    #[test]
    fn the_file_reads_and_makes_sense() {
        let read: Result<File, _> = toml::from_str(TEXT);
        let presets = read.unwrap().provider;
        assert!(presets.len() >= 20);
        let mut ids = BTreeSet::new();
        let mut domains = BTreeSet::new();
        let hints = [
            "none",
            "app_password",
            "enable_imap",
            "app_password_and_imap",
            "oauth_only",
        ];
        for preset in &presets {
            assert!(ids.insert(&preset.id), "{} stands twice", preset.id);
            for domain in &preset.domains {
                assert!(domains.insert(domain), "{domain} stands twice");
                assert_eq!(domain, &domain.to_lowercase());
            }
            assert!(hints.contains(&preset.hint.as_str()), "{}", preset.hint);
            assert!(!preset.auth.is_empty() && !preset.help.is_empty());
            let by_oauth = preset.auth.iter().any(|way| way == "oauth");
            assert_eq!(by_oauth, preset.oauth.is_some(), "{}", preset.id);
            if let Some(oauth) = &preset.oauth {
                let provider = Provider::from_word(oauth).unwrap();
                assert_eq!(provider.preset(), preset.id);
            }
            for (_, url) in &preset.help {
                assert!(url.starts_with("https://"), "{url}");
            }
        }
    }

    #[test]
    fn providers_are_found_by_domain_and_by_exchanger() {
        let id = |preset: Option<&Preset>| preset.map(|preset| preset.id.clone());
        assert_eq!(id(by_domain("bk.ru")).as_deref(), Some("mailru"));
        assert_eq!(id(by_domain("shop.test")), None);
        let mx = |name: &str| id(by_mx(std::iter::once(name)));
        assert_eq!(mx("aspmx.l.google.com.").as_deref(), Some("gmail"));
        assert_eq!(
            mx("shop-test.mail.protection.outlook.com").as_deref(),
            Some("microsoft")
        );
        assert_eq!(mx("mx.yandex.net").as_deref(), Some("yandex"));
        assert_eq!(mx("emx.mail.ru").as_deref(), Some("mailru"));
        assert_eq!(mx("mx.notgoogle.com"), None);
        assert_eq!(mx("google.com.evil.test"), None);
        let local = by_id("yahoojp").unwrap().user_of("anna@yahoo.co.jp");
        assert_eq!(local.as_deref(), Some("anna"));
        assert_eq!(
            by_id("yandex").unwrap().help_url("ja"),
            by_id("yandex").unwrap().help_url("ru")
        );
    }
}
