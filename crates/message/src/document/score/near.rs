//! How near a mail without a document came to one, for the answer to "why not".
//!
//! The candidates and weights are those of [`find`](super::find); what takes a candidate out there is told here.
//! **Absent:** who sent the mail, and to whom.

use serde::Serialize;

use super::super::rules::DocumentRules;
use super::super::{
    ATTACHMENTS_MAX, AttachmentText, DocumentInput, DocumentKind, Evidence, Place, einvoice, fields,
};
use super::file::NamedFile;
use super::{Mail, PaperKind, RANK_TOTAL, Sum};

/// What a mail lacks for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// Nothing in it names an invoice or an offer.
    Words,
    /// It names another paper, a receipt or a contract, at least as strongly.
    OtherPaper,
    /// It is a credit note: money back.
    CreditNote,
    /// The text of its file names neither an invoice nor an offer.
    SilentFile,
    /// Its file has no text that can be read, as a scan has.
    FileText,
    /// It has no file, and its text alone does not say enough.
    File,
    /// It is an answer in a thread, whose words speak of an older document.
    Answer,
    /// No number of a document.
    Number,
    /// No total.
    Amount,
    /// What is there is not enough together.
    Points,
}

/// How near a mail came to a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Near {
    /// What it is most like, where anything names a document.
    pub kind: Option<DocumentKind>,
    /// Name of the attachment that came nearest; none when the mail itself did.
    pub attachment: Option<String>,
    /// The sum of what speaks for and against it.
    pub score: f64,
    /// From here up it would be a document.
    pub threshold: f64,
    /// What spoke for and against it.
    pub evidence: Vec<Evidence>,
    /// What it lacks, each once.
    pub lacks: Vec<Lack>,
}

const KINDS: [(PaperKind, DocumentKind); 2] = [
    (PaperKind::Invoice, DocumentKind::Invoice),
    (PaperKind::Offer, DocumentKind::Offer),
];

/// One thing that may have been a document.
struct Candidate {
    kind: DocumentKind,
    attachment: Option<String>,
    is_named: bool,
    sum: Sum,
    lacks: Vec<Lack>,
}

/// How near a mail in which [`find`](super::find) finds nothing came to a document.
pub(in super::super) fn near(input: &DocumentInput<'_>, rules: &DocumentRules) -> Near {
    let attachments = &input.attachments[..input.attachments.len().min(ATTACHMENTS_MAX)];
    let mail = Mail::read(input, rules, attachments);
    let papers: Vec<&AttachmentText<'_>> = attachments
        .iter()
        .filter(|attachment| mail.ending_weight(attachment).is_some())
        .collect();
    let of_papers = papers.iter().flat_map(|paper| {
        KINDS
            .iter()
            .filter_map(|kinds| of_attachment(&mail, paper, *kinds))
    });
    let of_body = KINDS.iter().map(|kinds| of_body(&mail, *kinds));
    let best = of_papers.chain(of_body).reduce(|best, next| {
        let is_nearer = (next.is_named, next.sum.score) > (best.is_named, best.sum.score);
        if is_nearer { next } else { best }
    });
    let is_read =
        |paper: &&AttachmentText<'_>| paper.text.is_some_and(|text| !text.trim().is_empty());
    let mut lacks: Vec<Lack> = Vec::new();
    if attachments.iter().any(is_credit_note) {
        lacks.push(Lack::CreditNote);
    }
    if !papers.is_empty() && !papers.iter().any(is_read) {
        lacks.push(Lack::FileText);
    }
    let threshold = rules.weights.threshold;
    let Some(best) = best.filter(|best| best.is_named) else {
        lacks.push(Lack::Words);
        lacks.sort_unstable();
        return Near {
            kind: None,
            attachment: None,
            score: 0.0,
            threshold,
            evidence: Vec::new(),
            lacks,
        };
    };
    lacks.extend(best.lacks);
    if best.attachment.is_none() && papers.is_empty() {
        lacks.push(Lack::File);
        if mail.is_reply {
            lacks.push(Lack::Answer);
        }
    }
    if lacks.is_empty() {
        lacks.push(Lack::Points);
    }
    lacks.sort_unstable();
    lacks.dedup();
    let mut evidence = best.sum.evidence;
    evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    Near {
        kind: Some(best.kind),
        attachment: best.attachment,
        score: best.sum.score,
        threshold,
        evidence,
        lacks,
    }
}

fn is_credit_note(attachment: &AttachmentText<'_>) -> bool {
    let text = attachment
        .text
        .filter(|text| einvoice::looks_like_xml(text));
    let read = text.and_then(|text| einvoice::read(text).ok());
    read.is_some_and(|read| read.kind == einvoice::EInvoiceKind::CreditNote)
}

/// An attachment as a candidate of a kind; none if it is none by its ending.
fn of_attachment(
    mail: &Mail<'_>,
    attachment: &AttachmentText<'_>,
    (paper, kind): (PaperKind, DocumentKind),
) -> Option<Candidate> {
    let ending = mail.ending_weight(attachment)?;
    let weights = &mail.rules.weights;
    let file = NamedFile::read(attachment, mail.rules);
    let mut sum = file.sum(paper, mail.rules);
    let mut lacks = Vec::new();
    if file.sum(PaperKind::Other, mail.rules).score > sum.score {
        lacks.push(Lack::OtherPaper);
    }
    if sum.score <= 0.0 && !file.page.tokens.is_empty() {
        lacks.push(Lack::SilentFile);
    }
    mail.around(paper, &mut sum);
    let is_named = sum.score > 0.0;
    sum.add("ending", Place::AttachmentName, ending);
    let fields = fields::read(&file.page, mail.rules, Some(kind));
    mail.add_fields(&fields, kind, Place::AttachmentText, &mut sum);
    mail.signs(file.names_itself(paper), &mut sum);
    if sum.score < weights.threshold && !file.page.tokens.is_empty() {
        lack_fields(&fields, &mut lacks);
    }
    Some(Candidate {
        kind,
        attachment: Some(attachment.name.to_owned()),
        is_named,
        sum,
        lacks,
    })
}

/// The mail's own text as a candidate of a kind.
fn of_body(mail: &Mail<'_>, (paper, kind): (PaperKind, DocumentKind)) -> Candidate {
    let weights = &mail.rules.weights;
    let mut sum = Sum::default();
    let mut other = Sum::default();
    for (one, of) in [(&mut sum, paper), (&mut other, PaperKind::Other)] {
        mail.around(of, one);
        one.add_named(&mail.body_titled, of, Place::Body, weights.body_title);
    }
    let is_named = sum.score > 0.0;
    let mut lacks = Vec::new();
    if is_named && sum.score <= other.score {
        lacks.push(Lack::OtherPaper);
    }
    let fields = fields::read(&mail.body, mail.rules, Some(kind));
    let subject = fields::read(&mail.subject, mail.rules, Some(kind));
    mail.add_fields(&fields, kind, Place::Body, &mut sum);
    if fields.number.is_none() {
        mail.add_fields(&subject, kind, Place::Subject, &mut sum);
    }
    if mail.is_reply {
        sum.add(
            "reply_without_paper",
            Place::Subject,
            weights.reply_without_paper,
        );
    }
    mail.signs(false, &mut sum);
    lack_fields(&fields, &mut lacks);
    if subject.number.is_some() {
        lacks.retain(|lack| *lack != Lack::Number);
    }
    Candidate {
        kind,
        attachment: None,
        is_named,
        sum,
        lacks,
    }
}

fn lack_fields(fields: &fields::Fields, lacks: &mut Vec<Lack>) {
    if fields.number.is_none() {
        lacks.push(Lack::Number);
    }
    let amount = fields.amount.as_ref();
    if amount.is_none_or(|amount| amount.rank < RANK_TOTAL) {
        lacks.push(Lack::Amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near_of(subject: &str, text: &str, attachments: &[AttachmentText<'_>]) -> Near {
        let toml = include_str!("../../../../../assets/rules/documents.toml");
        let rules = DocumentRules::from_toml(toml).expect("rules");
        let input = DocumentInput {
            subject,
            text,
            attachments,
            sent_on: None,
        };
        assert_eq!(super::super::find(&input, &rules), None, "{subject}");
        near(&input, &rules)
    }

    #[test]
    fn a_mail_without_a_document_says_what_it_lacks() {
        let lunch = near_of("Lunch", "See you at one.", &[]);
        assert_eq!((lunch.kind, lunch.lacks), (None, vec![Lack::Words]));

        let told = near_of("Счёт", "Добрый день! Счёт вышлю завтра.", &[]);
        assert_eq!(told.kind, Some(DocumentKind::Invoice));
        assert!(told.lacks.contains(&Lack::Number) && told.lacks.contains(&Lack::Amount));
        assert!(told.lacks.contains(&Lack::File), "{told:?}");

        let answer = near_of("Re: Invoice", "The invoice is on its way.", &[]);
        assert!(answer.lacks.contains(&Lack::Answer), "{answer:?}");
        let reply = answer
            .evidence
            .iter()
            .find(|one| one.rule == "reply_without_paper");
        assert!(reply.is_some_and(|one| one.weight < 0.0));

        let contract = AttachmentText {
            name: "Договор 12.pdf",
            content_type: "application/pdf",
            text: Some("Договор поставки № 12\nг. Москва"),
        };
        let contract = near_of("Договор и счёт", "Высылаю договор.", &[contract]);
        assert!(contract.lacks.contains(&Lack::OtherPaper), "{contract:?}");
    }

    #[test]
    fn a_scan_is_told_by_its_missing_text() {
        let scan = AttachmentText {
            name: "scan0001.pdf",
            content_type: "application/pdf",
            text: None,
        };
        let scan = near_of("Documents", "Please find the papers attached.", &[scan]);
        assert_eq!(scan.lacks, [Lack::Words, Lack::FileText]);
    }
}
