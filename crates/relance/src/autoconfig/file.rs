//! The configuration that a domain publishes for mail programs (`config-v1.1.xml`).
//!
//! The file is hostile: bounded in bytes by whoever fetched it, in depth and in servers here; no entity of its own is
//! resolved.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use relance_wire::stored::{MailServer, MailTls};

/// Elements inside of one another.
const DEPTH_MAX: usize = 16;
/// Servers of one file.
const SERVERS_MAX: usize = 50;
/// Bytes of one text.
const TEXT_BYTES_MAX: usize = 1_024;

/// A server of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub server: MailServer,
    /// Who logs in, with marks such as `%EMAILADDRESS%`.
    pub user: Option<String>,
    /// Whether it takes tokens.
    pub oauth: bool,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// The provider's name.
    pub name: Option<String>,
    /// Servers of IMAP, the preferred first.
    pub imap: Vec<Published>,
    /// Servers for sending.
    pub smtp: Vec<Published>,
}

#[derive(Default)]
struct Building {
    is_imap: bool,
    host: Option<String>,
    port: Option<u16>,
    tls: Option<MailTls>,
    user: Option<String>,
    oauth: bool,
}

impl Building {
    fn end(self, file: &mut File) {
        let (Some(host), Some(port), Some(tls)) = (self.host, self.port, self.tls) else {
            return;
        };
        let published = Published {
            server: MailServer { host, port, tls },
            user: self.user,
            oauth: self.oauth,
        };
        match self.is_imap {
            true => file.imap.push(published),
            false => file.smtp.push(published),
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    let value = attribute
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}

/// Reads a file; what is broken ends it, and what was read before counts.
pub fn read(bytes: &[u8]) -> File {
    let mut reader = Reader::from_reader(bytes);
    let mut file = File::default();
    let mut building: Option<Building> = None;
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => {
                if path.len() >= DEPTH_MAX {
                    return file;
                }
                let name = element.local_name().as_ref().to_owned();
                let is_server = name == "incomingServer" || name == "outgoingServer";
                if is_server && file.imap.len() + file.smtp.len() < SERVERS_MAX {
                    let kind = attribute(&element, "type").unwrap_or_default();
                    let is_imap = kind.eq_ignore_ascii_case("imap");
                    let is_smtp = kind.eq_ignore_ascii_case("smtp");
                    building = (is_imap || is_smtp).then(|| Building {
                        is_imap,
                        ..Building::default()
                    });
                }
                path.push(name);
                text.clear();
            }
            Ok(Event::Text(part)) => {
                let part: &str = &part;
                if text.len() + part.len() <= TEXT_BYTES_MAX {
                    text.push_str(part);
                }
            }
            Ok(Event::End(_)) => {
                let Some(name) = path.pop() else {
                    return file;
                };
                let value = text.trim().to_owned();
                text.clear();
                match (name.as_str(), building.as_mut()) {
                    ("displayName", None) if file.name.is_none() && !value.is_empty() => {
                        file.name = Some(value);
                    }
                    ("incomingServer" | "outgoingServer", Some(_)) => {
                        if let Some(done) = building.take() {
                            done.end(&mut file);
                        }
                    }
                    ("hostname", Some(building)) => building.host = Some(value.to_lowercase()),
                    ("port", Some(building)) => building.port = value.parse().ok(),
                    ("socketType", Some(building)) => {
                        building.tls = match value.to_uppercase().as_str() {
                            "SSL" => Some(MailTls::Implicit),
                            "STARTTLS" => Some(MailTls::Starttls),
                            // In the clear is not offered to anybody.
                            _other => None,
                        };
                    }
                    ("username", Some(building)) => building.user = Some(value),
                    ("authentication", Some(building)) => {
                        building.oauth |= value.eq_ignore_ascii_case("OAuth2");
                    }
                    (_other, _) => {}
                }
            }
            Ok(Event::Eof) | Err(_) => return file,
            Ok(_other) => {}
        }
    }
}

/// Who logs in, with the marks of the file filled; `None` for the address itself.
pub fn user_of(pattern: Option<&str>, address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let user = pattern?
        .replace("%EMAILADDRESS%", address)
        .replace("%EMAILLOCALPART%", local)
        .replace("%EMAILDOMAIN%", domain);
    (!user.is_empty() && user != address && user.len() <= 256).then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="shop.test"><domain>shop.test</domain>
<displayName>Shop &amp; Mail</displayName>
<incomingServer type="pop3"><hostname>pop.shop.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>IMAP.shop.test</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<incomingServer type="imap"><hostname>plain.shop.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.shop.test</hostname><port>587</port><socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username><authentication>OAuth2</authentication></outgoingServer>
</emailProvider></clientConfig>"#;

    #[test]
    fn a_published_file_is_read() {
        let file = read(SHOP.as_bytes());
        assert_eq!(file.imap.len(), 1, "neither POP nor a server in the clear");
        assert_eq!(file.imap[0].server.host, "imap.shop.test");
        assert_eq!(file.imap[0].server.port, 993);
        assert!(!file.imap[0].oauth && file.smtp[0].oauth);
        let anna = "anna@shop.test";
        assert_eq!(
            user_of(file.imap[0].user.as_deref(), anna).as_deref(),
            Some("anna")
        );
        assert_eq!(user_of(file.smtp[0].user.as_deref(), anna), None);
    }

    #[test]
    fn what_is_broken_deep_or_endless_ends() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(read(deep.as_bytes()), File::default());
        let one = r#"<incomingServer type="imap"><hostname>h.test</hostname><port>993</port><socketType>SSL</socketType></incomingServer>"#;
        let many = format!("<x>{}</x>", one.repeat(10_000));
        assert_eq!(read(many.as_bytes()).imap.len(), SERVERS_MAX);
        for cut in 0..SHOP.len() {
            if SHOP.is_char_boundary(cut) {
                let _whatever = read(&SHOP.as_bytes()[..cut]);
            }
        }
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><x><incomingServer type="imap"><hostname>&a;</hostname></incomingServer></x>"#;
        assert!(read(bomb.as_bytes()).imap.is_empty());
        assert_eq!(read(b"\xff\xfe<"), File::default());
    }
}
