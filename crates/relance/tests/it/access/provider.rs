//! Signing in by a provider: one that is played here, as honest or as false as a test wants it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    Audience, EmptyAdditionalClaims, EndUserEmail, EndUserName, IssuerUrl, JsonWebKeyId,
    LocalizedClaim, Nonce, PrivateSigningKey as _, StandardClaims, SubjectIdentifier,
};
use relance_engine::clock::Clock as _;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::{ADMIN, Browser, House};
use crate::server::{Answer, request};

/// What the provider says when it is asked for a token.
#[derive(Debug, Clone)]
struct Said {
    email: &'static str,
    verified: bool,
    nonce: String,
    audience: &'static str,
    /// Whether it signs with the key that it names.
    signs: bool,
    at: i64,
}

/// What is played.
struct Played {
    issuer: String,
    challenge: Mutex<String>,
    said: Mutex<Option<Said>>,
}

/// An Ed25519 key of one byte, repeated, as PEM (RFC 8410).
fn key(byte: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([byte; 32]);
    let text = STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("one".to_owned())))
        .expect("a key")
}

async fn describe(State(played): State<Arc<Played>>) -> Json<Value> {
    let issuer = &played.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys() -> Json<Value> {
    Json(json!({ "keys": [key(7).as_verification_key()] }))
}

fn form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn token(State(played): State<Arc<Played>>, body: String) -> (StatusCode, Json<Value>) {
    let asked = form(&body);
    let hash = sha2::Sha256::digest(asked["code_verifier"].as_bytes());
    let fits = URL_SAFE_NO_PAD.encode(hash) == *played.challenge.lock().unwrap();
    let said = played.said.lock().unwrap().clone();
    let (true, Some(said), "the-code") = (fits, said, asked["code"].as_str()) else {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        );
    };
    let at = |seconds| openidconnect_time(said.at + seconds);
    let name = LocalizedClaim::from_iter([(None, EndUserName::new("Nora".to_owned()))]);
    let standard = StandardClaims::new(SubjectIdentifier::new("42".to_owned()))
        .set_email(Some(EndUserEmail::new(said.email.to_owned())))
        .set_email_verified(Some(said.verified))
        .set_name(Some(name));
    let claims = CoreIdTokenClaims::new(
        IssuerUrl::new(played.issuer.clone()).unwrap(),
        vec![Audience::new(said.audience.to_owned())],
        at(300),
        at(0),
        standard,
        EmptyAdditionalClaims {},
    )
    .set_nonce(Some(Nonce::new(said.nonce)));
    let key = key(if said.signs { 7 } else { 8 });
    let id_token = CoreIdToken::new(claims, &key, CoreJwsSigningAlgorithm::EdDsa, None, None);
    let answer = json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token.unwrap().to_string() });
    (StatusCode::OK, Json(answer))
}

fn openidconnect_time(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap()
}

/// A provider that runs until the test ends.
struct Provider {
    played: Arc<Played>,
    _runtime: tokio::runtime::Runtime,
}

impl Provider {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let played = Arc::new(Played {
            issuer: format!("http://127.0.0.1:{port}"),
            challenge: Mutex::default(),
            said: Mutex::default(),
        });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(played.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            played,
            _runtime: runtime,
        }
    }

    fn config(&self, more: &str) -> String {
        let issuer = &self.played.issuer;
        format!(
            "[oidc]\nissuer = \"{issuer}\"\nclient_id = \"relance\"\nname = \"Example ID\"\n{more}"
        )
    }

    /// To the provider and back, where it says what the test wants.
    fn round(&self, house: &House, change: impl Fn(&mut Said)) -> Answer {
        let there = house.ask("GET", "/auth/oidc", None, None);
        assert_eq!(there.status, 303, "{}", there.text());
        let place = there.header("location").expect("a place").to_owned();
        let asked = form(place.split_once('?').expect("a query").1);
        assert!(
            place.starts_with(&format!("{}/authorize?", self.played.issuer)),
            "{place}"
        );
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["redirect_uri"], "http://shop.test/auth/oidc/callback");
        assert!(asked["scope"].contains("openid") && asked["scope"].contains("email"));
        *self.played.challenge.lock().unwrap() = asked["code_challenge"].clone();
        let mut said = Said {
            email: ADMIN,
            verified: true,
            nonce: asked["nonce"].clone(),
            audience: "relance",
            signs: true,
            at: house.clock.now().as_second(),
        };
        change(&mut said);
        *self.played.said.lock().unwrap() = Some(said);
        let cookie = there.header("set-cookie").expect("a cookie").to_owned();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("Path=/auth/oidc"),
            "{cookie}"
        );
        back(house, &asked["state"], cookie.split(';').next().unwrap())
    }
}

fn back(house: &House, state: &str, cookie: &str) -> Answer {
    let path = format!("/auth/oidc/callback?state={state}&code=the-code");
    request(house.port, "GET", &path, &[("Cookie", cookie)], b"")
}

/// What the page for signing in is told.
fn problem(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let place = answer.header("location").expect("a place");
    let code = place.strip_prefix("/sign-in?problem=");
    code.unwrap_or_else(|| panic!("{place}")).to_owned()
}

fn browser(answer: &Answer) -> Browser {
    assert_eq!(answer.header("location"), Some("/"), "{}", answer.text());
    let cookie = answer.header("set-cookie").expect("a cookie");
    Browser {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        csrf: String::new(),
    }
}

#[test]
fn a_provider_lets_in_whom_it_vouches_for_and_nobody_else() {
    let provider = Provider::start();
    let (house, _) = House::open_with(&provider.config("")).and_admin();
    let ways = house.ask("GET", "/api/v1/session/ways", None, None).json();
    assert_eq!(ways["provider"], "Example ID");
    let round = |change: &dyn Fn(&mut Said)| provider.round(&house, change);
    assert!(house.is_signed_in(&browser(&round(&|_| {}))));
    // A stranger is refused where no role is set.
    assert_eq!(
        problem(&round(&|said| said.email = "nora@shop.test")),
        "oidc_unknown_user"
    );
    assert_eq!(
        problem(&round(&|said| said.verified = false)),
        "oidc_no_address"
    );
    assert_eq!(
        problem(&round(&|said| said.nonce = "another".to_owned())),
        "oidc_refused"
    );
    assert_eq!(
        problem(&round(&|said| said.audience = "others")),
        "oidc_refused"
    );
    assert_eq!(problem(&round(&|said| said.signs = false)), "oidc_refused");
    assert_eq!(problem(&round(&|said| said.at -= 3_600)), "oidc_refused");
    // A way back that was not begun by this browser, and one without a code.
    assert_eq!(problem(&back(&house, "x", "a=b")), "oidc_not_begun");
    assert_eq!(
        problem(&back(&house, "x", "relance_oidc=y.z.w")),
        "oidc_not_begun"
    );
    let refused = house.ask("GET", "/auth/oidc/callback?error=access_denied", None, None);
    assert_eq!(problem(&refused), "oidc_refused");
}

#[test]
fn where_a_role_is_set_a_stranger_becomes_a_user_of_it() {
    let provider = Provider::start();
    let more = provider.config("role = \"viewer\"\n");
    let (house, admin) = House::open_with(&more).and_admin();
    let nora = browser(&provider.round(&house, |said| said.email = "Nora@shop.test"));
    let session = house.get("/api/v1/session", &nora).json();
    assert_eq!(session["user"]["address"], "nora@shop.test");
    assert_eq!(
        (&session["user"]["role"], &session["user"]["name"]),
        (&json!("viewer"), &json!("Nora"))
    );
    assert_eq!(session["user"]["password"], false);
    // She has no password, so none lets her in; removed, she comes back only as the provider's stranger.
    assert_eq!(house.sign_in("nora@shop.test", "").status, 401);
    let path = "/api/v1/users/nora@shop.test";
    assert_eq!(house.ask("DELETE", path, Some(&admin), None).status, 204);
    assert!(!house.is_signed_in(&nora));
    house.advance(SignedDuration::from_hours(1));
    let again = provider.round(&house, |said| said.email = "nora@shop.test");
    assert!(house.is_signed_in(&browser(&again)));
}

#[test]
fn without_a_provider_nobody_is_sent_there() {
    let house = House::open();
    let answer = house.ask("GET", "/auth/oidc", None, None);
    assert_eq!(problem(&answer), "oidc_not_set_up");
    assert_eq!(
        house.ask("GET", "/api/v1/session/ways", None, None).json()["provider"],
        Value::Null
    );
}
