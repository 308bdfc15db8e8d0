//! The route that shop plugins for epusdt call: it makes an ordinary order, of whose completion the shop is
//! told at the URL that it names. Off unless it is configured, since MD5 is all that signs there.
//!
//! Amounts are in the shop's own currency and become tokens at a configured price.

mod answer;
mod create;
mod parameters;
mod telling;

use std::collections::BTreeMap;
use std::fmt;

use axum::Router;
use axum::routing::post;
use paywatch_core::{Amount, Decimals};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

pub(crate) use crate::epusdt::answer::in_its_words;
use crate::epusdt::parameters::Parameters;
pub(crate) use crate::epusdt::telling::telling;
use crate::state::ApiState;

/// Decimals of the amounts that are asked: payers type them.
const DECIMALS: u8 = 4;

/// How plugins for epusdt are served.
#[derive(Clone)]
pub struct Epusdt {
    /// What signs, on both sides.
    token: SecretString,
    /// What a token costs in the shop's currency.
    price: Amount,
    /// The currency, if requests that name another are to be refused.
    currency: Option<String>,
    /// Ways to pay by the names that plugins have for them: chain and token.
    ways: BTreeMap<String, (String, String)>,
    /// The name of that which is meant if a plugin names none.
    usual: String,
}

/// Why plugins for epusdt cannot be served so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EpusdtError {
    /// Everything would cost nothing.
    #[error("a token costs something: write what it costs in the shop's currency, such as \"7.2\"")]
    NoPrice,
    /// There is no such way to pay.
    #[error("{name:?} is none of trade_types; known are {known}")]
    UnknownWay {
        /// What was named.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Epusdt {
    /// Plugins share `token`; of the shop's `currency`, `price` is paid for a token. Of `ways`, names to
    /// chain and token, `usual` is meant if a plugin names none.
    ///
    /// # Errors
    /// When the price is nothing, or `usual` is no name of `ways`.
    pub fn new(
        token: SecretString,
        (price, currency): (Amount, Option<String>),
        ways: BTreeMap<String, (String, String)>,
        usual: String,
    ) -> Result<Self, EpusdtError> {
        if price.is_zero() {
            return Err(EpusdtError::NoPrice);
        }
        if !ways.contains_key(&usual) {
            return Err(EpusdtError::UnknownWay {
                name: usual,
                known: names(&ways),
            });
        }
        Ok(Self {
            token,
            price,
            currency,
            ways,
            usual,
        })
    }

    /// What signs, on both sides.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// Whether who knows the token has signed `parameters`, with numbers as they were sent or in their
    /// shortest form: plugins differ.
    fn has_signed(&self, parameters: &Parameters) -> bool {
        let given = parameters.signature().to_ascii_lowercase();
        parameters.signed_texts().iter().any(|text| {
            let expected = signature(text, &self.token);
            bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
        })
    }

    /// How many tokens `amount` of the shop's currency is.
    fn tokens(&self, amount: Amount) -> Option<Amount> {
        amount.bought_at(self.price, Decimals::new(DECIMALS).ok()?)
    }

    /// Chain and token by the plugin's name for them.
    fn way(&self, name: Option<&str>) -> Result<&(String, String), EpusdtError> {
        let name = name.unwrap_or(&self.usual);
        self.ways.get(name).ok_or_else(|| EpusdtError::UnknownWay {
            name: name.to_owned(),
            known: names(&self.ways),
        })
    }
}

/// What is charged and how it is paid.
impl fmt::Display for Epusdt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let currency = self.currency.as_deref().unwrap_or("of the shop's currency");
        write!(
            f,
            "{} {currency} a token, paid by {}",
            self.price,
            names(&self.ways)
        )
    }
}

impl fmt::Debug for Epusdt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epusdt")
            .field("price", &self.price)
            .field("ways", &self.ways)
            .finish_non_exhaustive()
    }
}

fn names(ways: &BTreeMap<String, (String, String)>) -> String {
    let names: Vec<&str> = ways.keys().map(String::as_str).collect();
    names.join(", ")
}

/// MD5 over `text` with the token behind it, in hex.
fn signature(text: &str, token: &SecretString) -> String {
    use md5::{Digest as _, Md5};
    let mut hash = Md5::new();
    hash.update(text);
    hash.update(token.expose_secret());
    hex::encode(hash.finalize())
}

/// The routes.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/api/v1/order/create-transaction", post(create::create))
}
