//! Segments: named groups of contacts, kept as what happens changes who belongs to them.
//!
//! A segment is a condition over one contact, or a list that people and programs keep. What may change a
//! verdict is indexed (see `world::segments`), so that an event costs nothing for segments that it does not
//! concern; when time alone may change it, the verdict says when to look again.
//!
//! **Absent:** who belongs where, which is stored a row for each member.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::condition::Condition;
use crate::ids::SegmentId;
use crate::value::Value;

/// Segments that may name one another, each the next.
pub const SEGMENT_DEPTH_MAX: u32 = 16;

/// A published segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Which one.
    pub id: SegmentId,
    /// What people call it.
    pub name: String,
    /// Who belongs to it.
    pub rule: Rule,
    /// What a member's trait becomes when it comes in: a grade, a stage.
    pub sets: Option<(Box<str>, Value)>,
    /// Whether journeys hear of those who come in or leave because the definition changed. Otherwise only
    /// what happens to a contact, and time, let it come in or leave for them.
    pub announce: bool,
}

/// Who belongs to a segment.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Whoever a condition holds for.
    When(Condition),
    /// Whoever was put in, until taken out.
    Listed,
}

impl Segment {
    /// The condition, if membership is computed.
    pub fn condition(&self) -> Option<&Condition> {
        match &self.rule {
            Rule::When(condition) => Some(condition),
            Rule::Listed => None,
        }
    }
}

/// How a contact stands to a segment. Without a record it is no member, and time alone changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Membership {
    /// Whether it belongs to it.
    pub member: bool,
    /// When time alone may change that; a timer is set for it.
    pub due: Option<Timestamp>,
}

/// How a contact stands to segments, by id; one that is missing was not asked for or has no record.
pub type Memberships = BTreeMap<SegmentId, Membership>;

/// The name of a segment among the timers of a contact.
pub fn timer_hash(id: &SegmentId) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_str().as_bytes())
}

/// Why segments cannot be in force together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentsProblem {
    /// Segments name one another in a circle.
    #[error("segments name one another in a circle: {}; take one `in_segment` out", path(.0))]
    Circle(Vec<SegmentId>),
    /// Segments name one another too far.
    #[error(
        "more than {SEGMENT_DEPTH_MAX} segments name one another in a row: {}; join some of them",
        path(.0)
    )]
    Deep(Vec<SegmentId>),
}

fn path(ids: &[SegmentId]) -> String {
    let ids: Vec<&str> = ids.iter().map(SegmentId::as_str).collect();
    ids.join(" -> ")
}

/// Checks that segments can be in force together: none asks, through others, for itself.
///
/// # Errors
/// With the circle, its first segment again at its end.
pub fn check<'s>(segments: impl Iterator<Item = &'s Segment>) -> Result<(), SegmentsProblem> {
    let named = |segment: &Segment| {
        let mut asks = crate::condition::Asks::default();
        if let Some(condition) = segment.condition() {
            condition.asks(&mut asks);
        }
        asks.segments.into_iter().collect::<Vec<SegmentId>>()
    };
    let names: BTreeMap<&SegmentId, Vec<SegmentId>> =
        segments.map(|one| (&one.id, named(one))).collect();
    let mut done: BTreeSet<&SegmentId> = BTreeSet::new();
    for first in names.keys().copied() {
        // The way from the first, each with the place of the next that it names.
        let mut way: Vec<(&SegmentId, usize)> = vec![(first, 0)];
        while let Some((id, at)) = way.last_mut() {
            let next = names.get(*id).and_then(|list| list.get(*at));
            *at += 1;
            let Some(next) = next else {
                done.extend(way.pop().map(|(id, _)| id));
                continue;
            };
            if let Some(begin) = way.iter().position(|(id, _)| *id == next) {
                let circle = way.iter().skip(begin).map(|(id, _)| (*id).clone());
                return Err(SegmentsProblem::Circle(
                    circle.chain([next.clone()]).collect(),
                ));
            }
            if way.len() >= SEGMENT_DEPTH_MAX as usize {
                let deep = way.iter().map(|(id, _)| (*id).clone());
                return Err(SegmentsProblem::Deep(deep.collect()));
            }
            if !done.contains(next) {
                way.push((next, 0));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, names: &[&str]) -> Segment {
        let named = names
            .iter()
            .map(|name| Condition::InSegment((*name).into()));
        Segment {
            id: id.into(),
            name: id.to_owned(),
            rule: Rule::When(Condition::All(named.collect())),
            sets: None,
            announce: false,
        }
    }

    #[test]
    fn a_circle_is_named() {
        let told = |segments: &[Segment]| check(segments.iter()).map_err(|error| error.to_string());
        let good = [
            segment("a", &["b", "c"]),
            segment("b", &["c"]),
            segment("c", &["list"]),
        ];
        assert_eq!(told(&good), Ok(()));
        let circle = [
            segment("a", &["b"]),
            segment("b", &["c"]),
            segment("c", &["b"]),
        ];
        let expected =
            "segments name one another in a circle: b -> c -> b; take one `in_segment` out";
        assert_eq!(told(&circle), Err(expected.to_owned()));
        assert!(
            told(&[segment("a", &["a"])])
                .unwrap_err()
                .contains("a -> a")
        );
        let long: Vec<Segment> = (0..40)
            .map(|n| segment(&format!("s{n:02}"), &[&format!("s{:02}", n + 1)]))
            .collect();
        assert!(told(&long).unwrap_err().contains("in a row: s00 -> s01"));
    }
}
