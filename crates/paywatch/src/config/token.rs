//! Which tokens of a chain are accepted: built-in ones by symbol, others written out.

use paywatch_core::{ChainId, Decimals, Token};

use crate::config::problem::Reported;
use crate::config::raw::{GivenToken, RawToken};
use crate::config::section::Section;
use crate::registry::{self, KnownToken};

/// The tokens that `raw` names; without it, all that are built in for the chain.
pub(crate) fn check(
    section: &mut Section<'_>,
    chain_id: ChainId,
    raw: Option<Vec<RawToken>>,
) -> Result<Vec<Token>, Reported> {
    let known: Vec<&KnownToken> = registry::tokens_of(chain_id.get()).collect();
    let tokens: Vec<Token> = match raw {
        Some(raw) => {
            let checked: Vec<_> = raw
                .into_iter()
                .enumerate()
                .map(|(index, token)| one(section, &format!("tokens.{index}"), chain_id, token))
                .collect();
            checked.into_iter().collect::<Result<_, _>>()?
        },
        None => known
            .into_iter()
            .map(|token| built_in(section, chain_id, token))
            .collect::<Result<_, _>>()?,
    };
    if tokens.is_empty() {
        let allowed =
            "name at least one, such as { symbol = \"USDT\", address = \"0x…\", decimals = 6 }";
        return Err(section.wrong("tokens", "are missing", allowed));
    }
    for (index, token) in tokens.iter().enumerate() {
        let is_repeated = tokens
            .iter()
            .take(index)
            .any(|other| other.address == token.address);
        if is_repeated {
            let wrong = format!("{} is named twice", token.address);
            return Err(section.wrong(&format!("tokens.{index}"), wrong, "name each token once"));
        }
    }
    Ok(tokens)
}

fn one(
    section: &mut Section<'_>,
    key: &str,
    chain_id: ChainId,
    raw: RawToken,
) -> Result<Token, Reported> {
    match raw {
        RawToken::BuiltIn(symbol) => {
            let known: Vec<_> = registry::tokens_of(chain_id.get()).collect();
            if let Some(token) = known
                .iter()
                .find(|t| t.symbol.eq_ignore_ascii_case(&symbol))
            {
                return built_in(section, chain_id, token);
            }
            let symbols: Vec<_> = known.iter().map(|token| token.symbol).collect();
            let built_in = match symbols.as_slice() {
                [] => "none is built in for this chain".to_owned(),
                symbols => format!("built in for this chain: {}", symbols.join(", ")),
            };
            let allowed = format!("{built_in}; others need symbol, address and decimals");
            Err(section.wrong(key, format!("\"{symbol}\" is not known"), allowed))
        },
        RawToken::Given(token) => given(section, key, chain_id, token),
    }
}

fn given(
    section: &mut Section<'_>,
    key: &str,
    chain_id: ChainId,
    raw: GivenToken,
) -> Result<Token, Reported> {
    let symbol = if is_symbol(&raw.symbol) {
        Ok(raw.symbol)
    } else {
        let wrong = format!("{:?} is not a symbol", raw.symbol);
        Err(section.wrong(
            &format!("{key}.symbol"),
            wrong,
            "write 1 to 16 letters, digits or dots",
        ))
    };
    let address = section.address(&format!("{key}.address"), &raw.address);
    let decimals = Decimals::new(raw.decimals).map_err(|cause| {
        section.wrong(
            &format!("{key}.decimals"),
            cause.to_string(),
            "ask the contract's decimals()",
        )
    });
    Ok(Token {
        chain_id,
        address: address?,
        symbol: symbol?,
        decimals: decimals?,
    })
}

fn is_symbol(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

fn built_in(
    section: &mut Section<'_>,
    chain_id: ChainId,
    known: &KnownToken,
) -> Result<Token, Reported> {
    let decimals = Decimals::new(known.decimals)
        .map_err(|cause| section.wrong("tokens", cause.to_string(), "write the token out"))?;
    Ok(Token {
        chain_id,
        address: known.address,
        symbol: known.symbol.to_owned(),
        decimals,
    })
}
