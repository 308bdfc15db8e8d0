//! An event in words for people, out of what programs get.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sink::Words;

/// How chains and tokens are called, which not every event says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Chains by their ids.
    pub chains: BTreeMap<u64, String>,
    /// The symbols of tokens by their chains' ids and their addresses, as the API writes them.
    pub tokens: BTreeMap<(u64, String), String>,
}

impl Names {
    /// What an event of this `kind` is about, and itself in words. What cannot be read is left out: it is
    /// sent all the same.
    pub(crate) fn read(&self, kind: &str, body: &str) -> (String, Words) {
        let event: Value = serde_json::from_str(body).unwrap_or_default();
        let data = at(&event, "data");
        let part = |name: &str| Some(at(data, name)).filter(|part| part.is_object());
        let (order, payment) = (part("order"), part("payment"));
        let (chain, endpoint) = (part("chain"), part("endpoint"));
        let ids = [order, payment, endpoint].into_iter().flatten();
        let key = ids.map(|part| text(part, "id")).next();
        let key = key.or_else(|| Some(at(chain?, "chain_id").to_string()));
        let amount = payment.map(|payment| self.amount_of_payment(payment));
        let detail = match (payment, order, chain, endpoint) {
            (Some(payment), ..) => self.payment(payment),
            (None, Some(order), ..) => of_order(order),
            (None, None, Some(chain), _) => {
                format!("{}: {}", text(chain, "chain"), text(chain, "detail"))
            },
            (None, None, None, Some(endpoint)) => text(endpoint, "detail"),
            (None, None, None, None) => String::new(),
        };
        let words = Words {
            reference: order.map_or_else(String::new, |order| text(order, "reference")),
            amount: amount.or_else(|| order.map(asked)).unwrap_or_default(),
            detail,
            advice: advice(kind).to_owned(),
        };
        (key.unwrap_or_default(), words)
    }

    fn amount_of_payment(&self, payment: &Value) -> String {
        let chain = at(payment, "chain_id").as_u64().unwrap_or_default();
        let symbol = self.tokens.get(&(chain, text(payment, "token")));
        let symbol = symbol.map(String::as_str).unwrap_or_default();
        with_symbol(&text(payment, "amount"), symbol)
    }

    fn payment(&self, payment: &Value) -> String {
        let id = at(payment, "chain_id").as_u64().unwrap_or_default();
        let chain = self.chains.get(&id).cloned();
        let chain = chain.unwrap_or_else(|| format!("chain {id}"));
        format!(
            "{} from {} to {} on {chain}, transaction {}, payment {}",
            self.amount_of_payment(payment),
            text(payment, "from"),
            text(payment, "to"),
            text(payment, "tx_hash"),
            text(payment, "id"),
        )
    }
}

/// The member of this name, or null.
fn at<'a>(part: &'a Value, name: &str) -> &'a Value {
    part.get(name).unwrap_or(&Value::Null)
}

fn text(part: &Value, name: &str) -> String {
    at(part, name).as_str().unwrap_or_default().to_owned()
}

/// An amount and, if it is known, of what.
fn with_symbol(amount: &str, symbol: &str) -> String {
    format!("{amount} {symbol}").trim_end().to_owned()
}

/// What an order asks for. If it may be paid in several tokens, they are all named.
fn asked(order: &Value) -> String {
    let options = at(order, "options").as_array();
    let symbols: BTreeSet<String> = options
        .into_iter()
        .flatten()
        .map(|option| text(at(option, "token"), "symbol"))
        .collect();
    let symbols: Vec<String> = symbols.into_iter().collect();
    with_symbol(&text(order, "amount"), &symbols.join("/"))
}

fn of_order(order: &Value) -> String {
    let flags = at(order, "flags").as_array().into_iter().flatten();
    let flags: Vec<&str> = flags.filter_map(Value::as_str).collect();
    let flags = if flags.is_empty() {
        String::new()
    } else {
        format!(" ({})", flags.join(", "))
    };
    format!(
        "{} of {} received, {} confirmed, {} remaining: {}{flags}, order {}",
        text(order, "received"),
        asked(order),
        text(order, "confirmed"),
        text(order, "remaining"),
        text(order, "status").replace('_', " "),
        text(order, "id"),
    )
}

/// What a person can do about an event of this kind.
fn advice(kind: &str) -> &'static str {
    match kind {
        "payment.unmatched" => {
            "No order claims this money. Give it to one (paywatch payment assign), send it back, or leave it alone (paywatch payment write-off)."
        },
        "payment.wrong_asset" => {
            "This order does not take that token or that chain, so it does not count. Send it back, or accept the order as it is (paywatch order accept)."
        },
        "order.late_payment" => {
            "Money came after the deadline. If late payments are held, accept it (paywatch order accept) or send it back."
        },
        "order.reverted" => {
            "Money that had counted left its chain, or was taken away. Do not ship before the order is completed."
        },
        "chain.stalled" => {
            "Nothing is lost: it is read on from where it was. Look at the nodes of this chain."
        },
        "chain.finality_stalled" => {
            "Orders on this chain are not completed meanwhile. Look at its nodes, and at the chain itself."
        },
        "chain.stopped" => {
            "This chain is not followed before you decide: see the log, and paywatch chain resync."
        },
        "chain.disagreement" => {
            "One of the nodes is wrong, or a chain has forked. Find out which, and leave it out."
        },
        "token.alert" => {
            "Look at the token and at your addresses before you ship for payments in it."
        },
        "audit.mismatch" => {
            "The books and the chain differ. Run paywatch audit for the details, and do not ship until you know why."
        },
        "endpoint.failing" => {
            "Look whether it runs. It is told of what it missed when it answers again."
        },
        "endpoint.disabled" => "It is told nothing any more before you enable it again.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use paywatch_core::EventTypes;
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names {
            chains: [(137, "polygon".to_owned())].into(),
            tokens: [((137, "0xc2".to_owned()), "USDT0".to_owned())].into(),
        }
    }

    fn read(kind: &str, data: &Value) -> (String, Words) {
        names().read(kind, &json!({ "type": kind, "data": data }).to_string())
    }

    fn payment() -> Value {
        json!({
            "id": "pay_1", "chain_id": 137, "tx_hash": "0xaa", "token": "0xc2", "from": "0xf0",
            "to": "0x70", "amount": "7.5",
        })
    }

    #[test]
    fn a_stray_payment_says_where_it_came_from_and_what_to_do() {
        let (key, words) = read("payment.unmatched", &json!({ "payment": payment() }));
        assert_eq!(key, "pay_1");
        assert_eq!(words.amount, "7.5 USDT0");
        assert_eq!(
            words.detail,
            "7.5 USDT0 from 0xf0 to 0x70 on polygon, transaction 0xaa, payment pay_1"
        );
        assert!(words.advice.contains("paywatch payment assign"));
        assert_eq!(words.reference, "");
        let foreign = json!({ "payment": { "chain_id": 5, "amount": "1", "token": "0xc2" } });
        let (_, words) = read("payment.unmatched", &foreign);
        assert_eq!(words.amount, "1");
        assert!(words.detail.contains("on chain 5"), "{}", words.detail);
    }

    #[test]
    fn an_order_says_where_it_stands() {
        let order = json!({
            "id": "ord_1", "reference": "INV-1", "amount": "100", "received": "40",
            "confirmed": "0", "remaining": "60", "status": "partially_paid", "flags": ["late"],
            "options": [{"token": {"symbol": "USDT"}}, {"token": {"symbol": "USDC"}},
                {"token": {"symbol": "USDT"}}],
        });
        let (key, words) = read("order.late_payment", &json!({ "order": order }));
        assert_eq!(key, "ord_1");
        assert_eq!(
            (words.reference.as_str(), words.amount.as_str()),
            ("INV-1", "100 USDC/USDT")
        );
        assert_eq!(
            words.detail,
            "40 of 100 USDC/USDT received, 0 confirmed, 60 remaining: partially paid (late), order ord_1"
        );
        let both = json!({ "order": order, "payment": payment() });
        let (key, words) = read("payment.wrong_asset", &both);
        assert_eq!(
            (key.as_str(), words.amount.as_str()),
            ("ord_1", "7.5 USDT0")
        );
        assert_eq!(words.reference, "INV-1");
    }

    #[test]
    fn chains_and_endpoints_say_what_is_the_matter() {
        let chain =
            json!({ "chain": { "chain_id": 137, "chain": "polygon", "detail": "no news" } });
        let (key, words) = read("chain.stalled", &chain);
        assert_eq!(
            (key.as_str(), words.detail.as_str()),
            ("137", "polygon: no news")
        );
        let endpoint = json!({ "endpoint": { "id": "ep_1", "detail": "shop takes nothing" } });
        let (key, words) = read("endpoint.failing", &endpoint);
        assert_eq!(
            (key.as_str(), words.detail.as_str()),
            ("ep_1", "shop takes nothing")
        );
    }

    #[test]
    fn what_cannot_be_read_is_empty() {
        for body in [
            "",
            "[]",
            "null",
            "{\"data\":{\"order\":7}}",
            "{\"data\":[]}",
        ] {
            let (key, words) = names().read("order.paid", body);
            assert_eq!((key.as_str(), words), ("", Words::default()), "{body}");
        }
    }

    #[test]
    fn there_is_advice_for_kinds_that_exist() {
        let known: Vec<_> = EventTypes::names()
            .filter(|kind| !advice(kind).is_empty())
            .collect();
        assert_eq!(known.len(), 12, "{known:?}");
    }
}
