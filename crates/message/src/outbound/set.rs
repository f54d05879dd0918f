//! All templates of a workspace, and the choice of a language for a contact.
//!
//! **Absent:** where the files come from, and which template a step names.

use std::collections::BTreeMap;

use super::problem::TemplateProblem;
use super::source::{SourceFormat, TemplateSource, normal_language};
use super::template::Template;

/// Templates of one set.
const TEMPLATES_MAX: usize = 2_000;

/// Compiled templates by id and language.
#[derive(Debug, Default)]
pub struct TemplateSet {
    /// The key of the default language is empty.
    templates: BTreeMap<String, BTreeMap<String, Template>>,
}

impl TemplateSet {
    /// Compiles files. A text file beside an MJML or HTML file of the same id and language becomes
    /// the text part of that one.
    ///
    /// # Errors
    /// All problems of all files at once.
    pub fn compile(sources: &[TemplateSource]) -> Result<Self, Vec<TemplateProblem>> {
        let mut problems = Vec::new();
        if sources.len() > TEMPLATES_MAX {
            problems.push(TemplateProblem::error(
                "",
                0,
                format!("more than {TEMPLATES_MAX} template files"),
                "remove those no journey uses",
            ));
            return Err(problems);
        }
        let mut pairs: BTreeMap<(&str, &str), Pair<'_>> = BTreeMap::new();
        for source in sources {
            let key = (
                source.id.as_str(),
                source.language.as_deref().unwrap_or_default(),
            );
            let pair = pairs.entry(key).or_default();
            let slot = match source.format {
                SourceFormat::Mjml | SourceFormat::Html => &mut pair.html,
                SourceFormat::Text => &mut pair.text,
            };
            if let Some(earlier) = slot.replace(source) {
                problems.push(TemplateProblem::error(
                    source.file(),
                    0,
                    format!("the same template and language as `{}`", earlier.file()),
                    "keep one of them",
                ));
            }
        }
        let mut set = Self::default();
        for ((id, language), pair) in pairs {
            let compiled = match (pair.html, pair.text) {
                (Some(html), text) => Template::compile_with_text(html, text),
                (None, Some(text)) => Template::compile(text),
                (None, None) => continue,
            };
            match compiled {
                Ok(template) => {
                    set.templates
                        .entry(id.to_owned())
                        .or_default()
                        .insert(language.to_owned(), template);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(set)
        } else {
            Err(problems)
        }
    }

    /// The template for a contact: his language (`pt-br`), its base (`pt`), the default file,
    /// English, and at last whichever exists.
    pub fn choose(&self, id: &str, language: Option<&str>) -> Option<&Template> {
        let languages = self.templates.get(id)?;
        let wanted = language.and_then(normal_language);
        let base = wanted.as_deref().and_then(|tag| tag.split('-').next());
        [wanted.as_deref(), base, Some(""), Some("en")]
            .into_iter()
            .flatten()
            .find_map(|tag| languages.get(tag))
            .or_else(|| languages.values().next())
    }

    /// All templates, by id and language.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.templates.values().flat_map(BTreeMap::values)
    }

    pub fn contains(&self, id: &str) -> bool {
        self.templates.contains_key(id)
    }
}

#[derive(Default)]
struct Pair<'a> {
    html: Option<&'a TemplateSource>,
    text: Option<&'a TemplateSource>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(files: &[(&str, &str)]) -> Result<TemplateSet, Vec<TemplateProblem>> {
        let sources: Vec<TemplateSource> = files
            .iter()
            .map(|(name, text)| TemplateSource::parse(name, text).expect("parses"))
            .collect();
        TemplateSet::compile(&sources)
    }

    #[test]
    fn languages_fall_back() {
        let head = "---\nsubject: a\n---\n";
        let set = set(&[
            ("w.ru.txt", head),
            ("w.pt.txt", head),
            ("w.txt", head),
            ("v.ja.txt", head),
            ("v.en.txt", head),
            ("u.ru.txt", head),
        ])
        .expect("compiles");
        let chosen = |id, language| set.choose(id, language).map(|t| t.language());
        assert_eq!(chosen("w", Some("ru_RU")), Some(Some("ru")));
        assert_eq!(chosen("w", Some("pt-BR")), Some(Some("pt")));
        assert_eq!(chosen("w", Some("ja")), Some(None));
        assert_eq!(chosen("w", None), Some(None));
        assert_eq!(chosen("v", Some("de")), Some(Some("en")));
        assert_eq!(chosen("u", Some("de; drop")), Some(Some("ru")));
        assert_eq!(chosen("x", None), None);
    }

    #[test]
    fn a_text_file_becomes_the_text_part() {
        let set = set(&[
            ("w.ru.html", "---\nsubject: a\n---\n<p>html</p>"),
            ("w.ru.txt", "own text\n"),
        ])
        .expect("compiles");
        let rendered = set
            .choose("w", Some("ru"))
            .expect("there")
            .render(&json!({}))
            .expect("renders");
        assert_eq!(rendered.text, "own text\n");
        assert_eq!(rendered.html.as_deref(), Some("<p>html</p>"));
    }

    #[test]
    fn problems_of_all_files_come_together() {
        let found = set(&[
            ("a.txt", "x"),
            ("b.txt", "---\nsubject: {{ x }}\n---\n"),
            ("c.html", "---\nsubject: a\n---\n"),
            ("c.mjml", "---\nsubject: a\n---\n<mjml></mjml>"),
        ])
        .expect_err("fails");
        let files: Vec<&str> = found.iter().map(|p| p.file.as_str()).collect();
        assert_eq!(files, ["c.mjml", "a.txt", "b.txt"]);
    }
}
