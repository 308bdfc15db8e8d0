//! What orders get if they do not say.

use std::time::Duration;

use paywatch_core::{Amount, LatePolicy, MethodKind, Percent, Tolerance, UnknownName};

use crate::config::chain::ChainConfig;
use crate::config::methods;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawOrders;
use crate::config::section::{Section, spoken};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What orders get if they do not say.
#[derive(Clone, Debug)]
pub(crate) struct OrdersConfig {
    /// How long an order may be paid.
    pub default_expiry: Duration,
    /// The longest that an order may ask for.
    pub max_expiry: Duration,
    /// For how long after the deadline money is still in time.
    pub grace: Duration,
    /// What happens with money after that.
    pub late_policy: LatePolicy,
    /// How much less is still enough.
    pub tolerance: Tolerance,
    /// The symbols of the tokens that it may be paid in; all, if not given. The others are
    /// watched as well.
    pub tokens: Option<Vec<String>>,
    /// Less than this is not looked at if no order claims it.
    pub dust: Amount,
    /// The methods by which it may be paid.
    pub methods: Vec<MethodKind>,
}

/// Checks `[orders]`.
pub(crate) fn check(raw: RawOrders, problems: &mut Problems) -> Result<OrdersConfig, Reported> {
    let mut section = Section::new("orders", problems);
    let longest = DAY.saturating_mul(366);
    let allowed = Duration::from_secs(60)..=longest;
    let max_expiry = raw.max_expiry.as_deref();
    let max_expiry = section.duration(
        "max_expiry",
        max_expiry,
        DAY.saturating_mul(30),
        allowed.clone(),
    );
    let default_expiry = raw.default_expiry.as_deref();
    let default_expiry = section.duration("default_expiry", default_expiry, HOUR, allowed);
    let grace = raw.grace.as_deref();
    let grace = section.duration("grace", grace, Duration::ZERO, Duration::ZERO..=DAY);
    let late_policy = match raw.late_payments.as_deref() {
        None => Ok(LatePolicy::Accept),
        Some(name) => name.parse().map_err(|unknown: UnknownName| {
            let UnknownName { what, name, known } = unknown;
            let wrong = format!("\"{name}\" is not a {what}");
            section.wrong("late_payments", wrong, format!("write one of {known}"))
        }),
    };
    let absolute = amount(&mut section, "tolerance", raw.tolerance.as_deref());
    let dust = amount(&mut section, "dust", raw.dust.as_deref());
    let methods = methods::check_methods(&mut section, raw.methods.as_deref());
    let percent = match raw.tolerance_percent.as_deref() {
        None => Ok(Percent::ZERO),
        Some(text) => text.parse().map_err(|cause| {
            let wrong = format!("\"{text}\" is no percentage");
            section.wrong("tolerance_percent", wrong, format!("{cause}"))
        }),
    };
    let (max_expiry, default_expiry) = (max_expiry?, default_expiry?);
    if default_expiry > max_expiry {
        let longest = spoken(max_expiry);
        let wrong = "is longer than orders.max_expiry";
        return Err(section.wrong("default_expiry", wrong, format!("write at most {longest}")));
    }
    Ok(OrdersConfig {
        default_expiry,
        max_expiry,
        grace: grace?,
        late_policy: late_policy?,
        tolerance: Tolerance {
            absolute: absolute?,
            percent: percent?,
        },
        tokens: raw.tokens,
        dust: dust?,
        methods: methods?,
    })
}

/// An amount; nothing, if none is given.
fn amount(section: &mut Section<'_>, key: &str, text: Option<&str>) -> Result<Amount, Reported> {
    let Some(text) = text else {
        return Ok(Amount::ZERO);
    };
    text.parse().map_err(|cause| {
        let wrong = format!("\"{text}\" is no amount ({cause})");
        section.wrong(key, wrong, "write it like \"0.5\"")
    })
}

/// Every symbol in `orders` must be a token of at least one chain.
pub(crate) fn check_tokens(
    orders: &OrdersConfig,
    chains: &[ChainConfig],
    problems: &mut Problems,
) -> Result<(), Reported> {
    let Some(symbols) = &orders.tokens else {
        return Ok(());
    };
    let mut section = Section::new("orders", problems);
    let known = || chains.iter().flat_map(|chain| &chain.tokens);
    let allowed = "name tokens of the configured chains, or leave it out for all of them";
    if symbols.is_empty() {
        return Err(section.wrong("tokens", "names none", allowed));
    }
    match symbols
        .iter()
        .find(|symbol| !known().any(|token| token.symbol.eq_ignore_ascii_case(symbol)))
    {
        Some(symbol) => {
            let wrong = format!("\"{symbol}\" is a token of no configured chain");
            Err(section.wrong("tokens", wrong, allowed))
        },
        None => Ok(()),
    }
}
