//! The tokens that count.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use paywatch_core::ChainId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::parameters::{chain, read_each, unknown};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::{ApiState, Shop};
use crate::wire::TokenView;

/// The tokens that count, by chain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// The tokens.
    data: Vec<TokenOfChain>,
}

/// A token, and where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenOfChain {
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    #[serde(flatten)]
    token: TokenView,
}

/// Which are asked for.
#[derive(Debug, Default)]
struct Asked {
    chain: Option<ChainId>,
    symbol: Option<String>,
}

/// List the tokens
///
/// In what you can be paid, by chain. The contract is what makes a token: many are called the same.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "list_tokens", tag = "chains", security(("api_key" = [])),
    params(
        ("chain" = Option<String>, Query, description = "On this chain, by name or id"),
        ("symbol" = Option<String>, Query, description = "That people call so", example = "USDT"),
    ),
    responses(
        (status = 200, description = "All configured tokens that were asked for", body = TokenList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<TokenList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = read(&pairs, &state.shop).map_err(Problem::fields)?;
    let mut data = Vec::new();
    for chain in &state.shop.chains {
        if asked.chain.is_some_and(|asked| asked != chain.id) {
            continue;
        }
        let is_asked = |symbol: &str| asked.symbol.as_ref().is_none_or(|asked| asked == symbol);
        let tokens = chain.tokens.iter().filter(|token| is_asked(&token.symbol));
        data.extend(tokens.map(|token| TokenOfChain {
            chain_id: chain.id.get(),
            chain: chain.name.clone(),
            token: token.into(),
        }));
    }
    Ok(Json(TokenList { data }))
}

fn read(pairs: &[(String, String)], shop: &Shop) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked::default();
    read_each(pairs, &[], |name, value| {
        match name {
            "chain" => asked.chain = Some(chain(name, value, shop)?),
            "symbol" => asked.symbol = Some(value.to_owned()),
            _unknown => return Err(unknown(name, &["chain", "symbol"])),
        }
        Ok(())
    })?;
    Ok(asked)
}
