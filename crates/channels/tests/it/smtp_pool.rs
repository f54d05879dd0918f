//! Connections are reused, and a dead one costs no message.

use std::sync::Arc;
use std::time::Duration;

use relance_channels::smtp::{RouteId, SendOutcome, SmtpSender};

use super::fake_server::{Act, Client, FakeServer, MESSAGE, at, envelope, good};

fn accepted(outcome: &SendOutcome) -> bool {
    matches!(outcome, SendOutcome::Accepted { .. })
}

#[tokio::test]
async fn one_connection_serves_many_messages() {
    let server = FakeServer::start(good).await;
    let client = Client::new(server.route());
    for _ in 0..20 {
        assert!(accepted(&client.send(MESSAGE).await));
    }
    let stats = client.stats();
    assert_eq!((server.connections(), server.count("EHLO")), (1, 1));
    assert_eq!(
        (
            stats.connections_opened,
            stats.connections_reused,
            stats.messages_accepted
        ),
        (1, 19, 20)
    );
    assert_eq!(
        server.count("RSET"),
        0,
        "a finished transaction needs no reset"
    );
}

#[tokio::test]
async fn a_connection_is_replaced_after_its_share_of_messages() {
    let server = FakeServer::start(good).await;
    let mut route = server.route();
    route.limits.messages_per_connection_max = 2;
    let client = Client::new(route);
    for _ in 0..5 {
        assert!(accepted(&client.send(MESSAGE).await));
    }
    assert_eq!(server.connections(), 3);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.count("QUIT"), 2);
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let server = FakeServer::start(|moment| match moment.verb.as_str() {
        "DOT" => Act::Slow(Duration::from_millis(10)),
        _ => Act::Good,
    })
    .await;
    let mut route = server.route();
    route.limits.connections_max = 3;
    let client = Arc::new(Client::new(route));
    let sends: Vec<_> = (0..40)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.send(MESSAGE).await })
        })
        .collect();
    for send in sends {
        assert!(accepted(&send.await.unwrap()));
    }
    assert!(
        server.connections() <= 3,
        "{} connections",
        server.connections()
    );
    assert_eq!(server.messages().len(), 40);
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_message() {
    for farewell in [
        at("DOT", 1, Act::SayAndClose("250 ok")),
        at(
            "DOT",
            1,
            Act::SayAndClose("250 ok\r\n421 4.4.2 idle for too long"),
        ),
    ] {
        let server = FakeServer::start(farewell).await;
        let client = Client::new(server.route());
        assert!(accepted(&client.send(MESSAGE).await));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(accepted(&client.send(MESSAGE).await));
        assert_eq!(server.connections(), 2);
        assert_eq!(
            client.stats().connections_reused,
            0,
            "seen to be closed before it was used"
        );
    }
}

#[tokio::test]
async fn a_reused_connection_that_fails_before_the_body_is_replaced_once() {
    for verb in ["MAIL", "RCPT", "DATA"] {
        for act in [
            Act::Close,
            Act::SayAndClose("421 4.3.2 shutting down"),
            Act::Slow(Duration::from_secs(60)),
        ] {
            let server = FakeServer::start(at(verb, 2, act.clone())).await;
            let mut route = server.route();
            route.limits.command_timeout = Duration::from_millis(500);
            let client = Client::new(route);
            assert!(accepted(&client.send(MESSAGE).await));
            let outcome = client.send(MESSAGE).await;
            assert!(accepted(&outcome), "{verb} {act:?}: {outcome:?}");
            assert_eq!(
                (server.connections(), server.messages().len()),
                (2, 2),
                "{verb} {act:?}"
            );
            assert_eq!(client.stats().transactions_restarted, 1);
        }
    }
}

#[tokio::test]
async fn a_fresh_connection_that_fails_is_not_replaced() {
    let server = FakeServer::start(|moment| match (moment.verb.as_str(), moment.nth) {
        ("MAIL", 2..) => Act::Close,
        _ => Act::Good,
    })
    .await;
    let client = Client::new(server.route());
    assert!(accepted(&client.send(MESSAGE).await));
    assert!(matches!(
        client.send(MESSAGE).await,
        SendOutcome::Unreachable(_)
    ));
    assert_eq!(
        server.count("MAIL"),
        3,
        "once on the idle connection, once on a fresh one, no more"
    );
}

#[tokio::test]
async fn a_reused_connection_that_fails_after_the_body_is_unknown() {
    let server = FakeServer::start(at("DOT", 2, Act::Close)).await;
    let client = Client::new(server.route());
    assert!(accepted(&client.send(MESSAGE).await));
    assert!(matches!(
        client.send(MESSAGE).await,
        SendOutcome::Unknown(_)
    ));
    assert_eq!(
        (server.connections(), server.count("MAIL")),
        (1, 2),
        "never sent again"
    );
}

#[tokio::test]
async fn unused_connections_are_closed_politely() {
    let server = FakeServer::start(good).await;
    let mut route = server.route();
    route.limits.idle_timeout = Duration::from_millis(100);
    let client = Client::new(route);
    for _ in 0..2 {
        assert!(accepted(&client.send(MESSAGE).await));
        assert_eq!(client.stats().connections_idle, 1);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(client.stats().connections_idle, 0);
    }
    assert_eq!(server.count("QUIT"), 2);
}

#[tokio::test]
async fn an_attempt_given_up_leaves_nothing_behind() {
    let server = FakeServer::start(at("DATA", 1, Act::Slow(Duration::from_secs(60)))).await;
    let mut route = server.route();
    route.limits.connections_max = 1;
    let client = Client::new(route);
    let given_up = tokio::time::timeout(Duration::from_millis(200), client.send(MESSAGE)).await;
    assert!(given_up.is_err());
    assert!(
        accepted(&client.send(MESSAGE).await),
        "the only place is free again"
    );
    assert_eq!((server.connections(), server.messages().len()), (2, 1));
}

#[tokio::test]
async fn a_slow_route_delays_no_other() {
    let slow = FakeServer::start(|moment| match moment.verb.as_str() {
        "CONNECT" => Act::Slow(Duration::from_secs(60)),
        _ => Act::Good,
    })
    .await;
    let fast = FakeServer::start(good).await;
    let sender = Arc::new(SmtpSender::new());
    sender
        .configure(RouteId::new("slow"), slow.route())
        .unwrap();
    sender
        .configure(RouteId::new("fast"), fast.route())
        .unwrap();
    let envelope = envelope(&["bob@example.net"]);
    let stuck: Vec<_> = (0..50)
        .map(|_| {
            let (sender, envelope) = (Arc::clone(&sender), envelope.clone());
            tokio::spawn(
                async move { sender.send(&RouteId::new("slow"), &envelope, MESSAGE).await },
            )
        })
        .collect();
    let started = std::time::Instant::now();
    for _ in 0..10 {
        assert!(accepted(
            &sender.send(&RouteId::new("fast"), &envelope, MESSAGE).await
        ));
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    for stuck in stuck {
        stuck.abort();
    }
}
