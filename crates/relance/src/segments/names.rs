//! Which segments a text names, and on which line: journeys and segments alike.
//!
//! It looks at the YAML and not at what it means, so that a problem can name its line. **Absent:** whether
//! the text is right; a text that is no YAML names nothing.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::ids::SegmentId;
use relance_wire::yaml::{self, Data, Node};

/// Letters in which two names may differ and one be taken for the other's misspelling, for each three of them.
const LETTERS_PER_SLIP: usize = 3;

/// A segment that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which.
    pub id: SegmentId,
    /// Line, from 1.
    pub line: usize,
}

/// The segments that a text names, in order of lines.
pub fn named(text: &str) -> Vec<Named> {
    let Ok(root) = yaml::parse(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open: Vec<(&Node, bool)> = vec![(&root, false)];
    while let Some((node, of_schedule)) = open.pop() {
        match &node.data {
            Data::Scalar { .. } => {}
            Data::List(list) => open.extend(list.iter().map(|one| (one, of_schedule))),
            Data::Map(pairs) => {
                let scheduled = pairs.iter().any(|pair| pair.key == "schedule");
                for pair in pairs {
                    let names = match pair.key.as_str() {
                        "in_segment" | "segment_entered" | "segment_left" => true,
                        "segment" => scheduled || of_schedule,
                        _other => false,
                    };
                    if names {
                        ids(&pair.value, &mut found);
                    }
                    open.push((&pair.value, pair.key == "schedule"));
                }
            }
        }
    }
    found.sort_by(|a: &Named, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
    found
}

/// One name, or a list of them.
fn ids(node: &Node, found: &mut Vec<Named>) {
    let one = |node: &Node| match &node.data {
        Data::Scalar { text, .. } => Some(Named {
            id: SegmentId::from(text.as_str()),
            line: node.line,
        }),
        Data::List(_) | Data::Map(_) => None,
    };
    match &node.data {
        Data::List(list) => found.extend(list.iter().filter_map(one)),
        Data::Scalar { .. } | Data::Map(_) => found.extend(one(node)),
    }
}

/// The known name that is most like another, if one is.
pub fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a SegmentId>,
) -> Option<&'a SegmentId> {
    let slips = |other: &SegmentId| distance(name, other.as_str());
    let most = name.chars().count().div_ceil(LETTERS_PER_SLIP).min(3);
    let near = known.into_iter().map(|other| (slips(other), other));
    let best = near.min_by_key(|(slips, _)| *slips)?;
    (best.0 <= most).then_some(best.1)
}

/// Letters to insert, leave out or change.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let change = above[column] + usize::from(a != *b);
            let shorter = line[column].min(above[column + 1]) + 1;
            line.push(change.min(shorter));
        }
        above = line;
    }
    above.last().copied().unwrap_or(0)
}

/// These segments, each after those that it asks about.
pub fn in_order(
    wanted: &BTreeSet<SegmentId>,
    asks: &BTreeMap<SegmentId, BTreeSet<SegmentId>>,
) -> Vec<SegmentId> {
    let mut ordered: Vec<SegmentId> = Vec::new();
    let mut left: BTreeSet<&SegmentId> = wanted.iter().collect();
    while !left.is_empty() {
        let free: Vec<&SegmentId> = left
            .iter()
            .filter(|id| {
                let mut asked = asks.get(**id).into_iter().flatten();
                !asked.any(|other| other != **id && left.contains(other))
            })
            .copied()
            .collect();
        if free.is_empty() {
            // A circle is refused before; whoever asks all the same gets an order that ends.
            ordered.extend(left.iter().map(|id| (*id).clone()));
            break;
        }
        for id in free {
            left.remove(id);
            ordered.push(id.clone());
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SegmentId {
        SegmentId::from(text)
    }

    fn asks(pairs: &[(&str, &[&str])]) -> BTreeMap<SegmentId, BTreeSet<SegmentId>> {
        let set = |ids: &&[&str]| ids.iter().map(|one| id(one)).collect();
        pairs.iter().map(|(one, of)| (id(one), set(of))).collect()
    }

    #[test]
    fn names_are_found_with_their_lines() {
        let text = "format: journey/1\nid: j\ntrigger: { segment_entered: vip }\nexit:\n  - { event: E, segment: no }\n\
                    steps:\n  - branch:\n      - if:\n          any:\n            - in_segment: asleep\n            - not: { in_segment: new }\n";
        let found: Vec<(String, usize)> = named(text)
            .into_iter()
            .map(|one| (one.id.to_string(), one.line))
            .collect();
        let expected = [("vip", 3), ("asleep", 10), ("new", 11)];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
        let scheduled = "trigger:\n  schedule: { every: week }\n  segment: vip\n";
        assert_eq!(named(scheduled).len(), 1);
        assert!(named("a: [").is_empty());
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_name() {
        let known = [id("vip"), id("asleep-30"), id("new-customers")];
        assert_eq!(nearest("vpi", &known), None, "two slips in three letters");
        assert_eq!(nearest("vip2", &known), Some(&known[0]));
        assert_eq!(nearest("aslep-30", &known), Some(&known[1]));
        assert_eq!(nearest("nwe-customer", &known), Some(&known[2]));
        assert_eq!(nearest("something-else", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn what_is_asked_about_comes_first() {
        let good = asks(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        let wanted = [id("a"), id("b"), id("c")].into();
        assert_eq!(in_order(&wanted, &good), [id("c"), id("b"), id("a")]);
        let wanted = [id("a"), id("b")].into();
        assert_eq!(in_order(&wanted, &good), [id("b"), id("a")]);
        // A circle is refused elsewhere; an order comes to an end all the same.
        let bad = asks(&[("a", &["b"]), ("b", &["a"])]);
        assert_eq!(in_order(&wanted, &bad).len(), 2);
    }
}
