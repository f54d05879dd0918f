//! What a column of a table can mean for a contact.

use relance_core::consent::About;

/// What a trait's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A text, as it is.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    YesNo,
    /// A day.
    Date,
    /// A moment.
    Moment,
    /// Several texts in one cell.
    List,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::Number,
        Self::YesNo,
        Self::Date,
        Self::Moment,
        Self::List,
    ];

    /// Its word in a mapping.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::YesNo => "yes_no",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::List => "list",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Fields that every contact may have, with their own checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The id in the customer's own system.
    UserId,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The whole name.
    Name,
    /// The company's name.
    Company,
    /// An IANA time zone.
    Timezone,
    /// A language tag.
    Language,
    /// A country.
    Country,
    /// The user responsible, by address.
    Owner,
    /// A day.
    Birthday,
    /// When the contact was created elsewhere.
    CreatedAt,
    /// Several words.
    Tags,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 14] = [
        Self::UserId,
        Self::Email,
        Self::Phone,
        Self::FirstName,
        Self::LastName,
        Self::Name,
        Self::Company,
        Self::Timezone,
        Self::Language,
        Self::Country,
        Self::Owner,
        Self::Birthday,
        Self::CreatedAt,
        Self::Tags,
    ];

    /// Its word in a mapping, and the trait that it becomes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Name => "name",
            Self::Company => "company",
            Self::Timezone => "timezone",
            Self::Language => "language",
            Self::Country => "country",
            Self::Owner => "owner",
            Self::Birthday => "birthday",
            Self::CreatedAt => "created_at",
            Self::Tags => "tags",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }

    /// What its values are.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Birthday => Kind::Date,
            Self::CreatedAt => Kind::Moment,
            Self::Tags => Kind::List,
            Self::UserId
            | Self::Email
            | Self::Phone
            | Self::FirstName
            | Self::LastName
            | Self::Name
            | Self::Company
            | Self::Timezone
            | Self::Language
            | Self::Country
            | Self::Owner => Kind::Text,
        }
    }
}

/// What a contact is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The id in the customer's own system.
    UserId,
    /// The e-mail address.
    Email,
    /// The telephone number.
    Phone,
}

impl Key {
    /// All keys, the most trusted first.
    pub const ALL: [Self; 3] = [Self::UserId, Self::Email, Self::Phone];

    /// Its word, which is its field's.
    pub const fn word(self) -> &'static str {
        self.field().word()
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.word() == word)
    }

    /// The field that it is read from.
    pub const fn field(self) -> Field {
        match self {
            Self::UserId => Field::UserId,
            Self::Email => Field::Email,
            Self::Phone => Field::Phone,
        }
    }
}

/// What a column becomes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Nothing.
    Skip,
    /// A field that every contact may have.
    Field(Field),
    /// A trait of the customer's own.
    Trait {
        /// Its name.
        name: String,
        /// What its values are.
        kind: Kind,
    },
    /// What the contact said of a channel or a topic.
    Consent(About),
}

impl Target {
    /// As people read it: `email`, `amount (number)`, `consent channel:sms`.
    pub fn word(&self) -> String {
        match self {
            Self::Skip => "skip".to_owned(),
            Self::Field(field) => field.word().to_owned(),
            Self::Trait { name, kind } => format!("{name} ({})", kind.word()),
            Self::Consent(about) => format!("consent {}", about.word()),
        }
    }
}
