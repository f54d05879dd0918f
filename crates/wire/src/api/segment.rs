//! Segments as they are given out: in lists, tried out, and why somebody belongs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How far the members of a segment are told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BuildProgress {
    /// Contacts that were looked at.
    pub looked_at: u64,
    /// Of so many.
    pub contacts: u64,
    /// The same from 0 to 1.
    pub share: f64,
    /// Since when.
    pub since: String,
}

/// A segment in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentSummary {
    /// Its id.
    pub id: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `condition` or `list`.
    pub kind: String,
    /// How many belong.
    pub members: u64,
    /// `ready` or `building`.
    pub state: String,
    /// While it is being built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<BuildProgress>,
    /// When its definition changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Journeys hear of those who come in because the definition changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announce: Option<bool>,
    /// The trait that it sets, as grades do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub sets: Option<BTreeMap<String, Value>>,
}

/// Who asks about a segment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentUsers {
    /// Journeys in force.
    pub journeys: Vec<String>,
    /// Other segments.
    pub segments: Vec<String>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentShown {
    /// What a list tells of it.
    #[serde(flatten)]
    pub summary: SegmentSummary,
    /// Its definition; a list that nobody defined has none.
    #[schema(required)]
    pub text: Option<String>,
    /// Who asks about it.
    pub used_by: SegmentUsers,
    /// Which state of the text this is, to be sent as `If-Match` with the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// A number, exact or estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Estimate)]
pub struct EstimateShown {
    /// The number, or what it probably is.
    pub count: u64,
    /// It is hardly less.
    pub low: u64,
    /// It is hardly more.
    pub high: u64,
    /// Whether everyone was looked at.
    pub exact: bool,
}

/// A contact in a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactBrief {
    /// `con_` and a number.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Who would belong to one segment of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentTried {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `condition` or `list`.
    pub kind: String,
    /// Who would belong; of a list nothing is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<EstimateShown>,
    /// Of these, contacts that do not belong now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entering: Option<EstimateShown>,
    /// Those who belong now and would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaving: Option<EstimateShown>,
    /// Some of those who would belong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Vec<ContactBrief>>,
}

/// A definition that was tried out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DefinitionTried {
    /// What it defines.
    pub segments: Vec<SegmentTried>,
    /// Contacts there are.
    pub contacts: u64,
    /// Contacts that were looked at.
    pub looked_at: u64,
    /// Whether that is everyone.
    pub exact: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// A part of a condition: whether it holds, and what is known.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConditionPart {
    /// `all`, `any`, `not`, `field`, `did`, `in_segment`, `has`, `rfm`, `engaged`, `list`.
    pub what: String,
    /// Whether it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// Until when it stays so at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The parts of `all`, `any`, `not`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, no_recursion)]
    pub parts: Vec<ConditionPart>,
    /// The field that is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The event that is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The segment that is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The sort of objects that is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is asked, in the words of the language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Value>,
    /// The value that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// How many are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<u64>,
    /// When the last was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// How a contact stands to a segment, and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MembershipExplained {
    /// Which segment.
    pub segment: String,
    /// Which contact.
    pub contact: String,
    /// Whether it belongs.
    pub member: bool,
    /// The condition and its parts.
    pub because: ConditionPart,
    /// When time alone may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at_again: Option<String>,
}

/// How a contact stands to a segment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Membership {
    /// Which segment.
    pub id: String,
    /// Whether it belongs.
    pub member: bool,
    /// The segment's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When time alone may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at_again: Option<String>,
}

/// What became of a list that people keep.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ListChanged {
    /// Which list.
    pub id: String,
    /// Contacts that were put in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    /// Contacts that were taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// Names that nobody has.
    pub unknown: Vec<String>,
}

/// Segments that went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentsRemoved {
    /// Their ids.
    pub removed: Vec<String>,
}

/// The edges of the fifths.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RfmBounds {
    /// Days since the last order.
    #[schema(value_type = Vec<f64>)]
    pub recency_days: Value,
    /// Orders.
    #[schema(value_type = Vec<f64>)]
    pub orders: Value,
    /// Money.
    #[schema(value_type = Vec<f64>)]
    pub money: Value,
}

/// Recency, frequency and money: the bounds in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Rfm {
    /// The bounds, when there were orders enough.
    #[schema(required)]
    pub bounds: Option<RfmBounds>,
    /// Contacts that ordered.
    pub customers: u64,
    /// When they were told.
    #[schema(required)]
    pub at: Option<String>,
    /// What an order is, by the configuration.
    #[schema(value_type = Object)]
    pub order: Value,
}
