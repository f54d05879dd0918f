//! Who may do what: roles, permissions, and whose contacts a person sees.
//!
//! The matrix role x permission stands here alone; what a route asks for is told by the program that has routes.
//! What somebody may not see does not exist for them: lists leave it out, and asking for it finds nothing.
//!
//! **Absent:** how somebody proves who they are, sessions, routes.

use std::collections::BTreeSet;

use crate::ids::UserId;

/// What a user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything, people and keys included.
    Admin,
    /// Leads salespeople: sees the team's, agrees, exports.
    Head,
    /// Writes journeys, segments and templates for everyone.
    Marketer,
    /// Works with contacts of their own.
    Salesperson,
    /// Looks, and changes nothing.
    Viewer,
}

impl Role {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Head,
        Self::Marketer,
        Self::Salesperson,
        Self::Viewer,
    ];

    /// The word in the API, in the configuration and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Head => "head",
            Self::Marketer => "marketer",
            Self::Salesperson => "salesperson",
            Self::Viewer => "viewer",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether this role may do that.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::See => true,
            Permission::Work | Permission::Approve | Permission::Contacts => match self {
                Self::Admin | Self::Head | Self::Marketer | Self::Salesperson => true,
                Self::Viewer => false,
            },
            Permission::Export | Permission::Merge => match self {
                Self::Admin | Self::Head | Self::Marketer => true,
                Self::Salesperson | Self::Viewer => false,
            },
            Permission::Import
            | Permission::Suppress
            | Permission::Segments
            | Permission::Journeys
            | Permission::Templates => match self {
                Self::Admin | Self::Marketer => true,
                Self::Head | Self::Salesperson | Self::Viewer => false,
            },
            Permission::Audit => match self {
                Self::Admin | Self::Head => true,
                Self::Marketer | Self::Salesperson | Self::Viewer => false,
            },
            Permission::Erase
            | Permission::Settings
            | Permission::Release
            | Permission::Users
            | Permission::Keys => match self {
                Self::Admin => true,
                Self::Head | Self::Marketer | Self::Salesperson | Self::Viewer => false,
            },
        }
    }

    /// All that this role may do.
    pub fn permissions(self) -> BTreeSet<Permission> {
        let all = Permission::ALL.into_iter();
        all.filter(|permission| self.may(*permission)).collect()
    }

    /// Whose contacts, deals, documents and approvals a user of this role sees. `team` are the users of the same
    /// team, and empty for a user without one; `absent` are those whom the user stands in for.
    pub fn sees(self, own: &UserId, team: &BTreeSet<UserId>, absent: &BTreeSet<UserId>) -> Sees {
        let of = |more: &BTreeSet<UserId>| {
            let all = more.iter().chain(absent).chain([own]);
            Sees::Of(all.cloned().collect())
        };
        match self {
            Self::Admin | Self::Marketer | Self::Viewer => Sees::Everything,
            Self::Head if team.is_empty() => Sees::Everything,
            Self::Head => of(team),
            Self::Salesperson => of(&BTreeSet::new()),
        }
    }
}

/// Something that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Looking at everything that ownership allows.
    See,
    /// Doing tasks, telling that a document is paid.
    Work,
    /// Answering questions for approval.
    Approve,
    /// Changing what a contact agreed to and wishes.
    Contacts,
    /// Making one contact of two, and undoing it.
    Merge,
    /// Taking lists away as files.
    Export,
    /// Bringing contacts in from files.
    Import,
    /// Keeping the list of addresses that must not be written to.
    Suppress,
    /// Forgetting a person.
    Erase,
    /// Changing segments and lists.
    Segments,
    /// Changing and publishing journeys.
    Journeys,
    /// Changing templates and content lists.
    Templates,
    /// Seeing and testing settings.
    Settings,
    /// Letting a copy send again.
    Release,
    /// Changing users.
    Users,
    /// Changing keys.
    Keys,
    /// Reading who changed what.
    Audit,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::See,
        Self::Work,
        Self::Approve,
        Self::Contacts,
        Self::Merge,
        Self::Export,
        Self::Import,
        Self::Suppress,
        Self::Erase,
        Self::Segments,
        Self::Journeys,
        Self::Templates,
        Self::Settings,
        Self::Release,
        Self::Users,
        Self::Keys,
        Self::Audit,
    ];

    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Work => "work",
            Self::Approve => "approve",
            Self::Contacts => "contacts",
            Self::Merge => "merge",
            Self::Export => "export",
            Self::Import => "import",
            Self::Suppress => "suppress",
            Self::Erase => "erase",
            Self::Segments => "segments",
            Self::Journeys => "journeys",
            Self::Templates => "templates",
            Self::Settings => "settings",
            Self::Release => "release",
            Self::Users => "users",
            Self::Keys => "keys",
            Self::Audit => "audit",
        }
    }
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Sends events, and nothing of the management API; may stand in a web page.
    Write,
    /// Looks at everything.
    Read,
    /// Looks, and changes contacts: imports, consents, merges, tasks.
    Contacts,
    /// Looks, and changes journeys, segments, templates and content.
    Journeys,
    /// Everything of the management API.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Write,
        Self::Read,
        Self::Contacts,
        Self::Journeys,
        Self::Admin,
    ];

    /// The word in the API, on the command line and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Contacts => "contacts",
            Self::Journeys => "journeys",
            Self::Admin => "admin",
        }
    }

    /// The scope of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    /// The role that is nearest.
    pub const fn role(self) -> Role {
        match self {
            Self::Admin => Role::Admin,
            Self::Contacts | Self::Journeys => Role::Marketer,
            Self::Read | Self::Write => Role::Viewer,
        }
    }

    /// What whoever holds such a key may do.
    pub fn permissions(self) -> BTreeSet<Permission> {
        match self {
            Self::Write => BTreeSet::new(),
            Self::Read => BTreeSet::from([Permission::See, Permission::Export]),
            Self::Contacts => BTreeSet::from([
                Permission::See,
                Permission::Export,
                Permission::Work,
                Permission::Contacts,
                Permission::Merge,
                Permission::Import,
                Permission::Suppress,
            ]),
            Self::Journeys => BTreeSet::from([
                Permission::See,
                Permission::Export,
                Permission::Segments,
                Permission::Journeys,
                Permission::Templates,
            ]),
            Self::Admin => Permission::ALL.into_iter().collect(),
        }
    }
}

/// Whose contacts, deals, documents and approvals somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sees {
    /// Everyone's.
    Everything,
    /// Those of these owners: addresses in lower case.
    Of(BTreeSet<UserId>),
}

impl Sees {
    /// Whether something of this owner is seen; what has none is seen only by those who see everything.
    pub fn allows(&self, owner: Option<&str>) -> bool {
        match self {
            Self::Everything => true,
            Self::Of(owners) => owner.is_some_and(|owner| {
                let owner = owner.trim();
                owners.contains(owner) || owners.contains(owner.to_lowercase().as_str())
            }),
        }
    }

    /// Whether there is something that is not seen.
    pub const fn is_limited(&self) -> bool {
        match self {
            Self::Everything => false,
            Self::Of(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::from_word(scope.word()), Some(scope));
        }
        assert_eq!(Role::from_word("owner"), None);
    }

    #[test]
    fn an_admin_may_everything_a_viewer_only_sees_and_nobody_else_changes_people() {
        assert_eq!(Role::Admin.permissions().len(), Permission::ALL.len());
        let sees = BTreeSet::from([Permission::See]);
        assert_eq!(Role::Viewer.permissions(), sees);
        for role in Role::ALL {
            assert!(role.may(Permission::See));
            for guarded in [Permission::Users, Permission::Keys, Permission::Release] {
                assert_eq!(role.may(guarded), role == Role::Admin, "{role:?}");
            }
        }
        assert!(Scope::Write.permissions().is_empty());
    }

    #[test]
    fn a_salesperson_sees_own_a_head_the_teams() {
        let [anna, boris] = ["anna@shop.test", "boris@shop.test"].map(UserId::from);
        let team = BTreeSet::from([anna.clone()]);
        let none = BTreeSet::new();
        let own = Role::Salesperson.sees(&anna, &team, &none);
        assert!(own.allows(Some(" Anna@shop.test")));
        let stands_in = Role::Salesperson.sees(&anna, &none, &BTreeSet::from([boris.clone()]));
        assert!(
            stands_in.allows(Some("boris@shop.test")) && !stands_in.allows(Some("c@shop.test"))
        );
        assert!(!own.allows(Some("boris@shop.test")) && !own.allows(None));
        let heads = Role::Head.sees(&boris, &team, &none);
        assert!(heads.allows(Some("anna@shop.test")) && heads.allows(Some("boris@shop.test")));
        assert!(!heads.allows(Some("clara@shop.test")));
        assert!(!Role::Head.sees(&boris, &none, &none).is_limited());
        assert!(!Role::Marketer.sees(&boris, &team, &none).is_limited());
    }
}
