//! Many phrases looked for at once in a page's tokens, in one pass.
//!
//! In a phrase `word*` stands for any ending, `{n}` for a number, with an optional aside in brackets
//! behind it ("5 (five) days"), and `{..}` for up to three words of one sentence. A line break counts
//! as a space. **Absent:** anything that
//! backtracks without bound: a branch is as deep as the longest phrase.

use std::collections::BTreeMap;

use super::text::{Page, TokenKind};

/// Tokens of an aside in brackets behind a number.
const ASIDE_TOKENS_MAX: usize = 8;
/// Tokens that `{..}` may stand for.
const GAP_TOKENS_MAX: usize = 3;
// Private characters carry the marks of a phrase through normalisation.
const MARK_NUMBER: &str = "\u{e000}";
const MARK_ENDING: &str = "\u{e001}";
const MARK_GAP: &str = "\u{e002}";

/// A tree of phrases, each with a value.
#[derive(Clone, Debug)]
pub(crate) struct Phrases<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    words: BTreeMap<String, usize>,
    prefixes: BTreeMap<String, usize>,
    number: Option<usize>,
    gap: Option<usize>,
    values: Vec<T>,
}

impl<T> Node<T> {
    const fn new() -> Self {
        Self {
            words: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            number: None,
            gap: None,
            values: Vec::new(),
        }
    }
}

/// A phrase found: tokens `first..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit<T> {
    pub first: usize,
    pub end: usize,
    pub value: T,
    pub number: Option<u32>,
}

impl<T: Copy> Phrases<T> {
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::new()],
        }
    }

    /// Adds a phrase; `false` when it holds no word.
    pub fn add(&mut self, phrase: &str, value: T) -> bool {
        let marked = phrase
            .replace("{n}", &format!(" {MARK_NUMBER} "))
            .replace("{..}", &format!(" {MARK_GAP} "))
            .replace('*', MARK_ENDING);
        let page = Page::new(&marked);
        let mut at = 0;
        let mut index = 0;
        // The point of a shortened word is left out: "no." within "order no" must not outlast it.
        let mut end = page.tokens.len();
        while end > 1 && page.word(end - 1) == "." {
            end -= 1;
        }
        while index < end {
            let word = page.word(index).to_owned();
            let starred = page.word(index + 1) == MARK_ENDING;
            let next = self.nodes.len();
            let node = &mut self.nodes[at];
            let slot = if word == MARK_NUMBER {
                *node.number.get_or_insert(next)
            } else if word == MARK_GAP {
                *node.gap.get_or_insert(next)
            } else if starred {
                index += 1;
                *node.prefixes.entry(word).or_insert(next)
            } else {
                *node.words.entry(word).or_insert(next)
            };
            if slot == next {
                self.nodes.push(Node::new());
            }
            at = slot;
            index += 1;
        }
        if at == 0 {
            return false;
        }
        self.nodes[at].values.push(value);
        true
    }

    /// All phrases that start anywhere, in order of their first token.
    pub fn find(&self, page: &Page) -> Vec<Hit<T>> {
        let mut hits = Vec::new();
        for first in 0..page.tokens.len() {
            self.walk(page, first, first, 0, None, &mut hits);
        }
        hits
    }

    fn walk(
        &self,
        page: &Page,
        first: usize,
        at: usize,
        node: usize,
        number: Option<u32>,
        hits: &mut Vec<Hit<T>>,
    ) {
        let node = &self.nodes[node];
        hits.extend(node.values.iter().map(|value| Hit {
            first,
            end: at,
            value: *value,
            number,
        }));
        let Some(token) = page.tokens.get(at) else {
            return;
        };
        let word = page.word(at);
        if let Some(next) = node.gap {
            for skipped in 0..=GAP_TOKENS_MAX {
                self.walk(page, first, at + skipped, next, number, hits);
                if matches!(
                    page.word(at + skipped),
                    "." | "!" | "?" | ";" | "。" | "、" | ""
                ) {
                    break;
                }
            }
        }
        if let Some(next) = node.words.get(word) {
            self.walk(page, first, at + 1, *next, number, hits);
        }
        if token.kind == TokenKind::Word {
            for (prefix, next) in &node.prefixes {
                if word.starts_with(prefix.as_str()) {
                    self.walk(page, first, at + 1, *next, number, hits);
                }
            }
        }
        if token.kind == TokenKind::Digits
            && let Some(next) = node.number
            && let Ok(value) = word.parse()
        {
            self.walk(page, first, at + 1, next, Some(value), hits);
            if page.word(at + 1) == "("
                && let Some(aside) =
                    (at + 2..at + 2 + ASIDE_TOKENS_MAX).find(|index| page.word(*index) == ")")
            {
                self.walk(page, first, aside + 1, next, Some(value), hits);
            }
        }
    }
}

/// Keeps hits that no longer hit covers: "счет-фактура" is no "счет", "order no" no "no".
pub(crate) fn longest<T: Copy>(mut hits: Vec<Hit<T>>) -> Vec<Hit<T>> {
    hits.sort_by(|a, b| a.first.cmp(&b.first).then(b.end.cmp(&a.end)));
    let mut kept: Vec<Hit<T>> = Vec::with_capacity(hits.len());
    let mut covered_to = 0;
    for hit in hits {
        let same = kept
            .last()
            .is_some_and(|last| last.first == hit.first && last.end == hit.end);
        if hit.end > covered_to || same {
            covered_to = covered_to.max(hit.end);
            kept.push(hit);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrases: &[&str], text: &str) -> Vec<(usize, Option<u32>)> {
        let mut tree = Phrases::new();
        for (index, phrase) in phrases.iter().enumerate() {
            assert!(tree.add(phrase, index));
        }
        longest(tree.find(&Page::new(text)))
            .into_iter()
            .map(|hit| (hit.value, hit.number))
            .collect()
    }

    #[test]
    fn endings_numbers_and_the_longest() {
        assert_eq!(
            found(&["счет", "счет-фактур*"], "Счёт-фактура и счет"),
            [(1, None), (0, None)]
        );
        assert_eq!(
            found(&["коммерческ* предложени*"], "коммерческого\nпредложения"),
            [(0, None)]
        );
        let due = ["в течение {n} дней", "net {n}", "{n}日以内"];
        assert_eq!(
            found(&due, "в течение 5 (пяти) дней, net 30, 10日以内"),
            [(0, Some(5)), (1, Some(30)), (2, Some(10))]
        );
        let asking = ["пришлите {..} счет"];
        assert_eq!(found(&asking, "Пришлите нам, пожалуйста, счет"), []);
        assert_eq!(found(&asking, "Пришлите, пожалуйста, счет"), [(0, None)]);
        assert_eq!(found(&asking, "Пришлите счет"), [(0, None)]);
        assert_eq!(found(&asking, "Пришлите акт. Счет есть"), []);
        assert_eq!(found(&["請求書"], "御請求書類"), [(0, None)]);
        assert_eq!(found(&["invoice"], "invoices invoiced"), []);
    }

    #[test]
    fn an_empty_phrase_is_refused() {
        assert!(!Phrases::new().add("  ", 0));
    }
}
