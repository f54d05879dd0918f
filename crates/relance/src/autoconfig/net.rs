//! The way to the internet that looking for servers takes: names, small files, and whether a port answers.
//!
//! Whatever is looked for begins with an address that somebody typed, so nothing of it may lead into the own network:
//! names are resolved first, private addresses are refused, and the connection goes to the very address that was looked
//! at. Files come over https only, of a limited size, within a limited time.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use reqwest::Url;

/// Bytes of one file.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// How long one question may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Times that a file may be somewhere else.
const REDIRECTIONS_MAX: usize = 2;
/// Records of one answer that are looked at.
const RECORDS_MAX: usize = 20;

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a service of a domain is (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The least first.
    pub priority: u16,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What looking for servers asks of the internet.
pub trait Internet: Send + Sync {
    /// The mail exchangers of a domain, the preferred first.
    fn exchangers<'a>(&'a self, domain: &'a str) -> Later<'a, Vec<String>>;
    /// Servers of a service such as `_imaps._tcp.example.com`.
    fn services<'a>(&'a self, name: &'a str) -> Later<'a, Vec<Service>>;
    /// A small file, where there is one.
    fn file<'a>(&'a self, url: &'a str) -> Later<'a, Option<Vec<u8>>>;
    /// Whether a server answers at a port.
    fn answers<'a>(&'a self, host: &'a str, port: u16) -> Later<'a, bool>;
}

/// The internet as it is.
pub struct Real {
    resolver: TokioResolver,
    private: bool,
}

impl Real {
    /// By the system's name servers. `private`: addresses of the own network count too.
    pub fn new(private: bool) -> Option<Self> {
        let mut builder = TokioResolver::builder_tokio().ok()?;
        builder.options_mut().timeout = QUESTION_TIMEOUT;
        builder.options_mut().attempts = 1;
        let resolver = builder.build().ok()?;
        Some(Self { resolver, private })
    }

    /// An address of a name that may be connected to.
    async fn place(&self, host: &str) -> Option<IpAddr> {
        if is_private_name(host) && !self.private {
            return None;
        }
        let found = tokio::time::timeout(QUESTION_TIMEOUT, self.resolver.lookup_ip(host)).await;
        let found: Vec<IpAddr> = found.ok()?.ok()?.iter().take(RECORDS_MAX).collect();
        // One private address among public ones is one too many.
        let is_fine = self.private || found.iter().all(|address| !is_private(*address));
        found.first().copied().filter(|_| is_fine)
    }

    async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        let mut url = Url::parse(url).ok()?;
        for _ in 0..=REDIRECTIONS_MAX {
            if url.scheme() != "https" || url.port_or_known_default() != Some(443) {
                return None;
            }
            let host = url.host_str()?.to_owned();
            let place = self.place(&host).await?;
            let _installed = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder()
                .timeout(QUESTION_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .https_only(true)
                .no_proxy()
                .resolve(&host, SocketAddr::new(place, 443))
                .build()
                .ok()?;
            let mut answer = client.get(url.clone()).send().await.ok()?;
            if answer.status().is_redirection() {
                let to = answer.headers().get("location")?.to_str().ok()?;
                url = url.join(to).ok()?;
                continue;
            }
            if !answer.status().is_success() {
                return None;
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.ok()? {
                if body.len() + chunk.len() > FILE_BYTES_MAX {
                    return None;
                }
                body.extend_from_slice(&chunk);
            }
            return Some(body);
        }
        None
    }
}

impl Internet for Real {
    fn exchangers<'a>(&'a self, domain: &'a str) -> Later<'a, Vec<String>> {
        Box::pin(async move {
            let asked = self.resolver.mx_lookup(absolute(domain));
            let Ok(Ok(found)) = tokio::time::timeout(QUESTION_TIMEOUT, asked).await else {
                return Vec::new();
            };
            let mut all: Vec<(u16, String)> = found
                .answers()
                .iter()
                .take(RECORDS_MAX)
                .filter_map(|record| match &record.data {
                    RData::MX(mx) => Some((mx.preference, mx.exchange.to_utf8())),
                    _other => None,
                })
                .collect();
            all.sort();
            all.into_iter().map(|(_, name)| name).collect()
        })
    }

    fn services<'a>(&'a self, name: &'a str) -> Later<'a, Vec<Service>> {
        Box::pin(async move {
            let asked = self.resolver.lookup(absolute(name), RecordType::SRV);
            let Ok(Ok(found)) = tokio::time::timeout(QUESTION_TIMEOUT, asked).await else {
                return Vec::new();
            };
            found
                .answers()
                .iter()
                .take(RECORDS_MAX)
                .filter_map(|record| match &record.data {
                    RData::SRV(srv) => Some(Service {
                        priority: srv.priority,
                        host: srv.target.to_utf8().trim_end_matches('.').to_owned(),
                        port: srv.port,
                    }),
                    _other => None,
                })
                .collect()
        })
    }

    fn file<'a>(&'a self, url: &'a str) -> Later<'a, Option<Vec<u8>>> {
        Box::pin(self.fetch(url))
    }

    fn answers<'a>(&'a self, host: &'a str, port: u16) -> Later<'a, bool> {
        Box::pin(async move {
            let Some(place) = self.place(host).await else {
                return false;
            };
            let connected = tokio::net::TcpStream::connect((place, port));
            matches!(
                tokio::time::timeout(QUESTION_TIMEOUT, connected).await,
                Ok(Ok(_))
            )
        })
    }
}

/// A name to which no search domain is added.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// Whether a host is of the own network by its very name, or by the address that it is.
pub fn is_private_name(host: &str) -> bool {
    let host = host.trim_matches(|letter| letter == '[' || letter == ']');
    let host = host.trim_end_matches('.').to_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return is_private(address);
    }
    let ends = [
        ".local",
        ".localhost",
        ".internal",
        ".lan",
        ".home.arpa",
        ".intranet",
    ];
    // Numbers that some libraries read as addresses: 127.1, 0x7f000001.
    let is_number = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with(|letter: char| letter.is_ascii_digit()));
    !host.contains('.') || is_number || ends.iter().any(|end| host.ends_with(end))
}

/// Whether a name leads into the own network; one that leads nowhere does not.
pub async fn points_home(host: &str) -> bool {
    if is_private_name(host) {
        return true;
    }
    let asked = tokio::net::lookup_host((host, 993));
    match tokio::time::timeout(QUESTION_TIMEOUT, asked).await {
        Ok(Ok(mut found)) => found.any(|place| is_private(place.ip())),
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Whether an address is no public one.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => is_private_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by carriers (RFC 6598), benchmarks (RFC 2544), protocol assignments.
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0)
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        // Unique local, link local, site local, documentation.
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xffc0 == 0xfec0
        || address.segments()[..2] == [0x2001, 0x0db8]
        // Addresses of the old world inside of the new: 6to4, NAT64, compatible.
        || first == 0x2002
        || address.segments()[..2] == [0x0064, 0xff9b]
        || address.segments()[..6] == [0; 6]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_own_network_are_known() {
        for home in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "::127.0.0.1",
            "ff02::1",
        ] {
            assert!(is_private(home.parse().unwrap()), "{home}");
            assert!(is_private_name(home), "{home}");
        }
        for out in [
            "8.8.8.8",
            "93.184.216.34",
            "2606:2800:220:1::1",
            "172.32.0.1",
            "100.128.0.1",
        ] {
            assert!(!is_private(out.parse().unwrap()), "{out}");
        }
        for home in [
            "localhost",
            "mail",
            "mail.local",
            "db.internal",
            "x.lan",
            "127.1",
            "[::1]",
            "LOCALHOST.",
        ] {
            assert!(is_private_name(home), "{home}");
        }
        for out in ["imap.gmail.com", "mail.shop.test", "imap1.shop.test"] {
            assert!(!is_private_name(out), "{out}");
        }
    }
}
