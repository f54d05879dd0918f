//! The web interface: the files of `web/dist`, in the program itself or, while developing, from the folder.
//!
//! Every path that a browser asks for as a page, and that nothing else answers, is the interface, which finds the
//! page itself. Files whose names change with their content are kept for ever, all others are asked for again. Text
//! lies there compressed already; nothing is compressed here.
//!
//! **Absent:** data. The interface is the same for everyone, and asks the API for what its user may see.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Problem;

/// The built interface.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
#[allow_missing = true]
struct Files;

/// The page that all others are.
const INDEX: &str = "index.html";
/// Files whose names change with their content lie here.
const ASSETS: &str = "assets/";
/// Paths that are programs' own: a browser that mistypes one is told so.
const OF_PROGRAMS: [&str; 5] = ["/api/", "/v1/", "/t/", "/u/", "/p/"];
/// Bytes of a path that are looked at.
const PATH_BYTES_MAX: usize = 512;

/// For files whose content never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For all others: asked for each time, answered with 304.
const ASKED_AGAIN: &str = "no-cache";

/// What the interface may load: its own files only. Styles stand inline because the components set sizes so; images
/// may be drawn from data, and no page of another server may show it.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Where nothing was built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>Relance</title>\
    <style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}\
    code{background:#8883;padding:.1rem .3rem;border-radius:.2rem}</style>\
    <h1>Relance runs</h1><p>This program was built without its web interface. Build it once with \
    <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code>, then build the program again.\
    <p>The management API is at <code>/api/v1</code>, and its document at <a href=\"/api/openapi.json\">/api/openapi.json</a>.</html>";

/// A file as it lies there compressed, by the name of its encoding.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Whatever no other route answers.
pub async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || path == "/api" || OF_PROGRAMS.iter().any(|prefix| path.starts_with(prefix)) {
        return Problem::not_found("page").into_response();
    }
    let headers = request.headers();
    let name = path.trim_start_matches('/');
    if !name.is_empty()
        && name.len() <= PATH_BYTES_MAX
        && let Some(answer) = file(name, headers)
    {
        return answer;
    }
    // A file that is gone is not a page; a program that asks for none of HTML gets none.
    if name.starts_with(ASSETS) || !wants_page(headers) {
        return Problem::not_found("page").into_response();
    }
    index(headers)
}

/// The interface.
pub async fn page(headers: HeaderMap) -> Response {
    index(&headers)
}

fn index(headers: &HeaderMap) -> Response {
    file(INDEX, headers).unwrap_or_else(|| {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        ([(header::CONTENT_TYPE, kind)], NOT_BUILT).into_response()
    })
}

/// Whether somebody asks with a browser.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("text/html"))
}

/// A file, compressed as the browser likes it.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    // Those that are only another's compressed form are no files of their own.
    if ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending)) {
        return None;
    }
    let (found, encoding) = ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(headers, encoding))
        .find_map(|(encoding, ending)| {
            let found = Files::get(&format!("{name}{ending}"))?;
            Some((found, Some(*encoding)))
        })
        .or_else(|| Some((Files::get(name)?, None)))?;
    Some(answer(name, found, encoding, headers))
}

fn answer(
    name: &str,
    found: EmbeddedFile,
    encoding: Option<&'static str>,
    headers: &HeaderMap,
) -> Response {
    let hash = found.metadata.sha256_hash();
    let tag: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{tag}\"");
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.split(',').any(|one| one.trim() == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        found.data.into_response()
    };
    let is_asset = name.starts_with(ASSETS);
    let own = response.headers_mut();
    let mut put = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            own.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, kind_of(name));
    put(header::ETAG, &tag);
    put(header::VARY, "accept-encoding");
    let cached = if is_asset { FOR_EVER } else { ASKED_AGAIN };
    put(header::CACHE_CONTROL, cached);
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    if let Some(encoding) = encoding {
        put(header::CONTENT_ENCODING, encoding);
    }
    response
}

/// Whether a browser takes an encoding; `q=0` is a no.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut texts = accepted.filter_map(|value| value.to_str().ok());
    texts.any(|text| {
        text.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let weight = weight.trim().trim_start_matches("q=");
            let is_no = weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
            name.trim().eq_ignore_ascii_case(encoding) && !is_no
        })
    })
}

/// What a file is, by its ending.
fn kind_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _unknown => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_is_taken_only_where_the_browser_takes_it() {
        let headers = asking(header::ACCEPT_ENCODING, "gzip, deflate, br;q=0");
        assert!(accepts(&headers, "gzip"));
        assert!(!accepts(&headers, "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
        assert!(accepts(&asking(header::ACCEPT_ENCODING, "BR;q=0.5"), "br"));
    }

    #[test]
    fn only_browsers_ask_for_pages() {
        assert!(wants_page(&asking(
            header::ACCEPT,
            "text/html,application/xhtml+xml,*/*;q=0.8"
        )));
        assert!(!wants_page(&asking(header::ACCEPT, "*/*")));
        assert!(!wants_page(&HeaderMap::new()));
    }

    #[test]
    fn no_file_outside_the_interface_is_given_out() {
        for name in [
            "../package.json",
            "assets/../../package.json",
            "..%2fpackage.json",
            "/etc/passwd",
            "index.html.br",
        ] {
            assert!(file(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }

    #[test]
    fn the_interface_runs_no_script_but_its_own() {
        assert!(POLICY.contains("script-src 'self';"));
        assert!(POLICY.contains("default-src 'self';"));
        assert!(!POLICY.contains("http"));
    }
}
