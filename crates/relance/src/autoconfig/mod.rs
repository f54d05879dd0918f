//! The servers of an address: known providers, where the domain's mail goes, what the domain publishes, and guesses.
//!
//! In this order, the first that finds something counts: the provider of the domain; the provider that takes its mail
//! (MX); the file that the domain publishes for mail programs; its SRV records (RFC 6186, RFC 8314); usual names that
//! answer. What is found is a proposal: nothing is logged into.

pub mod file;
pub mod net;
pub mod presets;

use relance_wire::api::mailbox::Discovered;
use relance_wire::stored::{MailServer, MailTls};

use self::file::user_of;
use self::net::{Internet, Service, is_private_name};
use self::presets::Preset;

/// Usual names of servers that are tried, before the domain.
const IMAP_NAMES: [&str; 3] = ["imap", "mail", "mx"];
/// The same for sending.
const SMTP_NAMES: [&str; 3] = ["smtp", "mail", "mx"];

fn found(source: &str) -> Discovered {
    Discovered {
        provider: None,
        name: None,
        source: source.to_owned(),
        imap: None,
        smtp: None,
        user: None,
        auth: vec!["password".to_owned()],
        oauth: None,
        oauth_ready: false,
        hint: "none".to_owned(),
        help_url: None,
    }
}

fn of_preset(preset: &Preset, source: &str, address: &str, language: &str) -> Discovered {
    Discovered {
        provider: Some(preset.id.clone()),
        name: Some(preset.name.clone()),
        imap: Some(preset.imap.clone()),
        smtp: Some(preset.smtp.clone()),
        user: preset.user_of(address),
        auth: preset.auth.clone(),
        oauth: preset.oauth.clone(),
        hint: preset.hint.clone(),
        help_url: preset.help_url(language).map(str::to_owned),
        ..found(source)
    }
}

/// Looks for the servers of an address. Without `internet` known providers are all that is looked at. `private`:
/// servers of the own network may be proposed.
pub async fn discover(
    address: &str,
    language: &str,
    private: bool,
    internet: Option<&dyn Internet>,
) -> Discovered {
    let Some((_, domain)) = address.rsplit_once('@') else {
        return found("none");
    };
    if let Some(preset) = presets::by_domain(domain) {
        return of_preset(preset, "preset", address, language);
    }
    let Some(internet) = internet.filter(|_| private || !is_private_name(domain)) else {
        return found("none");
    };
    let exchangers = internet.exchangers(domain).await;
    if let Some(preset) = presets::by_mx(exchangers.iter().map(String::as_str)) {
        return of_preset(preset, "mx", address, language);
    }
    let published = published(domain, address, internet).await;
    let described = match published {
        Some(published) => Some(published),
        None => described(domain, internet).await,
    };
    let proposed = match described {
        Some(described) => described,
        None => guessed(domain, internet).await,
    };
    without_private(proposed, private)
}

/// What others say of servers leads into the own network for admins alone.
fn without_private(mut proposed: Discovered, private: bool) -> Discovered {
    let is_fine = |server: &MailServer| private || !is_private_name(&server.host);
    proposed.imap = proposed.imap.filter(is_fine);
    proposed.smtp = proposed.smtp.filter(is_fine);
    match (&proposed.imap, &proposed.smtp) {
        (None, None) => found("none"),
        (Some(_), _) | (_, Some(_)) => proposed,
    }
}

async fn published(domain: &str, address: &str, internet: &dyn Internet) -> Option<Discovered> {
    let places = [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];
    for place in places {
        let Some(bytes) = internet.file(&place).await else {
            continue;
        };
        let file = file::read(&bytes);
        let Some(imap) = file.imap.into_iter().next() else {
            continue;
        };
        return Some(Discovered {
            name: file.name,
            user: user_of(imap.user.as_deref(), address),
            imap: Some(imap.server),
            smtp: file.smtp.into_iter().next().map(|own| own.server),
            ..found("autoconfig")
        });
    }
    None
}

async fn described(domain: &str, internet: &dyn Internet) -> Option<Discovered> {
    let best = |mut services: Vec<Service>| {
        // A dot alone says that there is none (RFC 6186, section 3.4).
        services.retain(|own| !own.host.is_empty() && own.port > 0);
        services.sort_by_key(|own| own.priority);
        services.into_iter().next()
    };
    let server = |service: Service, tls| MailServer {
        host: service.host.to_lowercase(),
        port: service.port,
        tls,
    };
    let ask = async |name: &str, tls| {
        let name = format!("{name}._tcp.{domain}");
        best(internet.services(&name).await).map(|service| server(service, tls))
    };
    let imap = match ask("_imaps", MailTls::Implicit).await {
        Some(found) => Some(found),
        None => ask("_imap", MailTls::Starttls).await,
    };
    let smtp = match ask("_submissions", MailTls::Implicit).await {
        Some(found) => Some(found),
        None => ask("_submission", MailTls::Starttls).await,
    };
    imap.as_ref()?;
    Some(Discovered {
        imap,
        smtp,
        ..found("srv")
    })
}

async fn guessed(domain: &str, internet: &dyn Internet) -> Discovered {
    let first = async |names: [&str; 3], ways: &[(u16, MailTls)]| {
        for name in names {
            let host = format!("{name}.{domain}");
            for (port, tls) in ways {
                if internet.answers(&host, *port).await {
                    return Some(MailServer {
                        host,
                        port: *port,
                        tls: *tls,
                    });
                }
            }
        }
        None
    };
    let imap = first(
        IMAP_NAMES,
        &[(993, MailTls::Implicit), (143, MailTls::Starttls)],
    );
    let smtp = first(
        SMTP_NAMES,
        &[(465, MailTls::Implicit), (587, MailTls::Starttls)],
    );
    let (imap, smtp) = tokio::join!(imap, smtp);
    Discovered {
        imap,
        smtp,
        ..found("guess")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::net::Later;
    use super::*;

    /// An internet of fixtures.
    #[derive(Default)]
    struct World {
        mx: BTreeMap<&'static str, Vec<&'static str>>,
        srv: BTreeMap<&'static str, Vec<Service>>,
        files: BTreeMap<&'static str, &'static str>,
        open: Vec<(&'static str, u16)>,
    }

    impl Internet for World {
        fn exchangers<'a>(&'a self, domain: &'a str) -> Later<'a, Vec<String>> {
            let found = self.mx.get(domain).cloned().unwrap_or_default();
            Box::pin(async move { found.into_iter().map(str::to_owned).collect() })
        }
        fn services<'a>(&'a self, name: &'a str) -> Later<'a, Vec<Service>> {
            let found = self.srv.get(name).cloned().unwrap_or_default();
            Box::pin(async move { found })
        }
        fn file<'a>(&'a self, url: &'a str) -> Later<'a, Option<Vec<u8>>> {
            let found = self.files.get(url).map(|text| text.as_bytes().to_vec());
            Box::pin(async move { found })
        }
        fn answers<'a>(&'a self, host: &'a str, port: u16) -> Later<'a, bool> {
            let found = self.open.contains(&(host, port));
            Box::pin(async move { found })
        }
    }

    async fn look(world: &World, address: &str) -> Discovered {
        discover(address, "ru", false, Some(world)).await
    }

    #[tokio::test]
    async fn known_providers_are_found_without_asking_anybody() {
        let found = discover("anna@bk.ru", "ru", false, None).await;
        assert_eq!(found.provider.as_deref(), Some("mailru"));
        assert_eq!(found.source, "preset");
        assert_eq!(found.hint, "app_password");
        let gmail = discover("anna@gmail.com", "ja", false, None).await;
        assert_eq!(gmail.auth, ["oauth", "password"]);
        assert_eq!(gmail.oauth.as_deref(), Some("google"));
        assert_eq!(
            discover("anna@shop.test", "ru", false, None).await.source,
            "none"
        );
    }

    #[tokio::test]
    async fn a_company_at_a_provider_is_known_by_where_its_mail_goes() {
        let mut world = World::default();
        world.mx.insert("shop.test", vec!["aspmx.l.google.com."]);
        let found = look(&world, "anna@shop.test").await;
        assert_eq!(
            (found.source.as_str(), found.provider.as_deref()),
            ("mx", Some("gmail"))
        );
    }

    #[tokio::test]
    async fn what_a_domain_publishes_comes_before_records_and_guesses() {
        let mut world = World::default();
        world.srv.insert(
            "_imaps._tcp.shop.test",
            vec![
                Service {
                    priority: 20,
                    host: "second.shop.test".to_owned(),
                    port: 993,
                },
                Service {
                    priority: 10,
                    host: "First.shop.test".to_owned(),
                    port: 1993,
                },
            ],
        );
        world.srv.insert(
            "_submission._tcp.shop.test",
            vec![Service {
                priority: 0,
                host: "out.shop.test".to_owned(),
                port: 587,
            }],
        );
        world.open = vec![("imap.shop.test", 993), ("mail.shop.test", 587)];
        let srv = look(&world, "anna@shop.test").await;
        assert_eq!(srv.source, "srv");
        assert_eq!(srv.imap.as_ref().unwrap().host, "first.shop.test");
        assert_eq!(srv.smtp.as_ref().unwrap().tls, MailTls::Starttls);
        world.files.insert(
            "https://shop.test/.well-known/autoconfig/mail/config-v1.1.xml",
            r#"<c><incomingServer type="imap"><hostname>in.shop.test</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username></incomingServer></c>"#,
        );
        let file = look(&world, "anna@shop.test").await;
        assert_eq!(file.source, "autoconfig");
        assert_eq!(file.user.as_deref(), Some("anna"));
        world.srv.clear();
        world.files.clear();
        let guess = look(&world, "anna@shop.test").await;
        assert_eq!(guess.source, "guess");
        assert_eq!(guess.imap.unwrap().host, "imap.shop.test");
        assert_eq!(guess.smtp.unwrap().port, 587);
        world.open.clear();
        assert_eq!(look(&world, "anna@shop.test").await.source, "none");
    }

    #[tokio::test]
    async fn nothing_leads_into_the_own_network() {
        let mut world = World::default();
        world.srv.insert(
            "_imaps._tcp.shop.test",
            vec![Service {
                priority: 0,
                host: "127.0.0.1".to_owned(),
                port: 22,
            }],
        );
        assert_eq!(look(&world, "anna@shop.test").await.source, "none");
        world.open = vec![("imap.localhost", 993)];
        assert_eq!(look(&world, "anna@localhost").await.source, "none");
        let own = discover("anna@shop.test", "ru", true, Some(&world)).await;
        assert_eq!(own.source, "srv");
    }
}
