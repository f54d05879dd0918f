//! Signing in by a provider (OpenID Connect): authorization code with PKCE, state and nonce; discovery and keys from
//! the provider itself.
//!
//! Whoever the provider vouches for by a verified e-mail address is the user of that address. Nothing of a flow under
//! way is kept here: it goes with the browser, in a cookie that only the way back reads. The provider's answers are
//! bounded, and no redirection of it is followed.
//!
//! **Absent:** the provider's tokens, which are thrown away; signing out there.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};
use relance_core::user::{USERS_MAX, User};
use serde_json::json;

use super::account::{self, check_address, role_of};
use super::enter::{self, Entered, Origin};
use super::problem::Full;
use super::{AccessProblem, token};
use crate::config::{Config, ConfigProblem, OidcConfig, field};
use crate::workspace::Workspace;

/// The path that the provider sends back to.
pub const CALLBACK: &str = "/auth/oidc/callback";
/// How long somebody may take at the provider.
pub const FLOW_SECONDS_MAX: u32 = 600;
/// How long what the provider tells of itself is believed.
const METADATA_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Bytes of one answer of the provider.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long an answer of the provider may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the provider let nobody in.
#[derive(Debug, thiserror::Error)]
pub enum OidcProblem {
    /// None is set up.
    #[error("no provider of sign-ins is set up; add [oidc] to relance.toml")]
    NotSetUp,
    /// It cannot be reached, or what it says makes no sense.
    #[error("the provider of sign-ins cannot be used now: {0}")]
    Unreachable(String),
    /// The way back does not belong to a way there.
    #[error("the sign-in was not begun here, or took too long; begin again")]
    NotBegun,
    /// It said no.
    #[error("the provider of sign-ins refused: {0}")]
    Refused(String),
    /// It vouches for no address.
    #[error(
        "the provider tells no verified e-mail address; let it put `email` and `email_verified` into the id token"
    )]
    NoAddress,
    /// Nobody here has the address.
    #[error("nobody here has this address; ask an admin for an invitation")]
    Unknown,
}

impl OidcProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSetUp => "oidc_not_set_up",
            Self::Unreachable(_) => "oidc_unreachable",
            Self::NotBegun => "oidc_not_begun",
            Self::Refused(_) => "oidc_refused",
            Self::NoAddress => "oidc_no_address",
            Self::Unknown => "oidc_unknown_user",
        }
    }

    /// The status that the API answers with.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotSetUp => StatusCode::NOT_FOUND,
            Self::Unreachable(_) => StatusCode::BAD_GATEWAY,
            Self::NotBegun => StatusCode::BAD_REQUEST,
            Self::Refused(_) | Self::NoAddress | Self::Unknown => StatusCode::FORBIDDEN,
        }
    }
}

/// What is known of the provider: what it last told of itself.
#[derive(Debug, Default)]
pub struct Provider(Mutex<Option<(Timestamp, CoreProviderMetadata)>>);

/// Whether the section `[oidc]` can be used.
pub fn check(config: &Config) -> Result<(), ConfigProblem> {
    let Some(own) = &config.oidc else {
        return Ok(());
    };
    let issuer = IssuerUrl::new(own.issuer.clone());
    let is_safe = issuer.is_ok_and(|issuer| {
        let url = issuer.url();
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        url.scheme() == "https" || (url.scheme() == "http" && is_here)
    });
    if !is_safe {
        let what = format!("{:?} is no https address", own.issuer);
        return Err(field("oidc.issuer", what));
    }
    if let Some(role) = &own.role {
        role_of(role).map_err(|problem| field("oidc.role", problem))?;
    }
    Ok(())
}

/// A flow under way, as it goes with the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    state: String,
    nonce: String,
    verifier: String,
}

impl Flow {
    /// As a cookie's value: each part is made of letters that need no escape.
    pub fn text(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    /// From a cookie's value.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        let (state, nonce, verifier) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && !state.is_empty() && !nonce.is_empty();
        is_whole.then_some(Self {
            state,
            nonce,
            verifier,
        })
    }
}

/// A client of which everything is set but what is never used.
type Ready = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why the provider's answer could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskProblem {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{0}")]
    Form(#[from] axum::http::Error),
    #[error("an answer of more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

pub(crate) type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, AskProblem>> + Send>>;

/// Asks the provider by our own client.
pub(crate) fn asker() -> Result<impl Fn(HttpRequest) -> Asking + Send + Sync, OidcProblem> {
    let client =
        client_without_redirects().map_err(|error| OidcProblem::Unreachable(error.to_string()))?;
    Ok(move |request: HttpRequest| -> Asking { Box::pin(ask(client.clone(), request)) })
}

/// A client for providers: a redirection could lead into the own network.
pub(crate) fn client_without_redirects() -> reqwest::Result<reqwest::Client> {
    // Installing the provider of TLS a second time changes nothing.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(ANSWER_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

async fn ask(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, AskProblem> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut built = axum::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        built = built.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(AskProblem::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(built.body(body)?)
}

/// What an error says, with what caused it.
pub(crate) fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn unreachable(error: &dyn std::error::Error) -> OidcProblem {
    OidcProblem::Unreachable(said(error))
}

/// What the provider tells of itself, its keys included.
async fn metadata(
    workspace: &Workspace,
    own: &OidcConfig,
) -> Result<CoreProviderMetadata, OidcProblem> {
    let access = &workspace.access;
    let now = access.now();
    let kept = {
        let kept = access.oidc.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    };
    if let Some((at, metadata)) = kept
        && now.duration_since(at) < METADATA_KEPT
    {
        return Ok(metadata);
    }
    let issuer = IssuerUrl::new(own.issuer.clone()).map_err(|error| unreachable(&error))?;
    let asker = asker()?;
    let found = CoreProviderMetadata::discover_async(issuer, &asker).await;
    let found = found.map_err(|error| unreachable(&error))?;
    let mut kept = access.oidc.0.lock().unwrap_or_else(PoisonError::into_inner);
    *kept = Some((now, found.clone()));
    Ok(found)
}

fn secret(own: &OidcConfig, data: &Path) -> Result<Option<ClientSecret>, OidcProblem> {
    let Some(file) = &own.client_secret_file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(data.join(file));
    let text = text
        .map_err(|error| OidcProblem::Unreachable(format!("oidc.client_secret_file: {error}")))?;
    Ok(Some(ClientSecret::new(text.trim().to_owned())))
}

async fn client(workspace: &Workspace, own: &OidcConfig) -> Result<Ready, OidcProblem> {
    let metadata = metadata(workspace, own).await?;
    let id = ClientId::new(own.client_id.clone());
    let config = workspace.config();
    let public_url = config.workspace.public_url.trim_end_matches('/');
    let back = RedirectUrl::new(format!("{public_url}{CALLBACK}"));
    let back = back.map_err(|error| unreachable(&error))?;
    let secret = secret(own, &workspace.data)?;
    Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(back))
}

fn own(workspace: &Workspace) -> Result<OidcConfig, OidcProblem> {
    workspace.config().oidc.clone().ok_or(OidcProblem::NotSetUp)
}

/// The way there: the provider's address, and what the browser brings back.
pub async fn begin(workspace: &Arc<Workspace>) -> Result<(String, Flow), AccessProblem> {
    let client = client(workspace, &own(workspace)?).await?;
    let (state, nonce) = (token::new()?, token::new()?);
    // Two tokens: RFC 7636 wants 43 letters or more, of those that ours are made of.
    let verifier = format!("{}{}", token::new()?, token::new()?);
    let pkce = PkceCodeVerifier::new(verifier.clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&pkce);
    let (own_state, own_nonce) = (state.clone(), nonce.clone());
    let (url, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(own_state),
            move || Nonce::new(own_nonce),
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let flow = Flow {
        state,
        nonce,
        verifier,
    };
    Ok((url.to_string(), flow))
}

/// Whom a provider vouches for.
struct Vouched {
    address: String,
    name: Option<String>,
}

/// The way back: who it is, and their session.
pub async fn finish(
    workspace: &Arc<Workspace>,
    flow: Option<Flow>,
    state: &str,
    code: &str,
    origin: &Origin,
) -> Result<Entered, AccessProblem> {
    let own = own(workspace)?;
    let begun = flow.filter(|flow| token::same(&flow.state, state));
    let flow = begun.ok_or(OidcProblem::NotBegun)?;
    let vouched = vouched(workspace, &own, flow, code).await?;
    let address = check_address(&vouched.address)?;
    let access = &workspace.access;
    let _turn = access.changing.lock().await;
    let known = account::fresh(workspace, &address).await;
    let (mut user, is_new) = match (known, &own.role) {
        (Ok(user), _) => (user, false),
        (Err(AccessProblem::NotFound(_)), Some(role)) => {
            if access.users().len() >= USERS_MAX {
                return Err(AccessProblem::Full(Full::Users));
            }
            let by = "oidc".to_owned();
            let mut user = User::new(address, role_of(role)?, access.now(), by);
            // A name that is none of ours is left out; it is no reason to keep somebody out.
            let name = vouched
                .name
                .as_deref()
                .map(|name| account::name_of("name", name));
            user.name = name.and_then(Result::ok).flatten();
            (user, true)
        }
        (Err(AccessProblem::NotFound(_)), None) => return Err(OidcProblem::Unknown.into()),
        (Err(problem), _) => return Err(problem),
    };
    let changed = is_new || !user.credentials.vouched;
    user.credentials.vouched = true;
    let how = json!({ "by": "oidc", "new": is_new });
    enter::begin(workspace, user, changed, Vec::new(), origin, &how).await
}

async fn vouched(
    workspace: &Arc<Workspace>,
    own: &OidcConfig,
    flow: Flow,
    code: &str,
) -> Result<Vouched, OidcProblem> {
    let client = client(workspace, own).await?;
    let asker = asker()?;
    let request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|error| unreachable(&error))?
        .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier));
    let answer = request.request_async(&asker).await;
    let answer = answer.map_err(|error| OidcProblem::Refused(said(&error)))?;
    let refused = |what: &str| OidcProblem::Refused(what.to_owned());
    let id_token = answer.id_token().ok_or_else(|| refused("no id token"))?;
    // Moments of the token are looked at by the clock of accounts, as all of theirs.
    let now = workspace.access.now();
    let verifier = client.id_token_verifier();
    let verifier = verifier.set_time_fn(move || moment(now));
    let claims = id_token.claims(&verifier, &Nonce::new(flow.nonce));
    let claims = match claims {
        Ok(claims) => claims,
        Err(error) => {
            // Its keys may be new ones: the next try asks for them.
            let kept = &workspace.access.oidc.0;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
            return Err(OidcProblem::Refused(said(&error)));
        }
    };
    let address = claims
        .email()
        .filter(|_| claims.email_verified() == Some(true));
    let address = address.ok_or(OidcProblem::NoAddress)?;
    let name = claims.name().and_then(|name| name.get(None));
    Ok(Vouched {
        address: address.as_str().to_owned(),
        name: name.map(|name| name.as_str().to_owned()),
    })
}

/// A moment as the library knows them.
fn moment(at: Timestamp) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(at.as_second(), 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_reads_back_from_its_cookie_and_nothing_else_does() {
        let flow = Flow {
            state: "a".to_owned(),
            nonce: "b".to_owned(),
            verifier: "c".to_owned(),
        };
        assert_eq!(Flow::parse(&flow.text()), Some(flow));
        for bad in ["", "a", "a.b", "a.b.c.d", "..", ".b.c"] {
            assert_eq!(Flow::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_issuer_is_reached_safely_and_a_role_is_one_of_ours() {
        let config = |issuer: &str, more: &str| {
            let text = format!("[oidc]\nissuer = \"{issuer}\"\nclient_id = \"relance\"\n{more}");
            check(&Config::parse(&text).unwrap()).map_err(|problem| problem.to_string())
        };
        assert_eq!(config("https://id.shop.test", ""), Ok(()));
        assert_eq!(config("http://127.0.0.1:9000", "role = \"viewer\""), Ok(()));
        assert!(
            config("http://id.shop.test", "")
                .unwrap_err()
                .contains("oidc.issuer")
        );
        assert!(
            config("id.shop.test", "")
                .unwrap_err()
                .contains("oidc.issuer")
        );
        let bad = config("https://id.shop.test", "role = \"king\"").unwrap_err();
        assert!(
            bad.contains("oidc.role") && bad.contains("salesperson"),
            "{bad}"
        );
        assert!(check(&Config::default()).is_ok());
    }
}
