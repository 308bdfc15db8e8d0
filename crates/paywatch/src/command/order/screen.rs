//! An order as people read it in a terminal.

use paywatch_client::Order;

use crate::output;

/// The order, the ways to pay it and its payments.
pub(crate) fn draw(order: &Order) -> String {
    let flags = if order.flags.is_empty() {
        String::new()
    } else {
        format!(" ({})", order.flags.join(", "))
    };
    let mut parts = vec![
        format!("{}  {}", order.id, order.reference),
        format!("{}{flags}", order.status.replace('_', " ").to_uppercase()),
        format!(
            "asked {}   received {}   confirmed {}   remaining {}   excess {}",
            order.amount, order.received, order.confirmed, order.remaining, order.excess
        ),
        format!("made {}   expires {}", order.created_at, order.expires_at),
    ];
    parts.extend(
        order
            .checkout_url
            .iter()
            .map(|url| format!("to be paid at {url}")),
    );
    let waiting = order.waiting_for_chains.as_deref().unwrap_or_default();
    if !waiting.is_empty() {
        let chains = waiting.join(", ");
        parts.push(format!(
            "past its deadline, and open until paywatch has read that far on {chains}"
        ));
    }
    parts.push(ways_to_pay(order));
    if order.payments.is_empty() {
        parts.push("no payment yet".to_owned());
    } else {
        let mut payments = output::table(["chain", "amount", "payment", "blocks", "transaction"]);
        for payment in &order.payments {
            payments.add_row([
                chain_name(order, payment.chain_id),
                payment.amount.clone(),
                payment.status.clone(),
                payment
                    .confirmations
                    .map_or_else(|| "-".to_owned(), |it| it.to_string()),
                payment.tx_hash.clone(),
            ]);
        }
        parts.push(payments.to_string());
    }
    parts.extend(no_money(order));
    if !order.refunds.is_empty() {
        let mut refunds = output::table(["chain", "amount", "refund", "to", "transaction"]);
        for refund in &order.refunds {
            let sent = refund.payment.as_ref();
            refunds.add_row([
                refund.chain.as_str(),
                &refund.amount,
                &refund.status,
                &refund.to,
                sent.map_or("-", |payment| payment.tx_hash.as_str()),
            ]);
        }
        parts.push(format!("refunded {}", order.refunded));
        parts.push(refunds.to_string());
    }
    parts.join("\n")
}

/// Where the payer may send it.
fn ways_to_pay(order: &Order) -> String {
    let mut options = output::table(["pay on", "token", "amount", "to"]);
    for option in &order.options {
        options.add_row([
            &option.chain,
            &option.token.symbol,
            &option.amount,
            &option.address,
        ]);
    }
    options.to_string()
}

/// What came that is no money, if anything did.
fn no_money(order: &Order) -> Option<String> {
    let came = order.look_alikes?;
    Some(format!(
        "received {} transfers of contracts that are no configured token, {} of them of \
         look-alikes: no money (paywatch payment look-alikes --order {})",
        came.transfers, came.of_look_alikes, order.id
    ))
}

/// The order on one line.
pub(crate) fn summary(order: &Order) -> String {
    let Order {
        id,
        status,
        received,
        amount,
        confirmed,
        ..
    } = order;
    format!("{id} {status}: received {received} of {amount}, confirmed {confirmed}")
}

fn chain_name(order: &Order, id: u64) -> String {
    order
        .options
        .iter()
        .find(|option| option.chain_id == id)
        .map_or_else(|| id.to_string(), |option| option.chain.clone())
}
