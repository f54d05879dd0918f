//! Who logs in to the demonstration: its salespeople, and whoever looks at it.

use std::sync::Arc;

use relance_core::access::Role;

use crate::access::account::{Words, make, sign_in_link};
use crate::access::{AccessProblem, Caller};
use crate::workspace::Workspace;

use super::company::Company;

/// How whoever looks is called, before the company's domain.
const VISITOR: &str = "visitor";

/// Makes users of the company's salespeople and an admin for the visitor. Returns the link by which the visitor
/// signs in, once.
pub(super) async fn let_in(
    workspace: &Arc<Workspace>,
    company: &Company,
) -> Result<String, AccessProblem> {
    let caller = Caller::operator();
    for desk in &company.desks {
        let person = &desk.salesperson;
        let words = Words {
            name: Some(&person.name),
            ..Words::default()
        };
        let role = Role::Salesperson;
        make(workspace, &caller, &person.address, role, &words, false).await?;
    }
    let visitor = format!("{VISITOR}@{}", company.domain);
    make(
        workspace,
        &caller,
        &visitor,
        Role::Admin,
        &Words::default(),
        false,
    )
    .await?;
    sign_in_link(
        workspace,
        &visitor,
        &workspace.config().workspace.public_url,
    )
    .await
}
