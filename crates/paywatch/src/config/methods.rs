//! By which methods orders may be paid, and how exact amounts are told apart.

use std::time::Duration;

use alloy_primitives::Address;
use paywatch_core::{Amount, MethodKind, SlotTerms, Token, UnknownName};

use crate::config::chain::ChainConfig;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawExactAmount;
use crate::config::section::Section;

/// How far exact amounts are apart if the configuration does not say.
const STEP: &str = "0.0001";
/// The most that is asked above an order's amount if the configuration does not say.
const MAX_SURCHARGE: &str = "0.05";
/// How long an amount stays an order's own after that ended, if the configuration does not say.
const QUARANTINE: Duration = Duration::from_secs(24 * 60 * 60);
/// So many amounts are tried for an order, at most.
const MOST_STEPS: u32 = 100_000;

/// Checks `[exact_amount]`.
pub(crate) fn check_exact(
    raw: &RawExactAmount,
    problems: &mut Problems,
) -> Result<SlotTerms, Reported> {
    let mut section = Section::new("exact_amount", problems);
    let step = amount(&mut section, "step", raw.step.as_deref().unwrap_or(STEP));
    let most = raw.max_surcharge.as_deref().unwrap_or(MAX_SURCHARGE);
    let max_surcharge = amount(&mut section, "max_surcharge", most);
    let longest = Duration::from_secs(366 * 24 * 60 * 60);
    let quarantine = section.duration(
        "quarantine",
        raw.quarantine.as_deref(),
        QUARANTINE,
        Duration::from_secs(60)..=longest,
    );
    let (step, max_surcharge) = (step?, max_surcharge?);
    let quarantine_ms = i64::try_from(quarantine?.as_millis()).unwrap_or(i64::MAX);
    let terms = SlotTerms::new(step, max_surcharge, quarantine_ms)
        .map_err(|cause| section.wrong("step", cause.to_string(), "write it like \"0.0001\""))?;
    let reach = (0..MOST_STEPS).try_fold(Amount::ZERO, |sum, _| {
        sum.checked_add(step).filter(|sum| *sum < max_surcharge)
    });
    if reach.is_some() {
        let wrong = format!("{max_surcharge} is more than {MOST_STEPS} steps");
        let allowed = "choose a larger step, or a smaller surcharge";
        return Err(section.wrong("max_surcharge", wrong, allowed));
    }
    Ok(terms)
}

fn amount(section: &mut Section<'_>, key: &str, text: &str) -> Result<Amount, Reported> {
    text.parse().map_err(|cause| {
        let wrong = format!("\"{text}\" is no amount ({cause})");
        section.wrong(key, wrong, "write it like \"0.0001\"")
    })
}

/// The methods of orders that do not say, in the order in which they are offered.
pub(crate) fn check_methods(
    section: &mut Section<'_>,
    names: Option<&[String]>,
) -> Result<Vec<MethodKind>, Reported> {
    let Some(names) = names else {
        return Ok(vec![MethodKind::DepositAddress]);
    };
    let mut methods: Vec<MethodKind> = Vec::with_capacity(names.len());
    for name in names {
        let method = name.parse().map_err(|unknown: UnknownName| {
            let allowed = format!("write one or several of {}", unknown.known);
            section.wrong("methods", format!("\"{name}\" is no method"), allowed)
        })?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    if methods.is_empty() {
        let allowed = "name one or several, or leave it out for deposit_address";
        return Err(section.wrong("methods", "names none", allowed));
    }
    Ok(methods)
}

/// The wallets of a chain. What is paid to a token's own contract would be lost; what is forwarded
/// to the treasury must not be taken for a payment.
pub(crate) fn check_wallets(
    section: &mut Section<'_>,
    given: &[String],
    tokens: &[Token],
    not: &[Address],
) -> Result<Vec<Address>, Reported> {
    let mut wallets: Vec<Address> = Vec::with_capacity(given.len());
    for text in given {
        let wallet = section.address("wallets", text)?;
        let allowed = "name wallets that you control on this chain and use for nothing else";
        if tokens.iter().any(|token| token.address == wallet) {
            return Err(section.wrong("wallets", format!("{text} is a token's contract"), allowed));
        }
        if not.contains(&wallet) {
            let wrong = format!("{text} is the treasury or a contract of paywatch");
            return Err(section.wrong("wallets", wrong, allowed));
        }
        if wallets.contains(&wallet) {
            return Err(section.wrong("wallets", format!("{text} is named twice"), allowed));
        }
        wallets.push(wallet);
    }
    Ok(wallets)
}

/// Exact amounts must be payable in every token of every chain that has wallets.
pub(crate) fn check_steps(
    terms: &SlotTerms,
    chains: &[ChainConfig],
    problems: &mut Problems,
) -> Result<(), Reported> {
    for chain in chains.iter().filter(|chain| !chain.wallets.is_empty()) {
        for token in &chain.tokens {
            if let Err(cause) = terms.step().to_base_units(token.decimals) {
                let wrong = format!("{cause} ({} on {})", token.symbol, chain.name);
                let mut section = Section::new("exact_amount", problems);
                return Err(section.wrong("step", wrong, "choose a larger step"));
            }
        }
    }
    Ok(())
}
