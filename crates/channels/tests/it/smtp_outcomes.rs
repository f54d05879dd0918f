//! Every way an attempt can end, told apart.

use std::pin::Pin;
use std::time::Duration;

use relance_channels::smtp::{
    LinkCause, NotTriedReason, Origin, Permanence, Refusal, SendOutcome, SmtpRoute, Stage, Tls,
    normalise,
};

use super::fake_server::{Act, Client, FakeServer, MESSAGE, Options, always, at, envelope, good};

fn refusal(outcome: SendOutcome) -> Refusal {
    match outcome {
        SendOutcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Both dialogues, one command at a time and pipelined.
fn dialogues() -> [Options; 2] {
    [
        Options::default(),
        Options::extensions(&["SIZE 20000000", "8BITMIME"]),
    ]
}

#[tokio::test]
async fn accepted_with_the_servers_name_for_it() {
    for options in dialogues() {
        let pipelining = options.extensions.contains(&"PIPELINING");
        let server = FakeServer::start_with(options, good).await;
        let outcome = Client::new(server.route()).send(MESSAGE).await;
        assert_eq!(
            outcome,
            SendOutcome::Accepted {
                response: "250 2.0.0 Ok: queued as FAKE1".into(),
                queue_id: Some("FAKE1".into()),
                refused: vec![]
            }
        );
        assert_eq!(server.messages(), [MESSAGE]);
        assert_eq!(
            server.pipelined(),
            [pipelining],
            "commands in one write when offered, and only then"
        );
        assert!(server.lines().contains(&format!(
            "MAIL FROM:<ana@example.com> SIZE={}",
            MESSAGE.len()
        )));
    }
}

#[tokio::test]
async fn kept_back_before_the_body_nobody_receives_it_and_the_next_goes() {
    for options in dialogues() {
        let server = FakeServer::start_with(options, good).await;
        let client = Client::new(server.route());
        let keep_back = || -> Pin<Box<dyn Future<Output = bool> + Send>> {
            Box::pin(std::future::ready(false))
        };
        let outcome = client
            .sender
            .send_unless(
                &client.id,
                &envelope(&["bob@example.net"]),
                MESSAGE,
                &keep_back,
            )
            .await;
        let refusal = refusal(outcome);
        assert_eq!(
            (refusal.stage, refusal.permanence, refusal.origin),
            (Stage::Body, Permanence::Soft, Origin::Local)
        );
        assert_eq!(server.count("DATA"), 1, "asked when the server waits");
        assert!(server.messages().is_empty());
        assert!(matches!(
            client.send(MESSAGE).await,
            SendOutcome::Accepted { .. }
        ));
        assert_eq!(server.messages(), [MESSAGE]);
    }
}

#[tokio::test]
async fn refused_at_each_stage() {
    for (verb, stage) in [
        ("CONNECT", Stage::Connect),
        ("EHLO", Stage::Helo),
        ("MAIL", Stage::Mail),
        ("RCPT", Stage::Rcpt),
        ("DATA", Stage::Data),
        ("DOT", Stage::Body),
    ] {
        for (reply, permanence, code, enhanced) in [
            ("550 5.7.1 go away", Permanence::Hard, 550, Some((5, 7, 1))),
            ("451 4.3.0 later", Permanence::Soft, 451, Some((4, 3, 0))),
            ("450 no enhanced code", Permanence::Soft, 450, None),
        ] {
            for options in dialogues() {
                let server = FakeServer::start_with(options, move |moment| {
                    // A refused EHLO is followed by HELO, which this server refuses as well.
                    let helo = verb == "EHLO" && moment.verb == "HELO";
                    if moment.verb == verb || helo {
                        Act::Say(reply)
                    } else {
                        Act::Good
                    }
                })
                .await;
                let refusal = refusal(Client::new(server.route()).send(MESSAGE).await);
                assert_eq!(
                    (
                        refusal.stage,
                        refusal.permanence,
                        refusal.code,
                        refusal.enhanced,
                        refusal.origin
                    ),
                    (stage, permanence, code, enhanced, Origin::Server),
                    "{verb} {reply}"
                );
                assert!(reply.ends_with(&refusal.text));
                // To a pipelined DATA without a recipient this server says 354, and gets an empty message.
                assert!(server.messages().iter().all(Vec::is_empty));
                assert_eq!(stage.concerns_route(), stage <= Stage::Auth);
            }
        }
    }
}

#[tokio::test]
async fn hung_up_before_the_body_is_unreachable() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] {
        for options in dialogues() {
            let server = FakeServer::start_with(options, always(verb, Act::Close)).await;
            match Client::new(server.route()).send(MESSAGE).await {
                SendOutcome::Unreachable(link) => {
                    assert_eq!(link.cause, LinkCause::Closed, "{verb}: {link:?}")
                }
                other => panic!("{verb}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn hung_up_in_the_body_is_unreachable() {
    let server = FakeServer::start(always("BODY", Act::Close)).await;
    // Far more than the sockets' buffers, so that the end cannot have been sent.
    let message = vec![b'x'; 16 * 1024 * 1024];
    match Client::new(server.route()).send(&message).await {
        SendOutcome::Unreachable(link) => {
            assert_eq!((link.cause, link.stage), (LinkCause::Closed, Stage::Body));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.count("MAIL"), 1, "not tried again by itself");
}

#[tokio::test]
async fn refused_in_the_middle_of_the_body_is_heard() {
    let act = Act::ReadThenSayAndClose(100_000, "552 5.3.4 too big after all");
    let server = FakeServer::start(always("BODY", act)).await;
    let refusal = refusal(
        Client::new(server.route())
            .send(&vec![b'x'; 16 * 1024 * 1024])
            .await,
    );
    assert_eq!((refusal.code, refusal.stage), (552, Stage::Body));
}

#[tokio::test]
async fn no_word_after_the_final_dot_is_unknown_and_never_sent_again() {
    for (act, cause) in [
        (Act::Close, LinkCause::Closed),
        (Act::Slow(Duration::from_secs(60)), LinkCause::Timeout),
        (Act::Say("354 what?"), LinkCause::Protocol),
        (Act::Say("Ok, thanks"), LinkCause::Protocol),
        (Act::Say("250-Ok\r\n550 or not"), LinkCause::Protocol),
        (Act::Flood, LinkCause::Protocol),
        (Act::FloodLine, LinkCause::Protocol),
        (
            Act::Drip("250 Ok: queued as SLOW\r\n", Duration::from_millis(100)),
            LinkCause::Timeout,
        ),
    ] {
        for options in dialogues() {
            let server = FakeServer::start_with(options, always("DOT", act.clone())).await;
            let mut route = server.route();
            route.limits.data_timeout = Duration::from_millis(400);
            let client = Client::new(route);
            match client.send(MESSAGE).await {
                SendOutcome::Unknown(link) => assert_eq!(link.cause, cause, "{act:?}: {link:?}"),
                other => panic!("{act:?}: {other:?}"),
            }
            assert_eq!(server.count("MAIL"), 1);
            assert_eq!(
                client.stats().connections_idle,
                0,
                "a connection in doubt is not kept"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_or_endless_reply_ends_in_time() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] {
        for (act, cause) in [
            (Act::Slow(Duration::from_secs(60)), LinkCause::Timeout),
            (
                Act::Drip(
                    "250-a very long and slow reply\r\n",
                    Duration::from_millis(50),
                ),
                LinkCause::Timeout,
            ),
            (Act::Flood, LinkCause::Protocol),
            (Act::FloodLine, LinkCause::Protocol),
            (Act::Say("hello?"), LinkCause::Protocol),
        ] {
            let server = FakeServer::start(always(verb, act.clone())).await;
            let mut route = server.route();
            route.limits.command_timeout = Duration::from_millis(300);
            let started = std::time::Instant::now();
            match Client::new(route).send(MESSAGE).await {
                SendOutcome::Unreachable(link) => {
                    assert_eq!(link.cause, cause, "{verb} {act:?}: {link:?}")
                }
                other => panic!("{verb} {act:?}: {other:?}"),
            }
            assert!(
                started.elapsed() < Duration::from_secs(4),
                "{verb} {act:?} took {:?}",
                started.elapsed()
            );
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_question_is_not_taken_for_it() {
    for (verb, lie) in [
        ("DATA", "354 go ahead\r\n250 2.0.0 Ok: queued as LIE"),
        ("CONNECT", "220 fake\r\n250 hello"),
        (
            "EHLO",
            "250 fake\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead",
        ),
    ] {
        for options in dialogues() {
            let server = FakeServer::start_with(options, always(verb, Act::Say(lie))).await;
            match Client::new(server.route()).send(MESSAGE).await {
                SendOutcome::Unreachable(link) => {
                    assert_eq!(link.cause, LinkCause::Protocol, "{verb}: {link:?}");
                }
                other => panic!("{verb}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let route = SmtpRoute::new("127.0.0.1", port, Tls::None, "client.example");
    match Client::new(route).send(MESSAGE).await {
        SendOutcome::Unreachable(link) => {
            assert_eq!(
                (link.cause, link.stage),
                (LinkCause::Connect, Stage::Connect)
            );
        }
        other => panic!("{other:?}"),
    }
    let route = SmtpRoute::new("no-such-host.invalid", 25, Tls::None, "client.example");
    match Client::new(route).send(MESSAGE).await {
        SendOutcome::Unreachable(link) => assert_eq!(link.cause, LinkCause::Dns, "{link:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_route_that_is_not_configured() {
    let server = FakeServer::start(good).await;
    let client = Client::new(server.route());
    client.sender.remove(&client.id);
    assert!(matches!(
        client.send(MESSAGE).await,
        SendOutcome::NotTried {
            reason: NotTriedReason::RouteUnknown,
            ..
        }
    ));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_refused_recipient_does_not_cost_the_others() {
    for options in dialogues() {
        let server =
            FakeServer::start_with(options, at("RCPT", 2, Act::Say("550 5.1.1 unknown"))).await;
        let client = Client::new(server.route());
        match client
            .send_to(
                &["a@example.net", "b@example.net", "c@example.net"],
                MESSAGE,
            )
            .await
        {
            SendOutcome::Accepted { refused, .. } => {
                assert_eq!(refused.len(), 1);
                assert_eq!((refused[0].recipient, refused[0].refusal.code), (1, 550));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(server.messages().len(), 1);
    }
}

#[tokio::test]
async fn all_recipients_refused_counts_as_soft_if_one_is() {
    for options in dialogues() {
        let server =
            FakeServer::start_with(options, |moment| match (moment.verb.as_str(), moment.nth) {
                ("RCPT", 1) => Act::Say("550 5.1.1 unknown"),
                ("RCPT", 2) => Act::Say("452 4.2.2 full"),
                _ => Act::Good,
            })
            .await;
        let client = Client::new(server.route());
        let refusal = refusal(
            client
                .send_to(&["a@example.net", "b@example.net"], MESSAGE)
                .await,
        );
        assert_eq!((refusal.code, refusal.permanence), (452, Permanence::Soft));
        // This server says 354 to a pipelined DATA all the same; the input is ended and the connection,
        // after RSET, serves the next message.
        assert_eq!(client.stats().connections_idle, 1);
        assert!(matches!(
            client.send(MESSAGE).await,
            SendOutcome::Accepted { .. }
        ));
        assert_eq!(server.connections(), 1);
        assert_eq!(server.count("RSET"), 1);
        assert_eq!(server.messages().last().unwrap(), MESSAGE);
    }
}

#[tokio::test]
async fn a_server_without_ehlo_is_greeted_with_helo() {
    let server = FakeServer::start(always("EHLO", Act::Say("502 5.5.1 never heard of it"))).await;
    let client = Client::new(server.route());
    assert!(matches!(
        client.send(MESSAGE).await,
        SendOutcome::Accepted { .. }
    ));
    assert_eq!(server.pipelined(), [false]);
    assert!(
        server
            .lines()
            .contains(&"MAIL FROM:<ana@example.com>".to_owned()),
        "no parameters either"
    );
}

#[tokio::test]
async fn what_the_server_cannot_take_is_refused_here() {
    let plain = Options::extensions(&["PIPELINING", "SIZE 1000"]);
    let server = FakeServer::start_with(plain, good).await;
    let client = Client::new(server.route());
    for (message, to, code, enhanced) in [
        (
            &b"Subject: x\r\n\r\n"[..],
            "борис@example.net",
            553,
            (5, 6, 7),
        ),
        (
            "Subject: привет\r\n\r\n".as_bytes(),
            "bob@example.net",
            554,
            (5, 6, 3),
        ),
        (&[b'\n'; 501], "bob@example.net", 552, (5, 3, 4)),
    ] {
        let refusal = refusal(client.send_to(&[to], message).await);
        assert_eq!(
            (refusal.code, refusal.enhanced, refusal.origin),
            (code, Some(enhanced), Origin::Local)
        );
    }
    assert_eq!(server.count("MAIL"), 0);
    assert!(
        matches!(
            client.send(&[b'\n'; 500]).await,
            SendOutcome::Accepted { .. }
        ),
        "exactly the limit"
    );
    assert_eq!(server.connections(), 1, "the connection was never in doubt");
}

#[tokio::test]
async fn eight_bit_and_utf8_are_announced_where_needed() {
    let server = FakeServer::start(good).await;
    let client = Client::new(server.route());
    let _ = client.send("Subject: привет\r\n\r\n".as_bytes()).await;
    let _ = client.send_to(&["борис@example.net"], MESSAGE).await;
    let mails: Vec<_> = server
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("MAIL"))
        .collect();
    assert!(
        mails[0].contains(" BODY=8BITMIME") && !mails[0].contains("SMTPUTF8"),
        "{}",
        mails[0]
    );
    assert!(mails[1].contains(" SMTPUTF8"), "{}", mails[1]);
    assert!(
        server
            .lines()
            .contains(&"RCPT TO:<борис@example.net>".to_owned())
    );
}

#[tokio::test]
async fn what_arrives_is_what_was_sent() {
    let server = FakeServer::start(good).await;
    let client = Client::new(server.route());
    let mut messages: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b".".to_vec(),
        b"..\n.\r.\r\n...".to_vec(),
        b"a\r\n.\r\nMAIL FROM:<evil@example.org>\r\n".to_vec(),
        b"a\n.\nQUIT\n".to_vec(),
        "Тема: ёж\n.\n".as_bytes().to_vec(),
        // The dot and the line end fall on the edges of the encoder's pieces.
        [vec![b'x'; 64 * 1024 - 1], b"\r\n.\r\nend".to_vec()].concat(),
        [vec![b'x'; 64 * 1024], b".\r\n\r".to_vec()].concat(),
        [vec![b'x'; 64 * 1024 - 2], b"\r\n.y\r\n".to_vec()].concat(),
    ];
    // A fixed sequence of awkward bytes.
    let mut state = 1_u32;
    messages.push(
        (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"..\r\n\r\nab"[(state >> 29) as usize]
            })
            .collect(),
    );
    for message in &messages {
        let outcome = client.send(message).await;
        assert!(
            matches!(outcome, SendOutcome::Accepted { .. }),
            "{outcome:?}"
        );
    }
    let stored = server.messages();
    assert_eq!(stored.len(), messages.len());
    for (stored, message) in stored.iter().zip(&messages) {
        assert!(
            stored[..] == normalise(message)[..],
            "{} bytes changed on the way",
            message.len()
        );
    }
    assert_eq!(server.connections(), 1);
}
