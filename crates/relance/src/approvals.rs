//! Whom a question for approval is asked: its owner, those of a role, a deputy, whoever stands in for somebody absent.
//!
//! **Absent:** what an answer does (see `relance_core::decide`), and how questions are listed.

use jiff::Timestamp;
use relance_core::access::Role;
use relance_core::journey::Approver;
use relance_store::read::Question;

use crate::access::Caller;

/// Whose a question is: what the subject or its contact names, else the mailbox that the subject came from.
pub fn owner_of(question: &Question) -> Option<String> {
    let named = |field| {
        let subject = question.subject.as_ref()?;
        subject.text(field).map(|text| text.trim().to_lowercase())
    };
    named("owner")
        .or_else(|| question.contact.responsible())
        .or_else(|| named("mailbox"))
        .filter(|owner| !owner.is_empty())
}

/// Whether a question is asked of somebody: as its owner, by their role, as a deputy, or in place of one who is away.
pub fn is_asked(caller: &Caller, question: &Question, now: Timestamp) -> bool {
    let owner = owner_of(question);
    let mut addresses = caller.address().into_iter().chain(caller.absent().keys());
    let is_own =
        addresses.any(|address| owner.as_deref() == Some(address.as_str().to_lowercase().as_str()));
    let is_asked = |approver: &Approver| match approver {
        Approver::Auto => false,
        Approver::Owner => is_own,
        Approver::Role(role) => {
            let mut roles = caller.absent().values().chain([&caller.role]);
            roles.any(|own| own.word() == role)
        }
    };
    let approval = &question.touchpoint.approval;
    let is_deputy = approval.deputy.as_ref().is_some_and(|deputy| {
        is_asked(&deputy.who) && question.deputy_at.is_none_or(|from| from <= now)
    });
    is_asked(&approval.by) || is_deputy
}

/// Whether somebody may answer a question: of whom it is asked, an admin or a program everything, a head what is asked
/// of the team.
pub fn may_answer(caller: &Caller, question: &Question, now: Timestamp) -> bool {
    match caller.role {
        Role::Admin => return true,
        Role::Head
            if !caller.sees.is_limited() || caller.sees.allows(owner_of(question).as_deref()) =>
        {
            return true;
        }
        Role::Head | Role::Marketer | Role::Salesperson | Role::Viewer => {}
    }
    is_asked(caller, question, now)
}
