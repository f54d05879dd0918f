//! A merge of two contacts: names that went over, and what it takes to undo it. The contacts, the moment and
//! what was moved are columns of its row.

use std::collections::BTreeSet;
use std::sync::Arc;

use relance_core::contact::Identity;
use relance_core::contact::IdentityKind;
use relance_core::identity::{MergeRecord, Undo};
use relance_core::ids::{ContactId, SegmentId, SubjectRef};
use serde::{Deserialize, Serialize};

use super::{StoredProblem, SubjectV1, Version, contact_text, read, read_contact, text};

const SHAPE: &str = "merge";
const UNDO_SHAPE: &str = "undo of a merge";
const MOVED_SHAPE: &str = "names of a merge";

#[derive(Debug, Serialize, Deserialize)]
struct MergeV1 {
    v: Version<1>,
    by: Arc<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<(u64, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UndoV1 {
    v: Version<1>,
    survivor: String,
    absorbed: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    lists: BTreeSet<SegmentId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    shared: BTreeSet<SegmentId>,
}

/// What a store moved from one contact to the other, for the way back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Names.
    pub names: Vec<Identity>,
    /// Objects.
    pub objects: Vec<SubjectRef>,
    /// Lists that nobody has defined, by the store's own numbers.
    pub lists: Vec<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MovedV1 {
    v: Version<1>,
    names: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<SubjectV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lists: Vec<i64>,
}

/// The text of a merge.
pub fn merge_text(record: &MergeRecord) -> Result<String, StoredProblem> {
    let body = MergeV1 {
        v: Version,
        by: record.by.clone(),
        runs: record.runs.clone(),
        messages: record.messages.clone(),
    };
    text(SHAPE, &body)
}

/// The merge of a row, without what it takes to undo it.
pub fn read_merge(
    absorbed: ContactId,
    survivor: ContactId,
    at: jiff::Timestamp,
    stored: &str,
) -> Result<MergeRecord, StoredProblem> {
    let body: MergeV1 = read(SHAPE, stored)?;
    Ok(MergeRecord {
        survivor,
        absorbed,
        at,
        by: body.by,
        runs: body.runs,
        messages: body.messages,
        undo: None,
    })
}

/// The text of what it takes to undo a merge.
pub fn undo_text(undo: &Undo) -> Result<String, StoredProblem> {
    let body = UndoV1 {
        v: Version,
        survivor: contact_text(&undo.survivor)?,
        absorbed: contact_text(&undo.absorbed)?,
        lists: undo.lists.clone(),
        shared: undo.shared_lists.clone(),
    };
    text(UNDO_SHAPE, &body)
}

/// What it takes to undo the merge of two contacts.
pub fn read_undo(
    survivor: ContactId,
    absorbed: ContactId,
    stored: &str,
) -> Result<Undo, StoredProblem> {
    let body: UndoV1 = read(UNDO_SHAPE, stored)?;
    Ok(Undo {
        survivor: read_contact(survivor, &body.survivor)?,
        absorbed: read_contact(absorbed, &body.absorbed)?,
        lists: body.lists,
        shared_lists: body.shared,
    })
}

/// The text of what was moved.
pub fn moved_text(moved: &Moved) -> Result<String, StoredProblem> {
    let names = moved.names.iter();
    let body = MovedV1 {
        v: Version,
        names: names
            .map(|name| (name.kind.word().to_owned(), name.value.clone()))
            .collect(),
        objects: moved.objects.iter().map(SubjectV1::from).collect(),
        lists: moved.lists.clone(),
    };
    text(MOVED_SHAPE, &body)
}

/// What was moved. A name of a kind that this program does not know stays where it is.
pub fn read_moved(stored: &str) -> Result<Moved, StoredProblem> {
    let body: MovedV1 = read(MOVED_SHAPE, stored)?;
    let names = body.names.into_iter();
    Ok(Moved {
        names: names
            .filter_map(|(word, value)| {
                let kind = IdentityKind::from_word(&word)?;
                Some(Identity { kind, value })
            })
            .collect(),
        objects: body.objects.into_iter().map(Into::into).collect(),
        lists: body.lists,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use relance_core::contact::Contact;

    use super::*;

    #[test]
    fn a_merge_reads_back_from_its_texts() {
        let (survivor, absorbed) = (ContactId(2), ContactId(1));
        let at = Timestamp::UNIX_EPOCH;
        let mut ana = Contact::new(absorbed, at);
        ana.absorbed.insert(ContactId(9));
        let undo = Undo {
            survivor: Contact::new(survivor, at),
            absorbed: ana,
            lists: ["vip".into(), "beta".into()].into(),
            shared_lists: ["vip".into()].into(),
        };
        let record = MergeRecord {
            survivor,
            absorbed,
            at,
            by: "alias".into(),
            runs: vec![(1, 4)],
            messages: vec![(u64::MAX, 7)],
            undo: None,
        };
        let body = merge_text(&record).unwrap();
        assert_eq!(read_merge(absorbed, survivor, at, &body), Ok(record));
        let body = undo_text(&undo).unwrap();
        assert_eq!(read_undo(survivor, absorbed, &body), Ok(undo));
        let moved = Moved {
            names: vec![Identity::user("1"), Identity::telegram("@Ana")],
            objects: vec![SubjectRef {
                kind: "document".into(),
                id: "7".into(),
            }],
            lists: vec![3],
        };
        let body = moved_text(&moved).unwrap();
        assert_eq!(read_moved(&body), Ok(moved));
    }

    #[test]
    fn texts_of_this_version_are_read_for_ever() {
        let body = r#"{"v":1,"by":"api","runs":[[1,4]],"messages":[[5,18446744073709551615]]}"#;
        let record = read_merge(ContactId(1), ContactId(2), Timestamp::UNIX_EPOCH, body).unwrap();
        assert_eq!(merge_text(&record).unwrap(), body);
        let body = r#"{"v":1,"names":[["email","a@x"]],"objects":[{"kind":"deal","id":"D1"}],"lists":[1]}"#;
        assert_eq!(moved_text(&read_moved(body).unwrap()).unwrap(), body);
    }
}
