//! What was recognised in a mail, and the rules it was recognised by, as they are given out.

use serde::Serialize;
use utoipa::ToSchema;

/// A rule that comes with the program.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BundledRule {
    /// Its id in the rules file.
    pub id: String,
    /// What it names: `invoice`, `offer`, `other` (a paper that is neither), or what it speaks `for` or `against`.
    pub kind: String,
    /// Where it counts: `anywhere`, `subject`, `body`.
    pub place: String,
    /// Its words; `word*` stands for any ending, `{n}` for a number, `{..}` for up to three words.
    pub phrases: Vec<String>,
    /// Its share of the score.
    pub weight: f64,
    /// Languages of its words, as far as scripts tell: `ru`, `ja`, `en`.
    pub languages: Vec<String>,
}

/// A document as it was read; what was not found is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct ReadDocument {
    /// `invoice` or `offer`.
    pub kind: String,
    /// Its number.
    #[schema(required)]
    pub number: Option<String>,
    /// Its total as a decimal number.
    #[schema(required)]
    pub amount: Option<String>,
    /// ISO 4217.
    #[schema(required)]
    pub currency: Option<String>,
    /// Value added tax in it.
    #[schema(required)]
    pub vat: Option<String>,
    /// Rates of that tax in percent.
    pub vat_rates: Vec<String>,
    /// The total without it.
    #[schema(required)]
    pub net: Option<String>,
    /// The date of issue.
    #[schema(required)]
    pub issued: Option<String>,
    /// By when it is to be paid, or until when it stands.
    #[schema(required)]
    pub due: Option<String>,
    /// Who is to pay.
    #[schema(required)]
    pub payer: Option<String>,
    /// The payer's number with the tax office.
    #[schema(required)]
    pub payer_tax_id: Option<String>,
    /// The seller's.
    #[schema(required)]
    pub seller_tax_id: Option<String>,
    /// What the payment is to name.
    #[schema(required)]
    pub bank_reference: Option<String>,
    /// 0 to 1, higher for more evidence.
    pub confidence: f64,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FiredRule {
    /// Its id.
    pub rule: String,
    /// Where: `subject`, `body`, `attachment_name`, `attachment_text`, `xml`, `rule`.
    pub place: String,
    /// Its share of the score; negative when it speaks against a document.
    pub weight: f64,
}

/// Where the registry has a mail's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegisteredDocument {
    /// Whose it is.
    pub contact: String,
    /// Its id.
    pub document: String,
    /// `invoice` or `offer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether somebody said that it is none.
    pub withdrawn: bool,
    /// The how-many-th sending of it this mail is, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// A sent mail, and what was found in it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeenMail {
    /// Its Message-ID without brackets; of one without any the name that it is known by.
    pub message_id: String,
    /// When it was sent.
    pub at: String,
    /// To whom.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Names of its attachments.
    pub attachments: Vec<String>,
    /// The document that counts.
    #[schema(required)]
    pub found: Option<ReadDocument>,
    /// Why nothing counts though there may be a document: `never` (a rule says so), `own_message`, `list`, `forwarded`,
    /// `internal`, `no_reader` (it is larger than is read, or damaged).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// The rules that fired, also where they did not suffice.
    pub why: Vec<FiredRule>,
    /// Of a mail in which no document was found: what it lacks. `words` (nothing names an invoice or offer), `other_paper`
    /// (it names another paper), `credit_note`, `silent_file` (the text of its file names neither), `file_text` (its
    /// file has no text, as a scan has), `file` (it has none, and its own text does not suffice), `answer` (it is an
    /// answer, whose words speak of an older document), `number`, `amount`, `points`; and before these `internal`,
    /// `no_recipient`, `list`, `forwarded`, `auto_reply`, `bounce`, `complaint`.
    pub lacks: Vec<String>,
    /// What it is most like, where no document was found: `invoice`, `offer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// The sum of the rules that fired, and what it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
    /// The rule of the workspace's own that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whether it is in the registry already, as any version of a document.
    pub known: bool,
    /// Where, if the caller may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<RegisteredDocument>,
}

/// How near a mail came to a document.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Points {
    /// The sum.
    pub got: f64,
    /// From here up it is a document.
    pub needed: f64,
}

/// What would have been found in a mailbox.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TriedMailbox {
    /// Which mailbox.
    pub mailbox: String,
    /// How many days back.
    pub days: u16,
    /// Sent mails that were read.
    pub read: u64,
    /// Documents among them.
    pub documents: u64,
    /// Those that are not in the registry.
    pub new: u64,
    /// Whether there were more mails than are looked at.
    pub cut: bool,
    /// The mails, the newest first.
    pub items: Vec<SeenMail>,
}
