//! Which of an order's ways to pay is meant.

use paywatch_core::{MethodKind, Order, PaymentOption};
use utoipa::IntoParams;

use crate::state::Shop;
use crate::wire::address;

/// What is said of the way that is meant. What is not said may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish<'a> {
    /// The chain's name or id.
    pub(crate) chain: Option<&'a str>,
    /// The token's symbol or contract.
    pub(crate) token: Option<&'a str>,
    /// The method's name.
    pub(crate) method: Option<&'a str>,
}

/// How a way is named in a query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct WishParams {
    /// The chain, by name or id
    chain: Option<String>,
    /// The token, by symbol or contract
    token: Option<String>,
    /// `deposit_address`, `exact_amount` or `contract`
    method: Option<String>,
}

impl Wish<'_> {
    /// The way that is meant. Of several, the first that takes no more than a transfer.
    pub(crate) fn find<'o>(&self, order: &'o Order, shop: &Shop) -> Option<&'o PaymentOption> {
        order
            .options
            .iter()
            .filter(|way| self.fits(way, shop))
            .min_by_key(|way| way.method.kind() == MethodKind::Contract)
    }

    /// The way that is meant or, where there is none, the one that comes nearest.
    pub(crate) fn nearest<'o>(self, order: &'o Order, shop: &Shop) -> Option<&'o PaymentOption> {
        let of_the_token = Self {
            method: None,
            ..self
        };
        let on_the_chain = Self {
            token: None,
            ..of_the_token
        };
        let wishes = [self, of_the_token, on_the_chain, Self::default()];
        wishes.iter().find_map(|wish| wish.find(order, shop))
    }

    fn fits(&self, way: &PaymentOption, shop: &Shop) -> bool {
        let chain = way.token.chain_id;
        let contract = address(chain, way.token.address);
        let is_chain = |text: &str| text == shop.name_of(chain) || text == chain.to_string();
        let is_token = |text: &str| {
            text.eq_ignore_ascii_case(&way.token.symbol) || text.eq_ignore_ascii_case(&contract)
        };
        self.chain.is_none_or(is_chain)
            && self.token.is_none_or(is_token)
            && self
                .method
                .is_none_or(|text| text == way.method.kind().name())
    }
}

#[cfg(test)]
mod tests {
    use paywatch_core::{Address, ChainId, OrderId, PaymentMethod, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::orders::callbacks::Callbacks;
    use crate::orders::request;
    use crate::samples::shop;

    /// On `anvil` by a call, then to an address; on `bnb` to an address.
    fn order() -> Order {
        let object = json!({"reference": "INV-1001", "amount": "100"});
        let shop = shop();
        let checked =
            request::read(object.as_object().unwrap(), &shop, &Callbacks::default()).unwrap();
        let id = OrderId::from_bytes([7; 16]);
        let mut order = checked.order(id, Timestamp::EPOCH).unwrap().order;
        let mut call = order.options[0].clone();
        call.method = PaymentMethod::Contract {
            receiver: Address::repeat_byte(9),
        };
        order.options.insert(0, call);
        order
    }

    fn wish<'a>([chain, token, method]: [&'a str; 3]) -> Wish<'a> {
        let said = |text: &'a str| (!text.is_empty()).then_some(text);
        Wish {
            chain: said(chain),
            token: said(token),
            method: said(method),
        }
    }

    #[test]
    fn the_way_that_is_meant_is_found() {
        let order = order();
        let contract = Address::repeat_byte(0x55).to_string();
        for (said, place) in [
            (["", "", ""], Some(1)),
            (["anvil", "", ""], Some(1)),
            (["31337", "usdt", "contract"], Some(0)),
            (["", "", "contract"], Some(0)),
            (["bnb", &contract, "deposit_address"], Some(2)),
            (["56", "", ""], Some(2)),
            (["bnb", "", "contract"], None),
            (["polygon", "", ""], None),
            (["", "DAI", ""], None),
        ] {
            let found = wish(said).find(&order, &shop());
            assert_eq!(
                found,
                place.map(|place: usize| &order.options[place]),
                "{said:?}"
            );
        }
    }

    #[test]
    fn what_is_not_offered_gives_way_from_the_end() {
        let order = order();
        let on = |said| wish(said).nearest(&order, &shop()).unwrap().token.chain_id;
        assert_eq!(on(["bnb", "", "contract"]), ChainId::new(56).unwrap());
        assert_eq!(on(["bnb", "DAI", ""]), ChainId::new(56).unwrap());
        assert_eq!(on(["polygon", "", ""]), ChainId::new(31_337).unwrap());
    }
}
