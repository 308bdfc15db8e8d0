//! Which database: a SQLite file or a PostgreSQL server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Where the database is. It may hold a password, so it shows itself without user and password.
#[derive(Clone)]
pub struct DatabaseUrl(Place);

#[derive(Clone)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server and database, with all its secrets.
    Server(SecretString),
}

/// A text that names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Another scheme, or none.
    #[error(
        "not a database URL; write \"sqlite:<path>\" or \"postgres://<user>@<host>/<database>\""
    )]
    UnknownScheme,
    /// `sqlite:` with nothing behind it.
    #[error("the path of the SQLite file is missing; write \"sqlite:<path>\"")]
    NoPath,
    /// A SQLite database in memory.
    #[error("a database in memory forgets every payment; write \"sqlite:<path>\"")]
    InMemory,
    /// `sqlite:` with parameters.
    #[error("a SQLite path takes no parameters after \"?\"")]
    Parameters,
    /// A `postgres:` URL that is none.
    #[error("not a PostgreSQL URL; write \"postgres://<user>@<host>/<database>\"")]
    Malformed(#[source] url::ParseError),
    /// A `postgres:` URL without a host.
    #[error("the server is missing; write \"postgres://<user>@<host>/<database>\"")]
    NoHost,
}

impl DatabaseUrl {
    pub(crate) const fn place(&self) -> &Place {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    /// Reads `sqlite:path`, `sqlite://path` and `postgres://user:password@host/database`.
    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(DatabaseUrlError::NoPath);
            }
            if path.contains(":memory:") {
                return Err(DatabaseUrlError::InMemory);
            }
            if path.contains('?') {
                return Err(DatabaseUrlError::Parameters);
            }
            return Ok(Self(Place::File(PathBuf::from(path))));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DatabaseUrlError::UnknownScheme);
        }
        let url = Url::parse(text).map_err(DatabaseUrlError::Malformed)?;
        let names_host = url.host_str().is_some_and(|host| !host.is_empty())
            || url.query_pairs().any(|(name, _)| name == "host");
        if !names_host {
            return Err(DatabaseUrlError::NoHost);
        }
        Ok(Self(Place::Server(SecretString::from(text))))
    }
}

impl fmt::Display for DatabaseUrl {
    /// The URL without user, password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::File(path) => write!(f, "sqlite:{}", path.display()),
            Place::Server(url) => match Url::parse(url.expose_secret()) {
                Ok(url) => {
                    let host = url.host_str().unwrap_or_default();
                    let port = url
                        .port()
                        .map(|port| format!(":{port}"))
                        .unwrap_or_default();
                    write!(f, "postgres://{host}{port}{}", url.path())
                },
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The URL under which the SQLite driver opens exactly `path`, whatever characters it holds.
pub(crate) fn sqlite_url(path: &Path, mode: &str) -> String {
    let mut url = String::from("sqlite:");
    for byte in path.as_os_str().as_encoded_bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
        if is_plain {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?mode=");
    url.push_str(mode);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_file_or_a_server() {
        let cases = [
            ("sqlite:paywatch.sqlite", Ok("sqlite:paywatch.sqlite")),
            ("sqlite://paywatch.sqlite", Ok("sqlite:paywatch.sqlite")),
            (
                "sqlite:///var/lib/pay watch/db",
                Ok("sqlite:/var/lib/pay watch/db"),
            ),
            (
                "postgres://db.example/shop",
                Ok("postgres://db.example/shop"),
            ),
            (
                "postgresql://db.example:5433/shop",
                Ok("postgres://db.example:5433/shop"),
            ),
            ("sqlite:", Err(DatabaseUrlError::NoPath)),
            ("sqlite://", Err(DatabaseUrlError::NoPath)),
            ("sqlite::memory:", Err(DatabaseUrlError::InMemory)),
            ("sqlite:a.db?mode=ro", Err(DatabaseUrlError::Parameters)),
            (
                "mysql://db.example/shop",
                Err(DatabaseUrlError::UnknownScheme),
            ),
            ("paywatch.sqlite", Err(DatabaseUrlError::UnknownScheme)),
            ("postgres:///shop", Err(DatabaseUrlError::NoHost)),
            ("", Err(DatabaseUrlError::UnknownScheme)),
        ];
        for (text, expected) in cases {
            let read = text.parse::<DatabaseUrl>().map(|url| url.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let url: DatabaseUrl = "postgres://teller:hunter2@db/shop?password=hunter2"
            .parse()
            .unwrap();
        for shown in [format!("{url}"), format!("{url:?}")] {
            assert!(
                !shown.contains("hunter2") && !shown.contains("teller"),
                "{shown}"
            );
        }
    }
}
