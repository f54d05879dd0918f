//! The way to a provider and back: begun by a person who is signed in, ended by the same person in the same browser.
//!
//! Nothing of a flow under way is kept here: it goes with the browser, in a cookie that only the way back reads, bound to
//! the session by which it was begun.

use std::sync::Arc;

use super::provider::{Asked, Granted, OauthProblem, Provider};
use crate::access::{Caller, token};
use crate::workspace::Workspace;

/// A flow under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    provider: Provider,
    state: String,
    verifier: String,
    session: String,
    /// The mailbox that is to be connected; empty for the one of the account.
    pub address: String,
}

impl Flow {
    /// As a cookie's value.
    pub fn text(&self) -> String {
        use base64::Engine as _;
        let address = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&self.address);
        format!(
            "{}.{}.{}.{}.{address}",
            self.provider.word(),
            self.state,
            self.verifier,
            self.session
        )
    }

    /// From a cookie's value.
    pub fn parse(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let parts: Vec<&str> = text.split('.').collect();
        let [provider, state, verifier, session, address] = parts.as_slice() else {
            return None;
        };
        let is_whole = [state, verifier, session]
            .iter()
            .all(|part| !part.is_empty());
        let address = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(address)
            .ok()?;
        is_whole.then_some(Self {
            provider: Provider::from_word(provider)?,
            state: (*state).to_owned(),
            verifier: (*verifier).to_owned(),
            session: (*session).to_owned(),
            address: String::from_utf8(address).ok()?,
        })
    }

    /// Whose tokens they are.
    pub const fn provider(&self) -> Provider {
        self.provider
    }
}

/// What a session is called in a cookie: a hash of its hash.
fn mark(caller: &Caller) -> Option<String> {
    let session = caller.session()?;
    let hash = blake3::derive_key("relance 2026-11 flow of a mailbox", session.as_bytes());
    Some(blake3::Hash::from_bytes(hash).to_hex().to_string())
}

/// The way there: the provider's address, and what the browser brings back.
pub fn begin(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    provider: Provider,
    address: Option<&str>,
) -> Result<(String, Flow), OauthProblem> {
    let config = workspace.config();
    let asked = Asked::new(&config, &workspace.data, provider)?;
    let new = || {
        token::new().map_err(|_| OauthProblem::Unreachable {
            provider: provider.word(),
            text: "no randomness".to_owned(),
        })
    };
    let flow = Flow {
        provider,
        state: new()?,
        // Two tokens: RFC 7636 wants 43 letters or more.
        verifier: format!("{}{}", new()?, new()?),
        session: mark(caller).ok_or(OauthProblem::NotBegun)?,
        address: address.unwrap_or_default().to_owned(),
    };
    let url = asked.authorize(&flow.state, &flow.verifier, address);
    Ok((url, flow))
}

/// The way back: whose leave it is.
pub async fn finish(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    flow: Option<Flow>,
    state: &str,
    code: &str,
) -> Result<(Flow, Granted), OauthProblem> {
    let begun = flow.filter(|flow| {
        token::same(&flow.state, state)
            && mark(caller).is_some_and(|mark| token::same(&flow.session, &mark))
    });
    let flow = begun.ok_or(OauthProblem::NotBegun)?;
    let config = workspace.config();
    let asked = Asked::new(&config, &workspace.data, flow.provider)?;
    let now = workspace.access.now();
    let granted = asked.exchange(code, &flow.verifier, now).await?;
    Ok((flow, granted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_reads_back_from_its_cookie_and_nothing_else_does() {
        let flow = Flow {
            provider: Provider::Google,
            state: "a".to_owned(),
            verifier: "b".to_owned(),
            session: "c".to_owned(),
            address: "anna@shop.test".to_owned(),
        };
        assert_eq!(Flow::parse(&flow.text()), Some(flow.clone()));
        let none = Flow {
            address: String::new(),
            ..flow
        };
        assert_eq!(Flow::parse(&none.text()), Some(none));
        for bad in [
            "",
            "google.a.b.c",
            "x.a.b.c.",
            "google...c.",
            "google.a.b.c.!!",
            "google.a.b.c.d.e",
        ] {
            assert_eq!(Flow::parse(bad), None, "{bad}");
        }
    }
}
