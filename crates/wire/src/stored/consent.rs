//! Answers about channels and topics: inside a contact's body, and in the log of its consents.

use jiff::Timestamp;
use relance_core::consent::{
    About, Consent, ConsentChange, ConsentRecord, Evidence, Proof, Source,
};
use relance_core::contact::SuppressionReason;
use relance_core::preferences::{Frequency, Per, Preferences};
use relance_core::time::Window;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, read, text};

const SHAPE: &str = "consent";

/// The answer alone, as the first release wrote it, or with what is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RecordV1 {
    Answer(Consent),
    Whole {
        answer: Consent,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Box<Proof>>,
    },
}

impl From<&ConsentRecord> for RecordV1 {
    fn from(record: &ConsentRecord) -> Self {
        let ConsentRecord {
            answer,
            at,
            evidence,
        } = record;
        if at.is_none() && *evidence == Evidence::default() {
            return Self::Answer(*answer);
        }
        Self::Whole {
            answer: *answer,
            at: *at,
            source: evidence.source,
            proof: evidence.proof.clone(),
        }
    }
}

impl From<RecordV1> for ConsentRecord {
    fn from(record: RecordV1) -> Self {
        match record {
            RecordV1::Answer(answer) => answer.into(),
            RecordV1::Whole {
                answer,
                at,
                source,
                proof,
            } => Self {
                answer,
                at,
                evidence: Evidence { source, proof },
            },
        }
    }
}

/// By which way an answer came, and what proves it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EvidenceV1 {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Box<Proof>>,
}

impl EvidenceV1 {
    pub(super) fn is_empty(&self) -> bool {
        self.source.is_none() && self.proof.is_none()
    }
}

impl From<&Evidence> for EvidenceV1 {
    fn from(evidence: &Evidence) -> Self {
        let Evidence { source, proof } = evidence;
        Self {
            source: *source,
            proof: proof.clone(),
        }
    }
}

impl From<EvidenceV1> for Evidence {
    fn from(stored: EvidenceV1) -> Self {
        Self {
            source: stored.source,
            proof: stored.proof,
        }
    }
}

/// A contact's wishes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PreferencesV1 {
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency: Option<FrequencyV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct FrequencyV1 {
    most: u8,
    per: Per,
}

impl PreferencesV1 {
    pub(super) fn is_empty(&self) -> bool {
        self.frequency.is_none() && self.window.is_none() && self.paused_until.is_none()
    }
}

impl From<&Preferences> for PreferencesV1 {
    fn from(own: &Preferences) -> Self {
        Self {
            frequency: own.frequency.map(|own| FrequencyV1 {
                most: own.most(),
                per: own.per(),
            }),
            window: own.window.clone(),
            paused_until: own.paused_until,
        }
    }
}

impl From<PreferencesV1> for Preferences {
    fn from(stored: PreferencesV1) -> Self {
        Self {
            frequency: stored
                .frequency
                .and_then(|own| Frequency::new(own.most, own.per)),
            window: stored.window,
            paused_until: stored.paused_until,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ChangeV1 {
    v: Version<1>,
    answer: Consent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Box<Proof>>,
}

/// The text of an answer in the log; when and about what are columns.
pub fn consent_text(change: &ConsentChange) -> Result<String, StoredProblem> {
    let body = ChangeV1 {
        v: Version,
        answer: change.answer,
        source: change.evidence.source,
        proof: change.evidence.proof.clone(),
    };
    text(SHAPE, &body)
}

/// The answer of a row of the log.
pub fn read_consent(
    at: Timestamp,
    about: &str,
    stored: &str,
) -> Result<ConsentChange, StoredProblem> {
    let about = About::from_word(about).ok_or_else(|| StoredProblem {
        shape: SHAPE,
        why: format!("{about:?} is no channel and no topic"),
    })?;
    let body: ChangeV1 = read(SHAPE, stored)?;
    Ok(ConsentChange {
        at,
        about,
        answer: body.answer,
        evidence: Evidence {
            source: body.source,
            proof: body.proof,
        },
    })
}

/// The word of a reason on the list of suppressions.
pub const fn reason_word(reason: SuppressionReason) -> &'static str {
    match reason {
        SuppressionReason::HardBounce => "hard_bounce",
        SuppressionReason::Complaint => "complaint",
        SuppressionReason::Manual => "manual",
    }
}

/// The reason of a word.
pub fn read_reason(word: &str) -> Option<SuppressionReason> {
    [
        SuppressionReason::HardBounce,
        SuppressionReason::Complaint,
        SuppressionReason::Manual,
    ]
    .into_iter()
    .find(|reason| reason_word(*reason) == word)
}
