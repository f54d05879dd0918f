//! From where somebody calls, and the cookie that they bring.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::access::enter::Origin;
use crate::access::session::AGE_MAX;

/// The cookie of a session.
pub const COOKIE: &str = "relance_session";
/// What a page sends beside the cookie.
pub const CSRF: &str = "x-relance-csrf";
/// Where a proxy says for whom it asks.
const FORWARDED: &str = "x-forwarded-for";

/// From where a request came: its peer, or, where that is this machine, whom the proxy there names last. What others
/// write into that header counts for nothing.
pub struct FromWhere(pub Origin);

impl<S: Sync> FromRequestParts<S> for FromWhere {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |known| known.0.ip());
        let text = |name: header::HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        Ok(Self(Origin {
            address: origin(peer, &parts.headers),
            agent: text(header::USER_AGENT).unwrap_or_default(),
        }))
    }
}

fn origin(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let named = headers.get_all(FORWARDED).iter().next_back();
    let last = named
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.rsplit(',').next());
    last.and_then(|text| text.trim().parse().ok())
        .unwrap_or(peer)
}

/// The token of a session that a request brings.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The value of a cookie that a request brings.
pub fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The cookie of a token; without one, what takes the cookie away. No script reads it, no other site's page sends it
/// with a change, and where the server is reached by HTTPS it goes no other way.
pub fn cookie(token: Option<&str>, public_url: &str) -> Option<HeaderValue> {
    let secure = if public_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let (value, age) = token.map_or(("", 0), |token| (token, AGE_MAX.as_secs()));
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_where_it_is_on_this_machine_and_only_its_own_word() {
        let mut headers = HeaderMap::new();
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let far = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
        assert_eq!(origin(local, &headers), local);
        headers.insert(FORWARDED, HeaderValue::from_static("10.0.0.1, 203.0.113.7"));
        assert_eq!(origin(local, &headers), IpAddr::from([203, 0, 113, 7]));
        assert_eq!(origin(far, &headers), far);
        headers.insert(FORWARDED, HeaderValue::from_static("nonsense"));
        assert_eq!(origin(local, &headers), local);
    }

    #[test]
    fn a_cookie_is_found_among_others_and_closed_to_scripts() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        let text = "a=b; relance_session=tok; relance_session_old=x";
        headers.insert(header::COOKIE, HeaderValue::from_static(text));
        assert_eq!(token(&headers), Some("tok"));
        let set = cookie(Some("tok"), "https://go.shop.test").unwrap();
        let set = set.to_str().unwrap();
        for part in [
            "relance_session=tok;",
            "HttpOnly",
            "SameSite=Lax",
            "Secure",
            "Path=/",
        ] {
            assert!(set.contains(part), "{set}");
        }
        let plain = cookie(None, "http://127.0.0.1:8080").unwrap();
        let plain = plain.to_str().unwrap();
        assert!(
            plain.contains("Max-Age=0") && !plain.contains("Secure"),
            "{plain}"
        );
    }
}
