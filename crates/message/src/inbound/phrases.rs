//! Lists of patterns, matched fast: one pass finds which patterns can match at all, and only
//! those are run.
//!
//! Each pattern is taken apart into its alternatives; from each the literals are taken of which
//! any match must contain one, and all of them go into one automaton. A text without the word
//! "quota" never meets the patterns about quotas. **Invariant:** texts are given in lower case,
//! and patterns are written in it; capitals are refused when the list is built.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Most patterns of one list.
pub const PATTERNS_MAX: usize = 1_000;
/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 4_000;
/// Most alternatives of all patterns of a list.
const ALTERNATIVES_MAX: usize = 10_000;
/// Most literals one alternative may be looked for by.
const LITERALS_MAX: usize = 64;
/// Most states an alternative may come to, estimated; far under what the compiler refuses.
const STATES_MAX: usize = 100_000;
/// Largest compiled automaton of one alternative, in bytes.
const AUTOMATON_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How patterns see a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// `^` and `$` at every line.
    Text,
    /// One line: `^` and `$` at its ends only.
    Line,
}

/// A compiled list.
#[derive(Debug, Clone)]
pub(super) struct Phrases {
    /// Alternatives in the order of the list.
    alternatives: Vec<Alternative>,
    /// Finds literals; `None` when no alternative has any.
    gate: Option<AhoCorasick>,
    /// Alternative of each literal of the gate.
    gated: Vec<usize>,
    /// Alternatives without literals: always run.
    open: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Alternative {
    /// Index of its pattern in the list.
    pattern: usize,
    source: String,
    /// Compiled when a text first comes this far; most never do.
    regex: OnceLock<Option<Regex>>,
}

impl Alternative {
    /// `None` cannot happen for what [`alternatives`] let pass; it would match nothing.
    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                RegexBuilder::new(&self.source)
                    .size_limit(AUTOMATON_BYTES_MAX)
                    .build()
                    .ok()
            })
            .as_ref()
    }

    fn is_match(&self, lower: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(lower))
    }
}

impl Phrases {
    /// Compiles; problems name the pattern's place.
    pub fn new(
        key: &str,
        patterns: &[String],
        scope: Scope,
        problems: &mut Vec<String>,
    ) -> Phrases {
        let mut phrases = Phrases {
            alternatives: Vec::new(),
            gate: None,
            gated: Vec::new(),
            open: Vec::new(),
        };
        let mut literals: Vec<Vec<u8>> = Vec::new();
        if patterns.len() > PATTERNS_MAX {
            problems.push(format!(
                "{key} has more than {PATTERNS_MAX} patterns, split the list"
            ));
            return phrases;
        }
        for (at, pattern) in patterns.iter().enumerate() {
            match alternatives(pattern, scope) {
                Ok(found) => {
                    for (source, required) in found {
                        phrases.push(at, source, required, &mut literals);
                    }
                }
                Err(problem) => problems.push(format!("{key}[{at}]: {problem}")),
            }
        }
        if phrases.alternatives.len() > ALTERNATIVES_MAX {
            problems.push(format!(
                "{key} has more than {ALTERNATIVES_MAX} alternatives, shorten it"
            ));
        }
        if !literals.is_empty() {
            match AhoCorasick::new(&literals) {
                Ok(gate) => phrases.gate = Some(gate),
                Err(error) => problems.push(format!("{key}: {error}")),
            }
        }
        phrases
    }

    fn push(
        &mut self,
        pattern: usize,
        source: String,
        required: Option<Vec<Vec<u8>>>,
        literals: &mut Vec<Vec<u8>>,
    ) {
        let at = self.alternatives.len();
        self.alternatives.push(Alternative {
            pattern,
            source,
            regex: OnceLock::new(),
        });
        match required {
            Some(required) => {
                for literal in required {
                    literals.push(literal);
                    self.gated.push(at);
                }
            }
            None => self.open.push(at),
        }
    }

    /// Alternatives that can match, in order.
    fn candidates(&self, lower: &str) -> Vec<usize> {
        let mut found = self.open.clone();
        if let Some(gate) = &self.gate {
            let mut seen = vec![false; self.alternatives.len()];
            for hit in gate.find_overlapping_iter(lower) {
                let at = self.gated[hit.pattern().as_usize()];
                if !seen[at] {
                    seen[at] = true;
                    found.push(at);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether every alternative compiles: what the shipped lists are tested for.
    #[cfg(test)]
    pub fn all_compile(&self) -> bool {
        self.alternatives.iter().all(|one| one.regex().is_some())
    }

    /// Index of the first pattern of the list that matches.
    pub fn first(&self, lower: &str) -> Option<usize> {
        self.candidates(lower)
            .into_iter()
            .map(|at| &self.alternatives[at])
            .find(|alternative| alternative.is_match(lower))
            .map(|alternative| alternative.pattern)
    }

    pub fn is_match(&self, lower: &str) -> bool {
        self.first(lower).is_some()
    }

    /// Indices of all patterns that match, each once, in order.
    pub fn all(&self, lower: &str) -> Vec<usize> {
        let mut found: Vec<usize> = self
            .candidates(lower)
            .into_iter()
            .map(|at| &self.alternatives[at])
            .filter(|alternative| alternative.is_match(lower))
            .map(|alternative| alternative.pattern)
            .collect();
        found.dedup();
        found
    }

    /// Offset in `lower` of the earliest match of any pattern.
    pub fn earliest(&self, lower: &str) -> Option<usize> {
        self.candidates(lower)
            .into_iter()
            .filter_map(|at| self.alternatives[at].regex()?.find(lower))
            .map(|found| found.start())
            .min()
    }
}

/// The source of an alternative, and the literals it needs.
type Checked = (String, Option<Vec<Vec<u8>>>);

fn alternatives(pattern: &str, scope: Scope) -> Result<Vec<Checked>, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!(
            "pattern over {PATTERN_BYTES_MAX} bytes, shorten it"
        ));
    }
    let hir = ParserBuilder::new()
        .multi_line(scope == Scope::Text)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    if has_capitals(&hir) {
        return Err(format!(
            "`{pattern}` has capital letters, write it in lower case"
        ));
    }
    let parts = match hir.kind() {
        HirKind::Alternation(parts) => parts.clone(),
        _ => vec![hir],
    };
    if parts.iter().any(|part| states(part) > STATES_MAX) {
        return Err("pattern repeats too much, lower its counts".to_owned());
    }
    Ok(parts
        .iter()
        .map(|part| {
            (
                part.to_string(),
                required(part).filter(|set| selective(set)),
            )
        })
        .collect())
}

/// A rough upper bound of the states a pattern compiles to.
fn states(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => 4 * class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.max(1)).max(1);
            states(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(1usize, |sum, part| sum.saturating_add(states(part))),
    }
}

fn has_capitals(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).is_ok_and(|text| text.chars().any(char::is_uppercase))
        }
        HirKind::Repetition(repetition) => has_capitals(&repetition.sub),
        HirKind::Capture(capture) => has_capitals(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_capitals),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Literals of which every match contains at least one.
fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|set| {
            let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
            (shortest, usize::MAX - set.len())
        }),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(required(part)?);
                if all.len() > LITERALS_MAX {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Single letters occur everywhere: they gate nothing and cost a stop each.
fn selective(set: &[Vec<u8>]) -> bool {
    set.iter().all(|literal| match literal.as_slice() {
        [] => false,
        [byte] => !byte.is_ascii_alphanumeric() && !byte.is_ascii_whitespace(),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(patterns: &[&str]) -> Phrases {
        let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        let mut problems = Vec::new();
        let phrases = Phrases::new("test", &patterns, Scope::Text, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        phrases
    }

    #[test]
    fn the_gate_lets_through_what_the_patterns_match() {
        let phrases = list(&[
            r"over[^\n]{0,9}quota|mail ?box full",
            r"\d{3} no|user\s+unknown",
            r"^x+$",
            "переполнен",
        ]);
        for (text, first) in [
            ("over the quota", Some(0)),
            ("mailbox full", Some(0)),
            ("550 no", Some(1)),
            ("a user  unknown", Some(1)),
            ("a\nxxx\nb", Some(2)),
            ("ящик переполнен", Some(3)),
            ("over\nquota", None),
            ("", None),
        ] {
            assert_eq!(phrases.first(text), first, "{text}");
            assert_eq!(phrases.is_match(text), first.is_some(), "{text}");
        }
        assert!(phrases.all_compile());
        assert_eq!(phrases.all("user unknown, mailbox full"), [0, 1]);
        assert_eq!(phrases.earliest("ab user unknown"), Some(3));
    }

    #[test]
    fn capitals_and_broken_patterns_are_refused_with_their_place() {
        let mut problems = Vec::new();
        let patterns = ["ok", "Quota", "(", r"(?:\w{500}){500}"].map(str::to_owned);
        Phrases::new("list", &patterns, Scope::Line, &mut problems);
        assert!(problems[0].starts_with("list[1]"), "{problems:?}");
        assert!(problems[1].starts_with("list[2]"), "{problems:?}");
        assert!(problems[2].contains("repeats too much"), "{problems:?}");
    }
}
