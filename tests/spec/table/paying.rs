//! The ordinary ways in which orders are paid.

use crate::expectation::{awaiting_payment, completed, paid, partially_paid};
use crate::step::{By, Coin, order, payment};
use crate::story::{Story, story};

told_in_both_places!(
    what_was_asked_is_paid_at_once,
    two_parts_make_a_whole,
    twelve_parts_make_a_whole,
    half_on_one_chain_and_half_on_another,
    a_third_in_one_token_and_the_rest_in_another,
    two_customers_pay_one_order,
    a_contract_pays_for_a_customer,
    an_exchange_pays_two_orders_in_one_transaction,
    one_transaction_pays_one_order_twice,
    money_that_a_bridge_makes_counts,
    a_transaction_that_fails_pays_nothing,
    a_token_that_takes_a_fee_pays_what_arrives,
    the_same_reference_is_the_same_order,
);

fn what_was_asked_is_paid_at_once() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .pays("TEA", "12.5")
        .sees(
            "TEA",
            paid()
                .received("12.5")
                .confirmed("0")
                .payments(&["detected"]),
        )
        .becomes_final()
        .sees(
            "TEA",
            completed().confirmed("12.5").payments(&["confirmed"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn two_parts_make_a_whole() -> Story {
    story()
        .order(order("TEA").amount("100"))
        .pays("TEA", "40")
        .sees("TEA", partially_paid().received("40").remaining("60"))
        .becomes_final()
        .sees("TEA", partially_paid().confirmed("40"))
        .pays("TEA", "60")
        .sees("TEA", paid().received("100").confirmed("40").remaining("0"))
        .becomes_final()
        .sees("TEA", completed().confirmed("100").excess("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.confirmed",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}

fn twelve_parts_make_a_whole() -> Story {
    let mut story = story().order(order("TEA").amount("12"));
    for _ in 0..11 {
        story = story.pays("TEA", "1");
    }
    story
        .sees("TEA", partially_paid().received("11").remaining("1"))
        .pays("TEA", "1")
        .sees("TEA", paid().received("12"))
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .confirmed("12")
                .excess("0")
                .payments(&["confirmed"; 12]),
        )
}

fn half_on_one_chain_and_half_on_another() -> Story {
    story()
        .with_a_second_chain()
        .order(order("TEA").amount("20"))
        .sees("TEA", awaiting_payment().options("2"))
        .pays("TEA", "10")
        .sees("TEA", partially_paid().remaining("10"))
        .pay(payment("10").to("TEA").on("second"))
        .sees("TEA", paid().received("20"))
        .becomes_final()
        .sees(
            "TEA",
            completed()
                .confirmed("20")
                .payments(&["confirmed", "confirmed"]),
        )
        .told(&[
            "order.created",
            "payment.detected",
            "order.partially_paid",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "payment.confirmed",
            "order.completed",
        ])
}

fn a_third_in_one_token_and_the_rest_in_another() -> Story {
    story()
        .with_usdc()
        .order(order("TEA").amount("30"))
        .sees("TEA", awaiting_payment().options("2"))
        .pays("TEA", "10")
        .pay(payment("20").to("TEA").in_coin(Coin::Usdc))
        .sees("TEA", paid().received("30").ignored("0"))
        .becomes_final()
        .sees("TEA", completed().confirmed("30").excess("0"))
}

fn two_customers_pay_one_order() -> Story {
    story()
        .order(order("DINNER").amount("50"))
        .pay(payment("20").to("DINNER"))
        .pay(payment("30").to("DINNER").by(By::AnotherCustomer))
        .sees("DINNER", paid().received("50"))
        .becomes_final()
        .sees("DINNER", completed().payments(&["confirmed", "confirmed"]))
}

fn a_contract_pays_for_a_customer() -> Story {
    story()
        .order(order("TEA").amount("7.000001"))
        .pay(payment("7.000001").to("TEA").by(By::Contract))
        .sees("TEA", paid())
        .becomes_final()
        .sees("TEA", completed().confirmed("7.000001"))
}

fn an_exchange_pays_two_orders_in_one_transaction() -> Story {
    const TOLD: &[&str] = &[
        "order.created",
        "payment.detected",
        "order.paid",
        "payment.confirmed",
        "order.completed",
    ];
    story()
        .order(order("TEA").amount("12.5"))
        .order(order("CAKE").amount("30"))
        .pay_in_one_transaction(&[
            payment("12.5").to("TEA").by(By::Exchange),
            payment("30").to("CAKE").by(By::Exchange),
        ])
        .sees("TEA", paid().received("12.5").payments(&["detected"]))
        .sees("CAKE", paid().received("30").payments(&["detected"]))
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
        .sees("CAKE", completed().confirmed("30"))
        .told_of("TEA", TOLD)
        .told_of("CAKE", TOLD)
}

fn one_transaction_pays_one_order_twice() -> Story {
    story()
        .order(order("TEA").amount("30"))
        .pay_in_one_transaction(&[
            payment("10").to("TEA").by(By::Exchange),
            payment("20").to("TEA").by(By::Exchange),
        ])
        .sees(
            "TEA",
            paid().received("30").payments(&["detected", "detected"]),
        )
        .becomes_final()
        .sees("TEA", completed().confirmed("30").excess("0"))
        .told(&[
            "order.created",
            "payment.detected",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "payment.confirmed",
            "order.completed",
        ])
}

fn money_that_a_bridge_makes_counts() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .pay(payment("12.5").to("TEA").by(By::Nobody))
        .sees("TEA", paid().received("12.5"))
        .becomes_final()
        .sees("TEA", completed().confirmed("12.5"))
}

fn a_transaction_that_fails_pays_nothing() -> Story {
    story()
        .order(order("YACHT").amount("2000000"))
        .fails_to_pay(payment("2000000").to("YACHT").called("BOUNCED"))
        .finds_nothing_of("BOUNCED")
        .sees("YACHT", awaiting_payment().received("0").payments(&[]))
        .pays("YACHT", "1000000")
        .pay(payment("1000000").to("YACHT").by(By::AnotherCustomer))
        .becomes_final()
        .sees("YACHT", completed().confirmed("2000000"))
}

fn a_token_that_takes_a_fee_pays_what_arrives() -> Story {
    use crate::step::Lever::Fee;
    story()
        .issuer_pulls(Fee(10, 5))
        .order(order("TEA").amount("100"))
        .pays("TEA", "100")
        .sees("TEA", partially_paid().received("99.9").remaining("0.1"))
        .issuer_pulls(Fee(0, 0))
        .pays("TEA", "0.1")
        .becomes_final()
        .sees("TEA", completed().confirmed("100").excess("0"))
}

fn the_same_reference_is_the_same_order() -> Story {
    story()
        .order(order("TEA").amount("12.5"))
        .order_again(order("TEA").amount("12.5"))
        .order_is_refused(order("TEA").amount("13"), "reference_taken")
        .pays("TEA", "12.5")
        .order_again(order("TEA").amount("12.5"))
        .becomes_final()
        .sees("TEA", completed())
        .order_again(order("TEA").amount("12.5"))
        .told(&[
            "order.created",
            "payment.detected",
            "order.paid",
            "payment.confirmed",
            "order.completed",
        ])
}
