//! Encryption, and whom the client believes.

use relance_channels::smtp::{
    Auth, LinkCause, RouteProblem, Secret, SendOutcome, SmtpRoute, SmtpSender, Stage, Tls, Trust,
};

use super::fake_server::{
    Act, Client, FakeServer, MESSAGE, Options, SECRET, USER, always, good, self_signed,
};

const OFFER: [&str; 3] = ["STARTTLS", "PIPELINING", "AUTH PLAIN"];

async fn server(implicit: bool) -> FakeServer {
    let options = Options {
        tls: true,
        implicit_tls: implicit,
        ..Options::extensions(&OFFER)
    };
    FakeServer::start_with(options, good).await
}

fn with_password(route: SmtpRoute) -> SmtpRoute {
    SmtpRoute {
        auth: Auth::Password {
            user: USER.into(),
            secret: Secret::new(SECRET),
        },
        ..route
    }
}

fn link_cause(outcome: SendOutcome) -> (LinkCause, Stage) {
    match outcome {
        SendOutcome::Unreachable(link) => (link.cause, link.stage),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn implicit_tls_and_starttls_with_credentials() {
    for (implicit, tls) in [(true, Tls::Implicit), (false, Tls::StartTls)] {
        let server = server(implicit).await;
        let client = Client::new(with_password(server.tls_route(tls)));
        for _ in 0..3 {
            let outcome = client.send(MESSAGE).await;
            assert!(
                matches!(outcome, SendOutcome::Accepted { .. }),
                "{outcome:?}"
            );
        }
        assert_eq!(server.messages(), [MESSAGE; 3]);
        assert_eq!(server.connections(), 1);
        assert_eq!(
            server.count("EHLO"),
            if implicit { 1 } else { 2 },
            "asked again after STARTTLS"
        );
        assert_eq!(server.count("AUTH"), 1);
    }
}

#[tokio::test]
async fn a_large_message_passes_through_tls() {
    let server = server(true).await;
    let message = b"0123456789012345678901234567890123456789\r\n.dots\r\n".repeat(60_000);
    let outcome = Client::new(server.tls_route(Tls::Implicit))
        .send(&message)
        .await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    assert!(server.messages() == [message]);
}

#[tokio::test]
async fn starttls_required_and_not_offered_sends_nothing() {
    for (offer, act) in [
        (&["PIPELINING", "AUTH PLAIN"][..], Act::Good),
        (&OFFER[..], Act::Say("454 4.7.0 TLS not available")),
    ] {
        let options = Options::extensions(offer);
        let server = FakeServer::start_with(options, always("STARTTLS", act)).await;
        let client = Client::new(with_password(server.tls_route(Tls::StartTls)));
        assert_eq!(
            link_cause(client.send(MESSAGE).await),
            (LinkCause::StartTlsNotOffered, Stage::Helo)
        );
        assert_eq!((server.count("AUTH"), server.count("MAIL")), (0, 0));
    }
}

#[tokio::test]
async fn words_in_the_clear_behind_the_reply_to_starttls_are_not_believed() {
    let options = Options {
        tls: true,
        ..Options::extensions(&OFFER)
    };
    let injected = Act::Say("220 2.0.0 go ahead\r\n250-evil\r\n250 AUTH PLAIN");
    let server = FakeServer::start_with(options, always("STARTTLS", injected)).await;
    let client = Client::new(with_password(server.tls_route(Tls::StartTls)));
    assert_eq!(
        link_cause(client.send(MESSAGE).await),
        (LinkCause::Protocol, Stage::Helo)
    );
    assert_eq!((server.count("AUTH"), server.count("MAIL")), (0, 0));
}

#[tokio::test]
async fn trust_decides() {
    let server = server(true).await;
    let mine = server.certificate_pem.clone();
    let (other, _) = self_signed("localhost");
    for (trust, host, believed) in [
        (Trust::WebRoots, "127.0.0.1", false),
        (
            Trust::WebRootsAnd {
                authorities_pem: mine.clone(),
            },
            "127.0.0.1",
            true,
        ),
        (
            Trust::Only {
                authorities_pem: mine.clone(),
            },
            "127.0.0.1",
            true,
        ),
        (
            Trust::Only {
                authorities_pem: other.clone(),
            },
            "127.0.0.1",
            false,
        ),
        (
            Trust::Pinned {
                certificate_pem: mine.clone(),
            },
            "127.0.0.1",
            true,
        ),
        (
            Trust::Pinned {
                certificate_pem: other,
            },
            "127.0.0.1",
            false,
        ),
    ] {
        let route = SmtpRoute {
            trust,
            host: host.into(),
            ..server.tls_route(Tls::Implicit)
        };
        let described = format!("{:?} {host}", route.trust);
        match Client::new(route).send(MESSAGE).await {
            SendOutcome::Accepted { .. } => assert!(believed, "{described} was believed"),
            SendOutcome::Unreachable(link) => {
                assert_eq!(
                    (link.cause, believed),
                    (LinkCause::Tls, false),
                    "{described}: {link:?}"
                );
            }
            other => panic!("{described}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_name_in_the_certificate_counts_unless_pinned() {
    let options = Options {
        tls: true,
        implicit_tls: true,
        ..Options::default()
    };
    let server = FakeServer::start_named(options, "mail.example.org", good).await;
    let only = Trust::Only {
        authorities_pem: server.certificate_pem.clone(),
    };
    let route = SmtpRoute {
        trust: only,
        host: "localhost".into(),
        ..server.tls_route(Tls::Implicit)
    };
    assert_eq!(
        link_cause(Client::new(route.clone()).send(MESSAGE).await).0,
        LinkCause::Tls
    );
    let pinned = Trust::Pinned {
        certificate_pem: server.certificate_pem.clone(),
    };
    let outcome = Client::new(SmtpRoute {
        trust: pinned,
        ..route
    })
    .send(MESSAGE)
    .await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn unreadable_trust_is_said_when_the_route_is_configured() {
    let server = server(true).await;
    for trust in [
        Trust::Only {
            authorities_pem: String::new(),
        },
        Trust::WebRootsAnd {
            authorities_pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
                .into(),
        },
        Trust::Pinned {
            certificate_pem: "no certificate".into(),
        },
    ] {
        let route = SmtpRoute {
            trust,
            ..server.tls_route(Tls::Implicit)
        };
        let problem = SmtpSender::new().configure(relance_channels::smtp::RouteId::new("x"), route);
        assert!(
            matches!(problem, Err(RouteProblem::TrustUnreadable { .. })),
            "{problem:?}"
        );
    }
}

#[tokio::test]
async fn hung_up_after_the_dot_is_unknown_through_tls_too() {
    let options = Options {
        tls: true,
        implicit_tls: true,
        ..Options::default()
    };
    let server = FakeServer::start_with(options, always("DOT", Act::Close)).await;
    let client = Client::new(server.tls_route(Tls::Implicit));
    assert!(matches!(
        client.send(MESSAGE).await,
        SendOutcome::Unknown(_)
    ));
}
