//! What a contact wishes of our messages: how many, when, and for now none.
//!
//! Wishes only make the workspace's rules stricter, never laxer; service messages need not heed what they
//! are exempt from ([`ServiceExemption`](crate::policy::ServiceExemption)).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::consent::{About, Consent, Evidence};
use crate::contact::SENDS_MAX;
use crate::time::Window;

/// A message that a pause would put off longer than this is left out: nobody wants a month of mail at once.
pub const PUT_OFF_MAX: SignedDuration = SignedDuration::from_hours(48);
/// The longest pause; whoever wants more unsubscribes.
pub const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A stretch of days that messages are counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Seven civil days, today included.
    Week,
    /// Thirty.
    Month,
}

impl Per {
    /// Civil days, today included.
    pub const fn days(self) -> u16 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// A stable short word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// At most so many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    most: u8,
    per: Per,
}

impl Frequency {
    /// At least one: who wants none unsubscribes. `None` beyond what is counted.
    pub fn new(most: u8, per: Per) -> Option<Self> {
        (1..=SENDS_MAX)
            .contains(&usize::from(most))
            .then_some(Self { most, per })
    }

    /// How many.
    pub const fn most(self) -> u8 {
        self.most
    }

    /// In which time.
    pub const fn per(self) -> Per {
        self.per
    }
}

/// A contact's wishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// How many messages are enough.
    pub frequency: Option<Frequency>,
    /// Days and hours at which messages are welcome; always, when not told.
    pub window: Option<Window>,
    /// No messages until then.
    pub paused_until: Option<Timestamp>,
}

/// What a contact told of its wishes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// All of them anew.
    pub preferences: Preferences,
    /// Answers about channels and topics.
    pub answers: Vec<(About, Consent)>,
    /// In which language messages should be; `None` leaves it as it is.
    pub language: Option<String>,
    /// By which way, and with what proof.
    pub evidence: Evidence,
}
