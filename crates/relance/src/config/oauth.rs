//! What this server is called at providers of mail. **Absent:** the agreement itself (see [`oauth`](crate::oauth)).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigProblem, Credential, SecretConfig};

/// What this server is called at providers of mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OauthClientsConfig {
    /// At Google.
    pub google: Option<OauthClientConfig>,
    /// At Microsoft.
    pub microsoft: Option<OauthClientConfig>,
}

/// What this server is called at one of them, and what proves it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthClientConfig {
    /// Its name there.
    pub client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    #[serde(skip)]
    shut: Option<String>,
    /// The directory of one company, at Microsoft; everybody's by default.
    #[serde(rename = "tenant")]
    pub directory: Option<String>,
}

impl std::fmt::Debug for OauthClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OauthClientConfig({})", self.client_id)
    }
}

impl OauthClientConfig {
    /// With a secret that is at hand.
    pub fn new(
        client_id: String,
        client_secret: Option<String>,
        directory: Option<String>,
    ) -> Self {
        Self {
            client_id,
            client_secret,
            client_secret_file: None,
            shut: None,
            directory,
        }
    }

    /// Its secret is sealed and does not open, for this reason.
    pub fn shut(self, reason: String) -> Self {
        Self {
            shut: Some(reason),
            ..self
        }
    }

    /// Why the secret does not open, where it is sealed.
    pub fn why_shut(&self) -> Option<&str> {
        self.shut.as_deref()
    }

    /// Whether there is a secret.
    pub const fn has_secret(&self) -> bool {
        self.shut.is_some() || self.client_secret.is_some() || self.client_secret_file.is_some()
    }

    /// The secret of another takes its place.
    pub fn with_secret_of(self, other: &Self) -> Self {
        Self {
            client_secret: other.client_secret.clone(),
            client_secret_file: other.client_secret_file.clone(),
            ..self
        }
    }

    /// The secret, if one is set.
    pub fn secret(&self, field: &str, base: &Path) -> Result<Option<String>, ConfigProblem> {
        let file = SecretConfig {
            password: self.client_secret.clone(),
            password_file: self.client_secret_file.clone(),
            shut: self.shut.clone(),
            ..SecretConfig::default()
        };
        Ok(file.read(field, base)?.map(|secret| match secret {
            Credential::Password(secret) | Credential::Token(secret) => secret,
        }))
    }
}
