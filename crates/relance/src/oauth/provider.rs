//! Providers of tokens for mailboxes: where they are asked, for what, and how they answer.
//!
//! **Absent:** when they are asked.

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::Known;
use crate::access::oidc::{asker, said};
use crate::config::{Config, EndpointsConfig};

/// Where a provider sends the browser back to.
pub const CALLBACK: &str = "/auth/mailbox";
/// What an access token lasts whose provider does not say.
const LIFE_DEFAULT: SignedDuration = SignedDuration::from_mins(30);

/// A provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Gmail, Google Workspace.
    Google,
    /// Microsoft 365, Outlook.com.
    Microsoft,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Google, Self::Microsoft];

    /// Its word in the API and in what is kept.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
        }
    }

    /// The provider of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The preset of its mailboxes.
    pub const fn preset(self) -> &'static str {
        match self {
            Self::Google => "gmail",
            Self::Microsoft => "microsoft",
        }
    }

    const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Google => &["https://mail.google.com/", "openid", "email"],
            Self::Microsoft => &[
                "https://outlook.office.com/IMAP.AccessAsUser.All",
                "https://outlook.office.com/SMTP.Send",
                "offline_access",
                "openid",
                "email",
                "profile",
            ],
        }
    }

    /// Where a person takes the leave back by hand.
    pub const fn revoke_page(self) -> &'static str {
        match self {
            Self::Google => "https://myaccount.google.com/connections",
            Self::Microsoft => "https://myapps.microsoft.com/",
        }
    }

    fn endpoints(self, config: &Config, directory: Option<&str>) -> EndpointsConfig {
        let (auth, token, revoke) = match self {
            Self::Google => (
                "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
                "https://oauth2.googleapis.com/token".to_owned(),
                Some("https://oauth2.googleapis.com/revoke".to_owned()),
            ),
            Self::Microsoft => {
                let base = format!(
                    "https://login.microsoftonline.com/{}/oauth2/v2.0",
                    directory.unwrap_or("common")
                );
                (format!("{base}/authorize"), format!("{base}/token"), None)
            }
        };
        let own = config.oauth_endpoints.get(self.word()).cloned();
        let own = own.unwrap_or_default();
        EndpointsConfig {
            auth: own.auth.or(Some(auth)),
            token: own.token.or(Some(token)),
            revoke: own.revoke.or(revoke),
            imap: own.imap,
            smtp: own.smtp,
        }
    }
}

/// Why a provider gives no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthProblem {
    /// It is not set up here.
    #[error(
        "{0} is not set up: enter the client's id and secret in the settings, or [oauth_clients.{0}] in relance.toml"
    )]
    NotSetUp(&'static str),
    /// It cannot be reached, or what it says makes no sense.
    #[error("{provider} cannot be used now: {text}")]
    Unreachable {
        /// Which.
        provider: &'static str,
        /// Why.
        text: String,
    },
    /// The leave is gone.
    #[error("{provider} takes the leave back: {text}; connect the mailbox again")]
    Gone {
        /// Which.
        provider: &'static str,
        /// Its words.
        text: String,
    },
    /// What we are called there is wrong.
    #[error("{provider} does not know this server: {text}; look at the client's id and secret")]
    Client {
        /// Which.
        provider: &'static str,
        /// Its words.
        text: String,
    },
    /// The way back does not belong to a way there.
    #[error("this was not begun here, or took too long; begin again")]
    NotBegun,
    /// It tells no address.
    #[error("{0} tells no address of the mailbox; connect it again, and agree to everything")]
    NoAddress(&'static str),
    /// It gives no lasting leave.
    #[error(
        "{0} gives no lasting leave (no refresh token); take the leave back there and connect again"
    )]
    NoRefresh(&'static str),
    /// The account is another one.
    #[error("the leave is of {told}, and {asked} was to be connected; choose the right account")]
    WrongAddress {
        /// Whose.
        told: String,
        /// Which was wanted.
        asked: String,
    },
    /// The person did not agree.
    #[error("the provider says {0}")]
    Refused(String),
}

impl OauthProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSetUp(_) => "oauth_not_set_up",
            Self::Unreachable { .. } => "oauth_unreachable",
            Self::Gone { .. } => "connect_again",
            Self::Client { .. } => "oauth_client",
            Self::NotBegun => "oauth_not_begun",
            Self::NoAddress(_) => "oauth_no_address",
            Self::NoRefresh(_) => "oauth_no_refresh",
            Self::WrongAddress { .. } => "wrong_address",
            Self::Refused(_) => "access_denied",
        }
    }
}

/// What comes with a token beside it.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Beside {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl ExtraTokenFields for Beside {}

type Answer = StandardTokenResponse<Beside, BasicTokenType>;
type Ready = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A provider as this server is known to it.
pub struct Asked {
    provider: Provider,
    client: Ready,
    revoke: Option<String>,
}

/// Whose a leave is, and its tokens.
pub struct Granted {
    /// The address of the account.
    pub address: String,
    /// The tokens.
    pub known: Known,
}

impl Asked {
    /// Whether a provider is set up.
    pub fn is_set_up(config: &Config, provider: Provider) -> bool {
        own(config, provider).is_some_and(|own| !own.client_id.is_empty())
    }

    /// A provider by the configuration in force.
    pub fn new(
        config: &Config,
        data: &std::path::Path,
        provider: Provider,
    ) -> Result<Self, OauthProblem> {
        let word = provider.word();
        let own = own(config, provider).ok_or(OauthProblem::NotSetUp(word))?;
        let client_problem = |text: String| OauthProblem::Client {
            provider: word,
            text,
        };
        let place = format!("oauth_clients.{word}.client_secret");
        let secret = own
            .secret(&place, data)
            .map_err(|problem| client_problem(problem.to_string()))?;
        let endpoints = provider.endpoints(config, own.directory.as_deref());
        let unusable = |what: &str| client_problem(format!("{what} is no address"));
        let auth = AuthUrl::new(endpoints.auth.unwrap_or_default())
            .map_err(|_| unusable("oauth_endpoints.auth"))?;
        let token = TokenUrl::new(endpoints.token.unwrap_or_default())
            .map_err(|_| unusable("oauth_endpoints.token"))?;
        let public_url = config.workspace.public_url.trim_end_matches('/');
        let back = RedirectUrl::new(format!("{public_url}{CALLBACK}"))
            .map_err(|_| unusable("workspace.public_url"))?;
        let mut client: Client<
            BasicErrorResponse,
            Answer,
            BasicTokenIntrospectionResponse,
            StandardRevocableToken,
            BasicRevocationErrorResponse,
        > = Client::new(ClientId::new(own.client_id.clone()));
        // Both providers read it from the form.
        client = client.set_auth_type(oauth2::AuthType::RequestBody);
        if let Some(secret) = secret {
            client = client.set_client_secret(ClientSecret::new(secret));
        }
        Ok(Self {
            provider,
            client: client
                .set_auth_uri(auth)
                .set_token_uri(token)
                .set_redirect_uri(back),
            revoke: endpoints.revoke,
        })
    }

    /// Where the browser goes.
    pub fn authorize(&self, state: &str, verifier: &str, hint: Option<&str>) -> String {
        let pkce = PkceCodeVerifier::new(verifier.to_owned());
        let state = state.to_owned();
        let mut request = self
            .client
            .authorize_url(move || CsrfToken::new(state))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&pkce));
        for scope in self.provider.scopes() {
            request = request.add_scope(Scope::new((*scope).to_owned()));
        }
        if let Some(hint) = hint {
            request = request.add_extra_param("login_hint", hint);
        }
        request = match self.provider {
            // A refresh token comes only with these, and only after the person was asked.
            Provider::Google => request
                .add_extra_param("access_type", "offline")
                .add_extra_param("prompt", "consent"),
            Provider::Microsoft => request.add_extra_param("prompt", "select_account"),
        };
        let (url, _) = request.url();
        url.to_string()
    }

    /// The tokens of a leave that was just given.
    pub async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Result<Granted, OauthProblem> {
        let asker = self.asker()?;
        let answer = self
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&asker)
            .await
            .map_err(|error| self.problem(&error))?;
        let word = self.provider.word();
        let known = read(&answer, None, now);
        if known.refresh.is_none() {
            return Err(OauthProblem::NoRefresh(word));
        }
        // It came from the provider itself over TLS, so its signature proves nothing more (OpenID Connect Core,
        // section 3.1.3.7, number 6).
        let told = answer.extra_fields().id_token.as_deref();
        let address = told.and_then(|token| address_of(self.provider, token));
        let address = address.ok_or(OauthProblem::NoAddress(word))?;
        Ok(Granted { address, known })
    }

    /// A new access token.
    pub async fn refresh(&self, refresh: &str, now: Timestamp) -> Result<Known, OauthProblem> {
        let asker = self.asker()?;
        let token = RefreshToken::new(refresh.to_owned());
        let answer = self.client.exchange_refresh_token(&token);
        let answer = answer.request_async(&asker).await;
        let answer = answer.map_err(|error| self.problem(&error))?;
        Ok(read(&answer, Some(refresh), now))
    }

    /// Takes a leave back; `false` where the provider has no way to.
    pub async fn revoke(&self, refresh: &str) -> Result<bool, OauthProblem> {
        let Some(url) = &self.revoke else {
            return Ok(false);
        };
        let unreachable = |text: String| OauthProblem::Unreachable {
            provider: self.provider.word(),
            text,
        };
        let client = crate::access::oidc::client_without_redirects();
        let client = client.map_err(|error| unreachable(error.to_string()))?;
        let body: String = form(&[("token", refresh)]);
        let answer = client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .map_err(|error| unreachable(said(&error)))?;
        // A leave that is gone already is gone.
        if answer.status().is_success() || answer.status().as_u16() == 400 {
            return Ok(true);
        }
        Err(unreachable(format!("it answers {}", answer.status())))
    }

    fn asker(
        &self,
    ) -> Result<
        impl Fn(oauth2::HttpRequest) -> crate::access::oidc::Asking + Send + Sync,
        OauthProblem,
    > {
        asker().map_err(|problem| OauthProblem::Unreachable {
            provider: self.provider.word(),
            text: problem.to_string(),
        })
    }

    fn problem<E: std::error::Error + 'static>(
        &self,
        error: &RequestTokenError<E, BasicErrorResponse>,
    ) -> OauthProblem {
        let provider = self.provider.word();
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let text: String = answer.to_string().chars().take(300).collect();
                match answer.error() {
                    BasicErrorResponseType::InvalidGrant => OauthProblem::Gone { provider, text },
                    BasicErrorResponseType::InvalidClient
                    | BasicErrorResponseType::UnauthorizedClient => {
                        OauthProblem::Client { provider, text }
                    }
                    // Microsoft's words for a leave that must be given again.
                    BasicErrorResponseType::Extension(word)
                        if word == "interaction_required" || word == "consent_required" =>
                    {
                        OauthProblem::Gone { provider, text }
                    }
                    BasicErrorResponseType::InvalidRequest
                    | BasicErrorResponseType::InvalidScope
                    | BasicErrorResponseType::UnsupportedGrantType
                    | BasicErrorResponseType::Extension(_) => {
                        OauthProblem::Unreachable { provider, text }
                    }
                }
            }
            RequestTokenError::Request(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => OauthProblem::Unreachable {
                provider,
                text: said(error),
            },
        }
    }
}

fn own(config: &Config, provider: Provider) -> Option<&crate::config::OauthClientConfig> {
    match provider {
        Provider::Google => config.oauth_clients.google.as_ref(),
        Provider::Microsoft => config.oauth_clients.microsoft.as_ref(),
    }
}

fn read(answer: &Answer, refresh: Option<&str>, now: Timestamp) -> Known {
    let life = answer.expires_in().and_then(|life| life.try_into().ok());
    let life: SignedDuration = life.unwrap_or(LIFE_DEFAULT);
    Known {
        // Some give another with each renewal; the one of before may stop to work.
        refresh: answer
            .refresh_token()
            .map(|token| token.secret().clone())
            .or(refresh.map(str::to_owned)),
        access: Some(answer.access_token().secret().clone()),
        expires_at: now.checked_add(life).ok(),
        ..Known::default()
    }
}

/// A form's body.
fn form(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                _other => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<bool>,
    #[serde(default)]
    preferred_username: Option<String>,
}

/// The address that an id token tells.
fn address_of(provider: Provider, token: &str) -> Option<String> {
    use base64::Engine as _;
    /// Bytes of a token that are looked at.
    const TOKEN_BYTES_MAX: usize = 64 * 1024;
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let body = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(body.trim_end_matches('='))
        .ok()?;
    let claims: Claims = serde_json::from_slice(&bytes).ok()?;
    let told = match provider {
        Provider::Google => claims
            .email
            .filter(|_| claims.email_verified != Some(false)),
        // The name that mail servers know; `email` may be any address that the person once gave.
        Provider::Microsoft => claims.preferred_username.or(claims.email),
    }?;
    let told = told.trim().to_lowercase();
    relance_message::outbound::is_address(&told).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Config {
        let text = format!(
            "[workspace]\npublic_url = \"https://shop.test/\"\n[oauth_clients.google]\nclient_id = \"id\"\nclient_secret = \"x\"\n{more}"
        );
        Config::parse(&text).unwrap()
    }

    #[test]
    fn the_way_to_google_asks_for_a_lasting_leave_with_a_challenge() {
        let folder = std::env::temp_dir();
        let asked = Asked::new(&config(""), &folder, Provider::Google)
            .ok()
            .unwrap();
        let url = asked.authorize("state", &"v".repeat(64), Some("anna@shop.test"));
        for part in [
            "https://accounts.google.com/o/oauth2/v2/auth?",
            "client_id=id",
            "state=state",
            "code_challenge_method=S256",
            "access_type=offline",
            "login_hint=anna%40shop.test",
            "redirect_uri=https%3A%2F%2Fshop.test%2Fauth%2Fmailbox",
            "mail.google.com",
        ] {
            assert!(url.contains(part), "{part} in {url}");
        }
        assert!(!url.contains(&"v".repeat(64)), "the verifier stays here");
        let missing = Asked::new(&config(""), &folder, Provider::Microsoft).err();
        assert_eq!(missing, Some(OauthProblem::NotSetUp("microsoft")));
    }

    #[test]
    fn the_address_is_read_from_the_id_token() {
        use base64::Engine as _;
        let token = |claims: &str| {
            let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            format!("e30.{body}.x")
        };
        let of = |provider, claims: &str| address_of(provider, &token(claims));
        let anna = Some("anna@shop.test".to_owned());
        let google = r#"{"email":"Anna@shop.test","email_verified":true}"#;
        assert_eq!(of(Provider::Google, google), anna);
        let unproved = r#"{"email":"Anna@shop.test","email_verified":false}"#;
        assert_eq!(of(Provider::Google, unproved), None);
        let microsoft = r#"{"email":"x@y.test","preferred_username":"anna@shop.test"}"#;
        assert_eq!(of(Provider::Microsoft, microsoft), anna);
        for bad in ["", "a.b", "a.!!!.c", "e30.e30.x"] {
            assert_eq!(address_of(Provider::Google, bad), None, "{bad}");
        }
    }
}
