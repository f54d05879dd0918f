//! Links between documents: a relative link leads to a file, and its anchor to a heading; every
//! decision is in the index of decisions.
//!
//! **Absent:** links to other sites. Tests need no network.

use super::{Finding, SourceFile};

const CHECK: &str = "links";

const DECISIONS: &str = "docs/decisions/";

/// `exists` answers for a path relative to the root: a link may lead to a folder or to data.
pub fn check(files: &[SourceFile], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.has_extension(&["md"])) {
        for (line, target) in targets(&file.text) {
            if let Some(what) = fault(file, target, files, &exists) {
                findings.push(Finding::error(
                    CHECK,
                    &file.path,
                    line,
                    what,
                    "correct the link, or write the page",
                ));
            }
        }
    }
    findings.extend(decisions_left_out(files));
    findings
}

/// Pages `NNNN-title.md` that the index does not link.
fn decisions_left_out(files: &[SourceFile]) -> Vec<Finding> {
    let index = files
        .iter()
        .find(|file| file.path == format!("{DECISIONS}README.md"));
    let listed: Vec<&str> = index.map_or(Vec::new(), |index| {
        targets(&index.text).into_iter().map(|(_, t)| t).collect()
    });
    files
        .iter()
        .filter_map(|file| Some((file, file.path.strip_prefix(DECISIONS)?)))
        .filter(|(_, name)| name.starts_with(|c: char| c.is_ascii_digit()))
        .filter(|(_, name)| !listed.contains(name))
        .map(|(file, _)| {
            Finding::error(
                CHECK,
                &file.path,
                1,
                "the decision is not in the index",
                "add a row to docs/decisions/README.md",
            )
        })
        .collect()
}

fn fault(
    file: &SourceFile,
    target: &str,
    files: &[SourceFile],
    exists: impl Fn(&str) -> bool,
) -> Option<String> {
    let elsewhere = target.contains("://") || target.starts_with("mailto:");
    if elsewhere || target.is_empty() {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let Some(resolved) = resolve(&file.path, path) else {
        return Some(format!("`{target}` leads out of the tree"));
    };
    if !path.is_empty() && !exists(&resolved) {
        return Some(format!("`{target}` leads to nothing"));
    }
    let anchor = anchor?;
    let page = files.iter().find(|f| f.path == resolved)?;
    let known = !page.has_extension(&["md"]) || anchors(&page.text).any(|a| a == anchor);
    (!known).then(|| format!("`{target}`: the page has no heading `#{anchor}`"))
}

/// The link's path from the root; `None` when it climbs above it.
fn resolve(from: &str, path: &str) -> Option<String> {
    if path.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    if !path.starts_with('/') {
        parts.extend(from.split('/'));
        parts.pop();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Lines outside code fences, numbered from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((index + 1, line))
    })
}

/// Targets of `[text](target)` and `[label]: target`, outside code.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Odd parts between backticks are code.
        for part in line.split('`').step_by(2) {
            for (at, _) in part.match_indices("](") {
                let target = &part[at + 2..];
                let end = target.find([')', ' ']).unwrap_or(target.len());
                found.push((number, &target[..end]));
            }
        }
        // A link whose text is code is cut by its backticks: `[`x`](y)` leaves `](y)` in an even part.
        let definition = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            found.push((number, target.split_whitespace().next().unwrap_or("")));
        }
    }
    found
}

/// The anchors that a page's headings get: lower case, spaces to hyphens, punctuation left out.
fn anchors(text: &str) -> impl Iterator<Item = String> + '_ {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                })
                .collect()
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    fn found(text: &str) -> String {
        let files = [
            file("docs/A.md", text),
            file(
                "docs/B.md",
                "# The `B` page, first\n```\n# not a heading\n```\n",
            ),
        ];
        let exists = |path: &str| ["docs/B.md", "docs/A.md", "crates", "README.md"].contains(&path);
        shown(&check(&files, exists))
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        assert_eq!(
            found(
                "# Top\n[b](B.md) [`code`](./B.md#the-b-page-first) [up](../crates/) [r](/README.md)\n\
                 [self](#top) [site](https://example.com/x) <https://example.com>\n\
                 `[not](a-link.md)`\n```\n[nor](this.md)\n```\n[b]: B.md \"title\"\n"
            ),
            ""
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_found_with_their_line() {
        assert_eq!(
            found("\n[x](C.md) [y](B.md#nothing)\n[z](../../x.md)\n[label]: D.md\n"),
            "docs/A.md:2 `C.md` leads to nothing\n\
             docs/A.md:2 `B.md#nothing`: the page has no heading `#nothing`\n\
             docs/A.md:3 `../../x.md` leads out of the tree\n\
             docs/A.md:4 `D.md` leads to nothing\n"
        );
    }

    #[test]
    fn a_decision_outside_the_index_is_found() {
        let files = [
            file("docs/decisions/README.md", "| [0001](0001-a.md) | A |\n"),
            file("docs/decisions/0001-a.md", "# A\n"),
            file("docs/decisions/0002-b.md", "# B\n"),
        ];
        assert_eq!(
            shown(&check(&files, |_| true)),
            "docs/decisions/0002-b.md:1 the decision is not in the index\n"
        );
    }
}
