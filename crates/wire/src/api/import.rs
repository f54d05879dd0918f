//! Imports as they are given out.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How much of a file was read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportBytes {
    /// Read.
    pub read: u64,
    /// Of so many.
    pub of: u64,
}

/// What became of rows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportCounts {
    /// Rows read, the head left out.
    pub rows: u64,
    /// Contacts that were new.
    pub created: u64,
    /// Contacts that changed.
    pub updated: u64,
    /// Rows that told nothing new.
    pub unchanged: u64,
    /// Rows that the mode left out.
    pub skipped: u64,
    /// Rows that could not be used.
    pub errors: u64,
    /// Cells that were left out of rows that were used.
    pub left_out: u64,
    /// Rows with an office's address.
    pub role: u64,
    /// Rows with an address that is thrown away.
    pub disposable: u64,
}

/// An import.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportJob {
    /// Its id.
    pub id: String,
    /// For people: the file's name.
    pub name: String,
    /// `uploaded`, `running`, `done`, `cancelled`, `failed`.
    pub state: String,
    /// When it was made.
    pub created_at: String,
    /// What the file turned out to be.
    #[schema(value_type = Object)]
    pub file: Value,
    /// What its columns become, in YAML.
    #[schema(required)]
    pub mapping: Option<String>,
    /// The last row that was taken.
    pub position: u64,
    /// How much was read.
    pub bytes: ImportBytes,
    /// What became of the rows.
    pub counts: ImportCounts,
    /// Why it did not go on.
    #[schema(required)]
    pub problem: Option<String>,
}

/// What a column probably is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportColumn {
    /// From 1.
    pub place: u64,
    /// Its head.
    #[schema(required)]
    pub head: Option<String>,
    /// Its name in the mapping.
    #[schema(required)]
    pub name: Option<String>,
    /// Some of its values.
    pub samples: Vec<String>,
    /// What it becomes.
    pub becomes: String,
    /// Why that is thought: `head`, `values`, ...
    pub why: String,
}

/// What the columns probably are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportSuggestion {
    /// What the file turned out to be.
    #[schema(value_type = Object)]
    pub file: Value,
    /// Column by column.
    pub columns: Vec<ImportColumn>,
    /// The mapping that says so, in YAML.
    pub mapping: String,
}

/// What an import would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportForecast {
    /// What would become of the rows.
    pub counts: ImportCounts,
    /// The first changes and errors.
    #[schema(value_type = Vec<Object>)]
    pub examples: Vec<Value>,
    /// Rows that name a contact of the file again may be counted as new.
    pub counts_are_rough: bool,
}
