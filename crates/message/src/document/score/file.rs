//! A file that came with a mail: what its name and its text say that it is. **Absent:** what else speaks for it.

use super::super::rules::DocumentRules;
use super::super::text::{Page, file_stem};
use super::super::{AttachmentText, Place, einvoice};
use super::{Named, PaperKind, Sum};

/// A file by its name and its text, and what papers they name.
pub(super) struct NamedFile {
    pub(super) name: Page,
    pub(super) page: Page,
    named: Named,
    titled: Named,
    mentioned: Named,
}

impl NamedFile {
    pub(super) fn read(attachment: &AttachmentText<'_>, rules: &DocumentRules) -> Self {
        let name = Page::new(&file_stem(attachment.name));
        let text = attachment
            .text
            .filter(|text| !einvoice::looks_like_xml(text));
        let page = Page::new(text.unwrap_or_default());
        Self {
            named: Named::read(&name, rules, false),
            titled: Named::read(&page, rules, true),
            mentioned: Named::read(&page, rules, false),
            name,
            page,
        }
    }

    /// What speaks for a paper.
    pub(super) fn sum(&self, kind: PaperKind, rules: &DocumentRules) -> Sum {
        let weights = &rules.weights;
        let mut sum = Sum::default();
        for (named, place, weight) in [
            (&self.named, Place::AttachmentName, weights.attachment_name),
            (
                &self.titled,
                Place::AttachmentText,
                weights.attachment_title,
            ),
            (
                &self.mentioned,
                Place::AttachmentText,
                weights.attachment_text,
            ),
        ] {
            sum.add_named(named, kind, place, weight);
        }
        sum
    }

    /// Whether its name or its title says what it is.
    pub(super) fn names_itself(&self, kind: PaperKind) -> bool {
        self.named.of(kind).is_some() || self.titled.of(kind).is_some()
    }
}
