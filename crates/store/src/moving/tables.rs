//! What is taken along: every table of a workspace on a server, and where its columns come from in a file.
//!
//! Not taken along is what a server has no table for, since it follows from the others: the outbox and what
//! is in flight (slots of messages), the chains of the ledger, sealed columns of the log. A test compares
//! this list with the schema.

/// How a column is carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// A number as it is.
    Number,
    /// 0 or 1 becomes false or true.
    Flag,
    /// A text of any length.
    Text,
    /// Part of a key, cut as the server's store does.
    Key,
    /// A word, cut as the server's store does.
    Word,
}

/// A column: its name on the server, what it is in the file, and how it is carried over.
pub(super) type Column = (&'static str, &'static str, Fit);

/// How rows of the file become rows of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// One for one.
    Same,
    /// One for each key in a packed list.
    Keys,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// On the server.
    pub(super) name: &'static str,
    /// In the file, with a condition and an order where one is needed.
    pub(super) from: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) rows: Rows,
}

const fn n(name: &'static str) -> Column {
    (name, name, Fit::Number)
}

const fn b(name: &'static str) -> Column {
    (name, name, Fit::Flag)
}

const fn t(name: &'static str) -> Column {
    (name, name, Fit::Text)
}

const fn k(name: &'static str) -> Column {
    (name, name, Fit::Key)
}

const fn w(name: &'static str) -> Column {
    (name, name, Fit::Word)
}

/// The partition of a contact.
const PART: Column = ("part", "contact_id % 256", Fit::Number);
/// What a file counted is one shard among others.
const SHARD: Column = ("shard", "0", Fit::Number);

const fn table(name: &'static str, from: &'static str, columns: &'static [Column]) -> Table {
    Table {
        name,
        from,
        columns,
        rows: Rows::Same,
    }
}

pub(super) const TABLES: &[Table] = &[
    table(
        "contact",
        "contact ORDER BY contact_id",
        &[PART, n("contact_id"), t("body")],
    ),
    table(
        "identity",
        "identity ORDER BY kind, value",
        &[w("kind"), k("value"), n("contact_id")],
    ),
    table(
        "email_domain",
        "email_domain ORDER BY domain, contact_id",
        &[k("domain"), n("contact_id")],
    ),
    table(
        "event",
        "event ORDER BY event_id",
        &[
            PART,
            n("event_id"),
            n("contact_id"),
            n("previous_id"),
            t("body"),
        ],
    ),
    table(
        "event_head",
        "event_head ORDER BY contact_id, name",
        &[PART, n("contact_id"), k("name"), n("last_id"), n("last_at")],
    ),
    table(
        "merged",
        "merged ORDER BY contact_id",
        &[
            PART,
            n("contact_id"),
            n("survivor_id"),
            n("at"),
            t("body"),
            t("undo"),
            t("moved"),
        ],
    ),
    table(
        "doubt",
        "doubt ORDER BY contact_id, other_id",
        &[n("contact_id"), n("other_id"), w("why"), n("at")],
    ),
    table(
        "consent_log",
        "consent_log ORDER BY contact_id, at, about, answer",
        &[
            PART,
            n("contact_id"),
            n("at"),
            w("about"),
            w("answer"),
            t("body"),
        ],
    ),
    table(
        "audit",
        "audit ORDER BY at, hash",
        &[
            n("at"),
            n("hash"),
            k("who"),
            w("action"),
            k("object"),
            t("detail"),
        ],
    ),
    table(
        "payment",
        "payment ORDER BY id",
        &[
            k("id"),
            n("state"),
            n("booked"),
            n("amount"),
            k("mark"),
            n("revision"),
            t("body"),
            k("statement"),
        ],
    ),
    table(
        "statement",
        "statement ORDER BY id",
        &[k("id"), n("at"), t("body")],
    ),
    table(
        "payment_book",
        "payment_book ORDER BY one",
        &[n("one"), n("revision")],
    ),
    table(
        "payment_share",
        "payment_share ORDER BY payment_id, contact_id, document_id",
        &[
            k("payment_id"),
            n("contact_id"),
            k("document_id"),
            n("amount"),
        ],
    ),
    table(
        "suppression",
        "suppression ORDER BY kind, value",
        &[w("kind"), k("value"), t("reason"), n("at"), t("source")],
    ),
    table("erased", "erased ORDER BY hash", &[k("hash"), n("at")]),
    table(
        "account",
        "account ORDER BY id",
        &[
            k("id"),
            k("name"),
            n("revision"),
            n("settled"),
            n("first_at"),
            n("last_at"),
            t("body"),
        ],
    ),
    table(
        "account_contact",
        "account_contact ORDER BY account_id, contact_id",
        &[PART, n("contact_id"), k("account_id")],
    ),
    table(
        "account_telling",
        "account_telling ORDER BY account_id",
        &[
            k("account_id"),
            n("revision"),
            n("after_id"),
            n("until_id"),
            n("again_id"),
        ],
    ),
    table(
        "event_day",
        "event_day ORDER BY day",
        &[n("day"), n("event_id")],
    ),
    table(
        "enrollment",
        "enrollment ORDER BY contact_id, number",
        &[
            PART,
            n("contact_id"),
            n("number"),
            b("is_live"),
            w("journey"),
            n("version"),
            w("step"),
            t("body"),
        ],
    ),
    table(
        "entry",
        "entry ORDER BY contact_id, journey, subject_kind, subject_id",
        &[
            PART,
            n("contact_id"),
            w("journey"),
            w("subject_kind"),
            k("subject_id"),
            n("last_at"),
        ],
    ),
    table(
        "touchpoint",
        "touchpoint ORDER BY contact_id, hash",
        &[
            PART,
            n("contact_id"),
            n("hash"),
            n("slot"),
            n("slot_at"),
            n("state"),
            n("state_at"),
            t("body"),
            // No node has it in flight: what was in flight is looked into.
            ("sender", "NULL", Fit::Word),
        ],
    ),
    table(
        "timer",
        "timer ORDER BY due_at, contact_id, kind, target",
        &[PART, n("due_at"), n("contact_id"), n("kind"), n("target")],
    ),
    table(
        "watch",
        "watch ORDER BY contact_id, hash",
        &[PART, n("contact_id"), n("hash"), t("body")],
    ),
    table(
        "object",
        "object ORDER BY contact_id, kind, id",
        &[
            PART,
            n("contact_id"),
            w("kind"),
            k("id"),
            n("updated_at"),
            t("body"),
        ],
    ),
    table(
        "task",
        "task ORDER BY contact_id, hash",
        &[
            PART,
            n("contact_id"),
            n("hash"),
            n("created_at"),
            t("body"),
            k("assignee"),
            n("state"),
            n("state_at"),
            n("due_at"),
            n("done_at"),
            t("done_by"),
        ],
    ),
    table(
        "profile",
        "profile ORDER BY contact_id",
        &[PART, n("contact_id"), k("owner"), k("name"), k("words")],
    ),
    table(
        "name_word",
        "name_word ORDER BY word, contact_id",
        &[PART, n("contact_id"), k("word")],
    ),
    table(
        "document",
        "document ORDER BY place",
        &[
            PART,
            n("contact_id"),
            k("id"),
            n("place"),
            n("state"),
            k("owner"),
            k("own"),
            k("mailbox"),
            w("kind"),
            w("currency"),
            n("issued"),
            n("due"),
            n("amount"),
            n("updated_at"),
            k("number"),
            k("client"),
            n("next_at"),
            n("reminders"),
            n("reminded"),
            b("held_out"),
            b("answered"),
            n("paid"),
            n("followed"),
        ],
    ),
    table(
        "document_doing",
        "document_doing ORDER BY contact_id, id, what, source",
        &[
            PART,
            n("contact_id"),
            k("id"),
            n("what"),
            n("source"),
            n("at"),
        ],
    ),
    table(
        "feed",
        "feed ORDER BY feed_id",
        &[
            n("feed_id"),
            n("at"),
            n("contact_id"),
            k("owner"),
            w("what"),
            b("is_line"),
            n("ref"),
        ],
    ),
    table(
        "event_name",
        "event_name ORDER BY name",
        &[k("name"), SHARD, n("n")],
    ),
    table(
        "quarter_count",
        "quarter_count ORDER BY quarter, what",
        &[n("quarter"), w("what"), SHARD, n("n")],
    ),
    table(
        "ledger",
        "ledger ORDER BY ledger_id",
        &[
            PART,
            n("contact_id"),
            n("ledger_id"),
            n("at"),
            w("what"),
            w("reason"),
            w("journey"),
            n("run"),
            w("step"),
            n("touchpoint"),
            w("channel"),
            k("template"),
            n("until_at"),
            t("detail"),
            w("variant"),
        ],
    ),
    table(
        "counter",
        "counter ORDER BY journey, day, step, what, reason",
        &[
            w("journey"),
            n("day"),
            w("step"),
            w("what"),
            w("reason"),
            SHARD,
            n("n"),
        ],
    ),
    table("total", "total ORDER BY name", &[w("name"), SHARD, n("n")]),
    table(
        "live_run",
        "live_run ORDER BY journey, version",
        &[w("journey"), n("version"), SHARD, n("n")],
    ),
    table(
        "standing",
        "standing ORDER BY journey, version, step",
        &[w("journey"), n("version"), w("step"), SHARD, n("n")],
    ),
    table(
        "thread",
        "thread ORDER BY message_id, contact_id, subject_kind, subject_id",
        &[
            k("message_id"),
            n("contact_id"),
            w("subject_kind"),
            k("subject_id"),
        ],
    ),
    Table {
        name: "seen",
        // The generation that is written and the one before it.
        from: "seen WHERE generation >= (SELECT max(generation) - 1 FROM seen) ORDER BY seen_id",
        columns: &[
            ("slot", "generation % 3", Fit::Number),
            ("key", "keys", Fit::Number),
        ],
        rows: Rows::Keys,
    },
    table(
        "journey",
        "journey ORDER BY journey, version",
        &[
            w("journey"),
            n("version"),
            b("is_current"),
            n("published_at"),
            t("text"),
            t("moves"),
        ],
    ),
    table(
        "journey_paused",
        "journey_paused ORDER BY journey",
        &[w("journey")],
    ),
    table(
        "mailbox",
        "mailbox ORDER BY mailbox",
        &[k("mailbox"), n("synced_at"), t("cursors")],
    ),
    table(
        "asset",
        "asset ORDER BY kind, name",
        &[w("kind"), k("name"), n("updated_at"), t("body")],
    ),
    table(
        "segment",
        "segment ORDER BY number",
        &[n("number"), w("id"), n("updated_at"), t("text")],
    ),
    table(
        "segment_count",
        "segment WHERE n <> 0 ORDER BY number",
        &[("segment", "number", Fit::Number), SHARD, n("n")],
    ),
    table(
        "member",
        "member ORDER BY segment, contact_id",
        &[
            PART,
            n("contact_id"),
            n("segment"),
            b("is_member"),
            n("due_at"),
        ],
    ),
];

/// Tables of the server that are not filled from rows: what sequences and nodes need, and one row each.
#[cfg(test)]
pub(super) const NOT_COPIED: &[&str] = &[
    "node",
    "lease",
    "news",
    "intake",
    // Counted by a trigger as documents arrive.
    "document_sum",
    // A file is brought over before it goes.
    "registry_left",
    "seen_generation",
    "relance_schema",
];
