//! When a payment on a chain is confirmed: by its own rule, and by tiers for smaller orders.

use paywatch_core::{Amount, FinalityPolicy, FinalityRule, FinalityTag, Proof, UnknownName};

use crate::config::problem::Reported;
use crate::config::raw::{RawChain, RawTier};
use crate::config::section::Section;
use crate::registry::KnownChain;

const BLOCKS: &str = "how many blocks make a payment final, its own included: 1 to 100000";
const TAGS: &str = "write \"safe\", \"finalized\" or \"none\"";

/// Checks the rules of a chain, which must also have shown `proof` of each payment.
pub(crate) fn check(
    section: &mut Section<'_>,
    raw: &RawChain,
    known: Option<&KnownChain>,
    proof: Proof,
) -> Result<FinalityPolicy, Reported> {
    let default = known.map(|chain| &chain.finality);
    let confirmations = raw
        .confirmations
        .or_else(|| default.map(|rule| rule.confirmations));
    let Some(confirmations) = confirmations else {
        return Err(section.wrong("confirmations", "is missing", BLOCKS));
    };
    let above = rule(section, "confirmations", confirmations)?;
    let tag = match raw.tag.as_deref() {
        None => default.and_then(|rule| rule.tag),
        Some(name) => tag(section, "tag", name)?,
    };
    let complete = |rule: FinalityRule, tag: Option<FinalityTag>| {
        let proved = rule.and_proof(proof);
        tag.map_or(proved, |tag| proved.and_tag(tag))
    };
    let mut tiers = Vec::new();
    for (index, tier) in raw.tiers.iter().flatten().enumerate() {
        let (up_to, rule, tag) = check_tier(section, index, tier)?;
        tiers.push((up_to, complete(rule, tag)));
    }
    FinalityPolicy::tiered(tiers, complete(above, tag)).map_err(|cause| {
        let allowed = "list them by up_to, the smallest first";
        section.wrong("tiers", cause.to_string(), allowed)
    })
}

fn check_tier(
    section: &mut Section<'_>,
    index: usize,
    tier: &RawTier,
) -> Result<(Amount, FinalityRule, Option<FinalityTag>), Reported> {
    let key = |field: &str| format!("tiers.{index}.{field}");
    let up_to = tier.up_to.parse::<Amount>();
    let up_to = up_to.map_err(|cause| {
        let wrong = format!("\"{}\" is not an amount ({cause})", tier.up_to);
        section.wrong(&key("up_to"), wrong, "write it like \"100\" or \"99.5\"")
    })?;
    let rule = rule(section, &key("confirmations"), tier.confirmations)?;
    let tag = match tier.tag.as_deref() {
        None => None,
        Some(name) => tag(section, &key("tag"), name)?,
    };
    Ok((up_to, rule, tag))
}

fn rule(
    section: &mut Section<'_>,
    key: &str,
    confirmations: u32,
) -> Result<FinalityRule, Reported> {
    if confirmations > 100_000 {
        return Err(section.wrong(key, "is out of range", BLOCKS));
    }
    FinalityRule::confirmations(confirmations)
        .map_err(|cause| section.wrong(key, cause.to_string(), BLOCKS))
}

fn tag(section: &mut Section<'_>, key: &str, name: &str) -> Result<Option<FinalityTag>, Reported> {
    if name == "none" {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|unknown: UnknownName| {
        let wrong = format!("\"{}\" is not a tag", unknown.name);
        section.wrong(key, wrong, TAGS)
    })
}

/// Checks what a payment on the chain must have shown.
pub(crate) fn check_proof(
    section: &mut Section<'_>,
    raw: &RawChain,
    known: Option<&KnownChain>,
) -> Result<Proof, Reported> {
    let default = known.map_or(Proof::ReceiptsRoot, |chain| chain.proof);
    match raw.proof.as_deref() {
        None => Ok(default),
        Some(name) => name.parse().map_err(|unknown: UnknownName| {
            let wrong = format!("\"{}\" is not a proof", unknown.name);
            let allowed = "write \"receipts_root\", or \"none\" where the chain cannot give it";
            section.wrong("proof", wrong, allowed)
        }),
    }
}
