//! Parts of the configuration that people change in the interface.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A section in the list of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SectionListed {
    /// Which.
    pub id: String,
    /// Whose word it is: `here` (changed in the interface), `file` (relance.toml), `default` (nobody's).
    pub origin: String,
    /// The state that it is in, for `If-Match`.
    pub revision: String,
    /// Who changed it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

impl From<SectionShown> for SectionListed {
    fn from(shown: SectionShown) -> Self {
        Self {
            id: shown.section,
            origin: shown.origin,
            revision: shown.revision,
            changed_by: shown.changed_by,
            changed_at: shown.changed_at,
        }
    }
}

/// A section, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SettingsSection)]
pub struct SectionShown {
    /// Which.
    pub section: String,
    /// What is in force; `{"set": true}` stands for a secret.
    #[schema(value_type = Object)]
    pub value: Value,
    /// What would be without the change that was made here.
    #[schema(value_type = Object)]
    pub file_value: Value,
    /// Whose word it is: `here` (changed in the interface), `file` (relance.toml), `default` (nobody's).
    pub origin: String,
    /// The state that it is in, for `If-Match`.
    pub revision: String,
    /// Who changed it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

/// What a section says from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SettingsSectionPut)]
#[serde(deny_unknown_fields)]
pub struct SectionPut {
    /// All of it. A secret that is left out stays, `null` takes it away.
    #[schema(value_type = Object)]
    pub value: Value,
}
