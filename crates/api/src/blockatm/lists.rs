//! What is taken, and where: chains, tokens, and the contract that orders are paid through.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use serde::Serialize;

use crate::blockatm::caller::{Signed, check};
use crate::blockatm::envelope::{Reason, Refusal};
use crate::blockatm::query::pairs;
use crate::state::ApiState;
use crate::wire::address;

/// A chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Network {
    chain_id: String,
    network: String,
}

/// A token on a chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Currency {
    symbol: String,
    chain_id: String,
    network: String,
    contract_address: String,
    decimals: String,
}

/// A payment receiver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contract {
    chain_id: String,
    network: String,
    contract_address: String,
}

/// The chains on which money is taken. Needs no key.
pub(super) async fn networks(State(state): State<ApiState>) -> Json<Vec<Network>> {
    let networks = state.shop.chains.iter().map(|chain| Network {
        chain_id: chain.id.to_string(),
        network: chain.name.clone(),
    });
    Json(networks.collect())
}

/// The tokens that are taken. Needs no key.
pub(super) async fn currencies(State(state): State<ApiState>) -> Json<Vec<Currency>> {
    let chains = state.shop.chains.iter();
    let currencies = chains.flat_map(|chain| {
        chain.tokens.iter().map(|token| Currency {
            symbol: token.symbol.clone(),
            chain_id: chain.id.to_string(),
            network: chain.name.clone(),
            contract_address: address(chain.id, token.address),
            decimals: token.decimals.get().to_string(),
        })
    });
    Json(currencies.collect())
}

/// The contract that collects payments on a chain.
pub(super) async fn contract(
    State(state): State<ApiState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Contract>, Refusal> {
    let query = query.unwrap_or_default();
    check(&state, &headers, Signed::Query(&query)).await?;
    let pairs = pairs(&query);
    let chain_id = pairs.iter().find(|(name, _)| name == "chainId");
    let (_, chain_id) = chain_id.ok_or_else(|| Refusal::missing("chainId"))?;
    let chain = state.shop.chain(chain_id).ok_or_else(|| {
        let detail = state.shop.not_configured(chain_id);
        Refusal::because(Reason::DoesNotExist, format!("chainId: {detail}"))
    })?;
    let receiver = chain.receiver.ok_or_else(|| {
        let detail = format!("{} has no payment receiver configured", chain.name);
        Refusal::because(Reason::DoesNotExist, detail)
    })?;
    Ok(Json(Contract {
        chain_id: chain.id.to_string(),
        network: chain.name.clone(),
        contract_address: address(chain.id, receiver),
    }))
}
