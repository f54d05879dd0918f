//! Credentials, rates and the breaker.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use relance_channels::smtp::{
    Auth, BreakerCause, NotTriedReason, Origin, Permanence, Secret, SendOutcome, SmtpRoute, Stage,
};

use super::fake_server::{Act, Client, FakeServer, MESSAGE, Options, SECRET, USER, good};

fn accepted(outcome: &SendOutcome) -> bool {
    matches!(outcome, SendOutcome::Accepted { .. })
}

fn password(secret: &str) -> Auth {
    Auth::Password {
        user: USER.into(),
        secret: Secret::new(secret),
    }
}

fn token(token: &str) -> Auth {
    Auth::XOAuth2 {
        user: USER.into(),
        token: Secret::new(token),
    }
}

#[tokio::test]
async fn each_mechanism_with_right_and_wrong_credentials() {
    for (offer, auth, used) in [
        (
            "AUTH LOGIN PLAIN",
            password as fn(&str) -> Auth,
            "AUTH PLAIN ",
        ),
        ("AUTH LOGIN", password, "AUTH LOGIN"),
        ("AUTH=LOGIN", password, "AUTH LOGIN"),
        ("AUTH XOAUTH2 PLAIN", token, "AUTH XOAUTH2 "),
    ] {
        let server = FakeServer::start_with(Options::extensions(&[offer]), good).await;
        let right = Client::new(SmtpRoute {
            auth: auth(SECRET),
            ..server.route()
        });
        assert!(accepted(&right.send(MESSAGE).await), "{offer}");
        assert!(
            server.lines().iter().any(|line| line.starts_with(used)),
            "{offer}: {:?}",
            server.lines()
        );

        let wrong = Client::new(SmtpRoute {
            auth: auth("wrong"),
            ..server.route()
        });
        match wrong.send(MESSAGE).await {
            SendOutcome::Refused(refusal) => {
                assert_eq!(
                    (
                        refusal.stage,
                        refusal.permanence,
                        refusal.code,
                        refusal.origin
                    ),
                    (Stage::Auth, Permanence::Hard, 535, Origin::Server)
                );
                assert!(refusal.stage.concerns_route(), "never a bounce");
            }
            other => panic!("{offer}: {other:?}"),
        }
        assert_eq!(server.messages().len(), 1);
    }
}

#[tokio::test]
async fn no_usable_mechanism_and_temporary_trouble() {
    let server = FakeServer::start_with(Options::extensions(&["AUTH CRAM-MD5"]), good).await;
    for auth in [password(SECRET), token(SECRET)] {
        let client = Client::new(SmtpRoute {
            auth,
            ..server.route()
        });
        match client.send(MESSAGE).await {
            SendOutcome::Refused(refusal) => {
                assert_eq!(
                    (refusal.stage, refusal.origin),
                    (Stage::Auth, Origin::Local)
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.count("AUTH"), 0, "no credentials were sent");

    let server = FakeServer::start(|moment| match moment.verb.as_str() {
        "AUTH" => Act::Say("454 4.7.0 try later"),
        _ => Act::Good,
    })
    .await;
    let client = Client::new(SmtpRoute {
        auth: password(SECRET),
        ..server.route()
    });
    match client.send(MESSAGE).await {
        SendOutcome::Refused(refusal) => {
            assert_eq!(
                (refusal.stage, refusal.permanence),
                (Stage::Auth, Permanence::Soft)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn refused_credentials_rest_the_route_until_new_ones_come() {
    let server = FakeServer::start(good).await;
    let with = |secret: &str| SmtpRoute {
        auth: password(secret),
        ..server.route()
    };
    let client = Client::new(with("wrong"));
    for _ in 0..2 {
        assert!(matches!(
            client.send(MESSAGE).await,
            SendOutcome::Refused(_)
        ));
    }
    match client.send(MESSAGE).await {
        SendOutcome::NotTried {
            reason,
            retry_after,
        } => {
            assert_eq!(reason, NotTriedReason::BreakerOpen(BreakerCause::Auth));
            assert!(retry_after > Duration::from_secs(200));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.count("AUTH"), 2, "the account is not hammered");
    assert_eq!(client.stats().resting, Some(BreakerCause::Auth));

    client
        .sender
        .configure(client.id.clone(), with(SECRET))
        .unwrap();
    assert!(accepted(&client.send(MESSAGE).await));
}

#[tokio::test]
async fn a_renewed_secret_keeps_connections_and_another_user_does_not() {
    let server = FakeServer::start(good).await;
    let client = Client::new(SmtpRoute {
        auth: password(SECRET),
        ..server.route()
    });
    assert!(accepted(&client.send(MESSAGE).await));
    client
        .sender
        .configure(
            client.id.clone(),
            SmtpRoute {
                auth: password("renewed"),
                ..server.route()
            },
        )
        .unwrap();
    assert!(
        accepted(&client.send(MESSAGE).await),
        "the open connection has proved itself"
    );
    assert_eq!(server.connections(), 1);

    let other = Auth::Password {
        user: "boris".into(),
        secret: Secret::new(SECRET),
    };
    client
        .sender
        .configure(
            client.id.clone(),
            SmtpRoute {
                auth: other,
                ..server.route()
            },
        )
        .unwrap();
    assert!(
        matches!(client.send(MESSAGE).await, SendOutcome::Refused(_)),
        "boris sends nothing as ana"
    );
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_breaker_opens_probes_and_closes() {
    let server = FakeServer::start(|moment| match (moment.verb.as_str(), moment.nth) {
        ("CONNECT", 1..=3) => Act::SayAndClose("421 4.3.2 not now"),
        _ => Act::Good,
    })
    .await;
    let mut route = server.route();
    route.limits.breaker_failures_max = 2;
    route.limits.breaker_pause_min = Duration::from_millis(200);
    let client = Client::new(route);
    let resting = NotTriedReason::BreakerOpen(BreakerCause::Link);
    for _ in 0..2 {
        assert!(matches!(
            client.send(MESSAGE).await,
            SendOutcome::Refused(_)
        ));
    }
    match client.send(MESSAGE).await {
        SendOutcome::NotTried {
            reason,
            retry_after,
        } => {
            assert_eq!(reason, resting);
            assert!(retry_after <= Duration::from_millis(200));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.connections(), 2, "nothing is tried at rest");

    tokio::time::sleep(Duration::from_millis(220)).await;
    assert!(
        matches!(client.send(MESSAGE).await, SendOutcome::Refused(_)),
        "the probe fails"
    );
    tokio::time::sleep(Duration::from_millis(220)).await;
    assert!(
        matches!(client.send(MESSAGE).await, SendOutcome::NotTried { reason, .. } if reason == resting),
        "and the next rest is twice as long"
    );

    tokio::time::sleep(Duration::from_millis(220)).await;
    assert!(accepted(&client.send(MESSAGE).await), "the probe succeeds");
    assert_eq!(client.stats().resting, None);
    assert!(accepted(&client.send(MESSAGE).await));
}

#[tokio::test]
async fn attempts_that_wait_while_the_breaker_opens_are_not_tried() {
    let server = FakeServer::start(|moment| match moment.verb.as_str() {
        "CONNECT" => Act::Slow(Duration::from_secs(60)),
        _ => Act::Good,
    })
    .await;
    let mut route = server.route();
    route.limits.connections_max = 1;
    route.limits.command_timeout = Duration::from_millis(100);
    route.limits.breaker_failures_max = 2;
    let client = std::sync::Arc::new(Client::new(route));
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move { client.send(MESSAGE).await })
        })
        .collect();
    let mut tried = 0;
    for send in sends {
        match send.await.unwrap() {
            SendOutcome::Unreachable(_) => tried += 1,
            SendOutcome::NotTried {
                reason: NotTriedReason::BreakerOpen(BreakerCause::Link),
                ..
            } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((tried, server.connections()), (2, 2));
}

#[tokio::test]
async fn a_refused_recipient_says_nothing_about_the_route() {
    let server = FakeServer::start(|moment| match moment.verb.as_str() {
        "RCPT" => Act::Say("550 5.1.1 unknown"),
        _ => Act::Good,
    })
    .await;
    let mut route = server.route();
    route.limits.breaker_failures_max = 2;
    let client = Client::new(route);
    for _ in 0..10 {
        assert!(
            matches!(client.send(MESSAGE).await, SendOutcome::Refused(refusal) if refusal.stage == Stage::Rcpt)
        );
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn messages_keep_to_the_rate_per_second() {
    let server = FakeServer::start(good).await;
    let mut route = server.route();
    route.limits.messages_per_second_max = NonZeroU32::new(10);
    let client = std::sync::Arc::new(Client::new(route));
    let started = Instant::now();
    let sends: Vec<_> = (0..6)
        .map(|_| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move { client.send(MESSAGE).await })
        })
        .collect();
    for send in sends {
        assert!(accepted(&send.await.unwrap()));
    }
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(500),
        "six messages at ten a second took only {took:?}"
    );
}

#[tokio::test]
async fn a_used_up_hour_is_left_to_the_schedule() {
    let server = FakeServer::start(good).await;
    let mut route = server.route();
    route.limits.messages_per_hour_max = NonZeroU32::new(1);
    let client = Client::new(route);
    assert!(accepted(&client.send(MESSAGE).await));
    match client.send(MESSAGE).await {
        SendOutcome::NotTried {
            reason: NotTriedReason::RateLimited,
            retry_after,
        } => {
            assert!(
                retry_after > Duration::from_secs(3500) && retry_after <= Duration::from_secs(3600)
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.messages().len(), 1);
}
