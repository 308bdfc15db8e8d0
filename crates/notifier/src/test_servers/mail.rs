//! A server that speaks enough SMTP.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How the server treats those who send.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// It takes what comes.
    Well,
    /// It knows nobody by this name.
    NoSuchUser,
    /// It is full, for a while.
    Full,
    /// It says nothing.
    Silent,
}

/// A mail server and what came to it. It ends with the test.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    came: mpsc::UnboundedReceiver<Vec<String>>,
}

impl MailServer {
    /// Opens one without TLS, for whoever names any user and password.
    pub async fn open(mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, came) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    // A client that hangs up ends the conversation, too.
                    let _ended = converse(stream, mood, tell).await;
                });
            }
        });
        Self { port, came }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The next mail: the lines of the conversation in which it came.
    pub async fn mail(&mut self) -> Vec<String> {
        self.came.recv().await.expect("the server is open")
    }

    /// Whether no mail has come that nobody looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.came.is_empty()
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
