//! How shop plugins for epusdt are served.

use std::collections::BTreeMap;

use paywatch_api::Epusdt;
use paywatch_core::Amount;
use secrecy::ExposeSecret as _;

use crate::config::chain::ChainConfig;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::{RawEpusdt, RawTradeType};
use crate::config::section::Section;
use crate::config::webhooks::WebhooksConfig;

/// Shorter tokens can be guessed from what they sign.
const SHORTEST_TOKEN: usize = 16;
/// The token that is meant where a way to pay names none.
const USUAL_TOKEN: &str = "USDT";

/// Checks `[epusdt]`; `None` if there is none.
pub(crate) fn check(
    raw: Option<RawEpusdt>,
    webhooks: &WebhooksConfig,
    chains: &[ChainConfig],
    problems: &mut Problems,
) -> Result<Option<Epusdt>, Reported> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let mut section = Section::new("epusdt", problems);
    if !webhooks.callbacks {
        let wrong = "tells shops at URLs that their orders name, which is off";
        return Err(section.wrong("token", wrong, "set callbacks = true in [webhooks]"));
    }
    let token = section.secret("token", raw.token, raw.token_file);
    let rate = check_rate(&mut section, raw.rate.as_deref());
    let ways = check_ways(&mut section, &raw.trade_types, chains);
    let allowed = format!(
        "give the secret that your plugin shares, of at least {SHORTEST_TOKEN} characters, in \
         token_file"
    );
    let token = match token? {
        None => return Err(section.wrong("token", "is missing", allowed)),
        Some(token) if token.expose_secret().chars().count() < SHORTEST_TOKEN => {
            return Err(section.wrong("token", "is too short", allowed));
        },
        Some(token) => token,
    };
    let (rate, ways) = (rate?, ways?);
    let usual = raw.default_trade_type.unwrap_or_default();
    Epusdt::new(token, (rate, raw.currency), ways, usual)
        .map(Some)
        .map_err(|error| {
            let allowed = "name the one that is meant if a plugin names none";
            section.wrong("default_trade_type", error.to_string(), allowed)
        })
}

fn check_rate(section: &mut Section<'_>, given: Option<&str>) -> Result<Amount, Reported> {
    let allowed = "write what a token costs in the shop's currency, such as \"7.2\"; \"1\" if its \
                   prices are in the token";
    let Some(text) = given else {
        return Err(section.wrong("rate", "is missing", allowed));
    };
    match text.parse::<Amount>() {
        Ok(rate) if !rate.is_zero() => Ok(rate),
        Ok(_) => Err(section.wrong("rate", "is nothing", allowed)),
        Err(cause) => Err(section.wrong("rate", format!("is {cause}"), allowed)),
    }
}

fn check_ways(
    section: &mut Section<'_>,
    given: &BTreeMap<String, RawTradeType>,
    chains: &[ChainConfig],
) -> Result<BTreeMap<String, (String, String)>, Reported> {
    let allowed = "write it like { \"usdt.polygon\" = { chain = \"polygon\", token = \"USDT\" } }, with \
                   configured chains and tokens";
    if given.is_empty() {
        return Err(section.wrong("trade_types", "names no way to pay", allowed));
    }
    let mut ways = BTreeMap::new();
    for (name, RawTradeType { chain, token }) in given {
        let token = token.as_deref().unwrap_or(USUAL_TOKEN);
        let known = chains.iter().find(|known| known.name == *chain);
        let Some(known) = known else {
            let wrong = format!("{name:?}: \"{chain}\" is no configured chain");
            return Err(section.wrong("trade_types", wrong, allowed));
        };
        if !known.tokens.iter().any(|known| known.symbol == token) {
            let wrong = format!("{name:?}: {token} is no token of {chain}");
            return Err(section.wrong("trade_types", wrong, allowed));
        }
        ways.insert(name.clone(), (chain.clone(), token.to_owned()));
    }
    Ok(ways)
}
