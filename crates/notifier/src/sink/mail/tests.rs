//! Mail to a server of our own that speaks enough SMTP.

use tokio::net::TcpListener;

use super::*;
use crate::sink::Words;
use crate::test_servers::{MailServer, Mood};

fn options(port: u16) -> MailOptions {
    MailOptions {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: MailSecurity::None,
        login: Some(MailLogin {
            user: "shop".to_owned(),
            password: "secret".into(),
        }),
        from: "Shop <shop@shop.example>".to_owned(),
        to: vec![
            "ann@shop.example".to_owned(),
            "Ben <ben@shop.example>".to_owned(),
        ],
        subject: TextTemplate::parse("{type}: {reference}").unwrap(),
        text: TextTemplate::parse("{reference} got {amount}.\n.\n{detail}\n").unwrap(),
        within: Duration::from_millis(500),
    }
}

fn event(id: &str) -> Outgoing {
    Outgoing {
        id: id.to_owned(),
        kind: "order.paid".to_owned(),
        words: Words {
            reference: "INV-1\r\nBcc: eve@evil.example".to_owned(),
            amount: "12.5 USDT".to_owned(),
            detail: "from a stranger".to_owned(),
            advice: String::new(),
        },
        ..Outgoing::default()
    }
}

#[tokio::test]
async fn each_event_is_a_message_to_everybody() {
    let mut server = MailServer::open(Mood::Well).await;
    let mail = Mail::new(options(server.port())).unwrap();
    assert_eq!(
        mail.publish(&[event("evt_1"), event("evt_2")]).await,
        Ok(())
    );
    for id in ["evt_1", "evt_2"] {
        let came = server.mail().await;
        for line in [
            "MAIL FROM:<shop@shop.example>",
            "RCPT TO:<ann@shop.example>",
            "RCPT TO:<ben@shop.example>",
            "Subject: order.paid: INV-1 Bcc: eve@evil.example",
            "From: Shop <shop@shop.example>",
            &format!("Message-ID: <{id}@paywatch.invalid>"),
            "Bcc: eve@evil.example got 12.5 USDT.",
            // A dot alone would end the message, so it is doubled on the way.
            "..",
            "from a stranger",
        ] {
            assert!(
                came.iter()
                    .any(|said| said == line || said.starts_with(line)),
                "{line}: {came:#?}"
            );
        }
        let recipients = came.iter().filter(|line| line.starts_with("RCPT")).count();
        assert_eq!(recipients, 2, "{came:#?}");
        let head: Vec<_> = came
            .iter()
            .skip_while(|line| *line != "DATA")
            .take_while(|line| !line.is_empty())
            .collect();
        assert!(
            !head.iter().any(|line| line.starts_with("Bcc")),
            "{head:#?}"
        );
    }
    assert!(!format!("{mail:?} {:?}", options(1)).contains("secret"));
}

#[tokio::test]
async fn who_does_not_take_it_is_heard() {
    for (mood, kind, words) in [
        (Mood::NoSuchUser, SinkFailureKind::Refused, "no such user"),
        (Mood::Full, SinkFailureKind::Unreachable, "mailbox is full"),
        (Mood::Silent, SinkFailureKind::TimedOut, "127.0.0.1"),
    ] {
        let server = MailServer::open(mood).await;
        let mail = Mail::new(options(server.port())).unwrap();
        let failure = mail.publish(&[event("evt_1")]).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.text.contains(words), "{mood:?}: {failure}");
        assert_eq!(failure.acknowledged, 0);
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let failure = Mail::new(options(port))
        .unwrap()
        .publish(&[event("evt_1")])
        .await
        .unwrap_err();
    assert_eq!(failure.kind, SinkFailureKind::Unreachable, "{failure}");
}

/// A server without TLS is not spoken to in the open where TLS was asked for.
#[tokio::test]
async fn no_password_goes_over_an_open_line() {
    let server = MailServer::open(Mood::Well).await;
    let options = MailOptions {
        security: MailSecurity::StartTls,
        ..options(server.port())
    };
    let failure = Mail::new(options)
        .unwrap()
        .publish(&[event("evt_1")])
        .await
        .unwrap_err();
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");
    assert!(server.is_empty());
}

#[test]
fn wrong_addresses_are_named() {
    let from = Mail::new(MailOptions {
        from: "shop".to_owned(),
        ..options(25)
    })
    .unwrap_err();
    assert!(
        from.to_string().starts_with("\"shop\" is no mail address"),
        "{from}"
    );
    let nobody = Mail::new(MailOptions {
        to: vec![],
        ..options(25)
    })
    .unwrap_err();
    assert!(matches!(nobody, MailError::Nobody));
}
