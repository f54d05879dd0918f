//! Whose a call is, where it tells several names: one contact's, a new one's, or two that are one.
//!
//! Two contacts become one only where nothing speaks against it: a person is never given another's messages
//! because both sat at one computer or share an address. What is left apart is told with its reason, and a
//! person can merge it by hand.
//!
//! **Absent:** what a merge does ([`merge`](crate::decide::merge())), and where names are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::contact::{Contact, Identity, IdentityKind};
use crate::ids::{ContactId, EnrollmentId, SegmentId, TouchpointId};

/// How long a merge can be undone.
pub const UNDO_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How a call tells that its names belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Side by side, as every call does.
    Together,
    /// In so many words, as an `alias` call does: its user ids are one person's.
    Outright,
}

/// Why two contacts that one call names stay two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apart {
    /// Each has a user id of its own: the customer's system holds them for two people.
    TwoUsers,
    /// Both used one device, and at least one is known by a user id of its own.
    SharedDevice,
    /// Each has an address of the same kind, and the call tells only one of them.
    OtherAddress,
}

impl Apart {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::TwoUsers, Self::SharedDevice, Self::OtherAddress];

    /// The public code.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TwoUsers => "two_users",
            Self::SharedDevice => "shared_device",
            Self::OtherAddress => "other_address",
        }
    }

    /// The reason of a code.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Whether the two may be one person all the same, so that somebody should look: a computer that two
    /// people use is no sign of that.
    pub const fn is_doubtful(self) -> bool {
        match self {
            Self::TwoUsers | Self::OtherAddress => true,
            Self::SharedDevice => false,
        }
    }
}

/// Whose a call is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The contact; `None` where it must be a new one.
    pub contact: Option<ContactId>,
    /// Contacts that turn out to be that one.
    pub absorbed: Vec<ContactId>,
    /// Contacts that are named as well and stay apart.
    pub apart: Vec<(ContactId, Apart)>,
}

/// Contacts by all their names.
pub type Names = BTreeMap<ContactId, Vec<Identity>>;

/// Decides whose a call is. `told` are its identities, the most trusted first, each with the contact that has
/// it; `names` are all names of those contacts.
///
/// A contact with a user id survives, and no two with user ids become one unless they are told so outright and
/// no address speaks against it. The user id of a call that nobody has yet goes to a contact without one, never to somebody else's.
pub fn judge(told: &[(&Identity, Option<ContactId>)], names: &Names, how: Told) -> Verdict {
    let call = Call { told, names, how };
    let named = call.named();
    let (main, has_user) = match call.main(&named) {
        Some(main) => (Some(main), call.has_user(main)),
        None => (None, call.tells_user()),
    };
    let mut verdict = Verdict {
        contact: main,
        ..Verdict::default()
    };
    for other in named.into_iter().filter(|other| Some(*other) != main) {
        match call.bar(main, has_user, other) {
            Some(why) => verdict.apart.push((other, why)),
            None => verdict.absorbed.push(other),
        }
    }
    verdict
}

/// A merge that was done: where names of runs and messages lead to now, and what it takes to undo it.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeRecord {
    /// Who goes on.
    pub survivor: ContactId,
    /// Who was absorbed.
    pub absorbed: ContactId,
    /// When.
    pub at: Timestamp,
    /// Who or what said so: `alias`, `identify`, or a user.
    pub by: Arc<str>,
    /// Numbers of runs that went over, old and new.
    pub runs: Vec<(u32, u32)>,
    /// Hashes of messages that went over, old and new.
    pub messages: Vec<(u64, u64)>,
    /// What it takes to undo it; forgotten after [`UNDO_WITHIN`].
    pub undo: Option<Box<Undo>>,
}

/// The two contacts as they were.
#[derive(Debug, Clone, PartialEq)]
pub struct Undo {
    /// Who goes on, before.
    pub survivor: Contact,
    /// Who was absorbed, before.
    pub absorbed: Contact,
    /// Lists that the absorbed one was in.
    pub lists: BTreeSet<SegmentId>,
    /// Those of them that the survivor was in as well.
    pub shared_lists: BTreeSet<SegmentId>,
}

impl MergeRecord {
    /// The name that a run has now.
    pub fn run(&self, id: EnrollmentId) -> Option<EnrollmentId> {
        let found = self.runs.iter().find(|(old, _)| *old == id.number);
        found.map(|(_, number)| EnrollmentId {
            contact: self.survivor,
            number: *number,
        })
    }

    /// The name that a message has now.
    pub fn message(&self, id: TouchpointId) -> Option<TouchpointId> {
        let found = self.messages.iter().find(|(old, _)| *old == id.hash);
        found.map(|(_, hash)| TouchpointId {
            contact: self.survivor,
            hash: *hash,
        })
    }
}

struct Call<'a> {
    told: &'a [(&'a Identity, Option<ContactId>)],
    names: &'a Names,
    how: Told,
}

impl Call<'_> {
    /// The contacts that are named, the most trusted name first.
    fn named(&self) -> Vec<ContactId> {
        let mut named = Vec::new();
        for contact in self.told.iter().filter_map(|(_, contact)| *contact) {
            if !named.contains(&contact) {
                named.push(contact);
            }
        }
        named
    }

    fn has(&self, contact: ContactId, kind: IdentityKind) -> bool {
        let names = self.names.get(&contact).into_iter().flatten();
        names.into_iter().any(|name| name.kind == kind)
    }

    fn has_user(&self, contact: ContactId) -> bool {
        self.has(contact, IdentityKind::UserId)
    }

    fn tells_user(&self) -> bool {
        let mut kinds = self.told.iter().map(|(identity, _)| identity.kind);
        kinds.any(|kind| kind == IdentityKind::UserId)
    }

    fn is_named_by(&self, contact: ContactId, which: impl Fn(IdentityKind) -> bool) -> bool {
        let mut own = self.told.iter().filter(|(_, of)| *of == Some(contact));
        own.any(|(identity, _)| which(identity.kind))
    }

    /// The contact that the call is about.
    fn main(&self, named: &[ContactId]) -> Option<ContactId> {
        let by_user = |contact: &ContactId| self.is_named_by(*contact, is_user);
        if let Some(known) = named.iter().copied().find(by_user) {
            return Some(known);
        }
        if self.tells_user() {
            // A new user id: whoever has one already is somebody else.
            let mut free = named.iter().filter(|contact| !self.has_user(**contact));
            return free.next().copied();
        }
        // A contact with a user id is better known than one without, if an address says that it is meant.
        let first = named.first().copied()?;
        let by_address = |contact: &ContactId| {
            self.has_user(*contact)
                && self.is_named_by(*contact, IdentityKind::is_address)
                && self.bar(Some(*contact), true, first).is_none()
        };
        if self.has_user(first) {
            return Some(first);
        }
        Some(named.iter().copied().find(by_address).unwrap_or(first))
    }

    /// What speaks against `other` being `main`; `has_user` says whether that one has a user id, or gets one.
    fn bar(&self, main: Option<ContactId>, has_user: bool, other: ContactId) -> Option<Apart> {
        if self.has_user(other) {
            let outright = self.how == Told::Outright && self.is_named_by(other, is_user);
            let by_device = !self.is_named_by(other, |kind| kind != IdentityKind::AnonymousId);
            if by_device {
                return Some(Apart::SharedDevice);
            }
            if !outright {
                // Without a user id of its own, `main` would have been the one that is absorbed.
                return Some(if has_user {
                    Apart::TwoUsers
                } else {
                    Apart::OtherAddress
                });
            }
        }
        let kinds = IdentityKind::BY_TRUST.into_iter();
        let mut addresses = kinds.filter(|kind| kind.is_address());
        let differs = addresses.any(|kind| {
            let tells = |name: &Identity| self.told.iter().any(|(told, _)| *told == name);
            let own = self.names.get(&other).into_iter().flatten();
            let mut own = own.filter(|name| name.kind == kind).peekable();
            let of_main = main.is_some_and(|main| self.has(main, kind))
                || self.told.iter().any(|(told, _)| told.kind == kind);
            own.peek().is_some() && of_main && !own.any(tells)
        });
        // Also where the call says so outright: programs alias whoever signs in to whoever was signed in.
        differs.then_some(Apart::OtherAddress)
    }
}

fn is_user(kind: IdentityKind) -> bool {
    kind == IdentityKind::UserId
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contacts 1, 2, ... by their names, and whose a call with some names is: `u:` user id, `e:` address,
    /// `p:` telephone, `a:` device.
    fn judged(known: &[&str], told: &str, how: Told) -> Verdict {
        let identity = |text: &str| match text.split_once(':') {
            Some(("u", id)) => Identity::user(id),
            Some(("e", id)) => Identity::email(id),
            Some(("p", id)) => Identity::phone(id),
            Some(("a", id)) => Identity::anonymous(id),
            _unknown => panic!("{text}"),
        };
        let identities = |text: &str| text.split(' ').map(identity).collect::<Vec<_>>();
        let all: Names = (1..)
            .map(ContactId)
            .zip(known.iter().map(|text| identities(text)))
            .collect();
        let owner = |identity: &Identity| {
            let found = all.iter().find(|(_, names)| names.contains(identity));
            found.map(|(contact, _)| *contact)
        };
        let call = identities(told);
        let told: Vec<_> = call.iter().map(|one| (one, owner(one))).collect();
        judge(&told, &all, how)
    }

    fn verdict(contact: u64, absorbed: &[u64], apart: &[(u64, Apart)]) -> Verdict {
        Verdict {
            contact: (contact > 0).then_some(ContactId(contact)),
            absorbed: absorbed.iter().copied().map(ContactId).collect(),
            apart: apart
                .iter()
                .map(|(id, why)| (ContactId(*id), *why))
                .collect(),
        }
    }

    #[test]
    fn what_safe_names_say_is_believed() {
        let together = |known: &[&str], told: &str| judged(known, told, Told::Together);
        // Nobody is known.
        assert_eq!(together(&[], "u:1 a:x"), verdict(0, &[], &[]));
        // All of one.
        assert_eq!(together(&["u:1 a:x"], "u:1 a:x"), verdict(1, &[], &[]));
        // A visitor signs in.
        assert_eq!(together(&["a:x", "u:1"], "u:1 a:x"), verdict(2, &[1], &[]));
        // A visitor signs up.
        assert_eq!(together(&["a:x"], "u:1 a:x"), verdict(1, &[], &[]));
        // A correspondent signs in, and is known by the address alone.
        assert_eq!(
            together(&["e:a@x", "u:1"], "u:1 e:a@x"),
            verdict(2, &[1], &[])
        );
        // The user has had another address until now; the call tells the new one.
        let known = ["u:1 e:old@x", "e:new@x"];
        assert_eq!(together(&known, "u:1 e:new@x"), verdict(1, &[2], &[]));
        // Without a user id the one that has one survives, whichever name comes first.
        let known = ["e:a@x", "u:1 p:+1"];
        assert_eq!(together(&known, "e:a@x p:+1"), verdict(2, &[1], &[]));
        // Two visitors' devices, one address.
        assert_eq!(
            together(&["a:x", "e:a@x a:y"], "e:a@x a:x"),
            verdict(2, &[1], &[])
        );
    }

    #[test]
    fn two_people_stay_two() {
        let together = |known: &[&str], told: &str| judged(known, told, Told::Together);
        use Apart::{OtherAddress, SharedDevice, TwoUsers};
        // The second user of one computer, known or new.
        let known = ["u:1 a:x", "u:2"];
        assert_eq!(
            together(&known, "u:2 a:x"),
            verdict(2, &[], &[(1, SharedDevice)])
        );
        assert_eq!(
            together(&["u:1 a:x"], "u:2 a:x"),
            verdict(0, &[], &[(1, SharedDevice)])
        );
        // Two users with one address, known or new.
        let known = ["u:1 e:a@x", "u:2"];
        assert_eq!(
            together(&known, "u:2 e:a@x"),
            verdict(2, &[], &[(1, TwoUsers)])
        );
        assert_eq!(
            together(&["u:1 p:+1"], "u:2 p:+1"),
            verdict(0, &[], &[(1, TwoUsers)])
        );
        // Who gave another address at this computer.
        let known = ["a:x e:other@x", "u:1 e:a@x"];
        assert_eq!(
            together(&known, "u:1 a:x"),
            verdict(2, &[], &[(1, OtherAddress)])
        );
        // A family's telephone.
        let known = ["p:+1 e:a@x", "u:1 e:b@x"];
        assert_eq!(
            together(&known, "u:1 p:+1"),
            verdict(2, &[], &[(1, OtherAddress)])
        );
        // Who is known by an address alone writes from a computer that a user has.
        let known = ["e:a@x", "u:1 a:x"];
        assert_eq!(
            together(&known, "e:a@x a:x"),
            verdict(1, &[], &[(2, SharedDevice)])
        );
    }

    #[test]
    fn an_alias_makes_one_of_two_users_but_takes_nobody_along() {
        let outright = |known: &[&str], told: &str| judged(known, told, Told::Outright);
        let known = ["u:old e:a@x", "u:new p:+1"];
        assert_eq!(outright(&known, "u:new u:old a:old"), verdict(2, &[1], &[]));
        // Each has an address of its own: whoever signed in is not who was signed in.
        let strangers = ["u:old e:a@x", "u:new e:b@x"];
        let apart = [(1, Apart::OtherAddress)];
        assert_eq!(
            outright(&strangers, "u:new u:old a:old"),
            verdict(2, &[], &apart)
        );
        // Unless the call tells that address as well.
        assert_eq!(
            outright(&strangers, "u:new u:old e:a@x"),
            verdict(2, &[1], &[])
        );
        assert_eq!(
            outright(&known[..1], "u:new u:old a:old"),
            verdict(1, &[], &[])
        );
        assert_eq!(
            outright(&["a:old", "u:new"], "u:new u:old a:old"),
            verdict(2, &[1], &[])
        );
        // The device that the call came from is another user's.
        let known = ["u:old", "u:new", "u:3 a:x"];
        let apart = [(3, Apart::SharedDevice)];
        assert_eq!(
            outright(&known, "u:new a:x u:old a:old"),
            verdict(2, &[1], &apart)
        );
    }

    #[test]
    fn a_device_without_a_user_goes_on_as_it_was() {
        // Another address in a form: the call is the device's contact's, as ever.
        let known = ["a:x e:a@x"];
        assert_eq!(
            judged(&known, "e:b@x a:x", Told::Together),
            verdict(1, &[], &[])
        );
    }

    #[test]
    fn reasons_read_back_from_their_codes() {
        for why in Apart::ALL {
            assert_eq!(Apart::from_word(why.word()), Some(why));
        }
    }
}
