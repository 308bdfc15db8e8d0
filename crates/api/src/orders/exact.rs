//! What is shown of exact amounts: how crowded the wallets are.

use metrics::{counter, gauge};
use paywatch_core::{Amount, Order, PaymentMethod, SlotTerms, Token};

/// How many hundredths there are in a whole.
const PERCENT: u32 = 100;

/// Tells how much of the largest surcharge a new order has used up: at 100 % the next order over
/// such an amount is refused.
pub(crate) fn tell(order: &Order, terms: &SlotTerms) {
    for option in &order.options {
        if let PaymentMethod::ExactAmount { slot } = option.method {
            let surcharge = slot.high().less(order.amount);
            let used = percent_of(surcharge, terms.max_surcharge());
            gauge!("paywatch_exact_amount_surcharge_used_percent", "chain" => option.token.chain_id.to_string(), "token" => option.token.symbol.clone())
                .set(f64::from(used));
        }
    }
}

/// Counts an order that was refused because no amount was free.
pub(crate) fn tell_exhausted(token: &Token) {
    counter!("paywatch_exact_amount_exhausted_total", "chain" => token.chain_id.to_string(), "token" => token.symbol.clone())
        .increment(1);
}

/// How many hundredths of `most` an amount is, rounded up; all of it, where there is no more.
fn percent_of(part: Amount, most: Amount) -> u32 {
    (0..PERCENT)
        .find(|hundredths| most.hundredths(*hundredths) >= part && !most.is_zero())
        .unwrap_or(PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_rounded_up_and_nothing_to_spare_is_all() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        for (part, most, percent) in [
            ("0", "1", 0),
            ("0.001", "1", 1),
            ("0.5", "1", 50),
            ("1", "1", 100),
            ("0", "0", 100),
        ] {
            assert_eq!(percent_of(amount(part), amount(most)), percent, "{part}");
        }
    }
}
