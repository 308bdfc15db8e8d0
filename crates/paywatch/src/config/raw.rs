//! The configuration as it is written: every key optional, nothing checked.

mod sinks;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

pub(crate) use crate::config::raw::sinks::{RawEmail, RawKafka, RawMessage, RawNats};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Raw {
    pub database: RawDatabase,
    pub api: RawApi,
    pub orders: RawOrders,
    pub exact_amount: RawExactAmount,
    pub checkout: RawCheckout,
    pub webhooks: RawWebhooks,
    pub epusdt: Option<RawEpusdt>,
    pub nats: Option<RawNats>,
    pub kafka: Option<RawKafka>,
    pub email: Option<RawEmail>,
    pub messages: BTreeMap<String, RawMessage>,
    pub treasury: RawTreasury,
    pub audit: RawAudit,
    pub log: RawLog,
    pub chains: BTreeMap<String, RawChain>,
}

/// `[database]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawDatabase {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
}

/// `[api]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawApi {
    pub listen: Option<String>,
    pub body_limit: Option<usize>,
    pub trusted_proxies: Option<Vec<String>>,
    pub signature_window: Option<String>,
    pub limits: RawLimits,
}

/// `[api.limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLimits {
    pub per_minute: Option<u32>,
    pub burst: Option<u32>,
    pub block_after: Option<u32>,
    pub block_for: Option<String>,
    pub streams: Option<usize>,
    pub all_streams: Option<usize>,
    pub connections: Option<usize>,
    pub header_timeout: Option<String>,
    pub body_timeout: Option<String>,
    pub write_timeout: Option<String>,
    pub header_bytes: Option<usize>,
    pub headers: Option<usize>,
}

/// `[orders]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawOrders {
    pub default_expiry: Option<String>,
    pub max_expiry: Option<String>,
    pub grace: Option<String>,
    pub late_payments: Option<String>,
    pub tolerance: Option<String>,
    pub tolerance_percent: Option<String>,
    pub tokens: Option<Vec<String>>,
    pub dust: Option<String>,
    pub methods: Option<Vec<String>>,
}

/// `[exact_amount]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawExactAmount {
    pub step: Option<String>,
    pub max_surcharge: Option<String>,
    pub quarantine: Option<String>,
}

/// `[checkout]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawCheckout {
    pub enabled: Option<bool>,
    pub public_url: Option<SecretString>,
    pub merchant_name: Option<String>,
}

/// `[epusdt]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawEpusdt {
    pub token: Option<SecretString>,
    pub token_file: Option<PathBuf>,
    pub rate: Option<String>,
    pub currency: Option<String>,
    pub default_trade_type: Option<String>,
    pub trade_types: BTreeMap<String, RawTradeType>,
}

/// A way to pay by its name in `[epusdt]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTradeType {
    pub chain: String,
    pub token: Option<String>,
}

/// `[webhooks]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawWebhooks {
    pub allow_http: Option<bool>,
    pub allow: Option<Vec<String>>,
    pub ports: Option<Vec<u16>>,
    pub proxy: Option<SecretString>,
    pub timeout: Option<String>,
    pub at_once: Option<usize>,
    pub retries: Option<Vec<String>>,
    pub alert_after: Option<String>,
    pub keep: Option<String>,
    pub callbacks: Option<bool>,
}

/// `[treasury]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawTreasury {
    pub address: Option<String>,
    pub watch: Option<bool>,
}

/// `[audit]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAudit {
    pub every: Option<String>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLog {
    pub format: Option<String>,
    pub filter: Option<String>,
}

/// `[chains.NAME]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawChain {
    pub id: Option<u64>,
    pub http: Option<SecretString>,
    pub http_file: Option<PathBuf>,
    pub ws: Option<SecretString>,
    pub ws_file: Option<PathBuf>,
    pub tokens: Option<Vec<RawToken>>,
    pub treasury: Option<String>,
    pub factory: Option<String>,
    pub receiver: Option<String>,
    pub wallets: Option<Vec<String>>,
    pub endpoints: Option<Vec<RawEndpoint>>,
    pub requests_per_second: Option<u32>,
    pub agreement: Option<usize>,
    pub genesis: Option<String>,
    pub confirmations: Option<u32>,
    pub tag: Option<String>,
    pub tiers: Option<Vec<RawTier>>,
    pub proof: Option<String>,
    pub blooms: Option<bool>,
    pub start_block: Option<u64>,
    pub poll_interval: Option<String>,
    pub request_timeout: Option<String>,
    pub window: Option<usize>,
    pub near: Option<u64>,
    pub max_range: Option<u64>,
    pub ranges_at_once: Option<usize>,
    pub filter_up_to: Option<usize>,
    pub stall_after: Option<String>,
    pub look_alikes: Option<String>,
}

/// One of a chain's `endpoints`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawEndpoint {
    pub name: Option<String>,
    pub http: Option<SecretString>,
    pub http_file: Option<PathBuf>,
    pub ws: Option<SecretString>,
    pub ws_file: Option<PathBuf>,
    pub priority: Option<u32>,
    pub requests_per_second: Option<u32>,
    pub at_once: Option<usize>,
}

impl RawEndpoint {
    /// Whether it says where the endpoint is.
    pub(crate) const fn has_url(&self) -> bool {
        self.http.is_some()
            || self.http_file.is_some()
            || self.ws.is_some()
            || self.ws_file.is_some()
    }
}

/// One of a chain's `tiers`: the rule for orders up to an amount.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTier {
    pub up_to: String,
    pub confirmations: u32,
    #[serde(default)]
    pub tag: Option<String>,
}

/// One of a chain's `tokens`: a built-in one by its symbol, or all about it.
#[derive(Debug)]
pub(crate) enum RawToken {
    BuiltIn(String),
    Given(GivenToken),
}

/// A token that is written out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenToken {
    pub symbol: String,
    pub address: String,
    pub decimals: u8,
}

impl<'de> Deserialize<'de> for RawToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherForm;

        impl<'de> Visitor<'de> for EitherForm {
            type Value = RawToken;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a symbol or { symbol, address, decimals }")
            }

            fn visit_str<E: Error>(self, symbol: &str) -> Result<RawToken, E> {
                Ok(RawToken::BuiltIn(symbol.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<RawToken, M::Error> {
                GivenToken::deserialize(MapAccessDeserializer::new(map)).map(RawToken::Given)
            }
        }

        deserializer.deserialize_any(EitherForm)
    }
}
