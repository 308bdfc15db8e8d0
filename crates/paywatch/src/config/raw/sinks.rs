//! The sections of buses and of people, as they are written.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// `[nats]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawNats {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
    pub subject: Option<String>,
    pub stream: Option<String>,
    pub token: Option<SecretString>,
    pub token_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    pub timeout: Option<String>,
    pub types: Option<Vec<String>>,
}

/// `[kafka]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawKafka {
    pub brokers: Option<Vec<String>>,
    pub topic: Option<String>,
    pub security: Option<String>,
    pub mechanism: Option<String>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    pub timeout: Option<String>,
    pub types: Option<Vec<String>>,
}

/// `[email]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawEmail {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub security: Option<String>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    pub from: Option<String>,
    pub to: Option<Vec<String>>,
    pub subject: Option<String>,
    pub text: Option<String>,
    pub timeout: Option<String>,
    pub types: Option<Vec<String>>,
}

/// `[messages.NAME]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawMessage {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
    pub body: Option<String>,
    pub types: Option<Vec<String>>,
}
