//! The table of rules against the routes, and roles x routes as a file that review reads.

use std::collections::BTreeSet;

use relance_core::access::{Role, Scope};

use super::rules::{RULES, Rule};
use crate::access::Caller;
use crate::http::openapi;

/// `GET /api/v1/contacts` of every line.
fn ruled() -> BTreeSet<String> {
    let lines = RULES.iter();
    lines
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect()
}

#[test]
fn every_route_has_a_rule_and_every_rule_a_route() {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("paths");
    let documented = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flat_map(|item| item.keys());
        methods
            .filter(|word| ["get", "post", "put", "patch", "delete"].contains(&word.as_str()))
            .map(move |word| format!("{} {path}", word.to_uppercase()))
    });
    let documented: BTreeSet<String> = documented.collect();
    let ruled = ruled();
    assert_eq!(ruled.len(), RULES.len(), "a line stands twice");
    let without: Vec<_> = documented.difference(&ruled).collect();
    assert!(without.is_empty(), "routes without a rule: {without:#?}");
    let idle: Vec<_> = ruled.difference(&documented).collect();
    assert!(
        idle.is_empty(),
        "rules without a documented route: {idle:#?}"
    );
}

/// Whether a caller passes a rule, as the guard decides it.
fn passes(rule: Rule, caller: &Caller) -> char {
    if super::guard::may(rule, caller) {
        '+'
    } else {
        '.'
    }
}

#[test]
fn roles_by_routes_are_as_they_were_read_in_review() {
    let user = |role: Role, team: bool| {
        let team = team.then(|| "b@shop.test".into()).into_iter().collect();
        let sees = role.sees(&"a@shop.test".into(), &team, &BTreeSet::new());
        Caller::user("a@shop.test".into(), role, sees, None)
    };
    let mut callers = vec![
        ("admin", user(Role::Admin, false)),
        ("head", user(Role::Head, false)),
        ("team", user(Role::Head, true)),
        ("market", user(Role::Marketer, false)),
        ("sales", user(Role::Salesperson, false)),
        ("viewer", user(Role::Viewer, false)),
    ];
    for scope in [Scope::Read, Scope::Contacts, Scope::Journeys, Scope::Admin] {
        let name = match scope {
            Scope::Write => "t:write",
            Scope::Read => "t:read",
            Scope::Contacts => "t:cont",
            Scope::Journeys => "t:jour",
            Scope::Admin => "t:admin",
        };
        callers.push((name, Caller::token("x".into(), scope)));
    }
    let mut table =
        String::from("anyone: + without signing in; team: a head of a team; t: a token\n");
    for (name, _) in &callers {
        table.push_str(&format!("{name:<8}"));
    }
    table.push_str("anyone  rule\n");
    let mut lines: Vec<_> = RULES.iter().collect();
    lines.sort_by_key(|(method, path, _)| (*path, method.as_str()));
    for (method, path, rule) in lines {
        for (_, caller) in &callers {
            table.push_str(&format!("{:<8}", passes(*rule, caller)));
        }
        let open = if *rule == Rule::Anyone { '+' } else { '.' };
        table.push_str(&format!("{open:<8}{method} {path}\n"));
    }
    insta::with_settings!({
        snapshot_path => "../../../tests/golden",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("roles-by-routes", table);
    });
}
