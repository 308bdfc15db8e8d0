//! Mail to a server of our own that speaks enough SMTP.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::sink::Words;

/// How the server treats those who send.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Well,
    /// It knows nobody by this name.
    NoSuchUser,
    /// It is full, for a while.
    Full,
    Silent,
}

/// A mail server and what came to it: the lines of each conversation.
struct Server {
    port: u16,
    came: mpsc::UnboundedReceiver<Vec<String>>,
}

impl Server {
    async fn open(mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, came) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let tell = tell.clone();
                tokio::spawn(async move {
                    // A client that hangs up ends the conversation, too.
                    let _ended = converse(stream, mood, tell).await;
                });
            }
        });
        Self { port, came }
    }
}

async fn converse(
    stream: TcpStream,
    mood: Mood,
    tell: mpsc::UnboundedSender<Vec<String>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    if matches!(mood, Mood::Silent) {
        return lines.next_line().await.map(drop);
    }
    write.write_all(b"220 mail.example ESMTP\r\n").await?;
    let mut said = Vec::new();
    let mut is_text = false;
    while let Some(line) = lines.next_line().await? {
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer = match (is_text, verb.as_str(), mood) {
            (true, _, _) if line != "." => "",
            (true, _, _) => "250 taken\r\n",
            (_, "EHLO", _) => "250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            (_, "AUTH", _) => "235 welcome\r\n",
            (_, "DATA", _) => "354 go on\r\n",
            (_, "RCPT", Mood::NoSuchUser) => "550 5.1.1 no such user\r\n",
            (_, "RCPT", Mood::Full) => "452 4.2.2 the mailbox is full\r\n",
            (_, "QUIT", _) => "221 bye\r\n",
            (_, _, _) => "250 ok\r\n",
        };
        let is_end = is_text && line == ".";
        is_text = (is_text || verb == "DATA") && !is_end;
        said.push(line);
        if is_end {
            // A test need not look at it.
            let _unread = tell.send(std::mem::take(&mut said));
        }
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

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
        },
        ..Outgoing::default()
    }
}

#[tokio::test]
async fn each_event_is_a_message_to_everybody() {
    let mut server = Server::open(Mood::Well).await;
    let mail = Mail::new(options(server.port)).unwrap();
    assert_eq!(
        mail.publish(&[event("evt_1"), event("evt_2")]).await,
        Ok(())
    );
    for id in ["evt_1", "evt_2"] {
        let came = server.came.recv().await.unwrap();
        for line in [
            "MAIL FROM:<shop@shop.example>",
            "RCPT TO:<ann@shop.example>",
            "RCPT TO:<ben@shop.example>",
            "Subject: order.paid: INV-1  Bcc: eve@evil.example",
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
        let server = Server::open(mood).await;
        let mail = Mail::new(options(server.port)).unwrap();
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
    let mut server = Server::open(Mood::Well).await;
    let options = MailOptions {
        security: MailSecurity::StartTls,
        ..options(server.port)
    };
    let failure = Mail::new(options)
        .unwrap()
        .publish(&[event("evt_1")])
        .await
        .unwrap_err();
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");
    assert!(server.came.try_recv().is_err());
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
